#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong at bad moments and must neither harm, nor lie, nor be forgotten: slow scans, odd images, races with the
kernel's own automatic, restarts between two activations, a second lfad, a lost bus, other people's locks."""

import fcntl
import json
import os
import signal
import subprocess
import time

import world
from world import BusError, GUIDS, MANAGER, PATH

ACTIVATE = os.path.join(world.TREE, "{}", "activate")


def activate_by_hand(image):
    """Somebody else's activation, past lfad."""
    with open(ACTIVATE.format(GUIDS[image]), "w", encoding="utf-8") as file:
        file.write("1")


class ReadingTest(world.TestCase):
    def test_what_was_just_staged_is_not_refused_on_an_older_reading(self):
        self.world.refresh()
        self.world.sim("stage rmm 2.0")
        self.assertEnded(self.world.wait_job(self.world.activate("rmm")), "succeeded")

    def test_what_was_just_staged_is_not_explained_as_missing(self):
        self.world.refresh()
        self.world.sim("stage rmm 2.0")
        verdict, _ = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm",
                                     world.dbus.Dictionary({}, signature="sv"))
        self.assertNotEqual(verdict["answer"], "deny", verdict)

    def test_what_is_staged_while_a_scan_runs_is_not_refused_on_that_scan(self):
        self.world.sim("slow read 30ms")
        for number in range(4):
            client = self.world.spawn_as(None, ["lfactl", "refresh"])
            self.world.sim(f"stage rmm 2.{number + 1}")
            self.assertEnded(self.world.wait_job(self.world.activate("rmm")), "succeeded")
            self.world.finish(client)

    def test_a_scan_that_takes_seconds_does_not_keep_a_job_waiting_for_ever(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("slow read 100ms")
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path, 40), "succeeded")

    def test_an_image_that_always_looks_stale_does_not_block_the_others(self):
        for attribute, text in (("activation_capable", "0"), ("cpu_rendezvous", "0"), ("current_version", "0.0"),
                                ("pending_version", "N/A")):
            self.world.sim(["raw", attribute, text + "\\n", "--image=scp"])
        self.world.refresh()
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_what_refuses_is_told_of_the_image_and_not_of_what_a_caller_expected(self):
        self.world.stage("rmm", "2.0")
        with self.assertRaises(BusError):
            self.world.activate("rmm", **{"expected-pending-version": "9.9"})
        self.assertEqual(self.world.image("rmm")["Blockers"], [])

    def test_a_version_that_was_never_tried_is_not_shown_as_failed(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("fail activate LFA_ACTIVATION_FAILED --times=1")
        self.assertEqual(self.world.run_job("rmm")["Result"], "failed")
        self.assertEqual(self.world.image("rmm")["State"], "failed")
        self.world.stage("rmm", "3.0")
        self.assertEqual(self.world.image("rmm")["State"], "pending")


class FlashTest(world.TestCase):
    options = {"profile": "v2s"}  # the last version that shows them all: later ones let a reader wait

    def test_values_that_flash_during_a_refresh_are_never_told(self):
        self.world.sim("refresh-time 40ms")  # far below lfad's 250 ms, since a busy machine makes it longer
        for number in range(3):
            self.world.sim(f"stage rmm 2.{number + 1}")
            self.world.refresh()
            writer = subprocess.Popen(["sh", "-c", f"echo 1 > {ACTIVATE.format(GUIDS['rmm'])}"])
            while writer.poll() is None:
                self.world.refresh()
        self.world.sim("refresh-time 0ms")
        self.world.refresh()
        for image in ("rmm", "bl31", "scp"):
            path = self.world.image_path(image)
            self.assertNotIn("", self.world.changed(path, "CurrentVersion"), image)
            self.assertNotIn(False, self.world.changed(path, "Capable"), image)
        self.assertEqual(self.world.signals("InterfacesRemoved"), [])


class KernelAutoTest(world.TestCase):
    def test_nothing_is_activated_before_the_kernels_automatic_is_off(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("auto rmm 1")
        self.world.refresh()
        job = self.world.run_job("rmm")
        self.assertEnded(job, "succeeded")
        types = [record["type"] for record in self.world.history_file()]
        self.assertLess(types.index("setting-applied"), types.index("started"), types)
        self.assertEqual(self.world.attribute("rmm", "auto_activate"), "0")


class BetweenActivationsTest(world.TestCase):
    def test_the_tree_settles_after_a_restart_too(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.run_job("rmm")
        returned = json.loads(self.world.sim("times --json"))["activate-return"]
        self.world.restart("lfad")
        self.assertEnded(self.world.run_job("scp"), "succeeded")
        entered = json.loads(self.world.sim("times --json"))["activate-entry"]
        self.assertGreater(entered - returned, 1000000)

    def test_a_vanished_image_is_recorded(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("vanish bl31")
        self.world.run_job("rmm")
        self.world.wait_record("vanished")
        self.assertEqual(self.world.history_file("vanished")[0]["guid"], GUIDS["bl31"])
        # The event that tells this driver from one that loses images comes a moment later at worst.
        self.world.wait_for(lambda: self.world.history_file("vanished")[-1]["lost"] is False, what="it to be told")
        self.assertEqual(self.world.manager()["DriverState"], "active")

    def restage_while_queued(self):
        for attribute, text in (("current_version", "0.0"), ("pending_version", "N/A")):
            self.world.sim(["raw", attribute, text + "\\n", "--image=scp"])
        for image in ("rmm", "bl31", "scp"):
            self.world.stage(image, "4.0")
        self.world.sim("slow activate 1s")
        first = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        second, third = self.world.activate("bl31"), self.world.activate("scp")
        self.world.wait_job(first)
        self.world.sim("unstage scp")
        self.world.refresh()
        self.world.sim("stage scp 666.0")
        return second, third

    def test_what_fell_while_it_was_queued_is_not_activated_when_staged_anew(self):
        second, third = self.restage_while_queued()
        self.assertEnded(self.world.wait_job(third), "refused", "VersionChanged")
        self.assertEnded(self.world.wait_job(second), "succeeded")
        self.assertEqual(self.world.stores(), 2)


class OutsideTest(world.TestCase):
    def test_what_moved_while_lfad_was_away_is_recorded(self):
        self.world.stage("rmm", "2.0")
        self.world.run_job("rmm")
        self.world.stop("lfad")
        self.world.sim("stage rmm 3.0")
        with open(os.path.join(world.TREE, GUIDS["rmm"], "activation_pending"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "1\n")
        activate_by_hand("rmm")
        self.world.start("lfad")
        record = self.world.wait_record("external")
        self.assertEqual((record["guid"], record["from"], record["to"]), (GUIDS["rmm"], "2.0", "3.0"))

    def test_pending_that_falls_is_recorded(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("unstage rmm")
        self.world.refresh()
        record = self.world.wait_record("external")
        self.assertEqual((record["guid"], record["pending"]), (GUIDS["rmm"], False))

    def test_what_an_unknown_end_came_to_is_settled_once(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("outcome activate change-then-fail")
        job = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(job), "unknown", "Unproven")
        self.world.sim("unbind")
        self.world.sim("bind")
        record = self.world.wait_record("settled")
        self.assertEqual((record["job"], record["from"], record["to"]), (self.world.job_id(job), "1.2", "2.0"))
        self.assertEqual(self.world.history_file("external"), [])

    def test_an_end_without_versions_is_not_settled_by_somebody_elses_activation(self):
        self.world.stop("lfad")
        self.world.stop("sim")
        os.remove(os.path.join(self.world.runtime_dir, "inventory.json"))  # as on another host
        self.world.firmware = "tfa"
        self.world.start("sim")
        self.world.start("lfad")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "unverified")
        self.world.stage("rmm", "3.0")
        activate_by_hand("rmm")
        self.world.refresh()
        self.world.wait_record("external")
        self.assertEqual(self.world.history_file("settled"), [])


class RepeatTest(world.TestCase):
    options = {"firmware": "tfa"}

    def test_an_activation_without_effect_is_not_repeated_after_a_refusal_and_a_restart(self):
        self.world.sim("outcome activate no-change")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "unverified")
        self.assertBusError("RepeatedActivation", lambda: self.world.activate("rmm"))
        jobs = self.world.call(PATH, MANAGER, "ActivatePending", "a{sv}", world.dbus.Dictionary({}, signature="sv"))
        for path in [jobs] if isinstance(jobs, str) else jobs:
            self.assertEnded(self.world.wait_job(path), "refused", "RepeatedActivation")
        self.world.restart("lfad")
        self.assertBusError("RepeatedActivation", lambda: self.world.activate("rmm"))
        self.assertEqual(self.world.stores(), 1)


class RecoveryTest(world.TestCase):
    def test_the_end_found_at_start_is_told_to_who_knows_lfad_by_its_name(self):
        signals = []
        self.world.bus().add_signal_receiver(lambda *arguments: signals.append(world.plain(arguments)), "JobRemoved",
                                             MANAGER, "org.arm.LFA1", PATH)
        self.world.stage("rmm", "2.0")
        self.world.sim("slow activate 500ms")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.kill("lfad")
        self.world.sim("wait activate-done")
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the worker to end")
        self.world.start("lfad")
        self.world.wait_for(lambda: signals, 10, "JobRemoved from org.arm.LFA1")
        self.assertEqual([list(item) for item in signals],
                         [[self.world.job_id(path), path, GUIDS["rmm"], "succeeded"]])

    def test_while_nothing_could_be_read_an_image_is_not_said_to_be_missing(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertEqual(self.world.manager()["DriverState"], "unknown")
        self.assertBusError("Starting", lambda: self.world.activate("scp"))
        self.assertBusError("Starting", lambda: self.world.call(PATH, MANAGER, "GetImage", "s", "scp"))
        self.world.sim("release")
        self.world.wait_record("finished")
        self.world.wait_for(lambda: self.world.manager()["DriverState"] == "active", 10, "the tree to be read")

    def begin_two(self):
        """The first one's end is not on disk, as if it could not be written; the second one's write goes on."""
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        first = self.world.job_id(self.world.activate("rmm"))
        self.world.wait_record("finished", first)
        self.world.sim("hang activate")
        second = self.world.job_id(self.world.activate("scp"))
        self.world.sim("wait activate-entered --count=2")
        self.world.kill("lfad")
        history = os.path.join(self.world.state_dir, "history.jsonl")
        with open(history, encoding="utf-8") as file:
            lines = [line for line in file if not (json.loads(line)["type"] == "finished"
                                                   and json.loads(line)["job"] == first)]
        with open(history, "w", encoding="utf-8") as file:
            file.writelines(lines)
        return first, second

    def assertBothSettled(self, first, second):
        self.assertEqual(self.world.wait_record("finished", second)["result"], "succeeded")
        self.world.wait_record("finished", first)
        self.world.refresh()
        self.assertEqual(len(self.world.history_file("finished", first)), 1)
        self.assertEqual(len(self.world.history_file("finished", second)), 1)
        self.assertEqual(self.world.history_file("external"), [])

    def test_of_two_that_were_begun_the_one_that_runs_is_followed(self):
        first, second = self.begin_two()
        self.world.start("lfad")
        self.world.wait_record("finished", first)
        self.assertEqual(self.world.history_file("finished", second), [])
        self.world.sim("release")
        self.assertBothSettled(first, second)

    def test_of_two_that_were_begun_and_are_over_both_are_settled(self):
        first, second = self.begin_two()
        self.world.sim("release")
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the worker to end")
        self.world.start("lfad")
        self.assertBothSettled(first, second)

    def test_a_second_lfad_does_not_touch_the_records(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("slow activate 1s")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        environment = {**self.world.environment, "RUNTIME_DIRECTORY": self.world.runtime_dir,
                       "STATE_DIRECTORY": self.world.state_dir}
        second = subprocess.run([world.LFAD, f"--worker={world.WORKER}"], env=environment, capture_output=True,
                                text=True, timeout=20, check=False)
        self.assertEqual(second.returncode, 1)
        self.assertIn("Another lfad", second.stderr)
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual([record["type"] for record in self.world.history_file()], ["queued", "started", "finished"])

    def test_a_first_scan_that_is_stuck_does_not_keep_lfad_from_starting(self):
        self.world.stop("lfad")
        self.world.sim("hang read")
        self.world.start("lfad")
        self.assertEqual(self.world.manager()["DriverState"], "unknown")
        self.world.sim("release")
        self.world.wait_for(lambda: self.world.manager()["DriverState"] == "active", 10, "the tree to be read")


class LockTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")
        self.lock = os.path.join(self.world.runtime_dir, "activation.lock")

    def test_nobody_else_can_hold_the_lock(self):
        self.world.run_job("rmm")
        self.assertEqual(os.stat(self.lock).st_mode & 0o777, 0o600)
        self.assertNotEqual(self.world.as_user("nobody", ["flock", "-n", self.lock, "true"]).returncode, 0)

    def test_a_job_waits_for_another_holder_as_long_as_it_takes(self):
        with open(self.lock, "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            first = self.world.activate("rmm")
            self.world.wait_for(lambda: self.world.manager()["Activating"], 10, "lfad to see the lock")
            began = time.monotonic()
            self.world.wait_for(lambda: time.monotonic() - began > 11, 20, "more than a job's patience")
            self.assertEqual(self.world.job(first)["State"], "queued")
            self.assertEqual(self.world.stores(), 0)
        self.assertEnded(self.world.wait_job(first), "succeeded")


class WorkerTest(world.TestCase):
    def test_its_signals_are_blocked_while_it_writes(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        with open(os.path.join(self.world.runtime_dir, "activation.lock"), encoding="ascii") as file:
            pid = int(file.read().split()[0])  # the one that writes: lfad's poll may have others run
        os.kill(pid, signal.SIGTERM)
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            blocked = next(int(line.split()[1], 16) for line in status if line.startswith("SigBlk:"))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM):
            self.assertTrue(blocked & (1 << (number - 1)), number)
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def test_cancelling_during_the_write_asks_the_driver_once(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("never prime")
        self.world.sim("slow prime 10ms")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        for _ in range(2):
            self.world.call(path, world.JOB, "Cancel", "a{sv}", world.dbus.Dictionary({}, signature="sv"))
        self.world.wait_for(lambda: self.world.counters()["cancel-stores"] > 0, 10, "the driver to be asked")
        self.world.sim("call-again prime 0")
        self.world.wait_job(path)
        self.assertEqual(self.world.counters()["cancel-stores"], 1)
        self.assertEqual(self.world.history_file("finished")[0]["cancel-uid"], 0)


class NamelessHostTest(world.TestCase):
    options = {"parts": ("dbus", "sim")}

    def test_a_missing_machine_id_hinders_nothing(self):
        empty = os.path.join(self.world.dir, "machine-id")
        with open(empty, "w", encoding="ascii"):
            pass
        self.world.cover(empty, "/etc/machine-id")
        self.world.start("lfad")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.world.restart("lfad")
        self.assertEqual(self.world.image("rmm")["LastResult"], "succeeded")


class BusTest(world.TestCase):
    def test_a_lost_bus_ends_lfad_with_a_failure(self):
        self.world.kill("dbus")
        self.world.wait_for(lambda: self.world.parts["lfad"].poll() is not None, 10, "lfad to end")
        self.assertEqual(self.world.parts.pop("lfad").returncode, 1)

    def test_a_bus_lost_during_an_activation_ends_lfad_after_the_record(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("slow activate 1s")
        job = self.world.job_id(self.world.activate("rmm"))
        self.world.sim("wait activate-entered")
        self.world.kill("dbus")
        self.world.wait_for(lambda: self.world.parts["lfad"].poll() is not None, 20, "lfad to end")
        self.assertEqual(self.world.parts.pop("lfad").returncode, 1)
        self.assertEqual(self.world.history_file("finished", job)[0]["result"], "succeeded")

    def test_descriptors_that_a_client_sends_do_not_stay(self):
        import gi  # the low-level call that can attach descriptors
        gi.require_version("Gio", "2.0")
        from gi.repository import Gio, GLib
        folder = f"/proc/{self.world.parts['lfad'].pid}/fd"
        before = len(os.listdir(folder))
        connection = Gio.DBusConnection.new_for_address_sync(
            self.world.bus_address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        for _ in range(50):
            message = Gio.DBusMessage.new_method_call("org.arm.LFA1", PATH, MANAGER, "Refresh")
            message.set_body(GLib.Variant("(a{sv})", ({},)))
            descriptors = Gio.UnixFDList.new()
            for _ in range(10):
                descriptors.append(0)
            message.set_unix_fd_list(descriptors)
            connection.send_message(message, Gio.DBusSendMessageFlags.NONE)
        connection.flush_sync(None)
        self.world.refresh()
        self.world.wait_for(lambda: len(os.listdir(folder)) - before < 20, 30, "the descriptors to be closed")
        connection.close_sync(None)


class DiskTest(world.TestCase):
    def test_a_torn_line_and_a_full_disk_lose_no_later_record(self):
        self.world.stage("rmm", "2.0")
        self.world.stop("lfad")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", self.world.state_dir], check=True)
        try:
            history = os.path.join(self.world.state_dir, "history.jsonl")
            line = '{"seq":9,"type":"queued","pad":"'
            with open(history, "w", encoding="utf-8") as file:
                file.write("x" * 4000 + "\n" + line + "y" * (4096 - 4001 - len(line)))
            with open(os.path.join(self.world.state_dir, "pad"), "wb", buffering=0) as pad:
                try:
                    while True:
                        pad.write(b"z" * 4096)
                except OSError:
                    pass
            self.world.start("lfad")
            self.assertBusError("DiskFull", lambda: self.world.activate("rmm"))
            self.assertEqual(self.world.stores(), 0)
            os.unlink(os.path.join(self.world.state_dir, "pad"))
            path = self.world.activate("rmm")
            job = self.world.job_id(path)
            self.assertEnded(self.world.wait_job(path), "succeeded")
            records = self.world.call(PATH, MANAGER, "GetHistory", "a{sv}", world.dbus.Dictionary({}, signature="sv"))
            self.assertEqual([record["type"] for record in records if record.get("job") == job],
                             ["queued", "started", "finished"])
            self.world.stop("lfad")
        finally:
            subprocess.run(["umount", "-l", self.world.state_dir], check=True)


if __name__ == "__main__":
    world.main()
