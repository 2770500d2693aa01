//! The picture of gradient descent: the paths of optimizers over a surface, as PNG and as animated GIF.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use candle_core::Device;
use clap::{ArgMatches, Command, CommandFactory, Parser, ValueEnum};
use rand_distr::{Distribution, StandardNormal};

use super::flags;
use super::picture::{Scale, rehearse, results};
use super::read;
use crate::envs::FiniteMdp;
use crate::optim::{Fallback, Optimizer, Registry, When};
use crate::plot::{DescentOptions, DescentPanel, DescentPath, Goal, Landscape, Picture, descent, descent_gif};
use crate::screen::Bar;
use crate::words::Spec;
use crate::{Catalogue, Config, Error, Layout, MlpModel, Params, Result, Seed, Trainer, destination, oracle};

/// Draws the paths of optimizers over a surface, as PNG and as animated GIF.
///
/// Every optimizer starts at the same point and takes the same number of steps with exact gradients.
#[derive(Parser)]
struct Arguments {
    /// The surface
    #[arg(long, value_enum, default_value_t = Name::Rosenbrock)]
    surface: Name,
    /// Optimizers as specs, such as "adam(lr=0.01)" [default: four that suit the surface]
    #[arg(long, value_name = "SPEC", num_args = 1..)]
    optimizers: Vec<Spec>,
    /// A panel for each of these learning rates; it is that of all optimizers that do not say their own
    #[arg(long, value_name = "LR", num_args = 1.., value_delimiter = ',')]
    learning_rates: Vec<f64>,
    /// Steps of each optimizer
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// Where they start, two numbers [default: the surface's own]
    #[arg(long, value_names = ["X", "Y"], num_args = 2)]
    start: Option<Vec<f64>>,
    /// Where the picture goes, as .png or .svg, and under the same name as .gif; files of that name are replaced
    #[arg(long, value_name = "FILE", default_value = "descent.png")]
    out: PathBuf,
    /// Make no GIF
    #[arg(long)]
    no_gif: bool,
    /// Seed of the slice through the return, its policy and its two directions
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Width in pixels, before --scale [default: 1000, or 460 a panel]
    #[arg(long, value_name = "PIXELS")]
    width: Option<u32>,
    /// Height in pixels, before --scale
    #[arg(long, value_name = "PIXELS", default_value_t = 720)]
    height: u32,
    #[command(flatten)]
    scale: Scale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// A curved valley with a flat floor
    Rosenbrock,
    /// A plateau with steep corners
    Beale,
    /// A bowl full of dents
    Rastrigin,
    /// The exact return of policies around a trained one, on a grid world
    Return,
}

impl Name {
    /// The optimizers that suit it.
    fn optimizers(self) -> &'static [&'static str] {
        match self {
            Name::Rosenbrock => &[
                "sgd(lr=1e-3)",
                "momentum(lr=3e-4)",
                "rmsprop(lr=0.02)",
                "adam(lr=0.2)",
                "soap(lr=0.1, weight_decay=0)",
            ],
            Name::Beale => &["sgd(lr=0.003)", "momentum(lr=0.001)", "rmsprop(lr=0.03)", "adam(lr=0.1)"],
            Name::Rastrigin => &[
                "sgd(lr=0.002)",
                "add_noise(eta=1e4, gamma=1) | sgd(lr=0.003)",
                "momentum(lr=0.003)",
                "adam(lr=0.5)",
                "soap(lr=0.3, weight_decay=0)",
            ],
            Name::Return => &["sgd(lr=0.2)", "momentum(lr=0.05)", "adam(lr=0.05)", "trac(adam(lr=0.05), s_init=0.1)"],
        }
    }
}

pub(super) fn command(_: &Catalogue) -> Command {
    Arguments::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let arguments: Arguments = read(args)?;
    if arguments.surface != Name::Return {
        flags::without_effect(args, "seed", "nothing is drawn here; leave it out, or give --surface return")?;
    }
    descend(&arguments, catalogue).map(|()| ExitCode::SUCCESS)
}

