# SPDX-License-Identifier: MIT
"""thresholds.txt: the figures that a change may not exceed. One line each: name, limit, why. `#` begins a comment."""

import math
import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "thresholds.txt")


def parse(lines):
    """Name -> limit."""
    limits = {}
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].split(None, 2)
        if not words:
            continue
        try:
            name, limit, _why = words
            limits[name] = float(limit)
        except ValueError:
            raise SystemExit(f"{PATH}:{number}: expected `name limit why`, found: {line.strip()}") from None
    return limits


def read():
    with open(PATH, encoding="utf-8") as file:
        return parse(file)


def failures(measured, limits, look):
    """A message for each figure above its limit, or without one. `look` is the command that shows where it comes from."""
    for name, value in measured.items():
        if name not in limits:
            yield f"{name}: {value:.6g} was measured, and bench/thresholds.txt has no line for it; add `{name} LIMIT WHY`"
        elif value > limits[name]:
            yield (f"{name}: {value:.6g} is above its limit of {limits[name]:g}. See what grew: {look}. Take it out again, or, where it is "
                   "worth its price, raise the limit in bench/thresholds.txt in the same change and say why")


def report(measured, limits, look):
    """Prints the failures; returns the exit code."""
    bad = list(failures(measured, limits, look))
    for message in bad:
        print("FAILED " + message)
    return 1 if bad else 0


def updated(lines, measured):
    """The lines with limits three percent above what was measured. Other lines and all reasons stay."""
    for line in lines:
        words = line.split(None, 2)
        if len(words) == 3 and words[0] in measured:
            line = f"{words[0]:<34} {math.ceil(measured[words[0]] * 1.03):>6}  {words[2]}"
        yield line


def update(measured):
    with open(PATH, encoding="utf-8") as file:
        lines = list(updated(file, measured))
    with open(PATH, "w", encoding="utf-8") as file:
        file.writelines(lines)
