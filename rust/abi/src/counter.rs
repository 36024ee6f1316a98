// SPDX-License-Identifier: Apache-2.0
//! `wisp:counter@1`: hardware counters and their alarms.

use crate::{param, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// The largest number of counters that one app can be granted.
pub const MAX_COUNTERS: u32 = 32;

const COUNTER: Param = param("counter", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const FAILED: (&str, &str) = ("EIO", "the driver failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:counter@1",
    ident: "counter",
    host_trait: "CounterV1",
    doc: "Hardware counters, such as those of a real-time clock, granted by `counters` and `counter-names` in the \
          app's node. A counter counts from 0 to its highest value and begins again at 0. An alarm after a number of \
          ticks is an event, which `wait` of `wisp:event@1` delivers.\n\nA counter that several apps were granted \
          belongs to the app that has it open. When an app ends, its alarms are cancelled. The \
          counters continue to count.",
    grant: Grant::devices("counters", "counter-names", "a counter, with one alarm; the alarm becomes an event"),
    errors: ErrorSpace::Wisp,
    constants: &[],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted counter and lets it count. Again, it returns the same handle and cancels the alarm.",
            params: &[param("label", Kind::Bytes, "the counter's name in `counter-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such counter was granted to the app"),
                ("ENODEV", "the counter is not ready"),
                ("EBUSY", "another app that was granted the same counter has it open"),
                FAILED,
            ],
        },
        Function {
            name: "close",
            doc: "Cancels the alarm and gives the handle back. The counter continues to count.",
            params: &[COUNTER],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "frequency",
            doc: "Returns how fast the counter counts.",
            params: &[COUNTER, param("frequency", Kind::OutU32, "ticks per second, 0 if it counts external events")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "top",
            doc: "Returns the highest value of the counter.",
            params: &[COUNTER, param("top", Kind::OutU32, "ticks")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "read",
            doc: "Returns the value of the counter.",
            params: &[COUNTER, param("ticks", Kind::OutU32, "from 0 to the highest value")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, FAILED],
        },
        Function {
            name: "alarm",
            doc: "Sets the alarm, which becomes an event once, after a number of ticks. An alarm that was set before \
                  is cancelled, and its event is dropped if it was not delivered.",
            params: &[COUNTER, param("ticks", Kind::U32, "from 1 to the highest value")],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("EINVAL", "the number of ticks is 0 or more than the highest value"),
                ("ENOTSUP", "the counter has no alarm, or the firmware has no events"),
                ("EBUSY", "the firmware uses the counter's alarm"),
                FAILED,
            ],
        },
        Function {
            name: "cancel",
            doc: "Cancels the alarm. Its event is dropped if it was not delivered.",
            params: &[COUNTER],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, FAILED],
        },
    ],
};
