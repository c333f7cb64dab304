#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hardware watchdogs as sysfs shows them: what GetWatchdogs and lfactl watchdog make of them, and that looking at them
touches nothing."""

import contextlib
import json
import os
import time

import systemd1
import world
from world import MANAGER, PATH

SECOND = 1000000
UNLIMITED = 2 ** 64 - 1


def device(number, **attributes):
    """The files of one device, path -> content."""
    return {f"class/watchdog/watchdog{number}/{name}": f"{value}\n" for name, value in attributes.items()}


def good(number, **attributes):
    return device(number, **{"identity": "SBSA Generic Watchdog", "state": "active", "status": "0x8000", "timeout": 30,
                             "pretimeout": 5, "timeleft": 29, "min_timeout": 1, "max_timeout": 60, "nowayout": 0,
                             **attributes})


class WatchdogTest(world.TestCase):
    systemd = None  # what the stand-in is told; None = there is none

    def setUp(self):
        super().setUp()
        if self.systemd is not None:
            self.pid1 = systemd1.Systemd1(self.world, **self.systemd)

    def get(self):
        return self.world.call(PATH, MANAGER, "GetWatchdogs", "a{sv}", {})

    def verdicts(self):
        return [(item["device"], item["owner"], item["verdict"], item["remedy"]) for item in self.get()]

    def lfactl(self, *words):
        done = self.world.lfactl("watchdog", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def configure(self, text):
        self.world.configure(text)
        self.world.reload()

    def wait_for_verdicts(self, *expected):
        self.world.wait_for(lambda: self.verdicts() == list(expected), 10, f"watchdogs to be {expected}")


class SufficientTest(WatchdogTest):
    options = {"sysfs": good(0)}
    systemd = {"runtime": 30 * SECOND, "hardware": "watchdog0"}

    def test_all_that_is_known_is_told(self):
        [watchdog] = self.get()
        text = watchdog.pop("text")
        self.assertEqual(watchdog, {
            "kind": "hardware", "device": "watchdog0", "identity": "SBSA Generic Watchdog", "owner": "systemd", "state": "active",
            "timeout-usec": 30 * SECOND, "pretimeout-usec": 5 * SECOND, "timeleft-usec": 29 * SECOND,
            "min-timeout-usec": SECOND, "max-timeout-usec": 60 * SECOND, "nowayout": False,
            "usable-stall-usec": 12 * SECOND, "need-usec": 10 * SECOND, "verdict": "sufficient", "remedy": "none"})
        self.assertIn("12 s", text)
        self.assertIn("10 s", text)

    def test_anybody_may_ask(self):
        self.assertEqual(self.world.call_as("nobody", PATH, MANAGER, "GetWatchdogs", "a{sv}", {}), self.get())

    def test_lfactl_shows_it_and_that_an_activation_would_be_safe(self):
        text = self.lfactl()
        self.assertIn("watchdog0 SBSA Generic Watchdog systemd 30 s 5 s 29 s 12 s 10 s sufficient", " ".join(text.split()))
        self.assertIn("No watchdog would reset the host if an activation began now.", text)
        document = json.loads(self.lfactl("--json=short"))
        self.assertIs(document["safe"], True)
        self.assertEqual(document["watchdogs"], self.get())

    def test_status_is_never_read_and_nothing_is_written(self):
        folder = os.path.join(self.world.sysfs_dir(), "class/watchdog/watchdog0")
        before = {name: os.stat(os.path.join(folder, name)).st_mtime_ns for name in os.listdir(folder)}
        with world.opened_in(folder) as opened:
            self.get()
            self.lfactl()
            names = opened()
        self.assertLessEqual({"identity", "state", "timeout", "pretimeout", "timeleft", "max_timeout"}, names)
        self.assertNotIn("status", names)
        self.assertEqual(before, {name: os.stat(os.path.join(folder, name)).st_mtime_ns for name in os.listdir(folder)})

    def test_what_changes_is_seen(self):
        self.world.put_sysfs("class/watchdog/watchdog0/timeout", "10\n")
        self.wait_for_verdicts(("watchdog0", "systemd", "too-short", "raise"))
        self.assertIn("if an activation began now: lfad would see to 1 of them first.", self.lfactl())
        self.assertIs(json.loads(self.lfactl("--json=short"))["safe"], True)
        [watchdog] = self.get()
        self.assertEqual((watchdog["usable-stall-usec"], watchdog["raise-to-usec"]), (5 * SECOND // 2, 31 * SECOND))
        self.assertEqual(self.pid1.sets, [])

    def test_only_the_device_that_systemd_feeds_can_be_raised(self):
        self.world.put_sysfs("class/watchdog/watchdog0/timeout", "10\n")
        for switches, owner, remedy in (({"runtime": 10 * SECOND}, "systemd", "raise"),
                                        ({"device": "/dev/watchdog"}, "systemd", "raise"),
                                        ({"device": None}, "systemd", "raise"),  # an older version
                                        ({"device": "/dev/watchdog1"}, "unknown", "impossible"),
                                        ({"device": "", "runtime": 0}, "unknown", "impossible")):
            self.pid1.switch(**switches)
            self.wait_for_verdicts(("watchdog0", owner, "too-short", remedy))
        self.pid1.switch(runtime=10 * SECOND)
        self.wait_for_verdicts(("watchdog0", "systemd", "too-short", "raise"))
        self.pid1.stop()
        self.wait_for_verdicts(("watchdog0", "unknown", "too-short", "impossible"))

    def test_what_cannot_be_made_safe_is_foreseen(self):
        self.world.stage("rmm", "2.0")
        self.world.put_sysfs("class/watchdog/watchdog0/timeout", "10\n")
        self.wait_for_verdicts(("watchdog0", "systemd", "too-short", "raise"))
        _, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", {})
        self.assertEqual(gates[-1]["answer"], "allow")
        self.pid1.switch(runtime=0)
        self.wait_for_verdicts(("watchdog0", "unknown", "too-short", "impossible"))
        verdict, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", {})
        self.assertEqual((verdict["answer"], verdict["gate"], verdict["error"], gates[-1]["gate"]),
                         ("deny", "watchdog", world.ERROR + "WatchdogUnsafe", "watchdog"))
        for word in ("watchdog0", "SBSA Generic Watchdog", "2.5 s", "10 s", "HardwareTimeoutSec=", "Ignore=yes"):
            self.assertIn(word, verdict["text"])


class SeveralTest(WatchdogTest):
    options = {"sysfs": {**good(0, timeout=10, pretimeout=0),
                         **good(1, identity="firmware's", state="inactive", timeout=10, timeleft=6, pretimeout=0),
                         **device(2, identity="idle", state="inactive", timeout=10),
                         "class/misc/watchdog/dev": "10:130\n", "class/misc/watchdog/device/uevent": ""}}
    systemd = {"runtime": 10 * SECOND, "hardware": "watchdog0", "device": None}

    def test_each_owner_gets_its_own_verdict(self):
        self.pid1.switch(device="/dev/watchdog0")
        self.wait_for_verdicts(("watchdog0", "systemd", "too-short", "raise"),
                               ("watchdog1", "kernel", "too-short", "impossible"),
                               ("watchdog2", "nobody", "inactive", "none"),
                               ("watchdog", "unknown", "unknown", "impossible"))
        text = self.lfactl()
        self.assertIn("watchdog0: It may bite after a stall of 5 s, and must outlast 10 s. "
                      "systemd is told to use a time-out of 22 s during the activation.", text)
        self.assertIn("An activation now would not be safe: 2 watchdogs may reset the host during it.", text)
        self.assertIs(json.loads(self.lfactl("--json=short"))["safe"], False)

    def test_the_configuration_is_obeyed(self):
        self.configure("[Watchdog firmware's]\nIgnore=yes\n[Watchdog watchdog]\nIgnore=yes\n"
                       "[Watchdog SBSA Generic Watchdog]\nHardwareTimeoutSec=8\n")
        self.assertEqual(self.verdicts(), [("watchdog0", "unknown", "too-short", "impossible"),
                                           ("watchdog1", "kernel", "ignored", "none"),
                                           ("watchdog2", "nobody", "inactive", "none"),
                                           ("watchdog", "unknown", "ignored", "none")])
        first = self.get()[0]
        self.assertEqual((first["hardware-timeout-usec"], first["usable-stall-usec"]), (8 * SECOND, 4 * SECOND))
        self.assertIn("1 watchdog may reset the host", self.lfactl())


class StuckTest(WatchdogTest):
    options = {"sysfs": device(0, state="active")}

    def readers(self):
        """The workers that read watchdogs: lfad's poll may have others run."""
        pids = []
        for pid in self.world.worker_pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:  # it may have ended
                if b"watchdogs" in file.read().split(b"\0"):
                    pids.append(pid)
        return pids

    def test_a_device_that_does_not_answer_keeps_nobody_else_waiting(self):
        path = os.path.join(self.world.sysfs_dir(), "class/watchdog/watchdog0/timeout")
        answers, errors = [], []
        os.mkfifo(path)
        for _ in range(65):
            self.world.bus().call_async(world.NAME, PATH, MANAGER, "GetWatchdogs", "a{sv}", ({},), answers.append,
                                        errors.append)
        self.world.wait_for(lambda: errors, 10, "one caller too many")
        self.assertEqual([error.get_dbus_name() for error in errors], ["org.freedesktop.DBus.Error.LimitsExceeded"])
        self.world.wait_for(self.readers, 10, "the one that reads")
        self.assertEqual(len(self.readers()), 1)
        self.assertEqual(self.world.manager()["DriverState"], "active")
        self.assertEqual(answers, [])
        with open(path, "w", encoding="utf-8") as fifo:
            fifo.write("60\n")
        self.world.wait_for(lambda: len(answers) == 64, 10, "all others to be answered")
        self.assertEqual({str(answer[0]["verdict"]) for answer in answers}, {"sufficient"})

    def test_no_activation_waits_for_it_for_ever(self):
        self.world.stage("rmm", "2.0")
        path = os.path.join(self.world.sysfs_dir(), "class/watchdog/watchdog0/timeout")
        os.mkfifo(path)
        self.assertIn("cannot be read", str(self.assertBusError("WatchdogUnsafe", self.world.activate, "rmm")))
        [worker] = self.readers()
        self.assertBusError("WorkerFailed", self.get)
        verdict, _ = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", {})
        self.assertEqual((verdict["gate"], verdict["answer"]), ("watchdog", "deny"))
        self.assertEqual(self.readers(), [worker])
        with open(path, "w", encoding="utf-8") as fifo:
            fifo.write("60\n")
        os.unlink(path)
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the worker to end")
        self.world.put_sysfs("class/watchdog/watchdog0/timeout", "60\n")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_lfad_that_stops_answers_who_still_waits(self):
        path = os.path.join(self.world.sysfs_dir(), "class/watchdog/watchdog0/timeout")
        answers, errors = [], []
        os.mkfifo(path)
        self.world.bus().call_async(world.NAME, PATH, MANAGER, "GetWatchdogs", "a{sv}", ({},), answers.append,
                                    errors.append)
        self.world.wait_for(self.readers, 10, "the worker")
        self.world.stop("lfad")
        self.world.wait_for(lambda: errors, 10, "an answer")
        self.assertEqual(errors[0].get_dbus_name(), world.ERROR + "ShuttingDown")
        with open(path, "w", encoding="utf-8") as fifo:
            fifo.write("60\n")


