# SPDX-License-Identifier: Apache-2.0
"""Builds rust/bare for emulated boards and runs it there: the engine's suites without Zephyr.

Everybody has these: they take a Rust for the boards, QEMU and, for native code, a cross compiler.
"""

import os
import re
import subprocess
from dataclasses import dataclass, replace

import devenv

from suites.common import RUST

# What a run may take, in seconds: far more than on the slowest machine.
PATIENCE = 1200


@dataclass(frozen=True)
class Board:
    """An emulated board: what is built for it, and where it has memory. Regions are (address, bytes)."""

    name: str
    title: str
    rust: str
    # As `wisp build --target` has it.
    native: str
    qemu: tuple
    # The tape lies where the processor executes code.
    tape: tuple
    heap: tuple
    stack: int
    arena: tuple
    # The board whose native code of the whole suite it runs. Compiling that takes a minute of processor time or
    # more, so that only the files of OWN_CODE and the programs are compiled for this processor.
    shares_code_of: str = ""
    # More Cargo features, for another tier of the interpreter, and whether the default ones are built in.
    features: tuple = ()
    default_features: bool = True


def mps2(name, title, rust, native, machine, memory):
    """A board of Arm's MPS2 family: 4 MB of memory for code, 2 or 4 MB of RAM, 16 MB of PSRAM, at these addresses."""
    code, ram, psram = memory
    return Board(name, title, rust, native, ("qemu-system-arm", "-machine", machine), tape=(code + 0x40000, 0x3C0000),
                 heap=(ram + 0x4000, 0x100000), stack=ram + 0x200000, arena=(psram, 16 << 20))


def virt(name, features=()):
    """QEMU's own RV32 board, with 256 MB of RAM."""
    return Board(name, "RV32IMAC", "riscv32imac-unknown-none-elf", "rv32imac",
                 ("qemu-system-riscv32", "-machine", "virt", "-bios", "none", "-m", "256"),
                 tape=(0x80400000, 0x4000000), heap=(0x84400000, 0x100000), stack=0x84800000,
                 arena=(0x88000000, 128 << 20), features=features)


# Where a Cortex-M33 sees memory in its secure state, in which it begins.
SECURE = (0x10000000, 0x38000000, 0x80000000)
BOARDS = [
    mps2("cortex-m3", "Cortex-M3", "thumbv7m-none-eabi", "cortex-m3", "mps2-an385", (0, 0x20000000, 0x21000000)),
    replace(mps2("cortex-m33", "Cortex-M33", "thumbv8m.main-none-eabi", "cortex-m33", "mps2-an521", SECURE),
            shares_code_of="cortex-m3"),
    # QEMU's only Cortex-M0 has 16 KB of RAM. Its Cortex-M33 executes the same code, and faults on misaligned
    # accesses when told to; its Cortex-M3 does not.
    mps2("cortex-m0plus", "Cortex-M0+ code", "thumbv6m-none-eabi", "cortex-m0plus", "mps2-an521", SECURE),
    virt("rv32"),
]
# The interpreter's other tiers.
THREADED = virt("rv32", ("threaded-code",))
PORTABLE = virt("rv32", ("interp-loop",))
# Engines without what may be left out, by the interpreter and by native code alone.
BARE_M3 = replace(BOARDS[0], default_features=False)
WITHOUT_FEATURES = [replace(BARE_M3, features=("interpreter",)), replace(BARE_M3, features=("native",)),
                    replace(THREADED, default_features=False, features=("interpreter",))]


def missing(boards):
    """Why the boards cannot be built or emulated here; None if they can."""
    for board in boards:
        if not devenv.find_tool(board.qemu[0]):
            return f"there is no {board.qemu[0]}"
    found, reason = devenv.rust_environment(sorted({board.rust for board in boards}))
    return reason if found is None else None


def build(board):
    """Builds the program; its path, or None. cargo keeps one for each set of features, so they are copied."""
    found, _ = devenv.rust_environment([board.rust])
    beside = os.path.join(os.path.dirname(found.get("RUSTC", "")), "cargo")
    folder = devenv.BUILD / "cargo" / "bare"
    command = [beside if os.path.isfile(beside) else "cargo", "build", "--locked", "--release", "-q",
               "--manifest-path", RUST / "bare" / "Cargo.toml", "--target", board.rust, "--target-dir", folder]
    command += [] if board.default_features else ["--no-default-features"]
    command += ["--features", ",".join(board.features)] if board.features else []
    env = {name: value for name, value in os.environ.items() if name not in ("RUSTFLAGS", "CARGO_BUILD_TARGET")}
    if subprocess.run([str(part) for part in command], env={**env, **found}, check=False).returncode:
        return None
    words = [board.name, *([] if board.default_features else ["only"]), *board.features]
    copy = devenv.BUILD / "bare" / "-".join(words)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes((folder / board.rust / "release" / "wisp-bare").read_bytes())
    return copy


def run(board, program, command, log, tape=None, native=0, more=()):
    """Runs the program on the emulated board and keeps what it prints in a log; (exit code, text).

    `more` are further words of the command line.
    """
    region = "{}:{}".format
    words = ["wisp-bare", command, f"heap={region(*board.heap)}", f"stack={board.stack}",
             f"arena={region(*board.arena)}", *more]
    loader = []
    if tape:
        address, room = board.tape
        size = tape.stat().st_size
        if size > room:
            return 1, f"{tape}: {size} bytes, the board has {room} for it\n"
        words += [f"tape={address}:{size}", f"native={native}"]
        loader = ["-device", f"loader,file={tape},addr={address:#x},force-raw=on"]
    emulator = [*board.qemu, "-nographic", "-monitor", "none", "-serial", "none", *loader, "-kernel", program,
                "-semihosting-config", ",".join(["enable=on,target=native", *(f"arg={word}" for word in words)])]
    try:
        done = subprocess.run([str(part) for part in emulator], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=PATIENCE, check=False)
        code, text = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        code, text = 1, (error.stdout or b"").decode(errors="replace") + f"did not end within {PATIENCE} s\n"
    devenv.write_if_changed(log, re.sub(r"\r\n", "\n", text))
    return code, text
