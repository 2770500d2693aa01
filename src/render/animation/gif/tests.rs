use std::collections::BTreeSet;

use super::{Changed, Palette, cut, packed};
use uphill_envs::Colour;

#[test]
fn a_palette_is_exact_until_it_must_not_be_and_then_keeps_the_shapes_colours() {
    let greys: BTreeSet<u32> = (0..=255).map(|grey| packed(Colour(grey, grey, grey))).collect();
    let exact = Palette::new(&greys, &BTreeSet::new());
    let expected: Vec<u8> = (0..=255).flat_map(|grey| [grey; 3]).collect();
    assert_eq!(exact.bytes, expected);

    let own = Colour(1, 2, 3);
    let many: BTreeSet<u32> =
        (0..5000).map(|i: u32| i * 3001).chain([packed(own), packed(Colour(255, 255, 255))]).collect();
    let palette = Palette::new(&many, &BTreeSet::from([packed(own)]));
    assert!(palette.bytes.len() <= 768, "{}", palette.bytes.len());
    for colour in [own, Colour(255, 255, 255)] {
        let at = usize::from(palette.index(colour)) * 3;
        assert_eq!(palette.bytes[at..at + 3], [colour.0, colour.1, colour.2]);
    }
    // Rounding to the bits that fit moves no channel by more than half a level of the coarsest, 85 / 2.
    for &colour in &many {
        let [_, red, green, blue] = colour.to_be_bytes();
        let at = usize::from(palette.index(Colour(red, green, blue))) * 3;
        for (exact, stands) in [red, green, blue].into_iter().zip(&palette.bytes[at..at + 3]) {
            assert!(exact.abs_diff(*stands) <= 43);
        }
    }
}

#[test]
fn what_changed_is_the_smallest_rectangle() {
    let before = [0; 12];
    let mut now = before;
    assert_eq!(Changed::between(&before, &now, 4), Changed { left: 0, top: 0, width: 1, height: 1 });
    assert_eq!(Changed::between(&[], &now, 4), Changed { left: 0, top: 0, width: 4, height: 3 });
    now[2] = 7;
    now[5] = 8;
    let changed = Changed::between(&before, &now, 4);
    assert_eq!(changed, Changed { left: 1, top: 0, width: 2, height: 2 });
    assert_eq!(cut(changed, &before, &now, 4, None), [0, 7, 8, 0]);
    assert_eq!(cut(changed, &before, &now, 4, Some(9)), [9, 7, 8, 9]);
}
