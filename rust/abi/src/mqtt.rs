// SPDX-License-Identifier: Apache-2.0
//! `wisp:mqtt@1`: a client of an MQTT broker.

use crate::{constant, field, net, param, ErrorSpace, Form, Function, Grant, Interface, Kind, Param, Record, Returns};

/// The message is acknowledged, and may come twice.
pub const AT_LEAST_ONCE: u32 = 1;
/// The broker keeps the message for those who subscribe later.
pub const RETAIN: u32 = 2;
/// The broker keeps the subscriptions of the client when the connection ends.
pub const KEEP_SESSION: u32 = 4;
/// A received message may have come before.
pub const DUPLICATE: u32 = 8;
/// The broker has answered `connect`.
pub const CONNECTED: u32 = 1;
/// A message has come.
pub const MESSAGE: u32 = 2;
/// The broker has a message that was sent with [`AT_LEAST_ONCE`].
pub const PUBLISHED: u32 = 3;
/// The broker has answered `subscribe`.
pub const SUBSCRIBED: u32 = 4;
/// The broker has answered `unsubscribe`.
pub const UNSUBSCRIBED: u32 = 5;
/// Result of a subscription that the broker refused.
pub const REFUSED: u32 = 0x80;
/// Longest topic, name or will in bytes.
pub const MAX_TEXT: u32 = 65_535;

/// The record that `receive` writes.
pub const PACKET: Record = Record {
    name: "packet",
    doc: "What the broker has sent.",
    fields: &[
        field("kind", 4, "`CONNECTED`, `MESSAGE`, `PUBLISHED`, `SUBSCRIBED` or `UNSUBSCRIBED`"),
        field(
            "id",
            4,
            "what the call returned that is answered, 0 for a message. With `CONNECTED`, 1 if the broker has kept a session, else 0",
        ),
        field(
            "value",
            4,
            "with `CONNECTED`, 0 or the broker's reason to refuse, 1 to 255. With `MESSAGE`, its flags. With `SUBSCRIBED`, the \
             granted quality of service or `REFUSED`. Otherwise 0",
        ),
        field("topic_length", 4, "bytes of the message's topic, otherwise 0"),
        field("payload_length", 4, "bytes of the message's payload, otherwise 0"),
    ],
};

const SOCKET: Param = param("socket", Kind::U32, "a connected socket of `wisp:net@1` with the protocol `TCP` or `TLS`");
const TIMEOUT: Param =
    param("timeout", Kind::U32, "milliseconds to wait at most; 0 does not wait, 4294967295 has no limit");
const NOT_OPEN: (&str, &str) = ("EBADF", "the socket is not open");
const NO_SESSION: (&str, &str) = ("EPERM", "`connect` was not called for the socket, or `disconnect` was");
const QUOTA: (&str, &str) = ("EAGAIN", "the app has sent and received as much as it may within an hour");
const BROKEN: (&str, &str) =
    ("EIO", "the connection or the session has ended, or the broker sent what MQTT does not allow");
const NO_ROOM: (&str, &str) = ("ETIMEDOUT", "there was no room in time, and nothing was sent");
const STILL_THERE: &str = "there was no room in time, or the message was not dropped whole. The session goes on";
const NOT_WHOLE: &str = "no packet came in time, or the message before was not dropped whole. The next call goes on";
const TOO_LONG: (&str, &str) = ("EMSGSIZE", "a text is longer than `MAX_TEXT`, or the packet than 268,435,455 bytes");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:mqtt@1",
    ident: "mqtt",
    host_trait: "MqttV1",
    doc: "A client of MQTT 3.1.1 over a connection that the app has opened with `wisp:net@1`. So the entries of `net-endpoints` decide \
          which brokers the app reaches, and by which credential. Messages go with quality of service 0 or 1. An app has one \
          session at a time. `receive` takes all that the broker sends, answers included, and `read` takes the bytes of a message. \
          So messages can have any length.\n\nReadiness of the socket becomes events by `watch` of `wisp:net@1`. The host sends the \
          signs of life that the broker expects, while the app waits for an event or in a call of this interface. A call that \
          waits ends when the app is stopped. A packet that has begun to be sent is sent to its end, for which a call waits up to 10 \
          seconds beyond its timeout. After that, the session has ended.",
    grant: Some(Grant {
        property: "net-endpoints",
        beside: "net-sockets",
        form: Form::Endpoints,
        what: "sessions with brokers over the connections of `wisp:net@1` ([network.md](network.md#mqtt))",
    }),
    errors: ErrorSpace::Wisp,
    constants: &[
        constant("AT_LEAST_ONCE", AT_LEAST_ONCE, "The message is acknowledged, and may come twice: quality of service 1."),
        constant("RETAIN", RETAIN, "The broker keeps the message for those who subscribe later."),
        constant("KEEP_SESSION", KEEP_SESSION, "The broker keeps the client's subscriptions when the connection ends."),
        constant("DUPLICATE", DUPLICATE, "A received message may have come before."),
        constant("CONNECTED", CONNECTED, "The broker has answered `connect`."),
        constant("MESSAGE", MESSAGE, "A message has come."),
        constant("PUBLISHED", PUBLISHED, "The broker has a message that was sent with `AT_LEAST_ONCE`."),
        constant("SUBSCRIBED", SUBSCRIBED, "The broker has answered `subscribe`."),
        constant("UNSUBSCRIBED", UNSUBSCRIBED, "The broker has answered `unsubscribe`."),
        constant("REFUSED", REFUSED, "Result of a subscription that the broker refused."),
        constant("FOREVER", net::FOREVER, "Wait without limit."),
        constant("MAX_TEXT", MAX_TEXT, "Longest topic, name or will in bytes."),
    ],
    records: &[PACKET],
    functions: FUNCTIONS,
};

