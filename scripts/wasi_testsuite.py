#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the official test suite of WASI preview 1 with `wisp run`.

The suite is the branch prod/testsuite-base of the repository WebAssembly/wasi-testsuite. Give the folder of a
checkout. A module passes if its exit code and its standard output are those of the JSON file beside it.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# The suite's tests of preview 1, one folder for each language.
MODULES = "tests/*/testsuite/wasm32-wasip1/*.wasm"
# Calls and rounds of loops after which a program counts as endless.
FUEL = 500_000_000


def run(wisp, module):
    """Runs one module in a fresh copy of its folder: what is wrong with it, or nothing."""
    described = module.with_suffix(".json")
    wanted = json.loads(described.read_text(encoding="utf-8")) if described.is_file() else {}
    command = [wisp, "run", f"--fuel={FUEL}"]
    command += [f"--env={name}={value}" for name, value in wanted.get("env", {}).items()]
    with tempfile.TemporaryDirectory() as place:
        if "root" in wanted:
            folder = Path(place) / "root"
            shutil.copytree(module.parent / wanted["root"], folder, symlinks=True)
            command.append(f"--dir={folder}::/")
        done = subprocess.run([*command, module, "--", *wanted.get("args", [])], capture_output=True, text=True,
                              errors="replace", check=False, stdin=subprocess.DEVNULL)
    code = wanted.get("exit_code", 0)
    if done.returncode != code:
        return f"exit code {done.returncode}, expected {code}: {done.stderr}"
    if done.stdout != wanted.get("stdout", done.stdout):
        return f"it printed {done.stdout!r}, expected {wanted['stdout']!r}"
    return ""


def main():
    """Runs all modules and counts them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wisp", type=Path, help="the command `wisp`")
    parser.add_argument("suite", type=Path, help="a checkout of the suite")
    args = parser.parse_args()
    modules = sorted(args.suite.glob(MODULES))
    if not modules:
        sys.exit(f"{args.suite}: no {MODULES} in it; check out the branch prod/testsuite-base")
    wrong = {module: problem for module in modules if (problem := run(args.wisp.resolve(), module))}
    for module, problem in wrong.items():
        print(f"{module.relative_to(args.suite)}: {problem}")
    print(f"{len(modules) - len(wrong)} passed, {len(wrong)} failed")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
