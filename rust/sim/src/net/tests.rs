// SPDX-License-Identifier: Apache-2.0
//! Sockets of apps against servers and clients of the standard library, on the loopback interface.

use super::*;
use crate::rate::HOUR_US;
use crate::Board;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use wisp_abi::net::{READABLE, WRITABLE};
use wisp_host::platform::{Event, Events};
use wisp_host::App;

/// Long enough for any machine: what happens ends the wait.
const LONG: u64 = u64::MAX;

fn platform(net: &str) -> SimPlatform {
    Board::from_toml(&format!("[trace]\nformat = \"off\"\n[apps.a.net]\n{net}\n")).unwrap().platform("a")
}

fn local(port: u16) -> Peer {
    Peer { address: "::ffff:127.0.0.1".parse().unwrap(), port }
}

fn server() -> (TcpListener, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = local(listener.local_addr().unwrap().port());
    (listener, peer)
}

fn udp() -> (UdpSocket, Peer) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let peer = local(socket.local_addr().unwrap().port());
    (socket, peer)
}

/// Returns a port that is free now, for the app to bind.
fn free_port() -> u16 {
    udp().1.port
}

/// Returns an app with a socket that is connected, and the other end.
fn connected() -> (SimPlatform, TcpStream) {
    let (listener, peer) = server();
    let mut app = platform("endpoints = [\"tcp:127.0.0.1:1-65535\"]");
    let socket = app.open_net(Protocol::Tcp).unwrap();
    assert_eq!(app.connect_net(socket, peer, None, LONG), Ok(Some(())));
    (app, listener.accept().unwrap().0)
}

#[test]
fn a_connection_carries_bytes_both_ways_to_its_end() {
    let (mut app, mut other) = connected();
    assert_eq!(app.send_net(0, b"ping", None, LONG), Ok(Some(4)));
    let mut buffer = [0; 8];
    other.read_exact(&mut buffer[..4]).unwrap();
    assert_eq!(&buffer[..4], b"ping");
    assert_eq!(app.receive_net(0, &mut buffer, 0), Ok(None), "nothing yet");
    other.write_all(b"pong!").unwrap();
    assert_eq!(app.receive_net(0, &mut buffer[..2], LONG).unwrap().unwrap().count, 2);
    assert_eq!(app.receive_net(0, &mut buffer[2..], LONG).unwrap().unwrap().count, 3);
    assert_eq!(&buffer[..5], b"pong!");
    app.shut_down_net(0).unwrap();
    assert_eq!(other.read(&mut buffer).unwrap(), 0, "the app has ended sending");
    assert_eq!(app.send_net(0, b"x", None, LONG), Err(Errno::Perm.into()));
    drop(other);
    assert_eq!(app.receive_net(0, &mut buffer, LONG).unwrap().unwrap().count, 0, "the end");
}

#[test]
fn a_peer_that_refuses_is_told_and_the_socket_can_try_again() {
    let mut app = platform("endpoints = [\"tcp:127.0.0.1:1-65535\"]");
    let socket = app.open_net(Protocol::Tcp).unwrap();
    let (listener, peer) = server();
    drop(listener);
    assert_eq!(app.connect_net(socket, peer, None, LONG), Err(Errno::NoDevice.into()));
    let listener = TcpListener::bind(socket::std_address(peer)).unwrap();
    assert_eq!(app.connect_net(socket, peer, None, LONG), Ok(Some(())));
    drop(listener);
}

