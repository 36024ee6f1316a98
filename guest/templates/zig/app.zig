// SPDX-License-Identifier: Apache-2.0
const std = @import("std");

// What the app calls of the host; doc/abi.md of Wisp's sources says where all of it is described.
extern "wisp:gpio@1" fn open(name: [*]const u8, name_len: u32, mode: u32) i32;
extern "wisp:gpio@1" fn toggle(pin: i32) i32;
extern "wisp:timer@1" fn sleep_ms(ms: u32) i32;

const output_inactive = 1;

pub fn main() void {
    const led = open("led", 3, output_inactive);
    if (led < 0) {
        std.debug.print("no led: error {d}\n", .{-led});
        std.process.exit(1);
    }
    std.debug.print("blinking\n", .{});
    while (true) {
        _ = toggle(led);
        _ = sleep_ms(500);
    }
}
