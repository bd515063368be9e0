# SPDX-License-Identifier: MIT
"""What a run is worth, and what pairs of runs say. Pure: numbers in, numbers out.

A run is one turn of one server: a dictionary of its figures. Two runs of the same round make a pair. Times drift by
a factor of three within a minute on small machines, so only ratios and differences within pairs are compared.
"""

import random
import statistics

# A generator above this share of its core may be what limits a closed loop; it is, when the server's core idles.
BUSY_GENERATOR = 0.85
BUSY_SERVER = 0.85
# Parts of the measured window that the server or the generator was ready to run and did not have its core.
MOST_WAITING = 0.03
# Parts of both cores' time that the hypervisor gave to others, and that other processes took.
MOST_STEAL = 0.005
MOST_OTHERS = 0.03
# Of the server, a second. A quiet machine shows a few: timers of the kernel, and its own threads.
MOST_SWITCHES = 250
# An open loop that falls behind this share of its rate measures the generator.
LEAST_OF_RATE = 0.98

# Closed loops whose rates lie within this ask for the same, whatever limits them.
EVEN_RATES = 1.1

LEAST_PAIRS = 5  # fewer say nothing
RESAMPLES = 4000


def is_busy(run):
    return run["server_ns"] / run["window_ns"] >= BUSY_SERVER * run["server_cores"]


def marks(run, shared_core=False):
    """Why a run is not to be trusted; an empty list when it is. With a shared core, waiting for it is part of the plan."""
    found = []
    if run["errors"]:
        found.append("errors")
    generator_share = run["generator_ns"] / run["window_ns"]
    if run["offered"]:
        if generator_share > BUSY_GENERATOR or run["rate"] < LEAST_OF_RATE * run["offered"]:
            found.append("generator-bound")
    elif generator_share > BUSY_GENERATOR and not is_busy(run):
        found.append("generator-bound")
    waited = 0 if shared_core else max(run["server_waited_ns"], run["generator_waited_ns"]) / run["window_ns"]
    switches = 0 if shared_core else run["server_switches"] * 1e9 / run["window_ns"]
    if waited > MOST_WAITING or switches > MOST_SWITCHES or run["steal"] > MOST_STEAL or run["others"] > MOST_OTHERS:
        found.append("disturbed")
    return found


def pair_is_valid(one, other):
    """Errors and disturbance spoil a pair. So does unevenness: a busy server finds its requests in batches, one that idles finds them
    singly, and that alone changes what a request costs. Both must have been busy, or asked at about the same rate."""
    both = set(one["marks"]) | set(other["marks"])
    if both & {"errors", "disturbed"}:
        return False
    if one["offered"] or other["offered"]:
        return "generator-bound" not in both
    rates = sorted((one["rate"], other["rate"]))
    return (is_busy(one) and is_busy(other)) or rates[1] <= EVEN_RATES * rates[0]


def percentile(values, share):
    """With interpolation between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def upper_bound(values, share=0.95, resamples=RESAMPLES):
    """What the median stays below with that confidence: a bootstrap over the pairs. Seeded, so that a file of results
    gives the same bound again."""
    source = random.Random(1)
    medians = [statistics.median(source.choices(values, k=len(values))) for _ in range(resamples)]
    return percentile(medians, share)


def compare(pairs, figure, as_difference=False):
    """Median and upper bound of `figure` of the first against the second over valid pairs; over all pairs, and with
    "trusted" false, when the valid ones are too few."""
    valid = [pair for pair in pairs if pair_is_valid(*pair)]
    trusted = len(valid) >= LEAST_PAIRS and 2 * len(valid) >= len(pairs)
    values = []
    for one, other in valid if trusted else pairs:
        a, b = figure(one), figure(other)
        if a is not None and b:
            values.append(a - b if as_difference else a / b)
    if not values:
        return None
    return {"median": statistics.median(values), "upper": upper_bound(values), "pairs": len(pairs),
            "valid": len(valid), "trusted": trusted}


def verdict(compared, goal):
    if compared is None or not compared["trusted"]:
        return "no verdict"
    if goal is None:
        return ""
    return "holds" if compared["upper"] <= goal else "misses"


# ---- figures of a run -----------------------------------------------------------------------------------------------
def server_us(run):
    """The server's processor time per answer."""
    return run["server_ns"] / run["answers"] / 1e3 if run["answers"] else None


def both_us(run):
    """Both ends' processor time per answer: the kernel's work moves between them."""
    return (run["server_ns"] + run["generator_ns"]) / run["answers"] / 1e3 if run["answers"] else None


def median_of(runs, figure):
    values = [value for value in map(figure, runs) if value is not None]
    return statistics.median(values) if values else None
