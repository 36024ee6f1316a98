# SPDX-License-Identifier: Apache-2.0
"""A client of Wisp's MCUmgr group: what doc/lifecycle.md describes, over smpclient."""

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import socket
import struct
from enum import IntEnum
from pathlib import Path

import smp.error as smperror
import smp.message as smpmessage
from serial.tools.list_ports import comports
from smpclient import SMPClient
from smpclient.generics import success
from smpclient.transport.serial import SMPSerialTransport
from smpclient.transport.udp import SMPUDPTransport

GROUP = 87
# Zephyr's CONFIG_MCUMGR_TRANSPORT_UDP_PORT.
UDP_PORT = 1337
CLAIM_SIZE = 16


# What rust/contract has of errors of the app storage: a number and words for each name.
_ERRORS = json.loads(Path(__file__).with_name("store_errors.json").read_text(encoding="utf-8"))
# enum wisp_store_error of include/wisp/storage.h.
Code = IntEnum("Code", {name: error["number"] for name, error in _ERRORS.items()})
WORDS = {Code[name]: error["words"] for name, error in _ERRORS.items() if error["words"]}


# MGMT_ERR_* of Zephyr's mgmt_defines.h.
SMP_WORDS = {
    1: "the device failed for a reason that it does not tell",
    2: "the device has not enough memory for this request",
    3: "the device did not understand the request; are tool and firmware of the same version?",
    4: "the device was not ready in time",
    5: "the device does not know this",
    6: "the device is in no state for this",
    7: "the answer does not fit the device's buffers; raise CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE",
    8: "the firmware does not have this command; enable CONFIG_WISP_MGMT, or update it",
    9: "the device found its data damaged",
    10: "the device is busy; try again",
    11: "the device does not allow this",
}


class DeviceError(Exception):
    """The device refused; code is a Code, or None for an error of SMP itself, which smp then has."""

    def __init__(self, code, message, smp=None):
        super().__init__(message)
        self.code = code
        self.smp = smp


class KeptRunning(DeviceError):
    """What is kept of an app is still being written."""


class Away(DeviceError):
    """The device is not where it is looked for."""


class ErrorV1(smperror.ErrorV1):
    _GROUP_ID = GROUP


class ErrorV2(smperror.ErrorV2[Code]):
    _GROUP_ID = GROUP


def message(base, command, fields, name):
    """A message class of smpclient for one command."""
    namespace = {"__annotations__": {key: kind for key, (kind, _) in fields.items()},
                 "__module__": __name__, "_GROUP_ID": GROUP, "_COMMAND_ID": command}
    namespace.update({key: default for key, (_, default) in fields.items() if default is not ...})
    return type(name, (base,), namespace)


def request(kind, command, name, fields, answer):
    """A request class and its answer."""
    read = kind == "read"
    reply = message(smpmessage.ReadResponse if read else smpmessage.WriteResponse, command, answer,
                    name + "Answer")
    asked = message(smpmessage.ReadRequest if read else smpmessage.WriteRequest, command, fields, name)
    asked._Response, asked._ErrorV1, asked._ErrorV2 = reply, ErrorV1, ErrorV2
    return asked


APP = {
    "name": (str | None, None), "state": (str | None, None), "disabled": (bool | None, None),
    "starts": (int | None, None), "crashes": (int | None, None), "next": (int | None, None),
    "running": (dict | None, None), "candidate": (dict | None, None),
}
NAME = {"name": (str, ...)}
# smpclient sorts keys by their length: the signature is the last one, as it has to be.
SIGNATURE = {"signature": (bytes | None, None)}
STAT = {key: (int, ...) for key in
        ("block", "blocks", "free", "largest", "wear", "journal_wear", "retired")}
UPLOAD = {
    "off": (int, ...), "data": (bytes, ...), "name": (str | None, None), "len": (int | None, None),
    "sha": (bytes | None, None), "ver": (int | None, None), "rb": (int | None, None),
    "down": (bool | None, None), "mem": (int | None, None), "frame": (int | None, None), "if": (str | None, None),
    "tgt": (bytes | None, None), "tok": (bytes | None, None), "own": (bytes | None, None),
    "signature": (bytes | None, None),
}
USAGE = {key: (int, ...) for key in
         ("runs", "failures", "stack", "stack_size", "arena", "arena_size", "memory", "memory_size", "fuel",
          "events", "events_size", "events_lost", "messages_lost")}
# Firmware from before these does not tell them.
USAGE |= {key: (int | None, None) for key in
          ("kv_written", "kv_refused", "lines_dropped", "files_used", "files_refused", "functions", "translated")}
