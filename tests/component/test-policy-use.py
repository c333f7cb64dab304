#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Policy as an administrator and a timer see it: lfactl is told when, waits for that, passes over a gate with a reason, and
its exit codes say what became of it."""

import datetime
import os
import re
import time

import timedate1
import world

FAST = "[Daemon]\nSettleSec=100ms\n"


def window(seconds_ahead, name="maintenance"):
    """Opens so soon and stays open for an hour; its start."""
    start = datetime.datetime.fromtimestamp(int(time.time()) + seconds_ahead, datetime.timezone.utc)
    return start, f"[Window {name}]\nOnCalendar={start:%Y-%m-%d %H:%M:%S} UTC\nDuration=1h\n"


def timers_command():
    """What lfad-activate.service runs, without the program's path."""
    with open(os.path.join(world.BUILD_DIR, "systemd/lfad-activate.service"), encoding="utf-8") as file:
        return re.search(r"^ExecStart=\S*/lfactl (.*)$", file.read(), re.MULTILINE).group(1).split()


class PolicyUseTest(world.TestCase):
    options = {"parts": ("dbus", "sim")}

    def begin(self, text):
        self.world.configure(FAST + text)
        self.world.start("lfad")
        self.world.stage("rmm", "2.0")

    def configure(self, text):
        self.world.configure(FAST + text)
        self.world.reload()

    def ctl(self, code, *arguments):
        """lfactl, which must exit so; all it said."""
        done = self.world.lfactl(*arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def ctl_soon(self, code, option, *arguments):
        """The same with a time that comes soon; with a later one where lfad heard of it when it was over."""
        for seconds in (2, 6, 20, 60):
            done = self.world.lfactl(*arguments, f"{option}=+{seconds}s")
            if not re.search("'deadline' is over|'until' lies in the past", done.stderr):
                break
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_a_closed_window_is_told_and_waited_for(self):
        start, text = window(3000)
        self.begin(text)
        self.assertRegex(self.ctl(3, "activate", "rmm"), f"(?s){start:%Y-%m-%d}.*{start:%H:%M:%S}")
        self.assertEqual(self.world.history_file("queued"), [])
        waiting = self.world.spawn_as(None, ["lfactl", "activate", "rmm", "--when-allowed=+1h"])
        self.world.wait_for(lambda: "waits:" in self.world.said(waiting), 10, "lfactl to say what it waits for")
        self.assertRegex(self.ctl(0, "status"), "Job: .*rmm: waiting until")
        start, text = window(3)
        self.configure(text)
        done = self.world.finish(waiting, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "rmm: 1.2 . 2.0: succeeded")
        self.assertGreaterEqual(self.world.history_file("started")[0]["timestamp"], start.timestamp() * 1e6)

    def test_a_closed_window_is_passed_over_or_given_up(self):
        self.begin(window(3000)[1])
        self.assertRegex(self.ctl(3, "explain", "rmm"), "OutsideWindow")
        self.assertRegex(self.ctl_soon(3, "--when-allowed", "activate", "rmm"), "refused, DeadlineReached")
        said = self.ctl(0, "activate", "rmm", "--when-allowed", "--no-block")
        path = f"{world.PATH}/job/" + re.match(r"rmm: job (\d+) was accepted; ", said).group(1)
        self.assertEqual(self.world.job(path)["State"], "waiting")
        self.ctl(0, "cancel", "rmm")
        self.assertEqual(self.world.job(path)["Result"], "cancelled")
        self.assertRegex(self.ctl(2, "activate", "rmm", "--override=window"), "reason")
        self.assertRegex(self.ctl(2, "activate", "rmm", "--override=image", "--reason=x"), "cannot be passed over")
        self.assertRegex(self.ctl(3, "activate", "rmm", "--override=hold", "--reason=x"), "OutsideWindow|window")
        self.assertRegex(self.ctl(0, "activate", "rmm", "--override=window", "--reason=outage"), "succeeded")
        record = self.world.history_file("finished")[-1]
        self.assertEqual(record["overridden"], ["window"])

    def test_holds(self):
        self.begin("")
        self.ctl(0, "hold", "rmm", "--until=+1h", "--reason=the fan is broken")
        self.assertRegex(self.ctl(3, "activate", "rmm"), "the fan is broken")
        self.assertRegex(self.ctl(3, "explain", "rmm"), "hold +defer")
        waiting = self.world.spawn_as(None, ["lfactl", "activate", "rmm", "--when-allowed"])
        self.world.wait_for(lambda: "the fan is broken" in self.world.said(waiting), 10, "lfactl to say what it waits for")
        self.ctl(0, "unhold", "rmm")
        self.assertEqual(self.world.finish(waiting, timeout=60).returncode, 0)
        self.world.stage("rmm", "3.0")
        self.ctl(0, "hold", "--reason=audit")
        self.ctl(0, "activate", "rmm", "--override=hold", "--reason=exploited in the wild")
        self.ctl(0, "unhold")

    def test_one_that_ends_by_its_time_lets_a_job_go_on(self):
        self.begin("")
        changed = len(self.world.changed(world.PATH, "Held"))
        self.ctl_soon(0, "--until", "hold", "--reason=a moment")
        self.assertRegex(self.ctl(0, "activate", "rmm", "--when-allowed"), "succeeded")
        self.world.wait_for(lambda: self.world.changed(world.PATH, "Held")[changed:][-1:] == [False], 10, "it to be announced")

    def test_exit_codes_of_the_timers_command(self):
        command = timers_command()
        self.begin("")
        self.world.sim("unstage rmm")
        self.world.refresh()
        self.assertRegex(self.ctl(0, *command), "Nothing is pending")
        self.world.stage("rmm", "2.0")
        self.assertRegex(self.ctl(3, *command), "refused, ClockNotSynchronized")
        self.addCleanup(timedate1.Timedate1(self.world.connect()).close)
        self.ctl(0, "hold", "--reason=audit")
        self.assertRegex(self.ctl(3, *command), "refused, Held")
        self.ctl(0, "unhold")
        self.assertRegex(self.ctl(0, *command), "succeeded")
        self.assertIs(self.world.history_file("queued")[-1]["unattended"], True)
        self.world.sim("unbind")
        self.world.refresh()
        self.ctl(7, *command)

    def test_the_timer_keeps_to_windows_and_comes_again(self):
        policy = "[Policy]\nMaxNeedSec=1h\n"  # then the slot is at the window's start
        self.begin(policy + window(3000)[1])
        self.addCleanup(timedate1.Timedate1(self.world.connect()).close)
        self.assertRegex(self.ctl(3, *timers_command()), "refused, OutsideWindow")
        start, text = window(3)
        self.configure(policy + text)
        self.world.wait_for(lambda: time.time() > start.timestamp(), 20, "the window to open")
        self.assertRegex(self.ctl(0, *timers_command()), "succeeded")


world.main()
