//! Estimators agree with their definitions summed forward in float64, and objectives with PyTorch, in every gradient.
//!
//! The numbers are those that `reference/advantages.py` and `reference/objectives.py` record.

use candle_core::{Device, Tensor, Var};
use serde::Deserialize;
use uphill::Rollout;
use uphill::advantage::{Estimator, Gae, MonteCarlo, NStep};
use uphill::distributions::CategoricalTensor;
use uphill::envs::End;
use uphill::objective::{
    ClippedSurrogate, DiscoveredDrift, Entropy, Objective, Output, PolicyGradient, Report, RowGradients, RowSums, Rows,
    TensorBatch, ValueLoss,
};

/// Largest distance, relative to the largest entry or to 1.
const BOUND: f64 = 1e-5;

fn assert_close(what: &str, got: &[f32], expected: &[f64]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0, |m: f64, e| m.max(e.abs()));
    for (i, (&g, &e)) in got.iter().zip(expected).enumerate() {
        assert!((f64::from(g) - e).abs() <= BOUND * scale, "{what}, place {i}: {g}, expected {e}");
    }
}

#[derive(Deserialize)]
struct Advantages {
    lanes: usize,
    gamma: f32,
    gae_lambda: f32,
    n_steps: usize,
    reward: Vec<f32>,
    value: Vec<f32>,
    next_value: Vec<f32>,
    end: Vec<u8>,
    gae: Vec<f64>,
    n_step: Vec<f64>,
    reward_to_go: Vec<f64>,
    reward_to_go_without_critic: Vec<f64>,
}

impl Advantages {
    fn rollout(&self) -> Rollout {
        let end = |&e: &u8| [End::Not, End::Terminated, End::Truncated][usize::from(e)];
        Rollout {
            lanes: self.lanes,
            reward: self.reward.clone(),
            end: self.end.iter().map(end).collect(),
            valid: vec![true; self.reward.len()],
            value: self.value.clone(),
            next_value: self.next_value.clone(),
            ..Rollout::default()
        }
    }
}

fn advantages() -> Vec<Advantages> {
    serde_json::from_str(include_str!("reference/advantages.json")).expect("what advantages.py wrote")
}

#[test]
fn every_estimator_agrees_with_its_definition() {
    for (i, case) in advantages().iter().enumerate() {
        let rollout = case.rollout();
        let less_value = |x: &[f64]| x.iter().zip(&case.value).map(|(x, v)| x - f64::from(*v)).collect::<Vec<_>>();
        let plus_value = |x: &[f64]| x.iter().zip(&case.value).map(|(x, v)| x + f64::from(*v)).collect::<Vec<_>>();
        let check = |name: &str, estimator: &dyn Estimator, advantage: &[f64], target: &[f64]| {
            let got = estimator.estimate(&rollout, case.gamma);
            assert_close(&format!("case {i}, {name}, advantage"), &got.advantage, advantage);
            assert_close(&format!("case {i}, {name}, target"), &got.target, target);
        };
        check("gae", &Gae { gae_lambda: case.gae_lambda }, &case.gae, &plus_value(&case.gae));
        check("n-step", &NStep { n_steps: case.n_steps }, &less_value(&case.n_step), &case.n_step);
        check("baseline", &MonteCarlo { baseline: true }, &less_value(&case.reward_to_go), &case.reward_to_go);
        let plain = &case.reward_to_go_without_critic;
        check("no baseline", &MonteCarlo { baseline: false }, plain, plain);
    }
}

#[test]
fn the_recorded_rollouts_end_in_every_way() {
    let cases = advantages();
    for end in 0..3 {
        assert!(cases.iter().any(|case| case.end.contains(&end)), "no rollout has an end of kind {end}");
    }
    assert!(cases.iter().any(|case| case.reward.len() == 64 * 5));
}

