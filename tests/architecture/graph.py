# SPDX-License-Identifier: MIT
"""Checks of the include graph: layering, names, cycles, and that CMake says the same as layers.txt."""

import os
import re


def layering(tree, layers):
    for file in tree.files.values():
        here = layers.layer_of(file.concept)
        if here is None and file.path.startswith(("include/", "src/")):
            yield file.path, 1, "", (
                f"{file.path} lies in no layer: {layers.name} does not name `{file.concept.split('/')[0]}`. Move the file, or "
                f"add the layer to {layers.name} with an ADR")
        for inc in file.includes:
            if inc.target is None:
                if file.is_library or file.is_unit_test:
                    if inc.quoted or inc.name.startswith("spate/"):
                        yield file.path, inc.line, str(inc), f"includes {inc}, which does not exist under src/ or include/"
                continue
            target = tree.files[inc.target]
            if file.path.startswith("src/") and inc.quoted and inc.target != "src/" + inc.name:
                yield file.path, inc.line, str(inc), (
                    f"includes {inc} by a short path; write \"{target.path.removeprefix('src/')}\" (private) or <spate/...> (public)")
            there = layers.layer_of(target.concept)
            if here is None or there is None or layers.may_include(here, there):
                yield from _private(file, inc, target)
                continue
            # A unit test stands beside its source but may use the library's own test tools.
            if file.is_unit_test and there == "testing":
                continue
            yield file.path, inc.line, str(inc), (
                f"includes {inc}: {here} may not include {there}. {layers.name}:{layers.line_of[here]} says: {here} sees "
                f"{layers.allowed(here)}. Move the code down, pass a value or a function in, or change the law by an ADR")


def _private(file, inc, target):
    """Applications and examples are written as a user would: from the public headers alone."""
    if file.path.startswith(("apps/", "examples/")) and target.path.startswith("src/"):
        yield file.path, inc.line, str(inc), (
            f"includes the private header {inc}; apps and examples use <spate/...> only. Make it public, or do without")


def _cycle(edges):
    """One circle in `edges` (node -> {node: why}), as a list of nodes, or None. Iterative depth-first search."""
    done = set()
    for start in sorted(edges):
        if start in done:
            continue
        trail, stack = [start], [iter(sorted(edges.get(start, ())))]
        while stack:
            step = next(stack[-1], None)
            if step is None:
                done.add(trail.pop())
                stack.pop()
            elif step in trail:
                return trail[trail.index(step):] + [step]
            elif step not in done:
                trail.append(step)
                stack.append(iter(sorted(edges.get(step, ()))))
    return None


def cycles(tree):
    """No circle between files, and none between folders (a folder and its own subfolders count as one)."""
    by_file, by_folder = {}, {}
    for file in tree.files.values():
        for inc in file.includes:
            if inc.target is None:
                continue
            by_file.setdefault(file.path, {})[inc.target] = f"{file.path}:{inc.line}"
            a, b = os.path.dirname(file.concept), os.path.dirname(tree.files[inc.target].concept)
            nested = a == b or a.startswith(b + "/") or b.startswith(a + "/")
            if not nested and not file.is_unit_test:
                by_folder.setdefault(a, {}).setdefault(b, f"{file.path}:{inc.line}")
    for kind, edges in (("files", by_file), ("folders", by_folder)):
        circle = _cycle(edges)
        if circle:
            steps = [edges[a][b] for a, b in zip(circle, circle[1:])]
            path, line = steps[0].rsplit(":", 1)
            yield path, int(line), "", (
                f"{kind} include each other in a circle: {' -> '.join(circle)} (at {', '.join(steps)}). "
                "Move what both need into a third, lower one")


def cmake(tree, layers):
    """spate_layer(http DEPENDS base ...) names only layers that layers.txt allows, and all that are included."""
    used = {}
    for file in tree.files.values():
        if file.is_library:
            for inc in file.includes:
                if inc.target:
                    target = tree.files[inc.target].concept.split("/")[0]
                    used.setdefault(file.concept.split("/")[0], {}).setdefault(target, f"{file.path}:{inc.line}")
    depends = {}
    src = os.path.join(tree.root, "src")
    for folder in sorted(os.listdir(src)) if os.path.isdir(src) else []:
        path = os.path.join("src", folder, "CMakeLists.txt")
        if os.path.isfile(os.path.join(tree.root, path)):
            with open(os.path.join(tree.root, path), encoding="utf-8") as f:
                text = re.sub(r"#[^\n]*", "", f.read())
            m = re.search(r"spate_layer\s*\(\s*(\w+)(?:\s+DEPENDS\s+([\w\s/]*?))?\s*(?:PRIVATE_LINK[^)]*)?\)", text)
            if not m or m.group(1) != folder:
                yield path, 1, "", f"expected one call `spate_layer({folder} DEPENDS ...)` here"
                continue
            depends[folder] = (m.group(2) or "").split()
            for lower in depends[folder]:
                if lower not in layers.below or not layers.may_include(folder, lower):
                    yield path, 1, "", f"DEPENDS names {lower}, which {layers.name} does not let {folder} see"

    def reach(layer, seen):
        for lower in depends.get(layer, []):
            if lower not in seen:
                seen.add(lower)
                reach(lower, seen)
        return seen

    for folder in depends:
        missing = set(used.get(folder, {})) - reach(folder, set()) - {folder}
        for lower in sorted(missing):
            if lower in layers.below and not layers.may_include(folder, lower):
                continue  # layering() says so already
            path, line = used[folder][lower].rsplit(":", 1)
            yield path, int(line), "", (
                f"uses {lower}, but src/{folder}/CMakeLists.txt does not name it (nor what it DEPENDS on); add it there")
