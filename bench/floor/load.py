# SPDX-License-Identifier: MIT
"""One turn: spate-load against one server, with what the kernel says of both."""

import contextlib
import glob
import json
import os
import resource
import subprocess

from server_process import MeasureError, program

LATENCIES = ("p50", "p99", "p999", "max")
NOT_STARTED = 2  # exit code of spate-load
CORES = (0, 1)


def ticks_of_cores():
    """(stolen by the hypervisor, idle, all) of both cores."""
    stolen = idle = total = 0
    with open("/proc/stat", encoding="ascii") as file:
        for line in file:
            name, *ticks = line.split()
            if name in {f"cpu{core}" for core in CORES}:
                # user nice system idle iowait irq softirq steal; guest times are in user's already
                stolen += int(ticks[7])
                idle += int(ticks[3]) + int(ticks[4])
                total += sum(map(int, ticks[:8]))
    return stolen, idle, total


def ticks_on_cores(pids):
    """Of these processes and of those that this one has started and waited for."""
    nanoseconds = 0
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
                nanoseconds += int(file.read().split()[0])
    waited_for = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (nanoseconds / 1e9 + waited_for.ru_utime + waited_for.ru_stime) * os.sysconf("SC_CLK_TCK")


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
    before, ours_before = ticks_of_cores(), ticks_on_cores(pids)
    done = subprocess.run([*command, *flags, url], capture_output=True, text=True, timeout=seconds + 60, check=False)
    after, ours_after = ticks_of_cores(), ticks_on_cores(pids)
    if done.returncode == NOT_STARTED or not done.stdout.strip():
        raise MeasureError(f"spate-load did not run: {done.stderr.strip() or done.returncode}")
    told = json.loads(done.stdout)
    stolen, idle, ticks = (late - early for late, early in zip(after, before))
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
        "steal": round(max(0, stolen - 1) / ticks, 5) if ticks else 0,
        "others": round(max(0.0, ticks - idle - stolen - (ours_after - ours_before)) / ticks, 4) if ticks else 0,
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
