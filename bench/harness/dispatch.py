# SPDX-License-Identifier: Apache-2.0
"""Checks a built image: the interpreter's core goes from op to op without calls.

A handler of the core ends by jumping to the next op's handler. A call in its place would fill the
native stack with every op; a call of anything but what the core is meant to call says that the core
does not consist of what its generator wrote.
"""

import re
import subprocess

from .images import tool_for
from .tools import fail

SYMBOL = re.compile(r"^[0-9a-f]+ <(.+)>:$")
# Ends of handlers: a jump through the handler table, or to the core's shared ends.
DISPATCH = re.compile(r"^(ldr(\.w)?\s+pc, \[r7, r0\]|mov\s+pc, r0|jr\s+a0|c\.jr\s+a0)")
# What handlers may call: their own slow paths and exits, the arithmetic library, Rust behind the core.
ALLOWED = re.compile(r"<(wisp\.(stop|refused|refill|refill\.again|escape|unaligned\.\w+|exit)\b.*"
                     r"|__(aeabi_|\w+[sd]f\d?|\w+di\d?|\w+si\d?)\w*.*"
                     r"|.*11wisp_engine4exec11interpreter.*|\$\w.*)>")
HANDLER = re.compile(r"^wisp\.(?!unaligned)[a-z0-9_]+(\.[a-z0-9_]+)*(\.[A-Z]|\.then\.|$)")
# Called through a register: the host's function.
HOST = ("call_import",)


def functions(elf):
    """{name: [(mnemonic, operands)]} of the core's functions."""
    text = subprocess.run([tool_for(elf, "objdump"), "-d", "--no-show-raw-insn", str(elf)],
                          capture_output=True, text=True, check=True).stdout
    found, current = {}, None
    for line in text.splitlines():
        symbol = SYMBOL.match(line)
        if symbol:
            name = symbol.group(1)
            current = found.setdefault(name, []) if name.startswith("wisp.") else None
        elif current is not None and ":" in line:
            parts = line.split("\t")
            if len(parts) >= 2:
                current.append((parts[1].strip(), "\t".join(parts[2:]).split("@")[0].strip()))
    return found


def check(elf):
    """Ends the program if the core calls what it should not. Returns the number of handlers."""
    core = functions(elf)
    handlers = {name: lines for name, lines in core.items() if HANDLER.match(name) and "." in name[5:]}
    if len(handlers) < 400:
        fail(f"{elf}: {len(handlers)} handlers found: is this an image with a core in assembly?")
    problems = []
    for name, lines in handlers.items():
        dispatches = 0
        for mnemonic, operands in lines:
            text = f"{mnemonic} {operands}"
            dispatches += bool(DISPATCH.match(text))
            direct = mnemonic in ("bl", "jal", "call") and not operands.startswith("zero")
            through = mnemonic in ("blx", "jalr", "c.jalr")
            if direct and not ALLOWED.search(operands):
                problems.append(f"{name}: {text}")
            if through and not any(host in name for host in HOST) and not ALLOWED.search(operands):
                problems.append(f"{name}: {text}")
        jumps = any(m.startswith(("b", "j")) for m, _ in lines)
        if not dispatches and not jumps:
            problems.append(f"{name}: neither a dispatch nor a jump to a shared end")
    if problems:
        fail(f"{elf}: the core calls where it should jump:\n  " + "\n  ".join(problems[:20]))
    return len(handlers)
