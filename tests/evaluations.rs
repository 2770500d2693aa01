//! Evaluations in the midst of training: training does not notice them, a kill does not change them, and what they say ends it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evaluated::{NEVER, begun, config, ended, go_on, left, steps};
use safetensors::SafeTensors;
use uphill::optim::{Chain, Context, GradientTransform, Make, Row, Slot};
use uphill::words::Param;
use uphill::{
    Catalogue, Checkpoint, Config, Error, Evaluated, Event, Metrics, Mode, OnDivergence, Policy, Result, RunFolder,
    Seed, Sink, StopAt, StoppedBy, Trainer,
};

mod endless;
mod evaluated;

/// Runs whose policies have each something of their own: a memory, scales, frames, masks, images, an average.
fn kinds() -> Vec<Config> {
    let config = || Config { steps: 320, eval_episodes: 3, ..config() };
    let scaled = Config { normalize_observation: true, normalize_reward: true, ..config() };
    let averaged = |optimizer: &str| Config { optimizer: optimizer.parse().expect("a spec"), ..config() };
    vec![
        Config { eval_deterministic: false, ..config() },
        Config { env: "Pendulum-v1".into(), normalize_value: true, ..scaled.clone() },
        Config { env: "PendulumNoVelocity-v0".into(), model: "gru".into(), ..scaled.clone() },
        Config { env: "RepeatPrevious-v0".into(), model: "lstm".into(), ..config() },
        Config { env: "CartPole-v1".into(), frame_stack: 3, ..scaled },
        Config { env: "Taxi-v3".into(), eval_deterministic: false, ..config() },
        Config { env: "GridWorld-4x4-v0(observation=image)".into(), model: "minatar_cnn".into(), ..config() },
        Config { env: "Pendulum-v1".into(), distribution: "gsde".into(), ..config() },
        averaged("ema(0.9) | adam"),
        averaged("schedule_free_adamw"),
    ]
}

/// All arrays of a checkpoint but those of evaluations.
fn arrays(trainer: &mut Trainer) -> BTreeMap<String, Vec<u8>> {
    let bytes = trainer.checkpoint().expect("a state").to_bytes().expect("a file");
    let file = SafeTensors::deserialize(&bytes).expect("a file");
    let own = file.iter().filter(|(name, _)| !name.starts_with("best_by_eval."));
    own.map(|(name, array)| (name.to_string(), array.data().to_vec())).collect()
}

#[test]
fn training_does_not_notice_that_it_is_evaluated() {
    for kind in kinds() {
        let mut ends = Vec::new();
        for (eval_every, threads) in [(0, 1), (100, 1), (100, 3), (1, 3)] {
            // What only evaluations have is left out without them, as it must be.
            let config = match eval_every {
                0 => Config { eval_every, eval_episodes: 20, eval_deterministic: true, threads, ..kind.clone() },
                _ => Config { eval_every, threads, ..kind.clone() },
            };
            let mut trainer = Trainer::new(&config).expect("a trainer");
            let (rows, evaluations) = go_on(&mut trainer, usize::MAX);
            let due = if eval_every == 0 { 0 } else { rows.len().min(320 / eval_every as usize) };
            assert_eq!(evaluations.len(), due, "{} every {eval_every}", kind.env);
            let arrays = arrays(&mut trainer);
            let policy = trainer.into_policy().expect("a policy").params().snapshot().expect("values");
            ends.push((rows, arrays, policy.into_iter().map(f32::to_bits).collect::<Vec<_>>()));
        }
        assert!(ends.windows(2).all(|two| two[0] == two[1]), "{} {} {}", kind.env, kind.model, kind.optimizer);
    }
}

#[test]
fn what_is_evaluated_is_the_policy_that_the_trainer_would_become() {
    for kind in kinds() {
        let evaluations = go_on(&mut Trainer::new(&kind).expect("a trainer"), usize::MAX).1;
        assert_eq!(evaluations, go_on(&mut Trainer::new(&Config { threads: 3, ..kind.clone() }).expect("one"), 99).1);
        let mut seen = Vec::new();
        for Evaluated { update, env_steps, is_best, evaluation } in evaluations {
            let mut twin = Trainer::new(&kind).expect("a trainer");
            go_on(&mut twin, update as usize);
            assert_eq!(twin.env_steps(), env_steps);
            let seed = Seed(Seed(kind.seed).derive("evaluations", update));
            let mut rng = seed.stream("evaluation_actions", 0);
            let mode = if kind.eval_deterministic { Mode::Likeliest } else { Mode::Sampled(&mut rng) };
            let mut policy = twin.into_policy().expect("a policy");
            assert_eq!(policy.evaluate_with(kind.eval_episodes, seed, mode).expect("episodes"), evaluation);
            let lengths: u32 = evaluation.lengths.iter().flatten().sum();
            assert_eq!(evaluation.length_mean, Some(f64::from(lengths) / 3.0));
            assert_eq!(is_best, seen.iter().all(|before| *before < evaluation.return_mean), "{update}");
            seen.push(evaluation.return_mean);
        }
        assert_eq!(seen.len(), 3, "{}", kind.env);
    }
}

