#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the floor costs: PATH of spate-floor.

Every figure is the difference of two runs of the same kind, so that start and end of the process fall out. Times
are not looked at.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = ""
FEW, MANY = 200, 2200
MOST_CALLS = 3
MOST_INSTRUCTIONS = 600
REQUEST = b"GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"
PATIENCE = 60


def forms():
    """All of them, or those over epoll where the kernel or its policy forbids io_uring."""
    engines = ["epoll"]
    try:
        with Floor([], "--engine", "uring"):
            engines.append("uring")
    except AssertionError as fault:
        print(f"only the floor over epoll is tested: {fault}")
    return [(engine, form) for engine in engines for form in ("four-call", "naive")]


class Floor:
    """spate-floor under a tool, in a folder of its own."""

    def __init__(self, tool, *flags):
        self.folder = tempfile.mkdtemp()
        with open(self.path("out"), "wb") as out, open(self.path("err"), "wb") as err:
            command = [part.format(folder=self.folder) for part in tool] + [PROGRAM, *flags]
            self.process = subprocess.Popen(command, stdout=out, stderr=err)
        try:
            self.address = ("127.0.0.1", self.port())
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def port(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", self.read("out"))
            if found:
                return int(found.group(1))
            time.sleep(0.05)
        raise AssertionError("the floor named no address: " + self.read("err"))

    def connect(self):
        connection = socket.create_connection(self.address, timeout=PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def answers(connection, count):
    """Reads so many answers and no byte more."""
    data = b""
    while True:
        one = data.find(b"\r\n\r\n") + len(b"\r\n\r\nHello, World!")
        if one > len(b"\r\n\r\nHello, World!") and len(data) >= one * count:
            break
        piece = connection.recv(65536)
        if not piece:
            raise AssertionError("the floor closed a connection after " + repr(data))
        data += piece
    if data != data[:one] * count:
        raise AssertionError(f"not {count} equal answers: {data!r}")
    return data


def keep_alive(floor, count):
    with floor.connect() as connection:
        for _ in range(count):
            connection.sendall(REQUEST)
            answers(connection, 1)


def short(floor, count):
    for _ in range(count):
        with floor.connect() as connection:
            connection.sendall(REQUEST)
            answers(connection, 1)
            if connection.recv(1):
                raise AssertionError("bytes after the answer")


def calls(engine, form, client, count, *flags):
    """System calls by name."""
    with Floor(["strace", "-c", "-U", "name,calls", "-o", "{folder}/calls"], "--engine", engine, "--form", form,
               *flags) as floor:
        client(floor, count)
        with open(f"/proc/{floor.process.pid}/task/{floor.process.pid}/children", encoding="ascii") as file:
            traced = int(file.read().split()[0])
        os.kill(traced, signal.SIGTERM)
        floor.process.wait(PATIENCE)
        rows = (line.split() for line in floor.read("calls").splitlines())
        return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit() and row[0] != "total"}


def calls_per_request(engine, form, client, *flags):
    few = calls(engine, form, client, FEW, *flags)
    many = calls(engine, form, client, MANY, *flags)
    return {name: (many[name] - few.get(name, 0)) / (MANY - FEW) for name in many}


def instructions(engine, form, count):
    """Of the user's side. Asked for from outside while it runs: valgrind keeps signals from a wait in io_uring_enter."""
    with Floor(["valgrind", "--tool=callgrind", "--callgrind-out-file={folder}/callgrind"], "--engine", engine,
               "--form", form) as floor:
        keep_alive(floor, count)
        subprocess.run(["vgdb", f"--pid={floor.process.pid}", "dump"], check=True, timeout=PATIENCE,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = re.search(r"^totals: (\d+)", floor.read("callgrind.1"), re.M)
        if not found:
            raise AssertionError("callgrind wrote no totals")
        return int(found.group(1))


class Cost(unittest.TestCase):
    def test_a_kept_alive_request_costs_at_most_three_system_calls(self):
        for engine, form in forms():
            with self.subTest(engine=engine, form=form):
                each = calls_per_request(engine, form, keep_alive)
                print(f"{engine}, {form}: {sum(each.values()):.3f} system calls a kept-alive request")
                self.assertLessEqual(sum(each.values()), MOST_CALLS + 0.01, each)
                # A count near zero would say that something else was traced.
                self.assertGreaterEqual(sum(each.values()), 0.99, each)

    def test_a_kept_alive_request_costs_at_most_600_instructions(self):
        for engine, form in forms():
            with self.subTest(engine=engine, form=form):
                each = (instructions(engine, form, MANY) - instructions(engine, form, FEW)) / (MANY - FEW)
                print(f"{engine}, {form}: {each:.0f} user instructions a kept-alive request")
                self.assertLessEqual(each, MOST_INSTRUCTIONS)
                self.assertGreaterEqual(each, 50)

    def test_the_four_calls_of_a_short_connection_are_four_and_none_is_epoll_ctl(self):
        each = calls_per_request("epoll", "four-call", short, "--close")
        for name in ("recvfrom", "sendto", "close"):
            self.assertAlmostEqual(each[name], 1, delta=0.02, msg=each)
        # With one connection at a time each may have a turn of its own: a wait, and an accept that finds none.
        self.assertLessEqual(each["accept4"], 2.02, each)
        self.assertLessEqual(each["epoll_wait"], 1.02, each)
        self.assertLessEqual(each.get("epoll_ctl", 0), 0.02, each)

    def test_the_naive_form_registers_each_connection(self):
        each = calls_per_request("epoll", "naive", short, "--close")
        self.assertAlmostEqual(each["epoll_ctl"], 1, delta=0.02)


class Behaviour(unittest.TestCase):
    def each_form(self, *flags):
        for engine, form in forms():
            with self.subTest(engine=engine, form=form), Floor([], "--engine", engine, "--form", form, *flags) as floor:
                yield floor

    def test_as_many_answers_as_blank_lines(self):
        for floor in self.each_form():
            with floor.connect() as connection:
                for count in (1, 2, 16, 100):
                    connection.sendall(REQUEST * count)
                    answers(connection, count)

    def test_a_blank_line_in_several_segments_is_counted_once(self):
        for floor in self.each_form():
            with floor.connect() as connection:
                for cut in range(1, 6):
                    connection.sendall(REQUEST[:-cut])
                    time.sleep(0.01)  # two reads are the aim; one read would not make the test wrong
                    connection.sendall(REQUEST[-cut:] + REQUEST)
                    answers(connection, 2)

    def test_only_reads_of_a_length_end_their_connection(self):
        for floor in self.each_form("--close-from", str(len(REQUEST) + 1)):
            with floor.connect() as connection:
                connection.sendall(REQUEST)
                answers(connection, 1)
                connection.sendall(REQUEST.replace(b"Host", b"Connection: close\r\nHost"))
                answers(connection, 1)
                self.assertEqual(connection.recv(1), b"")

    def test_short_connections_leave_no_descriptor_behind(self):
        for floor in self.each_form("--close"):
            short(floor, 100)
            before = len(os.listdir(f"/proc/{floor.process.pid}/fd"))
            short(floor, 2500)
            self.assertLessEqual(len(os.listdir(f"/proc/{floor.process.pid}/fd")), before + 1)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
