// SPDX-License-Identifier: Apache-2.0
//! Runs one guest for `make demo`: `guest/examples/blinky`, with the few host functions that it imports. A
//! firmware has them from `wisp-host`, over its drivers. Here the pin is a line of text, and sleeping passes
//! simulated time.

use semihosting::println;
use wisp_abi::Errno;
use wisp_engine::{scratch, Caller, Config, Engine, HostFunction, Linker, Module, Store, Trap, TrapCode};

/// Changes of the pin after which the demo is over.
const CHANGES: u32 = 6;
/// The handle of the only pin.
const PIN: i32 = 1;
/// The results of host functions: done, no such grant, no such handle.
const OK: i32 = 0;
const NOT_GRANTED: i32 = Errno::Access.code();
const NO_HANDLE: i32 = Errno::BadHandle.code();

/// The simulated board.
#[derive(Default)]
struct Board {
    milliseconds: u32,
    active: bool,
    changes: u32,
}

static FUNCTIONS: [HostFunction<Board>; 7] = [
    HostFunction::wrap("wisp:gpio@1", "open", |caller: Caller<'_, Board>, name: u32, length: u32, _: u32| {
        Ok::<i32, Trap>(if caller.bytes(name, length)? == b"led" { PIN } else { NOT_GRANTED })
    }),
    HostFunction::wrap("wisp:gpio@1", "toggle", |mut caller: Caller<'_, Board>, pin: i32| {
        let board = caller.data_mut();
        if pin != PIN {
            return Ok(NO_HANDLE);
        }
        if board.changes == CHANGES {
            return Err(TrapCode::Interrupted.into());
        }
        board.changes += 1;
        board.active = !board.active;
        println!("  [{:5} ms] LED {}", board.milliseconds, if board.active { "on" } else { "off" });
        Ok::<i32, Trap>(OK)
    }),
    HostFunction::wrap("wisp:gpio@1", "close", |_: Caller<'_, Board>, _: u32| OK),
    HostFunction::wrap("wisp:timer@1", "sleep_ms", |mut caller: Caller<'_, Board>, milliseconds: u32| {
        caller.data_mut().milliseconds += milliseconds;
        OK
    }),
    HostFunction::wrap("wisp:log@1", "write", |caller: Caller<'_, Board>, _: u32, text: u32, length: u32| {
        let bytes = caller.bytes(text, length)?;
        let milliseconds = caller.data().milliseconds;
        println!("  [{milliseconds:5} ms] blinky: {}", core::str::from_utf8(bytes).unwrap_or("(no text)"));
        Ok::<i32, Trap>(OK)
    }),
    HostFunction::wrap("wisp:log@1", "max_level", |_: Caller<'_, Board>| 4),
    HostFunction::wrap("wasi_snapshot_preview1", "proc_exit", |_: Caller<'_, Board>, status: u32| {
        println!("the guest ended with status {status}");
        Err::<(), Trap>(TrapCode::HostError.into())
    }),
];

/// Runs the image until its pin has changed a few times. False if it does not come to that.
pub fn run(image: &[u8], arena: &mut [u64]) -> bool {
    let engine = Engine::new(&Config::new().stack_size(2048));
    let module = match Module::new_in(&engine, image, scratch(arena)) {
        Ok(module) => module,
        Err(error) => {
            println!("the image was refused: {error:?}");
            return false;
        }
    };
    let Some(mut store) = Store::new(&engine, arena, Board::default()) else { return false };
    let instance = match Linker::from_table(&FUNCTIONS).instantiate(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            println!("the guest was not instantiated: {error:?}");
            return false;
        }
    };
    let Some(start) = instance.get_func(&store, "_start") else { return false };
    let ended = start.call(&mut store, &[], &mut []);
    let whole = store.data().changes == CHANGES;
    if !whole {
        println!("the guest ended early: {ended:?}");
    }
    whole
}
