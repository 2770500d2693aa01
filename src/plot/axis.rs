//! plotters' coordinates with round numbers on them, and their names.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::style::Style;

/// What the numbers along an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Counts, named as short as they can be: `1.5M`.
    EnvSteps,
    /// Values of a metric.
    Metric,
    /// Positive numbers that are compared by their ratio, such as learning rates: the axis is logarithmic.
    Magnitude,
}

/// What an axis shows: a range that has a width, and the round numbers in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) ticks: Vec<f64>,
    /// Those of them whose number has no room.
    silent: Vec<f64>,
    step: f64,
    quantity: Quantity,
}

impl Axis {
    /// `from..to` with about `count` ticks. A range without width gets one: a constant curve is still drawn.
    pub(super) fn new(quantity: Quantity, from: f64, to: f64, count: f64) -> Axis {
        let size = from.abs().max(to.abs());
        // 1e-9: below this the ticks' names would need more digits than anybody reads.
        let (from, to) = if to - from > size * 1e-9 {
            (from, to)
        } else {
            let half = if size > 0.0 { size * 0.05 } else { 1.0 };
            (from - half, to + half)
        };
        let rough = (to - from) / count;
        let power = 10f64.powf(rough.log10().floor());
        let step = power * [1.0, 2.0, 5.0].into_iter().find(|nice| rough <= nice * power).unwrap_or(10.0);
        let first = (from / step).ceil();
        // Counted, not added up: sums of tenths drift, and a step lost in rounding would never end.
        let ticks = (0..=20).map(|i| (first + f64::from(i)) * step).take_while(|&tick| tick <= to).collect();
        Axis { from, to, ticks, silent: Vec::new(), step, quantity }
    }

    /// Environment steps, which begin at zero: only runs that were taken up late start elsewhere.
    pub(super) fn env_steps((first, last): (f64, f64), count: f64) -> Axis {
        let from = if first > last / 2.0 && first < last { first } else { 0.0 };
        Axis::new(Quantity::EnvSteps, from, last, count).ending_on_a_tick()
    }

    /// A logarithmic axis that holds `from..to`, both above zero, with some air at either end.
    ///
    /// Ticks at powers of ten, and at as few of their multiples as make two ticks where there are less.
    pub(super) fn logarithmic(from: f64, to: f64) -> Axis {
        let middle = (from * to).sqrt();
        let air = (to / from).powf(0.04).max(1.3);
        let (from, to) = (from / air, to * air);
        let powers = from.log10().floor() as i32..=to.log10().ceil() as i32;
        let within = |tick: &f64| (from..=to).contains(tick);
        let times = |factors: &[i32]| {
            let all = powers.clone().flat_map(|power| factors.iter().map(move |factor| format!("{factor}e{power}")));
            // Parsed, not multiplied: 5e-3 and not a hair beside it.
            all.filter_map(|number| number.parse().ok()).filter(within).collect()
        };
        let all: [&[i32]; 4] = [&[1], &[1, 3], &[1, 2, 5], &[1, 2, 3, 4, 5, 6, 7, 8, 9]];
        let ticks = all.into_iter().map(times).find(|ticks: &Vec<f64>| ticks.len() > 1).unwrap_or_else(|| vec![middle]);
        Axis { from, to, ticks, silent: Vec::new(), step: 1.0, quantity: Quantity::Magnitude }
    }

    /// The axis stretched to its next tick where that is near: 499,712 steps end on `500k`.
    fn ending_on_a_tick(mut self) -> Axis {
        let next = (self.to / self.step).ceil() * self.step;
        if next > self.to && next - self.to <= (self.to - self.from) * 0.03 {
            self.to = next;
            self.ticks.push(next);
        }
        self
    }

    /// The axis made longer at its lower end, by so much of its length, without a tick there.
    pub(super) fn with_room_below(self, share: f64) -> Axis {
        Axis { from: self.from - (self.to - self.from) * share, ..self }
    }

    /// An axis without ticks.
    pub(super) fn bare(from: f64, to: f64) -> Axis {
        Axis { ticks: Vec::new(), ..Axis::new(Quantity::Metric, from, to, 2.0) }
    }

