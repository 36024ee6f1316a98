// SPDX-License-Identifier: Apache-2.0
//! `wisp:led@1`: single LEDs.

use crate::{param, Constant, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// The brightness of an LED that is fully on, in percent.
pub const FULL: u32 = 100;
/// The largest number of color channels that one call sets.
pub const MAX_COLORS: u32 = 8;
/// The longest phase of a blinking LED in milliseconds.
pub const MAX_PHASE: u32 = 60_000;
/// The largest number of LEDs that one app can be granted.
pub const MAX_LEDS: u32 = 32;

const LED: Param = param("led", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const FAILED: (&str, &str) = ("EIO", "the driver failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:led@1",
    ident: "led",
    host_trait: "LedV1",
    doc: "Single LEDs with a driver in the firmware, granted by `leds` and `led-names` in the app's node. The driver \
          switches a pin, sets a PWM output, or talks to a controller. An LED belongs to the app that has it open. When \
          the app ends, its LEDs go dark.",
    grant: Grant::devices("leds", "led-names", "an LED with a driver in the firmware"),
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "FULL", value: FULL, doc: "The brightness of an LED that is fully on, in percent." },
        Constant { name: "MAX_COLORS", value: MAX_COLORS, doc: "The largest number of channels that `color` sets." },
        Constant { name: "MAX_PHASE", value: MAX_PHASE, doc: "The longest phase of `blink` in milliseconds." },
    ],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted LED, which is dark at first. Again, it returns the same handle and leaves the LED as \
                  it is.",
            params: &[param("label", Kind::Bytes, "the LED's name in `led-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such LED was granted to the app"),
                ("ENODEV", "the driver is not ready"),
                ("EBUSY", "another app that was granted the same LED has it open"),
                FAILED,
            ],
        },
        Function {
            name: "close",
            doc: "Lets the LED go dark and gives the handle back.",
            params: &[LED],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, FAILED],
        },
        Function {
            name: "set",
            doc: "Sets the brightness and ends blinking. An LED at a pin is on at every brightness but 0.",
            params: &[LED, param("percent", Kind::U32, "from 0 to `FULL`")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("EINVAL", "the brightness is more than `FULL`"), FAILED],
        },
        Function {
            name: "color",
            doc: "Sets the color of an LED that has several channels.",
            params: &[LED, param("channels", Kind::Bytes, "one byte for each channel, in the order of the driver")],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("EINVAL", "there are no channels, more than `MAX_COLORS`, or not as many as the LED has"),
                ("ENOTSUP", "the driver sets no colors"),
                FAILED,
            ],
        },
        Function {
            name: "blink",
            doc: "Lets the LED blink without further calls, if its driver can do that.",
            params: &[
                LED,
                param("on", Kind::U32, "milliseconds, from 1 to `MAX_PHASE`"),
                param("off", Kind::U32, "milliseconds, from 1 to `MAX_PHASE`"),
            ],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("EINVAL", "a phase is 0, or longer than `MAX_PHASE` or than the driver can make it"),
                ("ENOTSUP", "the driver cannot let the LED blink"),
                FAILED,
            ],
        },
    ],
};
