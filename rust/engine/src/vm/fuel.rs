// SPDX-License-Identifier: Apache-2.0
//! Fuel: who has the units in hand, and where more come from.
//!
//! Units are handed out in portions. Those in hand are in the instance that runs, where a back end loads them
//! from, and stay there when it has run: the next call most often is of the same instance.

use core::sync::atomic::Ordering;

use super::context::Ctx;
use super::shared::Shared;
use crate::vm::trap::TrapCode;

impl Shared {
    /// Returns the instance with the units in hand.
    fn holder(&self) -> Option<&Ctx> {
        // SAFETY: rule A: null or an instance of this store.
        unsafe { self.holder.get().as_ref() }
    }

    /// Takes the units in hand.
    fn take_hand(&self) -> i32 {
        self.holder().map_or(0, |ctx| ctx.fuel.replace(0))
    }

    /// Puts units into the hand of an instance that has none.
    fn hand_to(&self, ctx: &Ctx, units: i32) {
        ctx.fuel.set(units);
        self.holder.set(ctx);
    }

    /// Returns the units that are left, or `None` without a limit.
    pub fn fuel(&self) -> Option<u64> {
        match self.fuel.get() {
            u64::MAX => None,
            rest => {
                let hand = self.holder().map_or(0, |ctx| ctx.fuel.get());
                Some(rest + u64::from(hand.max(0) as u32))
            }
        }
    }

    /// Sets the units left.
    pub fn set_fuel(&self, fuel: Option<u64>) {
        self.take_hand();
        self.fuel.set(fuel.map_or(u64::MAX, |fuel| fuel.min(u64::MAX - 1)));
    }

    /// Hands out the next units: at least one, or the reason to stop. `depth` counts the calls under way: as
    /// many units as there may be more of them, so that the next look comes before one too many.
    pub fn refill(&self, depth: impl FnOnce() -> u32) -> Result<i32, TrapCode> {
        let stop = self.stop.load(Ordering::Relaxed);
        if stop != 0 {
            return Err(TrapCode::from_u32(stop).unwrap_or(TrapCode::Interrupted));
        }
        let rest = self.fuel.get();
        if rest == 0 {
            return Err(TrapCode::OutOfFuel);
        }
        let mut slice = self.slice_size;
        if self.config.max_depth != 0 {
            // the unit that is due now is for a branch, or for the innermost call, which is counted
            let more = self.config.max_depth.checked_sub(depth()).ok_or(TrapCode::CallDepthExceeded)?;
            slice = slice.min(i32::try_from(more).unwrap_or(i32::MAX).saturating_add(1));
        }
        if rest == u64::MAX {
            return Ok(slice);
        }
        let units = rest.min(slice as u64);
        self.fuel.set(rest - units);
        Ok(units as i32)
    }

    /// Notes that an instance begins to run, with the units in hand. Nothing of another instance is left on the stack
    /// above its arguments at `slots`. They are those of the function whose code begins at `code`. Gives who ran
    /// before.
    #[inline(always)]
    pub fn begin(&self, ctx: &Ctx, code: u32, slots: *mut u32) -> *const Ctx {
        if cfg!(feature = "interpreter") && !core::ptr::eq(self.holder.get(), ctx) {
            self.change_hands(ctx, code, slots);
        }
        self.current.replace(ctx)
    }

    #[cold]
    #[inline(never)]
    fn change_hands(&self, ctx: &Ctx, code: u32, slots: *mut u32) {
        let units = self.take_hand();
        // the first that ever runs finds the stack clear
        if !self.holder.get().is_null() && !slots.is_null() {
            let params = ctx.type_at(code).map_or(0, |ty| crate::vm::ty::slots(ty.params));
            self.clear_frames_from(slots.wrapping_add(params));
        }
        self.hand_to(ctx, units);
    }

    /// Notes that the instance has run. Units that stay in its hand were handed out at least as deep in its calls as it
    /// begins the next time. So they are not too many there.
    #[inline(always)]
    pub fn end(&self, before: *const Ctx) {
        self.current.set(before);
        if !cfg!(feature = "interpreter") {
            return;
        }
        // SAFETY: rule A: null or an instance of this store.
        if let Some(before) = unsafe { before.as_ref() } {
            self.hand_back(before);
        }
    }

    /// Gives the units in hand to an instance that goes on. Where the depth of calls is limited, they are no
    /// good: they may have been handed out where there were fewer calls under way.
    #[inline(never)]
    fn hand_back(&self, before: &Ctx) {
        let mut units = self.take_hand();
        if self.config.max_depth != 0 {
            let rest = self.fuel.get();
            if rest != u64::MAX {
                self.fuel.set(rest + u64::from(units.max(0) as u32));
            }
            units = 0;
        }
        self.hand_to(before, units);
    }
}
