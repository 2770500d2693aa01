//! What a network of images takes, one line asked and one answered: the half of `scripts/beside-torch.py` that is ours.
//!
//! ```text
//! echo learn nature_cnn 256 | cargo bench --bench beside_torch      # seconds of a minibatch, from bytes to moved parameters
//! echo act nature_cnn 8 | cargo bench --bench beside_torch          # seconds of outputs for 8 images
//! ```

use cpu_time::ProcessTime;
use std::io::{Write, stdin, stdout};

use candle_core::Device;
use uphill::envs::{Space, Spec};
use uphill::models::Site;
use uphill::objective::RowSums;
use uphill::optim::{Chain, Optimizer, When};
use uphill::rollout::{Estimate, Minibatch};
use uphill::words::{Args, Word};
use uphill::{Catalogue, Config, Model, Params, Rollout, Scratch, Seed, Stop};

fn network(name: &str) -> (Params, Box<dyn Model>) {
    let ([height, width, channels], max) = if name == "minatar_cnn" { ([10, 10, 4], 1) } else { ([84, 84, 4], 255) };
    let spec = Spec {
        id: "Images-v0".into(),
        observation: Space::Image { height, width, channels, max },
        action: Space::Discrete { n: 6 },
        max_episode_steps: None,
        reward_threshold: None,
    };
    let catalogue = Catalogue::default();
    let (row, word) = (catalogue.model(name).expect("a network"), Word::parse("model", name).expect("a word"));
    let site = Site { device: &Device::Cpu, ..Site::new(&spec, Seed(1)) };
    (row.make.build)(&Args::new(row, &word).expect("arguments"), &site).expect("a network")
}

/// What answers a line: seconds of one go.
type Timed = Box<dyn FnMut() -> f64>;

fn timed(what: &str, name: &str, rows: usize) -> Timed {
    let (mut params, network) = network(name);
    let width = network.observation_len();
    let most = if name == "minatar_cnn" { 1 } else { 255 };
    let images = (0..rows * width).map(|i| ((i as u64).wrapping_mul(2_654_435_761) >> 16 & most) as u8);
    let mut room = Scratch::default();
    if what == "act" {
        let (x, mut outputs): (Vec<f32>, _) = (images.map(f32::from).collect(), Vec::new());
        return Box::new(move || {
            let begun = ProcessTime::now();
            network.outputs(&params, &x, &mut room, &mut outputs).expect("outputs");
            begun.elapsed().as_secs_f64()
        });
    }
    let algo = Config::for_algo("ppo").expect("an algorithm").make_algo().expect("an algorithm");
    let algo = algo.into_on_policy().expect("a loss");
    let mut optimizer =
        Optimizer::new("clip_by_global_norm(0.5) | adam(lr=2.5e-4)".parse::<Chain>().expect("an optimizer"));
    let column: Vec<f32> = (0..rows).map(|i| (i % 7) as f32 / 7.0 - 0.4).collect();
    let rollout = Rollout {
        observation: images.collect::<Vec<_>>().into(),
        action: (0..rows).map(|i| (i % 6) as u32).collect::<Vec<_>>().into(),
        log_prob: vec![-1.7; rows],
        value: column.clone(),
        ..Rollout::new(1, width)
    };
    let estimate = Estimate { advantage: column.clone(), target: column, ..Estimate::default() };
    let places: Vec<usize> = (0..rows).collect();
    let (mut gradient, mut sums) = (Vec::new(), RowSums::default());
    Box::new(move || {
        let begun = ProcessTime::now();
        let (advantage, stop) = (&estimate.advantage, Stop::default());
        let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage, stop };
        algo.gradient(&*network, &params, batch, &mut room, &mut gradient, &mut sums).expect("a gradient");
        optimizer.step_in_place(&mut params, &mut gradient, When::default()).expect("a step");
        begun.elapsed().as_secs_f64()
    })
}

fn main() {
    let mut known: Vec<(String, Timed)> = Vec::new();
    for line in stdin().lines() {
        let line = line.expect("a line");
        let at = known.iter().position(|(of, _)| *of == line).unwrap_or_else(|| {
            let words: Vec<_> = line.split(' ').collect();
            let [what, name, rows] = words[..] else { panic!("{line}: learn or act, a model, and how many images") };
            known.push((line.clone(), timed(what, name, rows.parse().expect("a number of images"))));
            known.len() - 1
        });
        println!("{}", known[at].1());
        stdout().flush().expect("a reader");
    }
}
