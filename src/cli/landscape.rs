//! The return, or the loss, around a trained policy, with the ways that optimizers took to it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, Parser, ValueEnum};

use super::flags;
use super::picture::{Scale, rehearse, results};
use super::read;
use super::settings::Trained;
use crate::algo::least_env_steps;
use crate::envs::{counted, shown};
use crate::landscape::{Plane, PrincipalDirections, Surface, filter_normalised};
use crate::plot::{DescentOptions, DescentPanel, DescentPath, Goal, Landscape, Picture, descent};
use crate::screen::Bar;
use crate::{Buffers, Catalogue, Config, Error, Layout, Result, Seed, Threads, Trainer};

/// Draws the return or the loss on a plane of policies around a trained one, with the paths of optimizers.
///
/// Each optimizer trains from the same parameters. The plane goes through the policy that the first one ends with: along
/// the principal components of all paths, or along two random directions.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    trained: Trained,
    /// Optimizers as specs, such as "adam(lr=1e-3)"; the plane goes through the end of the first one's path
    #[arg(long, value_name = "SPEC", num_args = 1.., default_values = OPTIMIZERS)]
    optimizers: Vec<String>,
    /// Environment steps of each training
    #[arg(long, default_value_t = 16_384, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// What stands above the plane
    #[arg(long, value_enum, default_value_t = Height::Return)]
    surface: Height,
    /// The plane's directions
    #[arg(long, value_enum, default_value_t = Directions::Pca)]
    directions: Directions,
    /// How far random directions are followed, in lengths of the policy's own weights
    #[arg(long, default_value_t = 1.0)]
    reach: f64,
    /// Points of the surface along each side
    #[arg(long, default_value_t = 61, value_parser = clap::value_parser!(u32).range(2..=1_001))]
    resolution: u32,
    /// Episodes that each mean return is of, where no model gives the exact one
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    episodes: u32,
    /// Where the picture goes, as .png or .svg; a file of that name is replaced
    #[arg(long, value_name = "FILE", default_value = "landscape.png")]
    out: PathBuf,
    /// Width in pixels, before --scale
    #[arg(long, value_name = "PIXELS", default_value_t = 1000)]
    width: u32,
    /// Height in pixels, before --scale
    #[arg(long, value_name = "PIXELS", default_value_t = 720)]
    height: u32,
    #[command(flatten)]
    scale: Scale,
}

