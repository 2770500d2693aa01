//! Environments on a device do what those on the host do, from the same states.

use candle_core::{DType, Device, Tensor};
use uphill::Seed;
use uphill::envs::{self, Action, Env, FrozenLake, FrozenLakeConfig, GridWorld, GridWorldConfig, Space};
use uphill::philox::{LaneNumbers, Purpose};
use uphill::tensor_env::{Classic, Table, TensorEnv, TensorStep};

/// A host's environment, its twin, and the words of the one's state as numbers of the other's.
struct Pair {
    host: Box<dyn Env>,
    twin: Box<dyn TensorEnv>,
    numbers: fn(&[u64]) -> Vec<f32>,
    /// How far one step may lead apart, relative to numbers above 1.
    bound: f32,
}

fn doubles(words: &[u64]) -> Vec<f32> {
    words.iter().map(|&word| f64::from_bits(word) as f32).collect()
}

/// The classic tasks, each with what its twin's documentation promises.
fn pairs() -> Vec<Pair> {
    vec![
        Pair {
            host: Box::new(envs::CartPole::new()),
            twin: Box::new(Classic::cart_pole()),
            numbers: |words| doubles(&words[..4]),
            bound: 2e-6,
        },
        Pair {
            host: Box::new(envs::MountainCar::new()),
            twin: Box::new(Classic::mountain_car()),
            numbers: |words| doubles(&words[..2]),
            bound: 1e-6,
        },
        Pair {
            host: Box::new(envs::MountainCarContinuous::new()),
            twin: Box::new(Classic::mountain_car_continuous()),
            // Its velocity is f32.
            numbers: |words| vec![f64::from_bits(words[0]) as f32, f32::from_bits(words[1] as u32)],
            bound: 1e-6,
        },
        Pair {
            host: Box::new(envs::Acrobot::new()),
            twin: Box::new(Classic::acrobot()),
            numbers: |words| doubles(&words[..4]),
            bound: 1e-4,
        },
        Pair {
            host: Box::new(envs::Pendulum::new()),
            twin: Box::new(Classic::pendulum()),
            numbers: |words| doubles(&words[..2]),
            bound: 2e-5,
        },
    ]
}

fn saved(env: &dyn Env) -> Vec<u64> {
    let mut words = Vec::new();
    assert!(env.save(&mut words));
    words
}

fn state(numbers: &[f32]) -> Tensor {
    Tensor::from_slice(numbers, (1, numbers.len()), &Device::Cpu).unwrap()
}

fn numbers(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

enum Chosen {
    Index(u32),
    Number([f32; 1]),
}

impl Chosen {
    fn view(&self) -> Action<'_> {
        match self {
            Chosen::Index(index) => Action::Discrete(*index),
            Chosen::Number(number) => Action::Continuous(number),
        }
    }
}

/// An action that changes now and then, as of a policy that means something by it.
fn action(space: &Space, i: usize) -> (Chosen, Tensor) {
    let word = uphill::philox::Philox { key: [5, 5] }.block([(i / 3) as u32, 0, 0, 0])[0];
    match space {
        Space::Discrete { n } => {
            let a = word % *n as u32;
            (Chosen::Index(a), Tensor::new(&[a], &Device::Cpu).unwrap())
        }
        _ => {
            // Beyond the bounds at times.
            let a = (word as f32 / u32::MAX as f32 - 0.5) * 6.0;
            (Chosen::Number([a]), Tensor::new(&[[a]], &Device::Cpu).unwrap())
        }
    }
}

fn near(what: &str, one: &[f32], other: &[f32], bound: f32) {
    assert_eq!(one.len(), other.len(), "{what}");
    for (a, b) in one.iter().zip(other) {
        assert!((a - b).abs() <= bound * a.abs().max(1.0), "{what}: {one:?} and {other:?} are not within {bound}");
    }
}

