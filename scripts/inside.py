#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debugs guests with LLDB as a user would, and compares what it shows.

Runs in a Python that has LLDB's module: `inside.py WISP MODULES SOURCES`. Ends with N passed, N failed, N skipped.
"""

import re
import subprocess
import sys
import traceback
from pathlib import Path

import lldb

WISP, MODULES, SOURCES = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])


def expect(found, wanted):
    """Fails unless both are equal."""
    if found != wanted:
        raise AssertionError(f"found {found!r}, expected {wanted!r}")


def line_of(source, text):
    """Number of the only line that contains the text."""
    lines = (SOURCES / source).read_text(encoding="utf-8").splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if text in line]
    return number


class Session:
    """A guest that runs under LLDB."""

    def __init__(self, module, *command):
        # pylint: disable=consider-using-with
        command = command or ("run", "--debug=0")
        self.guest = subprocess.Popen([WISP, *command, MODULES / module], text=True, stderr=subprocess.PIPE)
        self.url = re.search(r"connect://\S+", self.guest.stderr.readline()).group()
        self.debugger = None

    def connect(self):
        """Connects a new debugger, by the command that users type."""
        self.debugger = lldb.SBDebugger.Create()
        self.debugger.SetAsync(False)
        self.command(f"process connect --plugin wasm {self.url}")

    def __enter__(self):
        try:
            self.connect()
        except BaseException:
            self.guest.kill()
            raise
        return self

    def __exit__(self, *_):
        lldb.SBDebugger.Destroy(self.debugger)
        self.guest.kill()
        self.guest.communicate()

    def command(self, text):
        """Output of a command of LLDB."""
        result = lldb.SBCommandReturnObject()
        self.debugger.GetCommandInterpreter().HandleCommand(text, result)
        if not result.Succeeded():
            raise AssertionError(f"{text}: {result.GetError()}")
        return result.GetOutput()

    def run_to(self, source, text):
        """Sets a breakpoint on the line with this text, goes on and arrives there."""
        line = line_of(source, text)
        point = self.target.BreakpointCreateByLocation(source, line)
        expect(point.GetNumLocations(), 1)
        self.command("continue")
        expect(self.reason, lldb.eStopReasonBreakpoint)
        expect(self.line, line)
        return point

    @property
    def target(self):
        return self.debugger.GetSelectedTarget()

    @property
    def thread(self):
        return self.target.GetProcess().GetSelectedThread()

    @property
    def reason(self):
        return self.thread.GetStopReason()

    @property
    def line(self):
        return self.thread.GetFrameAtIndex(0).GetLineEntry().GetLine()

    @property
    def chain(self):
        """Name and line of each frame, innermost first."""
        name = lambda frame: re.sub(r"::h[0-9a-f]{16}$", "", frame.GetFunctionName())
        return [(name(frame), frame.GetLineEntry().GetLine()) for frame in self.thread]

    def value(self, name, depth=0):
        """A variable of a frame as an integer."""
        found = self.thread.GetFrameAtIndex(depth).FindVariable(name)
        if not found.IsValid():
            raise AssertionError(f"no variable {name}")
        return found.GetValueAsSigned()

    def touch(self):
        """Reads all variables. LLDB's first look at the last bytes of a small memory fails, and the next one succeeds."""
        self.command("frame variable")

    def ended(self):
        """Exit code of the command `wisp`."""
        self.guest.communicate(timeout=60)
        return self.guest.returncode


def a_breakpoint_by_line_shows_the_chain_and_the_locals_of_each_frame():
    """Backtrace, locals of three types, also in a caller's frame, globals and memory."""
    with Session("walk.wasm") as app:
        look_at_square(app)


