"""A client whose first request is still being sent, by a thread of its own, while its response is read. Says "ready", waits for a
line, does it, says "done". With the argument `before` the connection is made before "ready"."""

import socket
import sys
import threading

BODY = b"x" * (32 << 20)


def connect(listener):
    client = socket.create_connection(listener.getsockname())
    return client, listener.accept()[0]


def read_head(sock):
    head = b""
    while b"\r\n\r\n" not in head:
        head += sock.recv(100)
    return head.split(b"\r\n\r\n", 1)[1]


listener = socket.create_server(("127.0.0.1", 0))
pair = connect(listener) if sys.argv[1] == "before" else None
print("ready", flush=True)
sys.stdin.readline()
client, server = pair or connect(listener)
head = b"POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(BODY)
sender = threading.Thread(target=client.sendall, args=(head + BODY,))
sender.start()
seen = len(read_head(server))
server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
answer = b""
while len(answer) < 40:
    answer += client.recv(100)
while seen < len(BODY):
    seen += len(server.recv(1 << 20))
sender.join()
for path, status in ((b"/second", 201), (b"/third", 202)):
    client.sendall(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path)
    read_head(server)
    server.sendall(b"HTTP/1.1 %d OK\r\nContent-Length: 0\r\n\r\n" % status)
    read_head(client)
client.close()
server.close()
print("done", flush=True)
sys.stdin.readline()
