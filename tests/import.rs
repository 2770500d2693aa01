//! Policies of Stable-Baselines3 and CleanRL do here what they do there, and broken files are refused.
//!
//! What they do there is in tests/reference/policies.json, of `policies.py`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;
use uphill::catalogue::{EnvRow, MakeEnv};
use uphill::envs::{Action, End, Env, EnvError, Space, Spec, Step};
use uphill::import::{self, Asked};
use uphill::models::{Activation, Site};
use uphill::{ActionColumn, Catalogue, Error, Mode, Policy, Result, Scratch, Seed};

fn file(name: &str) -> PathBuf {
    Path::new("tests/reference/policies").join(name)
}

fn reference() -> Value {
    let text = fs::read_to_string("tests/reference/policies.json").expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn asked(env: &str) -> Asked {
    Asked { env: env.into(), ..Asked::default() }
}

fn imported(name: &str, env: &str) -> Policy {
    import::read(&file(name), None, &asked(env), &Catalogue::default()).expect(name).policy
}

/// The return of an episode that begins with this seed.
fn played(policy: &Policy, seed: u64) -> f64 {
    let mut env = policy.config().make_env().expect("an environment");
    let mut observation = vec![0.0; env.spec().observation_len()];
    env.reset(Some(seed), &mut observation).expect("a reset");
    let (mut memory, mut sum) = (policy.memory(1), 0.0);
    loop {
        let chosen = policy.act(&observation, &mut memory, Mode::Likeliest).expect("an action");
        let step = env.step(chosen.view().lane(0, &env.spec().action), &mut observation).expect("a step");
        sum += f64::from(step.reward);
        if step.end.ended() {
            return sum;
        }
    }
}

/// Checks actions in stored observations, and the returns of ten episodes.
fn does_the_same(policy: &Policy, of: &Value) {
    let rows = |name: &str| of[name].as_array().expect("rows").iter().map(numbers).collect::<Vec<_>>();
    for (observation, expected) in rows("observations").iter().zip(rows("actions")) {
        let observation: Vec<f32> = observation.iter().map(|x| *x as f32).collect();
        let found = policy.act(&observation, &mut policy.memory(1), Mode::Likeliest).expect("an action");
        let found: Vec<f64> = match found {
            ActionColumn::Discrete(indices) => indices.iter().map(|index| f64::from(*index)).collect(),
            ActionColumn::Continuous(numbers) => numbers.iter().map(|x| f64::from(*x)).collect(),
        };
        let apart = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(found.len() == expected.len() && apart < 2e-6, "{found:?} for {expected:?}");
    }
    let found: Vec<f64> = (0..10).map(|seed| played(policy, seed)).collect();
    for (found, expected) in found.iter().zip(numbers(&of["returns"])) {
        assert!((found - expected).abs() <= 1e-4 * expected.abs(), "{found} for {expected}");
    }
}

#[test]
fn policies_of_stable_baselines3_come_to_the_same_returns() {
    let reference = reference();
    let policy = imported("sb3_ppo.zip", "CartPole-v1");
    let (config, relu) = (policy.config(), Activation::Relu);
    assert_eq!((&*config.model.to_string(), config.activation), ("mlp(critic_hidden=[5])", relu));
    assert_eq!(config.hidden, [8, 6]);
    does_the_same(&policy, &reference["sb3_ppo"]);
    let stats = file("sb3_a2c_stats.npz");
    let read = |stats| import::read(&file("sb3_a2c.zip"), stats, &asked("Pendulum-v1"), &Catalogue::default());
    let found = read(Some(stats.as_path())).expect("a policy");
    assert_eq!((found.of, &*found.policy.config().algo.name), ("Stable-Baselines3", "a2c"));
    assert_eq!(found.policy.config().distribution.name, "gsde");
    assert_eq!((found.policy.config().clip_observation, found.policy.config().steps), (5.0, 3000));
    does_the_same(&found.policy, &reference["sb3_a2c"]);
    // Without what observations were normalised by it is another policy.
    let without = read(None).expect("a policy").policy;
    let expected = numbers(&reference["sb3_a2c"]["returns"]);
    assert!((0..10).any(|seed| (played(&without, seed) - expected[seed as usize]).abs() > 1.0));
}

#[test]
fn policies_of_cleanrl_come_to_the_same_returns() {
    let reference = reference();
    for name in ["cleanrl_ppo.cleanrl_model", "cleanrl_ppo.safetensors", "cleanrl_ppo.npz"] {
        does_the_same(&imported(name, "CartPole-v1"), &reference["cleanrl_ppo"]);
    }
    let policy = imported("cleanrl_continuous.cleanrl_model", "Pendulum-v1");
    assert_eq!(policy.config().distribution.name, "diag_gaussian");
    does_the_same(&policy, &reference["cleanrl_continuous"]);
}

#[test]
fn policies_of_sb3_contrib_come_to_the_same_returns() {
    let reference = reference();
    let each = [
        ("contrib_trpo", "trpo", "mlp(activation=gelu)", vec![6]),
        ("contrib_maskable", "ppo", "mlp", vec![6]),
        ("contrib_recurrent", "ppo", "lstm(units=5)", vec![]),
    ];
    for (name, algo, model, hidden) in each {
        let path = file(&format!("{name}.zip"));
        let found = import::read(&path, None, &asked("CartPole-v1"), &Catalogue::default()).expect(name);
        let config = found.policy.config();
        assert_eq!((found.of, &*config.algo.name), ("sb3-contrib", algo));
        assert_eq!((&*config.model.name, &config.hidden), (model.split('(').next().expect("a name"), &hidden));
        does_the_same(&found.policy, &reference[name]);
    }
    assert_eq!(imported("contrib_trpo.zip", "CartPole-v1").config().activation, Activation::Gelu);
}

#[test]
fn numbers_are_read_as_they_are_written() {
    let reference = reference();
    // Deflated, columns side by side, from the highest byte.
    does_the_same(&imported("cleanrl_packed.npz", "CartPole-v1"), &reference["cleanrl_ppo"]);
    // Of 16 bits, and of modules that torch had wrapped: once, or twice.
    for ending in ["cleanrl_model", "safetensors", "npz"] {
        let name = format!("cleanrl_half.{ending}");
        does_the_same(&imported(&name, "Pendulum-v1"), &reference["cleanrl_half"]);
    }
    for ending in ["cleanrl_model", "safetensors"] {
        let name = format!("cleanrl_bfloat.{ending}");
        does_the_same(&imported(&name, "Pendulum-v1"), &reference["cleanrl_bfloat"]);
    }
}

#[test]
fn masks_are_asked_for_where_some_action_is_illegal() {
    let told = Asked { masks: true, ..asked("CartPole-v1") };
    let refused = import::read(&file("cleanrl_ppo.safetensors"), None, &told, &Catalogue::default()).err();
    let refused = refused.expect("a refusal").to_string();
    assert_eq!(refused, "masks = true has no effect: CartPole-v1 forbids no action; leave it out");
}

#[test]
fn a_number_that_float32_has_not_is_told_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large.safetensors");
    for (number, what) in
        [(1e39f64, "it holds 1e39, and networks here have float32"), (f64::NAN, "it holds a NaN or an infinity")]
    {
        let bytes: Vec<u8> = [1.0, number].iter().flat_map(|x| x.to_le_bytes()).collect();
        let tensor = TensorView::new(Dtype::F64, vec![2], &bytes).expect("a tensor");
        safetensors::serialize_to_file([("actor.0.bias", tensor)], None, &path).expect("a file");
        let refused = import::read(&path, None, &asked("CartPole-v1"), &Catalogue::default()).err();
        let refused = refused.expect("a refusal").to_string();
        assert!(refused.contains(what), "{refused}");
    }
}

