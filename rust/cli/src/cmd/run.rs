// SPDX-License-Identifier: Apache-2.0
//! `wisp run`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use wisp_compiler::{compile, printable, Options};
use wisp_engine::{Config, Engine, Instance, InstantiateError, Linker, Module, Store, Trap, TrapCode, Val};
use wisp_host::abi::{ENTRY, INITIALIZE};
use wisp_host::recording::Conditions;
use wisp_host::{App, Interfaces};
use wisp_image::{Image, ImageError};
use wisp_sim::{Board, SimPlatform, TraceFormat};

use crate::core_dump;
use crate::debug::{self, Debugger, History, ADDRESS, DISTANCE};
use crate::desk::{self, Watch};
use crate::failure::Failure;
use crate::input::{self, Kind};
use crate::options::{app_name, number, CompileArguments};
use crate::outcome::Outcome;
use crate::profile::{self, Profiler};
use crate::replay::{self, Player, Recorder, Recording};
use crate::symbols::Symbols;
use crate::ui::Ui;
use crate::watch::WatchArguments;
use crate::{arena, entry, exit, imports, output, proposals, values, watch};

/// Of `--ui` without a port.
const FREE_PORT: &str = "0";

/// Run an app on a simulated board
#[derive(Args)]
#[command(after_help = exit::HELP)]
pub struct Arguments {
    /// A wasm module, a component or an image
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
    #[arg(long, value_name = "N", value_parser = number::<u64>)]
    fuel: Option<u64>,
    /// Bytes for the frames of functions
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 10, value_parser = arena::stack)]
    stack: u32,
    /// Bytes up to which linear memory may grow
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20, value_parser = number::<u32>)]
    max_memory: u32,
    /// Stop the app when it has run for this long on its own clock, or computed for this long without it: a normal end
    #[arg(long, value_name = "MS", value_parser = number::<u64>)]
    duration: Option<u64>,
    /// Run native code of this machine: made from the module by the host's C compiler, or found in the image
    #[arg(long, conflicts_with = "fuel")]
    native: bool,
    /// C compiler for --native [default: gcc]
    #[arg(long, value_name = "COMMAND", requires = "native")]
    cc: Option<String>,
    /// Hold the app for a debugger, which connects to this port or address of this machine [default: 127.0.0.1:1234]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = ADDRESS, conflicts_with = "native")]
    debug: Option<String>,
    /// Write a core dump to FILE if the app traps. A module is compiled as for a debugger
    #[arg(long, value_name = "FILE", conflicts_with_all = ["native", "profile"])]
    core: Option<PathBuf>,
    /// Record in FILE what comes into the app: results of host calls, memory that they write, and events
    #[arg(long, value_name = "FILE", conflicts_with = "native")]
    record: Option<PathBuf>,
    /// Run the app with what FILE has recorded, in place of a board
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record", "native", "board", "invoke", "fuel", "duration", "watch"])]
    replay: Option<PathBuf>,
    /// Count the ops of each function: a table on standard error, and a flame graph (.svg) or stacks (.folded) in FILE
    /// (may be given several times)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = profile::file, conflicts_with_all = ["native", "debug"])]
    profile: Vec<String>,
    #[command(flatten)]
    watch: WatchArguments,
    /// Show the board on a page of this machine, where its inputs can be touched, until Ctrl-C. The app runs in real time and
    /// has no other duration than that of --duration [default: 127.0.0.1 and a free port]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = FREE_PORT, requires = "board", conflicts_with = "replay")]
    ui: Option<String>,
    /// Let sleeps take wall-clock time, whatever the board says
    #[arg(long)]
    realtime: bool,
    /// Format in which events on the board are shown
    #[arg(long, value_name = "text|csv|vcd|off", value_parser = trace)]
    trace: Option<TraceFormat>,
    /// File for these events, apart from the app's own output [default: standard output]
    #[arg(long, value_name = "FILE")]
    trace_file: Option<PathBuf>,
    /// An environment variable for the app (may be given several times)
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// A folder that the app may use, and its name for the app [default: the same] (may be given several times)
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
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("expected NAME=VALUE")?;
    Ok((name.into(), value.into()))
}

