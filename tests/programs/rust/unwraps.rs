// SPDX-License-Identifier: Apache-2.0
// memory: 32768
// trap: unreachable
// stdout: 1
// stderr: called `Result::unwrap()` on an `Err` value: ParseIntError

fn main() {
    println!("{}", "1".parse::<i32>().unwrap());
    println!("{}", "one".parse::<i32>().unwrap());
}
