//! [`FiniteMdp`]: against numbers worked out by hand, against finite differences, and against sampled episodes.

use std::collections::BTreeMap;

use uphill_envs::{
    Action, Actions, End, Env, FiniteMdp, GridWorld, GridWorldConfig, Lanes, MdpError, NumpyRng, Outcome, TimeLimit,
    Transitions, VecEnv,
};

fn outcome(probability: f64, next: usize, reward: f64, terminal: bool) -> Outcome {
    Outcome { probability, next, reward, terminal }
}

/// Two states and an end: from 0 one goes to 1 for 1 or ends for 5; from 1 one goes back to 0 or ends for 4, by the toss
/// of a coin, or ends for 2.
fn chain() -> FiniteMdp {
    let outcomes = vec![
        vec![outcome(1.0, 1, 1.0, false)],
        vec![outcome(1.0, 2, 5.0, true)],
        vec![outcome(0.5, 0, 0.0, false), outcome(0.5, 2, 4.0, true)],
        vec![outcome(1.0, 2, 2.0, true)],
        vec![],
        vec![],
    ];
    FiniteMdp::new(2, outcomes, vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 2.0]).unwrap()
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (x, y)) in found.iter().zip(expected).enumerate() {
        assert!((x - y).abs() <= tolerance, "at {i}: {x} for {y}; {found:?} for {expected:?}");
    }
}

/// With even odds and γ = 1/2: V₀ = 3 + V₁/4 and V₁ = 2 + V₀/8, so V₀ = 112/31; d₀ = 1 + d₁/8 and d₁ = d₀/4.
#[test]
fn the_chain_is_as_worked_out_by_hand() {
    let (mdp, even) = (chain(), [0.5; 6]);
    let (v0, v1) = (112.0 / 31.0, 76.0 / 31.0);
    let q = [1.0 + v1 / 2.0, 5.0, v0 / 4.0 + 2.0, 2.0, 0.0, 0.0];
    let (d0, d1) = (32.0 / 31.0, 8.0 / 31.0);
    assert_near(&mdp.state_values(&even, 0.5).unwrap(), &[v0, v1, 0.0], 1e-14);
    assert_near(&mdp.action_values(&even, 0.5).unwrap(), &q, 1e-14);
    assert_near(&[mdp.start_value(&even, 0.5).unwrap()], &[v0], 1e-14);
    assert_near(&mdp.occupancy(&even, 0.5).unwrap(), &[d0, d1, 0.0], 1e-14);
    let coefficients = [d0 * q[0], d0 * q[1], d1 * q[2], d1 * q[3], 0.0, 0.0];
    assert_near(&mdp.gradient_coefficients(&even, 0.5).unwrap(), &coefficients, 1e-14);
    // Without discount V₀ = 3 + V₁/2 and V₁ = 2 + V₀/4.
    assert_near(&mdp.state_values(&even, 1.0).unwrap(), &[32.0 / 7.0, 22.0 / 7.0, 0.0], 1e-14);
    // Ending at once pays 5; from 1 the coin is worth 4/2 + 5/4.
    assert_near(&mdp.optimal_values(0.5).unwrap(), &[5.0, 3.25, 0.0], 1e-14);
    // Without discount the best is to go round: V₀ = 1 + V₁ and V₁ = 2 + V₀/2.
    assert_near(&mdp.optimal_values(1.0).unwrap(), &[6.0, 5.0, 0.0], 1e-12);
    assert_eq!(mdp.optimal_policy(0.5).unwrap()[..4], [0.0, 1.0, 1.0, 0.0]);
    assert_eq!(mdp.optimal_policy(1.0).unwrap()[..4], [1.0, 0.0, 1.0, 0.0]);
    assert_eq!((mdp.observation_len(), mdp.is_terminal(2), mdp.is_terminal(1)), (1, true, false));
}