#[test]
fn an_evaluation_after_an_update_that_passed_several_multiples_is_one() {
    let config = Config { eval_every: 30, steps: 200, ..config() };
    let steps = go_on(&mut Trainer::new(&config).expect("a trainer"), 99).1;
    assert_eq!(steps.iter().map(|one| one.env_steps).collect::<Vec<_>>(), [64, 128, 192, 256]);
}

#[test]
fn a_run_that_was_killed_and_resumed_leaves_the_same_evaluations() {
    let home = tempfile::tempdir().expect("a folder");
    let config =
        Config { optimizer: "ema(0.9) | adam".parse().expect("a spec"), normalize_observation: true, ..config() };
    let (whole, broken) = (home.path().join("whole"), home.path().join("broken"));
    let (mut run, mut trainer) = begun(&whole, &config, NEVER);
    steps(&mut run, &mut trainer, usize::MAX);
    let best = trainer.best_by_eval().expect("a best").clone();
    let summary = run.finish(trainer).expect("an end");
    assert_eq!((summary.best_eval_return_mean, summary.best_eval_update), (Some(best.return_mean), Some(best.update)));
    let text = fs::read_to_string(whole.join("evaluations.csv")).expect("a file");
    assert_eq!(text.lines().count(), 1 + 6, "{text}");
    assert!(
        text.starts_with("update,env_steps,episodes,cut,return_mean,return_std,return_min,length_mean\n2,128,5,0,")
    );
    let policy = Policy::load_best_by_eval(&whole).expect("a policy");
    assert_eq!(policy.params().snapshot().expect("values"), best.params);
    assert_eq!(*policy.params().buffers(), best.buffers);

    // Killed after an evaluation was due, after it was made, and in the middle of a row.
    let (mut run, mut trainer) = begun(&broken, &config, NEVER);
    for (updates, more) in [(2, 3), (1, 1), (4, 2)] {
        steps(&mut run, &mut trainer, updates);
        run.save(&mut trainer).expect("a checkpoint");
        steps(&mut run, &mut trainer, more);
        drop((run, trainer));
        let rows = fs::read_to_string(broken.join("evaluations.csv")).expect("a file");
        fs::write(broken.join("evaluations.csv"), rows + "9,5").expect("a write");
        let notes;
        (run, trainer, notes) = RunFolder::resume(&broken, Trainer::new).expect("it goes on");
        assert_eq!(notes, [""; 0]);
    }
    steps(&mut run, &mut trainer, usize::MAX);
    run.finish(trainer).expect("an end");
    assert_eq!(left(&broken), left(&whole));

    // Before there is a checkpoint it begins again; what others did to the file is noticed.
    let again = home.path().join("again");
    let (mut run, mut trainer) = begun(&again, &config, NEVER);
    steps(&mut run, &mut trainer, 5);
    drop((run, trainer));
    let (mut run, mut trainer, _) = RunFolder::resume(&again, Trainer::new).expect("it begins again");
    steps(&mut run, &mut trainer, 5);
    fs::remove_file(again.join("evaluations.csv")).expect("removed");
    steps(&mut run, &mut trainer, usize::MAX);
    let notes = run.take_notes();
    assert!(notes.len() == 1 && notes[0].contains("evaluations.csv was removed: it is there again"), "{notes:?}");
    run.finish(trainer).expect("an end");
    assert_eq!(left(&again), left(&whole));
}

#[test]
fn a_run_replaced_by_force_has_none_of_the_evaluations_before() {
    let home = tempfile::tempdir().expect("a folder");
    let (mut run, mut trainer) = begun(home.path(), &config(), NEVER);
    steps(&mut run, &mut trainer, usize::MAX);
    run.finish(trainer).expect("an end");
    let without = Config { eval_every: 0, eval_episodes: 20, ..config() };
    drop(RunFolder::create(home.path(), &without, true).expect("a folder"));
    assert_eq!(left(home.path())[..4], vec![Vec::<u8>::new(); 4]);
}

