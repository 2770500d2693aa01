//! Several ranks learn one set of parameters, each from lanes of its own.

use std::sync::{Arc, Barrier, Mutex};

use uphill::{Checkpoint, Config, Metrics, Overrides, Result, Trainer, World};

/// Threads of one process as ranks.
#[derive(Debug)]
struct Thread {
    rank: usize,
    shared: Arc<(Barrier, Mutex<Vec<Vec<f32>>>)>,
}

impl World for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.shared.1.lock().expect("a lock").len()
    }

    fn sum(&self, numbers: &mut [f32]) -> Result<()> {
        let (barrier, parts) = &*self.shared;
        parts.lock().expect("a lock")[self.rank] = numbers.to_vec();
        barrier.wait();
        let all = parts.lock().expect("a lock").clone();
        for (i, sum) in numbers.iter_mut().enumerate() {
            *sum = all.iter().map(|part| part[i]).sum();
        }
        barrier.wait();
        Ok(())
    }
}

/// What an update tells of the steps that it learnt from.
#[derive(Debug, PartialEq)]
struct Told {
    policy_loss: Option<f64>,
    value_loss: Option<f64>,
    step_fraction: Option<f64>,
}

/// Parameters of each rank after some updates, and what it told of them.
fn trained(config: &Config, ranks: usize, updates: usize) -> Vec<(Vec<u32>, Vec<Told>)> {
    let shared = Arc::new((Barrier::new(ranks), Mutex::new(vec![Vec::new(); ranks])));
    let train = |rank: usize| {
        let world = Some(Arc::new(Thread { rank, shared: shared.clone() }) as Arc<dyn World>);
        let overrides = Overrides { world, ..Overrides::default() };
        let mut trainer = Trainer::with(config, overrides).expect("a trainer");
        let told = |_| {
            let row = trainer.step().expect("an update").expect("steps are left");
            let step_fraction = row.others.iter().find(|(name, _)| *name == "step_fraction").map(|(_, number)| *number);
            Told { policy_loss: row.policy_loss, value_loss: row.value_loss, step_fraction }
        };
        let told = (0..updates).map(told).collect();
        (trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect(), told)
    };
    std::thread::scope(|scope| {
        let ranks: Vec<_> = (0..ranks).map(|rank| scope.spawn(move || train(rank))).collect();
        ranks.into_iter().map(|rank| rank.join().expect("a rank")).collect()
    })
}

fn config(algo: &str) -> Config {
    let name = algo.split('(').next().expect("a name");
    let config = Config { algo: algo.into(), ..Config::for_algo(name).expect("an algorithm") };
    Config { env: "GridWorld-4x4-v0".into(), threads: 1, hidden: vec![8], steps: 100_000, ..config }
}

#[test]
fn ranks_have_the_same_parameters_and_lanes_of_their_own() {
    for algo in uphill::algo::ROWS {
        let [one, other] = &trained(&config(algo.name), 2, 6)[..] else { panic!("two ranks") };
        assert_eq!(one.0, other.0, "{}", algo.name);
        assert_ne!(one.1, other.1, "{}: both learnt from the same steps", algo.name);
        if matches!(algo.name, "npg" | "trpo") {
            // What is told of a step that both took is of both.
            let policy_loss = |told: &[Told]| told.iter().map(|told| told.policy_loss).collect::<Vec<_>>();
            assert_eq!(policy_loss(&one.1), policy_loss(&other.1), "{}", algo.name);
        }
    }
}

/// By the divergence of one rank alone each would come to a learning rate of its own.
#[test]
fn ranks_adapt_the_learning_rate_alike() {
    for desired_kl in [0.001, 0.002, 0.004, 0.008] {
        let config = config(&format!("ppo(desired_kl={desired_kl})"));
        let [one, other] = &trained(&Config { envs: 2, n_steps: 16, lr: 0.004, ..config }, 2, 12)[..] else {
            panic!("two ranks")
        };
        assert_eq!(one.0, other.0, "{desired_kl}");
    }
}

