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
//! 4. Unsafe code is in three places: `mem` (what lies in the arena and in the image), `interp` (running
//!    code, calling the host) and `native` (machine code). Everything else is safe code over them.
//! 5. A guest's trap is never the host's mistake, and the other way round: [`Trap`] says which.
//!
//! Not here: translation of wasm (`wisp-compiler`), signatures, host functions (`wisp-host`), threads.
//! One store belongs to one thread; its [`InterruptHandle`] to any.
#![no_std]
#![deny(unsafe_code)]
// what the ops of features use that are not built in
#![cfg_attr(
    not(all(
        feature = "bulk-memory",
        feature = "reference-types",
        feature = "saturating-float-to-int",
        feature = "sign-extension",
        feature = "tail-call"
    )),
    allow(dead_code, unused_imports)
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod caller;
mod config;
mod error;
mod externals;
mod func;
mod host_function;
mod instance;
mod instantiate;
#[allow(unsafe_code)]
mod interp;
mod linker;
#[allow(unsafe_code)]
mod mem;
mod module;
#[cfg(feature = "native")]
#[allow(unsafe_code)]
mod native;
pub mod ops;
#[cfg(feature = "profile")]
pub mod profile;
mod store;
mod trap;
mod ty;
mod value;

pub use caller::Caller;
pub use config::{Config, Engine, GrowthRefused};
pub use error::{InstantiateError, LinkProblem};
pub use externals::{Extern, Global, Memory, Table};
pub use func::{Func, TypedFunc};
pub use host_function::{HostFunction, IntoHostFunction, RawHostFn};
pub use instance::Instance;
pub use linker::{Linker, Resolve};
pub use mem::ctx::Ctx;
pub use mem::scratch;
pub use module::{Module, MISSING_FEATURES};
#[cfg(feature = "user-mode")]
pub use native::user::{serve, Outcome, Request, UserMode};
pub use store::{AsContext, AsContextMut, Frame, InterruptHandle, Store, StoreContext, StoreContextMut};
pub use trap::{Trap, TrapCode};
pub use ty::{FuncType, Signature};
pub use value::{Val, WasmTy, WasmValues};
pub use wisp_image::features::Feature;
pub use wisp_image::format::ValType;
#[cfg(feature = "native")]
pub use wisp_image::native::{Native, Refusal};
pub use wisp_image::verify::Rule;
pub use wisp_image::{Image, ImageError, ImageId, Name};
