// SPDX-License-Identifier: Apache-2.0
//! Stores, and what gives access to one.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::api::func::Func;
use crate::exec::call::Frame;
use crate::exec::native::Watched;
use crate::vm::config::Engine;
use crate::vm::context::Ctx;
use crate::vm::guest_stack::GuestStackOverflow;
use crate::vm::owner::{Owner, SharedRef};
use crate::vm::shared::Shared;
#[cfg(feature = "translate")]
use crate::vm::translation::Translated;
use crate::vm::trap::{Trap, TrapCode};

/// Instances and the data of their host functions, in one arena. Belongs to one thread at a time.
pub struct Store<'a, T> {
    // dropped first: closures of host functions may hold what the arena does not own
    pub(crate) data: T,
    shared: SharedRef<'a>,
    pub(crate) owner: Owner,
}

impl<'a, T> Store<'a, T> {
    /// Returns a store in this arena. Takes the frame stack (see [`crate::Config::stack_size`]) and about 200
    /// bytes. `None` if the arena is too small for that.
    pub fn new(engine: &Engine, arena: &'a mut [u64], data: T) -> Option<Self> {
        Some(Self { data, shared: SharedRef::borrowed(arena, engine.config())?, owner: Owner::none() })
    }

    /// Returns the host's data.
    pub fn data(&self) -> &T {
        &self.data
    }

    /// Returns the host's data.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.data
    }

    /// Returns the host's data, out of the store.
    pub fn into_data(self) -> T {
        self.data
    }

    /// Returns the fuel left: units are backward branches and calls. `None` is no limit, the default.
    pub fn fuel(&self) -> Option<u64> {
        self.shared.get().fuel()
    }

    /// Sets the fuel left.
    pub fn set_fuel(&mut self, fuel: Option<u64>) {
        self.shared.get().set_fuel(fuel);
    }

    /// Returns a handle that stops the guest from another thread or from an interrupt.
    pub fn interrupt_handle(&self) -> InterruptHandle<'a> {
        let shared = self.shared.get();
        InterruptHandle {
            stop: &shared.stop,
            watched: Watched::new(shared),
            #[cfg(feature = "sample")]
            sampled: crate::exec::sample::Sampled::new(shared),
            _owner: self.owner.clone(),
        }
    }

    /// Lets guests run again after an interrupt.
    pub fn clear_interrupt(&mut self) {
        self.shared.get().stop.store(0, Ordering::Relaxed);
    }

    /// Returns what became machine code here, of all instances together.
    #[cfg(feature = "translate")]
    pub fn translated(&self) -> Translated {
        self.shared.get().instances().fold(Translated::default(), |sum, ctx| {
            let one = ctx.translated_figures();
            Translated {
                functions: sum.functions + one.functions,
                translated: sum.translated + one.translated,
                bytes: sum.bytes + one.bytes,
                no_room: sum.no_room + one.no_room,
                over_budget: sum.over_budget + one.over_budget,
            }
        })
    }

    /// Returns the bytes of the arena that nothing has taken yet.
    pub fn arena_left(&self) -> usize {
        self.shared.get().arena.remaining()
    }

    /// Returns the guest's own stack, which its compiler keeps in linear memory, if some instance has none of it left:
    /// after a trap, that is why it came. Known of images whose module has such a stack.
    pub fn guest_stack_overflow(&self) -> Option<GuestStackOverflow> {
        self.shared.get().instances().find_map(Ctx::guest_stack_overflow)
    }

    /// Lets `observer` watch the guests of this store from their next call on. It takes the place of one before.
    /// Guests in native code are not watched.
    ///
    /// # Safety
    /// Unless `O` is `Sync`, guests of this store run only on the thread that calls this. The store can be sent to
    /// another thread, and takes the observer with it.
    #[cfg(feature = "debug")]
    #[allow(unsafe_code)]
    pub unsafe fn observe<O: crate::Observer>(&mut self, observer: &'a O) {
        // SAFETY: the caller's promise about threads.
        unsafe { self.shared.observe(observer) };
    }

    /// Lets `tap` stand between the guests of this store and their host functions. It concerns instances that are made
    /// afterwards, and takes the place of one before.
    ///
    /// # Safety
    /// Unless `O` is `Sync`, guests of this store run only on the thread that calls this.
    #[cfg(feature = "record")]
    #[allow(unsafe_code)]
    pub unsafe fn tap<O: crate::Tap>(&mut self, tap: &'a O) {
        // SAFETY: the caller's promise about threads.
        unsafe { self.shared.tap(tap) };
    }

    /// Frames of the last trap, innermost first, of the run in which it arose. Empty after a success. If a host function
    /// called the guest and kept its trap to itself, the frames after a later success or trap mean nothing.
    pub fn backtrace(&self) -> impl Iterator<Item = Frame> + '_ {
        crate::exec::call::backtrace(self.shared.get())
    }

    /// Returns true if there were more frames than [`Store::backtrace`] gives. There may have been no room for them, or native
    /// code has no table of callers, or was stopped where the table says nothing. Returns false without the feature `callers`.
    pub fn backtrace_is_cut(&self) -> bool {
        crate::exec::call::backtrace_is_cut(self.shared.get())
    }

    /// Returns what is left of the guest after a trap: its frames if they are known, globals and linear memory. `None` if
    /// there is no instance.
    pub fn post_mortem(&self) -> Option<crate::View<'_>> {
        crate::exec::view::post_mortem(self.shared.get())
    }
}

