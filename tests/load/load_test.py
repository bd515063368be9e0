#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""spate-load against servers that misbehave on purpose: PROGRAM [names of tests]."""
import json
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = ""
LONGEST = 60  # seconds for one run; none should need a tenth of it
BODY = b"Hello, World!"


def answer(body=BODY, fields=b"", status=b"200 OK", date=b"Sat, 21 Nov 2026 00:00:00 GMT"):
    head = b"HTTP/1.1 %s\r\nDate: %s\r\n%sContent-Length: %d\r\n\r\n" % (status, date, fields, len(body))
    return head + body


class Script:
    """A server whose `serve(connection)` runs on a thread for each connection; it notes the requests of each."""

    def __init__(self, serve):
        self.serve = serve
        self.requests = []  # for each connection: its requests, heads as bytes
        self.lock = threading.Lock()
        self.count = 0  # requests of all connections
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.run, args=(Connection(self, peer),), daemon=True).start()

    def run(self, connection):
        with self.lock:
            self.requests.append(connection.requests)
        with connection.peer:
            try:
                self.serve(connection)
            except OSError:
                pass  # the client has gone


class Connection:
    def __init__(self, script, peer):
        self.script, self.peer, self.buffer, self.requests = script, peer, b"", []

    def request(self):
        """The next head, or None at the end; requests here have no bodies."""
        while b"\r\n\r\n" not in self.buffer:
            data = self.peer.recv(65536)
            if not data:
                return None
            self.buffer += data
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.requests.append(head)
        with self.script.lock:
            self.script.count += 1
            self.number = self.script.count
        return head

    def send(self, data):
        self.peer.sendall(data)


def steady(connection):
    while (head := connection.request()) is not None:
        connection.send(answer())
        if b"Connection: close" in head:
            return


def nth(number, data, then_close=False):
    """Right answers, but for the request of that number in all."""

    def serve(connection):
        while connection.request() is not None:
            if connection.number == number:
                connection.send(data)
                if then_close:
                    return
            else:
                connection.send(answer())

    return serve


def start(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=LONGEST, **options)


def load(url, *arguments):
    """(exit code, the JSON, what was said)."""
    done = start("--json", "-", *arguments, url)
    if not done.stdout:
        raise AssertionError("no JSON, exit %d: %s" % (done.returncode, done.stderr))
    return done.returncode, json.loads(done.stdout), done.stderr


