// SPDX-License-Identifier: Apache-2.0
// Reads ELF files.
import fs from 'node:fs';
import { FLASH } from './chip.mjs';

const LOAD = 1;

/** Puts the loaded segments of a 32-bit ELF file into a chip's flash, where they say. */
export function loadElf(chip, path) {
  const file = fs.readFileSync(path);
  const [table, size, count] = [file.readUInt32LE(28), file.readUInt16LE(42), file.readUInt16LE(44)];
  for (let i = 0; i < count; i++) {
    const header = table + i * size;
    const [type, offset, , address, length] = Array.from({ length: 5 }, (_, field) => file.readUInt32LE(header + 4 * field));
    if (type === LOAD && length > 0) chip.mcu.flash.set(file.subarray(offset, offset + length), address - FLASH);
  }
}
