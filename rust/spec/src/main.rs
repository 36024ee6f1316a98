// SPDX-License-Identifier: Apache-2.0
//! `wisp-spec [FILTER...]`: runs the files whose `group/file` contains a filter, or all.

use std::process::ExitCode;

use wisp_spec::{cases, not_run, stale_skips, Counts};

/// Failures of a file that are shown.
const SHOWN: usize = 10;

fn main() -> ExitCode {
    let filters: Vec<String> = std::env::args().skip(1).collect();
    let chosen = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let mut total = Counts::default();
    let mut files = 0;
    for case in cases().into_iter().filter(|case| chosen(&case.name())) {
        let report = case.run();
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
