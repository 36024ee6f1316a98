// SPDX-License-Identifier: Apache-2.0
//! Requests of the app.

use super::*;

#[test]
fn a_request_is_a_datagram_with_its_target_and_formats() {
    let mut harness = sockets();
    comes(&mut harness, &answer(69, 1, b"\xc1\x32\xff{}"));
    let target = b"sensors/1?unit=C&a=b";
    assert_eq!(ask(&mut harness, Ask { target, format: 50, ..READ }), Ok(Message { format: 50, length: 2, ..ANSWER }));
    assert_eq!(bytes(&harness, 0, 2), b"{}");
    let expected = made([0x44, 1], 1, b"\xb7sensors\x011\x46unit=C\x03a=b\x21\x32");
    assert_eq!(sent(&mut harness), [expected]);
    // a payload has the format
    comes(&mut harness, &made([0x64, 68], 2, b"")[..].to_vec().tap_token());
    let put = Ask { method: PUT, target: b"", format: 0, payload: b"on", ..READ };
    assert_eq!(ask(&mut harness, put), Ok(Message { code: 68, ..ANSWER }));
    assert_eq!(sent(&mut harness), [made([0x44, 3], 2, b"\xc0\xff\x6f\x6e").tap_token()]);
}

#[test]
fn arguments_that_no_request_has_are_refused_and_nothing_is_sent() {
    let mut harness = sockets();
    let long = [b'x'; 256];
    for wrong in [
        Ask { target: b"/t", ..READ },
        Ask { target: &long, ..READ },
        Ask { method: 0, ..READ },
        Ask { method: 32, ..READ },
        Ask { method: 0x201, ..READ },
        Ask { method: PUT | OBSERVE, ..READ },
        Ask { method: GET | OBSERVE, offset: 16, ..READ },
        Ask { format: 65_536, ..READ },
        Ask { offset: 8, ..READ },
        // the block would have a number beyond 2^20
        Ask { offset: 0x100_0010, ..READ },
    ] {
        assert_eq!(ask(&mut harness, wrong), Err(EINVAL));
    }
    assert_eq!(ask(&mut harness, Ask { buffer: 79, ..READ }), Err(EMSGSIZE));
    let target = &long[..70];
    assert_eq!(ask(&mut harness, Ask { target, buffer: 80, ..READ }), Err(EMSGSIZE), "no room for the target");
    let put = Ask { method: PUT, target: &long[..60], payload: b"payload", buffer: 80, ..READ };
    assert_eq!(ask(&mut harness, put), Err(EMSGSIZE), "no room for a block");
    for (socket, error) in [(1, PERM), (2, EBADF), (9, EBADF)] {
        let slots = [socket, GET, 0, 1, NO_FORMAT, 0, 0, 0, BUFFER, LARGE, 0, RECORD];
        assert_eq!(harness.i32(COAP, "request", &slots), error);
    }
    let slots = [0, GET, BUFFER + 1, 1, NO_FORMAT, 0, 0, 0, BUFFER, LARGE, 0, RECORD];
    assert_eq!(harness.i32(COAP, "request", &slots), EINVAL, "the buffer overlaps the target");
    let slots = [0, GET, 0, 1, NO_FORMAT, 0, 0, 0, BUFFER, LARGE, 0, 5990];
    assert_eq!(harness.i32(COAP, "request", &slots), EFAULT);
    harness.app.platform_mut().no_entropy = true;
    assert_eq!(ask(&mut harness, READ), Err(ENOTSUP));
    harness.app.platform_mut().no_entropy = false;
    harness.app.platform_mut().net.budget = Some(0);
    assert_eq!(ask(&mut harness, READ), Err(EAGAIN));
    assert!(sent(&mut harness).is_empty());
    harness.app.platform_mut().net.sockets[0].as_mut().unwrap().protocol = Protocol::Tcp;
    assert_eq!(ask(&mut harness, READ), Err(PERM));
}

#[test]
fn a_lost_request_is_sent_again_after_twice_the_time_and_then_given_up() {
    let mut harness = sockets();
    assert_eq!(ask(&mut harness, Ask { timeout: FOREVER, ..READ }), Err(ENXIO));
    let sent = sent(&mut harness);
    assert_eq!(sent.len(), 5);
    assert!(sent.iter().all(|datagram| *datagram == made([0x44, 1], 1, b"\xb1t")), "{sent:x?}");
    assert_eq!(harness.app.platform().now_us, INTERVAL_US * 31);
    // RFC 7252 section 4.8.2: MAX_TRANSMIT_WAIT
    assert!((62_000_000..93_000_000).contains(&harness.app.platform().now_us));
}

