#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The order between images that the configuration asks for (After=): kept by batches and by single jobs, planned anew
when the world changes, and never a reason to wait for what could be pending for ever."""

import world
from world import GUIDS, JOB, MANAGER, PATH

NEVER = 2**64 - 1
UNNAMED = "0509b633-5734-422f-a681-6096e932d93a"  # the simulated machine has it, and nobody knows a name for it
MORE = {"bl31": GUIDS["bl31"], "scp": GUIDS["scp"], "rmm": GUIDS["rmm"],
        "sp1": "f07b2a96-1d47-4d17-9ec8-86a64e253e5c", "sp2": "c3ff2127-7e41-a9f8-05af-24a1afa33474"}
NAMES = {guid: name for name, guid in MORE.items()}
VERSIONS = {"bl31": "3.0", "scp": "4.0", "rmm": "2.0", UNNAMED: "5.0"}


class OrderTest(world.TestCase):
    """Without an order the GUIDs decide: bl31, scp, rmm."""

    after = {}

    def setUp(self):
        super().setUp()
        self.order(**self.after)

    def order(self, **after):
        text = "[Daemon]\nSettleSec=100ms\n"
        for name, first in after.items():
            text += f"[Image {name}]\nGuid={MORE[name]}\nAfter={first}\n"
        self.world.configure(text)
        self.world.reload()

    def stage(self, *images):
        for image in images:
            self.world.sim(["stage", image, VERSIONS[image]])
        self.world.refresh()

    def drop(self, image):
        """Firmware drops it, with a driver that is known to lose none by itself."""
        self.world.recognise_nvnew()
        self.world.sim(f"vanish {image} --now")
        self.world.refresh()

    def activate_pending(self):
        return self.world.call(PATH, MANAGER, "ActivatePending", "a{sv}", {})

    def hang(self):
        self.world.sim("hang activate")

    def in_the_write(self):
        self.world.sim("wait activate-entered")

    def ends(self, paths):
        """(image, result, error) of each job in the order of the paths, when all have ended."""
        return [(NAMES[job["Guid"]], job["Result"], job["Error"].removeprefix(world.ERROR))
                for job in map(self.world.wait_job, paths)]

    def started(self):
        """Which images were written to, in that order, by the history and by the jobs' own times."""
        names = [NAMES[record["guid"]] for record in self.world.history_file("started")]
        jobs = [interfaces[JOB] for interfaces in self.world.images().values() if JOB in interfaces]
        self.assertTrue(jobs)
        jobs = sorted((job for job in jobs if job["StartedTimestamp"]), key=lambda job: job["StartedTimestamp"])
        self.assertEqual([NAMES[job["Guid"]] for job in jobs], names[len(names) - len(jobs):])  # of the last minute
        self.assertEqual(self.world.stores(), len(names))
        return names

    def explain(self, image):
        verdict, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", image, {})
        return verdict, {gate["gate"]: gate for gate in gates}

    def assertDeferred(self, image, *words):
        error = self.assertBusError("OrderPending", self.world.activate, image)
        verdict, gates = self.explain(image)
        self.assertEqual((verdict["answer"], verdict["gate"], verdict["error"], verdict["not-before"],
                          verdict["retryable"]), ("defer", "order", error.name, NEVER, True))
        self.assertEqual((gates["order"]["answer"], gates["order"]["text"]), ("defer", error.message))
        self.assertEqual(self.world.image(image)["Blockers"], ["order"])
        for word in (GUIDS[image], *words):
            self.assertIn(word, error.message)


