// SPDX-License-Identifier: Apache-2.0
//! Where images go.

use crate::layout::MAX_APPS;
use crate::store::Store;
use crate::{Flash, StoreError};

/// Ranges of blocks in use, (first, end), in ascending order.
pub(crate) struct Used {
    ranges: [(u32, u32); 2 * MAX_APPS + 2],
    count: usize,
}

impl Used {
    fn add(&mut self, first: u32, blocks: u32) {
        if let Some(place) = self.ranges.get_mut(self.count) {
            *place = (first, first + blocks);
            self.count += 1;
        }
    }

    /// Returns the holes between the ranges: (first, end).
    pub(crate) fn holes(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut free = 0;
        self.ranges.iter().take(self.count).filter_map(move |(first, end)| {
            let hole = (free, *first);
            free = free.max(*end);
            (hole.0 < hole.1).then_some(hole)
        })
    }
}

impl<F: Flash> Store<'_, F> {
    pub(crate) fn used(&mut self) -> Result<Used, StoreError> {
        let mut used = Used { ranges: [(0, 0); 2 * MAX_APPS + 2], count: 0 };
        used.add(0, self.layout.first_data);
        for slot in self.slots() {
            let app = self.app(slot)?;
            for image in [app.running, app.candidate].into_iter().flatten() {
                used.add(u32::from(image.first), u32::from(image.blocks));
            }
        }
        if let Some(incoming) = &self.incoming {
            used.add(u32::from(incoming.first), u32::from(incoming.blocks));
        }
        if let Some(ranges) = used.ranges.get_mut(..used.count) {
            ranges.sort_unstable();
        }
        // the end of the partition closes the last hole; there is a place for it: one upload and two images
        // of all apps but one that is being updated
        used.add(self.layout.blocks, 0);
        Ok(used)
    }

    /// Returns the first block of a free range. Of the two ends of each hole that is large enough, the one whose most
    /// worn block is least worn: this spreads erases, and leaves holes in one piece.
    pub(crate) fn find_space(&mut self, blocks: u32) -> Result<u32, StoreError> {
        let used = self.used()?;
        let mut best: Option<(u32, u32)> = None;
        let mut largest = 0;
        for (first, end) in used.holes() {
            largest = largest.max(end - first);
            if end - first < blocks {
                continue;
            }
            for start in [first, end - blocks] {
                let worn = self.wear.get(start as usize..(start + blocks) as usize).unwrap_or_default();
                let worst = worn.iter().copied().max().unwrap_or(0);
                if best.is_none_or(|(least, _)| worst < least) {
                    best = Some((worst, start));
                }
            }
        }
        best.map(|(_, start)| start).ok_or(StoreError::NoSpace(blocks, largest))
    }
}
