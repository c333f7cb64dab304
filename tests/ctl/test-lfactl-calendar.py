#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfactl calendar: what it prints, in both outputs, and what it says of mistakes. There is no bus: it needs none."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

LFACTL = os.environ["LFACTL"]


class CalendarTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.root = pathlib.Path(place.name)

    def configure(self, text):
        folder = self.root / "etc/lfad"
        folder.mkdir(parents=True)
        (folder / "lfad.conf").write_text(text)

    def lfactl(self, *arguments):
        done = subprocess.run([LFACTL, "calendar", f"--root={self.root}", *arguments], capture_output=True,
                              text=True, timeout=20, check=False,
                              env={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nowhere", "LC_ALL": "C.UTF-8"})
        return done.returncode, done.stdout, done.stderr

    def test_elapses_are_shown_in_utc_and_in_the_zone_of_the_expression(self):
        self.assertEqual(self.lfactl("02:30 Europe/Berlin", "--iterations=3", "--base-time=2027-03-27"),
                         (0, "UTC                     Europe/Berlin\n"
                             "2027-03-27 01:30:00 UTC 2027-03-27 02:30:00 CET\n"
                             "2027-03-29 00:30:00 UTC 2027-03-29 02:30:00 CEST\n"
                             "2027-03-30 00:30:00 UTC 2027-03-30 02:30:00 CEST\n", ""))

    def test_without_a_zone_it_is_that_of_the_configuration(self):
        self.assertEqual(self.lfactl("daily", "--iterations=1", "--base-time=2026-12-24 18:00"),
                         (0, "UTC\n2026-12-25 00:00:00 UTC\n", ""))
        self.configure("[Policy]\nTimeZone=Asia/Tokyo\nMode=nonsense\n")
        self.assertEqual(self.lfactl("daily", "--iterations=1", "--base-time=2026-12-24 18:00"),
                         (0, "UTC                     Asia/Tokyo\n"
                             "2026-12-24 15:00:00 UTC 2026-12-25 00:00:00 JST\n", ""))

    def test_five_are_shown_of_an_expression_without_end_and_no_more_than_there_are(self):
        self.assertEqual(self.lfactl("--no-legend", "minutely")[1].count("\n"), 5)
        self.assertEqual(self.lfactl("--no-legend", "2198..2199-1-1")[1],
                         "2198-01-01 00:00:00 UTC\n2199-01-01 00:00:00 UTC\n")
        self.assertEqual(self.lfactl("*-02-30"), (0, "never\n", ""))

    def test_the_base_can_be_another_expression(self):
        self.assertEqual(self.lfactl("Sat 03:30", "--base-time=2199-12-31")[1], "never\n")
        self.assertEqual(self.lfactl("00:00", "--iterations=1", "--base-time=@1798135200", "--no-legend")[1],
                         "2026-12-25 00:00:00 UTC\n")
        self.assertEqual(self.lfactl("00:00", "--iterations=1", "--base-time=2199-12-25..31", "--no-legend")[1],
                         "2199-12-26 00:00:00 UTC\n")

    def test_json_has_the_moments_and_the_zone(self):
        code, out, _ = self.lfactl("--json=short", "12:00 Europe/Berlin", "--iterations=1", "--base-time=2026-12-24")
        self.assertEqual((code, json.loads(out)), (0, {
            "schema": 1, "zone": "Europe/Berlin", "exit-code": 0,
            "elapses": [{"usec": 1798110000000000, "utc": "2026-12-24 11:00:00 UTC",
                         "local": "2026-12-24 12:00:00 CET"}]}))
        self.assertEqual(json.loads(self.lfactl("--json=short", "*-02-30")[1])["elapses"], [])

    def test_a_mistake_is_named_with_what_is_allowed(self):
        for arguments, *texts in (
                (["Frei 03:30"], "'Frei 03:30' makes no sense", "'Frei' is no day of the week", "Mon, Tue"),
                (["25:00"], "An hour can be 0 to 23"),
                (["daily", "--base-time=2026-02-30"], "--base-time='2026-02-30'", "There is no such day"),
                (["daily", "--iterations=0"], "--iterations=0", "1 to 1000"),
                (["daily", "--iterations=1001"], "1 to 1000"),
                ([], "EXPRESSION"),
                (["daily", "weekly"], "one argument")):
            code, out, err = self.lfactl(*arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            for text in texts:
                self.assertIn(text, err)
        code, out, _ = self.lfactl("--json=short", "Frei 03:30")
        self.assertEqual((code, json.loads(out)["exit-code"]), (2, 2))


if __name__ == "__main__":
    unittest.main()
