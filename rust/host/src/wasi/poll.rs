// SPDX-License-Identifier: Apache-2.0
//! `poll_oneoff`: sleeping until the earliest of several clocks, or until a socket is ready. Other descriptors are always
//! ready.

use super::descriptors::Open;
use super::Wasi;
use crate::border::Memory;
use crate::platform::Platform;
use crate::stop::Failure;
use crate::App;
use wisp_abi::{wasi, WasiErrno};

/// Time between two looks at whether a socket is ready. A wait for an event would take those that the app waits for.
const LOOK_NS: u64 = 10_000_000;

/// One 48-byte `subscription`: user data at 0, type at 8, then for a clock: id at 16, timeout at 24, precision at 32,
/// flags at 40. For a descriptor, its number is at 16.
#[derive(Clone, Copy)]
struct Subscription {
    userdata: [u8; 8],
    kind: u8,
    /// Id of the clock, or number of the descriptor.
    source: u32,
    timeout: u64,
    absolute: bool,
}

/// The event that a subscription waits for.
enum Due {
    /// Ready after this many nanoseconds.
    After(u64),
    /// Ready when a socket is.
    Later,
    /// Never: an error of its own, reported at once.
    Error(WasiErrno),
}

fn read(memory: &Memory<'_>, base: u32, index: u32) -> Wasi<Subscription> {
    let address = element(base, index, wasi::SUBSCRIPTION_SIZE)?;
    let field = |offset: u32| address.saturating_add(offset);
    let [kind] = memory.array(field(8))?;
    let flags = u16::from_le_bytes(memory.array(field(40))?);
    Ok(Subscription {
        userdata: memory.array(address)?,
        kind,
        source: memory.u32(field(16))?,
        timeout: u64::from_le_bytes(memory.array(field(24))?),
        absolute: flags & wasi::SUBCLOCK_ABSTIME != 0,
    })
}

/// Returns the address of an array element. The array was not checked to lie inside memory.
fn element(base: u32, index: u32, size: u32) -> Result<u32, WasiErrno> {
    let offset = index.checked_mul(size).ok_or(WasiErrno::Fault)?;
    base.checked_add(offset).ok_or(WasiErrno::Fault)
}

fn due<P: Platform>(app: &mut App<P>, subscription: &Subscription) -> Wasi<Due> {
    Ok(match subscription.kind {
        wasi::EVENTTYPE_CLOCK => clock(app, subscription),
        wasi::EVENTTYPE_FD_READ | wasi::EVENTTYPE_FD_WRITE => {
            let reads = subscription.kind == wasi::EVENTTYPE_FD_READ;
            match app.open(subscription.source) {
                // Input is at its end or has to be read to know, output is ready, and so are files.
                Ok(Open::Stream(stream)) if (stream == wasi::STDIN) != reads => Due::Error(WasiErrno::BadHandle),
                Ok(Open::Socket(socket)) => match app.socket_is_ready(socket, reads) {
                    Ok(true) => Due::After(0),
                    Ok(false) => Due::Later,
                    Err(Failure::Error(error)) => Due::Error(error),
                    Err(stop) => return Err(stop),
                },
                Ok(_) => Due::After(0),
                Err(error) => Due::Error(error),
            }
        }
        _ => Due::Error(WasiErrno::Invalid),
    })
}

fn clock<P: Platform>(app: &mut App<P>, subscription: &Subscription) -> Due {
    if !subscription.absolute && subscription.source == wasi::CLOCK_REALTIME {
        // All clocks run at the same rate: this needs no wall clock, and C programs sleep in this way.
        return Due::After(subscription.timeout);
    }
    match app.clock_ns(subscription.source) {
        Ok(now) if subscription.absolute => Due::After(subscription.timeout.saturating_sub(now)),
        Ok(_) => Due::After(subscription.timeout),
        Err(error) => Due::Error(error),
    }
}

/// Sleeps until the first subscription is due, and returns how many nanoseconds that took. A relative timeout counts from the
/// start of the call.
fn wait<P: Platform>(app: &mut App<P>, memory: &Memory<'_>, subscriptions: u32, count: u32) -> Wasi<u64> {
    let start = app.platform.uptime_us();
    loop {
        let slept = app.platform.uptime_us().saturating_sub(start).saturating_mul(1000);
        let (mut first, mut longest) = (u64::MAX, u64::MAX);
        for index in 0..count {
            app.go_on()?;
            let subscription = read(memory, subscriptions, index)?;
            match due(app, &subscription)? {
                Due::After(left) if subscription.absolute => first = first.min(left),
                Due::After(left) => first = first.min(left.saturating_sub(slept)),
                Due::Later => longest = LOOK_NS,
                Due::Error(_) => first = 0,
            }
        }
        if first == 0 {
            return Ok(slept);
        }
        let pause = first.min(longest);
        app.platform.sleep_us(pause.div_ceil(1000)).map_err(Failure::interrupted)?;
        if longest > first {
            // an absolute time is read anew
            let now = app.platform.uptime_us().saturating_sub(start).saturating_mul(1000);
            return Ok(now.max(slept.saturating_add(first)));
        }
    }
}

