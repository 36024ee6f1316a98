#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs modules out of packages of npm, PyPI and crates.io beside wasmi and node.

tests/packages/list.json lists them, pinned by hash. Each is fetched with the registry's own client, compiled,
verified, and run on the workstation, interpreted and as native code where the list asks for it: its exported functions
are called, or a plan of tests/packages is followed. Imports are stood in for by functions that return zeros.
A module with arguments in the list is a command for WASI: `wisp run` runs it, and node beside it.
What cannot be fetched counts as skipped.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import devenv
import programs
from suites.desk import build_wisp

TESTS = devenv.REPO / "tests" / "packages"
BUILD = devenv.BUILD / "packages"
FUZZ = devenv.REPO / "rust" / "fuzz"


def archive_of(package):
    """The package's archive, fetched if it is not there yet; None where the registry is not reached."""
    cache = BUILD / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    kind, name, version = package["registry"], package["name"], package["version"]
    path = cache / f"{kind}-{name.replace('/', '-').lstrip('@')}-{version}"
    if not path.is_file():
        folder = cache / "fetch"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if kind == "npm":
            command = ["npm", "pack", "--silent", "--ignore-scripts", f"{name}@{version}"]
        elif kind == "pypi":
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", f"{name}=={version}"]
        else:
            (folder / "src").mkdir()
            (folder / "src" / "lib.rs").write_text("", encoding="utf-8")
            (folder / "Cargo.toml").write_text(
                f'[workspace]\n[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n'
                f'[dependencies]\n{name} = "={version}"\n', encoding="utf-8")
            command = ["cargo", "fetch", "-q"]
        try:
            subprocess.run(command, cwd=folder, check=True, timeout=300, capture_output=True)
        except (OSError, subprocess.SubprocessError):
            # a registry that does not answer within the time counts as not reached
            return None
        if kind == "crates":
            home = os.environ.get("CARGO_HOME", os.path.expanduser("~/.cargo"))
            found = sorted(devenv.Path(home).glob(f"registry/cache/*/{name}-{version}.crate"))
        else:
            found = [file for file in folder.iterdir() if file.suffix in (".tgz", ".whl")]
        if not found:
            return None
        shutil.copyfile(found[0], path)
        shutil.rmtree(folder)
    return path


def module_of(package, archive):
    """The bytes of the module: a file of the archive, or the base64 text of one in a script."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            data = opened.read(package["file"])
    else:
        with tarfile.open(archive) as opened:
            data = opened.extractfile(package["file"]).read()
    if data[:4] == b"\0asm":
        return data
    found = re.search(rb"AGFzbQE[A-Za-z0-9+/]+=*", data)
    return base64.b64decode(found.group(0) + b"==") if found else data


def first(text, word):
    """The rest of the first line that begins with a word, or nothing."""
    return (fields(text, word) or [""])[0]


def fields(text, word):
    """The rest of the lines that begin with a word."""
    return [line[len(word) + 1:] for line in text.splitlines() if line.startswith(word + " ")]


def beside_node(module, text):
    """Differences between what node makes of the same steps and what was printed; None without node."""
    node = shutil.which("node")
    if not node or not fields(text, "plan"):
        return None
    steps = json.dumps({"module": str(module), "stubs": [line.split(" ", 1) for line in fields(text, "stub")],
                        "plan": fields(text, "plan")})
    done = subprocess.run([node, TESTS / "steps.mjs"], input=steps, text=True, capture_output=True, check=False)
    if done.returncode:
        return ["node: " + done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "node failed"]
    got, other = fields(text, "got"), done.stdout.splitlines()
    # which trap it is node says in other words
    same = [one == two or one.startswith("trap") and two.startswith("trap") for one, two in zip(got, other)]
    if all(same) and len(got) == len(other):
        return []
    at = same.index(False) if False in same else min(len(got), len(other))
    return [f"step {at}: {got[at:at + 1]} here, {other[at:at + 1]} in node"]


def verdict(package, done, module):
    """What came of a package's module, in words; (the words, whether that is right)."""
    text = done.stdout
    expected, refused = package.get("refused"), first(text, "refused")
    problems = fields(text, "differs") + fields(text, "error")
    if done.returncode and not problems:
        problems = (done.stderr.strip().splitlines() or ["the program failed"])[-1:]
    if refused and not (expected and expected in refused):
        problems.append("refused: " + refused)
    if expected and not refused:
        problems.append(f"expected to be refused with {expected!r}")
    if problems or refused:
        return "; ".join(problems) or "refused: " + refused, not problems
    differences = beside_node(module, text)
    compared, least = int(first(text, "compared") or 0), package.get("least", 0)
    if differences:
        return "; ".join(differences), False
    if compared < least:
        return f"{compared} steps compared, {least} expected", False
    engines = "wasmi" if differences is None else "wasmi and node"
    ended = "; the next one needs too many instructions" if first(text, "limit") else ""
    return f"{compared} steps as in {engines}{ended}", True


