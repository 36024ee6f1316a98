// SPDX-License-Identifier: Apache-2.0
//! Sockets.

use crate::abi::net;
use crate::record::number;
use crate::timeout::ms;
use crate::Error;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::time::Duration;

/// A socket for datagrams. Closed when dropped.
#[derive(Debug)]
pub struct UdpSocket(pub(crate) u32);

/// A connection: implements `Read`, `ReadReady`, `Write` and `WriteReady` of `embedded-io`, which wait without limit. Closed when
/// dropped. What was sent is still delivered.
#[derive(Debug)]
pub struct TcpStream(pub(crate) u32);

/// A port at which peers can connect. Closed when dropped.
#[derive(Debug)]
pub struct TcpListener(u32);

/// Returns the halves of an address, as host functions take them.
pub(crate) fn halves(address: IpAddr) -> (u64, u64) {
    let number = match address {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    };
    ((number >> 64) as u64, number as u64)
}

/// Returns the address in the first 16 bytes of a record.
pub(crate) fn address(record: &[u8]) -> IpAddr {
    let number = u128::from(number(record, 0, 8)) << 64 | u128::from(number(record, 8, 8));
    Ipv6Addr::from(number).to_canonical()
}

pub(crate) fn peer(record: &[u8; net::PEER_SIZE]) -> SocketAddr {
    SocketAddr::new(address(record), number(record, 16, 4) as u16)
}

/// Finds the address of a granted name, or reads an address in text. The name then grants this address, and no other.
///
/// # Errors
/// `EACCES` if the name was not granted, `ENOENT` if it has no address, `ETIMEDOUT` if there was no answer in time,
/// `EAGAIN` if the app has used up its traffic.
pub fn resolve(name: &str, timeout: Duration) -> Result<IpAddr, Error> {
    Ok(address(&net::resolve(name.as_bytes(), ms(timeout))?))
}

/// Connects a new socket, which is closed if that fails.
fn connected(protocol: u32, to: SocketAddr, timeout: Duration) -> Result<u32, Error> {
    let socket = net::open(protocol)?;
    let (high, low) = halves(to.ip());
    match net::connect(socket, high, low, to.port().into(), ms(timeout)) {
        Ok(()) => Ok(socket),
        Err(errno) => {
            close(socket);
            Err(errno.into())
        }
    }
}

/// Binds a new socket, which is closed if that fails.
fn bound(protocol: u32, port: u16) -> Result<u32, Error> {
    let socket = net::open(protocol)?;
    match net::bind(socket, port.into()) {
        Ok(()) => Ok(socket),
        Err(errno) => {
            close(socket);
            Err(errno.into())
        }
    }
}

/// Closes a handle. The handle is open, so this cannot fail.
fn close(socket: u32) {
    let _ = net::close(socket);
}

fn watch(socket: u32, readable: bool, writable: bool) -> Result<(), Error> {
    let bit = |yes: bool, bit: u32| if yes { bit } else { 0 };
    Ok(net::watch(socket, bit(readable, net::READABLE) | bit(writable, net::WRITABLE))?)
}

impl UdpSocket {
    /// Opens a socket without a port of its own: it gets one with the first datagram that it sends.
    ///
    /// # Errors
    /// `EACCES` if the app was granted no endpoints, `ENOMEM` if it has as many sockets open as it can have.
    pub fn open() -> Result<Self, Error> {
        Ok(UdpSocket(net::open(net::UDP)?))
    }

    /// Receives at a port that a `udp-listen` entry grants.
    ///
    /// # Errors
    /// `EACCES` if the port was not granted, `EBUSY` if it is in use, `ENOMEM`.
    pub fn bind(port: u16) -> Result<Self, Error> {
        bound(net::UDP, port).map(UdpSocket)
    }

    /// Opens a socket that talks to one peer, with [`UdpSocket::send`] and [`UdpSocket::receive`].
    ///
    /// # Errors
    /// `EACCES` if the peer was not granted, `ENXIO` if it cannot be reached, `ENOMEM`.
    pub fn connect(to: SocketAddr) -> Result<Self, Error> {
        connected(net::UDP, to, Duration::ZERO).map(UdpSocket)
    }

