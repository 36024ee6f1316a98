// SPDX-License-Identifier: Apache-2.0
//! What is seen of a guest that stands still: by debuggers, and after a trap.

use core::cell::Cell;
use core::ptr::{null, null_mut};

use wisp_image::format::{external, Section, ValType};
use wisp_image::{Image, ImageId};

use super::interpreter::frame;
use crate::vm::context::Ctx;
use crate::vm::globals::{bits, global_record};
use crate::vm::memory::LinearMemory;
use crate::vm::shared::Shared;
use crate::vm::trap::Trap;

/// A guest that stands still, in front of an op or where it trapped.
pub struct View<'v> {
    pub(super) ctx: &'v Ctx,
    pub(super) ip: *const u16,
    /// Null after a trap whose frames are not known.
    pub(super) fp: *mut u8,
}

/// A frame of a guest that stands still.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watched {
    /// Index among the defined functions.
    pub func: u32,
    /// Byte offset in the code section: of the op that comes next, or in a caller of the op behind the call.
    pub offset: u32,
    /// Bytes from slot 0 of this frame to the end of the frame stack: the smaller, the deeper.
    pub below: usize,
}

impl View<'_> {
    /// Returns the id of the guest's image.
    pub fn image_id(&self) -> ImageId {
        self.ctx.image().id()
    }

    /// Returns the byte offset of the op in the code section.
    #[inline(always)]
    pub fn offset(&self) -> u32 {
        self.ctx.code_offset(self.ip)
    }

    /// Returns the bytes from slot 0 of the innermost frame to the end of the frame stack: the smaller, the deeper.
    #[inline(always)]
    pub fn below(&self) -> usize {
        self.ctx.stack_limit.addr() - self.fp.addr()
    }

    /// Returns the number of bytes of linear memory that exist.
    pub fn memory_size(&self) -> usize {
        self.ctx.linear().map_or(0, LinearMemory::size)
    }

    /// Returns the number of bytes up to which linear memory can grow here.
    pub fn memory_capacity(&self) -> usize {
        self.ctx.linear().map_or(0, LinearMemory::capacity)
    }

    fn memory(&self) -> &[Cell<u8>] {
        let Some(linear) = self.ctx.linear() else { return &[] };
        // SAFETY: rule A: `size` bytes from `base` belong to this memory and are initialised. The guest stands still, and
        // cells may alias.
        unsafe { core::slice::from_raw_parts(linear.base().cast(), linear.size()) }
    }

    /// Copies bytes of linear memory. Returns how many there are from this address on.
    pub fn read(&self, address: u32, bytes: &mut [u8]) -> usize {
        let there = self.memory().get(address as usize..).unwrap_or_default();
        bytes.iter_mut().zip(there).for_each(|(byte, there)| *byte = there.get());
        bytes.len().min(there.len())
    }

    /// Writes bytes of linear memory. Returns false, and writes nothing, if some of them do not exist.
    pub fn write(&self, address: u32, bytes: &[u8]) -> bool {
        let there = self.memory().get(address as usize..).and_then(|there| there.get(..bytes.len()));
        let Some(there) = there else { return false };
        there.iter().zip(bytes).for_each(|(there, &byte)| there.set(byte));
        true
    }

    /// Returns the guest's image.
    pub fn image(&self) -> Image<'_> {
        self.ctx.image()
    }

    /// Returns the number of globals, imported ones included.
    pub fn global_count(&self) -> usize {
        let image = self.ctx.image();
        image.imports_of(external::GLOBAL) + image.globals().count()
    }

    /// Returns the type and the bits of a global by its index in the module, or `None` if there is no such global.
    pub fn global(&self, index: usize) -> Option<(ValType, u64)> {
        let (ty, _, slots) = global_record(self.ctx, index)?;
        Some((ty, bits(slots)))
    }

    /// Returns the frames of the run that stands still, innermost first. If a host function called the guest, the frames of
    /// the guest that called that host function are not among them.
    pub fn frames(&self) -> impl Iterator<Item = Watched> + '_ {
        let ctx = self.ctx;
        let mut next = (!self.fp.is_null()).then_some((self.ip, self.fp));
        core::iter::from_fn(move || {
            let (ip, fp) = next?;
            // SAFETY: rule F: every frame of the chain has a header below it, and nothing runs while the guest is seen. In
            // a sample (rule S), or if a host function kept a trap to itself, the numbers are any, but `holds_frame` was
            // asked for each frame: the walk stays in the stack, and goes one way.
            next = unsafe { frame::caller(ctx, fp) };
            next = next.filter(|&(_, caller)| caller < fp && ctx.shared().holds_frame(caller));
            let offset = ctx.code_offset(ip);
            let below = ctx.stack_limit.addr() - fp.addr();
            Some(Watched { func: ctx.function_at(offset), offset, below })
        })
    }

    /// Returns the number of slots of a frame, which its function takes when it is entered.
    pub fn slots(&self, frame: &Watched) -> u32 {
        let code = self.ctx.image().section(Section::Code);
        let function = self.ctx.defined(frame.func).map_or(0, |(code, _)| code as usize);
        // every function begins with an op that has the bytes of the frame behind its number
        match code.get(function + 2..function + 4) {
            Some(&[low, high]) => u32::from(u16::from_le_bytes([low, high])) / 4,
            _ => 0,
        }
    }

    /// Returns a slot of a frame that [`View::frames`] gave, or `None` behind the end of the frame stack.
    pub fn slot(&self, frame: &Watched, index: u32) -> Option<u32> {
        let end = (index as usize).checked_add(1)?.checked_mul(4)?;
        if frame.below % 4 != 0 || end > frame.below || frame.below > self.ctx.shared().stack_bytes() {
            return None;
        }
        // SAFETY: rules A and F: the slot lies in the frame stack, which is aligned and was cleared before the first
        // interpreted instance.
        Some(unsafe { self.ctx.stack_limit.sub(frame.below).cast::<u32>().add(index as usize).read() })
    }
}

/// Returns what is left of the guest that trapped last: its frames if they are known, globals and linear memory. `None` if
/// the store has no instance.
pub(crate) fn post_mortem(shared: &Shared) -> Option<View<'_>> {
    let (func, offset) = shared.place.get();
    // SAFETY: rule A: null or an instance of this store.
    let ctx = unsafe { shared.trapped.0.get().as_ref() };
    match ctx.filter(|ctx| cfg!(feature = "interpreter") && func != Trap::NOWHERE && ctx.native().is_none()) {
        Some(ctx) => {
            let ip = ctx.code.wrapping_add(offset as usize).cast();
            Some(View { ctx, ip, fp: shared.trapped.1.get() })
        }
        None => Some(View { ctx: shared.instances().next()?, ip: null(), fp: null_mut() }),
    }
}
