#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Windows, freezes, intervals and the clock, as the daemon and its callers see them."""

import os
import shutil
import time

import dbus

import timedate1
import world
from world import ERROR, MANAGER, PATH

DAY = 86400


def utc(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def window(start, duration, name="w"):
    """Opens once, at that time."""
    return f"[Window {name}]\nOnCalendar={utc(start)} UTC\nDuration={duration}s\n"


def usec(seconds):
    return int(seconds) * 10**6


class WindowsTest(world.TestCase):
    def configure(self, text):
        self.world.configure(text)
        self.world.reload()

    def explain(self, **options):
        _, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", options)
        return {gate["gate"]: gate for gate in gates}

    def image(self):
        return self.world.image("rmm")

    def test_a_closed_window_refuses_names_the_next_and_can_be_passed_over(self):
        now = int(time.time())
        self.configure(window(now + DAY, 7200) + "[Policy]\nTimeZone=Europe/Berlin\n")
        self.world.stage("rmm", "2.0")
        error = self.assertBusError(ERROR + "OutsideWindow", self.world.activate, "rmm")
        self.assertRegex(error.message, r"opens 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d CES?T\.")
        self.assertEqual(self.image()["Blockers"], ["window"])
        self.assertEqual(self.image()["NotBeforeTimestamp"], usec(now + DAY))
        manager = self.world.manager()
        self.assertEqual((manager["WindowOpen"], manager["NextWindowStartTimestamp"], manager["NextWindowEndTimestamp"],
                          manager["TimeZone"]), (False, usec(now + DAY), usec(now + DAY + 7200), "Europe/Berlin"))
        self.assertIn("closed, opens", self.world.lfactl("status").stdout)

        # At other times: open, too short, and over for ever.
        answer = lambda at: self.explain(at=dbus.UInt64(usec(at)))["window"]["answer"]
        self.assertEqual([answer(now + DAY - 1), answer(now + DAY), answer(now + DAY + 7150), answer(now + DAY + 7151),
                          answer(now + 2 * DAY)], ["defer", "allow", "allow", "defer", "defer"])

        self.assertEnded(self.world.run_job("rmm", override=["window"], reason="outage"), "succeeded")

    def test_when_it_may_go_is_told_of_all_gates_together(self):
        now = int(time.time())
        self.configure(window(now + 3 * DAY, 7200, "early") + window(now + 9 * DAY, 7200, "late") +
                       f"[Freeze f]\nFrom={utc(now - DAY)}\nUntil={utc(now + 5 * DAY)}\n")
        self.world.stage("rmm", "2.0")
        error = self.assertBusError(ERROR + "Frozen", self.world.activate, "rmm")
        self.assertIn(f"Not before {utc(now + 9 * DAY)} UTC", error.message)
        verdict, _ = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", {})
        self.assertEqual((verdict["gate"], verdict["not-before"]), ("freeze", usec(now + 9 * DAY)))
        self.assertEqual(self.explain()["freeze"]["not-before"], usec(now + 5 * DAY))

    def test_what_is_published_changes_when_a_window_opens_and_closes(self):
        self.configure(window(int(time.time()) + DAY, 7200))
        self.world.stage("rmm", "2.0")
        path, image = self.world.activate("rmm", when_allowed=True), self.world.image_path("rmm")
        self.assertEqual(self.image()["Blockers"], ["window"])
        start = int(time.time()) + 3
        self.configure(window(start, 7200))
        changes = lambda where: [item.args[1] for item in self.world.signals("PropertiesChanged", where)]
        self.world.wait_for(lambda: any(change.get("WindowOpen") for change in changes(PATH)), what="the window to open")
        self.assertGreaterEqual(time.time(), start)
        self.world.wait_for(lambda: changes(image)[-1].get("Blockers") == [] or self.image()["Blockers"] != ["window"],
                            what="the gate to open")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        # Three seconds of this one can be used; the rest is too short for another activation.
        self.world.stage("rmm", "3.0")
        end = int(time.time()) + 53
        self.configure(window(end - 7200, 7200))
        self.world.wait_for(lambda: "window" in self.image()["Blockers"], what="the rest to be too short")
        self.assertLess(time.time(), end)

    def test_an_open_window_lets_pass_and_a_freeze_does_not(self):
        now = int(time.time())
        self.configure(window(now - 60, 7200))
        self.world.stage("rmm", "2.0")
        self.assertEqual((self.image()["Blockers"], self.image()["NotBeforeTimestamp"]), ([], 0))
        manager = self.world.manager()
        self.assertEqual((manager["WindowOpen"], manager["NextWindowStartTimestamp"], manager["NextWindowEndTimestamp"]),
                         (True, 0, usec(now + 7140)))
        self.configure(window(now - 60, 7200) + f"[Freeze f]\nFrom={utc(now - 60)}\nUntil={utc(now + 600)}\n")
        self.assertIn("'f'", self.assertBusError(ERROR + "Frozen", self.world.activate, "rmm").message)
        self.assertEqual(self.image()["NotBeforeTimestamp"], usec(now + 600))
        self.assertEqual(self.explain(at=dbus.UInt64(usec(now + 600)))["freeze"]["answer"], "allow")
        self.configure(window(now - 60, 7200))
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.assertNotIn("window-closed", self.world.history_file("finished")[-1])

    def test_nothing_is_begun_that_could_last_into_a_freeze(self):
        freeze = lambda start: self.configure(f"[Freeze f]\nFrom={utc(start)} UTC\nUntil={utc(start + DAY)} UTC\n")
        start = int(time.time()) + DAY
        freeze(start)
        self.world.stage("rmm", "2.0")
        answer = lambda at: self.explain(at=dbus.UInt64(usec(at)))["freeze"]["answer"]
        self.assertEqual([answer(start - 50), answer(start - 49), answer(start + DAY)], ["allow", "defer", "allow"])
        start = int(time.time()) + 53
        freeze(start)
        # Nobody asks: it is noticed.
        self.world.wait_for(lambda: self.image()["Blockers"] == ["freeze"], what="the freeze to be near")
        self.assertLess(time.time(), start)
        self.assertRegex(self.assertBusError(ERROR + "Frozen", self.world.activate, "rmm").message,
                         r"Freeze 'f' begins .*, sooner than the 50 s")
        self.assertEqual(self.image()["NotBeforeTimestamp"], usec(start + DAY))
        self.assertEnded(self.world.run_job("rmm", override=["freeze"], reason="x"), "succeeded")

    def test_a_window_that_closes_during_the_write_changes_nothing_and_is_noted(self):
        close = lambda end: self.configure(window(end - 7200, 7200) +
                                           f"[Freeze f]\nFrom={utc(end)}\nUntil={utc(end + DAY)}\n")
        close(int(time.time()) + 45)
        self.world.stage("rmm", "2.0")
        self.assertBusError(ERROR + "OutsideWindow", self.world.activate, "rmm", override=["freeze"], reason="x")  # too late
        self.world.sim("hang activate")
        path = self.world.activate("rmm", override=["window", "freeze"], reason="x")
        self.world.sim("wait activate-entered")
        end = int(time.time()) + 2
        close(end)
        self.world.wait_for(lambda: time.time() > end, what="the window's end")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertIs(self.world.history_file("finished")[-1]["window-closed"], True)
        self.assertIn("its window closed during the activation", self.world.log("lfad"))

    def test_versions_must_be_such_as_the_configuration_allows(self):
        self.configure("[Image rmm]\nGuid=6c0762a6-12f2-4b56-92cb-ba8f633606d9\nMinimumVersion=3.0\n")
        self.world.stage("rmm", "2.0")
        self.assertIn("MinimumVersion=3.0", self.assertBusError(ERROR + "VersionForbidden", self.world.activate,
                                                                "rmm").message)
        self.assertBusError(ERROR + "VersionChanged", self.world.activate, "rmm", expected_pending_version="9.0",
                            override=["version"], reason="x")
        self.assertEnded(self.world.run_job("rmm", override=["version"], reason="x"), "succeeded")

    def test_activations_keep_their_distance_also_over_a_restart(self):
        self.configure("[Policy]\nMinimumIntervalSec=1d\n")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.world.restart("lfad")
        self.world.stage("bl31", "2.0")
        self.assertBusError(ERROR + "IntervalNotOver", self.world.activate, "bl31")
        self.world.restart_host()
        self.world.stage("bl31", "2.0")
        self.assertBusError(ERROR + "IntervalNotOver", self.world.activate, "bl31")
        self.assertEqual(self.explain(at=dbus.UInt64(usec(time.time() + DAY + 5)))["interval"]["answer"], "allow")

    def test_who_speaks_for_nobody_needs_a_clock_that_is_right(self):
        self.world.stage("rmm", "2.0")
        refuse = lambda: self.assertBusError(ERROR + "ClockNotSynchronized", self.world.activate, "rmm",
                                             unattended=True).message
        self.assertIn("there is no systemd-timedated", refuse())
        service = timedate1.Timedate1(self.world.connect(), synchronized=None)
        self.addCleanup(service.close)
        self.assertIn("does not tell", refuse())
        service.synchronized = False
        self.assertIn("not synchronised", refuse())
        asked = service.asked
        self.assertEqual(self.explain()["clock"]["answer"], "allow")
        self.assertEqual(service.asked, asked)  # for a person it is not even asked
        service.synchronized = True
        self.assertEnded(self.world.run_job("rmm", unattended=True), "succeeded")

    def test_a_file_that_describes_no_zone_is_not_taken_for_the_hosts(self):
        place = os.path.join(self.world.dir, "localtime")
        text = "[Policy]\nTimeZone=local\n"
        shutil.copy("/usr/share/zoneinfo/Europe/Berlin", place)
        self.world.cover(place, "/etc/localtime")
        self.configure(text)
        zone = self.world.manager()["TimeZone"]
        with open(place, "r+b") as file:
            file.truncate(100)
        self.world.refresh()
        self.assertIn(f"that of the host stays {zone}", self.world.log("lfad"))
        self.assertEqual(self.world.manager()["TimeZone"], zone)
        with self.assertRaises(world.BusError) as raised:
            self.configure(text)
        self.assertIn("/etc/localtime does not describe a time zone", raised.exception.message)


world.main()
