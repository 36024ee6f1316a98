// SPDX-License-Identifier: Apache-2.0
// memory: 32768
// trap: unreachable
// stdout: before
// stderr: panics.rs:12:25
// stderr: index out of bounds: the len is 3 but the index is 5

fn main() {
    println!("before");
    let v = vec![1, 2, 3];
    let at = v.len() + 2;
    std::process::exit(v[at]);
}