#[test]
fn what_stands_between_layers_can_be_said() {
    let with = |activation| {
        let asked = Asked { activation, ..asked("CartPole-v1") };
        let path = file("cleanrl_ppo.safetensors");
        import::read(&path, None, &asked, &Catalogue::default()).expect("a policy").policy.config().activation
    };
    assert_eq!(with(None), Activation::Tanh);
    assert_eq!(with(Some(Activation::Relu)), Activation::Relu);
    // What the file says cannot be said otherwise.
    let asked = Asked { activation: Some(Activation::Gelu), ..asked("CartPole-v1") };
    let refused = import::read(&file("sb3_ppo.zip"), None, &asked, &Catalogue::default()).err().expect("a refusal");
    assert!(refused.to_string().ends_with("activation = gelu, and the file says relu: leave it out"), "{refused}");
    // Where a class of theirs is told nothing, it is tanh; and where there is one layer, nothing stands behind it.
    let refused = import::read(&file("contrib_maskable.zip"), None, &asked, &Catalogue::default()).err();
    let refused = refused.expect("a refusal");
    assert!(refused.to_string().ends_with("activation = gelu, and the file says tanh: leave it out"), "{refused}");
    let refused = import::read(&file("contrib_recurrent.zip"), None, &asked, &Catalogue::default()).err();
    let refused = refused.expect("a refusal");
    assert!(refused.to_string().contains("there are no layers for it to stand between"), "{refused}");
}

/// Images, the same each time.
struct Pictures(Spec);

impl Env for Pictures {
    fn spec(&self) -> &Spec {
        &self.0
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, _: &mut [f32]) -> Result<Step, EnvError> {
        Ok(Step { reward: 0.0, end: End::Terminated })
    }
}

/// A catalogue with an environment of such images.
fn with_pictures() -> Catalogue {
    Catalogue::default().with(EnvRow {
        name: "Pictures-v0",
        summary: "a test's",
        params: &[],
        make: MakeEnv::one(|_| {
            let observation = Space::Image { height: 44, width: 52, channels: 2, max: 255 };
            Ok(Box::new(Pictures(Spec {
                id: "Pictures-v0".into(),
                observation,
                action: Space::Discrete { n: 3 },
                max_episode_steps: Some(2),
                reward_threshold: None,
            })))
        }),
    })
}

