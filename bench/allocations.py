#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev bench allocations: calls of the general allocator per request in the steady state, by a preloaded counter.

Counted in the server's whole process, of plain handlers and of a Task that does not wait. Fails above the limits of
thresholds.txt; then it names where the first ones came from.
"""

import argparse
import os
import re
import struct
import subprocess
import sys
import tempfile

import thresholds
from instructions import engines, print_missing
from server_process import ROOT, EngineMissing, MeasureError, ServerProcess, need_tools, progress, program

NAME = "spate-measured-server"
ROUTES = {"plain": "/plaintext", "task": "/hello/world"}
WARM_UP = 50_000
ALLOCATIONS, BACKTRACES = 0, 3  # words of malloc_counter.c


class Counted(ServerProcess):
    """A server whose allocator counts into a file that is mapped shared."""

    def __init__(self, engine, counter, counts):
        super().__init__(NAME, engine, wrapper=["env", f"LD_PRELOAD={counter}", f"SPATE_MALLOC_COUNTS={counts}"])
        self._counts = counts

    def allocations(self):
        with open(self._counts, "rb") as file:
            file.seek(8 * ALLOCATIONS)
            return struct.unpack("=Q", file.read(8))[0]

    def print_backtraces(self, number):
        with open(self._counts, "r+b") as file:
            file.seek(8 * BACKTRACES)
            file.write(struct.pack("=Q", number))


def print_places(server):
    """The backtraces that the counter wrote, with the places in our own program."""
    lines = [line for line in server.read("err").splitlines() if line.startswith(("--", "/"))]
    addresses = [found.group(1) for line in lines if (found := re.search(NAME + r"\(\+(0x[0-9a-f]+)\)", line))]
    print("the first allocations:")
    for address in addresses[:40]:
        done = subprocess.run(["llvm-symbolizer-19", f"--obj={program(NAME)}", address], capture_output=True, text=True, check=False)
        print("  " + " ".join(done.stdout.split("\n")[:2]))


def run_engine(engine, requests, counter, counts, measured):
    first = len(measured)
    with Counted(engine, counter, counts) as server:
        if server.allocations() == 0:
            raise MeasureError("the counter saw no allocation at the start of the server: it does not work")
        for what, path in ROUTES.items():
            progress(f"{engine}: {path}")
            server.ask(path, WARM_UP, 64)
            server.print_backtraces(3)
            before = server.allocations()
            server.ask(path, requests, 64)
            count = server.allocations() - before
            server.print_backtraces(0)
            progress("")
            print(f"{engine:6} {what:5} {path:14} {count:9} allocations  {count / requests:.6f} per request", flush=True)
            measured[f"allocations/{engine}/{what}"] = count / requests
        if any(list(measured.values())[first:]):
            print_places(server)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench allocations", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("requests", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--engine", choices=["epoll", "uring", "all"], default="all")
    options = parser.parse_args()
    need_tools("h2load", "gcc", "llvm-symbolizer-19")
    print(f"{NAME}, 1 worker; h2load --h1 -t1 -c64, {options.requests} requests after {WARM_UP} for warming up")
    measured = {}
    with tempfile.TemporaryDirectory(prefix="spate-bench-") as folder:
        counter = os.path.join(folder, "malloc_counter.so")
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", counter, os.path.join(ROOT, "bench", "malloc_counter.c")], check=True)
        for engine in engines(options.engine):
            try:
                run_engine(engine, options.requests, counter, os.path.join(folder, "counts." + engine), measured)
            except EngineMissing as missing:
                print_missing(engine, missing)
                if options.engine != "all":
                    return 2
    return thresholds.report(measured, thresholds.read(), "./dev bench allocations names the callers")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MeasureError as error:
        progress("")
        sys.exit(f"{error}")
