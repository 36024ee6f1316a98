// SPDX-License-Identifier: Apache-2.0
//! Files and directories: from WASI's records and flags to the calls of a board.

use super::descriptors::Open;
use super::Wasi;
use crate::border::Memory;
use crate::files::{Descriptor, FileType, Metadata, Opening, Time};
use crate::platform::Platform;
use crate::App;
use wisp_abi::{wasi, WasiErrno};

/// Longest name of a directory's entry that is delivered whole.
const NAME: usize = 255;

/// Checks a path of the guest's: it is relative, in UTF-8, and may be given to C.
pub(super) fn path(path: &[u8]) -> Result<&[u8], WasiErrno> {
    match path.first() {
        None => Err(WasiErrno::NoEntry),
        Some(b'/') => Err(WasiErrno::Perm),
        _ if path.contains(&0) => Err(WasiErrno::Invalid),
        _ if core::str::from_utf8(path).is_err() => Err(WasiErrno::BadSequence),
        _ => Ok(path),
    }
}

/// Checks a place in a file, which is a signed number to every file system.
pub(super) fn place(offset: u64) -> Result<u64, WasiErrno> {
    i64::try_from(offset).map(|_| offset).map_err(|_| WasiErrno::Invalid)
}

/// Checks flags against those that exist.
pub(super) fn flags(value: u32, all: u32) -> Result<u32, WasiErrno> {
    if value & !all == 0 {
        Ok(value)
    } else {
        Err(WasiErrno::Invalid)
    }
}

/// Returns the times that `fstflags` ask for.
pub(super) fn times(atim: u64, mtim: u64, flags: u32) -> Result<(Time, Time), WasiErrno> {
    let flags = self::flags(flags, wasi::fstflags::ALL)?;
    let time = |at: u64, set: u32, now: u32| match (flags & set != 0, flags & now != 0) {
        (true, true) => Err(WasiErrno::Invalid),
        (true, false) => Ok(Time::At(at)),
        (false, true) => Ok(Time::Now),
        (false, false) => Ok(Time::Keep),
    };
    Ok((
        time(atim, wasi::fstflags::ATIM, wasi::fstflags::ATIM_NOW)?,
        time(mtim, wasi::fstflags::MTIM, wasi::fstflags::MTIM_NOW)?,
    ))
}

/// Returns the `filestat`: device, inode, type, links, size and three times, eight bytes each.
pub(super) fn filestat(found: &Metadata) -> [u8; wasi::FILESTAT_SIZE as usize] {
    let kind = found.kind.number().into();
    let times = [found.accessed, found.modified, found.changed];
    let words = [found.device, found.inode, kind, found.links, found.size, times[0], times[1], times[2]];
    let mut stat = [0; wasi::FILESTAT_SIZE as usize];
    for (place, word) in stat.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    stat
}

impl<P: Platform> App<P> {
    /// Describes what is open.
    pub(super) fn file_metadata(&mut self, fd: u32) -> Wasi<[u8; wasi::FILESTAT_SIZE as usize]> {
        match self.open(fd)? {
            Open::Stream(_) => {
                let mut stat = [0; wasi::FILESTAT_SIZE as usize];
                stat[16] = wasi::filetype::CHARACTER_DEVICE;
                stat[24] = 1;
                Ok(stat)
            }
            Open::Object(object, _) => Ok(filestat(&self.platform.metadata(object)?)),
            Open::Socket(socket) => {
                let mut stat = [0; wasi::FILESTAT_SIZE as usize];
                stat[16] = self.socket_type(socket);
                stat[24] = 1;
                Ok(stat)
            }
        }
    }

    /// Carries out `path_open`.
    pub(super) fn open_path(
        &mut self,
        directory: u32,
        lookup: u32,
        path: &[u8],
        oflags: u32,
        rights: u64,
        fdflags: u32,
    ) -> Wasi<u32> {
        let object = self.directory(directory)?;
        let path = self::path(path)?;
        let oflags = flags(oflags, wasi::oflags::ALL)?;
        let fdflags = flags(fdflags, wasi::fdflags::ALL)?;
        let has = |flag: u32| oflags & flag != 0;
        let how = Opening {
            read: rights & wasi::rights::FD_READ != 0,
            // the other rights to write are asked for by programs that only read, too
            write: rights & wasi::rights::FD_WRITE != 0,
            create: has(wasi::oflags::CREAT),
            exclusive: has(wasi::oflags::EXCL),
            truncate: has(wasi::oflags::TRUNC),
            directory: has(wasi::oflags::DIRECTORY),
            follow: lookup & wasi::LOOKUP_SYMLINK_FOLLOW != 0,
        };
        if how.directory && (how.create || how.truncate) {
            return Err(WasiErrno::Invalid.into());
        }
        let fd = self.free_descriptor()?;
        let (object, kind) = self.platform.open(object, path, how)?;
        let directory = kind == FileType::Directory;
        if directory && how.write {
            let _ = self.platform.close(object);
            return Err(WasiErrno::IsDirectory.into());
        }
        let read = if how.read { Descriptor::READ } else { 0 };
        let write = if how.write { Descriptor::WRITE } else { 0 };
        let kind = if directory { Descriptor::DIRECTORY } else { Descriptor::FILE };
        self.set_descriptor(fd, Descriptor { position: 0, object, kind, flags: fdflags as u8 | read | write });
        Ok(fd)
    }

