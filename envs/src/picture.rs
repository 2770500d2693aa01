//! A picture that an environment has painted itself.

use std::fmt;
use std::sync::Arc;

use crate::{Colour, EnvError};

/// Pixels in red, green and blue, for [`Shape::Picture`](crate::Shape::Picture). Copies share them.
#[derive(Clone, PartialEq)]
pub struct Picture {
    width: usize,
    height: usize,
    /// Row by row from the top left, `[height, width, 3]`.
    rgb: Arc<[u8]>,
}

/// A part of a row or a column, from one place to another; a pixel is as long as 1.
pub type Stretch = (f32, f32);

impl Picture {
    /// Pixels that a side has at most: a larger picture is made smaller, as [`Picture::within`] does it.
    pub const MAX_SIDE: usize = 600;

    /// The picture of these bytes, `[height, width, 3]`.
    ///
    /// # Errors
    /// [`EnvError::Option`] for a side that is not 1 to 16,384, [`EnvError::Length`] for bytes that are not three a pixel.
    pub fn new(width: usize, height: usize, rgb: impl Into<Arc<[u8]>>) -> Result<Self, EnvError> {
        for (name, side) in [("the picture's width", width), ("the picture's height", height)] {
            if !(1..=16_384).contains(&side) {
                let expected = "a picture has 1 to 16384 pixels a side";
                return Err(EnvError::Option { name, value: side.to_string(), expected });
            }
        }
        let rgb = rgb.into();
        EnvError::check_len("the picture, 3 bytes a pixel,", 3 * width * height, rgb.len())?;
        Ok(Self { width, height, rgb }.within(Self::MAX_SIDE))
    }

    /// Pixels from left to right.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Its bytes, `[height, width, 3]`.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The same picture with sides of at most so many pixels, in its shape up to rounding; each pixel is the mean of what it covers.
    #[must_use]
    pub fn within(&self, side: usize) -> Self {
        let (longest, side) = (self.width.max(self.height), side.max(1));
        if longest <= side {
            return self.clone();
        }
        let fit = |length: usize| ((length * side + longest / 2) / longest).max(1);
        let (width, height) = (fit(self.width), fit(self.height));
        let parts = |length: usize, into: usize| -> Vec<Stretch> {
            let place = |i: usize| (i * length) as f32 / into as f32;
            (0..into).map(|i| (place(i), place(i + 1))).collect()
        };
        let pixels = self.means(&parts(self.width, width), &parts(self.height, height));
        let rgb = pixels.into_iter().flat_map(|Colour(red, green, blue)| [red, green, blue]).collect();
        Self { width, height, rgb }
    }

    /// The mean colour of each rectangle between stretches of columns, `across`, and of rows, `down`: `[down, across]`. What of a
    /// stretch is outside of the picture is not counted, or the nearest pixel is taken where all of it is.
    #[must_use]
    pub fn means(&self, across: &[Stretch], down: &[Stretch]) -> Vec<Colour> {
        let weights = |stretches: &[Stretch], length: usize| -> Vec<Weights> {
            stretches.iter().map(|&stretch| Weights::of(stretch, length)).collect()
        };
        let (across, down) = (weights(across, self.width), weights(down, self.height));
        let mut pixels = Vec::with_capacity(across.len() * down.len());
        let mut column = vec![[0.0f32; 3]; self.width];
        for rows in &down {
            // The mean of the rows first, over all columns.
            column.fill([0.0; 3]);
            for (row, weight) in rows.places() {
                let bytes = &self.rgb[3 * row * self.width..3 * (row + 1) * self.width];
                for (sum, pixel) in column.iter_mut().zip(bytes.as_chunks::<3>().0) {
                    for (sum, &byte) in sum.iter_mut().zip(pixel) {
                        *sum += weight * f32::from(byte);
                    }
                }
            }
            pixels.extend(across.iter().map(|columns| {
                let mut mean = [0.0f32; 3];
                for (at, weight) in columns.places() {
                    for (mean, x) in mean.iter_mut().zip(column[at]) {
                        *mean += weight * x;
                    }
                }
                let [red, green, blue] = mean.map(|x| x.round() as u8);
                Colour(red, green, blue)
            }));
        }
        pixels
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture {{ {} x {} }}", self.width, self.height)
    }
}

/// Which pixels a stretch covers, and what of it each is.
struct Weights {
    first: usize,
    shares: Vec<f32>,
}

impl Weights {
    fn of((from, to): Stretch, length: usize) -> Self {
        let end = length as f32;
        let (from, to) = (from.clamp(0.0, end), to.clamp(0.0, end));
        let first = (from as usize).min(length - 1);
        let last = (to.ceil() as usize).clamp(first + 1, length);
        let covered = |i: usize| (to.min((i + 1) as f32) - from.max(i as f32)).max(0.0);
        let mut shares: Vec<f32> = (first..last).map(covered).collect();
        let all: f32 = shares.iter().sum();
        match all > 0.0 {
            true => shares.iter_mut().for_each(|share| *share /= all),
            false => shares = vec![1.0],
        }
        Self { first, shares }
    }

    fn places(&self) -> impl Iterator<Item = (usize, f32)> + '_ {
        self.shares.iter().enumerate().map(|(i, &share)| (self.first + i, share))
    }
}

#[cfg(test)]
mod tests {
    use super::Picture;
    use crate::{Colour, EnvError};

    #[test]
    fn a_picture_has_three_bytes_a_pixel_and_a_size() {
        let error = Picture::new(2, 2, vec![0; 11]).expect_err("too few");
        assert!(matches!(error, EnvError::Length { expected: 12, got: 11, .. }), "{error}");
        for (width, height) in [(0, 2), (2, 0), (20_000, 1)] {
            let error = Picture::new(width, height, vec![0; 3 * width * height]).expect_err("no size").to_string();
            assert!(error.contains("1 to 16384 pixels a side"), "{error}");
        }
        let small = Picture::new(2, 1, vec![1, 2, 3, 4, 5, 6]).expect("a picture");
        assert_eq!((small.width(), small.height(), small.rgb()), (2, 1, &[1, 2, 3, 4, 5, 6][..]));
    }

    #[test]
    fn a_large_picture_is_averaged() {
        // Columns of black and white, two and two: 1200 become 600.
        let row = (0..1200).flat_map(|x| [if x % 4 < 2 { 0 } else { 240 }; 3]);
        let large = Picture::new(1200, 3, row.cycle().take(3 * 3600).collect::<Vec<u8>>()).expect("a picture");
        assert_eq!((large.width(), large.height()), (600, 2));
        assert!(large.rgb().chunks(6).all(|pair| pair == [0, 0, 0, 240, 240, 240]));
        // Five pixels become two: half of the middle one is in each.
        let five = Picture::new(5, 1, [10, 20, 90, 40, 50].iter().flat_map(|&x| [x; 3]).collect::<Vec<u8>>());
        let two = five.expect("a picture").within(2);
        assert_eq!(two.rgb(), [30, 30, 30, 54, 54, 54]);
    }

    #[test]
    fn means_are_of_what_is_inside() {
        let two = Picture::new(2, 1, vec![0, 0, 0, 200, 100, 50]).expect("a picture");
        let black_to_bright = two.means(&[(-3.0, 0.5), (0.5, 1.5), (1.0, 9.0), (5.0, 9.0)], &[(0.0, 1.0)]);
        let (half, full) = (Colour(100, 50, 25), Colour(200, 100, 50));
        assert_eq!(black_to_bright, [Colour(0, 0, 0), half, full, full]);
    }
}
