# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guides' consoles: blocks of commands with what they print, run in one world in the order in which they stand.

A line "# COMMAND" is a command, "> " before a line goes on with it, other lines are what it printed; a line "..."
stands for any lines, and a long line may be broken between words. What is shown and what is printed are compared without
what differs from run to run: times, spans and process ids. With LFAD_UPDATE_GUIDES=1 blocks that differ are replaced in
the page by what was printed; look at them, and leave out again what the reader does not need."""

import datetime
import os
import re
import textwrap
import unittest

import docs

WIDTH = 116

DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
SPAN = r"\d+(?:\.\d+)? ?(?:us|ms|s|min|h|d|days?|weeks?)\b"
VARYING = [
    (r"\d{4}-\d\d-\d\d", "DATE"),
    (r"\b\d\d:\d\d(:\d\d)?\b", "TIME"),
    (r"\b[A-Z][a-z]{2} \d\d TIME \S+ lfad\[\d+\]:", "JOURNAL:"),
    (r"\b(CES?T|UTC)\b", "ZONE"),
    (rf"\b({DAYS})\b", "DAY"),
    (r"(\bDATE\s+TIME\s+ZONE,)\s+DATE\b", r"\1"),  # in the policy's zone it may be another day
    (rf"\(in {SPAN}( {SPAN})*\)", "(in SPAN)"),
    (rf"{SPAN} ago", "SPAN ago"),
    (r"\b(pid|monotonic|write-usec): .*$", r"\1: N"),
    (r"\bboot-id: [0-9a-f]{32}", "boot-id: ID"),
    # A machine that is busy stands still as well.
    (r" \((\d+ )?blackouts?:[^)]*\)", ""),
    (r"\bBlackoutUSec: .*$", "BlackoutUSec: SPAN"),
    (r"(blackout-[a-z-]+): .*$", r"\1: N"),
    (rf"^( *DATE TIME .*) (?:none|{SPAN})( +\w+)$", r"\1 BLACKOUT\2"),
]
# So that no test depends on the day: what a guide says of its days is true of these many days from now.
DAYS_AHEAD = {"Sat": 2, "Sun": 3, "Mon": 4, "2026-12-18": 20, "2027-01-04": 37}


class Differs(Exception):
    """A command did not print what the page shows."""


def parse(text):
    """[(command, lines that it prints), ...] of a block."""
    found = []
    for line in text.rstrip("\n").split("\n"):
        if line.startswith("# "):
            found.append(([line[2:]], []))
        elif not found:
            raise Differs(f"a block begins with {line!r}, no command")
        elif line.startswith(">") and not found[-1][1]:
            found[-1][0].append(line[1:].removeprefix(" "))
        else:
            found[-1][1].append(line)
    return [("\n".join(command), output) for command, output in found]


def normalise(lines):
    """The words of all lines."""
    text = "\n".join(lines)
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text.split()


def matches(shown, printed):
    """Whether the printed lines are those shown."""
    parts, words = [[]], normalise(printed)
    for line in shown:
        if line == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    pattern = r"(?:\S+ )*?".join("".join(re.escape(word) + " " for word in normalise(part)) for part in parts)
    return re.fullmatch(pattern, "".join(word + " " for word in words)) is not None


def shift_days(command, today=None):
    today = today or datetime.date.today()
    for word, ahead in DAYS_AHEAD.items():
        day = today + datetime.timedelta(days=ahead)
        command = re.sub(rf"\b{word}\b", "\0" + str(day if "-" in word else day.strftime("%a")), command)
    return command.replace("\0", "")


def shift_back(line, today=None):
    """What was printed of those days, as if the commands had been about the page's: Sat is the next one."""
    today = today or datetime.date.today()
    dates, names = {}, {}
    for word, ahead in DAYS_AHEAD.items():
        day = today + datetime.timedelta(days=ahead)
        if "-" in word:
            dates[str(day)] = word
        else:
            shown = next(other for other in (today + datetime.timedelta(days=n) for n in range(2, 9))
                         if f"{other:%a}" == word)
            dates[str(day)], names[f"{day:%a}"] = str(shown), word
    return re.sub(rf"\b\d{{4}}-\d\d-\d\d\b|\b(?:{DAYS})\b",
                  lambda match: dates.get(match.group(), names.get(match.group(), match.group())), line)


def fold(line):
    line = line.expandtabs()
    return textwrap.wrap(line, WIDTH, subsequent_indent="    ", break_long_words=False,
                         break_on_hyphens=False) if len(line) > WIDTH else [line]


def consoles(page):
    """name -> text of the page's consoles, in order."""
    return {name: text for name, (language, text) in docs.page(page).examples.items() if language == "console"}


