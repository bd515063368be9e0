#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev bench workers: two workers on two cores.

How evenly connections fall to them; what a handler that burns 20 ms in one request of ten does to the others, inline and
through offload; throughput and processor time of two workers against one. docs/benchmarks.md says what the figures mean.
Exit code: 0 measured, 1 requests failed, 2 nothing could be measured.
"""

import argparse
import dataclasses
import os
import signal
import socket
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "floor"))

import contestants  # noqa: E402
import load  # noqa: E402
import pairs  # noqa: E402
import report  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from server_process import MeasureError, program, progress  # noqa: E402
from turns import Table, answer_of, read_message  # noqa: E402

CORES = (0, 1)
CROWDS = (64, 1024)
REQUEST = b"GET /worker HTTP/1.1\r\nHost: bench\r\n\r\n"
# Of both kinds in all. One in ten burns 20 ms: so many a second that 40 % of one core burns.
RATE, BURNING_SHARE = 200, 0.1
BURNERS = {"nobody burns": None, "inline": "/burn", "offload": "/burn-offload"}


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench workers", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--engine", choices=["epoll", "uring", "all"], default="all")
    parser.add_argument("--pairs", type=int, default=20, metavar="N", help="rounds of each part (20)")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="length of a turn (1); burning takes five times as long")
    parser.add_argument("--quick", action="store_true", help="3 rounds")
    parser.add_argument("--json", metavar="FILE", help="all runs")
    given = parser.parse_args()
    if given.pairs < 1 or not 0.1 <= given.seconds <= 60:
        parser.error("--pairs is at least 1, --seconds from 0.1 to 60")
    if given.quick:
        given.pairs = 3
    return given


def two_workers(engine):
    return contestants.spate(engine, contestants.MEASURED, 2, CORES)


# ---- balance --------------------------------------------------------------------------------------------------------
def crowd_on_each(port, size):
    """How many of so many connections each worker got."""
    connections, counts = [], {}
    try:
        for _ in range(size):
            connections.append(socket.create_connection(("127.0.0.1", port), timeout=20))
            connections[-1].sendall(REQUEST)
        for connection in connections:
            worker = read_message(connection).partition(b"\r\n\r\n")[2].decode()
            counts[worker] = counts.get(worker, 0) + 1
    finally:
        for connection in connections:
            connection.close()
    return counts


def measure_balance(engine, given, file):
    print(f"\nbalance, {engine}: connections of the busier of two workers, {given.pairs} crowds of each size")
    with two_workers(engine) as server:
        for size in CROWDS:
            shares = []
            for number in range(given.pairs):
                progress(f"balance, {engine}: {size} connections, crowd {number + 1} of {given.pairs}")
                shares.append(max(crowd_on_each(server.port, size).values()) / size)
            progress("")
            print(f"  {size:5} connections: median {100 * statistics.median(shares):.1f} %, worst {100 * max(shares):.1f} %")
            file.add({"name": "balance", "engine": engine, "connections": size, "busier_share": shares})


# ---- burning --------------------------------------------------------------------------------------------------------
def burning_turn(server, path, seconds):
    """Latencies of the requests that do not burn, while others do; both come at a fixed rate."""
    rate = RATE * (1 - BURNING_SHARE)
    burner = None
    if path:
        # It begins before and ends after what is measured.
        burner = subprocess.Popen([program("spate-load"), "--mode", "constant", "--rate", str(RATE * BURNING_SHARE), "--connections",
                                   "16", "--duration", str(seconds + 1), "--timeout", "30", "--quiet", server.url + path],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        turn = load.ask(server.url + "/plaintext", ["--connections", "64"], server.pids, seconds, rate, generator_core=None,
                        server_cores=2)
        if burner:
            turn["burner"] = burner.wait(60)
    finally:
        if burner and burner.poll() is None:
            burner.kill()
            burner.wait()
    return turn


def measure_burning(engine, given, file):
    seconds = 5 * given.seconds
    turns = {name: [] for name in BURNERS}
    with two_workers(engine) as server:
        for path in filter(None, BURNERS.values()):
            answer_of(server.port, f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        for number in range(given.pairs):
            progress(f"burning, {engine}: round {number + 1} of {given.pairs}")
            for name, path in BURNERS.items() if number % 2 == 0 else reversed(BURNERS.items()):
                turns[name].append(burning_turn(server, path, seconds))
    progress("")
    print(f"\nburning, {engine}: {RATE} requests a second to two workers, {100 * BURNING_SHARE:.0f} % of them burn 20 ms; latency of the "
          f"others in us, medians of {given.pairs} rounds of {seconds:g} s")
    print("                    p50      p99    p99.9      max    errors")
    for name, runs in turns.items():
        latencies = " ".join(f"{statistics.median(run['latency_us'][i] for run in runs):8.0f}" for i in range(4))
        print(f"  {name:12} {latencies}  {sum(run['errors'] + (run.get('burner') == 1) for run in runs):8}")
    file.add({"name": "burning", "engine": engine, "rate": RATE, "burning_share": BURNING_SHARE,
              "turns": [{"who": name, "round": number, **run} for name, runs in turns.items() for number, run in enumerate(runs)]})
    return sum(run["errors"] for runs in turns.values() for run in runs)


# ---- two against one ------------------------------------------------------------------------------------------------
def measure_throughput(engine, given, file):
    at_a_rate = SCENARIOS["workers"]
    closed = dataclasses.replace(at_a_rate, at=None, what="two workers on both cores against one; the load shares the second core",
                                 judgements=())
    errors = 0
    for name, scenario in (("workers", at_a_rate), ("workers-closed", closed)):
        with Table(engine, name, scenario, [], given.seconds) as table:
            table.warm_up()
            for number in range(given.pairs):
                progress(f"{name}, {engine}: round {number + 1} of {given.pairs}")
                table.take_round(number)
            progress("")
            judged = report.judge(table)
            report.print_table(table, judged)
            if scenario.at is None:
                compared = pairs.compare(table.pairs_of("two-workers", "one-worker"), lambda run: run["rate"])
                print(f"  two workers answer {compared['median']:.2f} times as many requests a second as one")
            file.add_table(table, judged)
            errors += sum(turn["errors"] for turn in table.turns)
    return errors


def run(given):
    program("spate-load")
    if os.cpu_count() < 2:
        raise MeasureError("one core: two workers need two")
    file = report.File(given.json, "workers", sys.argv[1:])
    errors, measured = 0, 0
    for engine in ("epoll", "uring") if given.engine == "all" else [given.engine]:
        try:
            measure_balance(engine, given, file)
            errors += measure_burning(engine, given, file)
            errors += measure_throughput(engine, given, file)
            measured += 1
        except MeasureError as fault:
            progress("")
            print(f"\n{engine}: not measured: {fault}", flush=True)
    return 2 if not measured else 1 if errors else 0


def main():
    # A termination ends the `with` blocks too, and with them the servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(run(arguments()))
    except MeasureError as fault:
        progress("")
        print(f"workers: {fault}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        progress("")
        print("interrupted; all servers are ended", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
