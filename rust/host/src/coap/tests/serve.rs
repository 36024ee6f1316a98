// SPDX-License-Identifier: Apache-2.0
//! Resources of the app.

use super::*;

#[test]
fn a_request_comes_with_its_target_and_its_answer_goes_back() {
    let mut harness = sockets();
    comes_from(&mut harness, 7, b"\x42\x03\x12\x34zz\x36server\x85state\x04lamp\x11\x32\x33a=1\x01b\x21\x3c\xff{on}");
    let found = receive(&mut harness, 1, SMALL);
    let expected = Message { code: PUT, format: 50, accept: 60, target_length: 16, length: 4, ..REQUEST };
    assert_eq!(found, Ok(expected));
    assert_eq!(bytes(&harness, 0, 20), b"state/lamp?a=1&b{on}");
    assert_eq!(respond(&mut harness, 68, NO_FORMAT, b"", SMALL), 0);
    assert_eq!(harness.app.platform().net.sent, [(b"\x62\x44\x12\x34zz".to_vec(), Some(peer(7)))]);
    assert_eq!(respond(&mut harness, 68, NO_FORMAT, b"", SMALL), PERM, "it was answered");
    sent(&mut harness);
    // one that is not confirmable, with an identifier of the host, which is one behind the random number
    comes(&mut harness, b"\x50\x01\x12\x35");
    assert_eq!(receive(&mut harness, 1, SMALL), Ok(REQUEST));
    assert_eq!(respond(&mut harness, 69, 0, b"21.5", SMALL), 0);
    assert_eq!(sent(&mut harness), [b"\x50\x45\xa5\xa6\xc0\xff21.5"]);
    // over a connected socket, the answer goes to its peer
    comes(&mut harness, b"\x40\x01\x12\x36");
    assert_eq!(receive(&mut harness, 0, SMALL), Ok(REQUEST));
    assert_eq!(harness.i32(COAP, "respond", &[0, 132, NO_FORMAT, 0, 0, BUFFER, SMALL, 0]), 0);
    assert_eq!(harness.app.platform().net.sent, [(b"\x60\x84\x12\x36".to_vec(), None)]);
}

#[test]
fn a_body_is_sent_in_the_blocks_that_are_asked_for() {
    let mut harness = sockets();
    let whole = body(150);
    let mut parts = Vec::new();
    // without a block, of 64 bytes, of 32 bytes behind those; and what is beyond the end
    for (id, rest) in [(1, &b""[..]), (2, b"\xd1\x0a\x12"), (3, b"\xd1\x0a\x41"), (4, b"\xd1\x0a\x22")] {
        comes(&mut harness, &[&[0x40, 1, 0, id], rest].concat());
        assert_eq!(receive(&mut harness, 1, 150), Ok(REQUEST));
        assert_eq!(respond(&mut harness, 69, 42, &whole, 150), 0);
        parts.push(sent(&mut harness).remove(0));
    }
    let etag = parts[0][5..9].to_vec();
    for (part, (id, block, range)) in
        parts.iter().zip([(1, 0x0a, 0..64), (2, 0x1a, 64..128), (3, 0x41, 128..150), (4, 0x22, 128..150)])
    {
        let head = [&[0x60, 69, 0, id, 0x44][..], &etag, &[0x81, 42, 0xb1, block, 0xff]].concat();
        assert_eq!(*part, [&head, &whole[range]].concat());
    }
    for (block, code) in [(0x32, 128), (0xf2, 128)] {
        comes(&mut harness, &[0x40, 1, 1, block, 0xd1, 10, block]);
        assert_eq!(receive(&mut harness, 1, 150), Ok(REQUEST));
        assert_eq!(respond(&mut harness, 69, 42, &whole, 150), 0);
        assert_eq!(sent(&mut harness), [[0x60, code, 1, block]]);
    }
    // a body of another content has another ETag, and one that fits has none
    comes(&mut harness, b"\x40\x01\x02\x01");
    assert_eq!(receive(&mut harness, 1, 150), Ok(REQUEST));
    assert_eq!(respond(&mut harness, 69, 42, &whole[1..], 150), 0);
    assert_ne!(sent(&mut harness)[0][5..9], etag);
    comes(&mut harness, b"\x40\x01\x02\x02\xd1\x0a\x02");
    assert_eq!(receive(&mut harness, 1, 150), Ok(REQUEST));
    assert_eq!(respond(&mut harness, 69, NO_FORMAT, &whole[..64], 150), 0);
    assert_eq!(sent(&mut harness)[0][..8], *b"\x60\x45\x02\x02\xd1\x0a\x02\xff");
}

