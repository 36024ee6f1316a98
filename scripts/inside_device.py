#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debugs apps on a device with LLDB, over SMP, as `west wisp debug` does it.

Runs in a Python that has LLDB's module: `inside_device.py WISP MODULES SOURCES FIRMWARE PYTHON`. FIRMWARE is the build folder of
samples/updatable_app for native_sim or mps2/an385 with tests/inside/device.conf, and PYTHON has west and smpclient. Ends with N
passed, N failed, N skipped.
"""

import contextlib
import ctypes
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tty
from pathlib import Path

import inside
import lldb
from inside import expect, line_of

WISP, MODULES = sys.argv[1], Path(sys.argv[2])
FIRMWARE, PYTHON = Path(sys.argv[4]), sys.argv[5]
WEST = Path(__file__).resolve().parents[1] / "tests" / "inside" / "west_wisp.py"
# The recording of an app that failed is kept, so that no other app is recorded.
APPS = ("walk", "walk-rust", "fail", "tick")
# Nothing that is waited for takes this long, in seconds.
PATIENCE = 60
DIES_WITH_PARENT = 1


class Device:
    """The firmware, which runs on this machine or in QEMU."""

    def __init__(self, folder):
        self.lines, self.folder = [], folder
        program = FIRMWARE / "zephyr" / "zephyr.exe"
        self.native = native = program.exists()
        command = [program, f"--flash={folder}/flash.bin"]
        if not native:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
                free.bind(("127.0.0.1", 0))
                self.port = "127.0.0.1:{1}".format(*free.getsockname())
            command = [Path(os.environ.get("QEMU_BIN_PATH", "")) / "qemu-system-arm", "-cpu", "cortex-m3", "-display", "none",
                       "-monitor", "none", "-M", "mps2-an385", "-kernel", program.with_suffix(".elf"), "-serial", "pty",
                       "-nic", f"user,model=lan9118,hostfwd=udp:{self.port}-:1337"]
        end_with_parent = lambda: ctypes.CDLL(None).prctl(DIES_WITH_PARENT, 9)
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        preexec_fn=end_with_parent)  # noqa: PLW1509 (it is one system call)
        threading.Thread(target=self.read, args=[self.process.stdout], daemon=True).start()
        if native:
            console = self.wait_for(r"uart connected to pseudotty: (\S+)")
            self.port = self.wait_for(r"uart_1 connected to pseudotty: (\S+)")
        else:
            console = self.wait_for(r"redirected to (\S+) \(label (?:compat_monitor0|serial0)\)")
        # QEMU drops what it sends while nobody has the port open
        self.open = [os.open(path, os.O_RDWR | os.O_NOCTTY) for path in ([console, self.port] if native else [console])]
        for number in self.open:
            tty.setraw(number)
        console = os.fdopen(os.dup(self.open[0]), errors="replace")
        threading.Thread(target=self.read, args=[console], daemon=True).start()

    def read(self, stream):
        """Adds the lines of the program, or of its console, to those that were seen."""
        # a console ends with an error
        with contextlib.suppress(OSError):
            for line in stream:
                self.lines.append(line)

    def wait_for(self, pattern):
        """First group of the first line that matches."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = next(filter(None, (re.search(pattern, line) for line in list(self.lines))), None)
            if found:
                return found.group(1) if found.groups() else found.group()
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} is not in the log:\n" + "".join(self.lines))

    def type(self, text):
        """Types a line on the console."""
        os.write(self.open[0], f"{text}\n".encode())

    def end(self):
        """Takes the power away."""
        self.process.kill()
        self.process.communicate()

    def west(self, *arguments, code=0):
        """Output of a verb of west wisp."""
        done = subprocess.run([PYTHON, WEST, *map(str, arguments), "--port", self.port], text=True, capture_output=True, check=False,
                              timeout=PATIENCE, env=dict(os.environ, WISP_TOOL=WISP))
        if done.returncode != code:
            raise AssertionError(f"{arguments}: {done.stdout}{done.stderr}" + "".join(self.lines[-20:]))
        return done.stdout + done.stderr


