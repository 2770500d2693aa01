use super::params::{
    ENT_COEF, GAMMA, N_EPOCHS, N_MINIBATCHES, N_STEPS, NORMALIZE_ADVANTAGE, RECOMPUTE_ADVANTAGES, VF_COEF, passes,
    scheduled,
};
use super::{Make, OnPolicy, Row};
use crate::Result;
use crate::advantage::VTrace;
use crate::objective::{Entropy, Objective, PolicyGradient, ValueLoss};
use crate::words::{Args, Param, Range};

pub(super) const ROW: Row = Row {
    name: "v_trace",
    summary: "actor-critic with V-trace returns, which allow several passes over each rollout",
    params: &[
        N_STEPS.or("16"),
        N_EPOCHS.or("2"),
        N_MINIBATCHES.or("1"),
        GAMMA,
        Param::fixed("trace_lambda", Range::Share, "1", "lambda of V-trace: how far later steps count"),
        Param::fixed(
            "clip_rho",
            Range::Limit,
            "1",
            "largest ratio of probabilities that weighs a step; inf does not clip",
        ),
        Param::fixed("clip_c", Range::Limit, "1", "largest ratio that carries later steps back; inf does not clip"),
        NORMALIZE_ADVANTAGE,
        RECOMPUTE_ADVANTAGES,
        ENT_COEF.or("0.01"),
        VF_COEF,
    ],
    make: Make {
        settings: &[("optimizer", "rmsprop(eps=1e-5)"), ("lr", "7e-4"), ("envs", "8")],
        build: |args, _| Ok(Box::new(v_trace(args)?)),
    },
};

/// Actor-critic whose returns are corrected for what the policy has become since it acted, before each pass.
///
/// Espeholt et al. 2018, <https://arxiv.org/abs/1802.01561>, with one learner and no actors but its own.
fn v_trace(args: &Args) -> Result<OnPolicy> {
    let number = |name: &str| args.number(name).map(|x| x as f32);
    let estimator =
        VTrace { lambda: number("trace_lambda")?, clip_rho: number("clip_rho")?, clip_c: number("clip_c")? };
    let objective =
        PolicyGradient.plus(args.number("vf_coef")?, ValueLoss::default()).minus(scheduled(args, &ENT_COEF)?, Entropy);
    passes(args, Box::new(estimator), objective)
}
