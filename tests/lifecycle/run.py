#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds samples/updatable_app and leads its app's life with a real SMP client and on its shell.

One line of the output counts: "N passed, N failed, N skipped".
"""

import argparse
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(REPOSITORY / "scripts"))

import devenv
import soak

SAMPLE = REPOSITORY / "samples" / "updatable_app"
ALL = "not test_signed"


class Firmware(NamedTuple):
    """A firmware to build, and which tests are run on it."""

    board: str
    # Configuration beside firmware.conf.
    overlays: tuple = ()
    selection: str = ALL


# The transport of the client's part: a serial line, or UDP through QEMU's user network, where images run from RAM too.
PLATFORMS = {
    "native_sim/native/64": Firmware("native_sim/native/64"),
    "qemu_cortex_m3": Firmware("qemu_cortex_m3"),
    # Another transport: what takes long and does not depend on it was seen on a serial line.
    "mps2/an385": Firmware("mps2/an385", (SAMPLE / "overlay-udp.conf", HERE / "ram.conf"),
                           f"{ALL} and not says_nothing and not silent_app and not every_command and not completed"
                           " and not stays_stopped"),
    "signed": Firmware("native_sim/native/64", (HERE / "signed.conf",), "test_signed"),
}
# Simulated hours and power cuts that are part of every run.
SHORT_SOAK = (2, 10)
# No build and no run of the tests takes this long.
LONGEST = 1800


def build_folder(platform):
    """Where one of PLATFORMS is built."""
    return devenv.BUILD / "lifecycle" / platform.replace("/", "_")


def build(platform, env):
    """Builds the sample for one of PLATFORMS; tells whether that went well."""
    print(f"== {platform}", flush=True)
    firmware = PLATFORMS[platform]
    overlays = [str(path) for path in (HERE / "firmware.conf", *firmware.overlays)]
    made = subprocess.run(
        ["west", "build", "-b", firmware.board, "-d", str(build_folder(platform)), str(SAMPLE), "--",
         # The default library would be compiled for each build folder.
         *([] if firmware.board.startswith("native") else ["-DCONFIG_MINIMAL_LIBC=y"]),
         f"-DEXTRA_ZEPHYR_MODULES={REPOSITORY}", f"-DEXTRA_CONF_FILE={';'.join(overlays)}",
         f"-DEXTRA_DTC_OVERLAY_FILE={HERE / 'firmware.overlay'}"],
        cwd=devenv.find_zephyr(), env=env, check=False, timeout=LONGEST)
    return made.returncode == 0


def run_tests(platform, env):
    """Runs the client's tests on one of PLATFORMS: (output, exit code)."""
    python = devenv.VENV / "bin" / "python"
    tool = Path(env["WISP_CARGO_TARGET_ROOT"]) / "host" / "release" / "wisp"
    command = [python if python.exists() else sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider",
               HERE / "pytest", "--firmware", build_folder(platform), "--board", PLATFORMS[platform].board, "--tool", tool,
               "-k", PLATFORMS[platform].selection]
    try:
        done = subprocess.run([str(part) for part in command], env=env, check=False, text=True,
                              stdout=subprocess.PIPE, timeout=LONGEST)
        return f"== {platform}\n{done.stdout}", done.returncode
    except subprocess.TimeoutExpired as error:
        return f"== {platform}\n{error.stdout}\nthe tests took longer than {LONGEST} s and were ended\n", 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-p", "--platform", action="append", choices=list(PLATFORMS))
    parser.add_argument("--soak", type=int, metavar="HOURS",
                        help="only let several apps live for so many simulated hours, with power cuts")
    parser.add_argument("--cuts", type=int, default=40, help="power cuts of --soak [default: %(default)s]")
    arguments = parser.parse_args()
    env = devenv.environment()
    if env is None:
        sys.exit("lifecycle: no Zephyr workspace found; run 'make setup'")
    total = {"passed": 0, "failed": 0, "skipped": 0}
    if arguments.soak or not arguments.platform:
        print("== soak", flush=True)
        folder = devenv.BUILD / "lifecycle" / "soak"
        program = soak.build(folder, devenv.find_zephyr(), env)
        hours, cuts = (arguments.soak, arguments.cuts) if arguments.soak else SHORT_SOAK
        alive = program is not None and soak.soak(program, folder / "flash" / "flash.bin", hours, cuts)
        total["passed" if alive else "failed"] += 1
    if arguments.soak:
        PLATFORMS.clear()
    platforms = arguments.platform or list(PLATFORMS)
    # The tests mostly wait for their boards' clocks: they run beside each other and beside the next build.
    with ThreadPoolExecutor(max_workers=len(PLATFORMS) or 1) as pool:
        running = []
        for platform in platforms:
            if build(platform, env):
                running.append(pool.submit(run_tests, platform, env))
            else:
                total["failed"] += 1
        for output, code in (run.result() for run in running):
            print(output, flush=True)
            before = total["failed"]
            summary = re.findall(r"^(?:=+ )?(\d+ (?:passed|failed|skipped|error).*) in [\d.]+s", output, re.MULTILINE)
            for number, outcome in re.findall(r"(\d+) (passed|failed|skipped|error)", summary[-1] if summary else ""):
                total["failed" if outcome == "error" else outcome] += int(number)
            if code != 0 and total["failed"] == before:
                total["failed"] += 1
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**total))
    sys.exit(1 if total["failed"] or not total["passed"] else 0)


if __name__ == "__main__":
    main()
