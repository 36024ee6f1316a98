// SPDX-License-Identifier: Apache-2.0
//! `wasi_snapshot_preview1`: streams, clocks, arguments, randomness, exit. No files.

mod poll;
mod streams;
mod strings;

use crate::bindings::WasiSnapshotPreview1;
use crate::border::Memory;
use crate::platform::Platform;
use crate::stop::{Exit, Failure};
use crate::App;
use wisp_abi::{wasi, WasiErrno};

/// Random bytes between two looks at whether the app is to stop.
const PIECE: usize = 256;

type Wasi<T> = Result<T, Failure<WasiErrno>>;

impl<P: Platform> App<P> {
    /// The time of a clock in nanoseconds.
    fn clock_ns(&mut self, clock: u32) -> Result<u64, WasiErrno> {
        match clock {
            wasi::CLOCK_MONOTONIC => Ok(self.platform.uptime_us().saturating_mul(1000)),
            wasi::CLOCK_REALTIME => self.platform.wall_clock_ns().ok_or(WasiErrno::NotSupported),
            _ => Err(WasiErrno::Invalid),
        }
    }
}

impl<P: Platform> WasiSnapshotPreview1 for App<P> {
    fn fd_write(&mut self, memory: &mut Memory<'_>, fd: u32, iovs: u32, iovs_len: u32) -> Wasi<u32> {
        streams::write(self, memory, fd, iovs, iovs_len)
    }

    fn fd_read(&mut self, _: &mut Memory<'_>, fd: u32, _iovs: u32, _iovs_len: u32) -> Wasi<u32> {
        if fd == wasi::STDIN {
            Ok(0)
        } else {
            Err(WasiErrno::BadHandle.into())
        }
    }

    fn fd_close(&mut self, fd: u32) -> Wasi<()> {
        streams::check(fd)?;
        Ok(self.flush().map_err(WasiErrno::from)?)
    }

    fn fd_seek(&mut self, fd: u32, _offset: i64, _whence: u32) -> Wasi<u64> {
        streams::check(fd)?;
        Err(WasiErrno::IllegalSeek.into())
    }

    fn fd_fdstat_get(&mut self, fd: u32) -> Wasi<[u8; wasi::FDSTAT_SIZE as usize]> {
        streams::check(fd)?;
        Ok(streams::fdstat(fd))
    }

    fn fd_fdstat_set_flags(&mut self, fd: u32, flags: u32) -> Wasi<()> {
        streams::check(fd)?;
        // Bit 0 is append, which a stream does anyway.
        if flags & !1 == 0 {
            Ok(())
        } else {
            Err(WasiErrno::NotSupported.into())
        }
    }

    fn fd_prestat_get(&mut self, _: &mut Memory<'_>, _fd: u32, _prestat: u32) -> Wasi<()> {
        Err(WasiErrno::BadHandle.into())
    }

    fn fd_prestat_dir_name(&mut self, _: &mut Memory<'_>, _fd: u32, _path: u32, _len: u32) -> Wasi<()> {
        Err(WasiErrno::BadHandle.into())
    }

    fn path_open(
        &mut self,
        _: &mut Memory<'_>,
        _fd: u32,
        _dirflags: u32,
        _path: u32,
        _path_len: u32,
        _oflags: u32,
        _rights_base: u64,
        _rights_inheriting: u64,
        _fdflags: u32,
        _opened: u32,
    ) -> Wasi<()> {
        Err(WasiErrno::BadHandle.into())
    }

    fn clock_time_get(&mut self, clock: u32, _precision: u64) -> Wasi<u64> {
        Ok(self.clock_ns(clock)?)
    }

    fn clock_res_get(&mut self, clock: u32) -> Wasi<u64> {
        self.clock_ns(clock)?;
        Ok(self.platform.resolution_ns())
    }

    fn random_get(&mut self, buffer: &mut [u8]) -> Wasi<()> {
        for piece in buffer.chunks_mut(PIECE) {
            self.go_on()?;
            self.platform.fill(piece).map_err(WasiErrno::from)?;
        }
        Ok(())
    }

    fn args_sizes_get(&mut self) -> Wasi<(u32, u32)> {
        Ok(strings::sizes(|index| strings::argument(&self.platform, index)))
    }

    fn args_get(&mut self, memory: &mut Memory<'_>, argv: u32, buffer: u32) -> Wasi<()> {
        strings::store(memory, argv, buffer, |index| strings::argument(&self.platform, index))
    }

    fn environ_sizes_get(&mut self) -> Wasi<(u32, u32)> {
        Ok(strings::sizes(|index| self.platform.variable(index)))
    }

