#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfactl metrics: what it prints is read by the parsers of python3-prometheus-client, both of them; each number is that of
the world; the file is replaced as a whole or not at all."""

import ctypes
import json
import os
import re
import signal
import stat
import subprocess
import time

import systemd1
import timedate1
import world
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus
from world import MANAGER, PATH

FAULTFS = os.path.join(world.BUILD_DIR, "tests/faultfs/faultfs")
SECOND = 1000000
STATES = ("idle", "pending", "scheduled", "activating", "failed", "quarantined", "stale")
RESULTS = ("succeeded", "unverified", "failed", "cancelled", "refused", "unknown")
ALONE = {"lfad_metrics_timestamp_seconds", "lfad_up"}  # all that there is without lfad
WATCHDOG = {f"class/watchdog/watchdog0/{name}": f"{value}\n" for name, value in (
    ("identity", "SBSA Generic Watchdog"), ("state", "active"), ("status", "0x8000"), ("timeout", 30),
    ("pretimeout", 5), ("timeleft", 29), ("min_timeout", 1), ("max_timeout", 60), ("nowayout", 0))}


def samples(families):
    """{(name, labels): value}; no sample may have a time, nor be there twice."""
    found = {}
    for family in families:
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            if sample.timestamp is not None or key in found:
                raise ValueError(f"{sample}")
            found[key] = float(sample.value)
    return found


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Case(world.TestCase):
    def parse(self, text):
        """What both parsers make of it, which is the same."""
        values = samples(read_openmetrics(text))
        self.assertEqual(values, samples(read_prometheus(text)))
        return values

    def read(self):
        done = self.world.lfactl("metrics")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.values = self.parse(done.stdout)
        return self.values

    def value(self, metric, **labels):
        """None: there is no such sample."""
        return self.values.get((metric, tuple(sorted(labels.items()))))

    def by(self, metric, label):
        """label's value -> number"""
        return {labels[0][1]: value for (name, labels), value in self.values.items() if name == metric and labels[0][0] == label}

    def count_images(self):
        return sum(world.IMAGE in interfaces for interfaces in self.world.images().values())

    def assertAbsent(self, *metrics):
        self.assertEqual({name for name, _ in self.values} & set(metrics), set())


