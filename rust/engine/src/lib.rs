// SPDX-License-Identifier: Apache-2.0
//! The engine: loads Wisp images into instances and runs them.
//!
//! Principles
//! 1. Nothing allocates. A [`Store`] lives in an arena its owner gives; after instantiation only
//!    `memory.grow` takes more of it, within a cap known beforehand.
//! 2. Run in place. Code, types, segments and names stay in the image, in flash; RAM holds frames,
//!    globals, tables, linear memory and about 250 bytes for each instance.
//! 3. Trust is made once. [`Module::new_in`] verifies the code; from then on the interpreter reads slots,
//!    branches and indices unchecked. What a guest computes is checked at every access.
//! 4. The code stands in three storeys, and each uses only those below it: `vm` (what lies in the arena and in
//!    the image), `exec` (running code) and `api` (what embedders use). Unsafe code is in the lower two, and in
//!    the two files of `api` through which guests call host functions.
//! 5. A guest's trap is never the host's mistake, and the other way round: [`Trap`] says which.
//!
//! Not here: translation of wasm (`wisp-compiler`), signatures, host functions (`wisp-host`), threads.
//! One store belongs to one thread; its [`InterruptHandle`] to any.
#![no_std]
#![deny(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod api;
#[allow(unsafe_code)]
mod exec;
#[allow(unsafe_code)]
mod vm;

pub use api::caller::Caller;
pub use api::error::{InstantiateError, LinkProblem};
pub use api::externals::{Extern, Global, Memory, Table};
pub use api::func::{Func, TypedFunc};
pub use api::host_function::{HostFunction, HostResult, IntoHostFunction};
pub use api::instance::Instance;
pub use api::linker::{Linker, Resolve};
pub use api::module::Module;
pub use api::slot_function::SlotFunction;
pub use api::store::{AsContext, AsContextMut, InterruptHandle, Store, StoreContext, StoreContextMut};
pub use api::value::{Val, WasmTy, WasmValues};
pub use exec::call::Frame;
#[cfg(feature = "user-mode")]
pub use exec::native::user::serve;
#[cfg(feature = "debug")]
pub use exec::observe::{is_for_debugger, Observer};
pub use exec::ops;
#[cfg(feature = "profile")]
pub use exec::profile;
#[cfg(feature = "sample")]
pub use exec::sample::Preempted;
#[cfg(feature = "record")]
pub use exec::tap::{HostCall, Tap};
pub use exec::view::{View, Watched};
#[cfg(feature = "translate")]
pub use vm::config::TRANSLATED_RESERVE;
pub use vm::config::{CodeWriter, Config, Engine, GrowthRefused};
pub use vm::context::Ctx;
pub use vm::features::MISSING_FEATURES;
pub use vm::guest_stack::GuestStackOverflow;
pub use vm::imports::RawHostFn;
pub use vm::scratch;
#[cfg(feature = "rewind")]
pub use vm::snapshot::Snapshot;
#[cfg(feature = "translate")]
pub use vm::translation::{Translated, TranslationDone};
pub use vm::trap::{RawTrap, Trap, TrapCode};
pub use vm::ty::{FuncType, Signature};
#[cfg(feature = "user-mode")]
pub use vm::user_mode::{Outcome, Request, UserMode};
pub use wisp_image::features::Feature;
pub use wisp_image::format::ValType;
#[cfg(feature = "native")]
pub use wisp_image::native::{Native, Refusal};
pub use wisp_image::verify::Rule;
pub use wisp_image::{Image, ImageError, ImageId, Name};