/// Writes tensors of these names and shapes as safetensors, all of one number but those that are given.
fn write(path: &Path, tensors: &[(String, Vec<usize>, Vec<f32>)]) {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(|(.., x)| x.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (name.clone(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("a tensor"))
    });
    let bytes = safetensors::serialize(views.collect::<HashMap<_, _>>(), None).expect("a file");
    fs::write(path, bytes).expect("a file");
}

#[test]
fn networks_of_images_say_the_same() {
    let reference = &reference()["images"];
    let image: [f64; 3] = numbers(&reference["image"]).try_into().expect("three");
    let [rows, columns, channels] = image.map(|x| x as usize);
    let tensors = reference["tensors"].as_array().expect("tensors").iter().enumerate().map(|(k, tensor)| {
        let shape: Vec<usize> = numbers(&tensor[1]).iter().map(|x| *x as usize).collect();
        let scale = tensor[2].as_f64().expect("a number");
        let values = (0..shape.iter().product()).map(|i| ((i as f64 * 0.7 + k as f64).cos() * scale) as f32).collect();
        (tensor[0].as_str().expect("a name").to_string(), shape, values)
    });
    let theirs: Vec<(String, Vec<usize>, Vec<f32>)> = tensors.collect();
    // The same network as Stable-Baselines3 saves it, once for both and once for each.
    let renamed = |name: &str| match name.split_once('.') {
        Some(("network", rest)) if rest.starts_with('7') => name.replace("network.7", "features_extractor.linear.0"),
        Some(("network", _)) => name.replace("network", "features_extractor.cnn"),
        _ => name.replace("actor", "action_net").replace("critic", "value_net"),
    };
    let ours: Vec<_> = theirs.iter().map(|(name, shape, x)| (renamed(name), shape.clone(), x.clone())).collect();
    let twice = ours.iter().filter(|(name, ..)| name.starts_with("features"));
    let twice =
        twice.flat_map(|(name, shape, x)| ["pi_", "vf_"].map(|net| (format!("{net}{name}"), shape.clone(), x.clone())));
    let ours: Vec<_> = ours.iter().cloned().chain(twice).collect();
    let images: Vec<f32> = (0..2 * rows * columns * channels).map(|i| (i * 37 % 256) as f32).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.safetensors");
    for (of, tensors) in [("CleanRL", &theirs), ("Stable-Baselines3", &ours)] {
        write(&path, tensors);
        let found = import::read(&path, None, &asked("Pictures-v0"), &with_pictures()).expect(of);
        let config = found.policy.config();
        assert_eq!((found.of, &*config.model.to_string(), &*config.hidden), (of, "nature_cnn", &[12][..]));
        let spec = config.make_envs(1).expect(of).spec().clone();
        let (_, network) = config.make_model(&Site::new(&spec, Seed(0))).expect(of);
        let (mut scratch, mut logits) = (Scratch::default(), Vec::new());
        network.outputs(found.policy.params(), &images, &mut scratch, &mut logits).expect(of);
        let expected: Vec<f64> = reference["logits"].as_array().expect("rows").iter().flat_map(numbers).collect();
        assert_eq!(logits.len(), expected.len());
        for (found, expected) in logits.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{of}: {found} for {expected}");
        }
    }
    let asked_relu = Asked { activation: Some(Activation::Relu), ..asked("Pictures-v0") };
    let refused = import::read(&path, None, &asked_relu, &with_pictures()).err().expect("a refusal");
    assert!(refused.to_string().contains("activation has no effect"), "{refused}");
    // Of two extractors, which see with other eyes, no network here is.
    let mut apart = ours;
    let (.., values) = apart.last_mut().expect("a tensor");
    values[0] += 1.0;
    write(&path, &apart);
    let refused = import::read(&path, None, &asked("Pictures-v0"), &with_pictures()).err().expect("a refusal");
    assert!(refused.to_string().contains("is no part of a policy of Stable-Baselines3"), "{refused}");
}

/// What reading a file of these bytes fails with.
fn refusal(bytes: &[u8], env: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy");
    fs::write(&path, bytes).expect("a file");
    match import::read(&path, None, &asked(env), &Catalogue::default()) {
        Err(Error::File { problem, .. }) => problem,
        Err(e) => panic!("{e}"),
        Ok(_) => panic!("it was taken"),
    }
}

/// A zip of torch whose table of tensors is this.
fn torch(pickle: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::FileOptions::<()>::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in [("policy/data.pkl", pickle), ("policy/data/0", &[0; 32])] {
        zip.start_file(name, stored).expect("an entry");
        std::io::Write::write_all(&mut zip, bytes).expect("an entry");
    }
    zip.finish().expect("a zip").into_inner()
}

