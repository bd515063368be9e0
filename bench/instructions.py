#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev bench instructions: user instructions per request, counted by callgrind.

The showcase (default limits, one `before` and one `after` hook), one worker; h2load over HTTP/1.1 with 1 and with 64
connections. The figure is the difference of two loads of 1,000 and 11,000 requests divided by their difference, so start, connecting and
closing do not count. valgrind 3.19 hides AVX-512: what runs is the AVX2 path.
"""

import argparse
import os
import subprocess
import sys

import thresholds
from callgrind import Callgrind, per_request
from server_process import EngineMissing, MeasureError, need_tools, progress

SHOWCASE, MEASURED = "spate-showcase", "spate-measured-server"
FEW, MANY = 1000, 11000

# What a browser sends beside Host and User-Agent, which h2load has of its own.
BROWSER = [
    "accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "accept-language: en-GB,en;q=0.9,de;q=0.7",
    "accept-encoding: gzip, deflate, br, zstd",
    "referer: https://example.com/a/page/before.html",
    "cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
    "cache-control: max-age=0",
    "upgrade-insecure-requests: 1",
    'sec-ch-ua: "Chromium";v="128", "Not;A=Brand";v="24"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "sec-fetch-dest: document",
    "sec-fetch-mode: navigate",
    "sec-fetch-site: same-origin",
]

# name -> (program, path, flags of h2load, what it is)
SCENARIOS = {
    "plaintext": (SHOWCASE, "/plaintext", [], "plain function, text"),
    "json": (SHOWCASE, "/json", [], "plain function, struct as JSON"),
    "parameter": (SHOWCASE, "/hello/Ada", [], "parameter route, JSON"),
    "browser": (SHOWCASE, "/plaintext", [flag for field in BROWSER for flag in ("-H", field)], "15 headers of a browser"),
    "task": (MEASURED, "/hello/world", [], "Task that does not wait, parameter route"),
    "post-1k": (MEASURED, "/body", ["-d", "BODY"], "POST 1 KiB, whole body"),
}


def engines(chosen):
    return ["epoll", "uring"] if chosen == "all" else [chosen]


def print_missing(engine, missing):
    progress("")
    print(f"{engine:6} not measured: {missing}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench instructions", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--engine", choices=["epoll", "uring", "all"], default="all")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 64])
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="NAME",
                        help="of: " + " ".join(SCENARIOS))
    parser.add_argument("--functions", type=int, nargs="?", const=25, default=0, metavar="N",
                        help="also the N functions (25) that cost most, inlined code counted with its caller")
    parser.add_argument("--lines", type=int, nargs="?", const=40, default=0, metavar="N",
                        help="also the N source lines (40) that cost most, inlined or not")
    parser.add_argument("--check", action="store_true", help="fail above a limit of bench/thresholds.txt")
    parser.add_argument("--update-thresholds", action="store_true", help="set those limits to what is measured, and 3 %%")
    return parser.parse_args()


def ask_flags(server, flags):
    """The flags, with BODY as a file of 1 KiB beside the server's other files."""
    path = os.path.join(server.work, "body")
    if "BODY" in flags and not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(b"x" * 1024)
    return [path if flag == "BODY" else flag for flag in flags]


def demangled(names):
    """C++ names without the types of their arguments, which fill lines and say little."""
    done = subprocess.run(["c++filt", "-p"], input="\n".join(names), capture_output=True, text=True, check=False)
    return done.stdout.split("\n") if done.returncode == 0 else names


def print_top(title, rows, total, count):
    print(f"  {title}")
    rows = [row for row in rows[:count] if abs(row[1]) >= 0.5]
    for name, (_, cost) in zip(demangled([name for name, _ in rows]), rows):
        print(f"    {cost:9.1f} {100 * cost / total:5.1f} %  {name[:150]}")


def measure(server, path, flags, connections, limit):
    """(cost of a request, dump of few requests, dump of many). Work by the clock, as the sweep of deadlines, adds the more the slower
    the machine is at that moment; so a figure above its limit is measured again, and the least counts."""
    best = None
    for _ in range(3):
        low, high = server.measure(path, connections, flags, FEW, MANY)
        cost = (high.total() - low.total()) / (MANY - FEW)
        best = min(best or (cost, low, high), (cost, low, high), key=lambda run: run[0])
        if best[0] <= limit:
            break
    return best


def run_program(options, engine, name, measured, limits):
    chosen = [(key, SCENARIOS[key]) for key in options.scenario if SCENARIOS[key][0] == name]
    if not chosen:
        return
    progress(f"{engine}: starting {name} in callgrind")
    with Callgrind(name, engine) as server:
        for key, (_, path, flags, what) in chosen:
            for connections in options.connections:
                progress(f"{engine}: {key}, {connections} connections")
                figure = f"instructions/{engine}/{key}/{connections}"
                limit = limits.get(figure, sys.maxsize)
                cost, low, high = measure(server, path, ask_flags(server, flags), connections, limit)
                measured[figure] = cost
                progress("")
                print(f"{engine:6} {key:10} {connections:3} connections  {cost:9.1f} instructions per request   {what}")
                if options.functions:
                    print_top("by function", per_request(low.functions, high.functions, MANY - FEW), cost, options.functions)
                if options.lines:
                    print_top("by source line", per_request(low.lines, high.lines, MANY - FEW), cost, options.lines)
                sys.stdout.flush()


def main():
    options = arguments()
    need_tools("valgrind", "vgdb", "h2load", "c++filt")
    measured = {}
    limits = thresholds.read() if options.check else {}
    print(f"1 worker; h2load --h1 -t1; difference of {FEW} and {MANY} requests, after {FEW} for warming up")
    for engine in engines(options.engine):
        try:
            for name in (SHOWCASE, MEASURED):
                run_program(options, engine, name, measured, limits)
        except EngineMissing as missing:
            print_missing(engine, missing)
            if options.engine != "all":
                return 2
    if options.update_thresholds:
        thresholds.update(measured)
        print(f"limits written to {thresholds.PATH}")
    if options.check:
        return thresholds.report(measured, limits, "./dev bench instructions --functions")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MeasureError as error:
        progress("")
        sys.exit(f"{error}")
