//! Slices of the wrong length: what comes is an error, or a panic that is documented, and either says both lengths.
#![cfg(feature = "pictures")]

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use candle_core::{DType, Device};
use uphill::advantage::{Estimator, Gae, MonteCarlo, NStep, gae, n_step_return, reward_to_go};
use uphill::distributions::{CategoricalRows, DistributionRows};
use uphill::envs::{
    Actions, CartPole, End, Env, FiniteMdp, GridWorld, GridWorldConfig, Outcome, Transitions, make_vec,
};
use uphill::gradient::GradientQuality;
use uphill::init::Initialiser;
use uphill::landscape::{Plane, PrincipalDirections, Surface};
use uphill::objective::{
    ClippedSurrogate, DiscoveredDrift, Eligibility, Entropy, Objective, PolicyGradient, RowGradients, RowSums, Rows,
    TensorBatch, ValueLoss,
};
use uphill::optim::{Chain, Context, GradientTransform, Optimizer, When};
use uphill::rollout::{Estimate, Minibatch};
use uphill::stats::{Bootstrap, Scale, Scores, area_under_curve, steps_to_threshold};
use uphill::{
    Buffers, Config, Layout, MlpConfig, MlpModel, Mode, Model, Params, Rollout, Scratch, Seed, Stop, Threads, Trainer,
    gradient, oracle,
};

const CPU: Device = Device::Cpu;

/// What a call says of lengths that do not go together: by an error, or by a panic.
fn said<T, E: Display>(call: impl FnOnce() -> Result<T, E>) -> String {
    match catch_unwind(AssertUnwindSafe(|| call().map(|_| ()).map_err(|e| e.to_string()))) {
        Ok(Ok(())) => "nothing: it was taken".into(),
        Ok(Err(message)) => message,
        Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or("a panic without numbers".into()),
    }
}

#[track_caller]
fn says_both<T, E: Display>(what: &str, numbers: [usize; 2], call: impl FnOnce() -> Result<T, E>) {
    let message = said(call);
    let found: Vec<usize> = message.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.iter().all(|number| found.contains(number)), "{what}: {numbers:?} are not both in: {message}");
}

/// A function that returns no error.
fn fine<T>(value: T) -> Result<T, String> {
    Ok(value)
}

const LEN: usize = 12;
const WRONG: [usize; 4] = [0, 11, 13, 24];

#[test]
fn advantages_of_columns_that_differ() {
    let x = |len| vec![0.5; len];
    let ends = |len| vec![End::Not; len];
    for wrong in WRONG {
        let both = [LEN, wrong];
        says_both("gae, value", both, || fine(gae(&x(LEN), &x(wrong), &x(LEN), &ends(LEN), 2, 0.9, 0.9)));
        says_both("gae, next_value", both, || fine(gae(&x(LEN), &x(LEN), &x(wrong), &ends(LEN), 2, 0.9, 0.9)));
        says_both("gae, end", both, || fine(gae(&x(LEN), &x(LEN), &x(LEN), &ends(wrong), 2, 0.9, 0.9)));
        says_both("to go, next_value", both, || fine(reward_to_go(&x(LEN), &x(wrong), &ends(LEN), 2, 0.9)));
        says_both("to go, end", both, || fine(reward_to_go(&x(LEN), &x(LEN), &ends(wrong), 2, 0.9)));
        says_both("n-step, next_value", both, || fine(n_step_return(&x(LEN), &x(wrong), &ends(LEN), 2, 0.9, 3)));
        says_both("n-step, end", both, || fine(n_step_return(&x(LEN), &x(LEN), &ends(wrong), 2, 0.9, 3)));
        let estimators: [Box<dyn Estimator>; 3] = [
            Box::new(Gae { gae_lambda: 0.9 }),
            Box::new(MonteCarlo { baseline: true }),
            Box::new(NStep { n_steps: 2 }),
        ];
        for estimator in &estimators {
            for column in 0..3 {
                let mut rollout = rollout();
                match column {
                    0 => rollout.value.resize(wrong, 0.0),
                    1 => rollout.next_value.resize(wrong, 0.0),
                    _ => rollout.end.resize(wrong, End::Not),
                }
                says_both(&format!("{estimator:?}, {column}"), both, || fine(estimator.estimate(&rollout, 0.9)));
            }
        }
    }
    for lanes in [5, 0, 13, usize::MAX] {
        says_both("lanes", [LEN, lanes], || fine(gae(&x(LEN), &x(LEN), &x(LEN), &ends(LEN), lanes, 0.9, 0.9)));
        says_both("lanes", [LEN, lanes], || fine(reward_to_go(&x(LEN), &x(LEN), &ends(LEN), lanes, 0.9)));
        says_both("lanes", [LEN, lanes], || fine(n_step_return(&x(LEN), &x(LEN), &ends(LEN), lanes, 0.9, 3)));
    }
    assert!(gae(&[], &[], &[], &[], 0, 0.9, 0.9).is_empty());
}

