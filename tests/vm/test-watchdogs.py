#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real watchdogs: the hardware one that systemd feeds is raised for an activation, so that a stall which it would not
have outlasted resets nobody; and two on which nobody can rely, since the kernel feeds them, forbid it."""

import json

import image
import vm
from vm import SECOND, wait_for

FOUND = image.RUNTIME_WATCHDOG_SEC  # what systemd is configured to use
LEASE = "/run/lfad/watchdog.lease"
IDENTITY = "i6300ESB timer"
AWKWARD = "/sys/module/lfa_test_watchdogs/parameters"


class EnvelopeTest(vm.TestCase):
    def timeouts(self):
        """What the hardware has, and what systemd says that it uses, in s."""
        text = self.box.run("busctl", "--json=short", "get-property", "org.freedesktop.systemd1",
                            "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                            "RuntimeWatchdogUSec").stdout
        return int(self.box.watchdog("timeout")), json.loads(text)["data"] // SECOND

    def wait_restored(self):
        wait_for(lambda: self.timeouts() == (FOUND, FOUND), what="the watchdog to be put back")
        wait_for(lambda: self.box.run("test", "-e", LEASE, check=False).returncode != 0, what="the lease to be gone")

    def begin_hanging(self, version):
        self.box.stage("rmm", version)
        self.box.control("hang 1")
        self.addCleanup(self.box.control, "hang 0")
        before = self.box.stores()
        job = self.box.begin("rmm")
        wait_for(lambda: self.box.stores() > before, what="the write")
        return job

    def test_it_is_raised_for_the_activation_and_put_back_after_it(self):
        self.assertEqual((self.timeouts(), self.box.watchdog("identity")), ((FOUND, FOUND), IDENTITY))
        job = self.begin_hanging("2.0")
        hardware, systemd = self.timeouts()
        self.assertGreaterEqual(hardware, 20)
        self.assertEqual(hardware, systemd)
        lease = json.loads(self.box.read(LEASE))
        self.assertEqual((lease["old-usec"], lease["set-usec"], lease["job"]), (FOUND * SECOND, systemd * SECOND, job))
        self.box.control("hang 0")
        self.assertEnded(self.box.wait_finished(job), "succeeded")
        self.wait_restored()

    def test_lfad_that_is_killed_meanwhile_puts_it_back_when_it_is_started_again(self):
        job = self.begin_hanging("2.1")
        self.box.run("systemctl", "kill", "--signal=SIGKILL", "--kill-whom=main", "lfad")
        self.box.control("hang 0")
        self.assertEnded(self.box.wait_finished(job), "succeeded")
        self.wait_restored()

    def test_a_stall_that_it_would_not_have_outlasted_resets_nobody(self):
        """test-reset.py shows what the same stall does without lfad."""
        self.box.stage("rmm", "2.2")
        self.box.control(f"stall {(FOUND + 2) * 1000}")
        self.addCleanup(self.box.control, "stall 0")
        record = self.box.wait_finished(self.box.begin("rmm"))
        self.assertEnded(record, "succeeded")
        self.assertGreater(self.box.held()[1], FOUND * SECOND)
        self.assertNotIn("WATCHDOG", self.box.events)
        self.wait_restored()


class AwkwardTest(vm.TestCase):
    """sysfs shows a time-out of a minute for either, and the kernel feeds the hardware, which holds 8 s, in between:
    until all CPUs stand still."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.box.run("modprobe", "lfa_test_watchdogs")
        cls.box.stage("rmm", "3.0")

    def assertRefused(self, parameter, identity, owner):
        self.box.shell(f"echo 1 >{AWKWARD}/{parameter}")
        self.addCleanup(self.box.shell, f"echo 0 >{AWKWARD}/{parameter}")
        if parameter == "short_heartbeat":
            self.box.run("systemd-run", "--quiet", "--unit=feeder", "sh", "-c",
                         "exec 3>/dev/watchdog1; while :; do printf . >&3; sleep 1; done")
            self.addCleanup(self.box.run, "systemctl", "stop", "feeder")
        self.assertEqual((self.box.watchdog("identity", 1), self.box.watchdog("timeout", 1)), (identity, "60"))
        wait_for(lambda: self.box.watchdog("timeleft", 1) not in ("0", ""), what="the watchdog to run")
        stores = self.box.stores()
        for word in (identity, "WatchdogUnsafe"):
            done = self.box.lfactl("activate", "rmm", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(word, done.stdout + done.stderr + self.box.lfactl("explain", "rmm", check=False).stdout)
        text = self.box.lfactl("watchdog").stdout
        self.assertIn(identity, text)
        self.assertIn(owner, text)
        self.assertEqual((self.box.stores(), self.box.watchdog("timeout")), (stores, str(FOUND)))

    def test_one_whose_hardware_holds_less_than_its_time_out_forbids_an_activation(self):
        self.assertRefused("short_heartbeat", "lfad test, short heartbeat", "unknown")

    def test_one_that_firmware_has_started_and_nobody_opened_forbids_an_activation(self):
        self.assertRefused("running", "lfad test, running", "kernel")
        self.assertEqual(self.box.watchdog("state", 1), "inactive")

    def test_without_them_it_is_allowed(self):
        self.assertIn("succeeded", self.box.lfactl("activate", "rmm").stdout)


if __name__ == "__main__":
    vm.main()
