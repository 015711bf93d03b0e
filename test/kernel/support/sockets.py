"""Moves bytes over connected sockets exactly as told: one JSON program a line on stdin, one JSON answer a line.

A program is a list of steps. Sockets have names; `pair` makes two connected ones, client end first. Every step that
moves bytes says which system call does it, so that a test can cut a message wherever it likes.
"""
import array
import base64
import ctypes
import json
import os
import socket
import sys
import tempfile
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
sockets = {}


class Iovec(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('length', ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [
        ('name', ctypes.c_void_p), ('namelen', ctypes.c_uint32), ('iov', ctypes.POINTER(Iovec)),
        ('iovlen', ctypes.c_size_t), ('control', ctypes.c_void_p), ('controllen', ctypes.c_size_t), ('flags', ctypes.c_int),
    ]


class Mmsghdr(ctypes.Structure):
    _fields_ = [('header', Msghdr), ('length', ctypes.c_uint)]


def messages(parts):
    made = (Mmsghdr * len(parts))()
    for one, buffer in zip(made, parts):
        iov = Iovec(ctypes.addressof(buffer), ctypes.sizeof(buffer))
        one.header.iov = ctypes.pointer(iov)
        one.header.iovlen = 1
    return made


def listen(family, folder):
    if family == 'unix':
        server = socket.socket(socket.AF_UNIX)
        path = f'{folder}/socket'
        server.bind(path)
        server.listen()
        return server, path
    server = socket.socket(socket.AF_INET if family == 'ipv4' else socket.AF_INET6)
    if family == 'mapped':
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind(('::', 0))
    else:
        server.bind(('127.0.0.1' if family == 'ipv4' else '::1', 0))
    server.listen()
    return server, ('127.0.0.1' if family in ('ipv4', 'mapped') else '::1', server.getsockname()[1])


def connected(family):
    # The folder is gone before any step that a test may end us in.
    with tempfile.TemporaryDirectory() as folder:
        server, address = listen(family, folder)
        kind = {'unix': socket.AF_UNIX, 'ipv6': socket.AF_INET6}.get(family, socket.AF_INET)
        client = socket.socket(kind)
        client.connect(address)
        accepted, _ = server.accept()
        server.close()
    return client, accepted


def pair(step):
    family = step.get('family', 'ipv4')
    client, accepted = connected(family)
    for one in (client, accepted):
        if family != 'unix':
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.settimeout(None)
    if step.get('nonblocking'):
        accepted.setblocking(False)
    sockets[step['client']], sockets[step['server']] = client, accepted
    if family == 'unix':
        return {}
    return {'client': client.getsockname()[1], 'server': accepted.getsockname()[1]}


def cut(data, sizes):
    parts, at = [], 0
    for size in sizes:
        parts.append(data[at:at + size])
        at += size
    parts.append(data[at:])
    return [part for part in parts if part]


def send(step):
    one = sockets[step['on']]
    data = base64.b64decode(step['bytes'])
    call = step.get('call', 'send')
    parts = cut(data, step.get('cut', []))
    if call == 'send':
        for part in parts:
            one.sendall(part)
    elif call == 'write':
        for part in parts:
            os.write(one.fileno(), part)
    elif call == 'writev':
        assert os.writev(one.fileno(), parts) == len(data)
    elif call == 'sendmsg':
        assert one.sendmsg(parts) == len(data)
    elif call == 'sendmmsg':
        buffers = [ctypes.create_string_buffer(part, len(part)) for part in parts]  # must outlive the call
        made = messages(buffers)
        assert libc.sendmmsg(one.fileno(), made, len(parts), 0) == len(parts)
    elif call == 'sendfile':
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            assert os.sendfile(one.fileno(), file.fileno(), 0, len(data)) == len(data)
    else:
        raise ValueError(call)
    return {}


def receive(step):
    """Reads `count` bytes; in pieces of the sizes in `cut`, the rest in one piece if it has all come."""
    one = sockets[step['on']]
    call = step.get('call', 'recv')
    sizes = list(step.get('cut', []))
    sizes.append(step['count'] - sum(sizes))
    if call == 'recvmmsg':
        buffers = [ctypes.create_string_buffer(size) for size in sizes if size]
        made = messages(buffers)
        assert libc.recvmmsg(one.fileno(), made, len(buffers), 0, None) == len(buffers)
        return {}
    if call == 'readv':
        buffers = [bytearray(size) for size in sizes if size]
        got = os.readv(one.fileno(), buffers)
        assert got == step['count'], got
        return {}
    if call == 'recvmsg':
        buffers = [bytearray(size) for size in sizes if size]
        got = one.recvmsg_into(buffers)[0]
        assert got == step['count'], got
        return {}
    for size in sizes:
        while size > 0:
            if call == 'peek':
                one.recv(size, socket.MSG_PEEK)
            data = os.read(one.fileno(), size) if call == 'read' else one.recv(size)
            if not data:
                raise EOFError
            size -= len(data)
    return {}


def end(step):
    data = sockets[step['on']].recv(1 << 16)
    return {'bytes': len(data)}


def nothing(step):
    """A receive that asks for no bytes."""
    return {'bytes': libc.recv(sockets[step['on']].fileno(), ctypes.create_string_buffer(1), 0, 0)}


def reset(step):
    one = sockets.pop(step['on'])
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, array.array('i', [1, 0]).tobytes())
    one.close()
    return {}


def failing(step):
    try:
        sockets[step['on']].recv(1 << 16)
    except OSError as error:
        return {'errno': error.errno}
    return {}


def shutdown(step):
    sockets[step['on']].shutdown(socket.SHUT_WR)
    return {}


def close(step):
    sockets.pop(step['on']).close()
    return {}


def in_thread(step):
    answers = []
    thread = threading.Thread(target=lambda: answers.extend(run(step['steps'])))
    thread.start()
    thread.join()
    return {'answers': answers}


def sleep(step):
    time.sleep(step['ms'] / 1000)
    return {}


STEPS = {
    'pair': pair, 'send': send, 'receive': receive, 'end': end, 'nothing': nothing, 'reset': reset, 'failing': failing,
    'shutdown': shutdown, 'close': close, 'thread': in_thread, 'sleep': sleep,
}


def run(steps):
    return [STEPS[step['do']](step) for step in steps]


for line in sys.stdin:
    try:
        answer = {'answers': run(json.loads(line))}
    except Exception as error:  # the test prints it
        answer = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer), flush=True)
