//! How lines and marks look: what tells one from the others.

use plotters::{element::DashedPathElement, prelude::*};

use super::{Area, Drawn, Style};

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
/// How much of a line's colour its band has.
pub(super) const BAND: f64 = 0.2;

/// A dash and the gap after it, in text sizes; a solid line where `None`.
pub(super) type Dashes = Option<(f64, f64)>;

const DASHES: [Dashes; 3] = [None, Some((0.6, 0.4)), Some((0.25, 0.3))];
const MARKERS: [Option<Marker>; 6] =
    [None, Some(Marker::Disc), Some(Marker::Square), Some(Marker::Triangle), Some(Marker::Ring), Some(Marker::Cross)];
/// Looks of a line with colour and dashes alone.
pub(super) const PLAIN_LOOKS: usize = PALETTE.len() * DASHES.len();
/// Looks of a line with marks on it, too.
pub(super) const LOOKS: usize = PLAIN_LOOKS * MARKERS.len();

/// What stands at a point.
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

    /// A solid line.
    pub(super) fn plain(colour: RGBColor) -> Look {
        Look { colour, dashes: None, marker: None }
    }

    /// Draws a line of so many units.
    pub(super) fn stroke(&self, area: &Area<'_>, points: Vec<(i32, i32)>, width: u32, style: &Style) -> Drawn {
        let pen = self.colour.stroke_width(width);
        match self.dashes {
            None => area.draw(&PathElement::new(points, pen)),
            Some((on, off)) => area.draw(&DashedPathElement::new(points, style.em(on), style.em(off), pen)),
        }
    }
}

impl Marker {
    pub(super) fn draw(self, area: &Area<'_>, at: (i32, i32), colour: RGBColor, style: &Style) -> Drawn {
        let (arm, fill) = (style.em(0.32), colour.filled());
        match self {
            Marker::Disc => area.draw(&Circle::new(at, arm, fill)),
            Marker::Square => area.draw(&(EmptyElement::at(at) + Rectangle::new([(-arm, -arm), (arm, arm)], fill))),
            Marker::Triangle => area.draw(&TriangleMarker::new(at, arm * 5 / 4, fill)),
            Marker::Ring => {
                area.draw(&Circle::new(at, arm, fill))?;
                area.draw(&Circle::new(at, arm / 2, WHITE.filled()))
            }
            Marker::Cross => area.draw(&Cross::new(at, arm, colour.stroke_width(style.line))),
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
