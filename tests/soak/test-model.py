#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The soak's model, without an lfad: each promise is broken by what is planted, and must be reported, for a soak shows
only what its model sees. What keeps them must pass."""

import json
import os
import tempfile
import unittest

from model import NEVER, PREFIX, Model, Violation

GUID = "6c0762a6-12f2-4b56-92cb-ba8f633606d9"


def image(version, shown=None):
    return {GUID: {"firmware": {"current-version": version}, "directory": {"current-version": shown or version}}}


class ModelTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "history.jsonl")
        self.model = Model(folder.name)
        self.seq = 0

    def write(self, kind, **fields):
        """A record at the end of the history; its number."""
        self.seq += 1
        record = {"seq": self.seq, "type": kind, "guid": GUID, "timestamp": self.seq, "monotonic": self.seq, **fields}
        with open(self.path, "a", encoding="ascii") as file:
            file.write(json.dumps(record) + "\n")
        return self.seq

    def queue(self, **fields):
        job = self.seq + 1
        return self.write("queued", job=job, to="2.0", **fields)

    def begin(self, start="1.0", to="2.0", **fields):
        job = self.queue(**fields)
        self.write("started", job=job, **{"from": start}, to=to)
        return job

    def end(self, job, result, error="", **fields):
        if error:
            fields["error"] = PREFIX + error
        return self.write("finished", job=job, to="2.0", result=result, message="so it was", **fields)

    def job(self, result, error="", **fields):
        job = self.begin(**fields)
        self.end(job, result, error)
        return job

    def step(self):
        self.model.fresh = []
        self.model.read()

    def broken(self, promise, call, *args):
        with self.assertRaises(Violation) as caught:
            call(*args)
        self.assertTrue(str(caught.exception).startswith(promise), caught.exception)


class HarmTest(ModelTest):
    def test_start_against_a_restriction(self):
        self.model.restrict("hold", 0)
        self.begin()
        self.broken("harm", self.model.read)

    def test_start_that_passed_it_over(self):
        self.model.restrict("hold", 0)
        self.begin(override=["hold"])
        self.model.read()

    def test_start_that_passed_over_what_nobody_may(self):
        self.model.restrict("watchdog", 0, overridable=False)
        self.begin(override=["watchdog"])
        self.broken("harm", self.model.read)

    def test_start_against_a_newer_hold(self):
        job = self.queue(override=["hold"])
        self.model.restrict("hold", self.seq + 0.5)
        self.write("started", job=job, to="2.0")
        self.broken("harm", self.model.read)

    def test_start_of_what_went_wrong_too_often(self):
        for _ in range(self.model.quarantine_after):
            self.job("failed", "ActivationFailed")
        self.model.read()
        self.begin()
        self.broken("harm", self.model.read)

    def test_writes_that_no_record_explains(self):
        self.job("succeeded")
        self.step()
        self.broken("harm", self.model.check_stores, {"activate-stores": 0}, {"activate-stores": 11})

    def test_firmware_that_changed_unasked(self):
        self.step()
        self.broken("harm", self.model.check_firmware, image("1.0"), image("2.0"), set(), False)


class LieTest(ModelTest):
    def claim(self, before, after, shown=None):
        self.step()
        self.model.check_firmware(image(before, shown), image(after), set(), False)

    def test_success_that_was_none(self):
        self.job("succeeded")
        self.broken("lie", self.claim, "1.0", "1.0")

    def test_success_that_was_one_before(self):
        self.job("succeeded")
        self.broken("lie", self.claim, "2.0", "2.0")

    def test_failure_that_was_none(self):
        self.job("failed", "ActivationFailed")
        self.broken("lie", self.claim, "1.0", "2.0")

    def test_refusal_that_was_none(self):
        self.job("refused", "VersionChanged")
        self.broken("lie", self.claim, "1.0", "2.0")

    def test_earlier_job_of_a_step(self):
        self.job("succeeded")
        self.job("refused", "VersionChanged")
        self.broken("lie", self.claim, "1.0", "1.0")

    def test_unexpected_version_that_was_expected(self):
        self.job("failed", "UnexpectedVersion")
        self.broken("lie", self.claim, "1.0", "2.0")

    def test_truth(self):
        self.job("failed", "ActivationFailed")
        self.job("succeeded")
        self.claim("1.0", "2.0")
        self.job("unknown", "Unproven")
        self.claim("2.0", "9.9")

    def test_doubt_without_a_reason(self):
        for result, error in (("unverified", ""), ("unknown", "Unproven"), ("failed", "NoEffect"),
                              ("refused", "VersionChanged")):
            with self.subTest(result):
                self.job(result, error)
                self.step()
                self.broken("lie", self.model.check_undisturbed, "nvnew", set())

    def test_doubt_with_a_reason(self):
        self.job("unverified", start="")
        self.job("refused", "VersionChanged")
        self.job("succeeded")
        self.step()
        self.model.check_undisturbed("nvnew", {GUID})

    def test_other_result_in_the_signal(self):
        self.model.tell(self.job("failed", "ActivationFailed"), "succeeded")
        self.step()
        self.broken("lie", self.model.check_told, True, False)

    def test_end_that_is_told_twice(self):
        job = self.job("succeeded")
        self.model.tell(job, "succeeded")
        self.model.tell(job, "succeeded")
        self.step()
        self.broken("lie", self.model.check_told, False, False)

    def test_host_that_restarted(self):
        for result, error in (("failed", "ActivationFailed"), ("unknown", "NoReport"), ("succeeded", "")):
            with self.subTest(result):
                job = self.job(result, error)
                self.step()
                self.broken("lie", self.model.check_host_restarted, [job])
        job = self.job("unknown", "HostRestarted")
        self.step()
        self.model.check_host_restarted([job])

    def test_request_that_is_taken_for_another(self):
        self.broken("lie", self.model.check_repeated, "/job/1", "/job/1", "name", True)


class ForgetTest(ModelTest):
    def test_number_that_is_given_twice(self):
        self.job("succeeded")
        self.seq = 0
        self.queue(reason="another one")
        self.broken("forget", self.model.read)

    def test_start_of_an_unknown_job(self):
        self.write("started", job=77)
        self.broken("forget", self.model.read)

    def test_two_starts(self):
        self.write("started", job=self.begin())
        self.broken("forget", self.model.read)

    def test_two_ends(self):
        self.end(self.job("succeeded"), "succeeded")
        self.broken("forget", self.model.read)

    def test_no_end(self):
        self.begin()
        self.step()
        self.broken("forget", self.model.check_ends, set())

    def test_no_end_after_the_host_restarted(self):
        job = self.begin()
        self.step()
        self.broken("forget", self.model.check_host_restarted, [job])

    def test_job_that_waits_and_began(self):
        job = self.begin()
        self.step()
        self.broken("forget", self.model.check_ends, {job})

    def test_job_that_was_answered_alone(self):
        self.broken("forget", self.model.read_queued, 5)

    def test_line_that_is_no_record(self):
        for line in ("{torn", "[]", "{}"):
            with self.subTest(line):
                with open(self.path, "w", encoding="ascii") as file:
                    file.write(line + "\n")
                self.model.seen_lines = {}
                self.broken("forget", self.model.read)
                self.model.damaged = True
                self.model.read()
                self.model.damaged = False

    def test_line_that_was_torn_earlier(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write('{"seq": 1, "ty')
        self.model.read()
        with open(self.path, "a", encoding="ascii") as file:
            file.write("\n")
        self.job("succeeded")
        self.model.read()

    def test_request_that_is_forgotten(self):
        self.broken("forget", self.model.check_repeated, "/job/2", "/job/1", "name", False)


class ExplainTest(ModelTest):
    def test_end_without_a_name(self):
        for error in ("", "NoSuchName"):
            with self.subTest(error):
                self.job("failed", error)
                self.broken("explain", self.model.read)

    def test_end_without_a_message(self):
        self.write("finished", job=self.begin(), result="succeeded")
        self.broken("explain", self.model.read)

    def test_end_that_is_not_told(self):
        self.job("succeeded")
        self.step()
        self.broken("explain", self.model.check_told, True, False)
        self.model.check_told(False, False)  # lfad was killed in between

    def test_refused_job_without_a_cause(self):
        self.end(self.queue(), "refused", "Held")
        self.step()
        self.broken("explain", self.model.check_refused_jobs, 0, set())
        self.model.restrict("hold", 0)
        self.model.check_refused_jobs(0, set())

    def test_refused_call(self):
        for error, message in ((PREFIX + "Held", "held"), (PREFIX + "NoSuchName", "what"), (PREFIX + "NotPending", ""),
                               ("org.freedesktop.DBus.Error.Failed", "what"), ("System.Error.EIO", "what")):
            with self.subTest(error):
                self.broken("explain", self.model.check_refusal, GUID, error, message, set())
        self.model.check_refusal(GUID, PREFIX + "Held", "held", {"hold"})

    def test_explanation_that_allows_what_is_refused(self):
        allowed = {"answer": "allow"}
        self.assertTrue(self.model.must_be_explained(PREFIX + "Quarantined", allowed, 10 ** 9))
        self.assertTrue(self.model.must_be_explained(PREFIX + "Held", allowed, 10))
        self.assertFalse(self.model.must_be_explained(PREFIX + "Held", allowed, 10 ** 7))
        self.assertFalse(self.model.must_be_explained(PREFIX + "Held", {"answer": "defer"}, 10))

    def test_gates(self):
        held = {"gate": "hold", "answer": "defer", "error": PREFIX + "Held", "text": "held", "not-before": NEVER}
        refused = {"answer": "defer", "error": PREFIX + "Held"}
        self.model.check_explanation(refused, [held], {PREFIX + "Held"}, 0)
        for promise, verdict, gate, known in (
                ("explain", refused, {**held, "text": ""}, set()), ("explain", refused, {**held, "error": ""}, set()),
                ("explain", refused, {**held, "answer": "no"}, set()),
                ("explain", refused, {**held, "not-before": 0}, set()),
                ("explain", refused, {**held, "answer": "deny", "not-before": 5}, set()),
                ("lie", {"answer": "allow"}, held, set()), ("explain", refused, held, {PREFIX + "Frozen"})):
            with self.subTest(gate=gate, verdict=verdict):
                self.broken(promise, self.model.check_explanation, verdict, [gate], known, 0)


if __name__ == "__main__":
    unittest.main()