#[test]
fn nothing_of_a_pickle_is_called() {
    // {'actor.0.weight': os.system('true')}
    let call = b"\x80\x02}X\x0e\x00\x00\x00actor.0.weightcos\nsystem\nX\x04\x00\x00\x00true\x85Rs.";
    let said = refusal(&torch(call), "CartPole-v1");
    assert!(said.contains("os.system would have to be called, and nothing of a pickle is"), "{said}");
    let object = b"\x80\x02c__main__\nAgent\n)\x81.";
    let said = refusal(&torch(object), "CartPole-v1");
    assert!(said.contains("save a state dict"), "{said}");
    let said = refusal(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.", "CartPole-v1");
    assert!(said.contains("this is a pickle, and none is ever executed"), "{said}");
}

#[test]
fn what_a_file_claims_is_not_believed() {
    // One tensor of 2^31 - 1 numbers in a storage of eight.
    let claim = |offset: u8, shape: &[u8]| {
        let mut pickle = b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage\
            ctorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x08tQK"
            .to_vec();
        pickle.push(offset);
        pickle.extend_from_slice(shape);
        pickle.extend_from_slice(b"\x85K\x01\x85\x89}tRs.");
        refusal(&torch(&pickle), "CartPole-v1")
    };
    for shape in [&b"J\xff\xff\xff\x7f"[..], b"K\x09"] {
        let said = claim(0, shape);
        assert!(said.contains("is of more numbers than the file has"), "{said}");
    }
    let said = claim(1, b"K\x08");
    assert!(said.contains("reaches past the 32 bytes"), "{said}");
    let said = claim(0, b"K\x08");
    assert!(said.contains("are neither those of"), "{said}");
}

/// What reading a file of such tensors fails with, if it does.
fn said_or_taken(path: &Path, tensors: &[(&str, &[usize])]) -> Option<String> {
    let made =
        |(name, shape): &(&str, &[usize])| ((*name).to_string(), shape.to_vec(), vec![0.5; shape.iter().product()]);
    write(path, &tensors.iter().map(made).collect::<Vec<_>>());
    match import::read(path, None, &asked("CartPole-v1"), &Catalogue::default()) {
        Err(Error::File { problem, .. }) => Some(problem),
        Err(e) => panic!("{e}"),
        Ok(_) => None,
    }
}

#[test]
fn policies_of_other_networks_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.safetensors");
    let said = |tensors: &[(&str, &[usize])]| said_or_taken(&path, tensors).expect("a refusal");
    let net: [(&str, &[usize]); 4] =
        [("actor.0.weight", &[2, 4]), ("actor.0.bias", &[2]), ("critic.0.weight", &[1, 4]), ("critic.0.bias", &[1])];
    assert!(said(&net[..3]).contains("there is no tensor `critic.0.bias`"), "{}", said(&net[..3]));
    let wrong = said(&[net[0], net[1], net[2], ("critic.0.bias", &[2])]);
    assert!(wrong.contains("which is not `critic.head.bias` of shape [1]"), "{wrong}");
    // As many numbers in another shape are another layer.
    let across = said(&[("actor.0.weight", &[2, 2, 2]), net[1], net[2], net[3]]);
    assert!(across.contains("tensor `actor.0.weight` is no matrix") || across.contains("has shape"), "{across}");
    let net_of = |hidden: &[usize], head: &[usize]| {
        let of: [(&str, &[usize]); 8] = [
            ("actor.0.weight", hidden),
            ("actor.0.bias", &[3]),
            ("actor.2.weight", head),
            ("actor.2.bias", &[2]),
            ("critic.0.weight", &[3, 4]),
            ("critic.0.bias", &[3]),
            ("critic.2.weight", &[1, 3]),
            ("critic.2.bias", &[1]),
        ];
        said_or_taken(&path, &of)
    };
    assert_eq!(net_of(&[3, 4], &[2, 3]), None);
    let across = net_of(&[3, 4], &[3, 2]).expect("a refusal");
    assert!(across.contains("tensor `actor.2.weight` has shape [3, 2], which is not"), "{across}");
    let bias = said(&[net[0], ("actor.0.bias", &[1, 2]), net[2], net[3]]);
    assert!(
        bias.contains("tensor `actor.0.bias` has shape [1, 2], which is not `actor.head.bias` of shape [2]"),
        "{bias}"
    );
    let more = said(&[net[0], net[1], net[2], net[3], ("lstm.weight_ih_l0", &[2, 2])]);
    assert!(more.contains("tensor `lstm.weight_ih_l0` is no part of a policy of CleanRL's"), "{more}");
    assert!(said(&[("layers.0.weight", &[2, 4])]).contains("(layers.0.weight) are neither those of"));
    let other = refusal(&fs::read(file("sb3_ppo.zip")).expect("a file"), "Acrobot-v1");
    assert!(other.contains("is --env the environment that it was trained in?"), "{other}");
}

/// A zip of Stable-Baselines3, the same but that each of these words is another one in what it says.
fn sb3_with(words: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(fs::File::open(file("sb3_ppo.zip")).expect("a file")).expect("a zip");
    let mut entry = |name: &str| {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut zip.by_name(name).expect("an entry"), &mut bytes).expect("bytes");
        bytes
    };
    let (data, policy) = (String::from_utf8(entry("data")).expect("text"), entry("policy.pth"));
    let other = words.iter().fold(data.clone(), |data, (from, to)| data.replace(from, to));
    assert!(words.is_empty() || data != other, "{words:?}");
    zipped(&[("data", other.as_bytes()), ("policy.pth", &policy)], zip::CompressionMethod::Stored)
}

