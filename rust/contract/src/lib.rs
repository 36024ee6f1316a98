// SPDX-License-Identifier: Apache-2.0
//! Numbers and words that Rust, C, Python and the documentation share. Each is written once, in a table here.
//!
//! A new trap, error of the app storage, error number or helper of native code is one line of a table. What is not
//! Rust is generated from the tables and checked in, so that a C compiler or a reader needs no Rust: the test
//! `generated` fails while a file differs from its table, and writes all of them if `WISP_GENERATE` is set.
//!
//! Not here: the layout of images (`wisp-image`) and the functions that guests import (`wisp-abi`).
#![no_std]
#![forbid(unsafe_code)]

pub mod errno;
pub mod feature;
pub mod helper;
pub mod storage;
pub mod trap;
