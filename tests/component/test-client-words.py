#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lfactl says to whom: JSON for programs whatever happens, and a hint for people whatever they write."""

import json
import shlex
import subprocess

import world

NOWHERE = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}

# What people write who do not know lfactl yet, and a word of the answer that helps on.
SLIPS = [
    ("-l", "leave it out"),
    ("lst", "'list'"),
    ("rmm", "lfactl show rmm"),
    ("start rmm", "lfactl activate"),
    ("install rmm", "lfactl activate"),
    ("update", "lfactl activate"),
    ("restart rmm", "lfactl activate"),
    ("stop rmm", "lfactl cancel"),
    ("info rmm", "lfactl show"),
    ("get-devices", "lfactl list"),
    ("get-history", "lfactl history"),
    ("logs", "lfactl history"),
    ("mask rmm", "lfactl hold"),
    ("unmask rmm", "lfactl unhold"),
    ("why rmm", "lfactl explain"),
    ("list-timers", "lfactl plan"),
    ("follow", "lfactl monitor"),
    ("daemon-reload", "lfactl reload"),
    ("reset-failed rmm", "lfactl clear-quarantine"),
    ("jobs", "lfactl status"),
    ("version", "lfactl --version"),
    ("verify", "lfactl config check"),
    ("rollback rmm", "does not stage firmware"),
    ("frobnicate", "--help|help"),
    ("help actvate", "'activate'"),
    ("activate", "--pending"),
    ("activate all", "--pending"),
    ("activate rmmm", "'rmm'"),
    ("activate rmm --force", "--override"),
    ("activate rmm --dryrun", "--dry-run"),
    ("activate rmm --yes", "leave it out"),
    ("activate rmm --wait", "--no-block"),
    ("activate --all", "--pending"),
    ("activate rmm --comment=x", "--reason"),
    ("activate rmm --override=window", "--reason=TEXT"),
    ("activate rmm --reason=x --override=windw", "these can be passed over"),
    ("activate rmm --at=+2h", "lfactl explain"),
    ("explain", "lfactl list"),
    ("explain rmm bl31", "One at a time"),
    ("explain rmm --at=yesterday", "Sat 03:30"),
    ("list rmm", "lfactl show rmm"),
    ("list -v", "lfactl show"),
    ("list --no-pager", "leave it out"),
    ("list --output=json", "--json|metrics"),
    ("list --json=xml", "pretty, short or off"),
    ("history rmm", "--image=rmm"),
    ("history --since=tomorrow", "yesterday"),
    ("history -n all5", "'all'"),
    ("plan rmm", "lfactl explain rmm"),
    ("hold", "--reason=TEXT"),
    ("hold all --reason=x", "without names"),
    ("hold --reason=x --until=31.12.2026", "2026-12-31"),
    ("unhold rmm", "lfactl status"),
    ("unhold", "lfactl status"),
    ("cancel", "lfactl status"),
    ("cancel 99", "lfactl status"),
    ("cancel rmm", "has ended"),
    ("clear-quarantine rmm", "nothing to clear"),
    ("inhibit sleep 5", "--why=TEXT"),
    ("inhibit --why=x tar --frob", "two dashes"),
    ("inhibit --why=x", "-- COMMAND"),
    ("calendar Sat 03:30", "in quotes"),
    ("calendar", "Sat,Sun 03:30"),
    ("config", "config check"),
    ("config chek", "'check'"),
    ("show", "lfactl list"),
    ("show 6c0", "There are"),
    ("status rmmm", "'rmm'"),
    ("list --host=", "USER@"),
]

# Of every verb something that goes well and something that does not; with lfad, without it, and without a bus.
JSON = """
status
status rmm
status nothing
list
list too much
show rmm bl31
show nothing
activate rmm --dry-run
activate bl31
activate nothing
activate rmm bl31 --request-id=1
explain rmm
explain nothing
explain rmm --at=never
plan
plan --until=+9999d
cancel 99
cancel nothing
hold --reason=x --until=+2h
hold
unhold
unhold nothing
clear-quarantine rmm
history
history --image=nothing
history --since=never
inhibit --list
inhibit --why=x -- true
watchdog
metrics
refresh
reload
calendar Sat
calendar nothing
config check
config show
config nothing
frobnicate
list --frobnicate
list --lines=3
history --lines
help nothing
list --host=127.0.0.1:1
list --machine=nothing
""".split("\n")[1:-1]


