# SPDX-License-Identifier: Apache-2.0
"""The parts of doc/benchmarks.md about the corpus, from the stored results."""

from . import corpus, results, scaling
from .corpus_report import halves, ratios, runs
from .cycles import models
from .render import COLUMNS, number, table
from .results import geomean

TITLES = {("native", "own"): "native", ("wisp", "translated"): "Wisp, translated",
          **{(runtime, tier): title for runtime, tier, title in COLUMNS}}
UNITS = ("instructions", "cycles")
# The programs whose memory and load stand in a table of their own.
SHOWN = ("jpeg", "lua", "zlib", "json")

def measured(store, board):
    """The runs of a board that were measured, without native code."""
    return [run for run in runs(board)[1:] if (store.run(board, *run) or {"workloads": None})["workloads"]]

def summary(found):
    """Geomean, and in brackets the worst case, of {program: ratio}."""
    if not found:
        return "-"
    worst = max(found, key=found.get)
    return f"{geomean(found.values()):.2f} ({worst} {found[worst]:.2f})"

def geomeans(store):
    """Both halves on each board, in each tier, in instructions and cycles."""
    rows = []
    (_, tunable), (_, never) = halves()
    for board in corpus.BOARDS:
        for run in measured(store, board):
            cells = [summary(ratios(store, board, run, unit, names)) for names in (never, tunable) for unit in UNITS]
            count = len(ratios(store, board, run, "cycles", never)), len(ratios(store, board, run, "cycles", tunable))
            rows.append([f"{board.title}, {TITLES[run]}", *cells[:2], str(count[0]), *cells[2:], str(count[1])])
    return table(["relative to native code", "never tuned, instructions", "never tuned, cycles", "of",
                  "tunable, instructions", "tunable, cycles", "of"], rows)

def programs(store):
    """A table of each board: instructions and cycles of native code, and the ratio of cycles in each tier."""
    parts = []
    for board in corpus.BOARDS:
        shown = measured(store, board)
        native = store.run(board, *store.reference)
        if not shown or not native:
            continue
        rows = []
        for title, names in halves()[::-1]:
            rows.append([f"**{title}**"] + [""] * (2 + len(shown)))
            for name in names:
                values = native["workloads"].get(name)
                cells = [number(values and values.get(unit)) for unit in UNITS]
                for run in shown:
                    failed = store.run(board, *run)["failures"].get(name)
                    found = [ratios(store, board, run, unit, [name]).get(name) for unit in UNITS]
                    cells.append("fails" if failed else " / ".join(number(ratio, ".2f") for ratio in found))
                rows.append([name, *cells])
        head = ["instructions / cycles", "native, instructions", "native, cycles", *(TITLES[run] for run in shown)]
        parts.append(f"### Corpus on {board.title}\n\n{table(head, rows)}")
    return "\n\n".join(parts)

def memory(store):
    """RAM, stack and load of some programs on the Cortex-M3."""
    board = corpus.BOARDS[0]
    shown = measured(store, board)
    rows = []
    for name in SHOWN:
        for title, key in (("instructions to load", "load"), ("RAM held, bytes", "heap"), ("of which linear memory", "memory"),
                           ("native stack, deepest, bytes", "stack"), ("module or image, bytes", "module")):
            values = [store.run(board, *run)["workloads"].get(name, {}).get(key) for run in shown]
            rows.append([f"{name}: {title}", *(number(value) for value in values)])
    return table([board.title, *(TITLES[run] for run in shown)], rows)

def listed():
    """The programs, with their crates."""
    rows = []
    for program in sorted(corpus.WORKLOADS, key=lambda program: (program.kind, program.name)):
        rows.append([program.name, program.kind, program.title, f"{program.crate} {corpus.version(program)}",
                     "C" if program.in_c else "Rust", "never" if program.never_tune else "yes"])
    lines = ["| program | kind | what it does | crate | language | may be tuned on |", "|---|---|---|---|---|---|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])

def absent(store):
    """Programs that a board cannot have, and runs that fail."""
    lines = []
    for board in corpus.BOARDS:
        lines += [f"- {board.title}: {program.name}: {program.without[board.short]}." for program in corpus.WORKLOADS
                  if board.short in program.without]
        for run in runs(board)[1:]:
            stored = store.run(board, *run)
            if not stored:
                lines.append(f"- {board.title}: {TITLES[run]} has not been measured yet.")
                continue
            lines += [f"- {board.title}, {TITLES[run]}: {name}: {reason}." for name, reason in sorted(stored["failures"].items())]
    return "\n".join(lines) or "Everything ran."

def costs():
    """Where the costs of each board's instructions come from."""
    return "\n".join(f"- {board.title}: {models()[board.short]['source']}." for board in corpus.BOARDS)

def parts():
    """{name: text} of the template's places."""
    store = corpus.Store()
    return {"CORPUSLIST": listed(), "CORPUSMEANS": geomeans(store), "CORPUS": programs(store), "CORPUSMEMORY": memory(store),
            "CORPUSABSENT": absent(store), "CORPUSCOSTS": costs(), "SCALING": scaling.text(results.Store(scaling.FILE, store.reference))}