/// Sleeps until the first subscription is due and writes an event for each that is due then.
pub(super) fn poll_oneoff<P: Platform>(
    app: &mut App<P>,
    memory: &mut Memory<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
) -> Wasi<u32> {
    if count == 0 {
        return Err(WasiErrno::Invalid.into());
    }
    // Both arrays are checked whole before sleeping.
    for (base, size) in [(subscriptions, wasi::SUBSCRIPTION_SIZE), (events, wasi::EVENT_SIZE)] {
        memory.bytes(base, count.checked_mul(size).ok_or(WasiErrno::Fault)?)?;
    }
    let slept = wait(app, memory, subscriptions, count)?;
    let mut stored = 0;
    for index in 0..count {
        app.go_on()?;
        let subscription = read(memory, subscriptions, index)?;
        let wait = if subscription.absolute { 0 } else { slept };
        let error = match due(app, &subscription)? {
            Due::Later => continue,
            Due::After(left) if left > wait => continue,
            Due::After(_) => 0,
            Due::Error(error) => error.number(),
        };
        let mut event = [0; wasi::EVENT_SIZE as usize];
        event[..8].copy_from_slice(&subscription.userdata);
        event[8..10].copy_from_slice(&error.to_le_bytes());
        event[10] = subscription.kind;
        memory.write(element(events, stored, wasi::EVENT_SIZE)?, &event)?;
        stored += 1;
    }
    Ok(stored)
}

#[cfg(test)]
mod tests {
    use crate::stop::Stop;
    use crate::testing::{Harness, WASI};

    const FAULT: i32 = 21;
    const INVAL: i32 = 28;
    const EVENTS: u32 = 256;
    const STORED: u32 = 480;

    /// Puts a subscription at `index` of the array at 0.
    fn subscribe(harness: &mut Harness, index: usize, kind: u8, clock: u32, ns: u64, absolute: bool) {
        let raw = &mut harness.memory[48 * index..48 * (index + 1)];
        raw[..8].copy_from_slice(&(100 + index as u64).to_le_bytes());
        raw[8] = kind;
        raw[16..20].copy_from_slice(&clock.to_le_bytes());
        raw[24..32].copy_from_slice(&ns.to_le_bytes());
        raw[40] = u8::from(absolute);
    }

    fn poll(harness: &mut Harness, count: u32) -> i32 {
        harness.wasi("poll_oneoff", &[0, EVENTS, count, STORED])
    }

    /// Returns the user data and the error of the event at `index`.
    fn event(harness: &Harness, index: u32) -> (u64, u16) {
        let at = EVENTS + 32 * index;
        (harness.u64_at(at), harness.u32_at(at + 8) as u16)
    }

    #[test]
    fn a_relative_timeout_is_a_sleep_rounded_up() {
        let mut harness = Harness::new();
        harness.app.platform_mut().now_us = 10;
        subscribe(&mut harness, 0, 0, 1, 2_000_001, false);
        assert_eq!(poll(&mut harness, 1), 0);
        assert_eq!(harness.app.platform().now_us, 10 + 2001);
        assert_eq!((harness.u32_at(STORED), event(&harness, 0)), (1, (100, 0)));
    }

    #[test]
    fn an_absolute_timeout_in_the_past_does_not_sleep() {
        let mut harness = Harness::new();
        harness.app.platform_mut().now_us = 5000;
        subscribe(&mut harness, 0, 0, 1, 4_000_000, true);
        assert_eq!(poll(&mut harness, 1), 0);
        assert_eq!((harness.app.platform().now_us, harness.u32_at(STORED)), (5000, 1));
        subscribe(&mut harness, 0, 0, 1, 6_000_000, true);
        assert_eq!(poll(&mut harness, 1), 0);
        assert_eq!((harness.app.platform().now_us, harness.u32_at(STORED)), (6000, 1));
    }

    #[test]
    fn the_earliest_of_several_is_reported_alone() {
        let mut harness = Harness::new();
        subscribe(&mut harness, 0, 0, 1, 9_000_000, false);
        subscribe(&mut harness, 1, 0, 1, 3_000_000, false);
        assert_eq!(poll(&mut harness, 2), 0);
        assert_eq!(harness.app.platform().now_us, 3000);
        assert_eq!((harness.u32_at(STORED), event(&harness, 0)), (1, (101, 0)));
    }

