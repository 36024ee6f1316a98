// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;
use wisp_guest::Output;

fn main() {
    let mut led = match Output::open("led") {
        Ok(led) => led,
        Err(error) => {
            eprintln!("no led: {error:?}");
            std::process::exit(1);
        }
    };
    println!("blinking");
    loop {
        if let Err(error) = led.toggle() {
            panic!("the led does not toggle: {error:?}");
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}
