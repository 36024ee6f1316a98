// SPDX-License-Identifier: Apache-2.0
//! Bindings to the C shims in `src/border` and `src/drivers`, generated from `src/border/shim.h`.

#![allow(missing_docs, non_camel_case_types, non_upper_case_globals)]

include!(concat!(env!("OUT_DIR"), "/shim.rs"));
