use candle_core::{DType, Tensor};

use super::{Objective, Output, Report, RowGradients, RowSums, Rows, TensorBatch};
use crate::Result;

/// A penalty on how far the policy moves from the one that acted, with a coefficient that adapts: PPO's other form.
///
/// ```text
///   ρₜ = π(aₜ|sₜ) / π_old(aₜ|sₜ)          KL(π_old, π) ≈ mean(ρ − 1 − log ρ)          L = β·KL
///   after an update:   β ← 2·β if KL > 1.5·target_kl,   β ← β/2 if KL < target_kl/1.5
/// ```
///
/// Reports `kl`, the estimate, and `kl_coef`, β; β goes into checkpoints. Together with an unclipped surrogate,
/// `ClippedSurrogate::new(f64::INFINITY)`, it is section 4 of Schulman et al. 2017, <https://arxiv.org/abs/1707.06347>; the
/// estimate is k3 of <http://joschu.net/blog/kl-approx.html>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KlPenalty {
    /// The KL divergence that an update should come to, above 0.
    pub target_kl: f64,
    kl_coef: f64,
}

/// How far from its target a divergence may be before the coefficient changes, and by what factor it does.
const TOLERANCE: f64 = 1.5;
const FACTOR: f64 = 2.0;

impl KlPenalty {
    /// A penalty that aims at this divergence, with this coefficient to begin with.
    #[must_use]
    pub fn new(target_kl: f64, kl_coef: f64) -> Self {
        Self { target_kl, kl_coef }
    }

    /// β, the coefficient now.
    #[must_use]
    pub fn kl_coef(&self) -> f64 {
        self.kl_coef
    }
}

impl Objective for KlPenalty {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let log_ratio = (output.policy.log_prob(&batch.action)? - &batch.log_prob)?;
        let kl = ((log_ratio.exp()? - 1.0)? - log_ratio)?.mean_all()?;
        report.push("kl", &kl);
        report.push("kl_coef", &Tensor::new(self.kl_coef, kl.device())?.to_dtype(DType::F32)?);
        Ok((kl * self.kl_coef)?)
    }

    fn has_rows(&self) -> bool {
        true
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> f64 {
        rows.fit(out);
        let slope = weight * self.kl_coef as f32;
        let mut kl = 0.0;
        for ((d, &now), &old) in out.log_prob.iter_mut().zip(rows.log_prob).zip(rows.old_log_prob) {
            let log_ratio = now - old;
            let moved = log_ratio.exp() - 1.0;
            *d += slope * moved;
            kl += f64::from(moved - log_ratio);
        }
        sums.add("kl", kl);
        sums.add("kl_coef", self.kl_coef * rows.log_prob.len() as f64);
        self.kl_coef * kl
    }

    fn follow(&mut self, reported: &[(&'static str, f64)]) {
        if let Some((_, kl)) = reported.iter().find(|(name, _)| *name == "kl") {
            if *kl > TOLERANCE * self.target_kl {
                self.kl_coef *= FACTOR;
            } else if *kl < self.target_kl / TOLERANCE {
                self.kl_coef /= FACTOR;
            }
        }
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, &'a mut f64)) {
        visit("kl_coef", &mut self.kl_coef);
    }
}

#[cfg(test)]
mod tests {
    use super::KlPenalty;
    use crate::algo::{self, Algorithm, Learner, OnPolicy};
    use crate::arrays::Arrays;
    use crate::objective::{ClippedSurrogate, Entropy, Objective, ValueLoss};
    use crate::optim::When;
    use crate::{Collector, Config, MlpModel, Seed};

    fn coefficient(algo: &mut OnPolicy) -> f64 {
        let mut found = 0.0;
        algo.objective.state(&mut |name, number| {
            assert_eq!(name, "1.kl_coef");
            found = *number;
        });
        found
    }

    #[test]
    fn the_coefficient_follows_the_divergence_and_is_saved() {
        let config = Config { n_epochs: 10, lr: 3e-3, anneal_lr: false, ..Config::for_algo("ppo").expect("known") };
        let with = |target_kl: f64| OnPolicy {
            objective: ClippedSurrogate::new(f64::INFINITY)
                .plus(1.0, KlPenalty::new(target_kl, 1.0))
                .plus(0.5, ValueLoss::default())
                .plus(-0.01, Entropy),
            ..config.make_algo().expect("an algorithm").into_on_policy().expect("a loop")
        };
        // Far below what ten passes come to, and far above.
        for (target_kl, after_three) in [(1e-6, 8.0), (1e3, 0.125)] {
            let mut algo = with(target_kl);
            let env = config.make_envs(config.envs).expect("environments");
            let (params, model) =
                MlpModel::new(env.spec(), &config.mlp(), Seed(1), &candle_core::Device::Cpu).expect("a model");
            let mut collector = Collector::new(env, Seed(1)).expect("a reset");
            let optimizer = config.make_optimizer().expect("an optimizer");
            let mut learner = Learner::new(Box::new(model), params, optimizer, Seed(1));
            for _ in 0..3 {
                let (rollout, _) =
                    collector.collect(&*learner.network, &learner.params, algo.horizon, true).expect("a rollout");
                let report = algo.update(&mut learner, rollout, When::default().into()).expect("an update");
                let told = |name: &str| report.terms.iter().find(|(term, _)| *term == name).expect("told").1;
                assert!(told("kl") >= 0.0 && told("kl_coef") > 0.0, "{report:?}");
            }
            assert_eq!(coefficient(&mut algo), after_three);
            let mut arrays = Arrays::default();
            algo::save(&mut algo, "algo", &mut arrays);
            let mut other = with(target_kl);
            algo::restore(&mut other, "algo", &arrays).expect("the same state");
            assert_eq!(coefficient(&mut other), after_three);
        }
    }
}
