#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile and broken sysfs, worker, uevents and records. Each ends in a named error or a state that can be read; lfad
lives, does not grow, and forgets nothing."""

import os
import signal
import time
from unittest import mock

import damaged_worker
import world
from hostile import UNNAMED, HostileTest
from world import GUIDS, JOB, MANAGER, NAME, PATH, PROPERTIES

REAL_WORKER = world.WORKER


class SysfsTest(HostileTest):
    READABLE = ("name", "activation_capable", "activation_pending", "may_reset_cpu", "cpu_rendezvous", "current_version",
                "pending_version", "force_cpu_rendezvous", "auto_activate")
    BYTES = ("", "\\n", "\\xff\\xfe\\x00\\x01", "\\0\\0\\0\\0", "-1\\n", "2\\n", "1 1\\n", "1\\n1\\n", "0x1\\n",
             "99999999999999999999.1\\n", "1.2.3\\n", "%s%n\\n", "\\x1b[2J\\n", "1", " 1\\n")

    def refresh(self):
        """Refresh may say that the tree cannot be read; nothing else."""
        try:
            self.world.refresh()
        except world.BusError as error:
            self.assertEqual(error.short_name, "KernelBusy")

    def look(self):
        """Everything can be read as long as lfad lives."""
        self.world.images()
        self.manager_call("Describe", "a{sv}", {})
        state = self.world.manager()["DriverState"]
        self.assertIn(state, ("active", "no-driver", "no-firmware", "unenforceable", "unknown"))

    def refuse(self, what):
        """Without believable flags nothing is activated."""
        try:
            path = self.world.activate("rmm")
        except world.BusError as error:
            self.assertTrue(error.name.startswith(world.ERROR), error)
        else:
            self.assertEqual(self.world.wait_job(path)["Result"], "refused", what)
        self.assertEqual(self.world.stores(), 0, what)

    def test_strange_bytes_in_any_attribute(self):
        self.world.stage("rmm", "2.0")
        for attribute in self.READABLE:
            for text in self.BYTES:
                self.world.sim(["raw", attribute, text, "--image=rmm"])
                self.refresh_at_once()
            self.look()
            self.world.sim(["raw", attribute, "none", "--image=rmm"])
        self.assertServes()

    def refresh_at_once(self):
        """Many readings in a row need not each be waited for; but a caller may have only so many under way."""
        self.under_way = getattr(self, "under_way", 0) + 1

        def answered(*_):
            self.under_way -= 1

        self.world.bus().call_async(NAME, PATH, MANAGER, "Refresh", "a{sv}", ({},), answered, answered)
        self.world.manager()
        self.world.wait_for(lambda: self.under_way < 8, 20, "the readings asked for")

    def test_flags_that_cannot_be_read_allow_nothing(self):
        self.world.stage("rmm", "2.0")
        for attribute in ("activation_capable", "activation_pending", "may_reset_cpu"):
            for text in ("", "\\xff\\n", "2\\n", "yes\\n"):
                with self.subTest(attribute=attribute, text=text):
                    self.world.sim(["raw", attribute, text, "--image=rmm"])
                    self.refresh()
                    self.refuse((attribute, text))
                    self.world.sim(["raw", attribute, "none", "--image=rmm"])
            self.world.sim(["errno", "read", attribute, "EIO"])
            self.refresh()
            self.refuse((attribute, "EIO"))
            self.world.sim(["errno", "read", attribute, "none"])
        self.refresh()
        self.assertServes()

    def test_huge_attributes(self):
        memory = self.rss_kib()
        for attribute in self.READABLE:
            for size in (4095, 4096, 4097, 1000000):
                self.world.sim(["raw", attribute, f"--size={size}"])
                self.refresh_at_once()
            self.refresh()
            self.look()
            self.world.sim(["raw", attribute, "none"])
        self.assertMemoryGrewLessThan(memory, 2048)
        self.assertServes()

    def test_missing_attributes(self):
        for attribute in self.READABLE + ("activate", "cancel"):
            with self.subTest(attribute=attribute):
                self.world.sim(["missing", attribute, "yes"])
                self.refresh()
                self.look()
                self.world.sim(["missing", attribute, "no"])
        self.refresh()
        self.assertServes()

    def test_attributes_that_cannot_be_read(self):
        for attribute in self.READABLE:
            for error in ("EIO", "ENODEV", "EACCES", "ENOENT", "EINTR"):
                self.world.sim(["errno", "read", attribute, error])
                self.refresh_at_once()
            self.look()
            self.world.sim(["errno", "read", attribute, "none"])
        self.assertServes()

    def test_values_that_change_between_readings(self):
        for number in range(8):
            self.world.sim(["raw", "current_version", f"{number + 5}.0\\n", "--image=rmm"])
            self.refresh_at_once()
        self.world.sim("errno read current_version EIO --times=1")
        self.refresh()
        self.world.wait_for(lambda: self.world.image("rmm")["CurrentVersion"] == "12.0", 10, "the last version")
        self.world.sim("raw current_version none --image=rmm")
        self.refresh()
        self.assertServes()

    def test_a_name_that_is_not_clean_text_is_not_shown(self):
        for text in ("\\x1b[31mevil\\n", "\\xff\\xfe\\n", "a\\nb\\n", "\\xe2\\x80\\xae evil\\n"):
            self.world.sim(["raw", "name", text, f"--image={UNNAMED}"])
            self.refresh()
            name = self.world.image(UNNAMED)["Name"]
            self.assertNotRegex(name, "[\x00-\x1f\x7f-\x9f\u202e]", repr(text))

    def test_many_images(self):
        memory = self.rss_kib()
        for number in range(120):
            self.world.sim(f"add {number:08x}-0000-4000-8000-000000000000 1.0")
        self.world.sim("add ffffffff-0000-4000-8000-000000000000 1.0 --now")
        self.refresh()
        self.look()
        self.assertMemoryGrewLessThan(memory, 2048)
        self.assertServes()


class DriverTest(HostileTest):
    def test_unbound_and_bound_again(self):
        for _ in range(3):
            self.world.sim("unbind")
            self.world.refresh()
            self.assertEqual(self.world.manager()["DriverState"], "no-driver")
            self.assertBusError("NoDriver", self.world.activate, "rmm")
            self.world.sim("bind")
            self.world.refresh()
            self.assertEqual(self.world.manager()["DriverState"], "active")
        self.assertServes()

    def test_unbound_during_a_job(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.sim("slow activate 3s")
        first, second = self.world.activate("rmm"), self.world.activate("scp")
        self.world.sim("wait activate-entered")
        self.world.sim("unbind")
        job, other = self.world.wait_job(first), self.world.wait_job(second)
        self.assertIn(job["Result"], ("succeeded", "unverified", "unknown", "failed"))
        self.assertEqual(other["Result"], "refused", other)
        self.world.sim("bind")
        self.world.sim("slow activate 0")
        self.world.refresh()
        self.assertServes()
        self.assertEqual(len(self.world.history_file("finished")), 3)

    def test_a_driver_without_images(self):
        self.world.recognise_nvnew()
        for image in (*GUIDS.values(), UNNAMED):
            self.world.sim(["vanish", image, "--now"])
        self.world.refresh()
        self.assertIn(self.world.manager()["DriverState"], ("no-firmware", "no-driver"))
        self.assertBusError(("NoFirmware", "NoDriver"), self.world.activate, "rmm")
        self.assertBusError(("NoFirmware", "NoDriver"), self.manager_call, "Explain", "sa{sv}", "rmm", {})

    def test_no_driver_from_the_start(self):
        self.world.sim("unbind")
        self.world.restart("lfad")
        self.assertEqual(self.world.manager()["DriverState"], "no-driver")
        self.assertBusError("NoDriver", self.manager_call, "ActivatePending", "a{sv}", {})
        self.world.sim("bind")
        self.world.refresh()
        self.assertServes()


class WorkerTest(HostileTest):
    """lfad starts a script that misbehaves as a file says, and is the shipped worker otherwise."""

    options = {"parts": ("dbus", "polkitd", "sim")}

    BAD = ("garbage", "binary", "nothing", "exit-1", "right-and-exit-1", "right-and-garbage", "killed", "half-a-line",
           "long-line", "gigabyte", "liar", "error", "strange", "child")

    def setUp(self):
        super().setUp()
        self.worker = damaged_worker.DamagedWorker(self.world.dir, REAL_WORKER)
        self.script = self.worker.path
        self.addCleanup(self.end_hanging)
        self.start()

    def start(self):
        with mock.patch.object(world, "WORKER", self.script):
            self.world.start("lfad")

    def end_hanging(self):
        self.worker.end_hanging()

    def mode(self, verb, mode):
        self.worker.mode(verb, mode)

    def test_a_scan_that_goes_wrong_is_no_reading(self):
        before = self.world.images()
        memory, descriptors = self.rss_kib(), self.descriptors()
        for mode in self.BAD:
            with self.subTest(mode=mode):
                self.mode("scan", mode)
                self.assertBusError("KernelBusy", self.world.refresh)
                self.assertEqual(self.world.images(), before)
        self.mode("none", "none")
        self.world.refresh()
        self.assertMemoryGrewLessThan(memory, 1024)
        self.world.wait_for(lambda: self.descriptors() <= descriptors, 10,
                            f"no more than {descriptors} descriptors")
        self.assertServes()

    def test_what_never_ends_to_speak_is_heard_no_longer(self):
        memory = self.rss_kib()
        self.mode("scan", "endless")
        self.assertBusError("KernelBusy", self.world.refresh)
        self.mode("none", "none")
        self.world.wait_for(self.can_refresh, 60, "that worker's end")  # it may take a while to find that nobody listens
        self.assertMemoryGrewLessThan(memory, 1024)
        self.assertServes()

    def can_refresh(self):
        try:
            self.world.refresh()
        except world.BusError as error:
            self.assertEqual(error.short_name, "KernelBusy")
            return False
        return True

    def test_images_without_number_are_bounded(self):
        memory = self.rss_kib()
        self.mode("scan", "many")
        try:
            self.world.refresh()
        except world.BusError as error:
            self.assertEqual(error.short_name, "KernelBusy")
        self.assertLessEqual(len(self.world.images()), 4096 + 10)
        self.mode("none", "none")
        self.world.wait_for(self.can_refresh, 60, "that worker's end")
        self.assertIn(self.world.image_path("rmm"), self.world.images())
        self.assertMemoryGrewLessThan(memory, 32768)

    def test_a_scan_that_hangs_is_waited_for_in_vain_and_told(self):
        self.mode("scan", "hang")
        self.assertBusError("KernelBusy", self.world.refresh)
        self.assertEqual(self.world.manager()["DriverState"], "active")
        self.assertBusError("KernelBusy", self.world.activate, "rmm")
        self.mode("none", "none")
        self.end_hanging()
        self.world.wait_for(self.refreshes, 10, "a reading after the one that hung")
        self.assertServes()

    def refreshes(self):
        try:
            self.world.refresh()
        except world.BusError:
            return False
        return True

    def test_an_activation_whose_worker_goes_wrong_is_unknown(self):
        self.world.configure("[Policy]\nQuarantineAfter=100\n")
        self.world.reload()
        for mode in ("garbage", "nothing", "exit-1", "killed", "long-line", "gigabyte", "half-a-line", "error", "child"):
            with self.subTest(mode=mode):
                self.mode("activate", mode)
                self.world.stage("rmm", "2.0")
                path = self.world.activate("rmm")
                self.assertEnded(self.world.wait_job(path), "unknown", "NoReport")
                types = [record["type"] for record in self.world.history_file(job=self.world.job_id(path))]
                self.assertEqual(types, ["queued", "started", "finished"])
        self.assertEqual(self.world.stores(), 0)
        self.mode("none", "none")
        self.assertServes()

    def test_a_report_that_was_made_counts_whatever_else_is_said(self):
        for mode, version in (("right-and-exit-1", "2.0"), ("right-and-garbage", "3.0")):
            with self.subTest(mode=mode):
                self.mode("activate", mode)
                self.world.stage("rmm", version)
                self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_a_worker_that_is_missing_or_cannot_run(self):
        def missing():
            os.rename(self.script, self.script + ".away")

        def no_program():
            os.chmod(self.script, 0o644)

        def a_folder():
            missing()
            os.mkdir(self.script)

        def rubbish():
            missing()
            with open(self.script, "wb") as file:
                file.write(b"\x7fELF rubbish")
            os.chmod(self.script, 0o755)

        for damage in (missing, no_program, a_folder, rubbish):
            with self.subTest(damage=damage.__name__):
                self.world.stage("rmm", self.next_version())
                damage()
                self.assertBusError(("KernelBusy", "WatchdogUnsafe"), self.world.activate, "rmm")
                self.assertBusError("KernelBusy", self.world.refresh)
                self.repair()
                self.assertServes()
        self.assertEqual(self.world.stores(), 4)

    def repair(self):
        if os.path.isdir(self.script):
            os.rmdir(self.script)
        if os.path.exists(self.script + ".away"):
            if os.path.exists(self.script):
                os.unlink(self.script)
            os.rename(self.script + ".away", self.script)
        os.chmod(self.script, 0o755)

    def test_a_worker_missing_from_the_start_is_told(self):
        self.world.stop("lfad")
        os.rename(self.script, self.script + ".away")
        self.start()
        self.assertEqual(self.world.manager()["DriverState"], "unknown")
        self.assertBusError(("KernelBusy", "Starting"), self.world.activate, "rmm")
        self.assertBusError(("KernelBusy", "Starting"), self.manager_call, "Explain", "sa{sv}", "rmm", {})
        self.repair()
        self.world.refresh()
        self.assertServes()

    def test_a_queue_that_cannot_read_goes_on_when_it_can(self):
        """A job waits for the tree to settle, and when its turn has come the worker cannot be started."""
        for _ in range(3):
            for _ in range(10):
                self.world.stage("rmm", self.next_version())
                self.world.sim("uevent change")
                path = self.world.activate("rmm")
                os.rename(self.script, self.script + ".away")
                job = self.world.wait_job(path, timeout=15)
                self.repair()
                if job["Result"] != "succeeded":  # else its turn had come before
                    break
            self.assertIn(job["Result"], ("refused", "failed"), job)
            self.assertServes()

    def test_a_cancel_whose_worker_goes_wrong_changes_nothing(self):
        for mode in ("garbage", "exit-1", "killed", "nothing"):
            self.world.stage("rmm", self.next_version())
            self.mode("cancel", mode)
            self.world.sim("hang activate")
            entered = self.world.stores() + 1
            path = self.world.activate("rmm")
            self.world.sim(f"wait activate-entered --count={entered}")
            self.world.wait_job_state(path, "activating")
            self.world.call(path, JOB, "Cancel", "a{sv}", {})
            self.world.sim("release")
            self.assertEnded(self.world.wait_job(path), "succeeded")


class UeventTest(HostileTest):
    def test_events_that_were_lost_are_told_and_the_tree_is_read(self):
        os.kill(self.lfad_pid(), signal.SIGSTOP)
        try:
            self.world.sim("uevent change --count=20000")
            self.world.sim("stage rmm 2.0")
        finally:
            os.kill(self.lfad_pid(), signal.SIGCONT)
        self.world.wait_for(lambda: "lost" in self.world.log("lfad", 500), 10, "lfad to say that events were lost")
        self.world.wait_for(lambda: self.world.image("rmm")["PendingVersion"] == "2.0", 10, "the tree to be read")
        self.assertEqual(self.world.manager()["UeventMonitor"], "listening")
        self.assertServes()

    def cost_of_calls(self):
        """lfad's processor time for a thousand calls, many under way at once: it has to wait for few of them."""
        clock = ~self.lfad_pid() << 3 | 2  # as clock_getcpuclockid(3) has it
        began = time.clock_gettime_ns(clock)
        for _ in range(10):
            answers, errors = [], []
            for _ in range(100):
                self.world.bus().call_async(NAME, PATH, PROPERTIES, "GetAll", "s", (MANAGER,), answers.append,
                                            errors.append)
            self.world.wait_for(lambda: len(answers) + len(errors) == 100, 60, "the answers")
            self.assertEqual(errors, [])
        return time.clock_gettime_ns(clock) - began

    def test_a_storm_starves_nobody(self):
        """By lfad's own processor time, whatever else the machine does: some events come with each call, not all."""
        quiet = self.cost_of_calls()
        storm = self.world.spawn_as(None, ["sh", "-c", "while lfa-sim ctl uevent change --count=50000; do :; done"])
        self.world.wait_for(lambda: self.world.counters()["uevents"] > 1000, 10, "the storm")
        before = self.world.counters()["uevents"]
        self.assertLess(sorted(self.cost_of_calls() for _ in range(3))[1], 40 * quiet)
        self.assertGreater(self.world.counters()["uevents"], before)
        self.assertIsNone(storm.poll())
        storm.kill()
        self.world.finish(storm)
        self.assertServes()


