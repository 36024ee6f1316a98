// SPDX-License-Identifier: Apache-2.0
//! Blinks the pin that the board grants as `led` and logs it.
#![no_std]
#![no_main]

use wisp_guest::{info, Delay, Error, Output};

wisp_guest::main!(blink);

fn blink() -> Result<(), Error> {
    let mut led = Output::open("led")?;
    for count in 1u32.. {
        led.toggle()?;
        info!("blink {}", count);
        Delay.ms(500);
    }
    Ok(())
}
