# SPDX-License-Identifier: Apache-2.0
"""The crate rust/fleet, `wisp publish` and `wisp pull` with a registry and with oras, and `wisp gateway` with a
fleet of simulated devices."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import devenv
import network

from suites.common import RUST, Count, cargo, counted, stream, twister

FLEET = RUST / "fleet"
FOLDER = devenv.BUILD / "fleet"
# oras, an independent client of registries, and what it needs, in an environment of its own. After a change of the version:
# pip-compile --generate-hashes --strip-extras --no-header --no-annotate --no-emit-find-links --no-emit-index-url FILE
REQUIREMENTS = devenv.REPO / "tests" / "fleet" / "requirements.txt"
# gooseBit, a rollout server, made in the same way.
GOOSEBIT = devenv.REPO / "tests" / "fleet" / "goosebit.txt"


def registry():
    """Debian's registry: that of the system, or unpacked from its package without installing it; None if neither is."""
    found = shutil.which("docker-registry")
    program = FOLDER / "registry" / "usr" / "bin" / "docker-registry"
    if found or program.is_file():
        return found or program
    if not shutil.which("apt-get"):
        return None
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        got = subprocess.run(["apt-get", "download", "-q", "docker-registry"], cwd=folder, check=False)
        packages = list(Path(folder).glob("*.deb"))
        if got.returncode or not packages:
            return None
        subprocess.run(["dpkg-deb", "-x", packages[0], FOLDER / "registry"], check=True)
    return program if program.is_file() else None


def python(folder, requirements):
    """A Python that has what a file of requirements pins, in a folder of its own; None if it cannot be had."""
    program, complete = folder / "bin" / "python", folder / "complete"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if complete.is_file() and complete.read_text(encoding="utf-8") == wanted:
        return program
    # an environment whose making was interrupted has no pip, so it is made anew
    venv.create(folder, with_pip=True, clear=True)
    install = [program, "-m", "pip", "install", "-q", "--require-hashes", "-r", requirements]
    if subprocess.run(install, check=False, stderr=subprocess.DEVNULL).returncode != 0:
        return None
    complete.write_text(wanted, encoding="utf-8")
    return program


def exchange():
    """Runs the tests with a registry."""
    server, client = registry(), python(FOLDER / "venv", REQUIREMENTS)
    if not server or not client:
        missing = "docker-registry: apt-get install docker-registry" if not server else "oras: pip cannot install it"
        print(f"fleet: the tests with a registry are skipped, there is no {missing}")
        return Count(skipped=1)
    options = programs()
    if options is None:
        return Count(failed=1)
    return counted([client, devenv.REPO / "tests" / "fleet" / "registry.py", *options, "--registry", server], devenv.REPO)


def programs():
    """Builds wisp and wisp-fleet; the options that name them, or None."""
    target = FOLDER / "target"
    for folder, package in ((RUST, "wisp-cli"), (FLEET, "wisp-fleet")):
        if stream(["cargo", "build", "--locked", "-q", "-p", package, "--target-dir", target], folder)[0]:
            return None
    return ["--wisp", target / "debug" / "wisp", "--fleet", target / "debug" / "wisp-fleet"]


def select_rollout():
    """Rollouts to simulated devices: some get an update that crashes, some lose power (DEVICES=8); and one of gooseBit."""
    env = devenv.environment() if sys.platform == "linux" else None
    if env is None:
        print("rollout: skipped, no Zephyr workspace can be had here; run 'make setup'")
        return Count(skipped=1)
    options, firmware = programs(), FOLDER / "firmware"
    overlay = devenv.REPO / "tests" / "fleet" / "devices.overlay"
    build = ["west", "build", "-b", "native_sim/native/64", "-d", firmware, devenv.REPO / "samples" / "updatable_app", "--",
             f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}", f"-DEXTRA_DTC_OVERLAY_FILE={overlay}"]
    if options is None or stream(build, devenv.find_zephyr(), env)[0]:
        return Count(failed=1)
    own = devenv.VENV / "bin" / "python"
    command, tests = [own if own.exists() else sys.executable], devenv.REPO / "tests" / "fleet"
    options += ["--firmware", firmware]
    server = registry()
    if server is None:
        print("rollout: images go from build to server without a registry; apt-get install docker-registry")
    place = ["--registry", server] if server else []
    fleet = counted([*command, tests / "fleet.py", *options, *place, "--devices", os.environ.get("DEVICES", "8")], devenv.REPO)
    server = python(FOLDER / "goosebit", GOOSEBIT)
    if server is None:
        print("rollout: the test with gooseBit is skipped, pip cannot install it")
        return fleet + Count(skipped=1)
    return fleet + counted([*command, tests / "independent.py", *options, "--server", server], devenv.REPO)


def device_client(name, env, library=None):
    """Builds samples/updatable_app with a client, `ddi` or `lwm2m`, for two boards; tests it on native_sim and starts it on
    the other one. The tests may need a Python library."""
    options, firmware = programs(), FOLDER / name
    sample, tests = devenv.REPO / "samples" / "updatable_app", devenv.REPO / "tests" / "fleet"
    # both clients have the same network and settings
    board = sample / "ddi" / "native_sim_native_64"
    overlays = [tests / "devices.overlay", tests / "ddi.overlay", board.with_suffix(".overlay")]
    configurations = [sample / name / "client.conf", board.with_suffix(".conf"), tests / f"{name}.conf"]
    build = ["west", "build", "-b", "native_sim/native/64", "-d", firmware, sample, "--",
             f"-DEXTRA_ZEPHYR_MODULES={devenv.REPO}", f"-DEXTRA_DTC_OVERLAY_FILE={';'.join(map(str, overlays))}",
             f"-DEXTRA_CONF_FILE={';'.join(map(str, configurations))}"]
    if options is None or stream(build, devenv.find_zephyr(), env)[0]:
        return Count(failed=1)
    own = devenv.VENV / "bin" / "python"
    run = [own if own.exists() else sys.executable, tests / f"{name}.py", *options[:2], "--firmware", firmware]
    started = twister(name, ["samples/updatable_app"], ["mps2/an385"],
                      ["-s", f"sample.wisp.updatable_app.{name}", "-x=CONFIG_MINIMAL_LIBC=y"])
    return counted(run, devenv.REPO, {**os.environ, "PYTHONPATH": str(library)} if library else None) + started


def select_ddi():
    """The device's own client of a rollout server: updates, power cuts, cancelled actions, servers that lie."""
    env = devenv.environment() if sys.platform == "linux" else None
    if env is None:
        print("ddi: skipped, no Zephyr workspace can be had here; run 'make setup'")
        return Count(skipped=1)
    return device_client("ddi", env)


def select_lwm2m():
    """Apps as object 9 of LwM2M: packages, power cuts, updates that crash, requests in the wrong state."""
    env = devenv.environment() if sys.platform == "linux" else None
    if env is None:
        print("lwm2m: skipped, no Zephyr workspace can be had here; run 'make setup'")
        return Count(skipped=1)
    library = network.aiocoap()
    if library is None:
        print("lwm2m: skipped, the server of the tests needs aiocoap, and PyPI is not reached")
        return Count(skipped=1)
    return device_client("lwm2m", env, library)


def select_fleet():
    """Apps in registries, the compile service, the gateway: refusals, an independent client, registries that lie."""
    if sys.platform != "linux":
        print("fleet: skipped, the tests start a registry of Debian")
        return Count(skipped=1)
    crate = cargo(["test", "--locked", "--target-dir", FOLDER / "target"], FLEET)
    return crate + exchange() + select_rollout() + select_ddi() + select_lwm2m()
