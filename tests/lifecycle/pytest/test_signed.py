# SPDX-License-Identifier: Apache-2.0
"""Firmware that takes signed requests only: what it refuses, led by a client that tries."""

import asyncio
import hashlib

import images  # beside run.py
import pytest
from device import (
    SIMPLE,
    Abort,
    Challenge,
    Code,
    Device,
    DeviceError,
    Format,
    SetArgs,
    Upload,
    management_key,
    manifest,
    signed,
)

MANAGER = images.HERE / "keys" / "manager.pem"
STOP = SIMPLE["stop"](name="counter")


def on(firmware, work, key=MANAGER):
    """Runs a coroutine that uses the device."""

    async def connected():
        async with Device(firmware.port, own=b"the tests' client"[:16], key=key and management_key(key)) as device:
            return await work(device)

    return asyncio.run(asyncio.wait_for(connected(), 60))


def refused(firmware, what):
    """The code that the device refuses a request with."""
    with pytest.raises(DeviceError) as error:
        on(firmware, lambda device: device.ask(what))
    return error.value.code


def sign(firmware, what, key=MANAGER):
    """The request, signed as the next one."""
    return signed(what, management_key(key), on(firmware, lambda device: device.ask(Challenge())))


def state(firmware):
    return on(firmware, lambda device: device.info("counter"), key=None).state


@pytest.fixture
def counter(firmware):
    """A firmware with a running app, installed by signed requests."""
    on(firmware, lambda device: device.install(firmware.update("1.0.0")))
    firmware.wait_for("counter: update confirmed")
    return firmware


def test_requests_without_a_signature_change_nothing(counter):
    image = counter.update("3.0.0").read_bytes()
    announcement = Upload(off=0, data=b"", len=len(image), sha=hashlib.sha256(image).digest(), **manifest(image))
    for what in [*(verb(name="counter") for verb in SIMPLE.values()), Abort(own=b"the tests' client"[:16]), Format(),
                 SetArgs(name="counter", args=[]), announcement]:
        assert refused(counter, what) == Code.NOT_SIGNED, what
    # what changes nothing needs no signature
    assert state(counter) == "running"
    assert "SMP has no authentication" not in "\n".join(counter.lines)


def test_arguments_are_set_by_a_signed_request(counter):
    on(counter, lambda device: device.simple("stop", "counter"))
    on(counter, lambda device: device.set_args("counter", ["--interval", "10"]))
    assert on(counter, lambda device: device.args("counter"), key=None).args == ["--interval", "10"]


def test_a_signed_request_is_taken_once(counter):
    stop = sign(counter, STOP)
    on(counter, lambda device: device.ask(stop))
    assert state(counter) == "stopped"
    assert refused(counter, stop) == Code.REPLAYED
    held_back = sign(counter, STOP)
    on(counter, lambda device: device.simple("start", "counter"))
    assert refused(counter, held_back) == Code.REPLAYED
    assert refused(counter, stop) == Code.REPLAYED
    assert state(counter) == "running"


def test_no_request_of_an_earlier_boot_is_taken(counter):
    stop = sign(counter, STOP)
    counter.power_off()
    counter.start()
    counter.wait_for("version 1 counts")
    # its number was 1, and numbers begin at 0 again
    for code in (Code.REPLAYED, Code.NOT_MANAGER):
        assert refused(counter, stop) == code
        with pytest.raises(DeviceError):
            on(counter, lambda device: device.simple("start", "counter"))
    assert state(counter) == "running"


def test_other_keys_and_changed_requests_are_refused(counter):
    assert refused(counter, sign(counter, STOP, images.KEY)) == Code.NOT_MANAGER
    stop = sign(counter, STOP)
    for verb in ("start", "uninstall", "rollback"):
        assert refused(counter, SIMPLE[verb](name="counter", signature=stop.signature)) == Code.NOT_MANAGER
    other = sign(counter, SIMPLE["stop"](name="watched"))
    assert refused(counter, SIMPLE["stop"](name="counter", signature=other.signature)) == Code.NOT_MANAGER
    for end in (0, 1, 12, 75):
        assert refused(counter, SIMPLE["stop"](name="counter", signature=stop.signature[:end])) == Code.NOT_SIGNED
    # none of them used the number up
    on(counter, lambda device: device.ask(stop))
    assert state(counter) == "stopped"