    /// A horizontal axis of such a length with a label at every so-manieth of its ticks, so that none touches the next
    /// or reaches far beyond the axis.
    pub(super) fn with_labels_apart(mut self, style: &Style, length: i32) -> Axis {
        let ends = |tick: f64| {
            let (at, half) = ((self.share(tick) * f64::from(length)) as i32, style.width(&self.label(tick), 1.0) / 2);
            (at - half, at + half)
        };
        let (beyond, between) = (style.em(1.15), style.em(0.4));
        let within = |tick: &f64| ends(*tick).0 >= -beyond && ends(*tick).1 <= length + beyond;
        let ticks: Vec<f64> = self.ticks.iter().copied().filter(within).collect();
        let apart = |every: &usize| {
            let kept: Vec<(i32, i32)> = ticks.iter().step_by(*every).map(|&tick| ends(tick)).collect();
            kept.windows(2).all(|pair| pair[0].1 + between <= pair[1].0)
        };
        let every = (1..=ticks.len()).find(apart).unwrap_or(1);
        let named: Vec<f64> = ticks.into_iter().step_by(every).collect();
        self.silent = self.ticks.iter().copied().filter(|tick| !named.contains(tick)).collect();
        self
    }

    /// How far along the axis a value lies, 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        match self.quantity {
            Quantity::Magnitude => (value / self.from).ln() / (self.to / self.from).ln(),
            Quantity::EnvSteps | Quantity::Metric => (value - self.from) / (self.to - self.from),
        }
    }

    /// What stands beside a tick.
    pub(super) fn label(&self, tick: f64) -> String {
        match self.quantity {
            Quantity::EnvSteps => self.steps_label(tick),
            Quantity::Metric => self.value_label(tick),
            // Learning rates are read by their powers, and all in the same way.
            Quantity::Magnitude if (if self.from < 5e-3 { 1.0 } else { 0.01 }..1e4).contains(&tick) => tick.to_string(),
            Quantity::Magnitude => format!("{tick:e}").replace('-', "−"),
        }
    }

    /// How much room the numbers of a vertical axis take on its left.
    pub(super) fn room(&self, style: &Style) -> i32 {
        style.widest(self.ticks.iter().map(|&tick| self.label(tick))) + style.em(1.2)
    }

    /// A count of environment steps: `0`, `500k`, `1.5M`, `2B`.
    fn steps_label(&self, steps: f64) -> String {
        let units = [(1e9, "B"), (1e6, "M"), (1e3, "k")];
        let (unit, letter) = units.into_iter().find(|(unit, _)| steps >= *unit).unwrap_or((1.0, ""));
        // As many decimals as this number needs, but no more than tell it from its neighbours.
        let label = with_minus(steps / unit, decimals(self.step / unit));
        let label = if label.contains('.') { label.trim_end_matches('0').trim_end_matches('.') } else { &label };
        format!("{label}{letter}")
    }

    /// Any other number, with the decimals that the distance of the ticks asks for.
    fn value_label(&self, value: f64) -> String {
        let largest = self.from.abs().max(self.to.abs());
        if largest < 1e6 && self.step >= 1e-5 {
            return with_minus(value, decimals(self.step));
        }
        if value.abs() < self.step / 2.0 {
            return "0".to_owned();
        }
        let digits = decimals(self.step / 10f64.powf(value.abs().log10().floor()));
        format!("{value:.digits$e}").replace('-', "−")
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        // What lies far outside stays so, and within whole numbers.
        from + (self.share(*value).clamp(-9.0, 9.0) * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, tick: &f64) -> String {
        if self.silent.contains(tick) { String::new() } else { self.label(*tick) }
    }
}

