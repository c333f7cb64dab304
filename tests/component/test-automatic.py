#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Automatic mode: lfad itself activates what is pending when a window opens, once in each, and nothing without one. The
clock is the host's own: windows open seconds from now, and are shorter than MaxNeedSec=, so that this host's moment in
them is their beginning."""

import json
import os
import time

import dbus.lowlevel

import timedate1
import world
from world import GUIDS, MANAGER, PATH


class AutomaticTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.timedate = timedate1.Timedate1(self.world.connect())
        self.addCleanup(self.timedate.close)

    def configure(self, *sections, mode="automatic", poll="10s"):
        """With each poll lfad asks anew for a clock that is not known: this process, which may have been too slow."""
        daemon = f"[Daemon]\nSettleSec=100ms\nPollSec={poll}"
        self.world.configure("\n".join((daemon, f"[Policy]\nMode={mode}", *sections)))
        self.world.reload()

    @staticmethod
    def window(after=0, name="night"):
        """A section for a window that opens so many seconds from now and is open for ten minutes; when it opens, in µs."""
        start = int(time.time()) + after
        text = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(start))
        return f"[Window {name}]\nOnCalendar={text}\nDuration=10min", start * 10**6

    def plan(self, kind, image="rmm"):
        """The plan's events of this type for the image, when lfad has had an answer about the clock."""
        def ask():
            events = self.world.call(PATH, MANAGER, "GetPlan", "a{sv}", {})
            return None if any(event.get("gate") == "clock" for event in events) else events

        return [event for event in self.world.wait_for(ask, 20, "a plan by a clock that is known")
                if event["type"] == kind and event.get("guid") == GUIDS[image]]

    def assertNotPlanned(self, gate, error, image="rmm"):
        """By the gates that decide: it is not going to be activated, and was asked for no second time."""
        [event] = self.plan("no-activation", image)
        self.assertEqual((event["gate"], event["error"]), (gate, world.ERROR + error), event)
        self.assertEqual(self.plan("activation", image), [])

    def queued(self):
        return self.world.history_file("queued")

    def test_plans_that_are_asked_for_at_once_wait_for_a_mute_host_together(self):
        asked, plans = [], []
        logind = self.world.connect()
        self.addCleanup(logind.close)

        def keep(_, message):
            if message.get_member() != "Get":
                return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
            asked.append(message.get_args_list()[1])
            return dbus.lowlevel.HANDLER_RESULT_HANDLED

        def ask():
            self.world.bus().call_async(world.NAME, PATH, MANAGER, "GetPlan", "a{sv}", ({},), plans.append, plans.append)

        logind.add_message_filter(keep)
        def let_answers_age():
            began = time.monotonic()
            self.world.wait_for(lambda: time.monotonic() > began + 1.5, what="a moment to pass")

        def ask_for_three():
            """Whether lfad had all of them within its patience with logind, 5 s, and asked nothing by itself."""
            for found in (asked, plans, self.world.notified):
                found.clear()
            let_answers_age()
            began = time.monotonic()
            ask()
            self.world.wait_for(lambda: asked, what="logind to be asked")
            let_answers_age()
            ask()
            ask()
            self.world.manager()  # its answer comes after lfad had these
            in_time = time.monotonic() < began + 4.5
            self.world.wait_for(lambda: len(plans) == 3, 30, "the plans")
            return in_time and "WATCHDOG=1" not in self.world.notified  # which each poll says

        logind.request_name("org.freedesktop.login1")
        for _ in range(5):
            if ask_for_three():
                break
        self.assertEqual(sorted(asked), ["PreparingForShutdown", "PreparingForSleep"])

    def test_what_is_pending_is_activated_once_when_the_window_opens(self):
        self.world.stage("rmm", "2.0")
        section, start = self.window(after=3600)  # far enough to look at what is planned
        self.configure(section)
        self.world.wait_for(lambda: self.world.changed(PATH, "NextPlannedTimestamp") == [start], what="a plan")
        [event] = self.plan("activation")
        self.assertEqual((event["start"], event["name"], event["to"]), (start, "night", "2.0"))
        self.assertEqual(self.queued(), [])
        section, start = self.window(after=2)
        self.configure(section, poll="60s")
        record = self.world.wait_record("finished", timeout=60)
        self.assertEqual((record["result"], record["automatic"]), ("succeeded", True))
        [queued] = self.queued()
        self.assertGreaterEqual(queued["timestamp"], start)
        self.assertLess(queued["timestamp"], start + 30 * 10**6)  # and not by a poll
        self.assertEqual((queued["uid"], queued["unit"], queued["reason"]), (0, "lfad.service", "Automatic mode, window night"))
        self.assertEqual([queued.get(key) for key in ("automatic", "unattended", "when-allowed", "deadline")],
                         [True, True, True, start + 600 * 10**6])
        self.assertEqual(self.world.manager()["NextPlannedTimestamp"], 0)

        self.world.stage("rmm", "3.0")  # another one, in the same window
        self.assertNotPlanned("slot", "TriedInWindow")
        self.world.restart("lfad")
        self.world.refresh()
        self.assertNotPlanned("slot", "TriedInWindow")
        self.assertEqual(len(self.queued()), 1)
        self.assertEqual(self.world.run_job("rmm")["Result"], "succeeded")  # a person may

    def find_late_name(self):
        """A window's name that gives this host, whichever it is, a moment at least three seconds after the beginning;
        and how long after it, in µs."""
        for number in range(50):
            section, start = self.window(name=f"w{number}")
            self.configure("MaxNeedSec=595s", section, mode="manual")
            [event] = [event for event in self.world.call(PATH, MANAGER, "GetPlan", "a{sv}", {}) if event["type"] == "window"]
            if event["slot"] >= start + 3 * 10**6:
                return f"w{number}", event["slot"] - start
        self.fail("no name does that")

    def test_in_a_longer_window_the_hosts_own_moment_is_waited_for(self):
        self.world.stage("rmm", "2.0")
        name, delay = self.find_late_name()
        section, start = self.window(after=3600, name=name)
        self.configure("MaxNeedSec=595s", section)
        [event] = self.plan("activation")
        self.assertEqual(event["start"], start + delay)
        section, start = self.window(after=2 - delay // 10**6, name=name)  # open already, and the moment is to come
        self.configure("MaxNeedSec=595s", section, poll="60s")
        self.world.wait_record("finished")
        [queued] = self.queued()
        self.assertGreaterEqual(queued["timestamp"], start + delay)

    def test_a_failure_is_not_tried_again_and_an_unknown_end_is_enough(self):
        for number, (image, outcome) in enumerate((("bl31", "fail activate ACTIVATION_FAILED --times=1"),
                                                   ("rmm", "outcome activate change-then-fail")), 1):
            self.world.sim(outcome)
            self.world.stage(image, "3.0")
            section, _ = self.window()
            self.configure(section, f"[Image here]\nGuid={GUIDS[image]}\nMode=automatic", mode="manual")
            self.world.wait_for(lambda number=number: len(self.world.history_file("finished")) == number, 60,
                                "an end")
        results = {record["guid"]: record["result"] for record in self.world.history_file("finished")}
        self.assertEqual(results, {GUIDS["bl31"]: "failed", GUIDS["rmm"]: "unknown"})
        self.world.stage("rmm", "3.0")
        self.assertNotPlanned("quarantine", "Quarantined")
        self.assertEqual(self.world.image("rmm")["State"], "quarantined")
        section, _ = self.window(after=-300)
        self.configure(section)  # it was open already when bl31 was tried
        self.assertNotPlanned("slot", "TriedInWindow", image="bl31")
        self.assertEqual(len(self.queued()), 2)

    def test_what_is_planned_is_announced_once(self):
        section, _ = self.window(after=-60)
        self.configure("MinimumIntervalSec=200s", section)
        self.world.stage("rmm", "2.0")
        end = self.world.wait_record("finished", timeout=60)["timestamp"]
        self.world.stage("bl31", "3.0")
        for _ in range(10):
            self.world.refresh()
        [planned] = self.world.changed(PATH, "NextPlannedTimestamp")
        self.assertTrue(0 <= planned - end - 200 * 10**6 < 2 * 10**6, (planned, end))
        self.assertEqual(planned, self.world.manager()["NextPlannedTimestamp"])

    def test_the_window_whose_turn_it_is_is_named(self):
        self.world.sim("fail activate ACTIVATION_FAILED --times=1")
        self.world.stage("rmm", "2.0")
        first, _ = self.window(after=-60)
        self.configure(first)
        self.world.wait_record("finished", timeout=60)
        self.assertNotPlanned("slot", "TriedInWindow")
        second, _ = self.window(after=3600, name="morning")
        self.configure(first, second)  # the first one is open still, and used up
        self.assertEqual(self.plan("activation")[0]["name"], "morning")
        second, _ = self.window(after=1, name="morning")  # after what was tried, also within the same second
        self.configure(first, second)
        self.world.wait_for(lambda: len(self.world.history_file("finished")) == 2, 60, "another end")
        self.assertEqual([(record["reason"], end["result"])
                          for record, end in zip(self.queued(), self.world.history_file("finished"))],
                         [("Automatic mode, window night", "failed"), ("Automatic mode, window morning", "succeeded")])

    def test_without_a_window_it_does_nothing_and_says_so(self):
        self.configure()
        self.world.stage("rmm", "2.0")
        self.assertEqual([code for code, _ in self.world.manager()["Warnings"]], ["automatic-without-window"])
        self.assertNotPlanned("window", "NoWindow")
        self.assertIn("No window is configured", self.world.lfactl("plan").stdout)
        self.world.reload()
        self.assertEqual(self.world.log("lfad", 1000).count("lfad activates nothing by itself"), 1)
        self.assertEqual(self.queued(), [])

    def test_what_is_in_the_way_is_waited_for_in_the_window(self):
        held = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "backup", "it runs", "block", [], {})
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "not now", {})
        self.world.stage("bl31", "3.0")
        self.world.stage("rmm", "2.0")
        section, _ = self.window()
        sections = (section, f"[Image rmm]\nGuid={GUIDS['rmm']}",
                    f"[Image monitor]\nGuid={GUIDS['bl31']}\nAfter={GUIDS['rmm']}")
        self.configure(*sections)
        self.assertNotPlanned("hold", "Held")
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {})
        self.assertNotPlanned("inhibitor", "Inhibited")
        self.assertEqual(self.queued(), [])
        self.configure(*sections, poll="60s")  # which finds nothing in time
        os.close(held.take())
        self.world.wait_for(lambda: len(self.world.history_file("finished")) == 2, 10, "two ends")
        self.assertEqual([(record["guid"], record["result"]) for record in self.world.history_file("finished")],
                         [(GUIDS["rmm"], "succeeded"), (GUIDS["bl31"], "succeeded")])

    def test_explain_tells_what_automatic_mode_is_going_to_do(self):
        self.world.stage("rmm", "2.0")
        section, start = self.window(after=3600)
        self.configure(section)
        self.plan("activation")  # the clock is known
        self.assertRegex(self.world.lfactl("explain", "rmm").stdout, r"\nAutomatic mode activates it .* \(in .*\), window night\.\n")
        [explanation] = json.loads(self.world.lfactl("explain", "rmm", "--json=short").stdout)["explanations"]
        self.assertEqual((explanation["automatic"]["type"], explanation["automatic"]["start"]), ("activation", start))
        self.timedate.synchronized = False
        self.world.wait_for(lambda: "\nAutomatic mode does not activate it, gate clock: " in
                            self.world.lfactl("explain", "rmm").stdout, what="the clock to be told of")
        self.timedate.synchronized = True
        self.plan("activation")
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "not now", {})
        shown = self.world.lfactl("explain", "rmm").stdout
        self.assertIn("not now", shown)
        self.assertNotIn("Automatic mode", shown)  # what is in its way is told already
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {})
        for arguments in (["--at=+1min"], ["--no-legend"]):
            self.assertNotIn("Automatic mode", self.world.lfactl("explain", "rmm", *arguments).stdout)
        far, _ = self.window(after=20 * 86400)
        self.configure(far)
        self.assertRegex(self.world.lfactl("explain", "rmm").stdout,
                         r"\nAutomatic mode does not activate it before .* \(in \d+ days\)\.\n")
        self.configure(section, mode="manual")
        self.assertNotIn("Automatic mode", self.world.lfactl("explain", "rmm").stdout)

    def test_a_moment_is_explained_in_the_zone_of_the_policy(self):
        self.configure("TimeZone=Europe/Berlin\n[Window night]\nOnCalendar=Sat 03:30\nDuration=2h",
                       "[Freeze thaw]\nFrom=2097-01-01\nUntil=2097-02-01")
        self.world.stage("rmm", "2.0")
        for moment, gates in (("Sat 03:30", {}), ("2096-06-02 05:29:30", {"window"}), ("2097-01-05 04:00", {"freeze"}),
                              ("2097-01-06", {"freeze", "window"})):
            outcome = self.world.lfactl("explain", "rmm", "--long", "--at", moment)
            lines = [line.split() for line in outcome.stdout.splitlines()[3:]]
            self.assertEqual({line[0] for line in lines if line[1] != "allow"}, set(gates), outcome.stdout)
            self.assertEqual(outcome.returncode, 3 if gates else 0)
        self.assertRegex(outcome.stdout, r"As of 2097-01-05 23:00:00 UTC, 2097-01-06 00:00:00 CET")
        self.assertRegex(outcome.stdout, r"\nwindow +defer +possible +2097-02-02 02:30:00 UTC, 03:30:00 CET \(in ")
        self.assertIn("All times are those of Europe/Berlin", self.world.lfactl("plan").stdout)

    def test_a_job_outlives_lfad_and_ends_when_automatic_mode_is_switched_off(self):
        self.world.sim("hang activate")
        self.world.stage("bl31", "3.0")
        self.world.stage("rmm", "2.0")
        section, _ = self.window()
        self.configure(section)
        self.world.sim("wait activate-entered")  # bl31 goes first; rmm is queued behind it
        first, second = (record["seq"] for record in self.world.wait_for(
            lambda: self.queued() if len(self.queued()) == 2 else None, what="two jobs"))
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "not now", {})
        self.world.sim("release")
        self.assertEqual(self.world.wait_record("finished", job=first)["result"], "succeeded")
        self.world.wait_job_state(f"{PATH}/job/{second}", "waiting")
        self.world.restart("lfad")
        self.world.refresh()
        self.assertEqual(self.world.job(f"{PATH}/job/{second}")["State"], "waiting")
        self.assertEqual(len(self.queued()), 2)  # and no other one is asked for
        self.configure(section, mode="manual")
        record = self.world.wait_record("finished", job=second)
        self.assertEqual((record["guid"], record["result"]), (GUIDS["rmm"], "cancelled"))
        self.assertIn("switched off", record["message"])

    def guard(self):
        """Lets automatic mode ask for rmm, and holds the job back by an inhibitor; the window's section and that one."""
        held = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "backup", "it runs", "delay", [], {})
        self.world.stage("rmm", "2.0")
        section, _ = self.window()
        self.configure(section)
        self.world.wait_for(lambda: "waiting for backup" in self.world.log("lfad", 100), what="a job that guards")
        return section, held

    def test_so_does_one_that_is_about_to_begin(self):
        section, held = self.guard()
        self.configure(section, mode="manual")
        record = self.world.wait_record("finished")
        self.assertEqual(record["result"], "cancelled")
        self.assertIn("switched off", record["message"])
        os.close(held.take())
        self.world.refresh()
        self.assertEqual((self.world.image("rmm")["State"], self.world.manager()["CurrentJob"]), ("pending", "/"))

    def test_one_whose_window_is_taken_away_begins_no_more(self):
        _, held = self.guard()
        self.configure()
        os.close(held.take())
        self.world.wait_for(lambda: "waits for gate window" in self.world.log("lfad", 100), what="a job that waits")
        self.assertEqual(self.world.history_file("started"), [])


world.main()
