#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the journal is given: for each event one entry with its id, its level and its fields, once; whatever anybody writes
into a reason, or names an image, makes no field of its own. Each entry can be explained by the catalog."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import unittest

import dbus

import journal
import memcheck
import systemd1
import world
from systemd1 import SECOND
from world import ACCESS_DENIED, ERROR, GUIDS, MANAGER, PATH

RMM, NAME = GUIDS["rmm"], "Realm Management Monitor (RMM)"
WATCHDOG = {"identity": "SBSA Generic Watchdog", "state": "active", "timeout": 10, "pretimeout": 0, "timeleft": 9,
            "max_timeout": 60}
COMMON = {"MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "MESSAGE_ID", "ERRNO"}
FAULTFS = os.path.join(world.BUILD_DIR, "tests/faultfs/faultfs")

# Which event of the table no test here makes, and where it is made, or why nowhere.
ELSEWHERE = {
    "write-long": "test-stuck-worker.py, since it takes a minute",
    "hold-again": "needs a clock that is set back",
    "zone-changed": "needs another /etc/localtime: test-windows.py, without a journal",
    "watchdog-unreadable": "test-watchdogs.py, without a journal",
    "window-outlasted": "test-windows.py, without a journal",
}
seen = set()


def known_fields():
    with open(os.path.join(world.SOURCE_DIR, "include/lfa/message-fields.h"), encoding="utf-8") as file:
        return set(re.findall(r'"(LFA_\w+)"', file.read()))


def catalog():
    """{id: the fields that its text has}"""
    with open(os.path.join(world.SOURCE_DIR, "systemd/lfad.catalog"), encoding="utf-8") as file:
        parts = re.split(r"^-- ([0-9a-f]{32})\n", file.read(), flags=re.MULTILINE)
    return {parts[i]: set(re.findall(r"@(\w+)@", parts[i + 1])) for i in range(1, len(parts), 2)}


FIELDS, CATALOG = known_fields(), catalog()


class JournalTest(world.TestCase):
    options = {"journal": True}

    def tearDown(self):
        for entry in self.world.journal.entries:
            self.check(entry)

    def check(self, entry):
        """What goes for all of them."""
        self.assertLessEqual(entry.names(), COMMON | FIELDS, entry)
        for name in COMMON:
            self.assertLessEqual(len(entry.all(name)), 1, entry)
        self.assertEqual(entry["SYSLOG_IDENTIFIER"], "lfad")
        if entry["MESSAGE_ID"] is None:
            self.assertIn(entry["PRIORITY"], "34567")
            return
        message_id, priority = journal.EVENTS[entry.event]
        self.assertEqual((entry["MESSAGE_ID"], entry["PRIORITY"]), (message_id, str(priority)), entry)
        self.assertLessEqual(CATALOG[message_id], entry.names(), "the catalog has fields that it lacks")
        seen.add(entry.event)

    def wait(self, name, **fields):
        """The only one of its kind with these fields."""
        entries = self.world.wait_for(lambda: self.world.journal.events(name, **fields), 10, f"{name} {fields}")
        self.assertEqual(len(entries), 1, entries)
        return entries[0]

    def none(self, name):
        self.assertEqual(self.world.journal.events(name), [])

    def assertFields(self, entry, **fields):
        self.assertEqual({key: entry["LFA_" + key] for key in fields}, fields, entry)

    def hang(self, image="rmm", version="2.0", **options):
        """The path of a job whose write has reached the driver."""
        self.world.stage(image, version)
        self.world.sim("hang activate")
        path = self.world.activate(image, **options)
        self.world.sim("wait activate-entered")
        self.world.wait_job_state(path, "activating")
        return path

    def names(self):
        return [entry.event for entry in self.world.journal.entries if entry.event]


class LifeTest(JournalTest):
    def test_a_start_and_a_stop(self):
        self.wait("ready")
        self.assertEqual(self.names(), ["driver-changed"] + ["image-appeared"] * len(self.images()) + ["ready"])
        self.assertFields(self.wait("driver-changed"), DRIVER_STATE="active")
        self.assertFields(self.wait("image-appeared", guid=RMM), IMAGE=NAME, FROM="1.2")
        self.world.stop("lfad")
        self.assertIn("Terminated", self.wait("stopping")["MESSAGE"])
        self.assertEqual(self.world.log("lfad"), "", "what the journal has is on stderr, too")

    def images(self):
        return [path for path in self.world.images() if "/image/" in path]

    def test_lost_bus(self):
        self.world.forget_bus()
        self.world.kill("dbus")
        self.wait("bus-lost")
        with contextlib.suppress(world.WorldError):  # it ends with 1
            self.world.stop("lfad")

    def test_the_level_counts(self):
        self.world.call("/org/freedesktop/LogControl1", world.PROPERTIES, "Set", "ssv", "org.freedesktop.LogControl1",
                        "LogLevel", dbus.String("notice"))
        target = self.world.call("/org/freedesktop/LogControl1", world.PROPERTIES, "Get", "ss",
                                 "org.freedesktop.LogControl1", "LogTarget")
        self.assertEqual(target, "journal")
        self.world.stage("rmm", "2.0")
        self.world.run_job("rmm")
        self.wait("job-succeeded")
        self.none("job-queued")

    def test_without_journald_lines_go_to_stderr_with_their_level(self):
        os.unlink(journal.SOCKET)
        self.world.stage("rmm", "2.0")
        self.world.run_job("rmm")
        self.assertRegex(self.world.log("lfad"), r"<5>Job \d+: succeeded")

    def test_a_journald_that_hangs_holds_nothing_up(self):
        self.world.journal.pause()
        self.world.stage("rmm", "2.0")
        for _ in range(300):  # two entries each
            with contextlib.suppress(world.BusError):
                self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "again", {})
                self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {})
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        taken = len(self.world.journal.entries)
        self.world.journal.go_on()
        self.world.wait_for(lambda: len(self.world.journal.entries) > taken + 5, 10, "room for more than one entry")
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "told", {})
        self.wait("hold-set", reason="told")
        lost = [entry["MESSAGE"] for entry in self.world.journal.entries if "were lost" in entry["MESSAGE"]]
        self.assertEqual(len(lost), 1)
        self.assertRegex(lost[0], r"^\d+ log entries were lost")


