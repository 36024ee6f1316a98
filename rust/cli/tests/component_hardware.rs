// SPDX-License-Identifier: Apache-2.0
//! Components with hardware: the packages `wisp:*` and the proposals of WASI run on simulated devices, with grants only.

mod common;
#[path = "common/worlds.rs"]
mod worlds;

use common::Folder;
use wit_component::StringEncoding;
use worlds::{encoded, program};

const SENSOR: &str = "[apps.a.i2c.temp]\naddress = 0x48\ncontents = { 0 = [0x19, 0x80, 7] }\n";

/// Imports of wasi:i2c, and "temp" at 16.
const I2C: &str = r#"
    (import "wisp:grants/i2c@1.0.0" "open" (func $open (param i32 i32 i32)))
    (import "wasi:i2c/i2c@0.2.0-draft" "[method]i2c.read" (func $read (param i32 i32 i64 i32)))
    (import "wasi:i2c/i2c@0.2.0-draft" "[method]i2c.write" (func $write (param i32 i32 i32 i32 i32)))
    (import "wasi:i2c/i2c@0.2.0-draft" "[method]i2c.write-read" (func $write_read (param i32 i32 i32 i32 i64 i32)))
    (import "wasi:i2c/i2c@0.2.0-draft" "[method]i2c.transaction" (func $transaction (param i32 i32 i32 i32 i32)))
    (import "wasi:i2c/i2c@0.2.0-draft" "[resource-drop]i2c" (func $drop (param i32)))
    (import "wisp:grants/delay@1.0.0" "get-delay" (func $get_delay (result i32)))
    (import "wasi:i2c/delay@0.2.0-draft" "[method]delay.delay-ns" (func $delay (param i32 i32)))
    (data (i32.const 16) "temp")
    (data (i32.const 32) "\00")
    (func $opened (result i32)
      (call $open (i32.const 16) (i32.const 4) (i32.const 64))
      (call $is (i32.load8_u (i32.const 64)) (i32.const 0))
      (i32.load (i32.const 68)))"#;
/// The way to a handle alone.
const OPEN: &str = r#"
    (import "wisp:grants/i2c@1.0.0" "open" (func $open (param i32 i32 i32)))
    (func $opened (result i32)
      (call $open (i32.const 16) (i32.const 4) (i32.const 64)) (i32.const 0))"#;
const I2C_WORLD: [&str; 4] =
    ["wisp:grants/i2c@1.0.0", "wisp:grants/delay@1.0.0", "wasi:i2c/i2c@0.2.0-draft", "wasi:i2c/delay@0.2.0-draft"];

fn i2c(body: &str) -> Vec<u8> {
    let body = format!("(local $bus i32) (local $n i32) {body}");
    program(&I2C_WORLD, I2C, &body)
}

