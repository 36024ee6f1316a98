# SPDX-License-Identifier: Apache-2.0
"""Other people's programs: of every toolchain, and modules out of packages."""

import devenv
import packages
import programs

from suites.common import Count, twister
from suites.desk import build_wisp


def on_the_desk():
    """Runs programs of every toolchain beside native ones, and modules out of packages beside wasmi and node."""
    tool = build_wisp()
    if not tool:
        return Count(failed=1)
    rows = programs.check_all(tool) + packages.check_all(tool)
    text = programs.table(rows)
    path = devenv.BUILD / "programs" / "table.md"
    devenv.write_if_changed(path, text)
    print(text + f"\nwritten to {path}")
    failed, skipped = (sum(getattr(row, state) for row in rows) for state in ("failed", "skipped"))
    return Count(len(rows) - failed - skipped, failed, skipped)


def on_boards():
    """Runs one guest of each toolchain in a firmware."""
    module, missing = programs.firmware_module()
    if missing:
        print(f"programs: the firmware with one guest of each toolchain is skipped: {missing}")
        return Count(skipped=4)
    return twister("programs", ["tests/programs"], ["mps2/an385", "qemu_riscv32", "qemu_cortex_m3"],
                   ["-x=CONFIG_MINIMAL_LIBC=y", f"-x=PROGRAM_IN_ASSEMBLYSCRIPT={module}"])


def select_programs():
    """Other people's programs: of every toolchain, and modules out of packages of npm, PyPI and crates.io."""
    return on_the_desk() + on_boards()
