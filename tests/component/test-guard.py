#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is done around the write: logind's lock is held as long as it takes and no longer, and nothing is activated while
the host goes down. systemd and logind are stand-ins (tests/world)."""

import functools
import os
import time

import login1
import world
from world import JOB, MANAGER, PATH


def within_patience(test):
    """lfad waits 5 s for logind. A run that failed later than that after self.began proves nothing: another one is
    made, in a world of its own."""

    @functools.wraps(test)
    def run(self):
        for _ in range(4):
            try:
                return test(self)
            except (AssertionError, world.WorldError, world.BusError):
                if time.monotonic() - self.began < 4.5:
                    raise
            self.doCleanups()
            self.setUp()
        return test(self)

    return run


class GuardTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")
        self.login1 = login1.Login1(self.world.connect())
        self.addCleanup(self.login1.close)

    def wait_locks(self, number):
        self.world.wait_for(lambda: len(self.login1.locks) == number, 10, f"{number} locks")

    def prepared(self):
        """What PrepareForActivation said until the end was told, all about one job."""
        self.world.wait_for(lambda: [item for item in self.world.signals("PrepareForActivation") if not item.args[0]], 10,
                            "the end to be told")
        items = [item.args for item in self.world.signals("PrepareForActivation")]
        self.assertEqual(len({tuple(item[1:]) for item in items}), 1)
        return [item[0] for item in items]

    def begin(self):
        """A job whose write has reached the driver, where it hangs."""
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.wait_job_state(path, "activating")
        return path

    def finish(self, path):
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def put_short_watchdog(self):
        for name, value in {"identity": "Other Watchdog", "state": "active", "timeout": 3, "pretimeout": 0}.items():
            self.world.put_sysfs(f"class/watchdog/watchdog0/{name}", f"{value}\n")


class DelayTest(GuardTest):
    def inhibit(self, mode, *images):
        """A descriptor that holds it."""
        return self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "agent", "moving guests away", mode,
                               list(images), {}).take()

    def told(self):
        return any(item.args[0] for item in self.world.signals("PrepareForActivation"))

    def test_who_asked_for_a_delay_is_told_and_waited_for(self):
        self.world.configure("[Policy]\nInhibitDelayMaxSec=10min\n")
        self.world.reload()
        descriptors = [self.inhibit("delay", "rmm"), self.inhibit("delay")]
        self.addCleanup(os.close, self.inhibit("delay", "scp"))  # of another image: not waited for
        path = self.world.activate("rmm")
        self.world.wait_for(self.told, 10, "PrepareForActivation")
        os.close(descriptors[0])
        self.world.wait_for(lambda: len(self.world.call(PATH, MANAGER, "ListInhibitors")) == 2, 10, "one less")
        self.assertEqual(self.world.job(path)["State"], "guarding")
        self.assertEqual((self.login1.taken, self.world.stores()), ([], 0))
        self.assertIn("delay", self.world.status[-1])
        os.close(descriptors[1])
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(self.prepared(), [True, False])

    def test_nobody_is_waited_for_longer_than_configured(self):
        self.world.configure("[Policy]\nInhibitDelayMaxSec=1\n")
        self.world.reload()
        self.addCleanup(os.close, self.inhibit("delay"))
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.assertIn("going on without agent (moving guests away)", self.world.log("lfad", 500))

    def test_a_tree_that_moves_late_in_it_is_waited_for(self):
        self.world.configure("[Policy]\nInhibitDelayMaxSec=10min\n[Daemon]\nSettleSec=1\n")
        self.world.reload()
        descriptor = self.inhibit("delay")
        path = self.world.activate("rmm")
        self.world.wait_for(self.told, 10, "PrepareForActivation")
        begun = time.monotonic()  # a job waits 10 s for a tree that does not settle; this one waited for others
        self.world.wait_for(lambda: time.monotonic() - begun > 10.5, 15, "more than that")
        self.world.sim("add deadbeef-1111-2222-3333-444455556666 1.0 --now")
        self.world.refresh()
        os.close(descriptor)
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def test_a_block_taken_meanwhile_is_obeyed(self):
        descriptor = self.inhibit("delay")
        path = self.world.activate("rmm")
        self.world.wait_for(self.told, 10, "PrepareForActivation")
        self.addCleanup(os.close, self.inhibit("block"))
        os.close(descriptor)
        self.assertEnded(self.world.wait_job(path), "refused", "Inhibited")
        self.assertEqual(self.world.stores(), 0)


class LockTest(GuardTest):
    def test_shutdown_and_sleep_are_put_off_until_the_end(self):
        path = self.begin()
        [(what, who, _, mode)] = self.login1.locks
        self.assertEqual((set(what.split(":")), who, mode), ({"shutdown", "sleep", "idle"}, "lfad", "block"))
        self.finish(path)
        self.wait_locks(0)
        self.assertEqual(len(self.login1.taken), 1)
        self.assertEqual(self.prepared(), [True, False])

    def test_a_failure_lets_go_of_the_lock(self):
        self.world.sim("fail activate LFA_AUTH_ERROR")
        self.assertEnded(self.world.run_job("rmm"), "failed", "ActivationFailed")
        self.assertEqual(len(self.login1.taken), 1)
        self.wait_locks(0)

    def test_an_lfad_that_stops_holds_the_lock_until_the_write_is_over(self):
        path = self.begin()
        self.world.parts["lfad"].terminate()
        self.world.wait_for(lambda: "STOPPING=1" in self.world.notified, 10, "STOPPING=1")
        self.assertEqual(len(self.login1.locks), 1)
        self.world.sim("release")
        self.world.stop("lfad")
        self.wait_locks(0)
        self.assertEqual(self.world.history_file("finished", self.world.job_id(path))[0]["result"], "succeeded")

    def test_a_restarted_lfad_takes_the_lock_again(self):
        path = self.begin()
        self.world.kill("lfad")
        self.wait_locks(0)
        self.world.start("lfad")
        self.wait_locks(1)
        self.world.sim("release")
        record = self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual(record["result"], "succeeded")
        self.wait_locks(0)
        self.world.wait_for(lambda: self.prepared() == [True, False], 10, "PrepareForActivation of the end")
        self.assertEqual(self.world.stores(), 1)

    def test_the_end_of_a_write_that_nobody_followed_is_told(self):
        path = self.begin()
        self.world.kill("lfad")
        self.world.sim("release")
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the worker to end")
        self.world.start("lfad")
        self.assertEqual(self.world.wait_record("finished", self.world.job_id(path))["result"], "succeeded")
        self.assertEqual(self.prepared(), [True, False])

    def test_a_logind_that_does_not_give_the_lock_puts_the_activation_off(self):
        for mode in ("fail", "enxio", "lie"):
            self.login1.lock_mode = mode
            self.assertEnded(self.world.run_job("rmm"), "refused", "SystemNotReady")
            self.assertEqual(self.world.stores(), 0, mode)
        self.login1.lock_mode = "ok"
        self.assertEnded(self.world.run_job("rmm"), "succeeded")


class HostTest(GuardTest):
    def assertRefused(self, error, gate_answer):
        self.assertBusError(error, self.world.activate, "rmm")
        verdict, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", {})
        self.assertEqual((verdict["gate"], verdict["answer"]), ("system", gate_answer))
        self.assertEqual(self.world.stores(), 0)
        return gates

    def test_a_host_that_goes_down_or_to_sleep_is_left_alone(self):
        for name in ("PreparingForShutdown", "PreparingForSleep"):
            with self.subTest(name):
                self.login1.preparing[name] = True
                self.world.wait_for(lambda: self.explained() == "system", 10, "the gate to close")
                self.assertRefused("SystemStopping", "deny")
                self.login1.preparing[name] = False
                self.world.wait_for(lambda: self.explained() == "", 10, "the gate to open")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def explained(self):
        return self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", {})[0]["gate"]

    def test_a_logind_that_fails_puts_the_activation_off(self):
        for mode in ("fail", "enxio", "lie"):
            self.login1.mode = mode
            self.world.wait_for(lambda: self.explained() == "system", 10, f"the gate to close, {mode}")
            self.assertRefused("SystemNotReady", "defer")
            self.login1.mode = "ok"
            self.world.wait_for(lambda: self.explained() == "", 10, "the gate to open")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_a_logind_that_fails_does_not_fill_the_journal(self):
        self.login1.mode = "fail"
        for _ in range(5):
            self.explained()
        self.assertEqual(self.world.log("lfad").count("Cannot ask org.freedesktop.login1"), 2)

    def test_a_logind_that_is_masked_is_not_there(self):
        self.login1.mode = "masked"
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.assertEqual(self.login1.taken, [])

    def test_a_shutdown_that_begins_while_the_guard_is_taken_is_seen(self):
        self.explained()
        self.login1.on_lock = lambda: self.login1.preparing.update(PreparingForShutdown=True)
        self.assertEnded(self.world.run_job("rmm"), "refused", "SystemStopping")
        self.assertEqual(self.world.stores(), 0)
        self.wait_locks(0)

    @within_patience
    def test_what_was_read_of_the_watchdogs_is_read_again_when_the_host_takes_its_time(self):
        """They are read while it is asked, and a reading is good for a second."""
        self.login1.on_lock = lambda: setattr(self.login1, "mode", "hang")
        self.began = time.monotonic()
        path = self.world.activate("rmm")
        self.world.wait_for(lambda: self.login1.hanging and not self.world.worker_pids(), 10, "logind to be asked")
        read = time.monotonic()
        self.world.wait_for(lambda: time.monotonic() - read > 1.2, 10, "more than a second")
        self.put_short_watchdog()
        self.login1.on_lock = lambda: None
        self.login1.release()
        self.assertEnded(self.world.wait_job(path), "refused", "WatchdogUnsafe")
        self.assertEqual(self.world.stores(), 0)


class HangingTest(GuardTest):
    """logind does not answer while the guard is taken."""

    def take_guard(self):
        self.login1.lock_mode = "hang"
        self.began = time.monotonic()
        self.path = self.world.activate("rmm")
        self.world.wait_job_state(self.path, "guarding")
        self.world.wait_for(lambda: any("logind" in line for line in self.world.status), 10, "STATUS= to name logind")

    def assertNothingHappened(self):
        self.assertEqual(self.world.stores(), 0)
        self.assertEqual(self.world.history_file("started"), [])
        self.login1.release()
        self.wait_locks(0)

    @within_patience
    def test_the_job_can_be_cancelled(self):
        self.take_guard()
        self.assertFalse(self.world.manager()["Activating"])
        self.assertEqual(self.world.manager()["CurrentJob"], self.path)
        self.world.call(self.path, JOB, "Cancel", "a{sv}", {})
        self.assertEnded(self.world.wait_job(self.path), "cancelled", "Cancelled")
        self.assertEqual(self.prepared(), [True, False])
        self.assertNothingHappened()
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    @within_patience
    def test_lfad_can_be_stopped(self):
        self.take_guard()
        self.world.stop("lfad")
        record = self.world.history_file("finished", self.world.job_id(self.path))[0]
        self.assertEqual((record["result"], record["error"]), ("cancelled", world.ERROR + "DaemonRestarted"))
        self.assertNothingHappened()

    @within_patience
    def test_lfad_can_be_killed(self):
        self.take_guard()
        self.world.kill("lfad")
        self.login1.release()
        self.world.start("lfad")
        record = self.world.wait_record("finished", self.world.job_id(self.path))
        self.assertEqual((record["result"], record["error"]), ("cancelled", world.ERROR + "DaemonRestarted"))
        self.assertNothingHappened()
        self.assertEqual(self.prepared(), [True, False])

    @within_patience
    def test_readings_and_calls_go_on(self):
        self.take_guard()
        self.world.stage("scp", "4.0")
        self.assertEqual(self.world.image("scp")["PendingVersion"], "4.0")
        second = self.world.activate("scp")
        self.assertEqual(self.world.job(second)["State"], "queued")
        self.login1.release()
        self.assertEnded(self.world.wait_job(self.path), "succeeded")
        self.assertEnded(self.world.wait_job(second), "succeeded")
        self.wait_locks(0)

    @within_patience
    def test_what_changes_meanwhile_is_seen(self):
        self.take_guard()
        self.world.sim("stage rmm 3.0")
        self.world.refresh()
        self.login1.release()
        self.assertEnded(self.world.wait_job(self.path), "refused", "VersionChanged")
        self.assertEqual(self.world.stores(), 0)

    @within_patience
    def test_a_watchdog_that_comes_meanwhile_is_seen(self):
        self.take_guard()
        self.put_short_watchdog()
        self.login1.release()
        self.assertEnded(self.world.wait_job(self.path), "refused", "WatchdogUnsafe")
        self.assertEqual(self.world.stores(), 0)

    @within_patience
    def test_logind_may_die_meanwhile(self):
        self.take_guard()
        self.login1.close()
        self.assertEnded(self.world.wait_job(self.path), "refused", "SystemNotReady")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")


world.main()
