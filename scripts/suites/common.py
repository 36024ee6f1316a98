# SPDX-License-Identifier: Apache-2.0
"""Holds what the suites of the test command share: counts, commands on the workstation, twister."""

import io
import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import devenv

RUST = devenv.REPO / "rust"
# Boards whose emulator or native build runs here, and what each stands for.
RUN_PLATFORMS = [
    "native_sim/native/64",
    "qemu_cortex_m3",
    "mps2/an385",
    "mps2/an521/cpu0",
    "mps2/an383/qemu",
    "mps2/an386/qemu",
    "qemu_riscv32",
]
# Boards that these suites only build. rpi_pico also runs, in scripts/rp2040.py.
BUILD_PLATFORMS = ["nrf5340dk/nrf5340/cpuapp", "rpi_pico", "esp32c6_devkitc/esp32c6/hpcore"]

# Builds at once: one more than processors, as each has parts that run alone.
JOBS = (os.cpu_count() or 1) + 1
# Of twister's 60 s for a test. Before it starts, its firmware is looked at once more, and that may have to
# wait for another firmware's turn at cargo.
PATIENCE = 5

# What the command line chose.
OPTIONS = {"all_boards": False}


@dataclass
class Count:
    """Tests by outcome."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def stream(command, cwd, env=None):
    """Runs a command, shows its output, returns (exit code, output)."""
    print("$ " + " ".join(str(part) for part in command), flush=True)
    lines = []
    with subprocess.Popen([str(p) for p in command], cwd=cwd, env=env, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            lines.append(line)
            print(line, end="", flush=True)
    return process.returncode, "".join(lines)


class OutputOfThreads(io.TextIOBase):
    """Keeps what each thread prints, and writes what threads without a buffer print."""

    def __init__(self, out):
        super().__init__()
        self.out = out
        self.buffers = threading.local()

    def shown(self):
        """What the output of this thread is written to."""
        out = getattr(self.buffers, "now", self.out)
        return out.shown() if isinstance(out, OutputOfThreads) else out

    def write(self, text):
        return self.shown().write(text)

    def flush(self):
        self.out.flush()


def together(tasks):
    """Runs tasks at the same time, one for each processor; their results, in their order.

    A task mostly waits for one emulator or compiler, which leaves the other processors idle. The output of
    each task is shown in one piece when the task has ended. A task may run tasks of its own like this.
    """
    output = OutputOfThreads(sys.stdout)
    shown = sys.stdout.shown() if isinstance(sys.stdout, OutputOfThreads) else sys.stdout

    def run(task):
        output.buffers.now = io.StringIO()
        try:
            return task()
        finally:
            text = output.buffers.now.getvalue()
            del output.buffers.now
            shown.write(text)
            shown.flush()

    sys.stdout = output
    try:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return list(pool.map(run, tasks))
    finally:
        sys.stdout = output.out


def cargo(arguments, folder=RUST):
    """Runs a cargo test command on the workstation and counts its tests."""
    code, text = stream(["cargo"] + arguments, folder)
    count = Count()
    for match in re.finditer(r"^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored", text, re.MULTILINE):
        count += Count(*(int(n) for n in match.groups()))
    if code != 0 and count.failed == 0:
        count.failed += 1
    if code == 0 and count.passed == 0:
        print("no test was executed")
        count.failed += 1
    return count


def count_of(code, text):
    """The Count that a command printed as `N passed, N failed, N skipped`; a failure if it printed none."""
    match = re.findall(r"^(?:\w+: )?(\d+) passed, (\d+) failed, (\d+) skipped\s*$", text, re.MULTILINE)
    count = Count(*(int(n) for n in match[-1])) if match else Count(failed=1)
    return count + Count(failed=1) if code != 0 and count.failed == 0 else count


def counted(command, cwd, env=None):
    """Runs a command that ends with a line `N passed, N failed, N skipped`, and returns that Count."""
    return count_of(*stream(command, cwd, env))


def twister(name, roots, platforms, extra, all_boards=False, variables=None):
    """Runs twister; counts executed test cases, or builds if nothing is to be executed.

    Each application is run on its integration_platforms: a selection in which each suite meets
    the instruction sets that it depends on. With all_boards it is run wherever it can be.
    The variables are added to its environment.
    """
    env = devenv.environment()
    if env is None:
        print(f"{name}: skipped, no Zephyr workspace can be had here")
        return Count(skipped=len(platforms))
    env.update(variables or {})
    out = devenv.BUILD / "twister" / name
    # Build folders go as soon as their tests pass, but for the logs: the next run would clear them in any case.
    command = ["west", "twister", "--outdir", out, "--clobber-output", "--runtime-artifact-cleanup", "pass",
               "--force-toolchain", "-W", f"-j{JOBS}", "--timeout-multiplier", str(PATIENCE),
               "--inline-logs", "--no-detailed-test-id", "--board-root", devenv.REPO / "boards"]
    for root in roots:
        command += ["-T", devenv.REPO / root]
    for platform in platforms:
        command += ["-p", platform]
    if not (all_boards or OPTIONS["all_boards"]):
        command.append("--integration")
    command += [f"-x=EXTRA_ZEPHYR_MODULES={devenv.REPO}"] + extra
    code, _ = stream(command, devenv.find_zephyr(), env)
    report = out / "twister.json"
    count = Count()
    if report.is_file():
        for suite in json.loads(report.read_text(encoding="utf-8"))["testsuites"]:
            built = suite.get("status") == "not run" and "--build-only" in extra
            for case in suite.get("testcases") or [{"status": suite.get("status")}]:
                status = case.get("status")
                if status == "passed" or (built and status == "not run"):
                    count.passed += 1
                elif status in ("filtered", "skipped", "not run"):
                    count.skipped += 1
                else:
                    print(f"{name}: {suite['platform']} {suite['name']}: {case.get('identifier', '')} {status}")
                    count.failed += 1
    if count.passed == 0 or (code != 0 and count.failed == 0):
        print(f"{name}: twister executed nothing or failed with exit code {code}")
        count.failed += 1
    return count
