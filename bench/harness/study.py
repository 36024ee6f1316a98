# SPDX-License-Identifier: Apache-2.0
"""The study of arXiv 2512.00035, repeated: its programs, in its languages, on what stands for its boards.

Results are kept in bench/study.json, and doc/study.md is rendered from there.
"""

import re

from . import boards, energy, guests, images, measure, svg
from .cycles import models as cores
from .render import COLUMNS, PLOTS, number, revisions, table, tools, versions
from .tools import REPO, zephyr_environment

FILE = REPO / "bench" / "study.json"
PAGE = REPO / "doc" / "study.md"
TEMPLATE = REPO / "bench" / "study.md.in"

WORKLOADS = [guests.BY_NAME[name] for name in boards.RP2040.workloads]
BOARDS = (boards.RP2040, boards.find("m33"), boards.find("rv32"))
HEADS = [f"{'bubble sort' if 'bubble' in w.name else 'CRC-16'}, {'Rust' if w.rust else 'C'}" for w in WORKLOADS]
# The board of QEMU and the runtimes that run the RP2040's code: their modelled cycles are compared with the emulator's.
COMPARED, COMPARED_RUNS = boards.find("m0plus"), (("native", "gcc"), ("wisp", "thumb"))
# Microseconds and millijoules of the bubble sort on an RP2040, as published, and the rows here that they belong beside.
PUBLISHED = (("native", 612, 0.06, ("native",)), ("wasm3", 6358, 3.11, ("wasm3",)),
             ("WAMR", 29475, 2.96, ("WAMR fast", "WAMR classic")))


def runs(board):
    """(title, {language: (runtime, tier)}) of each row, native code first."""
    def both(runtime, tier):
        return {"C": (runtime, tier), "Rust": (runtime, tier)}

    titles = {(runtime, tier): title for runtime, tier, title in COLUMNS}
    return (("native", {"C": ("native", "gcc"), "Rust": ("native", "rust")}),
            ("Wisp, interpreted", both("wisp", board.back_ends[0])), ("Wisp, translated", both("wisp", "translated")),
            *((titles[run], both(*run)) for run in (("wisp", "aot"), ("wasm3", "default"), ("wamr", "fast"),
                                                    ("wamr", "classic"))))


def measure_all(store):
    """Builds and runs everything. Returns (what could not be had, the number of workloads that failed)."""
    import rp2040_firmware

    zephyr_environment()
    missing, failures = [], 0
    for board in (*BOARDS, COMPARED):
        reason = None if board.qemu else rp2040_firmware.emulator()
        if reason:
            missing.append(f"{board.title}: {reason}")
            continue
        chosen = dict.fromkeys(run for _, languages in runs(board) for run in languages.values())
        for runtime, tier in COMPARED_RUNS if board == COMPARED else [("null", "none"), *chosen]:
            try:
                reason = images.unsupported(board, runtime)
                if reason:
                    raise SystemExit(reason)
                if runtime == "null":
                    elf = images.build(board, runtime, tier)
                    flash, ram = images.flash_and_ram(elf)
                    store.add_flash(board, runtime, tier, {"flash": flash, "ram": ram, "flash_revision": measure.revision()})
                    continue
                result = measured(board, runtime, tier)
            except SystemExit as error:
                missing.append(f"{board.title}, {runtime} {tier}: {error}")
                continue
            store.add(board, runtime, tier, result, partial=False)
            # what a runtime cannot load, for example for lack of memory, is no wrong result
            unloaded = {name: reason for name, reason in result["failures"].items() if reason.startswith("load:")}
            missing += [f"{board.title}, {runtime} {tier}, {name}: {reason}" for name, reason in unloaded.items()]
            wrong = len(result["failures"]) - len(unloaded)
            failures += wrong
            store.save()
            print(f"{board.title}, {runtime} {tier}: {len(result['workloads'])} right, {wrong} wrong, {len(unloaded)} not loaded",
                  flush=True)
    store.save()
    return missing, failures


def measured(board, runtime, tier):
    """One run, with a meter's values if there is one."""
    result = measure.measure(board, runtime, tier, model=True)
    for part in ("workloads", "failures"):
        result[part] = {name: values for name, values in result[part].items() if guests.BY_NAME[name] in WORKLOADS}
    for name, values in result["workloads"].items():
        spent = energy.measured(board, runtime, tier, guests.BY_NAME[name])
        if spent is not None:
            values["microjoules"] = spent
    return result


def found(store, board, languages, workload):
    """Values of one cell, or None."""
    run = store.run(board, *languages["Rust" if workload.rust else "C"])
    return run and run["workloads"].get(workload.name)


def cells(store, board, value):
    """Rows of all runtimes: value(values, those of native code) for each workload."""
    native = runs(board)[0][1]
    rows = []
    for title, languages in runs(board):
        row = [title]
        for workload in WORKLOADS:
            own, reference = (found(store, board, part, workload) for part in (languages, native))
            row.append(value(own, reference) if own else "-")
        rows.append(row)
    return rows


def counts(store, board, unit):
    """A table of counts, with the ratio to native code in brackets."""
    def value(own, native):
        return f"{own[unit]:,.0f}" + (f" ({own[unit] / native[unit]:.2f})" if native else "")

    return table([unit, *HEADS], cells(store, board, value))


def spent(model, values):
    """Microjoules of a meter, or else by the model."""
    return values.get("microjoules", energy.modelled(model, values["cycles"]))