class BadValuesTest(WatchdogTest):
    options = {"sysfs": {**good(0, identity="\x1b[31mred", timeout="", max_timeout="-5"),
                         **good(1, pretimeout="99999999999999999999"),
                         **good(2, timeleft="-3"),
                         "class/watchdog/watchdog3/state/no-file": ""}}

    def test_what_makes_no_sense_is_left_out_and_never_makes_it_safe(self):
        self.assertEqual({item["verdict"] for item in self.get()}, {"unknown"})
        first, second, third, fourth = self.get()
        self.assertLessEqual({"identity", "timeout-usec", "max-timeout-usec"} & first.keys(), set())
        self.assertNotIn("pretimeout-usec", second)
        self.assertNotIn("timeleft-usec", third)
        self.assertEqual(fourth["state"], "unknown")
        self.assertNotIn("\x1b", self.lfactl())
        self.assertIn("4 watchdogs may reset the host", self.lfactl())


class NoneTest(WatchdogTest):
    options = {"sysfs": {}}

    def test_a_host_without_watchdogs_is_safe(self):
        self.assertEqual(self.get(), [])
        self.assertIn("There is no hardware watchdog", self.lfactl())

    def test_a_folder_that_cannot_be_read_is_an_error(self):
        self.world.put_sysfs("class/watchdog", "no folder\n")
        self.assertBusError("WorkerFailed", self.get)
        self.assertEqual(self.world.lfactl("watchdog").returncode, 1)

    def test_a_folder_that_cannot_be_read_is_not_read_again_for_each_call(self):
        self.world.put_sysfs("class/watchdog", "no folder\n")
        began = time.monotonic()
        for _ in range(50):
            self.assertBusError("WorkerFailed", self.get)
        self.assertLessEqual(self.world.log("lfad").count("Cannot read the watchdogs"), time.monotonic() - began + 2)


