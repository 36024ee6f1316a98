# SPDX-License-Identifier: Apache-2.0
"""Installs the emulator of the RP2040, and builds what runs in it."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import devenv

BOARD = "rpi_pico"
TESTS = devenv.REPO / "tests" / "rp2040"
OUT = devenv.BUILD / "rp2040"
# Nothing takes longer than this, in seconds of this machine.
PATIENCE = 1200


def emulator():
    """Installs the emulator that package-lock.json pins by its hash; the reason if that cannot be, or None."""
    node, npm = devenv.find_tool("node"), devenv.find_tool("npm")
    if not node or not npm:
        return "there is no Node.js with npm"
    OUT.mkdir(parents=True, exist_ok=True)
    for path in [*TESTS.glob("*.mjs"), *TESTS.glob("package*.json")]:
        shutil.copy(path, OUT)
    lock = (OUT / "package-lock.json").read_text(encoding="utf-8")
    stamp = OUT / "installed.json"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == lock:
        return None
    done = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=OUT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        return "npm cannot install rp2040js: " + (done.stderr.strip().splitlines() or ["no message"])[-1]
    stamp.write_text(lock, encoding="utf-8")
    return None


def link_all(source, target, without):
    """Links all entries of a folder but one into another folder."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        if entry.name != without:
            devenv.link(entry, target / entry.name)


def modules(env):
    """Arguments of CMake for a workspace whose HAL is too old for the flash driver; none if it is not.

    Zephyr 4.3's driver needs a file and a function that came after SDK 2.0.0. A folder of links stands in for the
    HAL, with tests/rp2040/hal where they are missing.
    """
    zephyr = devenv.find_zephyr()
    text = OUT / "modules.txt"
    subprocess.run([sys.executable, zephyr / "scripts" / "zephyr_module.py", "--zephyr-base", zephyr, "--cmake-out", text],
                   env=env, cwd=zephyr, check=True, timeout=PATIENCE)
    paths = dict(re.findall(r'^"([^"]+)":"([^"]+)"', text.read_text(encoding="utf-8"), re.MULTILINE))
    hal = Path(paths["hal_rpi_pico"])
    missing = Path("src") / "rp2_common" / "hardware_xip_cache"
    if (hal / missing / "xip_cache.c").is_file():
        return []
    mirror = OUT / "hal_rpi_pico"
    link_all(hal, mirror, "src")
    link_all(hal / "src", mirror / "src", "rp2_common")
    link_all(hal / "src" / "rp2_common", mirror / "src" / "rp2_common", missing.name)
    (mirror / missing / "include").mkdir(parents=True, exist_ok=True)
    devenv.link(TESTS / "hal" / "xip_cache.c", mirror / missing / "xip_cache.c")
    paths["hal_rpi_pico"] = str(mirror)
    print(f"rp2040: {hal} is older than Zephyr's flash driver expects; tests/rp2040/hal adds what it lacks")
    return ["-DZEPHYR_MODULES=" + ";".join(paths.values())]


@dataclass
class Firmwares:
    """Firmwares of rpi_pico, each built when it is first asked for."""

    env: dict
    built: dict = field(default_factory=dict)

    def with_mcuboot(self, application):
        """Builds an application of the tree and MCUboot, which starts it; the folder of the build."""
        if application not in self.built:
            folder = OUT / Path(application).name
            # the images that sysbuild builds take no variables but those with their names
            images = [Path(application).name, "mcuboot"]
            self.build([f"{BOARD}/rp2040/mcuboot", "--sysbuild"], application, folder,
                       [*(argument.replace("-D", f"-D{image}_", 1) for image in images for argument in modules(self.env)),
                        "-Dmcuboot_CONFIG_MINIMAL_LIBC=y"])
            self.built[application] = folder
        return self.built[application]

    def build(self, board, application, folder, options):
        """Builds an application of the tree."""
        west = devenv.find_tool(str(devenv.VENV / "bin" / "west"), "west")
        command = [west, "build", "-p", "auto", "-b", *board, "-d", folder, devenv.REPO / application, "--",
                   "-DCONFIG_MINIMAL_LIBC=y", f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}", *options]
        print("$ " + " ".join(str(part) for part in command), flush=True)
        done = subprocess.run([str(part) for part in command], env=self.env, cwd=devenv.find_zephyr(), check=False,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise AssertionError(f"{application} could not be built:\n{done.stdout[-4000:]}")

    def uf2(self, application, flash=False):
        """Builds an application of the tree, as "samples/hello"; its UF2 file. `flash`: it has the flash driver."""
        if application not in self.built:
            folder = OUT / Path(application).name
            self.build([BOARD], application, folder, modules(self.env) if flash else [])
            self.built[application] = folder / "zephyr" / "zephyr.uf2"
        return self.built[application]
