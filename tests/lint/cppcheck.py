#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""cppcheck has nothing to say about src/."""

import os
import re
import subprocess

import lint

# memleak, resourceLeak: it does not know the cleanup attribute, by which nearly everything here is released. gcc's
# analyzer does, and LeakSanitizer sees what really stays.
# readdirCalled, getpwuidCalled: the "reentrant" ones are deprecated (readdir(3)) or not needed, as one thread calls these.
# invalidFunctionArg: its table does not know mmap() without a file. gcc and the sanitizers look at arguments.
# ConfigurationNotChecked, unmatchedSuppression, missingInclude: about its own work.
SUPPRESSED = ("memleak", "resourceLeak", "readdirCalled", "getpwuidCalled", "invalidFunctionArg",
              "ConfigurationNotChecked", "unmatchedSuppression", "missingInclude", "missingIncludeSystem")


def check(root):
    done = subprocess.run(["cppcheck", "--quiet", f"-j{os.cpu_count()}", "--enable=warning,portability,performance",
                           "--std=c11", "--library=posix,gtk", "--inline-suppr", "--template={file}:{line}: {id}: {message}",
                           *(f"--suppress={name}" for name in SUPPRESSED), "-D_GNU_SOURCE", "-Iinclude", "-Isrc", "src"],
                          cwd=root, text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        yield lint.Violation("src", 1, "cppcheck failed: " + done.stdout.strip())
    for file, line, text in re.findall(r"^([^:\n]+):(\d+): (.*)$", done.stderr, re.MULTILINE):
        yield lint.Violation(file, int(line), text)


def plant(root):
    lint.write(root, "src/good.c", "int good(int a) {\n        return a + 1;\n}\n")
    lint.write(root, "src/bad.c", "int bad(void) {\n        int a[2] = { 1, 2 };\n\n        return a[2];\n}\n")
    return 1


lint.main(check, plant)
