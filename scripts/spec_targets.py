# SPDX-License-Identifier: Apache-2.0
"""Reads what rust/bare printed on its boards and makes one table of it: counts per file, target and tier."""

import re

FILE = re.compile(r"^spec: (\S+) (\d+) (\d+) (\d+) (\d+)\s*$", re.MULTILINE)
SUITE = re.compile(r"^suite: (\d+) passed, (\d+) failed, (\d+) skipped, (\d+) judged on the workstation\s*$", re.MULTILINE)
FAILURE = re.compile(r"^spec: (failed: .*)$", re.MULTILINE)


class Target:
    """What one board printed, in one tier: `target` is the interpreter, `threaded` and `portable` are its variants,
    `native` is native code."""

    def __init__(self, platform, tier, text):
        self.platform = platform
        self.tier = tier
        self.name = platform if tier == "target" else f"{platform} {tier}"
        self.files = {m[1]: tuple(int(n) for n in m.groups()[1:]) for m in FILE.finditer(text)}
        suite = SUITE.search(text)
        self.suite = tuple(int(n) for n in suite.groups()) if suite else None
        # Ops that were checked, and cases of them that failed; not for native code, which has none.
        self.forms = None
        self.failures = FAILURE.findall(text)

    def problems(self, desk):
        """What is wrong with it, beside assertions that failed; `desk` has counts by file, or is None."""
        problems = []
        if self.suite is None or (self.forms is None and self.tier != "native"):
            problems.append(f"{self.name}: did not run to its end")
        elif self.suite != tuple(map(sum, zip(*self.files.values()))):
            problems.append(f"{self.name}: the files do not add up to the sum")
        for file, counts in (desk or {}).items():
            if sum(self.files.get(file, ())) != sum(counts):
                problems.append(f"{self.name}: {file}: {self.files.get(file)} here, {counts} on the workstation")
        return problems


def desk_counts(text):
    """Counts by file, from what wisp-spec printed on the workstation."""
    found = re.finditer(r"^(\S+/\S+)\s+(\d+) passed, (\d+) failed, (\d+) skipped\s*$", text, re.MULTILINE)
    return {m[1]: tuple(int(n) for n in m.groups()[1:]) for m in found}


def table(desk, targets):
    """Markdown: passed / failed / skipped by file; what the workstation judges is not in a target's counts."""
    lines = ["| file | desk | judged on the workstation | " + " | ".join(t.name for t in targets) + " |",
             "|---" * (3 + len(targets)) + "|"]
    cell = "{} / {} / {}".format
    total = {"desk": [0, 0, 0], "judged": 0}
    for file, counts in desk.items():
        known = [t.files.get(file) for t in targets]
        judged = next((k[3] for k in known if k), 0)
        lines.append(f"| {file} | {cell(*counts)} | {judged} | "
                     + " | ".join(cell(*k[:3]) if k else "-" for k in known) + " |")
        total["desk"] = [a + b for a, b in zip(total["desk"], counts)]
        total["judged"] += judged
    lines.append(f"| **all** | {cell(*total['desk'])} | {total['judged']} | "
                 + " | ".join(cell(*t.suite[:3]) if t.suite else "-" for t in targets) + " |")
    lines.append("| ops with every form checked | | | "
                 + " | ".join(f"{t.forms[0]}, {t.forms[1]} failed" if t.forms else "-" for t in targets) + " |")
    return "\n".join(lines) + "\n"
