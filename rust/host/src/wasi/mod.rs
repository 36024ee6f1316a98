// SPDX-License-Identifier: Apache-2.0
//! `wasi_snapshot_preview1`: streams, files, sockets, clocks, arguments, randomness, exit. No signals.

mod descriptors;
mod files;
mod poll;
mod sockets;
mod streams;
mod strings;

use crate::bindings::WasiSnapshotPreview1;
use crate::border::Memory;
use crate::files::Descriptor;
use crate::platform::{FileType, Platform};
use crate::stop::{Exit, Failure};
use crate::App;
use descriptors::Open;
pub(crate) use sockets::SocketFlags;
use wisp_abi::{wasi, WasiErrno};

/// Random bytes between two looks at whether the app has to stop.
const PIECE: usize = 256;

type Wasi<T> = Result<T, Failure<WasiErrno>>;

/// Values of `advice`.
const ADVICES: u32 = 6;

impl<P: Platform> App<P> {
    /// Returns the time of a clock in nanoseconds.
    fn clock_ns(&mut self, clock: u32) -> Result<u64, WasiErrno> {
        match clock {
            wasi::CLOCK_MONOTONIC | wasi::CLOCK_PROCESS_CPUTIME | wasi::CLOCK_THREAD_CPUTIME => {
                Ok(self.platform.uptime_us().saturating_mul(1000))
            }
            wasi::CLOCK_REALTIME => self.platform.wall_clock_ns().ok_or(WasiErrno::NotSupported),
            _ => Err(WasiErrno::Invalid),
        }
    }

    /// Stores what was written to a file.
    fn store(&mut self, fd: u32) -> Wasi<()> {
        match self.open(fd)? {
            Open::Stream(_) | Open::Socket(_) => Err(WasiErrno::Invalid.into()),
            Open::Object(_, false) => Ok(()),
            Open::Object(object, true) => Ok(self.platform.sync(object)?),
        }
    }
}

impl<P: Platform> WasiSnapshotPreview1 for App<P> {
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

    fn clock_res_get(&mut self, clock: u32) -> Wasi<u64> {
        self.clock_ns(clock)?;
        Ok(self.platform.resolution_ns())
    }

    fn clock_time_get(&mut self, clock: u32, _precision: u64) -> Wasi<u64> {
        Ok(self.clock_ns(clock)?)
    }

    fn fd_advise(&mut self, fd: u32, _offset: u64, _len: u64, advice: u32) -> Wasi<()> {
        match self.open(fd)? {
            Open::Stream(_) | Open::Socket(_) => Err(WasiErrno::IllegalSeek.into()),
            Open::Object(_, false) => Err(WasiErrno::BadHandle.into()),
            Open::Object(..) if advice < ADVICES => Ok(()),
            Open::Object(..) => Err(WasiErrno::Invalid.into()),
        }
    }

    fn fd_allocate(&mut self, fd: u32, _offset: u64, _len: u64) -> Wasi<()> {
        match self.open(fd)? {
            Open::Object(_, false) => Err(WasiErrno::BadHandle.into()),
            _ => Err(WasiErrno::NotSupported.into()),
        }
    }

    fn fd_close(&mut self, fd: u32) -> Wasi<()> {
        Ok(self.close(fd)?)
    }

    fn fd_datasync(&mut self, fd: u32) -> Wasi<()> {
        self.store(fd)
    }

    fn fd_fdstat_get(&mut self, fd: u32) -> Wasi<[u8; wasi::FDSTAT_SIZE as usize]> {
        Ok(self.fdstat(fd)?)
    }

    fn fd_fdstat_set_flags(&mut self, fd: u32, flags: u32) -> Wasi<()> {
        let flags = files::flags(flags, wasi::fdflags::ALL)?;
        match self.open(fd)? {
            // A stream appends anyway.
            Open::Stream(_) if flags & !wasi::fdflags::APPEND == 0 => Ok(()),
            Open::Socket(socket) => self.set_socket_flags(socket, flags),
            Open::Object(_, true) => {
                let file = self.file(fd, 0)?;
                file.flags = file.flags & !(wasi::fdflags::ALL as u8) | flags as u8;
                Ok(())
            }
            Open::Object(_, false) => Err(WasiErrno::BadHandle.into()),
            _ => Err(WasiErrno::NotSupported.into()),
        }
    }

    fn fd_fdstat_set_rights(&mut self, fd: u32, _base: u64, _inheriting: u64) -> Wasi<()> {
        self.open(fd)?;
        Err(WasiErrno::NotSupported.into())
    }

    fn fd_filestat_get(&mut self, fd: u32) -> Wasi<[u8; wasi::FILESTAT_SIZE as usize]> {
        self.file_metadata(fd)
    }

