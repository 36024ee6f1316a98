// SPDX-License-Identifier: Apache-2.0
//! `wisp:timer@1`: time since boot and sleeping.

use crate::{param, Constant, ErrorSpace, Function, Interface, Kind, Returns};

/// Timers of each app.
pub const TIMERS: u32 = 4;

const TIMER: crate::Param = param("timer", Kind::U32, "number below `TIMERS`");
const NO_TIMER: (&str, &str) = ("EINVAL", "there is no timer with this number");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:timer@1",
    ident: "timer",
    host_trait: "TimerV1",
    doc: "Time since boot, monotonic, sleeping, and timers. Needs no grant. A sleeping app costs no CPU \
          time.\n\nAn app has `TIMERS` timers, numbered from 0. A timer that ran out is an event, which `wait` of \
          `wisp:event@1` delivers. The event's value is how often it ran out since it was last delivered, so \
          that a slow app gets one event and not many.",
    grant: None,
    errors: ErrorSpace::Wisp,
    constants: &[Constant { name: "TIMERS", value: TIMERS, doc: "Timers of each app." }],
    records: &[],
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
            doc: "Blocks the app for at least this long. Zero yields the CPU to threads of the same priority.",
            params: &[param("duration", Kind::U64, "microseconds")],
            returns: Returns::Nothing,
            errors: &[],
        },
        Function {
            name: "sleep_ms",
            doc: "Blocks the app for at least this long. Zero yields the CPU to threads of the same priority.",
            params: &[param("duration", Kind::U32, "milliseconds")],
            returns: Returns::Nothing,
            errors: &[],
        },
        Function {
            name: "start",
            doc: "Starts a timer, or starts it anew. What it told before and was not delivered is dropped.",
            params: &[
                TIMER,
                param("delay", Kind::U64, "microseconds until it first runs out"),
                param("period", Kind::U64, "microseconds between later times; 0 for once only"),
            ],
            returns: Returns::Nothing,
            errors: &[NO_TIMER],
        },
        Function {
            name: "cancel",
            doc: "Stops a timer. What it told and was not delivered is dropped.",
            params: &[TIMER],
            returns: Returns::Nothing,
            errors: &[NO_TIMER],
        },
    ],
};
