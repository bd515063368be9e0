#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev bench million: one million idle keep-alive connections, the servers' memory for them, and requests over them.

As many servers (spate-measured-server, one worker, a port of its own, the default limit of connections, the idle limit raised) and as many
spate-load that hold their connections as the limit of descriptors of a process asks for. Each server is warmed with a GET, a Task that waits and
an upload on each of 1,000 connections that come and go, until its memory grows no more: that is its empty state. Each held connection
has had the same three before it idles. The first thousand of a server lie in slots that the warming touched, so what a server grows by is
divided by the others, and that is what a connection costs.

User memory is Private_Dirty of /proc/PID/smaps_rollup, the pages that a server alone has written, and beside it Pss, which adds its shares of
the libraries' pages; the worse growth is judged. Kernel memory (sockets, descriptor tables) is the system's and in neither: Slab, PageTables
and MemAvailable tell of it, with the clients' half of it.

Then requests go over random ones of all connections, Poisson, latency from when each was due. Last, on a fresh server: the greatest pause while
it grows from few connections to as many as it may have, beside that of the same load without growth. A machine on which others run is told
from one on which the servers pause: processor time of others, and how late the generators took their requests up.

Exit code: 0 all goals met, 1 one missed, 2 not started, 3 none missed but a run was disturbed.
"""

import argparse
import contextlib
import ctypes
import json
import math
import os
import platform
import re
import resource
import selectors
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from server_process import ROOT, MeasureError, program, progress

GOAL_BYTES = 96  # user bytes for each connection
GOAL_P99_US = 5_000
GOAL_PAUSE_US = 10_000
WARM_CONNECTIONS = 1000  # for each server
MOST_WARM_ROUNDS = 20
WARM_GROWTH = 0.01  # less in two rounds is a server that is warm
OPENING_AT_ONCE = 6  # holders that open at the same time; more would only wait for each other
SOURCES = "127.0.1.1-127.0.1.8"  # so that a search for a free port is short
KERNEL_BYTES = 9_000  # of slabs, for a connection, both ends, measured; asked for with a tenth on top
PROCESS_BYTES = 8 << 20  # a server and its holder, without their connections
SPARE_DESCRIPTORS = 40  # a holder's own, and some
DISTURBED_SHARE = 0.05  # of all cores, used by others
LONGEST_OPENING = 1800
TURN_SECONDS = 0.5
WARM_REQUESTS = "GET /plaintext\n\nGET /sleep?ms=1\n\nPOST /upload\n@size {}\n"
PR_SET_PDEATHSIG = 1


def say(text=""):
    progress("")
    print(text, flush=True)


# ---- what the system says ---------------------------------------------------------------------


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def fields_of(path):
    """Name to number, of /proc/meminfo, smaps_rollup and the like; kB become bytes."""
    found = re.findall(r"^([\w()]+):\s+(\d+)( kB)?$", read(path), re.M)
    return {name: int(value) * (1024 if unit else 1) for name, value, unit in found}


def kernel_memory():
    memory = fields_of("/proc/meminfo")
    return {name: memory[name] for name in ("MemAvailable", "Slab", "PageTables", "KernelStack")}


def tcp_sockets():
    return int(re.search(r"^TCP: inuse (\d+)", read("/proc/net/sockstat"), re.M).group(1))


def machine_busy_seconds():
    """Processor time of everything that runs here, and time stolen by other machines."""
    ticks = [int(word) for word in read("/proc/stat").splitlines()[0].split()[1:]]
    user, nice, system, _, _, interrupts, soft_interrupts, stolen = ticks[:8]
    return (user + nice + system + interrupts + soft_interrupts + stolen) / os.sysconf("SC_CLK_TCK")


def busy_seconds(pids):
    sum_ns = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            sum_ns += int(read(f"/proc/{pid}/task/{thread}/schedstat").split()[0])
    return sum_ns * 1e-9


def user_memory(pids):
    """Sums over the processes: the least of a second, as what a turn needs for a moment is no connection's."""
    least = None
    for _ in range(3):
        sums = {"private_dirty": 0, "pss": 0}
        for pid in pids:
            memory = fields_of(f"/proc/{pid}/smaps_rollup")
            sums["private_dirty"] += memory["Private_Dirty"]
            sums["pss"] += memory["Pss"]
        least = sums if least is None else {name: min(least[name], sums[name]) for name in sums}
        time.sleep(0.4)
    return least


