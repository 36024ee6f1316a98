# SPDX-License-Identifier: Apache-2.0
"""A rollout server with one device, for the tests of the device's own client (ddi.py)."""

import hashlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler

from rollouts import Listener

NAME, TOKEN = "lamp-1", "bH7XXAprK1ChnLfKSdtlsp7NOlPnZAYY"
ROOT = f"/DEFAULT/controller/v1/{NAME}"
# Of seconds, far more than anything takes.
LONGEST = 120


class Server:
    """A rollout server with one device: hawkBit's DDI as it is published. It lies if `rule` says so."""

    def __init__(self):
        self.lock = threading.Lock()
        self.actions, self.files, self.told, self.asked, self.polls = [], {}, [], [], 0
        self.attributes, self.cancel, self.next, self.port = None, None, 1, 0
        # Bytes of files that are given before the connection ends, and what is answered then.
        self.cut = None
        # Bytes that one answer has of a file at most.
        self.piece = None
        # Whether documents have escapes that JSON permits and modules of another order each time, a range comes in two pieces,
        # and answers to feedback never end.
        self.odd = self.split = self.endless = False
        self.rule = None
        self.server = None
        # For TLS.
        self.context = None

    def start(self):
        handler = type("Bound", (Handler,), {"owner": self})
        self.server = Listener(("127.0.0.1", self.port), handler)
        self.port = self.server.server_address[1]
        if self.context is not None:
            # the handshake is part of the first read, in the thread of the request
            self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True,
                                                          do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"https://localhost:{self.port}" if self.context else f"http://127.0.0.1:{self.port}"

    def assign(self, images, change=None):
        """Gives the device an action with these apps, pairs of a name and the bytes of an image; its id.

        change: a function that may change the document.
        """
        with self.lock:
            number, self.next = str(self.next), self.next + 1
            document = {"id": number, "deployment": {"download": "forced", "update": "forced", "chunks": self.chunks(images)}}
            self.actions.append((number, change(document) if change else document))
            return number

    def chunks(self, images):
        """Software modules as an action has them."""
        chunks = []
        for name, image in images:
            sha = hashlib.sha256(image).hexdigest()
            self.files[sha] = image
            chunks.append({"part": "bApp", "name": name, "version": "any", "artifacts": [
                {"filename": "notes.txt", "size": 3, "hashes": {"sha1": "0" * 40, "md5": "0" * 32}, "_links": {}},
                {"filename": f"{name}.wisp", "size": len(image), "hashes": {"sha1": "0" * 40, "sha256": sha},
                 "_links": {"download-http": {"href": f"{self.url}{ROOT}/files/{sha}"},
                            "md5sum-http": {"href": f"{self.url}{ROOT}/files/{sha}.MD5SUM"}}}]})
        return chunks

    def document(self, path):
        """What is at a path, or None."""
        number, document = self.actions[-1] if self.actions else (None, None)
        if path == "":
            self.polls += 1
            links = {}
            if self.attributes is None:
                links["configData"] = {"href": f"{self.url}{ROOT}/configData"}
            if self.cancel is not None:
                links["cancelAction"] = {"href": f"{self.url}{ROOT}/cancelAction/{self.cancel}"}
            elif number is not None:
                links["deploymentBase"] = {"href": f"{self.url}{ROOT}/deploymentBase/{number}?c=-21"}
            return {"config": {"polling": {"sleep": "00:00:01"}}, "_links": links}
        if path == f"deploymentBase/{number}":
            if self.odd:
                document["deployment"]["chunks"].reverse()
            return document
        if self.cancel is not None and path == f"cancelAction/{self.cancel}":
            return {"id": self.cancel, "cancelAction": {"stopId": self.cancel}}
        return None

    def take(self, path, body):
        """Takes what the device tells; whether it concerns something that is known."""
        if path == "configData":
            self.attributes = body["data"]
            return True
        number = self.actions[-1][0] if self.actions else None
        if path not in (f"deploymentBase/{number}/feedback", f"cancelAction/{self.cancel}/feedback"):
            return False
        status = body["status"]
        self.told.append((path, status["execution"], status["result"]["finished"], status["details"]))
        if status["execution"] == "closed":
            self.actions.pop()
            self.cancel = None
        elif status["execution"] == "rejected":
            self.cancel = None
        return True

    def wait(self, condition, what):
        """Waits until a condition of the server holds."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            with self.lock:
                if found := condition():
                    return found
            time.sleep(0.02)
        raise AssertionError(f"not seen: {what}; told: {self.told[-5:]}")

    def outcome(self, number):
        """Waits for the end of an action: (success or failure, details)."""
        path = f"deploymentBase/{number}/feedback"
        found = self.wait(lambda: [told for told in self.told if told[0] == path and told[1] == "closed"], f"end of {number}")
        return found[0][2], found[0][3]

    def progress(self, number, text):
        """Waits until the device told of an action that it goes on."""
        path = f"deploymentBase/{number}/feedback"
        self.wait(lambda: [told for told in self.told if told[0] == path and text in told[3][0]], f"{text} of {number}")


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", **headers):
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def path_of_device(self):
        path = self.path.partition("?")[0]
        if not path.startswith(ROOT) or self.headers["Authorization"] != f"TargetToken {TOKEN}":
            return None
        return path.removeprefix(ROOT).strip("/")

    def lies(self, path):
        """Answers as the rule says; whether it did."""
        return bool(self.owner.rule and self.owner.rule(self, path))

    def file(self, file):
        """Sends a file, or as much of it as the test lets it have."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        self.owner.asked.append(start)
        cut = self.owner.cut
        if cut is not None and start >= cut:
            return self.reply(503, b"later")
        if start >= len(file):
            return self.reply(416)
        end = min(len(file), start + (self.owner.piece or len(file)))
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(end - start))
        if asked and self.owner.split:
            self.flush_headers()
            self.wfile.write(f"Content-Range: bytes {start}"[:-2].encode())
            # the device reads this much on its own
            time.sleep(0.3)
            self.wfile.write(f"{start}-{end - 1}/{len(file)}\r\n"[-2 + len(str(start)):].encode())
        elif asked:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(file)}")
        self.end_headers()
        self.wfile.write(file[start:end if cut is None else min(cut, end)])
        self.close_connection = True

    def for_ever(self, status, first=b"", piece=b" ", pause=0.1):
        """Sends an answer that has no end, until the device ends the connection."""
        self.send_response(status)
        if first is not None:
            self.end_headers()
            self.wfile.write(first)
        else:
            self.flush_headers()
        self.close_connection = True
        while True:
            self.wfile.write(piece)
            time.sleep(pause)

    def do_GET(self):
        path = self.path_of_device()
        if path is None:
            return self.reply(401)
        if self.lies(path):
            return None
        if path.startswith("files/"):
            file = self.owner.files.get(path.removeprefix("files/"))
            return self.reply(404) if file is None else self.file(file)
        with self.owner.lock:
            document = self.owner.document(path)
            text = json.dumps(document)
        if self.owner.odd:
            text = text.replace("/", "\\/").replace("?c", "\\u003fc")
        return self.reply(404) if document is None else self.reply(200, text.encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path_of_device()
        if path is None:
            return self.reply(401)
        if self.lies(path):
            return None
        with self.owner.lock:
            known = self.owner.take(path, body)
        if self.owner.endless:
            self.for_ever(200 if known else 410, b"{", b" " * 10000, 0)
        return self.reply(200 if known else 410)

    do_PUT = do_POST