#[test]
fn the_result_of_an_attempt_waits_for_the_call_that_takes_it() {
    let mut app = platform("endpoints = [\"tcp:127.0.0.1:1-65535\"]");
    let socket = app.open_net(Protocol::Tcp).unwrap();
    app.watch_net(socket, READABLE | WRITABLE).unwrap();
    let (listener, peer) = server();
    drop(listener);
    assert_eq!(app.net_ready(socket), 0, "neither bound nor connected");
    let slot = app.net.slot(socket).unwrap();
    slot.connect(peer, None, false).unwrap();
    let event = app.next_event(LONG).unwrap().map(|event| event.kind);
    assert_eq!(event, Some(Kind::Net { socket, readiness: READABLE | WRITABLE }));
    assert_eq!(app.net_socket(socket).unwrap().stage, Stage::Connecting(peer), "the app has not asked yet");
    assert_eq!(app.connect_net(socket, peer, None, 0), Err(Errno::NoDevice.into()));
    assert_eq!(app.net_socket(socket).unwrap().stage, Stage::Open);
    assert_eq!(app.net_ready(socket), 0);
    let (_listener, other) = server();
    app.net.slot(socket).unwrap().connect(other, None, false).unwrap();
    let event = app.next_event(LONG).unwrap().map(|event| event.kind);
    assert_eq!(event, Some(Kind::Net { socket, readiness: WRITABLE }), "another attempt with another peer");
    assert_eq!(app.net_socket(socket).unwrap().stage, Stage::Connecting(other), "the app has not asked yet");
    assert_eq!(app.connect_net(socket, other, None, 0), Ok(Some(())));
    assert_eq!(app.net_socket(socket).unwrap().stage, Stage::Connected);
}

#[test]
fn datagrams_go_to_and_come_from_granted_peers_only() {
    let ((other, peer), (stranger, _)) = (udp(), udp());
    let mut app = platform(&format!("endpoints = [\"udp:127.0.0.1:{}\"]", peer.port));
    let socket = app.open_net(Protocol::Udp).unwrap();
    assert_eq!(app.send_net(socket, b"question", Some(peer), LONG), Ok(Some(8)));
    let mut buffer = [0; 16];
    let (length, from) = other.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"question");
    stranger.send_to(b"lie", from).unwrap();
    other.send_to(b"answer", from).unwrap();
    let received = app.receive_net(socket, &mut buffer[..3], LONG);
    assert_eq!(received, Ok(Some(Received { count: 3, length: 6, peer })));
    assert_eq!(&buffer[..3], b"ans");
    assert_eq!((app.take_net_lost(socket), app.take_net_lost(socket)), (1, 0));
    let six = Peer { address: "2001:db8::1".parse().unwrap(), port: peer.port };
    assert_eq!(app.send_net(socket, b"x", Some(six), LONG), Err(Errno::Invalid.into()));
}

#[test]
fn a_flood_of_datagrams_fills_the_queue_and_no_more() {
    let port = free_port();
    let mut app = platform(&format!("endpoints = [\"udp-listen:127.0.0.1:{port}\"]\nqueue_size = 300"));
    let socket = app.open_net(Protocol::Udp).unwrap();
    app.bind_net(socket, true, port).unwrap();
    let (other, _) = udp();
    for _ in 0..1000 {
        let _ = other.send_to(&[7; 76], ("127.0.0.1", port));
    }
    // loopback delivers in order, and at once
    let mut lost = 0;
    for _ in 0..100 {
        lost += app.take_net_lost(socket);
    }
    let mut kept = 0;
    while let Some(received) = app.receive_net(socket, &mut [0; 100], 0).unwrap() {
        assert_eq!(received.length, 76);
        kept += 1;
    }
    assert_eq!(kept, 3, "three of 100 bytes");
    assert!(lost > 0, "{lost}");
    other.send_to(&[7; 277], ("127.0.0.1", port)).unwrap();
    other.send_to(&[8; 276], ("127.0.0.1", port)).unwrap();
    let received = app.receive_net(socket, &mut [0; 300], LONG).unwrap().unwrap();
    assert_eq!((received.length, app.take_net_lost(socket)), (276, 1), "a datagram larger than the queue");
}

