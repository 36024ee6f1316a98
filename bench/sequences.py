#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which ops follow each other: what the sequences of the op table bring, and which others would.

  cargo run --release -p wisp-engine --features alloc,text,profile --example profile -- \\
      build/bench/wisp/*.wisp > profile.tsv        (in rust/; paths as they are from there)
  bench/sequences.py profile.tsv                   use of the table's sequences, as a table
  bench/sequences.py profile.tsv --missing         sequences that the table lacks, best first
  bench/sequences.py profile.tsv --dispatches      dispatches of each workload, and what of its instructions they are

A sequence of n ops saves n - 1 dispatches an execution. Its gain on a board is what they are of a workload's
instructions, averaged over the eleven workloads; the instructions are those that scripts/bench.py stored last.
"""

import argparse
import collections
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import itertools

from harness import boards, guests, results

# Instructions of a dispatch by board.
DISPATCH = {"m3": 2, "m0plus": 4, "rv32": 5}
# The eleven; what nothing was tuned on is only counted, by --dispatches.
COUNTED = [w.name for w in guests.WORKLOADS if w.counts]
HELD_OUT = [w.name for w in guests.WORKLOADS if w.held_out]
# Ops that trap in a place of their own: one in a sequence at most.
TRAPS = re.compile(r"load|store|\bi..\.(div|rem)|trunc_f|call|unreachable|enter|memory|table\.|address")
ALONE = re.compile(r"call_|memory|table|elem|data|ref|unreachable|i64\.(div|rem)|popcnt|clz|ctz|trunc_f")
LEAVES = re.compile(r"^(br|br_table|call|return\w*) |_[FB]$")


def read(path):
    """{workload: [(times, may join the one before, [names of its ops])]}"""
    programs, current = {}, None
    with open(path, encoding="utf-8") as file:
        for line in file:
            parts = line.rstrip("\n").split("\t")
            if parts[0] == "image":
                name = parts[1].rsplit("/", 1)[-1].removesuffix(".wisp")
                current = programs.setdefault(name, [])
                continue
            sems = [part.split()[0] for part in parts[3].split("; ")]
            forms = parts[4].split(";")
            names = [f"{sem} {form}".rstrip() for sem, form in zip(sems, forms)]
            current.append((int(parts[1]), parts[2] == "1", names))
    return programs


class Weights:
    """What a dispatch saved once is of a workload on a board, averaged over the workloads."""

    def __init__(self, programs):
        store = results.Store()
        self.boards = {}
        for short, cost in DISPATCH.items():
            board = boards.find(short)
            run = store.run(board, "wisp", board.back_ends[0])
            if run and all(name in run["workloads"] for name in programs):
                self.boards[board.title] = {
                    name: cost / run["workloads"][name]["instructions"] / len(programs)
                    for name in programs}
        if not self.boards:
            sys.exit("no results of a whole run are stored: scripts/bench.py --board m3 --runtime wisp")


def count(programs, found):
    """[(sequence, {workload: dispatches saved})] of what found(program) yields, most common first."""
    saved = collections.defaultdict(collections.Counter)
    for name, ops in programs.items():
        for sequence, dispatches in found(ops):
            saved[sequence][name] += dispatches
    return list(saved.items())


def used(ops):
    """The sequences in a program."""
    for times, _, names in ops:
        if times and len(names) > 1:
            yield tuple(names), times * (len(names) - 1)


def missing(ops):
    """Neighbours that could be one op."""
    for (_, _, first), (times, joins, second) in itertools.pairwise(ops):
        names = tuple(first + second)
        if not joins or not times or len(names) > 3:
            continue
        fits = not any(ALONE.search(one) for one in names)
        fits = fits and not any(LEAVES.search(one) for one in names[:-1])
        if fits and sum(bool(TRAPS.search(one)) for one in names) <= 1:
            yield names, times


def print_dispatches(programs):
    """Prints what an iteration dispatches, what sequences take away, and one instruction a dispatch in all."""
    store = results.Store()
    runs = {board.title: store.run(board, "wisp", board.back_ends[0]) for board in boards.BOARDS.values()}
    runs = {title: run for title, run in runs.items() if run and run["workloads"]}
    print("| workload | dispatches | taken away | " + " | ".join(f"one instruction, {title}" for title in runs) + " |")
    print("|---|--:|--:|" + "--:|" * len(runs))
    for names in (COUNTED, HELD_OUT):
        factors = {title: [] for title in runs}
        away = []
        for name in filter(programs.get, names):
            done = sum(times for times, _, _ in programs[name])
            saved = sum(times * (len(ops) - 1) for times, _, ops in programs[name])
            away.append(saved / (done + saved))
            cells = []
            for title, run in runs.items():
                factors[title].append(1 - done / run["workloads"][name]["instructions"])
                cells.append(f"{1 - factors[title][-1]:.2%}")
            print(f"| {name} | {done:,} | {away[-1]:.0%} | " + " | ".join(cells) + " |")
        if away:
            print(f"| **together** | | {sum(away) / len(away):.0%} | " + " | ".join(
                f"{1 - results.geomean(factors[title]):.2%}" for title in runs) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profile")
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--dispatches", action="store_true")
    parser.add_argument("--least", type=float, default=0.0003, help="leave out what brings less")
    args = parser.parse_args()
    programs = read(args.profile)
    if not programs:
        sys.exit("no workload in this profile")
    if args.dispatches:
        print_dispatches(programs)
        return
    programs = {name: ops for name, ops in programs.items() if name in COUNTED}
    weights = Weights(programs)
    rows = []
    for sequence, dispatches in count(programs, missing if args.missing else used):
        gains = [sum(times * weight[name] for name, times in dispatches.items())
                 for weight in weights.boards.values()]
        rows.append((gains, sequence, sorted(dispatches)))
    rows.sort(key=lambda row: -row[0][0])
    print("| sequence | " + " | ".join(weights.boards) + " | in |")
    print("|---|" + "--:|" * len(weights.boards) + "---|")
    for gains, sequence, where in rows:
        if gains[0] >= args.least:
            text = "; ".join(f"{one.replace(' ', ' `', 1)}`" if " " in one else one for one in sequence)
            print(f"| {text} | " + " | ".join(f"{gain:.2%}" for gain in gains) + f" | {', '.join(where)} |")
    sums = [sum(column) for column in zip(*(gains for gains, _, _ in rows))]
    print(f"| all {len(rows)} | " + " | ".join(f"{gain:.1%}" for gain in sums) + " | |")


if __name__ == "__main__":
    main()
