//! The generator against numpy's own numbers (`reference/record.py`).

use serde::Deserialize;
use uphill_envs::NumpyRng;

#[derive(Deserialize)]
struct Row {
    seed: u128,
    raw: [u64; 4],
    /// The bits of f64 numbers, as those below.
    random: [u64; 4],
    uniform: [u64; 4],
}

fn recorded() -> Vec<Row> {
    serde_json::from_str(include_str!("reference/numpy.json")).unwrap()
}

#[test]
fn every_number_is_numpys_bit_for_bit() {
    let rows = recorded();
    for seed in [0, 1, u128::from(u32::MAX), 1 << 32, u64::MAX.into(), 1 << 64, (1 << 64) + 1, u128::MAX] {
        assert!(rows.iter().any(|row| row.seed == seed), "seed {seed} is not in the reference");
    }
    for row in rows {
        let mut rng = NumpyRng::wide(row.seed);
        assert_eq!(row.raw, std::array::from_fn(|_| rng.next_u64()), "raw words of seed {}", row.seed);
        let random = std::array::from_fn(|_| rng.random().to_bits());
        assert_eq!(row.random, random, "random of seed {}", row.seed);
        let uniform = std::array::from_fn(|_| rng.uniform(-0.05, 0.05).to_bits());
        assert_eq!(row.uniform, uniform, "uniform of seed {}", row.seed);
        assert_eq!(NumpyRng::at(rng.place()), rng, "seed {}", row.seed);
        if let Ok(seed) = u64::try_from(row.seed) {
            assert_eq!(NumpyRng::new(seed), NumpyRng::wide(row.seed));
        }
    }
}

#[test]
fn a_restart_without_a_seed_runs_on_and_one_with_a_seed_begins_anew() {
    let mut rng = NumpyRng::new(5);
    let first = rng.next_u64();
    rng.restart(None);
    assert_ne!(rng.next_u64(), first);
    rng.restart(Some(5));
    assert_eq!(rng.next_u64(), first);
}

#[test]
fn unseeded_it_is_the_generator_of_seed_zero() {
    assert_eq!(NumpyRng::default(), NumpyRng::new(0));
}

#[test]
fn categorical_counts_match_their_probabilities() {
    let probabilities = [0.5, 0.0, 0.2, 0.3];
    let draws = 100_000;
    let mut rng = NumpyRng::new(1);
    let mut counts = [0_u32; 4];
    for _ in 0..draws {
        counts[rng.categorical(probabilities)] += 1;
    }
    for (count, p) in counts.into_iter().zip(probabilities) {
        let n = f64::from(draws);
        let standard_error = (n * p * (1.0 - p)).sqrt();
        assert!((f64::from(count) - n * p).abs() <= 4.0 * standard_error, "{counts:?}");
    }
}

#[test]
fn categorical_takes_the_first_index_where_the_sum_falls_short() {
    assert_eq!(NumpyRng::new(0).categorical([0.0, 0.0]), 0);
}