fn rollout() -> Rollout {
    Rollout {
        observation: vec![0.1; LEN * 4].into(),
        action: vec![1; LEN].into(),
        log_prob: vec![-0.7; LEN],
        reward: vec![1.0; LEN],
        end: vec![End::Not; LEN],
        valid: vec![true; LEN],
        value: vec![0.2; LEN],
        next_value: vec![0.3; LEN],
        ..Rollout::new(2, 4)
    }
}

fn network() -> (Params, MlpModel) {
    let spec = CartPole::new().spec().clone();
    MlpModel::new(&spec, &MlpConfig::default(), Seed(1), &CPU).expect("a network")
}

#[test]
fn minibatches_of_columns_that_differ() {
    let (params, network) = network();
    let config = Config::for_algo("ppo").expect("an algorithm");
    let algo = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
    let tried = |what: &str, both: [usize; 2], rollout: &Rollout, target: usize, places: &[usize], advantage: usize| {
        let estimate = Estimate { advantage: vec![0.5; LEN], target: vec![0.5; target], ..Estimate::default() };
        let advantage = vec![0.5; advantage];
        let batch = Minibatch { rollout, estimate: &estimate, places, advantage: &advantage, stop: Stop::default() };
        let (mut out, mut sums, mut room) = (Vec::new(), RowSums::default(), Scratch::default());
        says_both(what, both, || TensorBatch::new(rollout, &estimate, places, &advantage, &CPU));
        says_both(what, both, || network.host_gradient(&params, batch, &Entropy, &mut room, &mut out, &mut sums));
        says_both(what, both, || algo.gradient(&network, &params, batch, &mut room, &mut out, &mut sums));
    };
    let places: Vec<usize> = (0..LEN).collect();
    for wrong in WRONG {
        tried("targets", [LEN, wrong], &rollout(), wrong, &places, LEN);
        tried("advantages", [LEN, wrong], &rollout(), LEN, &places, wrong);
        tried("log_prob", [LEN, wrong], &Rollout { log_prob: vec![0.0; wrong], ..rollout() }, LEN, &places, LEN);
        tried("value", [LEN, wrong], &Rollout { value: vec![0.0; wrong], ..rollout() }, LEN, &places, LEN);
        let observation = vec![0.0; 4 * wrong].into();
        tried("observation", [4 * LEN, 4 * wrong], &Rollout { observation, ..rollout() }, LEN, &places, LEN);
        says_both("observation_at", [4 * LEN, LEN + wrong], || fine(rollout().observation_at(LEN + wrong).to_vec()));
    }
    tried("a place", [LEN, 77], &rollout(), LEN, &[0, 77], 2);
    tried("a place", [LEN, usize::MAX], &rollout(), LEN, &[0, usize::MAX], 2);
    says_both("observation_at", [4 * LEN, usize::MAX], || fine(rollout().observation_at(usize::MAX).to_vec()));
    let narrow = Rollout { observation: vec![0.1; LEN * 3].into(), observation_len: 3, ..rollout() };
    let estimate = Estimate { advantage: vec![0.5; LEN], target: vec![0.5; LEN], ..Estimate::default() };
    let batch = Minibatch {
        rollout: &narrow,
        estimate: &estimate,
        places: &places,
        advantage: &[0.5; LEN],
        stop: Stop::default(),
    };
    let (mut out, mut sums, mut room) = (Vec::new(), RowSums::default(), Scratch::default());
    says_both("width", [4, 3], || network.host_gradient(&params, batch, &Entropy, &mut room, &mut out, &mut sums));
    // Two numbers an action, for a policy over one.
    let wide = Rollout { action: vec![0; 2 * LEN].into(), action_len: 2, ..rollout() };
    let batch = Minibatch { rollout: &wide, ..batch };
    says_both("actions", [1, 2], || network.host_gradient(&params, batch, &Entropy, &mut room, &mut out, &mut sums));
    let plain = self::network().1.plain();
    says_both("actions", [1, 2], || algo.gradient(&plain, &params, batch, &mut room, &mut out, &mut sums));
    // Numbers, for a policy over indices.
    let numbers = Rollout { action: vec![0.5; LEN].into(), ..rollout() };
    let batch = Minibatch { rollout: &numbers, ..batch };
    let said = "the rollout's actions are Continuous, those of the network's policy Discrete";
    let refused = network.host_gradient(&params, batch, &Entropy, &mut room, &mut out, &mut sums);
    assert_eq!(refused.expect_err("numbers").to_string(), said);
    let refused = algo.gradient(&plain, &params, batch, &mut room, &mut out, &mut sums);
    assert_eq!(refused.expect_err("numbers").to_string(), said);
    let tensors = TensorBatch::new(&numbers, &estimate, &places, &[0.5; LEN], &CPU).expect("a batch");
    assert_eq!((tensors.action.dims(), tensors.action.dtype()), (&[LEN, 1][..], DType::F32));
    let tensors = TensorBatch::new(&wide, &estimate, &places, &[0.5; LEN], &CPU).expect("a batch");
    assert_eq!((tensors.action.dims(), tensors.log_prob.dims()), (&[LEN, 2][..], &[LEN][..]));
    let torn = Rollout { action: vec![0; 2 * LEN + 1].into(), ..wide.clone() };
    says_both("torn", [2 * LEN, 2 * LEN + 1], || TensorBatch::new(&torn, &estimate, &places, &[0.5; LEN], &CPU));
}

