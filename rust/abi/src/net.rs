// SPDX-License-Identifier: Apache-2.0
//! `wisp:net@1`: sockets.

use crate::{
    field, param, Constant, ErrorSpace, Field, Form, Function, Grant, Interface, Kind, Param, Record, Returns,
};

/// A socket for datagrams.
pub const UDP: u32 = 1;
/// A socket for a connection, or for a listener.
pub const TCP: u32 = 2;
/// A socket for a connection that TLS protects.
pub const TLS: u32 = 3;
/// A socket for datagrams that DTLS protects.
pub const DTLS: u32 = 4;
/// Something can be received or accepted, or the connection has ended.
pub const READABLE: u32 = 1;
/// Bytes can be sent, or an attempt to connect has ended.
pub const WRITABLE: u32 = 2;
/// Wait without limit.
pub const FOREVER: u32 = u32::MAX;
/// Largest datagram in bytes: what every IPv6 link carries in one packet.
pub const MAX_DATAGRAM: u32 = 1232;
/// Longest name of a host in bytes.
pub const MAX_NAME: u32 = 253;
/// Largest number of entries in `net-endpoints`.
pub const MAX_ENDPOINTS: u32 = 32;
/// Largest number of sockets that one app can be granted.
pub const MAX_SOCKETS: u32 = 32;
/// Bytes that a datagram, a connection and a lookup count for, beside their contents.
pub const OVERHEAD: u32 = 64;
/// Bytes that a connection of TLS or DTLS counts for, beside its contents: about what a handshake takes.
pub const HANDSHAKE: u32 = 4096;

const HIGH: Field = field("high", 8, "upper half of the address");
const LOW: Field = field("low", 8, "lower half of the address");

/// The record that `resolve` writes.
pub const ADDRESS: Record = Record {
    name: "address",
    doc: "An address as a number of 128 bits. The IPv4 address a.b.c.d is the IPv6 address ::ffff:a.b.c.d.",
    fields: &[HIGH, LOW],
};

/// The record that `receive_from` and `accept` write.
pub const PEER: Record = Record {
    name: "peer",
    doc: "Where something came from.",
    fields: &[
        HIGH,
        LOW,
        field("port", 4, "port of the peer"),
        field("length", 4, "length of the whole datagram in bytes, 0 for a connection"),
    ],
};

const SOCKET: Param = param("socket", Kind::Handle, "from `open` or `accept`");
const TO_HIGH: Param = param("high", Kind::U64, "upper half of the address");
const TO_LOW: Param = param("low", Kind::U64, "lower half of the address");
const TO_PORT: Param = param("port", Kind::U32, "port of the peer");
const TIMEOUT: Param =
    param("timeout", Kind::U32, "milliseconds to wait at most; 0 does not wait, `FOREVER` has no limit");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const QUOTA: (&str, &str) = ("EAGAIN", "the app has sent and received as much as it may within an hour");
const BROKEN: (&str, &str) = ("EIO", "the connection was broken off, or the network failed");
const TOO_LONG: (&str, &str) = (
    "EMSGSIZE",
    "the datagram is longer than `MAX_DATAGRAM`, or than a packet of the network or a record of DTLS can be",
);
const NOT_GRANTED: (&str, &str) = ("EACCES", "the app was not granted the peer with this protocol and port");
const NOT_TRUSTED: (&str, &str) =
    ("EPROTO", "the peer's certificate is for another name, has expired, is not valid yet or is of an authority that is not trusted");
const UNREACHABLE: (&str, &str) = ("ENXIO", "the peer refused, or cannot be reached");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:net@1",
    ident: "net",
    host_trait: "NetV1",
    doc: "Sockets for UDP and TCP, and names of hosts. Each entry of `net-endpoints` (in `board.toml`: `endpoints`) grants a protocol, \
          hosts and ports: `udp:192.0.2.0/24:5683`, `tcp:broker.example:1883`, `tcp-listen:0.0.0.0:80`, \
          `tls:broker.example:8883#7`. Nothing else can be \
          resolved, reached or bound, and what comes from elsewhere is dropped. A name grants the one address that \
          `resolve` returned for it last.\n\n`net-sockets` bounds how many sockets are open, `net-queue-size` \
          the bytes that wait in each of them, and `net-bytes-per-hour` the traffic. A datagram, a connection and a \
          lookup count for 64 bytes beside their contents. A call that waits ends when the app is stopped, and costs no \
          CPU time.",
    grant: Some(Grant {
        property: "net-endpoints",
        beside: "net-sockets",
        form: Form::Endpoints,
        what: "hosts and ports, with limits of sockets, queues and traffic ([network.md](network.md)); readiness becomes events",
    }),
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "UDP", value: UDP, doc: "A socket for datagrams." },
        Constant { name: "TCP", value: TCP, doc: "A socket for a connection, or for a listener." },
        Constant { name: "TLS", value: TLS, doc: "A socket for a connection that TLS protects. Otherwise the same as `TCP`." },
        Constant { name: "DTLS", value: DTLS, doc: "A socket for datagrams to one peer that DTLS protects." },
        Constant {
            name: "READABLE",
            value: READABLE,
            doc: "Something can be received or accepted, or the connection has ended.",
        },
        Constant { name: "WRITABLE", value: WRITABLE, doc: "Bytes can be sent, or an attempt to connect has ended." },
        Constant { name: "FOREVER", value: FOREVER, doc: "Wait without limit." },
        Constant { name: "MAX_DATAGRAM", value: MAX_DATAGRAM, doc: "Largest datagram in bytes." },
        Constant { name: "MAX_NAME", value: MAX_NAME, doc: "Longest name of a host in bytes." },
    ],
    records: &[ADDRESS, PEER],
    functions: FUNCTIONS,
};