#[test]
fn a_sensor_is_read_through_wasi_i2c() {
    let folder = Folder::new();
    folder.write("board.toml", SENSOR);
    let component = i2c(r#"
        (local.set $bus (call $opened))
        (call $write_read (local.get $bus) (i32.const 0x48) (i32.const 32) (i32.const 1) (i64.const 2) (i32.const 96))
        (call $is (i32.load8_u (i32.const 96)) (i32.const 0))
        (call $is (i32.load (i32.const 104)) (i32.const 2))
        (call $is (i32.load16_u (i32.load (i32.const 100))) (i32.const 0x8019))
        (call $read (local.get $bus) (i32.const 0x48) (i64.const 1) (i32.const 96))
        (call $is (i32.load8_u (i32.load (i32.const 100))) (i32.const 7))
        (call $write (local.get $bus) (i32.const 0x48) (i32.const 16) (i32.const 2) (i32.const 96))
        (call $is (i32.load8_u (i32.const 96)) (i32.const 0))
        (call $delay (call $get_delay) (i32.const 1500))
        (call $drop (local.get $bus))"#);
    folder.write("a.wasm", component);
    let run = folder.wisp("run a.wasm --board board.toml --trace csv");
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let trace = format!("{}{}", run.out, run.err);
    for part in ["i2c,temp,write 00 read 19 80", "i2c,temp,read 07", "i2c,temp,write 74 65"] {
        assert!(trace.contains(part), "`{part}` is not in: {trace}");
    }
}

#[test]
fn a_transaction_returns_one_list_for_each_operation_that_reads() {
    let folder = Folder::new();
    folder.write("board.toml", SENSOR);
    // at 200: write one byte from 32, read 2 bytes, read none, read 1 byte
    let component = i2c(r#"
        (i32.store8 (i32.const 200) (i32.const 1))
        (i32.store (i32.const 208) (i32.const 32))
        (i32.store (i32.const 212) (i32.const 1))
        (i64.store (i32.const 224) (i64.const 2))
        (i64.store (i32.const 256) (i64.const 1))
        (local.set $bus (call $opened))
        (call $transaction (local.get $bus) (i32.const 0x48) (i32.const 200) (i32.const 4) (i32.const 96))
        (call $is (i32.load8_u (i32.const 96)) (i32.const 0))
        (call $is (i32.load (i32.const 104)) (i32.const 3))
        (local.set $n (i32.load (i32.const 100)))
        (call $is (i32.load offset=4 (local.get $n)) (i32.const 2))
        (call $is (i32.load16_u (i32.load (local.get $n))) (i32.const 0x8019))
        (call $is (i32.load offset=12 (local.get $n)) (i32.const 0))
        (call $is (i32.load offset=20 (local.get $n)) (i32.const 1))
        (call $is (i32.load8_u (i32.load offset=16 (local.get $n))) (i32.const 7))
        (call $transaction (local.get $bus) (i32.const 0x48) (i32.const 200) (i32.const 0) (i32.const 96))
        (call $is (i32.load8_u (i32.const 96)) (i32.const 0))
        (call $is (i32.load (i32.const 104)) (i32.const 0))
        (call $transaction (local.get $bus) (i32.const 0x48) (i32.const 200) (i32.const 9) (i32.const 96))
        (call $is (i32.load8_u (i32.const 96)) (i32.const 1))
        (call $is (i32.load8_u (i32.const 100)) (i32.const 4))"#);
    folder.write("a.wasm", component);
    folder.succeeds("run a.wasm --board board.toml");
}

#[test]
fn errors_of_wasi_i2c_say_what_the_bus_said_and_take_no_memory() {
    let folder = Folder::new();
    let kinds = ["no-acknowledge", "arbitration-loss", "overrun", "bus", "timeout"];
    let fault = |(at, kind)| format!("{{ transaction = {at}, error = \"{kind}\" }}");
    let faults: Vec<_> = kinds.iter().enumerate().map(fault).collect();
    let more: Vec<_> = (5..105).map(|at| fault((at, &"bus"))).collect();
    folder.write("board.toml", format!("{SENSOR}faults = [{}, {}]\n", faults.join(", "), more.join(", ")));
    let checks: String = [(2, 2), (1, 2), (3, 2), (0, 2), (4, 2)]
        .map(|(case, source)| {
            format!(
                "(call $read (local.get $bus) (i32.const 0x48) (i64.const 4) (i32.const 96))
                 (call $is (i32.load8_u (i32.const 96)) (i32.const 1))
                 (call $is (i32.load8_u (i32.const 100)) (i32.const {case}))
                 (call $is (i32.load8_u (i32.const 101)) (i32.const {source}))"
            )
        })
        .concat();
    let component = i2c(&format!(
        "(local.set $bus (call $opened))
         {checks}
         (local.set $n (global.get $top))
         (loop $again
           (call $read (local.get $bus) (i32.const 0x48) (i64.const 4) (i32.const 96))
           (br_if $again (i32.load8_u (i32.const 96))))
         (call $is (global.get $top) (local.get $n))
         ;; only the device of the grant answers
         (call $read (local.get $bus) (i32.const 0x49) (i64.const 4) (i32.const 96))
         (call $is (i32.load8_u (i32.const 96)) (i32.const 1))
         (call $is (i32.load16_u (i32.const 100)) (i32.const 0x0002))
         (call $write (local.get $bus) (i32.const 0x148) (i32.const 16) (i32.const 1) (i32.const 96))
         (call $is (i32.load8_u (i32.const 96)) (i32.const 1))
         (call $is (i32.load8_u (i32.const 97)) (i32.const 2))
         (call $is (i32.load8_u (i32.const 98)) (i32.const 0))"
    ));
    folder.write("a.wasm", component);
    folder.succeeds("run a.wasm --board board.toml");
}

#[test]
fn a_device_that_is_not_granted_is_refused() {
    let folder = Folder::new();
    folder.write("board.toml", "[apps.a]\n");
    folder.write(
        "a.wasm",
        i2c("(call $open (i32.const 16) (i32.const 4) (i32.const 64))
             (call $is (i32.load8_u (i32.const 64)) (i32.const 1))
             (call $is (i32.load8_u (i32.const 68)) (i32.const 0))"),
    );
    let run = folder.wisp("run a.wasm --board board.toml");
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let said = format!("{}{}", run.out, run.err);
    assert!(said.contains("temp") && said.contains("i2c"), "{said}");
}

#[test]
fn the_grants_that_a_component_and_its_image_need_are_shown() {
    let folder = Folder::new();
    folder.write("a.wasm", i2c("(drop (call $opened))"));
    let shown = folder.succeeds("inspect a.wasm");
    for part in [
        "\n  wisp:grants/i2c@1.0.0: needs i2c-devices, i2c-names\n    open\n",
        "\n  wasi:i2c/i2c@0.2.0-draft: needs i2c-devices, i2c-names\n",
        "\n  wasi:i2c/delay@0.2.0-draft\n",
    ] {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    folder.succeeds("build a.wasm -o a.wisp");
    let shown = folder.succeeds("inspect a.wisp");
    for part in
        ["wisp:i2c@1 (wisp:i2c/i2c@1.0.0): i2c-devices, i2c-names", "wisp:timer@1 (wisp:timer/timer@1.0.0): no grant"]
    {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    let json = folder.succeeds("--json inspect a.wisp");
    assert!(json.contains(r#""wit":"wisp:i2c/i2c@1.0.0","grant":["i2c-devices","i2c-names"]"#), "{json}");
    // the names of the world are beside the image, so that a device keeps none of them
    for part in [
        "\nworld of the component that it was made of\n",
        "\n  import wasi:i2c/i2c@0.2.0-draft: i2c-devices, i2c-names\n",
        "\n  import wasi:i2c/delay@0.2.0-draft: no grant\n",
        "\n  export wasi:cli/run@0.2.0\n",
    ] {
        assert!(shown.contains(part), "`{part}` is not in: {shown}");
    }
    let import = r#"{"name":"wasi:i2c/i2c@0.2.0-draft","grant":["i2c-devices","i2c-names"]}"#;
    assert!(json.contains(import) && json.contains(r#""exports":["wasi:cli/run@0.2.0"]"#), "{json}");
    let image = folder.read("a.wisp");
    assert!(!String::from_utf8_lossy(&image).contains("wasi:i2c"));
    folder.succeeds("build a.wasm -o b.wisp --no-symbols");
    assert!(!folder.succeeds("inspect b.wisp").contains("world of"));
    assert!(folder.succeeds("--json inspect b.wisp").contains(r#""world":null"#));
}

#[test]
fn a_length_that_no_memory_has_traps() {
    let folder = Folder::new();
    folder.write("board.toml", SENSOR);
    let (unreachable, out_of_bounds) = (Some(134), Some(139));
    for (length, code) in
        [("0xffffffffffffffff", unreachable), ("0x100000001", unreachable), ("0x7fffffff", out_of_bounds)]
    {
        folder.write(
            "a.wasm",
            i2c(&format!("(call $read (call $opened) (i32.const 0x48) (i64.const {length}) (i32.const 96))")),
        );
        let run = folder.wisp("run a.wasm --board board.toml");
        assert_eq!(run.code, code, "{length}: {}{}", run.out, run.err);
    }
}

#[test]
fn strings_in_utf_16_are_refused() {
    let folder = Folder::new();
    let body = "(drop (call $opened))";
    folder.write("a.wasm", encoded(&["wisp:grants/i2c@1.0.0"], OPEN, body, StringEncoding::UTF16));
    folder.fails("build a.wasm", &["its strings are UTF-16; build it with strings in UTF-8"]);
}

#[test]
fn another_draft_and_unknown_functions_are_refused_by_name() {
    let folder = Folder::new();
    folder.module(
        "a.wasm",
        r#"(component
          (import "wasi:i2c/i2c@0.3.0-draft" (instance $i (export "scan" (func))))
          (core func $f (canon lower (func $i "scan")))
          (core module $m (import "i" "f" (func)) (memory (export "memory") 1) (func (export "run") (result i32) (i32.const 0)))
          (core instance $g (export "f" (func $f)))
          (core instance $c (instantiate $m (with "i" (instance $g))))
          (func $run (result (result)) (canon lift (core func $c "run")))
          (instance $r (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $r)))"#,
    );
    folder.fails(
        "build a.wasm",
        &["import `wasi:i2c/i2c@0.3.0-draft` `scan`: another version of the proposal; doc/wasi-hardware.md names"],
    );
}

#[test]
fn values_pins_ports_and_events_are_used_through_their_packages() {
    let folder = Folder::new();
    folder.write(
        "board.toml",
        "[apps.a.kv]\nsize = 300\n[apps.a.gpio]\nled = {}\n[apps.a.uart.modem]\nloopback = true\n\
         [apps.a.sensor.air]\nambient_temp = [{ value = 20 }]\n",
    );
    let definitions = r#"
        (import "wisp:kv/kv@1.0.0" "get" (func $get (param i32 i32 i32 i32)))
        (import "wisp:kv/kv@1.0.0" "set" (func $set (param i32 i32 i32 i32 i32)))
        (import "wisp:gpio/gpio@1.0.0" "open" (func $pin (param i32 i32 i32 i32)))
        (import "wisp:gpio/gpio@1.0.0" "[method]pin.toggle" (func $toggle (param i32 i32)))
        (import "wisp:gpio/gpio@1.0.0" "[method]pin.is-active" (func $active (param i32 i32)))
        (import "wisp:gpio/gpio@1.0.0" "[resource-drop]pin" (func $release (param i32)))
        (import "wisp:uart/uart@1.0.0" "open" (func $port (param i32 i32 i32)))
        (import "wisp:uart/uart@1.0.0" "[method]uart.write" (func $send (param i32 i32 i32 i32 i32)))
        (import "wisp:uart/uart@1.0.0" "[method]uart.read" (func $receive (param i32 i32 i32 i32)))
        (import "wisp:sensor/sensor@1.0.0" "open" (func $sensor (param i32 i32 i32)))
        (import "wisp:sensor/sensor@1.0.0" "[method]sensor.fetch" (func $fetch (param i32 i32)))
        (import "wisp:sensor/sensor@1.0.0" "[method]sensor.get" (func $measure (param i32 i32 i32)))
        (import "wisp:timer/timer@1.0.0" "start" (func $start (param i32 i64 i64 i32)))
        (import "wisp:timer/timer@1.0.0" "uptime-us" (func $uptime (result i64)))
        (import "wisp:event/event@1.0.0" "wait" (func $wait (param i32 i32)))
        (data (i32.const 16) "modem")
        (data (i32.const 24) "led")
        (data (i32.const 32) "air")
        (func $well (call $is (i32.load8_u (i32.const 64)) (i32.const 0)))
        (func $failed (param i32)
          (call $is (i32.load8_u (i32.const 64)) (i32.const 1))
          (call $is (i32.load8_u (i32.const 68)) (local.get 0)))"#;
    let body = r#"(local $handle i32) (local $top i32)
        ;; the value is "modem" under "led"
        (call $get (i32.const 24) (i32.const 3) (i32.const 16) (i32.const 64))
        (call $failed (i32.const 1))
        (call $set (i32.const 24) (i32.const 3) (i32.const 16) (i32.const 5) (i32.const 64)) (call $well)
        (call $get (i32.const 24) (i32.const 3) (i32.const 16) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 72)) (i32.const 5))
        (call $is (i32.load (i32.load (i32.const 68))) (i32.load (i32.const 16)))
        ;; a shorter buffer gets the beginning
        (call $get (i32.const 24) (i32.const 3) (i32.const 2) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 72)) (i32.const 2))
        ;; an empty key is invalid
        (call $set (i32.const 24) (i32.const 0) (i32.const 16) (i32.const 5) (i32.const 64))
        (call $is (i32.load8_u (i32.const 64)) (i32.const 1))
        (call $is (i32.load8_u (i32.const 65)) (i32.const 12))
        ;; a pin
        (call $pin (i32.const 24) (i32.const 3) (i32.const 1) (i32.const 64)) (call $well)
        (local.set $handle (i32.load (i32.const 68)))
        (call $toggle (local.get $handle) (i32.const 64)) (call $well)
        (call $active (local.get $handle) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 68)) (i32.const 1))
        (call $release (local.get $handle))
        (call $active (local.get $handle) (i32.const 64))
        (call $failed (i32.const 5))
        (call $pin (i32.const 16) (i32.const 3) (i32.const 1) (i32.const 64))
        (call $failed (i32.const 8))
        ;; a port: nothing comes in time, again and again, and takes no memory
        (call $port (i32.const 16) (i32.const 5) (i32.const 64)) (call $well)
        (local.set $handle (i32.load (i32.const 68)))
        (call $receive (local.get $handle) (i32.const 8) (i32.const 1) (i32.const 64))
        (call $failed (i32.const 16))
        (local.set $top (global.get $top))
        (call $receive (local.get $handle) (i32.const 8) (i32.const 1) (i32.const 64))
        (call $receive (local.get $handle) (i32.const 4) (i32.const 1) (i32.const 64))
        (call $is (global.get $top) (local.get $top))
        (call $send (local.get $handle) (i32.const 24) (i32.const 3) (i32.const 0) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 68)) (i32.const 3))
        (call $receive (local.get $handle) (i32.const 8) (i32.const 100) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 72)) (i32.const 3))
        (call $is (i32.load8_u (i32.load (i32.const 68))) (i32.const 108))
        ;; a sensor: 20 degrees
        (call $sensor (i32.const 32) (i32.const 3) (i32.const 64)) (call $well)
        (local.set $handle (i32.load (i32.const 68)))
        (call $fetch (local.get $handle) (i32.const 64)) (call $well)
        (call $measure (local.get $handle) (i32.const 10) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 72)) (i32.const 20000000))
        (call $is (i32.load (i32.const 76)) (i32.const 0))
        ;; a timer's event, which is a record
        (call $start (i32.const 2) (i64.const 5000) (i64.const 0) (i32.const 64)) (call $well)
        (call $wait (i32.const 1000) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 80)) (i32.const 1))
        (call $is (i32.load (i32.const 84)) (i32.const 2))
        (call $is (i64.ge_u (call $uptime) (i64.load (i32.const 72))) (i32.const 1))
        (call $wait (i32.const 1) (i32.const 64))
        (call $is (i32.load8_u (i32.const 64)) (i32.const 1))
        (call $is (i32.load8_u (i32.const 72)) (i32.const 16))"#;
    let world = [
        "wisp:kv/kv@1.0.0",
        "wisp:gpio/gpio@1.0.0",
        "wisp:uart/uart@1.0.0",
        "wisp:sensor/sensor@1.0.0",
        "wisp:timer/timer@1.0.0",
        "wisp:event/event@1.0.0",
    ];
    folder.write("a.wasm", program(&world, definitions, body));
    folder.succeeds("run a.wasm --board board.toml");
}

