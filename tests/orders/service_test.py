# SPDX-License-Identifier: MIT
"""Proofs on the real spate-orders: flat memory over a million records, no acknowledged order lost by a stop, the same
answer after a restart. Needs Python's own library only."""
import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

TOKEN = "proof"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ROWS = int(os.environ.get("ORDERS_ROWS", 1_000_000))
GROWTH_LIMIT_KIB = 16 * 1024
CLIENTS = 32


class Service:
    """A spate-orders on a free port; what it says goes to a file beside the database."""

    def __init__(self, database):
        self.log = open(database + ".log", "ab+")
        start = self.log.seek(0, os.SEEK_END)
        self.process = subprocess.Popen(
            [sys.argv[1], "--db", database, "--listen", "127.0.0.1:0"],
            env={**os.environ, "ORDERS_TOKEN": TOKEN}, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 20
        while not (found := re.search(rb"http://127\.0\.0\.1:(\d+)", self.said(start))):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"it did not start: {self.said(start)!r}")
            time.sleep(0.02)
        self.port = int(found[1])

    def said(self, start=0):
        self.log.seek(start)
        return self.log.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def order(self, key, body, connection=None):
        connection = connection or self.connect()
        connection.request("POST", "/orders", json.dumps(body),
                           {**HEADERS, "Idempotency-Key": key, "Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def memory_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def rows_of(database, query):
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def ingest_in_flat_memory(folder):
    """a million records are taken in with flat memory, and all are counted"""
    database = os.path.join(folder, "ingest.db")
    bad_every = 10_007
    sent = 0

    def pieces():
        nonlocal sent
        while sent < ROWS:
            samples.append((sent, service.memory_kib()))
            end = min(sent + 1_000, ROWS)
            yield "".join(
                f"customer {i},item {i % 50},{i % 9 + 1},\"note, {i}\"\n" if i % bad_every else f"bad line {i}\n"
                for i in range(sent, end)).encode()
            sent = end

    with Service(database) as service:
        samples = []  # rows sent, KiB
        done = threading.Event()

        def sample():
            while not done.wait(0.05):
                samples.append((sent, service.memory_kib()))

        sampler = threading.Thread(target=sample)
        sampler.start()
        began = time.monotonic()
        try:
            connection = service.connect()
            connection.request("POST", "/ingest", pieces(), {**HEADERS, "Content-Type": "text/csv"},
                               encode_chunked=True)
            answer = connection.getresponse()
            report = json.loads(answer.read())
        finally:
            done.set()
            sampler.join()
        seconds = time.monotonic() - began
        expect(answer.status == 200, f"status {answer.status}: {report}")
        bad = len(range(0, ROWS, bad_every))
        expect(report["accepted"] == ROWS - bad and report["bad"] == bad, f"wrong counts: {report}")
        expect([b["line"] for b in report["first_bad"]] == [1 + i * bad_every for i in range(10)],
               f"wrong bad lines: {report['first_bad']}")
        base = max(kib for rows, kib in samples if rows <= ROWS // 10)
        later = [kib for rows, kib in samples if rows > ROWS // 10]
        growth = max(later) - base
        print(f"  {ROWS} rows in {seconds:.1f} s, {ROWS / seconds:.0f} rows/s; memory {base} KiB after a tenth, then at "
              f"most {max(later)} KiB ({len(samples)} samples)")
        expect(len(later) >= 20, "too few samples of memory")
        expect(growth <= GROWTH_LIMIT_KIB, f"memory grew by {growth} KiB after the first tenth")
        expect(service.stop() == 0, "exit code")
    expect(rows_of(database, "SELECT count(*) FROM orders") == [(ROWS - bad,)], "rows in the database")
    expect(rows_of(database, "SELECT count(DISTINCT note) FROM orders") == [(ROWS - bad,)], "a row was lost or doubled")
    os.remove(database)


def stop_finishes_an_ingest(folder):
    """SIGTERM in the middle of an ingest: it is finished and answered, exit code 0"""
    database = os.path.join(folder, "stop-ingest.db")
    stopped = []
    with Service(database) as service:

        def pieces():
            for i in range(100):
                if i == 50:
                    service.process.send_signal(signal.SIGTERM)
                    stopped.append(i)
                yield b"customer,item,1,note\n" * 1_000
                time.sleep(0.005)

        connection = service.connect()
        connection.request("POST", "/ingest", pieces(), {**HEADERS, "Content-Type": "text/csv"}, encode_chunked=True)
        answer = connection.getresponse()
        report = json.loads(answer.read())
        connection.close()
        expect(stopped and answer.status == 200, f"status {answer.status}: {report}")
        expect(report["accepted"] == 100_000, f"{report}")
        expect(service.process.wait(timeout=60) == 0, "exit code")
    expect(rows_of(database, "SELECT count(*) FROM orders") == [(100_000,)], "rows in the database")


def stop_loses_no_order(folder):
    """SIGTERM while 32 clients order: every acknowledged order is in the database, exit code 0"""
    database = os.path.join(folder, f"stop-{time.monotonic_ns()}.db")
    acknowledged = {}
    wrong = []
    with Service(database) as service:
        enough = threading.Event()

        def client(number):
            connection = service.connect()
            for i in range(1_000_000):
                key = f"{number}-{i}"
                try:
                    status, order = service.order(key, {"customer": key, "item": "bolt", "quantity": 1}, connection)
                except (OSError, http.client.HTTPException):
                    try:  # the answer before may have said Connection: close
                        connection.close()
                        status, order = service.order(key, {"customer": key, "item": "bolt", "quantity": 1}, connection)
                    except ConnectionRefusedError:
                        return
                    except (OSError, http.client.HTTPException):
                        return
                if status == 201:
                    acknowledged[key] = order["id"]
                    if len(acknowledged) >= 200:
                        enough.set()
                else:
                    wrong.append((status, order))

        clients = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
        for thread in clients:
            thread.start()
        expect(enough.wait(30), "too few orders")
        began = time.monotonic()
        code = service.stop()
        seconds = time.monotonic() - began
        for thread in clients:
            thread.join(60)
        expect(code == 0, f"exit code {code}: {service.said()!r}")
    kept = dict(rows_of(database, "SELECT key, order_id FROM requests"))
    stored = {customer: number for number, customer in rows_of(database, "SELECT id, customer FROM orders")}
    lost = {key for key, number in acknowledged.items() if kept.get(key) != number or stored.get(key) != number}
    unconfirmed = set(acknowledged.values()) - {row[0] for row in rows_of(database, "SELECT order_id FROM outbox")}
    print(f"  {len(acknowledged)} acknowledged, {len(stored)} stored, {len(unconfirmed)} without confirmation; "
          f"stopped in {seconds:.2f} s")
    expect(not lost, f"{len(lost)} acknowledged orders are lost: {sorted(lost)[:5]}")
    expect(len(stored) == len(kept), "an order was stored twice")
    expect(not unconfirmed, f"{len(unconfirmed)} orders without the confirmation that a stop waits for")
    expect(not wrong, f"refused: {wrong[:3]}")


def restart_keeps_the_answer(folder):
    """the same order after a restart is the same answer"""
    database = os.path.join(folder, "restart.db")
    body = {"customer": "Ada", "item": "bolt", "quantity": 2, "note": "<script>"}
    with Service(database) as service:
        first = service.order("once", body)
        expect(first[0] == 201, f"{first}")
        expect(service.stop() == 0, "exit code")
    with Service(database) as service:
        expect(service.order("once", body) == first, "another answer")
        expect(service.order("once", {**body, "quantity": 3})[0] == 422, "another order under the same key")
        expect(service.stop() == 0, "exit code")
    expect(rows_of(database, "SELECT count(*) FROM orders") == [(1,)], "an order twice")


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="spate-orders-") as folder:
        for test in [ingest_in_flat_memory, stop_finishes_an_ingest, *[stop_loses_no_order] * 3, restart_keeps_the_answer]:
            try:
                test(folder)
                passed += 1
                print(f"passed: {test.__doc__}", flush=True)
            except Exception as failure:  # whatever went wrong is one failed test
                failed += 1
                print(f"FAILED: {test.__doc__}: {failure!r}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
