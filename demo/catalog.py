"""A shop's catalog: answers JSON and asks the stock for every product. One thread a connection."""

import http.client
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

stock = os.environ.get("STOCK")
local = threading.local()


def in_stock(product):
    if stock is None:
        return 1
    for attempt in (1, 2):
        connection = getattr(local, "connection", None)
        if connection is None:
            connection = local.connection = http.client.HTTPConnection(stock, timeout=5)
        try:
            connection.request("GET", f"/stock/{product}")
            return int(connection.getresponse().read())
        except (http.client.HTTPException, OSError):
            connection.close()
            local.connection = None
            if attempt == 2:
                raise


class Catalog(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one packet

    def do_GET(self):
        word = self.path.rpartition("/")[2]
        if self.path == "/products":
            time.sleep(0.003)
            self.answer(200, [{"id": n, "name": f"thing {n}"} for n in range(1, 21)])
        elif self.path.startswith("/products/") and word.isdigit() and int(word) <= 50:
            self.answer(200, {"id": int(word), "name": f"thing {word}", "stock": in_stock(int(word))})
        else:
            self.answer(404, {"error": "no such product"})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Catalog).serve_forever()
