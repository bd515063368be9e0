# SPDX-License-Identifier: MIT
"""A server under measurement: starts one of our programs on a free port, asks it with h2load, and ends it by its pid.

Used by the Python scripts of this folder as common.bash is by the others. Nothing here outlives the `with` block.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("SPATE_BUILD", os.path.join(ROOT, "build", "release"))


class MeasureError(Exception):
    """What went wrong, in one line for whoever runs the benchmark."""


class EngineMissing(MeasureError):
    """The engine does not exist in this build, on this kernel, or under the tool that wraps the server."""


def need_tools(*names):
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise MeasureError(f"missing: {' '.join(missing)}; ./dev setup bench installs what the benchmarks need")


def program(name):
    path = os.path.join(BUILD, "bin", name)
    if not os.access(path, os.X_OK):
        raise MeasureError(f"there is no {path}; run ./dev build first, or set SPATE_BUILD")
    return path


class ServerProcess:
    """`with ServerProcess("spate-showcase", "epoll", wrapper=["valgrind"]) as server: ... server.url`"""

    def __init__(self, name, engine="epoll", workers=1, wrapper=(), patience=60, port=0):
        self.name, self.engine = name, engine
        self._command = [*wrapper, program(name), "--listen", f"127.0.0.1:{port}", "--workers", str(workers), "--engine", engine]
        self._patience = patience
        self._process = None
        self.work = None
        self.url = ""

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        # Whoever ends this script by a signal ends the server too: `with` unwinds on exceptions alone.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.work = tempfile.mkdtemp(prefix="spate-bench-")
        with open(self._path("out"), "wb") as out, open(self._path("err"), "wb") as err:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=err, cwd=self.work)
        try:
            self._wait_for_url()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(how)
                try:
                    self._process.wait(20)
                except subprocess.TimeoutExpired:
                    continue
        shutil.rmtree(self.work, ignore_errors=True)

    def _path(self, name):
        return os.path.join(self.work, name)

    def read(self, name):
        with open(self._path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def _wait_for_url(self):
        until = time.monotonic() + self._patience
        while time.monotonic() < until:
            self.url = self._find_url()
            if self.url:
                return
            if self._process.poll() is not None:
                # Exit code 2 is a refusal of the flags: here, of the engine.
                kind = EngineMissing if self._process.returncode == 2 else MeasureError
                raise kind(f"{self.name} --engine {self.engine} did not start: {self._complaint()}")
            time.sleep(0.02)
        raise MeasureError(f"{self.name} --engine {self.engine} named no address within {self._patience} s: {self._complaint()}")

    def _find_url(self):
        """Where the server can be asked, or nothing as long as it cannot."""
        found = re.search(r"http://[0-9.]+:[0-9]+", self.read("out"))
        return found.group() if found else ""

    def _complaint(self):
        lines = [line for line in self.read("err").splitlines() if line.strip() and not line.startswith("==")]
        return " / ".join(lines[:3]) or "it said nothing"

    def alive(self):
        return self._process.poll() is None

    def ask(self, path, requests, connections, flags=(), timeout=300):
        """Sends the requests with h2load and insists that each is answered 2xx."""
        connections = min(connections, requests)
        done = subprocess.run(
            ["h2load", "--h1", "-t", "1", "-c", str(connections), "-n", str(requests), *flags, self.url + path],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, cwd=self.work, check=False)
        found = re.search(r"status codes: (\d+) 2xx", done.stdout)
        if not found or int(found.group(1)) != requests:
            raise MeasureError(f"h2load: not all of {requests} requests to {path} were answered 2xx: "
                               + " ".join((done.stdout + done.stderr).split())[-400:])


def progress(text):
    """A line that is overwritten; only where a person watches."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K" + text)
        sys.stderr.flush()
