#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Inhibitors: what they hold back, and that each lasts exactly as long as somebody has its descriptor open, whatever
becomes of the client or of lfad meanwhile."""

import contextlib
import errno
import json
import os
import pwd
import signal
import stat
import subprocess
import time

import dbus

import world
from world import ACCESS_DENIED, GUIDS, INTERACTIVE, MANAGER, NAME, PATH

LIMITS = "org.freedesktop.DBus.Error.LimitsExceeded"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
NOBODY = pwd.getpwnam("nobody").pw_uid
ALLOW = 'polkit.addRule(function(action) { if (action.id == "org.arm.LFA1.inhibit") return polkit.Result.YES; });\n'


@contextlib.contextmanager
def user(uid):
    """What is connected to meanwhile takes us for this user."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


class InhibitorTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.open = set()
        self.addCleanup(lambda: [os.close(fd) for fd in self.open])

    def take(self, mode="block", images=(), who="backup", why="the nightly run", options=None, bus=None):
        """The descriptor of a new inhibitor."""
        if bus is None:
            fd = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", who, why, mode, list(images), options or {})
        else:
            try:
                fd = bus.call_blocking(NAME, PATH, MANAGER, "Inhibit", "sssasa{sv}", (who, why, mode, list(images), {}))
            except dbus.DBusException as error:
                raise world.BusError(error.get_dbus_name(), error.get_dbus_message()) from error
        fd = fd.take()
        self.open.add(fd)
        return fd

    def let_go(self, fd):
        self.open.remove(fd)
        os.close(fd)

    def list(self):
        return self.world.call(PATH, MANAGER, "ListInhibitors")

    def files(self):
        return sorted(os.listdir(os.path.join(self.world.runtime_dir, "inhibit")))

    def assertReleased(self):
        self.world.wait_for(lambda: not self.list(), 10, "the inhibitor to be gone")
        self.assertEqual(self.files(), [])

    def assertBlocked(self, image="rmm"):
        error = self.assertBusError("Inhibited", self.world.activate, image)
        self.assertIn("backup: the nightly run", error.message)

    def holder(self, fd):
        """Another process that has it."""
        process = subprocess.Popen(["sleep", "1000"], pass_fds=(fd,))  # pylint: disable=consider-using-with
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process