def look_at_square(app):
    """Runs to the end of `square` in its first call, and compares what is seen there."""
    app.run_to("walk.c", "return result;")
    calls = [line_of("walk.c", "sum += square"), line_of("walk.c", "int total =")]
    expect(app.chain, [("square", app.line), ("sum_of_even", calls[0]), ("start", calls[1])])
    expect((app.value("value"), app.value("result")), (4, 16))
    expect((app.value("sum", 1), app.value("i", 1), app.value("count", 1)), (0, 0, 4))
    pair = app.thread.GetFrameAtIndex(2).FindVariable("pair")
    expect(pair.GetChildMemberWithName("first").GetValueAsSigned(), 3)
    expect(pair.GetChildMemberWithName("second").GetValueAsSigned(), 5_000_000_000)
    expect(app.thread.GetFrameAtIndex(2).FindVariable("half").GetValue(), "0.5")
    numbers = app.target.FindFirstGlobalVariable("numbers")
    expect([numbers.GetChildAtIndex(index).GetValueAsSigned() for index in range(4)], [4, 7, 10, 2])
    error = lldb.SBError()
    found = app.target.GetProcess().ReadMemory(numbers.GetLoadAddress(), 8, error)
    expect((error.Success(), found), (True, bytes([4, 0, 0, 0, 7, 0, 0, 0])))


def steps_go_into_calls_over_them_and_out_of_them():
    """Step in, over and out, by source lines."""
    with Session("walk.wasm") as app:
        step_around(app)


def step_around(app):
    """Steps around the first call of `square`."""
    point = app.run_to("walk.c", "sum += square")
    app.command("thread step-in")
    expect(app.chain[0], ("square", line_of("walk.c", "int result =")))
    app.command("thread step-over")
    expect(app.line, line_of("walk.c", "return result;"))
    app.command("thread step-out")
    expect((app.chain[0][0], app.value("sum")), ("sum_of_even", 0))
    app.target.BreakpointDelete(point.GetID())
    for _ in range(8):
        app.command("thread step-over")
        expect(app.chain[0][0], "sum_of_even")
        if app.line == line_of("walk.c", "sum += square"):
            break
    app.command("thread step-over")
    expect((app.chain[0][0], app.value("sum"), app.value("i")), ("sum_of_even", 116, 2))


def a_trap_shows_as_a_signal_and_the_end_as_an_exit():
    """A division by zero: SIGFPE in its line, then the exit code of the run."""
    with Session("walk.wasm") as app:
        app.command("continue")
        expect((app.reason, app.thread.GetStopReasonDataAtIndex(0)), (lldb.eStopReasonSignal, 8))
        expect(app.chain, [("start", line_of("walk.c", "total / divisor"))])
        expect(app.value("total"), 120)
        app.command("continue")
        expect(app.target.GetProcess().GetExitStatus(), 136)
        expect(app.ended(), 136)


def memory_that_the_debugger_writes_changes_what_the_app_does():
    """With another divisor there is no trap."""
    with Session("walk.wasm") as app:
        divisor = app.target.FindFirstGlobalVariable("divisor")
        error = lldb.SBError()
        app.target.GetProcess().WriteMemory(divisor.GetLoadAddress(), bytes([2, 0, 0, 0]), error)
        expect(error.Success(), True)
        expect(divisor.GetValueAsSigned(), 2)
        app.command("continue")
        expect(app.ended(), 0)


def a_detached_app_goes_on_and_can_be_attached_again():
    """Detach, attach to an app that runs, and let it end."""
    with Session("wait.wasm") as app:
        app.command("detach")
        lldb.SBDebugger.Destroy(app.debugger)
        app.connect()
        expect(app.chain[0][0], "start")
        before = app.target.FindFirstGlobalVariable("count").GetValueAsUnsigned()
        app.run_to("wait.c", "count++")
        app.command("continue")
        after = app.target.FindFirstGlobalVariable("count").GetValueAsUnsigned()
        expect(after - before in (1, 2), True)
        error = lldb.SBError()
        go = app.target.FindFirstGlobalVariable("go").GetLoadAddress()
        app.target.GetProcess().WriteMemory(go, bytes([1, 0, 0, 0]), error)
        app.command("continue")
        expect(app.ended(), 0)


def a_killed_app_ends():
    """Kill, from a stop."""
    with Session("wait.wasm") as app:
        app.command("process kill")
        expect(app.ended(), 130)


