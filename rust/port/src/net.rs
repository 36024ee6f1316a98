// SPDX-License-Identifier: Apache-2.0
//! The network.

use crate::platform::Zephyr;
use wisp_host::platform::Net;

#[cfg(not(feature = "net"))]
impl Net for Zephyr {}

#[cfg(feature = "net")]
pub(crate) use driver::check_endpoints;

#[cfg(feature = "net")]
mod driver {
    use super::{Net, Zephyr};
    use crate::platform::check;
    use crate::shim;
    use crate::text::Text;
    use core::ffi::CStr;
    use core::net::Ipv6Addr;
    use core::ptr::{from_ref, null};
    use wisp_host::platform::{
        bad_endpoint, may_enter, may_receive, proved, Peer, Protocol, Received, Socket, Stage, Waited,
    };
    use wisp_host::{Errno, Failure, Interrupted};

    fn to_c(peer: Peer) -> shim::wisp_net_peer {
        shim::wisp_net_peer { address: peer.address.octets(), port: peer.port }
    }

    fn from_c(peer: shim::wisp_net_peer) -> Peer {
        Peer { address: Ipv6Addr::from(peer.address), port: peer.port }
    }

    const NOBODY: shim::wisp_net_peer = shim::wisp_net_peer { address: [0; 16], port: 0 };

    /// Translates the end of a shim's wait, with its error and the result.
    fn ended<T>(wait: u32, error: u32, result: T) -> Waited<T> {
        match wait {
            shim::wisp_wait_WISP_WAIT_STOP => Err(Failure::interrupted(Interrupted)),
            shim::wisp_wait_WISP_WAIT_NOTHING => Ok(None),
            _ => {
                check(error)?;
                Ok(Some(result))
            }
        }
    }

    /// Refuses an app that has an entry which cannot be read, and says which.
    pub(crate) fn check_endpoints(board: &Zephyr) -> Result<(), ()> {
        let Some((index, error)) = bad_endpoint(board) else { return Ok(()) };
        let mut text = Text::new();
        text.push(b"net-endpoints \"");
        text.push_shown(board.net_endpoint(index).unwrap_or_default());
        text.push(b"\": ");
        text.push(error.expected().as_bytes());
        board.report(wisp_host::abi::log::ERROR, text.bytes());
        Err(())
    }

    /// Returns whether a peer may send to a socket, or connect with a listener.
    ///
    /// # Safety
    /// `app` is an app of the firmware, and `peer` points to a peer.
    #[no_mangle]
    pub unsafe extern "C" fn wisp_rust_net_may_enter(
        app: *const shim::wisp_app,
        tcp: bool,
        local_port: u16,
        peer: *const shim::wisp_net_peer,
    ) -> bool {
        // SAFETY: C passes an app of the firmware, which lives as long as the program, and a peer.
        let (board, peer) = unsafe { (Zephyr::new(app), from_c(*peer)) };
        if tcp {
            may_enter(&board, Protocol::Tcp, local_port, peer.address)
        } else {
            may_receive(&board, local_port, peer)
        }
    }

    impl Net for Zephyr {
        fn net_endpoint(&self, index: u32) -> Option<&[u8]> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index.
            let text = unsafe { shim::wisp_shim_net_endpoint(self.app, index) };
            // SAFETY: a text that is not NULL is a string in flash, which ends with NUL.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_bytes())
        }

        fn net_resolved(&self, index: u32) -> Option<Ipv6Addr> {
            let mut address = [0; 16];
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index; the address has room for
            // 16 bytes.
            let has = unsafe { shim::wisp_shim_net_resolved(self.app, index, address.as_mut_ptr()) };
            has.then(|| Ipv6Addr::from(address))
        }

