//! Environments and optimizers that misbehave: what is said, what is kept, and how a run goes on.

use uphill::envs::{Action, Columns, Dynamics, End, Env, EnvError, Lanes, NumpyRng, Space, Spec, Step, VecEnv};
use uphill::optim::{Chain, Context, GradientTransform, Make, Row, Slot, scale_by_learning_rate};
use uphill::words::Param;
use uphill::{
    Catalogue, Checkpoint, Collector, Config, Error, Horizon, MlpConfig, MlpModel, OnDivergence, Result, RunFolder,
    Seed, Trainer,
};

/// What an environment does in a step.
type Deed = fn(&mut [f32]) -> Outcome<Step>;
type Outcome<T> = std::result::Result<T, EnvError>;

/// Counts its steps, and does something it must not in the seventh of an episode.
#[derive(Clone)]
struct Rogue {
    spec: Spec,
    deed: Deed,
    steps: u64,
}

impl Rogue {
    fn lanes(deeds: [Deed; 2]) -> Box<dyn VecEnv> {
        let spec = Spec {
            id: "Rogue-v0".into(),
            observation: Space::uniform_box(2, 0.0, 1.0),
            action: Space::Discrete { n: 2 },
            max_episode_steps: None,
            reward_threshold: None,
        };
        let lanes = deeds.map(|deed| Rogue { spec: spec.clone(), deed, steps: 0 });
        Box::new(Lanes::new(lanes.to_vec()).expect("lanes"))
    }
}

impl Env for Rogue {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Outcome<()> {
        self.steps = 0;
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, observation: &mut [f32]) -> Outcome<Step> {
        self.steps += 1;
        observation.fill(1.0 / self.steps as f32);
        if self.steps == 7 { (self.deed)(observation) } else { Ok(Step { reward: 1.0, end: End::Not }) }
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.steps);
        true
    }

    fn restore(&mut self, state: &[u64]) -> Outcome<()> {
        let &[steps] = state else { return Err(EnvError::Saved { problem: "expected a count" }) };
        self.steps = steps;
        Ok(())
    }
}

#[test]
fn an_environment_s_error_says_where_and_comes_again_from_the_state_before() {
    let good: Deed = |_| Ok(Step { reward: 1.0, end: End::Not });
    let deeds: [(Deed, &str); 5] = [
        (|_| Ok(Step { reward: f32::NAN, end: End::Not }), "the environment returned reward = NaN: it must be finite"),
        (
            |observation| {
                observation[1] = f32::NEG_INFINITY;
                Ok(Step { reward: 0.0, end: End::Not })
            },
            "the environment returned observation[1] = -inf: it must be finite",
        ),
        (|_| panic!("out of rope"), "the environment panicked: out of rope"),
        (
            |_| Err(EnvError::NeedsReset),
            "step called on an environment that needs a reset: its episode has ended or never began",
        ),
        (
            |_| Err(EnvError::Length { what: "observation", expected: 3, got: 2 }),
            "observation has length 2, expected 3",
        ),
    ];
    for (deed, said) in deeds {
        let envs = Rogue::lanes([good, deed]);
        let spec = envs.spec().clone();
        let (params, network) =
            MlpModel::new(&spec, &MlpConfig::default(), Seed(0), &candle_core::Device::Cpu).expect("a network");
        let mut collector = Collector::new(envs, Seed(3)).expect("a reset");
        let mut collect =
            || collector.collect(&network, &params, Horizon::Steps(4), true).map(|(rollout, _)| rollout.clone());
        collect().expect("four steps");
        let seed = Seed(3).derive("lanes", 0).wrapping_add(1);
        let expected = format!("Rogue-v0, lane 1, step 6 of its episode, seed {seed}: {said}");
        // Twice: the first attempt left everything where it was.
        for _ in 0..2 {
            assert_eq!(collect().expect_err("a deed").to_string(), expected);
        }
        assert_eq!(collector.env_steps(), 8);
    }
}

