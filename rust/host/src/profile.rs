// SPDX-License-Identifier: Apache-2.0
//! A profile of an app as words in a buffer of constant size: where the app was found, and how often.
//!
//! A profile begins with [`HEAD`] words: [`MAGIC`], both parts of the image's id, and five counters,
//! which [`Counter`] numbers. Nodes follow, of [`NODE`] words each: what it is, the number of the node it belongs
//! to, which is one of those before it, and its count. A node is a function, called by the function that it belongs to, or
//! with the bit [`PLACE`] a code offset in that function. Samples at a place are not counted at its function again.

use wisp_engine::ImageId;

/// First word.
pub const MAGIC: u32 = u32::from_le_bytes(*b"WPR1");
/// Words in front of the nodes.
pub const HEAD: usize = 8;
/// Words of a node.
pub const NODE: usize = 3;
/// The bit of a node that is a code offset.
pub const PLACE: u32 = 1 << 31;
/// The number of the node that a function belongs to whose caller is not known, or is the host.
pub const ROOT: u32 = u32::MAX;
/// Frames of a sample at most, the innermost.
pub const FRAMES: usize = 16;

/// A word of the head that counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counter {
    /// Times that the timer has expired.
    Ticks = 3,
    /// Times that the app had the processor then.
    Samples = 4,
    /// Samples of which no function is known.
    Unknown = 5,
    /// Samples that are counted at a caller, or nowhere, because the buffer was full.
    Cut = 6,
    /// Nodes.
    Nodes = 7,
}

/// A frame of a sample: the index of a function among the defined ones, and the code offset, if it is known.
pub type Place = (u32, Option<u32>);

/// A profile that grows.
pub struct Profile<'w> {
    words: &'w mut [u32],
}

impl<'w> Profile<'w> {
    /// Begins a profile in a buffer. A buffer below [`HEAD`] words counts nothing.
    pub fn begin(words: &'w mut [u32], image: ImageId) -> Self {
        let head = [MAGIC, image.wasm, image.code, 0, 0, 0, 0, 0];
        words.iter_mut().zip(head).for_each(|(word, value)| *word = value);
        Self { words }
    }

    /// Goes on with a profile that [`Profile::begin`] began in this buffer.
    pub fn of(words: &'w mut [u32]) -> Self {
        Self { words }
    }

    /// Adds to a counter.
    pub fn add(&mut self, counter: Counter, count: u32) {
        if let Some(word) = self.words.get_mut(counter as usize) {
            *word = word.saturating_add(count);
        }
    }

    /// Returns the bytes that the profile has.
    pub fn bytes(&self) -> usize {
        let nodes = self.words.get(Counter::Nodes as usize).map_or(0, |&nodes| nodes as usize);
        4 * (HEAD + NODE * nodes).min(self.words.len())
    }

    /// Returns the number of the node with this meaning. A new one needs room for `spare` more.
    fn node(&mut self, parent: u32, what: u32, spare: usize) -> Option<u32> {
        let count = *self.words.get(Counter::Nodes as usize)? as usize;
        // a node is younger than the one it belongs to
        let first = if parent == ROOT { 0 } else { parent as usize + 1 };
        let nodes = self.words.get_mut(HEAD..)?;
        let known = nodes.get(NODE * first..NODE * count)?.chunks_exact(NODE);
        if let Some(at) = known.into_iter().position(|node| node[0] == what && node[1] == parent) {
            return Some((first + at) as u32);
        }
        if NODE * (count + 1 + spare) > nodes.len() {
            return None;
        }
        nodes.get_mut(NODE * count..NODE * (count + 1))?.copy_from_slice(&[what, parent, 0]);
        self.add(Counter::Nodes, 1);
        Some(count as u32)
    }