class Refusals(unittest.TestCase):
    def refused(self, *arguments, named, **options):
        done = start(*arguments, **options)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertIn(named, done.stderr)

    def test_a_wrong_command_line_is_one_line_and_exit_2(self):
        self.refused(named="address is missing")
        self.refused("--connection", "5", "http://127.0.0.1/", named="--connection")
        self.refused("https://127.0.0.1/", named="http://HOST:PORT/path")
        self.refused("--requests", "/nonexistent", "http://127.0.0.1/", named="/nonexistent")
        self.refused("--watch-pid", "2147483647", "http://127.0.0.1/", named="2147483647")
        self.refused("--source-addresses", "127.0.0.9-127.0.0.2", "http://127.0.0.1/", named="--source-addresses")

    def test_a_refused_connection_is_one_line_and_exit_2(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # and no listen
            for mode in ([], ["--mode", "constant", "--rate", "10"], ["--hold", "1"]):
                url = "http://127.0.0.1:%d/" % unused.getsockname()[1]
                self.refused(*mode, url, named="nothing listens there")

    def test_too_few_descriptors_are_refused_before_the_start(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))

        with Script(steady) as server:
            self.refused("--connections", "50", server.url, named="may have 60", preexec_fn=few)
            self.assertEqual(server.requests, [])
            self.assertEqual(start("--duration", "0.1", "--connections", "44", server.url, preexec_fn=few).returncode, 0)

    def test_help_names_every_flag_and_is_no_error(self):
        done = start("--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("--source-addresses", done.stdout)


class Judgement(unittest.TestCase):
    def failed(self, kind, serve, *arguments, count=1):
        with Script(serve) as server:
            code, result, _ = load(server.url, "--connections", "2", "--duration", "0.5", *arguments)
        self.assertEqual(code, 1, result)
        self.assertEqual(result["verdict"], "errors")
        wanted = dict.fromkeys(result["errors"], 0) | {kind: count}
        self.assertEqual(result["errors"], wanted, result["details"])
        return result["details"]

    def test_right_answers_are_no_errors(self):
        with Script(steady) as server:
            code, result, text = load(server.url, "--duration", "0.5")
        self.assertEqual((code, result["verdict"], sum(result["errors"].values())), (0, "valid", 0), text)
        self.assertGreater(result["responses"], 0)
        self.assertEqual(result["requests"], result["responses"])

    def test_one_wrong_byte_of_a_body_is_found_with_its_place(self):
        wrong = answer().replace(b"World", b"Wurld")
        details = self.failed("mismatch", nth(10, wrong))
        self.assertIn("differs at byte %d:" % (answer().index(b"World") + 1), details[0])
        self.assertIn("urld!", details[0])

    def test_one_wrong_byte_of_a_head_is_found(self):
        self.failed("mismatch", nth(10, answer().replace(b"Content-Length", b"Content-length")))

    def test_a_wrong_length_is_found(self):
        self.failed("mismatch", nth(10, answer(BODY + b"!")))

    def test_bytes_behind_an_answer_are_found(self):
        self.failed("mismatch", nth(10, answer() + b"x"))

    def test_another_status_is_found(self):
        self.failed("status", nth(10, answer(status=b"503 Service Unavailable")))

    def test_a_wrong_first_answer_is_found(self):
        details = self.failed("mismatch", nth(1, b"HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n"))
        self.assertIn("Date", details[0])

    def test_a_missing_answer_is_a_timeout(self):
        self.failed("timeout", nth(10, b""), "--timeout", "1", "--duration", "2")

    def test_half_an_answer_is_a_timeout(self):
        self.failed("timeout", nth(10, answer()[:-1]), "--timeout", "1", "--duration", "2")

    def test_an_early_close_is_a_reset(self):
        self.failed("reset", nth(10, answer()[:40], then_close=True))
        self.failed("reset", nth(10, b"", then_close=True))

    def test_a_date_may_change_but_must_be_one(self):
        self.failed("mismatch", nth(10, answer(date=b"Sat, 21 Nov 2026 00:00:00 UTC")))
        with Script(nth(10, answer(date=b"Mon, 01 Jan 2029 12:34:56 GMT"))) as server:
            self.assertEqual(load(server.url, "--duration", "0.3")[0], 0)

    def test_only_fields_that_are_named_may_vary(self):
        def ids(connection):
            while connection.request() is not None:
                connection.send(answer(fields=b"X-Request-Id: %d\r\n" % connection.number))

        with Script(ids) as server:
            self.assertEqual(load(server.url, "--duration", "0.3", "--vary", "X-Request-Id")[0], 0)
            self.assertEqual(load(server.url, "--duration", "0.3")[0], 1)

    def test_the_expected_status_and_body_judge_the_first_answer(self):
        with Script(steady) as server:
            self.assertEqual(load(server.url, "--duration", "0.2", "--expect-status", "404")[0], 1)
            self.assertEqual(load(server.url, "--duration", "0.2", "--expect-body-file", "/dev/null")[0], 1)

    def test_answers_may_come_byte_by_byte(self):
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"

        def drip(connection):
            while connection.request() is not None:
                for i in range(len(chunked)):
                    connection.send(chunked[i : i + 1])

        with Script(drip) as server:
            code, result, text = load(server.url, "--duration", "0.5", "--connections", "3")
        self.assertEqual(code, 0, text)
        self.assertGreater(result["responses"], 3)

    def test_each_number_of_a_path_has_its_own_answer(self):
        def echo(connection):
            while (head := connection.request()) is not None:
                connection.send(answer(head.split(b" ")[1]))

        with Script(echo) as server:
            code, _, text = load(server.url + "/users/{n}", "--numbers", "7", "--duration", "0.3", "--connections", "2")
            asked = {head.split(b" ")[1] for heads in server.requests for head in heads}
        self.assertEqual(code, 0, text)
        self.assertEqual(asked, {b"/users/%d" % i for i in range(7)})


class Connections(unittest.TestCase):
    def test_a_connection_ends_after_its_requests_and_says_so(self):
        with Script(steady) as server:
            code, result, text = load(server.url, "--reconnect", "5", "--connections", "3", "--duration", "0.5")
            lives = [heads for heads in server.requests if heads and b"Connection: close" in heads[-1]]
        self.assertEqual(code, 0, text)
        self.assertGreater(len(lives), 3)
        for heads in lives:
            self.assertEqual([b"Connection: close" in head for head in heads], [False] * 4 + [True])
        self.assertGreater(result["connects"], 0)

    def test_short_connections_have_one_request_each(self):
        for ends in ([], ["--client-closes"], ["--mode", "constant", "--rate", "200"]):
            with Script(steady) as server:
                code, _, text = load(server.url, "--reconnect", "1", "--connections", "3", "--duration", "0.5", *ends)
                self.assertEqual(code, 0, text)
                self.assertGreater(len(server.requests), 10)
                self.assertLessEqual({len(heads) for heads in server.requests}, {0, 1})
                self.assertIn(b"Connection: close", server.requests[0][0])

    def test_a_share_of_the_connections_is_short(self):
        with Script(steady) as server:
            code, _, text = load(server.url, "--short-share", "0.5", "--connections", "4", "--duration", "0.5")
            long_lives = [heads for heads in server.requests if len(heads) > 1]
        self.assertEqual(code, 0, text)
        self.assertEqual(len(long_lives), 2)
        self.assertGreater(len(server.requests), 4)

    def test_a_server_that_does_not_close_is_an_error(self):
        def stays(connection):
            while connection.request() is not None:
                connection.send(answer())

        with Script(stays) as server:
            arguments = ["--reconnect", "1", "--connections", "1", "--duration", "1", "--timeout", "0.3"]
            self.assertGreater(load(server.url, *arguments)[1]["errors"]["timeout"], 0)
            self.assertEqual(load(server.url, "--client-closes", *arguments)[0], 0)

    def test_a_pipeline_has_that_many_requests_in_flight_and_no_more(self):
        seen = []

        def in_eights(connection):
            while connection.request() is not None:
                for _ in range(7):
                    if connection.request() is None:
                        return
                connection.peer.settimeout(0.02)
                try:
                    seen.append(connection.buffer or connection.peer.recv(1))
                except TimeoutError:
                    pass
                connection.peer.settimeout(None)
                connection.send(answer() * 8)

        with Script(in_eights) as server:
            code, result, text = load(server.url, "--pipeline", "8", "--connections", "1", "--duration", "0.5")
        self.assertEqual(code, 0, text)
        self.assertGreaterEqual(result["responses"], 8)
        self.assertEqual([data for data in seen if data], [])

    def test_sources_are_bound_in_turn(self):
        peers = set()

        def note(connection):
            peers.add(connection.peer.getpeername()[0])
            steady(connection)

        with Script(note) as server:
            code, _, text = load(server.url, "--source-addresses", "127.0.0.2-127.0.0.4", "--duration", "0.2")
        self.assertEqual(code, 0, text)
        self.assertEqual(peers, {"127.0.0.2", "127.0.0.3", "127.0.0.4"})


class OpenLoop(unittest.TestCase):
    def test_a_stall_is_in_the_latency_of_all_requests_that_were_due_meanwhile(self):
        """Coordinated omission: counted from sending, four connections would show the stall four times in a thousand."""
        gate = threading.Event()
        gate.set()

        def stalls(connection):
            while connection.request() is not None:
                if connection.number == 300:
                    gate.clear()
                    time.sleep(0.1)
                    gate.set()
                gate.wait()
                connection.send(answer())

        for mode in ("constant", "poisson"):
            with Script(stalls) as server:
                code, result, text = load(
                    server.url, "--mode", mode, "--rate", "500", "--connections", "4", "--duration", "2", "--window", "2"
                )
            self.assertEqual(code, 0, text)
            # A tenth of a second of two: 5 % of the requests, whose latency falls evenly from 100 ms to none.
            self.assertGreater(result["latency_us"]["p99"], 60_000, text)
            self.assertGreaterEqual(result["latency_us"]["max"], 90_000, text)
            self.assertEqual(result["windows"][0]["responses"], result["responses"])

    def test_every_request_that_was_due_is_counted(self):
        with Script(steady) as server:
            code, result, text = load(server.url, "--mode", "constant", "--rate", "400", "--duration", "1")
        self.assertEqual(code, 0, text)
        self.assertAlmostEqual(result["requests"], 400, delta=1)
        self.assertEqual(result["requests"], result["responses"])

    def test_requests_that_nobody_answers_are_errors(self):
        with Script(lambda connection: connection.request() and time.sleep(5)) as server:
            arguments = ["--mode", "constant", "--rate", "50", "--connections", "1", "--duration", "1", "--timeout", "0.3"]
            code, result, text = load(server.url, *arguments)
        self.assertEqual(code, 1, text)
        self.assertAlmostEqual(result["requests"], 50, delta=1)
        self.assertEqual(result["responses"], 0, text)
        self.assertGreaterEqual(result["errors"]["timeout"], result["requests"])

    def test_a_generator_that_cannot_keep_up_gives_no_verdict(self):
        with Script(steady) as server:
            code, result, text = load(server.url, "--mode", "constant", "--rate", "10000000", "--duration", "0.5")
        self.assertEqual((code, result["verdict"]), (3, "generator_bound"), text)
        self.assertIn("no verdict: the generator was the bottleneck", text)


class Holding(unittest.TestCase):
    def test_idle_connections_are_held_and_counted(self):
        with Script(steady) as server:
            code, result, text = load(server.url, "--hold", "0.5", "--connections", "40", "--warm-requests", "3")
            self.assertEqual([len(heads) for heads in server.requests], [3] * 40)
        self.assertEqual(code, 0, text)
        wanted = {"asked": 40, "opened": 40, "alive": 40, "lost": 0}
        self.assertEqual({name: result["hold"][name] for name in wanted}, wanted)

    def test_each_held_connection_is_warmed_with_every_request_of_the_file(self):
        with Script(steady) as server, tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("GET /one\n\nGET /two\nX: y\n")
            file.flush()
            arguments = ["--warm-file", file.name, "--warm-requests", "3", "--rate", "100"]
            code, _, text = load(server.url + "/later", "--hold", "0.5", "--connections", "8", *arguments)
            paths = [[head.split(b" ")[1] for head in heads] for heads in server.requests]
        self.assertEqual(code, 0, text)
        for asked in paths:
            self.assertEqual(asked[:3], [b"/one", b"/two", b"/one"])
            self.assertLessEqual(set(asked[3:]), {b"/later"})

    def test_a_held_connection_that_the_server_closes_is_lost(self):
        def leaves(connection):
            if connection.request() is not None:
                connection.send(answer())
                if connection.number > 3:
                    steady(connection)
                time.sleep(0.3)

        with Script(leaves) as server:
            code, result, text = load(server.url, "--hold", "2", "--connections", "10")
        self.assertEqual(code, 1, text)
        self.assertEqual((result["hold"]["alive"], result["hold"]["lost"]), (7, 3), text)

    def test_requests_go_over_random_held_connections_in_windows(self):
        with Script(steady) as server:
            code, result, text = load(
                server.url, "--hold", "1", "--connections", "20", "--rate", "400", "--window", "0.25", "--histograms"
            )
            used = sum(len(heads) > 1 for heads in server.requests)
        self.assertEqual(code, 0, text)
        self.assertEqual(len(result["windows"]), 4)
        for window in result["windows"]:
            self.assertAlmostEqual(window["responses"], 100, delta=1)
            self.assertEqual(sum(count for _, count in window["histogram"]), window["responses"])
        self.assertEqual(used, 20)

    def test_connections_grow_while_they_are_held(self):
        with Script(steady) as server:
            code, result, text = load(
                server.url, "--hold", "1", "--connections", "5", "--grow-to", "30", "--rate", "100"
            )
            self.assertEqual(len(server.requests), 30)
        self.assertEqual(code, 0, text)
        self.assertEqual((result["hold"]["asked"], result["hold"]["alive"]), (30, 30), text)
        # The requests that warm the connections that come are none of those that were due.
        self.assertAlmostEqual(result["requests"], 100, delta=1)
        self.assertEqual(result["requests"], result["responses"], text)

    def test_the_gate_waits_for_a_line(self):
        with Script(steady) as server:
            arguments = [PROGRAM, "--quiet", "--json", "-", "--gate", "--hold", "0.2", "--connections", "4", server.url]
            with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
                self.assertEqual(process.stdout.readline(), "open 4\n")
                self.assertIsNone(process.poll())
                process.stdin.write("go\n")
                process.stdin.flush()
                self.assertEqual(json.loads(process.stdout.readline())["hold"]["alive"], 4)
                self.assertEqual(process.wait(LONGEST), 0)
            with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
                self.assertEqual(process.stdout.readline(), "open 4\n")
                process.stdin.close()  # whoever started it has gone
                process.wait(LONGEST)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
