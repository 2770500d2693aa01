//! What lanes remember while a rollout is played: by it values go, never across a reset, and by it minibatches are cut.

use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Tensor};
use uphill::distributions::{Distribution, over};
use uphill::envs::{CartPole, End, Lanes, Space, TimeLimit};
use uphill::objective::{Objective, RowSums};
use uphill::rollout::Minibatch;
use uphill::{Collector, Config, Error, Horizon, Layout, Model, Params, Result, Scratch, Seed, Threads, Trainer};

const CPU: Device = Device::Cpu;

/// A model that counts an episode's observations: its value is their number, and it prefers the action of that number's parity.
struct Counting(Arc<dyn Distribution>, Arc<Mutex<Vec<Vec<usize>>>>);

impl Counting {
    fn new() -> Self {
        Self(over("test", &Space::Discrete { n: 2 }).expect("a distribution"), Arc::default())
    }

    fn params() -> Params {
        Params::new(Layout::default(), Vec::new(), &CPU).expect("no parameters")
    }
}

impl Model for Counting {
    fn observation_len(&self) -> usize {
        4
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        &self.0
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        let memory = Tensor::zeros((observation.dim(0)?, 1), DType::F32, &CPU)?;
        let (outputs, value, _) = self.forward_after(params, observation, &memory)?;
        Ok((outputs, value))
    }

    fn memory(&self) -> usize {
        1
    }

    fn forward_after(&self, _: &Params, _: &Tensor, memory: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
        let count = (memory + 1.0)?;
        Ok((Tensor::cat(&[&count, &count.zeros_like()?], 1)?, count.squeeze(1)?, count))
    }

    fn host_gradient(
        &self,
        params: &Params,
        batch: Minibatch<'_>,
        _: &dyn Objective,
        _: &mut Scratch,
        gradient: &mut Vec<f32>,
        sums: &mut RowSums,
    ) -> Result<Option<f64>> {
        self.1.lock().expect("nobody panicked").push(batch.places.to_vec());
        sums.clear();
        gradient.clear();
        gradient.resize(params.layout().len(), 0.0);
        Ok(Some(0.0))
    }
}

/// Lanes of CartPole that are cut off after so many steps.
fn short(lanes: usize, limit: u32) -> Box<dyn uphill::envs::VecEnv> {
    let env = TimeLimit::with_limit(CartPole::new(), limit).expect("a limit");
    Box::new(Lanes::new(vec![env; lanes]).expect("lanes"))
}

#[test]
fn values_go_by_what_is_remembered_and_never_across_a_reset() {
    let (model, params) = (Counting::new(), Counting::params());
    for (groups, limit) in [(1, 3), (2, 3), (2, 100)] {
        let envs = (0..groups).map(|_| short(2, limit)).collect();
        let mut collector =
            Collector::grouped(envs, Seed(3), Threads::new(groups).expect("threads")).expect("a collector");
        let mut seen = vec![0.0f32; 2 * groups];
        let [mut truncated, mut terminated] = [0; 2];
        for _ in 0..6 {
            let (rollout, _) = collector.collect(&model, &params, Horizon::Steps(7), true).expect("a rollout");
            assert_eq!(rollout.memory, seen, "what was remembered at the first step");
            let n = rollout.lanes;
            for place in 0..7 * n {
                let seen = &mut seen[place % n];
                *seen += 1.0;
                assert_eq!(rollout.value[place], *seen, "place {place}");
                let expected = match rollout.end[place] {
                    End::Terminated => 0.0,
                    // The observation that the step led to is one more.
                    End::Not | End::Truncated => *seen + 1.0,
                };
                assert_eq!(rollout.next_value[place], expected, "place {place}, {:?}", rollout.end[place]);
                if rollout.end[place].ended() {
                    *seen = 0.0;
                }
                truncated += usize::from(rollout.end[place] == End::Truncated);
                terminated += usize::from(rollout.end[place] == End::Terminated);
            }
        }
        assert!(if limit == 3 { truncated > 0 } else { terminated > 0 }, "episodes ended");
    }
}

