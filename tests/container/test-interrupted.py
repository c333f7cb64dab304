#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whatever systemd, the package manager or the host does to lfad while the firmware is at work: one write, one end on
record, and the right one."""

import glob
import os
import subprocess

import container
from container import wait_for


class InterruptedTest(container.TestCase):
    version = 10

    def tearDown(self):
        self.box.sim("release")

    def begin(self):
        """An activation that hangs in the firmware."""
        InterruptedTest.version += 1
        if self.box.show("lfad", "ActiveState") != "active":
            self.box.run("systemctl", "start", "lfad")
        before = self.box.stores()
        self.job = self.box.begin_hanging("rmm", f"{self.version}.0")
        self.stores = before + 1
        [self.worker] = self.box.worker_pids()

    def meanwhile(self, *argv):
        """Starts what is to meet the activation, and waits until systemd is about it."""
        process = self.box.spawn(*argv)
        wait_for(lambda: self.box.show("lfad", "ActiveState") == "deactivating" or process.poll() is not None, 60,
                 "lfad to be told to stop")
        self.assertIsNone(process.poll(), process.poll() is not None and process.stdout.read())
        self.assertEqual(self.box.worker_pids(), [self.worker])
        self.assertEqual(self.box.history("finished", self.job), [])
        return process

    def finish(self, process):
        """The firmware comes to its end, and so does the program."""
        self.box.sim("release")
        output = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, 0, output)

    def assertDoneOnce(self, result="succeeded", error=""):
        record = self.box.wait_finished(self.job)
        self.assertEqual((record["result"], record.get("error", "").rsplit(".", 1)[-1]), (result, error), record)
        for kind in ("queued", "started", "finished"):
            self.assertEqual(len(self.box.history(kind, self.job)), 1, kind)
        self.assertEqual(self.box.stores(), self.stores)

    def test_stop_waits_for_it(self):
        self.begin()
        self.finish(self.meanwhile("systemctl", "stop", "lfad"))
        self.assertEqual(self.box.show("lfad", "ActiveState", "Result"), ["inactive", "success"])
        self.assertDoneOnce()
        self.box.run("systemctl", "start", "lfad")
        self.assertDoneOnce()

    def test_restart_waits_for_it(self):
        self.begin()
        self.finish(self.meanwhile("systemctl", "restart", "lfad"))
        self.assertEqual(self.box.show("lfad", "ActiveState"), "active")
        self.assertDoneOnce()

    def test_an_upgrade_of_the_package_waits_for_it(self):
        self.begin()
        packages = [os.path.basename(path) for path in glob.glob(self.box.path("/lfad-packages/lfad_*.deb"))]
        self.finish(self.meanwhile("dpkg", "--install", f"/lfad-packages/{packages[0]}"))
        self.assertEqual(self.box.show("lfad", "ActiveState"), "active")
        self.assertDoneOnce()

    def test_kill_leaves_it_to_the_next_lfad(self):
        self.begin()
        before = self.box.main_pid()
        self.box.run("systemctl", "kill", "--signal=SIGKILL", "--kill-whom=main", "lfad")
        wait_for(lambda: self.box.main_pid() != before, 60, "lfad to be gone")
        self.assertEqual(self.box.worker_pids(), [self.worker])
        self.box.sim("release")
        self.assertDoneOnce()
        self.assertGreater(int(self.box.show("lfad", "NRestarts")), 0)

    def test_a_worker_that_is_killed_has_written_all_the_same(self):
        self.begin()
        os.kill(self.worker, 9)
        self.box.sim("release")
        self.assertDoneOnce()

    def test_shutdown_waits_for_it(self):
        self.begin()
        self.box.run("systemctl", "poweroff")
        wait_for(lambda: self.box.show("lfad", "ActiveState") == "deactivating", 60, "lfad to be told to stop")
        self.assertEqual(self.box.worker_pids(), [self.worker])
        self.box.sim("release")
        self.box.wait_end(60)
        self.box.boot()
        self.assertDoneOnce()
        self.assertFalse(self.box.property("Held"))

    def test_z_a_host_that_goes_down_in_it_is_held_until_somebody_has_looked(self):
        self.begin()
        self.box.power_cut()
        self.box.boot()
        self.assertDoneOnce("unknown", "HostRestarted")
        self.assertTrue(self.box.property("Held"))
        self.box.stage("bl31", "2.11")
        self.assertRefused("(?i)held|paused|hold", "lfactl", "activate", "bl31")
        self.assertEqual(self.box.stores(), self.stores)


class LogindTest(container.TestCase):
    def inhibitors(self):
        return [line for line in self.box.run("systemd-inhibit", "--list", "--no-legend").stdout.splitlines()
                if line.startswith("lfad")]

    def test_shutdown_and_sleep_are_put_off_as_long_as_it_lasts(self):
        self.assertEqual(self.inhibitors(), [])
        job = self.box.begin_hanging("rmm", "2.0")
        [line] = self.inhibitors()
        self.assertRegex(line, r"\broot\b.*\blfad\b.*shutdown:sleep.*\bblock$")
        self.assertNotEqual(self.box.run("systemctl", "poweroff", user="nobody", check=False).returncode, 0)
        self.box.sim("release")
        self.assertEqual(self.box.wait_finished(job)["result"], "succeeded")
        wait_for(lambda: not self.inhibitors(), 60, "the lock to be let go")


container.main()
