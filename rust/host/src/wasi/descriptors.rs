// SPDX-License-Identifier: Apache-2.0
//! The table of file descriptors: standard streams, folders that were granted, and what the app opened.

use super::sockets::Socket;
use crate::files::{Descriptor, FileType};
use crate::platform::Platform;
use crate::App;
use wisp_abi::{wasi, WasiErrno};

/// The object that a descriptor stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// A standard stream.
    Stream(u32),
    /// Something of the board's, and whether it is a file, or else a directory.
    Object(u16, bool),
    /// A socket.
    Socket(Socket),
}

/// Returns the rights of what has an entry in the table, and those of what is opened through it.
fn rights_of(found: &Descriptor) -> (u64, u64) {
    match found.kind {
        Descriptor::STREAM => {
            let access =
                if found.object == wasi::STDIN as u16 { wasi::rights::FD_READ } else { wasi::rights::FD_WRITE };
            (access | wasi::rights::FD_FILESTAT_GET | wasi::rights::POLL_FD_READWRITE, 0)
        }
        Descriptor::FILE => {
            let read = if found.flags & Descriptor::READ == 0 { wasi::rights::FD_READ } else { 0 };
            let write = if found.flags & Descriptor::WRITE == 0 { wasi::rights::WRITING } else { 0 };
            (wasi::rights::FILE & !read & !write, 0)
        }
        _ => (wasi::rights::DIRECTORY, wasi::rights::DIRECTORY | wasi::rights::FILE),
    }
}

impl<P: Platform> App<P> {
    /// Opens the standard streams and the folders at the first call of a run.
    fn prepare(&mut self) {
        if !P::FILES || self.descriptors_ready {
            return;
        }
        self.descriptors_ready = true;
        let folders = self.platform.folders();
        let streams = (0..=wasi::STDERR as u16).map(|stream| (Descriptor::STREAM, stream));
        let folders = (0..folders).map(|folder| (Descriptor::FOLDER, folder));
        let mut first = streams.chain(folders);
        for descriptor in self.platform.descriptors() {
            let (kind, object) = first.next().unwrap_or((Descriptor::CLOSED, 0));
            *descriptor = Descriptor { position: 0, object, kind, flags: Descriptor::READ };
        }
    }

    /// Returns the descriptor with this number. Without files there are the standard streams only.
    fn descriptor(&mut self, fd: u32) -> Result<Descriptor, WasiErrno> {
        self.prepare();
        let found = if P::FILES { self.platform.descriptors().get(fd as usize).copied() } else { None };
        match found {
            Some(found) if found.kind != Descriptor::CLOSED => Ok(found),
            None if fd <= wasi::STDERR && self.closed_streams & 1 << fd == 0 => {
                Ok(Descriptor { position: 0, object: fd as u16, kind: Descriptor::STREAM, flags: 0 })
            }
            _ => Err(WasiErrno::BadHandle),
        }
    }

    /// Returns the object that the descriptor stands for.
    pub(super) fn open(&mut self, fd: u32) -> Result<Open, WasiErrno> {
        if let Some(socket) = self.socket(fd) {
            return Ok(Open::Socket(socket));
        }
        let found = self.descriptor(fd)?;
        Ok(match found.kind {
            Descriptor::STREAM => Open::Stream(found.object.into()),
            kind => Open::Object(found.object, kind == Descriptor::FILE),
        })
    }

    /// Returns the object of a directory.
    pub(super) fn directory(&mut self, fd: u32) -> Result<u16, WasiErrno> {
        match self.open(fd)? {
            Open::Object(object, false) => Ok(object),
            _ => Err(WasiErrno::NotDirectory),
        }
    }

    /// Returns the folder that was granted, if the descriptor is one.
    pub(super) fn folder(&mut self, fd: u32) -> Result<u16, WasiErrno> {
        match self.descriptor(fd)? {
            Descriptor { kind: Descriptor::FOLDER, object, .. } => Ok(object),
            _ => Err(WasiErrno::BadHandle),
        }
    }

