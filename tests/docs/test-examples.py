#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples of the manual pages, and the example of polkit rules, are run as they stand, in a world with simulated
firmware in which 2.0 is pending for the Realm Management Monitor."""

import json
import os
import re
import tempfile

import docs
import world
from world import ACCESS_DENIED, GUIDS, INTERACTIVE, NAME, PATH


class Failed(Exception):
    """An example did not do what it is there for."""


def all_examples():
    """Those of the guides are another test's."""
    found = {}
    for page in set(docs.PAGES) - docs.GUIDES:
        found.update(docs.page(page).examples)
    return found


class ExamplesTest(world.TestCase):
    # what each is expected to print
    EXPECTED = {
        "busctl-look": [f"{PATH}/image/", "org.arm.LFA1.Manager", "DriverState", 's "active"', '"allow"'],
        "busctl-history": ['"finished"', '"succeeded"'],
        "gdbus-look": [GUIDS["rmm"], "'PendingVersion': <'2.0'>", "()"],
        "lfactl-look": ["rmm", "Realm Management Monitor", "2.0"],
        "lfactl-explain": ["other gates allow it", "2.0"],
        "lfactl-inhibit": ["Nobody holds activations back."],
        "lfactl-hold": ["Activations are paused until", "all images, by root", "audit", "not paused any more"],
        "lfactl-activate": ["succeeded"],
        "lfactl-script": ['"schema":1', "runs"],
        "sim-run": ["1\n1.3\n1.3"],
        "sim-fail": ["LFA_AUTH_ERROR"],
    }
    # Which test runs those that are not in there.
    ELSEWHERE = {"busctl-activate", "gdbus-activate", "conf-example", "journal-look"}  # test-catalog.py has the last

    def setUp(self):
        super().setUp()
        self.world.stage("rmm", "2.0")
        self.world.wait_for(lambda: self.world.lfactl("explain", "rmm").returncode == 0, what="the tree to settle")
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)

    def run_shell(self, text):
        done = self.world.as_user(None, ["sh", "-euc", f"cd {self.place.name}\n{text}"], timeout=60)
        if done.returncode != 0:
            raise Failed(f"{text}\n{done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def run_example(self, name, text):
        output = self.run_shell(text)
        for wanted in self.EXPECTED[name]:
            if wanted not in output:
                raise Failed(f"{name}: {wanted!r} is not in {output}")
        return output

    def test_all_are_run(self):
        self.assertEqual(set(all_examples()), set(self.EXPECTED) | self.ELSEWHERE)

    def test_those_that_look(self):
        for name in ("busctl-look", "gdbus-look", "lfactl-look", "lfactl-explain", "lfactl-hold", "sim-run",
                     "sim-fail"):
            with self.subTest(example=name):
                self.run_example(name, all_examples()[name][1])

    def assertActivatedOnce(self, output):
        path = re.search(re.escape(PATH) + r"/job/\d+", output).group()
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(self.world.stores(), 1)
        return path

    def test_busctl_activates_once_however_often_it_is_run(self):
        text = all_examples()["busctl-activate"][1]
        first = self.assertActivatedOnce(self.run_shell(text))
        self.assertEqual(self.assertActivatedOnce(self.run_shell(text)), first)
        output = self.run_example("busctl-history", all_examples()["busctl-history"][1])
        self.assertEqual(len(json.loads(output)["data"][0]), 3)

    def test_gdbus_activates(self):
        self.assertActivatedOnce(self.run_shell(all_examples()["gdbus-activate"][1]))

    def test_lfactl_activates(self):
        self.run_example("lfactl-activate", all_examples()["lfactl-activate"][1])

    def test_lfactl_in_a_script(self):
        self.run_example("lfactl-script", all_examples()["lfactl-script"][1])

    def check_configuration(self, text):
        """All that is said of it. A freeze of an example is over some day, which is a warning."""
        folder = os.path.join(self.place.name, "etc/lfad")
        os.makedirs(folder)
        with open(os.path.join(folder, "lfad.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        output = self.run_shell("lfactl config check --root=. && lfactl config show --root=.")
        self.assertIn(" 0 errors", output)
        self.assertEqual([line for line in output.splitlines() if "warning:" in line and "is over" not in line], [])
        return output

    def test_the_configuration(self):
        self.assertIn("board-controller", self.check_configuration(all_examples()["conf-example"][1]))

    def test_planted_faults_are_found(self):
        for name, good, bad in (("busctl-look", "DriverState", "DriverStatus"), ("gdbus-look", "Refresh", "Refreshed"),
                                ("lfactl-look", "show rmm", "show nothing"), ("sim-run", "stage rmm", "stage none")):
            text = all_examples()[name][1]
            self.assertIn(good, text)
            with self.subTest(example=name), self.assertRaises(Failed):
                self.run_example(name, text.replace(good, bad))


class PolkitExampleTest(world.TestCase):
    """The agent's user is `daemon` here: callers must exist."""

    def setUp(self):
        super().setUp()
        text = docs.read("polkit/example-rules.js")
        self.assertEqual(text.count('"fleet-agent"'), 1)
        self.world.polkit_rule(text.replace('"fleet-agent"', '"daemon"'))

    def activate(self, user, image):
        return self.world.activate_as(user, image, interactive=False)

    def test_the_agent_may_activate_what_is_listed(self):
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.wait_job(self.activate("daemon", "rmm")), "succeeded")

    def test_the_agent_may_not_go_back(self):
        self.world.stage("rmm", "1.0")
        self.assertBusError(ACCESS_DENIED, self.activate, "daemon", "rmm")
        self.assertEqual(self.world.stores(), 0)

    def test_the_agent_may_not_activate_anything_else(self):
        self.world.stage("bl31", "3.0")
        self.assertBusError(ACCESS_DENIED, self.activate, "daemon", "bl31")

    def test_nobody_else_is_concerned(self):
        self.world.stage("rmm", "2.0")
        self.assertBusError(INTERACTIVE, self.activate, "nobody", "rmm")

    def test_the_agent_may_refresh(self):
        self.world.call_as("daemon", PATH, NAME + ".Manager", "Refresh", "a{sv}", {}, interactive=False)


class PolkitUnknownTest(PolkitExampleTest):
    """Firmware that gives no versions: what is not known to be no downgrade is refused."""

    options = {"firmware": "tfa"}

    def test_the_agent_may_activate_what_is_listed(self):
        self.world.stage("rmm", "2.0")
        self.assertBusError(ACCESS_DENIED, self.activate, "daemon", "rmm")


world.main()