#[test]
fn a_request_goes_on_in_further_calls_and_an_event_says_when_one_is_due() {
    let mut harness = sockets();
    assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT));
    assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness).len(), 1, "it is not due");
    for other in [
        Ask { target: b"u", ..READ },
        Ask { method: POST, ..READ },
        Ask { format: 0, ..READ },
        Ask { payload: b"x", ..READ },
        Ask { buffer: LARGE - 1, ..READ },
    ] {
        assert_eq!(ask(&mut harness, other), Err(EBUSY));
    }
    for attempt in 0..5u32 {
        assert_eq!(harness.event("wait", &[FOREVER, 400]), 0);
        let due = INTERVAL_US * ((2 << attempt) - 1);
        assert_eq!(harness.app.platform().now_us, due);
        assert_eq!((harness.u64_at(400), harness.u32_at(408), harness.u32_at(416)), (due, event::NET, READABLE));
        assert_eq!(harness.event("wait", &[1, 400]), ETIMEDOUT, "it is told once");
        harness.app.platform_mut().now_us = due;
        let expected = if attempt < 4 { ETIMEDOUT } else { ENXIO };
        assert_eq!(ask(&mut harness, READ), Err(expected), "{attempt}");
        assert_eq!(sent(&mut harness).len(), usize::from(attempt < 4));
    }
    assert_eq!(harness.event("wait", &[100, 400]), ETIMEDOUT, "nothing is due any more");
    // another one, which is called off
    assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT));
    assert_eq!(harness.i32(COAP, "cancel", &[1, 0]), ENOENT);
    assert_eq!(harness.i32(COAP, "cancel", &[0, 0]), 0);
    assert_eq!(harness.i32(COAP, "cancel", &[0, 0]), ENOENT);
    assert_eq!(ask(&mut harness, Ask { target: b"u", ..READ }), Err(ETIMEDOUT));
    // a socket that is closed, and an end of the app, forget it
    assert_eq!(harness.i32(NET, "close", &[0]), 0);
    assert!(harness.app.platform().coap.exchange.is_none());
    harness.app.release();
    assert_eq!(harness.app.platform().coap.last_id, 0);
}

#[test]
fn a_request_for_which_there_is_no_room_is_sent_later() {
    let mut harness = sockets();
    harness.app.platform_mut().net.room = Some(0);
    assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT));
    harness.app.platform_mut().net.sent.clear();
    harness.app.platform_mut().net.room = None;
    assert_eq!(harness.event("wait", &[FOREVER, 400]), 0);
    assert_eq!(harness.app.platform().now_us, 1_000_000);
    comes(&mut harness, &answer(69, 1, b""));
    assert_eq!(ask(&mut harness, READ), Ok(ANSWER));
}

#[test]
fn an_answer_may_come_after_an_acknowledgement_and_is_acknowledged_itself() {
    let mut harness = sockets();
    assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT));
    sent(&mut harness);
    comes(&mut harness, b"\x60\0\xa5\xa6");
    assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT));
    harness.app.platform_mut().now_us = 100_000_000;
    assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT), "it is not sent again");
    assert!(sent(&mut harness).is_empty());
    // the identifier is one of the server
    comes(&mut harness, b"\x44\x45\x77\x78\xa5\xa5\xa5\xa5\xffx");
    assert_eq!(ask(&mut harness, READ), Ok(Message { length: 1, ..ANSWER }));
    assert_eq!(sent(&mut harness), [b"\x60\0\x77\x78"]);
    // a promise that is not kept
    comes(&mut harness, b"\x60\0\xa5\xa7");
    let before = harness.app.platform().now_us;
    assert_eq!(ask(&mut harness, Ask { timeout: FOREVER, ..READ }), Err(ENXIO));
    assert_eq!(harness.app.platform().now_us, before + 247_000_000);
    assert_eq!(sent(&mut harness).len(), 1);
}

