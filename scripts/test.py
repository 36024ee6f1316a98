#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the test suites and ends with one line: N passed, N failed, N skipped.

Each suite is a function that returns a Count. Suites that need Zephyr count as skipped
where no workspace can be had, and say so.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass

import devenv
import guest
import spec_targets
from holes import HOLES

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
# Where the official suite runs, on the back end of each instruction set.
SPEC_PLATFORMS = ["mps2/an385", "mps2/an521/cpu0", "mps2/an383/qemu", "qemu_riscv32"]
# Boards that are only built: there is no emulator for their chips.
BUILD_PLATFORMS = ["nrf5340dk/nrf5340/cpuapp", "rpi_pico", "esp32c6_devkitc/esp32c6/hpcore"]

# Builds at once: one more than processors, as each has parts that run alone.
JOBS = (os.cpu_count() or 1) + 1
# Of twister's 60 s for a test. Before it starts, its firmware is looked at once more, and that may have to
# wait for another firmware's turn at cargo.
PATIENCE = 5

# Whether all suites run on all boards.
ALL_BOARDS = False

# What the official suite printed on the desk.
DESK_LOG = devenv.BUILD / "spec" / "desk.log"


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


def cargo(arguments, folder=RUST):
    """Runs a cargo test command on the desk and counts its tests."""
    code, text = stream(["cargo"] + arguments, folder)
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


def spec(arguments, keep=None):
    """The official suite, in release: it executes tens of thousands of assertions."""
    code, text = stream(["cargo", "run", "--locked", "--release", "-q", "-p", "wisp-spec", "--"] + arguments, RUST)
    if keep:
        devenv.write_if_changed(keep, text)
    match = re.findall(r"^(?:\w+: )?(\d+) passed, (\d+) failed, (\d+) skipped\s*$", text, re.M)
    count = Count(*(int(n) for n in match[-1])) if match else Count(failed=1)
    if code != 0 and count.failed == 0:
        count.failed += 1
    return count


def suite_fuzz():
    """A fixed number of seeded runs of each fuzz target; all orders of interrupts in event queue and stop path."""
    return cargo(["test", "--locked"], RUST / "fuzz")


def suite_spec():
    """The official suite on the desk, in the interpreter."""
    return spec([], DESK_LOG)


def suite_targets():
    """The official suite, interpreted and as native code, and every form of every op on the targets."""
    if not DESK_LOG.is_file():
        spec([], DESK_LOG)
    count = twister("targets", ["tests/spec"], SPEC_PLATFORMS, ["-x=CONFIG_MINIMAL_LIBC=y"])
    if count.skipped and not count.passed and not count.failed:
        return count
    desk = spec_targets.desk_counts(DESK_LOG.read_text(encoding="utf-8"))
    targets = spec_targets.read(devenv.BUILD / "twister" / "targets")
    text = spec_targets.table(desk, targets)
    path = devenv.BUILD / "spec" / "targets.md"
    devenv.write_if_changed(path, text)
    print(text + f"\nwritten to {path}")
    problems = [problem for target in targets for problem in target.failures + target.problems(desk)]
    expected = [(platform, tier) for platform in SPEC_PLATFORMS for tier in ("target", "native")]
    expected.append(("qemu_riscv32", "threaded"))
    problems += [f"{platform}, {tier} did not run" for platform, tier in expected
                 if not any(target.tier == tier and target.platform.startswith(re.sub(r"\W", "_", platform))
                            for target in targets)]
    for problem in problems:
        print("targets: " + problem)
    assertions = Count()
    for target in (target for target in targets if target.suite and target.forms):
        assertions += Count(*target.suite[:3]) + Count(target.forms[0], target.forms[1])
    if problems and not assertions.failed:
        assertions.failed += len(problems)
    if count.failed and not assertions.failed:
        assertions.failed += count.failed
    return assertions