# ---- processes --------------------------------------------------------------------------------


class Processes:
    """All that was started; ended by pid when the block ends, however it ends."""

    def __init__(self):
        self.all = []
        self.libc = ctypes.CDLL(None, use_errno=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(list(self.all))

    def start(self, command, before_others=False, **options):
        def in_child():
            self.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # should this program be killed
            if before_others:
                with contextlib.suppress(PermissionError):
                    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))

        # A session of its own: Ctrl-C reaches this program, which then ends them in order.
        process = subprocess.Popen(command, preexec_fn=in_child, start_new_session=True, text=True, **options)
        self.all.append(process)
        return process

    def end(self, processes):
        """All are told before any is waited for."""
        for process in processes:
            if process.stdin:
                process.stdin.close()
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 30
        for process in processes:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()
            if process in self.all:
                self.all.remove(process)


class Bench:
    def __init__(self, options, processes, folder):
        self.options, self.processes = options, processes
        self.errors = open(os.path.join(folder, "errors"), "w+", encoding="utf-8")  # pylint: disable=consider-using-with
        self.warm_file = os.path.join(folder, "warm.txt")
        with open(self.warm_file, "w", encoding="ascii") as file:
            file.write(WARM_REQUESTS.format(options.body))

    def complaint(self):
        self.errors.seek(0)
        return " / ".join(self.errors.read().split("\n")[:3]) or "it said nothing"

    def start_server(self, before_others=False):
        options = self.options
        command = [program("spate-measured-server"), "--listen", "127.0.0.1:0", "--workers", "1", "--engine", options.engine]
        command += ["--idle", str(options.idle)]
        process = self.processes.start(command, before_others, stdout=subprocess.PIPE, stderr=self.errors, stdin=subprocess.DEVNULL)
        for line in process.stdout:
            if found := re.search(r"http://[0-9.]+:[0-9]+", line):
                process.url = found.group()
                return process
        raise MeasureError(f"a server did not start: {self.complaint()}")

    def load_command(self, url, connections, *flags):
        command = [program("spate-load"), "--quiet", "--json", "-", "--connections", str(connections), "--timeout", "30"]
        command += ["--source-addresses", SOURCES, *map(str, flags), url + "/plaintext"]
        return command

    def start_holder(self, server, connections, *flags, before_others=False):
        hold = ["--gate", "--warm-file", self.warm_file, "--warm-requests", 3, *flags]
        command = self.load_command(server.url, connections, *hold)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return self.processes.start(command, before_others, stderr=self.errors, **pipes)

    def result_of(self, holder):
        """Its JSON; waits until it ends."""
        line = holder.stdout.readline()
        holder.wait()
        if not line.startswith("{"):
            raise MeasureError(f"a load generator ended without a result: {self.complaint()}")
        return json.loads(line)

    def warm(self, servers):
        """Rounds of connections that open as those that will be held, and go, until two add nothing; says how many it took.

        The pools of requests under way are then as full as the opening makes them, and growth beyond is the connections'.
        """
        sizes = []
        while len(sizes) < MOST_WARM_ROUNDS:
            for first in range(0, len(servers), OPENING_AT_ONCE):
                progress(f"warming, round {len(sizes) + 1}: server {first + 1} of {len(servers)}")
                some = servers[first : first + OPENING_AT_ONCE]
                holders = [self.start_holder(server, WARM_CONNECTIONS, "--hold", 0.01) for server in some]
                self.wait_open(holders)
                let_go(holders)
                for holder in holders:
                    check(self.result_of(holder))
                self.processes.end(holders)
            sizes.append(user_memory([server.pid for server in servers])["private_dirty"])
            if len(sizes) > 2 and sizes[-1] < sizes[-3] * (1 + WARM_GROWTH):
                break
        return len(sizes)

    def wait_open(self, holders, to_start=None):
        """Until all say that their connections are open; starts the next of `to_start` whenever one does."""
        base = tcp_sockets()
        until = time.monotonic() + LONGEST_OPENING
        with selectors.DefaultSelector() as selector:
            for holder in holders:
                selector.register(holder.stdout, selectors.EVENT_READ, holder)
            while selector.get_map():
                if time.monotonic() > until:
                    raise MeasureError(f"the connections could not be opened within {LONGEST_OPENING} s")
                for key, _ in selector.select(TURN_SECONDS):
                    line = key.fileobj.readline()
                    if not line.startswith("open "):
                        raise MeasureError(f"a holder gave up: {self.complaint()}")
                    selector.unregister(key.fileobj)
                    if to_start:
                        holder = to_start.pop()()
                        holders.append(holder)
                        selector.register(holder.stdout, selectors.EVENT_READ, holder)
                if to_start is not None:
                    progress(f"opening connections: {max(0, tcp_sockets() - base) // 2:,} of {self.options.connections:,}")
        return holders


