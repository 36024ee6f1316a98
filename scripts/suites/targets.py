# SPDX-License-Identifier: Apache-2.0
"""Runs the official suite and every form of every op on the targets, and compares the counts with the desk's."""

import re

import devenv
import spec_targets

from suites.common import SPEC_PLATFORMS, Count, twister
from suites.desk import DESK_LOG, spec


def suite_targets():
    """The official suite, interpreted and as native code, and every form of every op on the targets."""
    if not DESK_LOG.is_file():
        spec([], DESK_LOG)
    count = twister("targets", ["tests/spec"], SPEC_PLATFORMS, ["-x=CONFIG_MINIMAL_LIBC=y"])
    if count.skipped and not count.passed and not count.failed:
        return count
    desk = spec_targets.desk_counts(DESK_LOG.read_text(encoding="utf-8"))
    targets = spec_targets.read(devenv.BUILD / "twister" / "targets")
    text = spec_targets.table(desk, targets)
    path = devenv.BUILD / "spec" / "targets.md"
    devenv.write_if_changed(path, text)
    print(text + f"\nwritten to {path}")
    problems = [problem for target in targets for problem in target.failures + target.problems(desk)]
    expected = [(platform, tier) for platform in SPEC_PLATFORMS for tier in ("target", "native")]
    expected.append(("qemu_riscv32", "threaded"))
    problems += [f"{platform}, {tier} did not run" for platform, tier in expected
                 if not any(target.tier == tier and target.platform.startswith(re.sub(r"\W", "_", platform))
                            for target in targets)]
    for problem in problems:
        print("targets: " + problem)
    assertions = Count()
    for target in (target for target in targets if target.suite and target.forms):
        assertions += Count(*target.suite[:3]) + Count(target.forms[0], target.forms[1])
    if problems and not assertions.failed:
        assertions.failed += len(problems)
    if count.failed and not assertions.failed:
        assertions.failed += count.failed
    return assertions
