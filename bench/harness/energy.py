# SPDX-License-Identifier: Apache-2.0
"""Energy per iteration: by the model of bench/energy.toml, or by a real meter.

The environment variable BENCH_METER names a command, for example one that drives a Nordic PPK2.
It is called as `COMMAND BOARD RUNTIME TIER WORKLOAD ITERATIONS` with the board's short name, runs
the workload on real hardware and prints one number: microjoules for one iteration.
"""

import os
import shlex
import subprocess

from .tools import REPO, fail, read_toml


def models():
    """{board's short name: its model}."""
    return read_toml(REPO / "bench" / "energy.toml")


def microseconds(model, cycles):
    """The time that a number of cycles takes."""
    return cycles / model["clock_mhz"]


def modelled(model, cycles):
    """Microjoules for a number of cycles, or None if the power is not known."""
    return microseconds(model, cycles) * model["power_mw"] / 1e3 if "power_mw" in model else None


def measured(board, runtime, tier, workload):
    """Microjoules of one iteration from the meter, or None without one."""
    meter = os.environ.get("BENCH_METER")
    if not meter:
        return None
    command = [*shlex.split(meter), board.short, runtime, tier, workload.name,
               str(workload.iterations)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return float(done.stdout)
    except ValueError:
        fail(f"{' '.join(command)}: expected one number, got {done.stdout[:80]!r} "
             f"{done.stderr[:200]}")
        return None
