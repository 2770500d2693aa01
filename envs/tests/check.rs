//! What `check_env` and `check_vec_env` say of environments that do something wrong, and that they say nothing of ours.

use std::fmt::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use broken::{Coins, Line};
use uphill_envs::{Env, EnvError, MemoryChain, TimeLimit, check_env, check_vec_env, ids, make, make_vec};

mod broken;

const MISTAKES: [&str; 70] = [
    "cannot be made",
    "no name",
    "limit of nothing",
    "threshold is NaN",
    "no action",
    "bounds the wrong way round",
    "bounds of another number",
    "actions are images",
    "no number",
    "NaN bound",
    "another each time",
    "panics at the start",
    "takes small seeds",
    "narrow space",
    "half a pixel",
    "forgets a number",
    "NaN at times",
    "reward is infinite",
    "refuses an action",
    "panics later",
    "grows",
    "ignores seeds",
    "fresh entropy",
    "keeps its place",
    "shared state",
    "starts over",
    "goes on after an end",
    "truncates itself",
    "takes any action",
    "takes NaN",
    "does not clip",
    "panics at a wrong action",
    "takes any room",
    "panics at wrong room",
    "moves first",
    "nothing is legal",
    "tells at times",
    "masks a box",
    "masks a part",
    "panics when it is asked what is legal",
    "saves nothing and writes",
    "clears what is there",
    "panics when it is saved",
    "forgets its generator",
    "saves nothing",
    "restores nothing",
    "forgets the end",
    "panics at other words",
    "takes any words",
    "draws nowhere",
    "draws no size",
    "panics when it is drawn",
    "changes when it is drawn",
    "nothing to choose",
    "actions without a bound",
    "large actions",
    "far actions",
    "actions to one side",
    "NaN at a bound",
    "shows nothing",
    "one number only",
    "an image in numbers",
    "large numbers",
    "large rewards",
    "one action",
    "one choice of one",
    "ends by the clock",
    "shows the next start",
    "shows no last step",
    "one seed for all",
];

fn said(mistake: &'static str) -> String {
    let findings = check_env(|| {
        if mistake == "cannot be made" {
            return Err(EnvError::Option { name: "level", value: "7".into(), expected: "levels go to 3" });
        }
        if ["never ends", "goes on after an end", "starts over", "grows"].contains(&mistake) {
            return Ok(Box::new(Line::new(mistake)) as Box<dyn Env>);
        }
        Ok(Box::new(TimeLimit::new(Line::new(mistake))) as Box<dyn Env>)
    });
    findings.iter().fold(String::new(), |mut text, finding| {
        writeln!(text, "  {finding}").expect("a line");
        text
    })
}

/// Each mistake gets its line; after a change of what is said, `UPDATE_EXPECT=1 cargo test -p uphill-envs --test check`.
#[test]
fn each_mistake_gets_a_line_that_says_what_where_and_what_would_be_right() {
    static PANICS: AtomicU32 = AtomicU32::new(0);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| _ = PANICS.fetch_add(1, Ordering::Relaxed)));
    let (mut text, mut noisy) = (String::new(), Vec::new());
    for mistake in MISTAKES.into_iter().chain(["no reward", "never ends", "cannot be saved"]) {
        write!(text, "{mistake}\n{}", said(mistake)).expect("lines");
        if PANICS.swap(0, Ordering::Relaxed) > 1 {
            noisy.push(mistake);
        }
    }
    std::panic::set_hook(hook);
    assert_eq!(noisy, Vec::<&str>::new(), "these panic again and again, and each time it is printed");
    let silent: Vec<&str> = text.lines().filter(|line| !line.starts_with("  ")).collect();
    let silent = silent.iter().filter(|mistake| !text.contains(&format!("{mistake}\n  "))).collect::<Vec<_>>();
    assert_eq!(silent, Vec::<&&str>::new(), "nothing is found in these");
    expect_test::expect_file!["check.txt"].assert_eq(&text);
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    for right in [
        "",
        "continuous",
        "nearly even actions",
        "several choices",
        "switches",
        "shows the clock",
        "stops when told",
        "one step",
    ] {
        assert_eq!(said(right), "", "{right}");
    }
    // A question that stays as it is while it is answered.
    assert_eq!(check_env(|| Ok(TimeLimit::new(MemoryChain::new(5)?))), []);
}

/// What is said of registered environments, which are as others made them.
#[test]
fn ours_keep_the_contract() {
    let mut text = String::new();
    // Those of gym-rs are as gym-rs has them: docs/gym-rs.md.
    for id in ids().filter(|id| !id.starts_with("gym-rs/")) {
        for finding in check_env(|| make(id)).into_iter().chain(check_vec_env(|lanes| make_vec(id, lanes))) {
            assert!(!finding.breach, "{id}: {finding}");
            writeln!(text, "{id}: {finding}").expect("a line");
        }
    }
    expect_test::expect![[r#"
        CliffWalkingSlippery-v1: unusual: there is no limit, and an episode has not ended in 20000 steps of random actions; set max_episode_steps in the spec and wrap it in TimeLimit
        FrozenLake8x8-v1: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
        MinAtar/Freeway-v1: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
        MinAtar/Freeway-v0: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
        dm_control/acrobot-swingup_sparse-v0: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
        dm_control/cartpole-swingup_sparse-v0: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
        dm_control/pendulum-swingup-v0: unusual: no reward but 0 in 3000 steps of random actions; a policy learns from what it meets by chance: reward steps on the way, too
    "#]].assert_eq(&text);
}

#[test]
fn so_do_mistakes_of_vectors() {
    let mut text = String::new();
    let mistakes = [
        "another number of lanes",
        "one seed for all",
        "one generator",
        "never rests",
        "writes the resting",
        "spreads something else",
        "takes any room",
    ];
    for mistake in mistakes {
        let found = check_vec_env(|lanes| Ok(Box::new(Coins::new(mistake, lanes))));
        assert_eq!(found.len(), 1, "{mistake}");
        writeln!(text, "{mistake}: {}", found[0]).expect("a line");
    }
    assert_eq!(check_vec_env(|lanes| Ok(Box::new(Coins::new("", lanes)))), []);
    expect_test::expect![[r#"
        another number of lanes: wrong: 6 lanes were made where 5 were asked for; a vector has as many lanes as it is asked for
        one seed for all: wrong: lane 1 of 5 is not what it is alone: its step 0: the observations differ; lane i is seeded `seed + i`, and sees nothing of the others
        one generator: wrong: lane 0 of 5 is not what it is alone: its step 2: the observations differ; lane i is seeded `seed + i`, and sees nothing of the others
        never rests: wrong: the observation of lane 0, not active, is written in step 1; nothing of a lane that is not active is written
        writes the resting: wrong: the observation of lane 0, not active, is written in step 1; nothing of a lane that is not active is written
        spreads something else: wrong: step_spread is not what step is, in lane 0: its step 1: the observations differ; it comes to what step comes to
        takes any room: wrong: reset takes room for 4 numbers, 5 observations have 5; return EnvError::Length for a slice of another length
    "#]].assert_eq(&text);
}
