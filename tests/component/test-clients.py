#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two clients that were written from the description of the API alone (tests/clients: python3-dbus, sd-bus) list,
explain, activate under a request-id, follow the job and read its records, and tell every class of error apart."""

import os
import shutil

import world
from world import GUIDS

ALLOW_NOBODY = 'polkit.addRule(function(action, subject) { if (subject.user == "nobody") return polkit.Result.YES; });'


class ClientTest(world.TestCase):
    PROGRAM = None

    def setUp(self):
        super().setUp()
        self.program = os.path.join(self.world.tools_dir, os.path.basename(self.PROGRAM))
        shutil.copy(self.PROGRAM, self.program)

    def run_client(self, *words, user=None, agent=None):
        done = self.world.as_user(user, [self.program, *words], agent=agent, timeout=60)
        self.assertEqual(done.stderr, "")
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        return done.returncode, lines

    def of(self, kind, lines):
        return [line[1:] for line in lines if line[0] == kind]

    def assertEnds(self, outcome, status, result, error="-"):
        code, lines = outcome
        self.assertEqual((code, [line[1:3] for line in self.of("job", lines)]),
                         (status, [[result, world.ERROR + error if error != "-" else error]]), lines)

    def assertErrs(self, outcome, status, *errors):
        code, lines = outcome
        self.assertEqual(code, status, lines)
        self.assertIn(self.of("error", lines)[0][0], [name if "." in name else world.ERROR + name for name in errors])

    def check_lists(self):
        self.world.stage("rmm", "2.0")
        code, lines = self.run_client("list")
        self.assertEqual((code, len(lines)), (0, 4))
        rmm = next(line for line in lines if line[0] == GUIDS["rmm"])
        self.assertEqual(rmm[2:], ["1.2", "2.0", "pending"])

    def check_explains(self):
        code, lines = self.run_client("explain", "rmm")
        self.assertEqual((code, lines[0][1:3]), (8, ["deny", world.ERROR + "NotPending"]))
        self.assertGreaterEqual(len(self.of("gate", lines)), 6)
        self.world.stage("rmm", "2.0")
        # right after a change of the tree it may pass later, and then it does
        self.world.wait_for(lambda: self.run_client("explain", "rmm")[0] != 3, 10, "the tree to settle")
        self.assertEqual(self.run_client("explain", "rmm")[0], 0)
        self.assertEqual(self.run_client("explain", "rmm", user="nobody")[0], 6)
        self.assertErrs(self.run_client("explain", "bl99"), 2, "NoSuchImage")

    def check_success_and_the_same_again(self):
        self.world.stage("rmm", "2.0")
        first = self.run_client("activate", "rmm", "r-1")
        self.assertEnds(first, 0, "succeeded")
        self.assertEqual([record[1] for record in self.of("record", first[1])], ["queued", "started", "finished"])
        self.assertEqual(self.world.attribute("rmm", "current_version"), "2.0")
        # other versions are there now, thus it is another request
        self.assertErrs(self.run_client("activate", "rmm", "r-1"), 2, "RequestIdReused")
        self.assertEqual(self.world.stores(), 1)

    def check_refusals(self):
        self.assertErrs(self.run_client("activate", "rmm", "r"), 8, "NotPending")
        self.assertErrs(self.run_client("activate", "bl99", "r"), 2, "NoSuchImage")
        self.assertErrs(self.run_client("activate", "rmm", "a b"), 2, "org.freedesktop.DBus.Error.InvalidArgs")
        self.world.stage("rmm", "2.0")
        self.assertErrs(self.run_client("activate", "rmm", "r", "2.1"), 8, "VersionChanged")
        self.world.sim("stage rmm 3.0")
        # found by the call when it reads the tree anew, else by the job
        code, lines = self.run_client("activate", "rmm", "r", "2.0")
        self.assertEqual(code, 8, lines)
        self.assertIn(world.ERROR + "VersionChanged", [word for line in lines for word in line])
        self.assertEqual(self.world.stores(), 0)

    def check_denial(self):
        self.world.stage("rmm", "2.0")
        self.world.polkit_rule('polkit.addRule(function(action, subject) { return polkit.Result.NO; });')
        self.assertErrs(self.run_client("activate", "rmm", "r", user="nobody"), 6,
                        "org.freedesktop.DBus.Error.AccessDenied")
        self.world.polkit_rule(ALLOW_NOBODY)
        self.assertEnds(self.run_client("activate", "rmm", "r", user="nobody"), 0, "succeeded")

    def check_failures(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("fail activate LFA_ACTIVATION_FAILED --times=1")
        self.assertEnds(self.run_client("activate", "rmm", "r-1"), 1, "failed", "ActivationFailed")
        self.world.sim("outcome activate change-then-fail")
        self.assertEnds(self.run_client("activate", "rmm", "r-2"), 5, "unknown", "Unproven")

    def check_retryable(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        for _ in range(16):
            self.world.activate("rmm")
        self.assertErrs(self.run_client("activate", "rmm", "r"), 3, "org.freedesktop.DBus.Error.LimitsExceeded")
        self.assertEqual(self.run_client("explain", "rmm")[0], 3)
        self.world.sim("release")
        self.world.wait_for(lambda: len(self.world.history_file("finished")) == 17, 30, "all jobs to end")

    def check_restart_while_it_waits(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("slow activate 1s")
        client = self.world.spawn_as(None, [self.program, "activate", "rmm", "r"])
        self.world.sim("wait activate-entered")
        self.world.kill("lfad")
        done = self.world.finish(client)
        self.assertIn(done.returncode, (1, 5), "without lfad nobody knows")
        self.world.start("lfad")
        self.world.wait_record("finished")
        self.assertEqual(self.world.stores(), 1)

    def check_wrong_use(self):
        for words in ((), ("list", "x"), ("activate", "rmm"), ("nonsense",)):
            self.assertEqual(self.world.as_user(None, [self.program, *words]).returncode, 2)


class WithoutVersionsTest(world.TestCase):
    options = {"firmware": "tfa"}

    def test_what_cannot_be_proved_has_a_status_of_its_own(self):
        self.world.stage("rmm", "2.0")
        for number, program in enumerate((PYTHON, C)):
            target = os.path.join(self.world.tools_dir, os.path.basename(program))
            shutil.copy(program, target)
            done = self.world.as_user(None, [target, "activate", "rmm", f"r-{number}"])
            self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
            self.world.stage("rmm", "3.0")


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


PYTHON = os.path.join(world.SOURCE_DIR, "tests/clients/client.py")
C = os.path.join(world.BUILD_DIR, "tests/clients/client")


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


world.main()
