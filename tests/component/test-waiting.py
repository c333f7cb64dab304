#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs that wait for gates: with when-allowed a gate that defers is waited for, until the deadline, over restarts of lfad,
and not over one of the host."""

import json
import os
import shutil
import time

import login1
import world
from world import ERROR, GUIDS, JOB, MANAGER, PATH

INVALID = "org.freedesktop.DBus.Error.InvalidArgs"
DAY = 24 * 3600


def usec(seconds_from_now):
    return world.dbus.UInt64((time.time() + seconds_from_now) * 1e6)


class WaitingTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.configure("[Daemon]\nSettleSec=100ms\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")
        self.held = []
        self.addCleanup(self.let_go)

    def inhibit(self, *images, mode="block"):
        self.held.append(self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "backup", "it runs", mode, list(images),
                                         {}).take())

    def let_go(self):
        while self.held:
            os.close(self.held.pop())

    def wait(self, image="rmm", **options):
        path = self.world.activate(image, when_allowed=True, **options)
        self.assertEqual(self.world.job(path)["State"], "waiting")
        return path

    def kept(self):
        with open(os.path.join(self.world.state_dir, "state.json"), encoding="utf-8") as file:
            return json.load(file)["jobs"]

    def assertOneEnd(self, path):
        job = self.world.job_id(path)
        for record_type in ("queued", "finished"):
            self.assertEqual(len(self.world.history_file(record_type, job)), 1, record_type)
        self.assertEqual(self.kept(), [])

    def test_a_gate_that_defers_is_waited_for(self):
        self.inhibit("rmm")
        self.assertBusError("Inhibited", self.world.activate, "rmm")
        path = self.wait(reason="tonight", unattended=True, override=["clock"])
        job = self.world.job(path)
        self.assertIn("blocked by backup: it runs", job["Message"])
        self.assertAlmostEqual(job["DeadlineTimestamp"] / 1e6, time.time() + 7 * DAY, delta=100)
        self.assertEqual(self.world.image("rmm")["State"], "scheduled")
        self.assertEqual(self.world.manager()["CurrentJob"], "/")
        [record] = self.world.history_file("queued")
        self.assertEqual((record["when-allowed"], record["deadline"], record["deadline-default"], record["unattended"]),
                         (True, job["DeadlineTimestamp"], True, True))
        # Others are not kept waiting by it.
        self.world.stage("scp", "4.0")
        self.assertEnded(self.world.run_job("scp"), "succeeded")
        self.assertEqual(self.world.job(path)["State"], "waiting")
        self.let_go()
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(self.world.changed(path, "State")[:1], ["queued"])
        self.assertOneEnd(path)

    def test_a_job_goes_on_from_a_hold_and_ends_where_a_gate_denies(self):
        self.world.stop("lfad")
        with open(os.path.join(self.world.state_dir, "state.json"), "w", encoding="utf-8") as file:
            json.dump({"version": 1, "seq": 0, "holds": [{"by-lfad": False, "job": 0, "uid": 0, "reason": "audit",
                                                          "since": 1, "until": 0}], "quarantines": [], "learned": []}, file)
        self.world.start("lfad")
        self.world.stage("scp", "4.0")
        path, other = self.wait(), self.wait("scp", expected_pending_version="4.0")
        self.world.sim(["stage", "scp", "5.0"])  # gate version denies, as soon as somebody looks
        self.world.refresh()
        self.assertEnded(self.world.wait_job(other), "refused", "VersionChanged")
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {})
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def test_what_is_pending_no_more_ends_it(self):
        self.inhibit()
        path = self.wait()
        self.world.sim("unstage rmm")
        self.world.refresh()
        self.assertEnded(self.world.wait_job(path), "refused", "VersionChanged")
        self.assertOneEnd(path)

    def test_the_deadline_ends_it_and_names_the_gate(self):
        self.inhibit("rmm")
        for seconds in (2, 6, 20, 60):  # soon, but not before lfad hears of it
            deadline = usec(seconds)
            try:
                path = self.world.activate("rmm", when_allowed=True, deadline=deadline, request_id="once")
                break
            except world.BusError as error:
                self.assertIn("'deadline' is over", error.message)
        self.assertEqual(self.world.job(path)["DeadlineTimestamp"], deadline)
        job = self.world.wait_job(path)
        self.assertEnded(job, "refused", "DeadlineReached")
        self.assertIn("gate inhibitor deferred it: Activations of this image are blocked", job["Message"])
        self.assertTrue(job["Retryable"])
        self.assertGreaterEqual(job["FinishedTimestamp"], deadline)
        # Without one it is the configuration's.
        self.world.configure("[Daemon]\nSettleSec=100ms\n[Policy]\nMaxWaitSec=1s\n")
        self.world.reload()
        self.assertEnded(self.world.run_job("rmm", when_allowed=True), "refused", "DeadlineReached")
        # Who asks again gets the same answer, although the deadline is over.
        self.assertEqual(self.world.activate("rmm", when_allowed=True, deadline=deadline, request_id="once"), path)

    def test_odd_terms_are_refused(self):
        for options, words in (({"deadline": usec(3600)}, "'when-allowed'"),
                               ({"deadline": usec(-1), "when-allowed": True}, "'deadline' is over"),
                               ({"deadline": usec(30 * DAY + 3600), "when-allowed": True}, "more than 30 days ahead"),
                               ({"deadline": world.dbus.UInt64(2 ** 64 - 1), "when-allowed": True}, "more than 30 days"),
                               ({"when-allowed": "yes"}, "type 'b'"), ({"deadline": "tomorrow"}, "type 't'")):
            for member, signature, arguments in (("Activate", "sa{sv}", ["rmm"]), ("ActivatePending", "a{sv}", []),
                                                 ("Explain", "sa{sv}", ["rmm"])):
                error = self.assertBusError(INVALID, self.world.call, PATH, MANAGER, member, signature, *arguments, options)
                self.assertIn(words, error.message)
        self.assertBusError("NotPending", self.world.activate, "scp", when_allowed=True)  # what denies is not waited for
        self.assertEqual(self.world.history_file("queued"), [])

    def test_it_can_be_cancelled_and_is_shown(self):
        self.inhibit()
        path = self.wait(deadline=usec(3600))
        job = str(self.world.job_id(path))
        self.assertRegex(self.world.lfactl("status").stdout, rf"Job: {job} for rmm: waiting until .*\(in .*: Activations of")
        self.assertRegex(self.world.lfactl("list").stdout, r"(?m)^rmm .* scheduled ")
        self.assertRegex(self.world.lfactl("show", "rmm").stdout, rf"Job: *{job}, waiting until .*backup")
        self.assertIn("1 waiting", self.world.status[-1])
        self.world.call(path, JOB, "Cancel", "a{sv}", {})
        self.assertEnded(self.world.wait_job(path), "cancelled", "Cancelled")
        self.assertOneEnd(path)

    def test_it_survives_a_kill_and_a_restart(self):
        self.inhibit("rmm")
        self.world.stage("scp", "4.0")
        path = self.wait(request_id="once", reason="tonight", override=["order"], deadline=usec(3600))
        before = self.world.job(path)
        for end in (self.world.kill, self.world.stop):
            end("lfad")
            self.world.start("lfad")
            self.assertEqual(self.world.history_file("finished"), [])
            self.assertEqual(self.world.job(path)["State"], "waiting")
        self.world.wait_for(lambda: self.world.job(path)["Message"] == before["Message"], 10, "it to be judged again")
        self.assertEqual(self.world.job(path), before)
        again = {"request_id": "once", "reason": "tonight", "override": ["order"], "when_allowed": True,
                 "deadline": world.dbus.UInt64(before["DeadlineTimestamp"])}
        self.assertEqual(self.world.activate("rmm", **again), path)
        self.assertBusError("RequestIdReused", self.world.activate, "rmm", **{**again, "when_allowed": False,
                                                                              "deadline": world.dbus.UInt64(0)})
        self.let_go()
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(self.world.stores(), 1)
        self.assertOneEnd(path)

    def test_its_record_may_be_gone_from_the_history(self):
        self.inhibit("rmm")
        path = self.wait(request_id="once")
        self.world.kill("lfad")
        self.world.grow_history()
        os.rename(os.path.join(self.world.state_dir, "history.jsonl"), os.path.join(self.world.dir, "old.jsonl"))
        self.world.start("lfad")
        self.assertEqual(self.world.activate("rmm", when_allowed=True, request_id="once"), path)
        self.assertEqual(self.world.job(path)["State"], "waiting")
        self.let_go()
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def test_a_restart_of_the_host_ends_it(self):
        self.inhibit("rmm")
        path = self.wait()
        self.world.restart_host()
        record = self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual((record["result"], record["error"]), ("cancelled", ERROR + "DaemonRestarted"))
        self.assertIn("host restarted", record["message"])
        self.assertFalse(self.world.manager()["Held"])
        self.assertOneEnd(path)

    def test_a_job_that_is_stopped_in_its_guard_waits_for_the_next_lfad(self):
        self.inhibit("rmm", mode="delay")
        path = self.world.activate("rmm", when_allowed=True)
        self.world.wait_job_state(path, "guarding")
        self.world.restart("lfad")
        self.let_go()
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertOneEnd(path)

    def test_a_gate_that_closes_while_it_is_guarded_lets_it_wait_again(self):
        self.inhibit("rmm", mode="delay")
        path = self.world.activate("rmm", when_allowed=True)
        self.world.wait_job_state(path, "guarding")
        delay = self.held.pop()
        self.inhibit("rmm")
        os.close(delay)
        self.world.wait_job_state(path, "waiting")
        self.world.wait_for(lambda: [signal.args[0] for signal in self.world.signals("PrepareForActivation")] == [1, 0],
                            10, "the guard to be given back")
        self.world.stage("scp", "4.0")
        self.assertEnded(self.world.run_job("scp"), "succeeded")
        self.assertEqual(self.world.history_file("started", self.world.job_id(path)), [])
        self.let_go()
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(len(self.world.history_file("started", self.world.job_id(path))), 1)

    def test_images_of_one_request_wait_each_and_end_together(self):
        self.world.configure(f"[Daemon]\nSettleSec=100ms\n[Image scp]\nGuid={GUIDS['scp']}\nAfter={GUIDS['rmm']}\n")
        self.world.reload()
        self.world.stage("scp", "4.0")
        self.world.stage("bl31", "3.0")
        self.inhibit("rmm")
        paths = self.world.call(PATH, MANAGER, "ActivatePending", "a{sv}", {"when-allowed": True, "deadline": usec(3600)})
        jobs = {self.world.job(path)["Guid"]: path for path in paths}
        self.assertEnded(self.world.wait_job(jobs[GUIDS["bl31"]]), "succeeded")
        self.assertEqual([self.world.job(jobs[GUIDS[image]])["State"] for image in ("rmm", "scp")], ["waiting"] * 2)
        self.world.restart("lfad")  # they belong together still
        self.world.sim("fail prime AUTH_ERROR --image=rmm")
        self.let_go()
        self.assertEnded(self.world.wait_job(jobs[GUIDS["rmm"]]), "failed", "ActivationFailed")
        self.assertEnded(self.world.wait_job(jobs[GUIDS["scp"]]), "cancelled", "PrecedingFailed")
        self.assertEqual(self.kept(), [])

    def test_what_was_asked_for_together_ends_together_over_a_kill(self):
        self.world.configure("[Daemon]\nSettleSec=100ms\n" + "".join(
            f"[Image {image}]\nGuid={GUIDS[image]}\nAfter={GUIDS[first]}\n"
            for image, first in (("rmm", "bl31"), ("scp", "bl31"))))
        self.world.reload()
        self.world.stage("bl31", "3.0")
        self.world.stage("scp", "4.0")
        self.inhibit("rmm", "scp")
        self.world.sim("fail activate ACTIVATION_FAILED --image=bl31")
        self.world.sim("hang activate")
        paths = self.world.call(PATH, MANAGER, "ActivatePending", "a{sv}", {"when-allowed": True, "deadline": usec(3600)})
        jobs = {self.world.job(path)["Guid"]: path for path in paths}
        self.world.wait_job_state(jobs[GUIDS["bl31"]], "activating")
        self.world.kill("lfad")
        self.world.sim("release")
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the worker to end")
        self.world.start("lfad")
        record = self.world.wait_record("finished", self.world.job_id(jobs[GUIDS["bl31"]]))
        self.assertEqual(record["result"], "failed")
        for image in ("rmm", "scp"):
            record = self.world.wait_record("finished", self.world.job_id(jobs[GUIDS[image]]), timeout=5)
            self.assertEqual((record["result"], record["error"]), ("cancelled", ERROR + "PrecedingFailed"))
        self.assertEqual(self.kept(), [])

    def test_what_ends_together_does_so_when_lfad_dies_in_between(self):
        self.world.stage("scp", "4.0")
        self.inhibit("rmm", "scp")
        paths = self.world.call(PATH, MANAGER, "ActivatePending", "a{sv}", {"when-allowed": True, "deadline": usec(3600)})
        first, last = map(self.world.job_id, paths)
        state = os.path.join(self.world.state_dir, "state.json")
        shutil.copy(state, state + ".waiting")
        self.world.call(paths[0], JOB, "Cancel", "a{sv}", {})
        self.assertEnded(self.world.wait_job(paths[1]), "cancelled", "PrecedingFailed")
        self.world.kill("lfad")
        os.rename(state + ".waiting", state)
        history = os.path.join(self.world.state_dir, "history.jsonl")
        with open(history, encoding="utf-8") as file:
            lines = file.readlines()
        with open(history, "w", encoding="utf-8") as file:
            file.writelines(line for line in lines
                            if (json.loads(line)["type"], json.loads(line).get("job")) != ("finished", last))
        self.world.start("lfad")
        self.assertEqual(len(self.world.history_file("finished", first)), 1)
        record = self.world.wait_record("finished", last)
        self.assertEqual((record["result"], record["error"]), ("cancelled", ERROR + "PrecedingFailed"))
        self.assertEqual(self.kept(), [])

    def open_window(self, start, seconds):
        """start: in seconds of the clock."""
        self.world.configure("[Daemon]\nSettleSec=100ms\n[Window night]\n"
                             f"OnCalendar=*-*-* {time.strftime('%H:%M:%S', time.gmtime(start))} UTC\nDuration={seconds}s\n")
        self.world.reload()

    def test_a_window_that_opens_lets_it_go(self):
        start = int(time.time()) + 3600
        self.open_window(start, 600)
        error = self.assertBusError("OutsideWindow", self.world.activate, "rmm")
        self.assertIn(time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(start)), error.message)
        path = self.wait()
        start = int(time.time()) + 2
        self.open_window(start, 600)
        job = self.world.wait_job(path)
        self.assertEnded(job, "succeeded")
        self.assertGreaterEqual(job["StartedTimestamp"], start * 10**6)

    def test_a_window_that_closes_before_its_turn_lets_it_wait(self):
        self.open_window(int(time.time()) - 60, 7200)
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        running = self.world.activate("scp")
        self.world.wait_job_state(running, "activating")
        path = self.world.activate("rmm", when_allowed=True, deadline=usec(3600))
        self.assertEqual(self.world.job(path)["State"], "queued")
        self.open_window(int(time.time()) - 60, 60 + 45)  # less is left than an activation may need
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(running), "succeeded")
        self.world.wait_job_state(path, "waiting")
        self.assertIn("The window closes", self.world.job(path)["Message"])
        self.assertEqual(self.world.history_file("started", self.world.job_id(path)), [])

    def test_it_is_not_taken_up_again_and_again_for_what_shows_with_the_guard_only(self):
        logind = login1.Login1(self.world.connect())
        self.addCleanup(logind.close)
        logind.lock_mode = "fail"
        path = self.world.activate("rmm", when_allowed=True)
        self.world.wait_job_state(path, "waiting")
        self.assertIn("logind does not let shutdown and sleep be put off", self.world.job(path)["Message"])
        self.world.stage("scp", "4.0")  # something changes
        self.world.refresh()
        self.assertEqual(self.world.job(path)["State"], "waiting")
        self.assertEqual([signal.args[0] for signal in self.world.signals("PrepareForActivation")], [1, 0])

    def test_a_pause_that_begins_later_is_not_passed_over(self):
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "a release", {})
        self.inhibit()
        path = self.world.activate("rmm", when_allowed=True, override=["hold"], reason="outage 7")
        self.world.wait_job_state(path, "waiting")
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "fire", {"images": world.dbus.Array(["rmm"], "s")})
        self.let_go()
        self.world.wait_for(lambda: "fire" in self.world.job(path)["Message"], 10, "the pause to count")
        self.world.restart("lfad")
        self.world.wait_for(lambda: "fire" in self.world.job(path)["Message"], 10, "it to count after the restart")
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {"images": world.dbus.Array(["rmm"], "s")})
        job = self.world.wait_job(path)
        self.assertEnded(job, "succeeded")
        self.assertEqual(job["Overridden"], ["hold"])

    def test_polkit_is_told_that_it_waits(self):
        self.inhibit()
        deadline = usec(3600)
        until = "when allowed, until " + time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(deadline // 10**6))
        with self.world.agent("cancel") as agent:
            for options in ({"deadline": deadline}, {}, {"override": ["hold"], "reason": "outage 7"}):
                self.assertBusError((world.ACCESS_DENIED, world.INTERACTIVE), self.world.activate_as, "nobody", "rmm",
                                    agent=agent, when_allowed=True, **options)
        for prompt, words in zip(agent.prompts, (until, "when allowed,", "gate hold")):
            self.assertIn(words, prompt.message)
        self.assertIn("when allowed: gate hold", agent.prompts[2].message)
        self.assertIn("outage 7", agent.prompts[2].message)
        self.world.polkit_rule('polkit.addRule(function(action, subject) {'
                               '    return action.lookup("when") == "now" ? polkit.Result.YES : polkit.Result.NO; });')
        self.assertBusError(world.ACCESS_DENIED, self.world.activate_as, "nobody", "rmm", when_allowed=True)
        self.let_go()
        self.assertEnded(self.world.wait_job(self.world.activate_as("nobody", "rmm")), "succeeded")

    def test_those_that_wait_count(self):
        self.inhibit()
        self.world.polkit_rule("polkit.addRule(function(action, subject) { return polkit.Result.YES; });")
        for _ in range(16):
            self.world.activate_as("nobody", "rmm", when_allowed=True)
        self.assertBusError("org.freedesktop.DBus.Error.LimitsExceeded", self.world.activate_as, "nobody", "rmm",
                            when_allowed=True)


world.main()
