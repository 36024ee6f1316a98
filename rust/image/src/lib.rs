// SPDX-License-Identifier: Apache-2.0
//! The Wisp image: what the compiler writes and the engine runs.
//!
//! Principles
//! 1. One description of each fact. The op table ([`ops`]) and the layout ([`format`]) are read by
//!    compiler, engine, verifier and disassembler alike.
//! 2. Read in place. [`Image`] borrows the bytes, wherever they are: a file, flash, the network.
//! 3. Never trusted before checking. Every accessor returns an error for bytes that do not hold what
//!    they promise; after [`verify::verify`] the interpreter may rely on the code.
//!
//! Not here: hashing and signatures (they need cryptography), execution, any allocation outside the
//! writer.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod attachment;
pub mod conditions;
pub mod disassemble;
mod epoch;
mod error;
pub mod features;
pub mod format;
mod id;
mod manifest;
pub mod names;
pub mod native;
pub mod ops;
mod reader;
pub mod verify;
mod views;
#[cfg(feature = "alloc")]
pub mod writer;

pub use attachment::Attachment;
pub use error::ImageError;
pub use id::ImageId;
pub use manifest::{GuestStack, Manifest, Memory};
pub use reader::{
    DataSegment, ElementSegment, Export, Function, Global, Image, Import, ImportKind, Name, Table, TypeRef,
};
pub use views::{Functions, Imports, Types};
