// SPDX-License-Identifier: Apache-2.0
//! What is known of values at a place: the ranges that conditions leave, and the windows of memory that were checked.
//!
//! A fact is about a root, which is one value and not a variable. So it holds wherever control comes from the place that
//! established it. Where ways join, what holds on all of them is kept.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::Operator;

use super::value::Node;

/// Roots of which something is remembered, at most: the oldest are forgotten, so that a huge function takes time in
/// proportion to its size.
const ROOTS: usize = 64;
/// Windows of a root, at most.
const WINDOWS: usize = 8;
const TOP: u64 = u32::MAX as u64;

/// The least and the greatest value of an unsigned number of 32 bits, the least first.
pub type Range = (u64, u64);

/// The facts about a root.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    range: Range,
    /// Windows of memory around it that were checked.
    windows: Vec<(i64, i64)>,
}

impl Default for Known {
    fn default() -> Self {
        Self { range: (0, TOP), windows: Vec::new() }
    }
}

/// The facts that hold at a place, by root.
#[derive(Clone, Default, Debug, PartialEq)]
pub struct Facts(BTreeMap<u32, Known>);

/// The relation that a comparison looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equal,
    Different,
    Less,
    LessOrEqual,
    SignedLess,
    SignedLessOrEqual,
}

/// A comparison of two numbers of 32 bits that gave a value.
#[derive(Clone, Copy, Debug)]
pub struct Test {
    relation: Relation,
    a: Node,
    b: Node,
}

impl Test {
    /// Returns the comparison that an operator makes of two operands, if it makes one.
    pub fn of(operator: &Operator<'_>, a: Node, b: Node) -> Option<Self> {
        use Relation::*;
        let (relation, a, b) = match operator {
            Operator::I32Eq => (Equal, a, b),
            Operator::I32Ne => (Different, a, b),
            Operator::I32LtU => (Less, a, b),
            Operator::I32LeU => (LessOrEqual, a, b),
            Operator::I32GtU => (Less, b, a),
            Operator::I32GeU => (LessOrEqual, b, a),
            Operator::I32LtS => (SignedLess, a, b),
            Operator::I32LeS => (SignedLessOrEqual, a, b),
            Operator::I32GtS => (SignedLess, b, a),
            Operator::I32GeS => (SignedLessOrEqual, b, a),
            _ => return None,
        };
        Some(Self { relation, a, b })
    }

    /// Returns the test of a value that is none: whether a number is not 0.
    pub fn nonzero(a: Node) -> Self {
        Self { relation: Relation::Different, a, b: Node::constant(0) }
    }

    /// Returns the test that holds where this one does not.
    pub fn negated(self) -> Self {
        use Relation::*;
        let (relation, a, b) = match self.relation {
            Equal => (Different, self.a, self.b),
            Different => (Equal, self.a, self.b),
            Less => (LessOrEqual, self.b, self.a),
            LessOrEqual => (Less, self.b, self.a),
            SignedLess => (SignedLessOrEqual, self.b, self.a),
            SignedLessOrEqual => (SignedLess, self.b, self.a),
        };
        Self { relation, a, b }
    }
}

/// Returns a range moved by a distance, if it does not wrap around in between.
pub fn moved(range: Range, distance: i64) -> Option<Range> {
    let by = u64::from(distance as u32);
    let (low, high) = (range.0 + by, range.1 + by);
    match (low > TOP, high > TOP) {
        (false, false) => Some((low, high)),
        (true, true) => Some((low - TOP - 1, high - TOP - 1)),
        _ => None,
    }
}

/// Returns what is in both ranges. If nothing is, control does not come here, and any range is right.
fn both(a: Range, b: Range) -> Range {
    let range = (a.0.max(b.0), a.1.min(b.1));
    if range.0 <= range.1 {
        range
    } else {
        a
    }
}

impl Facts {
    /// Returns true if a window around a root was checked.
    pub fn covers(&self, root: u32, low: i64, high: i64) -> bool {
        let windows = self.0.get(&root).map(|known| &known.windows);
        windows.is_some_and(|windows| windows.iter().any(|&(l, h)| l <= low && high <= h))
    }

    /// Notes that a window around a root was checked.
    pub fn add(&mut self, root: u32, low: i64, high: i64) {
        let windows = &mut self.known(root).windows;
        windows.retain(|&(l, h)| !(low <= l && h <= high));
        if windows.len() == WINDOWS {
            windows.remove(0);
        }
        windows.push((low, high));
    }

    fn known(&mut self, root: u32) -> &mut Known {
        if self.0.len() >= ROOTS && !self.0.contains_key(&root) {
            self.0.pop_first();
        }
        self.0.entry(root).or_default()
    }

    /// Returns a value with the range that it has here, which only one of 32 bits can have.
    pub fn at(&self, node: Node) -> Node {
        // the range of all numbers of 32 bits says nothing, and is none of a number of 64 bits
        let known = self.0.get(&node.root).map(|known| known.range).filter(|range| *range != (0, TOP));
        match known.and_then(|range| moved(range, node.distance)).filter(|_| node.root != 0) {
            Some(range) => node.within(both(node.range(), range)),
            None => node,
        }
    }

    /// Notes the range of a value of 32 bits.
    pub fn limit(&mut self, node: Node, range: Range) {
        if node.root == 0 {
            return;
        }
        if let Some(range) = moved(range, -node.distance) {
            let known = self.known(node.root);
            known.range = both(known.range, range);
        }
    }

