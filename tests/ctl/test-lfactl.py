#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfactl against a stand-in for lfad on a private bus: verbs, both outputs, exit codes, hostile strings.

LFACTL in the environment is the program under test.
"""

import datetime
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zoneinfo

HERE = pathlib.Path(__file__).resolve().parent
LFACTL = os.environ["LFACTL"]
DEADLINE = 60
SOON_GIVEN_UP = {"LFACTL_RETURN_SEC": "3"}  # where lfad does not come back: else it has time to

RMM = "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
RMM_EFI = "a662076c-f212-564b-92cb-ba8f633606d9"
BL31 = "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
VENDOR = "deadbeef-0000-4000-8000-000000000001"
TWIN = "deadbeef-0000-4000-8000-000000000002"
ERROR = "org.arm.LFA1.Error."

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:tmpdir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


def image(guid, **properties):
    base = {"Guid": guid, "EfiGuid": "", "Name": guid, "Alias": "", "CurrentVersion": "",
            "PendingVersion": "", "Capable": True, "Pending": False, "MayResetCpu": False,
            "CpuRendezvous": True, "ForceCpuRendezvous": False, "KernelAutoActivate": False,
            "State": "idle", "Blockers": [],
            "EvaluatedTimestamp": 0, "NotBeforeTimestamp": 0, "LastResult": "", "LastError": "", "LastFirmwareCode": "",
            "LastActivatedTimestamp": 0, "BlackoutUSec": 0}
    base.update(properties)
    return base


def rmm(**properties):
    base = {"Name": "Realm Management Monitor (RMM)", "Alias": "rmm", "EfiGuid": RMM_EFI,
            "CurrentVersion": "1.4", "PendingVersion": "1.5", "Pending": True, "State": "pending"}
    base.update(properties)
    return image(RMM, **base)


def bl31(**properties):
    return image(BL31, **{"Name": "TF-A BL31", "Alias": "bl31", "CurrentVersion": "2.12", **properties})


def scenario(images=None, **more):
    manager = {"Version": "0.1.0", "DriverState": "active", "DriverProfile": "v2",
               "UeventMonitor": "listening", "WindowOpen": False, "NextWindowStartTimestamp": 0,
               "NextWindowEndTimestamp": 0, "TimeZone": "UTC", "CurrentJob": "/", "Activating": False,
               "SupportedOptions": ["expected-current-version", "expected-pending-version", "reason"]}
    manager.update(more.pop("manager", {}))
    return {"manager": manager, "images": [rmm(), bl31()] if images is None else images, **more}


def ending(result, **more):
    """What Activate does for a job that ends so."""
    job = {"Result": result, "Error": more.pop("error", ""), "Message": more.pop("message", ""),
           "FirmwareCode": more.pop("code", ""), "FromVersion": "1.4", "ToVersion": "1.5"}
    return {"job": job, "states": ["guarding", "activating"], **more}


def accepted(label, job):
    """What is printed of a job that is not waited for."""
    return (f"{label}: job {job} was accepted; 'lfactl monitor' follows it, 'lfactl cancel {job}' asks it to stop, "
            f"'lfactl history --job={job}' tells how it ended.\n")


def record(seq, kind, **more):
    time_of = 1790000000000000 + seq * 1000000
    return {"seq": seq, "type": kind, "timestamp": time_of, "boot-id": "0" * 32, **more}


class Process:
    """A program whose output is read line by line, with a deadline instead of a hang."""

    def __init__(self, *argv, **more):
        self.popen = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      **{"stdin": subprocess.DEVNULL, **more})
        self.seen = {self.popen.stdout.fileno(): "", self.popen.stderr.fileno(): ""}

    def wait_for(self, pattern, stream="stdout"):
        fd = getattr(self.popen, stream).fileno()
        end = time.monotonic() + DEADLINE
        while not re.search(pattern, self.seen[fd]):
            ready = select.select([fd], [], [], max(0, end - time.monotonic()))[0]
            data = os.read(fd, 65536) if ready else b""
            if not data:
                raise AssertionError(f"no {pattern!r} in {self.seen[fd]!r}")
            self.seen[fd] += data.decode()
        return self.seen[fd]

    def finish(self):
        """Waits for the end. Returns exit code, standard output and standard error."""
        rest = self.popen.communicate(timeout=DEADLINE)
        out, err = (seen + more.decode() for seen, more in zip(self.seen.values(), rest))
        return self.popen.returncode, out, err

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.communicate()


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(lambda: cls.bus.kill())
        cls.start_bus()

    @classmethod
    def start_bus(cls):
        folder = tempfile.TemporaryDirectory(prefix="lfactl-test-")  # of the socket, which outlives a killed bus
        cls.addClassCleanup(folder.cleanup)
        config = pathlib.Path(folder.name, "bus.conf")
        config.write_text(BUS_CONFIG.format(folder=folder.name), encoding="utf-8")
        cls.bus = Process("dbus-daemon", f"--config-file={config}", "--nofork", "--print-address")
        address = cls.bus.wait_for(r"\n").strip()
        cls.environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address, "LC_ALL": "C.UTF-8",
                           "TZ": "UTC", "TERM": "xterm", "LFACTL_RETURN_SEC": "60"}
        for name in ("NO_COLOR", "COLUMNS"):
            cls.environment.pop(name, None)

    def lfad(self, what=None):
        """Starts the stand-in; it has the bus name when this returns."""
        with tempfile.TemporaryFile("w+") as file:
            json.dump(what or scenario(), file)
            file.seek(0)
            process = Process("/usr/bin/python3", str(HERE / "stand_in_lfad.py"), stdin=file, env=self.environment)
        self.addCleanup(process.kill)
        process.wait_for("ready\n")
        return process

    @staticmethod
    def stop(lfad):
        """Ends the stand-in; all that it printed."""
        lfad.popen.terminate()
        return lfad.finish()[1]

    def start(self, *arguments, **environment):
        process = Process(LFACTL, *arguments, env={**self.environment, **environment})
        self.addCleanup(process.kill)
        return process

    def lfactl(self, *arguments, **environment):
        return self.start(*arguments, **environment).finish()

    def json(self, *arguments):
        code, out, _ = self.lfactl("--json=short", *arguments)
        self.assertEqual(out.count("\n"), 1)
        document = json.loads(out)
        self.assertEqual(document["schema"], 1)
        self.assertEqual(document["exit-code"], code)
        return code, document

    def emit(self, path, interface, member, signature, *values):
        words = (path, interface, member, signature, json.dumps(values))
        subprocess.run(["dbus-send", "--system", "--print-reply=literal", "--dest=org.arm.LFA1", "/org/arm/StandIn",
                        "org.arm.StandIn.Emit", *("string:" + word for word in words)],
                       env=self.environment, check=True, timeout=DEADLINE, stdout=subprocess.DEVNULL)


class Usage(Case):
    def expect_usage_error(self, arguments, *texts):
        code, out, err = self.lfactl(*arguments)
        self.assertEqual(code, 2, err)
        self.assertEqual(out, "")
        for text in texts:
            self.assertIn(text, err)
        self.assertLessEqual(err.count("\n"), 2, "a hint, not a usage dump")

    def test_help_names_every_verb_option_and_exit_code(self):
        code, out, _ = self.lfactl("--help")
        self.assertEqual(code, 0)
        for verb in ("status", "list", "show", "activate", "cancel", "monitor", "history", "inhibit", "watchdog", "refresh",
                     "reload", "calendar", "config", "hold", "unhold", "clear-quarantine"):
            self.assertRegex(out, rf"(?m)^  {verb} ")
            code, verb_help, _ = self.lfactl(verb, "--help")
            self.assertEqual(code, 0)
            self.assertIn(f"Usage: lfactl {verb}", verb_help)
        for number in range(9):
            self.assertRegex(out, rf"(?m)^  {number}  ")
        self.assertIn("--expect-pending=VERSION", self.lfactl("activate", "--help")[1])
        self.assertIn("--expect-pending=VERSION", self.lfactl("explain", "--help")[1])
        self.assertNotIn("--expect-pending", self.lfactl("list", "--help")[1])

    def test_version(self):
        self.assertRegex(self.lfactl("--version")[1], r"^lfactl \d+\.\d+\.\d+\n$")

    def test_output_that_does_not_fit_on_the_disk_is_told(self):
        for arguments in ("--version", "help", "--json calendar daily"):
            done = subprocess.run(["sh", "-c", f"exec {LFACTL} {arguments} >/dev/full"], stderr=subprocess.PIPE, text=True,
                                  timeout=DEADLINE, check=False)
            self.assertEqual((done.returncode, done.stderr), (9, "lfactl: Not all of the output could be written.\n"))

    def test_a_closed_output_is_what_somebody_wanted(self):
        done = subprocess.run(["sh", "-c", f"exec {LFACTL} --version >&-"], timeout=DEADLINE, check=False)
        self.assertEqual(done.returncode, 0)

    def test_slips_get_the_nearest_name(self):
        self.expect_usage_error(["stauts"], "'stauts'", "Did you mean 'status'?")
        self.expect_usage_error(["frobnicate"], "lfactl help")
        self.expect_usage_error(["list", "--jsn=short"], "--jsn", "Did you mean --json?")
        self.expect_usage_error(["list", "-x"], "'-x'")
        self.expect_usage_error(["list", "-xyz"], "'-x'")

    def test_options_belong_to_verbs_and_have_values(self):
        self.expect_usage_error(["list", "--lines=3"], "--lines", "lfactl history")
        self.expect_usage_error(["--reason=x"], "needs a verb", "lfactl activate")
        self.expect_usage_error(["history", "--lines=0"], "--lines=0")
        self.expect_usage_error(["history", "--lines=-1"], "--lines=-1")
        self.expect_usage_error(["list", "--json=xml"], "pretty, short or off")
        self.expect_usage_error(["history", "--lines"], "needs a value")
        self.expect_usage_error(["history", "-n"], "needs a value", "--lines=N")
        self.expect_usage_error(["config", "check", "--host=h"], "this host alone")
        self.expect_usage_error(["list", "--host=h", "-Mc"], "not both")
        self.expect_usage_error(["inhibit", "-Hh", "--why=x", "--", "true"], "another host", "ssh")
        self.expect_usage_error(["activate", "rmm", "--no-block=yes"], "takes no value")
        self.expect_usage_error(["inhibit", "--mode=shutdown", "--", "true"], "block or delay")
        self.expect_usage_error(["inhibit", "--why=x", *["--image=rmm"] * 65, "--", "true"], "too many")
        self.expect_usage_error(["inhibit", "--", "true"], "why", "--why=TEXT")
        self.expect_usage_error(["inhibit", "--why=x"], "which command", "-- COMMAND")
        self.expect_usage_error(["inhibit", "--why=x", "--list", "--", "true"], "--list")
        self.expect_usage_error(["list", "--why=x"], "lfactl inhibit")

    def test_wrong_number_of_arguments(self):
        self.expect_usage_error(["list", "rmm"], "takes no arguments")
        self.expect_usage_error(["show"], "IMAGE")
        self.expect_usage_error(["cancel", "a", "b"], "one argument")
        self.expect_usage_error(["activate", "rmm", "bl31", "--expect-current=1"], "one image")
        self.expect_usage_error(["activate", "rmm", "bl31", "--request-id=1"], "one image")
        self.expect_usage_error(["activate", "--pending", "--request-id=1"], "one image")
        self.expect_usage_error(["activate", "--pending", "rmm"], "takes no names")
        self.expect_usage_error(["activate"], "IMAGE", "--pending")
        self.expect_usage_error(["explain"], "IMAGE")
        self.expect_usage_error(["explain", "a", "b"], "one argument")

    def test_times_and_numbers_that_make_no_sense(self):
        for text in ("", "x", "+", "-1x", "+1h1", "24:60", "2020-*-*", "Sat 03:30", "2026-13-01", "@", "@-1", "+99999999999999999999s", "now "):
            self.expect_usage_error(["history", f"--since={text}"], "makes no sense", "-30min")
        for text in ("", "x", "+", "-1x", "24:60", "2026-13-01", "@", "@-1", "+99999999999999999999s", "2020-*-*"):
            self.expect_usage_error(["explain", "rmm", f"--at={text}"], "makes no sense", "Sat 03:30")
            self.expect_usage_error(["plan", f"--until={text}"], "makes no sense", "2026-12-31")
        for text in ("0", "-1", "x", "4294967296"):
            self.expect_usage_error(["history", f"--job={text}"], "number of a job")
        self.expect_usage_error(["list", "--at=now"], "lfactl explain")
        self.expect_usage_error(["list", "--expect-current=1"], "lfactl activate")

    def test_invalid_utf8_is_refused_and_not_printed_raw(self):
        process = Process(LFACTL.encode(), b"activate", b"\xff\x1b[31m", env=self.environment)
        code, _, err = process.finish()
        self.assertEqual(code, 2)
        self.assertIn("\\xff\\x1b[31m", err)

    def test_what_was_escaped_before_is_not_escaped_again(self):
        """lfad's errors are; only beside what is not printable a backslash is doubled."""
        self.lfad(scenario([rmm(LastError=ERROR + "ActivationFailed", Name="R\\x0aMM")]))
        self.assertIn("R\\x0aMM", self.lfactl("show", "rmm")[1])
        self.assertNotIn("R\\\\x0aMM", self.lfactl("show", "rmm")[1])

    def test_usage_error_as_json(self):
        code, document = self.json("stauts")
        self.assertEqual(code, 2)
        self.assertIn("status", document["errors"][0]["hint"])


