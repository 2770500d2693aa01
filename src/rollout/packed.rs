//! A rollout as what ranks tell each other.

use uphill_envs::End;

use super::{ActionColumn, ActionKind, ObservationColumn, ObservationKind, Rollout};
use crate::Result;
use crate::world::{Packet, Unpacked};

impl Rollout {
    /// Adds all of it to a packet.
    pub(crate) fn pack(&self, to: &mut Packet) {
        let is_byte = self.observation.kind() == ObservationKind::Byte;
        let is_continuous = self.action.kind() == ActionKind::Continuous;
        let sizes = [self.lanes, self.observation_len, self.action_len, self.choices].map(|size| size as u64);
        to.put(&sizes);
        to.put_flags(&[is_byte, is_continuous]);
        match &self.observation {
            ObservationColumn::Number(column) => to.put(column),
            ObservationColumn::Byte(column) => to.put(column),
        }
        match &self.action {
            ActionColumn::Discrete(column) => to.put(column),
            ActionColumn::Continuous(column) => to.put(column),
        }
        to.put_flags(&self.mask);
        for column in [&self.memory, &self.log_prob, &self.reward, &self.value, &self.next_value] {
            to.put(column);
        }
        to.put(&self.end.iter().map(|&end| code(end)).collect::<Vec<u8>>());
        to.put_flags(&self.valid);
        to.put(&self.truncated.iter().map(|&place| place as u64).collect::<Vec<u64>>());
        to.put(&self.truncated_observation);
        to.put(&self.last_observation);
    }

    /// Replaces this one by what [`Rollout::pack`] put.
    pub(crate) fn unpack(&mut self, from: &mut Unpacked<'_>) -> Result<()> {
        let mut sizes = [0u64; 4];
        from.fill(&mut sizes)?;
        let [lanes, observation_len, action_len, choices] = sizes.map(|size| size as usize);
        let mut kinds = Vec::new();
        from.take_flags(&mut kinds)?;
        let is = |i: usize| kinds.get(i) == Some(&true);
        let observations = if is(0) { ObservationKind::Byte } else { ObservationKind::Number };
        let actions = if is(1) { ActionKind::Continuous } else { ActionKind::Discrete };
        self.clear(lanes, (observation_len, observations), (action_len, actions));
        self.choices = choices;
        match &mut self.observation {
            ObservationColumn::Number(column) => from.take_into(column)?,
            ObservationColumn::Byte(column) => from.take_into(column)?,
        }
        match &mut self.action {
            ActionColumn::Discrete(column) => from.take_into(column)?,
            ActionColumn::Continuous(column) => from.take_into(column)?,
        }
        from.take_flags(&mut self.mask)?;
        for column in [&mut self.memory, &mut self.log_prob, &mut self.reward, &mut self.value, &mut self.next_value] {
            from.take_into(column)?;
        }
        self.end.extend(from.take::<u8>()?.into_iter().map(end));
        from.take_flags(&mut self.valid)?;
        self.truncated.extend(from.take::<u64>()?.into_iter().map(|place| place as usize));
        from.take_into(&mut self.truncated_observation)?;
        from.take_into(&mut self.last_observation)?;
        let steps = self.end.len();
        let of_steps = [self.log_prob.len(), self.reward.len(), self.value.len(), self.next_value.len()];
        let is_whole = of_steps.into_iter().chain([self.valid.len()]).all(|len| len == steps)
            && self.observation.len() == steps * observation_len
            && self.action.len() == steps * action_len
            && self.mask.len() == steps * choices
            && self.truncated.iter().all(|&place| place < steps)
            && self.truncated_observation.len() == self.truncated.len() * observation_len;
        if is_whole { Ok(()) } else { Err(from.apart("what it sent is no rollout")) }
    }
}

fn code(end: End) -> u8 {
    match end {
        End::Not => 0,
        End::Terminated => 1,
        End::Truncated => 2,
    }
}

fn end(code: u8) -> End {
    match code {
        0 => End::Not,
        1 => End::Terminated,
        _ => End::Truncated,
    }
}
