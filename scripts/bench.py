#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures runtimes on boards and renders the results.

  bench.py                                  everything; minutes
  bench.py --board m3 --runtime wisp        one runtime on one board
  bench.py --board m3 --runtime wisp --workload crc16
  bench.py --table                          stored results in text
  bench.py --size                           flash and RAM of configurations, by part
  bench.py --check                          stored results against bench/budgets.toml
  bench.py --study                          the programs of the study on its boards, into bench/study.json
  bench.py --corpus --board m3 --runtime wisp:translated    programs of the corpus, into bench/corpus.json
  bench.py --scaling                        generated modules of up to 1 MB, into bench/scaling.json
  bench.py --render                         pages and plots from the stored results
  bench.py --rendered                       fails when a page or plot is not what --render writes

Results are kept in bench/results.json, a line each, with the commit and the tools; a run replaces what
it measured anew. --results names another file, for a measurement that is not to be kept.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))

from harness import (
    boards,
    budgets,
    corpus,
    corpus_report,
    guests,
    images,
    measure,
    render,
    results,
    scaling,
    size,
    study,
)
from harness.tools import REPO, write_if_changed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--board", action="append", help="Zephyr's or the short name; repeatable")
    parser.add_argument("--runtime", action="append", help="repeatable; runtime or runtime:tier")
    parser.add_argument("--workload", choices=[w.name for w in (*guests.WORKLOADS, *corpus.WORKLOADS)],
                        metavar="NAME", help="this one only")
    parser.add_argument("--corpus", action="store_true", help="measure the programs of the corpus, in cycles too")
    parser.add_argument("--scaling", action="store_true", help="measure load and RAM against the size of a module")
    parser.add_argument("--table", action="store_true", help="only print what is stored, in text")
    parser.add_argument("--flash", action="store_true",
                        help="only build, at -O2 and -Os, and store what that takes")
    parser.add_argument("--size", action="store_true", help="measure sizes of configurations")
    parser.add_argument("--configuration", action="append", help="with --size: this one only")
    parser.add_argument("--check", action="store_true", help="compare with the budgets")
    parser.add_argument("--study", action="store_true", help="measure the programs of the study, and print its tables")
    parser.add_argument("--render", action="store_true", help="write doc/benchmarks.md and doc/study.md")
    parser.add_argument("--rendered", action="store_true", help="compare them with the stored results")
    parser.add_argument("--results", help="file of results, bench/results.json by default")
    parser.add_argument("--timeout", type=int, default=300, help="seconds for one QEMU run")
    args = parser.parse_args()

    chosen = [boards.find(name) for name in args.board] if args.board \
        else list(boards.BOARDS.values())
    store = results.Store(args.results)
    if args.table:
        print("\n\n".join(filter(None, (results.matrix(store, board) for board in chosen))))
    if args.size:
        size.measure(store, [b for b in chosen if args.board or b.short in size.BOARDS], args.configuration)
        print(size.text(store))
    if args.check:
        budgets.check(store)
    if args.study:
        run_study()
    if args.scaling:
        failures = scaling.measure_all(args.timeout)
        sys.exit(f"bench: {failures} modules failed" if failures else None)
    if args.corpus:
        sys.exit(corpus_report.measure_all(args, [b for b in chosen if args.board or b in corpus.BOARDS]))
    if args.render:
        for path, text in rendered(store).items():
            write_if_changed(path, text)
    if args.rendered:
        stale = [str(path.relative_to(REPO)) for path, text in rendered(store).items()
                 if not path.is_file() or path.read_text(encoding="utf-8") != text]
        if stale:
            sys.exit(f"bench: not rendered from the stored results: {', '.join(stale)}; run scripts/bench.py --render")
    if args.table or args.size or args.check or args.study or args.render or args.rendered:
        return
    failures = measure_all(args, chosen, store)
    if failures:
        sys.exit(f"bench: {failures} workloads failed")


def rendered(store):
    """{path: text} of all pages and plots."""
    return {**render.pages(store), **study.pages(results.Store(study.FILE))}


def run_study():
    """Measures the study, prints its tables and what is missing. Ends the program when a result is wrong."""
    store = results.Store(study.FILE)
    missing, failures = study.measure_all(store)
    print(study.text(store))
    for line in missing:
        print(f"not measured: {line}")
    if failures:
        sys.exit(f"bench: {failures} workloads failed")


def measure_all(args, chosen, store):
    """Builds and runs what was asked for. Returns the number of workloads that failed."""
    runtimes = args.runtime or [name for name in images.RUNTIMES if name != "null"]
    failures = 0
    for board in chosen:
        for runtime in runtimes:
            name, _, wanted = runtime.partition(":")
            reason = images.unsupported(board, name)
            if reason:
                print(f"{board.name}  {name}: skipped, {reason}")
                continue
            for tier in [wanted] if wanted else images.tiers(board, name):
                if args.flash:
                    store.add_flash(board, name, tier, measure.flash(board, name, tier))
                    store.save()
                    continue
                result = measure.measure(board, name, tier, args.workload, args.timeout)
                before = store.run(board, name, tier)
                store.add(board, name, tier, result, partial=args.workload is not None)
                failures += len(result["failures"])
                print(results.text(store, board, name, tier, args.workload), flush=True)
                # a run's line names one commit
                if args.workload and before and before.get("revision") != result["revision"]:
                    print(f"  not stored: the other workloads are from {before.get('revision')}")
                    continue
                store.save()
    return failures


if __name__ == "__main__":
    main()