    /// Moves the position of a file.
    pub(super) fn seek(&mut self, fd: u32, offset: i64, whence: u32) -> Wasi<u64> {
        let found = match self.open(fd)? {
            Open::Object(_, false) => return Err(WasiErrno::BadHandle.into()),
            _ => *self.file(fd, 0)?,
        };
        let from = match whence {
            wasi::WHENCE_SET => 0,
            wasi::WHENCE_CUR => found.position,
            wasi::WHENCE_END => self.platform.metadata(found.object)?.size,
            _ => return Err(WasiErrno::Invalid.into()),
        };
        let position = from.checked_add_signed(offset).filter(|position| i64::try_from(*position).is_ok());
        let position = position.ok_or(WasiErrno::Invalid)?;
        self.file(fd, 0)?.position = position;
        Ok(position)
    }

    /// Reads into each of the vectors until the file ends.
    pub(super) fn read_file(
        &mut self,
        memory: &mut Memory<'_>,
        object: u16,
        mut position: u64,
        iovs: u32,
        iovs_len: u32,
    ) -> Wasi<u32> {
        // a vector may lie in the buffer of an earlier one and be another one by now: no more than was checked is read
        let mut left = super::streams::total(self, memory, iovs, iovs_len)?;
        let mut total = 0u32;
        for index in 0..iovs_len {
            self.go_on()?;
            let (pointer, length) = super::streams::vector(memory, iovs, index)?;
            let length = length.min(left);
            left -= length;
            let range = memory.range(pointer, length)?;
            let buffer = memory.all().get_mut(range).unwrap_or_default();
            let got = self.platform.read(object, position, buffer)? as u32;
            total += got;
            position += u64::from(got);
            if got < length {
                break;
            }
        }
        Ok(total)
    }

    /// Waits until what was written is stored, if the file was opened so.
    pub(super) fn store_written(&mut self, file: Descriptor, written: u32) -> Wasi<()> {
        let waits = (wasi::fdflags::DSYNC | wasi::fdflags::SYNC) as u8;
        if written > 0 && file.flags & waits != 0 {
            self.platform.sync(file.object)?;
        }
        Ok(())
    }

    /// Writes all vectors.
    pub(super) fn write_file(
        &mut self,
        memory: &Memory<'_>,
        object: u16,
        mut position: u64,
        iovs: u32,
        iovs_len: u32,
    ) -> Wasi<u32> {
        super::streams::total(self, memory, iovs, iovs_len)?;
        let mut total = 0u32;
        for index in 0..iovs_len {
            self.go_on()?;
            let (pointer, length) = super::streams::vector(memory, iovs, index)?;
            let written = match self.platform.write(object, position, memory.bytes(pointer, length)?) {
                Ok(written) => written as u32,
                // what was written before counts
                Err(_) if total > 0 => break,
                Err(error) => return Err(error.into()),
            };
            total += written;
            position += u64::from(written);
            if written < length {
                break;
            }
        }
        Ok(total)
    }

    /// Carries out `fd_readdir`: `.` and `..` come first, then the entries of the board.
    pub(super) fn read_directory(&mut self, fd: u32, buffer: &mut [u8], cookie: u64) -> Wasi<u32> {
        let object = self.directory(fd)?;
        let here = self.platform.metadata(object)?.inode;
        let mut used = 0;
        let mut name = [0; NAME];
        for index in cookie.. {
            let (length, kind, inode) = match index {
                0 | 1 => {
                    name[..2].fill(b'.');
                    (index as usize + 1, FileType::Directory, if index == 0 { here } else { 0 })
                }
                _ => match self.platform.entry(object, index - 2, &mut name)? {
                    Some(entry) => (entry.length.min(NAME), entry.kind, entry.inode),
                    None => break,
                },
            };
            let mut head = [0; wasi::DIRENT_SIZE as usize];
            head[..8].copy_from_slice(&(index + 1).to_le_bytes());
            head[8..16].copy_from_slice(&inode.to_le_bytes());
            head[16..20].copy_from_slice(&(length as u32).to_le_bytes());
            head[20] = kind.number();
            for part in [&head[..], &name[..length]] {
                let left = &mut buffer[used..];
                let fits = part.len().min(left.len());
                left[..fits].copy_from_slice(&part[..fits]);
                used += fits;
            }
            if used == buffer.len() {
                break;
            }
        }
        Ok(used as u32)
    }
}