#[test]
fn one_step_from_a_state_of_the_host_is_the_hosts_within_the_bound() {
    for Pair { mut host, twin, numbers: of, bound } in pairs() {
        let spec = host.spec().clone();
        let (mut seen, mut ends) = (vec![0.0; spec.observation_len()], 0);
        let limit = spec.max_episode_steps.expect("a limit") as usize;
        host.reset(Some(3), &mut seen).unwrap();
        for i in 0..3_000 {
            let what = format!("{}, step {i}", spec.id);
            let from = state(&of(&saved(&*host)));
            near(&what, &numbers(&twin.observe(&from).unwrap()), &seen, bound);
            let (chosen, taken) = action(&spec.action, i);
            let step = host.step(chosen.view(), &mut seen).unwrap();
            let TensorStep { state, reward, terminated } = twin.step(&from, &taken, None).unwrap();
            near(&what, &numbers(&twin.observe(&state).unwrap()), &seen, bound);
            near(&what, &numbers(&reward), &[step.reward], bound);
            assert_eq!(terminated.to_vec1::<u8>().unwrap(), [u8::from(step.end.ended())], "{what}");
            ends += usize::from(step.end.ended());
            if step.end.ended() || (i + 1) % limit == 0 {
                host.reset(None, &mut seen).unwrap();
            }
        }
        let ends_by_chance = ["CartPole-v1", "Acrobot-v1"].contains(&&*spec.id);
        assert!(ends > 0 || !ends_by_chance, "{}: no episode ended", spec.id);
    }
}

#[test]
fn whole_trajectories_are_the_hosts_as_long_as_motion_is_not_chaotic() {
    for (Pair { mut host, twin, numbers: of, .. }, (steps, bound)) in
        pairs().into_iter().zip([(20, 1e-4), (200, 1e-4), (200, 1e-4), (20, 1e-2), (40, 1e-3)])
    {
        let spec = host.spec().clone();
        for seed in 0..20 {
            let mut seen = vec![0.0; spec.observation_len()];
            host.reset(Some(seed), &mut seen).unwrap();
            let mut now = state(&of(&saved(&*host)));
            for i in 0..steps {
                let what = format!("{}, seed {seed}, step {i}", spec.id);
                let (chosen, taken) = action(&spec.action, 1_000 * seed as usize + i);
                let step = host.step(chosen.view(), &mut seen).unwrap();
                let own = twin.step(&now, &taken, None).unwrap();
                near(&what, &numbers(&twin.observe(&own.state).unwrap()), &seen, bound);
                assert_eq!(own.terminated.to_vec1::<u8>().unwrap(), [u8::from(step.end.ended())], "{what}");
                if step.end.ended() {
                    break;
                }
                now = own.state;
            }
        }
    }
}

/// The car is driven to the flag and over the wall, and the pole and the links fall, whichever way.
#[test]
fn ends_and_walls_are_the_hosts() {
    let cpu = &Device::Cpu;
    let flags = |env: &dyn TensorEnv, rows: &[[f32; 2]], action: &Tensor| {
        let rows = Tensor::from_iter(rows.iter().flatten().copied(), cpu).unwrap().reshape((rows.len(), 2)).unwrap();
        let step = env.step(&rows, action, None).unwrap();
        (step.terminated.to_vec1::<u8>().unwrap(), numbers(&step.reward), numbers(&step.state))
    };
    let (ends, rewards, state) =
        flags(&Classic::mountain_car(), &[[0.49, 0.05], [-1.19, -0.07]], &Tensor::new(&[2u32, 0], cpu).unwrap());
    assert_eq!((ends, rewards), (vec![1, 0], vec![-1.0, -1.0]));
    assert_eq!(state[2..], [-1.2, 0.0]);
    let push = Tensor::new(&[[1.0f32], [-1.0]], cpu).unwrap();
    let (ends, rewards, _) = flags(&Classic::mountain_car_continuous(), &[[0.44, 0.05], [-1.19, -0.07]], &push);
    assert_eq!(ends, [1, 0]);
    near("rewards", &rewards, &[99.9, -0.1], 1e-6);
}

