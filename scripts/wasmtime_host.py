#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a component with Wasmtime, as another host beside Wisp: wasmtime_host.py FOLDER COMPONENT [ARGUMENT...]

FOLDER has the package `wasmtime` of PyPI. The component gets the arguments, the environment and the standard streams of this
program, and the devices of the board with which components.py runs components. It ends with the status of the component, or with
134 after a trap.
"""

import os
import sys

sys.path.insert(0, sys.argv[1])
from wasmtime import Engine, ExitTrap, Store, Trap, WasiConfig, WasmtimeError
from wasmtime.component import Component, FuncType, Linker, ResourceAny, ResourceHost, ResourceType, Variant

# Kinds of resources.
I2C, DEVICE, OUTPUT, INPUT, SPI = range(1, 6)
ADDRESS, TEMPERATURE = 0x48, b"\x19\x80"


def grant(kind, label, refusal):
    """A function that opens what has this label, and refuses every other."""
    return lambda store, name: ResourceHost.own(1, kind).to_any(store) if name == label else refusal


def of_bus(_store, _bus, address, _register, length):
    """Reads from the one device of a bus of wasi:i2c."""
    if address != ADDRESS:
        return Variant("no-acknowledge", "address")
    return TEMPERATURE[:length]


def result_of(operation):
    """The result of an operation of wasi:spi, on a device that gives back what it gets."""
    return Variant("delay") if operation.tag == "delay-ns" else Variant("transfer", operation.payload)


# By interface: resources by name, and functions. A result is what it holds, where success and failure have different types.
BOARD = {
    "wasi:i2c/i2c@0.2.0-draft": ({"i2c": I2C}, {"[method]i2c.write-read": of_bus}),
    "wisp:grants/i2c@1.0.0": ({}, {"open": grant(I2C, "temp", "not-granted")}),
    "wisp:i2c/i2c@1.0.0": ({"device": DEVICE}, {
        "open": grant(DEVICE, "temp", "acces"),
        "[method]device.write-read": lambda _store, _device, _register, length: TEMPERATURE[:length]}),
    "wasi:gpio/digital@0.2.0": ({"digital-out-pin": OUTPUT, "digital-in-pin": INPUT}, {
        "[method]digital-out-pin.set-active": lambda *_: None,
        "[method]digital-out-pin.toggle": lambda *_: None,
        "[method]digital-in-pin.is-active": lambda *_: False}),
    "wisp:pins/digital@1.0.0": ({}, {
        "get-digital-out": grant(OUTPUT, "led", Variant("pin-not-allowed")),
        "get-digital-in": grant(INPUT, "key", Variant("pin-not-allowed"))}),
    "wasi:spi/spi": ({"spi-device": SPI}, {
        "open": grant(SPI, "wire", Variant("other", "EACCES")),
        "[method]spi-device.transfer": lambda _store, _device, data: data,
        "[method]spi-device.transaction":
            lambda _store, _device, operations: [result_of(operation) for operation in operations]}),
    "wasi:logging/logging@0.1.0-draft": ({}, {"log": lambda _store, level, context, text: None}),
}


def lent(function):
    """A function of the host that gives back the handles that it was lent."""
    def called(store, *arguments):
        result = function(store, *arguments)
        for argument in arguments:
            if isinstance(argument, ResourceAny) and not argument.owned:
                argument.drop(store)
        return result
    return called


def fails(*_):
    """Stands for a function that no component calls here."""
    raise NotImplementedError("the board has no such function")


def linker_for(engine, component):
    """WASI and the board."""
    linker = Linker(engine)
    linker.add_wasip2()
    for interface, imported in component.type.imports(engine).items():
        if interface not in BOARD:
            continue
        resources, functions = BOARD[interface]
        with linker.root() as root, root.add_instance(interface) as instance:
            for name, kind in resources.items():
                instance.add_resource(name, ResourceType.host(kind), lambda *_: None)
            for name, item in imported.ty.exports(engine).items():
                if isinstance(item.ty, FuncType):
                    instance.add_func(name, lent(functions.get(name, fails)))
    return linker


def main():
    """Calls `run` of `wasi:cli/run`, of whatever release."""
    engine = Engine()
    component = Component.from_file(engine, sys.argv[2])
    store = Store(engine)
    config = WasiConfig()
    config.argv = sys.argv[2:]
    config.env = os.environ.items()
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    store.set_wasi(config)
    try:
        instance = linker_for(engine, component).instantiate(store, component)
        found = (instance.get_export_index(store, f"wasi:cli/run@0.2.{patch}") for patch in range(20))
        run = instance.get_export_index(store, "run", next(filter(None, found)))
        return 1 if instance.get_func(store, run)(store).tag == "err" else 0
    except ExitTrap as end:
        return end.code
    except (Trap, WasmtimeError) as error:
        print(error, file=sys.stderr)
        return 134


if __name__ == "__main__":
    sys.exit(main())
