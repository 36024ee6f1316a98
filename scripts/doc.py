#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Renders the documentation into build/doc: Rust crates, C headers, and a book of doc/.

Warnings are errors. A renderer that is not installed is named and left out: Doxygen for the headers
(package doxygen), mdBook for the book (cargo install mdbook).
"""

import os
import re
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
    """Renders the crates that build on a workstation, and what guests use."""
    env = {**os.environ, "RUSTDOCFLAGS": "-D warnings"}
    workspace, target = devenv.REPO / "rust", devenv.REPO / "rust" / "target"
    options = ["--locked", "--no-deps", "--target-dir", target]
    port = [] if devenv.has_libclang() else ["--exclude", "wisp-port"]
    # what the lints have compiled is not compiled again
    clean = (run(["cargo", "doc", *options, "--workspace", *port], cwd=workspace, env=env)
             and run(["cargo", "doc", *options, "--all-features"], cwd=devenv.REPO / "guest" / "rust", env=env))
    if clean:
        shutil.copytree(target / "doc", OUT / "rust", dirs_exist_ok=True)
    return clean


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
    return run(["mdbook", "build", devenv.REPO / "doc", "--dest-dir", OUT / "book"]) and mend_links()


def mend_link(page, link):
    """Returns a link of a page of the book that leads somewhere, or None if there is no such file.

    mdBook names a folder's README index.html, and leaves links to files outside of doc/ as they are: those files are
    copied to the folder `files` of the book.
    """
    path, _, anchor = link.partition("#")
    folder = page.parent
    if not path or re.match(r"[a-z]+:", path) or (folder / path).exists():
        return link
    index = re.sub(r"README\.html$", "index.html", path)
    if (folder / index).exists():
        return index + ("#" + anchor if anchor else "")
    pages = devenv.REPO / "doc"
    for name in (path, re.sub(r"\.html$", ".md", path)):
        source = (pages / page.relative_to(OUT / "book").parent / name).resolve()
        if source.is_relative_to(devenv.REPO) and source.is_file():
            copy = OUT / "book" / "files" / source.relative_to(devenv.REPO)
            copy.parent.mkdir(parents=True, exist_ok=True)
            # a browser shows a file of text whose name it does not know
            copy = copy.with_name(copy.name + ".txt")
            shutil.copyfile(source, copy)
            return os.path.relpath(copy, folder)
    return None


def mend_links():
    """Makes each link of the book lead to a page or a file; True if all do."""
    clean = True
    for page in sorted((OUT / "book").rglob("*.html")):
        text = page.read_text(encoding="utf-8")

        def mend(match, page=page):
            nonlocal clean
            mended = mend_link(page, match[2])
            if mended is None:
                clean = False
                print(f"doc: {page.relative_to(OUT)} has a link to {match[2]}, which does not exist")
            return match[1] + (mended or match[2]) + '"'

        head, main, rest = text.partition("<main>")
        page.write_text(head + main + re.sub(r'((?:href|src)=")([^"]+)"', mend, rest), encoding="utf-8")
    return clean


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    done = [part() for part in (headers, book, rust)]
    print(f"doc: in {OUT}" if all(done) else "doc: failed, see above")
    sys.exit(0 if all(done) else 1)


if __name__ == "__main__":
    main()
