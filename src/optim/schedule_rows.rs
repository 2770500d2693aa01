//! The words for schedules.

use super::table::{Make, Row};
use super::{Args, Plateau, Schedule};
use crate::words::{Kind, Param, Range};
use crate::{Error, Result};

const START: Param = fixed("start", Range::Finite, "", "its value at progress 0");
const END: Param = fixed("end", Range::Finite, "0", "its value at progress 1");
const PEAK: Param = fixed("peak", Range::Finite, "", "its largest value");
const FACTOR: Param = fixed("factor", Range::NotNegative, "0.1", "what it is multiplied by");

const fn fixed(name: &'static str, range: Range, default: &'static str, meaning: &'static str) -> Param {
    Param { name, kind: Kind::Fixed(range), default, meaning }
}

const fn share(name: &'static str, default: &'static str, meaning: &'static str) -> Param {
    fixed(name, Range::Share, default, meaning)
}

const fn positive(name: &'static str, default: &'static str, meaning: &'static str) -> Param {
    fixed(name, Range::Positive, default, meaning)
}

/// By which the learning rate falls where nothing else is said and `anneal_lr` is.
pub(super) const FALLS: &str = "linear";

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "constant",
        summary: "the same all along, as a number alone is",
        params: &[fixed("value", Range::Finite, "", "its value")],
        make: Make::Schedule(|a| Ok(Schedule::Constant(a.number("value")?))),
    },
    Row {
        name: FALLS,
        summary: "a straight line",
        params: &[START, END],
        make: Make::Schedule(|a| Ok(Schedule::Linear { start: a.number("start")?, end: a.number("end")? })),
    },
    Row {
        name: "cosine",
        summary: "half a cosine",
        params: &[START, END],
        make: Make::Schedule(|a| Ok(Schedule::Cosine { start: a.number("start")?, end: a.number("end")? })),
    },
    Row {
        name: "exponential",
        summary: "the same factor over every stretch of the same length",
        params: &[positive("start", "", START.meaning), positive("end", "", END.meaning)],
        make: Make::Schedule(|a| Ok(Schedule::Exponential { start: a.number("start")?, end: a.number("end")? })),
    },
    Row {
        name: "polynomial",
        summary: "a power of what is left of training",
        params: &[START, END, positive("power", "2", "1 is a straight line; above it, fast at first")],
        make: Make::Schedule(|a| {
            Ok(Schedule::Polynomial { start: a.number("start")?, end: a.number("end")?, power: a.number("power")? })
        }),
    },
    Row {
        name: "step",
        summary: "multiplied by a factor at equal distances",
        params: &[START, FACTOR, positive("every", "0.25", "share of training between two changes")],
        make: Make::Schedule(|a| {
            Ok(Schedule::Step { start: a.number("start")?, factor: a.number("factor")?, every: a.number("every")? })
        }),
    },
    Row {
        name: "piecewise",
        summary: "constant pieces: piecewise(1e-3, 0.5, 3e-4, 0.9, 1e-4)",
        params: &[
            START,
            Param {
                name: "progress, value",
                kind: Kind::Pairs(&Kind::Fixed(Range::Share), &Kind::Fixed(Range::Finite)),
                default: "",
                meaning: "from this progress on, this value",
            },
        ],
        make: Make::Schedule(|a| {
            let points = a.points()?;
            match points.is_sorted_by(|one, next| one.0 < next.0) {
                true => Ok(Schedule::Piecewise { start: a.number("start")?, points }),
                false => Err(Error::Config("piecewise: each progress must lie above the one before".into())),
            }
        }),
    },
    Row {
        name: "warmup",
        summary: "a straight line up from 0, then another schedule",
        params: &[
            share("share", "0.1", "share of training over which it rises"),
            Param {
                name: "then",
                kind: Kind::Schedule,
                default: "",
                meaning: "what follows, over the rest of training",
            },
        ],
        make: Make::Schedule(|a| {
            Ok(Schedule::Warmup { share: a.number("share")?, then: Box::new(a.schedule("then")?) })
        }),
    },
    Row {
        name: "one_cycle",
        summary: "half a cosine up, half a cosine down",
        params: &[
            PEAK,
            share("share", "0.3", "share of training over which it rises"),
            positive("div", "25", "peak over its first value"),
            positive("final_div", "1e4", "its first value over its last"),
        ],
        make: Make::Schedule(|a| {
            Ok(Schedule::OneCycle {
                peak: a.number("peak")?,
                share: a.number("share")?,
                div: a.number("div")?,
                final_div: a.number("final_div")?,
            })
        }),
    },
    Row {
        name: "warmup_stable_decay",
        summary: "a straight line up, constant, a straight line down",
        params: &[
            PEAK,
            share("warmup", "0.05", "share of training over which it rises"),
            share("decay", "0.2", "share of training over which it falls, up to the end"),
            END,
        ],
        make: Make::Schedule(|a| {
            let (warmup, decay) = (a.number("warmup")?, a.number("decay")?);
            match warmup + decay <= 1.0 {
                true => {
                    Ok(Schedule::WarmupStableDecay { peak: a.number("peak")?, warmup, decay, end: a.number("end")? })
                }
                false => {
                    Err(Error::Config(format!("warmup_stable_decay: {warmup} + {decay} is more than all training")))
                }
            }
        }),
    },
    Row {
        name: "plateau",
        summary: "multiplied by a factor whenever the mean return has stood still for long",
        params: &[
            START,
            share("factor", "0.5", "what it is multiplied by"),
            fixed(
                "patience",
                Range::ShareOfTraining,
                "0.2",
                "share of training without a rise or a fall that is borne",
            ),
            fixed(
                "threshold",
                Range::NotNegative,
                "1e-4",
                "what the mean return must rise by, in its own unit, to count",
            ),
            share("fall", "0.1", "what it must fall by, in its range so far, to count as well; 1 never does"),
            fixed("cooldown", Range::ShareOfTraining, "0", "share of training after a change that does not count"),
            fixed("min", Range::Finite, "0", "it does not fall below this"),
        ],
        make: Make::Schedule(plateau),
    },
];

fn plateau(a: &Args<'_>) -> Result<Schedule> {
    Ok(Schedule::Plateau(
        Plateau::new(a.number("start")?, a.number("factor")?, a.number("patience")?)
            .threshold(a.number("threshold")?)
            .fall(a.number("fall")?)
            .cooldown(a.number("cooldown")?)
            .min(a.number("min")?),
    ))
}
