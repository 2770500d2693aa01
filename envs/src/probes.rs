//! Models of small tasks that each ask one thing of a learner.

use crate::{FiniteMdp, MdpError, NumpyRng, Outcome};

/// One observation a state: 1 at its place, 0 elsewhere.
fn one_hot(states: usize) -> Vec<f32> {
    (0..states * states).map(|i| if i % (states + 1) == 0 { 1.0 } else { 0.0 }).collect()
}

fn starts_in(state: usize, states: usize) -> Vec<f64> {
    (0..states).map(|i| if i == state { 1.0 } else { 0.0 }).collect()
}

fn surely(next: usize, reward: f64, terminal: bool) -> Vec<Outcome> {
    vec![Outcome { probability: 1.0, next, reward, terminal }]
}

/// A corridor of `length` steps from its left end to the goal at its right end: action 0 goes left, against the wall at the end, and 1
/// goes right; each step costs 1. The best return is `−length`.
///
/// # Errors
/// [`MdpError::Zero`] for no step, [`MdpError::TooLarge`] for more than a thousand.
pub fn corridor(length: usize) -> Result<FiniteMdp, MdpError> {
    let states = sized(length, "length", 1000)? + 1;
    let ways = |state: usize| match state == length {
        true => [Vec::new(), Vec::new()],
        false => [surely(state.saturating_sub(1), -1.0, false), surely(state + 1, -1.0, state + 1 == length)],
    };
    FiniteMdp::new(2, (0..states).flat_map(ways).collect(), starts_in(0, states), one_hot(states))
}

/// A choice that pays `delay` steps later: the first action is right if it is 1, and the step after `delay` more, whatever they
/// do, pays 1 for the right one and −1 for the other. The best return is 1, in `delay + 1` steps.
///
/// # Errors
/// [`MdpError::Zero`] for no delay, [`MdpError::TooLarge`] for one of more than a thousand steps.
pub fn delayed_reward(delay: usize) -> Result<FiniteMdp, MdpError> {
    let states = 2 * sized(delay, "delay", 1000)? + 2;
    // State 0 chooses; after a wrong and a right choice come 1 + 2·t and 2 + 2·t; the last is the end.
    let end = states - 1;
    let ways = |state: usize| match state {
        0 => [surely(1, 0.0, false), surely(2, 0.0, false)],
        state if state == end => [Vec::new(), Vec::new()],
        state => {
            let reward = if state % 2 == 0 { 1.0 } else { -1.0 };
            let way = || if state + 2 < end { surely(state + 2, 0.0, false) } else { surely(end, reward, true) };
            [way(), way()]
        }
    };
    FiniteMdp::new(2, (0..states).flat_map(ways).collect(), starts_in(0, states), one_hot(states))
}

/// A random process: from each state each action leads to `branching` states, drawn without replacement, with probabilities between
/// sorted uniform numbers, and pays a standard normal reward. Every step ends the episode with probability `end`; episodes start in any
/// state.
///
/// Bhatnagar et al. 2009, section 6 (Garnet), <https://doi.org/10.1016/j.automatica.2009.07.008>.
///
/// # Errors
/// [`MdpError::Zero`] for no state, action or branch, [`MdpError::TooLarge`] for more than a thousand states, a hundred actions, or
/// more branches than states, [`MdpError::Distribution`] for an `end` outside `(0, 1]`.
pub fn random_mdp(states: usize, actions: usize, branching: usize, end: f64, seed: u64) -> Result<FiniteMdp, MdpError> {
    let (states, actions) = (sized(states, "states", 1000)?, sized(actions, "actions", 100)?);
    let branching = sized(branching, "branching", states)?;
    if !(end > 0.0 && end <= 1.0) {
        return Err(MdpError::Distribution { what: "the end of an episode".into(), sum: end });
    }
    let mut rng = NumpyRng::new(seed);
    let mut way = |_| {
        // The first of a shuffle, as far as it is needed.
        let mut next: Vec<usize> = (0..states).collect();
        for i in 0..branching {
            let other = i + ((rng.random() * (states - i) as f64) as usize).min(states - i - 1);
            next.swap(i, other);
        }
        let mut cuts: Vec<f64> = (1..branching).map(|_| rng.random()).collect();
        cuts.sort_by(f64::total_cmp);
        cuts.push(1.0);
        let reward = normal(&mut rng);
        let mut from = 0.0;
        let mut outcomes = Vec::with_capacity(2 * branching);
        for (&next, to) in next.iter().zip(cuts) {
            let share = to - from;
            from = to;
            for (probability, terminal) in [(share * (1.0 - end), false), (share * end, true)] {
                outcomes.push(Outcome { probability, next, reward, terminal });
            }
        }
        outcomes
    };
    let outcomes = (0..states * actions).map(&mut way).collect();
    FiniteMdp::new(actions, outcomes, vec![1.0 / states as f64; states], one_hot(states))
}

/// A standard normal number, by Box and Muller.
pub(crate) fn normal(rng: &mut NumpyRng) -> f64 {
    let (radius, angle) = ((-2.0 * (1.0 - rng.random()).ln()).sqrt(), std::f64::consts::TAU * rng.random());
    radius * angle.cos()
}

fn sized(count: usize, what: &'static str, most: usize) -> Result<usize, MdpError> {
    match count {
        0 => Err(MdpError::Zero(what)),
        count if count > most => Err(MdpError::TooLarge { most }),
        count => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::{corridor, delayed_reward, normal, random_mdp};
    use crate::{MdpError, NumpyRng};

    #[test]
    fn optima_are_what_is_said() {
        for length in [1, 4, 10] {
            let model = corridor(length).expect("a corridor");
            assert_eq!(model.optimal_values(1.0).expect("values")[0], -(length as f64));
        }
        for delay in [1, 2, 7] {
            let model = delayed_reward(delay).expect("a delay");
            let values = model.optimal_values(1.0).expect("values");
            assert_eq!((values[0], values[1], values[2]), (1.0, -1.0, 1.0), "{delay}");
            // The reward comes `delay` steps after the choice.
            let late = model.optimal_values(0.5).expect("values")[0];
            assert_eq!(late, 0.5f64.powi(delay as i32), "{delay}");
            assert!(model.start_value(&model.uniform_policy(), 1.0).expect("a value").abs() < 1e-12);
        }
        assert!(matches!(corridor(0), Err(MdpError::Zero("length"))) && corridor(1001).is_err());
    }

    #[test]
    fn random_processes_are_the_same_for_the_same_seed_and_differ_for_others() {
        let values = |seed| random_mdp(10, 3, 4, 0.1, seed).and_then(|mdp| mdp.optimal_values(0.9)).expect("values");
        assert_eq!(values(1), values(1));
        assert_ne!(values(1), values(2));
        assert!(random_mdp(3, 2, 4, 0.1, 1).is_err() && random_mdp(3, 2, 1, 0.0, 1).is_err());
        let (mut rng, n) = (NumpyRng::new(3), 100_000);
        let drawn: Vec<f64> = (0..n).map(|_| normal(&mut rng)).collect();
        let mean = drawn.iter().sum::<f64>() / f64::from(n);
        let variance = drawn.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.015 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }
}