def a_recursion_in_rust_has_a_frame_for_each_call():
    """Names, lines and 64-bit locals of a guest in Rust, and steps over and out of a recursion."""
    with Session("walk-rust.wasm") as app:
        look_at_recursion(app)


def look_at_recursion(app):
    """Runs to the innermost call of the recursion, and back to the one around it."""
    point = app.run_to("walk.rs", "return 1;")
    call = line_of("walk.rs", "let below =")
    expect(app.chain, [("walk::factorial", app.line)] + 19 * [("walk::factorial", call)]
           + [("_start", line_of("walk.rs", "let wide ="))])
    expect([app.value("n", depth) for depth in (0, 1, 19)], [1, 2, 20])
    app.target.BreakpointDelete(point.GetID())
    app.command("thread step-out")
    expect((len(app.chain), app.value("n")), (20, 2))
    app.command("thread step-over")
    expect((app.line, app.value("below")), (line_of("walk.rs", "n * below"), 1))


def a_step_over_a_recursive_call_stays_in_its_frame():
    """The calls inside pass the same lines, deeper."""
    with Session("walk-rust.wasm") as app:
        point = app.run_to("walk.rs", "let below =")
        app.target.BreakpointDelete(point.GetID())
        app.command("thread step-over")
        expect((app.line, len(app.chain)), (line_of("walk.rs", "n * below"), 2))
        expect((app.value("n"), app.value("below")), (20, 121645100408832000))
        app.command("continue")
        expect((app.reason, app.thread.GetStopReasonDataAtIndex(0)), (lldb.eStopReasonSignal, 6))
        expect(app.value("wide", len(app.chain) - 1), 2432902008176640000)


def a_core_dump_opens_where_the_app_trapped_and_does_not_go_on():
    """`wisp run --core`, and then `wisp debug --core`: frames, locals and memory of the trap."""
    dump = MODULES / "walk.core"
    expect(subprocess.run([WISP, "run", MODULES / "walk.wasm", "--core", dump], check=False).returncode, 136)
    with Session("walk.wasm", "debug", "--listen=0", f"--core={dump}") as app:
        trap = [("start", line_of("walk.c", "total / divisor"))]
        expect((app.chain, app.value("total")), (trap, 120))
        numbers = app.target.FindFirstGlobalVariable("numbers")
        expect([numbers.GetChildAtIndex(index).GetValueAsSigned() for index in range(4)], [4, 7, 10, 2])
        app.command("continue")
        expect((app.reason, app.thread.GetStopReasonDataAtIndex(0)), (lldb.eStopReasonSignal, 8))
        expect((app.chain, app.value("total")), (trap, 120))
        app.command("detach")
        expect(app.ended(), 0)


def a_recorded_run_is_replayed_under_the_debugger_to_the_same_trap():
    """`wisp run --record` of a failure by chance, and then `wisp run --replay --debug`, twice."""
    recording, dump = MODULES / "fail.rec", MODULES / "fail.core"
    run = [WISP, "run", MODULES / "fail.wasm", f"--record={recording}", f"--core={dump}"]
    expect(subprocess.run(run, check=False).returncode, 136)
    with Session("fail.wasm", "debug", "--listen=0", f"--core={dump}") as app:
        first = look_at_failure(app)
    for _ in range(2):
        with Session("fail.wasm", "run", "--debug=0", f"--replay={recording}") as app:
            app.command("continue")
            expect((app.reason, app.thread.GetStopReasonDataAtIndex(0)), (lldb.eStopReasonSignal, 8))
            expect(look_at_failure(app), first)
            app.command("continue")
            expect(app.ended(), 136)


def look_at_failure(app):
    """The trap of fail.c: what differs from run to run."""
    app.touch()
    expect(app.chain, [("divide", line_of("fail.c", "1000 / by")), ("start", line_of("fail.c", "sum += divide"))])
    expect(app.value("by"), 0)
    numbers = [app.target.FindFirstGlobalVariable(name).GetValueAsSigned() for name in ("rounds", "sum")]
    found = app.target.FindFirstGlobalVariable("bytes")
    return [*numbers, *(found.GetChildAtIndex(index).GetValueAsUnsigned() for index in range(2))]


