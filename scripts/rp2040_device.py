# SPDX-License-Identifier: Apache-2.0
"""Switches an updatable sample on and off in an emulated RP2040, and leads the SMP client of `west wisp`."""

import asyncio
import atexit
import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
import tty

import devenv
from rp2040_firmware import OUT, PATIENCE


class PowerCut(Exception):
    """The device has no power any more."""


class Device:
    """A firmware with power: a port for SMP, and a console."""

    def __init__(self, uf2, flash, cut=None, elves=()):
        """uf2: the firmware; None if the flash holds all of it. Then elves names its programs."""
        self.log = ""
        symbols = []
        for number, elf in enumerate(elves or [uf2.with_suffix(".elf")]):
            symbols.append(OUT / f"symbols{number}.txt")
            symbols[-1].write_text(devenv.output(["nm", str(elf)]) or "", encoding="utf-8")
        arguments = ["node", OUT / "device.mjs", uf2 or "-", ",".join(str(path) for path in symbols), flash]
        if cut:
            arguments += [str(cut[0]), cut[1]]
        master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.port = os.ttyname(self.slave)
        self.process = subprocess.Popen([str(part) for part in arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # A test that fails leaves no emulator behind.
        atexit.register(self.process.kill)
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
            if not task.done() and target.process.poll() is not None:
                task.cancel()
                raise PowerCut
        return task.result()

    return asyncio.run(asyncio.wait_for(raced(), PATIENCE))
