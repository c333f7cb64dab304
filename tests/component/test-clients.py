#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The clients of lfad-integration(7) (sd-bus, Gio, lfactl in a shell script) list, activate under a request-id, follow
the job to its end, also over restarts of lfad, and tell every class of error apart."""

import os
import re
import shutil
import unittest
import uuid

import world
from world import GUIDS

ALLOW_NOBODY = 'polkit.addRule(function(action, subject) { if (subject.user == "nobody") return polkit.Result.YES; });'
RMM = GUIDS["rmm"]
EXAMPLES = os.path.join(world.SOURCE_DIR, "man/examples")


class ClientTest(world.TestCase):
    PROGRAM = None

    def setUp(self):
        super().setUp()
        self.program = os.path.join(self.world.tools_dir, os.path.basename(self.PROGRAM))
        shutil.copy(self.PROGRAM, self.program)

    def outcome(self, done):
        """(exit status, result, error, message) of a client that activated."""
        if self.PROGRAM != SHELL:  # lfactl has hints for people there
            self.assertEqual(done.stderr, "")
        result, error, message = done.stdout.rstrip("\n").split("\t")
        return done.returncode, result, error.removeprefix(world.ERROR), message

    def activate(self, guid=RMM, before="1.2", after="2.0", request_id=None, user=None):
        words = [self.program, guid, before, after, request_id or str(uuid.uuid4())]
        return self.outcome(self.world.as_user(user, words, timeout=60))

    def assertEnds(self, outcome, status, result, error=""):
        self.assertEqual(outcome[:3], (status, result, error), outcome)

    def begin(self, request_id="r"):
        """One that has reached firmware, and goes on until it is released."""
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        client = self.world.spawn_as(None, [self.program, RMM, "1.2", "2.0", request_id])
        self.world.sim("wait activate-entered")
        return client

    def check_lists_what_is_pending(self):
        listed = lambda: self.world.as_user(None, [self.program])
        self.assertEqual((listed().returncode, listed().stdout), (0, ""))
        self.world.stage("rmm", "2.0")
        self.assertEqual((listed().returncode, listed().stdout),
                         (0, f"{RMM}\t1.2\t2.0\tRealm Management Monitor (RMM)\n"))

    def check_success_and_the_same_again(self):
        self.world.stage("rmm", "2.0")
        first = self.activate(request_id="r-1")
        self.assertEnds(first, 0, "succeeded")
        self.assertEqual(self.world.attribute("rmm", "current_version"), "2.0")
        self.assertEqual(self.activate(request_id="r-1"), first)
        self.assertEqual(self.activate(request_id="r-1", before="1.1")[2], "RequestIdReused")
        self.assertEqual(self.world.stores(), 1)

    def check_refusals(self):
        self.assertEnds(self.activate(), 8, "refused", "NotPending")
        self.assertEnds(self.activate(guid="bl99"), 2, "refused", "NoSuchImage")
        self.assertEqual(self.activate(request_id="a b")[:2], (2, "refused"))
        self.world.stage("rmm", "2.0")
        self.assertEnds(self.activate(after="2.1"), 8, "refused", "VersionChanged")
        self.world.configure("[Window w]\nOnCalendar=2199-01-01\nDuration=1h\n")
        self.world.reload()
        self.assertEnds(self.activate(), 3, "refused", "OutsideWindow")
        self.assertEqual(self.world.stores(), 0)

    def check_denial(self):
        self.world.stage("rmm", "2.0")
        status, result, *_ = self.activate(user="nobody")
        self.assertEqual((status, result), (6, "refused"))
        self.world.polkit_rule(ALLOW_NOBODY)
        self.assertEnds(self.activate(user="nobody"), 0, "succeeded")

    def check_failures(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("fail activate LFA_ACTIVATION_FAILED --times=1")
        self.assertEnds(self.activate(), 1, "failed", "ActivationFailed")
        self.world.sim("outcome activate change-then-fail")
        self.assertEnds(self.activate(), 5, "unknown", "Unproven")

    def check_too_much_asked_for(self):
        client = self.begin()
        for _ in range(16):
            self.world.activate("rmm")
        self.assertEqual(self.activate()[:2], (3, "refused"))
        self.world.sim("release")
        self.assertEnds(self.outcome(self.world.finish(client)), 0, "succeeded")

    def check_a_restart_of_lfad_during_the_activation(self):
        client = self.begin()
        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertIsNone(client.poll())
        self.world.sim("release")
        self.assertEnds(self.outcome(self.world.finish(client)), 0, "succeeded")
        self.assertEqual(self.world.stores(), 1)

    def check_an_end_that_only_the_history_tells(self):
        self.world.stage("rmm", "2.0")
        first = self.activate(request_id="r")
        self.world.restart("lfad")
        self.assertEqual(self.activate(request_id="r"), first)

    def check_a_restart_of_lfad_before_its_answer(self):
        """The same under the same name to the next one; what lfactl tells then is another test's."""
        if self.PROGRAM == SHELL:
            return
        place = os.path.join(self.world.dir, "polkit-place")
        os.mkdir(place)
        os.chmod(place, 0o777)
        script = f"echo >{place}/asked; while [ ! -e {place}/go ]; do sleep 0.05; done"
        self.world.polkit_rule(f'polkit.addRule(function(action, subject) {{ polkit.spawn(["/bin/sh", "-c", "{script}"]);'
                               'return polkit.Result.YES; });')
        self.world.stage("rmm", "2.0")
        client = self.world.spawn_as("nobody", [self.program, RMM, "1.2", "2.0", "r"])
        self.world.wait_for(lambda: os.path.exists(f"{place}/asked"), what="polkit to be asked")
        self.world.kill("lfad")
        with open(f"{place}/go", "w", encoding="ascii"):
            pass
        self.world.start("lfad")
        self.assertEnds(self.outcome(self.world.finish(client)), 0, "succeeded")
        self.assertEqual(self.world.stores(), 1)

    def check_wrong_use(self):
        for words in (("x",), ("rmm", "1.2", "2.0"), ("rmm", "1.2", "2.0", "r", "x")):
            self.assertEqual(self.world.as_user(None, [self.program, *words]).returncode, 2)


