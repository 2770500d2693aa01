//! What learns.

use super::judgement::Judgement;
use super::{Algorithm, LossScale, restore, save};
use crate::arrays::Arrays;
use crate::kernels::all_finite;
use crate::models::{Model, ValuesAlong};
use crate::normaliser::ValueScale;
use crate::objective::RowSums;
use crate::optim::{Begun, Optimizer, check_finite, restore_slot, save_slot};
use crate::rollout::{DeviceRollout, Estimate};
use crate::scratch::Scratch;
use crate::seed::{Rng, Seed};
use crate::{Error, Params, Precision, Result};

/// What learns: a network, its parameters, and what changes them.
pub struct Learner {
    /// The policy and value function.
    pub network: Box<dyn Model>,
    /// Their parameters.
    pub params: Params,
    /// What moves them.
    pub optimizer: Optimizer,
    /// Where minibatches are shuffled from.
    pub shuffle: Rng,
    /// The rollout, where it was made on the learning device and is still there: an algorithm that [can](Algorithm::host_only)
    /// takes it instead of the one that it is told of.
    pub on_device: Option<DeviceRollout>,
    /// What forward and backward passes are in.
    pub(super) precision: Precision,
    /// What the loss is multiplied by where they are in f16.
    pub(super) loss_scale: Option<LossScale>,
    /// What an algorithm draws its own randomness from, by streams of their own.
    pub(crate) seed: Seed,
    /// The scale that values are learnt on, where they are.
    pub(crate) values: Option<ValueScale>,
    pub(crate) buffers: Buffers,
}

impl Learner {
    /// A learner whose minibatches are shuffled by the seed's stream `shuffle`.
    #[must_use]
    pub fn new(network: Box<dyn Model>, params: Params, optimizer: Optimizer, seed: Seed) -> Self {
        let shuffle = seed.stream("shuffle", 0);
        let (precision, loss_scale) = (Precision::F32, None);
        Self {
            network,
            params,
            optimizer,
            shuffle,
            on_device: None,
            precision,
            loss_scale,
            seed,
            values: None,
            buffers: Buffers::default(),
        }
    }

    /// Whether the gradient on the last minibatch is kept from now on.
    pub(crate) fn keep_gradient(&mut self, is_kept: bool) {
        if is_kept != self.buffers.kept_gradient.is_some() {
            self.buffers.kept_gradient = is_kept.then(Vec::new);
        }
    }

    /// That gradient, `[P]`, where there has been one.
    pub(crate) fn kept_gradient(&self) -> Option<&[f32]> {
        self.buffers.kept_gradient.as_deref().filter(|kept| !kept.is_empty())
    }

    /// The same whose forward and backward passes are in this type, where an algorithm [takes](Algorithm::takes_precision) it. The
    /// parameters, the optimizer's state, advantages, the distribution, the loss and the gradient that a step is taken by stay f32.
    #[must_use]
    pub fn in_precision(self, precision: Precision) -> Self {
        let loss_scale = (precision == Precision::F16).then(LossScale::default);
        Self { precision, loss_scale, ..self }
    }

    /// What the loss is multiplied by, where it is in f16.
    #[must_use]
    pub fn loss_scale(&self) -> Option<&LossScale> {
        self.loss_scale.as_ref()
    }

    /// Adds what the loss is multiplied by to `arrays`.
    pub(crate) fn save_loss_scale(&mut self, arrays: &mut Arrays) {
        let save = &mut |name: &str, slot| save_slot(format!("{LOSS_SCALE}.{name}"), slot, arrays);
        self.loss_scale.iter_mut().for_each(|scale| scale.state(save));
    }

    /// Takes it from there.
    pub(crate) fn restore_loss_scale(&mut self, arrays: &Arrays) -> Result<()> {
        let Some(scale) = &mut self.loss_scale else { return Ok(()) };
        let mut outcome = Ok(());
        scale.state(&mut |name, slot| {
            if outcome.is_ok() {
                outcome = restore_slot(&format!("{LOSS_SCALE}.{name}"), slot, arrays, &mut Begun::default());
            }
        });
        outcome?;
        scale.check()
    }
}

/// The name of that in checkpoints.
const LOSS_SCALE: &str = "loss_scale";

/// Where a learner and an algorithm stood.
pub(crate) struct Snapshot {
    arrays: Arrays,
    shuffle: Rng,
}

