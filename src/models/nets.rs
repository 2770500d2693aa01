//! The perceptrons of a model.

use std::sync::Arc;

use crate::kernels::Mlp;

#[derive(Debug)]
pub(super) enum Nets {
    Separate {
        actor: Arc<Mlp>,
        critic: Arc<Mlp>,
    },
    /// One perceptron with `A + 1` outputs: the logits, then the value. The two heads' weights lie side by side, and
    /// so do their biases, so that together they are one last layer.
    Shared(Arc<Mlp>),
}

impl Nets {
    pub(super) fn each(&self) -> impl IntoIterator<Item = &Arc<Mlp>> {
        let (first, second) = match self {
            Nets::Separate { actor, critic } => (actor, Some(critic)),
            Nets::Shared(net) => (net, None),
        };
        std::iter::once(first).chain(second)
    }
}
