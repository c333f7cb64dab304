#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lfad keeps in mind beyond a restart: versions that went wrong too often, its own pause after the host restarted
during an activation, and that it can rely on the file that holds both, or activates nothing."""

import json
import os
import subprocess

import world
from world import ACCESS_DENIED, INTERACTIVE, MANAGER, PATH

FAULTFS = os.path.join(world.BUILD_DIR, "tests/faultfs/faultfs")
REFUSED = (ACCESS_DENIED, INTERACTIVE)
FAST = "[Daemon]\nSettleSec=100ms\n"
YEAR = 365 * 24 * 3600 * 10**6


class Case(world.TestCase):
    options = {"parts": ("dbus", "sim")}

    def setUp(self):
        super().setUp()
        self.begin()

    def begin(self, **options):
        if options:
            self.world.close()
            self.world = world.World(**self.options, **options)
            self.world.__enter__()
        self.world.configure(FAST)
        self.world.start("lfad")

    @property
    def file(self):
        return os.path.join(self.world.state_dir, "state.json")

    def read(self):
        with open(self.file, encoding="utf-8") as file:
            return json.load(file)

    def write(self, text):
        with open(self.file, "wb") as file:
            file.write(text)

    def fail_once(self, image="rmm", result="failed"):
        self.world.sim(f"fail activate ACTIVATION_FAILED --times=1 --image={image}")
        self.assertEqual(self.world.run_job(image)["Result"], result)

    def gates(self, image="rmm"):
        """{gate: error} of those that do not let it pass."""
        _, gates = self.world.call(PATH, MANAGER, "Explain", "sa{sv}", image, {})
        return {gate["gate"]: gate["error"].removeprefix(world.ERROR) for gate in gates if gate["answer"] in ("deny", "defer")}

    def clear(self, image="rmm", **options):
        self.world.call(self.world.image_path(image), world.IMAGE, "ClearQuarantine", "a{sv}", options)

    def unhold(self, **options):
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", options)

    def cleared(self):
        return [record["cause"] for record in self.world.history_file("quarantine-cleared")]

    def assertWarned(self, warned=True):
        """By Warnings, and where a person and a monitoring look."""
        codes = ["records-unusable"] if warned else []
        self.assertEqual([code for code, _ in self.world.manager()["Warnings"]], codes)
        self.assertEqual("Nothing needs attention." in self.world.lfactl().stdout, not warned)
        self.assertEqual('lfad_warnings{code="records-unusable"} 1' in self.world.lfactl("metrics").stdout, warned)

    def assertQuarantined(self, image="rmm"):
        self.assertEqual(self.world.image(image)["State"], "quarantined")
        self.assertIn("quarantine", self.world.image(image)["Blockers"])
        self.assertEqual(self.gates(image).get("quarantine"), "Quarantined")

    def assertFree(self, image="rmm"):
        self.assertNotEqual(self.world.image(image)["State"], "quarantined")
        self.assertNotIn("quarantine", self.world.image(image)["Blockers"])
        self.assertEqual(self.gates(image), {})

    def wait_free(self, image="rmm"):
        """As of a reading, which may come after the job's end."""
        self.world.wait_for(lambda: not self.world.image(image)["Blockers"], 10, f"{image} to be free")
        self.assertFree(image)


