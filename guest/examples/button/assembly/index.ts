// SPDX-License-Identifier: Apache-2.0
// Counts how often a button was pressed, over restarts: edges as events, a stored value. Nothing is
// allocated, so that the guest needs less than a kilobyte of memory.
import { Errno, event, gpio, kv, log, wasi } from "./wisp";

export { __heap_base };

const KEY = memory.data<u8>([112, 114, 101, 115, 115, 101, 115]); // "presses"
const KEY_LENGTH: u32 = 7;
const COUNT = memory.data(4, 4);
const EVENT = memory.data(event.EVENT_SIZE, 8);
const LINE = memory.data(32);

function checked(result: i32): u32 {
  if (result < 0) {
    log.write_str(log.ERROR, "the host refused");
    wasi.proc_exit(<u32>-result);
  }
  return <u32>result;
}

/** Logs "presses: N". */
function say(count: u32): void {
  let at: usize = 30;
  do {
    store<u8>(LINE + --at, <u8>(48 + (count % 10)));
    count /= 10;
  } while (count > 0);
  at -= 2;
  store<u8>(LINE + at, 58); // ":"
  store<u8>(LINE + at + 1, 32);
  at -= KEY_LENGTH;
  memory.copy(LINE + at, KEY, KEY_LENGTH);
  log.write(log.INFO, LINE + at, <u32>30 - <u32>at);
}

export function _start(): void {
  const button = checked(gpio.open_str("button", gpio.INPUT));
  checked(gpio.watch(button, gpio.EDGE_ACTIVE));
  const stored = kv.get(KEY, KEY_LENGTH, COUNT, 4);
  if (stored < 0 && stored != -Errno.ENOENT) checked(stored);
  while (true) {
    say(load<u32>(COUNT));
    checked(event.wait(event.FOREVER, EVENT));
    if (load<u32>(EVENT + event.EVENT_KIND) == event.EDGE) {
      store<u32>(COUNT, load<u32>(COUNT) + 1);
      checked(kv.set(KEY, KEY_LENGTH, COUNT, 4));
    }
  }
}
