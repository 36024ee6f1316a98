// SPDX-License-Identifier: Apache-2.0
//! `wisp:net@1`.

use crate::bindings::NetV1;
use crate::endpoint::{address, is_ipv4, is_name, may_be_named, Endpoint, EndpointError, Host, Peer, Protocol};
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use core::net::Ipv6Addr;
use wisp_abi::net::{self, HANDSHAKE, MAX_DATAGRAM, OVERHEAD, READABLE, WRITABLE};
use wisp_abi::Errno;

/// State of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It was opened.
    Open,
    /// A socket for datagrams that has sent or is bound, or a listener.
    Bound,
    /// A connection is attempted with this peer.
    Connecting(Peer),
    /// It is connected.
    Connected,
}

/// Facts about an open socket that the host checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// The protocol.
    pub protocol: Protocol,
    /// The state.
    pub stage: Stage,
    /// The port to which the app bound it, 0 for none.
    pub local_port: u16,
}

/// A datagram, or a part of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Bytes in the buffer.
    pub count: usize,
    /// Bytes of the whole datagram.
    pub length: usize,
    /// The sender of a datagram.
    pub peer: Peer,
}

/// The end of a call that may wait: a result, `None` when the time is over, an error, or a stop of the app.
pub type Waited<T> = Result<Option<T>, Failure<Errno>>;

/// The network, as far as an app sees it. `socket` is below [`net::MAX_SOCKETS`], and of a socket that is open. Times are uptimes
/// in microseconds, `u64::MAX` is without end, and one that has passed means not to wait. The host has checked that
/// a peer is granted before it is passed. What the network delivers must be checked with [`may_receive`] or
/// [`may_enter`] before it takes room. A board without network implements nothing.
pub trait Net {
    /// Returns the text of an entry of `net-endpoints`, `None` behind the last one.
    fn net_endpoint(&self, _index: u32) -> Option<&[u8]> {
        None
    }

    /// Returns the address that the name of this entry has.
    fn net_resolved(&self, _index: u32) -> Option<Ipv6Addr> {
        None
    }

    /// Keeps the address that the name of this entry has.
    fn set_net_resolved(&mut self, _index: u32, _address: Ipv6Addr) {}

    /// Returns true if something is left of the app's bytes for this hour.
    fn has_net_bytes(&mut self) -> bool {
        false
    }

    /// Counts bytes that were sent or received.
    fn use_net_bytes(&mut self, _bytes: u32) {}

    /// Returns true if a lookup of this name has been started and its result was not taken.
    fn is_looking_up(&self, _name: &[u8]) -> bool {
        false
    }

    /// Looks a name up.
    ///
    /// # Errors
    /// `ENOENT` if it has no address, `EBUSY` during a lookup of another name, `EIO` if the lookup failed.
    fn look_up(&mut self, _name: &[u8], _until_us: u64) -> Waited<Ipv6Addr> {
        Err(Errno::NoSuchDevice.into())
    }

    /// Opens a socket and returns its number.
    ///
    /// # Errors
    /// `ENOMEM` if no more can be open.
    fn open_net(&mut self, _protocol: Protocol) -> Result<u32, Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Returns what is known of a socket, `None` if none is open with this number, whatever it is.
    fn net_socket(&self, _socket: u32) -> Option<Socket> {
        None
    }

    /// Binds a socket that was just opened, and listens with TCP.
    ///
    /// # Errors
    /// `EBUSY` if the port is in use, `EIO` if the network failed.
    fn bind_net(&mut self, _socket: u32, _ipv4: bool, _port: u16) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Connects a socket that was just opened, or waits for the connection that was begun. `entry` is the one that
    /// grants the peer, as the connection begins. For a secure protocol, [`proved`] has what follows from it.
    ///
    /// # Errors
    /// `ENXIO` if the peer refused or cannot be reached, `EPROTO` if it did not prove its name, `ENOENT` without the
    /// credential, `EIO` if the network failed.
    fn connect_net(&mut self, _socket: u32, _peer: Peer, _entry: Option<u32>, _until_us: u64) -> Waited<()> {
        Err(Errno::NoSuchDevice.into())
    }

