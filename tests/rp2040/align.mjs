// SPDX-License-Identifier: Apache-2.0
// Checks the emulator itself: misaligned accesses and undefined instructions end in the HardFault handler, aligned ones do not.
// Additions and subtractions with carry set the overflow flag for each pair of operands at the ends of the signed numbers.
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

/** Adds or subtracts two numbers and a carry; true if the overflow flag is set. */
function overflows(opcode, first, second, carry) {
  const { core, mcu: { sramView: ram } } = new Chip({});
  ram.setUint16(0x100, opcode, true);
  core.PC = RAM + 0x100;
  core.registers[0] = first;
  core.registers[1] = second;
  core.C = carry;
  core.executeInstruction();
  return core.V;
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
const ENDS = [0, 1, 2, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff];
for (const first of ENDS)
  for (const second of ENDS)
    for (const carry of [false, true]) {
      const sums = { 'adcs r0, r1': [0x4148, (first | 0) + (second | 0) + carry], 'sbcs r0, r1': [0x4188, (first | 0) - (second | 0) - !carry] };
      for (const [name, [opcode, sum]] of Object.entries(sums))
        if (overflows(opcode, first, second, carry) !== (sum !== (sum | 0)))
          wrong.push(`${name} of ${first.toString(16)} and ${second.toString(16)}, carry ${carry}`);
    }
console.log(wrong.length ? `not as on the chip: ${wrong.join(', ')}` : 'as on the chip');
process.exit(wrong.length ? 1 : 0);
