# SPDX-License-Identifier: MIT
"""main.py BINARY ENGINE...: all checks of the showcase, once for each engine."""

import sys

import program
import routes
import wire
from harness import Checks, Server


def main(binary, engines):
    checks = Checks()
    program.bad_input(checks, binary)
    for engine in engines:
        checks.where = engine
        with Server(binary, engine) as server:
            # Takes ten seconds, so it waits while the others run.
            longest = wire.begin_longest_sleep(server)
            routes.run(checks, server)
            wire.run(checks, server)
            checks.attempt("the longest sleep", wire.end_longest_sleep, checks, longest)
            checks.attempt("log", routes.log, checks, server)
        checks.attempt("stopping", program.stopping, checks, binary, engine)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 0 if checks.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