    /// Returns the descriptor of an open file, to be changed, if it can be used as `access` says.
    pub(super) fn file(&mut self, fd: u32, access: u8) -> Result<&mut Descriptor, WasiErrno> {
        if self.socket(fd).is_some() {
            return Err(WasiErrno::IllegalSeek);
        }
        let found = self.descriptor(fd)?;
        match found.kind {
            Descriptor::FILE if found.flags & access == access => {}
            Descriptor::FILE => return Err(WasiErrno::BadHandle),
            Descriptor::STREAM => return Err(WasiErrno::IllegalSeek),
            _ if access & Descriptor::READ != 0 => return Err(WasiErrno::IsDirectory),
            _ => return Err(WasiErrno::BadHandle),
        }
        self.platform.descriptors().get_mut(fd as usize).ok_or(WasiErrno::BadHandle)
    }

    /// Returns the type that `fdstat` and `filestat` give.
    pub(super) fn filetype(&mut self, fd: u32) -> Result<u8, WasiErrno> {
        Ok(match self.open(fd)? {
            Open::Stream(_) => wasi::filetype::CHARACTER_DEVICE,
            Open::Object(_, true) => FileType::File.number(),
            Open::Object(_, false) => FileType::Directory.number(),
            Open::Socket(socket) => self.socket_type(socket),
        })
    }

    /// Returns the `fdstat` of a descriptor: type at 0, flags at 2, rights at 8 and 16.
    pub(super) fn fdstat(&mut self, fd: u32) -> Result<[u8; wasi::FDSTAT_SIZE as usize], WasiErrno> {
        let kind = self.filetype(fd)?;
        let (flags, rights, inherited) = match self.socket(fd) {
            Some(socket) => {
                let (flags, rights) = self.socket_rights(socket);
                (flags, rights, 0)
            }
            None => {
                let found = self.descriptor(fd)?;
                let (rights, inherited) = rights_of(&found);
                (u16::from(found.flags) & wasi::fdflags::ALL as u16, rights, inherited)
            }
        };
        let mut stat = [0; wasi::FDSTAT_SIZE as usize];
        stat[0] = kind;
        stat[2..4].copy_from_slice(&flags.to_le_bytes());
        stat[8..16].copy_from_slice(&rights.to_le_bytes());
        stat[16..].copy_from_slice(&inherited.to_le_bytes());
        Ok(stat)
    }

    /// Returns the lowest number that is free.
    pub(super) fn free_descriptor(&mut self) -> Result<u32, WasiErrno> {
        self.prepare();
        let mut all = self.platform.descriptors().iter();
        all.position(|found| found.kind == Descriptor::CLOSED).map(|fd| fd as u32).ok_or(WasiErrno::TooManyOpen)
    }

    /// Takes a number for an object.
    pub(super) fn set_descriptor(&mut self, fd: u32, descriptor: Descriptor) {
        if let Some(entry) = self.platform.descriptors().get_mut(fd as usize) {
            *entry = descriptor;
        }
    }

    /// Closes a descriptor. A stream shows what was printed first.
    pub(super) fn close(&mut self, fd: u32) -> Result<(), WasiErrno> {
        if let Some(socket) = self.socket(fd) {
            return self.close_socket(socket);
        }
        let found = self.descriptor(fd)?;
        self.set_descriptor(fd, Descriptor::default());
        match found.kind {
            Descriptor::STREAM => {
                if !P::FILES || self.platform.descriptors().is_empty() {
                    self.closed_streams |= 1 << fd;
                }
                self.flush().map_err(WasiErrno::from)
            }
            // the folders stay open on the board's side
            Descriptor::FOLDER => Ok(()),
            _ => self.platform.close(found.object),
        }
    }

    /// Moves a descriptor to the number of another, which is closed.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<(), WasiErrno> {
        if self.socket(from).or(self.socket(to)).is_some() {
            return Err(WasiErrno::NotSupported);
        }
        let moved = self.descriptor(from)?;
        self.descriptor(to)?;
        if from == to {
            return Ok(());
        }
        if !P::FILES || self.platform.descriptors().is_empty() {
            return Err(WasiErrno::NotSupported);
        }
        // The old one is gone, whatever is said of its end.
        let _ = self.close(to);
        self.set_descriptor(to, moved);
        self.set_descriptor(from, Descriptor::default());
        Ok(())
    }

    /// Closes everything at the end of a run.
    pub(crate) fn close_descriptors(&mut self) {
        self.closed_streams = 0;
        if P::FILES && self.descriptors_ready {
            for fd in 0..self.platform.descriptors().len() as u32 {
                let _ = self.close(fd);
            }
            self.closed_streams = 0;
        }
        self.descriptors_ready = false;
    }
}
