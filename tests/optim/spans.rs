//! Windows that are longer than the run, and averages over short ones.

use uphill::optim::When;
use uphill::{Config, Trainer};

use crate::{BLOCKS, numbers, optimizer, params, values};

/// What a user is told when training begins.
fn notes(optimizer: &str, config: Config) -> Vec<String> {
    let optimizer = optimizer.parse().expect("a spec");
    let config = Config { env: "GridWorld-4x4-v0".into(), hidden: vec![3], optimizer, ..config };
    Trainer::new(&config).expect("a trainer").take_notes()
}

#[test]
fn a_window_that_is_longer_than_the_run_is_named_when_it_begins() {
    let ppo = Config::for_algo("ppo").expect("defaults");
    // 10 rollouts of 2 x 32 steps, 2 x 4 steps of the optimizer for each.
    let ppo = Config { envs: 2, n_steps: 32, steps: 640, n_epochs: 2, n_minibatches: 4, ..ppo };
    for (optimizer, expected) in [
        (
            "accumulate(100000, adam)",
            "k of accumulate is 100000: this run is over after 80 optimizer steps, before it has an effect",
        ),
        ("accumulate(81, adam)", "k of accumulate is 81: "),
        ("accumulate(10, lookahead(adam, k=9))", "k of lookahead is 90: "),
        ("lookahead(adam, k=81)", "k of lookahead is 81: "),
        ("adam | shrink_and_perturb(every=11)", "every of shrink_and_perturb is 11: this run is over after 10 updates"),
        ("soap(precondition_frequency=81)", "precondition_frequency of soap is 81: "),
        ("partition('*', shampoo(precondition_frequency=81))", "precondition_frequency of shampoo is 81: "),
        ("schedule_free_sgd(warmup_steps=81)", "warmup_steps of schedule_free is 81: "),
        ("adam | ema(0.999, warmup=false)", "the memory of ema, 1 / (1 - decay), is 1000: "),
    ] {
        let notes = notes(optimizer, ppo.clone());
        assert!(matches!(&notes[..], [note] if note.starts_with(expected)), "{optimizer}: {notes:?}");
    }
    for fits in [
        "adam",
        "accumulate(80, adam)",
        "accumulate(10, lookahead(adam, k=8))",
        "adam | shrink_and_perturb(every=10)",
        "adam | ema",
        "soap",
    ] {
        assert_eq!(notes(fits, ppo.clone()), [""; 0], "{fits}");
    }
    // Whole episodes: no more rollouts than if each episode had one step.
    let whole = Config { envs: 2, episodes: 4, steps: 640, ..Config::for_algo("reinforce").expect("defaults") };
    assert_eq!(notes("accumulate(160, adam)", whole.clone()), [""; 0]);
    assert_eq!(notes("accumulate(161, adam)", whole).len(), 1);
}

/// `aₜ = dₜ·aₜ₋₁ + (1 − dₜ)·θₜ`, `dₜ = min(decay, (1 + t)/(10 + t))`, in f64.
#[test]
fn an_average_forgets_where_a_short_run_began() {
    for decay in [0.5, 0.999] {
        let mut optimizer = optimizer(&format!("sgd(0.1) | ema({decay})"));
        let start = numbers(17, 60);
        let mut params = params(BLOCKS, &start);
        let mut average: Vec<f64> = start.iter().map(|&x| f64::from(x)).collect();
        for t in 1..=100u32 {
            optimizer.step(&mut params, &numbers(17, 60 + u64::from(t)), When::default()).expect("a step");
            let d = f64::min(decay, f64::from(1 + t) / f64::from(10 + t));
            average.iter_mut().zip(values(&params)).for_each(|(a, x)| *a = d * *a + (1.0 - d) * f64::from(x));
            let ours = optimizer.evaluation(&params).expect("values").expect("an average");
            assert!(ours.iter().zip(&average).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5), "step {t}");
        }
    }
    // A hundred steps in one direction: the average is a tenth of the way behind, where it was nine tenths.
    let behind = |spec: &str| {
        let (mut optimizer, mut params) = (optimizer(spec), params(&[("w", &[1])], &[0.0]));
        for _ in 0..100 {
            optimizer.step(&mut params, &[-1.0], When::default()).expect("a step");
        }
        optimizer.evaluation(&params).expect("values").expect("an average")[0] / values(&params)[0]
    };
    assert!(behind("sgd(0.01) | ema") > 0.85, "{}", behind("sgd(0.01) | ema"));
    assert!(behind("sgd(0.01) | ema(warmup=false)") < 0.1);
}
