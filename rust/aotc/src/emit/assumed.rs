// SPDX-License-Identifier: Apache-2.0
//! What is assumed of the locals of a loop where it starts.
//!
//! Lower bits that are zero and bounds begin with what holds where a loop is entered. They are weakened to what branches
//! back to the loop bring, one translation after the other, until all of it holds. Then bounds are narrowed once to what
//! was brought. A local that a loop steps by a constant is bounded too by how often the loop can run, which the range of
//! another such local says.

use std::collections::{BTreeMap, HashMap};

use super::ranges::{Bounds, Range};
use super::value::Node;

const TOP: u64 = u32::MAX as u64;
/// Times that the bounds of a local of a loop are widened before it may have any value.
const WIDENED: u32 = 8;
/// Times that the bounds of a function's loops are narrowed.
const NARROWED: u32 = 2;

/// A local of a loop, given by the loop's position.
type Place = (usize, u32);

/// Says what a loop does with a local between two of its starts.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Step {
    By(i64),
    Other,
}

/// The bounds of a local of a loop.
#[derive(Clone, Copy)]
struct Bound {
    range: Range,
    widened: u32,
    /// The number of rounds of the loop proves them, not what branches bring.
    counted: bool,
    /// They are not to be narrowed or counted again: that did not hold.
    given_up: bool,
}

/// The findings of a translation about a local at the start of a loop.
#[derive(Clone, Copy)]
struct Found {
    entered: Range,
    assumed: Range,
    /// All that branches back bring.
    brought: Option<Range>,
    step: Option<Step>,
    /// The range that a branch brings was rounded to what the steps lead to.
    strided: bool,
    /// A step may wrap around.
    wraps: bool,
}

/// The assumptions of a function.
#[derive(Default)]
pub struct Assumed {
    zeros: HashMap<Place, u8>,
    bounds: HashMap<Place, Bound>,
    found: BTreeMap<Place, Found>,
    narrowed: u32,
    lowered: bool,
    hurried: bool,
    nothing: bool,
}

impl Assumed {
    /// Begins a translation. With `hurried`, bounds that do not hold are given up at once. With `nothing`, nothing is
    /// assumed.
    pub fn begin(&mut self, hurried: bool, nothing: bool) {
        (self.lowered, self.hurried, self.nothing) = (false, hurried, nothing);
        self.found.clear();
    }

    /// Returns what is assumed of a local of 32 bits, given what it is where the loop is entered.
    pub fn at(&mut self, place: Place, entered: Node, node: Node) -> Node {
        if self.nothing {
            return node;
        }
        let zeros = self.zeros.get(&place).map_or(entered.zeros, |&zeros| zeros.min(entered.zeros));
        let (mut low, mut high) = entered.range();
        if let Some(bound) = self.bounds.get(&place) {
            (low, high) = (low.min(bound.range.0), high.max(bound.range.1));
        }
        let range = (low.min(aligned(high, zeros)), aligned(high, zeros));
        let found =
            Found { entered: entered.range(), assumed: range, brought: None, step: None, strided: false, wraps: false };
        self.found.insert(place, found);
        node.with_zeros(zeros).within(range)
    }

    /// Notes what a branch back to a loop brings in a local of 32 bits. `before` is the range there of what the local was
    /// where the loop started.
    pub fn brings(&mut self, place: Place, assumed: Node, before: Range, node: Node, bounds: &Bounds) {
        if self.nothing {
            return;
        }
        if node.zeros < assumed.zeros {
            let least = self.zeros.entry(place).or_insert(node.zeros);
            *least = node.zeros.min(*least);
            self.lowered = true;
        }
        let step = match node.root == assumed.root {
            true => Step::By(i64::from(node.distance.wrapping_sub(assumed.distance) as i32)),
            false => Step::Other,
        };
        let (low, high) = node.range();
        let (mut low, mut high) = (low, aligned(high, assumed.zeros).max(low));
        let trusted = self.bounds.get(&place).is_none_or(|bound| !bound.given_up);
        if let Some(found) = self.found.get_mut(&place) {
            if let (Step::By(by), true) = (step, trusted) {
                let range = strided(found.entered, before, by);
                found.wraps |= range.is_none();
                if let Some(range) = range {
                    let (least, greatest) = (range.0.max(low), range.1.min(high));
                    if least <= greatest {
                        found.strided = true;
                        (low, high) = (least, greatest);
                    }
                }
            }
            let (least, greatest) = found.brought.unwrap_or((low, high));
            found.brought = Some((least.min(low), greatest.max(high)));
            found.step = Some(if found.step.is_none_or(|other| other == step) { step } else { Step::Other });
        }
        let counted = self.bounds.get(&place).is_some_and(|bound| bound.counted);
        let (least, greatest) = assumed.range();
        if !counted && (low < least || high > greatest) {
            let by = match step {
                Step::By(by) => by.unsigned_abs(),
                Step::Other => 0,
            };
            let least = (low < least).then(|| bounds.below(low, by));
            self.widen(place, least, (high > greatest).then(|| bounds.above(high, by)));
        }
    }

