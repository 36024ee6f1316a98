// SPDX-License-Identifier: Apache-2.0
//! The host's functions as the ABI describes them, over slices and `Result`. Generated.

// Functions that take addresses have as many parameters as WASI gave them.
#![allow(clippy::too_many_arguments)]

include!(concat!(env!("OUT_DIR"), "/abi.rs"));