def let_go(holders):
    for holder in holders:
        holder.stdin.write("go\n")
        holder.stdin.flush()


def check(result):
    lost = result.get("hold", {}).get("lost", 0)
    if sum(result["errors"].values()) or lost:
        raise MeasureError(f"errors {result['errors']}, {lost} connections lost: {'; '.join(result['details'][:2])}")


# ---- what is measured -------------------------------------------------------------------------


def quantile(counts, share):
    """Of pairs of value and count, sorted by value."""
    rank = max(1, math.ceil(share * sum(count for _, count in counts)))
    for value, count in counts:
        rank -= count
        if rank <= 0:
            return value
    return 0


def merged_windows(results):
    """For each window its latencies over all generators."""
    windows = []
    for parts in zip(*(result["windows"] for result in results)):
        counts = {}
        for part in parts:
            for value, count in part["histogram"]:
                counts[value] = counts.get(value, 0) + count
        ordered = sorted(counts.items())
        windows.append({
            "responses": sum(counts.values()),
            "errors": sum(part["errors"] for part in parts),
            "p50_us": quantile(ordered, 0.5) / 1000,
            "p99_us": quantile(ordered, 0.99) / 1000,
            "p999_us": quantile(ordered, 0.999) / 1000,
            "max_us": max(part["latency_us"]["max"] for part in parts),
        })
    return windows


def watched(pids, seconds, cores):
    """What ran meanwhile beside the processes of those pids, as a share of all cores."""
    machine, ours = machine_busy_seconds(), busy_seconds(pids)
    began = time.monotonic()
    while (left := began + seconds - time.monotonic()) > 0:
        progress(f"requests over the connections: {seconds - left:.0f} of {seconds:.0f} s")
        time.sleep(min(left, TURN_SECONDS))
    machine, ours = machine_busy_seconds() - machine, busy_seconds(pids) - ours
    return {"others_share": max(0.0, machine - ours) / (seconds * cores), "own_share": ours / (seconds * cores)}