    /// Takes a connection as a new socket.
    ///
    /// # Errors
    /// `ENOMEM` if no more can be open.
    fn accept_net(&mut self, _socket: u32, _until_us: u64) -> Waited<(u32, Peer)> {
        Err(Errno::NoSuchDevice.into())
    }

    /// Sends to the connected peer, or a datagram to the given one: how many bytes were taken.
    ///
    /// # Errors
    /// `EPERM` after a shutdown, `EIO` for a broken connection, `ENXIO`, `EINVAL` for the wrong kind of address.
    fn send_net(&mut self, _socket: u32, _bytes: &[u8], _to: Option<Peer>, _until_us: u64) -> Waited<usize> {
        Err(Errno::NoSuchDevice.into())
    }

    /// Takes a datagram, or bytes of a stream, of which 0 are its end.
    ///
    /// # Errors
    /// `EIO` for a broken connection, `ENXIO` if a peer refused what was sent.
    fn receive_net(&mut self, _socket: u32, _buffer: &mut [u8], _until_us: u64) -> Waited<Received> {
        Err(Errno::NoSuchDevice.into())
    }

    /// Selects which readiness raises events, and drops what the queue holds of the socket.
    ///
    /// # Errors
    /// `ENOTSUP` without events.
    fn watch_net(&mut self, _socket: u32, _readiness: u32) -> Result<(), Errno> {
        Err(Errno::NotSupported)
    }

    /// Returns [`READABLE`] and [`WRITABLE`] as they are now.
    fn net_ready(&mut self, _socket: u32) -> u32 {
        0
    }

    /// Returns how many datagrams and connections were dropped since the last call.
    fn take_net_lost(&mut self, _socket: u32) -> u32 {
        0
    }

    /// Ends sending on a connection.
    ///
    /// # Errors
    /// `EIO` for a broken connection.
    fn shut_down_net(&mut self, _socket: u32) -> Result<(), Errno> {
        Err(Errno::NoSuchDevice)
    }

    /// Closes a socket.
    fn close_net(&mut self, _socket: u32) {}

    /// Closes all sockets, calls off a lookup and forgets the addresses of names: the app has ended.
    fn release_net(&mut self) {}
}

fn endpoints<N: Net + ?Sized>(board: &N) -> impl Iterator<Item = (u32, Endpoint<'_>)> {
    let texts = (0..).map_while(|index| Some((index, board.net_endpoint(index)?)));
    // a malformed one was refused before the app started
    texts.filter_map(|(index, text)| Some((index, Endpoint::parse(text).ok()?)))
}

/// Finds the first entry of `net-endpoints` that cannot be read: its index and what is wrong with it.
pub fn bad_endpoint<N: Net + ?Sized>(board: &N) -> Option<(u32, EndpointError)> {
    let mut texts = (0..).map_while(|index| Some((index, board.net_endpoint(index)?)));
    texts.find_map(|(index, text)| Some((index, Endpoint::parse(text).err()?)))
}

/// Returns the index of the first entry by which the app may go to a peer.
pub fn grant_of<N: Net + ?Sized>(board: &N, protocol: Protocol, peer: Peer) -> Option<u32> {
    let mut found = endpoints(board).filter(|(index, endpoint)| {
        let is_host = match endpoint.host {
            Host::Prefix(..) => endpoint.has_address(peer.address),
            Host::Name(_) => board.net_resolved(*index) == Some(peer.address),
        };
        !endpoint.listens && endpoint.protocol == protocol && endpoint.has_port(peer.port) && is_host
    });
    found.next().map(|(index, _)| index)
}

/// Returns true if the app may go to a peer.
pub fn may_reach<N: Net + ?Sized>(board: &N, protocol: Protocol, peer: Peer) -> bool {
    grant_of(board, protocol, peer).is_some()
}

