#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renders the documentation into build/doc: Rust crates, C headers, ABI pages, and a book of doc/.

Warnings are errors. A renderer that is not installed is named and left out: Doxygen for the headers
(package doxygen), mdBook for the book (cargo install mdbook).
"""

import os
import shutil
import subprocess
import sys

import devenv

OUT = devenv.BUILD / "doc"


def run(command, **options):
    """Runs a command with its output visible; True if it succeeded."""
    print("$ " + " ".join(str(part) for part in command), flush=True)
    return subprocess.run([str(part) for part in command], check=False, **options).returncode == 0


def rust():
    """Renders the crates that build on a workstation."""
    env = {**os.environ, "RUSTDOCFLAGS": "-D warnings"}
    return run(["cargo", "doc", "--locked", "--workspace", "--exclude", "wisp-port", "--no-deps", "--target-dir", OUT / "rust"],
               cwd=devenv.REPO / "rust", env=env)


def abi():
    """Renders the reference pages of what guests can import."""
    return run(["cargo", "run", "--locked", "-q", "-p", "wisp-abi", "--features", "render", "--example", "abi", "--",
                "pages", OUT / "abi"], cwd=devenv.REPO / "rust")


def headers():
    """Renders the C API."""
    if not devenv.find_tool("doxygen"):
        print("doc: the C headers are left out, there is no doxygen (package doxygen)")
        return True
    config = (devenv.REPO / "doc" / "Doxyfile").read_text(encoding="utf-8") + f"\nOUTPUT_DIRECTORY = {OUT / 'c'}\n"
    (OUT / "c").mkdir(parents=True, exist_ok=True)
    return run(["doxygen", "-"], cwd=devenv.REPO, input=config, text=True)


def book():
    """Renders the pages of doc/ as a book."""
    if not devenv.find_tool("mdbook"):
        print("doc: the book is left out, there is no mdbook (cargo install mdbook)")
        return True
    shutil.rmtree(OUT / "book", ignore_errors=True)
    return run(["mdbook", "build", devenv.REPO / "doc", "--dest-dir", OUT / "book"])


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    done = [part() for part in (abi, headers, book, rust)]
    print(f"doc: in {OUT}" if all(done) else "doc: failed, see above")
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
