#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configuration under systemd: read at start and by `systemctl reload`, which fails where it is bad."""

import os

import container

FILE = "/etc/lfad/lfad.conf.d/test.conf"


class ReloadTest(container.TestCase):
    options = {"files": {FILE: "[Policy]\nTimeZone=Europe/Berlin\n"}}

    def reload(self, text):
        self.box.write(FILE, text)
        return self.box.run("systemctl", "reload", "lfad", check=False)

    def zone(self):
        return self.box.property("TimeZone")

    def test_1_it_is_read_at_start(self):
        self.assertEqual(self.zone(), "Europe/Berlin")

    def test_2_a_good_one_is_in_force_when_systemctl_returns(self):
        pid = self.box.main_pid()
        done = self.reload("[Policy]\nTimeZone=Asia/Tokyo\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.zone(), "Asia/Tokyo")
        self.assertEqual(self.box.main_pid(), pid)

    def test_3_a_bad_one_fails_and_the_old_one_stays(self):
        before, pid = self.zone(), self.box.main_pid()
        done = self.reload("[Policy]\nTimeZone=Mars/Olympus\n")
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual((self.zone(), self.box.main_pid()), (before, pid))
        self.assertEqual(self.box.show("lfad", "ActiveState", "SubState"), ["active", "running"])
        self.assertTrue(any(f"{FILE}:2" in line for line in self.box.messages()), self.box.messages())
        self.assertRefused("Mars/Olympus", "lfactl", "config", "check")
        self.assertEqual(self.reload("[Policy]\nTimeZone=UTC\n").returncode, 0)
        self.assertEqual(self.zone(), "UTC")

    def test_4_with_a_bad_one_at_start_it_runs_and_activates_nothing(self):
        self.box.write(FILE, "[Policy]\nMode=sometimes\n")
        self.box.run("systemctl", "restart", "lfad")
        self.box.stage("rmm", "2.0")
        self.assertRefused("(?i)configuration", "lfactl", "activate", "rmm")
        self.assertEqual(self.box.stores(), 0)
        os.unlink(self.box.path(FILE))
        self.box.run("systemctl", "reload", "lfad")
        self.assertIn("succeeded", self.box.lfactl("activate", "rmm").stdout)


container.main()