fn descend(arguments: &Arguments, catalogue: &Catalogue) -> Result<()> {
    let (still, gif) = outs(arguments)?;
    let specs = match arguments.optimizers.as_slice() {
        [] => arguments.surface.optimizers().iter().map(|spec| spec.parse()).collect::<Result<Vec<Spec>>>()?,
        given => given.to_vec(),
    };
    let rates: Vec<Option<f64>> = match arguments.learning_rates.as_slice() {
        [] => vec![None],
        given => given.iter().copied().map(Some).collect(),
    };
    check(&specs, &rates, catalogue.optim())?;
    let labels: Vec<String> = specs.iter().map(Spec::to_string).collect();
    rehearse(&labels, rates.len(), &size(arguments, rates.len()))?;

    let bar = Bar::new("sampling the surface", 1);
    let mut surface = Surface::new(arguments.surface, arguments.seed)?;
    if let Some(start) = &arguments.start {
        surface.start = (start[0], start[1]);
    }
    let (x, y, goal) = (surface.x, surface.y, surface.goal);
    let grid = if arguments.surface == Name::Return { (61, 61) } else { (241, 241) };
    bar.begin("sampling the surface", (grid.0 * grid.1) as u64);
    let landscape = Landscape::sample(x, y, grid, goal, |x, y| {
        bar.inc(1);
        Ok::<f64, Error>(surface.at(x, y)?.0)
    })?;

    let mut panels = Vec::new();
    for lr in rates {
        let name =
            |lr: f64| if (1e-3..1e6).contains(&lr) { lr.to_string() } else { format!("{lr:e}").replace('-', "−") };
        let title = lr.map_or_else(String::new, |lr| format!("lr = {}", name(lr)));
        let paths = specs.iter().map(|spec| path(&mut surface, spec, lr, arguments.steps, catalogue.optim()));
        panels.push(DescentPanel { title, paths: paths.collect::<Result<_>>()? });
    }

    let options = DescentOptions {
        title: surface.title.into(),
        subtitle: surface.subtitle.into(),
        axes: (surface.axes.0.into(), surface.axes.1.into()),
        value: surface.value.into(),
        best: surface.best,
        ..size(arguments, panels.len())
    };
    let picture = descent(&landscape, &panels, &options)?;
    picture.save(&still)?;
    if let Some(gif) = &gif {
        let (frames, fps) = (100, 20);
        bar.begin("painting the animation", 2 * u64::from(frames + 2 * fps));
        descent_gif(&landscape, &panels, &options, (frames as usize, fps), gif, |done| bar.reach(done as u64))?;
    }
    drop(bar);
    let ends = panels.iter().flat_map(|panel| panel.paths.iter().map(move |path| (&panel.title, path)));
    let end = |(title, path): (&String, &DescentPath)| {
        format!("{title:10} {:40} {:.4e}", path.label, path.values.last().copied().unwrap_or(f64::NAN))
    };
    let files: Vec<&Path> = std::iter::once(&still).chain(&gif).map(PathBuf::as_path).collect();
    results(&picture, &ends.map(end).collect::<Vec<_>>(), &files)
}

/// Where the pictures go: the name itself, and the same with .gif if there is to be one.
fn outs(arguments: &Arguments) -> Result<(PathBuf, Option<PathBuf>)> {
    Picture::check_path(&arguments.out)?;
    let gif = (!arguments.no_gif).then(|| arguments.out.with_extension("gif"));
    gif.as_deref().map_or(Ok(()), |gif| destination::check(gif, &["gif"]))?;
    Ok((arguments.out.clone(), gif))
}

fn size(arguments: &Arguments, panels: usize) -> DescentOptions {
    let width = arguments.width.unwrap_or(if panels == 1 { 1000 } else { 460 * panels as u32 });
    DescentOptions {
        width: arguments.scale.of(width),
        height: arguments.scale.of(arguments.height),
        scale: arguments.scale.factor,
        ..DescentOptions::default()
    }
}

/// Makes every optimizer: what is wrong with one is found before the work.
fn check(specs: &[Spec], rates: &[Option<f64>], registry: &Registry) -> Result<()> {
    if let Some(lr) = rates.iter().flatten().find(|lr| !(0.0..f64::INFINITY).contains(*lr)) {
        let problem = format!("--learning-rates {lr} is impossible: it must be finite and not negative");
        return Err(Error::Config(problem));
    }
    for (spec, &lr) in specs.iter().flat_map(|spec| rates.iter().map(move |lr| (spec, lr))) {
        registry.chain_with(spec, &Fallback { lr, ..Fallback::default() })?;
    }
    Ok(())
}

