// SPDX-License-Identifier: Apache-2.0
//! What debuggers and profilers see of a guest that is interpreted.

use core::cell::Cell;

use wisp_image::format::{Section, ValType};
use wisp_image::ops::{self, Sem};
use wisp_image::{Image, ImageId, ImportKind};

use super::interpreter::{frame, word};
use crate::vm::context::Ctx;
use crate::vm::memory::LinearMemory;
use crate::vm::observer::Watch;
use crate::vm::owner::SharedRef;
use crate::vm::trap::RawTrap;

/// Watches a guest that is interpreted: a debugger or a profiler.
pub trait Observer {
    /// Observes an op before it runs. The guest ends with the trap that this returns, if any.
    fn before(&self, view: &View<'_>) -> RawTrap;

    /// Observes the end of the guest by a trap or by its own wish, while its frames still stand.
    fn trapped(&self, view: &View<'_>, code: RawTrap);
}

/// A guest that stands still, in front of an op or where it trapped.
pub struct View<'v> {
    ctx: &'v Ctx,
    ip: *const u16,
    fp: *mut u8,
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

/// Words of a step, which marks in code for a debugger where an operator begins: the move of slot 0 to itself.
const STEP: [u16; 3] = [4 * ops::first(Sem::Mov) as u16, 0, 0];

/// Returns true if an image was compiled for a debugger: its first function has a step where it begins.
pub fn is_for_debugger(image: &Image<'_>) -> bool {
    /// Words in front of the first step at most: those of the op that checks the frame and clears locals.
    const BEFORE: usize = 4;
    let word = |pair: &[u8]| u16::from_le_bytes([pair[0], pair[1]]);
    let code = image.section(Section::Code);
    (0..=BEFORE).any(|at| {
        let words = code.get(2 * at..).unwrap_or_default().chunks_exact(2).map(word);
        words.take(STEP.len()).eq(STEP)
    })
}

impl View<'_> {
    /// Returns true if the op is a step.
    #[inline(always)]
    pub fn at_step(&self) -> bool {
        // SAFETY: rule V, `OperandsInFunction`: the op has its first word, and a move has the others.
        unsafe { word(self.ip, 0) == STEP[0] && word(self.ip, 1) == STEP[1] && word(self.ip, 2) == STEP[2] }
    }

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

    /// Returns the type and the bits of a global by its index in the module, or `None` if there is no such global.
    pub fn global(&self, index: usize) -> Option<(ValType, u64)> {
        let image = self.ctx.image();
        let imported = image.imports_of(wisp_image::format::external::GLOBAL);
        let (ty, slots) = match index.checked_sub(imported) {
            Some(defined) => {
                let global = image.globals().nth(defined)?.ok()?;
                let first = (global.offset / 4) as usize;
                (global.ty, self.ctx.globals().get(first..first + global.ty.slots())?)
            }
            None => {
                let kinds = (0..image.import_count()).filter_map(|import| Some(image.import(import).ok()?.kind));
                let mut types = kinds.filter_map(|kind| match kind {
                    ImportKind::Global(ty, _) => Some(ty),
                    _ => None,
                });
                let ty = types.nth(index)?;
                (ty, self.ctx.imported_global(index, ty)?)
            }
        };
        let bits = slots.iter().rev().fold(0, |bits, slot| bits << 32 | u64::from(slot.get()));
        Some((ty, bits))
    }

    /// Returns the frames of the run that stands still, innermost first. If a host function called the guest, the frames of
    /// the guest that called that host function are not among them.
    pub fn frames(&self) -> impl Iterator<Item = Watched> + '_ {
        let ctx = self.ctx;
        let mut next = Some((self.ip, self.fp));
        core::iter::from_fn(move || {
            let (ip, fp) = next?;
            // SAFETY: rule F: every frame of the chain has a header below it, and nothing runs while the guest is seen.
            next = unsafe { frame::caller(ctx, fp) };
            let offset = ctx.code_offset(ip);
            let below = ctx.stack_limit.addr() - fp.addr();
            Some(Watched { func: ctx.function_at(offset), offset, below })
        })
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

impl<O: Observer> Watch for O {
    unsafe fn before(&self, instance: *const (), ip: *const u16, fp: *mut u8) -> RawTrap {
        // SAFETY: the interpreter passes its instance, which stands still.
        Observer::before(self, &View { ctx: unsafe { &*instance.cast() }, ip, fp })
    }

    #[cold]
    unsafe fn trapped(&self, instance: *const (), ip: *const u16, fp: *mut u8, code: RawTrap) {
        // SAFETY: the interpreter passes its instance, which stands still.
        Observer::trapped(self, &View { ctx: unsafe { &*instance.cast() }, ip, fp }, code);
    }
}

impl<'a> SharedRef<'a> {
    /// Sets the observer of the store.
    ///
    /// # Safety
    /// Unless `O` is `Sync`, guests of this store run only on the thread that calls this.
    pub unsafe fn observe<O: Observer>(&self, observer: &'a O) {
        // SAFETY: the store lives for `'a` at most, and the caller promised the rest.
        unsafe { self.get().observer.set(observer) };
    }
}