/// Runs an app, and returns its exit code.
pub fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let path = arguments.file.clone();
    if arguments.watch.is_given() {
        return watched(&arguments).map(|()| ExitCode::SUCCESS);
    }
    watch::end_with_watcher();
    let bytes = input::read(&path)?;
    let recording = arguments.replay.as_deref().map(Recording::with_beginning).transpose()?;
    let mut debugger = None;
    let mut source = None;
    let for_debugger = arguments.debug.is_some() || arguments.core.is_some();
    let (bytes, mut symbols) = match input::kind(&path, &bytes)? {
        Kind::Image if arguments.debug.is_some() => {
            return Err(Failure::in_file(&path, "--debug needs the wasm module, which this image was made from"));
        }
        Kind::Image => {
            if let Some(option) = arguments.compile.given() {
                output::note(format_args!("{option} changes nothing: the image was compiled without it"));
            }
            (bytes, None)
        }
        kind @ (Kind::Wasm | Kind::Component) => {
            let bytes = if matches!(kind, Kind::Component) {
                input::lowered(&path, &bytes, arguments.compile.heap)?
            } else {
                bytes
            };
            let name = arguments.app.clone().unwrap_or_else(|| app_name(&path).0);
            let options = arguments.compile.options(&name, (0, 1, 0));
            let compiled = |debug| {
                let compiled = compile(&bytes, &Options { debug, ..options.clone() });
                compiled.map_err(|error| Failure::compiling(&path, proposals::explained(&bytes, error)))
            };
            let mut found = compiled(for_debugger)?;
            if let (Some(file), Some(recording)) = (&arguments.replay, &recording) {
                // the image may have been built for a debugger or not
                let (this, other) = (input::image(&path, &found.image)?.id(), compiled(!for_debugger)?);
                let ids = [this, input::image(&path, &other.image)?.id()];
                if !ids.contains(&recording.image()) {
                    return Err(replay::of_another_image(
                        file,
                        recording.image(),
                        &format!("{} or {}", ids[0], ids[1]),
                    ));
                }
                if !for_debugger && this != recording.image() {
                    found = other;
                }
            }
            let mut compiled = found;
            let symbols = Symbols::of(&bytes, &compiled, &input::image(&path, &compiled.image)?);
            let map = compiled.debug.take();
            if let (Some(address), Some(map)) = (&arguments.debug, &map) {
                debugger = Some(Debugger::listen(address, &path, &bytes, map.clone(), recording.is_some())?);
            }
            source = Some(core_dump::Source { wasm: bytes.to_vec(), places: compiled.source_map.clone(), map });
            let image = match arguments.native {
                true => desk::compile(&path, &bytes, &compiled, arguments.cc.clone())?,
                false => compiled.image,
            };
            (image, Some(symbols))
        }
    };
    let (stack, max_memory) = match &recording {
        // frames for a debugger are larger
        Some(recording) if for_debugger => {
            (arguments.stack.max(recording.conditions.stack.saturating_mul(4)), recording.conditions.memory)
        }
        Some(recording) => (recording.conditions.stack, recording.conditions.memory),
        None => (arguments.stack, arguments.max_memory),
    };
    let config = Config::new().stack_size(stack).max_memory(max_memory).table_capacity(arena::TABLE);
    let config = match recording.as_ref().map_or(0, |recording| recording.conditions.depth) {
        0 => config,
        depth => config.max_depth(depth),
    };
    let config = config.on_growth_refused(growth_refused, 0);
    let engine = Engine::new(&config);
    let mapping = if arguments.native { Some(desk::map(&path, &engine, &bytes)?) } else { None };
    let module = match &mapping {
        Some(mapping) => desk::module(&path, &engine, &bytes, mapping)?,
        None => Module::new(&engine, &bytes).map_err(|error| not_interpreted(&path, &bytes, error))?,
    };
    if let Some(file) = &arguments.symbols {
        symbols = Some(Symbols::read(file, module.image())?);
    }
    let (platform, ui) = platform(&arguments, module.image(), &path)?;
    let app = App::new(platform);
    let host = App::<SimPlatform>::ALL;
    let stubs: Vec<_> = app.platform().functions().collect();
    let problems = imports::problems(module.image(), host, &stubs).map_err(|error| Failure::in_file(&path, error))?;
    if !problems.is_empty() && recording.is_none() {
        return Err(Failure::in_file(&path, format_args!("the app cannot be linked:{problems}")));
    }
    let profiles = profile::create(&arguments.profile)?;
    let profiler = match arguments.profile.is_empty() {
        true => None,
        false => Some(Profiler::new(module.image()).map_err(|error| Failure::in_file(&path, error))?),
    };
    let mut linker = Linker::new();
    let interfaces = Interfaces(host);
    let player = match (&arguments.replay, recording) {
        (Some(file), Some(recording)) => {
            let id = module.image().id();
            if !for_debugger && id != recording.image() {
                return Err(replay::of_another_image(file, recording.image(), &id.to_string()));
            }
            replay::define(&mut linker, module.image());
            Some((Rc::new(Player::new(recording, replay::imports(module.image()))), id))
        }
        _ => {
            // An empty linker has room for one.
            let _ = linker.resolver(&interfaces);
            app.platform().define_functions(&mut linker);
            None
        }
    };
    let recorder = arguments.record.as_deref().map(|file| {
        let id = module.image().id();
        let conditions = Conditions {
            image: (id.wasm, id.code),
            memory: max_memory,
            stack,
            depth: 0,
            fuel: arguments.fuel.unwrap_or(u64::MAX),
            lost: 0,
        };
        Recorder::create(file, &conditions)
    });
    let recorder = recorder.transpose()?;
    let mut arena = arena::allocate(stack, max_memory, module.image())?;
    let Some(mut store) = Store::new(&engine, &mut arena, app) else {
        return Err(Failure::new("no store fits its arena: give --stack a smaller value"));
    };
    let fuel = match &player {
        Some((player, _)) => player.fuel(),
        // so that it is known where a run was stopped
        None => arguments.fuel.or(recorder.as_ref().map(|_| replay::ENDLESS)),
    };
    store.set_fuel(fuel);
    // SAFETY: the store, the recorder and the player stay on this thread.
    #[allow(unsafe_code)]
    unsafe {
        if let Some(recorder) = &recorder {
            store.tap(recorder);
        }
        if let Some((player, _)) = &player {
            store.tap(&**player);
        }
    }
    if let Some(profiler) = &profiler {
        // SAFETY: the store and the profiler stay on this thread.
        #[allow(unsafe_code)]
        unsafe {
            store.observe(profiler);
        }
    }
    if let Some((debugger, guest)) = &debugger {
        // SAFETY: the store and the guest stay on this thread; what the debugger's thread shares with it is the link.
        #[allow(unsafe_code)]
        unsafe {
            store.observe(guest);
        }
        if let Some((player, _)) = &player {
            guest.keep_history(History::new(player.clone(), DISTANCE));
        }
        debugger.stop_with(store.data().platform().stopper());
        output::note(format_args!(
            "the app waits for a debugger; in LLDB: process connect --plugin wasm connect://{}",
            debugger.address()
        ));
    }
    let mut watch = Watch::new(store.data().platform().clock());
    if debugger.is_some() {
        watch.ignore_clock();
    }
    let interrupted = ui.as_ref().map(Ui::interrupted);
    if let Some(interrupted) = &interrupted {
        watch.end_when(interrupted.clone(), store.data().platform().stopper());
        if let Some((_, guest)) = &debugger {
            guest.end_when(interrupted.clone());
        }
    }
    let handle = store.interrupt_handle();
    let go = || match linker.instantiate(&mut store, &module) {
        Ok(instance) => {
            let misfit = entry::misfit(module.image()).map_err(|error| Failure::in_file(&path, error))?;
            match &player {
                Some((player, _)) => Ok(player.run(&mut store).map(|()| Vec::new())),
                None => call(&arguments, &mut store, instance, misfit),
            }
        }
        Err(InstantiateError::Trap(trap)) => Ok(Err(trap)),
        Err(error) => Err(Failure::in_file(&path, error.describe(module.image()))),
    };
    let ended = match watch.during(handle, go) {
        Ok(ended) => ended,
        Err(failure) => {
            if let Some((debugger, _)) = debugger {
                debugger.finish(exit::FAILURE);
            }
            return Err(failure);
        }
    };
    store.data_mut().release();
    if let Some(recorder) = &recorder {
        let used = fuel.unwrap_or_default() - store.fuel().unwrap_or_default();
        let calls = recorder.finish(ended.as_ref().err().copied(), used)?;
        output::note(format_args!("{calls} host calls were recorded"));
    }
    let ended = match (&player, &arguments.replay) {
        (Some((player, id)), Some(file)) => match player.outcome(ended.as_ref().err().copied(), *id) {
            replay::Outcome::Same => {
                output::note(format_args!("the replay ended as recorded, after {} host calls", player.calls()));
                player.recorded(ended)
            }
            outcome => {
                let failure = Failure::in_file(file, player.explain(outcome));
                if let Some((debugger, _)) = debugger {
                    debugger.finish(exit::FAILURE);
                }
                return Err(failure);
            }
        },
        _ => ended,
    };
    if let (Some(file), Err(trap)) = (&arguments.core, &ended) {
        // an app that was ended from outside has not failed
        if !matches!(trap.code, TrapCode::Exit | TrapCode::Interrupted) {
            core_dump::write(file, &path, &store, *trap, source.as_ref())?;
        }
    }
    let symbols = match ended.is_err() || profiler.is_some() {
        true => {
            let symbols = symbols.or_else(|| Symbols::find(&path, module.image()));
            symbols.or_else(|| Symbols::carried(module.image())).unwrap_or_default()
        }
        false => Symbols::default(),
    };
    let mut outcome = Outcome::new(module.is_native());
    let by_debugger = debugger.as_ref().is_some_and(|(_, guest)| guest.was_killed());
    let by_user = interrupted.is_some_and(|interrupted| interrupted.load(Ordering::Relaxed));
    let was_killed = |trap: Trap| by_debugger || by_user && trap.code == TrapCode::Interrupted;
    if let Some(profiler) = &profiler {
        let rows = profiler.finish(module.image(), &symbols, profiles)?;
        if profiler.is_cut() {
            output::note(
                "there were too many chains of calls: the last ones are counted as if the host had made their calls",
            );
        }
        if !output::is_json() {
            output::complain(format_args!("{}", profile::table(&rows, profile::Unit::Ops)));
        }
        outcome.profile = Some(rows);
    }
    let code = match ended {
        Ok(results) => {
            outcome.results = results.iter().map(|&value| values::show(value)).collect();
            if !output::is_json() {
                outcome.results.iter().for_each(|value| output::say(value));
            }
            0
        }
        Err(trap) if was_killed(trap) => {
            outcome.ended = "killed";
            exit::of_trap(TrapCode::Interrupted)
        }
        Err(trap) => outcome.trapped(&store, trap, watch.ended_it(), &symbols),
    };
    if let Some((debugger, _)) = debugger {
        debugger.finish(code);
    }
    outcome.exit_code = code;
    if output::is_json() {
        // standard output is the guest's
        complain(format_args!("{}", output::line(&outcome)));
    }
    if let Some(ui) = ui {
        ui.finish(outcome.words());
    }
    Ok(ExitCode::from(code))
}