class Reading(Case):
    def test_without_lfad_it_says_so(self):
        for verb in ([], ["status"], ["list"], ["show", "rmm"], ["activate", "rmm"], ["cancel", "1"],
                     ["history"], ["refresh"]):
            code, out, err = self.lfactl(*verb)
            self.assertEqual((code, out), (1, ""), verb)
            self.assertIn("systemctl status lfad", err)

    def test_without_a_bus_it_says_so(self):
        code, _, err = self.lfactl("list", DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent/bus")
        self.assertEqual(code, 1)
        self.assertIn("Cannot reach the system bus", err)

    def test_overview_shows_what_needs_attention(self):
        self.lfad(scenario(jobs={"7": {"Id": 7, "Guid": RMM, "State": "activating", "QueuedTimestamp": 1}}))
        code, out, _ = self.lfactl()
        self.assertEqual(code, 0)
        self.assertIn("active, profile v2", out)
        self.assertIn("7 for rmm: activating", out)
        self.assertRegex(out, r"rmm pending, 1.4 → 1.5: .*'lfactl activate rmm'")
        self.assertNotIn("bl31", out)
        self.assertRegex(out, r"(?m)^'lfactl --help'")
        self.assertNotIn("\\", out)

    def test_status_tells_the_window_in_the_zone_of_the_policy(self):
        opens = 1795833000 * 10**6
        for manager, words in (({}, r"Window: closed, opens 2026-11-28 02:30:00 UTC, 03:30:00 CET \("),
                               ({"WindowOpen": True}, r"Window: open until 2026-11-28 04:30:00 UTC, 05:30:00 CET \("),
                               ({"NextPlannedTimestamp": opens},
                                r"Planned: automatic mode begins 2026-11-28 02:30:00 UTC, 03:30:00 CET \(")):
            lfad = self.lfad(scenario(manager={"NextWindowStartTimestamp": opens, "TimeZone": "Europe/Berlin",
                                               "NextWindowEndTimestamp": opens + 7200 * 10**6, **manager}))
            self.assertRegex(self.lfactl("status")[1], words)
            lfad.kill()
        self.lfad()
        self.assertNotRegex(self.lfactl("status")[1], "Window:|Planned:")

    def test_status_is_fuller(self):
        self.lfad()
        code, out, _ = self.lfactl("status")
        self.assertEqual(code, 0)
        for text in ("0.1.0", "listening", "2, 1 of them pending", "IMAGE", "bl31"):
            self.assertIn(text, out)

    def test_status_without_driver(self):
        self.lfad(scenario([], manager={"DriverState": "no-driver", "DriverProfile": "unknown"}))
        code, out, _ = self.lfactl()
        self.assertEqual(code, 0)
        self.assertIn("no-driver", out)
        self.assertIn("lfactl refresh", out)
        code, out, err = self.lfactl("list")
        self.assertEqual(code, 0)
        self.assertIn("No images: the kernel has no LFA driver bound", err)

    def test_list(self):
        self.lfad(scenario([rmm(State="failed", LastResult="failed", LastError=ERROR + "NoEffect"),
                            bl31(LastResult="failed", LastError=ERROR + "NoEffect", LastFirmwareCode="LFA_BUSY"),
                            image(VENDOR), image(TWIN)]))
        code, out, _ = self.lfactl("list")
        lines = [line.split() for line in out.splitlines()]
        self.assertEqual(code, 0)
        self.assertEqual(lines[0], ["IMAGE", "NAME", "CURRENT", "PENDING", "STATE", "LAST"])
        self.assertEqual(lines[1], ["bl31", "TF-A", "BL31", "2.12", "-", "idle", "failed", "(NoEffect", "[LFA_BUSY])"])
        self.assertEqual(lines[2], [VENDOR, VENDOR, "-", "-", "idle", "-"], "as long as tells it apart")
        self.assertEqual(lines[4][-4:], ["1.5", "failed", "failed", "(NoEffect)"])
        self.assertNotIn("\033", out)
        self.assertNotIn("IMAGE", self.lfactl("list", "--no-legend")[1])

    def test_list_as_json_has_the_properties_as_the_bus_names_them(self):
        self.lfad(scenario([rmm(NewProperty={"a": ["b"]}, LastActivatedTimestamp=2**64 - 1)]))
        code, document = self.json("list")
        self.assertEqual(code, 0)
        self.assertEqual(document["images"][0]["CurrentVersion"], "1.4")
        self.assertIs(document["images"][0]["Pending"], True)
        self.assertEqual(document["images"][0]["LastActivatedTimestamp"], 2**64 - 1)
        self.assertEqual(document["images"][0]["NewProperty"], {"a": ["b"]})
        self.assertEqual(document["manager"]["DriverState"], "active")
        pretty = self.lfactl("--json=pretty", "list")[1]
        self.assertGreater(pretty.count("\n"), 10)
        self.assertEqual(json.loads(pretty), document)
        self.assertEqual(self.json("status")[1]["images"], document["images"])
        self.assertEqual(self.json("show", "rmm")[1]["images"], document["images"])
        self.assertEqual(self.json()[1]["images"], document["images"])

    def test_show_has_every_property_and_what_to_do(self):
        self.lfad(scenario([rmm(LastActivatedTimestamp=1000000000 * 10**6, NewProperty=5,
                                LastResult="failed", LastError=ERROR + "NoEffect",
                                LastFirmwareCode="LFA_AUTH_ERROR", BlackoutUSec=502000,
                                Blockers=["image", "repeat"]), bl31()]))
        code, out, _ = self.lfactl("show", "rmm", "bl31")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"(?m)^ *LastActivatedTimestamp: 2001-09-09 01:46:40 UTC \(\d+ days ago\)$")
        self.assertRegex(out, r"(?m)^ +Blockers: image, repeat$")
        self.assertRegex(out, r"(?m)^ +NewProperty: 5$")
        self.assertRegex(out, r"(?m)^ +MayResetCpu: no$")
        self.assertIn("The driver reported success, yet nothing changed.", out)
        self.assertRegex(out, r"(?m)^ +LastFirmwareCode: LFA_AUTH_ERROR$")
        self.assertRegex(out, r"(?m)^ +BlackoutUSec: 502 ms$")
        self.assertRegex(out, r"(?m)^ +Last code means: The staged image did not pass")
        self.assertRegex(out, r"What to do: New firmware is staged; 'lfactl explain rmm'")
        self.assertRegex(out, r"What to do: Nothing to do")

    def test_show_says_what_to_do_in_every_state(self):
        for state, text in (("idle", "Nothing to do"), ("pending", "lfactl activate rmm"),
                            ("scheduled", "lfactl cancel rmm"), ("activating", "wait"),
                            ("failed", "lfactl activate rmm"), ("quarantined", "lfactl clear-quarantine rmm"),
                            ("stale", "lfactl refresh"), ("brand-new", "does not know")):
            lfad = self.lfad(scenario([rmm(State=state)]))
            self.assertRegex(self.lfactl("show", "rmm")[1], f"What to do: .*{text}")
            lfad.kill()
        self.lfad(scenario([rmm(Capable=False)]))
        self.assertIn("restart the host", self.lfactl("show", "rmm")[1])

    def test_with_nothing_staged_the_last_result_says_what_to_do(self):
        for result, text in (("unknown", "look at the host and at 'lfactl history --image=rmm'.*lfad-operations\\(7\\)"),
                             ("unverified", "check that by other means"),
                             ("failed", "'lfactl history --image=rmm --long' tells why"), ("succeeded", "Nothing to do")):
            lfad = self.lfad(scenario([rmm(State="idle", Pending=False, LastResult=result)]))
            self.assertRegex(self.lfactl("show", "rmm")[1], f"What to do: .*{text}")
            lfad.kill()

    def test_a_result_that_is_not_known_needs_attention_until_it_is(self):
        end = record(4, "finished", job=4, guid=RMM, result="unknown")
        settled = record(6, "settled", job=4, guid=RMM, to="2.0")
        for history, needs in (([end], True), ([end, settled], False), ([settled, {**end, "seq": 7, "job": 7}], True)):
            lfad = self.lfad(scenario([rmm(State="idle", Pending=False, LastResult="unknown")], history=history))
            for verb in ([], ["status"], ["refresh"]):
                self.assertEqual("  rmm idle: The last activation ended unknown" in self.lfactl(*verb)[1], needs, verb)
            self.assertEqual("Nothing needs attention." in self.lfactl()[1], not needs)
            self.assertEqual("Nothing to do" in self.lfactl("show", "rmm")[1], not needs)
            lfad.kill()

    def test_a_result_that_is_not_known_comes_before_what_is_staged(self):
        for state, text in (("pending", "ended unknown"), ("failed", "ended unknown"), ("scheduled", "lfactl cancel rmm")):
            lfad = self.lfad(scenario([rmm(State=state, LastResult="unknown")]))
            self.assertRegex(self.lfactl()[1], f"  rmm {state}, 1.4 → 1.5: .*{text}")
            lfad.kill()

    def test_a_pause_by_lfad_itself_needs_attention_and_a_persons_does_not(self):
        for by_lfad in (True, False):
            lfad = self.lfad(scenario([bl31()], manager={"Holds": [{"guid": "", "reason": "x", "by-lfad": by_lfad}]}))
            for verb in ([], ["status"], ["refresh"]):
                out = self.lfactl(*verb)[1]
                self.assertEqual("  all images held by lfad, since the host restarted" in out, by_lfad, verb)
                self.assertEqual("Needs attention:" in out, by_lfad and verb != ["refresh"])
            lfad.kill()

    def test_a_pause_is_shown_with_its_reason_and_the_way_out(self):
        self.lfad(scenario([rmm(Blockers=["hold"])], manager={"Holds": [
            {"guid": "", "reason": "The host restarted.", "by-lfad": True, "until": 0}]}))
        for verb in ([], ["status"]):
            self.assertRegex(self.lfactl(*verb)[1], r"(?m)^ *Held: .*The host restarted\. .*'lfactl unhold'")
        self.assertRegex(self.lfactl("show", "rmm")[1], "What to do: .*'lfactl unhold'")

    def test_who_paused_is_named_where_that_is_known(self):
        self.lfad(scenario(manager={"Holds": [{"guid": "", "reason": "audit", "by-lfad": False, "uid": uid}
                                              for uid in (0, 4294967290)]}))
        for verb in ("status", "unhold"):
            self.assertRegex(self.lfactl(verb)[1], "(?s)all images, by root: audit.*all images, by uid 4294967290: audit")

    def test_refresh(self):
        lfad = self.lfad()
        code, out, _ = self.lfactl("refresh")
        self.assertEqual(code, 0)
        self.assertIn("2 images", out)
        lfad.wait_for("refresh\n")
        self.assertEqual(len(self.json("refresh")[1]["images"]), 2)

    def test_starting_is_a_deferral(self):
        self.lfad(scenario(errors={"GetManagedObjects": [ERROR + "Starting", "not yet"]}))
        code, _, err = self.lfactl("list")
        self.assertEqual(code, 3)
        self.assertIn("not yet", err)
        self.assertIn("ask again in a moment", err)

    def test_a_malformed_answer_is_an_error(self):
        self.lfad(scenario(errors={"GetAll": ["org.arm.Strange", ""]}))
        code, _, err = self.lfactl("list")
        self.assertEqual(code, 1)
        self.assertIn("org.arm.Strange", err)


