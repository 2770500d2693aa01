//! Several ranks come to what one process does with all their lanes, to the bit.

use std::sync::{Arc, Barrier, Mutex};

use uphill::{Checkpoint, Config, Error, Metrics, Overrides, Result, Trainer, World};

/// Threads of one process as ranks.
#[derive(Debug)]
struct Thread {
    rank: usize,
    shared: Arc<(Barrier, Mutex<Vec<Vec<u8>>>)>,
}

impl World for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.shared.1.lock().expect("a lock").len()
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let (barrier, parts) = &*self.shared;
        parts.lock().expect("a lock")[self.rank] = own.to_vec();
        barrier.wait();
        let all = parts.lock().expect("a lock").clone();
        barrier.wait();
        Ok(all)
    }
}

/// What each of so many ranks comes to, which `part` makes.
fn of_ranks<T: Send>(ranks: usize, part: impl Fn(usize, Overrides<'static>) -> T + Sync) -> Vec<T> {
    let (shared, part) = (Arc::new((Barrier::new(ranks), Mutex::new(vec![Vec::new(); ranks]))), &part);
    std::thread::scope(|scope| {
        let begin = |rank| {
            let world = Some(Arc::new(Thread { rank, shared: shared.clone() }) as Arc<dyn World>);
            scope.spawn(move || part(rank, Overrides { world, ..Overrides::default() }))
        };
        let ranks: Vec<_> = (0..ranks).map(begin).collect();
        ranks.into_iter().map(|rank| rank.join().expect("a rank")).collect()
    })
}

/// What there is to be compared: parameters, metrics and evaluations but for the clock's, and the state.
#[derive(Debug, PartialEq)]
struct Outcome {
    words: Vec<u32>,
    rows: Vec<Metrics>,
    evaluations: Vec<uphill::Evaluated>,
    state: Vec<u8>,
}

/// A state but for the clock.
fn bytes(checkpoint: &Checkpoint) -> Vec<u8> {
    let whole = checkpoint.to_bytes().expect("bytes");
    // The seconds and the checksum stand in the header.
    let len = u64::from_le_bytes(*whole.first_chunk().expect("a header")) as usize;
    whole[8 + len..].to_vec()
}

fn go_on(trainer: &mut Trainer, updates: usize) -> (Outcome, Checkpoint) {
    let row = |_| Metrics { steps_per_second: 0.0, ..trainer.step().expect("an update").expect("steps are left") };
    let rows = (0..updates).map(row).collect();
    let words = trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect();
    let checkpoint = trainer.checkpoint().expect("a state");
    (Outcome { words, rows, evaluations: trainer.take_evaluations(), state: bytes(&checkpoint) }, checkpoint)
}

fn trained(config: &Config, ranks: usize, updates: usize) -> Vec<Outcome> {
    of_ranks(ranks, |_, own| go_on(&mut Trainer::with(config, own).expect("a trainer"), updates).0)
}

fn alone(config: &Config, updates: usize) -> (Outcome, Checkpoint) {
    go_on(&mut Trainer::new(config).expect("a trainer"), updates)
}

fn config(algo: &str) -> Config {
    let name = algo.split('(').next().expect("a name");
    let config = Config { algo: algo.into(), ..Config::for_algo(name).expect("an algorithm") };
    Config { env: "GridWorld-4x4-v0".into(), threads: 1, hidden: vec![8], steps: 1_000_000, ..config }
}

/// Lanes that do not divide evenly, minibatches of several shares, and whatever else is known of a run.
fn rich(algo: &str) -> Config {
    let base = Config { envs: 8, normalize_observation: true, normalize_reward: true, ..config(algo) };
    let base = if matches!(algo, "reinforce" | "rloo") { base } else { Config { n_steps: 100, ..base } };
    Config { eval_every: 500, eval_episodes: 2, eval_deterministic: false, ..base }
}

fn same(config: &Config, updates: usize) {
    let (whole, _) = alone(config, updates);
    for ranks in [2, 3] {
        for (rank, part) in trained(config, ranks, updates).iter().enumerate() {
            let what = format!("{} on {}: rank {rank} of {ranks}", config.algo, config.env);
            assert_eq!(part.words, whole.words, "{what}");
            assert_eq!(part.rows, whole.rows, "{what}");
            assert_eq!(part.evaluations, whole.evaluations, "{what}");
            assert!(part.state == whole.state, "{what}: another state");
        }
    }
}

#[test]
fn every_algorithm_comes_to_the_same() {
    for algo in uphill::algo::ROWS {
        same(&rich(algo.name), 4);
    }
}

#[test]
fn every_kind_of_network_and_of_policy_comes_to_the_same() {
    let model = |model: &str, config: Config| Config { model: model.into(), ..config };
    let large = Config { n_steps: 300, n_minibatches: 1, n_epochs: 2, ..rich("ppo") };
    for cell in ["gru(hidden=[8], units=8)", "lstm(hidden=[8], units=8)"] {
        same(&model(cell, Config { hidden: vec![], n_steps: 80, n_epochs: 1, ..large.clone() }), 2);
    }
    same(&Config { shared_trunk: true, ..large.clone() }, 2);
    same(&model("mlp(layer_norm=true)", large.clone()), 2);
    let pendulum = Config { env: "Pendulum-v1".into(), ..large.clone() };
    same(&pendulum, 2);
    same(&Config { algo: "ppo(rpo_alpha=0.5, normalize_advantage=true)".into(), ..pendulum }, 2);
    same(&Config { env: "CartPole-v1".into(), envs: 70, ..large.clone() }, 2);
    let taxi = Config { env: "Taxi-v4".into(), normalize_observation: false, ..large.clone() };
    same(&taxi, 2);
    let breakout = Config { env: "MinAtar/Breakout-v1".into(), n_steps: 40, ..large };
    same(&model("minatar_cnn", Config { hidden: vec![], normalize_observation: false, ..breakout }), 2);
}

#[test]
fn minibatches_of_several_shares_are_shared() {
    // As many rows as make shares for more ranks than some have lanes for.
    let config = Config { envs: 8, n_steps: 512, n_minibatches: 1, n_epochs: 1, ..config("ppo") };
    let (whole, _) = alone(&config, 2);
    for ranks in [4, 8] {
        assert!(trained(&config, ranks, 2).iter().all(|part| *part == whole), "{ranks}");
    }
    // So large a minibatch has more than eight.
    let large = Config { envs: 16, n_steps: 1_300, ..config };
    let (whole, _) = alone(&large, 1);
    assert!(trained(&large, 12, 1).iter().all(|part| *part == whole));
}

#[test]
fn a_run_goes_on_with_any_number_of_ranks() {
    for algo in ["ppo", "reinforce", "stream_ac", "trpo"] {
        let config = rich(algo);
        let (whole, _) = alone(&config, 6);
        let tail = |outcome: &Outcome| (outcome.words.clone(), outcome.rows.last().cloned(), outcome.state.clone());
        let middle = of_ranks(3, |_, own| go_on(&mut Trainer::with(&config, own).expect("a trainer"), 3).1);
        let middle = middle[1].to_bytes().expect("bytes");
        for ranks in [1, 2, 3, 7] {
            let ends = of_ranks(ranks, |_, own| {
                let mut trainer = Trainer::with(&config, own).expect("a trainer");
                trainer.restore(&Checkpoint::from_bytes(&middle).expect("a checkpoint")).expect("the same run");
                assert_eq!(trainer.take_notes(), Vec::<String>::new());
                go_on(&mut trainer, 3).0
            });
            assert!(ends.iter().all(|end| tail(end) == tail(&whole)), "{algo} with {ranks} ranks");
        }
    }
}

#[test]
fn more_ranks_than_lanes_are_refused() {
    let config = Config { envs: 2, ..config("a2c") };
    let problems = of_ranks(3, |_, own| Trainer::with(&config, own).err().expect("no lane for one").to_string());
    let problem =
        "envs = 2 is impossible for 3 ranks, each of which plays a lane or more: raise it, or start 2 at most";
    assert!(problems.iter().all(|said| said == problem), "{problems:?}");
}

#[test]
fn a_rank_that_has_come_apart_is_named() {
    let problems = of_ranks(3, |rank, own| {
        let config = Config { seed: if rank == 2 { 8 } else { 7 }, ..config("ppo") };
        Trainer::with(&config, own).expect("a trainer").step().expect_err("other parameters")
    });
    for problem in &problems {
        assert!(matches!(problem, Error::Apart { rank: 2, .. }), "{problem}");
    }
    let said = "rank 2 has come apart from the others: its parameters are not those of rank 0; is it another kind of processor?";
    assert_eq!(problems[0].to_string(), said);
}

#[test]
fn all_ranks_diverge_alike() {
    let base =
        Config { lr: 1e30, max_grad_norm: f64::INFINITY, optimizer: "sgd".parse().expect("a spec"), ..rich("ppo") };
    let diverged = |config: &Config, own| {
        let mut trainer = Trainer::with(config, own).expect("a trainer");
        let error = (0..9).find_map(|_| trainer.step().err()).expect("no real numbers");
        assert!(matches!(error, Error::Diverged { .. }), "{error}");
        error.to_string()
    };
    let whole = diverged(&base, Overrides::default());
    assert_eq!(of_ranks(2, |_, own| diverged(&base, own)), [whole.clone(), whole]);
    // And go back alike.
    let skips = Config { on_divergence: uphill::OnDivergence::Skip, ..base };
    let skipped = |own| {
        let mut trainer = Trainer::with(&skips, own).expect("a trainer");
        let ended = (0..3).map(|_| trainer.step().map(|row| row.map(|row| row.env_steps)).map_err(|e| e.to_string()));
        (ended.collect::<Vec<_>>(), trainer.take_notes())
    };
    let whole = skipped(Overrides::default());
    assert!(of_ranks(3, |_, own| skipped(own)).iter().all(|part| *part == whole), "{whole:?}");
}
