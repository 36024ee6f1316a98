# SPDX-License-Identifier: Apache-2.0
"""A small server of LwM2M, made with aiocoap: one device registers, and the test reads, writes and executes its resources."""

import asyncio
import threading
import time

from aiocoap import Context, Message, resource
from aiocoap.numbers.codes import CHANGED, CONTENT, CREATED, DELETED, Code

# Seconds, far more than anything takes.
LONGEST = 120
PORT = 15693
TEXT, OCTETS, TLV = 0, 42, 11542


class Registrations(resource.Resource):
    """Where devices register."""

    def __init__(self, server):
        super().__init__()
        self.server = server

    async def render_post(self, request):
        """Takes a registration."""
        self.server.remote, self.server.query = request.remote, request.opt.uri_query
        self.server.links = request.payload.decode().split(",")
        self.server.registrations += 1
        return Message(code=CREATED, location_path=["rd", "1"])


class Registration(resource.Resource):
    """The registration of the device, which it renews."""

    def __init__(self, server):
        super().__init__()
        self.server = server

    async def render_post(self, request):
        """Takes an update, which lists the objects if they changed."""
        self.server.remote = request.remote
        if request.payload:
            self.server.links = request.payload.decode().split(",")
        return Message(code=CHANGED)

    async def render_delete(self, _request):
        """Ends the registration."""
        return Message(code=DELETED)


class File(resource.Resource):
    """Bytes that the device can fetch."""

    content = b""

    async def render_get(self, _request):
        """Returns the bytes, which aiocoap divides into blocks."""
        return Message(code=CONTENT, payload=self.content)


class Server:
    """The server, in a thread of its own."""

    def __init__(self):
        self.remote, self.query, self.links, self.registrations = None, None, [], 0
        self.context, self.file, self.repeats = None, File(), False
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.wait_for(self.serve())

    async def serve(self):
        """Listens."""
        site = resource.Site()
        site.add_resource(["rd"], Registrations(self))
        site.add_resource(["rd", "1"], Registration(self))
        site.add_resource(["images", "app"], self.file)
        self.context = await Context.create_server_context(site, bind=("127.0.0.1", PORT))

    def wait_for(self, coroutine):
        """Runs a coroutine in the server's thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(LONGEST)

    def until(self, condition, what):
        """Waits until a condition holds; its value."""
        end = time.monotonic() + LONGEST
        while not (value := condition()):
            assert time.monotonic() < end, f"no {what}"
            time.sleep(0.1)
        return value

    def repeat(self):
        """Sends every request twice from now on, as if the first answer had been lost."""
        interface = self.remote.interface
        send = interface.send

        def send_twice(message):
            send(message)
            if self.repeats and message.code.is_request():
                send(message)
        if not self.repeats:
            interface.send = send_twice
        self.repeats = True

    def message(self, code, path, payload=b"", form=None):
        """A request to the device."""
        message = Message(code=code, uri_path=path.split("/"), payload=payload)
        message.remote = self.remote
        message.opt.content_format = form
        return message

    def ask(self, code, path, payload=b"", form=None, accept=None):
        """Sends a request, in blocks if it is long; the response."""
        async def send():
            message = self.message(code, path, payload, form)
            message.opt.accept = accept
            return await self.context.request(message).response
        return self.wait_for(send())

    def read(self, path):
        """The value of a resource as text."""
        response = self.ask(Code.GET, path, accept=TEXT)
        assert response.code == CONTENT, (path, response.code)
        return response.payload.decode()

    def write(self, path, payload, form=OCTETS):
        """Writes a resource in blocks of 1,024 bytes, with the length; the code of the response."""
        return self.ask(Code.PUT, path, payload, form).code

    def execute(self, path, argument=b""):
        """Executes a resource; the code of the response."""
        return self.ask(Code.POST, path, argument, TEXT if argument else None).code

    def write_blocks(self, path, payload, size, first=0, count=None, length=None):
        """Writes some blocks of a resource, without the length unless it is given; the code of the last response."""
        async def send():
            exponent, code = size.bit_length() - 5, None
            blocks = -(-len(payload) // size)
            for block in range(first, blocks if count is None else first + count):
                part = payload[block * size:(block + 1) * size]
                message = self.message(Code.PUT, path, part, OCTETS)
                message.opt.block1 = (block, block + 1 < blocks, exponent)
                if block == 0:
                    message.opt.size1 = length
                code = (await self.context.request(message, handle_blockwise=False).response).code
                if not code.is_successful():
                    break
            return code
        return self.wait_for(send())

    def observe(self, path):
        """Observes a resource; the list to which each value is added."""
        values = []

        async def watch():
            message = self.message(Code.GET, path)
            message.opt.observe, message.opt.accept = 0, TEXT
            request = self.context.request(message, handle_blockwise=False)
            values.append((await request.response).payload.decode())
            request.observation.register_callback(lambda response: values.append(response.payload.decode()))
            return request
        # kept, because the observation ends with the request
        self.observation = self.wait_for(watch())
        return values
