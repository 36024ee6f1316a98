// SPDX-License-Identifier: Apache-2.0
//! The check on the machine that builds.

use wisp_forms::Effort;

#[test]
fn every_form_reads_and_writes_what_it_names() {
    let mut report = String::new();
    let outcome = wisp_forms::check_all(&wisp_engine::Config::new(), &mut [0; 1024], Effort::default(), &mut report);
    assert_eq!(outcome.failed, 0, "{report}");
    assert!(outcome.checked > 450, "{} ops", outcome.checked);
}
