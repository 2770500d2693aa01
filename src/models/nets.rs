//! The networks of a model.

use std::ops::Range;
use std::sync::Arc;

use crate::kernels::{Cnn, CnnPasses, Mlp, Passes, Transposed, TurnedCnn};
use crate::params::Version;

/// A network over one parameter vector, on the host: what a share of a gradient is computed with.
pub(super) trait Net: Send + Sync {
    /// Its weights as passes forward take them.
    type Turned: Default + Send + Sync;
    /// What passes leave behind.
    type Passes: Default + Send;

    /// Where its parameters stand among all.
    fn places(&self) -> Range<usize>;

    /// Replaces `turned` by the weights of these parameters, unless they are those already.
    fn turn(&self, turned: &mut Self::Turned, theta: &[f32], version: &Version);

    /// Rows that go through together: few enough that all activations stay in the cache.
    fn block(&self) -> usize;

    /// Replaces what is in `passes` by that of `batch` rows of `x`.
    fn forward(&self, theta: &[f32], turned: &Self::Turned, x: &[f32], batch: usize, passes: &mut Self::Passes);

    /// `[batch, outputs]` of the last forward pass.
    fn output(passes: &Self::Passes) -> &[f32];

    /// `[batch, units]` of the last hidden layer of the last forward pass, that of `x`; nothing, the default, from a network whose
    /// model is for no distribution that reads it.
    fn hidden<'a>(_passes: &'a Self::Passes, _x: &'a [f32]) -> &'a [f32] {
        &[]
    }

    /// Given `∂L/∂` its outputs in the last forward pass, that of `x`, adds `∂L/∂θ` to its places of `gradient`, `[P]`.
    fn backward(&self, theta: &[f32], x: &[f32], passes: &mut Self::Passes, by_output: &[f32], gradient: &mut [f32]);
}

impl Net for Mlp {
    type Turned = Transposed;
    type Passes = Passes;

    fn places(&self) -> Range<usize> {
        Mlp::places(self)
    }

    fn turn(&self, turned: &mut Transposed, theta: &[f32], version: &Version) {
        turned.update(self, theta, version);
    }

    fn block(&self) -> usize {
        256
    }

    fn forward(&self, theta: &[f32], turned: &Transposed, x: &[f32], batch: usize, passes: &mut Passes) {
        Mlp::forward(self, theta, turned, x, batch, passes);
    }

    fn output(passes: &Passes) -> &[f32] {
        passes.output()
    }

    fn hidden<'a>(passes: &'a Passes, x: &'a [f32]) -> &'a [f32] {
        passes.hidden(x)
    }

    fn backward(&self, theta: &[f32], x: &[f32], passes: &mut Passes, by_output: &[f32], gradient: &mut [f32]) {
        Mlp::backward(self, theta, x, passes, by_output, gradient);
    }
}

impl Net for Cnn {
    type Turned = TurnedCnn;
    type Passes = CnnPasses;

    fn places(&self) -> Range<usize> {
        Cnn::places(self)
    }

    fn turn(&self, turned: &mut TurnedCnn, theta: &[f32], version: &Version) {
        Cnn::turn(self, turned, theta, version);
    }

    fn block(&self) -> usize {
        Cnn::block(self)
    }

    fn forward(&self, theta: &[f32], turned: &TurnedCnn, x: &[f32], batch: usize, passes: &mut CnnPasses) {
        Cnn::forward(self, theta, turned, x, batch, passes);
    }

    fn output(passes: &CnnPasses) -> &[f32] {
        passes.output()
    }

    fn backward(&self, theta: &[f32], _x: &[f32], passes: &mut CnnPasses, by_output: &[f32], gradient: &mut [f32]) {
        Cnn::backward(self, theta, passes, by_output, gradient);
    }
}

#[derive(Debug)]
pub(super) enum Nets<N = Mlp> {
    Separate {
        actor: Arc<N>,
        critic: Arc<N>,
    },
    /// One network with `A + 1` outputs: the logits, then the value. The two heads' weights lie side by side, and
    /// so do their biases, so that together they are one last layer.
    Shared(Arc<N>),
}
