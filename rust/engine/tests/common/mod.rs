// SPDX-License-Identifier: Apache-2.0
//! From text to an instance.
#![allow(dead_code)]

use wisp_engine::{Config, Engine, Func, Instance, InstantiateError, Linker, Module, Store, TypedFunc, WasmValues};

/// Limits for tests on a workstation.
pub fn engine() -> Engine {
    Engine::new(&Config::new().stack_size(64 << 10).max_memory(1 << 20).table_capacity(64))
}

/// Returns the image of a module in text form. It lives as long as the test process.
pub fn image(wat: &str) -> &'static [u8] {
    image_of(wat, true)
}

/// Compiles like [`image`], with the memory trimmed or not. Nobody outside grows a trimmed one.
pub fn image_of(wat: &str, trim: bool) -> &'static [u8] {
    let wasm = wat::parse_str(wat).expect("the text is a module");
    let compiled = wisp_compiler::compile(&wasm, &wisp_compiler::Options { trim, ..Default::default() });
    let image = compiled.map_err(|error| error.to_string()).expect("the module compiles").image;
    Vec::leak(image)
}

/// Returns a module in text form.
pub fn module(wat: &str) -> Module<'static> {
    module_of(image(wat))
}

/// Returns a module that was compiled.
pub fn module_of(image: &'static [u8]) -> Module<'static> {
    match Module::new(&engine(), image) {
        Ok(module) => module,
        Err(error) => panic!("the image does not verify: {error:?}"),
    }
}

/// Returns a store with room for several instances.
pub fn store<T>(data: T) -> Store<'static, T> {
    Store::with_capacity(&engine(), 4 << 20, data).expect("there is memory")
}

/// Returns an instance in a store of its own.
pub fn instance<T>(
    wat: &str,
    linker: &Linker<'_, T>,
    data: T,
) -> Result<(Store<'static, T>, Instance), InstantiateError> {
    let mut store = store(data);
    let instance = linker.instantiate(&mut store, &module(wat))?;
    Ok((store, instance))
}

/// An instance without imports.
pub struct Guest {
    pub store: Store<'static, ()>,
    pub instance: Instance,
}

impl Guest {
    pub fn new(wat: &str) -> Self {
        let (store, instance) = instance(wat, &Linker::new(), ()).expect("it needs no imports");
        Self { store, instance }
    }

    pub fn func(&self, name: &str) -> Func {
        self.instance.get_func(&self.store, name).expect("it is exported")
    }

    pub fn typed<P: WasmValues, R: WasmValues>(&self, name: &str) -> TypedFunc<P, R> {
        self.instance.get_typed_func(&self.store, name).expect("it is exported with this type")
    }
}
