#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each optional feature of WebAssembly costs in flash: the table of doc/features.md.

Builds the library of the firmware for a Cortex-M3 with and without each feature, links it from its
C entry points with unused sections dropped, and prints a table in Markdown. Nothing is run.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO / "scripts"))
import devenv

TARGET = "thumbv7m-none-eabi"
# What the host offers: the functions of all peripherals, without stored apps and native code.
INTERFACES = sorted(path.suffix[1:] for path in (REPO / "src" / "drivers").glob("Kconfig.*"))
HOST = [name for name in INTERFACES if name != "fs"] + ["interpreter", "wasi"]
WASM = {
    "float": "floating point",
    "bulk-memory": "bulk memory",
    "reference-types": "reference types",
    "tail-call": "tail calls",
    "saturating-float-to-int": "non-trapping float-to-int",
    "sign-extension": "sign extension",
}
# Features that need another.
NEEDS = {"saturating-float-to-int": "float"}
TOOLS = "arm-none-eabi-"


def run(command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def flash(features, env, cargo):
    """Bytes of code and constants of the library with these features of WebAssembly."""
    out = devenv.BUILD / "cargo" / "firmware"
    run([cargo, "build", "--release", "--quiet", "--manifest-path", REPO / "rust" / "staticlib" / "Cargo.toml",
         "--target", TARGET, "--target-dir", out, "--no-default-features", "--features", ",".join(HOST + features)],
        env=env)
    library = out / TARGET / "release" / "libwisp_staticlib.a"
    names = run([TOOLS + "nm", "--defined-only", "--extern-only", library])
    entries = sorted(set(re.findall(r" T (wisp_(?:rust|caller)_\w+)$", names, re.MULTILINE)))
    image = devenv.BUILD / "bench" / "features.elf"
    image.parent.mkdir(parents=True, exist_ok=True)
    run([TOOLS + "ld", "--gc-sections", "--unresolved-symbols=ignore-all", "-e", entries[0],
         *(f"-u{entry}" for entry in entries), "-o", image, library])
    return int(run([TOOLS + "size", image]).splitlines()[1].split()[0])


def main():
    found, reason = devenv.rust_environment([TARGET])
    if found is None:
        sys.exit(f"features: {reason}")
    env = {**(devenv.environment() or os.environ), **found}
    beside = Path(found.get("RUSTC", "rustc")).parent / "cargo"
    cargo = beside if beside.is_file() else "cargo"
    whole = flash(list(WASM), env, cargo)
    print("| proposal | Cargo feature | Kconfig | engine flash without it, bytes (difference) |\n|---|---|---|---|")
    print(f"| all | | | {whole:,} |")
    for feature, title in WASM.items():
        rest = flash([other for other in WASM if feature not in (other, NEEDS.get(other))], env, cargo)
        symbol = "CONFIG_WISP_" + feature.upper().replace("-", "_")
        print(f"| {title} | `{feature}` | `{symbol}` | {rest:,} ({rest - whole:+,}) |", flush=True)
    rest = flash([], env, cargo)
    print(f"| none of these | | | {rest:,} ({rest - whole:+,}) |")


if __name__ == "__main__":
    main()
