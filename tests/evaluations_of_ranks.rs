//! Ranks whose environments do not do the same are found out before they come to different ends.

use std::sync::{Arc, Barrier, Mutex};

use uphill::envs::{Action, End, Env, EnvError, Lanes, Space, Spec, Step, VecEnv};
use uphill::{Config, Event, Overrides, Result, StoppedBy, Trainer, World};

/// Episodes of ten steps, each paid and seen so.
#[derive(Clone)]
struct Paid {
    spec: Spec,
    pay: f32,
    sight: f32,
}

impl Env for Paid {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> std::result::Result<(), EnvError> {
        observation.fill(self.sight);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, observation: &mut [f32]) -> std::result::Result<Step, EnvError> {
        observation.fill(self.sight);
        Ok(Step { reward: self.pay, end: End::Not })
    }
}

/// One of two threads that learn together.
#[derive(Debug)]
struct Half(usize, Arc<(Barrier, Mutex<[Vec<u8>; 2]>)>);

impl World for Half {
    fn rank(&self) -> usize {
        self.0
    }

    fn size(&self) -> usize {
        2
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let (barrier, parts) = &*self.1;
        parts.lock().expect("a lock")[self.0] = own.to_vec();
        barrier.wait();
        let all = parts.lock().expect("a lock").to_vec();
        barrier.wait();
        Ok(all)
    }
}

/// What two ranks come to at their first evaluation, whose episodes are paid and seen so on each.
fn of_two_ranks(pay: [f32; 2], sight: [f32; 2], stop_at_return: f64) -> [(Result<Option<Event>>, Trainer); 2] {
    let observation = Space::uniform_box(8, -f32::MAX, f32::MAX);
    let (action, max_episode_steps) = (Space::Discrete { n: 2 }, Some(10));
    let spec = Spec { id: "Paid".into(), observation, action, max_episode_steps, reward_threshold: None };
    let small = Config { envs: 2, hidden: vec![4], threads: 1, ..Config::for_algo("a2c").expect("an algorithm") };
    let config = Config { env: "Paid".into(), eval_every: 1, eval_episodes: 3, ..small };
    let config =
        Config { stop_at_return: stop_at_return.into(), activation: uphill::models::Activation::Relu, ..config };
    let shared = Arc::new((Barrier::new(2), Mutex::default()));
    let come_to = |rank: usize| {
        let (spec, pay, sight) = (spec.clone(), pay[rank], sight[rank]);
        let envs = move |lanes: usize| {
            let sight = if lanes == 3 { sight } else { 0.0 };
            Ok(Box::new(Lanes::new(vec![Paid { spec: spec.clone(), pay, sight }; lanes])?) as Box<dyn VecEnv>)
        };
        let world = Arc::new(Half(rank, shared.clone()));
        let own = Overrides { envs: Some(Arc::new(envs)), world: Some(world), ..Overrides::default() };
        let mut trainer = Trainer::with(&config, own).expect("a trainer");
        trainer.advance().expect("an update");
        (trainer.advance(), trainer)
    };
    std::thread::scope(|scope| {
        [0, 1].map(|rank| scope.spawn(move || come_to(rank))).map(|rank| rank.join().expect("a rank"))
    })
}

#[test]
fn ranks_that_see_the_same_decide_alike() {
    for (stop_at_return, stopped_by) in [(25.0, None), (15.0, Some(StoppedBy::StopAtReturn))] {
        for (rank, (event, trainer)) in of_two_ranks([2.0; 2], [0.0; 2], stop_at_return).into_iter().enumerate() {
            let Some(Event::Evaluation(it)) = event.expect("an evaluation") else { panic!("an evaluation") };
            assert_eq!((it.evaluation.return_mean, it.is_best), (Some(20.0), true));
            assert_eq!(trainer.best_by_eval().map(|best| best.return_mean), Some(20.0), "rank {rank}");
            assert_eq!(trainer.stopped_by(), stopped_by, "rank {rank}");
        }
    }
}

#[test]
fn ranks_that_do_not_are_told_apart() {
    for (pay, sight) in [([2.0, 0.0], [0.0; 2]), ([0.0; 2], [0.0, 3e38])] {
        for (event, _) in of_two_ranks(pay, sight, 9.0) {
            let said = "rank 1 has come apart from the others: it has seen another evaluation than rank 0; do the \
                        environments keep to their seeds?";
            assert_eq!(event.expect_err("other evaluations").to_string(), said);
        }
    }
}