def a_replay_goes_back_to_where_a_variable_got_its_value_and_forward_to_the_same_trap():
    """`process continue --reverse` from a trap: through a round before it, to the beginning, and forward again."""
    recording = MODULES / "back.rec"
    while True:
        expect(subprocess.run([WISP, "run", MODULES / "fail.wasm", f"--record={recording}"], check=False).returncode, 136)
        with Session("fail.wasm", "run", "--debug=0", f"--replay={recording}") as app:
            app.command("continue")
            at_trap = look_at_failure(app)
            if at_trap[0] > 1:
                go_back(app, at_trap)
                return


def go_back(app, at_trap):
    """Goes back from the trap of fail.c, which had that many rounds, that sum and these bytes."""
    # LLDB takes no signal along when it goes back
    app.command("process handle --pass false SIGFPE")
    back = lambda: (app.command("process continue --reverse"), app.touch())
    numbers = lambda: [app.target.FindFirstGlobalVariable(name).GetValueAsSigned() for name in ("rounds", "sum")]
    byte = lambda index: app.target.FindFirstGlobalVariable("bytes").GetChildAtIndex(index).GetValueAsUnsigned()
    distance = lambda: (byte(0) & 7) - (byte(1) & 7)
    rounds, total = at_trap[:2]
    divides = app.target.BreakpointCreateByLocation("fail.c", line_of("fail.c", "sum += divide"))
    back()
    expect((app.reason, app.line), (lldb.eStopReasonBreakpoint, line_of("fail.c", "sum += divide")))
    expect((numbers(), distance()), ([rounds, total], 0))
    # the round before, beyond a call of each function of the host
    for so_far in (rounds - 1, rounds - 2):
        back()
        expect((app.reason, app.line), (lldb.eStopReasonBreakpoint, line_of("fail.c", "sum += divide")))
        total -= int(1000 / distance())
        expect(numbers(), [so_far, total])
    # forward, and into the function
    app.command("process continue --forward")
    app.command("thread step-in")
    expect((app.chain[0][0], app.value("by")), ("divide", distance()))
    app.target.BreakpointDelete(divides.GetID())
    back()
    expect((app.reason, numbers()), (lldb.eStopReasonHistoryBoundary, [0, 0]))
    app.command("process continue --forward")
    expect((app.reason, app.thread.GetStopReasonDataAtIndex(0)), (lldb.eStopReasonSignal, 8))
    expect(look_at_failure(app), at_trap)
    app.command("continue")
    expect(app.ended(), 136)


CASES = [
    a_breakpoint_by_line_shows_the_chain_and_the_locals_of_each_frame,
    steps_go_into_calls_over_them_and_out_of_them,
    a_trap_shows_as_a_signal_and_the_end_as_an_exit,
    memory_that_the_debugger_writes_changes_what_the_app_does,
    a_detached_app_goes_on_and_can_be_attached_again,
    a_killed_app_ends,
    a_recursion_in_rust_has_a_frame_for_each_call,
    a_step_over_a_recursive_call_stays_in_its_frame,
    a_core_dump_opens_where_the_app_trapped_and_does_not_go_on,
    a_recorded_run_is_replayed_under_the_debugger_to_the_same_trap,
    a_replay_goes_back_to_where_a_variable_got_its_value_and_forward_to_the_same_trap,
]


def run_cases(cases):
    """Runs tests, prints their outcomes, and ends the program."""
    failed = 0
    print(lldb.SBDebugger.GetVersionString())
    for case in cases:
        try:
            case()
            print(f"{case.__name__}: passed", flush=True)
        except (AssertionError, AttributeError, OSError, ValueError, subprocess.SubprocessError):
            failed += 1
            print(f"{case.__name__}: FAILED\n{traceback.format_exc()}", flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    run_cases(CASES)
