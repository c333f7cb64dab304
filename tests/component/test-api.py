#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The calls beside Activate: naming an image, Explain, ActivatePending, request-id, GetHistory, Describe, LogControl1,
and the caps. Each answers what dbus/org.arm.LFA1.xml promises and nothing that Activate would not do."""

import json
import os
import time

import dbus

import world
from world import ACCESS_DENIED, GUIDS, IMAGE, INTERACTIVE, JOB, MANAGER, NAME, PATH, PROPERTIES

UNNAMED = "0509b633-5734-422f-a681-6096e932d93a"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
LIMITS_EXCEEDED = "org.freedesktop.DBus.Error.LimitsExceeded"
NEVER = 2**64 - 1
# in their order; there may be others
GATES = ["driver", "image", "version", "settle", "repeat", "kernel-auto"]
LOG_CONTROL = "org.freedesktop.LogControl1"
LOG_CONTROL_PATH = "/org/freedesktop/LogControl1"

ALLOW_NOBODY = 'polkit.addRule(function(action, subject) { if (subject.user == "nobody") return polkit.Result.YES; });'
REFUSE_ALL = 'polkit.addRule(function(action, subject) { return polkit.Result.NO; });'


def swapped(guid):
    """The EFI form of a GUID."""
    first, second, third, rest = guid.split("-", 3)
    return "-".join(bytes.fromhex(part)[::-1].hex() for part in (first, second, third)) + "-" + rest


def hide_history(a_world):
    """The world prints the history of a test that failed, and takes it for UTF-8."""
    path = os.path.join(a_world.state_dir, "history.jsonl")
    os.rename(path, path + ".rubbish")


def now_usec():
    return time.time_ns() // 1000


class ApiTest(world.TestCase):
    def manager_call(self, member, signature, *args, user=None, **more):
        if user:
            return self.world.call_as(user, PATH, MANAGER, member, signature, *args, **more)
        return self.world.call(PATH, MANAGER, member, signature, *args)

    def explain(self, image, **options):
        """The verdict, and the gates by their names."""
        options = {key.replace("_", "-"): value for key, value in options.items()}
        verdict, gates = self.manager_call("Explain", "sa{sv}", image, options)
        self.assertEqual([gate["gate"] for gate in gates if gate["gate"] in GATES], GATES)
        return verdict, {gate["gate"]: gate for gate in gates}

    def await_settled(self):
        """The tree may have changed a moment ago, as it has when lfad starts."""
        self.world.wait_for(lambda: self.explain("rmm")[1]["settle"]["answer"] == "allow", 10, "the tree to settle")

    def hang_with_rmm(self):
        """A job that runs until it is released; everything else queues behind it."""
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        return path

    def make_auto_stuck(self, image):
        """An image whose auto_activate is 1 and cannot be cleared."""
        self.world.sim("errno write auto_activate EACCES")
        self.world.sim(["auto", image, "1"])
        self.world.refresh()
        self.world.wait_for(lambda: "Cannot set auto_activate" in self.world.log("lfad", 500), 10,
                            "lfad to try to clear auto_activate")

    def assertNothingRecorded(self):
        self.assertEqual(self.world.history_file(), [])
        self.assertEqual(self.world.signals("JobNew"), [])
        self.assertEqual(self.world.stores(), 0)


class GetImageTest(ApiTest):
    def get(self, name):
        return self.manager_call("GetImage", "s", name)

    def test_every_name_leads_to_the_image(self):
        guid = GUIDS["rmm"]
        for name in (guid, guid.upper(), "{" + guid + "}", swapped(guid), swapped(guid).upper(), "rmm", "RMM",
                     self.world.image("rmm")["Name"], self.world.image("rmm")["Name"].upper(), guid[:8],
                     guid[:8].upper(), swapped(guid)[:6], "rm", "realm man"):
            with self.subTest(name=name):
                self.assertEqual(self.get(name), self.world.image_path("rmm"))

    def test_a_beginning_that_fits_several_is_ambiguous(self):
        self.world.sim("add 6c0762a6-ffff-4000-8000-000000000001 1.0 --now")
        self.world.refresh()
        for name in ("6c0762a6", "6C0762A6-", "6"):
            with self.subTest(name=name):
                self.assertBusError("AmbiguousImage", self.get, name)
        self.assertEqual(self.get("6c0762a6-1"), self.world.image_path("rmm"))
        self.assertBusError("AmbiguousImage", self.world.activate, "6c0762a6")
        self.assertBusError("AmbiguousImage", self.explain, "6c0762a6")

    def test_what_fits_none_is_no_such_image(self):
        for name in ("", " ", "rmmm", "-", "{}", "ffffffff-0000-0000-0000-000000000000", GUIDS["rmm"] + "0",
                     GUIDS["rmm"] + "-", "%s%n", "/", "../rmm", "r\u00e4m", "*"):
            with self.subTest(name=name):
                self.assertBusError("NoSuchImage", self.get, name)

    def test_a_name_too_long_or_with_control_characters_is_invalid(self):
        for name in ("x" * 257, "x" * 1000000, "rmm\n", "\x1brmm", "r\x7f", "r\u0085"):
            self.assertBusError(INVALID_ARGS, self.get, name)

    def test_an_image_that_went_is_no_longer_found(self):
        self.world.recognise_nvnew()
        self.world.sim("vanish scp --now")
        self.world.refresh()
        self.assertBusError("NoSuchImage", self.get, "scp")

    def test_a_name_given_to_activate_means_the_same(self):
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("REALM"), "succeeded")


class ExplainTest(ApiTest):
    def setUp(self):
        super().setUp()
        self.await_settled()

    def assertSameRefusal(self, image, error, gate, retryable=False, **options):
        """Explain's verdict is the error of Activate, by the same gate, with the same text."""
        refusal = self.assertBusError(error, self.world.activate, image, **options)
        verdict, gates = self.explain(image, **options)
        self.assertEqual((verdict["answer"], verdict["gate"], verdict["error"]), ("deny", gate, world.ERROR + error))
        self.assertEqual(verdict["text"], refusal.message)
        self.assertEqual((verdict["retryable"], verdict["not-before"]), (retryable, NEVER))
        self.assertEqual([gates[gate][key] for key in ("answer", "error", "text", "retryable", "not-before")],
                         ["deny", world.ERROR + error, refusal.message, retryable, NEVER])
        before = GATES[:GATES.index(gate)]
        self.assertEqual([name for name in before if gates[name]["answer"] == "deny"], [])
        return verdict

    def test_what_may_run_is_allowed_by_every_gate(self):
        self.world.stage("rmm", "2.0")
        verdict, gates = self.explain("rmm")
        self.assertEqual(verdict, {"answer": "allow", "gate": "", "error": "", "text": "", "retryable": False,
                                   "not-before": 0, "authorized": "", "guid": GUIDS["rmm"], "from": "1.2", "to": "2.0",
                                   "time-zone": "UTC", "warnings": []})
        for name, gate in gates.items():
            told = {"window": "No window is configured for this image."}.get(name, "")
            self.assertEqual(gate, {"gate": name, "answer": "allow", "error": "", "text": told, "retryable": False,
                                    "not-before": 0, "overridable": gate["overridable"], "overridden": False})
            self.assertIsInstance(gate["overridable"], bool)

    def test_the_image_itself_can_be_asked(self):
        self.world.stage("rmm", "2.0")
        verdict, gates = self.world.call(self.world.image_path("rmm"), IMAGE, "Explain", "a{sv}", {})
        self.assertEqual((verdict, len(gates)), (self.explain("rmm")[0], len(self.explain("rmm")[1])))

    def test_not_pending(self):
        self.assertSameRefusal("rmm", "NotPending", "image")

    def test_a_version_that_is_not_the_expected_one(self):
        self.world.stage("rmm", "2.0")
        self.assertSameRefusal("rmm", "VersionChanged", "version", expected_pending_version="2.1")
        self.assertSameRefusal("rmm", "VersionChanged", "version", expected_current_version="1.1")
        self.assertSameRefusal("rmm", "VersionChanged", "version", expected_current_version="")
        self.assertEqual(self.explain("rmm", expected_current_version="1.2", expected_pending_version="2.0")[0]
                         ["answer"], "allow")

    def test_auto_activate_that_cannot_be_cleared(self):
        self.make_auto_stuck("rmm")
        self.world.stage("rmm", "2.0")
        self.assertSameRefusal("rmm", "KernelAutoActivate", "kernel-auto")

    def test_without_driver_or_image_it_is_refused_as_activate_is(self):
        self.assertBusError("NoSuchImage", self.explain, "bl33")
        self.world.sim("unbind")
        self.world.refresh()
        self.assertBusError("NoDriver", self.explain, "rmm")
        self.assertBusError("NoDriver", self.world.activate, "rmm")

    def test_right_after_an_activation_it_waits_for_the_tree_to_settle(self):
        self.world.configure("[Daemon]\nSettleSec=10s\n")
        self.world.reload()
        self.world.stage("scp", "4.0")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        asked = now_usec()
        verdict, gates = self.explain("scp")
        self.assertEqual((verdict["answer"], verdict["gate"], verdict["error"]),
                         ("wait", "settle", world.ERROR + "KernelBusy"), verdict)
        self.assertTrue(verdict["retryable"])
        self.assertGreater(verdict["not-before"], asked)
        self.assertLess(verdict["not-before"], now_usec() + 10100000)
        self.assertLess(abs(gates["settle"]["not-before"] - verdict["not-before"]), 5000000)  # each from two clocks
        self.world.wait_for(lambda: now_usec() > verdict["not-before"], 20, "the time that Explain named")
        self.assertEqual(self.explain("scp")[0]["answer"], "allow")

    def test_in_an_hour_the_tree_will_have_settled(self):
        self.world.stage("scp", "4.0")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        verdict, gates = self.explain("scp", at=dbus.UInt64(now_usec() + 3600 * 1000000))
        self.assertEqual((verdict["answer"], gates["settle"]["answer"]), ("allow", "allow"))
        self.assertEqual(self.explain("bl31", at=dbus.UInt64(now_usec() + 3600 * 1000000))[0]["error"],
                         world.ERROR + "NotPending")

    def test_a_time_that_has_passed_means_now(self):
        self.world.stage("rmm", "2.0")
        self.assertEqual(self.explain("rmm", at=dbus.UInt64(1))[0]["answer"], "allow")
        self.assertEqual(self.explain("rmm", at=dbus.UInt64(NEVER))[0]["answer"], "allow")

    def test_behind_a_running_activation_it_waits_without_a_time(self):
        self.world.stage("scp", "4.0")
        path = self.hang_with_rmm()
        verdict, _ = self.explain("scp")
        self.assertEqual((verdict["answer"], verdict["gate"], verdict["not-before"]), ("wait", "settle", NEVER))
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def test_it_has_no_effect(self):
        self.world.stage("rmm", "2.0")
        for options in ({}, {"request-id": "a"}, {"reason": "why"}, {"authorize": True}, {"at": dbus.UInt64(5)}):
            self.manager_call("Explain", "sa{sv}", "rmm", options)
        self.assertNothingRecorded()
        self.assertEqual(self.world.image("rmm")["State"], "pending")
        # nor is the request-id taken
        self.assertEnded(self.world.run_job("rmm", request_id="a", reason="other"), "succeeded")

    def test_authorize_is_yes_for_root(self):
        self.assertEqual(self.explain("rmm", authorize=True)[0]["authorized"], "yes")
        self.assertEqual(self.explain("rmm", authorize=False)[0]["authorized"], "")
        self.assertEqual(self.explain("rmm")[0]["authorized"], "")

    def explain_as_nobody(self, agent=None, **options):
        return self.manager_call("Explain", "sa{sv}", "rmm", options, user="nobody", agent=agent)[0]

    def test_authorize_asks_polkit_and_never_a_person(self):
        self.world.stage("rmm", "2.0")
        with self.world.agent("ok") as agent:
            verdict = self.explain_as_nobody(agent, authorize=True)
        self.assertEqual((verdict["authorized"], verdict["answer"]), ("challenge", "allow"))
        self.assertEqual(agent.prompts, [])
        self.assertEqual(self.explain_as_nobody()["authorized"], "")
        self.world.polkit_rule(ALLOW_NOBODY)
        self.assertEqual(self.explain_as_nobody(authorize=True)["authorized"], "yes")
        self.world.polkit_rule(REFUSE_ALL)
        self.assertEqual(self.explain_as_nobody(authorize=True)["authorized"], "no")
        self.assertEqual(self.explain_as_nobody()["authorized"], "")
        self.assertNothingRecorded()

    def test_authorize_without_polkitd_is_no(self):
        self.world.stop("polkitd")
        self.assertEqual(self.explain_as_nobody(authorize=True)["authorized"], "no")

    def test_options_of_activate_alone_and_its_own_are_taken(self):
        self.assertBusError(INVALID_ARGS, self.explain, "rmm", wait=True)
        self.assertBusError(INVALID_ARGS, self.explain, "rmm", at="now")
        self.assertBusError(INVALID_ARGS, self.explain, "rmm", authorize="yes")
        self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", authorize=True)


