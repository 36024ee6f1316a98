// SPDX-License-Identifier: Apache-2.0
//! Uses unchanged driver crates from the registry, each with a device that the app was granted. An EEPROM
//! (24x02) is written, read back and compared. The identity and the acceleration of an inertial sensor
//! (BMI160) are read over I2C and over SPI. A converter (ADS1115) measures an input.
#![no_std]
#![no_main]

use ads1x1x::{channel, Ads1x1x, TargetAddr};
use bmi160::{AccelerometerPowerMode, Bmi160, SensorSelector};
use eeprom24x::{Eeprom24x, SlaveAddr, Storage};
use embedded_storage::{ReadStorage, Storage as _};
use wisp_guest::{error, exit, info, Delay, Error, I2cDevice, SpiDevice};

wisp_guest::main!(drivers);

fn drivers() -> Result<(), Error> {
    let results = [
        ("the EEPROM", eeprom(I2cDevice::open("store")?)),
        ("the sensor", imu(I2cDevice::open("imu")?)),
        ("the sensor on SPI", imu_on_spi(SpiDevice::open("imu")?)),
        ("the converter", converter(I2cDevice::open("converter")?)),
    ];
    for (status, (name, result)) in (2..).zip(results) {
        if result.is_none() {
            error!("{} failed", name);
            exit(status);
        }
    }
    info!("all drivers work");
    Ok(())
}

fn eeprom(device: I2cDevice) -> Option<()> {
    let mut eeprom = Eeprom24x::new_24x02(device, SlaveAddr::Alternative(true, true, true));
    eeprom.write_byte(0x20, 0xab).ok()?;
    Delay.ms(5);
    info!("eeprom24x: byte {:02x}", eeprom.read_byte(0x20).ok()?);

    // The write crosses pages of the EEPROM, and the crate splits it.
    let mut storage = Storage::new(eeprom, Delay);
    let text = b"Written page by page.";
    storage.write(0x33, text).ok()?;
    let mut read = [0; 21];
    storage.read(0x33, &mut read).ok()?;
    info!("eeprom24x: {}", core::str::from_utf8(&read).ok()?);
    (read == *text).then_some(())
}

fn imu(device: I2cDevice) -> Option<()> {
    let mut imu = Bmi160::new_with_i2c(device, bmi160::SlaveAddr::default());
    info!("bmi160: chip id {:02x}", imu.chip_id().ok()?);
    imu.set_accel_power_mode(AccelerometerPowerMode::Normal).ok()?;
    let data = imu.data(SensorSelector::new().accel()).ok()?.accel?;
    info!("bmi160: acceleration {} {} {}", data.x, data.y, data.z);
    Some(())
}

fn imu_on_spi(device: SpiDevice) -> Option<()> {
    let mut imu = Bmi160::new_with_spi(device);
    info!("bmi160 on SPI: chip id {:02x}", imu.chip_id().ok()?);
    imu.set_accel_power_mode(AccelerometerPowerMode::Normal).ok()?;
    let data = imu.data(SensorSelector::new().accel()).ok()?.accel?;
    info!("bmi160 on SPI: acceleration {} {} {}", data.x, data.y, data.z);
    Some(())
}

fn converter(device: I2cDevice) -> Option<()> {
    let mut converter = Ads1x1x::new_ads1115(device, TargetAddr::default());
    let steps = loop {
        match converter.read(channel::SingleA1) {
            Ok(steps) => break steps,
            Err(nb::Error::WouldBlock) => Delay.ms(1),
            Err(nb::Error::Other(_)) => return None,
        }
    };
    info!("ads1x1x: input 1 at {} steps", steps);
    Some(())
}
