#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the test suites and ends with one line: N passed, N failed, N skipped.

Each suite is a function that returns a Count. Suites that need Zephyr count as skipped
where no workspace can be had, and say so.
"""

import argparse
import json
import re
import subprocess
import sys
import time
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
    "qemu_riscv32",
]
# Boards that are only built: there is no emulator for their chips.
BUILD_PLATFORMS = ["nrf5340dk/nrf5340/cpuapp", "rpi_pico", "esp32c6_devkitc/esp32c6/hpcore"]


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


def cargo(arguments):
    """Runs a cargo test command on the desk and counts its tests."""
    code, text = stream(["cargo"] + arguments, RUST)
    count = Count()
    for match in re.finditer(r"^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored", text, re.M):
        count += Count(*(int(n) for n in match.groups()))
    if code != 0 and count.failed == 0:
        count.failed += 1
    if code == 0 and count.passed == 0:
        print("no test was executed")
        count.failed += 1
    return count


def suite_unit():
    """Unit and integration tests of the host crates."""
    return cargo(["test", "--locked", "--workspace", "--exclude", "wisp-spec", "--exclude", "wisp-port"])


def suite_spec():
    """The official suite, in release: it executes tens of thousands of assertions."""
    code, text = stream(["cargo", "run", "--locked", "--release", "-q", "-p", "wisp-spec"], RUST)
    match = re.findall(r"^(?:\w+: )?(\d+) passed, (\d+) failed, (\d+) skipped\s*$", text, re.M)
    count = Count(*(int(n) for n in match[-1])) if match else Count(failed=1)
    if code != 0 and count.failed == 0:
        count.failed += 1
    return count


def twister(name, roots, platforms, extra):
    """Runs twister; counts executed test cases, or builds if nothing is to be executed."""
    env = devenv.environment()
    if env is None:
        print(f"{name}: skipped, no Zephyr workspace can be had here")
        return Count(skipped=len(platforms))
    out = devenv.BUILD / "twister" / name
    command = ["west", "twister", "--outdir", out, "--clobber-output", "--force-toolchain", "-W", "-j2",
               "--inline-logs", "--no-detailed-test-id", "--board-root", devenv.REPO / "boards"]
    for root in roots:
        command += ["-T", devenv.REPO / root]
    for platform in platforms:
        command += ["-p", platform]
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


def suite_zephyr():
    """Twister suites and samples on all boards that run here."""
    return twister("zephyr", ["tests", "samples"], RUN_PLATFORMS, ["-x=CONFIG_MINIMAL_LIBC=y"])


def suite_boards():
    """The blinky sample, built for boards without an emulator."""
    return twister("boards", ["samples/blinky"], BUILD_PLATFORMS, ["--build-only"])


def suite_lifecycle():
    """An app's life on flash: power cuts on the desk, a real SMP client on native_sim and in QEMU."""
    count = cargo(["test", "--locked", "-p", "wisp-storage", "-p", "wisp-trust",
                   "--features", "wisp-trust/sign"])
    if devenv.environment() is None:
        print("lifecycle: the client's part is skipped, no Zephyr workspace can be had here")
        return count + Count(skipped=1)
    code, text = stream([sys.executable, devenv.REPO / "tests" / "lifecycle" / "run.py"], devenv.REPO)
    match = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", text, re.M)
    client = Count(*(int(n) for n in match[-1])) if match else Count(failed=1)
    if code != 0 and client.failed == 0:
        client.failed += 1
    return count + client


SUITES = {
    "unit": suite_unit,
    "spec": suite_spec,
    "zephyr": suite_zephyr,
    "boards": suite_boards,
    "lifecycle": suite_lifecycle,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", nargs="?", default="all", help="all or one of: " + " ".join(SUITES))
    name = parser.parse_args().suite
    if name != "all" and name not in SUITES:
        parser.error(f"no suite '{name}'; expected all or one of: {' '.join(SUITES)}")
    chosen = SUITES if name == "all" else {name: SUITES[name]}
    total = Count()
    lines = []
    for key, suite in chosen.items():
        print(f"\n== {key}: {suite.__doc__.splitlines()[0]}", flush=True)
        start = time.monotonic()
        count = suite()
        lines.append(f"  {key:8} {count} ({time.monotonic() - start:.0f} s)")
        total += count
    print("\n" + "\n".join(lines))
    print(total, flush=True)
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
