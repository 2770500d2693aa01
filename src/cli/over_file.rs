//! The command line over a file of settings.

use crate::distributions::AUTO;
use crate::words::{Spec, Word, Wrapped};
use crate::{Catalogue, Config, Result, names};

/// The settings of a file under those of the command line, without what the line leaves without an effect or a fit, and what a
/// reader should be told of that.
pub(super) fn over_file(
    of_file: &toml::Table,
    of_line: toml::Table,
    catalogue: &Catalogue,
) -> Result<(Vec<String>, toml::Table)> {
    let mut below = of_file.clone();
    let mut notes = give_way(&mut below, &of_line, catalogue)?;
    idle_give_way(&mut below, of_file, &of_line, catalogue)?;
    notes.extend(misfits_give_way(&mut below, &of_line, catalogue)?);
    Ok((notes, over(below, of_line)?))
}

/// The settings that are words of rows.
const WORDS: [&str; 4] = ["env", "model", "distribution", "algo"];

/// Takes out of a file's settings what the command line leaves without an effect, and says what a reader might miss. Where it
/// names another optimizer, that of another kind has its own learning rate, and what it says or does by itself is not said
/// again.
fn give_way(of_file: &mut toml::Table, of_line: &toml::Table, catalogue: &Catalogue) -> Result<Vec<String>> {
    let mut notes = Vec::from_iter(defaults_give_way(of_file, of_line, catalogue)?);
    notes.extend(other_rows(of_file, of_line, catalogue)?);
    let spec = |table: &toml::Table| table.get("optimizer").map(Spec::try_from).transpose();
    let Some(other) = spec(of_line)? else { return Ok(notes) };
    let registry = catalogue.optim();
    let is_of_another = spec(of_file)?.is_some_and(|own| !registry.same_kind(&own, &other));
    let (takes_lr, clips) = (registry.takes_lr(&other), registry.clips(&other));
    let gone = [
        ("lr", is_of_another || !takes_lr),
        ("anneal_lr", !takes_lr),
        ("max_grad_norm", clips),
        ("clip_grad_by", clips),
    ];
    let had_lr = of_file.contains_key("lr");
    gone.iter().filter(|(_, gone)| *gone).for_each(|(name, _)| drop(of_file.remove(*name)));
    if had_lr && is_of_another && takes_lr && !of_line.contains_key("lr") {
        notes.push("lr: the optimizer's own, as that of the file is of another optimizer's; --lr says another".into());
    }
    Ok(notes)
}

/// Takes out of a file's settings those of a run which its algorithm has by default, where the command line names an algorithm that
/// has others, and says so: the file of a run has them all, whoever chose them.
fn defaults_give_way(
    of_file: &mut toml::Table,
    of_line: &toml::Table,
    catalogue: &Catalogue,
) -> Result<Option<String>> {
    let read = |table: toml::Table| Config::read(table, catalogue, true).ok();
    let only = |name: &str, table: &toml::Table| table.get(name).map(|value| (name.to_string(), value.clone()));
    let algo = |table: &toml::Table| read(toml::Table::from_iter(only("algo", table)));
    let (true, Some(alone), Some(own), Some(other)) =
        (of_line.contains_key("algo"), read(of_file.clone()), algo(of_file), algo(of_line))
    else {
        return Ok(None);
    };
    let rows = [catalogue.algo(&own.algo.name)?, catalogue.algo(&other.algo.name)?];
    let mut names: Vec<&str> = rows.iter().flat_map(|row| row.make.settings).map(|(name, _)| *name).collect();
    if names.contains(&"optimizer") {
        names.push("lr");
    }
    if names.contains(&"model") {
        let of_models = [&own.model, &other.model].into_iter().filter_map(|word| catalogue.params("model", word));
        names.extend(of_models.flatten().map(|param| param.name));
        let said = of_file.get("model").map(|value| Word::from_toml("model", value)).transpose()?;
        for (name, value) in said.into_iter().flat_map(|word| word.args) {
            // By itself it means the same.
            if let Some(name) = name.filter(|name| Config::is_setting(name)) {
                of_file.entry(name).or_insert(value.to_toml(None));
            }
        }
    }
    let [alone, own_table, other_table] = [alone.all()?, own.all()?, other.all()?];
    let is_gone = |name: &&str| {
        let is_default = alone.get(*name) == own_table.get(*name) && own_table.get(*name) != other_table.get(*name);
        of_file.contains_key(*name) && !of_line.contains_key(*name) && is_default
    };
    let mut gone: Vec<&str> = names.into_iter().filter(is_gone).collect();
    gone.sort_unstable();
    gone.dedup();
    gone.iter().for_each(|name| drop(of_file.remove(*name)));
    let (own, other) = (&own.algo.name, &other.algo.name);
    let note = || format!("left out of the file, as {other} has other defaults than {own}: {}", names::listed(&gone));
    Ok((!gone.is_empty()).then(note))
}

/// Takes out of a file's settings what has an effect there, and none beside what the command line says.
fn idle_give_way(
    below: &mut toml::Table,
    of_file: &toml::Table,
    of_line: &toml::Table,
    catalogue: &Catalogue,
) -> Result<()> {
    let read = |table: toml::Table| Config::read(table, catalogue, true).ok();
    let run = read(over(below.clone(), of_line.clone())?);
    let (Some(alone), Some(run)) = (read(of_file.clone()), run) else { return Ok(()) };
    let of_words = WORDS.iter().filter_map(|name| Wrapped::from_toml(name, below.get(*name)?).ok());
    let of_words = of_words.flat_map(|words| words.word.args).filter_map(|(name, _)| name);
    let is_gone = |name: &String| {
        !of_line.contains_key(name) && run.without_effect(name).is_some() && alone.without_effect(name).is_none()
    };
    let gone: Vec<String> = below.keys().cloned().chain(of_words).filter(is_gone).collect();
    let gone = toml::Table::from_iter(gone.into_iter().map(|name| (name, true.into())));
    below.retain(|name, _| !gone.contains_key(name));
    WORDS.into_iter().try_for_each(|name| without(below, name, &gone))
}

