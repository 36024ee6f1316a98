#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the order of the engine's files: each storey uses only itself and the storeys below it.

Prints the arrows that point up and the largest ring of files that use each other.
"""

import re
import sys

import devenv

SOURCES = devenv.REPO / "rust/engine/src"
# From the bottom to the top.
STOREYS = ("vm", "exec", "api")
# Most files that may use each other in one ring: instances and the store that they share.
RING_MAX = 10
PATH = re.compile(r"\b(crate|super|self)((?:::\w+)+)(?:::\{([^}]*)\})?")


def modules():
    """The module path of each file below the storeys, as a tuple of names."""
    found = {}
    for path in sorted(SOURCES.rglob("*.rs")):
        parts = path.relative_to(SOURCES).with_suffix("").parts
        if parts[0] in STOREYS:
            found[parts[:-1] if parts[-1] == "mod" else parts] = path
    return found


def code(path):
    """The text of a file without comments and unit tests."""
    text = path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
    return re.sub(r"//.*", "", text)


def home(name, known):
    """The file that defines what a path names, or None for a path that leads out of the storeys."""
    while name and name not in known:
        name = name[:-1]
    return name or None


def used(module, path, known):
    """The files that a file uses."""
    base = module if path.name == "mod.rs" else module[:-1]
    for start, rest, group in PATH.findall(code(path)):
        names = tuple(rest.strip(":").split("::"))
        above = {"crate": (), "super": base if path.name != "mod.rs" else module[:-1], "self": module}[start]
        for last in (group or "").split(",") or [""]:
            target = home(above + names + tuple(last.strip().split("::")), known)
            if target and target != module:
                yield target


def arrows():
    """Pairs of files, the first of which uses the second."""
    known = modules()
    return {(module, target) for module, path in known.items() for target in used(module, path, known)}


def rings(edges):
    """Sets of files that use each other, the largest first (strongly connected components, by reachability)."""
    after = {}
    for start, end in edges:
        after.setdefault(start, set()).add(end)

    def reach(start):
        seen, waiting = set(), [start]
        while waiting:
            for end in after.get(waiting.pop(), ()):
                if end not in seen:
                    seen.add(end)
                    waiting.append(end)
        return seen

    reached = {start: reach(start) for start in after}
    found = {frozenset(b for b in reached[a] if a in reached.get(b, ())) for a in after}
    return sorted((ring for ring in found if len(ring) > 1), key=len, reverse=True)


def upward(edges):
    """The arrows that point to a higher storey."""
    return sorted((a, b) for a, b in edges if STOREYS.index(a[0]) < STOREYS.index(b[0]))


def problems():
    """What breaks the order, as texts."""
    edges = arrows()
    found = [f"rust/engine/src/{'/'.join(a)}.rs uses {'/'.join(b)}, which stands higher" for a, b in upward(edges)]
    ring = next(iter(rings(edges)), ())
    if len(ring) > RING_MAX:
        names = ", ".join(sorted("/".join(name) for name in ring))
        found.append(f"rust/engine/src: {len(ring)} files use each other in one ring, {RING_MAX} are enough: {names}")
    return found


def main():
    edges = arrows()
    print(f"arrows: {len(edges)}, of which {len(upward(edges))} point up")
    for ring in rings(edges):
        print(f"ring of {len(ring)}: {', '.join(sorted('/'.join(name) for name in ring))}")
    found = problems()
    print("\n".join(found))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
