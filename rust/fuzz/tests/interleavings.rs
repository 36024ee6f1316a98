// SPDX-License-Identifier: Apache-2.0
//! The firmware's event queue and stop path, in every order of interrupts: see c/model.c.

use std::ffi::{c_char, CStr, CString};
use std::sync::Mutex;

use wisp_fuzz as _;

extern "C" {
    fn fuzz_interleavings(actions: *const c_char, sleeps: bool, what: *mut *const c_char) -> i64;
}

/// Tries all orders of these interrupts, and returns their number.
fn orders(actions: &str, sleeps: bool) -> i64 {
    // the model is made of statics
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let script = CString::new(actions).unwrap();
    let mut what = std::ptr::null();
    // SAFETY: the actions are a string, `what` can be written, and nobody else runs the model.
    let runs = unsafe { fuzz_interleavings(script.as_ptr(), sleeps, &mut what) };
    if runs < 0 {
        // SAFETY: a failed model set it to a string constant.
        let what = unsafe { CStr::from_ptr(what) };
        panic!("{actions:?}, order {}: {}", -runs, what.to_string_lossy());
    }
    println!("{actions:?}: {runs} orders");
    runs
}

#[test]
fn no_event_is_lost_unseen_or_out_of_order() {
    assert!(orders("eee", false) > 300);
    // more than the queue holds
    assert!(orders("eeee", false) > 3_000);
}

#[test]
fn a_stop_reaches_an_app_wherever_it_is() {
    assert!(orders("s", false) > 5);
    assert!(orders("es", false) > 50);
    assert!(orders("ese", false) > 100);
    assert!(orders("ees", false) > 100);
    assert!(orders("ss", true) > 20);
    assert!(orders("xs", true) > 20);
    assert!(orders("ex", false) > 50);
}

#[test]
fn a_stop_of_the_last_run_that_comes_late_ends_one_wait_at_most() {
    assert!(orders("l", false) > 5);
    assert!(orders("l", true) > 3);
    assert!(orders("le", false) > 50);
    assert!(orders("ls", false) > 50);
    assert!(orders("ls", true) > 20);
    assert!(orders("lel", false) > 500);
}

#[test]
fn what_is_dropped_leaves_the_queue_in_order() {
    assert!(orders("eed", false) > 100);
    assert!(orders("ede", false) > 100);
    assert!(orders("edes", false) > 1_000);
}
