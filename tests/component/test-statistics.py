#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lfad counts is counted once and stays: over restarts and kills, when the history is rotated or removed, and when
the file that holds the counts is of an lfad that had none."""

import json
import os

import world
from world import MANAGER, PATH

CONFIG = "[Daemon]\nSettleSec=100ms\nHistoryMaxBytes=64K\n[Policy]\nQuarantineAfter=100\n"


class StatisticsTest(world.TestCase):
    options = {"parts": ("dbus", "sim")}

    def setUp(self):
        super().setUp()
        self.world.configure(CONFIG)
        self.world.start("lfad")
        self.world.stage("rmm", "2.0")

    @property
    def file(self):
        return os.path.join(self.world.state_dir, "state.json")

    def read(self):
        with open(self.file, encoding="utf-8") as file:
            return json.load(file)

    def write(self, state):
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(state, file)

    def statistics(self):
        return self.world.manager()["Statistics"]

    def results(self):
        """Those that there are any of."""
        return {name: count for name, count in self.statistics()["results"].items() if count}

    def fail_once(self):
        self.world.sim("fail activate ACTIVATION_FAILED --times=1")
        self.assertEqual(self.world.run_job("rmm")["Result"], "failed")

    def test_counts_are_told_and_announced(self):
        zero = dict.fromkeys(("succeeded", "unverified", "failed", "cancelled", "refused", "unknown"), 0)
        self.assertEqual(self.statistics(), {"results": zero, "external": 0})
        self.fail_once()
        self.world.wait_for(lambda: [value["results"]["failed"] for value in
                                     self.world.changed(PATH, "Statistics")] == [1], 10, "the count to be announced")
        self.assertNotIn("last-success", self.statistics())
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.world.stage("rmm", "3.0")
        self.world.sim("unstage rmm")
        self.world.refresh()
        statistics = self.statistics()
        finished = self.world.history_file("finished")
        self.assertEqual((statistics["results"], statistics["external"]), ({**zero, "succeeded": 1, "failed": 1}, 1))
        self.assertEqual([statistics["last-success"], statistics["last-activation"]], [finished[-1]["timestamp"]] * 2)
        self.assertEqual(statistics["last-blackout-usec"],
                         [record for record in finished if "blackout-usec" in record][-1]["blackout-usec"])
        described = json.loads(self.world.call(PATH, MANAGER, "Describe", "a{sv}", {}))
        self.assertEqual(described["statistics"], statistics)

    def test_each_job_is_counted_once_whatever_ends_lfad(self):
        self.fail_once()
        before = self.read()
        self.fail_once()
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        counted = self.statistics()
        self.assertEqual(self.results(), {"failed": 2, "succeeded": 1})
        for spoil in (lambda: None,
                      lambda: self.write(before),  # killed between record and state
                      lambda: os.unlink(self.file)):
            for end in (self.world.stop, self.world.kill):
                end("lfad")
                spoil()
                self.world.start("lfad")
                self.assertEqual(self.statistics(), counted)

    def test_a_job_that_was_cut_off_is_counted_when_its_end_is_found_out(self):
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.wait_job_state(path, "activating")
        self.world.kill("lfad")
        self.world.sim("release")
        self.world.start("lfad")
        self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual(sum(self.results().values()), 1)
        self.world.restart("lfad")
        self.assertEqual(sum(self.results().values()), 1)

    def test_the_file_of_an_lfad_that_did_not_count_is_completed_from_the_history(self):
        self.fail_once()
        old = self.read()
        del old["statistics"]
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        counted = self.statistics()
        for state in (old, {key: value for key, value in self.read().items() if key != "statistics"}):
            self.world.stop("lfad")
            self.write(state)
            self.world.start("lfad")
            self.assertEqual(self.statistics(), counted)
            self.assertIn("statistics", self.read())
            self.world.restart("lfad")
            self.assertEqual(self.statistics(), counted)

    def test_a_history_that_cannot_be_read_is_counted_when_it_can(self):
        self.fail_once()
        counted = self.statistics()
        self.world.stop("lfad")
        state = self.read()
        del state["statistics"]
        self.write(state)
        history = os.path.join(self.world.state_dir, "history.jsonl")
        os.rename(history, history + ".away")
        os.mkdir(history)
        self.world.start("lfad")
        self.world.stop("lfad")
        self.assertNotIn("statistics", self.read())
        os.rmdir(history)
        os.rename(history + ".away", history)
        self.world.start("lfad")
        self.assertEqual(self.statistics(), counted)
        self.assertIn("statistics", self.read())

    def test_they_outlive_the_records(self):
        for _ in range(5):
            self.fail_once()
            self.world.grow_history()
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.assertLess(len(self.world.history_file("finished")), 6)  # rotated away
        counted = self.statistics()
        self.assertEqual(counted["results"]["failed"], 5)
        self.world.restart("lfad")
        self.assertEqual(self.statistics(), counted)
        self.world.stop("lfad")
        for name in os.listdir(self.world.state_dir):
            if name.startswith("history"):
                os.unlink(os.path.join(self.world.state_dir, name))
        self.world.start("lfad")
        self.assertEqual(self.statistics(), counted)
        self.world.stage("rmm", "3.0")
        self.fail_once()
        self.assertEqual(self.results(), {"failed": 6, "succeeded": 1})


world.main()
