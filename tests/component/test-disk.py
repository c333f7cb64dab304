#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The disk that holds lfad's records fails: on a file system that fails on command (tests/faultfs), and on a tmpfs that
is really full. What cannot be recorded is not begun; what was begun is told and, after a restart, recorded once."""

import errno
import os
import subprocess

import world
from world import ERROR, JOB, MANAGER, PATH

FAULTFS = os.path.join(world.BUILD_DIR, "tests/faultfs/faultfs")


class DiskTest(world.TestCase):
    """lfad keeps its records in self.state, which make_state() mounts."""

    options = {"parts": ("dbus", "polkitd", "sim")}

    def setUp(self):
        super().setUp()
        self.state = os.path.join(self.world.dir, "disk")
        os.mkdir(self.state)
        self.make_state()
        self.addCleanup(self.end_state)
        self.start()
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")

    def end_state(self):
        self.world.stop("lfad")
        subprocess.run(["umount", "--lazy", self.state], check=True)

    def start(self):
        self.world.start("lfad", STATE_DIRECTORY=self.state)

    def restart(self):
        self.world.stop("lfad")
        self.start()

    def kill(self):
        self.world.kill("lfad")
        self.start()

    def assertRefused(self, error):
        """The call is refused, and nothing at all has happened."""
        self.assertBusError(error, self.world.activate, "rmm")
        self.assertEqual(self.world.signals("JobNew"), [])
        self.assertEqual(self.world.history_file("queued"), [])
        self.assertEqual(self.world.stores(), 0)
        self.assertEqual(self.world.image("rmm")["State"], "pending")

    def assertWorks(self):
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        records = self.world.history_file(job=self.world.job_id(self.world.signals("JobNew")[-1].args[1]))
        self.assertEqual([record["type"] for record in records], ["queued", "started", "finished"])
        numbers = [record["seq"] for record in self.world.history_file()]
        self.assertEqual(numbers, sorted(set(numbers)))

    def types(self, path):
        return [record["type"] for record in self.world.history_file(job=self.world.job_id(path))]


class FaultyDiskTest(DiskTest):
    def make_state(self):
        backing = self.world.state_dir  # history_file reads here, past the faults
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([FAULTFS, backing, self.state], stdin=subprocess.DEVNULL)
        self.world.wait_for(lambda: world.mounted_on(self.state), 10, "faultfs to be mounted")

    def end_state(self):
        super().end_state()
        self.process.wait(60)

    def inject(self, *words):
        """A command for faultfs."""
        with open(os.path.join(self.state, ".control"), "w", encoding="utf-8") as file:
            file.write(" ".join(map(str, words)) + "\n")

    def failures(self, operation):
        with open(os.path.join(self.state, ".control"), encoding="utf-8") as file:
            return next(int(line.split()[2]) for line in file if line.startswith(operation + " "))

    def test_without_faults_all_is_well(self):
        self.assertWorks()

    def assertNothingIsAccepted(self, fault, error):
        self.inject(*fault)
        self.assertRefused(error)
        self.assertRefused(error)
        self.assertGreaterEqual(self.failures(fault[0]), 2)
        self.inject(fault[0], "none")
        self.assertWorks()

    def test_a_full_disk_accepts_no_job(self):
        self.assertNothingIsAccepted(("write", "ENOSPC"), "DiskFull")

    def test_a_quota_accepts_no_job(self):
        self.assertNothingIsAccepted(("write", "EDQUOT"), ("DiskFull", "StateUnavailable"))

    def test_a_broken_disk_accepts_no_job(self):
        self.assertNothingIsAccepted(("write", "EIO"), "StateUnavailable")

    def test_a_read_only_disk_accepts_no_job(self):
        self.assertNothingIsAccepted(("write", "EROFS"), "StateUnavailable")

    def test_half_a_record_accepts_no_job(self):
        self.assertNothingIsAccepted(("write", "short"), ("DiskFull", "StateUnavailable"))

    def test_a_record_that_may_not_be_on_disk_accepts_no_job(self):
        self.assertNothingIsAccepted(("fsync", "EIO"), "StateUnavailable")

    def test_half_a_record_that_stays_spoils_no_other(self):
        self.inject("truncate", "EIO")
        self.inject("write", "short", 0, 1)
        self.assertBusError(("DiskFull", "StateUnavailable"), self.world.activate, "rmm")
        self.inject("truncate", "none")
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        records = self.world.call(PATH, MANAGER, "GetHistory", "a{sv}", {})
        self.assertEqual([record["type"] for record in records], ["queued", "started", "finished"])
        self.hide_torn()

    def hide_torn(self):
        """The world prints the records of a test that failed, and takes each line for one."""
        path = os.path.join(self.world.state_dir, "history.jsonl")
        self.world.stop("lfad")
        with open(path, "rb") as file:
            lines = [line for line in file.read().split(b"\n") if line.endswith(b"}")]
        with open(path, "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
        self.start()

    def assertNotBegun(self, fault, error):
        """The request was accepted, and its begin cannot be recorded."""
        self.inject(*fault)
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path), "refused", error)
        self.assertEqual(self.types(path), ["queued", "finished"])
        self.assertEqual(self.world.stores(), 0)
        self.inject(fault[0], "none")
        self.assertWorks()
        self.assertEqual(self.types(path), ["queued", "finished"])

    def test_what_cannot_be_recorded_as_begun_is_not_begun_when_the_disk_is_full(self):
        self.assertNotBegun(("write", "ENOSPC", 1, 1), "DiskFull")

    def test_what_cannot_be_recorded_as_begun_is_not_begun_when_the_disk_is_broken(self):
        self.assertNotBegun(("write", "EIO", 1, 1), "StateUnavailable")

    def test_what_may_not_be_on_disk_as_begun_is_not_begun(self):
        self.assertNotBegun(("fsync", "EIO", 1, 1), "StateUnavailable")

    def test_without_room_for_the_end_it_is_not_begun(self):
        self.assertNotBegun(("fallocate", "ENOSPC"), "DiskFull")

    def test_room_that_cannot_be_reserved_for_another_reason_is_no_room(self):
        self.assertNotBegun(("fallocate", "EIO"), "StateUnavailable")

    def test_a_file_system_without_reservations_is_good_enough(self):
        self.inject("fallocate", "EOPNOTSUPP")
        self.assertWorks()
        self.assertEqual(self.failures("fallocate"), 1)

    def assertToldAndSettledLater(self, fault, again, result="succeeded", error=""):
        self.inject(*fault)
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path), result, error)
        self.assertEqual(self.world.image("rmm")["LastResult"], result)
        self.assertEqual(self.failures(fault[0]), 1)
        self.inject(fault[0], "none")
        again()
        record = self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual((record["result"], record.get("error", "").removeprefix(world.ERROR)), (result, error))
        again()
        self.world.refresh()
        self.assertEqual(self.types(path), ["queued", "started", "finished"])
        self.assertEqual(self.world.stores(), 1)
        self.assertEqual(self.world.image("rmm")["LastResult"], result)

    def test_an_end_that_cannot_be_recorded_is_told_and_settled_by_the_next_start(self):
        self.assertToldAndSettledLater(("write", "ENOSPC", 2, 1), self.restart)

    def test_an_end_that_cannot_be_recorded_is_settled_after_a_kill(self):
        self.assertToldAndSettledLater(("write", "EIO", 2, 1), self.kill)

    def test_half_an_end_is_settled_by_the_next_start(self):
        self.assertToldAndSettledLater(("write", "short", 2, 1), self.restart)

    def test_an_end_that_may_not_be_on_disk_is_settled_by_the_next_start(self):
        self.assertToldAndSettledLater(("fsync", "EIO", 2, 1), self.restart)

    def test_a_failure_that_cannot_be_recorded_is_settled_as_that_failure(self):
        self.world.sim("fail activate LFA_ACTIVATION_FAILED")
        self.assertToldAndSettledLater(("write", "EIO", 2, 1), self.restart, "failed", "ActivationFailed")

    def test_an_end_that_was_not_recorded_does_not_hinder_the_next_job(self):
        self.inject("write", "EIO", 2, 1)
        first = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(first), "succeeded")
        second = self.world.activate("scp")
        self.assertEnded(self.world.wait_job(second), "succeeded")
        self.restart()
        self.world.wait_record("finished", self.world.job_id(first))
        self.assertEqual(sorted(self.types(first)), ["finished", "queued", "started"])
        self.assertEqual(self.types(second), ["queued", "started", "finished"])

    def test_half_a_request_for_several_is_none(self):
        self.inject("write", "ENOSPC", 1, 1)
        self.assertBusError("DiskFull", self.world.call, PATH, MANAGER, "ActivatePending", "a{sv}", {})
        self.world.wait_for(lambda: self.world.history_file("finished"), 10, "the first to be taken back")
        self.assertEqual([record["result"] for record in self.world.history_file("finished")], ["cancelled"])
        self.assertEqual(self.world.stores(), 0)
        self.assertWorks()

    def test_an_end_that_was_passed_over_at_the_start_is_not_found_later(self):
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.world.kill("lfad")
        history = os.path.join(self.world.state_dir, "history.jsonl")
        os.truncate(history, os.path.getsize(history) - 1)  # all of the record, but not the end of its line
        self.inject("write", "ENOSPC")
        self.start()
        self.inject("write", "none")
        self.assertEnded(self.world.run_job("scp"), "succeeded")
        self.assertEqual(self.types(path), ["queued", "started", "finished"])
        self.hide_torn()

    def test_a_cancel_that_cannot_be_recorded_is_told_and_settled_by_the_next_start(self):
        self.world.sim("hang activate")
        first = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        second = self.world.activate("scp")
        self.inject("write", "ENOSPC", 0, 1)
        self.world.call(second, JOB, "Cancel", "a{sv}", {})
        self.assertEnded(self.world.wait_job(second), "cancelled", "Cancelled")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(first), "succeeded")
        self.restart()
        self.assertEqual(self.world.wait_record("finished", self.world.job_id(second))["result"], "cancelled")
        self.assertEqual(self.types(second), ["queued", "finished"])

    def test_a_job_that_waited_and_was_cancelled_waits_no_more_after_a_kill(self):
        inhibitor = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "backup", "it runs", "block", ["rmm"], {}).take()
        try:
            path = self.world.activate("rmm", when_allowed=True)
            self.inject("write", "ENOSPC")
            self.world.call(path, JOB, "Cancel", "a{sv}", {})
            self.assertEnded(self.world.wait_job(path), "cancelled", "Cancelled")
            self.world.kill("lfad")
            self.start()  # the disk is full still
            self.assertEnded(self.world.wait_job(path), "cancelled", "Cancelled")
            self.world.kill("lfad")
            self.inject("write", "none")
            self.start()
        finally:
            os.close(inhibitor)
        record = self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual((record["result"], record["error"], record["cancel-uid"]), ("cancelled", ERROR + "Cancelled", 0))
        self.assertEqual(self.types(path), ["queued", "finished"])
        self.assertNotIn(f"job-{self.world.job_id(path)}.end", os.listdir(self.world.runtime_dir))
        self.assertEqual(self.world.stores(), 0)

    def test_a_job_that_waited_and_could_not_be_begun_waits_no_more_after_a_kill(self):
        inhibitor = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "backup", "it runs", "block", ["rmm"], {}).take()
        path = self.world.activate("rmm", when_allowed=True)
        self.inject("write", "ENOSPC")
        os.close(inhibitor)
        job = self.world.wait_job(path)
        self.assertEnded(job, "refused", "DiskFull")
        self.assertEqual(job["StartedTimestamp"], 0)
        self.world.kill("lfad")
        self.inject("write", "none")
        self.start()
        record = self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual((record["result"], record["error"]), ("refused", ERROR + "DiskFull"))
        self.assertEqual(self.types(path), ["queued", "finished"])
        self.assertEqual(self.world.stores(), 0)

    def test_a_change_from_outside_that_cannot_be_recorded_is_seen_all_the_same(self):
        self.inject("write", "EIO")
        self.world.sim("unstage rmm")
        self.world.refresh()
        self.assertEqual(self.world.image("rmm")["State"], "idle")

    def assertReadableWithoutRecords(self):
        self.assertEqual(self.world.manager()["DriverState"], "active")
        self.assertEqual(self.world.image("rmm")["PendingVersion"], "2.0")
        self.assertBusError("StateUnavailable", self.world.activate, "rmm")
        self.assertBusError("StateUnavailable", self.world.call, PATH, MANAGER, "GetHistory", "a{sv}", {})
        self.assertBusError("StateUnavailable", self.world.call, PATH, MANAGER, "ActivatePending", "a{sv}", {})
        self.assertEqual(self.world.stores(), 0)
        self.assertIn("history", self.world.log("lfad", 500))

    def test_records_that_cannot_be_opened_leave_everything_readable(self):
        self.world.stop("lfad")
        for fault in (("open", "EACCES"), ("open", "EIO"), ("fsync", "EIO")):
            with self.subTest(fault=fault):
                self.inject(*fault)
                self.start()
                self.assertReadableWithoutRecords()
                self.world.stop("lfad")
                self.inject(fault[0], "none")
        self.start()
        self.assertWorks()

    def rotate_and_fail(self, version, *fault):
        """A new file is due and cannot be begun: everything goes on with the old one."""
        for number in (1, 2, 3):  # so that each has to be moved
            with open(os.path.join(self.state, f"history.jsonl.{number}"), "ab"):
                pass
        self.world.stage("rmm", version)
        self.world.grow_history(self.state)
        before, failures = self.world.history_file(), self.failures(fault[0])
        self.inject(*fault)
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.assertEqual(self.failures(fault[0]), failures + 1)
        numbers = [record["seq"] for record in self.world.history_file()]
        self.assertEqual(len(numbers), len(before) + 3)
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        records = self.world.call(PATH, MANAGER, "GetHistory", "a{sv}", {})
        self.assertEqual([record["seq"] for record in records], numbers)

    def test_a_new_file_that_cannot_be_begun_loses_nothing(self):
        self.world.configure("[Daemon]\nSettleSec=100ms\nHistoryMaxBytes=64K\n")
        self.world.reload()
        faults = (("create", "ENOSPC", 0, 1), ("fsync", "EIO", 0, 1), ("fsync", "EIO", 1, 1),
                  ("rename", "EIO", 0, 1), ("rename", "EIO", 1, 1), ("rename", "EIO", 2, 1), ("rename", "EIO", 3, 1))
        for number, fault in enumerate(faults):
            with self.subTest(fault=fault):
                self.rotate_and_fail(f"3.{number}", *fault)
        self.assertEqual(self.world.log("lfad", 500).count("cannot begin a new file"), 1)
        self.kill()
        numbers = [record["seq"] for record in self.world.history_file()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.world.stage("rmm", "4.0")
        self.assertEqual(self.world.run_job("rmm")["Id"], numbers[-1] + 1)
        with open(os.path.join(self.state, "history.jsonl"), encoding="utf-8") as file:
            self.assertEqual(len(file.readlines()), 3)


class FullDiskTest(DiskTest):
    SIZE = 128 * 1024

    def make_state(self):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", self.state], check=True)
        self.world.state_dir = self.state

    def fill(self, free=0):
        """Leaves so many bytes free."""
        with open(os.path.join(self.state, "filling"), "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError as error:
                self.assertEqual(error.errno, errno.ENOSPC)
            file.truncate(max(0, file.tell() - free))

    def empty(self):
        os.unlink(os.path.join(self.state, "filling"))

    def test_a_full_disk_accepts_no_job(self):
        self.fill()
        self.assertRefused("DiskFull")
        self.empty()
        self.assertWorks()

    def test_a_disk_with_room_for_the_request_alone_begins_nothing(self):
        self.fill(free=8192)
        path = self.world.activate("rmm")
        self.assertEnded(self.world.wait_job(path), "refused", "DiskFull")
        self.assertEqual(self.types(path), ["queued", "finished"])
        self.assertEqual(self.world.stores(), 0)
        self.empty()
        self.assertWorks()

    def test_a_disk_that_fills_up_meanwhile_has_room_for_the_end(self):
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.fill()
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(self.types(path), ["queued", "started", "finished"])

    def test_a_full_disk_at_the_start_leaves_everything_readable(self):
        self.world.stop("lfad")
        self.fill()
        self.start()
        self.assertEqual(self.world.image("rmm")["PendingVersion"], "2.0")
        self.assertRefused("DiskFull")

    def test_a_read_only_disk_at_the_start_leaves_everything_readable(self):
        self.world.stop("lfad")
        subprocess.run(["mount", "-o", "remount,ro", self.state], check=True)
        self.start()
        self.assertEqual(self.world.image("rmm")["PendingVersion"], "2.0")
        self.assertRefused("StateUnavailable")


world.main()
