// SPDX-License-Identifier: Apache-2.0
//! `wisp:timer@1`: time since boot and sleeping.

use crate::{param, ErrorSpace, Function, Interface, Kind, Returns};

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:timer@1",
    ident: "timer",
    host_trait: "TimerV1",
    doc: "Time since boot, monotonic, and sleeping. Needs no grant. A sleeping app costs no CPU time.",
    errors: ErrorSpace::Wisp,
    constants: &[],
    functions: &[
        Function {
            name: "uptime_us",
            doc: "Time since boot in microseconds. Its resolution is the system's tick or cycle counter.",
            params: &[],
            returns: Returns::U64("microseconds"),
            errors: &[],
        },
        Function {
            name: "uptime_ms",
            doc: "Time since boot in milliseconds.",
            params: &[],
            returns: Returns::U64("milliseconds"),
            errors: &[],
        },
        Function {
            name: "sleep_us",
            doc: "Blocks the app for at least this long; zero yields the CPU to threads of the same priority.",
            params: &[param("duration", Kind::U64, "microseconds")],
            returns: Returns::Nothing,
            errors: &[],
        },
        Function {
            name: "sleep_ms",
            doc: "Blocks the app for at least this long; zero yields the CPU to threads of the same priority.",
            params: &[param("duration", Kind::U32, "milliseconds")],
            returns: Returns::Nothing,
            errors: &[],
        },
    ],
};
