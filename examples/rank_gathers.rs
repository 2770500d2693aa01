//! How long it takes until every rank has what each has, by how many bytes that is: docs/scaling.md.
//!
//! ```text
//! cargo build --release --features mpi --example rank_gathers
//! mpirun -n 4 target/release/examples/rank_gathers
//! ```

use std::time::Instant;

use uphill::{MpiWorld, Result, World};

/// A length is timed for at least so many times, and as many bytes.
const TIMES: usize = 50;
const BYTES: usize = 80_000_000;

fn main() -> Result<()> {
    let world = MpiWorld::begin()?;
    for bytes in [4, 64, 1_024, 16_384, 262_144, 4_194_304, 16_777_216] {
        let (times, own) = ((BYTES / bytes).clamp(TIMES, 20_000), vec![0; bytes]);
        world.gather(&own)?;
        let mut taken = Vec::with_capacity(times);
        for _ in 0..times {
            let begun = Instant::now();
            world.gather(&own)?;
            taken.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        taken.sort_by(f64::total_cmp);
        if world.rank() == 0 {
            let [median, most] = [taken[times / 2], taken[times * 9 / 10]];
            println!("{} ranks, {bytes} bytes each: {median:.1} µs, 9 of 10 within {most:.1} µs", world.size());
        }
    }
    Ok(())
}
