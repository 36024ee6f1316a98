// SPDX-License-Identifier: Apache-2.0
//! Which functions go into which C file.
//!
//! The time and the memory that a C compiler takes grow faster than a file and faster than a function. A module of
//! usual size is one file, whose functions the compiler may inline into each other. A larger one is several files,
//! and each function of more than [`HUGE`] operators is a file of its own, for which gcc optimises less, or several files of
//! the parts that it is divided into.

/// Operators of the functions in one file, at most.
const FILE: usize = 24_000;
/// Operators from which a function is a file of its own.
pub const HUGE: usize = 6_000;

/// The files of a module. The first has what all need: tables, copies of bytes, the forms of imports.
pub struct Units {
    /// By defined function: its file.
    of: Vec<usize>,
    /// By file: it has one huge function.
    huge: Vec<bool>,
}

impl Units {
    /// Divides functions, given the number of operators of each defined one.
    pub fn new(sizes: impl Iterator<Item = usize>) -> Self {
        let mut units = Self { of: Vec::new(), huge: vec![false] };
        let (mut current, mut filled) = (0, 0);
        for size in sizes {
            if size > HUGE {
                units.of.push(units.huge.len());
                units.huge.push(true);
                continue;
            }
            if filled + size > FILE {
                (current, filled) = (units.huge.len(), 0);
                units.huge.push(false);
            }
            filled += size;
            units.of.push(current);
        }
        units
    }

    /// Returns true if there are several files, which see each other's functions.
    pub fn are_several(&self) -> bool {
        self.huge.len() > 1
    }

    /// Returns for each file whether it has one huge function.
    pub fn huge(&self) -> &[bool] {
        &self.huge
    }

    /// Returns the file of a defined function, the init function included.
    pub fn of(&self, defined: usize) -> usize {
        self.of[defined]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(sizes: &[usize]) -> (Vec<usize>, Vec<bool>) {
        let units = Units::new(sizes.iter().copied());
        ((0..sizes.len()).map(|function| units.of(function)).collect(), units.huge)
    }

    #[test]
    fn a_module_of_usual_size_is_one_file() {
        assert_eq!(files(&[]), (vec![], vec![false]));
        assert_eq!(files(&[HUGE, HUGE, 1]), (vec![0, 0, 0], vec![false]));
        assert!(!Units::new([FILE / 4; 4].into_iter()).are_several());
    }

    #[test]
    fn a_file_is_closed_before_it_is_too_large() {
        let units = Units::new([FILE / 4; 9].into_iter());
        assert_eq!((0..9).map(|function| units.of(function)).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1, 1, 1, 2]);
        assert!(units.are_several());
    }

    #[test]
    fn a_huge_function_is_a_file_of_its_own() {
        assert_eq!(files(&[5, HUGE + 1, 5, 2 * HUGE, 5]), (vec![0, 1, 0, 2, 0], vec![false, true, true]));
    }
}
