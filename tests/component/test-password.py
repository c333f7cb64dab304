#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A user without rights on a terminal: lfactl, the real polkitd, pkttyagent and PAM, and root's password."""

import os
import pwd
import signal
import subprocess

import memcheck
import terminal
import world

NOBODY = pwd.getpwnam("nobody")
PASSWORD = "open sesame"
PROMPT = r"Password: $"


class PasswordTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.give_root_a_password()
        self.world.offer_bus()  # polkit's helper, which is setuid root, believes no environment
        self.world.sim("stage rmm 2.0")
        self.world.refresh()

    def give_root_a_password(self):
        hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True,
                                check=True, timeout=20).stdout.strip()
        path = os.path.join(self.world.dir, "shadow")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"root:{hashed}:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n")
        os.chmod(path, 0o600)
        self.world.cover(path, "/etc/shadow")

    def lfactl(self, *arguments):
        shown = terminal.Terminal(["lfactl", *arguments], self.world.environment, user=NOBODY)
        self.addCleanup(shown.close)
        return shown

    def test_the_password_is_asked_for_and_not_shown(self):
        shown = self.lfactl("activate", "rmm")
        shown.wait_for(PROMPT)
        shown.wait_for_secrecy()
        shown.type(PASSWORD + "\n")
        self.assertEqual(shown.finish(), 0, shown.seen)
        self.assertIn("succeeded", shown.seen)
        self.assertNotIn(PASSWORD, shown.seen)
        self.assertTrue(shown.echoes())

    def test_every_verb_that_acts_asks(self):
        for arguments in (["hold", "--reason=x"], ["unhold"], ["cancel", "99"], ["clear-quarantine", "rmm"],
                          ["reload"], ["inhibit", "--why=x", "--", "true"], ["activate", "--pending"]):
            with self.subTest(arguments=arguments):
                shown = self.lfactl(*arguments)
                shown.wait_for(PROMPT + "|lfactl: |Nothing")
                if arguments[0] in ("cancel", "clear-quarantine", "unhold"):
                    shown.finish()  # without a job, a quarantine or a hold there is nothing to ask for
                    continue
                self.assertRegex(shown.seen, PROMPT)
                shown.type("\x03")
                shown.finish()

    def test_a_wrong_password_is_no_authorisation(self):
        shown = self.lfactl("activate", "rmm")
        shown.wait_for(PROMPT)
        shown.wait_for_secrecy()
        shown.type("wrong\n")
        self.assertEqual(shown.finish(), 6, shown.seen)
        self.assertTrue(shown.echoes())
        self.assertEqual(self.world.image("rmm")["State"], "pending")

    def test_interrupting_the_question_leaves_the_terminal_as_it_was(self):
        shown = self.lfactl("activate", "rmm")
        shown.wait_for(PROMPT)
        shown.wait_for_secrecy()
        shown.type("\x03")
        self.assertEqual(shown.finish(), -signal.SIGINT)
        self.assertTrue(shown.echoes())
        self.assertEqual(self.world.image("rmm")["State"], "pending")

    def test_an_end_from_outside_leaves_the_terminal_as_it_was(self):
        shown = self.lfactl("activate", "rmm")
        shown.wait_for(PROMPT)
        shown.wait_for_secrecy()
        shown.popen.terminate()
        self.assertEqual(shown.finish(), -signal.SIGTERM)
        self.assertTrue(shown.echoes())

    def test_an_agent_that_dies_leaves_the_terminal_as_it_was(self):
        shown = self.lfactl("activate", "rmm")
        shown.wait_for(PROMPT)
        shown.wait_for_secrecy()
        agent, = self.children(shown.popen.pid)
        os.kill(agent, signal.SIGKILL)
        self.assertEqual(shown.finish(), 6, shown.seen)
        self.assertTrue(shown.echoes())

    def shell(self, script):
        """A shell with job control, as a person has."""
        shown = terminal.Terminal(["bash", "--norc", "-c", "set -m; " + script], self.world.environment, user=NOBODY)
        self.addCleanup(shown.close)
        return shown

    def test_in_the_background_nobody_is_asked_and_nothing_is_stopped(self):
        shown = self.shell("lfactl activate rmm & wait -f %1; echo ended with $?")
        shown.wait_for(r"ended with \d+")
        self.assertIn("ended with 6", shown.seen)
        self.assertNotRegex(shown.seen, "Password")
        self.assertTrue(shown.echoes())

    def children(self, pid):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            return [int(child) for child in children.read().split()]

    def test_who_follows_a_job_needs_no_agent_any_more(self):
        self.world.polkit_rule("polkit.addRule(function(action, subject) { return polkit.Result.YES; });")
        for version, which in (("2.0", "rmm"), ("3.0", "--pending")):
            self.world.sim(f"stage rmm {version}")
            self.world.refresh()
            self.world.sim("hang activate")
            shown = self.lfactl("activate", which)
            self.world.sim("wait activate-entered")
            self.world.wait_for(lambda: not self.children(shown.popen.pid), what="the agent's end")
            self.world.sim("release")
            self.assertEqual(shown.finish(), 0, shown.seen)

    def test_a_signal_that_is_ignored_does_not_end_it(self):
        shown = self.shell("trap '' HUP TERM; exec lfactl activate rmm")
        shown.wait_for(PROMPT)
        shown.wait_for_secrecy()
        for number in (signal.SIGHUP, signal.SIGTERM):
            shown.popen.send_signal(number)
        agent, = self.children(shown.popen.pid)
        os.kill(agent, signal.SIGKILL)
        self.assertEqual(shown.finish(), 6, shown.seen)
        self.assertTrue(shown.echoes())

    @memcheck.cannot("a program does not stop at ^Z")
    def test_sent_to_the_background_it_goes_on_to_its_end(self):
        self.world.polkit_rule("polkit.addRule(function(action, subject) { return polkit.Result.YES; });")
        self.world.sim("hang activate")
        shown = self.shell("lfactl activate rmm; bg; echo gone on; wait -f %1; echo ended with $?")
        self.world.sim("wait activate-entered")
        shown.type("\x1a")
        shown.wait_for("gone on")
        self.world.sim("release")
        shown.wait_for(r"ended with \d+")
        self.assertIn("ended with 0", shown.seen)

    def test_who_is_not_to_be_asked_is_not(self):
        shown = self.lfactl("--no-ask-password", "activate", "rmm")
        self.assertEqual(shown.finish(), 6, shown.seen)
        self.assertNotRegex(shown.seen, "Password")

    def test_without_an_agent_there_is_a_hint(self):
        self.world.cover("/dev/null", "/usr/bin/pkttyagent")
        shown = self.lfactl("activate", "rmm")
        self.assertEqual(shown.finish(), 6, shown.seen)
        self.assertIn("pkttyagent", shown.seen)


world.main()