    fn fd_filestat_set_size(&mut self, fd: u32, size: u64) -> Wasi<()> {
        match self.file(fd, Descriptor::WRITE) {
            Ok(file) => {
                let object = file.object;
                Ok(self.platform.set_size(object, files::place(size)?)?)
            }
            // open, but not to be written
            Err(_) => {
                self.open(fd)?;
                Err(WasiErrno::Invalid.into())
            }
        }
    }

    fn fd_filestat_set_times(&mut self, fd: u32, atim: u64, mtim: u64, fst_flags: u32) -> Wasi<()> {
        let (accessed, modified) = files::times(atim, mtim, fst_flags)?;
        match self.open(fd)? {
            Open::Stream(_) | Open::Socket(_) => Err(WasiErrno::NotSupported.into()),
            Open::Object(object, _) => Ok(self.platform.set_times(object, accessed, modified)?),
        }
    }

    fn fd_pread(&mut self, memory: &mut Memory<'_>, fd: u32, iovs: u32, iovs_len: u32, offset: u64) -> Wasi<u32> {
        let object = self.file(fd, Descriptor::READ)?.object;
        self.read_file(memory, object, files::place(offset)?, iovs, iovs_len)
    }

    fn fd_prestat_get(&mut self, fd: u32) -> Wasi<[u8; wasi::PRESTAT_SIZE as usize]> {
        let folder = self.folder(fd)?;
        let length = self.platform.folder_name(folder).len() as u32;
        let mut stat = [0; wasi::PRESTAT_SIZE as usize];
        stat[4..].copy_from_slice(&length.to_le_bytes());
        Ok(stat)
    }

    fn fd_prestat_dir_name(&mut self, fd: u32, path: &mut [u8]) -> Wasi<()> {
        let folder = self.folder(fd)?;
        let name = self.platform.folder_name(folder);
        path.get_mut(..name.len()).ok_or(WasiErrno::NameTooLong)?.copy_from_slice(name);
        Ok(())
    }

    fn fd_pwrite(&mut self, memory: &mut Memory<'_>, fd: u32, iovs: u32, iovs_len: u32, offset: u64) -> Wasi<u32> {
        let file = *self.file(fd, Descriptor::WRITE)?;
        let offset = files::place(offset)?;
        // as POSIX systems do: an appending file has no other place to write to
        let append = file.flags & wasi::fdflags::APPEND as u8 != 0;
        let offset = if append { self.platform.metadata(file.object)?.size } else { offset };
        let written = self.write_file(memory, file.object, offset, iovs, iovs_len)?;
        self.store_written(file, written)?;
        Ok(written)
    }

    fn fd_read(&mut self, memory: &mut Memory<'_>, fd: u32, iovs: u32, iovs_len: u32) -> Wasi<u32> {
        match self.open(fd)? {
            Open::Stream(stream) => streams::read(self, memory, stream, iovs, iovs_len),
            Open::Socket(socket) => self.receive_into(memory, socket, (iovs, iovs_len), false),
            Open::Object(..) => {
                let file = *self.file(fd, Descriptor::READ)?;
                let read = self.read_file(memory, file.object, file.position, iovs, iovs_len)?;
                self.file(fd, 0)?.position += u64::from(read);
                Ok(read)
            }
        }
    }

    fn fd_readdir(&mut self, fd: u32, buffer: &mut [u8], cookie: u64) -> Wasi<u32> {
        self.read_directory(fd, buffer, cookie)
    }

    fn fd_renumber(&mut self, fd: u32, to: u32) -> Wasi<()> {
        Ok(self.renumber(fd, to)?)
    }

    fn fd_seek(&mut self, fd: u32, offset: i64, whence: u32) -> Wasi<u64> {
        self.seek(fd, offset, whence)
    }

    fn fd_sync(&mut self, fd: u32) -> Wasi<()> {
        self.store(fd)
    }

    fn fd_tell(&mut self, fd: u32) -> Wasi<u64> {
        self.seek(fd, 0, wasi::WHENCE_CUR)
    }

    fn fd_write(&mut self, memory: &mut Memory<'_>, fd: u32, iovs: u32, iovs_len: u32) -> Wasi<u32> {
        match self.open(fd)? {
            Open::Stream(stream) => streams::write(self, memory, stream, iovs, iovs_len),
            Open::Socket(socket) => self.send_from(memory, socket, (iovs, iovs_len)),
            Open::Object(_, false) => Err(WasiErrno::BadHandle.into()),
            Open::Object(object, true) => {
                let file = *self.file(fd, Descriptor::WRITE)?;
                let append = file.flags & wasi::fdflags::APPEND as u8 != 0;
                let position = if append { self.platform.metadata(object)?.size } else { file.position };
                let written = self.write_file(memory, object, position, iovs, iovs_len)?;
                self.file(fd, 0)?.position = position + u64::from(written);
                self.store_written(file, written)?;
                Ok(written)
            }
        }
    }

