// SPDX-License-Identifier: Apache-2.0
//! Off wasm there is no host: what is tested is what happens before and after the call.

use crate::{random, uptime, Errno, Error, Input, Outcome, Output};
use core::time::Duration;
use std::format;

#[test]
fn without_a_host_every_call_says_so() {
    let no_sys = Error(Errno::NoSys);
    assert_eq!(Output::open("led").err(), Some(no_sys));
    assert_eq!(Output::open_active("led").err(), Some(no_sys));
    assert_eq!(Input::open("button").err(), Some(no_sys));
    assert_eq!(random(&mut [0; 4]), Err(no_sys));
    assert_eq!(uptime(), Duration::ZERO);
}

#[test]
fn errors_print_as_the_names_of_their_numbers() {
    assert_eq!(format!("{} {:?}", Error(Errno::Access), Error(Errno::Fault)), "EACCES EFAULT");
}

#[test]
fn success_ends_without_exit() {
    ().report();
    Ok::<(), Error>(()).report();
}

#[test]
#[should_panic(expected = "the app ended")]
fn an_error_from_main_ends_the_guest() {
    Err::<(), Error>(Error(Errno::Access)).report();
}
