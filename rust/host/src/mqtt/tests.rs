// SPDX-License-Identifier: Apache-2.0
//! Sessions over a connection whose other end is a list of bytes.

use crate::endpoint::{Peer, Protocol};
use crate::net::{Socket, Stage};
use crate::stop::Stop;
use crate::testing::{Harness, EVENT, MQTT, NET};
use core::net::Ipv6Addr;
use std::vec::Vec;
use wisp_abi::event;
use wisp_abi::mqtt::{AT_LEAST_ONCE, KEEP_SESSION, RETAIN};
use wisp_abi::net::{FOREVER, READABLE};

const PERM: i32 = -1;
const EIO: i32 = -5;
const EBADF: i32 = -9;
const EAGAIN: i32 = -11;
const EBUSY: i32 = -16;
const EINVAL: i32 = -22;
const ETIMEDOUT: i32 = -116;
const EMSGSIZE: i32 = -122;
/// Addresses of texts and records in linear memory.
const TEXTS: u32 = 0;
const RECORD: u32 = 400;
/// The bytes of a CONNACK.
const CONNACK: &[u8] = &[0x20, 2, 0, 0];

/// Returns an app with a connection as socket 0, and another one as socket 1.
fn connection() -> Harness {
    let mut harness = Harness::new();
    let connected = |protocol| Some(Socket { protocol, stage: Stage::Connected, local_port: 0 });
    harness.app.platform_mut().net.sockets = [Protocol::Tcp, Protocol::Tls].map(connected);
    harness
}

/// Writes texts into linear memory, and returns pointer and length of each.
fn texts<const COUNT: usize>(harness: &mut Harness, texts: [&[u8]; COUNT]) -> [[u32; 2]; COUNT] {
    let mut at = TEXTS;
    texts.map(|text| {
        let start = at as usize;
        harness.memory[start..start + text.len()].copy_from_slice(text);
        at += text.len() as u32;
        [start as u32, text.len() as u32]
    })
}

/// Calls `connect`: client, login, topic of the will, will.
fn connect_as(harness: &mut Harness, socket: u32, strings: [&[u8]; 4], numbers: [u32; 3]) -> i32 {
    let slots = texts(harness, strings).concat();
    harness.i32(MQTT, "connect", &[&[socket], &slots[..], &numbers].concat())
}

/// Begins a session with this time between signs of life, and forgets what was sent for it.
fn session(keep_alive: u32) -> Harness {
    let mut harness = connection();
    assert_eq!(connect_as(&mut harness, 0, [b"me", b"", b"", b""], [0, keep_alive, 0]), 0);
    comes(&mut harness, CONNACK);
    assert_eq!(receive(&mut harness, 0), Ok([1, 0, 0, 0, 0]));
    sent(&mut harness);
    harness
}

fn comes(harness: &mut Harness, bytes: &'static [u8]) {
    let peer = Peer { address: Ipv6Addr::LOCALHOST, port: 1883 };
    harness.app.platform_mut().net.waiting.push_back((bytes, peer));
}

/// Takes all that was sent, as one stream.
fn sent(harness: &mut Harness) -> Vec<u8> {
    let pieces = core::mem::take(&mut harness.app.platform_mut().net.sent);
    pieces.into_iter().flat_map(|(bytes, _)| bytes).collect()
}

fn receive(harness: &mut Harness, timeout: u32) -> Result<[u32; 5], i32> {
    match harness.i32(MQTT, "receive", &[0, timeout, RECORD]) {
        0 => Ok([0, 4, 8, 12, 16].map(|at| harness.u32_at(RECORD + at))),
        error => Err(error),
    }
}

fn read(harness: &mut Harness, length: u32) -> Result<Vec<u8>, i32> {
    match harness.i32(MQTT, "read", &[0, 64, length, 0]) {
        error if error < 0 => Err(error),
        count => Ok(harness.memory[64..64 + count as usize].to_vec()),
    }
}

fn publish(harness: &mut Harness, topic: &[u8], payload: &[u8], flags: u32, id: u32) -> i32 {
    let slots = texts(harness, [topic, payload]).concat();
    harness.i32(MQTT, "publish", &[&[0], &slots[..], &[flags, id, 0]].concat())
}

