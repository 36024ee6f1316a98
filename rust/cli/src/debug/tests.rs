// SPDX-License-Identifier: Apache-2.0
//! Sessions of a small client with the server, packet by packet.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;

use wisp_compiler::{compile, DebugMap, Options};
use wisp_engine::{Config, Engine, InstantiateError, Linker, Module, Store, TrapCode};

use super::*;
use crate::replay::{define, imports, Player, Recording};

/// Doubles a number, stores some bytes, and traps.
const GUEST: &str = r#"(module
    (memory 1)
    (global (mut i32) (i32.const 7))
    (global (mut i64) (i64.const -2))
    (func $double (param $x i32) (result i32) (local $wide i64) (local $unused f32)
        (local.set $wide (i64.const 5000000000))
        (i32.mul (local.get $x) (i32.const 2)))
    (func (export "_start")
        (i32.store (i32.const 16) (i32.const 0x04030201))
        (drop (call $double (i32.const 21)))
        unreachable))"#;

/// Counts until somebody writes to address 0.
const WAITING: &str = r#"(module
    (memory 1)
    (func (export "_start") (local $count i32)
        (loop $again
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $again (i32.eqz (i32.load (i32.const 0)))))))"#;

pub struct Client {
    stream: TcpStream,
    /// Addresses of the steps of each function.
    pub steps: Vec<Vec<u64>>,
    wasm: Vec<u8>,
}

impl Client {
    pub fn send(&mut self, body: &str) {
        let sum = body.bytes().fold(0u8, u8::wrapping_add);
        self.stream.write_all(format!("${body}#{sum:02x}").as_bytes()).unwrap();
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).unwrap();
        byte[0]
    }

    /// Returns the next packet, run-length codes expanded.
    fn receive(&mut self) -> String {
        while self.byte() != b'$' {}
        let mut body = String::new();
        loop {
            match self.byte() {
                b'#' => break,
                b'*' => {
                    let times = self.byte() - 29;
                    let last = body.chars().last().unwrap();
                    body.extend(std::iter::repeat_n(last, times.into()));
                }
                byte => body.push(byte.into()),
            }
        }
        // the sum is the connection's affair
        self.byte();
        self.byte();
        self.stream.write_all(b"+").unwrap();
        body
    }

    pub fn ask(&mut self, body: &str) -> String {
        self.send(body);
        self.receive()
    }

    /// Returns the call stack as addresses.
    pub fn stack(&mut self) -> Vec<u64> {
        let text = self.ask("qWasmCallStack:1");
        let addresses = text.as_bytes().chunks(16).map(|digits| std::str::from_utf8(digits).unwrap());
        addresses.map(|digits| u64::from_str_radix(digits, 16).unwrap().swap_bytes()).collect()
    }
}

/// Runs a guest, with a client that stands at its first step. Returns how the guest ended.
fn session(wat: &str, talk: impl FnOnce(&mut Client, &dyn Fn() -> TcpStream) + Send) -> (Option<TrapCode>, bool) {
    session_with(wat, None, talk)
}

