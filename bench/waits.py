#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev bench waits: what a wait costs over a plain handler: a timer of 1 ms, a turn given up, a function run on the other worker.

Two workers; 64 connections, each with one request under way, so some 64 timers or hand-overs are in flight. Processor time of
all threads of the server (schedstat) in short turns taken one after the other; a round holds one turn of each route, and the
figure is the median over rounds of the difference to the plain handler of the same round, with its upper 95 % bound. Beside it the
user instructions of the same requests, by callgrind, which no other load disturbs.
"""

import argparse
import glob
import random
import statistics
import sys

from callgrind import Callgrind, per_request
from instructions import FEW, MANY, engines, print_missing, print_top
from server_process import EngineMissing, MeasureError, ServerProcess, need_tools, progress

NAME, CONNECTIONS, GOAL_US = "spate-measured-server", 64, 1.5
PLAIN = "/plaintext"
WAITS = {
    "/task": "Task that does not wait",
    "/turn": "Task that gives others their turn",
    "/timer": "Task that waits for a timer of 1 ms",
    "/other": "Task that waits for the other worker",
}


def cpu_ns(pid):
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        with open(path, encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


def upper_bound(values, rounds=2000):
    """The upper 95 % bound of the median, by drawing anew from the values."""
    source = random.Random(1)
    medians = sorted(statistics.median(source.choices(values, k=len(values))) for _ in range(rounds))
    return medians[int(0.95 * rounds)]


def turn(server, path, requests):
    """Microseconds of the server's processor time per request."""
    before = cpu_ns(server.pid)
    server.ask(path, requests, CONNECTIONS)
    return (cpu_ns(server.pid) - before) / requests / 1000


def times(engine, options):
    costs = {path: [] for path in (PLAIN, *WAITS)}
    with ServerProcess(NAME, engine, workers=2) as server:
        for path in costs:
            turn(server, path, options.requests)
        for number in range(options.rounds):
            progress(f"{engine}: round {number + 1} of {options.rounds}")
            order = list(costs)
            random.shuffle(order)
            for path in order:
                costs[path].append(turn(server, path, options.requests))
    progress("")
    plain = costs[PLAIN]
    print(f"{engine:6} {PLAIN:10} {statistics.median(plain):7.3f} us   plain handler")
    for path, what in WAITS.items():
        over = [wait - base for wait, base in zip(costs[path], plain)]
        bound = upper_bound(over)
        verdict = "" if path == "/turn" or path == "/task" else "   goal met" if bound <= GOAL_US else f"   above the goal of {GOAL_US} us"
        print(f"{engine:6} {path:10} {statistics.median(over):+7.3f} us over it, upper bound {bound:+7.3f}   {what}{verdict}", flush=True)


def instructions(engine, options):
    if engine == "uring":
        print(f"{engine:6} instructions of two workers are not counted: under valgrind 3.19 a worker that waits in the ring holds up the other")
        return
    with Callgrind(NAME, engine, workers=2) as server:
        plain = 0.0
        for path in (PLAIN, *WAITS):
            progress(f"{engine}: {path} in callgrind")
            low, high = server.measure(path, CONNECTIONS, (), FEW, MANY)
            cost = (high.total() - low.total()) / (MANY - FEW)
            plain = plain or cost
            progress("")
            print(f"{engine:6} {path:10} {cost:9.1f} instructions, {cost - plain:+9.1f}", flush=True)
            if options.functions:
                print_top("by function", per_request(low.functions, high.functions, MANY - FEW), cost, options.functions)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench waits", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--engine", choices=["epoll", "uring", "all"], default="all")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--requests", type=int, default=10_000, help="in a turn (10,000)")
    parser.add_argument("--functions", type=int, nargs="?", const=25, default=0, metavar="N", help="also the N functions (25) that cost most")
    options = parser.parse_args()
    need_tools("h2load", "valgrind", "vgdb", "c++filt")
    for engine in engines(options.engine):
        try:
            if options.rounds > 0:
                times(engine, options)
            instructions(engine, options)
        except EngineMissing as missing:
            print_missing(engine, missing)
            if options.engine != "all":
                return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MeasureError as error:
        progress("")
        sys.exit(f"{error}")
