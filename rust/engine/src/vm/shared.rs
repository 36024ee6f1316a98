// SPDX-License-Identifier: Apache-2.0
//! What the instances of a store share.

use core::cell::Cell;
use core::ptr::null;
use core::sync::atomic::{AtomicU32, Ordering};

use super::arena::Arena;
use super::context::{image_u16, Ctx};
use super::host_objects::HostExternal;
use super::memory::LinearMemory;
use super::native::Floor;
use super::observer::Watcher;
use super::user_mode::Guest;
use crate::vm::config::Config;
use crate::vm::trap::{Trap, TrapCode};
use wisp_image::format::ValType;

/// State that the instances of a store have in common. First in the arena. Fields that calls read come first: the short
/// forms of loads reach them.
#[repr(C)]
pub(crate) struct Shared {
    pub stop: AtomicU32,
    /// The store's data while a call runs. What it holds while none does is not read.
    pub data: Cell<*mut ()>,
    /// The instance that runs, or last called the host, or null while nothing runs.
    pub current: Cell<*const Ctx>,
    /// The instance with the units of fuel in hand: the last that ran. Null before the first.
    pub(super) holder: Cell<*const Ctx>,
    pub(super) first: Cell<*const Ctx>,
    stack: *mut u8,
    stack_end: *mut u8,
    /// Innermost frame of the last trap: instance and frame pointer.
    pub trapped: (Cell<*const Ctx>, Cell<*mut u8>),
    /// Entries into guest code under way, the outermost left out.
    pub depth: Cell<u32>,
    pub(super) slice_size: i32,
    pub exit_status: Cell<i32>,
    /// Units beyond those in hand. `u64::MAX` is no limit.
    pub(super) fuel: Cell<u64>,
    pub arena: Arena,
    /// Memory that native code in user mode may write.
    pub guest: Guest,
    pub config: Config,
    externals: Cell<*const HostExternal>,
    /// Place of the trap that is under way or was last.
    pub place: Cell<(u32, u32)>,
    /// The stack of native code.
    pub native_floor: Floor,
    /// Lowest address of the stack that translated code may use, while some runs.
    #[cfg(wisp_translates)]
    pub translated_floor: Cell<usize>,
    /// False while an instance has to do without machine code, and when the memory for it is the host's again.
    #[cfg(wisp_translates)]
    pub translates: Cell<bool>,
    pub(super) instance_count: Cell<u16>,
    /// `place` belongs to the trap that a call inside the guest's host call returned.
    pub place_known: Cell<bool>,
    /// The frame stack holds nothing from before the store.
    frames_clear: Cell<bool>,
    /// The host was told that memory could not grow.
    growth_was_refused: Cell<bool>,
    /// Watches the guests.
    pub observer: Watcher,
    /// The guest that is watched does not go on where it stands, but where a snapshot was taken.
    #[cfg(feature = "rewind")]
    pub was_put_back: Cell<bool>,
    /// Stands between guests and host functions.
    #[cfg(feature = "record")]
    pub tap: super::tap::Place,
}

impl Shared {
    /// Returns true once after the guest was put back to where a snapshot was taken.
    #[cfg(feature = "debug")]
    pub fn take_put_back(&self) -> bool {
        #[cfg(feature = "rewind")]
        return self.was_put_back.take();
        #[cfg(not(feature = "rewind"))]
        false
    }

    /// Sets up a store in an arena, or gives `None` if it does not even hold the frame stack.
    ///
    /// # Safety
    /// As `Arena::new`, for `'s`.
    pub unsafe fn new<'s>(start: *mut u64, words: usize, config: &Config) -> Option<&'s Self> {
        // SAFETY: the caller gives up these words for `'s`: rule A begins here.
        let arena = unsafe { Arena::new(start, words) };
        let stack_bytes = config.stack_size as usize & !7;
        let stack = arena.take(stack_bytes, 8)?;
        let place = arena.take(size_of::<Self>(), 8)?.cast::<Self>();
        let shared = Self {
            stop: AtomicU32::new(0),
            data: Cell::new(core::ptr::null_mut()),
            current: Cell::new(null()),
            holder: Cell::new(null()),
            first: Cell::new(null()),
            stack,
            stack_end: stack.wrapping_add(stack_bytes),
            trapped: (Cell::new(null()), Cell::new(core::ptr::null_mut())),
            depth: Cell::new(0),
            slice_size: config.fuel_slice as i32,
            fuel: Cell::new(u64::MAX),
            arena,
            guest: Guest::new(config),
            config: *config,
            instance_count: Cell::new(0),
            externals: Cell::new(null()),
            place: Cell::new((Trap::NOWHERE, 0)),
            place_known: Cell::new(false),
            frames_clear: Cell::new(false),
            growth_was_refused: Cell::new(false),
            observer: Watcher::none(),
            #[cfg(feature = "rewind")]
            was_put_back: Cell::new(false),
            #[cfg(feature = "record")]
            tap: super::tap::Place::none(),
            native_floor: Floor::new(),
            #[cfg(wisp_translates)]
            translated_floor: Cell::new(0),
            #[cfg(wisp_translates)]
            translates: Cell::new(true),
            exit_status: Cell::new(0),
        };
        // SAFETY: rule A: `take` gave aligned bytes that nobody else has.
        unsafe {
            place.write(shared);
            Some(&*place)
        }
    }

