//! What gradients are worth: bias, variance, signal-to-noise, agreement and noise scale of policy-gradient estimators.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, Command, CommandFactory, Parser};

use super::flags;
use super::picture::{Scale, results};
use super::read;
use super::settings::Trained;
use crate::advantage::{Estimator, Gae, MonteCarlo, NStep};
use crate::envs::{FiniteMdp, Lanes, Space, TabularEnv, counted, shown};
use crate::episodes::LONGEST;
use crate::gradient::{GradientQuality, GradientSampler};
use crate::plot::{GradientPanel, GradientValue, Picture, PictureOptions, gradient_panels};
use crate::screen::Bar;
use crate::stats::{Bootstrap, Interval};
use crate::{Buffers, Catalogue, Config, Error, MakeEnvs, Result, Seed, Threads, Trainer, destination, oracle};

/// Measures what the gradients of policy-gradient estimators are worth, at a policy that has been trained a little.
///
/// All estimators get the same independent batches of whole episodes. In environments with a model, such as grid worlds, the
/// exact gradient is known and their bias is measured, too; there no episode is cut off. Where it is not known it is said why.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    trained: Trained,
    /// Optimizer of the training before the measurement [default: the algorithm's own]
    #[arg(long)]
    optimizer: Option<String>,
    /// Environment steps of that training; 0 measures at the start
    #[arg(long, default_value_t = 4_096)]
    steps: u64,
    /// Whole episodes in a batch
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    episodes: u32,
    /// Independent batches, at least 10
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    batches: u32,
    /// Lambdas of generalised advantage estimation
    #[arg(long, value_name = "LAMBDA", num_args = 1.., value_delimiter = ',', default_values_t = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0])]
    gae_lambdas: Vec<f64>,
    /// Steps of n-step returns
    #[arg(long, value_name = "N", num_args = 1.., value_delimiter = ',', default_values_t = [1, 5, 20])]
    n_steps: Vec<usize>,
    /// Where the picture goes, as .png or .svg; a file of that name is replaced
    #[arg(long, value_name = "FILE", default_value = "gradient-quality.png")]
    out: PathBuf,
    /// Width in pixels, before --scale
    #[arg(long, value_name = "PIXELS", default_value_t = 1200)]
    width: u32,
    #[command(flatten)]
    scale: Scale,
}

pub(super) fn command(_: &Catalogue) -> Command {
    Arguments::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let arguments: Arguments = read(args)?;
    if arguments.steps == 0 {
        flags::without_effect(args, "optimizer", "--steps 0 trains nothing; leave one of them out")?;
    }
    measure(&arguments, catalogue).map(|()| ExitCode::SUCCESS)
}

fn measure(arguments: &Arguments, catalogue: &Catalogue) -> Result<()> {
    Picture::check_path(&arguments.out)?;
    let config = config(arguments, catalogue)?;
    let (names, estimators) = estimators(arguments)?;
    let batches = arguments.batches as usize;
    destination::check(&arguments.out, &["png", "svg"])?;
    rehearse(arguments, &config, &names)?;
    let bar = Bar::new("training the policy", batches as u64 + names.len() as u64);

    let mut trainer = Trainer::new(&config)?;
    // Zero steps are a policy as it was initialised.
    while arguments.steps > 0 && trainer.step()?.is_some() {}
    let (theta, buffers) = (trainer.params().snapshot()?, trainer.params().buffers().clone());

    let Truth { config: measured, envs, limit, exact } = Truth::of(config, (&theta, &buffers))?;
    let (exact, unknown) = (exact.as_deref().ok(), exact.as_ref().err());

    bar.part("playing batches");
    let sampler = GradientSampler {
        config: &measured,
        envs,
        theta: &theta,
        buffers: &buffers,
        episodes: arguments.episodes as usize,
        seed: Seed(arguments.trained.seed),
        threads: Threads::new(arguments.trained.threads)?,
    };
    let sampled = sampler.sample(&estimators, batches, || bar.inc(1))?;

    bar.part("resampling batches");
    let bootstrap = Bootstrap { reps: 1_000, seed: Seed(arguments.trained.seed), ..Bootstrap::default() };
    let steps = sampled.mean_steps();
    let mut qualities: Vec<_> = sampled.gradients.iter().map(|gradients| (gradients, None)).collect();
    sampler.threads.each(&mut qualities, |_, (gradients, quality)| {
        *quality = Some(GradientQuality::of(gradients, steps, exact, &bootstrap));
        bar.inc(1);
    });
    let qualities = qualities.into_iter().filter_map(|(_, quality)| quality).collect::<Result<Vec<_>, _>>()?;
    drop(bar);

    let trained = match arguments.steps {
        0 => "as initialised".to_owned(),
        steps => format!("after {} of {}", counted(steps, "step"), arguments.trained.algo),
    };
    let without =
        limit.map_or(String::new(), |limit| format!(" without their limit of {}", counted(limit as usize, "step")));
    let protocol = format!(
        "policy {trained}, γ = {}; g of each of {batches} batches of {}{without} (about {steps:.0} steps); \
         95% intervals over batches",
        measured.gamma,
        counted(arguments.episodes, "episode")
    );
    let picture = picture(arguments, &measured, &names, &qualities, protocol)?;
    picture.save(&arguments.out)?;
    let unknown = unknown.map(|why| format!("bias unknown: {why}"));
    let lines: Vec<String> = table(&names, &qualities).into_iter().chain(unknown).collect();
    results(&picture, &lines, &[&arguments.out])
}