class BlockTest(InhibitorTest):
    def test_a_block_holds_back_its_images_until_it_is_let_go(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("bl31", "2.0")
        self.world.stage("scp", "4.0")
        before = time.time_ns() // 1000
        fd = self.take(images=["rmm", GUIDS["rmm"], "scp", "RMM"])
        [inhibitor] = self.list()
        self.assertTrue(before <= inhibitor.pop("since") <= time.time_ns() // 1000)
        self.assertEqual(inhibitor, {"id": 1, "who": "backup", "why": "the nightly run", "mode": "block", "uid": 0,
                                     "pid": os.getpid(), "images": sorted([GUIDS["rmm"], GUIDS["scp"]])})
        self.assertEqual(json.loads(self.world.call(PATH, MANAGER, "Describe", "a{sv}", {}))["inhibitors"],
                         [dict(inhibitor, since=self.list()[0]["since"])])
        self.assertBlocked("rmm")
        self.assertBlocked("scp")
        verdict, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", {})
        self.assertEqual((verdict["answer"], verdict["gate"], verdict["retryable"]), ("defer", "inhibitor", True))
        [gate] = [gate for gate in gates if gate["gate"] == "inhibitor"]
        self.assertIn("backup: the nightly run", gate["text"])
        self.assertEqual(self.world.image("rmm")["Blockers"], ["inhibitor"])
        self.assertEqual(self.world.image("bl31")["Blockers"], [])
        self.assertEnded(self.world.run_job("bl31"), "succeeded")
        second = self.take(who="other", why="all of them")
        self.assertIn("2 clients, first by backup: the nightly run",
                      self.assertBusError("Inhibited", self.world.activate, "rmm").message)
        self.let_go(fd)
        self.world.wait_for(lambda: len(self.list()) == 1, 10, "the first to be gone")
        self.assertIn("by other: all of them", self.assertBusError("Inhibited", self.world.activate, "rmm").message)
        self.let_go(second)
        self.assertReleased()
        self.assertEqual(self.world.image("rmm")["Blockers"], [])
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_it_is_taken_during_an_activation_and_refuses_what_waits_behind_it(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        running = self.world.activate("scp")
        self.world.sim("wait activate-entered")
        waiting = self.world.activate("rmm")
        fd = self.take()
        self.assertEqual(self.world.job(running)["State"], "activating")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(running), "succeeded")
        self.assertEnded(self.world.wait_job(waiting), "refused", "Inhibited")
        self.let_go(fd)
        self.assertReleased()

    def test_a_delay_holds_nothing_back(self):
        self.world.stage("rmm", "2.0")
        self.world.configure("[Policy]\nInhibitDelayMaxSec=0\n")
        self.world.reload()
        self.take("delay")
        self.assertEqual(self.list()[0]["mode"], "delay")
        self.assertEqual(self.list()[0]["images"], [])
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_what_makes_no_sense_is_refused(self):
        cases = [({"mode": ""}, INVALID_ARGS), ({"mode": "Block"}, INVALID_ARGS), ({"who": ""}, INVALID_ARGS),
                 ({"why": ""}, INVALID_ARGS), ({"who": "x" * 257}, INVALID_ARGS), ({"why": "a\nb"}, INVALID_ARGS),
                 ({"why": "\x1b[1m"}, INVALID_ARGS), ({"images": ["x" * 257]}, INVALID_ARGS),
                 ({"images": ["rmm"] * 65}, INVALID_ARGS), ({"options": {"x": 1}}, INVALID_ARGS),
                 ({"images": ["rmm", "nothing"]}, "NoSuchImage"), ({"images": [""]}, "NoSuchImage")]
        for arguments, error in cases:
            with self.subTest(arguments=arguments):
                self.assertBusError(error, self.take, **arguments)
        self.assertEqual(self.list(), [])
        self.take(images=["rmm"] * 64, who="\u00fc" * 128, why="%s \U0001f980")
        self.assertEqual(self.list()[0]["images"], [GUIDS["rmm"]])


class LifeTest(InhibitorTest):
    def test_it_lasts_as_long_as_anybody_has_it_open(self):
        self.world.stage("rmm", "2.0")
        fd = self.take()
        other = self.holder(fd)
        self.let_go(fd)
        self.world.refresh()
        self.assertBlocked()
        other.kill()
        other.wait()
        self.assertReleased()

    def test_it_outlives_lfad_but_not_its_holder(self):
        self.world.stage("rmm", "2.0")
        self.take(images=["rmm"])
        doomed = self.take("delay", who="doomed")
        other = self.holder(doomed)
        self.let_go(doomed)
        before = self.list()
        self.world.restart("lfad")
        self.assertEqual(self.list(), before)
        self.assertBlocked()
        self.world.kill("lfad")
        other.kill()
        other.wait()
        self.world.start("lfad")
        self.assertEqual(self.list(), before[:1])
        self.assertIn("Inhibitor 2 of an earlier lfad is dropped: nobody holds it any more.", self.world.log("lfad"))
        self.assertEqual(self.files(), ["1.fifo", "1.json"])
        self.assertBlocked()
        self.assertEqual([item["id"] for item in self.list()], [1])
        self.let_go(self.take())
        for fd in list(self.open):
            self.let_go(fd)
        self.assertReleased()
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_garbage_in_the_folder_is_removed_at_the_start(self):
        kept = self.take()
        self.take(who="of another boot")
        self.take(who="without a fifo")
        self.world.stop("lfad")
        folder = os.path.join(self.world.runtime_dir, "inhibit")
        path = lambda name: os.path.join(folder, name)
        with open(path("2.json"), encoding="utf-8") as file:
            good = json.load(file)
        written = {"2.json": dict(good, **{"boot-id": "0" * 32}), "20.json": dict(good, who=""),
                   "21.json": dict(good, mode="x"), "22.json": dict(good, images="x"), "23.json": dict(good, uid=-1),
                   "24.json": dict(good, why="a\u0007"), "25.json": [good], "26.json": dict(good, who="x" * 100000),
                   "27.json": dict(good, images=" ".join([GUIDS["rmm"]] * 65)), "28.json": {}, "31.json": good}
        for name, content in written.items():
            with open(path(name), "w", encoding="utf-8") as file:
                json.dump(content, file)
            if name not in ("2.json", "31.json"):
                os.mkfifo(path(name.replace("json", "fifo")), 0o600)
                self.open.add(os.open(path(name.replace("json", "fifo")), os.O_RDWR))
        for name in ("x", "0.json", "01.fifo", "1.jsonx", ".1.json.new", "99999999999.fifo", "31.fifo", "32.fifo"):
            with open(path(name), "w", encoding="utf-8") as file:
                file.write("garbage")
        os.remove(path("3.fifo"))
        os.mkfifo(path("40.fifo"), 0o600)
        os.symlink("/dev/zero", path("41.json"))
        self.world.start("lfad")
        self.assertEqual([item["id"] for item in self.list()], [1])
        self.assertEqual(self.files(), ["1.fifo", "1.json"])
        for text in ("2 of an earlier lfad is dropped: it is of an earlier boot", "3 of an earlier lfad is dropped: one of",
                     "20 of an earlier lfad is dropped: its files", "40 of an earlier lfad is dropped: one of",
                     "31 of an earlier lfad is dropped: its files", "Removed 6 files"):
            self.assertIn(text, self.world.log("lfad", 1000))
        self.let_go(kept)
        self.assertReleased()

    def test_a_folder_that_cannot_be_used_is_said(self):
        with open(os.path.join(self.world.runtime_dir, "inhibit"), "w", encoding="utf-8"):
            pass
        self.assertBusError("StateUnavailable", self.take)
        self.world.restart("lfad")
        self.assertEqual(self.list(), [])


class StrangerTest(InhibitorTest):
    """What users other than root may, and can do with the descriptor they get."""

    def connect(self, uid=NOBODY):
        with user(uid):
            bus = self.world.connect()
        self.addCleanup(bus.close)
        return bus

    def test_polkit_decides(self):
        arguments = ("sssasa{sv}", "backup", "the nightly run", "block", ["rmm"], {})
        call = lambda **options: self.world.call_as("nobody", PATH, MANAGER, "Inhibit", *arguments, **options)
        self.assertBusError(INTERACTIVE, call)
        self.assertBusError(INTERACTIVE, call, interactive=False)
        with self.world.agent("fail") as agent:
            self.assertBusError(ACCESS_DENIED, call, agent=agent)
            [prompt] = agent.prompts
        self.assertEqual((prompt.action, prompt.message),
                         (NAME + ".inhibit", "Authentication is required to let backup hold back the activation of "
                                             "firmware on this system (block): the nightly run"))
        self.assertEqual(self.list(), [])
        with self.world.agent("ok") as agent:
            call(agent=agent)
        self.assertIn("is taken by backup (uid 65534", self.world.log("lfad"))
        self.assertReleased()  # the caller has ended
        self.world.polkit_rule('polkit.addRule(function(action) {'
                               ' if (action.lookup("mode") == "delay" && action.lookup("who") == "x" &&'
                               f' action.lookup("images") == "{GUIDS["rmm"]}" && action.lookup("why") == "y")'
                               '   return polkit.Result.YES; });\n')
        self.take("delay", ["rmm"], who="x", why="y", bus=self.connect())
        self.assertBusError(INTERACTIVE, self.take, "delay", [], who="x", why="y", bus=self.connect())
        self.assertEqual(self.world.call_as("nobody", PATH, MANAGER, "ListInhibitors")[0]["uid"], NOBODY)

    def test_each_user_has_a_few(self):
        """All together have 64: tests/unit/test-inhibitors.c."""
        self.world.polkit_rule(ALLOW)
        for bus in (None, self.connect()):
            for _ in range(8):
                fd = self.take(bus=bus)
            self.assertBusError(LIMITS, self.take, bus=bus)
        self.assertEqual(len(self.list()), 16)
        self.let_go(fd)
        self.world.wait_for(lambda: len(self.list()) == 15, 10, "one to be gone")
        self.take(bus=bus)

    def test_the_descriptor_is_good_for_nothing_else(self):
        self.world.polkit_rule(ALLOW)
        self.world.stage("rmm", "2.0")
        fd = self.take(bus=self.connect())
        self.assertTrue(stat.S_ISFIFO(os.fstat(fd).st_mode))
        with self.assertRaises(OSError) as caught:
            os.read(fd, 1)
        self.assertEqual(caught.exception.errno, errno.EBADF)
        with user(NOBODY):
            for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
                with self.assertRaises(PermissionError):
                    os.open(f"/proc/self/fd/{fd}", flags | os.O_NONBLOCK)
            with self.assertRaises(PermissionError):
                os.fchmod(fd, 0o666)
        before = self.ticks()
        with self.assertRaises(BlockingIOError):
            for _ in range(100000):
                os.write(fd, b"x" * 4096)
        for _ in range(100):
            self.world.manager()
        self.assertLess(self.ticks() - before, 100, "lfad does nothing about it")
        self.assertBlocked()
        self.world.kill("lfad")
        self.world.start("lfad")
        self.assertBlocked()
        with contextlib.suppress(BlockingIOError):
            os.write(fd, b"x")
        self.let_go(fd)
        self.assertReleased()

    def ticks(self):
        """The processor time of lfad so far, in hundredths of a second."""
        with open(f"/proc/{self.world.parts['lfad'].pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])


class LfactlTest(InhibitorTest):
    def inhibit(self, *words, **options):
        return self.world.lfactl("inhibit", "--why=the nightly run", "--who=backup", *words, **options)

    def begin(self, *words):
        """lfactl with a command that has begun, and its pid."""
        process = self.world.spawn_as(None, ["lfactl", "inhibit", "--why=x", *words, "--", "sh", "-c", "echo $$; exec sleep 1000"])
        pid = int(self.world.wait_for(lambda: self.world.said(process), 10, "the command to begin"))
        self.addCleanup(self.end, pid)
        self.world.wait_for(lambda: self.program(pid) == "sleep", 10, "sleep to run")
        return process, pid

    @staticmethod
    def end(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    @staticmethod
    def program(pid):
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().strip()

    def test_a_command_runs_while_activations_are_held_back(self):
        self.world.stage("rmm", "2.0")
        done = self.inhibit("--image=rmm", "--image=scp", "--", "sh", "-c",
                            "lfactl activate rmm; echo \"code $?\"; lfactl inhibit; ls -l /proc/$$/fd; exit 7")
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertIn("code 3\n", done.stdout)
        self.assertIn("blocked by backup: the nightly run", done.stderr)
        self.assertRegex(done.stdout, r"backup +0 +\d+ +block +(rmm, scp|scp, rmm) .*the nightly run")
        self.assertNotIn("inhibit/", done.stdout.split("code 3")[1].split("the nightly run")[1])
        self.assertNotIn("fifo", done.stdout)
        self.assertReleased()
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_the_exit_status_is_the_commands(self):
        for words, code in ((["true"], 0), (["sh", "-c", "kill -9 $$"], 137), (["/no/such"], 127), (["/etc"], 126),
                            (["sh", "-c", "exit 255"], 255), ([b"/no/such\xff"], 127)):
            self.assertEqual(self.world.lfactl("inhibit", "--why=x", "--", *words).returncode, code, words)
        self.assertReleased()

    def test_what_the_command_leaves_behind_holds_nothing(self):
        done = self.inhibit("--", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!")
        self.addCleanup(self.end, int(done.stdout))
        self.world.wait_for(lambda: self.program(int(done.stdout)) == "sleep", 10, "what was left behind to run")
        self.assertReleased()

    def test_signals_are_the_commands_business(self):
        process, pid = self.begin("--mode=delay")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            process.send_signal(number)
        [inhibitor] = self.list()
        self.assertEqual((inhibitor["who"], inhibitor["mode"], inhibitor["images"]), ("sh", "delay", []))
        os.kill(pid, signal.SIGTERM)  # which it was not made to ignore
        self.assertEqual(self.world.finish(process).returncode, 128 + signal.SIGTERM)
        self.assertReleased()

    def test_killed_it_lets_go_and_the_command_goes_on(self):
        process, pid = self.begin()
        process.kill()
        self.world.finish(process)
        self.assertReleased()
        self.assertEqual(self.program(pid), "sleep")

    def test_the_list(self):
        done = self.world.lfactl("inhibit")
        self.assertEqual((done.returncode, done.stdout), (0, "Nobody holds activations back.\n"))
        self.take(images=["rmm"], who="\u202eabc")
        self.take("delay", who="other")
        done = self.world.lfactl("inhibit", "--list")
        self.assertRegex(done.stdout, r"WHO +UID +PID +MODE +IMAGES +SINCE +WHY\n"
                                      r"\\u202eabc +0 +\d+ +block +rmm +.* the nightly run\n"
                                      r"other +0 +\d+ +delay +all +.* the nightly run\n$")
        document = json.loads(self.world.lfactl("--json=short", "inhibit", "--list").stdout)
        self.assertEqual(document["inhibitors"], self.list())
        self.assertEqual(len(document["inhibitors"]), 2)

    def test_refusals_run_nothing(self):
        for code, words, text in ((2, ["--image=nothing"], "no image 'nothing'"), (2, ["--mode=x"], "block or delay"),
                                  (2, ["--why="], "empty"), (2, ["--json=short"], "--list"), (2, ["--list"], "--list")):
            done = self.inhibit(*words, "--", "echo", "run")
            self.assertEqual(done.returncode, code, words)
            self.assertIn(text, done.stderr)
            self.assertNotIn("run\n", done.stdout)
        self.assertEqual(self.world.lfactl("inhibit", "--", "true").returncode, 2)
        self.assertEqual(self.inhibit().returncode, 2)
        done = self.inhibit("--", "echo", "run", user="nobody")
        self.assertEqual((done.returncode, done.stdout), (6, ""))
        with self.world.agent("ok") as agent:
            done = self.inhibit("--", "echo", "run", user="nobody", agent=agent)
            self.assertEqual((done.returncode, done.stdout), (0, "run\n"), done.stderr)
            self.assertEqual(len(agent.prompts), 1)
        for _ in range(8):
            self.take()
        self.assertEqual(self.inhibit("--", "echo", "run").returncode, 3)


world.main()