class Session(inside.Session):
    """An app on the device that runs under LLDB."""

    device = None

    # pylint: disable=super-init-not-called
    def __init__(self, name, module=None, restart=True):
        more = ["--restart"] if restart else []
        # pylint: disable=consider-using-with
        self.guest = subprocess.Popen([PYTHON, WEST, "debug", name, MODULES / f"device-{module or name}.wasm", "--listen", "0", "--port",
                                       self.device.port, *more], text=True, stderr=subprocess.PIPE,
                                      env=dict(os.environ, WISP_TOOL=WISP))
        line = self.guest.stderr.readline()
        found = re.search(r"connect://\S+", line)
        if not found:
            raise AssertionError(line + self.guest.stderr.read())
        self.url = found.group()
        self.debugger = None

    def __exit__(self, *_):
        lldb.SBDebugger.Destroy(self.debugger)
        # as Ctrl-C does
        self.guest.send_signal(signal.SIGINT)
        self.guest.communicate(timeout=PATIENCE)


def state_of(name):
    """What west wisp tells of an app."""
    return Session.device.west("info", name).splitlines()[0]


def a_breakpoint_by_line_shows_the_chain_and_the_locals_of_each_frame():
    """Backtrace, locals of three types, globals and memory, of an app that is held for longer than it may compute."""
    with Session("walk") as app:
        inside.look_at_square(app)


def steps_go_into_calls_over_them_and_out_of_them():
    """Step in, over and out, by source lines."""
    with Session("walk") as app:
        inside.step_around(app)


def a_trap_shows_as_a_signal_and_the_end_as_an_exit():
    """A division by zero: SIGFPE in its line, then the exit code of the run."""
    with Session("walk") as app:
        app.command("continue")
        expect((app.reason, app.thread.GetStopReasonDataAtIndex(0)), (lldb.eStopReasonSignal, 8))
        expect(app.chain, [("start", line_of("walk.c", "total / divisor"))])
        app.command("continue")
        expect(app.target.GetProcess().GetExitStatus(), 136)


def memory_that_the_debugger_writes_changes_what_the_app_does():
    """With another divisor there is no trap."""
    with Session("walk") as app:
        divisor = app.target.FindFirstGlobalVariable("divisor")
        error = lldb.SBError()
        app.target.GetProcess().WriteMemory(divisor.GetLoadAddress(), bytes([2, 0, 0, 0]), error)
        expect(error.Success(), True)
        app.command("continue")
        expect(app.target.GetProcess().GetExitStatus(), 0)


def a_recursion_in_rust_has_a_frame_for_each_call():
    """Names, lines and 64-bit locals of a guest in Rust, and a step out of a recursion."""
    with Session("walk-rust") as app:
        inside.look_at_recursion(app)


def an_app_that_runs_is_attached_and_goes_on_after_the_debugger():
    """Attach to an app that was started without a debugger, look, and detach."""
    Session.device.west("start", "tick")
    with Session("tick", restart=False) as app:
        expect(app.chain[0][0], "start")
        before = app.target.FindFirstGlobalVariable("count").GetValueAsUnsigned()
        app.run_to("tick.c", "count++")
        app.command("continue")
        after = app.target.FindFirstGlobalVariable("count").GetValueAsUnsigned()
        expect(after - before in (1, 2), True)
        app.command("detach")
    expect("running" in state_of("tick"), True)
    Session.device.west("stop", "tick")


def an_app_with_too_many_breakpoints_goes_on():
    """The device has places for 16, and the debugger loses the app."""
    with Session("tick") as app:
        start = app.target.FindFunctions("start")[0].GetFunction()
        instructions = start.GetInstructions(app.target)
        for instruction in [instructions.GetInstructionAtIndex(index) for index in range(17)]:
            app.target.BreakpointCreateBySBAddress(instruction.GetAddress())
        with contextlib.suppress(AssertionError):
            app.command("continue")
        expect(app.target.GetProcess().GetState() in (lldb.eStateExited, lldb.eStateDetached), True)
    expect("running" in state_of("tick"), True)
    Session.device.west("stop", "tick")


def an_app_that_is_held_can_be_stopped():
    """Stop ends it, and the debugger is told."""
    with Session("tick") as app:
        # the serial port of SMP is taken
        Session.device.type("wisp stop tick")
        app.guest.wait(PATIENCE)
    expect("running" in state_of("tick"), False)


def an_app_goes_on_when_its_workstation_is_lost():
    """Nobody asks for longer than CONFIG_WISP_DEBUG_SECONDS."""
    with Session("tick") as app:
        app.guest.kill()
        app.guest.wait()
        Session.device.wait_for("tick: goes on, because its debugger was silent")
    expect("running" in state_of("tick"), True)
    Session.device.west("stop", "tick")


