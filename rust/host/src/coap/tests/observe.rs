// SPDX-License-Identifier: Apache-2.0
//! Observations of the app.

use super::*;

/// Observes a resource, whose first notification has the number 5.
fn observed() -> Harness {
    let mut harness = sockets();
    comes(&mut harness, &answer(69, 1, b"\x61\x05\xff20"));
    let observe = Ask { method: GET | OBSERVE, ..READ };
    assert_eq!(ask(&mut harness, observe), Ok(Message { flags: OBSERVED, observation: 1, length: 2, ..ANSWER }));
    assert_eq!(sent(&mut harness), [made([0x44, 1], 1, b"\x60\x51t")]);
    harness
}

#[test]
fn notifications_come_in_order_and_are_acknowledged() {
    let mut harness = observed();
    let expected = Message { flags: OBSERVED, observation: 1, length: 2, ..ANSWER };
    comes(&mut harness, &notification(0x44, 1, 6, b"21"));
    assert_eq!(receive(&mut harness, 0, SMALL), Ok(expected));
    assert_eq!(bytes(&harness, 0, 2), b"21");
    assert_eq!(sent(&mut harness), [b"\x60\0\x70\x01"]);
    // the same once more, an older one, and one that wraps around
    comes(&mut harness, &notification(0x44, 1, 6, b"21"));
    comes(&mut harness, &notification(0x54, 2, 5, b"20"));
    comes(&mut harness, &notification(0x54, 3, 0x80_0006, b"??"));
    assert_eq!(receive(&mut harness, 0, SMALL), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness), [b"\x60\0\x70\x01"], "what is dropped is acknowledged");
    comes(&mut harness, &notification(0x54, 4, 0x80_0005, b"22"));
    assert_eq!(receive(&mut harness, 0, SMALL), Ok(expected));
    for sequence in [0xff_ffff, 6] {
        comes(&mut harness, &notification(0x54, 5, sequence, b"23"));
        assert_eq!(receive(&mut harness, 0, SMALL), Ok(expected), "the numbers begin again");
    }
    // an older number is newer after a long time
    comes(&mut harness, &notification(0x54, 6, 5, b"24"));
    assert_eq!(receive(&mut harness, 0, SMALL), Err(ETIMEDOUT));
    harness.app.platform_mut().now_us += 129_000_000;
    comes(&mut harness, &notification(0x54, 7, 5, b"25"));
    assert_eq!(receive(&mut harness, 0, SMALL), Ok(expected));
    assert!(sent(&mut harness).is_empty());
}

#[test]
fn an_observation_ends_by_either_side() {
    let mut harness = observed();
    comes(&mut harness, b"\x44\x84\x70\x01\xa5\xa5\xa5\xa5\xffgone");
    let gone = Message { code: 132, observation: 1, length: 4, ..ANSWER };
    assert_eq!(receive(&mut harness, 0, SMALL), Ok(gone));
    sent(&mut harness);
    comes(&mut harness, &notification(0x44, 2, 6, b"21"));
    assert_eq!(receive(&mut harness, 0, SMALL), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness), [b"\x70\0\x70\x02"], "nothing is observed any more");
    let mut harness = observed();
    assert_eq!(harness.i32(COAP, "cancel", &[0, 2]), ENOENT);
    assert_eq!(harness.i32(COAP, "cancel", &[1, 1]), ENOENT, "another socket");
    assert_eq!(harness.i32(COAP, "cancel", &[0, u32::MAX]), ENOENT);
    assert_eq!(harness.i32(COAP, "cancel", &[0, 1]), 0);
    comes(&mut harness, &notification(0x54, 1, 6, b"21"));
    assert_eq!(receive(&mut harness, 0, SMALL), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness), [b"\x70\0\x70\x01"], "also to one that needs no acknowledgement");
    // four at most, and each of its own number
    for number in 1..=5u8 {
        let mut first = answer(69, number + 1, b"\x61\x05");
        // no two observations have the same token
        first[7] = 0xa4 + number;
        comes(&mut harness, &first);
        let found = ask(&mut harness, Ask { method: GET | OBSERVE, ..READ });
        assert_eq!(found.map(|found| found.observation), if number < 5 { Ok(number.into()) } else { Err(ENOMEM) });
    }
    assert_eq!(harness.i32(NET, "close", &[0]), 0);
    assert!(harness.app.platform().coap.observations.iter().all(Option::is_none));
}

