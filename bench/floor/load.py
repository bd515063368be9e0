# SPDX-License-Identifier: MIT
"""One turn: spate-load against one server, with what the kernel says of both."""

import json
import subprocess

from server_process import MeasureError, program

LATENCIES = ("p50", "p99", "p999", "max")
NOT_STARTED = 2  # exit code of spate-load
CORES = (0, 1)


def steal_and_all(cores):
    """Ticks that the hypervisor took from these cores, and all their ticks."""
    stolen = total = 0
    with open("/proc/stat", encoding="ascii") as file:
        for line in file:
            name, *ticks = line.split()
            if name in {f"cpu{core}" for core in cores}:
                # user nice system idle iowait irq softirq steal; guest times are in user's already
                stolen += int(ticks[7])
                total += sum(map(int, ticks[:8]))
    return stolen, total


def ask(url, flags, pids, seconds, rate=None, generator_core=1, server_cores=1):
    """The figures of a turn. `rate`: an open loop of so many requests a second; otherwise a closed one. A `generator_core` of None
    leaves its place to the kernel."""
    command = [program("spate-load"), "--json", "-", "--quiet", "--duration", str(seconds)]
    if generator_core is not None:
        command += ["--pin", str(generator_core)]
    for pid in pids:
        command += ["--watch-pid", str(pid)]
    if rate:
        command += ["--mode", "constant", "--rate", f"{rate:.0f}"]
    before = steal_and_all(CORES)
    done = subprocess.run([*command, *flags, url], capture_output=True, text=True, timeout=seconds + 60, check=False)
    after = steal_and_all(CORES)
    if done.returncode == NOT_STARTED or not done.stdout.strip():
        raise MeasureError(f"spate-load did not run: {done.stderr.strip() or done.returncode}")
    told = json.loads(done.stdout)
    ticks = after[1] - before[1]
    return {
        "answers": told["answered_in_window"],
        "errors": sum(told["errors"].values()),
        "error_kinds": {kind: count for kind, count in told["errors"].items() if count},
        "details": told["details"][:3],
        "window_ns": told["window_ns"],
        "rate": round(told["achieved_per_s"], 1),
        "offered": round(told["offered_per_s"], 1),
        "bytes": told["bytes_in"] + told["bytes_out"],
        "server_ns": told["server_cpu_ns"],
        "server_waited_ns": told["server_waited_ns"],
        "server_switches": told["server_involuntary_switches"],
        "server_cores": server_cores,
        "generator_ns": told["own_cpu_ns"],
        "generator_waited_ns": told["own_waited_ns"],
        # One tick is the grain of that clock.
        "steal": round(max(0, after[0] - before[0] - 1) / ticks, 5) if ticks else 0,
        "connects": told["connects"],
        "connect_us": [told["connect_us"][name] for name in LATENCIES],
        "latency_us": [told["latency_us"][name] for name in LATENCIES],
    }


def children(pid):
    """An empty list also when the process has ended."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return []
