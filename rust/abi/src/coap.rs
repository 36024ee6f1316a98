// SPDX-License-Identifier: Apache-2.0
//! `wisp:coap@1`: a client of CoAP servers, and resources of the app.

use crate::{constant, field, net, param, ErrorSpace, Form, Function, Grant, Interface, Kind, Param, Record, Returns};

/// Reads a resource.
pub const GET: u32 = 1;
/// Hands something to a resource.
pub const POST: u32 = 2;
/// Writes a resource.
pub const PUT: u32 = 3;
/// Removes a resource.
pub const DELETE: u32 = 4;
/// Largest number of a method.
pub const MAX_METHOD: u32 = 31;
/// Bit of a method: notifications are asked for.
pub const OBSERVE: u32 = 0x100;
/// 2.01.
pub const CREATED: u32 = 65;
/// 2.02.
pub const DELETED: u32 = 66;
/// 2.04.
pub const CHANGED: u32 = 68;
/// 2.05.
pub const CONTENT: u32 = 69;
/// 2.31.
pub const CONTINUE: u32 = 95;
/// 4.00.
pub const BAD_REQUEST: u32 = 128;
/// 4.04.
pub const NOT_FOUND: u32 = 132;
/// 4.05.
pub const NOT_ALLOWED: u32 = 133;
/// 4.13.
pub const TOO_LARGE: u32 = 141;
/// The body goes on behind the payload.
pub const MORE: u32 = 1;
/// The observation goes on.
pub const OBSERVED: u32 = 2;
/// The request has come before.
pub const REPEATED: u32 = 4;
/// No format is given.
pub const NO_FORMAT: u32 = u32::MAX;
/// Largest number of observations of an app.
pub const MAX_OBSERVATIONS: u32 = 4;
/// Bytes that a buffer has room for beside a block.
pub const ROOM: u32 = 64;

/// The record that `request` and `receive` write.
pub const MESSAGE: Record = Record {
    name: "message",
    doc: "An answer, a notification or a request. Its bytes are at the beginning of the buffer: those of the target, and then \
          those of the payload.",
    fields: &[
        field("code", 4, "the code of an answer, which is 64 or more, or the method of a request"),
        field("format", 4, "the number of the payload's format, or `NO_FORMAT`"),
        field("accept", 4, "with a request, the number of the format that the answer should have, or `NO_FORMAT`"),
        field("flags", 4, "`MORE`, `OBSERVED`, `REPEATED`"),
        field("observation", 4, "with an answer or a notification, the number of the observation, or 0"),
        field("offset", 4, "position of the payload in the body, in bytes"),
        field("target_length", 4, "bytes of a request's target, otherwise 0"),
        field("length", 4, "bytes of the payload"),
    ],
};

const TIMEOUT: Param =
    param("timeout", Kind::U32, "milliseconds to wait at most; 0 does not wait, `FOREVER` has no limit");