def an_image_without_steps_is_refused():
    """An app that was not built for a debugger runs on."""
    device = Session.device
    device.west("push", FIRMWARE / "wisp" / "updates" / "counter-1.0.0.wisp")
    try:
        Session("counter", "walk", restart=False)
    except AssertionError as error:
        expect("was not built for a debugger" in str(error), True)
    else:
        raise AssertionError("it was debugged")
    expect("running" in state_of("counter"), True)


def requests_without_a_key_are_refused():
    """A firmware that takes signed requests only is debugged by nobody else."""
    key = os.environ.pop("WISP_MANAGEMENT_KEY")
    try:
        Session("walk", restart=False)
    except AssertionError as error:
        expect("takes signed requests only" in str(error), True)
    else:
        raise AssertionError("it was debugged")
    finally:
        os.environ["WISP_MANAGEMENT_KEY"] = key


def profiles_without_a_key_are_refused():
    """Whoever has no key learns nothing of what an app does."""
    key = os.environ.pop("WISP_MANAGEMENT_KEY")
    try:
        refused = Session.device.west("profile", "walk", code=1)
    finally:
        os.environ["WISP_MANAGEMENT_KEY"] = key
    expect("takes signed requests only" in refused, True)


def a_profile_shows_the_function_that_computes_most():
    """Samples of an app that runs: a table, a flame graph and folded stacks, with names and source lines."""
    device, image = Session.device, MODULES / "device-spin.wisp"
    picture, stacks = MODULES / "device-spin.svg", MODULES / "device-spin.folded"
    missing = device.west("profile", "nobody", code=1)
    expect("the firmware has no app of this name" in missing, True)
    idle = device.west("profile", "spin", code=1)
    expect("the app does not run; start it with west wisp start" in idle, True)
    device.west("push", image)
    shown = device.west("profile", "spin", "--seconds", 3, "--image", image, "-o", picture, "-o", stacks, "--json")
    profile = json.loads(shown.splitlines()[-1])
    other = device.west("profile", "spin", "--seconds", 0.2, "--image", MODULES / "device-walk.wisp", code=1)
    expect("the device ran image" in other, True)
    unnamed = device.west("profile", "spin", "--seconds", 0.2)
    expect("the app had the processor in" in unnamed, True)
    device.west("stop", "spin")
    expect(profile["ticks"] > 20, True)
    if device.native:
        # no time passes there while an app computes
        expect(profile["samples"] < profile["ticks"] / 2, True)
        return
    own = {row["function"]: row["own"] for row in profile["functions"]}
    total = {row["function"]: row["total"] for row in profile["functions"]}
    expect(own["hot"] * 10 > profile["samples"] * 6, True)
    expect(total["start"] >= own["hot"], True)
    expect(profile["places"][0]["place"].startswith("`hot` at "), True)
    expect("spin.c" in profile["places"][0]["place"], True)
    expect("<title>hot (" in picture.read_text(encoding="utf-8"), True)
    expect(re.search(r"^start;hot \d+$", stacks.read_text(encoding="utf-8"), re.MULTILINE) is not None, True)


def an_app_shows_its_share_of_the_processor():
    """`west wisp stat` and the shell's `wisp stat`, of an app that sleeps most of the time."""
    device = Session.device
    device.west("start", "tick")
    time.sleep(1)
    shown = json.loads(device.west("stat", "--json").splitlines()[-1])
    times = next(app for app in shown["apps"] if app["name"] == "tick")
    expect(times["run_us"] > 100000 and times["wakeups"] > 10, True)
    expect(times["host_us"] <= times["cpu_us"] <= times["run_us"] / 2, True)
    expect(re.search(r"tick +\d+\.\d % of the processor in .* in host functions, \d+ wakeups", device.west("stat")) is not None, True)
    device.type("wisp stat tick")
    device.wait_for(r"tick +\d+\.\d % of the processor in \d+\.\d+ s, \d+ wakeups")
    device.west("stop", "tick")


def run_again(name):
    """Starts an app that traps, and waits until it has. The others that trap are stopped, so that they are not started anew."""
    for other in {"walk", "walk-rust", "fail"} - {name}:
        with contextlib.suppress(AssertionError):
            Session.device.west("stop", other)
    Session.device.west("restart", name)
    end = time.monotonic() + PATIENCE
    while "running" in state_of(name):
        expect(time.monotonic() < end, True)
        time.sleep(0.1)


