//! What curves are called: what differs between their runs, and only that.

use std::collections::{BTreeMap, BTreeSet};

use super::{RecordedRun, recorded_run::in_one_line};
use crate::optim::Registry;
use crate::words::{Kind, Param, Spec, Value};

/// Settings that say where and how a run was made and not what was learnt, so they tell no curves apart.
const INCIDENTAL: [&str; 11] = [
    "device",
    "eval_deterministic",
    "eval_episodes",
    "eval_every",
    "force",
    "max_memory",
    "name",
    "out",
    "quiet",
    "sinks",
    "threads",
];
/// Characters of a value that a label shows: of longer ones, such as maps, it says whose they are.
const SHOWN: usize = 40;
/// What stands before arguments of words, of an environment's first.
const WORDS: [&str; 3] = ["env.", "model.", "distribution."];

pub(super) fn same_experiment(a: &RecordedRun, b: &RecordedRun) -> bool {
    same_name(a, b) && differing_settings(a, b).is_empty()
}

fn same_name(a: &RecordedRun, b: &RecordedRun) -> bool {
    (&a.env, &a.algo, &a.optimizer) == (&b.env, &b.algo, &b.optimizer)
}

fn differing_settings<'a>(a: &'a RecordedRun, b: &'a RecordedRun) -> BTreeSet<&'a str> {
    let keys = a.settings.keys().chain(b.settings.keys()).map(String::as_str);
    keys.filter(|key| !INCIDENTAL.contains(key) && a.settings.get(*key) != b.settings.get(*key)).collect()
}

/// A label for each of these runs, no two of them the same: environment, algorithm and optimizer where they are not all
/// of one, of an optimizer the arguments alone where those are all that differs, and each setting that tells a run from
/// its namesakes.
pub(super) fn labels(runs: &[&RecordedRun]) -> Vec<String> {
    let arguments = Arguments::of_all(runs);
    let differing = |i| Arguments::differing(arguments.as_deref()?, i);
    let label = |(i, run): (usize, &&RecordedRun)| label(run, runs, differing(i));
    let labels: Vec<String> = runs.iter().enumerate().map(label).collect();
    let named = |(label, run): (&String, &&RecordedRun)| {
        let unique = labels.iter().filter(|other| *other == label).count() == 1;
        if unique { label.clone() } else { format!("{label} ({})", run.name) }
    };
    labels.iter().zip(runs).map(named).collect()
}

fn label(run: &RecordedRun, all: &[&RecordedRun], arguments: Option<Vec<String>>) -> String {
    let varies = |of: fn(&RecordedRun) -> &String| all.iter().any(|other| of(other) != of(run));
    let mut parts = Vec::new();
    if varies(|run| &run.env) {
        parts.push(run.env.clone());
    }
    if varies(|run| &run.algo) {
        parts.push(run.algo.clone());
    }
    if varies(|run| &run.optimizer) {
        parts.extend(arguments.unwrap_or_else(|| vec![run.optimizer.clone()]));
    }
    let namesakes = all.iter().filter(|other| same_name(run, other));
    let keys: BTreeSet<&str> = namesakes.flat_map(|other| differing_settings(run, other)).collect();
    let said = |key: &&str| run.settings.contains_key(*key);
    // What a run does not say has no effect in it, by what else is different.
    let (said, unsaid): (Vec<&str>, Vec<&str>) = keys.into_iter().partition(said);
    let name = |key: &'_ str| WORDS.iter().find_map(|word| key.strip_prefix(word)).unwrap_or(key).to_owned();
    parts.extend(said.into_iter().map(|key| {
        let (name, value) = (name(key), run.settings.get(key).map(|value| in_one_line(value)).unwrap_or_default());
        match value.chars().count() > SHOWN {
            true if key.starts_with(WORDS[0]) => format!("{name} of {}", run.name),
            true => format!("{name} {}…", value.chars().take(SHOWN).collect::<String>()),
            false => format!("{name} {value}"),
        }
    }));
    if parts.is_empty() {
        parts.extend(unsaid.into_iter().map(|key| format!("no {}", name(key))));
    }
    if parts.is_empty() {
        parts = vec![run.algo.clone(), run.optimizer.clone()];
    }
    parts.join(" · ")
}

