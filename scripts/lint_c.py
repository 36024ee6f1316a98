#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the C code of the module with clang-format, and with Zephyr's checkpatch if there is a workspace and Perl."""

import subprocess
import sys

import devenv

# checkpatch takes the arguments of macros for operators, and the tables of this module are macros.
IGNORED = ["SPACING", "MACRO_WITH_FLOW_CONTROL"]


def clean(name, command, folder=devenv.REPO):
    """Runs a check, and shows what it found; true if that is nothing."""
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False)
    found = done.stdout + done.stderr
    if done.returncode or found.strip():
        print(f"C: {name}:\n{found}")
    return done.returncode == 0 and not found.strip()


def main():
    listed = subprocess.run(["git", "ls-files", "src/*.[ch]", "include/*.h"], cwd=devenv.REPO, capture_output=True, text=True,
                            check=True)
    files = [devenv.REPO / name for name in listed.stdout.splitlines()]
    results = []
    formatter, zephyr = devenv.find_tool("clang-format-19"), devenv.find_zephyr()
    if formatter:
        results.append(clean("clang-format", [formatter, "--dry-run", "--Werror", *files]))
    else:
        print("C: the formatting is not checked, clang-format-19 is not installed")
    if zephyr and devenv.find_tool("perl"):
        # the configuration of checkpatch is in Zephyr's folder
        checkpatch = ["perl", "scripts/checkpatch.pl", "--terse", "--no-summary", "--ignore", ",".join(IGNORED), "-f", *files]
        results.append(clean("checkpatch", checkpatch, zephyr))
    else:
        print("C: checkpatch is left out, there is no Zephyr workspace or no Perl")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