/// A zip of these entries.
fn zipped(entries: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::FileOptions::<()>::default().compression_method(method)).expect("an entry");
        std::io::Write::write_all(&mut zip, bytes).expect("an entry");
    }
    zip.finish().expect("a zip").into_inner()
}

#[test]
fn what_a_policy_was_told_and_none_here_is_is_refused_by_name() {
    let relu = "<class 'torch.nn.modules.activation.ReLU'>";
    for other in ["<class 'torch.nn.modules.activation.ELU'>", "<function <lambda> at 0x7f>", "functools.partial(...)"]
    {
        let said = refusal(&sb3_with(&[(relu, other)]), "CartPole-v1");
        assert!(said.contains("activation_fn = ") && said.contains("there are Tanh, ReLU, SiLU"), "{said}");
    }
    let kwargs = "\"net_arch\": {";
    assert!(import::read(&file("sb3_ppo.zip"), None, &asked("CartPole-v1"), &Catalogue::default()).is_ok());
    for (kwarg, what) in [
        ("\"squash_output\": true", "squash_output = True has no place here"),
        ("\"full_std\": false", "full_std = False has no place here"),
        ("\"features_extractor_class\": \"<class '__main__.Scaled'>\"", "features_extractor_class = <class"),
    ] {
        let said = refusal(&sb3_with(&[(kwargs, &format!("{kwarg}, {kwargs}"))]), "CartPole-v1");
        assert!(said.contains(what), "{said}");
    }
    // What Python's JSON has and JSON has not, and what only looks like it within a text.
    let unreal = r#""max_grad_norm": Infinity, "target_kl": [NaN, -Infinity], "a \"NaN": "NaN", "#;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("unreal.zip");
    fs::write(&path, sb3_with(&[(kwargs, &format!("{unreal}{kwargs}"))])).expect("a file");
    let found = import::read(&path, None, &asked("CartPole-v1"), &Catalogue::default()).expect("a policy");
    does_the_same(&found.policy, &reference()["sb3_ppo"]);
    // A class of one's own may have another activation by default: it can be said.
    let own = [("stable_baselines3.common.policies", "__main__"), ("\"activation_fn\"", "\"other\"")];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.zip");
    fs::write(&path, sb3_with(&own)).expect("a file");
    let asked = Asked { activation: Some(Activation::Silu), ..asked("CartPole-v1") };
    let found = import::read(&path, None, &asked, &Catalogue::default()).expect("a policy");
    assert_eq!(found.policy.config().activation, Activation::Silu);
}

#[test]
fn files_that_are_something_else_say_what_they_are() {
    let said = refusal(&fs::read(file("cleanrl_legacy.cleanrl_model")).expect("a file"), "CartPole-v1");
    assert!(said.contains("torch saved before 1.6") && said.contains("save it anew: torch.save("), "{said}");
    let within = zipped(
        &[("policy.pth", &fs::read(file("cleanrl_legacy.cleanrl_model")).expect("a file"))],
        zip::CompressionMethod::Stored,
    );
    let said = refusal(&within, "CartPole-v1");
    assert!(said.starts_with("policy.pth: this is what torch saved before 1.6"), "{said}");
    let whole = fs::read(file("sb3_ppo.zip")).expect("a file");
    let said = refusal(&whole[..whole.len() / 2], "CartPole-v1");
    assert!(said.contains("cut short or changed: copy it once more, or save it anew"), "{said}");
    let tar = [&[0; 257][..], b"ustar\0", &[0; 300]].concat();
    for (bytes, what) in [
        (&b""[..], "this is an empty file"),
        (b"\x1f\x8b\x08\x00rest", "packed by gzip: unpack it first"),
        (b"\x93NUMPY\x01\x00v\x00", "one array of NumPy's: save them all by their names"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (&tar, "a tar"),
    ] {
        let said = refusal(bytes, "CartPole-v1");
        assert!(said.contains(what), "{said}");
    }
    // {'model': {'actor.0.weight': None}}
    let nested = b"\x80\x02}X\x05\x00\x00\x00model}X\x0e\x00\x00\x00actor.0.weightNss.";
    let said = refusal(&torch(nested), "CartPole-v1");
    assert!(said.contains("entry `model` is no tensor: it is a table of its own: save the state dict alone"), "{said}");
}

#[test]
fn no_more_memory_is_taken_than_a_file_is_worth() {
    use zip::CompressionMethod::{Deflated, Stored};
    // 64 MiB of zeros, packed to a thousandth.
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4096, 4096), }";
    let mut npy = [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    npy.resize(npy.len() + (64 << 20), 0);
    let bomb = zipped(&[("actor.0.weight.npy", &npy)], Deflated);
    let said = refusal(&bomb, "CartPole-v1");
    assert!(said.contains("`actor.0.weight.npy`: it unpacks to 6710") && said.contains("are the most"), "{said}");
    // The same, said to be of a few bytes.
    let lie = |mut bytes: Vec<u8>| {
        for (mark, place) in [(&b"PK\x03\x04"[..], 22), (b"PK\x01\x02", 24)] {
            let at = bytes.windows(4).rposition(|window| window == mark).expect("a header") + place;
            bytes[at..at + 4].copy_from_slice(&[200, 0, 0, 0]);
        }
        bytes
    };
    let said = refusal(&lie(bomb), "CartPole-v1");
    assert!(said.contains("actor.0.weight.npy"), "{said}");
    // What is read of words is little.
    let long = [&b"{\"policy_kwargs\": \""[..], &vec![b'x'; 17 << 20], b"\"}"].concat();
    let said = refusal(&zipped(&[("data", &long), ("policy.pth", b"")], Stored), "CartPole-v1");
    assert!(said.contains("entry `data`: it unpacks to 17825813 bytes"), "{said}");
    let values = [&b"\x80\x02"[..], &vec![b'N'; 1_000_001], b"."].concat();
    let said = refusal(&torch(&values), "CartPole-v1");
    assert!(said.contains("more than 1000000 values"), "{said}");
    // A class named by a text of 4 MiB, many times.
    let mut named = b"\x80\x04X\x00\x00\x40\x00".to_vec();
    named.resize(named.len() + (4 << 20), b'a');
    named.extend_from_slice(b"q\x00");
    (0..10_000).for_each(|_| named.extend_from_slice(b"h\x00h\x00\x93"));
    named.push(b'.');
    let (bytes, mut said) = (torch(&named), String::new());
    let taken = allocation_counter::measure(|| said = refusal(&bytes, "CartPole-v1"));
    assert!(said.contains("an object of a program's own"), "{said}");
    assert!(taken.bytes_max < 64 << 20, "{} bytes", taken.bytes_max);
}