class JobTest(JournalTest):
    def test_from_asking_to_the_end(self):
        self.world.stage("rmm", "2.0")
        self.assertFields(self.wait("image-pending"), GUID=RMM, IMAGE=NAME, FROM="1.2", TO="2.0")
        self.world.disguise(b"fleet.service", 1000)
        self.world.sim("slow activate 100ms")
        path = self.world.activate("rmm", reason="ticket 4711", request_id="r-1")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        of_job = {"JOB": str(self.world.job_id(path)), "GUID": RMM, "IMAGE": NAME, "FROM": "1.2", "TO": "2.0", "UID": "0"}
        self.assertFields(self.wait("job-queued"), **of_job, REASON="ticket 4711", REQUEST_ID="r-1",
                          PID=str(os.getpid()), UNIT="fleet.service", LOGIN_UID="1000")
        self.assertFields(self.wait("job-started"), **of_job)
        end = self.wait("job-succeeded")
        self.assertFields(end, **of_job, RESULT="succeeded", ERROR=None)
        self.assertGreaterEqual(int(end["LFA_WRITE_USEC"]), 100000)
        self.assertRegex(end["LFA_BLACKOUT_USEC"], r"^\d+$")
        self.world.refresh()
        for name in ("version-changed", "image-not-pending", "job-settled"):
            self.none(name)

    def test_each_way_to_end(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("fail prime AUTH_ERROR")
        self.world.run_job("rmm")
        self.assertFields(self.wait("job-failed"), RESULT="failed", ERROR=ERROR + "ActivationFailed",
                          FIRMWARE_CODE="LFA_AUTH_ERROR")
        self.world.sim("fail prime none")
        self.world.sim("outcome activate change-then-fail")
        path = self.world.activate("rmm")
        self.world.wait_job(path)
        self.assertFields(self.wait("job-unknown"), RESULT="unknown", ERROR=ERROR + "Unproven")
        self.world.sim("outcome activate normal")
        self.world.stage("scp", "4.0")
        path = self.hang()
        waits = self.world.activate("scp")
        self.world.call(waits, world.JOB, "Cancel", "a{sv}", {})
        self.assertFields(self.wait("job-cancel-asked"), JOB=str(self.world.job_id(waits)), UID="0")
        self.assertFields(self.wait("job-cancelled"), RESULT="cancelled", ERROR=ERROR + "Cancelled")
        waits = self.world.activate("scp")
        self.world.sim("raw may_reset_cpu 1\\n --image=scp")
        self.world.sim("release")
        self.world.wait_job(path)
        self.world.wait_job(waits)
        self.assertFields(self.wait("job-refused"), RESULT="refused", JOB=str(self.world.job_id(waits)))

    def test_what_is_refused_at_once(self):
        self.assertBusError("NotPending", self.world.activate, "rmm")
        self.assertFields(self.wait("call-refused"), METHOD="Activate", UID="0", GUID=RMM, IMAGE=NAME,
                          ERROR=ERROR + "NotPending", JOB=None)

    def test_without_polkit(self):
        self.world.stage("rmm", "2.0")
        self.world.stop("polkitd")
        self.assertBusError(ACCESS_DENIED, self.world.activate_as, "nobody", "rmm", interactive=False)
        self.assertFields(self.wait("polkit-unavailable"), METHOD="Activate", GUID=RMM, ERROR=ACCESS_DENIED)
        self.none("call-refused")

    def test_one_that_waits_and_one_that_passes_over(self):
        self.world.stage("rmm", "2.0")
        fd = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "backup", "nightly", "block", [], {}).take()
        path = self.world.activate("rmm", when_allowed=True)
        self.assertFields(self.wait("job-waiting"), JOB=str(self.world.job_id(path)), GATE="inhibitor")
        self.world.call(path, world.JOB, "Cancel", "a{sv}", {})
        path = self.world.activate("rmm", override=dbus.Array(["inhibitor"], "s"), reason="outage 7")
        self.world.wait_job(path)
        self.assertFields(self.wait("gate-overridden"), JOB=str(self.world.job_id(path)), GATE="inhibitor",
                          REASON="outage 7", UID="0")
        os.close(fd)

    @memcheck.cannot("posix_spawn(3) does not tell that there is no such program")
    def test_the_worker_cannot_be_started(self):
        self.world.stop("lfad")
        self.world.lfad_args = ["--worker=/nonexistent"]
        self.world.spawn_lfad()
        entry = self.world.wait_for(lambda: self.world.journal.events("worker-failed"), 10, "worker-failed")[0]
        self.assertEqual(entry["ERRNO"], "2")
        self.world.wait_for(lambda: self.world.journal.events("driver-unreadable"), 20, "a late first reading")

    def test_an_lfad_that_finds_a_worker(self):
        path = self.hang()
        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertFields(self.wait("worker-followed"), JOB=str(self.world.job_id(path)))
        self.world.sim("release")
        self.world.wait_record("finished")
        self.wait("job-succeeded")


