#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs firmwares of rpi_pico in an emulated RP2040: npm's rp2040js, with the corrections in tests/rp2040/chip.mjs.

samples/hello, samples/blinky, and an app's life in samples/updatable_app, with its flash and power cuts, led by the
SMP client of `west wisp`. Ends with N passed, N failed, N skipped. Skipped where there is no Node.js, or where npm
reaches no registry. With `demo`, shows samples/blinky.
"""

import asyncio
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import devenv

BOARD = "rpi_pico"
TESTS = devenv.REPO / "tests" / "rp2040"
OUT = devenv.BUILD / "rp2040"
# Nothing takes longer than this, in seconds of this machine.
PATIENCE = 1200


def emulator():
    """Installs the emulator that package-lock.json pins by its hash; None with a reason if that cannot be."""
    node, npm = devenv.find_tool("node"), devenv.find_tool("npm")
    if not node or not npm:
        return "there is no Node.js with npm"
    OUT.mkdir(parents=True, exist_ok=True)
    for path in [*TESTS.glob("*.mjs"), *TESTS.glob("package*.json")]:
        shutil.copy(path, OUT)
    lock = (OUT / "package-lock.json").read_text(encoding="utf-8")
    stamp = OUT / "installed.json"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == lock:
        return None
    done = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=OUT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        return "npm cannot install rp2040js: " + (done.stderr.strip().splitlines() or ["no message"])[-1]
    stamp.write_text(lock, encoding="utf-8")
    return None


def link_all(source, target, without):
    """Links all entries of a folder but one into another folder."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.name != without:
            devenv.link(entry, target / entry.name)


def modules(env):
    """Arguments of CMake for a workspace whose HAL is too old for the flash driver; none if it is not.

    Zephyr 4.3's driver needs a file and a function that came after SDK 2.0.0. A folder of links stands in for the
    HAL, with tests/rp2040/hal where they are missing.
    """
    zephyr = devenv.find_zephyr()
    text = OUT / "modules.txt"
    subprocess.run([sys.executable, zephyr / "scripts" / "zephyr_module.py", "--zephyr-base", zephyr, "--cmake-out", text],
                   env=env, cwd=zephyr, check=True, timeout=PATIENCE)
    paths = dict(re.findall(r'^"([^"]+)":"([^"]+)"', text.read_text(encoding="utf-8"), re.MULTILINE))
    hal = Path(paths["hal_rpi_pico"])
    missing = Path("src") / "rp2_common" / "hardware_xip_cache"
    if (hal / missing / "xip_cache.c").is_file():
        return []
    mirror = OUT / "hal_rpi_pico"
    link_all(hal, mirror, "src")
    link_all(hal / "src", mirror / "src", "rp2_common")
    link_all(hal / "src" / "rp2_common", mirror / "src" / "rp2_common", missing.name)
    (mirror / missing / "include").mkdir(parents=True, exist_ok=True)
    devenv.link(TESTS / "hal" / "xip_cache.c", mirror / missing / "xip_cache.c")
    paths["hal_rpi_pico"] = str(mirror)
    print(f"rp2040: {hal} is older than Zephyr's flash driver expects; tests/rp2040/hal adds what it lacks")
    return ["-DZEPHYR_MODULES=" + ";".join(paths.values())]


