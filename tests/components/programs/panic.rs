// SPDX-License-Identifier: Apache-2.0
// title: panic
// stdout: before
// stderr: there is no water
// trap: unreachable
fn main() {
    println!("before");
    panic!("there is no water");
}
