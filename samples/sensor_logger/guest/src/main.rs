// SPDX-License-Identifier: Apache-2.0
//! Measures a battery once a second with the unchanged driver crate `max170xx`, and stores the mean of
//! every five measurements. The last eight records are kept. After a restart, their numbers continue.
#![no_std]
#![no_main]

use max170xx::Max17048;
use wisp_guest::{error, exit, info, kv, Delay, Error, I2cDevice};

wisp_guest::main!(log_battery);

/// Number of measurements in a record.
const MEASUREMENTS: u32 = 5;
/// Keys of the records, of which each is used in turn.
const KEYS: [&str; 8] = [
    "record.0", "record.1", "record.2", "record.3", "record.4", "record.5", "record.6", "record.7",
];
/// Key of the number of records that were stored.
const COUNT: &str = "count";

fn count() -> Result<u32, Error> {
    let mut bytes = [0; 4];
    kv::get(COUNT, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn log_battery() -> Result<(), Error> {
    let mut gauge = Max17048::new(I2cDevice::open("gauge")?);
    let mut number = count()?;
    info!("{} records so far", number);
    loop {
        let (mut millivolts, mut permille) = (0, 0);
        for _ in 0..MEASUREMENTS {
            let (Ok(voltage), Ok(charge)) = (gauge.voltage(), gauge.soc()) else {
                error!("the gauge does not answer");
                exit(2);
            };
            millivolts += (voltage * 1000.0) as u32;
            permille += (charge * 10.0) as u32;
            Delay.ms(1000);
        }
        let record = [millivolts / MEASUREMENTS, permille / MEASUREMENTS];
        let mut bytes = [0; 8];
        for (to, from) in bytes.chunks_exact_mut(4).zip(record) {
            to.copy_from_slice(&from.to_le_bytes());
        }
        // Store the record before the number, so that every counted record exists if the app ends in between.
        kv::set(KEYS[number as usize % KEYS.len()], &bytes)?;
        number += 1;
        kv::set(COUNT, &number.to_le_bytes())?;
        info!(
            "record {}: {} mV, {}.{} %",
            number,
            record[0],
            record[1] / 10,
            record[1] % 10
        );
    }
}
