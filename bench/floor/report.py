# SPDX-License-Identifier: MIT
"""The table of a scenario, and the file of all runs."""

import hashlib
import json
import os
import platform
import subprocess
import sys
import time

import contestants
import pairs
from server_process import BUILD, ROOT

FIGURES = {"server": pairs.server_us, "both": pairs.both_us, "p99": lambda run: run["latency_us"][1]}
WORDS = {"server": "server's CPU a request", "both": "both ends' CPU a request", "p99": "p99"}


def judge(table):
    """The judgements of a scenario, with what they came to."""
    judged = []
    for judgement in table.scenario.judgements:
        difference = judgement.figure == "p99"
        compared = pairs.compare(table.pairs_of(judgement.who, judgement.against), FIGURES[judgement.figure], difference)
        judged.append({"figure": judgement.figure, "who": judgement.who, "against": judgement.against, "goal": judgement.goal,
                       "is": "difference in us" if difference else "ratio", "compared": compared,
                       "verdict": pairs.verdict(compared, judgement.goal)})
    # The others beside the floor, without a goal.
    for name in table.players:
        if name == "naive" or name in contestants.WITNESSES:
            against = "naive" if "naive" in table.players and name != "naive" else "floor"
            for figure in ("server", "both") if table.scenario.naive else ("server",):
                compared = pairs.compare(table.pairs_of(name, against), FIGURES[figure])
                judged.append({"figure": figure, "who": name, "against": against, "goal": None, "is": "ratio",
                               "compared": compared, "verdict": pairs.verdict(compared, None)})
    return judged


def counted(words):
    return ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))


def sentence(judgement):
    compared = judgement["compared"]
    start = f"  {judgement['who']} against {judgement['against']}, {WORDS[judgement['figure']]}: "
    if compared is None:
        return start + "nothing to compare"
    form = "{:+.1f} us" if judgement["is"] != "ratio" else "{:.3f}"
    text = start + f"{form.format(compared['median'])}, upper 95 % bound {form.format(compared['upper'])}"
    if judgement["goal"] is not None:
        text += f", goal <= {judgement['goal']:g}"
    if judgement["verdict"]:
        text += f": {judgement['verdict']}"
    return text + f" ({compared['valid']} of {compared['pairs']} pairs valid)"


def row(table, name):
    turns = table.of(name)

    def median(figure):
        value = pairs.median_of(turns, figure)
        return 0.0 if value is None else value

    answers, errors = sum(turn["answers"] for turn in turns), sum(turn["errors"] for turn in turns)
    marks = counted([mark for turn in turns for mark in turn["marks"]])
    latencies = " ".join(f"{median(lambda turn, i=i: turn['latency_us'][i]):8.0f}" for i in range(4))
    connects = "/".join(f"{median(lambda turn, i=i: turn['connect_us'][i]):.0f}" for i in (0, 1))
    return (f"  {name:11} {median(pairs.server_us):8.3f} {median(pairs.both_us):8.3f} {median(lambda turn: turn['rate']):9.0f} "
            f"{median(lambda turn: turn['bytes'] / turn['window_ns'] * 1e3):8.1f} {errors / max(answers + errors, 1):8.1e} "
            f"{connects:>10} {latencies}  {median(lambda turn: turn['server_ns'] / turn['window_ns']):4.2f} "
            f"{median(lambda turn: turn['generator_ns'] / turn['window_ns']):4.2f}  {marks or '-'}")


def print_table(table, judged):
    scenario = table.scenario
    loop = f"{table.rate:.0f} requests a second" if table.rate else "closed loop"
    print(f"\n{table.name}, {table.engine}: {scenario.what}; {scenario.binary}, {loop}, {table.turns[-1]['round'] + 1} rounds")
    print("              server     both                            errors    connect  latency, us                           cores")
    print("              us/req   us/req     req/s     MB/s    rate    p50/p99      p50      p99    p99.9      max  srv  gen  marks")
    for name in table.players:
        print(row(table, name))
    if table.saturation:
        print("  saturation: " + ", ".join(f"{name} {rate:.0f}" for name, rate in table.saturation.items()) + " requests a second")
    for judgement in judged:
        print(sentence(judgement))
    first = next(((turn, turn["details"][0]) for turn in table.turns if turn["details"]), None)
    if first:
        print(f"  {first[0]['who']}, round {first[0]['round']}: {first[1]}")
    sys.stdout.flush()


# ---- the file -------------------------------------------------------------------------------------------------------
def first_line_of(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return "not there"
    lines = (done.stdout + done.stderr).splitlines()
    return lines[0] if lines else ""


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def cached(*names):
    """Settings of the build that change what is measured."""
    found = {}
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        for line in file:
            name, _, rest = line.partition(":")
            if name in names:
                found[name] = rest.partition("=")[2].strip()
    return found


def version_of(name, flag):
    binary = contestants.binary_of(name)
    return first_line_of(binary, flag) if binary else "not there"


def floor_sum():
    """Of the sources of the floor: figures of two files compare when these are equal."""
    total = hashlib.sha256()
    folder = os.path.join(ROOT, "bench", "floor")
    for name in sorted(os.listdir(folder)):
        if name.endswith((".cpp", ".hpp")):
            with open(os.path.join(folder, name), "rb") as file:
                total.update(file.read())
    return total.hexdigest()


def machine():
    settings = cached("CMAKE_CXX_COMPILER", "CMAKE_BUILD_TYPE", "CMAKE_CXX_FLAGS", "CMAKE_CXX_FLAGS_RELEASE")
    return {
        "kernel": platform.release(), "cpu": cpu_model(), "cores": os.cpu_count(),
        "memory_kib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024,
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", ""),
        "load_at_start": os.getloadavg(),
        "compiler": first_line_of(settings.get("CMAKE_CXX_COMPILER", "c++"), "--version"), "build": settings,
        "nginx": version_of("nginx", "-v"), "h2o": version_of("h2o", "--version"), "floor_sha256": floor_sum(),
        "commit": first_line_of("git", "-C", ROOT, "rev-parse", "HEAD"), "tree_changed": bool(first_line_of("git", "-C", ROOT, "status", "--porcelain", "--untracked-files=no")),
    }


class File:
    """Results so far, written anew after each scenario, so that an interrupted run keeps what it has."""

    def __init__(self, path, what, arguments):
        self._path = path
        self.content = {"version": 1, "what": what, "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                        "machine": machine(), "arguments": arguments, "scenarios": []}

    def add(self, part):
        self.content["scenarios"].append(part)
        self.write()

    def add_table(self, table, judged):
        scenario = table.scenario
        self.add({"name": table.name, "engine": table.engine, "what": scenario.what, "binary": scenario.binary,
                  "load": list(scenario.flags), "path": scenario.path, "rate": table.rate, "saturation": table.saturation,
                  "players": {name: player.facts() for name, player in table.players.items()},
                  "judged": judged, "turns": table.turns})

    def write(self):
        if not self._path:
            return
        # One line for each turn, so that a difference of two files can be read.
        text = json.dumps({**self.content, "scenarios": None}, indent=1)
        parts = []
        for part in self.content["scenarios"]:
            turns = ",\n".join("   " + json.dumps(turn, separators=(",", ":")) for turn in part.get("turns", []))
            parts.append(json.dumps({**part, "turns": "TURNS"}, indent=1).replace('"TURNS"', f"[\n{turns}\n  ]"))
        with open(self._path + ".new", "w", encoding="utf-8") as file:
            file.write(text.replace('"scenarios": null', '"scenarios": [\n' + ",\n".join(parts) + "\n]") + "\n")
        os.replace(self._path + ".new", self._path)