def measure_million(bench, shares):
    """One server and one holder for each number of connections in `shares`."""
    options, cores = bench.options, len(os.sched_getaffinity(0))
    report = {"connections": sum(shares), "warm_connections": WARM_CONNECTIONS * len(shares), "processes": 2 * len(shares)}
    servers = []
    for number in range(len(shares)):
        progress(f"starting server {number + 1} of {len(shares)}")
        servers.append(bench.start_server())
    pids = [server.pid for server in servers]
    report["warm_rounds"] = bench.warm(servers)
    report["kernel_empty"] = kernel_memory()
    report["user_empty"] = user_memory(pids)
    say(f"{len(servers)} servers, warmed in {report['warm_rounds']} rounds: Private_Dirty {mega(report['user_empty']['private_dirty'])} in sum, "
        f"Pss {mega(report['user_empty']['pss'])}")

    rate = options.rate / len(servers)
    flags = ["--hold", options.windows * options.window, "--window", options.window, "--histograms"]
    flags += ["--mode", "poisson", "--rate", rate] if options.rate else []
    starts = [
        lambda server=server, count=count, seed=seed: bench.start_holder(server, count, *flags, "--seed", seed)
        for seed, (server, count) in enumerate(zip(servers, shares))
    ]
    began = time.monotonic()
    holders = bench.wait_open([starts.pop()() for _ in range(min(OPENING_AT_ONCE, len(starts)))], starts)
    report["opening_seconds"] = time.monotonic() - began
    report["sockets"] = tcp_sockets()
    report["user_open"] = user_memory(pids)
    report["kernel_open"] = kernel_memory()
    say_memory(report)

    seconds = options.windows * options.window
    let_go(holders)
    report["run"] = watched(pids + [holder.pid for holder in holders], seconds, cores)
    progress("reading the results")
    results = [bench.result_of(holder) for holder in holders]
    for result in results:
        check(result)
    report["alive"] = sum(result["hold"]["alive"] for result in results)
    report["user_after_requests"] = user_memory(pids)
    if options.rate:
        report["windows"] = merged_windows(results)
        report["lag_p99_us"] = max(result["lag_us"]["p99"] for result in results)
        report["p99_us_median"] = statistics.median(window["p99_us"] for window in report["windows"])
        report["generator_bound"] = sum(result["verdict"] == "generator_bound" for result in results)
    say_requests(report, options)
    bench.processes.end(holders)
    bench.processes.end(servers)
    return report


def measure_growth(bench, most):
    """The same load twice on a fresh server, without growth and with; both ends run before all others where the system allows it."""
    options, cores = bench.options, len(os.sched_getaffinity(0))
    report = {}
    for name, more in (("still", []), ("growing", ["--grow-to", most])):
        server = bench.start_server(before_others=True)
        flags = ["--hold", options.steady, "--mode", "poisson", "--rate", options.steady_rate, "--watch-pid", server.pid, *more]
        holder = bench.start_holder(server, 100, *flags, before_others=True)
        bench.wait_open([holder])
        let_go([holder])
        run = watched([server.pid, holder.pid], options.steady, cores)
        result = bench.result_of(holder)
        check(result)
        report[name] = run | {
            "connections": result["hold"]["alive"], "requests": result["responses"], "latency_us": result["latency_us"],
            "lag_us": result["lag_us"], "server_waited_ns": result["server_waited_ns"],
        }
        bench.processes.end([holder, server])
        latency, lag = result["latency_us"], result["lag_us"]
        say(f"{name + ':':<9} {result['hold']['alive']:6,} connections at the end, {result['responses']:,} requests: p99 "
            f"{latency['p99'] / 1000:.2f} ms, max {latency['max'] / 1000:.2f} ms; taken up at most {lag['max'] / 1000:.2f} ms late, server waited "
            f"{result['server_waited_ns'] * 1e-6:.0f} ms for a core, others used {run['others_share']:.1%} of the machine")
    return report


# ---- saying it --------------------------------------------------------------------------------


def mega(size):
    return f"{size / 1e6:.1f} MB"


def growth(report, at):
    """Bytes for each connection and for all, by kind of memory; those whose slots the warming touched cost as much as the others."""
    fresh = report["connections"] - report["warm_connections"]
    each = {name: (report[at][name] - report["user_empty"][name]) / fresh for name in report["user_empty"]}
    return each, {name: size * report["connections"] for name, size in each.items()}