/// Returns the credential that an entry of a secure protocol names, and the name that the peer has to prove. Without
/// a name, the peer has to prove its address.
pub fn proved<N: Net + ?Sized>(board: &N, entry: u32) -> Option<(u16, Option<&[u8]>)> {
    let endpoint = Endpoint::parse(board.net_endpoint(entry)?).ok()?;
    let name = match endpoint.host {
        Host::Name(name) => Some(name),
        Host::Prefix(..) => None,
    };
    endpoint.protocol.is_secure().then_some((endpoint.tag, name))
}

/// Returns true if an entry grants some port of this address.
fn may_have<N: Net + ?Sized>(board: &N, address: Ipv6Addr) -> bool {
    endpoints(board).any(|(_, endpoint)| !endpoint.listens && endpoint.has_address(address))
}

/// Returns true if an entry is this one address. A prefix does not choose each address that it has.
fn is_listed<N: Net + ?Sized>(board: &N, address: Ipv6Addr) -> bool {
    endpoints(board).any(|(_, endpoint)| !endpoint.listens && endpoint.host == Host::Prefix(address, 128))
}

/// Returns true if a peer with this address may come to a port of the app.
pub fn may_enter<N: Net + ?Sized>(board: &N, protocol: Protocol, port: u16, address: Ipv6Addr) -> bool {
    endpoints(board).any(|(_, endpoint)| {
        endpoint.listens && endpoint.protocol == protocol && endpoint.has_port(port) && endpoint.has_address(address)
    })
}

/// Returns true if a datagram may pass between a socket and a peer, in either direction.
pub fn may_receive<N: Net + ?Sized>(board: &N, local_port: u16, peer: Peer) -> bool {
    may_reach(board, Protocol::Udp, peer)
        || (local_port != 0 && may_enter(board, Protocol::Udp, local_port, peer.address))
}

/// The text of the entry that would grant something, for the log.
struct Wanted {
    text: [u8; 64],
    length: usize,
}

impl Wanted {
    fn new(protocol: Protocol, listens: bool) -> Self {
        let mut wanted = Wanted { text: [0; 64], length: 0 };
        wanted.push(protocol.name().as_bytes());
        wanted.push(if listens { b"-listen:" } else { b":" });
        wanted
    }

    /// Appends what fits, which is all that this file makes.
    fn push(&mut self, bytes: &[u8]) {
        for (place, byte) in self.text.iter_mut().skip(self.length).zip(bytes) {
            *place = *byte;
            self.length += 1;
        }
    }

    fn push_number(&mut self, number: u16, base: u16) {
        let digit = |value: u16| b"0123456789abcdef".get(usize::from(value)).copied().unwrap_or(b'?');
        let mut digits = [0; 5];
        let (mut rest, mut used) = (number, 0);
        for place in digits.iter_mut().rev() {
            if used == 0 || rest != 0 {
                *place = digit(rest % base);
                rest /= base;
                used += 1;
            }
        }
        self.push(digits.get(digits.len() - used..).unwrap_or(&[]));
    }

    /// Appends a port. What is none stands as a word, because no entry has it.
    fn push_port(&mut self, port: u16) {
        match port {
            0 => self.push(b"PORT"),
            _ => self.push_number(port, 10),
        }
    }