        fn set_net_resolved(&mut self, index: u32, address: Ipv6Addr) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the index and reads 16 bytes.
            unsafe { shim::wisp_shim_net_set_resolved(self.app, index, address.octets().as_ptr()) }
        }

        fn has_net_bytes(&mut self) -> bool {
            // SAFETY: `app` is valid by the contract of `new`.
            unsafe { shim::wisp_shim_net_has_bytes(self.app) }
        }

        fn use_net_bytes(&mut self, bytes: u32) {
            // SAFETY: `app` is valid by the contract of `new`.
            unsafe { shim::wisp_shim_net_use_bytes(self.app, bytes) }
        }

        fn is_looking_up(&self, name: &[u8]) -> bool {
            // SAFETY: `app` is valid by the contract of `new`; the name is only read.
            unsafe { shim::wisp_shim_net_looks_up(self.app, name.as_ptr(), name.len()) }
        }

        fn look_up(&mut self, name: &[u8], until_us: u64) -> Waited<Ipv6Addr> {
            let (mut address, mut error) = ([0; 16], 0);
            // SAFETY: `app` is valid by the contract of `new`, and has endpoints, since one grants the name; the name
            // is only read; the address has room for 16 bytes.
            let wait = unsafe {
                let name = (name.as_ptr(), name.len());
                shim::wisp_shim_net_look_up(self.app, name.0, name.1, until_us, address.as_mut_ptr(), &mut error)
            };
            ended(wait, error, Ipv6Addr::from(address))
        }

        fn open_net(&mut self, protocol: Protocol) -> Result<u32, Errno> {
            let mut socket = 0;
            // SAFETY: `app` is valid by the contract of `new`; the number is written on success.
            check(unsafe {
                shim::wisp_shim_net_open(self.app, protocol.is_stream(), protocol.is_secure(), &mut socket)
            })?;
            Ok(socket)
        }

        fn net_socket(&self, socket: u32) -> Option<Socket> {
            let mut state = shim::wisp_net_state { peer: NOBODY, local_port: 0, stage: 0, tcp: false, secure: false };
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number and writes the state.
            if !unsafe { shim::wisp_shim_net_state(self.app, socket, &mut state) } {
                return None;
            }
            let stage = match u32::from(state.stage) {
                shim::wisp_net_stage_WISP_NET_OPEN => Stage::Open,
                shim::wisp_net_stage_WISP_NET_BOUND => Stage::Bound,
                shim::wisp_net_stage_WISP_NET_CONNECTING => Stage::Connecting(from_c(state.peer)),
                _ => Stage::Connected,
            };
            let protocol = match (state.tcp, state.secure) {
                (false, false) => Protocol::Udp,
                (true, false) => Protocol::Tcp,
                (true, true) => Protocol::Tls,
                (false, true) => Protocol::Dtls,
            };
            Some(Socket { protocol, stage, local_port: state.local_port })
        }

        fn bind_net(&mut self, socket: u32, ipv4: bool, port: u16) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number.
            check(unsafe { shim::wisp_shim_net_bind(self.app, socket, ipv4, port) })
        }

        fn connect_net(&mut self, socket: u32, peer: Peer, entry: Option<u32>, until_us: u64) -> Waited<()> {
            let (peer, mut error) = (to_c(peer), 0);
            let proof = entry.and_then(|entry| proved(self, entry)).map(|(tag, name)| shim::wisp_net_proof {
                name: name.map_or(null(), |name| name.as_ptr().cast()),
                length: name.map_or(0, <[u8]>::len),
                tag,
            });
            let proof = proof.as_ref().map_or(null(), from_ref);
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number; the peer and the proof, whose
            // name is in flash, are only read.
            let wait = unsafe { shim::wisp_shim_net_connect(self.app, socket, &peer, proof, until_us, &mut error) };
            ended(wait, error, ())
        }

        fn accept_net(&mut self, socket: u32, until_us: u64) -> Waited<(u32, Peer)> {
            let (mut accepted, mut peer, mut error) = (0, NOBODY, 0);
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number, and writes number and peer
            // on success.
            let wait =
                unsafe { shim::wisp_shim_net_accept(self.app, socket, until_us, &mut accepted, &mut peer, &mut error) };
            ended(wait, error, (accepted, from_c(peer)))
        }

        fn send_net(&mut self, socket: u32, bytes: &[u8], to: Option<Peer>, until_us: u64) -> Waited<usize> {
            let (to, mut count, mut error) = (to.map(to_c), 0, 0);
            let to = to.as_ref().map_or(null(), from_ref);
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number; bytes and peer are only read.
            let wait = unsafe {
                let (start, length) = (bytes.as_ptr(), bytes.len());
                shim::wisp_shim_net_send(self.app, socket, start, length, to, until_us, &mut count, &mut error)
            };
            ended(wait, error, count as usize)
        }

        fn receive_net(&mut self, socket: u32, buffer: &mut [u8], until_us: u64) -> Waited<Received> {
            let (mut count, mut length, mut peer, mut error) = (0, 0, NOBODY, 0);
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number; pointer and length are those
            // of one exclusive slice.
            let wait = unsafe {
                shim::wisp_shim_net_receive(
                    self.app,
                    socket,
                    buffer.as_mut_ptr(),
                    buffer.len(),
                    until_us,
                    &mut count,
                    &mut length,
                    &mut peer,
                    &mut error,
                )
            };
            ended(wait, error, Received { count: count as usize, length: length as usize, peer: from_c(peer) })
        }

        fn watch_net(&mut self, socket: u32, readiness: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number.
            check(unsafe { shim::wisp_shim_net_watch(self.app, socket, readiness) })
        }

        fn net_ready(&mut self, socket: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number.
            unsafe { shim::wisp_shim_net_ready(self.app, socket) }
        }

        fn take_net_lost(&mut self, socket: u32) -> u32 {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number.
            unsafe { shim::wisp_shim_net_lost(self.app, socket) }
        }

        fn shut_down_net(&mut self, socket: u32) -> Result<(), Errno> {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number.
            check(unsafe { shim::wisp_shim_net_shutdown(self.app, socket) })
        }

        fn close_net(&mut self, socket: u32) {
            // SAFETY: `app` is valid by the contract of `new`; the shim checks the number.
            unsafe { shim::wisp_shim_net_close(self.app, socket) }
        }

        fn release_net(&mut self) {
            // SAFETY: `app` is valid by the contract of `new`.
            unsafe { shim::wisp_shim_net_release(self.app) }
        }
    }
}