/// With h actions left, undiscounted and with even odds: V₀ = 3, 3 + 2/2, 3 + 2.75/2 and V₁ = 2, 2 + 3/4, ...; at best
/// V₀ = 5, 5, 1 + 4.5 and V₁ = 2, 2 + 5/2, ...
#[test]
fn a_limit_cuts_values_off_as_worked_out_by_hand() {
    let (mdp, even) = (chain(), [0.5; 6]);
    let values = [0, 1, 2, 3, 200].map(|limit| mdp.start_value_within(&even, limit).unwrap());
    assert_near(&values, &[0.0, 3.0, 4.0, 4.375, 32.0 / 7.0], 1e-12);
    let best = [0, 1, 2, 3, 200].map(|limit| mdp.optimal_value_within(limit));
    assert_near(&best, &[0.0, 5.0, 5.0, 5.5, 6.0], 1e-12);
    let refused = mdp.start_value_within(&even[..5], 3);
    assert_eq!(refused, Err(MdpError::Length { what: "policy", expected: 6, got: 5 }));
}

/// From 0 to 1 for sure, from 1 back or to the end by a coin: ρ₀ = (1, 0), ρ₁ = (0, 1), ρ₂ = (1/2 + 1/2, 0), ...
#[test]
fn visits_count_resets_at_ends_and_limits() {
    let (mdp, coin) = (chain(), [1.0, 0.0, 1.0, 0.0, 0.5, 0.5]);
    assert_near(&mdp.visits(&coin, 1, None).unwrap(), &[1.0, 0.0, 0.0], 0.0);
    assert_near(&mdp.visits(&coin, 3, None).unwrap(), &[2.0 / 3.0, 1.0 / 3.0, 0.0], 1e-15);
    assert_near(&mdp.visits(&coin, 5, Some(1)).unwrap(), &[1.0, 0.0, 0.0], 1e-15);
    // Even odds, limit 2: ρ₁ = (1/2, 1/2), whose half that stepped to 1 is cut off after one more step. Half of ρ₁'s
    // first state began anew and is in its own first step.
    let even = [0.5; 6];
    let rho = [[1.0, 0.0], [0.5, 0.5], [0.75, 0.25], [0.625, 0.375]];
    let mean = |i: usize| rho.iter().map(|r| r[i]).sum::<f64>() / 4.0;
    assert_near(&mdp.visits(&even, 4, Some(2)).unwrap(), &[mean(0), mean(1), 0.0], 1e-15);
    // A limit that is never reached is none.
    let unlimited = mdp.visits(&even, 7, None).unwrap();
    for limit in [7, 8, 1000] {
        assert_near(&mdp.visits(&even, 7, Some(limit)).unwrap(), &unlimited, 1e-15);
    }
    // In the long run the visits are the undiscounted occupancy, made a distribution.
    let occupancy = mdp.occupancy(&even, 1.0).unwrap();
    let length: f64 = occupancy.iter().sum();
    let share: Vec<f64> = occupancy.iter().map(|d| d / length).collect();
    assert_near(&mdp.visits(&even, 100_000, None).unwrap(), &share, 1e-4);
}

/// A map with everything on it.
fn busy() -> GridWorld {
    GridWorld::new(GridWorldConfig {
        map: "S.$.\n.#.O\nSC..\n...G".into(),
        cell_rewards: BTreeMap::from([('$', 0.4)]),
        slip: 0.25,
        step_reward: -0.1,
        pit_reward: -1.0,
        cliff_reward: -0.7,
        max_episode_steps: Some(12),
        ..GridWorldConfig::default()
    })
    .unwrap()
}

/// A softmax policy of these scores, `[S, A]`.
fn softmax(scores: &[f64], actions: usize) -> Vec<f64> {
    let mut policy: Vec<f64> = scores.iter().map(|x| x.exp()).collect();
    for row in policy.chunks_exact_mut(actions) {
        let sum: f64 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= sum);
    }
    policy
}

fn scores(mdp: &FiniteMdp, seed: u64) -> Vec<f64> {
    let mut rng = NumpyRng::new(seed);
    (0..mdp.states() * mdp.actions()).map(|_| rng.uniform(-1.0, 1.0)).collect()
}

