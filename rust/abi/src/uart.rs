// SPDX-License-Identifier: Apache-2.0
//! `wisp:uart@1`: serial ports.

use crate::{param, Constant, ErrorSpace, Function, Grant, Interface, Kind, Param, Returns};

/// Wait without limit.
pub const FOREVER: u32 = u32::MAX;
/// The largest number of serial ports that one app can be granted.
pub const MAX_UARTS: u32 = 32;

const UART: Param = param("uart", Kind::Handle, "from `open`");
const TIMEOUT: Param =
    param("timeout", Kind::U32, "milliseconds to wait at most; 0 does not wait, `FOREVER` has no limit");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:uart@1",
    ident: "uart",
    host_trait: "UartV1",
    doc: "Serial ports by label, as streams of bytes. Speed and framing are the board's business. A port is granted by \
          `uarts` and `uart-names` in the app's node, and belongs to one app at a time.\n\nWhile a port is open, \
          interrupts put what it receives into a buffer of the host, and send what the app has written from another. \
          The firmware sets their sizes (`CONFIG_WISP_UART_RX_BUFFER`, `CONFIG_WISP_UART_TX_BUFFER`). A byte that finds \
          the first one full is dropped and counted. Waiting costs no CPU time and ends when the app is stopped.",
    grant: Grant::devices("uarts", "uart-names", "a serial port; data becomes events"),
    errors: ErrorSpace::Wisp,
    constants: &[Constant { name: "FOREVER", value: FOREVER, doc: "Wait without limit." }],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc: "Opens a granted port, with nothing received yet. A second call returns the same handle and drops what was \
                  received.",
            params: &[param("label", Kind::Bytes, "the port's name in `uart-names`")],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "no such port was granted to the app"),
                ("EBUSY", "another app has it open, or its last bytes are still being sent"),
                ("ENODEV", "the port is not ready"),
                ("ENOTSUP", "its driver has no interrupts"),
            ],
        },
        Function {
            name: "close",
            doc: "Gives the port back. What was written is still sent. What was received is dropped.",
            params: &[UART],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "read",
            doc: "Takes what was received, as much as there is and fits, waiting if there is nothing.",
            params: &[UART, param("buffer", Kind::Buffer, "to be filled"), TIMEOUT],
            returns: Returns::Value("the number of bytes, 0 only for a buffer of length 0"),
            errors: &[NOT_OPEN, ("ETIMEDOUT", "nothing came in time")],
        },
        Function {
            name: "write",
            doc: "Hands over bytes to be sent, as many as there is room for, waiting if there is none.",
            params: &[UART, param("bytes", Kind::Bytes, "to be sent"), TIMEOUT],
            returns: Returns::Value("how many were taken, from the front, 0 only for no bytes"),
            errors: &[NOT_OPEN, ("ETIMEDOUT", "there was no room in time")],
        },
        Function {
            name: "flush",
            doc: "Waits until the driver has taken all that was written. Its last bytes may still be on the way out.",
            params: &[UART, TIMEOUT],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("ETIMEDOUT", "something is left")],
        },
        Function {
            name: "available",
            doc: "How much `read` would take without waiting.",
            params: &[UART],
            returns: Returns::Value("the number of bytes"),
            errors: &[NOT_OPEN],
        },
        Function {
            name: "watch",
            doc: "Chooses whether reception becomes events, which `wait` of `wisp:event@1` delivers: one when something \
                  is there after `read` had taken everything, or is there already. Events that were not delivered yet \
                  are dropped.",
            params: &[UART, param("on", Kind::U32, "0 for no events, anything else for events")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("ENOTSUP", "this firmware has no events")],
        },
        Function {
            name: "errors",
            doc: "What went wrong with reception since this was last asked.",
            params: &[
                UART,
                param("lost", Kind::OutU32, "bytes that found the buffer full"),
                param("line", Kind::OutU32, "overruns, parity and framing errors and breaks that the driver told of"),
            ],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
    ],
};