#[test]
fn ranks_are_evaluated_alike_and_learn_what_they_would_have() {
    let config = Config { eval_every: 600, eval_episodes: 3, eval_deterministic: false, ..config("a2c") };
    let shared = Arc::new((Barrier::new(2), Mutex::new(vec![Vec::new(); 2])));
    let evaluated = |rank: usize| {
        let world = Some(Arc::new(Thread { rank, shared: shared.clone() }) as Arc<dyn World>);
        let mut trainer = Trainer::with(&config, Overrides { world, ..Overrides::default() }).expect("a trainer");
        (0..20).for_each(|_| drop(trainer.step().expect("an update")));
        (trainer.take_evaluations(), trainer.params().snapshot().expect("values"))
    };
    let [one, other] = std::thread::scope(|scope| {
        [0, 1].map(|rank| scope.spawn(move || evaluated(rank))).map(|rank| rank.join().expect("a rank"))
    });
    assert_eq!(one, other);
    assert_eq!(one.0.iter().map(|evaluated| evaluated.env_steps).collect::<Vec<_>>(), [640, 1200]);
    let without = &trained(&self::config("a2c"), 2, 20)[0].0;
    assert_eq!(one.1.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), *without);
}

/// What each of these ranks comes to, which `part` makes.
fn of_ranks<T: Send>(ranks: usize, part: impl Fn(Overrides<'static>) -> T + Sync) -> Vec<T> {
    let (shared, part) = (Arc::new((Barrier::new(ranks), Mutex::new(vec![Vec::new(); ranks]))), &part);
    std::thread::scope(|scope| {
        let begin = |rank| {
            let world = Some(Arc::new(Thread { rank, shared: shared.clone() }) as Arc<dyn World>);
            scope.spawn(move || part(Overrides { world, ..Overrides::default() }))
        };
        let ranks: Vec<_> = (0..ranks).map(begin).collect();
        ranks.into_iter().map(|rank| rank.join().expect("a rank")).collect()
    })
}

/// Parameters and metrics but for the clock's, of so many updates, and the state after them.
fn go_on(trainer: &mut Trainer, updates: usize) -> (Vec<u32>, Vec<Metrics>, Checkpoint) {
    let row = |_| Metrics { steps_per_second: 0.0, ..trainer.step().expect("an update").expect("steps are left") };
    let rows = (0..updates).map(row).collect();
    let words = trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect();
    (words, rows, trainer.checkpoint().expect("a state"))
}

#[test]
fn ranks_go_on_from_one_checkpoint_as_if_nothing_had_happened() {
    for algo in ["ppo", "reinforce", "stream_ac", "trpo"] {
        let base = Config { normalize_observation: true, normalize_reward: true, ..config(algo) };
        let config = Config { eval_every: 300, eval_episodes: 2, ..base };
        let whole = of_ranks(3, |own| {
            let mut trainer = Trainer::with(&config, own).expect("a trainer");
            let (_, _, middle) = go_on(&mut trainer, 5);
            (middle, go_on(&mut trainer, 5))
        });
        let bytes = |checkpoint: &Checkpoint| checkpoint.to_bytes().expect("bytes");
        let clocked = |checkpoint: &Checkpoint| (checkpoint.progress().update, checkpoint.progress().env_steps);
        assert!(whole.iter().all(|rank| clocked(&rank.0) == clocked(&whole[0].0)), "{algo}");
        let middle = bytes(&whole[0].0);
        let again = of_ranks(3, |own| {
            let mut trainer = Trainer::with(&config, own).expect("a trainer");
            trainer.restore(&Checkpoint::from_bytes(&middle).expect("a checkpoint")).expect("the same run");
            go_on(&mut trainer, 5)
        });
        for (rank, ((_, whole), again)) in whole.iter().zip(&again).enumerate() {
            assert_eq!((&whole.0, &whole.1), (&again.0, &again.1), "{algo}: rank {rank}");
        }
        assert_ne!(whole[0].1.1, whole[1].1.1, "{algo}: each rank has steps of its own");
    }
}

#[test]
fn another_number_of_ranks_is_refused() {
    let config = config("a2c");
    let of =
        |ranks| of_ranks(ranks, |own| go_on(&mut Trainer::with(&config, own).expect("a trainer"), 1).2).swap_remove(0);
    let refused = |checkpoint: &Checkpoint, ranks| {
        let problem = |own| {
            let refused = Trainer::with(&config, own).expect("a trainer").restore(checkpoint);
            refused.expect_err("another number").to_string()
        };
        of_ranks(ranks, problem).swap_remove(0)
    };
    let (alone, two) = (of(1), of(2));
    assert_eq!(refused(&two, 3), "the lanes of 2 ranks are none of 3 ranks: go on with `mpirun -n 2`");
    assert_eq!(refused(&two, 1), "the lanes of 2 ranks are none of 1 rank: go on with `mpirun -n 2`");
    assert_eq!(refused(&alone, 2), "the lanes of 1 rank are none of 2 ranks: go on with one process, without mpirun");
}

#[test]
fn one_rank_is_no_rank_at_all() {
    let alone = &trained(&config("ppo"), 1, 6)[0];
    let mut trainer = Trainer::new(&config("ppo")).expect("a trainer");
    (0..6).for_each(|_| drop(trainer.step().expect("an update")));
    let words: Vec<u32> = trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect();
    assert_eq!(alone.0, words);
}

/// A batch that two ranks share is the batch of one rank with all lanes, up to how sums are rounded.
#[test]
fn two_ranks_learn_what_one_does_with_all_their_lanes() {
    let base =
        Config { gae_lambda: 0.95, ent_coef: 0.01.into(), optimizer: "sgd".parse().expect("a spec"), ..config("a2c") };
    let base = Config { lr: 0.05, max_grad_norm: f64::INFINITY, n_steps: 16, ..base };
    let values = |words: &[u32]| words.iter().map(|&word| f32::from_bits(word)).collect::<Vec<f32>>();
    let half = values(&trained(&Config { envs: 4, ..base.clone() }, 2, 4)[0].0);
    let whole = values(&trained(&Config { envs: 8, ..base }, 1, 4)[0].0);
    let worst = half.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "{worst}");
}

