// SPDX-License-Identifier: Apache-2.0
//! The engines: each does the steps of a plan and says in the same words what came of them.

use wisp_aotc::desk::Mapping;
use wisp_compiler::Compiled;
use wisp_engine::{Config, Engine, Instance, Linker, Module, Store, TrapCode, Val, ValType};
use wisp_image::Image;

/// Bytes of memory beyond what a module begins with.
const GROWTH: u32 = 16 << 20;
/// Bytes of memory that a module may begin with.
const MEMORY_MAX: u64 = 64 << 20;
/// Elements of a table, at most.
const TABLE: u32 = 1 << 16;
/// Calls and rounds of loops of a step.
const FUEL: u64 = 3_000_000;
/// Instructions of a step in wasmi, of which 64 bytes that are filled or copied count as one.
const WASMI_FUEL: u64 = 200_000_000;
/// Bytes of frames.
const STACK: u32 = 1 << 20;
/// Bytes of native stack.
const NATIVE_STACK: u32 = 2 << 20;

/// An engine with the module in it.
pub trait Side {
    /// Returns the name of the engine.
    fn name(&self) -> &'static str;
    /// Instantiates. Returns `ok`, `trap` or `limit`.
    fn start(&mut self) -> String;
    /// Does a step.
    fn step(&mut self, words: &[&str]) -> Result<String, String>;
    /// Returns a number that tells contents of the memory apart, if the module has one that can be seen.
    fn memory(&self) -> Option<u64>;
}

/// Returns the number of parameters of a function, if all are numbers.
pub fn params_of(image: &Image<'_>, function: u16) -> Option<usize> {
    let imported = image.imports_of(wisp_image::format::external::FUNCTION);
    let defined = usize::from(function).checked_sub(imported)?;
    let ty = image.ty(image.function(defined).ok()?.ty).ok()?;
    let (params, _) = ty.bytes();
    params.iter().all(|&byte| (0x7c..=0x7f).contains(&byte)).then_some(params.len())
}

/// Returns the native code for this machine.
pub fn native(wasm: &[u8], compiled: &Compiled, optimize: &str) -> Result<(Vec<u8>, Mapping), String> {
    let machine = wisp_aotc::Machine::named("x86-64").map_err(|error| error.to_string())?;
    let options = wisp_aotc::Options { optimize: optimize.into(), sites: false, ..Default::default() };
    let native = wisp_aotc::compile(wasm, compiled, &machine, &options).map_err(|error| error.to_string())?;
    println!("native {}", native.code_size);
    let image = wisp_aotc::add_section(&compiled.image, &native).map_err(|error| error.to_string())?;
    Ok((image, Mapping::new(&native.section).map_err(|error| error.to_string())?))
}

fn hash(bytes: &[u8]) -> u64 {
    // zeros behind the last other byte do not count: memories may have grown differently only in size
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    bytes[..end]
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(hex: &str) -> Result<Vec<u8>, String> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).map_err(|_| format!("{hex}: expected hex digits")))
        .collect()
}

fn number(word: &str) -> Result<i64, String> {
    word.parse().map_err(|_| format!("{word}: expected a number"))
}

/// Returns the bytes of memory from an address on, as a step has them.
fn range(words: &[&str], memory: usize) -> Result<std::ops::Range<usize>, String> {
    let start = number(words[1])? as u32 as usize;
    let length = if words[0] == "write" { words[2].len() / 2 } else { number(words[2])? as usize };
    if start + length > memory {
        return Err(format!("{}: outside of the memory of {memory} bytes", words.join(" ")));
    }
    Ok(start..start + length)
}

fn shown(values: impl Iterator<Item = (char, i64)>) -> String {
    values.fold("values".to_string(), |text, (kind, value)| format!("{text} {kind}:{value}"))
}

