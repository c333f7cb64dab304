#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The watchdog envelope: systemd's watchdog is raised for an activation where that is needed, verified in sysfs, and put
back on every path. systemd is a stand-in (systemd1.py), and so is the hardware."""

import functools
import json
import os

import systemd1
import world
from systemd1 import INFINITY, SECOND
from world import JOB, PATH

BOOT_ID = open("/proc/sys/kernel/random/boot_id", encoding="ascii").read().strip().replace("-", "")
WATCHDOG = {"identity": "SBSA Generic Watchdog", "state": "active", "timeout": 10, "pretimeout": 0, "timeleft": 9,
            "max_timeout": 60}


def anew_when_late(test):
    """Of a test that does something while lfad waits for systemd, for 5 s: one that came too late begins anew, in
    another world."""
    @functools.wraps(test)
    def run(self):
        for _ in range(4):
            try:
                return test(self)
            except (AssertionError, world.BusError, world.WorldError):
                if "The watchdogs forbid the activation" not in self.world.log("lfad", 1000):
                    raise
            self.doCleanups()
            self.setUp()
        return test(self)

    return run


class EnvelopeTest(world.TestCase):
    options = {"sysfs": {f"class/watchdog/watchdog0/{name}": f"{value}\n" for name, value in WATCHDOG.items()}}
    systemd = {"runtime": 10 * SECOND, "hardware": "watchdog0"}

    def setUp(self):
        super().setUp()
        self.pid1 = systemd1.Systemd1(self.world, **self.systemd)
        self.lease = os.path.join(self.world.runtime_dir, "watchdog.lease")
        self.world.stage("rmm", "2.0")

    def shown(self, name="timeout"):
        with open(os.path.join(self.world.sysfs_dir(), "class/watchdog/watchdog0", name), encoding="ascii") as file:
            return int(file.read())

    def put_back(self, *sets):
        """Waits until nothing is raised any more; all that systemd was told, since the stand-in started."""
        self.world.wait_for(lambda: not os.path.exists(self.lease), 10, "the lease to be removed")
        self.assertEqual(self.pid1.sets, list(sets))

    def begin(self):
        """A job whose write has reached the driver, and is over when the simulator is told so ("release")."""
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.assertEqual((self.shown(), os.path.exists(self.lease)), (22, True))
        return path

    def refused(self):
        """What the job's message says: only the guard could find out."""
        job = self.world.run_job("rmm")
        self.assertEnded(job, "refused", "WatchdogUnsafe")
        self.assertEqual(self.world.stores(), 0)
        return job["Message"]

    def foreseen(self):
        """What the call is refused with: it is clear beforehand."""
        error = self.assertBusError("WatchdogUnsafe", self.world.activate, "rmm")
        self.assertEqual((self.world.stores(), self.pid1.sets), (0, []))
        return str(error)

    def warnings(self):
        return [code for code, _ in self.world.manager()["Warnings"]]


