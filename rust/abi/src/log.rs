// SPDX-License-Identifier: Apache-2.0
//! `wisp:log@1`: messages to the system log.

use crate::{param, Constant, ErrorSpace, Function, Interface, Kind, Returns};

/// Something failed.
pub const ERROR: u32 = 1;
/// Something is not as it should be.
pub const WARN: u32 = 2;
/// Worth knowing.
pub const INFO: u32 = 3;
/// For the developer.
pub const DEBUG: u32 = 4;

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:log@1",
    ident: "log",
    host_trait: "LogV1",
    doc: "Messages to the system log, under the app's name. Needs no grant.\n\nA message may hold \
          several lines. Each becomes one entry, an empty last line none. Control characters other \
          than tab are shown as `?`, so that a guest cannot forge entries of others.",
    grant: None,
    errors: ErrorSpace::Wisp,
    constants: &[
        Constant { name: "ERROR", value: ERROR, doc: "Something failed." },
        Constant { name: "WARN", value: WARN, doc: "Something is not as it should be." },
        Constant { name: "INFO", value: INFO, doc: "Worth knowing." },
        Constant { name: "DEBUG", value: DEBUG, doc: "For the developer." },
    ],
    records: &[],
    functions: &[
        Function {
            name: "write",
            doc: "Logs a message. A level above `max_level` is accepted and dropped.",
            params: &[
                param("level", Kind::U32, "one of the level constants"),
                param("message", Kind::Bytes, "UTF-8 text, not terminated"),
            ],
            returns: Returns::Nothing,
            errors: &[("EINVAL", "the level is none of the constants")],
        },
        Function {
            name: "max_level",
            doc: "The highest level that is logged, so that a guest need not format what is dropped.",
            params: &[],
            returns: Returns::Value("a level constant, or 0 when nothing is logged"),
            errors: &[],
        },
    ],
};
