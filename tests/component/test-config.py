#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configuration in force: read at start and by Reload, refused as a whole when it has an error, and what each of
its keys changes."""

import json
import os

import world
from world import ACCESS_DENIED, GUIDS, INTERACTIVE, MANAGER, PATH

REFUSED = (ACCESS_DENIED, INTERACTIVE)
BAD = "[Daemon]\nPollSec=20\nPolSec=5\n"
UNNAMED = "0509b633-5734-422f-a681-6096e932d93a"  # the simulated machine has it, and nobody knows a name for it


class StartTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.configure(BAD)
        self.world.restart("lfad")
        self.world.stage("rmm", "2.0")

    def test_with_a_bad_configuration_nothing_is_activated_and_the_error_is_named(self):
        error = self.assertBusError("ConfigInvalid", self.world.activate, "rmm")
        self.assertIn("/etc/lfad/lfad.conf:3:", error.message)
        self.assertIn("PollSec", error.message)
        self.assertEqual(self.world.stores(), 0)
        self.assertEqual(self.world.image("rmm")["Blockers"], ["config"])
        self.assertIn("/etc/lfad/lfad.conf:3:", self.world.status[-1])
        self.assertIn("/etc/lfad/lfad.conf:3:", self.world.log("lfad"))

    def test_with_a_bad_configuration_everything_can_be_read(self):
        done = self.world.lfactl("status")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2.0", done.stdout)
        self.assertIn("/etc/lfad/lfad.conf:3:", done.stdout)
        self.assertEqual(self.world.manager()["DriverState"], "active")
        self.assertIn("/etc/lfad/lfad.conf:3:", self.world.manager()["ConfigError"])
        verdict, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", {})
        self.assertEqual((verdict["answer"], verdict["gate"]), ("deny", "config"))
        self.assertEqual(gates[0]["gate"], "config")
        plan = self.world.lfactl("plan").stdout
        self.assertIn("The configuration has errors", plan)
        self.assertRegex(plan, "no-activation +rmm +config: ")
        self.assertNotIn("Mode=manual", plan)

    def test_a_configuration_that_is_repaired_lets_pass_after_reload(self):
        self.assertBusError("ConfigInvalid", self.world.activate, "rmm")
        self.world.configure("[Daemon]\nPollSec=20\n")
        self.assertBusError("ConfigInvalid", self.world.activate, "rmm")
        self.world.reload()
        self.assertEqual(self.world.changed(PATH, "ConfigError"), [""])
        self.assertEqual(self.world.image("rmm")["Blockers"], [])
        self.assertNotIn("lfad.conf", self.world.wait_for(lambda: self.world.status, 5, "STATUS=")[-1])
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_a_reload_that_finds_another_error_names_that_one(self):
        self.world.configure("[Deamon]\n")
        self.assertBusError("ConfigInvalid", self.world.reload)
        error = self.assertBusError("ConfigInvalid", self.world.activate, "rmm")
        self.assertIn("/etc/lfad/lfad.conf:1:", error.message)


class ReloadTest(world.TestCase):
    def test_a_bad_configuration_keeps_the_old_one_and_the_error_is_named(self):
        self.world.configure(f"[Image monitor]\nGuid={GUIDS['bl31']}\n")
        self.world.reload()
        self.world.configure(f"[Image other]\nGuid={GUIDS['bl31']}\nnonsense\n[Daemon]\nPollSec=0\n")
        error = self.assertBusError("ConfigInvalid", self.world.reload)
        self.assertIn("/etc/lfad/lfad.conf:3:", error.message)
        self.assertIn("1 more", error.message)
        self.assertEqual(self.world.image("bl31")["Alias"], "monitor")
        self.world.stage("bl31", "9.0")
        self.assertEnded(self.world.run_job("monitor"), "succeeded")

    def test_the_service_manager_is_told(self):
        for text in ("", BAD):
            self.world.configure(text)
            self.world.notified.clear()
            try:
                self.world.reload()
            except world.BusError:
                self.assertEqual(text, BAD)
            self.world.wait_for(lambda: self.world.notified[:2] == ["RELOADING=1", "READY=1"], 5,
                                "RELOADING=1 and READY=1")

    def test_drop_ins_count_and_a_file_that_cannot_be_read_is_an_error(self):
        self.world.configure("[Image a]\nAlias=b\n", "etc/lfad/lfad.conf.d/10-a.conf")
        self.world.configure(f"[Image a]\nGuid={UNNAMED}\n", "usr/lib/lfad/lfad.conf")
        self.world.reload()
        self.assertEqual(self.world.image(UNNAMED)["Alias"], "b")
        os.symlink("nowhere", os.path.join(self.world.config_root, "etc/lfad/lfad.conf.d/20.conf"))
        error = self.assertBusError("ConfigInvalid", self.world.reload)
        self.assertIn("/20.conf: ", error.message)

    def test_root_only_unless_polkit_says_otherwise(self):
        self.assertBusError(REFUSED, self.world.call_as, "nobody", PATH, MANAGER, "Reload", "a{sv}", {})
        self.world.polkit_rule('polkit.addRule(function(action, subject) {'
                               '    if (action.id == "org.arm.LFA1.configure") return polkit.Result.YES;'
                               '});')
        self.world.call_as("nobody", PATH, MANAGER, "Reload", "a{sv}", {})

    def test_options_are_refused(self):
        self.assertBusError("org.freedesktop.DBus.Error.InvalidArgs", self.world.call, PATH, MANAGER, "Reload", "a{sv}",
                            {"now": True})

    def test_a_job_that_runs_is_left_alone(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.configure("[Daemon]\nPollSec=10\nSettleSec=3\n")
        self.world.reload()
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")


class AliasTest(world.TestCase):
    def test_an_alias_names_the_image_everywhere(self):
        self.world.configure(f"[Image monitor]\nGuid={GUIDS['bl31']}\n")
        self.world.reload()
        self.world.stage("bl31", "9.0")
        path = self.world.image_path("bl31")
        for text in ("monitor", "MONITOR", "mon"):
            self.assertEqual(self.world.call(PATH, MANAGER, "GetImage", "s", text), path)
        done = self.world.lfactl("show", "monitor")
        self.assertIn(GUIDS["bl31"], done.stdout, done.stderr)
        self.assertEqual(self.world.lfactl("activate", "monitor").returncode, 0)
        self.assertEqual(self.world.attribute("bl31", "current_version"), "9.0")

    def test_a_change_is_told_once_and_only_where_it_is_one(self):
        path = self.world.image_path("bl31")
        for name, wanted in (("monitor", ["monitor"]), ("monitor", ["monitor"]), ("el3", ["monitor", "el3"]),
                             (None, ["monitor", "el3", "bl31"])):
            self.world.configure(f"[Image {name}]\nGuid={GUIDS['bl31']}\n" if name else "")
            self.world.reload()
            self.assertEqual(self.world.changed(path, "Alias"), wanted)
        self.assertEqual(self.world.changed(self.world.image_path("rmm"), "Alias"), [])
        self.assertEqual(self.world.changed(path, "Name"), [])

    def test_an_image_without_any_name_is_shown_by_its_alias(self):
        before = self.world.image(UNNAMED)
        self.world.configure(f"[Image special]\nGuid={UNNAMED}\n")
        self.world.reload()
        after = self.world.image(UNNAMED)
        self.assertEqual((before["Alias"], after["Alias"]), ("", "special"))
        self.assertEqual(after["Name"], "special" if before["Name"] == UNNAMED else before["Name"])

    def test_an_image_that_comes_later_has_its_alias(self):
        self.world.configure(f"[Image monitor]\nGuid={GUIDS['bl31']}\n")
        self.world.restart("lfad")
        self.assertEqual(self.world.image("bl31")["Alias"], "monitor")


class PollTest(world.TestCase):
    def test_a_shorter_poll_finds_what_nobody_announced(self):
        self.world.configure("[Daemon]\nPollSec=10\n")
        self.world.reload()
        self.world.sim("stage rmm 2.0")
        self.world.wait_for(lambda: self.world.image("rmm")["PendingVersion"] == "2.0", 10, "the poll to find it")


class ProfileTest(world.TestCase):
    options = {"profile": "v1"}

    def test_an_unsafe_driver_is_driven_only_when_the_configuration_names_it(self):
        self.world.stage("rmm", "2.0")
        self.assertBusError("ProfileNotAllowed", self.world.activate, "rmm")
        self.world.configure("[Driver]\nAllowProfile=rfc1 v1nv\n")
        self.world.reload()
        self.assertBusError("ProfileNotAllowed", self.world.activate, "rmm")
        self.assertEqual(self.world.stores(), 0)
        self.world.configure("[Driver]\nAllowProfile=rfc1\nAllowProfile=v1\n")
        self.world.reload()
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.world.configure("")
        self.world.reload()
        self.assertBusError("ProfileNotAllowed", self.world.activate, "rmm")


class KernelAutoTest(world.TestCase):
    def switch_on(self):
        with open(os.path.join(world.TREE, GUIDS["rmm"], "auto_activate"), "w", encoding="utf-8") as file:
            file.write("1")

    def test_what_is_left_on_is_not_activated_and_off_again_switches_it_off(self):
        self.world.configure("[Driver]\nKernelAutoActivate=leave\n")
        self.world.reload()
        self.switch_on()
        self.world.refresh()
        self.assertEqual(self.world.attribute("rmm", "auto_activate"), "1")
        verdict, _ = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", "rmm", {})
        self.assertEqual(verdict["answer"], "deny")
        self.assertIn("kernel-auto", self.world.image("rmm")["Blockers"])
        self.assertEqual(self.world.attribute("rmm", "auto_activate"), "1")
        self.world.configure("")
        self.world.reload()
        self.world.wait_for(lambda: self.world.attribute("rmm", "auto_activate") == "0", 10, "auto_activate to be 0")


class LfactlTest(world.TestCase):
    options = {"parts": ()}

    def config(self, *args):
        return self.world.lfactl("config", *args, f"--root={self.world.config_root}")

    def test_check_without_lfad_tells_all_that_is_wrong_and_the_exit_code_says_so(self):
        done = self.config("check")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.world.configure(BAD + "[Driver]\nAllowProfile=v3 v9\n")
        done = self.config("check")
        self.assertEqual(done.returncode, 1, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], r"/etc/lfad/lfad\.conf:3: error: .*did you mean 'PollSec'\?")
        self.assertRegex(lines[1], r"/etc/lfad/lfad\.conf:5: error: .*'v9'")
        self.world.configure("[Driver]\nAllowProfile=v3\n")
        done = self.config("check")
        self.assertEqual(done.returncode, 0)
        self.assertIn(":2: warning: ", done.stdout)

    def test_check_as_json(self):
        self.world.configure(BAD)
        done = self.config("check", "--json=short")
        document = json.loads(done.stdout)
        path = self.world.config_root + "/etc/lfad/lfad.conf"
        self.assertEqual((done.returncode, document["exit-code"], document["files"]), (1, 1, [path]))
        self.assertEqual([(item["severity"], item["file"], item["line"]) for item in document["problems"]],
                         [("error", path, 3)])
        self.world.configure("")
        document = json.loads(self.config("check", "--json=short").stdout)
        self.assertEqual((document["exit-code"], document["problems"], document["files"]), (0, [], []))

    def test_check_warns_of_a_file_that_lfad_may_not_read(self):
        self.world.configure("[Policy]\n")
        path = self.world.config_root + "/etc/lfad/lfad.conf"
        for owner, group, mode, warned in ((0, 0, 0o600, False), (65534, 0, 0o640, False), (65534, 65534, 0o644, False),
                                           (65534, 0, 0o604, True), (65534, 65534, 0o640, True)):
            os.chown(path, owner, group)
            os.chmod(path, mode)
            done = self.config("check")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.startswith(f"{path}: warning: lfad.service may not read it"), warned, done.stdout)

    def test_show_has_each_value_and_where_it_comes_from(self):
        self.world.configure(f"[Daemon]\nPollSec=20\nSettleSec=2\n[Image m]\nGuid={GUIDS['bl31']}\n")
        self.world.configure("[Daemon]\nPollSec=30\n", "run/lfad/lfad.conf.d/a.conf")
        done = self.config("show")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line.split() for line in done.stdout.splitlines()]
        root = self.world.config_root
        for row in (["Daemon", "PollSec", "30", root + "/run/lfad/lfad.conf.d/a.conf:2"],
                    ["Daemon", "SettleSec", "2", root + "/etc/lfad/lfad.conf:3"],
                    ["Driver", "KernelAutoActivate", "off", "default"],
                    ["Image", "m", "Guid", GUIDS["bl31"], root + "/etc/lfad/lfad.conf:5"]):
            self.assertIn(row, rows)
        values = json.loads(self.config("show", "--json=short").stdout)["values"]
        self.assertIn({"section": "Daemon", "key": "PollSec", "value": "30", "default": False,
                       "file": root + "/run/lfad/lfad.conf.d/a.conf", "line": 2}, values)

    def test_show_tells_of_each_word_of_a_list_where_it_comes_from(self):
        self.world.configure(f"[Image rmm]\nGuid={GUIDS['rmm']}\nAllowVersion=1.4\n[Window a]\nOnCalendar=Sat 03:00\n"
                             "Duration=1h\n[Freeze x]\nFrom=2097-01-01\nUntil=2097-01-02\n")
        self.world.configure("[Image rmm]\nWindows=a\nAllowVersion=1.5 1.6\n", "run/lfad/lfad.conf.d/a.conf")
        done = self.config("show")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        etc, run = (self.world.config_root + path for path in ("/etc/lfad/lfad.conf", "/run/lfad/lfad.conf.d/a.conf"))
        self.assertRegex(done.stdout, rf"Image rmm +AllowVersion +1\.4 1\.5 1\.6 +{etc}:3, {run}:3")
        for row in (f"Image rmm +Windows +a +{run}:2", f"Window a +OnCalendar +Sat 03:00 +{etc}:5",
                    f"Freeze x +Until +2097-01-02 +{etc}:9", "Policy +TimeZone +UTC +default"):
            self.assertRegex(done.stdout, row)
        values = json.loads(self.config("show", "--json=short").stdout)["values"]
        [versions] = [value for value in values if value["key"] == "AllowVersion"]
        self.assertEqual(versions["words"], [{"word": "1.4", "file": etc, "line": 3}, {"word": "1.5", "file": run, "line": 3},
                                             {"word": "1.6", "file": run, "line": 3}])

    def test_what_config_takes(self):
        self.assertEqual(self.world.lfactl("config").returncode, 2)
        self.assertEqual(self.world.lfactl("config", "chekc").returncode, 2)
        self.assertEqual(self.world.lfactl("list", "--root=/").returncode, 2)
        self.assertEqual(self.world.lfactl("config", "check", "--root=/nonexistent").returncode, 1)

    def test_the_shipped_file_is_good(self):
        with open(os.path.join(world.SOURCE_DIR, "systemd/lfad.conf"), encoding="utf-8") as file:
            self.world.configure(file.read())
        self.assertEqual(self.config("check").returncode, 0)


class LfactlReloadTest(world.TestCase):
    def test_reload_says_what_came_of_it(self):
        done = self.world.lfactl("reload")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.world.configure(BAD)
        done = self.world.lfactl("reload")
        self.assertEqual(done.returncode, 8)
        self.assertIn("/etc/lfad/lfad.conf:3:", done.stderr)
        self.assertEqual(self.world.lfactl("reload", "--no-ask-password", user="nobody").returncode, 6)


world.main()