class Naming(Case):
    def shown(self, text):
        code, document = self.json("show", text)
        return document["images"][0]["Guid"] if code == 0 else None

    def test_every_way_to_name_an_image(self):
        self.lfad(scenario([rmm(), bl31(), image(VENDOR), image(TWIN)]))
        for text in (RMM, RMM.upper(), "{" + RMM + "}", RMM_EFI, RMM_EFI.upper(), "rmm", "RMM",
                     "realm management monitor (rmm)", "6c07", "6C0762A6-12", "a662"):
            self.assertEqual(self.shown(text), RMM, text)
        self.assertEqual(self.shown(VENDOR), VENDOR)

    def test_too_short_a_piece_is_unknown(self):
        self.lfad()
        code, _, err = self.lfactl("show", "6c0")
        self.assertEqual(code, 2)
        self.assertIn("There are: bl31, rmm", err)

    def test_ambiguous_text_lists_the_candidates(self):
        self.lfad(scenario([rmm(), image(VENDOR, Name="Twin"), image(TWIN, Name="Twin")]))
        for text in ("dead", "twin"):
            code, document = self.json("activate", text)
            self.assertEqual(code, 2)
            self.assertEqual(document["errors"][0]["error"], ERROR + "AmbiguousImage")
            self.assertIn(VENDOR, document["errors"][0]["hint"])
            self.assertIn(TWIN, document["errors"][0]["hint"])
            self.assertNotIn(RMM, document["errors"][0]["hint"])

    def test_a_name_equal_to_anothers_alias_is_ambiguous(self):
        self.lfad(scenario([rmm(), image(VENDOR, Name="rmm")]))
        self.assertEqual(self.lfactl("activate", "rmm")[0], 2)

    def test_unknown_text_gets_the_nearest_name(self):
        self.lfad()
        code, _, err = self.lfactl("show", "rnm")
        self.assertEqual(code, 2)
        self.assertIn("Did you mean 'rmm'? There are: bl31, rmm", err)
        self.assertEqual(self.lfactl("show", "")[0], 2)
        self.assertEqual(self.lfactl("show", "x" * 3000)[0], 2)

    def test_show_goes_on_after_an_unknown_name(self):
        self.lfad()
        code, out, err = self.lfactl("show", "nonsense", "rmm")
        self.assertEqual(code, 2)
        self.assertIn(RMM, out)
        self.assertIn("nonsense", err)

    def test_without_driver_no_image_is_exit_7(self):
        for state, text in (("no-driver", "NoDriver"), ("no-firmware", "NoFirmware")):
            lfad = self.lfad(scenario([], manager={"DriverState": state}))
            code, document = self.json("activate", "rmm")
            self.assertEqual((code, document["errors"][0]["error"]), (7, ERROR + text))
            lfad.kill()