/// Settings that an environment or a network may not go with.
const MISFITS: [&str; 7] = [
    "distribution",
    "mask_actions",
    "frame_stack",
    "envs_on_device",
    "log_std_lr_factor",
    "critic_lr_factor",
    "trunk_lr_factor",
];

/// Takes out of a file's settings what does not go with the rows that the command line names, and says so.
fn misfits_give_way(below: &mut toml::Table, of_line: &toml::Table, catalogue: &Catalogue) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    if below.is_empty() || !WORDS.iter().any(|name| of_line.contains_key(*name)) {
        return Ok(notes);
    }
    let problem = |below: &toml::Table| -> Result<Option<String>> {
        let config = Config::from_table_with(over(below.clone(), of_line.clone())?, catalogue);
        Ok(config.and_then(|config| config.check_fits()).err().map(|e| e.to_string()))
    };
    for misfit in MISFITS {
        let Some(before) = problem(below)? else { break };
        let of_distribution = |name: &str| {
            misfit == "distribution" && catalogue.has(misfit, &AUTO.into(), name) && !of_line.contains_key(misfit)
        };
        let mut rest = below.clone();
        rest.retain(|name, _| name != misfit && !of_distribution(name));
        if rest.len() < below.len() && problem(&rest)?.as_ref() != Some(&before) {
            let reason = before.split_once("; ").map_or(&*before, |(reason, _)| reason);
            notes.push(format!("left out of the file: {reason}"));
            *below = rest;
        }
    }
    Ok(notes)
}

/// Takes out of a file's settings the arguments of rows that the command line names others for, where no row of the run has
/// them. What both rows have stays, whether it stands by itself or, but for a whole world, in the file's word.
fn other_rows(of_file: &mut toml::Table, of_line: &toml::Table, catalogue: &Catalogue) -> Result<Vec<String>> {
    let example = Config::for_algo("ppo")?.all()?;
    let word = |name: &str, tables: &[&toml::Table]| {
        let said = tables.iter().find_map(|table| table.get(name)).or(example.get(name));
        said.map_or(Ok(Word::new("")), |value| Wrapped::from_toml(name, value).map(|words| words.word))
    };
    let named = WORDS.into_iter().filter(|name| of_line.contains_key(*name));
    let before: Vec<(&str, Word)> = named.map(|name| Ok((name, word(name, &[of_file])?))).collect::<Result<_>>()?;
    let chosen: Vec<(&str, Word)> =
        WORDS.into_iter().map(|name| Ok((name, word(name, &[of_line, of_file])?))).collect::<Result<_>>()?;
    let is_of = |(name, word): &(&str, Word), argument: &str| catalogue.has(name, word, argument);
    for (name, value) in before.iter().filter(|(row, _)| *row != "env").flat_map(|(_, word)| &word.args) {
        // By itself it means the same.
        if let Some(name) = name.as_ref().filter(|name| chosen.iter().any(|row| is_of(row, name))) {
            of_file.entry(name).or_insert(value.to_toml(example.get(name)));
        }
    }
    let mut notes = Vec::new();
    for row in &before {
        let is_gone = |argument: &&String| {
            Config::is_argument(argument) && is_of(row, argument) && !chosen.iter().any(|row| is_of(row, argument))
        };
        let gone: Vec<String> = of_file.keys().filter(is_gone).cloned().collect();
        gone.iter().for_each(|argument| drop(of_file.remove(argument)));
        if let (false, Some((_, other))) = (gone.is_empty(), chosen.iter().find(|(name, _)| *name == row.0)) {
            let gone = names::listed(&gone.iter().map(String::as_str).collect::<Vec<_>>());
            notes.push(format!("left out of the file, as {} has no such argument: {gone}", other.name));
        }
    }
    Ok(notes)
}

/// The settings of a file under those of the command line. What the line says by a flag, a word of the file says no longer,
/// and the other way round.
fn over(mut of_file: toml::Table, of_line: toml::Table) -> Result<toml::Table> {
    if of_line.contains_key("env") {
        // Where earlier versions had a world of one's own.
        of_file.remove("gridworld");
    }
    for (name, value) in &of_line {
        if WORDS.contains(&name.as_str()) {
            for (argument, _) in Wrapped::from_toml(name, value)?.word.args {
                argument.map(|argument| of_file.remove(&argument));
            }
        }
    }
    WORDS.into_iter().try_for_each(|name| without(&mut of_file, name, &of_line))?;
    of_file.extend(of_line);
    Ok(of_file)
}

/// Takes out of a table's word the arguments that settings say by themselves.
pub(super) fn without(table: &mut toml::Table, name: &str, said: &toml::Table) -> Result<()> {
    let Some(value) = table.get(name) else { return Ok(()) };
    let mut words = Wrapped::from_toml(name, value)?;
    let before = words.word.args.len();
    words.word.args.retain(|(argument, _)| argument.as_ref().is_none_or(|argument| !said.contains_key(argument)));
    if words.word.args.len() < before {
        table.insert(name.into(), words.to_string().into());
    }
    Ok(())
}
