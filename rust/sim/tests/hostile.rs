// SPDX-License-Identifier: Apache-2.0
//! Every host function with arguments that mean harm: whatever a guest passes, a call returns, and
//! nothing but linear memory and the board's trace changes.

use wisp_abi::{interface, ErrorSpace, Form, Function, Interface, Kind, Returns, INTERFACES};
use wisp_host::{bindings::by_name, App, Stop};
use wisp_sim::{Board, Capture, SimPlatform, TraceFormat};

const BOARD: &str = include_str!("everything.toml");

/// Labels, keys and pins that exist, for `open` and its like to succeed now and then.
const LABELS: &[&str] = &[
    "in", "out", "mem", "bat", "fan", "lamp", "imu", "modem", "air", "clock", "key", "k.2", "wish", "level", "red",
    "tape", "cells", "pad", "bus", "view", "oled", "area",
];
const MEMORY: usize = 4096;

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end)) as u32
    }

    /// Numbers around the borders of everything, and some in between.
    fn number(&mut self) -> u32 {
        let size = MEMORY as u32;
        match self.below(8) {
            0 => self.next() as u32,
            1 => 0u32.wrapping_sub(self.below(40)),
            2 => size.wrapping_sub(self.below(40)),
            3 => size + self.below(8),
            4 => 0x8000_0000u32.wrapping_add(self.below(5)).wrapping_sub(2),
            5 => self.below(size),
            _ => self.below(12),
        }
    }

    fn slots(&mut self, function: &Function) -> Vec<u32> {
        let mut slots = Vec::new();
        for param in function.params {
            match param.kind {
                // A name that may be granted, now and then.
                Kind::Bytes if self.below(2) == 0 => {
                    let label = self.below(LABELS.len() as u32);
                    slots.extend([label * 8, LABELS[label as usize].len() as u32]);
                }
                Kind::Bytes | Kind::Buffer | Kind::U64 | Kind::I64 => slots.extend([self.number(), self.number()]),
                // The pins, devices, ... that are open, and others.
                Kind::Handle if self.below(2) == 0 => slots.push(self.below(2)),
                _ => slots.push(self.number()),
            }
        }
        slots
    }
}

#[test]
fn the_board_grants_something_of_every_interface() {
    for interface in INTERFACES.iter().filter(|interface| interface.grant.is_some()) {
        let is_network = interface.grant.is_some_and(|grant| grant.form == Form::Endpoints);
        let table = if is_network { "net" } else { interface.ident };
        assert!(BOARD.contains(&format!("[apps.a.{table}")), "{}", interface.module);
    }
}

fn platform() -> SimPlatform {
    let mut board = Board::from_toml(BOARD).unwrap();
    board.set_trace(Capture::new(), TraceFormat::Off);
    board.set_output(std::io::sink(), std::io::sink());
    board.platform("a")
}

/// Returns true if the description of the function allows this result.
fn allowed(interface: &Interface, function: &Function, result: u64) -> bool {
    let value = result as u32 as i32;
    match (function.returns, interface.errors) {
        (Returns::U64(_) | Returns::Never, _) => true,
        (_, ErrorSpace::Wasi) => result <= u64::from(u16::MAX),
        (Returns::Nothing, ErrorSpace::Wisp) => (-140..=0).contains(&value),
        (_, ErrorSpace::Wisp) => value >= -140,
    }
}

fn attack(seed: u64, calls: usize, only: Option<&str>) -> [usize; 2] {
    let mut random = Random(seed);
    let mut app = App::new(platform());
    // Bytes around memory would show an access outside of it that stays in the allocation.
    let mut around = vec![0xee; MEMORY + 128];
    let (mut succeeded, mut refused) = (0, 0);
    for _ in 0..calls {
        let interface = &INTERFACES[random.below(INTERFACES.len() as u32) as usize];
        let interface = only.and_then(wisp_abi::interface).unwrap_or(interface);
        let function = &interface.functions[random.below(interface.functions.len() as u32) as usize];
        let memory = &mut around[64..64 + MEMORY];
        for (label, place) in LABELS.iter().zip(memory.chunks_exact_mut(8)) {
            place[..label.len()].copy_from_slice(label.as_bytes());
        }
        // Records for functions that follow addresses: small numbers, now and then wild ones.
        for word in memory[128..512].chunks_exact_mut(4) {
            word.copy_from_slice(&random.number().to_le_bytes());
        }
        let mut slots = random.slots(function);
        if function.params.iter().any(|param| param.kind == Kind::Address) && random.below(2) == 0 {
            let at = slots.len() - function.params.iter().rev().take_while(|p| p.kind != Kind::Address).count();
            slots[at - 1] = 128 + 4 * random.below(20);
        }
        match by_name(&mut app, memory, interface.module, function.name, &slots) {
            Ok(result) => {
                let what = format!("{} {} {slots:x?}: {result:#x}", interface.module, function.name);
                assert!(allowed(interface, function, result), "{what}");
                let failed = match interface.errors {
                    ErrorSpace::Wasi => result != 0,
                    ErrorSpace::Wisp => (result as u32 as i32) < 0,
                };
                *(if failed { &mut refused } else { &mut succeeded }) += 1;
            }
            Err(Stop::Exit(_)) => assert_eq!(function.returns, Returns::Never),
            // The run's time is up, since the guest slept for years: start anew.
            Err(Stop::Interrupted) => {
                app.release();
                app = App::new(platform());
            }
        }
        assert!(around[..64].iter().chain(&around[64 + MEMORY..]).all(|byte| *byte == 0xee), "{}", function.name);
    }
    [succeeded, refused]
}

#[test]
fn no_arguments_make_a_host_function_panic_or_leave_linear_memory() {
    let [succeeded, refused] = attack(1, 60_000, None);
    // Were nothing ever to succeed, or to be refused, the arguments would be no test.
    assert!(succeeded > 6_000 && refused > 6_000, "{succeeded} {refused}");
}

#[test]
fn each_interface_withstands_a_guest_that_calls_nothing_else() {
    for (seed, interface) in (2..).zip(INTERFACES) {
        let [succeeded, refused] = attack(seed, 4_000, Some(interface.module));
        assert!(succeeded + refused > 200, "{}", interface.module);
    }
}

#[test]
fn a_guest_without_memory_can_only_call_what_needs_none() {
    let mut random = Random(99);
    let mut app = App::new(platform());
    for _ in 0..50_000 {
        let interface = &INTERFACES[random.below(INTERFACES.len() as u32) as usize];
        let function = &interface.functions[random.below(interface.functions.len() as u32) as usize];
        let slots = random.slots(function);
        if let Err(Stop::Interrupted) = by_name(&mut app, &mut [], interface.module, function.name, &slots) {
            app = App::new(platform());
        }
    }
    assert!(interface("wisp:gpio@1").is_some());
}