fn subscribe(harness: &mut Harness, filter: &[u8], flags: u32) -> i32 {
    let [filter] = texts(harness, [filter]);
    harness.i32(MQTT, "subscribe", &[0, filter[0], filter[1], flags, 0])
}

#[test]
fn a_session_has_the_size_that_the_documentation_says() {
    assert_eq!(size_of::<crate::platform::Session>(), 56);
}

#[test]
fn connect_sends_what_the_app_gave_and_nothing_for_what_it_left_out() {
    let mut harness = connection();
    assert_eq!(connect_as(&mut harness, 0, [b"", b"", b"", b""], [0, 0, 0]), 0);
    assert_eq!(sent(&mut harness), b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0");
    let mut harness = connection();
    let flags = KEEP_SESSION | AT_LEAST_ONCE | RETAIN;
    assert_eq!(connect_as(&mut harness, 0, [b"me", b"u\0p\0w", b"t/1", b"gone"], [flags, 300, 0]), 0);
    let expected = b"\x10\x21\0\x04MQTT\x04\xec\x01\x2c\0\x02me\0\x03t/1\0\x04gone\0\x01u\0\x03p\0w";
    assert_eq!(sent(&mut harness), expected);
    assert_eq!(harness.app.platform().net.sent.len(), 0);
    let mut harness = connection();
    assert_eq!(connect_as(&mut harness, 1, [b"me", b"u", b"t", b""], [0, 0, 0]), 0, "over TLS");
    assert_eq!(sent(&mut harness), b"\x10\x16\0\x04MQTT\x04\x86\0\0\0\x02me\0\x01t\0\0\0\x01u".to_vec());
}

#[test]
fn connect_refuses_what_the_broker_would_and_sends_nothing() {
    for (strings, numbers, error) in [
        ([&b"a\0b"[..], b"", b"", b""], [0; 3], EINVAL),
        ([b"\xff", b"", b"", b""], [0; 3], EINVAL),
        ([b"", b"", b"", b""], [KEEP_SESSION, 0, 0], EINVAL),
        ([b"me", b"\0password", b"", b""], [0; 3], EINVAL),
        ([b"me", b"", b"", b"will"], [0; 3], EINVAL),
        ([b"me", b"", b"", b""], [RETAIN, 0, 0], EINVAL),
        ([b"me", b"", b"a/#", b""], [0; 3], EINVAL),
        ([b"me", b"", b"", b""], [8, 0, 0], EINVAL),
        ([b"me", b"", b"", b""], [0, 65_536, 0], EINVAL),
    ] {
        let mut harness = connection();
        assert_eq!(connect_as(&mut harness, 0, strings, numbers), error, "{strings:?} {numbers:?}");
        assert!(sent(&mut harness).is_empty());
        assert_eq!(connect_as(&mut harness, 0, [b"me", b"", b"", b""], [0; 3]), 0);
    }
    let mut harness = connection();
    harness.memory = std::vec![b'x'; 70_000];
    assert_eq!(harness.i32(MQTT, "connect", &[0, 0, 65_536, 0, 0, 0, 0, 0, 0, 0, 0, 0]), EMSGSIZE);
}

#[test]
fn a_session_needs_a_connection_and_an_app_has_one_session() {
    let mut harness = connection();
    let me: [&[u8]; 4] = [b"me", b"", b"", b""];
    harness.app.platform_mut().net.sockets[0].as_mut().unwrap().stage = Stage::Open;
    assert_eq!(connect_as(&mut harness, 0, me, [0; 3]), PERM);
    assert_eq!(connect_as(&mut harness, 2, me, [0; 3]), EBADF);
    harness.app.platform_mut().net.sockets[0].as_mut().unwrap().stage = Stage::Connected;
    assert_eq!(publish(&mut harness, b"t", b"", 0, 0), PERM);
    assert_eq!(connect_as(&mut harness, 0, me, [0; 3]), 0);
    assert_eq!(connect_as(&mut harness, 0, me, [0; 3]), PERM);
    assert_eq!(connect_as(&mut harness, 1, me, [0; 3]), EBUSY);
    // the session goes with its socket
    assert_eq!(harness.i32(NET, "close", &[1]), 0);
    assert_eq!(publish(&mut harness, b"t", b"", 0, 0), 0);
    assert_eq!(harness.i32(NET, "close", &[0]), 0);
    assert_eq!(publish(&mut harness, b"t", b"", 0, 0), EBADF);
    harness.app.platform_mut().net.sockets = connection().app.platform().net.sockets;
    assert_eq!(publish(&mut harness, b"t", b"", 0, 0), PERM, "another socket with the same number");
    assert_eq!(connect_as(&mut harness, 1, me, [0; 3]), 0);
    harness.app.release();
    harness.app.platform_mut().net.sockets = connection().app.platform().net.sockets;
    assert_eq!(connect_as(&mut harness, 0, me, [0; 3]), 0);
}

#[test]
fn messages_go_out_with_identifiers_that_their_answers_have() {
    let mut harness = session(0);
    assert_eq!(publish(&mut harness, b"a/b", b"hello", 0, 0), 0);
    assert_eq!(sent(&mut harness), b"\x30\x0a\0\x03a/bhello");
    assert_eq!(publish(&mut harness, b"t", b"1", AT_LEAST_ONCE | RETAIN, 0), 1);
    assert_eq!(subscribe(&mut harness, b"a/+/#", AT_LEAST_ONCE), 2);
    assert_eq!(sent(&mut harness), b"\x33\x06\0\x01t\0\x011\x82\x0a\0\x02\0\x05a/+/#\x01");
    assert_eq!(publish(&mut harness, b"t", b"1", AT_LEAST_ONCE, 1), 1);
    assert_eq!(harness.i32(MQTT, "unsubscribe", &[0, TEXTS, 1, 0]), 3);
    assert_eq!(sent(&mut harness), b"\x3a\x06\0\x01t\0\x011\xa2\x05\0\x03\0\x01t");
    comes(&mut harness, &[0x40, 2, 0, 1, 0x90, 3, 0, 2, 0x80, 0xb0, 2, 0, 3]);
    let answers = [receive(&mut harness, 0), receive(&mut harness, 0), receive(&mut harness, 0)];
    assert_eq!(answers, [Ok([3, 1, 0, 0, 0]), Ok([4, 2, 0x80, 0, 0]), Ok([5, 3, 0, 0, 0])]);
    assert_eq!(receive(&mut harness, 0), Err(ETIMEDOUT));
    for (topic, flags, id) in
        [(&b""[..], 0, 0), (b"a/+", 0, 0), (b"#", 0, 0), (b"a\0", 0, 0), (b"t", 4, 0), (b"t", 0, 1)]
    {
        assert_eq!(publish(&mut harness, topic, b"", flags, id), EINVAL, "{topic:?} {flags} {id}");
    }
    assert_eq!(publish(&mut harness, b"t", b"", AT_LEAST_ONCE, 65_536), EINVAL);
    assert_eq!((subscribe(&mut harness, b"", 0), subscribe(&mut harness, b"t", 2)), (EINVAL, EINVAL));
    assert!(sent(&mut harness).is_empty());
}

#[test]
fn identifiers_begin_again_behind_the_last_one_and_none_is_zero() {
    let mut harness = session(0);
    for expected in (1..=65_535).chain(1..=2) {
        assert_eq!(subscribe(&mut harness, b"t", 0), expected);
    }
}

#[test]
fn a_long_message_goes_out_in_few_pieces_and_whole() {
    let mut harness = session(0);
    harness.memory = (0..2000u32).map(|i| i as u8).collect();
    harness.memory[0] = b't';
    assert_eq!(harness.i32(MQTT, "publish", &[0, 0, 1, 100, 1500, AT_LEAST_ONCE, 0, 0]), 1);
    assert_eq!(harness.app.platform().net.sent.len(), 2, "what stands in front is one piece");
    let bytes = sent(&mut harness);
    assert_eq!(bytes[..8], [0x32, 0xe1, 0x0b, 0, 1, b't', 0, 1]);
    assert_eq!(bytes[8..], harness.memory[100..1600]);
}

#[test]
fn a_message_is_read_in_pieces_and_acknowledged_when_the_app_goes_on() {
    let mut harness = session(0);
    comes(&mut harness, b"\x3b\x0c\0\x03a/b");
    assert_eq!(receive(&mut harness, 0), Ok([2, 0, 11, 3, 5]));
    assert_eq!(read(&mut harness, 2), Ok(b"a/".to_vec()));
    assert_eq!(read(&mut harness, 16), Ok(b"b".to_vec()), "the topic alone");
    assert_eq!(read(&mut harness, 16), Err(ETIMEDOUT));
    comes(&mut harness, b"\x12");
    assert_eq!(read(&mut harness, 16), Err(ETIMEDOUT), "the identifier comes in pieces as well");
    comes(&mut harness, b"\x34hel");
    comes(&mut harness, b"lo\x30\x04\0\x01tx");
    assert_eq!(read(&mut harness, 0), Ok(Vec::new()));
    assert_eq!(read(&mut harness, 16), Ok(b"hel".to_vec()));
    assert_eq!(read(&mut harness, 16), Ok(b"lo".to_vec()));
    assert_eq!(read(&mut harness, 16), Ok(Vec::new()));
    assert!(sent(&mut harness).is_empty(), "the app may fail before it has used the message");
    assert_eq!(receive(&mut harness, 0), Ok([2, 0, 0, 1, 1]));
    assert_eq!(sent(&mut harness), [0x40, 2, 0x12, 0x34]);
}

#[test]
fn what_the_app_does_not_read_of_a_message_is_dropped() {
    let mut harness = session(0);
    static LONG: [u8; 298] = [7; 298];
    comes(&mut harness, b"\x32\xb2\x02\0\x02ab");
    assert_eq!(receive(&mut harness, 0), Ok([2, 0, 1, 2, 300]));
    comes(&mut harness, b"\0\x09xx");
    assert_eq!(receive(&mut harness, 0), Err(ETIMEDOUT), "it has not come whole");
    assert!(sent(&mut harness).is_empty());
    comes(&mut harness, &LONG);
    comes(&mut harness, &[0xb0, 2, 0, 5]);
    assert_eq!(receive(&mut harness, 0), Ok([5, 5, 0, 0, 0]));
    assert_eq!(sent(&mut harness), [0x40, 2, 0, 9]);
    // a message without a payload, whose identifier nobody asks for
    comes(&mut harness, b"\x32\x05\0\x01t\0\x07\xd0\0");
    assert_eq!(receive(&mut harness, 0), Ok([2, 0, 1, 1, 0]));
    assert_eq!(receive(&mut harness, 0), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness), [0x40, 2, 0, 7]);
}

