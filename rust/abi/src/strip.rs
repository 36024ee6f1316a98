// SPDX-License-Identifier: Apache-2.0
//! `wisp:strip@1`: LED strips.

use crate::{param, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// The largest number of strips that one app can be granted.
pub const MAX_STRIPS: u32 = 32;
/// The bytes of the color of one LED: red, green and blue.
pub const COLOR: u32 = 3;

const STRIP: Param = param("strip", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const FAILED: (&str, &str) = ("EIO", "the driver failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:strip@1",
    ident: "strip",
    host_trait: "StripV1",
    doc: "Strips of LEDs with a color each, such as WS2812 and APA102, granted by `led-strips` and `led-strip-names` in \
          the app's node. The order of the channels on the wire is the board's business. A strip belongs to the app that \
          has it open. When the app ends, its LEDs go dark.",
    grant: Grant::devices("led-strips", "led-strip-names", "a strip of LEDs with a color each"),
    errors: ErrorSpace::Wisp,
    constants: &[],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted strip, whose LEDs are dark at first. Again, it returns the same handle and leaves the \
                  LEDs as they are.",
            params: &[param("label", Kind::Bytes, "the strip's name in `led-strip-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such strip was granted to the app"),
                ("ENODEV", "the driver is not ready"),
                ("EBUSY", "another app that was granted the same strip has it open"),
                FAILED,
            ],
        },
        Function {
            name: "close",
            doc: "Lets all LEDs go dark and gives the handle back.",
            params: &[STRIP],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, FAILED],
        },
        Function {
            name: "length",
            doc: "Returns the number of LEDs.",
            params: &[STRIP],
            returns: Returns::Value("LEDs"),
            errors: &[NOT_OPEN],
        },
        Function {
            name: "write",
            doc: "Sends colors to the first LEDs of the strip. The others keep theirs. The call takes as long as the \
                  transfer.",
            params: &[STRIP, param("colors", Kind::Bytes, "red, green and blue of each LED, a byte each")],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("EINVAL", "the number of bytes is no multiple of 3"),
                ("ERANGE", "there are more colors than LEDs"),
                FAILED,
            ],
        },
    ],
};
