#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The clients of bench/idle.sh: URL, pid of the server, most bytes per connection."""
import socket
import sys
import time
from urllib.parse import urlsplit

WARM, LOW, HIGH, BATCH = 1000, 5000, 15000, 100
BODY = b"x" * (20 * 1024)
REQUESTS = [
    b"GET /plaintext HTTP/1.1\r\nHost: bench\r\n\r\n",
    b"GET /sleep?ms=1 HTTP/1.1\r\nHost: bench\r\n\r\n",
    b"POST /upload HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
]


def answer(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece:
            raise SystemExit("the server closed a connection: " + repr(data))
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit("not 200: " + repr(head))
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(4096)
    return body


def open_until(connections, count, address):
    while len(connections) < count:
        batch = []
        for _ in range(min(BATCH, count - len(connections))):
            connection = socket.create_connection(address, timeout=30)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            batch.append(connection)
        for request in REQUESTS:
            for connection in batch:
                connection.sendall(request)
            for connection in batch:
                body = answer(connection)
        if body != b"%d" % len(BODY):
            raise SystemExit("the upload was counted wrong: " + repr(body))
        connections.extend(batch)


def private_dirty(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
    raise SystemExit("no Private_Dirty in smaps_rollup")


def settled(pid):
    """The least of a second: what a turn needs for a moment is not a connection's."""
    least = private_dirty(pid)
    for _ in range(10):
        time.sleep(0.1)
        least = min(least, private_dirty(pid))
    return least


def main():
    url, pid, most = urlsplit(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    address = (url.hostname, url.port)
    warm = []
    open_until(warm, WARM, address)
    for connection in warm:
        connection.close()
    connections = []
    open_until(connections, LOW, address)
    low = settled(pid)
    open_until(connections, HIGH, address)
    high = settled(pid)
    # They are alive: one more request on some of them.
    for connection in connections[:: HIGH // 100]:
        connection.sendall(REQUESTS[0])
        if answer(connection) != b"Hello, World!":
            raise SystemExit("an idle connection answers wrong")
    slope = (high - low) / (HIGH - LOW)
    print(f"Private_Dirty at {LOW} connections: {low} bytes, at {HIGH}: {high} bytes")
    print(f"{slope:.1f} bytes per idle connection (at most {most:.0f})")
    sys.exit(0 if slope <= most else 1)


main()
