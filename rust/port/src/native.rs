// SPDX-License-Identifier: Apache-2.0
//! Native code of images: whether it runs, from where, and how it is stopped.
//!
//! What may run is decided by C when an image is given to an app (`wisp_native_decide`): code that is part
//! of the firmware or whose signature the firmware accepts, where the processor can execute it. What fits
//! is decided here. Code that may not run or does not fit is never entered; the image's IR runs instead if
//! there is one, and an interpreter.

use core::ffi::c_void;

use crate::platform::Zephyr;
use crate::{report, shim};
use wisp_engine::{Config, Engine, Image, InterruptHandle, Module, Refusal};
#[cfg(feature = "storage")]
use wisp_image::native::Target;

/// Images may run their IR.
pub(crate) const INTERPRETER: bool = cfg!(feature = "interpreter");

/// Why the code of an image is not used.
pub(crate) enum Reason {
    /// It does not fit.
    Refused(Refusal),
    /// There is none.
    Absent,
    /// It counts no fuel, and the app has a limit.
    Fuel,
    /// Nobody the firmware trusts made it.
    Untrusted,
    /// It lies where the processor may not execute it.
    NotExecutable,
}

/// Adds to a configuration the facts about the thread and the processor that native code needs.
pub fn configure(config: Config, run: &shim::wisp_run) -> Config {
    let config =
        config.native_limit(run.native_limit).native_stop(run.native_stop).native_features(run.native_features);
    #[cfg(feature = "user-mode")]
    // SAFETY: C made the regions and the stack for this app, and gives a user thread access to nothing else.
    let config = unsafe { config.user_mode(user_mode(run)) };
    config
}

#[cfg(feature = "user-mode")]
fn user_mode(run: &shim::wisp_run) -> wisp_engine::UserMode {
    const _: () = {
        assert!(shim::wisp_user_outcome_WISP_USER_RETURNED == wisp_engine::Outcome::RETURNED);
        assert!(shim::wisp_user_outcome_WISP_USER_TRAPPED == wisp_engine::Outcome::TRAPPED);
        assert!(shim::wisp_user_outcome_WISP_USER_STOPPED == wisp_engine::Outcome::STOPPED);
        assert!(shim::wisp_user_outcome_WISP_USER_FAULTED == wisp_engine::Outcome::FAULTED);
    };
    wisp_engine::UserMode {
        memory: run.user_memory,
        memory_words: run.user_memory_size / size_of::<u64>(),
        window: run.user_window,
        window_words: run.user_window_size / size_of::<u64>(),
        frames: run.user_frames,
        stack: run.user_stack,
        stack_end: run.user_stack_end,
        enter: shim::wisp_shim_user_enter,
        request: shim::wisp_shim_user_request,
        env: run.app.cast(),
    }
}

/// Does what native code in user mode asked for.
///
/// # Safety
/// `ctx` is what `wisp_shim_user_enter` was called with, by this thread, and it has not returned. `request` points
/// to six words. The thread of the code waits.
#[cfg(feature = "user-mode")]
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_serve(ctx: *const c_void, request: *const usize) -> u32 {
    // SAFETY: C passes the context that it was entered with in this thread, and six words; the code's thread waits.
    unsafe { wisp_engine::serve(ctx, &*request.cast()) }
}

/// Returns the module with its native code, or `None` if its IR is to run. The error, a `wisp_run_error`, was reported
/// already.
#[inline(never)]
pub fn load<'a>(
    engine: &Engine,
    run: &shim::wisp_run,
    bytes: &'a [u8],
    board: &Zephyr,
) -> Result<Option<Module<'a>>, u32> {
    let Ok(image) = Image::parse(bytes) else { return Ok(None) };
    let reason = match select(engine, run, image) {
        Ok(module) => return Ok(Some(module)),
        Err(Reason::Refused(Refusal::Target(None, _))) if INTERPRETER => return Ok(None),
        Err(Reason::Refused(Refusal::Target(None, _))) => Reason::Absent,
        Err(reason) => reason,
    };
    let has_ir = !image.is_native_only();
    report::no_native_code(board, &reason, has_ir);
    match reason {
        _ if has_ir && INTERPRETER => Ok(None),
        Reason::Refused(Refusal::Features(_)) => Err(shim::wisp_run_error_WISP_RUN_NO_FEATURE),
        _ => Err(shim::wisp_run_error_WISP_RUN_BAD_IMAGE),
    }
}

fn select<'a>(engine: &Engine, run: &shim::wisp_run, image: Image<'a>) -> Result<Module<'a>, Reason> {
    let section = Module::section_of(engine, &image).map_err(Reason::Refused)?;
    if run.fuel != u64::MAX {
        return Err(Reason::Fuel);
    }
    match run.native {
        shim::wisp_native_WISP_NATIVE_ALLOWED => {}
        shim::wisp_native_WISP_NATIVE_UNSIGNED => return Err(Reason::Untrusted),
        _ => return Err(Reason::NotExecutable),
    }
    // SAFETY: C allowed this image: it is part of the firmware, or a signature over all of it says that
    // `wisp build` made it (or the firmware's developer asked for neither). It stays as it is while the app runs.
    unsafe { Module::new_native(engine, image, section) }.map_err(Reason::Refused)
}

/// Returns the engine that a run has, as far as native code is concerned.
#[cfg(feature = "storage")]
fn engine() -> Engine {
    // SAFETY: both only tell what C was built with.
    let (stop, features) = unsafe { (shim::wisp_shim_native_stop(), shim::wisp_shim_native_features()) };
    Engine::new(&Config::new().native_stop(stop).native_features(features))
}

