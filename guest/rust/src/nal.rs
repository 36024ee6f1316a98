// SPDX-License-Identifier: Apache-2.0
//! The traits of `embedded-nal` over the sockets of [`crate::abi::net`], for protocol crates that want a network stack.

use crate::abi::net;
use crate::net::{address, halves, peer};
use crate::{Error, TcpStream, UdpSocket};
use core::net::{IpAddr, SocketAddr};
use embedded_nal::nb::{Error as Nb, Result as NbResult};
use embedded_nal::{AddrType, Dns, TcpClientStack, TcpError, TcpErrorKind, TcpFullStack, UdpClientStack, UdpFullStack};
use wisp_abi::Errno;

/// The network as `embedded-nal` has it. No call of the traits waits, apart from that of `connect` by DTLS. What would
/// wait is `nb::Error::WouldBlock`, also when the app has used up its traffic. Every value is the same network.
#[derive(Debug, Clone, Copy)]
pub struct Network {
    stream: u32,
    datagrams: u32,
}

impl Default for Network {
    fn default() -> Self {
        Network { stream: net::TCP, datagrams: net::UDP }
    }
}

impl Network {
    /// Returns the network in which connections are made by TLS and datagrams go by DTLS, as `tls` and `dtls` entries
    /// grant them.
    pub fn secure() -> Self {
        Network { stream: net::TLS, datagrams: net::DTLS }
    }
}

impl TcpError for Error {
    fn kind(&self) -> TcpErrorKind {
        match self.0 {
            Errno::Io | Errno::NoDevice => TcpErrorKind::PipeClosed,
            _ => TcpErrorKind::Other,
        }
    }
}

/// Translates the result of a call that did not wait.
fn now<T>(result: Result<T, Errno>) -> NbResult<T, Error> {
    match result {
        Err(Errno::TimedOut | Errno::Again) => Err(Nb::WouldBlock),
        other => other.map_err(|errno| Nb::Other(Error(errno))),
    }
}

fn connect(socket: u32, to: SocketAddr, timeout: u32) -> Result<(), Errno> {
    let (high, low) = halves(to.ip());
    net::connect(socket, high, low, to.port().into(), timeout)
}

impl TcpClientStack for Network {
    type TcpSocket = TcpStream;
    type Error = Error;

    fn socket(&mut self) -> Result<TcpStream, Error> {
        Ok(TcpStream(net::open(self.stream)?))
    }

    fn connect(&mut self, socket: &mut TcpStream, remote: SocketAddr) -> NbResult<(), Error> {
        now(connect(socket.0, remote, 0))
    }

    fn send(&mut self, socket: &mut TcpStream, buffer: &[u8]) -> NbResult<usize, Error> {
        now(net::send(socket.0, buffer, 0)).map(|count| count as usize)
    }

    /// Reports the end of a connection as an error of the kind `PipeClosed`.
    fn receive(&mut self, socket: &mut TcpStream, buffer: &mut [u8]) -> NbResult<usize, Error> {
        match now(net::receive(socket.0, buffer, 0))? {
            0 if !buffer.is_empty() => Err(Nb::Other(Error(Errno::Io))),
            count => Ok(count as usize),
        }
    }

    fn close(&mut self, socket: TcpStream) -> Result<(), Error> {
        drop(socket);
        Ok(())
    }
}

impl TcpFullStack for Network {
    fn bind(&mut self, socket: &mut TcpStream, local_port: u16) -> Result<(), Error> {
        Ok(net::bind(socket.0, local_port.into())?)
    }

    /// Does nothing, because a socket listens from `bind` on.
    fn listen(&mut self, _socket: &mut TcpStream) -> Result<(), Error> {
        Ok(())
    }

    fn accept(&mut self, socket: &mut TcpStream) -> NbResult<(TcpStream, SocketAddr), Error> {
        let (accepted, record) = now(net::accept(socket.0, 0))?;
        Ok((TcpStream(accepted), peer(&record)))
    }
}

impl UdpClientStack for Network {
    type UdpSocket = UdpSocket;
    type Error = Error;

    fn socket(&mut self) -> Result<UdpSocket, Error> {
        Ok(UdpSocket(net::open(self.datagrams)?))
    }

    /// Waits for the handshake of DTLS without limit.
    fn connect(&mut self, socket: &mut UdpSocket, remote: SocketAddr) -> Result<(), Error> {
        Ok(connect(socket.0, remote, net::FOREVER)?)
    }

    fn send(&mut self, socket: &mut UdpSocket, buffer: &[u8]) -> NbResult<(), Error> {
        now(net::send(socket.0, buffer, 0)).map(|_| ())
    }

    fn receive(&mut self, socket: &mut UdpSocket, buffer: &mut [u8]) -> NbResult<(usize, SocketAddr), Error> {
        let (count, record) = now(net::receive_from(socket.0, buffer, 0))?;
        Ok((count as usize, peer(&record)))
    }

    fn close(&mut self, socket: UdpSocket) -> Result<(), Error> {
        drop(socket);
        Ok(())
    }
}

impl UdpFullStack for Network {
    fn bind(&mut self, socket: &mut UdpSocket, local_port: u16) -> Result<(), Error> {
        Ok(net::bind(socket.0, local_port.into())?)
    }

    fn send_to(&mut self, socket: &mut UdpSocket, remote: SocketAddr, buffer: &[u8]) -> NbResult<(), Error> {
        let (high, low) = halves(remote.ip());
        now(net::send_to(socket.0, buffer, high, low, remote.port().into(), 0))
    }
}

impl Dns for Network {
    type Error = Error;

    /// Finds the address of a granted name. An address of the other family is `ENOENT`.
    fn get_host_by_name(&mut self, hostname: &str, family: AddrType) -> NbResult<IpAddr, Error> {
        let found = match net::resolve(hostname.as_bytes(), 0) {
            Err(Errno::Busy) => return Err(Nb::WouldBlock),
            result => address(&now(result)?),
        };
        match (found, family) {
            (IpAddr::V4(_), AddrType::IPv6) | (IpAddr::V6(_), AddrType::IPv4) => Err(Nb::Other(Error(Errno::NoEntry))),
            _ => Ok(found),
        }
    }

    /// Always returns `ENOTSUP`: an app learns no names of hosts.
    fn get_host_by_address(&mut self, _addr: IpAddr, _result: &mut [u8]) -> NbResult<usize, Error> {
        Err(Nb::Other(Error(Errno::NotSupported)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_wait_and_what_has_ended_are_told_apart() {
        assert_eq!(now::<()>(Err(Errno::TimedOut)), Err(Nb::WouldBlock));
        assert_eq!(now::<()>(Err(Errno::Again)), Err(Nb::WouldBlock));
        assert_eq!(now::<()>(Err(Errno::Access)), Err(Nb::Other(Error(Errno::Access))));
        assert_eq!(now(Ok(3)), Ok(3));
        assert_eq!(Error(Errno::Io).kind(), TcpErrorKind::PipeClosed);
        assert_eq!(Error(Errno::NotTrusted).kind(), TcpErrorKind::Other);
    }
}
