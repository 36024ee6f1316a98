// SPDX-License-Identifier: Apache-2.0
// Runs a firmware: console.mjs UF2 SECONDS PATTERN [PARTS]. Its first serial port is standard output. Ends after so many seconds of
// the chip's time, or when the output matches. PARTS names what is connected to the pins, a function of parts.mjs. The last line is
// JSON: faults, how often pin 25 changed, and what the parts saw.
import { Chip } from './chip.mjs';
import * as parts from './parts.mjs';

const [uf2, seconds, pattern, name] = process.argv.slice(2);
const chip = new Chip({ uf2 });
let output = '';
let matched = false;
chip.mcu.uart[0].onByte = (byte) => {
  output += String.fromCharCode(byte);
  matched = pattern !== undefined && new RegExp(pattern).test(output);
};
let changes = 0;
chip.mcu.gpio[25].addListener((state, old) => { changes += state !== old ? 1 : 0; });
const seen = name === undefined ? () => undefined : parts[name](chip);
chip.start();
chip.run(Number(seconds), () => matched);
process.stdout.write(output);
console.log('\n' + JSON.stringify({ matched, changes, faults: chip.faults, halted: chip.halted,
  instructions: chip.instructions, seconds: chip.clock.nanos / 1e9, parts: seen() }));
