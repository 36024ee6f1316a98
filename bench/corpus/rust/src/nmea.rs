// SPDX-License-Identifier: Apache-2.0
//! Sentences of a receiver of GPS.

use nmea::{parse_str, ParseResult};

use crate::repeat;

pub const HEAP: usize = 0;

static SENTENCES: [&str; 5] = [
    "$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76",
    "$GPGSA,A,3,10,07,05,02,29,04,08,13,,,,,1.72,1.03,1.38*0A",
    "$GPGSV,3,1,11,10,63,137,17,07,61,098,15,05,59,290,20,08,54,157,30*70",
    "$GPRMC,092750.000,A,5321.6802,N,00630.3372,W,0.02,31.66,280511,,,A*43",
    "$GPVTG,360.0,T,348.7,M,000.0,N,000.0,K*43",
];

pub fn run(n: u32) -> u32 {
    repeat(n, |round| {
        SENTENCES.iter().fold(round, |sum, text| {
            let value = match parse_str(text).unwrap() {
                ParseResult::GGA(data) => {
                    data.latitude.unwrap().to_bits() as u32 ^ data.fix_satellites.unwrap()
                }
                ParseResult::GSA(data) => data.fix_sats_prn.iter().sum(),
                ParseResult::GSV(data) => data.sats_in_view as u32,
                ParseResult::RMC(data) => (data.lon.unwrap().to_bits() >> 20) as u32,
                ParseResult::VTG(data) => data.true_course.unwrap().to_bits(),
                _ => 1,
            };
            sum.rotate_left(9) ^ value
        })
    })
}
