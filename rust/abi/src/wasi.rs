// SPDX-License-Identifier: Apache-2.0
//! `wasi_snapshot_preview1`: every function of the snapshot, so that whatever a program names links.
//! Functions that a board has no means for return the error that WASI's text gives for this case.

use crate::{param, Constant, ErrorSpace, Function, Interface, Kind, Param, Returns};

/// Standard input.
pub const STDIN: u32 = 0;
/// Standard output.
pub const STDOUT: u32 = 1;
/// Standard error.
pub const STDERR: u32 = 2;
/// Wall-clock time.
pub const CLOCK_REALTIME: u32 = 0;
/// Time since boot.
pub const CLOCK_MONOTONIC: u32 = 1;
/// Processor time of the process: the time since boot, because an app has a thread of its own.
pub const CLOCK_PROCESS_CPUTIME: u32 = 2;
/// Processor time of the thread: the same.
pub const CLOCK_THREAD_CPUTIME: u32 = 3;

/// Bytes of an `iovec`: address, length.
pub const IOVEC_SIZE: u32 = 8;
/// Bytes of an `fdstat`.
pub const FDSTAT_SIZE: u32 = 24;
/// Bytes of a `filestat`.
pub const FILESTAT_SIZE: u32 = 64;
/// Bytes of a `prestat`.
pub const PRESTAT_SIZE: u32 = 8;
/// Bytes of a `dirent`, before its name.
pub const DIRENT_SIZE: u32 = 24;
/// Bytes of a `subscription`.
pub const SUBSCRIPTION_SIZE: u32 = 48;
/// Bytes of an `event`.
pub const EVENT_SIZE: u32 = 32;

/// Values of `filetype`.
pub mod filetype {
    /// Anything that has no value of its own.
    pub const UNKNOWN: u8 = 0;
    /// A character device.
    pub const CHARACTER_DEVICE: u8 = 2;
    /// A directory.
    pub const DIRECTORY: u8 = 3;
    /// A regular file.
    pub const REGULAR_FILE: u8 = 4;
    /// A socket for datagrams.
    pub const SOCKET_DGRAM: u8 = 5;
    /// A socket of a connection, or a listener.
    pub const SOCKET_STREAM: u8 = 6;
    /// A symbolic link.
    pub const SYMBOLIC_LINK: u8 = 7;
}

/// Bits of `rights`.
pub mod rights {
    /// `fd_datasync`.
    pub const FD_DATASYNC: u64 = 1;
    /// `fd_read`.
    pub const FD_READ: u64 = 1 << 1;
    /// `fd_seek`.
    pub const FD_SEEK: u64 = 1 << 2;
    /// `fd_fdstat_set_flags`.
    pub const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
    /// `fd_sync`.
    pub const FD_SYNC: u64 = 1 << 4;
    /// `fd_tell`.
    pub const FD_TELL: u64 = 1 << 5;
    /// `fd_write`.
    pub const FD_WRITE: u64 = 1 << 6;
    /// `fd_advise`.
    pub const FD_ADVISE: u64 = 1 << 7;
    /// `fd_allocate`.
    pub const FD_ALLOCATE: u64 = 1 << 8;
    /// `path_create_directory` to `path_unlink_file`: bits 9 to 20, and 24 to 26.
    pub const PATHS: u64 = 0x1f_fe00 | 0x700_0000;
    /// `path_filestat_set_size`.
    pub const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    /// `fd_filestat_get`.
    pub const FD_FILESTAT_GET: u64 = 1 << 21;
    /// `fd_filestat_set_size`.
    pub const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    /// `fd_filestat_set_times`.
    pub const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
    /// `poll_oneoff` on a descriptor.
    pub const POLL_FD_READWRITE: u64 = 1 << 27;
    /// `sock_shutdown`.
    pub const SOCK_SHUTDOWN: u64 = 1 << 28;
    /// `sock_accept`.
    pub const SOCK_ACCEPT: u64 = 1 << 29;
    /// Rights of a listener.
    pub const LISTENER: u64 = SOCK_ACCEPT | FD_FDSTAT_SET_FLAGS | FD_FILESTAT_GET | POLL_FD_READWRITE;
    /// Rights of a connection.
    pub const SOCKET: u64 =
        FD_READ | FD_WRITE | SOCK_SHUTDOWN | FD_FDSTAT_SET_FLAGS | FD_FILESTAT_GET | POLL_FD_READWRITE;
    /// Rights of an open file.
    pub const FILE: u64 = FD_DATASYNC
        | FD_READ
        | FD_SEEK
        | FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_TELL
        | FD_WRITE
        | FD_ADVISE
        | FD_ALLOCATE
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_SIZE
        | FD_FILESTAT_SET_TIMES
        | POLL_FD_READWRITE;
    /// Rights of an open directory.
    pub const DIRECTORY: u64 =
        (PATHS & !PATH_FILESTAT_SET_SIZE) | FD_FDSTAT_SET_FLAGS | FD_SYNC | FD_FILESTAT_GET | FD_FILESTAT_SET_TIMES;
    /// Rights of a file that only one open for writing has. `path_open` opens for writing if `FD_WRITE` is among those that
    /// it is asked for. Programs that only read ask for the others, too.
    pub const WRITING: u64 = FD_WRITE | FD_ALLOCATE | FD_FILESTAT_SET_SIZE;
}

