// SPDX-License-Identifier: Apache-2.0
//! `wisp:ble@1`: advertisements of Bluetooth Low Energy.

use crate::{constant, field, param, ErrorSpace, Form, Function, Grant, Interface, Kind, Param, Record, Returns};

/// The address is random, and not one that a maker was assigned.
pub const RANDOM: u32 = 1;
/// The sender can be connected to.
pub const CONNECTABLE: u32 = 2;
/// The data are the answer to a request of the scanner.
pub const RESPONSE: u32 = 4;
/// Largest number of bytes in an advertisement, and in a response.
pub const MAX_DATA: u32 = 31;
/// Shortest interval between two advertisements, in milliseconds.
pub const MIN_INTERVAL: u32 = 20;
/// Longest interval between two advertisements, in milliseconds.
pub const MAX_INTERVAL: u32 = 10_240;
/// Clients may read the value.
pub const READ: u32 = 2;
/// Clients may write the value.
pub const WRITE: u32 = 8;
/// Clients that ask for it are told of each new value.
pub const NOTIFY: u32 = 16;
/// Largest number of bytes in the value of a characteristic.
pub const MAX_VALUE: u32 = 20;
/// Wait without limit.
pub const FOREVER: u32 = u32::MAX;

/// The record that `receive` writes.
pub const REPORT: Record = Record {
    name: "report",
    doc: "An advertisement that was received. The bytes of `data0` to `data3` follow each other in memory.",
    fields: &[
        field("time_us", 8, "when the host got it, microseconds since boot"),
        field("address", 8, "the sender's address, a number of 48 bits"),
        field("data0", 8, "bytes 0 to 7 of the data in their order, and 0 behind the data"),
        field("data1", 8, "bytes 8 to 15"),
        field("data2", 8, "bytes 16 to 23"),
        field("data3", 8, "bytes 24 to 30, and 0"),
        field("length", 4, "number of data bytes"),
        field("rssi", 4, "strength of the signal in dBm, a signed number of 32 bits; 127 if it is unknown"),
        field("flags", 4, "`RANDOM`, `CONNECTABLE`, `RESPONSE`, several of them or 0"),
        field("lost", 4, "reports that found the queue full before this one, and after the one received before"),
    ],
};

/// The record that `written` writes.
pub const VALUE: Record = Record {
    name: "value",
    doc: "A value that a client has written. The bytes of `data0` to `data2` follow each other in memory.",
    fields: &[
        field("time_us", 8, "when the host got it, microseconds since boot"),
        field("address", 8, "the client's address, a number of 48 bits"),
        field("data0", 8, "bytes 0 to 7 of the value in their order, and 0 behind the value"),
        field("data1", 8, "bytes 8 to 15"),
        field("data2", 8, "bytes 16 to 19, and 0"),
        field("characteristic", 4, "from `declare`"),
        field("length", 4, "number of bytes"),
    ],
};

const HIGH: Param = param("high", Kind::U64, "upper half of the UUID");
const LOW: Param = param("low", Kind::U64, "lower half of the UUID");
const NO_SERVICE: (&str, &str) = ("EACCES", "the app was granted no service");
const NO_SERVER: (&str, &str) = ("ENOTSUP", "the firmware has no connections");
const TIMEOUT: Param =
    param("timeout", Kind::U32, "milliseconds to wait at most; 0 does not wait, `FOREVER` has no limit");
