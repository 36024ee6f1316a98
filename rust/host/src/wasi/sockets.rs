// SPDX-License-Identifier: Apache-2.0
//! Sockets as descriptors. WASI opens none, so the host gives a program a listener for each `tcp-listen` entry of one port.
//!
//! The numbers follow those of the folders, or of all other descriptors if the app has folders: first the listeners in the
//! order of their entries, and then the sockets of `wisp:net@1`. So accepted connections, and sockets that the app opened by
//! that interface, are descriptors as well. A listener takes its socket when it is first used.

use super::descriptors::Open;
use super::{streams, Wasi};
use crate::bindings::NetV1;
use crate::border::Memory;
use crate::endpoint::{Endpoint, Protocol};
use crate::net::Stage;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use core::ops::Range;
use wisp_abi::net::{FOREVER, MAX_ENDPOINTS, MAX_SOCKETS, READABLE, TCP, WRITABLE};
use wisp_abi::{wasi, Errno, WasiErrno};

/// States of descriptors that stand for sockets: a bit for each.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SocketFlags {
    closed_listeners: u32,
    nonblocking_listeners: u32,
    nonblocking_sockets: u32,
}

impl SocketFlags {
    pub(crate) const fn new() -> Self {
        SocketFlags { closed_listeners: 0, nonblocking_listeners: 0, nonblocking_sockets: 0 }
    }
}

/// A socket behind a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Socket {
    /// The listener of an entry.
    Listener {
        /// Its number among the listeners.
        index: u32,
        /// Its port.
        port: u16,
    },
    /// A socket of `wisp:net@1`.
    Number(u32),
}

fn failure(failure: Failure<Errno>) -> Failure<WasiErrno> {
    match failure {
        // the time of a call that does not block is over at once
        Failure::Error(Errno::TimedOut) => WasiErrno::Again.into(),
        Failure::Error(error) => WasiErrno::from(error).into(),
        Failure::Stop(stop) => Failure::Stop(stop),
    }
}

