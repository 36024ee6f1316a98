// SPDX-License-Identifier: Apache-2.0
//! One socket of an app: a socket of the workstation that never blocks, and a bounded queue of datagrams.

use super::tls::{Fault, Secure};
use socket2::{Domain, SockAddr, Type};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use wisp_abi::net::{READABLE, WRITABLE};
use wisp_abi::Errno;
use wisp_host::platform::{is_ipv4, mapped, Peer, Protocol, Received, Stage};

/// Bytes that a datagram takes in the queue beside its contents, as on a device.
const RECORD: usize = 24;
/// Datagrams or connections that one look takes in at most, so that a flood does not hold up the app.
const AT_ONCE: usize = 64;
/// Connections that may wait for `accept`.
const BACKLOG: i32 = 4;
/// Longest time of an attempt with a handshake, as on a device by default.
pub(super) const ATTEMPT_US: u64 = 20_000_000;
/// The error number of an attempt to connect that continues. The standard library has no name for it.
const IN_PROGRESS: i32 = if cfg!(target_os = "linux") { 115 } else { 36 };

#[derive(Debug)]
enum Handle {
    /// None yet, or none ever on a network that is down.
    None,
    Udp(UdpSocket),
    Listener(TcpListener),
    Stream(TcpStream),
}

/// A socket.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) protocol: Protocol,
    pub(super) stage: Stage,
    /// The port to which the app bound it, else 0.
    pub(super) local_port: u16,
    pub(super) lost: u32,
    /// Readiness that makes events, and of which events told.
    pub(super) watched: u32,
    pub(super) told: u32,
    /// The reason why the last attempt to connect failed, for the log.
    pub(super) reason: Option<String>,
    handle: Handle,
    /// TLS of a connection that has it.
    secure: Option<Secure>,
    /// When the attempt to connect was first looked at.
    begun_us: Option<u64>,
    ipv4: bool,
    datagrams: VecDeque<(Vec<u8>, Peer)>,
    queued: usize,
    entered: Option<(TcpStream, Peer)>,
    error: Option<Errno>,
    shut_down: bool,
    /// The last attempt to send found no room.
    stalled: bool,
}

/// Returns an address as the standard library has it.
pub(super) fn std_address(peer: Peer) -> SocketAddr {
    SocketAddr::new(peer.address.to_canonical(), peer.port)
}

fn peer_of(address: SocketAddr) -> Peer {
    Peer { address: mapped(address.ip()), port: address.port() }
}

/// Returns the address of no host in particular.
pub(super) fn unspecified(ipv4: bool) -> Ipv6Addr {
    if ipv4 {
        Ipv4Addr::UNSPECIFIED.to_ipv6_mapped()
    } else {
        Ipv6Addr::UNSPECIFIED
    }
}

fn errno(error: &std::io::Error) -> Errno {
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::AddrNotAvailable
        | ErrorKind::TimedOut => Errno::NoDevice,
        ErrorKind::AddrInUse => Errno::Busy,
        _ => Errno::Io,
    }
}

fn would_block(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn bound(kind: Type, ipv4: bool, port: u16) -> std::io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(if ipv4 { Domain::IPV4 } else { Domain::IPV6 }, kind, None)?;
    socket.set_nonblocking(true)?;
    if !ipv4 {
        socket.set_only_v6(true)?;
    }
    if kind == Type::STREAM {
        // connections of an earlier run may still be ending
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SockAddr::from(std_address(Peer { address: unspecified(ipv4), port })))?;
    Ok(socket)
}

impl Slot {
    /// Returns a socket that is neither bound nor connected.
    pub(super) fn new(protocol: Protocol) -> Self {
        Slot {
            protocol,
            stage: Stage::Open,
            local_port: 0,
            lost: 0,
            watched: 0,
            told: 0,
            reason: None,
            handle: Handle::None,
            secure: None,
            begun_us: None,
            ipv4: true,
            datagrams: VecDeque::new(),
            queued: 0,
            entered: None,
            error: None,
            shut_down: false,
            stalled: false,
        }
    }

    pub(super) fn bind(&mut self, ipv4: bool, port: u16, down: bool) -> Result<(), Errno> {
        if !down {
            self.handle = self.bound_handle(ipv4, port).map_err(|error| errno(&error))?;
        }
        (self.stage, self.local_port, self.ipv4) = (Stage::Bound, port, ipv4);
        Ok(())
    }

    fn bound_handle(&self, ipv4: bool, port: u16) -> std::io::Result<Handle> {
        Ok(match self.protocol.is_stream() {
            false => Handle::Udp(bound(Type::DGRAM, ipv4, port)?.into()),
            true => {
                let socket = bound(Type::STREAM, ipv4, port)?;
                socket.listen(BACKLOG)?;
                Handle::Listener(socket.into())
            }
        })
    }

