// SPDX-License-Identifier: Apache-2.0
//! `wisp:flash@1`: areas of flash.

use crate::{field, param, ErrorSpace, Function, Grant, Interface, Kind, Param, Record, Returns};

/// The largest number of areas that one app can be granted.
pub const MAX_AREAS: u32 = 32;

const FLASH: Param = param("flash", Kind::Handle, "from `open`");
const OFFSET: Param = param("offset", Kind::U32, "the first byte, counted from 0");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const BEYOND: (&str, &str) = ("ERANGE", "the bytes do not lie inside the area");
const READ_ONLY: (&str, &str) = ("EACCES", "the flash is write-protected");
const FAILED: (&str, &str) = ("EIO", "the driver failed");

/// The record that `info` writes.
pub const INFO: Record = Record {
    name: "info",
    doc: "The size of an area, and of what is written and erased in it.",
    fields: &[
        field("length", 4, "bytes of the area"),
        field("erase_block", 4, "bytes that are erased together"),
        field("write_block", 4, "bytes that are written together"),
        field("erased", 4, "the value of an erased byte"),
    ],
};

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:flash@1",
    ident: "flash",
    host_trait: "FlashV1",
    doc: "Areas of flash, which are partitions granted by `flash-areas` and `flash-area-names` in the app's node. What is \
          written outlives a restart. Bytes are erased before they are written, a block at a time. The chip limits how \
          often: many bear 10,000 to 100,000 erases of each block. An area belongs to the app that has it open.",
    grant: Grant::devices("flash-areas", "flash-area-names", "an area of flash"),
    errors: ErrorSpace::Wisp,
    constants: &[],
    records: &[INFO],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted area. Again, it returns the same handle.",
            params: &[param("label", Kind::Bytes, "the area's name in `flash-area-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such area was granted to the app, or the firmware uses some of it"),
                ("ENODEV", "the driver is not ready"),
                ("EBUSY", "another app has the area open, or one that overlaps it"),
                ("ENOTSUP", "the area does not consist of whole erase blocks of one size"),
            ],
        },
        Function {
            name: "close",
            doc: "Gives the handle back.",
            params: &[FLASH],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "info",
            doc: "Returns the size of the area and of its blocks.",
            params: &[FLASH, param("info", Kind::OutRecord(INFO.size()), "an `info`")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "read",
            doc: "Reads bytes, as many as the buffer has. If the call fails, the buffer may have changed.",
            params: &[FLASH, OFFSET, param("buffer", Kind::Buffer, "to be filled")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, BEYOND, FAILED],
        },
        Function {
            name: "write",
            doc: "Writes bytes that were erased before, and waits until the chip has stored them. If the call fails or the app \
                  is stopped, the first of the bytes may be written.",
            params: &[FLASH, OFFSET, param("bytes", Kind::Bytes, "to be written")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, BEYOND, ("EINVAL", "offset or length is no multiple of the write block"), READ_ONLY, FAILED],
        },
        Function {
            name: "erase",
            doc: "Erases bytes and waits until that is done. If the call fails or the app is stopped, the first of the blocks may \
                  be erased.",
            params: &[FLASH, OFFSET, param("length", Kind::U32, "bytes")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, BEYOND, ("EINVAL", "offset or length is no multiple of the erase block"), READ_ONLY, FAILED],
        },
    ],
};
