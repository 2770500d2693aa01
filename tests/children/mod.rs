//! A test binary that runs itself on another number of candle's own threads, which are as many as there are for a whole process.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;

const CHILD: &str = "UPHILL_TEST_PRINTS_BITS";

/// Whether this process is a child, which is to [`tell`] what it computes; else its test checks nothing.
pub(crate) fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Prints what a child computed, under a name.
pub(crate) fn tell(name: impl std::fmt::Display, computed: impl Hash) {
    let mut hasher = DefaultHasher::new();
    computed.hash(&mut hasher);
    println!("\nbits {name} {:016x}", hasher.finish());
}

/// What the test `child_prints_its_bits` of this binary tells in a process of so many threads.
pub(crate) fn told(threads: &str) -> Vec<String> {
    let program = std::env::current_exe().expect("this test");
    let output = Command::new(program)
        .args(["--exact", "child_prints_its_bits", "--nocapture"])
        .env(CHILD, "1")
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .expect("the child runs");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().filter(|line| line.starts_with("bits ")).map(String::from).collect()
}
