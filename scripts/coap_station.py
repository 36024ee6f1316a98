# SPDX-License-Identifier: Apache-2.0
"""Plays the server, the clients and the bad network of the app `station` of samples/connected, with aiocoap.

Needs aiocoap on the PYTHONPATH. The arguments are the ports of the server, of the relay in front of it, and of the app. The
relay loses datagrams, whose repetitions then have to do. The lines that begin with "ok" or "FAILED" are the outcomes.
"""

import asyncio
import functools
import random
import sys

from aiocoap import CHANGED, CONTENT, GET, NOT_FOUND, PUT, Context, Message, resource

MANUAL = random.Random(1).randbytes(3000)
LOG = bytes(ord("a") + number % 23 for number in range(1500))
NOTE = bytes(ord("0") + number % 10 for number in range(700))
# The exponent of blocks of 256 bytes, which the app has room for.
BLOCKS = 4
ACKNOWLEDGEMENT = 0x60


class Relay(asyncio.DatagramProtocol):
    """Passes datagrams between the app and the server, and loses some."""

    def __init__(self):
        self.app = None
        self.upstream = None
        self.transport = None
        self.copies = {}
        self.acknowledged = asyncio.Event()
        # how often to lose what: from the app, and from the server
        self.losses = {"observe": 2, "log": 1, "manual": 1, "notification": 1}

    def connection_made(self, transport):
        """Is called with the socket for the app."""
        self.transport = transport

    def kind(self, data, from_app):
        """Returns the name of what may be lost."""
        if from_app and data[1] == int(GET) and b"target" in data:
            return "observe"
        if from_app and data[1] == int(PUT) and b"log" in data:
            return "log"
        if not from_app and MANUAL[512:600] in data:
            return "manual"
        if not from_app and data.endswith(b"\xff21.5"):
            return "notification"
        return None

    def is_lost(self, data, from_app):
        """Notes a datagram. Returns true if it is lost."""
        kind = self.kind(data, from_app)
        if kind is None:
            return False
        self.copies.setdefault(kind, []).append(data)
        return len(self.copies[kind]) <= self.losses[kind]

    def datagram_received(self, data, addr):
        """Is called with a datagram of the app."""
        self.app = addr
        if data[0] == ACKNOWLEDGEMENT and data[1] == 0:
            self.acknowledged.set()
        if not self.is_lost(data, True):
            self.upstream.sendto(data)

    def answered(self, data):
        """Is called with a datagram of the server."""
        if not self.is_lost(data, False):
            self.transport.sendto(data, self.app)


class Upstream(asyncio.DatagramProtocol):
    """The relay's socket for the server."""

    def __init__(self, relay):
        self.relay = relay

    def datagram_received(self, data, _addr):
        """Is called with a datagram of the server."""
        self.relay.answered(data)

    def error_received(self, _error):
        """The server is not there yet."""


class Fixed(resource.Resource):
    """A body that does not change."""

    async def render_get(self, _request):
        """Returns the body."""
        return Message(payload=MANUAL)


class Written(resource.Resource):
    """Keeps what was written."""

    def __init__(self):
        super().__init__()
        self.body = b""

    async def render_put(self, request):
        """Takes a body."""
        self.body = request.payload
        return Message(code=CHANGED)


class Target(resource.ObservableResource):
    """A target that is observed."""

    def __init__(self):
        super().__init__()
        self.value = b"20.0"
        self.observed = asyncio.Event()

    def update_observation_count(self, newcount):
        """Is called when there are other observers."""
        if newcount:
            self.observed.set()

    def change(self, value):
        """Sets the target and notifies."""
        self.value = value
        self.updated_state()

    async def render_get(self, _request):
        """Returns the target."""
        return Message(payload=self.value)


def report(what, right, details=""):
    """Prints an outcome."""
    print("ok" if right else "FAILED", what, "" if right else details, flush=True)


async def ask(context, port, code, path, payload=b""):
    """Asks the app."""
    message = Message(code=code, uri=f"coap://127.0.0.1:{port}/{path}", payload=payload)
    await context.find_remote_and_interface(message)
    message.remote.maximum_block_size_exp = BLOCKS
    return await context.request(message).response


async def play(server_port, relay_port, app_port):
    """Runs server and relay, asks the app, and ends it."""
    log, target = Written(), Target()
    site = resource.Site()
    for name, found in (("manual", Fixed()), ("log", log), ("target", target)):
        site.add_resource([name], found)
    await Context.create_server_context(site, bind=("127.0.0.1", server_port))
    loop = asyncio.get_running_loop()
    relay = Relay()
    await loop.create_datagram_endpoint(lambda: relay, local_addr=("127.0.0.1", relay_port))
    relay.upstream, _ = await loop.create_datagram_endpoint(
        lambda: Upstream(relay), remote_addr=("127.0.0.1", server_port))
    # as the app adds the bytes up
    total = functools.reduce(lambda total, byte: (total * 31 + byte) % 2**32, MANUAL, 0)
    print(f"ready, a manual of {len(MANUAL)} bytes, sum {total}", flush=True)
    await target.observed.wait()
    report("put in blocks", log.body == LOG, f"{len(log.body)} bytes")
    relay.acknowledged.clear()
    target.change(b"21.5")
    await relay.acknowledged.wait()
    client = await Context.create_client_context()
    answer = await ask(client, app_port, GET, "log")
    report("read from the app in blocks", answer.code == CONTENT and answer.payload == LOG, answer)
    answer = await ask(client, app_port, PUT, "note", NOTE)
    report("written to the app in blocks", answer.code == CHANGED, answer)
    answer = await ask(client, app_port, GET, "note")
    report("read back from the app", answer.code == CONTENT and answer.payload == NOTE, answer)
    answer = await ask(client, app_port, GET, "nothing")
    report("no such resource of the app", answer.code == NOT_FOUND, answer)
    for kind, losses in relay.losses.items():
        copies = relay.copies.get(kind, [])
        # each lost one was sent again as it was
        right = len(copies) > losses and len(set(copies[:losses + 1])) == 1
        report(f"{kind}: {losses} lost", right, f"{len(copies)} copies")
    relay.acknowledged.clear()
    target.change(b"end")
    await relay.acknowledged.wait()


if __name__ == "__main__":
    asyncio.run(play(*map(int, sys.argv[1:])))
