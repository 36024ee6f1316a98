// SPDX-License-Identifier: Apache-2.0
//! Random programs: many ops in a row, with branches both ways, so that what a back end remembers from one op to the next
//! is tried. Two configurations run each of them, and must end alike.

use core::fmt::Write;

use alloc::vec::Vec;

use wisp_engine::{scratch, Config, Engine, Linker, Module, Store, Trap, Val};
use wisp_image::ops::{op, Class, Op, Operand, Sem, COUNT};

use crate::assembler::{assemble, Function, Label};
use crate::case::Case;
use crate::{random_frame, Frame, Outcome, MEMORY, SLOTS};

/// Ops of a program.
const LENGTH: usize = 28;
/// Random frames for each program.
const ROUNDS: usize = 4;
/// Calls and backward branches of a run: ends loops.
const FUEL: u64 = 60;

/// The outcome of a run: the slots, or the trap, and the memory.
type End = (Result<[u32; SLOTS], Trap>, [u8; MEMORY]);

/// Returns true for ops that go into programs.
fn chosen(op: &Op) -> bool {
    use Sem::*;
    let plain = |op: Op| {
        op.class != Class::Special
            || matches!(op.sem, Mov | Mov64 | Const | Const64 | GlobalGet | GlobalSet | AddressAdd)
    };
    let known = |operand: &Operand| {
        !matches!(operand, Operand::GlobalImport | Operand::GlobalImport64 | Operand::Imm64 | Operand::Far)
    };
    op.parts().all(plain) && op.form.iter().all(known)
}

/// Returns true if the op reads the accumulator that the op before it left.
fn reads_acc(op: &Op) -> bool {
    op.parts().next().is_some_and(|part| part.form.contains(&Operand::Acc))
}

/// Returns true if the op leaves the accumulator.
fn leaves_acc(op: &Op) -> bool {
    op.parts()
        .last()
        .is_some_and(|op| matches!(op.form.first(), Some(Operand::Dst | Operand::DstAcc | Operand::DstFirst)))
}

/// The labels of a program that grows.
#[derive(Default)]
struct Labels {
    /// Labels that branches back may go to.
    past: Vec<Label>,
    /// Labels that branches ahead go to, and the number of ops up to each.
    ahead: Vec<(Label, u32)>,
}

impl Labels {
    /// Binds the labels that are due. Returns true if there were some.
    fn bind(&mut self, f: &mut Function) -> bool {
        let before = self.ahead.len();
        for (label, left) in &mut self.ahead {
            *left -= 1;
            if *left == 0 {
                f.bind(*label);
            }
        }
        self.ahead.retain(|&(_, left)| left != 0);
        self.ahead.len() != before
    }
}

/// Makes a random program.
fn program(random: &mut dyn FnMut() -> u32) -> Function {
    let mut f = Function::new((SLOTS * 4) as u16 + 8);
    let mut labels = Labels::default();
    let mut acc = false;
    for _ in 0..LENGTH {
        if labels.bind(&mut f) {
            acc = false;
        }
        if random() % 6 == 0 {
            let label = f.label();
            f.bind(label);
            labels.past.push(label);
            acc = false;
        }
        let op = loop {
            let op = op((random() % COUNT as u32) as u16).expect("below COUNT");
            let back = op.form.last() == Some(&Operand::Back);
            if chosen(&op) && (acc || !reads_acc(&op)) && !(back && labels.past.is_empty()) {
                break op;
            }
        };
        emit(&mut f, &op, &mut labels, random);
        acc = leaves_acc(&op);
    }
    while !labels.ahead.is_empty() {
        labels.bind(&mut f);
    }
    let single = |sem, form| Op { class: Class::Special, sem, form, sequence: &[] };
    f.op(&single(Sem::GlobalGet, &[Operand::Dst, Operand::Global]), &[15 * 4, 0]);
    f.op(&single(Sem::Return, &[]), &[]);
    f
}

/// Appends an op with random operands.
fn emit(f: &mut Function, op: &Op, labels: &mut Labels, random: &mut dyn FnMut() -> u32) {
    let case = Case::new(*op, random);
    let words = case.code_words();
    match op.form.last() {
        Some(Operand::Forward) => {
            let label = f.label();
            labels.ahead.push((label, 1 + random() % 5));
            f.branch(op, &words[..words.len() - 1], label);
        }
        Some(Operand::Back) => {
            let label = labels.past[random() as usize % labels.past.len()];
            f.branch(op, &words[..words.len() - 1], label);
        }
        _ => f.op(op, &words),
    }
}

/// Runs a program with each frame. Gives the ends, and the number of functions that became machine code.
fn run(image: &[u8], config: &Config, frames: &[(Frame, [u8; MEMORY])], arena: &mut [u64]) -> (Vec<End>, u32) {
    let engine = Engine::new(&config.stack_size(512));
    let module = Module::new_in(&engine, image, scratch(arena)).expect("the image is valid");
    let mut store = Store::new(&engine, arena, ()).expect("the arena is large enough");
    let instance = Linker::new().instantiate(&mut store, &module).expect("it needs nothing");
    let func = instance.get_func(&store, "f").expect("it is exported");
    let handle = instance.memory(&store).expect("it has one");
    let mut ends = Vec::new();
    for (frame, memory) in frames {
        handle.data_mut(&mut store).copy_from_slice(memory);
        store.set_fuel(Some(FUEL));
        let params = frame.map(|bits| Val::I32(bits as i32));
        let mut results = [Val::I32(0); SLOTS];
        let end = func.call(&mut store, &params, &mut results).map(|()| results.map(|value| value.bits() as u32));
        ends.push((end, handle.data(&store).try_into().expect("it has that size")));
    }
    #[cfg(feature = "translate")]
    let translated = store.translated().translated;
    #[cfg(not(feature = "translate"))]
    let translated = 0;
    (ends, translated)
}

/// Compares `count` random programs in stores of both configurations.
///
/// # Panics
/// If the arena is too small or an image is refused.
pub fn check_programs(configs: (&Config, &Config), count: usize, arena: &mut [u64], report: &mut dyn Write) -> Outcome {
    let mut state = 7;
    let mut outcome = Outcome::default();
    for number in 0..count {
        let image = assemble(&program(&mut || crate::random(&mut state)), SLOTS, MEMORY as u32);
        let frames: [_; ROUNDS] = core::array::from_fn(|_| {
            (random_frame(&mut state), core::array::from_fn(|_| crate::random(&mut state) as u8))
        });
        let (wanted, _) = run(&image, configs.0, &frames, arena);
        let (got, translated) = run(&image, configs.1, &frames, arena);
        outcome.checked += 1;
        outcome.translated += translated as usize;
        if let Some(round) = (0..ROUNDS).find(|&round| differs(&wanted[round], &got[round])) {
            outcome.failed += 1;
            // a report that cannot be written is a failure all the same
            let _ = writeln!(
                report,
                "program {number} from {:x?}\n  want {:x?}\n  got  {:x?}",
                frames[round].0, wanted[round].0, got[round].0
            );
        }
    }
    outcome
}

/// Returns true if two runs ended otherwise. Back ends place the end of the fuel at the branch or at its target.
fn differs(one: &End, other: &End) -> bool {
    let alike = match (&one.0, &other.0) {
        (Err(one), Err(other)) if one.code == wisp_engine::TrapCode::OutOfFuel => one.code == other.code,
        (one, other) => one == other,
    };
    !alike || one.1 != other.1
}
