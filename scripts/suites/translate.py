# SPDX-License-Identifier: Apache-2.0
"""The translated tier: machine code that the device makes of IR."""

import re
from dataclasses import replace

from suites import bare
from suites.common import RUST, Count, cargo
from suites.desk import desk_log
from suites.targets import FORMS_LEAST, LOGS, make_tape

# The boards whose instruction set has emitters.
BOARDS = [replace(board, features=("translate",)) for board in bare.BOARDS if board.name in ("cortex-m3", "cortex-m33")]
# Bytes of each arena that code may take.
CODE = 128 * 1024
# Random programs that the two tiers are compared by, and the share of the suite's functions that have code at least.
PROGRAMS_LEAST = 400
SHARE_LEAST = 0.9


def found(pattern, text):
    """The numbers in the line that matches, or None."""
    match = re.search(pattern, text, re.M)
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
    """The translated tier: encoders, every form of every op, random programs, and the official suite."""
    count = cargo(["test", "--locked", "-q", "-p", "wisp-translate"], RUST)
    reason = bare.missing(BOARDS)
    if reason:
        print(f"translate: boards are skipped, {reason}")
        return count + Count(skipped=len(BOARDS))
    tape = make_tape("interpreter", []) if desk_log() else None
    for board in BOARDS:
        program = bare.build(board)
        if not program or not tape:
            return count + Count(failed=1)
        count += forms(board, program)
        count += official(board, program, tape)
    return count