#[test]
fn episodes_start_where_the_hosts_start() {
    for Pair { mut host, twin, numbers: of, .. } in pairs() {
        let count = 4_000;
        let spec = twin.spec().clone();
        assert_eq!(spec, *host.spec());
        let drawn = LaneNumbers::new(Seed(1), count).uniform((0, 1), Purpose::Start, twin.start_draws(), &Device::Cpu);
        let own = twin.start(&drawn.unwrap().squeeze(0).unwrap()).unwrap();
        assert_eq!(own.dims(), [count, twin.state_len()], "{}", spec.id);
        let own: Vec<Vec<f32>> = own.to_vec2().unwrap();
        let mut seen = vec![0.0; spec.observation_len()];
        let mut of_host = Vec::new();
        host.reset(Some(1), &mut seen).unwrap();
        for _ in 0..count {
            of_host.push(of(&saved(&*host)));
            host.reset(None, &mut seen).unwrap();
        }
        for i in 0..twin.state_len() {
            let moments = |rows: &[Vec<f32>]| {
                let column = || rows.iter().map(|row| f64::from(row[i]));
                let mean = column().sum::<f64>() / count as f64;
                let most = column().fold(f64::NEG_INFINITY, f64::max);
                (mean, (column().map(|x| (x - mean).powi(2)).sum::<f64>() / count as f64).sqrt(), most)
            };
            let ((mean, std, most), (of_mean, of_std, of_most)) = (moments(&own), moments(&of_host));
            // Four deviations of a difference of means are 0.09 of one's own.
            assert!((mean - of_mean).abs() <= 0.09 * of_std, "{} {i}: {mean} and {of_mean}", spec.id);
            assert!((std - of_std).abs() <= 0.05 * of_std, "{} {i}: {std} and {of_std}", spec.id);
            assert!((most - of_most).abs() <= 0.02 * of_std, "{} {i}: {most} and {of_most}", spec.id);
        }
    }
}

fn grid(map: &str, options: &str) -> GridWorld {
    let config: GridWorldConfig = toml::from_str(&format!("map = \"\"\"{map}\"\"\"\n{options}")).unwrap();
    GridWorld::new(config).unwrap()
}

fn twin_of(world: &GridWorld) -> Table {
    Table::new(world.spec().clone(), &world.model().unwrap(), &Device::Cpu).unwrap()
}

#[test]
fn a_walk_without_chance_is_the_hosts_bit_for_bit() {
    for (map, options) in [
        ("S..#\n.O..\n...G", "goal_reward = 0.7\npit_reward = -0.3"),
        ("S...\n.x#.\nCC.G", "cell_rewards = { x = 0.25 }\nobservation = 'row-column'"),
        ("S....\n..#..\n.O..G", "wind = [0, 1, 2, 0, 1]\nmoves = 'eight'"),
    ] {
        let mut host = grid(map, options);
        let (twin, states) = (twin_of(&host), host.model_states().unwrap());
        assert_eq!(twin.step_draws(), 0);
        let mut seen = vec![0.0; host.spec().observation_len()];
        host.reset(Some(1), &mut seen).unwrap();
        let mut now = twin.start(&Tensor::zeros((1, 1), DType::F32, &Device::Cpu).unwrap()).unwrap();
        let mut ends = 0;
        for i in 0..2_000 {
            assert_eq!(numbers(&twin.observe(&now).unwrap()), seen, "{map}, step {i}");
            assert_eq!(states[numbers(&now)[0] as usize], host.state());
            let (chosen, taken) = action(&host.spec().action.clone(), 3 * i);
            let step = host.step(chosen.view(), &mut seen).unwrap();
            let own = twin.step(&now, &taken, None).unwrap();
            assert_eq!(numbers(&own.reward), [step.reward], "{map}, step {i}");
            assert_eq!(own.terminated.to_vec1::<u8>().unwrap(), [u8::from(step.end.ended())], "{map}, step {i}");
            now = own.state;
            assert_eq!(numbers(&twin.observe(&now).unwrap()), seen, "{map}, step {i}");
            if step.end.ended() {
                ends += 1;
                host.reset(None, &mut seen).unwrap();
                now = twin.start(&Tensor::zeros((1, 1), DType::F32, &Device::Cpu).unwrap()).unwrap();
            }
        }
        assert!(ends > 20, "{map}: {ends} ends");
    }
}