/// Bits of `fdflags`.
pub mod fdflags {
    /// Each write goes to the end of the file.
    pub const APPEND: u32 = 1;
    /// Writes wait for the data to be stored.
    pub const DSYNC: u32 = 2;
    /// Calls do not block.
    pub const NONBLOCK: u32 = 4;
    /// Reads wait as writes do.
    pub const RSYNC: u32 = 8;
    /// Writes wait for data and metadata to be stored.
    pub const SYNC: u32 = 16;
    /// All bits that have a meaning.
    pub const ALL: u32 = 31;
}

/// Bits of `oflags`.
pub mod oflags {
    /// Create the file if there is none.
    pub const CREAT: u32 = 1;
    /// Fail if it is not a directory.
    pub const DIRECTORY: u32 = 2;
    /// Fail if the file exists.
    pub const EXCL: u32 = 4;
    /// Make the file empty.
    pub const TRUNC: u32 = 8;
    /// All bits that have a meaning.
    pub const ALL: u32 = 15;
}

/// Bits of `fstflags`.
pub mod fstflags {
    /// Set the time of the last access.
    pub const ATIM: u32 = 1;
    /// Set it to the present.
    pub const ATIM_NOW: u32 = 2;
    /// Set the time of the last change.
    pub const MTIM: u32 = 4;
    /// Set it to the present.
    pub const MTIM_NOW: u32 = 8;
    /// All bits that have a meaning.
    pub const ALL: u32 = 15;
}

/// `riflags` bit: the bytes stay in the socket.
pub const RECV_PEEK: u32 = 1;
/// `riflags` bit: the call waits until the vectors are full.
pub const RECV_WAITALL: u32 = 2;
/// `sdflags` bit: nothing more is received.
pub const SHUTDOWN_RECEIVING: u32 = 1;
/// `sdflags` bit: nothing more is sent.
pub const SHUTDOWN_SENDING: u32 = 2;
/// `lookupflags` bit: follow a symbolic link at the end of the path.
pub const LOOKUP_SYMLINK_FOLLOW: u32 = 1;
/// `whence`: from the beginning.
pub const WHENCE_SET: u32 = 0;
/// `whence`: from the present position.
pub const WHENCE_CUR: u32 = 1;
/// `whence`: from the end.
pub const WHENCE_END: u32 = 2;
/// `eventtype` of a clock subscription.
pub const EVENTTYPE_CLOCK: u8 = 0;
/// `eventtype` of a subscription to a descriptor to be read.
pub const EVENTTYPE_FD_READ: u8 = 1;
/// `eventtype` of a subscription to a descriptor to be written.
pub const EVENTTYPE_FD_WRITE: u8 = 2;
/// `subclockflags` bit: the timeout is a point in time, not a duration.
pub const SUBCLOCK_ABSTIME: u16 = 1;