const FUNCTIONS: &[Function] = &[
    Function {
        name: "connect",
        doc: "Begins a session. The broker's answer is a packet `CONNECTED`, which `receive` takes. Other calls need not wait for it.",
        params: &[
            SOCKET,
            param("client", Kind::Bytes, "UTF-8 text: the client's name, which no other client of the broker has"),
            param("login", Kind::Bytes, "the name of a user, UTF-8 text, and behind a byte 0 the password, if there is one; or empty"),
            param("will_topic", Kind::Bytes, "UTF-8 text: where the broker publishes the will, or empty for no will"),
            param("will", Kind::Bytes, "what the broker publishes if the session ends without `disconnect`"),
            param("flags", Kind::U32, "`KEEP_SESSION`, and for the will `AT_LEAST_ONCE` and `RETAIN`"),
            param("keep_alive", Kind::U32, "seconds within which the broker expects a sign of life, up to 65535, or 0"),
            TIMEOUT,
        ],
        returns: Returns::Nothing,
        errors: &[
            NOT_OPEN,
            ("EPERM", "the socket is not a connection, or has a session"),
            ("EBUSY", "the app has a session with another socket"),
            (
                "EINVAL",
                "a text is not UTF-8 or has a byte 0, or a number is out of range. A password needs a user, a kept session a client, and a \
                 will a topic without wildcards",
            ),
            ("ENODEV", "the host does not have the interface"),
            TOO_LONG,
            QUOTA,
            BROKEN,
            NO_ROOM,
        ],
    },
    Function {
        name: "publish",
        doc: "Sends a message. With `AT_LEAST_ONCE`, the broker's answer is a packet `PUBLISHED`. A message whose answer did not \
              come is sent again, also in the next session, by a call with its identifier.",
        params: &[
            SOCKET,
            param("topic", Kind::Bytes, "UTF-8 text: the topic, without wildcards"),
            param("payload", Kind::Bytes, "the message"),
            param("flags", Kind::U32, "`AT_LEAST_ONCE` and `RETAIN`"),
            param("id", Kind::U32, "0, or the identifier with which the message was sent before"),
            TIMEOUT,
        ],
        returns: Returns::Value("the identifier of the message, 1 to 65535, and without `AT_LEAST_ONCE` 0"),
        errors: &[
            NOT_OPEN,
            NO_SESSION,
            ("EINVAL", "the topic is empty, is not UTF-8 or has a byte 0 or a wildcard, or a number is out of range"),
            TOO_LONG,
            QUOTA,
            BROKEN,
            NO_ROOM,
        ],
    },
    Function {
        name: "subscribe",
        doc: "Asks for the messages of topics. The broker's answer is a packet `SUBSCRIBED`.",
        params: &[
            SOCKET,
            param("filter", Kind::Bytes, "UTF-8 text: a topic, in which `+` is any level and a last `#` any levels"),
            param("flags", Kind::U32, "`AT_LEAST_ONCE` or 0"),
            TIMEOUT,
        ],
        returns: Returns::Value("the identifier of the request, 1 to 65535"),
        errors: &[
            NOT_OPEN,
            NO_SESSION,
            ("EINVAL", "the filter is empty, is not UTF-8 or has a byte 0, or the flags are others"),
            TOO_LONG,
            QUOTA,
            BROKEN,
            NO_ROOM,
        ],
    },
    Function {
        name: "unsubscribe",
        doc: "Asks for no more messages of a filter. The broker's answer is a packet `UNSUBSCRIBED`.",
        params: &[SOCKET, param("filter", Kind::Bytes, "UTF-8 text: the filter of a subscription"), TIMEOUT],
        returns: Returns::Value("the identifier of the request, 1 to 65535"),
        errors: &[
            NOT_OPEN,
            NO_SESSION,
            ("EINVAL", "the filter is empty, is not UTF-8 or has a byte 0"),
            TOO_LONG,
            QUOTA,
            BROKEN,
            NO_ROOM,
        ],
    },
    Function {
        name: "receive",
        doc: "Takes the next packet, waiting if there is none. What was not read of the message before is dropped. That message \
              is then acknowledged, if it was sent with `AT_LEAST_ONCE`.",
        params: &[SOCKET, TIMEOUT, param("packet", Kind::OutRecord(PACKET.size()), "a `packet`")],
        returns: Returns::Nothing,
        errors: &[NOT_OPEN, NO_SESSION, QUOTA, BROKEN, ("ETIMEDOUT", NOT_WHOLE)],
    },
    Function {
        name: "read",
        doc: "Takes bytes of the message that `receive` has returned: those of the topic, and then those of the payload. One call \
              takes bytes of one of the two, as many as there are and fit, and waits if there are none yet.",
        params: &[SOCKET, param("buffer", Kind::Buffer, "to be filled"), TIMEOUT],
        returns: Returns::Value("the number of bytes. 0 for a buffer that is not empty is the end of the message"),
        errors: &[NOT_OPEN, NO_SESSION, QUOTA, BROKEN, ("ETIMEDOUT", "no byte came in time")],
    },
    Function {
        name: "disconnect",
        doc: "Ends the session, so that the broker does not publish the will. What was not read of the message \
              that `receive` has returned last is dropped, and the message is acknowledged. The app closes the socket.",
        params: &[SOCKET, TIMEOUT],
        returns: Returns::Nothing,
        errors: &[NOT_OPEN, NO_SESSION, QUOTA, BROKEN, ("ETIMEDOUT", STILL_THERE)],
    },
];
