//! What the numbers of a run say of its training when it is over, and what usually helps.

use uphill_envs::shown;

use crate::optim::ClipGradBy;
use crate::oracle::optimal_return;
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

/// The share of their range by which returns must have risen from first to last.
const ROSE: f64 = 0.5;
/// How far below the best they may end, as a share of the way from the first to it.
const NEAR: f64 = 0.1;
/// Rows that it takes to say that returns are the same, and by what share of their range they may differ.
const SETTLED: (usize, f64) = (3, 0.01);
/// Episodes that say it, too, however few the rows.
const MANY: u64 = 100;

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

/// What became of the mean returns, of rows that have one.
#[derive(Debug)]
struct Returns {
    first: f64,
    /// The lowest and the highest of the run.
    range: (f64, f64),
    /// The lowest and the highest of the last tenth, and how many there are.
    last: (f64, f64),
    count: usize,
    /// Episodes of the run so far.
    episodes: u64,
}

impl Returns {
    fn new() -> Self {
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        Self { first: f64::NAN, range: none, last: none, count: 0, episodes: 0 }
    }

    fn add(&mut self, x: f64, is_last: bool) {
        let with = |(low, high): (f64, f64)| (low.min(x), high.max(x));
        if self.first.is_nan() {
            self.first = x;
        }
        self.range = with(self.range);
        if is_last {
            (self.last, self.count) = (with(self.last), self.count + 1);
        }
    }

    /// Whether they rose over most of their range and stayed up, and near to the best that there is, where that is known.
    fn rose(&self, best: Option<f64>) -> bool {
        let ((low, high), (end, _)) = (self.range, self.last);
        let near = |best: f64| end >= best - NEAR * (best - self.first).abs();
        self.count > 0 && high > low && end - self.first >= ROSE * (high - low) && near(high) && best.is_none_or(near)
    }

    /// The mean return, if it never was another, and there is one often enough to say so.
    fn constant(&self) -> Option<f64> {
        let (low, high) = self.range;
        (low == high && (self.count >= SETTLED.0 || self.episodes >= MANY)).then_some(low)
    }

    /// Whether they are the same in the end: there is nothing left to learn from.
    fn are_settled(&self) -> bool {
        let ((low, high), (least, most)) = (self.range, self.last);
        self.count >= SETTLED.0 && most - least <= SETTLED.1 * (high - low)
    }
}

/// What held a run back, as its own metrics show it: a sentence each, with what usually helps.
///
/// `rows` are its updates in order, `count` of them; `max_entropy` is the largest entropy of its policy, in nats. The critic and the
/// entropy are judged by the last tenth of the updates, clipping by all of them, since annealed steps clip nothing in
/// the end. A run that reached its goal needs no advice: that is the caller's to know.
///
/// Where no goal is known, the returns say something: if they rose and stayed up, an entropy that is gone is how learning
/// ends, and if they are also the same all the last tenth, nothing is said. They may have settled below the best that
/// there is; in a grid world that is known, and they must have come near it.
#[must_use]
pub fn findings(
    rows: impl IntoIterator<Item = Metrics>,
    count: usize,
    config: &Config,
    max_entropy: Option<f64>,
) -> Vec<String> {
    let (mut explained, mut entropy, mut clipped, mut norm) = <(Mean, Mean, Mean, Mean)>::default();
    let (mut smallest_norm, mut returns) = (f64::INFINITY, Returns::new());
    for (i, row) in rows.into_iter().enumerate() {
        clipped.add(row.clip_fraction);
        norm.add(Some(row.grad_norm));
        smallest_norm = smallest_norm.min(row.grad_norm);
        let is_last = i >= count - count.div_ceil(10);
        if let Some(x) = row.episode_return_mean.filter(|x| x.is_finite()) {
            returns.add(x, is_last);
            returns.episodes = row.episodes;
        }
        if is_last {
            explained.add(row.explained_variance);
            entropy.add(row.entropy);
        }
    }
    let best = optimal_return(config);
    if let Some(mean) = returns.constant() {
        // What else there would be to say is said of noise.
        return if best.is_some_and(|best| mean >= best) { Vec::new() } else { vec![never_another(mean, config)] };
    }
    let rose = returns.rose(best);
    if rose && returns.are_settled() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let is_learnt = config.learns_values();
    if let Some(share) = explained.get().filter(|share| is_learnt && *share < EXPLAINS_NOTHING) {
        let of_critic = ["vf_coef", "n_epochs"].into_iter().find(|name| config.of_algo(name));
        let of_critic = of_critic.map_or(String::new(), |name| format!(", {name}"));
        let scale = match config.normalize_reward {
            true => "raise",
            false => "scale rewards (normalize_reward does) so that returns are about 1 to 10, or raise",
        };
        found.push(format!(
            "the critic explains none of the returns' variance (explained_variance {share:.2}): {scale} lr{of_critic} or steps"
        ));
    }
    let whole = config.clip_grad_by == ClipGradBy::Whole && !config.is_idle("clip_grad_by") && is_learnt;
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
    let clips = config.clip_range.number().is_none_or(f64::is_finite) && !config.is_idle("clip_range");
    // A rate that goes by a divergence is not set by lr for long.
    let rate = if config.argument("desired_kl").is_some_and(f64::is_finite) { "desired_kl" } else { "lr" };
    match clipped.get().filter(|_| clips) {
        Some(share) if share < CLIPPED.0 => found.push(format!(
            "hardly any ratio was clipped (clip_fraction {share:.5}): steps are small; raise {rate} or n_epochs"
        )),
        Some(share) if share > CLIPPED.1 => found.push(format!(
            "most ratios were clipped (clip_fraction {share:.2}): steps are large; lower {rate} or {}",
            if config.n_epochs > 1 { "n_epochs" } else { "n_minibatches" }
        )),
        _ => {}
    }
    let share = entropy.get().zip(max_entropy).map(|(nats, most)| nats / most);
    if let Some(share) = share.filter(|share| !rose && *share < HARDLY_EXPLORES) {
        // A step that is bounded is no shorter at a lower rate.
        let steps = match ["kappa_policy", "max_kl"].map(|name| config.of_algo(name)) {
            [true, _] => "raise kappa_policy".to_string(),
            [_, true] => "lower max_kl".to_string(),
            _ => format!("lower {rate}"),
        };
        let bonus = if config.of_algo("ent_coef") { "raise ent_coef, or " } else { "" };
        found.push(format!(
            "the policy hardly explores any more (entropy {:.1} % of a uniform policy's): {bonus}{steps}",
            100.0 * share
        ));
    }
    found
}

/// What is said where every return was the same.
fn never_another(mean: f64, config: &Config) -> String {
    let normalised = match config.normalize_advantage && !config.is_idle("normalize_advantage") {
        true => "; normalize_advantage = false keeps a policy exploring until then, which noise moves otherwise",
        false => "",
    };
    let bonus = if config.of_algo("ent_coef") { "ent_coef, " } else { "" };
    format!(
        "every mean return was {}: no episode shows what earns more. Pay something on the way, start nearer to what pays, \
         or explore more ({bonus}envs, steps){normalised}",
        shown(mean)
    )
}

#[cfg(test)]
mod tests;
