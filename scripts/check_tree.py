#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what no compiler checks: licences of files and crates, file sizes, stray paths, prose, links between files,
maps of pages, the order of the engine's files, pages that are rendered from measurements."""

import json
import re
import subprocess
import sys

import devenv
import prose
import storeys

# Licences a firmware may carry without further duties than naming them.
ALLOWED = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib",
           "Unicode-3.0", "Unlicense", "0BSD", "CC0-1.0", "MIT-0", "BSL-1.0"}
# Of data, in programs of a workstation: a list of certificates.
ALLOWED.add("CDLA-Permissive-2.0")
# File endings that carry an SPDX line among their first lines.
SOURCES = (".rs", ".c", ".h", ".py", ".sh", ".cmake", ".toml", ".yml", ".yaml", ".dts", ".dtsi", ".overlay", ".ld", ".S")
GENERATED = ("Cargo.lock",)
# Longest file, in lines.
LINES_MAX = 700
STRAY = re.compile(r"/root/|/home/\w|/work/|/tmp/\w")


def tracked():
    """Files that git tracks, relative to the repository."""
    text = subprocess.run(["git", "ls-files"], cwd=devenv.REPO, capture_output=True, text=True, check=True).stdout
    return text.splitlines()


def licence_allowed(expression):
    """True if an SPDX expression can be met with the allowed licences."""
    expression = expression.replace("/", " OR ")
    for alternative in re.split(r"\s+OR\s+", expression.strip("()")):
        parts = [part.strip("() ") for part in re.split(r"\s+AND\s+", alternative)]
        if all(part in ALLOWED or any(p.strip("() ") in ALLOWED for p in part.split(" OR ")) for part in parts):
            return True
    return False


def crates(workspace):
    """Licence problems of the crates in a workspace's lock file."""
    done = subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked"], cwd=devenv.REPO / workspace,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return [f"cargo metadata in {workspace}: {done.stderr.strip()}"]
    problems = []
    for package in json.loads(done.stdout)["packages"]:
        licence = package.get("license") or ("file" if package.get("license_file") else "")
        if not licence_allowed(licence):
            problems.append(f"crate {package['name']} {package['version']}: licence '{licence}' is not on the list")
    return problems


def files():
    """Problems of single files."""
    problems = []
    for name in tracked():
        path = devenv.REPO / name
        if not path.is_file() or path.is_symlink():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            problems.append(f"{name}: a binary file")
            continue
        source = name.endswith(SOURCES) or path.name in ("Kconfig", "CMakeLists.txt", "Makefile")
        if source and "SPDX-License-Identifier: Apache-2.0" not in "\n".join(text.splitlines()[:4]):
            problems.append(f"{name}: no SPDX line at the top")
        if source and path.name not in GENERATED and text.count("\n") > LINES_MAX:
            problems.append(f"{name}: {text.count(chr(10))} lines, {LINES_MAX} are enough for one thing")
        problems += prose.problems(name, text)
        if name != "scripts/check_tree.py":
            for number, line in enumerate(text.splitlines(), 1):
                if STRAY.search(line):
                    problems.append(f"{name}:{number}: a path of one machine")
    return problems


def includes():
    """Quoted includes of C files that name no file of the tree. The peers' headers of bench/ are elsewhere."""
    problems = []
    for name in tracked():
        path = devenv.REPO / name
        if not name.endswith((".c", ".cpp", ".h")) or name.startswith("bench/") or not path.is_file():
            continue
        for header in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE):
            folders = (path.parent, devenv.REPO / "src", devenv.REPO / "include")
            if not any((folder / header).is_file() for folder in folders):
                problems.append(f"{name}: includes {header}, which lies neither beside it nor in src/ or include/")
    return problems


def anchors(page):
    """The anchors of a page's headings, as GitHub and mdBook make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = set()
    for heading in re.findall(r"^#+\s+(.*?)\s*$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        found.add(next(name for name in [slug, *(f"{slug}-{n}" for n in range(1, 99))] if name not in found))
    return found


def links():
    """Links of pages to files and headings that do not exist. Addresses on the web are not asked for."""
    problems = []
    for name in tracked():
        page = devenv.REPO / name
        if not name.endswith(".md") or not page.is_file():
            continue
        text = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists():
                problems.append(f"{name}: links to {link}, which does not exist")
            elif anchor and target.suffix == ".md" and anchor not in anchors(target):
                problems.append(f"{name}: links to {link}, and {target.name} has no such heading")
    return problems


def maps():
    """Pages that the book of doc/ or the map of pages leaves out: nobody would find them."""
    doc = devenv.REPO / "doc"
    lists = {
        doc / "SUMMARY.md": ("*.md", "adr/*.md", "abi/*.md"),
        doc / "README.md": ("*.md",),
        doc / "adr" / "README.md": ("[0-9]*.md",),
    }
    problems = []
    for page, patterns in lists.items():
        text = page.read_text(encoding="utf-8")
        others = {path for pattern in patterns for path in page.parent.glob(pattern)} - {page, doc / "SUMMARY.md"}
        problems += [f"{page.relative_to(devenv.REPO)}: has no link to {path.relative_to(page.parent)}"
                     for path in sorted(others) if f"({path.relative_to(page.parent)}" not in text]
    return problems


def folders():
    """Folders that the layout of the repository or one of the lists of reviewers leaves out."""
    parts = [name.split("/") for name in tracked()]
    found = {part[0] for part in parts if len(part) > 1} - {"rust"}
    found |= {f"rust/{part[1]}" for part in parts if len(part) > 2 and part[0] == "rust"}
    problems = []
    for page in ("doc/architecture.md", "MAINTAINERS.md"):
        text = (devenv.REPO / page).read_text(encoding="utf-8")
        problems += [f"{page}: does not name the folder {name}" for name in sorted(found)
                     if f"`{name}`" not in text and f"`{name}/" not in text]
    owners = (devenv.REPO / ".github" / "CODEOWNERS").read_text(encoding="utf-8")
    problems += [f".github/CODEOWNERS: has no owner of /{name}/" for name in sorted(found) if f"\n/{name}/ @" not in owners]
    return problems


def requirements():
    """Options in lists of Python packages: they name folders and servers that only one machine has."""
    return [f"{name}: the line `{line}` is an option of pip, and no package" for name in tracked()
            if name.endswith("requirements.txt")
            for line in (devenv.REPO / name).read_text(encoding="utf-8").splitlines() if line.startswith("-")]


def rendered():
    """Pages and plots of measurements that are not what their results and templates say, which takes the history."""
    if devenv.output(["git", "-C", str(devenv.REPO), "rev-parse", "--is-shallow-repository"]) != "false":
        print("tree: pages of measurements are not compared, this clone has no history")
        return []
    done = subprocess.run([sys.executable, devenv.REPO / "scripts" / "bench.py", "--rendered"], capture_output=True, text=True,
                          check=False)
    return done.stderr.strip().splitlines() if done.returncode else []


def main():
    problems = (files() + includes() + links() + maps() + folders() + requirements() + crates("rust") + crates("rust/fleet")
                + storeys.problems() + rendered())
    for problem in problems:
        print(problem)
    print(f"tree: {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
