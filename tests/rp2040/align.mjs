// SPDX-License-Identifier: Apache-2.0
// Checks the emulator itself: misaligned accesses and undefined instructions end in the HardFault handler, aligned ones do not.
import { Chip } from './chip.mjs';

const RAM = 0x20000000;
const MISALIGNED = { 'ldr r0, [r1]': 0x6808, 'ldrh r0, [r1]': 0x8808, 'str r0, [r1]': 0x6008, 'strh r0, [r1]': 0x8008,
  'ldm r1!, {r2}': 0xc904, 'stm r1!, {r2}': 0xc104, 'ldrsh r0, [r1, r3]': 0x5ec8 };
const UNDEFINED = { 'udf #1': 0xde01 };
const BYTES = { 'ldrb r0, [r1]': 0x7808, 'strb r0, [r1]': 0x7008 };

/** Executes one instruction with r1 as an address; true if it ended in HardFault. */
function faults(opcode, address) {
  const chip = new Chip({});
  const { core, mcu: { sramView: ram } } = chip;
  core.VTOR = RAM;
  ram.setUint32(0x0c, RAM + 0x301, true);
  ram.setUint16(0x100, opcode, true);
  core.SP = RAM + 0x1000;
  core.PC = RAM + 0x100;
  core.registers[1] = address;
  core.registers[3] = 0;
  core.executeInstruction();
  return core.PC === RAM + 0x300 && core.IPSR === 3;
}

const wrong = [];
const expect = (name, opcode, address, expected) => {
  if (faults(opcode, address) !== expected) wrong.push(`${name} at ${address.toString(16)}`);
};
for (const [name, opcode] of Object.entries({ ...MISALIGNED, ...BYTES })) {
  expect(name, opcode, RAM + 0x200, false);
  expect(name, opcode, RAM + 0x201, name in MISALIGNED);
  expect(name, opcode, 0x30000000, true);
}
for (const [name, opcode] of Object.entries(UNDEFINED)) expect(name, opcode, RAM + 0x200, true);
console.log(wrong.length ? `not as on the chip: ${wrong.join(', ')}` : 'as on the chip');
process.exit(wrong.length ? 1 : 0);