#[test]
fn blocks_of_a_request_come_one_by_one_and_are_acknowledged_by_the_app() {
    let mut harness = sockets();
    comes(&mut harness, b"\x40\x02\0\x01\xb1f\xd1\x03\x08\xff0123456789abcdef");
    let found = receive(&mut harness, 1, SMALL);
    assert_eq!(found, Ok(Message { code: POST, flags: MORE, target_length: 1, length: 16, ..REQUEST }));
    assert_eq!(respond(&mut harness, 95, NO_FORMAT, b"", SMALL), 0);
    assert_eq!(sent(&mut harness), [b"\x60\x5f\0\x01\xd1\x0e\x08"]);
    comes(&mut harness, b"\x40\x02\0\x02\xb1f\xd1\x03\x10\xffend");
    let found = receive(&mut harness, 1, SMALL);
    assert_eq!(found, Ok(Message { code: POST, offset: 16, target_length: 1, length: 3, ..REQUEST }));
    assert_eq!(respond(&mut harness, 68, NO_FORMAT, b"", SMALL), 0);
    assert_eq!(sent(&mut harness), [b"\x60\x44\0\x02\xd1\x0e\x10"]);
    // the last one once more, from the same peer, from another one, and much later
    for (last, later, flags) in [(9, 0, REPEATED), (8, 0, 0), (9, 247_000_000, REPEATED), (9, 1_000_000, 0)] {
        harness.app.platform_mut().now_us += later;
        comes_from(&mut harness, last, b"\x40\x02\0\x02\xb1f\xd1\x03\x10\xffend");
        assert_eq!(receive(&mut harness, 1, SMALL).map(|found| found.flags), Ok(flags), "{last} {later}");
    }
}

