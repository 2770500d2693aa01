//! The native part of uphill's package for Python, `uphill._uphill`: numbers go in and out as bytes, and what they mean the
//! Python part says, `uphill/__init__.py`.

// What Python passes is made for the call, and arrives by value.
#![allow(clippy::needless_pass_by_value)]

mod envs;
mod policy;
mod train;
mod watched;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(
    uphill._uphill,
    Error,
    PyException,
    "What uphill refuses or cannot do; the text says what would be right."
);

/// An error of uphill's as Python has it.
fn raised(error: impl std::fmt::Display) -> PyErr {
    Error::new_err(error.to_string())
}

/// Every environment of uphill's, and of the Gymnasium that is installed.
fn catalogue() -> uphill::Catalogue {
    uphill_gymnasium::catalogue()
}

/// The module.
#[pymodule]
mod _uphill {
    #[pymodule_export]
    use super::Error;
    #[pymodule_export]
    use crate::envs::{Lanes, Single};
    #[pymodule_export]
    use crate::policy::Policy;
    #[pymodule_export]
    use crate::train::{environments, resume, settings, train};
}
