// SPDX-License-Identifier: Apache-2.0
//! One test for each file of the official suite.

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let mut arguments = Arguments::from_args();
    // each file has an arena of its own
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(2).min(4));
    let trials = wisp_spec::cases().into_iter().map(|case| {
        let ignored = case.skipped.is_some();
        Trial::test(case.name(), move || {
            let report = case.run();
            let lines: Vec<String> = report
                .failures
                .iter()
                .take(20)
                .map(|failure| format!("line {}: {}", failure.line, failure.message))
                .collect();
            if report.counts.failed == 0 {
                Ok(())
            } else {
                Err(Failed::from(format!("{}\n{}", report.counts, lines.join("\n"))))
            }
        })
        .with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
