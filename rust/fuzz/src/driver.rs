// SPDX-License-Identifier: Apache-2.0
//! Runs a target with pseudo-random bytes. Each run is a function of seed and number, so that a failure can be
//! repeated.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::{guard, modules, Outcome};

/// The largest number of bytes of an input.
const LONGEST: u64 = 4096;

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(u64);

impl Random {
    /// Returns the sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Returns the input of a run.
pub fn input(seed: u64, number: u64) -> Vec<u8> {
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(number));
    random.draw();
    let length = random.draw() % LONGEST;
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < length {
        bytes.extend(random.draw().to_le_bytes());
    }
    // generators take small choices and lengths from the bytes too: zeros and small numbers lead elsewhere
    let small = random.draw() % 4;
    for byte in &mut bytes {
        let choice = random.draw() >> 56;
        if small != 0 && choice < small * 24 {
            *byte &= 7;
        }
    }
    bytes
}

struct Arguments {
    seconds: u64,
    runs: u64,
    seed: u64,
    only: Option<u64>,
}

fn arguments() -> Result<Arguments, String> {
    let mut result = Arguments { seconds: 10, runs: u64::MAX, seed: 1, only: None };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next().and_then(|value| value.parse().ok());
        let value = value.ok_or_else(|| format!("{name} needs a number"))?;
        match name.as_str() {
            "--seconds" => result.seconds = value,
            "--runs" => (result.runs, result.seconds) = (value, u64::MAX / 2),
            "--seed" => result.seed = value,
            "--only" => result.only = Some(value),
            _ => return Err(format!("unknown option {name}; expected --seconds, --runs, --seed or --only")),
        }
    }
    Ok(result)
}

/// Numbers of runs by outcome.
#[derive(Clone, Copy, Default, Debug)]
pub struct Counts {
    /// The bytes made no input.
    pub rejected: u64,
    /// The input was refused.
    pub refused: u64,
    /// The input ran.
    pub ran: u64,
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Rejected => self.rejected += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Ran => self.ran += 1,
        }
    }
}

/// Runs a target. The error is the number of the run that failed.
pub fn drive(target: fn(&[u8]) -> Outcome, seed: u64, runs: u64, time: Duration) -> Result<Counts, u64> {
    let mut counts = Counts::default();
    let start = Instant::now();
    for number in 0..runs {
        if number % 16 == 0 && start.elapsed() >= time {
            break;
        }
        counts.add(one(target, seed, number)?);
    }
    Ok(counts)
}

fn one(target: fn(&[u8]) -> Outcome, seed: u64, number: u64) -> Result<Outcome, u64> {
    guard::running(number);
    let bytes = input(seed, number);
    catch_unwind(AssertUnwindSafe(|| target(&bytes))).map_err(|_| number)
}

/// Returns the command line of a target.
pub fn main(name: &str, target: fn(&[u8]) -> Outcome) -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{name}: {error}");
            return ExitCode::from(2);
        }
    };
    guard::report_faults();
    let start = Instant::now();
    let seed = arguments.seed;
    let result = match arguments.only {
        Some(number) => one(target, seed, number).map(|outcome| {
            println!("{name}: run {number} of seed {seed}: {outcome:?}");
            Counts::default()
        }),
        None => drive(target, seed, arguments.runs, Duration::from_secs(arguments.seconds)),
    };
    match result {
        Ok(counts) => {
            let total = counts.rejected + counts.refused + counts.ran;
            let seconds = start.elapsed().as_secs();
            println!(
                "{name}: {total} executions in {seconds} s (seed {seed}): {} ran, {} refused, {} no input",
                counts.ran, counts.refused, counts.rejected
            );
            ExitCode::SUCCESS
        }
        Err(number) => {
            eprintln!("{name}: FAILED; again with --seed {seed} --only {number}");
            let file = format!("failure-{name}-{seed}-{number}.wasm");
            if modules::save_last(&file) {
                eprintln!("{name}: the module is in {file}");
            }
            ExitCode::FAILURE
        }
    }
}
