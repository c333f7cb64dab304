#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No .c file above 800 lines, no function above 80; prints the largest, so that growth is seen before it hurts."""

import re

import lint

FILE_LINES = 800
FUNCTION_LINES = 80


def functions(text):
    """(first line, name, lines) of each function; clang-format puts its last brace, alone, in the first column."""
    name, start = None, 0
    for number, line in enumerate(lint.code_only(text).split("\n"), 1):
        if re.match(r"[A-Za-z_]", line) and "(" in line and not line.rstrip().endswith(";"):
            match = re.search(r"(\w+)\(", line)
            name, start = match.group(1) if match else "?", number
        elif re.match(r"[A-Za-z_#]", line):
            name = None
        elif line.startswith("}") and name:
            yield start, name, number - start + 1
            name = None


def check(root):
    sizes, lengths = [], []
    for path in lint.sources(root):
        text = lint.read(root, path)
        count = text.count("\n")
        sizes.append((count, path))
        if path.endswith(".c") and count > FILE_LINES:
            yield lint.Violation(path, count, f"{count} lines, {FILE_LINES} are allowed")
        for line, name, length in functions(text):
            lengths.append((length, f"{name} in {path}:{line}"))
            if length > FUNCTION_LINES:
                yield lint.Violation(path, line, f"{name} has {length} lines, {FUNCTION_LINES} are allowed")
    for title, found in (("files", sizes), ("functions", lengths)):
        print(f"largest {title}: " + ", ".join(f"{what} ({size})" for size, what in sorted(found)[:-4:-1]))


def plant(root):
    lint.write(root, "src/long.c", "int a;\n" * (FILE_LINES + 1))
    lint.write(root, "src/fits.c", "int a;\n" * FILE_LINES)
    body = "        a++;\n"
    lint.write(root, "src/function.c", "static int fits(int a,\n                int b) {\n" + body * 77 + "}\n\n"
               "void long_one(void) {\n" + body * 79 + "}\n")
    return 2


lint.main(check, plant)