class RaisedTest(EnvelopeTest):
    def test_raised_during_the_activation_and_put_back_after_it(self):
        path = self.begin()
        with open(self.lease, encoding="utf-8") as file:
            lease = json.load(file)
        self.assertEqual({key: lease[key] for key in ("boot-id", "old-usec", "set-usec", "job")},
                         {"boot-id": BOOT_ID, "old-usec": 10 * SECOND, "set-usec": 22 * SECOND,
                          "job": self.world.job_id(path)})
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.put_back(22 * SECOND, INFINITY)
        self.assertEqual((self.shown(), self.pid1.runtime), (10, 10 * SECOND))
        # what somebody had set by hand, and an activation that fails
        self.pid1.switch(runtime=12 * SECOND)
        self.world.sim("fail activate LFA_ACTIVATION_FAILED")
        self.world.stage("rmm", "3.0")
        self.assertEnded(self.world.run_job("rmm"), "failed", "ActivationFailed")
        self.put_back(22 * SECOND, INFINITY, 22 * SECOND, INFINITY, 12 * SECOND)
        self.assertEqual(self.pid1.runtime, 12 * SECOND)

    def test_killed_during_the_activation(self):
        self.begin()
        self.world.kill("lfad")
        self.assertEqual(self.shown(), 22)
        self.world.start("lfad")
        self.assertEqual(self.shown(), 22)
        self.world.sim("release")
        self.assertEqual(self.world.wait_record("finished")["result"], "succeeded")
        self.put_back(22 * SECOND, INFINITY)
        self.assertEqual(self.shown(), 10)

    def test_stopped_during_the_activation(self):
        self.begin()
        self.world.parts["lfad"].terminate()
        self.world.wait_for(lambda: "STOPPING=1" in self.world.notified, 10, "lfad to begin to stop")
        self.assertEqual(self.shown(), 22)
        self.world.sim("release")
        self.world.stop("lfad")
        self.assertEqual((self.shown(), os.path.exists(self.lease)), (10, False))

    def test_systemd_that_is_gone_leaves_a_lease_and_a_warning(self):
        self.world.configure("[Daemon]\nPollSec=10s\n")
        self.world.reload()
        path = self.begin()
        self.pid1.stop()
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.world.wait_for(lambda: self.warnings() == ["watchdog-not-restored"], 10, "the warning")
        self.assertTrue(os.path.exists(self.lease))
        self.pid1.start(runtime=22 * SECOND, config=10 * SECOND)
        self.world.wait_for(lambda: not self.warnings(), 15, "a poll")
        self.put_back(INFINITY)
        self.assertEqual(self.shown(), 10)

    def test_what_could_not_be_put_back_is_tried_again_when_lfad_stops(self):
        path = self.begin()
        self.pid1.stop()
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.world.wait_for(lambda: self.warnings() == ["watchdog-not-restored"], 10, "the warning")
        self.pid1.start(runtime=22 * SECOND, config=10 * SECOND)
        self.world.stop("lfad")
        self.assertEqual((self.shown(), os.path.exists(self.lease)), (10, False))

    def test_what_systemd_puts_back_late_is_not_missed(self):
        """It hangs while it is told, so that lfad gives up; and does what it was told while the next call waits."""
        self.world.stage("scp", "9.0")
        path = self.begin()
        self.pid1.switch(hang=True)
        self.world.sim("release")
        self.world.wait_job(path)
        self.world.wait_for(lambda: self.warnings() == ["watchdog-not-restored"], 20, "the warning")
        self.world.sim("hang activate")
        for _ in range(5):
            answers = []
            self.world.bus().call_async(world.NAME, PATH, world.MANAGER, "Activate", "sa{sv}", ("scp", {}),
                                        answers.append, answers.append)
            readings = self.world.worker_pids()
            self.world.wait_for(lambda: not self.world.worker_pids(), 10,
                                f"the call's readings to end, of {readings}")
            if not answers:
                break
            # They took longer than the 5 s that lfad waits for systemd to answer the call's question.
            self.assertEqual(answers[0].get_dbus_name(), world.ERROR + "SystemNotReady")
        self.assertEqual((self.shown(), answers), (22, []))
        self.pid1.switch(hang=False)
        self.world.wait_for(lambda: answers, 20, "the call's answer")
        self.world.wait_job_state(str(answers[0]), "activating")
        self.assertEqual(self.shown(), 22)
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(str(answers[0])), "succeeded")
        self.put_back(22 * SECOND, INFINITY, 22 * SECOND, INFINITY)


class GuardTest(EnvelopeTest):
    """Given up before anything was written."""

    def setUp(self):
        super().setUp()
        self.pid1.switch(hang="set")
        self.path = self.world.activate("rmm")
        self.world.wait_for(lambda: self.shown() == 22, 10, "the device to be raised")

    @anew_when_late
    def test_cancelled(self):
        self.assertEqual(self.world.job(self.path)["State"], "guarding")
        self.world.call(self.path, JOB, "Cancel", "a{sv}", {})
        self.assertEnded(self.world.wait_job(self.path), "cancelled", "Cancelled")
        self.pid1.switch(hang=False)
        self.put_back(22 * SECOND, INFINITY)
        self.assertEqual((self.shown(), self.world.stores()), (10, 0))
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    @anew_when_late
    def test_stopped(self):
        self.world.parts["lfad"].terminate()
        self.world.wait_for(lambda: any(line == "Stopping: systemd is told to put its watchdog's time-out back"
                                        for line in self.world.status), 10, "STATUS= to say what it waits for")
        self.pid1.switch(hang=False)
        self.world.stop("lfad")
        self.assertEqual((self.shown(), os.path.exists(self.lease), self.world.stores()), (10, False, 0))

    @anew_when_late
    def test_killed(self):
        self.world.kill("lfad")
        self.pid1.switch(hang=False)
        self.world.start("lfad")
        self.put_back(22 * SECOND, INFINITY)
        self.assertEqual((self.shown(), self.world.stores()), (10, 0))

    def test_systemd_that_does_not_answer_is_not_waited_for(self):
        self.assertEnded(self.world.wait_job(self.path), "refused", "WatchdogUnsafe")
        self.put_back(22 * SECOND, INFINITY)  # it did as it was told, and a reading shows that
        self.assertEqual((self.shown(), self.warnings()), (10, []))


