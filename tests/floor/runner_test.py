#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./dev bench floor and workers as programs, with turns too short to judge anything."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FLOOR = os.path.join(ROOT, "bench", "floor.py")
WORKERS = os.path.join(ROOT, "bench", "workers.py")
SHORT = ["--engine", "epoll", "--pairs", "2", "--seconds", "0.1"]
NO_VERDICT = 3
PATIENCE = 120


def start(program, *flags):
    """In a session of its own, so that what it leaves behind can be found."""
    return subprocess.Popen([program, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def session_of(leader):
    members = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                state, _, _, session = file.read().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            members.append(int(name))
    return members


class Runner(unittest.TestCase):
    def finish(self, process, code):
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, code, out + err)
        self.assertEqual(session_of(process.pid), [], "processes are left behind")
        return out

    def test_each_kind_of_scenario_is_measured_and_each_turn_is_kept(self):
        names = ["pipelined-16", "short", "mix-70-30", "browser-headers", "parameter-200", "post-1k", "latency-60", "workers"]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "runs.json")
            out = self.finish(start(FLOOR, *SHORT, "--no-witnesses", "--json", path, "--scenario", *names), NO_VERDICT)
            with open(path, encoding="utf-8") as file:
                told = json.load(file)
        self.assertEqual([scenario["name"] for scenario in told["scenarios"]], names)
        for scenario in told["scenarios"]:
            with self.subTest(scenario["name"]):
                self.assertIn(f"\n{scenario['name']}, epoll: ", out)
                rounds = 3 if scenario["name"] == "latency-60" else 2
                self.assertEqual(len(scenario["turns"]), rounds * len(scenario["players"]))
                self.assertEqual(sum(turn["errors"] for turn in scenario["turns"]), 0, scenario["turns"])
                # There and back.
                players = list(scenario["players"])
                self.assertEqual([turn["who"] for turn in scenario["turns"]][:2 * len(players)], players + players[::-1])
        self.assertIn("naive", told["scenarios"][1]["players"])
        self.assertTrue(told["machine"]["kernel"])

    def test_an_interruption_ends_all_servers_and_keeps_what_was_measured(self):
        for how in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(how), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "runs.json")
                process = start(FLOOR, "--engine", "epoll", "--pairs", "1000", "--seconds", "0.1", "--no-witnesses", "--json", path,
                                "--scenario", "json", "keepalive-64")
                # Servers and their load: the runner alone would prove nothing.
                end = time.monotonic() + PATIENCE
                while len(session_of(process.pid)) < 4 and time.monotonic() < end and process.poll() is None:
                    time.sleep(0.02)
                process.send_signal(how)
                self.finish(process, 130)

    def test_workers_measures_its_three_parts(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "runs.json")
            self.finish(start(WORKERS, "--engine", "epoll", "--pairs", "1", "--seconds", "0.2", "--json", path), 0)
            with open(path, encoding="utf-8") as file:
                parts = json.load(file)["scenarios"]
        self.assertEqual([part["name"] for part in parts], ["balance", "balance", "burning", "workers", "workers-closed"])
        self.assertEqual([turn["who"] for turn in parts[2]["turns"]], ["nobody burns", "inline", "offload"])

    def test_what_is_not_there_is_said(self):
        process = start(FLOOR, "--scenario", "keepalive-65")
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 2)
        self.assertIn("keepalive-64", err)

    def test_programs_that_are_not_built_are_named(self):
        environment = {**os.environ, "SPATE_BUILD": "/nowhere"}
        done = subprocess.run([FLOOR], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("./dev build", done.stderr)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
