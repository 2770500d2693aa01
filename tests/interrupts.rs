//! What takes long is broken off where a flag says so: nothing is lost, and what goes on goes on with the same bits.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use uphill::distributions::Distribution;
use uphill::envs::End;
use uphill::objective::{Entropy, Objective, RowSums};
use uphill::optim::{Chain, Context, GradientTransform, Make, Row, Slot, scale_by_learning_rate};
use uphill::rollout::{Estimate, Minibatch};
use uphill::words::Param;
use uphill::{
    Catalogue, Config, Error, MakeEnvs, MlpModel, Mode, Model, Overrides, Params, Policy, Result, Rollout, RunFolder,
    Scratch, Seed, Stop, Threads, Trainer,
};

mod endless;
mod programs;
mod running;

use running::Running;

use endless::{Endless, endless};

/// A flag, and what asks it.
fn flag() -> (Arc<AtomicBool>, impl Fn() -> bool + Send + Sync + 'static) {
    let flag = Arc::new(AtomicBool::new(true));
    let asked = flag.clone();
    (flag, move || asked.load(Ordering::Relaxed))
}

fn tenths(count: u64, stop: Stop<'_>) -> Result<()> {
    (0..count).try_for_each(|_| {
        std::thread::sleep(Duration::from_millis(100));
        stop.check()
    })
}

/// An optimizer whose steps take so many tenths of a second, by their number.
#[derive(Debug)]
struct Slow(u64, fn(u64) -> u64);

impl GradientTransform for Slow {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.0 += 1;
        gradient[0] += self.0 as f32;
        tenths(self.1(self.0), context.stop)
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("steps", Slot::Count(&mut self.0));
    }

    fn make_room(&mut self, _: &uphill::Layout) -> Result<()> {
        Ok(())
    }
}

const fn slow(name: &'static str, make: fn(&uphill::optim::Args<'_>) -> Result<Chain>) -> Row {
    Row { name, summary: "takes its time", params: RATE, make: Make::Recipe(make) }
}

const RATE: &[Param] = &[Param::lr("0.001")];

const SLOW: Row = slow("slow", |args| steps_of(args, |_| 1));
const LONG: Row = slow("long", |args| steps_of(args, |_| 40));
const THIRD: Row = slow("third", |args| {
    steps_of(args, |step| match step {
        1 => 12,
        3 => 40,
        _ => 0,
    })
});

fn steps_of(args: &uphill::optim::Args<'_>, tenths: fn(u64) -> u64) -> Result<Chain> {
    Ok(Chain::new().then(Slow(0, tenths)).then(scale_by_learning_rate(args.schedule("lr")?)))
}

/// A network whose gradients take four seconds.
struct LongGradient(MlpModel);

impl Model for LongGradient {
    fn observation_len(&self) -> usize {
        self.0.observation_len()
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        self.0.distribution()
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        self.0.forward(params, observation)
    }

    fn host_gradient(
        &self,
        params: &Params,
        batch: Minibatch<'_>,
        objective: &dyn Objective,
        scratch: &mut Scratch,
        gradient: &mut Vec<f32>,
        sums: &mut RowSums,
    ) -> Result<Option<f64>> {
        tenths(40, batch.stop)?;
        self.0.host_gradient(params, batch, objective, scratch, gradient, sums)
    }
}

fn make(config: &Config, pause: Duration, long_gradient: bool) -> Trainer {
    let envs: MakeEnvs = Arc::new(move |lanes| Endless { pause, ..Endless::new(Some(7)) }.lanes(lanes));
    let catalogue = [SLOW, LONG, THIRD].into_iter().fold(Catalogue::default(), Catalogue::with);
    let mut parts = Overrides { envs: Some(envs), ..Overrides::default() };
    if long_gradient {
        parts.network = Some(Box::new(|spec, device| {
            let (params, network) = MlpModel::new(spec, &config.mlp(), Seed(config.seed), device)?;
            Ok((params, Box::new(LongGradient(network))))
        }));
    }
    Trainer::with(&Config { catalogue, ..config.clone() }, parts).expect("a trainer")
}

/// Two trainers of one kind take some updates. Then the next of one is broken off after a while, and goes on: the same bits
/// as if nothing had happened.
fn breaks_off(make: impl Fn() -> Trainer, updates: u64) {
    let (mut whole, mut broken) = (make(), make());
    let (stop, asked) = flag();
    stop.store(false, Ordering::Relaxed);
    broken.stop_when(asked);
    for trainer in [&mut whole, &mut broken] {
        (0..updates).for_each(|_| assert!(trainer.step().expect("an update").is_some()));
    }
    stop.store(true, Ordering::Relaxed);
    let before = (broken.env_steps(), broken.history().episodes(), broken.updates());
    let error = broken.step().expect_err("broken off");
    assert!(matches!(error, Error::Interrupted), "{error}");
    assert_eq!((broken.env_steps(), broken.history().episodes(), broken.updates()), before);
    broken.checkpoint().expect("a whole state");
    stop.store(false, Ordering::Relaxed);
    let of = |trainer: &mut Trainer| {
        let metrics = trainer.step().expect("an update").expect("more to do");
        let metrics = uphill::Metrics { steps_per_second: 0.0, ..metrics };
        (metrics, trainer.params().snapshot().expect("values"))
    };
    assert_eq!(of(&mut broken), of(&mut whole));
}