#[test]
fn a_run_that_an_environment_ends_is_saved_as_it_was_before_and_ends_there_again() {
    // One update is one rollout, or as many as it has steps.
    for algo in ["a2c", "stream_ac"] {
        let defaults = Config::for_algo(algo).expect("an algorithm");
        let config = Config { envs: 2, n_steps: 3, hidden: vec![12], steps: 500, env: "Rogue-v0".into(), ..defaults };
        let make = |config: &Config| {
            Trainer::with_envs(config, |lanes| {
                assert_eq!(lanes, 2);
                Ok(Rogue::lanes([|_| panic!("out of rope"); 2]))
            })
        };
        let mut trainer = make(&config).expect("a trainer");
        let home = tempfile::tempdir().expect("a folder");
        let mut run = RunFolder::create(home.path().join("run"), &config, false).expect("a folder");
        let updates = [1, 2].map(|_| trainer.step().expect("an update").expect("steps are left").update);
        assert_eq!(updates, [1, 2]);
        let state = |trainer: &mut Trainer| {
            let params = trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits);
            trainer.checkpoint().expect("a whole state");
            (params.collect::<Vec<_>>(), trainer.env_steps(), trainer.updates())
        };
        let before = state(&mut trainer);
        let seed = Seed(config.seed).derive("lanes", 0);
        let said =
            format!("Rogue-v0, lane 0, step 6 of its episode, seed {seed}: the environment panicked: out of rope");
        for _ in 0..2 {
            assert_eq!(trainer.step().expect_err("no rope").to_string(), said);
            assert_eq!(state(&mut trainer), before, "{algo}");
        }
        run.save(&mut trainer).expect("the state before");
        drop(run);
        let (_, mut again, notes) = RunFolder::resume(home.path().join("run"), make).expect("a run");
        assert_eq!((again.env_steps(), notes), (12, Vec::new()));
        let (updates, error) = run_to_its_end(&mut again);
        assert_eq!((updates, error.map(|error| error.to_string())), (Vec::new(), Some(said)));
    }
}

/// An optimizer whose update is NaN in some updates of the run, and in all after one.
#[derive(Debug)]
struct Treacherous {
    steps: u64,
}

impl GradientTransform for Treacherous {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.steps += 1;
        if matches!(context.when.update, 7 | 25 | 26 | 60..) {
            gradient[3] = f32::NAN;
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("steps", Slot::Count(&mut self.steps));
    }
}

const TREACHEROUS: Row = Row {
    name: "treacherous",
    summary: "fails now and then",
    params: &[Param::lr("0.001")],
    make: Make::Recipe(|args| {
        Ok(Chain::new().then(Treacherous { steps: 0 }).then(scale_by_learning_rate(args.schedule("lr")?)))
    }),
};

fn config(on_divergence: OnDivergence, steps: u64) -> Config {
    let optimizer = "treacherous".parse().expect("a spec");
    let a2c = Config::for_algo("a2c").expect("an algorithm");
    Config { optimizer, lr: 1e-3, on_divergence, steps, envs: 2, n_steps: 5, hidden: vec![4], ..a2c }
}

fn trainer(config: &Config) -> Trainer {
    Trainer::new(&Config { catalogue: Catalogue::default().with(TREACHEROUS), ..config.clone() }).expect("a trainer")
}

fn run_to_its_end(trainer: &mut Trainer) -> (Vec<u64>, Option<Error>) {
    let mut updates = Vec::new();
    loop {
        match trainer.step() {
            Ok(Some(metrics)) => updates.push(metrics.update),
            Ok(None) => return (updates, None),
            Err(error) => return (updates, Some(error)),
        }
    }
}

#[test]
fn divergence_stops_a_run_by_default_and_leaves_no_state_that_is_none() {
    let mut trainer = trainer(&config(OnDivergence::Stop, 500));
    let (updates, error) = run_to_its_end(&mut trainer);
    assert_eq!(updates, (1..7).collect::<Vec<_>>());
    let said = error.expect("an error").to_string();
    assert!(said.starts_with("update 7: the update of actor.0.weight is not finite; "), "{said}");
    let refused = trainer.checkpoint().expect_err("between two states").to_string();
    assert!(refused.contains("update 7"), "{refused}");
    assert!(trainer.params().snapshot().expect("values").iter().all(|x| x.is_finite()));
}

#[test]
fn a_skipped_update_counts_and_the_run_goes_on() {
    let config = config(OnDivergence::Skip, 500);
    let mut trainer = trainer(&config);
    let (updates, error) = run_to_its_end(&mut trainer);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(updates, (1..=50).filter(|update| ![7, 25, 26].contains(update)).collect::<Vec<_>>());
    assert_eq!((trainer.divergences(), trainer.env_steps()), (3, 500));
    let notes = trainer.take_notes();
    assert_eq!(notes.len(), 3);
    assert!(notes[0].contains("update 7") && notes[0].contains("skipped"), "{}", notes[0]);
}

#[test]
fn a_run_that_only_diverges_gives_up() {
    for how in [OnDivergence::Skip, OnDivergence::Rollback] {
        let mut trainer = trainer(&config(how, 10_000));
        let (updates, error) = run_to_its_end(&mut trainer);
        assert_eq!(updates.last(), Some(&59));
        let said = error.expect("an error").to_string();
        assert!(said.starts_with("update 70: "), "{said}");
    }
}

