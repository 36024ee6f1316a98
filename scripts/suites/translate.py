# SPDX-License-Identifier: Apache-2.0
"""The translated tier: machine code that the device makes of IR."""

import re
from dataclasses import replace

import devenv

from suites import bare
from suites.common import RUST, Count, cargo, stream, twister
from suites.desk import desk_log
from suites.targets import FORMS_LEAST, LOGS, make_tape

# The boards whose instruction set has emitters.
BOARDS = [replace(board, features=("translate",)) for board in bare.BOARDS if board.name in ("cortex-m3", "cortex-m33", "cortex-m0plus", "rv32")]
# Where firmwares translate their apps: without memory protection, with that of Armv7-M and Armv8-M, code for Cortex-M0+, and
# on RV32.
FIRMWARES = ["qemu_cortex_m3", "mps2/an385", "mps2/an521/cpu0", "mps2/an383/qemu", "qemu_riscv32"]
# Bytes of each arena that code may take.
CODE = 128 * 1024
# Random programs that the two tiers are compared by, and the share of the suite's functions that have code at least.
PROGRAMS_LEAST = 400
SHARE_LEAST = 0.9
# Seeds of random modules, and of damaged ones. Some of both cannot be linked, and the verifier refuses many of the damaged ones.
IMAGES = 600
EQUAL_LEAST = 400
DAMAGED_LEAST = 250
# Modules that reach the borders between the tiers.
TEXTS = devenv.REPO / "tests" / "translate"


def found(pattern, text):
    """The numbers in the line that matches, or None."""
    match = re.search(pattern, text, re.MULTILINE)
    return tuple(int(number) for number in match.groups()) if match else None


def forms(board, program):
    """Checks every form of every op, and compares random programs with the interpreter."""
    log = LOGS / f"{board.name}.translate.forms.log"
    code, text = bare.run(board, program, "forms", log, more=[f"translate={CODE}"])
    ops = found(r"^forms: (\d+) ops, (\d+) failed$", text) or (0, 1)
    programs = found(r"^programs: (\d+) checked, (\d+) translated, (\d+) failed$", text) or (0, 0, 1)
    right = code == 0 and ops[0] >= FORMS_LEAST and programs[0] >= PROGRAMS_LEAST and programs[1] == programs[0]
    print(f"{board.name}: {ops[0]} ops, {programs[0]} programs" if right else text, flush=True)
    return Count(passed=ops[0] + programs[0]) if right else Count(failed=max(1, ops[1] + programs[2]))


def make_images():
    """Writes random, damaged and hand-made images. Returns the file, or None if that failed."""
    path = devenv.BUILD / "spec" / "translate.images"
    path.parent.mkdir(parents=True, exist_ok=True)
    code, _ = stream(["cargo", "run", "--locked", "-q", "--example", "board", "--target-dir", RUST / "target", "--",
                      path, str(IMAGES), *sorted(TEXTS.glob("*.wat"))], RUST / "fuzz")
    return path if code == 0 else None


def compare(board, program, images):
    """Runs whole images in both tiers: calls of all kinds, stops, fuel, traps, and damaged code."""
    log = LOGS / f"{board.name}.translate.images.log"
    code, text = bare.run(board, program, "compare", log, images)
    counts = found(r"^images: (\d+) equal, (\d+) damaged, \d+ refused, \d+ translated, (\d+) failed$", text) or (0, 0, 1)
    if code or counts[0] < EQUAL_LEAST or counts[1] < DAMAGED_LEAST:
        print(text)
        return Count(failed=max(1, counts[2]))
    print(f"{board.name}: {counts[0]} images end alike, {counts[1]} damaged ones ended", flush=True)
    return Count(passed=counts[0] + counts[1])


def official(board, program, tape):
    """Plays the official suite."""
    log = LOGS / f"{board.name}.translate.log"
    code, text = bare.run(board, program, "play", log, tape, more=[f"translate={CODE}"])
    suite = found(r"^suite: (\d+) passed, (\d+) failed, (\d+) skipped", text)
    functions = found(r"^translated: (\d+) of (\d+) functions$", text)
    if code or not suite or not functions or functions[0] < SHARE_LEAST * functions[1]:
        print(text)
        return Count(*(suite or (0, 0, 0))) + Count(failed=0 if suite and suite[1] else 1)
    print(f"{board.name}: {suite[0]} assertions, {functions[0]} of {functions[1]} functions have code", flush=True)
    return Count(*suite)


def select_translate():
    """The translated tier: encoders, a firmware, every form of every op, random programs and images, and the official suite."""
    count = cargo(["test", "--locked", "-q", "-p", "wisp-translate"], RUST)
    count += twister("translate", ["tests/translate"], FIRMWARES, ["-x=CONFIG_MINIMAL_LIBC=y"])
    reason = bare.missing(BOARDS)
    if reason:
        print(f"translate: boards are skipped, {reason}")
        return count + Count(skipped=len(BOARDS))
    tape = make_tape("interpreter", []) if desk_log() else None
    images = make_images()
    for board in BOARDS:
        program = bare.build(board)
        if not program or not tape or not images:
            return count + Count(failed=1)
        count += forms(board, program)
        count += compare(board, program, images)
        count += official(board, program, tape)
    return count
