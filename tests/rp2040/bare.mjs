// SPDX-License-Identifier: Apache-2.0
// Runs rust/bare on the chip: bare.mjs ELF RAM "COMMAND LINE" [TAPE ADDRESS]. RAM is the number of bytes of memory at 0x20000000,
// and TAPE a file that lies at an address of the flash. Prints what the program prints, and on standard error JSON with what the
// emulator counted. The exit code is that of the program.
import fs from 'node:fs';
import { Chip, FLASH } from './chip.mjs';
import { loadElf } from './elf.mjs';
import { addSemihosting } from './semihosting.mjs';

const SECONDS = 3600;

const [elf, ram, line, tape, address] = process.argv.slice(2);
const chip = new Chip({ ram: Number(ram) });
loadElf(chip, elf);
if (tape) chip.mcu.flash.set(fs.readFileSync(tape), Number(address) - FLASH);
let code;
addSemihosting(chip, line, (text) => process.stdout.write(text), (status) => {
  code = status;
  return 0;
});
chip.start(FLASH);
chip.run(SECONDS, () => code !== undefined);
process.stderr.write(JSON.stringify({ faults: chip.faults.slice(0, 5), halted: chip.halted, instructions: chip.instructions }) + '\n');
process.exitCode = code ?? 2;
