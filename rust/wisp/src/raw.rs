// SPDX-License-Identifier: Apache-2.0
//! Calls of C: all unsafe code of this crate.
//!
//! Rule A: a `&'static shim::wisp_app` is an app of the firmware. C defines apps as constants that live as long as the
//! program, and references are made of pointers that C returned for them, here and nowhere else. What changes of an app
//! lies elsewhere, and C guards it with a lock. So every function of C takes the pointer in any thread.

use crate::outcome::{State, Status, TrapSite};
use crate::{Error, Trap, TrapCode};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};
use wisp_port::platform::Zephyr;
use wisp_port::shim;
use zephyr::time::Timeout;

/// Returns the app of a pointer that C returned.
///
/// # Safety
/// The pointer is NULL or that of an app of the firmware.
unsafe fn app<'a>(pointer: *const shim::wisp_app) -> Option<&'a shim::wisp_app> {
    // SAFETY: the caller's pointer is NULL or that of a constant of C, of which Rust reads no bytes.
    unsafe { pointer.as_ref() }
}

/// Returns the app of a devicetree node.
pub(crate) fn app_of_node(ordinal: usize) -> Option<&'static shim::wisp_app> {
    // SAFETY: the shim takes any number, and returns NULL or an app of the firmware.
    unsafe { app(shim::wisp_shim_app_of_node(u32::try_from(ordinal).ok()?)) }
}

/// Finds an app by its name.
pub(crate) fn app_named(name: &str) -> Option<&'static shim::wisp_app> {
    // SAFETY: the shim reads `length` bytes of the name, and returns NULL or an app of the firmware.
    unsafe { app(shim::wisp_shim_app_find(name.as_ptr().cast(), name.len())) }
}

/// Returns the app of a store's data.
pub(crate) fn app_of(platform: &Zephyr) -> &'static shim::wisp_app {
    // SAFETY: `Zephyr::new` was called with a pointer to an app of the firmware.
    unsafe { &*platform.app() }
}

