// SPDX-License-Identifier: Apache-2.0
//! A network of one peer, which takes everything and answers what a test has prepared.

use super::{bad_endpoint, may_enter, may_reach, may_receive, proved, Net, Received, Socket, Stage, Waited};
use crate::endpoint::{address, EndpointError, Peer, Protocol};
use crate::stop::{Failure, Stop};
use crate::testing::{Board, Harness, NET};
use core::net::Ipv6Addr;
use std::collections::{BTreeMap, VecDeque};
use std::string::{String, ToString};
use std::vec::Vec;
use wisp_abi::net::{DTLS, FOREVER, MAX_DATAGRAM, READABLE, TCP, TLS, UDP, WRITABLE};
use wisp_abi::Errno;

#[derive(Debug, Default)]
pub(crate) struct Network {
    pub(crate) endpoints: Vec<&'static str>,
    names: BTreeMap<String, &'static str>,
    resolved: BTreeMap<u32, Ipv6Addr>,
    pub(crate) sockets: [Option<Socket>; 2],
    pub(crate) sent: Vec<(Vec<u8>, Option<Peer>)>,
    /// Bytes that a connection still takes.
    pub(crate) room: Option<usize>,
    pub(crate) waiting: VecDeque<(&'static [u8], Peer)>,
    pub(crate) budget: Option<u32>,
    pub(crate) used: u32,
    slow: bool,
    busy: bool,
    lookups: u32,
    calls: Vec<&'static str>,
    entry: Option<u32>,
    refusal: Option<Errno>,
    /// The readiness of sockets, if it is not that for everything.
    pub(crate) ready: Option<u32>,
}

impl Board {
    fn net_waited<T>(&mut self, result: T) -> Waited<T> {
        if self.stopped {
            return Err(Failure::Stop(Stop::Interrupted));
        }
        Ok((!self.net.slow).then_some(result))
    }

    fn socket(&mut self, socket: u32) -> &mut Socket {
        self.net.sockets[socket as usize].as_mut().unwrap()
    }
}

impl Net for Board {
    fn net_endpoint(&self, index: u32) -> Option<&[u8]> {
        self.net.endpoints.get(index as usize).map(|text| text.as_bytes())
    }

    fn net_resolved(&self, index: u32) -> Option<Ipv6Addr> {
        self.net.resolved.get(&index).copied()
    }

    fn set_net_resolved(&mut self, index: u32, address: Ipv6Addr) {
        self.net.resolved.insert(index, address);
    }

    fn has_net_bytes(&mut self) -> bool {
        self.net.budget.is_none_or(|budget| self.net.used < budget)
    }

    fn use_net_bytes(&mut self, bytes: u32) {
        self.net.used += bytes;
    }

    fn look_up(&mut self, name: &[u8], _until_us: u64) -> Waited<Ipv6Addr> {
        if self.net.busy {
            return Err(Errno::Busy.into());
        }
        self.net.lookups += 1;
        let text = *self.net.names.get(&String::from_utf8_lossy(name).to_string()).ok_or(Errno::NoEntry)?;
        self.net_waited(address(text.as_bytes()).unwrap())
    }

    fn open_net(&mut self, protocol: Protocol) -> Result<u32, Errno> {
        let free = self.net.sockets.iter().position(Option::is_none).ok_or(Errno::NoMemory)?;
        self.net.sockets[free] = Some(Socket { protocol, stage: Stage::Open, local_port: 0 });
        Ok(free as u32)
    }

    fn net_socket(&self, socket: u32) -> Option<Socket> {
        self.net.sockets.get(socket as usize).copied().flatten()
    }

    fn bind_net(&mut self, socket: u32, ipv4: bool, port: u16) -> Result<(), Errno> {
        let found = self.socket(socket);
        (found.stage, found.local_port) = (Stage::Bound, port);
        self.net.calls.push(if ipv4 { "bind 4" } else { "bind 6" });
        Ok(())
    }