class Activating(Case):
    def activate(self, what, *arguments, **more):
        lfad = self.lfad(scenario(activate={RMM: what}, **more))
        outcome = self.lfactl("activate", "rmm", *arguments)
        lfad.kill()
        return outcome

    def test_success_is_one_clear_line(self):
        code, out, err = self.activate(ending("succeeded"))
        self.assertEqual((code, out, err), (0, "rmm: 1.4 → 1.5: succeeded\n", ""))

    def test_the_line_tells_of_blackouts_when_there_were_any(self):
        for measured, text in (((502000, 1, 502000), " (blackout: 502 ms)"), ((0, 0, 0), ""),
                               ((20900, 41, 840500), " (41 blackouts: at most 21 ms, together 841 ms)")):
            what = ending("succeeded", message="2.0 runs.")
            what["job"].update(zip(("BlackoutUSec", "BlackoutCount", "BlackoutSumUSec"), measured))
            with self.subTest(measured=measured):
                self.assertEqual(self.activate(what)[1], f"rmm: 1.4 → 1.5: succeeded: 2.0 runs.{text}\n")

    def test_failure_names_error_code_message_and_hint(self):
        code, out, err = self.activate(ending("failed", error=ERROR + "ActivationFailed", message="no luck",
                                              code="LFA_AUTH_ERROR"))
        self.assertEqual(code, 1)
        self.assertEqual(out, "rmm: 1.4 → 1.5: failed, ActivationFailed [LFA_AUTH_ERROR]: no luck\n")
        self.assertIn("Hint: Firmware refused the activation", err)

    def test_firmwares_code_is_explained_unless_the_message_does(self):
        meaning = "check of signature and rollback. Stage an image that is signed for this host"
        failed = {"error": ERROR + "ActivationFailed", "code": "LFA_AUTH_ERROR"}
        _, out, err = self.activate(ending("failed", message="no luck", **failed))
        self.assertIn("LFA_AUTH_ERROR: The staged image", err)
        self.assertIn(meaning, err)
        explained = ("The staged image did not pass firmware's check of signature and rollback. Stage an image that is "
                     "signed for this host and not older than it allows.")
        _, out, err = self.activate(ending("failed", message="PRIME gave LFA_AUTH_ERROR: " + explained, **failed))
        self.assertEqual((out + err).count(meaning), 1)
        _, out, err = self.activate(ending("failed", message="m", **{**failed, "code": "LFA_OF_A_LATER_LFAD"}))
        self.assertIn("[LFA_OF_A_LATER_LFAD]: m", out)
        self.assertNotIn("LFA_OF_A_LATER_LFAD", err)

    def test_a_hint_does_not_repeat_the_message(self):
        text = "Firmware refused the activation; the old version still runs."
        _, out, err = self.activate(ending("failed", error=ERROR + "ActivationFailed", message=text))
        self.assertEqual((out + err).count(text), 1)

    def test_what_went_wrong_leads_to_the_guide_once(self):
        for result, error in (("failed", "ActivationFailed"), ("unknown", "Unproven"), ("unknown", "HostRestarted"),
                              ("failed", ""), ("succeeded", ""), ("refused", "KernelBusy"), ("cancelled", "Cancelled")):
            err = self.activate(ending(result, error=ERROR + error if error else ""))[2]
            self.assertEqual(err.count("See lfad-operations(7)."), int(result in ("failed", "unknown")), result)
        self.assertIn("See lfad-operations(7).", self.activate({"error": [ERROR + "Quarantined", "because"]})[2])

    def test_exit_codes_of_results(self):
        for result, error, code in (("succeeded", "", 0), ("unverified", "", 4), ("failed", "NoEffect", 1),
                                    ("cancelled", "Cancelled", 1), ("unknown", "Unproven", 5),
                                    ("refused", "VersionChanged", 8), ("refused", "KernelBusy", 3),
                                    ("refused", "NoDriver", 7), ("refused", "BrandNew", 8),
                                    ("refused", "OrderPending", 3), ("refused", "Inhibited", 3),
                                    ("refused", "", 8),
                                    ("brand-new", "", 5)):
            got = self.activate(ending(result, error=ERROR + error if error else ""))[0]
            self.assertEqual(got, code, (result, error))

    def test_exit_codes_of_errors(self):
        standard = "org.freedesktop.DBus.Error."
        for name, code in ((standard + "AccessDenied", 6),
                           (standard + "InteractiveAuthorizationRequired", 6),
                           (standard + "InvalidArgs", 2), (standard + "LimitsExceeded", 3),
                           (ERROR + "NoDriver", 7), (ERROR + "NoFirmware", 7), (ERROR + "KernelBusy", 3),
                           (ERROR + "OrderPending", 3), (ERROR + "Starting", 3), (ERROR + "ShuttingDown", 3), (ERROR + "NotPending", 8),
                           (ERROR + "Held", 3), (ERROR + "Quarantined", 8), (ERROR + "StateNewer", 8),
                           (ERROR + "NotCapable", 8), (ERROR + "VersionChanged", 8),
                           (ERROR + "NeedsCpuReset", 8), (ERROR + "ImageStale", 8),
                           (ERROR + "RepeatedActivation", 8), (ERROR + "KernelAutoActivate", 8),
                           (ERROR + "SettingNotApplied", 8), (ERROR + "TreeLost", 8),
                           (ERROR + "ProfileNotAllowed", 8), ("org.arm.Other", 1)):
            got, out, err = self.activate({"error": [name, "because"]})
            self.assertEqual((got, out), (code, ""), name)
            self.assertIn("Cannot activate rmm: because", err)

    def test_options_reach_lfad_and_only_those_given(self):
        lfad = self.lfad(scenario(activate={RMM: ending("succeeded")}))
        self.lfactl("activate", "rmm", "--expect-current=1.4", "--expect-pending=", "--reason=CVE-1")
        lfad.wait_for(re.escape(f'activate {RMM} {{"expected-current-version": "1.4", '
                                f'"expected-pending-version": "", "reason": "CVE-1"}}'))
        self.lfactl("activate", "rmm")
        lfad.wait_for(re.escape(f"activate {RMM} {{}}"))

    def test_json_outcome(self):
        self.lfad(scenario(activate={RMM: ending("failed", error=ERROR + "NoEffect", message="m")}))
        code, document = self.json("activate", "rmm")
        self.assertEqual(code, 1)
        job = document["jobs"][0]
        self.assertEqual((job["Id"], job["Result"], job["Error"], job["Path"]),
                         (12, "failed", ERROR + "NoEffect", "/org/arm/LFA1/job/12"))

    def test_no_block_tells_people_the_number_and_programs_the_path(self):
        self.lfad(scenario(activate={RMM: ending("succeeded", then="stay")}))
        self.assertEqual(self.lfactl("activate", "rmm", "--no-block")[:2], (0, accepted("rmm", 12)))
        code, document = self.json("activate", "rmm", "--no-block")
        self.assertEqual(document["jobs"], [{"Path": "/org/arm/LFA1/job/13", "Guid": RMM}])

    def test_a_job_that_ends_before_the_reply_is_not_missed(self):
        code, out, _ = self.activate(ending("succeeded", then="end-before-reply"))
        self.assertEqual((code, out), (0, "rmm: 1.4 → 1.5: succeeded\n"))

    def test_a_job_whose_object_is_gone_is_found_in_the_history(self):
        history = [record(12, "queued", job=12, guid=RMM),
                   record(14, "finished", job=12, guid=RMM, result="failed", error=ERROR + "NoEffect",
                          **{"from": "1.4", "to": "1.5", "firmware-code": "LFA_BUSY", "blackout-usec": 9000,
                             "blackout-count": 1, "blackout-sum-usec": 9000})]
        code, out, _ = self.activate(ending("failed", then="forget"), history=history)
        self.assertEqual((code, out), (1, "rmm: 1.4 → 1.5: failed, NoEffect [LFA_BUSY] (blackout: 9 ms)\n"))

    def test_the_signal_alone_proves_nothing(self):
        self.lfad(scenario(activate={RMM: ending("succeeded", then="forget")}))
        code, out, err = self.lfactl("activate", "rmm", **SOON_GIVEN_UP)
        self.assertEqual((code, out), (5, ""))
        self.assertIn("is not known", err)

    def test_several_images_go_on_after_a_refusal_and_stop_after_trouble(self):
        images = [rmm(), bl31(), image(VENDOR, Alias="sp1")]
        refused = {"error": [ERROR + "NotPending", "not pending"]}
        self.lfad(scenario(images, activate={RMM: ending("unverified"), BL31: refused,
                                             VENDOR: ending("succeeded")}))
        code, out, err = self.lfactl("activate", "rmm", "bl31", "sp1")
        self.assertEqual(code, 8, "the worst of 4, 8 and 0")
        self.assertIn("rmm: 1.4 → 1.5: unverified", out)
        self.assertIn("sp1: 1.4 → 1.5: succeeded", out)
        self.assertIn("Cannot activate bl31", err)

    def test_several_images_stop_after_trouble(self):
        lfad = self.lfad(scenario(activate={RMM: ending("unknown", error=ERROR + "Unproven"),
                                            BL31: ending("succeeded")}))
        code, out, err = self.lfactl("activate", "rmm", "bl31")
        self.assertEqual(code, 5)
        self.assertIn("Not tried any more: bl31", err)
        lfad.wait_for("activate " + RMM)
        self.assertNotIn("activate " + BL31, list(lfad.seen.values())[0])

    def test_a_slip_in_the_last_name_does_nothing_at_all(self):
        lfad = self.lfad(scenario(activate={RMM: ending("succeeded")}))
        self.assertEqual(self.lfactl("activate", "rmm", "nonsense")[0], 2)
        self.lfactl("refresh")
        self.assertNotIn("activate", lfad.wait_for("refresh\n"))

    def test_interrupt_stops_waiting_and_says_that_the_job_goes_on(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            lfad = self.lfad(scenario(activate={RMM: ending("succeeded", then="stay")}))
            process = self.start("activate", "rmm")
            lfad.wait_for("state 12 activating")
            process.popen.send_signal(number)
            code, out, err = process.finish()
            self.assertEqual((code, out), (5, ""))
            self.assertIn("job 12 goes on", err)
            self.assertIn("lfactl cancel 12", err)
            lfad.kill()


class Pending(Case):
    """activate --pending, --request-id and --dry-run."""

    def run_pending(self, what, *arguments):
        lfad = self.lfad(scenario([rmm(), bl31(Pending=True)], activate=what, pending=list(what)))
        outcome = self.lfactl("activate", "--pending", *arguments)
        return lfad, outcome

    def test_all_jobs_are_followed_and_the_worst_counts(self):
        lfad, (code, out, _) = self.run_pending({BL31: ending("failed", error=ERROR + "NoEffect"),
                                                 RMM: ending("cancelled", error=ERROR + "PrecedingFailed")}, "--reason=x")
        lfad.wait_for(re.escape('activate-pending {"reason": "x"}'))
        self.assertEqual(code, 1)
        self.assertRegex(out, r"^bl31: .*failed, NoEffect\nrmm: .*cancelled, PrecedingFailed\n$")
        lfad.kill()
        for ends, wanted in (({BL31: ending("succeeded"), RMM: ending("unverified")}, 4),
                             ({BL31: ending("refused", error=ERROR + "KernelAutoActivate"), RMM: ending("succeeded")}, 8),
                             ({BL31: ending("succeeded"), RMM: ending("succeeded")}, 0)):
            lfad, (code, out, _) = self.run_pending(ends)
            self.assertEqual((code, out.count("\n")), (wanted, 2))
            lfad.kill()

    def test_nothing_pending_is_no_failure(self):
        _, (code, out, err) = self.run_pending({})
        self.assertEqual((code, out), (0, ""))
        self.assertIn("Nothing is pending", err)

    def test_json_and_paths(self):
        self.lfad(scenario(activate={RMM: ending("succeeded")}, pending=[RMM]))
        code, document = self.json("activate", "--pending")
        self.assertEqual((code, document["jobs"][0]["Guid"], document["jobs"][0]["Result"]), (0, RMM, "succeeded"))
        self.assertEqual(self.lfactl("activate", "--pending", "--no-block")[:2], (0, accepted("rmm", 13)))

    def test_a_refusal_of_the_call(self):
        self.lfad(scenario(errors={"ActivatePending": ["org.freedesktop.DBus.Error.AccessDenied", "no"]}))
        code, _, err = self.lfactl("activate", "--pending")
        self.assertEqual(code, 6)
        self.assertIn("Cannot activate what is pending: no", err)

    def test_a_request_id_reaches_lfad(self):
        lfad = self.lfad(scenario(activate={RMM: ending("succeeded")}))
        self.assertEqual(self.lfactl("activate", "rmm", "--request-id=r.1")[0], 0)
        lfad.wait_for(re.escape(f'activate {RMM} {{"request-id": "r.1"}}'))

    def test_a_request_id_used_for_something_else(self):
        self.lfad(scenario(activate={RMM: {"error": [ERROR + "RequestIdReused", "used"]}}))
        code, _, err = self.lfactl("activate", "rmm", "--request-id=r")
        self.assertEqual(code, 1)
        self.assertIn("used", err)

    def test_dry_run_only_explains(self):
        lfad = self.lfad(scenario([rmm(), bl31(Pending=True)],
                                  explain={RMM: explanation("allow"), BL31: explanation("deny", "NotCapable")}))
        self.assertEqual(self.lfactl("activate", "rmm", "--dry-run")[0], 0)
        code, out, _ = self.lfactl("activate", "--pending", "--dry-run")
        self.assertEqual(code, 8)
        self.assertIn("rmm: 1.4 → 1.5: allowed\n", out)
        self.assertIn("bl31: 1.4 → 1.5: denied, NotCapable: because\n", out)
        self.assertNotRegex(self.stop(lfad), "(?m)^activate")


class Terms(Case):
    """On what terms: --when-allowed, --override, --unattended."""

    WAITING = {"State": "waiting", "Message": "No window is open.", "DeadlineTimestamp": 4102444800000000}

    def test_they_reach_lfad_and_only_those_given(self):
        lfad = self.lfad(scenario(activate={RMM: ending("succeeded"), BL31: ending("succeeded")}, pending=[RMM],
                                  explain={RMM: explanation("allow")}))
        terms = ("--override=hold,window", "--override=slot", "--reason=outage", "--unattended")
        text = '"reason": "outage", "override": ["hold", "window", "slot"], "unattended": 1'
        deadline = text + ', "when-allowed": 1, "deadline": 4102444800000000'
        self.assertEqual(self.lfactl("activate", "rmm", *terms)[0], 0)
        lfad.wait_for(re.escape(f"activate {RMM} {{{text}}}"))
        self.assertEqual(self.lfactl("activate", "rmm", *terms, "--when-allowed=@4102444800")[0], 0)
        lfad.wait_for(re.escape(f"activate {RMM} {{{deadline}}}"))
        self.assertEqual(self.lfactl("activate", "--pending", *terms, "--when-allowed=@4102444800")[0], 0)
        lfad.wait_for(re.escape(f"activate-pending {{{deadline}}}"))
        self.assertEqual(self.lfactl("activate", "rmm", "--dry-run", *terms, "--when-allowed=@4102444800")[0], 0)
        lfad.wait_for(re.escape(f"explain {RMM} {{{deadline}}}"))
        self.assertEqual(self.lfactl("explain", "rmm", *terms)[0], 0)
        lfad.wait_for(re.escape(f"explain {RMM} {{{text}}}"))
        self.assertEqual(self.lfactl("activate", "bl31", "--when-allowed")[0], 0)
        lfad.wait_for(re.escape(f'activate {BL31} {{"when-allowed": 1}}'))

    def test_passing_over_gates_needs_a_reason(self):
        self.lfad()
        for arguments in (("--override=hold",), ("--override=hold", "--reason="), ("--override=", "--reason=x"),
                          ("--when-allowed=nonsense",), ("--unattended=x",)):
            self.assertEqual(self.lfactl("activate", "rmm", *arguments)[0], 2, arguments)

    def test_what_it_waits_for_is_said_once(self):
        more = {**self.WAITING, "Message": "A freeze holds."}
        what = ending("succeeded", states=[self.WAITING, self.WAITING, more, "guarding"])
        self.lfad(scenario(activate={RMM: what}))
        code, out, err = self.lfactl("activate", "rmm", "--when-allowed")
        self.assertEqual((code, out), (0, "rmm: 1.4 → 1.5: succeeded\n"))
        self.assertRegex(err, r"^rmm: job 12 waits: No window is open. Given up at 2.*:00 \S+ \(in .*\)\.\n"
                              r"rmm: job 12 waits: A freeze holds. Given up at .*\n$")

    def test_giving_up_is_a_deferral(self):
        what = ending("refused", error=ERROR + "DeadlineReached", message="too late", states=[self.WAITING])
        self.lfad(scenario(activate={RMM: what}))
        self.assertEqual(self.lfactl("activate", "rmm", "--when-allowed")[0], 3)

    def test_who_stops_waiting_is_told_that_the_job_does_not(self):
        lfad = self.lfad(scenario(activate={RMM: ending("succeeded", states=[self.WAITING], then="stay")}))
        process = self.start("activate", "rmm", "--when-allowed")
        process.wait_for("No window is open", "stderr")
        self.assertRegex(self.lfactl("status")[1], "Job: 12 for rmm: waiting until .*: No window is open")
        process.popen.send_signal(signal.SIGINT)
        code, out, err = process.finish()
        self.assertEqual((code, out), (5, ""))
        self.assertRegex(err, "(?s)job 12 goes on.*lfactl cancel 12")
        lfad.kill()

    def test_of_several_all_are_asked_for_before_any_is_waited_for(self):
        lfad = self.lfad(scenario(activate={RMM: ending("succeeded", states=[self.WAITING], then="stay"),
                                            BL31: {"error": [ERROR + "NotCapable", "because"]}}))
        process = self.start("activate", "rmm", "bl31", "--when-allowed")
        lfad.wait_for("activate " + BL31)
        process.wait_for("No window is open", "stderr")
        process.popen.send_signal(signal.SIGTERM)
        self.assertEqual(process.finish()[0], 5)
        self.assertEqual(self.lfactl("activate", "rmm", "bl31", "--when-allowed", "--no-block")[:2],
                         (8, accepted("rmm", 13)))
        lfad.kill()

    def test_another_job_that_waits_for_the_same_image_is_told_of(self):
        waiting = {"Id": 7, "Guid": RMM, "Result": "", **self.WAITING}
        what = {"activate": {RMM: ending("succeeded", then="stay")}, "pending": [RMM]}
        for first, arguments in ((12, ["rmm"]), (12, ["rmm", "--when-allowed"]), (12, ["--pending"]), (7, ["rmm"])):
            lfad = self.lfad(scenario(jobs={"7": waiting}, **{"first-job": first}, **what))
            err = self.lfactl("activate", *arguments, "--no-block")[2]
            told = "rmm: job 7 for it waits already, and this is another one. 'lfactl cancel 7' ends the older one.\n"
            self.assertEqual(err, told if first == 12 else "", "7: the same job, under the same request id")
            lfad.kill()
        self.lfad(scenario(jobs={"7": {**waiting, "State": "done"}}, **what))
        self.assertEqual(self.lfactl("activate", "rmm", "--no-block")[2], "")

    def test_what_was_passed_over_shows(self):
        what = explanation("allow")
        what["gates"].append({"gate": "hold", "answer": "allow", "error": ERROR + "Held", "text": "audit",
                              "not-before": 0, "overridable": True, "overridden": True})
        self.lfad(scenario(explain={RMM: what}))
        self.assertRegex(self.lfactl("explain", "rmm", "--override=hold", "--reason=x")[1], "hold +allow +passed over +- +audit")


def explanation(answer, error="", **more):
    """What Explain answers; the gate `image` decides."""
    what = {"answer": answer, "error": ERROR + error if error else "", "text": "because" if error else "",
            "retryable": False, "not-before": 0 if answer == "allow" else more.pop("not_before", 2**64 - 1)}
    return {"verdict": {**what, "gate": "image" if error else "", "guid": RMM, "from": "1.4", "to": "1.5",
                        "authorized": more.pop("authorized", "")},
            "gates": [{"gate": "driver", "answer": "allow", "error": "", "text": "", "not-before": 0},
                      {**what, "gate": "image", "overridable": False}]}


class Explaining(Case):
    def explain(self, what, *arguments):
        lfad = self.lfad(scenario(explain={RMM: what}))
        outcome = self.lfactl("explain", "rmm", *arguments)
        lfad.kill()
        return outcome

    def test_exit_codes_are_those_of_activate(self):
        for what, wanted in ((explanation("allow"), 0), (explanation("wait", "KernelBusy"), 3),
                             (explanation("deny", "NotPending"), 8), (explanation("deny", "NoDriver"), 7),
                             (explanation("deny", "KernelBusy"), 3), (explanation("deny", "BrandNew"), 8),
                             (explanation("defer", "OrderPending"), 3), (explanation("defer", "BrandNew"), 3),
                             (explanation("defer", "OrderPending", authorized="no"), 3),
                             (explanation("brand-new"), 8), (explanation("allow", authorized="yes"), 0),
                             (explanation("allow", authorized="no"), 6),
                             (explanation("deny", "NotPending", authorized="no"), 8),
                             (explanation("allow", authorized="challenge"), 0),
                             ({"error": [ERROR + "NoDriver", "none"]}, 7),
                             ({"error": [ERROR + "Starting", "not yet"]}, 3)):
            self.assertEqual(self.explain(what)[0], wanted, what)
        self.assertEqual(self.explain(explanation("allow", authorized="challenge"), "--no-ask-password")[0], 6)

    def test_the_verdict_then_a_table_of_gates(self):
        code, out, err = self.explain(explanation("wait", "KernelBusy", not_before=1790000000000000))
        lines = out.splitlines()
        self.assertEqual(code, 3)
        self.assertEqual(lines[0], "rmm: 1.4 → 1.5: wait, KernelBusy: because")
        self.assertEqual(lines[1].split(), ["GATE", "VERDICT", "OVERRIDE", "NOT", "BEFORE", "WHY"])
        self.assertRegex(lines[2], r"^image +wait +no +2026-09-21 14:13:20 UTC \(.*\) +because$")
        self.assertIn("ask again in a moment", err)
        self.assertEqual(lines[3:], ["1 other gate allows it: 'lfactl explain rmm --long' shows it."])
        out = self.explain(explanation("deny", "NotPending"), "--no-legend")[1]
        self.assertNotRegex(out, "GATE|other gate")

    def test_gates_that_simply_allow_are_only_counted(self):
        what = explanation("allow")
        self.assertEqual(self.explain(what)[1].splitlines()[1:], ["All 2 gates allow it: 'lfactl explain rmm --long' shows them."])
        what["gates"] += [{"gate": "window", "answer": "allow", "text": "It is open."},
                          {"gate": "hold", "answer": "allow", "text": "", "overridden": True}]
        lines = self.explain(what)[1].splitlines()
        self.assertEqual([line.split()[0] for line in lines[1:]], ["GATE", "window", "hold", "2"])
        self.assertEqual(lines[-1], "2 other gates allow it: 'lfactl explain rmm --long' shows them.")
        lines = self.explain(what, "--long")[1].splitlines()
        self.assertEqual([line.split()[0] for line in lines[1:]], ["GATE", "driver", "image", "window", "hold"])

    def test_without_a_time_there_is_none(self):
        out = self.explain(explanation("deny", "NotPending"))[1]
        self.assertRegex(out.splitlines()[2], r"^image +deny +no( +-)? +because$")

    def test_times_are_told_in_utc_and_in_the_zone_of_the_policy(self):
        what = explanation("defer", "Held", not_before=1795833000 * 10**6)
        what["verdict"]["time-zone"] = "Europe/Berlin"
        what["gates"][1]["overridable"] = True
        out = self.explain(what, "--at=@1795822200")[1].splitlines()
        self.assertRegex(out[1], r"^As of 2026-11-27 23:30:00 UTC, 2026-11-28 00:30:00 CET \(.*\)\. What cannot be foreseen")
        self.assertRegex(out[3], r"^image +defer +possible +2026-11-28 02:30:00 UTC, 03:30:00 CET \(.*\) +because$")

    def test_a_gate_that_is_passed_over_says_so(self):
        what = explanation("allow")
        what["gates"][1] |= {"text": "paused", "overridable": True, "overridden": True}
        self.assertRegex(self.explain(what)[1].splitlines()[2], r"^image +allow +passed over +(- +)?paused$")

    def test_what_polkit_says(self):
        for answer, text in (("yes", "you may\n"), ("no", "you may not"), ("challenge", "a password would be asked for")):
            self.assertIn("polkit: " + text, self.explain(explanation("allow", authorized=answer), "--authorize")[1])
        self.assertNotIn("polkit", self.explain(explanation("allow"))[1])

    def test_options_reach_lfad_and_only_those_given(self):
        lfad = self.lfad(scenario(explain={RMM: explanation("allow")}))
        self.lfactl("explain", "rmm", "--expect-current=1.4", "--expect-pending=", "--at=@1790000000", "--authorize")
        lfad.wait_for(re.escape(f'explain {RMM} {{"expected-current-version": "1.4", "expected-pending-version": "", '
                                '"at": 1790000000000000, "authorize": 1}'))
        self.lfactl("explain", "rmm", "--at=2026-09-21 16:13:20 Europe/Berlin")
        lfad.wait_for(re.escape(f'explain {RMM} {{"at": 1790000000000000}}'))
        self.lfactl("explain", "rmm")
        lfad.wait_for(re.escape(f"explain {RMM} {{}}"))

    def test_a_time_without_a_zone_is_the_policys(self):
        for zone, hour in (("Europe/Berlin", 22), ("UTC", 23), ("", 23), ("No/Where", 23)):
            lfad = self.lfad(scenario(explain={RMM: explanation("allow")}, manager={"TimeZone": zone}))
            self.lfactl("explain", "rmm", "--at=2098-12-31 23:00", TZ="America/New_York")
            moment = datetime.datetime(2098, 12, 31, hour, tzinfo=datetime.timezone.utc).timestamp()
            lfad.wait_for(re.escape(f'explain {RMM} {{"at": {int(moment)}000000}}'))
            lfad.kill()
        lfad = self.lfad(scenario(explain={RMM: explanation("allow")}, manager={"TimeZone": "Europe/Berlin"}))
        code, _, err = self.lfactl("explain", "rmm", "--at=2027-03-28 02:30")  # clocks leave it out there
        self.assertEqual(code, 2)
        self.assertIn("makes no sense in Europe/Berlin", err)
        self.lfactl("explain", "rmm", "--at=Sat 03:30")
        seconds = int(re.search(r'"at": (\d+)000000', lfad.wait_for(r'"at"')).group(1))
        moment = datetime.datetime.fromtimestamp(seconds, zoneinfo.ZoneInfo("Europe/Berlin"))
        self.assertEqual((moment.isoweekday(), moment.hour, moment.minute), (6, 3, 30))

    def test_json(self):
        what = explanation("deny", "NotPending")
        self.lfad(scenario(explain={RMM: what}))
        code, document = self.json("explain", "rmm")
        self.assertEqual((code, document["explanations"]), (8, [what]))


class Planning(Case):
    SATURDAY = 1795833000 * 10**6  # 2026-11-28 02:30 UTC
    EVENTS = [
        {"type": "remark", "name": "held", "text": "A hold is in force."},
        {"type": "hold", "start": SATURDAY - 10**12, "end": 2**64 - 1, "text": "migration"},
        {"type": "freeze", "name": "year-end", "start": SATURDAY, "end": SATURDAY + 3600 * 10**6},
        {"type": "window", "name": "nights", "start": SATURDAY, "end": SATURDAY + 7200 * 10**6,
         "slot": SATURDAY + 754 * 10**6},
        {"type": "activation", "name": "nights", "guid": RMM, "from": "1.4", "to": "1.5",
         "start": SATURDAY + 754 * 10**6},
        {"type": "missing-start", "name": "nights", "start": SATURDAY + 10**12, "text": "02:30:00 does not come."},
        {"type": "no-activation", "guid": BL31, "from": "2.10", "gate": "order", "error": ERROR + "OrderPending",
         "text": "rmm goes first."}]

    def test_a_table_in_the_zone_of_the_policy(self):
        manager = {"TimeZone": "Europe/Berlin"}
        lfad = self.lfad(scenario(plan=self.EVENTS, manager=manager))
        code, out, _ = self.lfactl("plan", "--until=@1795900000")
        lines = out.splitlines()
        lfad.wait_for(re.escape('plan {"until": 1795900000000000}'))
        self.assertEqual((code, lines[0], lines[1]),
                         (0, "All times are those of Europe/Berlin (TimeZone=).", "A hold is in force."))
        self.assertEqual(lines[2].split(), ["FROM", "UNTIL", "WHAT", "NAME", "DETAILS"])
        for line, pattern in zip(lines[3:], (
                r"\S.* CET +open +hold +all images +migration",
                r"Sat 2026-11-28 03:30:00 CET +Sat 2026-11-28 04:30:00 CET +freeze +year-end +-",
                r"Sat 2026-11-28 03:30:00 CET +Sat 2026-11-28 05:30:00 CET +window +nights +"
                r"this host's moment: Sat 2026-11-28 03:42:34 CET",
                r"Sat 2026-11-28 03:42:34 CET +- +activation +rmm +1\.4 → 1\.5, window nights",
                r"\S.* CET +- +missing-start +nights +02:30:00 does not come\.",
                r"- +- +no-activation +bl31 +order: rmm goes first\."), strict=True):
            self.assertRegex(line, f"^{pattern} *$")

    def test_nothing_ahead(self):
        lfad = self.lfad(scenario(plan=self.EVENTS[:1]))
        code, out, _ = self.lfactl("plan", "--no-legend")
        lfad.wait_for(re.escape("plan {}"))
        self.assertEqual((code, out), (0, "A hold is in force.\nNo window opens, and nothing else is ahead.\n"))

    def test_json(self):
        self.lfad(scenario(plan=self.EVENTS))
        code, document = self.json("plan")
        self.assertEqual((code, document["plan"], document["time-zone"]), (0, self.EVENTS, "UTC"))

    def test_an_older_lfad_has_none(self):
        self.lfad(scenario(errors={"GetPlan": ["org.freedesktop.DBus.Error.UnknownMethod", "what?"]}))
        self.assertEqual(self.lfactl("plan")[0], 1)


class Vanishing(Case):
    """lfad, or the bus, goes away while lfactl waits."""

    def test_before_the_reply_it_is_unknown_whether_a_job_began(self):
        self.lfad(scenario(activate={RMM: {"then": "vanish-before-reply"}}))
        code, out, err = self.lfactl("activate", "rmm")
        self.assertEqual((code, out), (5, ""))
        self.assertIn("may have begun", err)

    def test_without_the_bus_the_waiting_ends(self):
        self.addCleanup(self.start_bus)
        lfad = self.lfad(scenario(activate={RMM: ending("", then="stay")}))
        waiting, watching = self.start("activate", "rmm"), self.start("monitor")
        lfad.wait_for("state 12 activating")
        watching.wait_for("watching", "stderr")
        self.bus.kill()
        code, out, err = waiting.finish()
        self.assertEqual((code, out), (5, ""))
        self.assertIn("Cannot wait for job 12 of rmm", err)
        self.assertEqual(watching.finish()[0], 1)

    def vanish(self, **environment):
        lfad = self.lfad(scenario(activate={RMM: ending("", then="vanish")}))
        process = self.start("activate", "rmm", **environment)
        lfad.wait_for("vanish 12")
        return process

    def test_outcome_from_the_history_of_the_next_generation(self):
        process = self.vanish()
        self.lfad(scenario(history=[
            record(12, "queued", job=12, guid=RMM, uid=0),
            record(13, "started", job=12, guid=RMM, **{"from": "1.4", "to": "1.5"}),
            record(14, "finished", job=12, guid=RMM, result="unknown", error=ERROR + "NoReport",
                   message="lost"),
            record(15, "settled", job=12, guid=RMM, result="succeeded"),
        ]))
        code, out, _ = process.finish()
        self.assertEqual(code, 0)
        self.assertEqual(out, "rmm: 1.4 → 1.5: succeeded\n")

    def test_outcome_from_the_job_when_it_goes_on(self):
        process = self.vanish()
        job = {"Id": 12, "Guid": RMM, "State": "done", "Result": "failed", "Error": ERROR + "NoEffect",
               "FromVersion": "1.4", "ToVersion": "1.5", "Message": ""}
        self.lfad(scenario(jobs={"12": job}))
        self.assertEqual(process.finish()[:2], (1, "rmm: 1.4 → 1.5: failed, NoEffect\n"))

    def test_a_job_that_goes_on_afterwards_is_waited_for(self):
        process = self.vanish()
        job = {"Id": 12, "Guid": RMM, "State": "activating", "Result": ""}
        lfad = self.lfad(scenario(jobs={"12": job}))
        time.sleep(0.2)
        self.assertIsNone(process.popen.poll())
        lfad.kill()
        self.lfad(scenario(jobs={"12": {**job, "State": "done", "Result": "succeeded"}}))
        self.assertEqual(process.finish()[0], 0)

    def test_never_coming_back_is_unknown_and_said_so(self):
        process = self.vanish(**SOON_GIVEN_UP)
        code, _, err = process.finish()
        self.assertEqual(code, 5)
        self.assertIn("is not known", err)
        self.assertIn("lfactl history", err)

    def test_coming_back_without_a_word_of_the_job_is_unknown(self):
        process = self.vanish(**SOON_GIVEN_UP)
        self.lfad(scenario(history=[record(12, "queued", job=12, guid=RMM)]))
        self.assertEqual(process.finish()[0], 5)


class Cancelling(Case):
    JOB = {"Id": 7, "Guid": RMM, "State": "queued", "Result": ""}

    def test_by_image_and_by_number(self):
        for text, path in (("rmm", "image/" + RMM.replace("-", "_")), ("7", "job/7")):
            lfad = self.lfad(scenario(jobs={"7": self.JOB}, cancel={"State": "done", "Result": "cancelled"}))
            self.assertEqual(self.lfactl("cancel", text)[:2], (0, "rmm: job 7 is cancelled.\n"))
            lfad.wait_for(f"cancel /org/arm/LFA1/{path}\n")
            lfad.kill()

    def test_past_its_start_nothing_is_promised(self):
        self.lfad(scenario(jobs={"7": self.JOB}, cancel={"State": "activating"}))
        code, out, _ = self.lfactl("cancel", "rmm")
        self.assertEqual(code, 0)
        self.assertIn("was asked to stop", out)
        self.assertNotIn("cancelled", out)
        self.assertEqual(self.json("cancel", "rmm")[1]["jobs"][0]["State"], "activating")

    def test_without_a_job(self):
        self.lfad(scenario(cancel={"error": [ERROR + "NoSuchJob", "rmm has no job"]}))
        code, _, err = self.lfactl("cancel", "rmm")
        self.assertEqual(code, 1)
        self.assertIn("rmm has no job", err)

    def test_an_unknown_number(self):
        self.lfad()
        code, document = self.json("cancel", "99")
        self.assertEqual((code, document["errors"][0]["error"]), (1, ERROR + "NoSuchJob"))


class Holding(Case):
    def test_images_reason_and_time_reach_lfad(self):
        lfad = self.lfad()
        self.assertEqual(self.lfactl("hold", "--reason=audit")[0], 0)
        lfad.wait_for("hold audit {}\n")
        code, out, _ = self.lfactl("hold", "rmm", "--reason=fan", "--until=@4102444800")
        self.assertEqual(code, 0)
        self.assertRegex(out, "paused until 2(099|100)-.*: rmm\\.")
        lfad.wait_for(re.escape(f'hold fan {{"images": ["{RMM}"], "until": 4102444800000000}}\n'))
        self.assertEqual(self.lfactl("unhold", "rmm")[0], 0)
        lfad.wait_for(re.escape(f'unhold /org/arm/LFA1 {{"images": ["{RMM}"]}}\n'))

    def test_spans_are_rounded_to_the_nearest(self):
        self.lfad()
        for span, text in (("2h", "2 h"), ("119s", "119 s"), ("120s", "2 min"), ("90min", "90 min"), ("47h", "47 h"),
                           ("48h", "2 days"), ("61h", "3 days")):
            printed = (self.lfactl("hold", "--reason=fan", f"--until=+{span}")[1] for _ in range(5))
            self.assertTrue(any(f"(in {text})" in out for out in printed), span)  # half a second makes it another one

    def test_times_are_those_of_the_policys_zone(self):
        lfad = self.lfad(scenario(manager={"TimeZone": "Europe/Berlin"}))
        out = self.lfactl("hold", "--reason=fan", "--until=2099-01-01 06:00")[1]
        self.assertIn("paused until 2099-01-01 05:00:00 UTC, 06:00:00 CET (in ", out)
        lfad.wait_for('"until": 4070926800000000')

    def test_it_needs_a_reason_and_images_that_exist(self):
        self.lfad()
        for arguments in (("hold",), ("hold", "rmm"), ("hold", "--reason="), ("hold", "--reason=x", "nonsense"),
                          ("unhold", "nonsense")):
            self.assertEqual(self.lfactl(*arguments)[0], 2, arguments)


class Counting(Case):
    def test_one_is_singular(self):
        with tempfile.TemporaryDirectory() as root:
            folder = pathlib.Path(root, "etc/lfad/lfad.conf.d")
            folder.mkdir(parents=True)
            for name, text, said in (("1", "[Policy]\n", "1 file read, 0 errors, 0 warnings."),
                                     ("2", "x\n", "2 files read, 1 error, 0 warnings.")):
                (folder / f"{name}.conf").write_text(text)
                self.assertEqual(self.lfactl("config", "check", f"--root={root}")[2], said + "\n")
        for images in ([rmm()], [rmm(), bl31()]):
            lfad = self.lfad(scenario(images))
            self.assertIn(f"active, {len(images)} image{'s' * (len(images) - 1)}.\n", self.lfactl("refresh")[1])
            lfad.kill()


class Releasing(Case):
    VERBS = ((("unhold",), "unhold /org/arm/LFA1", "Unhold", "NotHeld"),
             (("clear-quarantine", "rmm"), "clear-quarantine /org/arm/LFA1/image/" + RMM.replace("-", "_"),
              "ClearQuarantine", "NotQuarantined"))

    def test_the_reason_reaches_lfad_when_given(self):
        for verb, call, _, _ in self.VERBS:
            lfad = self.lfad()
            code, out, _ = self.lfactl(*verb, "--reason=fan replaced")
            self.assertEqual((code, out.count("\n")), (0, 1))
            lfad.wait_for(call + ' {"reason": "fan replaced"}\n')
            self.assertEqual(self.json(*verb)[1]["exit-code"], 0)
            lfad.wait_for(call + " {}\n")
            lfad.kill()

    def test_only_what_is_pending_can_be_tried_again(self):
        for pending, text in ((True, "; 'lfactl activate rmm' tries it again."), (False, ". No new firmware is staged.")):
            lfad = self.lfad(scenario([rmm(Pending=pending)]))
            self.assertEqual(self.lfactl("clear-quarantine", "rmm")[1],
                             f"rmm: what went wrong does not count any more{text}\n")
            lfad.kill()

    def test_nothing_to_release(self):
        for verb, _, method, error in self.VERBS:
            lfad = self.lfad(scenario(errors={method: [ERROR + error, "There is nothing."]}))
            code, _, err = self.lfactl(*verb)
            self.assertEqual(code, 1)
            self.assertIn("There is nothing.", err)
            self.assertIn("no such hold to release" if error == "NotHeld" else "there is nothing to", err)
            lfad.kill()


class History(Case):
    RECORDS = [
        record(1, "daemon-started", strange=1.5),
        record(2, "queued", job=2, guid=RMM, uid=0, pid=1, reason="CVE", unit="fleet.service", **{"login-uid": 0}),
        record(3, "started", job=2, guid=RMM, **{"from": "1.4", "to": "1.5"}),
        record(4, "finished", job=2, guid=RMM, result="succeeded", **{"from": "1.4", "to": "1.5",
                                                                      "write-usec": 1200000,
                                                                      "blackout-usec": 502000,
                                                                      "blackout-count": 1}),
        record(5, "queued", job=5, guid=VENDOR, uid=4294967290),
        record(6, "finished", job=5, guid=VENDOR, result="unknown", error=ERROR + "NoReport",
               errno=125, **{"firmware-code": "LFA_BUSY", "cancel-uid": 0, "cancel-answer": 0}),
        record(7, "settled", job=5, guid=VENDOR, **{"from": "1", "to": "2", "pending": False}),
        {"type": "external"},
        record(9, "finished", job=9, errno=5),
    ]

    def test_one_line_a_finished_job(self):
        self.lfad(scenario(history=self.RECORDS))
        code, out, _ = self.lfactl("history")
        lines = out.splitlines()
        self.assertEqual(code, 0)
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[1], r"2 +rmm +1.4 → 1.5 +succeeded +- +502 ms +root *$")
        self.assertRegex(lines[2],
                         rf"5 +{VENDOR} +- → - +unknown, later found: 2 +NoReport \[LFA_BUSY\] +- +4294967290 *$")
        self.assertEqual(len(self.lfactl("history", "--lines=1", "--no-legend")[1].splitlines()), 1)

    def test_long_view_has_every_record_and_key(self):
        self.lfad(scenario(history=self.RECORDS))
        out = self.lfactl("history", "--long")[1]
        self.assertEqual(len(re.findall(r"(?m)^#", out)), len(self.RECORDS))
        for line in ("write-usec: 1200000 (1 s)", "blackout-usec: 502000 (502 ms)", "uid: 0 (root)", "pid: 1",
                     "unit: fleet.service", "login-uid: 0 (root)", "uid: 4294967290", "reason: CVE",
                     f"guid: {RMM} (rmm)", f"guid: {VENDOR}", "errno: 125", "errno: 5 (Input/output error)", "cancel-answer: 0",
                     "cancel-uid: 0 (root)"):
            self.assertRegex(out, "(?m)^ +" + re.escape(line) + "$")
        self.assertRegex(out, r"(?m)^ +strange: 1\.5$")
        self.assertEqual(len(re.findall(r"(?m)^#", self.lfactl("history", "--long", "--lines=2")[1])), 2)

    def test_json_has_the_records_as_they_are(self):
        self.lfad(scenario(history=self.RECORDS))
        self.assertEqual(self.json("history")[1]["records"], self.RECORDS)
        self.assertEqual(self.json("history", "--lines=2")[1]["records"], self.RECORDS[-2:])

    def test_empty(self):
        self.lfad()
        code, out, err = self.lfactl("history")
        self.assertEqual((code, out), (0, ""))
        self.assertIn("No job has finished", err)
        self.assertEqual(self.json("history")[1]["records"], [])