#[test]
fn what_is_no_mqtt_ends_the_session_and_the_log_says_it() {
    for bytes in [
        &[0x34, 9][..],
        &[0x20, 3],
        // a second answer to CONNECT
        CONNACK,
        // a message whose identifier is 0
        b"\x32\x05\0\x01t\0\0",
        // the end
        b"",
    ] {
        let mut harness = session(0);
        comes(&mut harness, bytes);
        let first = receive(&mut harness, 0);
        assert!(first == Err(EIO) || receive(&mut harness, 0) == Err(EIO), "{bytes:x?}");
        comes(&mut harness, &[0xb0, 2, 0, 5]);
        assert_eq!((receive(&mut harness, 0), publish(&mut harness, b"t", b"", 0, 0)), (Err(EIO), EIO));
        let logged = harness.app.platform().logged.len();
        assert_eq!(logged, usize::from(!bytes.is_empty()), "{bytes:x?}");
        assert_eq!(connect_as(&mut harness, 0, [b"", b"", b"", b""], [0; 3]), PERM, "the socket has to be closed");
    }
    let mut harness = connection();
    assert_eq!(connect_as(&mut harness, 0, [b"", b"", b"", b""], [0; 3]), 0);
    comes(&mut harness, &[0xd0, 0]);
    assert_eq!(receive(&mut harness, 0), Err(EIO), "the answer to CONNECT comes first");
}