class ExplainFlagsTest(ApiTest):
    """What the driver reads once, when it is bound."""

    options = {"sim_args": ["--unbound"], "parts": ("dbus", "polkitd", "sim")}
    assertSameRefusal = ExplainTest.assertSameRefusal

    def start_with(self, command):
        self.world.sim(command)
        self.world.sim("bind")
        self.world.start("lfad")
        self.world.stage("rmm", "2.0")

    def test_not_capable(self):
        self.start_with("set rmm capable 0")
        self.assertSameRefusal("rmm", "NotCapable", "image")

    def test_may_reset(self):
        self.start_with("set rmm may-reset 1")
        self.assertSameRefusal("rmm", "NeedsCpuReset", "image")


class ExplainRepeatTest(ApiTest):
    options = {"firmware": "tfa"}
    assertSameRefusal = ExplainTest.assertSameRefusal

    def test_an_activation_without_effect_is_not_repeated(self):
        self.world.sim("outcome activate no-change")
        self.world.stage("rmm", "2.0")
        job = self.world.run_job("rmm")
        self.assertEqual(job["Result"], "unverified", job)
        self.assertSameRefusal("rmm", "RepeatedActivation", "repeat")
        self.assertSameRefusal("rmm", "RepeatedActivation", "repeat")


class ExplainProfileTest(ApiTest):
    options = {"profile": "rfc1"}
    assertSameRefusal = ExplainTest.assertSameRefusal

    def test_a_driver_that_is_not_safe(self):
        self.world.stage("rmm", "2.0")
        self.assertSameRefusal("rmm", "ProfileNotAllowed", "driver")


