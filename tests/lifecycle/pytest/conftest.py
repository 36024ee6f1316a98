# SPDX-License-Identifier: Apache-2.0
"""Runs the firmware of samples/updatable_app, by itself or in QEMU."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "scripts" / "west_commands"))


def pytest_addoption(parser):
    parser.addoption("--firmware", type=Path, help="build folder of samples/updatable_app")


class Firmware:
    """A running firmware: its log, its serial ports, its updates."""

    def __init__(self, build, folder):
        self.build = build
        self.flash = folder / "flash.bin"
        self.lines = []
        self.process = None
        self.native = (build / "zephyr" / "zephyr.exe").exists()

    def start(self):
        """Powers on; returns when the ports are there."""
        if self.native:
            command = [self.build / "zephyr" / "zephyr.exe", f"--flash={self.flash}"]
        else:
            qemu = os.path.join(os.environ.get("QEMU_BIN_PATH", ""), "qemu-system-arm")
            command = [qemu, "-M", "lm3s6965evb", "-cpu", "cortex-m3", "-display", "none", "-monitor",
                       "none", "-serial", "stdio", "-serial", "pty", "-kernel",
                       self.build / "zephyr" / "zephyr.elf"]
        self.lines = []
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        errors="replace")
        threading.Thread(target=self.read, daemon=True).start()
        pattern = r"uart_1 connected to pseudotty: (\S+)" if self.native else r"redirected to (/dev/\S+)"
        self.port = self.wait_for(pattern).group(1)
        self.wait_for("app store (ready|recovered|formatted)")

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def wait_for(self, pattern, seconds=60):
        """Waits until a line of the log matches; the match."""
        end = time.monotonic() + seconds
        seen = 0
        while time.monotonic() < end:
            for line in self.lines[seen:]:
                match = re.search(pattern, line)
                if match:
                    return match
                seen += 1
            time.sleep(0.02)
        pytest.fail(f"'{pattern}' is not in the log:\n" + "\n".join(self.lines))

    def forget(self):
        """Lets wait_for see only what comes from now on."""
        self.lines = []

    def power_off(self):
        """Ends it, as a power cut does."""
        self.process.kill()
        self.process.wait()

    def update(self, version):
        """Path of an image of the app."""
        return self.build / "wisp" / "updates" / f"counter-{version}.wisp"


@pytest.fixture
def firmware(request, tmp_path):
    build = request.config.getoption("--firmware")
    device = Firmware(build, tmp_path)
    device.start()
    yield device
    device.power_off()
