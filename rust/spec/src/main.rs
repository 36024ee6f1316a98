// SPDX-License-Identifier: Apache-2.0
//! `wisp-spec [--tier native] [FILTER...]`: runs the files whose `group/file` contains a filter, or all,
//! in the interpreter or as native code. `wisp-spec --tape FILE [FILTER...]` writes them for targets instead.

use std::process::ExitCode;

use wisp_spec::tape::tape;
use wisp_spec::{cases, not_run, stale_skips, Counts, Tier};

/// Failures of a file that are shown.
const SHOWN: usize = 10;

fn main() -> ExitCode {
    let mut filters: Vec<String> = std::env::args().skip(1).collect();
    let tier = match filters.iter().position(|argument| argument == "--tier") {
        None => Tier::Interpreter,
        Some(at) => match filters.drain(at..filters.len().min(at + 2)).nth(1).as_deref() {
            Some("native") => Tier::Native,
            Some("interpreter") => Tier::Interpreter,
            other => {
                eprintln!("--tier takes `interpreter` or `native`, not {other:?}");
                return ExitCode::FAILURE;
            }
        },
    };
    if let Some(at) = filters.iter().position(|argument| argument == "--tape") {
        let path = filters.drain(at..filters.len().min(at + 2)).nth(1);
        return write_tape(path, &filters);
    }
    let chosen = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let mut total = Counts::default();
    let mut files = 0;
    for case in cases().into_iter().filter(|case| chosen(&case.name())) {
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
    if filters.is_empty() {
        for (group, files, reason) in not_run() {
            println!("not run: {group} ({files} files): {reason}");
        }
    }
    for skip in stale_skips() {
        println!("the skip of {skip} skips nothing");
        total.failed += 1;
    }
    if files == 0 {
        eprintln!("no file of the suite matches {filters:?}");
        return ExitCode::FAILURE;
    }
    println!("{files} files");
    println!("{total}");
    if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Writes the tape and says what is on it.
fn write_tape(path: Option<String>, filters: &[String]) -> ExitCode {
    let Some(path) = path else {
        eprintln!("--tape takes the file to write");
        return ExitCode::FAILURE;
    };
    let tape = match tape(filters) {
        Ok(tape) => tape,
        Err(error) => {
            eprintln!("no tape: {error}");
            return ExitCode::FAILURE;
        }
    };
    // what is newer than its inputs makes work for who depends on it
    if std::fs::read(&path).ok().as_deref() != Some(&tape.bytes) {
        if let Err(error) = std::fs::write(&path, &tape.bytes) {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    let counts = tape.counts;
    println!("{path}: {} bytes, {} files, arena of {} bytes", tape.bytes.len(), tape.files.len(), tape.arena);
    println!("{} judged here, {} need large memories", counts.desk, tape.large);
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    ExitCode::SUCCESS
}
