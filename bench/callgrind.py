# SPDX-License-Identifier: MIT
"""valgrind's callgrind around a running server: dumps on demand, and what a dump says of functions and source lines.

A dump holds what was counted since the one before. What one request costs is the difference of two loads that differ only in
their number of requests, so that connecting and closing cancel out.
"""

import collections
import glob
import os
import re
import socket
import subprocess
import time

from server_process import MeasureError, ServerProcess

_NAME = re.compile(r"\((\d+)\)(?: (.*))?")


class Dump:
    """Counts of each event: in sum, by function, and by source line (where the code comes from, after inlining)."""

    def __init__(self, path):
        self.events = []
        self.functions = collections.defaultdict(collections.Counter)
        self.lines = collections.defaultdict(collections.Counter)
        self._names = {"file": {}, "fn": {}}
        with open(path, encoding="utf-8", errors="replace") as file:
            self._parse(file)

    def _name(self, kind, text):
        found = _NAME.match(text)
        if not found:
            return text
        number, name = found.groups()
        if name is not None:
            self._names[kind][number] = name
        return self._names[kind].get(number, "?")

    def _parse(self, file):
        function = source = "?"
        line_number = 0
        called = False
        for line in file:
            head = line[:1]
            if head.isdigit() or head in "+-*":
                position, *costs = line.split()
                if position[0] in "+-":
                    line_number += int(position)
                elif position != "*":
                    line_number = int(position)
                # The line after `calls=` is what the callee cost, which is listed with the callee as well.
                if called:
                    called = False
                    continue
                for event, cost in zip(self.events, costs):
                    self.functions[function][event] += int(cost)
                    self.lines[f"{source}:{line_number}"][event] += int(cost)
                continue
            key, _, value = line.rstrip("\n").partition("=")
            if key == "fn":
                function = self._name("fn", value)
            elif key == "cfn":
                self._name("fn", value)
            elif key in ("fl", "fi", "fe"):
                source = self._name("file", value)
            elif key in ("cfi", "cfl"):
                self._name("file", value)
            elif key == "calls":
                called = True
            elif line.startswith("events:"):
                self.events = line.split()[1:]

    def total(self, event="Ir"):
        return sum(counts[event] for counts in self.functions.values())


def per_request(table_low, table_high, requests, event="Ir"):
    """The difference of two dumps by name, for each request; most expensive first."""
    names = set(table_low) | set(table_high)
    rows = {name: (table_high[name][event] - table_low[name][event]) / requests for name in names}
    return sorted(rows.items(), key=lambda row: -row[1])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Callgrind(ServerProcess):
    """A server inside callgrind.

    valgrind 3.19 does not know that io_uring_enter may wait: a worker that waits there keeps all other threads from running, those
    that would print the address or take a signal too. So the port is known beforehand, and a connection of ours stays open all the
    time: with it a worker wakes several times a second to look for deadlines, and lets the others run.
    """

    def __init__(self, name, engine, flags=(), workers=1):
        wrapper = ["valgrind", "-q", "--tool=callgrind", "--callgrind-out-file=counts", "--demangle=no", *flags]
        self._port = free_port()
        self._companion = None
        super().__init__(name, engine, workers, wrapper, patience=120, port=self._port)

    def __exit__(self, *how):
        super().__exit__(*how)
        self._end_companion()

    def _end_companion(self):
        if self._companion is not None:
            self._companion.close()

    def _find_url(self):
        self._end_companion()
        try:
            self._companion = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        except OSError:
            return ""
        self._companion.sendall(b"GET /plaintext HTTP/1.1\r\nHost: bench\r\n\r\n")
        return f"http://127.0.0.1:{self._port}" if self._companion.recv(4096).startswith(b"HTTP/1.1 200") else ""

    def _dump(self):
        before = set(glob.glob(self._path("counts.*")))
        asked = subprocess.run(["vgdb", f"--pid={self.pid}", "--wait=20", "dump"], stdin=subprocess.DEVNULL,
                               capture_output=True, text=True, timeout=60, check=False)
        until = time.monotonic() + 20
        while time.monotonic() < until and self.alive():
            new = set(glob.glob(self._path("counts.*"))) - before
            if new:
                path = new.pop()
                dump = Dump(path)
                os.unlink(path)
                return dump
            time.sleep(0.02)
        raise MeasureError(f"callgrind wrote no counts: {asked.stderr.strip() or self._complaint()}")

    def measure(self, path, connections, flags=(), few=1000, many=11000):
        """(dump of few requests, dump of many), after a load that fills pools and caches."""
        self._find_url()  # anew: an idle companion is sent away after a while
        self.ask(path, few, connections, flags)
        self._dump()
        self.ask(path, few, connections, flags)
        low = self._dump()
        self.ask(path, many, connections, flags)
        return low, self._dump()