#[test]
fn rows_of_objectives_that_differ() {
    let terms: [Box<dyn Objective>; 7] = [
        Box::new(ClippedSurrogate::new(0.2)),
        Box::new(DiscoveredDrift { alpha: 2.0, beta: 0.6 }),
        Box::new(PolicyGradient),
        Box::new(ValueLoss { clip_range_vf: 0.2 }),
        Box::new(Entropy),
        Box::new(Eligibility::new(0.1)),
        Box::new(PolicyGradient.plus(0.0, Entropy).plus(0.5, ValueLoss::default())),
    ];
    for term in &terms {
        for (which, wrong) in (1..10).flat_map(|which| WRONG.map(|wrong| (which, wrong))) {
            let x: Vec<Vec<f32>> = (0..7).map(|i| vec![-0.5; if i == which { wrong } else { LEN }]).collect();
            let mut out: Vec<Vec<f32>> = (7..10).map(|i| vec![0.0; if i == which { wrong } else { LEN }]).collect();
            let rows = Rows {
                log_prob: &x[0],
                entropy: &x[1],
                value: &x[2],
                old_log_prob: &x[3],
                advantage: &x[4],
                target: &x[5],
                old_value: &x[6],
            };
            let [log_prob, entropy, value] = &mut out[..] else { unreachable!("three") };
            let mut out = RowGradients { log_prob, entropy, value };
            let mut sums = RowSums::default();
            says_both(&format!("{term:?}, {which}"), [LEN, wrong], || fine(term.rows(&rows, 1.0, &mut out, &mut sums)));
        }
    }
}

