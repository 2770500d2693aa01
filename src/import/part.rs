//! Which tensor is which block of a network here.

use super::array::Array;

/// A block of a network here, and the tensor that it is.
pub(super) struct Part {
    pub(super) ours: String,
    pub(super) theirs: String,
    pub(super) turn: Turn,
}

/// How the numbers of a tensor come to lie.
#[derive(Clone, Copy)]
pub(super) enum Turn {
    Same,
    /// All in one row.
    Row,
    /// Of each row planes `[channels, pixels]` become pixels with their channels side by side.
    ChannelsLast {
        channels: usize,
    },
}

impl Part {
    /// The numbers as they lie here.
    pub(super) fn turned(&self, array: &Array) -> Vec<f32> {
        let Turn::ChannelsLast { channels } = self.turn else { return array.numbers.clone() };
        let row = array.numbers.len() / array.shape.first().copied().unwrap_or(1).max(1);
        let pixels = row / channels.max(1);
        let mut turned = Vec::with_capacity(array.numbers.len());
        for row in array.numbers.chunks_exact(row.max(1)) {
            turned
                .extend((0..pixels).flat_map(|pixel| (0..channels).map(move |channel| row[channel * pixels + pixel])));
        }
        turned
    }

    /// The shape of that.
    pub(super) fn shape(&self, array: &Array) -> Vec<usize> {
        match (self.turn, array.shape.as_slice()) {
            (Turn::Row, _) => vec![array.numbers.len()],
            (Turn::ChannelsLast { .. }, [rows, each @ ..]) => vec![*rows, each.iter().product()],
            (_, shape) => shape.to_vec(),
        }
    }
}
