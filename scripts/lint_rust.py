#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clippy over every Rust workspace of the repository, for the targets that it is built for: lint_rust.py [FOLDER...].

It also compares the oldest Rust that each crate names (`rust-version`) with those of the crates that it depends on.

What cannot be linted here is named with the reason: a Rust target, clippy or libclang that is not installed. The crate
rust/wisp and the samples in Rust need a configured Zephyr build, so the suite `zephyr` lints them.
"""

import itertools
import json
import os
import subprocess
import sys
import time

import devenv

THUMB, THUMB1, RV32 = "thumbv7m-none-eabi", "thumbv6m-none-eabi", "riscv32imac-unknown-none-elf"
WASM, WASI = "wasm32-unknown-unknown", "wasm32-wasip1"
# Linted in a build of Zephyr (scripts/suites/zephyr.py).
IN_FIRMWARE = {"rust/wisp", "samples/rust_firmware", "samples/rust_firmware_apps"}
# The first two name crates of C sources and have no code. The third has no lock file, because a test copies and builds it.
LEFT_OUT = {"bench/corpus/c", "bench/peers", "rust/cli/tests/guests/average"}
ENGINE = ["-p", "wisp-engine", "--lib", "--features", "native,translate"]
# The text of translated code has parts for floats.
WITHOUT_FLOATS = [*ENGINE, "--no-default-features"]
BARE = ["--features", "app,callers,translate"]
# Folder -> [(target or None for the workstation, arguments)]
LINTS = {
    "rust": [(None, ["--workspace", "--all-targets"]),
             *itertools.product([THUMB, THUMB1, RV32], [ENGINE, WITHOUT_FLOATS])],
    "rust/bare": [(THUMB, BARE), (RV32, BARE)],
    "rust/fleet": [(None, ["--all-targets"])],
    "rust/fuzz": [(None, ["--all-targets"])],
    "rust/staticlib": [(THUMB, ["--all-features"])],
    "bench/corpus/rust": [(THUMB, ["--all-features"])],
    "bench/image": [(None, [])],
    "bench/wasmi": [(THUMB, [])],
    "bench/wisp": [(THUMB, ["--all-features"])],
    "bench/workloads/rust": [(WASM, [])],
    "guest/rust": [(WASM, ["--all-features"]), (None, ["--tests", "--features", "embedded-nal"])],
    "guest/examples/blinky": [(WASM, [])],
    "guest/examples/checksum": [(WASM, [])],
    "guest/examples/display": [(WASM, [])],
    "guest/examples/ring": [(WASM, [])],
    "guest/examples/screen": [(WASM, [])],
    "guest/examples/drivers": [(WASM, [])],
    "samples/bluetooth/beacon": [(WASM, [])],
    "samples/bluetooth/scanner": [(WASM, [])],
    "samples/connected/lamp": [(WASM, [])],
    "samples/connected/rules": [(WASM, [])],
    "samples/connected/sensor": [(WASM, [])],
    "samples/connected/station": [(WASM, [])],
    "samples/connected/thermostat": [(WASM, [])],
    "samples/rust_firmware/guest": [(WASM, [])],
    "samples/sensor_logger/guest": [(WASM, [])],
    "samples/uart_bridge/guest": [(WASM, [])],
    "tests/components/composed": [(WASI, [])],
    "tests/components/firmware/guest": [(WASI, [])],
    "tests/components/sensor": [(WASI, [])],
    "tests/components/types": [(WASI, [])],
    "tests/crates": [(WASM, []), (None, ["--lib"])],
    "tests/programs/firmware/guests/rust": [(WASM, [])],
}


def workspaces():
    """Folders of all workspaces and of all crates outside of them."""
    listed = subprocess.run(["git", "ls-files", "*Cargo.toml"], cwd=devenv.REPO, capture_output=True, text=True, check=True)
    return {os.path.dirname(name) for name in listed.stdout.splitlines()
            if "\n[workspace]\n" in (devenv.REPO / name).read_text(encoding="utf-8")} | {"rust/wisp"}


def environment(target):
    """(environment for a target, None), or (None, why nothing is linted for it)."""
    if target is None:
        return {}, None
    found, how = devenv.rust_environment([target])
    return ({**found, "CARGO_BUILD_TARGET": target}, None) if found is not None else (None, how)


def number(package):
    """The oldest Rust for a package, as numbers; [] if it names none."""
    return [int(part) for part in (package["rust_version"] or "").split(".") if part]


def too_old(found):
    """What is wrong with the oldest Rust that the crates of a workspace name. `found` is what cargo tells of it."""
    packages = {package["id"]: package for package in found["packages"]}
    # tests may need more
    needs = {node["id"]: [to["pkg"] for to in node["deps"] if any(kind["kind"] != "dev" for kind in to["dep_kinds"])]
             for node in found["resolve"]["nodes"]}
    for member in found["workspace_members"]:
        reached, left = set(), [member]
        while left:
            reached.add(left[-1])
            left += [package for package in needs[left.pop()] if package not in reached]
        own, newest = packages[member], max((packages[package] for package in reached), key=number)
        # 1.88 and 1.88.0 are one
        if number(own) and number(newest)[:2] > number(own)[:2]:
            yield (f"{own['name']} names Rust {own['rust_version']}, and depends on {newest['name']}, which needs "
                   f"{newest['rust_version']}; write that in its Cargo.toml as well")


def versions(folder):
    """Checks the oldest Rust that the crates of a workspace name; false if it is older than a crate that they need."""
    done = subprocess.run(["cargo", "metadata", "--locked", "--format-version", "1"], cwd=devenv.REPO / folder,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        wrong = [f"cargo metadata failed: {last.strip()}; run cargo fetch --locked there"]
    else:
        wrong = list(too_old(json.loads(done.stdout)))
    for line in wrong:
        print(f"lints: {folder}: {line}")
    return not wrong


def lint(folder, target, arguments):
    """Lints a workspace for a target; false if clippy found something."""
    name = f"{folder} for {target}" if target else folder
    env, reason = environment(target)
    if env is None:
        print(f"lints: {name} is left out: {reason}")
        return True
    if arguments[:1] == ["--workspace"] and not devenv.has_libclang():
        print("lints: rust/port is left out, there is no libclang (package libclang-19-dev)")
        arguments = [*arguments, "--exclude", "wisp-port"]
    command = ["cargo", "clippy", "--locked", "-q", "--target-dir", devenv.REPO / "rust" / "target", *arguments, "--",
               "-D", "warnings"]
    start = time.monotonic()
    done = subprocess.run(command, cwd=devenv.REPO / folder, env={**os.environ, **env}, check=False)
    print(f"lints: {name}: {'clean' if done.returncode == 0 else 'failed'} ({time.monotonic() - start:.0f} s)", flush=True)
    return done.returncode == 0


def main():
    if devenv.output(["cargo", "clippy", "--version"]) is None:
        print("lints: left out, clippy is not installed (rustup component add clippy)")
        return
    known = LINTS.keys() | IN_FIRMWARE | LEFT_OUT
    problems = [f"lints: {folder} is a workspace that scripts/lint_rust.py does not name" for folder in workspaces() - known]
    print("\n".join(problems), end="\n" if problems else "")
    chosen = sys.argv[1:] or LINTS
    clean = [lint(folder, target, arguments) for folder in chosen for target, arguments in LINTS[folder]]
    clean += [versions(folder) for folder in chosen]
    sys.exit(0 if all(clean) and not problems else 1)


if __name__ == "__main__":
    main()
