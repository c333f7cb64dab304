#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfad's files under systemd: the first boot with an empty /var, a /var that cannot be written or is full, and what is
there after another boot."""

import os
import re
import shutil
import stat

import container
from container import wait_for

STATE = "/var/lib/lfad"


class DiskTest(container.TestCase):
    options = {"wants": ()}

    def put_on(self, *mount):
        """lfad's state on another file system."""
        self.box.run("systemctl", "stop", "lfad")
        self.box.run("mount", *mount, STATE)
        self.addCleanup(self.take_off)

    def take_off(self):
        self.box.run("systemctl", "stop", "lfad")
        self.box.run("umount", STATE)

    def assertServesButDenies(self, error):
        self.box.run("systemctl", "start", "lfad")
        self.box.stage("rmm", "9.9")
        self.assertIn("Realm Management Monitor", self.box.lfactl("list").stdout)
        stores = self.box.stores()
        self.assertRefused(error, "lfactl", "activate", "rmm")
        self.assertEqual(self.box.stores(), stores)
        self.box.sim("unstage rmm")

    def test_1_an_empty_var_is_enough(self):
        shutil.rmtree(self.box.path(STATE))
        self.box.run("systemctl", "start", "lfad")
        for folder, mode in ((STATE, 0o755), ("/run/lfad", 0o755)):
            status = os.stat(self.box.path(folder))
            self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid), (mode, 0), folder)
        self.box.stage("rmm", "2.0")
        self.assertIn("succeeded", self.box.lfactl("activate", "rmm").stdout)
        self.assertEqual(stat.S_IMODE(os.stat(self.box.path(STATE + "/history.jsonl")).st_mode), 0o600)

    def test_2_a_history_outlives_the_boot(self):
        before = self.box.history()
        self.box.power_off()
        self.box.boot()
        self.box.run("systemctl", "start", "lfad")
        self.assertEqual(self.box.history()[:len(before)], before)
        self.assertRegex(self.box.lfactl("history").stdout, re.escape("1.2 → 2.0"))
        self.box.stage("rmm", "2.1")
        self.box.lfactl("activate", "rmm")
        jobs = [record["seq"] for record in self.box.history("queued")]
        self.assertEqual(len(set(jobs)), 2)

    def test_3_on_a_disk_that_is_read_only_it_serves_and_activates_nothing(self):
        self.put_on("-t", "tmpfs", "-o", "ro,mode=755", "none")
        self.assertServesButDenies("records cannot be read or written")

    def test_4_on_a_full_disk_it_serves_and_activates_nothing(self):
        self.put_on("-t", "tmpfs", "-o", "size=64k,mode=755", "none")
        self.box.run("sh", "-c", f"head -c 65536 /dev/zero >{STATE}/filling || true")
        self.assertServesButDenies("(?i)room|full|space")
        os.unlink(self.box.path(STATE + "/filling"))
        self.box.stage("rmm", "9.8")
        wait_for(lambda: self.box.lfactl("activate", "rmm", check=False).returncode == 0, 60, "room to be noticed")


container.main()