/// The policy gradient theorem: Σ c·∂π/∂x equals the slope of J along every score x of a softmax policy.
#[test]
fn gradient_coefficients_agree_with_finite_differences() {
    let mdp = busy().model().unwrap();
    let a = mdp.actions();
    let scores = scores(&mdp, 8);
    let policy = softmax(&scores, a);
    for gamma in [0.9, 1.0] {
        let coefficients = mdp.gradient_coefficients(&policy, gamma).unwrap();
        let mut largest = 0.0_f64;
        for i in 0..scores.len() {
            let row = i / a * a..i / a * a + a;
            let mean: f64 = row.clone().map(|j| policy[j] * coefficients[j]).sum();
            let exact = policy[i] * (coefficients[i] - mean);
            let j = |h: f64| {
                let mut moved = scores.clone();
                moved[i] += h;
                mdp.start_value(&softmax(&moved, a), gamma).unwrap()
            };
            let h = 1e-5;
            let slope = (j(h) - j(-h)) / (2.0 * h);
            assert!((exact - slope).abs() < 1e-8, "gamma {gamma}, score {i}: {exact} for {slope}");
            largest = largest.max(exact.abs());
        }
        assert!(largest > 0.05, "a gradient of zeros shows nothing");
    }
}

/// J is also what the occupied states pay.
#[test]
fn occupancy_times_reward_is_the_value_of_the_start() {
    let mdp = busy().model().unwrap();
    let policy = softmax(&scores(&mdp, 3), mdp.actions());
    for gamma in [0.0, 0.5, 1.0] {
        let occupancy = mdp.occupancy(&policy, gamma).unwrap();
        let paid: f64 = (0..mdp.states())
            .flat_map(|s| (0..mdp.actions()).map(move |a| (s, a)))
            .map(|(s, a)| {
                let reward: f64 = mdp.outcomes(s, a).iter().map(|o| o.probability * o.reward).sum();
                occupancy[s] * policy[s * mdp.actions() + a] * reward
            })
            .sum();
        assert_near(&[paid], &[mdp.start_value(&policy, gamma).unwrap()], 1e-12);
    }
}

