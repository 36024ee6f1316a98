// SPDX-License-Identifier: Apache-2.0
//! Wisp against wasmi 1: in version 2.0.0 a few valid modules panic its translator or lose the value of a
//! `local.tee` over a call.

use arbitrary::Unstructured;
use wisp_aotc::{desk::Mapping, AotError, Machine};
use wisp_compiler::{compile, Compiled, ErrorKind, Options};
use wisp_engine::{
    Config, Engine, Extern, Global, Instance, InstantiateError, Linker, Memory, Module, Store, Table, Trap, TrapCode,
    Val, ValType,
};

use crate::host::{self, Trace, MODULE};
use crate::{modules, Outcome};

/// Bytes of Wisp's arena.
const ARENA: usize = 4 << 20;
/// Bytes of frames: enough for what ends by its own count.
const STACK: u32 = 2 << 20;
/// Bytes of native stack, of the eight megabytes that a main thread has.
const NATIVE_STACK: u32 = 1 << 20;
/// More than any module uses that ends itself.
const FUEL: u64 = 50_000_000;
/// Exported functions that are called.
const CALLS: usize = 12;

/// The result of a call or an instantiation, on either side.
#[derive(PartialEq, Debug)]
enum End {
    Values(Vec<Value>),
    Trap(TrapCode),
    Exit(i32),
    /// A limit that may differ: the runs cannot be compared any further.
    Limit,
}

/// A value that both sides can have. References to functions only by being null.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    Func(bool),
    Extern(Option<u32>),
}

impl From<Val> for Value {
    fn from(value: Val) -> Self {
        match value {
            Val::I32(x) => Self::I32(x),
            Val::I64(x) => Self::I64(x),
            Val::F32(x) => Self::F32(x),
            Val::F64(x) => Self::F64(x),
            Val::FuncRef(x) => Self::Func(x.is_some()),
            Val::ExternRef(x) => Self::Extern(x),
        }
    }
}

/// Wisp's side.
struct Wisp<'a> {
    store: Store<'a, Trace>,
    instance: Instance,
}

fn wisp_end(trap: Trap) -> End {
    match (trap.exit_status(), trap.code) {
        (Some(status), _) => End::Exit(status),
        (None, TrapCode::StackOverflow) => End::Limit,
        (None, code) => End::Trap(code),
    }
}

fn wisp_linker(store: &mut Store<'_, Trace>) -> Option<Linker<'static, Trace>> {
    let mut linker = Linker::from_table(&host::FUNCTIONS);
    let globals = [
        ("gi", Val::I32(-7), false),
        ("gI", Val::I64(1 << 40), true),
        ("gF", Val::from(0.25f64), false),
        ("gf", Val::from(-1.5f32), true),
    ];
    for (name, value, mutable) in globals {
        linker.define(MODULE, name, Extern::Global(Global::new(&mut *store, value, mutable)?));
    }
    let table = Table::new(&mut *store, ValType::FuncRef, 5, Some(200))?;
    let memory = Memory::new(&mut *store, 1, Some(3), 16)?;
    linker.define(MODULE, "table", Extern::Table(table)).define(MODULE, "memory", Extern::Memory(memory));
    Some(linker)
}

impl<'a> Wisp<'a> {
    fn new(engine: &Engine, arena: &'a mut [u64], module: &Module<'a>) -> Result<Self, End> {
        let mut store = Store::new(engine, arena, Trace::new()).expect("the arena is large enough");
        store.set_fuel(Some(FUEL));
        let linker = wisp_linker(&mut store).expect("the arena is large enough");
        match linker.instantiate(&mut store, module) {
            Ok(instance) => Ok(Self { store, instance }),
            Err(InstantiateError::Trap(trap)) => Err(wisp_end(trap)),
            Err(InstantiateError::ArenaTooSmall(..) | InstantiateError::MemoryLimit(..)) => Err(End::Limit),
            Err(error) => panic!("Wisp does not instantiate: {}", error.describe(module.image())),
        }
    }

    fn call(&mut self, name: &str, arguments: &[Val]) -> End {
        let func = self.instance.get_func(&self.store, name).expect("exported");
        let results = func.ty(&self.store).expect("it has a type").results.len();
        let mut results = vec![Val::I32(0); results];
        match func.call(&mut self.store, arguments, &mut results) {
            Ok(()) => End::Values(results.into_iter().map(Value::from).collect()),
            Err(trap) => wisp_end(trap),
        }
    }
}

/// wasmi's side.
struct Wasmi {
    store: wasmi::Store<Trace>,
    instance: wasmi::Instance,
}

fn wasmi_end(error: &wasmi::Error) -> End {
    use wasmi::errors::{ErrorKind, InstantiationError};
    use wasmi::TrapCode as Other;
    if let Some(status) = error.i32_exit_status() {
        return End::Exit(status);
    }
    // what a segment or a bulk operation runs into is no trap code in wasmi
    match error.kind() {
        ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) | ErrorKind::Table(_) => {
            return End::Trap(TrapCode::TableOutOfBounds);
        }
        ErrorKind::Memory(_) => return End::Trap(TrapCode::MemoryOutOfBounds),
        _ => {}
    }
    End::Trap(match error.as_trap_code() {
        Some(Other::UnreachableCodeReached) => TrapCode::Unreachable,
        Some(Other::MemoryOutOfBounds) => TrapCode::MemoryOutOfBounds,
        Some(Other::TableOutOfBounds) => TrapCode::TableOutOfBounds,
        Some(Other::IndirectCallToNull) => TrapCode::IndirectCallToNull,
        Some(Other::IntegerDivisionByZero) => TrapCode::IntegerDivisionByZero,
        Some(Other::IntegerOverflow) => TrapCode::IntegerOverflow,
        Some(Other::BadConversionToInteger) => TrapCode::BadConversionToInteger,
        Some(Other::BadSignature) => TrapCode::BadSignature,
        Some(Other::StackOverflow) => return End::Limit,
        _ => panic!("wasmi: {error}"),
    })
}

