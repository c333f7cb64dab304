#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfad-operations(7): its consoles are run as they stand, one after the other on one host, and print what it shows."""

import os

import docs
import guide
import systemd1
import timedate1
import world
from guide import SelfTest  # noqa: F401  pylint: disable=unused-import
from world import MANAGER, PATH

PAGE = "lfad-operations.7"
WATCHDOG = {"identity": "SBSA Generic Watchdog", "state": "active", "timeout": 10, "pretimeout": 0, "timeleft": 9,
            "max_timeout": 60}


class OperationsTest(world.TestCase):
    options = {"own_etc": True,
               "sysfs": {f"class/watchdog/watchdog0/{name}": f"{value}\n" for name, value in WATCHDOG.items()}}

    def setUp(self):
        super().setUp()
        systemd1.Systemd1(self.world, runtime=10 * systemd1.SECOND, hardware="watchdog0")
        clock = timedate1.Timedate1(self.world.connect())
        self.addCleanup(clock.close)
        self.world.recognise_nvnew()

    def settle(self, image):
        """Neither a job nor a change of the tree is so recent that it would be seen, and lfad has asked for the clock."""
        def settled():
            _, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", image, {"unattended": True})
            return {"settle": "allow", "clock": "allow"}.items() <= {gate["gate"]: gate["answer"] for gate in gates}.items()

        self.world.wait_for(settled, what="the tree to settle")

    def stage(self, image, version):
        self.world.stage(image, version)
        self.settle(image)

    # What happens to the host, and no command of the guide does.

    def another_day_without_windows(self):
        for name in os.listdir("/etc/lfad/lfad.conf.d"):
            os.remove(os.path.join("/etc/lfad/lfad.conf.d", name))
        self.world.reload()

    def firmware_refuses(self):
        self.another_day_without_windows()
        self.world.sim("unstage scp")
        self.world.sim("fail activate AUTH_ERROR --image=bl31")
        self.stage("bl31", "3.1")

    def it_fails_again_and_again(self):
        for _ in range(2):
            self.assertEqual(self.world.run_job("bl31")["Result"], "failed")
        self.settle("bl31")

    def the_same_version_is_staged(self):
        self.world.sim("fail activate none --image=bl31")
        self.world.sim("unstage bl31")
        self.stage("rmm", "2.0")

    def it_fails_and_was_done(self):
        self.world.sim("outcome activate change-then-fail --image=scp")
        self.stage("scp", "4.0")

    def the_host_restarts_in_it(self):
        self.stage("rmm", "2.1")
        self.world.sim("hang activate")
        before = self.world.stores()
        self.world.activate("rmm", reason="ticket 4723")
        self.world.wait_for(lambda: self.world.stores() > before, what="the write")
        self.world.restart_host()
        self.world.recognise_nvnew()
        self.settle("rmm")

    def before(self):
        return {
            "ops-staged": lambda: self.world.sim("stage rmm 2.0"),
            "ops-explain": lambda: self.settle("rmm"),
            "ops-refused": lambda: self.stage("bl31", "3.0"),
            "ops-automatic": lambda: self.stage("scp", "4.0"),
            "ops-failed": self.firmware_refuses,
            "ops-quarantined": self.it_fails_again_and_again,
            "ops-unverified": self.the_same_version_is_staged,
            "ops-unknown": self.it_fails_and_was_done,
            "ops-restarted": self.the_host_restarts_in_it,
        }

    def test_the_guide_shows_what_happens(self):
        guide.Runner(PAGE, self.world, self.before()).run_all()

    def test_a_planted_difference_is_found(self):
        name, text = next(iter(guide.consoles(PAGE).items()))
        runner = guide.Runner(PAGE, self.world, {})
        runner.update = False
        runner.run_block(name, text)
        for good, bad in (("Images: 4", "Images: 5"), ("lfactl status", "lfactl statue"), ("listening", "...")):
            self.assertIn(good, text)
            with self.assertRaises(guide.Differs):
                runner.run_block(name, text.replace(good, bad))


class ExamplesTest(world.TestCase):
    def test_everything_else_is_a_console(self):
        kinds = {name: language for name, (language, _) in docs.page(PAGE).examples.items() if language != "console"}
        self.assertEqual(kinds, {})


world.main()
