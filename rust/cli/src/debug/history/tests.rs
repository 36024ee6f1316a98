// SPDX-License-Identifier: Apache-2.0
//! Replays that go back, packet by packet. Each place has to look as it did on the way forward.

use wisp_engine::TrapCode;
use wisp_host::recording::Conditions;

use crate::debug::tests::{session_with, Client};
use crate::replay::{End, HostCall, Item, Recording};

/// Adds what the host gives at each event. The first event changes all that a guest can change. The second one divides by
/// zero.
const GUEST: &str = r#"(module
    (import "env" "number" (func $number (param i32) (result i32)))
    (memory 1 8)
    (table $table 1 8 funcref)
    (global $sum (mut i32) (i32.const 0))
    (data $bytes "wxyz")
    (elem declare func $double)
    (func $double (param $x i32) (result i32) (i32.mul (local.get $x) (i32.const 2)))
    (func $begin (i32.store (i32.const 36) (call $number (i32.const 1))))
    (start $begin)
    (func (export "_initialize") (global.set $sum (i32.const 100)))
    (func (export "on_event") (param $kind i32) (local $got i32) (local $round i32)
        (local.set $got (call $number (local.get $kind)))
        (if (i32.eq (local.get $kind) (i32.const 7)) (then
            (memory.init $bytes (i32.const 32) (i32.const 0) (i32.const 4))
            (data.drop $bytes)
            (i32.store (i32.const 20) (memory.grow (i32.const 2)))
            (i32.store (i32.const 44) (ref.is_null (table.get $table (i32.const 0))))
            (drop (table.grow $table (ref.func $double) (i32.const 3)))
            (table.set $table (i32.const 0) (ref.func $double))
            (i32.store (i32.const 24) (table.size $table))))
        (loop $again
            (local.set $round (i32.add (local.get $round) (i32.const 1)))
            (i32.store (i32.const 28) (call $double (local.get $round)))
            (br_if $again (i32.lt_u (local.get $round) (i32.const 12))))
        (global.set $sum (i32.add (global.get $sum) (local.get $got)))
        (i32.store (i32.const 16) (global.get $sum))
        (drop (i32.div_u (i32.const 1000) (i32.sub (global.get $sum) (i32.const 112))))))"#;

/// Functions among the defined ones.
const DOUBLE: usize = 0;
const BEGIN: usize = 1;
const INITIALIZE: usize = 2;
const ON_EVENT: usize = 3;

/// Computes without an end.
const SPIN: &str = r#"(module
    (memory 1)
    (func (export "_start")
        (loop $again (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 1))) (br $again))))"#;

/// Ends by its own wish.
const EXITS: &str = r#"(module
    (import "env" "exit" (func $exit (param i32)))
    (memory 1)
    (func (export "_start") (i32.store (i32.const 16) (i32.const 5)) (call $exit (i32.const 3))))"#;

fn recording(items: Vec<Item>) -> Option<Recording> {
    // without a place, and of another image, whose place is not compared
    let conditions = Conditions { image: (0, 0), memory: 1 << 20, stack: 4096, depth: 0, fuel: u64::MAX, lost: 0 };
    Some(Recording { conditions, items, cut: false })
}

/// Returns a call of a function of the first instance, which imports `imports` functions.
fn entry(imports: u32, function: usize, arguments: &[u32]) -> Item {
    Item::Entry { function: imports + function as u32 + 1, arguments: arguments.to_vec() }
}

fn end(trap: TrapCode, status: i32, fuel: u64) -> Item {
    Item::End(End { trap: trap as u32, function: 0, offset: 0, status, fuel })
}

