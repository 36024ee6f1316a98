// SPDX-License-Identifier: Apache-2.0
//! Branches, and ends that are rarely reached, which lie apart.

use core::cell::Cell;

use crate::decode::Part;
use crate::function::{Ahead, Function, Site};
use crate::isa::{Bin, Cond, Index, Isa, Reg, Val};
use crate::labels::{Branch, Form};
use crate::out::Out;
use crate::{Helper, Unfit};

/// In the table of functions: a call waits for the function.
pub const WAITS: u32 = 1 << 31;
/// The largest number of cold ends that wait for their place.
pub const COLD: usize = 16;
/// The work of a cold end.
#[derive(Clone, Copy)]
pub enum Cold {
    /// Goes on in the interpreter.
    Deopt,
    /// Goes back if the address in `r` is at most `slack` above the limit, else to the interpreter.
    Near { r: Reg, spare: Reg, slack: u32 },
    /// Loads or stores a register by bytes, and goes back.
    ByBytes { helper: Helper, r: Reg, at: (Reg, Index), spare: Reg },
    /// Takes fuel and goes back.
    Refill,
    /// Traps, because the native stack is used up.
    Overflow,
}

/// A cold end that waits for its place.
#[derive(Clone, Copy)]
pub struct Pending<T> {
    /// The branch to it.
    at: u32,
    test: T,
    long: bool,
    /// The offset at which the code goes on.
    back: u32,
    kind: Cold,
    site: Site,
}

/// Lets the calls that wait for code go to an offset.
pub fn bind<I: Isa>(out: &mut Out<'_>, entry: &Cell<u32>, to: u32) {
    let waiting = entry.get();
    let mut at = if waiting & WAITS != 0 { waiting & !WAITS } else { 0 };
    while at != 0 {
        let before = I::called(at, out.word_at(at));
        I::aim(out, at, to, true);
        at = before;
    }
}

impl<I: Isa> Function<'_, '_, I> {
    /// Returns the place of the op that is translated.
    pub fn site(&self) -> Site {
        Site {
            op: self.start,
            next: self.ops.at(),
            first: self.first,
            acc: if self.reads_acc { self.acc } else { None },
            frame: None,
            refused: None,
        }
    }

    /// Branches to a cold end if the test says so.
    pub fn cold(&mut self, test: I::Test, kind: Cold) {
        self.cold_refused(test, kind, None);
    }

    /// Branches to a cold end as [`Function::cold`] does. An access that does not fit is `refused`.
    pub fn cold_refused(&mut self, test: I::Test, kind: Cold, refused: Option<(Reg, u32)>) {
        if !self.first && refused.is_none() && matches!(kind, Cold::Deopt | Cold::Near { .. }) {
            // the interpreter cannot begin inside a sequence
            self.unfit = Some(Unfit::Op);
        }
        let long = self.ahead == Ahead::Long || self.flow_end() > self.ops.at() + I::NEAR_END;
        let (at, site) = (self.out.at(), Site { refused, ..self.site() });
        I::branch(self.out, Some(test), at, long);
        let pending = Pending { at, test, long, back: self.out.at(), kind, site };
        match self.pending.get_mut(self.waiting) {
            Some(place) => {
                *place = Some(pending);
                self.waiting += 1;
            }
            None => self.unfit = Some(Unfit::Op),
        }
    }

    /// Lets the cold end that was asked for last go back to here.
    pub fn back_here(&mut self) {
        let last = self.waiting.checked_sub(1).and_then(|last| self.pending.get_mut(last)?.as_mut());
        if let Some(pending) = last {
            pending.back = self.out.at();
        }
    }

    /// Returns the byte offset behind the next op that control does not go on behind.
    fn flow_end(&mut self) -> u32 {
        if self.end_of_flow < self.ops.at() {
            let mut ops = self.ops;
            while ops.skip().is_some() && !ops.ends_flow() {}
            self.end_of_flow = ops.at();
        }
        self.end_of_flow
    }

    /// Lays cold ends here, with a jump over them, if they would come out of reach, or if there are many.
    pub fn island(&mut self) {
        if self.waiting == 0 {
            return;
        }
        let short = self.pending.iter().take(self.waiting).flatten().find(|pending| !pending.long);
        let far = short.is_some_and(|pending| self.out.at() + I::COLD * self.waiting as u32 > pending.at + I::ISLAND);
        if !far && self.waiting + 6 < COLD {
            return;
        }
        let at = self.out.at();
        I::branch(self.out, None, at, true);
        self.lay_cold();
        let end = self.out.at();
        self.out.patch(at, |out| I::branch(out, None, end, true));
    }