fn picture(
    arguments: &Arguments,
    config: &Config,
    names: &[String],
    qualities: &[GradientQuality],
    protocol: String,
) -> Result<Picture> {
    let options = PictureOptions {
        width: arguments.scale.of(arguments.width),
        scale: arguments.scale.factor,
        ..PictureOptions::new(config.env.shown(), 1, protocol)
    };
    let rows: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(gradient_panels(&rows, &panels(qualities), &options)?)
}

/// Draws the picture of numbers that are none yet: what is wrong with its size or its names is found before the work.
fn rehearse(arguments: &Arguments, config: &Config, names: &[String]) -> Result<()> {
    let gradients: Vec<Vec<f32>> = (0..10u8).map(|i| vec![f32::from(i), 1.0]).collect();
    let bootstrap = Bootstrap { reps: 1_000, ..Bootstrap::default() };
    let exact = config.model_of_env()?.map(|_| [1.0, 1.0]);
    let quality = GradientQuality::of(&gradients, 1.0, exact.as_ref().map(<[f32; 2]>::as_slice), &bootstrap)?;
    picture(arguments, config, names, &vec![quality; names.len()], "nothing is measured yet".into()).map(|_| ())
}

fn config(arguments: &Arguments, catalogue: &Catalogue) -> Result<Config> {
    let (steps, optimizer) = (arguments.steps.max(1), arguments.optimizer.as_deref());
    let config = arguments.trained.config(optimizer, steps, &[64, 64], catalogue)?;
    let envs = config.make_envs(1)?;
    if let Space::Discrete { n: 1 } = envs.spec().action {
        let problem =
            "has one action: every policy takes it, and its gradient is zero; take an environment with a choice";
        return Err(Error::Config(format!("{} {problem}", config.env.shown())));
    }
    Ok(Config { anneal_lr: false, ..config })
}

type Estimators = Vec<Box<dyn Estimator + Sync>>;

fn estimators(arguments: &Arguments) -> Result<(Vec<String>, Estimators)> {
    let mut names = vec!["REINFORCE".to_owned(), "REINFORCE, baseline".to_owned()];
    let mut estimators: Estimators =
        vec![Box::new(MonteCarlo { baseline: false }), Box::new(MonteCarlo { baseline: true })];
    for &n_steps in &arguments.n_steps {
        if n_steps == 0 {
            return Err(Error::Config("--n-steps 0 is impossible: it must be at least 1".into()));
        }
        names.push(format!("n-step, n = {n_steps}"));
        estimators.push(Box::new(NStep { n_steps }));
    }
    for &gae_lambda in &arguments.gae_lambdas {
        if !(0.0..=1.0).contains(&gae_lambda) {
            let problem = format!("--gae-lambdas {} is impossible: it must lie in [0, 1]", shown(gae_lambda));
            return Err(Error::Config(problem));
        }
        names.push(format!("GAE, λ = {gae_lambda}"));
        estimators.push(Box::new(Gae { gae_lambda: gae_lambda as f32 }));
    }
    Ok((names, estimators))
}

/// What all estimators are after, computed from the model, and where it is what they are after: where no episode is cut off
/// that the exact gradient knows.
struct Truth {
    config: Config,
    /// What makes the environments, where they are not the configuration's.
    envs: Option<MakeEnvs>,
    /// The limit of steps that these are without.
    limit: Option<u32>,
    /// The gradient, or why it is not known.
    exact: Result<Vec<f32>, String>,
}

impl Truth {
    /// The share of episodes that a limit may cut off without mattering.
    const CUT: f64 = 1e-8;