#[test]
fn training_stops_at_a_return_by_evaluation_and_says_so() {
    let home = tempfile::tempdir().expect("a folder");
    let ppo = Config { env: "GridWorld-4x4-v0".into(), ..Config::for_algo("ppo").expect("an algorithm") };
    let own = Config { steps: 50_000, hidden: vec![16], lr: 2e-3, eval_every: 1_000, eval_episodes: 5, ..ppo };
    for (name, stop_at_return) in [("number", 0.9.into()), ("threshold", StopAt::RewardThreshold)] {
        let path = home.path().join(name);
        let config = Config { stop_at_return, ..own.clone() };
        let (mut run, mut trainer) = begun(&path, &config, NEVER);
        steps(&mut run, &mut trainer, usize::MAX);
        assert!(trainer.is_done() && trainer.env_steps() < config.steps / 2, "{}", trainer.env_steps());
        assert_eq!(trainer.stopped_by(), Some(StoppedBy::StopAtReturn));
        assert!(trainer.advance().expect("it is over").is_none());
        run.save(&mut trainer).expect("a checkpoint");
        let summary = run.finish(trainer).expect("an end");
        assert!(summary.finished && summary.best_eval_return_mean >= Some(0.9));
        let json = fs::read_to_string(path.join("summary.json")).expect("a summary");
        assert!(json.contains("\"stopped_by\": \"stop_at_return\"") && json.contains("\"finished\": true"), "{json}");
        let (run, trainer, _) = RunFolder::resume(&path, Trainer::new).expect("a run");
        assert!(run.is_finished(&trainer), "it stays stopped");
        assert_eq!(trainer.stopped_by(), Some(StoppedBy::StopAtReturn));
    }
    assert_eq!(left(&home.path().join("number"))[..4], left(&home.path().join("threshold"))[..4]);
}

#[test]
fn training_stops_after_evaluations_without_improvement_however_often_it_is_resumed() {
    // A learning rate of 0: the policy is the same all along, and its return hangs on the starts alone.
    let config = Config { lr: 0.0, anneal_lr: false, eval_every: 64, stop_without_improvement: 3, ..config() };
    let config = Config { env: "CartPole-v1".into(), steps: 6_400, ..config };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let (rows, evaluations) = go_on(&mut trainer, usize::MAX);
    assert_eq!((trainer.stopped_by(), rows.len()), (Some(StoppedBy::StopWithoutImprovement), evaluations.len()));
    let last_best = evaluations.iter().rposition(|one| one.is_best).expect("the first");
    assert_eq!(evaluations.len(), last_best + 1 + 3);
    let runs: Vec<usize> = evaluations.split(|one| one.is_best).map(<[_]>::len).collect();
    assert!(runs.iter().rev().skip(1).all(|&row| row < 3), "{runs:?}");

    let mut again = (Vec::new(), Vec::new());
    let mut trainer = Trainer::new(&config).expect("a trainer");
    while !trainer.is_done() {
        let (rows, evaluations) = go_on(&mut trainer, 1);
        again.0.extend(rows);
        again.1.extend(evaluations);
        let bytes = trainer.checkpoint().expect("a state").to_bytes().expect("a file");
        trainer = Trainer::resume(&Checkpoint::from_bytes(&bytes).expect("a checkpoint")).expect("a trainer");
    }
    assert_eq!(again, (rows, evaluations));
    // Without the rule it goes on.
    let config = Config { stop_without_improvement: 0, ..config };
    assert_eq!(go_on(&mut Trainer::new(&config).expect("a trainer"), usize::MAX).0.len(), 100);
}

