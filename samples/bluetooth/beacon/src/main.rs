// SPDX-License-Identifier: Apache-2.0
//! Advertises a name and how many seconds the app has run. A scanner needs no connection to read that.
#![no_std]
#![no_main]

use core::time::Duration;
use wisp_guest::{info, Advertisement, Advertiser, Delay, Error};

wisp_guest::main!(advertise);

/// The number for makers that have none of their own, for tests.
const COMPANY: u16 = 0xffff;
/// The time between two advertisements.
const INTERVAL: Duration = Duration::from_millis(500);

/// Returns the data of an advertisement, which has room for 31 bytes.
fn data(seconds: u32) -> Option<Advertisement> {
    Advertisement::new()
        .flags()?
        .name("Beacon")?
        .company_data(COMPANY, &seconds.to_le_bytes())
}

fn advertise() -> Result<(), Error> {
    let mut advertiser: Option<Advertiser> = None;
    for seconds in 0u32.. {
        let Some(data) = data(seconds) else { break };
        match &mut advertiser {
            // EACCES unless the devicetree grants this app the name and the company
            None => advertiser = Some(Advertiser::start(&data, &Advertisement::new(), INTERVAL)?),
            Some(running) => running.update(&data, &Advertisement::new(), INTERVAL)?,
        }
        if seconds == 0 {
            info!("advertises");
        }
        Delay.ms(1000);
    }
    Ok(())
}
