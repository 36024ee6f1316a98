# SPDX-License-Identifier: Apache-2.0
"""Servers for the tests of publish and pull: Debian's registry, and one in front of it that changes its answers."""

import base64
import http.client
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONFIGURATION = """version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
# Headers that concern one connection.
HOP = {"connection", "transfer-encoding", "content-length", "host"}


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Registry:
    """A registry with a folder of its own."""

    def __init__(self, program, folder):
        self.port = free_port()
        self.host, self.log = f"localhost:{self.port}", folder / "registry.log"
        configuration = folder / "registry.yml"
        configuration.write_text(CONFIGURATION.format(folder=folder / "data", port=self.port), encoding="utf-8")
        self.command, self.process = [program, "serve", configuration], None
        self.start()

    def start(self):
        """Starts it, also after stop(), with the content that it had; returns when it answers."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        while self.process.poll() is None:
            try:
                self.ask("GET", "/v2/")
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("the registry ended: " + self.log.read_text(encoding="utf-8"))

    def ask(self, method, path, body=None, headers=None):
        """Sends a request: (status, headers with small letters, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Liar:
    """Passes requests on to a registry. `rule(method, path, status, headers, body)` may return another answer, of which
    the body may have another length than its header says."""

    def __init__(self, registry, rule=None, user=None):
        self.seen = []
        liar = self
        expected = user and "Basic " + base64.b64encode(user.encode()).decode()

        class Handler(BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length) if length else None
                liar.seen.append((self.command, self.path))
                if expected and self.headers.get("authorization") != expected:
                    said = b'{"errors":[{"code":"UNAUTHORIZED","message":"who is it?"}]}'
                    answer = (401, {"www-authenticate": 'Basic realm="test"', "content-type": "application/json"}, said)
                else:
                    passed = {name: value for name, value in self.headers.items()
                              if name.lower() not in HOP | {"authorization"}}
                    # the registry makes its addresses from this name
                    answer = registry.ask(self.command, self.path, body, {**passed, "Host": liar.host})
                    answer = (rule and rule(self.command, self.path, *answer)) or answer
                status, headers, body = answer
                self.send_response_only(status)
                for name, value in headers.items():
                    if name not in HOP:
                        self.send_header(name, value)
                size = len(body) if self.command != "HEAD" else headers.get("content-length", 0)
                self.send_header("Content-Length", headers.get("x-length", size))
                self.send_header("Connection", "close")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)
                self.close_connection = True

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"localhost:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
