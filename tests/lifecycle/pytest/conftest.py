# SPDX-License-Identifier: Apache-2.0
"""Runs the firmware of samples/updatable_app, by itself or in QEMU."""

import ctypes
import faulthandler
import os
import re
import socket
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "scripts" / "west_commands"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import images

# Nothing waits longer than this, whatever hangs: the stacks of all threads are shown then.
LONGEST_TEST = 900
DIES_WITH_PARENT = 1
# And cursor movements.
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


MANIFEST = """manifest:
  projects:
    - name: wisp
      url: {url}
      revision: {revision}
      path: modules/lib/wisp
      import: true
  self:
    path: application
"""


def pytest_addoption(parser):
    parser.addoption("--firmware", type=Path, help="build folder of samples/updatable_app")
    parser.addoption("--board", default="", help="its board")
    parser.addoption("--tool", default="wisp", help="the wisp program")


def end_with_parent():
    """Asks the kernel to end the firmware if the tests are ended."""
    ctypes.CDLL(None).prctl(DIES_WITH_PARENT, 9)


# More than one where the log of a busy machine came between.
PROMPTS = re.compile(r"(uart:~\$ ?)+")


class Firmware:
    """A running firmware: its log, its ports, its updates."""

    def __init__(self, build, board, folder):
        self.build = build
        self.board = board
        self.flash = folder / "flash.bin"
        self.lines = []
        self.process = None
        self.kept_open = []
        self.native = (build / "zephyr" / "zephyr.exe").exists()
        self.udp = board.startswith("mps2")
        config = (build / "zephyr" / ".config").read_text(encoding="utf-8")
        size = re.search(r"^CONFIG_WISP_STORAGE_RAM_SIZE=(\d+)$", config, re.MULTILINE)
        # Bytes of RAM for images, or 0 if they run in place.
        self.images_in_ram = int(size[1]) if size else 0
        # What it stores outlives a power cut.
        self.keeps_flash = self.native

    def command(self):
        """How it is run; sets the address of a client for a network."""
        if self.native:
            # random numbers differ from boot to boot
            config = (self.build / "zephyr" / ".config").read_text(encoding="utf-8")
            # Without a driver for random numbers the program does not know the option.
            seed = ["--seed-random"] if "CONFIG_ENTROPY_GENERATOR=y" in config.splitlines() else []
            return [self.build / "zephyr" / "zephyr.exe", f"--flash={self.flash}", *seed]
        qemu = os.path.join(os.environ.get("QEMU_BIN_PATH", ""), "qemu-system-arm")
        elf = self.build / "zephyr" / "zephyr.elf"
        common = [qemu, "-cpu", "cortex-m3", "-display", "none", "-monitor", "none", "-kernel", elf, "-serial", "pty"]
        if self.udp:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
                free.bind(("127.0.0.1", 0))
                number = free.getsockname()[1]
            self.port = f"127.0.0.1:{number}"
            return common + ["-M", "mps2-an385", "-nic",
                             f"user,model=lan9118,hostfwd=udp:127.0.0.1:{number}-:1337"]
        return common + ["-M", "lm3s6965evb", "-serial", "pty"]

    def start(self):
        """Powers on; returns when the store is open."""
        self.lines = []
        command = [str(part) for part in self.command()]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        preexec_fn=end_with_parent)  # noqa: PLW1509 (it is one system call)
        threading.Thread(target=self.read_lines, args=(self.process.stdout,), daemon=True).start()
        if self.native:
            console = self.wait_for(r"uart connected to pseudotty: (\S+)").group(1)
            self.port = self.wait_for(r"uart_1 connected to pseudotty: (\S+)").group(1)
        else:
            console = self.wait_for(r"redirected to (\S+) \(label (?:compat_monitor0|serial0)\)").group(1)
            if not self.udp:
                self.port = self.wait_for(r"redirected to (\S+) \(label serial1\)").group(1)
        # An emulator drops what it sends while nobody has the port open.
        self.kept_open = [os.open(path, os.O_RDWR | os.O_NOCTTY)
                          for path in ([console] if self.udp else [console, self.port])]
        for number in self.kept_open:
            # Bytes as they come, and no echo.
            tty.setraw(number)
        self.console = self.kept_open[0]
        threading.Thread(target=self.read_console, args=(self.console,), daemon=True).start()
        self.type("\n")
        self.wait_for("uart:~\\$")
        self.wait_until_mounted()

    def wait_until_mounted(self):
        """The log of the boot may have gone by before anybody listened: asks the shell.

        Asks again, as some of what is typed while a board boots may be lost.
        """
        end = time.monotonic() + 60
        while "blocks of" not in (self.answer("wisp stat", 3) or ""):
            if time.monotonic() > end:
                pytest.fail("the store does not open:\n" + "\n".join(self.lines))

    def read_lines(self, stream):
        for line in stream:
            self.lines.append(COLOURS.sub("", line.rstrip()))

    def read_console(self, console):
        """The console's text, without colours and cursor movements, in lines."""
        rest = ""
        while True:
            try:
                data = os.read(console, 4096)
            except OSError:
                return
            if not data:
                return
            rest += data.decode(errors="replace")
            rest = COLOURS.sub("", rest)
            parts = re.split(r"\r?\n|\r", rest)
            rest = parts.pop()
            self.lines.extend(part for part in parts if part)
            if rest.endswith("$ "):
                self.lines.append(rest.strip())
                rest = ""

    def type(self, text):
        """Types on the console."""
        os.write(self.console, text.encode())

    def answer(self, command, seconds):
        """Types a shell command; the lines it answers with, without those of the log, as one text. None without one."""
        seen = len(self.lines)
        self.type(command + "\n")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            lines = self.lines[seen:]
            # The prompt comes back after the echo of the command.
            echo = [at for at, line in enumerate(lines) if line.endswith(command)]
            answer = lines[echo[0] + 1:] if echo else []
            if any(PROMPTS.fullmatch(line) for line in answer):
                return "\n".join(line for line in answer
                                 if not PROMPTS.fullmatch(line) and not re.match(r"\[[\d:.,]+\] <", line))
            time.sleep(0.02)
        return None

    def shell(self, command, seconds=20):
        """The answer to a shell command, which must come."""
        text = self.answer(command, seconds)
        if text is None:
            pytest.fail(f"no answer to '{command}':\n" + "\n".join(self.lines))
        return text

    def wait_for(self, pattern, seconds=60):
        """Waits until a line of the log matches; the match."""
        end = time.monotonic() + seconds
        seen = 0
        while time.monotonic() < end:
            lines = self.lines
            for line in lines[seen:]:
                match = re.search(pattern, line)
                if match:
                    return match
                seen += 1
            if self.process.poll() is not None and seen >= len(self.lines):
                pytest.fail(f"the firmware ended with {self.process.returncode}:\n" + "\n".join(self.lines))
            time.sleep(0.02)
        pytest.fail(f"'{pattern}' is not in the log after {seconds} s:\n" + "\n".join(self.lines))

    def forget(self):
        """Lets wait_for see only what comes from now on."""
        self.lines = []

    def power_off(self):
        """Ends it, as a power cut does."""
        self.process.kill()
        self.process.wait(timeout=30)
        for number in self.kept_open:
            os.close(number)
        self.kept_open = []

    def update(self, version):
        """Path of an image of the app."""
        return self.build / "wisp" / "updates" / f"counter-{version}.wisp"


