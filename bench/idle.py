#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev bench idle: user memory per idle connection, the slope between 5,000 and 15,000 connections of a warmed process.

Each has been served a GET, a Task that waits and an upload of 20 KiB before it idles. Measured is Private_Dirty of
/proc/PID/smaps_rollup, the pages that this process alone has written. Pss would add shares of the libraries' pages, which connections
do not change. Memory of the kernel (sockets, rings) is in neither.
"""

import argparse
import resource
import socket
import sys
import time
from urllib.parse import urlsplit

from instructions import engines, print_missing
from server_process import EngineMissing, MeasureError, ServerProcess, progress

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
            raise MeasureError("the server closed a connection: " + repr(data))
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise MeasureError("not 200: " + repr(head))
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
            raise MeasureError("the upload was counted wrong: " + repr(body))
        connections.extend(batch)


def private_dirty(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * 1024
    raise MeasureError("no Private_Dirty in smaps_rollup")


def settled(pid):
    """The least of a second: what a turn needs for a moment is not a connection's."""
    least = private_dirty(pid)
    for _ in range(10):
        time.sleep(0.1)
        least = min(least, private_dirty(pid))
    return least


def run_engine(engine, most):
    with ServerProcess("spate-measured-server", engine) as server:
        url, pid = urlsplit(server.url), server.pid
        address = (url.hostname, url.port)
        progress(f"{engine}: {WARM} connections for warming up")
        warm = []
        open_until(warm, WARM, address)
        for connection in warm:
            connection.close()
        connections = []
        progress(f"{engine}: {LOW} connections")
        open_until(connections, LOW, address)
        low = settled(pid)
        progress(f"{engine}: {HIGH} connections")
        open_until(connections, HIGH, address)
        high = settled(pid)
        # They are alive: one more request on some of them.
        for connection in connections[:: HIGH // 100]:
            connection.sendall(REQUESTS[0])
            if answer(connection) != b"Hello, World!":
                raise MeasureError("an idle connection answers wrong")
        progress("")
        slope = (high - low) / (HIGH - LOW)
        print(f"{engine:6} Private_Dirty at {LOW} connections: {low} bytes, at {HIGH}: {high} bytes")
        print(f"{engine:6} {slope:.1f} bytes per idle connection (at most {most:g})", flush=True)
        for connection in connections:
            connection.close()
    return slope > most


def main():
    parser = argparse.ArgumentParser(prog="./dev bench idle", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("most", type=float, nargs="?", default=96, help="bytes per connection above which it fails (96)")
    parser.add_argument("--engine", choices=["epoll", "uring", "all"], default="all")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < HIGH + 3000:
        raise MeasureError(f"{HIGH} connections need a descriptor limit of {HIGH + 3000}; the hard limit here is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    bad = False
    for engine in engines(options.engine):
        try:
            bad = run_engine(engine, options.most) or bad
        except EngineMissing as missing:
            print_missing(engine, missing)
            if options.engine != "all":
                return 2
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MeasureError as error:
        progress("")
        sys.exit(f"{error}")