def say_memory(report):
    each, grown = growth(report, "user_open")
    before, after = report["kernel_empty"], report["kernel_open"]
    say(f"{report['connections']:,} connections open in {report['opening_seconds']:.0f} s, {report['sockets']:,} TCP sockets, "
        f"{report['processes']} processes")
    say(f"user memory of the servers for them: {mega(grown['private_dirty'])} Private_Dirty, {mega(grown['pss'])} Pss; "
        f"{each['private_dirty']:.1f} and {each['pss']:.1f} bytes a connection")
    say(f"in sum the servers have {mega(report['user_open']['private_dirty'])} Private_Dirty, {mega(report['user_open']['pss'])} Pss")
    say(f"kernel: Slab {mega(before['Slab'])} -> {mega(after['Slab'])}, PageTables {mega(before['PageTables'])} -> {mega(after['PageTables'])}; "
        f"MemAvailable fell by {mega(before['MemAvailable'] - after['MemAvailable'])} (both ends, clients' memory included)")


def say_requests(report, options):
    _, grown = growth(report, "user_after_requests")
    say(f"{report['alive']:,} connections alive at the end; user memory for them then {mega(grown['private_dirty'])} Private_Dirty, "
        f"{mega(grown['pss'])} Pss")
    if not options.rate:
        return
    for number, window in enumerate(report["windows"]):
        say(f"window {number}: {window['responses']:,} answers, p50 {window['p50_us'] / 1000:.2f} ms, p99 {window['p99_us'] / 1000:.2f} ms, "
            f"p99.9 {window['p999_us'] / 1000:.2f} ms, max {window['max_us'] / 1000:.2f} ms")
    run = report["run"]
    say(f"{options.rate:,.0f} requests a second over random connections: p99 {report['p99_us_median'] / 1000:.2f} ms (median of {options.windows} "
        f"windows); requests taken up {report['lag_p99_us'] / 1000:.2f} ms late (worst generator's p99); others used "
        f"{run['others_share']:.1%} of the machine, this bench {run['own_share']:.0%}")


def judge(report, options):
    """Name, met, disturbed, in words; a goal that is met is met also on a disturbed machine."""
    goals = []
    for at, when in (("user_open", "idle"), ("user_after_requests", "after the requests")):
        worst = max(growth(report["million"], at)[1].values())
        goals.append((f"user memory {when}: {mega(worst)} for {options.connections:,} connections, goal "
                      f"{mega(GOAL_BYTES * options.connections)}", worst <= GOAL_BYTES * options.connections, False))
    million = report["million"]
    if options.rate:
        disturbed = million["run"]["others_share"] > DISTURBED_SHARE or million["generator_bound"] > 0
        goals.append((f"p99 over them: {million['p99_us_median'] / 1000:.2f} ms, goal {GOAL_P99_US / 1000:.0f} ms",
                      million["p99_us_median"] <= GOAL_P99_US, disturbed))
    if "growth" in report:
        growing, still = report["growth"]["growing"], report["growth"]["still"]
        pause = growing["latency_us"]["max"]
        # The generator itself was held up that long, or the same load met it without any growth.
        disturbed = growing["others_share"] > DISTURBED_SHARE or max(growing["lag_us"]["max"], still["latency_us"]["max"]) > GOAL_PAUSE_US
        goals.append((f"greatest pause while growing: {pause / 1000:.2f} ms, goal {GOAL_PAUSE_US / 1000:.0f} ms", pause <= GOAL_PAUSE_US, disturbed))
    missed = False
    unclear = False
    for words, met, disturbed in goals:
        missed |= not met and not disturbed
        unclear |= not met and disturbed
        say(("met     " if met else "no verdict, disturbed " if disturbed else "MISSED  ") + words)
    report["goals"] = [{"goal": words, "met": met, "disturbed": disturbed} for words, met, disturbed in goals]
    return 1 if missed else 3 if unclear else 0


