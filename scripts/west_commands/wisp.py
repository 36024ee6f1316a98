# SPDX-License-Identifier: Apache-2.0
"""`west wisp`: the verbs of the wisp command, and those that talk to a device."""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

from west.commands import WestCommand

REPOSITORY = Path(__file__).resolve().parents[2]

HOST_VERBS = {
    "build": "compile a wasm module to an image",
    "run": "run an app on this machine",
    "inspect": "show what is in an image",
    "keygen": "make a key to sign images with",
    "sign": "sign an image",
    "verify": "check an image as a device would",
    "symbolize": "name the places of a trap",
    "new": "begin an app from a template",
}
APP_VERBS = {
    "info": "show an app, what it used and its recent failures",
    "start": "start an app",
    "stop": "stop an app",
    "restart": "stop and start an app",
    "confirm": "keep the update of an app",
    "rollback": "drop the update of an app",
    "uninstall": "remove an app",
}


def host_tool():
    """The wisp program: WISP_TOOL, the PATH, or built from this repository."""
    named = os.environ.get("WISP_TOOL") or shutil.which("wisp")
    if named:
        return [named]
    return ["cargo", "run", "--quiet", "--release", "--manifest-path",
            str(REPOSITORY / "rust" / "Cargo.toml"), "-p", "wisp-cli", "--"]


def version_text(version):
    """A version as it is written."""
    return f"{version & 0xff}.{version >> 8 & 0xff}.{version >> 16}"


def show(app):
    """Prints an app of the device."""
    running = version_text(app.running["ver"]) if app.running else "-"
    print(f"{app.name:16} {running:10} {app.state}" + (", disabled" if app.disabled else ""))
    if app.candidate:
        print(f"{'':16} {version_text(app.candidate['ver']):10} update on trial, "
              f"started {app.starts} times")


def show_usage(usage):
    """Prints what an app used."""
    print(f"runs that ended: {usage.runs}, failed: {usage.failures}")
    print(f"most used: native stack {usage.stack} of {usage.stack_size} bytes, arena {usage.arena} of "
          f"{usage.arena_size}, linear memory {usage.memory} of {usage.memory_size}; fuel of a run: {usage.fuel}")
    print(f"events: {usage.events} of {usage.events_size} waited at most, {usage.events_lost} lost; "
          f"messages lost: {usage.messages_lost}")
    if usage.kv_written is not None:
        print(f"stored: {usage.kv_written} bytes written, {usage.kv_refused} values refused; "
              f"lines of the log dropped: {usage.lines_dropped}")


def show_failures(failures):
    """Prints runs that failed, the last one first."""
    for failure in failures:
        print(f"{failure.uptime / 1000:10.3f} s  {failure.name}: {failure.what}")


class Wisp(WestCommand):
    """The command."""

    def __init__(self):
        super().__init__("wisp", "build, sign and install WebAssembly apps", __doc__,
                         accepts_unknown_args=True)

    def do_add_parser(self, parser_adder):
        parser = parser_adder.add_parser(self.name, help=self.help, description=self.description,
                                         formatter_class=argparse.RawDescriptionHelpFormatter)
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for verb, text in HOST_VERBS.items():
            verbs.add_parser(verb, help=text, add_help=False)
        push = verbs.add_parser("push", help="install an image on a device")
        push.add_argument("image", type=Path)
        listing = verbs.add_parser("list", help="list the apps of a device")
        stat = verbs.add_parser("stat", help="show how full and worn a device's store is")
        abort = verbs.add_parser("abort", help="give up the upload that is going on")
        log = verbs.add_parser("log", help="show recent runs that failed")
        with_device = [push, listing, stat, abort, log]
        for verb, text in APP_VERBS.items():
            app = verbs.add_parser(verb, help=text)
            app.add_argument("name")
            with_device.append(app)
        for verb in with_device:
            verb.add_argument("-p", "--port", default=os.environ.get("WISP_PORT"),
                              help="serial port, or address[:port] for UDP [default: WISP_PORT]")
        return parser

    def do_run(self, args, unknown):
        if args.verb in HOST_VERBS:
            sys.exit(subprocess.run(host_tool() + [args.verb] + unknown, check=False).returncode)
        if unknown:
            self.die("not understood: " + " ".join(unknown))
        if not args.port:
            self.die("which device? Give its serial port or IP address with --port, or in WISP_PORT")
        sys.path.insert(0, str(Path(__file__).parent))
        try:
            # needs smpclient: imported only where a device is talked to
            import device
        except ImportError as error:
            self.die(f"{error.name} is missing: pip install -r {REPOSITORY / 'scripts/requirements.txt'}")
        try:
            asyncio.run(self.talk(device.Device(args.port), args))
        except (device.DeviceError, OSError, TimeoutError) as error:
            self.die(f"{args.port}: {error or 'no answer'}")

    async def talk(self, connection, args):
        """Does one verb with a device."""
        async with connection as device:
            if args.verb == "push":
                await device.install(args.image, lambda done, total: print(
                    f"\r{args.image.name}: {done} of {total} bytes", end="", flush=True))
                print("\ninstalled, on trial until it is confirmed")
            elif args.verb == "list":
                for app in await device.apps():
                    show(app)
            elif args.verb == "info":
                show(await device.info(args.name))
                show_usage(await device.usage(args.name))
                failures, _ = await device.failures()
                show_failures([failure for failure in failures if failure.name == args.name])
            elif args.verb == "log":
                failures, total = await device.failures()
                show_failures(failures)
                print(f"{total} runs failed since boot")
            elif args.verb == "stat":
                stat = await device.stat()
                print(f"{stat.free} of {stat.blocks} blocks of {stat.block} bytes free, "
                      f"{stat.largest} in one piece; most worn: {stat.wear} erases, "
                      f"journal {stat.journal_wear}; retired keys: {stat.retired}")
            elif args.verb == "abort":
                await device.abort()
            elif args.verb == "restart":
                await device.restart(args.name)
            else:
                await device.simple(args.verb, args.name)