class UnprovenTest(JournalTest):
    options = {"journal": True, "firmware": "tfa"}

    def test_versions_that_are_not_known_are_left_out(self):
        self.world.stage("rmm", "2.0")
        self.world.run_job("rmm")
        self.assertFields(self.wait("job-unverified"), RESULT="unverified", FROM=None, TO=None)


class OutsideTest(JournalTest):
    def test_what_is_learned_later(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("outcome activate change-then-fail")
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path), "unknown", "Unproven")
        self.world.sim("unbind")
        self.world.sim("bind")
        self.assertFields(self.wait("job-settled"), JOB=str(self.world.job_id(path)), GUID=RMM, FROM="1.2", TO="2.0")
        self.none("version-changed")

    def test_what_happens_without_lfad(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("unstage rmm")
        self.world.refresh()
        self.assertFields(self.wait("image-not-pending"), GUID=RMM, IMAGE=NAME)
        self.world.stage("rmm", "3.0")
        with open(f"{world.TREE}/{RMM}/activate", "w", encoding="ascii") as file:
            file.write("1")
        self.world.refresh()
        self.assertFields(self.wait("version-changed"), GUID=RMM, FROM="1.2", TO="3.0")
        self.world.recognise_nvnew()
        self.world.sim("vanish scp --now")
        self.world.refresh()
        self.assertFields(self.wait("image-vanished"), GUID=GUIDS["scp"])
        self.world.sim("unbind")
        self.world.wait_for(lambda: self.world.manager()["DriverState"] == "no-driver", 10, "the driver to go")
        self.wait("driver-changed", driver_state="no-driver")
        self.assertEqual(len(self.world.journal.events("image-vanished")), 1, "the driver went, not the images")

    def test_settings(self):
        self.world.configure(f"[Image rmm]\nGuid={RMM}\nCpuRendezvous=firmware\n")
        self.world.reload()
        self.assertFields(self.wait("setting-applied"), GUID=RMM, SETTING="force_cpu_rendezvous", VALUE="0")
        self.world.sim("auto scp 1")
        self.world.refresh()
        self.assertFields(self.wait("auto-activate-off"), GUID=GUIDS["scp"], SETTING="auto_activate", VALUE="0")
        self.world.sim("errno write auto_activate EACCES")
        self.world.sim("auto scp 1")
        self.world.refresh()
        self.assertFields(self.wait("setting-failed"), GUID=GUIDS["scp"], SETTING="auto_activate")

    def test_left_alone(self):
        self.world.configure("[Driver]\nKernelAutoActivate=leave\n")
        self.world.reload()
        self.world.sim("auto scp 1")
        self.world.refresh()
        self.wait("auto-activate-left")
        self.none("auto-activate-off")

    def test_a_storm(self):
        self.world.sim("uevent change --count=300")
        self.wait("event-storm")
        self.world.wait_for(lambda: self.world.journal.events("event-storm-over"), 30, "its end")
        self.wait("event-storm")


class KernelActivatesTest(JournalTest):
    options = {"journal": True, "profile": "v1nv"}

    def test_a_driver_that_cannot_be_stopped(self):
        self.wait("kernel-activates")


class LosingTest(JournalTest):
    options = {"journal": True, "profile": "v3"}

    def test_a_driver_that_loses_images(self):
        self.world.sim("vanish scp --now")
        self.world.refresh()
        self.assertFields(self.wait("image-lost"), GUID=GUIDS["scp"])
        self.wait("driver-changed", driver_state="tree-lost")
        self.none("image-vanished")


class DeafTest(JournalTest):
    options = {"journal": True, "udev_control": False}

    def test_without_udevd(self):
        self.wait("monitor-deaf")


class ConfigurationTest(JournalTest):
    def test_good_and_bad(self):
        self.world.configure("[Policy]\nMode=automatic\n")
        self.world.reload()
        self.wait("config-loaded")
        self.wait("automatic-without-window")
        self.world.configure("[Policy]\nMode=perhaps\n")
        self.assertBusError("ConfigInvalid", self.world.reload)
        self.assertIn("/etc/lfad/lfad.conf:2", self.wait("config-rejected")["LFA_REASON"])
        self.world.restart("lfad")
        self.world.wait_for(lambda: len(self.world.journal.events("config-rejected")) == 2, 10, "it to be said at start")


class PolicyTest(JournalTest):
    def hold(self, reason, **options):
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", reason, options)

    def unhold(self, **options):
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", options)

    def test_holds(self):
        until = time.time_ns() // 1000 + 5 * SECOND
        self.hold("moving house", until=dbus.UInt64(until))
        self.assertFields(self.wait("hold-set"), REASON="moving house", UID="0", UNTIL_USEC=str(until), GUID=None)
        self.assertFields(self.wait("hold-expired"), REASON="moving house", UNTIL_USEC=str(until), GUID=None)
        self.hold("not ready", images=dbus.Array(["rmm"], "s"))
        self.assertFields(self.wait("hold-set", guid=RMM), IMAGE=NAME, REASON="not ready", UNTIL_USEC=None)
        self.unhold(images=dbus.Array(["rmm"], "s"), reason="moved")
        self.assertFields(self.wait("hold-released"), GUID=RMM, CAUSE="operator", REASON="moved", UID="0")
        self.hold("for long")
        self.world.restart("lfad")
        self.assertFields(self.wait("hold-stands"), REASON="for long")

    def test_text_of_people_stays_in_its_field(self):
        self.assertBusError("org.freedesktop.DBus.Error.InvalidArgs", self.hold, "x\nMESSAGE_ID=0\nLFA_JOB=99")
        self.none("hold-set")
        hostile = "a MESSAGE_ID=00 LFA_JOB=99\u2028PRIORITY=0 =\u00e9"
        self.hold(hostile)
        entry = self.wait("hold-set")
        self.assertFields(entry, REASON=hostile.replace("\u2028", r"\xe2\x80\xa8"), JOB=None)
        self.assertBusError("org.freedesktop.DBus.Error.InvalidArgs", self.world.activate, "a\nMESSAGE_ID=0\n")
        self.none("call-refused")
        for name in ("MESSAGE_ID=0 LFA_JOB=99", "\u202ereversed", "x" * 250):
            self.assertBusError("NoSuchImage", self.world.activate, name)
            entry = self.world.wait_for(lambda: self.world.journal.events("call-refused")[-1:], 10, "a refusal")[0]
            self.assertFields(entry, JOB=None, GUID=None, METHOD="Activate")
            self.assertLessEqual(len(entry["MESSAGE"].encode()), 4096)

    def test_quarantines(self):
        self.world.configure("[Policy]\nQuarantineAfter=1\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")
        self.world.sim("fail activate ACTIVATION_FAILED")
        path = self.world.activate("rmm")
        self.world.wait_job(path)
        self.assertFields(self.wait("quarantine-set"), GUID=RMM, TO="2.0", FAILURES="1",
                          JOB=str(self.world.job_id(path)))
        self.world.call(self.world.image_path("rmm"), world.IMAGE, "ClearQuarantine", "a{sv}", {"reason": "repaired"})
        self.assertFields(self.wait("quarantine-lifted"), GUID=RMM, TO="2.0", CAUSE="operator", REASON="repaired",
                          UID="0")

    def test_a_host_that_restarts_meanwhile(self):
        path = self.hang()
        self.world.restart_host()
        of_job = {"JOB": str(self.world.job_id(path)), "GUID": RMM, "TO": "2.0"}
        self.assertFields(self.wait("self-hold"), **of_job, IMAGE=NAME)
        self.assertFields(self.wait("quarantine-set"), **of_job)
        self.assertFields(self.wait("job-unknown"), **of_job, ERROR=ERROR + "HostRestarted")
        self.world.stage("rmm", "3.0")
        self.assertFields(self.wait("hold-released"), CAUSE="other-version")

    def test_inhibitors(self):
        self.world.configure("[Policy]\nInhibitDelayMaxSec=1\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")
        fd = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "agent", "moving guests", "delay", ["rmm"],
                             {}).take()
        self.assertFields(self.wait("inhibitor-taken"), INHIBITOR="1", WHO="agent", REASON="moving guests", MODE="delay",
                          GUID=RMM, UID="0", PID=str(os.getpid()))
        path = self.world.activate("rmm")
        self.world.wait_job(path)
        self.assertFields(self.wait("delay-over"), JOB=str(self.world.job_id(path)), WHO="agent (moving guests)")
        os.close(fd)
        self.assertFields(self.wait("inhibitor-released"), INHIBITOR="1")


