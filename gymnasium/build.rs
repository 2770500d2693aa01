//! Which Python this is built for: that of `PYO3_PYTHON`, or of the path.

fn main() {
    let python = pyo3_build_config::get();
    let version = python.version();
    println!("cargo:rustc-env=UPHILL_PYTHON_VERSION={}.{}", version.major, version.minor);
}
