// SPDX-License-Identifier: Apache-2.0
//! `wisp run`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use wisp_compiler::compile;
use wisp_engine::{Config, Engine, Instance, InstantiateError, Linker, Module, Store, Trap, TrapCode, Val};
use wisp_host::abi::{ENTRY, INITIALIZE};
use wisp_host::{App, Interfaces};
use wisp_image::Image;
use wisp_sim::{Board, SimPlatform, TraceFormat};

use crate::failure::Failure;
use crate::input::{self, Kind};
use crate::options::{default_name, CompileArguments};
use crate::symbols::Symbols;
use crate::{exit, explain, imports, values};

/// Bytes for the records of store and instance, tables and globals, beside frames and linear memory.
const RECORDS: usize = 1 << 20;
/// Elements that a growing table may have.
const TABLE: u32 = 1 << 16;

/// Frames of a backtrace that are shown.
const FRAMES_SHOWN: usize = 16;

/// Run an app on a simulated board
#[derive(Args)]
#[command(after_help = exit::HELP)]
pub struct Arguments {
    /// A wasm module or an image
    file: PathBuf,
    /// The board: what each app may touch, scripted inputs, arguments [default: no peripherals, real time]
    #[arg(long, value_name = "BOARD.TOML")]
    board: Option<PathBuf>,
    /// Run it as this app of the board [default: the app's name]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// Call this export with ARGS and print its results, instead of running `_start`
    #[arg(long, value_name = "NAME")]
    invoke: Option<String>,
    /// Backward branches and calls until the app is stopped [default: no limit]
    #[arg(long, value_name = "N")]
    fuel: Option<u64>,
    /// Bytes for the frames of functions
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 10)]
    stack: u32,
    /// Bytes up to which linear memory may grow
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    max_memory: u32,
    /// Stop the app when it has run for this long on its own clock: a normal end
    #[arg(long, value_name = "MS")]
    duration: Option<u64>,
    /// Let sleeps take wall-clock time, whatever the board says
    #[arg(long)]
    realtime: bool,
    /// How to show what happens on the board
    #[arg(long, value_name = "text|csv|vcd|off", value_parser = trace)]
    trace: Option<TraceFormat>,
    /// Where to show it, beside the app's own output [default: standard output]
    #[arg(long, value_name = "FILE")]
    trace_file: Option<PathBuf>,
    /// An environment variable for the app; may be repeated
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// A folder that the app may use, and its name for the app [default: the same]; may be repeated
    #[arg(long = "dir", value_name = "FOLDER[::NAME]")]
    folders: Vec<String>,
    /// Names and source lines of an image [default: those beside it]
    #[arg(long, value_name = "FILE", alias = "map")]
    symbols: Option<PathBuf>,
    #[command(flatten)]
    compile: CompileArguments,
    /// Arguments of the function to invoke, or else of the app
    #[arg(value_name = "ARGS", allow_negative_numbers = true)]
    arguments: Vec<String>,
}

fn trace(text: &str) -> Result<TraceFormat, String> {
    match text {
        "text" => Ok(TraceFormat::Text),
        "csv" => Ok(TraceFormat::Csv),
        "vcd" => Ok(TraceFormat::Vcd),
        "off" => Ok(TraceFormat::Off),
        _ => Err("expected text, csv, vcd or off".into()),
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.into(), value.into()))
}

