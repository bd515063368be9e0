#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs one example as its opening comment says, so that the comment stays true.

usage: run_example.py PROGRAM SOURCE

A server's comment has lines `//   curl ... http://127.0.0.1:8080/...`; behind each stand the lines that its output must contain,
in that order: `//     TEXT`. The port is replaced by the one that the program took. At the end the server is asked to stop and
must leave with 0. A source without such lines is a program that ends by itself, with 0.
"""

import re
import signal
import subprocess
import sys

ORIGIN = "http://127.0.0.1:8080"


def commands(source):
    """[(command, [text, ...])] of the opening comment."""
    found = []
    for line in source.splitlines():
        if not line.startswith("//"):
            break
        if re.match(r"//   (\S.* )?curl ", line):
            found.append((line[5:], []))
        elif line.startswith("//     ") and found:
            found[-1][1].append(line[7:])
    return found


def missing(output, texts):
    """The first text that does not stand in the output behind the one before it."""
    at = 0
    for text in texts:
        at = output.find(text, at)
        if at < 0:
            return text
        at += len(text)
    return None


def serve(program, expected):
    server = subprocess.Popen([program, "--listen", "127.0.0.1:0", "--workers", "1"], stdout=subprocess.PIPE, text=True)
    faults = []
    try:
        origin = None
        for line in server.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                origin = found.group()
                break
        if origin is None:
            return ["the program ended before it said where it listens"]
        for command, texts in expected:
            if not texts:
                faults.append(f"{command}\n  has no line that says what it prints")
            run = subprocess.run(["sh", "-c", command.replace(ORIGIN, origin)], capture_output=True, text=True, timeout=30)
            text = missing(run.stdout, texts)
            if text is not None:
                faults.append(f"{command}\n  does not print: {text}\n  but: {run.stdout.strip()}\n  {run.stderr.strip()}")
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            code = server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            code = "nothing: it did not stop"
    if code != 0:
        faults.append(f"the server was told to stop and left with {code}")
    return faults


def main(program, source):
    with open(source, encoding="utf-8") as file:
        expected = commands(file.read())
    if expected:
        faults = serve(program, expected)
    else:
        run = subprocess.run([program], capture_output=True, text=True, timeout=30)
        print(run.stdout, end="")
        faults = [] if run.returncode == 0 else [f"it ended with {run.returncode}\n{run.stderr}"]
    for fault in faults:
        print(f"{source}: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