    fn environ_get(&mut self, memory: &mut Memory<'_>, environ: u32, buffer: u32) -> Wasi<()> {
        strings::store(memory, environ, buffer, |index| self.platform.variable(index))
    }

    fn poll_oneoff(&mut self, memory: &mut Memory<'_>, subscriptions: u32, events: u32, count: u32) -> Wasi<u32> {
        poll::poll_oneoff(self, memory, subscriptions, events, count)
    }

    fn sched_yield(&mut self) -> Wasi<()> {
        self.platform.sleep_us(0).map_err(Failure::interrupted)
    }

    fn proc_exit(&mut self, status: u32) -> Exit {
        Exit(status)
    }
}

#[cfg(test)]
mod tests {
    use crate::stop::{Exit, Stop};
    use crate::testing::{Harness, WASI};

    const BADF: i32 = 8;
    const FAULT: i32 = 21;
    const INVAL: i32 = 28;
    const NOTSUP: i32 = 58;

    #[test]
    fn clocks_tell_nanoseconds() {
        let mut harness = Harness::new();
        harness.app.platform_mut().now_us = 5_000_000;
        assert_eq!(harness.wasi("clock_time_get", &[1, 0, 0, 8]), 0);
        assert_eq!(harness.u64_at(8), 5_000_000_000);
        assert_eq!(harness.wasi("clock_res_get", &[1, 8]), 0);
        assert_eq!(harness.u64_at(8), 1000);
    }

    #[test]
    fn the_wall_clock_is_not_supported_unless_the_board_has_it() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("clock_time_get", &[0, 0, 0, 8]), NOTSUP);
        assert_eq!(harness.wasi("clock_res_get", &[0, 8]), NOTSUP);
        harness.app.platform_mut().wall_ns = Some(1_700_000_000_000_000_000);
        assert_eq!(harness.wasi("clock_time_get", &[0, 0, 0, 8]), 0);
        assert_eq!(harness.u64_at(8), 1_700_000_000_000_000_000);
    }

    #[test]
    fn unknown_clocks_and_bad_pointers_are_told_apart() {
        let mut harness = Harness::new();
        let size = harness.memory.len() as u32;
        assert_eq!(harness.wasi("clock_time_get", &[2, 0, 0, 8]), INVAL);
        assert_eq!(harness.wasi("clock_time_get", &[1, 0, 0, size - 7]), FAULT);
        assert_eq!(harness.wasi("clock_time_get", &[1, 0, 0, u32::MAX]), FAULT);
        assert_eq!(harness.wasi("clock_res_get", &[1, size]), FAULT);
    }

    #[test]
    fn random_bytes_fill_exactly_the_buffer() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("random_get", &[4, 3]), 0);
        assert_eq!(harness.memory[3..8], [0, 0xa5, 0xa5, 0xa5, 0]);
        let size = harness.memory.len() as u32;
        assert_eq!(harness.wasi("random_get", &[size - 1, 2]), FAULT);
        assert_eq!(harness.wasi("random_get", &[u32::MAX, 0]), 0);
        harness.app.platform_mut().no_entropy = true;
        assert_eq!(harness.wasi("random_get", &[4, 3]), NOTSUP);
    }

    #[test]
    fn many_random_bytes_end_soon_after_the_app_is_to_stop() {
        let mut harness = Harness::new();
        harness.memory.resize(8192, 0);
        harness.app.platform_mut().looks_left = Some(3);
        assert_eq!(harness.call(WASI, "random_get", &[0, 8192]), Err(Stop::Interrupted));
        assert!(harness.memory[3 * 256..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn there_are_no_files() {
        let mut harness = Harness::new();
        for fd in [0, 3, u32::MAX] {
            assert_eq!(harness.wasi("fd_prestat_get", &[fd, 0]), BADF);
            assert_eq!(harness.wasi("fd_prestat_dir_name", &[fd, 0, 4]), BADF);
            assert_eq!(harness.wasi("path_open", &[fd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4]), BADF);
        }
    }

    #[test]
    fn yielding_is_interruptible() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("sched_yield", &[]), 0);
        harness.app.platform_mut().stopped = true;
        assert_eq!(harness.call(WASI, "sched_yield", &[]), Err(Stop::Interrupted));
    }

    #[test]
    fn exit_stops_the_guest_with_its_status() {
        let mut harness = Harness::new();
        let stop = harness.call(WASI, "proc_exit", &[7]);
        assert_eq!(stop, Err(Stop::Exit(Exit(7))));
    }
}
