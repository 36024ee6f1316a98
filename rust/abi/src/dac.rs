// SPDX-License-Identifier: Apache-2.0
//! `wisp:dac@1`: analog outputs.

use crate::{param, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// The largest number of outputs that one app can be granted.
pub const MAX_OUTPUTS: u32 = 32;

const OUTPUT: Param = param("output", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const FAILED: (&str, &str) = ("EIO", "the driver failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:dac@1",
    ident: "dac",
    host_trait: "DacV1",
    doc: "Analog outputs, granted by `dacs` and `dac-names` in the app's node. The resolution is the grant's, from \
          `dac-resolutions`. An app writes numbers from 0 to 2^resolution - 1, and the reference of the converter \
          gives the voltage. When an app ends, its outputs are set to 0.",
    grant: Grant::devices("dacs", "dac-names", "an analog output, with its resolution (`dac-resolutions`)"),
    errors: ErrorSpace::Wisp,
    constants: &[],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted output, sets it up and sets it to 0. Again, it returns the same handle and leaves \
                  the output as it is.",
            params: &[param("label", Kind::Bytes, "the output's name in `dac-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such output was granted to the app"),
                ("ENODEV", "the converter is not ready"),
                ("ENOTSUP", "the converter does not have this output or this resolution"),
                FAILED,
            ],
        },
        Function {
            name: "close",
            doc: "Sets the output to 0 and gives the handle back.",
            params: &[OUTPUT],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, FAILED],
        },
        Function {
            name: "resolution",
            doc: "Returns the resolution of the output.",
            params: &[OUTPUT],
            returns: Returns::Value("bits of a value"),
            errors: &[NOT_OPEN],
        },
        Function {
            name: "write",
            doc: "Sets the output to a value, which it keeps until the next one.",
            params: &[OUTPUT, param("value", Kind::U32, "from 0 to 2^resolution - 1")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("EINVAL", "the value has more bits than the output"), FAILED],
        },
    ],
};
