//! What a frame has to say over the one before.

/// The smallest rectangle that holds every pixel in which two frames differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Changed {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Changed {
    /// Frames are rows of `width` pixels. Where nothing changed it is one pixel, since a frame cannot be empty; where
    /// there was no frame before it is everything.
    pub(super) fn between<P: PartialEq>(before: &[P], now: &[P], width: usize) -> Changed {
        if before.len() != now.len() {
            return Changed { left: 0, top: 0, width, height: now.len() / width };
        }
        let rows = before.chunks(width).zip(now.chunks(width)).enumerate().filter(|(_, (before, now))| before != now);
        let mut changed: Option<Changed> = None;
        let mut right = 0;
        for (row, (before, now)) in rows {
            let differs = |column: &usize| before[*column] != now[*column];
            let (Some(first), Some(last)) = ((0..width).find(differs), (0..width).rev().find(differs)) else {
                continue;
            };
            right = right.max(last);
            let (left, top) = changed.map_or((first, row), |so_far| (so_far.left.min(first), so_far.top));
            changed = Some(Changed { left, top, width: right - left + 1, height: row - top + 1 });
        }
        changed.unwrap_or(Changed { left: 0, top: 0, width: 1, height: 1 })
    }

    /// The places of its pixels, row by row.
    pub(super) fn places(self, width: usize) -> impl Iterator<Item = usize> {
        (self.top..self.top + self.height).flat_map(move |row| {
            let first = row * width + self.left;
            first..first + self.width
        })
    }
}
