// SPDX-License-Identifier: Apache-2.0
// An RP2040 that runs an unmodified firmware: rp2040js, with corrections of what it does unlike the chip.
import fs from 'node:fs';
import { RP2040 } from 'rp2040js';
import { SimulationClock } from './node_modules/rp2040js/dist/esm/clock/simulation-clock.js';

export const FLASH = 0x10000000;
const RAM = 0x20000000;
const VECTORS = FLASH + 0x100;
const SECTOR = 4096;
const HARD_FAULT = 3;
const NMI = 2;
const SYST_CVR = 0x018;
const ADCS = 0b0100000101, SBCS = 0b0100000110;
const ADC_CS = 0x00, ADC_FIFO = 0x0c, ADC_START_ONCE = 1 << 2;
const INTR_MASK = 0x30, TX_EMPTY = 1 << 4, TX_EMPTY_CTRL = 1 << 8;
const AIRCR = 0xd0c, SYSRESETREQ = 1 << 2;

// The address space of the chip: first address, end, whether it can be written.
const MEMORY = [
  [0x00000000, 0x00004000, false], [0x10000000, 0x14004000, true], [0x15000000, 0x15004000, true],
  [0x18000000, 0x18000100, true], [RAM, 0x20042000, true], [0x40000000, 0x40070000, true],
  [0x50000000, 0x50400000, true], [0xd0000000, 0xd0000200, true], [0xe0000000, 0xe0100000, true],
];

/** Thrown where the processor takes a HardFault in the middle of an instruction. */
class Fault extends Error {}

/** Thrown when the power is cut. */
export class PowerCut extends Error {}

/** Thrown when the firmware resets the chip. */
export class Reset extends Error {}

export class Chip {
  /** Loads a UF2 file, or starts with `flash`, the contents of a flash memory. `ram` bytes of memory in place of 264 KB. */
  constructor({ uf2, flash, ram, corrections = ['systick', 'wfi', 'fault', 'cycles', 'carry', 'adc', 'i2c'] }) {
    this.clock = new SimulationClock();
    this.mcu = new RP2040(this.clock);
    this.mcu.logger = { debug() {}, info() {}, warn() {}, error() {} };
    this.core = this.mcu.core;
    this.faults = [];
    this.halted = false;
    this.instructions = 0;
    this.memory = ram ? this.enlarge(ram) : MEMORY;
    if (flash) this.mcu.flash.set(flash);
    if (uf2) this.load(uf2);
    const correct = { systick: () => this.correctSysTick(), wfi: () => this.correctWaiting(),
      fault: () => this.addFaults(), cycles: () => this.correctCycles(), carry: () => this.correctCarry(),
      adc: () => this.correctAdc(), i2c: () => this.correctI2c() };
    for (const name of corrections) correct[name]();
  }

  /** Gives it so many bytes of RAM; its address space. */
  enlarge(ram) {
    this.mcu.sram = new Uint8Array(ram);
    this.mcu.sramView = new DataView(this.mcu.sram.buffer);
    return MEMORY.map((region) => (region[0] === RAM ? [RAM, RAM + ram, true] : region));
  }

  /** Puts the blocks of a UF2 file where they say. */
  load(path) {
    const file = fs.readFileSync(path);
    for (let at = 0; at + 512 <= file.length; at += 512) {
      const address = file.readUInt32LE(at + 12), size = file.readUInt32LE(at + 16);
      this.mcu.flash.set(file.subarray(at + 32, at + 32 + size), address - FLASH);
    }
  }

  /** Makes a write to SysTick's counter clear it; rp2040js raises the exception at once. Throws Reset for a reset. */
  correctSysTick() {
    const { ppb } = this.mcu;
    const write = ppb.writeUint32.bind(ppb);
    ppb.writeUint32 = (offset, value) => {
      if (offset === AIRCR && value & SYSRESETREQ) throw new Reset();
      if (offset !== SYST_CVR) return write(offset, value);
      ppb.systickCountFlag = false;
      ppb.systickTimer.set(ppb.systickReload);
    };
  }