class NumbersTest(Case):
    options = {"sysfs": WATCHDOG}

    def test_what_is_not_known_is_absent_and_what_is_none_is_zero(self):
        before = time.time()
        self.read()
        self.assertEqual((self.value("lfad_up"), self.value("lfad_config_ok"), self.value("lfad_uevents_heard")),
                         (1, 1, 1))
        self.assertTrue(before <= self.value("lfad_metrics_timestamp_seconds") <= time.time())
        self.assertEqual(self.by("lfad_driver_state", "state"),
                         {"unknown": 0, "no-driver": 0, "no-firmware": 0, "tree-lost": 0, "unenforceable": 0, "active": 1})
        self.assertEqual(self.value("lfad_driver_info", profile=self.world.manager()["DriverProfile"]), 1)
        self.assertEqual(self.value("lfad_build_info", version=self.world.manager()["Version"]), 1)
        self.assertEqual(self.by("lfad_images", "state"), {**dict.fromkeys(STATES, 0), "idle": self.count_images()})
        self.assertEqual(self.by("lfad_activations_total", "result"), dict.fromkeys(RESULTS, 0))
        self.assertEqual(self.by("lfad_jobs", "state"),
                         dict.fromkeys(("queued", "waiting", "guarding", "activating", "verifying"), 0))
        self.assertEqual(self.by("lfad_inhibitors", "mode"), {"block": 0, "delay": 0})
        for name in ("lfad_images_pending", "lfad_external_changes_total", "lfad_held", "lfad_holds", "lfad_activating"):
            self.assertEqual(self.value(name), 0, name)
        self.assertAbsent("lfad_last_activation_timestamp_seconds", "lfad_last_success_timestamp_seconds",
                          "lfad_last_blackout_seconds", "lfad_worst_blackout_seconds", "lfad_window_open",
                          "lfad_next_window_start_timestamp_seconds", "lfad_next_window_end_timestamp_seconds",
                          "lfad_next_planned_timestamp_seconds", "lfad_oldest_hold_timestamp_seconds", "lfad_warnings",
                          "lfad_image_last_activation_timestamp_seconds", "lfad_image_worst_blackout_seconds")

    def activate_with_a_stall(self):
        """The worker cannot tell it from CPUs that stand still: see test-blackout.py."""
        self.world.sim("reset-counters")
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        with open(os.path.join(self.world.runtime_dir, "activation.lock"), encoding="ascii") as file:
            worker = int(file.read().split()[0])  # the one that writes: lfad's poll may have others run
        tasks = f"/proc/{worker}/task"
        sampler, = [tid for tid in os.listdir(tasks) if read(f"{tasks}/{tid}/comm") == "lfad-sampler\n"]
        state = lambda: re.search(r"^State:\s+(\w)", read(f"{tasks}/{sampler}/status"), re.MULTILINE).group(1)
        switches = lambda: int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", read(f"{tasks}/{sampler}/status")).group(1))
        ctypes.CDLL(None).tgkill(worker, int(sampler), signal.SIGSTOP)
        try:
            self.world.wait_for(lambda: state() == "T", 10, "the sampler to be stopped")
            time.sleep(1)  # what is measured, not waiting for anything; far more than a wake-up is late by
        finally:
            os.kill(worker, signal.SIGCONT)
        before = switches()
        self.world.wait_for(lambda: switches() > before + 3, 10, "samples")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.world.refresh()

    def test_images_and_activations(self):
        self.world.configure("[Daemon]\nSettleSec=100ms\n[Policy]\nQuarantineAfter=1\n")
        self.world.reload()
        self.world.stage("scp", "4.0")
        self.world.sim("fail activate ACTIVATION_FAILED --times=1 --image=scp")
        self.assertEqual(self.world.run_job("scp")["Result"], "failed")
        self.world.stage("rmm", "2.0")
        self.activate_with_a_stall()
        self.read()
        rmm = {"guid": world.GUIDS["rmm"], "alias": "rmm"}
        scp = {"guid": world.GUIDS["scp"], "alias": "scp"}
        self.assertEqual(self.by("lfad_images", "state"), {**dict.fromkeys(STATES, 0), "quarantined": 1,
                                                           "idle": self.count_images() - 1})
        self.assertEqual((self.value("lfad_image_info", current_version="2.0", pending_version="", **rmm),
                          self.value("lfad_image_info", current_version="3.1", pending_version="4.0", **scp)), (1, 1))
        self.assertEqual((self.value("lfad_image_pending", **rmm), self.value("lfad_image_pending", **scp),
                          self.value("lfad_images_pending")), (0, 1, 1))
        self.assertEqual(self.by("lfad_activations_total", "result"),
                         {**dict.fromkeys(RESULTS, 0), "succeeded": 1, "failed": 1})
        finished = self.world.history_file("finished")[-1]
        image = self.world.image("rmm")
        for name, usec in (("lfad_last_activation_timestamp_seconds", finished["timestamp"]),
                           ("lfad_last_success_timestamp_seconds", finished["timestamp"]),
                           ("lfad_last_blackout_seconds", finished["blackout-usec"])):
            self.assertAlmostEqual(self.value(name), usec / SECOND, 5)
        self.assertAlmostEqual(self.value("lfad_image_last_activation_timestamp_seconds", **rmm),
                               image["LastActivatedTimestamp"] / SECOND, 5)
        self.assertGreater(image["BlackoutUSec"], 0)
        self.assertEqual([self.value("lfad_image_worst_blackout_seconds", **rmm), self.value("lfad_worst_blackout_seconds")],
                         [image["BlackoutUSec"] / SECOND] * 2)
        self.assertIsNone(self.value("lfad_image_worst_blackout_seconds", guid=world.GUIDS["bl31"], alias="bl31"))

    def test_jobs_holds_and_inhibitors(self):
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "audit", {})
        self.world.stage("rmm", "2.0")
        self.world.activate("rmm", when_allowed=True)
        for mode, image in (("block", "scp"), ("delay", "rmm"), ("delay", "bl31")):
            descriptor = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "x", "y", mode, [image], {})
            self.addCleanup(os.close, descriptor.take())
        self.read()
        self.assertEqual((self.value("lfad_held"), self.value("lfad_holds")), (1, 1))
        self.assertAlmostEqual(self.value("lfad_oldest_hold_timestamp_seconds"),
                               self.world.manager()["Holds"][0]["since"] / SECOND, 5)
        self.assertEqual((self.value("lfad_jobs", state="waiting"), self.value("lfad_images", state="scheduled")), (1, 1))
        self.assertEqual(self.by("lfad_inhibitors", "mode"), {"block": 1, "delay": 2})

    def test_windows_and_what_is_planned(self):
        self.addCleanup(timedate1.Timedate1(self.world.connect()).close)
        start = (int(time.time()) // 60 + 600) * 60
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(start))
        self.world.configure(f"[Policy]\nMode=automatic\n[Window w]\nOnCalendar={when} UTC\nDuration=2h\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")
        planned = self.world.wait_for(lambda: self.world.manager()["NextPlannedTimestamp"], 10, "a plan")
        self.read()
        self.assertEqual((self.value("lfad_window_open"), self.value("lfad_next_window_start_timestamp_seconds"),
                          self.value("lfad_next_window_end_timestamp_seconds")), (0, start, start + 7200))
        self.assertAlmostEqual(self.value("lfad_next_planned_timestamp_seconds"), planned / SECOND, 5)

    def test_warnings_and_a_bad_configuration(self):
        self.world.configure("[Policy]\nMode=automatic\n")
        self.world.reload()
        self.read()
        self.assertEqual(self.by("lfad_warnings", "code"), {"automatic-without-window": 1})
        self.world.configure("[Nonsense]\n")
        self.world.restart("lfad")
        self.read()
        self.assertEqual(self.value("lfad_config_ok"), 0)

    def test_without_a_driver_there_are_no_images(self):
        self.world.sim("unbind")
        self.world.wait_for(lambda: self.world.manager()["DriverState"] == "no-driver", 10, "the driver to be gone")
        self.read()
        self.assertEqual(self.value("lfad_driver_state", state="no-driver"), 1)
        self.assertEqual(sum(self.by("lfad_images", "state").values()), 0)
        self.assertAbsent("lfad_image_info", "lfad_last_evaluation_timestamp_seconds")

    def test_it_is_the_same_for_everybody_and_as_json(self):
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.read()
        for user in (None, "nobody"):
            done = self.world.lfactl("metrics", "--json=short", user=user)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            document = json.loads(done.stdout)
            found = {(item["name"], tuple(sorted(item["labels"].items()))): float(item["value"])
                     for item in document["metrics"]}
            moving = {(name, ()) for name in ("lfad_metrics_timestamp_seconds", "lfad_last_evaluation_timestamp_seconds")}
            self.assertEqual({key: value for key, value in found.items() if key not in moving},
                             {key: value for key, value in self.values.items() if key not in moving})
            self.assertLessEqual(moving, set(found))

    def test_many_images_are_told_in_sums_alone(self):
        for number in range(64):
            self.world.sim(f"add 00000000-0000-4000-8000-{number:012x} 1.0 --now")
        self.world.refresh()
        self.read()
        self.assertGreater(self.value("lfad_images", state="idle"), 64)
        self.assertAbsent("lfad_image_info", "lfad_image_pending", "lfad_image_last_activation_timestamp_seconds",
                          "lfad_image_worst_blackout_seconds")


