// SPDX-License-Identifier: Apache-2.0
//! `wisp:spi@1`: devices on SPI buses.

use crate::{field, param, Constant, ErrorSpace, Function, Grant, Interface, Kind, Param, Record, Returns};

/// An operation that reads, while zeros or whatever the bus has are written.
pub const READ: u32 = 0;
/// An operation that writes. What is read is dropped.
pub const WRITE: u32 = 1;
/// An operation that writes and reads at once.
pub const TRANSFER: u32 = 2;
/// An operation that only waits.
pub const DELAY: u32 = 3;
/// Longest time, in nanoseconds, that the operations of one transaction may wait together.
pub const MAX_DELAY: u32 = 100_000_000;
/// Largest number of operations in one transaction.
pub const MAX_OPERATIONS: u32 = 8;
/// Largest number of devices that one app can be granted.
pub const MAX_DEVICES: u32 = 32;

/// Record of an operation, which `transaction` reads.
pub const OPERATION: Record = Record {
    name: "operation",
    doc: "One operation of a transaction.",
    fields: &[
        field("kind", 4, "`READ`, `WRITE`, `TRANSFER` or `DELAY`"),
        field("length", 4, "bytes; for `DELAY`, nanoseconds"),
        field(
            "write_address",
            4,
            "where in linear memory the bytes to be written are; not looked at by `READ` and `DELAY`",
        ),
        field("read_address", 4, "where the bytes that are read go; not looked at by `WRITE` and `DELAY`"),
    ],
};

const DEVICE: Param = param("device", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const TIMEOUT: (&str, &str) = ("ETIMEDOUT", "the bus was held for too long");
const FAILED: (&str, &str) = ("EIO", "the bus failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:spi@1",
    ident: "spi",
    host_trait: "SpiV1",
    doc: "Devices on SPI buses, after wasi:spi. A grant is one device, with its chip select, clock and mode, by \
          `spi-devices` and `spi-names` in the app's node.\n\nEach call is one transaction, with the chip selected \
          from its beginning to its end, that no other app or driver comes between. When the app is stopped, a \
          delay of a transaction ends at once, and nothing that follows it is done.",
    grant: Grant::devices("spi-devices", "spi-names", "one chip select, with its clock and mode"),
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "READ", value: READ, doc: "An operation that reads." },
        Constant { name: "WRITE", value: WRITE, doc: "An operation that writes." },
        Constant { name: "TRANSFER", value: TRANSFER, doc: "An operation that writes and reads at once." },
        Constant {
            name: "DELAY",
            value: DELAY,
            doc: "An operation that only waits, at least so long, with the chip selected.",
        },
        Constant {
            name: "MAX_DELAY",
            value: MAX_DELAY,
            doc: "Most nanoseconds that the operations of one transaction may wait together.",
        },
        Constant { name: "MAX_OPERATIONS", value: MAX_OPERATIONS, doc: "Most operations of one transaction." },
    ],
    records: &[OPERATION],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted device. A second call returns the same handle.",
            params: &[param("label", Kind::Bytes, "the device's name in `spi-names`")],
            returns: Returns::Handle,
            errors: &[("EACCES", "no such device was granted to the app"), ("ENODEV", "the bus is not ready")],
        },
        Function {
            name: "close",
            doc: "Gives the handle back.",
            params: &[DEVICE],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "read",
            doc: "Reads until the buffer is full.",
            params: &[DEVICE, param("buffer", Kind::Buffer, "to be filled")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, TIMEOUT, FAILED],
        },
        Function {
            name: "write",
            doc: "Writes bytes.",
            params: &[DEVICE, param("bytes", Kind::Bytes, "to be written")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, TIMEOUT, FAILED],
        },
        Function {
            name: "transfer",
            doc: "Writes and reads at once. The transfer is as long as the longer of the two.",
            params: &[
                DEVICE,
                param("bytes", Kind::Bytes, "to be written"),
                param("buffer", Kind::Buffer, "to be filled"),
            ],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, TIMEOUT, FAILED],
        },
        Function {
            name: "transaction",
            doc: "Does several operations while the chip stays selected.",
            params: &[
                DEVICE,
                param("operations", Kind::Address, "array of `operation` records"),
                param("count", Kind::U32, "how many, at most `MAX_OPERATIONS`"),
            ],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                (
                    "EINVAL",
                    "too many operations, too long a wait, one of no kind, or one that reads into bytes of another. A \
                     transfer may read into the very bytes that it writes. Nothing has happened",
                ),
                TIMEOUT,
                ("ECANCELED", "the app was told to stop during a delay"),
                ("ENOTSUP", "the bus cannot keep the chip selected while it waits"),
                FAILED,
            ],
        },
    ],
};
