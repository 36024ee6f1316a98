// SPDX-License-Identifier: Apache-2.0
//! Firmware in Rust that embeds a guest: it gives the guest a function to import, and calls one
//! that the guest exports.
#![no_std]

use log::{error, info};
use wisp_port::engine::{scratch, Caller, Config, Engine, HostFunction, Linker, Module, Store};

/// The data that the firmware keeps for the guest and passes to its host functions.
struct Readings {
    taken: u32,
}

/// The functions that the guest may import. They capture nothing, so the table lies in flash.
static FUNCTIONS: [HostFunction<Readings>; 1] = [HostFunction::wrap(
    "firmware",
    "reading",
    |mut caller: Caller<'_, Readings>, channel: u32| -> i32 {
        let readings = caller.data_mut();
        readings.taken += 1;
        [30, 10, 20].get(channel as usize).copied().unwrap_or(-1)
    },
)];

/// Runs the guest once and gives what it computed.
fn run() -> Result<i32, &'static str> {
    // Frames, instance records and linear memory of the guest: its whole RAM.
    let mut arena = [0u64; 512];

    let image = wisp_port::image("median").ok_or("the firmware holds no image of this name")?;
    let engine = Engine::new(&Config::new().stack_size(512));
    let module = Module::new_in(&engine, image, scratch(&mut arena)).map_err(|_| "bad image")?;
    let readings = Readings { taken: 0 };
    let mut store = Store::new(&engine, &mut arena, readings).ok_or("the arena is too small")?;
    let linker = Linker::from_table(&FUNCTIONS);
    let instance = linker
        .instantiate(&mut store, &module)
        .map_err(|_| "cannot instantiate")?;
    let median = instance
        .get_typed_func::<(), i32>(&store, "median")
        .ok_or("no such export")?;
    let value = median
        .call(&mut store, ())
        .map_err(|_| "the guest trapped")?;
    info!("the guest took {} readings", store.data().taken);
    Ok(value)
}

#[no_mangle]
extern "C" fn rust_main() {
    // SAFETY: called once, before anything logs.
    if unsafe { zephyr::set_logger() }.is_err() {
        return;
    }
    match run() {
        Ok(value) => info!("the median is {}", value),
        Err(problem) => error!("{}", problem),
    }
}