class WatchdogTest(Case):
    def begin(self, **attributes):
        files = {**WATCHDOG, **{f"class/watchdog/watchdog0/{name}": f"{value}\n" for name, value in attributes.items()}}
        self.world.close()
        self.world = world.World(sysfs=files)
        self.world.__enter__()
        self.pid1 = systemd1.Systemd1(self.world, runtime=30 * SECOND, hardware="watchdog0")
        return self.read()

    def test_no_watchdog_is_safe_and_has_no_margin(self):
        self.read()
        self.assertEqual((self.value("lfad_watchdogs"), self.value("lfad_watchdog_safe")), (0, 1))
        self.assertAbsent("lfad_watchdog_margin_seconds")

    def test_the_margin_is_what_is_left_beyond_the_need(self):
        self.begin()
        watchdog, = self.world.call(PATH, MANAGER, "GetWatchdogs", "a{sv}", {})
        self.assertEqual((self.value("lfad_watchdogs"), self.value("lfad_watchdog_safe")), (1, 1))
        self.assertEqual(self.value("lfad_watchdog_margin_seconds"),
                         (watchdog["usable-stall-usec"] - watchdog["need-usec"]) / SECOND)

    def test_one_that_is_too_short_and_cannot_be_raised_is_not_safe(self):
        self.begin(timeout=8, timeleft=7, pretimeout=0, max_timeout=8)
        self.assertEqual((self.value("lfad_watchdogs"), self.value("lfad_watchdog_safe")), (1, 0))
        self.assertLess(self.value("lfad_watchdog_margin_seconds"), 0)


