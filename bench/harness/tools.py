# SPDX-License-Identifier: Apache-2.0
"""Small things that every part of the benchmark needs."""

import os
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPO / "scripts"))

import devenv
from devenv import find_tool, versioned, write_if_changed  # noqa: F401

OUTPUT = devenv.BUILD / "bench"


def fail(message):
    """Ends the program with a message."""
    sys.exit(f"bench: {message}")


def build_folder(*names):
    """A folder below the benchmark's output, made when it is missing."""
    path = OUTPUT.joinpath(*names)
    path.mkdir(parents=True, exist_ok=True)
    return path


def read_toml(path):
    """A TOML file as dictionaries."""
    try:
        import tomllib
    except ImportError:  # Python 3.10, with the package that became tomllib
        import tomli as tomllib
    with open(path, "rb") as file:
        return tomllib.load(file)


def newer(output, *sources):
    """True when output is missing or older than one of the sources."""
    output = Path(output)
    if not output.is_file():
        return True
    made = output.stat().st_mtime
    return any(Path(source).stat().st_mtime > made for source in sources)


def zephyr_environment():
    """Environment of a Zephyr build on this machine."""
    env = devenv.environment()
    if env is None:
        fail("no Zephyr workspace was found; run 'make setup'")
    return env


def host_environment():
    """Environment for Rust that runs on this machine."""
    env = dict(os.environ)
    for name in ("RUSTC", "RUSTC_BOOTSTRAP", "CARGO_UNSTABLE_BUILD_STD", "RUSTFLAGS",
                 "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"):
        env.pop(name, None)
    return env


def rust_environment(target):
    """Environment for cargo in which it can build for a target without a system."""
    env = host_environment()
    rustcs = [rustc for rustc in (find_tool("rustc"), "/usr/bin/rustc") if rustc]
    for rustc in rustcs:
        if devenv.target_libraries(rustc, target):
            env["RUSTC"] = rustc
            return env
    for rustc in rustcs:
        if devenv.library_sources(rustc):
            env.update(RUSTC=rustc, RUSTC_BOOTSTRAP="1", CARGO_UNSTABLE_BUILD_STD="core,alloc")
            return env
    fail(f"no Rust compiler here can build for {target}: rustup target add {target}")
    return env


def run(command, env=None, rust=None, log=None, cwd=None):
    """Runs a command; on failure shows its output and ends the program."""
    command = [str(part) for part in command]
    if rust == "host":
        env = host_environment()
    done = subprocess.run(command, env=env, cwd=cwd, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if log:
        Path(log).write_text(done.stdout, encoding="utf-8")
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-6000:])
        fail(f"failed ({done.returncode}): {' '.join(command)}")
    return done.stdout
