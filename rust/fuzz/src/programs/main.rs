// SPDX-License-Identifier: Apache-2.0
//! Compiles a module that somebody else made, checks its image and runs it beside wasmi.
//!
//! `programs MODULE [--plan FILE] [--native CC-FLAG] [--stubs FOLDER]` prints one line for each thing it finds, as a
//! word and the rest: `size`, `image`, `imports`, `memory`, `refused`, `stub`, `call`, `limit`, `differs`, `compared`.
//! The lines `plan` repeat what was done and `got` what came of it, such that another engine can do the same
//! with the modules written to the folder. A plan has one step a line:
//!
//! - `call NAME ARGUMENT...`: a number, or `$n` for the first result of call n
//! - `write ADDRESS HEX`, `read ADDRESS LENGTH`
//!
//! ` = ` and what has to come of it may follow a step.
//!
//! Without a plan the exported functions are called with small numbers until one reaches a limit.

mod run;
mod stubs;

use std::path::PathBuf;
use std::process::ExitCode;

use wisp_compiler::{compile, Options};
use wisp_image::{verify, Image};

use run::{Side, Wasmi, Wisp};

/// Exported functions that are called without a plan.
const CALLS: usize = 24;

struct Arguments {
    module: PathBuf,
    plan: Option<PathBuf>,
    stubs: Option<PathBuf>,
    native: Option<String>,
}