class ActivatePendingTest(ApiTest):
    def activate_pending(self, user=None, agent=None, **options):
        if user:
            return self.manager_call("ActivatePending", "a{sv}", options, user=user, agent=agent)
        return self.manager_call("ActivatePending", "a{sv}", options)

    def stage_three(self):
        for image, version in (("rmm", "2.0"), ("bl31", "3.0"), ("scp", "4.0")):
            self.world.sim(["stage", image, version])
        self.world.refresh()

    def results(self, paths):
        return [(job["Guid"], job["Result"], job["Error"].removeprefix(world.ERROR))
                for job in map(self.world.wait_job, paths)]

    def test_all_run_in_the_order_of_their_guids(self):
        self.stage_three()
        paths = self.activate_pending(reason="monthly")
        self.assertEqual(self.results(paths), [(GUIDS["bl31"], "succeeded", ""), (GUIDS["scp"], "succeeded", ""),
                                               (GUIDS["rmm"], "succeeded", "")])
        finished = [record["guid"] for record in self.world.history_file("finished")]
        self.assertEqual(finished, [GUIDS["bl31"], GUIDS["scp"], GUIDS["rmm"]])
        self.assertEqual({record["reason"] for record in self.world.history_file("queued")}, {"monthly"})
        self.assertEqual([item.args[1] for item in self.world.signals("JobNew")], paths)
        self.assertEqual(self.world.stores(), 3)

    def test_nothing_pending_is_an_empty_array(self):
        self.assertEqual(self.activate_pending(), [])
        self.assertEqual(self.activate_pending(user="nobody"), [])
        self.assertNothingRecorded()

    def test_without_driver_it_is_refused(self):
        self.world.sim("unbind")
        self.world.refresh()
        self.assertBusError("NoDriver", self.activate_pending)

    def test_one_that_a_gate_refuses_ends_refused_and_the_others_go_on(self):
        self.make_auto_stuck("bl31")
        self.stage_three()
        self.assertEqual(self.results(self.activate_pending()),
                         [(GUIDS["bl31"], "refused", "KernelAutoActivate"), (GUIDS["scp"], "succeeded", ""),
                          (GUIDS["rmm"], "succeeded", "")])
        self.assertEqual(self.world.stores(), 2)

    def test_after_a_bad_result_the_rest_is_cancelled(self):
        self.stage_three()
        self.world.sim("fail activate LFA_ACTIVATION_FAILED --image=scp")
        paths = self.activate_pending()
        self.assertEqual(self.results(paths),
                         [(GUIDS["bl31"], "succeeded", ""), (GUIDS["scp"], "failed", "ActivationFailed"),
                          (GUIDS["rmm"], "cancelled", "PrecedingFailed")])
        self.assertEqual(self.world.stores(), 2)
        self.assertEqual(self.world.history_file("started", self.world.job_id(paths[2])), [])
        self.assertEqual(self.world.image("rmm")["State"], "pending")

    def test_only_what_was_asked_for_together_stops_together(self):
        self.stage_three()
        self.world.sim("fail activate LFA_ACTIVATION_FAILED --image=bl31")
        self.world.sim("hang activate")
        paths = self.activate_pending()
        self.world.sim("wait activate-entered")
        alone = self.world.activate("rmm")
        self.world.sim("release")
        self.assertEqual([item[1] for item in self.results(paths)], ["failed", "cancelled", "cancelled"])
        self.assertEnded(self.world.wait_job(alone), "succeeded")

    def test_one_that_polkit_refuses_refuses_the_call(self):
        self.stage_three()
        self.world.polkit_rule('polkit.addRule(function(action, subject) {'
                               f'    return action.lookup("guid") == "{GUIDS["rmm"]}" ? polkit.Result.NO :'
                               '        polkit.Result.YES; });')
        self.assertBusError(ACCESS_DENIED, self.activate_pending, user="nobody")
        self.assertNothingRecorded()

    def test_polkit_is_asked_about_each(self):
        self.stage_three()
        with self.world.agent("ok") as agent:
            paths = self.activate_pending(user="nobody", agent=agent)
        self.assertEqual(len(agent.prompts), 3)
        for version in ("3.0", "4.0", "2.0"):
            self.assertTrue(any(version in prompt.message for prompt in agent.prompts), version)
        self.assertEqual([item[1] for item in self.results(paths)], ["succeeded"] * 3)
        self.assertEqual({record["uid"] for record in self.world.history_file("queued")}, {65534})

    def test_a_person_who_cancels_the_second_question_cancels_all(self):
        self.stage_three()
        with self.world.agent("ok") as agent:
            def cancel_later(prompt):
                agent.mode = "cancel" if "4.0" in prompt.message else "ok"

            agent.on_prompt = cancel_later
            self.assertBusError((ACCESS_DENIED, INTERACTIVE), self.activate_pending, user="nobody", agent=agent)
        self.assertNothingRecorded()

    def test_an_image_unstaged_meanwhile_ends_refused(self):
        self.stage_three()
        self.world.sim("hang activate")
        paths = self.activate_pending()
        self.world.sim("wait activate-entered")
        self.world.sim("unstage scp")
        self.world.sim("release")
        results = self.results(paths)
        self.assertEqual([item[1] for item in results], ["succeeded", "refused", "succeeded"])
        self.assertIn(results[1][2], ("NotPending", "VersionChanged"))
        self.assertEqual(self.world.stores(), 2)

    def test_an_image_staged_anew_meanwhile_ends_refused(self):
        self.stage_three()
        self.world.sim("hang activate")
        paths = self.activate_pending()
        self.world.sim("wait activate-entered")
        self.world.sim("stage scp 5.0")
        self.world.sim("release")
        self.assertEqual(self.results(paths)[1][1:], ("refused", "VersionChanged"))

    def test_what_does_not_fit_is_refused_as_a_whole(self):
        self.stage_three()
        path = self.hang_with_rmm()
        queued = [self.world.activate("rmm") for _ in range(14)]
        # rmm still counts as pending while it runs, so three would be asked for, and two fit
        self.assertBusError(LIMITS_EXCEEDED, self.activate_pending)
        self.assertEqual(len(self.world.history_file("queued")), 15)
        for job in queued:
            self.world.call(job, JOB, "Cancel", "a{sv}", {})
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def test_its_options_are_its_own(self):
        for options in ({"request-id": "a"}, {"expected-current-version": "1.0"}, {"image": "rmm"}):
            self.assertBusError(INVALID_ARGS, self.manager_call, "ActivatePending", "a{sv}", options)


