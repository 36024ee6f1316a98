# SPDX-License-Identifier: Apache-2.0
"""Renders doc/benchmarks.md and its plots from the stored results."""

import re

from . import boards, guests, images, measure, size, svg
from .results import geomean
from .tools import REPO

PAGE = REPO / "doc" / "benchmarks.md"
TEMPLATE = REPO / "bench" / "benchmarks.md.in"
PLOTS = REPO / "doc" / "img"

# Columns, in this order, of those that were measured.
COLUMNS = (("wisp", "thumb", "Wisp, Thumb core"), ("wisp", "riscv", "Wisp, RISC-V core"),
           ("wisp", "threaded", "Wisp, RISC-V core, threaded in RAM"),
           ("wisp", "loop", "Wisp, loop"), ("wisp", "aot", "Wisp, AOT"),
           ("wisp", "aot-poll", "Wisp, AOT, polling"),
           ("wasm3", "default", "wasm3"), ("wamr", "fast", "WAMR fast"),
           ("wamr", "classic", "WAMR classic"), ("wasmi", "default", "wasmi"))
COUNTED = [w for w in guests.WORKLOADS if w.counts]


def columns(store, board):
    """(runtime, tier, title) of what was measured on a board."""
    return [column for column in COLUMNS if ran(store, board, *column[:2])]


def ran(store, board, runtime, tier):
    """True if a workload ran."""
    run = store.run(board, runtime, tier)
    return bool(run and run["workloads"])


def number(value, form=",.0f"):
    """A number for a cell."""
    return "-" if value is None else format(value, form)


