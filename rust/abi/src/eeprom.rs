// SPDX-License-Identifier: Apache-2.0
//! `wisp:eeprom@1`: EEPROMs.

use crate::{param, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// The largest number of EEPROMs that one app can be granted.
pub const MAX_EEPROMS: u32 = 32;

const EEPROM: Param = param("eeprom", Kind::Handle, "from `open`");
const OFFSET: Param = param("offset", Kind::U32, "the first byte, counted from 0");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const BEYOND: (&str, &str) = ("ERANGE", "the bytes do not lie inside the EEPROM");
const FAILED: (&str, &str) = ("EIO", "the driver failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:eeprom@1",
    ident: "eeprom",
    host_trait: "EepromV1",
    doc: "EEPROMs with a driver in the firmware, granted by `eeproms` and `eeprom-names` in the app's node. Bytes are \
          written without erasing them first, and outlive a restart. The chip limits how often: many chips bear 100,000 \
          to 1,000,000 writes of each page. An EEPROM belongs to the app that has it open.",
    grant: Grant::devices("eeproms", "eeprom-names", "an EEPROM with a driver in the firmware"),
    errors: ErrorSpace::Wisp,
    constants: &[],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted EEPROM. Again, it returns the same handle.",
            params: &[param("label", Kind::Bytes, "the EEPROM's name in `eeprom-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such EEPROM was granted to the app"),
                ("ENODEV", "the driver is not ready"),
                ("EBUSY", "another app that was granted the same EEPROM has it open"),
            ],
        },
        Function {
            name: "close",
            doc: "Gives the handle back.",
            params: &[EEPROM],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "size",
            doc: "Returns the size of the EEPROM.",
            params: &[EEPROM, param("size", Kind::OutU32, "bytes")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "read",
            doc: "Reads bytes, as many as the buffer has. If the call fails, the buffer may have changed.",
            params: &[EEPROM, OFFSET, param("buffer", Kind::Buffer, "to be filled")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, BEYOND, FAILED],
        },
        Function {
            name: "write",
            doc: "Writes bytes and waits until the chip has stored them. If the call fails or the app is stopped, the \
                  first of the bytes may be written.",
            params: &[EEPROM, OFFSET, param("bytes", Kind::Bytes, "to be written")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, BEYOND, ("EACCES", "the EEPROM is read-only"), FAILED],
        },
    ],
};