def build(sample, env, extra=()):
    """Builds a sample; its UF2 file, or None."""
    folder = OUT / sample
    west = devenv.find_tool(str(devenv.VENV / "bin" / "west"), "west")
    command = [west, "build", "-p", "auto", "-b", BOARD, "-d", folder, devenv.REPO / "samples" / sample, "--",
               "-DCONFIG_MINIMAL_LIBC=y", f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}", *extra]
    print("$ " + " ".join(str(part) for part in command), flush=True)
    done = subprocess.run([str(part) for part in command], env=env, cwd=devenv.find_zephyr(), check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(done.stdout[-4000:])
        return None
    return folder / "zephyr" / "zephyr.uf2"


def console(uf2, seconds, pattern):
    """Runs a firmware until its console matches: (its output, what the emulator says at the end)."""
    done = subprocess.run(["node", OUT / "console.mjs", uf2, str(seconds), pattern], check=True, timeout=PATIENCE,
                          capture_output=True, text=True)
    output, _, report = done.stdout.rstrip().rpartition("\n")
    return output, json.loads(report)


class PowerCut(Exception):
    """The device has no power any more."""


class Device:
    """updatable_app with power: a port for SMP, and a console."""

    def __init__(self, folder, flash, cut=None):
        self.log = ""
        symbols = OUT / "symbols.txt"
        arguments = ["node", OUT / "device.mjs", folder / "zephyr" / "zephyr.uf2", symbols, flash]
        if cut:
            arguments += [str(cut[0]), cut[1]]
        master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.port = os.ttyname(self.slave)
        self.process = subprocess.Popen([str(part) for part in arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.threads = [threading.Thread(target=work, daemon=True) for work in (
            lambda: self.pump(lambda: os.read(master, 4096), self.process.stdin.write),
            lambda: self.pump(lambda: os.read(self.process.stdout.fileno(), 4096), lambda data: os.write(master, data)),
            self.read_console)]
        for thread in self.threads:
            thread.start()

    def pump(self, read, write):
        """Hands bytes on until one end is gone."""
        try:
            while data := read():
                write(data)
                self.process.stdin.flush()
        except (OSError, ValueError):
            pass

    def read_console(self):
        while data := os.read(self.process.stderr.fileno(), 4096):
            self.log += data.decode(errors="replace")

    def wait_for(self, pattern):
        """Waits until the console matches."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.log):
            if self.process.poll() is not None:
                raise PowerCut(f"while waiting for '{pattern}':\n{self.log[-3000:]}")
            if time.monotonic() > end:
                raise AssertionError(f"'{pattern}' is not in the log:\n{self.log[-3000:]}")
            time.sleep(0.02)

    def off(self):
        """Ends it: what the emulator says at the end."""
        if self.process.poll() is None:
            try:
                self.process.stdin.close()
            except OSError:
                pass
        self.process.wait(timeout=PATIENCE)
        self.threads[2].join(timeout=30)
        os.close(self.slave)
        return json.loads(self.log.rstrip().rpartition("\n")[2])


def whole(report):
    """Checks what the emulator says at the end."""
    assert not report["faults"], report["faults"][:5]
    assert not report["misuse"], report["misuse"][:5]


def client(target, work):
    """Leads the SMP client of `west wisp`, as long as the device has power."""
    sys.path.insert(0, str(devenv.REPO / "scripts" / "west_commands"))
    import device

    async def connected():
        async with device.Device(target.port, timeout=PATIENCE) as connection:
            return await work(connection)

    async def raced():
        task = asyncio.create_task(connected())
        while not task.done():
            await asyncio.wait([task], timeout=0.2)
            if target.process.poll() is not None:
                task.cancel()
                raise PowerCut
        return task.result()

    return asyncio.run(asyncio.wait_for(raced(), PATIENCE))


def test_emulator(_):
    """Misaligned accesses end in the HardFault handler, as on a Cortex-M0+."""
    done = subprocess.run(["node", OUT / "align.mjs"], check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout


def test_hello(firmwares):
    """A C guest prints, and nothing faults."""
    output, report = console(firmwares["hello"], 5, "bytes of the arena used")
    assert "3 squared is 9" in output and report["matched"], output
    assert not report["faults"] and not report["halted"], report


def test_blinky(firmwares):
    """A Rust guest toggles pin 25."""
    output, report = console(firmwares["blinky"], 10, "blinky: blink 6")
    assert report["matched"], output
    assert report["changes"] >= 5 and not report["faults"], report


def test_life(firmwares):
    """An app is installed, updated, rolled back and confirmed over SMP, and is there after a restart."""
    folder = firmwares["updatable_app"].parents[1]
    flash = OUT / "flash.bin"
    flash.unlink(missing_ok=True)
    updates = {version: folder / "wisp" / "updates" / f"counter-{version}.wisp" for version in ("1.0.0", "2.0.0", "3.0.0")}
    device = Device(folder, flash)
    device.wait_for("app storage formatted")
    client(device, lambda d: d.install(updates["1.0.0"]))
    device.wait_for("version 1 counts 3")
    device.wait_for("counter: update confirmed")
    client(device, lambda d: d.install(updates["2.0.0"]))
    device.wait_for("version 2 is about to crash")
    device.wait_for("counter: update rolled back")
    whole(device.off())

    device = Device(folder, flash)
    device.wait_for("app storage ready")
    device.wait_for("version 1 counts 1")
    client(device, lambda d: d.install(updates["3.0.0"]))
    device.wait_for("version 3 counts 3")
    client(device, lambda d: d.simple("confirm", "counter"))
    whole(device.off())

    device = Device(folder, flash)
    device.wait_for("version 3 counts 1")
    whole(device.off())


def test_cuts(firmwares):
    """The power is cut in the middle of an update: the app that ran before or the update runs after it."""
    folder = firmwares["updatable_app"].parents[1]
    flash = OUT / "flash.bin"
    updates = folder / "wisp" / "updates"
    before = flash.read_bytes()
    for cut in [(2, "part"), (14, "nothing"), (26, "all")]:
        flash.write_bytes(before)
        device = Device(folder, flash, cut)
        device.wait_for("version 3 counts 1")
        try:
            client(device, lambda d: d.install(updates / "counter-1.0.0.wisp"))
            device.wait_for("update confirmed")
        except PowerCut:
            pass
        report = device.off()
        assert report["cut"], f"the update took {report['operations']} flash operations, none was cut at {cut}"
        whole(report)
        device = Device(folder, flash)
        device.wait_for("app storage (ready|recovered)")
        device.wait_for("version [13] counts 1")
        client(device, lambda d: d.stat())
        whole(device.off())


TESTS_IN_ORDER = [test_emulator, test_hello, test_blinky, test_life, test_cuts]


def demo():
    """Shows samples/blinky."""
    reason, env = emulator(), devenv.environment()
    if reason or env is None:
        sys.exit(f"demo: {reason or 'no Zephyr workspace can be had here'}")
    uf2 = build("blinky", env)
    if uf2 is None:
        sys.exit("demo: the build failed, see above")
    output, report = console(uf2, 20, "blinky: blink 6")
    print(output)
    if not report["matched"]:
        sys.exit("demo: the app did not blink")
    print(f"\ndemo: done. Pin 25 of an emulated RP2040 changed {report['changes']} times in {report['seconds']:.1f} s "
          f"of the chip's time, {report['instructions']} instructions.")


def main():
    if sys.argv[1:] == ["demo"]:
        demo()
        return
    reason, env = emulator(), devenv.environment()
    if env is None:
        reason = "no Zephyr workspace can be had here"
    if reason:
        print(f"rp2040: skipped, {reason}")
        print(f"0 passed, 0 failed, {len(TESTS_IN_ORDER)} skipped")
        return
    firmwares = {sample: build(sample, env) for sample in ("hello", "blinky")}
    firmwares["updatable_app"] = build("updatable_app", env, modules(env))
    failed = [sample for sample, uf2 in firmwares.items() if uf2 is None]
    count = {"passed": 0, "failed": len(failed)}
    if not failed:
        elf = firmwares["updatable_app"].with_suffix(".elf")
        (OUT / "symbols.txt").write_text(devenv.output(["nm", str(elf)]) or "", encoding="utf-8")
        for test in TESTS_IN_ORDER:
            begin = time.monotonic()
            try:
                test(firmwares)
                outcome = "passed"
            except (AssertionError, PowerCut, OSError, subprocess.SubprocessError, TimeoutError) as error:
                outcome = "failed"
                print(f"{test.__name__}: {error}")
            count[outcome] += 1
            print(f"{test.__name__}: {outcome} ({time.monotonic() - begin:.0f} s): {test.__doc__}", flush=True)
    print("{passed} passed, {failed} failed, 0 skipped".format(**count))
    sys.exit(1 if count["failed"] else 0)


if __name__ == "__main__":
    main()
