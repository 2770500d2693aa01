use candle_core::{Device, Tensor};

use super::{Optimizer, When};
use crate::optim::{Pattern, Registry};
use crate::{Layout, Params};

#[test]
fn blocks_that_do_not_move_have_no_part_in_a_step() {
    let mut layout = Layout::default();
    layout.push("trunk.weight", &[2]);
    layout.push("critic.weight", &[2]);
    let mut params = Params::new(layout, vec![1.0; 4], &Device::Cpu).expect("parameters");
    let mut optimizer: Optimizer = "sgd(lr=0.5)".parse().expect("a chain");
    optimizer.move_only(&Pattern::new("critic.*"));
    for of_others in [7.0, f32::NAN, f32::INFINITY] {
        params.set(&[1.0; 4]).expect("values");
        let report = optimizer.step(&mut params, &[of_others, -of_others, 3.0, -4.0], When::default());
        let report = report.expect("a step");
        assert_eq!((report.grad_norm, report.update_norm), (5.0, 2.5), "{of_others}");
        assert_eq!(params.snapshot().expect("values"), [1.0, 1.0, -0.5, 3.0], "{of_others}");
    }
    let wrong = optimizer.step(&mut params, &[0.0, 0.0, f32::NAN, 0.0], When::default());
    assert!(wrong.is_err_and(|error| error.to_string().contains("critic.weight")));
}

#[test]
fn a_factor_of_the_learning_rate_is_another_learning_rate_whatever_the_optimizer() {
    let numbers = |len: usize, far: usize| (0..len).map(|i| (i * far % 23) as f32 / 11.5 - 1.0).collect::<Vec<f32>>();
    let registry = Registry::default();
    let specs = registry.recipes().filter(|row| row.param("lr").is_some()).map(|row| {
        // Its matrices and its vectors have rates of their own.
        let (other, is_muon) = ("adam_lr", row.name == "muon");
        let of = |lr: f64| {
            if is_muon { format!("muon(lr={lr}, {other}={lr})") } else { format!("{}(lr={lr})", row.name) }
        };
        [0.0078125, 0.015625].map(of)
    });
    let within = [0.0078125, 0.015625].map(|lr| format!("partition(\"*\", lookahead(adamw(lr={lr}), k=2))"));
    let specs: Vec<[String; 2]> = specs.chain([within]).collect();
    assert!(specs.len() > 20, "{specs:?}");
    for [half, whole] in specs {
        let moved = |spec: &str, factor: f64| {
            let mut layout = Layout::default();
            layout.push("actor.weight", &[4, 3]);
            layout.push("actor.bias", &[4]);
            let mut params = Params::new(layout, numbers(16, 7), &Device::Cpu).expect("parameters");
            let mut optimizer: Optimizer = spec.parse().expect(spec);
            optimizer.set_lr_factor(factor);
            let rate = optimizer.learning_rate(When::default());
            for step in 1..=5 {
                let gradient = numbers(16, 3 + step);
                optimizer.step(&mut params, &gradient, When::default()).expect("a step");
            }
            (params.snapshot().expect("values"), rate)
        };
        let (same, plain) = (moved(&half, 2.0), moved(&half, 1.0));
        assert_eq!(same, moved(&whole, 1.0), "{half} twice as fast, and {whole}");
        assert_ne!(same.0, plain.0, "{half}");
        assert_eq!(same.1, plain.1.map(|rate| 2.0 * rate), "{half}");
        assert!(same.1.is_some(), "{half}");
    }
}

#[test]
fn on_tensors_too_blocks_that_do_not_move_have_no_part_and_a_factor_is_a_rate() {
    let mut layout = Layout::default();
    layout.push("trunk.weight", &[2]);
    layout.push("critic.weight", &[2]);
    let mut params = Params::new(layout, vec![1.0; 4], &Device::Cpu).expect("parameters");
    let chain = "clip_by_global_norm(5, form=optax) | sgd(lr=0.25)";
    let mut optimizer = chain.parse::<Optimizer>().expect("a chain").through_tensors();
    optimizer.move_only(&Pattern::new("critic.*"));
    optimizer.set_lr_factor(2.0);
    for of_others in [7.0, f32::NAN, f32::INFINITY] {
        params.set(&[1.0; 4]).expect("values");
        let gradient = Tensor::new(&[of_others, -of_others, 3.0, -4.0], &Device::Cpu).expect("a tensor");
        optimizer.step_on_device(&mut params, &gradient, When::default()).expect("a step");
        let report = optimizer.settle().expect("a finite step");
        assert_eq!((report.grad_norm, report.update_norm), (5.0, 2.5), "{of_others}");
        assert_eq!(params.snapshot().expect("values"), [1.0, 1.0, -0.5, 3.0], "{of_others}");
    }
}

#[test]
fn what_keeps_steps_on_the_host_is_said() {
    let mut layout = Layout::default();
    layout.push("weight", &[2]);
    let params = Params::new(layout, vec![1.0; 2], &Device::Cpu).expect("parameters");
    let note = |spec: &str, elsewhere: bool| {
        let optimizer: Optimizer = spec.parse().expect(spec);
        (if elsewhere { optimizer.through_tensors() } else { optimizer }).note_of_host(&params)
    };
    for (spec, link) in [
        ("soap", "ScaleBySoap"),
        ("clip_by_value(1) | adam | ema(0.9)", "Ema"),
        ("zero_non_finite | sgd", "ZeroNonFinite"),
    ] {
        let said = note(spec, true).expect(spec);
        assert!(said.contains(&format!("for {link} is")) && said.contains("on the host"), "{said}");
        assert_eq!(note(spec, false), None, "{spec}: the parameters are there, too");
    }
    assert_eq!(note("clip_by_value(1) | adam", true), None);
}
