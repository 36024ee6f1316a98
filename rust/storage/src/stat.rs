// SPDX-License-Identifier: Apache-2.0
//! Figures.

use crate::store::Store;
use crate::{Flash, StoreError};

/// The space in use and the wear of a store. Blocks are erase blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// Bytes of an erase block.
    pub erase_block: u32,
    /// Blocks for images.
    pub blocks: u32,
    /// Free ones among them.
    pub free: u32,
    /// Blocks in the largest hole: what the next image can have at most.
    pub largest: u32,
    /// Erases of the least and of the most worn block for images.
    pub wear: (u32, u32),
    /// Erases of the most worn block of the journal.
    pub journal_wear: u32,
    /// Bytes of the journal that are used, and that it has. Each of its two copies takes as many.
    pub journal: (u32, u32),
}

impl<F: Flash> Store<'_, F> {
    /// Returns the app storage's figures.
    ///
    /// # Errors
    /// [`StoreError::Flash`].
    pub fn stat(&mut self) -> Result<Stat, StoreError> {
        let used = self.used()?;
        let (journal, data) = self.wear.split_at_checked(self.layout.first_data as usize).unwrap_or_default();
        Ok(Stat {
            erase_block: self.layout.geometry.erase_block,
            blocks: self.layout.blocks - self.layout.first_data,
            free: used.holes().map(|(first, end)| end - first).sum(),
            largest: used.holes().map(|(first, end)| end - first).max().unwrap_or(0),
            wear: (data.iter().copied().min().unwrap_or(0), data.iter().copied().max().unwrap_or(0)),
            journal_wear: journal.iter().copied().max().unwrap_or(0),
            journal: (self.tail, self.layout.log_end()),
        })
    }
}