@pytest.fixture(autouse=True)
def bounded():
    """Ends the run, with the stacks of all threads, if a test hangs."""
    faulthandler.dump_traceback_later(LONGEST_TEST, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def tools(request):
    return images.Tools(request.config.getoption("--firmware"), request.config.getoption("--tool"))


@pytest.fixture
def firmware(request, tmp_path):
    build = request.config.getoption("--firmware")
    device = Firmware(build, request.config.getoption("--board"), tmp_path)
    device.start()
    yield device
    device.power_off()


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", str(folder), "-c", "user.name=test", "-c", "user.email=test@localhost",
                           *arguments], check=True, timeout=300, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    return done.stdout.strip()


def clone(source, target, *paths):
    """A clone that shares its objects with the source, with some folders only checked out."""
    subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", str(source), str(target)], check=True,
                   timeout=300)
    if paths:
        git(target, "sparse-checkout", "set", *paths)
    git(target, "checkout", "-q", "HEAD")
    # what west leaves where it has updated to
    git(target, "update-ref", "refs/heads/manifest-rev", "HEAD")


@pytest.fixture(scope="session")
def workspace(request, tmp_path_factory):
    """As `west init -l` and `west update` would leave it, with local copies of the repositories."""
    if not request.config.getoption("--board").startswith("native"):
        pytest.skip("once is enough: with native_sim")
    top = tmp_path_factory.mktemp("workspace")
    wisp = top / "modules" / "lib" / "wisp"
    wisp.parent.mkdir(parents=True)
    clone(REPOSITORY, wisp)
    # what is not committed yet is tested too
    for name in ("west.yml", "scripts"):
        subprocess.run(["cp", "-r", str(REPOSITORY / name), str(wisp)], check=True, timeout=60)
    git(wisp, "add", "-A", "west.yml", "scripts")
    git(wisp, "commit", "-q", "--allow-empty", "-m", "work tree")
    git(wisp, "update-ref", "refs/heads/manifest-rev", "HEAD")
    clone(os.environ["ZEPHYR_BASE"], top / "zephyr", "scripts", "submanifests")
    application = top / "application"
    application.mkdir()
    text = MANIFEST.format(url=REPOSITORY.as_uri(), revision=git(wisp, "rev-parse", "HEAD"))
    (application / "west.yml").write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "west", "init", "-l", "application"], cwd=top, check=True, timeout=60,
                   env={key: value for key, value in os.environ.items() if key != "ZEPHYR_BASE"})
    return top
