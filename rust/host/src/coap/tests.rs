// SPDX-License-Identifier: Apache-2.0
//! Requests and resources over a socket whose other end is a list of datagrams.

mod observe;
mod request;
mod serve;

use crate::endpoint::{Peer, Protocol};
use crate::net::{Socket, Stage};
use crate::stop::Stop;
use crate::testing::{Harness, COAP, EVENT, NET};
use core::net::Ipv4Addr;
use std::vec::Vec;
use wisp_abi::coap::{GET, MORE, NO_FORMAT, OBSERVE, OBSERVED, POST, PUT, REPEATED};
use wisp_abi::event;
use wisp_abi::net::{FOREVER, READABLE};

const PERM: i32 = -1;
const ENOENT: i32 = -2;
const EIO: i32 = -5;
const ENXIO: i32 = -6;
const EBADF: i32 = -9;
const EAGAIN: i32 = -11;
const ENOMEM: i32 = -12;
const EACCES: i32 = -13;
const EFAULT: i32 = -14;
const EBUSY: i32 = -16;
const EINVAL: i32 = -22;
const ETIMEDOUT: i32 = -116;
const EMSGSIZE: i32 = -122;
const ENOTSUP: i32 = -134;

/// Addresses in linear memory, and the length of the buffer.
const TARGET: u32 = 0;
const PAYLOAD: u32 = 512;
const BUFFER: u32 = 3072;
const RECORD: u32 = 5000;
/// A buffer for blocks of 32 bytes.
const SMALL: u32 = 96;
/// A buffer that has room for every block.
const LARGE: u32 = 1200;
/// The time of the first attempt, with the random numbers of the tests.
const INTERVAL_US: u64 = 2_636_075;

/// The fields of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Message {
    code: u32,
    format: u32,
    accept: u32,
    flags: u32,
    observation: u32,
    offset: u32,
    target_length: u32,
    length: u32,
}

const ANSWER: Message = Message {
    code: 69,
    format: NO_FORMAT,
    accept: NO_FORMAT,
    flags: 0,
    observation: 0,
    offset: 0,
    target_length: 0,
    length: 0,
};

/// Returns an app whose socket 0 is connected and whose socket 1 is bound to the port 5683.
fn sockets() -> Harness {
    let mut harness = Harness::new();
    harness.memory = std::vec![0; 6000];
    let platform = harness.app.platform_mut();
    platform.net.endpoints = std::vec!["udp:192.0.2.0/24:5683", "udp-listen:192.0.2.0/24:5683"];
    let connected = Socket { protocol: Protocol::Udp, stage: Stage::Connected, local_port: 0 };
    let bound = Socket { protocol: Protocol::Udp, stage: Stage::Bound, local_port: 5683 };
    platform.net.sockets = [Some(connected), Some(bound)];
    harness
}

fn peer(last: u8) -> Peer {
    Peer { address: Ipv4Addr::new(192, 0, 2, last).to_ipv6_mapped(), port: 40_000 }
}

fn comes(harness: &mut Harness, bytes: &[u8]) {
    comes_from(harness, 9, bytes);
}

fn comes_from(harness: &mut Harness, last: u8, bytes: &[u8]) {
    let bytes: &'static [u8] = bytes.to_vec().leak();
    harness.app.platform_mut().net.waiting.push_back((bytes, peer(last)));
}

/// Takes the datagrams that were sent.
fn sent(harness: &mut Harness) -> Vec<Vec<u8>> {
    let sent = core::mem::take(&mut harness.app.platform_mut().net.sent);
    sent.into_iter().map(|(bytes, _)| bytes).collect()
}

fn record(harness: &Harness, result: i32) -> Result<Message, i32> {
    let [code, format, accept, flags, observation, offset, target_length, length] =
        [0, 4, 8, 12, 16, 20, 24, 28].map(|at| harness.u32_at(RECORD + at));
    let message = Message { code, format, accept, flags, observation, offset, target_length, length };
    if result == 0 {
        Ok(message)
    } else {
        Err(result)
    }
}

/// The arguments of a request.
#[derive(Clone, Copy)]
struct Ask<'a> {
    method: u32,
    target: &'a [u8],
    format: u32,
    payload: &'a [u8],
    offset: u32,
    buffer: u32,
    timeout: u32,
}

const READ: Ask<'_> =
    Ask { method: GET, target: b"t", format: NO_FORMAT, payload: b"", offset: 0, buffer: LARGE, timeout: 0 };

