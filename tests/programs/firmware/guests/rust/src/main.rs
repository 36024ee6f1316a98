// SPDX-License-Identifier: Apache-2.0

use std::collections::HashMap;
use std::time::{Duration, Instant};

fn main() {
    let squares: HashMap<u32, u32> = (0..40).map(|n| (n, n * n)).collect();
    let names = HashMap::from([("one".to_string(), 1), ("two".to_string(), 2)]);
    println!(
        "in Rust: {} squares, {} in all, {:?} -> {}",
        squares.len(),
        squares.values().sum::<u32>(),
        "two",
        names["two"]
    );
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(20));
    let slept = if start.elapsed() >= Duration::from_millis(20) {
        "slept"
    } else {
        "not slept"
    };
    println!("in Rust: {slept}");
    let v = [1, 2, 3];
    let at = names.len() + 3;
    println!("{}", v[at]);
}