#[test]
fn a_refusal_is_a_packet_with_the_reason() {
    let mut harness = connection();
    assert_eq!(connect_as(&mut harness, 0, [b"", b"", b"", b""], [0; 3]), 0);
    comes(&mut harness, &[0x20, 2, 0, 5]);
    assert_eq!(receive(&mut harness, 0), Ok([1, 0, 5, 0, 0]));
}

#[test]
fn random_bytes_from_a_broker_end_the_session_or_are_packets() {
    let mut state = 0x1234_5678_9abc_def1u64;
    for _ in 0..300 {
        let mut harness = session(0);
        for _ in 0..40 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let mut bytes = state.to_le_bytes();
            bytes[0] = [0x30, 0x32, 0x40, 0x90, 0xd0, bytes[0]][(state >> 40) as usize % 6];
            bytes[1] &= 7;
            comes(&mut harness, std::boxed::Box::leak(std::boxed::Box::new(bytes)));
            let result = match state >> 62 {
                0 => read(&mut harness, 3).map(|_| ()),
                _ => receive(&mut harness, 0).map(|_| ()),
            };
            assert!(matches!(result, Ok(()) | Err(EIO | ETIMEDOUT)), "{result:?}");
        }
    }
}

#[test]
fn a_packet_that_has_begun_is_sent_to_its_end_or_ends_the_session() {
    let mut harness = session(0);
    harness.app.platform_mut().net.room = Some(0);
    assert_eq!(publish(&mut harness, b"t", b"hello", AT_LEAST_ONCE, 0), ETIMEDOUT);
    assert!(sent(&mut harness).is_empty());
    harness.app.platform_mut().net.room = Some(4);
    let before = harness.app.platform().now_us;
    assert_eq!(publish(&mut harness, b"t", b"hello", 0, 0), EIO);
    assert_eq!(sent(&mut harness), b"\x30\x08\0\x01");
    assert_eq!(harness.app.platform().now_us - before, 10_000_000);
    harness.app.platform_mut().net.room = None;
    assert_eq!(publish(&mut harness, b"t", b"hello", 0, 0), EIO);
}

