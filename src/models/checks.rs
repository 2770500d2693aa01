//! What a model is tried on before a run: whether it fits, answers as it says, and works in the type in which it is to learn.

use candle_core::{DType, Tensor};
use uphill_envs::{Spec, quoted};

use super::{Model, Sequences};
use crate::error::check_len;
use crate::scratch::Scratch;
use crate::{Error, Params, Precision, Result, device_name};

/// Refuses a model that is not for environments of this kind.
pub(crate) fn check_fits(model: &dyn Model, spec: &Spec) -> Result<()> {
    check_len("the network's input", spec.observation_len(), model.observation_len())?;
    let own = model.distribution();
    match own.is_over(&spec.action) {
        true => check_len("an action of the network's policy", spec.action.flat_len(), own.action_len()),
        false => {
            let (id, own, actions) = (quoted(&spec.id), format!("{own:?}"), format!("{:?}", spec.action));
            let (own, actions) = (quoted(&own), quoted(&actions));
            Err(Error::Config(format!("{id}: the network's policy, {own}, is not over its actions, {actions}")))
        }
    }
}

/// Refuses a model that does not answer, or has no gradient, in a type in which it is to learn.
pub(crate) fn check_precision(model: &dyn Model, params: &Params, precision: Precision) -> Result<()> {
    if precision == Precision::F32 {
        return Ok(());
    }
    let observation = vec![0.0; TRIED_ON * model.observation_len()];
    let remedy = "take precision = f32";
    let impossible = |why: &str| Error::Config(format!("precision = {precision} is impossible: {why}; {remedy}"));
    match tried_in(model, params, &observation, precision.dtype()) {
        Ok(dtype) if dtype == precision.dtype() => Ok(()),
        Ok(dtype) => {
            let (dtype, own) = (dtype.as_str(), "it is to bring observations and parameters to `Params::dtype`");
            Err(impossible(&format!("the network works in {dtype} all the same: {own}")))
        }
        Err(error) => {
            let error = error.to_string();
            let (device, why) = (device_name(params.device()), quoted(error.lines().next().unwrap_or_default()));
            Err(impossible(&format!("the network does not work in it on {device}, `{why}`")))
        }
    }
}

/// The type of a model's values in the forward pass of one in which a backward pass has been tried, too.
fn tried_in(model: &dyn Model, params: &Params, observation: &[f32], dtype: DType) -> Result<DType> {
    let (low, device) = (params.seen_in(dtype), params.device());
    let (outputs, value) = match model.memory() {
        0 => model.forward(&low, &Tensor::from_slice(observation, (TRIED_ON, model.observation_len()), device)?)?,
        _ => model.forward_along(&low, &Sequences::of_one_lane(observation, model, device)?)?,
    };
    let sum = |x: &Tensor| x.to_dtype(DType::F32)?.sqr()?.sum_all();
    params.gradient(&(sum(&outputs)? + sum(&value)?)?)?;
    Ok(value.dtype())
}

/// Observations that a model is tried on: more than one, so that rows and columns cannot be mistaken.
const TRIED_ON: usize = 2;

/// Refuses numbers that are not so many for each observation.
fn check_rows(what: &str, expected: usize, numbers: &[f32]) -> Result<()> {
    let (each, rest) = (numbers.len() / TRIED_ON, numbers.len() % TRIED_ON);
    if rest > 0 {
        return check_len(what, TRIED_ON * expected, numbers.len());
    }
    match each == expected {
        true => Ok(()),
        false => Err(Error::Shape { what: what.into(), expected: vec![TRIED_ON, expected], got: vec![TRIED_ON, each] }),
    }
}

/// Refuses a model whose answers have another length than it says.
pub(crate) fn check_answers(model: &dyn Model, params: &Params) -> Result<()> {
    let observation = vec![0.0; TRIED_ON * model.observation_len()];
    let (mut scratch, mut outputs, mut values) = (Scratch::default(), Vec::new(), Vec::new());
    let check = |outputs: &[f32], values: &[f32]| {
        let policy = model.distribution();
        // Of a model that is written by hand they are its affair.
        let what = match policy.outputs().saturating_sub(policy.network_outputs()) {
            0 => "the network's output".into(),
            own => format!("the network's output, of which the last {own} are its distribution's own,"),
        };
        check_rows(&what, policy.outputs(), outputs)?;
        check_rows("the network's value", 1, values)
    };
    model.outputs(params, &observation, &mut scratch, &mut outputs)?;
    model.values(params, &observation, &mut scratch, &mut values)?;
    check(&outputs, &values)?;
    if model.memory() == 0 {
        return Ok(());
    }
    let mut memory = vec![0.0; TRIED_ON * model.memory()];
    model.answers_after(params, &observation, &mut memory, &mut scratch, &mut outputs, Some(&mut values))?;
    check(&outputs, &values)?;
    let (outputs, values) =
        model.forward_along(params, &Sequences::of_one_lane(&observation, model, params.device())?)?;
    check(&outputs.flatten_all()?.to_vec1()?, &values.flatten_all()?.to_vec1()?)
}
