// SPDX-License-Identifier: Apache-2.0
//! How a host function ends other than by returning a value to the guest.

use wisp_engine::{Trap, TrapCode};

/// A blocking call ended because the app has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

/// The guest asked to end, with this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(pub u32);

/// Why the guest does not go on after a host call: a trap to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The guest ended itself: a normal end.
    Exit(Exit),
    /// The app has to stop while it blocked.
    Interrupted,
}

/// Why a host function has no value: an error for the guest, or the guest's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure<E> {
    /// Returned to the guest as a number.
    Error(E),
    /// The guest does not go on.
    Stop(Stop),
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Failure::Error(error)
    }
}

impl From<Stop> for Trap {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Exit(Exit(status)) => Trap::exit(status as i32),
            Stop::Interrupted => Trap::new(TrapCode::Interrupted),
        }
    }
}

impl<E> Failure<E> {
    /// Returns the failure of a blocking call that was interrupted. A function, since a `From` would overlap that of
    /// errors.
    pub fn interrupted(_: Interrupted) -> Self {
        Failure::Stop(Stop::Interrupted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stop_is_a_trap_of_its_own() {
        assert_eq!(Trap::from(Stop::Exit(Exit(3))).exit_status(), Some(3));
        assert_eq!(Trap::from(Stop::Interrupted).code, TrapCode::Interrupted);
    }
}