/// Returns the recording of two events, of which the second one fails.
fn failure() -> Option<Recording> {
    let number = |argument: u32, result: u32, byte: u8| {
        let (arguments, results) = (vec![argument], vec![result]);
        let written = vec![(40, vec![byte; 3])];
        Item::HostCall(HostCall { import: 0, trap: 0, status: 0, arguments, results, written })
    };
    recording(vec![
        number(1, 9, 0x99),
        entry(1, INITIALIZE, &[]),
        entry(1, ON_EVENT, &[7]),
        number(7, 5, 0xaa),
        entry(1, ON_EVENT, &[8]),
        number(8, 7, 0xbb),
        end(TrapCode::IntegerDivisionByZero, 0, 0),
    ])
}

/// Returns everything that a debugger can see of the guest where it stands.
fn seen(client: &mut Client) -> Vec<String> {
    let mut all = vec![format!("{:x?}", client.stack())];
    let locals = (0..3).map(|local| format!("qWasmLocal:0;{local}"));
    // linear memory, and the first byte of what it may have grown by
    let others = ["qWasmGlobal:0;0", "m10,20", "m10000,1", "m2ffff,1"].map(String::from);
    all.extend(locals.chain(others).map(|packet| client.ask(&packet)));
    all
}

#[test]
fn each_step_back_shows_what_was_there_and_the_way_forward_leads_to_the_same_trap() {
    let ended = session_with(GUEST, failure(), |client, _| {
        let supported = client.ask("qSupported:xmlRegisters=i386");
        assert!(supported.contains("ReverseStep+") && supported.contains("ReverseContinue+"), "{supported}");
        let mut places = vec![seen(client)];
        let trap = loop {
            let stop = client.ask("vCont;s");
            if !stop.starts_with("T05") {
                break stop;
            }
            places.push(seen(client));
        };
        assert!(trap.starts_with("T08"), "{trap}");
        assert!(places.len() > 200, "{}", places.len());
        let at_trap = seen(client);
        // in front of the operator that trapped, and then back to the first step
        for place in places.iter().rev() {
            let stop = client.ask("bs");
            assert!(stop.starts_with("T05") && !stop.contains("replaylog"), "{stop}");
            assert_eq!(&seen(client), place);
        }
        for packet in ["bs", "bc"] {
            let stop = client.ask(packet);
            assert!(stop.starts_with("T05") && stop.contains("replaylog:begin;"), "{stop}");
            assert_eq!(seen(client), places[0]);
        }
        for place in &places[1..] {
            client.ask("vCont;s");
            assert_eq!(&seen(client), place);
        }
        assert!(client.ask("vCont;s").starts_with("T08"));
        assert_eq!(seen(client), at_trap);
        // all the way back at once, and forward again
        assert!(client.ask("bc").contains("replaylog:begin;"));
        assert_eq!(seen(client), places[0]);
        assert!(client.ask("vCont;c").starts_with("T08"));
        assert_eq!(seen(client), at_trap);
        assert_eq!(client.ask("vCont;c"), "W86");
    });
    assert_eq!(ended, (Some(TrapCode::IntegerDivisionByZero), false));
}

