# SPDX-License-Identifier: MIT
"""Takes turns: starts what takes part in a scenario, and asks one after the other, there and back (A B B A), so that a machine
that slows down hits all alike."""

import contextlib
import re
import socket
import statistics
import subprocess
import threading

import contestants
import load
import pairs
from server_process import MeasureError, program

SATURATIONS = 3  # closed loops that find the rate of an open one
PATIENCE = 20


def read_message(connection):
    """A head, and the body that its Content-Length announces."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise MeasureError(f"a message ended within its head: {data[:200]!r}")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    found = re.search(rb"(?im)^content-length:[ ]*(\d+)", head)
    length = int(found.group(1)) if found else 0
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            raise MeasureError("a message ended within its body")
        body += piece
    return head + b"\r\n\r\n" + body[:length]


def captured(flags, path):
    """The bytes of the first request that spate-load sends with these flags."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        got = []

        def listen():
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                connection.settimeout(PATIENCE)
                got.append(read_message(connection))

        thread = threading.Thread(target=listen)
        thread.start()
        # Nobody answers, so it ends with errors; what it says is of no interest.
        subprocess.run([program("spate-load"), *flags, "--connections", "1", "--duration", "0.2", "--warmup", "0", "--timeout",
                        "0.2", "--quiet", f"http://127.0.0.1:{listener.getsockname()[1]}{path}"],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
        thread.join()
    if not got:
        raise MeasureError("spate-load sent no request: is this its version?")
    return got[0]


def answer_of(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        answer = read_message(connection)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise MeasureError(f"the server answers {answer[:200]!r} to {request[:200]!r}")
    return answer


class Table:
    """Those who take part in a scenario, and their turns so far."""

    def __init__(self, engine, name, scenario, witnesses, seconds):
        self.engine, self.name, self.scenario, self.seconds = engine, name, scenario, seconds
        self._witnesses = witnesses if scenario.witnesses else []
        self._stack = contextlib.ExitStack()
        self.players = {}
        self.turns = []
        self.saturation = {}
        self.rate = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _join(self, player):
        self.players[player.name] = self._stack.enter_context(player)
        return player

    def _start(self):
        scenario = self.scenario
        self.flags = list(scenario.flags)
        if scenario.two_workers:
            for count, name in ((2, "two-workers"), (1, "one-worker")):
                self._join(contestants.spate(self.engine, scenario.binary, count, load.CORES, name))
            return
        spate = self._join(contestants.spate(self.engine, scenario.binary))
        if scenario.requests:
            self.flags += ["--requests", spate.write("requests", scenario.requests())]
        one_by_one = [*self.flags, "--short-share", "0", "--pipeline", "1"]
        staying = captured([*one_by_one, "--reconnect", "0"], scenario.path)
        leaving = captured([*one_by_one, "--reconnect", "1"], scenario.path)
        # A floor does not read headers; it knows the last request of a connection by its length.
        close_from = {"": 0, "all": 1, "some": (len(staying) + len(leaving)) // 2}[scenario.closes]
        answers = answer_of(spate.port, staying), answer_of(spate.port, leaving)
        self._join(contestants.floor(self.engine, "four-call", *answers, close_from))
        if scenario.naive:
            self._join(contestants.floor(self.engine, "naive", *answers, close_from))
        for name in self._witnesses:
            self._join(contestants.WITNESSES[name]())

    def _ask(self, player, seconds, rate=None):
        return load.ask(player.url + self.scenario.path, self.flags, player.pids, seconds, rate,
                        server_cores=len(player.cores))

    def warm_up(self):
        """One short turn each; for an open loop also what each reaches in a closed one, of which the rate is a share."""
        for player in self.players.values():
            self._ask(player, min(0.3, self.seconds))
        if self.scenario.at is None:
            return
        for name in ("one-worker",) if self.scenario.two_workers else ("floor", "spate"):
            reached = [self._ask(self.players[name], self.seconds)["rate"] for _ in range(SATURATIONS)]
            self.saturation[name] = statistics.median(reached)
        self.rate = self.scenario.at * min(self.saturation.values())

    def take_round(self, number):
        order = list(self.players.values())
        for player in order if number % 2 == 0 else reversed(order):
            turn = {"round": number, "who": player.name, **self._ask(player, self.seconds, self.rate)}
            turn["marks"] = pairs.marks(turn, shared_core=self.scenario.two_workers)
            self.turns.append(turn)

    def of(self, name):
        return [turn for turn in self.turns if turn["who"] == name]

    def pairs_of(self, one, other):
        return list(zip(self.of(one), self.of(other)))