/// Checks that the native code of an image will run, before the image is installed: all that a start checks.
///
/// # Safety
/// `app` points to an app of the firmware.
#[cfg(feature = "storage")]
pub(crate) unsafe fn installable(image: Image<'_>, app: *const shim::wisp_app, is_signed: bool) -> Result<(), Reason> {
    let engine = engine();
    let section = Module::section_of(&engine, &image).map_err(|refusal| match refusal {
        Refusal::Target(None, _) => Reason::Absent,
        refusal => Reason::Refused(refusal),
    })?;
    // SAFETY: the module is dropped, and nothing of it runs.
    unsafe { Module::new_native(&engine, image, section) }.map_err(Reason::Refused)?;
    let (bytes, trusted) = (image.bytes(), is_signed && cfg!(feature = "signature"));
    // SAFETY: the caller's `app` is one of the firmware; pointer and length are those of one slice.
    let (limited, allowed) = unsafe {
        let allowed = shim::wisp_shim_native_allowed(app, bytes.as_ptr(), bytes.len(), trusted);
        (shim::wisp_shim_has_fuel_limit(app), allowed)
    };
    match allowed {
        _ if limited => Err(Reason::Fuel),
        shim::wisp_native_WISP_NATIVE_ALLOWED => Ok(()),
        shim::wisp_native_WISP_NATIVE_UNSIGNED => Err(Reason::Untrusted),
        _ => Err(Reason::NotExecutable),
    }
}

/// Checks that code for one of these machines runs here: three bytes each, as in the header of a native section.
#[cfg(feature = "storage")]
pub(crate) fn runs_one_of(targets: &[u8]) -> Result<(), Reason> {
    let here = Module::native_target(&engine());
    let known = targets.chunks_exact(3).filter_map(|bytes| Target::from_bytes([bytes[0], bytes[1], bytes[2]]));
    let mut first = None;
    for target in known {
        if here.is_some_and(|here| here.runs(target)) {
            return Ok(());
        }
        first = first.or(Some(target));
    }
    Err(Reason::Refused(Refusal::Target(first, here)))
}

/// Returns true if the image has native code for whatever machine.
///
/// # Safety
/// `image` points to `size` bytes that do not change during the call.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_has_native(image: *const u8, size: usize) -> bool {
    // SAFETY: C passes `size` bytes that do not change during the call.
    let bytes = unsafe { core::slice::from_raw_parts(image, size) };
    Image::parse(bytes).is_ok_and(|image| image.native_sections().next().is_some())
}

/// Returns true if one of the keys signed the image. Takes about 6 KB of stack and 2 million instructions.
///
/// # Safety
/// `image` points to `size` bytes. The lists of `signers` hold as many keys of 32 bytes and ids of 8 bytes as it
/// says. None of it changes during the call.
#[cfg(feature = "signature")]
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_signed(image: *const u8, size: usize, signers: *const shim::wisp_signers) -> bool {
    /// # Safety
    /// `list` points to `count` items that do not change while the result lives.
    unsafe fn list<'a, const N: usize>(list: *const u8, count: usize) -> &'a [[u8; N]] {
        if count == 0 {
            return &[];
        }
        // SAFETY: the caller passes `count` items that do not change while the result lives.
        unsafe { core::slice::from_raw_parts(list.cast(), count) }
    }
    // SAFETY: C passes `size` bytes, and lists as long as it says; none of it changes during the call.
    let (bytes, keys) = unsafe {
        let signers = &*signers;
        let keys = wisp_trust::Keys {
            known: list(signers.keys, signers.key_count),
            roots: list(signers.roots, signers.root_count),
            compilers: list(signers.compilers, signers.compiler_count),
            retired: list(signers.retired, signers.retired_count),
        };
        (core::slice::from_raw_parts(image, size), keys)
    };
    Image::parse(bytes).is_ok_and(|image| wisp_trust::verify_origin(&image, &keys).is_ok())
}

/// Redirects a thread that stands at `*pc`, of an app that has to stop, so that its native code ends. Puts the
/// address at which it has to go on into `*pc`, and the argument that it has to find there into `*argument`.
///
/// # Safety
/// `flag` is what the run passed to `wisp_shim_app_stop_flag`, and it has not withdrawn it. Its thread was
/// preempted, and does not run before what this writes is in its registers. `pc` and `argument` can be written.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_redirect(
    flag: *mut c_void,
    pc: *mut usize,
    argument: *mut usize,
) -> shim::wisp_redirect {
    // SAFETY: the run gave `flag` to C and has not withdrawn it, so the handle lives; C passes a `pc` that can be read.
    let (handle, at) = unsafe { (&*flag.cast::<InterruptHandle<'_>>(), *pc) };
    if !handle.is_set() {
        return shim::wisp_redirect_WISP_REDIRECT_NONE;
    }
    // SAFETY: C preempted the thread, which does not run before its registers hold the two values.
    match unsafe { handle.redirect(at) } {
        Some((to, record)) => {
            // SAFETY: C passes places for both values, which can be written.
            unsafe {
                *pc = to;
                *argument = record;
            }
            shim::wisp_redirect_WISP_REDIRECT_DONE
        }
        None => shim::wisp_redirect_WISP_REDIRECT_LATER,
    }
}

/// Notes that the thread of a run ended in its guest, so that nothing is to be stopped any more.
///
/// # Safety
/// `flag` is what the run passed to `wisp_shim_app_stop_flag`, and it has not withdrawn it.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_forget(flag: *mut c_void) {
    // SAFETY: the run gave `flag` to C and has not withdrawn it, so the handle lives.
    unsafe { &*flag.cast::<InterruptHandle<'_>>() }.forget();
}
