// SPDX-License-Identifier: Apache-2.0
#![no_std]
#![no_main]

use wisp_guest::{info, Delay, Error, Output};

wisp_guest::main!(app);

fn app() -> Result<(), Error> {
    let mut led = Output::open("led")?;
    info!("blinking");
    loop {
        led.toggle()?;
        Delay.ms(500);
    }
}
