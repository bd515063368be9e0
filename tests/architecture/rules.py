# SPDX-License-Identifier: MIT
"""Checks of single files: surface, confinement, purity, words. Each yields (file, line, what, message)."""

import fnmatch
import re

HEAVY = {"functional", "iostream", "regex", "ranges", "filesystem", "map", "algorithm"}
PURE = {"base", "coro", "http", "json", "app", "topics"}

# (pattern, what it is called, what to do instead), looked for in code without comments and literals.
IMPURE = [
    (r"(?<![\w>])::(read|write|recv|send|open|close|clock_gettime)\s*\(", "a system call",
     "let the I/O side (io, net, server) do it and pass the bytes in"),
    (r"\b\w*_clock::now\b", "the clock", "take the time from the runtime (coro) or as an argument"),
    (r"\bstd::j?thread\b", "a thread", "threads belong to io and server; use the runtime's offload or post"),
    (r"\bstd::(\w+_)?mutex\b", "a mutex", "a worker owns what it touches; reach others through post"),
    (r"\bstd::condition_variable\w*", "a condition variable", "wait through the runtime (coro)"),
]
VALUE = "return an Error (Result<T>): the library never prints or ends its host"
DEADLY = [
    (r"(?<![\w.>])(std::|(?<!:)::)?(v?f?printf|puts|fputs|perror)\s*\(", VALUE),
    (r"\bstd::c(out|err|log)\b", VALUE),
    (r"\bstd::(abort|exit|_Exit|quick_exit|terminate)\b|(?<![\w:>])::(abort|_?exit)\s*\(", VALUE),
    (r"(?m)(?:^|[;{})])[ \t]*(abort|_?exit)\s*\(", VALUE + " (a call of a member: write this->abort())"),
]
STD_LITERALS = r"using\s+namespace\s+std::(\w+::)*\w*literals\s*;"


def surface(file):
    """Public headers include only std (without the heavy ones) and <spate/...>."""
    if not file.is_public:
        return
    for inc in file.includes:
        what = str(inc)
        if inc.quoted:
            yield inc.line, what, f"a public header includes {what}; write <spate/...>, public headers see no private ones"
        elif inc.name in HEAVY:
            yield inc.line, what, (
                f"a public header includes {what}, which is heavy to compile (hello world must stay under 3 s); "
                "use a lighter header or move the code into src/")
        elif not inc.name.startswith("spate/") and re.search(r"[./]", inc.name):
            yield inc.line, what, f"a public header includes {what}; only std and <spate/...> may be seen there, hide it in src/"


def read_confinement(text, name):
    rules = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#")[0].strip()
        if line:
            if ":" not in line:
                raise ValueError(f"{name}:{number}: cannot read `{line}`; write `headers : places  # why`.")
            headers, places = line.split(":", 1)
            rules.append((headers.split(), places.split(), number))
    return rules


def _lies_in(path, place):
    return path == place or path.startswith(place.rstrip("/") + "/") or fnmatch.fnmatch(path, place)


def confinement(file, rules, name):
    """Foreign headers appear only where confinement.txt lists them."""
    for inc in file.includes:
        if inc.quoted or inc.name.startswith("spate/") or not re.search(r"[./]", inc.name):
            continue
        for headers, places, number in rules:
            if any(fnmatch.fnmatch(inc.name, h) for h in headers):
                if not any(_lies_in(file.path, place) for place in places):
                    yield inc.line, str(inc), (
                        f"includes <{inc.name}>; {name}:{number} confines it to {', '.join(places)}. "
                        "Use what those folders offer, or move this code there")
                break
        else:
            yield inc.line, str(inc), (
                f"includes <{inc.name}>, which {name} does not list: a new dependency is a decision, write an ADR "
                "(for a C header such as <stdio.h> use the C++ one, <cstdio>)")


def purity(file):
    """Protocol and application folders make no system call, read no clock and know no thread."""
    if not file.is_library or file.concept.split("/")[0] not in PURE:
        return
    for pattern, name, instead in IMPURE:
        for m in re.finditer(pattern, file.code):
            what = re.sub(r"\s*\($", "", m.group(0))
            yield file.line_at(m.start()), what, f"uses {name} (`{what}`) in the pure folder {file.concept.split('/')[0]}; {instead}"


def words(file):
    """Words and shapes that no file may have."""
    ours = file.path.startswith(("include/", "src/"))
    if ours and not file.text.startswith("// SPDX-License-Identifier: MIT\n"):
        yield 1, "SPDX", "the first line is `// SPDX-License-Identifier: MIT`"
    if file.is_header and ours and not re.search(r"(?m)^#pragma once$", file.code):
        yield 1, "#pragma once", "a header without `#pragma once`"
    if file.is_header:
        literals = [m.span() for m in re.finditer(STD_LITERALS, file.code)]
        for m in re.finditer(r"\busing\s+namespace\b", file.code):
            if not any(a <= m.start() < b for a, b in literals):
                yield file.line_at(m.start()), "using namespace", (
                    "`using namespace` in a header reaches everyone who includes it; name what is used")
    if file.is_library and file.concept.split("/")[0] != "spate":
        for pattern, instead in DEADLY:
            for m in re.finditer(pattern, file.code):
                what = re.sub(r"^[;{})\s]+|\s*\($", "", m.group(0))
                yield file.line_at(m.start()) + m.group(0).lstrip(" \t").count("\n"), what, f"`{what}` in the library; {instead}"
    for m in re.finditer(r"\bTODO\b(?!\(#\d+\))", file.text):
        yield file.line_at(m.start()), "TODO", "a TODO without an issue number; write TODO(#12) or do it"
    for inc in file.includes:
        if inc.name == "spate/spate.hpp" and ours and not file.concept.startswith("testing/") and not file.is_unit_test:
            yield inc.line, "<spate/spate.hpp>", "the umbrella is for applications; include the headers that are used"