#[test]
fn only_the_answer_to_the_request_is_taken() {
    let mut harness = sockets();
    for wrong in [
        // another identifier, another token, one of another length
        &b"\x64\x45\xa5\xa7\xa5\xa5\xa5\xa5\xffx"[..],
        b"\x64\x45\xa5\xa6\xa5\xa5\xa5\xa6\xffx",
        b"\x62\x45\xa5\xa6\xa5\xa5\xffx",
        // an acknowledgement and a reset of something else
        b"\x60\0\xa5\xa5",
        b"\x70\0\xa5\xa5",
        // a request, and what is no message
        b"\x54\x01\xa5\xa6\xa5\xa5\xa5\xa5",
        b"\xff\xff\xff",
        b"",
    ] {
        comes(&mut harness, wrong);
    }
    comes(&mut harness, &answer(69, 1, b"\xffy"));
    assert_eq!(ask(&mut harness, READ), Ok(Message { length: 1, ..ANSWER }));
    assert_eq!(bytes(&harness, 0, 1), b"y");
    assert_eq!(sent(&mut harness).len(), 1);
    // what has to be answered gets a reset
    for (wrong, reset) in [
        (&b"\x40\0\x12\x34"[..], b"\x70\0\x12\x34"),
        (b"\x42\x45\x12\x35zz\xffx", b"\x70\0\x12\x35"),
        (b"\x52\x45\x12\x36zz\xffx", b"\x70\0\x12\x36"),
        (b"\x40\x01\x12\x37\xff", b"\x70\0\x12\x37"),
        (b"\x40\x3f\x12\x38", b"\x70\0\x12\x38"),
    ] {
        comes(&mut harness, wrong);
        assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT));
        assert_eq!(sent(&mut harness).last().unwrap(), reset, "{wrong:x?}");
    }
    comes(&mut harness, b"\x70\0\xa5\xa7");
    assert_eq!(ask(&mut harness, READ), Err(ENXIO), "the server has reset the request");
    comes(&mut harness, &answer(132, 3, b"\xffno such").tap_token());
    assert_eq!(ask(&mut harness, READ), Ok(Message { code: 132, length: 7, ..ANSWER }));
    comes(&mut harness, &answer(69, 4, b"\x91?").tap_token());
    assert_eq!(ask(&mut harness, READ), Err(EIO), "an option that must be understood");
}

#[test]
fn blocks_of_an_answer_are_put_together_as_far_as_the_buffer_has_room() {
    let whole = body(100);
    let first = answer(69, 1, &[&b"\x41E\x81\x3c\xb1\x0a\xff"[..], &whole[..64]].concat());
    let smaller = answer(69, 1, &[&b"\x41E\x81\x3c\xb1\x09\xff"[..], &whole[..32]].concat());
    let second = answer(69, 2, &[&b"\x41E\x81\x3c\xb1\x19\xff"[..], &whole[32..64]].concat());
    let expected = Message { format: 60, flags: MORE, length: 64, ..ANSWER };
    for (buffer, answers, wanted) in [
        (128, &[&first][..], &[&b"\xb1t\xc1\x02"[..]][..]),
        // the server may make the blocks smaller, after which there is room for one more
        (128, &[&smaller, &second], &[b"\xb1t\xc1\x02", b"\xb1t\xc1\x11"]),
        // a byte less, and smaller blocks are asked for
        (127, &[&smaller], &[b"\xb1t\xc1\x01"]),
    ] {
        let mut harness = sockets();
        answers.iter().for_each(|answer| comes(&mut harness, answer));
        let length = if answers.len() == 1 && buffer < 128 { 32 } else { 64 };
        assert_eq!(ask(&mut harness, Ask { buffer, timeout: 100, ..READ }), Ok(Message { length, ..expected }));
        assert_eq!(bytes(&harness, 0, length), &whole[..length as usize]);
        let wanted: Vec<_> = wanted.iter().zip(1..).map(|(options, id)| made([0x44, 1], id, options)).collect();
        assert_eq!(sent(&mut harness), wanted);
    }
}

