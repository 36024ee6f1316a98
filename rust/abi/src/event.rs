// SPDX-License-Identifier: Apache-2.0
//! `wisp:event@1`: waiting for whatever happens first.

use crate::{field, param, Constant, ErrorSpace, Function, Interface, Kind, Record, Returns};

/// A timer ran out.
pub const TIMER: u32 = 1;
/// A watched pin changed.
pub const EDGE: u32 = 2;
/// A UART received something.
pub const UART: u32 = 3;
/// A message arrived in a channel's queue.
pub const MESSAGE: u32 = 4;
/// The alarm of a counter.
pub const ALARM: u32 = 5;
/// A socket became ready.
pub const NET: u32 = 6;
/// An input device reported something.
pub const INPUT: u32 = 7;
/// A CAN bus received a frame.
pub const CAN: u32 = 8;
/// Bluetooth received an advertisement.
pub const BLE: u32 = 9;
/// Wait without limit.
pub const FOREVER: u32 = u32::MAX;

/// The record that `wait` writes.
pub const EVENT: Record = Record {
    name: "event",
    doc: "What happened.",
    fields: &[
        field("time_us", 8, "when it happened, microseconds since boot"),
        field("kind", 4, "`TIMER`, `EDGE`, `UART`, `MESSAGE`, `ALARM`, `NET`, `INPUT`, `CAN` or `BLE`"),
        field(
            "source",
            4,
            "number of the timer, or handle of the pin, UART, channel, counter, socket, input device or CAN bus; Bluetooth: 0, or 1 if a client has written",
        ),
        field(
            "value",
            4,
            "timer: how often it ran out since it was last delivered; edge: 1 if the pin became active, else 0; \
             socket: `READABLE`, `WRITABLE` or both of `wisp:net@1`; UART, message, alarm, input, CAN and Bluetooth: 0",
        ),
        field("lost", 4, "events dropped since the last one delivered, because the queue was full"),
    ],
};

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:event@1",
    ident: "event",
    host_trait: "EventV1",
    doc: "Waiting for whatever happens first: edges of pins watched with `wisp:gpio@1`, timers started with \
          `wisp:timer@1`, data at UARTs of `wisp:uart@1`, messages of `wisp:msg@1`. The others are alarms of \
          `wisp:counter@1`, sockets of `wisp:net@1`, reports of `wisp:input@1`, frames of `wisp:can@1` and advertisements of `wisp:ble@1`. Needs no grant of its own. A waiting app costs no CPU \
          time.\n\nEvents wait in a queue of the app's own, filled by interrupts, until `wait` takes them, oldest \
          first. Timers and the queue take turns when both have something. When the queue is full, new events \
          are dropped, and the next event delivered says how many.",
    grant: None,
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "TIMER", value: TIMER, doc: "A timer ran out." },
        Constant { name: "EDGE", value: EDGE, doc: "A watched pin changed." },
        Constant { name: "UART", value: UART, doc: "A UART received something." },
        Constant { name: "MESSAGE", value: MESSAGE, doc: "A message arrived in a channel's queue." },
        Constant { name: "ALARM", value: ALARM, doc: "The alarm of a counter." },
        Constant { name: "NET", value: NET, doc: "A socket became ready." },
        Constant { name: "INPUT", value: INPUT, doc: "An input device reported something." },
        Constant { name: "CAN", value: CAN, doc: "A CAN bus received a frame." },
        Constant { name: "BLE", value: BLE, doc: "Bluetooth received an advertisement." },
        Constant { name: "FOREVER", value: FOREVER, doc: "Wait without limit." },
    ],
    records: &[EVENT],
    functions: &[Function {
        name: "wait",
        doc: "Takes the next event, waiting for it if there is none.",
        params: &[
            param("timeout", Kind::U32, "milliseconds to wait at most; 0 only looks, `FOREVER` has no limit"),
            param("event", Kind::OutRecord(EVENT.size()), "an `event`"),
        ],
        returns: Returns::Nothing,
        errors: &[("ETIMEDOUT", "nothing happened in time")],
    }],
};
