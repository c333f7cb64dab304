#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A driver that comes after lfad, goes, and is bound again: the unit's sandbox, made when lfad started, must not leave
its files read-only. Settings, the kernel's log and what stops the processors are seen from inside it, too."""

import container
from container import GUIDS, wait_for


class LateDriverTest(container.TestCase):
    # No poll finds what an event should have told.
    options = {"sim_args": ["--unbound"], "files": {"/etc/lfad/lfad.conf.d/test.conf": "[Daemon]\nPollSec=80\n"}}

    def state(self):
        return self.box.property("DriverState")

    def activate(self, version):
        self.box.stage("rmm", version)
        self.assertIn("succeeded", self.box.lfactl("activate", "rmm").stdout)
        self.assertEqual(self.box.image("rmm", "CurrentVersion"), version)

    def test_it_is_driven_whenever_it_comes(self):
        self.assertEqual(self.state(), "no-driver")
        for version in ("2.0", "2.1"):
            self.box.sim("bind")
            wait_for(lambda: self.state() == "active", 40, "the driver to be seen")
            self.activate(version)
            self.box.sim("unbind")
            wait_for(lambda: self.state() == "no-driver", 40, "the driver to be missed")

    def test_the_same_in_an_lfad_that_was_started_with_it(self):
        self.box.sim("bind")
        self.box.run("systemctl", "restart", "lfad")
        self.activate("2.2")
        self.box.sim("unbind")
        self.box.sim("bind")
        wait_for(lambda: self.state() == "active", 40, "the driver to be seen again")
        self.activate("2.3")
        self.box.sim("unbind")


class SettingsTest(container.TestCase):
    def attribute(self, name):
        return self.box.read(f"/sys/firmware/lfa/{GUIDS['rmm']}/{name}").strip()

    def test_settings_can_be_written(self):
        self.box.write("/etc/lfad/lfad.conf.d/rendezvous.conf",
                       f"[Image rmm]\nGuid={GUIDS['rmm']}\nCpuRendezvous=firmware\n")
        before = self.attribute("force_cpu_rendezvous")
        self.box.run("systemctl", "reload", "lfad")
        wait_for(lambda: self.attribute("force_cpu_rendezvous") != before, 60, "the setting")

    def test_firmwares_reason_is_read_from_the_kernels_log(self):
        self.box.stage("bl31", "2.11")
        self.box.sim("fail activate AUTH_ERROR --times=1")
        self.box.lfactl("activate", "bl31", check=False)
        record = self.box.history("finished")[-1]
        self.assertEqual((record["result"], record.get("firmware-code")), ("failed", "LFA_AUTH_ERROR"), record)

    def test_a_blackout_is_measured(self):
        self.box.stage("scp", "3.2")
        self.box.lfactl("activate", "scp")
        record = self.box.history("finished")[-1]
        self.assertEqual(record["result"], "succeeded")
        self.assertIn("blackout", " ".join(record))


container.main()