/// What runs of several labels have in common: the algorithm, the optimizer or its links.
pub(super) fn common(runs: &[RecordedRun]) -> Option<String> {
    let first = runs.first()?;
    let same = |of: fn(&RecordedRun) -> &String| runs.iter().all(|run| of(run) == of(first));
    let optimizer = if same(|run| &run.optimizer) {
        Some(first.optimizer.clone())
    } else {
        let runs: Vec<&RecordedRun> = runs.iter().collect();
        Arguments::of_all(&runs).and_then(|all| Some(all.first()?.links.join(" | ")))
    };
    let parts: Vec<String> = same(|run| &run.algo).then(|| first.algo.clone()).into_iter().chain(optimizer).collect();
    let several = runs.iter().any(|run| !same_experiment(run, first));
    (several && !parts.is_empty()).then(|| parts.join(" · "))
}

/// An optimizer taken apart: its links, and what each of their arguments is, said or not, by link and name.
#[derive(Default)]
struct Arguments {
    links: Vec<String>,
    values: BTreeMap<String, String>,
}

impl Arguments {
    /// Those of every run, if all have the same links.
    fn of_all(runs: &[&RecordedRun]) -> Option<Vec<Arguments>> {
        let registry = Registry::default();
        let all: Vec<Arguments> = runs.iter().map(|run| Arguments::of(run, &registry)).collect::<Option<_>>()?;
        all.windows(2).all(|two| two[0].links == two[1].links).then_some(all)
    }

    /// What a label calls those in which one differs from the others; `None` if one of them is not known.
    fn differing(all: &[Arguments], i: usize) -> Option<Vec<String>> {
        let own = all.get(i)?;
        let differs = |key: &&String| all.iter().any(|other| other.values.get(*key) != own.values.get(*key));
        let keys: BTreeSet<&String> = all.iter().flat_map(|other| other.values.keys()).filter(differs).collect();
        // Without its link where there is only one.
        let shown = |key: &'_ str| match key.split_once(' ') {
            Some((_, name)) if own.links.len() == 1 => name.to_owned(),
            _ => key.to_owned(),
        };
        keys.into_iter().map(|key| Some(format!("{} {}", shown(key), own.values.get(key)?))).collect()
    }

    /// `None` if a name of it means nothing, or two links have one name.
    fn of(run: &RecordedRun, registry: &Registry) -> Option<Arguments> {
        let mut own = Arguments::default();
        own.add(&run.optimizer.parse().ok()?, registry, run.settings.get("lr"))?;
        let distinct: BTreeSet<&String> = own.links.iter().collect();
        (distinct.len() == own.links.len()).then_some(own)
    }

    /// `lr` is the learning rate of links that do not say theirs.
    fn add(&mut self, spec: &Spec, registry: &Registry, lr: Option<&String>) -> Option<()> {
        for link in &spec.0 {
            let row = registry.rows().iter().find(|row| row.name == link.name)?;
            let key = |param: &Param| format!("{} {}", link.name, param.name);
            self.links.push(link.name.clone());
            for param in row.params {
                let default = Some(String::from(param.default)).filter(|default| !default.is_empty());
                let unsaid = lr.filter(|_| param.name == "lr").cloned().or(default);
                self.values.extend(unsaid.map(|value| (key(param), value)));
            }
            for (i, (name, value)) in link.args.iter().enumerate() {
                let named = |param: &&Param| name.as_ref().is_some_and(|name| name == param.name);
                let param = row.params.iter().find(named).or_else(|| row.params.get(i))?;
                match (param.kind, value) {
                    (Kind::Chain, Value::Spec(chain)) => self.add(chain, registry, lr)?,
                    (Kind::Pairs(..), _) => return None,
                    _ => drop(self.values.insert(key(param), value.to_string())),
                }
            }
        }
        Some(())
    }
}
