# SPDX-License-Identifier: MIT
"""thresholds.txt: the figures that a change may not exceed. One line each: name, limit, why. `#` begins a comment."""

import math
import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "thresholds.txt")


def read(path=PATH):
    """Name -> limit."""
    limits = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split(None, 2)
            if not words:
                continue
            try:
                name, limit, _why = words
                limits[name] = float(limit)
            except ValueError:
                raise SystemExit(f"{path}:{number}: expected `name limit why`, found: {line.strip()}") from None
    return limits


def failures(measured, limits):
    """A message for each figure above its limit, or without one."""
    for name, value in measured.items():
        if name not in limits:
            yield f"{name}: {value:.2f} was measured, but bench/thresholds.txt has no line for it; add one"
        elif value > limits[name]:
            yield (f"{name}: {value:.2f} is above its limit of {limits[name]:g}. Find what grew with `./dev bench instructions "
                   "--functions`; if it is worth its price, say why and raise the limit with `./dev bench instructions "
                   "--update-thresholds`")


def update(measured, path=PATH, slack=1.03):
    """Sets the limits of what was measured to that and three percent; leaves the other lines and all reasons."""
    with open(path, encoding="utf-8") as file:
        lines = file.readlines()
    for index, line in enumerate(lines):
        words = line.split(None, 2)
        if len(words) == 3 and words[0] in measured:
            limit = math.ceil(measured[words[0]] * slack)
            lines[index] = f"{words[0]:<42} {limit:>6}  {words[2]}"
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines)