    /// Notes that a test holds.
    pub fn assume(&mut self, test: &Test) {
        let (a, b) = (self.at(test.a), self.at(test.b));
        let (x, y) = (a.range(), b.range());
        match test.relation {
            Relation::Equal => {
                self.limit(a, both(x, y));
                self.limit(b, both(y, x));
            }
            Relation::Different => {
                self.exclude(a, b);
                self.exclude(b, a);
            }
            Relation::Less => self.ordered(a, b, 1),
            Relation::LessOrEqual => self.ordered(a, b, 0),
            Relation::SignedLess => self.signed(a, b, 1),
            Relation::SignedLessOrEqual => self.signed(a, b, 0),
        }
    }

    /// Notes that a value is not a constant.
    fn exclude(&mut self, node: Node, constant: Node) {
        let Some(constant) = constant.constant.filter(|_| node.root != 0 && node.constant.is_none()) else { return };
        // of the root, whose range does not wrap around where that of the value does
        let root = Node { root: node.root, ..Node::unknown(node.root) };
        let from_node = moved(node.range(), -node.distance).unwrap_or((0, TOP));
        let (low, high) = both(self.at(root).range(), from_node);
        let value = u64::from((constant as u32).wrapping_sub(node.distance as u32));
        if low == value && low < high {
            self.limit(root, (low + 1, high));
        } else if high == value && low < high {
            self.limit(root, (low, high - 1));
        }
    }

    /// Notes that `a` plus `by` is at most `b`, as unsigned numbers.
    fn ordered(&mut self, a: Node, b: Node, by: u64) {
        let (x, y) = (a.range(), b.range());
        if let Some(high) = y.1.checked_sub(by).filter(|&high| high >= x.0) {
            self.limit(a, (x.0, x.1.min(high)));
        }
        let low = x.0 + by;
        if low <= y.1 {
            self.limit(b, (y.0.max(low), y.1));
        }
    }

    /// Notes that `a` plus `by` is at most `b`, as signed numbers. Where neither can be negative, they compare as unsigned
    /// ones do. A number is not negative if it is greater than one that is not.
    fn signed(&mut self, a: Node, b: Node, by: u64) {
        const MOST: u64 = i32::MAX as u64;
        let (x, y) = (a.range(), b.range());
        if x.1 <= MOST && y.1 <= MOST {
            return self.ordered(a, b, by);
        }
        if x.1 <= MOST {
            let low = (x.0 + by).max(y.0);
            if low <= y.1.min(MOST) {
                self.limit(b, (low, y.1.min(MOST)));
            }
        } else if let (Some(value), true) = (a.constant, by == 1) {
            // greater than -1
            let (low, high) = (y.0, y.1.min(MOST));
            if value as u32 == u32::MAX && low <= high {
                self.limit(b, (low, high));
            }
        }
    }

    /// Keeps what other facts say too.
    pub fn meet(&mut self, other: &Self) {
        self.0.retain(|root, known| {
            let Some(others) = other.0.get(root) else { return false };
            known.range = (known.range.0.min(others.range.0), known.range.1.max(others.range.1));
            let within =
                |windows: &[(i64, i64)], &(low, high): &(i64, i64)| windows.iter().any(|&(l, h)| l <= low && high <= h);
            let mine = known.windows.iter().filter(|window| within(&others.windows, window));
            let theirs = others.windows.iter().filter(|window| within(&known.windows, window));
            let windows: BTreeSet<_> = mine.chain(theirs).copied().collect();
            known.windows = windows.into_iter().take(WINDOWS).collect();
            *known != Known::default()
        });
    }
}

/// Bounds that the locals of a loop may have: numbers that a function sets or counts to, the numbers beside them, and the
/// ends of types. A bound that is assumed at the start of a loop and does not hold is moved to the next of these. It may
/// also be a step of the loop away from one.
#[derive(Default)]
pub struct Bounds {
    least: BTreeSet<u64>,
    greatest: BTreeSet<u64>,
}

impl Bounds {
    /// Adds the bounds of a function.
    pub fn add(&mut self, operators: &[(Operator<'_>, u32)]) {
        self.greatest.extend([0xff, 0xffff, i32::MAX as u64]);
        for pair in operators.windows(2) {
            let (Operator::I32Const { value }, next) = (&pair[0].0, &pair[1].0) else { continue };
            let ends = matches!(next, Operator::I32Ne | Operator::I32Eq);
            if ends || matches!(next, Operator::LocalSet { .. } | Operator::LocalTee { .. }) {
                let value = u64::from(*value as u32);
                self.greatest.extend([value.saturating_sub(1), value]);
                self.least.extend([value, value + 1]);
            }
        }
    }

    /// Returns the greatest bound that is not above a value, or that a step from it does not go below.
    pub fn below(&self, value: u64, step: u64) -> u64 {
        let bound = |value: u64| self.least.range(..=value).last().copied().unwrap_or(0);
        value.checked_sub(step).map_or(0, |before| bound(before) + step).max(bound(value))
    }

    /// Returns the least bound that is not below a value, or that a step to it does not go above.
    pub fn above(&self, value: u64, step: u64) -> u64 {
        let bound = |value: u64| self.greatest.range(value..).next().copied().unwrap_or(TOP);
        (bound(value + step) - step.min(TOP)).max(value).min(bound(value))
    }
}
