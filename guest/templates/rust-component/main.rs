// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

wit_bindgen::generate!({ path: "wit", world: "app", generate_all });

use wisp::gpio::gpio;

/// The mode of `open` for an output, as `wit/deps/gpio/gpio.wit` lists it.
const OUTPUT_INACTIVE: u32 = 1;

fn main() {
    let led = match gpio::open("led", OUTPUT_INACTIVE) {
        Ok(led) => led,
        Err(error) => {
            eprintln!("no led: {error}");
            std::process::exit(1);
        }
    };
    println!("blinking");
    loop {
        if let Err(error) = led.toggle() {
            panic!("the led does not toggle: {error}");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}