fn wasmi_value(value: &wasmi::Val, store: &wasmi::Store<Trace>) -> Value {
    match value {
        wasmi::Val::I32(x) => Value::I32(*x),
        wasmi::Val::I64(x) => Value::I64(*x),
        wasmi::Val::F32(x) => Value::F32(x.to_bits()),
        wasmi::Val::F64(x) => Value::F64(x.to_bits()),
        wasmi::Val::FuncRef(x) => Value::Func(!x.is_null()),
        wasmi::Val::ExternRef(x) => Value::Extern(x.val().and_then(|x| x.data(store).downcast_ref().copied())),
        wasmi::Val::V128(_) => panic!("no vectors"),
    }
}

fn wasmi_linker(engine: &wasmi::Engine, store: &mut wasmi::Store<Trace>) -> Result<wasmi::Linker<Trace>, wasmi::Error> {
    type Caller<'a> = wasmi::Caller<'a, Trace>;
    let mut linker = wasmi::Linker::new(engine);
    linker.func_wrap(MODULE, "none", |mut caller: Caller<'_>| caller.data_mut().push(0))?;
    linker.func_wrap(MODULE, "i", |mut caller: Caller<'_>, x: u32| -> u32 {
        caller.data_mut().push(u64::from(x));
        x.wrapping_add(1)
    })?;
    linker.func_wrap(MODULE, "ii", |mut caller: Caller<'_>, x: u32, y: u32| -> u32 {
        caller.data_mut().extend([u64::from(x), u64::from(y)]);
        host::ii(x, y)
    })?;
    linker.func_wrap(MODULE, "mixed", |mut caller: Caller<'_>, a: u64, b: u32, c: f64, d: f32| -> u64 {
        caller.data_mut().extend([a, u64::from(b), c.to_bits(), u64::from(d.to_bits())]);
        host::mixed(a, b, c, d)
    })?;
    linker.func_wrap(MODULE, "f", |mut caller: Caller<'_>, x: f32| -> f64 {
        caller.data_mut().push(u64::from(x.to_bits()));
        f64::from(x.to_bits())
    })?;
    linker.func_wrap(MODULE, "F", |mut caller: Caller<'_>, x: f64| -> f32 {
        caller.data_mut().push(x.to_bits());
        (x.to_bits() >> 40) as f32
    })?;
    linker.func_wrap(MODULE, "two", |mut caller: Caller<'_>, x: u32| -> (u32, u64) {
        caller.data_mut().push(u64::from(x));
        (!x, u64::from(x) << 7)
    })?;
    linker.func_wrap(MODULE, "wide", |mut caller: Caller<'_>, x: u64, y: u64| -> u64 {
        caller.data_mut().extend([x, y]);
        x.wrapping_sub(y)
    })?;
    linker.func_wrap(MODULE, "exit", |mut caller: Caller<'_>, x: i32| -> Result<(), wasmi::Error> {
        caller.data_mut().push(u64::from(x as u32));
        if x & 7 == 0 {
            Err(wasmi::Error::i32_exit(x))
        } else {
            Ok(())
        }
    })?;
    let globals = [
        ("gi", wasmi::Val::I32(-7), wasmi::Mutability::Const),
        ("gI", wasmi::Val::I64(1 << 40), wasmi::Mutability::Var),
        ("gF", wasmi::Val::F64(0.25.into()), wasmi::Mutability::Const),
        ("gf", wasmi::Val::F32((-1.5).into()), wasmi::Mutability::Var),
    ];
    for (name, value, mutability) in globals {
        let global = wasmi::Global::new(&mut *store, value, mutability);
        linker.define(MODULE, name, global)?;
    }
    let ty = wasmi::TableType::new(wasmi::ValType::FuncRef, 5, Some(200));
    let table = wasmi::Table::new(&mut *store, ty, wasmi::Val::FuncRef(wasmi::Ref::Null))?;
    linker.define(MODULE, "table", table)?;
    let memory = wasmi::Memory::new(&mut *store, wasmi::MemoryType::new(1, Some(3)))?;
    linker.define(MODULE, "memory", memory)?;
    Ok(linker)
}