#[test]
fn the_rest_of_a_body_is_taken_by_its_position() {
    let mut harness = sockets();
    let whole = body(300);
    let block = |number: usize, more: u8| {
        let end = whole.len().min(number * 64 + 64);
        [&[0x41, b'E', 0xd1, 6, (number as u8) << 4 | more | 2, 0xff][..], &whole[number * 64..end]].concat()
    };
    // 256 bytes: blocks of 64 (192 - 64 would have room for 128, so the server chooses), and room for two of them
    for (number, more) in [(0, 8), (1, 8)] {
        comes(&mut harness, &answer(69, number as u8 + 1, &block(number, more)));
    }
    let part = Ask { buffer: 250, ..READ };
    assert_eq!(ask(&mut harness, part), Ok(Message { flags: MORE, length: 128, ..ANSWER }));
    assert_eq!(bytes(&harness, 0, 128), &whole[..128]);
    let expected = [made([0x44, 1], 1, b"\xb1t\xc1\x03"), made([0x44, 1], 2, b"\xb1t\xc1\x12")];
    assert_eq!(sent(&mut harness), expected);
    // the rest, from 128 on
    for (number, id, more) in [(2, 3, 8), (3, 4, 8)] {
        let mut found = answer(69, id, &block(number, more));
        found[7] = 0xa2 + id;
        comes(&mut harness, &found);
    }
    let rest = ask(&mut harness, Ask { offset: 128, ..part });
    assert_eq!(rest, Ok(Message { flags: MORE, offset: 128, length: 128, ..ANSWER }));
    assert_eq!(bytes(&harness, 0, 128), &whole[128..256]);
    sent(&mut harness);
    let mut last = answer(69, 5, &block(4, 0));
    last[7] = 0xa5;
    comes(&mut harness, &last);
    let rest = ask(&mut harness, Ask { offset: 256, ..part });
    assert_eq!(rest, Ok(Message { offset: 256, length: 44, ..ANSWER }));
    assert_eq!(bytes(&harness, 0, 44), &whole[256..]);
    // 2:2/0/128
    assert_eq!(sent(&mut harness)[0][8..], *b"\xb1t\xc1\x23");
    // a body that has changed meanwhile
    let mut changed = answer(69, 6, &block(4, 0));
    (changed[7], changed[9]) = (0xa5, b'F');
    comes(&mut harness, &changed);
    assert_eq!(ask(&mut harness, Ask { offset: 256, ..part }), Err(EIO));
    // an error in the middle comes alone
    comes(&mut harness, &answer(69, 7, &block(0, 8)).tap_token());
    let mut gone = answer(132, 8, b"\xffgone");
    gone[7] = 0xa6;
    comes(&mut harness, &gone);
    assert_eq!(ask(&mut harness, part), Ok(Message { code: 132, length: 4, ..ANSWER }));
    assert_eq!(bytes(&harness, 0, 4), b"gone");
}

#[test]
fn blocks_that_do_not_belong_to_the_request_are_errors() {
    let whole = body(64);
    for (rest, length) in [
        // 2:1/1/64 in place of the first, one that is larger than asked for, one that is not whole, one that is too long
        (&b"\xd1\x0a\x1a\xff"[..], 64),
        (b"\xd1\x0a\x0c\xff", 64),
        (b"\xd1\x0a\x0a\xff", 63),
        (b"\xd1\x0a\x01\xff", 33),
        // a reserved size, a number that is too long
        (b"\xd1\x0a\x0f\xff", 64),
        (b"\xd4\x0a\0\0\0\x02\xff", 64),
    ] {
        let mut harness = sockets();
        comes(&mut harness, &answer(69, 1, &[rest, &whole[..length]].concat()));
        assert_eq!(ask(&mut harness, Ask { buffer: 150, ..READ }), Err(EIO), "{rest:x?}");
    }
    let mut harness = sockets();
    comes(&mut harness, &answer(69, 1, b"\xffwhole"));
    assert_eq!(ask(&mut harness, Ask { offset: 16, ..READ }), Err(EIO), "the server has no blocks");
    let mut harness = sockets();
    comes(&mut harness, &answer(69, 1, &[&b"\xff"[..], &body(80)].concat()));
    assert_eq!(ask(&mut harness, Ask { buffer: 80, ..READ }), Err(EMSGSIZE), "the server ignores the size");
    comes(&mut harness, &answer(95, 2, b"").tap_token());
    assert_eq!(ask(&mut harness, READ), Err(EIO), "there is nothing to go on with");
}