#[test]
fn a_notification_waits_while_a_request_does() {
    let mut harness = observed();
    comes(&mut harness, &notification(0x44, 1, 6, b"21"));
    let other = Ask { target: b"u", ..READ };
    assert_eq!(ask(&mut harness, other), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness).len(), 1, "it is not acknowledged, so that it comes again");
}

#[test]
fn the_rest_of_a_notification_is_compared_with_its_beginning() {
    let mut harness = observed();
    let long = body(32);
    let first = [&b"\x54\x45\x70\x01\xa5\xa5\xa5\xa5\x41E\x21\x06\xd1\x04\x09\xff"[..], &long].concat();
    comes(&mut harness, &first);
    let found = receive(&mut harness, 0, SMALL);
    assert_eq!(found, Ok(Message { flags: OBSERVED | MORE, observation: 1, length: 32, ..ANSWER }));
    assert_eq!(bytes(&harness, 0, 32), long);
    comes(&mut harness, &answer(69, 2, b"\x41F\xd1\x06\x11\xffend"));
    assert_eq!(ask(&mut harness, Ask { offset: 32, ..READ }), Err(EIO));
    comes(&mut harness, &first);
    harness.app.platform_mut().now_us += 129_000_000;
    assert_eq!(receive(&mut harness, 0, SMALL).map(|found| found.length), Ok(32));
    let mut end = answer(69, 3, b"\x41E\xd1\x06\x11\xffend");
    end[7] = 0xa6;
    comes(&mut harness, &end);
    let rest = ask(&mut harness, Ask { offset: 32, ..READ });
    assert_eq!(rest, Ok(Message { offset: 32, length: 3, ..ANSWER }));
}

#[test]
fn a_notification_without_a_rest_is_not_compared_with_another_body() {
    let mut harness = observed();
    let part = Ask { target: b"u", buffer: SMALL, ..READ };
    comes(&mut harness, &answer(69, 2, &[&b"\x41F\xd1\x06\x09\xff"[..], &body(32)].concat()));
    assert_eq!(ask(&mut harness, part), Ok(Message { flags: MORE, length: 32, ..ANSWER }));
    comes(&mut harness, &notification(0x54, 1, 6, b"21"));
    assert_eq!(receive(&mut harness, 0, SMALL).map(|found| found.length), Ok(2));
    let mut end = answer(69, 3, b"\x41F\xd1\x06\x11\xffend");
    end[7] = 0xa6;
    comes(&mut harness, &end);
    assert_eq!(ask(&mut harness, Ask { offset: 32, ..part }), Ok(Message { offset: 32, length: 3, ..ANSWER }));
}

#[test]
fn a_notification_with_a_rest_is_not_compared_with_another_body() {
    let mut harness = observed();
    let part = Ask { target: b"u", buffer: SMALL, ..READ };
    comes(&mut harness, &answer(69, 2, &[&b"\x41F\xd1\x06\x09\xff"[..], &body(32)].concat()));
    assert_eq!(ask(&mut harness, part), Ok(Message { flags: MORE, length: 32, ..ANSWER }));
    let first = [&b"\x54\x45\x70\x01\xa5\xa5\xa5\xa5\x41E\x21\x06\xd1\x04\x09\xff"[..], &body(32)].concat();
    comes(&mut harness, &first);
    assert_eq!(receive(&mut harness, 0, SMALL).map(|found| found.flags), Ok(OBSERVED | MORE));
    for (number, target, etag, expected) in [
        (3, b"u", b'F', Ok(Message { offset: 32, length: 3, ..ANSWER })),
        (4, b"t", b'F', Err(EIO)),
        (5, b"t", b'E', Ok(Message { offset: 32, length: 3, ..ANSWER })),
    ] {
        let mut end = answer(69, number, &[b'A', etag, 0xd1, 6, 0x11, 0xff, b'e', b'n', b'd']);
        // no request has the token of the observation
        end[7] = 0xa6;
        comes(&mut harness, &end);
        assert_eq!(ask(&mut harness, Ask { target, offset: 32, ..READ }), expected, "{number}");
    }
}

