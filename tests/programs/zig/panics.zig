// SPDX-License-Identifier: Apache-2.0
// memory: 65536
// trap: unreachable
// stdout: before

const std = @import("std");

pub fn main() void {
    std.debug.print("before\n", .{});
    @panic("the end");
}
