// SPDX-License-Identifier: Apache-2.0
//! How a guest begins and ends.

use crate::abi::wasi;
use crate::{Errno, Error};
use core::fmt::Debug;

/// A value that a guest's main function may return.
pub trait Outcome {
    /// Reports how the guest ended, and does not return if it failed.
    fn report(self);
}

impl Outcome for () {
    fn report(self) {}
}

impl Outcome for core::convert::Infallible {
    fn report(self) {}
}

impl<T: Outcome, E: Debug> Outcome for Result<T, E> {
    fn report(self) {
        match self {
            Ok(value) => value.report(),
            Err(error) => {
                crate::error!("ended: {:?}", error);
                exit(1)
            }
        }
    }
}

/// Runs a guest's main function. [`crate::main!`] calls it.
pub fn run<T: Outcome>(main: impl FnOnce() -> T) {
    main().report();
}

/// Ends the guest. Zero is success. Nothing is dropped, and the host releases what was open.
pub fn exit(status: u32) -> ! {
    wasi::proc_exit(status)
}

/// Number of arguments that [`argument`] can handle.
const MAX_ARGUMENTS: usize = 16;

/// Returns an argument of the app, of which 0 is its name. The buffer takes all arguments, each with a byte behind it.
/// Returns `None` if there is no such argument, if it is not UTF-8, if there are more than 16, or if the buffer is too small.
pub fn argument(index: usize, buffer: &mut [u8]) -> Option<&str> {
    let (count, size) = wasi::args_sizes_get().ok()?;
    let (count, size) = (count as usize, size as usize);
    if index >= count || count > MAX_ARGUMENTS || size > buffer.len() {
        return None;
    }
    let mut addresses = [0u32; MAX_ARGUMENTS];
    // SAFETY: there is room for the address of each argument and for all bytes, as just checked. The arguments of an
    // app do not change while it runs.
    unsafe { wasi::args_get(addresses.as_mut_ptr().cast(), buffer.as_mut_ptr()) }.ok()?;
    let text = buffer.get(..size)?.split(|byte| *byte == 0).nth(index)?;
    core::str::from_utf8(text).ok()
}

/// Fills a buffer with random bytes.
///
/// # Errors
/// `ENOTSUP` if the board has no entropy source, `EIO` if it failed.
pub fn random(buffer: &mut [u8]) -> Result<(), Error> {
    wasi::random_get(buffer).map_err(|error| {
        Error(match error {
            crate::WasiErrno::NotSupported => Errno::NotSupported,
            crate::WasiErrno::NoSys => Errno::NoSys,
            _ => Errno::Io,
        })
    })
}

/// Makes a function the guest's entry. It may return `()` or a `Result`, whose error is logged and
/// ends the guest with status 1.
#[macro_export]
macro_rules! main {
    ($main:path) => {
        // Off wasm the name is the platform's own entry, and a guest is built there only for tests.
        #[cfg_attr(target_arch = "wasm32", export_name = "_start")]
        extern "C" fn wisp_guest_start() {
            $crate::run($main)
        }
    };
}