#[test]
fn a_payload_goes_in_blocks_of_the_size_that_the_server_takes() {
    let mut harness = sockets();
    let whole = body(150);
    let put = Ask { method: PUT, format: 42, payload: &whole, buffer: 150, timeout: 1000, ..READ };
    // 1:0/1/64, which the server makes 32; then 1:2/1/32 to 1:4/0/32
    comes(&mut harness, &answer(95, 1, b"\xd1\x0e\x09"));
    for (number, block) in [(2, 0x29), (3, 0x39)] {
        comes(&mut harness, &answer(95, number, &[0xd1, 14, block]));
    }
    comes(&mut harness, &answer(68, 4, b"\xd1\x0e\x41"));
    assert_eq!(ask(&mut harness, put), Ok(Message { code: 68, ..ANSWER }));
    let mut expected = Vec::new();
    for (number, block, range) in [(1, 0x0a, 0..64), (2, 0x29, 64..96), (3, 0x39, 96..128), (4, 0x41, 128..150)] {
        let options = [0xb1, b't', 0x11, 42, 0xb1, 2, 0x41, block, 0xff];
        expected.push(made([0x44, 3], number, &[&options[..], &whole[range]].concat()));
    }
    assert_eq!(sent(&mut harness), expected);
}

#[test]
fn a_server_without_room_gets_smaller_blocks_or_none() {
    let mut harness = sockets();
    let whole = body(100);
    let put = Ask { method: PUT, payload: &whole, ..READ };
    comes(&mut harness, &answer(141, 1, b"\xd1\x0e\x02"));
    comes(&mut harness, &answer(95, 2, b"\xd1\x0e\x0a"));
    comes(&mut harness, &answer(68, 3, b"\xd1\x0e\x12"));
    assert_eq!(ask(&mut harness, put), Ok(Message { code: 68, ..ANSWER }));
    let lengths: Vec<_> = sent(&mut harness).iter().map(Vec::len).collect();
    assert_eq!(lengths, [8 + 2 + 1 + 100, 8 + 2 + 3 + 1 + 64, 8 + 2 + 3 + 1 + 36]);
    comes(&mut harness, &answer(141, 4, b"").tap_token());
    assert_eq!(ask(&mut harness, put), Ok(Message { code: 141, ..ANSWER }));
    // a size that is none smaller is no reason to try again
    comes(&mut harness, &answer(141, 5, b"\xd1\x0e\x06").tap_token());
    assert_eq!(ask(&mut harness, put), Ok(Message { code: 141, ..ANSWER }));
    // the acknowledgement of another block
    let put = Ask { buffer: 150, ..put };
    comes(&mut harness, &answer(95, 6, b"\xd1\x0e\x1a").tap_token());
    assert_eq!(ask(&mut harness, put), Err(EIO));
}

#[test]
fn blocks_are_smaller_over_dtls_and_may_be_large_without() {
    for (protocol, exponent) in [(Protocol::Udp, 6), (Protocol::Dtls, 5)] {
        let mut harness = sockets();
        harness.app.platform_mut().net.sockets[0].as_mut().unwrap().protocol = protocol;
        let whole = body(2000);
        assert_eq!(ask(&mut harness, Ask { method: PUT, payload: &whole, ..READ }), Err(ETIMEDOUT));
        let datagram = &sent(&mut harness)[0];
        assert!(datagram.ends_with(&whole[..16 << exponent]), "{protocol:?}");
    }
}

#[test]
fn a_server_that_repeats_its_promise_does_not_hold_a_request_for_ever() {
    let mut harness = sockets();
    for seconds in [0, 200, 46] {
        harness.app.platform_mut().now_us += seconds * 1_000_000;
        comes(&mut harness, b"\x60\0\xa5\xa6");
        assert_eq!(ask(&mut harness, READ), Err(ETIMEDOUT), "{seconds}");
    }
    harness.app.platform_mut().now_us += 1_000_000;
    comes(&mut harness, b"\x60\0\xa5\xa6");
    assert_eq!(ask(&mut harness, READ), Err(ENXIO));
    assert_eq!(sent(&mut harness).len(), 1);
}

#[test]
fn an_answer_that_cannot_be_understood_is_refused_by_a_reset() {
    // the option 9 must be understood; an acknowledgement of it would say that it was
    for (kind, expected) in [(0x44, Some(b"\x70\0\x70\x01")), (0x54, None), (0x64, None)] {
        let mut harness = sockets();
        let id = if kind == 0x64 { [0xa5, 0xa6] } else { [0x70, 1] };
        comes(&mut harness, &[&[kind, 69][..], &id, b"\xa5\xa5\xa5\xa5\x91?\xff21"].concat());
        assert_eq!(ask(&mut harness, READ), Err(EIO));
        let sent = sent(&mut harness);
        assert_eq!(sent.get(1).map(Vec::as_slice), expected.map(|bytes| &bytes[..]), "{kind:x}");
    }
}
