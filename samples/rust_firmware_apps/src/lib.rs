// SPDX-License-Identifier: Apache-2.0
//! Firmware in Rust that starts apps. The devicetree says what each may use (`app.overlay`).
#![no_std]

mod lamp;

use log::info;
use wisp::{App, Error};
use zephyr::time::Forever;

wisp::main!(firmware, lamp::FUNCTIONS);

/// Waits for the end of an app, in a thread of its own, and logs how it ended.
#[zephyr::thread(stack_size = 2048)]
fn watch(app: App) {
    match app.join(Forever) {
        Ok(status) => info!("{}: {}", app.name(), status.state),
        Err(error) => info!("{}: {}", app.name(), error),
    }
}

/// Runs an app to its end.
fn run(app: App, image: &str) -> Result<(), Error> {
    app.load(image)?;
    app.start()?;
    let status = app.join(Forever)?;
    let usage = app.usage();
    info!(
        "{}: {}, with {} of {} bytes of memory",
        app.name(),
        status.state,
        status.memory_used,
        usage.memory_size
    );
    Ok(())
}

fn firmware() -> Result<(), Error> {
    let blinky = wisp::app!(labels::blinky)?;
    blinky.load("blinky")?;
    blinky.start()?;
    let watcher = watch(blinky).start();

    // The same image in two apps. Only the first may set the lamp.
    run(wisp::app!(labels::evening)?, "dimmer")?;
    run(wisp::app!(labels::visitor)?, "dimmer")?;

    blinky.stop()?;
    if watcher.join().is_ok() {
        info!("all done");
    }
    Ok(())
}
