// SPDX-License-Identifier: Apache-2.0
//! Linkers: where imports come from.

#[cfg_attr(not(feature = "alloc"), path = "linker/definitions_absent.rs")]
mod definitions;

use wisp_image::Name;

use self::definitions::Definitions;
use crate::api::error::{InstantiateError, LinkProblem};
use crate::api::externals::Extern;
use crate::api::host_function::HostFunction;
use crate::api::instance::Instance;
use crate::api::module::Module;
use crate::api::store::{Store, StoreContextMut};
use crate::vm::ty::FuncType;

/// Finds host functions that stand in no table of [`HostFunction`]s, like those of a C section.
pub trait Resolve<T> {
    /// Returns the function with this name. `ty` is what the guest expects (the linker compares it with the
    /// signature of what is found).
    fn resolve(&self, module: Name<'_>, name: Name<'_>, ty: FuncType<'_>) -> Option<HostFunction<T>>;

    /// Returns the export of an instance, or object of the host, with this name. Goes before `resolve`. Is not called
    /// without the feature `link`.
    fn external(&self, _module: Name<'_>, _name: Name<'_>) -> Option<Extern> {
        None
    }
}

/// Tables of host functions a linker can hold without an allocator.
const SOURCES: usize = 8;

enum Source<'h, T> {
    Table(&'h [HostFunction<T>]),
    Resolver(&'h dyn Resolve<T>),
}

/// The sources of imports: tables of host functions, single ones, resolvers, and (with `alloc`) closures
/// and exports of other instances. What was added last is found first, so that it may replace what was there.
pub struct Linker<'h, T> {
    sources: [Option<Source<'h, T>>; SOURCES],
    named: Definitions<T>,
}

impl<T> Default for Linker<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

/// The linker holds as many tables as it can.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkerFull;

impl<'h, T> Linker<'h, T> {
    /// Defines nothing.
    pub const fn new() -> Self {
        Self { sources: [const { None }; SOURCES], named: Definitions::new() }
    }

    /// Defines the functions of a table.
    pub fn from_table(table: &'h [HostFunction<T>]) -> Self {
        let mut linker = Self::new();
        linker.sources[0] = Some(Source::Table(table));
        linker
    }

    /// Asks these resolvers, the last one first.
    pub fn from_resolvers<const N: usize>(resolvers: [&'h dyn Resolve<T>; N]) -> Self {
        const { assert!(N <= SOURCES, "a linker without an allocator holds eight sources") };
        let mut linker = Self::new();
        for (place, resolver) in linker.sources.iter_mut().zip(resolvers) {
            *place = Some(Source::Resolver(resolver));
        }
        linker
    }

    fn add(&mut self, source: Source<'h, T>) -> Result<&mut Self, LinkerFull> {
        let place = self.sources.iter_mut().find(|place| place.is_none()).ok_or(LinkerFull)?;
        *place = Some(source);
        Ok(self)
    }

    /// Adds the functions of a table.
    ///
    /// # Errors
    /// The linker is full: it holds eight tables, resolvers and single functions.
    pub fn table(&mut self, table: &'h [HostFunction<T>]) -> Result<&mut Self, LinkerFull> {
        self.add(Source::Table(table))
    }

    /// Adds whatever a resolver finds.
    ///
    /// # Errors
    /// Returns the errors of [`Linker::table`].
    pub fn resolver(&mut self, resolver: &'h dyn Resolve<T>) -> Result<&mut Self, LinkerFull> {
        self.add(Source::Resolver(resolver))
    }

    /// Adds a single function.
    ///
    /// # Errors
    /// Returns the errors of [`Linker::table`].
    pub fn function(&mut self, function: &'h HostFunction<T>) -> Result<&mut Self, LinkerFull> {
        self.add(Source::Table(core::slice::from_ref(function)))
    }

    /// Instantiates a module: links its imports, takes its memory, applies its segments, runs its start
    /// function.
    ///
    /// # Errors
    /// See [`InstantiateError`]. What a failing segment or start function did before stays done, as wasm has it. Every
    /// other failure leaves the store as it was.
    pub fn instantiate<'a>(&self, store: &mut Store<'a, T>, module: &Module<'a>) -> Result<Instance, InstantiateError> {
        self.named.keep(&mut store.owner);
        let context: StoreContextMut<'_, T> = crate::api::store::AsContextMut::as_context_mut(store);
        crate::api::instantiate::instantiate(self, context.shared, context.data, module)
    }

    /// Returns a host function for an import.
    pub(crate) fn function_for(
        &self,
        module: Name<'_>,
        name: Name<'_>,
        ty: FuncType<'_>,
    ) -> Result<HostFunction<T>, LinkProblem> {
        let check = |function: &HostFunction<T>| {
            if function.signature.matches(ty) {
                Ok(*function)
            } else {
                Err(LinkProblem::Signature)
            }
        };
        let wanted = |function: &&HostFunction<T>| name == function.name && module == function.module;
        if let Some(function) = self.named.function(module, name) {
            return check(function);
        }
        for source in self.sources.iter().rev().flatten() {
            let found = match source {
                Source::Table(table) => table.iter().find(wanted).copied(),
                Source::Resolver(resolver) => resolver.resolve(module, name, ty),
            };
            if let Some(function) = found {
                return check(&function);
            }
        }
        Err(LinkProblem::Unknown)
    }

    /// Returns a definition that is no host function: none where instances do not link to each other.
    pub(crate) fn external_for(&self, module: Name<'_>, name: Name<'_>) -> Option<Extern> {
        if !cfg!(feature = "link") {
            return None;
        }
        if let Some(named) = self.named.external(module, name) {
            return named;
        }
        self.sources.iter().rev().flatten().find_map(|source| match source {
            Source::Resolver(resolver) => resolver.external(module, name),
            Source::Table(_) => None,
        })
    }
}
