"""A threading Python http.server for the tests. Prints "listening PORT"; UPSTREAM=http://host:port is what /front/* calls.

HEADERS=1: every request's headers on stdout, as they came. PROTOCOL=HTTP/1.0 answers without keep-alive, as http.server does by default.
"""
import http.client
import json
import os
import signal
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UPSTREAM = urllib.parse.urlparse(os.environ.get("UPSTREAM", ""))
local = threading.local()


def call(path, host=None, fresh=False):
    """One GET on this thread's kept connection, or on a new one."""
    connection = None if fresh else getattr(local, "connection", None)
    if connection is None:
        connection = http.client.HTTPConnection(host or UPSTREAM.hostname, UPSTREAM.port)
        if not fresh:
            local.connection = connection
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if fresh:
        connection.close()
    return response.status, body


def scenario(name, key):
    if name == "immediate":
        call("/back/" + key)
    elif name == "await":
        call("/first/" + key)
        call("/back/" + key)
    elif name == "timer":
        time.sleep(0.02)
        call("/back/" + key)
    elif name == "file":
        with open(__file__, "rb") as file:
            file.read()
        call("/back/" + key)
    elif name == "dns":
        call("/back/" + key, host="localhost", fresh=True)
    elif name == "queued":
        with queue:
            call("/back/" + key)
    elif name == "new_connection":
        call("/back/" + key, fresh=True)
    elif name == "pass":
        status, _ = call("/" + key)
        return status
    return 200


queue = threading.Semaphore(2)


class Handler(BaseHTTPRequestHandler):
    protocol_version = os.environ.get("PROTOCOL", "HTTP/1.1")

    def log_message(self, *args):
        pass

    def answer(self, status, body=b""):
        self.send_response(status)
        if self.protocol_version == "HTTP/1.1" and status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        if os.environ.get("HEADERS"):
            print("headers", self.path, json.dumps(self.headers.items()), flush=True)
        parts = urllib.parse.urlparse(self.path).path.split("/")
        length = int(self.headers.get("Content-Length") or 0)
        received = self.rfile.read(length) if length else b""
        if parts[1] == "front":
            self.answer(scenario(parts[2], "/".join(parts[3:])), b"front")
        elif parts[1] == "status":
            self.answer(int(parts[2]), b"" if parts[2] in ("204", "304") else b"status")
        elif parts[1] == "slow":
            time.sleep(int(parts[2]) / 1000)
            self.answer(200, b"slow")
        elif parts[1] == "size":
            self.answer(200, b"x" * int(parts[2]))
        elif parts[1] == "post":
            self.answer(200, str(len(received)).encode())
        else:
            self.answer(200, b"hello from python")

    do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do_GET


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
server = Server((os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "0"))), Handler)
print("listening", server.server_address[1], flush=True)
server.serve_forever()
