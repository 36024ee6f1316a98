// SPDX-License-Identifier: Apache-2.0
//! Error numbers, fixed in the ABI whatever libc the firmware is built with.

macro_rules! errors {
    ($(#[$meta:meta])* $name:ident: $repr:ty { $($variant:ident = $value:literal, $text:literal, $doc:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr($repr)]
        pub enum $name {
            $(#[doc = $doc] $variant = $value,)*
        }

        impl $name {
            /// Every error, ascending by number.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// Returns the name as C and WASI write it.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// Returns one sentence on what the error means.
            pub const fn meaning(self) -> &'static str {
                match self { $($name::$variant => $doc,)* }
            }

            /// Returns the error with this number, if the ABI has one.
            pub const fn from_number(number: $repr) -> Option<Self> {
                match number { $($value => Some($name::$variant),)* _ => None }
            }

            /// Returns the positive number.
            pub const fn number(self) -> $repr {
                self as $repr
            }
        }
    };
}

errors! {
    /// Errors of the `wisp:*` interfaces: the numbers of Zephyr's minimal libc. Returned negated.
    Errno: u16 {
        Perm = 1, "EPERM", "The object was not opened for this operation.";
        NoEntry = 2, "ENOENT", "There is no such thing.";
        Interrupted = 4, "EINTR", "The call was interrupted.";
        Io = 5, "EIO", "The device or bus failed.";
        NoDevice = 6, "ENXIO", "Nothing answered at the address.";
        BadHandle = 9, "EBADF", "The handle is not open in this app.";
        Again = 11, "EAGAIN", "Nothing is available now; try again.";
        NoMemory = 12, "ENOMEM", "A buffer or table of the host is full.";
        Access = 13, "EACCES", "The app was not granted this.";
        Fault = 14, "EFAULT", "A pointer and length do not lie inside linear memory.";
        Busy = 16, "EBUSY", "The device is in use.";
        NoSuchDevice = 19, "ENODEV", "The device is not ready.";
        Invalid = 22, "EINVAL", "An argument has a value the function does not take.";
        NoSpace = 28, "ENOSPC", "The quota or the storage is full.";
        Range = 34, "ERANGE", "A value is outside the range of the device.";
        NoSys = 88, "ENOSYS", "This firmware does not have the function.";
        TimedOut = 116, "ETIMEDOUT", "The time given ran out first.";
        MessageSize = 122, "EMSGSIZE", "The message is longer than the limit.";
        NotSupported = 134, "ENOTSUP", "The device cannot do this.";
        Overflow = 139, "EOVERFLOW", "Data was lost because it was not taken in time.";
        Canceled = 140, "ECANCELED", "The operation was called off.";
        // The cases of the enum in WIT have the order of these rows: a new error comes last.
        NotTrusted = 71, "EPROTO", "The peer did not prove that it is the one that was meant.";
    }
}

errors! {
    /// Errors of `wasi_snapshot_preview1`: WASI's own numbers. Returned as they are.
    WasiErrno: u16 {
        Access = 2, "acces", "Permission denied.";
        Again = 6, "again", "Nothing is available now; try again.";
        BadHandle = 8, "badf", "The file descriptor is not open.";
        Busy = 10, "busy", "The device or file is in use.";
        Quota = 19, "dquot", "The quota is used up.";
        Exists = 20, "exist", "The path exists.";
        Fault = 21, "fault", "A pointer and length do not lie inside linear memory.";
        TooBig = 22, "fbig", "The file would be too large.";
        BadSequence = 25, "ilseq", "The path is not UTF-8.";
        Invalid = 28, "inval", "An argument has a value the function does not take.";
        Io = 29, "io", "The device failed.";
        IsDirectory = 31, "isdir", "The path is that of a directory.";
        Loop = 32, "loop", "A symbolic link was found, or too many were.";
        TooManyOpen = 33, "mfile", "The app has as many descriptors open as it can have.";
        NameTooLong = 37, "nametoolong", "A name or a path is too long.";
        NoEntry = 44, "noent", "There is no such file or directory.";
        NoMemory = 48, "nomem", "The host has no memory for this.";
        NoSpace = 51, "nospc", "The storage is full.";
        NoSys = 52, "nosys", "This firmware does not have the function.";
        NotConnected = 53, "notconn", "The socket is not connected.";
        NotDirectory = 54, "notdir", "A part of the path is not a directory.";
        NotEmpty = 55, "notempty", "The directory has entries.";
        NotSocket = 57, "notsock", "The file descriptor is not a socket.";
        NotSupported = 58, "notsup", "Not supported.";
        Overflow = 61, "overflow", "A total is larger than its type can hold.";
        Perm = 63, "perm", "The path leads out of the folder that was granted.";
        BrokenPipe = 64, "pipe", "The other end is closed.";
        ReadOnly = 69, "rofs", "The file system cannot be written.";
        IllegalSeek = 70, "spipe", "A stream cannot seek.";
        CrossDevice = 75, "xdev", "The paths lie on different file systems.";
        NotCapable = 76, "notcapable", "The descriptor does not have the right.";
    }
}

impl Errno {
    /// Returns the value a guest sees: the negated number.
    pub const fn code(self) -> i32 {
        -(self as u16 as i32)
    }

    /// Returns the error for the negative result of a call, or [`Errno::Io`] for a number outside the ABI.
    pub const fn from_code(code: i32) -> Errno {
        let number = code.unsigned_abs();
        if number > u16::MAX as u32 {
            return Errno::Io;
        }
        match Errno::from_number(number as u16) {
            Some(errno) => errno,
            None => Errno::Io,
        }
    }
}

impl From<Errno> for WasiErrno {
    #[inline(never)]
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::Access | Errno::Perm => WasiErrno::Access,
            Errno::Again | Errno::Busy => WasiErrno::Again,
            Errno::NoEntry => WasiErrno::NoEntry,
            Errno::NoMemory => WasiErrno::NoMemory,
            Errno::NoSpace => WasiErrno::NoSpace,
            Errno::BadHandle => WasiErrno::BadHandle,
            Errno::Fault => WasiErrno::Fault,
            Errno::Invalid | Errno::Range => WasiErrno::Invalid,
            Errno::NoSys => WasiErrno::NoSys,
            Errno::NotSupported => WasiErrno::NotSupported,
            Errno::Overflow => WasiErrno::Overflow,
            _ => WasiErrno::Io,
        }
    }
}

impl core::fmt::Display for Errno {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl core::fmt::Display for WasiErrno {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_negative_and_read_back() {
        for errno in Errno::ALL {
            assert!(errno.code() < 0);
            assert_eq!(Errno::from_code(errno.code()), *errno);
        }
    }

    #[test]
    fn numbers_are_not_repeated() {
        for (index, errno) in Errno::ALL.iter().enumerate() {
            assert!(Errno::ALL[..index].iter().all(|before| before.number() != errno.number()));
        }
        assert!(WasiErrno::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
    }

    #[test]
    fn an_unknown_code_reads_as_an_io_error() {
        assert_eq!(Errno::from_code(-9999), Errno::Io);
        assert_eq!(Errno::from_code(i32::MIN), Errno::Io);
    }
}