class FileTest(Case):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.world.dir, "textfile")
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, "lfad.prom")

    def write(self, path=None):
        return self.world.lfactl("metrics", f"--output={path or self.path}")

    def content(self, path=None):
        return read(path or self.path)

    def assertWritten(self, up):
        done = self.write()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(os.listdir(self.folder), ["lfad.prom"])
        self.assertEqual(stat.S_IMODE(os.lstat(self.path).st_mode), 0o644)
        self.values = self.parse(self.content())
        self.assertEqual(self.value("lfad_up"), up)

    def assertFailed(self, done, text, code=1):
        self.assertEqual((done.returncode, done.stdout), (code, ""))
        self.assertIn(text, done.stderr)

    def test_the_file_is_replaced_as_a_whole_and_everybody_may_read_it(self):
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        self.assertWritten(1)
        first, number = self.value("lfad_metrics_timestamp_seconds"), os.stat(self.path).st_ino
        with open(self.path, encoding="utf-8") as reader:
            old = reader.read()
            self.assertWritten(1)
            reader.seek(0)
            self.assertEqual(reader.read(), old)
        self.assertNotEqual(os.stat(self.path).st_ino, number)
        self.assertGreater(self.value("lfad_metrics_timestamp_seconds"), first)

    def test_without_lfad_the_file_says_so_and_nobody_is_started(self):
        for stop in (lambda: self.world.stop("lfad"), lambda: self.world.kill("dbus")):
            stop()
            done = self.write()
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
            self.values = self.parse(self.content())
            self.assertEqual({name for name, _ in self.values}, ALONE)
            self.assertEqual(self.value("lfad_up"), 0)
            done = self.world.lfactl("metrics")
            self.assertEqual(done.returncode, 0)
            self.assertEqual(self.parse(done.stdout)["lfad_up", ()], 0)
            self.assertIn("lfactl: Cannot ", done.stderr)

    def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(self):
        behind = os.path.join(self.world.dir, "behind")
        os.rename(self.folder, behind)
        os.mkdir(self.folder)
        # pylint: disable=consider-using-with
        process = subprocess.Popen([FAULTFS, behind, self.folder], stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait, 60)
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.folder], check=True)
        self.world.wait_for(lambda: world.mounted_on(self.folder), 10, "faultfs to be mounted")
        self.assertEqual(self.write().returncode, 0)
        old = self.content()
        for fault, text in (("write ENOSPC", "No space left"), ("fsync EIO", "error"), ("rename EROFS", "Read-only")):
            with open(os.path.join(self.folder, ".control"), "w", encoding="utf-8") as file:
                file.write(fault + "\n")
            self.assertFailed(self.write(), text)
            self.assertEqual(os.listdir(behind), ["lfad.prom"], fault)
            self.assertEqual(self.content(), old)
            with open(os.path.join(self.folder, ".control"), "w", encoding="utf-8") as file:
                file.write(fault.split()[0] + " none\n")
        self.assertEqual(self.write().returncode, 0)
        self.assertNotEqual(self.content(), old)

    def test_nothing_but_a_regular_file_is_replaced(self):
        victim = os.path.join(self.folder, "victim")
        with open(victim, "w", encoding="utf-8") as file:
            file.write("precious")
        os.symlink(victim, self.path)
        self.assertFailed(self.write(), "Only a regular file")
        self.assertEqual((os.readlink(self.path), self.content(victim)), (victim, "precious"))
        os.unlink(self.path)
        os.mkfifo(self.path)
        self.assertFailed(self.write(), "Only a regular file")
        os.unlink(self.path)
        os.mkdir(self.path)
        self.assertFailed(self.write(), "Is a directory")
        self.assertFailed(self.write(self.folder + "/none/lfad.prom"), "No such file")
        self.assertFailed(self.write(self.folder + "/"), "name of a folder", 2)
        self.assertFailed(self.write("/dev/null"), "Only a regular file")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        self.assertEqual(self.world.lfactl("metrics", "--output=").returncode, 2)
        self.assertEqual(sorted(os.listdir(self.folder)), ["lfad.prom", "victim"])

    def test_a_folder_of_everybody_is_no_danger(self):
        os.chmod(self.folder, 0o1777)
        victim = os.path.join(self.world.dir, "victim")
        with open(victim, "w", encoding="utf-8") as file:
            file.write("precious")
        self.world.as_user("nobody", ["ln", "-s", victim, os.path.join(self.folder, ".lfad.prom.new")])
        done = self.write()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.content(victim), "precious")
        self.assertEqual((os.stat(self.path).st_uid, os.path.islink(self.path)), (0, False))

    def test_printing_to_a_full_disk_fails(self):
        done = self.world.as_user(None, ["sh", "-c", "lfactl metrics >/dev/full"])
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)


class StoppedTest(Case):
    """lfad is stopped, and the bus would start it for whoever calls."""

    options = {"parts": ()}

    def test_looking_on_does_not_start_it(self):
        started = os.path.join(self.world.dir, "started")
        with open(os.path.join(self.world.services_dir, world.NAME + ".service"), "w", encoding="utf-8") as file:
            file.write(f"[D-BUS Service]\nName={world.NAME}\nUser=root\nExec=/usr/bin/touch {started}\n")
        self.world.start("dbus")
        done = self.world.lfactl("metrics")
        self.assertEqual((done.returncode, self.parse(done.stdout)["lfad_up", ()]), (0, 0))
        self.assertFalse(os.path.exists(started))
        status = self.world.spawn_as(None, ["lfactl", "status"])  # as other verbs do
        self.addCleanup(self.world.finish, status)
        self.addCleanup(status.kill)
        self.world.wait_for(lambda: os.path.exists(started), 10, "lfad to be started")


world.main()
