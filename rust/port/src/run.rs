// SPDX-License-Identifier: Apache-2.0
//! One run of an app, from image to outcome, in the app's thread.

use crate::c_functions::CFunctions;
use crate::platform::Zephyr;
use crate::{report, shim, AppData};
use core::ffi::c_void;
use core::ptr::null_mut;
use wisp_engine::{
    Config, Engine, Image, Instance, InstantiateError, InterruptHandle, Linker, Module, Store, Trap, TrapCode,
};
#[cfg(feature = "interpreter")]
use wisp_engine::{ImageError, Rule};
use wisp_host::{Interfaces, Table};

/// Why a run did not get to the guest's entry, or how it left it.
enum Failure {
    Start(u32, u32),
    Trap(Trap),
}

/// A part of an image whose number is limited.
#[derive(Clone, Copy)]
pub(crate) enum Counted {
    TableElements,
    Imports,
    Functions,
}

impl From<Trap> for Failure {
    fn from(trap: Trap) -> Self {
        Failure::Trap(trap)
    }
}

/// Runs an app's image to its end: reads, verifies, instantiates, calls the entry, and fills in the
/// outcome.
///
/// # Safety
/// `run` points to a record whose inputs are filled in. They are an app that lives as long as the program, an
/// image that does not change, and an arena that nothing else uses during the call. Called in the
/// app's own thread.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_run(run: *mut shim::wisp_run) {
    // SAFETY: C filled in the record, and does not use it during the call.
    let run = unsafe { &mut *run };
    // SAFETY: C passes an image of this size that does not change.
    let image = unsafe { core::slice::from_raw_parts(run.image, run.image_size) };
    // SAFETY: nothing else uses the arena during the call; C gives it in whole words.
    let arena = unsafe { core::slice::from_raw_parts_mut(run.arena, run.arena_size / size_of::<u64>()) };
    // SAFETY: C passes an app that lives as long as the program, and calls in the app's own thread.
    let board = unsafe { Zephyr::new(run.app) };

    run.function = Trap::NOWHERE;
    if let Err(failure) = attempt(run, image, arena, board) {
        match failure {
            Failure::Start(error, detail) => {
                run.error = error;
                run.detail = detail;
            }
            Failure::Trap(trap) => {
                run.trap = trap.code as u32;
                run.function = trap.func;
                run.offset = trap.offset;
                let id = Image::parsed(image).id();
                run.image_wasm = id.wasm;
                run.image_code = id.code;
                run.exit_status = trap.exit_status().unwrap_or(0);
            }
        }
    }
}

fn limits(run: &shim::wisp_run) -> Config {
    Config::new()
        .stack_size(run.frame_size)
        .max_memory(run.memory_size)
        .max_table(run.table_size)
        .table_capacity(run.table_size)
        .max_depth(run.call_depth)
        // an app has a store of its own, so that only the firmware's own functions could give it any
        .max_references(16)
        .max_imports(run.max_imports)
        .max_functions(run.max_functions)
        .fuel_slice(run.stop_interval)
        .on_growth_refused(crate::memory::growth_refused, run.app.addr())
}