#[test]
fn the_bytes_of_an_hour_count_what_passes_and_end_between_packets() {
    let mut harness = session(0);
    let used = harness.app.platform().net.used;
    assert_eq!(publish(&mut harness, b"t", b"hello", 0, 0), 0);
    comes(&mut harness, &[0xb0, 2, 0, 5]);
    assert!(receive(&mut harness, 0).is_ok());
    assert_eq!(harness.app.platform().net.used - used, 10 + 4);
    harness.app.platform_mut().net.budget = Some(0);
    assert_eq!((publish(&mut harness, b"t", b"", 0, 0), receive(&mut harness, 0)), (EAGAIN, Err(EAGAIN)));
    harness.app.platform_mut().net.budget = None;
    assert_eq!((publish(&mut harness, b"t", b"", 0, 0), receive(&mut harness, 0)), (0, Err(ETIMEDOUT)));
}

#[test]
fn a_call_that_waits_sends_signs_of_life_and_ends_when_none_is_answered() {
    let mut harness = session(4);
    assert_eq!(receive(&mut harness, 2900), Err(ETIMEDOUT));
    assert!(sent(&mut harness).is_empty());
    assert_eq!(receive(&mut harness, 200), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness), [0xc0, 0]);
    comes(&mut harness, &[0xd0, 0]);
    assert_eq!(receive(&mut harness, 2000), Err(ETIMEDOUT));
    // what is sent counts as a sign of life
    assert_eq!(publish(&mut harness, b"t", b"", 0, 0), 0);
    assert_eq!(receive(&mut harness, 2900), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness), b"\x30\x03\0\x01t");
    let start = harness.app.platform().now_us;
    assert_eq!(receive(&mut harness, FOREVER), Err(EIO), "the broker is silent");
    assert_eq!(sent(&mut harness), [0xc0, 0]);
    assert_eq!(harness.app.platform().now_us - start, 3_100_000);
}

#[test]
fn a_broker_that_sends_without_a_pause_gets_signs_of_life() {
    let mut harness = session(4);
    for _ in 0..5 {
        comes(&mut harness, b"\x30\x03\0\x01t");
        assert_eq!(receive(&mut harness, 0), Ok([2, 0, 0, 1, 0]));
        harness.app.platform_mut().now_us += 1_000_000;
    }
    assert_eq!(sent(&mut harness), [0xc0, 0]);
}

