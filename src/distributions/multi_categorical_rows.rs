//! Several independent choices at once on the host, as many times as there are rows.

use std::any::Any;
use std::ops::Range;

use rand::RngExt;
use uphill_envs::Actions;

use super::multi_categorical::columns;
use super::{ActionMut, CategoricalRows, DistributionRows, indices, places};
use crate::seed::Rng;

/// `B` times `K` independent categorical distributions on the host, in buffers that are kept: the twin of
/// [`MultiCategoricalTensor`](super::MultiCategoricalTensor).
///
/// Choice after choice is drawn with the same generator.
///
/// ```
/// use uphill::distributions::{ActionMut, DistributionRows, MultiCategoricalRows};
///
/// let mut policy = MultiCategoricalRows::new(&[2, 3]);
/// policy.set(&[0.0, 1.0, 5.0, 4.0, 3.0], 5);
/// let mut action = [0; 2];
/// policy.mode(0, ActionMut::Discrete(&mut action));
/// assert_eq!(action, [1, 0]);
/// ```
#[derive(Debug)]
pub struct MultiCategoricalRows {
    choices: Vec<Choice>,
}

/// One of the choices, in all rows.
#[derive(Debug)]
struct Choice {
    /// Where its `A` actions stand among the outputs.
    columns: Range<usize>,
    /// `[B, A]`: its outputs.
    logits: Vec<f32>,
    rows: CategoricalRows,
}

impl MultiCategoricalRows {
    /// No row yet, of choices among so many actions each, `[K]`.
    #[must_use]
    pub fn new(actions: &[usize]) -> Self {
        let choice = |columns: Range<usize>| {
            let rows = CategoricalRows::new(columns.len());
            Choice { columns, logits: Vec::new(), rows }
        };
        Self { choices: columns(actions).map(choice).collect() }
    }
}

impl Choice {
    fn rows(&self) -> usize {
        self.logits.len() / self.columns.len()
    }

    /// Its entropy in a row.
    fn entropy(&self, row: usize) -> f32 {
        let (probs, log_probs) = (self.rows.probs(row), self.rows.log_probs(row));
        // An action that is out of the question adds nothing: 0·log 0 = 0.
        probs.iter().zip(log_probs).fold(0.0, |h, (&p, l)| if p > 0.0 { h - p * l } else { h })
    }
}

impl DistributionRows for MultiCategoricalRows {
    fn set(&mut self, outputs: &[f32], stride: usize) {
        let needed = self.choices.last().map_or(0, |last| last.columns.end);
        assert!(
            (1..=stride).contains(&needed),
            "{needed} is no number of actions in rows of length {stride}: take 1 to {stride}"
        );
        let len = outputs.len();
        assert!(len.is_multiple_of(stride), "a length of {len} is no whole number of rows of {stride}");
        for Choice { columns, logits, rows } in &mut self.choices {
            logits.clear();
            outputs.chunks_exact(stride).for_each(|row| logits.extend_from_slice(&row[columns.clone()]));
            rows.set(logits, columns.len());
        }
    }

    fn sample(&self, row: usize, rng: &mut Rng, action: ActionMut<'_>) -> Option<f32> {
        let mut log_prob = 0.0;
        for (choice, place) in self.choices.iter().zip(places(action)) {
            let (chosen, its_own) = choice.rows.at(row, rng.random())?;
            *place = chosen;
            log_prob += its_own;
        }
        Some(log_prob)
    }

    fn mode(&self, row: usize, action: ActionMut<'_>) -> Option<()> {
        let mut each = self.choices.iter().zip(places(action));
        each.try_for_each(|(choice, place)| choice.rows.mode(row, ActionMut::Discrete(std::slice::from_mut(place))))
    }

    fn judge(&self, actions: Actions<'_>, log_prob: &mut Vec<f32>, entropy: &mut Vec<f32>) {
        log_prob.clear();
        entropy.clear();
        for (row, action) in indices(actions).chunks_exact(self.choices.len()).enumerate() {
            // An index out of range cannot come from a rollout; NaN would stop the update like any other bad number.
            let of = |(choice, &a): (&Choice, &u32)| *choice.rows.log_probs(row).get(a as usize).unwrap_or(&f32::NAN);
            log_prob.push(self.choices.iter().zip(action).map(of).sum());
            entropy.push(self.choices.iter().map(|choice| choice.entropy(row)).sum());
        }
    }

    // Each choice's own: ∂ log π(a) / ∂lⱼ = [j = aₖ] − πⱼ          ∂H / ∂lⱼ = −πⱼ·(log πⱼ + Hₖ)
    fn backward(
        &self,
        actions: Actions<'_>,
        _entropy: &[f32],
        [by_log_prob, by_entropy]: [&[f32]; 2],
        out: &mut [f32],
        stride: usize,
    ) {
        let all = indices(actions).chunks_exact(self.choices.len());
        for (row, (action, out)) in all.zip(out.chunks_exact_mut(stride)).enumerate() {
            let (d, dh) = (by_log_prob[row], by_entropy[row]);
            for (choice, &a) in self.choices.iter().zip(action) {
                let (probs, log_probs, h) = (choice.rows.probs(row), choice.rows.log_probs(row), choice.entropy(row));
                let its_own = out[choice.columns.clone()].iter_mut().zip(probs).zip(log_probs);
                for (j, ((out, &p), &log_p)) in its_own.enumerate() {
                    let chosen = if j == a as usize { 1.0 } else { 0.0 };
                    let of_entropy = if p > 0.0 { p * (log_p + h) } else { 0.0 };
                    *out = d * (chosen - p) - dh * of_entropy;
                }
            }
        }
    }

    // What is independent has no information in common: M is made of each choice's own.
    fn fisher(&self, tangents: &mut [f32]) {
        let outputs = self.choices.last().map_or(1, |last| last.columns.end);
        for (row, t) in tangents.chunks_exact_mut(outputs).enumerate() {
            for choice in &self.choices {
                let (t, probs) = (&mut t[choice.columns.clone()], choice.rows.probs(row));
                let mean: f32 = t.iter().zip(probs).map(|(t, p)| t * p).sum();
                t.iter_mut().zip(probs).for_each(|(t, p)| *t = p * (*t - mean));
            }
        }
    }

    // What is independent diverges by the sum of what each does.
    fn kl(&self, other: &dyn DistributionRows, kl: &mut Vec<f32>) {
        let other =
            (other as &dyn Any).downcast_ref::<Self>().filter(|other| other.choices.len() == self.choices.len());
        let rows = self.choices.first().map_or(0, Choice::rows);
        kl.clear();
        kl.resize(rows, if other.is_some() { 0.0 } else { f32::NAN });
        let mut of_choice = Vec::new();
        for (own, other) in self.choices.iter().zip(other.into_iter().flat_map(|other| &other.choices)) {
            own.rows.kl(&other.rows, &mut of_choice);
            kl.iter_mut().zip(&of_choice).for_each(|(kl, of_choice)| *kl += of_choice);
        }
    }
}
