// SPDX-License-Identifier: Apache-2.0
//! Data segments of the image: neighbours of the module become one where nobody can tell.
//!
//! An entry of the image takes 16 bytes, so that a gap of up to as many zeros is shorter than a second entry.
//! Compilers that leave zeros out write tens of thousands of segments; wider gaps are filled only where there
//! would be more segments than the image can hold.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use wasmparser::Data;
use wisp_image::format::{entry, segment};

use crate::error::{CompileError, ErrorKind};
use crate::module::Module;

/// Segments of the image, at most: a word of the code names one.
const SEGMENTS_MAX: usize = 65_535;
/// Zeros between two segments that are filled in, at most, in a module of too many.
const GAP_MAX: u64 = 1 << 16;

/// A segment of the image.
pub struct Run {
    /// One of [`segment`].
    pub mode: u8,
    /// Constant offset of an active segment.
    pub offset: u32,
    /// Index of its first segment in the module. Those that follow it are part of it.
    first: usize,
    /// Number of the module's segments that it consists of.
    count: usize,
    /// Bytes.
    pub length: u32,
}

/// Mode and offset of a segment of the module.
pub struct Wanted {
    /// One of [`segment`].
    pub mode: u8,
    /// Constant offset of an active segment.
    pub offset: u32,
}

/// Makes the segments of the image.
///
/// # Errors
/// More than [`SEGMENTS_MAX`] remain.
pub fn plan(module: &Module<'_>, wanted: &[Wanted]) -> Result<Vec<Run>, CompileError> {
    // what the code names keeps its number; writes to an imported memory are seen even if a later one traps
    let own = module.memory.filter(|memory| !memory.imported && !module.names_data);
    let size = own.map(|memory| u64::from(memory.min) << memory.page_size_log2);
    let mut gap = entry::DATA as u64;
    loop {
        let runs = join(module, wanted, size, gap);
        if runs.len() <= SEGMENTS_MAX {
            return Ok(runs);
        }
        if size.is_none() || gap >= GAP_MAX {
            return Err(ErrorKind::TooMany {
                what: "data segments",
                count: runs.len() as u64,
                limit: SEGMENTS_MAX as u64,
                remedy: "join neighbours: link without `--no-merge-data-segments`, or optimise the module with \
                         `wasm-opt --limit-segments`",
            }
            .into());
        }
        gap *= 4;
    }
}

/// Joins active segments of a memory of this many bytes over gaps up to this one. Without a size, none is joined.
fn join(module: &Module<'_>, wanted: &[Wanted], size: Option<u64>, gap: u64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    // what is not among the bytes written so far is zero
    let mut written = Ranges::default();
    for (index, (wanted, data)) in wanted.iter().zip(&module.data).enumerate() {
        let (start, length) = (u64::from(wanted.offset), data.data.len() as u64);
        let end = start + length;
        let active = wanted.mode == segment::ACTIVE;
        if let Some(last) = runs.last_mut() {
            let last_end = u64::from(last.offset) + u64::from(last.length);
            let near = start >= last_end && start - last_end <= gap;
            if active
                && last.mode == segment::ACTIVE
                && size.is_some_and(|size| end <= size)
                && near
                && !written.meets(last_end, start)
            {
                last.count += 1;
                last.length = (end - u64::from(last.offset)) as u32;
                written.insert(last_end, end);
                continue;
            }
        }
        if active {
            written.insert(start, end);
        }
        runs.push(Run { mode: wanted.mode, offset: wanted.offset, first: index, count: 1, length: length as u32 });
    }
    runs
}

/// Ranges of bytes that do not touch each other: the end of each, by its start.
#[derive(Default)]
struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Returns true if one of the ranges has a byte from `start` up to and without `end`.
    fn meets(&self, start: u64, end: u64) -> bool {
        start < end && self.0.range(..end).next_back().is_some_and(|(_, &last)| last > start)
    }

    fn insert(&mut self, mut start: u64, mut end: u64) {
        while let Some((&first, &last)) = self.0.range(..=end).next_back().filter(|&(_, &last)| last >= start) {
            self.0.remove(&first);
            (start, end) = (start.min(first), end.max(last));
        }
        if start < end {
            self.0.insert(start, end);
        }
    }
}

impl Run {
    /// Appends its bytes.
    pub fn append(&self, data: &[Data<'_>], wanted: &[Wanted], out: &mut Vec<u8>) {
        let start = out.len();
        for index in self.first..self.first + self.count {
            if self.count > 1 {
                out.resize(start + (wanted[index].offset - self.offset) as usize, 0);
            }
            out.extend(data[index].data);
        }
    }
}
