// SPDX-License-Identifier: Apache-2.0
// trap: unreachable
// memory: 65536
// stdout: abort: the list is empty in assertion.ts:9:3

function first(list: StaticArray<i32>): i32 {
  // A failed assertion is what stock code ends with, as an index out of range does.

  assert(list.length > 0, "the list is empty");
  return list[0];
}

export function _start(): void {
  trace("first", 1, first(new StaticArray<i32>(0)));
}
