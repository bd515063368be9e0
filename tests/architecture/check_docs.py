#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Documents that tell the truth: links lead somewhere, and quoted code is the code of a file.

A fenced block that follows a line `<!-- snippet: examples/x.cpp -->` must equal that file without its licence
line; with `#name` behind the path it must equal the lines between `// [name]` and `// [/name]`, dedented. In README.md and docs/
every C++ block is such a quotation. docs/limits.md lists every field of limits.hpp with its default, and nothing else.
"""
import re
import sys
import textwrap
from pathlib import Path

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CPP = re.compile(r"(<!-- snippet: \S+ -->\n)?```(?:cpp|c\+\+)\n")
LIMITS = "include/spate/http/limits.hpp"
FIELD = re.compile(r"^  (?:std::)?(?P<type>[\w:]+) (?P<name>\w+)(?: =\s+|\{)(?P<value>[^;]*?)\}?;", re.M)
ROW = re.compile(r"^\| `(?P<name>[\w.]+)` \| (?P<unit>[^|]+) \| (?P<value>[^|]+) \|", re.M)
UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
SNIPPET = re.compile(r"<!-- snippet: (\S+?)(?:#(\w+))? -->\n```\w*\n(.*?)```", re.S)


def quoted(root: Path, path: str, name: str | None) -> str | None:
    file = root / path
    if not file.is_file():
        return None
    text = file.read_text()
    if name is None:
        return re.sub(r"\A// SPDX[^\n]*\n", "", text)
    found = re.search(rf"[^\n]*// \[{name}\]\n(.*?)[^\n]*// \[/{name}\]", text, re.S)
    return textwrap.dedent(found.group(1)) if found else None


def faults_of(root: Path, page: Path) -> list[str]:
    text = page.read_text()
    where = page.relative_to(root)
    faults = []
    without_code = re.sub(r"```.*?```", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.S)
    for number, line in enumerate(without_code.splitlines(), 1):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not (page.parent / target.split("#")[0]).exists():
                faults.append(f"{where}:{number}: the link to {target} leads nowhere; mend or remove it")
    if where.parts[0] in ("README.md", "docs"):
        for found in CPP.finditer(text):
            if not found.group(1):
                number = text[: found.start()].count("\n") + 1
                faults.append(f"{where}:{number}: C++ that nobody compiles; quote an example: <!-- snippet: FILE#NAME -->")
    for found in SNIPPET.finditer(text):
        path, name, block = found.groups()
        number = text[: found.start()].count("\n") + 1
        source = quoted(root, path, name)
        if source is None:
            faults.append(f"{where}:{number}: there is no {path}{'#' + name if name else ''} to quote")
        elif source.strip() != block.strip():
            faults.append(f"{where}:{number}: the block is not what {path} says; paste it anew")
    return faults


def amount(text: str) -> int | None:
    """8_KiB, 8 KiB, 10'000, 10 s: a number of bytes or milliseconds; no and yes as 0 and 1."""
    text = text.strip().replace("'", "").replace(",", "").replace("_", " ")
    text = {"false": "0", "true": "1", "no": "0", "yes": "1"}.get(text, text)
    found = re.fullmatch(r"(\d+)\s*(\w*)", text)
    return int(found.group(1)) * UNITS[found.group(2)] if found and found.group(2) in UNITS else None


def limits_of(header: str) -> dict[str, int | None]:
    """Name and default of each field; those of RouteLimits as `route.NAME`."""
    of_route, of_server = header.split("struct RouteLimits {", 1)[1].split("struct Limits {", 1)
    fields = {"route." + f["name"]: amount(f["value"]) for f in FIELD.finditer(of_route)}
    fields.update((f["name"], amount(f["value"])) for f in FIELD.finditer(of_server))
    return fields


def faults_of_limits(header: str, page: str) -> list[str]:
    fields = limits_of(header)
    rows = {row["name"]: amount(row["value"]) for row in ROW.finditer(page)}
    faults = [f"docs/limits.md: the limit {name} of {LIMITS} is missing" for name in fields if name not in rows]
    faults += [f"docs/limits.md: there is no limit {name} in {LIMITS}" for name in rows if name not in fields]
    faults += [f"docs/limits.md: the default of {name} is {fields[name]} in {LIMITS}, here {rows[name]} (bytes, ms)"
               for name in fields if name in rows and (rows[name] is None or rows[name] != fields[name])]
    return faults


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    pages = [p for p in root.rglob("*.md") if not {"build", "node_modules", ".git"} & set(p.relative_to(root).parts)]
    faults = [fault for page in sorted(pages) for fault in faults_of(root, page)]
    faults += faults_of_limits((root / LIMITS).read_text(), (root / "docs/limits.md").read_text())
    for fault in faults:
        print(fault)
    print(f"documents: {len(pages)} pages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
