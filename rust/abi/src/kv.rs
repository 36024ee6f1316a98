// SPDX-License-Identifier: Apache-2.0
//! `wisp:kv@1`: values that outlive a restart.

use crate::{param, Constant, ErrorSpace, Form, Function, Grant, Interface, Kind, Param, Returns};

/// Longest key.
pub const MAX_KEY: u32 = 32;
/// Longest value.
pub const MAX_VALUE: u32 = 256;

const KEY: Param = param("key", Kind::Bytes, "1 to `MAX_KEY` letters, digits, `_`, `-` and `.`");
const DENIED: (&str, &str) = ("EACCES", "the app was granted no storage");
const BAD_KEY: (&str, &str) = ("EINVAL", "the key is empty, too long, or has other characters");
const FAILED: (&str, &str) = ("EIO", "the storage failed");

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:kv@1",
    ident: "kv",
    host_trait: "KvV1",
    doc: "Values under keys that outlive a restart. Granted by `kv-size` in the app's node, which bounds what the \
          app's entries take together in flash. `kv-erases-per-hour` bounds how much the app writes. Each app has \
          its own keys.",
    grant: Some(Grant {
        property: "kv-size",
        beside: "kv-erases-per-hour",
        form: Form::Limit,
        what: "values that outlive a restart, kept by Zephyr's settings, with a limit of bytes and of flash erases",
    }),
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "MAX_KEY", value: MAX_KEY, doc: "Longest key in bytes." },
        Constant { name: "MAX_VALUE", value: MAX_VALUE, doc: "Longest value in bytes." },
    ],
    records: &[],
    functions: &[
        Function {
            name: "get",
            doc: "Reads a value. A buffer that is too short gets its beginning.",
            params: &[KEY, param("buffer", Kind::Buffer, "gets the value")],
            returns: Returns::Value("the length of the whole value"),
            errors: &[DENIED, BAD_KEY, ("ENOENT", "the key has no value"), FAILED],
        },
        Function {
            name: "set",
            doc: "Stores a value, replacing the one that the key had. It is stored when the call returns.",
            params: &[KEY, param("value", Kind::Bytes, "1 to `MAX_VALUE` bytes")],
            returns: Returns::Nothing,
            errors: &[
                DENIED,
                ("EINVAL", "the key is empty, too long, or has other characters, or the value is empty"),
                ("EMSGSIZE", "the value is too long"),
                ("EAGAIN", "the app has written as much as it may within an hour"),
                ("ENOSPC", "the app's quota or the storage is full"),
                FAILED,
            ],
        },
        Function {
            name: "remove",
            doc: "Removes a key and its value.",
            params: &[KEY],
            returns: Returns::Nothing,
            errors: &[
                DENIED,
                BAD_KEY,
                ("EAGAIN", "the app has written as much as it may within an hour"),
                ("ENOENT", "the key has no value"),
                FAILED,
            ],
        },
    ],
};