    fn connect_net(&mut self, socket: u32, peer: Peer, entry: Option<u32>, _until_us: u64) -> Waited<()> {
        self.net.entry = entry;
        if let Some(refusal) = self.net.refusal {
            return Err(refusal.into());
        }
        self.socket(socket).stage = if self.net.slow { Stage::Connecting(peer) } else { Stage::Connected };
        self.net_waited(())
    }

    fn accept_net(&mut self, _socket: u32, _until_us: u64) -> Waited<(u32, Peer)> {
        let accepted = self.open_net(Protocol::Tcp)?;
        self.socket(accepted).stage = Stage::Connected;
        self.net_waited((accepted, peer("192.0.2.9", 4000)))
    }

    fn send_net(&mut self, socket: u32, bytes: &[u8], to: Option<Peer>, until_us: u64) -> Waited<usize> {
        let taken = bytes.len().min(self.net.room.unwrap_or(usize::MAX));
        if taken < bytes.len() {
            // what a slow connection took
            self.net.sent.push((bytes[..taken].to_vec(), to));
            self.net.room = Some(0);
            self.waited(taken == 0, until_us).map_err(Failure::interrupted)?;
            return Ok((taken > 0).then_some(taken));
        }
        self.net.room = self.net.room.map(|room| room - taken);
        self.net.sent.push((bytes.to_vec(), to));
        if self.socket(socket).stage == Stage::Open {
            self.socket(socket).stage = Stage::Bound;
        }
        self.net_waited(bytes.len())
    }

    fn receive_net(&mut self, socket: u32, buffer: &mut [u8], until_us: u64) -> Waited<Received> {
        let Some((bytes, peer)) = self.net.waiting.pop_front() else {
            self.waited(until_us != u64::MAX, until_us).map_err(Failure::interrupted)?;
            return Ok(None);
        };
        let count = bytes.len().min(buffer.len());
        if count < bytes.len() && self.socket(socket).protocol.is_stream() {
            self.net.waiting.push_front((&bytes[count..], peer));
        }
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.net_waited(Received { count, length: bytes.len(), peer })
    }

    fn watch_net(&mut self, _socket: u32, readiness: u32) -> Result<(), Errno> {
        self.net.calls.push(if readiness == 0 { "watch nothing" } else { "watch" });
        Ok(())
    }

    fn net_ready(&mut self, _socket: u32) -> u32 {
        self.net.ready.unwrap_or(READABLE | WRITABLE)
    }

    fn take_net_lost(&mut self, _socket: u32) -> u32 {
        u32::MAX
    }

    fn shut_down_net(&mut self, _socket: u32) -> Result<(), Errno> {
        self.net.calls.push("shutdown");
        Ok(())
    }

    fn close_net(&mut self, socket: u32) {
        self.net.sockets[socket as usize] = None;
    }