    /// Begins to connect, with TLS if there is one.
    pub(super) fn connect(&mut self, peer: Peer, secure: Option<Secure>, down: bool) -> Result<(), Errno> {
        let ipv4 = is_ipv4(peer.address);
        (self.secure, self.begun_us) = (secure, None);
        if !down {
            self.handle = self.connected_handle(ipv4, peer).map_err(|error| errno(&error))?;
        }
        self.ipv4 = ipv4;
        self.stage = if self.protocol == Protocol::Udp { Stage::Connected } else { Stage::Connecting(peer) };
        Ok(())
    }

    fn connected_handle(&self, ipv4: bool, peer: Peer) -> std::io::Result<Handle> {
        let address = SockAddr::from(std_address(peer));
        if self.protocol == Protocol::Udp {
            let socket = bound(Type::DGRAM, ipv4, 0)?;
            socket.connect(&address)?;
            return Ok(Handle::Udp(socket.into()));
        }
        let socket = bound(Type::STREAM, ipv4, 0)?;
        match socket.connect(&address) {
            Err(error) if !would_block(&error) && error.raw_os_error() != Some(IN_PROGRESS) => Err(error),
            _ => Ok(Handle::Stream(socket.into())),
        }
    }

    /// Takes in what has come. `may` says of which peers.
    pub(super) fn pump(&mut self, now_us: u64, queue_size: usize, may: &dyn Fn(Peer) -> bool) {
        match &self.handle {
            Handle::Udp(_) => self.pump_datagrams(queue_size, may),
            Handle::Listener(listener) if self.entered.is_none() => {
                for _ in 0..AT_ONCE {
                    let Ok((stream, from)) = listener.accept() else { return };
                    let peer = peer_of(from);
                    if may(peer) && stream.set_nonblocking(true).is_ok() {
                        self.entered = Some((stream, peer));
                        return;
                    }
                    self.lost = self.lost.saturating_add(1);
                }
            }
            Handle::Stream(_) if matches!(self.stage, Stage::Connecting(_)) => self.pump_attempt(now_us),
            Handle::Stream(_) => {
                if let (Handle::Stream(stream), Some(secure)) = (&mut self.handle, &mut self.secure) {
                    secure.exchange(stream);
                }
            }
            _ => {}
        }
    }

    /// Continues an attempt to connect. The next call of `connect` takes the result, however long the app waits with it.
    fn pump_attempt(&mut self, now_us: u64) {
        let Handle::Stream(stream) = &mut self.handle else { return };
        if let Ok(Some(error)) | Err(error) = stream.take_error() {
            self.reason = self.secure.is_some().then(|| error.to_string());
            (self.error, self.handle) = (Some(errno(&error)), Handle::None);
            return;
        }
        let Some(secure) = self.secure.as_mut() else { return };
        if stream.peer_addr().is_ok() {
            secure.exchange(stream);
        }
        let begun_us = *self.begun_us.get_or_insert(now_us);
        let late = now_us.saturating_sub(begun_us) > ATTEMPT_US;
        let silent = || Fault { errno: Errno::NoDevice, reason: "no answer in the handshake".into() };
        if let Some(fault) = match secure.is_agreed() {
            Err(fault) => Some(fault),
            Ok(agreed) => (late && !agreed).then(silent),
        } {
            (self.error, self.reason, self.handle) = (Some(fault.errno), Some(fault.reason), Handle::None);
        }
    }