class Runner:
    """Runs consoles in a world. before: name of a block -> what happens to the host before it."""

    def __init__(self, page, world, before, folder="/"):
        self.page, self.world, self.before, self.folder = page, world, before, folder
        self.update = bool(os.environ.get("LFAD_UPDATE_GUIDES"))
        self.today = datetime.date.today()  # of all blocks, should midnight come between them

    def run(self, command):
        command = f"cd {self.folder}\n{shift_days(command, self.today)}"
        done = self.world.as_user(None, ["sh", "-c", f"exec 2>&1\n{command}"], timeout=120)
        return done.stdout.rstrip("\n").split("\n") if done.stdout else []

    def run_block(self, name, text):
        if name in self.before:
            self.before[name]()
        parts = [(command, shown, self.run(command)) for command, shown in parse(text)]
        wrong = [(command, printed) for command, shown, printed in parts if not matches(shown, printed)]
        if wrong and self.update:
            replace(self.page, name, text, parts, self.today)
        elif wrong:
            command, printed = wrong[0]
            raise Differs(f"{self.page}, {name}: # {command}\n" + "\n".join(printed))

    def run_all(self):
        unknown = set(self.before) - set(consoles(self.page))
        if unknown:
            raise Differs(f"no such block: {unknown}")
        for name, text in consoles(self.page).items():
            self.run_block(name, text)


def replace(page, name, text, parts, today):
    """Puts what was printed in the place of what differs."""
    path = os.path.join(docs.SOURCE_DIR, "man", page + ".rst")
    lines = []
    for command, shown, printed in parts:
        first, *rest = command.split("\n")
        lines += ["# " + first, *(f"> {line}".rstrip() for line in rest)]
        lines += shown if matches(shown, printed) else [
            part for line in printed for part in fold(shift_back(line, today))]
    indent = lambda block: f"   :name: {name}\n\n" + "".join(f"   {line}".rstrip() + "\n" for line in block)
    with open(path, encoding="utf-8") as file:
        source = file.read()
    old = indent(text.rstrip("\n").split("\n"))
    if source.count(old) != 1:
        raise Differs(f"{page}, {name}: not found in the source as it was read:\n{old}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source.replace(old, indent(lines)))


class SelfTest(unittest.TestCase):
    """A planted difference is found. The guides' tests take this in."""

    SHOWN = ["lfad: 0.1.0", "Images: 4, 1 of them pending", "Window: closed, opens 2026-12-05 02:30:00 UTC (in 6 days)"]

    def test_what_varies_is_no_difference(self):
        other = ["lfad:  0.1.0", "Images: 4, 1 of them pending", "Window: closed, opens 2027-01-01 03:30:00 CET (in 39 h)"]
        self.assertTrue(matches(self.SHOWN, other))
        self.assertTrue(matches(["...", self.SHOWN[1], "..."], self.SHOWN))
        self.assertTrue(matches([*self.SHOWN[:2], "Window: closed,", "  opens 2026-12-05 02:30:00 UTC (in 6 days)"],
                                self.SHOWN))
        self.assertTrue(matches(["until 2026-11-29 12:10:56 UTC, 13:10:56 CET (in 2 h)"],
                                ["until 2026-11-29 23:10:56 UTC, 2026-11-30 00:10:56 CET (in 2 h)"]))

    def test_anything_else_is(self):
        for planted in (self.SHOWN[:2], self.SHOWN + ["more"], self.SHOWN[::-1], ["lfad: 0.2.0", *self.SHOWN[1:]],
                        [line.replace("closed", "open") for line in self.SHOWN]):
            self.assertFalse(matches(self.SHOWN, planted), planted)
        self.assertFalse(matches(["...", "Images: 5", "..."], self.SHOWN))
        self.assertFalse(matches(["2026-11-29 23:10:56 UTC"], ["2026-11-29 23:10:56 UTC, 2026-11-30 00:10:56 CET"]))

    def test_a_block_is_taken_apart(self):
        self.assertEqual(parse("# cat <<END\n> a\n>\n> END\na\n\n# true\n"),
                         [("cat <<END\na\n\nEND", ["a", ""]), ("true", [])])
        with self.assertRaises(Differs):
            parse("lfactl\n")

    def test_days_are_put_ahead(self):
        today = datetime.date(2026, 11, 29)  # a Sunday
        self.assertEqual(shift_days("Sat,Sun 03:30 2026-12-18", today), "Tue,Wed 03:30 2026-12-19")
        self.assertEqual(shift_back("Tue 2026-12-01 03:30 Thu 2026-12-19", today), "Sat 2026-12-05 03:30 Mon 2026-12-18")