const NO_CONTROLLER: (&str, &str) = ("ENODEV", "the controller is not ready");
const FAILED: (&str, &str) = ("EIO", "the controller failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:ble@1",
    ident: "ble",
    host_trait: "BleV1",
    doc: "Advertisements of Bluetooth Low Energy, sent and received. `ble-advertise` lists what the app may announce, and `ble-scan` \
          what it may receive. An entry is a name (`name:Lamp`, or `name:Lamp*` for all that begin so), a service (`service:181a`, or a \
          UUID of 128 bits), a company (`company:ffff`), or `any`. All that an advertisement of the app says of these has to be \
          listed. A received advertisement is delivered if something in it is listed.\n\nOne app at a time advertises. Several \
          apps may scan, and each has a queue of its own, whose length is the firmware's (`CONFIG_WISP_BLE_QUEUE`). A report that finds \
          the queue full is dropped and counted. A report that equals a waiting one in sender, kind and data replaces its time and \
          strength. Advertising and scanning end with the app.\n\nWith `ble-service`, the app has a GATT service of its own with this UUID. The app \
          declares its characteristics, and then serves them. The host keeps the values: clients read them without the app, and what they \
          write waits for `written`. While the app serves, its advertisements let clients connect, one at a time.",
    grant: Some(Grant {
        property: "ble-advertise",
        beside: "ble-scan",
        form: Form::Lists,
        what: "advertisements of Bluetooth LE with the listed names, services and companies \
               ([bluetooth.md](bluetooth.md)); what is received becomes events",
    }),
    errors: ErrorSpace::Wisp,
    constants: &[
        constant("RANDOM", RANDOM, "The address is random, and not one that a maker was assigned."),
        constant("CONNECTABLE", CONNECTABLE, "The sender can be connected to."),
        constant("RESPONSE", RESPONSE, "The data are the answer to a request of the scanner."),
        constant("MAX_DATA", MAX_DATA, "Largest number of bytes in an advertisement, and in a response."),
        constant("MIN_INTERVAL", MIN_INTERVAL, "Shortest interval between two advertisements, in milliseconds."),
        constant("MAX_INTERVAL", MAX_INTERVAL, "Longest interval between two advertisements, in milliseconds."),
        constant("READ", READ, "Clients may read the value."),
        constant("WRITE", WRITE, "Clients may write the value."),
        constant("NOTIFY", NOTIFY, "Clients that ask for it are told of each new value."),
        constant("MAX_VALUE", MAX_VALUE, "Largest number of bytes in the value of a characteristic."),
        constant("FOREVER", FOREVER, "Wait without limit."),
    ],
    records: &[REPORT, VALUE],
    functions: &[
        Function {
            name: "advertise",
            doc: "Starts advertising, or replaces what is advertised. The data are structures as Bluetooth defines them: a length, a \
                  type, and so many bytes less one. Apps may send flags, names, lists of services, data of services and data of \
                  makers.",
            params: &[
                param("data", Kind::Bytes, "structures, at most `MAX_DATA` bytes"),
                param("response", Kind::Bytes, "structures for scanners that ask for more, at most `MAX_DATA` bytes; empty answers none"),
                param("interval", Kind::U32, "milliseconds between two advertisements, `MIN_INTERVAL` to `MAX_INTERVAL`"),
            ],
            returns: Returns::Nothing,
            errors: &[
                ("EACCES", "the app was not granted some of it, or so short an interval"),
                (
                    "EINVAL",
                    "a structure is malformed or of another type, the flags limit the time, or the interval is out of range",
                ),
                ("EMSGSIZE", "data or response have more than `MAX_DATA` bytes"),
                ("EBUSY", "another app or the firmware advertises, or a client is connected and the way of advertising changes"),
                ("ENOTSUP", "the firmware has no advertising"),
                NO_CONTROLLER,
                FAILED,
            ],
        },
        Function {
            name: "stop_advertising",
            doc: "Stops advertising.",
            params: &[],
            returns: Returns::Nothing,
            errors: &[FAILED],
        },
        Function {
            name: "scan",
            doc: "Starts scanning, with nothing received yet. If the app scans, what was received is dropped.",
            params: &[],
            returns: Returns::Nothing,
            errors: &[
                ("EACCES", "the app was granted nothing that it could receive"),
                ("EBUSY", "the firmware scans for itself"),
                ("ENOTSUP", "the firmware has no scanning"),
                NO_CONTROLLER,
                FAILED,
            ],
        },
        Function {
            name: "stop_scanning",
            doc: "Stops scanning and drops what was received.",
            params: &[],
            returns: Returns::Nothing,
            errors: &[FAILED],
        },
        Function {
            name: "receive",
            doc: "Takes the oldest report, waiting if there is none. Without `scan`, there is none.",
            params: &[TIMEOUT, param("report", Kind::OutRecord(REPORT.size()), "a `report`")],
            returns: Returns::Nothing,
            errors: &[("ETIMEDOUT", "nothing came in time")],
        },
        Function {
            name: "watch",
            doc: "Chooses whether reports become events, which `wait` of `wisp:event@1` delivers: one when a report is there \
                  after `receive` had taken all, or is there already. In the same way, there is one for `written`. Events that were \
                  not delivered yet are dropped.",
            params: &[param("on", Kind::U32, "0 for no events, anything else for events")],
            returns: Returns::Nothing,
            errors: &[
                ("EACCES", "the app was granted nothing of Bluetooth"),
                ("ENOTSUP", "this firmware has no events"),
            ],
        },
        Function {
            name: "declare",
            doc: "Declares a characteristic of the app's service, with an empty value. A UUID of 16 bits is written out: 2a6e is \
                  00002a6e-0000-1000-8000-00805f9b34fb.",
            params: &[
                HIGH,
                LOW,
                param("properties", Kind::U32, "`READ`, `WRITE`, `NOTIFY` or several of them"),
                param("size", Kind::U32, "longest value in bytes, 1 to `MAX_VALUE`"),
            ],
            returns: Returns::Value("the number of the characteristic: 0, 1, and so on"),
            errors: &[
                NO_SERVICE,
                (
                    "EINVAL",
                    "the properties are none or others, the size is out of range, or the UUID is that of a declaration or descriptor (2800 to 29ff)",
                ),
                ("EBUSY", "the app serves"),
                ("ENOSPC", "the app has all its characteristics"),
                NO_SERVER,
            ],
        },
        Function {
            name: "serve",
            doc: "Offers the service to clients. An `advertise` after that lets them connect.",
            params: &[],
            returns: Returns::Nothing,
            errors: &[
                NO_SERVICE,
                ("EINVAL", "no characteristic was declared"),
                ("EBUSY", "the app serves"),
                NO_SERVER,
                NO_CONTROLLER,
                FAILED,
            ],
        },
        Function {
            name: "stop_serving",
            doc: "Takes the service away from clients and forgets its characteristics, with all that was written. A client that is \
                  connected through the app's advertisements is disconnected.",
            params: &[],
            returns: Returns::Nothing,
            errors: &[FAILED],
        },
        Function {
            name: "set",
            doc: "Sets the value of a characteristic. With `NOTIFY`, clients that asked for it are told while the app serves.",
            params: &[
                param("characteristic", Kind::U32, "from `declare`"),
                param("value", Kind::Bytes, "as many bytes as were declared, or fewer"),
            ],
            returns: Returns::Nothing,
            errors: &[
                NO_SERVICE,
                ("EINVAL", "there is no such characteristic"),
                ("EMSGSIZE", "the value is longer than was declared"),
                NO_SERVER,
            ],
        },
        Function {
            name: "written",
            doc: "Takes the oldest value that a client has written, waiting if there is none. A client that writes while the queue is \
                  full gets an error.",
            params: &[TIMEOUT, param("value", Kind::OutRecord(VALUE.size()), "a `value`")],
            returns: Returns::Nothing,
            errors: &[("ETIMEDOUT", "nothing came in time")],
        },
    ],
};
