//! The rows of Gymnasium's environments, each made when its name is asked for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use uphill::catalogue::{EnvFamily, EnvRow, MakeEnv};
use uphill::envs::Spec;
use uphill::words::{Args, Kind, Param, Range, Value};
use uphill::{Error, Result};

use crate::python::Python;
use crate::seat::Request;
use crate::{GymnasiumEnv, GymnasiumLanes};

const PREFIX: &str = "gymnasium/";

/// Every environment of an installed Gymnasium, for a [`Catalogue`](uphill::Catalogue).
pub const FAMILY: EnvFamily = EnvFamily {
    prefix: PREFIX,
    name: "gymnasium/ID",
    summary: "any environment of an installed Gymnasium 1.x, such as gymnasium/LunarLander-v3",
    find,
};

/// The arguments that all of them take, after their own.
const PARAMS: [Param; 4] = [
    Param::count("processes", (0, 1024), "0", "worker processes that lanes are spread over; 0: all in this one"),
    Param::texts("wrappers", "[]", "Gymnasium's wrappers around it, the innermost first, such as FlattenObservation"),
    Param::word(
        "vectorization",
        &["own", "sync", "async", "vector_entry_point"],
        "own",
        "who steps lanes together: uphill, or Gymnasium's vector of that vectorization_mode",
    ),
    Param::word("autoreset", &["same_step", "next_step"], "same_step", "when Gymnasium's vector resets by itself"),
];

/// What Python says of an environment before it is made.
#[derive(Deserialize)]
struct Described {
    summary: String,
    /// Name, kind and default of each keyword argument.
    params: Vec<(String, String, String)>,
}

/// The row of a name.
fn find(name: &str) -> Result<&'static EnvRow> {
    // A row lives as long as the program: one of each name is enough.
    static FOUND: Mutex<Option<HashMap<String, &'static EnvRow>>> = Mutex::new(None);
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let found = found.get_or_insert_default();
    if let Some(row) = found.get(name) {
        return Ok(row);
    }
    // Before anybody keeps it.
    Spec::check_id(name)?;
    let own = name.strip_prefix(PREFIX).unwrap_or(name);
    let described = Python::started()?.described(own).map_err(|trouble| trouble.in_making(own))?;
    let described: Described = serde_json::from_slice(&described).map_err(|e| Error::Config(format!("{name}: {e}")))?;
    let row: &'static EnvRow = Box::leak(Box::new(EnvRow {
        name: leaked(name),
        summary: leaked(&described.summary),
        params: params(described.params),
        make: MakeEnv { one: Some(one), many: Some(many), model: None, returns: None, tensors: None },
    }));
    found.insert(name.into(), row);
    Ok(row)
}

fn leaked(text: &str) -> &'static str {
    Box::leak(text.into())
}

fn params(described: Vec<(String, String, String)>) -> &'static [Param] {
    let own = described.into_iter().filter(|(name, ..)| PARAMS.iter().all(|param| param.name != name));
    let own = own.map(|(name, kind, default)| {
        let (kind, meaning) = match kind.as_str() {
            "flag" => (Kind::Flag, "a keyword argument of its own"),
            "number" => (Kind::Fixed(Range::Finite), "a keyword argument of its own"),
            "text" => (Kind::Text, "a keyword argument of its own"),
            _ => (Kind::Text, "a keyword argument of its own, as Python writes it"),
        };
        Param { name: leaked(&name), kind, default: leaked(&default), meaning }
    });
    Box::leak(own.chain(PARAMS).collect())
}

/// What is to be made, and in how many processes.
fn request(args: &Args) -> Result<(Request, usize)> {
    let id = args.row();
    let (vectorization, autoreset) = (args.text("vectorization")?, args.text("autoreset")?);
    let processes = args.count("processes")?;
    let wrong = |problem: &str| Err(Error::Config(format!("{id}: {problem}")));
    if vectorization == "own" && autoreset != "same_step" {
        return wrong("autoreset has no effect where uphill steps the lanes: give vectorization, too, or leave it out");
    }
    if vectorization != "own" && processes > 0 {
        return wrong("processes has no effect on a vector of Gymnasium's: leave it, or vectorization, out");
    }
    let wrappers = args.texts("wrappers")?;
    if vectorization == "vector_entry_point" && !wrappers.is_empty() {
        return wrong(
            "wrappers cannot go around a vector that makes its own environments: leave them, or vectorization, out",
        );
    }
    let own = crate::family::find(id)?.params.iter().filter(|param| PARAMS.iter().all(|own| own.name != param.name));
    let said = own.map(|param| Ok((param.name.to_string(), said(args.value(param.name)?)))).collect::<Result<_>>()?;
    let name = id.strip_prefix(PREFIX).unwrap_or(id).to_string();
    Ok((Request { name, said, wrappers, lanes: 0, vectorization, autoreset, paints: false }, processes))
}

/// A value for Python.
fn said(value: &Value) -> serde_json::Value {
    match (value, value.word()) {
        (Value::Number(x), _) => (*x).into(),
        (_, Some("true")) => true.into(),
        (_, Some("false")) => false.into(),
        _ => value.text().unwrap_or_else(|| value.to_string()).into(),
    }
}

fn one(args: &Args) -> Result<Box<dyn uphill::envs::Env>> {
    let (request, processes) = request(args)?;
    let request = Request { vectorization: "own".into(), ..request };
    Ok(Box::new(GymnasiumEnv::open(args.row(), &request, processes > 0)?))
}

fn many(args: &Args, lanes: usize) -> Result<Box<dyn uphill::envs::VecEnv>> {
    let (request, processes) = request(args)?;
    Ok(uphill::envs::guarded(Box::new(GymnasiumLanes::open(args.row(), &request, lanes, processes)?))?)
}
