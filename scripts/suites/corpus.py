# SPDX-License-Identifier: Apache-2.0
"""The benchmark's real programs: their list, and all of them in each tier on emulated boards."""

import re
import sys

import devenv

from suites.common import Count, stream

sys.path.insert(0, str(devenv.REPO / "bench"))

from harness import corpus


def problems():
    """What is wrong with the list of programs."""
    found = []
    never = corpus.read_toml(corpus.LIST)["never_tune_on"]
    names = [program.name for program in corpus.WORKLOADS]
    found += [f"{name} is never to be tuned on, and no program has that name" for name in never if name not in names]
    found += [f"{name} is listed {never.count(name)} times" for name in sorted(set(never)) if never.count(name) > 1]
    manifest = (corpus.RUST / "Cargo.toml").read_text(encoding="utf-8") + (corpus.C / "Cargo.toml").read_text(encoding="utf-8")
    for program in corpus.WORKLOADS:
        try:
            version = corpus.version(program)
        except SystemExit as error:
            found.append(str(error))
            continue
        if not re.search(rf'^{re.escape(program.crate)} = .*"={re.escape(version.partition("+")[0])}"', manifest, re.MULTILINE):
            found.append(f"{program.name}: the manifest does not pin {program.crate} to {version}, which is locked")
        driver = corpus.C / f"{program.name}.c" if program.in_c else corpus.RUST / "src" / f"{program.name}.rs"
        if not driver.is_file():
            found.append(f"{program.name}: there is no {driver.name}")
    for half in (True, False):
        members = [program for program in corpus.WORKLOADS if program.never_tune == half]
        if len(members) < 8:
            found.append(f"one half has {len(members)} programs, expected 8 or more")
        kinds = {program.kind for program in members}
        found += [f"{kind}: both halves need a program of that kind" for kind in ("compression", "formats", "pictures", "text")
                  if kind not in kinds]
    return found


def check_corpus():
    """Checks the list: each program has a version that is pinned by hash, and the halves have members of the same kinds."""
    found = problems()
    for problem in found:
        print(f"corpus: {problem}")
    return Count(passed=0 if found else 1, failed=len(found))


def select_corpus():
    """The benchmark's real programs in each tier on emulated boards: the checksums of native code."""
    reason = corpus.missing() or (None if devenv.environment() else "no Zephyr workspace can be had here")
    if reason:
        print(f"corpus: skipped, {reason}")
        return check_corpus() + Count(skipped=1)
    count = check_corpus()
    for board in corpus.BOARDS:
        runs = ["native", f"wisp:{board.back_ends[0]}", "wisp:translated", "wisp:aot"]
        words = [word for run in runs for word in ("--runtime", run)]
        _, text = stream([sys.executable, devenv.REPO / "scripts" / "bench.py", "--corpus", "--board", board.short, *words,
                          "--results", devenv.BUILD / "bench" / "corpus-suite.json"], devenv.REPO)
        for run in runs:
            part = re.search(rf"^{re.escape(board.name)}  {run}.*?(?=^{re.escape(board.name)}  |\Z)", text, re.MULTILINE | re.DOTALL)
            lines = part[0].splitlines() if part else []
            failed = sum("FAILED" in line for line in lines)
            ran = sum(line.split()[:1] and line.split()[0] in corpus.BY_NAME for line in lines) - failed
            count += Count(passed=ran, failed=failed if part else 1)
    return count
