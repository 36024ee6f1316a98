// SPDX-License-Identifier: Apache-2.0
//! `wisp:gpio@1`: digital pins by label.

use crate::{param, Constant, ErrorSpace, Form, Function, Grant, Interface, Kind, Returns};

/// Read the pin.
pub const INPUT: u32 = 0;
/// Drive the pin, inactive at first.
pub const OUTPUT_INACTIVE: u32 = 1;
/// Drive the pin, active at first.
pub const OUTPUT_ACTIVE: u32 = 2;
/// Watch nothing.
pub const EDGE_NONE: u32 = 0;
/// Watch for the pin becoming active.
pub const EDGE_ACTIVE: u32 = 1;
/// Watch for the pin becoming inactive.
pub const EDGE_INACTIVE: u32 = 2;
/// Watch for both.
pub const EDGE_BOTH: u32 = 3;
/// The largest number of pins that one app can be granted.
pub const MAX_PINS: u32 = 32;

const PIN: crate::Param = param("pin", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const NOT_OUTPUT: (&str, &str) = ("EPERM", "the pin was opened as an input");
const FAILED: (&str, &str) = ("EIO", "the driver failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:gpio@1",
    ident: "gpio",
    host_trait: "GpioV1",
    doc: "Digital pins by label, after wasi:gpio. Levels are logical: whether *active* is high or low \
          voltage, and pulls and drive strength, are the grant's business, not the guest's.\n\nA pin \
          is granted by `gpios` and `gpio-names` in the app's node. One that several apps were granted \
          belongs to the one that has it open. When an app ends, however it \
          ends, its outputs are made inactive and its pins are released.",
    grant: Some(Grant {
        property: "gpios",
        beside: "gpio-names",
        form: Form::SpecialDevices,
        what: "a pin, with its active level and pull resistors; edges become events",
    }),
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "INPUT", value: INPUT, doc: "Read the pin." },
        Constant { name: "OUTPUT_INACTIVE", value: OUTPUT_INACTIVE, doc: "Drive the pin, inactive at first." },
        Constant { name: "OUTPUT_ACTIVE", value: OUTPUT_ACTIVE, doc: "Drive the pin, active at first." },
        Constant { name: "EDGE_NONE", value: EDGE_NONE, doc: "Watch nothing." },
        Constant { name: "EDGE_ACTIVE", value: EDGE_ACTIVE, doc: "Watch for the pin becoming active." },
        Constant { name: "EDGE_INACTIVE", value: EDGE_INACTIVE, doc: "Watch for the pin becoming inactive." },
        Constant { name: "EDGE_BOTH", value: EDGE_BOTH, doc: "Watch for both." },
    ],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted pin and sets its direction. Opening it again changes the direction \
                  and returns the same handle.",
            params: &[
                param("label", Kind::Bytes, "the pin's name in `gpio-names`"),
                param("mode", Kind::U32, "`INPUT`, `OUTPUT_INACTIVE` or `OUTPUT_ACTIVE`"),
            ],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such pin, or not this direction, was granted to the app"),
                ("EINVAL", "the mode is none of the constants"),
                ("EBUSY", "another app that was granted the same pin has it open"),
                ("ENODEV", "the pin's controller is not ready"),
                ("ENOTSUP", "the controller cannot do this"),
                FAILED,
            ],
        },
        Function {
            name: "close",
            doc: "Releases the pin: an output becomes inactive first.",
            params: &[PIN],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, FAILED],
        },
        Function {
            name: "set_active",
            doc: "Drives the pin active.",
            params: &[PIN],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, NOT_OUTPUT, FAILED],
        },
        Function {
            name: "set_inactive",
            doc: "Drives the pin inactive.",
            params: &[PIN],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, NOT_OUTPUT, FAILED],
        },
        Function {
            name: "set",
            doc: "Drives the pin active or inactive.",
            params: &[PIN, param("active", Kind::U32, "0 for inactive, anything else for active")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, NOT_OUTPUT, FAILED],
        },
        Function {
            name: "toggle",
            doc: "Inverts the level the pin is driven to.",
            params: &[PIN],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, NOT_OUTPUT, FAILED],
        },
        Function {
            name: "is_active",
            doc: "Whether the pin is active: the level at an input, the level driven at an output.",
            params: &[PIN],
            returns: Returns::Value("1 if active, else 0"),
            errors: &[NOT_OPEN, FAILED],
        },
        Function {
            name: "watch",
            doc: "Chooses which edges of an input become events, which `wait` of `wisp:event@1` delivers. \
                  Events of the pin that were not delivered yet are dropped.",
            params: &[PIN, param("edges", Kind::U32, "one of the `EDGE` constants")],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("EPERM", "the pin was opened as an output"),
                ("EINVAL", "the edges are none of the constants"),
                ("ENOTSUP", "the controller or this firmware has no interrupts for pins"),
                FAILED,
            ],
        },
    ],
};
