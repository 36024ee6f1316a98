#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Rust app, compiled to WebAssembly by stock rustc, blinks the devicetree LED under Zephyr.

With a Zephyr workspace: builds samples/blinky for a Cortex-M3 board and runs it in QEMU.
Without one: runs the same guest on the simulated board. Ends by itself.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import devenv

BOARD = os.environ.get("BOARD", "mps2/an385")
SAMPLE = devenv.REPO / "samples" / "blinky"
GUEST = devenv.REPO / "guest" / "examples" / "blinky"
# Lines of the app to wait for, and how long the emulator may take for them.
LINES = 6
SECONDS = 60


def run(command, **options):
    """Runs a command; ends the program if it fails."""
    print("$ " + " ".join(str(part) for part in command), flush=True)
    if subprocess.run([str(part) for part in command], check=False, **options).returncode:
        sys.exit(f"demo: {command[0]} failed, see above")


def build(command, log, **options):
    """Runs a build with its output in a file; shows steps, and the file's end if it fails."""
    print("$ " + " ".join(str(part) for part in command), flush=True)
    terminal = sys.stdout.isatty()
    shown = 0
    lines = []
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as file, subprocess.Popen(
            [str(part) for part in command], text=True, errors="replace", stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, **options) as process:
        for line in process.stdout:
            file.write(line)
            lines.append(line)
            step = re.match(r"\[(\d+)/(\d+)\]", line)
            if step and terminal:
                print(f"\r  step {step[1]} of {step[2]} ", end="", flush=True)
            elif step and 10 * int(step[1]) // int(step[2]) > shown:
                shown = 10 * int(step[1]) // int(step[2])
                print(f"  step {step[1]} of {step[2]}", flush=True)
    if terminal:
        print()
    if process.returncode:
        print("".join(lines[-40:]))
        sys.exit(f"demo: the build failed; all of its output is in {log}")


def on_zephyr(env):
    """Builds the sample and shows what it prints until it has blinked a few times."""
    out = devenv.BUILD / "demo"
    build(["west", "build", "-p", "auto", "-b", BOARD, "-d", out, SAMPLE, "--",
           f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}"], devenv.BUILD / "demo.log", cwd=devenv.find_zephyr(), env=env)
    print(f"\ndemo: running on {BOARD} in QEMU, from the reset vector:\n", flush=True)
    with subprocess.Popen(["ninja", "-C", str(out), "run"], env=env, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        timer = threading.Timer(SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        seen = 0
        for line in process.stdout:
            print("  " + line.rstrip(), flush=True)
            seen += bool(re.search(r"blinky: blink \d+", line))
            if seen >= LINES:
                break
        timer.cancel()
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if seen < LINES:
        sys.exit(f"demo: the app reported {seen} changes of the LED, {LINES} expected")
    image = next(Path(out).rglob("blinky.wisp"), None)
    size = f" of {image.stat().st_size} bytes" if image else ""
    print(f"\ndemo: done. That was an image{size}, checked, instantiated and interpreted on {BOARD}.")


def on_a_desk():
    """Runs the same guest on the simulated board."""
    print("demo: no Zephyr workspace can be had here, so the guest runs on the simulated board", flush=True)
    wasm = devenv.BUILD / "demo" / "blinky.wasm"
    run([sys.executable, devenv.REPO / "scripts" / "guest.py", "rust", GUEST, "-o", wasm])
    run(["cargo", "run", "--release", "-q", "--locked", "-p", "wisp-cli", "--", "run", wasm, "--board",
         GUEST / "board.toml"], cwd=devenv.REPO / "rust")


def on_an_emulated_pico():
    """Runs the sample on an emulated RP2040, which is not QEMU's."""
    python = devenv.VENV / "bin" / "python"
    run([python if python.exists() else sys.executable, devenv.REPO / "scripts" / "rp2040.py", "demo"])


def main():
    env = devenv.environment()
    if BOARD == "rpi_pico":
        on_an_emulated_pico()
    elif env:
        on_zephyr(env)
    else:
        on_a_desk()


if __name__ == "__main__":
    main()
