// SPDX-License-Identifier: Apache-2.0
//! `wisp:i2c@1`: devices on I2C buses.

use crate::{field, param, Constant, ErrorSpace, Function, Grant, Interface, Kind, Param, Record, Returns};

/// An operation that reads.
pub const READ: u32 = 0;
/// An operation that writes.
pub const WRITE: u32 = 1;
/// The largest number of operations of one transaction.
pub const MAX_OPERATIONS: u32 = 8;
/// The largest number of devices that one app can be granted.
pub const MAX_DEVICES: u32 = 32;

/// The record that `transaction` reads, one for each operation.
pub const OPERATION: Record = Record {
    name: "operation",
    doc: "One operation of a transaction.",
    fields: &[
        field("kind", 4, "`READ` or `WRITE`"),
        field("address", 4, "where in linear memory its bytes are"),
        field("length", 4, "how many"),
    ],
};

const DEVICE: Param = param("device", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");

/// Errors of a bus transfer.
const BUS: &[(&str, &str)] = &[
    NOT_OPEN,
    ("ENXIO", "no acknowledge: the device did not answer"),
    ("EAGAIN", "arbitration loss: another controller won the bus"),
    ("EOVERFLOW", "overrun: data was not taken in time"),
    ("ETIMEDOUT", "the bus was held for too long"),
    ("EIO", "the bus failed, or the driver does not know the cause"),
];

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:i2c@1",
    ident: "i2c",
    host_trait: "I2cV1",
    doc: "Devices on I2C buses, after wasi:i2c. A grant is one address on one bus, by `i2c-devices` and \
          `i2c-names` in the app's node: an app cannot reach another device of the bus. The bus's speed is the \
          board's business.\n\nEach call is one bus transaction, from start to stop condition, that no other app or \
          driver comes between. It is not broken off when the app is stopped: the app ends after it. The buffer \
          of a failed read may hold part of the data.",
    grant: Grant::devices("i2c-devices", "i2c-names", "one address on one bus"),
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "READ", value: READ, doc: "An operation that reads." },
        Constant { name: "WRITE", value: WRITE, doc: "An operation that writes." },
        Constant { name: "MAX_OPERATIONS", value: MAX_OPERATIONS, doc: "Most operations of one transaction." },
    ],
    records: &[OPERATION],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted device. A second call returns the same handle.",
            params: &[param("label", Kind::Bytes, "the device's name in `i2c-names`")],
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
            name: "address",
            doc: "The device's address on its bus.",
            params: &[DEVICE],
            returns: Returns::Value("a 7-bit address"),
            errors: &[NOT_OPEN],
        },
        Function {
            name: "read",
            doc: "Reads until the buffer is full.",
            params: &[DEVICE, param("buffer", Kind::Buffer, "to be filled")],
            returns: Returns::Nothing,
            errors: BUS,
        },
        Function {
            name: "write",
            doc: "Writes bytes.",
            params: &[DEVICE, param("bytes", Kind::Bytes, "to be written")],
            returns: Returns::Nothing,
            errors: BUS,
        },
        Function {
            name: "write_read",
            doc: "Writes bytes, then, after a repeated start, reads until the buffer is full.",
            params: &[
                DEVICE,
                param("bytes", Kind::Bytes, "to be written"),
                param("buffer", Kind::Buffer, "to be filled"),
            ],
            returns: Returns::Nothing,
            errors: BUS,
        },
        Function {
            name: "transaction",
            doc: "Does several operations in one bus transaction. Between operations of different kinds there is a \
                  repeated start. Operations of the same kind follow each other as if they were one.",
            params: &[
                DEVICE,
                param("operations", Kind::Address, "array of `operation` records"),
                param("count", Kind::U32, "how many, at most `MAX_OPERATIONS`"),
            ],
            returns: Returns::Nothing,
            errors: &[
                BUS[0],
                (
                    "EINVAL",
                    "too many operations, one of no kind, or one that reads into bytes of another. Nothing has \
                     happened",
                ),
                BUS[1],
                BUS[2],
                BUS[3],
                BUS[4],
                BUS[5],
            ],
        },
    ],
};
