#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfactl on a terminal of some width: nothing is cut, nothing is wider, and the line of progress tells what it knows."""

import re
import unicodedata

import terminal
import world

POLICY = """[Policy]
TimeZone=Europe/Berlin
[Window weekend-nights-of-the-whole-fleet]
OnCalendar=Sat,Sun 03:30
Duration=2h
"""
UNITS = ("us", "ms", "s", "min")
WHY = "a backup with a long and winding reason that somebody is going to read"


def width(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def words(text):
    return sorted(re.sub(r"\x1b\[[\d;]*m", "", text).split())


class TableTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.configure(POLICY)
        self.world.reload()
        self.world.stage("rmm", "2.0")
        self.world.lfactl("activate", "rmm", "--override=window", "--reason=x")
        self.world.stage("rmm", "3.0")
        self.inhibitor = self.world.call(world.PATH, world.MANAGER, "Inhibit", "sssasa{sv}", "backup", WHY, "block", [], {})

    def show(self, columns, *arguments, **environment):
        shown = terminal.Terminal(["lfactl", *arguments], {**self.world.environment, **environment}, columns)
        self.addCleanup(shown.close)
        self.assertIn(shown.finish(), (0, 3), shown.seen)
        return shown.seen.replace("\r\n", "\n")

    def test_tables_fit_and_nothing_in_them_is_lost(self):
        for arguments in (["list"], ["history"], ["plan"], ["inhibit", "--list"]):
            whole = self.world.lfactl(*arguments).stdout
            for columns in (80, 60, 40):
                with self.subTest(arguments=arguments, columns=columns):
                    shown = self.show(columns, *arguments)
                    lines = [line for line in shown.splitlines() if not re.search("Mode=|TimeZone=", line)]  # no part of a table
                    self.assertLessEqual(max(map(width, lines)), columns, shown)
                    keep = lambda text: [word for word in words(text) if not re.search(r"\d", word) and word not in UNITS]  # ages change
                    if columns == 80:
                        self.assertEqual(sorted("".join(keep(shown))), sorted("".join(keep(whole))))

    def test_where_no_table_fits_there_are_blocks(self):
        shown = self.show(40, "list")
        self.assertRegex(shown, r"(?m)^  IMAGE: rmm\n   NAME: Realm Management Monitor \(RMM\)\nCURRENT: 2\.0\nPENDING: 3\.0$")
        self.assertNotRegex(shown, r"(?m)^PENDING: -$")

    def test_gates_fit_with_reasons_on_several_lines(self):
        gates = self.show(80, "explain", "rmm", "--long").partition("\nGATE")[2].partition("\nHint")[0]
        self.assertLessEqual(max(map(width, gates.splitlines())), 80, gates)
        self.assertGreater(gates.count("\n" + " " * 40), 2, gates)

    def test_versions_states_and_names_stay_in_one_piece(self):
        shown = self.show(60, "list")
        for text in ("rmm", "2.0", "3.0", "pending", "bl31", "idle"):
            self.assertIn(text, shown.split())

    def test_columns_says_how_wide_it_is(self):
        self.assertIn("IMAGE: rmm", self.show(200, "list", COLUMNS="40"))
        self.assertNotIn("IMAGE: rmm", self.show(40, "list", COLUMNS="200"))
        self.assertNotIn("IMAGE: rmm", self.world.lfactl("list").stdout)


class ProgressTest(world.TestCase):
    LINE = r"\r\x1b\[K([^\r]*)"

    def activate(self, columns, version):
        """What is shown of a job that lasts until end()."""
        self.world.stage("rmm", version)
        self.world.sim("hang activate")
        shown = terminal.Terminal(["lfactl", "activate", "rmm"], self.world.environment, columns)
        self.addCleanup(shown.close)
        return shown

    def end(self, shown):
        self.world.sim("release")
        self.assertEqual(shown.finish(), 0, shown.seen)

    def test_what_such_a_job_takes_is_told_when_it_is_known(self):
        shown = self.activate(80, "2.0")
        shown.wait_for(r"rmm: activating, [1-9]\d* s")
        self.end(shown)
        self.assertNotIn("usually", shown.seen)
        shown = self.activate(80, "3.0")
        shown.wait_for(r"rmm: activating, \d+ s, usually about \d+ (s|min)")
        self.end(shown)
        self.assertRegex(shown.seen, r"\r\x1b\[Krmm: 2\.0 → 3\.0: succeeded[^\r]*\r\n$")

    def test_it_is_no_wider_than_the_terminal_also_when_that_changes(self):
        shown = self.activate(14, "2.0")
        shown.wait_for("rmm: activati")
        before = len(shown.seen)
        shown.resize(40)
        shown.wait_for("rmm: activating, ")
        self.end(shown)
        narrow = re.findall(self.LINE, shown.seen[:before])
        self.assertLess(max(map(len, narrow)), 14, narrow)


world.main()
