// SPDX-License-Identifier: Apache-2.0
//! What stands between guests and the host functions that they call: recorders, and players of what was recorded.

use crate::vm::context::Ctx;
use crate::vm::imports::RawHostFn;
use crate::vm::memory::LinearMemory;
use crate::vm::owner::SharedRef;
use crate::vm::shared::Shared;
use crate::vm::tap::Border;
use crate::vm::trap::RawTrap;
use crate::vm::ty::{slots, FuncType};

/// Sees each call that crosses the border between host and guest.
pub trait Tap {
    /// Stands in place of a host function, which [`HostCall::run`] calls. Returns the trap with which the guest ends,
    /// if any.
    fn host_call(&self, call: &mut HostCall<'_>) -> RawTrap;

    /// Observes that the host calls a function of a guest, while no guest runs. Arguments are in slots.
    fn entry(&self, function: u32, arguments: &mut dyn Iterator<Item = u32>);
}

/// A host function in an import, with its place in the guest's imports.
pub(crate) struct Tapped {
    function: RawHostFn,
    env: *const (),
    import: u16,
    params: u16,
    results: u16,
}

/// A call of a host function.
pub struct HostCall<'c> {
    ctx: &'c Ctx,
    slots: *mut u32,
    tapped: &'c Tapped,
}

impl HostCall<'_> {
    /// Returns the index of the function among the imported functions of the guest.
    pub fn import(&self) -> u16 {
        self.tapped.import
    }

    /// Returns the numbers of slots of arguments and results.
    pub fn counts(&self) -> (usize, usize) {
        (self.tapped.params.into(), self.tapped.results.into())
    }

    /// Returns a slot: that of an argument before [`HostCall::run`], that of a result after it.
    pub fn slot(&self, index: usize) -> u32 {
        if index >= usize::from(self.tapped.params.max(self.tapped.results)) {
            return 0;
        }
        // SAFETY: rule V, `CallFrame`: arguments and results of the type that the linker compared have these slots.
        unsafe { self.slots.add(index).read() }
    }

    /// Writes the slot of a result.
    pub fn set_result(&mut self, index: usize, bits: u32) {
        if index < usize::from(self.tapped.results) {
            // SAFETY: rule V, `CallFrame`: results of the type that the linker compared have these slots.
            unsafe { self.slots.add(index).write(bits) };
        }
    }

    /// Returns the guest's memory, which is empty if it has none.
    pub fn memory(&mut self) -> &mut [u8] {
        self.ctx.linear().map_or(&mut [], LinearMemory::bytes_mut)
    }

    /// Returns the status with which the guest ended, if the trap says that it has.
    pub fn exit_status(&self) -> i32 {
        self.ctx.shared().exit_status.get()
    }

    /// Sets the status with which the guest ends, if the trap says that it does.
    pub fn set_exit_status(&mut self, status: i32) {
        self.ctx.shared().exit_status.set(status);
    }

    /// Calls the host function.
    pub fn run(&mut self) -> RawTrap {
        // SAFETY: these are the function, what it expects, and the slots that the linker and the guest gave.
        unsafe { (self.tapped.function)(core::ptr::from_ref(self.ctx).cast_mut(), self.slots, self.tapped.env) }
    }
}

impl<T: Tap> Border for T {
    unsafe fn host_call(&self, instance: *const (), slots: *mut u32, tapped: *const ()) -> RawTrap {
        // SAFETY: the caller promises what both are.
        let (ctx, tapped) = unsafe { (&*instance.cast::<Ctx>(), &*tapped.cast::<Tapped>()) };
        Tap::host_call(self, &mut HostCall { ctx, slots, tapped })
    }

    fn entry(&self, function: u32, arguments: &mut dyn Iterator<Item = u32>) {
        Tap::entry(self, function, arguments);
    }
}

/// Stands for the host function of a guest that is tapped. `env` points to its [`Tapped`].
unsafe extern "C" fn tapped(ctx: *mut Ctx, slots: *mut u32, env: *const ()) -> RawTrap {
    // SAFETY: the interpreter passes its instance, and slots of the function's type. `wrap` gave a record that the store keeps
    // (rule A), and set it only where something taps the store.
    unsafe {
        match (*ctx).shared().tap.get() {
            Some(border) => border.host_call(ctx.cast_const().cast(), slots, env),
            None => HostCall { ctx: &*ctx, slots, tapped: &*env.cast() }.run(),
        }
    }
}

/// Returns what an import calls: the function itself if nothing taps the store. `None` if the arena is full.
pub(crate) fn wrap(
    shared: &Shared,
    import: usize,
    ty: FuncType<'_>,
    (function, env, direct): (RawHostFn, *const (), *const ()),
) -> Option<(RawHostFn, *const (), *const ())> {
    if shared.tap.get().is_none() {
        return Some((function, env, direct));
    }
    let (params, results) = (slots(ty.params) as u16, slots(ty.results) as u16);
    let record = shared.arena.alloc(Tapped { function, env, import: import as u16, params, results })?;
    Some((tapped, core::ptr::from_ref(record).cast(), core::ptr::null()))
}

/// Tells the tap that the host calls a guest, while no guest runs.
#[inline]
pub(crate) fn entered(shared: &Shared, function: u32, arguments: &mut dyn Iterator<Item = u32>) {
    if let (Some(border), true) = (shared.tap.get(), shared.current.get().is_null()) {
        border.entry(function, arguments);
    }
}

impl<'a> SharedRef<'a> {
    /// Sets the tap of the store.
    ///
    /// # Safety
    /// Unless `T` is `Sync`, guests of this store run only on the thread that calls this.
    pub unsafe fn tap<T: Tap>(&self, tap: &'a T) {
        // SAFETY: the store lives for `'a` at most, and the caller promised the rest.
        unsafe { self.get().tap.set(tap) };
    }
}