    /// Reports to the host, the first time, that a memory of `size` bytes could not grow by `wanted` more.
    #[cold]
    pub fn growth_refused(&self, size: usize, wanted: u64) {
        if let (Some((tell, context)), false) = (self.config.growth_refused, self.growth_was_refused.replace(true)) {
            let number = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
            tell(context, number(size as u64), number(wanted));
        }
    }

    /// Reports to the host that gave memory for code what became of it, when the first instance was made or could not
    /// be made.
    #[cfg(wisp_translates)]
    pub fn translation_done(&self, made: Option<&Ctx>) {
        if let Some(memory) = &self.config.code_memory {
            if self.translates.replace(false) {
                (memory.done)(memory.context, made.map(Ctx::translated_figures).unwrap_or_default());
            }
        }
    }

    /// Clears the frame stack before the first interpreted instance: such code may read a slot before it
    /// writes it, and the arena may hold what belongs to others. Native code and the host never do.
    pub fn clear_frames(&self) {
        if !self.frames_clear.replace(true) {
            // SAFETY: rule A: `new` took the stack, aligned to eight bytes; there is no frame yet, because whoever
            // makes an instance has the store to itself.
            unsafe { super::arena::clear(self.stack.cast(), self.stack_end.addr() - self.stack.addr()) };
        }
    }

    /// Returns true if a frame that begins there has its header in the frame stack. Any number may be asked for.
    pub fn holds_frame(&self, fp: *mut u8) -> bool {
        // Without a difference, which would wrap: `fp` may be any number that a register had.
        let fp = fp.addr();
        fp % 4 == 0 && fp >= self.stack.addr() + 8 && fp <= self.stack_end.addr()
    }

    /// Returns the end of the frame stack.
    #[inline(always)]
    pub fn stack_limit(&self) -> *mut u8 {
        self.stack_end
    }

    /// Returns the bytes of the frame stack.
    pub fn stack_bytes(&self) -> usize {
        self.stack_end.addr() - self.stack.addr()
    }

    /// Returns the instances in the order of their indices.
    pub fn instances(&self) -> impl Iterator<Item = &Ctx> {
        // SAFETY: rule A: null or an instance of this store.
        core::iter::successors(unsafe { self.first.get().as_ref() }, |ctx| ctx.next())
    }

    /// Returns an instance.
    pub fn instance(&self, index: u16) -> Option<&Ctx> {
        self.instances().nth(usize::from(index))
    }

    /// Adds an instance, so that references to it are valid.
    pub fn add_instance(&self, ctx: &Ctx) {
        match self.instances().last() {
            Some(last) => last.next.set(ctx),
            None => self.first.set(ctx),
        }
        self.instance_count.set(ctx.index + 1);
    }

    /// Returns true if the store can take no more instances.
    pub fn instances_full(&self) -> bool {
        self.instance_count.get() == u16::MAX - 1
    }

    /// Objects made by the host, in the order of their indices.
    pub fn externals(&self) -> impl Iterator<Item = &HostExternal> {
        // SAFETY: rule A: null or an object of this store.
        let first = unsafe { self.externals.get().as_ref() };
        core::iter::successors(first, |external| {
            // SAFETY: rule A: null or an object of this store.
            unsafe { external.next.get().as_ref() }
        })
    }

    /// Adds an object made by the host and gives its index.
    pub fn add_external(&self, external: &HostExternal) -> usize {
        match self.externals().last() {
            Some(last) => last.next.set(external),
            None => self.externals.set(external),
        }
        self.externals().count() - 1
    }