/// Decimals that show a multiple of `step` exactly; `step` is 1, 2 or 5 times a power of ten.
fn decimals(step: f64) -> usize {
    // Clamped before the cast. The small amount keeps 0.001, whose logarithm is a hair off, at three.
    (-(step.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize
}

/// A number with the minus sign of typesetting, and no minus before zero.
fn with_minus(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let zero = text.chars().all(|c| c == '0' || c == '.');
    if value < 0.0 && !zero { format!("−{text}") } else { text }
}

/// A number in so many significant digits: `0.0012`, `−3.4`, `2.5e6`.
pub(super) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let power = value.abs().log10().floor() as i32;
    if !(-3..6).contains(&power) {
        return format!("{value:.*e}", digits.saturating_sub(1)).replace('-', "−");
    }
    with_minus(value, (digits as i32 - 1 - power).max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::{Axis, Quantity};

    fn labels(quantity: Quantity, from: f64, to: f64) -> Vec<String> {
        let axis = Axis::new(quantity, from, to, 5.0);
        axis.ticks.iter().map(|&tick| axis.label(tick)).collect()
    }

    fn steps(from: f64, to: f64) -> Vec<String> {
        labels(Quantity::EnvSteps, from, to)
    }

    fn values(from: f64, to: f64) -> Vec<String> {
        labels(Quantity::Metric, from, to)
    }

    #[test]
    fn ticks_are_round_numbers_with_short_names() {
        assert_eq!(steps(0.0, 500_000.0), ["0", "100k", "200k", "300k", "400k", "500k"]);
        assert_eq!(steps(0.0, 2_400_000.0), ["0", "500k", "1M", "1.5M", "2M"]);
        assert_eq!(steps(0.0, 3e9), ["0", "1B", "2B", "3B"]);
        assert_eq!(steps(0.0, 900.0), ["0", "200", "400", "600", "800"]);
        assert_eq!(values(-1.0, 1.0), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(values(-20.0, 520.0), ["0", "200", "400"]);
        assert_eq!(values(0.0, 2.5e-4), ["0.00000", "0.00005", "0.00010", "0.00015", "0.00020", "0.00025"]);
        assert_eq!(values(0.0, 4e-7), ["0", "1e−7", "2e−7", "3e−7", "4e−7"]);
        assert_eq!(values(0.0, 2.5e7), ["0", "5e6", "1.0e7", "1.5e7", "2.0e7", "2.5e7"]);
    }

    #[test]
    fn a_logarithmic_axis_has_powers_of_ten_and_a_short_one_more() {
        let labels = |from, to| {
            let axis = Axis::logarithmic(from, to);
            axis.ticks.iter().map(|&tick| axis.label(tick)).collect::<Vec<_>>()
        };
        assert_eq!(labels(1e-5, 0.1), ["1e−5", "1e−4", "1e−3", "1e−2", "1e−1"]);
        assert_eq!(labels(2.0, 40_000.0), ["10", "100", "1000", "1e4"]);
        assert_eq!(labels(0.02, 3.0), ["0.1", "1"]);
        assert_eq!(labels(3e-3, 6e-3), ["3e−3", "4e−3", "5e−3", "6e−3", "7e−3"]);
        assert_eq!(labels(1e-3, 1e-3), ["8e−4", "9e−4", "1e−3"]);
        let axis = Axis::logarithmic(1e-4, 1e-2);
        assert!((axis.share(1e-3) - 0.5).abs() < 1e-12 && axis.share(1e-4) > 0.03);
    }

    #[test]
    fn an_axis_stretches_to_a_tick_that_is_near_only() {
        let end = |to| Axis::new(Quantity::EnvSteps, 0.0, to, 5.0).ending_on_a_tick();
        assert_eq!((end(499_712.0).to, end(499_712.0).ticks.len()), (500_000.0, 6));
        assert_eq!((end(470_000.0).to, end(470_000.0).ticks.len()), (470_000.0, 5));
        assert_eq!((end(500_000.0).to, end(500_000.0).ticks.len()), (500_000.0, 6));
    }

    #[test]
    fn every_range_has_a_width_and_a_few_distinct_ticks() {
        let awkward = [0.0, -0.0, 1.0, -7.3, 1e-300, 1e-9, 500.0, 1e15, 1.8e19, 1e100, -1e100];
        for &from in &awkward {
            for &to in awkward.iter().filter(|&&to| to >= from) {
                let axis = Axis::new(Quantity::Metric, from, to, 6.0);
                assert!(axis.from < axis.to && (axis.to - axis.from).is_finite(), "{from} {to}");
                let labels: std::collections::BTreeSet<_> = axis.ticks.iter().map(|&t| axis.label(t)).collect();
                assert_eq!(labels.len(), axis.ticks.len(), "{from} {to} {labels:?}");
                assert!((2..=12).contains(&labels.len()), "{from} {to} {labels:?}");
            }
        }
    }
}
