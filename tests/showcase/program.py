# SPDX-License-Identifier: MIT
"""The showcase as a program: what it refuses before it listens, and how it stops."""

import signal
import socket
import subprocess
import threading
import time

from harness import PATIENCE, Server
from wire import get


def run_to_end(binary, *flags):
    return subprocess.run([binary, *flags], capture_output=True, text=True, timeout=PATIENCE, check=False)


def bad_input(checks, binary):
    # A socket that does not share its port: what another program has taken.
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    free_port = free.getsockname()[1]
    free.close()
    good = ("--listen", f"127.0.0.1:{free_port}")
    # name, flags, what the message must name
    cases = [
        ("a port in use", (*good, "--listen", f"127.0.0.1:{port}"), (str(port), "in use")),
        ("an unknown flag", (*good, "--port", "80"), ("--port", "--help")),
        ("a flag without its value", (*good, "--workers"), ("--workers", "value")),
        ("an address that is no address", (*good, "--listen", "nowhere"), ("nowhere",)),
        ("an address out of range", (*good, "--listen", "300.1.1.1:80"), ("300.1.1.1",)),
        ("a port out of range", (*good, "--listen", "127.0.0.1:65536"), ("65536",)),
        ("no port", (*good, "--listen", "127.0.0.1"), ("127.0.0.1",)),
        ("an address of another machine", (*good, "--listen", "192.0.2.1:0"), ("192.0.2.1",)),
        ("no workers", (*good, "--workers", "0"), ("--workers", "0")),
        ("workers that are no number", (*good, "--workers", "two"), ("--workers", "two")),
        ("an unknown engine", (*good, "--engine", "warp"), ("--engine", "warp", "epoll")),
    ]
    for name, flags, words in cases:
        ended = run_to_end(binary, *flags)
        checks.equal(f"{name}: exit code", ended.returncode, 2)
        checks.equal(f"{name}: nothing on standard output", ended.stdout, "")
        checks.equal(f"{name}: one message", ended.stderr.count("spate-showcase: "), 1)
        for word in words:
            checks.check(f"{name}: the message names {word}", word in ended.stderr, ended.stderr)
    taken.close()
    ended = run_to_end(binary, "--help")
    checks.equal("--help: exit code", (ended.returncode, ended.stderr), (0, ""))
    for flag in ("--listen", "--workers", "--engine", "--drain-timeout"):
        checks.check(f"--help names {flag}", flag in ended.stdout, ended.stdout)


def stopping(checks, binary, engine):
    for name, number in (("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)):
        with Server(binary, engine) as server, server.wire() as waiting, server.wire() as idle:
            idle.send(get("/plaintext"))
            idle.answer()
            waiting.send(get("/sleep?ms=400"))
            time.sleep(0.1)
            server.process.send_signal(number)
            answer = waiting.answer()
            checks.equal(f"{name}: what is under way is finished", (answer.status, answer.text), (200, '{"slept_ms":400}'))
            checks.equal(f"{name}: and told to close", answer.field("connection"), "close")
            checks.equal(f"{name}: idle connections are closed", idle.rest(), b"")
            checks.equal(f"{name}: exit code", server.process.wait(PATIENCE), 0)
            said = server.process.stdout.read().decode()
            checks.check(f"{name}: it says how many it served", "stopped after 2 requests" in said, said)
            checks.check(f"{name}: nothing listens any more", is_closed(server.address))

    with Server(binary, engine) as server, server.wire() as waiting:
        waiting.send(get("/sleep?ms=9000"))
        time.sleep(0.1)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        threading.Timer(0.3, server.process.send_signal, (signal.SIGTERM,)).start()
        checks.equal("a second signal: exit code", server.process.wait(PATIENCE), 0)
        checks.check("a second signal stops at once", time.monotonic() - began < 3, f"after {time.monotonic() - began:.1f} s")

    with Server(binary, engine, "--drain-timeout", "1") as server, server.wire() as waiting:
        waiting.send(get("/sleep?ms=9000"))
        time.sleep(0.1)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        checks.equal("the drain timeout: exit code", server.process.wait(PATIENCE), 0)
        took = time.monotonic() - began
        checks.check("the drain timeout ends the patience", 0.9 < took < 4, f"after {took:.1f} s")


def is_closed(address):
    try:
        socket.create_connection(address, timeout=2).close()
    except ConnectionRefusedError:
        return True
    return False
