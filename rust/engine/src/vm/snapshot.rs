// SPDX-License-Identifier: Apache-2.0
//! Copies of everything that a guest can change, to go back to.

use alloc::boxed::Box;
use core::cell::Cell;

use super::context::Ctx;
use super::memory::LinearMemory;
use super::table::TableRecord;

/// State of an instance that is held in front of an op, with the frames of the run that is under way.
///
/// References that the host gave to the instance are not in it. They only become more, so that an instance that is put back
/// may use each that it could use then.
pub struct Snapshot {
    /// Address of the instance.
    instance: usize,
    /// Byte offset of the op in the code section.
    offset: u32,
    /// Bytes from the innermost frame to the end of the frame stack.
    below: usize,
    /// The whole frame stack.
    frames: Box<[u8]>,
    /// Pages and bytes of linear memory.
    memory: Option<(u32, Box<[u8]>)>,
    globals: Box<[u32]>,
    tables: Box<[Box<[u32]>]>,
    dropped: Box<[u32]>,
    /// Units of fuel beyond those in hand, and those in hand.
    fuel: (u64, i32),
}

fn values(cells: &[Cell<u32>]) -> Box<[u32]> {
    cells.iter().map(Cell::get).collect()
}

fn put_back(values: &[u32], cells: &[Cell<u32>]) {
    cells.iter().zip(values).for_each(|(cell, &value)| cell.set(value));
}

impl Snapshot {
    /// Returns the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let tables: usize = self.tables.iter().map(|table| size_of_val::<[u32]>(table)).sum();
        let memory = self.memory.as_ref().map_or(0, |(_, bytes)| bytes.len());
        self.frames.len() + memory + size_of_val::<[u32]>(&self.globals) + tables
    }
}

impl Ctx {
    fn tables(&self) -> impl Iterator<Item = &TableRecord> {
        (0..self.table_count()).filter_map(|index| self.table(index))
    }

    /// Copies what this instance can change, and the frames. The instance is held in front of the op at `ip`, with its
    /// innermost frame at `fp`, and its units of fuel are in [`Ctx::fuel`].
    pub(crate) fn snapshot(&self, ip: *const u16, fp: *mut u8) -> Snapshot {
        let shared = self.shared();
        let stack = shared.stack_bytes();
        // SAFETY: rules A and F: the frame stack was cleared before the first interpreted instance, and nothing runs.
        let frames = unsafe { core::slice::from_raw_parts(shared.stack_limit().wrapping_sub(stack), stack) };
        Snapshot {
            instance: core::ptr::from_ref(self).addr(),
            offset: self.code_offset(ip),
            below: shared.stack_limit().addr() - fp.addr(),
            frames: frames.into(),
            memory: self.linear().map(|linear| (linear.pages(), linear.bytes().into())),
            globals: values(self.globals()),
            tables: self.tables().map(|table| values(table.elements())).collect(),
            dropped: values(self.dropped()),
            fuel: (shared.fuel.get(), self.fuel.get()),
        }
    }

    /// Puts everything back as it was. Returns false, and changes nothing, if another instance is held, or if a host
    /// function has called this one.
    ///
    /// # Safety
    /// The snapshot was taken of this store. The instance is held in the run that is under way, which goes on at [`Ctx::ip`]
    /// and [`Ctx::fp`], with the units in [`Ctx::fuel`].
    pub(crate) unsafe fn put_back(&self, snapshot: &Snapshot) -> bool {
        let shared = self.shared();
        if snapshot.instance != core::ptr::from_ref(self).addr() || shared.depth.get() != 0 {
            return false;
        }
        let frames = &snapshot.frames;
        // SAFETY: rules A and F: as many bytes were read from the frame stack, and its frames are those of the run that
        // ends here: no host function is under way.
        unsafe {
            let start = shared.stack_limit().wrapping_sub(frames.len());
            start.copy_from_nonoverlapping(frames.as_ptr(), frames.len());
        }
        if let (Some((pages, bytes)), Some(linear)) = (&snapshot.memory, self.linear()) {
            linear.put_back(shared, *pages, bytes);
        }
        put_back(&snapshot.globals, self.globals());
        self.tables().zip(&snapshot.tables).for_each(|(table, elements)| table.put_back(elements));
        put_back(&snapshot.dropped, self.dropped());
        let (rest, hand) = snapshot.fuel;
        shared.fuel.set(rest);
        self.fuel.set(hand);
        self.ip.set(self.code.wrapping_add(snapshot.offset as usize).cast());
        self.fp.set(shared.stack_limit().wrapping_sub(snapshot.below));
        shared.was_put_back.set(true);
        true
    }
}

impl LinearMemory {
    /// Makes the memory as large as these pages were, with these bytes.
    fn put_back(&self, shared: &super::shared::Shared, pages: u32, bytes: &[u8]) {
        self.set_size(pages, bytes.len());
        shared.memory_grew(self);
        self.bytes_mut().copy_from_slice(bytes);
    }
}

impl TableRecord {
    /// Makes the table as large as these elements were, with these elements.
    fn put_back(&self, elements: &[u32]) {
        self.set_size(elements.len() as u32);
        put_back(elements, self.elements());
    }
}
