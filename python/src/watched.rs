//! Work that takes long, which Ctrl-C ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

use crate::raised;

/// How often it is looked whether anybody pressed Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(50);

/// Has work done on a thread of its own, without the interpreter's lock. What it tells is heard on this thread. An exception there,
/// Ctrl-C among them, asks the work to end by `stop`, and is raised when it has.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    stop: &AtomicBool,
    hear: &mut dyn FnMut(Python<'_>, String) -> PyResult<()>,
    work: impl FnOnce(&Sender<String>) -> uphill::Result<T> + Send,
) -> PyResult<T> {
    thread::scope(|scope| {
        let (tell, mut told) = channel();
        let worker = scope.spawn(move || work(&tell));
        let mut exception = Ok(());
        loop {
            let (back, heard) = py.detach(move || {
                let heard = told.recv_timeout(PATIENCE);
                (told, heard)
            });
            told = back;
            let looked = match heard {
                Ok(text) => hear(py, text).and_then(|()| py.check_signals()),
                Err(RecvTimeoutError::Timeout) => py.check_signals(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if looked.is_err() {
                stop.store(true, Ordering::Relaxed);
                exception = exception.and(looked);
            }
        }
        let done = py.detach(|| worker.join());
        exception?;
        done.map_err(|_| raised("it panicked: this is a mistake in uphill"))?.map_err(raised)
    })
}
