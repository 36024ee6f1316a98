# SPDX-License-Identifier: Apache-2.0
"""Simulated devices, the gateway in front of them, and images for them."""

import asyncio
import ctypes
import os
import re
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts" / "west_commands"))

import device as west

SAMPLE = REPOSITORY / "samples" / "updatable_app"
# Of seconds, far more than an app takes.
LONGEST_START = 120
DIES_WITH_PARENT = 1


def end_with_parent():
    """Asks the kernel to end the firmware if the test is ended."""
    ctypes.CDLL(None).prctl(DIES_WITH_PARENT, 9)


class Device:
    """A native_sim device: a process, its flash in a file, and its serial port under a name that stays."""

    def __init__(self, name, program, folder):
        self.name, self.program = name, program
        self.flash, self.port = folder / f"{name}.flash", folder / f"{name}.port"
        self.process, self.kept, self.boots = None, None, 0
        # What the firmware said so far.
        self.lines = []

    def start(self):
        """Powers on; returns when the serial port is there."""
        command = [str(self.program), f"--flash={self.flash}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        preexec_fn=end_with_parent)  # noqa: PLW1509 (it is one system call)
        for line in self.process.stdout:
            if found := re.search(r"uart_1 connected to pseudotty: (\S+)", line):
                break
        else:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()}")
        # a pseudo terminal that nobody has open loses what is sent, and echoes unless it is raw
        self.kept = os.open(found[1], os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.kept)
        fresh = self.port.with_suffix(".new")
        fresh.symlink_to(found[1])
        fresh.replace(self.port)
        self.boots += 1
        # what nobody reads would stop the device in the end
        threading.Thread(target=self.lines.extend, args=(self.process.stdout,), daemon=True).start()

    def cut_power(self):
        """Ends it at once."""
        self.process.kill()
        self.process.wait()
        os.close(self.kept)

    async def apps(self):
        """What the device itself says of its apps: name -> (version, state, disabled, whether an update is on trial).

        Asks until all of them run: one that was rolled back starts a moment later.
        """
        end = time.monotonic() + LONGEST_START
        while True:
            async with west.Device(str(self.port)) as smp:
                found = await smp.apps()
            if all(app.state == "running" for app in found) or time.monotonic() > end:
                return {app.name: (app.running and version(app.running["ver"]), app.state, app.disabled,
                                   app.candidate is not None) for app in found}
            await asyncio.sleep(0.1)


def version(number):
    """A version as it is written."""
    return f"{number & 0xff}.{number >> 8 & 0xff}.{number >> 16}"


class Gateway:
    """`wisp gateway` for all devices."""

    def __init__(self, program, folder, url, devices):
        lines = [f'[server]\nurl = "{url}"\n[pace]\npoll-seconds = 0.5\nretry-seconds = 0.2\nlook-seconds = 0.5\n']
        lines += [f'[[device]]\nname = "{device.name}"\naddress = "{device.port}"\ntoken = "token-{device.name}"\n'
                  for device in devices]
        configuration = folder / "gateway.toml"
        configuration.write_text("".join(lines), encoding="utf-8")
        self.command = [str(program), "gateway", "--config", str(configuration), "--state", str(folder / "state")]
        self.log, self.process = folder / "gateway.log", None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, preexec_fn=end_with_parent)  # noqa: PLW1509

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it as an init system does; its exit code."""
        self.process.terminate()
        return self.process.wait()


class Images:
    """Builds of the sample's app under other names and versions."""

    def __init__(self, tool, build, folder):
        self.tool, self.build, self.folder, self.made = str(tool), build, folder, {}

    def path(self, app, version, guest):
        """The file of an image."""
        return self.folder / f"{app}-{version}-{guest}.wisp"

    def get(self, app, version, guest="counter"):
        """Bytes of a signed image; guest is the source, of the sample or of these tests."""
        key = (app, version, guest)
        if key not in self.made:
            wasm, image = self.folder / f"{guest}.wasm", self.path(*key)
            if not wasm.exists():
                own = Path(__file__).resolve().parent / "guests" / f"{guest}.c"
                source = own if own.exists() else SAMPLE / "guests" / f"{guest}.c"
                subprocess.run([sys.executable, str(REPOSITORY / "scripts" / "guest.py"), "c", "--libc", "tiny", "--stack",
                                "256", "--output", str(wasm), "--include", str(self.build / "wisp" / "include"),
                                str(source)], check=True)
            with open(image.with_suffix(".json"), "wb") as facts:
                subprocess.run([self.tool, "build", str(wasm), "-o", str(image), "--json", "--name", app, "--version", version],
                               check=True, stdout=facts)
            subprocess.run([self.tool, "sign", str(image), "--key", str(SAMPLE / "keys" / "development.pem")], check=True,
                           stdout=subprocess.DEVNULL)
            self.made[key] = image.read_bytes()
        return self.made[key]