    fn path_create_directory(&mut self, fd: u32, path: &[u8]) -> Wasi<()> {
        let object = self.directory(fd)?;
        Ok(self.platform.create_directory(object, files::path(path)?)?)
    }

    fn path_filestat_get(&mut self, fd: u32, lookup: u32, path: &[u8]) -> Wasi<[u8; wasi::FILESTAT_SIZE as usize]> {
        let object = self.directory(fd)?;
        let follow = lookup & wasi::LOOKUP_SYMLINK_FOLLOW != 0;
        Ok(files::filestat(&self.platform.metadata_at(object, files::path(path)?, follow)?))
    }

    fn path_filestat_set_times(
        &mut self,
        fd: u32,
        lookup: u32,
        path: &[u8],
        atim: u64,
        mtim: u64,
        fst_flags: u32,
    ) -> Wasi<()> {
        let object = self.directory(fd)?;
        let (accessed, modified) = files::times(atim, mtim, fst_flags)?;
        let follow = lookup & wasi::LOOKUP_SYMLINK_FOLLOW != 0;
        Ok(self.platform.set_times_at(object, files::path(path)?, follow, accessed, modified)?)
    }

    fn path_link(&mut self, fd: u32, lookup: u32, path: &[u8], new_fd: u32, new_path: &[u8]) -> Wasi<()> {
        let (object, to) = (self.directory(fd)?, self.directory(new_fd)?);
        if lookup & wasi::LOOKUP_SYMLINK_FOLLOW != 0 {
            return Err(WasiErrno::Invalid.into());
        }
        Ok(self.platform.link(object, files::path(path)?, to, files::path(new_path)?)?)
    }

    fn path_open(
        &mut self,
        fd: u32,
        lookup: u32,
        path: &[u8],
        oflags: u32,
        rights_base: u64,
        _rights_inheriting: u64,
        fdflags: u32,
    ) -> Wasi<u32> {
        self.open_path(fd, lookup, path, oflags, rights_base, fdflags)
    }

    fn path_readlink(&mut self, fd: u32, path: &[u8], buffer: &mut [u8]) -> Wasi<u32> {
        let object = self.directory(fd)?;
        Ok(self.platform.read_link(object, files::path(path)?, buffer)? as u32)
    }

    fn path_remove_directory(&mut self, fd: u32, path: &[u8]) -> Wasi<()> {
        let object = self.directory(fd)?;
        Ok(self.platform.remove_directory(object, files::path(path)?)?)
    }

    fn path_rename(&mut self, fd: u32, path: &[u8], new_fd: u32, new_path: &[u8]) -> Wasi<()> {
        let (object, to) = (self.directory(fd)?, self.directory(new_fd)?);
        let (path, new_path) = (files::path(path)?, files::path(new_path)?);
        // a slash at the end says that a directory is moved
        let slash = path.ends_with(b"/") || new_path.ends_with(b"/");
        if slash && self.platform.metadata_at(object, path, false)?.kind != FileType::Directory {
            return Err(WasiErrno::NotDirectory.into());
        }
        Ok(self.platform.rename(object, path, to, new_path)?)
    }

    fn path_symlink(&mut self, target: &[u8], fd: u32, path: &[u8]) -> Wasi<()> {
        let object = self.directory(fd)?;
        // A link that says an absolute path would lead out of the folder.
        Ok(self.platform.symlink(files::path(target)?, object, files::path(path)?)?)
    }

    fn path_unlink_file(&mut self, fd: u32, path: &[u8]) -> Wasi<()> {
        let object = self.directory(fd)?;
        Ok(self.platform.remove_file(object, files::path(path)?)?)
    }

    fn poll_oneoff(&mut self, memory: &mut Memory<'_>, subscriptions: u32, events: u32, count: u32) -> Wasi<u32> {
        poll::poll_oneoff(self, memory, subscriptions, events, count)
    }

    fn proc_exit(&mut self, status: u32) -> Exit {
        Exit(status)
    }

    fn proc_raise(&mut self, _signal: u32) -> Wasi<()> {
        Err(WasiErrno::NoSys.into())
    }

    fn random_get(&mut self, buffer: &mut [u8]) -> Wasi<()> {
        for piece in buffer.chunks_mut(PIECE) {
            self.go_on()?;
            self.platform.fill(piece).map_err(WasiErrno::from)?;
        }
        Ok(())
    }

    fn sched_yield(&mut self) -> Wasi<()> {
        self.platform.sleep_us(0).map_err(Failure::interrupted)
    }

    fn sock_accept(&mut self, fd: u32, flags: u32) -> Wasi<u32> {
        self.accept_connection(fd, flags)
    }

