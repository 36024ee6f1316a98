// SPDX-License-Identifier: Apache-2.0
//! Descriptors of a program that listens, and of its connections.

use crate::endpoint::{Peer, Protocol};
use crate::net::{Socket, Stage};
use crate::stop::Stop;
use crate::testing::{Harness, NET, WASI};
use core::net::Ipv4Addr;
use std::vec::Vec;
use wisp_abi::net::{TCP, UDP};
use wisp_abi::wasi::{fdflags, rights};

const AGAIN: i32 = 6;
const BADF: i32 = 8;
const FAULT: i32 = 21;
const INVAL: i32 = 28;
const NOTCONN: i32 = 53;
const NOTSOCK: i32 = 57;
const NOTSUP: i32 = 58;
const SPIPE: i32 = 70;

/// Addresses of what calls write, and of two vectors, which have four and eight bytes.
const OUT: u32 = 400;
const VECTORS: u32 = 64;
const FIRST: u32 = 100;
const SECOND: u32 = 120;

/// Descriptors of the first listener, and of the first socket, which follows the listeners.
const LISTENER: u32 = 3;
const SOCKETS: u32 = 5;

/// Returns an app that may listen at two ports, among other entries.
fn listening() -> Harness {
    let mut harness = Harness::new();
    harness.app.platform_mut().net.endpoints = std::vec![
        "tcp:192.0.2.7:80",
        "tcp-listen:0.0.0.0:8080",
        "tcp-listen:0.0.0.0:9000-9001",
        "udp-listen:0.0.0.0:5683",
        "tcp-listen:0.0.0.0:8081",
    ];
    harness.put_u32s(VECTORS as usize, &[FIRST, 4, SECOND, 8]);
    harness
}

/// Accepts a connection by the first listener. Its socket is the second one.
fn connected() -> Harness {
    let mut harness = listening();
    assert_eq!(harness.wasi("sock_accept", &[LISTENER, 0, OUT]), 0);
    assert_eq!(harness.u32_at(OUT), SOCKETS + 1);
    harness
}

fn comes(harness: &mut Harness, bytes: &'static [u8]) {
    let peer = Peer { address: Ipv4Addr::new(192, 0, 2, 9).to_ipv6_mapped(), port: 4000 };
    harness.app.platform_mut().net.waiting.push_back((bytes, peer));
}

fn sent(harness: &mut Harness) -> Vec<u8> {
    let pieces = core::mem::take(&mut harness.app.platform_mut().net.sent);
    pieces.into_iter().flat_map(|(bytes, _)| bytes).collect()
}

#[test]
fn each_entry_with_one_port_is_a_listener_that_is_bound_when_it_is_first_used() {
    let mut harness = listening();
    assert_eq!(harness.app.platform().net.sockets, [None; 2]);
    for fd in [LISTENER, LISTENER + 1] {
        assert_eq!(harness.wasi("fd_fdstat_get", &[fd, 8]), 0);
        assert_eq!((harness.memory[8], harness.u64_at(16), harness.u64_at(24)), (6, rights::LISTENER, 0));
    }
    assert_eq!(harness.wasi("fd_fdstat_get", &[LISTENER + 2, 8]), BADF);
    assert_eq!(harness.wasi("fd_prestat_get", &[LISTENER, 8]), BADF, "it is no folder");
    assert_eq!(harness.app.platform().net.sockets, [None; 2], "to be asked is not to be used");
    assert_eq!(harness.wasi("sock_accept", &[LISTENER + 1, 0, OUT]), 0);
    let bound = Socket { protocol: Protocol::Tcp, stage: Stage::Bound, local_port: 8081 };
    assert_eq!(harness.app.platform().net.sockets[0], Some(bound));
    assert_eq!(harness.u32_at(OUT), SOCKETS + 1);
    assert_eq!(harness.wasi("fd_close", &[SOCKETS + 1]), 0);
    assert_eq!(harness.wasi("sock_accept", &[LISTENER + 1, 0, OUT]), 0, "by the same socket");
    assert_eq!(harness.u32_at(OUT), SOCKETS + 1);
    assert_eq!(harness.wasi("fd_close", &[LISTENER + 1]), 0);
    assert_eq!(harness.app.platform().net.sockets[0], None);
    assert_eq!(harness.wasi("sock_accept", &[LISTENER + 1, 0, OUT]), BADF);
    harness.app.release();
    assert_eq!(harness.wasi("sock_accept", &[LISTENER + 1, 0, OUT]), 0, "the next run begins anew");
}

#[test]
fn an_app_without_a_grant_has_no_sockets() {
    let mut harness = Harness::new();
    assert_eq!(harness.wasi("sock_accept", &[LISTENER, 0, OUT]), BADF);
    assert_eq!(harness.wasi("sock_accept", &[1, 0, OUT]), NOTSOCK);
}

