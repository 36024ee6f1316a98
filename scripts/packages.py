#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs modules out of packages of npm, PyPI and crates.io beside wasmi and node.

tests/packages/list.json lists them, pinned by hash. Each is fetched with the registry's own client, compiled,
verified, and run on the desk, interpreted and as native code where the list asks for it: its exported functions
are called, or a plan of tests/packages is followed. Imports are stood in for by functions that return zeros.
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
    done = subprocess.run([node, TESTS / "steps.mjs"], input=steps, text=True, capture_output=True, timeout=120,
                          check=False)
    if done.returncode:
        return ["node: " + done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "node failed"]
    got, other = fields(text, "got"), done.stdout.splitlines()
    # which trap it is node says in other words
    same = [one == two or one.startswith("trap") and two.startswith("trap") for one, two in zip(got, other)]
    if all(same) and len(got) == len(other):
        return []
    at = same.index(False) if False in same else min(len(got), len(other))
    return [f"step {at}: {got[at:at + 1]} here, {other[at:at + 1]} in node"]


HEAD = ["package", "wasm", "image", "memory", "imports", "native", "beside", "result"]


def row(text, result, beside=""):
    """The cells of the table behind the package's name: what the program printed, and what came of it."""
    first = lambda word: (fields(text, word) or [""])[0]
    numbers = [first(word) for word in ("size", "image", "memory", "imports", "native")]
    return [f"{int(number):,}" if number.isdigit() else number for number in numbers] + [beside, result]


def run(package, program):
    """Runs one package; returns (outcome, cells of the table)."""
    archive = archive_of(package)
    if archive is None:
        return "skipped", row("", "the registry is not reached")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != package["sha256"]:
        return "failed", row("", "the archive is not the one that is pinned")
    folder = BUILD / re.sub(r"\W+", "-", package["title"])
    folder.mkdir(exist_ok=True)
    module = folder / "module.wasm"
    module.write_bytes(module_of(package, archive))
    command = [program, module, "--stubs", folder]
    if "plan" in package:
        command += ["--plan", TESTS / package["plan"]]
    if package.get("native"):
        command += ["--native", "-O1"]
    try:
        done = subprocess.run([str(part) for part in command], text=True, capture_output=True, timeout=600,
                              check=False)
    except subprocess.TimeoutExpired:
        return "failed", row("", "no end after 600 s")
    text = done.stdout
    first = lambda word: (fields(text, word) or [""])[0]
    expected = package.get("refused")
    problems = fields(text, "differs") + fields(text, "error")
    if done.returncode and not problems:
        problems = (done.stderr.strip().splitlines() or ["the program failed"])[-1:]
    refused = first("refused")
    if refused and not (expected and expected in refused):
        problems.append("refused: " + refused)
    if expected and not refused:
        problems.append(f"expected to be refused with {expected!r}")
    engines = [] if refused else ["wasmi"]
    if not problems and not refused:
        differences = beside_node(module, text)
        engines += [] if differences is None else ["node"]
        problems += differences or []
    least = package.get("least", 0)
    compared = int(first("compared") or 0)
    if not problems and not refused and compared < least:
        problems.append(f"{compared} steps compared, {least} expected")
    if problems:
        return "failed", row(text, "; ".join(problems))
    return "passed", row(text, "refused: " + refused if refused else f"{compared} steps compared", ", ".join(engines))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="*", help="only packages whose title contains one of these")
    args = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(["cargo", "build", "--locked", "--release", "-q", "--features", "programs", "--bin", "programs"], cwd=FUZZ, check=False)
    program = FUZZ / "target" / "release" / "programs"
    if built.returncode or not program.is_file():
        print("packages: the program that runs them was not built\n0 passed, 1 failed, 0 skipped")
        sys.exit(1)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    lines = ["| " + " | ".join(HEAD) + " |", "|---|--:|--:|--:|--:|--:|---|---|"]
    for package in json.loads((TESTS / "list.json").read_text(encoding="utf-8")):
        if args.titles and not any(title in package["title"] for title in args.titles):
            continue
        try:
            outcome, cells = run(package, program)
        except Exception as error:  # noqa: BLE001 (one package must not hide the results of the others)
            outcome, cells = "failed", row("", f"{type(error).__name__}: {error}")
        counts[outcome] += 1
        lines.append(f"| {package['title']} | " + " | ".join(cells) + " |")
        print(f"{outcome}: {package['title']}: {cells[-1]}", flush=True)
    if not any(counts.values()):
        sys.exit("packages: no title contains " + " or ".join(args.titles))
    (BUILD / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