class RefusedTest(EnvelopeTest):
    def put_back_after_raising(self):
        """Where lfad reads it more than a second after systemd was told, it tells it again: three times at most."""
        self.world.wait_for(lambda: not os.path.exists(self.lease), 10, "the lease to be removed")
        sets = self.pid1.sets
        self.assertEqual((sets[0], sets[-1]), (22 * SECOND, INFINITY))
        self.assertLessEqual(len(sets), 4)
        self.assertTrue(all(21 * SECOND < usec < 25 * SECOND for usec in sets[:-1]), sets)

    def test_hardware_that_does_not_take_it(self):
        self.pid1.switch(refuse="hardware")
        message = self.refused()
        for word in ("watchdog0", "SBSA Generic Watchdog", "4.5 s", "10 s", "RuntimeWatchdogSec="):
            self.assertIn(word, message)
        self.put_back_after_raising()
        self.assertEqual(self.warnings(), [])

    def test_hardware_that_holds_less_than_it_says(self):
        self.pid1.switch(holds=8)
        self.assertIn("3.5 s", self.refused())
        self.put_back_after_raising()
        self.assertEqual(self.shown(), 10)

    def test_systemd_that_takes_nothing(self):
        for refuse in ("property", "ignore"):
            self.pid1.switch(refuse=refuse)
            self.refused()
            self.world.wait_for(lambda: not os.path.exists(self.lease), 10, "the lease to be removed")
            self.assertEqual((self.warnings(), self.shown()), ([], 10))

    def test_zero_stays_zero(self):
        self.pid1.switch(runtime=0)
        self.assertIn("4.5 s", self.foreseen())
        self.put_back()


class AsItIsTest(EnvelopeTest):
    def test_long_enough_is_left_alone(self):
        self.world.put_sysfs("class/watchdog/watchdog0/timeout", "40\n")
        self.world.put_sysfs("class/watchdog/watchdog0/timeleft", "30\n")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.put_back()

    def test_what_may_be_long_enough_is_fed_and_measured(self):
        self.pid1.stop()
        self.world.put_sysfs("class/watchdog/watchdog0/timeout", "30\n")
        self.world.put_sysfs("class/watchdog/watchdog0/timeleft", "12\n")
        self.pid1.start(runtime=30 * SECOND)
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.put_back(30 * SECOND - 1, INFINITY)
        self.assertEqual((self.shown(), self.shown("timeleft")), (30, 29))


class DefaultTest(EnvelopeTest):
    systemd = {"runtime": INFINITY, "hardware": "watchdog0"}

    def test_the_devices_own_time_out_is_put_back_too(self):
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.put_back(22 * SECOND, 10 * SECOND, INFINITY)
        self.assertEqual((self.shown(), self.pid1.runtime), (10, INFINITY))


class LeaseTest(EnvelopeTest):
    """What an earlier lfad may have left."""

    def left(self, text):
        self.world.stop("lfad")
        with open(self.lease, "w", encoding="utf-8") as file:
            file.write(text)
        self.world.start("lfad")
        self.world.wait_for(lambda: not os.path.exists(self.lease), 10, "the lease to be removed")
        return self.pid1.sets

    def test_leases_of_all_kinds(self):
        good = {"boot-id": BOOT_ID, "old-usec": 12 * SECOND, "hardware-usec": 0, "set-usec": 22 * SECOND, "job": 7}
        self.assertEqual(self.left(json.dumps({**good, "boot-id": "0" * 32})), [])
        self.assertEqual(self.left(json.dumps(good)), [INFINITY, 12 * SECOND])
        told = [INFINITY, 12 * SECOND]
        for garbage in ("", "{", "[]", "x" * 5000, json.dumps({**good, "old-usec": 0}), json.dumps({**good, "old-usec": -1}),
                        json.dumps({**good, "old-is-default": True})):
            told.append(INFINITY)
            self.assertEqual(self.left(garbage), told, garbage[:80])
        self.assertEqual(self.pid1.runtime, 10 * SECOND)


world.main()
