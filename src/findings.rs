//! What the numbers of a run say of its training when it is over, and what usually helps.

use crate::optim::{ClipGradBy, Registry};
use crate::{Config, Metrics};

/// A critic that explains less of the returns' variance than this is no better than a constant.
const EXPLAINS_NOTHING: f64 = 0.05;
/// A share of clipped ratios below which clipping plays no part, and one above which most of a rollout is thrown away.
const CLIPPED: (f64, f64) = (1e-4, 0.5);
/// A share of a uniform policy's entropy below which a policy hardly explores any more.
const HARDLY_EXPLORES: f64 = 0.01;
/// How many times its limit a gradient must be on average, and above it in every update, for clipping to matter: what is
/// left of it is then a tenth.
const FAR_ABOVE: f64 = 10.0;

/// Sums over the rows that have a number.
#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, x: Option<f64>) {
        if let Some(x) = x.filter(|x| x.is_finite()) {
            self.sum += x;
            self.count += 1.0;
        }
    }

    fn get(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

/// What held a run back, as its own metrics show it: a sentence each, with what usually helps.
///
/// `rows` are its updates in order, `count` of them; `actions` is how many its policy chooses from. The critic and the
/// entropy are judged by the last tenth of the updates, clipping by all of them, since annealed steps clip nothing in
/// the end. A run that reached its goal needs no advice: that is the caller's to know.
#[must_use]
pub fn findings(rows: impl IntoIterator<Item = Metrics>, count: usize, config: &Config, actions: usize) -> Vec<String> {
    let (mut explained, mut entropy, mut clipped, mut norm) = <(Mean, Mean, Mean, Mean)>::default();
    let mut smallest_norm = f64::INFINITY;
    for (i, row) in rows.into_iter().enumerate() {
        clipped.add(row.clip_fraction);
        norm.add(Some(row.grad_norm));
        smallest_norm = smallest_norm.min(row.grad_norm);
        if i >= count - count.div_ceil(10) {
            explained.add(row.explained_variance);
            entropy.add(row.entropy);
        }
    }
    let mut found = Vec::new();
    if let Some(share) = explained.get().filter(|share| *share < EXPLAINS_NOTHING) {
        found.push(format!(
            "the critic explains none of the returns' variance (explained_variance {share:.2}): scale rewards so that \
             returns are about 1 to 10, or raise lr, vf_coef or steps"
        ));
    }
    let whole = config.clip_grad_by == ClipGradBy::Whole && !Registry::default().clips(&config.optimizer);
    if let Some(norm) = norm
        .get()
        .filter(|norm| whole && smallest_norm > config.max_grad_norm && *norm > FAR_ABOVE * config.max_grad_norm)
    {
        let limit = config.max_grad_norm;
        found.push(format!(
            "every gradient was clipped (norm {norm:.3}, max_grad_norm {limit}), mostly the critic's, which leaves the policy \
             little: clip_grad_by = part clips each by itself"
        ));
    }
    match clipped.get() {
        Some(share) if share < CLIPPED.0 => found.push(format!(
            "hardly any ratio was clipped (clip_fraction {share:.5}): steps are small; raise lr or n_epochs"
        )),
        Some(share) if share > CLIPPED.1 => found.push(format!(
            "most ratios were clipped (clip_fraction {share:.2}): steps are large; lower lr or n_epochs"
        )),
        _ => {}
    }
    if let Some(share) = entropy.get().map(|nats| nats / (actions as f64).ln()).filter(|share| *share < HARDLY_EXPLORES)
    {
        found.push(format!(
            "the policy hardly explores any more (entropy {:.1} % of a uniform policy's): raise ent_coef, or lower lr",
            100.0 * share
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::findings;
    use crate::optim::ClipGradBy;
    use crate::{Config, Metrics};

    fn row(explained: f64, clip: f64, entropy: f64, grad_norm: f64) -> Metrics {
        Metrics {
            update: 1,
            env_steps: 1,
            episodes: 1,
            episode_return_mean: None,
            episode_length_mean: None,
            policy_loss: None,
            value_loss: None,
            entropy: Some(entropy),
            approx_kl: None,
            clip_fraction: Some(clip),
            explained_variance: Some(explained),
            grad_norm,
            update_norm: 0.1,
            lr: None,
            steps_per_second: 1.0,
        }
    }

    #[test]
    fn each_sign_is_named_with_what_helps_and_a_healthy_run_is_left_in_peace() {
        let whole = Config { clip_grad_by: ClipGradBy::Whole, ..Config::for_algo("ppo").expect("a config") };
        let part = Config { clip_grad_by: ClipGradBy::Part, ..whole.clone() };
        let said = |config: &Config, row: Metrics| findings(vec![row; 20], 20, config, 2);
        assert_eq!(said(&whole, row(0.8, 0.1, 0.5, 1.0)), [""; 0]);
        for (row, word) in [
            (row(0.0, 0.1, 0.5, 1.0), "explained_variance"),
            (row(0.8, 0.0, 0.5, 1.0), "raise lr"),
            (row(0.8, 0.9, 0.5, 1.0), "lower lr"),
            (row(0.8, 0.1, 0.001, 1.0), "ent_coef"),
            (row(0.8, 0.1, 0.5, 180.0), "clip_grad_by"),
        ] {
            let found = said(&whole, row);
            assert!(found.len() == 1 && found[0].contains(word), "{word}: {found:?}");
        }
        // A limit that is not the whole gradient's, or that a link has taken over, says nothing of the policy's share.
        assert_eq!(said(&part, row(0.8, 0.1, 0.5, 180.0)), [""; 0]);
        let own = Config { optimizer: "clip_by_value(1) | adam".parse().expect("a spec"), ..whole };
        assert_eq!(said(&own, row(0.8, 0.1, 0.5, 180.0)), [""; 0]);
    }

    #[test]
    fn the_critic_is_judged_by_the_last_tenth_and_clipping_by_all() {
        let config = Config::for_algo("ppo").expect("a config");
        let rows = |early: Metrics, late: Metrics| [vec![early; 90], vec![late; 10]].concat();
        // It learnt in the end; annealed steps clip nothing in the end.
        let good = rows(row(0.0, 0.2, 0.6, 1.0), row(0.9, 0.0, 0.5, 1.0));
        assert_eq!(findings(good, 100, &config, 2), [""; 0]);
        let lost = rows(row(0.9, 0.2, 0.6, 1.0), row(0.0, 0.2, 0.5, 1.0));
        assert_eq!(findings(lost, 100, &config, 2).len(), 1);
        assert_eq!(findings([], 0, &config, 2), [""; 0]);
    }
}
