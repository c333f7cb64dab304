#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every C file is formatted as .clang-format says; `./dev format` does it."""

import os
import re
import shutil
import subprocess

import lint


def check(root):
    paths = lint.sources(root)
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", "--style=file", *paths], cwd=root, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False) if paths else None
    seen = set()
    for line in done.stderr.split("\n") if done else []:
        match = re.match(r"(.*?):(\d+):\d+: error: (.*)", line)
        if match and match.group(1) not in seen:
            seen.add(match.group(1))
            yield lint.Violation(match.group(1), int(match.group(2)), "not formatted, run ./dev format")
    if done and done.returncode != 0 and not seen:
        yield lint.Violation(".clang-format", 1, "clang-format failed: " + done.stderr.strip())


def plant(root):
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    shutil.copy(os.path.join(here, ".clang-format"), root)
    lint.write(root, "src/good.c", "int main(void) {\n        return 0;\n}\n")
    lint.write(root, "src/bad.c", "int main(void)\n{\n    return  0;\n}\n")
    return 1


lint.main(check, plant)
