// SPDX-License-Identifier: Apache-2.0
//! The index spaces of one component, as its sections define them.

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentType,
    ComponentTypeRef, ExternalKind, Instance, Parser, Payload, TypeBounds,
};

use crate::Error;

/// A core function of a component.
#[derive(Debug)]
pub enum CoreFunc<'a> {
    /// The export of a core instance.
    Export(u32, &'a str),
    /// A component function, lowered by the canonical ABI.
    Lower(u32, Box<[CanonicalOption]>),
    /// Drops a handle of the resource with this type index.
    Drop(u32),
    /// Makes or reads a handle of a resource that the component defines.
    Own,
    /// Any other function of the canonical ABI.
    Other,
}

/// A component function.
#[derive(Debug)]
pub enum Func<'a> {
    /// An import of the component itself.
    Import(&'a str),
    /// The export of an instance.
    Export(u32, &'a str),
    /// A core function, lifted by the canonical ABI.
    Lift(u32),
    /// Another name for the function with this index.
    Same(u32),
}

/// A component instance.
#[derive(Debug)]
pub enum Inst<'a> {
    /// An import of the component.
    Import(&'a str),
    /// An instance that the component makes.
    Made(ComponentInstance<'a>),
    /// Another name for the instance with this index.
    Same(u32),
    /// An instance inside another one.
    Inner,
}

/// A component type, as far as resources need it.
#[derive(Debug, Clone, Copy)]
pub enum Ty<'a> {
    /// The export of an instance.
    Export(u32, &'a str),
    /// A resource that the world itself imports.
    Import(&'a str),
    /// A resource that the component defines, with the core function that ends one.
    Own(Option<u32>),
    /// Any other type.
    Other,
}

/// A name in the world of a component, and what stands behind it.
#[derive(Debug)]
pub struct Item<'a> {
    /// The name, for example `wasi:cli/run@0.2.6`.
    pub name: &'a str,
    /// The kind of the item.
    pub kind: ComponentExternalKind,
    /// Its index among the items of this kind.
    pub index: u32,
}

/// One component without the components inside it.
#[derive(Debug, Default)]
pub struct Component<'a> {
    /// The core modules, or `None` for one that is imported.
    pub modules: Vec<Option<&'a [u8]>>,
    /// The components inside, or `None` for one that is imported.
    pub components: Vec<Option<&'a [u8]>>,
    pub core_instances: Vec<Instance<'a>>,
    pub core_funcs: Vec<CoreFunc<'a>>,
    /// Core tables: the instance and the name of its export.
    pub core_tables: Vec<(u32, &'a str)>,
    /// Core memories, in the same form.
    pub core_memories: Vec<(u32, &'a str)>,
    pub funcs: Vec<Func<'a>>,
    pub instances: Vec<Inst<'a>>,
    pub types: Vec<Ty<'a>>,
    pub imports: Vec<Item<'a>>,
    pub exports: Vec<Item<'a>>,
    /// True if it has a start function of the component model.
    pub starts: bool,
    /// True if a function is lifted or lowered as an async one, or a built-in for them is used.
    pub asynchronous: bool,
}

impl<'a> Component<'a> {
    /// Reads the sections.
    ///
    /// # Errors
    /// Bytes that are no component.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut component = Self::default();
        let mut depth = 0u32;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match &payload {
                Payload::ModuleSection { unchecked_range, .. } => {
                    if depth == 0 {
                        component.modules.push(Some(slice(bytes, unchecked_range)));
                    }
                    depth += 1;
                }
                Payload::ComponentSection { unchecked_range, .. } => {
                    if depth == 0 {
                        component.components.push(Some(slice(bytes, unchecked_range)));
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ if depth == 0 => component.section(payload)?,
                _ => {}
            }
        }
        Ok(component)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), Error> {
        match payload {
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    self.core_instances.push(instance?);
                }
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances {
                    self.instances.push(Inst::Made(instance?));
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    self.alias(&alias?);
                }
            }
            Payload::ComponentTypeSection(types) => {
                for ty in types {
                    self.types.push(match ty? {
                        ComponentType::Resource { dtor, .. } => Ty::Own(dtor),
                        _ => Ty::Other,
                    });
                }
            }
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions {
                    self.canonical(function?);
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    let import = import?;
                    self.import(import.name.name, &import.ty);
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    self.export(Item { name: export.name.name, kind: export.kind, index: export.index });
                }
            }
            Payload::ComponentStartSection { .. } => self.starts = true,
            _ => {}
        }
        Ok(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'a>) {
        match *alias {
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => match kind {
                ExternalKind::Func | ExternalKind::FuncExact => {
                    self.core_funcs.push(CoreFunc::Export(instance_index, name));
                }
                ExternalKind::Table => self.core_tables.push((instance_index, name)),
                ExternalKind::Memory => self.core_memories.push((instance_index, name)),
                // no other item of the component can need these
                ExternalKind::Global | ExternalKind::Tag => {}
            },
            ComponentAlias::InstanceExport { kind, instance_index, name } => match kind {
                ComponentExternalKind::Func => self.funcs.push(Func::Export(instance_index, name)),
                ComponentExternalKind::Type => self.types.push(Ty::Export(instance_index, name)),
                ComponentExternalKind::Instance => self.instances.push(Inst::Inner),
                ComponentExternalKind::Module => self.modules.push(None),
                ComponentExternalKind::Component => self.components.push(None),
                ComponentExternalKind::Value => {}
            },
            ComponentAlias::Outer { kind, .. } => match kind {
                wasmparser::ComponentOuterAliasKind::CoreModule => self.modules.push(None),
                wasmparser::ComponentOuterAliasKind::Component => self.components.push(None),
                wasmparser::ComponentOuterAliasKind::Type => self.types.push(Ty::Other),
                wasmparser::ComponentOuterAliasKind::CoreType => {}
            },
        }
    }

    fn canonical(&mut self, function: CanonicalFunction) {
        match function {
            CanonicalFunction::Lift { core_func_index, options, .. } => {
                self.asynchronous |= is_async(&options);
                self.funcs.push(Func::Lift(core_func_index));
            }
            CanonicalFunction::Lower { func_index, options } => {
                self.asynchronous |= is_async(&options);
                self.core_funcs.push(CoreFunc::Lower(func_index, options));
            }
            CanonicalFunction::ResourceDrop { resource } => self.core_funcs.push(CoreFunc::Drop(resource)),
            CanonicalFunction::ResourceNew { .. } | CanonicalFunction::ResourceRep { .. } => {
                self.core_funcs.push(CoreFunc::Own);
            }
            _ => {
                self.asynchronous = true;
                self.core_funcs.push(CoreFunc::Other);
            }
        }
    }

    fn import(&mut self, name: &'a str, ty: &ComponentTypeRef) {
        let kind = ty.kind();
        let index = match kind {
            ComponentExternalKind::Func => push(&mut self.funcs, Func::Import(name)),
            ComponentExternalKind::Instance => push(&mut self.instances, Inst::Import(name)),
            ComponentExternalKind::Type => {
                let ty = self.imported_type(name, ty);
                push(&mut self.types, ty)
            }
            ComponentExternalKind::Module => push(&mut self.modules, None),
            ComponentExternalKind::Component => push(&mut self.components, None),
            ComponentExternalKind::Value => 0,
        };
        self.imports.push(Item { name, kind, index });
    }

    /// Returns an imported type: another name for one before it, or a resource.
    fn imported_type(&self, name: &'a str, ty: &ComponentTypeRef) -> Ty<'a> {
        match ty {
            ComponentTypeRef::Type(TypeBounds::Eq(same)) => self.type_at(*same),
            ComponentTypeRef::Type(TypeBounds::SubResource) => Ty::Import(name),
            _ => Ty::Other,
        }
    }

    /// Returns the type with an index, and [`Ty::Other`] for an index that leads nowhere.
    pub fn type_at(&self, index: u32) -> Ty<'a> {
        self.types.get(index as usize).copied().unwrap_or(Ty::Other)
    }

    /// Takes an export, which gives its item one more index.
    fn export(&mut self, item: Item<'a>) {
        let at = item.index as usize;
        match item.kind {
            ComponentExternalKind::Func => self.funcs.push(Func::Same(item.index)),
            ComponentExternalKind::Instance => self.instances.push(Inst::Same(item.index)),
            ComponentExternalKind::Type => self.types.push(self.type_at(item.index)),
            ComponentExternalKind::Module => self.modules.push(self.modules.get(at).copied().flatten()),
            ComponentExternalKind::Component => self.components.push(self.components.get(at).copied().flatten()),
            ComponentExternalKind::Value => {}
        }
        self.exports.push(item);
    }
}

fn is_async(options: &[CanonicalOption]) -> bool {
    options.iter().any(|option| matches!(option, CanonicalOption::Async | CanonicalOption::Callback(_)))
}

fn slice<'a>(bytes: &'a [u8], range: &core::ops::Range<u64>) -> &'a [u8] {
    bytes.get(range.start as usize..range.end as usize).unwrap_or_default()
}

fn push<T>(list: &mut Vec<T>, item: T) -> u32 {
    list.push(item);
    (list.len() - 1) as u32
}
