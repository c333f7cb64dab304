#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How lfad comes up under systemd: when it is called, when it is started, when it hangs; and how loud it is."""

import time

import container
from container import wait_for

FAST_WATCHDOG = "/etc/systemd/system/lfad.service.d/lfad-test-watchdog.conf"


class ActivationTest(container.TestCase):
    options = {"wants": ()}

    def test_1_a_call_starts_it_whoever_calls(self):
        self.assertEqual(self.box.show("lfad", "ActiveState"), "inactive")
        self.assertFalse(self.box.has_owner())
        self.assertIn("Realm Management Monitor", self.box.lfactl("list", user="nobody").stdout)
        self.assertEqual(self.box.show("lfad", "ActiveState", "SubState"), ["active", "running"])
        self.assertEqual(self.box.call("/org/freedesktop/LogControl1", "org.freedesktop.DBus.Properties", "Get", "ss",
                                       "org.freedesktop.LogControl1", "SyslogIdentifier")["data"], "lfad")

    def test_2_it_is_not_ready_before_its_first_reading(self):
        for _ in range(5):
            self.box.run("systemctl", "stop", "lfad")
            self.box.sim("hang read")
            begun = time.monotonic()
            starting = self.box.spawn("systemctl", "start", "lfad")
            wait_for(self.box.all_worker_pids, 60, "the first reading")
            seen = self.box.has_owner(), self.box.show("lfad", "ActiveState")
            took = time.monotonic() - begun
            self.box.sim("release read")
            self.assertEqual(starting.communicate(timeout=60)[0], "")
            self.assertEqual(starting.returncode, 0)
            if took < 4:  # after 5 s it is ready without one
                break
        self.assertEqual(seen, (False, "activating"))
        self.assertTrue(self.box.has_owner())
        self.assertEqual(self.box.image("rmm", "CurrentVersion"), "1.2")

    def test_3_the_package_has_enabled_it_and_no_timer(self):
        self.assertEqual(self.box.run("systemctl", "is-enabled", "lfad").stdout, "enabled\n")
        timers = self.box.run("systemctl", "list-unit-files", "--no-legend", "lfad*.timer").stdout.splitlines()
        self.assertTrue(timers)
        for line in timers:
            self.assertEqual(line.split()[1], "disabled", line)


class WatchdogTest(container.TestCase):
    """systemd's service watchdog, shorter than lfad's poll feeds it, so that it is only there while a test has it. It
    runs from lfad's start, and is long enough for what a test does first."""

    def setUp(self):
        self.box.write(FAST_WATCHDOG, "[Service]\nWatchdogSec=25s\n")
        self.box.write("/etc/lfad/lfad.conf.d/test.conf", "[Daemon]\nPollSec=80\n")
        self.box.run("systemctl", "daemon-reload")
        self.box.run("systemctl", "restart", "lfad")
        self.box.run("systemctl", "service-watchdogs", "yes")

    def hang(self):
        self.restarts = int(self.box.show("lfad", "NRestarts"))
        self.box.run("systemctl", "kill", "--kill-whom=main", "--signal=SIGSTOP", "lfad")

    def wait_restart(self):
        wait_for(lambda: int(self.box.show("lfad", "NRestarts")) > self.restarts, 180, "the restart")
        self.box.run("systemctl", "service-watchdogs", "no")
        wait_for(lambda: self.box.show("lfad", "ActiveState") == "active", 60, "lfad to be there again")

    def test_lfad_that_hangs_is_started_again(self):
        self.hang()
        self.wait_restart()
        self.assertIn("Realm Management Monitor", self.box.lfactl("list").stdout)
        self.assertTrue(any("Watchdog timeout" in line for line in self.box.messages()))

    def test_that_ends_no_activation(self):
        job = self.box.begin_hanging("rmm", "3.0")
        stores = self.box.stores()
        [worker] = self.box.worker_pids()
        self.hang()
        wait_for(lambda: self.box.show("lfad", "SubState") in ("stop-watchdog", "stop-sigterm", "final-sigterm",
                                                               "final-watchdog"), 180, "the watchdog")
        self.assertEqual(self.box.worker_pids(), [worker])
        self.box.sim("release")
        self.wait_restart()
        self.assertEqual(self.box.wait_finished(job)["result"], "succeeded")
        self.assertEqual(len(self.box.history("finished", job)), 1)
        self.assertEqual(self.box.stores(), stores)


class LogLevelTest(container.TestCase):
    def debug_lines(self):
        return [entry["MESSAGE"] for entry in self.box.journal("--unit=lfad.service", "--priority=7..7")
                if entry["_COMM"] == "lfad"]

    def level(self, *arguments):
        return self.box.run("systemctl", "service-log-level", "lfad", *arguments).stdout

    def test_systemctl_changes_how_much_it_logs(self):
        self.assertEqual(self.level(), "info\n")
        self.box.sim("uevent change")
        self.box.refresh()
        self.assertEqual(self.debug_lines(), [])
        self.level("debug")
        self.assertEqual(self.level(), "debug\n")
        self.box.sim("uevent change")
        wait_for(self.debug_lines, 60, "a line about the event")
        self.level("info")
        loud = self.debug_lines()
        self.box.sim("uevent change")
        self.box.refresh()
        self.assertEqual(self.debug_lines(), loud)


container.main()
