// SPDX-License-Identifier: Apache-2.0
//! Components with the proposals wasi:gpio, wasi:spi, wasi:logging and wasi:keyvalue, on simulated devices.

mod common;
#[path = "common/worlds.rs"]
mod worlds;

use common::Folder;
use worlds::program;

/// Functions that check a result at 64: `$well` for success, and `$failed` for an error of this case.
const CHECKS: &str = r#"
    (func $well (call $is (i32.load8_u (i32.const 64)) (i32.const 0)))
    (func $failed (param i32)
      (call $is (i32.load8_u (i32.const 64)) (i32.const 1))
      (call $is (i32.load8_u (i32.const 68)) (local.get 0)))"#;

/// Runs a program on a board and returns what it printed and traced.
fn ran(items: &[&str], imports: &str, body: &str, board: &str) -> String {
    let folder = Folder::new();
    folder.write("board.toml", board);
    folder.write("a.wasm", program(items, &format!("{imports}\n{CHECKS}"), body));
    let run = folder.wisp("run a.wasm --board board.toml --trace csv");
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    format!("{}{}", run.out, run.err)
}

/// Checks that a text has these parts in this order.
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("`{part}` is not next in: {rest}\nof: {text}"));
        rest = &rest[at + part.len()..];
    }
}

const DIGITAL: [&str; 4] =
    ["wisp:pins/digital@1.0.0", "wasi:gpio/digital@0.2.0", "wasi:gpio/delay@0.2.0", "wasi:io/poll@0.2.4"];
