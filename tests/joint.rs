//! Several choices at once against exact gradients: every combination is an action of a random process whose model is known.

use uphill::envs::{Action, Env, EnvError, Lanes, Space, Spec, Step, TabularEnv, random_mdp};
use uphill::objective::RowSums;
use uphill::rollout::Minibatch;
use uphill::{Collector, Config, MlpConfig, MlpModel, Scratch, Seed, Stop, oracle};

/// A process whose actions are combinations of choices, the last of them first to move.
#[derive(Clone)]
struct Joint {
    inner: TabularEnv,
    spec: Spec,
    components: Vec<usize>,
}

impl Joint {
    fn new(action: Space, components: &[usize]) -> Self {
        let model = random_mdp(4, components.iter().product(), 2, 0.3, 5).expect("a process");
        let inner = TabularEnv::new("Joint-v0", model, None).expect("an environment");
        let spec = Spec { action, ..inner.spec().clone() };
        Self { inner, spec, components: components.to_vec() }
    }
}

impl Env for Joint {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.inner.reset(seed, observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let chosen = self.spec.action.multi_discrete(action)?;
        let index = chosen.iter().zip(&self.components).fold(0, |index, (&a, &n)| index * n as u32 + a);
        self.inner.step(Action::Discrete(index), observation)
    }
}

#[test]
fn sampled_gradients_of_combinations_follow_the_exact_one() {
    const LANES: usize = 16;
    let config = Config {
        gamma: 1.0,
        envs: LANES,
        episodes: LANES,
        ent_coef: 0.0.into(),
        baseline: false,
        normalize_advantage: false,
        ..Config::for_algo("reinforce").expect("an algorithm")
    };
    let algo = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
    for (space, components) in [
        (Space::MultiDiscrete { n: vec![2, 3] }, vec![2, 3]),
        (Space::MultiBinary { n: 3 }, vec![2; 3]),
        (Space::MultiDiscrete { n: vec![4] }, vec![4]),
    ] {
        let env = Joint::new(space, &components);
        let mdp = env.inner.model().clone();
        let shape = MlpConfig { hidden: vec![], ..MlpConfig::default() };
        let (mut params, network) =
            MlpModel::new(env.spec(), &shape, Seed(5), &candle_core::Device::Cpu).expect("a network");
        let mut theta = params.snapshot().expect("values");
        theta.iter_mut().enumerate().for_each(|(i, v)| *v = ((i * 37 % 17) as f32 - 8.0) / 8.0);
        params.set(&theta).expect("the same length");
        let table = oracle::policy_table(&network, &params, &mdp).expect("a policy");
        assert_eq!(table.len(), 4 * components.iter().product::<usize>());
        table.chunks(mdp.actions()).for_each(|row| assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-6));

        let exact = oracle::exact_policy_gradient(&network, &params, &mdp, 1.0).expect("a gradient");
        let exact: Vec<f32> = exact.to_vec1().expect("numbers");
        let (n, rollouts) = (theta.len(), 400u32);
        let (mut sum, mut squares) = (vec![0.0f64; n], vec![0.0f64; n]);
        let (mut total, mut played) = (0.0, 0.0);
        for i in 0..rollouts {
            let lanes = Box::new(Lanes::new(vec![env.clone(); LANES]).expect("lanes"));
            let mut collector = Collector::new(lanes, Seed(i.into())).expect("a reset");
            let (rollout, episodes) = collector.collect(&network, &params, algo.horizon, false).expect("a rollout");
            total += episodes.iter().map(|episode| episode.episode_return).sum::<f64>();
            played += episodes.len() as f64;
            let estimate = algo.estimator.estimate(rollout, 1.0);
            let places: Vec<usize> = rollout.valid_steps().collect();
            let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
            let stop = Stop::default();
            let batch = Minibatch { rollout, estimate: &estimate, places: &places, advantage: &advantage, stop };
            let (mut gradient, mut scratch, mut sums) = (Vec::new(), Scratch::default(), RowSums::default());
            algo.gradient(&network, &params, batch, &mut scratch, &mut gradient, &mut sums).expect("a gradient");
            let scale = -(places.len() as f64) / episodes.len() as f64;
            for (j, g) in gradient.into_iter().enumerate() {
                let g = f64::from(g) * scale;
                (sum[j], squares[j]) = (sum[j] + g, squares[j] + g * g);
            }
        }
        let r = f64::from(rollouts);
        let actor = params.layout().blocks().iter().filter(|block| block.name.starts_with("actor"));
        let mut tried = 0;
        for j in actor.flat_map(|block| block.range()) {
            let mean = sum[j] / r;
            let error = ((squares[j] / r - mean * mean).max(0.0) / (r - 1.0)).sqrt();
            let apart = (mean - f64::from(exact[j])).abs();
            assert!(apart < 1e-7 || apart / error < 4.5, "{components:?}, {j}: {mean} {} ± {error}", exact[j]);
            tried += usize::from(exact[j].abs() > 0.01);
        }
        assert!(tried > 5, "{components:?}: {tried} derivatives that are not zero");
        let value = oracle::exact_return(&network, &params, &mdp, 1.0).expect("a return");
        assert!((total / played - value).abs() < 0.15, "{} {value}", total / played);
    }
}