/// Runs an app; gives its exit code.
pub fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let path = arguments.file.clone();
    let bytes = input::read(&path)?;
    let (bytes, mut symbols) = match input::kind(&path, &bytes)? {
        Kind::Image => (bytes, None),
        Kind::Wasm => {
            let name = arguments.app.clone().unwrap_or_else(|| default_name(&path));
            let compiled = compile(&bytes, &arguments.compile.options(&name, (0, 1, 0)))
                .map_err(|error| Failure::in_file(&path, error))?;
            let symbols = Symbols::of(&bytes, &compiled, &input::image(&path, &compiled.image)?);
            (compiled.image, Some(symbols))
        }
    };
    let config = Config::new().stack_size(arguments.stack).max_memory(arguments.max_memory).table_capacity(TABLE);
    let config = config.on_growth_refused(growth_refused, 0);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, &bytes).map_err(|error| Failure::in_file(&path, error))?;
    if let Some(file) = &arguments.symbols {
        symbols = Some(Symbols::read(file, module.image())?);
    }
    let app = App::new(platform(&arguments, module.image(), &path)?);
    let host = App::<SimPlatform>::ALL;
    let problems = imports::problems(module.image(), host).map_err(|error| Failure::in_file(&path, error))?;
    if !problems.is_empty() {
        return Err(Failure::in_file(&path, format_args!("the app cannot be linked:{problems}")));
    }
    let mut linker = Linker::new();
    let interfaces = Interfaces(host);
    // An empty linker has room for one.
    let _ = linker.resolver(&interfaces);
    let mut arena = vec![0u64; arena_size(&arguments, module.image()) / 8];
    let Some(mut store) = Store::new(&engine, &mut arena, app) else {
        return Err(Failure::new("no store fits its arena: give --stack a smaller value"));
    };
    store.set_fuel(arguments.fuel);
    let ended = match linker.instantiate(&mut store, &module) {
        Ok(instance) => call(&arguments, &mut store, instance)?,
        Err(InstantiateError::Trap(trap)) => Err(trap),
        Err(error) => return Err(Failure::in_file(&path, error.describe(module.image()))),
    };
    store.data_mut().release();
    Ok(match ended {
        Ok(results) => {
            for value in results {
                println!("{}", values::show(value));
            }
            ExitCode::SUCCESS
        }
        Err(trap) => {
            let symbols = symbols.or_else(|| Symbols::find(&path, module.image()));
            let symbols = symbols.or_else(|| Symbols::carried(module.image()));
            report(&store, trap, symbols.unwrap_or_default())
        }
    })
}

/// Tells that the app asked for more memory than it is allowed.
fn growth_refused(_: usize, present: u32, wanted: u32) {
    eprintln!(
        "wisp: memory.grow was refused: the app has {present} bytes of linear memory and asked for {wanted} more; \
         allow more with --max-memory"
    );
}

fn platform(arguments: &Arguments, image: &Image<'_>, path: &Path) -> Result<SimPlatform, Failure> {
    let mut board = match &arguments.board {
        Some(file) => Board::from_file(file).map_err(|error| Failure::new(error.to_string()))?,
        None => Board::desk(),
    };
    if arguments.realtime {
        board.set_realtime(true);
    }
    if let Some(format) = arguments.trace {
        board.set_trace_format(format);
    }
    if let Some(file) = &arguments.trace_file {
        let sink = std::fs::File::create(file).map_err(|error| Failure::in_file(file, error))?;
        board.set_trace(sink, arguments.trace.unwrap_or_default());
    }
    if let Some(ms) = arguments.duration {
        board.set_duration(Some(Duration::from_millis(ms)));
    }
    let name = match &arguments.app {
        Some(name) => name.clone(),
        None => image.manifest().map_err(|error| Failure::in_file(path, error))?.name.shown().into(),
    };
    if arguments.app.is_some() && arguments.board.is_some() && !board.apps().any(|app| app == name) {
        let apps: Vec<&str> = board.apps().collect();
        return Err(Failure::new(format!("the board has no app `{name}`; it has: {}", apps.join(", "))));
    }
    let mut platform = board.platform(&name);
    if arguments.invoke.is_none() && !arguments.arguments.is_empty() {
        platform.set_arguments(arguments.arguments.clone());
    }
    platform.add_variables(arguments.variables.iter().cloned());
    if arguments.board.is_none() {
        platform.use_standard_input();
    }
    let unusable = |path: &Path, error| Failure::in_file(path, format_args!("cannot be granted as a folder: {error}"));
    platform.open_folders().map_err(|(path, error)| unusable(&path, error))?;
    for folder in &arguments.folders {
        let (host, name) = folder.split_once("::").unwrap_or((folder, folder));
        let host = Path::new(host);
        platform.add_folder(host, name).map_err(|error| unusable(host, error))?;
    }
    Ok(platform)
}

/// Frames, linear memory at its largest, and the rest. The system backs only what is touched.
fn arena_size(arguments: &Arguments, image: &Image<'_>) -> usize {
    let memory = image.manifest().ok().and_then(|manifest| manifest.memory).map_or(0, |memory| {
        if memory.grows {
            arguments.max_memory
        } else {
            memory.backed.min(arguments.max_memory)
        }
    });
    let tables = image.table_count() * 4 * TABLE as usize;
    (arguments.stack as usize + memory as usize + tables + RECORDS + image.bytes().len()).next_multiple_of(8)
}

