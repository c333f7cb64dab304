#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gcc's -fanalyzer, which follows the paths through a function, has nothing to say about src/: leaks, uses after free,
descriptors, NULL."""

import re
import subprocess

import compiling
import lint

WARNING = re.compile(r"(?P<file>[^:\n]+):(?P<line>\d+):\d+: (?:warning|error): (?P<text>.*)")


def check(root):
    def analyse(item):
        path, folder, words = item
        done = subprocess.run([*words, "-c", "-o", "/dev/null", "-fanalyzer", "-fdiagnostics-plain-output", "-Wno-error"],
                              cwd=folder, text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        found = WARNING.findall(done.stderr)
        if done.returncode != 0 and not found:
            yield lint.Violation(path, 1, "cannot be compiled: " + done.stderr.strip())
        for _, line, text in found:
            yield lint.Violation(path, int(line), text)

    yield from compiling.each(analyse, compiling.commands(root))


def plant(root):
    compiling.plant(root, "good.c", "int good(int a) {\n        return a + 1;\n}\n")
    compiling.plant(root, "bad.c", """#include <stdlib.h>

int leak(int a);
int leak(int a) {
        int *b = malloc(sizeof(int));

        if (!b)
                return a;
        *b = a;
        return *b;
}
""")
    return 1


lint.main(check, plant)
