# SPDX-License-Identifier: Apache-2.0
"""`west wisp`: the verbs of the wisp command, and those that talk to a device."""

import argparse
import asyncio
import contextlib
import json
import logging
import math
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from west.commands import WestCommand

# west loads this file alone
sys.path.insert(0, str(Path(__file__).parent))
from answers import (  # pylint: disable=wrong-import-position
    app_fields,
    failure_fields,
    show,
    show_failures,
    show_progress,
    show_times,
    show_usage,
    times_fields,
    usage_fields,
    version_text,
    visible,
)

REPOSITORY = Path(__file__).resolve().parents[2]
RUST = REPOSITORY / "rust"
# Seconds after which `west wisp watch` looks again for a device that is away.
AWAY_PAUSE = 1.0

HOST_VERBS = {
    "build": "compile a wasm module to an image",
    "run": "run an app on this machine",
    "inspect": "show what is in an image",
    "keygen": "make a key to sign images or requests with",
    "sign": "sign an image",
    "attach": "attach native code to a signed image",
    "verify": "check an image as a device would",
    "symbolize": "name the places of a trap",
    "publish": "put an app into an OCI registry",
    "pull": "get an image from an OCI registry and check it",
    "compile": "compile with native code from a service",
    "serve": "compile for others over HTTP",
    "gateway": "bring updates of a rollout server to devices",
    "fleet": "look at devices behind a gateway",
    "new": "begin an app from a template",
    "completions": "print what makes a shell complete arguments of wisp",
    "man": "write manual pages",
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


def is_current(program):
    """True if the program exists and none of its sources is newer."""
    if not program.exists():
        return False
    built = program.stat().st_mtime
    for folder, folders, files in os.walk(RUST):
        folders[:] = [name for name in folders if name != "target"]
        for name in files:
            if name.endswith((".rs", ".toml", ".lock", ".h")) and (Path(folder) / name).stat().st_mtime > built:
                return False
    return True


def host_tool():
    """The wisp program: WISP_TOOL, the PATH, or built from this repository; None if that failed."""
    named = os.environ.get("WISP_TOOL") or shutil.which("wisp")
    if named:
        return named
    program = Path(os.environ.get("CARGO_TARGET_DIR", RUST / "target")) / "release" / \
        ("wisp.exe" if os.name == "nt" else "wisp")
    if not is_current(program):
        print(f"west wisp: building the wisp command from {RUST}; that takes a minute or two the first time. "
              "WISP_TOOL can name one that is built already.", file=sys.stderr, flush=True)
        # cargo shows what it compiles
        made = subprocess.run(["cargo", "build", "--release", "--locked", "--manifest-path", str(RUST / "Cargo.toml"),
                               "-p", "wisp-cli"], stdout=sys.stderr, check=False)
        if made.returncode:
            return None
        # cargo leaves a program as it is if what changed does not concern it
        os.utime(program)
    return str(program)


def run_host_tool(arguments):
    """Runs the wisp program; its exit code."""
    try:
        tool = host_tool()
        return 1 if tool is None else subprocess.run([tool, *arguments], check=False).returncode
    except OSError as error:
        print(f"west wisp: {not_started(error)}", file=sys.stderr)
        return 1


def end_process(process):
    """Ends a process of asyncio, unless it has ended."""
    if process.returncode is None:
        process.terminate()


async def cancel(task):
    """Ends a task, unless there is none or it has ended."""
    while task is not None and not task.done():
        # what closes a connection may take the place of the cancellation
        task.cancel()
        await asyncio.wait([task], timeout=1)
    if task is not None and not task.cancelled():
        task.result()


def not_started(error):
    """Why neither the wisp program nor cargo, which builds it, was started."""
    if os.environ.get("WISP_TOOL"):
        return f"WISP_TOOL={error.filename} cannot be started: {error.strerror}; name the wisp program there, or unset it"
    return f"{error.filename} was not found; install Rust (rustup), or name the wisp program in WISP_TOOL"


def pull(args, folder):
    """Gets the image that --from names, by `wisp pull`: (its path or None, why not or None)."""
    path = folder / "app.wisp"
    command = ["pull", args.reference, "--json", "--output", str(path)]
    for option, files in (("--key", args.key), ("--root-key", args.root_key), ("--compile-key", args.compile_key)):
        for file in files:
            command += [option, str(file)]
    command += ["--target", args.target] if args.target else []
    command += ["--plain-http"] if args.plain_http else []
    command += [] if args.key or args.root_key else ["--unverified"]
    try:
        tool = host_tool()
        if tool is None:
            return None, "the wisp command cannot be built; see above"
        done = subprocess.run([tool, *command], capture_output=True, text=True, check=False)
    except OSError as error:
        return None, not_started(error)
    if done.returncode:
        return None, done.stderr.strip().removeprefix("wisp: ")
    return path, None


def seconds(text):
    """A time of the command line."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of seconds above 0")
    return value


def report_usage_as_json(parser):
    """Lets a parser report arguments that are not understood as --json promises, and in words as before."""
    def error(message):
        if "--json" in sys.argv:
            print(json.dumps({"error": message}), flush=True)
        type(parser).error(parser, message)

    parser.error = error


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
        push.add_argument("image", type=Path, nargs="?")
        push.add_argument("--from", dest="reference", metavar="REFERENCE",
                          help="pull the image from an OCI registry: REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:DIGEST")
        push.add_argument("--key", type=Path, action="append", default=[], metavar="FILE",
                          help="with --from: a public app key; without any key only the device checks the signature")
        push.add_argument("--root-key", type=Path, action="append", default=[], metavar="FILE",
                          help="with --from: a public root key")
        push.add_argument("--compile-key", type=Path, action="append", default=[], metavar="FILE",
                          help="with --from: a public compile key, for attached native code")
        push.add_argument("--target", metavar="NAME", help="with --from: get the image with native code for this machine")
        push.add_argument("--plain-http", action="store_true", help="with --from: use HTTP without TLS")
        push.add_argument("--wait", action="store_true",
                          help="wait until the app confirms the update, and fail if it is rolled back")
        push.add_argument("--confirm", action="store_true", help="confirm the update once it runs, and fail if it does not")
        push.add_argument("--patience", type=seconds, default=120.0, metavar="SECONDS",
                          help="how long --wait and --confirm wait [default: %(default)s]")
        watch = verbs.add_parser("watch", help="install an app anew whenever it changes (doc/cli.md)")
        watch.add_argument("module", type=Path, help="a wasm module, a component or an image")
        watch.add_argument("arguments", nargs="*", metavar="OPTION", help="behind --: options of wisp build")
        watch.add_argument("--app", metavar="NAME", help="name of the app [default: that of the file]")
        watch.add_argument("--watch", action="append", default=[], metavar="FOLDER", help="a folder with its sources")
        watch.add_argument("--build", metavar="COMMAND", help="makes the module when a file in a FOLDER has changed")
        watch.add_argument("--key", type=Path, metavar="FILE", help="secret key with which images are signed")
        watch.add_argument("--patience", type=seconds, default=120.0, metavar="SECONDS",
                           help="how long an update has until it runs [default: %(default)s]")
        listing = verbs.add_parser("list", help="list the apps of a device")
        stat = verbs.add_parser("stat", help="show how full and how worn the app storage of a device is, and what apps compute")
        abort = verbs.add_parser("abort", help="give up the upload that is going on")
        log = verbs.add_parser("log", help="show recent runs that failed, as wisp symbolize reads them")
        format_store = verbs.add_parser("format", help="erase all apps of a device, and whatever their partition holds")
        strings = verbs.add_parser("args", help="show or set the arguments and the environment of an app")
        strings.add_argument("name")
        strings.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="its arguments; write -- before one that begins with -")
        strings.add_argument("--env", action="append", metavar="NAME=VALUE", help="its environment, an option for each variable")
        strings.add_argument("--no-args", action="store_true", help="it has no argument")
        strings.add_argument("--no-env", action="store_true", help="its environment is empty")
        strings.add_argument("--reset", action="store_true", help="go back to those of its devicetree node")
        debug = verbs.add_parser("debug", help="debug an app on a device with LLDB (doc/debugging.md)")
        debug.add_argument("name")
        debug.add_argument("module", type=Path, help="the wasm module of which wisp build --debug made the app's image")
        debug.add_argument("--listen", metavar="ADDRESS", default="127.0.0.1:1234",
                           help="port or address of this machine to which LLDB connects [default: %(default)s]")
        debug.add_argument("--restart", action="store_true", help="start the app anew, and hold it at its first step")
        debug.add_argument("--heap", metavar="BYTES", help="as that of wisp build")
        debug.add_argument("--no-trim", action="store_true", help="as that of wisp build")
        core = verbs.add_parser("core", help="fetch the core dump of an app that trapped (doc/debugging.md)")
        core.add_argument("name")
        core.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="path of the core dump")
        core.add_argument("--module", type=Path, metavar="FILE",
                          help="the wasm module of which the app's image was made: adds places and locals to the dump")
        core.add_argument("--heap", metavar="BYTES", help="as that of wisp build")
        core.add_argument("--no-trim", action="store_true", help="as that of wisp build")
        record = verbs.add_parser("record", help="fetch the recording of an app (doc/replay.md)")
        record.add_argument("name")
        record.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="path of the recording")
        profile = verbs.add_parser("profile", help="sample where an app on a device spends its time (doc/debugging.md)")
        profile.add_argument("name")
        profile.add_argument("--seconds", type=seconds, default=10.0, metavar="SECONDS",
                             help="for how long [default: %(default)s]")
        profile.add_argument("--image", type=Path, metavar="FILE",
                             help="the image that runs: gives names, and with the symbols beside it source lines")
        profile.add_argument("-o", "--output", type=Path, action="append", default=[], metavar="FILE",
                             help="path of a flame graph (.svg) or of folded stacks (.folded), an option for each")
        with_device = [core, record, profile, debug, push, watch, listing, stat, abort, format_store, log, strings]
        for verb, text in APP_VERBS.items():
            app = verbs.add_parser(verb, help=text)
            app.add_argument("name")
            with_device.append(app)
        for verb in with_device:
            verb.add_argument("-p", "--port", default=os.environ.get("WISP_PORT"),
                              help="serial port, address[:port] for UDP, or ble:NAME or ble:ADDRESS for Bluetooth "
                                   "[default: WISP_PORT]")
            verb.add_argument("--timeout", type=seconds, default=6.0, metavar="SECONDS",
                              help="how long an answer may take [default: %(default)s]")
            verb.add_argument("--management-key", type=Path, metavar="FILE",
                              default=os.environ.get("WISP_MANAGEMENT_KEY"),
                              help="secret key that requests are signed with, where the firmware wants that "
                                   "[default: WISP_MANAGEMENT_KEY]")
            verb.add_argument("--json", action="store_true", help="report as a JSON object (doc/cli.md)")
            report_usage_as_json(verb)
        return parser

    def do_run(self, args, unknown):
        if args.verb in HOST_VERBS:
            sys.exit(run_host_tool([args.verb, *unknown]))
        if args.verb in ("args", "watch") and unknown and (unknown[0] == "--" or not unknown[0].startswith("-")):
            # argparse takes no more arguments for a list once an option has followed its first part
            args.arguments += unknown[unknown[0] == "--":]
            unknown = []
        if unknown:
            self.fail(args, "not understood: " + " ".join(unknown))
        if not args.port:
            self.fail(args, "which device? Give its serial port or IP address with --port, or in WISP_PORT")
        with tempfile.TemporaryDirectory() as folder:
            if args.verb == "push":
                self.find_image(args, Path(folder))
            self.with_device(args)

    def find_image(self, args, folder):
        """Pulls the image if it is in a registry."""
        options = args.key or args.root_key or args.compile_key or args.target or args.plain_http
        if args.reference is None and options:
            self.fail(args, "--key, --root-key, --compile-key, --target and --plain-http concern a registry: "
                            "name it with --from")
        if args.compile_key and not (args.key or args.root_key):
            self.fail(args, "--compile-key needs the key of the image as well: --key or --root-key")
        if (args.image is None) == (args.reference is None):
            self.fail(args, "which image? Give its path, or its name in a registry with --from")
        if args.reference is not None:
            args.image, reason = pull(args, folder)
            if reason:
                self.fail(args, reason)

    def with_device(self, args):
        """Does a verb that needs a device."""
        try:
            # needs smpclient: imported only where a device is talked to
            import device
            from smpclient.exceptions import SMPClientException
            from smpclient.transport import SMPTransportDisconnected
        except ImportError as error:
            self.fail(args, f"{error.name} is missing: pip install -r {REPOSITORY / 'scripts/requirements.txt'}")
        # it would show each request that got no answer
        logging.getLogger("smpclient").setLevel(logging.CRITICAL)
        try:
            report = asyncio.run(self.talk(device, args))
            if args.json:
                print(json.dumps(report))
        except TimeoutError:
            self.fail(args, f"{args.port}: no answer within {args.timeout:g} s; does the device run, is this its port for "
                            "MCUmgr, and does nobody else use it?")
        except SMPTransportDisconnected:
            self.fail(args, f"{args.port}: the connection was lost; push and other verbs can be repeated")
        except SMPClientException:
            self.fail(args, f"{args.port}: the answer is not one of MCUmgr's; is this the device's port for it, and are "
                            "tool and firmware of the same version?")
        except (device.DeviceError, OSError) as error:
            self.fail(args, f"{args.port}: {error}")

    def fail(self, args, sentence):
        """Ends the command with a sentence."""
        if getattr(args, "json", False):
            print(json.dumps({"error": sentence}))
        print(f"west wisp: {sentence}", file=sys.stderr)
        sys.exit(1)

    async def talk(self, device, args):
        """Does one verb with a device; what --json reports of it."""
        image = None
        if args.verb == "push":
            try:
                image = args.image.read_bytes()
            except OSError as error:
                self.fail(args, f"{args.image}: cannot be read: {error.strerror}")
            try:
                said = device.manifest(image)
            except device.DeviceError as error:
                self.fail(args, f"{args.image}: {error}")
        # a port that is silent from the start is found out as fast as one that falls silent
        try:
            key = args.management_key and device.management_key(args.management_key)
        except device.DeviceError as error:
            self.fail(args, str(error))
        if args.verb == "watch":
            return await self.watch(device, args, key)
        async with device.Device(args.port, args.timeout, key=key) as connection:
            if args.verb == "push":
                return await self.push(connection, args, image, said)
            if args.verb == "debug":
                return await self.debug(connection, device, args)
            if args.verb == "core":
                return await self.core(connection, device, args)
            if args.verb == "profile":
                return await self.profile(connection, args)
            if args.verb == "record":
                return await self.record(connection, device, args)
            return await self.ask(connection, device, args)

    async def push(self, connection, args, image, said):
        """Installs an image, and waits for what becomes of it if that is wanted."""
        report = {"name": said["name"], "version": version_text(said["ver"]), "bytes": len(image), "state": "on trial"}
        await connection.install(args.image, show_progress(args.reference or args.image.name))
        if args.wait or args.confirm:
            await connection.outcome(said["name"], image, args.confirm, args.patience)
            report["state"] = "confirmed"
        if not args.json:
            trial = "on trial until it is confirmed" if report["state"] == "on trial" else "confirmed"
            print(f"{said['name']} {report['version']}: installed, {trial}")
        return report

    async def watch(self, device, args, key):
        """Installs each image that `wisp watch` makes, until Ctrl-C."""
        tool = host_tool()
        if tool is None:
            self.fail(args, "the wisp command cannot be built; see above")
        with tempfile.TemporaryDirectory() as folder:
            command = [tool, "watch", str(args.module), "--into", folder, "--watch"]
            command += [f"--watch={path}" for path in args.watch]
            command += [f"--build={args.build}"] if args.build else []
            command += ["--name", args.app] if args.app else []
            command += ["--key", str(args.key)] if args.key else []
            # the process ends when its input does
            process = await asyncio.create_subprocess_exec(*command, "--", *args.arguments, stdin=asyncio.subprocess.PIPE,
                                                           stdout=asyncio.subprocess.PIPE)
            for number in (signal.SIGINT, signal.SIGTERM):
                with contextlib.suppress(NotImplementedError):
                    asyncio.get_running_loop().add_signal_handler(number, end_process, process)
            count, delivery = 0, None
            try:
                while line := await process.stdout.readline():
                    # an image that is not confirmed yet gives way to a newer one
                    await cancel(delivery)
                    count += 1
                    delivery = asyncio.create_task(self.deliver(device, args, key, Path(os.fsdecode(line.removesuffix(b"\n")))))
            finally:
                end_process(process)
                await cancel(delivery)
            # ended by a signal, as by Ctrl-C
            if await process.wait() > 0:
                self.fail(args, "no more images are made; see above")
        return {"done": "watch", "name": args.app or args.module.stem, "images": count}

    async def deliver(self, device, args, key, path):
        """Installs an image once the device is there, and confirms it once it runs. Says why if the device refuses."""
        from smpclient.exceptions import SMPClientException
        from smpclient.transport import SMPTransportDisconnected
        tell = lambda sentence: print(f"west wisp: {sentence}", file=sys.stderr, flush=True)
        image, is_away, is_installed = path.read_bytes(), False, False
        while True:
            try:
                said = device.manifest(image)
                name = said["name"]
                if args.app not in (None, name):
                    raise device.DeviceError(None, f"the image is of the app {name}, not of {args.app}")
                async with device.Device(args.port, args.timeout, key=key) as connection:
                    # a connection that broke during the trial does not begin another one
                    if not is_installed:
                        await self.replace(connection, device, path, name, tell)
                        is_installed = True
                    await connection.outcome(name, image, True, args.patience)
                print(f"{name} {version_text(said['ver'])}: installed, confirmed")
                return
            except (device.Away, TimeoutError, SMPTransportDisconnected, SMPClientException, OSError) as error:
                if not is_away:
                    follows = "look at the update" if is_installed else "install the image"
                    tell(f"{args.port}: the device is away; west wisp goes on to {follows} once it is back: "
                         f"{str(error) or 'no answer'}")
                is_away = True
                await asyncio.sleep(AWAY_PAUSE)
            except device.DeviceError as error:
                tell(f"{args.port}: nothing more is done until the module changes: {error}")
                return
            except asyncio.CancelledError:
                if is_installed:
                    tell(f"{args.port}: {name} is on trial, and goes back unless west wisp confirm {name} keeps it")
                raise

    async def replace(self, connection, device, path, name, tell):
        """Installs an image, also in the place of one that is on trial."""
        try:
            await connection.install(path, show_progress(path.name))
        except device.DeviceError as error:
            if error.code != device.Code.PENDING:
                raise
            await connection.simple("rollback", name)
            tell(f"the update of {name} that was on trial was rolled back for a newer one")
            await connection.install(path, show_progress(path.name))

    async def debug(self, connection, device, args):
        """Carries requests of `wisp debug` to a device until the app or the debugger ends."""
        tool = host_tool()
        if tool is None:
            self.fail(args, "the wisp command cannot be built; see above")
        command = [tool, "debug", str(args.module), "--bridge", "--listen", args.listen]
        command += ["--heap", args.heap] if args.heap else []
        command += ["--no-trim"] if args.no_trim else []
        if args.restart:
            try:
                await connection.simple("stop", args.name)
            except device.DeviceError as error:
                if error.code != device.Code.ALREADY:
                    raise
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE,
                                                       stdout=asyncio.subprocess.PIPE)
        # a request that is under way is finished first, and then the device is told
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(number, end_process, process)
        attached = False
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while line := await process.stdout.readline():
                order = bytes.fromhex(line.decode())
                try:
                    answer = (await connection.debug(args.name, order)).hex()
                    attached = attached or order == device.DEBUG_ATTACH
                    if order == device.DEBUG_ATTACH and args.restart:
                        await connection.simple("start", args.name)
                except device.DeviceError as error:
                    answer = f"!{error}"
                process.stdin.write(f"{answer}\n".encode())
                await process.stdin.drain()
        if attached:
            # a device that is gone needs no word
            with contextlib.suppress(device.DeviceError):
                await connection.debug(args.name, device.DEBUG_DETACH)
        code = await process.wait()
        return {"done": "debug", "name": args.name, "code": code}

    async def core(self, connection, device, args):
        """Fetches a core dump, and makes a file of it that other tools read."""
        tool = host_tool()
        if tool is None:
            self.fail(args, "the wisp command cannot be built; see above")
        data = await connection.kept(args.name, device.KEPT_CORE, show_progress(args.name))
        if not data:
            self.fail(args, f"{args.name}: the device keeps no core dump of this app: it has not trapped since the device "
                            "started, or another app has trapped after it")
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder) / "core"
            raw.write_bytes(data)
            command = [tool, "core", str(raw), "-o", str(args.output)]
            command += ["--module", str(args.module)] if args.module else []
            command += ["--heap", args.heap] if args.heap else []
            command += ["--no-trim"] if args.no_trim else []
            process = await asyncio.create_subprocess_exec(*command)
            if await process.wait() != 0:
                self.fail(args, f"{args.output}: the core dump was not written; see above")
        if not args.json:
            print(f"{args.output}: core dump of {args.name}; wisp inspect {args.output} shows it")
        return {"done": "core", "name": args.name, "file": str(args.output), "bytes": len(data)}

    async def profile(self, connection, args):
        """Samples an app, and shows what was found."""
        tool = host_tool()
        if tool is None:
            self.fail(args, "the wisp command cannot be built; see above")
        # before the time that the samples take
        for output in args.output:
            if output.suffix not in {".svg", ".folded"}:
                self.fail(args, f"{output}: expected a name that ends with .svg or .folded")
        if args.image and not args.image.is_file():
            self.fail(args, f"{args.image}: there is no such image")
        with tempfile.TemporaryDirectory() as folder:
            samples = Path(folder) / "samples"
            command = [tool, "profile", str(samples), *(["--json"] if args.json else [])]
            command += ["--image", str(args.image)] if args.image else []
            for output in args.output:
                command += ["-o", str(output)]
            data = await connection.profile(args.name, max(round(args.seconds * 1000), 1))
            if not data:
                self.fail(args, f"{args.name}: the samples are gone: another profile began, or the app was removed")
            samples.write_bytes(data)
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            shown, _ = await process.communicate()
            if process.returncode:
                self.fail(args, f"{args.name}: the samples cannot be shown; see above")
        if args.json:
            return {"name": args.name, **json.loads(shown)}
        print(shown.decode(), end="")
        return None

    async def record(self, connection, device, args):
        """Fetches a recording."""
        data = await connection.kept(args.name, device.KEPT_RECORD, show_progress(args.name))
        if not data:
            self.fail(args, f"{args.name}: the device keeps no recording of this app: its node has no record-interfaces, it has "
                            "not run, or another app is recorded")
        try:
            args.output.write_bytes(data)
        except OSError as error:
            self.fail(args, f"{args.output}: cannot be written: {error.strerror}")
        lost = int.from_bytes(data[32:36], "little")
        if not args.json:
            print(f"{args.output}: recording of {args.name}, {len(data)} bytes")
            if lost:
                print(f"the first {lost} items are lost, so it cannot be replayed; wisp inspect {args.output} shows the rest")
        return {"done": "record", "name": args.name, "file": str(args.output), "bytes": len(data), "lost": lost}

    async def args(self, connection, args):
        """Sets arguments and environment of an app if that is asked for, and shows them."""
        arguments = [] if args.no_args else args.arguments or None
        variables = [] if args.no_env else args.env
        if args.reset:
            await connection.reset_args(args.name)
        elif arguments is not None or variables is not None:
            await connection.set_args(args.name, arguments, variables)
        strings = await connection.args(args.name)
        if not args.json:
            print("arguments: " + (" ".join(shlex.quote(visible(text)) for text in strings.args) or "none"))
            print("environment: " + (" ".join(shlex.quote(visible(text)) for text in strings.env) or "empty"))
        return {"name": args.name, "args": strings.args, "env": strings.env}

    async def ask(self, connection, device, args):
        """Does what needs no image."""
        shown = not args.json
        if args.verb == "list":
            apps = await connection.apps()
            for app in apps if shown else []:
                show(app)
            return {"apps": [app_fields(app) for app in apps]}
        if args.verb == "info":
            app, usage = await connection.info(args.name), await connection.usage(args.name)
            failures = [failure for failure in (await connection.failures())[0] if failure.name == args.name]
            if shown:
                show(app)
                show_usage(usage)
                show_failures(failures)
            return {**app_fields(app), "usage": usage_fields(usage, device.USAGE), "failures": failure_fields(failures)}
        if args.verb == "log":
            failures, total = await connection.failures()
            if shown:
                show_failures(failures)
                print(f"{total} runs failed since boot")
            return {"failures": failure_fields(failures), "total": total}
        if args.verb == "args":
            return await self.args(connection, args)
        if args.verb == "stat":
            stat = await connection.stat()
            if shown:
                print(f"{stat.free} of {stat.blocks} blocks of {stat.block} bytes free, "
                      f"{stat.largest} in one piece; most worn: {stat.wear} erases, "
                      f"journal {stat.journal_wear}; retired keys: {stat.retired}")
            times = {app.name: await connection.times(app.name) for app in await connection.apps()}
            if shown:
                show_times(times)
            return {**usage_fields(stat, device.STAT), "apps": [times_fields(name, times[name]) for name in times]}
        if args.verb == "abort":
            await connection.abort()
            return {"done": "abort"}
        if args.verb == "format":
            await connection.format()
            return {"done": "format"}
        if args.verb == "restart":
            await connection.restart(args.name)
        else:
            await connection.simple(args.verb, args.name)
        return {"done": args.verb, "name": args.name}
