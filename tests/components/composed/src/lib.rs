// SPDX-License-Identifier: Apache-2.0
//! The library: a component that exports `acme:words/words`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use exports::acme::words::words::{CounterBorrow, Guest, GuestCounter, Word};

wit_bindgen::generate!({ world: "library", path: "wit" });

struct Library;

/// The texts of one counter.
struct Counter {
    least: u32,
    words: RefCell<BTreeMap<String, u32>>,
}

impl GuestCounter for Counter {
    fn new(least: u32) -> Self {
        Self {
            least,
            words: RefCell::default(),
        }
    }

    fn add(&self, text: String) -> Result<u32, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if (words.len() as u32) < self.least {
            return Err(format!("\u{201c}{text}\u{201d} is short"));
        }
        let mut counts = self.words.borrow_mut();
        words
            .iter()
            .for_each(|word| *counts.entry(word.to_lowercase()).or_default() += 1);
        println!("library: {} words", words.len());
        Ok(words.len() as u32)
    }

    fn words(&self) -> Vec<Word> {
        self.words
            .borrow()
            .iter()
            .map(|(text, &count)| Word {
                text: text.clone(),
                count,
            })
            .collect()
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        println!("library: the counter ends");
    }
}

impl Guest for Library {
    type Counter = Counter;

    fn first(of: CounterBorrow<'_>) -> Option<String> {
        of.get::<Counter>().words.borrow().keys().next().cloned()
    }
}

export!(Library);