    /// Opens a socket that talks to one peer by DTLS, with [`UdpSocket::send`] and [`UdpSocket::receive`].
    ///
    /// # Errors
    /// Returns the errors of [`TcpStream::connect_tls`].
    pub fn connect_dtls(to: SocketAddr, timeout: Duration) -> Result<Self, Error> {
        connected(net::DTLS, to, timeout).map(UdpSocket)
    }

    /// Sends a datagram of at most [`net::MAX_DATAGRAM`] bytes to a peer.
    ///
    /// # Errors
    /// `EACCES` if the peer was not granted, `EMSGSIZE`, `EAGAIN` if the app has used up its traffic, `ETIMEDOUT`.
    pub fn send_to(&mut self, datagram: &[u8], to: SocketAddr, timeout: Duration) -> Result<(), Error> {
        let (high, low) = halves(to.ip());
        Ok(net::send_to(self.0, datagram, high, low, to.port().into(), ms(timeout))?)
    }

    /// Takes one datagram: how many bytes of it are in the buffer, and its sender.
    ///
    /// # Errors
    /// `ETIMEDOUT` if nothing came in time, `ENXIO` if a peer refused what was sent, `EAGAIN`.
    pub fn receive_from(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<(usize, SocketAddr), Error> {
        let (count, record) = net::receive_from(self.0, buffer, ms(timeout))?;
        Ok((count as usize, peer(&record)))
    }

    /// Sends a datagram to the connected peer.
    ///
    /// # Errors
    /// `EPERM` if the socket is not connected, and those of [`UdpSocket::send_to`].
    pub fn send(&mut self, datagram: &[u8], timeout: Duration) -> Result<(), Error> {
        net::send(self.0, datagram, ms(timeout))?;
        Ok(())
    }

    /// Takes one datagram: how many bytes of it are in the buffer.
    ///
    /// # Errors
    /// Returns the errors of [`UdpSocket::receive_from`].
    pub fn receive(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, Error> {
        Ok(net::receive(self.0, buffer, ms(timeout))? as usize)
    }

    /// Counts the datagrams that were dropped since the last call.
    ///
    /// # Errors
    /// None that a socket can have while it is open.
    pub fn lost(&mut self) -> Result<u32, Error> {
        Ok(net::lost(self.0)?)
    }
}

impl TcpStream {
    /// Connects with a peer.
    ///
    /// # Errors
    /// `EACCES` if the peer was not granted, `ENXIO` if it refused or cannot be reached, `ETIMEDOUT`, `EAGAIN`, `ENOMEM`.
    pub fn connect(to: SocketAddr, timeout: Duration) -> Result<Self, Error> {
        connected(net::TCP, to, timeout).map(TcpStream)
    }

    /// Connects with a peer by TLS. The entry of the grant names the peer and the credential, which stays in the host.
    ///
    /// # Errors
    /// `EPROTO` if the peer's certificate was refused, `ENOENT` if the host does not have the credential, `ENOTSUP` if
    /// it has no TLS, and those of [`TcpStream::connect`].
    pub fn connect_tls(to: SocketAddr, timeout: Duration) -> Result<Self, Error> {
        connected(net::TLS, to, timeout).map(TcpStream)
    }

    /// Takes what was received, as much as there is and fits, waiting for at least one byte. 0 is the end.
    ///
    /// # Errors
    /// `ETIMEDOUT` if nothing came in time, `EIO` if the connection was broken off, `EAGAIN`.
    pub fn read_within(&mut self, buffer: &mut [u8], timeout: Duration) -> Result<usize, Error> {
        Ok(net::receive(self.0, buffer, ms(timeout))? as usize)
    }

    /// Sends as many bytes as there is room for, waiting for room for one: how many.
    ///
    /// # Errors
    /// `ETIMEDOUT` if there was no room in time, `EIO` if the connection was broken off, `EAGAIN`.
    pub fn write_within(&mut self, bytes: &[u8], timeout: Duration) -> Result<usize, Error> {
        Ok(net::send(self.0, bytes, ms(timeout))? as usize)
    }

    /// Ends sending. The peer gets what was sent, and then the end.
    ///
    /// # Errors
    /// `EIO` if the connection was broken off.
    pub fn shutdown(&mut self) -> Result<(), Error> {
        Ok(net::shutdown(self.0)?)
    }
}

impl TcpListener {
    /// Lets peers connect at a port that a `tcp-listen` entry grants.
    ///
    /// # Errors
    /// `EACCES` if the port was not granted, `EBUSY` if it is in use, `ENOMEM`.
    pub fn bind(port: u16) -> Result<Self, Error> {
        bound(net::TCP, port).map(TcpListener)
    }

    /// Takes a connection that a peer has opened.
    ///
    /// # Errors
    /// `ETIMEDOUT` if none came in time, `ENOMEM` if the app has as many sockets open as it can have, `EAGAIN`.
    pub fn accept(&mut self, timeout: Duration) -> Result<(TcpStream, SocketAddr), Error> {
        let (socket, record) = net::accept(self.0, ms(timeout))?;
        Ok((TcpStream(socket), peer(&record)))
    }
}

/// Adds the methods that all sockets have.
macro_rules! socket {
    ($($name:ident)*) => {
        $(impl $name {
            /// Returns the number that events of this socket carry.
            pub fn source(&self) -> u32 {
                self.0
            }

            /// Chooses which readiness becomes events: see [`crate::next_event`]. One tells of it, and the next comes
            /// after the socket was used.
            ///
            /// # Errors
            /// `ENOTSUP` if the firmware has no events.
            pub fn watch(&mut self, readable: bool, writable: bool) -> Result<(), Error> {
                watch(self.0, readable, writable)
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                close(self.0);
            }
        })*
    };
}

socket!(UdpSocket TcpStream TcpListener);

/// The traits of one version of `embedded-io`.
macro_rules! embedded_io {
    ($io:ident) => {
        impl $io::ErrorType for TcpStream {
            type Error = Error;
        }

        impl $io::Read for TcpStream {
            fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
                self.read_within(buffer, Duration::MAX)
            }
        }

        impl $io::ReadReady for TcpStream {
            fn read_ready(&mut self) -> Result<bool, Error> {
                Ok(net::ready(self.0)? & net::READABLE != 0)
            }
        }

        impl $io::Write for TcpStream {
            fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
                self.write_within(bytes, Duration::MAX)
            }

            /// Does nothing, because the host sends on its own.
            fn flush(&mut self) -> Result<(), Error> {
                Ok(())
            }
        }

        impl $io::WriteReady for TcpStream {
            fn write_ready(&mut self) -> Result<bool, Error> {
                Ok(net::ready(self.0)? & net::WRITABLE != 0)
            }
        }
    };
}

embedded_io!(embedded_io);
#[cfg(feature = "embedded-io-06")]
embedded_io!(embedded_io_06);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_cross_the_border_in_both_directions() {
        for text in ["192.0.2.1", "2001:db8::1", "::", "0.0.0.0"] {
            let expected: IpAddr = text.parse().unwrap();
            let (high, low) = halves(expected);
            let mut record = [0; net::PEER_SIZE];
            record[..8].copy_from_slice(&high.to_le_bytes());
            record[8..16].copy_from_slice(&low.to_le_bytes());
            record[16..20].copy_from_slice(&5683u32.to_le_bytes());
            assert_eq!(peer(&record), SocketAddr::new(expected, 5683));
        }
        assert_eq!(halves("192.0.2.1".parse().unwrap()), (0, 0xffff_c000_0201));
    }

    #[test]
    fn without_a_host_there_is_no_network() {
        let nosys = Err(Error(crate::Errno::NoSys));
        assert_eq!(resolve("a.example", Duration::MAX), nosys);
        assert_eq!(UdpSocket::open().map(|_| ()), Err(Error(crate::Errno::NoSys)));
    }
}
