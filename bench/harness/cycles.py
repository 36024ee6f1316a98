# SPDX-License-Identifier: Apache-2.0
"""Modelled cycles of what QEMU executes: its blocks are counted by bench/cycles/blocks.c, and bench/cycles/cycles.toml has
the costs of their instructions."""

import re

from . import images
from .tools import OUTPUT, REPO, fail, newer, read_toml, run

FOLDER = REPO / "bench" / "cycles"
COUNTS = OUTPUT / "blocks.txt"
# Largest difference between the instructions that the blocks have and those that the board's clock counted: a part of them,
# and what a tick of the clock is.
DIFFERENCE, TICK = 0.002, 4

# The kinds of instructions that cost more than a cycle, by what they are called in Thumb and RISC-V. Everything else is one.
KINDS = [(kind, re.compile(pattern)) for kind, pattern in (
    ("register", r"(ldm|stm|push|pop|ldrd|strd)"),
    ("load", r"(ldr|tbb|tbh|l[bhw]u? )"),
    ("store", r"(str|s[bhw] )"),
    ("divide", r"([su]div|divu? |remu? )"),
    ("long_multiply", r"([su]mull|[su]mlal|umaal|mulhs?u? )"),
    ("accumulate", r"(mla|mls)"),
    ("multiply", r"mul"),
)]
ADDRESS = re.compile(r"\[([^]]*)\]|\((\w+)\)")


def models():
    """{board's short name: its costs}. One that is `like` another has its costs."""
    stored = read_toml(FOLDER / "cycles.toml")
    return {board: {**stored.get(model.get("like"), {}), **model} for board, model in stored.items()}


def kind_of(text):
    """The kind of an instruction, or None for one that takes a cycle."""
    return next((kind for kind, pattern in KINDS if pattern.match(text)), None)


def registers(text):
    """How many registers an instruction moves that moves several."""
    listed = re.search(r"\{(.*)\}", text)
    return len(listed[1].split(",")) if listed else 2


def cost(lines, model):
    """Cycles of a block, without what it costs to get there."""
    cycles, behind_access, loaded = 0, False, None
    for line in lines:
        kind = kind_of(line + " ")
        extra = model[kind] if kind else 0
        if kind == "register":
            extra *= registers(line)
        if kind == "load":
            first = line.split(None, 1)[1].split(",")[0]
            found = ADDRESS.search(line)
            needs = re.findall(r"\w+", (found[1] or found[2]) if found else "")
            if behind_access and loaded not in needs:
                extra = model["neighbour"]
            loaded = first
        else:
            loaded = None
        behind_access = kind in ("load", "store")
        cycles += 1 + extra
    return cycles


def counts(text):
    """{number of a workload: [(counts, instructions) of each block]} of the plugin's file."""
    found, current = {}, None
    for line in text.splitlines():
        if line.startswith("workload "):
            current = found.setdefault(int(line.split()[1]), [])
        elif line.startswith("block "):
            current.append(([int(word) for word in line.split()[1:]], []))
        elif line != "end":
            # QEMU's own disassembler writes the bytes first
            current[-1][1].append(re.sub(r"^[0-9a-f]+ {2,}", "", line))
    return found


def plugin(elf):
    """QEMU's arguments that count the blocks of an image's workloads."""
    library = OUTPUT / "blocks.so"
    source = FOLDER / "blocks.c"
    if newer(library, source):
        run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", source, "-o", library])
    COUNTS.unlink(missing_ok=True)
    names = images.symbols(elf)
    marks = ",".join(f"{mark}={names[name][0] & ~1:#x}" for mark, name in (
        ("load", "runtime_load"), ("run", "runtime_run"), ("end", "printk")))
    return ["-plugin", f"{library},{marks},out={COUNTS}"]


def add(board, present, results):
    """Adds modelled cycles to the results of a run with the plugin, of those workloads that are `present` in its image."""
    found = counts(COUNTS.read_text(encoding="utf-8")) if COUNTS.is_file() else {}
    model = models()[board.short]
    for number, workload in enumerate(present):
        values = results.get(workload.name)
        # the empty function is called more often
        if values is None or workload.name == "nop":
            continue
        executed = cycles = 0
        for (once, once_taken, many, many_taken), lines in found.get(number, []):
            executed += (many - once) * len(lines)
            cycles += (many - once) * cost(lines, model) + (many_taken - once_taken) * model["taken"]
        executed, instructions = executed / workload.iterations, values["instructions"]
        if abs(executed - instructions) > DIFFERENCE * instructions + TICK:
            fail(f"{board.name}, {workload.name}: {executed:,.0f} instructions in blocks, {instructions:,.0f} by the clock")
        values["cycles"] = cycles / workload.iterations