#[test]
fn policies_of_other_algorithms_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.safetensors");
    let said = |tensors: &[(&str, &[usize])]| said_or_taken(&path, tensors).expect("a refusal");
    for (tensor, of) in [
        ("quantile_net.quantile_net.0.weight", "QRDQN"),
        ("q_net.q_net.0.weight", "DQN"),
        ("actor.latent_pi.0.weight", "SAC or TQC"),
        ("actor.latent_pi.0.ra_mean", "CrossQ"),
        ("actor.mu.0.weight", "TD3 or DDPG"),
        ("action_net.0.weight", "ARS"),
    ] {
        let said = said(&[(tensor, &[2, 4])]);
        assert!(said.contains(&format!("its tensors are those of {of}, whose network is none here")), "{said}");
    }
    // Half of what a policy is.
    for (there, missing) in [
        ("actor.0.weight", "not a critic (`critic.0.weight`, ...)"),
        ("critic.0.weight", "not an actor (`actor.0.weight`, ...)"),
        ("action_net.weight", "not a critic (`value_net.weight`, ...)"),
    ] {
        let said = said(&[(there, &[2, 4])]);
        assert!(said.contains(missing) && said.contains("save the whole state dict"), "{said}");
    }
    // Memories as no network here has them.
    let heads: [(&str, &[usize]); 4] = [
        ("action_net.weight", &[2, 3]),
        ("action_net.bias", &[2]),
        ("value_net.weight", &[1, 3]),
        ("value_net.bias", &[1]),
    ];
    let cell: [(&str, &[usize]); 2] = [("lstm_actor.weight_ih_l0", &[12, 4]), ("lstm_actor.weight_hh_l0", &[12, 3])];
    let with = |other: &[(&str, &[usize])]| said(&[&heads[..], &cell[..], other].concat());
    for (other, what) in [
        ("lstm_critic.weight_ih_l0", "the critic has a cell or a layer of its own"),
        ("critic.weight", "the critic has a cell or a layer of its own"),
        ("mlp_extractor.policy_net.0.weight", "hidden layers behind its cell"),
        ("lstm_actor.weight_ih_l1", "several layers of cells"),
        ("features_extractor.cnn.0.weight", "its cell stands behind filters"),
    ] {
        let said = with(&[(other, &[2, 3])]);
        assert!(said.contains(what) && said.contains("shared_lstm=True"), "{said}");
    }
    assert!(with(&[]).contains("there is no tensor `lstm_actor.bias_ih_l0`"), "{}", with(&[]));
    // With and without its wrapper.
    let twice = said(&[("actor.0.weight", &[2, 4]), ("_orig_mod.actor.0.weight", &[2, 4])]);
    assert!(twice.contains("is in the file twice"), "{twice}");
}

/// The table of tensors of a file of torch.
fn pickle_of(name: &str) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(fs::File::open(file(name)).expect("a file")).expect("a zip");
    let inside =
        zip.file_names().map(|name| name.expect("a name").into_owned()).find(|name| name.ends_with("data.pkl"));
    let (mut entry, mut bytes) = (zip.by_name(&inside.expect("a table")).expect("an entry"), Vec::new());
    std::io::Read::read_to_end(&mut entry, &mut bytes).expect("bytes");
    bytes
}