type Errors = &'static [(&'static str, &'static str)];

const FD: Param = param("fd", Kind::U32, "file descriptor");
const DIRECTORY: Param = param("fd", Kind::U32, "descriptor of an open directory");
const PATH: Param = param("path", Kind::Bytes, "path below the directory");
const LOOKUP: Param = param("lookup", Kind::U32, "`lookupflags`");
const IOVS: Param = param("iovs", Kind::Address, "array of (address, length), 8 bytes each");
const IOVS_LEN: Param = param("iovs_len", Kind::U32, "entries of `iovs`");
const OFFSET: Param = param("offset", Kind::U64, "offset in the file, bytes");
const BAD_PLACE: (&str, &str) = ("inval", "the offset is 2^63 or more");
const ATIM: Param = param("atim", Kind::U64, "time of the last access, nanoseconds since 1970");
const MTIM: Param = param("mtim", Kind::U64, "time of the last change, nanoseconds since 1970");
const FSTFLAGS: Param = param("fst_flags", Kind::U32, "`fstflags`: which times to set, and to what");

const NOT_OPEN: (&str, &str) = ("badf", "the descriptor is not open, or not for this");
const NO_SUCH_FILE: (&str, &str) = ("noent", "nothing has this path");
const ESCAPES: (&str, &str) = ("perm", "the path leads out of the directory");
const NO_FILES: (&str, &str) = ("notsup", "the board's file system cannot do this");
const QUOTA: (&str, &str) = ("dquot", "the folder's quota is used up");
const CONSTANT_FLAGS: (&str, &str) = ("inval", "flags that do not exist");

const fn function(name: &'static str, doc: &'static str, params: &'static [Param], errors: Errors) -> Function {
    Function { name, doc, params, returns: Returns::Nothing, errors }
}

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wasi_snapshot_preview1",
    ident: "wasi",
    host_trait: "WasiSnapshotPreview1",
    doc: "All 46 functions of WASI preview 1. Descriptors 0, 1 and 2 are the standard streams and need no \
          grant. Descriptors from 3 on are folders that the app was granted, and what it opens in them. There are no \
          sockets and no signals: their functions exist, and return the error of a host that has none.",
    grant: None,
    errors: ErrorSpace::Wasi,
    constants: &[
        Constant { name: "STDIN", value: STDIN, doc: "Standard input: at its end on a device." },
        Constant { name: "STDOUT", value: STDOUT, doc: "Standard output." },
        Constant { name: "STDERR", value: STDERR, doc: "Standard error." },
        Constant { name: "CLOCK_REALTIME", value: CLOCK_REALTIME, doc: "Wall-clock time, where the board has it." },
        Constant { name: "CLOCK_MONOTONIC", value: CLOCK_MONOTONIC, doc: "Time since boot." },
        Constant {
            name: "CLOCK_PROCESS_CPUTIME",
            value: CLOCK_PROCESS_CPUTIME,
            doc: "Time since boot, too: an app has a thread of its own.",
        },
        Constant { name: "CLOCK_THREAD_CPUTIME", value: CLOCK_THREAD_CPUTIME, doc: "The same: an app has one thread." },
    ],
    records: &[],
    functions: FUNCTIONS,
};

const SOCKET_ERRORS: &[(&str, &str)] = &[
    ("badf", "the descriptor is not open"),
    ("notsock", "the descriptor is no socket"),
    ("notconn", "the socket is not connected"),
    ("inval", "the socket accepts no connections, or a number is out of range"),
    ("again", "the socket does not block and nothing is there, or the app has sent and received as much as it may within an hour"),
    ("acces", "sending has ended"),
    ("nomem", "the app has as many sockets open as it can have"),
    ("notsup", "the device cannot look at bytes, or end sending alone"),
    ("io", "the network failed, or the connection is broken"),
];

