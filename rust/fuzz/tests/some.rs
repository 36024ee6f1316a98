// SPDX-License-Identifier: Apache-2.0
//! A few runs of each target, so that none of them rots.

use std::time::Duration;

use wisp_fuzz::driver::drive;
use wisp_fuzz::large::{check, Shape};
use wisp_fuzz::{compiler, differential, grants, host_calls, image, instances, mutated, translated, Outcome};

fn runs(target: fn(&[u8]) -> Outcome, least: u64) {
    let counts = drive(target, 1, 300, Duration::MAX).expect("no run fails");
    assert!(counts.ran >= least, "{counts:?}: the target does not reach what it is for");
}

#[test]
fn wisp_and_wasmi_agree() {
    runs(differential::run, 50);
}

#[cfg(all(target_arch = "x86_64", unix))]
#[test]
fn native_code_and_wasmi_agree() {
    let counts = drive(differential::run_native, 1, 40, Duration::MAX).expect("no run fails");
    assert!(counts.ran >= 2, "{counts:?}: the target does not reach what it is for");
}

#[test]
fn damaged_modules_are_refused_or_compiled() {
    runs(compiler::run, 10);
}

/// Runs each shape. They strain something else: calls, branches, tables, frames, nesting.
#[test]
fn large_modules_compute_what_wasmi_computes() {
    let small = Shape { bytes: 50_000, statements: 40, tables: 5, entries: 8, locals: 6, nesting: 3 };
    let shapes = [
        Shape { bytes: 150_000, statements: 8, tables: 0, ..small },
        Shape { bytes: 300_000, ..small },
        Shape { bytes: 200_000, statements: 20_000, tables: 0, ..small },
        Shape { bytes: 200_000, statements: 20_000, tables: 40, entries: 300, ..small },
        Shape { bytes: 200_000, statements: 3000, tables: 40, entries: 65_520, ..small },
        Shape { bytes: 100_000, statements: 3000, locals: 6000, ..small },
        Shape { bytes: 100_000, statements: 3000, nesting: 3000, ..small },
    ];
    let runs = shapes.into_iter().zip(1..).map(|(shape, seed)| check(shape, seed));
    let ran = runs.filter(|&outcome| outcome == Outcome::Ran).count();
    assert!(ran >= 5, "{ran} of {} ran to their end", shapes.len());
}

#[test]
fn damaged_images_are_refused_or_read() {
    runs(image::run, 5);
}

#[test]
fn damaged_images_stay_in_their_memory() {
    runs(mutated::run, 10);
}

#[test]
fn host_functions_withstand_any_arguments() {
    runs(host_calls::run, 200);
}

#[test]
fn only_what_is_granted_can_be_used() {
    runs(grants::run, 150);
}

#[test]
fn images_of_another_meaning_harm_no_other_instance() {
    let counts = drive(instances::run, 1, 3000, Duration::MAX).expect("no run fails");
    assert!(counts.ran >= 100, "{counts:?}: the target does not reach what it is for");
}

#[test]
fn translated_images_touch_only_what_their_instance_has() {
    runs(translated::run, 50);
}
