# SPDX-License-Identifier: Apache-2.0
"""Other people's programs: of every toolchain, and modules out of packages."""

import sys

import devenv
import programs

from suites.common import RUST, Count, counted, stream, twister
from suites.desk import HOST_TOOLS


def toolchains():
    """Runs programs of every toolchain on the desk, compared with native ones, and one guest of each on boards."""
    code, _ = stream(["cargo", "build", "--locked", "--release", "-q", "-p", "wisp-cli", "--target-dir", HOST_TOOLS],
                     RUST)
    if code != 0:
        return Count(failed=1)
    rows, skipped = programs.check_all(HOST_TOOLS / "release" / "wisp")
    text = programs.table(rows)
    path = devenv.BUILD / "programs" / "table.md"
    devenv.write_if_changed(path, text)
    print(text + f"\nwritten to {path}")
    failed = sum(row.failed for row in rows)
    count = Count(len(rows) - failed, failed, len(skipped))
    module, missing = programs.firmware_module()
    if missing:
        print(f"programs: the firmware with one guest of each toolchain is skipped: {missing}")
        return count + Count(skipped=4)
    return count + twister("programs", ["tests/programs"], ["mps2/an385", "qemu_riscv32", "qemu_cortex_m3"],
                           ["-x=CONFIG_MINIMAL_LIBC=y", f"-x=PROGRAM_IN_ASSEMBLYSCRIPT={module}"])


def packages():
    """Runs modules out of packages of npm, PyPI and crates.io beside wasmi and node."""
    return counted([sys.executable, devenv.REPO / "scripts" / "packages.py"], devenv.REPO)


def select_programs():
    """Other people's programs: of every toolchain, and modules out of packages of npm, PyPI and crates.io."""
    return toolchains() + packages()
