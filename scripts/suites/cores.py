# SPDX-License-Identifier: Apache-2.0
"""samples/hello on processors for which Wisp has no interpreter in assembly: the portable loop runs there."""

import devenv

from suites.common import Count, twister

# Zephyr's board, the Rust target of its code, the compiler and the emulator.
CORES = [
    ("qemu_x86_64", "x86_64-unknown-none", "x86_64-linux-gnu-gcc", "qemu-system-x86_64"),
    ("qemu_cortex_a53", "aarch64-unknown-none", "aarch64-linux-gnu-gcc", "qemu-system-aarch64"),
    ("qemu_riscv64", "riscv64imac-unknown-none-elf", "riscv64-unknown-elf-gcc", "qemu-system-riscv64"),
]


def missing(rust, compiler, emulator):
    """Returns why a core cannot be run here, or None."""
    for tool in (compiler, emulator):
        if not devenv.find_tool(tool):
            return f"there is no {tool}"
    found, _ = devenv.rust_environment([rust])
    return None if found is not None else f"no Rust compiler here can build for {rust}: rustup target add {rust}"


def select_cores():
    """Runs a C guest on x86, Arm and RISC-V with 64 bits."""
    count, boards = Count(), []
    for board, *needed in CORES:
        reason = missing(*needed)
        if reason:
            print(f"cores: {board} is skipped, {reason}")
            count += Count(skipped=1)
        else:
            boards.append(board)
    if not boards:
        return count
    return count + twister("cores", ["samples/hello"], boards, ["-x=CONFIG_MINIMAL_LIBC=y"], all_boards=True)
