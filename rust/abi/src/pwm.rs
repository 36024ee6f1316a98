// SPDX-License-Identifier: Apache-2.0
//! `wisp:pwm@1`: pulse-width modulated outputs.

use crate::{param, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// The largest number of outputs that one app can be granted.
pub const MAX_OUTPUTS: u32 = 32;

const OUTPUT: Param = param("output", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const FAILED: (&str, &str) = ("EIO", "the driver failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:pwm@1",
    ident: "pwm",
    host_trait: "PwmV1",
    doc: "Pulse-width modulated outputs, granted by `pwms` and `pwm-names` in the app's node. The period and the \
          polarity are the grant's. The app chooses how much of the period the output is active. When an app ends, \
          its outputs stay inactive.",
    grant: Grant::devices("pwms", "pwm-names", "an output, with its period and polarity"),
    errors: ErrorSpace::Wisp,
    constants: &[],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted output, inactive at first. Again, it returns the same handle and leaves the output \
                  as it is.",
            params: &[param("label", Kind::Bytes, "the output's name in `pwm-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such output was granted to the app"),
                ("ENODEV", "the controller is not ready"),
                FAILED,
            ],
        },
        Function {
            name: "close",
            doc: "Makes the output inactive and gives the handle back.",
            params: &[OUTPUT],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, FAILED],
        },
        Function {
            name: "period",
            doc: "The output's period.",
            params: &[OUTPUT, param("period", Kind::OutU32, "nanoseconds")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "set",
            doc: "Sets how long the output is active in each period.",
            params: &[OUTPUT, param("pulse", Kind::U32, "nanoseconds, from 0 to the period")],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("EINVAL", "the pulse is longer than the period"),
                ("ENOTSUP", "the controller cannot do this pulse"),
                FAILED,
            ],
        },
    ],
};
