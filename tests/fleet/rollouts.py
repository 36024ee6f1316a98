# SPDX-License-Identifier: Apache-2.0
"""A rollout server for the acceptance of a fleet: hawkBit's protocol for devices (DDI) as it is published, without TLS.

Groups and the error threshold are the caller's, who plays them on the feedback that is kept here.
"""

import hashlib
import json
import re
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = re.compile(r"/DEFAULT/controller/v1/([^/?]+)/?([^?]*)")


class Rollouts:
    """Actions of devices and what devices told of them. Both outlive a restart of the server."""

    def __init__(self):
        self.lock = threading.Lock()
        self.actions, self.outcomes, self.attributes, self.files = {}, {}, {}, {}
        self.next, self.port, self.server = 1, 0, None

    def start(self):
        """Listens, after the first time at the same port."""
        self.server = Listener(("127.0.0.1", self.port), type("Bound", (Handler,), {"rollouts": self}))
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        """Closes the port."""
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def assign(self, device, images):
        """Gives a device an action with these apps: pairs of a name and the bytes of an image. Its id."""
        with self.lock:
            number, self.next = str(self.next), self.next + 1
            self.actions[device] = (number, images)
            for _, image in images:
                self.files[hashlib.sha256(image).hexdigest()] = image
            return number

    def outcome(self, number):
        """Waits for the end of an action: (whether it was a success, what the device told)."""
        while number not in self.outcomes:
            time.sleep(0.05)
        return self.outcomes[number]

    def answer(self, device, path):
        """The document of a device, or None."""
        base = f"{self.url}/DEFAULT/controller/v1/{device}"
        number, images = self.actions.get(device, (None, []))
        if not path:
            links = {} if number is None else {"deploymentBase": {"href": f"{base}/deploymentBase/{number}?c=1"}}
            return {"config": {"polling": {"sleep": "00:05:00"}}, "_links": links}
        if path != f"deploymentBase/{number}":
            return None
        chunks = []
        for name, image in images:
            sha = hashlib.sha256(image).hexdigest()
            chunks.append({"part": "bApp", "name": name, "version": "any", "artifacts": [
                {"filename": f"{name}.wisp", "size": len(image), "hashes": {"sha256": sha},
                 "_links": {"download-http": {"href": f"{base}/files/{sha}"}}}]})
        return {"id": number, "deployment": {"download": "forced", "update": "forced", "chunks": chunks}}

    def take(self, device, path, body):
        """Takes what a device tells; whether it concerns something that is known."""
        if path == "configData":
            self.attributes[device] = body["data"]
            return True
        number, _ = self.actions.get(device, (None, None))
        if path != f"deploymentBase/{number}/feedback":
            return False
        if body["status"]["execution"] == "closed":
            del self.actions[device]
            self.outcomes[number] = (body["status"]["result"]["finished"] == "success", body["status"]["details"])
        return True


class Listener(ThreadingHTTPServer):
    """A server whose clients may be killed, or refuse its certificate."""

    # as many devices as there are may ask at once
    request_queue_size = 256

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def device(self):
        """Device and path of the request if it has the device's token."""
        found = ROOT.match(self.path)
        if found and self.headers["Authorization"] == f"TargetToken token-{found[1]}":
            return found.groups()
        return None, None

    def do_GET(self):
        device, path = self.device()
        if device is None:
            return self.reply(401)
        if path.startswith("files/"):
            file = self.rollouts.files.get(path.removeprefix("files/"))
            return self.reply(404) if file is None else self.reply(200, file)
        with self.rollouts.lock:
            answer = self.rollouts.answer(device, path)
        return self.reply(404) if answer is None else self.reply(200, json.dumps(answer).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        device, path = self.device()
        if device is None:
            return self.reply(401)
        with self.rollouts.lock:
            known = self.rollouts.take(device, path, body)
        return self.reply(200 if known else 410)

    do_PUT = do_POST