#[test]
fn a_reverse_continue_stops_at_the_last_breakpoint_before_also_beyond_events_and_host_calls() {
    session_with(GUEST, failure(), |client, _| {
        let (double, event) = (client.steps[DOUBLE][1], client.steps[ON_EVENT][0]);
        assert!(client.ask("vCont;c").starts_with("T08"));
        client.ask(&format!("Z0,{double:x},1"));
        // rounds of the second event
        for round in (1..=12).rev() {
            assert!(client.ask("bc").contains("swbreak"), "{round}");
            assert_eq!((client.stack()[0], client.ask("qWasmLocal:0;0")), (double, format!("{round:02x}000000")));
            assert_eq!((client.ask("qWasmLocal:1;0"), client.ask("m28,3")), ("08000000".into(), "bbbbbb".into()));
        }
        // beyond the call of the host and the event: the last round of the first one
        assert!(client.ask("bc").contains("swbreak"));
        assert_eq!(
            (client.ask("qWasmLocal:0;0"), client.ask("qWasmLocal:1;0")),
            ("0c000000".into(), "07000000".into())
        );
        assert_eq!(client.ask("m28,3"), "aaaaaa");
        // forward meets the same breakpoint in the next event
        assert!(client.ask("vCont;c").contains("swbreak"));
        assert_eq!(
            (client.ask("qWasmLocal:0;0"), client.ask("qWasmLocal:1;0")),
            ("01000000".into(), "08000000".into())
        );
        client.ask(&format!("z0,{double:x},1"));
        client.ask(&format!("Z0,{event:x},1"));
        for (kind, sum) in [("08000000", 105), ("07000000", 100)] {
            assert!(client.ask("bc").contains("swbreak"));
            assert_eq!(
                (client.ask("qWasmLocal:0;0"), client.ask("qWasmGlobal:0;0")),
                (kind.into(), format!("{sum:02x}000000"))
            );
        }
        // the first place of all has a breakpoint, where a reverse continue from behind it stops
        let first = client.steps[BEGIN][0];
        client.ask(&format!("Z0,{first:x},1"));
        assert!(client.ask("bc").contains("swbreak"));
        assert_eq!((client.stack()[0], client.ask("qWasmGlobal:0;0")), (first, "00000000".into()));
        assert!(client.ask("bc").contains("replaylog:begin;"));
        client.send("k");
    });
}

#[test]
fn a_replay_that_was_stopped_by_its_fuel_stops_at_the_same_place_again() {
    let items = vec![entry(0, 0, &[]), end(TrapCode::Interrupted, 0, 300)];
    session_with(SPIN, recording(items), |client, _| {
        let stop = client.ask("vCont;c");
        assert!(stop.starts_with("T18"), "{stop}");
        let at_stop = (client.stack(), client.ask("m10,4"));
        // a unit for the call, and one for each branch back
        assert_eq!(at_stop.1, format!("{:08x}", 300u32.swap_bytes()));
        let spin = client.steps[0][4];
        client.ask(&format!("Z0,{spin:x},1"));
        for count in (200..300).rev() {
            assert!(client.ask("bc").contains("swbreak"));
            assert_eq!(client.ask("m10,4"), format!("{:08x}", u32::swap_bytes(count)));
        }
        client.ask(&format!("z0,{spin:x},1"));
        assert_eq!(client.ask("vCont;c"), stop);
        assert_eq!((client.stack(), client.ask("m10,4")), at_stop);
        client.send("k");
    });
}

#[test]
fn a_replay_is_held_at_its_end_from_where_it_goes_back() {
    let exit = HostCall {
        import: 0,
        trap: TrapCode::Exit as u32,
        status: 3,
        arguments: vec![3],
        results: vec![],
        written: vec![],
    };
    let items = vec![entry(1, 0, &[]), Item::HostCall(exit), end(TrapCode::Exit, 3, 0)];
    let ended = session_with(EXITS, recording(items), |client, _| {
        let stop = client.ask("vCont;c");
        assert!(stop.starts_with("T05") && stop.contains("replaylog:end;"), "{stop}");
        assert_eq!(client.ask("m10,4"), "05000000");
        assert!(client.ask("bc").contains("replaylog:begin;"));
        assert_eq!(client.ask("m10,4"), "00000000");
        assert!(client.ask("vCont;c").contains("replaylog:end;"));
        assert!(client.ask("vCont;c").starts_with('W'));
    });
    assert_eq!(ended, (Some(TrapCode::Exit), false));
}

#[test]
fn a_replay_cannot_be_changed_and_other_runs_do_not_go_back() {
    session_with(GUEST, failure(), |client, _| {
        assert!(client.ask("M10,1:05").starts_with('E'));
        assert_eq!(client.ask("m10,1"), "00");
        client.send("k");
    });
    session_with(SPIN, None, |client, _| {
        assert!(!client.ask("qSupported:xmlRegisters=i386").contains("Reverse"));
        assert_eq!((client.ask("bs"), client.ask("bc")), (String::new(), String::new()));
        client.send("k");
    });
}
