use uphill_envs::{Action, CartPole, Env, EnvError, Lanes, Spec, Step};

use super::{Overrides, Trainer};
use crate::optim::Slot;
use crate::{Config, Error, OnDivergence};

/// A pole that cannot be saved.
struct Unsaved(CartPole);

impl Env for Unsaved {
    fn spec(&self) -> &Spec {
        self.0.spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.0.reset(seed, observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.0.step(action, observation)
    }
}

/// Four steps of an episode that goes on.
fn in_the_midst(overrides: Overrides<'_>) -> Trainer {
    let stream_ac = Config::for_algo("stream_ac").expect("an algorithm");
    let config = Config { n_steps: 4, hidden: vec![5], on_divergence: OnDivergence::Skip, ..stream_ac };
    let mut trainer = Trainer::with(&config, overrides).expect("a trainer");
    trainer.step().expect("an update").expect("steps are left");
    assert!(traces(&mut trainer).iter().any(|&z| z != 0.0));
    trainer
}

fn traces(trainer: &mut Trainer) -> Vec<f32> {
    let mut found = Vec::new();
    trainer.algo.state(&mut |_, slot| {
        if let Slot::Vector(traces) = slot {
            found.clone_from(traces);
        }
    });
    found
}

#[test]
fn traces_are_of_where_lanes_were_and_end_where_these_stand_elsewhere() {
    let mut skipped = in_the_midst(Overrides::default());
    skipped.note_good().expect("a note");
    skipped.go_back(Error::Diverged { update: 2, what: "a loss".into(), largest_reward: 0.0 }).expect("a way back");
    assert!(traces(&mut skipped).iter().all(|&z| z == 0.0));

    let mut saved = in_the_midst(Overrides::default());
    let (before, checkpoint) = (traces(&mut saved), saved.checkpoint().expect("a state"));
    saved.step().expect("an update").expect("steps are left");
    saved.restore(&checkpoint).expect("the same state");
    assert_eq!(traces(&mut saved), before);

    let envs: crate::MakeEnvs =
        std::sync::Arc::new(|lanes| Ok(Box::new(Lanes::new((0..lanes).map(|_| Unsaved(CartPole::new())).collect())?)));
    let mut lost = in_the_midst(Overrides { envs: Some(envs), ..Overrides::default() });
    let checkpoint = lost.checkpoint().expect("a state");
    lost.restore(&checkpoint).expect("the same state, in other episodes");
    assert!(traces(&mut lost).iter().all(|&z| z == 0.0));
}
