# SPDX-License-Identifier: Apache-2.0
"""The stored results: what was measured, and ratios to native code."""

import json
import math

from . import guests
from .tools import OUTPUT

REFERENCE = ("native", "gcc")


def geomean(values):
    """Geometric mean."""
    return math.exp(sum(math.log(value) for value in values) / len(values))


class Store:
    """build/bench/results.json, by board, runtime and tier."""

    def __init__(self, path=None):
        self.path = path or OUTPUT / "results.json"
        self.runs = {}
        if self.path.is_file():
            for entry in json.loads(self.path.read_text(encoding="utf-8"))["runs"]:
                self.runs[entry["board"], entry["runtime"], entry["tier"]] = entry

    def add(self, board, runtime, tier, result, partial):
        """Takes a run in; a partial run replaces only the workloads that it measured."""
        key = (board.name, runtime, tier)
        entry = {"board": board.name, "runtime": runtime, "tier": tier}
        old = self.runs.get(key)
        if partial and old:
            for part in ("workloads", "failures"):
                merged = dict(old[part])
                for name in result["workloads"].keys() | result["failures"].keys():
                    merged.pop(name, None)
                merged.update(result[part])
                result[part] = merged
            entry.update(old)
        entry.update(result)
        self.runs[key] = entry

    def run(self, board, runtime, tier):
        """One run's results, or None."""
        return self.runs.get((board.name, runtime, tier))

    def native(self, board, workload):
        """Instructions of native code per iteration, or None."""
        run = self.run(board, *REFERENCE)
        found = run and run["workloads"].get(workload)
        return found["instructions"] if found else None

    def ratio(self, board, runtime, tier, workload):
        """A runtime's instructions over native code's, or None."""
        run = self.run(board, runtime, tier)
        found = run and run["workloads"].get(workload)
        native = self.native(board, workload)
        return found["instructions"] / native if found and native else None

    def geomean(self, board, runtime, tier):
        """Geomean over the workloads that count; None unless all of them ran."""
        ratios = [self.ratio(board, runtime, tier, w.name) for w in guests.WORKLOADS if w.counts]
        return geomean(ratios) if all(ratios) else None

    def records(self):
        """Flat records: board, runtime, tier, workload, instructions, native, ratio."""
        for (board, runtime, tier), entry in sorted(self.runs.items()):
            reference = self.runs.get((board, *REFERENCE), {"workloads": {}})["workloads"]
            for workload, values in entry["workloads"].items():
                native = reference.get(workload, {}).get("instructions")
                yield {"board": board, "runtime": runtime, "tier": tier, "workload": workload,
                       "instructions": round(values["instructions"], 1),
                       "native": round(native, 1) if native else None,
                       "ratio": round(values["instructions"] / native, 3) if native else None}

    def save(self):
        """Writes the file."""
        data = {"records": list(self.records()),
                "runs": [self.runs[key] for key in sorted(self.runs)]}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def text(store, board, runtime, tier, only=None):
    """A run's results as a small table."""
    run = store.run(board, runtime, tier)
    lines = [f"{board.name}  {runtime}:{tier}  ({run['version']}), calibration off by "
             f"{run['calibration_error']:+.5%}"]
    for workload in guests.WORKLOADS:
        name = workload.name
        if only and name != only:
            continue
        if name in run["failures"]:
            lines.append(f"  {name:12} FAILED: {run['failures'][name]}")
        elif name in run["workloads"]:
            values = run["workloads"][name]
            ratio = store.ratio(board, runtime, tier, name)
            lines.append(f"  {name:12}{values['instructions']:14,.0f}"
                         f"{f'{ratio:8.2f}' if ratio else '       -'}"
                         f"   load {values['load']:11,.0f}  heap {values['heap']:7,}"
                         f"  stack {values['stack']:6,}")
    mean = store.geomean(board, runtime, tier)
    if mean and not only:
        lines.append(f"  {'geomean':12}{'':14}{mean:8.2f}")
    if "empty_call" in run:
        lines.append(f"  empty call {run['empty_call']:8.0f}   flash {run['flash']:,}")
    return "\n".join(lines)