  /** Lets a pending interrupt end WFI, and be taken only when PRIMASK allows it; rp2040js takes it at once. */
  correctWaiting() {
    const { core } = this;
    core.setInterrupt = (number, pending) => {
      const bit = 1 << number;
      if (pending) {
        core.pendingInterrupts |= bit;
        core.interruptsUpdated = true;
      } else core.pendingInterrupts &= ~bit;
    };
    this.wakes = () => core.pendingSystick || core.pendingPendSV ||
      (core.pendingInterrupts & core.enabledInterrupts) !== 0;
  }

  /** Counts LR and PC among the registers of PUSH and POP, as the manual of the Cortex-M0+ does; rp2040js leaves them out. */
  correctCycles() {
    const { core, mcu } = this;
    const execute = core.executeInstruction.bind(core);
    core.executeInstruction = () => {
      const kind = mcu.readUint16(core.PC) & 0xff00;
      const more = kind === 0xb500 || kind === 0xbd00 ? 1 : 0;
      return execute() + more;
    };
  }

  /**
   * Sets the overflow of SBCS and ADCS by their operands; rp2040js adds the carry to the second one first, which changes the sign of
   * 0x7fffffff.
   */
  correctCarry() {
    const { core, mcu } = this;
    const subtract = core.substractUpdateFlags.bind(core), add = core.addUpdateFlags.bind(core);
    const adds = (operation, shift) => {
      const opcode = mcu.readUint16(core.PC - 2);
      return opcode >> 6 === operation && core.registers[opcode >> shift & 7] === 0x7fffffff;
    };
    core.substractUpdateFlags = (minuend, subtrahend) => {
      const result = subtract(minuend, subtrahend);
      if (subtrahend === 0x80000000 && adds(SBCS, 3)) core.V = minuend > 0x7fffffff;
      return result;
    };
    core.addUpdateFlags = (first, second) => {
      const result = add(first, second);
      if (second === 0x80000000 && adds(ADCS, 0)) core.V = first <= 0x7fffffff;
      return result;
    };
  }

  /**
   * Ends the interrupt of the analog inputs when their FIFO is read; rp2040js leaves it pending, and its handler runs again and
   * again. Clears the bit that starts a conversion; rp2040js keeps it, and the next write to the register starts one more.
   */
  correctAdc() {
    const { adc } = this.mcu;
    const read = adc.readUint32.bind(adc), write = adc.writeUint32.bind(adc);
    adc.readUint32 = (offset) => {
      const value = read(offset);
      if (offset === ADC_FIFO) adc.checkInterrupts();
      return value;
    };
    adc.writeUint32 = (offset, value) => {
      write(offset, value);
      if (offset === ADC_CS) adc.cs &= ~ADC_START_ONCE;
    };
  }

  /**
   * Lets the mask of an I2C bus enable its interrupts; rp2040js ignores it. Raises the interrupt as long as the bus can take a
   * command, as the chip does; rp2040js raises it only after the first one. With TX_EMPTY_CTRL, the byte before has to be on the
   * bus first.
   */
  correctI2c() {
    for (const bus of this.mcu.i2c) {
      const write = bus.writeUint32.bind(bus);
      bus.writeUint32 = (offset, value) => {
        if (offset !== INTR_MASK) return write(offset, value);
        bus.intEnable = value & 0x1fff;
        bus.checkInterrupts();
      };
      const next = bus.nextCommand.bind(bus);
      bus.nextCommand = () => {
        next();
        const sends = bus.busy && bus.control & TX_EMPTY_CTRL;
        if (bus.enable & 1 && bus.txFIFO.itemCount <= bus.txThreshold && !sends) bus.setInterrupts(TX_EMPTY);
        else bus.clearInterrupts(TX_EMPTY);
      };
    }
  }

  /** Adds what rp2040js lacks: HardFault for misaligned and unmapped accesses, undefined instructions, BKPT. */
  addFaults() {
    const { core } = this;
    const fault = (kind, address) => {
      core.PC -= 2;
      this.faults.push({ kind, pc: core.PC >>> 0, address: address >>> 0 });
      throw new Fault();
    };
    const check = (name, size, writes) => {
      const access = core[name].bind(core);
      core[name] = (address, value) => {
        address >>>= 0;
        if (address % size !== 0) fault(`misaligned ${name}`, address);
        if (!this.memory.some(([first, end, writable]) => address >= first && address < end && (writable || !writes)))
          fault(`unmapped ${name}`, address);
        return access(address, value);
      };
    };
    for (const [bits, size] of [[32, 4], [16, 2], [8, 1]]) {
      check(`readUint${bits}`, size, false);
      check(`writeUint${bits}`, size, true);
    }
    this.mcu.onBreak = (code) => fault('undefined instruction or breakpoint', code);
    const execute = core.executeInstruction.bind(core);
    core.executeInstruction = () => {
      try {
        return execute();
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        // a fault in the handler of a fault: the processor locks up
        if (core.IPSR === NMI || core.IPSR === HARD_FAULT) this.halted = true;
        else {
          core.exceptionEntry(HARD_FAULT);
          core.PC &= ~1;
        }
        return 15;
      }
    };
  }

