// SPDX-License-Identifier: Apache-2.0
//! Whether a native section belongs to its image, whatever machine it is for.

use super::{header, Native, Refusal, NONE};
use crate::format::Section;
use crate::Image;

/// Compares two hashes, a word at a time.
fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let word = |hash: &[u8; 32], at: usize| u32::from_le_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]);
    (0..32).step_by(4).all(|at| word(one, at) == word(other, at))
}

impl Native<'_> {
    /// Checks that the section was made from the image's module, for as many functions and as much memory.
    ///
    /// # Errors
    /// The section belongs to another image.
    pub fn fits(&self, image: &Image<'_>) -> Result<(), Refusal> {
        let damaged = |_| Refusal::Damaged(0);
        if !same(self.wasm_hash(), image.wasm_hash().map_err(damaged)?) {
            return Err(Refusal::Hash);
        }
        if self.function_count() as usize != image.function_count() {
            return Err(Refusal::Functions(self.function_count(), image.function_count() as u32));
        }
        let stated = image.memory().map_err(damaged)?.map_or(0, |memory| match memory.imported {
            true => (u64::from(memory.min) << memory.page_size_log2) as u32,
            false => memory.backed,
        });
        if self.memory() != stated {
            return Err(Refusal::Memory(self.memory(), stated));
        }
        Ok(())
    }

    /// Checks that each entry of the section's tables refers to something that exists. What the code itself does
    /// cannot be checked.
    ///
    /// # Errors
    /// [`Refusal::Damaged`] with the header's field that names the table.
    pub fn entries(&self, image: &Image<'_>) -> Result<(), Refusal> {
        let inside = |offset: u32| offset == NONE || (offset & !1) < self.code().len() as u32;
        let damaged = Refusal::Damaged(header::FUNCTIONS as u16);
        for index in 0..self.function_count() {
            let function = self.function(index).ok_or(damaged)?;
            // no table sees the type of a function without an address
            let known = function.ty == u16::MAX || usize::from(function.ty) < image.type_count();
            if !known || !inside(function.entry) || !inside(function.thunk) {
                return Err(damaged);
            }
        }
        let mut imports = (0..self.import_count()).filter_map(|index| self.import(index as usize));
        imports.try_for_each(|offset| match inside(offset) {
            true => Ok(()),
            false => Err(Refusal::Damaged(header::IMPORTS as u16)),
        })
    }

    /// Returns the number of imported functions that the section has an entry for.
    fn import_count(&self) -> u32 {
        self.word(header::IMPORTS + 4)
    }
}

impl<'a> Image<'a> {
    /// Returns kind and bytes of each native section: those of the content, then those of the attachment.
    pub fn native_sections(&self) -> impl Iterator<Item = (u16, &'a [u8])> + 'a {
        let attached = self.attachment().into_iter().flat_map(|attachment| attachment.sections());
        self.sections_from(Section::NATIVE).chain(attached)
    }

    /// Returns true if the image has functions, and no IR for them: it runs only where one of its native sections
    /// does.
    pub fn is_native_only(&self) -> bool {
        self.function_count() != 0 && self.section(Section::Code).is_empty()
    }
}
