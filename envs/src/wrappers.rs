//! Environments around environments: each changes one thing, and leaves the rest of the contract as it is.

mod action_repeat;
mod clip_action;
mod episode_statistics;
mod flatten;
mod recording;
mod rescale_action;
mod reward_scale;
mod sticky_actions;
mod time_aware;

pub use action_repeat::ActionRepeat;
pub use clip_action::ClipAction;
pub use episode_statistics::{EpisodeStatistics, Played};
pub use flatten::Flatten;
pub use recording::Recording;
pub use rescale_action::RescaleAction;
pub use reward_scale::RewardScale;
pub use sticky_actions::StickyActions;
pub use time_aware::TimeAware;

/// Methods of [`Env`](crate::Env) that a wrapper, whose field `env` is what it is around, leaves as they are.
macro_rules! as_within {
    ($($method:ident),* $(,)?) => { $(crate::wrappers::as_within!(@ $method);)* };
    (@ reset) => {
        fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), crate::EnvError> {
            self.env.reset(seed, observation)
        }

        fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), crate::EnvError> {
            self.env.reset_wide(seed, observation)
        }
    };
    (@ step) => {
        fn step(&mut self, action: crate::Action<'_>, observation: &mut [f32]) -> Result<crate::Step, crate::EnvError> {
            self.env.step(action, observation)
        }
    };
    (@ save) => {
        fn save(&self, state: &mut Vec<u64>) -> bool {
            self.env.save(state)
        }

        fn restore(&mut self, state: &[u64]) -> Result<(), crate::EnvError> {
            self.env.restore(state)
        }
    };
    (@ action_mask) => {
        fn action_mask(&self, mask: &mut [bool]) -> bool {
            self.env.action_mask(mask)
        }
    };
    (@ draw) => {
        fn draw(&self) -> Option<crate::Drawing> {
            self.env.draw()
        }

        fn prepare_picture(&mut self) -> Result<(), crate::EnvError> {
            self.env.prepare_picture()
        }

        fn picture(&mut self) -> Result<crate::Drawing, crate::EnvError> {
            self.env.picture()
        }
    };
}
pub(crate) use as_within;