    #[test]
    fn streams_are_ready_at_once() {
        let mut harness = Harness::new();
        subscribe(&mut harness, 0, 0, 1, 9_000_000, false);
        subscribe(&mut harness, 1, 2, 1, 0, false);
        assert_eq!(poll(&mut harness, 2), 0);
        assert_eq!((harness.app.platform().now_us, event(&harness, 0)), (0, (101, 0)));
        assert_eq!(harness.memory[EVENTS as usize + 10], 2);
    }

    #[test]
    fn a_descriptor_that_cannot_be_ready_and_a_type_that_is_none_are_errors_of_their_own() {
        let mut harness = Harness::new();
        for (kind, descriptor, error) in [(1, 3, 8), (2, 9, 8), (1, 1, 8), (2, 0, 8), (3, 1, 28), (255, 0, 28)] {
            subscribe(&mut harness, 0, 0, 1, 9_000_000, false);
            subscribe(&mut harness, 1, kind, descriptor, 0, false);
            assert_eq!(poll(&mut harness, 2), 0);
            assert_eq!((harness.u32_at(STORED), event(&harness, 0)), (1, (101, error)), "{kind} {descriptor}");
        }
        assert_eq!(harness.app.platform().now_us, 0);
    }

    #[test]
    fn an_unknown_clock_is_an_error_of_its_own_event() {
        let mut harness = Harness::new();
        subscribe(&mut harness, 0, 0, 7, 1, false);
        subscribe(&mut harness, 1, 0, 0, 1, true);
        assert_eq!(poll(&mut harness, 2), 0);
        assert_eq!(harness.u32_at(STORED), 2);
        assert_eq!((event(&harness, 0), event(&harness, 1)), ((100, 28), (101, 58)));
    }

    #[test]
    fn a_relative_timeout_of_the_wall_clock_needs_no_wall_clock() {
        let mut harness = Harness::new();
        assert_eq!(harness.app.platform().wall_ns, None);
        subscribe(&mut harness, 0, 0, 0, 3_000_000, false);
        assert_eq!(poll(&mut harness, 1), 0);
        assert_eq!((harness.u32_at(STORED), event(&harness, 0)), (1, (100, 0)));
        assert_eq!(harness.app.platform().now_us, 3000);
    }

    #[test]
    fn bad_arrays_are_faults_before_any_sleep() {
        let mut harness = Harness::new();
        subscribe(&mut harness, 0, 0, 1, 1_000_000, false);
        let size = harness.memory.len() as u32;
        for arguments in [
            [size - 47, EVENTS, 1, STORED],
            [0, size - 31, 1, STORED],
            [0, EVENTS, 1, size - 3],
            [0, EVENTS, u32::MAX, STORED],
            [u32::MAX, EVENTS, 1, STORED],
        ] {
            assert_eq!(harness.wasi("poll_oneoff", &arguments), FAULT);
        }
        assert_eq!(poll(&mut harness, 0), INVAL);
        assert_eq!(harness.app.platform().now_us, 0);
    }

    #[test]
    fn events_that_lie_over_subscriptions_stay_in_their_array() {
        let mut harness = Harness::new();
        subscribe(&mut harness, 0, 0, 1, 0, false);
        subscribe(&mut harness, 1, 0, 1, 0, false);
        let before = harness.memory.clone();
        // the first event takes the place of the second subscription, which is then a time of 0 that is over
        assert_eq!(harness.wasi("poll_oneoff", &[0, 48, 2, STORED]), 0);
        assert_eq!(harness.u32_at(STORED), 2);
        assert_eq!((harness.u64_at(48), harness.u32_at(56)), (100, 0));
        assert_eq!((harness.u64_at(80), harness.u32_at(88) & 0xffff), (100, 0));
        harness.memory[48..112].copy_from_slice(&before[48..112]);
        harness.memory[STORED as usize..][..4].copy_from_slice(&before[STORED as usize..][..4]);
        assert_eq!(harness.memory, before);
    }

    #[test]
    fn an_interrupted_poll_never_returns() {
        let mut harness = Harness::new();
        subscribe(&mut harness, 0, 0, 1, 1_000_000, false);
        harness.app.platform_mut().stopped = true;
        let stop = harness.call(WASI, "poll_oneoff", &[0, EVENTS, 1, STORED]);
        assert_eq!(stop, Err(Stop::Interrupted));
    }
}
