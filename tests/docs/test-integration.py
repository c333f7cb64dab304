#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfad-integration(7): its programs are run, and its consoles print what it shows. What can become of a request, and
restarts of lfad meanwhile, are for tests/component/test-clients.py, which runs the same files."""

import datetime
import os
import re
import shlex
import shutil
import unittest

import docs
import guide
import timedate1
import world
from world import PATH

PAGE = "lfad-integration.7"
EXAMPLES = os.path.join(docs.SOURCE_DIR, "man/examples")
FILES = sorted(set(os.listdir(EXAMPLES)) - {"meson.build"})
INVENTORY = "arm7 ansible_connection=local ansible_become=false ansible_python_interpreter=/usr/bin/python3\n"


def in_page(name):
    return docs.page(PAGE).examples[name][1]


class FilesTest(unittest.TestCase):
    def test_the_page_has_all_files_as_they_are(self):
        examples = docs.page(PAGE).examples
        self.assertEqual({name for name, (language, _) in examples.items() if language != "console"}, set(FILES))
        for name in FILES:
            self.assertEqual(in_page(name), docs.read("man/examples", name))

    def test_systemd_understands_the_units(self):
        units = {name: in_page(name) for name in FILES if name.startswith("site-firmware")}
        self.assertEqual((len(units), docs.systemd_says(units)), (2, ""))
        planted = {name: text.replace("OnCalendar=Sun", "OnCalendar=Sonntag") for name, text in units.items()}
        self.assertNotEqual(docs.systemd_says(planted), "")


class HostTest(world.TestCase):
    """A host with a user for the agent, as the page has it, who may do what the example of rules allows."""

    options = {"own_etc": True}

    def setUp(self):
        super().setUp()
        with open("/etc/passwd", "a", encoding="ascii") as file:
            file.write("fleet-agent:x:64321:65534::/nonexistent:/usr/sbin/nologin\n")
        self.folder = os.path.join(self.world.dir, "examples")
        shutil.copytree(EXAMPLES, self.folder)
        with open(os.path.join(self.folder, "hosts"), "w", encoding="ascii") as file:
            file.write(INVENTORY)
        self.world.environment.update(HOME=self.folder, ANSIBLE_NOCOLOR="1", ANSIBLE_LOCAL_TEMP=self.folder,
                                      ANSIBLE_REMOTE_TMP=self.folder, PYTHONDONTWRITEBYTECODE="1")
        self.world.recognise_nvnew()


class ConsolesTest(HostTest):
    def a_freeze(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        days = [(now + datetime.timedelta(days=days)).strftime("%Y-%m-%d") for days in (-1, 20)]
        self.world.configure("[Freeze year-end]\nFrom={}\nUntil={}\n".format(*days))
        self.world.reload()
        self.world.stage("scp", "4.1")

    def before(self):
        return {
            "int-shell": lambda: self.world.stage("rmm", "2.0"),
            "int-python": lambda: self.world.stage("rmm", "2.1"),
            "int-c": lambda: self.world.stage("bl31", "3.0"),
            "int-ansible": lambda: self.world.stage("scp", "4.0"),
            "int-ansible-later": self.a_freeze,
        }

    def test_the_page_shows_what_happens(self):
        guide.Runner(PAGE, self.world, self.before(), self.folder).run_all()
        self.assertEqual(self.world.stores(), 4)

    def test_a_planted_difference_is_found(self):
        self.world.stage("rmm", "2.0")
        for good, bad in (("exit status 0", "exit status 1"), ("1.2 2.0 change", "1.3 2.0 change")):
            text = guide.consoles(PAGE)["int-shell"]
            self.assertIn(good, text)
            with self.assertRaises(guide.Differs):
                runner = guide.Runner(PAGE, self.world, {}, self.folder)
                runner.update = False
                runner.run_block("int-shell", text.replace(good, bad))


class QuiesceTest(HostTest):
    def test_it_is_told_before_and_after(self):
        self.world.stage("rmm", "2.0")
        told = os.path.join(self.folder, "told")
        words = [f"echo {word} $1 $(cat /sys/firmware/lfa/$1/current_version) >>{told}" for word in ("before", "after")]
        process = self.world.spawn_as(None, [os.path.join(self.folder, "quiesce.py"), *words])
        self.addCleanup(self.world.finish, process)
        self.addCleanup(process.terminate)
        for current, version in (("1.2", "2.0"), ("2.0", "2.1")):
            self.world.wait_for(lambda: self.inhibitors() == ["delay"], what="the inhibitor")
            self.world.stage("rmm", version)
            self.assertEnded(self.world.run_job("rmm"), "succeeded")
            guid = world.GUIDS["rmm"]
            wanted = f"before {guid} {current}\nafter {guid} {version}\n"
            self.world.wait_for(lambda: os.path.exists(told) and self.read(told).endswith(wanted), what="both to be told")

    @staticmethod
    def read(path):
        with open(path, encoding="ascii") as file:
            return file.read()

    def inhibitors(self):
        found = self.world.call(PATH, world.MANAGER, "ListInhibitors")
        return [inhibitor["mode"] for inhibitor in found]


class TimerTest(HostTest):
    def setUp(self):
        super().setUp()
        clock = timedate1.Timedate1(self.world.connect())
        self.addCleanup(clock.close)
        self.world.polkit_rule(docs.read("polkit/example-rules.js"))
        self.service = dict(re.findall(r"(?m)^(\w+)=(.*)$", in_page("site-firmware.service")))

    def run_line(self, key):
        command = self.service[key].removeprefix("/usr/bin/")
        return self.world.as_user(self.service["User"], shlex.split(command)).returncode

    def test_its_commands_activate_as_the_agent_what_is_pending(self):
        self.assertEqual(self.run_line("ExecCondition"), 1)
        self.world.stage("rmm", "2.0")
        self.assertEqual((self.run_line("ExecCondition"), self.run_line("ExecStart")), (0, 0))
        self.assertEqual(self.world.stores(), 1)
        self.world.stage("rmm", "1.9")
        self.assertEqual((self.run_line("ExecCondition"), self.run_line("ExecStart")), (0, 6), "the rule forbids it")
        self.assertEqual(self.service["SuccessExitStatus"], "3")


world.main()
