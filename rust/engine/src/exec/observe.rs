// SPDX-License-Identifier: Apache-2.0
//! What debuggers and profilers see of a guest that is interpreted.

use wisp_image::format::Section;
use wisp_image::ops::{self, Sem};
use wisp_image::Image;

use super::interpreter::word;
use super::view::View;
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
