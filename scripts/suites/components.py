# SPDX-License-Identifier: Apache-2.0
"""Components of several toolchains on the workstation, beside Wasmtime there, and, by rust/bare, on a Cortex-M3 and RV32."""

import os
import re
from dataclasses import replace

import components
import devenv
import wit_packages

from suites import bare
from suites.common import Count, twister
from suites.desk import build_wisp

# The boards of rust/bare with all host functions of a firmware.
BOARDS = [replace(board, features=("app",)) for board in bare.BOARDS if board.name in ("cortex-m3", "rv32")]


def on_board(board, program, made):
    """Runs a component's image on an emulated board."""
    log = components.BUILD / f"{made.path.stem}-{board.name}.log"
    code, text = bare.run(board, program, "app", log, made.image, more=[f"memory={made.memory}"])
    text = text.replace("\r\n", "\n")
    trap = re.search(r"^app: trapped: (\w+)", text, re.MULTILINE)
    status = re.search(r"^app: ended with (\d+)", text, re.MULTILINE)
    if code and not trap:
        return f"FAILED: {text.strip().splitlines()[-1:]}"
    return components.verdict(made.program, text, text, int(status.group(1)) if status else -1, trap and trap.group(1))


def on_boards(all_made):
    """Runs all of them on each board that runs here."""
    for board in BOARDS:
        why = bare.missing([board])
        program = None if why else bare.build(board)
        for made in all_made:
            if not made.image or not made.memory:
                continue
            if program:
                made.results[board.title] = on_board(board, program, made)
            else:
                made.results[board.title] = f"skipped: {why}" if why else "FAILED: rust/bare was not built"


def layouts():
    """Writes the WIT packages as OCI layouts, and compares what another program reads of them with the sources."""
    tool, why = wit_packages.wasm_tools()
    reader = wit_packages.skopeo()
    if not tool or not reader:
        print(f"WIT packages: skipped, there is no {'skopeo' if tool else f'wasm-tools: {why}'}")
        return Count(skipped=1)
    found = list(wit_packages.differences(tool, reader))
    for package, difference in found:
        if difference:
            print(f"FAILED: {package.layout}: {difference}")
    failed = sum(bool(difference) for _, difference in found)
    print(f"{len(found) - failed} of {len(found)} WIT packages are read back as they are from {wit_packages.BUILD}")
    return Count(len(found) - failed, failed)


def select_components():
    """Components: what their images take, and that they run on the workstation as with Wasmtime, a Cortex-M3 and RV32."""
    tool = build_wisp()
    return run(tool) if tool else Count(failed=1)


def run(tool):
    """Builds and runs all components with a `wisp`, and prints the table."""
    all_made = list(components.all_components(tool))
    for made in all_made:
        components.check(tool, made)
    on_boards(all_made)
    places = ["desk", "wasmtime", *(board.title for board in BOARDS)]
    text = components.table(all_made, places)
    path = components.BUILD / "table.md"
    devenv.write_if_changed(path, text)
    print(text + f"\nwritten to {path}")
    if os.environ.get("WISP_GENERATE"):
        print(components.write_page(all_made))
    states = [made.skipped and "skipped" or made.failure and "FAILED" or result
              for made in all_made for result in (made.results.values() or [""])]
    failed, skipped = (sum(state.startswith(word) for state in states) for word in ("FAILED", "skipped"))
    firmware = twister("components", ["tests/components/firmware"], ["qemu_cortex_m3"], [])
    return Count(len(states) - failed - skipped, failed, skipped) + layouts() + firmware
