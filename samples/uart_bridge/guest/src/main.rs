// SPDX-License-Identifier: Apache-2.0
//! Forwards requests from a serial port to an I2C device. Each line is a request in hexadecimal:
//!
//! ```text
//! w 10 48 65     writes the bytes 48 65 to register 10: ok
//! r 10 2         reads two bytes from register 10: 48 65
//! ```
//!
//! The other side of the port reaches the device that the app was granted, and no other device of the bus.
#![no_std]
#![no_main]

use core::fmt::{self, Write as _};
use wisp_guest::embedded_hal::i2c::I2c;
use wisp_guest::embedded_io::{Read, Write};
use wisp_guest::{info, Error, I2cDevice, Uart};

wisp_guest::main!(bridge);

/// The largest number of bytes of a line, without its end.
const LINE: usize = 64;
/// The largest number of bytes of one read or write.
const BYTES: usize = 16;

struct Port(Uart);

impl fmt::Write for Port {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

fn number(word: &str) -> Option<u8> {
    u8::from_str_radix(word, 16).ok()
}

/// Executes the request of a line. Bytes that were read are at the start of `bytes`. Returns `None` for a line that is no
/// request.
fn serve(
    device: &mut I2cDevice,
    line: &str,
    bytes: &mut [u8; BYTES + 1],
) -> Option<Result<usize, Error>> {
    let mut words = line.split_ascii_whitespace();
    let (command, register) = (words.next()?, number(words.next()?)?);
    let address = device.address();
    match command {
        "r" => {
            let count = usize::from(number(words.next()?)?);
            let buffer = bytes.get_mut(..count).filter(|_| count <= BYTES)?;
            Some(
                device
                    .write_read(address, &[register], buffer)
                    .map(|()| count),
            )
        }
        "w" => {
            let mut length = 1;
            bytes[0] = register;
            for word in words {
                *bytes.get_mut(length)? = number(word)?;
                length += 1;
            }
            Some(device.write(address, &bytes[..length]).map(|()| 0))
        }
        _ => None,
    }
}

fn answer(port: &mut Port, device: &mut I2cDevice, line: &str) -> fmt::Result {
    let mut bytes = [0; BYTES + 1];
    match serve(device, line, &mut bytes) {
        None => port.write_str("? w REGISTER BYTE... or r REGISTER COUNT\n"),
        Some(Err(error)) => writeln!(port, "error {error}"),
        Some(Ok(0)) => port.write_str("ok\n"),
        Some(Ok(count)) => {
            for byte in &bytes[..count] {
                write!(port, "{byte:02x} ")?;
            }
            port.write_str("\n")
        }
    }
}

fn bridge() -> Result<(), Error> {
    let mut port = Port(Uart::open("host")?);
    let mut device = I2cDevice::open("device")?;
    info!("device {:02x} at the serial port", device.address());
    let mut line = [0; LINE];
    let mut length = 0;
    loop {
        let mut byte = [0];
        port.0.read(&mut byte)?;
        match byte {
            [b'\r' | b'\n'] => {
                let text = core::str::from_utf8(&line[..length]).unwrap_or("");
                if length > 0 && answer(&mut port, &mut device, text).is_err() {
                    info!("the answer could not be sent");
                }
                length = 0;
            }
            // A line that is too long is cut, and is then no valid request.
            [byte] if length < LINE => {
                line[length] = byte;
                length += 1;
            }
            _ => {}
        }
    }
}