class HistoryFileTest(HostileTest):
    """What an earlier crash, or a stranger, left in the file."""

    def damage(self, change):
        """Activates, stops, changes the file, goes on; the records afterwards."""
        self.addCleanup(self.hide)
        self.assertServes()
        self.world.stop("lfad")
        path = os.path.join(self.world.state_dir, "history.jsonl")
        with open(path, "rb") as file:
            lines = file.read()
        with open(path, "wb") as file:
            file.write(change(lines))
        self.world.start("lfad")
        self.world.stage("rmm", self.next_version())
        path = self.world.activate("rmm")
        self.world.wait_job_state(path, "done")
        self.assertEnded(self.world.job(path), "succeeded")
        records = self.manager_call("GetHistory", "a{sv}", {})
        self.assertEqual([record["type"] for record in records][-3:], ["queued", "started", "finished"])
        numbers = [record["seq"] for record in records]
        self.assertEqual(numbers, sorted(set(numbers)))
        ends = [record["job"] for record in records if record["type"] == "finished"]
        self.assertEqual(ends, sorted(set(ends)), "exactly one end a job")
        return records

    def hide(self):
        """The world prints the file when a test fails, and takes it for UTF-8."""
        path = os.path.join(self.world.state_dir, "history.jsonl")
        if os.path.exists(path):
            os.rename(path, path + ".rubbish")

    def test_the_end_of_the_last_line_is_missing(self):
        self.damage(lambda lines: lines[:-1])

    def test_cut_in_the_middle_of_a_line(self):
        records = self.damage(lambda lines: lines[:-10])
        self.assertEqual([record["result"] for record in records if record["type"] == "finished"][1], "succeeded")

    def test_cut_in_the_middle_of_the_first_line(self):
        self.damage(lambda lines: lines[:50])

    def test_rubbish_at_the_end(self):
        for rubbish in (b"\0" * 9000, b"\xff" * 3000 + b"\n", os.urandom(2000)):
            records = self.damage(lambda lines, more=rubbish: lines + more)
            self.assertEqual(records[0]["seq"], 1)

    def test_megabytes_of_rubbish_at_the_end(self):
        """Numbers are never given twice, however far back the last one is."""
        self.damage(lambda lines: lines + b"x" * (2 << 20) + b"\n")

    def test_a_file_of_rubbish_alone(self):
        self.damage(lambda lines: os.urandom(100000))

world.main()
