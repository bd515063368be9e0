#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The law of the house, run: who includes whom (layers.txt), and what a file may contain.

usage: check_layers.py [ROOT]     exit 0: kept; 1: broken, one line each on stdout; 2: the law itself cannot be read
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import graph  # noqa: E402
import rules  # noqa: E402
from layers import Layers, LayersError  # noqa: E402
from tree import Tree  # noqa: E402

FOLDER = "tests/architecture"


def read(root, path):
    full = os.path.join(root, path)
    if not os.path.isfile(full):
        return ""
    with open(full, encoding="utf-8") as f:
        return f.read()


def read_exceptions(text, name):
    found = {}
    for number, raw in enumerate(text.splitlines(), 1):
        rule, _, why = raw.partition(" #")
        if raw.startswith("#") or not rule.strip():
            continue
        fields = rule.split(None, 2)
        if len(fields) != 3 or not why.strip():
            raise ValueError(f"{name}:{number}: cannot read `{raw}`; write `check file what  # why`.")
        found[(fields[0], fields[1], fields[2].strip())] = number
    return found


def findings(root):
    """All broken rules of the tree at `root`, as (file, line, check, message)."""
    law = read(root, "layers.txt")
    if not law.strip():
        raise LayersError("layers.txt: not found or empty; it says who may include whom.")
    layers = Layers(law)
    confine_name, except_name = f"{FOLDER}/confinement.txt", f"{FOLDER}/exceptions.txt"
    confine = rules.read_confinement(read(root, confine_name), confine_name)
    excused = read_exceptions(read(root, except_name), except_name)
    needed = set()
    tree = Tree(root)

    for check, problems in (
        ("layering", graph.layering(tree, layers)),
        ("cycles", graph.cycles(tree)),
        ("cmake", graph.cmake(tree, layers)),
    ):
        for path, line, _, message in problems:
            yield path, line, check, message
    for path, file in tree.files.items():
        for check, problems in (
            ("surface", rules.surface(file)),
            ("confinement", rules.confinement(file, confine, confine_name)),
            ("purity", rules.purity(file)),
            ("words", rules.words(file)),
        ):
            for line, what, message in problems:
                if (check, path, what) in excused:
                    needed.add((check, path, what))
                else:
                    yield path, line, check, message
    for key in sorted(set(excused) - needed):
        yield except_name, excused[key], "exceptions", f"`{' '.join(key)}` excuses nothing any more; remove the line"


def main(argv):
    root = argv[1] if len(argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    try:
        found = sorted(set(findings(root)))
    except (LayersError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    for path, line, check, message in found:
        print(f"{path}:{line}: {check}: {message}.")
    print(f"architecture: {len(found)} broken rules" if found else "architecture: all rules kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