    /// Lays the cold ends here, where control does not come.
    pub fn lay_cold(&mut self) {
        for n in 0..self.waiting {
            let Some(pending) = self.pending[n] else { continue };
            let here = self.out.at();
            if !pending.long && !I::reaches(pending.at, here, true) {
                self.unfit = Some(Unfit::Reach);
            }
            self.out.patch(pending.at, |out| I::branch(out, Some(pending.test), here, pending.long));
            let helper = match pending.kind {
                Cold::Near { r, spare, slack } => {
                    I::bin(self.out, Bin::Sub, spare, r, I::PLAN.limit, spare);
                    let test = I::compare(self.out, Cond::LtU, spare, Val::Imm(slack + 1), spare);
                    self.branch_back(Some(test), pending.back);
                    Helper::Deopt
                }
                Cold::ByBytes { helper, r, at, spare } => {
                    self.by_bytes(helper, r, at, spare);
                    self.branch_back(None, pending.back);
                    continue;
                }
                Cold::Deopt => Helper::Deopt,
                Cold::Refill => Helper::Refill,
                Cold::Overflow => Helper::Overflow,
            };
            self.call_helper(helper, pending.site);
            if helper == Helper::Refill {
                self.branch_back(None, pending.back);
            }
        }
        self.waiting = 0;
    }

    /// Calls a function of the firmware that loads or stores a register.
    fn by_bytes(&mut self, helper: Helper, r: Reg, at: (Reg, Index), spare: Reg) {
        self.helpers |= 1 << helper as u64;
        let store = matches!(helper, Helper::StoreHalf | Helper::StoreWord);
        let trampoline = &self.env.trampolines[helper as usize];
        self.call_when_known(Some(trampoline), |out, to| I::by_bytes(out, store, r, at, spare, to));
    }