#[test]
fn an_observation_ends_with_a_notification_that_cannot_be_understood() {
    for kind in [0x44, 0x54] {
        let mut harness = observed();
        // the option 9 must be understood
        comes(&mut harness, &[&[kind][..], b"\x45\x70\x01\xa5\xa5\xa5\xa5\x61\x06\x31?\xff21"].concat());
        assert_eq!(receive(&mut harness, 0, SMALL), Ok(Message { observation: 1, ..ANSWER }));
        assert_eq!(sent(&mut harness), [b"\x70\0\x70\x01"]);
        comes(&mut harness, &notification(0x44, 2, 7, b"22"));
        assert_eq!(receive(&mut harness, 0, SMALL), Err(ETIMEDOUT));
    }
}

#[test]
fn an_answer_does_not_say_that_an_observation_goes_on_that_was_called_off() {
    let mut harness = sockets();
    comes(&mut harness, &answer(69, 1, &[&b"\x61\x05\xd1\x04\x09\xff"[..], &body(32)].concat()));
    let observe = Ask { method: GET | OBSERVE, buffer: 128, ..READ };
    assert_eq!(ask(&mut harness, observe), Err(ETIMEDOUT), "the second block is missing");
    assert_eq!(harness.i32(COAP, "cancel", &[0, 1]), 0);
    comes(&mut harness, &answer(69, 2, b"\xd1\x0a\x11\xffend"));
    assert_eq!(ask(&mut harness, observe), Ok(Message { length: 35, ..ANSWER }));
}

#[test]
fn a_request_that_fails_or_is_called_off_leaves_no_observation() {
    let first = answer(69, 1, &[&b"\x61\x05\xd1\x04\x09\xff"[..], &body(32)].concat());
    let observe = Ask { method: GET | OBSERVE, buffer: 128, ..READ };
    let count = |harness: &Harness| harness.app.platform().coap.observations.iter().flatten().count();
    // 2:2/0/32 in place of 2:1
    let mut harness = sockets();
    comes(&mut harness, &first);
    comes(&mut harness, &answer(69, 2, b"\xd1\x0a\x21\xffend"));
    assert_eq!(ask(&mut harness, observe), Err(EIO));
    assert_eq!(count(&harness), 0);
    let mut harness = sockets();
    comes(&mut harness, &first);
    assert_eq!(ask(&mut harness, observe), Err(ETIMEDOUT));
    assert_eq!(count(&harness), 1, "the request goes on");
    assert_eq!(harness.i32(COAP, "cancel", &[0, 0]), 0);
    assert_eq!(count(&harness), 0);
}

#[test]
fn an_acknowledgement_or_a_reset_is_no_notification() {
    for kind in [0x64, 0x74] {
        let mut harness = observed();
        comes(&mut harness, &notification(kind, 1, 6, b"21"));
        // an answer without a number would be the last notification
        comes(&mut harness, &[&[kind][..], b"\x84\x70\x02\xa5\xa5\xa5\xa5\xffgone"].concat());
        assert_eq!(receive(&mut harness, 0, SMALL), Err(ETIMEDOUT));
        assert!(sent(&mut harness).is_empty(), "neither is answered");
        comes(&mut harness, &notification(0x44, 3, 6, b"21"));
        let expected = Message { flags: OBSERVED, observation: 1, length: 2, ..ANSWER };
        assert_eq!(receive(&mut harness, 0, SMALL), Ok(expected), "the observation goes on");
    }
}
