// SPDX-License-Identifier: Apache-2.0
// Runs a firmware with its flash: device.mjs UF2 SYMBOLS FLASH [CUT HOW]. FLASH is a file that keeps the flash over power cuts
// and resets, and SYMBOLS the output of nm. Without a UF2 file ("-"), all of the firmware is in FLASH; then SYMBOLS may be
// several files, separated by commas, for a boot loader and what it starts. The port of SMP is standard input and output, the
// console standard error. Ends with its input, when the firmware resets the chip, or when the power is cut at the flash
// operation with the number CUT. The last line on the console is JSON.
import fs from 'node:fs';
import { Chip, PowerCut, Reset, symbolsOf } from './chip.mjs';

const [uf2, symbols, file, cut, how] = process.argv.slice(2);
const flash = fs.existsSync(file) ? fs.readFileSync(file) : undefined;
// the firmware's part of the file is that of the UF2 file
const chip = new Chip({ uf2: uf2 === '-' ? undefined : uf2, flash });
const { mcu } = chip;
const programs = symbols.split(',').map((path) => symbolsOf(fs.readFileSync(path, 'utf8')));
chip.addFlash(programs, cut === undefined ? undefined : { at: Number(cut), how });
mcu.uart[0].onByte = (byte) => process.stderr.write(String.fromCharCode(byte));
const sent = [], received = [];
mcu.uart[1].onByte = (byte) => sent.push(byte);
process.stdin.on('data', (data) => received.push(...data));
process.stdin.on('end', () => end({}));

function end({ cut = false, reset = false }) {
  fs.writeFileSync(file, mcu.flash);
  fs.writeSync(2, '\n' + JSON.stringify({ cut, reset, faults: chip.faults, misuse: chip.misuse,
    operations: chip.operations, seconds: chip.clock.nanos / 1e9 }) + '\n');
  process.exit(0);
}

// A byte takes 87 us at 115200 baud. Without input, time goes on in steps.
function turn() {
  const begin = Date.now();
  try {
    while (Date.now() - begin < 20) {
      if (received.length === 0) {
        chip.run(0.01);
        break;
      }
      mcu.uart[1].feedByte(received.shift());
      chip.run(0.0001);
    }
  } catch (error) {
    if (error instanceof PowerCut) return end({ cut: true });
    if (error instanceof Reset) return end({ reset: true });
    throw error;
  }
  if (sent.length) process.stdout.write(Buffer.from(sent.splice(0)));
  setTimeout(turn, received.length || chip.halted ? 0 : 1);
}

chip.start();
turn();
