use super::super::places::{Ascending, At, Every, Next, TILE, Tiles};
use super::{Left, Right, Start, panel_width, product};

fn numbers(len: usize, seed: u32) -> Vec<f32> {
    (0..len as u32).map(|i| ((i.wrapping_mul(2_654_435_761).wrapping_add(seed)) >> 8) as f32 / 1e7 - 0.8).collect()
}

fn ascending(places: impl Iterator<Item = usize>) -> Ascending {
    let mut found = Ascending::default();
    found.extend(places);
    found
}

#[test]
fn every_bit_is_that_of_the_definition_wherever_numbers_are() {
    for (m, k, n) in [(1, 1, 1), (5, 3, 7), (6, 4, 16), (13, 5, 33), (14, 270, 64), (31, 300, 100), (3, 129, 130)] {
        let (a, b, before) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3));
        let mut expected = before.clone();
        for (i, row) in expected.chunks_exact_mut(n).enumerate() {
            for l in 0..k {
                let right = &b[l * n..(l + 1) * n];
                row.iter_mut().zip(right).for_each(|(sum, right)| *sum = a[i * k + l].mul_add(*right, *sum));
            }
        }
        // Rows and columns apart, and not evenly.
        let (rows, depths) = (ascending((0..m).map(|i| i * i + 2 * k * i)), ascending((0..k).map(|l| l + l / 3)));
        let outs = ascending((0..m).map(|i| i * (n + 2) + i / 2));
        let mut apart = vec![f32::NAN; rows.places()[m - 1] + depths.places()[k - 1] + 1];
        let mut tiles = vec![f32::NAN; m.next_multiple_of(TILE) * k];
        for (at, &number) in a.iter().enumerate() {
            let (i, l) = (at / k, at % k);
            apart[rows.places()[i] + depths.places()[l]] = number;
            tiles[(i / TILE * k + l) * TILE + i % TILE] = number;
        }
        let mut wide = vec![f32::NAN; k * (n + 5)];
        wide.chunks_exact_mut(n + 5).zip(b.chunks_exact(n)).for_each(|(to, row)| to[..n].copy_from_slice(row));
        let width = panel_width();
        let panels = (0..n).step_by(width).flat_map(|first| {
            let columns = first..(first + width).min(n);
            b.chunks_exact(n).flat_map(move |row| row[columns.clone()].to_vec())
        });
        let panels: Vec<f32> = panels.collect();
        for right in [Right::Rows(&wide, n + 5), Right::Panels(&panels, width), Right::Panels(&b, n)] {
            let mut out = vec![f32::NAN; outs.places()[m - 1] + n];
            for (at, row) in outs.places().iter().zip(before.chunks_exact(n)) {
                out[*at..at + n].copy_from_slice(row);
            }
            let left = Left { numbers: &apart, rows: At(&rows), depths: At(&depths) };
            product((&mut out, At(&outs)), Start::Output, left, right, [m, k, n]);
            let found: Vec<f32> = outs.places().iter().flat_map(|at| out[*at..at + n].to_vec()).collect();
            assert_eq!(bits(&found), bits(&expected), "{m} x {k} x {n}");
            // What is between the rows is left alone.
            assert_eq!(out.iter().filter(|x| x.is_nan()).count(), out.len() - m * n, "{m} x {k} x {n}");
            for of_tiles in [false, true] {
                let mut out = before.clone();
                let to = (&mut out[..], Every(n));
                if of_tiles {
                    let left = Left { numbers: &tiles, rows: Tiles(k), depths: Every(TILE) };
                    product(to, Start::Output, left, right, [m, k, n]);
                } else {
                    let left = Left { numbers: &a, rows: Every(k), depths: Next };
                    product(to, Start::Output, left, right, [m, k, n]);
                }
                assert_eq!(bits(&out), bits(&expected), "{m} x {k} x {n}, {of_tiles}");
            }
        }
    }
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

#[test]
#[should_panic(expected = "the left factor")]
fn what_lies_past_the_end_is_refused() {
    let places = ascending([0, 4].into_iter());
    let left = Left { numbers: &[0.0; 5], rows: At(&places), depths: Next };
    product((&mut [0.0; 4], Every(2)), Start::Zero, left, Right::Rows(&[0.0; 4], 2), [2, 2, 2]);
}