/// Wisp's interpreter or native code.
pub struct Wisp {
    store: Store<'static, ()>,
    instance: Option<Instance>,
    linker: Linker<'static, ()>,
    module: Module<'static>,
    stubs: Vec<(String, Module<'static>)>,
    native: bool,
}

/// Borrows bytes for as long as the program runs.
fn forever(bytes: &[u8]) -> &'static [u8] {
    Box::leak(bytes.to_vec().into_boxed_slice())
}

impl Wisp {
    /// Reads the module. `native` is its code for this machine.
    pub fn new(image: &[u8], native: Option<&'static Mapping>, stubs: &[(String, Vec<u8>)]) -> Result<Self, String> {
        let read = Image::parse(image).map_err(|error| error.to_string())?;
        let memory = read.manifest().map_err(|error| error.to_string())?.memory;
        let first = memory.map_or(0, |memory| u64::from(memory.min) << memory.page_size_log2);
        if first > MEMORY_MAX {
            return Err(format!("the memory begins with {first} bytes"));
        }
        let largest = first as u32 + GROWTH;
        let config = Config::new().max_memory(largest).table_capacity(TABLE).stack_size(STACK);
        let engine = Engine::new(&config.native_stack(NATIVE_STACK));
        let mut module = Module::new(&engine, forever(image)).map_err(|error| error.to_string())?;
        if let Some(mapping) = native {
            let section = mapping.section().map_err(|refusal| format!("native code: {refusal:?}"))?;
            // SAFETY: the compiler made the section from this module; the mapping is never freed.
            unsafe { module.use_native(&engine, section) }.map_err(|error| format!("native code: {error:?}"))?;
        }
        let mut linked = Vec::new();
        for (name, stub) in stubs {
            let options = wisp_compiler::Options { trim: false, ..Default::default() };
            let compiled = wisp_compiler::compile(stub, &options).map_err(|error| format!("a stub: {error}"))?;
            let stub = Module::new(&engine, forever(&compiled.image)).map_err(|error| error.to_string())?;
            linked.push((name.clone(), stub));
        }
        let arena = vec![0_u64; (largest as usize + (8 << 20) + 8 * TABLE as usize * (1 + linked.len())) / 4];
        let store = Store::new(&engine, Box::leak(arena.into_boxed_slice()), ()).ok_or("the arena is too small")?;
        Ok(Self { store, instance: None, linker: Linker::new(), module, stubs: linked, native: native.is_some() })
    }
}

fn failure(code: TrapCode) -> String {
    match code {
        TrapCode::StackOverflow | TrapCode::OutOfFuel => "limit".into(),
        code => format!("trap {code:?}"),
    }
}

impl Side for Wisp {
    fn name(&self) -> &'static str {
        if self.native {
            "native code"
        } else {
            "interpreter"
        }
    }

    fn start(&mut self) -> String {
        let store = &mut self.store;
        store.set_fuel(Some(FUEL));
        for (name, stub) in &self.stubs {
            match Linker::new().instantiate(store, stub) {
                Ok(stub) => {
                    self.linker.instance(&*store, name, stub);
                }
                Err(error) => return format!("a stub: {}", error.describe(stub.image())),
            }
        }
        match self.linker.instantiate(store, &self.module) {
            Ok(made) => {
                self.instance = Some(made);
                "ok".into()
            }
            Err(wisp_engine::InstantiateError::Trap(trap)) => failure(trap.code),
            Err(error) => format!("refused: {}", error.describe(self.module.image())),
        }
    }

    fn step(&mut self, words: &[&str]) -> Result<String, String> {
        let (store, instance) = (&mut self.store, self.instance.ok_or("not started")?);
        if words[0] != "call" {
            let memory = instance.memory(&*store).ok_or("the module has no memory")?;
            let range = range(words, memory.data(&*store).len())?;
            if words[0] == "write" {
                memory.data_mut(&mut *store)[range].copy_from_slice(&bytes_of(words[2])?);
                return Ok("done".into());
            }
            return Ok(hex(&memory.data(&*store)[range]));
        }
        let func = instance.get_func(&*store, words[1]).ok_or_else(|| format!("no function {}", words[1]))?;
        let ty = func.ty(&*store).ok_or("it has no type")?;
        let (params, results) = (ty.params.to_vec(), ty.results.len());
        let mut arguments = Vec::new();
        for (place, ty) in params.iter().enumerate() {
            let value = number(words.get(2 + place).ok_or("too few arguments")?)?;
            arguments.push(match ty {
                ValType::I64 => Val::I64(value),
                ValType::F32 => Val::from(value as f32),
                ValType::F64 => Val::from(value as f64),
                _ => Val::I32(value as i32),
            });
        }
        let mut out = vec![Val::I32(0); results];
        if !self.native {
            store.set_fuel(Some(FUEL));
        }
        Ok(match func.call(&mut *store, &arguments, &mut out) {
            Ok(()) => shown(out.into_iter().map(|value| match value {
                Val::I32(x) => ('i', i64::from(x)),
                Val::I64(x) => ('I', x),
                Val::F32(x) => ('f', nan32(x)),
                Val::F64(x) => ('F', nan64(x)),
                Val::FuncRef(x) => ('r', i64::from(x.is_some())),
                Val::ExternRef(x) => ('r', i64::from(x.is_some())),
            })),
            Err(trap) => failure(trap.code),
        })
    }

    fn memory(&self) -> Option<u64> {
        self.instance?.memory(&self.store).map(|memory| hash(memory.data(&self.store)))
    }
}