/// Lets an optimizer run from the start.
fn path(surface: &mut Surface, spec: &Spec, lr: Option<f64>, steps: u32, registry: &Registry) -> Result<DescentPath> {
    let chain = registry.chain_with(spec, &Fallback { lr, ..Fallback::default() })?;
    let mut optimizer = Optimizer::new(chain);
    let mut layout = Layout::default();
    layout.push("point", &[1, 2]);
    let (mut x, mut y) = surface.start;
    let mut params = Params::new(layout, vec![x as f32, y as f32], &Device::Cpu)?;
    let (mut points, mut values) = (vec![surface.start], vec![surface.at(x, y)?.0]);
    for step in 0..steps {
        let (_, slope) = surface.at(x, y)?;
        // An optimizer adds to go down; up is down on the surface turned over.
        let sign = if surface.goal == Goal::Lowest { 1.0 } else { -1.0 };
        let gradient = [slope.0, slope.1].map(|slope| (sign * slope) as f32);
        let when = When { progress: f64::from(step) / f64::from(steps), update: u64::from(step) + 1 };
        match optimizer.step(&mut params, &gradient, when) {
            Ok(_) => {}
            // It has left the numbers: that is the picture of a learning rate that is too large.
            Err(Error::NotFinite { .. }) => {
                points.push((f64::NAN, f64::NAN));
                values.push(f64::NAN);
                break;
            }
            Err(error) => return Err(error),
        }
        let theta = params.snapshot()?;
        (x, y) = (f64::from(theta[0]), f64::from(theta[1]));
        points.push((x, y));
        values.push(surface.at(x, y)?.0);
    }
    Ok(DescentPath { label: spec.to_string(), points, values })
}

/// A function of two numbers with its gradient, and how it is best shown.
struct Surface {
    title: &'static str,
    subtitle: &'static str,
    axes: (&'static str, &'static str),
    value: &'static str,
    x: (f64, f64),
    y: (f64, f64),
    goal: Goal,
    start: (f64, f64),
    best: Option<(f64, f64)>,
    function: Function,
}

enum Function {
    Formula(fn(f64, f64) -> (f64, (f64, f64))),
    Slice(Box<Slice>),
}

impl Surface {
    fn new(name: Name, seed: u64) -> Result<Self> {
        let surface = Self {
            title: "",
            subtitle: "",
            axes: ("x", "y"),
            value: "f",
            x: (-2.0, 2.0),
            y: (-1.0, 3.0),
            goal: Goal::Lowest,
            start: (-0.7, 1.9),
            best: Some((1.0, 1.0)),
            function: Function::Formula(rosenbrock),
        };
        Ok(match name {
            Name::Rosenbrock => {
                Self { title: "Rosenbrock's valley", subtitle: "f(x, y) = (1 − x)² + 100·(y − x²)²", ..surface }
            }
            Name::Beale => Self {
                title: "Beale's function",
                subtitle: "f(x, y) = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
                x: (-1.0, 4.2),
                y: (-2.2, 2.2),
                start: (1.0, 1.5),
                best: Some((3.0, 0.5)),
                function: Function::Formula(beale),
                ..surface
            },
            Name::Rastrigin => Self {
                title: "Rastrigin's function",
                subtitle: "f(x, y) = 20 + x² − 10·cos 2πx + y² − 10·cos 2πy",
                x: (-1.4, 2.8),
                y: (-1.4, 2.4),
                start: (1.55, 1.45),
                best: Some((0.0, 0.0)),
                function: Function::Formula(rastrigin),
                ..surface
            },
            Name::Return => Self {
                title: "Return of policies around a trained one",
                subtitle: "exact J(θ + a·d₁ + b·d₂) on a slippery GridWorld-4x4-v0; d₁, d₂ random, block by block as long as θ",
                axes: ("a", "b"),
                value: "J",
                x: (-2.0, 2.0),
                y: (-2.0, 2.0),
                goal: Goal::Highest,
                start: (1.6, 1.6),
                best: None,
                function: Function::Slice(Box::new(Slice::new(seed)?)),
            },
        })
    }