impl Learner {
    /// Exchanges the room of passes for that of who has played.
    pub(crate) fn exchange_room(&mut self, other: &mut Scratch) {
        self.buffers.scratch.exchange(other);
    }

    /// Notes where it and an algorithm stand, for [`Learner::put_back`].
    pub(crate) fn note(&mut self, algo: &mut dyn Algorithm) -> Result<Snapshot> {
        let mut arrays = Arrays::default();
        self.params.save("params", &mut arrays)?;
        self.optimizer.save("optimizer", &mut arrays)?;
        save(algo, "algo", &mut arrays);
        self.save_loss_scale(&mut arrays);
        Ok(Snapshot { arrays, shuffle: self.shuffle.clone() })
    }

    /// Puts both back to where they stood.
    pub(crate) fn put_back(&mut self, snapshot: &Snapshot, algo: &mut dyn Algorithm) -> Result<()> {
        self.params.restore("params", &snapshot.arrays)?;
        self.optimizer.restore("optimizer", &snapshot.arrays, self.params.layout())?;
        self.shuffle.clone_from(&snapshot.shuffle);
        self.restore_loss_scale(&snapshot.arrays)?;
        restore(algo, "algo", &snapshot.arrays)
    }

    /// Fails with [`Error::NotFinite`] if a parameter, or a number of the optimizer's, is not finite.
    pub(crate) fn check_finite(&mut self) -> Result<()> {
        let Self { params, optimizer, .. } = self;
        if !params.read(all_finite)? {
            params.read(|theta| check_finite("value", params.layout(), theta, f64::NAN))??;
        }
        match optimizer.not_finite()? {
            Some(name) => Err(Error::NotFinite { what: format!("`{name}` of the optimizer's state") }),
            None => Ok(()),
        }
    }
}

/// What an update needs room for, kept so that the next one does not allocate.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(super) estimate: Estimate,
    /// What minibatches are shares of: steps or lanes.
    pub(super) units: Vec<usize>,
    pub(super) places: Vec<usize>,
    pub(super) advantage: Vec<f32>,
    pub(super) judgement: Judgement,
    pub(super) values: ValuesAlong,
    pub(super) gradient: Vec<f32>,
    /// The gradient on the last minibatch, as the optimizer was given it, where it is kept.
    pub(super) kept_gradient: Option<Vec<f32>>,
    pub(super) sums: RowSums,
    pub(super) scratch: Scratch,
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::{Arrays, Learner};
    use crate::{Config, MlpConfig, MlpModel, Precision, Seed};

    fn learner(precision: Precision) -> Learner {
        let spec = uphill_envs::make("CartPole-v1").expect("an environment").spec().clone();
        let (params, network) = MlpModel::new(&spec, &MlpConfig::default(), Seed(1), &Device::Cpu).expect("a network");
        Learner::new(Box::new(network), params, "sgd".parse().expect("an optimizer"), Seed(1)).in_precision(precision)
    }

    #[test]
    fn what_an_update_that_was_broken_off_skipped_is_forgotten_with_it() {
        let mut algo = Config::for_algo("a2c").and_then(|config| config.make_algo()).expect("an algorithm");
        let mut learner = learner(Precision::F16);
        let skip = |learner: &mut Learner| {
            let scale = learner.loss_scale.as_mut().expect("a scale");
            assert!(scale.takes(true).expect("a step") && !scale.takes(false).expect("a smaller scale"));
            assert!(scale.takes(true).expect("a step"));
            scale.clone()
        };
        let then = skip(&mut learner);
        let snapshot = learner.note(&mut *algo).expect("a note");
        assert_ne!(skip(&mut learner), then);
        learner.put_back(&snapshot, &mut *algo).expect("as it was");
        assert_eq!(learner.loss_scale(), Some(&then));
    }

    #[test]
    fn a_file_without_a_scale_or_with_an_impossible_one_is_refused() {
        let mut arrays = Arrays::default();
        assert!(learner(Precision::F16).restore_loss_scale(&arrays).is_err());
        learner(Precision::Bf16).restore_loss_scale(&arrays).expect("there is none");
        learner(Precision::F16).save_loss_scale(&mut arrays);
        learner(Precision::F16).restore_loss_scale(&arrays).expect("a scale");
        arrays.put("loss_scale.scale", vec![3.0f64]);
        let error = learner(Precision::F16).restore_loss_scale(&arrays).expect_err("no power of two").to_string();
        assert!(error.contains("no loss scale comes to 3 after 0 steps"), "{error}");
    }
}