    fn release_net(&mut self) {
        self.net.sockets = [None; 2];
        self.net.calls.push("release");
    }
}

fn peer(text: &str, port: u16) -> Peer {
    Peer { address: address(text.as_bytes()).unwrap(), port }
}

/// Returns an address as the slots of a call.
fn slots(text: &str) -> [u32; 4] {
    let number = u128::from(address(text.as_bytes()).unwrap());
    [64, 96, 0, 32].map(|shift| (number >> shift) as u32)
}

fn granted(endpoints: &[&'static str]) -> Harness {
    let mut harness = Harness::new();
    harness.app.platform_mut().net.endpoints = endpoints.to_vec();
    harness
}

fn opened(protocol: u32, endpoints: &[&'static str]) -> Harness {
    let mut harness = granted(endpoints);
    assert_eq!(harness.i32(NET, "open", &[protocol]), 0);
    harness
}

fn connect(harness: &mut Harness, text: &str, port: u32, timeout: u32) -> i32 {
    harness.i32(NET, "connect", &[&[0][..], &slots(text), &[port, timeout]].concat())
}

fn send_to(harness: &mut Harness, text: &str, port: u32) -> i32 {
    harness.i32(NET, "send_to", &[&[0, 64, 3][..], &slots(text), &[port, 0]].concat())
}

fn resolve(harness: &mut Harness, name: &str) -> i32 {
    harness.memory[..name.len()].copy_from_slice(name.as_bytes());
    harness.i32(NET, "resolve", &[0, name.len() as u32, FOREVER, 400])
}

#[test]
fn only_granted_peers_are_reached_and_the_log_names_the_entry_that_is_missing() {
    let mut harness = opened(TCP, &["tcp:192.0.2.0/24:80", "udp:198.51.100.1:5683", "tcp-listen:0.0.0.0:8080"]);
    for (text, port) in [
        ("192.0.3.1", 80),
        ("192.0.2.1", 81),
        ("198.51.100.1", 5683),
        ("203.0.113.1", 8080),
        ("2001:db8::1", 80),
        ("192.0.2.1", 80 + 65536),
        ("192.0.2.1", 0),
    ] {
        assert_eq!(connect(&mut harness, text, port, 0), -13, "{text} {port}");
    }
    let denied = &harness.app.platform().denied;
    assert_eq!(denied[0], ("wisp:net@1".into(), "tcp:192.0.3.1:80".into()));
    assert_eq!(denied[4].1, "tcp:[2001:db8:0:0:0:0:0:1]:80");
    // no entry has such a port
    assert_eq!((&*denied[5].1, &*denied[6].1), ("tcp:192.0.2.1:PORT", "tcp:192.0.2.1:PORT"));
    assert_eq!(connect(&mut harness, "192.0.2.1", 80, 0), 0);
    assert_eq!(connect(&mut harness, "192.0.2.1", 80, 0), -1, "connected already");
}

#[test]
fn a_name_grants_the_address_that_was_found_for_it_last_and_no_other() {
    let mut harness = opened(TCP, &["tcp:broker.example:1883", "tcp:broker.example:8883", "tcp:other.example:1883"]);
    let names = &mut harness.app.platform_mut().net.names;
    names.insert("broker.example".into(), "192.0.2.1");
    names.insert("evil.example".into(), "192.0.2.66");
    assert_eq!(connect(&mut harness, "192.0.2.1", 1883, 0), -13, "not looked up yet");
    assert_eq!(resolve(&mut harness, "broker.example"), 0);
    assert_eq!((harness.u64_at(400), harness.u64_at(408)), (0, 0xffff_c000_0201));
    assert_eq!(connect(&mut harness, "192.0.2.1", 1884, 0), -13);
    harness.app.platform_mut().net.names.insert("broker.example".into(), "192.0.2.2");
    assert_eq!(resolve(&mut harness, "broker.example"), 0);
    assert_eq!(connect(&mut harness, "192.0.2.1", 1883, 0), -13, "an address of the past");
    assert_eq!(resolve(&mut harness, "evil.example"), -13, "not granted, so it is not looked up");
    assert_eq!(harness.app.platform().net.lookups, 2);
    assert_eq!(resolve(&mut harness, "other.example"), -2, "it has no address");
    assert_eq!(connect(&mut harness, "192.0.2.2", 8883, 0), 0, "both entries with the name");
}

#[test]
fn an_answer_that_leads_back_to_the_device_grants_nothing() {
    let mut harness = opened(TCP, &["tcp:broker.example:80"]);
    for text in ["127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1", "::1"] {
        harness.app.platform_mut().net.names.insert("broker.example".into(), text);
        assert_eq!(resolve(&mut harness, "broker.example"), -13, "{text}");
        assert_eq!(connect(&mut harness, text, 80, 0), -13, "{text}");
    }
    // the log names the entry with which the name may have the address
    let denied = harness.app.platform().denied.iter().map(|(_, entry)| entry.as_str());
    let named: Vec<_> = denied.step_by(2).take(2).collect();
    assert_eq!(named, ["tcp:127.0.0.1:80", "tcp:0.0.0.0:80"]);
    let mut harness = opened(TCP, &["tcp:broker.example:80", "udp:0.0.0.0/0:53", "tcp-listen:127.0.0.1:9"]);
    harness.app.platform_mut().net.names.insert("broker.example".into(), "127.0.0.1");
    assert_eq!(resolve(&mut harness, "broker.example"), -13, "no entry is the address itself");
    assert_eq!(connect(&mut harness, "127.0.0.1", 80, 0), -13);
    let mut harness = opened(TCP, &["tcp:broker.example:80", "udp:127.0.0.1:9"]);
    harness.app.platform_mut().net.names.insert("broker.example".into(), "127.0.0.1");
    assert_eq!(resolve(&mut harness, "broker.example"), 0, "another entry grants the address");
    assert_eq!(connect(&mut harness, "127.0.0.1", 80, 0), 0);
}

#[test]
fn addresses_in_text_are_read_if_an_entry_has_them_and_what_is_neither_is_refused() {
    let mut harness = granted(&["udp:192.0.2.0/24:1", "tcp-listen:198.51.100.0/24:1", "udp:[2001:db8::/32]:1"]);
    assert_eq!(resolve(&mut harness, "192.0.2.7"), 0);
    assert_eq!(harness.u64_at(408), 0xffff_c000_0207);
    assert_eq!(resolve(&mut harness, "2001:db8::7"), 0);
    assert_eq!((harness.u64_at(400), harness.u64_at(408)), (0x2001_0db8_0000_0000, 7));
    assert_eq!(resolve(&mut harness, "198.51.100.1"), -13, "a listener reaches nobody");
    for text in ["", "a b", "0x7f.1", "127.1", "::ffff:192.0.2.7", "a..b", "broker.example.", "\u{e4}.example", "a\0"] {
        assert_eq!(resolve(&mut harness, text), -22, "{text}");
    }
    assert_eq!(harness.app.platform().net.lookups, 0);
}

#[test]
fn ports_are_bound_where_an_entry_listens_and_the_entry_chooses_the_family() {
    let mut harness = opened(UDP, &["udp:192.0.2.0/24:5683", "udp-listen:[2001:db8::/32]:7", "udp-listen:0.0.0.0:7"]);
    for port in [5683, 8, 0, 7 + 65536] {
        assert_eq!(harness.i32(NET, "bind", &[0, port]), -13, "{port}");
    }
    assert_eq!(harness.app.platform().denied[0].1, "udp-listen:0.0.0.0:5683");
    assert_eq!(harness.app.platform().denied[2].1, "udp-listen:0.0.0.0:PORT");
    assert_eq!(harness.i32(NET, "bind", &[0, 7]), 0);
    assert_eq!(harness.app.platform().net.calls, ["bind 6"]);
    assert_eq!(harness.i32(NET, "bind", &[0, 7]), -1);
    let mut tcp = opened(TCP, &["udp-listen:0.0.0.0:7"]);
    assert_eq!(tcp.i32(NET, "bind", &[0, 7]), -13, "another protocol");
}

#[test]
fn a_bound_socket_answers_those_who_may_send_to_its_port() {
    let mut harness = opened(UDP, &["udp-listen:192.0.2.0/24:7"]);
    assert_eq!(send_to(&mut harness, "192.0.2.1", 999), -13, "not bound");
    assert_eq!(harness.i32(NET, "bind", &[0, 7]), 0);
    assert_eq!(send_to(&mut harness, "192.0.2.1", 999), 0);
    assert_eq!(send_to(&mut harness, "198.51.100.1", 999), -13);
    assert_eq!(harness.app.platform().net.sent, [(std::vec![0; 3], Some(peer("192.0.2.1", 999)))]);
    let board = harness.app.platform();
    assert!(may_receive(board, 7, peer("192.0.2.1", 1)) && !may_receive(board, 0, peer("192.0.2.1", 1)));
    assert!(!may_receive(board, 8, peer("192.0.2.1", 1)) && !may_reach(board, Protocol::Udp, peer("192.0.2.1", 7)));
    assert!(!may_enter(board, Protocol::Tcp, 7, address(b"192.0.2.1").unwrap()));
}

#[test]
fn datagrams_come_with_their_sender_and_their_whole_length() {
    let mut harness = opened(UDP, &["udp:192.0.2.1:7"]);
    assert_eq!(harness.i32(NET, "receive_from", &[0, 64, 8, 0, 400]), -1, "nobody knows its port");
    assert_eq!(send_to(&mut harness, "192.0.2.1", 7), 0);
    harness.app.platform_mut().net.waiting.push_back((b"hello", peer("192.0.2.1", 7)));
    assert_eq!(harness.i32(NET, "receive_from", &[0, 64, 3, FOREVER, 400]), 3);
    assert_eq!(&harness.memory[64..68], b"hel\0");
    assert_eq!((harness.u64_at(400), harness.u64_at(408)), (0, 0xffff_c000_0201));
    assert_eq!((harness.u32_at(416), harness.u32_at(420)), (7, 5));
    assert_eq!(harness.i32(NET, "receive", &[0, 64, 3, 0]), -116);
}

#[test]
fn a_datagram_beyond_the_limit_is_not_sent() {
    let mut harness = opened(UDP, &["udp:192.0.2.1:7"]);
    harness.memory = std::vec![0; 4096];
    let to = slots("192.0.2.1");
    for (length, result) in [(MAX_DATAGRAM + 1, -122), (MAX_DATAGRAM, 0), (0, 0)] {
        assert_eq!(harness.i32(NET, "send_to", &[&[0, 64, length][..], &to, &[7, 0]].concat()), result, "{length}");
    }
    assert_eq!(harness.app.platform().net.sent.len(), 2);
}

#[test]
fn the_traffic_of_an_hour_counts_contents_datagrams_connections_and_lookups() {
    let mut harness = opened(UDP, &["udp:192.0.2.1:7", "udp:a.example:7"]);
    harness.app.platform_mut().net.names.insert("a.example".into(), "192.0.2.1");
    harness.app.platform_mut().net.budget = Some(200);
    assert_eq!(resolve(&mut harness, "a.example"), 0);
    assert_eq!(send_to(&mut harness, "192.0.2.1", 7), 0);
    harness.app.platform_mut().net.waiting.push_back((b"0123456789", peer("192.0.2.1", 7)));
    assert_eq!(harness.i32(NET, "receive", &[0, 64, 4, 0]), 4);
    assert_eq!(harness.app.platform().net.used, 64 + 67 + 74);
    assert_eq!(send_to(&mut harness, "192.0.2.1", 7), -11);
    assert_eq!(resolve(&mut harness, "a.example"), -11);
    assert_eq!(harness.i32(NET, "receive", &[0, 64, 4, 0]), -11);
    assert_eq!(connect(&mut harness, "192.0.2.1", 7, 0), -1, "it has sent already");
    assert_eq!(harness.app.platform().net.used, 205, "what is refused does not count");
    let network = &mut harness.app.platform_mut().net;
    (network.budget, network.busy) = (None, true);
    assert_eq!(resolve(&mut harness, "a.example"), -16);
    assert_eq!(harness.app.platform().net.used, 205, "a lookup that another one holds up does not count");
}

#[test]
fn a_handshake_counts_only_if_it_was_begun() {
    let mut harness = opened(TLS, &["tls:192.0.2.1:443#7"]);
    for (refusal, errno, used) in [
        (Errno::NoMemory, -12, 0),
        (Errno::NoEntry, -2, 0),
        (Errno::NotSupported, -134, 0),
        (Errno::NoDevice, -6, 4096),
        (Errno::NotTrusted, -71, 2 * 4096),
    ] {
        harness.app.platform_mut().net.refusal = Some(refusal);
        assert_eq!(connect(&mut harness, "192.0.2.1", 443, 0), errno);
        assert_eq!(harness.app.platform().net.used, used, "{errno}");
    }
}

#[test]
fn an_attempt_to_connect_continues_and_its_peer_cannot_be_changed() {
    let mut harness = opened(TCP, &["tcp:192.0.2.0/24:80"]);
    harness.app.platform_mut().net.slow = true;
    assert_eq!(connect(&mut harness, "192.0.2.1", 80, 5), -116);
    assert_eq!(connect(&mut harness, "192.0.2.2", 80, 5), -1);
    assert_eq!(harness.i32(NET, "send", &[0, 64, 1, 0]), -1);
    harness.app.platform_mut().net.slow = false;
    assert_eq!(connect(&mut harness, "192.0.2.1", 80, 5), 0);
    assert_eq!(harness.app.platform().net.used, 64, "one connection");
    assert_eq!(harness.i32(NET, "send", &[0, 64, 3, 0]), 3);
    assert_eq!(harness.i32(NET, "send", &[0, u32::MAX, 0, 0]), 0);
    assert_eq!(harness.i32(NET, "shutdown", &[0]), 0);
    assert_eq!(harness.app.platform().net.calls, ["shutdown"]);
}

#[test]
fn a_secure_connection_needs_an_entry_of_its_own_which_names_the_credential_and_the_peer() {
    let entries = &["tcp:192.0.2.0/24:443", "tls:192.0.2.1:443#9", "tls:a.example:443#7", "dtls:192.0.2.2:5684#8"];
    let mut harness = opened(TLS, entries);
    assert_eq!(connect(&mut harness, "192.0.2.3", 443, 0), -13, "granted without TLS only");
    assert_eq!(connect(&mut harness, "192.0.2.2", 5684, 0), -13, "granted with DTLS only");
    assert_eq!(harness.app.platform().denied[0].1, "tls:192.0.2.3:443#TAG");
    harness.app.platform_mut().net.names.insert("a.example".into(), "192.0.2.4");
    assert_eq!(resolve(&mut harness, "a.example"), 0);
    assert_eq!(connect(&mut harness, "192.0.2.4", 443, 0), 0);
    let network = &harness.app.platform().net;
    assert_eq!((network.used, network.entry), (64 + 4096, Some(2)));
    let board = harness.app.platform();
    assert_eq!(proved(board, 2), Some((7, Some(&b"a.example"[..]))));
    assert_eq!(proved(board, 1), Some((9, None)), "it has to prove its address");
    assert_eq!((proved(board, 0), proved(board, 4)), (None, None));
    assert_eq!(harness.i32(NET, "bind", &[0, 443]), -1);
    assert_eq!(send_to(&mut harness, "192.0.2.2", 5684), -1, "not over a connection");
    assert_eq!(harness.i32(NET, "send", &[0, 64, 3, 0]), 3);
    assert_eq!(harness.app.platform().net.used, 64 + 4096 + 3);
    assert_eq!(harness.i32(NET, "shutdown", &[0]), 0);

    let mut harness = opened(DTLS, entries);
    assert_eq!(connect(&mut harness, "192.0.2.2", 5684, 0), 0);
    assert_eq!(harness.i32(NET, "send", &[0, 64, 3, 0]), 3);
    assert_eq!(harness.app.platform().net.used, 4096 + 64 + 3, "a datagram");
    assert_eq!(harness.i32(NET, "shutdown", &[0]), -1);
}

#[test]
fn a_listener_yields_sockets_until_no_more_may_be_open() {
    let mut harness = opened(TCP, &["tcp-listen:192.0.2.0/24:80"]);
    assert_eq!(harness.i32(NET, "accept", &[0, 0, 400]), -1);
    assert_eq!(harness.i32(NET, "bind", &[0, 80]), 0);
    assert_eq!(harness.i32(NET, "accept", &[0, 0, 400]), 1);
    assert_eq!((harness.u64_at(408), harness.u32_at(416), harness.u32_at(420)), (0xffff_c000_0209, 4000, 0));
    assert_eq!(harness.i32(NET, "accept", &[0, 0, 400]), -12);
    assert_eq!(harness.i32(NET, "close", &[1]), 0);
    assert_eq!(harness.i32(NET, "accept", &[0, 0, 400]), 1);
    for (name, rest) in [("send", &[64, 1, 0][..]), ("receive", &[64, 1, 0]), ("shutdown", &[])] {
        assert_eq!(harness.i32(NET, name, &[&[0], rest].concat()), -1, "{name} of a listener");
    }
}

#[test]
fn a_stop_ends_every_wait() {
    let mut harness = opened(UDP, &["udp:192.0.2.1:7", "udp:a.example:7"]);
    assert_eq!(send_to(&mut harness, "192.0.2.1", 7), 0);
    harness.app.platform_mut().net.names.insert("a.example".into(), "192.0.2.1");
    harness.app.platform_mut().stopped = true;
    let to = slots("192.0.2.1");
    harness.memory[..9].copy_from_slice(b"a.example");
    for (name, slots) in [
        ("receive", std::vec![0, 64, 1, FOREVER]),
        ("receive_from", std::vec![0, 64, 1, FOREVER, 400]),
        ("send_to", [&[0, 64, 1][..], &to, &[7, FOREVER]].concat()),
        ("resolve", std::vec![0, 9, FOREVER, 400]),
    ] {
        assert_eq!(harness.call(NET, name, &slots), Err(Stop::Interrupted), "{name}");
    }
}

#[test]
fn handles_that_are_not_open_and_apps_without_endpoints_get_nothing() {
    let mut harness = granted(&[]);
    assert_eq!(harness.i32(NET, "open", &[UDP]), -13);
    assert_eq!(harness.app.platform().denied, [("wisp:net@1".into(), "net-endpoints".into())]);
    let mut harness = opened(UDP, &["udp:192.0.2.1:7"]);
    assert_eq!(harness.i32(NET, "open", &[5]), -22);
    assert_eq!(harness.i32(NET, "watch", &[0, 4]), -22);
    assert_eq!(harness.i32(NET, "watch", &[0, READABLE]), 0);
    assert_eq!((harness.i32(NET, "ready", &[0]), harness.i32(NET, "lost", &[0])), (3, i32::MAX));
    for handle in [1, 2, 31, 32, u32::MAX] {
        for (name, rest) in [
            ("bind", &[7][..]),
            ("connect", &[0, 0, 0, 0, 7, 0]),
            ("accept", &[0, 400]),
            ("send", &[64, 1, 0]),
            ("receive", &[64, 1, 0]),
            ("send_to", &[64, 1, 0, 0, 0, 0, 7, 0]),
            ("receive_from", &[64, 1, 0, 400]),
            ("watch", &[1]),
            ("ready", &[]),
            ("lost", &[]),
            ("shutdown", &[]),
            ("close", &[]),
        ] {
            assert_eq!(harness.i32(NET, name, &[&[handle], rest].concat()), -9, "{name} {handle}");
        }
    }
}

#[test]
fn the_end_of_an_app_closes_its_sockets() {
    let mut harness = opened(UDP, &["udp:192.0.2.1:7"]);
    harness.app.release();
    assert_eq!(harness.app.platform().net.calls, ["release"]);
    assert_eq!(harness.i32(NET, "close", &[0]), -9);
}

#[test]
fn the_first_malformed_entry_is_found() {
    let harness = granted(&["udp:192.0.2.1:7", "udp:192.0.2.1:0", "tcp:x"]);
    assert_eq!(bad_endpoint(harness.app.platform()), Some((1, EndpointError::Port)));
    assert_eq!(bad_endpoint(granted(&["udp:192.0.2.1:7"]).app.platform()), None);
}