/// So is a step along the natural gradient, whose line search asks for means.
#[test]
fn two_ranks_take_the_natural_step_that_one_does_with_all_their_lanes() {
    let base = Config {
        normalize_advantage: false,
        optimizer: "sgd".parse().expect("a spec"),
        algo: "trpo(cg_iterations=3, max_kl=1e-3)".into(),
        ..config("trpo")
    };
    let base = Config { n_steps: 16, n_epochs: 1, n_minibatches: 1, max_grad_norm: f64::INFINITY, ..base };
    let values = |words: &[u32]| words.iter().map(|&word| f32::from_bits(word)).collect::<Vec<f32>>();
    let ranks = trained(&Config { envs: 4, ..base.clone() }, 2, 3);
    assert_eq!(ranks[0].0, ranks[1].0);
    // Where steps go too far by their approximation, what one rank has seen alone would shorten them otherwise.
    let eager =
        Config { algo: "trpo(cg_iterations=20, cg_damping=1e-4, line_search_decay=0.9)".into(), ..base.clone() };
    let eager = trained(&eager, 2, 6);
    assert_eq!(eager[0].0, eager[1].0);
    let shortened = |told: &Told| told.step_fraction.is_some_and(|fraction| fraction > 0.0 && fraction < 1.0);
    assert!(eager[0].1.iter().any(shortened), "{:?}", eager[0].1);
    let (half, whole) = (values(&ranks[0].0), values(&trained(&Config { envs: 8, ..base }, 1, 3)[0].0));
    let worst = half.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-4, "{worst}");
}

#[test]
fn a_rate_that_follows_returns_is_the_same_on_every_rank() {
    let config =
        Config { optimizer: "adam(lr=plateau(1e-2, patience=0.01))".parse().expect("a spec"), ..config("ppo") };
    let [one, other] = &trained(&config, 2, 12)[..] else { panic!("two ranks") };
    assert_eq!(one.0, other.0);
}