fn attempt(run: &mut shim::wisp_run, image: &[u8], arena: &mut [u64], board: Zephyr) -> Result<(), Failure> {
    #[cfg(feature = "net")]
    crate::net::check_endpoints(&board).map_err(|()| Failure::Start(shim::wisp_run_error_WISP_RUN_BAD_IMPORT, 0))?;
    #[cfg(feature = "ble")]
    crate::ble::check_entries(&board).map_err(|()| Failure::Start(shim::wisp_run_error_WISP_RUN_BAD_IMPORT, 0))?;
    let config = limits(run);
    #[cfg(feature = "native")]
    let config = crate::native::configure(config, run);
    let engine = Engine::new(&config);
    let module = load(&engine, run, image, arena, &board)?;
    #[cfg(feature = "translate")]
    let engine =
        if run.ran_native { engine } else { crate::translate::engine(&config, run, module.image().function_count()) };
    #[cfg(feature = "debug")]
    let watcher = crate::debug::Watcher::new(board);
    #[cfg(feature = "host-time")]
    let timer = crate::host_time::Timer::new(board);
    #[cfg(feature = "record")]
    let recorder = crate::record::Recorder::begin(&board, module.image());
    let Some(mut store) = Store::new(&engine, arena, AppData::new(board)) else {
        report::too_small(&board, run.arena_size as u32, 0);
        return Err(Failure::Start(shim::wisp_run_error_WISP_RUN_NO_MEMORY, 0));
    };
    // native code that counts none is not used for an app with a limit
    if cfg!(feature = "interpreter") && run.fuel != u64::MAX {
        store.set_fuel(Some(run.fuel));
    }

    #[cfg(feature = "debug")]
    watcher.watch(&mut store, module.image(), run.ran_native);
    #[cfg(feature = "host-time")]
    timer.measure(&mut store);
    // it measures calls as well
    #[cfg(feature = "record")]
    recorder.record(&mut store);
    let handle = store.interrupt_handle();
    let flag: *const InterruptHandle<'_> = &handle;
    // SAFETY: the handle lives until the flag is withdrawn below.
    unsafe { shim::wisp_shim_app_stop_flag(run.app, flag.cast_mut().cast()) };
    let mut instance = None;
    let result = match link(&mut store, &module) {
        Ok(linked) => {
            instance = Some(linked);
            tell_usage(run, &store, linked);
            match wisp_host::run(&mut store, linked) {
                Some(ended) => ended.map_err(Failure::Trap),
                None => {
                    report::no_entry(&board);
                    Err(Failure::Start(shim::wisp_run_error_WISP_RUN_NO_ENTRY, 0))
                }
            }
        }
        Err(error) => Err(not_linked(&board, error, module.image())),
    };
    if let Err(Failure::Trap(trap)) = result {
        crate::trap::report(&board, &store, module.image(), trap);
        crate::memory::stack_overflow(&board, &store, trap);
        #[cfg(feature = "core-dump")]
        crate::core_dump::keep(&board, &store, trap);
    }
    #[cfg(feature = "record")]
    match result {
        Err(Failure::Trap(trap)) => recorder.end(&store, run, Some(trap)),
        _ => recorder.end(&store, run, None),
    }
    // SAFETY: no pointer is passed; from here on nobody uses the handle.
    unsafe { shim::wisp_shim_app_stop_flag(run.app, null_mut()) };

    if let (true, Some(left)) = (cfg!(feature = "interpreter") && run.fuel != u64::MAX, store.fuel()) {
        run.fuel_used = run.fuel - left;
    }
    run.arena_used = run.arena_size.saturating_sub(store.arena_left()) as u32;
    let memory = instance.and_then(|instance| instance.memory(&store));
    run.memory_used = memory.map_or(0, |memory| memory.data(&store).len()) as u32;
    store.data_mut().release();
    result
}

/// Reports how much of the arena the app has taken from the start, while it runs.
#[inline(never)]
fn tell_usage(run: &shim::wisp_run, store: &Store<'_, AppData>, instance: Instance) {
    let arena = run.arena_size.saturating_sub(store.arena_left()) as u32;
    let memory = instance.memory(store).map_or(0, |memory| memory.data(store).len()) as u32;
    // SAFETY: `app` is the app of this thread.
    unsafe { shim::wisp_shim_app_usage(run.app, arena, memory) }
}

/// The tables of the interfaces that this firmware has.
pub(crate) const TABLES: &[Table<AppData>] = wisp_host::tables!(
    AppData: LOG,
    TIMER,
    #[cfg(feature = "wasi")]
    WASI,
    #[cfg(feature = "assemblyscript")]
    ENV,
    LIFECYCLE,
);

// Each phase is a function of its own that is not inlined, so that the app's stack holds the frames
// of one phase at a time.

/// Returns the module to run, with its native code if there is some that fits and is trusted. An error of the image was
/// reported already.
#[inline(never)]
fn load<'a>(
    engine: &Engine,
    run: &mut shim::wisp_run,
    image: &'a [u8],
    arena: &mut [u64],
    board: &Zephyr,
) -> Result<Module<'a>, Failure> {
    #[cfg(feature = "native")]
    if let Some(module) = crate::native::load(engine, run, image, board).map_err(|error| Failure::Start(error, 0))? {
        run.ran_native = true;
        return Ok(module);
    }
    #[cfg(feature = "interpreter")]
    return read(engine, image, arena, run.verified, board).map_err(|error| {
        if error == ImageError::Stopped {
            let code = TrapCode::from_u32(board.stop_reason()).unwrap_or(TrapCode::Interrupted);
            return Failure::Trap(Trap::new(code));
        }
        report::bad_image(board, error);
        let error = match error {
            ImageError::Code(_, _, Rule::Built(_)) => shim::wisp_run_error_WISP_RUN_NO_FEATURE,
            _ => shim::wisp_run_error_WISP_RUN_BAD_IMAGE,
        };
        Failure::Start(error, 0)
    });
    // what is left is no image: otherwise there was native code, or an error
    #[cfg(not(feature = "interpreter"))]
    {
        _ = arena;
        Err(Failure::Start(shim::wisp_run_error_WISP_RUN_BAD_IMAGE, 0))
    }
}

