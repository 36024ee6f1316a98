// SPDX-License-Identifier: Apache-2.0
// title: a sensor through wasi:i2c
// stdout: 25.50 degrees
//! Reads the sensor through wasi:i2c.

use embedded_hal::i2c::{Error, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

wit_bindgen::generate!({
    inline: "package sensor:app;
        world through-wasi { import wasi:i2c/i2c@0.2.0-draft; import wisp:grants/i2c@1.0.0; }",
    path: ["../../../wit/wasi-i2c", "../../../wit/grants"],
    generate_all,
});

use wasi::i2c::i2c as wasi_i2c;

struct Bus(wasi_i2c::I2c);

#[derive(Debug)]
struct BusError(wasi_i2c::ErrorCode);

impl Error for BusError {
    fn kind(&self) -> ErrorKind {
        match self.0 {
            wasi_i2c::ErrorCode::Bus => ErrorKind::Bus,
            wasi_i2c::ErrorCode::ArbitrationLoss => ErrorKind::ArbitrationLoss,
            wasi_i2c::ErrorCode::NoAcknowledge(_) => {
                ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown)
            }
            wasi_i2c::ErrorCode::Overrun => ErrorKind::Overrun,
            wasi_i2c::ErrorCode::Other => ErrorKind::Other,
        }
    }
}

impl ErrorType for Bus {
    type Error = BusError;
}

impl I2c for Bus {
    fn write_read(&mut self, address: u8, bytes: &[u8], buffer: &mut [u8]) -> Result<(), BusError> {
        let read = self
            .0
            .write_read(address.into(), bytes, buffer.len() as u64)
            .map_err(BusError)?;
        buffer.copy_from_slice(&read);
        Ok(())
    }

    fn transaction(
        &mut self,
        address: u8,
        operations: &mut [Operation<'_>],
    ) -> Result<(), BusError> {
        let given: Vec<_> = operations
            .iter()
            .map(|operation| match operation {
                Operation::Read(buffer) => wasi_i2c::Operation::Read(buffer.len() as u64),
                Operation::Write(bytes) => wasi_i2c::Operation::Write(bytes.to_vec()),
            })
            .collect();
        let read = self
            .0
            .transaction(address.into(), &given)
            .map_err(BusError)?;
        let buffers = operations
            .iter_mut()
            .filter_map(|operation| match operation {
                Operation::Read(buffer) => Some(buffer),
                Operation::Write(_) => None,
            });
        buffers
            .zip(read)
            .for_each(|(buffer, bytes)| buffer.copy_from_slice(&bytes));
        Ok(())
    }
}

fn main() {
    match wisp::grants::i2c::open("temp") {
        Ok(bus) => sensor::run(&mut Bus(bus)).unwrap(),
        Err(error) => {
            println!("no sensor: {error:?}");
            std::process::exit(1);
        }
    }
}