def times(store, board):
    """A table of microseconds and microjoules by the model."""
    model = energy.models()[board.short]

    def value(own, _):
        joules = spent(model, own)
        return number(energy.microseconds(model, own["cycles"])) + (f" ({number(joules)})" if joules is not None else "")

    head = "µs (µJ)" if "power_mw" in model else "µs"
    return table([head, *HEADS], cells(store, board, value))


def sizes(store, board):
    """A table of flash that each runtime adds, and of RAM and stack that the C bubble sort takes."""
    base = store.run(board, "null", "none")
    rows = []
    for title, languages in runs(board)[1:]:
        run, bubble = store.run(board, *languages["C"]), found(store, board, languages, WORKLOADS[0])
        if run and bubble and base:
            rows.append([title, *map(number, (run["flash"] - base["flash"], bubble["heap"], bubble["memory"], bubble["stack"],
                                              bubble["module"]))])
    return table(["bytes", "flash added", "RAM held", "of which linear memory", "native stack", "the module in flash"], rows)


def published(store):
    """The published figures of the bubble sort on an RP2040, beside those here."""
    board, model = boards.RP2040, energy.models()["rp2040"]
    rows = []
    for title, micros, millis, here in PUBLISHED:
        rows.append([f"{title}, published", number(micros), number(micros / PUBLISHED[0][1], ".2f"), f"{millis:.2f}",
                     number(millis * 1e6 / micros)])
        for name, languages in runs(board):
            own = found(store, board, languages, WORKLOADS[0])
            if name in here and own:
                native = found(store, board, runs(board)[0][1], WORKLOADS[0])
                rows.append([f"{name}, emulated", number(energy.microseconds(model, own["cycles"])),
                             number(own["cycles"] / native["cycles"], ".2f") if native else "-",
                             f"{spent(model, own) / 1e3:.2f}", number(model["power_mw"])])
    return table(["bubble sort in C", "µs", "relative to native", "mJ", "mJ / µs, in mW"], rows)


def comparison(store):
    """Modelled cycles of the code for a Cortex-M0+ beside those that the emulator of the RP2040 counted."""
    titles = {run: title for title, languages in runs(COMPARED) for run in languages.values()}
    rows = []
    for run in COMPARED_RUNS:
        for head, workload in zip(HEADS, WORKLOADS):
            counted, modelled = (found(store, board, {"C": run, "Rust": run}, workload) for board in (boards.RP2040, COMPARED))
            if counted and modelled:
                rows.append([f"{titles[run]}, {head}", number(counted["cycles"]), number(modelled["cycles"]),
                             f"{modelled['cycles'] / counted['cycles'] - 1:+.2%}"])
    return table(["cycles", "emulator", "model", "difference"], rows)


def assumptions():
    """The models, in a list."""
    lines = []
    for board in BOARDS:
        model, core = energy.models()[board.short], cores().get(board.short)
        text = f"{model['chip']}: {model['clock_mhz']} MHz. "
        text += f"Cycles: {core['source']}. " if core else "Cycles: counted by the emulator. "
        text += f"Power: {model['power_mw']} mW, from {model['source']}." if "power_mw" in model \
            else "Power: not known here, so that its rows have no energy."
        lines.append(f"- {text}")
    return "\n".join(lines)


def absent(store):
    """What has no figures here."""
    lines = []
    for board in BOARDS:
        for title, languages in runs(board):
            for head, workload in zip(HEADS, WORKLOADS):
                run = store.run(board, *languages["Rust" if workload.rust else "C"])
                if not run or workload.name not in run["workloads"]:
                    reason = run["failures"].get(workload.name, "not measured") if run else "not measured"
                    lines.append(f"- {board.title}, {title}, {head}: {reason}.")
    return "\n".join(lines) or "Nothing is missing from the tables."


def pages(store):
    """{path: text} of the page and its plots."""
    texts, parts = {}, {"PUBLISHED": published(store), "COMPARISON": comparison(store), "ASSUMPTIONS": assumptions(), "ABSENT": absent(store),
                        "VERSIONS": versions(store), "TOOLS": tools(store), "REVISIONS": revisions(store)}
    sections = []
    for board in BOARDS:
        series = [title for title, _ in runs(board)[1:]]
        groups = []
        for head, workload in zip(HEADS, WORKLOADS):
            native = found(store, board, runs(board)[0][1], workload)
            own = [found(store, board, languages, workload) for _, languages in runs(board)[1:]]
            groups.append((head, [values["cycles"] / native["cycles"] if values and native else None for values in own]))
        plot = f"study-{board.short}.svg"
        texts[PLOTS / plot] = svg.bars(f"{board.title}: cycles relative to native code", "shorter is faster", groups, series)
        tables = [counts(store, board, unit) for unit in dict.fromkeys((board.unit, "cycles"))]
        where = f"{board.title} in QEMU" if board.qemu else "the emulated chip"
        sections.append("\n\n".join([f"### {energy.models()[board.short]['chip']}: {where}", *tables,
                                     times(store, board), sizes(store, board), f"![{board.title}](img/{plot})"]))
    parts["BOARDS"] = "\n\n".join(sections)
    texts[PAGE] = re.sub(r"@([A-Z]+)@", lambda match: parts[match.group(1)], TEMPLATE.read_text(encoding="utf-8"))
    return texts


def text(store):
    """All tables, for a terminal."""
    parts = [published(store)]
    for board in BOARDS:
        parts += [f"{board.title}, {board.name}", *(counts(store, board, unit) for unit in dict.fromkeys((board.unit, "cycles"))),
                  times(store, board), sizes(store, board)]
    return "\n\n".join(parts)
