use super::Windows;

fn numbers(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * i + seed) % 7) as f32 - 3.0).collect()
}

/// Every kind of border, rest and overlap.
fn all() -> impl Iterator<Item = Windows> {
    let sizes = [(1, 1, 1), (2, 3, 1), (4, 3, 2), (5, 6, 3)].into_iter();
    let kinds = || (1..4).flat_map(|side| (1..4).flat_map(move |stride| (0..side).map(move |p| (side, stride, p))));
    let of = move |(height, width, channels)| {
        kinds().map(move |(side, stride, padding)| Windows { height, width, channels, side, stride, padding })
    };
    sizes.flat_map(of).filter(|w| w.height.min(w.width) + 2 * w.padding >= w.side)
}

#[test]
fn what_lies_under_windows_is_found_within_the_border_and_given_back_without_it() {
    for windows in all() {
        let (x, all, mut room) = (numbers(2 * windows.image(), 1), windows.with_border(), Vec::new());
        let bordered = windows.bordered(&x, &mut room).to_vec();
        for window in 0..2 * windows.count() {
            let (image, top, left) = windows.corner_of(window);
            for (i, under) in all.under().enumerate() {
                let (pixel, channel) = (i / windows.channels, i % windows.channels);
                let (y, x_) = (top + (pixel / windows.side) as isize, left + (pixel % windows.side) as isize);
                let is_in = (0..windows.height as isize).contains(&y) && (0..windows.width as isize).contains(&x_);
                let place = || image + (y as usize * windows.width + x_ as usize) * windows.channels + channel;
                let (got, expected) = (bordered[all.corner(window) + under], if is_in { x[place()] } else { 0.0 });
                assert_eq!(got, expected, "{windows:?}, window {window}, {i}");
            }
        }
        let mut back = Vec::new();
        if windows.padding > 0 {
            windows.without_border(&bordered, &mut back);
            assert_eq!(back, x, "{windows:?}");
        }
    }
}

#[test]
fn the_largest_of_a_window_is_the_first_of_several_and_takes_all_that_is_given_back() {
    for windows in all() {
        let (x, count, c) = (numbers(2 * windows.image(), 3), 2 * windows.count(), windows.channels);
        let (mut most, mut chosen, mut room, mut back) =
            (vec![0.0; count * c], vec![0; count * c], Vec::new(), Vec::new());
        windows.largest(&x, &mut most, &mut chosen);
        // Below all numbers in the border.
        let low: Vec<f32> = x.iter().map(|x| x + 100.0).collect();
        let (all, low) = (windows.with_border(), windows.bordered(&low, &mut room));
        for (i, (most, chosen)) in most.iter().zip(&chosen).enumerate() {
            let pixels = all.under().skip(i % c).step_by(c).map(|under| low[all.corner(i / c) + under]);
            let first = pixels.enumerate().fold((0, 0.0), |at, (p, x)| if x > at.1 { (p, x) } else { at });
            assert_eq!((usize::from(*chosen), most + 100.0), first, "{windows:?}");
        }
        windows.give_back(&vec![1.0; count * c], &chosen, 2, &mut back);
        assert_eq!(back.iter().sum::<f32>(), (count * c) as f32, "{windows:?}");
    }
}