#[test]
fn a_wait_for_events_sends_signs_of_life_and_tells_when_none_is_answered() {
    let mut harness = session(4);
    assert_eq!(harness.i32(EVENT, "wait", &[5000, 64]), ETIMEDOUT);
    assert_eq!(sent(&mut harness), [0xc0, 0]);
    assert_eq!(harness.i32(EVENT, "wait", &[FOREVER, 64]), 0);
    assert_eq!([72, 76, 80].map(|at| harness.u32_at(at)), [event::NET, 0, READABLE]);
    assert_eq!(harness.u64_at(64), 6_000_000);
    assert_eq!(harness.i32(EVENT, "wait", &[1000, 64]), ETIMEDOUT, "it is told once");
    assert_eq!(receive(&mut harness, 0), Err(EIO));
    // what has come in time is an answer, however late it is read
    let mut harness = session(4);
    assert_eq!(harness.i32(EVENT, "wait", &[5000, 64]), ETIMEDOUT);
    comes(&mut harness, &[0xd0, 0]);
    assert_eq!(harness.i32(EVENT, "wait", &[2000, 64]), 0);
    sent(&mut harness);
    assert_eq!(receive(&mut harness, 0), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness), [0xc0, 0], "the next one is due");
}

#[test]
fn a_sign_of_life_without_room_is_tried_again() {
    let mut harness = session(4);
    harness.app.platform_mut().net.room = Some(0);
    assert_eq!(harness.i32(EVENT, "wait", &[3500, 64]), ETIMEDOUT);
    assert!(sent(&mut harness).is_empty());
    harness.app.platform_mut().net.room = None;
    assert_eq!(harness.i32(EVENT, "wait", &[1000, 64]), ETIMEDOUT);
    assert_eq!(sent(&mut harness), [0xc0, 0]);
}

#[test]
fn disconnect_acknowledges_what_was_read_and_ends_the_session() {
    let mut harness = session(4);
    comes(&mut harness, b"\x32\x05\0\x01t\0\x07");
    assert!(receive(&mut harness, 0).is_ok());
    assert_eq!((read(&mut harness, 9), read(&mut harness, 9)), (Ok(b"t".to_vec()), Ok(Vec::new())));
    assert_eq!(harness.i32(MQTT, "disconnect", &[0, 0]), 0);
    assert_eq!(sent(&mut harness), [0x40, 2, 0, 7, 0xe0, 0]);
    assert_eq!(receive(&mut harness, 0), Err(PERM));
    assert_eq!(harness.i32(EVENT, "wait", &[60_000, 64]), ETIMEDOUT);
    assert!(sent(&mut harness).is_empty(), "no sign of life");
}

/// Answers to signs of life that nobody has sent.
static PINGS: [[u8; 2]; 20_000] = [[0xd0, 0]; 20_000];
/// The payload of a long message.
static PAYLOAD: [u8; 100_000] = [7; 100_000];

/// Begins a long message of this quality of service.
fn long_message(harness: &mut Harness, quality: u32) {
    match quality {
        0 => comes(harness, b"\x30\xa3\x8d\x06\0\x01t"),
        _ => comes(harness, b"\x32\xa5\x8d\x06\0\x01t\0\x09"),
    }
    comes(harness, &PAYLOAD);
    assert_eq!(receive(harness, 0), Ok([2, 0, quality, 1, 100_000]));
}

#[test]
fn a_broker_that_sends_without_a_pause_does_not_hold_a_call() {
    let mut harness = session(0);
    comes(&mut harness, PINGS.as_flattened());
    assert_eq!(receive(&mut harness, 0), Err(ETIMEDOUT));
    assert_eq!(harness.app.platform().net.waiting.len(), 1, "it does not take all of them");
    harness.app.platform_mut().looks_left = Some(100);
    assert_eq!(harness.call(MQTT, "receive", &[0, FOREVER, RECORD]), Err(Stop::Interrupted));
    // the next call goes on where the one before ended
    let mut harness = session(0);
    long_message(&mut harness, 0);
    comes(&mut harness, &[0xb0, 2, 0, 5]);
    let mut calls = 1;
    let end = loop {
        match receive(&mut harness, 0) {
            Err(ETIMEDOUT) => calls += 1,
            end => break end,
        }
    };
    assert_eq!((end, calls), (Ok([5, 5, 0, 0, 0]), 49));
    long_message(&mut harness, 0);
    harness.app.platform_mut().looks_left = Some(100);
    assert_eq!(harness.call(MQTT, "receive", &[0, FOREVER, RECORD]), Err(Stop::Interrupted));
}

#[test]
fn a_message_that_is_read_slowly_has_signs_of_life_between_its_pieces() {
    let mut harness = session(4);
    long_message(&mut harness, 0);
    for _ in 0..5 {
        assert!(read(&mut harness, 9).is_ok());
        harness.app.platform_mut().now_us += 1_000_000;
    }
    assert_eq!(sent(&mut harness), [0xc0, 0]);
}

