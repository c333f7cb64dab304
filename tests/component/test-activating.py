#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Activations as a client sees them: what is done once and recorded before it is done, what is refused and why, and
that a result is what can be known."""

import world
from world import GUIDS, IMAGE, JOB, PATH


class SuccessTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")

    def test_the_versions_before_and_after_are_told(self):
        job = self.world.run_job("rmm")
        self.assertEnded(job, "succeeded")
        self.assertEqual((job["FromVersion"], job["ToVersion"], job["Guid"]), ("1.2", "2.0", GUIDS["rmm"]))
        self.assertEqual(self.world.attribute("rmm", "current_version"), "2.0")
        image = self.world.image("rmm")
        self.assertEqual((image["CurrentVersion"], image["Pending"], image["State"]), ("2.0", False, "idle"))
        self.assertEqual((image["LastResult"], image["LastError"]), ("succeeded", ""))
        self.assertGreater(image["LastActivatedTimestamp"], 0)

    def test_the_driver_sees_one_store(self):
        self.world.run_job("rmm")
        self.assertEqual(self.world.stores(), 1)

    def test_the_records_are_in_order_and_say_who_what_and_why(self):
        path = self.world.activate("rmm", reason="CVE-2026-1")
        self.world.wait_job(path)
        records = self.world.history_file(job=self.world.job_id(path))
        self.assertEqual([record["type"] for record in records], ["queued", "started", "finished"])
        self.assertEqual([record["seq"] for record in records], sorted({record["seq"] for record in records}))
        queued, _, finished = records
        self.assertEqual((queued["guid"], queued["from"], queued["to"]), (GUIDS["rmm"], "1.2", "2.0"))
        self.assertEqual((queued["uid"], queued["reason"]), (0, "CVE-2026-1"))
        self.assertEqual(finished["result"], "succeeded")
        for record in records:
            self.assertGreater(record["timestamp"], 1600000000 * 1000000)
            self.assertRegex(record["boot-id"].replace("-", ""), "^[0-9a-f]{32}$")

    def test_the_begin_is_on_disk_before_the_store(self):
        self.world.sim("hang activate")
        job = self.world.job_id(self.world.activate("rmm"))
        self.world.sim("wait activate-entered")
        self.assertEqual([record["type"] for record in self.world.history_file(job=job)], ["queued", "started"])
        self.world.sim("release")
        self.world.wait_record("finished", job)

    def test_the_request_is_on_disk_before_the_reply(self):
        job = self.world.job_id(self.world.activate("rmm"))
        self.assertEqual(self.world.history_file(job=job)[0]["type"], "queued")
        self.world.wait_record("finished", job)

    def test_the_id_is_the_sequence_number_of_the_request(self):
        path = self.world.activate("rmm")
        self.assertEqual(self.world.history_file("queued")[-1]["seq"], self.world.job_id(path))
        self.world.wait_job(path)

    def test_a_new_job_is_announced_before_the_reply_and_its_end_in_any_case(self):
        path = self.world.activate("rmm")
        identity = [self.world.job_id(path), path, GUIDS["rmm"]]
        self.assertEqual([item.args for item in self.world.signals("JobNew")], [identity])
        self.world.wait_job(path)
        self.assertEqual([item.args for item in self.world.signals("JobRemoved")], [identity + ["succeeded"]])

    def test_the_end_is_on_disk_before_it_is_told(self):
        path = self.world.activate("rmm")
        self.world.wait_for(lambda: self.world.signals("JobRemoved"), 20, "JobRemoved")
        self.assertEqual(len(self.world.history_file("finished", self.world.job_id(path))), 1)
        self.assertEqual(self.world.job(path)["State"], "done")

    def test_a_running_job_is_seen_everywhere(self):
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.wait_job_state(path, "activating")
        manager = self.world.manager()
        self.assertEqual((manager["CurrentJob"], manager["Activating"]), (path, True))
        self.assertEqual(self.world.image("rmm")["State"], "activating")
        self.world.sim("release")
        self.world.wait_job(path)
        self.world.wait_for(lambda: self.world.manager()["CurrentJob"] == "/", 10, "CurrentJob to be /")

    def test_jobs_run_one_after_the_other(self):
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        first = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        second = self.world.activate("scp")
        self.assertEqual((self.world.job(second)["State"], self.world.image("scp")["State"]),
                         ("queued", "scheduled"))
        self.assertEqual(self.world.stores(), 1)
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(first), "succeeded")
        self.assertEnded(self.world.wait_job(second), "succeeded")
        self.assertEqual(self.world.stores(), 2)

    def test_a_short_busy_is_waited_for(self):
        self.world.sim("errno write activate EBUSY --times=3")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_the_image_itself_can_be_asked(self):
        path = self.world.call(self.world.image_path("rmm"), IMAGE, "Activate", "a{sv}", {})
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def test_versions_that_were_expected_are_no_hindrance(self):
        self.assertEnded(self.world.run_job("rmm", expected_current_version="1.2", expected_pending_version="2.0"),
                         "succeeded")

    def test_the_next_version_can_follow(self):
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.world.stage("rmm", "3.0")
        job = self.world.run_job("rmm")
        self.assertEnded(job, "succeeded")
        self.assertEqual((job["FromVersion"], job["ToVersion"]), ("2.0", "3.0"))

    def test_lfactl_activates_and_says_so(self):
        done = self.world.lfactl("activate", "rmm", "--reason=a test")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("2.0", done.stdout + done.stderr)
        self.assertEqual(self.world.attribute("rmm", "current_version"), "2.0")


class RefusalTest(world.TestCase):
    def assertNothingDone(self):
        self.assertEqual(self.world.stores(), 0)
        self.assertEqual(self.world.history_file("queued"), [])

    def test_an_unexpected_version_is_refused(self):
        self.world.stage("rmm", "2.0")
        self.assertBusError("VersionChanged", self.world.activate, "rmm", expected_pending_version="2.1")
        self.assertBusError("VersionChanged", self.world.activate, "rmm", expected_current_version="1.1")
        self.assertBusError("VersionChanged", self.world.activate, "rmm", expected_pending_version="")
        self.assertNothingDone()

    def test_nothing_pending_is_refused(self):
        self.assertBusError("NotPending", self.world.activate, "rmm")
        self.assertNothingDone()

    def test_an_image_that_does_not_exist_is_refused(self):
        self.assertBusError("NoSuchImage", self.world.activate, "bl33")
        self.assertNothingDone()

    def test_a_refusal_names_the_image(self):
        error = self.assertBusError("NotPending", self.world.activate, "rmm")
        self.assertRegex(error.message, "(?i)rmm|" + GUIDS["rmm"])

    def test_firmware_staged_anew_behind_the_daemons_back_is_not_activated(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("stage rmm 3.0")
        self.assertNotActivated("rmm", "VersionChanged", expected_pending_version="2.0")
        self.assertEqual(self.world.stores(), 0)
        self.assertEqual(self.world.attribute("rmm", "current_version"), "1.2")

    def test_firmware_unstaged_behind_the_daemons_back_is_not_activated(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("unstage rmm")
        self.assertNotActivated("rmm", "VersionChanged", "NotPending")
        self.assertEqual(self.world.stores(), 0)

    def test_a_job_is_judged_on_a_reading_made_after_the_one_before_it_has_ended(self):
        self.world.configure("[Daemon]\nSettleSec=100ms\n")
        self.world.reload()
        self.world.recognise_nvnew()  # else what vanishes counts as lost
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        paths = [self.world.activate("rmm")]
        self.world.sim("wait activate-entered")
        paths.append(self.world.activate("scp"))
        self.world.sim("vanish scp")  # the driver drops it when the first one succeeds
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(paths[0]), "succeeded")
        self.assertEnded(self.world.wait_job(paths[1]), "refused", "ImageGone")
        self.assertEqual(self.world.history_file("started", self.world.job_id(paths[1])), [])

    def test_a_job_without_the_image_to_cancel_is_no_such_job(self):
        self.assertBusError("NoSuchJob", self.world.call, self.world.image_path("rmm"), IMAGE, "Cancel", "a{sv}", {})

    def test_a_job_that_has_ended_cannot_be_cancelled(self):
        self.world.stage("rmm", "2.0")
        path = self.world.activate("rmm")
        self.world.wait_job(path)
        self.assertBusError("NoSuchJob", self.world.call, path, JOB, "Cancel", "a{sv}", {})

    def test_lfactl_explains_a_refusal(self):
        done = self.world.lfactl("activate", "rmm")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "(?i)staged|pending")


class FlagsTest(world.TestCase):
    """What the driver reads once, when it is bound."""

    options = {"sim_args": ["--unbound"], "parts": ("dbus", "polkitd", "sim")}

    def start_with(self, *commands):
        for command in commands:
            self.world.sim(command)
        self.world.sim("bind")
        self.world.start("lfad")
        self.world.stage("rmm", "2.0")

    def test_an_image_that_is_not_capable_is_refused(self):
        self.start_with("set rmm capable 0")
        self.assertBusError("NotCapable", self.world.activate, "rmm")
        self.assertEqual(self.world.stores(), 0)

    def test_an_image_that_may_reset_cpus_is_refused(self):
        self.start_with("set rmm may-reset 1")
        self.assertBusError("NeedsCpuReset", self.world.activate, "rmm")
        self.assertEqual(self.world.stores(), 0)


class FailureTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")

    def assertFails(self, error, result="failed"):
        path = self.world.activate("rmm")
        job = self.world.wait_job(path)
        self.assertEnded(job, result, error)
        self.assertTrue(job["Message"])
        records = self.world.history_file("finished", self.world.job_id(path))
        self.assertEqual([(record["result"], record.get("error", "").removeprefix(world.ERROR)) for record in records],
                         [(result, error)])
        return job

    def test_firmware_that_refuses_to_prime_failed(self):
        self.world.sim("fail prime LFA_AUTH_ERROR")
        self.assertFails("ActivationFailed")
        self.assertEqual(self.world.image("rmm")["State"], "failed")
        self.assertEqual(self.world.image("rmm")["CurrentVersion"], "1.2")
        self.assertEqual(self.world.stores(), 1)

    def test_firmware_that_refuses_to_activate_failed(self):
        self.world.sim("fail activate LFA_ACTIVATION_FAILED")
        self.assertFails("ActivationFailed")
        self.assertEqual(self.world.stores(), 1)

    def test_after_a_failure_it_may_be_tried_again(self):
        self.world.sim("fail activate LFA_DEVICE_ERROR --times=1")
        self.assertFails("ActivationFailed")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_a_driver_that_stays_busy_is_kernel_busy(self):
        self.world.sim("errno write activate EBUSY")
        self.assertTrue(self.assertFails("KernelBusy")["Retryable"])
        self.assertEqual(self.world.counters()["cancel-stores"], 0, "EBUSY means another run, which is not ours to cancel")

    def test_access_that_is_denied_is_no_permission(self):
        self.world.sim("errno open activate EACCES")
        self.assertFails("NoPermission")

    def test_a_read_only_sysfs_is_read_only(self):
        self.world.sim("errno open activate EROFS")
        self.assertFails("ReadOnly")

    def test_an_attribute_without_its_device_is_image_gone(self):
        self.world.sim("errno write activate ENODEV")
        self.assertFails("ImageGone")

    def test_an_image_that_is_gone_is_image_gone(self):
        self.world.recognise_nvnew()
        self.world.sim("vanish rmm --now")
        try:
            job = self.world.run_job("rmm")
        except world.BusError as error:  # where the last reading is too old for the call
            self.assertEqual(error.short_name, "NoSuchImage")
        else:
            self.assertIn(job["Result"], ("failed", "refused"), job)
            self.assertEqual(job["Error"], world.ERROR + "ImageGone")
        self.assertEqual(self.world.stores(), 0)

    def test_success_without_effect_is_not_success(self):
        self.world.sim("outcome activate no-change")
        job = self.world.run_job("rmm")
        self.assertIn((job["Result"], job["Error"].removeprefix(world.ERROR)),
                      [("failed", "NoEffect"), ("unverified", "")])
        self.assertEqual(self.world.attribute("rmm", "current_version"), "1.2")

    def test_an_error_after_the_change_is_never_called_a_proven_failure(self):
        # The driver renews its cached version after a success only: nobody can see what runs now.
        self.world.sim("outcome activate change-then-fail")
        job = self.world.run_job("rmm")
        self.assertIn((job["Result"], job["Error"].removeprefix(world.ERROR)),
                      [("succeeded", ""), ("unknown", "Unproven")])

    def test_another_version_than_the_pending_one_is_unexpected(self):
        self.world.sim("outcome activate version=9.9")
        self.assertFails("UnexpectedVersion")
        self.assertEqual(self.world.image("rmm")["CurrentVersion"], "9.9")

    def test_the_kernels_cancel_follows_a_refused_prime(self):
        self.world.sim("fail prime LFA_AUTH_ERROR")
        self.assertFails("ActivationFailed")
        self.assertEqual(self.world.counters()["cancel-stores"], 1)


class CancelTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        self.first = self.world.activate("rmm")
        self.world.sim("wait activate-entered")

    def test_a_queued_job_is_cancelled_and_nothing_written(self):
        second = self.world.activate("scp")
        self.world.call(second, JOB, "Cancel", "a{sv}", {})
        self.assertEnded(self.world.wait_job(second), "cancelled", "Cancelled")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(self.first), "succeeded")
        self.assertEqual(self.world.stores(), 1)
        self.assertEqual(self.world.image("scp")["State"], "pending")

    def test_a_running_job_ends_as_the_activation_turned_out(self):
        self.world.call(self.first, JOB, "Cancel", "a{sv}", {})
        self.world.sim("release")
        job = self.world.wait_job(self.first)
        version = self.world.attribute("rmm", "current_version")
        self.assertNotIn(job["Result"], ("cancelled", "refused"), "the write had begun")
        self.assertEqual(job["Result"] == "succeeded", version == "2.0", (job, version))
        self.assertEqual(self.world.stores(), 1)


class WithoutVersionsTest(world.TestCase):
    options = {"firmware": "tfa"}

    def test_success_that_cannot_be_proved_is_unverified(self):
        self.world.sim("stage rmm 2.0")
        self.world.refresh()
        self.assertEqual(self.world.image("rmm")["CurrentVersion"], "")
        job = self.world.run_job("rmm")
        self.assertEnded(job, "unverified")
        self.assertEqual((job["FromVersion"], job["ToVersion"]), ("", ""))


class PendingForEverTest(world.TestCase):
    options = {"firmware": "tfa-fvp"}

    def test_an_image_that_stays_pending_is_not_activated_again(self):
        self.world.refresh()
        self.assertEnded(self.world.run_job("rmm"), "unverified")
        self.assertBusError("RepeatedActivation", self.world.activate, "rmm")
        self.assertEqual(self.world.stores(), 1)


class LimitTest(world.TestCase):
    def test_one_image_has_one_job_or_a_cap(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        with self.assertRaises(world.BusError):
            for _ in range(100):
                self.world.activate("rmm")
        self.assertEqual(self.world.manager()["Activating"], True)
        self.assertTrue(self.world.call(PATH, "org.freedesktop.DBus.Peer", "Ping") in (None, []))
        self.world.sim("release")
        self.world.wait_for(lambda: len(self.world.history_file("queued"))
                            == len(self.world.history_file("finished")), 60, "all jobs to end")
        self.assertEqual(self.world.stores(), 1)


world.main()