class HistoryPages(Case):
    """More records than one answer holds."""

    RECORDS = [record(seq, ("queued", "started", "finished")[seq % 3], job=seq - seq % 3 + 1, guid=RMM,
                      **({"result": "succeeded"} if seq % 3 == 2 else {})) for seq in range(1, 1001)]

    def start_lfad(self):
        return self.lfad(scenario(history=self.RECORDS))

    def test_all_records_by_pages(self):
        lfad = self.start_lfad()
        self.assertEqual(self.json("history")[1]["records"], self.RECORDS)
        lfad.wait_for(r'history {}\nhistory {"before": 745}\nhistory {"before": 489}\nhistory {"before": 233}\n')
        self.assertEqual(self.json("history", "--lines=300")[1]["records"], self.RECORDS[-300:])
        self.assertEqual(len(self.lfactl("history", "--long", "--lines=700", "--no-legend")[1].split("\n#")), 700)

    def test_no_more_pages_than_are_needed(self):
        lfad = self.start_lfad()
        self.assertEqual(len(self.lfactl("history", "--no-legend", "--lines=50")[1].splitlines()), 50)
        self.assertEqual(len(self.lfactl("history", "--no-legend", "--lines=200")[1].splitlines()), 200)
        self.assertEqual(len(self.lfactl("history", "--no-legend", "--lines=all")[1].splitlines()), 333)
        # the newest page, then three pages of 85 jobs each for 200, then four for all
        self.assertEqual(self.stop(lfad).count("history {"), 1 + 3 + 4)

    def test_filters_reach_lfad(self):
        lfad = self.start_lfad()
        code, out, _ = self.lfactl("history", "--image=rmm", "--job=4", "--type=finished", "--since=@5",
                                   "--until=@1790000000")
        lfad.wait_for(re.escape('history {"image": "rmm", "type": "finished", "job": 4, "since": 5000000, '
                                '"until": 1790000000000000}'))
        self.assertEqual(code, 0)
        self.assertRegex(out, "(?m)^#5 finished ")
        self.assertEqual(len(self.json("history", "--job=4")[1]["records"]), 3)

    def test_lfad_decides_what_an_image_and_a_type_are(self):
        self.lfad(scenario(errors={"GetHistory": [ERROR + "NoSuchImage", "none such"]}))
        code, _, err = self.lfactl("history", "--image=bl99")
        self.assertEqual(code, 2)
        self.assertIn("none such", err)