fn ask(harness: &mut Harness, ask: Ask<'_>) -> Result<Message, i32> {
    let place = |harness: &mut Harness, at: u32, bytes: &[u8]| {
        harness.memory[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
        bytes.len() as u32
    };
    let target = place(harness, TARGET, ask.target);
    let payload = place(harness, PAYLOAD, ask.payload);
    let slots = [
        0,
        ask.method,
        TARGET,
        target,
        ask.format,
        PAYLOAD,
        payload,
        ask.offset,
        BUFFER,
        ask.buffer,
        ask.timeout,
        RECORD,
    ];
    let result = harness.i32(COAP, "request", &slots);
    record(harness, result)
}

fn receive(harness: &mut Harness, socket: u32, buffer: u32) -> Result<Message, i32> {
    let result = harness.i32(COAP, "receive", &[socket, BUFFER, buffer, 0, RECORD]);
    record(harness, result)
}

fn respond(harness: &mut Harness, code: u32, format: u32, body: &[u8], buffer: u32) -> i32 {
    harness.memory[PAYLOAD as usize..PAYLOAD as usize + body.len()].copy_from_slice(body);
    harness.i32(COAP, "respond", &[1, code, format, PAYLOAD, body.len() as u32, BUFFER, buffer, 0])
}

fn bytes(harness: &Harness, from: u32, count: u32) -> &[u8] {
    &harness.memory[(BUFFER + from) as usize..(BUFFER + from + count) as usize]
}

/// Makes a message: its first two bytes, identifier and token of the n-th datagram of an app, and the rest.
fn made(first: [u8; 2], number: u8, rest: &[u8]) -> Vec<u8> {
    let id = [0xa5, 0xa5 + number];
    [&first[..], &id, &[0xa5, 0xa5, 0xa5, 0xa4 + number], rest].concat()
}

/// Makes the answer to the n-th datagram.
fn answer(code: u8, number: u8, rest: &[u8]) -> Vec<u8> {
    made([0x64, code], number, rest)
}

/// Returns so many bytes that differ.
fn body(length: u32) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// The first token of a request is the same for each, as the random numbers of the tests are.
trait TapToken {
    fn tap_token(self) -> Self;
}

impl TapToken for Vec<u8> {
    fn tap_token(mut self) -> Self {
        self[7] = 0xa5;
        self
    }
}

/// Makes a notification: type, identifier, number, payload.
fn notification(kind: u8, id: u8, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let number = &sequence.to_be_bytes()[1..];
    [&[kind, 69, 0x70, id, 0xa5, 0xa5, 0xa5, 0xa5, 0x63][..], number, &[0xff], payload].concat()
}

const REQUEST: Message = Message { code: GET, ..ANSWER };

#[test]
fn the_state_has_the_size_that_the_documentation_says() {
    assert_eq!(size_of::<crate::platform::CoapState>(), 248);
}

#[test]
fn calls_that_wait_end_when_the_app_is_stopped() {
    let mut harness = sockets();
    harness.app.platform_mut().stopped = true;
    let slots = [0, GET, 0, 1, NO_FORMAT, 0, 0, 0, BUFFER, LARGE, FOREVER, RECORD];
    assert_eq!(harness.call(COAP, "request", &slots), Err(Stop::Interrupted));
    assert_eq!(harness.call(COAP, "receive", &[1, BUFFER, LARGE, FOREVER, RECORD]), Err(Stop::Interrupted));
    assert_eq!(harness.call(EVENT, "wait", &[FOREVER, 0]), Err(Stop::Interrupted));
}

#[test]
fn a_flood_does_not_hold_a_call_beyond_its_time() {
    let mut harness = sockets();
    for _ in 0..100 {
        comes(&mut harness, b"\x60\0\0\0");
    }
    assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT));
    assert_eq!(receive(&mut harness, 1, SMALL), Err(ETIMEDOUT));
    assert_eq!(harness.app.platform().net.waiting.len(), 100 - 64);
}

#[test]
fn random_and_changed_datagrams_do_no_harm() {
    let mut state = 0x1234_5678_9abc_def1u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below
    };
    let whole = body(64);
    let seeds = [
        answer(69, 1, &[&b"\x41E\x81\x3c\xb1\x0a\xff"[..], &whole].concat()).tap_token(),
        answer(95, 1, b"\xd1\x0e\x0a").tap_token(),
        answer(141, 1, b"\xd1\x0e\x01").tap_token(),
        notification(0x44, 1, 6, b"21"),
        b"\x42\x03\x12\x34zz\x36server\x85state\x04lamp\x11\x32\x33a=1\x01b\x21\x3c\xff{on}".to_vec(),
        b"\x40\x02\0\x01\xb1f\xd1\x03\x08\xff0123456789abcdef".to_vec(),
    ];
    let (mut taken, mut refused) = (0, 0);
    let mut harness = sockets();
    for round in 0..10_000 {
        if round % 64 == 0 {
            harness = sockets();
        }
        let mut bytes = seeds[random(seeds.len())].clone();
        for _ in 0..random(4) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        bytes.truncate(random(bytes.len() * 3) + 1);
        // the host's numbers repeat, so that answers fit now and then
        harness.app.platform_mut().coap.last_id = 0xa5a5;
        let around = harness.memory[(BUFFER + 150) as usize..RECORD as usize].to_vec();
        comes(&mut harness, &bytes);
        let payload = &whole[..random(64)];
        let methods = [GET, GET | OBSERVE, PUT];
        let found = match random(3) {
            0 => ask(&mut harness, Ask { method: methods[random(3)], payload, buffer: 150, ..READ }),
            socket => receive(&mut harness, socket as u32 - 1, 150),
        };
        let _ = harness.i32(COAP, "cancel", &[0, 0]);
        match found {
            Ok(message) => {
                assert!(message.target_length + message.length <= 150, "{bytes:x?}");
                let code = if message.code < 64 { 69 } else { 0 };
                if code != 0 {
                    respond(&mut harness, code, NO_FORMAT, payload, 150);
                }
                taken += 1;
            }
            Err(error) => {
                assert!([EIO, ENXIO, ENOMEM, ETIMEDOUT, EMSGSIZE].contains(&error), "{error} {bytes:x?}");
                refused += 1;
            }
        }
        assert!(sent(&mut harness).iter().all(|datagram| datagram.len() <= 150));
        harness.app.platform_mut().net.waiting.clear();
        assert_eq!(harness.memory[(BUFFER + 150) as usize..RECORD as usize], around, "behind the buffer");
    }
    assert!(taken > 500 && refused > 500, "{taken} {refused}");
}
