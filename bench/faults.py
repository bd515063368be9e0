#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev bench faults: page faults per 1,000 requests, and misses of the data caches per request.

Page faults: minor and major ones of the whole process (/proc/PID/stat) over a load of plain speed, after one for warming up.
Cache misses: callgrind's simulation of this machine's first and last level caches, as the difference of two loads, as in
`./dev bench instructions`; a simulation counts the same on a busy machine.
"""

import argparse
import sys

from callgrind import Callgrind
from instructions import FEW, MANY, SCENARIOS, ask_flags, engines, print_missing
from server_process import EngineMissing, MeasureError, ServerProcess, need_tools, progress

WARM_UP = 50_000


def page_faults(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[7]) + int(fields[9])  # minflt and majflt, fields 10 and 12 of the line


def misses(low, high, *events):
    return sum(high.total(event) - low.total(event) for event in events) / (MANY - FEW)


def run_engine(engine, options):
    for key in options.scenario:
        name, path, flags, what = SCENARIOS[key]
        progress(f"{engine}: {key}, page faults")
        with ServerProcess(name, engine) as server:
            server.ask(path, WARM_UP, options.connections, ask_flags(server, flags))
            before = page_faults(server.pid)
            server.ask(path, options.requests, options.connections, ask_flags(server, flags))
            faults = page_faults(server.pid) - before
        progress(f"{engine}: {key}, cache simulation")
        with Callgrind(name, engine, flags=["--cache-sim=yes"]) as server:
            low, high = server.measure(path, options.connections, ask_flags(server, flags), FEW, MANY)
        progress("")
        print(f"{engine:6} {key:10} {faults:4} page faults, {1000 * faults / options.requests:7.4f} per 1,000 requests; misses per request: "
              f"D1 {misses(low, high, 'D1mr', 'D1mw'):6.2f}  I1 {misses(low, high, 'I1mr'):6.2f}  "
              f"LL {misses(low, high, 'ILmr', 'DLmr', 'DLmw'):6.2f}   {what}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench faults", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--engine", choices=["epoll", "uring", "all"], default="all")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--requests", type=int, default=200_000, help="of which page faults are counted (200,000)")
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="NAME")
    options = parser.parse_args()
    need_tools("valgrind", "vgdb", "h2load")
    print(f"1 worker; h2load --h1 -t1 -c{options.connections}; page faults of {options.requests} requests after {WARM_UP}")
    for engine in engines(options.engine):
        try:
            run_engine(engine, options)
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