#[test]
fn bytes_come_and_go_in_vectors() {
    let mut harness = connected();
    comes(&mut harness, b"hello");
    assert_eq!(harness.wasi("fd_read", &[SOCKETS + 1, VECTORS, 2, OUT]), 0);
    assert_eq!((harness.u32_at(OUT), &harness.memory[100..105]), (4, &b"hell\0"[..]), "a read waits for no more");
    assert_eq!(harness.wasi("sock_recv", &[SOCKETS + 1, VECTORS, 2, 0, OUT, OUT + 4]), 0);
    assert_eq!((harness.u32_at(OUT), harness.memory[100]), (1, b'o'));
    comes(&mut harness, b"abcde");
    comes(&mut harness, b"fghijklmn");
    assert_eq!(harness.wasi("sock_recv", &[SOCKETS + 1, VECTORS, 2, 2, OUT, OUT + 4]), 0);
    assert_eq!(
        (harness.u32_at(OUT), &harness.memory[100..104], &harness.memory[120..128]),
        (12, &b"abcd"[..], &b"efghijkl"[..])
    );
    comes(&mut harness, b"");
    assert_eq!(harness.wasi("fd_read", &[SOCKETS + 1, VECTORS + 8, 1, OUT]), 0);
    assert_eq!(harness.u32_at(OUT), 2, "the rest");
    assert_eq!(harness.wasi("sock_recv", &[SOCKETS + 1, VECTORS, 2, 2, OUT, OUT + 4]), 0);
    assert_eq!(harness.u32_at(OUT), 0, "the end");
    harness.memory[100..104].copy_from_slice(b"1234");
    harness.memory[120..128].copy_from_slice(b"56789abc");
    for (name, arguments) in
        [("fd_write", &[SOCKETS + 1, VECTORS, 2, OUT][..]), ("sock_send", &[SOCKETS + 1, VECTORS, 2, 0, OUT])]
    {
        assert_eq!(harness.wasi(name, arguments), 0);
        assert_eq!((harness.u32_at(OUT), sent(&mut harness)), (12, b"123456789abc".to_vec()), "{name}");
    }
    harness.put_u32s(VECTORS as usize, &[FIRST, 0]);
    assert_eq!(harness.wasi("fd_read", &[SOCKETS + 1, VECTORS, 1, OUT]), 0, "no room waits for nothing");
    assert_eq!(harness.u32_at(OUT), 0);
}

#[test]
fn a_socket_that_does_not_block_says_so() {
    let mut harness = connected();
    assert_eq!(harness.wasi("fd_fdstat_set_flags", &[SOCKETS + 1, fdflags::NONBLOCK]), 0);
    assert_eq!(harness.wasi("fd_fdstat_get", &[SOCKETS + 1, 8]), 0);
    assert_eq!((harness.memory[8], harness.memory[10], harness.u64_at(16)), (6, 4, rights::SOCKET));
    assert_eq!(harness.wasi("fd_read", &[SOCKETS + 1, VECTORS, 2, OUT]), AGAIN);
    harness.app.platform_mut().net.room = Some(6);
    assert_eq!(harness.wasi("fd_write", &[SOCKETS + 1, VECTORS, 2, OUT]), 0);
    assert_eq!((harness.u32_at(OUT), sent(&mut harness).len()), (6, 6), "what there was room for");
    assert_eq!(harness.wasi("fd_write", &[SOCKETS + 1, VECTORS, 2, OUT]), AGAIN);
    assert_eq!(harness.wasi("fd_fdstat_set_flags", &[SOCKETS + 1, fdflags::APPEND]), NOTSUP);
    assert_eq!(harness.wasi("fd_fdstat_set_flags", &[SOCKETS + 1, 0]), 0);
    assert_eq!(harness.wasi("fd_fdstat_get", &[SOCKETS + 1, 8]), 0);
    assert_eq!(harness.memory[10], 0);
    // a connection is born with the flags of its acceptance, and not with those of the one before
    assert_eq!(harness.wasi("fd_close", &[SOCKETS + 1]), 0);
    for flags in [fdflags::NONBLOCK, 0] {
        assert_eq!(harness.wasi("sock_accept", &[LISTENER, flags, OUT]), 0);
        assert_eq!(harness.wasi("fd_fdstat_get", &[SOCKETS + 1, 8]), 0);
        assert_eq!(u32::from(harness.memory[10]), flags);
        assert_eq!(harness.wasi("fd_close", &[SOCKETS + 1]), 0);
    }
    assert_eq!(harness.wasi("sock_accept", &[LISTENER, fdflags::APPEND, OUT]), INVAL);
}

