//! How a line looks: what tells it from the others.

use plotters::style::RGBColor;

/// Okabe and Ito's palette, told apart by the colour-blind too, without its yellow: that is too pale on white.
/// <https://jfly.uni-koeln.de/color/>
pub(super) const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// A dash and the gap after it, in text sizes; a solid line where `None`.
pub(super) type Dashes = Option<(f64, f64)>;

const DASHES: [Dashes; 3] = [None, Some((0.6, 0.4)), Some((0.25, 0.3))];
const MARKERS: [Option<Marker>; 6] =
    [None, Some(Marker::Disc), Some(Marker::Square), Some(Marker::Triangle), Some(Marker::Ring), Some(Marker::Cross)];

/// Looks of a line with colour and dashes alone.
pub(super) const PLAIN_LOOKS: usize = PALETTE.len() * DASHES.len();
/// Looks of a line with marks on it, too.
pub(super) const LOOKS: usize = PLAIN_LOOKS * MARKERS.len();

/// What stands on a line here and there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Disc,
    Square,
    Triangle,
    Ring,
    Cross,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub(super) colour: RGBColor,
    pub(super) dashes: Dashes,
    pub(super) marker: Option<Marker>,
}

impl Look {
    /// The so-manieth look: a colour each, the next round dashed, the next but two with marks. They repeat after
    /// [`LOOKS`].
    pub(super) fn of(i: usize) -> Look {
        Look {
            colour: PALETTE[i % PALETTE.len()],
            dashes: DASHES[i / PALETTE.len() % DASHES.len()],
            marker: MARKERS[i / PLAIN_LOOKS % MARKERS.len()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LOOKS, Look};

    #[test]
    fn no_two_lines_look_the_same() {
        let looks: Vec<Look> = (0..LOOKS).map(Look::of).collect();
        for (i, look) in looks.iter().enumerate() {
            assert!(!looks[..i].contains(look), "{i}: {look:?}");
        }
    }
}