class WatchdogTest(JournalTest):
    options = {"journal": True,
               "sysfs": {f"class/watchdog/watchdog0/{name}": f"{value}\n" for name, value in WATCHDOG.items()}}

    def setUp(self):
        super().setUp()
        self.pid1 = systemd1.Systemd1(self.world, runtime=10 * SECOND, hardware="watchdog0")
        self.world.stage("rmm", "2.0")

    def test_raised_and_restored(self):
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertFields(self.wait("watchdog-raised"), JOB=str(self.world.job_id(path)))
        self.assertFields(self.wait("watchdog-restored"), JOB=str(self.world.job_id(path)))

    def test_not_restored(self):
        self.world.configure("[Daemon]\nPollSec=10s\n")
        self.world.reload()
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.pid1.stop()
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.wait("watchdog-not-restored")
        polled = self.world.notified.count("WATCHDOG=1")
        self.world.wait_for(lambda: self.world.notified.count("WATCHDOG=1") > polled + 1, 40, "two polls")
        self.wait("watchdog-not-restored")  # once
        self.pid1.start(runtime=22 * SECOND, config=10 * SECOND)
        self.world.wait_for(lambda: self.world.journal.events("watchdog-restored"), 20, "a poll")

    def test_unsafe(self):
        self.pid1.switch(refuse="hardware")
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path), "refused", "WatchdogUnsafe")
        entry = self.wait("watchdog-unsafe")
        self.assertFields(entry, JOB=str(self.world.job_id(path)))
        self.assertIn("watchdog0", entry["MESSAGE"])