#[test]
fn a_cut_episode_is_no_return_and_no_improvement() {
    let home = tempfile::tempdir().expect("a folder");
    let cut = Config { stop_without_improvement: 2, eval_every: 64, eval_episodes: 5, ..endless::endless("a2c") };
    let make = |config: &Config| Trainer::with_envs(config, |lanes| endless::Endless::new(None).lanes(lanes));
    let mut run = RunFolder::create(home.path(), &cut, false).expect("a folder");
    let mut trainer = make(&cut).expect("a trainer");
    steps(&mut run, &mut trainer, usize::MAX);
    assert!(trainer.best_by_eval().is_none());
    assert_eq!((trainer.stopped_by(), trainer.updates()), (Some(StoppedBy::StopWithoutImprovement), 13));
    run.save(&mut trainer).expect("a checkpoint");
    drop(run);
    let text = fs::read_to_string(home.path().join("evaluations.csv")).expect("a file");
    assert!(text.lines().skip(1).all(|row| row.ends_with(",5,5,,,,")) && text.lines().count() == 3, "{text}");
    let (_, trainer, _) = RunFolder::resume(home.path(), make).expect("a run");
    assert!(trainer.is_done());
    let early = home.path().join("early");
    let (mut run, mut trainer) = begun(&early, &config(), NEVER);
    run.save(&mut trainer).expect("a checkpoint");
    let said = Policy::load_best_by_eval(&early).err().expect("none").to_string();
    assert!(said.contains("there is no best_by_eval.safetensors here") && said.contains("eval_every"), "{said}");
}

#[test]
fn an_evaluation_that_is_broken_off_comes_again() {
    // In so slow a world that an evaluation takes four seconds; two are borne.
    let config = Config { eval_every: 1, eval_episodes: 1, ..endless::endless("a2c") };
    let make = || {
        Trainer::with_envs(&config, |lanes| {
            let pause = Duration::from_millis(if lanes == 1 { 400 } else { 0 });
            endless::Endless { pause, ..endless::Endless::new(Some(10)) }.lanes(lanes)
        })
    };
    let (mut whole, mut broken) = (make().expect("a trainer"), make().expect("a trainer"));
    let flag = Arc::new(AtomicBool::new(false));
    let asked = flag.clone();
    broken.stop_when(move || asked.load(Ordering::Relaxed));
    for trainer in [&mut whole, &mut broken] {
        go_on(trainer, 1);
    }
    flag.store(true, Ordering::Relaxed);
    let error = broken.advance().expect_err("broken off");
    assert!(matches!(error, Error::Interrupted), "{error}");
    assert_eq!(broken.take_evaluations(), []);
    broken.checkpoint().expect("a whole state");
    flag.store(false, Ordering::Relaxed);
    let evaluated = broken.advance().expect("it is due still");
    assert!(matches!(evaluated, Some(Event::Evaluation(_))) && evaluated == whole.advance().expect("an evaluation"));
}

/// An optimizer one of whose updates is finite and leaves a policy that is not.
#[derive(Debug)]
struct Overflowing;

impl GradientTransform for Overflowing {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        match context.when.update {
            7 => gradient.fill(3e38),
            _ => gradient.iter_mut().for_each(|x| *x *= -0.01),
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, _: &mut dyn FnMut(&str, Slot<'a>)) {}
}

const OVERFLOWING: Row = Row {
    name: "overflowing",
    summary: "goes too far once",
    params: &[Param::lr("0.01")],
    make: Make::Recipe(|_| Ok(Chain::new().then(Overflowing))),
};

#[test]
fn a_policy_that_overflows_in_an_evaluation_is_a_divergence_as_any_other() {
    let (a2c, optimizer) = (Config::for_algo("a2c").expect("an algorithm"), "overflowing".parse().expect("a spec"));
    let own = Config { optimizer, lr: 0.01, envs: 2, n_steps: 8, hidden: vec![4], steps: 320, ..a2c };
    let own = Config { env: "GridWorld-4x4-v0".into(), eval_every: 1, eval_episodes: 3, ..own };
    let own = Config { catalogue: Catalogue::default().with(OVERFLOWING), ..own };
    let run = |on_divergence, broken_at: Option<usize>| {
        let config = Config { on_divergence, ..own.clone() };
        let mut trainer = Trainer::new(&config).expect("a trainer");
        let (mut seen, mut events) = (Vec::new(), 0);
        loop {
            if broken_at == Some(events) {
                let bytes = trainer.checkpoint().expect("a state").to_bytes().expect("a file");
                trainer = Trainer::new(&config).expect("a trainer");
                trainer.restore(&Checkpoint::from_bytes(&bytes).expect("a checkpoint")).expect("the same run");
            }
            events += 1;
            match trainer.advance() {
                Ok(Some(Event::Update(metrics))) => seen.push(format!("{}", metrics.update)),
                Ok(Some(Event::Evaluation(it))) => seen.push(format!("{} {:?}", it.update, it.evaluation.returns)),
                Ok(None) => return (seen, trainer, None),
                Err(error) => return (seen, trainer, Some(error.to_string())),
            }
        }
    };
    let (seen, _, error) = run(OnDivergence::Stop, None);
    assert_eq!(seen.len(), 6 + 7);
    let said = error.expect("it stops");
    assert!(said.starts_with("update 7: one of the policy's outputs ") && said.contains("is not finite; "), "{said}");
    for how in [OnDivergence::Skip, OnDivergence::Rollback] {
        let (whole, mut trainer, error) = run(how, None);
        assert_eq!((error, whole.len(), trainer.divergences(), trainer.updates()), (None, 2 * 20, 1, 20));
        let notes = trainer.take_notes();
        assert!(notes.len() == 1 && notes[0].starts_with("update 7: one of the policy's outputs"), "{notes:?}");
        let end = trainer.params().snapshot().expect("values");
        for broken_at in [12, 13, 14] {
            let (seen, trainer, error) = run(how, Some(broken_at));
            assert_eq!((error, seen, trainer.divergences()), (None, whole.clone(), 1), "{how:?} at {broken_at}");
            assert_eq!(trainer.params().snapshot().expect("values"), end);
        }
    }
}

/// Evaluations, as a sink has them.
#[derive(Default, Clone)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Sink for Kept {
    fn row(&mut self, metrics: &Metrics) -> Result<()> {
        self.0.lock().expect("a lock").push(format!("update {}", metrics.update));
        Ok(())
    }

