// SPDX-License-Identifier: Apache-2.0
//! The three standard streams.

use super::Wasi;
use crate::border::Memory;
use crate::platform::{Platform, Stream};
use crate::App;
use wisp_abi::{wasi, Errno, WasiErrno};

/// Bytes that are shown, and vectors that are checked, between two looks at whether the app has to stop.
const PIECE: usize = 512;
const VECTORS: u32 = 32;

impl<P: Platform> App<P> {
    /// Shows what was printed without a line end.
    #[inline(never)]
    pub(crate) fn flush(&mut self) -> Result<(), Errno> {
        let stream = self.pending_stream;
        self.pending.flush(&mut |line| self.platform.output(stream, line))
    }

    fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Errno> {
        if !P::LINES {
            return self.platform.output(stream, bytes);
        }
        if stream != self.pending_stream {
            self.flush()?;
            self.pending_stream = stream;
        }
        self.pending.push(bytes, &mut |line| self.platform.output(stream, line))
    }
}

/// Carries out `fd_write` of a stream. All ranges are checked before anything is shown, so that a fault has no effect.
pub(super) fn write<P: Platform>(
    app: &mut App<P>,
    memory: &mut Memory<'_>,
    stream: u32,
    iovs: u32,
    iovs_len: u32,
) -> Wasi<u32> {
    let stream = match stream {
        wasi::STDOUT => Stream::Out,
        wasi::STDERR => Stream::Err,
        _ => return Err(WasiErrno::BadHandle.into()),
    };
    let total = total(app, memory, iovs, iovs_len)?;
    for index in 0..iovs_len {
        app.go_on()?;
        let (pointer, length) = vector(memory, iovs, index)?;
        for (number, piece) in memory.bytes(pointer, length)?.chunks(PIECE).enumerate() {
            if number > 0 {
                app.go_on()?;
            }
            app.print(stream, piece).map_err(WasiErrno::from)?;
        }
    }
    Ok(total)
}

/// Carries out `fd_read` of a stream: fills the first vector that has room, so that a read never waits for more than
/// came.
pub(super) fn read<P: Platform>(
    app: &mut App<P>,
    memory: &mut Memory<'_>,
    stream: u32,
    iovs: u32,
    iovs_len: u32,
) -> Wasi<u32> {
    if stream != wasi::STDIN {
        return Err(WasiErrno::BadHandle.into());
    }
    total(app, memory, iovs, iovs_len)?;
    for index in 0..iovs_len {
        let (pointer, length) = vector(memory, iovs, index)?;
        if length > 0 {
            let range = memory.range(pointer, length)?;
            let buffer = memory.all().get_mut(range).unwrap_or_default();
            let read = app.platform.input(buffer);
            // a wait that a stop ended has no result
            app.go_on()?;
            return Ok(read.map_err(WasiErrno::from)?);
        }
    }
    Ok(0)
}

/// Checks the vectors and all that they refer to, and adds the lengths up.
pub(super) fn total<P: Platform>(app: &mut App<P>, memory: &Memory<'_>, iovs: u32, iovs_len: u32) -> Wasi<u32> {
    memory.bytes(iovs, iovs_len.checked_mul(wasi::IOVEC_SIZE).ok_or(WasiErrno::Fault)?)?;
    let mut total = 0u32;
    for index in 0..iovs_len {
        if index % VECTORS == 0 {
            app.go_on()?;
        }
        let (pointer, length) = vector(memory, iovs, index)?;
        memory.bytes(pointer, length)?;
        total = total.checked_add(length).ok_or(WasiErrno::Overflow)?;
    }
    Ok(total)
}

/// Address and length that one `iovec` holds. The array was checked to lie inside memory.
pub(super) fn vector(memory: &Memory<'_>, iovs: u32, index: u32) -> Wasi<(u32, u32)> {
    let at = iovs.saturating_add(index.saturating_mul(wasi::IOVEC_SIZE));
    Ok((memory.u32(at)?, memory.u32(at.saturating_add(4))?))
}

#[cfg(test)]
mod tests {
    use crate::stop::Stop;
    use crate::testing::{Harness, WASI};

    const BADF: i32 = 8;
    const FAULT: i32 = 21;
    const IO: i32 = 29;
    const NOTSUP: i32 = 58;
    const SPIPE: i32 = 70;

    #[test]
    fn pieces_of_a_line_are_gathered_from_all_vectors() {
        let mut harness = Harness::new();
        harness.memory[32..44].copy_from_slice(b"hello\nworld\n");
        harness.put_u32s(0, &[32, 3, 35, 9]);
        assert_eq!(harness.wasi("fd_write", &[1, 0, 2, 16]), 0);
        assert_eq!(harness.u32_at(16), 12);
        assert_eq!(harness.app.platform().printed, [(1, "hello".into()), (1, "world".into())]);
    }

    #[test]
    fn changing_the_stream_shows_what_was_pending() {
        let mut harness = Harness::new();
        harness.print(1, b"out");
        harness.print(2, b"err\n");
        harness.print(1, b"put\n");
        let expected = [(1, "out".into()), (2, "err".into()), (1, "put".into())];
        assert_eq!(harness.app.platform().printed, expected);
    }

