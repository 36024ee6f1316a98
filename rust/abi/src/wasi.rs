// SPDX-License-Identifier: Apache-2.0
//! `wasi_snapshot_preview1`: as much of WASI as stock C and Rust programs need to start, print,
//! tell the time, sleep and end. There are no files.

use crate::{param, Constant, ErrorSpace, Function, Interface, Kind, Param, Returns};

/// Standard input: always at its end.
pub const STDIN: u32 = 0;
/// Standard output.
pub const STDOUT: u32 = 1;
/// Standard error.
pub const STDERR: u32 = 2;
/// Wall-clock time.
pub const CLOCK_REALTIME: u32 = 0;
/// Time since boot.
pub const CLOCK_MONOTONIC: u32 = 1;

/// Bytes of an `iovec`: address, length.
pub const IOVEC_SIZE: u32 = 8;
/// Bytes of an `fdstat`.
pub const FDSTAT_SIZE: u32 = 24;
/// `filetype` of a character device.
pub const FILETYPE_CHARACTER_DEVICE: u8 = 2;
/// `rights` bit of `fd_read`.
pub const RIGHTS_FD_READ: u64 = 1 << 1;
/// `rights` bit of `fd_write`.
pub const RIGHTS_FD_WRITE: u64 = 1 << 6;
/// Bytes of a `subscription`.
pub const SUBSCRIPTION_SIZE: u32 = 48;
/// Bytes of an `event`.
pub const EVENT_SIZE: u32 = 32;
/// `eventtype` of a clock subscription.
pub const EVENTTYPE_CLOCK: u8 = 0;
/// `subclockflags` bit: the timeout is a point in time, not a duration.
pub const SUBCLOCK_ABSTIME: u16 = 1;

const FD: Param = param("fd", Kind::U32, "file descriptor");
const NOT_OPEN: (&str, &str) = ("badf", "not one of the three standard streams");

