//! Ranks with a GPU each. Where there are not as many GPUs these tests say so and do no more:
//! `cargo test --release --features nccl --test nccl -- --nocapture` on a machine that has two.
#![cfg(feature = "nccl")]

use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use uphill::{Alone, Config, NcclWorld, Overrides, Result, Trainer, World};

/// Whether there are so many GPUs; says what is skipped where there are not.
fn has_gpus(test: &str, count: usize) -> bool {
    match candle_core::Device::new_cuda(count - 1) {
        Ok(_) => true,
        Err(why) => {
            eprintln!("{test} is skipped: {why}");
            false
        }
    }
}

/// A thread of several.
#[derive(Debug)]
struct Threads {
    rank: usize,
    size: usize,
    shared: Arc<(Barrier, Mutex<Vec<Vec<u8>>>)>,
}

impl World for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let (barrier, parts) = &*self.shared;
        parts.lock().expect("parts")[self.rank] = own.to_vec();
        barrier.wait();
        let all = parts.lock().expect("parts").clone();
        barrier.wait();
        Ok(all)
    }
}

/// Does the same on two ranks.
fn on_two<T: Send>(work: impl Fn(usize, Arc<dyn World>) -> T + Sync) -> [T; 2] {
    let shared = Arc::new((Barrier::new(2), Mutex::new(vec![Vec::new(); 2])));
    let world = |rank| Arc::new(NcclWorld::over(Arc::new(Threads { rank, size: 2, shared: shared.clone() }), rank));
    thread::scope(|scope| {
        let (work, worlds) = (&work, [world(0), world(1)]);
        let mut rank = 0;
        worlds
            .map(|world| {
                rank += 1;
                let own = rank - 1;
                scope.spawn(move || work(own, world))
            })
            .map(|rank| rank.join().expect("a rank"))
    })
}

#[test]
fn one_rank_gathers_its_own_bytes() {
    if !has_gpus("one_rank_gathers_its_own_bytes", 1) {
        return;
    }
    let world = NcclWorld::over(Arc::new(Alone), 0);
    for own in [&b"three"[..], b"", &[7; 100_000]] {
        assert_eq!(world.gather(own).expect("its own"), [own]);
    }
}

#[test]
fn two_ranks_gather_as_many_bytes_as_each_has() {
    if !has_gpus("two_ranks_gather_as_many_bytes_as_each_has", 2) {
        return;
    }
    let all = on_two(|rank, world| world.gather(&vec![rank as u8 + 1; 3 + 70_000 * rank]).expect("all"));
    let expected = vec![vec![1; 3], vec![2; 70_003]];
    assert_eq!(all, [expected.clone(), expected]);
}

#[test]
fn two_ranks_learn_what_one_does() {
    if !has_gpus("two_ranks_learn_what_one_does", 2) {
        return;
    }
    let config =
        Config { env: "GridWorld-4x4-v0".into(), steps: 4_096, threads: 1, ..Config::for_algo("ppo").expect("ppo") };
    let learn = |world: Option<Arc<dyn World>>, gpu: usize| {
        let config = Config { device: format!("cuda:{gpu}"), ..config.clone() };
        let mut trainer = Trainer::with(&config, Overrides { world, ..Overrides::default() }).expect("a trainer");
        while trainer.step().expect("an update").is_some() {}
        trainer.params().snapshot().expect("parameters")
    };
    let [one, other] = on_two(|rank, world| learn(Some(world), rank));
    let alone = learn(None, 0);
    assert_eq!((&one, &other), (&alone, &alone));
}