#[test]
fn calls_that_are_for_other_sockets_or_for_files_are_errors() {
    let mut harness = connected();
    let connection = SOCKETS + 1;
    for (name, arguments, expected) in [
        ("fd_read", &[LISTENER, VECTORS, 2, OUT][..], NOTCONN),
        ("fd_write", &[LISTENER, VECTORS, 2, OUT], NOTCONN),
        ("sock_recv", &[LISTENER, VECTORS, 2, 0, OUT, OUT + 4], NOTCONN),
        ("sock_send", &[LISTENER, VECTORS, 2, 0, OUT], NOTCONN),
        ("sock_shutdown", &[LISTENER, 2], NOTCONN),
        ("sock_accept", &[connection, 0, OUT], INVAL),
        ("sock_recv", &[connection, VECTORS, 2, 1, OUT, OUT + 4], NOTSUP),
        ("sock_recv", &[connection, VECTORS, 2, 4, OUT, OUT + 4], INVAL),
        ("sock_recv", &[connection, 8188, 1, 0, OUT, OUT + 4], FAULT),
        ("sock_send", &[connection, VECTORS, 2, 1, OUT], INVAL),
        ("sock_shutdown", &[connection, 0], INVAL),
        ("sock_shutdown", &[connection, 4], INVAL),
        ("sock_shutdown", &[connection, 1], 0),
        ("sock_shutdown", &[connection, 3], 0),
        ("fd_seek", &[connection, 0, 0, 0, OUT], SPIPE),
        ("fd_pread", &[connection, VECTORS, 2, 0, 0, OUT], SPIPE),
        ("fd_pwrite", &[connection, VECTORS, 2, 0, 0, OUT], SPIPE),
        ("fd_sync", &[connection], INVAL),
        ("fd_renumber", &[connection, 1], NOTSUP),
        ("fd_renumber", &[1, LISTENER], NOTSUP),
        ("fd_filestat_get", &[connection, OUT], 0),
    ] {
        assert_eq!(harness.wasi(name, arguments), expected, "{name} {arguments:?}");
    }
    assert_eq!(harness.memory[OUT as usize + 16], 6);
    assert_eq!(harness.wasi("fd_close", &[connection]), 0);
    assert_eq!(harness.wasi("fd_close", &[connection]), BADF);
}

#[test]
fn sockets_of_the_other_interface_are_descriptors_too() {
    let mut harness = listening();
    assert_eq!(harness.i32(NET, "open", &[UDP]), 0);
    assert_eq!(harness.wasi("fd_fdstat_get", &[SOCKETS, 8]), 0);
    assert_eq!(harness.memory[8], 5, "one for datagrams");
    assert_eq!(harness.i32(NET, "open", &[TCP]), 1);
    assert_eq!(harness.i32(NET, "bind", &[1, 8080]), 0);
    // a socket does not inherit that it does not block
    assert_eq!(harness.wasi("fd_fdstat_set_flags", &[SOCKETS, fdflags::NONBLOCK]), 0);
    assert_eq!(harness.i32(NET, "close", &[0]), 0);
    assert_eq!(harness.i32(NET, "open", &[UDP]), 0);
    assert_eq!(harness.wasi("fd_fdstat_get", &[SOCKETS, 8]), 0);
    assert_eq!(harness.memory[10], 0);
    // no second socket is bound to the port
    assert_eq!(harness.wasi("fd_close", &[SOCKETS]), 0);
    assert_eq!(harness.wasi("sock_accept", &[LISTENER, 0, OUT]), 0);
    assert_eq!(harness.u32_at(OUT), SOCKETS);
}

#[test]
fn a_wait_ends_when_a_socket_is_ready_a_time_is_over_or_the_app_is_stopped() {
    const EVENTS: u32 = 256;
    let mut harness = connected();
    let subscribe = |harness: &mut Harness, index: usize, kind: u8, source: u32, ns: u64| {
        let raw = &mut harness.memory[48 * index..48 * (index + 1)];
        raw.fill(0);
        raw[..8].copy_from_slice(&(100 + index as u64).to_le_bytes());
        raw[8] = kind;
        raw[16..20].copy_from_slice(&source.to_le_bytes());
        raw[24..32].copy_from_slice(&ns.to_le_bytes());
    };
    subscribe(&mut harness, 0, 0, 1, 95_000_000);
    subscribe(&mut harness, 1, 1, SOCKETS + 1, 0);
    assert_eq!(harness.wasi("poll_oneoff", &[0, EVENTS, 2, OUT]), 0);
    assert_eq!((harness.u32_at(OUT), harness.u64_at(EVENTS), harness.memory[EVENTS as usize + 10]), (1, 101, 1));
    assert_eq!(harness.app.platform().now_us, 0);
    harness.app.platform_mut().net.ready = Some(0);
    assert_eq!(harness.wasi("poll_oneoff", &[0, EVENTS, 2, OUT]), 0);
    assert_eq!((harness.u32_at(OUT), harness.u64_at(EVENTS), harness.app.platform().now_us), (1, 100, 95_000));
    subscribe(&mut harness, 0, 2, SOCKETS + 1, 0);
    harness.app.platform_mut().looks_left = Some(20);
    assert_eq!(harness.call(WASI, "poll_oneoff", &[0, EVENTS, 2, OUT]), Err(Stop::Interrupted));
    assert!(harness.app.platform().now_us > 95_000);
}
