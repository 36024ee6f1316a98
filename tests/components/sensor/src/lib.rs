// SPDX-License-Identifier: Apache-2.0
//! A driver of a temperature sensor, written for any bus of embedded-hal.

use embedded_hal::i2c::I2c;

/// The sensor's address on its bus.
pub const ADDRESS: u8 = 0x48;

/// Returns the temperature in hundredths of a degree Celsius: the first register has steps of 1/256 degree.
pub fn temperature<B: I2c>(bus: &mut B) -> Result<i32, B::Error> {
    let mut register = [0; 2];
    bus.write_read(ADDRESS, &[0], &mut register)?;
    Ok(i32::from(i16::from_be_bytes(register)) * 100 / 256)
}

/// Reads as often as the first argument says, once without, and prints the last temperature.
pub fn run<B: I2c>(bus: &mut B) -> Result<(), B::Error> {
    let times = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let mut last = 0;
    for _ in 0..times {
        last = temperature(bus)?;
    }
    println!("{}.{:02} degrees", last / 100, last % 100);
    Ok(())
}