#[test]
fn a_listener_takes_granted_peers_and_closes_the_others() {
    let port = free_port();
    let mut app = platform(&format!("endpoints = [\"tcp-listen:127.0.0.1:{port}\"]"));
    let listener = app.open_net(Protocol::Tcp).unwrap();
    app.bind_net(listener, true, port).unwrap();
    assert_eq!(app.accept_net(listener, 0), Ok(None));
    let mut other = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (accepted, peer) = app.accept_net(listener, LONG).unwrap().unwrap();
    assert_eq!(peer, local(other.local_addr().unwrap().port()));
    other.write_all(b"hello").unwrap();
    let mut buffer = [0; 8];
    assert_eq!(app.receive_net(accepted, &mut buffer, LONG).unwrap().unwrap().count, 5);
    assert_eq!(app.accept_net(listener, 0), Err(Errno::NoMemory.into()), "both sockets are open");

    let mut strict = platform(&format!("endpoints = [\"tcp-listen:192.0.2.0/24:{port}\"]"));
    app.release_net();
    strict.open_net(Protocol::Tcp).unwrap();
    strict.bind_net(0, true, port).unwrap();
    let mut stranger = TcpStream::connect(("127.0.0.1", port)).unwrap();
    while strict.take_net_lost(0) == 0 {}
    assert!(!matches!(stranger.read(&mut buffer), Ok(1..)), "it was closed");
}

#[test]
fn readiness_is_told_once_until_the_socket_is_used() {
    let (mut app, mut other) = connected();
    app.watch_net(0, READABLE | WRITABLE).unwrap();
    let event = |app: &mut SimPlatform, until| app.next_event(until).unwrap().map(|Event { kind, .. }| kind);
    assert_eq!(event(&mut app, LONG), Some(Kind::Net { socket: 0, readiness: WRITABLE }));
    other.write_all(b"ab").unwrap();
    assert_eq!(event(&mut app, LONG), Some(Kind::Net { socket: 0, readiness: READABLE }));
    assert_eq!(event(&mut app, 0), None);
    app.watch_net(0, READABLE).unwrap();
    assert_eq!(event(&mut app, LONG), Some(Kind::Net { socket: 0, readiness: READABLE }), "what is there already");
    app.receive_net(0, &mut [0; 1], LONG).unwrap();
    assert_eq!(event(&mut app, LONG), Some(Kind::Net { socket: 0, readiness: READABLE }), "one byte is left");
    app.receive_net(0, &mut [0; 1], LONG).unwrap();
    drop(other);
    assert_eq!(event(&mut app, LONG), Some(Kind::Net { socket: 0, readiness: READABLE }), "the end");
    app.close_net(0);
    assert_eq!(event(&mut app, 0), None);
}

#[test]
fn a_stop_ends_a_wait_for_the_network() {
    let (mut app, _other) = connected();
    let stopper = app.stopper();
    let stopping = std::thread::spawn(move || stopper.stop());
    assert!(matches!(app.receive_net(0, &mut [0; 1], LONG), Err(Failure::Stop(_))));
    stopping.join().unwrap();
}

