// SPDX-License-Identifier: Apache-2.0
//! Tells of a trap in numbers: which image, which functions, where. Names take flash; `wisp symbolize` finds
//! them on the workstation. Those of an image that carries them nevertheless are told in a second line.

use core::ffi::CStr;

use wisp_engine::{Image, Store, Trap, TrapCode};
use wisp_host::abi;

use crate::platform::Zephyr;
use crate::text::{Line, Text};
use crate::{shim, AppData};

/// Bytes of the line, of which a frame takes about 12.
const CAPACITY: usize = 160;
/// Bytes of the longest frame, ` < 4294967295@0xffffffff`, and of what tells that there are more.
const FRAME: usize = 24;
const MORE: &[u8] = b" < ...";
const CALLED_BY: &[u8] = b" < ";

/// Logs a trap, unless the guest ended itself or was told to end.
pub(crate) fn report(board: &Zephyr, store: &Store<'_, AppData>, image: &Image<'_>, trap: Trap) {
    if !matches!(trap.code, TrapCode::Exit | TrapCode::Interrupted) {
        // one behind the other: the app's stack holds one line at a time
        report_frames(board, store, image, trap);
        names(board, store, image, trap);
    }
}

/// Passes on function and code offset of each frame, innermost first, until `take` has enough. Returns true if it has not,
/// and there are callers that are not known.
fn frames(store: &Store<'_, AppData>, trap: Trap, take: &mut dyn FnMut(u32, u32) -> bool) -> bool {
    let mut frames = store.backtrace().peekable();
    // without a table of callers, native code tells the innermost place only
    if frames.peek().is_none() && trap.func != Trap::NOWHERE {
        take(trap.func, trap.offset);
    }
    for next in frames {
        if !take(next.func, next.offset) {
            return false;
        }
    }
    store.backtrace_is_cut()
}

#[cold]
#[inline(never)]
fn report_frames(board: &Zephyr, store: &Store<'_, AppData>, image: &Image<'_>, trap: Trap) {
    let mut text = Line::<CAPACITY>::new();
    text.push(b"image ");
    let id = image.id();
    text.push_hex(id.wasm, 8);
    text.push(b":");
    text.push_hex(id.code, 1);
    let mut separator: &[u8] = b", at ";
    let cut = frames(store, trap, &mut |func, offset| {
        // one byte stays for the end of the string
        if text.left() < FRAME + MORE.len() + 1 {
            text.push(MORE);
            return false;
        }
        text.push(separator);
        text.push_number(func);
        text.push(b"@0x");
        text.push_hex(offset, 1);
        separator = CALLED_BY;
        true
    });
    text.push(if cut { MORE } else { b"" });
    text.push(b"\0");
    let place = CStr::from_bytes_with_nul(text.bytes()).unwrap_or_default();
    // SAFETY: the app is that of this thread; the place is a string.
    unsafe { shim::wisp_shim_app_trap(board.app(), trap.code as u32, place.as_ptr()) }
}

#[cold]
#[inline(never)]
fn names(board: &Zephyr, store: &Store<'_, AppData>, image: &Image<'_>, trap: Trap) {
    let mut text = Text::new();
    let mut separator: &[u8] = b"in ";
    let mut known = false;
    let cut = frames(store, trap, &mut |func, _| {
        let name = image.function_name(func);
        known |= name.is_some();
        let name = name.unwrap_or("?").as_bytes();
        if text.left() < separator.len() + name.len() + MORE.len() {
            text.push(MORE);
            return false;
        }
        text.push(separator);
        text.push_shown(name);
        separator = CALLED_BY;
        true
    });
    text.push(if cut { MORE } else { b"" });
    if known {
        board.report(abi::log::ERROR, text.bytes());
    }
}
