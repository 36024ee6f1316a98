#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures runtimes on boards and renders the results.

  bench.py                                  everything; minutes
  bench.py --board m3 --runtime wisp        one runtime on one board
  bench.py --board m3 --runtime wisp --workload crc16
  bench.py --table                          stored results in text
  bench.py --render                         pages and plots from the stored results

Results are kept in build/bench/results.json; a run replaces what it measured anew.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))

from harness import boards, guests, images, measure, results  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--board", action="append", help="Zephyr's or the short name; repeatable")
    parser.add_argument("--runtime", action="append", help="repeatable; runtime or runtime:tier")
    parser.add_argument("--workload", choices=[w.name for w in guests.WORKLOADS],
                        help="this one only")
    parser.add_argument("--table", action="store_true", help="only print what is stored, in text")
    parser.add_argument("--timeout", type=int, default=300, help="seconds for one QEMU run")
    args = parser.parse_args()

    chosen = [boards.find(name) for name in args.board] if args.board \
        else list(boards.BOARDS.values())
    runtimes = args.runtime or [name for name in images.RUNTIMES if name != "null"]
    store = results.Store()
    if args.table:
        print("\n\n".join(filter(None, (results.matrix(store, board) for board in chosen))))
        return
    failures = 0
    for board in chosen:
        for runtime in runtimes:
            name, _, tier = runtime.partition(":")
            for tier in [tier] if tier else images.tiers(board, name):
                result = measure.measure(board, name, tier, args.workload, args.timeout)
                store.add(board, name, tier, result, partial=args.workload is not None)
                failures += len(result["failures"])
                print(results.text(store, board, name, tier, args.workload), flush=True)
                store.save()
    if failures:
        sys.exit(f"bench: {failures} workloads failed")


if __name__ == "__main__":
    main()
