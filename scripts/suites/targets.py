# SPDX-License-Identifier: Apache-2.0
"""Runs the official suite and every form of every op on emulated boards, and compares the counts with the workstation's."""

import itertools
import re
from functools import partial

import devenv
import spec_targets

from suites import bare, workloads
from suites.common import Count, stream, together
from suites.desk import DESK_LOG, WISP_SPEC, desk_log, suite_unit

# Bytes of stack that native code may take: calls from instance to instance nest 64 deep.
NATIVE_STACK = 96 * 1024
# Ops with forms: fewer mean that the check did not reach them.
FORMS_LEAST = 450
# What a build of the interpreter is called in the table.
TIERS = {(): "target", ("threaded-code",): "threaded", ("interp-loop",): "portable"}
# Files with many assertions on few modules, which are compiled for each processor.
OWN_CODE = ["wasm-v2/i32.wast", "wasm-v2/i64.wast", "wasm-v2/f32.wast", "wasm-v2/f64.wast", "wasm-v2/conversions.wast",
            "wasm-v2/int_exprs.wast", "wasm-v2/call_indirect.wast", "wasm-v2/br_table.wast", "wasm-v2/memory_trap.wast",
            "wasm-v2/endianness.wast", "wasm-v2/float_memory.wast", "wasm-v2/linking.wast", "tail-call/"]
# Files whose functions are compiled in parts as well: loops, tables, calls of each kind. The parts are so small that functions
# of a few lines have several.
IN_PARTS = ["wasm-v2/br_table.wast", "wasm-v2/call_indirect.wast", "wasm-v2/fac.wast", "wasm-v2/loop.wast",
            "wasm-v2/left-to-right.wast", "tail-call/return_call_indirect.wast", "tail-call/return_call.wast"]
PART = 300
# Code for Armv6-M takes stack for a tail call of another function, and the file makes a million of them.
NOT_IN_PARTS = [("cortex-m0plus", "tail-call/return_call.wast")]
LOGS = devenv.BUILD / "spec" / "targets"


def make_tape(name, options):
    """Writes the official suite on a tape; the tape, or None."""
    path = devenv.BUILD / "spec" / f"{name}.tape"
    path.parent.mkdir(parents=True, exist_ok=True)
    code, _ = stream([WISP_SPEC, "--tape", path, *options], devenv.REPO)
    return path if code == 0 else None


def play(board, program, tier, tape, native=0):
    """Plays a tape on a board; what it printed, for the table."""
    print(f"{board.name}, {tier}: the official suite", flush=True)
    code, text = bare.run(board, program, "play", LOGS / f"{board.name}.{tier}.log", tape, native)
    return finished(board, tier, code, text)


def play_apart(board, program, tier, tape, native=0):
    """Plays a tape that is not the whole suite; counts its assertions."""
    print(f"{board.name}, {tier}: {tape.stem}", flush=True)
    code, text = bare.run(board, program, "play", LOGS / f"{board.name}.{tier}.{tape.stem}.log", tape, native)
    target = finished(board, tier, code, text)
    if code or target.failures or not target.suite:
        print(text)
        return Count(*(target.suite or (0, 0, 0))[:3]) + Count(failed=0 if target.suite and target.suite[1] else 1)
    return Count(*target.suite[:3])


def run_programs(board, program, tier, programs, options, native=0):
    """Runs compiled programs on a board; counts their results."""
    if not programs:
        return Count()
    # A tape of this board alone: boards run at the same time.
    tape = make_tape("-".join(["programs", board.name, *options[1:]]), ["--wast", programs, *options])
    return play_apart(board, program, tier, tape, native) if tape else Count(failed=1)


def native_tapes(board):
    """The suite as native code for a board; for one that shares another's, some files of its own as well."""
    if not board.shares_code_of:
        return [make_tape(board.native, ["--target", board.native])]
    shared = devenv.BUILD / "spec" / f"{board.shares_code_of}.tape"
    return [shared if shared.is_file() else make_tape(board.shares_code_of, ["--target", board.shares_code_of]),
            make_tape(f"{board.native}-own", ["--target", board.native, *OWN_CODE])]


def finished(board, tier, code, text):
    """What a run printed, for the table. What is not understood is shown."""
    target = spec_targets.Target(board.name, tier, text)
    if code and not target.failures:
        target.failures.append(f"exit code {code}: " + " ".join(text.split("\n")[-4:]))
    return target


def check_forms(board, program, tier):
    """Checks every form of every op; (checked, failed)."""
    print(f"{board.name}, {tier}: every form of every op", flush=True)
    code, text = bare.run(board, program, "forms", LOGS / f"{board.name}.{tier}.forms.log")
    match = re.search(r"^forms: (\d+) ops, (\d+) failed$", text, re.MULTILINE)
    checked, failed = (int(match[1]), int(match[2])) if match else (0, 1)
    if code or failed or checked < FORMS_LEAST:
        print(text)
        failed = max(failed, 1)
    return (checked, failed)