class QuarantineTest(Case):
    def test_the_third_failure_quarantines_and_restarts_do_not_help(self):
        self.world.stage("rmm", "2.0")
        for _ in range(2):
            self.fail_once()
            self.assertEqual(self.world.image("rmm")["State"], "failed")
        self.assertFree()
        self.world.sim("errno write activate EBUSY")  # nothing reached firmware
        self.assertEqual(self.world.run_job("rmm")["Result"], "failed")
        self.world.sim("errno write activate none")
        self.assertFree()
        before = self.read()
        self.fail_once()
        self.assertQuarantined()
        self.assertIn("lfactl clear-quarantine", self.world.log("lfad"))
        self.assertBusError("Quarantined", self.world.activate, "rmm")
        shown = self.world.lfactl("show", "rmm").stdout
        self.assertRegex(shown, "What to do: .*'lfactl clear-quarantine rmm'")
        self.world.stage("scp", "4.0")  # of which nothing is known
        self.assertFree("scp")
        saved = self.read()
        for spoil in (lambda: self.write(json.dumps(before).encode()),  # killed between record and state
                      lambda: os.unlink(self.file),
                      self.jump_back):
            self.world.kill("lfad")
            spoil()
            self.world.start("lfad")
            self.assertQuarantined()
            self.assertEqual([entry["failures"] for entry in self.read()["quarantines"]], [3])
        self.assertEqual({**self.read(), "quarantines": []}, {**saved, "quarantines": [], "seq": self.read()["seq"]})
        self.forget_history(saved)

    def jump_back(self):
        """The clock was a year ahead when all of that was written."""
        history = os.path.join(self.world.state_dir, "history.jsonl")
        records = [record | {"timestamp": record["timestamp"] + YEAR} for record in self.world.history_file()]
        with open(history, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
        state = self.read()
        for entry in state["quarantines"]:
            entry["since"] += YEAR
        self.write(json.dumps(state).encode())

    def forget_history(self, saved):
        """Somebody removed it: what is kept in mind stays, and what comes has higher numbers."""
        self.world.kill("lfad")
        os.unlink(os.path.join(self.world.state_dir, "history.jsonl"))
        self.world.start("lfad")
        self.assertQuarantined()
        path = self.world.activate("scp")
        self.assertGreater(self.world.job_id(path), saved["seq"])
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def test_what_lifts_it(self):
        self.world.configure(FAST + "[Policy]\nQuarantineAfter=1\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")
        self.fail_once()
        self.assertQuarantined()
        self.world.sim("unstage rmm")
        self.world.refresh()
        self.world.stage("rmm", "2.0")
        self.assertQuarantined()  # the same version
        self.world.stage("rmm", "3.0")
        self.assertFree()
        self.assertEqual(self.cleared(), ["other-version"])
        self.world.stage("rmm", "2.0")  # which begins anew
        self.assertFree()
        self.fail_once()
        self.assertQuarantined()
        self.world.configure(FAST + "[Policy]\nQuarantineAfter=2\n")
        self.world.reload()
        self.assertFree()
        self.assertBusError("NotQuarantined", self.clear)
        self.fail_once()
        self.assertQuarantined()
        self.clear(reason="new board")
        self.assertFree()
        record = self.world.history_file("quarantine-cleared")[-1]
        self.assertEqual([record.get(key) for key in ("cause", "uid", "reason", "to", "failures")],
                         ["operator", 0, "new board", "2.0", 2])
        self.assertBusError("NotQuarantined", self.clear)
        self.fail_once()
        self.assertEqual(len(self.read()["quarantines"]), 1)
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.assertEqual(self.read()["quarantines"], [])

    def test_a_version_that_cannot_be_read_may_be_the_one(self):
        self.world.configure(FAST + "[Policy]\nQuarantineAfter=1\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")
        self.fail_once()
        for hidden, shown in (("errno read pending_version EIO", "errno read pending_version none"),
                              ("missing pending_version yes", "missing pending_version no"),
                              ("raw pending_version 0.0", "raw pending_version none")):
            self.world.sim(hidden)
            self.world.refresh()
            self.assertEqual(self.world.image("rmm")["PendingVersion"], "")
            self.assertQuarantined()
            self.world.sim(shown)
            self.world.refresh()
        self.assertQuarantined()
        self.world.sim("errno read pending_version EIO")
        self.world.refresh()
        self.clear()
        self.assertFree()

    def test_a_success_that_shows_later_lifts_it(self):
        self.world.configure(FAST + "[Policy]\nQuarantineAfter=1\n")
        self.world.reload()
        self.world.sim("outcome activate change-then-fail --image=scp")
        self.world.stage("scp", "4.0")
        self.assertEqual(self.world.run_job("scp")["Result"], "unknown")
        self.assertEqual(len(self.read()["quarantines"]), 1)
        self.world.stage("rmm", "2.0")
        self.world.run_job("rmm")  # a success renews all versions
        self.world.wait_record("settled")
        self.world.wait_for(lambda: self.read()["quarantines"] == [], what="it to be lifted in the file")

    def test_without_versions_all_that_is_staged_counts_together(self):
        self.begin(firmware="tfa")
        self.world.configure(FAST + "[Policy]\nQuarantineAfter=2\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")
        for _ in range(2):
            self.fail_once(result="unknown")
        self.assertQuarantined()
        self.world.sim("unstage rmm")
        self.world.refresh()
        self.assertEqual(self.cleared(), ["not-pending"])
        self.world.stage("rmm", "3.0")
        self.assertFree()
        for _ in range(2):
            self.fail_once(result="unknown")
        self.assertQuarantined()
        self.world.restart("lfad")
        self.assertQuarantined()
        self.world.restart_host()
        self.wait_free()
        self.assertEqual(self.cleared(), ["not-pending", "new-boot"])


class HostRestartedTest(Case):
    options = {"parts": ("dbus", "polkitd", "sim")}

    def restart_during(self, version, records=0):
        """records: how many others are written while the activation goes on."""
        self.world.stage("rmm", version)
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.world.wait_job_state(path, "activating")
        self.world.kill("lfad")
        started = self.world.history_file("started")[-1]
        with open(os.path.join(self.world.state_dir, "history.jsonl"), "a", encoding="utf-8") as file:
            for seq in range(started["seq"] + 1, started["seq"] + 1 + records):
                file.write(json.dumps({"guid": world.GUIDS["scp"], "seq": seq, "type": "setting-applied",
                                       "boot-id": started["boot-id"]}) + "\n")
        self.world.restart_host()
        record = self.world.wait_record("finished", self.world.job_id(path))
        self.assertEqual((record["result"], record["error"]), ("unknown", world.ERROR + "HostRestarted"))

    def assertHeld(self):
        manager = self.world.manager()
        self.assertTrue(manager["Held"])
        self.assertIn("host restarted", manager["HoldReason"])

    def test_everything_is_paused_until_a_person_has_looked_at_it(self):
        self.restart_during("2.0")
        self.assertHeld()
        self.assertIn("lfactl unhold", self.world.log("lfad"))
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        for _ in range(2):
            self.assertQuarantined()
            self.assertEqual(self.gates("rmm"), {"quarantine": "Quarantined", "hold": "Held"})
            self.assertEqual(self.gates("scp"), {"hold": "Held"})
            self.assertBusError("Held", self.world.activate, "scp")
            self.world.restart("lfad")
            self.assertHeld()
        self.assertRegex(self.world.lfactl("status").stdout, "Held: .*host restarted.*'lfactl unhold'")
        self.assertRegex(self.world.lfactl("show", "scp").stdout, "What to do: .*'lfactl unhold'")
        self.assertEqual(self.world.lfactl("activate", "scp").returncode, 3)
        self.refuse_strangers()
        changed = len(self.world.changed(PATH, "Held"))
        self.assertEqual(self.world.lfactl("unhold", "--reason=fan replaced").returncode, 0)
        self.assertEqual(self.world.lfactl("unhold").returncode, 1)
        self.assertFalse(self.world.manager()["Held"])
        self.assertEqual(self.world.changed(PATH, "Held")[changed:], [False])
        record = self.world.history_file("unhold")[-1]
        self.assertEqual((record["cause"], record["uid"], record["reason"]), ("operator", 0, "fan replaced"))
        self.world.restart("lfad")
        self.assertEqual(self.gates("rmm"), {"quarantine": "Quarantined"})
        self.assertEnded(self.world.run_job("scp"), "succeeded")
        self.assertEqual(self.world.lfactl("clear-quarantine", "rmm").returncode, 0)
        self.assertFree("rmm")
        self.assertBusError("NotHeld", self.unhold)
        self.assertEqual(self.world.lfactl("clear-quarantine", "rmm").returncode, 1)

    def refuse_strangers(self):
        """polkit is asked, and told of what."""
        calls = ((PATH, MANAGER, "Unhold"), (self.world.image_path("rmm"), world.IMAGE, "ClearQuarantine"))
        for path, interface, method in calls:
            self.assertBusError(REFUSED, self.world.call_as, "nobody", path, interface, method, "a{sv}", {},
                                interactive=False)
        self.world.polkit_rule('polkit.addRule(function(action, subject) {'
                               '    if (action.id == "org.arm.LFA1.override-policy" && subject.user == "nobody" &&'
                               f'       action.lookup("guid") == "{world.GUIDS["scp"]}") return polkit.Result.YES;'
                               '});')
        self.assertBusError(REFUSED, self.world.call_as, "nobody", *calls[1], "a{sv}", {}, interactive=False)
        self.assertHeld()
        self.assertQuarantined()

    def test_however_much_was_recorded_meanwhile(self):
        self.restart_during("2.0", records=5000)
        self.assertHeld()
        self.world.stage("rmm", "2.0")
        self.assertQuarantined()
        self.world.restart("lfad")
        self.assertEqual(len(self.world.history_file("finished")), 1)

    def test_another_version_ends_it(self):
        self.restart_during("2.0")
        self.assertHeld()
        os.unlink(self.file)
        self.world.restart("lfad")
        self.assertHeld()
        self.world.stage("rmm", "3.0")
        self.world.wait_for(lambda: not self.world.manager()["Held"], 10, "the pause to end")
        self.assertFree()
        record, = self.world.history_file("unhold")
        self.assertEqual((record["cause"], record["image"]), ("other-version", world.GUIDS["rmm"]))
        self.assertEqual(self.cleared(), ["other-version"])
        self.assertEnded(self.world.run_job("rmm"), "succeeded")


class FileTest(Case):
    def test_a_file_that_cannot_be_understood_is_kept_and_denies(self):
        self.world.stage("rmm", "2.0")
        self.fail_once()
        good = self.read()
        for content, error, text in ((json.dumps({**good, "version": 2}).encode(), "StateNewer", "newer version"),
                                     (b"\x00garbage", "StateUnavailable", "Move it away"),
                                     (b"", "StateUnavailable", "Move it away"),
                                     (b" " * (2 << 20), "StateUnavailable", "Move it away"),
                                     (json.dumps({**good, "quarantines": [{}]}).encode(), "StateUnavailable",
                                      "Move it away")):
            self.world.stop("lfad")
            self.write(content)
            self.world.start("lfad")
            self.assertEqual(self.gates(), {"state": error})
            [(code, warning)] = self.world.manager()["Warnings"]
            self.assertEqual(code, "records-unusable")
            self.assertIn(text, warning)
            refusal = self.assertBusError(error, self.world.activate, "rmm")
            self.assertIn(text, refusal.message)
            self.assertIn("state.json", refusal.message)
            self.world.refresh()
            self.world.restart("lfad")
            with open(self.file, "rb") as file:
                self.assertEqual(file.read(), content)
        os.rename(self.file, self.file + ".old")
        self.world.refresh()
        self.assertEqual(self.gates(), {})
        self.assertEqual(self.read()["quarantines"], good["quarantines"])
        self.world.stop("lfad")
        os.unlink(self.file)
        os.mkdir(self.file)
        self.world.start("lfad")
        self.assertEqual(self.gates(), {"state": "StateUnavailable"})
        os.rmdir(self.file)
        self.world.refresh()
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_a_number_in_the_history_that_is_too_high_does_not_hide_what_comes_later(self):
        self.world.stop("lfad")
        path = os.path.join(self.world.state_dir, "history.jsonl")
        with open(path, "a", encoding="utf-8") as file:
            for seq in (10**12, 2**31):
                file.write('{"seq":%d,"type":"external"}\n' % seq)
            for seq in range(100):  # more than lfad looks through for the last number
                file.write('{"seq":%d,"type":"vanished"}\n' % (10 + seq))
        self.world.start("lfad")
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "audit", {})
        self.assertTrue(self.world.manager()["Held"])
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {})
        self.world.stage("rmm", "2.0")
        self.world.refresh()
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_numbers_that_are_used_up_are_told_of(self):
        """Nobody gets there but by a wrong digit."""
        self.world.stop("lfad")
        with open(os.path.join(self.world.state_dir, "history.jsonl"), "a", encoding="utf-8") as file:
            file.write('{"seq":%d,"type":"external"}\n' % (2**31 - 1))
        self.world.start("lfad")
        self.assertWarned()
        self.world.stage("rmm", "2.0")
        self.world.refresh()
        done = self.world.as_user(None, ["lfactl", "activate", "rmm"])
        self.assertEqual(done.returncode, 8, done.stderr)
        self.assertIn("used up", done.stderr)
        self.assertEqual(self.world.stores(), 0)

    def test_that_nothing_will_be_activated_is_warned_of(self):
        self.assertWarned(False)
        self.world.stop("lfad")
        self.write(b"garbage")
        self.world.start("lfad")
        self.assertWarned()
        os.rename(self.file, self.file + ".old")
        self.world.refresh()
        self.assertWarned(False)
        self.world.stop("lfad")
        history = os.path.join(self.world.state_dir, "history.jsonl")
        os.rename(history, history + ".old")
        os.mkdir(history)
        self.world.start("lfad")
        self.assertWarned()
        self.world.stop("lfad")
        os.rmdir(history)
        os.rename(history + ".old", history)
        self.world.start("lfad")
        self.assertWarned(False)


