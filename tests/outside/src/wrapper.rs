//! A crew that is late: what is chosen is done a step later.

use uphill::catalogue::{Wrap, WrapperRow};
use uphill::envs::{Action, Env, EnvError, Spec, Step};
use uphill::words::{Param, Row};

pub const ROW: WrapperRow = Row {
    name: "late",
    summary: "does a step later what is chosen among actions",
    params: &[Param::count("first", (0, 1000), "0", "the action of an episode's first step")],
    make: Wrap::new(|env, args| {
        let first = args.count("first")? as u32;
        env.spec().action.check(Action::Discrete(first))?;
        let spec = Spec { reward_threshold: None, ..env.spec().clone() };
        Ok(Box::new(Late { env, spec, first, next: first }))
    }),
};

struct Late {
    env: Box<dyn Env>,
    spec: Spec,
    first: u32,
    next: u32,
}

impl Env for Late {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)?;
        self.next = self.first;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let chosen = self.spec.action.discrete(action)? as u32;
        let step = self.env.step(Action::Discrete(self.next), observation)?;
        self.next = chosen;
        Ok(step)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        let before = state.len();
        state.push(self.next.into());
        let saved = self.env.save(state);
        if !saved {
            state.truncate(before);
        }
        saved
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let wrong = EnvError::Saved { problem: "expected an action, and the state of what is within" };
        let Some((&next, within)) = state.split_first() else { return Err(wrong) };
        let Ok(next) = u32::try_from(next) else { return Err(wrong) };
        self.spec.action.check(Action::Discrete(next)).map_err(|_| wrong)?;
        self.env.restore(within)?;
        self.next = next;
        Ok(())
    }
}
