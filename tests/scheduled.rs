//! Numbers that change over training, and learning rates that differ among parts: `ent_coef`, `clip_range`, `critic_lr_factor`.

use uphill::{Config, Seed, Trainer};

fn trained(text: &str, updates: usize) -> Vec<u32> {
    let base = "env = 'GridWorld-4x4-v0'\nsteps = 1024\nenvs = 4\nhidden = [8]\n";
    let config = Config::from_toml(&format!("{base}{text}")).expect("a configuration");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    (0..updates).for_each(|_| drop(trainer.step().expect("an update")));
    trainer.params().snapshot().expect("numbers").into_iter().map(f32::to_bits).collect()
}

#[test]
fn a_schedule_that_stands_still_is_a_number_and_one_that_moves_begins_as_one() {
    for (setting, number, falling) in
        [("ent_coef", "0.02", "linear(0.02, 0)"), ("clip_range", "0.0078125", "linear(0.0078125, 0.001953125)")]
    {
        let with =
            |value: &str, updates| trained(&format!("{setting} = {value}\nn_steps = 128\nanneal_lr = false"), updates);
        let (plain, constant) = (with(number, 2), with(&format!("'constant({number})'"), 2));
        assert_eq!(plain, constant, "{setting}");
        let falling = format!("'{falling}'");
        // The first update is at progress 0, the second at half of all steps.
        assert_eq!(with(number, 1), with(&falling, 1), "{setting}");
        assert_ne!(with(number, 2), with(&falling, 2), "{setting}");
        // By the step function of the same two numbers the two updates are the same.
        let at_half = if setting == "ent_coef" { "0.01" } else { "0.0048828125" };
        let step = format!("'piecewise({number}, 0.25, {at_half})'");
        assert_eq!(with(&falling, 2), with(&step, 2), "{setting}");
    }
}

#[test]
fn what_cannot_be_a_schedule_is_refused_and_a_word_says_the_same_as_a_setting() {
    for (text, expected) in [
        ("clip_range = 'plateau(0.1)'", "plateau goes by the mean return, which is told to an optimizer alone"),
        ("clip_range = 0", "it must be above 0"),
        (
            "critic_lr_factor = 2\noptimizer = 'partition(\"*\", adam(lr=1e-3))'",
            "critic_lr_factor cannot go with optimizer",
        ),
        (
            "critic_lr_factor = 2\nalgo = 'reinforce(baseline=false)'",
            "critic_lr_factor has no effect: no value is learnt",
        ),
        ("ent_coef = 'plateau(0.01)'", "plateau goes by the mean return, which is told to an optimizer alone"),
        (
            "clip_range = 'linear(0.2, -0.1)'",
            "clip_range = linear(0.2, -0.1) is impossible: all along, it must be above 0",
        ),
        ("ent_coef = 'lineer(0.2, 0)'", "there is no schedule `lineer`; did you mean `linear`?"),
        ("ent_coef = 'much'", "there is no schedule `much`"),
        ("ent_coef = [1]", "it must be a number, or a schedule"),
        ("lr = 'linear(1e-3, 0)'", "it must be a number"),
        ("critic_lr_factor = -1", "it must be finite and not negative"),
    ] {
        let found = Config::from_toml(text).and_then(|config| config.validate()).expect_err("a mistake").to_string();
        assert!(found.contains(expected), "{text}: {found}");
    }
    // A limit may fall to 0.
    Config::from_toml("clip_range = 'linear(0.2, 0)'").and_then(|config| config.validate()).expect("the usual one");
    let setting = Config::from_toml("clip_range = 'cosine(0.3, 0.1)'").expect("a configuration");
    let word = Config::from_toml("algo = 'ppo(clip_range=cosine(0.3, 0.1))'").expect("the same");
    assert_eq!(setting, word);
    assert_eq!(Config::from_toml(&setting.to_toml().expect("text")).expect("again"), setting);
}

