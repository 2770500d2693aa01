//! The networks of a model.

use std::ops::Range;
use std::sync::Arc;

use crate::Threads;
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

    /// Rows that are worth a share of their own.
    fn share(&self) -> usize {
        self.block()
    }

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
    /// Those that it [puts off](Net::put_off) have to wait for [`make_up`](Net::make_up).
    fn backward(
        &self,
        weights: (&[f32], &Self::Turned),
        x: &[f32],
        passes: &mut Self::Passes,
        by_output: &[f32],
        gradient: &mut [f32],
    );

    /// The places of a gradient that passes backward put off until all shares have gone through, if there are any.
    fn put_off(&self) -> Option<Range<usize>> {
        None
    }

    /// Forgets what was put off.
    fn begin(_passes: &mut Self::Passes) {}

    /// Replaces the places of `gradient`, `[P]`, that were put off by what is due there from all shares' passes, the first of which
    /// takes in what the others have.
    fn make_up(&self, _first: &mut Self::Passes, _others: &[&Self::Passes], _threads: &Threads, _gradient: &mut [f32]) {
    }
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

    fn backward(
        &self,
        (theta, _): (&[f32], &Transposed),
        x: &[f32],
        passes: &mut Passes,
        by_output: &[f32],
        gradient: &mut [f32],
    ) {
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
        self.turn_for_learning(turned, theta, version);
    }

    fn block(&self) -> usize {
        Cnn::block(self)
    }

    fn share(&self) -> usize {
        Cnn::share(self)
    }

    fn forward(&self, theta: &[f32], turned: &TurnedCnn, x: &[f32], batch: usize, passes: &mut CnnPasses) {
        Cnn::forward(self, theta, turned, x, batch, passes);
    }

    fn output(passes: &CnnPasses) -> &[f32] {
        passes.output()
    }

    fn backward(
        &self,
        (theta, turned): (&[f32], &TurnedCnn),
        x: &[f32],
        passes: &mut CnnPasses,
        by_output: &[f32],
        gradient: &mut [f32],
    ) {
        Cnn::backward(self, (theta, turned), x, passes, by_output, gradient);
    }

    fn put_off(&self) -> Option<Range<usize>> {
        Some(Cnn::put_off(self))
    }

    fn begin(passes: &mut CnnPasses) {
        passes.begin();
    }

    fn make_up(&self, first: &mut CnnPasses, others: &[&CnnPasses], threads: &Threads, gradient: &mut [f32]) {
        others.iter().for_each(|other| first.join(other));
        let [rows, width] = self.put_off_shape();
        // Whole tiles of a product for each thread.
        let several = rows.div_ceil(threads.count()).next_multiple_of(6);
        let mut parts: Vec<_> = gradient[Cnn::put_off(self)].chunks_mut((several * width).max(1)).collect();
        let first = &*first;
        threads.each(&mut parts, |i, part| {
            let start = i * several;
            Cnn::make_up(self, first, start..(start + several).min(rows), part);
        });
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

impl<N> Nets<N> {
    pub(super) fn each(&self) -> impl IntoIterator<Item = &Arc<N>> {
        let (first, second) = match self {
            Nets::Separate { actor, critic } => (actor, Some(critic)),
            Nets::Shared(net) => (net, None),
        };
        std::iter::once(first).chain(second)
    }
}