/// Runs the app anew whenever something changes.
fn watched(arguments: &Arguments) -> Result<(), Failure> {
    // a page that is open finds the app again
    let address = arguments.ui.as_ref().map(|text| debug::address("--ui", text)).transpose()?;
    if address.is_some_and(|address| address.port() == 0) {
        return Err(Failure::new("--watch needs a page that stays where it is: give --ui a port, as in --ui=8080"));
    }
    let files: Vec<PathBuf> = std::iter::once(&arguments.file).chain(&arguments.board).cloned().collect();
    let mut again = false;
    watch::run(&arguments.watch, &files, || {
        if std::mem::replace(&mut again, true) {
            output::note("the app starts anew");
        }
        watch::App::start().map(Some)
    })
}

/// Says why an image is not interpreted.
fn not_interpreted(path: &Path, bytes: &[u8], error: ImageError) -> Failure {
    let (ImageError::NativeOnly, Ok(image)) = (error, Image::parse(bytes)) else {
        return Failure::in_file(path, error);
    };
    let machines: Vec<String> = image
        .native_sections()
        .filter_map(|(_, bytes)| Some(wisp_image::native::Native::parse(bytes).ok()?.target.to_string()))
        .collect();
    Failure::in_file(
        path,
        format_args!(
            "the image has native code only, for {}; --native runs that of this machine, which `wisp build --target \
             x86-64` makes",
            if machines.is_empty() { "no machine".into() } else { machines.join(" and ") }
        ),
    )
}

