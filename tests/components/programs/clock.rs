// SPDX-License-Identifier: Apache-2.0
// title: clock and sleep
// stdout: slept
use std::time::{Duration, Instant};

fn main() {
    let before = Instant::now();
    std::thread::sleep(Duration::from_millis(20));
    assert!(before.elapsed() >= Duration::from_millis(20));
    println!("slept");
}
