#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Apps as object 9 of LwM2M (CONFIG_WISP_LWM2M) on native_sim, with a server made of aiocoap. Ends with a line
`N passed, N failed, N skipped`."""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import aiocoap.error
from aiocoap.numbers.codes import Code
from devices import SAMPLE, Images
from lwm2m_server import LONGEST, PORT, TLV, Server

from ddi import Device, west

# Resources of object 9.
NAME, VERSION, PACKAGE, URI, INSTALL, UNINSTALL, STATE, RESULT, ACTIVATE, DEACTIVATE, ACTIVE = 0, 1, 2, 3, 4, 6, 7, 9, 10, 11, 12
INITIAL, STARTED, DELIVERED, INSTALLED = "0", "1", "3", "4"
# Results.
NONE, KEPT, VERIFIED = "0", "2", "3"
NO_STORAGE, LOST, INTEGRITY, UNSUPPORTED, BAD_URI, DEVICE_ERROR, NOT_INSTALLED = "50", "52", "53", "54", "56", "57", "58"


class Tests:
    """The tests, in order, on one device."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.images = Images(arguments.wisp, arguments.firmware, folder)
        self.server = Server()
        self.device = Device(arguments.firmware / "zephyr" / "zephyr.exe", folder)
        self.instances = {}
        self.power_on()

    def power_on(self):
        """Starts the device, and waits until it has registered."""
        before = self.server.registrations
        self.device.start()
        self.server.until(lambda: self.server.registrations > before, "registration")
        ids = [link.split("/")[2].rstrip(">") for link in self.server.links if link.startswith("</9/")]
        self.instances = {self.server.read(f"9/{number}/{NAME}"): number for number in ids}

    def path(self, app, number):
        """The path of a resource of an app."""
        return f"9/{self.instances[app]}/{number}"

    def read(self, app, *numbers):
        """Values of resources of an app."""
        return tuple(self.server.read(self.path(app, number)) for number in numbers)

    def state(self, app):
        """State and result of an app."""
        return self.read(app, STATE, RESULT)

    def becomes(self, app, *wanted):
        """Waits until an app has a state and a result."""
        end = time.monotonic() + LONGEST
        while (found := self.state(app)) != wanted:
            assert time.monotonic() < end, (found, wanted)
            time.sleep(0.1)

    def run(self, app, command, argument=b""):
        """Executes a resource of an app; the code."""
        return self.server.execute(self.path(app, command), argument)

    def deliver(self, app, image):
        """Writes a package; the code."""
        return self.server.write(self.path(app, PACKAGE), image)

    def install(self, app, version, guest="counter"):
        """Delivers a package, installs it, and waits until it is kept."""
        assert self.deliver(app, self.images.get(app, version, guest)) == Code.CHANGED
        assert self.state(app) == (DELIVERED, VERIFIED)
        assert self.run(app, INSTALL) == Code.CHANGED
        self.becomes(app, INSTALLED, KEPT)
        assert self.read(app, VERSION) == (version,)

    def comes_back(self, app):
        """Waits until an instance that was deleted is there."""
        path = self.path(app, STATE)
        self.server.until(lambda: self.server.ask(Code.GET, path, accept=0).code == Code.CONTENT, "instance")
        assert self.read(app, NAME) == (app,)

    def refused(self, app, image, result, code=Code.BAD_REQUEST):
        """Writes a package that is refused: nothing changes but the result."""
        before = self.device.apps()
        assert self.deliver(app, image) == code
        assert self.state(app) == (INITIAL, result)
        assert self.run(app, INSTALL) == Code.METHOD_NOT_ALLOWED
        assert self.device.apps() == before

    def test_each_app_of_the_firmware_is_an_instance(self):
        assert set(self.instances) == {"atlas", "counter", "fan", "lamp"}, self.instances
        assert self.read("lamp", VERSION, STATE, RESULT, ACTIVE) == ("", INITIAL, NONE, "0")

    def test_nothing_is_executed_in_a_state_that_does_not_allow_it(self):
        for command in (INSTALL, UNINSTALL, ACTIVATE, DEACTIVATE):
            assert self.run("lamp", command) == Code.METHOD_NOT_ALLOWED, command

    def test_object_5_takes_nothing_in_a_firmware_without_updates_of_its_own(self):
        assert self.server.write("5/0/0", b"firmware") == Code.NOT_FOUND

    def test_a_foreign_instance_is_refused(self):
        assert self.server.ask(Code.DELETE, f"9/{self.instances['lamp']}").code == Code.DELETED
        # 5.00 if the app's instance is back already
        code = self.server.ask(Code.POST, "9", bytes([0, 7]), TLV).code
        assert code in (Code.METHOD_NOT_ALLOWED, Code.INTERNAL_SERVER_ERROR), code
        self.comes_back("lamp")

    def test_a_package_is_delivered_installed_and_kept(self):
        states = self.server.observe(self.path("atlas", STATE))
        image = self.images.get("atlas", "1.0.0", "atlas")
        assert self.deliver("atlas", image) == Code.CHANGED
        assert self.state("atlas") == (DELIVERED, VERIFIED)
        assert self.read("atlas", ACTIVE) == ("0",)
        assert self.device.apps() == {}
        # neither another package nor one for another app before it is installed
        assert self.deliver("atlas", image) == Code.METHOD_NOT_ALLOWED
        assert self.deliver("lamp", self.images.get("lamp", "1.0.0")) == Code.METHOD_NOT_ALLOWED
        assert self.run("lamp", INSTALL) == Code.METHOD_NOT_ALLOWED
        assert self.run("atlas", INSTALL) == Code.CHANGED
        self.becomes("atlas", INSTALLED, KEPT)
        assert self.read("atlas", VERSION, ACTIVE) == ("1.0.0", "1")
        assert self.device.apps() == {"atlas": ("1.0.0", False)}
        assert states[0] == INITIAL, states
        self.server.until(lambda: states[-1] == INSTALLED, "notification")

    def test_an_installed_app_takes_no_package(self):
        assert self.deliver("atlas", self.images.get("atlas", "1.1.0", "atlas")) == Code.METHOD_NOT_ALLOWED
        assert self.state("atlas") == (INSTALLED, KEPT)

    def test_power_cuts_in_a_package_and_in_a_trial(self):
        assert self.run("atlas", UNINSTALL, b"1") == Code.CHANGED
        image = self.images.get("atlas", "1.1.0", "atlas")
        path = self.path("atlas", PACKAGE)
        assert self.server.write_blocks(path, image, 1024, count=6, length=len(image)) == Code.CONTINUE
        self.device.cut_power()
        self.power_on()
        self.becomes("atlas", INSTALLED, LOST)
        assert self.read("atlas", VERSION, ACTIVE) == ("1.0.0", "1")
        # delivered and not installed: it is forgotten
        assert self.run("atlas", UNINSTALL, b"1") == Code.CHANGED
        assert self.deliver("atlas", image) == Code.CHANGED
        self.device.cut_power()
        self.power_on()
        self.server.until(lambda: self.run("atlas", UNINSTALL, b"1") == Code.CHANGED, "instance that is ready")
        self.server.until(lambda: self.deliver("atlas", image) == Code.CHANGED, "room for a package")
        assert self.run("atlas", INSTALL) == Code.CHANGED
        self.becomes("atlas", INSTALLED, KEPT)
        assert self.run("atlas", UNINSTALL, b"1") == Code.CHANGED
        assert self.deliver("atlas", self.images.get("atlas", "1.2.0", "silent")) == Code.CHANGED
        assert self.run("atlas", INSTALL) == Code.CHANGED
        self.device.cut_power()
        self.power_on()
        self.server.until(lambda: self.state("atlas") == (DELIVERED, NONE), "trial that goes on")
        self.becomes("atlas", INSTALLED, NOT_INSTALLED)
        assert self.read("atlas", VERSION) == ("1.1.0",)
        # the outcome survives as well
        self.device.cut_power()
        self.power_on()
        self.becomes("atlas", INSTALLED, NOT_INSTALLED)

    def test_a_second_app_comes_in_small_blocks_and_large_ones(self):
        image = self.images.get("lamp", "1.0.0")
        path = self.path("lamp", PACKAGE)
        for size in (64, 1024):
            # without its length, a package cannot be taken
            assert self.server.write_blocks(path, image, size) == Code.BAD_REQUEST
            assert self.state("lamp") == (INITIAL, DEVICE_ERROR)
            assert self.server.write_blocks(path, image, size, length=len(image)) == Code.CHANGED
            assert self.state("lamp") == (DELIVERED, VERIFIED)
            if size == 64:
                # a delivered package can be dropped
                assert self.run("lamp", UNINSTALL) == Code.CHANGED
                assert self.state("lamp") == (INITIAL, NONE)
        assert self.run("lamp", INSTALL) == Code.CHANGED
        self.becomes("lamp", INSTALLED, KEPT)
        assert self.device.apps() == {"atlas": ("1.1.0", False), "lamp": ("1.0.0", False)}

    def test_a_package_comes_as_tlv(self):
        image = self.images.get("fan", "1.0.0")
        header = bytes([0b11_0_11_000, PACKAGE]) + len(image).to_bytes(3, "big")
        assert self.server.write(self.path("fan", PACKAGE), header + image, TLV) == Code.CHANGED
        assert self.state("fan") == (DELIVERED, VERIFIED)
        assert self.run("fan", INSTALL) == Code.CHANGED
        self.becomes("fan", INSTALLED, KEPT)

    def test_an_update_runs_the_old_version_until_it_is_there(self):
        assert self.run("lamp", UNINSTALL, b"1") == Code.CHANGED
        assert self.read("lamp", STATE, RESULT, VERSION, ACTIVE) == (INITIAL, NONE, "1.0.0", "1")
        self.install("lamp", "1.1.0")

    def test_an_update_that_crashes_is_rolled_back_and_a_failure(self):
        assert self.run("lamp", UNINSTALL, b"1") == Code.CHANGED
        assert self.deliver("lamp", self.images.get("lamp", "2.0.0", "crashing")) == Code.CHANGED
        assert self.run("lamp", INSTALL) == Code.CHANGED
        assert self.read("lamp", VERSION) == ("2.0.0",)
        self.becomes("lamp", INSTALLED, NOT_INSTALLED)
        assert self.read("lamp", VERSION) == ("1.1.0",)
        assert self.device.apps()["lamp"] == ("1.1.0", False)

    def test_a_prepared_update_is_cancelled(self):
        assert self.run("lamp", UNINSTALL, b"1") == Code.CHANGED
        assert self.state("lamp") == (INITIAL, NONE)
        assert self.run("lamp", UNINSTALL) == Code.CHANGED
        assert self.read("lamp", STATE, RESULT, VERSION) == (INSTALLED, NONE, "1.1.0")

    def test_wrong_arguments_remove_nothing(self):
        for argument in (b"0='1'", b"'1'", b"2", b"11"):
            assert self.run("lamp", UNINSTALL, argument) == Code.BAD_REQUEST, argument
        assert self.read("lamp", STATE, RESULT, VERSION) == (INSTALLED, NONE, "1.1.0")

    def test_a_server_ends_a_trial(self):
        assert self.run("lamp", UNINSTALL, b"1") == Code.CHANGED
        assert self.deliver("lamp", self.images.get("lamp", "2.1.0", "silent")) == Code.CHANGED
        assert self.run("lamp", INSTALL) == Code.CHANGED
        assert self.state("lamp") == (DELIVERED, NONE)
        # the request comes twice, and removes the update only
        self.server.repeat()
        assert self.run("lamp", UNINSTALL) == Code.CHANGED
        self.server.repeats = False
        assert self.state("lamp") == (INSTALLED, NONE)
        assert self.device.apps()["lamp"] == ("1.1.0", False)

    def test_packages_that_are_damaged_or_of_a_stranger_are_refused(self):
        assert self.run("lamp", UNINSTALL, b"1") == Code.CHANGED
        image = self.images.get("lamp", "1.2.0")
        for place in (len(image) - 1, len(image) - 150):
            damaged = bytearray(image)
            damaged[place] ^= 1
            self.refused("lamp", bytes(damaged), INTEGRITY)
        wisp, key, strange = str(self.arguments.wisp), self.folder / "strange.pem", self.folder / "strange.wisp"
        strange.write_bytes(image)
        for command in (["keygen", key], ["sign", strange, "--key", key]):
            subprocess.run([wisp, *map(str, command)], check=True, stdout=subprocess.DEVNULL)
        self.refused("lamp", strange.read_bytes(), INTEGRITY)
        self.refused("lamp", image[:-10], INTEGRITY)

    def test_other_packages_are_refused(self):
        self.refused("lamp", b"no image" * 100, UNSUPPORTED)
        self.refused("lamp", self.images.get("fan", "1.1.0"), UNSUPPORTED)
        self.refused("lamp", self.images.get("lamp", "0.9.0"), DEVICE_ERROR)
        # what is installed already
        self.refused("lamp", self.images.get("lamp", "1.1.0"), DEVICE_ERROR)

    def test_a_huge_package_is_refused_before_anything_is_erased(self):
        image, path = self.images.get("lamp", "1.2.0"), self.path("lamp", PACKAGE)
        code = self.server.write_blocks(path, image, 512, count=1, length=10_000_000)
        assert code == Code.REQUEST_ENTITY_TOO_LARGE, code
        assert self.state("lamp") == (INITIAL, NO_STORAGE)
        # one that is longer than the server said, and one that is shorter, whose end does not come
        assert self.server.write_blocks(path, image, 512, length=len(image) - 1) == Code.BAD_REQUEST
        assert self.state("lamp") == (INITIAL, INTEGRITY)
        self.server.write_blocks(path, image, 512, length=len(image) + 1)
        self.becomes("lamp", INITIAL, LOST)

    def test_a_package_that_breaks_off_fails_and_comes_again(self):
        image = self.images.get("lamp", "1.2.0")
        path = self.path("lamp", PACKAGE)
        assert self.server.write_blocks(path, image, 256, count=3, length=len(image)) == Code.CONTINUE
        assert self.state("lamp") == (STARTED, "1")
        self.becomes("lamp", INITIAL, LOST)
        # a block in the middle of nothing, then from the beginning twice
        assert self.server.write_blocks(path, image, 256, first=3, count=1) != Code.CONTINUE
        assert self.server.write_blocks(path, image, 256, count=3, length=len(image)) == Code.CONTINUE
        # one that is delivered and not installed is dropped
        assert self.deliver("lamp", image) == Code.CHANGED
        assert self.state("lamp") == (DELIVERED, VERIFIED)
        self.becomes("lamp", INITIAL, NONE)
        self.install("lamp", "1.2.0")

    def test_apps_are_stopped_started_and_removed(self):
        assert self.run("fan", DEACTIVATE) == Code.CHANGED
        assert self.read("fan", STATE, ACTIVE) == (INSTALLED, "0")
        assert self.run("fan", DEACTIVATE) == Code.CHANGED
        assert self.run("fan", ACTIVATE) == Code.CHANGED
        assert self.read("fan", STATE, ACTIVE) == (INSTALLED, "1")
        assert self.run("fan", UNINSTALL) == Code.CHANGED
        assert self.read("fan", NAME, VERSION, STATE, RESULT, ACTIVE) == ("fan", "", INITIAL, NONE, "0")
        assert "fan" not in self.device.apps()

    def test_a_first_image_that_was_disabled_is_activated_again(self):
        assert self.deliver("fan", self.images.get("fan", "1.0.1", "silent")) == Code.CHANGED
        assert self.run("fan", INSTALL) == Code.CHANGED
        self.becomes("fan", DELIVERED, NOT_INSTALLED)
        assert self.run("fan", ACTIVATE) == Code.CHANGED
        failed = "fan: the installation failed"
        self.server.until(lambda: sum(failed in line for line in self.device.lines) == 2, "second failure")
        self.becomes("fan", DELIVERED, NOT_INSTALLED)
        assert self.run("fan", UNINSTALL) == Code.CHANGED
        assert self.read("fan", VERSION, STATE, RESULT) == ("", INITIAL, NONE)

    def test_a_device_fetches_a_package(self):
        uri = f"coap://127.0.0.1:{PORT}/images".encode()
        self.server.file.content = self.images.get("fan", "1.3.0")
        assert self.server.write(self.path("fan", URI), uri + b"/app", 0) == Code.CHANGED
        self.becomes("fan", DELIVERED, VERIFIED)
        assert self.run("fan", INSTALL) == Code.CHANGED
        self.becomes("fan", INSTALLED, KEPT)
        assert self.device.apps()["fan"] == ("1.3.0", False)
        # what is not there, and what is damaged
        assert self.run("fan", UNINSTALL, b"1") == Code.CHANGED
        assert self.server.write(self.path("fan", URI), uri + b"/none", 0) == Code.CHANGED
        self.becomes("fan", INITIAL, LOST)
        self.server.file.content = self.images.get("fan", "1.4.0")[:-1] + b"?"
        assert self.server.write(self.path("fan", URI), uri + b"/app", 0) == Code.CHANGED
        self.becomes("fan", INITIAL, INTEGRITY)
        self.server.write(self.path("fan", URI), b"nowhere", 0)
        self.becomes("fan", INITIAL, BAD_URI)

    def test_an_instance_that_the_server_deletes_comes_back(self):
        assert self.server.ask(Code.DELETE, f"9/{self.instances['lamp']}").code == Code.DELETED
        self.comes_back("lamp")
        self.becomes("lamp", INSTALLED, KEPT)
        # 4.00 if it is back already
        assert self.server.ask(Code.DELETE, f"9/{self.instances['lamp']}").code == Code.DELETED
        code = self.server.ask(Code.POST, "9", bytes([0, int(self.instances["lamp"])]), TLV).code
        assert code in (Code.CREATED, Code.BAD_REQUEST), code
        self.becomes("lamp", INSTALLED, KEPT)
        assert self.run("lamp", DEACTIVATE) == Code.CHANGED
        assert self.read("lamp", ACTIVE) == ("0",)
        assert self.run("lamp", ACTIVATE) == Code.CHANGED
        assert self.read("lamp", NAME, ACTIVE) == ("lamp", "1")

    def test_a_failure_is_over_when_another_client_installs(self):
        assert self.run("lamp", UNINSTALL, b"1") == Code.CHANGED
        assert self.deliver("lamp", self.images.get("lamp", "3.0.0", "crashing")) == Code.CHANGED
        assert self.run("lamp", INSTALL) == Code.CHANGED
        self.becomes("lamp", INSTALLED, NOT_INSTALLED)
        self.images.get("lamp", "3.1.0")

        async def install():
            async with west.Device(str(self.device.port)) as smp:
                await smp.install(self.images.path("lamp", "3.1.0", "counter"))
        asyncio.run(install())
        self.becomes("lamp", INSTALLED, NONE)
        assert self.read("lamp", VERSION) == ("3.1.0",)

    def signed(self, app, version, epoch):
        """An image with an epoch."""
        path = self.folder / f"{app}-{epoch}.wisp"
        path.write_bytes(self.images.get(app, version))
        subprocess.run([str(self.arguments.wisp), "sign", str(path), "--epoch", str(epoch), "--key",
                        str(SAMPLE / "keys" / "development.pem")], check=True, stdout=subprocess.DEVNULL)
        return path.read_bytes()

    def test_images_of_an_earlier_epoch_are_refused_once_one_was_confirmed(self):
        assert self.run("lamp", UNINSTALL, b"1") == Code.CHANGED
        assert self.deliver("fan", self.signed("fan", "5.0.0", 5)) == Code.CHANGED
        assert self.run("fan", INSTALL) == Code.CHANGED
        self.becomes("fan", INSTALLED, KEPT)
        # of another app, and without an epoch as all images before
        self.refused("lamp", self.signed("lamp", "5.0.0", 4), DEVICE_ERROR)
        self.refused("lamp", self.images.get("lamp", "5.0.0"), DEVICE_ERROR)
        self.device.cut_power()
        self.power_on()
        self.server.until(lambda: self.run("lamp", UNINSTALL, b"1") == Code.CHANGED, "instance that is ready")
        self.refused("lamp", self.signed("lamp", "5.0.0", 4), DEVICE_ERROR)
        assert self.deliver("lamp", self.signed("lamp", "5.0.0", 5)) == Code.CHANGED
        assert self.run("lamp", INSTALL) == Code.CHANGED
        self.becomes("lamp", INSTALLED, KEPT)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wisp", required=True, type=Path, help="the program wisp")
    parser.add_argument("--firmware", required=True, type=Path, help="build of the sample for native_sim")
    parser.add_argument("--only", help="tests with this text in their names, after the first")
    arguments = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        tests = Tests(arguments, Path(folder))
        names = [name for name in dir(Tests) if name.startswith("test_")]
        names.sort(key=lambda name: getattr(Tests, name).__code__.co_firstlineno)
        for name in names:
            if arguments.only and arguments.only not in name:
                continue
            try:
                getattr(tests, name)()
                passed += 1
                print(f"  {name[5:].replace('_', ' ')}: passed", flush=True)
            except (AssertionError, OSError, KeyError, IndexError, ValueError, TimeoutError, aiocoap.error.Error, west.DeviceError,
                    subprocess.CalledProcessError):
                failed += 1
                traceback.print_exc()
                print(f"  {name[5:].replace('_', ' ')}: FAILED", flush=True)
                print("\n".join([line for line in tests.device.lines if "counts" not in line][-25:]), flush=True)
        tests.device.cut_power()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
