//! How long a sum over all ranks takes, by how many numbers it is of: docs/scaling.md.
//!
//! ```text
//! cargo build --release --features mpi --example rank_sums
//! mpirun -n 4 target/release/examples/rank_sums
//! ```

use std::time::Instant;

use uphill::{MpiWorld, Result, World};

/// A length is timed for at least so many sums, and as many numbers.
const SUMS: usize = 50;
const NUMBERS: usize = 20_000_000;

fn main() -> Result<()> {
    let world = MpiWorld::begin()?;
    for numbers in [1, 16, 256, 4_096, 65_536, 1_048_576, 4_194_304] {
        let (sums, mut values) = ((NUMBERS / numbers).clamp(SUMS, 20_000), vec![0.0; numbers]);
        world.sum(&mut values)?;
        let mut times = Vec::with_capacity(sums);
        for _ in 0..sums {
            let begun = Instant::now();
            world.sum(&mut values)?;
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        times.sort_by(f64::total_cmp);
        if world.rank() == 0 {
            let [median, most] = [times[sums / 2], times[sums * 9 / 10]];
            let bytes = numbers * size_of::<f32>();
            println!("{} ranks, {bytes} bytes: {median:.1} µs, 9 of 10 within {most:.1} µs", world.size());
        }
    }
    Ok(())
}
