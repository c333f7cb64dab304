#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each event of the table is logged somewhere, and each field is added somewhere; no id and no name is there twice."""

import re

import lint

TABLE = "include/lfa/message-ids.h"
FIELDS = "include/lfa/message-fields.h"
ROW = re.compile(r'X\(([A-Z_]+), "([^"]*)", (\w+),[\s\\]*"([^"]*)"\)')


def check(root):
    paths = [path for path in lint.sources(root, ("src",)) if path.endswith(".c") and not path.startswith("src/util/")]
    used = set()
    for path in paths:
        used |= set(re.findall(r"\bLFA_(?:MESSAGE|FIELD)_\w+", lint.code_only(lint.read(root, path))))
    text = lint.read(root, TABLE)
    seen = set()
    for match in ROW.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        symbol, name, _, message_id = match.groups()
        if f"LFA_MESSAGE_{symbol}" not in used:
            yield lint.Violation(TABLE, line, f"nothing logs {symbol}")
        if not re.fullmatch(r"[0-9a-f]{32}", message_id):
            yield lint.Violation(TABLE, line, f"{message_id} is no id")
        if symbol.lower().replace("_", "-") != name:
            yield lint.Violation(TABLE, line, f"{symbol} is called {name}")
        for key in (name, message_id):
            if key in seen:
                yield lint.Violation(TABLE, line, f"{key} is there twice")
            seen.add(key)
    for number, line in enumerate(lint.read(root, FIELDS).split("\n"), 1):
        match = re.match(r'#define LFA_FIELD_(\w+) "(\w+)"', line)
        if not match:
            continue
        if f"LFA_FIELD_{match.group(1)}" not in used:
            yield lint.Violation(FIELDS, number, f"nothing adds {match.group(2)}")
        if match.group(2) != f"LFA_{match.group(1)}":
            yield lint.Violation(FIELDS, number, f"{match.group(1)} is called {match.group(2)}")


def plant(root):
    ids = [f"{number:032x}" for number in range(3)]
    lint.write(root, TABLE, "#define T(X) \\\n" + "".join(f"        {row} \\\n" for row in (
        f'X(GOOD, "good", INFO, "{ids[0]}")',
        f'X(UNUSED, "unused", INFO, "{ids[1]}")',  # 1
        f'X(TWICE, "twice", INFO, \\\n          "{ids[0]}")',  # 2
        f'X(OTHER, "another", INFO, "{ids[2]}")',  # 3
        'X(SHORT, "short", INFO, "0123")')))  # 4
    lint.write(root, FIELDS, '#define LFA_FIELD_GOOD "LFA_GOOD"\n#define LFA_FIELD_UNUSED "LFA_UNUSED"\n'  # 5
               '#define LFA_FIELD_OTHER "LFA_ANOTHER"\n')  # 6
    lint.write(root, "src/daemon/a.c", "log_event(LFA_MESSAGE_GOOD, log_add(NULL, LFA_FIELD_GOOD, LFA_FIELD_OTHER));\n"
               "m = x ? LFA_MESSAGE_TWICE : LFA_MESSAGE_OTHER;\nLFA_MESSAGE_SHORT;\n/* LFA_MESSAGE_UNUSED */\n")
    lint.write(root, "src/util/log.c", "LFA_MESSAGE_UNUSED; LFA_FIELD_UNUSED;\n")
    return 6


lint.main(check, plant)
