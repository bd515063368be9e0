#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles a source that must be refused, with the sentence that a user should read.

usage: run.py SOURCE COMPILER [FLAGS...]

The first line of SOURCE is `// expect: SENTENCE`: the compiler's output must contain it (runs of blanks count as one). A source
that has `#ifdef SPATE_REPAIRED` must compile when that is defined: so it is refused for that fault and no other.
"""

import re
import subprocess
import sys


def squeeze(text):
    return re.sub(r"\s+", " ", text)


def main(source, command):
    with open(source, encoding="utf-8") as f:
        text = f.read()
    expect = re.match(r"// expect: (.+)", text)
    if not expect:
        return f"{source}:1: the first line must be `// expect: SENTENCE`"
    got = subprocess.run(command + [source], capture_output=True, text=True)
    if got.returncode == 0:
        return f"{source}: it compiles, but must be refused with: {expect.group(1)}"
    if squeeze(expect.group(1)).strip() not in squeeze(got.stderr):
        return f"{source}: refused, but without the sentence: {expect.group(1)}\n{got.stderr[:8000]}"
    if "SPATE_REPAIRED" in text:
        repaired = subprocess.run(command + ["-DSPATE_REPAIRED", source], capture_output=True, text=True)
        if repaired.returncode != 0:
            return f"{source}: with SPATE_REPAIRED it must compile\n{repaired.stderr[:8000]}"
    return None


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
