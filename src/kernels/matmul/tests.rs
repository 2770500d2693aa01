use super::super::transpose::transpose;
use super::{Left, Start, matmul};

/// Every element in the order of the inner dimension, one fused product at a time.
fn naive(start: &[f32], a: &[f32], b: &[f32], [m, k, n]: [usize; 3]) -> Vec<f32> {
    let mut out = start.to_vec();
    for i in 0..m {
        for j in 0..n {
            for l in 0..k {
                out[i * n + j] = a[i * k + l].mul_add(b[l * n + j], out[i * n + j]);
            }
        }
    }
    out
}

fn numbers(len: usize, seed: u32) -> Vec<f32> {
    (0..len as u32).map(|i| ((i.wrapping_mul(2_654_435_761).wrapping_add(seed)) >> 8) as f32 / 1e7 - 0.8).collect()
}

#[test]
fn every_bit_is_that_of_the_definition_over_shapes_and_starts() {
    let mut shapes = vec![
        [128, 64, 64],
        [64, 300, 64],
        [20, 300, 512],
        [13, 129, 200],
        [2, 257, 33],
        [0, 3, 4],
        [3, 0, 4],
        [3, 4, 0],
    ];
    for m in 1..=13 {
        for n in [1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 130, 256] {
            shapes.push([m, 5, n]);
        }
    }
    for shape @ [m, k, n] in shapes {
        let (a, b, before, row) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3), numbers(n, 4));
        let mut columns = Vec::new();
        transpose(&a, m, k, &mut columns);
        for left in [Left::Rows(&a), Left::Columns(&columns)] {
            for (start, from) in
                [(Start::Zero, vec![0.0; m * n]), (Start::Output, before.clone()), (Start::Row(&row), row.repeat(m))]
            {
                let mut out = before.clone();
                matmul(&mut out, start, left, &b, shape);
                let expected = naive(&from, &a, &b, shape);
                let same = out.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{shape:?} {start:?}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "the right factor")]
fn another_length_is_refused() {
    matmul(&mut [0.0; 4], Start::Zero, Left::Rows(&[0.0; 4]), &[0.0; 3], [2, 2, 2]);
}