class ClientTest(world.TestCase):
    def lfactl(self, *arguments, **environment):
        return subprocess.run(["lfactl", *arguments], env={**self.world.environment, **environment}, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)

    def check_json(self, **environment):
        for line in ["", *JSON]:
            with self.subTest(line=line):
                # behind the rest, so that it is found also where the rest is not understood
                words, dashes, command = line.partition(" -- ")
                done = self.lfactl(*words.split(), "--json=short", *(dashes + command).split(), **environment)
                self.assertEqual(done.stdout.count("\n"), 1, done.stdout + done.stderr)
                document = json.loads(done.stdout)
                self.assertEqual((document["schema"], document["exit-code"]), (1, done.returncode))
                if done.returncode in (1, 2, 6, 7) and "config" not in line:
                    self.assertTrue(all(error["error"] and error["message"] for error in document["errors"]), document)
                    self.assertTrue(document["errors"])

    def test_a_slip_gets_a_hint_and_no_usage_dump(self):
        self.world.stage("rmm", "2.0")
        for line, helps in SLIPS:
            with self.subTest(line=line):
                done = self.lfactl(*shlex.split(line))
                self.assertIn(done.returncode, (1, 2), done.stdout)
                self.assertEqual(done.stdout, "")
                self.assertLessEqual(done.stderr.count("\n"), 2, done.stderr)
                self.assertRegex(done.stderr, "|".join(helps.split("|")))
        self.assertEqual(self.world.image("rmm")["State"], "pending")

    def test_every_verb_answers_in_json_whatever_happens(self):
        verbs = {line.split()[0] for line in self.lfactl("help").stdout.split("\n\n")[2].split("\n")[1:]}
        self.assertEqual(verbs - {line.split()[0] for line in JSON}, {"monitor"})
        self.world.stage("rmm", "2.0")
        self.check_json()

    def test_without_lfad_too(self):
        self.world.stop("lfad")
        self.check_json()

    def test_without_a_bus_too(self):
        self.check_json(**NOWHERE)

    def test_a_mode_of_json_that_stands_alone_is_a_slip(self):
        done = self.lfactl("--json", "short", "list")
        self.assertEqual((done.returncode, json.loads(done.stdout)["errors"][0]["hint"]), (2, "Write --json=short."))

    def test_help_is_for_people(self):
        for arguments in (["help"], ["help", "activate"], ["activate", "--help"], ["-h"]):
            for more in ([], ["--json"]):
                done = self.lfactl(*arguments, *more, **NOWHERE)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith("Usage: lfactl "))

    def test_status_of_an_image_is_what_show_shows(self):
        names = [[line.partition(": ")[0] for line in self.lfactl(verb, "rmm").stdout.splitlines()]
                 for verb in ("status", "show")]
        self.assertEqual(names[0], names[1])
        self.assertIn("What to do", names[0][-1])

    def test_alone_it_is_calm_when_nothing_needs_attention(self):
        self.assertIn("\nNothing needs attention.\n", self.lfactl().stdout)
        self.world.call(world.PATH, world.MANAGER, "Hold", "sa{sv}", "an audit", {})
        done = self.lfactl()
        self.assertNotIn("Nothing needs attention", done.stdout)
        self.assertIn("an audit. 'lfactl unhold' ends that.", done.stdout)
        self.world.call(world.PATH, world.MANAGER, "Unhold", "a{sv}", {})
        self.world.stage("rmm", "2.0")
        done = self.lfactl()
        self.assertIn("'lfactl activate rmm' makes it run", done.stdout)
        self.assertNotIn("Nothing needs attention", done.stdout)

    def test_alone_it_says_what_to_do_about_the_configuration(self):
        self.world.stop("lfad")
        self.world.configure("[Policy]\nMode=sometimes\n")
        self.world.start("lfad")
        done = self.lfactl()
        self.assertIn("'lfactl config check'", done.stdout)
        self.assertNotIn("Nothing needs attention", done.stdout)


world.main()
