// SPDX-License-Identifier: Apache-2.0
// title: `HashMap`
// stdout: a 2
// stdout: b 1
// stdout: n 3
use std::collections::HashMap;

fn main() {
    let mut counts = HashMap::new();
    for letter in "banana".chars() {
        *counts.entry(letter).or_insert(0) += 1;
    }
    *counts.get_mut(&'n').unwrap() += 1;
    *counts.get_mut(&'a').unwrap() -= 1;
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort();
    for (letter, count) in sorted {
        println!("{letter} {count}");
    }
}