/// Updates of so many minibatches, once or more often.
fn minibatches(optimizer: &str, n_minibatches: usize, n_epochs: usize) -> Config {
    let optimizer = optimizer.parse().expect("a spec");
    Config { optimizer, lr: 1e-3, n_steps: 8, n_minibatches, n_epochs, ..endless("ppo") }
}

#[test]
fn a_rollout_that_takes_long_is_broken_off_and_begun_again() {
    let config = Config { n_steps: 300, ..minibatches("adam", 2, 1) };
    breaks_off(|| make(&config, Duration::from_millis(5), false), 0);
}

#[test]
fn learning_that_takes_long_is_broken_off_and_begun_again() {
    breaks_off(|| make(&minibatches("slow", 4, 8), Duration::ZERO, false), 0);
}

#[test]
fn one_long_step_of_an_optimizer_is_broken_off_and_begun_again() {
    breaks_off(|| make(&minibatches("long", 1, 1), Duration::ZERO, false), 0);
}

#[test]
fn one_long_gradient_is_broken_off_and_begun_again() {
    breaks_off(|| make(&minibatches("adam", 1, 1), Duration::ZERO, true), 0);
}

#[test]
fn what_is_long_every_few_steps_is_broken_off_though_the_update_before_was_short() {
    breaks_off(|| make(&minibatches("third", 1, 1), Duration::ZERO, false), 2);
}

#[test]
fn a_gradient_on_the_host_asks_every_few_hundred_rows_whether_to_go_on() {
    const ROWS: usize = 5_000;
    let env = Endless::new(None).lanes(1).expect("a lane");
    let config = endless("ppo");
    let rollout = Rollout {
        observation: vec![0.1; 2 * ROWS].into(),
        action: vec![1; ROWS].into(),
        log_prob: vec![-0.7; ROWS],
        value: vec![0.0; ROWS],
        end: vec![End::Not; ROWS],
        ..Rollout::new(1, 2)
    };
    let estimate = Estimate { advantage: vec![0.5; ROWS], target: vec![0.5; ROWS], ..Estimate::default() };
    let places: Vec<usize> = (0..ROWS).collect();
    for threads in [1, 3] {
        let (params, network) = MlpModel::new(env.spec(), &config.mlp(), Seed(1), &Device::Cpu).expect("a network");
        let network = network.on(Threads::new(threads).expect("threads"));
        let (asked, mut sums) = (AtomicUsize::new(0), RowSums::default());
        let mut gradient = |no: usize| {
            asked.store(0, Ordering::Relaxed);
            let flag = || asked.fetch_add(1, Ordering::Relaxed) == no;
            let batch = Minibatch {
                rollout: &rollout,
                estimate: &estimate,
                places: &places,
                advantage: &estimate.advantage,
                stop: Stop::when(&flag),
            };
            let mut gradient = Vec::new();
            let loss =
                network.host_gradient(&params, batch, &Entropy, &mut Scratch::default(), &mut gradient, &mut sums);
            (loss, gradient, asked.load(Ordering::Relaxed))
        };
        let (loss, whole, asked) = gradient(usize::MAX);
        let loss = loss.expect("a gradient").expect("fused");
        assert!((ROWS / 256..ROWS / 100).contains(&asked), "{asked} times");
        for no in 0..asked {
            let (outcome, _, _) = gradient(no);
            assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?} after {no}");
        }
        // And nothing is left of that.
        let (again, same, _) = gradient(usize::MAX);
        assert_eq!((again.expect("a gradient"), same), (Some(loss), whole));
    }
}

#[test]
fn acting_asks_every_few_hundred_observations_whether_to_go_on() {
    let mut policy = make(&minibatches("adam", 1, 1), Duration::ZERO, false).into_policy().expect("a policy");
    let (asked, observation) = (Arc::new(AtomicUsize::new(0)), vec![0.5; 2 * 5_000]);
    let (counter, no) = (asked.clone(), Arc::new(AtomicUsize::new(usize::MAX)));
    let (last, mut memory) = (no.clone(), policy.memory(5_000));
    policy.stop_when(move || counter.fetch_add(1, Ordering::Relaxed) == last.load(Ordering::Relaxed));
    assert_eq!(policy.act(&observation, &mut memory, Mode::Likeliest).expect("actions").len(), 5_000);
    let asks = asked.swap(0, Ordering::Relaxed);
    assert!((5_000 / 256..5_000 / 100).contains(&asks), "{asks} times");
    no.store(asks - 1, Ordering::Relaxed);
    assert!(matches!(policy.act(&observation, &mut memory, Mode::Likeliest), Err(Error::Interrupted)));
    assert_eq!(asked.load(Ordering::Relaxed), asks);
}

