// SPDX-License-Identifier: Apache-2.0
//! The debugger on the device: stops a guest, and answers what a workstation asks about one that is held.
//! `src/border/debug.h` describes the requests, and `src/app/debug.c` decides when a guest goes on.

use core::ffi::c_void;

use wisp_engine::{is_for_debugger, Image, Observer, RawTrap, Store, TrapCode, View};

use crate::platform::Zephyr;
use crate::{shim, AppData};

/// Lets a debugger watch the app of a run.
pub(crate) struct Watcher(Zephyr);

impl Watcher {
    /// Returns what watches the app of this board.
    pub fn new(board: Zephyr) -> Self {
        Self(board)
    }

    /// Watches the guests of a store if their image was built for a debugger, and its IR runs.
    pub fn watch<'a>(&'a self, store: &mut Store<'a, AppData>, image: &Image<'_>, is_native: bool) {
        let steps = !is_native && is_for_debugger(image);
        // SAFETY: the board's app is one of the firmware.
        unsafe { shim::wisp_shim_debug_begin(self.0.app, steps) };
        if steps {
            // SAFETY: a run's store and its observer stay in the app's thread. Other threads see the guest only while it is
            // held, see `wisp_rust_debug_look`.
            unsafe { store.observe(self) };
        }
    }

    /// Holds the guest, and returns the trap with which it ends if it has to.
    #[cold]
    fn hold(&self, view: &View<'_>, reason: u32) -> RawTrap {
        let view: *const View<'_> = view;
        // SAFETY: the board's app is one of the firmware. The view lives until the call returns, and nobody uses it longer.
        unsafe { shim::wisp_shim_debug_hold(self.0.app, view.cast(), reason) };
        match self.0.stop_reason() {
            0 => RawTrap::NONE,
            code => RawTrap::of(TrapCode::from_u32(code).unwrap_or(TrapCode::Interrupted)),
        }
    }
}

impl Observer for Watcher {
    #[inline(always)]
    fn before(&self, view: &View<'_>) -> RawTrap {
        if !view.at_step() {
            return RawTrap::NONE;
        }
        // SAFETY: the board's app is one of the firmware.
        match unsafe { shim::wisp_shim_debug_reason(self.0.app, view.offset()) } {
            shim::wisp_debug_reason_WISP_DEBUG_GO_ON => RawTrap::NONE,
            reason => self.hold(view, reason),
        }
    }

    fn trapped(&self, view: &View<'_>, code: RawTrap) {
        let Some(code) = code.code() else { return };
        if !matches!(code, TrapCode::Exit | TrapCode::Interrupted) {
            self.hold(view, shim::wisp_debug_reason_WISP_DEBUG_TRAP + code as u32);
        }
    }
}

/// Returns a number of a request, if it is that long.
fn number(request: &[u8], at: usize) -> Option<u32> {
    let bytes = request.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

/// Writes numbers behind each other. Returns their bytes.
fn put(to: &mut [u8], numbers: &[u32]) -> usize {
    to.chunks_exact_mut(4).zip(numbers).for_each(|(to, number)| to.copy_from_slice(&number.to_le_bytes()));
    4 * numbers.len()
}

/// Answers a request behind the first byte of the answer. Returns the bytes, or `None` if nothing is asked for that exists.
fn look(view: &View<'_>, request: &[u8], to: &mut [u8]) -> Option<usize> {
    /// Bytes of a frame.
    const FRAME: usize = 12;
    match u32::from(*request.first()?) {
        shim::wisp_debug_request_WISP_DEBUG_FRAMES => {
            let skipped = usize::from(u16::from_le_bytes(*request.get(1..)?.first_chunk()?));
            let frames = view.frames().skip(skipped).zip(to.chunks_exact_mut(FRAME));
            Some(frames.map(|(frame, to)| put(to, &[frame.func, frame.offset, frame.below as u32])).sum())
        }
        shim::wisp_debug_request_WISP_DEBUG_SLOT => {
            let (below, index) = (number(request, 1)?, number(request, 5)?);
            // a place that is none of a frame would show what lies between two
            let frame = view.frames().find(|frame| frame.below == below as usize);
            let slot = frame.and_then(|frame| view.slot(&frame, index));
            Some(slot.map_or(0, |slot| put(to, &[slot])))
        }
        shim::wisp_debug_request_WISP_DEBUG_GLOBAL => {
            let Some((ty, bits)) = view.global(number(request, 1)? as usize) else { return Some(0) };
            to[0] = ty.slots() as u8;
            Some(1 + put(&mut to[1..], &[bits as u32, (bits >> 32) as u32]))
        }
        shim::wisp_debug_request_WISP_DEBUG_READ => {
            let length = usize::from(*request.get(5)?).min(to.len());
            Some(view.read(number(request, 1)?, &mut to[..length]))
        }
        shim::wisp_debug_request_WISP_DEBUG_WRITE => {
            to[0] = view.write(number(request, 1)?, request.get(5..)?).into();
            Some(1)
        }
        _ => None,
    }
}

/// Answers a request about a guest that is held.
///
/// # Safety
/// `view` is what the run passed to `wisp_shim_debug_hold`, which has not returned and does not return during the call.
/// `request` points to `length` bytes, and `answer` to `WISP_DEBUG_ANSWER` bytes that nothing else uses.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_debug_look(
    view: *const c_void,
    request: *const u8,
    length: usize,
    answer: *mut u8,
) -> usize {
    // SAFETY: the app's thread waits while the view is used, so that the guest stands still and nobody else uses its cells.
    let view = unsafe { &*view.cast::<View<'_>>() };
    // SAFETY: C passes this many bytes, which do not change during the call.
    let request = unsafe { core::slice::from_raw_parts(request, length) };
    // SAFETY: C passes a buffer of this size that nothing else uses.
    let answer = unsafe { core::slice::from_raw_parts_mut(answer, shim::WISP_DEBUG_ANSWER as usize) };
    let bytes = look(view, request, &mut answer[1..]);
    answer[0] = match bytes {
        Some(_) => shim::wisp_debug_result_WISP_DEBUG_OK as u8,
        None => shim::wisp_debug_result_WISP_DEBUG_MALFORMED as u8,
    };
    1 + bytes.unwrap_or(0)
}

/// Writes the id of the image of a guest that is held.
///
/// # Safety
/// `view` is what the run passed to `wisp_shim_debug_hold`, which has not returned and does not return during the call.
/// `wasm` and `code` point to words that nothing else uses.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_debug_image(view: *const c_void, wasm: *mut u32, code: *mut u32) {
    // SAFETY: the app's thread waits while the view is used, so that the guest stands still and nobody else uses its cells.
    let id = unsafe { &*view.cast::<View<'_>>() }.image_id();
    // SAFETY: C passes words that nothing else uses.
    unsafe {
        wasm.write(id.wasm);
        code.write(id.code);
    }
}