#[test]
fn a_rollback_goes_back_to_the_same_state_whether_resumed_or_not() {
    let config = config(OnDivergence::Rollback, 500);
    let mut whole = trainer(&config);
    let (updates, error) = run_to_its_end(&mut whole);
    assert!(error.is_none() && updates.len() == 47, "{updates:?} {error:?}");
    assert_eq!(whole.divergences(), 3);
    for broken_at in [3, 20, 24, 30] {
        let mut first = trainer(&config);
        while first.step().expect("an update").expect("more to do").update < broken_at {}
        let bytes = first.checkpoint().expect("a state").to_bytes().expect("a file");
        let mut second = trainer(&config);
        second.restore(&Checkpoint::from_bytes(&bytes).expect("a checkpoint")).expect("the same run");
        let (updates, _) = run_to_its_end(&mut second);
        assert_eq!(updates.last(), Some(&50));
        assert_eq!(
            second.params().snapshot().expect("values"),
            whole.params().snapshot().expect("values"),
            "{broken_at}"
        );
        assert_eq!(second.divergences(), 3);
    }
}

/// An optimizer that works, but whose memory leaves the real numbers.
#[derive(Debug, Default)]
struct Forgetful(Vec<f32>);

impl GradientTransform for Forgetful {
    fn update(&mut self, gradient: &mut [f32], _: &Context<'_>) -> Result<()> {
        self.0.resize(gradient.len(), f32::INFINITY);
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("memory", Slot::Vector(&mut self.0));
    }
}

const FORGETFUL: Row = Row {
    name: "forgetful",
    summary: "remembers infinity",
    params: &[Param::lr("0.001")],
    make: Make::Recipe(|args| {
        Ok(Chain::new().then(Forgetful::default()).then(scale_by_learning_rate(args.schedule("lr")?)))
    }),
};

#[test]
fn a_state_that_is_not_finite_is_never_written() {
    let config = Config { optimizer: "forgetful".parse().expect("a spec"), ..config(OnDivergence::Stop, 500) };
    let mut trainer =
        Trainer::new(&Config { catalogue: Catalogue::default().with(FORGETFUL), ..config.clone() }).expect("a trainer");
    trainer.checkpoint().and_then(|checkpoint| checkpoint.to_bytes()).expect("a good state");
    let diverged = trainer.step().expect_err("no good state").to_string();
    assert!(diverged.starts_with("update 1: `1.memory` of the optimizer's state is not finite; "), "{diverged}");
    let home = tempfile::tempdir().expect("a folder");
    let mut run = RunFolder::create(home.path().join("run"), &config, false).expect("a folder");
    let refused = run.save(&mut trainer).expect_err("no good state").to_string();
    assert!(refused.contains("update 1 was broken off"), "{refused}");
    assert_eq!((run.last_checkpoint(), home.path().join("run/checkpoints").exists()), (None, false));
    // Going on after it counts each time.
    let config = Config { on_divergence: OnDivergence::Skip, ..config };
    let mut trainer =
        Trainer::new(&Config { catalogue: Catalogue::default().with(FORGETFUL), ..config }).expect("a trainer");
    let (updates, error) = run_to_its_end(&mut trainer);
    assert!(updates.is_empty() && trainer.divergences() == 10, "{updates:?}");
    assert!(error.expect("it gives up").to_string().starts_with("update 11: `1.memory` of"));
}

/// The environment of a rogue whose columns panic: the lane is told there, too.
#[derive(Clone)]
struct Sinking(Spec);

impl Env for Sinking {
    fn spec(&self) -> &Spec {
        &self.0
    }

    fn reset(&mut self, _: Option<u64>, _: &mut [f32]) -> Outcome<()> {
        Err(EnvError::NeedsReset)
    }

    fn step(&mut self, _: Action<'_>, _: &mut [f32]) -> Outcome<Step> {
        Err(EnvError::NeedsReset)
    }
}

impl Dynamics<1> for Sinking {
    fn start(&self, _: &mut NumpyRng) -> [f64; 1] {
        [0.0]
    }

    fn advance(&self, [depth]: [f64; 1], action: u32) -> ([f64; 1], Step) {
        assert!(action == 0, "the water is deep");
        ([depth + 1.0], Step { reward: 0.0, end: End::Not })
    }

    fn observe(&self, [depth]: [f64; 1], observation: &mut [f32]) {
        observation.fill(depth as f32);
    }
}

#[test]
fn a_panic_in_columns_is_told_with_its_lane() {
    use uphill::envs::{Actions, Transitions};

    let spec = Spec {
        id: "Sinking-v0".into(),
        observation: Space::uniform_box(1, 0.0, 1.0),
        action: Space::Discrete { n: 2 },
        max_episode_steps: None,
        reward_threshold: None,
    };
    let mut env = Columns::new(Sinking(spec), 4).expect("columns");
    env.reset(Some(10), &mut [0.0; 4]).expect("a reset");
    let mut step = |actions: [u32; 4]| {
        let out = Transitions {
            observation: &mut [0.0; 4],
            final_observation: &mut [0.0; 4],
            reward: &mut [0.0; 4],
            end: &mut [End::Not; 4],
        };
        env.step(Actions::Discrete(&actions), &[true; 4], out)
    };
    step([0; 4]).expect("a step");
    let said = step([0, 0, 1, 0]).expect_err("a panic").to_string();
    assert_eq!(said, "Sinking-v0, lane 2, step 1 of its episode, seed 12: the environment panicked: the water is deep");
}

