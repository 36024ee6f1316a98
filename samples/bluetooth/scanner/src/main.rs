// SPDX-License-Identifier: Apache-2.0
//! Logs how long each beacon has run. The host delivers what the app's grant lists, and nothing else.
#![no_std]
#![no_main]

use wisp_guest::{info, Error, Scanner};

wisp_guest::main!(listen);

/// The number of the maker whose data are read.
const COMPANY: u16 = 0xffff;

fn listen() -> Result<(), Error> {
    // EACCES unless the devicetree grants this app something to receive
    let mut scanner = Scanner::start()?;
    let mut last = None;
    loop {
        let report = scanner.receive()?;
        // everybody within reach can send such data, of any length
        let seconds = report
            .company_data(COMPANY)
            .and_then(|data| data.try_into().ok())
            .map(u32::from_le_bytes);
        // a beacon sends the same several times
        if let Some(seconds) = seconds.filter(|seconds| last != Some((report.address, *seconds))) {
            info!(
                "beacon {:012x} at {} dBm has run {} s",
                report.address, report.rssi, seconds
            );
            last = Some((report.address, seconds));
        }
    }
}
