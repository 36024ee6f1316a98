# SPDX-License-Identifier: Apache-2.0
"""The second part of the demo: the life of apps on a device that goes on running.

Called by demo.py: demo_life.py BUILD-FOLDER WISP-PROGRAM.

Zephyr runs as a program of this machine (native_sim), with the app storage of samples/updatable_app
and two apps: `counter`, and `watched`, which may publish on one channel. Each act says what is
going to happen, shows the device's log, and fails the demo if it does not happen.
"""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import devenv

LIFECYCLE = devenv.REPO / "tests" / "lifecycle"
sys.path.insert(0, str(devenv.REPO / "scripts" / "west_commands"))
sys.path.insert(0, str(LIFECYCLE))

import images

SAMPLE = devenv.REPO / "samples" / "updatable_app"
BUILD = devenv.BUILD / "demo-life"
# No act takes this long.
SECONDS = 60
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def build_command():
    """The command that builds the firmware."""
    return ["west", "build", "-p", "auto", "-b", "native_sim/native/64", "-d", BUILD, SAMPLE, "--",
            f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}", f"-DEXTRA_CONF_FILE={LIFECYCLE / 'firmware.conf'}",
            f"-DEXTRA_DTC_OVERLAY_FILE={LIFECYCLE / 'firmware.overlay'}"]


class Board:
    """A running firmware: shows the lines of its console that concern apps."""

    def __init__(self, build, flash):
        self.lines = []
        self.process = subprocess.Popen([str(build / "zephyr" / "zephyr.exe"), f"--flash={flash}"], text=True,
                                        errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True).start()
        console = self.wait_for(r"uart connected to pseudotty: (\S+)").group(1)
        self.port = self.wait_for(r"uart_1 connected to pseudotty: (\S+)").group(1)
        # both ends have to be open from the start: what is sent before is lost
        self.kept_open = [open(path, "r+b", buffering=0) for path in (console, self.port)]  # noqa: SIM115
        threading.Thread(target=self.read, args=(open(console, encoding="utf-8", errors="replace"),),  # noqa: SIM115
                         daemon=True).start()

    def read(self, stream):
        """Keeps the lines of a stream, and shows those of the log that concern apps."""
        try:
            for line in stream:
                line = COLOURS.sub("", line).strip()
                self.lines.append(line)
                shown = re.search(r"<\w+> wisp\w*: ((counter|watched): .*)", line)
                if shown:
                    print("    " + shown[1], flush=True)
        except (OSError, ValueError):
            # the firmware was ended
            pass

    def wait_for(self, pattern):
        """Waits for a line from now on; the match."""
        end, seen = time.monotonic() + SECONDS, 0
        while time.monotonic() < end and self.process.poll() is None:
            for line in self.lines[seen:]:
                seen += 1
                match = re.search(pattern, line)
                if match:
                    del self.lines[:seen]
                    return match
            time.sleep(0.02)
        sys.exit(f"demo: '{pattern}' did not come; the last lines were\n" + "\n".join(self.lines[-20:]))

    def end(self):
        """Switches it off."""
        self.process.kill()
        self.process.wait(timeout=30)
        for file in self.kept_open:
            file.close()


def act(text):
    """Says what comes."""
    print(f"\ndemo: {text}", flush=True)


def push(board, image):
    """Installs an image: None, or why the device refuses it."""
    import device  # needs smpclient, which the workspace has

    async def work():
        async with device.Device(board.port) as connection:
            await connection.install(image)

    try:
        asyncio.run(asyncio.wait_for(work(), SECONDS))
    except device.DeviceError as error:
        return str(error)
    return None


def expect(said, wanted):
    """Fails the demo if a push did not end as it should."""
    if (said is None) != (wanted is None) or (wanted and wanted not in said):
        sys.exit(f"demo: the device said {said!r}, expected {wanted!r}")


def show(tools, build):
    """Leads the apps of a firmware through their life; `tools` makes images."""
    folder = Path(tempfile.mkdtemp())
    board = Board(build, folder / "flash.bin")
    updates = build / "wisp" / "updates"
    try:
        act("1. A signed app is installed over a serial line while the firmware runs. It counts, and confirms itself.")
        expect(push(board, updates / "counter-1.0.0.wisp"), None)
        board.wait_for("counter: update confirmed")
        act("2. The next image needs messages, and the counter's node grants none: it is refused before flash is touched.")
        said = push(board, tools.make("talker", "counter", "1.1.0", folder))
        expect(said, "grants nothing of an interface")
        print(f"    refused: {said}", flush=True)
        act("3. A second app falls silent. Its heartbeat is watched: it is restarted, and the counter does not notice.")
        expect(push(board, tools.make("watched", "watched", "1.0.0", folder)), None)
        board.wait_for("watched: no heartbeat in 300 ms")
        board.wait_for("watched: crash 1, started again")
        board.wait_for("counter: version 1 counts")
        act("4. Version 2 of the counter crashes. After three starts, version 1 is back by itself.")
        expect(push(board, updates / "counter-2.0.0.wisp"), None)
        board.wait_for(r"counter: trap 1 \(unreachable\)")
        board.wait_for("counter: update rolled back")
        board.wait_for("counter: version 1 counts 3")
        act("done. The firmware ran all the time, and nobody flashed it.")
    finally:
        board.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    show(images.Tools(sys.argv[1], sys.argv[2]), Path(sys.argv[1]))