#[test]
fn distributions_of_rows_that_are_none() {
    let set = |len: usize, stride, actions| {
        let mut policy = CategoricalRows::new(actions);
        policy.set(&vec![0.0; len], stride);
        policy
    };
    for (len, stride, actions, both) in [
        (7, 3, 3, [7, 3]),
        (6, 3, 4, [3, 4]),
        (6, 3, 0, [3, 0]),
        (6, 0, 0, [0, 0]),
        (6, 0, 2, [0, 2]),
        (1, 2, 1, [1, 2]),
    ] {
        says_both("set", both, || fine(set(len, stride, actions).probs(0).len()));
    }
    let policy = set(6, 3, 2);
    for row in [2, 3, usize::MAX] {
        says_both("log_probs", [2, row], || fine(policy.log_probs(row).to_vec()));
        says_both("probs", [2, row], || fine(policy.probs(row).to_vec()));
        says_both("sample", [2, row], || fine(policy.at(row, 0.5)));
    }
}

#[test]
fn networks_and_parameters_of_another_size() {
    let (mut params, network) = network();
    let p = params.layout().len();
    let layout = params.layout().clone();
    let (mut out, mut room) = (Vec::new(), Scratch::default());
    let fisher = |observation: usize, vector: usize| {
        let rollout = Rollout { observation: vec![0.0; observation].into(), ..rollout() };
        let (estimate, stop) = (Estimate { target: vec![0.0; LEN], ..Estimate::default() }, Stop::default());
        let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &[0], advantage: &[0.0], stop };
        network.fisher_vector_product(&params, batch, &vec![0.0; vector], &mut Scratch::default(), &mut Vec::new())
    };
    for wrong in [0, p - 1, p + 1] {
        says_both("fisher", [p, wrong], || fisher(4 * LEN, wrong));
    }
    for wrong in [5, 7] {
        says_both("fisher", [4 * LEN, wrong], || fisher(wrong, p));
    }
    for wrong in [0, p - 1, p + 1] {
        says_both("Params::new", [p, wrong], || Params::new(layout.clone(), vec![0.0; wrong], &CPU));
        says_both("Params::set", [p, wrong], || params.set(&vec![0.0; wrong]));
        let mut optimizer = Optimizer::new(Chain::new());
        says_both("step", [p, wrong], || optimizer.step(&mut params, &vec![0.0; wrong], When::default()));
        says_both("loss surface", [p, wrong], || {
            Surface::loss(
                &Config::for_algo("ppo").expect("an algorithm"),
                (&vec![0.0; wrong], &Buffers::default()),
                Seed(1),
            )
        });
    }
    for wrong in [5, 7] {
        says_both("outputs", [4, wrong], || network.outputs(&params, &vec![0.0; wrong], &mut room, &mut out));
        says_both("values", [4, wrong], || network.values(&params, &vec![0.0; wrong], &mut room, &mut out));
        says_both("check", [4, wrong], || gradient::check(&network, &mut params, &vec![0.0; wrong]));
    }
    let config = Config { env: "CartPole-v1".into(), ..Config::for_algo("ppo").expect("an algorithm") };
    let policy = Trainer::new(&config).and_then(Trainer::into_policy).expect("a policy");
    says_both("act", [4, 7], || policy.act(&[0.0; 7], &mut policy.memory(1), Mode::Likeliest));
    let mdp = GridWorld::new(GridWorldConfig::four_by_four()).expect("a world").model().expect("a model");
    says_both("policy_table", [4, 16], || oracle::policy_table(&network, &params, &mdp));
}

#[test]
fn whatever_the_optimizer_a_chain_refuses_lengths_that_differ() {
    let mut layout = Layout::default();
    layout.push("w", &[3, 4]);
    let words = ["sgd(0.1)", "adam(1e-3)", "muon(0.01)", "soap(1e-3)", "shampoo(0.1)", "lion(1e-4)", "adafactor(1e-3)"];
    for word in words {
        let mut chain: Chain = word.parse().expect("a chain");
        for wrong in [0, 11, 13, 24] {
            let (theta, other) = (vec![0.1; LEN], vec![0.1; wrong]);
            says_both(word, [LEN, wrong], || {
                chain.update(&mut vec![0.1; wrong], &Context::new(&theta, &layout, When::default()))
            });
            says_both(word, [LEN, wrong], || {
                chain.update(&mut [0.1; LEN], &Context::new(&other, &layout, When::default()))
            });
        }
        let long = vec![0.1; 24];
        says_both(word, [LEN, 24], || chain.update(&mut [0.1; 24], &Context::new(&long, &layout, When::default())));
    }
}