class WithoutVersionsTest(world.TestCase):
    options = {"firmware": "tfa"}

    def test_what_cannot_be_proved_has_a_status_of_its_own(self):
        for program in PROGRAMS:
            self.world.stage("rmm", "2.0")
            target = os.path.join(self.world.tools_dir, os.path.basename(program))
            shutil.copy(program, target)
            done = self.world.as_user(None, [target, RMM, "", "", str(uuid.uuid4())])
            self.assertEqual((done.returncode, done.stdout.split("\t")[0]), (4, "unverified"), done.stdout)


class LfactlTest(world.TestCase):
    """What lfactl has of the same calls, with the daemon itself."""

    def lfactl(self, *words, **more):
        done = self.world.lfactl(*words, **more)
        return done.returncode, done.stdout, done.stderr

    def test_explain_says_what_activate_would(self):
        code, out, _ = self.lfactl("explain", "rmm")
        self.assertEqual(code, 8)
        self.assertRegex(out.splitlines()[0], "^rmm: .* denied, NotPending: ")
        self.assertRegex(out, "(?m)^image +deny ")
        self.assertEqual(self.lfactl("activate", "rmm")[0], 8)
        self.world.stage("rmm", "2.0")
        code, out, _ = self.lfactl("explain", "rmm", "--at=+1h", "--authorize")
        self.assertEqual((code, out.splitlines()[0]), (0, "rmm: 1.2 → 2.0: allowed"))
        self.assertIn("polkit: you may\n", out)
        code, out, _ = self.lfactl("explain", "rmm", "--at=+1h", "--authorize", user="nobody")
        self.assertEqual(code, 0)
        self.assertIn("a password would be asked for", out)
        self.assertEqual(self.lfactl("explain", "rmm", "--at=+1h", "--authorize", "--no-ask-password",
                                     user="nobody")[0], 6)
        self.assertEqual(self.lfactl("explain", "rmm", "--expect-pending=3.0")[0], 8)
        self.assertIn(self.lfactl("activate", "--pending", "--dry-run")[0], (0, 3))
        self.assertEqual((self.world.stores(), self.world.history_file("queued")), (0, []))

    def test_all_that_is_pending(self):
        self.assertEqual(self.lfactl("activate", "--pending")[0], 0)
        for image, version in (("rmm", "2.0"), ("bl31", "3.0"), ("scp", "4.0")):
            self.world.sim(["stage", image, version])
        self.world.sim("fail activate LFA_ACTIVATION_FAILED --image=scp")
        self.world.refresh()
        code, out, _ = self.lfactl("activate", "--pending", "--reason=all")
        self.assertEqual(code, 1)
        self.assertRegex(out, "^bl31: .* succeeded.*\nscp: .* failed, ActivationFailed.*\nrmm: .* cancelled, PrecedingFailed")

    def test_a_request_id_asked_again_is_the_same_job(self):
        self.world.stage("rmm", "2.0")
        self.assertEqual(self.lfactl("activate", "rmm", "--request-id=r")[0], 0)
        code, out, _ = self.lfactl("activate", "rmm", "--request-id=r")
        self.assertEqual((code, self.world.stores()), (0, 1))
        self.assertIn("succeeded", out)

    def test_the_history_is_filtered(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.assertEqual(self.lfactl("activate", "rmm", "scp")[0], 0)
        for words, count in ((["--image=rmm"], 1), (["--image=bl31"], 0), ([], 2), (["--since=+1h"], 0),
                             (["--since=-1h", "--until=now"], 2), (["--job=1"], 1), (["--job=77"], 0)):
            self.assertEqual(len(self.lfactl("history", "--no-legend", *words)[1].splitlines()), count, words)
        self.assertEqual(self.lfactl("history", "--type=started")[1].count("started"), 2)
        self.assertEqual(self.lfactl("history", "--type=nonsense")[0], 2)
        self.assertEqual(self.lfactl("history", "--image=bl99")[0], 2)


C, PYTHON, SHELL = PROGRAMS = (os.path.join(world.BUILD_DIR, "tests/component/lfa-agent"),
                               os.path.join(EXAMPLES, "lfa-agent.py"), os.path.join(EXAMPLES, "lfa-agent.sh"))


class RetryableTest(unittest.TestCase):
    """A client knows a call's error by name alone: those that are worth another try."""

    def test_the_lists_are_complete(self):
        text = open(os.path.join(world.SOURCE_DIR, "include/lfa/error-names.h"), encoding="utf-8").read()
        wanted = set(re.findall(r'X\(\w+, "(\w+)", 1,', text)) | {"LimitsExceeded"}
        source = open(os.path.join(EXAMPLES, "lfa-agent.py"), encoding="utf-8").read()
        self.assertEqual(set(re.findall(r'"(\w+)"', re.search(r"RETRYABLE = .*?\)\}", source, re.DOTALL).group())), wanted)
        source = open(os.path.join(EXAMPLES, "lfa-agent.c"), encoding="utf-8").read()
        table = re.search(r"retryable\[\] = \{.*?\};", source, re.DOTALL).group()
        self.assertEqual(set(re.findall(r'ERROR "(\w+)"', table)) | {"LimitsExceeded"}, wanted)
        self.assertIn("SD_BUS_ERROR_LIMITS_EXCEEDED", table)


def with_tests(base):
    """The class with each check_ as a test_."""
    for name in [name for name in dir(base) if name.startswith("check_")]:
        setattr(base, name.replace("check_", "test_"), getattr(base, name))
    return base


@with_tests
class PythonClientTest(ClientTest):
    PROGRAM = PYTHON


@with_tests
class CClientTest(ClientTest):
    PROGRAM = C


@with_tests
class ShellClientTest(ClientTest):
    PROGRAM = SHELL


world.main()
