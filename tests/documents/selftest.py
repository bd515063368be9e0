#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants each fault that check_docs.py is there to find, and wants it reported."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "architecture"))
import check_docs  # noqa: E402

HEADER = """struct RouteLimits {
  std::size_t body = 1_MiB;  // ->
  bool half_close = false;
};
struct Limits {
  std::chrono::milliseconds header_time{
      10'000};  // ->
  std::uint32_t connections = 0;
  RouteLimits route;  // defaults
};
"""
PAGE = """| `header_time` | time | 10 s | 408 |
| `connections` | count | 0 | - |
| `route.body` | bytes | 1 MiB | 413 |
| `route.half_close` | yes or no | no | - |
"""


class Documents(unittest.TestCase):
    def faults(self, text, page="docs/x.md"):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "examples").mkdir()
            (root / "docs").mkdir()
            (root / "examples/x.cpp").write_text("// SPDX\nint a;\n  // [b]\n  int b;\n  // [/b]\n")
            (root / page).write_text(text)
            return check_docs.faults_of(root, root / page)

    def test_true_pages_pass(self):
        self.assertEqual([], self.faults("[x](../examples/x.cpp) <!-- -->\n```sh\nls\n```\n"))
        self.assertEqual([], self.faults("<!-- snippet: examples/x.cpp#b -->\n```cpp\nint b;\n```\n"))
        self.assertEqual([], check_docs.faults_of_limits(HEADER, PAGE))

    def test_each_planted_fault_is_reported(self):
        for text, words in (("[x](nowhere.md)", "leads nowhere"),
                            ("<!-- snippet: examples/x.cpp#b -->\n```cpp\nint c;\n```\n", "paste it anew"),
                            ("<!-- snippet: examples/x.cpp#z -->\n```cpp\nint c;\n```\n", "to quote"),
                            ("```cpp\nint c;\n```\n", "nobody compiles")):
            faults = self.faults(text)
            self.assertEqual(1, len(faults), text)
            self.assertIn(words, faults[0])

    def test_limits_must_be_all_of_them_with_their_defaults(self):
        for page, words in ((PAGE.replace("10 s", "9 s"), "default of header_time is 10000"),
                            (PAGE.replace("1 MiB", "much"), "default of route.body"),
                            (PAGE.replace("`connections`", "`connection`"), "connections of"),
                            (PAGE + "| `more` | bytes | 1 | - |\n", "no limit more")):
            faults = check_docs.faults_of_limits(HEADER, page)
            self.assertTrue(any(words in fault for fault in faults), (words, faults))


if __name__ == "__main__":
    unittest.main()