const FUNCTIONS: &[Function] = &[
    function(
        "args_sizes_get",
        "Tells how many arguments there are and how many bytes they take with their terminating zeros.",
        &[param("argc", Kind::OutU32, "number of arguments; the first is the app's name"), param("size", Kind::OutU32, "bytes")],
        &[],
    ),
    function(
        "args_get",
        "Writes the arguments, zero-terminated, and an array of their addresses.",
        &[param("argv", Kind::Address, "array of `argc` addresses to be written"), param("buffer", Kind::Address, "`size` bytes to be written")],
        &[("fault", "an array does not fit into linear memory, and part may have been written")],
    ),
    function(
        "environ_sizes_get",
        "Tells how many environment variables there are and how many bytes they take with their terminating zeros.",
        &[param("count", Kind::OutU32, "number of variables"), param("size", Kind::OutU32, "bytes")],
        &[],
    ),
    function(
        "environ_get",
        "Writes the environment, `name=value`, zero-terminated, and an array of addresses.",
        &[param("environ", Kind::Address, "array of `count` addresses to be written"), param("buffer", Kind::Address, "`size` bytes to be written")],
        &[("fault", "an array does not fit into linear memory, and part may have been written")],
    ),
    function(
        "clock_res_get",
        "Tells the resolution of a clock in nanoseconds.",
        &[param("clock", Kind::U32, "a `CLOCK_*` constant"), param("resolution", Kind::OutU64, "nanoseconds")],
        &[("inval", "no such clock"), ("notsup", "the board has no wall clock")],
    ),
    function(
        "clock_time_get",
        "Tells the time of a clock in nanoseconds.",
        &[param("clock", Kind::U32, "a `CLOCK_*` constant"), param("precision", Kind::U64, "ignored"), param("time", Kind::OutU64, "nanoseconds")],
        &[("inval", "no such clock"), ("notsup", "the board has no wall clock")],
    ),
    function(
        "fd_advise",
        "Takes a hint on how a file will be used, and ignores it.",
        &[FD, OFFSET, param("len", Kind::U64, "bytes"), param("advice", Kind::U32, "`advice`, 0 to 5")],
        &[NOT_OPEN, ("spipe", "a standard stream"), ("inval", "no such advice")],
    ),
    function(
        "fd_allocate",
        "Would reserve space for a file. No file system here can.",
        &[FD, OFFSET, param("len", Kind::U64, "bytes")],
        &[NOT_OPEN, ("notsup", "always, for an open file")],
    ),
    function(
        "fd_close",
        "Closes a descriptor. Closing a standard stream shows what was printed without a line end.",
        &[FD],
        &[NOT_OPEN],
    ),
    function(
        "fd_datasync",
        "Waits until the data of a file is stored.",
        &[FD],
        &[NOT_OPEN, ("inval", "a standard stream")],
    ),
    function(
        "fd_fdstat_get",
        "Describes a descriptor: its type, its flags and what can be done with it.",
        &[FD, param("stat", Kind::OutRecord(FDSTAT_SIZE), "an `fdstat`")],
        &[NOT_OPEN],
    ),
    function(
        "fd_fdstat_set_flags",
        "Sets the flags of a file. Those of the standard streams are fixed.",
        &[FD, param("flags", Kind::U32, "`fdflags`")],
        &[NOT_OPEN, CONSTANT_FLAGS, ("notsup", "flags other than none or append")],
    ),
    function(
        "fd_fdstat_set_rights",
        "Would give up rights of a descriptor.",
        &[FD, param("base", Kind::U64, "`rights` of the descriptor"), param("inheriting", Kind::U64, "`rights` of what is opened through it")],
        &[NOT_OPEN, ("notsup", "always, for an open descriptor: descriptors keep the rights they have")],
    ),
    function(
        "fd_filestat_get",
        "Describes what is open.",
        &[FD, param("stat", Kind::OutRecord(FILESTAT_SIZE), "a `filestat`")],
        &[NOT_OPEN],
    ),
    function(
        "fd_filestat_set_size",
        "Cuts a file or lengthens it with zeros.",
        &[FD, param("size", Kind::U64, "bytes")],
        &[NOT_OPEN, ("inval", "the descriptor cannot be written, or the size is 2^63 or more"), QUOTA],
    ),
    function(
        "fd_filestat_set_times",
        "Sets the times of a file.",
        &[FD, ATIM, MTIM, FSTFLAGS],
        &[NOT_OPEN, CONSTANT_FLAGS, NO_FILES],
    ),
    function(
        "fd_pread",
        "Reads from a place in a file. The position stays.",
        &[FD, IOVS, IOVS_LEN, OFFSET, param("nread", Kind::OutU32, "bytes read")],
        &[NOT_OPEN, ("spipe", "a standard stream"), BAD_PLACE],
    ),
    function(
        "fd_prestat_get",
        "Describes a folder that was granted.",
        &[FD, param("prestat", Kind::OutRecord(PRESTAT_SIZE), "a `prestat`: type 0, length of the name at 4")],
        &[("badf", "not a folder that was granted: the list of them ends here")],
    ),
    function(
        "fd_prestat_dir_name",
        "Writes the name of a folder that was granted.",
        &[FD, param("path", Kind::Buffer, "the name, without a terminating zero")],
        &[("badf", "not a folder that was granted"), ("nametoolong", "the buffer is shorter than the name")],
    ),
    function(
        "fd_pwrite",
        "Writes to a place in a file. The position stays.",
        &[FD, IOVS, IOVS_LEN, OFFSET, param("nwritten", Kind::OutU32, "bytes written")],
        &[NOT_OPEN, ("spipe", "a standard stream"), BAD_PLACE, QUOTA],
    ),
    function(
        "fd_read",
        "Reads from a file or from standard input, which is at its end on a device.",
        &[FD, IOVS, IOVS_LEN, param("nread", Kind::OutU32, "bytes read; 0 at the end")],
        &[NOT_OPEN],
    ),
    function(
        "fd_readdir",
        "Reads entries of a directory: a 24-byte `dirent` and the name for each. The last may be cut off where the buffer ends.",
        &[DIRECTORY, param("buffer", Kind::Buffer, "to be filled"), param("cookie", Kind::U64, "0 for the beginning, else `d_next` of an entry"), param("used", Kind::OutU32, "bytes written; less than the buffer at the end of the directory")],
        &[NOT_OPEN, ("notdir", "not a directory")],
    ),
    function(
        "fd_renumber",
        "Moves an open descriptor to the number of another, which is closed.",
        &[FD, param("to", Kind::U32, "the other")],
        &[("badf", "one of them is not open")],
    ),
    function(
        "fd_seek",
        "Moves the position of a file.",
        &[FD, param("offset", Kind::I64, "bytes, from `whence` on"), param("whence", Kind::U32, "0 from the beginning, 1 from the position, 2 from the end"), param("newoffset", Kind::OutU64, "the new position")],
        &[NOT_OPEN, ("spipe", "a standard stream"), ("inval", "no such `whence`, or a position before the beginning")],
    ),
    function(
        "fd_sync",
        "Waits until data and size of a file are stored.",
        &[FD],
        &[NOT_OPEN, ("inval", "a standard stream")],
    ),
    function(
        "fd_tell",
        "Tells the position of a file.",
        &[FD, param("offset", Kind::OutU64, "bytes from the beginning")],
        &[NOT_OPEN, ("spipe", "a standard stream")],
    ),
    function(
        "fd_write",
        "Writes to a file, to standard output or to standard error. On a device each complete line of these goes to the console or log.",
        &[FD, IOVS, IOVS_LEN, param("nwritten", Kind::OutU32, "bytes taken")],
        &[NOT_OPEN, ("overflow", "the lengths add up to more than 2^32 - 1"), QUOTA],
    ),
    function(
        "path_create_directory",
        "Creates a directory.",
        &[DIRECTORY, PATH],
        &[NOT_OPEN, ("exist", "the path exists"), NO_SUCH_FILE, ESCAPES, QUOTA],
    ),
    function(
        "path_filestat_get",
        "Describes what has a path.",
        &[DIRECTORY, LOOKUP, PATH, param("stat", Kind::OutRecord(FILESTAT_SIZE), "a `filestat`")],
        &[NOT_OPEN, NO_SUCH_FILE, ESCAPES],
    ),
    function(
        "path_filestat_set_times",
        "Sets the times of what has a path.",
        &[DIRECTORY, LOOKUP, PATH, ATIM, MTIM, FSTFLAGS],
        &[NOT_OPEN, NO_SUCH_FILE, ESCAPES, CONSTANT_FLAGS, NO_FILES],
    ),
    function(
        "path_link",
        "Gives a file a second path.",
        &[DIRECTORY, LOOKUP, PATH, param("new_fd", Kind::U32, "descriptor of the directory of the new path"), param("new_path", Kind::Bytes, "the new path")],
        &[NOT_OPEN, NO_SUCH_FILE, ESCAPES, NO_FILES],
    ),
    function(
        "path_open",
        "Opens a file or a directory, and creates files.",
        &[DIRECTORY, LOOKUP, PATH, param("oflags", Kind::U32, "`oflags`"), param("rights_base", Kind::U64, "`rights`: whether it is to be read and written"), param("rights_inheriting", Kind::U64, "ignored"), param("fdflags", Kind::U32, "`fdflags`"), param("opened", Kind::OutU32, "the descriptor, the lowest that is free")],
        &[NOT_OPEN, NO_SUCH_FILE, ESCAPES, CONSTANT_FLAGS, ("exist", "it exists, and was to be created"), ("isdir", "a directory was to be written"), ("notdir", "a file was to be a directory, or a part of the path is a file"), ("mfile", "the app has as many open as it can have"), QUOTA],
    ),
    function(
        "path_readlink",
        "Reads a symbolic link.",
        &[DIRECTORY, PATH, param("buffer", Kind::Buffer, "to be filled; a longer target is cut off"), param("used", Kind::OutU32, "bytes written")],
        &[NOT_OPEN, NO_SUCH_FILE, ESCAPES, ("inval", "no symbolic link"), NO_FILES],
    ),
    function(
        "path_remove_directory",
        "Removes an empty directory.",
        &[DIRECTORY, PATH],
        &[NOT_OPEN, NO_SUCH_FILE, ESCAPES, ("notdir", "not a directory"), ("notempty", "it has entries")],
    ),
    function(
        "path_rename",
        "Moves a file or a directory.",
        &[DIRECTORY, PATH, param("new_fd", Kind::U32, "descriptor of the directory of the new path"), param("new_path", Kind::Bytes, "the new path")],
        &[NOT_OPEN, NO_SUCH_FILE, ESCAPES, ("xdev", "the paths lie in different folders that were granted")],
    ),
    function(
        "path_symlink",
        "Creates a symbolic link.",
        &[param("target", Kind::Bytes, "what the link says"), DIRECTORY, PATH],
        &[NOT_OPEN, ("exist", "the path exists"), ESCAPES, NO_FILES],
    ),
    function(
        "path_unlink_file",
        "Removes a file.",
        &[DIRECTORY, PATH],
        &[NOT_OPEN, NO_SUCH_FILE, ESCAPES, ("isdir", "a directory")],
    ),
    function(
        "poll_oneoff",
        "Sleeps until the first of several subscriptions is due. A file or a stream is ready at once. A subscription that cannot be has an event with an error of its own.",
        &[param("subscriptions", Kind::Address, "array of 48-byte `subscription`s"), param("events", Kind::Address, "array of 32-byte `event`s, as many as subscriptions"), param("count", Kind::U32, "number of subscriptions"), param("stored", Kind::OutU32, "number of events written")],
        &[("inval", "no subscriptions")],
    ),
    Function {
        name: "proc_exit",
        doc: "Ends the app with a status. Zero is success.",
        params: &[param("status", Kind::U32, "exit status")],
        returns: Returns::Never,
        errors: &[],
    },
    function(
        "proc_raise",
        "Would send a signal. There are none.",
        &[param("signal", Kind::U32, "ignored")],
        &[("nosys", "always")],
    ),
    function(
        "random_get",
        "Fills a buffer from the board's entropy source.",
        &[param("buffer", Kind::Buffer, "to be filled")],
        &[("notsup", "the board has no entropy source"), ("io", "the source failed")],
    ),
    function(
        "sched_yield",
        "Lets other threads of the same priority run.",
        &[],
        &[],
    ),
    function(
        "sock_accept",
        "Takes a connection that has come to a listener, waiting for it without limit unless the listener does not block.",
        &[FD, param("flags", Kind::U32, "`fdflags` of the connection, of which there is `NONBLOCK`"), param("accepted", Kind::OutU32, "the descriptor of the connection")],
        SOCKET_ERRORS,
    ),
    function(
        "sock_recv",
        "Receives from a socket, waiting for bytes without limit unless it does not block.",
        &[FD, param("iovs", Kind::Address, "array of `iovec`: address and length of each piece"), param("iovs_len", Kind::U32, "number of pieces"), param("ri_flags", Kind::U32, "`WAITALL`: until the pieces are full"), param("received", Kind::OutU32, "bytes that were received, 0 at the end"), param("ro_flags", Kind::OutRecord(2), "0")],
        SOCKET_ERRORS,
    ),
    function(
        "sock_send",
        "Sends to a socket, waiting for room without limit unless it does not block.",
        &[FD, param("iovs", Kind::Address, "array of `ciovec`: address and length of each piece"), param("iovs_len", Kind::U32, "number of pieces"), param("si_flags", Kind::U32, "0"), param("sent", Kind::OutU32, "bytes that were taken")],
        SOCKET_ERRORS,
    ),
    function(
        "sock_shutdown",
        "Ends sending on a connection. An end of receiving has no effect.",
        &[FD, param("how", Kind::U32, "`sdflags`")],
        SOCKET_ERRORS,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The functions of the snapshot and their types: what a program that was built for it imports.
    const SNAPSHOT: &str = "args_get ii, args_sizes_get ii, environ_get ii, environ_sizes_get ii, clock_res_get ii, \
        clock_time_get iIi, fd_advise iIIi, fd_allocate iII, fd_close i, fd_datasync i, fd_fdstat_get ii, \
        fd_fdstat_set_flags ii, fd_fdstat_set_rights iII, fd_filestat_get ii, fd_filestat_set_size iI, \
        fd_filestat_set_times iIIi, fd_pread iiiIi, fd_prestat_get ii, fd_prestat_dir_name iii, fd_pwrite iiiIi, \
        fd_read iiii, fd_readdir iiiIi, fd_renumber ii, fd_seek iIii, fd_sync i, fd_tell ii, fd_write iiii, \
        path_create_directory iii, path_filestat_get iiiii, path_filestat_set_times iiiiIIi, path_link iiiiiii, \
        path_open iiiiiIIii, path_readlink iiiiii, path_remove_directory iii, path_rename iiiiii, \
        path_symlink iiiii, path_unlink_file iii, poll_oneoff iiii, proc_exit i, proc_raise i, sched_yield , \
        random_get ii, sock_accept iii, sock_recv iiiiii, sock_send iiiii, sock_shutdown ii";

    #[test]
    fn every_function_of_the_snapshot_exists_with_its_type() {
        assert_eq!(SNAPSHOT.split(", ").count(), 46);
        assert_eq!(INTERFACE.functions.len(), 46);
        for line in SNAPSHOT.split(", ") {
            let (name, wanted) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            let function = INTERFACE.function(name).unwrap_or_else(|| panic!("{name} is missing"));
            let letters = function.params.iter().flat_map(|param| param.kind.letters().bytes());
            let letters = letters.map(|letter| if letter == b'I' { b'I' } else { b'i' });
            assert!(letters.eq(wanted.bytes()), "{name}");
        }
    }
}