const NOT_OPEN: (&str, &str) = ("EBADF", "the socket is not open");
const QUOTA: (&str, &str) = ("EAGAIN", "the app has sent and received as much as it may within an hour");
const BROKEN: (&str, &str) = ("EIO", "the network failed, or a session of DTLS has ended");
const NONE: (&str, &str) = ("ENODEV", "the host does not have the interface");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:coap@1",
    ident: "coap",
    host_trait: "CoapV1",
    doc: "CoAP (RFC 7252) over sockets for datagrams that the app has opened with `wisp:net@1`. So the entries of `net-endpoints` \
          decide which servers the app reaches, by which credential, and who may ask it. `request` asks a server, and sends again \
          what was lost. `receive` takes the notifications of observed resources (RFC 7641), and the requests of others, which `respond` \
          answers. Bodies that are longer than a datagram go in blocks (RFC 7959).\n\nThe host keeps no message. The buffer of a \
          call holds what is sent and received, so its length decides how long a block is. A buffer of 64 bytes and a block \
          (16, 32, 64, and so on up to 1,024 bytes, or 512 with DTLS) is enough.\n\nA target is the path and the query as text, \
          such as `sensors/1?unit=C`. Its parts are bytes without an encoding: a `%` is a `%`.\n\nReadiness of the socket becomes \
          events by `watch` of `wisp:net@1`. A call that waits ends when the app is stopped.",
    grant: Some(Grant {
        property: "net-endpoints",
        beside: "net-sockets",
        form: Form::Endpoints,
        what: "requests to CoAP servers, observations, and resources of the app over the sockets of `wisp:net@1` \
               ([network.md](network.md#coap))",
    }),
    errors: ErrorSpace::Wisp,
    constants: &[
        constant("GET", GET, "Reads a resource."),
        constant("POST", POST, "Hands something to a resource."),
        constant("PUT", PUT, "Writes a resource."),
        constant("DELETE", DELETE, "Removes a resource."),
        constant("OBSERVE", OBSERVE, "Added to `GET`: the server is asked for notifications."),
        constant("CREATED", CREATED, "2.01: the resource is there now."),
        constant("DELETED", DELETED, "2.02: the resource is no longer there."),
        constant("CHANGED", CHANGED, "2.04: the resource was written."),
        constant("CONTENT", CONTENT, "2.05: the resource."),
        constant("CONTINUE", CONTINUE, "2.31: the next block is expected."),
        constant("BAD_REQUEST", BAD_REQUEST, "4.00: the request was not understood."),
        constant("NOT_FOUND", NOT_FOUND, "4.04: there is no such resource."),
        constant("NOT_ALLOWED", NOT_ALLOWED, "4.05: the resource does not have the method."),
        constant("TOO_LARGE", TOO_LARGE, "4.13: the body is too long."),
        constant("MORE", MORE, "The body goes on behind the payload."),
        constant("OBSERVED", OBSERVED, "The server sends notifications. One without this flag is the last one."),
        constant("REPEATED", REPEATED, "The request has come before. Its answer may have been lost."),
        constant("NO_FORMAT", NO_FORMAT, "No format is given."),
        constant("MAX_OBSERVATIONS", MAX_OBSERVATIONS, "Largest number of observations of an app."),
        constant("ROOM", ROOM, "Bytes that a buffer has room for beside a block."),
        constant("FOREVER", net::FOREVER, "Wait without limit."),
    ],
    records: &[MESSAGE],
    functions: FUNCTIONS,
};