FAILURE = {
    "total": (int, ...), "next": (int | None, None), "name": (str | None, None),
    "uptime": (int | None, None), "what": (str | None, None),
}

List = request("read", 0, "List", {"slot": (int, ...)}, APP)
Upload = request("write", 1, "Upload", UPLOAD,
                 {"off": (int, ...), "tok": (bytes | None, None), "done": (bool | None, None)})
Info = request("read", 2, "Info", NAME, APP)
SIMPLE = {verb: request("write", command, verb.title(), NAME | SIGNATURE, {}) for command, verb in
          enumerate(("start", "stop", "confirm", "rollback", "uninstall"), start=3)}
Stat = request("read", 8, "Stat", {}, STAT)
Abort = request("write", 9, "Abort", {"own": (bytes | None, None)} | SIGNATURE, {})
Usage = request("read", 10, "Usage", NAME, USAGE)
Failures = request("read", 11, "Failures", {"index": (int, ...)}, FAILURE)
Format = request("write", 12, "Format", SIGNATURE, {})
Challenge = request("read", 13, "Challenge", {}, {"nonce": (bytes, ...), "next": (int, ...)})
Args = request("read", 14, "Args", NAME, {"args": (list[str], ...), "env": (list[str], ...)})
SetArgs = request("write", 14, "SetArgs",
                  {**NAME, "args": (list[str] | None, None), "env": (list[str] | None, None),
                   "reset": (bool | None, None)} | SIGNATURE, {})

# Its bytes are those of src/border/debug.h.
Debug = request("write", 15, "Debug", NAME | {"do": (bytes, ...)} | SIGNATURE, {"out": (bytes, ...)})
DEBUG_ATTACH, DEBUG_DETACH = b"\1", b"\2"

# What a device keeps of an app: src/manage/kept.c.
Kept = request("write", 16, "Kept", NAME | {"what": (int, ...), "off": (int, ...)} | SIGNATURE,
               {"len": (int, ...), "gen": (int, ...), "data": (bytes, ...)})
KEPT_CORE, KEPT_RECORD, KEPT_PROFILE = 0, 1, 2
# The recording, or the profile, goes on.
KEPT_RUNNING = 0xFFFFFFFF
# src/manage/profile.c
Profile = request("write", 17, "Profile", NAME | {"ms": (int, ...)} | SIGNATURE, {})
Times = request("read", 18, "Times", NAME,
                {"run": (int, ...), "cpu": (int, ...), "wakeups": (int, ...), "host": (int | None, None)})
# MGMT_ERR_EBADSTATE and MGMT_ERR_ENOTSUP
BAD_STATE, NOT_SUPPORTED = 6, 8

# Bytes of an SMP header, and of the value of a signature entry: number, id of the key, signature.
HEADER, ENTRY, PROOF = 8, 76, 64