/// Imports of wasi:gpio, and the labels "led" at 16 and "key" at 24.
const PINS: &str = r#"
    (import "wisp:pins/digital@1.0.0" "get-digital-in" (func $in (param i32 i32 i32)))
    (import "wisp:pins/digital@1.0.0" "get-digital-out" (func $out (param i32 i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-out-pin.set-state" (func $set_state (param i32 i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-out-pin.set-active" (func $set_active (param i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-out-pin.set-inactive" (func $set_inactive (param i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-out-pin.toggle" (func $toggle (param i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-out-pin.watch-for-ready" (func $out_ready (param i32) (result i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-in-pin.read" (func $read (param i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-in-pin.is-active" (func $is_active (param i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-in-pin.is-inactive" (func $is_inactive (param i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[resource-drop]digital-out-pin" (func $drop_out (param i32)))
    (import "wasi:gpio/digital@0.2.0" "[resource-drop]digital-in-pin" (func $drop_in (param i32)))
    (import "wasi:gpio/delay@0.2.0" "delay-ns" (func $delay_ns (param i32)))
    (import "wasi:gpio/delay@0.2.0" "delay-us" (func $delay_us (param i32)))
    (import "wasi:gpio/delay@0.2.0" "delay-ms" (func $delay_ms (param i32)))
    (import "wasi:io/poll@0.2.4" "[method]pollable.block" (func $block (param i32)))
    (data (i32.const 16) "led")
    (data (i32.const 24) "key")
    (func $led (result i32)
      (call $out (i32.const 16) (i32.const 3) (i32.const 64)) (call $well) (i32.load (i32.const 68)))
    (func $key (result i32)
      (call $in (i32.const 24) (i32.const 3) (i32.const 64)) (call $well) (i32.load (i32.const 68)))"#;

#[test]
fn pins_are_driven_and_read_through_wasi_gpio() {
    let board =
        "[apps.a.gpio.led]\n[apps.a.gpio.key]\ndirection = \"input\"\nscript = [{ at_ms = 7, active = true }]\n";
    let body = r#"(local $led i32) (local $key i32)
        (local.set $led (call $led))
        (local.set $key (call $key))
        (call $is (i32.eqz (local.get $led)) (i32.const 0))
        (call $is (i32.eqz (local.get $key)) (i32.const 0))
        (call $block (call $out_ready (local.get $led)))
        (call $set_state (local.get $led) (i32.const 0) (i32.const 64)) (call $well)
        (call $set_state (local.get $led) (i32.const 1) (i32.const 64)) (call $well)
        (call $set_active (local.get $led) (i32.const 64)) (call $well)
        (call $toggle (local.get $led) (i32.const 64)) (call $well)
        (call $toggle (local.get $led) (i32.const 64)) (call $well)
        (call $set_inactive (local.get $led) (i32.const 64)) (call $well)
        ;; inactive is the second case of pin-state
        (call $read (local.get $key) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 1))
        (call $is_inactive (local.get $key) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 1))
        (call $delay_ms (i32.const 7)) (call $delay_us (i32.const 1)) (call $delay_ns (i32.const 1))
        (call $read (local.get $key) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 0))
        (call $is_active (local.get $key) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 1))
        (call $drop_in (local.get $key))
        (call $read (local.get $key) (i32.const 64)) (call $failed (i32.const 2))
        (call $drop_out (local.get $led))
        ;; no such pin, and an input that may not be an output
        (call $in (i32.const 17) (i32.const 2) (i32.const 64)) (call $failed (i32.const 2))
        (call $out (i32.const 24) (i32.const 3) (i32.const 64)) (call $failed (i32.const 2))
        (call $is (call $led) (local.get $led))"#;
    let said = ran(&DIGITAL, PINS, body, board);
    let levels: Vec<_> = said.lines().filter_map(|line| line.split("gpio,led,").nth(1)).collect();
    let expected = ["inactive", "active", "inactive", "active", "inactive", "active", "inactive"];
    let levels: Vec<_> = levels.iter().map(|level| level.split([',', ' ']).next().unwrap_or_default()).collect();
    assert_eq!(levels[..expected.len()], expected, "{said}");
}

/// Imports for pollables, beside those of `PINS`.
const WATCHES: &str = r#"
    (import "wasi:gpio/digital@0.2.0" "[method]digital-in-pin.watch-state" (func $watch_state (param i32 i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-in-pin.watch-active" (func $watch_active (param i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-in-pin.watch-inactive" (func $watch_inactive (param i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-in-pin.watch-rising-edge" (func $watch_rising (param i32 i32)))
    (import "wasi:gpio/digital@0.2.0" "[method]digital-in-pin.watch-falling-edge" (func $watch_falling (param i32 i32)))
    (import "wasi:io/poll@0.2.4" "[method]pollable.ready" (func $ready (param i32) (result i32)))
    (import "wasi:io/poll@0.2.4" "[resource-drop]pollable" (func $drop_pollable (param i32)))
    (import "wasi:io/poll@0.2.4" "poll" (func $poll (param i32 i32 i32)))
    (func $pollable (result i32) (call $well) (i32.load (i32.const 68)))"#;

#[test]
fn a_component_waits_for_levels_and_edges_of_pins() {
    let board = "[apps.a.gpio.led]\n[apps.a.gpio.key]\nscript = [{ at_ms = 5, active = true }, \
                 { at_ms = 9, active = false }, { at_ms = 20, active = true }]\n";
    let body = r#"(local $key i32) (local $active i32) (local $fell i32) (local $rose i32)
        (i64.store (i32.const 0) (i64.const 0x0123456789abcdef))
        (local.set $key (call $key))
        (call $watch_active (local.get $key) (i32.const 64))
        (local.set $active (call $pollable))
        (call $watch_falling (local.get $key) (i32.const 64))
        (local.set $fell (call $pollable))
        (call $watch_rising (local.get $key) (i32.const 64))
        (local.set $rose (call $pollable))
        (call $is (call $ready (local.get $active)) (i32.const 0))
        (call $is (call $ready (local.get $rose)) (i32.const 0))
        (call $block (local.get $active))
        (call $is (call $ready (local.get $active)) (i32.const 1))
        (call $is (call $ready (local.get $rose)) (i32.const 1))
        (call $is (call $ready (local.get $fell)) (i32.const 0))
        ;; a level that is there, and the edge that comes first
        (call $watch_state (local.get $key) (i32.const 0) (i32.const 64))
        (call $block (call $pollable))
        (call $watch_inactive (local.get $key) (i32.const 64))
        (i32.store (i32.const 200) (call $pollable))
        (i32.store (i32.const 204) (local.get $fell))
        (call $poll (i32.const 200) (i32.const 2) (i32.const 96))
        (call $is (i32.load (i32.const 100)) (i32.const 2))
        (call $is (i32.load (i32.load (i32.const 96))) (i32.const 0))
        (call $is (i32.load offset=4 (i32.load (i32.const 96))) (i32.const 1))
        ;; an edge of the past is none of a new pollable
        (call $watch_rising (local.get $key) (i32.const 64))
        (local.set $rose (call $pollable))
        (call $is (call $ready (local.get $rose)) (i32.const 0))
        (call $block (local.get $rose))
        (call $is_active (local.get $key) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 1))
        ;; one of two is ready
        (call $watch_inactive (local.get $key) (i32.const 64))
        (i32.store (i32.const 200) (call $pollable))
        (i32.store (i32.const 204) (local.get $rose))
        (call $poll (i32.const 200) (i32.const 2) (i32.const 96))
        (call $is (i32.load (i32.const 100)) (i32.const 1))
        (call $is (i32.load (i32.load (i32.const 96))) (i32.const 1))
        ;; an output has no edges, and a pin that was closed ends a wait
        (call $watch_active (call $led) (i32.const 64)) (call $failed (i32.const 3))
        (call $drop_pollable (local.get $rose))
        (call $drop_in (local.get $key))
        (call $block (local.get $rose))
        (call $is (i64.eq (i64.load (i32.const 0)) (i64.const 0x0123456789abcdef)) (i32.const 1))"#;
    ran(&DIGITAL, &format!("{PINS}{WATCHES}"), body, board);
}

#[test]
fn a_wait_for_a_pin_ends_at_a_time() {
    let body = r#"(local $start i64)
        (call $watch_active (call $key) (i32.const 64))
        (i32.store (i32.const 200) (call $pollable))
        (i32.store (i32.const 204) (call $after (i64.const 3500000)))
        (local.set $start (call $now))
        (call $poll (i32.const 200) (i32.const 2) (i32.const 96))
        (call $is (i32.load (i32.const 100)) (i32.const 1))
        (call $is (i32.load (i32.load (i32.const 96))) (i32.const 1))
        (call $is (i64.lt_u (i64.sub (call $now) (local.get $start)) (i64.const 3500000)) (i32.const 0))"#;
    let clock = r#"
        (import "wasi:clocks/monotonic-clock@0.2.4" "now" (func $now (result i64)))
        (import "wasi:clocks/monotonic-clock@0.2.4" "subscribe-duration" (func $after (param i64) (result i32)))"#;
    let items: Vec<_> = DIGITAL.iter().chain(&["wasi:clocks/monotonic-clock@0.2.4"]).copied().collect();
    ran(&items, &format!("{PINS}{WATCHES}{clock}"), body, "[apps.a.gpio.led]\n[apps.a.gpio.key]\n");
}

#[test]
fn voltages_are_read_and_pulses_are_set_through_wasi_gpio() {
    let board = "[apps.a.adc.volume]\nresolution = 10\nreference_mv = 1023.0\ninitial_mv = 511.0\n\
                 [apps.a.pwm.fan]\nperiod_us = 20.0\n";
    let imports = r#"
        (import "wisp:pins/analog-in@1.0.0" "get-analog-in" (func $in (param i32 i32 i32)))
        (import "wisp:pins/analog-out@1.0.0" "get-analog-out" (func $out (param i32 i32 i32)))
        (import "wasi:gpio/analog@0.2.0" "[method]analog-in-pin.read-raw" (func $raw (param i32 i32)))
        (import "wasi:gpio/analog@0.2.0" "[method]analog-in-pin.read" (func $read (param i32 i32)))
        (import "wasi:gpio/analog@0.2.0" "[method]analog-in-pin.watch-above" (func $watch (param i32 f32 i32)))
        (import "wasi:gpio/analog@0.2.0" "[method]analog-out-pin.set-value" (func $set (param i32 f32 i32)))
        (import "wasi:gpio/analog@0.2.0" "[method]analog-out-pin.set-value-raw" (func $set_raw (param i32 i32 i32)))
        (data (i32.const 16) "volume")
        (data (i32.const 24) "fan")"#;
    let body = r#"(local $pin i32)
        (call $in (i32.const 16) (i32.const 6) (i32.const 64)) (call $well)
        (local.set $pin (i32.load (i32.const 68)))
        (call $raw (local.get $pin) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 68)) (i32.const RAW))
        (call $read (local.get $pin) (i32.const 64)) (call $well)
        (call $is (f32.eq (f32.load (i32.const 68)) (f32.div (f32.const RAW) (f32.const 1023))) (i32.const 1))
        (call $watch (local.get $pin) (f32.const 0.5) (i32.const 64)) (call $failed (i32.const 7))
        (call $out (i32.const 24) (i32.const 3) (i32.const 64)) (call $well)
        (local.set $pin (i32.load (i32.const 68)))
        (call $set (local.get $pin) (f32.const 0.25) (i32.const 64)) (call $well)
        (call $set (local.get $pin) (f32.const 2) (i32.const 64)) (call $well)
        (call $set (local.get $pin) (f32.const -1) (i32.const 64)) (call $well)
        (call $set_raw (local.get $pin) (i32.const 7000) (i32.const 64)) (call $well)
        (call $set (local.get $pin) (f32.const nan) (i32.const 64)) (call $well)
        (call $set_raw (local.get $pin) (i32.const -1) (i32.const 64)) (call $well)
        (call $set (i32.const 9) (f32.const 1) (i32.const 64)) (call $failed (i32.const 2))
        (call $out (i32.const 16) (i32.const 6) (i32.const 64)) (call $failed (i32.const 2))"#;
    let items = ["wisp:pins/analog-in@1.0.0", "wisp:pins/analog-out@1.0.0", "wasi:gpio/analog@0.2.0"];
    let said = ran(&items, imports, &body.replace("RAW", "511"), board);
    let pulses = ["5000", "20000", "0", "7000", "0", "20000"].map(|pulse| format!("pwm,fan,{pulse}"));
    in_order(&said, &pulses.each_ref().map(String::as_str));
}

const SPI: &str = r#"
    (import "wasi:spi/spi" "open" (func $open (param i32 i32 i32)))
    (import "wasi:spi/spi" "[method]spi-device.read" (func $read (param i32 i64 i32)))
    (import "wasi:spi/spi" "[method]spi-device.write" (func $write (param i32 i32 i32 i32)))
    (import "wasi:spi/spi" "[method]spi-device.transfer" (func $transfer (param i32 i32 i32 i32)))
    (import "wasi:spi/spi" "[method]spi-device.transaction" (func $transaction (param i32 i32 i32 i32)))
    (import "wasi:spi/spi" "[resource-drop]spi-device" (func $drop (param i32)))
    (data (i32.const 16) "imu")
    (data (i32.const 24) "wire")
    ;; reads the register 0, and writes 7 to the register 0x40
    (data (i32.const 32) "\80\00\00")
    (data (i32.const 40) "\40\07")
    (func $opened (param i32 i32) (result i32)
      (call $open (local.get 0) (local.get 1) (i32.const 64)) (call $well) (i32.load (i32.const 68)))"#;

#[test]
fn a_device_is_used_through_wasi_spi() {
    let board = "[apps.a.spi.imu]\ncontents = { 0x00 = [0xd1, 0xd2] }\n[apps.a.spi.wire]\nkind = \"loopback\"\n";
    let body = r#"(local $imu i32) (local $list i32) (local $top i32)
        (local.set $imu (call $opened (i32.const 16) (i32.const 3)))
        (call $is (i32.eqz (local.get $imu)) (i32.const 0))
        (call $transfer (local.get $imu) (i32.const 32) (i32.const 3) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 72)) (i32.const 3))
        (call $is (i32.load16_u offset=1 (i32.load (i32.const 68))) (i32.const 0xd2d1))
        ;; the value of success is an error without a text
        (call $write (local.get $imu) (i32.const 40) (i32.const 2) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 4))
        (call $is (i32.load (i32.const 76)) (i32.const 0))
        (call $read (local.get $imu) (i64.const 2) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 72)) (i32.const 2))
        (call $read (local.get $imu) (i64.const 0) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 72)) (i32.const 0))
        ;; that read wrote 0 to the register 0
        ;; at 200: write the number of a register, wait, read 2 bytes, transfer 2 bytes, read none
        (i32.store8 (i32.const 200) (i32.const 1))
        (i32.store (i32.const 208) (i32.const 32))
        (i32.store (i32.const 212) (i32.const 1))
        (i32.store8 (i32.const 216) (i32.const 3))
        (i32.store (i32.const 224) (i32.const 1500))
        (i64.store (i32.const 240) (i64.const 2))
        (i32.store8 (i32.const 248) (i32.const 2))
        (i32.store (i32.const 256) (i32.const 33))
        (i32.store (i32.const 260) (i32.const 2))
        (call $transaction (local.get $imu) (i32.const 200) (i32.const 5) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 72)) (i32.const 5))
        (local.set $list (i32.load (i32.const 68)))
        (call $is (i32.load8_u (local.get $list)) (i32.const 1))
        (call $is (i32.load8_u offset=12 (local.get $list)) (i32.const 3))
        (call $is (i32.load8_u offset=24 (local.get $list)) (i32.const 0))
        (call $is (i32.load offset=32 (local.get $list)) (i32.const 2))
        (call $is (i32.load16_u (i32.load offset=28 (local.get $list))) (i32.const 0xd200))
        (call $is (i32.load8_u offset=36 (local.get $list)) (i32.const 2))
        (call $is (i32.load offset=44 (local.get $list)) (i32.const 2))
        (call $is (i32.load8_u offset=48 (local.get $list)) (i32.const 0))
        (call $is (i32.load offset=56 (local.get $list)) (i32.const 0))
        (call $transaction (local.get $imu) (i32.const 200) (i32.const 0) (i32.const 64)) (call $well)
        (call $is (i32.load (i32.const 72)) (i32.const 0))
        ;; too many operations: other("EINVAL")
        (call $transaction (local.get $imu) (i32.const 200) (i32.const 9) (i32.const 64)) (call $failed (i32.const 4))
        (call $is (i32.load (i32.const 76)) (i32.const 6))
        (call $is (i32.load (i32.load (i32.const 72))) (i32.const 0x564e4945))
        (call $is (i32.load16_u offset=4 (i32.load (i32.const 72))) (i32.const 0x4c41))
        (call $drop (local.get $imu))
        ;; another device gives back what it gets
        (call $transfer (call $opened (i32.const 24) (i32.const 4)) (i32.const 40) (i32.const 2) (i32.const 64)) (call $well)
        (call $is (i32.load16_u (i32.load (i32.const 68))) (i32.const 0x0740))
        ;; one that was not granted: other("EACCES")
        (call $open (i32.const 16) (i32.const 2) (i32.const 64)) (call $failed (i32.const 4))
        (call $is (i32.load (i32.load (i32.const 72))) (i32.const 0x43434145))
        ;; one that is not open fails
        (call $read (i32.const 31) (i64.const 4) (i32.const 64)) (call $failed (i32.const 4))
        (call $write (i32.const 31) (i32.const 40) (i32.const 2) (i32.const 64))
        (call $is (i32.load8_u (i32.const 64)) (i32.const 1))"#;
    let said = ran(&["wasi:spi/spi"], SPI, body, board);
    in_order(&said, &["spi,imu,write 80 00 00 read 00 d1 d2", "spi,imu,write 40 07"]);
}

