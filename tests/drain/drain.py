#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server that is stopped under load loses nothing: PROGRAM [ROUNDS].

Each round: 64 clients that keep their connection and 64 that open one for each request ask without a
pause, one waits for a slow answer, then SIGTERM comes. What a client has sent on an established
connection must be answered whole. A refused connection, or `Connection: close`, ends a client."""
import re
import signal
import socket
import subprocess
import sys
import threading
import time

KEEP_ALIVE, SHORT_LIVED = 64, 64
DRAIN_TIMEOUT = 10  # seconds, as the server is told
LOAD_TIME = 0.5


class Lost(Exception):
    pass


class Server:
    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "--listen", "127.0.0.1:0", "--workers", "2", "--drain-timeout", str(DRAIN_TIMEOUT)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if found:
                self.address = ("127.0.0.1", int(found.group(1)))
                break
        else:
            raise SystemExit("the server named no address")
        # Read on, so that it never waits for us.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def connect(address):
    """None when nobody listens any more."""
    try:
        connection = socket.create_connection(address, timeout=20)
    except ConnectionRefusedError:
        return None
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(connection, path, fields=b""):
    """(status, says close, body). Raises Lost when the answer is not whole."""
    data = b""
    try:
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: drain\r\n" + fields + b"\r\n")
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                raise Lost(f"closed after {len(data)} bytes of the head")
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        head = head.lower()
        length = int(re.search(rb"\r\ncontent-length: (\d+)", head).group(1))
        while len(body) < length:
            piece = connection.recv(65536)
            if not piece:
                raise Lost(f"closed after {len(body)} of {length} bytes of the body")
            body += piece
    except OSError as error:
        raise Lost(f"{type(error).__name__} after {len(data)} bytes") from error
    return int(head[9:12]), b"\r\nconnection: close" in head, body


class Round:
    def __init__(self, program):
        self.server = Server(program)
        self.lock = threading.Lock()
        self.answers = 0
        self.told = 0
        self.refused = 0
        self.faults = []

    def note(self, answers=0, told=0, refused=0, fault=None):
        with self.lock:
            self.answers += answers
            self.told += told
            self.refused += refused
            if fault:
                self.faults.append(fault)

    def check(self, status, body, expected):
        if status != 200 or body != expected:
            raise Lost(f"status {status}, body {body[:40]!r}")

    def keep_alive(self):
        answers = 0
        try:
            connection = connect(self.server.address)
            if connection is None:
                raise Lost("refused before the signal")
            while True:
                status, close, body = ask(connection, b"/plaintext")
                self.check(status, body, b"Hello, World!")
                answers += 1
                if close:
                    break
            # It has told that it closes: nothing more comes, and no reset.
            if connection.recv(1) != b"":
                raise Lost("bytes behind the last answer")
            self.note(answers=answers, told=1)
        except (Lost, OSError) as error:
            self.note(answers=answers, fault=f"keep-alive client: {error}")

    def short_lived(self):
        answers = 0
        try:
            while True:
                connection = connect(self.server.address)
                if connection is None:
                    break
                status, _, body = ask(connection, b"/plaintext", b"Connection: close\r\n")
                self.check(status, body, b"Hello, World!")
                if connection.recv(1) != b"":
                    raise Lost("bytes behind the answer")
                connection.close()
                answers += 1
            self.note(answers=answers, refused=1)
        except (Lost, OSError) as error:
            self.note(answers=answers, fault=f"short-lived client: {error}")

    def slow(self):
        try:
            connection = connect(self.server.address)
            status, close, _ = ask(connection, b"/sleep?ms=500")
            if status != 200 or not close:
                raise Lost(f"status {status}, close {close}")
            self.note(answers=1)
        except (Lost, OSError) as error:
            self.note(fault=f"the request under way: {error}")

    def run(self):
        try:
            clients = [threading.Thread(target=self.keep_alive) for _ in range(KEEP_ALIVE)]
            clients += [threading.Thread(target=self.short_lived) for _ in range(SHORT_LIVED)]
            for client in clients:
                client.start()
            time.sleep(LOAD_TIME)
            slow = threading.Thread(target=self.slow)
            slow.start()
            time.sleep(0.2)
            began = time.monotonic()
            self.server.process.send_signal(signal.SIGTERM)
            try:
                code = self.server.process.wait(DRAIN_TIMEOUT + 2)
                if code != 0:
                    self.note(fault=f"exit code {code}")
            except subprocess.TimeoutExpired:
                self.note(fault="still running after the drain timeout")
            took = time.monotonic() - began
            self.server.end()
            for client in clients + [slow]:
                client.join(30)
                if client.is_alive():
                    self.note(fault="a client still waits")
            if self.told < KEEP_ALIVE and not self.faults:
                self.note(fault="a keep-alive client was not told that its connection closes")
            return took
        finally:
            self.server.end()


def second_signal(program):
    """The second SIGTERM ends the patience."""
    server = Server(program)
    try:
        connection = connect(server.address)
        connection.sendall(b"GET /sleep?ms=10000 HTTP/1.1\r\nHost: drain\r\n\r\n")
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        if server.process.poll() is not None:
            return "the first signal did not wait for the request under way"
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        try:
            code = server.process.wait(5)
        except subprocess.TimeoutExpired:
            return "still running 5 s after the second signal"
        took = time.monotonic() - began
        if code != 0 or took > 1.5:
            return f"exit code {code} after {took:.2f} s"
        return None
    finally:
        server.end()


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20
    passed = failed = 0
    for number in range(1, rounds + 1):
        one = Round(program)
        took = one.run()
        if one.faults:
            failed += 1
            print(f"FAILED round {number}: {len(one.faults)} faults of {one.answers} answers; "
                  + "; ".join(sorted(set(one.faults))[:5]), flush=True)
        else:
            passed += 1
            print(f"round {number}: {one.answers} answers whole, {one.told} told to close, "
                  f"{one.refused} refused, exit after {took:.2f} s", flush=True)
    fault = second_signal(program)
    if fault:
        failed += 1
        print(f"FAILED second signal: {fault}")
    else:
        passed += 1
        print("second signal: ends at once")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