/// Mean, and the standard error of the mean.
fn mean_and_error(samples: &[f64]) -> (f64, f64) {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn choose(mdp: &FiniteMdp, policy: &[f64], state: usize, rng: &mut NumpyRng) -> u32 {
    let a = mdp.actions();
    rng.categorical(policy[state * a..(state + 1) * a].iter().copied()) as u32
}

fn state_of(mdp: &FiniteMdp, observation: &[f32]) -> usize {
    mdp.observations().chunks_exact(mdp.observation_len()).position(|row| row == observation).unwrap()
}

/// Sampled returns, discounted and not, against J, and sampled states against the occupancy: within 4 standard errors.
#[test]
fn sampled_episodes_agree_with_the_model() {
    let mut env = busy();
    let mdp = env.model().unwrap();
    let policy = softmax(&scores(&mdp, 5), mdp.actions());
    let (episodes, gamma) = (20_000, 0.9);
    let mut rng = NumpyRng::new(17);
    let mut observation = vec![0.0; mdp.observation_len()];
    env.reset(Some(1), &mut observation).unwrap();
    let mut returns = vec![Vec::new(); 2];
    let mut visits = vec![Vec::new(); mdp.states()];
    for _ in 0..episodes {
        env.reset(None, &mut observation).unwrap();
        let (mut plain, mut discounted, mut weight) = (0.0, 0.0, 1.0);
        let mut seen = vec![0.0; mdp.states()];
        loop {
            let state = state_of(&mdp, &observation);
            seen[state] += weight;
            let step = env.step(Action::Discrete(choose(&mdp, &policy, state, &mut rng)), &mut observation).unwrap();
            plain += f64::from(step.reward);
            discounted += weight * f64::from(step.reward);
            weight *= gamma;
            if step.end.ended() {
                assert!(mdp.is_terminal(state_of(&mdp, &observation)));
                break;
            }
        }
        returns[0].push(plain);
        returns[1].push(discounted);
        visits.iter_mut().zip(seen).for_each(|(all, one)| all.push(one));
    }
    for (samples, gamma) in returns.iter().zip([1.0, gamma]) {
        let (mean, error) = mean_and_error(samples);
        let exact = mdp.start_value(&policy, gamma).unwrap();
        assert!((mean - exact).abs() <= 4.0 * error, "gamma {gamma}: {mean} ± {error} for {exact}");
    }
    let occupancy = mdp.occupancy(&policy, gamma).unwrap();
    for (state, samples) in visits.iter().enumerate() {
        let (mean, error) = mean_and_error(samples);
        assert!((mean - occupancy[state]).abs() <= 4.0 * error, "state {state}: {mean} ± {error}");
    }
}

/// The states that lanes with auto-reset are in over a window, against [`FiniteMdp::visits`].
#[test]
fn sampled_windows_agree_with_the_visits() {
    let (window, runs) = (20, 4000);
    let mdp = busy().model().unwrap();
    let policy = softmax(&scores(&mdp, 6), mdp.actions());
    let limit = busy().spec().max_episode_steps;
    let exact = mdp.visits(&policy, window, limit).unwrap();
    assert!((exact.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let d = mdp.observation_len();
    let mut lanes = Lanes::new(vec![TimeLimit::new(busy())]).unwrap();
    let mut rng = NumpyRng::new(2);
    let (mut observation, mut last) = (vec![0.0; d], vec![0.0; d]);
    let mut shares = vec![Vec::new(); mdp.states()];
    let mut truncated = 0;
    for run in 0..runs {
        lanes.reset((run == 0).then_some(9), &mut observation).unwrap();
        let mut counts = vec![0.0; mdp.states()];
        for _ in 0..window {
            let state = state_of(&mdp, &observation);
            counts[state] += 1.0 / window as f64;
            let (mut reward, mut end) = ([0.0], [End::Not]);
            let out = Transitions {
                observation: &mut observation,
                final_observation: &mut last,
                reward: &mut reward,
                end: &mut end,
            };
            lanes.step(Actions::Discrete(&[choose(&mdp, &policy, state, &mut rng)]), &[true], out).unwrap();
            truncated += u32::from(end[0] == End::Truncated);
        }
        shares.iter_mut().zip(counts).for_each(|(all, one)| all.push(one));
    }
    for (state, samples) in shares.iter().enumerate() {
        let (mean, error) = mean_and_error(samples);
        assert!((mean - exact[state]).abs() <= 4.0 * error, "state {state}: {mean} ± {error} for {}", exact[state]);
    }
    assert!(truncated > 100, "the limit hardly ever struck");
    // The limit moves the distribution by far more than chance does here.
    let unlimited = mdp.visits(&policy, window, None).unwrap();
    assert!(exact.iter().zip(&unlimited).any(|(x, y)| (x - y).abs() > 0.02), "{exact:?} {unlimited:?}");
}

#[test]
fn the_presets_have_their_documented_optimum() {
    let presets = [
        (GridWorldConfig::four_by_four(), 0.995, 14),
        (GridWorldConfig::four_rooms(), 0.81, 104),
        (GridWorldConfig::cliff_walking(), -13.0, 38),
    ];
    for (config, optimum, states) in presets {
        let id = config.id.clone();
        let env = GridWorld::new(config).unwrap();
        let mdp = env.model().unwrap();
        assert_eq!((mdp.states(), env.model_states().unwrap().len()), (states, states), "{id}");
        let values = mdp.optimal_values(1.0).unwrap();
        let best = mdp.optimal_policy(1.0).unwrap();
        let start: f64 = values.iter().zip(mdp.start()).map(|(v, p)| v * p).sum();
        // The rewards are f32, so the sum is off by their rounding.
        assert!((start - optimum).abs() < 1e-6, "{id}: {start}");
        assert!((mdp.start_value(&best, 1.0).unwrap() - start).abs() < 1e-9, "{id}");
    }
}

#[test]
fn what_never_ends_has_no_undiscounted_value() {
    let mdp = GridWorld::new(GridWorldConfig::four_by_four()).unwrap().model().unwrap();
    let up: Vec<f64> = [1.0, 0.0, 0.0, 0.0].repeat(mdp.states());
    assert!(matches!(mdp.state_values(&up, 1.0), Err(MdpError::Improper { .. })));
    assert!(matches!(mdp.occupancy(&up, 1.0), Err(MdpError::Improper { .. })));
    let forever = mdp.start_value(&up, 0.9).unwrap();
    assert!((forever + 0.001 / (1.0 - 0.9)).abs() < 1e-7, "{forever}");
    assert!((mdp.occupancy(&up, 0.9).unwrap().iter().sum::<f64>() - 10.0).abs() < 1e-9);
    // Circles that pay have no best undiscounted value.
    let paid = vec![vec![outcome(1.0, 0, 1.0, false)]];
    let paid = FiniteMdp::new(1, paid, vec![1.0], vec![]).unwrap();
    assert!(matches!(paid.optimal_values(1.0), Err(MdpError::NotConverged { .. })));
    assert_near(&paid.optimal_values(0.5).unwrap(), &[2.0], 1e-12);
}

#[test]
fn what_is_no_policy_or_no_discount_is_refused() {
    let mdp = chain();
    let even = [0.5; 6];
    for gamma in [-0.1, 1.1, f64::NAN] {
        assert!(matches!(mdp.state_values(&even, gamma), Err(MdpError::Discount(_))));
        assert!(matches!(mdp.optimal_values(gamma), Err(MdpError::Discount(_))));
    }
    let refused = mdp.start_value(&even[..5], 0.9);
    assert_eq!(refused, Err(MdpError::Length { what: "policy", expected: 6, got: 5 }));
    for row in [[0.5, 0.4], [1.5, -0.5], [f64::NAN, 0.5]] {
        let policy = [0.5, 0.5, row[0], row[1], 0.5, 0.5];
        let message = mdp.occupancy(&policy, 0.9).unwrap_err().to_string();
        assert!(message.starts_with("the policy in state 1 is no distribution"), "{message}");
    }
    assert_eq!(mdp.visits(&even, 0, None), Err(MdpError::Zero("steps")));
    assert_eq!(mdp.visits(&even, 1, Some(0)), Err(MdpError::Zero("limit")));
}

#[test]
fn tables_that_are_no_process_are_refused() {
    let new = |outcomes, start: &[f64]| FiniteMdp::new(1, outcomes, start.to_vec(), vec![]).map(|_| ());
    let end = || vec![outcome(1.0, 0, 1.0, true)];
    assert_eq!(new(vec![end()], &[1.0]), Ok(()));
    // An outcome that ends pays no more, whatever state it names.
    let looped = FiniteMdp::new(1, vec![end()], vec![1.0], vec![]).unwrap();
    assert_eq!(looped.state_values(&[1.0], 1.0), Ok(vec![1.0]));
    assert_eq!(looped.action_values(&[1.0], 1.0), Ok(vec![1.0]));
    assert_eq!(looped.optimal_values(1.0), Ok(vec![1.0]));
    assert_eq!(new(vec![], &[]), Err(MdpError::Zero("states")));
    assert_eq!(FiniteMdp::new(0, vec![], vec![1.0], vec![]).map(|_| ()), Err(MdpError::Zero("actions")));
    assert!(matches!(new(vec![end(), end()], &[1.0]), Err(MdpError::Length { what: "outcomes", .. })));
    assert!(matches!(new(vec![end()], &[0.5]), Err(MdpError::Distribution { .. })));
    assert!(matches!(new(vec![vec![outcome(0.5, 0, 0.0, true)]], &[1.0]), Err(MdpError::Distribution { .. })));
    for bad in [outcome(1.0, 7, 0.0, true), outcome(1.0, 0, f64::NAN, true), outcome(1.0, 1, 0.0, false)] {
        let refused = new(vec![vec![bad], vec![]], &[1.0, 0.0]);
        assert!(matches!(refused, Err(MdpError::Outcome { state: 0, action: 0, .. })), "{refused:?}");
    }
    assert!(matches!(new(vec![vec![]], &[1.0]), Err(MdpError::Outcome { .. })), "a start where nothing can be done");
    let half = FiniteMdp::new(2, vec![end(), vec![]], vec![1.0], vec![]);
    assert!(matches!(half, Err(MdpError::Outcome { action: 1, .. })));
    let odd = FiniteMdp::new(1, vec![end(), end()], vec![0.5, 0.5], vec![0.0; 3]);
    assert!(matches!(odd, Err(MdpError::Length { what: "observations", .. })));
}