    fn push_address(&mut self, address: Ipv6Addr) {
        match address.to_ipv4_mapped() {
            Some(v4) => {
                for (i, part) in v4.octets().into_iter().enumerate() {
                    self.push(if i == 0 { b"" } else { b"." });
                    self.push_number(part.into(), 10);
                }
            }
            None => {
                for (i, part) in address.segments().into_iter().enumerate() {
                    self.push(if i == 0 { b"[" } else { b":" });
                    self.push_number(part, 16);
                }
                self.push(b"]");
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or(&[])
    }
}

fn record<const SIZE: usize>(address: Ipv6Addr, numbers: [u32; 2]) -> [u8; SIZE] {
    let mut record = [0; SIZE];
    let number = u128::from(address);
    let fields = [(number >> 64) as u64, number as u64, u64::from(numbers[0]) | u64::from(numbers[1]) << 32];
    for (place, field) in record.chunks_exact_mut(8).zip(fields) {
        place.copy_from_slice(&field.to_le_bytes());
    }
    record
}

fn protocol(number: u32) -> Result<Protocol, Errno> {
    match number {
        net::UDP => Ok(Protocol::Udp),
        net::TCP => Ok(Protocol::Tcp),
        net::TLS => Ok(Protocol::Tls),
        net::DTLS => Ok(Protocol::Dtls),
        _ => Err(Errno::Invalid),
    }
}

fn in_time<T>(waited: Option<T>) -> Result<T, Failure<Errno>> {
    waited.ok_or(Errno::TimedOut.into())
}

/// Converts a count of bytes. It is one of a slice in linear memory, so it fits.
fn count(bytes: usize) -> u32 {
    bytes as u32
}

impl<P: Platform> App<P> {
    pub(crate) fn net_socket(&self, socket: u32) -> Result<Socket, Errno> {
        self.platform.net_socket(socket).ok_or(Errno::BadHandle)
    }

    pub(crate) fn net_denied(&mut self, protocol: Protocol, peer: Peer) -> Errno {
        let mut wanted = Wanted::new(protocol, false);
        wanted.push_address(peer.address);
        wanted.push(b":");
        wanted.push_port(peer.port);
        wanted.push(if protocol.is_secure() { b"#TAG" } else { b"" });
        self.platform.denied(net::INTERFACE.module, wanted.bytes());
        Errno::Access
    }

    pub(crate) fn net_budget(&mut self) -> Result<(), Errno> {
        if self.platform.has_net_bytes() {
            Ok(())
        } else {
            Err(Errno::Again)
        }
    }

    /// Counts what passed through a socket.
    fn count_net(&mut self, socket: Socket, bytes: usize) {
        let overhead = if socket.protocol.is_stream() { 0 } else { OVERHEAD };
        self.platform.use_net_bytes(count(bytes).saturating_add(overhead));
    }

    /// Returns the entries whose name is `name`, a bit for each.
    fn granted_names(&self, name: &[u8]) -> u32 {
        let found = endpoints(&self.platform).filter(|(_, endpoint)| !endpoint.listens && endpoint.has_name(name));
        found.fold(0, |bits, (index, _)| bits | 1u32.checked_shl(index).unwrap_or(0))
    }

    pub(crate) fn net_send(
        &mut self,
        socket: u32,
        bytes: &[u8],
        to: Option<Peer>,
        end: u64,
    ) -> Result<u32, Failure<Errno>> {
        let found = self.net_socket(socket)?;
        if !found.protocol.is_stream() && bytes.len() > MAX_DATAGRAM as usize {
            return Err(Errno::MessageSize.into());
        }
        if found.protocol.is_stream() && bytes.is_empty() {
            return Ok(0);
        }
        self.net_budget()?;
        let sent = in_time(self.platform.send_net(socket, bytes, to, end)?)?;
        self.count_net(found, sent);
        Ok(count(sent))
    }

    pub(crate) fn net_receive(&mut self, socket: u32, buffer: &mut [u8], end: u64) -> Result<Received, Failure<Errno>> {
        let found = self.net_socket(socket)?;
        self.net_budget()?;
        let received = in_time(self.platform.receive_net(socket, buffer, end)?)?;
        self.count_net(found, received.length);
        Ok(received)
    }
}

/// Reads a port and the halves of an address. A port beyond 16 bits is none that a grant has.
fn peer(high: u64, low: u64, port: u32) -> Peer {
    let address = Ipv6Addr::from(u128::from(high) << 64 | u128::from(low));
    Peer { address, port: u16::try_from(port).unwrap_or(0) }
}

impl<P: Platform> NetV1 for App<P> {
    fn resolve(&mut self, name: &[u8], timeout: u32) -> Result<[u8; 16], Failure<Errno>> {
        if let Some(address) = address(name) {
            if may_have(&self.platform, address) {
                return Ok(record(address, [0; 2]));
            }
        } else if !is_name(name) {
            return Err(Errno::Invalid.into());
        }
        let granted = self.granted_names(name);
        if granted == 0 {
            self.platform.denied(net::INTERFACE.module, name);
            return Err(Errno::Access.into());
        }
        let begins = !self.platform.is_looking_up(name);
        if begins {
            self.net_budget()?;
        }
        let end = self.end_of_wait(timeout);
        let found = self.platform.look_up(name, end);
        // nothing was asked of a server during the lookup of another name
        if begins && found != Err(Errno::Busy.into()) {
            self.platform.use_net_bytes(OVERHEAD);
        }
        let address = in_time(found?)?;
        if !may_be_named(name, address) && !is_listed(&self.platform, address) {
            // the first of the entries, of which there is one at least
            let named = endpoints(&self.platform).find(|(index, _)| *index == granted.trailing_zeros());
            if let Some((_, endpoint)) = named {
                let peer = Peer { address, port: endpoint.first_port() };
                self.net_denied(endpoint.protocol, peer);
            }
            return Err(Errno::Access.into());
        }
        for index in (0..net::MAX_ENDPOINTS).filter(|index| granted >> index & 1 == 1) {
            self.platform.set_net_resolved(index, address);
        }
        Ok(record(address, [0; 2]))
    }

    fn open(&mut self, number: u32) -> Result<u32, Failure<Errno>> {
        let protocol = protocol(number)?;
        if self.platform.net_endpoint(0).is_none() {
            self.platform.denied(net::INTERFACE.module, b"net-endpoints");
            return Err(Errno::Access.into());
        }
        let number = self.platform.open_net(protocol)?;
        self.begin_socket(number);
        Ok(number)
    }

    fn bind(&mut self, socket: u32, number: u32) -> Result<(), Failure<Errno>> {
        let found = self.net_socket(socket)?;
        if found.stage != Stage::Open {
            return Err(Errno::Perm.into());
        }
        let port = u16::try_from(number).unwrap_or(0);
        let granted = endpoints(&self.platform)
            .map(|(_, endpoint)| endpoint)
            .find(|e| e.listens && e.protocol == found.protocol && e.has_port(port));
        let Some(Host::Prefix(base, _)) = granted.map(|endpoint| endpoint.host) else {
            let mut wanted = Wanted::new(found.protocol, true);
            wanted.push(b"0.0.0.0:");
            wanted.push_port(port);
            self.platform.denied(net::INTERFACE.module, wanted.bytes());
            return Err(Errno::Access.into());
        };
        Ok(self.platform.bind_net(socket, is_ipv4(base), port)?)
    }

    fn connect(&mut self, socket: u32, high: u64, low: u64, port: u32, timeout: u32) -> Result<(), Failure<Errno>> {
        let found = self.net_socket(socket)?;
        let peer = peer(high, low, port);
        let entry = match found.stage {
            Stage::Open => {
                let Some(entry) = grant_of(&self.platform, found.protocol, peer) else {
                    return Err(self.net_denied(found.protocol, peer).into());
                };
                self.net_budget()?;
                Some(entry)
            }
            Stage::Connecting(begun) if begun == peer => None,
            _ => return Err(Errno::Perm.into()),
        };
        let end = self.end_of_wait(timeout);
        let connected = self.platform.connect_net(socket, peer, entry, end);
        // with these errors, nothing was sent
        let begun = ![Errno::NoMemory, Errno::NoEntry, Errno::NotSupported].map(|e| Err(e.into())).contains(&connected);
        if entry.is_some() && begun {
            self.platform.use_net_bytes(match found.protocol {
                Protocol::Udp => 0,
                Protocol::Tcp => OVERHEAD,
                Protocol::Tls | Protocol::Dtls => HANDSHAKE,
            });
        }
        in_time(connected?)
    }

    fn accept(&mut self, socket: u32, timeout: u32) -> Result<(u32, [u8; 24]), Failure<Errno>> {
        let found = self.net_socket(socket)?;
        if (found.protocol, found.stage) != (Protocol::Tcp, Stage::Bound) {
            return Err(Errno::Perm.into());
        }
        self.net_budget()?;
        let end = self.end_of_wait(timeout);
        let (accepted, peer) = in_time(self.platform.accept_net(socket, end)?)?;
        self.platform.use_net_bytes(OVERHEAD);
        self.begin_socket(accepted);
        Ok((accepted, record(peer.address, [peer.port.into(), 0])))
    }

    fn send(&mut self, socket: u32, bytes: &[u8], timeout: u32) -> Result<u32, Failure<Errno>> {
        if self.net_socket(socket)?.stage != Stage::Connected {
            return Err(Errno::Perm.into());
        }
        let end = self.end_of_wait(timeout);
        self.net_send(socket, bytes, None, end)
    }

    fn receive(&mut self, socket: u32, buffer: &mut [u8], timeout: u32) -> Result<u32, Failure<Errno>> {
        let found = self.net_socket(socket)?;
        match (found.protocol, found.stage) {
            (protocol, Stage::Connected) if protocol.is_stream() && buffer.is_empty() => return Ok(0),
            (_, Stage::Connected) | (Protocol::Udp, Stage::Bound) => {}
            _ => return Err(Errno::Perm.into()),
        }
        let end = self.end_of_wait(timeout);
        Ok(count(self.net_receive(socket, buffer, end)?.count))
    }

    fn send_to(
        &mut self,
        socket: u32,
        bytes: &[u8],
        high: u64,
        low: u64,
        port: u32,
        timeout: u32,
    ) -> Result<(), Failure<Errno>> {
        let found = self.net_socket(socket)?;
        if found.protocol != Protocol::Udp || !matches!(found.stage, Stage::Open | Stage::Bound) {
            return Err(Errno::Perm.into());
        }
        let peer = peer(high, low, port);
        if peer.port == 0 || !may_receive(&self.platform, found.local_port, peer) {
            return Err(self.net_denied(Protocol::Udp, peer).into());
        }
        let end = self.end_of_wait(timeout);
        self.net_send(socket, bytes, Some(peer), end)?;
        Ok(())
    }

    fn receive_from(
        &mut self,
        socket: u32,
        buffer: &mut [u8],
        timeout: u32,
    ) -> Result<(u32, [u8; 24]), Failure<Errno>> {
        let found = self.net_socket(socket)?;
        if found.protocol.is_stream() || matches!(found.stage, Stage::Open | Stage::Connecting(_)) {
            return Err(Errno::Perm.into());
        }
        let end = self.end_of_wait(timeout);
        let Received { count: bytes, length, peer } = self.net_receive(socket, buffer, end)?;
        Ok((count(bytes), record(peer.address, [peer.port.into(), count(length)])))
    }

    fn watch(&mut self, socket: u32, readiness: u32) -> Result<(), Failure<Errno>> {
        self.net_socket(socket)?;
        if readiness & !(READABLE | WRITABLE) != 0 {
            return Err(Errno::Invalid.into());
        }
        Ok(self.platform.watch_net(socket, readiness)?)
    }

    fn ready(&mut self, socket: u32) -> Result<u32, Failure<Errno>> {
        self.net_socket(socket)?;
        Ok(self.platform.net_ready(socket))
    }

    fn lost(&mut self, socket: u32) -> Result<u32, Failure<Errno>> {
        self.net_socket(socket)?;
        Ok(self.platform.take_net_lost(socket).min(i32::MAX as u32))
    }

    fn shutdown(&mut self, socket: u32) -> Result<(), Failure<Errno>> {
        let found = self.net_socket(socket)?;
        if !found.protocol.is_stream() || found.stage != Stage::Connected {
            return Err(Errno::Perm.into());
        }
        Ok(self.platform.shut_down_net(socket)?)
    }

    fn close(&mut self, socket: u32) -> Result<(), Failure<Errno>> {
        self.net_socket(socket)?;
        self.forget_session(socket);
        self.forget_coap(socket);
        self.platform.close_net(socket);
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