    fn evaluation(&mut self, evaluated: &Evaluated) -> Result<()> {
        self.0.lock().expect("a lock").push(format!("evaluation {}", evaluated.update));
        Ok(())
    }

    fn sync(&mut self) -> Result<String> {
        Ok(self.0.lock().expect("a lock").len().to_string())
    }

    fn resume(&mut self, _: Option<&str>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_of_one_s_own_has_each_evaluation_after_the_update_before_it() {
    let home = tempfile::tempdir().expect("a folder");
    let (run, mut trainer) = begun(home.path(), &config(), NEVER);
    let kept = Kept::default();
    let mut run = run.with_sink("kept", Box::new(kept.clone())).expect("a sink");
    trainer
        .run(|trainer, event| {
            if let Event::Update(metrics) = &event {
                run.log(metrics).expect("a row");
            }
            run.save_if_due(trainer).expect("a row");
            ControlFlow::<()>::Continue(())
        })
        .expect("it goes on");
    let seen = kept.0.lock().expect("a lock").clone();
    assert_eq!(seen[..5], ["update 1", "update 2", "evaluation 2", "update 3", "update 4"]);
    assert_eq!(seen.len(), 10 + 6);
    let said = run.with_sink("evaluations", Box::new(kept)).err().expect("taken").to_string();
    assert!(said.contains("two sinks are called `evaluations`"), "{said}");
}

#[test]
fn a_caller_looks_at_each_update_and_each_evaluation_and_ends_training() {
    let mut trainer = Trainer::new(&config()).expect("a trainer");
    let mut seen = Vec::new();
    let broke = trainer
        .run(|trainer, event| {
            match event {
                Event::Update(metrics) => seen.push((metrics.update, 'u')),
                Event::Evaluation(evaluated) => seen.push((evaluated.update, 'e')),
            }
            if trainer.updates() == 4 && seen.len() == 6 {
                ControlFlow::Break("enough")
            } else {
                ControlFlow::Continue(())
            }
        })
        .expect("it goes on");
    assert_eq!(broke, Some("enough"));
    assert_eq!(seen, [(1, 'u'), (2, 'u'), (2, 'e'), (3, 'u'), (4, 'u'), (4, 'e')]);
    // It can be gone on with, and comes to the end by itself.
    let mut rest = 0;
    let broke = trainer.run(|_, _| {
        rest += 1;
        ControlFlow::<()>::Continue(())
    });
    assert_eq!((broke.expect("it goes on"), rest, trainer.is_done()), (None, 6 + 4, true));
    let mut whole = Trainer::new(&config()).expect("a trainer");
    go_on(&mut whole, usize::MAX);
    assert_eq!(trainer.params().snapshot().expect("values"), whole.params().snapshot().expect("values"));
}

#[test]
fn two_trainers_in_two_threads_do_what_each_does_alone() {
    let bits = |mut trainer: Trainer| {
        let made = go_on(&mut trainer, usize::MAX);
        (made, trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect::<Vec<_>>())
    };
    let configs =
        [Config { threads: 2, ..config() }, Config { threads: 3, seed: 2, env: "CartPole-v1".into(), ..config() }];
    let trainer = |config: &Config| Trainer::new(config).expect("a trainer");
    let alone = configs.each_ref().map(|config| bits(trainer(config)));
    let together = std::thread::scope(|scope| {
        let both = configs.each_ref().map(|config| scope.spawn(move || bits(trainer(config))));
        both.map(|one| one.join().expect("a thread"))
    });
    assert_eq!(alone, together);
    assert_ne!(alone[0].1, alone[1].1);
}

#[test]
fn what_says_something_of_evaluations_that_there_are_not_is_refused() {
    for (text, name, remedy) in [
        ("eval_episodes = 5", "eval_episodes has no effect", "or set eval_every = 10_000"),
        ("eval_deterministic = false", "eval_deterministic has no effect", "set eval_every"),
        ("stop_at_return = 475", "stop_at_return has no effect", "set eval_every"),
        ("stop_at_return = 'reward_threshold'", "stop_at_return has no effect", "set eval_every"),
        ("stop_without_improvement = 5", "stop_without_improvement has no effect", "set eval_every"),
        ("steps = 1000\neval_every = 1001", "eval_every = 1001 is impossible", "at most steps, which is 1000"),
        ("eval_every = 100\neval_episodes = 0", "eval_episodes = 0 is impossible", "1 to 65536"),
        ("eval_every = 100\nstop_at_return = nan", "stop_at_return = NaN is impossible", "must be a return"),
        (
            "eval_every = 100\nstop_at_return = 'solved'",
            "stop_at_return = \"solved\" is impossible",
            "reward_threshold",
        ),
        ("continued = [5]", "continued = [5] is impossible", "pairs of numbers"),
        ("steps = 10\ncontinued = [10, 10]", "continued = [10, 10] is impossible", "stay below steps"),
    ] {
        let said = Config::from_toml(text).expect_err(text).to_string();
        assert!(said.starts_with(name) && said.contains(remedy), "{text}: {said}");
    }
    let code = Config { eval_every: 0, ..config() }.validate().expect_err("refused").to_string();
    assert!(code.starts_with("eval_episodes has no effect"), "{code}");
    for said in ["eval_every = 100", "eval_every = 100\nstop_at_return = -1\nstop_without_improvement = 2"] {
        let config = Config::from_toml(said).expect(said);
        assert_eq!(Config::from_toml(&config.to_toml().expect("text")).expect("the same"), config);
    }
    let none = Config { env: "Pendulum-v1".into(), stop_at_return: StopAt::RewardThreshold, ..config() };
    let said = Trainer::new(&none).err().expect("no threshold").to_string();
    assert_eq!(
        said,
        "stop_at_return = reward_threshold is impossible: Pendulum-v1 has no such threshold; give a number"
    );
    let large = Config { eval_episodes: 60_000, max_memory: 0.01, ..config() };
    let said = Trainer::new(&large).err().expect("no room").to_string();
    assert!(said.contains("max_memory = 0.01 GiB"), "{said}");
}

#[cfg(feature = "pictures")]
#[test]
fn the_picture_of_a_run_has_its_evaluations_beside_its_returns() {
    use uphill::plot::{PlotOptions, RecordedRun, reward_curve};

    let home = tempfile::tempdir().expect("a folder");
    ended(home.path(), &config());
    let picture = || fs::read(home.path().join("reward.png")).expect("a picture");
    let both = picture();
    let (run, trainer, _) = RunFolder::resume(home.path(), Trainer::new).expect("a run");
    let options = PlotOptions { threshold: trainer.spec().reward_threshold, ..PlotOptions::default() };
    let plain = home.path().join("plain.png");
    reward_curve(&[RecordedRun::read(home.path()).expect("a run")], &options, &plain).expect("a picture");
    let plain = fs::read(plain).expect("a picture");
    assert!(both != plain, "a second curve");
    run.finish(trainer).expect("the same end");
    assert!(picture() == both, "the same picture");
    // Without them it is the curve alone.
    fs::remove_file(home.path().join("evaluations.csv")).expect("removed");
    let (run, trainer, _) = RunFolder::resume(home.path(), Trainer::new).expect("a run");
    run.finish(trainer).expect("the same end");
    assert!(picture() == plain, "one curve");
}