#[test]
fn sizes_whose_product_is_past_all_memory_are_refused() {
    let mut rng = Seed(1).stream("init", 0);
    for init in [Initialiser::Orthogonal, Initialiser::Xavier, Initialiser::Kaiming] {
        for (outputs, inputs) in [(1 << 32, 1 << 32), (1 << 63, 2), (usize::MAX, usize::MAX), (3, 4), (0, 4)] {
            let wrong = if outputs == 0 { 7 } else { 0 };
            says_both("fill", [outputs, wrong], || init.fill(1.0, outputs, inputs, &mut rng, &mut vec![0.0; wrong]));
        }
        init.fill(1.0, 1 << 40, 0, &mut rng, &mut []).expect("nothing to fill");
        init.fill(1.0, 0, usize::MAX, &mut rng, &mut []).expect("nothing to fill");
    }
    let mut layout = Layout::default();
    layout.push("a", &[3]);
    says_both("push", [1 << 32, 3], || fine(layout.push("b", &[1 << 32, 1 << 32])));
    says_both("push", [usize::MAX, 3], || fine(layout.push("c", &[usize::MAX])));
    assert_eq!((layout.len(), layout.blocks().len()), (3, 1), "what was refused left nothing");
    let asked = said(|| Params::build(&CPU, &mut rng, |vb| vb.get((1 << 32, 1 << 32), "w")));
    assert!(asked.contains("`w`") && asked.contains("4294967296"), "{asked}");

    // Two states: the product of states and actions is 0 in so many bits.
    let actions = 1 << 63;
    says_both("FiniteMdp", [0, usize::MAX], || FiniteMdp::new(actions, Vec::new(), vec![0.5, 0.5], vec![0.0, 1.0]));
    let mdp = two_states();
    assert!(mdp.outcomes(usize::MAX, 0).is_empty() && mdp.outcomes(0, usize::MAX).is_empty());
    assert!(mdp.is_terminal(usize::MAX));
    let goal = uphill::plot::Goal::Lowest;
    let sampled = uphill::plot::Landscape::sample((0.0, 1.0), (0.0, 1.0), (1 << 33, 1 << 33), goal, |_, _| {
        Ok::<_, uphill::Error>(0.0)
    });
    assert!(sampled.is_err());
    let one = Scores::of_one_task(&[1.0, 2.0]).expect("scores");
    assert!(Bootstrap::default().intervals(&[&one], usize::MAX, |_, _| {}).is_err());
}

fn two_states() -> FiniteMdp {
    let outcome = |next, terminal| vec![Outcome { probability: 1.0, next, reward: 1.0, terminal }];
    let outcomes = vec![outcome(1, false), outcome(0, true), outcome(0, true), outcome(1, true)];
    FiniteMdp::new(2, outcomes, vec![0.5, 0.5], vec![0.0, 1.0]).expect("a process")
}

#[test]
fn tables_of_finite_processes_that_are_too_long_or_short() {
    let mdp = two_states();
    for wrong in [0, 3, 5] {
        let policy = vec![0.5; wrong];
        says_both("state_values", [4, wrong], || mdp.state_values(&policy, 0.9));
        says_both("action_values", [4, wrong], || mdp.action_values(&policy, 0.9));
        says_both("start_value", [4, wrong], || mdp.start_value(&policy, 0.9));
        says_both("occupancy", [4, wrong], || mdp.occupancy(&policy, 0.9));
        says_both("gradient_coefficients", [4, wrong], || mdp.gradient_coefficients(&policy, 0.9));
        says_both("start_value_within", [4, wrong], || mdp.start_value_within(&policy, 3));
        says_both("visits", [4, wrong], || mdp.visits(&policy, 3, None));
    }
    says_both("outcomes", [4, 3], || FiniteMdp::new(2, vec![Vec::new(); 3], vec![0.5, 0.5], vec![0.0, 1.0]));
    says_both("observations", [2, 3], || FiniteMdp::new(2, vec![Vec::new(); 4], vec![0.5, 0.5], vec![0.0; 3]));
    let spec = uphill::envs::make("GridWorld-4x4-v0").expect("a world").spec().clone();
    let (params, network) = MlpModel::new(&spec, &MlpConfig::default(), Seed(1), &CPU).expect("a network");
    let mdp = GridWorld::new(GridWorldConfig::four_by_four()).expect("a world").model().expect("a model");
    says_both("weighted_gradient", [4, 7], || oracle::weighted_gradient(&network, &params, &mdp, &[0.0; 7]));
}