#[cfg(feature = "alloc")]
impl<T> Store<'static, T> {
    /// Returns a store in an arena of its own of this many bytes, zeroed lazily by the system if it can.
    /// `None` as in [`Store::new`].
    pub fn with_capacity(engine: &Engine, bytes: usize, data: T) -> Option<Self> {
        let (shared, owner) = SharedRef::owned(bytes, engine.config())?;
        Some(Self { data, shared, owner })
    }
}

/// Stops the guests of a store. May be used from other threads and from interrupts.
#[derive(Clone)]
pub struct InterruptHandle<'a> {
    stop: &'a AtomicU32,
    #[cfg_attr(not(feature = "native"), allow(dead_code))]
    watched: Watched,
    #[cfg(feature = "sample")]
    sampled: crate::exec::sample::Sampled,
    // keeps an owned arena, and the flag in it, for as long as the handle lives
    _owner: Owner,
}

impl InterruptHandle<'_> {
    /// Makes the guest trap with [`TrapCode::Interrupted`] at its next look at the flag, until
    /// [`Store::clear_interrupt`].
    pub fn interrupt(&self) {
        self.stop.store(TrapCode::Interrupted as u32, Ordering::Relaxed);
    }

    /// Sets the stop flag as [`InterruptHandle::interrupt`] does, for a trap with [`TrapCode::DeadlineExceeded`].
    pub fn deadline(&self) {
        self.stop.store(TrapCode::DeadlineExceeded as u32, Ordering::Relaxed);
    }

    /// Returns true if the guest is to stop. Blocking host functions ask this.
    pub fn is_set(&self) -> bool {
        self.stop.load(Ordering::Relaxed) != 0
    }
}

#[cfg(feature = "native")]
impl InterruptHandle<'_> {
    /// Stops native code that does not look at the flag, after one of the functions above. Returns the address at which
    /// its thread, which stands at `pc`, has to go on, and the argument it has to find there. `None` if the thread does
    /// not stand in native code: then the next helper or host function that the code calls ends it. If it calls none,
    /// it can be redirected later.
    ///
    /// # Safety
    /// The store lives. Its thread was preempted, by one that is the only one to call this on any store, and
    /// does not run before both values are in its registers. If it ends without coming back from the guest,
    /// [`InterruptHandle::forget`] is called before the store's memory is used for anything else.
    #[allow(unsafe_code)]
    pub unsafe fn redirect(&self, pc: usize) -> Option<(usize, usize)> {
        // SAFETY: rule T: the store lives, and its thread does not run before the caller has set its registers.
        unsafe { self.watched.redirect(pc) }
    }

    /// Forgets the store: its thread ended without coming back from its guest.
    pub fn forget(&self) {
        self.watched.forget();
    }
}

#[cfg(feature = "sample")]
impl InterruptHandle<'_> {
    /// Passes on where the guest stands: the index of each function among the defined ones, innermost first, and the byte
    /// offset in the code section, until `take` returns false. Passes on nothing while no guest runs, or if its place is not
    /// known. Machine code has no offset, and only the innermost function of it is known.
    ///
    /// # Safety
    /// The store lives. Its thread was preempted with these registers and this stack, and does not run before this returns.
    #[allow(unsafe_code)]
    pub unsafe fn sample(&self, at: &crate::Preempted<'_>, take: &mut dyn FnMut(u32, Option<u32>) -> bool) {
        // SAFETY: rule T: the store lives, and its thread does not run.
        unsafe { self.sampled.frames(at, take) }
    }
}

/// A store, seen.
pub struct StoreContext<'s, T> {
    pub(crate) shared: &'s Shared,
    pub(crate) data: &'s T,
}

impl<'s, T> StoreContext<'s, T> {
    /// Returns the host's data.
    pub fn data(&self) -> &'s T {
        self.data
    }
}

/// A store, to be changed.
pub struct StoreContextMut<'s, T> {
    pub(crate) shared: &'s Shared,
    pub(crate) data: &'s mut T,
}

impl<T> StoreContextMut<'_, T> {
    /// Returns the host's data.
    pub fn data_mut(&mut self) -> &mut T {
        self.data
    }
}

/// Gives access to a store: the store itself, or a [`crate::Caller`].
pub trait AsContext {
    /// The host's data.
    type Data;
    /// Access.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// Gives access to a store that may change it.
pub trait AsContextMut: AsContext {
    /// Access.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<T> AsContext for Store<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { shared: self.shared.get(), data: &self.data }
    }
}

impl<T> AsContextMut for Store<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { shared: self.shared.get(), data: &mut self.data }
    }
}

impl<T> AsContext for StoreContext<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { shared: self.shared, data: self.data }
    }
}

impl<T> AsContext for StoreContextMut<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext { shared: self.shared, data: self.data }
    }
}

impl<T> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut { shared: self.shared, data: self.data }
    }
}

impl<C: AsContext> AsContext for &C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContext> AsContext for &mut C {
    type Data = C::Data;
    fn as_context(&self) -> StoreContext<'_, C::Data> {
        C::as_context(self)
    }
}

impl<C: AsContextMut> AsContextMut for &mut C {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, C::Data> {
        C::as_context_mut(self)
    }
}

/// Returns instance and index of a function reference, or the trap for one of another store.
pub(crate) fn resolve(shared: &Shared, func: Func) -> Result<(&crate::vm::context::Ctx, u32), Trap> {
    shared.resolve(Func::to_bits(Some(func))).ok_or(Trap::new(TrapCode::UnknownHandle))
}
