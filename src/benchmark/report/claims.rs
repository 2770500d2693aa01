//! What the numbers support, in words, and no more.

use uphill_envs::counted;

use super::super::cell::Stage;
use super::super::comparison::{Comparison, Verdict};
use super::super::results::{CLAIM, Results};
use super::markdown::{code, estimate, list};

/// A paragraph on a comparison.
pub(super) fn claims(results: &Results, comparison: &Comparison) -> String {
    let ranking = comparison.ranking();
    let Some(&best) = ranking.first() else { return String::new() };
    let (tasks, seeds) = (results.grid.tasks.len(), comparison.seeds);
    let algos = if comparison.algo.is_some() { 1 } else { results.grid.algos.len() };
    let pairs = match (tasks, algos) {
        (1, 1) => "one task".to_string(),
        (tasks, 1) => format!("{tasks} tasks"),
        (tasks, algos) => format!("{} with {algos} algorithms each", counted(tasks, "task")),
    };
    let how = match comparison.stage {
        Stage::Tuned => "Tuned",
        _ => "At their defaults",
    };
    let first = &comparison.standings[best];
    let equal = |&&place: &&usize| comparison.standings[place].area.iqm.point == first.area.iqm.point;
    let leaders: Vec<String> =
        ranking.iter().filter(equal).map(|&place| code(&comparison.standings[place].optimizer)).collect();
    let verb = if leaders.len() == 1 { "has" } else { "share" };
    let mut text = format!(
        "{how}, over {pairs} and {}, {} {verb} the largest interquartile mean of areas, {}.",
        counted(seeds, "seed"),
        list(&leaders),
        estimate(&first.area.iqm),
    );
    if comparison.standings.len() < 2 {
        return text + "\n";
    }
    if seeds < CLAIM {
        return text + " So few seeds support no statement about which optimizer is better.\n";
    }
    let reference = comparison.reference();
    let name = code(&comparison.standings[reference].optimizer);
    let judged = |verdict: Verdict| {
        let others = ranking.iter().filter(|&&place| place != reference);
        let own = others.filter(|&&place| comparison.verdict(place, reference) == verdict);
        own.map(|&place| code(&comparison.standings[place].optimizer)).collect::<Vec<_>>()
    };
    let (better, worse) = (judged(Verdict::Better), judged(Verdict::Worse));
    let undecided = judged(Verdict::Undecided);
    text += &format!(" By the intervals of the probability of improvement over {name}, ");
    let mut parts = Vec::new();
    for (list_of, what) in [(&better, "better than it"), (&worse, "worse than it")] {
        if !list_of.is_empty() {
            let verb = if list_of.len() == 1 { "is" } else { "are" };
            parts.push(format!("{} {verb} {what}", list(list_of)));
        }
    }
    if parts.is_empty() {
        parts.push("none is better or worse than it".to_string());
    }
    if !undecided.is_empty() {
        parts.push(format!("these numbers do not tell {} from it", list(&undecided)));
    }
    text += &format!("{}.", parts.join("; "));
    let rival = |&&place: &&usize| place != best && comparison.verdict(best, place) == Verdict::Undecided;
    let rivals: Vec<String> =
        ranking.iter().filter(rival).map(|&place| code(&comparison.standings[place].optimizer)).collect();
    if best != reference && !rivals.is_empty() {
        text += &format!(" They do not tell the first, {}, from {}.", code(&first.optimizer), list(&rivals));
    }
    let count = comparison.standings.len() - 1;
    text += &format!(
        " Each interval holds for itself: of {} {} is expected to leave out ½ by chance where there is \
         no difference at all.\n",
        counted(count, "comparison"),
        match count as f64 * 0.05 {
            expected if expected < 0.5 => "hardly one".to_string(),
            expected => format!("about {expected:.0}"),
        }
    );
    text
}