#[test]
fn a_full_connection_takes_no_more_until_the_peer_reads() {
    let (mut app, mut other) = connected();
    let bytes = [7; 4096];
    let mut sent = 0;
    while let Some(count) = app.send_net(0, &bytes, None, 0).unwrap() {
        sent += count;
    }
    assert_eq!(app.send_net(0, &bytes, None, app.now_us() + 1), Ok(None));
    let mut received = vec![0; sent];
    other.read_exact(&mut received).unwrap();
    assert_eq!(app.send_net(0, b"x", None, LONG), Ok(Some(1)));
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Looks for many descriptors, because other tests of this process open some meanwhile.
#[test]
fn opening_and_closing_without_end_leaks_nothing() {
    let (listener, peer) = server();
    let before = descriptors();
    let mut app = platform("endpoints = [\"tcp:127.0.0.1:1-65535\"]\nsockets = 1");
    for round in 0..300 {
        let socket = app.open_net(Protocol::Tcp).unwrap();
        assert_eq!((socket, app.open_net(Protocol::Udp)), (0, Err(Errno::NoMemory)));
        assert_eq!(app.connect_net(socket, peer, None, LONG), Ok(Some(())));
        listener.accept().unwrap();
        if round % 2 == 0 {
            app.close_net(socket);
        } else {
            app.release_net();
        }
        assert_eq!(app.net_socket(socket), None);
    }
    assert!(descriptors() < before + 200, "{before} {}", descriptors());
}

#[test]
fn an_app_that_ends_gives_its_port_back() {
    let port = free_port();
    let board = format!("[apps.a.net]\nendpoints = [\"tcp-listen:127.0.0.1:{port}\"]\n");
    for _ in 0..3 {
        let mut app = App::new(Board::from_toml(&board).unwrap().platform("a"));
        let socket = app.platform_mut().open_net(Protocol::Tcp).unwrap();
        app.platform_mut().bind_net(socket, true, port).unwrap();
        let _half_open = TcpStream::connect(("127.0.0.1", port)).unwrap();
        app.release();
        assert_eq!(app.platform().net_socket(socket), None);
    }
}

#[test]
fn names_are_those_of_the_board_file_or_of_the_workstation() {
    let mut app = platform("endpoints = [\"tcp:localhost:1\"]\nnames = { \"Broker.example\" = \"192.0.2.1\" }");
    assert_eq!(app.look_up(b"broker.EXAMPLE", 0), Ok(Some("::ffff:192.0.2.1".parse().unwrap())));
    let found = app.look_up(b"localhost", LONG).unwrap().unwrap();
    assert!(found.is_loopback() || found == local(0).address, "{found}");
    assert!(!app.is_looking_up(b"localhost"));
}

#[test]
fn the_traffic_of_an_hour_flows_back_evenly() {
    let mut app = platform("endpoints = [\"udp:192.0.2.1:1\"]\nbytes_per_hour = 3600\nlink = \"down\"");
    app.use_net_bytes(3600);
    assert!(!app.has_net_bytes());
    app.sleep_us(1_000_000).unwrap();
    assert!(app.has_net_bytes());
    app.use_net_bytes(1);
    assert!(!app.has_net_bytes());
    app.sleep_us(HOUR_US).unwrap();
    assert!(app.has_net_bytes());
    app.use_net_bytes(3599);
    assert!(app.has_net_bytes());
    assert!(platform("endpoints = [\"udp:192.0.2.1:1\"]\nlink = \"down\"").has_net_bytes(), "without a limit");
}

#[test]
fn on_a_network_that_is_down_time_is_virtual_and_nothing_answers() {
    let mut app = platform("endpoints = [\"tcp:192.0.2.1:1\", \"udp:192.0.2.1:1\"]\nlink = \"down\"");
    let peer = Peer { address: "::ffff:192.0.2.1".parse().unwrap(), port: 1 };
    let (tcp, udp) = (app.open_net(Protocol::Tcp).unwrap(), app.open_net(Protocol::Udp).unwrap());
    assert_eq!(app.connect_net(tcp, peer, None, 60_000_000), Ok(None));
    assert_eq!(app.now_us(), 60_000_000);
    assert_eq!(app.send_net(udp, b"x", Some(peer), 0), Ok(Some(1)));
    assert_eq!(app.receive_net(udp, &mut [0], 3_600_000_000), Ok(None));
    assert_eq!(app.look_up(b"a.example", 3_700_000_000), Ok(None));
    assert_eq!(app.now_us(), 3_700_000_000);
}

#[test]
fn a_description_that_makes_no_sense_is_refused_with_its_place() {
    for (text, line, expected) in [
        ("endpoints = [\n  \"udp:192.0.2.1:1\",\n  \"udp:192.0.2.1:0\",\n]", 4, "a port of 1 to 65535"),
        ("endpoints = [\"icmp:192.0.2.1:1\"]", 2, "udp-listen"),
        ("sockets = 33", 0, "1 to 32"),
        ("queue_size = 0", 0, "64 to 65536"),
        ("names = { a = \"b\" }", 2, "IP address"),
        ("link = \"sideways\"", 2, "down"),
    ] {
        let error = Board::from_toml(&format!("[apps.a.net]\n{text}\n")).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
        assert_eq!(error.line, line, "{error}");
    }
    let many = vec!["\"udp:192.0.2.1:1\""; 33].join(", ");
    let error = Board::from_toml(&format!("[apps.a.net]\nendpoints = [{many}]\n")).unwrap_err();
    assert!(error.message.contains("at most 32"), "{error}");
}
