// SPDX-License-Identifier: Apache-2.0
//! Definitions with names of their own: closures that capture, and exports of other instances.
//!
//! A runtime without an allocator has `definitions_absent.rs` in this file's place.

use alloc::string::String;
use alloc::vec::Vec;
use core::any::Any;

use wisp_image::Name;

use super::Linker;
use crate::api::caller::Caller;
use crate::api::externals::Extern;
use crate::api::host_function::{HostFunction, IntoHostFunction};
use crate::api::instance::Instance;
use crate::api::store::AsContext;
use crate::api::trampoline::{boxed, boxed_dynamic};
use crate::api::value::Val;
use crate::vm::owner::{Arc, Owner};
use crate::vm::trap::Trap;
use crate::vm::ty::FuncType;

/// A definition with a name of its own.
struct Named<T> {
    module: String,
    name: String,
    item: Item<T>,
}

enum Item<T> {
    Extern(Extern),
    Closure(HostFunction<T>, Arc<dyn Any + Send + Sync>),
}

/// The definitions of a linker. What was added last is found first.
pub(super) struct Definitions<T>(Vec<Named<T>>);

impl<T> Definitions<T> {
    /// Defines nothing.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    fn add(&mut self, module: &str, name: &str, item: Item<T>) {
        self.0.push(Named { module: module.into(), name: name.into(), item });
    }

    fn find(&self, module: Name<'_>, name: Name<'_>) -> Option<&Item<T>> {
        let mut named = self.0.iter().rev();
        named.find(|named| name == *named.name && module == *named.module).map(|named| &named.item)
    }

    /// Makes the owner of a store keep all closures.
    pub fn keep(&self, owner: &mut Owner) {
        for named in &self.0 {
            if let Item::Closure(_, keep) = &named.item {
                owner.keep(keep);
            }
        }
    }

    /// Returns the closure with this name.
    pub fn function(&self, module: Name<'_>, name: Name<'_>) -> Option<&HostFunction<T>> {
        match self.find(module, name)? {
            Item::Closure(function, _) => Some(function),
            Item::Extern(_) => None,
        }
    }

    /// Returns what has this name: the export, or `None` in it for a closure.
    pub fn external(&self, module: Name<'_>, name: Name<'_>) -> Option<Option<Extern>> {
        match self.find(module, name)? {
            Item::Extern(external) => Some(Some(*external)),
            Item::Closure(..) => Some(None),
        }
    }
}

impl<T> Linker<'_, T> {
    /// Adds a closure, which may capture.
    pub fn func_wrap<P, R, F>(&mut self, module: &str, name: &str, function: F) -> &mut Self
    where
        F: IntoHostFunction<T, P, R> + Send + Sync + 'static,
    {
        let (host, keep) = boxed(function);
        self.named.add(module, name, Item::Closure(host, keep));
        self
    }

    /// Adds a closure whose type is known only when the program runs. It gets its arguments as values, and replaces
    /// the zeros that it finds as results. A result of another type than `ty` says traps as
    /// [`TrapCode::HostError`](crate::TrapCode::HostError). Guests that import a function with references are not
    /// linked to it. Each call allocates two lists.
    pub fn func_new<F>(&mut self, module: &str, name: &str, ty: FuncType<'_>, function: F) -> &mut Self
    where
        F: Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Trap> + Send + Sync + 'static,
    {
        let (host, keep) = boxed_dynamic(ty, function);
        self.named.add(module, name, Item::Closure(host, keep));
        self
    }

    /// Adds an export of an instance, or something the host made.
    pub fn define(&mut self, module: &str, name: &str, external: Extern) -> &mut Self {
        self.named.add(module, name, Item::Extern(external));
        self
    }

    /// Adds all exports of an instance under this module name.
    pub fn instance(&mut self, store: impl AsContext, module: &str, instance: Instance) -> &mut Self {
        instance.for_each_export(store, |name, external| {
            self.define(module, name, external);
        });
        self
    }
}
