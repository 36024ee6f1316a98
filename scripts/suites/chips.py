# SPDX-License-Identifier: Apache-2.0
"""Samples on a chip that QEMU does not have, in the emulator labwired of PyPI."""

import os
import re
import subprocess
import sys

import devenv

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


def emulator():
    """Installs the emulator. Returns its folder, or None where PyPI is not reached."""
    folder = OUT / "labwired"
    done = folder / "done"
    if not (done.is_file() and done.read_text(encoding="utf-8") == PACKAGE):
        folder.mkdir(parents=True, exist_ok=True)
        pin = OUT / "requirements.txt"
        pin.write_text(" ".join([PACKAGE, *(f"--hash={value}" for value in HASHES)]) + "\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:", "--require-hashes",
                   "--upgrade", "--target", folder, "-r", pin]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return None
        done.write_text(PACKAGE, encoding="utf-8")
    return folder


def expected(sample):
    """Returns the lines that a sample prints, as regular expressions: those of its sample.yaml."""
    text = (devenv.REPO / "samples" / sample / "sample.yaml").read_text(encoding="utf-8")
    return re.findall(r'^      - "(.*)"$', text[text.index("regex:"):], re.MULTILINE)


def run(board, system, sample, env, folder):
    """Builds a sample and runs it. Returns what went wrong, or None."""
    build = OUT / f"{sample}-{board.split('/')[0]}"
    west = devenv.find_tool(str(devenv.VENV / "bin" / "west"), "west")
    command = [west, "build", "-p", "auto", "-b", board, "-d", build, devenv.REPO / "samples" / sample, "--",
               "-DCONFIG_MINIMAL_LIBC=y", f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}"]
    print("$ " + " ".join(str(part) for part in command), flush=True)
    done = subprocess.run([str(part) for part in command], env=env, cwd=devenv.find_zephyr(), check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        return f"it could not be built:\n{done.stdout[-4000:]}"
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
    folder = emulator()
    if folder is None:
        print(f"chips: {PACKAGE} cannot be installed from PyPI")
        return Count(skipped=len(RUNS))
    count = Count()
    for board, system, sample in RUNS:
        wrong = run(board, system, sample, env, folder)
        print(f"chips: {sample} on {board}: {'passed' if wrong is None else 'FAILED: ' + wrong}", flush=True)
        count += Count(passed=wrong is None, failed=wrong is not None)
    return count