    fn sock_recv(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        flags: u32,
    ) -> Wasi<(u32, [u8; 2])> {
        self.receive_from_socket(memory, fd, (iovs, iovs_len), flags)
    }

    fn sock_send(&mut self, memory: &mut Memory<'_>, fd: u32, iovs: u32, iovs_len: u32, flags: u32) -> Wasi<u32> {
        self.send_to_socket(memory, fd, (iovs, iovs_len), flags)
    }

    fn sock_shutdown(&mut self, fd: u32, how: u32) -> Wasi<()> {
        self.shut_down_socket(fd, how)
    }
}

#[cfg(test)]
mod tests {
    use crate::stop::{Exit, Stop};
    use crate::testing::{Harness, WASI};

    const BADF: i32 = 8;
    const FAULT: i32 = 21;
    const INVAL: i32 = 28;
    const NOSYS: i32 = 52;
    const NOTDIR: i32 = 54;
    const NOTSOCK: i32 = 57;
    const NOTSUP: i32 = 58;
    const SPIPE: i32 = 70;

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
        assert_eq!(harness.wasi("clock_time_get", &[4, 0, 0, 8]), INVAL);
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
            let expected = if fd == 0 { NOTDIR } else { BADF };
            assert_eq!(harness.wasi("path_open", &[fd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4]), expected);
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

    #[test]
    fn process_clocks_run_as_the_monotonic_one_does() {
        let mut harness = Harness::new();
        harness.app.platform_mut().now_us = 7;
        for clock in [1, 2, 3] {
            assert_eq!(harness.wasi("clock_time_get", &[clock, 0, 0, 8]), 0);
            assert_eq!(harness.u64_at(8), 7000);
            assert_eq!(harness.wasi("clock_res_get", &[clock, 8]), 0);
        }
    }

    #[test]
    fn what_a_board_has_no_means_for_says_so() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("proc_raise", &[6]), NOSYS);
        for (fd, expected) in [(1, NOTSOCK), (3, BADF)] {
            assert_eq!(harness.wasi("sock_accept", &[fd, 0, 8]), expected);
            assert_eq!(harness.wasi("sock_recv", &[fd, 0, 0, 0, 8, 12]), expected);
            assert_eq!(harness.wasi("sock_send", &[fd, 0, 0, 0, 8]), expected);
            assert_eq!(harness.wasi("sock_shutdown", &[fd, 0]), expected);
        }
        // Everything that concerns files knows the streams, and says that they are none.
        let inval = INVAL;
        for (name, arguments, stream) in [
            ("fd_advise", &[0, 0, 0, 0, 0][..], SPIPE),
            ("fd_allocate", &[0, 0, 0, 0], NOTSUP),
            ("fd_datasync", &[], inval),
            ("fd_fdstat_set_rights", &[0, 0, 0, 0], NOTSUP),
            ("fd_filestat_set_size", &[0, 0], inval),
            ("fd_filestat_set_times", &[0, 0, 0, 0, 0], NOTSUP),
            ("fd_pread", &[0, 0, 0, 0, 8], SPIPE),
            ("fd_pwrite", &[0, 0, 0, 0, 8], SPIPE),
            ("fd_readdir", &[0, 0, 0, 0, 8], NOTDIR),
            ("fd_sync", &[], inval),
            ("fd_tell", &[8], SPIPE),
            ("path_create_directory", &[0, 1], NOTDIR),
            ("path_filestat_get", &[0, 0, 1, 8], NOTDIR),
            ("path_filestat_set_times", &[0, 0, 1, 0, 0, 0, 0, 0], NOTDIR),
            ("path_readlink", &[0, 1, 8, 1, 12], NOTDIR),
            ("path_remove_directory", &[0, 1], NOTDIR),
            ("path_unlink_file", &[0, 1], NOTDIR),
            ("path_link", &[0, 0, 1, 1, 0, 1], NOTDIR),
            ("path_rename", &[0, 1, 1, 0, 1], NOTDIR),
        ] {
            for (fd, expected) in [(1, stream), (3, BADF), (u32::MAX, BADF)] {
                let arguments: std::vec::Vec<u32> = [&[fd], arguments].concat();
                assert_eq!(harness.wasi(name, &arguments), expected, "{name} of {fd}");
            }
        }
        assert_eq!(harness.wasi("path_symlink", &[0, 1, 3, 0, 1]), BADF);
    }

    #[test]
    fn the_type_of_a_stream_is_told_by_filestat_too() {
        let mut harness = Harness::new();
        assert_eq!(harness.wasi("fd_filestat_get", &[2, 64]), 0);
        assert_eq!((harness.memory[64 + 16], harness.u64_at(64 + 24), harness.u64_at(64 + 32)), (2, 1, 0));
        assert_eq!(harness.wasi("fd_filestat_get", &[3, 64]), BADF);
    }
}