    /// Returns the first instance and the code offset of a function defined there: what most calls of the host want.
    #[inline(always)]
    pub fn first_defined(&self, reference: u32) -> Option<(&Ctx, u32)> {
        // SAFETY: rule A: null or an instance of this store.
        let ctx = unsafe { self.first.get().as_ref() }?;
        let (code, _) = ctx.defined(reference.wrapping_sub(ctx.first_reference))?;
        Some((ctx, code))
    }

    /// Returns the instance and function index behind a reference that is not null.
    pub fn resolve(&self, reference: u32) -> Option<(&Ctx, u32)> {
        let ctx = self.instance((reference >> 16) as u16)?;
        let function = (reference & 0xffff).checked_sub(1)?;
        (function < ctx.functions()).then_some((ctx, function))
    }

    /// Fails if guests are to stop: asked between the pieces of what may take long.
    ///
    /// # Errors
    /// The trap that the stop flag asks for.
    #[inline]
    pub fn go_on(&self) -> Result<(), TrapCode> {
        match self.stop.load(Ordering::Relaxed) {
            0 => Ok(()),
            code => Err(TrapCode::from_u32(code).unwrap_or(TrapCode::Interrupted)),
        }
    }

    /// Clears the frame stack from here on: what another instance left there is nobody's business.
    #[cold]
    #[inline(never)]
    pub fn clear_frames_from(&self, start: *mut u32) {
        let (start, end) = (start.addr(), self.stack_end.addr());
        if !self.in_stack(start) {
            return;
        }
        // SAFETY: rule A: from `start` to `end` are bytes of the stack, and no frame in use lies there (contract of
        // the callers: they have just entered or left it).
        unsafe { self.stack_end.wrapping_sub(end - start).write_bytes(0, end - start) };
    }

    /// Returns true if these bits are a reference of this type.
    pub fn valid(&self, ty: ValType, reference: u32) -> bool {
        ty != ValType::FuncRef || reference == 0 || self.resolve(reference).is_some()
    }

    /// Informs the instances of a memory that it grew.
    pub fn memory_grew(&self, linear: &LinearMemory) {
        for ctx in self.instances().filter(|ctx| core::ptr::eq(ctx.linear.get(), linear)) {
            ctx.set_limits(linear.size());
        }
    }

    #[inline(always)]
    pub fn current(&self) -> Option<&Ctx> {
        // SAFETY: rule A: null or an instance of this store.
        unsafe { self.current.get().as_ref() }
    }

    /// Returns the first byte behind the frames in use.
    #[inline(always)]
    pub fn frame_top(&self) -> *mut u8 {
        self.current().map_or(self.stack, Self::frame_top_of)
    }

    #[inline(never)]
    fn frame_top_of(ctx: &Ctx) -> *mut u8 {
        match ctx {
            ctx if !cfg!(feature = "interpreter") || ctx.native().is_some() || ctx.view.has_part() => ctx.fp.get(),
            ctx => {
                let interpreted = || (ctx.code_offset(ctx.ip.get()), ctx.fp.get());
                let (offset, fp) = ctx.translated_place().unwrap_or_else(interpreted);
                let function = ctx.function_at(offset);
                let frame = ctx.defined(function).map_or(u16::MAX, |(code, _)| {
                    // the second word of a function is the size of its frame
                    image_u16(ctx.code.wrapping_add(code as usize + 2))
                });
                fp.wrapping_add(usize::from(frame))
            }
        }
    }

    /// Returns true if an address lies in the frame stack, or just behind it.
    pub(super) fn in_stack(&self, address: usize) -> bool {
        (self.stack.addr()..=self.stack_end.addr()).contains(&address)
    }
}

#[cfg(test)]
mod tests {
    use crate::vm::owner::SharedRef;
    use crate::{Config, Engine};

    #[test]
    fn a_number_that_is_no_address_of_a_frame_is_none() {
        let engine = Engine::new(&Config::new());
        let mut arena = std::vec![0u64; 4096];
        let owner = SharedRef::borrowed(&mut arena, engine.config()).unwrap();
        let shared = owner.get();
        for number in [0, 1, 4, 7, 8, usize::MAX, usize::MAX - 3] {
            assert!(!shared.holds_frame(core::ptr::without_provenance_mut(number)), "{number:#x}");
        }
        let begin = shared.stack;
        let held = [0, 4, 8, 10, 12].map(|offset| shared.holds_frame(begin.wrapping_byte_add(offset)));
        assert_eq!(held, [false, false, true, false, true]);
        assert!(shared.holds_frame(shared.stack_end) && !shared.holds_frame(shared.stack_end.wrapping_byte_add(4)));
    }
}