# ---- before it starts -------------------------------------------------------------------------


def shares_of(connections, most):
    """So many connections for each pair of processes that none has more than `most`."""
    pairs = math.ceil(connections / most)
    return [connections // pairs + (number < connections % pairs) for number in range(pairs)]


def most_per_process():
    """The server's default limit, nine tenths of the descriptors less 64; a holder needs fewer."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    low, high = map(int, read("/proc/sys/net/ipv4/ip_local_port_range").split())
    most = min(hard * 9 // 10 - 64, hard - SPARE_DESCRIPTORS, (high - low) * 8)
    if most < 100:
        raise MeasureError(f"the limit of descriptors is {hard}; at least 1,000 are needed (ulimit -Hn)")
    return most


def check_room(connections, pairs):
    needed = int(connections * KERNEL_BYTES * 1.1) + pairs * PROCESS_BYTES
    available = kernel_memory()["MemAvailable"]
    if needed > available:
        raise MeasureError(f"{connections:,} connections need about {needed / 1e9:.1f} GB of free memory, most of it the kernel's; "
                           f"{available / 1e9:.1f} GB are available. --connections N runs fewer")
    used, _, most = map(int, read("/proc/sys/fs/file-nr").split())
    if 2 * connections + 100 * pairs > most - used:
        raise MeasureError(f"{connections:,} connections need {2 * connections:,} open files, but the system allows {most - used:,} more "
                           "(fs.file-max). --connections N runs fewer")


def commit():
    """Of the tree, with a + when files differ from it; empty outside a repository."""
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def read_options():
    parser = argparse.ArgumentParser(prog="./dev bench million", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--connections", type=int, default=1_000_000)
    parser.add_argument("--engine", default="auto", help="of the servers (default: auto)")
    parser.add_argument("--idle", type=int, default=3600, help="the servers' limit of idleness, in seconds (default: 3600)")
    parser.add_argument("--body", type=int, default=1024, help="bytes of the upload that each has had (default: 1024)")
    parser.add_argument("--rate", type=float, default=10_000, help="requests a second over all connections (default: 10000; 0: none)")
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--window", type=float, default=10, help="seconds (default: 10)")
    parser.add_argument("--steady", type=float, default=60, help="seconds of growing under load (default: 60; 0: leave it out)")
    parser.add_argument("--steady-rate", type=float, default=1_000, help="requests a second meanwhile (default: 1000)")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if options.connections < 5 * WARM_CONNECTIONS or options.windows < 1 or options.window <= 0 or min(options.rate, options.steady, options.body) < 0:
        parser.error(f"--connections is at least {5 * WARM_CONNECTIONS}, --windows at least 1, and no time or rate is negative")
    return options


def main():
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        most = most_per_process()
        shares = shares_of(options.connections, most)
        check_room(options.connections, len(shares))
        say(f"{options.connections:,} connections: {len(shares)} pairs of a server and a holder, at most {most:,} each; "
            f"--engine {options.engine}, idle limit raised to {options.idle} s")
        settings = {name: value for name, value in vars(options).items() if name != "json"}
        report = {"commit": commit(), "kernel": platform.release(), "cores": os.cpu_count(), "options": settings, "pairs": len(shares)}
        with tempfile.TemporaryDirectory(prefix="spate-million-") as folder, Processes() as processes:
            bench = Bench(options, processes, folder)
            report["million"] = measure_million(bench, shares)
            if options.steady > 0:
                report["growth"] = measure_growth(bench, min(most, options.connections))
            bench.errors.close()
        code = judge(report, options)
        if options.json:
            with open(options.json, "w", encoding="ascii") as file:
                json.dump(report, file, indent=1)
                file.write("\n")
        return code
    except MeasureError as error:
        say(f"million: {error}")
        return 2
    except KeyboardInterrupt:
        say("million: stopped; all processes are ended")
        return 130


if __name__ == "__main__":
    sys.exit(main())
