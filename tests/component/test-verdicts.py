#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every row of the verdict table of org.arm.LFA1(5), each of its results, reached by an activation that really ran."""

import os
import re
import signal
import sys
from unittest import mock

import world

MANUAL = os.path.join(world.SOURCE_DIR, "man/org.arm.LFA1.5.rst")
# Stands for the worker: between the last gate, which may have read anew, and its last look something happens.
WORKER = """#!/bin/sh
[ "$1" != activate ] || LFA_SIM_CONTROL=@CONTROL@ @SIM@ ctl @COMMAND@ >&2 || exit 1
exec @WORKER@ "$@"
"""

reached = {}


def documented():
    """{(row, result)} from the manual's table."""
    with open(MANUAL, encoding="utf-8") as file:
        table = re.search(r"\nVERDICTS\n=+\n(.*?)\n\w+\n====", file.read(), re.DOTALL).group(1)
    outcomes = set()
    for row, text in re.findall(r"\n``(\d+)`` \*(.*?)\*\n", table):
        results = re.findall(r"\b(?:succeeded|unverified|failed|refused|unknown)\b", text)
        outcomes |= {(int(row), result) for result in results}
    return outcomes


class VerdictTest(world.TestCase):
    options = {"parts": ("dbus", "sim")}

    def begin(self, profile="nvnew", firmware="versioned", image="rmm", before_write=None):
        """lfad runs, and something is pending. before_write: what the simulator is told after the last gate."""
        self.world.close()
        self.world = world.World(profile=profile, firmware=firmware, parts=("dbus", "sim"))
        self.world.__enter__()
        self.world.configure(f"[Daemon]\nSettleSec=100ms\n[Driver]\nAllowProfile={profile}\n")
        with mock.patch.object(world, "WORKER", self.worker(before_write) if before_write else world.WORKER):
            self.world.start("lfad")
        self.image = image
        if firmware != "tfa-fvp":
            self.world.stage(image, "2.0")

    def worker(self, command):
        path = os.path.join(self.world.dir, "worker")
        with open(path, "w", encoding="utf-8") as file:
            file.write(WORKER.replace("@CONTROL@", self.world.control).replace("@SIM@", world.SIM)
                       .replace("@COMMAND@", command).replace("@WORKER@", world.WORKER))
        os.chmod(path, 0o755)
        return path

    def hold(self):
        """An activation that has entered the driver; release() lets it go on."""
        self.world.sim("hang activate")
        path = self.world.activate(self.image)
        self.world.sim("wait activate-entered")
        self.world.wait_job_state(path, "activating")
        return path

    def kill_writer(self):
        """Takes effect once the write returns. lfad's poll may have other workers run."""
        with open(os.path.join(self.world.runtime_dir, "activation.lock"), encoding="ascii") as file:
            os.kill(int(file.read().split()[0]), signal.SIGKILL)

    def assertVerdict(self, row, result, error="", job=None):
        record = self.world.wait_record("finished", job and self.world.job_id(job))
        got = record["verdict-row"], record["result"], record.get("error", "").removeprefix(world.ERROR)
        self.assertEqual(got, (row, result, error), record)
        reached.setdefault((row, result), []).append(self.id().rsplit(".", 1)[1])

    def run_image(self):
        path = self.world.activate(self.image)
        self.world.wait_job(path)
        return path

    def test_01_the_host_restarted_meanwhile(self):
        self.begin()
        path = self.hold()
        self.world.restart_host()
        self.assertVerdict(1, "unknown", "HostRestarted", path)

    def test_02_what_was_authorised_is_not_there_any_more(self):
        self.begin(before_write=r"raw may_reset_cpu '1\n' --image=rmm")
        self.assertVerdict(2, "refused", "VersionChanged", self.run_image())
        self.begin("nv3", before_write=r"raw auto_activate '1\n' --image=rmm")
        self.assertVerdict(2, "refused", "KernelAutoActivate", self.run_image())

    def test_02_nothing_reached_firmware(self):
        self.begin()
        for errno, where, error in (("EBUSY", "write", "KernelBusy"), ("EACCES", "open", "NoPermission"),
                                    ("EROFS", "open", "ReadOnly"), ("ENODEV", "write", "ImageGone")):
            self.world.sim(f"errno {where} activate {errno}")
            self.assertVerdict(2, "failed", error, self.run_image())
            self.world.sim(f"errno {where} activate none")

    def test_02_einval_of_the_first_versions(self):
        self.begin("rfc2")
        self.world.sim("errno write activate EINVAL")
        self.assertVerdict(2, "failed", "NeedsCpuReset", self.run_image())

    def test_03_the_version_moved(self):
        self.begin()
        self.assertVerdict(3, "succeeded", "", self.run_image())
        self.world.stage("rmm", "3.0")
        self.world.sim("outcome activate version=9.9")
        self.assertVerdict(3, "failed", "UnexpectedVersion", self.run_image())

    def test_03_the_version_moved_and_no_report_says_how(self):
        self.begin()
        path = self.hold()
        self.kill_writer()
        self.world.sim("release")
        self.assertVerdict(3, "succeeded", "", path)

    def test_04_no_report(self):
        self.begin(firmware="tfa")
        path = self.hold()
        self.kill_writer()
        self.world.sim("release")
        self.assertVerdict(4, "unknown", "NoReport", path)

    def test_05_the_image_is_gone(self):
        self.begin(firmware="tfa")
        self.world.sim("fail inventory DEVICE_ERROR --image=rmm")
        self.assertVerdict(5, "unverified", "ImageGone", self.run_image())
        self.begin()
        self.world.sim("never activate")  # until the driver is removed, which cancels it
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.sim("unbind")
        self.assertVerdict(5, "unknown", "ImageGone", path)

    def test_06_the_image_cannot_be_read(self):
        for fault, result in (("fail activate none", "unverified"), ("fail activate AUTH_ERROR", "unknown")):
            self.begin(firmware="tfa")
            self.world.sim(fault)
            path = self.hold()
            self.world.sim("errno read activation_pending EIO")
            self.world.sim("release")
            self.assertVerdict(6, result, "Unreadable", path)

    def test_07_nothing_is_pending_any_more(self):
        self.begin(firmware="tfa")
        self.assertVerdict(7, "unverified", "", self.run_image())
        self.begin()  # the same version once more
        self.world.stage("rmm", "1.2")
        self.assertVerdict(7, "unverified", "", self.run_image())

    def test_08_no_effect(self):
        self.begin()
        self.world.sim("outcome activate no-change")
        self.world.sim("fail info DEVICE_ERROR")
        path = self.run_image()
        self.assertVerdict(8, "failed", "NoEffect", path)
        self.begin("v1nv")  # where a failure is told as a success
        self.world.sim("fail activate AUTH_ERROR")
        self.assertVerdict(8, "failed", "NoEffect", self.run_image())

    def test_09_it_stays_pending(self):
        self.begin(firmware="tfa-fvp")
        self.assertVerdict(9, "unverified", "", self.run_image())
        self.begin("v1", "tfa-fvp")
        self.assertVerdict(9, "unknown", "Unproven", self.run_image())

    def test_10_the_log_names_prime(self):
        self.begin(firmware="tfa")
        self.world.sim("fail prime AUTH_ERROR")
        self.assertVerdict(10, "failed", "ActivationFailed", self.run_image())

    def test_10_the_version_is_pending_still(self):
        self.begin()
        self.world.sim("fail activate ACTIVATION_FAILED")
        self.assertVerdict(10, "failed", "ActivationFailed", self.run_image())

    def test_10_pending_is_known_to_fall_after_a_success(self):
        self.begin(firmware="tfa")
        self.assertVerdict(7, "unverified", "", self.run_image())
        self.world.stage("rmm", "3.0")
        self.world.sim("fail activate ACTIVATION_FAILED")
        self.assertVerdict(10, "failed", "ActivationFailed", self.run_image())

    def test_11_nothing_is_proven(self):
        self.begin(firmware="tfa")
        self.world.sim("fail activate ACTIVATION_FAILED")
        self.assertVerdict(11, "unknown", "Unproven", self.run_image())
        self.begin()
        self.world.sim("outcome activate change-then-fail")
        self.assertVerdict(11, "unknown", "Unproven", self.run_image())

    def test_99_every_row_and_result_of_the_manual_was_reached(self):
        for outcome in sorted(reached):
            print(f"row {outcome[0]:2} {outcome[1]:10} {', '.join(reached[outcome])}", file=sys.stderr)
        self.assertEqual(set(reached), documented())


world.main()