/// The files, whole.
fn files() -> Vec<Vec<u8>> {
    let names = [
        "sb3_ppo.zip",
        "cleanrl_ppo.cleanrl_model",
        "cleanrl_ppo.safetensors",
        "cleanrl_ppo.npz",
        "cleanrl_packed.npz",
        "cleanrl_bfloat.cleanrl_model",
    ];
    names.iter().map(|name| fs::read(file(name)).expect(name)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn broken_files_are_refused_or_read(
        which in 0usize..6,
        cut in prop::option::of(0.0f64..1.0),
        changes in prop::collection::vec((0.0f64..1.0, any::<u8>()), 0..6),
    ) {
        let mut bytes = files().swap_remove(which);
        for (place, byte) in changes {
            let place = (place * bytes.len() as f64) as usize;
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate((cut * bytes.len() as f64) as usize);
        }
        refused_or_read(&bytes)?;
    }

    #[test]
    fn broken_pickles_are_refused_or_read(
        cut in prop::option::of(0.0f64..1.0),
        changes in prop::collection::vec((0.0f64..1.0, any::<u8>()), 0..4),
    ) {
        let mut bytes = pickle_of("cleanrl_ppo.cleanrl_model");
        for (place, byte) in changes {
            let place = (place * bytes.len() as f64) as usize;
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate((cut * bytes.len() as f64) as usize);
        }
        refused_or_read(&torch(&bytes))?;
    }

    #[test]
    fn any_pickle_is_refused_or_read(
        bytes in prop::collection::vec(prop::sample::select(&b"\x80\x02cab\n}]()tRsuqhrjQXKMJN.\x85\x86\x87\x8a\x8c\x93\x94\x95\x81be\x00\x01"[..]), 0..60),
    ) {
        refused_or_read(&torch(&bytes))?;
    }
}

/// Reads a file, and looks at what is said if it is refused.
fn refused_or_read(bytes: &[u8]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy");
    fs::write(&path, bytes).expect("a file");
    if let Err(e) = import::read(&path, None, &asked("CartPole-v1"), &Catalogue::default()) {
        let said = e.to_string();
        prop_assert!(said.len() < 600, "{} bytes: {said}", said.len());
    }
    Ok(())
}

/// A pole that may be pushed to the left only.
struct Leftward(uphill::envs::CartPole);

impl Env for Leftward {
    fn spec(&self) -> &Spec {
        self.0.spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.0.reset(seed, observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.0.step(action, observation)
    }

    fn action_mask(&self, mask: &mut [bool]) -> bool {
        mask.copy_from_slice(&[true, false]);
        true
    }
}

#[test]
fn who_was_not_told_which_actions_are_legal_takes_any() {
    let leftward = EnvRow {
        name: "CartPole-v1",
        summary: "a test's",
        params: &[],
        make: MakeEnv::one(|_| Ok(Box::new(Leftward(uphill::envs::CartPole::new())))),
    };
    let catalogue = Catalogue::default().with(EnvRow { name: "Leftward-v0", ..leftward });
    let read = |name: &str, masks: bool| {
        let asked = Asked { masks, ..asked("Leftward-v0") };
        let found = import::read(&file(name), None, &asked, &catalogue).expect(name);
        (found.policy.config().mask_actions, found.any_action)
    };
    assert_eq!(read("contrib_maskable.zip", false), (true, false));
    for name in ["sb3_ppo.zip", "cleanrl_packed.npz"] {
        assert_eq!(read(name, false), (false, true), "{name}");
        assert_eq!(read(name, true), (true, false), "{name}");
    }
    // Where all actions are legal there is nothing to tell.
    let found =
        import::read(&file("sb3_ppo.zip"), None, &asked("CartPole-v1"), &Catalogue::default()).expect("a policy");
    assert!(found.policy.config().mask_actions && !found.any_action);
}

/// What `uphill import` says, and whether it came to an end.
fn import_in(home: &Path, line: &[&str]) -> (bool, String) {
    let program = std::process::Command::new(env!("CARGO_BIN_EXE_uphill"))
        .current_dir(home)
        .arg("import")
        .args(line)
        .output()
        .expect("the program runs");
    (program.status.success(), String::from_utf8_lossy(&[program.stdout, program.stderr].concat()).into_owned())
}

#[test]
fn an_import_replaces_a_run_once_it_is_whole_and_leaves_nothing_where_it_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let zip = fs::canonicalize(file("sb3_ppo.zip")).expect("a file");
    let zip = zip.to_str().expect("a name");
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).expect("a folder").map(|x| x.expect("an entry").file_name()).collect();
        names.sort();
        names
    };
    let (ended, said) = import_in(home, &[zip, "--env", "Pendulum-v1", "--out", "run"]);
    assert!(!ended && names(home).is_empty(), "{said}");

    // What a kill left that came before there was a run is no run.
    fs::create_dir(home.join("run")).expect("a folder");
    fs::write(home.join("run/metrics.csv"), "").expect("a file");
    let (ended, said) = import_in(home, &[zip, "--env", "CartPole-v1", "--out", "run"]);
    assert!(ended, "{said}");
    let made = names(&home.join("run"));
    assert_eq!(made, [".uphill", "config.toml", "policy.safetensors"]);

    fs::write(home.join("run/notes.txt"), "mine").expect("a file");
    let (ended, said) = import_in(home, &[zip, "--env", "CartPole-v1", "--out", "run"]);
    assert!(!ended && said.contains("already holds a run"), "{said}");
    let before = fs::read(home.join("run/policy.safetensors")).expect("a policy");
    let (ended, said) = import_in(home, &[zip, "--env", "Pendulum-v1", "--out", "run", "--force"]);
    assert!(!ended, "{said}");
    assert_eq!(fs::read(home.join("run/policy.safetensors")).expect("a policy"), before);
    let other = fs::canonicalize(file("contrib_trpo.zip")).expect("a file");
    let (ended, said) =
        import_in(home, &[other.to_str().expect("a name"), "--env", "CartPole-v1", "--out", "run", "--force"]);
    assert!(ended, "{said}");
    assert_ne!(fs::read(home.join("run/policy.safetensors")).expect("a policy"), before);
    assert_eq!(fs::read_to_string(home.join("run/notes.txt")).expect("a file"), "mine");
    assert_eq!(names(home), ["run"]);
    assert_eq!(Policy::load(home.join("run")).expect("a policy").config().algo.name, "trpo");
}