/// Translates the result of a function of C.
fn check(result: i32, no_entry: Error, already: Error) -> Result<(), Error> {
    // SAFETY: the shim takes any number.
    match error(unsafe { shim::wisp_shim_app_error(result) }, no_entry, already) {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

/// Returns the error with a number of C, or `None` for success. Two of the numbers depend on the function.
fn error(number: u32, no_entry: Error, already: Error) -> Option<Error> {
    Some(match number {
        shim::wisp_app_error_WISP_APP_ERROR_NONE => return None,
        shim::wisp_app_error_WISP_APP_ERROR_AGAIN => Error::TimedOut,
        shim::wisp_app_error_WISP_APP_ERROR_ALREADY => already,
        shim::wisp_app_error_WISP_APP_ERROR_BUSY => Error::Running,
        shim::wisp_app_error_WISP_APP_ERROR_DEADLOCK => Error::Itself,
        shim::wisp_app_error_WISP_APP_ERROR_FAULT => Error::Faulted,
        shim::wisp_app_error_WISP_APP_ERROR_INVALID => Error::Misaligned,
        shim::wisp_app_error_WISP_APP_ERROR_NO_ENTRY => no_entry,
        shim::wisp_app_error_WISP_APP_ERROR_NO_EXECUTABLE => Error::BadImage,
        shim::wisp_app_error_WISP_APP_ERROR_NO_MEMORY => Error::NoMemory,
        shim::wisp_app_error_WISP_APP_ERROR_NOT_SUPPORTED => Error::Unsupported,
        shim::wisp_app_error_WISP_APP_ERROR_TOO_BIG => Error::TooMany,
        _ => Error::Other,
    })
}

/// Returns an app's name.
pub(crate) fn name(app: &'static shim::wisp_app) -> &'static str {
    // SAFETY: rule A; names are NUL-terminated strings that live as long as the program.
    unsafe { CStr::from_ptr(shim::wisp_app_name(app)) }.to_str().unwrap_or("?")
}

/// Gives an app an image.
pub(crate) fn load(app: &shim::wisp_app, image: &'static [u8]) -> Result<(), Error> {
    // SAFETY: rule A; the image lives as long as the program and does not change.
    let result = unsafe { shim::wisp_app_load(app, image.as_ptr().cast(), image.len()) };
    check(result, Error::NoImage, Error::Running)
}

/// Starts an app.
pub(crate) fn start(app: &shim::wisp_app) -> Result<(), Error> {
    // SAFETY: rule A.
    check(unsafe { shim::wisp_app_start(app) }, Error::NoImage, Error::Running)
}

/// Asks an app to end.
pub(crate) fn stop(app: &shim::wisp_app) -> Result<(), Error> {
    // SAFETY: rule A.
    check(unsafe { shim::wisp_app_stop(app) }, Error::NoImage, Error::NotRunning)
}

/// Waits until an app is not running.
pub(crate) fn join(app: &shim::wisp_app, timeout: Timeout) -> Result<(), Error> {
    // Ticks have 32 bits without CONFIG_TIMEOUT_64BIT.
    #[allow(clippy::useless_conversion)]
    // SAFETY: rule A; any number of ticks is a timeout.
    let result = unsafe { shim::wisp_shim_app_join(app, timeout.0.ticks.into()) };
    check(result, Error::NoImage, Error::Running).map_err(|error| match error {
        // without a time to wait, Zephyr says that the thread is busy
        Error::Running => Error::TimedOut,
        other => other,
    })
}

/// Reads an app's state.
pub(crate) fn status(app: &shim::wisp_app) -> Status {
    let mut outcome = MaybeUninit::uninit();
    // SAFETY: rule A; the shim writes every member of the record.
    let outcome = unsafe {
        shim::wisp_shim_app_outcome(app, outcome.as_mut_ptr());
        outcome.assume_init()
    };
    Status {
        state: state(&outcome),
        fuel_used: outcome.fuel_used,
        arena_used: outcome.arena_used,
        memory_used: outcome.memory_used,
        native: outcome.native,
    }
}

fn state(outcome: &shim::wisp_outcome) -> State {
    match outcome.state {
        shim::wisp_app_state_WISP_APP_EMPTY => State::Empty,
        shim::wisp_app_state_WISP_APP_LOADED => State::Loaded,
        shim::wisp_app_state_WISP_APP_RUNNING => State::Running,
        shim::wisp_app_state_WISP_APP_EXITED => State::Exited(outcome.exit_status),
        shim::wisp_app_state_WISP_APP_TRAPPED => State::Trapped(TrapSite {
            code: TrapCode::from_u32(outcome.trap).unwrap_or(TrapCode::HostError),
            function: (outcome.function != u32::MAX).then_some(outcome.function),
            offset: outcome.offset,
            image_wasm: outcome.image_wasm,
            image_code: outcome.image_code,
        }),
        shim::wisp_app_state_WISP_APP_STOPPED => State::Stopped,
        _ => State::Failed(error(outcome.error, Error::NoEntry, Error::Other).unwrap_or(Error::Other)),
    }
}

/// Reads how much an app has used.
pub(crate) fn usage(app: &shim::wisp_app) -> shim::wisp_app_usage {
    let mut usage = MaybeUninit::uninit();
    // SAFETY: rule A; C writes every member of the record.
    unsafe {
        shim::wisp_app_usage(app, usage.as_mut_ptr());
        usage.assume_init()
    }
}

/// Limits an app's work.
pub(crate) fn set_fuel(app: &shim::wisp_app, fuel: u64) {
    // SAFETY: rule A.
    unsafe { shim::wisp_app_set_fuel(app, fuel) }
}

/// Limits an app's time.
#[cfg(CONFIG_WISP_DEADLINE)]
pub(crate) fn set_max_run(app: &shim::wisp_app, milliseconds: u32) {
    // SAFETY: rule A.
    unsafe { shim::wisp_app_set_max_run(app, milliseconds) }
}

/// Returns the trap with which an app ends that has to stop.
pub(crate) fn stop_trap(reason: u32) -> Trap {
    Trap::new(TrapCode::from_u32(reason).unwrap_or(TrapCode::Interrupted))
}

/// Connects the crate `log` with Zephyr's log. Only the first call does something.
pub fn start_log() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if !STARTED.load(Ordering::Relaxed) {
        STARTED.store(true, Ordering::Relaxed);
        // SAFETY: `main!` makes this the first statement of the main thread, and nothing else sets a logger. Apps that
        // the app storage has started may log meanwhile, which the crate `log` allows.
        let _ = unsafe { zephyr::set_logger() };
    }
}
