//! plotters' coordinates with round numbers on them, and their names.

use plotters::{
    coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter},
    prelude::Ranged,
};

use super::{Range, Style};

/// What an axis shows: a range that has a width, and the round numbers in it.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Where ticks stand, and what stands beside them: nothing where that has no room.
    pub(super) ticks: Vec<(f64, String)>,
    logarithmic: bool,
}

impl Axis {
    /// The values of a metric, with such a share of air at either end and about `count` ticks. A range without width gets
    /// one: a constant curve is still drawn.
    pub(super) fn new((from, to): Range, air: f64, count: f64) -> Axis {
        let (from, to) = wide(from - (to - from) * air, to + (to - from) * air);
        let step = step((to - from) / count);
        Axis::stepping((from, to), step, |tick| value_name(tick, step, from.abs().max(to.abs())))
    }

    /// Environment steps, which begin at zero: only runs that were taken up late start elsewhere. The axis is stretched to
    /// its next tick where that is near: 499,712 steps end on `500k`.
    pub(super) fn env_steps((first, last): Range, count: f64) -> Axis {
        let from = if first > last / 2.0 && first < last { first } else { 0.0 };
        let (from, to) = wide(from, last);
        let step = step((to - from) / count);
        let next = (to / step).ceil() * step;
        let to = if next - to <= (to - from) * 0.03 { next.max(to) } else { to };
        Axis::stepping((from, to), step, |tick| steps_name(tick, step))
    }

    /// Multiples of `step`, with their names.
    fn stepping((from, to): Range, step: f64, name: impl Fn(f64) -> String) -> Axis {
        let first = (from / step).ceil();
        // Counted, not added up: sums of tenths drift, and a step lost in rounding would never end.
        let ticks = (0..=20).map(|i| (first + f64::from(i)) * step).take_while(|&tick| tick <= to);
        Axis { from, to, ticks: ticks.map(|tick| (tick, name(tick))).collect(), logarithmic: false }
    }

    /// Positive numbers that are compared by their ratio, such as learning rates: a logarithmic axis that holds `from..to`,
    /// with some air at either end.
    ///
    /// Ticks at powers of ten, and at as few of their multiples as make two ticks where there are less; as on other axes where even
    /// these do not.
    pub(super) fn logarithmic((from, to): Range) -> Axis {
        let air = (to / from).powf(0.04).max(1.3);
        let (from, to) = (from / air, to * air);
        let powers = from.log10().floor() as i32..=to.log10().ceil() as i32;
        let times = |factors: &[i32]| -> Vec<f64> {
            let all = powers.clone().flat_map(|power| factors.iter().map(move |factor| format!("{factor}e{power}")));
            // Parsed, not multiplied: 5e-3 and not a hair beside it.
            all.filter_map(|number| number.parse().ok()).filter(|tick| (from..=to).contains(tick)).collect()
        };
        let all: [&[i32]; 4] = [&[1], &[1, 3], &[1, 2, 5], &[1, 2, 3, 4, 5, 6, 7, 8, 9]];
        let ticks = all.into_iter().map(times).find(|ticks| ticks.len() > 1).unwrap_or_else(|| {
            let others = Axis::stepping((from, to), step((to - from) / 6.0), |_| String::new());
            others.ticks.into_iter().map(|(tick, _)| format!("{tick:.3e}").parse().unwrap_or(tick)).collect()
        });
        // Learning rates are read by their powers, and all in the same way.
        let plain = if from < 5e-3 { 1.0 } else { 0.01 }..1e4;
        let name = |tick: f64| if plain.contains(&tick) { tick.to_string() } else { with_minus(format!("{tick:e}")) };
        Axis { from, to, ticks: ticks.into_iter().map(|tick| (tick, name(tick))).collect(), logarithmic: true }
    }

    /// Columns, numbered from one.
    pub(super) fn columns(count: usize) -> Axis {
        let ticks = (0..count).map(|i| (i as f64 + 0.5, (i + 1).to_string())).collect();
        Axis { from: 0.0, to: count as f64, ticks, logarithmic: false }
    }

    /// Choices, each in the middle of its column.
    pub(super) fn of_choices(names: impl Iterator<Item = String>) -> Axis {
        let ticks: Vec<(f64, String)> = (0..).zip(names).map(|(i, name)| (f64::from(i) + 0.5, name)).collect();
        Axis { from: 0.0, to: ticks.len() as f64, ticks, logarithmic: false }
    }

    /// An axis from 0 to 1 without ticks.
    pub(super) fn bare() -> Axis {
        Axis { from: 0.0, to: 1.0, ticks: Vec::new(), logarithmic: false }
    }

