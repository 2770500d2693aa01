//! The interpreter within this program, and the module of this crate that runs in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyModule};
use uphill::{Error, Result};

use crate::seat::{Trouble, answer};

/// What runs in Python, here and in worker processes.
pub(crate) const SOURCE: &str = include_str!("gymnasium_side.py");
/// The Python whose library this program is linked to.
const BUILT_FOR: &str = env!("UPHILL_PYTHON_VERSION");

/// What was found out about Python when it was started.
#[derive(Debug)]
pub(crate) struct Python {
    /// The interpreter whose packages are used, which also runs worker processes.
    pub(crate) interpreter: PathBuf,
    module: Py<PyModule>,
}

impl Python {
    /// Python, started if it was not yet.
    ///
    /// # Errors
    /// [`Error::Config`] where there is no interpreter, or one of another version than this program was built for.
    pub(crate) fn started() -> Result<&'static Self> {
        static STARTED: OnceLock<std::result::Result<Python, String>> = OnceLock::new();
        STARTED.get_or_init(Self::start).as_ref().map_err(|problem| Error::Config(problem.clone()))
    }

    fn start() -> std::result::Result<Self, String> {
        // Where this is a module of Python's, that Python is the one.
        let running = pyo3::Python::try_attach(|py| -> PyResult<(PathBuf, Py<PyModule>)> {
            Ok((py.import("sys")?.getattr("executable")?.extract()?, module(py)?))
        });
        if let Some(running) = running {
            let (interpreter, module) = running.map_err(|e| format!("Python fails: {e}"))?;
            return Ok(Self { interpreter, module });
        }
        let interpreter = interpreter();
        let told = told(&interpreter)?;
        if told.version != BUILT_FOR {
            let (shown, version) = (interpreter.display(), &told.version);
            return Err(format!(
                "{shown} is Python {version}, and this program was built for {BUILT_FOR}: activate a virtual environment of \
                 Python {BUILT_FOR}, or build it again with PYO3_PYTHON={shown}"
            ));
        }
        pyo3::Python::initialize();
        let made = pyo3::Python::attach(|py| -> PyResult<Py<PyModule>> {
            // The packages of that interpreter, wherever the library was installed for.
            let sys = py.import("sys")?;
            sys.setattr("path", &told.path)?;
            sys.setattr("executable", &told.executable)?;
            // Packages that are installed from where they are edited stand in files that are read only by this.
            let add = py.import("site")?.getattr("addsitedir")?;
            for folder in told.path.iter().filter(|folder| folder.ends_with("-packages")) {
                add.call1((folder,))?;
            }
            module(py)
        });
        let module = made.map_err(|e| format!("Python {BUILT_FOR} of {} fails: {e}", interpreter.display()))?;
        Ok(Self { interpreter: told.executable.into(), module })
    }

    /// What there is to know of an environment before it is made, in JSON.
    pub(crate) fn described(&self, name: &str) -> std::result::Result<Vec<u8>, Trouble> {
        let bytes = pyo3::Python::attach(|py| -> PyResult<Vec<u8>> {
            self.module.bind(py).call_method1("described", (name,))?.extract()
        });
        answer(bytes.map_err(|e| Trouble::raised(&e))?)
    }

    /// Lanes within this process, and in JSON what they are.
    pub(crate) fn open(&self, request: &str) -> std::result::Result<(Py<PyAny>, Vec<u8>), Trouble> {
        let opened = pyo3::Python::attach(|py| -> PyResult<(Py<PyAny>, Vec<u8>)> {
            self.module.bind(py).call_method1("opened", (request,))?.extract()
        });
        let (lanes, spec) = opened.map_err(|e| Trouble::raised(&e))?;
        Ok((lanes, answer(spec)?))
    }
}

/// The module of this crate.
fn module(py: pyo3::Python<'_>) -> PyResult<Py<PyModule>> {
    let code = std::ffi::CString::new(SOURCE)?;
    Ok(PyModule::from_code(py, &code, c"gymnasium_side.py", c"gymnasium_side")?.unbind())
}

/// What such lanes answer to a request.
pub(crate) fn handle(lanes: &Py<PyAny>, request: &[u8]) -> PyResult<Vec<u8>> {
    pyo3::Python::attach(|py| {
        let answer = lanes.bind(py).call_method1("handle", (PyBytes::new(py, request),))?;
        Ok(answer.cast::<PyBytes>()?.as_bytes().to_vec())
    })
}

/// The interpreter of the active virtual environment, else `python3` of the path.
fn interpreter() -> PathBuf {
    let of_environment = std::env::var_os("VIRTUAL_ENV").map(|home| Path::new(&home).join("bin/python3"));
    of_environment.filter(|path| path.exists()).unwrap_or_else(|| "python3".into())
}

/// What an interpreter says of itself.
#[derive(serde::Deserialize)]
struct Told {
    version: String,
    executable: String,
    path: Vec<String>,
}

fn told(interpreter: &Path) -> std::result::Result<Told, String> {
    const ASK: &str = "import json, sys; print(json.dumps({'version': '%d.%d' % sys.version_info[:2], \
                       'executable': sys.executable, 'path': [p for p in sys.path if p]}))";
    let shown = interpreter.display();
    let said = Command::new(interpreter).args(["-c", ASK]).output();
    let said = said.map_err(|e| format!("Gymnasium needs Python {BUILT_FOR}, and `{shown}` cannot be run: {e}"))?;
    serde_json::from_slice(&said.stdout).map_err(|_| {
        let error = String::from_utf8_lossy(&said.stderr);
        format!("`{shown}` does not tell what it is: {}", error.lines().last().unwrap_or("it says nothing"))
    })
}