impl Wasmi {
    fn new(engine: &wasmi::Engine, module: &wasmi::Module) -> Result<Self, End> {
        let mut store = wasmi::Store::new(engine, Trace::new());
        let linker = wasmi_linker(engine, &mut store).expect("wasmi takes the host's definitions");
        match linker.instantiate_and_start(&mut store, module) {
            Ok(instance) => Ok(Self { store, instance }),
            Err(error) => Err(wasmi_end(&error)),
        }
    }

    fn argument(&mut self, value: Val) -> wasmi::Val {
        match value {
            Val::I32(x) => wasmi::Val::I32(x),
            Val::I64(x) => wasmi::Val::I64(x),
            Val::F32(x) => wasmi::Val::F32(f32::from_bits(x).into()),
            Val::F64(x) => wasmi::Val::F64(f64::from_bits(x).into()),
            Val::FuncRef(_) => wasmi::Val::FuncRef(wasmi::Ref::Null),
            Val::ExternRef(None) => wasmi::Val::ExternRef(wasmi::Ref::Null),
            Val::ExternRef(Some(x)) => {
                wasmi::Val::ExternRef(wasmi::Ref::Val(wasmi::ExternRef::new::<u32>(&mut self.store, x)))
            }
        }
    }

    fn call(&mut self, name: &str, arguments: &[Val]) -> End {
        let func = self.instance.get_func(&self.store, name).expect("exported");
        let ty = func.ty(&self.store);
        let mut results = vec![wasmi::Val::I32(0); ty.results().len()];
        let arguments: Vec<wasmi::Val> = arguments.iter().map(|&value| self.argument(value)).collect();
        match func.call(&mut self.store, &arguments, &mut results) {
            Ok(()) => End::Values(results.iter().map(|value| wasmi_value(value, &self.store)).collect()),
            Err(error) => wasmi_end(&error),
        }
    }
}

