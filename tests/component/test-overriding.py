#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passing over gates: exactly those that are named, with a reason, by whom polkit lets do that; and what was passed over
is told and kept."""

import json
import os

import world
from world import ACCESS_DENIED, ERROR, INTERACTIVE, MANAGER, PATH

REFUSED = (ACCESS_DENIED, INTERACTIVE)
INVALID = "org.freedesktop.DBus.Error.InvalidArgs"


def rule(condition):
    return 'polkit.addRule(function(action, subject) { if (subject.user == "nobody" && ' + condition + \
           ") return polkit.Result.YES; });"


class OverridingTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")
        self.inhibitor = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "backup", "it runs", "block", ["rmm"],
                                         {}).take()
        self.addCleanup(os.close, self.inhibitor)

    def explain(self, **options):
        _, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", options)
        return {gate["gate"]: gate for gate in gates}

    def test_exactly_the_gates_that_are_named_are_passed_over(self):
        self.assertBusError(ERROR + "Inhibited", self.world.activate, "rmm")
        self.assertBusError(ERROR + "Inhibited", self.world.activate, "rmm", override=["hold"], reason="x")
        self.assertBusError(ERROR + "VersionChanged", self.world.activate, "rmm", override=["inhibitor"], reason="x",
                            expected_pending_version="3.0")
        self.assertEqual(self.world.history_file("queued"), [])

        gates = self.explain(override=["inhibitor"], reason="x")
        self.assertEqual((gates["inhibitor"]["answer"], gates["inhibitor"]["overridden"]), ("allow", True))
        self.assertIn("backup", gates["inhibitor"]["text"])
        self.assertEqual((gates["inhibitor"]["overridable"], gates["image"]["overridable"]), (True, False))
        self.assertFalse(any(gate["overridden"] for gate in self.explain().values()))

        job = self.world.run_job("rmm", override=["inhibitor", "hold", "inhibitor"], reason="outage 7", unattended=False)
        self.assertEnded(job, "succeeded")
        self.assertEqual(job["Overridden"], ["inhibitor"])
        self.assertEqual(self.world.history_file("queued")[-1]["override"], ["hold", "inhibitor"])
        self.assertNotIn("unattended", self.world.history_file("queued")[-1])
        self.assertEqual(self.world.history_file("finished")[-1]["overridden"], ["inhibitor"])
        self.assertRegex(self.world.log("lfad"), r"uid 0 .*passes over gate inhibitor: outage 7")
        shown = self.world.lfactl("history", "--long").stdout
        self.assertRegex(shown, r"override: *hold, inhibitor\n")
        self.assertRegex(shown, r"overridden: *inhibitor\n")

    def test_what_cannot_be_passed_over_is_refused_by_name(self):
        for gates, words in ((["image"], "'image' cannot be passed over; these can: version, quarantine, repeat"),
                             (["hold", "nothing"], "no gate 'nothing'; these can be passed over: version, quarantine, repeat"),
                             ([""], "no gate ''"), (["hold"] * 65, "at most 64")):
            for options in ({"override": gates, "reason": "x"},):
                error = self.assertBusError(INVALID, self.world.activate, "rmm", **options)
                self.assertIn(words, error.message)
                self.assertBusError(INVALID, self.world.call, PATH, MANAGER, "ActivatePending", "a{sv}", options)
                self.assertBusError(INVALID, self.explain, **options)
        self.assertIn("needs a 'reason'",
                      self.assertBusError(INVALID, self.world.activate, "rmm", override=["hold"]).message)
        self.assertIn("takes a value of type 'as'",
                      self.assertBusError(INVALID, self.world.activate, "rmm", override="hold", reason="x").message)
        self.assertEqual(self.world.history_file("queued"), [])

    def test_polkit_is_asked_about_an_action_of_its_own(self):
        self.world.polkit_rule(rule('action.id == "org.arm.LFA1.activate"'))
        self.assertBusError(REFUSED, self.world.activate_as, "nobody", "rmm", override=["inhibitor"], reason="x")
        self.assertEqual(self.world.history_file("queued"), [])
        # It implies activate, and a rule sees which gates.
        self.world.polkit_rule(rule('action.id == "org.arm.LFA1.override-policy" && '
                                    'action.lookup("override") == "inhibitor" && action.lookup("to") == "2.0"'))
        self.assertBusError(REFUSED, self.world.activate_as, "nobody", "rmm", override=["inhibitor", "order"], reason="x")
        path = self.world.activate_as("nobody", "rmm", override=["inhibitor"], reason="x", request_id="once")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(self.world.job(path)["Requester"]["uid"], 65534)
        # The same request, asked again: its gates are a part of it.
        self.assertEqual(self.world.activate_as("nobody", "rmm", override=["inhibitor"], reason="x", request_id="once"),
                         path)
        self.assertBusError(ERROR + "RequestIdReused", self.world.activate_as, "nobody", "rmm",
                            override=["inhibitor", "order"], reason="x", request_id="once")

    def test_each_image_of_a_request_passes_them_over(self):
        self.world.stage("scp", "4.0")
        paths = self.world.call(PATH, MANAGER, "ActivatePending", "a{sv}", {"override": ["inhibitor"], "reason": "x"})
        jobs = {job["Guid"]: job for job in map(self.world.wait_job, paths)}
        self.assertEqual({job["Result"] for job in jobs.values()}, {"succeeded"})
        self.assertEqual({guid: job["Overridden"] for guid, job in jobs.items()},
                         {world.GUIDS["rmm"]: ["inhibitor"], world.GUIDS["scp"]: []})
        document = json.loads(self.world.call(PATH, MANAGER, "Describe", "a{sv}", {}))
        self.assertEqual({job["guid"]: job.get("overridden") for job in document["jobs"]},
                         {world.GUIDS["rmm"]: ["inhibitor"], world.GUIDS["scp"]: None})


world.main()
