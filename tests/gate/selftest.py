#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The gate itself can fail: limits, messages, and the reading of callgrind's dumps, on known input."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))

import callgrind  # noqa: E402
import thresholds  # noqa: E402

DUMP = """# callgrind format
positions: line
events: Ir D1mr
summary: 40 4

ob=(1) /bin/server
fl=(1) a.cpp
fn=(1) parse(char)
10 5 1
+2 7 0
fi=(2) inlined.hpp
* 3 0
fe=(1)
-1 1 0
cfi=(3) b.cpp
cfn=(2) write
calls=4 20
12 90 9

fl=(3)
fn=(2)
20 24 3
"""


class Limits(unittest.TestCase):
    limits = thresholds.parse(["# a comment\n", "\n", "a/b 100 why it matters\n", "zero 0 never\n"])

    def test_what_is_within_its_limit_passes(self):
        self.assertEqual(list(thresholds.failures({"a/b": 100.0, "zero": 0}, self.limits, "look")), [])

    def test_what_is_above_its_limit_is_named_with_figure_limit_and_what_to_do(self):
        message, = thresholds.failures({"a/b": 100.5}, self.limits, "./dev bench x")
        for part in ("a/b", "100.5", "limit of 100", "./dev bench x", "thresholds.txt"):
            self.assertIn(part, message)

    def test_one_allocation_in_a_million_requests_is_above_none(self):
        self.assertEqual(len(list(thresholds.failures({"zero": 1e-6}, self.limits, "look"))), 1)

    def test_a_figure_without_a_limit_fails(self):
        message, = thresholds.failures({"new": 1.0}, self.limits, "look")
        self.assertIn("new", message)

    def test_a_malformed_line_is_refused_with_its_number(self):
        with self.assertRaisesRegex(SystemExit, ":2: expected"):
            thresholds.parse(["ok 1 yes\n", "no number here\n"])

    def test_an_update_keeps_reasons_and_other_lines(self):
        lines = list(thresholds.updated(["# head\n", "a/b 1 why it matters\n", "other 2 stays\n"], {"a/b": 1000.0}))
        self.assertEqual([line.split() for line in lines],
                         [["#", "head"], ["a/b", "1030", "why", "it", "matters"], ["other", "2", "stays"]])


class Dumps(unittest.TestCase):
    def setUp(self):
        with tempfile.NamedTemporaryFile("w", suffix=".out", delete=False) as file:
            file.write(DUMP)
        self.addCleanup(os.unlink, file.name)
        self.dump = callgrind.Dump(file.name)

    def test_a_function_is_charged_its_own_cost_and_not_its_callees(self):
        self.assertEqual(self.dump.functions["parse(char)"]["Ir"], 16)
        self.assertEqual(self.dump.functions["write"]["Ir"], 24)
        self.assertEqual(self.dump.total(), 40)
        self.assertEqual(self.dump.total("D1mr"), 4)

    def test_a_line_is_charged_where_its_source_lies(self):
        self.assertEqual(self.dump.lines["a.cpp:12"]["Ir"], 7)
        self.assertEqual(self.dump.lines["inlined.hpp:12"]["Ir"], 3)
        self.assertEqual(self.dump.lines["a.cpp:11"]["Ir"], 1)

    def test_a_difference_is_shared_by_the_requests_and_the_most_expensive_comes_first(self):
        more = {"parse(char)": {"Ir": 116}, "write": {"Ir": 24}}
        self.assertEqual(callgrind.per_request(self.dump.functions, more, 10), [("parse(char)", 10.0), ("write", 0.0)])


if __name__ == "__main__":
    unittest.main(verbosity=1)
