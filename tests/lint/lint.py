# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the lint scripts share: the source tree, violations, and the proof that a check can fail.

A script defines check(root), which yields Violations, and plant(root), which fills an empty folder with one file per
thing it must object to, and returns how many violations that makes; then calls main(check, plant). Run plain it
checks the tree (LFAD_SOURCE_DIR, or the one it lies in); with --self-test it checks what plant() made.
"""

import os
import re
import sys
import tempfile
from typing import NamedTuple

SKIPPED = re.compile(r"^(\.git|build.*|__pycache__|subprojects)$")


class Violation(NamedTuple):
    file: str
    line: int
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text}"


def files(root, accept, below=("",)):
    """Paths relative to root of the files that accept(path) wants, sorted."""
    found = set()
    for start in below:
        for folder, folders, names in os.walk(os.path.join(root, start)):
            folders[:] = [name for name in folders if not SKIPPED.match(name)]
            found |= {os.path.relpath(os.path.join(folder, name), root) for name in names}
    return sorted(path for path in found if accept(path))


def sources(root, below=("src", "include", "tests", "man")):
    return files(root, lambda path: path.endswith((".c", ".h")), below)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def write(root, path, text):
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    with open(os.path.join(root, path), "w", encoding="utf-8") as file:
        file.write(text)


def code_only(text):
    """C source with comments and the insides of literals blanked; the lines keep their numbers."""
    pattern = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def calls(text, pattern):
    """(line number, name, rest of the line) of each call of a function whose name fits the pattern."""
    for number, line in enumerate(code_only(text).split("\n"), 1):
        for match in re.finditer(r"(?<![\w.>])(" + pattern + r")\s*\(", line):
            yield number, match.group(1), line[match.end():]


def main(check, plant):
    if sys.argv[1:] == ["--self-test"]:
        with tempfile.TemporaryDirectory() as root:
            wanted = plant(root)
            found = list(check(root))
        for violation in found:
            print(violation)
        if len(found) != wanted:
            sys.exit(f"planted {wanted} violations, found {len(found)}")
        return
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = list(check(os.environ.get("LFAD_SOURCE_DIR", here)))
    for violation in found:
        print(violation)
    if found:
        sys.exit(1)
