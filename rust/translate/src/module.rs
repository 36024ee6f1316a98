// SPDX-License-Identifier: Apache-2.0
//! All functions of an image.

use core::cell::Cell;

use crate::control::WAITS;
use crate::function::{translate, Env};
use crate::isa::Isa;
use crate::out::Out;
use crate::Helper;

/// Bytes that the stand-in of a function without code takes at most, its trampoline included.
const STAND_IN: u32 = 24;

/// The outcome of the translation of an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Functions with code.
    pub translated: u32,
    /// Bytes of code, trampolines and stand-ins included.
    pub bytes: u32,
}

/// Translates all functions of an image for which the buffer has room. The others get stand-ins if translated ones call
/// them. Afterwards `env.functions` has for each function the offset of its code plus one, or 0.
///
/// `scratch` has [`crate::scratch_words`] and may hold anything.
pub fn translate_all<I: Isa>(env: &Env<'_>, scratch: &mut [u32], code: &mut [u8]) -> Outcome {
    let count = env.functions.len();
    let mut outcome = Outcome { translated: 0, bytes: 0 };
    let mut at = 0;
    for index in 0..count {
        // what is left must hold the stand-ins
        let reserve = (count - index) as u32 * STAND_IN;
        let room = (code.len() as u32).saturating_sub(reserve);
        let mut out = Out::new(&mut code[..room as usize], at);
        let Ok(done) = translate::<I>(env, index, scratch, &mut out) else { continue };
        outcome.translated += 1;
        bind::<I>(&mut out, &env.functions[index], done.begin);
        env.functions[index].set(done.begin + 1);
        at = done.end;
    }
    let mut out = Out::new(code, at);
    for index in 0..count {
        if env.functions[index].get() & WAITS != 0 {
            stand_in::<I>(env, index, &mut out);
        }
    }
    outcome.bytes = out.at();
    outcome
}

/// Lets the calls that wait for a function go to an offset.
fn bind<I: Isa>(out: &mut Out<'_>, entry: &Cell<u32>, to: u32) {
    let waiting = entry.get();
    if waiting & WAITS == 0 {
        return;
    }
    let mut at = waiting & !WAITS;
    loop {
        let before = I::called(at, out.word_at(at));
        out.patch(at, |out| I::call(out, to));
        if before == at {
            return;
        }
        at = before;
    }
}

/// Code in place of a function that has none: hands its code offset to the interpreter.
fn stand_in<I: Isa>(env: &Env<'_>, index: usize, out: &mut Out<'_>) {
    let trampoline = &env.trampolines[Helper::Interpret as usize];
    if trampoline.get() == 0 {
        trampoline.set(I::trampoline(out, env.helpers[Helper::Interpret as usize]) + 1);
    }
    let begin = out.at();
    let code = env.image.functions().get(index).map_or(0, |function| function.code);
    I::imm(out, I::PLAN.temps[0], code);
    I::branch(out, None, trampoline.get() - 1, true);
    bind::<I>(out, &env.functions[index], begin);
    env.functions[index].set(0);
}
