#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The acceptance of a fleet: native_sim devices behind `wisp gateway`, three apps, an update that crashes on some, power
cuts, and restarts of gateway and server. Ends with a line `N passed, N failed, N skipped`."""

import argparse
import asyncio
import ctypes
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import tty
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts" / "west_commands"))

import device as west
from rollouts import Rollouts

SAMPLE = REPOSITORY / "samples" / "updatable_app"
APPS = ("counter", "lamp", "fan")
# Failures in a group, in percent, at which hawkBit would halt the rollout.
ERROR_THRESHOLD = 10
GROUPS = 4
# Of seconds, far more than an app takes.
LONGEST_START = 120
DIES_WITH_PARENT = 1


def end_with_parent():
    """Asks the kernel to end the firmware if the test is ended."""
    ctypes.CDLL(None).prctl(DIES_WITH_PARENT, 9)


class Device:
    """A native_sim device: a process, its flash in a file, and its serial port under a name that stays."""

    def __init__(self, name, program, folder):
        self.name, self.program = name, program
        self.flash, self.port = folder / f"{name}.flash", folder / f"{name}.port"
        self.process, self.kept, self.boots = None, None, 0

    def start(self):
        """Powers on; returns when the serial port is there."""
        command = [str(self.program), f"--flash={self.flash}"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        preexec_fn=end_with_parent)  # noqa: PLW1509 (it is one system call)
        for line in self.process.stdout:
            if found := re.search(r"uart_1 connected to pseudotty: (\S+)", line):
                break
        else:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()}")
        # a pseudo terminal that nobody has open loses what is sent, and echoes unless it is raw
        self.kept = os.open(found[1], os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.kept)
        fresh = self.port.with_suffix(".new")
        fresh.symlink_to(found[1])
        fresh.replace(self.port)
        self.boots += 1
        # what nobody reads would stop the device in the end
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def cut_power(self):
        """Ends it at once."""
        self.process.kill()
        self.process.wait()
        os.close(self.kept)

    async def apps(self):
        """What the device itself says of its apps: name -> (version, state, disabled, whether an update is on trial).

        Asks until all of them run: one that was rolled back starts a moment later.
        """
        end = time.monotonic() + LONGEST_START
        while True:
            async with west.Device(str(self.port)) as smp:
                found = await smp.apps()
            if all(app.state == "running" for app in found) or time.monotonic() > end:
                return {app.name: (app.running and version(app.running["ver"]), app.state, app.disabled,
                                   app.candidate is not None) for app in found}
            await asyncio.sleep(0.1)


def version(number):
    """A version as it is written."""
    return f"{number & 0xff}.{number >> 8 & 0xff}.{number >> 16}"


class Gateway:
    """`wisp gateway` for all devices."""

    def __init__(self, program, folder, url, devices):
        lines = [f'[server]\nurl = "{url}"\n[pace]\npoll-seconds = 0.5\nretry-seconds = 0.2\nlook-seconds = 0.5\n']
        lines += [f'[[device]]\nname = "{device.name}"\naddress = "{device.port}"\ntoken = "token-{device.name}"\n'
                  for device in devices]
        configuration = folder / "gateway.toml"
        configuration.write_text("".join(lines), encoding="utf-8")
        self.command = [str(program), "gateway", "--config", str(configuration), "--state", str(folder / "state")]
        self.log, self.process = folder / "gateway.log", None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, preexec_fn=end_with_parent)  # noqa: PLW1509

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it as an init system does; its exit code."""
        self.process.terminate()
        return self.process.wait()


class Images:
    """Builds of the sample's app under other names and versions."""

    def __init__(self, tool, build, folder):
        self.tool, self.build, self.folder, self.made = str(tool), build, folder, {}

    def get(self, app, version, guest="counter"):
        """Bytes of a signed image; guest is the source, of the sample or of these tests."""
        key = (app, version, guest)
        if key not in self.made:
            wasm, image = self.folder / f"{guest}.wasm", self.folder / f"{app}-{version}-{guest}.wisp"
            if not wasm.exists():
                own = Path(__file__).resolve().parent / "guests" / f"{guest}.c"
                source = own if own.exists() else SAMPLE / "guests" / f"{guest}.c"
                subprocess.run([sys.executable, str(REPOSITORY / "scripts" / "guest.py"), "c", "--libc", "tiny", "--stack",
                                "256", "--output", str(wasm), "--include", str(self.build / "wisp" / "include"),
                                str(source)], check=True)
            subprocess.run([self.tool, "build", str(wasm), "-o", str(image), "--quiet", "--name", app, "--version", version],
                           check=True)
            subprocess.run([self.tool, "sign", str(image), "--key", str(SAMPLE / "keys" / "development.pem")], check=True,
                           stdout=subprocess.DEVNULL)
            self.made[key] = image.read_bytes()
        return self.made[key]