def outcome(command, folder):
    """What a command for WASI did: its status, what it printed, and the hash of each file in its folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}
    return done.returncode, done.stdout, files


def run_command(package, row, module, wisp):
    """Runs a command for WASI, interpreted and natively, beside node: its line of the table."""
    built = subprocess.run([str(wisp), "build", str(module), "-o", str(module.with_suffix(".wisp")), "--json"],
                           capture_output=True, text=True, check=False)
    if built.returncode:
        row.result = "FAILED: " + (built.stderr.strip().splitlines() or ["the module was not compiled"])[-1]
        return row
    facts = json.loads(built.stdout)
    row.wasm, row.image, row.memory = facts["wasm_bytes"], facts["bytes"], facts["memory"]["bytes"]
    row.tier = "interpreter, native" if package.get("native") else "interpreter"
    folder, args = module.parent / "files", package["args"]
    granted = ["--dir", f"{folder}::/", module, "--", *args]
    engines = {"interpreter": [wisp, "run", *granted]}
    if package.get("native"):
        engines["native"] = [wisp, "run", "--native", *granted]
    node = shutil.which("node")
    if node:
        engines["node"] = [node, "--no-warnings", TESTS / "wasi.mjs", module, folder, *args]
    outcomes = {engine: outcome(command, folder) for engine, command in engines.items()}
    status, _, files = outcomes["interpreter"]
    different = [engine for engine, other in outcomes.items() if other != outcomes["interpreter"]]
    if different:
        row.result = f"FAILED: the output differs from that of {' and '.join(different)}"
    elif status or files != package["writes"]:
        row.result = f"FAILED: status {status}, files {files}"
    else:
        row.result = f"writes {', '.join(files)} as {'node does' if node else 'pinned'}"
    return row


def run(package, program, wisp):
    """Runs one package: its line of the table."""
    row = programs.Row(f"{package['registry']} {package['name']} {package['version']}", package["title"], "")
    archive = archive_of(package)
    if archive is None:
        row.result = "skipped: the registry is not reached"
        return row
    if hashlib.sha256(archive.read_bytes()).hexdigest() != package["sha256"]:
        row.result = "FAILED: the archive is not the one that is pinned"
        return row
    folder = BUILD / re.sub(r"\W+", "-", package["title"])
    folder.mkdir(exist_ok=True)
    module = folder / "module.wasm"
    module.write_bytes(module_of(package, archive))
    if "args" in package:
        return run_command(package, row, module, wisp)
    command = [program, module, "--stubs", folder]
    if "plan" in package:
        command += ["--plan", TESTS / package["plan"]]
    if package.get("native"):
        command += ["--native", "-O1"]
    # It ends: every step has as many instructions, and the module's size bounds the rest.
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True, check=False)
    number = lambda word: int(first(done.stdout, word) or 0)
    row.wasm, row.image, row.memory = number("size"), number("image"), number("memory")
    if row.image:
        row.tier = "interpreter, native" if number("native") else "interpreter"
    words, right = verdict(package, done, module)
    row.result = words if right else "FAILED: " + words
    return row


def check_all(wisp, titles=()):
    """Lines of the table for all packages, or for those whose title contains one of these. `wisp` is the command."""
    BUILD.mkdir(parents=True, exist_ok=True)
    command = ["cargo", "build", "--locked", "--release", "-q", "--features", "programs", "--bin", "programs"]
    built = subprocess.run(command, cwd=FUZZ, check=False)
    program = devenv.Path(os.environ.get("CARGO_TARGET_DIR", FUZZ / "target")) / "release" / "programs"
    if built.returncode or not program.is_file():
        return [programs.Row("packages", "all", "FAILED: the program that runs them was not built")]
    rows = []
    for package in json.loads((TESTS / "list.json").read_text(encoding="utf-8")):
        if titles and not any(title in package["title"] for title in titles):
            continue
        try:
            row = run(package, program, wisp)
        except Exception as error:  # noqa: BLE001 (one package must not hide the results of the others)
            row = programs.Row(package["name"], package["title"], f"FAILED: {type(error).__name__}: {error}")
        rows.append(row)
        print(f"{row.toolchain}: {row.program}: {row.result}", flush=True)
    return rows


def main():
    """By hand: packages.py [TITLE...]"""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="*", help="only packages whose title contains one of these")
    args = parser.parse_args()
    wisp = build_wisp()
    if not wisp:
        sys.exit("packages: the command wisp was not built")
    rows = check_all(wisp, args.titles)
    if not rows:
        sys.exit("packages: no title contains " + " or ".join(args.titles))
    print(programs.table(rows))
    sys.exit(any(row.failed for row in rows))


if __name__ == "__main__":
    main()