/// Writes a line to standard error.
fn complain(line: std::fmt::Arguments<'_>) {
    output::complain(format_args!("{line}\n"));
}

/// Reports that the app asked for more memory than it is allowed.
fn growth_refused(_: usize, present: u32, wanted: u32) {
    complain(format_args!(
        "wisp: memory.grow was refused: the app has {present} bytes of linear memory and asked for {wanted} more; \
         allow more with --max-memory"
    ));
}

/// Returns the app's part of the board, and the page that shows it if the user wants one.
fn platform(arguments: &Arguments, image: &Image<'_>, path: &Path) -> Result<(SimPlatform, Option<Ui>), Failure> {
    let mut board = match &arguments.board {
        Some(file) => {
            input::keep(file);
            Board::from_file(file, &[path]).map_err(|error| Failure::new(error.to_string()))?
        }
        None => Board::desk(),
    };
    if arguments.realtime || arguments.ui.is_some() {
        board.set_realtime(true);
    }
    if arguments.ui.is_some() {
        board.set_duration(None);
    }
    if let Some(format) = arguments.trace {
        board.set_trace_format(format);
    }
    if let Some(file) = &arguments.trace_file {
        let sink = input::create(file)?;
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
    // the board of another app grants nothing to this one
    if arguments.board.is_some() && board.apps().next().is_some() && !board.apps().any(|app| app == name) {
        let apps: Vec<&str> = board.apps().collect();
        output::note(format_args!(
            "the board has nothing for the app `{name}`; it has: {}; take one of them with --app",
            apps.join(", ")
        ));
    }
    let ui = match &arguments.ui {
        Some(address) => Some(Ui::start(address, board.panel(&name))?),
        None => None,
    };
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
    Ok((platform, ui))
}

/// Calls what is to be called: its results, or the trap.
fn call(
    arguments: &Arguments,
    store: &mut Store<'_, App<SimPlatform>>,
    instance: Instance,
    misfit: Option<String>,
) -> Result<Result<Vec<Val>, Trap>, Failure> {
    let Some(name) = arguments.invoke.as_deref() else {
        if let Some(misfit) = misfit {
            return Err(Failure::in_file(&arguments.file, misfit));
        }
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
            "`{name}` takes {} argument{}, {} given; its type is {}",
            ty.params.len(),
            if ty.params.len() == 1 { "" } else { "s" },
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
            functions.push(format!("\n  {}{ty}", printable(name)));
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
