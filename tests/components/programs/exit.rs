// SPDX-License-Identifier: Apache-2.0
// title: `process::exit`
// stdout: the pump is stuck
// status: 1
fn main() {
    println!("the pump is stuck");
    std::process::exit(7);
}
