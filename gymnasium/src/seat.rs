//! Where lanes live: in this process, or in a worker of their own. Both answer the same requests.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use pyo3::{Py, PyAny, PyErr};
use serde::{Deserialize, Serialize};
use uphill::envs::EnvError;

use crate::python::{Python, SOURCE, handle};

/// What lanes are made of.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Request {
    /// The environment's name, as Gymnasium has it.
    pub(crate) name: String,
    /// Its keyword arguments.
    pub(crate) said: serde_json::Map<String, serde_json::Value>,
    /// What goes around it, the innermost first.
    pub(crate) wrappers: Vec<String>,
    pub(crate) lanes: usize,
    /// Who steps the lanes together: `own`, or a mode of Gymnasium's.
    pub(crate) vectorization: String,
    pub(crate) autoreset: String,
    /// Whether it is to be seen.
    pub(crate) paints: bool,
}

/// What Python says went wrong.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Trouble {
    /// In which lane, where that is known.
    #[serde(default)]
    pub(crate) lane: Option<usize>,
    /// Whether it is what was asked for that is wrong.
    pub(crate) refused: bool,
    pub(crate) exception: String,
    pub(crate) traceback: String,
}

impl Trouble {
    /// An exception that nobody expects.
    pub(crate) fn raised(error: &PyErr) -> Self {
        Self::without_traceback(error.to_string())
    }

    fn without_traceback(exception: String) -> Self {
        Self { lane: None, refused: false, exception, traceback: String::new() }
    }

    /// Of an environment that could not be made.
    pub(crate) fn in_making(self, name: &str) -> uphill::Error {
        let Self { exception, traceback, .. } = self;
        match self.refused {
            true => uphill::Error::Config(exception),
            // Whose arguments may be at fault.
            false => EnvError::Raised { exception: format!("{exception}, while {name} was made"), traceback }.into(),
        }
    }

    pub(crate) fn in_env(self) -> EnvError {
        EnvError::Raised { exception: self.exception, traceback: self.traceback }
    }
}

/// What an answer says, after the byte that tells whether all went well.
pub(crate) fn answer(mut bytes: Vec<u8>) -> Result<Vec<u8>, Trouble> {
    match bytes.first() {
        Some(b'+') => {
            bytes.drain(..1);
            Ok(bytes)
        }
        Some(b'-') => Err(serde_json::from_slice(&bytes[1..])
            .unwrap_or_else(|e| Trouble::without_traceback(format!("an error that cannot be read: {e}")))),
        _ => Err(Trouble::without_traceback("an answer that is none".into())),
    }
}

/// Lanes, wherever they are.
pub(crate) enum Seat {
    /// In this process, and what they answered last.
    Here(Py<PyAny>, Option<Vec<u8>>),
    /// In a worker's.
    There(Worker),
}

impl Seat {
    /// Makes lanes, and says in JSON what they are.
    pub(crate) fn open(request: &Request, in_worker: bool) -> uphill::Result<(Self, Vec<u8>)> {
        let python = Python::started()?;
        let failed = |trouble: Trouble| trouble.in_making(&request.name);
        let text = serde_json::to_string(request).map_err(|e| uphill::Error::Config(e.to_string()))?;
        if !in_worker {
            let (lanes, spec) = python.open(&text).map_err(failed)?;
            return Ok((Self::Here(lanes, None), spec));
        }
        let mut worker = Worker::start(python).map_err(failed)?;
        worker.send(text.as_bytes()).map_err(failed)?;
        let spec = worker.receive().and_then(answer).map_err(failed)?;
        Ok((Self::There(worker), spec))
    }

    /// Asks for something; what is in this process does it at once.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<(), Trouble> {
        match self {
            Self::Here(lanes, last) => {
                *last = Some(handle(lanes, request).map_err(|e| Trouble::raised(&e))?);
                Ok(())
            }
            Self::There(worker) => worker.send(request),
        }
    }

    /// The answer to what was asked last.
    pub(crate) fn receive(&mut self) -> Result<Vec<u8>, Trouble> {
        match self {
            Self::Here(_, last) => answer(last.take().unwrap_or_default()),
            Self::There(worker) => worker.receive().and_then(answer),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Self::Here(lanes, _) = self {
            // What closing one raises can change nothing any more.
            let _ = handle(lanes, b"C");
        }
    }
}

/// A process that holds lanes. It ends when it is dropped.
pub(crate) struct Worker {
    child: Child,
    requests: ChildStdin,
    answers: ChildStdout,
}

impl Worker {
    fn start(python: &Python) -> Result<Self, Trouble> {
        let mut command = Command::new(&python.interpreter);
        command.args(["-c", SOURCE, "serve"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = |problem: &str| {
            let program = python.interpreter.display();
            Trouble::without_traceback(format!("a worker process of {program} cannot be started: {problem}"))
        };
        let mut child = command.spawn().map_err(|e| failed(&e.to_string()))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(requests), Some(answers)) => Ok(Self { child, requests, answers }),
            _ => Err(failed("it has no pipes")),
        }
    }

    /// What is said of a process that is gone.
    fn gone(&mut self) -> Trouble {
        let how = self.child.wait().map_or_else(|e| e.to_string(), |status| status.to_string());
        Trouble::without_traceback(format!("nothing, but its worker process ended ({how})"))
    }

    fn send(&mut self, request: &[u8]) -> Result<(), Trouble> {
        let sent = u32::try_from(request.len()).map_err(std::io::Error::other).and_then(|len| {
            self.requests.write_all(&len.to_le_bytes())?;
            self.requests.write_all(request)?;
            self.requests.flush()
        });
        sent.map_err(|_| self.gone())
    }

    fn receive(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut head = [0; 4];
        let mut bytes = Vec::new();
        let read = self.answers.read_exact(&mut head).and_then(|()| {
            bytes.resize(u32::from_le_bytes(head) as usize, 0);
            self.answers.read_exact(&mut bytes)
        });
        match read {
            Ok(()) => Ok(bytes),
            Err(_) => Err(self.gone()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
