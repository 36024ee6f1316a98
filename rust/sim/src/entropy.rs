// SPDX-License-Identifier: Apache-2.0
//! Random bytes: the same in every run, for runs that are to be repeated, or the operating system's.

/// Random bytes: those of a seed, by SplitMix64 (Steele, Lea, Flood 2014), or the operating system's.
#[derive(Debug, Clone)]
pub(crate) enum Generator {
    /// Good for tests, not for keys.
    Seeded(u64),
    System,
}

impl Generator {
    /// Fills a buffer.
    ///
    /// # Errors
    /// The operating system has no random bytes.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<(), getrandom::Error> {
        let Generator::Seeded(state) = self else { return getrandom::fill(buffer) };
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&next(state).to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_splitmix64() {
        // First output for seed 0, as published with the algorithm.
        assert_eq!(next(&mut 0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        let sample = |mut generator: Generator| {
            let mut bytes = [0; 13];
            generator.fill(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(sample(Generator::Seeded(7)), sample(Generator::Seeded(7)));
        assert_ne!(sample(Generator::System), sample(Generator::System));
    }
}
