# SPDX-License-Identifier: Apache-2.0
"""Simulated hours with several apps: updates, crashes, silences, and power cuts at random times."""

import random
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
# Of wall-clock time, for a simulated hour; far more than it takes.
LONGEST_HOUR = 600


def build(folder, zephyr, env):
    """Builds tests/soak; the program, or None."""
    made = subprocess.run(
        ["west", "build", "-b", "native_sim/native/64", "-d", str(folder), str(REPOSITORY / "tests" / "soak"), "--",
         f"-DEXTRA_ZEPHYR_MODULES={REPOSITORY}"], cwd=zephyr, env=env, check=False, timeout=1800)
    return folder / "zephyr" / "zephyr.exe" if made.returncode == 0 else None


def run(program, flash, options, longest):
    """Runs the program as fast as it can; what it said."""
    command = [str(program), "-no-rt", f"--flash={flash}"] + options
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              check=False, timeout=longest)
    except subprocess.TimeoutExpired as error:
        return f"{error.stdout}\nsoak: FAILED: it took longer than {longest} s\n"
    return done.stdout


def soak(program, flash, hours, cuts):
    """Hours without a cut, cuts at random, one more hour. True if nothing was lost."""
    flash.unlink(missing_ok=True)
    flash.parent.mkdir(parents=True, exist_ok=True)
    chance = random.Random(hours)
    longest = 120 + LONGEST_HOUR * hours

    def passed(text):
        print("\n".join(line for line in text.splitlines() if line.startswith("soak:")), flush=True)
        if "soak: passed" not in text:
            print(text[-4000:], flush=True)
        return "soak: passed" in text

    if not passed(run(program, flash, [f"--hours={hours}"], longest)):
        return False
    lived = 0.0
    for cut in range(cuts):
        # Beyond the first half minute, in which nothing is decided; odd fractions hit the middle of things.
        seconds = chance.uniform(1, 600)
        text = run(program, flash, ["--installed", "--hours=1000", f"--seed={cut}", f"--stop_at={seconds:.6f}"], longest)
        lived += seconds
        if "FAILED" in text:
            print(text[-4000:], flush=True)
            return False
    print(f"soak: {cuts} power cuts in {lived / 3600:.1f} simulated hours", 
          flush=True)
    return passed(run(program, flash, ["--installed", "--hours=1"], longest))
