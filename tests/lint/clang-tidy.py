#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""clang-tidy has nothing to say about src/. Which of its checks count, and why some do not, is in .clang-tidy."""

import os
import re
import shutil
import subprocess

import compiling
import lint

AT_ONCE = 8  # files: starting it costs as much as looking at one
# What gcc knows and clang does not, and what clang says of GLib's headers.
OPTIONS = ("-Wno-unknown-warning-option", "-Wno-format-nonliteral", "-Wno-error")
WARNING = re.compile(r"(?P<file>/[^:\n]+):(?P<line>\d+):\d+: (?:warning|error): (?P<text>.*\])$", re.MULTILINE)


def check(root):
    def look(paths):
        done = subprocess.run(["clang-tidy", "-p", compiling.build_folder(root), "--quiet",
                               *(f"--extra-arg={option}" for option in OPTIONS), *paths],
                              cwd=root, text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        found = WARNING.findall(done.stdout)
        if done.returncode != 0 and not found:
            yield lint.Violation(paths[0], 1, "clang-tidy failed: " + done.stderr.strip())
        for file, line, text in found:
            yield lint.Violation(os.path.relpath(file, root), int(line), text)

    paths = [path for path, _, _ in compiling.commands(root)]
    yield from sorted(set(compiling.each(look, [paths[i:i + AT_ONCE] for i in range(0, len(paths), AT_ONCE)])))


def plant(root):
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    shutil.copy(os.path.join(here, ".clang-tidy"), root)
    compiling.plant(root, "good.c", "int good(int a);\nint good(int a) {\n        return a + 1;\n}\n")
    compiling.plant(root, "bad.c", """#include <string.h>

int same(const char *a, const char *b);
int same(const char *a, const char *b) {
        if (strcmp(a, b))
                return 0;
        return 1;
}
""")
    return 1


lint.main(check, plant)
