//! Where linear layers lie among the parameters, and the gain of each block.

use crate::kernels::Layer;
use crate::layout::Layout;

/// Gains as PPO's authors set them: Huang et al. 2022, detail 2,
/// <https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/>.
pub(super) const HIDDEN_GAIN: f64 = std::f64::consts::SQRT_2;
pub(super) const POLICY_GAIN: f64 = 0.01;
pub(super) const VALUE_GAIN: f64 = 1.0;

/// Lays out hidden layers `name.0`, `name.1`, ... and notes the gain of each block (0 leaves it zero).
pub(super) fn hidden_layers(
    name: &str,
    inputs: usize,
    hidden: &[usize],
    layout: &mut Layout,
    gains: &mut Vec<f64>,
) -> Vec<Layer> {
    let mut width = inputs;
    let mut layers = Vec::new();
    for (l, &units) in hidden.iter().enumerate() {
        let weight = layout.push(format!("{name}.{l}.weight"), &[units, width]);
        let bias = layout.push(format!("{name}.{l}.bias"), &[units]);
        gains.extend([HIDDEN_GAIN, 0.0]);
        layers.push(Layer { inputs: width, outputs: units, weight, bias });
        width = units;
    }
    layers
}

/// Lays out `name.head`, a network's last layer.
pub(super) fn head(
    name: &str,
    [inputs, outputs]: [usize; 2],
    gain: f64,
    layout: &mut Layout,
    gains: &mut Vec<f64>,
) -> Layer {
    let weight = layout.push(format!("{name}.head.weight"), &[outputs, inputs]);
    let bias = layout.push(format!("{name}.head.bias"), &[outputs]);
    gains.extend([gain, 0.0]);
    Layer { inputs, outputs, weight, bias }
}

/// Lays out both heads of a shared trunk side by side, weights and then biases, so that together they are one layer: the policy's
/// `outputs`, then the value.
pub(super) fn heads([inputs, outputs]: [usize; 2], layout: &mut Layout, gains: &mut Vec<f64>) -> Layer {
    let weight = layout.push("actor.head.weight", &[outputs, inputs]);
    layout.push("critic.head.weight", &[1, inputs]);
    let bias = layout.push("actor.head.bias", &[outputs]);
    layout.push("critic.head.bias", &[1]);
    gains.extend([POLICY_GAIN, VALUE_GAIN, 0.0, 0.0]);
    Layer { inputs, outputs: outputs + 1, weight, bias }
}