#[test]
fn disconnect_acknowledges_what_was_not_read_to_its_end() {
    let mut harness = session(0);
    comes(&mut harness, b"\x32\x05\0\x01t\0\x07");
    assert!(receive(&mut harness, 0).is_ok());
    assert_eq!(read(&mut harness, 9), Ok(b"t".to_vec()), "a client that reads the topic knows the rest to be empty");
    assert_eq!(harness.i32(MQTT, "disconnect", &[0, 0]), 0);
    assert_eq!(sent(&mut harness), [0x40, 2, 0, 7, 0xe0, 0]);
    // what is too long for one call is a matter of several
    let mut harness = session(0);
    long_message(&mut harness, 1);
    assert_eq!(harness.i32(MQTT, "disconnect", &[0, 0]), ETIMEDOUT);
    assert!(sent(&mut harness).is_empty());
    assert_eq!(harness.i32(MQTT, "disconnect", &[0, FOREVER]), 0);
    assert_eq!(sent(&mut harness), [0x40, 2, 0, 9, 0xe0, 0]);
    // nothing of this concerns a message that is not acknowledged
    let mut harness = session(0);
    long_message(&mut harness, 0);
    assert_eq!(harness.i32(MQTT, "disconnect", &[0, 0]), 0);
    assert_eq!(sent(&mut harness), [0xe0, 0]);
}

#[test]
fn what_has_come_can_be_taken_although_nothing_can_be_sent() {
    let mut harness = connection();
    assert_eq!(connect_as(&mut harness, 0, [b"", b"", b"", b""], [0, 4, 0]), 0);
    comes(&mut harness, &[0x20, 2, 0, 0, 0x40, 2, 0, 1]);
    comes(&mut harness, b"\x32\x05\0\x01t\0\x07");
    comes(&mut harness, &[0x40, 2, 0, 2]);
    sent(&mut harness);
    harness.app.platform_mut().net.room = Some(4);
    assert_eq!(publish(&mut harness, b"t", b"hello", 0, 0), EIO);
    sent(&mut harness);
    harness.app.platform_mut().net.room = None;
    assert_eq!(harness.i32(EVENT, "wait", &[60_000, 64]), ETIMEDOUT, "no sign of life is due");
    assert_eq!(receive(&mut harness, 0), Ok([1, 0, 0, 0, 0]));
    assert_eq!(receive(&mut harness, 0), Ok([3, 1, 0, 0, 0]));
    assert_eq!(receive(&mut harness, 0), Ok([2, 0, 1, 1, 0]));
    assert_eq!(read(&mut harness, 9), Ok(b"t".to_vec()));
    assert_eq!(receive(&mut harness, FOREVER), Ok([3, 2, 0, 0, 0]));
    assert_eq!(publish(&mut harness, b"t", b"", 0, 0), EIO);
    assert_eq!(receive(&mut harness, FOREVER), Err(EIO), "no more comes");
    comes(&mut harness, &[0x40, 2, 0, 3]);
    assert_eq!(receive(&mut harness, 0), Err(EIO));
    assert!(sent(&mut harness).is_empty(), "a packet was sent behind a torn one");
}

#[test]
fn an_identifier_of_a_session_before_is_not_used_for_another_message() {
    let mut harness = session(0);
    assert_eq!(publish(&mut harness, b"t", b"", AT_LEAST_ONCE, 9), 9);
    assert_eq!(publish(&mut harness, b"t", b"", AT_LEAST_ONCE, 0), 10);
    assert_eq!(publish(&mut harness, b"t", b"", AT_LEAST_ONCE, 2), 2);
    assert_eq!(subscribe(&mut harness, b"t", 0), 11);
}

#[test]
fn a_stop_ends_every_wait() {
    let mut harness = session(4);
    harness.app.platform_mut().stopped = true;
    assert_eq!(harness.call(MQTT, "receive", &[0, FOREVER, RECORD]), Err(Stop::Interrupted));
    harness.app.platform_mut().net.room = Some(0);
    assert_eq!(harness.call(MQTT, "disconnect", &[0, FOREVER]), Err(Stop::Interrupted));
}