const FUNCTIONS: &[Function] = &[
    Function {
        name: "resolve",
        doc: "Finds the address of a granted name, or reads an address in text. The address is then the one that the \
              name grants. A lookup that takes longer than the timeout continues, and a call with the same name \
              returns its result.",
        params: &[
            param("name", Kind::Bytes, "letters, digits, hyphens and dots, or an address"),
            TIMEOUT,
            param("address", Kind::OutRecord(ADDRESS.size()), "an `address`"),
        ],
        returns: Returns::Nothing,
        errors: &[
            ("EACCES", "the app was not granted the name, or the name has an address that no name may have"),
            ("EINVAL", "it is neither a name nor an address"),
            ("ENOENT", "the name has no address"),
            ("EBUSY", "another lookup of the app has not ended, or the firmware has too many of them"),
            QUOTA,
            ("EIO", "the lookup failed"),
            ("ETIMEDOUT", "there was no answer in time"),
        ],
    },
    Function {
        name: "open",
        doc: "Opens a socket, which is neither bound nor connected.",
        params: &[param("protocol", Kind::U32, "`UDP`, `TCP`, `TLS` or `DTLS`")],
        returns: Returns::Handle,
        errors: &[
            ("EACCES", "the app was granted no endpoints"),
            ("EINVAL", "there is no such protocol"),
            ("ENOTSUP", "this firmware, or `wisp run`, does not have the protocol"),
            ("ENOMEM", "the app, or the firmware, has as many sockets open as it can have"),
        ],
    },
    Function {
        name: "bind",
        doc: "Receives at a port that a `udp-listen` or `tcp-listen` entry grants. With TCP, connections wait for \
              `accept` from then on. The first entry with the port decides between IPv4 and IPv6.",
        params: &[SOCKET, param("port", Kind::U32, "the port")],
        returns: Returns::Nothing,
        errors: &[
            NOT_OPEN,
            ("EACCES", "the app was not granted the port with this protocol"),
            ("EBUSY", "the port is in use"),
            ("EPERM", "the socket is bound or connected already"),
            ("EIO", "the network failed"),
        ],
    },
    Function {
        name: "connect",
        doc: "Connects with a peer. With UDP, that is the one peer to which `send` sends and from which datagrams are \
              received. With TCP, an attempt that takes longer than the timeout continues, and a further call with the \
              same peer returns its result. The socket is not connected before that call.\n\nWith TLS and DTLS, the attempt \
              includes the handshake. The entry that grants the peer names the credential that the host uses, which \
              the app never sees. The peer has to prove the entry's name, or its address if the entry has no name.",
        params: &[SOCKET, TO_HIGH, TO_LOW, TO_PORT, TIMEOUT],
        returns: Returns::Nothing,
        errors: &[
            NOT_OPEN,
            NOT_GRANTED,
            ("EPERM", "the socket is bound or connected already"),
            QUOTA,
            UNREACHABLE,
            NOT_TRUSTED,
            ("ENOENT", "the host does not have the credential that the entry names"),
            ("ENOMEM", "the firmware has no memory or no socket left for the attempt"),
            ("EIO", "the network or the handshake failed"),
            ("ETIMEDOUT", "the attempt has not ended in time"),
        ],
    },
    Function {
        name: "accept",
        doc: "Takes a connection that a peer has opened, waiting if there is none.",
        params: &[SOCKET, TIMEOUT, param("peer", Kind::OutRecord(PEER.size()), "a `peer`")],
        returns: Returns::Handle,
        errors: &[
            NOT_OPEN,
            ("EPERM", "the socket does not listen"),
            QUOTA,
            ("ENOMEM", "the app has as many sockets open as it can have"),
            ("ETIMEDOUT", "no connection came in time"),
        ],
    },
    Function {
        name: "send",
        doc: "Sends to the connected peer. With TCP, it takes as many bytes as there is room for, waiting if there is \
              none. With UDP, the bytes are one datagram. A datagram by DTLS has to fit into one record, which a firmware \
              may limit to 512 bytes. When the peer has ended the session, the socket has to be closed.",
        params: &[SOCKET, param("bytes", Kind::Bytes, "to be sent"), TIMEOUT],
        returns: Returns::Value("how many were taken, from the front"),
        errors: &[
            NOT_OPEN,
            ("EPERM", "the socket is not connected, or was shut down"),
            TOO_LONG,
            QUOTA,
            UNREACHABLE,
            BROKEN,
            ("ETIMEDOUT", "there was no room in time"),
        ],
    },
    Function {
        name: "receive",
        doc: "Takes what was received, waiting if there is nothing. With TCP, it takes as much as there is and fits. With UDP, \
              it takes one datagram, of which bytes beyond the buffer are dropped.",
        params: &[SOCKET, param("buffer", Kind::Buffer, "to be filled"), TIMEOUT],
        returns: Returns::Value("the number of bytes. With TCP, 0 for a buffer that is not empty means that the peer has ended"),
        errors: &[
            NOT_OPEN,
            ("EPERM", "the socket is neither connected nor a bound UDP socket"),
            QUOTA,
            UNREACHABLE,
            BROKEN,
            ("ETIMEDOUT", "nothing came in time"),
        ],
    },
    Function {
        name: "send_to",
        doc: "Sends a datagram to a peer that a `udp` entry grants, or from a bound socket to a peer that may send to its port.",
        params: &[SOCKET, param("bytes", Kind::Bytes, "the datagram"), TO_HIGH, TO_LOW, TO_PORT, TIMEOUT],
        returns: Returns::Nothing,
        errors: &[
            NOT_OPEN,
            NOT_GRANTED,
            ("EPERM", "the socket is not one for datagrams, or is connected"),
            TOO_LONG,
            ("EINVAL", "the socket was bound, or has sent, with the other of IPv4 and IPv6"),
            QUOTA,
            UNREACHABLE,
            ("EIO", "the network failed"),
            ("ETIMEDOUT", "there was no room in time"),
        ],
    },
    Function {
        name: "receive_from",
        doc: "Takes one datagram with its sender, waiting if there is none. Bytes beyond the buffer are dropped.",
        params: &[
            SOCKET,
            param("buffer", Kind::Buffer, "to be filled"),
            TIMEOUT,
            param("peer", Kind::OutRecord(PEER.size()), "a `peer`"),
        ],
        returns: Returns::Value("the number of bytes in the buffer"),
        errors: &[
            NOT_OPEN,
            ("EPERM", "the socket is not one for datagrams, or has neither sent nor is bound or connected"),
            QUOTA,
            UNREACHABLE,
            ("EIO", "the network failed"),
            ("ETIMEDOUT", "nothing came in time"),
        ],
    },
    Function {
        name: "watch",
        doc: "Chooses which readiness becomes events, which `wait` of `wisp:event@1` delivers: one when the socket \
              becomes ready or is ready already, and the next after a call that used it. Events that were not delivered \
              yet are dropped.",
        params: &[SOCKET, param("readiness", Kind::U32, "`READABLE`, `WRITABLE`, both or 0 for no events")],
        returns: Returns::Nothing,
        errors: &[
            NOT_OPEN,
            ("EINVAL", "there is no such readiness"),
            ("ENOTSUP", "this firmware has no events"),
        ],
    },
    Function {
        name: "ready",
        doc: "Looks what a call would do without waiting.",
        params: &[SOCKET],
        returns: Returns::Value("`READABLE`, `WRITABLE`, both or 0"),
        errors: &[NOT_OPEN],
    },
    Function {
        name: "lost",
        doc: "Counts what was dropped since this was last asked: datagrams that found the queue full, and datagrams and \
              connections of peers that are not granted.",
        params: &[SOCKET],
        returns: Returns::Value("the number"),
        errors: &[NOT_OPEN],
    },
    Function {
        name: "shutdown",
        doc: "Ends sending on a connection. The peer gets what was sent, and then the end.",
        params: &[SOCKET],
        returns: Returns::Nothing,
        errors: &[NOT_OPEN, ("EPERM", "the socket is not a connection"), ("ENOTSUP", "the network cannot end one direction alone"), BROKEN],
    },
    Function {
        name: "close",
        doc: "Closes a socket. What was sent is still delivered, and what was received is dropped. With TLS, the call \
              waits for up to two seconds for room for what was sent.",
        params: &[SOCKET],
        returns: Returns::Nothing,
        errors: &[NOT_OPEN],
    },
];
