# SPDX-License-Identifier: Apache-2.0
"""Samples on a chip that QEMU does not have, in the emulator labwired of PyPI."""

import os
import re
import subprocess
import sys

import devenv
from rp2040_firmware import Firmwares

from suites.common import Count

OUT = devenv.BUILD / "chips"
PACKAGE = "labwired==0.25.0"
# Of the packages for Linux on x86-64 and on Arm.
HASHES = ("sha256:af16664e817becff4bca9c4915cf1ca2df9efa3e97d044f7a33c654244567e71",
          "sha256:a6f1c8604f6360e9d132a5e2e5fcf61e3e24a2605e0c9e82c8f9720ef025d4cc")
# Zephyr's board, the emulator's system, and the sample.
RUNS = [
    ("nrf5340dk/nrf5340/cpuapp", "nrf5340dk", "hello"),
    ("nrf5340dk/nrf5340/cpuapp", "nrf5340dk", "blinky"),
]
# Of the chip's time, in seconds, and of this machine's.
CHIP_SECONDS, PATIENCE = 10, 900
# Prints what a firmware wrote to its console: arguments are the firmware, the system, seconds, and the last line to wait for.
RUN = """
import sys
import labwired
from pathlib import Path
firmware, system, seconds, last = sys.argv[1:]
system = Path(labwired.__file__).parent / "configs" / "systems" / (system + ".yaml")
with labwired.Sim(firmware, system=system) as chip:
    try:
        chip.expect(last, timeout=seconds + "s")
    except labwired.ExpectTimeout as timeout:
        print(timeout, file=sys.stderr)
    print(chip.uart_transcript())
"""


def expected(sample):
    """Returns the lines that a sample prints, as regular expressions: those of its sample.yaml."""
    text = (devenv.REPO / "samples" / sample / "sample.yaml").read_text(encoding="utf-8")
    return re.findall(r'^      - "(.*)"$', text[text.index("regex:"):], re.MULTILINE)


def run(board, system, sample, env, folder):
    """Builds a sample and runs it. Returns what went wrong, or None."""
    build = OUT / f"{sample}-{board.split('/')[0]}"
    try:
        Firmwares(env).build([board], f"samples/{sample}", build, [])
    except AssertionError as error:
        return str(error)
    lines = expected(sample)
    done = subprocess.run([sys.executable, "-c", RUN, build / "zephyr" / "zephyr.elf", system, str(CHIP_SECONDS), lines[-1]],
                          env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False,
                          timeout=PATIENCE)
    rest = done.stdout
    for line in lines:
        found = re.search(line, rest)
        if not found:
            return f"nothing matches {line!r} in\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
        rest = rest[found.end():]
    return None


def select_chips():
    """Runs samples on a model of the nRF5340."""
    env = devenv.environment()
    if env is None:
        print("chips: there is no Zephyr workspace; run 'make setup'")
        return Count(skipped=len(RUNS))
    folder = devenv.pinned(OUT / "labwired", PACKAGE, *HASHES)
    if folder is None:
        print(f"chips: {PACKAGE} cannot be installed from PyPI")
        return Count(skipped=len(RUNS))
    count = Count()
    for board, system, sample in RUNS:
        wrong = run(board, system, sample, env, folder)
        print(f"chips: {sample} on {board}: {'passed' if wrong is None else 'FAILED: ' + wrong}", flush=True)
        count += Count(passed=wrong is None, failed=wrong is not None)
    return count
