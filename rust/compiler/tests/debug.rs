// SPDX-License-Identifier: Apache-2.0
//! Code for a debugger: where it can stop, and where locals are.

use wasmparser::{Operator, Parser, Payload};
use wisp_compiler::{compile, DebugMap, Options};
use wisp_image::disassemble::ops;
use wisp_image::format::{Section, ValType};
use wisp_image::Image;

const MODULE: &str = r#"(module
    (memory 1)
    (func (param $x i32) (result i32) (local $wide i64) (local $unused f32) (local $y i32)
        (local.set $y (i32.add (local.get $x) (i32.const 1)))
        (block $out
            (loop $again
                (br_if $out (i32.eqz (local.get $x)))
                (local.set $x (i32.sub (local.get $x) (i32.const 1)))
                (i32.store (i32.add (local.get $x) (local.get $y)) (i32.const 100000))
                (br $again)))
        (local.set $wide (i64.extend_i32_u (local.get $y)))
        (if (result i32) (i32.lt_s (local.get $y) (i32.const 5))
            (then (i32.const 1))
            (else (i32.const 2))))
    (func (export "run") (result i32)
        (call 0 (i32.const 3))
        return))"#;

fn compiled(wasm: &[u8]) -> (Vec<u8>, DebugMap) {
    let compiled = compile(wasm, &Options { debug: true, ..Options::default() }).unwrap();
    (compiled.image, compiled.debug.unwrap())
}

/// Offsets of the operators that can be reached, of each function.
fn operators(wasm: &[u8]) -> Vec<Vec<u32>> {
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CodeSectionEntry(body) = payload.unwrap() else { continue };
        let mut dead = false;
        let mut found = Vec::new();
        let mut reader = body.get_operators_reader().unwrap();
        while !reader.eof() {
            let (operator, at) = reader.read_with_offset().unwrap();
            if !dead {
                found.push(at as u32);
            }
            match operator {
                Operator::Br { .. } | Operator::Return => dead = true,
                Operator::End | Operator::Else => dead = false,
                _ => {}
            }
        }
        functions.push(found);
    }
    functions
}

#[test]
fn a_guest_can_stop_at_each_operator_that_it_reaches() {
    let wasm = wat::parse_str(MODULE).unwrap();
    let (image, map) = compiled(&wasm);
    let found: Vec<Vec<u32>> =
        map.functions.iter().map(|function| function.steps.iter().map(|step| step.1).collect()).collect();
    let mut expected = operators(&wasm);
    // behind the endless loop, only the branch out of it arrives: the end of the loop is never reached
    let ends = expected[0].len();
    expected[0].retain(|at| found[0].contains(at));
    assert_eq!((expected[0].len(), expected[1].len()), (ends - 1, 3));
    // what stands behind a `return` is not reached
    expected[1].truncate(found[1].len());
    assert_eq!(found, expected);
    let image = Image::parse(&image).unwrap();
    let code = image.section(Section::Code);
    let decoded: Vec<_> = ops(code, 0, code.len()).collect();
    for &(at, _) in map.functions.iter().flat_map(|function| &function.steps) {
        let op = decoded.iter().find(|op| op.offset == at as usize).unwrap();
        assert_eq!(op.bytes[2..], [0, 0, 0, 0], "a step moves slot 0 to itself");
    }
    assert!(decoded.iter().all(|op| op.op.parts().count() == 1), "no ops are joined");
}

#[test]
fn every_local_has_slots_of_its_own() {
    let (_, map) = compiled(&wat::parse_str(MODULE).unwrap());
    let locals = &map.functions[0].locals;
    let types: Vec<ValType> = locals.iter().map(|local| local.1).collect();
    assert_eq!(types, [ValType::I32, ValType::I64, ValType::F32, ValType::I32]);
    let mut slots: Vec<u32> = locals.iter().flat_map(|&(slot, ty)| slot..slot + ty.slots() as u32).collect();
    slots.sort_unstable();
    assert_eq!(slots, [0, 1, 2, 3, 4]);
}

#[test]
fn a_breakpoint_stops_at_the_next_step_of_its_function() {
    let (_, map) = compiled(&wat::parse_str(MODULE).unwrap());
    let (first, second) = (&map.functions[0], &map.functions[1]);
    assert_eq!(map.step_at(first.body.start), Some(first.steps[0]));
    assert_eq!(map.step_at(first.steps[3].1), Some(first.steps[3]));
    assert_eq!(map.step_at(first.steps[3].1 + 1), Some(first.steps[4]));
    assert_eq!(map.step_at(second.steps[0].1), Some(second.steps[0]));
    assert_eq!(map.step_at(first.body.start - 2), None);
    assert_eq!(map.step_at(second.body.end), None);
}

#[test]
fn places_in_the_code_belong_to_the_operators_around_them() {
    let (_, map) = compiled(&wat::parse_str(MODULE).unwrap());
    let steps = &map.functions[1].steps;
    assert_eq!(map.step_of(1, steps[0].0 - 2), None);
    assert_eq!(map.step_of(1, steps[1].0), Some(steps[1]));
    assert_eq!(map.step_of(1, steps[1].0 + 2), Some(steps[1]));
    assert_eq!(map.step_from(1, steps[1].0), Some(steps[1]));
    assert_eq!(map.step_from(1, steps[1].0 + 2), Some(steps[2]));
    assert_eq!(map.step_from(2, 0), None);
}

#[test]
fn an_image_that_is_not_debugged_has_no_steps() {
    let wasm = wat::parse_str(MODULE).unwrap();
    let plain = compile(&wasm, &Options::default()).unwrap();
    assert_eq!(plain.debug, None);
    assert!(plain.image.len() < compiled(&wasm).0.len());
}
