// SPDX-License-Identifier: Apache-2.0
//! Which ops follow each other, by how often they are executed. For each image named, calls its export
//! `run(1)` and prints a line for each op that ran, in the order of the code: offset, times, whether the op
//! before falls into it and no branch goes to it (so that the two may be one), the op and its form.
//!
//! ```text
//! cargo run --release -p wisp-engine --features alloc,text,profile --example profile -- build/bench/wisp/*.wisp
//! ```
//! `bench/sequences.py` sums them up. With `--static` first nothing runs: an op counts once, and eight times as much in
//! each loop around it, which is how programs without `run` have their say.

use std::collections::BTreeSet;

use wisp_engine::{profile, Config, Engine, HostFunction, Linker, Module, Store};
use wisp_image::disassemble::{ops, Decoded};
use wisp_image::format::Section;
use wisp_image::ops::Operand;
use wisp_image::Image;

/// Returns the offsets that branches of an op go to.
fn targets(op: &Decoded<'_>) -> Vec<usize> {
    let half = |at: usize| u16::from_le_bytes([op.bytes[at], op.bytes[at + 1]]);
    let mut found = Vec::new();
    let mut at = 2;
    for operand in op.op.form {
        match operand {
            Operand::Forward => found.push(op.offset + usize::from(half(at))),
            Operand::Back => found.push(op.offset - usize::from(half(at))),
            Operand::Far => {
                let distance = i32::from(half(at + 2) as i16) << 16 | i32::from(half(at));
                found.push(op.offset.wrapping_add_signed(distance as isize));
            }
            Operand::Targets => {
                let n = usize::from(half(at));
                found.extend((0..=n).map(|entry| op.offset + usize::from(half(at + 2 + 2 * entry))));
            }
            _ => {}
        }
        at += 2 * operand.words();
    }
    found
}

/// Estimates how often each op runs from the loops around it, without running the code.
fn guessed(decoded: &[Decoded<'_>]) -> Vec<u64> {
    let mut depth = vec![0; decoded.len()];
    for (end, op) in decoded.iter().enumerate() {
        for target in targets(op).into_iter().filter(|&target| target <= op.offset) {
            let start = decoded.partition_point(|other| other.offset < target);
            depth[start..=end].iter_mut().for_each(|depth| *depth += 1);
        }
    }
    depth.into_iter().map(|depth: u32| 8u64.pow(depth.min(3))).collect()
}

/// Calls the export `run(1)` of an image. The counts are the engine's.
fn run(path: &str, image: &'static [u8]) {
    let engine = Engine::new(&Config::new().stack_size(64 << 10));
    let module = Module::new(&engine, image).unwrap_or_else(|error| panic!("{path}: {error:?}"));
    let host: [HostFunction<()>; 1] =
        [HostFunction::wrap("env", "host_add", |_: wisp_engine::Caller<'_, ()>, a: u32, b: u32| {
            a.wrapping_mul(5).wrapping_add(b)
        })];
    let mut store = Store::with_capacity(&engine, 4 << 20, ()).expect("there is memory");
    let instance = Linker::from_table(&host).instantiate(&mut store, &module).expect("it links");
    let run = instance.get_typed_func::<(u32,), (u32,)>(&store, "run").expect("it exports run");
    run.call(&mut store, (1,)).unwrap_or_else(|trap| panic!("{path}: {:?}", trap.code));
}

fn main() {
    let mut before = vec![0; 1 << 17];
    let mut paths = std::env::args().skip(1).peekable();
    let guess = paths.next_if(|first| first == "--static").is_some();
    for path in paths {
        let image: &'static [u8] = Vec::leak(std::fs::read(&path).expect("the image can be read"));
        if !guess {
            run(&path, image);
        }
        let image = Image::parse(image).unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let code = image.section(Section::Code);
        let decoded: Vec<_> = ops(code, 0, code.len()).collect();
        let reached: BTreeSet<_> = decoded.iter().flat_map(targets).collect();
        let guesses = guessed(&decoded);
        println!("image\t{path}\t{}", code.len());
        for (index, op) in decoded.iter().enumerate() {
            let times = if guess {
                guesses[index]
            } else {
                let times = profile::executed(op.offset) - before[op.offset];
                before[op.offset] += times;
                times
            };
            let falls = index > 0 && !decoded[index - 1].op.ends_flow() && !reached.contains(&op.offset);
            let form = |part: wisp_image::ops::Op| {
                let operands: Vec<_> = part.form.iter().map(|operand| format!("{operand:?}")).collect();
                operands.join("_")
            };
            let forms: Vec<_> = op.op.parts().map(form).collect();
            println!("{:#x}\t{times}\t{}\t{op}\t{}", op.offset, u8::from(falls), forms.join(";"));
        }
    }
}
