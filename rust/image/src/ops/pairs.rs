// SPDX-License-Identifier: Apache-2.0
//! The pairs: two ops that often follow each other, in one, so that a back end dispatches once. Chosen by
//! counting what the workloads execute.

use super::Operand::{self, *};
use super::Sem::*;
use super::{Class, Simple};

/// Each of the first ops with each of the second.
struct Group {
    first: &'static [Simple],
    second: &'static [Simple],
}

const fn op(class: Class, sem: super::Sem, form: &'static [Operand]) -> Simple {
    Simple { class, sem, form }
}

/// A count, an index or a pointer moves on.
const STEP: &[Simple] =
    &[op(Class::Bin32, I32Add, &[M, I]), op(Class::Bin32, I32Add, &[M, S]), op(Class::Bin32, I32Add, &[D, S, I])];

const GROUPS: &[Group] = &[
    // the end of a loop
    Group {
        first: STEP,
        second: &[
            op(Class::Br32, I32Ne, &[A, I, B]),
            op(Class::Br32, I32Ne, &[A, S, B]),
            op(Class::Br32, I32LtU, &[A, I, B]),
            op(Class::Br32, I32LtU, &[A, S, B]),
            op(Class::Br32, I32LtS, &[A, I, B]),
            op(Class::Br32, I32LtS, &[A, S, B]),
        ],
    },
];

/// Number of pairs.
pub const COUNT: usize = {
    let mut n = 0;
    let mut i = 0;
    while i < GROUPS.len() {
        n += GROUPS[i].first.len() * GROUPS[i].second.len();
        i += 1;
    }
    n
};

/// All pairs, in the order of their opcodes.
pub static PAIRS: [(Simple, Simple); COUNT] = {
    let mut pairs = [(op(Class::Special, Unreachable, &[]), op(Class::Special, Unreachable, &[])); COUNT];
    let mut n = 0;
    let mut i = 0;
    while i < GROUPS.len() {
        let group = &GROUPS[i];
        let mut k = 0;
        while k < group.first.len() * group.second.len() {
            pairs[n] = (group.first[k / group.second.len()], group.second[k % group.second.len()]);
            n += 1;
            k += 1;
        }
        i += 1;
    }
    pairs
};

/// Most operands of an op.
const OPERANDS: usize = 6;

static FORMS: [[Operand; OPERANDS]; COUNT] = {
    let mut forms = [[Operand::None; OPERANDS]; COUNT];
    let mut n = 0;
    while n < COUNT {
        let (first, second) = (PAIRS[n].0.form, PAIRS[n].1.form);
        let mut k = 0;
        while k < first.len() + second.len() {
            forms[n][k] = if k < first.len() { first[k] } else { second[k - first.len()] };
            k += 1;
        }
        n += 1;
    }
    forms
};

/// The operands of both ops of a pair.
pub const fn form(pair: usize) -> &'static [Operand] {
    FORMS[pair].split_at(PAIRS[pair].0.form.len() + PAIRS[pair].1.form.len()).0
}
