// SPDX-License-Identifier: Apache-2.0
//! `wisp:lifecycle@1`: what an app tells whoever supervises it.

use crate::{ErrorSpace, Function, Interface, Returns};

/// The description.
pub const INTERFACE: Interface = Interface {
    module: "wisp:lifecycle@1",
    ident: "lifecycle",
    host_trait: "LifecycleV1",
    doc: "What an app reports to its supervisor. Every app has it. Without a supervisor it has no effect.",
    grant: None,
    errors: ErrorSpace::Wisp,
    constants: &[],
    records: &[],
    functions: &[
        Function {
            name: "confirm",
            doc: "Keeps this update: without a confirmation the version before it comes back. Says nothing where \
                  there is no update on trial. Returns before it is written to flash.",
            params: &[],
            returns: Returns::Nothing,
            errors: &[],
        },
        Function {
            name: "heartbeat",
            doc: "Tells that the app gets on. An app whose node has a `heartbeat-ms` and which is silent for longer \
                  is ended and started again.",
            params: &[],
            returns: Returns::Nothing,
            errors: &[],
        },
    ],
};
