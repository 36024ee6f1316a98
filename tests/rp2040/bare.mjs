// SPDX-License-Identifier: Apache-2.0
// Runs rust/bare on the chip: bare.mjs ELF RAM "COMMAND LINE". RAM is the number of bytes of memory at 0x20000000. Prints what the
// program prints, and on standard error JSON with what the emulator counted. The exit code is that of the program.
import { Chip, FLASH } from './chip.mjs';
import { loadElf } from './elf.mjs';
import { addSemihosting } from './semihosting.mjs';

const SECONDS = 3600;

const [elf, ram, line] = process.argv.slice(2);
const chip = new Chip({ ram: Number(ram) });
loadElf(chip, elf);
let code;
addSemihosting(chip, line, (text) => process.stdout.write(text), (status) => {
  code = status;
  return 0;
});
chip.start(FLASH);
chip.run(SECONDS, () => code !== undefined);
process.stderr.write(JSON.stringify({ faults: chip.faults.slice(0, 5), halted: chip.halted, instructions: chip.instructions }) + '\n');
process.exitCode = code ?? 2;
