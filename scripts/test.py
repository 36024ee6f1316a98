#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the test suites and ends with one line: N passed, N failed, N skipped.

Each suite is a function that returns a Count; scripts/suites/ holds them. Suites that need
Zephyr count as skipped where no workspace can be had, and say so.
"""

import argparse
import resource
import sys
import time

from suites import common
from suites.common import Count, cargo, stream, twister  # noqa: F401 (used from a shell, for one twister run)
from suites.desk import suite_fuzz, suite_guests, suite_spec, suite_unit
from suites.holes import select_holes
from suites.inside import select_inside
from suites.programs import select_programs
from suites.targets import suite_quick, suite_targets
from suites.translate import select_translate
from suites.zephyr import (
    select_aot,
    select_limits,
    select_peripherals,
    select_rp2040,
    suite_boards,
    suite_budgets,
    suite_lifecycle,
    suite_rp2040,
    suite_zephyr,
)

# What `make test` runs.
SUITES = {
    "unit": suite_unit,
    "fuzz": suite_fuzz,
    "spec": suite_spec,
    "targets": suite_targets,
    "zephyr": suite_zephyr,
    "boards": suite_boards,
    "guests": suite_guests,
    "lifecycle": suite_lifecycle,
    "budgets": suite_budgets,
    "rp2040": suite_rp2040,
}
# Run by name only: a short look for every change, views of one concern on all boards that run here, and the whole of a
# suite of which `make test` runs a part.
SELECTIONS = {
    "quick": suite_quick,
    "holes": select_holes,
    "inside": select_inside,
    "programs": select_programs,
    "rp2040": select_rp2040,
    "limits": select_limits,
    "aot": select_aot,
    "translate": select_translate,
    "peripherals": select_peripherals,
}


def processor_time():
    """Seconds of processor time that all commands took which have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    known = {**SUITES, **SELECTIONS}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", default=["all"], help="all or some of: " + " ".join(known))
    parser.add_argument("--boards", choices=["integration", "all"], default="integration",
                        help="each Zephyr application on its integration_platforms, or on all boards that run here")
    arguments = parser.parse_args()
    names = arguments.suites
    common.OPTIONS["all_boards"] = arguments.boards == "all"
    for name in names:
        if name != "all" and name not in known:
            parser.error(f"no suite '{name}'; expected all or some of: {' '.join(known)}")
    chosen = SUITES if "all" in names else {name: known[name] for name in names}
    total = Count()
    lines = []
    for key, suite in chosen.items():
        print(f"\n== {key}: {suite.__doc__.splitlines()[0]}", flush=True)
        start, spent = time.monotonic(), processor_time()
        count = suite()
        lines.append(f"  {key:10} {count} ({time.monotonic() - start:.0f} s, "
                     f"{processor_time() - spent:.0f} s of processor time)")
        total += count
    print("\n" + "\n".join(lines))
    print(total, flush=True)
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
