// SPDX-License-Identifier: Apache-2.0
// title: two components composed: a program, and a library with a resource
// stdout: library: 6 words
// stdout: program: 6
// stdout: program: “to” is short
// stdout: program: be 2, not 1, or 1, to 2
// stdout: program: first be
// stdout: library: the counter ends
//! The program: a component that imports `acme:words/words`.

use acme::words::words::{first, Counter};

wit_bindgen::generate!({ world: "program", path: "wit" });

fn main() {
    let counter = Counter::new(2);
    println!("program: {}", counter.add("To be or not to be").unwrap());
    println!("program: {}", counter.add("to").unwrap_err());
    let words: Vec<_> = counter
        .words()
        .iter()
        .map(|word| format!("{} {}", word.text, word.count))
        .collect();
    println!("program: {}", words.join(", "));
    println!("program: first {}", first(&counter).unwrap());
}
