// SPDX-License-Identifier: Apache-2.0
//! All functions of an image.

use crate::flow::{bind, WAITS};
use crate::function::{ir_bytes, translate, Env};
use crate::isa::Isa;
use crate::out::{Memory, Out};
use crate::{Helper, Unfit};

/// The outcome of the translation of an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Functions with code.
    pub translated: u32,
    /// Bytes of code, trampolines and stand-ins included.
    pub bytes: u32,
    /// Functions for whose code there was no room.
    pub no_room: u32,
    /// Functions that were not looked at, because those before them had used the budget.
    pub over_budget: u32,
}

impl Outcome {
    const NOTHING: Self = Self { translated: 0, bytes: 0, no_room: 0, over_budget: 0 };
}

/// Translates the functions of an image for which the memory has room, in their order. It ends when those that it has
/// read have more than `budget` bytes of IR together. The others get stand-ins if translated ones call them. Afterwards
/// `env.functions` has for each function the offset of its code plus one, or 0.
///
/// `scratch` has [`crate::scratch_words`] and may hold anything. If `env.go_on` ends the translation, nothing is translated.
pub fn translate_all<I: Isa>(env: &Env<'_>, scratch: &mut [u32], memory: &mut dyn Memory, budget: u32) -> Outcome {
    let count = env.functions.len();
    // farther calls would not reach
    let all = memory.size().min(I::CALLS);
    let mut outcome = Outcome::NOTHING;
    let (mut left, mut at) = (budget, 0);
    for index in 0..count {
        let Some(rest) = left.checked_sub(ir_bytes(env.image, index)) else {
            outcome.over_budget += 1;
            continue;
        };
        left = rest;
        // every other function without code may need a stand-in: those that got none, too
        let reserve = (count as u32 - outcome.translated - 1) * I::STAND_IN + I::TRAMPOLINE;
        let mut out = Out::new(memory, all.saturating_sub(reserve), at);
        match translate::<I>(env, index, scratch, &mut out) {
            Ok(done) => {
                outcome.translated += 1;
                bind::<I>(&mut out, &env.functions[index], done.begin);
                env.functions[index].set(done.begin + 1);
                at = done.end;
            }
            Err(Unfit::Stopped) => return nothing(env),
            Err(Unfit::Room) => outcome.no_room += 1,
            Err(_) => {}
        }
    }
    let mut out = Out::new(memory, all, at);
    for index in 0..count {
        if env.functions[index].get() & WAITS != 0 {
            stand_in::<I>(env, index, &mut out);
        }
    }
    if out.lacks(0) {
        // no call may lead to what was not written
        return Outcome { no_room: count as u32, ..nothing(env) };
    }
    Outcome { bytes: out.at(), ..outcome }
}

/// Forgets all code.
fn nothing(env: &Env<'_>) -> Outcome {
    env.functions.iter().for_each(|entry| entry.set(0));
    Outcome::NOTHING
}

/// Returns the function with the call that returns to an offset of the code, and where its code begins.
///
/// `begin` says where the code of each of `count` functions begins, and returns `None` for a function without code. The
/// offsets ascend, as [`translate_all`] makes them. The search halves what is left, and steps over functions without code.
///
/// The call may be the function's last instruction. Then the offset is that of the code behind it, often the next
/// function's. No call returns to the first instruction of its own function.
pub fn calling(count: usize, begin: impl Fn(usize) -> Option<u32>, returns: u32) -> Option<(usize, u32)> {
    let (mut low, mut high, mut found) = (0, count, None);
    while low < high {
        let middle = low + (high - low) / 2;
        let next = (middle..high).find_map(|index| Some((index, begin(index)?)));
        match next.filter(|&(_, begin)| begin < returns) {
            Some((index, begin)) => {
                found = Some((index, begin));
                low = index + 1;
            }
            None => high = middle,
        }
    }
    found
}

/// Writes code in place of a function that has none. It hands the function's code offset to the interpreter.
fn stand_in<I: Isa>(env: &Env<'_>, index: usize, out: &mut Out<'_>) {
    let trampoline = &env.trampolines[Helper::Interpret as usize];
    if trampoline.get() == 0 {
        trampoline.set(I::trampoline(out, env.helpers[Helper::Interpret as usize]) + 1);
    }
    let begin = out.at();
    let code = env.image.functions().get(index).map_or(0, |function| function.code);
    I::imm(out, I::PLAN.temps[0], code);
    I::jump(out, trampoline.get() - 1);
    bind::<I>(out, &env.functions[index], begin);
    env.functions[index].set(0);
}

#[cfg(test)]
mod tests {
    use super::calling;

    #[test]
    fn a_call_at_the_end_of_a_function_returns_to_the_code_behind_it_and_belongs_to_its_own_function() {
        let begins = [0, 40, 100];
        let function = |returns| calling(3, |index| Some(begins[index]), returns);
        assert_eq!(function(0), None);
        assert_eq!(function(2), Some((0, 0)));
        assert_eq!(function(40), Some((0, 0)));
        assert_eq!(function(42), Some((1, 40)));
        assert_eq!(function(100), Some((1, 40)));
        assert_eq!(function(102), Some((2, 100)));
        assert_eq!(function(5000), Some((2, 100)));
    }

    #[test]
    fn functions_without_code_are_stepped_over_wherever_they_are() {
        for with_code in 0..1 << 7 {
            let begin = |index: usize| (with_code >> index & 1 == 1).then_some(10 * index as u32);
            for returns in 0..80 {
                let last = (0..7).rev().find_map(|index| Some((index, begin(index).filter(|&at| at < returns)?)));
                assert_eq!(calling(7, begin, returns), last, "functions {with_code:#b}, offset {returns}");
            }
        }
    }
}
