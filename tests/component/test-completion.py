#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bash and zsh complete, with their own completion and the images of the real lfad."""

import os
import re
import shutil
import subprocess
import time

import terminal
import world

SHELLS = os.path.join(world.SOURCE_DIR, "src/ctl/completion")

# the words typed, and what is offered for the last one
TABLE = [
    ([""], {"status", "activate", "history", "config", "help"}),
    (["act"], {"activate"}),
    (["complet"], set()),  # not for people
    (["activate", ""], {"rmm", "bl31", "scp", "0509b633"}),
    (["activate", "rmm", ""], {"bl31", "scp", "0509b633"}),
    (["show", "6c07"], {world.GUIDS["rmm"]}),
    (["explain", "rmm", ""], set()),
    (["--json=short", "-n", "3", "unhold", "r"], {"rmm"}),
    (["list", "--json="], {"--json=pretty", "--json=short", "--json=off"}),
    (["list", "--js"], {"--json", "--json="}),
    (["activate", "--expect-p"], {"--expect-pending="}),
    (["list", "--expect-p"], set()),
    (["inhibit", "--mode", ""], {"block", "delay"}),
    (["history", "--image=r"], {"--image=rmm"}),
    (["history", "--type=set"], {"--type=settled", "--type=setting-applied"}),
    (["activate", "--override=window,fr"], {"--override=window,freeze"}),
    (["config", ""], {"check", "show"}),
    (["help", "monit"], {"monitor"}),
    (["list", ""], set()),
    (["cancel", ""], {"rmm", "bl31", "scp", "0509b633"}),
    (["-H", "server", "activate", ""], set()),  # nobody is asked over a network
    (["-H", ""], {":host"}),
    (["config", "--root="], {":directory"}),
    (["inhibit", "--why=x", "--", "ls", ""], {":command 3"}),
    (["frobnicate", ""], {"status", "activate"}),
]


class CompletionTest(world.TestCase):
    def complete(self, *words, **environment):
        for _ in range(10):
            began = time.monotonic()
            done = subprocess.run(["lfactl", "complete", "--", *words], capture_output=True, text=True, check=False,
                                  timeout=60, stdin=subprocess.DEVNULL, env={**self.world.environment, **environment})
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            if done.stdout or time.monotonic() < began + 2:
                break  # else it may have given lfad up, which it does in silence after 2 s
        return {line.partition("\t")[0] for line in done.stdout.splitlines()}

    def shell(self, *argv):
        """Its terminal; the prompt is READY."""
        shell = terminal.Terminal(argv, {**self.world.environment, "HOME": self.world.dir, "PS1": "READY> "}, 200)
        self.addCleanup(shell.close)
        return shell

    def check_shell(self, shell):
        """The same in both: what is typed and TAB, and what comes to stand on the line."""
        end = time.monotonic() + 60
        for typed, pattern in (("lfactl activate r", r"lfactl activate rmm"),
                               ("lfactl hist", r"lfactl history"),
                               ("lfactl list --json=sh", r"--json=short"),
                               ("lfactl activate --expect-pen", r"--expect-pending="),
                               ("lfactl explain --override=window,fr", r"--override=window,freeze"),
                               ("lfactl config che", r"lfactl config check"),
                               ("lfactl inhibit --why=x -- printen", r"-- printenv")):
            with self.subTest(typed=typed):
                shell.seen = ""
                shell.type("\x15" + typed + "\t")  # away with what is there
                while not shell.shows(re.escape(pattern), 5):  # once more, since lfactl may have given lfad up
                    self.assertLess(time.monotonic(), end, f"no {pattern!r} in {shell.seen!r}")
                    shell.type("\x15" + typed + "\t")
                self.assertNotRegex(shell.seen, "rror|no such|not found")

    def test_what_is_offered(self):
        for words, expected in TABLE:
            with self.subTest(words=words):
                offered = self.complete(*words)
                if words in ([""], ["frobnicate", ""]):
                    self.assertLessEqual(expected, offered)
                else:
                    self.assertEqual(offered, expected)

    def test_jobs_that_wait(self):
        self.world.sim("stage rmm 2.0")
        self.world.refresh()
        self.world.call(world.PATH, world.MANAGER, "Hold", "sa{sv}", "a test", {})
        path = self.world.call(world.PATH, world.MANAGER, "Activate", "sa{sv}", "rmm", {"when-allowed": True})
        job = path.rpartition("/")[2]
        self.assertIn(job, self.complete("cancel", ""))
        self.assertNotIn(job, self.complete("activate", ""))

    def test_without_lfad_nothing_is_said_and_nothing_started(self):
        self.world.stop("lfad")
        self.assertEqual(self.complete("activate", ""), set())
        self.assertFalse(self.world.running("lfad"))
        self.assertEqual(self.complete("activate", "", DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent"), set())

    def test_bash_completes(self):
        shutil.copy(os.path.join(SHELLS, "lfactl.bash"), os.path.join(self.world.dir, "completion"))
        rc_file = os.path.join(self.world.dir, "bashrc")
        with open(rc_file, "w", encoding="utf-8") as file:
            file.write("PS1='READY> '\n. /usr/share/bash-completion/bash_completion\n"
                       f". {self.world.dir}/completion\n")
        shell = self.shell("bash", "--noprofile", "--rcfile", rc_file, "-i")
        shell.wait_for("READY> ")
        self.check_shell(shell)

    def test_zsh_completes(self):
        shell = self.shell("zsh", "-f", "-i")
        shell.wait_for("READY> ")
        shell.type(f"fpath=({SHELLS} $fpath); autoload -Uz compinit; compinit -u -D; echo LOAD''ED\n")
        shell.wait_for("LOADED")
        self.check_shell(shell)


world.main()
