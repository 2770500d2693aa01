//! A rollout on the learning device, sent there once for all its minibatches.

use candle_core::{DType, Device, Tensor};

use super::TensorBatch;
use crate::Result;
use crate::rollout::{ActionColumn, Minibatch, ObservationColumn, Rollout};

/// What does not change while a rollout is learnt from: its steps, `[T·N, ..]`. Images stay bytes there.
#[derive(Debug)]
pub(crate) struct TensorRollout {
    observation: Tensor,
    action: Tensor,
    mask: Option<Tensor>,
    log_prob: Tensor,
}

impl TensorRollout {
    /// All steps of a rollout.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for columns of other lengths, [`Error::Tensor`](crate::Error::Tensor) if the device fails.
    pub(crate) fn new(rollout: &Rollout, device: &Device) -> Result<Self> {
        let (len, d, k) = (rollout.log_prob.len(), rollout.observation_len, rollout.action_len);
        let observation = match &rollout.observation {
            ObservationColumn::Number(column) => Tensor::from_slice(column, (len, d), device)?,
            ObservationColumn::Byte(column) => Tensor::from_slice(column, (len, d), device)?,
        };
        let action = match &rollout.action {
            ActionColumn::Discrete(column) if k == 1 => Tensor::from_slice(column, len, device)?,
            ActionColumn::Discrete(column) => Tensor::from_slice(column, (len, k), device)?,
            ActionColumn::Continuous(column) => Tensor::from_slice(column, (len, k), device)?,
        };
        let mask = match rollout.choices {
            0 => None,
            choices => {
                let flags = rollout.mask.iter().map(|&flag| u8::from(flag));
                Some(Tensor::from_iter(flags, device)?.reshape((len, choices))?)
            }
        };
        Ok(Self { observation, action, mask, log_prob: Tensor::from_slice(&rollout.log_prob, len, device)? })
    }

    /// A minibatch of it, gathered on the device; what an estimate says of its steps is sent along.
    ///
    /// # Errors
    /// As [`TensorBatch::new`].
    pub(crate) fn batch(&self, batch: Minibatch<'_>) -> Result<TensorBatch> {
        batch.check()?;
        let Minibatch { rollout, estimate, places, advantage, .. } = batch;
        let (device, b) = (self.log_prob.device(), places.len());
        let index = Tensor::from_iter(places.iter().map(|&place| place as u32), device)?;
        let at = |column: &Tensor| column.index_select(&index, 0);
        let values = |x: &[f32]| Tensor::from_iter(places.iter().map(|&i| estimate.unit.of(x[i])), device);
        Ok(TensorBatch {
            observation: at(&self.observation)?.to_dtype(DType::F32)?,
            action: at(&self.action)?,
            mask: self.mask.as_ref().map(at).transpose()?,
            log_prob: at(&self.log_prob)?,
            advantage: Tensor::from_slice(advantage, b, device)?,
            target: values(&estimate.target)?,
            value: values(&rollout.value)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};
    use uphill_envs::End;

    use super::TensorRollout;
    use crate::objective::TensorBatch;
    use crate::rollout::{ActionColumn, Estimate, Minibatch, ObservationColumn, Rollout, ValueUnit};
    use crate::stop::Stop;

    /// Six steps of two lanes.
    fn rollout(observation: ObservationColumn, action: ActionColumn, action_len: usize, choices: usize) -> Rollout {
        let numbers = |from: f32| (0..6).map(|i| from + i as f32).collect::<Vec<f32>>();
        Rollout {
            action_len,
            observation,
            action,
            choices,
            mask: (0..6 * choices).map(|i| i % 3 != 1).collect(),
            log_prob: numbers(-9.0),
            reward: numbers(0.0),
            end: vec![End::Not; 6],
            valid: vec![true; 6],
            value: numbers(20.0),
            next_value: numbers(0.0),
            ..Rollout::new(2, 3)
        }
    }

    #[test]
    fn minibatches_are_those_that_are_gathered_on_the_host() {
        let numbers: Vec<f32> = (0..18).map(|i| i as f32 * 0.7).collect();
        let indices = |count: u32| (0..count).map(|i| i * 7 % 5).collect::<Vec<u32>>();
        let estimate = Estimate {
            target: (0..6).map(|i| i as f32).collect(),
            unit: ValueUnit { mean: 3.0, std: 7.0 },
            ..Estimate::default()
        };
        for rollout in [
            rollout(ObservationColumn::Number(numbers.clone()), indices(6).into(), 1, 4),
            rollout(ObservationColumn::Byte((0..18).map(|i| 255 - i).collect()), indices(12).into(), 2, 0),
            rollout(ObservationColumn::Number(numbers.clone()), numbers[..12].to_vec().into(), 2, 0),
        ] {
            let whole = TensorRollout::new(&rollout, &Device::Cpu).expect("tensors");
            for places in [&[4, 0, 5][..], &[1], &[0, 1, 2, 3, 4, 5]] {
                let advantage: Vec<f32> = places.iter().map(|&i| i as f32 - 2.5).collect();
                let batch = Minibatch {
                    rollout: &rollout,
                    estimate: &estimate,
                    places,
                    advantage: &advantage,
                    stop: Stop::default(),
                };
                let there = whole.batch(batch).expect("a batch");
                let here = TensorBatch::new(&rollout, &estimate, places, &advantage, &Device::Cpu).expect("a batch");
                let same = |a: &Tensor, b: &Tensor| {
                    assert_eq!((a.dtype(), a.dims()), (b.dtype(), b.dims()));
                    let [a, b] = [a, b].map(|x| x.to_dtype(candle_core::DType::F64).expect("numbers").flatten_all());
                    assert_eq!(
                        a.expect("flat").to_vec1::<f64>().expect("numbers"),
                        b.expect("flat").to_vec1::<f64>().expect("numbers")
                    );
                };
                same(&there.observation, &here.observation);
                same(&there.action, &here.action);
                same(&there.log_prob, &here.log_prob);
                same(&there.advantage, &here.advantage);
                same(&there.target, &here.target);
                same(&there.value, &here.value);
                assert_eq!(there.mask.is_some(), here.mask.is_some());
                there.mask.iter().zip(&here.mask).for_each(|(a, b)| same(a, b));
            }
            let past = Minibatch {
                rollout: &rollout,
                estimate: &estimate,
                places: &[6],
                advantage: &[0.0],
                stop: Stop::default(),
            };
            assert!(whole.batch(past).is_err(), "a place past the end");
        }
    }
}
