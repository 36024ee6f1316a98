#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs tests of image, engine, compiler and app storage under Miri, or under AddressSanitizer where Miri is not installed.

AddressSanitizer finds accesses outside of allocations, not broken rules of aliasing.
"""

import os
import subprocess
import sys

import devenv

# Arguments of `cargo test`. Left out is what would take hours, as Miri is some hundred times slower: large modules, budgets of
# large images, and most of the compiler and the app storage.
ENGINE = ["holes", "hostile", "limits", "link", "memory", "run"]
PARTS = [
    ["-p", "wisp-image", "--features", "alloc,text", "--lib", "--test", "rules"],
    ["-p", "wisp-engine", "--lib", *(word for test in ENGINE for word in ("--test", test))],
    ["-p", "wisp-compiler", "--lib"],
    ["-p", "wisp-storage", "--test", "behaviour"],
]


def works(command):
    """Whether a command can be run."""
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def main():
    env = dict(os.environ)
    if works(["cargo", "+nightly", "miri", "--version"]):
        # frame headers hold addresses as numbers on 32-bit targets; tests leak images to have them as long as they like
        env.setdefault("MIRIFLAGS", "-Zmiri-permissive-provenance -Zmiri-ignore-leaks")
        command = ["cargo", "+nightly", "miri", "test", "--locked"]
        more = []
    else:
        print("Miri is missing (rustup toolchain install nightly -c miri): AddressSanitizer instead")
        # the flag is unstable, and in the stable compiler too
        env["RUSTC_BOOTSTRAP"] = "1"
        env["RUSTFLAGS"] = "-Zsanitizer=address"
        env["ASAN_OPTIONS"] = "detect_leaks=0"
        version = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
        triple = next(line.split()[1] for line in version.splitlines() if line.startswith("host:"))
        # naming the target keeps the sanitizer out of build scripts
        command = ["cargo", "test", "--locked"]
        more = ["--target", triple, "--target-dir", devenv.BUILD / "cargo" / "asan"]
    failed = 0
    for part in PARTS:
        arguments = [str(word) for word in (*command, *part, *more)]
        print("$ " + " ".join(arguments), flush=True)
        failed |= subprocess.run(arguments, check=False, cwd=devenv.REPO / "rust", env=env).returncode
    sys.exit(failed)


if __name__ == "__main__":
    main()
