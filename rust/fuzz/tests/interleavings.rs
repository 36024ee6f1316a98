// SPDX-License-Identifier: Apache-2.0
//! The firmware's event queue and stop path, in every order of interrupts: see c/model.c.

use std::ffi::{c_char, CStr, CString};
use std::sync::Mutex;

use wisp_fuzz as _;

extern "C" {
    fn fuzz_interleavings(actions: *const c_char, thread: Thread, what: *mut *const c_char) -> i64;
}

/// Names what the interrupted thread is and does, as c/model.c does.
#[repr(C)]
enum Thread {
    TakesEvents,
    Sleeps,
    Reports,
}

/// Tries all orders of these interrupts, and returns their number.
fn orders(actions: &str, thread: Thread) -> i64 {
    // the model is made of statics
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let script = CString::new(actions).unwrap();
    let mut what = std::ptr::null();
    // SAFETY: the actions are a string, `what` can be written, and nobody else runs the model.
    let runs = unsafe { fuzz_interleavings(script.as_ptr(), thread, &mut what) };
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
    assert!(orders("eee", Thread::TakesEvents) > 300);
    // more than the queue holds
    assert!(orders("eeee", Thread::TakesEvents) > 3_000);
}

#[test]
fn a_stop_reaches_an_app_wherever_it_is() {
    assert!(orders("s", Thread::TakesEvents) > 5);
    assert!(orders("es", Thread::TakesEvents) > 50);
    assert!(orders("ese", Thread::TakesEvents) > 100);
    assert!(orders("ees", Thread::TakesEvents) > 100);
    assert!(orders("ss", Thread::Sleeps) > 20);
    assert!(orders("xs", Thread::Sleeps) > 20);
    assert!(orders("ex", Thread::TakesEvents) > 50);
}

#[test]
fn a_stop_of_the_last_run_that_comes_late_ends_one_wait_at_most() {
    assert!(orders("l", Thread::TakesEvents) > 5);
    assert!(orders("l", Thread::Sleeps) > 3);
    assert!(orders("le", Thread::TakesEvents) > 50);
    assert!(orders("ls", Thread::TakesEvents) > 50);
    assert!(orders("ls", Thread::Sleeps) > 20);
    assert!(orders("lel", Thread::TakesEvents) > 500);
}

#[test]
fn what_is_dropped_leaves_the_queue_in_order() {
    assert!(orders("eed", Thread::TakesEvents) > 100);
    assert!(orders("ede", Thread::TakesEvents) > 100);
    assert!(orders("edes", Thread::TakesEvents) > 1_000);
}

#[test]
fn a_device_that_was_closed_leaves_no_event_behind() {
    assert!(orders("c", Thread::Reports) > 10);
    assert!(orders("co", Thread::Reports) > 50);
    assert!(orders("coc", Thread::Reports) > 100);
}
