#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves that a command needs no more of this Debian machine than `make setup` installs.

  fresh.py                      runs the suite `boards` of the test command
  fresh.py COMMAND [ARGUMENT]   runs another command

Records each file that the command and its children open (with strace), asks dpkg which package has it, and
compares with the packages that scripts/setup.py installs, what these depend on, and a minimal system with
Python, make and git. Fails, with the files, if the command opened a file of another package: on a
machine without that package the command might fail.
"""

import os
import re
import subprocess
import sys
import tempfile

import devenv
import setup

# What is there before `make setup`: README.md says so.
BASE = ["python3", "make", "git", "ca-certificates", "libc6-dev", "sudo"]
# Folders of packages. What lies elsewhere is the user's: the workspace, Rust by rustup, a Python of their own.
SYSTEM = ("/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/")
# Opened only to see what there is.
PROBED = re.compile(r"^/usr/(share/(locale|zoneinfo|cmake|bash-completion)|lib/locale)/")
OPENED = re.compile(r'(?:open|openat|execve)\((?:[^",]*, )?"([^"]+)"')


def lines(command):
    """The lines that a command prints; none if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def allowed():
    """Packages that a machine has after `make setup`: those named, what they depend on, and the essential ones."""
    named = [*BASE, *setup.HOST_TOOLS.values(), *setup.CROSS_TOOLS.values(), *setup.CLANG_PACKAGES, "python3-venv",
             *setup.RUST_PACKAGES]
    depends = lines(["apt-cache", "depends", "--recurse", "--installed", "--no-recommends", "--no-suggests",
                     "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", *named])
    found = {line.strip() for line in depends if line and not line.startswith(" ")}
    for line in lines(["dpkg-query", "-W", "-f", "${Package} ${Essential} ${Priority}\n"]):
        package, essential, priority = (line.split(" ") + ["", ""])[:3]
        if essential == "yes" or priority in ("required", "important"):
            found.add(package)
    return {package.partition(":")[0] for package in found} | set(named)


def opened(command):
    """The files of packages that a command and its children opened, and its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "strace")
        code = subprocess.run(["strace", "-f", "-qq", "-z", "-s", "4096", "-e", "trace=open,openat,execve", "-o", log,
                               *command], cwd=devenv.REPO, check=False).returncode
        with open(log, encoding="utf-8", errors="replace") as file:
            paths = {match[1] for match in map(OPENED.search, file) if match}
    real = {os.path.realpath(path) for path in paths if path.startswith(SYSTEM) and not PROBED.match(path)}
    return {path for path in real if os.path.isfile(path)}, code


def owners(paths):
    """The package of each file, by file; files of no package are left out."""
    found = {}
    paths = sorted(paths)
    for start in range(0, len(paths), 500):
        # a file may be known by the path that it had before /usr was merged
        part = [name for path in paths[start:start + 500] for name in (path, path.removeprefix("/usr"))]
        for line in lines(["dpkg-query", "-S", *part]):
            packages, _, path = line.rpartition(": ")
            if path and not packages.startswith("diversion"):
                found[path] = packages.split(",")[0].partition(":")[0]
    return found


def main():
    for tool, package in (("strace", "strace"), ("dpkg-query", "dpkg"), ("apt-cache", "apt")):
        if not devenv.find_tool(tool):
            sys.exit(f"fresh: there is no {tool} here; install the package {package} (this needs Debian or Ubuntu)")
    command = sys.argv[1:] or [sys.executable, str(devenv.REPO / "scripts" / "test.py"), "boards"]
    paths, code = opened(command)
    known = allowed()
    foreign = {}
    for path, package in sorted(owners(paths).items()):
        if package not in known:
            foreign.setdefault(package, []).append(path)
    for package, files in sorted(foreign.items()):
        more = f" and {len(files) - 3} more" if len(files) > 3 else ""
        print(f"fresh: {package} is not what `make setup` installs: {', '.join(files[:3])}{more}")
    print(f"fresh: {len(paths)} files of the system, {len(foreign)} packages too many; the command ended with {code}")
    sys.exit(1 if foreign or code or not paths else 0)


if __name__ == "__main__":
    main()