    fn widen(&mut self, place: Place, low: Option<u64>, high: Option<u64>) {
        self.lowered = true;
        let new = Bound { range: (TOP, 0), widened: 0, counted: false, given_up: false };
        let bound = self.bounds.entry(place).or_insert(new);
        bound.widened += 1;
        bound.given_up |= self.narrowed > 0;
        if bound.widened > WIDENED || self.hurried || bound.given_up {
            bound.range = (0, TOP);
            return;
        }
        bound.range = (low.unwrap_or(TOP).min(bound.range.0), high.unwrap_or(0).max(bound.range.1));
    }

    /// Ends a loop: checks that it steps as was relied on, and the bounds that its number of rounds is to prove.
    pub fn ends(&mut self, position: usize) {
        let rounds = self.rounds(position);
        let uneven = |found: &Found| found.strided && (found.wraps || !matches!(found.step, Some(Step::By(_))));
        let uneven: Vec<Place> = self.of(position).filter(|(_, found)| uneven(found)).map(|(place, _)| place).collect();
        uneven.into_iter().for_each(|place| self.give_up(place));
        let counted = |place: &Place| self.bounds.get(place).is_some_and(|bound| bound.counted);
        let counted: Vec<(Place, Found)> =
            self.of(position).filter(|(place, _)| counted(place)).map(|(place, &found)| (place, found)).collect();
        for (place, found) in counted {
            let proven = rounds.and_then(|rounds| stepped(&found, rounds));
            if proven.is_none_or(|(low, high)| low < found.assumed.0 || high > found.assumed.1) {
                self.give_up(place);
            }
        }
    }

    fn give_up(&mut self, place: Place) {
        self.lowered = true;
        self.bounds.insert(place, Bound { range: (0, TOP), widened: WIDENED, counted: false, given_up: true });
    }

    fn of(&self, position: usize) -> impl Iterator<Item = (Place, &Found)> {
        self.found.range((position, 0)..=(position, u32::MAX)).map(|(&place, found)| (place, found))
    }

    /// Returns how often a loop is started again at most. A local that it steps by a constant goes through its range once,
    /// because it does not wrap around.
    fn rounds(&self, position: usize) -> Option<u64> {
        let own = |place: &Place| !self.bounds.get(place).is_some_and(|bound| bound.counted);
        let rounds = self.of(position).filter(|(place, _)| own(place)).filter_map(|(_, found)| {
            let Some(Step::By(by @ (..=-1 | 1..))) = found.step else { return None };
            let span = found.assumed.1 - found.assumed.0;
            // a step that wraps around is longer than the rest of the numbers
            (span < 1 << 31 && by.unsigned_abs() < 1 << 31).then(|| span / by.unsigned_abs())
        });
        rounds.min()
    }

    /// Returns true if all that was assumed holds.
    pub fn holds(&self) -> bool {
        !self.lowered
    }

    /// Narrows what holds to what was found out. Returns true if that is worth another translation.
    pub fn sharpen(&mut self) -> bool {
        if self.narrowed == NARROWED || self.nothing || self.hurried {
            return false;
        }
        self.narrowed += 1;
        let mut changed = false;
        for (place, found) in self.found.clone() {
            let Some(brought) = found.brought else { continue };
            if self.bounds.get(&place).is_some_and(|bound| bound.given_up) {
                continue;
            }
            let narrowed = (found.entered.0.min(brought.0), found.entered.1.max(brought.1));
            let counted = self.rounds(place.0).and_then(|rounds| stepped(&found, rounds));
            let inside =
                |range: Range| range != found.assumed && range.0 >= found.assumed.0 && range.1 <= found.assumed.1;
            let size = |range: Range| range.1 - range.0;
            // one that counts the rounds itself is not bounded by them
            let counted = counted.filter(|&range| inside(range) && size(range) < size(narrowed));
            if let Some(range) = counted.or_else(|| Some(narrowed).filter(|&range| inside(range))) {
                let widened = self.bounds.get(&place).map_or(0, |bound| bound.widened);
                let bound = Bound { range, widened, counted: counted.is_some(), given_up: false };
                self.bounds.insert(place, bound);
                changed = true;
            }
        }
        changed
    }
}

/// Returns the range of a local that a loop steps, if it does so at most so often and never wraps around.
fn stepped(found: &Found, rounds: u64) -> Option<Range> {
    let Some(Step::By(by)) = found.step else { return None };
    let way = rounds.checked_mul(by.unsigned_abs())?;
    let (low, high) = found.entered;
    match by < 0 {
        true => Some((low.checked_sub(way)?, high)),
        false => Some((low, high.checked_add(way).filter(|&high| high <= TOP)?)),
    }
}

/// Returns what a step leads to, if it does not wrap around: whole steps from where the loop was entered. `before` is the
/// range of what is stepped, which itself is whole steps from there.
fn strided(entered: Range, before: Range, by: i64) -> Option<Range> {
    let (size, start) = (by.unsigned_abs(), entered.0);
    if entered.0 != entered.1 || size == 0 {
        return None;
    }
    if by < 0 {
        let low = start - start.checked_sub(before.0)? / size * size;
        Some((low.checked_sub(size)?, before.1.checked_sub(size)?))
    } else {
        let high = start + before.1.checked_sub(start)? / size * size + size;
        (high <= TOP).then_some((before.0 + size, high))
    }
}

/// Returns the greatest number up to a bound whose lower bits are zero.
fn aligned(bound: u64, zeros: u8) -> u64 {
    bound.checked_shr(zeros.into()).map_or(0, |bits| bits << zeros)
}
