#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds samples/updatable_app and leads its app's life with a real SMP client.

One line of the output counts: "N passed, N failed, N skipped".
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))

import devenv  # noqa: E402  (found beside the other scripts)

PLATFORMS = ["native_sim/native/64", "qemu_cortex_m3"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-p", "--platform", action="append", choices=PLATFORMS)
    arguments = parser.parse_args()
    env = devenv.environment()
    if env is None:
        sys.exit("lifecycle: no Zephyr workspace found; run 'make setup'")
    python = devenv.VENV / "bin" / "python"
    python = str(python) if python.exists() else sys.executable
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for platform in arguments.platform or PLATFORMS:
        build = devenv.BUILD / "lifecycle" / platform.replace("/", "_")
        print(f"== {platform}", flush=True)
        made = subprocess.run(
            ["west", "build", "-b", platform, "-d", str(build), str(REPOSITORY / "samples" / "updatable_app"),
             "--", f"-DEXTRA_ZEPHYR_MODULES={REPOSITORY}"], cwd=devenv.find_zephyr(), env=env, check=False)
        if made.returncode != 0:
            total["failed"] += 1
            continue
        done = subprocess.run(
            [python, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", str(HERE / "pytest"),
             "--firmware", str(build)], env=env, check=False, text=True, stdout=subprocess.PIPE)
        print(done.stdout, flush=True)
        counts = re.findall(r"(\d+) (passed|failed|skipped|error)", done.stdout.rsplit("\n", 3)[-2])
        for number, outcome in counts:
            total["failed" if outcome == "error" else outcome] += int(number)
        if done.returncode != 0 and total["failed"] == 0:
            total["failed"] = 1
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**total))
    sys.exit(1 if total["failed"] or not total["passed"] else 0)


if __name__ == "__main__":
    main()