/// Memories, globals, tables and calls of the host are the same.
fn compare_state(wisp: &Wisp<'_>, wasmi: &Wasmi, after: &str) {
    assert_eq!(wisp.store.data(), wasmi.store.data(), "calls of host functions after {after}");
    let mut exports = Vec::new();
    wisp.instance.for_each_export(&wisp.store, |name, external| exports.push((name.to_string(), external)));
    for (name, external) in exports {
        let other = wasmi.instance.get_export(&wasmi.store, &name).expect("wasmi has the same exports");
        match (external, other) {
            (Extern::Func(_), wasmi::Extern::Func(_)) => {}
            (Extern::Global(one), wasmi::Extern::Global(other)) => {
                let one = one.get(&wisp.store).map(Value::from);
                let other = wasmi_value(&other.get(&wasmi.store), &wasmi.store);
                assert_eq!(one, Some(other), "global `{name}` after {after}");
            }
            (Extern::Memory(one), wasmi::Extern::Memory(other)) => {
                assert_eq!(u64::from(one.size(&wisp.store)), other.size(&wasmi.store), "pages after {after}");
                let (one, other) = (one.data(&wisp.store), other.data(&wasmi.store));
                let differ = one.iter().zip(other).position(|(one, other)| one != other);
                assert_eq!(differ, None, "memory at this address after {after}");
                assert_eq!(one.len(), other.len(), "bytes of memory after {after}");
            }
            (Extern::Table(one), wasmi::Extern::Table(other)) => {
                let size = one.size(&wisp.store);
                assert_eq!(u64::from(size), other.size(&wasmi.store), "size of table `{name}` after {after}");
                for index in 0..size {
                    let one = one.get(&wisp.store, index).map(Value::from);
                    let other =
                        other.get(&wasmi.store, u64::from(index)).map(|other| wasmi_value(&other, &wasmi.store));
                    assert_eq!(one, other, "element {index} of table `{name}` after {after}");
                }
            }
            _ => panic!("export `{name}` is of another kind"),
        }
    }
}

fn arguments(u: &mut Unstructured<'_>, types: &[ValType]) -> arbitrary::Result<Vec<Val>> {
    const WIDE: [u64; 8] = [0, 1, u64::MAX, 1 << 63, i64::MAX as u64, 0xffff_ffff, 0x8000_0000, 65536];
    let bits = |u: &mut Unstructured<'_>| -> arbitrary::Result<u64> {
        Ok(if u.ratio(1, 2)? { *u.choose(&WIDE)? } else { u.arbitrary()? })
    };
    types
        .iter()
        .map(|&ty| {
            Ok(match ty {
                ValType::I32 => Val::I32(bits(u)? as i32),
                ValType::I64 => Val::I64(bits(u)? as i64),
                // a NaN with a payload may come back with another one
                ValType::F32 => {
                    Val::from(Some(f32::from_bits(bits(u)? as u32)).filter(|x| !x.is_nan()).unwrap_or(f32::NAN))
                }
                ValType::F64 => Val::from(Some(f64::from_bits(bits(u)?)).filter(|x| !x.is_nan()).unwrap_or(f64::NAN)),
                ValType::FuncRef => Val::FuncRef(None),
                ValType::ExternRef => Val::ExternRef(u.arbitrary::<Option<u16>>()?.map(u32::from)),
            })
        })
        .collect()
}

fn wasmi_engine() -> wasmi::Engine {
    let mut config = wasmi::Config::default();
    config.wasm_custom_page_sizes(true).wasm_tail_call(true).wasm_extended_const(true).wasm_multi_memory(false);
    config.compilation_mode(wasmi::CompilationMode::Eager);
    wasmi::Engine::new(&config)
}

/// Runs one input in the interpreter.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    compare(&mut u, None).unwrap_or(Outcome::Rejected)
}

/// Runs one input as native code.
pub fn run_native(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    native_options(&mut u).and_then(|options| compare(&mut u, Some(&options))).unwrap_or(Outcome::Rejected)
}

fn native_options(u: &mut Unstructured<'_>) -> arbitrary::Result<wisp_aotc::Options> {
    Ok(wisp_aotc::Options {
        strict: u.ratio(1, 2)?,
        sites: u.arbitrary()?,
        callers: u.arbitrary()?,
        assert_known: true,
        optimize: (*u.choose(&["-O1", "-O2", "-Os"])?).into(),
        ..Default::default()
    })
}

/// Returns the image with native code, and that code where it can be executed, or `None` if the module exceeds a limit
/// of the compiler.
fn mapped(wasm: &[u8], compiled: &Compiled, options: &wisp_aotc::Options) -> Option<(Vec<u8>, Mapping)> {
    let machine = Machine::named("x86-64").expect("it is a target");
    match wisp_aotc::compile(wasm, compiled, &machine, options) {
        Ok(native) => {
            let image = wisp_aotc::add_section(&compiled.image, &native).expect("the image can be read");
            Some((image, Mapping::new(&native.section).expect("the system maps code")))
        }
        Err(AotError::FunctionTooLarge(..)) => None,
        Err(error) => panic!("a valid module was refused: {error}"),
    }
}

