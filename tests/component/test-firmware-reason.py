#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The firmware's own reason, which only the kernel's log has: told with what it means, for every version of the
driver; never another image's, never a user's; kept over a restart; and nothing else depends on it."""

import errno
import json

import world
from world import GUIDS, PATH

AUTH_ERROR = "LFA_AUTH_ERROR"
SCP = GUIDS["scp"]


class ReasonTestCase(world.TestCase):
    """A world with firmware staged for the RMM, in which activations begin soon."""

    def begin(self, profile="nvnew", firmware="versioned", **options):
        self.world.close()
        self.world = world.World(profile=profile, firmware=firmware, parts=("dbus", "polkitd", "sim"), **options)
        self.world.__enter__()
        self.world.configure("[Daemon]\nSettleSec=100ms\n[Driver]\nAllowProfile=rfc1 rfc2 v1 v1nv\n")
        self.world.start("lfad")
        self.world.stage("rmm", "2.0")

    def setUp(self):
        super().setUp()
        self.begin()

    def run_with(self, *commands, image="rmm"):
        for command in commands:
            self.world.sim(command)
        return self.world.run_job(image)

    def finished(self):
        return self.world.history_file("finished")[-1]

    def cancels(self):
        """What firmware was asked, by lfad: CANCELs that the driver sends itself are no stores."""
        return self.world.counters()["cancel-stores"]


class RefusedTest(ReasonTestCase):
    def test_a_refused_prime_is_told_with_meaning_and_advice_and_proves_that_the_old_firmware_runs(self):
        job = self.run_with("fail prime AUTH_ERROR")
        self.assertEnded(job, "failed", "ActivationFailed")
        self.assertEqual((job["FirmwareCode"], job["Retryable"]), (AUTH_ERROR, False))
        self.assertNotIn("canceled", job["Message"], "nobody has")
        for text in ("PRIME gave LFA_AUTH_ERROR", "signature", "Stage an image"):
            self.assertIn(text, job["Message"])
        self.assertEqual((self.finished()["firmware-code"], self.finished()["firmware-call"]), (AUTH_ERROR, "prime"))
        self.assertEqual(self.world.image("rmm")["LastFirmwareCode"], AUTH_ERROR)

    def test_it_is_announced_with_the_end(self):
        self.world.sim("fail prime NO_MEMORY")
        path = self.world.activate("rmm")
        self.world.wait_job(path)
        self.assertEqual(self.world.changed(path, "FirmwareCode"), ["LFA_NO_MEMORY"])
        self.assertEqual(self.world.changed(self.world.image_path("rmm"), "LastFirmwareCode"), ["LFA_NO_MEMORY"])

    def test_it_is_in_what_the_bus_gives_of_history_and_everything(self):
        self.run_with("fail prime AUTH_ERROR")
        records = self.world.call(PATH, world.MANAGER, "GetHistory", "a{sv}", {"type": "finished"})
        self.assertEqual((records[-1]["firmware-code"], records[-1]["firmware-call"]), (AUTH_ERROR, "prime"))
        document = json.loads(self.world.call(PATH, world.MANAGER, "Describe", "a{sv}", {}))
        self.assertEqual(document["jobs"][-1]["firmware-code"], AUTH_ERROR)
        self.assertEqual([image.get("last-firmware-code") for image in document["images"]
                          if image["guid"] == GUIDS["rmm"]], [AUTH_ERROR])

    def test_a_refused_activate_is_told_and_proves_nothing_by_itself(self):
        job = self.run_with("outcome activate change-then-fail")
        self.assertEnded(job, "unknown", "Unproven")
        self.assertEqual((job["FirmwareCode"], job["Retryable"]), ("LFA_ACTIVATION_FAILED", False))
        self.assertEqual(self.finished()["firmware-call"], "activate")

    def test_without_versions_a_refused_prime_is_a_failure_and_a_refused_activate_is_not_known(self):
        self.begin(profile="v3", firmware="tfa")
        job = self.run_with("fail prime AUTH_ERROR --times=1")
        self.assertEnded(job, "failed", "ActivationFailed")
        self.assertEqual(job["FirmwareCode"], AUTH_ERROR)
        job = self.run_with("fail activate DEVICE_ERROR")
        self.assertEnded(job, "unknown", "Unproven")
        self.assertEqual(job["FirmwareCode"], "LFA_DEVICE_ERROR")

    def test_a_success_has_no_reason_and_forgets_the_last_one(self):
        self.run_with("fail prime AUTH_ERROR --times=1")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.assertEqual(self.world.image("rmm")["LastFirmwareCode"], "")
        self.assertNotIn("firmware-code", self.finished())

    def test_a_code_that_only_has_a_number_is_told_as_the_driver_prints_it(self):
        self.assertEqual(self.run_with("fail prime -12")["FirmwareCode"], "LFA_DEVICE_ERROR")


class PersonTest(ReasonTestCase):
    """What lfactl makes of it."""

    def test_code_meaning_and_advice_are_shown_wherever_the_job_is(self):
        self.world.sim("fail prime AUTH_ERROR")
        done = self.world.lfactl("activate", "rmm")
        self.assertEqual(done.returncode, 1)
        self.assertIn("rmm: 1.2 → 2.0: failed, ActivationFailed [LFA_AUTH_ERROR]: ", done.stdout)
        for text in ("check of signature and rollback", "Stage an image"):
            self.assertEqual((done.stdout + done.stderr).count(text), 1)
        shown = self.world.lfactl("show", "rmm").stdout
        self.assertRegex(shown, "LastFirmwareCode: LFA_AUTH_ERROR\n")
        self.assertRegex(shown, "Last code means: .*signature.* Stage an image")
        self.assertIn("failed (ActivationFailed [LFA_AUTH_ERROR])", self.world.lfactl("list").stdout)
        self.assertIn("ActivationFailed [LFA_AUTH_ERROR]", self.world.lfactl("history").stdout)
        long_view = self.world.lfactl("history", "--long").stdout
        for text in ("firmware-code: LFA_AUTH_ERROR", "firmware-call: prime", "Stage an image"):
            self.assertIn(text, long_view)

    def test_json_has_the_code(self):
        self.world.sim("fail prime AUTH_ERROR")
        self.assertEqual(self.json("activate", "rmm")["jobs"][0]["FirmwareCode"], AUTH_ERROR)
        self.assertEqual(self.json("show", "rmm")["images"][0]["LastFirmwareCode"], AUTH_ERROR)
        self.assertEqual(self.json("history")["records"][-1]["firmware-code"], AUTH_ERROR)

    def json(self, *arguments):
        return json.loads(self.world.lfactl("--json=short", *arguments).stdout)


class ProfileTest(ReasonTestCase):
    """Each wording, end to end: (profile, what fails, code)."""

    def check(self, profile, call, expected, *more):
        self.begin(profile=profile)
        job = self.run_with(f"fail {call} NO_MEMORY --times=1", *more)
        self.assertEqual((job["FirmwareCode"], self.finished().get("firmware-call")), (expected, call), job["Message"])
        return job

    def test_rfc1_prints_numbers_and_no_name(self):
        self.assertEnded(self.check("rfc1", "prime", "LFA_NO_MEMORY"), "failed", "ActivationFailed")

    def test_v1(self):
        self.assertEnded(self.check("v1", "prime", "LFA_NO_MEMORY"), "failed", "ActivationFailed")

    def test_v1nv_names_no_image_at_prime(self):
        self.assertEnded(self.check("v1nv", "prime", "LFA_NO_MEMORY"), "failed", "ActivationFailed")

    def test_v1nv_reports_success_for_a_refused_activate_and_the_log_knows_better(self):
        self.assertEnded(self.check("v1nv", "activate", "LFA_NO_MEMORY"), "failed", "NoEffect")

    def test_v1nv_prints_garbage_for_a_name(self):
        self.begin(profile="v1nv")
        self.world.stage("scp", "4.0")
        self.assertEqual(self.run_with("fail activate NO_MEMORY --times=1", image="scp")["FirmwareCode"],
                         "LFA_NO_MEMORY")

    def test_v2_knows_the_guid_of_an_image_without_a_name(self):
        self.begin(profile="v2")
        self.world.stage("scp", "4.0")
        job = self.run_with("fail prime NO_MEMORY", image="scp")
        self.assertEqual(job["FirmwareCode"], "LFA_NO_MEMORY")

    def test_v3(self):
        self.assertEnded(self.check("v3", "activate", "LFA_NO_MEMORY"), "failed", "ActivationFailed")


class TimeOutTest(ReasonTestCase):
    def test_a_prime_that_never_ends(self):
        job = self.run_with("budget prime 50ms", "never prime")
        self.assertEnded(job, "failed", "ActivationFailed")
        self.assertEqual(job["FirmwareCode"], "PRIME_TIMED_OUT")
        self.assertIn("within the driver's time", job["Message"])

    def test_an_activate_that_never_ends_is_not_taken_for_the_device_error_that_the_driver_prints(self):
        job = self.run_with("never activate")
        self.assertIn("LFA_DEVICE_ERROR", self.world.sim("log"))
        self.assertGreaterEqual(job["WriteUSec"], 10000000)
        self.assertEqual(job["FirmwareCode"], "ACTIVATE_TIMED_OUT")


class BusyTest(ReasonTestCase):
    """Another activation is at work in firmware: a CANCEL would hit that."""

    def test_no_cancel_is_sent_after_a_busy_prime(self):
        job = self.run_with("fail prime BUSY")
        self.assertEnded(job, "failed", "ActivationFailed")
        self.assertEqual((job["FirmwareCode"], job["Retryable"]), ("LFA_BUSY", True))
        self.assertEqual(self.cancels(), 0)

    def test_no_further_cancel_is_sent_after_a_busy_activate(self):
        self.begin(profile="v2")
        job = self.run_with("busy activate 1")
        self.assertEqual(job["FirmwareCode"], "LFA_BUSY")
        self.assertEqual(self.cancels(), 0)

    def test_no_further_cancel_is_sent_when_the_drivers_own_came_too_late(self):
        job = self.run_with("fail activate CRITICAL_ERROR", "fail cancel BUSY")
        self.assertEqual(job["FirmwareCode"], "LFA_CRITICAL_ERROR")
        self.assertEqual(self.cancels(), 0)

    def test_after_any_other_reason_one_is_sent(self):
        self.run_with("fail prime AUTH_ERROR")
        self.assertEqual(self.cancels(), 1)

    def test_another_images_busy_keeps_nobody_from_it(self):
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.sim(["log-line", f"Arm LFA: LFA_PRIME for image {SCP} failed: LFA_BUSY"])
        self.world.sim("fail activate AUTH_ERROR")
        self.world.sim("release")
        self.world.wait_job(path)
        self.assertEqual(self.cancels(), 1)


class WhoseLineTest(ReasonTestCase):
    """Whatever else comes into the log while the write runs."""

    def run_beside(self, *lines, code):
        """A job whose ACTIVATE is answered with code after these lines were logged; what it ended as."""
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        for line in lines:
            line()
        self.world.sim(f"fail activate {code}")
        self.world.sim("release")
        return self.world.wait_job(path)

    def log_line(self, text, *options):
        return lambda: self.world.sim(["log-line", *options, text])

    @staticmethod
    def user_line(text):
        def write():
            with open(world.KERNEL_LOG, "w", encoding="utf-8") as file:
                file.write(text)
        return write

    def run_unbound(self, *lines):
        """A job whose write fails without a word of the driver, since it is unbound meanwhile, after these lines."""
        self.world.sim("never prime")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        for line in lines:
            line()
        self.world.sim("unbind")
        job = self.world.wait_job(path)
        self.assertEqual(self.finished()["errno"], errno.ECANCELED)
        return job

    def test_a_line_that_may_be_ours_counts_when_it_comes_during_the_write(self):
        self.assertEqual(self.run_unbound(self.log_line("LFA_PRIME failed: -3"))["FirmwareCode"], AUTH_ERROR)

    def test_another_images_line_is_never_ours(self):
        names = (SCP, "TF-A BL31 runtime", "BL33 non-secure payload", "somebody else")
        job = self.run_unbound(*[self.log_line(f"Arm LFA: LFA_PRIME for image {name} failed: LFA_AUTH_ERROR")
                                 for name in names])
        self.assertEqual(job["FirmwareCode"], "")
        self.assertNotIn("firmware-call", self.finished())

    def test_a_line_that_a_user_wrote_is_never_believed(self):
        line = "Arm LFA: LFA_PRIME for image TF-RMM failed: LFA_AUTH_ERROR"
        lines = [self.log_line(line, "--facility=1"), self.log_line(line, "--facility=23")]
        lines += [self.user_line("<3>" + line)] if world.mounted_on(world.KERNEL_LOG) else []
        job = self.run_unbound(*lines)
        self.assertEqual(self.world.sim("log").count(line), len(lines))
        self.assertEqual(job["FirmwareCode"], "")

    def test_what_was_printed_before_the_write_does_not_count(self):
        self.world.sim(["log-line", "LFA_PRIME failed: -3"])
        job = self.run_with("errno write activate ECANCELED")
        self.assertEqual(job["FirmwareCode"], "")
        self.assertIn("The driver said: Operation canceled.", job["Message"])

    def test_lines_of_both_calls_never_prove_that_prime_failed(self):
        self.begin(profile="rfc1")
        job = self.run_beside(self.log_line("LFA_PRIME failed: -3"), code="CRITICAL_ERROR")
        self.assertEqual((job["FirmwareCode"], self.finished()["firmware-call"]), ("LFA_CRITICAL_ERROR", "activate"))

    def test_garbage_does_no_harm(self):
        garbage = ["\\x01\\xff\\xfe", "Arm LFA: ", ";;;;", "3,1,2,-;LFA_PRIME failed: -3", "LFA_PRIME failed: -",
                   "x" * 4000]
        job = self.run_beside(*[self.log_line(text) for text in garbage], code="AUTH_ERROR")
        self.assertEqual((job["FirmwareCode"], self.finished()["firmware-call"]), (AUTH_ERROR, "activate"))

    def test_a_log_that_was_overwritten_still_tells_what_names_the_image(self):
        with_user = world.mounted_on(world.KERNEL_LOG)
        flood = self.user_line("flood") if with_user else self.log_line("flood")
        job = self.run_beside(*[flood] * 600, code="AUTH_ERROR")
        self.assertEqual(job["FirmwareCode"], AUTH_ERROR)
        self.assertIn("overwritten", self.world.log("lfad"))


class WithoutLogTest(ReasonTestCase):
    """Where the log cannot be read nothing is told, and all else is as ever."""

    def setUp(self):
        super().setUp()
        self.begin(lfad_args=["--kernel-log=/nonexistent"])

    def test_a_refusal_has_no_reason_and_is_judged_by_what_is_seen(self):
        job = self.run_with("fail prime AUTH_ERROR --times=1")
        self.assertEnded(job, "failed", "ActivationFailed")
        self.assertEqual((job["FirmwareCode"], job["Retryable"]), ("", False))
        self.assertEqual(self.cancels(), 1)
        self.assertEqual([key for key in self.finished() if key.startswith("firmware")], [])
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_without_versions_a_refused_prime_is_not_known(self):
        self.begin(profile="v3", firmware="tfa", lfad_args=["--kernel-log=/nonexistent"])
        self.assertEnded(self.run_with("fail prime AUTH_ERROR"), "unknown", "Unproven")

    def test_what_is_no_kernel_log_is_passed_over(self):
        for path in ("/dev/null", "/dev/tty", "/proc/self/status", "/sys", "/dev/zero"):
            with self.subTest(path=path):
                self.begin(lfad_args=[f"--kernel-log={path}"])
                job = self.run_with("fail prime AUTH_ERROR")
                self.assertEnded(job, "failed", "ActivationFailed")
                self.assertEqual(job["FirmwareCode"], "")


class RestartTest(ReasonTestCase):
    def begin_write(self):
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.sim("fail activate AUTH_ERROR")
        return path

    def assertTold(self, path):
        record = self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual((record["firmware-code"], record["firmware-call"]), (AUTH_ERROR, "activate"))
        self.assertIn("signature", record["message"])
        self.assertEqual(self.world.job(path)["FirmwareCode"], AUTH_ERROR)
        self.world.refresh()
        self.assertEqual(self.world.image("rmm")["LastFirmwareCode"], AUTH_ERROR)

    def test_the_reason_survives_a_restart_of_lfad_during_the_write(self):
        path = self.begin_write()
        self.world.kill("lfad")
        self.world.start("lfad")
        self.world.sim("release")
        self.assertTold(path)

    def test_the_reason_survives_when_the_worker_ends_without_lfad(self):
        path = self.begin_write()
        self.world.kill("lfad")
        self.world.sim("release")
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the worker to end")
        self.world.start("lfad")
        self.assertTold(path)

    def test_the_last_reason_of_an_image_survives_a_restart(self):
        self.run_with("fail prime AUTH_ERROR")
        self.world.restart("lfad")
        self.assertEqual(self.world.image("rmm")["LastFirmwareCode"], AUTH_ERROR)


world.main()
