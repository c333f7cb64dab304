#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The traps of the kernel driver's versions, each with lfad's defence against it, or with its warning where userspace
has none: the daemon as shipped, run on every version that has the trap. At the end a table shows which were met.

What traps there are, and on which versions, is read from lfad-drivers(7)."""

import contextlib
import json
import os
import re
import sys
import unittest

import memcheck
import world
from world import GUIDS, TREE

ALL = ("rfc1", "rfc2", "nvrfc", "v1", "v1nv", "v2s", "v2", "v2bos", "v3", "nv3", "nvnew")
HERE = os.environ.get("LFAD_PROFILES", " ".join(ALL)).split()  # so that they can be run side by side
REFUSED = ("rfc1", "rfc2", "nvrfc", "v1", "v1nv")  # unless the configuration allows them
V1 = ("v1", "v1nv")
RFC = ("rfc1", "rfc2", "nvrfc")
NAMELESS = "0509b633-5734-422f-a681-6096e932d93a"  # no version of the driver has a name for it

# Needs the driver's own ten seconds, so that it is shown on one version only: test-firmware-reason.py
ELSEWHERE = {"mislabelled-time-out"}


def documented():
    """Trap -> the versions that have it, from the manual."""
    with open(os.path.join(world.SOURCE_DIR, "man/lfad-drivers.7.rst"), encoding="utf-8") as file:
        traps = re.search(r"\nTRAPS\n=+\n(.*?)\n[A-Z ]+\n===", file.read(), re.DOTALL).group(1)
    return {name: versions.split() for name, versions in re.findall(r"\n``([a-z-]+)`` \*(.*?)\*\n", traps)
            if name not in ELSEWHERE}


TRAPS = documented()
tests = {}  # trap -> how many tests are about it
met = {}  # trap -> the versions on which all its tests went well


def trap(name):
    """A test of one trap, which is called once for each version that has it, with a world of that version."""
    def decorate(function):
        def test(self):
            for profile in [profile for profile in TRAPS[name] if profile in HERE]:
                with self.subTest(profile=profile):
                    function(self, profile)
                    met.setdefault(name, []).append(profile)
        tests[name] = tests.get(name, 0) + 1
        test.__name__ = function.__name__
        test.__doc__ = f"Trap {name}."
        return test
    return decorate


def tearDownModule():
    print(f"\n{'':24}" + " ".join(f"{profile:>5}" for profile in HERE), file=sys.stderr)
    for name, profiles in TRAPS.items():
        cells = ("-" if profile not in profiles
                 else "met" if met.get(name, []).count(profile) == tests.get(name) else "NOT" for profile in HERE)
        print(f"{name:24}" + " ".join(f"{cell:>5}" for cell in cells), file=sys.stderr)


class TrapTest(unittest.TestCase):
    BY_ITSELF = "the kernel may activate pending firmware by itself"

    def test_every_trap_of_the_manual_has_a_test(self):
        self.assertEqual(set(tests), set(TRAPS))

    @contextlib.contextmanager
    def a_world(self, profile, firmware="versioned", config="", allow=True):
        with world.World(profile=profile, firmware=firmware, parts=("dbus", "sim")) as here:
            lines = "[Daemon]\nSettleSec=100ms\n[Driver]\n"
            if allow and profile in REFUSED:
                lines += f"AllowProfile={profile}\n"
            here.configure(lines + config)
            here.start("lfad")
            try:
                yield here
            except BaseException:
                sys.stderr.write(f"\n=== {self.id()} {profile}\n{here.logs()}\n")
                raise

    def assertEnded(self, job, result, error=""):
        self.assertEqual((job["Result"], job["Error"].removeprefix(world.ERROR)), (result, error), job["Message"])

    def assertRefused(self, name, call, *args):
        try:
            result = call(*args)
        except world.BusError as error:
            self.assertEqual(error.short_name, name, str(error))
            return error
        self.fail(f"not refused, but answered {result!r}")

    def good_end(self, profile):
        """How an activation that went well ends: the first versions of the driver show no versions."""
        return "unverified" if profile in RFC else "succeeded"

    @trap("any-write-acts")
    def test_one_byte_is_written_once_and_nothing_else_ever(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.stage("scp", "4.0")
            self.assertRefused("NotPending", here.activate, "bl31")
            self.assertRefused("VersionChanged", lambda: here.activate("scp", expected_current_version="9.9"))
            self.assertEqual(here.counters()["activate-stores"], 0)
            self.assertEnded(here.run_job("rmm"), self.good_end(profile))
            here.refresh()
            counters = here.counters()
            self.assertEqual((counters["activate-stores"], counters["bytes-written"]), (1, 1))
            self.assertEqual(counters["cancel-stores"], 0)

    @trap("false-success")
    def test_success_told_for_a_failure_is_not_believed(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.sim("fail activate DEVICE_ERROR --times=1")
            job = here.run_job("rmm")
            self.assertEnded(job, "failed", "NoEffect")
            self.assertEqual(here.wait_record("finished")["errno"], 0)
            self.assertEqual(here.image("rmm")["CurrentVersion"], "1.2")

    @trap("kernel-activates")
    def test_a_kernel_that_activates_by_itself_is_warned_of_with_every_answer(self, profile):
        with self.a_world(profile, allow=False) as here:
            here.stage("rmm", "2.0")
            manager = here.manager()
            self.assertEqual((manager["DriverProfile"], manager["DriverState"]), (profile, "unenforceable"))
            self.assertEqual([code for code, _ in manager["Warnings"]], ["kernel-activates"])
            for name, call in (("ProfileNotAllowed", lambda: here.activate("rmm")),
                               ("NoSuchImage", lambda: here.activate("nothing")),
                               ("InvalidArgs", lambda: here.activate("rmm", nonsense=True))):
                self.assertEqual(self.assertRefused(name, call).message.count(self.BY_ITSELF), 1, name)
            here.restart("lfad")
            self.assertEqual(self.assertRefused("ProfileNotAllowed", lambda: here.activate("rmm")).message
                             .count(self.BY_ITSELF), 1)
            verdict, _ = here.call(world.PATH, world.MANAGER, "Explain", "sa{sv}", "rmm", {})
            self.assertEqual([code for code, _ in verdict["warnings"]], ["kernel-activates"])
            for words in (["status"], ["list"], ["show", "rmm"], ["explain", "rmm"], ["history"], ["activate", "rmm"],
                          ["cancel", "rmm"], ["refresh"], ["reload"], ["activate", "--pending"]):
                self.assertIn("Warning: The kernel driver (v1nv) activates", here.lfactl(*words).stderr, words)
                document = json.loads(here.lfactl("--json=short", *words).stdout)
                self.assertEqual([warning["code"] for warning in document["warnings"]], ["kernel-activates"], words)
            monitor = here.spawn_as(None, ["lfactl", "--json=short", "monitor"])
            here.wait_for(lambda: "kernel-activates" in here.said(monitor), what="the monitor to warn")
            monitor.terminate()
            here.finish(monitor)
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            error = self.assertRefused("AccessDenied", lambda: here.activate_as("nobody", "rmm", interactive=False))
            self.assertEqual(error.message.count(self.BY_ITSELF), 1)
            path = here.activate("rmm")
            self.assertIn(self.BY_ITSELF, here.job(path)["Message"])
            job = here.wait_job(path)
            self.assertEnded(job, "succeeded")
            self.assertEqual(job["Message"].count(self.BY_ITSELF), 1)

    @trap("kernel-activates")
    def test_what_the_kernel_does_by_itself_is_recorded_as_not_ours(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.stage("scp", "4.0")
            here.sim("notify")
            here.sim("wait idle")
            here.refresh()
            here.wait_for(lambda: len(here.history_file("external")) == 2, what="both to be recorded")
            here.sim("auto-cap 20")
            here.sim("fail activate DEVICE_ERROR")
            here.stage("rmm", "3.0")
            here.sim("notify")
            here.sim("wait idle")
            here.refresh()
            self.assertEqual(here.image("rmm")["CurrentVersion"], "2.0")
            self.assertEqual(here.history_file("queued"), [])
            self.assertEqual([code for code, _ in here.manager()["Warnings"]], ["kernel-activates"])

    @trap("garbage-names")
    def test_names_are_known_names_or_the_guid(self, profile):
        with self.a_world(profile) as here:
            self.assertEqual(here.image("rmm")["Name"], "Realm Management Monitor (RMM)")
            self.assertEqual(here.image(NAMELESS)["Name"], NAMELESS)

    @trap("garbage-versions")
    def test_pending_versions_that_are_none_are_never_read(self, profile):
        with self.a_world(profile) as here, world.opened_in(os.path.join(TREE, GUIDS["rmm"])) as opened:
            here.stage("rmm", "2.0")
            self.assertEqual(here.image("rmm")["PendingVersion"], "")
            self.assertEnded(here.run_job("rmm"), "succeeded")
            names = opened()
            self.assertIn("activation_pending", names)
            self.assertNotIn("pending_version", names)

    @trap("fatal-writes")
    def test_images_that_reset_cpus_or_are_not_capable_are_never_written_to(self, profile):
        with self.a_world(profile) as here:
            here.sim("add bl33 1.0 --may-reset=1 --now")
            here.sim("add bl32 1.0 --capable=0 --rendezvous-optional=0 --now")
            for image in ("bl33", "bl32", "rmm"):
                here.sim(["stage", image, "2.0"])
            here.refresh()
            self.assertRefused("NeedsCpuReset", here.activate, "bl33")
            self.assertRefused("NotCapable", here.activate, "bl32")
            # What changes after the last gate is the worker's to see; where the last reading is older, a gate's.
            here.sim("raw may_reset_cpu 1\\n --image=rmm")
            try:
                job = here.run_job("rmm")
            except world.BusError as error:
                self.assertEqual(error.short_name, "NeedsCpuReset")
            else:
                self.assertEqual(job["Result"], "refused")
                self.assertIn("may reset CPUs", job["Message"])
            self.assertEqual(here.stores(), 0)

    @trap("write-into-clean-up")
    def test_nothing_is_written_until_the_tree_has_settled_after_a_success(self, profile):
        self.activate_two(profile, False)
        if profile not in TRAPS["lost-tree"]:  # where that is not taken for one
            self.activate_two(profile, True)

    def activate_two(self, profile, vanish):
        """Together, and something for the driver to clean up after the first one."""
        with self.a_world(profile) as here:
            here.sim("cleanup-window 50ms")
            if vanish:
                here.sim("vanish bl31")
            here.stage("rmm", "2.0")
            here.stage("scp", "4.0")
            paths = [here.activate("rmm"), here.activate("scp")]
            for path in paths:
                self.assertEnded(here.wait_job(path), self.good_end(profile))
            first, second = (here.history_file(job=here.job_id(path)) for path in paths)
            gap = second[1]["timestamp"] - first[-1]["timestamp"]
            self.assertGreaterEqual(gap, 100000, "it was begun before the tree could have settled")
            self.assertEqual(set(os.listdir(TREE)) - {GUIDS["bl31"]}, {GUIDS["rmm"], GUIDS["scp"], NAMELESS})
            self.assertNotIn("tree-lost", [code for code, _ in here.manager()["Warnings"]])

    @trap("endless-auto-activation")
    def test_an_endless_round_of_the_kernel_is_ended(self, profile):
        with self.a_world(profile, firmware="tfa-fvp") as here:
            here.sim("auto rmm 1")
            here.sim("notify")
            here.refresh()  # or the next poll
            here.wait_record("setting-applied")
            here.sim("wait idle")
        if profile not in ("v2bos", "nvnew"):
            return  # no events
        with self.a_world(profile, firmware="tfa-fvp", config="KernelAutoActivate=leave\n") as here:
            here.sim("auto rmm 1")
            here.refresh()
            self.assertEqual(here.attribute("rmm", "auto_activate"), "1")
            self.assertEqual([code for code, _ in here.manager()["Warnings"]], ["auto-activate-left"])
            here.sim("errno write auto_activate EIO --times=1")  # which is no reason to give up
            here.sim("uevent change --count=20")  # which is no storm yet
            self.assertEqual([code for code, _ in here.manager()["Warnings"]], ["auto-activate-left"])
            here.sim("notify")
            here.wait_for(lambda: "event-storm" in [code for code, _ in here.manager()["Warnings"]], what="a warning")
            here.wait_record("setting-applied")
            self.assertEqual(here.attribute("rmm", "auto_activate"), "0")
            here.sim("wait idle")

    @trap("removal")
    def test_a_driver_that_is_removed_meanwhile_leaves_a_record_and_a_way_on(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.sim("hang activate")
            path = here.activate("rmm")
            here.sim("wait activate-entered")
            unbind = here.spawn_as(None, ["lfa-sim", "ctl", "unbind"])
            here.wait_for(lambda: json.loads(here.sim("show --json"))["driver"] != "bound", what="unbind to begin")
            here.sim("release")
            self.assertEqual(here.finish(unbind).returncode, 0)
            job = here.wait_job(path)
            self.assertIn((job["Result"], job["Error"].removeprefix(world.ERROR)),
                          (("unverified", "ImageGone"), ("unknown", "ImageGone")))
            here.refresh()
            self.assertEqual(here.manager()["DriverState"], "no-driver")
            self.assertRefused("NoDriver", here.activate, "rmm")
            here.sim("bind")
            here.refresh()
            self.assertIn(here.manager()["DriverState"], ("active", "unenforceable"))
            here.stage("scp", "4.0")
            self.assertEnded(here.run_job("scp"), self.good_end(profile))

    @trap("primed-after-error")
    def test_what_stayed_primed_after_an_error_is_cancelled(self, profile):
        with self.a_world(profile, firmware="tfa") as here:
            here.stage("rmm", "2.0")
            here.stage("sp1", "2.0")
            here.sim("lost-prime 1")
            self.assertEnded(here.run_job("rmm"), "unknown", "Unproven")
            self.assertEqual(here.counters()["cancel-stores"], 1)
            self.assertEnded(here.run_job("sp1"), "unverified")

    @trap("lost-tree")
    def test_a_lost_tree_is_told_and_nothing_written_until_the_driver_is_bound_again(self, profile):
        with self.a_world(profile) as here:
            here.stage("scp", "4.0")
            here.stage("rmm", "2.0")
            here.sim("lose-tree next 3")
            here.run_job("rmm")
            here.wait_for(lambda: here.manager()["DriverState"] == "tree-lost", what="the loss to be told")
            self.assertEqual([code for code, _ in here.manager()["Warnings"]], ["tree-lost"])
            lost = {record["guid"] for record in here.history_file("vanished") if record["lost"]}
            left = set(os.listdir(TREE))
            self.assertEqual((len(lost), len(left)), (3, 1))
            image, = left
            here.stage(image, "7.0")
            error = self.assertRefused("TreeLost", here.activate, image)
            self.assertIn("lost 3 of its images", error.message)
            self.assertEqual(here.lfactl("activate", image).returncode, 8)
            here.restart("lfad")  # which knows it from its records
            self.assertEqual(here.manager()["DriverState"], "tree-lost")
            self.assertRefused("TreeLost", here.activate, image)
            self.assertEqual(here.stores(), 1)
            here.sim("unbind")
            gone = next(guid for guid in lost if guid != GUIDS["rmm"])
            here.sim(f"vanish {gone}")  # what the driver does not show when it is bound is not lost
            here.sim("bind")
            here.refresh()
            self.assertEqual((here.manager()["DriverState"], here.manager()["Warnings"]), ("active", []))
            self.assertEnded(here.run_job(image), "succeeded")
        with self.a_world(profile) as here:  # all of them
            here.stage("rmm", "2.0")
            here.sim("lose-tree next all")
            here.run_job("rmm")
            here.wait_for(lambda: here.manager()["DriverState"] == "tree-lost", what="the loss to be told")
            self.assertEqual(here.manager()["DriverProfile"].replace("v2bos", "v2"), profile.replace("v2bos", "v2"))
            self.assertRefused("TreeLost", here.activate, "rmm")
            self.assertRefused("TreeLost", lambda: here.call(world.PATH, world.MANAGER, "ActivatePending", "a{sv}", {}))
            self.assertIn("bind it again", here.lfactl("status").stdout)

    @trap("lost-tree")
    def test_a_loss_is_found_by_an_lfad_that_was_restarted_meanwhile(self, profile):
        for end, number in (("stop", 2), ("kill", 4)):
            with self.a_world(profile) as here:
                here.stage("rmm", "2.0")
                here.stage("scp", "4.0")
                here.sim(f"lose-tree next {number}")
                here.sim("hang activate")
                path = here.activate("rmm")
                here.sim("wait activate-entered")
                here.wait_job_state(path, "activating")
                if end == "kill":
                    here.kill("lfad")
                    here.sim("release")
                else:
                    here.sim("release")
                    here.stop("lfad")
                here.sim("wait idle")
                here.start("lfad")
                here.wait_record("finished", here.job_id(path))
                here.wait_for(lambda: here.manager()["DriverState"] == "tree-lost", what="the loss to be told")

    @trap("forgotten-settings")
    def test_what_could_not_be_set_is_tried_again(self, profile):
        config = f"[Image rmm]\nGuid={GUIDS['rmm']}\nCpuRendezvous=firmware\n"
        with self.a_world(profile) as here:
            here.sim("errno write force_cpu_rendezvous EIO --times=1")
            here.configure(f"[Driver]\nAllowProfile={' '.join(REFUSED)}\n" + config)
            here.reload()
            here.wait_for(lambda: "Cannot set force_cpu_rendezvous" in here.log("lfad"), what="it to be said")
            here.stage("rmm", "2.0")
            self.assertRefused("SettingNotApplied", here.activate, "rmm")
            here.reload()
            here.wait_record("setting-applied")
            self.assertEnded(here.run_job("rmm"), "succeeded")
            for _ in range(5):  # a directory that is made anew is no failure, however often
                here.sim("unbind")
                here.sim("bind")
                here.refresh()
                here.wait_for(lambda: here.attribute("rmm", "force_cpu_rendezvous") == "0", what="it to be set")

    @trap("no-return")
    def test_a_writer_that_never_returns_takes_nothing_with_it(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.stage("scp", "4.0")
            here.sim("outcome activate change-then-fail --image=rmm")  # the driver's CANCEL is refused, too
            path = here.activate("rmm")
            here.sim("wait activate-entered")
            here.wait_job_state(path, "activating")
            behind = here.activate("scp")
            self.assertEqual(here.manager()["CurrentJob"], path)
            self.assertIn("activating", here.lfactl("status").stdout)
            here.kill("lfad")
            here.start("lfad")  # which follows the writer that is left
            self.assertEqual((here.manager()["CurrentJob"], here.job(path)["State"]), (path, "activating"))
            self.assertEqual(here.wait_record("finished", here.job_id(behind))["result"], "cancelled")
            self.assertEqual((here.stores(), here.history_file("finished", here.job_id(path))), (1, []))

    @trap("empty-names")
    def test_an_image_without_a_name_is_shown_by_its_guid(self, profile):
        with self.a_world(profile) as here:
            self.assertEqual(here.attribute(NAMELESS, "name"), "")
            self.assertEqual(here.image(NAMELESS)["Name"], NAMELESS)
            self.assertIn(NAMELESS, here.lfactl("list").stdout)

    @trap("version-needs-look")
    def test_the_pending_version_is_right_at_the_first_reading(self, profile):
        with self.a_world(profile) as here:
            here.sim("stage rmm 2.0")
            here.refresh()
            self.assertEqual(here.image("rmm")["PendingVersion"], "2.0")
            here.sim("unstage rmm")
            here.refresh()
            self.assertEqual(here.image("rmm")["PendingVersion"], "")

    @trap("no-turns")
    def test_only_one_write_is_ever_under_way(self, profile):
        with self.a_world(profile) as here:
            for image, version in (("rmm", "2.0"), ("scp", "4.0"), (NAMELESS, "5.0")):
                here.sim(["stage", image, version])
            here.refresh()
            paths = [here.activate(image) for image in ("rmm", "scp", NAMELESS)]
            spans = []
            for path in paths:
                job = here.wait_job(path)
                self.assertEnded(job, self.good_end(profile))
                spans.append((job["StartedTimestamp"], job["FinishedTimestamp"]))
            self.assertEqual(spans, sorted(spans))
            for before, after in zip(spans, spans[1:]):
                self.assertLessEqual(before[1], after[0])
            self.assertEqual(here.stores(), 3)

    @trap("auto-activate-on")
    def test_auto_activate_is_switched_off_and_nothing_written_where_it_must_stay(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.sim("auto rmm 1")
            here.refresh()
            here.wait_record("setting-applied")
            self.assertEqual(here.attribute("rmm", "auto_activate"), "0")
            self.assertEnded(here.run_job("rmm"), "succeeded")
        with self.a_world(profile, config="KernelAutoActivate=leave\n") as here:
            here.stage("rmm", "2.0")
            here.sim("auto rmm 1")
            here.refresh()
            self.assertRefused("KernelAutoActivate", here.activate, "rmm")
            self.assertEqual((here.attribute("rmm", "auto_activate"), here.stores()), ("1", 0))

    @trap("flashing-values")
    def test_values_that_flash_are_nobodys_news(self, profile):
        with self.a_world(profile) as here:
            here.sim("refresh-time 40ms")  # far below lfad's 250 ms, since a busy machine makes it longer
            here.stage("rmm", "2.0")
            store = here.spawn_as(None, ["sh", "-c", f"echo 1 > {TREE}/{GUIDS['rmm']}/activate"])
            here.sim("wait activate-entered")
            for _ in range(10):
                here.refresh()
            here.finish(store)
            here.refresh()
            self.assertEqual(here.wait_record("external")["to"], "2.0")
            self.assertEqual(len(here.history_file("external")), 1)
            self.assertEqual(here.history_file("vanished"), [])
            for path, name in ((here.image_path("scp"), "CurrentVersion"), (here.image_path("scp"), "Capable")):
                self.assertEqual(here.changed(path, name), [])

    @trap("stale-images")
    def test_an_image_that_goes_is_gone_and_no_failure(self, profile):
        with self.a_world(profile) as here:
            here.sim("cleanup-window 300ms")
            here.stage("rmm", "2.0")
            here.sim("vanish bl31")
            self.assertEnded(here.run_job("rmm"), "succeeded")
            here.wait_record("vanished")
            self.assertRefused("TreeLost" if profile in TRAPS["lost-tree"] else "NoSuchImage", here.activate, "bl31")
        with self.a_world(profile, firmware="tfa") as here:
            here.stage("rmm", "2.0")
            here.sim("fail inventory DEVICE_ERROR --image=rmm")  # so the refresh after its own success drops it
            self.assertEnded(here.run_job("rmm"), "unverified", "ImageGone")

    @trap("busy-after-success")
    def test_a_driver_that_is_busy_cleaning_up_is_asked_again(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.sim("errno write activate EBUSY --times=4")
            self.assertEnded(here.run_job("rmm"), "succeeded")
            self.assertEqual(here.wait_record("finished")["attempts"], 5)
            self.assertEqual(here.counters()["cancel-stores"], 0)

    @trap("signals-spin")
    def test_the_writer_has_every_signal_blocked(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.sim("hang activate")
            path = here.activate("rmm")
            here.sim("wait activate-entered")
            with open(os.path.join(here.runtime_dir, "activation.lock"), encoding="ascii") as file:
                worker = file.read().split()[0]  # the one that writes: lfad's poll may have others run
            with open(f"/proc/{worker}/status", encoding="ascii") as file:
                blocked = next(line.split()[1] for line in file if line.startswith("SigBlk"))
            # SIGKILL and SIGSTOP cannot be, and the C library keeps two for itself; memcheck the last one.
            kept = 1 << 8 | 1 << 18 | 3 << 31 | (1 << 63 if memcheck.wanted() else 0)
            self.assertEqual(int(blocked, 16) | kept, (1 << 64) - 1)
            here.sim("release")
            self.assertEnded(here.wait_job(path), self.good_end(profile))

    @trap("sticky-prime")
    def test_the_prime_slot_is_freed_for_other_images(self, profile):
        with self.a_world(profile, firmware="tfa") as here:
            here.stage("rmm", "2.0")
            here.stage("sp1", "2.0")
            here.sim("fail prime AUTH_ERROR --times=1 --image=rmm")
            job = here.run_job("rmm")
            self.assertIn(job["Result"], ("failed", "unknown"), job["Message"])
            self.assertEqual(here.counters()["cancel-stores"], 1)
            self.assertEnded(here.run_job("sp1"), "unverified")

    @trap("staged-unseen")
    def test_firmware_is_asked_what_is_staged_before_each_write(self, profile):
        with self.a_world(profile, firmware="tfa") as here:
            here.stage("rmm", "2.0")
            here.sim("slow read 1ms")  # so that calls are told apart from none
            before = here.counters()
            self.assertEnded(here.run_job("rmm"), "unverified")
            self.assertGreater(here.counters()["smc-inventory"], before["smc-inventory"])

    @trap("error-though-replaced")
    def test_an_error_with_the_new_firmware_running_is_no_failure(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.sim("outcome activate change-then-fail --image=rmm")
            job = here.run_job("rmm")
            self.assertEnded(job, "unknown", "Unproven")
            self.assertIn("the new firmware may run", job["Message"])
            here.stage("scp", "4.0")
            self.assertEnded(here.run_job("scp"), self.good_end(profile))
            here.refresh()
            if profile not in RFC:  # they have no versions
                self.assertEqual(here.wait_record("settled")["to"], "2.0")

    @trap("unrefreshed-success")
    def test_a_success_without_a_refresh_is_unverified(self, profile):
        with self.a_world(profile) as here:
            here.stage("rmm", "2.0")
            here.sim("fail info DEVICE_ERROR")
            job = here.run_job("rmm")
            self.assertEnded(job, "unverified")
            self.assertEqual(here.image("rmm")["CurrentVersion"], "1.2")
            here.sim("fail info none")
            here.stage("scp", "4.0")
            self.assertEnded(here.run_job("scp"), "succeeded")
            self.assertEqual(here.wait_record("settled")["to"], "2.0")

    @trap("forgotten-settings")
    def test_settings_are_made_again_when_an_image_comes_back(self, profile):
        config = f"[Image rmm]\nGuid={GUIDS['rmm']}\nCpuRendezvous=firmware\n"
        with self.a_world(profile, config=config) as here:
            here.wait_record("setting-applied")
            self.assertEqual(here.attribute("rmm", "force_cpu_rendezvous"), "0")
            here.sim("vanish rmm --now")
            here.refresh()
            here.sim("add rmm 1.2 --rendezvous-optional=1 --now")
            self.assertEqual(here.attribute("rmm", "force_cpu_rendezvous"), "1")
            here.refresh()
            here.wait_for(lambda: len(here.history_file("setting-applied")) == 2, what="it to be set again")
            self.assertEqual(here.attribute("rmm", "force_cpu_rendezvous"), "0")
            here.wait_for(lambda: not here.image("rmm")["ForceCpuRendezvous"], what="it to be shown")

    @trap("unlimited-spin")
    def test_a_driver_that_is_not_safe_is_refused_unless_allowed(self, profile):
        with self.a_world(profile, allow=False) as here:
            here.stage("rmm", "2.0")
            self.assertEqual(here.manager()["DriverProfile"], "rfc2" if profile == "nvrfc" else profile)
            self.assertRefused("ProfileNotAllowed", here.activate, "rmm")
            self.assertEqual(here.stores(), 0)
            status = here.lfactl("status").stdout
            self.assertIn("no policy" if profile == "v1nv" else "this version of it is refused", status)
            self.assertIn("tells what stands against it", status)
            here.configure(f"[Driver]\nAllowProfile={here.manager()['DriverProfile']}\n")
            here.reload()
            self.assertEnded(here.run_job("rmm"), self.good_end(profile))

    @trap("pending-for-ever")
    def test_what_is_pending_for_ever_is_activated_once(self, profile):
        with self.a_world(profile, firmware="tfa-fvp") as here:
            here.refresh()
            job = here.run_job("rmm")
            self.assertIn(job["Result"], ("unverified", "unknown") if profile in V1 else ("unverified",))
            self.assertTrue(here.image("rmm")["Pending"])
            self.assertRefused("RepeatedActivation", here.activate, "rmm")
            self.assertEqual(here.stores(), 1)


world.main()