def a_core_dump_is_fetched_and_opens_where_the_app_trapped():
    """An app that traps alone: `west wisp core`, and then `wisp debug --core`."""
    device, dump, module = Session.device, MODULES / "device.core", MODULES / "device-walk.wasm"
    missing = device.west("core", "tick", "-o", dump, code=1)
    expect("the device keeps no core dump of this app" in missing, True)
    run_again("walk")
    said = device.west("core", "walk", "-o", dump, "--module", module)
    expect("is not whole" in said, False)
    shown = subprocess.run([WISP, "inspect", dump], text=True, capture_output=True, check=True).stdout
    expect("trap: integer divide by zero" in shown, True)
    with inside.Session(module, "debug", "--listen=0", f"--core={dump}") as app:
        expect(app.chain, [("start", line_of("walk.c", "total / divisor"))])
        app.touch()
        expect(app.value("total"), 120)
        numbers = app.target.FindFirstGlobalVariable("numbers")
        expect([numbers.GetChildAtIndex(index).GetValueAsSigned() for index in range(4)], [4, 7, 10, 2])


def a_recorded_failure_is_replayed_on_the_workstation_to_the_same_trap():
    """`west wisp record` of an app that fails by chance: the replay has the trap and the variables of the core dump."""
    device, module = Session.device, MODULES / "device-fail.wasm"
    recording, dump, again = (MODULES / f"device-fail.{name}" for name in ("rec", "core", "again"))
    device.wait_for("fail: trap 8")
    device.west("record", "fail", "-o", recording)
    run_again("fail")
    device.west("record", "fail", "-o", recording)
    device.west("core", "fail", "-o", dump, "--module", module)
    run = subprocess.run([WISP, "run", module, f"--replay={recording}", f"--core={again}"], text=True, capture_output=True,
                         check=False)
    if run.returncode != 136 or "the replay ended as recorded" not in run.stderr:
        raise AssertionError(run.stderr)
    seen = []
    for file in (dump, again):
        with inside.Session(module, "debug", "--listen=0", f"--core={file}") as app:
            seen.append(inside.look_at_failure(app))
    expect(seen[0], seen[1])


def a_recording_without_an_interface_ends_there():
    """An app whose node lists another interface than the one that it calls, which runs and then is stopped."""
    device, recording = Session.device, MODULES / "device-tick.rec"
    device.west("start", "tick")
    running = device.west("record", "tick", "-o", recording, code=1)
    expect("its recording can be fetched when it has ended" in running, True)
    device.west("stop", "tick")
    device.west("record", "tick", "-o", recording)
    shown = subprocess.run([WISP, "inspect", recording], text=True, capture_output=True, check=True).stdout
    expect("  import 0: not recorded" in shown, True)
    expect("it cannot be replayed" in shown or "end, trap: interrupted" in shown, True)


def what_is_kept_of_an_app_goes_with_it():
    """A core dump and a recording of an app that failed, which is then uninstalled."""
    device, file = Session.device, MODULES / "device-gone"
    run_again("fail")
    device.west("core", "fail", "-o", file)
    device.west("record", "fail", "-o", file)
    device.west("uninstall", "fail")
    missing = device.west("core", "fail", "-o", file, code=1)
    expect("the device keeps no core dump of this app" in missing, True)
    missing = device.west("record", "fail", "-o", file, code=1)
    expect("the device keeps no recording of this app" in missing, True)


class Watch:
    """`west wisp watch` of the app `tick`, with a source that is a module or an image already: a build copies it, or fails."""

    def __init__(self, folder):
        self.folder, self.lines = folder, []
        self.port = folder / "port"
        self.port.symlink_to(Session.device.port)
        sources = folder / "sources"
        sources.mkdir()
        self.source, self.module = sources / "tick", folder / "tick.wasm"
        shutil.copyfile(MODULES / "device-tick.wasm", self.module)
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [PYTHON, WEST, "watch", self.module, "--app", "tick", f"--watch={sources}", "--build", f"echo builds && cp {self.source} {self.module}",
             "--key", inside.SOURCES.parents[1] / "samples" / "updatable_app" / "keys" / "development.pem", "--port", self.port,
             "--timeout", "2", "--", "--debug"],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, WISP_TOOL=WISP, PYTHONUNBUFFERED="1"))
        self.unread = queue.Queue()
        threading.Thread(target=lambda: [self.unread.put(line) for line in self.process.stdout], daemon=True).start()

    def wait_for(self, text):
        """Reads lines until one has the text."""
        line = ""
        while text not in line:
            try:
                line = self.unread.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"{text!r} was not said:\n" + "".join(self.lines)) from None
            self.lines.append(line)

    def change(self, file):
        """Puts a file in place of the source at once."""
        shutil.copyfile(file, self.folder / "next")
        (self.folder / "next").rename(self.source)