    /// Writes a call of code whose place may not be known yet. Then the call becomes part of the chain of those that wait
    /// for it, each of which goes to the one before. The first goes to offset 0, where no call lies. `call` calls an offset,
    /// and returns where the instruction that does so lies.
    pub fn call_when_known(&mut self, entry: Option<&Cell<u32>>, call: impl FnOnce(&mut Out<'_>, u32) -> u32) {
        let known = entry.map_or(0, Cell::get);
        let waits = known == 0 || known & WAITS != 0;
        let at = call(self.out, if waits { known & !WAITS } else { known - 1 });
        if let Some(entry) = entry.filter(|_| waits && !self.out.counts() && !self.out.lacks(0)) {
            entry.set(at | WAITS);
        }
    }

    fn branch_back(&mut self, test: Option<I::Test>, to: u32) {
        let long = !I::reaches(self.out.at(), to, test.is_some());
        I::branch(self.out, test, to, long);
    }

    /// Calls a function of the firmware.
    pub fn call_helper(&mut self, helper: Helper, site: Site) {
        self.helpers |= 1 << helper as u64;
        self.call_code(Some(&self.env.trampolines[helper as usize]));
        self.returned(site);
    }

    /// Calls what an entry of the tables of functions or trampolines says.
    pub fn call_code(&mut self, entry: Option<&Cell<u32>>) {
        self.call_when_known(entry, |out, to| {
            let at = out.at();
            I::call(out, to);
            at
        });
    }

    /// Compares the call that was just emitted with the one that is looked for.
    pub fn returned(&mut self, site: Site) {
        if self.wanted == Some(self.out.at()) {
            self.found = Some(site);
        }
    }

    /// Calls a function of the firmware for the op that is translated, after which registers hold nothing.
    pub fn helper(&mut self, helper: Helper) {
        let site = self.site();
        self.call_helper(helper, site);
        self.forget_registers();
    }

    /// Goes on in the interpreter from this op to the end of the function.
    pub fn deopt(&mut self) -> Result<(), Unfit> {
        if !self.first {
            return Err(Unfit::Op);
        }
        let site = self.site();
        self.call_helper(Helper::Deopt, site);
        Ok(())
    }

    /// Writes what `body` writes, and a branch over it if the test does not hold.
    pub fn when(&mut self, test: I::Test, body: impl FnOnce(&mut Self)) {
        let at = self.out.at();
        let test = Some(I::not(test));
        I::branch(self.out, test, at, false);
        body(self);
        let end = self.out.at();
        if !I::reaches(at, end, true) {
            self.unfit = Some(Unfit::Reach);
        }
        self.out.patch(at, |out| I::branch(out, test, end, false));
    }

    /// Branches to the code of an op of this function.
    pub fn branch_to(&mut self, test: Option<I::Test>, target: u32) {
        let Some(index) = self.labels.index(target) else {
            self.unfit = Some(Unfit::Op);
            return;
        };
        let at = self.out.at();
        let place = self.begin + self.labels.place(index);
        let back = target <= self.start;
        let long = if self.ahead == Ahead::Long {
            true
        } else if back {
            !I::reaches(at, place, test.is_some())
        } else if self.ahead == Ahead::Guessed {
            !I::near(target - self.start, test.is_some())
        } else if self.estimates {
            true
        } else {
            // by the estimates, which are farther apart than the places
            let long = !I::reaches(at + self.shrunk, place + 16, test.is_some());
            self.shrunk += if long { 0 } else { I::shortens(test) };
            long
        };
        // a branch ahead has one length, wherever its target comes to lie
        I::branch(self.out, test, if back { place } else { at }, long);
        if !back {
            let form = match (long, test) {
                (true, _) => Form::Long,
                (false, None) => Form::Short,
                (false, Some(_)) => Form::ShortIf,
            };
            let bytes = if long { I::LONG } else { I::SHORT[usize::from(test.is_some())] };
            self.note(self.out.at() - bytes, form, index as u32);
        }
    }

    /// Notes a branch ahead, or the beginning of a table and the number of its entries.
    pub fn note(&mut self, at: u32, form: Form, target: u32) {
        if self.estimates {
            return;
        }
        match self.labels.note(self.branches, Branch { at: at - self.begin, form, target }) {
            Ok(()) => self.branches += 1,
            Err(unfit) => self.unfit = Some(unfit),
        }
    }

    /// Lets the branches ahead go to their targets, whose places are known now.
    pub fn aim(&mut self) {
        let labels = self.labels;
        let (mut entries, mut entry, mut from) = (0, 0, 0);
        for branch in labels.branches(self.branches) {
            let at = self.begin + branch.at;
            let to = self.begin + labels.place(branch.target as usize);
            let reaches = if entries > 0 {
                let distance = to.wrapping_sub(from) >> 1;
                self.out.patch(entry, |out| out.half(distance as u16));
                (entries, entry) = (entries - 1, entry + 2);
                distance <= u32::from(u16::MAX)
            } else if branch.form == Form::Table {
                (entries, entry, from) = (branch.target, at, at.wrapping_add_signed(I::TABLE));
                true
            } else {
                if !self.out.counts() {
                    I::aim(self.out, at, to, branch.form == Form::Long);
                }
                branch.form == Form::Long || I::reaches(at, to, branch.form == Form::ShortIf)
            };
            if !reaches {
                self.unfit.get_or_insert(Unfit::Reach);
                return;
            }
        }
    }

    /// Branches as the last operand of an op says, and takes a unit of fuel for it if the op does.
    pub fn branch(&mut self, part: &Part, test: Option<I::Test>) -> Result<(), Unfit> {
        let target = part.target().ok_or(Unfit::Op)?;
        if !part.takes_fuel() || !self.env.fuel {
            self.branch_to(test, target);
            return Ok(());
        }
        // the scratch register is not given up: nothing follows these instructions, and at the target no register holds a slot
        let body = |function: &mut Self| {
            let fuel = I::PLAN.fuel;
            I::bin_imm(function.out, Bin::Sub, fuel, fuel, 1, I::PLAN.temps[0]);
            let rest = I::on_flags(Cond::GeS);
            let rest = rest.unwrap_or_else(|| I::compare(function.out, Cond::GeS, fuel, Val::Imm(0), I::PLAN.temps[0]));
            function.branch_to(Some(rest), target);
            let site = function.site();
            function.call_helper(Helper::Refill, site);
            function.branch_to(None, target);
        };
        match test {
            Some(test) => self.when(test, body),
            None => body(self),
        }
        Ok(())
    }
}