#[test]
fn environments_given_slices_of_another_length() {
    let mut env = CartPole::new();
    for wrong in [0, 3, 5] {
        says_both("reset", [4, wrong], || env.reset(Some(1), &mut vec![0.0; wrong]));
        says_both("reset_wide", [4, wrong], || env.reset_wide(1 << 70, &mut vec![0.0; wrong]));
        says_both("step", [4, wrong], || env.step(uphill::envs::Action::Discrete(0), &mut vec![0.0; wrong]));
    }
    for id in ["CartPole-v1", "GridWorld-4x4-v0"] {
        let mut vector = make_vec(id, 3).expect("a vector");
        let d = vector.spec().observation_len();
        vector.reset(Some(1), &mut vec![0.0; 3 * d]).expect("a reset");
        says_both(id, [3 * d, 3 * d - 1], || vector.reset(Some(1), &mut vec![0.0; 3 * d - 1]));
        for which in 0..6 {
            let len = |i: usize, right: usize| if i == which { right + 1 } else { right };
            let right = if which < 2 { 3 * d } else { 3 };
            says_both(&format!("{id}, {which}"), [right, right + 1], || {
                let out = Transitions {
                    observation: &mut vec![0.0; len(0, 3 * d)],
                    final_observation: &mut vec![0.0; len(1, 3 * d)],
                    reward: &mut vec![0.0; len(2, 3)],
                    end: &mut vec![End::Not; len(3, 3)],
                };
                vector.step(Actions::Discrete(&vec![0; len(4, 3)]), &vec![true; len(5, 3)], out)
            });
        }
    }
}

#[test]
fn statistics_and_planes_of_lists_that_differ() {
    let x = |len: usize| (0..len).map(|i| (i * i % 7) as f32).collect::<Vec<_>>();
    says_both("Plane::new", [5, 4], || Plane::new(x(5), [x(5), x(4)]));
    let plane = Plane::new(vec![0.0; 3], [vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0]]).expect("a plane");
    says_both("project", [3, 4], || plane.project(&x(4)));
    says_both("PrincipalDirections", [5, 6], || PrincipalDirections::of(&[x(5), x(5), x(6)]));
    let mut gradients = vec![x(5); 12];
    gradients[3] = x(6);
    says_both("GradientQuality", [5, 6], || GradientQuality::of(&gradients, 1.0, None, &Bootstrap::default()));
    let good = vec![x(5); 12];
    says_both("exact", [5, 4], || GradientQuality::of(&good, 1.0, Some(&x(4)), &Bootstrap::default()));
    let config = Config { env: "GridWorld-4x4-v0".into(), ..Config::for_algo("ppo").expect("an algorithm") };
    let surface = Surface::exact_return(&config).expect("a surface");
    let p = Trainer::new(&config).expect("a trainer").params().layout().len();
    says_both("heights", [p, 9], || surface.heights(&[x(9)], &Threads::default(), || {}));

    says_both("from_runs", [2, 3], || Scores::from_runs(&[vec![0.0; 2], vec![0.0; 3]]));
    says_both("from_tasks", [2, 3], || Scores::from_tasks(&[vec![0.0; 2], vec![0.0; 3]]));
    says_both("area_under_curve", [3, 2], || area_under_curve(&[1, 2, 3], &[0.0; 2]));
    says_both("steps_to_threshold", [3, 4], || steps_to_threshold(&[1, 2, 3], &[0.0; 4], 1.0));
    let one = Scores::of_one_task(&[1.0, 2.0]).expect("scores");
    says_both("normalised", [1, 3], || one.normalised(&[Scale::new(0.0, 1.0).expect("a scale"); 3]));
}
