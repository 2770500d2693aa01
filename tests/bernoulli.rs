//! Several switches at once: against PyTorch, against enumeration, the host against the tensors, and learnt from end to end.

use serde::Deserialize;
use uphill::distributions::{ActionMut, Bernoulli, Categorical, Distribution, over};
use uphill::envs::{Action, Actions, End, Env, EnvError, Lanes, NumpyRng, Space, Spec, Step, VecEnv};
use uphill::{Checkpoint, Config, Result, Seed, Trainer};

mod twins;

use twins::{Recorded, near, on_host, on_tensors, wide};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    switches: usize,
    logits: Vec<f32>,
    action: Vec<u32>,
    #[serde(flatten)]
    recorded: Recorded,
}

#[test]
fn both_twins_say_what_pytorch_says() {
    let Reference { cases } = serde_json::from_str(include_str!("reference/bernoulli.json")).expect("the reference");
    assert!(cases.len() >= 5);
    for case in cases {
        case.recorded.check(&Bernoulli { switches: case.switches }, &case.logits, Actions::Discrete(&case.action));
    }
}

#[test]
fn host_and_tensors_agree_at_the_borders_too() {
    let rows: [(&[f32], &[u32]); 5] = [
        (&[0.0, -0.0, 1e-30], &[0, 1, 1]),
        (&[88.0, -88.0, 104.5, -104.5], &[1, 0, 0, 1]),
        (&[3e38, -3e38], &[1, 0]),
        (&[f32::MAX], &[1]),
        (&[-17.0, 17.0, f32::from_bits(1)], &[1, 0, 0]),
    ];
    for (logits, action) in rows {
        let of = Bernoulli { switches: logits.len() };
        let (two, twice) = (logits.repeat(2), action.repeat(2));
        let by = [&[0.7, -1.3][..], &[-0.4, 0.9]];
        let host = on_host(&of, &two, Actions::Discrete(&twice), by, 1);
        let tensors = on_tensors(&of, &two, Actions::Discrete(&twice), by);
        for (what, host, tensors) in [
            ("log-probability", &host.log_prob, &tensors.log_prob),
            ("entropy", &host.entropy, &tensors.entropy),
            ("gradient", &host.gradient, &tensors.gradient),
        ] {
            assert!(host.iter().all(|x| x.is_finite()), "{logits:?}: {what} {host:?}");
            near(&format!("{logits:?}: {what}"), host, &wide(tensors), 1e-6);
        }
    }
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (of, mut action) = (Bernoulli { switches: 2 }, [7; 2]);
        let mut rows = of.rows();
        rows.set(&[0.5, -2.0, 1.0, bad], 2);
        assert_eq!(rows.mode(1, ActionMut::Discrete(&mut action)), None);
        assert_eq!((rows.mode(0, ActionMut::Discrete(&mut action)), action), (Some(()), [1, 0]));
        assert_eq!(rows.sample(1, &mut Seed(1).stream("draw", 0), ActionMut::Discrete(&mut action)), None);
    }
}