    fn of(config: Config, at: (&[f32], &Buffers)) -> Result<Self> {
        let Some(mdp) = config.model_that_fits()? else {
            let why = format!("no exact model of {} is known", config.env.shown());
            return Ok(Self { config, envs: None, limit: None, exact: Err(why) });
        };
        let limit_of = |config: &Config| Ok::<_, Error>(config.make_envs(1)?.spec().max_episode_steps);
        let own = limit_of(&config)?;
        let endless = config.with_limit(None).unwrap_or_else(|| config.clone());
        let left = limit_of(&endless)?;
        let known = Exact::of(&endless, at, &mdp).and_then(|exact| match (exact.steps <= LONGEST.into(), own) {
            (true, _) => Ok(exact),
            (false, limit) => {
                let limit = limit.map_or(String::new(), |limit| format!(" without their limit of {limit}"));
                Err(format!("episodes would take {:.0} steps on average{limit}", exact.steps))
            }
        });
        let Exact { gradient, policy, .. } = match known {
            Ok(exact) => exact,
            Err(why) => return Ok(Self { config, envs: None, limit: None, exact: Err(why) }),
        };
        let cut = left.map(|limit| oracle::longer_than(&policy, &mdp, limit)).transpose()?;
        let (envs, limit) = match (cut, left) {
            (Some(cut), Some(limit)) if cut > Self::CUT => (Some(played(&endless, mdp)?), Some(limit)),
            _ => (None, own.filter(|_| left.is_none())),
        };
        Ok(Self { config: endless, envs, limit, exact: Ok(gradient) })
    }
}

/// Environments that do what a model says, without a limit of steps.
fn played(config: &Config, mdp: FiniteMdp) -> Result<MakeEnvs> {
    let env = TabularEnv::new(&config.env.id(), mdp, None)?;
    Ok(Arc::new(move |lanes| Ok(Box::new(Lanes::new(vec![env.clone(); lanes])?))))
}

/// What follows from a model at one point of the parameters.
struct Exact {
    gradient: Vec<f32>,
    /// What the policy does in each state.
    policy: Vec<f64>,
    /// Steps of an episode on average.
    steps: f64,
}

impl Exact {
    /// Why it is not known is said in words.
    fn of(config: &Config, (theta, buffers): (&[f32], &Buffers), mdp: &FiniteMdp) -> Result<Self, String> {
        let found = || {
            let (params, network) = config.model_at(config.make_envs(1)?.spec(), theta, buffers)?;
            let policy = oracle::policy_table(&*network, &params, mdp)?;
            let steps = mdp.occupancy(&policy, 1.0)?.iter().sum();
            let gradient = oracle::exact_episode_gradient(&*network, &params, mdp, config.gamma)?.to_vec1()?;
            Ok::<_, Error>(Self { gradient, policy, steps })
        };
        found().map_err(|e| e.to_string())
    }
}

/// A line of numbers an estimator, below a line that says what they are.
fn table(names: &[String], qualities: &[GradientQuality]) -> Vec<String> {
    let head = format!(
        "{:20} {:>14} {:>8} {:>10} {:>22} {:>8} {:>12}",
        "estimator", "bias/|G|", "p", "variance", "signal-to-noise", "cosine", "noise scale"
    );
    let row = |(name, quality): (&String, &GradientQuality)| {
        let (bias, p) = match quality.bias {
            Some(bias) => (format!("{:.3}", bias.relative().point), format!("{:.3}", bias.p_value)),
            None => ("–".into(), "–".into()),
        };
        let Interval { point, low, high } = quality.snr;
        format!(
            "{name:20} {bias:>14} {p:>8} {:>10.3e} {:>22} {:>8.3} {:>12.0}",
            quality.variance.point,
            format!("{point:.3} [{low:.3}, {high:.3}]"),
            quality.cosine.point,
            quality.noise_scale.point,
        )
    };
    std::iter::once(head).chain(names.iter().zip(qualities).map(row)).collect()
}

fn panels(qualities: &[GradientQuality]) -> Vec<GradientPanel> {
    let panel = |name: &str, note: &str, logarithmic, value: &dyn Fn(&GradientQuality) -> Option<GradientValue>| {
        let values = qualities.iter().map(value).collect();
        GradientPanel { name: name.into(), note: note.into(), logarithmic, values }
    };
    // Whether any signal is seen at all: then an interval of the signal is above zero.
    let seen = |quality: &GradientQuality| quality.norm_squared.low > 0.0;
    let of = |interval: fn(&GradientQuality) -> Interval| {
        move |quality: &GradientQuality| Some(GradientValue { interval: interval(quality), sure: seen(quality) })
    };
    let bias = |quality: &GradientQuality| {
        let bias = quality.bias?;
        Some(GradientValue { interval: bias.relative(), sure: bias.p_value < 0.01 })
    };
    let variance = |quality: &GradientQuality| Some(GradientValue { interval: quality.variance, sure: true });
    let mut panels = vec![
        panel("variance", "tr Cov g; less is better", true, &variance),
        panel("signal-to-noise", "|E g|² / tr Cov g", true, &of(|quality| quality.snr)),
        panel("cosine", "of two batches’ g", false, &of(|quality| quality.cosine)),
        panel("noise scale", "environment steps", true, &of(|quality| quality.noise_scale)),
    ];
    if qualities.iter().any(|quality| quality.bias.is_some()) {
        panels.insert(0, panel("bias", "|E g − G| / |G|, G exact", false, &bias));
    }
    panels
}