#[test]
fn an_import_takes_a_file_of_a_map_as_other_programs_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    fs::write(home.join("two.toml"), "map = ['SG']\nobservation = 'row_column'\n").expect("a map");
    let tensors = [
        ("actor.0.weight", vec![4, 2]),
        ("actor.0.bias", vec![4]),
        ("critic.0.weight", vec![1, 2]),
        ("critic.0.bias", vec![1]),
    ];
    let tensors = tensors.map(|(name, shape)| (name.to_string(), shape.clone(), vec![0.5; shape.iter().product()]));
    write(&home.join("linear.safetensors"), &tensors);
    let (ended, said) = import_in(home, &["linear.safetensors", "--env", "two.toml", "--out", "run"]);
    assert!(ended, "{said}");
    let env = Policy::load(home.join("run")).expect("a policy").config().env.to_string();
    assert!(env.contains(r#"map=["SG"]"#), "{env}");
}

#[test]
fn observations_may_be_clipped_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("statistics.safetensors");
    let row = |name: &str, numbers: Vec<f32>| (name.to_string(), vec![numbers.len()], numbers);
    let with = |clip: f32| {
        write(&path, &[row("mean", vec![0.5; 4]), row("var", vec![2.0; 4]), row("clip", vec![clip])]);
        import::read(&file("sb3_ppo.zip"), Some(&path), &asked("CartPole-v1"), &Catalogue::default())
    };
    assert_eq!(with(f32::INFINITY).expect("a policy").policy.config().clip_observation, f64::INFINITY);
    assert!(with(f32::NEG_INFINITY).is_err() && with(f32::NAN).is_err());
    write(&path, &[row("mean", vec![f32::INFINITY, 0.0, 0.0, 0.0]), row("var", vec![2.0; 4])]);
    assert!(import::read(&file("sb3_ppo.zip"), Some(&path), &asked("CartPole-v1"), &Catalogue::default()).is_err());
}

#[test]
fn what_is_added_to_variances_is_theirs_and_nothing_of_a_normaliser_is_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("statistics.safetensors");
    let row = |name: &str, numbers: Vec<f32>| (name.to_string(), vec![numbers.len()], numbers);
    let with = |more: &[(&str, f32)]| {
        let mut rows = vec![row("mean", vec![0.0; 4]), row("var", vec![3.0, 3.0, 3.0, 0.0])];
        rows.extend(more.iter().map(|&(name, number)| row(name, vec![number])));
        write(&path, &rows);
        import::read(&file("sb3_ppo.zip"), Some(&path), &asked("CartPole-v1"), &Catalogue::default())
    };
    let variance = |more: &[(&str, f32)]| {
        let policy = with(more).expect("a policy").policy;
        policy.params().buffers().get("normaliser.variance").expect("variances").to_vec()
    };
    assert_eq!(variance(&[]), [3.0, 3.0, 3.0, 0.0]);
    assert_eq!(variance(&[("epsilon", 1.0)]), [4.0, 4.0, 4.0, 1.0]);
    assert_eq!(variance(&[("epsilon", 0.0)]), [3.0, 3.0, 3.0, 0.0]);
    let said = with(&[("count", 1e4)]).expect("a policy");
    assert!(said.clip_unsaid && said.network.contains("hidden"), "{}", said.network);
    assert!(!with(&[("clip", 5.0)]).expect("a policy").clip_unsaid);
    for wrong in [("epsilon", -1.0), ("epsilon", f32::NAN), ("epsilon", f32::INFINITY), ("clip_obs", 5.0)] {
        let said = with(&[wrong]).err().expect("an error").to_string();
        assert!(said.contains(wrong.0), "{said}");
    }
}
