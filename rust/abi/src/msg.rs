// SPDX-License-Identifier: Apache-2.0
//! `wisp:msg@1`: messages between apps, and between apps and the firmware.

use crate::{param, Constant, ErrorSpace, Form, Function, Grant, Interface, Kind, Param, Returns};

/// Open to publish.
pub const PUBLISH: u32 = 1;
/// Open to receive.
pub const SUBSCRIBE: u32 = 2;
/// The largest number of channels that one app can be granted, those to publish and those to receive together.
pub const MAX_CHANNELS: u32 = 32;

const CHANNEL: Param = param("channel", Kind::Handle, "from `open`");
const NOT_OPEN: (&str, &str) = ("EBADF", "the handle is not open");
const NOT_TO_PUBLISH: (&str, &str) = ("EPERM", "the handle was opened to receive");
const NOT_TO_RECEIVE: (&str, &str) = ("EPERM", "the handle was opened to publish");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:msg@1",
    ident: "msg",
    host_trait: "MsgV1",
    doc: "Channels of messages, granted by `publishes` and `subscribes` in the app's node. All messages of a channel \
          have one size. Each subscribed app has a queue of its own, as long as the channel's node says, from the \
          moment it opens the channel. Nobody waits for a slow receiver. A message that finds a queue full is lost \
          to that app alone. The publisher learns how many apps lost it, and the receiver how many it lost. A \
          publisher that must lose nothing checks `room` first.\n\nA message that arrives makes the event \
          `MESSAGE` of `wisp:event@1`, once until the queue was emptied.",
    grant: Some(Grant {
        property: "publishes",
        beside: "subscribes",
        form: Form::SpecialDevices,
        what: "a channel of messages ([messages.md](messages.md)); a message becomes an event",
    }),
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "PUBLISH", value: PUBLISH, doc: "Open to publish." },
        Constant { name: "SUBSCRIBE", value: SUBSCRIBE, doc: "Open to receive." },
    ],
    records: &[],
    functions: &[
        Function {
            name: "open",
            doc:
                "Opens a granted channel. A second call in the same direction returns the same handle and empties its \
                  queue.",
            params: &[
                param("label", Kind::Bytes, "name of the channel's node"),
                param("direction", Kind::U32, "`PUBLISH` or `SUBSCRIBE`"),
            ],
            returns: Returns::Handle,
            errors: &[
                ("EACCES", "the channel was not granted to the app in this direction"),
                ("EINVAL", "there is no such direction"),
                ("ENODEV", "messages of the firmware's channel have another size than its node says"),
            ],
        },
        Function {
            name: "close",
            doc: "Gives the handle back. Messages that waited are dropped.",
            params: &[CHANNEL],
            returns: Returns::Nothing,
            errors: &[NOT_OPEN],
        },
        Function {
            name: "size",
            doc: "How long every message of the channel is.",
            params: &[CHANNEL],
            returns: Returns::Value("bytes"),
            errors: &[NOT_OPEN],
        },
        Function {
            name: "publish",
            doc: "Publishes a message to all that subscribed, apps and firmware.",
            params: &[CHANNEL, param("message", Kind::Bytes, "as long as `size` tells")],
            returns: Returns::Value("how many apps lost it because their queue was full"),
            errors: &[
                NOT_OPEN,
                NOT_TO_PUBLISH,
                ("EMSGSIZE", "the message has another size"),
                ("EAGAIN", "somebody else has published for 100 ms"),
                ("EINVAL", "the firmware does not allow this message"),
            ],
        },
        Function {
            name: "room",
            doc: "How many messages every subscribed app can still take.",
            params: &[CHANNEL],
            returns: Returns::Value("messages, or 2^31 - 1 if no app has subscribed"),
            errors: &[NOT_OPEN, NOT_TO_PUBLISH],
        },
        Function {
            name: "receive",
            doc: "Takes the oldest message, without waiting.",
            params: &[CHANNEL, param("buffer", Kind::Buffer, "gets the message")],
            returns: Returns::Value("the length of the message"),
            errors: &[
                NOT_OPEN,
                NOT_TO_RECEIVE,
                ("EMSGSIZE", "the buffer is too short, and nothing was taken"),
                ("EAGAIN", "there is none"),
            ],
        },
        Function {
            name: "lost",
            doc: "How many messages found the queue full since this was last asked.",
            params: &[CHANNEL],
            returns: Returns::Value("messages"),
            errors: &[NOT_OPEN, NOT_TO_RECEIVE],
        },
    ],
};
