import { gpio, log, timer } from "./wisp";

// Lets `wisp build` back only the memory that is used.
export { __heap_base };

export function _start(): void {
  const led = gpio.open_str("led", gpio.OUTPUT_INACTIVE);
  if (led < 0) {
    log.write_str(log.ERROR, "no led");
    return;
  }
  log.write_str(log.INFO, "blinking");
  while (true) {
    gpio.toggle(led);
    timer.sleep_ms(500);
  }
}
