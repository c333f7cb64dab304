#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is begun is never forgotten and never done twice: lfad or its worker die or are stopped at bad moments, and
the next lfad settles what they left behind."""

import os
import signal

import world
from world import PATH


class RestartTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")

    def begin(self, *commands):
        """A job whose write has reached the driver; its id."""
        for command in commands:
            self.world.sim(command)
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        return self.world.job_id(path)

    def kill_writer(self):
        """Takes effect once the write returns. lfad's poll may have other workers run."""
        with open(os.path.join(self.world.runtime_dir, "activation.lock"), encoding="ascii") as file:
            os.kill(int(file.read().split()[0]), signal.SIGKILL)

    def assertSettled(self, job, result, error=""):
        record = self.world.wait_record("finished", job)
        self.assertEqual((record["result"], record.get("error", "").removeprefix(world.ERROR)), (result, error), record)
        self.world.refresh()
        types = [item["type"] for item in self.world.history_file(job=job)]
        self.assertEqual(types, ["queued", "started", "finished"])
        self.assertEqual(self.world.stores(), 1)

    def test_killed_during_the_activation(self):
        job = self.begin("slow activate 1s")
        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertSettled(job, "succeeded")
        self.assertEqual(self.world.image("rmm")["CurrentVersion"], "2.0")

    def test_killed_and_started_after_the_activation(self):
        job = self.begin("slow activate 500ms")
        self.world.kill("lfad")
        self.world.sim("wait activate-done")
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the worker to end")
        self.world.start("lfad")
        self.assertSettled(job, "succeeded")

    def test_killed_twice_during_the_activation(self):
        job = self.begin("slow activate 2s")
        for _ in range(2):
            self.world.kill("lfad")
            self.world.start("lfad")
        self.assertSettled(job, "succeeded")

    def test_killed_while_firmware_asks_to_be_called_again(self):
        self.world.sim("call-again prime 50")
        self.world.sim("slow prime 20ms")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertSettled(self.world.job_id(path), "succeeded")

    def test_killed_during_an_activation_that_fails(self):
        job = self.begin("slow activate 1s", "fail activate LFA_ACTIVATION_FAILED")
        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertSettled(job, "failed", "ActivationFailed")

    def test_stopped_during_the_activation_waits_and_records(self):
        job = self.begin("slow activate 1s")
        self.world.stop("lfad")
        self.assertEqual([record["type"] for record in self.world.history_file(job=job)],
                         ["queued", "started", "finished"])
        self.assertEqual(self.world.history_file("finished", job)[0]["result"], "succeeded")
        self.world.start("lfad")
        self.assertSettled(job, "succeeded")

    def test_stopping_says_so(self):
        self.world.stop("lfad")
        self.assertIn("STOPPING=1", self.world.notified)

    def test_while_it_stops_no_new_job_is_taken(self):
        self.world.stage("scp", "4.0")
        self.begin("hang activate")
        self.world.parts["lfad"].terminate()
        self.world.wait_for(lambda: "STOPPING=1" in self.world.notified, 10, "STOPPING=1")
        self.assertBusError("ShuttingDown", self.world.activate, "scp")
        self.world.sim("release")
        self.world.stop("lfad")
        self.assertEqual(self.world.stores(), 1)

    def test_a_later_lfad_waits_for_the_worker_before_it_writes_again(self):
        self.world.stage("scp", "4.0")
        job = self.begin("slow activate 2s")
        self.world.kill("lfad")
        self.world.start("lfad")
        second = self.world.activate("scp")
        self.assertEnded(self.world.wait_job(second), "succeeded")
        finished = {record["job"]: record["seq"] for record in self.world.history_file("finished")}
        started = self.world.history_file("started", self.world.job_id(second))[0]["seq"]
        self.assertLess(finished[job], started)
        self.assertEqual(self.world.stores(), 2)

    def test_a_job_that_had_not_begun_ends_cancelled(self):
        self.world.stage("scp", "4.0")
        first = self.begin("hang activate")
        second = self.world.job_id(self.world.activate("scp"))
        self.world.kill("lfad")
        self.world.start("lfad")
        self.world.sim("release")
        record = self.world.wait_record("finished", second)
        self.assertEqual((record["result"], record.get("error", "").removeprefix(world.ERROR)),
                         ("cancelled", "DaemonRestarted"))
        self.assertEqual(self.world.history_file("started", second), [])
        self.assertSettled(first, "succeeded")
        self.assertEqual(self.world.attribute("scp", "current_version"), "3.1")

    def test_a_worker_that_is_killed_leaves_what_can_be_seen(self):
        job = self.begin("hang activate")
        self.kill_writer()
        self.world.sim("release")
        # The store cannot be stopped; the version moved, whoever is left to report it.
        self.assertSettled(job, "succeeded")

    def test_a_worker_that_is_killed_without_a_trace_leaves_unknown(self):
        job = self.begin("hang activate", "outcome activate no-change")
        self.kill_writer()
        self.world.sim("release")
        self.assertSettled(job, "unknown", "NoReport")

    def test_the_report_of_another_history_is_none(self):
        job = self.begin("hang activate")
        self.world.kill("lfad")
        self.world.sim("release")
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the worker to end")
        self.assertTrue(os.path.exists(os.path.join(self.world.runtime_dir, f"job-{job}.report")))
        for name in os.listdir(self.world.state_dir):  # numbers begin anew
            os.unlink(os.path.join(self.world.state_dir, name))
        self.world.start("lfad")
        self.world.stage("rmm", "3.0")
        self.world.sim("outcome activate no-change")
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.assertEqual(self.world.job_id(path), job)
        self.world.sim("wait activate-entered --count=2")
        self.kill_writer()
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "unknown", "NoReport")

    def test_both_killed_leaves_unknown(self):
        job = self.begin("hang activate", "outcome activate no-change")
        self.world.kill("lfad")
        self.kill_writer()
        self.world.sim("release")
        self.world.sim("wait activate-done")
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the worker to end")
        self.world.start("lfad")
        self.assertSettled(job, "unknown", "NoReport")

    def test_ids_are_never_used_again(self):
        first = self.world.job_id(self.world.activate("rmm"))
        self.world.wait_record("finished", first)
        self.world.restart("lfad")
        self.world.stage("rmm", "3.0")
        second = self.world.activate("rmm")
        self.assertGreater(self.world.job_id(second), first)
        self.assertEnded(self.world.wait_job(second), "succeeded")
        numbers = [record["seq"] for record in self.world.history_file()]
        self.assertEqual(numbers, sorted(set(numbers)))

    def test_a_torn_last_record_is_passed_over(self):
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.world.stop("lfad")
        before = len(self.world.history_file())
        path = os.path.join(self.world.state_dir, "history.jsonl")
        with open(path, "ab") as file:
            file.write(b'{"seq":99,"type":"queu')
        self.world.start("lfad")
        self.world.stage("rmm", "3.0")
        job = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(job), "succeeded")
        records = self.world.call(PATH, world.MANAGER, "GetHistory", "a{sv}", {})
        self.assertEqual([record["type"] for record in records][-3:], ["queued", "started", "finished"])
        self.assertEqual(len(records), before + 3)

    def test_the_last_result_survives(self):
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.world.restart("lfad")
        self.assertEqual(self.world.image("rmm")["LastResult"], "succeeded")


world.main()
