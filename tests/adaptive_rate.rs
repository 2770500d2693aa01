//! A learning rate that goes by how far the policy moves.

use uphill::optim::Registry;
use uphill::{Checkpoint, Config, Trainer};

fn config(settings: &str) -> Config {
    let text = format!("{settings}\nsteps = 10_000\nenvs = 4\nn_steps = 32\nhidden = [8]\nseed = 3");
    Config::from_toml(&text).expect(settings)
}

/// The learning rate of so many updates' last passes, and what was come to in them.
fn rates(trainer: &mut Trainer, updates: usize) -> Vec<f64> {
    let rate = |_| trainer.step().expect("an update").expect("steps are left").lr.expect("a rate");
    (0..updates).map(rate).collect()
}

#[test]
fn the_rate_falls_where_passes_go_too_far_and_rises_where_they_could_go_further() {
    for algo in ["ppo", "dpo_drift"] {
        // Each of four passes divides or multiplies, and the one that an update is told with is its last.
        let change = 1.5f64;
        for (desired_kl, sign) in [(1e-9, -1), (1e3, 1)] {
            let settings = format!("algo = '{algo}(desired_kl={desired_kl})'\nanneal_lr = false\nlr = 0.001");
            let found = rates(&mut Trainer::new(&config(&settings)).expect("a trainer"), 6);
            for (update, found) in found.iter().enumerate() {
                let factor = change.powi(sign * (4 * update as i32 + 3)).clamp(0.01, 10.0);
                assert!((found / 0.001 - factor).abs() < 1e-9 * factor, "{algo}, update {update}: {found}");
            }
        }
        let settings = format!("algo = '{algo}'\nanneal_lr = false\nlr = 0.001");
        assert_eq!(rates(&mut Trainer::new(&config(&settings)).expect("a trainer"), 3), [0.001; 3]);
    }
}

#[test]
fn it_goes_on_top_of_a_schedule_and_moves_the_parameters_by_what_is_told() {
    let settings = "algo = 'ppo(desired_kl=1e-9)'\nlr = 0.001\noptimizer = 'sgd'\nmax_grad_norm = inf\nn_epochs = 2\nn_minibatches = 1";
    let mut trainer = Trainer::new(&config(settings)).expect("a trainer");
    let mut before = 0;
    for update in 0..5 {
        let row = trainer.step().expect("an update").expect("steps are left");
        // A first pass of one minibatch tells nothing: both passes of an update have one rate.
        let factor = 1.5f64.powi(-update);
        let scheduled = 0.001 * (1.0 - before as f64 / 10_000.0);
        before = row.env_steps;
        let rate = row.lr.expect("a rate");
        assert!((rate - factor * scheduled).abs() < 1e-12, "update {update}: {rate}");
        assert!((row.update_norm / (rate * row.grad_norm) - 1.0).abs() < 1e-4, "update {update}: {row:?}");
    }
}

#[test]
fn where_passes_come_to_what_is_desired_the_rate_stays() {
    let rates_of = |desired_kl: f64| {
        let settings =
            format!("algo = 'ppo(desired_kl={desired_kl})'\nanneal_lr = false\nlr = 0.001\nenv = 'CartPole-v1'");
        rates(&mut Trainer::new(&config(&settings)).expect("a trainer"), 40)
    };
    let found = rates_of(0.01);
    assert!(found.iter().all(|rate| (1e-5..=1e-2).contains(rate)), "{found:?}");
    let (falls, rises) = found.windows(2).fold((0, 0), |(falls, rises), pair| {
        (falls + usize::from(pair[1] < pair[0]), rises + usize::from(pair[1] > pair[0]))
    });
    assert!(falls > 0 && rises > 0, "it goes up and down: {found:?}");
}

#[test]
fn a_resumed_run_has_the_rate_that_it_had() {
    let config = config("algo = 'ppo(desired_kl=0.002)'\nlr = 0.001");
    let mut whole = Trainer::new(&config).expect("a trainer");
    let before = rates(&mut whole, 5);
    assert_ne!(before[4], before[0] * (1.0 - 4.0 * 128.0 / 10_000.0), "there is something to remember");
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("checkpoint");
    whole.checkpoint().expect("a checkpoint").write(&path).expect("a file");
    let mut resumed = Trainer::resume(&Checkpoint::read(&path).expect("a file")).expect("a state");
    assert_eq!(rates(&mut whole, 5), rates(&mut resumed, 5));
    let [whole, resumed] = [&whole, &resumed].map(|trainer| trainer.params().snapshot().expect("values"));
    assert_eq!(whole, resumed);
}

#[test]
fn every_optimizer_can_have_it() {
    for recipe in Registry::default().recipes() {
        Config::from_toml(&format!("algo = 'ppo(desired_kl=0.01)'\noptimizer = '{}'", recipe.name)).expect(recipe.name);
    }
    let message = Config::from_toml("desired_kl = 0").expect_err("zero").to_string();
    assert!(message.contains("desired_kl = 0 is impossible: it must be above 0 (inf turns it off)"), "{message}");
}