#[test]
fn an_evaluation_is_broken_off_and_is_the_same_when_it_is_begun_again() {
    let config = Config { steps: 32, ..minibatches("adam", 1, 1) };
    let mut policy = make(&config, Duration::from_millis(5), false).into_policy().expect("a policy");
    let whole = policy.evaluate(20, Seed(1)).expect("an evaluation");
    let (stop, asked) = flag();
    policy.stop_when(asked);
    assert!(matches!(policy.evaluate(20, Seed(1)), Err(Error::Interrupted)));
    stop.store(false, Ordering::Relaxed);
    assert_eq!(policy.evaluate(20, Seed(1)).expect("an evaluation"), whole);
}

#[test]
fn a_run_whose_last_evaluation_was_broken_off_has_its_policy_and_is_finished_when_resumed() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("run");
    let config = Config { steps: 16, ..minibatches("adam", 1, 1) };
    // Of an environment's step in each of a hundred lanes: half a second. The whole evaluation takes three and a half.
    let make = |config: &Config| Ok(make(config, Duration::from_millis(5), false));
    let mut trainer = make(&config).expect("a trainer");
    let (_, asked) = flag();
    trainer.stop_when(asked);
    let mut run = RunFolder::create(&path, &config, false).expect("a folder");
    run.log(&trainer.step().expect("an update").expect("one")).expect("room");
    assert!(trainer.step().expect("the end").is_none());
    run.save(&mut trainer).expect("room");
    let outcome = run.finish(trainer);
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");
    let policy = std::fs::read(path.join("policy.safetensors")).expect("it is kept");
    assert!(!path.join("summary.json").exists());

    let (run, mut trainer, notes) = RunFolder::resume(&path, make).expect("a run");
    assert!(notes.is_empty() && !run.is_finished(&trainer), "{notes:?}");
    assert!(trainer.step().expect("the end").is_none());
    let summary = run.finish(trainer).expect("an evaluation");
    assert!(summary.finished && summary.eval.episodes == 100, "{summary:?}");
    assert_eq!(std::fs::read(path.join("policy.safetensors")).expect("a policy"), policy);
    let (run, trainer, _) = RunFolder::resume(&path, make).expect("a run");
    assert!(run.is_finished(&trainer));
}

impl Running {
    fn new(program: &str, home: &Path, arguments: &str) -> Self {
        let mut command = programs::example(program);
        command.current_dir(home).args(arguments.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().expect("it starts"))
    }

    /// Sends a signal, and what the program says then and with which code it ends, within some seconds.
    fn ends_at(mut self, signal: &str) -> (Option<i32>, String) {
        let kill = std::process::Command::new("kill").args([signal, &self.0.id().to_string()]).status();
        assert!(kill.expect("kill runs").success());
        let begun = Instant::now();
        let code = loop {
            match self.0.try_wait().expect("a program") {
                Some(status) => break status.code(),
                None => assert!(begun.elapsed() < Duration::from_secs(10), "ten seconds later it has not ended"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let (out, said) = (self.0.stdout.take().expect("a pipe"), self.0.stderr.take().expect("a pipe"));
        (code, std::io::read_to_string(out).expect("text") + &std::io::read_to_string(said).expect("text"))
    }
}

#[cfg(unix)]
#[test]
fn programs_hear_ctrl_c_and_kill_while_they_evaluate() {
    let home = tempfile::tempdir().expect("a folder");
    // A goal that no beginner finds, and episodes that take for ever.
    let rows: Vec<String> = (0..12).map(|y| if y % 2 == 1 { "#".repeat(11) + "." } else { ".".repeat(12) }).collect();
    let map = format!("S{}\n{}\n{}", &rows[0][1..], rows[1..10].join("\n"), "G".to_owned() + &rows[10][1..]);
    let world = format!("map = '''\n{map}'''\nmax_episode_steps = 100000000\n");
    std::fs::write(home.path().join("w.toml"), world).expect("a file");
    let short = "--env w.toml --steps 64 --n-steps 32 --envs 2 --hidden 4 --out run --quiet";
    let train = Running::new("train", home.path(), short);
    let policy = home.path().join("run/policy.safetensors");
    let begun = Instant::now();
    while !policy.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "a minute has passed without a policy");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let (code, said) = train.ends_at("-TERM");
    assert_eq!(code, Some(130), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines[0], lines.len()), ("finishing what is under way; once more to leave at once", 2));
    // A whole command line: this program's own.
    let command = lines[1].strip_prefix("interrupted: `").and_then(|rest| rest.strip_suffix("` goes on with it"));
    let program = command.and_then(|command| command.strip_suffix(" --resume run")).expect("a command");
    assert_eq!(Path::new(program), programs::example("train").get_program());
    Policy::load(home.path().join("run")).expect("it is kept");
    assert!(!home.path().join("run/summary.json").exists());

    for (signal, more) in [("-INT", ""), ("-TERM", " --watch --max-steps 1000000000")] {
        let evaluate = Running::new("evaluate", home.path(), &format!("run --episodes 3{more}"));
        std::thread::sleep(Duration::from_millis(1_500));
        let (code, said) = evaluate.ends_at(signal);
        // What takes longer than a second is announced; the machine may be slower than that.
        assert!(code == Some(130) && ["", "judging the policy\n"].contains(&said.as_str()), "{code:?}: {said}");
    }
}
