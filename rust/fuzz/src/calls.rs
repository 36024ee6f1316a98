// SPDX-License-Identifier: Apache-2.0
//! Calls of host functions by a guest that means harm. The guest has every function of the ABI's table, so a
//! function is fuzzed from the moment it is described. Its linear memory ends at a forbidden page.

use std::cell::RefCell;
use std::fmt::Write;

use arbitrary::{Result, Unstructured};
use wisp_abi::{ErrorSpace, Function, Interface, Kind, Returns, INTERFACES};
use wisp_compiler::{compile, Options};
use wisp_engine::{Config, Engine, Func, Instance, Linker, Memory, Module, Store, TrapCode, Val};
use wisp_host::{App, Interfaces};
use wisp_sim::{Board, Capture, SimPlatform, TraceFormat};

use crate::guard::Guarded;

/// Bytes of linear memory.
pub const MEMORY: u32 = 4096;
/// Bytes of the arena: frames, records of an instance with some hundred imports, linear memory.
const ARENA: usize = 128 << 10;

thread_local! {
    static IMAGE: Vec<u8> = image();
    static PLACE: RefCell<Guarded> = RefCell::new(Guarded::new(ARENA));
}

/// Returns every function, with the interface that has it.
pub fn functions() -> impl Iterator<Item = (&'static Interface, &'static Function)> {
    INTERFACES.iter().flat_map(|interface| interface.functions.iter().map(move |function| (interface, function)))
}

fn types(function: &Function) -> (Vec<&'static str>, &'static str) {
    let mut params = Vec::new();
    for param in function.params {
        match param.kind {
            Kind::U64 | Kind::I64 => params.push("i64"),
            Kind::Bytes | Kind::Buffer => params.extend(["i32", "i32"]),
            _ => params.push("i32"),
        }
    }
    let result = match function.returns {
        Returns::Nothing | Returns::Value(_) | Returns::Handle => "i32",
        Returns::U64(_) => "i64",
        Returns::Never => "",
    };
    (params, result)
}

/// Returns a guest that exports a function for each that it imports, with the same type.
fn image() -> Vec<u8> {
    let (mut imports, mut exports) = (String::new(), String::new());
    for (index, (interface, function)) in functions().enumerate() {
        let (params, result) = types(function);
        let ty = match result {
            "" => format!("(param {})", params.join(" ")),
            result => format!("(param {}) (result {result})", params.join(" ")),
        };
        let _ = writeln!(imports, "(import {:?} {:?} (func $f{index} {ty}))", interface.module, function.name);
        let arguments: String = (0..params.len()).map(|param| format!("(local.get {param})")).collect();
        let _ = writeln!(exports, "(func (export \"{index}\") {ty} (call $f{index} {arguments}))");
    }
    let text = format!("(module {imports} (memory (export \"memory\") {MEMORY} {MEMORY} (pagesize 1)) {exports})");
    let wasm = wat::parse_str(text).expect("the table describes functions");
    compile(&wasm, &Options::default()).expect("the guest is valid").image
}

/// A guest under way.
pub struct Guest<'a> {
    store: Store<'a, App<SimPlatform>>,
    memory: Memory,
    functions: Vec<Func>,
}

/// The outcome of a call.
pub enum Answer {
    /// The result, 0 if there is none.
    Result(u64),
    /// The guest has ended.
    Ended,
}

fn instantiate<'a>(
    engine: &Engine,
    module: &Module<'a>,
    arena: &'a mut [u64],
    app: App<SimPlatform>,
) -> (Store<'a, App<SimPlatform>>, Instance) {
    let mut store = Store::new(engine, arena, app).expect("the arena has room for a store");
    let interfaces = Interfaces(App::<SimPlatform>::ALL);
    let mut linker = Linker::new();
    linker.resolver(&interfaces).expect("a linker has room for one");
    let instance = linker.instantiate(&mut store, module);
    (store, instance.unwrap_or_else(|error| panic!("every function of the table exists: {error}")))
}

