# SPDX-License-Identifier: MIT
"""The training run of `./dev build pgo`: OUTPUT, the profile that the instrumented servers of SPATE_BUILD leave behind.

A mix of what servers do: every scenario of `./dev bench instructions` over one and over many connections and pipelined, connections that
end after a request, waits, streams, and requests that are refused; on each engine that the machine has.
"""

import glob
import os
import subprocess
import sys
import tempfile

from instructions import SCENARIOS, ask_flags, engines, print_missing
from server_process import EngineMissing, MeasureError, ServerProcess, need_tools, progress

REQUESTS = 4000
LOADS = [(1, []), (64, []), (16, ["-m", "16"])]  # connections, flags of h2load
ROUTES = {
    "spate-showcase": ["/", "/users/7", "/card?name=Ada", "/stream?chunks=5&pause=0", "/sleep?ms=1", "/routes"],
    "spate-measured-server": ["/task", "/turn", "/timer", "/other"],
}
REFUSED = ["/nothing/here", "/users/none", "/users/9999999"]


def train(name, engine, folder):
    wrapper = ["env", f"LLVM_PROFILE_FILE={folder}/{name}-{engine}-%p.profraw"]
    with ServerProcess(name, engine, workers=2, wrapper=wrapper) as server:
        for key, (of, path, flags, _) in SCENARIOS.items():
            if of != name:
                continue
            for connections, more in LOADS:
                progress(f"{engine}: {key}, {connections} connections")
                server.ask(path, REQUESTS, connections, [*ask_flags(server, flags), *more])
        for path in ROUTES[name]:
            progress(f"{engine}: {path}")
            server.ask(path, REQUESTS // 4, 64)
        for path in (*ROUTES[name][:1], *REFUSED):
            for _ in range(20):
                subprocess.run(["curl", "-s", "-o", "/dev/null", "-H", "Connection: close", server.url + path], timeout=30, check=True)
    progress("")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: train.py OUTPUT")
    need_tools("h2load", "curl", "llvm-profdata-19")
    with tempfile.TemporaryDirectory(prefix="spate-train-") as folder:
        for engine in engines("all"):
            try:
                for name in ROUTES:
                    train(name, engine, folder)
            except EngineMissing as missing:
                print_missing(engine, missing)
        raw = sorted(glob.glob(os.path.join(folder, "*.profraw")))
        if not raw:
            raise MeasureError("no profile was written; is SPATE_BUILD an instrumented build (preset pgo-train)?")
        subprocess.run(["llvm-profdata-19", "merge", "-o", sys.argv[1], *raw], check=True)
    print(f"profile of {len(raw)} runs in {sys.argv[1]}")


if __name__ == "__main__":
    try:
        main()
    except MeasureError as error:
        progress("")
        sys.exit(f"{error}")