const fn unsupported(name: &'static str, doc: &'static str, params: &'static [Param]) -> Function {
    Function { name, doc, params, returns: Returns::Nothing, errors: &[("badf", "always: there are no files")] }
}

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wasi_snapshot_preview1",
    ident: "wasi",
    host_trait: "WasiSnapshotPreview1",
    doc: "The part of WASI preview 1 that stock programs need to start, print, tell the time, sleep and \
          end. Needs no grant. There are no files: descriptors 0, 1 and 2 are open from the start, \
          nothing else ever is.",
    errors: ErrorSpace::Wasi,
    constants: &[
        Constant { name: "STDIN", value: STDIN, doc: "Standard input: always at its end." },
        Constant { name: "STDOUT", value: STDOUT, doc: "Standard output." },
        Constant { name: "STDERR", value: STDERR, doc: "Standard error." },
        Constant { name: "CLOCK_REALTIME", value: CLOCK_REALTIME, doc: "Wall-clock time, where the board has it." },
        Constant { name: "CLOCK_MONOTONIC", value: CLOCK_MONOTONIC, doc: "Time since boot." },
    ],
    records: &[],
    functions: &[
        Function {
            name: "fd_write",
            doc: "Writes to standard output or standard error. On a device each complete line goes to the console or log.",
            params: &[
                FD,
                param("iovs", Kind::Address, "array of (address, length), 8 bytes each"),
                param("iovs_len", Kind::U32, "entries of `iovs`"),
                param("nwritten", Kind::OutU32, "bytes taken"),
            ],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("overflow", "the lengths add up to more than 2^32 - 1")],
        },
        Function {
            name: "fd_read",
            doc: "Reads from standard input, which is always at its end.",
            params: &[
                FD,
                param("iovs", Kind::Address, "array of (address, length), 8 bytes each"),
                param("iovs_len", Kind::U32, "entries of `iovs`"),
                param("nread", Kind::OutU32, "always 0"),
            ],
            returns: Returns::Nothing,
            errors: &[("badf", "not standard input")],
        },
        Function {
            name: "fd_close",
            doc: "Closing a standard stream flushes it and leaves it open.",
            params: &[FD],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "fd_seek",
            doc: "Streams cannot seek.",
            params: &[
                FD,
                param("offset", Kind::I64, "ignored"),
                param("whence", Kind::U32, "ignored"),
                param("newoffset", Kind::OutU64, "never written"),
            ],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("spipe", "a standard stream")],
        },
        Function {
            name: "fd_fdstat_get",
            doc: "Describes a standard stream as a character device.",
            params: &[FD, param("stat", Kind::OutRecord(FDSTAT_SIZE), "an `fdstat`")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "fd_fdstat_set_flags",
            doc: "The flags of the standard streams are fixed.",
            params: &[FD, param("flags", Kind::U32, "`fdflags`")],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN, ("notsup", "flags other than none or append")],
        },
        unsupported(
            "fd_prestat_get",
            "There are no preopened directories.",
            &[FD, param("prestat", Kind::Address, "ignored")],
        ),
        unsupported(
            "fd_prestat_dir_name",
            "There are no preopened directories.",
            &[FD, param("path", Kind::Address, "ignored"), param("path_len", Kind::U32, "ignored")],
        ),
        unsupported(
            "path_open",
            "There are no files to open.",
            &[
                FD,
                param("dirflags", Kind::U32, "ignored"),
                param("path", Kind::Address, "ignored"),
                param("path_len", Kind::U32, "ignored"),
                param("oflags", Kind::U32, "ignored"),
                param("rights_base", Kind::U64, "ignored"),
                param("rights_inheriting", Kind::U64, "ignored"),
                param("fdflags", Kind::U32, "ignored"),
                param("opened", Kind::Address, "ignored"),
            ],
        ),
        Function {
            name: "clock_time_get",
            doc: "The time of a clock in nanoseconds.",
            params: &[
                param("clock", Kind::U32, "`CLOCK_REALTIME` or `CLOCK_MONOTONIC`"),
                param("precision", Kind::U64, "ignored"),
                param("time", Kind::OutU64, "nanoseconds"),
            ],
            returns: Returns::Nothing,
            errors: &[
                ("inval", "no such clock"),
                ("notsup", "the board has no wall clock"),
            ],
        },
        Function {
            name: "clock_res_get",
            doc: "The resolution of a clock in nanoseconds.",
            params: &[
                param("clock", Kind::U32, "`CLOCK_REALTIME` or `CLOCK_MONOTONIC`"),
                param("resolution", Kind::OutU64, "nanoseconds"),
            ],
            returns: Returns::Nothing,
            errors: &[
                ("inval", "no such clock"),
                ("notsup", "the board has no wall clock"),
            ],
        },
        Function {
            name: "random_get",
            doc: "Fills a buffer from the board's entropy source.",
            params: &[param("buffer", Kind::Buffer, "to be filled")],
            returns: Returns::Nothing,
            errors: &[("notsup", "the board has no entropy source"), ("io", "the source failed")],
        },
        Function {
            name: "args_sizes_get",
            doc: "How many arguments there are and how many bytes they take with their terminating zeros.",
            params: &[
                param("argc", Kind::OutU32, "number of arguments; the first is the app's name"),
                param("size", Kind::OutU32, "bytes"),
            ],
            returns: Returns::Nothing,
            errors: &[],
        },
        Function {
            name: "args_get",
            doc: "The arguments, zero-terminated, and an array of their addresses.",
            params: &[
                param("argv", Kind::Address, "array of `argc` addresses to be written"),
                param("buffer", Kind::Address, "`size` bytes to be written"),
            ],
            returns: Returns::Nothing,
            errors: &[("fault", "an array does not fit into linear memory; part may have been written")],
        },
        Function {
            name: "environ_sizes_get",
            doc: "How many environment variables there are and how many bytes they take with their terminating zeros.",
            params: &[
                param("count", Kind::OutU32, "number of variables"),
                param("size", Kind::OutU32, "bytes"),
            ],
            returns: Returns::Nothing,
            errors: &[],
        },
        Function {
            name: "environ_get",
            doc: "The environment, `name=value`, zero-terminated, and an array of addresses.",
            params: &[
                param("environ", Kind::Address, "array of `count` addresses to be written"),
                param("buffer", Kind::Address, "`size` bytes to be written"),
            ],
            returns: Returns::Nothing,
            errors: &[("fault", "an array does not fit into linear memory; part may have been written")],
        },
        Function {
            name: "poll_oneoff",
            doc: "Sleeps until the earliest of several clock subscriptions; a subscription to a stream is \
                  ready at once, one to anything else reports an error of its own.",
            params: &[
                param("subscriptions", Kind::Address, "array of 48-byte `subscription`s"),
                param("events", Kind::Address, "array of 32-byte `event`s, as many as subscriptions"),
                param("count", Kind::U32, "number of subscriptions"),
                param("stored", Kind::OutU32, "number of events written"),
            ],
            returns: Returns::Nothing,
            errors: &[("inval", "no subscriptions")],
        },
        Function {
            name: "sched_yield",
            doc: "Lets other threads of the same priority run.",
            params: &[],
            returns: Returns::Nothing,
            errors: &[],
        },
        Function {
            name: "proc_exit",
            doc: "Ends the app with a status; zero is success.",
            params: &[param("status", Kind::U32, "exit status")],
            returns: Returns::Never,
            errors: &[],
        },
    ],
};
