// SPDX-License-Identifier: Apache-2.0
//! `wisp:hwinfo@1`: what the hardware says of itself.

use crate::{param, Constant, ErrorSpace, Form, Function, Grant, Interface, Kind, Returns};

/// The longest identifier in bytes.
pub const MAX_ID: u32 = 32;

const fn cause(bit: u32, name: &'static str, doc: &'static str) -> Constant {
    Constant { name, value: 1 << bit, doc }
}

/// The causes of a reset, which have the bits of Zephyr's.
pub const CAUSES: [Constant; 17] = [
    cause(0, "PIN", "A pin."),
    cause(1, "SOFTWARE", "The firmware, as after an update."),
    cause(2, "BROWNOUT", "A drop in voltage."),
    cause(3, "POWER_ON", "Power was switched on."),
    cause(4, "WATCHDOG", "A hardware watchdog."),
    cause(5, "DEBUG", "A debugger."),
    cause(6, "SECURITY", "A violation of security."),
    cause(7, "LOW_POWER_WAKE", "The end of a mode of low power."),
    cause(8, "CPU_LOCKUP", "The processor had locked up."),
    cause(9, "PARITY", "A parity error."),
    cause(10, "PLL", "An error of the PLL."),
    cause(11, "CLOCK", "An error of a clock."),
    cause(12, "HARDWARE", "Other hardware."),
    cause(13, "USER", "A user."),
    cause(14, "TEMPERATURE", "The temperature."),
    cause(15, "BOOTLOADER", "The boot loader was entered or left."),
    cause(16, "FLASH", "An error of the flash."),
];

/// All bits of [`CAUSES`].
pub const ALL_CAUSES: u32 = (1 << CAUSES.len()) - 1;

const CONSTANTS: [Constant; 18] = {
    let mut all = [Constant { name: "MAX_ID", value: MAX_ID, doc: "The longest identifier in bytes." }; 18];
    let mut i = 0;
    while i < CAUSES.len() {
        all[i + 1] = CAUSES[i];
        i += 1;
    }
    all
};

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:hwinfo@1",
    ident: "hwinfo",
    host_trait: "HwinfoV1",
    doc: "The identifier of the hardware and the cause of its last reset, as the chip's driver gives them. Each is granted by a \
          property of the app's node, `hwinfo-device-id` and `hwinfo-reset-cause`.",
    grant: Some(Grant {
        property: "hwinfo-device-id",
        beside: "hwinfo-reset-cause",
        form: Form::Facts,
        what: "the hardware's identifier, and the cause of its last reset",
    }),
    errors: ErrorSpace::Wisp,
    constants: &CONSTANTS,
    records: &[],
    functions: &[
        Function {
            name: "device_id",
            doc: "Reads the identifier of the hardware, in the order in which it is written as a serial number. A buffer that is \
                  too short gets its beginning. An identifier need not be unique, and is no secret.",
            params: &[param("buffer", Kind::Buffer, "gets the identifier")],
            returns: Returns::Value("the length of the whole identifier, 1 to `MAX_ID`"),
            errors: &[
                ("EACCES", "the app's node has no `hwinfo-device-id`"),
                ("ENOTSUP", "the hardware has none"),
                ("EIO", "the driver failed"),
            ],
        },
        Function {
            name: "reset_cause",
            doc: "Returns why the hardware was reset. If the hardware keeps causes until they are cleared, it returns those of \
                  all resets since the firmware cleared them last.",
            params: &[],
            returns: Returns::Value("bits of the constants, 0 if the cause is unknown"),
            errors: &[
                ("EACCES", "the app's node has no `hwinfo-reset-cause`"),
                ("ENOTSUP", "the hardware does not tell"),
                ("EIO", "the driver failed"),
            ],
        },
    ],
};
