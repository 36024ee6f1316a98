# SPDX-License-Identifier: Apache-2.0
"""Looks inside of apps: sessions of a stock LLDB with `wisp run --debug`, and with apps on a device; callers of native
code that traps."""

import hashlib
import re
import sys
from dataclasses import replace

import devenv

import guest
from suites import bare
from suites.common import RUST, Count, counted, stream, twister

FOLDER = devenv.BUILD / "inside"
REQUIREMENTS = devenv.REPO / "scripts" / "lldb.txt"
SOURCES = devenv.REPO / "tests" / "inside"
# Sources of guests for a device, with the bytes of their own stacks.
DEVICE_GUESTS = {"walk": 1024, "tick": 1024, "fail": 1024, "spin": 1024, "walk-rust": 2048}
# The one that is profiled. The others are debugged.
PROFILED = "spin"
TOOL = RUST / "target" / "debug" / "wisp"
SAMPLE = devenv.REPO / "samples" / "updatable_app"
# Random programs with native code, traps that each has at least, and the stack that the code may take.
PROGRAMS = 8
TRAPS_LEAST = 30
NATIVE_STACK = 0x8000
# Configuration beside tests/inside/device.conf, by board: SMP over a serial line, or over UDP with images in RAM. The
# third has requests that are signed, of which one session is enough.
LIFECYCLE = devenv.REPO / "tests" / "lifecycle"
BOARDS = {
    "native_sim/native/64": (SOURCES / "random.conf",),
    "mps2/an385": (SAMPLE / "overlay-udp.conf", LIFECYCLE / "ram.conf", SOURCES / "random.conf"),
    "signed": (LIFECYCLE / "signed.conf", SOURCES / "signed.conf"),
}


def debugger():
    """A Python that has the module of the pinned LLDB, or None."""
    name = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    python = FOLDER / f"lldb-{name}" / "bin" / "python"
    done = python.parent / "installed"
    if not done.is_file():
        stream([sys.executable, "-m", "venv", python.parent.parent], devenv.REPO)
        code, _ = stream([python, "-m", "pip", "install", "-q", "--no-deps", "--only-binary", ":all:", "--require-hashes",
                          "-r", REQUIREMENTS], devenv.REPO)
        if code != 0:
            return None
        done.touch()
    return python


def build_guests(clang, linker):
    """Compiles the guests without optimisation and with debug information; True if all were built."""
    common = ["--target=wasm32", "-g", "-O0", "-nostdlib", "-Wl,--no-entry"]
    rust = ["rustc", "--edition=2021", "--target", guest.TARGET, "-g", "-Copt-level=0", "-Cpanic=abort",
            f"-Clinker={linker}", "-Clink-arg=--no-entry", "-Clink-arg=--export=_start", "--crate-type=bin"]
    commands = [[clang, *common, "-o", FOLDER / f"{name}.wasm", f"{name}.c"] for name in ("walk", "wait", "fail")]
    commands.append([*rust, "-o", FOLDER / "walk-rust.wasm", "walk.rs"])
    for name, stack in DEVICE_GUESTS.items():
        # a device has less memory
        small = ["--export=__heap_base", f"-zstack-size={stack}"]
        made = FOLDER / f"device-{name}.wasm"
        commands.append([*rust, *(f"-Clink-arg={flag}" for flag in small), "-o", made, "walk.rs"] if name == "walk-rust" else
                        [clang, *common, *(f"-Wl,{flag}" for flag in small), "-o", made, f"{name}.c"])
        image = made.with_suffix(".wisp")
        how = [] if name == PROFILED else ["--debug"]
        commands.append([TOOL, "build", made, *how, "-o", image, "--name", name, "--quiet"])
        commands.append([TOOL, "sign", image, "--key", SAMPLE / "keys" / "development.pem"])
    return all(stream(command, SOURCES)[0] == 0 for command in commands)


