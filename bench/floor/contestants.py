# SPDX-License-Identifier: MIT
"""The servers that take turns: the floor, Spate, and nginx and h2o as witnesses. Each is pinned, has a folder for its
files and ends with its `with` block, by its pid."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from load import children
from server_process import ROOT, MeasureError, program

PATIENCE = 20
SHOWCASE, MEASURED = "spate-showcase", "spate-measured-server"
BODIES = {"/plaintext": ("text/plain", "Hello, World!"), "/json": ("application/json", '{"message":"Hello, World!"}')}


class Contestant:
    """A process on its cores. `command` is called with the contestant's folder; a port is read from what the
    process says, or given."""

    def __init__(self, name, command, cores=(0,), port=None):
        self.name, self.cores, self.port, self.folder = name, tuple(cores), port, ""
        self.command, self._make_command = [], command
        self._process = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="spate-bench-")
        try:
            self.command = self._make_command(self)
            with open(self.path("out"), "wb") as out, open(self.path("err"), "wb") as err:
                self._process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                                 cwd=self.folder, preexec_fn=lambda: os.sched_setaffinity(0, self.cores))
            self._wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process is not None and self._process.poll() is None:
            family = [*children(self._process.pid), self._process.pid]
            self._process.terminate()  # nginx's master ends its worker
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                for pid in family:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def _wait_until_it_listens(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise MeasureError(f"{self.name} did not start: {' '.join(self.read('err').split())[:400] or 'it said nothing'}")
            if self.port is None:
                found = re.search(r"http://127\.0\.0\.1:(\d+)", self.read("out"))
                self.port = int(found.group(1)) if found else None
            if self.port is not None:
                try:
                    socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                    return
                except OSError:
                    pass
            time.sleep(0.02)
        raise MeasureError(f"{self.name} did not listen within {PATIENCE} s")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pids(self):
        return [self._process.pid, *children(self._process.pid)]

    def facts(self):
        """For the file of runs, without places of this machine."""
        return {"command": [part.replace(self.folder, "FOLDER").removeprefix(ROOT + "/") for part in self.command],
                "cores": list(self.cores)}


def spate(engine, binary=SHOWCASE, workers=1, cores=(0,), name="spate"):
    return Contestant(name, lambda _: [program(binary), "--listen", "127.0.0.1:0", "--workers", str(workers),
                                       "--engine", engine], cores)


def floor(engine, form, answer, last_answer, close_from):
    """It sends what Spate answered to the same requests, byte for byte, so both ends move the same bytes."""
    def command(self):
        made = [program("spate-floor"), "--engine", engine, "--form", form, "--answer", self.write("answer", answer),
                "--last-answer", self.write("last-answer", last_answer)]
        return made + (["--close-from", str(close_from)] if close_from else [])

    return Contestant("floor" if form == "four-call" else "naive", command)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def nginx():
    port = free_port()

    def command(self):
        routes = "".join(f"location = {path} {{ default_type {kind}; return 200 '{body}'; }}\n"
                         for path, (kind, body) in BODIES.items())
        self.write("nginx.conf", f"""
worker_processes 1; daemon off; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{ listen 127.0.0.1:{port} backlog=4096; {routes} }}
}}""")
        return [binary_of("nginx"), "-p", self.folder, "-e", "stderr", "-c", self.path("nginx.conf")]

    return Contestant("nginx", command, port=port)


def h2o():
    port = free_port()

    def command(self):
        paths = "".join(f'      "{path}":\n        file.file: {self.write(path[1:], body)}\n' for path, (_, body) in BODIES.items())
        # As root it would go to `nobody`, who may not read the folder.
        user = "user: root" if os.geteuid() == 0 else ""
        self.write("h2o.conf", f"""
num-threads: 1
max-connections: 8192
{user}
error-log: /dev/stderr
listen:
  host: 127.0.0.1
  port: {port}
hosts:
  default:
    paths:
{paths}""")
        return [binary_of("h2o"), "-c", self.path("h2o.conf")]

    return Contestant("h2o", command, port=port)


WITNESSES = {"nginx": nginx, "h2o": h2o}


def binary_of(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
