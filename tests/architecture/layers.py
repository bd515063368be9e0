# SPDX-License-Identifier: MIT
"""Reads layers.txt: a partial order of folders, in the form of Go's deps_test."""

import re


class LayersError(Exception):
    """layers.txt cannot be read, or contradicts itself."""


class Layers:
    def __init__(self, text, name="layers.txt"):
        self.name = name
        self.below = {}  # layer -> the layers written directly below it
        self.line_of = {}  # layer -> the line of the first rule that places it above something
        self.never = []  # (lower, upper, line): upper may not include lower
        self._parse(text)
        self.closure = {layer: self._close(layer, []) for layer in self.below}
        for lower, upper, line in self.never:
            if lower in self.closure[upper]:
                raise LayersError(
                    f"{name}:{line}: `{lower} !< {upper}` is contradicted: the rules above let {upper} include "
                    f"{lower} ({' > '.join(self._path(upper, lower))}). Remove one of those steps."
                )

    def _parse(self, text):
        line = 1
        for raw in re.sub(r"#[^\n]*", "", text).split(";"):
            start = line + raw[: len(raw) - len(raw.lstrip())].count("\n")
            line += raw.count("\n")
            rule = raw.strip()
            if not rule:
                continue
            parts = re.split(r"(!<|<)", rule)
            if len(parts) < 3 or ("!<" in parts and len(parts) != 3):
                raise LayersError(f"{self.name}:{start}: cannot read `{rule}`; write `a, b < c;` or `a !< b;`.")
            groups = [self._names(part, start) for part in parts[0::2]]
            if parts[1] == "!<":
                self.never += [(a, b, start) for a in groups[0] for b in groups[1]]
                continue
            for lower, upper in zip(groups, groups[1:]):
                for b in upper:
                    self.line_of.setdefault(b, start)
                    self.below.setdefault(b, set()).update(a for a in lower if a != "NONE")
        for lower, upper, line in self.never:
            for name in (lower, upper):
                self._known(name, line)
        for layer, names in self.below.items():
            for name in names:
                self._known(name, self.line_of[layer])

    def _names(self, text, line):
        names = [n.strip() for n in text.split(",")]
        for name in names:
            if not re.fullmatch(r"[A-Za-z][\w/]*", name):
                raise LayersError(f"{self.name}:{line}: `{name}` is no layer name; a comma or `;` may be missing.")
        return names

    def _known(self, name, line):
        if name != "NONE" and name not in self.below:
            raise LayersError(f"{self.name}:{line}: `{name}` is used but never placed; add `... < {name};`.")

    def _close(self, layer, trail):
        if layer in trail:
            loop = " < ".join(reversed(trail[trail.index(layer):] + [layer]))
            raise LayersError(f"{self.name}: the rules go in a circle: {loop}. Remove one of them.")
        reached = set()
        for lower in self.below[layer]:
            reached.add(lower)
            reached |= self._close(lower, trail + [layer])
        return reached

    def _path(self, upper, lower):
        for step in sorted(self.below[upper]):
            if step == lower:
                return [upper, lower]
            if lower in self.closure[step]:
                return [upper] + self._path(step, lower)
        return [upper, lower]

    def layer_of(self, concept):
        """The layer of `http/h1/chunked`: its longest prefix that layers.txt names, or None."""
        parts = concept.split("/")
        for size in range(len(parts), 0, -1):
            name = "/".join(parts[:size])
            if name in self.below and not name.isupper():
                return name
        return None

    def may_include(self, upper, lower):
        return upper == lower or lower in self.closure[upper]

    def allowed(self, upper):
        names = sorted(n for n in self.closure[upper] if not n.isupper())
        return ", ".join(names) if names else "nothing but itself"
