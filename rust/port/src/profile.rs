// SPDX-License-Identifier: Apache-2.0
//! Samples of where an app stands, taken by a thread that has preempted it.

use core::ffi::c_void;

use wisp_engine::{Image, InterruptHandle, Preempted};
use wisp_host::profile::{Counter, Profile, FRAMES, HEAD, NODE};

use crate::shim;

const _: () = assert!(HEAD == shim::WISP_PROFILE_HEAD as usize && NODE == shim::WISP_PROFILE_NODE as usize);
const _: () = assert!(FRAMES == shim::WISP_PROFILE_FRAMES as usize);

/// The offset of a place that is not known.
const UNKNOWN: u32 = u32::MAX;

/// Begins a profile of an image.
///
/// # Safety
/// `words` points to `count` words that nobody else uses during the call, and `image` to `size` bytes of an image that
/// was read before and does not change.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_profile_begin(words: *mut u32, count: usize, image: *const u8, size: usize) {
    // SAFETY: C gives the words for the call, and passes an image that it has loaded.
    let (words, image) =
        unsafe { (core::slice::from_raw_parts_mut(words, count), core::slice::from_raw_parts(image, size)) };
    Profile::begin(words, Image::parsed(image).id());
}

/// Finds where a guest stands.
///
/// # Safety
/// `flag` is what the run passed to `wisp_shim_app_stop_flag`, and the run has not withdrawn it. Its thread was preempted
/// with these registers and does not run during the call. `places` has room for `WISP_PROFILE_FRAMES`.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_profile_look(
    flag: *mut c_void,
    registers: *const shim::wisp_registers,
    places: *mut shim::wisp_place,
) -> usize {
    let mut count = 0;
    let mut take = |function, offset: Option<u32>| {
        let place = shim::wisp_place { function, offset: offset.unwrap_or(UNKNOWN) };
        // SAFETY: C has room for as many frames as are counted here.
        unsafe { places.add(count).write(place) };
        count += 1;
        count < FRAMES
    };
    // SAFETY: C passes registers with words of the stack, and a flag whose run lives. Its thread does not run.
    unsafe {
        let shim::wisp_registers { pc, returns, ip, fp, stack, words } = *registers;
        let stack = if words == 0 { &[] } else { core::slice::from_raw_parts(stack, words) };
        (*flag.cast::<InterruptHandle<'_>>()).sample(&Preempted { pc, returns, ip, fp, stack }, &mut take);
    }
    count
}

/// Counts a sample.
///
/// # Safety
/// `words` points to `count` words with a profile, which nobody else uses during the call, and `places` to as many places as
/// there are frames.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_profile_count(
    words: *mut u32,
    count: usize,
    places: *const shim::wisp_place,
    frames: usize,
) -> usize {
    // SAFETY: C gives the words and the places for the call.
    let (words, places) =
        unsafe { (core::slice::from_raw_parts_mut(words, count), core::slice::from_raw_parts(places, frames)) };
    let mut known = [(0, None); FRAMES];
    for (known, place) in known.iter_mut().zip(places) {
        *known = (place.function, (place.offset != UNKNOWN).then_some(place.offset));
    }
    let mut profile = Profile::of(words);
    profile.count(known.get(..frames).unwrap_or(&known));
    profile.bytes()
}

/// Counts expirations of the timer.
///
/// # Safety
/// `words` points to `count` words with a profile, which nobody else uses during the call.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_profile_ticks(words: *mut u32, count: usize, ticks: u32) {
    // SAFETY: C gives the words for the call.
    Profile::of(unsafe { core::slice::from_raw_parts_mut(words, count) }).add(Counter::Ticks, ticks);
}