/// Reads the image and verifies its code, unless the build has, with the arena as scratch memory, for as long as the
/// app may go on.
#[cfg(feature = "interpreter")]
#[inline(never)]
fn read<'a>(
    engine: &Engine,
    image: &'a [u8],
    arena: &mut [u64],
    verified: bool,
    board: &Zephyr,
) -> Result<Module<'a>, ImageError> {
    // what was verified for a runtime with all features may need one that this has not
    if verified && wisp_engine::MISSING_FEATURES == 0 {
        // SAFETY: C says that `wisp build` verified this image with the rules of this version, which the
        // header names, and that it is part of the firmware. One without IR, which nobody could verify, is not
        // returned.
        let module = unsafe { Module::new_trusted(engine, image) }?;
        return if module.image().is_native_only() { Err(ImageError::NativeOnly) } else { Ok(module) };
    }
    Module::new_while(engine, image, wisp_engine::scratch(arena), &|| board.stop_reason() == 0)
}

/// Links and instantiates the module.
#[inline(never)]
fn link<'a>(store: &mut Store<'a, AppData>, module: &Module<'a>) -> Result<Instance, InstantiateError> {
    let c_functions = CFunctions::all();
    Linker::from_resolvers([&Interfaces(TABLES), &c_functions]).instantiate(store, module)
}

/// Reports why a module was not instantiated.
#[cold]
#[inline(never)]
fn not_linked(board: &Zephyr, error: InstantiateError, image: &Image<'_>) -> Failure {
    match error {
        InstantiateError::Trap(trap) => Failure::Trap(trap),
        InstantiateError::Import(_, problem) => {
            report::bad_import(board, &error, problem, image);
            Failure::Start(shim::wisp_run_error_WISP_RUN_BAD_IMPORT, 0)
        }
        InstantiateError::MemoryLimit(needed, allowed) => {
            report::too_large(board, needed, allowed);
            Failure::Start(shim::wisp_run_error_WISP_RUN_NO_MEMORY, needed)
        }
        InstantiateError::ArenaTooSmall(needed, left) => {
            report::too_small(board, needed, left);
            Failure::Start(shim::wisp_run_error_WISP_RUN_NO_MEMORY, needed)
        }
        InstantiateError::Image(error) => {
            report::bad_image(board, error);
            Failure::Start(shim::wisp_run_error_WISP_RUN_BAD_IMAGE, 0)
        }
        InstantiateError::TableLimit(has, allowed) => {
            report::too_many(board, Counted::TableElements, has, allowed);
            Failure::Start(shim::wisp_run_error_WISP_RUN_LIMIT, has)
        }
        InstantiateError::ImportLimit(has, allowed) => {
            report::too_many(board, Counted::Imports, has, allowed);
            Failure::Start(shim::wisp_run_error_WISP_RUN_LIMIT, has)
        }
        InstantiateError::FunctionLimit(has, allowed) => {
            report::too_many(board, Counted::Functions, has, allowed);
            Failure::Start(shim::wisp_run_error_WISP_RUN_LIMIT, has)
        }
        // A run has a store of its own with one instance; what is new in the engine is no better known here.
        _ => Failure::Start(shim::wisp_run_error_WISP_RUN_BAD_IMAGE, 0),
    }
}

/// Reads an image's header and section table.
///
/// # Safety
/// `image` points to `size` bytes that do not change during the call. `app` is an app of the firmware.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_check(app: *const shim::wisp_app, image: *const u8, size: usize) -> u32 {
    // SAFETY: C passes `size` bytes that do not change during the call.
    let bytes = unsafe { core::slice::from_raw_parts(image, size) };
    match Image::parse(bytes) {
        Ok(_) => shim::wisp_run_error_WISP_RUN_OK,
        Err(error) => {
            // SAFETY: C passes an app of the firmware.
            report::bad_image(&unsafe { Zephyr::new(app) }, error);
            shim::wisp_run_error_WISP_RUN_BAD_IMAGE
        }
    }
}

/// Sets a run's stop flag. May be called from other threads and from interrupts.
///
/// # Safety
/// `flag` is what the run passed to `wisp_shim_app_stop_flag`, and it has not withdrawn it.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_interrupt(flag: *mut c_void) {
    // SAFETY: the run gave `flag` to C and has not withdrawn it; the handle may be used from any context.
    unsafe { &*flag.cast::<InterruptHandle<'_>>() }.interrupt();
}

/// Sets a run's stop flag as [`wisp_rust_interrupt`] does, because the app ran for too long without blocking.
///
/// # Safety
/// `flag` is what the run passed to `wisp_shim_app_stop_flag`, and the run has not withdrawn it.
#[no_mangle]
pub unsafe extern "C" fn wisp_rust_deadline(flag: *mut c_void) {
    // SAFETY: the run gave `flag` to C and has not withdrawn it; the handle may be used from any context.
    unsafe { &*flag.cast::<InterruptHandle<'_>>() }.deadline();
}
