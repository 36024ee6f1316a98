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
import traceback
from functools import partial

from suites import common
from suites.chips import select_chips
from suites.common import Count, cargo, stream, together, twister  # noqa: F401 (used from a shell, for one twister run)
from suites.components import select_components
from suites.cores import select_cores
from suites.corpus import select_corpus
from suites.desk import suite_fuzz, suite_guests, suite_spec, suite_unit
from suites.fleet import select_ddi, select_fleet, select_lwm2m, select_rollout
from suites.holes import select_holes
from suites.inside import select_inside
from suites.programs import select_programs
from suites.targets import suite_quick, suite_targets
from suites.translate import select_translate
from suites.zephyr import (
    select_aot,
    select_limits,
    select_network,
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
# Stages that follow each other. A stage has rows of suites, which run beside each other. Builds of the workstation and
# emulators often keep one processor busy only, and lifecycle mostly waits for the clocks of its boards.
STAGES = [
    [["unit", "fuzz"], ["spec", "targets"]],
    [["zephyr"]],
    [["lifecycle"], ["boards", "guests", "budgets", "rp2040"]],
]
# Run by name only: a short look for every change, views of one concern on all boards that run here, and the whole of a
# suite of which `make test` runs a part.
SELECTIONS = {
    "quick": suite_quick,
    "holes": select_holes,
    "inside": select_inside,
    "fleet": select_fleet,
    "rollout": select_rollout,
    "ddi": select_ddi,
    "lwm2m": select_lwm2m,
    "programs": select_programs,
    "rp2040": select_rp2040,
    "components": select_components,
    "cores": select_cores,
    "corpus": select_corpus,
    "chips": select_chips,
    "limits": select_limits,
    "aot": select_aot,
    "translate": select_translate,
    "peripherals": select_peripherals,
    "network": select_network,
}


def processor_time():
    """Seconds of processor time that all commands took which have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_row(names, suites):
    """Runs suites one after the other: (count, seconds) by name."""
    done = {}
    for name in names:
        print(f"\n== {name}: {suites[name].__doc__.splitlines()[0]}", flush=True)
        start = time.monotonic()
        try:
            count = suites[name]()
        except Exception:  # noqa: BLE001 (the other suites still run, and their counts are shown)
            print(traceback.format_exc())
            count = Count(failed=1)
        done[name] = (count, time.monotonic() - start)
    return done


def stages(chosen):
    """The chosen suites in stages of rows: those of STAGES, then the others in one row."""
    rows = [[[name for name in row if name in chosen] for row in stage] for stage in STAGES]
    rows = [[row for row in stage if row] for stage in rows]
    others = [name for name in chosen if name not in SUITES]
    return [stage for stage in rows if stage] + ([[others]] if others else [])


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
    begin, spent = time.monotonic(), processor_time()
    done = {}
    for stage in stages(chosen):
        if len(stage) == 1:
            done.update(run_row(stage[0], chosen))
        else:
            for more in together([partial(run_row, row, chosen) for row in stage]):
                done.update(more)
    total = sum((count for count, _ in done.values()), Count())
    lines = [f"  {name:10} {done[name][0]} ({done[name][1]:.0f} s)" for name in chosen]
    lines.append(f"  {'in all':10} {time.monotonic() - begin:.0f} s, {processor_time() - spent:.0f} s of processor time")
    print("\n" + "\n".join(lines))
    print(total, flush=True)
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
