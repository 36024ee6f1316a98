// SPDX-License-Identifier: Apache-2.0
// memory: 65536

const std = @import("std");
const print = std.debug.print;

const Shape = union(enum) {
    circle: f64,
    square: f64,

    fn area(self: Shape) f64 {
        return switch (self) {
            .circle => |r| 3.14159265 * r * r,
            .square => |s| s * s,
        };
    }
};

const Fault = error{ Empty, Negative };

fn root(values: []const f64) Fault!f64 {
    if (values.len == 0) return Fault.Empty;
    var sum: f64 = 0;
    for (values) |v| {
        if (v < 0) return error.Negative;
        sum += v;
    }
    return @sqrt(sum);
}

fn fibonacci(comptime n: comptime_int) comptime_int {
    @setEvalBranchQuota(10_000);
    return if (n < 2) n else fibonacci(n - 1) + fibonacci(n - 2);
}

fn Pair(comptime T: type) type {
    return struct {
        a: T,
        b: T,
        fn swapped(self: @This()) @This() {
            return .{ .a = self.b, .b = self.a };
        }
    };
}

pub fn main() void {
    const shapes = [_]Shape{ .{ .circle = 1.5 }, .{ .square = 2.5 } };
    for (shapes, 0..) |shape, i| print("{d} {s} {d:.4}\n", .{ i, @tagName(shape), shape.area() });
    print("{d:.3} {s} {s}\n", .{
        root(&.{ 9, 16 }) catch 0,
        if (root(&.{})) |_| "none" else |fault| @errorName(fault),
        if (root(&.{-1})) |_| "none" else |fault| @errorName(fault),
    });
    print("{d} {any}\n", .{ fibonacci(15), (Pair(i32){ .a = 1, .b = 2 }).swapped().b });
    const big: u128 = 1 << 100;
    print("{d} {x} {d}\n", .{ big, @as(u64, 0xdeadbeef), @as(u8, 250) +% 10 });
    const text = "one,two,,three";
    var parts = std.mem.splitScalar(u8, text, ',');
    while (parts.next()) |part| print("[{s}]", .{part});
    print("\n", .{});
    var numbers = [_]i32{ 5, -3, 9, 0, 7 };
    std.mem.sort(i32, &numbers, {}, std.sort.asc(i32));
    print("{any} {?d}\n", .{ numbers, std.mem.indexOfScalar(i32, &numbers, 9) });
    print("{d} {d} {s:>6}|{s:<6}|{d:0>5}\n", .{ 0.1 + 0.2, 1e300, "r", "l", @as(u32, 42) });
}