#[test]
fn a_parked_lane_remembers_nothing_of_the_time_that_it_waited() {
    let (model, params) = (Counting::new(), Counting::params());
    let mut collector = Collector::new(short(4, 100), Seed(1)).expect("a collector");
    for _ in 0..3 {
        let (rollout, _) = collector.collect(&model, &params, Horizon::Episodes(1), true).expect("a rollout");
        assert!(rollout.valid.contains(&false), "lanes are parked");
        assert_eq!(rollout.memory, [0.0; 4]);
        for place in rollout.valid_steps() {
            assert_eq!(rollout.value[place], (place / 4 + 1) as f32);
        }
    }
}

#[test]
fn after_an_error_a_lane_remembers_what_it_did_before() {
    struct Failing(Counting);
    impl Model for Failing {
        fn observation_len(&self) -> usize {
            4
        }
        fn distribution(&self) -> &Arc<dyn Distribution> {
            self.0.distribution()
        }
        fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
            self.0.forward(params, observation)
        }
        fn memory(&self) -> usize {
            1
        }
        fn forward_after(&self, _: &Params, _: &Tensor, memory: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
            let (_, value, count) = self.0.forward_after(&Counting::params(), memory, memory)?;
            // No distribution from the fifth step on.
            let outputs = count.ge(5.0)?.where_cond(&(&count * f64::NAN)?, &count)?;
            Ok((Tensor::cat(&[&outputs, &outputs], 1)?, value, count))
        }
    }
    let mut collector = Collector::new(short(2, 100), Seed(1)).expect("a collector");
    let params = Counting::params();
    collector.collect(&Counting::new(), &params, Horizon::Steps(3), true).expect("a rollout");
    let failed = collector.collect(&Failing(Counting::new()), &params, Horizon::Steps(4), true);
    assert!(matches!(failed, Err(Error::NotFinite { .. })), "{failed:?}");
    let (rollout, _) = collector.collect(&Counting::new(), &params, Horizon::Steps(1), true).expect("a rollout");
    assert_eq!(rollout.memory, [3.0; 2]);
}

#[test]
fn minibatches_are_whole_lanes() {
    let config = Config { envs: 5, n_steps: 8, n_minibatches: 2, n_epochs: 8, ..Config::for_algo("ppo").expect("ppo") };
    let batches = Arc::new(Mutex::new(Vec::new()));
    let model = Counting(Counting::new().0, batches.clone());
    let mut trainer =
        Trainer::with_network(&config, |_, _| Ok((Counting::params(), Box::new(model)))).expect("a trainer");
    trainer.step().expect("an update");
    let batches = batches.lock().expect("nobody panicked");
    assert_eq!(batches.len(), 16);
    let mut orders = Vec::new();
    for epoch in batches.chunks(2) {
        let lanes_of = |places: &[usize]| places.iter().take_while(|&&p| p < 5).copied().collect::<Vec<_>>();
        for places in epoch {
            let lanes = lanes_of(places);
            let expected: Vec<usize> = (0..8).flat_map(|t| lanes.iter().map(move |lane| 5 * t + lane)).collect();
            assert_eq!(*places, expected, "every step of its lanes, in order");
        }
        let mut all: Vec<usize> = epoch.iter().flat_map(|places| lanes_of(places)).collect();
        orders.push(all.clone());
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    }
    assert!(orders.windows(2).any(|pair| pair[0] != pair[1]), "lanes are shuffled: {orders:?}");
}

#[test]
fn more_minibatches_than_lanes_are_refused_before_work_begins() {
    let ppo = Config { n_minibatches: 5, model: "gru".into(), ..Config::for_algo("ppo").expect("ppo") };
    let error = Trainer::new(&ppo).err().expect("refused");
    let range = "the network has a memory, whose minibatches are whole lanes, and envs = 4";
    assert_eq!(error.to_string(), format!("n_minibatches = 5 is impossible: {range}"));
    assert!(Trainer::new(&Config { model: "mlp".into(), ..ppo.clone() }).is_ok());
    assert!(Trainer::new(&Config { envs: 5, ..ppo }).is_ok());
}