/// Returns the same failure. Of which kind a trap is may differ where checks come early.
fn same(one: Option<&End>, other: Option<&End>, native: Option<&wisp_aotc::Options>) -> bool {
    let early = native.is_some_and(|options| !options.strict);
    one == other || early && matches!((one, other), (Some(End::Trap(_)), Some(End::Trap(_))))
}

fn compare(u: &mut Unstructured<'_>, native: Option<&wisp_aotc::Options>) -> arbitrary::Result<Outcome> {
    let wasm = modules::module(u, modules::Imports::Known)?;
    match compile(&wasm, &Options { trim: false, ..Options::default() }) {
        Ok(compiled) => compare_module(u, &wasm, &compiled, native),
        Err(error) => match error.kind {
            ErrorKind::FrameTooLarge(_) | ErrorKind::TooMany { .. } => Ok(Outcome::Refused),
            _ => panic!("a valid module was refused: {error}"),
        },
    }
}

/// Runs a module, compiled, on both sides.
///
/// # Errors
/// The bytes give no arguments for its functions.
pub fn compare_module(
    u: &mut Unstructured<'_>,
    wasm: &[u8],
    compiled: &Compiled,
    native: Option<&wisp_aotc::Options>,
) -> arbitrary::Result<Outcome> {
    let slice = u.int_in_range(1..=1000)?;
    let limits = Config::new().max_memory(modules::MEMORY).table_capacity(modules::TABLE);
    let engine = Engine::new(&limits.stack_size(STACK).fuel_slice(slice).native_stack(NATIVE_STACK));
    let built = match native.map(|options| mapped(wasm, compiled, options)) {
        Some(None) => return Ok(Outcome::Refused),
        other => other.flatten(),
    };
    let image = built.as_ref().map_or(&compiled.image, |(image, _)| image);
    let mut module = Module::new(&engine, image).expect("the compiler's image passes the verifier");
    if let Some((_, mapping)) = &built {
        let section = mapping.section().expect("the section can be read");
        // SAFETY: made above from this module; the mapping is dropped after the store.
        unsafe { module.use_native(&engine, section) }.expect("the section fits its image");
    }
    let other_engine = wasmi_engine();
    let other = wasmi::Module::new(&other_engine, wasm).expect("wasmi takes the module");
    let mut arena = vec![0u64; ARENA / 8];
    let wisp = Wisp::new(&engine, &mut arena, &module);
    let wasmi = Wasmi::new(&other_engine, &other);
    let (mut wisp, mut wasmi) = match (wisp, wasmi) {
        (Ok(wisp), Ok(wasmi)) => (wisp, wasmi),
        (Err(End::Limit), _) | (_, Err(End::Limit)) => return Ok(Outcome::Refused),
        (one, other) => {
            let (one, other) = (one.err(), other.err());
            assert!(same(one.as_ref(), other.as_ref(), native), "instantiation: {one:?}, {other:?}");
            return Ok(Outcome::Ran);
        }
    };
    compare_state(&wisp, &wasmi, "instantiation");
    // checks that are made once for a basic block come before its stores
    let early = native.is_some_and(|options| !options.strict);
    let mut functions = Vec::new();
    wisp.instance.for_each_export(&wisp.store, |name, external| {
        if let Extern::Func(func) = external {
            functions.push((name.to_string(), func));
        }
    });
    for (name, func) in functions.into_iter().take(CALLS) {
        let types = func.ty(&wisp.store).expect("it has a type").params.to_vec();
        let Ok(arguments) = arguments(u, &types) else { break };
        wisp.store.set_fuel(Some(FUEL));
        let (one, other) = (wisp.call(&name, &arguments), wasmi.call(&name, &arguments));
        if one == End::Limit || other == End::Limit {
            return Ok(Outcome::Refused);
        }
        if early && matches!((&one, &other), (End::Trap(_), End::Trap(_))) {
            return Ok(Outcome::Ran);
        }
        assert_eq!(one, other, "`{name}` with {arguments:x?}: Wisp left, wasmi right");
        compare_state(&wisp, &wasmi, &name);
    }
    Ok(Outcome::Ran)
}