/// Runs a guest as [`session`] does. With a recording, replays it with a snapshot every few steps.
pub fn session_with(
    wat: &str,
    recording: Option<Recording>,
    talk: impl FnOnce(&mut Client, &dyn Fn() -> TcpStream) + Send,
) -> (Option<TrapCode>, bool) {
    /// Steps between two snapshots.
    const STEPS: u64 = 3;
    let wasm = wat::parse_str(wat).unwrap();
    let compiled = compile(&wasm, &Options { debug: true, ..Options::default() }).unwrap();
    let map: DebugMap = compiled.debug.unwrap();
    let address = |offset: u32| 1 << 62 | u64::from(offset);
    let steps = map.functions.iter().map(|function| {
        let first = std::iter::once(function.body.start);
        first.chain(function.steps.iter().skip(1).map(|step| step.1)).map(address).collect()
    });
    let steps = steps.collect();
    let (debugger, guest) =
        Debugger::listen("0", Path::new("a \"guest\".wasm"), &wasm, map, recording.is_some()).unwrap();
    let place = debugger.address();
    std::thread::scope(|scope| {
        let connect = move || {
            let stream = TcpStream::connect(place).unwrap();
            // a request follows an acknowledgement, and is not to wait for the one of that
            stream.set_nodelay(true).unwrap();
            stream
        };
        scope.spawn(move || talk(&mut Client { stream: connect(), steps, wasm }, &connect));
        let engine = Engine::new(&Config::new().stack_size(4096).table_capacity(8));
        let module = Module::new(&engine, &compiled.image).unwrap();
        let mut arena = vec![0; 1 << 16];
        let mut store = Store::new(&engine, &mut arena, ()).unwrap();
        let mut linker = Linker::new();
        let player = recording.map(|recording| Rc::new(Player::new(recording, imports(module.image()))));
        // SAFETY: the store, the guest and the player stay on this thread.
        #[allow(unsafe_code)]
        unsafe {
            store.observe(&guest);
            if let Some(player) = &player {
                store.tap(&**player);
            }
        }
        let ended = match &player {
            Some(player) => {
                define(&mut linker, module.image());
                store.set_fuel(player.fuel());
                guest.keep_history(History::new(player.clone(), STEPS));
                let ended = match linker.instantiate(&mut store, &module) {
                    Ok(_) => player.run(&mut store),
                    Err(InstantiateError::Trap(trap)) => Err(trap),
                    Err(error) => panic!("{error:?}"),
                };
                let outcome = player.outcome(ended.err(), module.image().id());
                let explained = if guest.was_killed() { String::new() } else { player.explain(outcome) };
                assert_eq!(explained, "", "the replay did not end as recorded");
                ended
            }
            None => {
                let instance = linker.instantiate(&mut store, &module).unwrap();
                instance.get_typed_func::<(), ()>(&store, "_start").unwrap().call(&mut store, ())
            }
        };
        let ended = ended.err().map(|trap| trap.code);
        debugger.finish(if ended.is_some() { 134 } else { 0 });
        (ended, guest.was_killed())
    })
}

#[test]
fn a_guest_stands_at_its_first_step_and_tells_what_it_is() {
    session(GUEST, |client, _| {
        assert!(client.ask("qSupported:xmlRegisters=i386").contains("qXfer:libraries:read+"));
        assert!(client.ask("?").starts_with("T05thread:"));
        assert_eq!(client.stack(), [client.steps[1][0]]);
        let triple: String = target::TRIPLE.bytes().map(|byte| format!("{byte:02x}")).collect();
        let process = client.ask("qProcessInfo");
        for part in ["pid:1", &format!("triple:{triple}"), "endian:little", "ptrsize:4"] {
            assert!(process.split(';').any(|found| found == part), "{process}");
        }
        let libraries = client.ask("qXfer:libraries:read::0,fff");
        assert!(
            libraries.contains("a &quot;guest&quot;.wasm\"><section address=\"0x4000000000000000\"/>"),
            "{libraries}"
        );
        assert!(client.ask("qRegisterInfo0").starts_with("name:pc;alt-name:pc;bitsize:64;offset:0;"));
        assert!(client.ask("qRegisterInfo1").starts_with('E'));
        client.send("k");
    });
}

