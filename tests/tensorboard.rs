//! Event files: the numbers of `metrics.csv` and `evaluations.csv` under the tags of other libraries, and the weights.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use prost::Message;
use uphill::{Config, RunFolder, Trainer};

/// What is asked of an event here.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, tag = "3")]
    file_version: String,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    scalar: Option<f32>,
    #[prost(message, optional, tag = "5")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(double, tag = "1")]
    min: f64,
    #[prost(double, tag = "2")]
    max: f64,
    #[prost(double, tag = "3")]
    num: f64,
}

/// The events of a file, in order.
fn events(folder: &Path) -> Vec<Event> {
    let bytes = fs::read(folder.join("events.out.tfevents.uphill")).expect("an event file");
    let (mut rest, mut events) = (&bytes[..], Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<8>() {
        let length = u64::from_le_bytes(*length) as usize;
        events.push(Event::decode(&after[4..4 + length]).expect("an event"));
        rest = &after[length + 8..];
    }
    assert!(rest.is_empty(), "half an event");
    events
}

/// What was said by each tag: the step and the number.
fn scalars(events: &[Event]) -> BTreeMap<String, Vec<(i64, f32)>> {
    let mut by_tag: BTreeMap<String, Vec<(i64, f32)>> = BTreeMap::new();
    for event in events {
        for value in event.summary.iter().flat_map(|summary| &summary.value) {
            if let Some(scalar) = value.scalar {
                by_tag.entry(value.tag.clone()).or_default().push((event.step, scalar));
            }
        }
    }
    by_tag
}

/// A column of a table of the run, beside its column of steps, without empty fields.
fn column(folder: &Path, file: &str, name: &str) -> Vec<(i64, f32)> {
    let mut table = csv::Reader::from_path(folder.join(file)).expect("a table");
    let header = table.headers().expect("a header").clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name}"));
    let (step, place) = (place("env_steps"), place(name));
    let rows = table.records().map(|row| row.expect("a row")).filter(|row| !row[place].is_empty());
    let number = |text: &str| text.parse::<f64>().expect("a number");
    rows.map(|row| (number(&row[step]) as i64, number(&row[place]) as f32)).collect()
}

fn config() -> Config {
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    let optimizer = "trac(adam(3e-4))".parse().expect("a spec");
    let (env, eval_every) = ("GridWorld-4x4-v0".into(), 1_000);
    Config { env, steps: 3_000, hidden: vec![8], eval_every, eval_episodes: 2, optimizer, ..ppo }
}

/// A run with this sink, `broken` off after so many updates and resumed, if it is.
fn run(folder: &Path, sink: &str, broken: Option<usize>) {
    let step = |run: &mut RunFolder, trainer: &mut Trainer| {
        let metrics = trainer.step().expect("an update")?;
        run.log(&metrics).expect("a row");
        run.log_weights(trainer).expect("weights");
        run.save_if_due(trainer).expect("evaluations");
        Some(())
    };
    let mut run = RunFolder::create(folder, &config(), false).expect("a run").with_sinks([sink]).expect("a sink");
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    run.log_weights(&mut trainer).expect("nothing yet");
    if let Some(saved) = broken {
        for _ in 0..saved {
            step(&mut run, &mut trainer).expect("an update");
        }
        run.save(&mut trainer).expect("a checkpoint");
        step(&mut run, &mut trainer).expect("one that is made again");
        drop(run);
        (run, trainer, _) = RunFolder::resume(folder, Trainer::new).expect("it goes on");
        run.log_weights(&mut trainer).expect("the rest");
    }
    while step(&mut run, &mut trainer).is_some() {}
    run.finish(trainer).expect("an end");
}

#[test]
fn scalars_are_the_columns_under_the_names_of_either_library() {
    let home = tempfile::tempdir().expect("a folder");
    let tags = [
        (
            "tensorboard",
            "charts/episodic_return",
            "losses/entropy",
            1.0,
            "charts/SPS",
            "losses/trac_scale",
            "eval/episodic_return",
        ),
        (
            "tensorboard(tags=stable_baselines3)",
            "rollout/ep_rew_mean",
            "train/entropy_loss",
            -1.0,
            "time/fps",
            "train/trac_scale",
            "eval/mean_reward",
        ),
    ];
    for (sink, returns, entropy, sign, speed, other, evaluated) in tags {
        run(home.path(), sink, None);
        let events = events(home.path());
        assert_eq!(events[0].file_version, "brain.Event:2", "{sink}");
        let said = scalars(&events);
        let entropies = column(home.path(), "metrics.csv", "entropy");
        assert_eq!(said[entropy], entropies.iter().map(|&(step, x)| (step, sign * x)).collect::<Vec<_>>(), "{sink}");
        let (losses, scale) = if sign > 0.0 { ("losses/value_loss", 1.0) } else { ("train/value_loss", 2.0) };
        let value_losses = column(home.path(), "metrics.csv", "value_loss");
        assert_eq!(said[losses], value_losses.iter().map(|&(step, x)| (step, scale * x)).collect::<Vec<_>>(), "{sink}");
        assert_eq!(said[returns], column(home.path(), "metrics.csv", "episode_return_mean"), "{sink}");
        assert_eq!(said[speed], column(home.path(), "metrics.csv", "steps_per_second"), "{sink}");
        assert_eq!(said[other], column(home.path(), "metrics.csv", "trac_scale"), "{sink}");
        assert_eq!(said[evaluated], column(home.path(), "evaluations.csv", "return_mean"), "{sink}");
        // Each column but that of steps has a tag, and the means of evaluations.
        let header = fs::read_to_string(home.path().join("metrics.csv")).expect("a table");
        let columns = header.lines().next().expect("a header").split(',').count();
        assert_eq!(said.len(), columns - 1 + 2, "{sink}: {:?}", said.keys());
        fs::remove_dir_all(home.path()).expect("room for the next");
    }
}