#[test]
fn requests_that_the_app_cannot_have_are_answered_for_it() {
    let mut harness = sockets();
    for (request, expected) in [
        // an option that must be understood, a block of a reserved size
        (&b"\x42\x01\0\x01zz\x91?"[..], &b"\x62\x82\0\x01zz"[..]),
        (b"\x42\x01\0\x02zz\xd1\x0a\x07", b"\x62\x82\0\x02zz"),
        // a format for the answer of three bytes, and two of them; a port of three bytes, and two; a host without a name
        (b"\x42\x01\0\x0bzz\xd3\x04\0\0\x3c", b"\x62\x82\0\x0bzz"),
        (b"\x42\x01\0\x0czz\xd1\x04\x3c\x01\x3c", b"\x62\x82\0\x0czz"),
        (b"\x42\x01\0\x0dzz\x73\0\x16\x33", b"\x62\x82\0\x0dzz"),
        (b"\x42\x01\0\x0ezz\x71\x50\x01\x50", b"\x62\x82\0\x0ezz"),
        (b"\x42\x01\0\x0fzz\x30", b"\x62\x82\0\x0fzz"),
        // the same block twice
        (b"\x42\x01\0\x10zz\xd1\x0a\x02\x01\x02", b"\x62\x82\0\x10zz"),
        // a proxy is asked
        (b"\x40\x01\0\x03\xd1\x1a\x40", b"\x60\xa5\0\x03"),
        // parts that contain what separates parts
        (b"\x40\x01\0\x04\xb3a/b", b"\x60\x84\0\x04"),
        (b"\x40\x01\0\x05\xb3a?b", b"\x60\x84\0\x05"),
        (b"\x40\x01\0\x06\xd3\x02a&b", b"\x60\x84\0\x06"),
        // a sign of life, an answer to nothing, what is no message
        (b"\x40\0\0\x07", b"\x70\0\0\x07"),
        (b"\x40\x45\0\x08", b"\x70\0\0\x08"),
        (b"\x40\x01\0\x09\xff", b"\x70\0\0\x09"),
    ] {
        comes(&mut harness, request);
        assert_eq!(receive(&mut harness, 1, SMALL), Err(ETIMEDOUT));
        assert_eq!(sent(&mut harness), [expected], "{request:x?}");
    }
    // one that is too long for the buffer: blocks of 32 bytes have room
    comes(&mut harness, &[&b"\x41\x03\0\x0az\xb1f\xff"[..], &body(200)].concat());
    assert_eq!(receive(&mut harness, 1, SMALL), Err(ETIMEDOUT));
    assert_eq!(sent(&mut harness), [b"\x61\x8d\0\x0az\xd1\x0e\x01"]);
    // what needs no answer gets none
    for request in [&b"\x50\x01\0\x01\x91?"[..], b"\x60\x01\0\x02", b"\x70\x01\0\x03", b"\x50\0\0\x04", b"\x10"] {
        comes(&mut harness, request);
        assert_eq!(receive(&mut harness, 1, SMALL), Err(ETIMEDOUT));
        assert!(sent(&mut harness).is_empty(), "{request:x?}");
    }
}

#[test]
fn an_option_that_need_not_be_understood_is_ignored_if_it_is_too_long_or_comes_again() {
    let mut harness = sockets();
    comes(&mut harness, b"\x40\x03\0\x01\xc3\0\0\x32\xffx");
    assert_eq!(receive(&mut harness, 1, SMALL), Ok(Message { code: PUT, length: 1, ..REQUEST }));
    comes(&mut harness, b"\x40\x03\0\x02\xc1\x32\x01\x3c\xffx");
    assert_eq!(receive(&mut harness, 1, SMALL), Ok(Message { code: PUT, format: 50, length: 1, ..REQUEST }));
}

#[test]
fn calls_of_a_server_check_their_arguments() {
    let mut harness = sockets();
    assert_eq!(receive(&mut harness, 1, 79), Err(EMSGSIZE));
    assert_eq!(receive(&mut harness, 2, SMALL), Err(EBADF));
    assert_eq!(respond(&mut harness, 69, 0, b"", SMALL), PERM, "nothing was asked");
    comes(&mut harness, b"\x40\x01\0\x01");
    assert_eq!(receive(&mut harness, 1, SMALL), Ok(REQUEST));
    for (code, format, buffer, error) in
        [(63, 0, SMALL, EINVAL), (192, 0, SMALL, EINVAL), (69, 65_536, SMALL, EINVAL), (69, 0, 79, EMSGSIZE)]
    {
        assert_eq!(respond(&mut harness, code, format, b"x", buffer), error);
    }
    harness.app.platform_mut().net.room = Some(0);
    assert_eq!(respond(&mut harness, 69, 0, b"x", SMALL), ETIMEDOUT);
    harness.app.platform_mut().net.room = None;
    harness.app.platform_mut().net.endpoints.clear();
    assert_eq!(respond(&mut harness, 69, 0, b"x", SMALL), EACCES, "who asked may not be reached any more");
    assert_eq!(harness.app.platform().denied.len(), 1);
    assert_eq!(harness.i32(NET, "close", &[1]), 0);
    assert_eq!(respond(&mut harness, 69, 0, b"x", SMALL), EBADF);
    assert!(harness.app.platform().coap.served.is_none());
    harness.app.platform_mut().net.sockets[0].as_mut().unwrap().stage = Stage::Open;
    assert_eq!(receive(&mut harness, 0, SMALL), Err(PERM));
}
