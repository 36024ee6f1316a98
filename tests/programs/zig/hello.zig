// SPDX-License-Identifier: Apache-2.0
// memory: 131072

const std = @import("std");

pub fn main() void {
    std.debug.print("zig debug {d} {d:.3}\n", .{ 42, 3.14159 });
    const s = std.heap.page_allocator.alloc(u8, 10000) catch return;
    defer std.heap.page_allocator.free(s);
    @memset(s, 7);
    var sum: u32 = 0;
    for (s) |b| sum += b;
    std.debug.print("sum {d}\n", .{sum});
}
