use rand::RngExt;
use uphill_envs::End;

use super::VTrace;
use crate::advantage::{Estimator, Gae, Judged};
use crate::rollout::{Estimate, Rollout};
use crate::seed::Seed;

/// Two lanes of six steps; one terminates at its third, the other is truncated at its fourth.
fn rollout() -> (Rollout, Vec<f32>) {
    let mut rng = Seed(5).stream("v-trace", 0);
    let mut draw = || (0..12).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect::<Vec<f32>>();
    let (reward, value, mut next_value, log_prob, now) = (draw(), draw(), draw(), draw(), draw());
    let mut end = vec![End::Not; 12];
    (end[4], end[7]) = (End::Terminated, End::Truncated);
    // V of the state that the action led to is V of the next observation, unless the episode ended.
    for i in (0..10).filter(|&i| end[i] == End::Not) {
        next_value[i] = value[i + 2];
    }
    // At a terminated step it is poison: an estimator that reads it shows it.
    next_value[4] = 1e6;
    let rollout = Rollout { reward, value, next_value, log_prob, end, valid: vec![true; 12], ..Rollout::new(2, 0) };
    (rollout, now)
}

/// `vₛ = V(sₛ) + Σₜ γᵗ⁻ˢ·(Πᵢ cᵢ)·δₜ`, the paper's first equation, in f64 and term by term.
fn by_the_sum(of: &VTrace, rollout: &Rollout, now: &[f32], gamma: f64, start: usize) -> f64 {
    let wide = |x: &[f32], i: usize| f64::from(x[i]);
    let ratio = |i: usize| (wide(now, i) - wide(&rollout.log_prob, i)).exp();
    let (mut sum, mut weight, mut i) = (wide(&rollout.value, start), 1.0, start);
    loop {
        let next = if rollout.end[i] == End::Terminated { 0.0 } else { wide(&rollout.next_value, i) };
        let delta = wide(&rollout.reward, i) + gamma * next - wide(&rollout.value, i);
        sum += weight * ratio(i).min(f64::from(of.clip_rho)) * delta;
        weight *= gamma * f64::from(of.lambda) * ratio(i).min(f64::from(of.clip_c));
        if rollout.end[i].ended() || i + 2 >= 12 {
            return sum;
        }
        i += 2;
    }
}

#[test]
fn targets_are_the_sum_of_the_paper_and_advantages_look_one_step_ahead() {
    let (rollout, now) = rollout();
    for of in [
        VTrace::default(),
        VTrace { lambda: 0.8, clip_rho: 1.3, clip_c: 0.7 },
        VTrace { lambda: 1.0, clip_rho: f32::INFINITY, clip_c: f32::INFINITY },
    ] {
        let mut found = Estimate::default();
        let judged = Judged { log_prob: &now, ..Judged::when_made(&rollout) };
        of.estimate_into(&rollout, 0.9, judged, &mut found);
        for i in 0..12 {
            let exact = by_the_sum(&of, &rollout, &now, 0.9, i);
            assert!((f64::from(found.target[i]) - exact).abs() < 1e-5, "{of:?}, place {i}: {found:?} for {exact}");
            let ends = rollout.end[i].ended() || i + 2 >= 12;
            let next = match rollout.end[i] {
                End::Terminated => 0.0,
                _ if ends => f64::from(rollout.next_value[i]),
                _ => by_the_sum(&of, &rollout, &now, 0.9, i + 2),
            };
            let rho = f64::from(now[i] - rollout.log_prob[i]).exp().min(f64::from(of.clip_rho));
            let exact = rho * (f64::from(rollout.reward[i]) + 0.9 * next - f64::from(rollout.value[i]));
            assert!((f64::from(found.advantage[i]) - exact).abs() < 1e-5, "{of:?}, place {i}");
        }
    }
}

#[test]
fn where_the_policy_has_not_changed_it_is_gae_at_lambda_1() {
    let (rollout, _) = rollout();
    let (found, gae) = (VTrace::default().estimate(&rollout, 0.9), Gae { gae_lambda: 1.0 }.estimate(&rollout, 0.9));
    for (a, b) in found.target.iter().zip(&gae.target).chain(found.advantage.iter().zip(&gae.advantage)) {
        assert!((a - b).abs() < 1e-5, "{found:?} {gae:?}");
    }
}