/// Returns all NaNs are the same: their bits may differ between engines.
fn nan32(bits: u32) -> i64 {
    if f32::from_bits(bits).is_nan() {
        -1
    } else {
        i64::from(bits)
    }
}

fn nan64(bits: u64) -> i64 {
    if f64::from_bits(bits).is_nan() {
        -1
    } else {
        bits as i64
    }
}

/// wasmi.
pub struct Wasmi {
    store: wasmi::Store<wasmi::StoreLimits>,
    linker: wasmi::Linker<wasmi::StoreLimits>,
    module: wasmi::Module,
    stubs: Vec<(String, wasmi::Module)>,
    instance: Option<wasmi::Instance>,
    memory: Option<wasmi::Memory>,
}

impl Wasmi {
    /// Reads the module.
    pub fn new(wasm: &[u8], stubs: &[(String, Vec<u8>)]) -> Result<Self, String> {
        let mut config = wasmi::Config::default();
        config.wasm_custom_page_sizes(true).wasm_tail_call(true).wasm_extended_const(true).wasm_multi_memory(false);
        config.compilation_mode(wasmi::CompilationMode::Lazy);
        config.consume_fuel(true);
        let engine = wasmi::Engine::new(&config);
        let read = |wasm: &[u8]| wasmi::Module::new(&engine, wasm).map_err(|error| format!("wasmi: {error}"));
        let module = read(wasm)?;
        let stubs = stubs.iter().map(|(name, stub)| Ok((name.clone(), read(stub)?))).collect::<Result<_, String>>()?;
        let first = first_memory(wasm);
        let limits = wasmi::StoreLimitsBuilder::new().memory_size(first as usize + GROWTH as usize);
        let limits = limits.table_elements(TABLE as usize).instances(100).memories(100).tables(100).build();
        let mut store = wasmi::Store::new(&engine, limits);
        store.limiter(|limits| limits);
        let linker = wasmi::Linker::new(&engine);
        Ok(Self { store, linker, module, stubs, instance: None, memory: None })
    }
}

/// Returns the number of bytes that the memory begins with.
fn first_memory(wasm: &[u8]) -> u64 {
    use wasmparser::{Parser, Payload, TypeRef};
    let mut first = 0;
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        let bytes = |ty: wasmparser::MemoryType| ty.initial << ty.page_size_log2.unwrap_or(16);
        match payload {
            Payload::MemorySection(section) => {
                first += section.into_iter().map_while(Result::ok).map(bytes).sum::<u64>()
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports().map_while(Result::ok) {
                    if let TypeRef::Memory(ty) = import.ty {
                        first += bytes(ty);
                    }
                }
            }
            _ => {}
        }
    }
    first
}