class ProfileTest(WatchdogTest):
    options = {"sysfs": good(0, pretimeout=0, timeleft=30), "profile": "v1nv"}
    systemd = {"runtime": 30 * SECOND}

    def test_the_need_is_that_of_the_driver(self):
        [watchdog] = self.get()
        self.assertEqual((watchdog["need-usec"], watchdog["verdict"], watchdog["raise-to-usec"]),
                         (20 * SECOND, "too-short", 42 * SECOND))


class OthersTest(WatchdogTest):
    """What is no hardware, and is worth a warning."""

    options = {"sysfs": {**good(0), "module/rcupdate/parameters/rcu_cpu_stall_timeout": "21\n"}}
    systemd = {"runtime": 30 * SECOND, "hardware": "watchdog0",
               "units": {"slow.service": 30 * SECOND, "quick.service": 8 * SECOND, "unwatched.service": 0,
                         "off.service": UNLIMITED}}

    def others(self):
        return [(item["kind"], item["name"], item["limit-usec"] // SECOND, item.get("panics")) for item in self.get()[1:]]

    def test_detectors_and_services_that_are_shorter_are_told(self):
        for name, value in (("watchdog_thresh", 10), ("soft_watchdog", 1), ("nmi_watchdog", 1), ("softlockup_panic", 1)):
            self.world.put_procfs(f"sys/kernel/{name}", f"{value}\n")
        self.assertEqual(self.others(), [("kernel", "hard-lockup", 10, False), ("unit", "quick.service", 8, None)])
        self.world.put_procfs("sys/kernel/watchdog_thresh", "4\n")
        self.world.put_sysfs("module/rcupdate/parameters/rcu_cpu_stall_timeout", "3\n")
        self.world.wait_for(lambda: self.others() == [
            ("kernel", "soft-lockup", 8, True), ("kernel", "hard-lockup", 4, False), ("kernel", "rcu-stall", 3, False),
            ("unit", "quick.service", 8, None)], 10, "shorter limits")
        text = self.lfactl()
        self.assertIn("Danger: soft-lockup: The kernel may take an activation for a soft lockup after 8 s, and would panic "
                      "(kernel.softlockup_panic); one may take 10 s.", text)
        self.assertIn("Warning: quick.service: systemd may restart quick.service", text)
        self.assertIn("No watchdog would reset the host if an activation began now.", text)


class ManyServicesTest(WatchdogTest):
    options = {"sysfs": {}}
    systemd = {"units": {f"unit{i}.service": SECOND for i in range(600)}}

    def test_no_more_than_so_many_are_asked_about_and_not_again_at_once(self):
        self.assertEqual(len(self.get()), 512)
        asked = self.pid1.asked
        self.assertEqual(len(self.get()), 512)
        # A reading that is a second old is made anew, which is two questions, and lfad's poll may make one.
        self.assertLessEqual(self.pid1.asked - asked, 4)


class SilentSystemdTest(WatchdogTest):
    options = {"sysfs": good(0)}
    systemd = {"runtime": 30 * SECOND, "hardware": "watchdog0", "hang": True}

    def test_it_is_not_waited_for_for_long(self):
        self.assertEqual(self.verdicts(), [("watchdog0", "unknown", "sufficient", "none")])


class EndlessProfileTest(WatchdogTest):
    options = {"sysfs": good(0), "profile": "rfc1"}

    def test_no_watchdog_outlasts_a_driver_without_a_limit(self):
        [watchdog] = self.get()
        self.assertEqual((watchdog["need-usec"], watchdog["verdict"], watchdog["remedy"]),
                         (UNLIMITED, "too-short", "impossible"))
        self.assertIn("no limit", self.lfactl())


world.main()