def a_watched_app_is_updated_whenever_its_source_changes():
    """Updates, a build that fails, an image that is refused, a device that is away, and Ctrl-C."""
    with tempfile.TemporaryDirectory() as folder:
        watch = Watch(Path(folder))
        try:
            watched(watch)
        finally:
            watch.process.kill()
            watch.process.wait()


def watched(watch):
    """Changes the source again and again, and looks at the device."""
    watch.wait_for(INSTALLED)
    first = running()
    # an image, without the steps of the module's
    image = watch.folder / "tick.wisp"
    subprocess.run([WISP, "build", MODULES / "device-tick.wasm", "-o", image, "--name", "tick", "--quiet"], check=True)
    watch.change(image)
    watch.wait_for(INSTALLED)
    second = running()
    expect(second["bytes"] < first["bytes"], True)
    # a build that fails, and a module that is none
    watch.source.unlink()
    watch.wait_for("failed; the app stays as it is")
    (watch.folder / "text").write_text("no module\n", encoding="utf-8")
    watch.change(watch.folder / "text")
    watch.wait_for("this is text, not a wasm module")
    # more memory than the app's node grants
    watch.change(MODULES / "wait.wasm")
    watch.wait_for("the image needs more memory than the app's node gives it")
    expect((running(), "running" in state_of("tick")), (second, True))
    # the device is switched off, and the last of two changes waits for it
    Session.device.end()
    watch.port.unlink()
    watch.change(MODULES / "wait.wasm")
    watch.wait_for("the device is away")
    watch.change(MODULES / "device-tick.wasm")
    watch.wait_for("the device is away")
    Session.device = Device(Session.device.folder)
    watch.port.symlink_to(Session.device.port)
    watch.wait_for(INSTALLED)
    expect((running(), "running" in state_of("tick")), (first, True))
    watch.process.send_signal(signal.SIGINT)
    expect((watch.process.wait(PATIENCE), list(watch.unread.queue)), (0, []))
    Session.device.west("stop", "tick")


INSTALLED = "tick 0.1.0: installed, confirmed"


def running():
    """The image of `tick` that is confirmed."""
    return json.loads(Session.device.west("info", "tick", "--json"))["running"]


CASES = [
    a_breakpoint_by_line_shows_the_chain_and_the_locals_of_each_frame,
    steps_go_into_calls_over_them_and_out_of_them,
    a_trap_shows_as_a_signal_and_the_end_as_an_exit,
    memory_that_the_debugger_writes_changes_what_the_app_does,
    a_core_dump_is_fetched_and_opens_where_the_app_trapped,
    a_recorded_failure_is_replayed_on_the_workstation_to_the_same_trap,
    what_is_kept_of_an_app_goes_with_it,
    a_recording_without_an_interface_ends_there,
    an_image_without_steps_is_refused,
    a_profile_shows_the_function_that_computes_most,
    an_app_shows_its_share_of_the_processor,
    a_recursion_in_rust_has_a_frame_for_each_call,
    an_app_that_runs_is_attached_and_goes_on_after_the_debugger,
    an_app_with_too_many_breakpoints_goes_on,
    an_app_that_is_held_can_be_stopped,
    an_app_goes_on_when_its_workstation_is_lost,
]


def main():
    with tempfile.TemporaryDirectory() as folder:
        Session.device = Device(folder)
        try:
            Session.device.wait_for("ready for apps")
            for app in APPS:
                Session.device.west("push", MODULES / f"device-{app}.wisp")
            # the others have trapped
            Session.device.west("stop", "tick")
            cases = CASES
            if "WISP_MANAGEMENT_KEY" in os.environ:
                cases = [CASES[0], requests_without_a_key_are_refused, profiles_without_a_key_are_refused]
            elif Session.device.native:
                # its port can be named anew, and its flash is a file
                cases = [*CASES, a_watched_app_is_updated_whenever_its_source_changes]
            inside.run_cases(cases)
        finally:
            Session.device.end()


if __name__ == "__main__":
    main()