class Monitoring(Case):
    def finish(self, process, number=signal.SIGINT):
        process.popen.send_signal(number)
        return process.finish()

    def test_every_signal_is_a_line_with_a_time(self):
        lfad = self.lfad()
        process = self.start("monitor")
        process.wait_for(r"watching \.\.\.", "stderr")
        path = "/org/arm/LFA1/image/" + RMM.replace("-", "_")
        self.emit("/org/arm/LFA1", "org.arm.LFA1.Manager", "JobNew", "uos", 12, "/org/arm/LFA1/job/12", RMM)
        process.wait_for(r"(?m)^\d\d:\d\d:\d\d\.\d{3} rmm: job 12 is new$")
        self.emit("/org/arm/LFA1", "org.arm.LFA1.Manager", "JobRemoved", "uoss", 12,
                  "/org/arm/LFA1/job/12", RMM, "failed")
        process.wait_for(r" rmm: job 12 ended: failed\n")
        self.emit(path, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as",
                  "org.arm.LFA1.Image", {"State": "idle"}, ["Blockers"])
        process.wait_for(r" rmm: State=idle Blockers \(changed\)\n")
        self.emit("/org/arm/LFA1", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "oa{sa{sv}}",
                  "/org/arm/LFA1/image/x", {"org.arm.LFA1.Image": {"Alias": "new"}})
        process.wait_for(r" new appeared\n")
        self.emit("/org/arm/LFA1", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", "oas",
                  "/org/arm/LFA1/image/x", ["org.arm.LFA1.Image"])
        process.wait_for(r" new is gone\n")
        lfad.kill()
        process.wait_for(r" lfad left the bus\n")
        self.lfad()
        process.wait_for(r" lfad is on the bus\n")
        self.assertEqual(self.finish(process)[0], 0)

    def test_json_is_one_object_a_line(self):
        self.lfad()
        process = self.start("monitor", "--json=pretty")
        process.wait_for(r"watching", "stderr")
        self.emit("/org/arm/LFA1", "org.arm.LFA1.Manager", "JobNew", "uos", 12, "/org/arm/LFA1/job/12", RMM)
        self.emit("/org/arm/LFA1", "org.arm.LFA1.Unheard", "Of", "s", "x")
        self.emit("/org/arm/LFA1", "org.arm.LFA1.Manager", "JobRemoved", "uoss", 12,
                  "/org/arm/LFA1/job/12", RMM, "failed")
        process.wait_for("job-removed.*\n")
        code, out, _ = self.finish(process, signal.SIGTERM)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(code, 0)
        self.assertEqual([e["event"] for e in events], ["job-new", "job-removed"])
        self.assertEqual({e["schema"] for e in events}, {1})
        self.assertEqual((events[1]["Guid"], events[1]["Result"]), (RMM, "failed"))

    def test_lfad_may_come_later(self):
        process = self.start("monitor")
        process.wait_for("not on the bus yet", "stderr")
        self.lfad()
        process.wait_for("lfad is on the bus\n")
        self.assertEqual(self.finish(process)[0], 0)