class DiskTest(JournalTest):
    options = {"journal": True, "parts": ("dbus", "sim")}

    def setUp(self):
        super().setUp()
        self.state = os.path.join(self.world.dir, "disk")
        os.mkdir(self.state)
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([FAULTFS, self.world.state_dir, self.state], stdin=subprocess.DEVNULL)
        self.world.wait_for(lambda: world.mounted_on(self.state), 10, "faultfs to be mounted")
        self.addCleanup(self.end_state)
        self.world.start("lfad", STATE_DIRECTORY=self.state)

    def end_state(self):
        self.world.stop("lfad")
        subprocess.run(["umount", "--lazy", self.state], check=True)
        self.process.wait(60)

    def inject(self, *words):
        with open(os.path.join(self.state, ".control"), "w", encoding="utf-8") as file:
            file.write(" ".join(map(str, words)) + "\n")

    def test_an_end_that_is_recorded_later(self):
        self.world.stage("rmm", "2.0")
        self.inject("write", "ENOSPC", 2)
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        entry = self.world.wait_for(lambda: self.world.journal.events("record-failed", job=self.world.job_id(path)), 10,
                                    "the end to fail")[0]
        self.assertEqual(entry["ERRNO"], "28")
        for _ in range(2):
            self.world.refresh()
        self.wait("record-failed", job=self.world.job_id(path))  # once, however often it is tried
        self.none("history-usable")
        self.inject("write", "none")
        self.world.refresh()
        self.wait("history-usable")
        self.wait("job-succeeded")

    def test_records_that_cannot_be_opened(self):
        self.world.stop("lfad")
        self.inject("open", "EACCES")
        self.world.start("lfad", STATE_DIRECTORY=self.state)
        self.assertEqual(self.wait("history-unusable")["ERRNO"], "13")
        self.world.stop("lfad")
        self.inject("open", "none")

    def test_what_is_kept_in_mind(self):
        path = os.path.join(self.world.state_dir, "state.json")
        self.world.stop("lfad")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"version": 99}, file)
        self.world.start("lfad", STATE_DIRECTORY=self.state)
        self.assertFields(self.wait("state-unusable"), ERROR=ERROR + "StateNewer")
        os.unlink(path)
        self.world.refresh()
        self.wait("state-usable")


class ZTableTest(unittest.TestCase):
    """After all others."""

    @memcheck.cannot("the event of the test that is left out is not made")
    def test_every_event_was_made_or_is_made_elsewhere(self):
        if len(sys.argv) == 1:  # all of them were run
            self.assertEqual(set(journal.EVENTS) - seen, set(ELSEWHERE))


world.main()
