#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A layering test that cannot fail is a defect: each case plants one fault in a tiny tree and must be reported."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, HERE)

import check_layers  # noqa: E402
from layers import Layers, LayersError  # noqa: E402
from tree import strip_code  # noqa: E402

SPDX = "// SPDX-License-Identifier: MIT\n"
CLEAN = {
    "include/spate/base/error.hpp": "#pragma once\n#include <expected>\n",
    "include/spate/http/method.hpp": "#pragma once\n#include <spate/base/error.hpp>\n#include <string_view>\n",
    "include/spate/server.hpp": "#pragma once\n#include <spate/http/method.hpp>\n",
    "include/spate/spate.hpp": "#pragma once\n#include <spate/server.hpp>\n",
    "src/http/h1/parser.hpp": '#pragma once\n#include "http/head.hpp"\n',
    "src/http/head.hpp": "#pragma once\n#include <spate/http/method.hpp>\n",
    "src/http/h1/parser.cpp": '#include "http/h1/parser.hpp"\n',
    "src/http/h1/parser_test.cpp": '#include <gtest/gtest.h>\n#include "http/h1/parser.hpp"\n',
    "src/io/loop.cpp": "#include <sys/uio.h>\n",
    "src/io/epoll/engine.cpp": "#include <sys/epoll.h>\nint f(int d) { return ::close(d); }\n",
    "src/server/worker.cpp": '#include "http/h1/parser.hpp"\n#include <thread>\nstd::thread t;\n',
    "src/http/CMakeLists.txt": "spate_layer(http DEPENDS base observe coro)\n",
    "apps/shop/main.cpp": "#include <spate/spate.hpp>\nint main() { return 0; }\n",
}