    #[test]
    fn closing_a_stream_flushes_it() {
        let mut harness = Harness::new();
        harness.print(1, b"a");
        assert_eq!(harness.wasi("fd_close", &[1]), 0);
        assert_eq!(harness.app.platform().printed, [(1, "a".into())]);
        for function in ["fd_close", "fd_datasync"] {
            assert_eq!(harness.wasi(function, &[1]), BADF);
        }
        assert_eq!(harness.wasi("fd_write", &[1, 0, 0, 16]), BADF);
        harness.print(2, b"b\n");
        harness.app.release();
        harness.print(1, b"next run\n");
        assert_eq!(harness.app.platform().printed.len(), 3);
    }

    #[test]
    fn nothing_is_shown_when_any_range_is_bad() {
        let mut harness = Harness::new();
        let size = harness.memory.len() as u32;
        harness.put_u32s(0, &[32, 3, size, 1]);
        assert_eq!(harness.wasi("fd_write", &[1, 0, 2, 16]), FAULT);
        harness.put_u32s(0, &[32, 3, 32, u32::MAX]);
        assert_eq!(harness.wasi("fd_write", &[1, 0, 2, 16]), FAULT);
        // The vectors themselves, a count whose size wraps, and the out-pointer.
        assert_eq!(harness.wasi("fd_write", &[1, size - 8, 2, 16]), FAULT);
        assert_eq!(harness.wasi("fd_write", &[1, 0, 0x2000_0000, 16]), FAULT);
        assert_eq!(harness.wasi("fd_write", &[1, 0, 1, size - 3]), FAULT);
        assert!(harness.app.platform().printed.is_empty());
        assert_eq!(harness.wasi("fd_close", &[1]), 0);
        assert!(harness.app.platform().printed.is_empty());
    }

    #[test]
    fn a_long_write_ends_soon_after_the_app_is_to_stop() {
        for (vectors, looks) in [(60, 10), (60, 0), (1, 0), (1, 1)] {
            let mut harness = Harness::new();
            harness.memory[500] = b'\n';
            for index in 0..vectors {
                harness.put_u32s(8 * index, &[500, 1]);
            }
            harness.app.platform_mut().looks_left = Some(looks);
            let written = harness.call(WASI, "fd_write", &[1, 0, vectors as u32, 504]);
            assert_eq!(written, Err(Stop::Interrupted), "{vectors} vectors, {looks} looks");
            assert!(harness.app.platform().printed.len() <= looks as usize);
        }
    }

    #[test]
    fn one_long_vector_is_shown_in_pieces() {
        let mut harness = Harness::new();
        harness.memory.resize(8192, b'\n');
        harness.put_u32s(0, &[1024, 7000]);
        harness.app.platform_mut().looks_left = Some(4);
        assert_eq!(harness.call(WASI, "fd_write", &[1, 0, 1, 16]), Err(Stop::Interrupted));
        assert!(harness.app.platform().printed.len() <= 4 * 512);
    }

    #[test]
    fn no_vectors_write_nothing() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("fd_write", &[1, u32::MAX, 0, 16]), 0);
        assert_eq!(harness.u32_at(16), 0);
    }

    #[test]
    fn only_output_streams_can_be_written_and_only_input_can_be_read() {
        let mut harness = Harness::new();
        for fd in [0, 3, u32::MAX] {
            assert_eq!(harness.wasi("fd_write", &[fd, 0, 0, 16]), BADF);
        }
        harness.put_u32s(16, &[99]);
        assert_eq!(harness.wasi("fd_read", &[0, 0, 0, 16]), 0);
        assert_eq!(harness.u32_at(16), 0);
        harness.app.platform_mut().typed.extend(b"abc");
        harness.put_u32s(0, &[40, 0, 40, 2]);
        assert_eq!(harness.wasi("fd_read", &[0, 0, 2, 16]), 0);
        assert_eq!((harness.u32_at(16), &harness.memory[40..43]), (2, &b"ab\0"[..]));
        for fd in [1, 2, 3] {
            assert_eq!(harness.wasi("fd_read", &[fd, 0, 0, 16]), BADF);
        }
    }

    #[test]
    fn streams_do_not_seek() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("fd_seek", &[1, 0, 0, 0, 16]), SPIPE);
        assert_eq!(harness.wasi("fd_seek", &[3, 0, 0, 0, 16]), BADF);
    }

    #[test]
    fn a_stream_looks_like_a_terminal() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("fd_fdstat_get", &[1, 8]), 0);
        assert_eq!(harness.memory[8], 2);
        assert_eq!(harness.u64_at(16), 1 << 6 | 1 << 21 | 1 << 27);
        assert_eq!(harness.u64_at(24), 0);
        assert_eq!(harness.wasi("fd_fdstat_get", &[0, 8]), 0);
        assert_eq!(harness.u64_at(16) & 0xff, 1 << 1);
        let size = harness.memory.len() as u32;
        assert_eq!(harness.wasi("fd_fdstat_get", &[1, size - 23]), FAULT);
        assert_eq!(harness.wasi("fd_fdstat_get", &[3, 8]), BADF);
        assert_eq!(harness.wasi("fd_close", &[3]), BADF);
        assert_eq!(harness.wasi("fd_fdstat_set_flags", &[1, 1]), 0);
        assert_eq!(harness.wasi("fd_fdstat_set_flags", &[1, 4]), NOTSUP);
        assert_eq!(harness.wasi("fd_fdstat_set_flags", &[9, 0]), BADF);
    }

    #[test]
    fn a_failing_console_is_an_io_error() {
        let mut harness = Harness::new();
        harness.app.platform_mut().broken = true;
        harness.memory[32] = b'\n';
        harness.put_u32s(0, &[32, 1]);
        assert_eq!(harness.wasi("fd_write", &[1, 0, 1, 16]), IO);
    }
}
