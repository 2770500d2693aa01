//! Environments that take long are stepped on all threads, however few lanes there are, and what comes of it is the same.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use uphill::envs::{Action, CartPole, Env, EnvError, Lanes, Spec, Step, TimeLimit, VecEnv};
use uphill::{Config, Evaluation, Result, Seed, Trainer};

/// The threads that lanes were stepped on, of all lanes together.
#[derive(Default, Clone)]
struct Seen(Arc<Mutex<BTreeSet<String>>>);

impl Seen {
    fn threads(&self) -> usize {
        self.0.lock().expect("no panic").len()
    }
}

/// A CartPole that takes its time, and goes wrong in a step of a lane where it is to.
#[derive(Clone)]
struct Slow {
    env: TimeLimit<CartPole>,
    takes: Duration,
    seen: Seen,
    /// The lane's steps so far, and the one in which it goes wrong.
    steps: usize,
    wrong: Option<usize>,
}

impl Slow {
    fn new(takes: Duration, seen: &Seen) -> Self {
        let env = TimeLimit::with_limit(CartPole::new(), 20).and_then(|env| env.named("Slow")).expect("a name");
        Self { env, takes, seen: seen.clone(), steps: 0, wrong: None }
    }
}

impl Env for Slow {
    fn spec(&self) -> &Spec {
        self.env.spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.env.reset(seed, observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.seen.0.lock().expect("no panic").insert(format!("{:?}", thread::current().id()));
        self.steps += 1;
        thread::sleep(self.takes);
        assert!(self.wrong != Some(self.steps), "it went wrong");
        self.env.step(action, observation)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        self.env.save(state)
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        self.env.restore(state)
    }
}

const TAKES: Duration = Duration::from_millis(3);

fn config(envs: usize, threads: usize) -> Config {
    let a2c = Config::for_algo("a2c").expect("an algorithm");
    Config { env: "Slow".into(), envs, threads, steps: 1 << 20, n_steps: 10, hidden: vec![8], ..a2c }
}

fn trainer(config: &Config, takes: Duration, seen: &Seen) -> Trainer {
    let seen = seen.clone();
    let make = move |lanes| Ok(Box::new(Lanes::new(vec![Slow::new(takes, &seen); lanes])?) as Box<dyn VecEnv>);
    Trainer::with_envs(config, make).expect("a trainer")
}

/// Parameters after some updates, what the policy is worth, and what its environments have seen; the time of the updates.
fn trained(envs: usize, threads: usize, takes: Duration) -> (Vec<u32>, Evaluation, Seen, Duration) {
    let seen = Seen::default();
    let mut trainer = trainer(&config(envs, threads), takes, &seen);
    let begun = Instant::now();
    for _ in 0..4 {
        trainer.step().expect("an update").expect("not over");
    }
    let took = begun.elapsed();
    let bits = trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect();
    (bits, trainer.into_policy().expect("a policy").evaluate(4, Seed(1)).expect("an evaluation"), seen, took)
}

#[test]
fn few_lanes_of_a_slow_environment_are_stepped_on_all_threads_and_the_same_comes_of_it() {
    let (bits, worth, seen, alone) = trained(8, 1, TAKES);
    assert_eq!(seen.threads(), 1);
    for threads in [2, 3, 8] {
        let (other, same, seen, took) = trained(8, threads, TAKES);
        // Not asserted, as a machine may be busy; the first 8 of 40 steps are timed, on one thread.
        eprintln!("4 updates of 8 lanes and 10 steps: {alone:?} on 1 thread, {took:?} on {threads}");
        assert_eq!((&other, &same), (&bits, &worth), "{threads} threads");
        assert!(seen.threads() > 1, "{threads} threads");
    }
    // Two groups, for which four threads are more than one each.
    let (bits, worth, ..) = trained(64, 1, TAKES / 10);
    let (other, same, seen, _) = trained(64, 4, TAKES / 10);
    assert_eq!((other, same), (bits, worth));
    assert!(seen.threads() > 2, "{}", seen.threads());
}

#[test]
fn a_fast_environment_is_stepped_where_its_policy_acts() {
    let (bits, _, seen, _) = trained(8, 4, Duration::ZERO);
    assert_eq!(seen.threads(), 1);
    let (slow, ..) = trained(8, 4, TAKES);
    assert_eq!(bits, slow, "how long a step takes is in no result");
}

#[test]
fn an_evaluation_of_a_slow_environment_is_on_all_threads() {
    let seen = Seen::default();
    let mut policy = trainer(&config(1, 2), TAKES, &seen).into_policy().expect("a policy");
    policy.evaluate(8, Seed(1)).expect("an evaluation");
    assert!(seen.threads() > 1);
}

#[test]
fn evaluations_on_the_way_are_on_the_threads_that_training_has() {
    let seen = Seen::default();
    let config = Config { eval_every: 80, eval_episodes: 8, ..config(8, 3) };
    let mut trainer = trainer(&config, TAKES, &seen);
    for _ in 0..4 {
        trainer.step().expect("an update").expect("not over");
    }
    assert_eq!(trainer.take_evaluations().len(), 3);
    assert!((2..=3).contains(&seen.threads()), "{}", seen.threads());
}

#[test]
fn a_run_goes_on_bit_for_bit_under_another_number_of_threads() {
    let bits = |trainer: &Trainer| -> Vec<u32> {
        trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect()
    };
    let mut whole = trainer(&config(8, 1), TAKES / 3, &Seen::default());
    let mut broken = trainer(&config(8, 2), TAKES / 3, &Seen::default());
    for _ in 0..2 {
        whole.step().expect("an update");
        broken.step().expect("an update");
    }
    let saved = broken.checkpoint().expect("a checkpoint");
    let mut resumed = trainer(&config(8, 3), TAKES / 3, &Seen::default());
    resumed.restore(&saved).expect("the same run");
    for _ in 0..2 {
        whole.step().expect("an update");
        resumed.step().expect("an update");
    }
    assert_eq!(bits(&whole), bits(&resumed));
}

#[test]
fn the_first_lane_that_goes_wrong_is_named_on_any_number_of_threads() {
    let said = |threads: usize| {
        let seen = Seen::default();
        let make = move |lanes| {
            let mut envs = vec![Slow::new(TAKES, &seen); lanes];
            for lane in [5, 3, 6] {
                if let Some(env) = envs.get_mut(lane) {
                    env.wrong = Some(15);
                }
            }
            Ok(Box::new(Lanes::new(envs)?) as Box<dyn VecEnv>)
        };
        let mut trainer = Trainer::with_envs(&config(8, threads), make).expect("a trainer");
        (0..4).find_map(|_| trainer.step().err()).expect("it goes wrong").to_string()
    };
    let alone = said(1);
    assert!(alone.contains("lane 3") && alone.contains("it went wrong"), "{alone}");
    assert_eq!(said(3), alone);
}
