# SPDX-License-Identifier: MIT
"""The source tree as the checks see it: files, their layers' names, includes, and code without comments."""

import os
import re

TOP = ("include", "src", "apps", "examples", "tests", "bench", "fuzz")
HEADER = (".hpp", ".h")
SOURCE = HEADER + (".cpp", ".cc", ".c")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<([^>\n]+)>|"([^"\n]+)")', re.M)
# One pass, so that a quote inside a comment and `//` inside a string are both read rightly.
TOKENS = re.compile(
    r'(?P<raw>R"(?P<tag>[^\s()\\]{0,16})\((?:.|\n)*?\)(?P=tag)")'
    r"|(?P<comment>//(?:\\\n|[^\n])*|/\*(?:.|\n)*?\*/)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<char>(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+')"
)


def strip_code(text):
    """The text with comments and the insides of literals blanked; line numbers stay."""

    def blank(match):
        kept = re.sub(r"[^\n]", " ", match.group(0))
        return kept if match.group("comment") else '"' + kept[1:-1] + '"'

    return TOKENS.sub(blank, text)


class Include:
    def __init__(self, name, quoted, line):
        self.name, self.quoted, self.line = name, quoted, line
        self.target = None  # path of the file in this tree, when it is one of ours

    def __str__(self):
        return f'"{self.name}"' if self.quoted else f"<{self.name}>"


class File:
    def __init__(self, root, path):
        self.path = path
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
            self.text = f.read()
        self.code = strip_code(self.text)
        self.is_header = path.endswith(HEADER)
        self.is_public = path.startswith("include/")
        self.is_unit_test = path.startswith("src/") and re.search(r"_(test|bench)\.cpp$", path) is not None
        self.is_library = path.startswith(("include/", "src/")) and not self.is_unit_test
        self.concept = concept_of(path)
        # Includes are found in the text without comments, but their names are strings: read those from the text.
        self.includes = []
        commentless = TOKENS.sub(
            lambda m: re.sub(r"[^\n]", " ", m.group(0)) if m.group("comment") or m.group("raw") else m.group(0),
            self.text,
        )
        for m in INCLUDE.finditer(commentless):
            line = commentless.count("\n", 0, m.start()) + 1
            self.includes.append(Include(m.group(1) or m.group(2), m.group(2) is not None, line))

    def line_at(self, position):
        return self.text.count("\n", 0, position) + 1


def concept_of(path):
    """`src/http/h1/chunked.cpp` and `include/spate/http/h1/chunked.hpp` are both `http/h1/chunked`."""
    stem = os.path.splitext(path)[0]
    if stem.startswith("include/spate/"):
        inner = stem[len("include/spate/"):]
        return inner if "/" in inner else "spate/" + inner  # the facade's headers lie on top
    if stem.startswith("src/"):
        return stem[len("src/"):]
    return stem


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = {}
        for top in TOP:
            for folder, names, files in os.walk(os.path.join(root, top)):
                names[:] = sorted(n for n in names if n not in ("build", "node_modules") and not n.startswith("."))
                for name in sorted(files):
                    if name.endswith(SOURCE):
                        path = os.path.relpath(os.path.join(folder, name), root)
                        self.files[path] = File(root, path)
        for file in self.files.values():
            for include in file.includes:
                include.target = self._resolve(file, include)

    def _resolve(self, file, include):
        if not include.quoted:
            return self._have("include/" + include.name)
        beside = os.path.normpath(os.path.join(os.path.dirname(file.path), include.name))
        rooted = self._have("src/" + include.name) or self._have("include/" + include.name)
        if file.path.startswith(("include/", "src/")):
            return rooted or self._have(beside)
        return self._have(beside) or rooted  # as the compiler searches

    def _have(self, path):
        return path if path in self.files else None