/// What an optimizer of one's own does in its third step.
#[derive(Debug, Clone, Copy)]
enum Third {
    Fails,
    Panics,
}

#[derive(Debug)]
struct Untrue(Third, u64);

impl GradientTransform for Untrue {
    fn update(&mut self, _: &mut [f32], _: &Context<'_>) -> Result<()> {
        self.1 += 1;
        match self.0 {
            Third::Fails if self.1 == 3 => Err(Error::Config("out of patience".into())),
            Third::Panics if self.1 == 3 => panic!("out of rope"),
            _ => Ok(()),
        }
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("steps", Slot::Count(&mut self.1));
    }
}

#[test]
fn an_optimizer_that_fails_or_panics_is_told_with_the_update() {
    const UNTRUE: Row = Row {
        name: "untrue",
        summary: "gives up in its third step",
        params: &[Param::lr("0.1"), Param::flag("panics", "false", "whether by a panic")],
        make: Make::Recipe(|a| {
            let third = if a.flag("panics")? { Third::Panics } else { Third::Fails };
            Ok(Chain::new().then(Untrue(third, 0)).then(scale_by_learning_rate(a.schedule("lr")?)))
        }),
    };
    let catalogue = Catalogue::default().with(UNTRUE);
    let base = Config { catalogue, steps: 4_000, hidden: vec![8], ..Config::for_algo("a2c").expect("an algorithm") };
    for (name, why) in [
        ("untrue", "update 3: out of patience"),
        ("untrue(panics=true)", "update 3: the algorithm, the network or the optimizer panicked: out of rope"),
    ] {
        let config = Config { optimizer: name.parse().expect("a name"), ..base.clone() };
        let mut trainer = Trainer::new(&config).expect("a trainer");
        let error = std::iter::repeat_with(|| trainer.step()).find_map(std::result::Result::err).expect("an error");
        assert!(matches!(error, Error::Update { update: 3, .. }) && error.to_string() == why, "{error}");
    }
}

/// One that panics in the midst of a rollout leaves the lanes where the rollout began: who goes on, or what is saved, is as if it had
/// never begun.
#[test]
fn a_network_that_panics_while_it_acts_leaves_a_whole_state() {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};
    use uphill::ModuleModel;
    use uphill::models::Site;
    let base = Config::for_algo("a2c").expect("an algorithm");
    let config = Config { envs: 2, n_steps: 8, steps: 400, threads: 1, ..base };
    let trained = |panics_at: Option<u64>| {
        let (armed, left) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(panics_at)));
        let (is_armed, passes) = (armed.clone(), left);
        let mut trainer = Trainer::with_network(&config, move |spec, _| {
            let (params, model) = ModuleModel::new(&Site::new(spec, Seed(1)), move |vb| {
                let (actor, critic) =
                    (candle_nn::linear(4, 2, vb.pp("actor"))?, candle_nn::linear(4, 1, vb.pp("critic"))?);
                let (is_armed, passes) = (is_armed.clone(), passes.clone());
                Ok(Box::new(move |x: &candle_core::Tensor| {
                    use candle_core::Module as _;
                    let mut passes = passes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    if let Some(left) = &mut *passes
                        && is_armed.load(Ordering::Relaxed)
                    {
                        *left -= 1;
                        if *left == 0 {
                            *passes = None;
                            panic!("out of breath");
                        }
                    }
                    Ok((actor.forward(x)?, critic.forward(x)?))
                }))
            })?;
            Ok((params, Box::new(model)))
        })
        .expect("a trainer");
        armed.store(true, Ordering::Relaxed);
        let (mut rows, mut errors) = (Vec::new(), Vec::new());
        for _ in 0..12 {
            match trainer.step() {
                Ok(row) => rows.extend(row.map(|row| (row.env_steps, row.grad_norm.to_bits(), row.episodes))),
                Err(error) => {
                    errors.push(error.to_string());
                    trainer.checkpoint().expect("a whole state");
                }
            }
        }
        (rows, errors)
    };
    let (whole, none) = trained(None);
    let (rows, errors) = trained(Some(5));
    assert_eq!(none, Vec::<String>::new());
    assert_eq!(errors, ["update 1: the algorithm, the network or the optimizer panicked: out of breath"]);
    assert_eq!(rows, whole[..rows.len()]);
}