#[test]
fn a_part_with_a_factor_learns_as_with_that_learning_rate() {
    let sgd = "optimizer = 'sgd(lr=LR)'\nmax_grad_norm = inf\nn_steps = 32\nalgo = 'a2c'";
    let of = |lr: &str, more: &str| trained(&format!("{}\n{more}", sgd.replace("LR", lr)), 1);
    let config = Config::from_toml("env = 'GridWorld-4x4-v0'\nhidden = [8]\nsteps = 100").expect("a configuration");
    let trainer = Trainer::new(&config).expect("a trainer");
    let blocks = trainer.params().layout().blocks().to_vec();
    // Over one update of plain gradient descent the critic's parameters are those of a run with the other learning rate.
    let (slow, fast, mixed) = (of("0.01", ""), of("0.04", ""), of("0.01", "critic_lr_factor = 4"));
    for block in &blocks {
        let expected = if block.name.starts_with("critic") { &fast } else { &slow };
        assert_eq!(mixed[block.range()], expected[block.range()], "{}", block.name);
    }
    assert_ne!(slow, fast);
    // 0 keeps a part as it is.
    let initial: Vec<u32> = trainer.params().snapshot().expect("numbers").into_iter().map(f32::to_bits).collect();
    let still = of("0.01", "critic_lr_factor = 0");
    let critic = blocks.iter().filter(|block| block.name.starts_with("critic"));
    critic.for_each(|block| assert_eq!(still[block.range()], initial[block.range()], "{}", block.name));
    // A part that the network does not have is refused before training.
    let config = Config::from_toml("trunk_lr_factor = 2\nsteps = 1000").expect("a configuration");
    let message = Trainer::new(&config).map(drop).expect_err("no trunk").to_string();
    assert!(
        message.contains("trunk_lr_factor = 2 has no effect: the network has no parameters `trunk.*`"),
        "{message}"
    );
    let shared = "env = 'GridWorld-4x4-v0'\ntrunk_lr_factor = 2\nshared_trunk = true\nsteps = 1000";
    Trainer::new(&Config::from_toml(shared).expect("one")).expect("a trainer").step().expect("an update");
    let numbers = "env = 'Pendulum-v1'\nlog_std_lr_factor = 0.1\nsteps = 1000";
    Trainer::new(&Config::from_toml(numbers).expect("one")).expect("a trainer").step().expect("an update");
}

#[test]
fn a_table_gives_parts_optimizers_of_their_own() {
    let table = "[optimizer]\n\"critic.*\" = \"sgd(lr=0.1)\"\n\"*\" = { name = \"adam\", lr = 1e-3 }";
    let word = "optimizer = 'partition(\"critic.*\", sgd(lr=0.1), \"*\", adam(lr=1e-3))'";
    let (table, word) = (Config::from_toml(table).expect("a table"), Config::from_toml(word).expect("a word"));
    assert_eq!(table.optimizer.to_string(), word.optimizer.to_string());
    let mut trainer = Trainer::new(&Config { steps: 512, seed: Seed(1).0, ..table }).expect("a trainer");
    trainer.step().expect("an update");
}

#[test]
fn a_number_that_changes_is_a_column_of_what_it_was() {
    let base = "env = 'GridWorld-4x4-v0'\nsteps = 2048\nenvs = 4\nn_steps = 128\nhidden = [8]\n";
    let columns = |text: &str| {
        let mut trainer =
            Trainer::new(&Config::from_toml(&format!("{base}{text}")).expect("settings")).expect("a trainer");
        let mut rows = Vec::new();
        while let Some(metrics) = trainer.step().expect("an update") {
            rows.push(metrics.others);
        }
        rows
    };
    assert!(columns("ent_coef = 0.02").iter().all(Vec::is_empty));
    let rows = columns("ent_coef = 'linear(0.02, 0)'\nclip_range = 'linear(0.2, 0.1)'");
    assert_eq!(rows.len(), 4);
    for (row, progress) in rows.iter().zip([0.0, 0.25, 0.5, 0.75]) {
        let of = |name: &str| row.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).expect(name);
        assert!((of("ent_coef") - 0.02 * (1.0 - progress)).abs() < 1e-12, "{row:?}");
        assert!((of("clip_range") - (0.2 - 0.1 * progress)).abs() < 1e-12, "{row:?}");
    }
}
