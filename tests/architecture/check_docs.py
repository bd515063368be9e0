#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Documents that tell the truth: links lead somewhere, and quoted code is the code of a file.

A fenced block that follows a line `<!-- snippet: examples/x.cpp -->` must equal that file without its licence
line; with `#name` behind the path it must equal the lines between `// [name]` and `// [/name]`, dedented.
"""
import re
import sys
import textwrap
from pathlib import Path

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
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
    for found in SNIPPET.finditer(text):
        path, name, block = found.groups()
        number = text[: found.start()].count("\n") + 1
        source = quoted(root, path, name)
        if source is None:
            faults.append(f"{where}:{number}: there is no {path}{'#' + name if name else ''} to quote")
        elif source.strip() != block.strip():
            faults.append(f"{where}:{number}: the block is not what {path} says; paste it anew")
    return faults


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    pages = [p for p in root.rglob("*.md") if not {"build", "node_modules", ".git"} & set(p.relative_to(root).parts)]
    faults = [fault for page in sorted(pages) for fault in faults_of(root, page)]
    for fault in faults:
        print(fault)
    print(f"documents: {len(pages)} pages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