#[test]
fn locals_globals_and_memory_are_those_of_the_stopped_guest() {
    session(GUEST, |client, _| {
        let at = client.steps[0][2];
        assert_eq!(client.ask(&format!("Z0,{at:x},1")), "OK");
        let stop = client.ask("vCont;c");
        let registers = format!("swbreak:;00:{:016x};", at.swap_bytes());
        assert!(stop.starts_with("T05thread:") && stop.ends_with(&registers), "{stop}");
        // the caller goes on behind its call
        let caller = client.steps[1][5];
        assert_eq!(client.stack(), [at, caller]);
        assert_eq!(client.ask("qWasmLocal:0;0"), "15000000");
        assert_eq!(client.ask("qWasmLocal:0;1"), format!("{:016x}", 5_000_000_000u64.swap_bytes()));
        assert_eq!(client.ask("qWasmLocal:0;2"), "00000000");
        assert_eq!(client.ask("qWasmLocal:0;3"), "");
        assert_eq!(client.ask("qWasmLocal:9;0"), "");
        assert_eq!(client.ask("qWasmGlobal:0;0"), "07000000");
        assert_eq!(client.ask("qWasmGlobal:0;1"), "feffffffffffffff");
        assert_eq!(client.ask("qWasmGlobal:0;2"), "");
        assert_eq!(client.ask("m10,6"), "010203040000");
        assert_eq!(client.ask("M11,2:aabb"), "OK");
        assert_eq!(client.ask("m10,4"), "01aabb04");
        // the last bytes that exist, and what lies behind them
        assert!(client.ask("m40000000,4").starts_with('E'));
        let magic: String = client.wasm[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(client.ask("m4000000000000000,8"), magic);
        client.send("k");
    });
}

#[test]
fn a_step_does_one_operator_and_enters_calls() {
    session(GUEST, |client, _| {
        let (inner, outer) = (client.steps[0].clone(), client.steps[1].clone());
        let mut places = vec![client.stack()[0]];
        for _ in 0..outer.len() + inner.len() - 2 {
            client.ask("vCont;s");
            places.push(client.stack()[0]);
        }
        // up to the call, through the callee, and on behind the call
        let expected = [&outer[..5], &inner[..], &outer[5..7]].concat();
        assert_eq!(places, expected[..places.len()]);
        client.send("k");
    });
}

#[test]
fn a_trap_shows_as_a_signal_in_its_place_and_the_end_as_an_exit() {
    let ended = session(GUEST, |client, _| {
        let stop = client.ask("vCont;c");
        assert!(stop.starts_with("T06thread:"), "{stop}");
        let trap = client.steps[1][6];
        assert_eq!(client.stack(), [trap]);
        assert_eq!(client.ask("vCont;c"), "W86");
    });
    assert_eq!(ended, (Some(TrapCode::Unreachable), false));
}

#[test]
fn a_breakpoint_lies_only_in_the_body_of_a_function() {
    session(GUEST, |client, _| {
        for address in [0x10u64, 1 << 62, 1 << 62 | 0xffff, 1 << 63] {
            assert!(client.ask(&format!("Z0,{address:x},1")).starts_with('E'), "{address:#x}");
        }
        let at = client.steps[0][0];
        assert_eq!(client.ask(&format!("Z0,{at:x},1")), "OK");
        assert_eq!(client.ask(&format!("z0,{at:x},1")), "OK");
        // it is gone: the guest runs to its trap
        assert!(client.ask("vCont;c").starts_with("T06"));
        client.send("k");
    });
}

#[test]
fn a_killed_guest_ends_interrupted() {
    let ended = session(GUEST, |client, _| {
        client.send("k");
        // whoever leaves at once may be gone before the guest stands still, which then goes on
        let _ = client.stream.read_to_end(&mut Vec::new());
    });
    assert_eq!(ended, (Some(TrapCode::Interrupted), true));
}

#[test]
fn a_guest_goes_on_when_its_debugger_leaves_in_whatever_way() {
    for leave in [true, false] {
        let ended = session(GUEST, |client, _| {
            let at = client.steps[0][2];
            client.ask(&format!("Z0,{at:x},1"));
            match leave {
                true => assert_eq!(client.ask("D"), "OK"),
                false => client.stream.shutdown(std::net::Shutdown::Both).unwrap(),
            }
        });
        assert_eq!(ended, (Some(TrapCode::Unreachable), false), "{leave}");
    }
}

#[test]
fn a_guest_waits_for_a_debugger_that_speaks() {
    session(GUEST, |client, connect| {
        client.stream.shutdown(std::net::Shutdown::Both).unwrap();
        let mut probe = connect();
        probe.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        // the server ends a session that is none
        let _ = probe.read_to_end(&mut Vec::new());
        let mut client = Client { stream: connect(), steps: client.steps.clone(), wasm: Vec::new() };
        assert_eq!(client.stack(), [client.steps[1][0]]);
    });
}

#[test]
fn a_second_wish_to_go_on_holds_nobody_up() {
    let ended = session(GUEST, |client, _| {
        client.stream.write_all(b"$vCont;c#a8$vCont;c#a8").unwrap();
        // the session ends, and the guest runs on alone
        let _ = client.stream.read_to_end(&mut Vec::new());
    });
    assert_eq!(ended, (Some(TrapCode::Unreachable), false));
}

#[test]
fn addresses_of_other_modules_are_refused() {
    session(GUEST, |client, _| {
        let other = 1u64 << 32;
        assert!(client.ask(&format!("m{:x},4", other | 16)).starts_with('E'));
        assert!(client.ask(&format!("M{:x},1:ff", other | 16)).starts_with('E'));
        assert_eq!(client.ask("m10,1"), "00");
        assert!(client.ask(&format!("Z0,{:x},1", client.steps[0][1] | other)).starts_with('E'));
    });
}

#[test]
fn another_debugger_stops_a_guest_that_runs() {
    let ended = session(WAITING, |client, connect| {
        assert_eq!(client.ask("D"), "OK");
        let mut client = Client { stream: connect(), steps: client.steps.clone(), wasm: Vec::new() };
        let place = client.stack();
        assert!(place.len() == 1 && client.steps[0].contains(&place[0]), "{place:x?}");
        // it runs again, until the client asks it to stop
        client.send("vCont;c");
        client.stream.write_all(&[3]).unwrap();
        let stop = client.receive();
        assert!(stop.starts_with("T02thread:"), "{stop}");
        assert_eq!(client.ask("M0,1:01"), "OK");
        assert_eq!(client.ask("vCont;c"), "W00");
    });
    assert_eq!(ended, (None, false));
}

#[test]
fn only_this_machine_is_served() {
    assert_eq!(address("--debug", "9000").unwrap().to_string(), "127.0.0.1:9000");
    assert_eq!(address("--debug", "localhost:9000").unwrap().to_string(), "127.0.0.1:9000");
    assert_eq!(address("--debug", "[::1]:9000").unwrap().to_string(), "[::1]:9000");
    assert!(address("--debug", "192.168.0.1:9000").unwrap_err().to_string().contains("only addresses of this machine"));
    for text in ["", "here", "70000", "127.0.0.1"] {
        assert!(address("--debug", text).unwrap_err().to_string().contains("expected a port"), "{text}");
    }
}

#[test]
fn a_core_dump_shows_the_app_where_it_trapped_and_goes_no_further() {
    let wasm = wat::parse_str(GUEST).unwrap();
    let compiled = compile(&wasm, &Options { debug: true, ..Options::default() }).unwrap();
    let engine = Engine::new(&Config::new().stack_size(4096));
    let module = Module::new(&engine, &compiled.image).unwrap();
    let mut arena = vec![0; 1 << 14];
    let mut store = Store::new(&engine, &mut arena, ()).unwrap();
    let instance = Linker::new().instantiate(&mut store, &module).unwrap();
    let trap = instance.get_typed_func::<(), ()>(&store, "_start").unwrap().call(&mut store, ()).unwrap_err();
    let mut bytes = vec![0; 1 << 14];
    let length = wisp_host::core_dump::write(&store, trap, &mut bytes);
    let dump = Dump::parse(&bytes[..length]).unwrap();
    let map = compiled.debug.unwrap();
    let last = 1 << 62 | u64::from(map.functions[1].steps.last().unwrap().1);
    let debugger = Debugger::of_dump("0", Path::new("a.wasm"), &wasm, map, dump).unwrap();
    let stream = TcpStream::connect(debugger.address()).unwrap();
    let mut client = Client { stream, steps: Vec::new(), wasm };
    assert_eq!(client.stack(), [last]);
    assert_eq!(client.ask("m10,4"), "01020304");
    assert_eq!(client.ask("qWasmGlobal:0;0"), "07000000");
    assert!(client.ask("M10,1:05").starts_with('E'));
    // it stops at once, where it stood
    assert!(client.ask("vCont;c").starts_with("T06"));
    assert_eq!((client.stack(), client.ask("m10,4")), (vec![last], "01020304".into()));
    assert_eq!(client.ask("D"), "OK");
    assert_eq!(debugger.wait(), 0);
}