#[test]
fn no_handle_is_zero_and_an_event_names_the_handle_of_its_pin() {
    let folder = Folder::new();
    folder.write(
        "board.toml",
        "[apps.a.gpio]\nkey = { script = [{ at_ms = 2, active = true }] }\n[apps.a.i2c.temp]\naddress = 1\n",
    );
    let definitions = r#"
        (import "wisp:gpio/gpio@1.0.0" "open" (func $pin (param i32 i32 i32 i32)))
        (import "wisp:gpio/gpio@1.0.0" "[method]pin.watch" (func $watch (param i32 i32 i32)))
        (import "wisp:i2c/i2c@1.0.0" "open" (func $device (param i32 i32 i32)))
        (import "wisp:grants/i2c@1.0.0" "open" (func $bus (param i32 i32 i32)))
        (import "wisp:event/event@1.0.0" "wait" (func $wait (param i32 i32)))
        (data (i32.const 16) "key")
        (data (i32.const 24) "temp")
        (func $handle (result i32)
          (call $is (i32.load8_u (i32.const 64)) (i32.const 0))
          (call $is (i32.eqz (i32.load (i32.const 68))) (i32.const 0))
          (i32.load (i32.const 68)))"#;
    let body = r#"(local $pin i32)
        (call $device (i32.const 24) (i32.const 4) (i32.const 64)) (drop (call $handle))
        (call $bus (i32.const 24) (i32.const 4) (i32.const 64)) (drop (call $handle))
        (call $pin (i32.const 16) (i32.const 3) (i32.const 0) (i32.const 64)) (local.set $pin (call $handle))
        (call $watch (local.get $pin) (i32.const 3) (i32.const 64))
        (call $is (i32.load8_u (i32.const 64)) (i32.const 0))
        (call $wait (i32.const 1000) (i32.const 64))
        (call $is (i32.load8_u (i32.const 64)) (i32.const 0))
        (call $is (i32.load (i32.const 80)) (i32.const 2))
        (call $is (i32.load (i32.const 84)) (local.get $pin))"#;
    let world = ["wisp:gpio/gpio@1.0.0", "wisp:i2c/i2c@1.0.0", "wisp:grants/i2c@1.0.0", "wisp:event/event@1.0.0"];
    folder.write("a.wasm", program(&world, definitions, body));
    folder.succeeds("run a.wasm --board board.toml");
}