def twister(name, roots, platforms, extra, all_boards=False):
    """Runs twister; counts executed test cases, or builds if nothing is to be executed.

    Each application is run on its integration_platforms: a selection in which each suite meets
    the instruction sets that it depends on. With all_boards it is run wherever it can be.
    """
    env = devenv.environment()
    if env is None:
        print(f"{name}: skipped, no Zephyr workspace can be had here")
        return Count(skipped=len(platforms))
    out = devenv.BUILD / "twister" / name
    # Build folders go as soon as their tests pass, but for the logs: the next run would clear them in any case.
    command = ["west", "twister", "--outdir", out, "--clobber-output", "--runtime-artifact-cleanup", "pass",
               "--force-toolchain", "-W", f"-j{JOBS}", "--timeout-multiplier", str(PATIENCE),
               "--inline-logs", "--no-detailed-test-id", "--board-root", devenv.REPO / "boards"]
    for root in roots:
        command += ["-T", devenv.REPO / root]
    for platform in platforms:
        command += ["-p", platform]
    if not (all_boards or ALL_BOARDS):
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


def suite_zephyr():
    """Twister suites and samples on the boards that run here."""
    return twister("zephyr", ["tests", "samples"], RUN_PLATFORMS,
                   ["-x=CONFIG_MINIMAL_LIBC=y", "--exclude-tag", "spec", "--exclude-tag", "lifecycle"])


PERIPHERAL_SAMPLES = ["samples/blinky", "samples/sensor_logger", "samples/thermostat", "samples/uart_bridge"]


def suite_boards():
    """The samples with peripherals and the updatable one, built for boards without an emulator."""
    samples = [*PERIPHERAL_SAMPLES, "samples/updatable_app"]
    # The default library would be compiled for each build folder; Espressif's port needs it.
    return (twister("boards_minimal_libc", samples, BUILD_PLATFORMS[:2], ["--build-only", "-x=CONFIG_MINIMAL_LIBC=y"])
            + twister("boards", samples, BUILD_PLATFORMS[2:], ["--build-only"]))


def suite_guests():
    """Guests of examples, samples and templates: built with stock tools, run on the simulated board."""
    found, reason = devenv.rust_environment([guest.TARGET])
    if found is None:
        print(f"guests: skipped, {reason}")
        return Count(skipped=1)
    rustc = found.get("RUSTC", devenv.find_tool("rustc"))
    tools = devenv.BUILD / "cargo" / "host"
    code, _ = stream(["cargo", "build", "--locked", "--release", "-q", "-p", "wisp-cli", "--target-dir", tools], RUST)
    linker, _ = guest.wasm_linker(rustc)
    if code != 0 or not linker:
        print("guests: no `wisp`, or no linker for wasm (lld, or a rustup toolchain)")
        return Count(failed=1)
    found["CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"] = linker
    beside = os.path.join(os.path.dirname(rustc), "cargo")
    env = {**os.environ, "WISP": str(tools / "release" / "wisp"),
           "GUEST_ENV": " ".join(f"{name}={value}" for name, value in found.items()),
           "GUEST_CARGO": beside if os.path.isfile(beside) else "cargo",
           "GUEST_TARGET_DIR": str(devenv.BUILD / "cargo" / "guest")}
    code, text = stream(["sh", devenv.REPO / "guest" / "check.sh", devenv.BUILD / "guests"], devenv.REPO, env)
    match = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", text, re.M)
    count = Count(*(int(n) for n in match[-1])) if match else Count(failed=1)
    if code != 0 and count.failed == 0:
        count.failed += 1
    return count


def suite_budgets():
    """Instructions and bytes on a Cortex-M3 within bench/budgets.toml; the core goes from op to op without calls."""
    if devenv.environment() is None:
        print("budgets: skipped, no Zephyr workspace can be had here")
        return Count(skipped=1)
    bench = [sys.executable, devenv.REPO / "scripts" / "bench.py", "--board", "m3",
             "--results", devenv.BUILD / "bench" / "budgets.json"]
    code, _ = stream([*bench, "--runtime", "wisp:thumb"], devenv.REPO)
    if code != 0:
        return Count(failed=1)
    code, text = stream([*bench, "--check"], devenv.REPO)
    match = re.findall(r"^(\d+) budgets checked, (\d+) exceeded$", text, re.M)
    checked, exceeded = (int(n) for n in match[-1]) if match else (0, 1)
    return Count(passed=checked - exceeded, failed=exceeded or int(code != 0))