impl<P: Platform> App<P> {
    /// Returns the ports of the listeners.
    fn listeners(&self) -> impl Iterator<Item = u16> + '_ {
        let entries = (0..MAX_ENDPOINTS).map_while(|index| self.platform.net_endpoint(index));
        entries.filter_map(|text| Endpoint::parse(text).ok()?.listening_port())
    }

    /// Returns the descriptor of the first listener.
    fn first_listener(&mut self) -> u32 {
        if P::FILES && self.platform.folders() > 0 {
            self.platform.descriptors().len() as u32
        } else {
            wasi::STDERR + 1
        }
    }

    /// Returns the socket that a descriptor stands for.
    pub(super) fn socket(&mut self, fd: u32) -> Option<Socket> {
        // a board without a network has no entries
        self.platform.net_endpoint(0)?;
        let index = fd.checked_sub(self.first_listener())?;
        if let Some(port) = self.listeners().nth(index as usize) {
            let is_open = self.sockets.closed_listeners >> index & 1 == 0;
            return is_open.then_some(Socket::Listener { index, port });
        }
        let number = index.checked_sub(self.listeners().count() as u32).filter(|number| *number < MAX_SOCKETS)?;
        self.platform.net_socket(number).map(|_| Socket::Number(number))
    }

    /// Returns the descriptor of a socket of `wisp:net@1`.
    fn descriptor_of(&mut self, number: u32) -> u32 {
        self.first_listener() + self.listeners().count() as u32 + number
    }

    /// Returns the socket of a descriptor.
    fn open_socket(&mut self, fd: u32) -> Wasi<Socket> {
        match self.open(fd)? {
            Open::Socket(socket) => Ok(socket),
            _ => Err(WasiErrno::NotSocket.into()),
        }
    }

    /// Returns the number of a socket that is bound to a port.
    fn bound(&self, port: u16) -> Option<u32> {
        let listens = |number: &u32| {
            let socket = self.platform.net_socket(*number);
            socket.is_some_and(|socket| {
                (socket.protocol, socket.stage, socket.local_port) == (Protocol::Tcp, Stage::Bound, port)
            })
        };
        (0..MAX_SOCKETS).find(listens)
    }

    /// Returns the number of a socket. A listener is bound, if it is not.
    fn number(&mut self, socket: Socket) -> Wasi<u32> {
        let port = match socket {
            Socket::Number(number) => return Ok(number),
            Socket::Listener { port, .. } => port,
        };
        if let Some(number) = self.bound(port) {
            return Ok(number);
        }
        let number = NetV1::open(self, TCP).map_err(failure)?;
        if let Err(error) = NetV1::bind(self, number, port.into()) {
            self.platform.close_net(number);
            return Err(failure(error));
        }
        Ok(number)
    }

    /// Returns the bits that say whether sockets of a kind block, and the one of a socket.
    fn nonblocking(&mut self, socket: Socket) -> (&mut u32, u32) {
        match socket {
            Socket::Listener { index, .. } => (&mut self.sockets.nonblocking_listeners, 1 << index),
            Socket::Number(number) => (&mut self.sockets.nonblocking_sockets, 1 << number),
        }
    }

    /// Returns the timeout of calls of a socket.
    fn timeout(&mut self, socket: Socket) -> u32 {
        let (bits, bit) = self.nonblocking(socket);
        if *bits & bit == 0 {
            FOREVER
        } else {
            0
        }
    }

    /// Sets the flags of a socket, of which there is one.
    pub(super) fn set_socket_flags(&mut self, socket: Socket, flags: u32) -> Wasi<()> {
        if flags & !wasi::fdflags::NONBLOCK != 0 {
            return Err(WasiErrno::NotSupported.into());
        }
        let (bits, bit) = self.nonblocking(socket);
        *bits = if flags == 0 { *bits & !bit } else { *bits | bit };
        Ok(())
    }

    /// Returns the type of a socket.
    pub(super) fn socket_type(&self, socket: Socket) -> u8 {
        let found = match socket {
            Socket::Listener { .. } => None,
            Socket::Number(number) => self.platform.net_socket(number),
        };
        match found {
            Some(socket) if !socket.protocol.is_stream() => wasi::filetype::SOCKET_DGRAM,
            _ => wasi::filetype::SOCKET_STREAM,
        }
    }

    /// Returns the flags and the rights of a socket.
    pub(super) fn socket_rights(&mut self, socket: Socket) -> (u16, u64) {
        let flags = if self.timeout(socket) == 0 { wasi::fdflags::NONBLOCK } else { 0 };
        let rights = match socket {
            Socket::Listener { .. } => wasi::rights::LISTENER,
            Socket::Number(_) => wasi::rights::SOCKET,
        };
        (flags as u16, rights)
    }

    /// Closes a socket.
    pub(super) fn close_socket(&mut self, socket: Socket) -> Result<(), WasiErrno> {
        let number = match socket {
            Socket::Number(number) => Some(number),
            Socket::Listener { index, port } => {
                self.sockets.closed_listeners |= 1 << index;
                self.bound(port)
            }
        };
        if let Some(number) = number {
            // it is open
            let _ = NetV1::close(self, number);
        }
        Ok(())
    }

    /// Returns whether a socket is ready for reading, or else for writing.
    pub(super) fn socket_is_ready(&mut self, socket: Socket, reading: bool) -> Wasi<bool> {
        let number = self.number(socket)?;
        let ready = self.platform.net_ready(number);
        Ok(ready & if reading { READABLE } else { WRITABLE } != 0)
    }

    /// Carries out `sock_accept`.
    pub(super) fn accept_connection(&mut self, fd: u32, flags: u32) -> Wasi<u32> {
        let socket = self.open_socket(fd)?;
        if flags & !wasi::fdflags::NONBLOCK != 0 {
            return Err(WasiErrno::Invalid.into());
        }
        let timeout = self.timeout(socket);
        let number = self.number(socket)?;
        if self.platform.net_socket(number).is_none_or(|found| found.stage != Stage::Bound) {
            return Err(WasiErrno::Invalid.into());
        }
        let (accepted, _) = NetV1::accept(self, number, timeout).map_err(failure)?;
        self.set_socket_flags(Socket::Number(accepted), flags)?;
        Ok(self.descriptor_of(accepted))
    }

    /// Returns the number of a socket that bytes go through.
    fn connected(&mut self, socket: Socket) -> Wasi<u32> {
        let Socket::Number(number) = socket else { return Err(WasiErrno::NotConnected.into()) };
        let is_connected = self.platform.net_socket(number).is_some_and(|found| found.stage == Stage::Connected);
        is_connected.then_some(number).ok_or(WasiErrno::NotConnected.into())
    }

    /// Receives into vectors: as much as comes at once, or with `all` until they are full or the stream ends.
    pub(super) fn receive_into(
        &mut self,
        memory: &mut Memory<'_>,
        socket: Socket,
        (iovs, iovs_len): (u32, u32),
        all: bool,
    ) -> Wasi<u32> {
        let number = self.connected(socket)?;
        let timeout = self.timeout(socket);
        streams::total(self, memory, iovs, iovs_len)?;
        let mut received = 0;
        for index in 0..iovs_len {
            let mut range = part(memory, iovs, index)?;
            while !range.is_empty() {
                let buffer = memory.all().get_mut(range.clone()).unwrap_or_default();
                let count = match NetV1::receive(self, number, buffer, timeout).map_err(failure) {
                    Ok(count) => count,
                    // what came before the error is kept
                    Err(Failure::Error(_)) if received > 0 => return Ok(received),
                    Err(error) => return Err(error),
                };
                received += count;
                range.start += count as usize;
                if !all || count == 0 {
                    return Ok(received);
                }
            }
        }
        Ok(received)
    }

    /// Sends what vectors hold: all of it, or as much as there is room for if the socket does not block.
    pub(super) fn send_from(
        &mut self,
        memory: &mut Memory<'_>,
        socket: Socket,
        (iovs, iovs_len): (u32, u32),
    ) -> Wasi<u32> {
        let number = self.connected(socket)?;
        let timeout = self.timeout(socket);
        streams::total(self, memory, iovs, iovs_len)?;
        let mut sent = 0;
        for index in 0..iovs_len {
            self.go_on()?;
            let mut range = part(memory, iovs, index)?;
            while !range.is_empty() {
                let bytes = memory.all().get(range.clone()).unwrap_or_default();
                match NetV1::send(self, number, bytes, timeout).map_err(failure) {
                    Ok(count) => {
                        sent += count;
                        range.start += count as usize;
                    }
                    // what was taken before the error is said
                    Err(Failure::Error(_)) if sent > 0 => return Ok(sent),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(sent)
    }

    /// Carries out `sock_recv`.
    pub(super) fn receive_from_socket(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        vectors: (u32, u32),
        flags: u32,
    ) -> Wasi<(u32, [u8; 2])> {
        let socket = self.open_socket(fd)?;
        match flags {
            // bytes that stay in a socket cannot be looked at
            _ if flags & wasi::RECV_PEEK != 0 => Err(WasiErrno::NotSupported.into()),
            0 | wasi::RECV_WAITALL => {
                Ok((self.receive_into(memory, socket, vectors, flags == wasi::RECV_WAITALL)?, [0; 2]))
            }
            _ => Err(WasiErrno::Invalid.into()),
        }
    }

    /// Carries out `sock_send`, which has no flags.
    pub(super) fn send_to_socket(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        vectors: (u32, u32),
        flags: u32,
    ) -> Wasi<u32> {
        let socket = self.open_socket(fd)?;
        if flags != 0 {
            return Err(WasiErrno::Invalid.into());
        }
        self.send_from(memory, socket, vectors)
    }

    /// Carries out `sock_shutdown`. What still comes after an end of receiving is not looked at by anybody.
    pub(super) fn shut_down_socket(&mut self, fd: u32, how: u32) -> Wasi<()> {
        let socket = self.open_socket(fd)?;
        if how == 0 || how & !(wasi::SHUTDOWN_RECEIVING | wasi::SHUTDOWN_SENDING) != 0 {
            return Err(WasiErrno::Invalid.into());
        }
        let number = self.connected(socket)?;
        if how & wasi::SHUTDOWN_SENDING == 0 {
            return Ok(());
        }
        NetV1::shutdown(self, number).map_err(failure)
    }

    /// Lets a socket that was just opened block, whatever the one with its number before it did.
    pub(crate) fn begin_socket(&mut self, number: u32) {
        self.sockets.nonblocking_sockets &= !(1 << number);
    }

    /// Forgets the flags of descriptors: the app has ended.
    pub(crate) fn forget_sockets(&mut self) {
        self.sockets = SocketFlags::new();
    }
}

/// Returns the bytes of a vector.
fn part(memory: &Memory<'_>, iovs: u32, index: u32) -> Wasi<Range<usize>> {
    let (pointer, length) = streams::vector(memory, iovs, index)?;
    memory.range(pointer, length)
}

#[cfg(test)]
mod tests;
