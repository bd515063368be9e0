#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev bench floor: what Spate costs beside a loop that does no HTTP, by scenario and engine.

The floor, Spate, and nginx and h2o where they are installed (./dev setup witness) take turns of a second, on core 0 with the
load on core 1. docs/benchmarks.md says what the figures mean. Exit code: 0 all goals hold, 1 one is missed or a request to one of ours failed,
2 nothing could be measured, 3 no verdict for want of valid pairs.
"""

import argparse
import dataclasses
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "floor"))

import contestants  # noqa: E402
import report  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402
from server_process import MeasureError, program, progress  # noqa: E402
from turns import Table  # noqa: E402

ENGINES = ("epoll", "uring")
QUICK = 3


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench floor", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--engine", choices=[*ENGINES, "all"], default="all")
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="NAME",
                        help="of: " + " ".join(SCENARIOS))
    parser.add_argument("--pairs", type=int, default=40, metavar="N", help="rounds of a scenario (40); latency-60 takes half as many again")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="length of a turn (1)")
    parser.add_argument("--at", type=float, metavar="SHARE", help="open loop in every scenario, at this share of what the slower of floor "
                        "and Spate reaches: all get the same rate")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} pairs: shows that it works, and judges nothing")
    parser.add_argument("--no-witnesses", action="store_true", help="neither nginx nor h2o")
    parser.add_argument("--json", metavar="FILE", help="all runs, invalid ones included")
    given = parser.parse_args()
    if given.pairs < 1 or not 0.1 <= given.seconds <= 60:
        parser.error("--pairs is at least 1, --seconds from 0.1 to 60")
    if given.at is not None and not 0.01 <= given.at <= 1:
        parser.error("--at is a share from 0.01 to 1")
    if given.quick:
        given.pairs = QUICK
    return given


def witnesses_here(given):
    if given.no_witnesses:
        return []
    found = [name for name in contestants.WITNESSES if contestants.binary_of(name)]
    missing = [name for name in contestants.WITNESSES if name not in found]
    if missing:
        print(f"without {' and '.join(missing)}: not installed (./dev setup witness; Debian starts them as it installs them)")
    return found


def measure(engine, name, given, witnesses):
    scenario = SCENARIOS[name] if given.at is None else dataclasses.replace(SCENARIOS[name], at=given.at)
    rounds = max(1, round(given.pairs * scenario.rounds)) if not given.quick else given.pairs
    with Table(engine, name, scenario, witnesses, given.seconds) as table:
        progress(f"{name}, {engine}: warming up")
        table.warm_up()
        began = time.monotonic()
        for number in range(rounds):
            left = (time.monotonic() - began) / number * (rounds - number) if number else 0
            progress(f"{name}, {engine}: round {number + 1} of {rounds}" + (f", {left:.0f} s left" if number else ""))
            table.take_round(number)
        progress("")
        judged = report.judge(table)
        report.print_table(table, judged)
    return table, judged


def run(given):
    for needed in ("spate-load", "spate-floor"):
        program(needed)
    if os.cpu_count() < 2:
        raise MeasureError("one core: the server and its load need a core each")
    witnesses = witnesses_here(given)
    file = report.File(given.json, "floor", sys.argv[1:])
    verdicts, errors, measured = [], 0, 0
    for engine in ENGINES if given.engine == "all" else [given.engine]:
        for name in given.scenario:
            try:
                table, judged = measure(engine, name, given, witnesses)
            except MeasureError as fault:
                progress("")
                print(f"\n{name}, {engine}: not measured: {fault}", flush=True)
                verdicts.append("no verdict")
                continue
            measured += 1
            errors += sum(turn["errors"] for turn in table.turns if turn["who"] not in contestants.WITNESSES)
            verdicts += [judgement["verdict"] for judgement in judged]
            file.add_table(table, judged)
    missed, without = verdicts.count("misses"), verdicts.count("no verdict")
    print(f"\n{verdicts.count('holds')} goals hold, {missed} missed, {without} without a verdict; {errors} requests failed, not counting those to witnesses")
    if not measured:
        return 2
    return 1 if missed or errors else 3 if without else 0


def main():
    # A termination ends the `with` blocks too, and with them the servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(run(arguments()))
    except MeasureError as fault:
        progress("")
        print(f"floor: {fault}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        progress("")
        print("interrupted; all servers are ended, and what was measured before is kept", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
