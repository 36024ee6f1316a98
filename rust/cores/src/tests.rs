// SPDX-License-Identifier: Apache-2.0

use wisp_image::ops::{op, Operand, Sem, COUNT};

use crate::asm::{Asm, End};
use crate::riscv::Target;
use crate::text::Core;
use crate::thumb::Flavour;
use crate::{core_of, portable};

const RISCV: Target = Target { compressed: true, floats: false, threaded: false };

fn all(_: u16) -> bool {
    true
}

fn cores() -> [Core; 4] {
    let threaded = Target { threaded: true, ..RISCV };
    [
        core_of(&Flavour::V6, &all, false),
        core_of(&Flavour::V7, &all, false),
        core_of(&RISCV, &all, false),
        core_of(&threaded, &all, false),
    ]
}

/// Returns the entries of the table of handlers.
fn entries(core: &Core) -> usize {
    let (_, table) = core.text.rsplit_once("handlers:\"").unwrap();
    table.lines().filter(|line| line.starts_with("\".word ") || line.starts_with("\".half ")).count()
}

#[test]
fn every_op_and_the_end_of_a_run_has_an_entry_in_the_table() {
    for core in cores() {
        assert_eq!(entries(&core), COUNT + 1);
    }
}

#[test]
fn ops_that_are_not_built_go_to_the_escape_and_have_no_arm_there() {
    let core = core_of(&Flavour::V7, &|opcode| opcode % 2 == 0, false);
    assert_eq!(entries(&core), COUNT + 1);
    assert!(core.escaped.iter().all(|opcode| opcode % 2 == 0));
    assert!(core.text.matches(".word wisp.escape").count() >= COUNT / 2);
}

#[test]
fn what_a_core_leaves_to_the_escape_has_an_arm_in_rust() {
    for core in cores() {
        assert!(!core.escaped.is_empty());
        let arms = portable::arms(&core.escaped, &all);
        for opcode in &core.escaped {
            assert!(arms.contains(&format!("\n{opcode} => {{")), "{opcode}");
        }
    }
}

#[test]
fn an_end_is_placed_again_where_a_short_branch_does_not_reach_back() {
    let labels = |mut asm: Asm<Flavour>| {
        let first = asm.end(End::Escape);
        asm.place_ends(true);
        (0..100).for_each(|_| asm.line("nop"));
        (first, asm.end(End::Escape))
    };
    assert_eq!(labels(Asm::new(Flavour::V7)), (".Lescape.0".into(), ".Lescape.0".into()));
    assert_eq!(labels(Asm::new(Flavour::V6)), (".Lescape.0".into(), ".Lescape.1".into()));
}

#[test]
fn ends_are_due_when_the_first_branch_to_them_is_about_to_reach_no_further() {
    let placed = |nops: usize| {
        let mut asm = Asm::new(Flavour::V6);
        let _ = asm.end(End::Refill);
        (0..nops).for_each(|_| asm.line("nop"));
        asm.place_ends(false);
        asm.line("here:");
        let text = asm.text();
        text.find(".Lrefill.0:") < text.find("here:")
    };
    assert_eq!((placed(48), placed(49)), (false, true));
}

#[test]
fn threaded_code_knows_the_length_of_each_op_and_whether_a_table_follows() {
    let core = core_of(&Target { threaded: true, ..RISCV }, &all, false);
    let list = core.text.split("= [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
    let lengths: Vec<usize> = list.split(", ").map(|length| length.parse().unwrap()).collect();
    assert_eq!(lengths.len(), COUNT);
    for (opcode, &length) in lengths.iter().enumerate() {
        let op = op(opcode as u16).unwrap();
        let table = if op.form.last() == Some(&Operand::Targets) { 128 } else { 0 };
        assert_eq!(length, op.words() + table, "{:?}", op.sem);
    }
}

#[test]
fn the_portable_back_end_ends_with_a_trap_for_ops_that_are_not_built() {
    let text = portable::arms(&[0], &|opcode| opcode == 0);
    assert!(text.contains("_ => break 'run crate::vm::trap::RawTrap::of(crate::vm::trap::TrapCode::Unreachable)"));
    assert!(portable::arms(&[0], &all).contains("_ => unreachable_unchecked()"));
}

#[test]
fn an_indirect_call_has_a_handler_and_its_slow_way_in_the_escape() {
    for core in cores() {
        let indirect = |opcode: &&u16| op(**opcode).is_some_and(|op| op.sem == Sem::CallIndirect);
        assert!(core.escaped.iter().any(|opcode| indirect(&opcode)));
        assert!(core.text.contains("wisp.call_indirect."));
    }
}

#[test]
fn a_core_for_profilers_says_where_it_stands_before_it_calls_a_library() {
    for (core_with, save, call) in [
        (
            &(|tells| core_of(&Flavour::V7, &all, tells)) as &dyn Fn(bool) -> Core,
            "\"strd r4, r5, [r0, #",
            "\"bl __aeabi",
        ),
        (&|tells| core_of(&Flavour::V6, &all, tells), "\"str r4, [r0, #", "\"bl __aeabi"),
        (&|tells| core_of(&RISCV, &all, tells), "\"sw s0, ", "\"call __"),
    ] {
        let (telling, plain) = (core_with(true).text, core_with(false).text);
        let calling = |text: &str| {
            let handlers = text.split("\n\"wisp.").filter(|handler| handler.contains(call));
            handlers.map(|handler| handler.find(save).is_some_and(|at| at < handler.find(call).unwrap())).collect()
        };
        let (told, silent): (Vec<bool>, Vec<bool>) = (calling(&telling), calling(&plain));
        assert!(told.len() > 20 && told.iter().all(|&told| told), "{call}: {told:?}");
        assert!(silent.len() == told.len() && !silent.contains(&true));
        assert!(telling.find("wisp_core_begin:").unwrap() < telling.find(save).unwrap());
        assert!(telling.find("wisp_core_end:").unwrap() > telling.rfind(call).unwrap());
        assert!(!plain.contains("wisp_core"));
    }
}
