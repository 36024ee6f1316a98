// SPDX-License-Identifier: Apache-2.0
// title: a sensor through `wisp:i2c`
// stdout: 25.50 degrees
//! Reads the sensor through the package `wisp:i2c`.

use embedded_hal::i2c::{Error, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

wit_bindgen::generate!({
    inline: "package sensor:app; world through-wisp { import wisp:i2c/i2c@1.0.0; }",
    path: ["../../../wit/i2c"],
    generate_all,
});

use wisp::i2c::i2c::{open, Device, ErrorCode};

struct Bus(Device);

#[derive(Debug)]
struct BusError(ErrorCode);

impl Error for BusError {
    fn kind(&self) -> ErrorKind {
        match self.0 {
            ErrorCode::Nxio => ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown),
            ErrorCode::Again => ErrorKind::ArbitrationLoss,
            ErrorCode::Overflow => ErrorKind::Overrun,
            ErrorCode::Io => ErrorKind::Bus,
            _ => ErrorKind::Other,
        }
    }
}

impl ErrorType for Bus {
    type Error = BusError;
}

impl I2c for Bus {
    fn write_read(&mut self, _: u8, bytes: &[u8], buffer: &mut [u8]) -> Result<(), BusError> {
        let read = self
            .0
            .write_read(bytes, buffer.len() as u32)
            .map_err(BusError)?;
        buffer.copy_from_slice(&read);
        Ok(())
    }

    fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), BusError> {
        Err(BusError(ErrorCode::Notsup))
    }
}

fn main() {
    match open("temp") {
        Ok(device) => sensor::run(&mut Bus(device)).unwrap(),
        Err(error) => {
            println!("no sensor: {error:?}");
            std::process::exit(1);
        }
    }
}