fn wasmi_failure(error: &wasmi::Error) -> String {
    match error.as_trap_code() {
        Some(wasmi::TrapCode::StackOverflow | wasmi::TrapCode::OutOfFuel) => "limit".into(),
        _ => format!("trap {error}"),
    }
}

impl Side for Wasmi {
    fn name(&self) -> &'static str {
        "wasmi"
    }

    fn start(&mut self) -> String {
        if let Err(error) = self.store.set_fuel(WASMI_FUEL) {
            return format!("refused: {error}");
        }
        for (name, stub) in &self.stubs {
            let made = wasmi::Linker::new(self.store.engine()).instantiate_and_start(&mut self.store, stub);
            let instance = match made {
                Ok(instance) => instance,
                Err(error) => return format!("a stub: {error}"),
            };
            let exports: Vec<(String, wasmi::Extern)> =
                instance.exports(&self.store).map(|export| (export.name().to_string(), export.into_extern())).collect();
            for (export, external) in exports {
                if let wasmi::Extern::Memory(memory) = external {
                    self.memory = Some(memory);
                }
                if let Err(error) = self.linker.define(name, &export, external) {
                    return format!("a stub: {error}");
                }
            }
        }
        match self.linker.instantiate_and_start(&mut self.store, &self.module) {
            Ok(instance) => {
                let exported = instance.exports(&self.store).find_map(|export| export.into_extern().into_memory());
                self.memory = exported.or(self.memory);
                self.instance = Some(instance);
                "ok".into()
            }
            Err(error) => wasmi_failure(&error),
        }
    }

    fn step(&mut self, words: &[&str]) -> Result<String, String> {
        let instance = self.instance.ok_or("not started")?;
        if words[0] != "call" {
            let memory = self.memory.ok_or("the memory is neither imported nor exported")?;
            let range = range(words, memory.data(&self.store).len())?;
            if words[0] == "write" {
                memory.data_mut(&mut self.store)[range].copy_from_slice(&bytes_of(words[2])?);
                return Ok("done".into());
            }
            return Ok(hex(&memory.data(&self.store)[range]));
        }
        let func = instance.get_func(&self.store, words[1]).ok_or_else(|| format!("no function {}", words[1]))?;
        let ty = func.ty(&self.store);
        let mut arguments = Vec::new();
        for (place, ty) in ty.params().iter().enumerate() {
            let value = number(words.get(2 + place).ok_or("too few arguments")?)?;
            arguments.push(match ty {
                wasmi::ValType::I64 => wasmi::Val::I64(value),
                wasmi::ValType::F32 => wasmi::Val::F32((value as f32).into()),
                wasmi::ValType::F64 => wasmi::Val::F64((value as f64).into()),
                _ => wasmi::Val::I32(value as i32),
            });
        }
        let mut out = vec![wasmi::Val::I32(0); ty.results().len()];
        self.store.set_fuel(WASMI_FUEL).map_err(|error| format!("wasmi: {error}"))?;
        Ok(match func.call(&mut self.store, &arguments, &mut out) {
            Ok(()) => shown(out.iter().map(|value| match value {
                wasmi::Val::I32(x) => ('i', i64::from(*x)),
                wasmi::Val::I64(x) => ('I', *x),
                wasmi::Val::F32(x) => ('f', nan32(x.to_bits())),
                wasmi::Val::F64(x) => ('F', nan64(x.to_bits())),
                wasmi::Val::FuncRef(x) => ('r', i64::from(!x.is_null())),
                wasmi::Val::ExternRef(x) => ('r', i64::from(!x.is_null())),
                wasmi::Val::V128(_) => ('v', 0),
            })),
            Err(error) => wasmi_failure(&error),
        })
    }

    fn memory(&self) -> Option<u64> {
        self.memory.map(|memory| hash(memory.data(&self.store)))
    }
}