const FUNCTIONS: &[Function] = &[
    Function {
        name: "request",
        doc: "Asks a server, and takes its answer. A payload that is longer than a block goes in blocks. The blocks of the answer's \
              body are put together in the buffer as long as it has room for one more. If the body goes on, the flag \
              `MORE` says it, and a request with the position behind the payload as its `offset` takes the rest.\n\nA request without an answer is sent up to \
              five times within 62 to 93 seconds. If the timeout is shorter, the request goes on: call again with the same arguments, \
              also to have it sent again. A wait for an event of `wisp:event@1` delivers an event of the socket when that is due. \
              An app has one request at a time. Notifications and requests that come meanwhile are not taken: observe \
              and serve with other sockets.",
        params: &[
            param("socket", Kind::U32, "a connected socket of `wisp:net@1` with the protocol `UDP` or `DTLS`"),
            param("method", Kind::U32, "`GET`, `POST`, `PUT`, `DELETE` or another method of CoAP up to 31, with `OBSERVE` if wanted"),
            param("target", Kind::Bytes, "path and query, without a slash in front"),
            param("format", Kind::U32, "the number of the payload's format, and without a payload that of the wanted answer, or `NO_FORMAT`"),
            param("payload", Kind::Bytes, "the body of the request, or empty"),
            param("offset", Kind::U32, "position in the answer's body from which on it is wanted, a multiple of 16"),
            param("buffer", Kind::Buffer, "room for datagrams, and for the answer's payload"),
            TIMEOUT,
            param("message", Kind::OutRecord(MESSAGE.size()), "a `message`"),
        ],
        returns: Returns::Nothing,
        errors: &[
            NOT_OPEN,
            ("EPERM", "the socket is not connected, or is one of TCP"),
            ("EBUSY", "another request of the app has not ended"),
            (
                "EINVAL",
                "the target begins with a slash, has a part of more than 255 bytes or overlaps the buffer, or a number is out of range",
            ),
            ("EMSGSIZE", "the buffer is too short for the request with a block, or for the answer"),
            ("ENOMEM", "the app has as many observations as it can have"),
            ("ENOTSUP", "the device has no source of random numbers"),
            ("ENXIO", "the server did not answer, or refused the request by a reset"),
            (
                "EIO",
                "the network failed, the body changed while it was taken, or the server sent blocks that do not belong to the request",
            ),
            QUOTA,
            NONE,
            ("ETIMEDOUT", "there was no answer in time, and the request goes on"),
        ],
    },
    Function {
        name: "receive",
        doc: "Takes the next notification or request. A payload is one block of the body. With `MORE`, `request` with `GET` and \
              an `offset` takes the rest of a notification. The rest of a request comes in further requests, if the \
              answer is `CONTINUE`. A notification that is older than one before is dropped. One with an option that must be understood and is not \
              ends the observation, and comes without a payload. A request that was not answered is forgotten.",
        params: &[
            param("socket", Kind::U32, "a socket of `wisp:net@1` with the protocol `UDP` or `DTLS` that is bound or connected"),
            param("buffer", Kind::Buffer, "room for a datagram"),
            TIMEOUT,
            param("message", Kind::OutRecord(MESSAGE.size()), "a `message`"),
        ],
        returns: Returns::Nothing,
        errors: &[
            NOT_OPEN,
            ("EPERM", "the socket is neither bound nor connected, or is one of TCP"),
            ("EMSGSIZE", "the buffer is shorter than `ROOM` and 16 bytes, or than a notification"),
            BROKEN,
            QUOTA,
            NONE,
            ("ETIMEDOUT", "nothing came in time"),
        ],
    },
    Function {
        name: "respond",
        doc: "Answers the request that `receive` has returned. The body is always the whole one, of which the host sends the block \
              that was asked for. A body that is longer than a block has an ETag, so that the client notices if it changes.",
        params: &[
            param("socket", Kind::U32, "the socket of the request"),
            param("code", Kind::U32, "the code of the answer, from 64 to 191"),
            param("format", Kind::U32, "the number of the body's format, or `NO_FORMAT`"),
            param("body", Kind::Bytes, "the whole body, or empty"),
            param("buffer", Kind::Buffer, "room for a datagram"),
            TIMEOUT,
        ],
        returns: Returns::Nothing,
        errors: &[
            NOT_OPEN,
            ("EPERM", "no request of this socket waits for an answer"),
            ("EINVAL", "a number is out of range, or the body overlaps the buffer"),
            ("EMSGSIZE", "the buffer is shorter than `ROOM` and 16 bytes"),
            ("EACCES", "the app may no longer reach who asked"),
            BROKEN,
            QUOTA,
            NONE,
            ("ETIMEDOUT", "there was no room in time, and nothing was sent"),
        ],
    },
    Function {
        name: "cancel",
        doc: "Ends an observation: the next notification is answered by a reset, after which the server sends no more. With 0, calls \
              off the request that goes on.",
        params: &[
            param("socket", Kind::U32, "the socket of the observation or of the request"),
            param("observation", Kind::U32, "the number of the observation, or 0"),
        ],
        returns: Returns::Nothing,
        errors: &[NOT_OPEN, ("ENOENT", "there is none with this socket"), NONE],
    },
];
