#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Rust app, compiled to WebAssembly by stock rustc, blinks the devicetree LED under Zephyr.

With a Zephyr workspace: builds samples/blinky for a Cortex-M3 board and runs it in QEMU, then
shows the life of apps that are installed and updated (demo_life.py). Without one: runs the same
guest on the simulated board, shows a grant that is refused there and an app that crashes, then
runs the guest in a bare-metal program on the Cortex-M3. Ends by itself.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import demo_life
import devenv
from suites import bare

BOARD = os.environ.get("BOARD", "mps2/an385")
SAMPLE = devenv.REPO / "samples" / "blinky"
GUEST = devenv.REPO / "guest" / "examples" / "blinky"
# A module with one page of memory that exports `read`, a load at address 65536.
BROKEN = bytes.fromhex("0061736d01000000 0105016000017f 03020100 0503010001 07080104726561640000 "
                       "0a0b010900 41808004 280200 0b".replace(" ", ""))
# Lines of the app to wait for, and how long the emulator may take for them.
LINES = 6
SECONDS = 60


def run(command, ends_badly=False, **options):
    """Runs a command; ends the program if it fails, or if it does not although it is to."""
    print("$ " + " ".join(str(part) for part in command), flush=True)
    if bool(subprocess.run([str(part) for part in command], check=False, **options).returncode) != ends_badly:
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
           # The default library would be compiled first, which takes longer than the rest.
           "-DCONFIG_MINIMAL_LIBC=y",
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
    print(f"\ndemo: that was an image{size}, checked, instantiated and interpreted on {BOARD}.")
    life(env)


def life(env):
    """Shows what else happens to apps: a grant that is refused, a crash, an update that rolls itself back."""
    if not sys.platform.startswith("linux"):
        print("demo: done. The second part needs Linux: there Zephyr runs as a program of this machine.")
        return
    print("\ndemo: now a device whose apps come later; it runs as a program of this machine\n", flush=True)
    build(demo_life.build_command(), devenv.BUILD / "demo-life.log", cwd=devenv.find_zephyr(), env=env)
    # the Python that has smpclient
    python = devenv.VENV / "bin" / "python"
    run([python if python.exists() else sys.executable, devenv.REPO / "scripts" / "demo_life.py", demo_life.BUILD,
         Path(env["WISP_CARGO_TARGET_ROOT"]) / "host" / "release" / "wisp"], env=env)


def on_a_desk():
    """Runs the same guest on the simulated board."""
    print("demo: no Zephyr workspace can be had here, so the guest runs on the simulated board", flush=True)
    wasm = devenv.BUILD / "demo" / "blinky.wasm"
    run([sys.executable, devenv.REPO / "scripts" / "guest.py", "rust", GUEST, "-o", wasm])
    tools = devenv.BUILD / "cargo" / "host"
    run(["cargo", "build", "--release", "-q", "--locked", "-p", "wisp-cli", "--target-dir", tools],
        cwd=devenv.REPO / "rust")
    wisp = tools / "release" / "wisp"
    run([wisp, "run", wasm, "--board", GUEST / "board.toml"])
    print("\ndemo: the same app on a board that grants it nothing", flush=True)
    run([wisp, "run", wasm, "--duration", "100"], ends_badly=True)
    print("\ndemo: a module that reads outside of its memory ends alone, with a place that can be looked up", flush=True)
    broken = wasm.with_name("broken.wasm")
    broken.write_bytes(BROKEN)
    run([wisp, "run", broken, "--invoke", "read"], ends_badly=True)
    on_bare_metal(wisp, wasm)
    print("\ndemo: done. Updates that roll themselves back need a Zephyr workspace: see doc/tutorial.md")


def on_bare_metal(wisp, wasm):
    """Runs the same guest on an emulated Cortex-M3, without an operating system."""
    board = bare.BOARDS[0]
    reason = bare.missing([board])
    if reason:
        print(f"demo: not shown on an emulated microcontroller: {reason}")
        return
    image = wasm.with_suffix(".wisp")
    run([wisp, "build", wasm, "-o", image, "--quiet"])
    size = image.stat().st_size
    print(f"\ndemo: the same guest, an image of {size} bytes, on a {board.title} in QEMU:\n", flush=True)
    program = bare.build(board)
    if not program:
        sys.exit("demo: the program for the emulated board could not be built, see above")
    code, text = bare.run(board, program, "demo", devenv.BUILD / "demo" / "bare.log", image)
    print(text)
    if code:
        sys.exit("demo: the guest did not blink on the emulated board")


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
