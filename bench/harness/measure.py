# SPDX-License-Identifier: Apache-2.0
"""Runs an image on QEMU and turns its cycle counts into instructions."""

import json
import re
import selectors
import subprocess
import time

from . import cycles, dispatch, guests, images
from .tools import REPO, devenv, fail

# The counters' rates differ; the loops of known length tell instructions per cycle. Largest
# relative difference between a loop's length and what the calibration makes of it.
CALIBRATION_LIMIT = 0.0005
# Of the emulated RP2040's time. Its workloads take 2 seconds in the slowest runtime.
CHIP_SECONDS = 10

# What Wisp's images consist of, workloads included; native code comes from one crate more.
SOURCES = ("rust/engine", "rust/image", "rust/compiler", "bench/wisp", "bench/image", "bench/src", "bench/workloads",
           "bench/cmake", "bench/boards", "bench/prj.conf", "bench/Kconfig", "bench/CMakeLists.txt")
NATIVE_SOURCES = ("rust/aotc",)
# What the firmware of `make size` consists of.
SIZE_SOURCES = ("rust", "src", "include", "cmake", "zephyr", "Kconfig", "CMakeLists.txt", "bench/size",
                ":!rust/aotc", ":!rust/cli", ":!rust/fuzz", ":!rust/forms", ":!rust/spec", ":!rust/sim")