    /// Value and gradient at a point.
    fn at(&mut self, x: f64, y: f64) -> Result<(f64, (f64, f64))> {
        match &mut self.function {
            Function::Formula(f) => Ok(f(x, y)),
            Function::Slice(slice) => slice.at(x, y),
        }
    }
}

/// Rosenbrock 1960, <https://doi.org/10.1093/comjnl/3.3.175>.
fn rosenbrock(x: f64, y: f64) -> (f64, (f64, f64)) {
    let (a, b) = (1.0 - x, y - x * x);
    (a * a + 100.0 * b * b, (-2.0 * a - 400.0 * x * b, 200.0 * b))
}

/// Beale 1958.
fn beale(x: f64, y: f64) -> (f64, (f64, f64)) {
    let terms = [(1.5, 1), (2.25, 2), (2.625, 3)].map(|(c, n)| {
        let power = y.powi(n);
        (c - x + x * power, power - 1.0, x * f64::from(n) * y.powi(n - 1))
    });
    let value = terms.iter().map(|(t, ..)| t * t).sum();
    let slope = |of: fn(&(f64, f64, f64)) -> f64| terms.iter().map(|term| 2.0 * term.0 * of(term)).sum();
    (value, (slope(|term| term.1), slope(|term| term.2)))
}

/// Rastrigin 1974.
fn rastrigin(x: f64, y: f64) -> (f64, (f64, f64)) {
    use std::f64::consts::TAU;
    let term = |x: f64| 10.0 + x * x - 10.0 * (TAU * x).cos();
    let slope = |x: f64| 2.0 * x + 10.0 * TAU * (TAU * x).sin();
    (term(x) + term(y), (slope(x), slope(y)))
}

/// The exact return on a plane of policies: those around a trained one in two random directions.
///
/// Each direction is as long as the parameters, block by block, so that layers of different scale move alike:
/// Li et al. 2018, section 4, <https://arxiv.org/abs/1712.09913>.
struct Slice {
    network: MlpModel,
    params: Params,
    mdp: FiniteMdp,
    centre: Vec<f32>,
    directions: [Vec<f32>; 2],
}

const GAMMA: f64 = 0.99;

impl Slice {
    fn new(seed: u64) -> Result<Self> {
        let config = Config {
            env: "GridWorld-4x4-v0(slip=0.1)".into(),
            steps: 60_000,
            lr: 1e-3,
            seed,
            hidden: vec![32],
            ..Config::for_algo("ppo")?
        };
        let mut trainer = Trainer::new(&config)?;
        while trainer.step()?.is_some() {}
        let mdp = config.model_of_env()?.ok_or_else(|| Error::Config(format!("{} has no model", config.env)))?;
        let (params, network) = MlpModel::new(trainer.spec(), &config.mlp(), Seed(seed), &Device::Cpu)?;
        let centre = trainer.params().snapshot()?;
        let mut rng = Seed(seed).stream("directions", 0);
        let directions = [(); 2].map(|()| {
            let mut direction: Vec<f32> = StandardNormal.sample_iter(&mut rng).take(centre.len()).collect();
            for block in params.layout().blocks() {
                let length = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
                let scale = length(&centre[block.range()]) / length(&direction[block.range()]);
                direction[block.range()].iter_mut().for_each(|d| *d *= scale);
            }
            direction
        });
        Ok(Self { network, params, mdp, centre, directions })
    }

    fn at(&mut self, a: f64, b: f64) -> Result<(f64, (f64, f64))> {
        let [d1, d2] = &self.directions;
        let point = self.centre.iter().zip(d1).zip(d2).map(|((c, d1), d2)| c + a as f32 * d1 + b as f32 * d2);
        self.params.set(&point.collect::<Vec<f32>>())?;
        let value = oracle::exact_return(&self.network, &self.params, &self.mdp, GAMMA)?;
        let gradient =
            oracle::exact_policy_gradient(&self.network, &self.params, &self.mdp, GAMMA)?.to_vec1::<f32>()?;
        let along = |d: &[f32]| gradient.iter().zip(d).map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
        Ok((value, (along(d1), along(d2))))
    }
}