class BatchTest(OrderTest):
    after = {"bl31": "rmm", "rmm": "scp"}

    def test_all_that_is_pending_goes_in_the_configured_order(self):
        self.stage("bl31", "scp", "rmm")
        self.assertEqual(self.ends(self.activate_pending()),
                         [(name, "succeeded", "") for name in ("scp", "rmm", "bl31")])
        self.assertEqual(self.started(), ["scp", "rmm", "bl31"])

    def test_the_order_is_transitive_by_way_of_what_is_not_pending_or_not_there(self):
        self.stage("bl31", "scp")
        self.assertDeferred("bl31", "scp")
        self.drop("rmm")
        self.assertDeferred("bl31", "scp")
        self.assertEqual([end[:2] for end in self.ends(self.activate_pending())],
                         [("scp", "succeeded"), ("bl31", "succeeded")])
        self.assertEqual(self.started(), ["scp", "bl31"])

    def test_after_a_failure_the_rest_is_cancelled_and_what_comes_after_it_stays_deferred(self):
        self.stage("bl31", "scp", "rmm")
        self.world.sim("fail activate LFA_ACTIVATION_FAILED --image=scp --times=1")
        self.assertEqual(self.ends(self.activate_pending()),
                         [("scp", "failed", "ActivationFailed"), ("rmm", "cancelled", "PrecedingFailed"),
                          ("bl31", "cancelled", "PrecedingFailed")])
        self.assertEqual(self.started(), ["scp"])
        self.assertDeferred("rmm", "scp (failed)")
        self.assertDeferred("bl31", "scp (failed), rmm")
        self.assertEqual([end[1] for end in self.ends(self.activate_pending())], ["succeeded"] * 3)

    def test_one_that_a_gate_refuses_holds_up_those_after_it_and_nobody_else(self):
        self.stage("bl31", "scp", "rmm", UNNAMED)
        self.hang()
        paths = self.activate_pending()
        self.in_the_write()  # of the unnamed one: first by GUID, and no other must go before it
        self.world.sim("stage rmm 7.0")
        self.world.sim("release")
        self.world.wait_job(paths[0])
        self.assertEqual(self.ends(paths[1:]), [("scp", "succeeded", ""), ("rmm", "refused", "VersionChanged"),
                                                ("bl31", "refused", "OrderPending")])

    def test_what_became_pending_meanwhile_and_must_go_first_holds_up_its_followers_without_a_job(self):
        self.stage("scp", "bl31")
        self.hang()
        paths = self.activate_pending()
        self.in_the_write()
        self.world.sim("stage rmm 2.0")
        self.world.sim("release")
        self.assertEqual(self.ends(paths), [("scp", "succeeded", ""), ("bl31", "refused", "OrderPending")])
        self.assertIn("rmm", self.world.job(paths[1])["Message"])
        self.assertTrue(self.world.job(paths[1])["Retryable"])
        self.assertEqual(self.started(), ["scp"])
        self.assertEqual(self.world.image("rmm")["State"], "pending")

    def test_what_is_dropped_meanwhile_holds_up_nobody(self):
        self.stage("bl31", "scp", "rmm")
        self.hang()
        paths = self.activate_pending()
        self.in_the_write()
        self.world.sim("vanish rmm")
        self.world.sim("release")
        ends = self.ends(paths)
        self.assertEqual([end[:2] for end in ends], [("scp", "succeeded"), ("rmm", "refused"), ("bl31", "succeeded")])

    def test_lfactl_keeps_the_order_and_tells_it(self):
        self.stage("bl31", "scp", "rmm")
        done = self.world.lfactl("activate", "bl31")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertRegex(done.stderr, "goes after what is pending still: scp, rmm")
        done = self.world.lfactl("explain", "bl31")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stdout, "^bl31: .*: deferred, OrderPending: .*scp, rmm")
        self.assertRegex(done.stdout, "(?m)^order +defer +possible .* Image .*scp, rmm")
        done = self.world.lfactl("activate", "--pending")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([line.split(":")[0] for line in done.stdout.splitlines()], ["scp", "rmm", "bl31"])
        self.assertEqual(self.started(), ["scp", "rmm", "bl31"])


class SingleTest(OrderTest):
    after = {"rmm": "bl31"}

    def test_what_goes_after_another_one_is_refused_until_that_one_has_gone(self):
        self.stage("rmm", "bl31")
        self.assertDeferred("rmm", "bl31")
        self.assertEqual(self.world.history_file("queued"), [])
        self.assertEnded(self.world.run_job("bl31"), "succeeded")
        self.assertEqual(self.world.changed(self.world.image_path("rmm"), "Blockers")[-1], [])
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_blockers_follow_what_goes_first_and_its_jobs(self):
        self.order(bl31="rmm")  # the one that goes after is read first
        self.stage("rmm", "bl31")
        path = self.world.image_path("bl31")
        self.assertEqual(self.world.image("bl31")["Blockers"], ["order"])
        self.world.sim("fail activate LFA_ACTIVATION_FAILED --times=1")
        self.world.wait_job(self.world.activate("rmm"))
        told = [item for item in self.world.signals() if item.member == "JobRemoved" or
                (item.path == path and "Blockers" in item.args[1])]
        self.assertEqual([item.args[-1] if item.member == "JobRemoved" else item.args[1]["Blockers"] for item in told],
                         [["order"], [], ["order"], "failed"])  # while the job is under way a call would be accepted

    def test_what_is_unstaged_or_vanished_is_waited_for_no_more(self):
        self.stage("rmm", "bl31")
        self.assertDeferred("rmm", "bl31")
        self.world.sim("unstage bl31")
        self.world.refresh()
        self.assertEqual(self.world.image("rmm")["Blockers"], [])
        self.stage("bl31")
        self.assertDeferred("rmm", "bl31")
        self.drop("bl31")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_behind_a_job_of_what_goes_first_a_call_is_accepted_and_judged_at_its_turn(self):
        self.stage("rmm", "bl31")
        for command, wanted in (("fail activate LFA_ACTIVATION_FAILED --times=1", ("refused", "OrderPending")),
                                ("fail activate none", ("succeeded", ""))):
            self.world.sim(command)
            self.world.sim("reset-counters")
            self.hang()
            first = self.world.activate("bl31")
            self.in_the_write()
            second = self.world.activate("rmm")
            verdict, gates = self.explain("rmm")
            self.assertEqual((verdict["answer"], gates["order"]["answer"]), ("wait", "wait"))
            self.assertIn("bl31", gates["order"]["text"])
            self.world.sim("release")
            self.assertEqual(self.world.wait_job(first)["Result"] == "succeeded", wanted[0] == "succeeded")
            self.assertEnded(self.world.wait_job(second), *wanted)

    def test_what_was_staged_just_before_the_call_is_seen_before_the_write(self):
        self.stage("rmm")
        self.world.sim("stage bl31 3.0")
        try:
            self.assertEnded(self.world.run_job("rmm"), "refused", "OrderPending")
        except world.BusError as error:  # so slow a machine that the call already made a new reading
            self.assertEqual(error.short_name, "OrderPending")
        self.assertEqual(self.world.stores(), 0)

    def test_a_job_that_was_accepted_before_another_one_had_to_go_first_is_refused_at_its_turn(self):
        self.stage("scp", "rmm")
        self.hang()
        paths = [self.world.activate("scp")]
        self.in_the_write()
        paths.append(self.world.activate("rmm"))
        self.world.sim("stage bl31 3.0")
        self.world.sim("release")
        self.world.wait_job(paths[0])
        self.assertEnded(self.world.wait_job(paths[1]), "refused", "OrderPending")

    def test_queued_jobs_follow_an_order_that_is_loaded_meanwhile(self):
        self.stage("scp", "rmm", "bl31")
        self.order()
        self.hang()
        paths = [self.world.activate("scp")]
        self.in_the_write()
        paths += [self.world.activate("rmm"), self.world.activate("bl31")]
        self.order(rmm="bl31")
        self.world.sim("release")
        self.assertEqual([end[1] for end in self.ends(paths)], ["succeeded"] * 3)
        self.assertEqual(self.started(), ["scp", "bl31", "rmm"])

    def test_the_version_that_runs_already_is_not_waited_for(self):
        self.stage("rmm")
        self.world.sim(["stage", "bl31", "2.10"])
        self.world.refresh()
        self.assertEqual(self.world.image("bl31")["PendingVersion"], self.world.image("bl31")["CurrentVersion"])
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_what_cannot_be_read_is_waited_for(self):
        self.stage("rmm")
        self.world.sim(["raw", "activation_pending", "x", f"--image={GUIDS['bl31']}"])
        self.world.refresh()
        self.assertDeferred("rmm", "bl31 (unreadable)")

    def test_another_order_is_in_force_as_soon_as_it_is_loaded(self):
        self.stage("rmm", "bl31")
        self.assertDeferred("rmm", "bl31")
        self.order(bl31="RMM")
        self.assertEqual(self.world.image("rmm")["Blockers"], [])
        self.assertDeferred("bl31", "rmm")

    def test_an_order_among_images_that_are_not_there_has_no_effect(self):
        self.order(sp1="sp2 bl32", rmm="sp1 bl33")
        self.stage("rmm")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")


