// SPDX-License-Identifier: Apache-2.0
//! `wisp-spec [--tier native] [FILTER...]`: runs the files whose `group/file` contains a filter, or all,
//! in the interpreter or as native code. `wisp-spec --tape FILE [--target NAME | --cc COMPILER
//! --cflags FLAGS] [FILTER...]` writes them for targets instead: with native code for the one that is named, or
//! that this compiler makes code for, and with its functions in parts of N bytes of C if there is `--parts N`. `--wast FILE`, as often as needed, takes cases from a file in the suite's
//! format in place of the suite. With `--arena BYTES`, the tape skips what fails in an arena of that size. `--tape FILE --without-features` writes what an engine without features does.

use std::process::ExitCode;

use wisp_spec::tape::{features_tape, tape, SMALL_ARENA};
use wisp_spec::translate::Translator;
use wisp_spec::{cases, not_run, stale_skips, Case, Counts, Tier};

/// Failures of a file that are shown.
const SHOWN: usize = 10;

fn main() -> ExitCode {
    let mut filters: Vec<String> = std::env::args().skip(1).collect();
    match run(&mut filters) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Takes an option and its value out of the arguments.
fn option(arguments: &mut Vec<String>, name: &str) -> Result<Option<String>, String> {
    let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(None) };
    let value = arguments.drain(at..arguments.len().min(at + 2)).nth(1);
    value.map(Some).ok_or_else(|| format!("{name} takes a value"))
}

/// Takes an option without a value out of the arguments. Returns true if it was there.
fn flag(arguments: &mut Vec<String>, name: &str) -> bool {
    let before = arguments.len();
    arguments.retain(|argument| argument != name);
    arguments.len() != before
}

/// Returns the cases of the suite whose name contains one of the filters, or all.
fn chosen_cases(filters: &[String]) -> Vec<Case> {
    let mut cases = cases();
    cases.retain(|case| filters.is_empty() || filters.iter().any(|filter| case.name().contains(filter.as_str())));
    cases
}

fn run(filters: &mut Vec<String>) -> Result<ExitCode, String> {
    let mut wast = Vec::new();
    while let Some(path) = option(filters, "--wast")? {
        wast.push(Case::read(&path)?);
    }
    let tier = match option(filters, "--tier")?.as_deref() {
        None | Some("interpreter") => Tier::Interpreter,
        Some("native") => Tier::Native,
        Some(other) => return Err(format!("--tier takes `interpreter` or `native`, not `{other}`")),
    };
    let (target, compiler) = (option(filters, "--target")?, option(filters, "--cc")?);
    let flags = option(filters, "--cflags")?.unwrap_or_default();
    if let Some(path) = option(filters, "--tape")? {
        let parts = option(filters, "--parts")?;
        let parts = parts.map(|bytes| bytes.parse().map_err(|_| "--parts takes a number of bytes")).transpose()?;
        let mut translator = match (target, compiler) {
            (Some(target), None) => Some(Translator::named(&target)?),
            (None, Some(compiler)) => Some(Translator::of_compiler(compiler, &flags)?),
            (None, None) => None,
            (Some(_), Some(_)) => return Err("--target and --cc exclude each other".into()),
        };
        match (&mut translator, parts) {
            (Some(translator), Some(bytes)) => translator.in_parts(bytes),
            (None, Some(_)) => return Err("--parts takes --target or --cc".into()),
            (_, None) => {}
        }
        let arena = option(filters, "--arena")?;
        let arena = arena.map(|bytes| bytes.parse().map_err(|_| "--arena takes a number of bytes")).transpose()?;
        let without_features = flag(filters, "--without-features");
        let own = std::mem::take(&mut wast);
        return write_tape(&path, filters, own, without_features, translator.as_ref(), arena);
    }
    let whole = wast.is_empty() && filters.is_empty();
    let mut total = Counts::default();
    let mut files = 0;
    for case in if wast.is_empty() { chosen_cases(filters) } else { wast } {
        let report = case.run_on(tier);
        println!("{:<48} {}", case.name(), report.counts);
        if let Some(reason) = case.skipped {
            println!("    skipped: {reason}");
        }
        for failure in report.failures.iter().take(SHOWN) {
            println!("    line {}: {}", failure.line, failure.message);
        }
        if report.failures.len() > SHOWN {
            println!("    and {} more", report.failures.len() - SHOWN);
        }
        total += report.counts;
        files += 1;
    }
    if whole {
        for (group, files, reason) in not_run() {
            println!("not run: {group} ({files} files): {reason}");
        }
    }
    for skip in stale_skips() {
        println!("the skip of {skip} skips nothing");
        total.failed += 1;
    }
    if files == 0 {
        return Err(format!("no file of the suite matches {filters:?}"));
    }
    println!("{files} files");
    println!("{total}");
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the tape and says what is on it.
fn write_tape(
    path: &str,
    filters: &[String],
    own: Vec<Case>,
    without_features: bool,
    translator: Option<&Translator>,
    arena: Option<usize>,
) -> Result<ExitCode, String> {
    let tape = if without_features {
        features_tape(translator)
    } else {
        let chosen = if own.is_empty() { chosen_cases(filters) } else { own };
        tape(&chosen, translator, arena.unwrap_or(SMALL_ARENA))
    };
    let tape = tape.map_err(|error| format!("no tape: {error}"))?;
    // what is newer than its inputs makes work for who depends on it
    if std::fs::read(path).ok().as_deref() != Some(&tape.bytes) {
        std::fs::write(path, &tape.bytes).map_err(|error| format!("{path}: {error}"))?;
    }
    let counts = tape.counts;
    println!("{path}: {} bytes, {} files, arena of {} bytes", tape.bytes.len(), tape.files.len(), tape.arena);
    println!("{} judged here, {} need large memories", counts.desk, tape.large);
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    Ok(ExitCode::SUCCESS)
}
