#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what, asked of the polkit that the host's packages have, without a site's rules and with the example."""

import os
import shutil

import container
from container import wait_for

EXAMPLE = "/usr/share/doc/lfad/examples/50-lfad-example.rules"
RULES = "/etc/polkit-1/rules.d/50-lfad.rules"


class CallersTest(container.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.box.run("useradd", "--system", "fleet-agent")

    def setUp(self):
        self.box.stage("rmm", "2.0")
        self.box.stage("bl31", "2.11")

    def put_rules(self):
        """Whole from one moment to the next, since polkitd reads them as they come."""
        shutil.copy(self.box.path(EXAMPLE), self.box.path(RULES + ".new"))
        os.rename(self.box.path(RULES + ".new"), self.box.path(RULES))

    def assertDenied(self, *argv, user):
        stores = self.box.stores()
        self.assertRefused("(?i)needs an authentication|polkit denies|not authori[sz]ed|not allowed|polkit could not be asked", "lfactl", *argv, user=user)
        self.assertEqual(self.box.stores(), stores)

    def test_1_everybody_may_look(self):
        # The host has booted just now: for root lfad asks it anew, others are told what it said within a second. That it is
        # not the time yet is an answer, too.
        self.box.lfactl("explain", "rmm", check=False)
        for argv in (["list"], ["status"], ["explain", "rmm"], ["plan"]):
            done = self.box.lfactl(*argv, user="nobody", check=False)
            self.assertIn(done.returncode, (0, 3), done)
            self.assertNotEqual(done.stdout, "", argv)

    def test_2_without_rules_nobody_but_root_may_act(self):
        for user in ("nobody", "fleet-agent"):
            for argv in (["activate", "rmm"], ["hold", "--reason=mine"]):
                self.assertDenied(*argv, user=user)

    def test_3_the_example_lets_its_user_activate_its_images_and_no_more(self):
        self.put_rules()
        # polkitd tells nobody when it has read them
        wait_for(lambda: self.box.lfactl("activate", "rmm", user="fleet-agent", check=False).returncode == 0, 60,
                 "the rules to be in force")
        self.assertEqual(self.box.image("rmm", "CurrentVersion"), "2.0")
        self.assertEqual(self.box.history("queued")[-1]["uid"], int(self.box.run("id", "-u", "fleet-agent").stdout))
        self.assertDenied("activate", "bl31", user="fleet-agent")
        self.assertDenied("hold", "--reason=mine", user="fleet-agent")
        self.assertDenied("activate", "bl31", user="nobody")
        os.unlink(self.box.path(RULES))

    def test_4_what_unit_a_caller_is_of_is_recorded_whoever_it_is(self):
        """lfad sees all of /proc."""
        self.put_rules()
        self.box.stage("rmm", "2.1")
        command = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--uid=fleet-agent", "--unit=agent-of-the-fleet",
                   "lfactl", "activate", "rmm"]
        wait_for(lambda: self.box.run(*command, check=False).returncode == 0, 60, "the rules to be in force")
        self.assertEqual(self.box.history("queued")[-1]["unit"], "agent-of-the-fleet.service")
        os.unlink(self.box.path(RULES))

    def test_5_root_needs_no_polkit_and_everybody_else_does(self):
        self.put_rules()
        self.box.stage("rmm", "2.2")
        self.box.run("systemctl", "mask", "--now", "polkit.service")
        self.assertDenied("activate", "rmm", user="fleet-agent")
        self.assertIn("succeeded", self.box.lfactl("activate", "rmm").stdout)
        self.assertEqual(self.box.image("rmm", "CurrentVersion"), "2.2")


container.main()
