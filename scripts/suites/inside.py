# SPDX-License-Identifier: Apache-2.0
"""Looks inside of apps: sessions of a stock LLDB with `wisp run --debug`."""

import hashlib
import sys

import devenv

import guest
from suites.common import RUST, Count, counted, stream

FOLDER = devenv.BUILD / "inside"
REQUIREMENTS = devenv.REPO / "scripts" / "lldb.txt"
SOURCES = devenv.REPO / "tests" / "inside"


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
    commands = [[clang, *common, "-o", FOLDER / f"{name}.wasm", f"{name}.c"] for name in ("walk", "wait")]
    commands.append(["rustc", "--edition=2021", "--target", guest.TARGET, "-g", "-Copt-level=0", "-Cpanic=abort",
                     f"-Clinker={linker}", "-Clink-arg=--no-entry", "-Clink-arg=--export=_start", "--crate-type=bin",
                     "-o", FOLDER / "walk-rust.wasm", "walk.rs"])
    return all(stream(command, SOURCES)[0] == 0 for command in commands)


def select_inside():
    """Debugging: sessions of a stock LLDB with apps in C and Rust under `wisp run --debug`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    code, _ = stream(["cargo", "build", "--locked", "-q", "-p", "wisp-cli"], RUST)
    clang, (linker, _) = devenv.versioned("clang"), guest.wasm_linker()
    if code != 0 or not clang or not linker or not build_guests(clang, linker):
        print("inside: no `wisp`, or its guests were not built (clang, lld, rustup's wasm32-unknown-unknown)")
        return Count(failed=1)
    python = debugger()
    if python is None:
        print("inside: skipped, LLDB is not reached on PyPI, or there is none for this machine")
        return Count(skipped=1)
    return counted([python, devenv.REPO / "scripts" / "inside.py", RUST / "target" / "debug" / "wisp", FOLDER, SOURCES],
                   devenv.REPO)
