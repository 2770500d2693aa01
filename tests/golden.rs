//! The same words as before: what a change of structure must leave alone. After a change of what is learnt, the new words are
//! written by `UPDATE_EXPECT=1 cargo test --test golden`, and the commit says why they are others.

use std::fmt::Write;

use expect_test::expect;
use uphill::{Config, Trainer};

/// Parameters after 20 updates, or 5 with many lanes, as FNV-1a of their bits, on one thread and on two.
#[test]
fn updates_give_the_words_that_they_gave() {
    let (mut words, mut natural) = (String::new(), Vec::new());
    for algo in uphill::algo::ROWS {
        let defaults = Config::for_algo(algo.name).expect("an algorithm");
        for (env, envs, updates) in
            [("CartPole-v1", defaults.envs, 20), ("GridWorld-4x4-v0", defaults.envs, 20), ("CartPole-v1", 64, 5)]
        {
            let max_kl = if env == "GridWorld-4x4-v0" { 1.0 } else { 0.1 };
            let trained = |threads: usize| {
                let config = Config { env: env.into(), envs, threads, seed: 11, steps: 1_000_000, ..defaults.clone() };
                let config = match algo.name {
                    "reinforce" | "rloo" => Config { episodes: envs, ..config },
                    // Of steps so long that a line search has something to do.
                    "npg" | "trpo" => Config {
                        algo: format!("{}(cg_iterations=4, max_kl={max_kl})", algo.name).as_str().into(),
                        n_steps: 16,
                        n_epochs: 1,
                        n_minibatches: 4,
                        ..config
                    },
                    _ => Config { n_steps: defaults.n_steps.min(32), ..config },
                };
                let mut trainer = Trainer::new(&config).expect("a trainer");
                for _ in 0..updates {
                    trainer.step().expect("an update").expect("steps are left");
                }
                trainer
                    .params()
                    .snapshot()
                    .expect("values")
                    .into_iter()
                    .map(f32::to_bits)
                    .fold(0xcbf2_9ce4_8422_2325_u64, |hash, word| {
                        (hash ^ u64::from(word)).wrapping_mul(0x0100_0000_01b3)
                    })
            };
            let (one, two) = (trained(1), trained(2));
            if ["npg", "trpo"].contains(&algo.name) {
                natural.push(one);
            }
            writeln!(words, "{:<9} {env:<16} {envs:>2} lanes: {one:016x} {two:016x}", algo.name).expect("a line");
        }
    }
    // A line search that never shortened a step would leave npg and trpo one algorithm.
    let (npg, trpo) = natural.split_at(natural.len() / 2);
    assert!(npg.iter().zip(trpo).all(|(npg, trpo)| npg != trpo), "{natural:x?}");
    expect![[r#"
        reinforce CartPole-v1       4 lanes: 5d4cb1ba10f25291 5d4cb1ba10f25291
        reinforce GridWorld-4x4-v0  4 lanes: 2c31f706b59f99ed 2c31f706b59f99ed
        reinforce CartPole-v1      64 lanes: 77709245cb715d6c 77709245cb715d6c
        rloo      CartPole-v1       4 lanes: 1fdff12f232ef99e 1fdff12f232ef99e
        rloo      GridWorld-4x4-v0  4 lanes: fc806ff8749f1621 fc806ff8749f1621
        rloo      CartPole-v1      64 lanes: 70193ac529e02ab6 70193ac529e02ab6
        a2c       CartPole-v1       8 lanes: a49f67357b8b3d3b a49f67357b8b3d3b
        a2c       GridWorld-4x4-v0  8 lanes: 0bb75481e0ab7fab 0bb75481e0ab7fab
        a2c       CartPole-v1      64 lanes: 253ad031da28dd1f 253ad031da28dd1f
        ppo       CartPole-v1       4 lanes: 00a4daf7ec1f76b1 00a4daf7ec1f76b1
        ppo       GridWorld-4x4-v0  4 lanes: a33298a846e37cb5 a33298a846e37cb5
        ppo       CartPole-v1      64 lanes: c08129d841d69fae c08129d841d69fae
        ppo_kl    CartPole-v1       4 lanes: aa13707bd55c22e2 aa13707bd55c22e2
        ppo_kl    GridWorld-4x4-v0  4 lanes: 27e3e96da7b7c767 27e3e96da7b7c767
        ppo_kl    CartPole-v1      64 lanes: 5089e153546e6d05 5089e153546e6d05
        dpo_drift CartPole-v1       4 lanes: 544161b7330dfbfd 544161b7330dfbfd
        dpo_drift GridWorld-4x4-v0  4 lanes: 4296ce3b11576eee 4296ce3b11576eee
        dpo_drift CartPole-v1      64 lanes: ee375bb7135bca5c ee375bb7135bca5c
        v_trace   CartPole-v1       8 lanes: efc584ca390e66ab efc584ca390e66ab
        v_trace   GridWorld-4x4-v0  8 lanes: c6b73b99b3ef03e0 c6b73b99b3ef03e0
        v_trace   CartPole-v1      64 lanes: d64409660d07b72f d64409660d07b72f
        npg       CartPole-v1      16 lanes: 2d6c0e29d80a7550 2d6c0e29d80a7550
        npg       GridWorld-4x4-v0 16 lanes: 9b010b3f1ae42d0b 9b010b3f1ae42d0b
        npg       CartPole-v1      64 lanes: 2cb962c1e0257953 2cb962c1e0257953
        trpo      CartPole-v1      16 lanes: ea4f2a7efe9d1280 ea4f2a7efe9d1280
        trpo      GridWorld-4x4-v0 16 lanes: 5f7c9482baf33846 5f7c9482baf33846
        trpo      CartPole-v1      64 lanes: 5a140ece218ea05b 5a140ece218ea05b
        stream_ac CartPole-v1       1 lanes: 12af1d7a9693206b 12af1d7a9693206b
        stream_ac GridWorld-4x4-v0  1 lanes: d77f884c26fba3e0 d77f884c26fba3e0
        stream_ac CartPole-v1      64 lanes: b0ffc25539bb4d29 b0ffc25539bb4d29
    "#]]
    .assert_eq(&words);
}
