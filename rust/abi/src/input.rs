// SPDX-License-Identifier: Apache-2.0
//! `wisp:input@1`: keys, touch panels and other input devices.

use crate::{field, param, Constant, ErrorSpace, Function, Grant, Interface, Kind, Param, Record, Returns};

/// A key or button: the value is 1 if it was pressed and 0 if it was released.
pub const KEY: u32 = 1;
/// A movement.
pub const REL: u32 = 2;
/// A position.
pub const ABS: u32 = 3;
/// Anything else.
pub const MISC: u32 = 4;
/// Wait without limit.
pub const FOREVER: u32 = u32::MAX;
/// The largest number of input devices that one app can be granted.
pub const MAX_INPUTS: u32 = 32;

const INPUT: Param = param("input", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");

/// The record that `read` writes.
pub const REPORT: Record = Record {
    name: "report",
    doc: "What an input device reports.",
    fields: &[
        field("time_us", 8, "when the host got it, microseconds since boot"),
        field("kind", 4, "`KEY`, `REL`, `ABS`, `MISC` or a kind of the driver"),
        field("code", 4, "which key, axis or other source, a code of Linux's input events"),
        field("value", 4, "the new value, a signed number of 32 bits"),
        field("sync", 4, "1 if it completes what was reported together, else 0"),
    ],
};

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:input@1",
    ident: "input",
    host_trait: "InputV1",
    doc: "Keys, touch panels, encoders and other input devices with a driver in the firmware, granted by `inputs` and \
          `input-names` in the app's node. Drivers debounce keys and number them as Linux does.\n\nWhile a device is open, its \
          reports wait in a queue of the app, whose length is the firmware's (`CONFIG_WISP_INPUT_QUEUE`). A report that \
          finds the queue full is dropped and counted. Apps that were granted the same device get the same reports.",
    grant: Grant::devices("inputs", "input-names", "an input device, such as keys or a touch panel; reports become events"),
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "KEY", value: KEY, doc: "A key or button: 1 if it was pressed, 0 if it was released." },
        Constant { name: "REL", value: REL, doc: "A movement." },
        Constant { name: "ABS", value: ABS, doc: "A position." },
        Constant { name: "MISC", value: MISC, doc: "Anything else." },
        Constant { name: "FOREVER", value: FOREVER, doc: "Wait without limit." },
    ],
    records: &[REPORT],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted device, with nothing reported yet. Again, it returns the same handle and drops what \
                  was reported.",
            params: &[param("label", Kind::Bytes, "the device's name in `input-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such device was granted to the app"),
                ("ENODEV", "the device is not ready"),
            ],
        },
        Function {
            name: "close",
            doc: "Gives the handle back. What was reported is dropped.",
            params: &[INPUT],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "read",
            doc: "Takes the oldest report, waiting if there is none.",
            params: &[
                INPUT,
                param("timeout", Kind::U32, "milliseconds to wait at most; 0 does not wait, `FOREVER` has no limit"),
                param("report", Kind::OutRecord(REPORT.size()), "a `report`"),
            ],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("ETIMEDOUT", "nothing was reported in time")],
        },
        Function {
            name: "watch",
            doc: "Chooses whether reports become events, which `wait` of `wisp:event@1` delivers: one when a report is \
                  there after `read` had taken all, or is there already. Events that were not delivered yet are dropped.",
            params: &[INPUT, param("on", Kind::U32, "0 for no events, anything else for events")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("ENOTSUP", "this firmware has no events")],
        },
        Function {
            name: "lost",
            doc: "Returns how many reports found the queue full since this was last asked.",
            params: &[INPUT],
            returns: Returns::Value("reports"),
            errors: &[NOT_OPEN],
        },
    ],
};
