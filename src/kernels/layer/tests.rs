use super::{LARGE, Layer};

fn numbers(len: usize, seed: u32) -> Vec<f32> {
    (0..len as u32).map(|i| ((i.wrapping_mul(2_654_435_761).wrapping_add(seed)) >> 8) as f32 / 1e7 - 0.8).collect()
}

#[test]
fn a_weight_in_panels_gives_the_bits_that_one_as_a_whole_gives() {
    for (inputs, outputs) in [(600, 300), (5, 7), (1, 3)] {
        let layer = Layer { inputs, outputs, weight: 0, bias: inputs * outputs };
        assert_eq!(inputs * outputs >= LARGE, inputs == 600, "a large one and a small one");
        let theta = numbers(outputs * (inputs + 1), 1);
        for batch in [0, 1, 13] {
            let (x, delta) = (numbers(batch * inputs, 2), numbers(batch * outputs, 3));
            let (mut room, mut found, mut expected) = (Vec::new(), Vec::new(), Vec::new());
            layer.weight_by_columns(&theta, &mut room);
            layer.input_gradient_by(&room, &delta, &mut found);
            layer.input_gradient(&theta, &delta, &mut expected);
            assert_eq!(found, expected, "{inputs} inputs, {batch} rows, backward");

            let mut found = vec![f32::NAN; inputs * outputs];
            let middle = outputs / 8;
            for rows in [0..middle, middle..outputs] {
                let to = &mut found[rows.start * inputs..rows.end * inputs];
                layer.gradient_rows(&x, &delta, rows, to);
            }
            let mut expected = vec![0.0; theta.len()];
            layer.add_gradient(&x, &delta, &mut expected, &mut room);
            assert_eq!(found, expected[..inputs * outputs], "{inputs} inputs, {batch} rows, the weight's gradient");

            layer.transpose_weight(&theta, &mut room);
            found.resize(batch * outputs, 0.0);
            layer.forward(&theta, &room, &x, batch, &mut found);
            for (i, y) in found.iter().enumerate().filter(|_| outputs > super::FEW) {
                let (row, output) = (&x[i / outputs * inputs..][..inputs], i % outputs);
                let weight = &theta[output * inputs..][..inputs];
                let start = theta[inputs * outputs + output];
                let sum = row.iter().zip(weight).fold(start, |sum, (x, w)| x.mul_add(*w, sum));
                assert_eq!(y.to_bits(), sum.to_bits(), "{inputs} inputs, {batch} rows, output {output}");
            }
        }
    }
}