class Terminals(Case):
    HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\n\x7f\u009b31m\u202eevil\u2028\\x"

    def on_terminal(self, *arguments, **environment):
        """Runs lfactl with standard output and error on a terminal; what it shows, and the exit code."""
        leader, follower = pty.openpty()
        process = subprocess.Popen([LFACTL, *arguments], stdout=follower, stderr=follower,
                                   stdin=subprocess.DEVNULL, env={**self.environment, **environment})
        os.close(follower)
        out = b""
        try:
            while select.select([leader], [], [], DEADLINE)[0]:
                out += os.read(leader, 65536)
        except OSError:
            pass  # the other end is closed
        os.close(leader)
        return out.decode(), process.wait(timeout=DEADLINE)

    def test_colours_on_a_terminal_only_and_not_with_no_color(self):
        self.lfad()
        for verb in ("list", "status"):
            self.assertIn("\033[33m", self.on_terminal(verb)[0])
            self.assertNotIn("\033", self.on_terminal(verb, NO_COLOR="1")[0])
            self.assertNotIn("\033", self.on_terminal(verb, TERM="dumb")[0])
            self.assertIn("\033[", self.on_terminal(verb, NO_COLOR="")[0])
            self.assertNotIn("\033", self.lfactl(verb)[1])

    def test_progress_is_one_line_that_is_wiped(self):
        self.lfad(scenario(activate={RMM: ending("succeeded", **{"step-ms": 50})}))
        out, code = self.on_terminal("activate", "rmm")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"\r\033\[Krmm: (guarding|activating), \d+ s")
        self.assertRegex(out, r"\r\033\[Krmm: 1.4 → 1.5: .*succeeded.*\r\n$")

    def assert_harmless(self, text):
        bad = [c for c in text if (ord(c) < 0x20 and c != "\n") or 0x7f <= ord(c) < 0xa0 or
               c in "\u202e\u2028"]
        self.assertEqual(bad, [], text)

    def hostile_lfad(self):
        hostile = self.HOSTILE
        images = [rmm(Name=hostile, CurrentVersion=hostile, PendingVersion=hostile, LastResult=hostile,
                      LastError=hostile, Blockers=[hostile], Extra=hostile, State=hostile),
                  image(VENDOR, Alias=hostile)]
        end = ending("failed", error=hostile, message=hostile, code=hostile)
        end["job"].update(FromVersion=hostile, ToVersion=hostile)
        history = [record(2, "finished", job=2, guid=RMM, result=hostile, error=hostile, reason=hostile,
                          **{"from": hostile, hostile: hostile}), record(3, hostile)]
        return self.lfad(scenario(images, activate={RMM: end, VENDOR: {"error": ["org.arm.Bad", hostile]}},
                                  history=history, manager={"DriverState": hostile, "DriverProfile": hostile,
                                                            "Version": hostile}))

    def test_hostile_strings_never_reach_the_terminal(self):
        self.hostile_lfad()
        for arguments in ([], ["status"], ["list"], ["show", "rmm", "dead"], ["history"],
                          ["history", "--long"], ["activate", "rmm"], ["activate", "dead"], ["refresh"],
                          ["show", self.HOSTILE + "?"]):
            for mode in ("--json=off", "--json=short", "--json=pretty"):
                code, out, err = self.lfactl(mode, *arguments)
                self.assertGreaterEqual(code, 0)
                self.assert_harmless(out + err)
                if mode != "--json=off":
                    json.loads(out)
        name = self.json("show", "rmm")[1]["images"][0]["Name"]
        self.assertEqual(name, self.HOSTILE, "JSON keeps what it escapes")

    def test_hostile_strings_on_a_real_terminal(self):
        self.hostile_lfad()
        for arguments in (["list"], ["show", "rmm"], ["activate", "rmm"]):
            out, _ = self.on_terminal(*arguments)
            self.assert_harmless(re.sub(r"\033\[(\d*m|K)|\r", "", out))

    def test_hostile_signals(self):
        self.hostile_lfad()
        process = self.start("monitor")
        process.wait_for("watching", "stderr")
        self.emit("/org/arm/LFA1/job/1", "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as",
                  "org.arm.LFA1.Job", {"Message": self.HOSTILE, self.HOSTILE: 1}, [self.HOSTILE])
        process.wait_for("job 1: .*\n")
        process.popen.send_signal(signal.SIGINT)
        code, out, err = process.finish()
        self.assertEqual(code, 0)
        self.assert_harmless(out + err)
        self.assertEqual(out.count("\n"), 1)

    def test_a_locale_without_utf8_gets_ascii(self):
        self.lfad(scenario([rmm(Name="Zürich")], activate={RMM: ending("succeeded")}))
        process = self.start("list", LC_ALL="C")
        self.assertIn("Z\\u00fcrich", process.finish()[1])
        self.assertEqual(self.lfactl("activate", "rmm", LC_ALL="C")[1], "rmm: 1.4 -> 1.5: succeeded\n")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=1))