#[test]
fn messages_are_logged_with_their_level_and_context() {
    let imports = r#"
        (import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
        (data (i32.const 16) "radio")
        (data (i32.const 32) "it is \c3\bc")"#;
    let levels: String = (0..6)
        .map(|level| {
            format!("(call $log (i32.const {level}) (i32.const 16) (i32.const 5) (i32.const 32) (i32.const 8))\n")
        })
        .collect();
    let body = format!(
        "(local $top i32)
         (call $log (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 32) (i32.const 5))
         (call $log (i32.const 2) (i32.const 16) (i32.const 5) (i32.const 32) (i32.const 8))
         (local.set $top (global.get $top))
         {levels}
         (call $is (global.get $top) (local.get $top))"
    );
    let said = ran(&["wasi:logging/logging@0.1.0-draft"], imports, &body, "[apps.a]\n");
    in_order(&said, &["it is", "radio: it is ü", "radio: it is ü", "radio: it is ü"]);
}

#[test]
fn values_are_kept_through_wasi_keyvalue() {
    let imports = r#"
        (import "wasi:keyvalue/store@0.2.0-draft2" "open" (func $open (param i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.delete" (func $delete (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[method]bucket.exists" (func $exists (param i32 i32 i32 i32)))
        (import "wasi:keyvalue/store@0.2.0-draft2" "[resource-drop]bucket" (func $drop (param i32)))
        (data (i32.const 16) "default")
        (data (i32.const 32) "key!value")"#;
    let body = r#"(local $b i32)
        (call $open (i32.const 16) (i32.const 6) (i32.const 64)) (call $failed (i32.const 0))
        (call $open (i32.const 32) (i32.const 7) (i32.const 64)) (call $failed (i32.const 0))
        (call $open (i32.const 0) (i32.const 0) (i32.const 64)) (call $well)
        (call $open (i32.const 16) (i32.const 7) (i32.const 64)) (call $well)
        (local.set $b (i32.load (i32.const 68)))
        (call $is (i32.eqz (local.get $b)) (i32.const 0))
        (call $get (local.get $b) (i32.const 32) (i32.const 3) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 0))
        (call $exists (local.get $b) (i32.const 32) (i32.const 3) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 0))
        (call $delete (local.get $b) (i32.const 32) (i32.const 3) (i32.const 64)) (call $well)
        (call $set (local.get $b) (i32.const 32) (i32.const 3) (i32.const 36) (i32.const 5) (i32.const 64)) (call $well)
        (call $exists (local.get $b) (i32.const 32) (i32.const 3) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 1))
        (call $get (local.get $b) (i32.const 32) (i32.const 3) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 1))
        (call $is (i32.load (i32.const 76)) (i32.const 5))
        (call $is (i32.load (i32.load (i32.const 72))) (i32.load (i32.const 36)))
        (call $is (i32.load8_u offset=4 (i32.load (i32.const 72))) (i32.const 101))
        (call $delete (local.get $b) (i32.const 32) (i32.const 3) (i32.const 64)) (call $well)
        (call $exists (local.get $b) (i32.const 32) (i32.const 3) (i32.const 64)) (call $well)
        (call $is (i32.load8_u (i32.const 68)) (i32.const 0))
        ;; a key with another character: other("EINVAL")
        (call $set (local.get $b) (i32.const 32) (i32.const 4) (i32.const 36) (i32.const 5) (i32.const 64))
        (call $failed (i32.const 2))
        (call $is (i32.load (i32.const 76)) (i32.const 6))
        (call $is (i32.load (i32.load (i32.const 72))) (i32.const 0x564e4945))
        (call $drop (local.get $b))"#;
    let world = ["wasi:keyvalue/store@0.2.0-draft2"];
    ran(&world, imports, body, "[apps.a.kv]\nsize = 300\n");
    let denied = r#"
        (call $get (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 64)) (call $failed (i32.const 1))
        (call $set (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 36) (i32.const 5) (i32.const 64))
        (call $failed (i32.const 1))
        (call $open (i32.const 0) (i32.const 0) (i32.const 64)) (call $well)
        (call $exists (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 64)) (call $failed (i32.const 1))
        (call $delete (i32.const 1) (i32.const 32) (i32.const 3) (i32.const 64)) (call $failed (i32.const 1))
        (call $drop (i32.const 1))"#;
    ran(&world, imports, denied, "[apps.a]\n");
}
