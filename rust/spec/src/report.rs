// SPDX-License-Identifier: Apache-2.0
//! What came out.

use std::fmt;
use std::ops::AddAssign;

/// Numbers of assertions.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Held.
    pub passed: usize,
    /// Did not hold, or something around them went wrong.
    pub failed: usize,
    /// Not run, with a reason in [`crate::skips`].
    pub skipped: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// A directive that did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Line in the file, from 1, or 0 for the file as a whole.
    pub line: usize,
    /// The expected result and the one that came.
    pub message: String,
}

/// The results of one file.
#[derive(Clone, Default, Debug)]
pub struct FileReport {
    /// The counts of assertions by outcome.
    pub counts: Counts,
    /// Those that did not.
    pub failures: Vec<Failure>,
}

impl FileReport {
    /// Notes a failure.
    pub(crate) fn fail(&mut self, line: usize, message: String) {
        self.counts.failed += 1;
        self.failures.push(Failure { line, message });
    }
}