class RequestIdTest(ApiTest):
    def test_the_same_request_is_one_job_at_any_time(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        first = self.world.activate("rmm", request_id="r")
        self.world.sim("wait activate-entered")
        second = self.world.activate("scp", request_id="s", reason="why", expected_pending_version="4.0")
        self.assertEqual(self.world.activate("rmm", request_id="r"), first, "during")
        for image in ("scp", GUIDS["scp"].upper(), swapped(GUIDS["scp"])):
            self.assertEqual(self.world.activate(image, request_id="s", reason="why", expected_pending_version="4.0"),
                             second, "before, by every name")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(first), "succeeded")
        self.assertEnded(self.world.wait_job(second), "succeeded")
        self.assertEqual(self.world.activate("rmm", request_id="r"), first, "after")
        self.assertEqual(self.world.job(first)["RequestId"], "r")
        self.assertEqual(len(self.world.history_file("queued")), 2)
        self.assertEqual(self.world.stores(), 2)
        self.assertEqual(len(self.world.signals("JobNew")), 2)

    def test_the_image_itself_knows_it_too(self):
        self.world.stage("rmm", "2.0")
        path = self.world.activate("rmm", request_id="r")
        self.assertEqual(self.world.call(self.world.image_path("rmm"), IMAGE, "Activate", "a{sv}", {"request-id": "r"}),
                         path)
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def assertKnownAfter(self, restart):
        self.world.stage("rmm", "2.0")
        path = self.world.activate("rmm", request_id="r-1", reason="a b", expected_current_version="1.2")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        restart()
        self.assertEqual(self.world.activate("rmm", request_id="r-1", reason="a b", expected_current_version="1.2"),
                         path)
        self.assertBusError("RequestIdReused", self.world.activate, "rmm", request_id="r-1", reason="a b")
        self.assertBusError("RequestIdReused", self.world.activate, "rmm", request_id="r-1", reason="a c",
                            expected_current_version="1.2")
        self.assertEqual(len(self.world.history_file("queued")), 1)
        self.assertEqual(self.world.stores(), 1)

    def test_after_a_restart(self):
        self.assertKnownAfter(lambda: self.world.restart("lfad"))

    def test_after_a_kill(self):
        def kill():
            self.world.kill("lfad")
            self.world.start("lfad")

        self.assertKnownAfter(kill)

    def test_killed_during_the_activation(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("slow activate 1s")
        path = self.world.activate("rmm", request_id="r")
        self.world.sim("wait activate-entered")
        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertEqual(self.world.activate("rmm", request_id="r"), path)
        self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual(self.world.stores(), 1)

    def test_after_the_image_is_gone(self):
        self.world.stage("rmm", "2.0")
        path = self.world.activate("rmm", request_id="r")
        self.world.wait_job(path)
        self.world.sim("vanish rmm --now")
        self.world.refresh()
        self.assertEqual(self.world.activate(GUIDS["rmm"], request_id="r"), path)
        self.assertBusError("NoSuchImage", self.world.activate, "rmm", request_id="r")

    def test_another_request_under_the_same_name_is_refused(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        path = self.world.activate("rmm", request_id="r", expected_pending_version="2.0", reason="x")
        for image, options in (("scp", {"expected_pending_version": "2.0", "reason": "x"}),
                               ("rmm", {"expected_pending_version": "2.1", "reason": "x"}),
                               ("rmm", {"expected_current_version": "1.2", "expected_pending_version": "2.0",
                                        "reason": "x"}),
                               ("rmm", {"reason": "x"}), ("rmm", {"expected_pending_version": "", "reason": "x"}),
                               ("rmm", {"expected_pending_version": "2.0"}),
                               ("rmm", {"expected_pending_version": "2.0", "reason": "x "})):
            with self.subTest(image=image, options=options):
                self.assertBusError("RequestIdReused", self.world.activate, image, request_id="r", **options)
        self.world.wait_job(path)
        self.assertEqual(len(self.world.history_file("queued")), 1)

    def test_what_was_refused_has_taken_no_name(self):
        self.assertBusError("NotPending", self.world.activate, "rmm", request_id="r")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm", request_id="r"), "succeeded")

    def test_each_uid_has_its_own_names(self):
        self.world.polkit_rule(ALLOW_NOBODY)
        path = self.hang_with_rmm()
        mine = self.world.activate("rmm", request_id="r")
        theirs = self.world.activate_as("nobody", "rmm", **{"request-id": "r"})
        self.assertNotEqual(mine, theirs)
        self.assertEqual(self.world.activate_as("nobody", "rmm", **{"request-id": "r"}), theirs)
        self.assertEqual(self.world.activate("rmm", request_id="r"), mine)
        self.world.sim("release")
        for job in (path, mine, theirs):
            self.world.wait_job(job)

    def test_a_known_name_is_no_way_around_polkit(self):
        self.world.polkit_rule(ALLOW_NOBODY)
        self.world.stage("rmm", "2.0")
        path = self.world.activate_as("nobody", "rmm", **{"request-id": "r"})
        self.world.wait_job(path)
        self.world.polkit_rule(REFUSE_ALL)
        self.assertBusError(ACCESS_DENIED, self.world.activate_as, "nobody", "rmm", **{"request-id": "r"})

    def test_bad_names_are_invalid(self):
        self.world.stage("rmm", "2.0")
        for name in ("", "x" * 65, "a b", "a/b", "\u00e4", "a\n", "a:b", "x" * 300, "x" * 1000000):
            with self.subTest(name=name[:20]):
                self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", request_id=name)
        self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", request_id=7)
        self.assertNothingRecorded()
        self.assertEnded(self.world.run_job("rmm", request_id="AZaz09._-" + "x" * 55), "succeeded")

    def test_the_oldest_of_many_names_are_forgotten(self):
        running = self.hang_with_rmm()
        jobs = []
        for number in range(300):
            jobs.append(self.world.activate("rmm", request_id=f"id-{number}"))
            self.world.call(jobs[-1], JOB, "Cancel", "a{sv}", {})
        self.assertEqual(len(set(jobs)), 300)
        for number in (44, 45, 299):
            self.assertEqual(self.world.activate("rmm", request_id=f"id-{number}"), jobs[number])
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(running), "succeeded")
        self.world.restart("lfad")
        self.world.stage("rmm", "3.0")
        for number in (44, 45, 299):
            self.assertEqual(self.world.activate("rmm", request_id=f"id-{number}"), jobs[number], "after a restart")
        again = self.world.activate("rmm", request_id="id-43")
        self.assertNotIn(again, jobs)
        self.assertEnded(self.world.wait_job(again), "succeeded")


class HistoryTest(ApiTest):
    """A history of many records is there before lfad starts: jobs 1, 4, 7, ..., each queued, started, finished."""

    options = {"parts": ("dbus", "polkitd", "sim")}
    BASE = 1790000000000000
    JOBS = 200

    def setUp(self):
        super().setUp()
        lines, self.records = [], []
        for number in range(self.JOBS):
            job = 3 * number + 1
            guid = GUIDS["rmm"] if number % 2 else GUIDS["scp"]
            for offset, kind in enumerate(("queued", "started", "finished")):
                record = {"job": job, "guid": guid, "seq": job + offset, "type": kind,
                          "timestamp": self.BASE + (job + offset) * 1000, "monotonic": 5, "boot-id": "0" * 32}
                if kind == "finished":
                    record["result"] = "failed"
                self.records.append(record)
                lines.append(json.dumps(record).encode())
        self.prepare(lines)
        with open(os.path.join(self.world.state_dir, "history.jsonl"), "wb") as file:
            file.write(b"\n".join(lines) + b"\n")
        self.world.start("lfad")

    def prepare(self, lines):
        """For those who want other lines in between."""

    def history(self, **options):
        types = {"limit": dbus.UInt32, "job": dbus.UInt32, "before": dbus.UInt64, "since": dbus.UInt64,
                 "until": dbus.UInt64}
        return self.manager_call("GetHistory", "a{sv}",
                                 {key: types.get(key, str)(value) for key, value in options.items()})

    def numbers(self, **options):
        return [record["seq"] for record in self.history(**options)]

    def walk(self, **options):
        """All records, by the cursor, page by page."""
        found, before = [], 0
        for _ in range(700):
            page = self.history(before=before, **options) if before else self.history(**options)
            if not page:
                return found
            found = page + found
            before = page[0]["seq"]
        self.fail("the cursor does not come to an end")

    def test_without_options_it_is_the_newest_256(self):
        self.assertEqual(self.numbers(), [record["seq"] for record in self.records[-256:]])
        self.assertEqual(self.history()[-1], self.records[-1])

    def test_the_cursor_walks_back_over_all(self):
        wanted = [record["seq"] for record in self.records]
        for limit in (256, 100, 1 if self.JOBS < 50 else 37):
            self.assertEqual([record["seq"] for record in self.walk(limit=limit)], wanted)

    def test_the_cursor_goes_with_filters(self):
        wanted = [record["seq"] for record in self.records
                  if record["guid"] == GUIDS["rmm"] and record["type"] == "finished"]
        self.assertEqual([record["seq"] for record in self.walk(limit=13, image="rmm", type="finished")], wanted)

    def test_each_filter(self):
        for options, fits in (({"image": "rmm"}, lambda r: r["guid"] == GUIDS["rmm"]),
                              ({"image": GUIDS["scp"].upper()}, lambda r: r["guid"] == GUIDS["scp"]),
                              ({"image": swapped(GUIDS["scp"])}, lambda r: r["guid"] == GUIDS["scp"]),
                              ({"image": UNNAMED}, lambda r: False),
                              ({"image": "ffffffff-0000-0000-0000-000000000000"}, lambda r: False),
                              ({"job": 1}, lambda r: r["job"] == 1), ({"job": 2}, lambda r: False),
                              ({"job": 2**32 - 1}, lambda r: False),
                              ({"type": "started"}, lambda r: r["type"] == "started"),
                              ({"type": "external"}, lambda r: False),
                              ({"before": 301}, lambda r: r["seq"] < 301), ({"before": 1}, lambda r: False),
                              ({"before": NEVER}, lambda r: True),
                              ({"since": self.BASE + 590000}, lambda r: r["seq"] >= 590),
                              ({"until": self.BASE + 10000}, lambda r: r["seq"] <= 10),
                              ({"since": self.BASE + 20000, "until": self.BASE + 30000},
                               lambda r: 20 <= r["seq"] <= 30),
                              ({"since": self.BASE + 20001, "until": self.BASE + 20999}, lambda r: False),
                              ({"since": NEVER}, lambda r: False),
                              ({"limit": 3, "job": 4}, lambda r: r["job"] == 4),
                              ({"limit": 2, "type": "queued"}, lambda r: r["seq"] in (595, 598)),
                              ({"image": "rmm", "type": "finished", "before": 50, "since": self.BASE + 10000},
                               lambda r: r["guid"] == GUIDS["rmm"] and r["type"] == "finished" and 10 <= r["seq"] < 50)):
            with self.subTest(**options):
                self.assertEqual(self.numbers(**options), [r["seq"] for r in self.records if fits(r)][-256:])

    def test_limits(self):
        self.assertEqual(self.numbers(limit=1), [self.records[-1]["seq"]])
        self.assertEqual(len(self.numbers(limit=256)), 256)
        for limit in (0, 257, 2**32 - 1):
            self.assertBusError(INVALID_ARGS, self.history, limit=limit)

    def test_bad_values_are_refused(self):
        self.assertBusError("NoSuchImage", self.history, image="bl99")
        self.assertBusError(INVALID_ARGS, self.history, type="nonsense")
        self.assertBusError(INVALID_ARGS, self.history, type="queued\n")
        for options in ({"limit": dbus.UInt64(5)}, {"limit": "5"}, {"before": dbus.UInt32(5)}, {"job": "1"},
                        {"since": dbus.Int64(1)}, {"image": 5}, {"type": True}, {"until": 1.5}):
            with self.subTest(options=options):
                self.assertBusError(INVALID_ARGS, self.manager_call, "GetHistory", "a{sv}", options)

    def test_anybody_may_read(self):
        self.assertEqual(len(self.manager_call("GetHistory", "a{sv}", {}, user="nobody")), 256)

    def test_what_comes_now_follows(self):
        self.world.stage("rmm", "2.0")
        path = self.world.activate("rmm")
        self.assertGreater(self.world.job_id(path), self.records[-1]["seq"])
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual([record["type"] for record in self.history(job=self.world.job_id(path))],
                         ["queued", "started", "finished"])


class RubbishHistoryTest(HistoryTest):
    """The same with lines in between that are no records."""

    def prepare(self, lines):
        self.addCleanup(hide_history, self.world)
        rubbish = [b'{"seq":77,"type":"queu', b"", b"not json", b"[1,2,3]", b"null", b"{}", b'{"seq":1}',
                   b'{"type":"finished"}', b"\x00" * 5000, b"\xff\xfe" * 100, b"{" * 3000, b"A" * 300000,
                   b'{"seq":-5,"type":"queued"}', b'{"seq":"7","type":"queued"}',
                   b'{"seq":7,"type":["queued"]}', b'{"seq":1e3,"type":"queued"}']
        for index, line in enumerate(rubbish):
            lines.insert(30 * index + 1, line)


class StrangeRecordsTest(ApiTest):
    """Records that are well-formed and yet not lfad's."""

    options = {"parts": ("dbus", "polkitd", "sim")}

    def start_with(self, *lines):
        self.addCleanup(hide_history, self.world)
        with open(os.path.join(self.world.state_dir, "history.jsonl"), "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
        self.world.start("lfad")
        return self.manager_call("GetHistory", "a{sv}", {})

    def test_values_of_other_types_are_passed_over(self):
        records = self.start_with(b'{"seq":1,"type":"external","a":null,"b":[1],"c":{"d":1},"e":1.5,"f":true,"g":"x"}')
        self.assertEqual(records, [{"seq": 1, "type": "external", "f": True, "g": "x"}])

    def test_numbers_out_of_range_do_not_end_it(self):
        records = self.start_with(b'{"seq":1,"type":"external","job":99999999999,"uid":-1,"x":18446744073709551615}',
                                  b'{"seq":2,"type":"external"}')
        self.assertEqual([record["seq"] for record in records], [1, 2])
        self.assertEqual(records[0]["x"], NEVER)

    def test_text_that_d_bus_does_not_take_does_not_end_it(self):
        records = self.start_with(b'{"seq":1,"type":"external"}',
                                  b'{"seq":2,"type":"external","guid":"x","reason":"\xed\xa0\x80"}',
                                  b'{"seq":3,"type":"external","reason":"\xc0\x80"}',
                                  b'{"seq":4,"type":"external","reason":"a\\u0000b"}',
                                  b'{"seq":5,"type":"external","":"x","a\\u0000b":"y"}',
                                  b'{"seq":6,"type":"external"}')
        numbers = [record["seq"] for record in records]
        self.assertEqual((numbers[0], numbers[-1]), (1, 6))

    def test_sequence_numbers_that_end_the_range_do_not_end_lfad(self):
        self.start_with(b'{"seq":2147483647,"type":"external"}')
        self.world.stage("rmm", "2.0")
        for _ in range(3):
            self.assertBusError("StateUnavailable", self.world.activate, "rmm")
        self.assertEqual(self.world.stores(), 0)
        self.assertEqual(self.world.history_file("queued"), [], "what was refused is no job")


class DescribeTest(ApiTest):
    def test_it_is_what_the_properties_say(self):
        self.world.stage("rmm", "2.0")
        job = self.world.run_job("rmm", reason="why", request_id="r")
        self.world.stage("scp", "4.0")
        document = json.loads(self.manager_call("Describe", "a{sv}", {}))
        manager = self.world.manager()
        self.assertEqual(document["schema"], 1)
        self.assertEqual([document[key] for key in ("version", "driver-state", "driver-profile", "uevent-monitor")],
                         [manager[key] for key in ("Version", "DriverState", "DriverProfile", "UeventMonitor")])
        guids = [image["guid"] for image in document["images"]]
        self.assertEqual(guids, sorted([*GUIDS.values(), UNNAMED]))
        names = {"guid": "Guid", "efi-guid": "EfiGuid", "name": "Name", "alias": "Alias", "state": "State",
                 "current-version": "CurrentVersion", "pending-version": "PendingVersion", "capable": "Capable",
                 "pending": "Pending", "may-reset-cpu": "MayResetCpu", "cpu-rendezvous": "CpuRendezvous",
                 "force-cpu-rendezvous": "ForceCpuRendezvous", "kernel-auto-activate": "KernelAutoActivate",
                 "last-result": "LastResult", "last-error": "LastError",
                 "last-activated-timestamp": "LastActivatedTimestamp"}
        for image in document["images"]:
            properties = self.world.image(image["guid"])
            self.assertLessEqual(set(image), set(names))
            for key, name in names.items():
                # what is empty or unknown may be left out
                self.assertEqual(image.get(key, type(properties[name])()), properties[name], (image["guid"], key))
        names = {"id": "Id", "guid": "Guid", "state": "State", "result": "Result", "error": "Error",
                 "message": "Message", "from-version": "FromVersion", "to-version": "ToVersion", "reason": "Reason",
                 "request-id": "RequestId", "queued-timestamp": "QueuedTimestamp",
                 "started-timestamp": "StartedTimestamp", "finished-timestamp": "FinishedTimestamp"}
        self.assertEqual(len(document["jobs"]), 1)
        for key, name in names.items():
            self.assertEqual(document["jobs"][0].get(key, type(job[name])()), job[name], key)
        self.assertEqual(document["jobs"][0]["uid"], job["Requester"]["uid"])

    def test_a_running_job_is_named(self):
        path = self.hang_with_rmm()
        document = json.loads(self.manager_call("Describe", "a{sv}", {}, user="nobody"))
        self.assertEqual(document["current-job"], self.world.job_id(path))
        self.assertEqual([job["state"] for job in document["jobs"]], ["activating"])
        self.world.sim("release")
        self.world.wait_job(path)

    def test_it_takes_no_options(self):
        self.assertBusError(INVALID_ARGS, self.manager_call, "Describe", "a{sv}", {"schema": 1})


class LogControlTest(ApiTest):
    def get(self, name, user=None):
        call = self.world.call if user is None else lambda *args: self.world.call_as(user, *args)
        return call(LOG_CONTROL_PATH, PROPERTIES, "Get", "ss", LOG_CONTROL, name)

    def set(self, name, value, signature="s"):
        return self.world.as_user(None, ["busctl", "set-property", NAME, LOG_CONTROL_PATH, LOG_CONTROL, name,
                                         signature, value])

    def test_root_sets_the_level_as_systemctl_does(self):
        for level in ("debug", "err", "emerg", "info"):
            self.assertEqual(self.set("LogLevel", level).returncode, 0)
            self.assertEqual(self.get("LogLevel"), level)

    def test_the_level_takes_effect(self):
        self.set("LogLevel", "debug")
        self.world.sim("uevent change")
        self.world.wait_for(lambda: "sent a uevent" in self.world.log("lfad", 500), 10, "a line of debugging")

    def test_a_level_that_does_not_exist_is_refused(self):
        for level in ("", "DEBUG", "7", "verbose", "x" * 100000):
            self.assertNotEqual(self.set("LogLevel", level).returncode, 0)
        self.assertNotEqual(self.set("LogLevel", "7", "u").returncode, 0)
        self.assertEqual(self.get("LogLevel"), "info")
        self.assertIn(r"'\x1b[2J\xe2\x80\xae'", self.set("LogLevel", "\x1b[2J\u202e").stderr)

    def test_everybody_reads_and_nobody_else_sets(self):
        self.assertEqual(self.get("LogLevel", user="nobody"), "info")
        self.assertEqual(self.get("SyslogIdentifier", user="nobody"), "lfad")
        self.assertIn(self.get("LogTarget", user="nobody"), ("console", "journal"))
        done = self.world.as_user("nobody", ["busctl", "set-property", NAME, LOG_CONTROL_PATH, LOG_CONTROL, "LogLevel",
                                             "s", "debug"])
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.get("LogLevel"), "info")

    def test_leaving_out_the_interface_is_no_way_in(self):
        script = ("from gi.repository import Gio, GLib\n"
                  "bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)\n"
                  f"m = Gio.DBusMessage.new_method_call('{NAME}', '{LOG_CONTROL_PATH}', None, 'Set')\n"
                  f"m.set_body(GLib.Variant('(ssv)', ('{LOG_CONTROL}', 'LogLevel', GLib.Variant('s', 'debug'))))\n"
                  "reply, _ = bus.send_message_with_reply_sync(m, Gio.DBusSendMessageFlags.NONE, 60000)\n"
                  "print(reply.get_error_name())\n")
        done = self.world.as_user("nobody", ["/usr/bin/python3", "-c", script])
        self.assertIn("Error", done.stdout, done.stderr)
        self.assertEqual(self.get("LogLevel"), "info")


class OptionsTest(ApiTest):
    def test_supported_options_are_those_that_activate_accepts(self):
        values = {"expected-current-version": "1.0", "expected-pending-version": "1.0", "reason": "x",
                  "request-id": "x", "unattended": True, "when-allowed": True, "override": ["hold"],
                  "deadline": dbus.UInt64((time.time() + 60) * 1e6)}
        needs = {"override": {"reason": "x"}, "deadline": {"when-allowed": True}}
        supported = self.world.manager()["SupportedOptions"]
        self.assertEqual(supported, sorted(set(supported)))
        for name in supported:
            self.assertIn(name, values, "a new option: teach it to this test")
            self.assertBusError(("NotPending", "VersionChanged"), self.manager_call, "Activate", "sa{sv}", "rmm",
                                {name: values[name], **needs.get(name, {})})
        for name in ("at", "authorize", "limit", "Reason", "reason ", "", "request_id"):
            self.assertBusError(INVALID_ARGS, self.manager_call, "Activate", "sa{sv}", "rmm", {name: "x"})


class CapsTest(ApiTest):
    def test_beyond_16_jobs_a_user_is_refused_and_the_16_still_run(self):
        self.world.polkit_rule(ALLOW_NOBODY)
        self.world.stage("scp", "4.0")
        running = self.hang_with_rmm()
        queued = [self.world.activate("scp") for _ in range(16)]
        for _ in range(3):
            self.assertBusError(LIMITS_EXCEEDED, self.world.activate, "scp")
        other = self.world.activate_as("nobody", "scp")
        self.assertEqual(len(self.world.history_file("queued")), 18)
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(running), "succeeded")
        self.assertEnded(self.world.wait_job(queued[0]), "succeeded")
        for path in (*queued[1:], other):
            self.assertEqual(self.world.wait_job(path)["Result"], "refused")
        self.assertEqual(self.world.stores(), 2)
        self.assertEqual(len(self.world.history_file("finished")), 18)

    def test_beyond_64_jobs_everybody_is_refused(self):
        self.world.polkit_rule('polkit.addRule(function(action, subject) { return polkit.Result.YES; });')
        self.world.stage("scp", "4.0")
        running = self.hang_with_rmm()
        for user in ("nobody", "daemon", "bin", "sys"):
            script = f"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do busctl call {NAME} {PATH} {MANAGER} " \
                     "Activate 'sa{sv}' scp 0 || exit; done"
            done = self.world.as_user(user, ["sh", "-c", script])
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertBusError(LIMITS_EXCEEDED, self.world.activate, "scp")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(running), "succeeded")
        self.world.wait_for(lambda: len(self.world.history_file("finished")) == 65, 60, "all jobs to end")


world.main()
