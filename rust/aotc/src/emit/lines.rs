// SPDX-License-Identifier: Apache-2.0
//! Numbers of the lines of C, by which the compiler tells from where a call is made: the offset of the operator in the
//! module, or one of those here for what is made from no operator.

/// Line of the operators that stand nowhere in the module: those of the init function.
pub const NOWHERE: u32 = 1;
/// First line of what calls functions and is none of the module: forms for the host, calls of parts.
pub const GLUE: u32 = 1_000_000_000;
/// Line that raises the traps of a function.
pub const TRAP: u32 = 2_000_000_000;

/// Returns the directive that gives the next line a number.
pub fn directive(number: u32) -> String {
    format!("#line {number}\n")
}