const OPTIMIZERS: [&str; 5] = ["adam(lr=1e-3)", "sgd(lr=0.2)", "rmsprop(lr=1e-3)", "muon(lr=5e-3)", "soap(lr=3e-3)"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Height {
    /// The expected return: exact on grid worlds, else a mean over episodes with the same random numbers everywhere
    Return,
    /// The algorithm's own loss, on one rollout of the policy at the centre
    Loss,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Directions {
    /// The first two principal components of the paths: where training went
    Pca,
    /// Two random directions, each unit's weights as long as the policy's own: what lies around
    Random,
}

pub(super) fn command(_: &Catalogue) -> Command {
    Arguments::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let arguments: Arguments = read(args)?;
    if arguments.directions == Directions::Pca {
        let why = "the paths say how far --directions pca go; leave it out, or give --directions random";
        flags::without_effect(args, "reach", why)?;
    }
    if arguments.surface == Height::Loss {
        flags::without_effect(args, "episodes", "--surface loss is of one rollout; leave it out")?;
    }
    survey(&arguments, catalogue).map(|()| ExitCode::SUCCESS)
}

/// Refuses paths of fewer points than a plane takes.
fn check_plane(configs: &[Config]) -> Result<()> {
    let [config] = configs else { return Ok(()) };
    let rollout = least_env_steps(&*config.make_algo()?, config.envs);
    if config.steps > rollout {
        return Ok(());
    }
    let (steps, algo) = (config.steps, &config.algo);
    let problem = format!("--steps {steps} is one update of {algo}, whose way is a line and makes no plane");
    let remedy = format!("give --steps {} or more, another optimizer beside it, or --directions random", rollout + 1);
    Err(Error::Config(format!("{problem}: {remedy}")))
}

fn survey(arguments: &Arguments, catalogue: &Catalogue) -> Result<()> {
    // Written so that NaN fails.
    if !(arguments.reach > 0.0 && arguments.reach.is_finite()) {
        let problem = format!("--reach {} is impossible: it must be a finite number above 0", shown(arguments.reach));
        return Err(Error::Config(problem));
    }
    Picture::check_path(&arguments.out)?;
    let threads = Threads::new(arguments.trained.threads)?;
    let configs: Vec<Config> = arguments
        .optimizers
        .iter()
        .map(|optimizer| arguments.trained.config(Some(optimizer), arguments.steps, &[32], catalogue))
        .collect::<Result<_>>()?;

    if arguments.surface == Height::Loss {
        Surface::check_loss(&configs[0])?;
    }
    if arguments.directions == Directions::Pca {
        check_plane(&configs)?;
    }
    rehearse(&arguments.optimizers, 1, &size(arguments))?;

    let bar = Bar::new("training", arguments.steps * configs.len() as u64);
    let mut ways = Vec::new();
    for config in &configs {
        ways.push(Way::of(config, &bar)?);
    }
    let (config, centre) = (&configs[0], ways[0].thetas[ways[0].thetas.len() - 1].clone());
    if arguments.surface == Height::Return || config.make_algo()?.optimized().is_some() {
        // Neither a return nor a surrogate depends on the critic: without this the axes would show where that went.
        ways.iter_mut().for_each(|way| way.keep_critic_at(&centre));
    }

    let (plane, axes) = plane(arguments, &ways, &centre)?;
    let places: Vec<Vec<(f64, f64)>> = ways.iter().map(|way| way.on(&plane)).collect::<Result<_>>()?;
    let (x, y) = match arguments.directions {
        Directions::Pca => around(&places),
        Directions::Random => ((-arguments.reach, arguments.reach), (-arguments.reach, arguments.reach)),
    };

    let (surface, what) = surface(arguments, config, &centre, &ways[0].buffers)?;
    let surface = surface.with_buffers(&ways[0].buffers);
    let side = arguments.resolution as usize;
    let places_to_measure = side * side + ways.iter().map(|way| way.thetas.len()).sum::<usize>();
    bar.begin("measuring the surface", places_to_measure as u64);
    let goal = if arguments.surface == Height::Return { Goal::Highest } else { Goal::Lowest };
    // Asked twice for its points: once to note them all, so that threads can share them, and once for their heights.
    let mut points = Vec::with_capacity(side * side);
    Landscape::sample(x, y, (side, side), goal, |a, b| {
        points.push(plane.at(a, b));
        Ok::<f64, Error>(0.0)
    })?;
    let heights = surface.heights(&points, &threads, || bar.inc(1))?;
    let mut next = heights.into_iter();
    let landscape =
        Landscape::sample(x, y, (side, side), goal, |_, _| Ok::<f64, Error>(next.next().unwrap_or(f64::NAN)))?;

    let mut paths = Vec::new();
    let mut table = vec![format!("{:36} {:>7} {:>12} {:>14}", "optimizer", "updates", "at the end", "out of plane")];
    for ((way, points), label) in ways.iter().zip(places).zip(&arguments.optimizers) {
        let values = surface.heights(&way.thetas, &threads, || bar.inc(1))?;
        let (updates, end) = (values.len() - 1, values.last().copied().unwrap_or(f64::NAN));
        table.push(format!("{label:36} {updates:>7} {end:>12.4} {:>13.0}%", 100.0 * way.out_of(&plane)?));
        paths.push(DescentPath { label: label.clone(), points, values });
    }
    drop(bar);

    let options = DescentOptions {
        title: format!("{} around a trained policy: {}", title(arguments.surface), config.env.shown()),
        subtitle: format!(
            "{what}; {}, {}, seed {}; the plane goes through the end of {}",
            arguments.trained.algo,
            counted(arguments.steps, "environment step"),
            arguments.trained.seed,
            arguments.optimizers[0]
        ),
        axes,
        value: if arguments.surface == Height::Return { "J".into() } else { "L".into() },
        best: Some((0.0, 0.0)),
        ..size(arguments)
    };
    let picture = descent(&landscape, &[DescentPanel { title: String::new(), paths }], &options)?;
    picture.save(&arguments.out)?;
    results(&picture, &table, &[&arguments.out])
}

fn size(arguments: &Arguments) -> DescentOptions {
    DescentOptions {
        width: arguments.scale.of(arguments.width),
        height: arguments.scale.of(arguments.height),
        scale: arguments.scale.factor,
        ..DescentOptions::default()
    }
}

/// The parameters after each update, the initial ones first.
struct Way {
    thetas: Vec<Vec<f32>>,
    layout: Layout,
    /// As they were at the end.
    buffers: Buffers,
}

impl Way {
    fn of(config: &Config, bar: &Bar) -> Result<Self> {
        let mut trainer = Trainer::new(config)?;
        let mut thetas = vec![trainer.params().snapshot()?];
        let mut before = 0;
        while let Some(metrics) = trainer.step()? {
            thetas.push(trainer.params().snapshot()?);
            bar.inc(metrics.env_steps - before);
            before = metrics.env_steps;
        }
        Ok(Self { thetas, layout: trainer.params().layout().clone(), buffers: trainer.params().buffers().clone() })
    }

    fn on(&self, plane: &Plane) -> Result<Vec<(f64, f64)>> {
        self.thetas.iter().map(|theta| Ok(plane.project(theta)?.0)).collect()
    }

    fn keep_critic_at(&mut self, centre: &[f32]) {
        for block in self.layout.blocks().iter().filter(|block| block.name.starts_with("critic")) {
            self.thetas.iter_mut().for_each(|theta| theta[block.range()].copy_from_slice(&centre[block.range()]));
        }
    }

    /// Which share of the squared distance to the plane's origin the plane does not show, on average over the way.
    fn out_of(&self, plane: &Plane) -> Result<f64> {
        let shares: Vec<f64> = self.thetas.iter().map(|theta| Ok(plane.project(theta)?.1)).collect::<Result<_>>()?;
        Ok(shares.iter().sum::<f64>() / shares.len() as f64)
    }
}

/// Points that principal components are found from, at most.
const MOST: usize = 600;

/// The plane, and what stands along its axes.
fn plane(arguments: &Arguments, ways: &[Way], centre: &[f32]) -> Result<(Plane, (String, String))> {
    match arguments.directions {
        Directions::Pca => {
            let all: Vec<&Vec<f32>> = ways.iter().flat_map(|way| &way.thetas).collect();
            let some: Vec<Vec<f32>> = all.iter().step_by(all.len().div_ceil(MOST)).copied().cloned().collect();
            let PrincipalDirections { directions, shares } = PrincipalDirections::of(&some)?;
            let axis =
                |name: &str, share: f64| format!("{name} principal component ({:.0}% of variance)", 100.0 * share);
            let axes = (axis("first", shares[0]), axis("second", shares[1]));
            Ok((Plane::new(centre.to_vec(), directions)?, axes))
        }
        Directions::Random => {
            let mut rng = Seed(arguments.trained.seed).stream("directions", 0);
            let directions = [(); 2].map(|()| filter_normalised(centre, &ways[0].layout, &mut rng));
            let axis = |name: &str| format!("{name} random direction, filter-normalised");
            Ok((Plane::new(centre.to_vec(), directions)?, (axis("first"), axis("second"))))
        }
    }
}

/// A rectangle around all points, with some room.
fn around(places: &[Vec<(f64, f64)>]) -> ((f64, f64), (f64, f64)) {
    let range = |of: fn(&(f64, f64)) -> f64| {
        let all = places.iter().flatten().map(of);
        let (from, to) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), x| (from.min(x), to.max(x)));
        let room = 0.15 * (to - from);
        (from - room, to + room)
    };
    (range(|place| place.0), range(|place| place.1))
}

/// What is measured, and what the subtitle calls it.
fn surface(arguments: &Arguments, config: &Config, centre: &[f32], buffers: &Buffers) -> Result<(Surface, String)> {
    let seed = Seed(Seed(arguments.trained.seed).derive("surface", 0));
    Ok(match arguments.surface {
        Height::Loss => (
            Surface::loss(config, (centre, buffers), seed)?,
            format!("L: loss of {} on one rollout of the centre", config.algo),
        ),
        Height::Return if config.model_that_fits()?.is_some() => {
            (Surface::exact_return(config)?, format!("J: exact return, γ = {}", config.gamma))
        }
        Height::Return => {
            let surface = Surface::mean_return(config, arguments.episodes as usize, seed)?;
            (
                surface,
                format!("J: mean return of {}, the same seeds everywhere", counted(arguments.episodes, "episode")),
            )
        }
    })
}

fn title(height: Height) -> &'static str {
    match height {
        Height::Return => "Return",
        Height::Loss => "Loss",
    }
}