def suite_lifecycle():
    """An app's life: power cuts on the desk; messages, heartbeats, a real SMP client, a soak on targets."""
    count = cargo(["test", "--locked", "-p", "wisp-storage", "-p", "wisp-trust",
                   "--features", "wisp-trust/sign"])
    if devenv.environment() is None:
        print("lifecycle: the client's part is skipped, no Zephyr workspace can be had here")
        return count + Count(skipped=1)
    count += twister("messages", ["tests/messages"], ["native_sim/native/64", "qemu_cortex_m3"],
                     ["-x=CONFIG_MINIMAL_LIBC=y"])
    code, text = stream([sys.executable, devenv.REPO / "tests" / "lifecycle" / "run.py"], devenv.REPO)
    match = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", text, re.M)
    client = Count(*(int(n) for n in match[-1])) if match else Count(failed=1)
    if code != 0 and client.failed == 0:
        client.failed += 1
    return count + client


def select_limits():
    """Limits: the engine's tests on the desk; each limit, the bounds of stops, engines without features on boards."""
    return (cargo(["test", "--locked", "-p", "wisp-engine", "--test", "limits"])
            + twister("limits", ["tests/limits", "tests/features"], RUN_PLATFORMS, ["-x=CONFIG_MINIMAL_LIBC=y"],
                      all_boards=True))


def select_aot():
    """Native code: the translator, the official suite on it, signatures, loader and stop on every board."""
    return (cargo(["test", "--locked", "-p", "wisp-aotc", "-p", "wisp-trust", "--features", "wisp-trust/sign"])
            + cargo(["test", "--locked", "--test", "some", "native"], RUST / "fuzz")
            + spec(["--tier", "native"])
            + twister("aot", ["tests/aot", "tests/native_minimal", "tests/user_mode"], RUN_PLATFORMS,
                      ["-x=CONFIG_MINIMAL_LIBC=y"], all_boards=True))


def select_peripherals():
    """Peripherals under grant: host functions, the simulated board, Zephyr's emulated devices."""
    return (cargo(["test", "--locked", "-p", "wisp-abi", "-p", "wisp-host", "-p", "wisp-sim", "--features",
                   "wisp-abi/render"])
            + suite_guests()
            + twister("peripherals", ["tests/peripherals", "tests/kv", *PERIPHERAL_SAMPLES], RUN_PLATFORMS,
                      ["-x=CONFIG_MINIMAL_LIBC=y"], all_boards=True)
            + suite_boards())


def select_holes():
    """Attacks that once went through, by name."""
    count = Count()
    for attack, arguments in HOLES:
        print(f"\n-- {attack}", flush=True)
        count += cargo(["test", "--locked", *arguments])
    return count


# What `make test` runs.
SUITES = {
    "unit": suite_unit,
    "fuzz": suite_fuzz,
    "spec": suite_spec,
    "targets": suite_targets,
    "zephyr": suite_zephyr,
    "boards": suite_boards,
    "guests": suite_guests,
    "lifecycle": suite_lifecycle,
    "budgets": suite_budgets,
}
# Views of one concern, run by name only, on all boards that run here.
SELECTIONS = {
    "limits": select_limits,
    "aot": select_aot,
    "peripherals": select_peripherals,
    "holes": select_holes,
}


def main():
    global ALL_BOARDS
    known = {**SUITES, **SELECTIONS}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", default=["all"], help="all or some of: " + " ".join(known))
    parser.add_argument("--boards", choices=["integration", "all"], default="integration",
                        help="each Zephyr application on its integration_platforms, or on all boards that run here")
    arguments = parser.parse_args()
    names = arguments.suites
    ALL_BOARDS = arguments.boards == "all"
    for name in names:
        if name != "all" and name not in known:
            parser.error(f"no suite '{name}'; expected all or some of: {' '.join(known)}")
    chosen = SUITES if "all" in names else {name: known[name] for name in names}
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