class Planted(unittest.TestCase):
    def check(self, changes):
        with tempfile.TemporaryDirectory() as root:
            files = dict(CLEAN, **changes)
            for name in ("layers.txt", "tests/architecture/confinement.txt"):
                with open(os.path.join(ROOT, name), encoding="utf-8") as f:
                    files.setdefault(name, f.read())
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                if path.startswith(("include/", "src/")) and path.endswith((".hpp", ".cpp")) and "SPDX" not in text:
                    text = SPDX + text
                with open(full, "w", encoding="utf-8") as f:
                    f.write(text)
            return sorted(set(check_layers.findings(root)))

    def reported(self, check, path, text, changes, line=None):
        """Exactly the planted fault's check speaks, at that file (and line), with that text."""
        found = self.check(changes)
        hits = [f for f in found if f[2] == check and f[0] == path and text in f[3] and line in (None, f[1])]
        self.assertTrue(hits, f"{check} did not report {path} with `{text}`; it found {found}")
        return found

    def alone(self, check, path, text, changes, line=None):
        found = self.reported(check, path, text, changes, line)
        self.assertEqual({f[2] for f in found}, {check}, found)

    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual(self.check({}), [])

    # layering and names
    def test_http_includes_io(self):
        self.alone("layering", "src/http/bad.cpp", "http may not include io",
                   {"src/http/bad.cpp": '\n#include "io/loop.hpp"\n', "src/io/loop.hpp": "#pragma once\n"}, line=3)

    def test_server_includes_app(self):
        self.alone("layering", "src/server/bad.cpp", "server may not include app",
                   {"src/server/bad.cpp": '#include "app/router.hpp"\n', "src/app/router.hpp": "#pragma once\n"})

    def test_app_includes_server_by_a_public_header(self):
        self.alone("layering", "include/spate/app/bad.hpp", "app may not include server",
                   {"include/spate/app/bad.hpp": "#pragma once\n#include <spate/server/x.hpp>\n",
                    "include/spate/server/x.hpp": "#pragma once\n"})

    def test_base_includes_the_facade(self):
        self.reported("layering", "src/base/bad.cpp", "base may not include spate",
                      {"src/base/bad.cpp": "#include <spate/server.hpp>\n"})

    def test_a_unit_test_includes_upward(self):
        self.alone("layering", "src/http/bad_test.cpp", "http may not include server",
                   {"src/http/bad_test.cpp": '#include "server/x.hpp"\n', "src/server/x.hpp": "#pragma once\n"})

    def test_a_unit_test_may_use_testing(self):
        self.assertEqual([], self.check({"src/http/ok_test.cpp": "#include <spate/testing/fake.hpp>\n",
                                         "include/spate/testing/fake.hpp": "#pragma once\n"}))

    def test_a_source_may_not_use_testing(self):
        self.alone("layering", "src/http/bad.cpp", "http may not include testing",
                   {"src/http/bad.cpp": "#include <spate/testing/fake.hpp>\n",
                    "include/spate/testing/fake.hpp": "#pragma once\n"})

    def test_a_folder_without_a_layer(self):
        self.alone("layering", "src/util/x.cpp", "lies in no layer", {"src/util/x.cpp": "int x;\n"})

    def test_an_include_of_nothing(self):
        self.alone("layering", "src/http/bad.cpp", "does not exist", {"src/http/bad.cpp": '#include "http/gone.hpp"\n'})

    def test_a_short_include_path(self):
        self.alone("layering", "src/http/h1/bad.cpp", 'write "http/h1/parser.hpp"',
                   {"src/http/h1/bad.cpp": '#include "parser.hpp"\n'})

    def test_an_application_includes_a_private_header(self):
        self.alone("layering", "apps/shop/bad.cpp", "private header",
                   {"apps/shop/bad.cpp": '#include "http/head.hpp"\n'})

    # cycles
    def test_two_files_include_each_other(self):
        self.alone("cycles", "src/http/a.hpp", "files include each other",
                   {"src/http/a.hpp": '#pragma once\n#include "http/b.hpp"\n',
                    "src/http/b.hpp": '#pragma once\n#include "http/a.hpp"\n'})

    def test_two_sibling_folders_include_each_other(self):
        self.alone("cycles", "src/http/h1/a.hpp", "folders include each other",
                   {"src/http/h1/a.hpp": '#pragma once\n#include "http/h2/b.hpp"\n',
                    "src/http/h2/b.hpp": "#pragma once\n",
                    "src/http/h2/c.hpp": '#pragma once\n#include "http/h1/parser.hpp"\n'})

    # CMake says the same
    def test_cmake_depends_on_a_forbidden_layer(self):
        self.alone("cmake", "src/http/CMakeLists.txt", "DEPENDS names io",
                   {"src/http/CMakeLists.txt": "spate_layer(http DEPENDS base io)\n"})

    def test_cmake_leaves_out_a_used_layer(self):
        self.alone("cmake", "include/spate/http/method.hpp", "does not name it",
                   {"src/http/CMakeLists.txt": "spate_layer(http)\n"})

    def test_a_layer_without_its_call(self):
        self.alone("cmake", "src/http/CMakeLists.txt", "expected one call", {"src/http/CMakeLists.txt": "project(x)\n"})

    # surface
    def test_a_third_party_header_on_the_surface(self):
        self.reported("surface", "include/spate/http/bad.hpp", "<fmt/core.h>",
                      {"include/spate/http/bad.hpp": "#pragma once\n#include <fmt/core.h>\n"})

    def test_a_heavy_header_on_the_surface(self):
        for name in ("functional", "iostream", "regex", "ranges", "filesystem", "map", "algorithm"):
            self.alone("surface", "include/spate/http/bad.hpp", f"<{name}>, which is heavy",
                       {"include/spate/http/bad.hpp": f"#pragma once\n#include <{name}>\n"})

    def test_a_private_header_on_the_surface(self):
        self.alone("surface", "include/spate/http/bad.hpp", "no private ones",
                   {"include/spate/http/bad.hpp": '#pragma once\n#include "http/head.hpp"\n'})

    # confinement
    def test_foreign_headers_outside_their_folder(self):
        for path, name in (("src/io/bad.cpp", "liburing.h"), ("src/net/bad.cpp", "sys/epoll.h"),
                           ("src/http/bad.cpp", "simdjson.h"), ("src/json/bad.hpp", "simdjson.h"),
                           ("src/net/bad.cpp", "openssl/ssl.h"), ("src/app/bad.cpp", "sqlite3.h"),
                           ("src/coro/bad.cpp", "unistd.h"), ("src/http/bad.cpp", "netinet/in.h"),
                           ("src/http/bad.cpp", "gtest/gtest.h"), ("src/base/bad.cpp", "sys/mman.h")):
            text = f"#pragma once\n#include <{name}>\n"
            self.alone("confinement", path, f"<{name}>; tests/architecture/confinement.txt:", {path: text})

    def test_a_foreign_header_that_nobody_decided_on(self):
        self.alone("confinement", "src/io/bad.cpp", "does not list", {"src/io/bad.cpp": "#include <boost/asio.hpp>\n"})

    # purity
    def test_impure_calls_in_pure_folders(self):
        for folder in ("base", "coro", "http", "json", "app"):
            for code in ("int x = ::read(0, b, 1);", "auto t = std::chrono::steady_clock::now();", "std::thread t;",
                         "std::jthread t;", "std::mutex m;", "std::shared_mutex m;", "std::condition_variable c;",
                         "int x = ::clock_gettime(0, &t);", "int x = ::send(0, b, 1, 0);", "return ::open(p, 0);"):
                self.alone("purity", f"src/{folder}/bad.cpp", f"pure folder {folder}", {f"src/{folder}/bad.cpp": code})

    def test_a_comment_or_a_member_is_not_a_system_call(self):
        self.assertEqual([], self.check({"src/http/ok.cpp": "// never ::read( here, nor std::mutex\n"
                                         'const char* s = "std::thread"; void f() { body.read(1); Body::read(2); }\n'}))

    # words
    def test_words_that_fail(self):
        for path, code, what in (
            ("src/http/bad.hpp", "#pragma once\nusing namespace std;\n", "using namespace"),
            ("src/http/bad.cpp", 'void f() { std::printf("x"); }\n', "printf"),
            ("src/http/bad.cpp", 'void f() { fprintf(stderr, "x"); }\n', "fprintf"),
            ("src/server/bad.cpp", "void f() { std::cerr << 1; }\n", "std::cerr"),
            ("src/server/bad.cpp", "void f() { std::cout << 1; }\n", "std::cout"),
            ("src/server/bad.cpp", "void f() { std::abort(); }\n", "abort"),
            ("src/server/bad.cpp", "void f() {\n  abort();\n}\n", "abort"),
            ("src/server/bad.cpp", "void f() { exit(1); }\n", "exit"),
            ("include/spate/http/bad.hpp", "#pragma once\ninline void f() { std::terminate(); }\n", "terminate"),
            ("src/http/bad.cpp", "// TODO later\n", "TODO"),
            ("src/http/bad.hpp", "int x;\n", "#pragma once"),
            ("src/http/bad.cpp", "// SPDX\nint x;\n", "the first line"),
            ("src/spate/bad.cpp", "#include <spate/spate.hpp>\n", "umbrella"),
        ):
            self.alone("words", path, what, {path: code})

    def test_words_that_pass(self):
        self.assertEqual([], self.check({
            "src/spate/main.cpp": 'void f() { std::printf("http://127.0.0.1\\n"); }\n',
            "src/testing/client.cpp": "#include <spate/spate.hpp>\n",
            "src/server/ok.cpp": 'void f() { connection.abort(); std::snprintf(b, 1, "x"); }\n// TODO(#12): later\n',
            "include/spate/base/ok.hpp": "#pragma once\nusing namespace std::chrono_literals;\n"}))

    # exceptions and the law itself
    def test_an_exception_excuses_and_a_stale_one_fails(self):
        line = "words src/http/x.cpp std::abort  # the default handler of broken invariants\n"
        files = {"tests/architecture/exceptions.txt": line, "src/http/x.cpp": "void f() { std::abort(); }\n"}
        self.assertEqual([], self.check(files))
        self.alone("exceptions", "tests/architecture/exceptions.txt", "excuses nothing",
                   {"tests/architecture/exceptions.txt": line})

    def test_a_law_that_contradicts_itself_is_refused(self):
        for text, words in (("NONE < a; a < b; b < a;", "circle"), ("NONE < a; a < b < c; a !< c;", "contradicted"),
                            ("NONE < a; x < b;", "never placed"), ("NONE < a; a b;", "cannot read"),
                            ("NONE < a; a < b\nb < c;", "no layer name")):
            with self.assertRaisesRegex(LayersError, words):
                Layers(text)

    def test_the_law_of_this_repository_separates_the_halves(self):
        with open(os.path.join(ROOT, "layers.txt"), encoding="utf-8") as f:
            layers = Layers(f.read())
        for upper, lower in (("app", "server"), ("server", "app"), ("io", "http"), ("http", "io"), ("base", "coro")):
            self.assertFalse(layers.may_include(upper, lower), f"{upper} may include {lower}")
        for upper, lower in (("spate", "app"), ("spate", "server"), ("server", "http"), ("testing", "io")):
            self.assertTrue(layers.may_include(upper, lower), f"{upper} may not include {lower}")

    def test_stripping_keeps_lines_and_code(self):
        text = 'a("//x"); // y\nb(\'"\'); /* c\n"d" */ e(R"(\n// f")"); g = 1\'000; h'
        self.assertEqual(strip_code(text).count("\n"), text.count("\n"))
        for gone in ("x", "y", "c", "d", "f"):
            self.assertNotIn(gone, strip_code(text))
        for kept in ("a(", "b(", "e(", "g = 1'000", "h"):
            self.assertIn(kept, strip_code(text))


if __name__ == "__main__":
    unittest.main()
