#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds: a person pauses activations, of some images or of all, until a time or until they are released; who and why is
shown to everybody, and polkit is shown all that ends."""

import json
import os
import time

import world
from world import ACCESS_DENIED, GUIDS, INTERACTIVE, MANAGER, NAME, PATH

INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
LIMITS = "org.freedesktop.DBus.Error.LimitsExceeded"
SECOND = 1000000
HOUR = 3600 * SECOND
YEAR = 366 * 24 * HOUR


def now():
    return int(time.time() * SECOND)


class HoldCase(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.configure("[Daemon]\nSettleSec=100ms\n")
        self.world.start("lfad")
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")

    def hold(self, reason="year's end", **options):
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", reason, self.typed(options))

    def unhold(self, **options):
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", self.typed(options))

    @staticmethod
    def typed(options):
        if "until" in options:
            options["until"] = world.dbus.UInt64(options["until"])
        if "images" in options:
            options["images"] = world.dbus.Array(options["images"], signature="s")
        return options

    def holds(self):
        """{GUID or "": reason} of those in force."""
        return {hold["guid"]: hold["reason"] for hold in self.world.manager()["Holds"]}

    def gate(self, image="rmm", at=0):
        options = {"at": world.dbus.UInt64(at)} if at else {}
        _, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", image, options)
        return next(gate for gate in gates if gate["gate"] == "hold")

    def assertHeld(self, image, text=""):
        self.assertIn(text, self.assertBusError("Held", self.world.activate, image).message)
        self.assertIn("hold", self.world.image(image)["Blockers"])

    def assertFree(self, image):
        self.assertEqual(self.gate(image)["answer"], "allow")
        self.assertNotIn("hold", self.world.image(image)["Blockers"])


class HoldTest(HoldCase):
    options = {"parts": ("dbus", "sim")}

    def test_each_image_has_one_and_all_together_have_one(self):
        self.hold("rmm is not ready", images=["rmm"])
        self.assertEqual(self.holds(), {GUIDS["rmm"]: "rmm is not ready"})
        self.assertFalse(self.world.manager()["Held"], "not all are")
        self.assertHeld("rmm", "Activations of this image are paused by uid 0 until released: rmm is not ready")
        self.assertFree("scp")
        self.assertBusError("NotHeld", self.unhold)
        until = now() + HOUR
        self.hold("moving house", until=until)
        self.assertHeld("scp", "moving house")
        self.assertEqual(self.gate("scp")["not-before"], until)
        self.assertHeld("rmm", "rmm is not ready")  # that lasts longer
        manager = self.world.manager()
        self.assertEqual((manager["Held"], manager["HoldReason"]), (True, "moving house"))
        shown = manager["Holds"]
        self.assertEqual([(hold["uid"], hold["by-lfad"], hold["until"]) for hold in shown],
                         [(0, False, 0), (0, False, until)])
        described = json.loads(self.world.call(PATH, MANAGER, "Describe", "a{sv}", {}))
        self.assertEqual([hold["reason"] for hold in described["holds"]], ["rmm is not ready", "moving house"])

        self.hold("for good", images=["rmm", "bl31", GUIDS["rmm"]])  # in the place of the first
        self.assertEqual(self.holds(), {"": "moving house", GUIDS["rmm"]: "for good", GUIDS["bl31"]: "for good"})
        for restart in (lambda: self.world.restart("lfad"), self.world.restart_host):
            restart()
            self.world.stage("rmm", "2.0")
            self.world.stage("scp", "4.0")
            self.assertHeld("rmm", "for good")
            self.assertHeld("scp", "moving house")
        os.unlink(os.path.join(self.world.state_dir, "state.json"))
        self.world.restart("lfad")
        self.assertEqual(len(self.holds()), 3, "the history alone tells")

        self.unhold(reason="moved")
        self.assertFree("scp")
        self.assertHeld("rmm", "for good")
        error = self.assertBusError("NotHeld", self.unhold, images=["rmm", "scp"])
        self.assertIn(GUIDS["scp"], error.message)
        self.assertHeld("rmm", "for good")  # not half of it
        self.unhold(images=["rmm", "bl31"])
        self.assertFree("rmm")
        self.assertEqual(self.holds(), {})
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.assertEqual([(record.get("guid", ""), record["reason"], record["uid"], record.get("until", 0))
                          for record in self.world.history_file("hold")],
                         [(GUIDS["rmm"], "rmm is not ready", 0, 0), ("", "moving house", 0, until),
                          (GUIDS["bl31"], "for good", 0, 0), (GUIDS["rmm"], "for good", 0, 0)])
        self.assertEqual([(record.get("guid", ""), record["cause"]) for record in self.world.history_file("unhold")],
                         [("", "operator"), (GUIDS["bl31"], "operator"), (GUIDS["rmm"], "operator")])
        log = self.world.log("lfad", lines=10000)
        self.assertRegex(log, r"paused by uid 0 .*until 20\d\d-.* UTC \(all images\): moving house")
        self.assertRegex(log, r"The hold was released by uid 0 .*: moved")

    def test_one_that_has_a_time_ends_by_itself(self):
        changed = len(self.world.changed(PATH, "Held"))
        self.hold("a moment", until=now() + HOUR // 2)
        self.hold("another", images=["rmm"], until=now() + 2 * HOUR)
        self.assertHeld("scp", "a moment")
        self.assertEqual(self.gate("scp", at=now() + HOUR)["answer"], "allow", "judged as of then")
        self.assertEqual(self.gate("rmm", at=now() + HOUR)["answer"], "defer")
        for seconds in (2, 6, 20, 60):  # soon, but not before lfad hears of it
            try:
                self.hold("a moment", until=now() + seconds * SECOND)
                break
            except world.BusError as error:
                self.assertIn("past", error.message)
        self.world.wait_for(lambda: self.world.changed(PATH, "Held")[changed:][-1:] == [False], 10, "its time")
        self.assertEqual(self.gate("scp")["answer"], "allow")
        self.assertEqual(self.holds(), {GUIDS["rmm"]: "another"})
        self.assertBusError("NotHeld", self.unhold)
        self.assertFree("scp")
        self.assertHeld("rmm")
        self.assertEnded(self.world.run_job("scp"), "succeeded")

    def test_what_makes_no_sense_is_refused(self):
        for reason, options, words in (("", {}, "'reason' is empty"), ("a\nb", {}, "control character"),
                                       ("x", {"until": now() - SECOND}, "past"), ("x", {"until": 1}, "past"),
                                       ("x", {"until": now() + 11 * YEAR}, "ten years"),
                                       ("x", {"images": []}, "'images' is empty"),
                                       ("x", {"nonsense": "y"}, "'nonsense'")):
            error = self.assertBusError(INVALID_ARGS, self.hold, reason, **options)
            self.assertIn(words, error.message)
        self.assertBusError("NoSuchImage", self.hold, images=["rmm", "nonsense"])
        self.assertBusError(INVALID_ARGS, self.unhold, images=[])
        self.assertEqual(self.holds(), {})
        self.assertEqual(self.world.history_file("hold"), [])

    def test_there_is_a_bound_and_what_is_held_already_counts_once(self):
        self.hold("x", images=["rmm"])
        self.world.stop("lfad")
        path = os.path.join(self.world.state_dir, "state.json")
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        [hold] = state["holds"]
        others = [f"00000000-0000-0000-0000-{number:012x}" for number in range(63)]
        state["holds"] += [{**hold, "guid": guid} for guid in others]
        with open(path, "w", encoding="utf-8") as file:
            file.write(json.dumps(state) + "\n")
        self.world.start("lfad")
        self.assertEqual(len(self.holds()), 64)
        self.assertBusError(LIMITS, self.hold, "y", images=["scp"])
        self.assertBusError(LIMITS, self.hold, "y")
        self.hold("z", images=["rmm"])
        self.unhold(images=[others[0]])
        self.hold("y", images=["scp"])
        self.assertEqual(len(self.holds()), 64)

    def test_lfactl(self):
        ctl = self.world.lfactl
        self.assertEqual(ctl("hold").returncode, 2, "it needs a reason")
        self.assertEqual(ctl("hold", "--reason=x", "--until=-1h").returncode, 2)
        self.assertEqual(ctl("hold", "--reason=x", "nonsense").returncode, 2)
        done = ctl("hold", "rmm", "--until=+2h", "--reason=fan is broken.")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"paused until 20.*rmm\.")
        self.assertEqual(ctl("hold", "--reason=audit.").returncode, 0)
        self.assertRegex(ctl("history", "--long", "--type=hold").stdout, r"until: *\d{16} \(20\d\d-")
        status = ctl("status").stdout
        self.assertRegex(status, "Held: rmm, by root until 20.*: fan is broken. 'lfactl unhold rmm' ends that.")
        self.assertRegex(status, "Held: all images, by root: audit. 'lfactl unhold' ends that.")
        self.assertRegex(ctl("show", "rmm").stdout, "(?s)Held: rmm, by .*Held: all images")
        self.assertNotRegex(ctl("show", "scp").stdout, "Held: rmm")
        explained = ctl("explain", "scp")
        self.assertEqual(explained.returncode, 3)
        self.assertIn("audit.", explained.stdout)
        done = ctl("unhold", "--reason=passed")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "(?s)still in force.*Held: rmm, by")
        self.assertEqual(ctl("unhold").returncode, 1)
        self.world.sim("unbind")
        self.world.wait_for(lambda: self.world.manager()["DriverState"] == "no-driver" or self.world.refresh(), 10,
                            "the driver to be gone")
        done = ctl("unhold", GUIDS["rmm"])  # no image shows it now
        self.assertEqual((done.returncode, done.stdout), (0, "Activations are not paused any more.\n"), done.stderr)


class AuthorisationTest(HoldCase):
    """What polkit is shown is what is made, and all that ends."""

    options = {"parts": ("dbus", "polkitd", "sim")}

    def test_polkit_decides(self):
        hold = lambda **options: self.world.call_as("nobody", PATH, MANAGER, "Hold", "sa{sv}", "no time", {}, **options)
        unhold = lambda **options: self.world.call_as("nobody", PATH, MANAGER, "Unhold", "a{sv}", {}, **options)
        self.assertBusError(INTERACTIVE, hold)
        with self.world.agent("fail") as agent:
            self.assertBusError(ACCESS_DENIED, hold, agent=agent)
            [prompt] = agent.prompts
        self.assertEqual((prompt.action, prompt.message),
                         (NAME + ".hold", "Authentication is required to hold firmware activations, all images: "
                                          "until released: no time"))
        self.assertEqual(self.holds(), {})
        with self.world.agent("ok") as agent:
            hold(agent=agent)
        self.assertEqual([item["uid"] for item in self.world.manager()["Holds"]], [65534])

        self.world.sim("hang activate")
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {})
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.wait_job_state(path, "activating")
        self.world.kill("lfad")
        self.world.restart_host()
        self.hold("a person's", images=["scp"])
        self.hold("a person's of all")
        self.assertBusError(INTERACTIVE, unhold)
        with self.world.agent("fail") as agent:
            self.assertBusError(ACCESS_DENIED, unhold, agent=agent)
            [prompt] = agent.prompts
        self.assertRegex(prompt.message, "unhold firmware activations, all images: The host restarted while job .*; "
                                         "uid 0 until released: a person's of all$")
        self.assertEqual(len(self.holds()), 2)
        self.unhold(images=["scp"])
        self.assertTrue(self.world.manager()["Held"], "lfad's own is of all")
        self.world.polkit_rule('polkit.addRule(function(action) {'
                               ' if (action.id == "org.arm.LFA1.hold" && action.lookup("verb") == "hold" &&'
                               f' action.lookup("images") == "{GUIDS["scp"]}" && action.lookup("until") == "released" &&'
                               ' action.lookup("reason") == "mine" && action.lookup("replaces") == "")'
                               '   return polkit.Result.YES; });\n')
        mine = ("sa{sv}", "mine", {"images": ["scp"]})
        self.world.call_as("nobody", PATH, MANAGER, "Hold", *mine)
        self.assertBusError(INTERACTIVE, self.world.call_as, "nobody", PATH, MANAGER, "Hold", *mine)  # it replaces one
        self.unhold()
        self.assertEqual(self.holds(), {GUIDS["scp"]: "mine"})


world.main()
