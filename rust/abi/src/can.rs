// SPDX-License-Identifier: Apache-2.0
//! `wisp:can@1`: CAN buses.

use crate::{constant, field, param, ErrorSpace, Function, Grant, Interface, Kind, Param, Record, Returns};

/// The identifier has 29 bits and not 11.
pub const EXTENDED: u32 = 1;
/// The frame asks for data and has none.
pub const REMOTE: u32 = 2;
/// The controller sends and receives.
pub const ACTIVE: u32 = 0;
/// Some frames failed.
pub const WARNING: u32 = 1;
/// So many frames failed that the controller reports no errors of others.
pub const PASSIVE: u32 = 2;
/// So many frames failed that the controller sends none.
pub const BUS_OFF: u32 = 3;
/// The firmware has stopped the controller.
pub const STOPPED: u32 = 4;
/// Wait without limit.
pub const FOREVER: u32 = u32::MAX;
/// The largest number of data bytes in a frame.
pub const MAX_DATA: u32 = 8;
/// The largest number of controllers that one app can be granted.
pub const MAX_CANS: u32 = 32;

const CAN: Param = param("can", Kind::Handle, "from `open`");
const TIMEOUT: Param =
    param("timeout", Kind::U32, "milliseconds to wait at most; 0 does not wait, `FOREVER` has no limit");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");

/// The record that `receive` writes.
pub const FRAME: Record = Record {
    name: "frame",
    doc: "A frame that was received.",
    fields: &[
        field("time_us", 8, "when the host got it, microseconds since boot"),
        field("data", 8, "the data bytes in their order, and 0 behind them"),
        field("id", 4, "the identifier"),
        field("flags", 4, "`EXTENDED`, `REMOTE`, both or 0"),
        field("length", 4, "number of data bytes, of a remote frame those that it asks for"),
        field("lost", 4, "frames that found the queue full before this one, and after the one received before"),
    ],
};

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:can@1",
    ident: "can",
    host_trait: "CanV1",
    doc: "CAN buses, granted by `cans` and `can-names` in the app's node. The bit rate is the board's business. Frames have \
          up to 8 data bytes.\n\nSeveral apps and the firmware may use one controller. Each has filters and a queue of \
          its own, whose sizes are the firmware's (`CONFIG_WISP_CAN_FILTERS`, `CONFIG_WISP_CAN_QUEUE`). A frame that finds the \
          queue full is dropped and counted. An app gets no frames that the board itself sends, unless the controller is in \
          loopback mode.",
    grant: Grant::devices("cans", "can-names", "a CAN bus, with filters and a queue; frames become events"),
    errors: ErrorSpace::Wisp,
    constants: &[
        constant("EXTENDED", EXTENDED, "The identifier has 29 bits and not 11."),
        constant("REMOTE", REMOTE, "The frame asks for data and has none."),
        constant("ACTIVE", ACTIVE, "The controller sends and receives."),
        constant("WARNING", WARNING, "Some frames failed."),
        constant("PASSIVE", PASSIVE, "So many frames failed that the controller reports no errors of others."),
        constant("BUS_OFF", BUS_OFF, "So many frames failed that the controller sends none."),
        constant("STOPPED", STOPPED, "The firmware has stopped the controller."),
        constant("MAX_DATA", MAX_DATA, "The largest number of data bytes in a frame."),
        constant("FOREVER", FOREVER, "Wait without limit."),
    ],
    records: &[FRAME],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted bus and starts its controller, unless it was started. No frames are received before \
                  `filter`. Again, it returns the same handle, removes the filters and drops what was received.",
            params: &[param("label", Kind::Bytes, "the bus's name in `can-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such bus was granted to the app"),
                ("ENODEV", "the controller is not ready"),
                ("EIO", "the controller cannot be started"),
            ],
        },
        Function {
            name: "close",
            doc: "Removes the filters, drops what was received and gives the handle back. The controller goes on, and what \
                  was handed to it is sent.",
            params: &[CAN],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "filter",
            doc: "Lets frames in whose identifier is `id` in the bits of `mask`. A frame that matches two filters may come \
                  twice.",
            params: &[
                CAN,
                param("id", Kind::U32, "11 bits, or 29 with `EXTENDED`"),
                param("mask", Kind::U32, "1 for each bit that counts; 0 lets every identifier in"),
                param("flags", Kind::U32, "`EXTENDED` or 0"),
            ],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("EINVAL", "identifier or mask has too many bits, or the flags are others"),
                ("ENOSPC", "the app has all its filters, or the controller has none left"),
                ("ENOTSUP", "the controller has no such filter"),
                ("EIO", "the driver failed"),
            ],
        },
        Function {
            name: "unfilter",
            doc: "Removes all filters of the app and drops what was received.",
            params: &[CAN],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "receive",
            doc: "Takes the oldest frame, waiting if there is none.",
            params: &[CAN, TIMEOUT, param("frame", Kind::OutRecord(FRAME.size()), "a `frame`")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("ETIMEDOUT", "nothing came in time")],
        },
        Function {
            name: "send",
            doc: "Hands a frame to the controller, waiting for room. The controller sends it as soon as the bus is free. Apps that \
                  wait for room in one controller are served by their priority, and in the order in which they came if it is the \
                  same.",
            params: &[
                CAN,
                param("id", Kind::U32, "11 bits, or 29 with `EXTENDED`"),
                param("flags", Kind::U32, "`EXTENDED`, `REMOTE`, both or 0"),
                param("data", Kind::Bytes, "up to 8 bytes, of which a remote frame has only the number"),
                TIMEOUT,
            ],
            returns: Returns::Nothing,
            errors: &[
                NOT_OPEN,
                ("EINVAL", "the identifier has too many bits, or the flags are others"),
                ("EMSGSIZE", "there are more than 8 bytes"),
                ("ETIMEDOUT", "there was no room in time"),
                ("ENOTSUP", "the controller cannot send such a frame"),
                ("EIO", "the controller is off the bus or stopped, or failed"),
            ],
        },
        Function {
            name: "watch",
            doc: "Chooses whether frames become events, which `wait` of `wisp:event@1` delivers: one when a frame is there \
                  after `receive` had taken all, or is there already. Events that were not delivered yet are dropped.",
            params: &[CAN, param("on", Kind::U32, "0 for no events, anything else for events")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("ENOTSUP", "this firmware has no events")],
        },
        Function {
            name: "state",
            doc: "Returns the state of the controller.",
            params: &[CAN],
            returns: Returns::Value("`ACTIVE`, `WARNING`, `PASSIVE`, `BUS_OFF` or `STOPPED`"),
            errors: &[NOT_OPEN, ("EIO", "the driver failed")],
        },
        Function {
            name: "failed",
            doc: "Returns how many frames of the app were handed to the controller and not sent, since this was last asked.",
            params: &[CAN],
            returns: Returns::Value("frames"),
            errors: &[NOT_OPEN],
        },
    ],
};