/// Runs `with` with a guest on the app `a` of a board.
///
/// # Panics
/// If the board's text is wrong.
pub fn guest<R>(board: &str, with: impl FnOnce(&mut Guest<'_>) -> R) -> R {
    let platform = || {
        let mut board = Board::from_toml(board).unwrap_or_else(|error| panic!("{error}\n{board}"));
        board.set_trace(Capture::new(), TraceFormat::Off);
        board.set_output(std::io::sink(), std::io::sink());
        App::new(board.platform("a"))
    };
    IMAGE.with(|image| {
        PLACE.with_borrow_mut(|place| {
            let engine = Engine::new(&Config::new().stack_size(4096).max_memory(MEMORY));
            let module = Module::new(&engine, image).expect("the compiler makes valid images");
            let arena = place.words();
            let left = instantiate(&engine, &module, &mut *arena, platform()).0.arena_left();
            // memory is taken last, so in an arena without a byte to spare it ends at the forbidden page
            let arena = &mut arena[left / 8..];
            let (store, instance) = instantiate(&engine, &module, arena, platform());
            assert_eq!(store.arena_left(), 0);
            let memory = instance.memory(&store).expect("the guest has a memory");
            let functions = (0..functions().count()).map(|index| instance.get_func(&store, &index.to_string()));
            let functions = functions.collect::<Option<_>>().expect("the guest exports them all");
            let mut guest = Guest { store, memory, functions };
            let result = with(&mut guest);
            guest.store.data_mut().release();
            result
        })
    })
}

impl Guest<'_> {
    /// Returns the linear memory.
    pub fn memory(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }

    /// Calls a function by its number.
    ///
    /// # Panics
    /// If the result is none that the function's description allows.
    pub fn call(&mut self, index: usize, arguments: &[Val]) -> Answer {
        let (interface, function) = functions().nth(index).expect("a number below that of functions");
        let has_result = function.returns != Returns::Never;
        let mut results = vec![Val::I32(0); usize::from(has_result)];
        match self.functions[index].call(&mut self.store, arguments, &mut results) {
            Ok(()) => {
                let result = results.first().map_or(0, |result| result.bits());
                assert!(
                    allowed(interface, function, result),
                    "{} {} {arguments:x?}: {result:#x}",
                    interface.module,
                    function.name
                );
                Answer::Result(result)
            }
            Err(trap) => {
                assert!(matches!(trap.code, TrapCode::Exit | TrapCode::Interrupted), "{}: {trap}", function.name);
                Answer::Ended
            }
        }
    }
}

/// Returns true if the description of the function allows this result.
fn allowed(interface: &Interface, function: &Function, result: u64) -> bool {
    let value = result as u32 as i32;
    match (function.returns, interface.errors) {
        (Returns::U64(_), _) => true,
        (Returns::Never, _) => false,
        (_, ErrorSpace::Wasi) => result <= u64::from(u16::MAX),
        (Returns::Nothing, ErrorSpace::Wisp) => (-140..=0).contains(&value),
        (_, ErrorSpace::Wisp) => value >= -140,
    }
}

/// Returns true if a result says that the call failed.
pub fn failed(interface: &Interface, function: &Function, result: u64) -> bool {
    match (function.returns, interface.errors) {
        (Returns::U64(_) | Returns::Never, _) => false,
        (_, ErrorSpace::Wasi) => result != 0,
        (_, ErrorSpace::Wisp) => (result as u32 as i32) < 0,
    }
}

/// Numbers around the borders of everything, and some in between.
pub fn number(u: &mut Unstructured<'_>) -> Result<u32> {
    Ok(match u.int_in_range(0..=7)? {
        0 => u.arbitrary()?,
        1 => 0u32.wrapping_sub(u.int_in_range(0..=40)?),
        2 => MEMORY - u.int_in_range(0..=40)?,
        3 => MEMORY + u.int_in_range(0..=8)?,
        4 => 0x8000_0000u32.wrapping_add(u.int_in_range(0..=4)?).wrapping_sub(2),
        5 => u.int_in_range(0..=MEMORY)?,
        _ => u.int_in_range(0..=12)?,
    })
}

/// Writes records of small and wild numbers for functions that follow addresses.
pub fn write_numbers(u: &mut Unstructured<'_>, memory: &mut [u8]) -> Result<()> {
    for _ in 0..u.int_in_range(0..=8)? {
        let at = 4 * u.int_in_range(0..=memory.len() / 4 - 1)?;
        memory[at..at + 4].copy_from_slice(&number(u)?.to_le_bytes());
    }
    Ok(())
}

/// Returns the arguments for a function. Names are chosen from `labels`, (address, length), now and then.
pub fn arguments(u: &mut Unstructured<'_>, function: &Function, labels: &[(u32, u32)]) -> Result<Vec<Val>> {
    let mut arguments = Vec::new();
    for param in function.params {
        match param.kind {
            Kind::Bytes if !labels.is_empty() && u.arbitrary()? => {
                let &(address, length) = u.choose(labels)?;
                arguments.extend([Val::I32(address as i32), Val::I32(length as i32)]);
            }
            Kind::Bytes | Kind::Buffer => {
                arguments.extend([Val::I32(number(u)? as i32), Val::I32(number(u)? as i32)]);
            }
            Kind::U64 | Kind::I64 => {
                arguments.push(Val::I64((u64::from(number(u)?) | u64::from(number(u)?) << 32) as i64));
            }
            // those that are open, and others
            Kind::Handle if u.arbitrary()? => arguments.push(Val::I32(u.int_in_range(0..=2)?)),
            _ => arguments.push(Val::I32(number(u)? as i32)),
        }
    }
    Ok(arguments)
}