#[derive(Deserialize)]
struct Objectives {
    settings: Settings,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Settings {
    clip_range: f64,
    clip_range_vf: f64,
    vf_coef: f64,
    ent_coef: f64,
}

#[derive(Deserialize)]
struct Case {
    batch: usize,
    actions: usize,
    #[serde(rename = "in")]
    given: Given,
    approx_kl: f64,
    clip_fraction: f64,
    out: std::collections::BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
struct Given {
    logits: Vec<f32>,
    value: Vec<f32>,
    action: Vec<u32>,
    log_prob: Vec<f32>,
    advantage: Vec<f32>,
    target: Vec<f32>,
    old_value: Vec<f32>,
}

#[derive(Deserialize)]
struct Expected {
    loss: f64,
    logits: Vec<f64>,
    value: Vec<f64>,
}

impl Case {
    /// The loss of an objective, its gradients in logits and values, and what it reported.
    fn evaluate(&self, objective: &dyn Objective) -> (f32, Vec<f32>, Vec<f32>, Reported) {
        let (device, given) = (Device::Cpu, &self.given);
        let vector = |x: &[f32]| Tensor::from_slice(x, x.len(), &device).expect("a vector");
        let logits = Var::from_slice(&given.logits, (self.batch, self.actions), &device).expect("logits");
        let value = Var::from_tensor(&vector(&given.value)).expect("values");
        let batch = TensorBatch {
            observation: Tensor::zeros((self.batch, 1), candle_core::DType::F32, &device).expect("zeros"),
            action: Tensor::from_slice(&given.action, self.batch, &device).expect("actions"),
            mask: None,
            log_prob: vector(&given.log_prob),
            advantage: vector(&given.advantage),
            target: vector(&given.target),
            value: vector(&given.old_value),
        };
        let output = Output {
            policy: Box::new(CategoricalTensor::new(logits.as_tensor()).expect("a policy")),
            value: value.as_tensor().clone(),
        };
        let mut report = Report::default();
        let loss = objective.loss(&batch, &output, &mut report).expect("a loss");
        let gradients = loss.backward().expect("gradients");
        let gradient = |var: &Var| match gradients.get(var) {
            Some(gradient) => gradient.flatten_all().and_then(|g| g.to_vec1()).expect("numbers"),
            None => vec![0.0; var.elem_count()],
        };
        let loss = loss.to_scalar().expect("a scalar");
        (loss, gradient(&logits), gradient(&value), report.read().expect("numbers"))
    }
}

fn objectives() -> Objectives {
    serde_json::from_str(include_str!("reference/objectives.json")).expect("what objectives.py wrote")
}

/// What [`Report::read`] gives.
type Reported = Vec<(&'static str, f64)>;

/// One column of the report.
fn reported(report: &Reported, name: &str) -> f32 {
    report.iter().find(|(reported, _)| *reported == name).map(|(_, value)| *value as f32).expect("a reported number")
}

#[test]
fn every_objective_agrees_with_pytorch_in_loss_and_gradients() {
    let Objectives { settings: s, cases } = objectives();
    let objectives: Vec<(&str, &str, Box<dyn Objective>)> = vec![
        ("policy_gradient", "policy_loss", Box::new(PolicyGradient)),
        ("clipped_surrogate", "policy_loss", Box::new(ClippedSurrogate::new(s.clip_range))),
        ("entropy", "entropy", Box::new(Entropy)),
        ("value_loss", "value_loss", Box::new(ValueLoss::default())),
        ("clipped_value_loss", "value_loss", Box::new(ValueLoss { clip_range_vf: s.clip_range_vf })),
        (
            "ppo",
            "",
            Box::new(
                ClippedSurrogate::new(s.clip_range)
                    .plus(s.vf_coef, ValueLoss { clip_range_vf: s.clip_range_vf })
                    .plus(-s.ent_coef, Entropy),
            ),
        ),
    ];
    for (i, case) in cases.iter().enumerate() {
        assert_eq!(case.out.len(), objectives.len());
        for (name, column, objective) in &objectives {
            let expected = &case.out[*name];
            let (loss, logits, value, report) = case.evaluate(&**objective);
            assert_close(&format!("case {i}, {name}, loss"), &[loss], &[expected.loss]);
            assert_close(&format!("case {i}, {name}, gradient in logits"), &logits, &expected.logits);
            assert_close(&format!("case {i}, {name}, gradient in values"), &value, &expected.value);
            if !column.is_empty() {
                assert_close(&format!("case {i}, {name}, report"), &[reported(&report, column)], &[expected.loss]);
            }
        }
    }
}

#[test]
fn the_clipped_surrogate_reports_divergence_and_clipping_as_pytorch_has_them() {
    let Objectives { settings, cases } = objectives();
    for (i, case) in cases.iter().enumerate() {
        let (.., report) = case.evaluate(&ClippedSurrogate::new(settings.clip_range));
        assert_close(&format!("case {i}, approx_kl"), &[reported(&report, "approx_kl")], &[case.approx_kl]);
        assert_close(&format!("case {i}, clip_fraction"), &[reported(&report, "clip_fraction")], &[case.clip_fraction]);
    }
    assert!(cases.iter().any(|case| case.clip_fraction > 0.5) && cases.iter().any(|case| case.clip_fraction == 0.0));
}

#[test]
fn a_term_of_weight_zero_is_reported_and_moves_nothing() {
    let cases = objectives().cases;
    let (alone, gradient, ..) = cases[1].evaluate(&PolicyGradient);
    let (sum, same, values, report) = cases[1].evaluate(&PolicyGradient.plus(0.0, ValueLoss::default()));
    assert_eq!((alone, gradient), (sum, same));
    assert!(values.iter().all(|&g| g == 0.0));
    assert_close("report", &[reported(&report, "value_loss")], &[cases[1].out["value_loss"].loss]);
}

#[derive(Deserialize)]
struct Surrogates {
    settings: Bounds,
    #[serde(rename = "in")]
    given: Ratios,
    out: std::collections::BTreeMap<String, Slopes>,
}

#[derive(Deserialize)]
struct Bounds {
    clip_range: f64,
    dual_clip: f64,
    dpo_alpha: f64,
    dpo_beta: f64,
}

#[derive(Deserialize)]
struct Ratios {
    log_ratio: Vec<f32>,
    advantage: Vec<f32>,
}

#[derive(Deserialize)]
struct Slopes {
    loss: Vec<f64>,
    slope: Vec<f64>,
}

#[test]
fn surrogates_and_their_slopes_are_those_of_their_equations() {
    let Surrogates { settings: s, given, out } =
        serde_json::from_str(include_str!("reference/surrogates.json")).expect("what surrogates.py wrote");
    let clipped = ClippedSurrogate::new(s.clip_range);
    let surrogates: Vec<(&str, Box<dyn Objective>)> = vec![
        ("clipped", Box::new(clipped.clone())),
        ("dual_clipped", Box::new(clipped.dual_clip(s.dual_clip))),
        ("drifting", Box::new(DiscoveredDrift { alpha: s.dpo_alpha, beta: s.dpo_beta })),
    ];
    assert_eq!(out.len(), surrogates.len());
    for (name, surrogate) in surrogates {
        let Slopes { loss, slope } = &out[name];
        for (i, (&log_ratio, &advantage)) in given.log_ratio.iter().zip(&given.advantage).enumerate() {
            let rows = Rows {
                log_prob: &[log_ratio],
                entropy: &[0.0],
                value: &[0.0],
                old_log_prob: &[0.0],
                advantage: &[advantage],
                target: &[0.0],
                old_value: &[0.0],
            };
            let [mut by_log_prob, mut entropy, mut value] = [[0.0]; 3];
            let mut by = RowGradients { log_prob: &mut by_log_prob, entropy: &mut entropy, value: &mut value };
            let found = surrogate.rows(&rows, 1.0, &mut by, &mut RowSums::default()) as f32;
            let what = format!("{name} of log-ratio {log_ratio} and advantage {advantage}");
            assert_close(&what, &[found, by_log_prob[0]], &[loss[i], slope[i]]);
            assert_eq!((entropy, value), ([0.0], [0.0]));
        }
    }
    assert_ne!(out["clipped"].slope, out["dual_clipped"].slope, "some row is past the second bound");
}
