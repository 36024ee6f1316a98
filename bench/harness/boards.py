# SPDX-License-Identifier: Apache-2.0
"""The boards, and what it takes to run an image on QEMU's model of each.

With -icount shift=6,align=off,sleep=off an executed instruction is 64 ns of virtual time, so
that the boards' cycle counters count instructions. The emulator of the RP2040 counts cycles.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Board:
    """One board: its Zephyr name, a short name for tables and files, QEMU's command, Wisp's tiers.

    A board without a command for QEMU runs in the emulator of the RP2040.
    """

    name: str
    short: str
    title: str
    qemu: tuple
    # Back ends of Wisp's interpreter, the one that is built by default first.
    back_ends: tuple
    # What wisp-aotc calls the machine.
    machine: str
    # The engine can make machine code of IR here: tier `translated`.
    translates: bool = False
    # The unit of the board's clock, and the units that a pass of the calibration's loops of two and of five takes.
    unit: str = "instructions"
    passes: tuple = (2, 5)
    # The workloads that its memory holds; all of them if there are none here.
    workloads: tuple = ()

    def command(self, elf, memory_words):
        """QEMU's command line; memory_words are (address, value) written before the start."""
        command = [*self.qemu, "-nographic", "-icount", "shift=6,align=off,sleep=off",
                   "-kernel", str(elf)]
        for address, value in memory_words:
            command += ["-device", f"loader,addr={address:#x},data={value:#x},data-len=4"]
        return command


BOARDS = {board.name: board for board in (
    Board("mps2/an385", "m3", "Cortex-M3",
          ("qemu-system-arm", "-machine", "mps2-an385", "-cpu", "cortex-m3", "-vga", "none"),
          ("thumb", "loop"), "cortex-m3", True),
    Board("mps2/an521/cpu0", "m33", "Cortex-M33",
          ("qemu-system-arm", "-machine", "mps2-an521", "-cpu", "cortex-m33"),
          ("thumb", "loop"), "cortex-m33", True),
    # ARMv6-M code on QEMU's Cortex-M3: QEMU's only Cortex-M0 has 16 KB of RAM.
    Board("mps2/an383/qemu", "m0plus", "Cortex-M0+ code",
          ("qemu-system-arm", "-machine", "mps2-an385", "-cpu", "cortex-m3", "-vga", "none"),
          ("thumb", "loop"), "cortex-m0plus", True),
    Board("qemu_riscv32", "rv32", "RV32IMA",
          ("qemu-system-riscv32", "-machine", "virt", "-bios", "none", "-m", "256",
           "-cpu", "rv32"),
          ("riscv", "threaded", "loop"), "rv32ima", True),
)}

# The chip itself, in cycles as the manual of the Cortex-M0+ has them: a taken branch takes two. Not in the tables of
# doc/benchmarks.md, but in doc/study.md.
RP2040 = Board("rpi_pico", "rp2040", "RP2040", (), ("thumb",), "cortex-m0plus", True, unit="cycles", passes=(3, 6),
               workloads=("bubble", "crc16", "bubble_rust", "crc16_rust"))


def find(text):
    """The board with this name or short name."""
    for board in (*BOARDS.values(), RP2040):
        if text in (board.name, board.short):
            return board
    raise SystemExit(f"bench: no board {text!r}; known: " +
                     ", ".join(f"{b.name} ({b.short})" for b in BOARDS.values()))
