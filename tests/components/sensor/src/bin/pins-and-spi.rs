// SPDX-License-Identifier: Apache-2.0
// title: a pin and a device through wasi:gpio, wasi:spi and wasi:logging
// stdout: the key is inactive
// stdout: back came [1, 2, 3] and [4, 5]
//! Drives a pin, reads another one, and sends bytes to a device that gives them back.

wit_bindgen::generate!({
    inline: "package sensor:app;
        world pins-and-spi {
            import wasi:gpio/digital@0.2.0;
            import wisp:pins/digital@1.0.0;
            import wasi:spi/spi;
            import wasi:logging/logging@0.1.0-draft;
        }",
    path: ["../../../wit/wasi-io", "../../../wit/wasi-gpio", "../../../wit/pins", "../../../wit/wasi-spi", "../../../wit/wasi-logging"],
    generate_all,
});

use wasi::gpio::general::GpioError;
use wasi::logging::logging::{log, Level};
use wasi::spi::spi::{self, Operation, OperationResult};
use wisp::pins::digital::{get_digital_in, get_digital_out};

fn pins() -> Result<(), GpioError> {
    let led = get_digital_out("led")?;
    led.set_active()?;
    led.toggle()?;
    let key = get_digital_in("key")?;
    println!(
        "the key is {}",
        if key.is_active()? {
            "active"
        } else {
            "inactive"
        }
    );
    match get_digital_out("motor") {
        Err(GpioError::PinNotAllowed) => Ok(()),
        other => panic!("a pin that is not granted: {other:?}"),
    }
}

fn exchange() -> Result<(), spi::Error> {
    let wire = spi::open("wire")?;
    let whole = wire.transfer(&[1, 2, 3])?;
    let results = wire.transaction(&[Operation::DelayNs(1000), Operation::Transfer(vec![4, 5])])?;
    let [OperationResult::Delay, OperationResult::Transfer(part)] = &results[..] else {
        panic!("{results:?}");
    };
    println!("back came {whole:?} and {part:?}");
    Ok(())
}

fn main() {
    log(Level::Info, "wire", "begins");
    pins().unwrap();
    exchange().unwrap();
}
