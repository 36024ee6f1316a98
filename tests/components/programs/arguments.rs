// SPDX-License-Identifier: Apache-2.0
// title: arguments and environment
// stdout: one
// stdout: two
// stdout: PLACE=board
fn main() {
    std::env::args()
        .skip(1)
        .for_each(|argument| println!("{argument}"));
    println!("PLACE={}", std::env::var("PLACE").unwrap());
}
