// SPDX-License-Identifier: Apache-2.0
// Runs samples/updatable_app with its flash: device.mjs UF2 SYMBOLS FLASH [CUT HOW]. FLASH is a file that keeps the flash over
// power cuts, and SYMBOLS the output of nm. The port of SMP is standard input and output, the console standard error. Ends with
// its input, or when the power is cut at the flash operation with the number CUT. The last line on the console is JSON.
import fs from 'node:fs';
import { Chip, PowerCut, symbolsOf } from './chip.mjs';

const [uf2, symbols, file, cut, how] = process.argv.slice(2);
const flash = fs.existsSync(file) ? fs.readFileSync(file) : undefined;
// the firmware's part of the file is that of the UF2 file
const chip = new Chip({ uf2, flash });
const { mcu } = chip;
chip.addFlash(symbolsOf(fs.readFileSync(symbols, 'utf8')), cut === undefined ? undefined : { at: Number(cut), how });
mcu.uart[0].onByte = (byte) => process.stderr.write(String.fromCharCode(byte));
const sent = [], received = [];
mcu.uart[1].onByte = (byte) => sent.push(byte);
process.stdin.on('data', (data) => received.push(...data));
process.stdin.on('end', () => end(false));

function end(wasCut) {
  fs.writeFileSync(file, mcu.flash);
  fs.writeSync(2, '\n' + JSON.stringify({ cut: wasCut, faults: chip.faults, misuse: chip.misuse,
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
    if (!(error instanceof PowerCut)) throw error;
    return end(true);
  }
  if (sent.length) process.stdout.write(Buffer.from(sent.splice(0)));
  setTimeout(turn, received.length || chip.halted ? 0 : 1);
}

chip.start();
turn();
