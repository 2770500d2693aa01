//! The agent at play while it learns: with copies of its parameters, in an environment of its own, on a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, sleep};
use std::time::Duration;

use super::{PICTURE, lock};
use crate::envs::Drawing;
use crate::render::Play;
use crate::{Buffers, Config, Error, Policy, Result, Seed, Trainer};

/// Steps of an episode that are shown at most.
const LONGEST: usize = 1_000;
/// How long the end of an episode is shown.
const PAUSE: Duration = Duration::from_millis(700);

/// What there is to be seen of the agent.
#[derive(Clone, Default)]
pub(super) struct Scene {
    pub(super) drawing: Option<Drawing>,
    /// How far it has come, or why there is nothing to be seen.
    pub(super) words: String,
}

/// Whose picture it is.
#[derive(Default)]
struct Shared {
    scene: Arc<Mutex<Scene>>,
    /// The parameters to play with next, and how many steps they have learnt from.
    weights: Mutex<Option<(Vec<f32>, Buffers, u64)>>,
    wanted: AtomicBool,
    over: AtomicBool,
}

/// The agent, playing until this is dropped.
pub(super) struct Agent(Arc<Shared>);

impl Agent {
    /// Lets it play with the parameters that there are now.
    pub(super) fn new(trainer: &Trainer) -> Result<Self> {
        let agent = Self(Arc::default());
        agent.0.wanted.store(true, Ordering::Relaxed);
        agent.follow(trainer);
        let (shared, config) = (agent.0.clone(), trainer.config().clone());
        let play = move || {
            if let Err(reason) = play(&config, &shared) {
                *lock(&shared.scene) = Scene { drawing: None, words: reason.to_string() };
            }
        };
        // What is shown is worth no thread of the trainer's.
        let problem = |e| Error::Config(format!("--tui cannot play: {e}; leave it out"));
        Builder::new().name("agent".into()).spawn(play).map_err(problem)?;
        Ok(agent)
    }

    pub(super) fn scene(&self) -> Arc<Mutex<Scene>> {
        self.0.scene.clone()
    }

    /// Takes the parameters as they are now, if an episode is to begin.
    pub(super) fn follow(&self, trainer: &Trainer) {
        if self.0.wanted.swap(false, Ordering::Relaxed)
            && let Ok((theta, buffers)) = trainer.judged()
        {
            *lock(&self.0.weights) = Some((theta, buffers, trainer.env_steps()));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Nobody waits for the step that it is at.
        self.0.over.store(true, Ordering::Relaxed);
    }
}

/// Plays episode after episode.
fn play(config: &Config, shared: &Shared) -> Result<()> {
    let is_over = || shared.over.load(Ordering::Relaxed);
    let spec = config.make_env()?.spec().clone();
    let mut policy: Option<(Policy, u64)> = None;
    for episode in 0.. {
        if let Some((theta, buffers, steps)) = lock(&shared.weights).take() {
            let (params, network) = config.model_at(&spec, &theta, &buffers)?;
            policy = Some((Policy::new(config.clone(), network, params), steps));
        }
        let Some((policy, learnt)) = &policy else { return Ok(()) };
        let seed = Seed(Seed(config.seed).derive("dashboard", episode));
        let mut play = Play::begin(policy, seed, false)?;
        loop {
            let drawing = play.picture()?;
            let [total] = crate::screen::amounts([play.total]);
            let learnt = indicatif::HumanCount(*learnt);
            let words = format!("step {}, return {total}, learnt from {learnt} steps", play.steps);
            *lock(&shared.scene) = Scene { drawing: Some(drawing), words };
            if is_over() {
                return Ok(());
            }
            if play.ended || play.steps >= LONGEST {
                break;
            }
            sleep(PICTURE);
            play.step()?;
        }
        shared.wanted.store(true, Ordering::Relaxed);
        sleep(PAUSE);
    }
    Ok(())
}