/// Of 20,000 lanes each outcome is drawn as often as the model says, within five deviations; so are starts.
#[test]
fn chance_is_as_often_as_the_model_says() {
    let lake = FrozenLake::new(FrozenLakeConfig::default()).unwrap();
    let world = grid("S...S\n..#..\nCC..G", "slip = 0.4\nwind = [0, 1, 1, 0, 0]\nstochastic_wind = true");
    let models = [(lake.spec().clone(), lake.model().unwrap()), (world.spec().clone(), world.model().unwrap())];
    for (spec, model) in models {
        let twin = Table::new(spec.clone(), &model, &Device::Cpu).unwrap();
        assert_eq!(twin.step_draws(), 1);
        let n = 20_000;
        let uniform = LaneNumbers::new(Seed(9), n);
        let near = |what: &str, count: usize, probability: f64| {
            let (expected, deviation) = (probability * n as f64, (probability * (1.0 - probability) * n as f64).sqrt());
            assert!((count as f64 - expected).abs() <= 5.0 * deviation + 0.5, "{}: {what}: {count}", spec.id);
        };
        let drawn = |step| uniform.uniform((step, 1), Purpose::Start, 1, &Device::Cpu).unwrap().squeeze(0).unwrap();
        let starts = numbers(&twin.start(&drawn(0)).unwrap());
        for (state, &probability) in model.start().iter().enumerate() {
            near("start", starts.iter().filter(|&&start| start == state as f32).count(), probability);
        }
        for state in (0..model.states()).filter(|&state| !model.is_terminal(state)) {
            for action in 0..model.actions() {
                let now = Tensor::full(state as f32, (n, 1), &Device::Cpu).unwrap();
                let taken = Tensor::full(action as u32, n, &Device::Cpu).unwrap();
                let step = twin.step(&now, &taken, Some(&drawn(1 + (state * 9 + action) as u64))).unwrap();
                let (next, rewards) = (numbers(&step.state), numbers(&step.reward));
                let ends = step.terminated.to_vec1::<u8>().unwrap();
                let all: Vec<_> = model.outcomes(state, action).to_vec();
                for one in &all {
                    let is = |i: &usize| {
                        next[*i] == one.next as f32
                            && rewards[*i] == one.reward as f32
                            && (ends[*i] == 1) == one.terminal
                    };
                    let same =
                        |o: &&envs::Outcome| (o.next, o.reward, o.terminal) == (one.next, one.reward, one.terminal);
                    let probability = all.iter().filter(same).map(|o| o.probability).sum::<f64>();
                    near("outcome", (0..n).filter(is).count(), probability.min(1.0));
                }
            }
        }
    }
}

#[test]
fn what_no_table_can_be_is_refused() {
    let taxi = envs::Taxi::v3();
    let model = taxi.model().unwrap();
    let message = Table::new(taxi.spec().clone(), &model, &Device::Cpu).expect_err("masks").to_string();
    assert!(message.contains("it forbids actions"), "{message}");
    let wide = format!("S{}G", ".".repeat(1_200));
    let world = grid(&wide, "random_start = true\nobservation = 'row-column'\nmax_episode_steps = inf");
    let message =
        Table::new(world.spec().clone(), &world.model().unwrap(), &Device::Cpu).expect_err("starts").to_string();
    assert!(message.contains("episodes start in 1201 states, and may in 1024"), "{message}");
}
