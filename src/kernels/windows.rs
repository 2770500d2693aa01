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

    /// Where window `i` over a batch of images lies: where its image begins among all numbers, and its first row and column,
    /// which are above or left of the image in the border.
    fn corner(&self, i: usize) -> (usize, isize, isize) {
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

    /// Replaces `to` by what lies under these windows over a batch of images, `[windows, side·side·channels]`, 0 in the border.
    pub(super) fn gather(&self, x: &[f32], windows: Range<usize>, to: &mut Vec<f32>) {
        let (c, row) = (self.channels, self.side * self.channels);
        to.resize(windows.len() * self.len(), 0.0);
        for (window, to) in windows.zip(to.chunks_exact_mut(self.len())) {
            let (image, top, left) = self.corner(window);
            let (rows, columns) = (self.within(top, self.height), self.within(left, self.width));
            if rows.len().min(columns.len()) < self.side {
                to.fill(0.0);
            }
            for (r, to) in to.chunks_exact_mut(row).enumerate().take(rows.end).skip(rows.start) {
                let from = image + self.at(top, left, r, columns.start);
                to[columns.start * c..columns.end * c].copy_from_slice(&x[from..from + columns.len() * c]);
            }
        }
    }

    /// The way back: adds to each number of a batch of images, `x`, those of `from` that are of the windows over it.
    pub(super) fn scatter(&self, from: &[f32], windows: Range<usize>, x: &mut [f32]) {
        let (c, row) = (self.channels, self.side * self.channels);
        vectorised(
            #[inline(always)]
            move || {
                for (window, from) in windows.zip(from.chunks_exact(self.len())) {
                    let (image, top, left) = self.corner(window);
                    let (rows, columns) = (self.within(top, self.height), self.within(left, self.width));
                    for (r, from) in from.chunks_exact(row).enumerate().take(rows.end).skip(rows.start) {
                        let to = image + self.at(top, left, r, columns.start);
                        let from = &from[columns.start * c..columns.end * c];
                        x[to..to + from.len()].iter_mut().zip(from).for_each(|(x, from)| *x += from);
                    }
                }
            },
        );
    }

    /// Where in its image the pixel in a row and a column of a window stands, if it lies within.
    fn at(&self, top: isize, left: isize, row: usize, column: usize) -> usize {
        let (y, x) = ((top + row as isize) as usize, (left + column as isize) as usize);
        (y * self.width + x) * self.channels
    }

    /// Replaces `out` by the largest number of each channel under each window, `[windows, channels]`, and `chosen` by which
    /// pixel of the window has it, the first of several.
    pub(super) fn largest(&self, x: &[f32], batch: usize, out: &mut Vec<f32>, chosen: &mut Vec<u8>) {
        let (c, count) = (self.channels, batch * self.count());
        out.resize(count * c, 0.0);
        chosen.resize(count * c, 0);
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
        let (image, top, left) = self.corner(window);
        for row in self.within(top, self.height) {
            for column in self.within(left, self.width) {
                each((row * self.side + column) as u8, image + self.at(top, left, row, column));
            }
        }
    }
}
