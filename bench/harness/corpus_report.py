# SPDX-License-Identifier: Apache-2.0
"""Measures the corpus and prints what was measured."""

from . import corpus, images, measure
from .results import geomean
from .tools import zephyr_environment

# The runs of a board, native code first; Wisp's interpreter is the one that is built by default.
PEERS = (("wasm3", "default"), ("wamr", "fast"))


def runs(board):
    """(runtime, tier) of each row."""
    return (("native", "own"), ("wisp", board.back_ends[0]), ("wisp", "translated"), ("wisp", "aot"), ("wisp", "aot-poll"), *PEERS)


def chosen_runs(board, wanted):
    """The runs that were asked for as runtime or runtime:tier; all of them if none were."""
    if not wanted:
        return runs(board)
    found = []
    for text in wanted:
        runtime, _, tier = text.partition(":")
        found += [(runtime, tier)] if tier else [run for run in runs(board) if run[0] == runtime]
    return found


def measure_all(args, chosen):
    """Measures what was asked for; a message if something was wrong, else None. Skips what cannot be had."""
    reason = corpus.missing()
    if reason:
        print(f"corpus: skipped, {reason}")
        return None
    zephyr_environment()
    store, failures = corpus.Store(args.results), 0
    for board in chosen:
        wanted = list(chosen_runs(board, args.runtime))
        native = store.expected(board)
        if store.reference not in wanted and not all(name in native for name in corpus.on(board)):
            wanted.insert(0, store.reference)
        for runtime, tier in wanted:
            reason = images.unsupported(board, runtime)
            if reason:
                print(f"{board.name}  {runtime}: skipped, {reason}")
                continue
            result = measure.measure(board, runtime, tier, args.workload, args.timeout * 4, model=True,
                                     suite=corpus.Suite(store))
            failures += len(result["failures"])
            store.add(board, runtime, tier, result, partial=args.workload is not None)
            store.save()
            print(text(store, board, runtime, tier, args.workload), flush=True)
    return f"bench: {failures} programs failed" if failures else None


def ratios(store, board, run, unit, names):
    """{program: a run's instructions or cycles over native code's}, of those that both have."""
    one, other = store.run(board, *run), store.run(board, *store.reference)
    found = {}
    for name in names:
        values = (one or {}).get("workloads", {}).get(name, {}), (other or {}).get("workloads", {}).get(name, {})
        if all(unit in value for value in values):
            found[name] = values[0][unit] / values[1][unit]
    return found


def halves():
    """(title, names of the programs) of both halves."""
    return (("tunable", [p.name for p in corpus.WORKLOADS if not p.never_tune]),
            ("never tune on these", [p.name for p in corpus.WORKLOADS if p.never_tune]))


def text(store, board, runtime, tier, only=None):
    """A run's results as a table: each program, and the geomean and worst case of each half."""
    run = store.run(board, runtime, tier)
    by = {unit: ratios(store, board, (runtime, tier), unit, corpus.BY_NAME) for unit in ("instructions", "cycles")}
    lines = [f"{board.name}  {runtime}:{tier}  ({run['version']})",
             f"  {'program':14}{'instructions':>14}{'ratio':>8}{'cycles':>14}{'ratio':>8}{'load':>12}{'heap':>9}{'stack':>8}{'image':>9}"]
    for title, names in halves():
        for name in names:
            if only and name != only:
                continue
            if name in run["failures"]:
                lines.append(f"  {name:14} FAILED: {run['failures'][name]}")
            elif name in run["workloads"]:
                values = run["workloads"][name]
                cells = [f"{values[unit]:14,.0f}" + (f"{by[unit][name]:8.2f}" if name in by[unit] else f"{'-':>8}")
                         for unit in ("instructions", "cycles")]
                lines.append(f"  {name:14}{''.join(cells)}{values['load']:12,.0f}{values['heap']:9,}{values['stack']:8,}"
                             f"{values['module']:9,}")
        for unit, found in by.items():
            part = {name: ratio for name, ratio in found.items() if name in names}
            if part and not only:
                worst = max(part, key=part.get)
                lines.append(f"  {title}, {unit}: geomean of {len(part)} {geomean(part.values()):.2f}, worst {part[worst]:.2f} ({worst})")
    return "\n".join(lines)
