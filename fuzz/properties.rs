//! What must hold for any bytes that reach the library from outside: the fuzz targets try these on bytes of their own
//! making, `tests/hostile_input.rs` on the corpora and on a few random texts.
//!
//! Each function returns for good input and for refused input alike, and panics where a promise is broken. Each target
//! uses one of them.
#![allow(dead_code)]

use sha2::{Digest, Sha256};
use uphill::envs::{Action, Env, EnvError, GridWorld, GridWorldConfig};
use uphill::optim::{Chain, Context, GradientTransform, Registry, When};
use uphill::plot::RecordedRun;
use uphill::words::Spec;
use uphill::{Checkpoint, Config, Layout, RunFolder, Trainer};

/// A text that parses as an optimizer is shown as a text that parses to the same; building it and two of its updates
/// end, whatever the numbers.
pub(crate) fn optimizer_spec(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(spec) = text.parse::<Spec>() else { return };
    let shown = spec.to_string();
    let again: Spec = shown.parse().unwrap_or_else(|e| panic!("`{text}` is shown as `{shown}`: {e}"));
    // As text, since NaN is no equal of its own.
    assert_eq!(format!("{again:?}"), format!("{spec:?}"), "`{text}` is shown as `{shown}`");
    assert!(spec.file_name().len() <= 48, "{}", spec.file_name());
    if let Ok(mut chain) = Registry::default().chain(&spec) {
        let _ = two_updates(&mut chain);
    }
}

fn two_updates(chain: &mut Chain) -> uphill::Result<()> {
    let mut layout = Layout::default();
    layout.push("actor.0.weight", &[2, 3]);
    layout.push("actor.0.bias", &[3]);
    let theta = [0.5, -0.25, 0.125, 1.0, -1.0, 0.0, 0.1, -0.2, 0.3];
    for update in 1..=2 {
        let when = When { progress: (update - 1) as f64, update };
        let mut gradient = [0.1, 0.2, -0.3, 0.4, 0.0, 1e3, -1e-3, 0.5, 0.6];
        chain.learning_rate(when);
        chain.update(&mut gradient, &Context::new(&theta, &layout, when))?;
    }
    Ok(())
}

/// A file that is a configuration is written as a file that is the same configuration.
pub(crate) fn config(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(config) = Config::from_toml(text) else { return };
    let written = config.to_toml().unwrap_or_else(|e| panic!("{config:?} cannot be written: {e}"));
    let again = Config::from_toml(&written).unwrap_or_else(|e| panic!("{written} cannot be read back: {e}"));
    assert_eq!(again.to_toml().ok().as_deref(), Some(written.as_str()));
    assert!(RunFolder::default_path(&config).file_name().is_some());
    if config.env.word == "GridWorld" {
        let _ = config.make_envs(1);
    }
}

/// Bytes are a checkpoint or are refused, and so are the same bytes with the checksum that they should have. A run goes on
/// from what is taken, or that is refused.
pub(crate) fn checkpoint(data: &[u8]) {
    go_on(data);
    if let Some(forged) = with_checksum(data) {
        go_on(&forged);
    }
}

fn go_on(data: &[u8]) {
    let Ok(checkpoint) = Checkpoint::from_bytes(data) else { return };
    let written = checkpoint.to_bytes().unwrap_or_else(|e| panic!("it cannot be written again: {e}"));
    assert_eq!(Checkpoint::from_bytes(&written).ok().as_ref(), Some(&checkpoint));
    // How much a configuration may ask for is not a checkpoint's business.
    let Config { envs, n_steps, n_epochs, threads, episodes, ref hidden, .. } = *checkpoint.config();
    let small =
        envs * n_steps.max(episodes) <= 64 && n_epochs <= 8 && threads == 1 && hidden.iter().sum::<usize>() <= 32;
    if small && let Ok(mut trainer) = Trainer::resume(&checkpoint) {
        let _ = trainer.step();
    }
}

/// The bytes with the 64 digits after `sha256` in place of which they are the checksum.
fn with_checksum(data: &[u8]) -> Option<Vec<u8>> {
    let name = br#"sha256\":\""#;
    let place = data.windows(name.len()).position(|window| window == name)? + name.len();
    let mut forged = data.to_vec();
    forged.get_mut(place..place + 64)?.fill(b'0');
    let sum: String = Sha256::digest(&forged).iter().map(|byte| format!("{byte:02x}")).collect();
    forged[place..place + 64].copy_from_slice(sum.as_bytes());
    Some(forged)
}

/// A world, as its TOML or as a map alone, that is accepted can be walked and drawn; a small one has an exact model.
pub(crate) fn gridworld(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(config) = toml::from_str::<GridWorldConfig>(text) {
        walk(config).unwrap_or_else(|e| panic!("{text}: {e}"));
    }
    walk(GridWorldConfig { map: text.into(), slip: 0.25, ..GridWorldConfig::default() })
        .unwrap_or_else(|e| panic!("{text}: {e}"));
}

fn walk(config: GridWorldConfig) -> Result<(), EnvError> {
    let Ok(mut world) = GridWorld::new(config) else { return Ok(()) };
    let mut observation = vec![0.0; world.spec().observation_len()];
    world.reset(Some(1), &mut observation)?;
    let actions = world.config().moves.count() as u32;
    for step in 0..16 {
        assert!(world.spec().observation.contains(&observation), "{observation:?}");
        if world.step(Action::Discrete(step % actions), &mut observation)?.end.ended() {
            world.reset(None, &mut observation)?;
        }
    }
    assert!(world.draw().is_some());
    // Several boxes stand in too many ways for a model.
    if world.map().cells().len() <= 100 && world.boxes().len() <= 1 {
        let states = world.model_states().unwrap_or_else(|e| panic!("{e}"));
        match world.model() {
            Ok(model) => assert_eq!(model.states(), states.len()),
            Err(e) => panic!("{e}"),
        }
    }
    Ok(())
}

const RUN: &[u8] = b"env = 'CartPole-v1'\nalgo = 'ppo'\noptimizer = 'adam'\nseed = 1\n";

/// What `plot` reads, `config.toml` and `metrics.csv` with a line `---` between, or the second alone, is refused or
/// gives points that can be drawn.
pub(crate) fn metrics(data: &[u8]) {
    const BETWEEN: &[u8] = b"\n---\n";
    let (config, metrics) = match data.windows(BETWEEN.len()).position(|bytes| bytes == BETWEEN) {
        Some(at) => (&data[..=at], &data[at + BETWEEN.len()..]),
        None => (RUN, data),
    };
    let Ok(run) = RecordedRun::parse("run", config, metrics, "episode_return_mean") else { return };
    assert!(!run.values.is_empty() && run.values.len() == run.env_steps.len());
    assert!(run.env_steps.is_sorted() && run.values.iter().all(|value| value.is_finite()));
}
