//! A crate of one's own: an environment, a wrapper, a network, an objective, an algorithm, an optimizer and a sink, each one row in one's own
//! catalogue, and the whole command line for them.

mod environment;
mod learning;
mod network;
mod optimizer;
mod sink;
mod wrapper;

use std::process::ExitCode;

use uphill::{Catalogue, cli};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("optimum") {
        println!("{}", environment::optimum());
        return ExitCode::SUCCESS;
    }
    let catalogue = Catalogue::default();
    let catalogue = catalogue.with(environment::ROW).with(wrapper::ROW).with(network::ROW).with(learning::ROW).with(optimizer::ROW).with(sink::ROW);
    cli::main(&catalogue)
}
