// SPDX-License-Identifier: Apache-2.0
//! `wisp:adc@1`: analog inputs.

use crate::{param, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// The largest number of channels that one app can be granted.
pub const MAX_CHANNELS: u32 = 32;

const CHANNEL: Param = param("channel", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const CONVERSION: [(&str, &str); 3] =
    [("EBUSY", "the converter is in use"), ("ETIMEDOUT", "the conversion took too long"), ("EIO", "the driver failed")];

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:adc@1",
    ident: "adc",
    host_trait: "AdcV1",
    doc: "Analog inputs, granted by `io-channels` and `io-channel-names` in the app's node. Gain, reference, \
          resolution and oversampling are those of the channel's devicetree node.",
    grant: Grant::devices("io-channels", "io-channel-names", "a channel, with gain, reference and resolution"),
    errors: ErrorSpace::Wisp,
    constants: &[],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted channel and sets it up. A second call returns the same handle.",
            params: &[param("label", Kind::Bytes, "the channel's name in `io-channel-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such channel was granted to the app"),
                ("ENODEV", "the converter is not ready"),
                ("EINVAL", "the converter cannot do what the channel's node asks for"),
            ],
        },
        Function {
            name: "close",
            doc: "Gives the handle back.",
            params: &[CHANNEL],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "resolution",
            doc: "How many bits a raw value has.",
            params: &[CHANNEL],
            returns: Returns::Value("bits"),
            errors: &[NOT_OPEN],
        },
        Function {
            name: "read",
            doc: "Converts once and gives the converter's number.",
            params: &[CHANNEL, param("raw", Kind::OutI32, "negative for differential inputs only")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, CONVERSION[0], CONVERSION[1], CONVERSION[2]],
        },
        Function {
            name: "read_uv",
            doc: "Converts once and gives the voltage at the input, with gain and reference taken into account.",
            params: &[CHANNEL, param("microvolts", Kind::OutI32, "the voltage")],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("ENOTSUP", "the reference voltage is not known"),
                CONVERSION[0],
                CONVERSION[1],
                CONVERSION[2],
            ],
        },
    ],
};