def management_key(path):
    """The secret key of a file that wisp keygen made."""
    try:
        # needs cryptography: imported only where requests are signed
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise DeviceError(None, "signed requests need cryptography: pip install cryptography") from None
    try:
        key = load_pem_private_key(Path(path).read_bytes(), None)
    except OSError as error:
        raise DeviceError(None, f"{path}: cannot be read: {error.strerror}") from None
    except (TypeError, ValueError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise DeviceError(None, f"{path}: expected an Ed25519 secret key in PEM; wisp keygen --role management makes one")
    return key


def signed(what, key, challenge):
    """A request as it is, with a signature that the device takes once (rust/trust/src/request.rs)."""
    public = key.public_key().public_bytes_raw()
    head = struct.pack("<I", challenge.next) + hashlib.sha256(public).digest()[:8]
    fields = what.model_dump(exclude_unset=True, exclude={"header", "version", "sequence", "smp_data"})
    payload = bytes(type(what)(**{**fields, "signature": head.ljust(ENTRY, b"\0")}))[HEADER:-PROOF]
    proof = key.sign(b"wisp request 1" + challenge.nonce + bytes([what._COMMAND_ID]) + payload)
    return type(what)(**{**fields, "signature": head + proof})


def interfaces(image, imports, strings):
    """The import modules of an image, each once."""
    found = []
    for at in range(imports[0], imports[0] + imports[1] // 20 * 20, 20):
        start = strings[0] + struct.unpack_from("<I", image, at)[0]
        length = struct.unpack_from("<H", image, start)[0]
        module = image[start + 2:start + 2 + length].decode()
        if module not in found:
            found.append(module)
    return found


# Kinds of sections, as doc/image-format.md numbers them.
MANIFEST, IMPORTS, FUNCTIONS, STRINGS, CODE, NATIVE = 1, 3, 4, 12, 13, 0x1000


def targets(image, sections):
    """The machines that an image without IR has native code for, three bytes each."""
    if sections.get(CODE, (0, 0))[1] or not sections.get(FUNCTIONS, (0, 0))[1]:
        return None
    own = [offset for kind, (offset, _) in sections.items() if kind >= NATIVE]
    return b"".join(image[offset + 8:offset + 11] for offset in own + attached(image))


def attached(image):
    """Where the native sections lie that are attached behind the trailer."""
    content, = struct.unpack_from("<I", image, 8)
    if len(image) < content + 4:
        return []
    trailer, = struct.unpack_from("<H", image, content + 2)
    start = (content + trailer + 15) // 16 * 16
    if image[start:start + 4] != b"WNAT" or len(image) < start + 48:
        return []
    count, = struct.unpack_from("<H", image, start + 8)
    if len(image) < start + 48 + 12 * count:
        return []
    return [start + struct.unpack_from("<I", image, start + 48 + 12 * row + 4)[0] for row in range(count)]


def manifest(image):
    """What an image says of itself, as it is announced (doc/image-format.md)."""
    if image[:4] == b"\0asm":
        raise DeviceError(None, "this is a wasm module; make an image of it with wisp build")
    if image[:4] != b"WISP":
        raise DeviceError(None, "not a Wisp image; wisp build makes one")
    try:
        return read_manifest(image)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise DeviceError(None, "the image is damaged or cut short; build or copy it again") from None


def read_manifest(image):
    """As manifest(), of bytes that begin as an image does."""
    sections = {}
    for index in range(struct.unpack_from("<H", image, 12)[0]):
        kind, _, offset, length = struct.unpack_from("<HHII", image, 16 + 12 * index)
        sections[kind] = (offset, length)
    if MANIFEST not in sections:
        raise DeviceError(None, "the image has no manifest; build it again")
    offset = sections[MANIFEST][0]
    name = image[offset + 33:offset + 33 + image[offset + 32]].decode()
    version, flags = struct.unpack_from("<II", image, offset + 64)
    backed, _, rollback, _, frame = struct.unpack_from("<IIIII", image, offset + 80)
    downgrade = image[offset + 71] & 1
    needs = interfaces(image, sections.get(IMPORTS, (0, 0)), sections.get(STRINGS, (0, 0)))
    said = {"name": name, "ver": version, "rb": rollback, "down": True if downgrade else None, "mem": backed if flags & 3 else 0,
            "frame": frame, "if": " ".join(needs)}
    native = targets(image, sections)
    return said if native is None else {**said, "tgt": native}


def claim():
    """What this user's uploads are recognised by when they go on: a secret that is kept from run to run."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "wisp"
    path = folder / "client"
    fresh = secrets.token_bytes(CLAIM_SIZE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(fresh)
        return fresh
    except FileExistsError:
        kept = path.read_bytes()
        return kept if len(kept) == CLAIM_SIZE else fresh
    except OSError:
        # a home that cannot be written to: an upload that was cut off goes on when it is over for the device
        return fresh


def check_serial(path):
    """Refuses a serial port that cannot be opened, for which smpclient would wait as for a silent device."""
    port = Path(path)
    if not port.exists():
        there = ", ".join(sorted(found.device for found in comports())) or "none"
        raise Away(None, f"there is no such serial port; those of this machine: {there}")
    if not port.is_char_device():
        raise DeviceError(None, "this is no serial port")
    if not os.access(port, os.R_OK | os.W_OK):
        raise DeviceError(None, f"no permission to use this port; join the group {port.group()} "
                                f"(sudo usermod -a -G {port.group()} $USER) and log in again")


def udp_address(address):
    """Host and port of an address: `host`, `host:port`, an IPv6 address or `[address]:port`."""
    host, colon, number = address.rpartition(":")
    # an IPv6 address without a port has colons of its own
    if not colon or ":" in host.strip("[]") and not host.endswith("]"):
        return address.strip("[]"), UDP_PORT
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 65535:
        raise DeviceError(None, f"{number!r} is no port of UDP, expected 1 to 65535")
    return host.strip("[]"), int(number)


class UDPTransport(SMPUDPTransport):
    """SMP over UDP to host or host:port, with requests no longer than devices take.

    Datagrams get lost: a request without an answer is sent again. That is harmless for all but
    confirm, rollback, start, stop and uninstall, whose repetition may say that it was done before.
    """

    # A device that tells no size takes this at least.
    size = 256
    # Seconds to wait for an answer, and how often to ask.
    patience = 1.0
    tries = 5
    repeated = 0

    async def send_and_receive(self, data):
        for attempt in range(self.tries):
            self.repeated += attempt > 0
            await self.send(data)
            try:
                async with asyncio.timeout(self.patience):
                    answer = await self.receive()
                    # an answer that came late belongs to an older request: compare sequence numbers
                    while answer[6] != data[6]:
                        answer = await self.receive()
                    return answer
            except TimeoutError:
                pass
        raise TimeoutError(f"no answer to {self.tries} requests")

    async def connect(self, address, timeout_s):
        host, port = udp_address(address)
        try:
            await super().connect(host, timeout_s, port)
        except socket.gaierror as error:
            raise Away(None, f"no host has this name ({error.strerror}); a serial port is named by its path, "
                                    "as in /dev/ttyACM0") from None

    def initialize(self, smp_server_transport_buffer_size):
        """What the device says of its buffers."""
        self.size = smp_server_transport_buffer_size

    @property
    def max_unencoded_size(self):
        return min(self.size, super().max_unencoded_size)


def transport_of(address):
    """How a device is reached: a serial port, `ble:` and a name or address, or host[:port] for UDP."""
    if address.startswith("ble:"):
        try:
            # needs bleak: imported only where Bluetooth is used
            from smpclient.transport.ble import SMPBLETransport
        except ImportError:
            raise DeviceError(None, "Bluetooth needs bleak: pip install 'smpclient[ble]'") from None
        return SMPBLETransport(), address.removeprefix("ble:")
    if address.startswith("/"):
        check_serial(address)
    if address.startswith(("/", "COM")):
        return SMPSerialTransport(), address
    return UDPTransport(), address


class Device:
    """One device; use it with `async with`."""

    def __init__(self, address, timeout=6.0, own=None, key=None):
        """key: the secret key that requests are signed with, as management_key() reads it."""
        transport, address = transport_of(str(address))
        self.client = SMPClient(transport, address, timeout_s=timeout)
        self.timeout = timeout
        self.own = own or claim()
        self.key = key

    async def __aenter__(self):
        await self.client.connect()
        return self

    async def __aexit__(self, *_):
        await self.client.disconnect()

    async def ask(self, what):
        """Sends a request; raises DeviceError if the device refuses."""
        answer = await self.client.request(what, timeout_s=self.timeout)
        if success(answer):
            return answer
        error = getattr(answer, "err", None)
        if error is not None:
            code = Code(error.rc)
            raise DeviceError(code, WORDS[code])
        number = int(answer.rc)
        raise DeviceError(None, SMP_WORDS.get(number, f"the device answered with error {number}"), number)

    async def change(self, what):
        """As ask(), for a request that changes something: signed if there is a key.

        A request whose number was used up is signed once more: its answer may have been lost, or another client's
        request came between.
        """
        if self.key is None:
            return await self.ask(what)
        try:
            return await self.ask(signed(what, self.key, await self.ask(Challenge())))
        except DeviceError as error:
            if error.code != Code.REPLAYED:
                raise
        return await self.ask(signed(what, self.key, await self.ask(Challenge())))

    async def apps(self):
        """All installed apps."""
        found, slot = [], 0
        while slot < 256:
            app = await self.ask(List(slot=slot))
            if app.name is None:
                break
            found.append(app)
            slot = app.next
        return found

    async def info(self, name):
        """One app."""
        return await self.ask(Info(name=name))

    async def simple(self, verb, name):
        """start, stop, confirm, rollback or uninstall."""
        await self.change(SIMPLE[verb](name=name))

    async def restart(self, name):
        """Stops an app if it runs, and starts it."""
        try:
            await self.simple("stop", name)
        except DeviceError as error:
            if error.code != Code.ALREADY:
                raise
        await self.simple("start", name)

    async def args(self, name):
        """Arguments and environment of an app's next run."""
        return await self.ask(Args(name=name))

    async def set_args(self, name, args=None, env=None):
        """Sets arguments and environment of an app; what is None stays."""
        await self.change(SetArgs(name=name, args=args, env=env))

    async def reset_args(self, name):
        """Goes back to the arguments and the environment of the app's devicetree node."""
        await self.change(SetArgs(name=name, reset=True))

    async def stat(self):
        """The app storage's figures."""
        return await self.ask(Stat())

    async def usage(self, name):
        """What an app used."""
        return await self.ask(Usage(name=name))

    async def times(self, name):
        """How long an app has run, in microseconds, and how much of it computing; None if the firmware does not measure it."""
        try:
            return await self.ask(Times(name=name))
        except DeviceError as error:
            if error.smp != NOT_SUPPORTED:
                raise
            return None

    async def failures(self):
        """Recent runs that failed, the last one first, and how many there were since boot."""
        found, index = [], 0
        while True:
            answer = await self.ask(Failures(index=index))
            if answer.name is None:
                return found, answer.total
            found.append(answer)
            index = answer.next

    async def outcome(self, name, image, confirm=False, patience=120.0, pause=0.5):
        """Waits until an update that was just installed is kept, or confirms it once it runs.

        Raises DeviceError if the update is rolled back or disabled, or if nothing is decided in time.
        """
        mine = hashlib.sha256(image).digest()[:8]
        end, quiet, starts = asyncio.get_running_loop().time() + patience, 0, None
        while asyncio.get_running_loop().time() < end:
            app = await self.info(name)
            if app.candidate is None:
                kept = app.running is not None and app.running.get("sha", mine) == mine
                if kept and not app.disabled:
                    return
                what = "disabled" if app.disabled else "rolled back"
                raise DeviceError(None, f"{name}: the update was {what}{await self.reason(name)}")
            if app.disabled:
                raise DeviceError(None, f"{name}: the update was disabled{await self.reason(name)}")
            # it runs for three looks in a row since its last start
            quiet = quiet + 1 if app.state == "running" and app.starts == starts else 0
            starts = app.starts
            if confirm and quiet >= 3:
                await self.simple("confirm", name)
                return
            await asyncio.sleep(pause)
        raise DeviceError(None, f"{name}: the update is still on trial after {patience:.0f} s; west wisp info shows more")

    async def reason(self, name):
        """How the app's last run failed, if one did."""
        failures, _ = await self.failures()
        return next((f": {failure.what}" for failure in failures if failure.name == name), "")

    async def debug(self, name, order):
        """Asks the debugger of an app on the device; its answer."""
        return (await self.change(Debug(name=name, do=order))).out

    async def profile(self, name, ms):
        """Samples where an app stands for a time in milliseconds; the samples."""
        try:
            await self.change(Profile(name=name, ms=ms))
        except DeviceError as error:
            words = {BAD_STATE: "the app does not run; start it with west wisp start",
                     NOT_SUPPORTED: "the firmware makes no profiles; build it with CONFIG_WISP_PROFILE=y"}
            if error.smp not in words:
                raise
            raise DeviceError(None, f"{name}: {words[error.smp]}") from None
        await asyncio.sleep(ms / 1000)
        for _ in range(20):
            with contextlib.suppress(KeptRunning):
                return await self.kept(name, KEPT_PROFILE)
            # clocks differ
            await asyncio.sleep(0.1 + ms / 10000)
        raise DeviceError(None, f"{name}: the device still samples; its clock is slow, or another profile began")

    async def kept(self, name, what, progress=lambda done, total: None):
        """Reads what the device keeps of an app; no bytes if there is nothing."""
        data, generation = b"", None
        while True:
            answer = await self.change(Kept(name=name, what=what, off=len(data)))
            if answer.gen == KEPT_RUNNING:
                raise KeptRunning(None, f"{name}: the app runs, and its recording can be fetched when it has ended; stop it with "
                                        "west wisp stop")
            if generation not in (None, answer.gen):
                # it was replaced meanwhile
                data, generation = b"", None
                continue
            generation = answer.gen
            data += answer.data
            progress(len(data), answer.len)
            if len(data) >= answer.len:
                return data
            if not answer.data:
                raise DeviceError(None, f"{name}: the device sends no more than {len(data)} of {answer.len} bytes; try again")

    async def abort(self):
        """Gives the upload up."""
        await self.change(Abort(own=self.own))

    async def format(self):
        """Gives up all apps, and whatever the partition holds."""
        await self.change(Format())

    async def install(self, path, progress=lambda done, total: None, stop_at=None, announce=None):
        """Sends an image; the same one goes on where it was.

        For tests: stop_at, bytes to send; announce, what to say instead of the truth.
        """
        image = Path(path).read_bytes()
        answer = await self.change(Upload(off=0, data=b"", len=len(image),
                                          sha=hashlib.sha256(image).digest(), own=self.own,
                                          **{**manifest(image), **(announce or {})}))
        # header of SMP, map, keys, offset and token
        piece = max(self.client._transport.max_unencoded_size - 53, 32)
        first, token = answer.off, answer.tok
        while not answer.done:
            progress(answer.off, len(image))
            if stop_at is not None and answer.off >= stop_at:
                break
            end = min(answer.off + piece, len(image) if stop_at is None else stop_at)
            answer = await self.ask(Upload(off=answer.off, data=image[answer.off:end],
                                           tok=token))
        else:
            progress(len(image), len(image))
        return first
