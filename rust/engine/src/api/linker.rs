// SPDX-License-Identifier: Apache-2.0
//! Linkers: where imports come from.

use wisp_image::Name;

use crate::api::error::{InstantiateError, LinkProblem};
#[cfg(feature = "link")]
use crate::api::externals::Extern;
use crate::api::host_function::HostFunction;
#[cfg(feature = "alloc")]
use crate::api::host_function::IntoHostFunction;
use crate::api::instance::Instance;
use crate::api::module::Module;
use crate::api::store::{Store, StoreContextMut};
use crate::vm::ty::FuncType;

/// Finds host functions that stand in no table of [`HostFunction`]s, like those of a C section.
pub trait Resolve<T> {
    /// The function with this name; `ty` is what the guest expects (the linker compares it with the
    /// signature of what is found).
    fn resolve(&self, module: Name<'_>, name: Name<'_>, ty: FuncType<'_>) -> Option<HostFunction<T>>;

    /// The export of an instance, or object of the host, with this name. Goes before `resolve`.
    #[cfg(feature = "link")]
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

/// A definition with a name of its own.
#[cfg(feature = "alloc")]
struct Named<T> {
    module: alloc::string::String,
    name: alloc::string::String,
    item: Item<T>,
}

#[cfg(feature = "alloc")]
enum Item<T> {
    Extern(Extern),
    Closure(HostFunction<T>, alloc::sync::Arc<dyn core::any::Any + Send + Sync>),
}

/// The sources of imports: tables of host functions, single ones, resolvers, and (with `alloc`) closures
/// and exports of other instances. What was added last is found first, so that it may replace what was there.
pub struct Linker<'h, T> {
    sources: [Option<Source<'h, T>>; SOURCES],
    #[cfg(feature = "alloc")]
    named: alloc::vec::Vec<Named<T>>,
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
        Self {
            sources: [const { None }; SOURCES],
            #[cfg(feature = "alloc")]
            named: alloc::vec::Vec::new(),
        }
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
    /// As [`Linker::table`].
    pub fn resolver(&mut self, resolver: &'h dyn Resolve<T>) -> Result<&mut Self, LinkerFull> {
        self.add(Source::Resolver(resolver))
    }

    /// Adds a single function.
    ///
    /// # Errors
    /// As [`Linker::table`].
    pub fn function(&mut self, function: &'h HostFunction<T>) -> Result<&mut Self, LinkerFull> {
        self.add(Source::Table(core::slice::from_ref(function)))
    }

    /// Adds a closure, which may capture.
    #[cfg(feature = "alloc")]
    pub fn func_wrap<P, R, F>(&mut self, module: &str, name: &str, function: F) -> &mut Self
    where
        F: IntoHostFunction<T, P, R> + Send + Sync + 'static,
    {
        let (host, keep) = crate::api::trampoline::boxed(function);
        self.named.push(Named { module: module.into(), name: name.into(), item: Item::Closure(host, keep) });
        self
    }

    /// Adds an export of an instance, or something the host made.
    #[cfg(feature = "alloc")]
    pub fn define(&mut self, module: &str, name: &str, external: Extern) -> &mut Self {
        self.named.push(Named { module: module.into(), name: name.into(), item: Item::Extern(external) });
        self
    }

    /// Adds all exports of an instance under this module name.
    #[cfg(feature = "alloc")]
    pub fn instance(
        &mut self,
        store: impl crate::api::store::AsContext,
        module: &str,
        instance: Instance,
    ) -> &mut Self {
        instance.for_each_export(store, |name, external| {
            self.define(module, name, external);
        });
        self
    }

    /// Instantiates a module: links its imports, takes its memory, applies its segments, runs its start
    /// function.
    ///
    /// # Errors
    /// See [`InstantiateError`]. What a failing segment or start function did before stays done, as wasm
    /// has it; every other failure leaves the store as it was.
    pub fn instantiate<'a>(&self, store: &mut Store<'a, T>, module: &Module<'a>) -> Result<Instance, InstantiateError> {
        #[cfg(feature = "alloc")]
        for named in &self.named {
            if let Item::Closure(_, keep) = &named.item {
                store.owner.keep(keep);
            }
        }
        let context: StoreContextMut<'_, T> = crate::api::store::AsContextMut::as_context_mut(store);
        crate::api::instantiate::instantiate(self, context.shared, context.data, module)
    }

    /// A host function for an import.
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
        #[cfg(feature = "alloc")]
        if let Some(Item::Closure(function, _)) = self.named(module, name) {
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

    #[cfg(feature = "alloc")]
    fn named(&self, module: Name<'_>, name: Name<'_>) -> Option<&Item<T>> {
        let mut named = self.named.iter().rev();
        named.find(|named| name == *named.name && module == *named.module).map(|named| &named.item)
    }

    /// Returns a definition that is no host function.
    #[cfg(feature = "link")]
    pub(crate) fn external_for(&self, module: Name<'_>, name: Name<'_>) -> Option<Extern> {
        #[cfg(feature = "alloc")]
        if let Some(named) = self.named(module, name) {
            return match named {
                Item::Extern(external) => Some(*external),
                Item::Closure(..) => None,
            };
        }
        self.sources.iter().rev().flatten().find_map(|source| match source {
            Source::Resolver(resolver) => resolver.external(module, name),
            _ => None,
        })
    }

    /// Returns `None`: in this runtime, instances do not link to each other.
    #[cfg(not(feature = "link"))]
    pub(crate) fn external_for(&self, _module: Name<'_>, _name: Name<'_>) -> Option<crate::api::externals::Extern> {
        None
    }
}