  /**
   * Does the work of the SDK's flash_range_erase() and flash_range_program(): the flash controller is not emulated.
   * Checks that they are called as the chip needs: from RAM, with interrupts off, and for one sector at a time, so that threads
   * run between two. `cut` cuts the power at an operation:
   * {at: its number, how: 'nothing', 'part' or 'all'} of it happened. Of several programs, such as a boot loader and what
   * it starts, that one runs in whose text the table of vectors lies.
   */
  addFlash(programs, cut) {
    const { core, mcu } = this;
    this.operations = 0;
    this.misuse = [];
    const change = (offset, bytes, combine) => {
      if (core.PC < RAM) this.misuse.push('flash is changed by code that lies in flash');
      if (!core.PM) this.misuse.push('flash is changed with interrupts on');
      const cutNow = cut && cut.at === this.operations;
      const end = !cutNow || cut.how === 'all' ? bytes.length : cut.how === 'part' ? bytes.length >> 1 : 0;
      for (let i = 0; i < end; i++) mcu.flash[offset + i] = combine(mcu.flash[offset + i], bytes[i]);
      this.operations++;
      if (cutNow) throw new PowerCut();
      core.PC = core.LR & ~1;
      return 1;
    };
    const functions = programs.map((symbols) => {
      const of = (name) => {
        if (symbols[name] === undefined) throw new Error(`the firmware has no ${name}`);
        return symbols[name] & ~1;
      };
      return { vectors: of('_vector_start'), erase: of('flash_range_erase'), program: of('flash_range_program') };
    });
    const execute = core.executeInstruction.bind(core);
    core.executeInstruction = () => {
      const { erase, program } = functions.find(({ vectors }) => vectors === core.VTOR >>> 0) ?? functions[0];
      const [offset, second, length] = core.registers;
      if (core.PC === erase && second > SECTOR) this.misuse.push(`${second} bytes of flash are erased with interrupts off`);
      if (core.PC === erase) return change(offset, new Uint8Array(second).fill(0xff), (_, byte) => byte);
      if (core.PC === program)
        return change(offset, Uint8Array.from({ length }, (_, i) => mcu.readUint8(second + i)), (old, byte) => old & byte);
      return execute();
    };
  }

  /** Starts as the second stage of the boot loader does, with the table of vectors behind it or elsewhere. */
  start(vectors = VECTORS) {
    this.core.VTOR = vectors;
    this.core.SP = this.mcu.readUint32(vectors);
    this.core.PC = this.mcu.readUint32(vectors + 4) & ~1;
  }

  /** Runs for so many seconds of the chip's time, or until `done`. */
  run(seconds, done = () => false) {
    const { core, clock } = this;
    const end = clock.nanos + seconds * 1e9;
    while (clock.nanos < end && !this.halted && !done()) {
      if (core.waiting && this.wakes()) {
        core.waiting = false;
        core.interruptsUpdated = true;
      } else if (core.waiting) {
        // nothing happens before the next alarm
        const next = clock.nanosToNextAlarm;
        clock.tick(next > 0 ? Math.min(next, Math.max(end - clock.nanos, 1)) : 1000);
      } else {
        clock.tick(core.executeInstruction() * (1e9 / this.mcu.clkSys));
        this.instructions++;
      }
    }
  }
}

/** Addresses of an ELF file's symbols, by name, from the output of nm. */
export function symbolsOf(text) {
  return Object.fromEntries(text.split('\n').map((line) => line.split(' '))
    .filter((parts) => parts.length === 3).map(([address, , name]) => [name, parseInt(address, 16)]));
}