class DiskTest(Case):
    """The state folder is on a file system that fails on command."""

    def begin(self, **_):
        self.state = os.path.join(self.world.dir, "disk")
        os.mkdir(self.state)
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([FAULTFS, self.world.state_dir, self.state], stdin=subprocess.DEVNULL)
        self.addCleanup(self.end_disk)
        self.world.wait_for(lambda: world.mounted_on(self.state), 10, "faultfs to be mounted")
        self.world.configure(FAST + "[Policy]\nQuarantineAfter=1\n")
        self.start()

    def start(self):
        self.world.start("lfad", STATE_DIRECTORY=self.state)

    def end_disk(self):
        self.world.stop("lfad")
        subprocess.run(["umount", "--lazy", self.state], check=True)
        self.process.wait(10)

    def inject(self, *words):
        with open(os.path.join(self.state, ".control"), "w", encoding="utf-8") as file:
            file.write(" ".join(map(str, words)) + "\n")

    def test_while_it_cannot_be_written_nothing_is_activated(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.assertEnded(self.world.run_job("scp"), "succeeded")  # a blackout was learned
        good = self.read()
        # queued, started and finished are written
        for fault, error in ((("write", "ENOSPC", 3), "DiskFull"), (("fsync", "EIO", 3), "StateUnavailable"),
                             (("rename", "EROFS"), "StateUnavailable")):
            self.inject(*fault)
            self.fail_once()
            self.assertEqual(self.gates(), {"state": error, "quarantine": "Quarantined"}, fault)
            self.assertBusError(error, self.world.activate, "rmm")
            self.assertEqual(self.read(), good)
            self.inject(fault[0], "none")
            self.world.refresh()
            self.assertEqual(self.gates(), {"quarantine": "Quarantined"}, fault)
            self.assertEqual(len(self.read()["quarantines"]), 1)
            self.clear()
            good = self.read()

    def test_what_was_not_saved_is_known_to_the_next_lfad(self):
        self.world.stage("rmm", "2.0")
        self.inject("rename", "EIO")
        self.fail_once()
        self.world.kill("lfad")
        self.start()
        self.assertEqual(self.gates(), {"state": "StateUnavailable", "quarantine": "Quarantined"})
        self.inject("rename", "none")
        self.world.refresh()
        self.assertEqual(self.gates(), {"quarantine": "Quarantined"})

    def test_what_cannot_be_recorded_is_not_released(self):
        self.world.stage("rmm", "2.0")
        self.fail_once()
        self.inject("write", "ENOSPC")
        self.assertBusError("DiskFull", self.clear)
        self.assertQuarantined()
        self.inject("write", "none")
        self.clear()
        self.assertFree()

    def test_no_job_begins_before_the_end_of_the_one_before_is_recorded(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        first = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        second = self.world.activate("scp")
        self.inject("write", "EIO")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(first), "succeeded")
        job = self.world.wait_job(second)
        self.assertEnded(job, "refused", "StateUnavailable")
        self.assertIn("end of an earlier job", job["Message"])
        self.assertEqual(self.world.stores(), 1)
        self.assertWarned()
        self.inject("write", "none")
        self.assertEnded(self.world.run_job("scp"), "succeeded")
        self.assertWarned(False)

    def test_a_failure_that_is_recorded_late_counts_once(self):
        self.world.configure(FAST + "[Policy]\nQuarantineAfter=2\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")
        self.inject("write", "EIO", 2)
        self.fail_once()
        self.assertEqual(self.world.history_file("finished"), [])
        self.inject("write", "none")
        self.fail_once()  # the record before this one is written first
        self.assertQuarantined()
        self.assertEqual(len(self.world.history_file("finished")), 2)
        self.assertEqual(self.read()["quarantines"][0]["failures"], 2)


world.main()