def table(head, rows):
    """A markdown table; the first column is text."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def cell(store, board, runtime, tier, workload):
    """Instructions and, in brackets, the ratio to native code."""
    run = store.run(board, runtime, tier)
    found = run["workloads"].get(workload.name)
    if not found:
        return "fails" if workload.name in run["failures"] else "-"
    ratio = store.ratio(board, runtime, tier, workload.name)
    return f"{found['instructions']:,.0f}" + (f" ({ratio:.2f})" if ratio else "")


def board_table(store, board):
    """All workloads on one board."""
    shown = columns(store, board)
    clang = store.run(board, "native", "clang")
    head = ["workload", "gcc -O2"] + (["clang -O2"] if clang else []) + [c[2] for c in shown]
    rows = []
    for workload in COUNTED:
        row = [workload.name, number(store.native(board, workload.name))]
        if clang:
            row.append(cell(store, board, "native", "clang", workload))
        rows.append(row + [cell(store, board, *c[:2], workload) for c in shown])
    means = [store.geomean(board, *c[:2]) for c in shown]
    row = ["**geomean**", "1"]
    if clang:
        row.append(f"**{number(store.geomean(board, 'native', 'clang'), '.2f')}**")
    rows.append(row + [f"**{number(mean, '.2f')}**" for mean in means])
    return table(head, rows)


def geomean_table(store):
    """Geomeans of every runtime on every board."""
    measured = [b for b in boards.BOARDS.values() if store.run(b, "native", "gcc")]
    used = [c for c in COLUMNS if any(ran(store, b, *c[:2]) for b in measured)]
    rows = [["native, clang -O2"] + [number(store.geomean(b, "native", "clang"), ".2f")
                                     if ran(store, b, "native", "clang") else "-" for b in measured]]
    for runtime, tier, title in used:
        rows.append([title] + [number(store.geomean(b, runtime, tier), ".2f")
                               if ran(store, b, runtime, tier) else "-" for b in measured])
    return table(["geomean of 11, relative to gcc -O2"] + [b.title for b in measured], rows)


def other_table(store, board):
    """Costs beside the speed of code, on one board."""
    shown = columns(store, board)
    native = store.run(board, "native", "gcc")

    def row(title, value):
        cells = []
        for runtime, tier, _ in shown:
            try:
                cells.append(number(value(store.run(board, runtime, tier))))
            except KeyError:
                cells.append("-")
        return [title] + cells

    def host_call(run):
        return run["workloads"]["hostcall"]["instructions"] / 100

    rows = [
        row("empty guest call", lambda run: run["empty_call"]),
        row("host call with its loop", host_call),
        row("load and instantiate nop (113 B of wasm)", lambda run: run["workloads"]["nop"]["load"]),
        row("load and instantiate sha256 (1.5 KB)", lambda run: run["workloads"]["sha256"]["load"]),
        row("load and instantiate all (6 KB)", lambda run: run["workloads"]["suite"]["load"]),
        row("the same, verified by the build", lambda run: run["workloads"]["suite"]["trusted"]),
        row("heap, nop, bytes", lambda run: run["workloads"]["nop"]["heap"]),
        row("  of which linear memory", lambda run: run["workloads"]["nop"]["memory"]),
        row("native stack, deepest, bytes",
            lambda run: max(w["stack"] for w in run["workloads"].values())),
        row("flash added, -O2, bytes", lambda run: run["flash"] - base_flash(store, board, "speed")),
        row("flash added, -Os, bytes",
            lambda run: run["flash_size"] - base_flash(store, board, "size")),
    ]
    text = table([f"{board.title}"] + [c[2] for c in shown], rows)
    return text + (f"\n\nA native call of the host function in its loop: "
                   f"{host_call(native):.1f} instructions.") if native else text


def base_flash(store, board, optimize):
    """Flash of the image without a runtime. KeyError when it was not measured."""
    run = store.run(board, "null", "none")
    if not run:
        raise KeyError("null")
    return run["flash" if optimize == "speed" else "flash_size"]


def rust_table(store):
    """The seed workloads in Rust."""
    rows = []
    for board in boards.BOARDS.values():
        shown = columns(store, board)
        if not shown or not store.run(board, "native", "rust"):
            continue
        best = shown[0]
        for workload in guests.WORKLOADS:
            if workload.rust:
                run = store.run(board, *best[:2])["workloads"].get(workload.name)
                rows.append([f"{board.title}, {workload.rust}",
                             number(store.native(board, workload.rust)),
                             number(store.native(board, workload.name)),
                             cell(store, board, *best[:2], guests.BY_NAME[workload.rust]),
                             number(run["instructions"]) if run else "-"])
    return table(["", "native C, gcc -O2", "native Rust", "Wisp, C", "Wisp, Rust"], rows)


def held_out_table(store):
    """Programs that nothing was tuned on, on every board: ratios to native code."""
    rows = []
    chosen = [w for w in guests.WORKLOADS if w.held_out]
    for board in boards.BOARDS.values():
        if not store.run(board, "native", "gcc"):
            continue
        for runtime, tier, title in columns(store, board):
            ratios = [store.ratio(board, runtime, tier, workload.name) for workload in chosen]
            if any(ratios):
                mean = geomean(ratios) if all(ratios) else None
                rows.append([f"{board.title}, {title}"] + [number(ratio, ".2f") for ratio in [*ratios, mean]])
    return table(["relative to gcc -O2"] + [w.name for w in chosen] + ["geomean"], rows)


def versions(store):
    """The peers that were measured, by version and where their sources come from."""
    found = set()
    for (_, runtime, _), run in store.runs.items():
        if runtime not in ("wisp", "native", "null") and run["workloads"]:
            source = run.get("source", "")
            where = f" ({source if source.startswith('crate') else f'commit {source}'})" if source else ""
            found.add(run["version"] + where)
    return ", ".join(sorted(found))


def tools(store):
    """Compilers, emulator and Zephyr of all runs: each with the versions that occur."""
    found = {}
    for run in store.runs.values():
        for part in filter(None, run.get("tools", "").split(", ")):
            name, _, version = part.partition(" ")
            found.setdefault(name, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(found[name]))}" for name in sorted(found, key=str.lower))


def revisions(store):
    """The commits at which Wisp was measured: one, or which and where.

    A row from before the last of them counts as of the last if what it consists of is the same at both.
    """
    found = {}
    for (board, runtime, tier), run in sorted(store.runs.items()):
        if runtime == "wisp":
            where = f"{boards.find(board).short} {tier}"
            if run["workloads"]:
                found.setdefault(run["revision"], []).append(where)
            if run.get("flash_revision", run.get("revision")) != run.get("revision"):
                found.setdefault(run["flash_revision"], []).append(f"{where} flash")
    for key, entry in sorted(store.sizes.items()):
        found.setdefault(entry["revision"], []).append(f"size of {key}")
    last = None
    for commit in found:
        last = measure.newer_commit(last, commit) if last else commit
    for commit in [key for key in found if key != last]:
        moved = [where for where in found[commit] if measure.same(commit, last, where)]
        found[last] += moved
        found[commit] = [where for where in found[commit] if where not in moved]
    found = {commit: where for commit, where in found.items() if where}
    if len(found) == 1:
        return f"Wisp is that of commit {next(iter(found))} in all rows and sizes."
    rows = "\n".join(f"| {commit} | {', '.join(where)} |" for commit, where in found.items())
    return f"The rows of Wisp were measured at these commits:\n\n| commit | rows |\n|---|---|\n{rows}"


def absent(store):
    """What is not in the tables, and why."""
    lines = []
    for board in boards.BOARDS.values():
        for runtime in ("wasm3", "wamr", "wasmi"):
            if not any(ran(store, board, runtime, tier) for tier in images.tiers(board, runtime)):
                reason = images.unsupported(board, runtime)
                lines.append(f"- {board.title}: {reason or f'{runtime} has not been measured yet'}.")
    for (board, runtime, tier), run in sorted(store.runs.items()):
        reasons = {}
        for workload, reason in run["failures"].items():
            reasons.setdefault(reason, []).append(workload)
        if runtime == "null":
            continue
        title = next((title for r, t, title in COLUMNS if (r, t) == (runtime, tier)), f"{runtime} {tier}")
        lines += [f"- {boards.find(board).title}, {title}: {', '.join(names)}: {reason}."
                  for reason, names in sorted(reasons.items())]
    return "\n".join(lines) or "Everything ran."


def plots(store):
    """The charts: {name of the file: text}."""
    measured = [b for b in boards.BOARDS.values() if store.run(b, "native", "gcc")]
    used = [c for c in COLUMNS if any(ran(store, b, *c[:2]) for b in measured)]
    groups = [(b.title, [store.geomean(b, *c[:2]) if store.run(b, *c[:2]) else None for c in used])
              for b in measured]
    charts = {"bench-geomean.svg": svg.bars("Instructions relative to native code", "geomean of 11",
                                            groups, [c[2] for c in used])}
    for board in measured:
        shown = columns(store, board)
        groups = [(w.name, [store.ratio(board, *c[:2], w.name) for c in shown]) for w in COUNTED]
        charts[f"bench-{board.short}.svg"] = svg.bars(
            f"{board.title}: instructions relative to gcc -O2", "shorter is faster", groups,
            [c[2] for c in shown], limit=35)
    return charts


def pages(store):
    """{path: text} of the page and its plots."""
    charts = plots(store)
    parts = {"VERSIONS": versions(store), "REVISIONS": revisions(store), "TOOLS": tools(store),
             "ABSENT": absent(store), "GEOMEANS": geomean_table(store),
             "RUST": rust_table(store), "HELDOUT": held_out_table(store), "SIZE": size.table(store)}
    by_board, others = [], []
    for board in boards.BOARDS.values():
        if columns(store, board) and store.run(board, "native", "gcc"):
            plot = f"bench-{board.short}.svg"
            image = f"\n\n![{board.title}](img/{plot})" if plot in charts else ""
            by_board.append(f"### {board.title}, {board.name}\n\n{board_table(store, board)}{image}")
            others.append(other_table(store, board))
    parts["BOARDS"] = "\n\n".join(by_board)
    parts["OTHERS"] = "\n\n".join(others)
    from . import corpus_render  # it takes the tables' functions from here
    parts.update(corpus_render.parts())
    text = TEMPLATE.read_text(encoding="utf-8")
    text = re.sub(r"@([A-Z]+)@", lambda match: parts[match.group(1)], text)
    return {PAGE: text, **{PLOTS / name: chart for name, chart in charts.items()}}
