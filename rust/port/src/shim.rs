// SPDX-License-Identifier: Apache-2.0
//! Bindings to the C shims in `src/border` and `src/drivers`, generated from `src/border/shim.h`.

// Comments of Doxygen have brackets, as in `@param[out]`, which are no links.
#![allow(missing_docs, non_camel_case_types, non_upper_case_globals, rustdoc::broken_intra_doc_links)]

include!(concat!(env!("OUT_DIR"), "/shim.rs"));
