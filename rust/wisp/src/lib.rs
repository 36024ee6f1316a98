// SPDX-License-Identifier: Apache-2.0
//! WebAssembly apps in firmware that is written in Rust, over the crate `zephyr`.
//!
//! ```ignore
//! wisp::main!(firmware);
//!
//! fn firmware() -> Result<(), wisp::Error> {
//!     let blinky = wisp::app!(labels::blinky)?;     // a node under `compatible = "wisp,apps"`
//!     blinky.load("blinky")?;                       // wisp_add_app(NAME blinky ...) in CMake
//!     blinky.start()?;
//!     let status = blinky.join(zephyr::time::Forever)?;
//!     log::info!("{}: {}", blinky.name(), status.state);
//!     Ok(())
//! }
//! ```
//!
//! Principles:
//! - An [`App`] is what `struct wisp_app` is in C: a slot with a thread, memory and grants, which the devicetree
//!   defines. The crate adds no state of its own, so that C and Rust may use the same app.
//! - The firmware needs no `unsafe`. All unsafe code of this crate is in the module `raw`.
//! - Log and time are those of the crate `zephyr`. An [`App`] may be handed to a `zephyr::thread`.
//! - The interfaces that apps may use are those of the firmware's Kconfig. The build script refuses features of this
//!   crate that differ from it.
//!
//! `doc/rust-firmware.md` describes a whole firmware.
#![no_std]

mod app;
mod error;
mod function;
mod outcome;
mod raw;

pub use app::{App, Usage};
pub use error::Error;
pub use function::{Caller, CallerExt, HostFunction};
pub use outcome::{State, Status, TrapSite};
pub use wisp_port::engine::{Trap, TrapCode};
pub use wisp_port::host::Errno;

/// Parts of the macros. They may change at any time.
#[doc(hidden)]
pub mod macros {
    pub use crate::function::Record;
    pub use crate::raw::start_log;
    pub use log::error;
    pub use zephyr::devicetree;

    /// The end of a firmware's main function: nothing, or an error to log.
    pub trait Ending {
        /// Logs the error, if there is one.
        fn report(self);
    }

    impl Ending for () {
        fn report(self) {}
    }

    impl<E: core::fmt::Display> Ending for Result<(), E> {
        fn report(self) {
            if let Err(error) = self {
                log::error!("{error}");
            }
        }
    }
}

/// Makes a function the main function of the firmware, and optionally a table the host functions of the firmware.
///
/// The function takes nothing, and returns nothing or a `Result<(), E>` whose error is logged. Before it is called, the
/// macros of the crate `log` are connected with Zephyr's log (`zephyr::set_logger`).
///
/// Every app may import the functions of the table, a `static` array of [`HostFunction`]. They exist from the start,
/// also for apps that the app storage starts before the main function runs.
///
/// ```ignore
/// static FUNCTIONS: [wisp::HostFunction; 1] = [wisp::HostFunction::wrap("acme:lamp@1", "set", set)];
///
/// wisp::main!(firmware, FUNCTIONS);
/// ```
#[macro_export]
macro_rules! main {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn rust_main() {
            $crate::macros::start_log();
            $crate::macros::Ending::report($main());
        }
    };
    ($main:path, $functions:path) => {
        // In the same module as `rust_main`, so that the linker takes both from the archive.
        const _: () = {
            static TABLE: &[$crate::HostFunction] = &$functions;
            #[used]
            #[unsafe(link_section = "._wisp_host_function.static.wisp_rust_functions_")]
            static RECORD: $crate::macros::Record = $crate::macros::Record::new(&TABLE);
        };
        $crate::main!($main);
    };
}

/// Returns the [`App`] of a devicetree node, or [`Error::NoApp`] if the node is no enabled child of a `wisp,apps` node.
///
/// The node is named as in the module `zephyr::devicetree`: by its label, as in `app!(labels::blinky)`, or by its path,
/// as in `app!(wisp_apps::blinky)`. `_` stands for each character that Rust's names do not have. A node that the
/// devicetree does not have is an error of the compiler.
#[macro_export]
macro_rules! app {
    ($($node:ident)::+) => {
        $crate::App::of_node($crate::macros::devicetree::$($node)::+::ORD)
    };
}
