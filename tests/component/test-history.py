#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The history over several files: begun between activations, read as one, and remembered by the next lfad."""

import os

import world
from world import MANAGER, PATH


class RotationTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.configure("[Daemon]\nSettleSec=100ms\nHistoryMaxBytes=64K\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")

    def file(self, number):
        return os.path.join(self.world.state_dir, f"history.jsonl.{number}" if number else "history.jsonl")

    def begin(self):
        """A job whose write hangs while its file has grown large."""
        self.world.sim("hang activate")
        path = self.world.activate("rmm", request_id="first")
        self.world.sim("wait activate-entered")
        self.world.grow_history()
        return path

    def numbers(self):
        numbers = [record["seq"] for record in self.world.history_file()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        return numbers

    def pages(self, limit):
        """All that GetHistory gives, page by page."""
        numbers, before = [], 0
        while True:
            page = self.world.call(PATH, MANAGER, "GetHistory", "a{sv}", {"limit": world.dbus.UInt32(limit),
                                                                          "before": world.dbus.UInt64(before)})
            numbers = [record["seq"] for record in page] + numbers
            if len(page) < limit:
                return numbers
            before = numbers[0]

    def test_the_first_record_of_a_job_whose_guard_is_taken_stays(self):
        self.world.configure("[Daemon]\nHistoryMaxBytes=64K\n[Policy]\nInhibitDelayMaxSec=10min\n")
        self.world.reload()
        inhibitor = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "agent", "any reason", "delay", [], {}).take()
        first = self.world.activate("rmm")
        self.world.wait_job_state(first, "guarding")
        for _ in range(4):
            self.world.grow_history()
            self.world.call(self.world.activate("scp"), world.JOB, "Cancel", "a{sv}", {})
        self.world.kill("lfad")
        os.close(inhibitor)
        self.world.start("lfad")
        types = [record["type"] for record in self.world.history_file(job=self.world.job_id(first))]
        self.assertEqual(types, ["queued", "finished"])

    def test_a_new_file_is_begun_between_activations_and_all_are_read(self):
        first = self.begin()
        second = self.world.activate("scp")
        self.assertFalse(os.path.exists(self.file(1)), "an activation's records belong together")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(first), "succeeded")
        self.assertEnded(self.world.wait_job(second), "succeeded")
        self.world.stage("rmm", "3.0")
        third = self.world.run_job("rmm")
        self.assertEnded(third, "succeeded")
        self.assertTrue(os.path.exists(self.file(1)))
        with open(self.file(0), encoding="utf-8") as file:
            self.assertEqual(len(file.readlines()), 3)
        self.assertEqual(self.pages(2), self.numbers())
        records = self.world.call(PATH, MANAGER, "GetHistory", "a{sv}", {"image": "rmm", "type": "finished"})
        self.assertEqual([record["job"] for record in records], [self.world.job_id(first), third["Id"]])

        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertEqual(self.world.activate("rmm", request_id="first"), first)
        self.assertBusError("RequestIdReused", self.world.activate, "scp", request_id="first")
        self.world.stage("rmm", "4.0")
        last = self.numbers()[-1]
        self.assertEqual(self.world.job_id(self.world.activate("rmm")), last + 1)

    def test_killed_during_an_activation_it_is_settled_in_its_file(self):
        path = self.begin()
        self.world.kill("lfad")
        self.world.start("lfad")
        self.world.sim("release")
        self.assertEqual(self.world.wait_record("finished", self.world.job_id(path))["result"], "succeeded")
        self.assertFalse(os.path.exists(self.file(1)))
        self.assertEnded(self.world.run_job("scp"), "succeeded")
        self.assertTrue(os.path.exists(self.file(1)))
        self.assertEqual(self.pages(256), self.numbers())
        self.assertEqual([record["type"] for record in self.world.history_file(job=self.world.job_id(path))],
                         ["queued", "started", "finished"])


class RequesterTest(world.TestCase):
    """Who asked: the uid is proof, what /proc says is a hint."""

    HINTS = ("unit", "login-uid")

    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        self.running = self.world.activate("rmm")
        self.world.sim("wait activate-entered")

    def hints(self, path):
        """Of the job's object and of its record, which are the same."""
        requester = self.world.job(path)["Requester"]
        record = self.world.history_file("queued", self.world.job_id(path))[0]
        for key in ("uid", "pid") + self.HINTS:
            self.assertEqual(record.get(key), requester.get(key))
        self.assertEqual((requester["uid"], requester["pid"]), (0, os.getpid()))
        return [requester.get(key) for key in self.HINTS]

    def activate_scp(self):
        """A job that waits behind the one that runs, and is cancelled; what is known of its requester."""
        path = self.world.activate("scp")
        self.world.call(path, world.JOB, "Cancel", "a{sv}", {})
        return self.hints(path)

    def test_who_asked_is_told_recorded_and_logged(self):
        self.world.disguise(b"fleet.service", 1000)
        path = self.world.activate("scp")
        self.assertEqual(self.hints(path), ["fleet.service", 1000])
        who = f"uid 0 (pid {os.getpid()}, unit fleet.service, login uid 1000)"
        self.world.call(path, world.JOB, "Cancel", "a{sv}", {})
        record = self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual([record.get("cancel-" + key) for key in ("uid", "pid") + self.HINTS],
                         [0, os.getpid(), "fleet.service", 1000])
        self.world.reload()
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(self.running), "succeeded")
        self.world.refresh()
        log = self.world.log("lfad", 500)
        for line in (f"asked for by {who}.", f"{who} asked to cancel it.",
                     f"{who} asked for the configuration to be read again.", f"{who} had the driver's images read."):
            self.assertIn(line, log)

    def test_hints_that_cannot_be_shown_are_left_out(self):
        for unit, shown in ((b"a" * 247 + b".service", "a" * 247 + ".service"), (b"a" * 249 + b".service", None),
                            (b"bad\x1b[31m.service", None), (b"bad\xff.service", None), (b"", None)):
            with self.subTest(unit=unit):
                self.world.disguise(unit, "4294967295")
                self.assertEqual(self.activate_scp(), [shown, None])
        for login_uid in ("", "-1", "1000 rubbish", "9" * 40):
            with self.subTest(login_uid=login_uid):
                self.world.disguise(b"fleet.service", login_uid)
                self.assertEqual(self.activate_scp(), ["fleet.service", None])
        self.world.disguise(b"fleet.service", 4294967294)
        self.assertEqual(self.activate_scp(), ["fleet.service", 4294967294])

    def test_hints_survive_a_restart(self):
        self.world.disguise(b"fleet.service", 1000)
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(self.running), "succeeded")
        self.world.sim("hang activate")
        path = self.world.activate("scp")
        self.world.sim("wait activate-entered")
        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertEqual(self.hints(path), ["fleet.service", 1000])
        self.world.sim("release")


world.main()
