# SPDX-License-Identifier: Apache-2.0
"""Limits that a change may only raise on purpose: bench/budgets.toml.

The figures are deterministic for one set of compilers, so a limit is exceeded by what somebody
changed and not by chance.
"""

from . import boards
from .tools import REPO, fail, read_toml

FILE = REPO / "bench" / "budgets.toml"


def measured(store, key):
    """The value that a budget's name stands for, or None when it was not measured.

    Names: `size BOARD CONFIGURATION flash|ram`, `BOARD RUNTIME:TIER geomean|empty_call|flash|ram`,
    `BOARD RUNTIME:TIER WORKLOAD instructions|load|trusted|heap|stack`. Flash and RAM of a run are those of its
    image, Zephyr included, workloads left out.
    """
    words = key.split()
    if words[0] == "size":
        entry = store.sizes.get(f"{words[1]} {words[2]}")
        return entry and entry[words[3]]
    board = boards.find(words[0])
    runtime, tier = words[1].split(":")
    run = store.run(board, runtime, tier)
    if not run:
        return None
    if words[2] == "geomean":
        return store.geomean(board, runtime, tier)
    if words[2] in ("empty_call", "flash", "ram"):
        return run.get(words[2])
    return run["workloads"].get(words[2], {}).get(words[3])


def check(store):
    """Compares everything that was measured; ends the program when a limit is exceeded."""
    exceeded, checked = [], 0
    for key, limit in read_toml(FILE)["limits"].items():
        value = measured(store, key)
        if value is None:
            print(f"  not measured: {key}")
            continue
        checked += 1
        if value > limit:
            exceeded.append(f"{key}: {value:,.2f}, the limit is {limit:,}")
    print(f"{checked} budgets checked, {len(exceeded)} exceeded")
    if exceeded:
        fail("over budget, see bench/budgets.toml:\n  " + "\n  ".join(exceeded))
    if not checked:
        fail("nothing was measured: run make bench and make size first")
