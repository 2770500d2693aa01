//! Windows that slide over images, rows of channels at a time: what lies under them, and the way back.

use std::ops::Range;

use super::vector::vectorised;

/// Square windows over images of `height` x `width` x `channels` numbers, channels last, with a border of `padding` pixels of
/// nothing around each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) side: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

impl Windows {
    /// Rows of windows.
    pub(crate) fn rows(&self) -> usize {
        (self.height + 2 * self.padding - self.side) / self.stride + 1
    }

    /// Windows of a row.
    pub(crate) fn columns(&self) -> usize {
        (self.width + 2 * self.padding - self.side) / self.stride + 1
    }

    /// Windows over an image.
    pub(crate) fn count(&self) -> usize {
        self.rows() * self.columns()
    }

    /// Numbers of an image.
    pub(crate) fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Numbers under a window.
    pub(crate) fn len(&self) -> usize {
        self.side * self.side * self.channels
    }

    /// The same over images that have their border.
    pub(super) fn with_border(&self) -> Self {
        let border = 2 * self.padding;
        Self { height: self.height + border, width: self.width + border, padding: 0, ..*self }
    }

    /// A batch of images within their border; those themselves where there is none.
    pub(super) fn bordered<'a>(&self, x: &'a [f32], to: &'a mut Vec<f32>) -> &'a [f32] {
        if self.padding == 0 {
            return x;
        }
        to.clear();
        to.resize(x.len() / self.image() * self.with_border().image(), 0.0);
        let row = self.width * self.channels;
        for (from, at) in x.chunks_exact(row).zip(self.rows_within(x.len())) {
            to[at..at + row].copy_from_slice(from);
        }
        to
    }

    /// The way back: replaces `to` by what is within the border.
    pub(super) fn without_border(&self, bordered: &[f32], to: &mut Vec<f32>) {
        to.resize(bordered.len() / self.with_border().image() * self.image(), 0.0);
        let row = self.width * self.channels;
        let places = self.rows_within(to.len());
        to.chunks_exact_mut(row).zip(places).for_each(|(to, at)| to.copy_from_slice(&bordered[at..at + row]));
    }

    /// Where the rows of a batch of images of so many numbers begin within their border.
    fn rows_within(&self, numbers: usize) -> impl Iterator<Item = usize> + use<> {
        let (windows, all) = (*self, self.with_border());
        (0..numbers / (self.width * self.channels)).map(move |row| {
            let (image, row) = (row / windows.height, row % windows.height);
            image * all.image() + ((row + windows.padding) * all.width + windows.padding) * windows.channels
        })
    }

    /// Where window `i` over a batch of images without a border begins.
    pub(super) fn corner(&self, i: usize) -> usize {
        let (image, top, left) = self.corner_of(i);
        image + self.at(top, left, 0, 0)
    }

    /// Where the numbers under a window are, from where it begins.
    pub(super) fn under(&self) -> impl Iterator<Item = usize> + use<> {
        let (row, apart) = (self.side * self.channels, self.width * self.channels);
        (0..self.side).flat_map(move |r| r * apart..r * apart + row)
    }

    /// Where window `i` over a batch of images lies: where its image begins among all numbers, and its first row and column,
    /// which are above or left of the image in the border.
    fn corner_of(&self, i: usize) -> (usize, isize, isize) {
        let (image, place) = (i / self.count(), i % self.count());
        let (row, column) = (place / self.columns(), place % self.columns());
        let first = |i: usize| (i * self.stride) as isize - self.padding as isize;
        (image * self.image(), first(row), first(column))
    }

    /// The part of a window from `first` on that lies within `0..len`, counted from `first`.
    fn within(&self, first: isize, len: usize) -> Range<usize> {
        let from = (-first).max(0) as usize;
        let until = (len as isize - first).clamp(0, self.side as isize) as usize;
        from.min(until)..until
    }

    /// Where in its image the pixel in a row and a column of a window stands, if it lies within.
    fn at(&self, top: isize, left: isize, row: usize, column: usize) -> usize {
        let (y, x) = ((top + row as isize) as usize, (left + column as isize) as usize);
        (y * self.width + x) * self.channels
    }

    /// Replaces `out` by the largest number of each channel under each window over a batch of images, `[windows, channels]`, and
    /// `chosen` by which pixel of the window has it, the first of several.
    pub(super) fn largest(&self, x: &[f32], out: &mut [f32], chosen: &mut [u8]) {
        let c = self.channels;
        vectorised(
            #[inline(always)]
            move || {
                let outs = out.chunks_exact_mut(c).zip(chosen.chunks_exact_mut(c));
                for (window, (out, chosen)) in outs.enumerate() {
                    out.fill(f32::NEG_INFINITY);
                    chosen.fill(0);
                    self.pixels(window, |pixel, at| {
                        let pixels = out.iter_mut().zip(&mut *chosen).zip(&x[at..at + c]);
                        for ((most, chosen), &x) in pixels {
                            let larger = x > *most;
                            *most = if larger { x } else { *most };
                            *chosen = if larger { pixel } else { *chosen };
                        }
                    });
                }
            },
        );
    }

    /// The way back: replaces `x` by the sums of `delta` over the windows in which each number was the largest.
    pub(super) fn give_back(&self, delta: &[f32], chosen: &[u8], batch: usize, x: &mut Vec<f32>) {
        let c = self.channels;
        x.clear();
        x.resize(batch * self.image(), 0.0);
        vectorised(
            #[inline(always)]
            move || {
                let deltas = delta.chunks_exact(c).zip(chosen.chunks_exact(c));
                for (window, (delta, chosen)) in deltas.enumerate() {
                    self.pixels(window, |pixel, at| {
                        for ((x, &delta), &chosen) in x[at..at + c].iter_mut().zip(delta).zip(chosen) {
                            *x += if chosen == pixel { delta } else { 0.0 };
                        }
                    });
                }
            },
        );
    }

    /// Goes through the pixels of a window that lie within its image: the number of each in the window, and where its channels
    /// begin.
    #[inline(always)]
    fn pixels(&self, window: usize, mut each: impl FnMut(u8, usize)) {
        let (image, top, left) = self.corner_of(window);
        for row in self.within(top, self.height) {
            for column in self.within(left, self.width) {
                each((row * self.side + column) as u8, image + self.at(top, left, row, column));
            }
        }
    }
}

#[cfg(test)]
mod tests;