def on_device(python, board):
    """Sessions with apps on one of BOARDS."""
    env = devenv.environment()
    if env is None:
        print(f"inside: {board}: skipped, no Zephyr workspace can be had here")
        return Count(skipped=1)
    folder = FOLDER / board.replace("/", "_")
    overlays = ";".join(str(path) for path in (SOURCES / "device.conf", *BOARDS[board]))
    signed = board == "signed"
    board = "native_sim/native/64" if signed else board
    code, _ = stream(["west", "build", "-b", board, "-d", folder, SAMPLE, "--",
                      # the default library would be compiled for each build folder
                      *([] if board.startswith("native") else ["-DCONFIG_MINIMAL_LIBC=y"]),
                      f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}", f"-DEXTRA_CONF_FILE={overlays}",
                      f"-DEXTRA_DTC_OVERLAY_FILE={SOURCES / 'device.overlay'}"], devenv.find_zephyr(), env)
    if code != 0:
        return Count(failed=1)
    west = devenv.VENV / "bin" / "python"
    if signed:
        env = dict(env, WISP_MANAGEMENT_KEY=str(LIFECYCLE / "keys" / "manager.pem"))
    return counted([python, devenv.REPO / "scripts" / "inside_device.py", TOOL, FOLDER, SOURCES, folder,
                    west if west.exists() else sys.executable], devenv.REPO, env)


def callers():
    """Compares the callers of native code that traps with those in the interpreter, on each instruction set."""
    boards = [replace(board, features=("callers",)) for board in bare.BOARDS]
    reason = bare.missing(boards)
    compiler = devenv.find_tool("arm-none-eabi-gcc") and devenv.find_tool("riscv64-unknown-elf-gcc")
    if reason or not compiler:
        print(f"inside: callers: boards are skipped, {reason or 'there is no cross compiler'}")
        return Count(skipped=len(boards))
    count = Count()
    for board in boards:
        images, program = FOLDER / f"{board.name}.callers", bare.build(board)
        code, _ = stream(["cargo", "run", "--locked", "-q", "-p", "wisp-aotc", "--example", "callers", "--", images,
                          board.native, str(PROGRAMS)], RUST)
        if code or not program:
            return count + Count(failed=1)
        code, text = bare.run(board, program, "callers", images.with_suffix(".log"), images, native=NATIVE_STACK)
        found = re.search(r"^callers: (\d+) traps, 0 images failed$", text, re.MULTILINE)
        right = code == 0 and found and int(found[1]) >= PROGRAMS * TRAPS_LEAST
        print(f"{board.name}: {found[1]} traps have the callers of the interpreter" if right else text, flush=True)
        count += Count(passed=1) if right else Count(failed=1)
    return count


def select_inside():
    """Debugging: sessions of a stock LLDB with apps in C and Rust, under `wisp run --debug` and on devices; what is kept; profiles."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    return (twister("inside", ["tests/kept", "tests/profile"], ["native_sim/native/64"], [], all_boards=True)
            + twister("profile", ["tests/profile"], ["qemu_cortex_m3"], ["-x=CONFIG_MINIMAL_LIBC=y"], all_boards=True)
            + callers() + sessions())


def sessions():
    """Sessions of LLDB, on the workstation and on each of BOARDS."""
    code, _ = stream(["cargo", "build", "--locked", "-q", "-p", "wisp-cli"], RUST)
    clang, (linker, _) = devenv.versioned("clang"), guest.wasm_linker()
    if code != 0 or not clang or not linker or not build_guests(clang, linker):
        print("inside: no `wisp`, or its guests were not built (clang, lld, rustup's wasm32-unknown-unknown)")
        return Count(failed=1)
    python = debugger()
    if python is None:
        print("inside: skipped, LLDB is not reached on PyPI, or there is none for this machine")
        return Count(skipped=1)
    count = counted([python, devenv.REPO / "scripts" / "inside.py", TOOL, FOLDER, SOURCES], devenv.REPO)
    for board in BOARDS:
        count += on_device(python, board)
    return count
