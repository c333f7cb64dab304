#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may activate: the real polkitd decides for everybody but root, asked with the details of what would run, and
what was shown to the person is what is done or nothing is."""

import world
from world import ACCESS_DENIED, GUIDS, INTERACTIVE, JOB, MANAGER, PATH

REFUSED = (ACCESS_DENIED, INTERACTIVE)

ALLOW_NOBODY = """polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.arm.LFA1.") == 0 && subject.user == "nobody") return polkit.Result.YES;
});"""


class AuthorisationTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")

    def assertNothingDone(self):
        self.assertEqual(self.world.stores(), 0)
        self.assertEqual(self.world.history_file("queued"), [])
        self.assertEqual(self.world.signals("JobNew"), [])

    def assertSucceeds(self, path, uid):
        job = self.world.wait_job(path)
        self.assertEnded(job, "succeeded")
        self.assertEqual(job["Requester"]["uid"], uid)
        self.assertEqual(self.world.stores(), 1)

    def test_root_passes(self):
        self.assertSucceeds(self.world.activate("rmm"), 0)

    def test_nobody_is_refused(self):
        self.assertBusError(REFUSED, self.world.activate_as, "nobody", "rmm")
        self.assertNothingDone()

    def test_without_a_person_the_error_says_that_one_is_needed(self):
        self.assertBusError(INTERACTIVE, self.world.activate_as, "nobody", "rmm", interactive=False)
        self.assertNothingDone()

    def test_a_rule_may_allow_a_user(self):
        self.world.polkit_rule(ALLOW_NOBODY)
        self.assertSucceeds(self.world.activate_as("nobody", "rmm"), 65534)
        self.assertBusError(REFUSED, self.world.activate_as, "daemon", "scp")

    def test_a_rule_may_refuse_a_user(self):
        self.world.polkit_rule('polkit.addRule(function(action, subject) { return polkit.Result.NO; });')
        self.assertBusError(ACCESS_DENIED, self.world.activate_as, "nobody", "rmm")
        self.assertNothingDone()

    def test_a_rule_may_allow_one_image_only(self):
        self.world.polkit_rule('polkit.addRule(function(action, subject) {'
                               '    if (action.id == "org.arm.LFA1.activate" && subject.user == "nobody" &&'
                               f'       action.lookup("guid") == "{GUIDS["rmm"]}") return polkit.Result.YES;'
                               '});')
        self.assertBusError(REFUSED, self.world.activate_as, "nobody", "scp")
        self.assertNothingDone()
        self.assertSucceeds(self.world.activate_as("nobody", "rmm"), 65534)

    def test_a_rule_sees_every_detail(self):
        self.world.polkit_rule('polkit.addRule(function(action, subject) {'
                               '    var d = ["name", "rendezvous", "downgrade"];'
                               '    for (var i = 0; i < d.length; i++)'
                               '        if (!action.lookup(d[i])) return polkit.Result.NO;'
                               '    if (action.lookup("from") == "1.2" && action.lookup("to") == "2.0")'
                               '        return polkit.Result.YES;'
                               '});')
        self.assertSucceeds(self.world.activate_as("nobody", "rmm"), 65534)

    def test_an_agent_that_authenticates_lets_pass(self):
        with self.world.agent("ok") as agent:
            path = self.world.activate_as("nobody", "rmm", agent=agent)
        self.assertSucceeds(path, 65534)
        self.assertEqual(len(agent.prompts), 1)

    def test_the_person_is_told_what_would_run(self):
        with self.world.agent("cancel") as agent:
            self.assertBusError(REFUSED, self.world.activate_as, "nobody", "rmm", agent=agent)
        message = agent.prompts[0].message
        for text in (self.world.image("rmm")["Name"], "1.2", "2.0", GUIDS["rmm"]):
            self.assertIn(text, message)

    def test_an_agent_that_cancels_refuses(self):
        with self.world.agent("cancel") as agent:
            self.assertBusError(REFUSED, self.world.activate_as, "nobody", "rmm", agent=agent)
        self.assertNothingDone()

    def test_an_agent_that_fails_refuses(self):
        with self.world.agent("fail") as agent:
            self.assertBusError(REFUSED, self.world.activate_as, "nobody", "rmm", agent=agent)
        self.assertNothingDone()

    def test_a_caller_who_does_not_want_to_be_asked_is_not(self):
        with self.world.agent("ok") as agent:
            self.assertBusError(INTERACTIVE, self.world.activate_as, "nobody", "rmm", agent=agent, interactive=False)
        self.assertEqual(agent.prompts, [])

    def test_without_polkitd_nobody_is_refused_and_root_passes(self):
        self.world.stop("polkitd")
        self.assertBusError(REFUSED, self.world.activate_as, "nobody", "rmm")
        self.assertNothingDone()
        self.assertSucceeds(self.world.activate("rmm"), 0)

    def test_polkitd_dying_while_the_person_thinks_refuses(self):
        with self.world.agent("hang", on_prompt=lambda _: self.world.kill("polkitd")) as agent:
            self.assertBusError(REFUSED, self.world.activate_as, "nobody", "rmm", agent=agent)
        self.assertNothingDone()

    def test_an_image_staged_anew_while_the_person_thinks_is_not_what_was_allowed(self):
        versions = iter(["3.0", "4.0", "5.0", "6.0"])

        def restage(_):
            self.world.stage("rmm", next(versions))

        with self.world.agent("ok", on_prompt=restage) as agent:
            self.assertBusError("VersionChanged", self.world.activate_as, "nobody", "rmm", agent=agent)
        self.assertIn("2.0", agent.prompts[0].message)
        self.assertNothingDone()

    def test_what_can_only_be_refused_asks_nobody_for_a_password(self):
        with self.world.agent("ok") as agent:
            self.assertBusError("NotPending", self.world.activate_as, "nobody", "bl31", agent=agent)
            self.assertBusError("VersionChanged", self.world.activate_as, "nobody", "rmm", agent=agent,
                                expected_pending_version="7.7")
        self.assertEqual(agent.prompts, [])

    def test_the_daemon_serves_others_while_a_person_thinks(self):
        with self.world.agent("hang") as agent:
            path, member = self.world.image_path("rmm"), world.IMAGE
            caller = self.world.spawn_as("nobody", ["busctl", "--timeout=120", "call", world.NAME, path, member,
                                                    "Activate", "a{sv}", "0"], agent=agent)
            self.world.wait_for(lambda: agent.prompts, 10, "the prompt")
            self.assertEnded(self.world.run_job("scp"), "succeeded")
            agent.answer("ok")
            done = self.world.finish(caller)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.world.wait_for(lambda: len(self.world.history_file("finished")) == 2, 10, "both jobs to end")

    def test_a_caller_who_leaves_while_asked_starts_nothing(self):
        with self.world.agent("hang") as agent:
            caller = self.world.spawn_as("nobody", ["busctl", "--timeout=120", "call", world.NAME, PATH, MANAGER,
                                                    "Activate", "sa{sv}", "rmm", "0"], agent=agent)
            self.world.wait_for(lambda: agent.prompts, 10, "the prompt")
            caller.kill()
            self.world.finish(caller)
            agent.answer("ok")
        self.world.refresh()
        self.assertNothingDone()

    def test_a_caller_who_is_still_asked_is_told_that_lfad_stops(self):
        with self.world.agent("hang") as agent:
            caller = self.world.spawn_as("nobody", ["busctl", "--timeout=120", "call", world.NAME, PATH, MANAGER,
                                                    "Activate", "sa{sv}", "rmm", "0"], agent=agent)
            self.world.wait_for(lambda: agent.prompts, 10, "the prompt")
            self.world.stop("lfad")
            done = self.world.finish(caller)
            self.assertIn("lfad is stopping", done.stderr)
        self.assertNothingDone()

    def test_anybody_may_refresh(self):
        self.world.sim("stage bl31 3.0")
        self.world.call_as("nobody", PATH, MANAGER, "Refresh", "a{sv}", {})
        self.assertEqual(self.world.image("bl31")["PendingVersion"], "3.0")

    def test_a_job_is_cancelled_by_who_asked_for_it_and_not_by_others(self):
        self.world.polkit_rule('polkit.addRule(function(action, subject) {'
                               '    if (action.id == "org.arm.LFA1.activate") return polkit.Result.YES;'
                               '});')
        self.world.sim("hang activate")
        first = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        second = self.world.activate_as("nobody", "scp")
        self.assertBusError(REFUSED, self.world.call_as, "daemon", second, JOB, "Cancel", "a{sv}", {})
        self.world.call_as("nobody", second, JOB, "Cancel", "a{sv}", {})
        self.assertEnded(self.world.wait_job(second), "cancelled", "Cancelled")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(first), "succeeded")
        self.assertEqual(self.world.stores(), 1)


world.main()