    fn pump_datagrams(&mut self, queue_size: usize, may: &dyn Fn(Peer) -> bool) {
        let Handle::Udp(socket) = &self.handle else { return };
        let mut buffer = [0; 65_536];
        for _ in 0..AT_ONCE {
            let (length, from) = match socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if would_block(&error) => return,
                Err(error) => {
                    self.error = Some(errno(&error));
                    return;
                }
            };
            let peer = peer_of(from);
            let size = self.queued + length + RECORD;
            if !may(peer) || size > queue_size {
                self.lost = self.lost.saturating_add(1);
                continue;
            }
            self.queued = size;
            self.datagrams.push_back((buffer[..length].to_vec(), peer));
        }
    }

    /// Returns true if the attempt to connect has succeeded.
    fn has_peer(&self) -> bool {
        let agreed = self.secure.as_ref().is_none_or(|secure| secure.is_agreed().is_ok_and(|agreed| agreed));
        agreed && matches!(&self.handle, Handle::Stream(stream) if stream.peer_addr().is_ok())
    }

    /// Takes the result of the attempt to connect. After a failure, the socket can try again.
    pub(super) fn connected(&mut self) -> Result<Option<()>, Errno> {
        match (self.stage, self.error) {
            (Stage::Connecting(_), Some(error)) => {
                (self.stage, self.error) = (Stage::Open, None);
                return Err(error);
            }
            (Stage::Connecting(_), None) if !self.has_peer() => return Ok(None),
            (Stage::Connecting(_), None) => self.stage = Stage::Connected,
            _ => {}
        }
        Ok(Some(()))
    }

    pub(super) fn accept(&mut self) -> Option<(Slot, Peer)> {
        let (stream, peer) = self.entered.take()?;
        let ipv4 = self.ipv4;
        let slot = Slot { stage: Stage::Connected, handle: Handle::Stream(stream), ipv4, ..Slot::new(Protocol::Tcp) };
        Some((slot, peer))
    }

    pub(super) fn send(&mut self, bytes: &[u8], to: Option<Peer>, down: bool) -> Result<Option<usize>, Errno> {
        if let Some(peer) = to {
            let ipv4 = is_ipv4(peer.address);
            if self.stage == Stage::Open {
                if !down {
                    self.handle = self.bound_handle(ipv4, 0).map_err(|error| errno(&error))?;
                }
                (self.stage, self.ipv4) = (Stage::Bound, ipv4);
            }
            if self.ipv4 != ipv4 {
                return Err(Errno::Invalid);
            }
        }
        if self.shut_down {
            return Err(Errno::Perm);
        }
        if let (Handle::Stream(stream), Some(secure)) = (&mut self.handle, &mut self.secure) {
            return secure.send(bytes, stream);
        }
        let sent = match (&mut self.handle, to) {
            (Handle::Udp(socket), Some(peer)) => socket.send_to(bytes, std_address(peer)),
            (Handle::Udp(socket), None) => socket.send(bytes),
            (Handle::Stream(stream), None) => stream.write(bytes),
            // the network is down: what is sent is lost
            _ => Ok(bytes.len()),
        };
        match sent {
            Ok(count) => Ok(Some(count)),
            Err(error) if would_block(&error) => {
                self.stalled = true;
                Ok(None)
            }
            Err(error) => Err(errno(&error)),
        }
    }

    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Result<Option<Received>, Errno> {
        let nobody = Peer { address: Ipv6Addr::UNSPECIFIED, port: 0 };
        if let Handle::Stream(stream) = &mut self.handle {
            let received = |count| Received { count, length: count, peer: nobody };
            if let Some(secure) = &mut self.secure {
                return Ok(secure.receive(buffer, stream)?.map(received));
            }
            return match stream.read(buffer) {
                Ok(count) => Ok(Some(received(count))),
                Err(error) if would_block(&error) => Ok(None),
                Err(error) => Err(errno(&error)),
            };
        }
        if let Some((bytes, peer)) = self.datagrams.pop_front() {
            self.queued -= bytes.len() + RECORD;
            let count = bytes.len().min(buffer.len());
            buffer[..count].copy_from_slice(&bytes[..count]);
            return Ok(Some(Received { count, length: bytes.len(), peer }));
        }
        self.error.take().map_or(Ok(None), Err)
    }

    pub(super) fn shut_down(&mut self) -> Result<(), Errno> {
        self.shut_down = true;
        if let (Handle::Stream(stream), Some(secure)) = (&mut self.handle, &mut self.secure) {
            secure.end(stream)?;
        }
        match &self.handle {
            Handle::Stream(stream) => stream.shutdown(Shutdown::Write).map_err(|_| Errno::Io),
            _ => Ok(()),
        }
    }

    /// Ends TLS as the peer expects it, before the socket is dropped.
    pub(super) fn end(&mut self) {
        if let (Stage::Connected, Handle::Stream(stream), Some(secure)) =
            (self.stage, &mut self.handle, &mut self.secure)
        {
            // the app has gone, and the peer sees an end either way
            let _ = secure.end(stream);
        }
    }

    /// Returns what can be done without waiting.
    pub(super) fn ready(&mut self) -> u32 {
        let bit = |yes: bool, bit: u32| if yes { bit } else { 0 };
        if let (Stage::Connected, Handle::Stream(stream), Some(secure)) =
            (self.stage, &mut self.handle, &mut self.secure)
        {
            let (readable, writable) = secure.ready(stream);
            return bit(readable, READABLE) | bit(writable && !self.shut_down, WRITABLE);
        }
        match (&self.handle, self.stage) {
            (_, Stage::Connecting(_)) => {
                bit(self.error.is_some(), READABLE | WRITABLE) | bit(self.has_peer(), WRITABLE)
            }
            (_, Stage::Open) => 0,
            (Handle::Listener(_), _) => bit(self.entered.is_some(), READABLE),
            (Handle::Stream(stream), _) => {
                let readable = stream.peek(&mut [0]).map_or_else(|error| !would_block(&error), |_| true);
                // a stalled socket is worth another attempt at the next look
                let writable = !std::mem::take(&mut self.stalled) && !self.shut_down;
                bit(readable, READABLE) | bit(writable, WRITABLE)
            }
            _ => bit(!self.datagrams.is_empty() || self.error.is_some(), READABLE) | WRITABLE,
        }
    }

    /// Returns, once until the socket is used, the readiness that is watched.
    pub(super) fn tell(&mut self) -> u32 {
        let due = self.ready() & self.watched & !self.told;
        self.told |= due;
        due
    }
}
