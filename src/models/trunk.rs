//! The part of a convolutional network that goes from images to images.

use uphill_envs::{Space, counted, quoted};

use super::layers::HIDDEN_GAIN;
use crate::kernels::{Conv, Layer, Stage, Windows};
use crate::{Error, Layout, Result};

/// A step of a trunk, from images to images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrunkStage {
    /// Filters, each a window of `side` x `side` pixels that moves by `stride`; `padding` pixels of 0 around the image.
    Conv {
        /// How many there are.
        filters: usize,
        /// Pixels of a side.
        side: usize,
        /// Pixels from one window to the next.
        stride: usize,
        /// Pixels of border.
        padding: usize,
    },
    /// `max(x, 0)`.
    Relu,
    /// The largest number of each channel under each window; there is nothing in the border.
    Pool {
        /// Pixels of a side.
        side: usize,
        /// Pixels from one window to the next.
        stride: usize,
        /// Pixels of border, fewer than a side.
        padding: usize,
    },
    /// `x + conv(relu(conv(relu(x))))`, both of 3 x 3 pixels, with as many filters as `x` has channels, and a border of 1.
    Residual,
}

/// Stages with their places among the parameters.
pub(super) struct Trunk {
    pub(super) stages: Vec<Stage>,
    /// Height, width and channels of what comes out.
    image: [usize; 3],
}

impl Trunk {
    /// Lays out the stages over images of this height, width and number of channels, `name.0`, `name.1`, ... for those with
    /// filters, and notes the gain of each block.
    pub(super) fn laid_out(
        id: &str,
        name: &str,
        image: [usize; 3],
        stages: &[TrunkStage],
        layout: &mut Layout,
        gains: &mut Vec<f64>,
    ) -> Result<Self> {
        let mut trunk = Self { stages: Vec::with_capacity(stages.len()), image };
        let mut conv = |at: String, windows: Windows, filters: usize| {
            let weight = layout.push(format!("{at}.weight"), &[filters, windows.len()]);
            let bias = layout.push(format!("{at}.bias"), &[filters]);
            gains.extend([HIDDEN_GAIN, 0.0]);
            Conv { windows, layer: Layer { inputs: windows.len(), outputs: filters, weight, bias } }
        };
        for (s, stage) in stages.iter().enumerate() {
            let place = || format!("{}: stage {s} of the network", quoted(id));
            let stage = match *stage {
                TrunkStage::Conv { filters, side, stride, padding } => {
                    let windows = trunk.windows(&place, side, stride, padding)?;
                    if filters == 0 {
                        return Err(Error::Config(format!("{} has no filters: it needs at least 1", place())));
                    }
                    trunk.image = [windows.rows(), windows.columns(), filters];
                    Stage::Conv(conv(format!("{name}.{s}"), windows, filters))
                }
                TrunkStage::Relu => Stage::Relu,
                TrunkStage::Pool { side, stride, padding } => {
                    let windows = trunk.windows(&place, side, stride, padding)?;
                    if padding >= side || side * side > 256 {
                        let why = "a window of a pool has at most 16 pixels a side, and a border less than that";
                        return Err(Error::Config(format!("{}: {why}; got {side} and {padding}", place())));
                    }
                    trunk.image = [windows.rows(), windows.columns(), windows.channels];
                    Stage::Pool(windows)
                }
                TrunkStage::Residual => {
                    let windows = trunk.windows(&place, 3, 1, 1)?;
                    let mut part = |k: usize| conv(format!("{name}.{s}.{k}"), windows, windows.channels);
                    Stage::Residual(part(0), part(1))
                }
            };
            trunk.stages.push(stage);
        }
        Ok(trunk)
    }

    /// Numbers of what comes out, flat.
    pub(super) fn outputs(&self) -> usize {
        self.image.iter().product()
    }

    /// Windows over what has come out so far.
    fn windows(&self, place: &dyn Fn() -> String, side: usize, stride: usize, padding: usize) -> Result<Windows> {
        let [height, width, channels] = self.image;
        if side == 0 || stride == 0 {
            return Err(Error::Config(format!("{}: a window has a side and a stride of at least 1", place())));
        }
        if height.min(width) + 2 * padding < side {
            return Err(Error::Config(format!(
                "{} looks at {side} x {side} pixels and is given {height} x {width}: the environment's images are too small for \
                 its filters; take a model of smaller ones",
                place()
            )));
        }
        Ok(Windows { height, width, channels, side, stride, padding })
    }
}

/// What observations of a space are called.
pub(super) fn shown(space: &Space) -> String {
    match space {
        Space::Image { height, width, channels, .. } => {
            format!("images of {height} x {width} pixels and {}", counted(*channels, "channel"))
        }
        Space::Box { low, .. } => counted(low.len(), "number"),
        other => format!("{} ({})", counted(other.flat_len(), "number"), other.kind()),
    }
}
