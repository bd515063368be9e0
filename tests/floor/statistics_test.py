#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The judgement of benchmark runs (bench/floor/pairs.py): which runs count, and what their pairs say."""

import os
import random
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "bench", "floor"))

import pairs  # noqa: E402

SECOND = 1_000_000_000


def a_run(**changes):
    """A quiet second: 100,000 answers, the server at 60 % of its core."""
    run = {"errors": 0, "window_ns": SECOND, "generator_ns": int(0.7 * SECOND), "server_ns": int(0.6 * SECOND),
           "server_cores": 1, "server_waited_ns": 0, "generator_waited_ns": 0, "server_switches": 3, "steal": 0.0, "others": 0.01,
           "offered": 0, "rate": 100_000.0, "answers": 100_000, **changes}
    run.setdefault("marks", pairs.marks(run))
    return run


def pairs_of_ratio(ratio, count, spread=0.0):
    source = random.Random(7)
    made = []
    for _ in range(count):
        drift = source.uniform(0.5, 1.5)  # the machine; it hits both
        noise = source.uniform(1 - spread, 1 + spread)
        made.append((a_run(server_ns=int(0.4 * SECOND * drift * ratio * noise)), a_run(server_ns=int(0.4 * SECOND * drift))))
    return made


class Marks(unittest.TestCase):
    def test_a_quiet_run_has_none(self):
        self.assertEqual(a_run()["marks"], [])

    def test_one_error_is_enough(self):
        self.assertEqual(a_run(errors=1)["marks"], ["errors"])

    def test_a_busy_generator_with_an_idle_server_is_what_limits(self):
        self.assertEqual(a_run(generator_ns=int(0.9 * SECOND))["marks"], ["generator-bound"])

    def test_a_busy_generator_with_a_busy_server_is_not(self):
        self.assertEqual(a_run(generator_ns=int(0.9 * SECOND), server_ns=int(0.97 * SECOND))["marks"], [])

    def test_a_server_of_two_cores_is_busy_when_both_are(self):
        run = {"generator_ns": int(0.9 * SECOND), "server_ns": int(0.97 * SECOND), "server_cores": 2}
        self.assertEqual(a_run(**run)["marks"], ["generator-bound"])

    def test_an_open_loop_that_falls_behind_is_the_generators(self):
        self.assertEqual(a_run(offered=100_000, rate=97_000.0)["marks"], ["generator-bound"])
        self.assertEqual(a_run(offered=100_000, rate=99_500.0)["marks"], [])

    def test_an_open_loop_needs_an_idle_generator_whatever_the_server_does(self):
        self.assertEqual(a_run(offered=100_000, generator_ns=int(0.9 * SECOND), server_ns=SECOND)["marks"], ["generator-bound"])

    def test_waiting_for_a_core_stolen_time_others_and_switches_disturb(self):
        for change in ({"server_waited_ns": SECOND // 20}, {"generator_waited_ns": SECOND // 20}, {"steal": 0.01},
                       {"others": 0.05}, {"server_switches": 1000}):
            with self.subTest(change):
                self.assertEqual(a_run(**change)["marks"], ["disturbed"])

    def test_waiting_is_no_disturbance_where_cores_are_shared_by_plan(self):
        run = a_run(server_waited_ns=SECOND // 2, server_switches=10_000)
        self.assertEqual(pairs.marks(run, shared_core=True), [])
        self.assertEqual(pairs.marks({**run, "steal": 0.01}, shared_core=True), ["disturbed"])
        self.assertEqual(pairs.marks({**run, "others": 0.05}, shared_core=True), ["disturbed"])


class Validity(unittest.TestCase):
    def test_one_disturbed_or_failed_run_spoils_its_pair(self):
        for marks in (["disturbed"], ["errors"]):
            self.assertFalse(pairs.pair_is_valid(a_run(marks=marks), a_run()))
            self.assertFalse(pairs.pair_is_valid(a_run(), a_run(marks=marks)))

    def test_servers_that_idle_compare_when_they_are_asked_at_one_rate(self):
        slow, fast = a_run(rate=100_000.0), a_run(rate=109_000.0)
        self.assertTrue(pairs.pair_is_valid(slow, fast))
        self.assertTrue(pairs.pair_is_valid(fast, slow))
        self.assertFalse(pairs.pair_is_valid(slow, a_run(rate=112_000.0)))

    def test_busy_servers_compare_whatever_their_rates(self):
        busy = int(0.95 * SECOND)
        self.assertTrue(pairs.pair_is_valid(a_run(rate=100_000.0, server_ns=busy), a_run(rate=200_000.0, server_ns=busy)))

    def test_a_busy_server_does_not_compare_with_one_that_idles_at_another_rate(self):
        busy, idle = a_run(rate=100_000.0, server_ns=SECOND), a_run(rate=200_000.0, server_ns=int(0.8 * SECOND))
        self.assertFalse(pairs.pair_is_valid(busy, idle))
        self.assertFalse(pairs.pair_is_valid(idle, busy))

    def test_an_open_loop_that_the_generator_could_not_keep_spoils_its_pair(self):
        kept, lost = a_run(offered=100_000, rate=99_900.0), a_run(offered=100_000, rate=95_000.0)
        self.assertTrue(pairs.pair_is_valid(kept, kept))
        self.assertFalse(pairs.pair_is_valid(kept, lost))


class Comparison(unittest.TestCase):
    def test_the_ratio_is_found_whatever_the_machine_does_to_both(self):
        compared = pairs.compare(pairs_of_ratio(1.04, 40), pairs.server_us)
        self.assertAlmostEqual(compared["median"], 1.04, places=4)
        self.assertAlmostEqual(compared["upper"], 1.04, places=4)

    def test_the_upper_bound_lies_above_the_median_and_below_the_worst(self):
        made = pairs_of_ratio(1.0, 40, spread=0.05)
        compared = pairs.compare(made, pairs.server_us)
        ratios = [pairs.server_us(one) / pairs.server_us(other) for one, other in made]
        self.assertGreater(compared["upper"], compared["median"])
        self.assertLess(compared["upper"], max(ratios))

    def test_more_pairs_make_the_bound_tighter(self):
        few, many = (pairs.compare(pairs_of_ratio(1.0, count, spread=0.05), pairs.server_us) for count in (10, 160))
        self.assertLess(many["upper"] - many["median"], few["upper"] - few["median"])

    def test_the_bound_of_a_file_is_the_same_every_time(self):
        values = [source / 10 for source in range(30)]
        self.assertEqual(pairs.upper_bound(values), pairs.upper_bound(values))

    def test_the_bound_covers_the_true_median_about_as_often_as_it_says(self):
        source = random.Random(3)
        covered = sum(pairs.upper_bound([source.gauss(1, 0.02) for _ in range(40)], resamples=300) >= 1 for _ in range(200))
        self.assertGreater(covered, 200 * 0.88)
        self.assertLess(covered, 200)  # a bound that always covers is no bound

    def test_invalid_pairs_do_not_count(self):
        wild = (a_run(server_ns=SECOND, server_waited_ns=SECOND), a_run())
        compared = pairs.compare(pairs_of_ratio(1.02, 10) + [wild] * 4, pairs.server_us)
        self.assertAlmostEqual(compared["upper"], 1.02, places=4)
        self.assertEqual((compared["valid"], compared["pairs"], compared["trusted"]), (10, 14, True))

    def test_too_few_valid_pairs_give_figures_and_no_verdict(self):
        wild = (a_run(server_waited_ns=SECOND), a_run())
        for made in (pairs_of_ratio(1.0, 4), pairs_of_ratio(1.0, 6) + [wild] * 7):
            compared = pairs.compare(made, pairs.server_us)
            self.assertFalse(compared["trusted"])
            self.assertIsNotNone(compared["median"])
            self.assertEqual(pairs.verdict(compared, 2.0), "no verdict")

    def test_the_bound_is_judged_and_not_the_median(self):
        self.assertEqual(pairs.verdict({"median": 1.0, "upper": 1.06, "trusted": True}, 1.05), "misses")
        self.assertEqual(pairs.verdict({"median": 1.0, "upper": 1.05, "trusted": True}, 1.05), "holds")

    def test_a_difference_is_taken_within_pairs(self):
        made = [(a_run(latency=100 + drift + 20), a_run(latency=100 + drift)) for drift in range(0, 500, 50)]
        compared = pairs.compare(made, lambda run: run["latency"], as_difference=True)
        self.assertEqual((compared["median"], compared["upper"]), (20, 20))

    def test_a_run_without_answers_has_no_cost(self):
        self.assertIsNone(pairs.server_us(a_run(answers=0)))
        self.assertIsNone(pairs.compare([(a_run(answers=0), a_run())] * 9, pairs.server_us))

    def test_percentiles_lie_between_neighbours(self):
        self.assertEqual(pairs.percentile([3, 1, 2], 0.5), 2)
        self.assertEqual(pairs.percentile([0, 10], 0.95), 9.5)
        self.assertEqual(pairs.percentile([4], 0.95), 4)


if __name__ == "__main__":
    unittest.main()