    /// A horizontal axis of such a length with a name at every so-manieth of its ticks, so that none touches the next
    /// or reaches far beyond the axis.
    pub(super) fn with_names_apart(mut self, style: &Style, length: i32) -> Axis {
        let ends = |(tick, name): &(f64, String)| {
            let (at, half) = ((self.share(*tick) * f64::from(length)) as i32, style.width(name, 1.0) / 2);
            (at - half, at + half)
        };
        let (beyond, between) = (style.em(1.15), style.em(0.4));
        let ends: Vec<(i32, i32)> = self.ticks.iter().map(ends).collect();
        let within = |i: &usize| ends[*i].0 >= -beyond && ends[*i].1 <= length + beyond;
        let within: Vec<usize> = (0..ends.len()).filter(within).collect();
        let apart = |every: &usize| {
            let named = || within.iter().step_by(*every).map(|&i| ends[i]);
            named().zip(named().skip(1)).all(|(one, next)| one.1 + between <= next.0)
        };
        let every = (1..=within.len()).find(apart).unwrap_or(1);
        let named: Vec<usize> = within.into_iter().step_by(every).collect();
        let silent = self.ticks.iter_mut().enumerate().filter(|(i, _)| !named.contains(i));
        silent.for_each(|(_, (_, name))| name.clear());
        self
    }

    /// How far along the axis a value lies, 0 to 1.
    fn share(&self, value: f64) -> f64 {
        if self.logarithmic {
            return (value / self.from).ln() / (self.to / self.from).ln();
        }
        (value - self.from) / (self.to - self.from)
    }

    /// How much room the numbers of a vertical axis take on its left.
    pub(super) fn room(&self, style: &Style) -> i32 {
        style.widest(self.ticks.iter().map(|(_, name)| name)) + style.em(1.2)
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
        let light = hint.weight().allow_light_points();
        self.ticks.iter().filter(|_| !light).map(|(tick, _)| *tick).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, tick: &f64) -> String {
        self.ticks.iter().find(|(other, _)| other == tick).map(|(_, name)| name.clone()).unwrap_or_default()
    }
}

/// A range with a width.
fn wide(from: f64, to: f64) -> Range {
    let size = from.abs().max(to.abs());
    // 1e-9: below this the ticks' names would need more digits than anybody reads.
    if to - from > size * 1e-9 {
        return (from, to);
    }
    let half = if size > 0.0 { size * 0.05 } else { 1.0 };
    (from - half, to + half)
}

/// The least of 1, 2 and 5 times a power of ten that is no less.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    power * [1.0, 2.0, 5.0].into_iter().find(|nice| least <= nice * power).unwrap_or(10.0)
}

/// A count of environment steps: `0`, `500k`, `1.5M`, `2B`.
fn steps_name(steps: f64, step: f64) -> String {
    let units = [(1e9, "B"), (1e6, "M"), (1e3, "k")];
    let (unit, letter) = units.into_iter().find(|(unit, _)| steps >= *unit).unwrap_or((1.0, ""));
    // As many decimals as this number needs, but no more than tell it from its neighbours.
    let name = rounded(steps / unit, decimals(step / unit));
    let name = if name.contains('.') { name.trim_end_matches('0').trim_end_matches('.') } else { &name };
    format!("{name}{letter}")
}

/// Any other number, with the decimals that the distance of the ticks asks for.
fn value_name(value: f64, step: f64, largest: f64) -> String {
    if largest < 1e6 && step >= 1e-5 {
        return rounded(value, decimals(step));
    }
    if value.abs() < step / 2.0 {
        return "0".to_owned();
    }
    let digits = decimals(step / 10f64.powf(value.abs().log10().floor()));
    with_minus(format!("{value:.digits$e}"))
}

/// Decimals that show a multiple of `step` exactly; `step` is 1, 2 or 5 times a power of ten.
fn decimals(step: f64) -> usize {
    // Clamped before the cast. The small amount keeps 0.001, whose logarithm is a hair off, at three.
    (-(step.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize
}

/// With so many decimals, and no minus before zero.
fn rounded(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    with_minus(if zero { text.replace('-', "") } else { text })
}

/// A number with the minus sign of typesetting.
pub(super) fn with_minus(number: impl AsRef<str>) -> String {
    number.as_ref().replace('-', "−")
}

/// A number in so many significant digits: `0.0012`, `−3.4`, `2.5e6`.
pub(super) fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let power = value.abs().log10().floor() as i32;
    if !(-3..6).contains(&power) {
        return with_minus(format!("{value:.*e}", digits.saturating_sub(1)));
    }
    rounded(value, (digits as i32 - 1 - power).max(0) as usize)
}

#[cfg(test)]
mod tests;