#[test]
fn all_actions_together_are_certain_and_drawn_as_often_as_they_are_probable() {
    let of = Bernoulli { switches: 3 };
    let logits = [0.4, -1.1, 2.0];
    let every: Vec<[u32; 3]> = (0..8).map(|i| [i >> 2 & 1, i >> 1 & 1, i & 1]).collect();
    let none = vec![0.0; 8];
    let found = on_host(&of, &logits.repeat(8), Actions::Discrete(&every.concat()), [&none, &none], 0);
    let probs: Vec<f64> = wide(&found.log_prob).into_iter().map(f64::exp).collect();
    assert!((probs.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    let entropy: f64 = probs.iter().map(|p| -p * p.ln()).sum();
    near("the entropy", &found.entropy[..1], &[entropy], 1e-6);
    assert!((of.max_entropy().expect("finite") - 8f64.ln()).abs() < 1e-12);

    let (mut rows, mut rng, n) = (of.rows(), Seed(4).stream("draws", 0), 40_000);
    rows.set(&logits, 3);
    let mut counts = [0.0; 8];
    for _ in 0..n {
        let mut action = [9; 3];
        let log_prob = rows.sample(0, &mut rng, ActionMut::Discrete(&mut action)).expect("an action");
        let place = every.iter().position(|known| *known == action).expect("one of the space");
        assert!((log_prob - found.log_prob[place]).abs() < 1e-6);
        counts[place] += 1.0;
    }
    let terms = counts
        .iter()
        .zip(&probs)
        .map(|(&found, p): (&f64, &f64)| (found - p * f64::from(n)).powi(2) / (p * f64::from(n)));
    // Seven degrees of freedom: beyond 24.3 once in a thousand times.
    let chi_square: f64 = terms.sum();
    assert!(chi_square < 24.3, "{chi_square}: {counts:?}");
}

#[test]
fn the_space_is_one_of_zeros_and_ones() {
    let space = Space::MultiBinary { n: 3 };
    assert_eq!((space.flat_len(), space.choices(), space.kind()), (3, 0, "multi-binary"));
    assert!(space.contains(&[0.0, 1.0, 1.0]) && !space.contains(&[0.0, 2.0, 1.0]) && !space.contains(&[0.0, 1.0]));
    assert_eq!(space.multi_discrete(Action::MultiDiscrete(&[1, 0, 1])), Ok(&[1, 0, 1][..]));
    let past = space.check(Action::MultiDiscrete(&[1, 2, 1]));
    assert_eq!(past, Err(EnvError::ActionOutOfRange { component: Some(1), action: 2, n: 2 }));
    let other = space.check(Action::Discrete(1)).expect_err("another kind").to_string();
    assert!(other.contains("multi-binary"), "{other}");
    assert!(over("Lamps-v0", &Space::MultiBinary { n: 0 }).is_err());
    let policy = over("Lamps-v0", &space).expect("a policy");
    assert!(policy.is_over(&space) && !policy.is_over(&Space::MultiBinary { n: 2 }));
    assert!(!Categorical { actions: 3 }.is_over(&space));
}

/// Shows lamps, and pays for every one that is switched as it is shown.
struct Lamps {
    spec: Spec,
    rng: NumpyRng,
    shown: [u32; 4],
    steps: u32,
}

const STEPS: u32 = 8;

impl Lamps {
    fn new() -> Self {
        let spec = Spec {
            id: "Lamps-v0".into(),
            observation: Space::MultiBinary { n: 4 },
            action: Space::MultiBinary { n: 4 },
            max_episode_steps: Some(STEPS),
            reward_threshold: None,
        };
        Self { spec, rng: NumpyRng::new(0), shown: [0; 4], steps: 0 }
    }

    fn show(&mut self, observation: &mut [f32]) {
        self.shown = [(); 4].map(|()| u32::from(self.rng.random() < 0.5));
        observation.copy_from_slice(&self.shown.map(|x| x as f32));
    }

    fn lanes(lanes: usize) -> Result<Box<dyn VecEnv>> {
        Ok(Box::new(Lanes::new((0..lanes).map(|_| Self::new()).collect())?))
    }
}

impl Env for Lamps {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.rng.restart(seed);
        self.steps = 0;
        self.show(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let chosen = self.spec.action.multi_discrete(action)?;
        let right = chosen.iter().zip(self.shown).filter(|&(&chosen, shown)| chosen == shown).count();
        self.steps += 1;
        self.show(observation);
        let end = if self.steps == STEPS { End::Terminated } else { End::Not };
        Ok(Step { reward: right as f32 / 4.0, end })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend(self.rng.place());
        state.extend(self.shown.map(u64::from));
        state.push(self.steps.into());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[a, b, c, s, t, u, v, steps] = state else {
            return Err(EnvError::Saved { problem: "expected eight words" });
        };
        self.rng = NumpyRng::at([a, b, c]);
        (self.shown, self.steps) = ([s, t, u, v].map(|x| x as u32), steps as u32);
        Ok(())
    }
}

fn config(algo: &str) -> Config {
    let defaults = Config::new(algo, "adam").expect("an algorithm");
    let config = match algo {
        "reinforce" | "rloo" => Config { episodes: 16, ..defaults },
        "ppo" | "ppo_kl" | "trpo" => Config { n_steps: 32, ..defaults },
        _ => Config { n_steps: 8, ..defaults },
    };
    let config = Config { envs: 8, hidden: vec![16], lr: 0.01, gamma: 0.5, ent_coef: 0.0.into(), threads: 1, ..config };
    Config { env: "Lamps-v0".into(), steps: 16_000, ..config }
}

#[test]
fn algorithms_learn_to_switch_and_resumes_to_the_bit() {
    for algo in ["reinforce", "a2c", "ppo", "trpo"] {
        let config = config(algo);
        let mut trainer = Trainer::with_envs(&config, Lamps::lanes).expect("a trainer");
        (0..3).for_each(|_| drop(trainer.step().expect("an update")));
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("checkpoint");
        trainer.checkpoint().expect("a checkpoint").write(&path).expect("a file");
        let mut resumed = Trainer::with_envs(&config, Lamps::lanes).expect("a trainer");
        resumed.restore(&Checkpoint::read(&path).expect("a file")).expect("a state");
        let end = |mut trainer: Trainer| {
            while trainer.step().expect("an update").is_some() {}
            trainer
        };
        let (trainer, resumed) = (end(trainer), end(resumed));
        let theta = |trainer: &Trainer| trainer.params().snapshot().expect("values");
        assert_eq!(theta(&trainer), theta(&resumed), "{algo}");
        let judged = trainer.into_policy().and_then(|mut policy| policy.evaluate(20, Seed(3))).expect("episodes");
        assert_eq!(judged.return_mean, Some(8.0), "{algo}: every lamp in every step");
    }
}
