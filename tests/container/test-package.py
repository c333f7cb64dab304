#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package on a host that runs: what starts, what stops, and that nothing is left when it is purged."""

import glob
import os

import container

UNITS = ("lfad.service", "lfad-activate.service", "lfad-activate.timer", "lfad-metrics.service", "lfad-metrics.timer")


class PackageTest(container.TestCase):
    def dpkg(self, *arguments):
        return self.box.run("dpkg", *arguments, timeout=200).stdout

    def install(self):
        [path] = glob.glob(self.box.path("/lfad-packages/lfad_*.deb"))
        self.dpkg("--install", "/lfad-packages/" + os.path.basename(path))

    def assertServes(self):
        self.assertEqual(self.box.show("lfad", "ActiveState", "UnitFileState"), ["active", "enabled"])
        self.assertIn("Realm Management Monitor", self.box.lfactl("list").stdout)
        for timer in ("lfad-activate.timer", "lfad-metrics.timer"):
            self.assertEqual(self.box.run("systemctl", "is-enabled", timer, check=False).stdout, "disabled\n")

    def test_1_installed_it_serves(self):
        self.assertServes()

    def test_2_an_upgrade_restarts_it_and_keeps_what_it_knows(self):
        self.box.stage("rmm", "2.0")
        self.box.lfactl("activate", "rmm")
        before, pid = self.box.history(), self.box.main_pid()
        self.install()
        self.assertServes()
        self.assertNotEqual(self.box.main_pid(), pid)
        self.assertEqual(self.box.history()[:len(before)], before)

    def test_3_removed_it_stops_and_keeps_what_it_knows(self):
        self.box.run("systemctl", "start", "lfad-activate.timer")
        self.dpkg("--remove", "lfad")
        for unit in UNITS:
            self.assertEqual(self.box.show(unit, "ActiveState"), "inactive", unit)
        self.assertFalse(self.box.has_owner())
        self.assertRefused("(?i)not activatable|not provided|unknown|not found", "busctl", "call", container.NAME,
                           container.PATH, container.MANAGER, "Refresh", "a{sv}", "0")
        self.assertNotEqual(self.box.history(), [])

    def test_4_purged_it_leaves_nothing(self):
        self.dpkg("--purge", "lfad")
        found = self.box.run("find", "/etc", "/usr", "/var", "/run", "(", "-path", "/usr/local", "-o", "-path",
                             "/var/lib/dpkg", "-o", "-path", "/var/log", "-o", "-path", "/usr/share/doc/lfa-sim", "-o", "-path",
                             os.path.dirname(container.STRICT), ")",
                             "-prune", "-o", "-iname", "*lfa[d1]*", "-not", "-name", "lfad-test*", "-print").stdout
        self.assertEqual(found, "")
        for unit in UNITS:
            self.assertEqual(self.box.show(unit, "LoadState"), "not-found", unit)

    def test_5_installed_anew_it_serves_again(self):
        self.install()
        self.assertServes()
        self.assertEqual(self.box.history(), [])


container.main()
