//! What learns.

use super::judgement::Judgement;
use super::{Algorithm, restore, save};
use crate::arrays::Arrays;
use crate::kernels::all_finite;
use crate::models::{Model, ValuesAlong};
use crate::normaliser::ValueScale;
use crate::objective::RowSums;
use crate::optim::{Optimizer, check_finite};
use crate::rollout::{DeviceRollout, Estimate};
use crate::scratch::Scratch;
use crate::seed::{Rng, Seed};
use crate::{Error, Params, Result};

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
    /// The rollout, where it was made on the learning device and is still there: an algorithm that [can](Algorithm::check_on_device)
    /// takes it instead of the one that it is told of.
    pub on_device: Option<DeviceRollout>,
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
        Self { network, params, optimizer, shuffle, on_device: None, seed, values: None, buffers: Buffers::default() }
    }
}

/// Where a learner and an algorithm stood.
pub(crate) struct Snapshot {
    arrays: Arrays,
    shuffle: Rng,
}

impl Learner {
    /// Notes where it and an algorithm stand, for [`Learner::put_back`].
    pub(crate) fn note(&mut self, algo: &mut dyn Algorithm) -> Result<Snapshot> {
        let mut arrays = Arrays::default();
        self.params.save("params", &mut arrays)?;
        self.optimizer.save("optimizer", &mut arrays)?;
        save(algo, "algo", &mut arrays);
        Ok(Snapshot { arrays, shuffle: self.shuffle.clone() })
    }

    /// Puts both back to where they stood.
    pub(crate) fn put_back(&mut self, snapshot: &Snapshot, algo: &mut dyn Algorithm) -> Result<()> {
        self.params.restore("params", &snapshot.arrays)?;
        self.optimizer.restore("optimizer", &snapshot.arrays, self.params.layout())?;
        self.shuffle.clone_from(&snapshot.shuffle);
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
    pub(super) sums: RowSums,
    pub(super) scratch: Scratch,
}
