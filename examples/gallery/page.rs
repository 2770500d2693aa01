//! The page of the gallery.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use indicatif::HumanCount;
use rand::RngExt;
use serde_json::Value;
use uphill::envs::{Action, Space};
use uphill::screen::amounts;
use uphill::{Config, Error, Result, Seed};

use crate::row::{LearntAt, Row};

const HEAD: &str = "\
# Gallery

A trained policy for every registered environment:

```sh
uphill evaluate gallery/CartPole-v1 --watch     # plays it in the terminal
uphill evaluate gallery/Taxi-v3 --sampled       # its returns, with actions drawn as in training
uphill plot gallery/Acrobot-v1 --out curve.png  # how it learnt
uphill train --config gallery/Acrobot-v1/config.toml --out runs/again
```

(Without installing it: `cargo run --release -- evaluate gallery/CartPole-v1`.) `Policy::load(\"gallery/CartPole-v1\")` is the same in code.
Each folder is what `uphill card` makes: the policy as safetensors, its settings, a model card, `results.json` with the return of each
episode, every so many rows of `metrics.csv`, and a replay where there is something to see.

Each policy is the last of **one run with one seed**: something to look at and to begin with, and no claim about an algorithm or an
environment. [What the algorithms learn](../docs/learning.md) has claims, over ten seeds and more, beside what others publish.
[gallery.toml](gallery.toml) has all settings; budgets are small, and so are networks. Some of them (CliffWalking's, cartpole-balance's,
acrobot-swingup's, those of the hidden velocities of MountainCar and Pendulum) were chosen by what this very seed came to, and the figures
that count as having learnt four of dm_control's tasks were chosen after these runs.

";

const BELOW: &str = "
- *Return* is mean ± standard deviation of 100 episodes with the likeliest action, on seeds that training has not seen; *at random* is that of
  uniformly random play among what is legal, exact where the task has a model, else the mean of 100 episodes.
- *Solved at* is the threshold of the environment's authors, or the figure of whom is named, and *at best* the exact optimum.
- *Solved*: *yes*, the mean is that or more; *best*, it is the optimum within two standard errors (Taxi's threshold is above the exact optimum); a dash is
  where nothing says what would count.
- The figures of OPEN (Goldie et al. 2024), CleanRL and Stable-Baselines3's zoo are of other and mostly longer training, OPEN's of games without
  sticky actions and with v1's actions: [whence they are](../docs/learning.md).
- Taxi-v3 and Taxi-v4 are one task under two names, with the same settings, and so the same bits. MinAtar's v0 games have all six actions where v1
  has those that do something: other tasks to learn, and other policies. They are the games as they are registered, with sticky actions, but cut after 1,000
  steps (Freeway ends by itself).

## Making it again

```sh
cargo run --release --example gallery
```

trains those that are missing, or whose settings in [gallery.toml](gallery.toml) are others by now, one after another on one thread, and
writes this page. Killed at any time, it goes on where it was; what is here is whole. With more steps in gallery.toml those that have not
learnt enough are trained for longer. `tests/gallery.rs` has each play some of its episodes again, and wants a policy here for every environment that is added.
";

/// Episodes of random play.
const EPISODES: u64 = 100;
/// Steps of one, where the task has no limit.
const LONGEST: u32 = 10_000;

/// The page, of cards that are there.
pub(crate) fn page(rows: &[Row], out: &Path) -> Result<String> {
    let mut page = String::from(HEAD);
    page += "| environment | algorithm | steps | return | at random | solved at | at best | solved | |\n|---|---|---|---|---|---|---|---|---|\n";
    let mut unsolved = Vec::new();
    for row in rows {
        let folder = row.folder();
        let path = out.join(&folder).join("results.json");
        let bytes = fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let results: Value =
            serde_json::from_slice(&bytes).map_err(|e| Error::File { path: path.clone(), problem: e.to_string() })?;
        let number = |name: &str| {
            let problem = || Error::File { path: path.clone(), problem: format!("there is no number {name}") };
            results[name].as_f64().ok_or_else(problem)
        };
        let (mean, std, episodes) = (number("mean_reward")?, number("std_reward")?, number("n_eval_episodes")?);
        let known = row.config.known_returns()?;
        let random = known.map_or_else(|| at_random(&row.config), |(random, _)| Ok(random))?;
        let threshold = row.config.make_envs(1)?.spec().reward_threshold;
        let least = threshold.or(row.learnt_at.as_ref().map(|learnt_at| learnt_at.mean));
        // What f32 rounds of a sum is no less.
        let reaches = |least: f64| mean >= least - 1e-4 * (1.0 + least.abs());
        let best = known.map(|(_, best)| best);
        let solved = match (least, best) {
            (Some(least), _) if reaches(least) => "yes",
            (_, Some(best)) if reaches(best - 2.0 * std / episodes.sqrt()) => "best",
            (None, None) => "-",
            _ => "no",
        };
        if solved == "no" {
            unsolved.push(format!("[{}]({folder})", row.env));
        }
        let [mean, std] = amounts([mean, std]);
        let one = |of: Option<f64>| of.map(|number| amounts([number])[0].clone());
        let published = || row.learnt_at.as_ref().map(|LearntAt { mean, of }| format!("{mean} ({of})"));
        let (least, random) = (one(threshold).or_else(published), one(Some(random)).unwrap_or_default());
        let replay = match out.join(&folder).join("replay.gif").is_file() {
            true => format!("![One episode]({folder}/replay.gif)"),
            false => String::new(),
        };
        let dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        let (env, algo, steps) = (&row.env, &row.config.algo.name, HumanCount(row.config.steps));
        let (least, best) = (dash(least), dash(one(best)));
        // Writing to a text cannot fail.
        let _ = writeln!(
            page,
            "| [{env}]({folder}) | {algo} | {steps} | {mean} ± {std} | {random} | {least} | {best} | {solved} | {replay} |"
        );
    }
    if !unsolved.is_empty() {
        let _ = writeln!(page, "\nNot solved in these steps: {}.", unsolved.join(", "));
    }
    page += BELOW;
    Ok(page)
}

/// The mean return of uniformly random play among the actions that are legal.
fn at_random(config: &Config) -> Result<f64> {
    let mut env = config.make_env()?;
    let space = env.spec().action.clone();
    let most = env.spec().max_episode_steps.unwrap_or(LONGEST);
    let mut observation = vec![0.0; env.spec().observation_len()];
    let mut mask = vec![true; space.choices()];
    let mut rng = Seed(config.seed).stream("random_play", 0);
    let mut total = 0.0;
    for episode in 0..EPISODES {
        env.reset(Some(Seed(config.seed).derive("random_play", episode)), &mut observation)?;
        for _ in 0..most {
            let mut numbers = Vec::new();
            let action = match &space {
                Space::Discrete { n } => {
                    let legal: Vec<u32> = match env.action_mask(&mut mask) {
                        true => (0..).zip(&mask).filter(|(_, legal)| **legal).map(|(action, _)| action).collect(),
                        false => (0..*n as u32).collect(),
                    };
                    Action::Discrete(legal[rng.random_range(0..legal.len())])
                }
                Space::Box { low, high } => {
                    numbers.extend(low.iter().zip(high).map(|(&low, &high)| rng.random_range(low..=high)));
                    Action::Continuous(&numbers)
                }
                _ => return Err(Error::Config(format!("{} has actions that are not played here", config.env))),
            };
            let step = env.step(action, &mut observation)?;
            total += f64::from(step.reward);
            if step.end.ended() {
                break;
            }
        }
    }
    Ok(total / EPISODES as f64)
}
