# SPDX-License-Identifier: Apache-2.0
"""Modelled cycles of what QEMU executes: its blocks are counted by bench/cycles/blocks.c, and bench/cycles/cycles.toml has
the costs of their instructions."""

import re

from . import images
from .tools import OUTPUT, REPO, fail, newer, read_toml, run

FOLDER = REPO / "bench" / "cycles"
COUNTS = OUTPUT / "blocks.txt"
# Largest relative difference between the instructions that the blocks have and those that the board's clock counted.
DIFFERENCE = 0.002

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
    """{board's short name: its costs}."""
    return read_toml(FOLDER / "cycles.toml")


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


def blocks(text):
    """(counts, instructions) of each block in the plugin's file."""
    found = []
    for line in text.splitlines():
        if line.startswith("block "):
            found.append(([int(word) for word in line.split()[1:]], []))
        elif line != "end":
            found[-1][1].append(line)
    return found


def plugin(elf):
    """QEMU's arguments that count the blocks of an image's workload."""
    library = OUTPUT / "blocks.so"
    source = FOLDER / "blocks.c"
    if newer(library, source):
        run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", source, "-o", library])
    COUNTS.unlink(missing_ok=True)
    names = images.symbols(elf)
    marks = ",".join(f"{mark}={names[name][0] & ~1:#x}" for mark, name in (("run", "runtime_run"), ("end", "printk")))
    return ["-plugin", f"{library},{marks},out={COUNTS}"]


def counted(board, workload, instructions):
    """Modelled cycles of an iteration of the workload that ran last, in which the board counted so many instructions."""
    text = COUNTS.read_text(encoding="utf-8") if COUNTS.is_file() else ""
    if not text.endswith("end\n"):
        fail(f"{board.name}, {workload.name}: the plugin of QEMU counted nothing")
    model = models()[board.short]
    executed = cycles = 0
    for (once, once_taken, many, many_taken), lines in blocks(text):
        executed += (many - once) * len(lines)
        cycles += (many - once) * cost(lines, model) + (many_taken - once_taken) * model["taken"]
    executed /= workload.iterations
    if abs(executed - instructions) > DIFFERENCE * instructions:
        fail(f"{board.name}, {workload.name}: {executed:,.0f} instructions in blocks, {instructions:,.0f} by the clock")
    return cycles / workload.iterations
