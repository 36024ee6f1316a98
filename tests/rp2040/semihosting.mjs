// SPDX-License-Identifier: Apache-2.0
// Answers the requests of Arm's semihosting with which rust/bare reads its command line, prints and ends.
const BREAKPOINT = 0xbeab;
const [OPEN, CLOSE, WRITE, ISTTY, FLEN, ERRNO, GET_CMDLINE, EXIT, EXIT_EXTENDED] =
  [0x01, 0x02, 0x05, 0x09, 0x0c, 0x13, 0x15, 0x18, 0x20];
const APPLICATION_EXIT = 0x20026;
const CONSOLE = 1;

/** Lets a chip's program ask: `line` is its command line, `print` gets its text, `end` its exit code. */
export function addSemihosting(chip, line, print, end) {
  const { core, mcu } = chip;
  const word = (index) => mcu.readUint32((core.registers[1] >>> 0) + 4 * index) >>> 0;
  const bytes = (address, length) => Buffer.from(Uint8Array.from({ length }, (_, i) => mcu.readUint8(address + i)));
  const requests = {
    [OPEN]: () => CONSOLE,
    [CLOSE]: () => 0,
    [ISTTY]: () => 1,
    [FLEN]: () => 0,
    [ERRNO]: () => 0,
    [WRITE]: () => {
      print(bytes(word(1), word(2)).toString());
      return 0;
    },
    [GET_CMDLINE]: () => {
      const [address, room] = [word(0), word(1)];
      if (line.length + 1 > room) return -1;
      for (let i = 0; i <= line.length; i++) mcu.writeUint8(address + i, i < line.length ? line.charCodeAt(i) : 0);
      mcu.writeUint32((core.registers[1] >>> 0) + 4, line.length);
      return 0;
    },
    [EXIT]: () => end((core.registers[1] >>> 0) === APPLICATION_EXIT ? 0 : 1),
    [EXIT_EXTENDED]: () => end(word(0) === APPLICATION_EXIT ? word(1) : 1),
  };
  const execute = core.executeInstruction.bind(core);
  core.executeInstruction = () => {
    if (mcu.readUint16(core.PC) !== BREAKPOINT) return execute();
    const answer = requests[core.registers[0]];
    if (!answer) throw new Error(`request ${core.registers[0].toString(16)} of semihosting is not known`);
    core.registers[0] = answer();
    core.PC += 2;
    return 1;
  };
}
