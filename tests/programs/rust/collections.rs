// SPDX-License-Identifier: Apache-2.0
// memory: 65536

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};

fn main() {
    let mut words: HashMap<String, usize> = HashMap::new();
    for word in "the cat and the dog and the bird".split_whitespace() {
        *words.entry(word.to_string()).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = words.iter().collect();
    counts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    println!("{counts:?}");
    let squares: BTreeMap<u32, u64> = (0..100).map(|n| (n, u64::from(n) * u64::from(n))).collect();
    println!(
        "{:?} {:?}",
        squares.range(10..13).collect::<Vec<_>>(),
        squares.last_key_value()
    );
    let a: HashSet<i32> = (0..20).filter(|n| n % 2 == 0).collect();
    let b: HashSet<i32> = (0..20).filter(|n| n % 3 == 0).collect();
    let both: BTreeSet<_> = a.intersection(&b).collect();
    println!("{both:?} {}", a.union(&b).count());
    let mut queue: VecDeque<_> = (1..=5).collect();
    queue.rotate_left(2);
    queue.push_front(0);
    println!("{queue:?}");
    let mut heap = BinaryHeap::from(vec![3, 1, 4, 1, 5, 9, 2, 6]);
    print!("heap");
    while let Some(top) = heap.pop() {
        print!(" {top}");
    }
    println!();
    let mut big: Vec<u16> = (0..2000).rev().collect();
    big.sort_unstable();
    big.dedup();
    println!(
        "{} {:?} {:?}",
        big.len(),
        big.binary_search(&1234),
        big.iter().rposition(|n| *n < 10)
    );
}