    /// Counts a sample with these frames, innermost first. Places leave an eighth of the buffer for functions.
    pub fn count(&mut self, frames: &[Place]) {
        self.add(Counter::Samples, 1);
        let Some(&(_, offset)) = frames.first() else { return self.add(Counter::Unknown, 1) };
        let spare = self.words.len() / NODE / 8;
        let functions = frames.iter().take(FRAMES).rev().map(|&(function, _)| (function & !PLACE, 0));
        let mut path = functions.chain(offset.map(|offset| (offset | PLACE, spare)));
        let mut node = ROOT;
        let whole = path.all(|(what, spare)| {
            let next = self.node(node, what, spare);
            node = next.unwrap_or(node);
            next.is_some()
        });
        if !whole {
            self.add(Counter::Cut, 1);
        }
        if let (true, Some(word)) = (node != ROOT, self.words.get_mut(HEAD + NODE * node as usize + 2)) {
            *word = word.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    const ID: ImageId = ImageId { wasm: 7, code: 9 };

    fn nodes(words: &[u32]) -> Vec<(u32, u32, u32)> {
        let count = words[Counter::Nodes as usize] as usize;
        words[HEAD..].chunks_exact(NODE).take(count).map(|node| (node[0], node[1], node[2])).collect()
    }

    #[test]
    fn a_place_is_counted_in_its_function_below_its_callers() {
        let mut words = vec![0xaa; HEAD + 24];
        let mut profile = Profile::begin(&mut words, ID);
        profile.count(&[(3, Some(0x40)), (1, Some(0x10))]);
        profile.count(&[(3, Some(0x40)), (1, Some(0x20))]);
        profile.count(&[(1, Some(0x10))]);
        profile.count(&[(3, None)]);
        profile.count(&[]);
        profile.add(Counter::Ticks, 8);
        assert_eq!(profile.bytes(), 4 * (HEAD + NODE * 5));
        assert_eq!(words[..HEAD], [MAGIC, 7, 9, 8, 5, 1, 0, 5]);
        assert_eq!(nodes(&words), [(1, ROOT, 0), (3, 0, 0), (PLACE | 0x40, 1, 2), (PLACE | 0x10, 0, 1), (3, ROOT, 1)]);
    }

    #[test]
    fn a_full_buffer_counts_at_the_function_and_then_at_the_caller() {
        let mut words = vec![0; HEAD + NODE * 3];
        let mut profile = Profile::begin(&mut words, ID);
        for sample in [&[(1, Some(2))][..], &[(1, Some(4))], &[(1, Some(6))], &[(5, None), (1, Some(2))], &[(6, None)]]
        {
            profile.count(sample);
        }
        assert_eq!(nodes(&words), [(1, ROOT, 2), (PLACE | 2, 0, 1), (PLACE | 4, 0, 1)]);
        assert_eq!(words[Counter::Cut as usize], 3);
        assert_eq!(words[Counter::Samples as usize], 5);
    }

    #[test]
    fn places_leave_room_for_functions() {
        let mut words = vec![0; HEAD + NODE * 16];
        let mut profile = Profile::begin(&mut words, ID);
        (0..40).for_each(|offset| profile.count(&[(1, Some(offset))]));
        let before = profile.bytes();
        profile.count(&[(2, Some(0)), (1, Some(0))]);
        assert_eq!(profile.bytes(), before + 4 * NODE);
        assert_eq!(nodes(&words).last(), Some(&(2, 0, 1)));
    }

    #[test]
    fn only_the_innermost_frames_of_a_recursion_are_kept() {
        let mut words = vec![0; HEAD + NODE * 40];
        let mut profile = Profile::begin(&mut words, ID);
        let frames: Vec<Place> = (0..30).map(|index| (index, None)).collect();
        profile.count(&frames);
        assert_eq!(nodes(&words).len(), FRAMES);
        assert_eq!(nodes(&words)[0], (FRAMES as u32 - 1, ROOT, 0));
        assert_eq!(nodes(&words)[FRAMES - 1], (0, FRAMES as u32 - 2, 1));
    }

    #[test]
    fn a_buffer_without_room_or_with_damaged_words_harms_nobody() {
        for size in 0..HEAD + NODE {
            let mut words = vec![u32::MAX; size];
            Profile::of(&mut words).count(&[(1, Some(2))]);
            Profile::begin(&mut words, ID).count(&[(1, Some(2))]);
        }
        let mut words = vec![u32::MAX; 64];
        let mut profile = Profile::of(&mut words);
        profile.count(&[(1, Some(2)), (u32::MAX, None)]);
        assert_eq!(profile.bytes(), 256);
    }
}