/// Calls what is to be called: its results, or the trap.
fn call(
    arguments: &Arguments,
    store: &mut Store<'_, App<SimPlatform>>,
    instance: Instance,
) -> Result<Result<Vec<Val>, Trap>, Failure> {
    let Some(name) = arguments.invoke.as_deref() else {
        let ended = wisp_host::run(store, instance).map(|ended| ended.map(|()| Vec::new()));
        return ended.ok_or_else(|| no_function(arguments, store, instance, ENTRY));
    };
    let texts = arguments.arguments.as_slice();
    let Some(func) = instance.get_func(&*store, name) else {
        return Err(no_function(arguments, store, instance, name));
    };
    let ty = func.ty(&*store).ok_or_else(|| Failure::new(format!("`{name}` has no type")))?;
    if ty.params.len() != texts.len() {
        return Err(Failure::new(format!(
            "`{name}` takes {} arguments, {} given; its type is {}",
            ty.params.len(),
            texts.len(),
            imports::type_text(ty.params, ty.results)
        )));
    }
    let mut params = Vec::new();
    for (index, (text, &ty)) in texts.iter().zip(ty.params).enumerate() {
        let value = values::parse(text, ty);
        params.push(value.map_err(|error| Failure::new(format!("argument {} of `{name}`: {error}", index + 1)))?);
    }
    let mut results = vec![Val::I32(0); ty.results.len()];
    // a reactor sets itself up before anything else of it is called
    if let Some(initialize) = instance.get_typed_func::<(), ()>(&*store, INITIALIZE) {
        if let Err(trap) = initialize.call(&mut *store, ()) {
            return Ok(Err(trap));
        }
    }
    Ok(func.call(store, &params, &mut results).map(|()| results))
}

fn no_function(arguments: &Arguments, store: &Store<'_, App<SimPlatform>>, instance: Instance, name: &str) -> Failure {
    let mut functions = Vec::new();
    instance.for_each_export(store, |name, external| {
        if let wisp_engine::Extern::Func(func) = external {
            let ty = func.ty(store).map(|ty| imports::type_text(ty.params, ty.results)).unwrap_or_default();
            functions.push(format!("\n  {name}{ty}"));
        }
    });
    let file = arguments.file.display();
    let what = if arguments.invoke.is_some() { "" } else { ", the entry of an app; call another with --invoke" };
    if functions.is_empty() {
        Failure::new(format!("{file}: no exported function `{name}`{what}; it exports no function"))
    } else {
        Failure::new(format!("{file}: no exported function `{name}`{what}; it exports{}", functions.concat()))
    }
}

/// Tells of a trap; gives the exit code.
fn report(store: &Store<'_, App<SimPlatform>>, trap: Trap, symbols: Symbols) -> ExitCode {
    if let Some(status) = trap.exit_status() {
        let status = status as u32;
        return u8::try_from(status).map_or_else(
            |_| {
                eprintln!("wisp: the app ended with status {status}, which no exit code of a process can hold");
                ExitCode::from(exit::LARGE_STATUS)
            },
            ExitCode::from,
        );
    }
    if trap.code == TrapCode::Interrupted && store.data().platform().time_is_up() {
        return ExitCode::SUCCESS;
    }
    eprintln!("wisp: trap: {}", trap.code);
    let memory = matches!(trap.code, TrapCode::MemoryOutOfBounds | TrapCode::BeyondTrimmedMemory);
    if let Some(size) = store.guest_stack_overflow().filter(|_| memory) {
        eprintln!("  the guest's stack of {size} bytes overflowed; {}", explain::LARGER_STACK);
    }
    let mut frames: Vec<(u32, u32)> = store.backtrace().map(|frame| (frame.func, frame.offset)).collect();
    if frames.is_empty() && trap.func != Trap::NOWHERE {
        frames.push((trap.func, trap.offset));
    }
    let left_out = frames.len().saturating_sub(FRAMES_SHOWN);
    for (depth, &(func, offset)) in frames.iter().enumerate() {
        // a recursion without end is told by its beginning and its end
        if left_out > 0 && depth >= FRAMES_SHOWN / 2 && depth < FRAMES_SHOWN / 2 + left_out {
            if depth == FRAMES_SHOWN / 2 {
                eprintln!("  ... {left_out} frames more");
            }
            continue;
        }
        // where a caller goes on, its call is the op before
        let at = if depth == 0 { offset } else { offset.saturating_sub(1) };
        for (index, line) in symbols.describe(func, at).into_iter().enumerate() {
            match index {
                0 => eprintln!("  {depth}: {line}"),
                _ => eprintln!("     {line}"),
            }
        }
    }
    if symbols == Symbols::default() {
        eprintln!("  for names and source lines, give the --symbols that `wisp build` wrote, or run the wasm module");
    }
    ExitCode::from(exit::of_trap(trap.code))
}
