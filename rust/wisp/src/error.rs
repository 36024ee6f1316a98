// SPDX-License-Identifier: Apache-2.0
//! Errors of calls, and reasons why an image could not be started.

use core::fmt;

/// Why a call failed, or why an image could not be started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The firmware has no app of this name, or the devicetree node is no enabled child of a `wisp,apps` node.
    NoApp,
    /// The firmware has no image of this name, or the app has no image.
    NoImage,
    /// The bytes are no image, the image is damaged or of another version, or has no native code that may run here.
    BadImage,
    /// The image is not aligned to 8 bytes.
    Misaligned,
    /// The image imports a function that the firmware does not have, or needs a feature that the firmware lacks.
    Unsupported,
    /// The image needs more memory than the app has.
    NoMemory,
    /// The image has more imports, functions or table elements than the app may have.
    TooMany,
    /// The image exports neither `_start` nor `_initialize`.
    NoEntry,
    /// The app is running.
    Running,
    /// The app is not running.
    NotRunning,
    /// The app was still running when the time was over.
    TimedOut,
    /// The app itself made the call, through a host function.
    Itself,
    /// Zephyr aborted the app's thread, because a driver faulted in it.
    Faulted,
    /// The call failed for a reason that this crate does not know.
    Other,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::NoApp => "there is no such app: it is a node with status \"okay\" under compatible = \"wisp,apps\"",
            Error::NoImage => "there is no such image: wisp_add_app() in CMakeLists.txt makes one",
            Error::BadImage => "the image is damaged, of another version, or has no code that may run here",
            Error::Misaligned => "the image is not aligned to 8 bytes",
            Error::Unsupported => "the image needs a function or a feature that this firmware does not have",
            Error::NoMemory => "the image needs more memory than the app has",
            Error::TooMany => "the image has more imports, functions or table elements than the app may have",
            Error::NoEntry => "the image exports neither _start nor _initialize",
            Error::Running => "the app is running",
            Error::NotRunning => "the app is not running",
            Error::TimedOut => "the app is still running",
            Error::Itself => "an app cannot wait for its own end",
            Error::Faulted => "the thread of the app was aborted because of a fault in a driver",
            Error::Other => "the call failed",
        })
    }
}

impl core::error::Error for Error {}