class CircleTest(OrderTest):
    after = {"bl31": "rmm"}
    CIRCLE = (f"[Image bl31]\nGuid={MORE['bl31']}\nAfter=rmm\n"
              f"[Image rmm]\nGuid={MORE['rmm']}\nAfter=sp1\nAfter=bl31\n")
    WORDS = "/etc/lfad/lfad.conf:7: After= makes a circle, each before the next: rmm -> bl31 -> rmm."

    def test_a_circle_is_refused_at_reload_and_the_old_order_stays(self):
        self.stage("bl31", "rmm")
        self.world.configure(self.CIRCLE)
        error = self.assertBusError("ConfigInvalid", self.world.reload)
        self.assertIn(self.WORDS, error.message)
        self.assertDeferred("bl31", "rmm")
        self.assertEqual([end[0] for end in self.ends(self.activate_pending())], ["rmm", "bl31"])

    def test_a_circle_is_refused_at_start_and_nothing_is_activated(self):
        self.world.configure(self.CIRCLE)
        self.world.restart("lfad")
        self.stage("rmm")
        error = self.assertBusError("ConfigInvalid", self.world.activate, "rmm")
        self.assertIn(self.WORDS, error.message)
        done = self.world.lfactl("config", "check", f"--root={self.world.config_root}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("lfad.conf:7: error: After= makes a circle", done.stdout)


class PendingForEverTest(OrderTest):
    """Everything is on offer for ever, and bl31 may reset CPUs: no driver ever activates it."""

    options = {"firmware": "tfa-fvp"}
    after = {"rmm": "bl31 sp1", "sp1": "sp2"}

    def test_what_is_pending_for_ever_holds_up_nobody_once_it_has_gone(self):
        self.assertDeferred("rmm", "sp2, sp1")
        self.assertNotIn("bl31", self.explain("rmm")[0]["text"])
        self.assertEqual(self.ends(self.activate_pending()),
                         [("bl31", "refused", "NeedsCpuReset"), ("sp2", "unverified", ""),
                          ("sp1", "unverified", ""), ("rmm", "unverified", "")])
        self.assertEqual(self.started(), ["sp2", "sp1", "rmm"])
        self.assertEqual([self.world.attribute(MORE[name], "activation_pending") for name in ("sp2", "sp1")], ["1"] * 2)

    def test_it_is_remembered_over_a_restart(self):
        for image in ("sp2", "sp1"):
            self.assertEnded(self.world.run_job(image), "unverified")
        self.world.restart("lfad")
        self.assertEnded(self.world.run_job("rmm"), "unverified")


world.main()
