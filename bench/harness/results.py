# SPDX-License-Identifier: Apache-2.0
"""The stored results: what was measured, and ratios to native code."""

import fcntl
import json
import math
from pathlib import Path

from . import boards, guests
from .tools import OUTPUT, REPO

FILE = REPO / "bench" / "results.json"
REFERENCE = ("native", "gcc")


def is_rust(name):
    """True for a workload whose native code rustc makes."""
    return name in guests.BY_NAME and bool(guests.BY_NAME[name].rust)


def geomean(values):
    """Geometric mean."""
    return math.exp(sum(math.log(value) for value in values) / len(values))


class Store:
    """The measured results, one line each: bench/results.json unless another file is named.

    A line is a run (`m3 wisp:thumb`: version, commit, tools, calls, flash), one of its workloads
    (`m3 wisp:thumb crc16`: instructions, native code's, their ratio, load, heap, stack) or the size of a
    configuration (`size m3 gpio`).
    """

    def __init__(self, path=None, reference=REFERENCE):
        self.path = Path(path) if path else FILE
        self.reference = reference
        self.runs, self.sizes = self._stored()
        self.changed = set()

    def _stored(self):
        if not self.path.is_file():
            return {}, {}
        runs, sizes = {}, {}
        for key, entry in json.loads(self.path.read_text(encoding="utf-8")).items():
            board, run, *workload = key.split()
            if board == "size":
                sizes[f"{run} {workload[0]}"] = entry
                continue
            whole = runs.setdefault((boards.find(board).name, *run.split(":")),
                                    {"workloads": {}, "failures": {}})
            if not workload:
                whole.update(entry)
            elif "failed" in entry:
                whole["failures"][workload[0]] = entry["failed"]
            else:
                whole["workloads"][workload[0]] = entry
        return runs, sizes

    def add(self, board, runtime, tier, result, partial):
        """Takes a run in; a partial run replaces only the workloads that it measured."""
        key = (board.name, runtime, tier)
        old = self.runs.get(key, {})
        if partial and old:
            for part in ("workloads", "failures"):
                merged = dict(old[part])
                for name in result["workloads"].keys() | result["failures"].keys():
                    merged.pop(name, None)
                merged.update(result[part])
                result[part] = merged
        kept = old if partial else {name: old[name] for name in ("flash_size", "ram_size", "flash_revision")
                                            if name in old}
        self.runs[key] = {**kept, **result}
        self.changed.add(key)

    def add_flash(self, board, runtime, tier, result):
        """Takes in what an image takes; runs that were stored before stay."""
        key = (board.name, runtime, tier)
        self.runs[key] = {"workloads": {}, "failures": {}, **self.runs.get(key, {}), **result}
        self.changed.add(key)

    def add_size(self, board, configuration, entry):
        """Takes in what a configuration takes."""
        key = f"{board.short} {configuration}"
        self.sizes[key] = entry
        self.changed.add(key)

    def run(self, board, runtime, tier):
        """One run's results, or None."""
        return self.runs.get((board.name, runtime, tier))

    def native(self, board, workload):
        """Instructions of native code per iteration, or None."""
        return self.native_of(board.name, workload)

    def native_of(self, board, workload):
        """The same by the board's name."""
        run = self.runs.get((board, *(("native", "rust") if is_rust(workload) else self.reference)))
        found = run and run["workloads"].get(workload)
        return found[boards.find(board).unit] if found else None

    def ratio(self, board, runtime, tier, workload):
        """A runtime's instructions over native code's, or None."""
        run = self.run(board, runtime, tier)
        found = run and run["workloads"].get(workload)
        native = self.native(board, workload)
        return found[board.unit] / native if found and native else None

    def geomean(self, board, runtime, tier):
        """Geomean over the workloads that count; None unless all of them ran."""
        ratios = [self.ratio(board, runtime, tier, w.name) for w in guests.WORKLOADS if w.counts]
        return geomean(ratios) if all(ratios) else None

    def lines(self):
        """(key, values) of every line of the file."""
        for key, entry in self.sizes.items():
            yield f"size {key}", entry
        for (board, runtime, tier), entry in self.runs.items():
            key = f"{boards.find(board).short} {runtime}:{tier}"
            yield key, {name: value for name, value in entry.items() if name not in ("workloads", "failures")}
            for workload, values in entry["workloads"].items():
                native = self.native_of(board, workload)
                unit = boards.find(board).unit
                derived = {"native": native, "ratio": round(values[unit] / native, 3)} if native else {}
                plain = {name: value for name, value in values.items() if name not in ("native", "ratio")}
                yield f"{key} {workload}", {**plain, **derived}
            for workload, reason in entry["failures"].items():
                yield f"{key} {workload}", {"failed": reason}

    def save(self):
        """Writes the file; what another run has stored meanwhile stays."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        OUTPUT.mkdir(parents=True, exist_ok=True)
        with open(OUTPUT / "results.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            runs, sizes = self._stored()
            own = {key: self.runs[key] for key in self.changed if key in self.runs}
            self.runs = {**runs, **own}
            self.sizes = {**sizes, **{key: self.sizes[key] for key in self.changed if key in self.sizes}}
            lines = [f"{json.dumps(key)}: {json.dumps(rounded(values), sort_keys=True)}"
                     for key, values in sorted(self.lines())]
            self.path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def rounded(values):
    """Values as they are stored: a tenth of an instruction, a millionth of the calibration's."""
    digits = {"calibration_error": 6, "ratio": 3}
    return {name: round(value, digits.get(name, 1)) if isinstance(value, float) else value
            for name, value in values.items()}


def text(store, board, runtime, tier, only=None, workloads=guests.WORKLOADS):
    """A run's results as a small table."""
    run = store.run(board, runtime, tier)
    lines = [(f"{board.name}  {runtime}:{tier}  ({run['version']}), calibration off by "
             f"{run['calibration_error']:+.5%}")]
    for workload in workloads:
        name = workload.name
        if only and name != only:
            continue
        if name in run["failures"]:
            lines.append(f"  {name:12} FAILED: {run['failures'][name]}")
        elif name in run["workloads"]:
            values = run["workloads"][name]
            ratio = store.ratio(board, runtime, tier, name)
            lines.append(f"  {name:12}{values[board.unit]:14,.0f}"
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
