#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each source file names its licence and says what it is responsible for; text is clean; XML is well-formed."""

import os
import re
import xml.etree.ElementTree

import lint

SPDX = "SPDX-License-Identifier: LGPL-2.1-or-later"
# Folders with a licence of their own; debian/copyright names them, too.
SPDX_OF = {"tests/vm/module": "SPDX-License-Identifier: GPL-2.0-only"}  # kernel modules
HEAD_LINES = 6  # a shebang, an XML declaration and a DOCTYPE may come before the licence
TITLE_LINES = 40  # a header may have its includes first
XML = (".xml", ".policy")
TITLES = {
    (".c", ".h"): re.compile(r"^/\*(?! SPDX)\s*\S", re.MULTILINE),
    (".py",): re.compile(r'^"""\S', re.MULTILINE),
    (".sh", ".in", ".rules", ""): re.compile(r"^# (?!SPDX)\S", re.MULTILINE),
    (".conf",): re.compile(r"(<!--|^#) (?!SPDX)\S", re.MULTILINE),  # D-Bus's, or INI
    XML: re.compile(r"<!-- (?!SPDX)\S", re.MULTILINE),
}


def suffix(path):
    return os.path.splitext(os.path.basename(path))[1]


def is_text(path):
    return (suffix(path) in (".c", ".h", ".py", ".sh", ".in", ".rules", ".md", ".txt", ".conf", *XML)
            or os.path.basename(path) in ("dev", "meson.build", ".clang-format", ".gitignore"))


def check_head(path, text):
    head = "\n".join(text.split("\n")[:HEAD_LINES])
    title = next((pattern for kinds, pattern in TITLES.items() if suffix(path) in kinds), None)
    if title is None or os.path.basename(path).startswith("."):
        return
    licence = SPDX_OF.get(os.path.dirname(path), SPDX)
    if licence not in head:
        yield lint.Violation(path, 1, f"no '{licence}' in its first lines")
    if os.path.basename(path) != "meson.build" and not title.search("\n".join(text.split("\n")[:TITLE_LINES])):
        yield lint.Violation(path, 1, "no title comment that says what the file is responsible for")


def check_text(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if line.rstrip() != line:
            yield lint.Violation(path, number, "blanks at the end of the line")
    if text and (not text.endswith("\n") or text.endswith("\n\n")):
        yield lint.Violation(path, text.count("\n"), "does not end in exactly one newline")


def check(root):
    for path in lint.files(root, is_text):
        text = lint.read(root, path)
        yield from check_head(path, text)
        yield from check_text(path, text)
        if text.startswith(("<?xml", "<!DOCTYPE")) or suffix(path) in (".xml", ".policy"):
            try:
                xml.etree.ElementTree.fromstring(text)
            except xml.etree.ElementTree.ParseError as error:
                yield lint.Violation(path, error.position[0], f"not well-formed: {error}")


def plant(root):
    lint.write(root, "src/good.c", f"/* {SPDX} */\n/* A title. */\n\nint a;\n")
    lint.write(root, "src/no-licence.c", "/* A title. */\n\nint a;\n")  # 1
    lint.write(root, "src/no-title.h", f"/* {SPDX} */\n#pragma once\n\nint a;\n")  # 2
    lint.write(root, "src/blanks.c", f"/* {SPDX} */\n/* A title. */\nint a; \n\n")  # 3, 4
    lint.write(root, "tests/no-title.py", f"#!/usr/bin/python3\n# {SPDX}\nimport os\n")  # 5
    lint.write(root, "dbus/bad.xml", f"<!-- {SPDX} -->\n<!-- A title. -->\n<node>\n")  # 6
    lint.write(root, "tests/vm/module/other.c", f"/* {SPDX} */\n/* A title. */\n\nint a;\n")  # 7
    return 7


lint.main(check, plant)
