// SPDX-License-Identifier: Apache-2.0
// title: prints a line
// stdout: hello from a component
fn main() {
    println!("hello from a component");
}