class Fleet:
    """All of it."""

    def __init__(self, arguments, folder):
        count = arguments.devices
        self.devices = [Device(f"device-{number:03}", arguments.firmware / "zephyr" / "zephyr.exe", folder)
                        for number in range(count)]
        self.images = Images(arguments.wisp, arguments.firmware, folder)
        self.server = Rollouts()
        self.server.start()
        self.gateway = Gateway(arguments.fleet, folder, self.server.url, self.devices)
        self.size = -(-count // GROUPS)
        # one in ten, all in the second group
        self.bad = {device.name for device in self.devices[self.size:self.size + max(1, count // 10)]}
        self.cut = [device.name for device in self.devices[:max(1, count // 10)]]

    def trial(self, device, number):
        """Waits until the gateway says in its log that a device tries the update of an action."""
        text = f"{device.name}: action {number}: counter 1.1.0: on trial"
        while text not in self.gateway.log.read_text(encoding="utf-8", errors="replace"):
            time.sleep(0.05)

    def install(self):
        """One action brings three apps to each device."""
        apps = [(app, self.images.get(app, "1.0.0")) for app in APPS]
        numbers = [self.server.assign(device.name, apps) for device in self.devices]
        for device, number in zip(self.devices, numbers):
            success, details = self.server.outcome(number)
            assert success and details == [f"{app} 1.0.0: kept" for app in APPS], (device.name, details)

    def update(self, group):
        """Gives a group the update; for each device whether it succeeded, and what it told."""
        good, bad = self.images.get("counter", "1.1.0"), self.images.get("counter", "1.1.0", "crashing")
        numbers = {device.name: self.server.assign(device.name, [("counter", bad if device.name in self.bad else good)])
                   for device in group}
        self.disturb([(device, numbers[device.name]) for device in group if device.name in self.cut])
        return {name: self.server.outcome(number) for name, number in numbers.items()}

    def disturb(self, cut):
        """Cuts the power of devices in their trial or soon after it, kills the gateway and restarts the server, all at once.

        cut: pairs of a device and the number of its action.
        """
        for device, number in cut:
            self.trial(device, number)
            device.cut_power()
        if cut:
            self.gateway.kill()
            self.server.stop()
            for device, _ in cut:
                device.start()
            self.gateway.start()
            self.server.start()

    def rollout(self):
        """Plays the engine's rule: the next group begins if not too many of this one failed. The outcomes by device."""
        outcomes = {}
        for start in range(0, len(self.devices), self.size):
            group = self.devices[start:start + self.size]
            outcomes |= (found := self.update(group))
            failed = sum(not success for success, _ in found.values())
            print(f"group {start // self.size + 1}: {len(group)} devices, {failed} failed", flush=True)
            if failed * 100 >= ERROR_THRESHOLD * len(group):
                break
        return outcomes

    def check(self, outcomes):
        """Compares what each device says of itself with what it has to be."""
        print("| device | outcome | told | counter | lamp | fan | boots |\n|---|---|---|---|---|---|--:|")
        for device in self.devices:
            apps = asyncio.run(device.apps())
            success, details = outcomes.get(device.name, (None, ["not reached"]))
            word = {True: "success", False: "failure", None: "-"}[success]
            shown = " | ".join(f"{apps[app][0]} {apps[app][1]}" for app in APPS)
            print(f"| {device.name} | {word} | {'; '.join(details)} | {shown} | {device.boots} |", flush=True)
            for app in APPS:
                wanted = "1.1.0" if success and app == "counter" else "1.0.0"
                assert apps[app] == (wanted, "running", False, False), (device.name, app, apps[app])
            assert success is not False or device.name in self.bad and "rolled back" in details[0], details

    def run(self):
        for device in self.devices:
            device.start()
        self.gateway.start()
        self.install()
        print(f"{len(self.devices)} devices have three apps each", flush=True)
        outcomes = self.rollout()
        reached = 2 * self.size
        assert sorted(outcomes) == [device.name for device in self.devices[:reached]], "the second group halts the rollout"
        assert {name for name, (success, _) in outcomes.items() if not success} == self.bad
        assert all(device.boots == 1 + (device.name in self.cut) for device in self.devices)
        code = self.gateway.stop()
        assert code == 0, f"the gateway ended with {code}"
        self.check(outcomes)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=8)
    parser.add_argument("--firmware", type=Path, required=True, help="build folder of samples/updatable_app with devices.overlay")
    parser.add_argument("--wisp", required=True, help="the program wisp")
    parser.add_argument("--fleet", required=True, help="the program wisp-fleet")
    arguments = parser.parse_args()
    if arguments.devices < GROUPS:
        parser.error(f"--devices: expected {GROUPS} or more, one for each group")
    print("1 passed, 0 failed, 0 skipped" if passes(arguments) else "0 passed, 1 failed, 0 skipped")


def passes(arguments):
    """Whether the fleet came through; if not, how and where it failed was told."""
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(arguments, Path(folder))
        try:
            fleet.run()
            return True
        except (AssertionError, OSError, RuntimeError, KeyError, west.DeviceError, subprocess.CalledProcessError):
            traceback.print_exc()
            if fleet.gateway.log.exists():
                print(fleet.gateway.log.read_text(encoding="utf-8", errors="replace")[-8000:], file=sys.stderr)
            return False
        finally:
            for process in [fleet.gateway.process, *(device.process for device in fleet.devices)]:
                if process is not None:
                    process.kill()
                    process.wait()


if __name__ == "__main__":
    main()
