// SPDX-License-Identifier: Apache-2.0
//! Compiles the pieces of C that are tested here.

const FIRMWARE: [&str; 5] = [
    "../../src/app/stop.c",
    "../../src/drivers/event.c",
    "../../src/drivers/input.c",
    "../../src/border/timer.c",
    "../../src/storage/uploads.c",
];

fn main() {
    println!("cargo::rerun-if-changed=c");
    println!("cargo::rerun-if-changed=../../src");
    println!("cargo::rerun-if-changed=../../include");
    cc::Build::new()
        .files(["c/grants.c", "c/model.c", "c/uploads.c"])
        .files(FIRMWARE)
        .includes(["c/fake", "../../include", "../../src"])
        .define("CONFIG_WISP_DEADLINE", "1")
        .define("CONFIG_WISP_EVENT", None)
        .define("CONFIG_WISP_EVENT_QUEUE", "2")
        .define("CONFIG_WISP_INPUT", "1")
        .define("CONFIG_WISP_INPUT_QUEUE", "2")
        .define("CONFIG_WISP_MGMT", "1")
        .define("CONFIG_WISP_MGMT_IDLE_SECONDS", "30")
        .define("CONFIG_WISP_MGMT_UPLOAD_SECONDS", "1800")
        .flag("-std=gnu11")
        .compile("wisp_fuzz_c");
}