def run_chip(elf, timeout):
    """Runs an image in the emulator of the RP2040 until it says that it is done. Returns the lines it printed."""
    import rp2040_firmware

    reason = rp2040_firmware.emulator()
    if reason:
        fail(reason)
    command = ["node", rp2040_firmware.OUT / "console.mjs", elf.with_suffix(".uf2"), CHIP_SECONDS, "bench done"]
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        fail(f"{elf}: no end after {timeout} s")
    output, _, report = done.stdout.rstrip().rpartition("\n")
    if done.returncode != 0 or not json.loads(report)["matched"] or json.loads(report)["faults"]:
        fail(f"{elf}: no end after {CHIP_SECONDS} s of the chip's time; it printed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return [line.strip() for line in output.splitlines()]


def run_qemu(board, elf, names, only, timeout, more=()):
    """Runs an image with workloads of these names, or only one of them, until it says that it is done, with more arguments of QEMU. Returns the lines it printed."""
    words = []
    if only:
        address = images.symbols(elf)["bench_only"][0]
        index = names.index(only)
        words.append((address, index + 1))
    process = subprocess.Popen([*board.command(elf, words), *more], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines, rest, end = [], b"", time.monotonic() + timeout
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    try:
        while time.monotonic() < end:
            if not selector.select(timeout=1):
                continue
            chunk = process.stdout.read1(65536)
            if not chunk:
                break
            *whole, rest = (rest + chunk).split(b"\n")
            lines += [line.decode(errors="replace").strip() for line in whole]
            if "bench done" in lines:
                return lines
            if any("FATAL" in line or "FAULT" in line for line in lines):
                time.sleep(0.2)
                lines.append(process.stdout.read1(65536).decode(errors="replace"))
                break
    finally:
        process.kill()
        process.wait()
    fail(f"{elf}: no end after {timeout} s; it printed:\n" + "\n".join(lines[-30:]))
    return lines


def revision(sources=(*SOURCES, *NATIVE_SOURCES)):
    """The tree's commit, with a + when what is measured differs from it."""
    git = ["git", "-C", str(REPO)]
    commit = devenv.output([*git, "rev-parse", "--short=7", "HEAD"]) or "unknown"
    changed = devenv.output([*git, "status", "--porcelain", "--", *sources])
    return commit + ("+" if changed else "")


def same(one, other, where):
    """True if what was measured, `m3 thumb` or `size of m3 gpio`, consists of the same at two commits."""
    sources = SOURCES
    if where.startswith("size"):
        sources = SIZE_SOURCES
    elif " aot" in where:
        sources = (*SOURCES, *NATIVE_SOURCES)
    return one == other or devenv.output(
        ["git", "-C", str(REPO), "diff", "--quiet", one, other, "--", *sources]) is not None


def newer_commit(one, other):
    """The later of two commits of one history."""
    ancestor = devenv.output(["git", "-C", str(REPO), "merge-base", "--is-ancestor", one, other])
    return one if ancestor is None else other


def tools(elf):
    """Versions of what made an image and ran it. The compilers leave theirs in the image."""
    text = subprocess.run([images.tool_for(elf, "objdump"), "-s", "-j", ".comment", str(elf)],
                          capture_output=True, text=True, check=False).stdout
    comment = "".join(line[43:] if line.startswith(" ") else "" for line in text.splitlines())
    found = {"gcc": re.search(r"GCC: \(.*?\) ([0-9.]*[0-9])", comment),
             "rustc": re.search(r"rustc version ([0-9.]*[0-9])", comment)}
    for name, command in (("clang", devenv.versioned("clang")), ("QEMU", "qemu-system-arm")):
        version = devenv.output([command, "--version"]) if command else None
        found[name] = re.search(r"version ([0-9.]*[0-9])", version or "")
    zephyr = devenv.find_zephyr()
    versions = [f"{name} {match.group(1)}" for name, match in found.items() if match]
    if zephyr:
        versions.append("Zephyr " + ".".join(map(str, devenv.zephyr_version(zephyr))))
    return ", ".join(versions)


class Clock:
    """Converts ticks of a board's clock to its unit, by the loops of known length."""

    def __init__(self, board, two, five):
        (short, short_cycles), (long, long_cycles) = sorted((length // 2 * board.passes[0], ticks) for length, ticks in two)
        five = (five[0] // 5 * board.passes[1], five[1])
        self.rate = (long - short) / (long_cycles - short_cycles)
        self.overhead = 0.0
        instructions, cycles = five
        # Both loops cost the same around their body, which the difference leaves out.
        around = short_cycles * self.rate - short
        error = (cycles * self.rate - around - instructions) / instructions
        if abs(error) > CALIBRATION_LIMIT:
            fail(f"the calibration is off by {error:.4%} on a loop of {instructions} instructions")
        self.error = error

    def instructions(self, cycles):
        """Instructions in a span of cycles that includes one reading of the clock."""
        return cycles * self.rate - self.overhead


def parse(board, lines, expected):
    """Results of one run: {version, clock, workloads, empty_guest_call, failures}. Without what is expected, nothing
    is compared."""
    two, five, version = [], None, ""
    result = {"workloads": {}, "failures": {}}
    clock, empty_native = None, 0.0
    for line in lines:
        words = line.split()
        if line.startswith("runtime "):
            version = line[len("runtime "):]
        elif line.startswith("calibration two"):
            two.append((int(words[2]), int(words[3])))
        elif line.startswith("calibration five"):
            five = (int(words[2]), int(words[3]))
            clock = Clock(board, two, five)
        elif line.startswith("clock "):
            clock.overhead = int(words[2]) * clock.rate / int(words[1])
        elif line.startswith("empty native"):
            empty_native = int(words[3]) * clock.rate / int(words[2])
        elif line.startswith("empty guest"):
            result["empty_call"] = int(words[3]) * clock.rate / int(words[2]) - empty_native
        elif line.startswith("failed "):
            result["failures"][words[1]] = " ".join(words[2:])
        elif line.startswith("workload "):
            name = words[1]
            at = {key: words.index(key) for key in
                  ("n", "once", "many", "load", "check", "stack", "heap", "memory", "size")}
            value = {key: int(words[at[key] + 1]) for key in at if key != "check"}
            trusted = int(words[words.index("trusted") + 1]) if "trusted" in words else 0
            checks = tuple(int(words[at["check"] + i], 16) for i in (1, 2))
            if expected and checks != expected[name]:
                result["failures"][name] = (f"wrong result: {checks[0]:#x} {checks[1]:#x}, "
                                            f"expected {expected[name][0]:#x} "
                                            f"{expected[name][1]:#x}")
                continue
            iteration = (value["many"] - value["once"]) * clock.rate / value["n"]
            result["workloads"][name] = {
                board.unit: iteration,
                "load": clock.instructions(value["load"]),
                **({"trusted": clock.instructions(trusted)} if trusted else {}),
                **({} if expected else {"check": " ".join(words[at["check"] + 1:at["check"] + 3])}),
                "stack": value["stack"],
                "heap": value["heap"],
                "memory": value["memory"],
                "module": value["size"],
            }
    result["version"] = version
    result["calibration_error"] = clock.error if clock else None
    return result


def measure(board, runtime, tier, only=None, timeout=300, model=False, suite=guests):
    """Builds, runs and parses. Fails when a result is wrong. With a model, QEMU's results have cycles too."""
    begun = revision()
    elf = images.build(board, runtime, tier, suite=suite)
    if runtime == "wisp" and tier in ("thumb", "riscv", "threaded"):
        dispatch.check(elf)
    if board.qemu:
        names = [w.name for w in suite.WORKLOADS]
        lines = run_qemu(board, elf, names, only, timeout, cycles.plugin(elf) if model else ())
    else:
        lines = run_chip(elf, timeout)
    result = parse(board, lines, None if suite is not guests and runtime == "native" else suite.expected(board))
    if board.qemu and model and result["workloads"]:
        present = suite.present(board, runtime, tier)
        cycles.add(board, [w for w in present if only in (None, w.name)], result["workloads"])
    result["flash"], result["ram"] = images.flash_and_ram(elf)
    # a tree that somebody changed meanwhile is no commit
    result["revision"] = begun if begun == revision() else begun.rstrip("+") + "+"
    result["tools"] = tools(elf)
    source = images.peer_commit(runtime)
    if source:
        result["source"] = source
    return result


def flash(board, runtime, tier):
    """Flash and RAM of the image at -O2 and -Os, without running it."""
    result = {"flash_revision": revision()}
    for optimize, suffix in (("speed", ""), ("size", "_size")):
        elf = images.build(board, runtime, tier, optimize)
        result["flash" + suffix], result["ram" + suffix] = images.flash_and_ram(elf)
    result["tools"] = tools(elf)
    return result
