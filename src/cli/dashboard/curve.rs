//! A curve that takes points for as long as training lasts, in bounded memory.

/// Points that are kept at most.
const MOST: usize = 1024;

/// A curve. Where there would be too many points two neighbours become their mean, at the steps of the later one.
#[derive(Clone, Default)]
pub(super) struct Curve {
    points: Vec<(f64, f64)>,
    /// How often two points have become one.
    halvings: u32,
    /// The sum and the count of what will be the next point.
    begun: (f64, u64),
    last: Option<(f64, f64)>,
}

impl Curve {
    /// Takes a point; of one that is not finite there is nothing to draw.
    pub(super) fn push(&mut self, x: f64, y: f64) {
        if !y.is_finite() {
            return;
        }
        self.last = Some((x, y));
        let (sum, count) = (self.begun.0 + y, self.begun.1 + 1);
        self.begun = (sum, count);
        if count < 1 << self.halvings {
            return;
        }
        self.points.push((x, sum / count as f64));
        self.begun = (0.0, 0);
        if self.points.len() == MOST {
            self.points = self.points.chunks(2).map(|two| (two[1].0, f64::midpoint(two[0].1, two[1].1))).collect();
            self.halvings += 1;
        }
    }

    /// What there is to draw.
    pub(super) fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The last value as it came.
    pub(super) fn last(&self) -> Option<f64> {
        self.last.map(|(_, y)| y)
    }
}
