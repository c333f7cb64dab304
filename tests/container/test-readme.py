#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""README.md: what it shows of a terminal is what a terminal shows, and its first steps lead where they say, on a machine
with systemd and the installed package. Blocks `console` are commands with what they print (tests/docs/guide.py, which also
says what LFAD_UPDATE_GUIDES=1 does), blocks `sh` are run as they stand; only for windows that open soon nobody waits."""

import datetime
import os
import re
import sys

import container
from container import wait_for

sys.path.append(os.path.join(container.world.SOURCE_DIR, "tests/docs"))
import docs  # noqa: E402  pylint: disable=wrong-import-position
import guide  # noqa: E402  pylint: disable=wrong-import-position

README = os.path.join(docs.SOURCE_DIR, "README.md")
POLICY = "/etc/lfad/lfad.conf.d/policy.conf"
SOON = "/etc/lfad/lfad.conf.d/soon.conf"
EVERY_OTHER_MINUTE = "OnCalendar=*:0/2"


def blocks():
    """(language, text) of the blocks, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", docs.read("README.md"), re.MULTILINE | re.DOTALL)


class ReadmeTest(container.TestCase):
    options = {"control": True}
    today = datetime.date.today()  # of all blocks, should midnight come between them

    def shell(self, text):
        done = self.box.run("bash", "-c", f"cd /root; exec 2>&1\n{text}", check=False, timeout=120)
        return done.stdout.rstrip("\n").split("\n") if done.stdout else []

    def command(self, command):
        """One typed by somebody who has read what the one before said: the tree has settled meanwhile."""
        explained = re.match(r"lfactl explain (\w+)$", command)
        if explained:
            self.settle(explained[1])
        if command.startswith("journalctl"):
            self.box.run("journalctl", "--sync")
        return self.shell(guide.shift_days(command, self.today))

    def console(self, text):
        parts = [(command, shown, self.command(command)) for command, shown in guide.parse(text)]
        wrong = [(command, shown, printed) for command, shown, printed in parts if not guide.matches(shown, printed)]
        if wrong and os.environ.get("LFAD_UPDATE_GUIDES"):
            self.update(text, parts)
        elif wrong:
            command, shown, printed = wrong[0]
            self.fail("\n".join([f"# {command}", "--- shown", *shown, "--- printed", *printed]))

    def update(self, text, parts):
        lines = []
        for command, shown, printed in parts:
            lines += [f"# {command}"]
            lines += shown if guide.matches(shown, printed) else [
                part for line in printed for part in guide.fold(guide.shift_back(line, self.today))]
        with open(README, encoding="utf-8") as file:
            source = file.read()
        with open(README, "w", encoding="utf-8") as file:
            file.write(source.replace(f"```console\n{text}```", "```console\n" + "".join(f"{x}\n" for x in lines) + "```"))

    def settle(self, image):
        """The tree has not changed for so long that no gate waits for that."""
        wait_for(lambda: "settle" not in self.box.lfactl("explain", image, check=False).stdout, 60,
                 "the tree to settle")


class LookTest(ReadmeTest):
    """The first block of all."""

    def test_it_looks_so(self):
        policy = next(text for language, text in blocks() if language == "sh" and POLICY in text)
        policy = guide.shift_days(policy.replace("Mode=automatic", "Mode=manual"), self.today)
        self.shell(policy + "systemctl reload lfad")
        self.box.sim("uevent change")
        self.box.stage("rmm", "2.0")
        self.settle("rmm")
        self.console(blocks()[0][1])


class StepsTest(ReadmeTest):
    """All others, in order. Who tells lfad that the clock is right runs already: lfad does not wait long for that."""

    options = {**ReadmeTest.options, "wants": ("lfad.service", "systemd-timedated.service")}

    def test_they_lead_where_they_say(self):
        for language, text in blocks()[1:]:
            if language == "console":
                self.console(text)
            elif "lfactl monitor" in text:
                self.watch(text)
            else:
                self.shell(guide.shift_days(text, self.today))

    def watch(self, text):
        """A block that says to wait for a window: here one opens in a moment, and then no more."""
        before, _, _ = text.partition("lfactl monitor")
        monitor = self.box.spawn("sh", "-c", "cd / && echo number $$ && exec lfactl monitor")
        number = next(line.split()[1] for line in monitor.stdout if line.startswith("number "))
        next(line for line in monitor.stdout if "watching" in line)  # else it may miss the end
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=6)
        soon = f"OnCalendar={moment:%Y-%m-%d %H:%M:%S}"
        if EVERY_OTHER_MINUTE in before:
            before = before.replace(EVERY_OTHER_MINUTE, soon)
        else:  # the one from before is no more, so that nothing is tried in two
            self.box.write(SOON, f"[Window soon]\n{soon}\nDuration=100s\n")
            self.box.run("systemctl", "reload", "lfad")
        jobs = len(self.box.history("finished")) if self.box.history() else 0
        self.shell(before)
        wait_for(lambda: len(self.box.history("finished")) > jobs, 120, "the activation in the window")
        told = iter(monitor.stdout.readline, "")  # the record is there a moment before
        self.assertTrue(any(re.search(r"job \d+ ended: ", line) for line in told), "the monitor tells of the end")
        self.box.run("kill", number)
        monitor.communicate(timeout=60)


container.main()
