#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The acceptance of a fleet: native_sim devices behind `wisp gateway`, three apps, an update that crashes on some, power
cuts, and restarts of gateway, server and registry. Ends with a line `N passed, N failed, N skipped`."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

from devices import Device, Gateway, Images, west
from published import COMMITS, Published
from rollouts import Rollouts

APPS = ("counter", "lamp", "fan")
# Failures in a group, in percent, at which hawkBit would halt the rollout.
ERROR_THRESHOLD = 10
GROUPS = 4


class Fleet:
    """All of it."""

    def __init__(self, arguments, folder):
        count = arguments.devices
        self.devices = [Device(f"device-{number:03}", arguments.firmware / "zephyr" / "zephyr.exe", folder)
                        for number in range(count)]
        self.images = Images(arguments.wisp, arguments.firmware, folder)
        if arguments.registry:
            self.images = Published(arguments, folder)
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
        """Cuts the power of devices in their trial or soon after it, kills the gateway and restarts the servers, all at once.

        cut: pairs of a device and the number of its action.
        """
        for device, number in cut:
            self.trial(device, number)
            device.cut_power()
        if cut:
            self.gateway.kill()
            self.server.stop()
            registry = getattr(self.images, "registry", None)
            if registry:
                registry.stop()
                registry.start()
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
        if hasattr(self.images, "registry"):
            self.trace()

    def trace(self):
        """Follows what devices said of a trap to the commit of the build that crashed, with nothing but the registry."""
        for device in self.devices:
            lines = [line for line in device.lines if "trap" in line and "image " in line]
            assert bool(lines) == (device.name in self.bad), (device.name, lines)
            for line in lines:
                found = self.images.commits(line)
                print(f"{device.name}: {line.strip()} -> {' '.join(sorted(found))}", flush=True)
                assert found == {COMMITS["crashing"]}, found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=8)
    parser.add_argument("--firmware", type=Path, required=True, help="build folder of samples/updatable_app with devices.overlay")
    parser.add_argument("--wisp", required=True, help="the program wisp")
    parser.add_argument("--fleet", required=True, help="the program wisp-fleet")
    parser.add_argument("--registry", help="the program docker-registry; images then go through it")
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
            registry = getattr(fleet.images, "registry", None)
            for process in [fleet.gateway.process, registry and registry.process, *(device.process for device in fleet.devices)]:
                if process is not None:
                    process.kill()
                    process.wait()


if __name__ == "__main__":
    main()