#[test]
fn histograms_are_of_every_block_and_of_the_updates_that_were_asked_for() {
    let home = tempfile::tempdir().expect("a folder");
    run(home.path(), "tensorboard(histogram_every=2)", None);
    let mut found: BTreeMap<String, Vec<(i64, Histogram)>> = BTreeMap::new();
    for event in events(home.path()) {
        for value in event.summary.into_iter().flat_map(|summary| summary.value) {
            if let Some(histogram) = value.histogram {
                found.entry(value.tag).or_default().push((event.step, histogram));
            }
        }
    }
    let trainer = Trainer::new(&config()).expect("a trainer");
    let blocks = trainer.params().layout().blocks();
    assert_eq!(found.len(), 2 * blocks.len(), "{:?}", found.keys());
    for block in blocks {
        for group in ["weights", "gradients"] {
            let of_block = &found[&format!("{group}/{}", block.name)];
            assert_eq!(of_block.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [1_024, 2_048, 3_072]);
            assert!(of_block.iter().all(|(_, histogram)| histogram.num == block.elem_count() as f64), "{of_block:?}");
        }
    }
    // The last weights are those that the run has kept.
    let kept = uphill::Policy::load(home.path()).expect("a policy");
    let last = kept.params().snapshot().expect("numbers");
    let block = &blocks[0];
    let (least, most) = last[block.range()].iter().fold((f32::MAX, f32::MIN), |(a, b), &x| (a.min(x), b.max(x)));
    let (_, histogram) = &found[&format!("weights/{}", block.name)][2];
    assert_eq!((histogram.min, histogram.max), (f64::from(least), f64::from(most)));
    // No gradient is of another update, nor all zeros.
    let gradients = &found[&format!("gradients/{}", block.name)];
    assert!(gradients.iter().all(|(_, of)| of.min < 0.0 && of.max > 0.0) && gradients[0].1 != gradients[1].1);
}

#[test]
fn a_run_that_was_broken_off_has_the_events_of_one_that_was_not() {
    let home = tempfile::tempdir().expect("a folder");
    let untimed = |name: &str, broken| {
        let folder = home.path().join(name);
        run(&folder, "tensorboard(histogram_every=1)", broken);
        let mut events = events(&folder);
        for value in events.iter_mut().flat_map(|event| &mut event.summary).flat_map(|summary| &mut summary.value) {
            if value.tag == "charts/SPS" {
                value.scalar = None;
            }
        }
        events
    };
    let whole = untimed("whole", None);
    assert!(whole.len() > 12, "{}", whole.len());
    assert!(untimed("broken", Some(3)) == whole);
}

#[test]
fn the_last_evaluation_is_there_for_prometheus_when_a_run_goes_on() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("run");
    let mut run = RunFolder::create(&folder, &config(), false).expect("a run").with_sinks(["prometheus"]).expect("one");
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    for _ in 0..4 {
        let metrics = trainer.step().expect("an update").expect("steps are left");
        run.log(&metrics).expect("a row");
        run.save_if_due(&mut trainer).expect("evaluations");
    }
    run.save(&mut trainer).expect("a checkpoint");
    drop(run);
    let evaluated = |folder: &Path| {
        let text = fs::read_to_string(folder.join("metrics.prom")).expect("text");
        text.lines().filter(|line| line.starts_with("uphill_eval_")).map(String::from).collect::<Vec<_>>()
    };
    let before = evaluated(&folder);
    assert_eq!(before.len(), 3, "{before:?}");
    let (mut run, mut trainer, _) = RunFolder::resume(&folder, Trainer::new).expect("it goes on");
    let metrics = trainer.step().expect("an update").expect("steps are left");
    run.log(&metrics).expect("a row");
    assert_eq!(evaluated(&folder), before);
}

#[test]
fn the_last_row_is_there_for_prometheus() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("a \"run\"");
    run(&folder, "prometheus", Some(2));
    let text = fs::read_to_string(folder.join("metrics.prom")).expect("text");
    let last = |file: &str, name: &str| column(&folder, file, name).pop().expect("a row").1;
    for (line, value) in [
        ("uphill_env_steps", 3_072.0),
        ("uphill_update", 6.0),
        ("uphill_entropy", last("metrics.csv", "entropy")),
        ("uphill_trac_scale", last("metrics.csv", "trac_scale")),
        ("uphill_eval_return_mean", last("evaluations.csv", "return_mean")),
    ] {
        let said = text.lines().find_map(|text| text.strip_prefix(&format!("{line}{{run=\"a \\\"run\\\"\"}} ")));
        assert_eq!(said.map(|said| said.parse::<f32>()), Some(Ok(value)), "{line} in {text}");
        assert!(text.contains(&format!("# TYPE {line} gauge\n")), "{text}");
    }
    assert!(
        text.lines()
            .all(|line| line.starts_with("# HELP") || line.starts_with("# TYPE") || line.starts_with("uphill_"))
    );
}