def run_board(board, tape, programs, native):
    """Everything on one board, native code only if wanted; (count, what it printed by tier), or None."""
    program = bare.build(board)
    if not program:
        return None
    tier = TIERS[board.features]
    target = play(board, program, tier, tape)
    target.forms = check_forms(board, program, tier)
    count = run_programs(board, program, tier, programs, [])
    if tier != "target" or not native:
        return count, [target]
    if not devenv.cross_compiler(board.native):
        print(f"{board.name}: native code is skipped, there is no cross compiler for it")
        return count + Count(skipped=1), [target]
    tapes = native_tapes(board)
    if not all(tapes):
        return None
    for more in tapes[1:]:
        count += play_apart(board, program, "native", more, NATIVE_STACK)
    count += run_programs(board, program, "native", programs, ["--target", board.native], NATIVE_STACK)
    files = [file for file in IN_PARTS if (board.native, file) not in NOT_IN_PARTS]
    parts = make_tape(f"{board.native}-in-parts", ["--target", board.native, "--parts", PART, *files])
    if not parts:
        return None
    count += play_apart(board, program, "native", parts, NATIVE_STACK)
    return count, [target, play(board, program, "native", tapes[0], NATIVE_STACK)]


def run_boards(boards, native):
    """Everything on several boards, compared with the workstation."""
    reason = bare.missing(boards)
    if reason:
        print(f"targets: skipped, {reason}")
        return Count(skipped=len(boards))
    if not desk_log():
        return Count(failed=1)
    tape = make_tape("interpreter", [])
    if not tape:
        return Count(failed=1)
    count = Count()
    programs = workloads.write() if devenv.versioned("clang") else None
    if not programs:
        print("targets: compiled programs are left out: there is no clang, or see above")
        count += Count(failed=1) if devenv.versioned("clang") else Count(skipped=1)
    # Boards that share a tape of native code follow each other.
    lanes = {}
    for board in boards:
        lanes.setdefault(board.shares_code_of or board.name, []).append(board)

    def lane(boards_of_lane):
        return [run_board(board, tape, programs, native) for board in boards_of_lane]

    targets = []
    for done in itertools.chain.from_iterable(together([partial(lane, of_lane) for of_lane in lanes.values()])):
        if not done:
            return count + Count(failed=1)
        count += done[0]
        targets += done[1]
    return count + judge(targets)


def suite_targets():
    """The official suite, interpreted and as native code, and every form of every op on emulated boards."""
    count = run_boards([*bare.BOARDS, bare.THREADED, bare.PORTABLE], native=True)
    if count.passed:
        for board in bare.WITHOUT_FEATURES:
            count += without_features(board)
    return count


def suite_quick():
    """For every change: unit tests, the official suite in the interpreter on the workstation, a Cortex-M3 and RV32."""
    return suite_unit() + run_boards([bare.BOARDS[0], bare.BOARDS[-1]], native=False)


def without_features(board):
    """An engine without features runs the module that needs none, and refuses the others by name."""
    program = bare.build(board)
    native = "native" in board.features
    if native and not devenv.cross_compiler(board.native):
        print(f"{board.name}: native code without features is skipped, there is no cross compiler for it")
        return Count(skipped=1)
    tape = make_tape("without-features", ["--without-features", *(["--target", board.native] if native else [])])
    if not program or not tape:
        return Count(failed=1)
    tier = "native-only" if native else "interpreter-only"
    print(f"{board.name}, {tier}: an engine without features", flush=True)
    log = LOGS / f"{board.name}.{tier}.log"
    code, text = bare.run(board, program, "play", log, tape, NATIVE_STACK if native else 0)
    print(text)
    return Count(passed=7) if code == 0 and "suite: 7 passed, 0 failed" in text else Count(failed=1)


def judge(targets):
    """Makes the table, and counts what passed and what went wrong."""
    desk = spec_targets.desk_counts(DESK_LOG.read_text(encoding="utf-8"))
    text = spec_targets.table(desk, targets)
    path = devenv.BUILD / "spec" / "targets.md"
    devenv.write_if_changed(path, text)
    print(text + f"\nwritten to {path}")
    problems = [problem for target in targets for problem in target.failures + target.problems(desk)]
    for problem in problems:
        print("targets: " + problem)
    count = Count()
    for target in targets:
        count += Count(*target.suite[:3]) if target.suite else Count()
        count += Count(*target.forms) if target.forms else Count()
    if problems and not count.failed:
        count.failed += len(problems)
    return count
