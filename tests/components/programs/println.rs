// SPDX-License-Identifier: Apache-2.0
// stdout: hello from a component
fn main() {
    println!("hello from a component");
}
