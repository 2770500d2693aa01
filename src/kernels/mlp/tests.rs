use candle_core::Device;

use super::super::{Activation, Layer};
use super::{Mlp, Passes, Transposed};
use crate::layout::Layout;
use crate::params::Params;

const WIDTHS: [usize; 4] = [3, 17, 16, 5];

/// A network on its own parameters, and rows of observations.
fn network(activation: Activation, layer_norm: bool, rows: usize) -> (Mlp, Params, Vec<f32>) {
    let (mut layout, mut layers) = (Layout::default(), Vec::new());
    for (l, pair) in WIDTHS.windows(2).enumerate() {
        let [inputs, outputs] = [pair[0], pair[1]];
        let weight = layout.push(format!("{l}.weight"), &[outputs, inputs]);
        let bias = layout.push(format!("{l}.bias"), &[outputs]);
        layers.push(Layer { inputs, outputs, weight, bias });
    }
    let number = |i: usize| (i as f32 * 0.37).sin();
    let values = (0..layout.len()).map(number).collect();
    let params = Params::new(layout, values, &Device::Cpu).expect("parameters");
    (Mlp { layers, activation, layer_norm }, params, (0..rows * WIDTHS[0]).map(|i| number(i + 9)).collect())
}

/// The outputs of a pass forward and the gradient of their sum of squares.
fn learnt(mlp: &Mlp, params: &Params, transposed: &mut Transposed, x: &[f32], passes: &mut Passes) -> Vec<Vec<u32>> {
    let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect();
    let learn = |theta: &[f32]| {
        transposed.update(mlp, theta, &params.version());
        mlp.forward(theta, transposed, x, x.len() / mlp.inputs(), passes);
        let (outputs, mut gradient) = (passes.output().to_vec(), vec![0.0; theta.len()]);
        mlp.backward(theta, x, passes, &outputs, &mut gradient);
        vec![bits(&outputs), bits(&gradient)]
    };
    params.read(learn).expect("parameters")
}

/// Adds all rows of `x`, some at a time.
fn add(mlp: &Mlp, params: &Params, transposed: &mut Transposed, (x, most): (&[f32], usize), passes: &mut Passes) {
    let add = |theta: &[f32]| {
        transposed.update(mlp, theta, &params.version());
        for x in x.chunks(4 * mlp.inputs()) {
            let batch = x.len() / mlp.inputs();
            let (mut alone, mut all) = (Passes::default(), [Vec::new(), Vec::new()]);
            mlp.forward(theta, transposed, x, batch, &mut alone);
            let added = mlp.add(theta, transposed, (x, batch), most, passes);
            all.iter_mut().zip(added).for_each(|(all, added)| all.extend_from_slice(added));
            assert_eq!(all[0], alone.output());
            assert_eq!(all[1], alone.hidden(x));
        }
    };
    params.read(add).expect("parameters");
}

#[test]
fn rows_that_were_added_some_at_a_time_are_learnt_from_as_if_they_went_through_together() {
    use Activation::{Gelu, Identity, LeakyRelu, Relu, Silu, Tanh};
    for activation in [Tanh, Relu, Silu, Gelu, LeakyRelu, Identity] {
        for layer_norm in [false, true] {
            let (mlp, mut params, x) = network(activation, layer_norm, 23);
            let mut passes = Passes::default();
            for round in 0..3 {
                let mut transposed = Transposed::default();
                let expected = learnt(&mlp, &params, &mut transposed, &x, &mut Passes::default());
                // All of them, and the first.
                for rows in [23, 14] {
                    add(&mlp, &params, &mut transposed, (&x, 23), &mut passes);
                    let x = &x[..rows * mlp.inputs()];
                    assert!(mlp.has_passed(&transposed, x, &passes));
                    let expected = learnt(&mlp, &params, &mut transposed, x, &mut Passes::default());
                    assert_eq!(learnt(&mlp, &params, &mut transposed, x, &mut passes), expected);
                }
                assert_eq!(learnt(&mlp, &params, &mut transposed, &x, &mut passes), expected, "{activation:?} {round}");
                params.update(|theta| theta.iter_mut().for_each(|theta| *theta *= 0.9)).expect("other parameters");
            }
        }
    }
}

#[test]
fn what_passed_is_not_taken_for_other_rows_parameters_or_networks() {
    let (mlp, mut params, x) = network(Activation::Tanh, false, 8);
    let (mut transposed, mut passes) = (Transposed::default(), Passes::default());
    add(&mlp, &params, &mut transposed, (&x, 8), &mut passes);
    assert!(mlp.has_passed(&transposed, &x, &passes) && mlp.has_passed(&transposed, &x[..6], &passes));

    // The last bit makes another row.
    let mut other = x.clone();
    other[10] = f32::from_bits(other[10].to_bits() ^ 1);
    assert!(!mlp.has_passed(&transposed, &other, &passes) && !mlp.has_passed(&transposed, &x[3..], &passes));
    let more = [&x[..], &x].concat();
    assert!(!mlp.has_passed(&transposed, &more, &passes));
    let relu = Mlp { activation: Activation::Relu, ..mlp.clone() };
    assert!(!relu.has_passed(&transposed, &x, &passes));

    params.update(|theta| theta[0] += 1.0).expect("other parameters");
    params.read(|theta| transposed.update(&mlp, theta, &params.version())).expect("parameters");
    assert!(!mlp.has_passed(&transposed, &x, &passes));
    let expected = learnt(&mlp, &params, &mut transposed, &x, &mut Passes::default());
    assert_eq!(learnt(&mlp, &params, &mut transposed, &x, &mut passes), expected);

    // Of more rows than are kept the last are there, and of more at once none.
    add(&mlp, &params, &mut transposed, (&x, 7), &mut passes);
    assert!(!mlp.has_passed(&transposed, &x, &passes) && mlp.has_passed(&transposed, &x[4 * 3..], &passes));
    add(&mlp, &params, &mut transposed, (&x, 3), &mut passes);
    assert!(!mlp.has_passed(&transposed, &x[4 * 3..], &passes));
    assert_eq!(learnt(&mlp, &params, &mut transposed, &x, &mut passes), expected);
}
