//! Programs that go on while a test looks at them.

use std::process::Child;

/// A program that does not outlive its test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has most often ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
