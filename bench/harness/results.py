# SPDX-License-Identifier: Apache-2.0
"""The stored results: what was measured, and ratios to native code."""

import fcntl
import json
import math

from . import guests
from .tools import OUTPUT

REFERENCE = ("native", "gcc")


def is_rust(name):
    """True for a workload whose native code rustc makes."""
    return name in guests.BY_NAME and bool(guests.BY_NAME[name].rust)


def geomean(values):
    """Geometric mean."""
    return math.exp(sum(math.log(value) for value in values) / len(values))


class Store:
    """build/bench/results.json, by board, runtime and tier."""

    def __init__(self, path=None):
        self.path = path or OUTPUT / "results.json"
        self.runs = self._stored()
        self.changed = set()

    def _stored(self):
        if not self.path.is_file():
            return {}
        entries = json.loads(self.path.read_text(encoding="utf-8"))["runs"]
        return {(entry["board"], entry["runtime"], entry["tier"]): entry for entry in entries}

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
        if old:
            entry.update({part: old[part] for part in ("flash_size", "ram_size") if part in old})
        entry.update(result)
        self.runs[key] = entry
        self.changed.add(key)

    def add_flash(self, board, runtime, tier, result):
        """Takes in what an image takes; runs that were stored before stay."""
        key = (board.name, runtime, tier)
        empty = {"board": board.name, "runtime": runtime, "tier": tier, "version": "",
                 "calibration_error": None, "workloads": {}, "failures": {}}
        self.runs[key] = {**empty, **self.runs.get(key, {}), **result}
        self.changed.add(key)

    def run(self, board, runtime, tier):
        """One run's results, or None."""
        return self.runs.get((board.name, runtime, tier))

    def native(self, board, workload):
        """Instructions of native code per iteration, or None."""
        return self.native_of(board.name, workload)

    def native_of(self, board, workload):
        """The same by the board's name."""
        run = self.runs.get((board, *(("native", "rust") if is_rust(workload) else REFERENCE)))
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
            for workload, values in entry["workloads"].items():
                native = self.native_of(board, workload)
                yield {"board": board, "runtime": runtime, "tier": tier, "workload": workload,
                       "instructions": round(values["instructions"], 1),
                       "native": round(native, 1) if native else None,
                       "ratio": round(values["instructions"] / native, 3) if native else None}

    def save(self):
        """Writes the file; what another run has stored meanwhile stays."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            own = {key: self.runs[key] for key in self.changed}
            self.runs = {**self._stored(), **own}
            self._write()

    def _write(self):
        data = {"records": list(self.records()),
                "runs": [self.runs[key] for key in sorted(self.runs)]}
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


def matrix(store, board):
    """All runtimes of a board side by side: ratios to native code, in text."""
    runs = [(runtime, tier) for name, runtime, tier in sorted(store.runs) if name == board.name]
    runs = [key for key in runs if key[0] != "null"]
    if not runs:
        return ""
    width = max(len(f"{runtime}:{tier}") for runtime, tier in runs) + 2
    lines = [f"{board.name} ({board.title}): instructions relative to gcc -O2",
             " " * 12 + f"{'native':>12}" + "".join(f"{f'{r}:{t}':>{width}}" for r, t in runs)]
    for workload in guests.WORKLOADS:
        if not workload.counts:
            continue
        native = store.native(board, workload.name)
        line = f"{workload.name:12}" + (f"{native:12,.0f}" if native else f"{'-':>12}")
        for runtime, tier in runs:
            ratio = store.ratio(board, runtime, tier, workload.name)
            line += f"{ratio:{width}.2f}" if ratio else f"{'-':>{width}}"
        lines.append(line)
    for title, value in (
            ("geomean", lambda run, key: (store.geomean(board, *key), ".2f")),
            ("empty call", lambda run, key: (run.get("empty_call"), ",.0f")),
            ("load nop", lambda run, key: (run["workloads"].get("nop", {}).get("load"), ",.0f")),
            ("load sha256", lambda run, key: (run["workloads"].get("sha256", {}).get("load"),
                                              ",.0f")),
            ("heap nop", lambda run, key: (run["workloads"].get("nop", {}).get("heap"), ",")),
            ("stack", lambda run, key: (max((w["stack"] for w in run["workloads"].values()),
                                            default=None), ",")),
            ("flash", lambda run, key: (run.get("flash"), ","))):
        line = f"{title:24}"
        for key in runs:
            value_, form = value(store.run(board, *key), key)
            line += f"{format(value_, form):>{width}}" if value_ is not None else f"{'-':>{width}}"
        lines.append(line)
    return "\n".join(lines)