fn arguments() -> Result<Arguments, String> {
    let mut given = std::env::args().skip(1);
    let module = given.next().ok_or("expected a module")?.into();
    let mut arguments = Arguments { module, plan: None, stubs: None, native: None };
    while let Some(name) = given.next() {
        let value = given.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--plan" => arguments.plan = Some(value.into()),
            "--stubs" => arguments.stubs = Some(value.into()),
            "--native" => arguments.native = Some(value),
            _ => return Err(format!("unknown option {name}; expected --plan, --stubs or --native")),
        }
    }
    Ok(arguments)
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| check(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns true if all that could be compared is the same, or the module was refused with a reason.
fn check(arguments: &Arguments) -> Result<bool, String> {
    let wasm = std::fs::read(&arguments.module).map_err(|error| format!("{}: {error}", arguments.module.display()))?;
    println!("size {}", wasm.len());
    let compiled = match compile(&wasm, &Options { trim: false, ..Options::default() }) {
        Ok(compiled) => compiled,
        Err(error) => {
            println!("refused {error}");
            return Ok(true);
        }
    };
    println!("image {}", compiled.image.len());
    let image = Image::parse(&compiled.image).map_err(|error| format!("the image cannot be read: {error}"))?;
    let words = verify::scratch_words(&image).map_err(|error| format!("the image is damaged: {error}"))?;
    verify::verify(&image, &mut vec![0; words]).map_err(|error| format!("the verifier refuses the image: {error}"))?;
    println!("imports {}", image.import_count());
    let memory = image.manifest().map_err(|error| error.to_string())?.memory;
    println!("memory {}", memory.map_or(0, |memory| u64::from(memory.min) << memory.page_size_log2));
    let stubs = stubs::of(&wasm)?;
    for (number, (name, stub)) in stubs.iter().enumerate() {
        if let Some(folder) = &arguments.stubs {
            let file = folder.join(format!("stub{number}.wasm"));
            std::fs::write(&file, stub).map_err(|error| format!("{}: {error}", file.display()))?;
            println!("stub {} {name}", file.display());
        }
    }
    let native = match &arguments.native {
        Some(optimize) => {
            let (image, mapping) = run::native(&wasm, &compiled, optimize)?;
            // it lives as long as the program: instances borrow it
            Some((image, &*Box::leak(Box::new(mapping))))
        }
        None => None,
    };
    let mut sides: Vec<Box<dyn Side>> = Vec::new();
    // the one that counts filled and copied bytes as well comes first: what does not end there is not begun elsewhere
    sides.push(Box::new(Wasmi::new(&wasm, &stubs)?));
    sides.push(Box::new(Wisp::new(&compiled.image, None, &stubs)?));
    if let Some((image, mapping)) = &native {
        sides.push(Box::new(Wisp::new(image, Some(*mapping), &stubs)?));
    }
    let starts: Vec<String> = sides.iter_mut().map(|side| side.start()).collect();
    if starts.iter().any(|start| start == "limit") {
        println!("limit start\ncompared 0");
        return Ok(true);
    }
    println!("plan start\ngot {}", starts[0]);
    let kind = |text: &str| text.split(' ').next().unwrap_or("").to_string();
    if starts.iter().any(|start| kind(start) != kind(&starts[0])) {
        println!("differs at the start: {}", starts.join(" | "));
        return Ok(false);
    }
    if starts[0] != "ok" {
        return Ok(true);
    }
    let plan = match &arguments.plan {
        Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?,
        None => by_itself(&image),
    };
    follow(&plan, &mut sides)
}

/// Calls of the exported functions with small numbers.
fn by_itself(image: &Image<'_>) -> String {
    let mut plan = String::new();
    let mut seed = 7_u32;
    for export in (0..image.export_count()).filter_map(|index| image.export(index).ok()) {
        let Some(name) = export.name.text().filter(|name| !name.contains(char::is_whitespace)) else { continue };
        if export.kind != wisp_image::format::external::FUNCTION || plan.lines().count() >= CALLS {
            continue;
        }
        let Some(params) = run::params_of(image, export.index) else { continue };
        plan.push_str("call ");
        plan.push_str(name);
        for _ in 0..params {
            seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            plan.push_str(&format!(" {}", (seed >> 16) % 200));
        }
        plan.push('\n');
    }
    plan
}

/// Does a step in one engine after the other. Returns `None` as soon as it reaches a limit in one.
fn done_by_all(words: &[&str], sides: &mut [Box<dyn Side>]) -> Result<Option<Vec<String>>, String> {
    let mut results = Vec::new();
    for side in sides {
        let result = side.step(words)?;
        if result.starts_with("limit") {
            return Ok(None);
        }
        results.push(result);
    }
    Ok(Some(results))
}

/// Does what the plan says on all sides. Returns true if the same comes of it.
fn follow(plan: &str, sides: &mut [Box<dyn Side>]) -> Result<bool, String> {
    let mut compared = 0;
    let mut results: Vec<i64> = Vec::new();
    for line in plan.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let (step, expected) = line.split_once(" = ").map_or((line, None), |(step, expected)| (step, Some(expected)));
        let mut words: Vec<String> = step.split_whitespace().map(str::to_string).collect();
        for word in words.iter_mut().skip(1) {
            if let Some(number) = word.strip_prefix('$').and_then(|number| number.parse::<usize>().ok()) {
                let value = results.get(number).ok_or_else(|| format!("{line}: no such call"))?;
                *word = value.to_string();
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some(outcomes) = done_by_all(&words, sides)? else {
            println!("limit {line}");
            break;
        };
        let first = &outcomes[0];
        // node is asked only for what ended in all engines
        println!("plan {}\ngot {first}", words.join(" "));
        if let Some(expected) = expected.filter(|&expected| expected != first.as_str()) {
            println!("differs {line}: {first} | {expected} is right");
            return Ok(false);
        }
        for (other, side) in outcomes[1..].iter().zip(&sides[1..]) {
            let traps = first.starts_with("trap") && other.starts_with("trap");
            if first != other && !traps {
                println!("differs {line}: {first} | {other}, {}", side.name());
                return Ok(false);
            }
        }
        if words[0] == "call" {
            let value = first.split_once(':').and_then(|(_, value)| value.split(' ').next()?.parse().ok());
            results.push(value.unwrap_or(0));
        }
        let memory = sides[0].memory();
        for side in &sides[1..] {
            if memory.zip(side.memory()).is_some_and(|(one, other)| one != other) {
                println!("differs in memory after {line}: {}", side.name());
                return Ok(false);
            }
        }
        compared += 1;
        // checks of native code that come early may leave other traces behind a trap
        if first.starts_with("trap") && sides.len() > 2 {
            break;
        }
    }
    println!("compared {compared}");
    Ok(true)
}
