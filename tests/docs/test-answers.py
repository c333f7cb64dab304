#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dictionaries that the running daemon gives have the keys and types that org.arm.LFA1(5) says: the answers of
Explain, and the records of the history, each type of which is provoked here."""

import json
import os
import time

import dbus

import docs
import facts
import timedate1
import world
from world import IMAGE, JOB, MANAGER, NAME, PATH

API = "org.arm.LFA1.5"
TYPES = {dbus.Boolean: "b", dbus.UInt32: "u", dbus.UInt64: "t", dbus.String: "s"}


def type_of(value):
    return "a" + value.signature if isinstance(value, dbus.Array) else TYPES[type(value)]


def types(dictionary):
    return {str(key): type_of(value) for key, value in dictionary.items()}


def documented_records():
    """record type -> {key: D-Bus type}, from "u; queued started"."""
    every = [entry.names[0] for entry in docs.page(API).entries("Record types")]
    records = {name: {} for name in every}
    for entry in docs.page(API).entries("Keys of records"):
        signature, where = entry.detail.split("; ")
        for name in every if where == "all" else where.split():
            records[name][entry.names[0]] = signature
    return records


def record_differences(documented, seen):
    """Between type -> {key: type}, both ways."""
    for name in documented.keys() | seen.keys():
        left, right = documented.get(name, {}), seen.get(name, {})
        for key in left.keys() | right.keys():
            if left.get(key) != right.get(key):
                yield f"{name}: {key}: documented {left.get(key)}, seen {right.get(key)}"


class ExplainTest(world.TestCase):
    def explain_allowed(self):
        answer = self.world.bus().call_blocking(NAME, PATH, MANAGER, "Explain", "sa{sv}", ("rmm", {"authorize": True}))
        return answer if answer[0]["answer"] == "allow" else None

    def test_an_answer_is_as_documented(self):
        self.world.stage("rmm", "2.0")
        verdict, gates = self.world.wait_for(self.explain_allowed, what="the tree to have settled")
        page = docs.page(API)
        self.assertEqual(list(docs.compare(page.entries("Verdict of Explain"), types(verdict), True)), [])
        docs.plants(self, page.entries("Verdict of Explain"), types(verdict), True)
        for gate in gates:
            self.assertEqual(list(docs.compare(page.entries("Gates of Explain"), types(gate), True)), [])
            docs.plants(self, page.entries("Gates of Explain"), types(gate), True)
        self.assertEqual([str(gate["gate"]) for gate in gates], list(facts.gates()))
        self.assertEqual((verdict["answer"], verdict["authorized"], verdict["not-before"]), ("allow", "yes", 0))


class DescribeTest(world.TestCase):
    """Which keys there are is compared with the source (test-coverage.py); here, that they are in the document."""

    def test_the_document_has_documented_members_only(self):
        self.world.stage("rmm", "2.0")
        self.world.run_job("rmm", reason="x", request_id="y")
        held = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "x", "y", "delay", ["rmm"], {})
        self.addCleanup(os.close, held.take())
        document = json.loads(self.world.call(PATH, MANAGER, "Describe", "a{sv}", {}))
        for heading, found in (("Members of the document", document), ("Members of an image", document["images"][0]),
                               ("Members of a job", document["jobs"][0]),
                               ("Members of an inhibitor", document["inhibitors"][0])):
            known = {entry.names[0] for entry in docs.page(API).entries(heading)}
            self.assertLessEqual(set(found), known, heading)
        self.assertEqual(document["schema"], 1)


class HistoryTest(world.TestCase):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.seen = {}

    def collect(self):
        for record in self.world.bus().call_blocking(NAME, PATH, MANAGER, "GetHistory", "a{sv}",
                                                     (dbus.Dictionary(signature="sv"),)):
            self.seen.setdefault(str(record["type"]), {}).update(types(record))

    def provoke_jobs(self):
        self.world.stage("rmm", "2.0")
        held = self.world.call(PATH, MANAGER, "Inhibit", "sssasa{sv}", "x", "y", "block", ["rmm"], {})
        self.world.run_job("rmm", expected_current_version="1.2", expected_pending_version="2.0", reason="ticket",
                           request_id="name", override=["inhibitor", "clock"], unattended=True)
        os.close(held.take())
        self.world.sim("fail prime AUTH_ERROR --image=bl31")
        self.world.stage("bl31", "3.0")
        self.world.run_job("bl31")

    def provoke_waiting(self):
        self.world.stage("rmm", "2.5")
        for path in self.world.call(PATH, MANAGER, "ActivatePending", "a{sv}", {"when-allowed": True}):
            self.world.wait_job(path)

    def provoke_automatic(self):
        clock = timedate1.Timedate1(self.world.connect())
        self.world.configure(f"[Image manager]\nGuid={world.GUIDS['rmm']}\nMode=automatic\n"
                             "[Window always]\nOnCalendar=00:00\nDuration=2d\n")
        self.world.stage("rmm", "2.7")
        self.world.reload()
        self.world.wait_for(lambda: any("automatic" in record for record in self.world.history_file("finished")),
                            what="an activation by lfad itself")
        self.world.configure(None)
        self.world.reload()
        clock.close()

    def provoke_cancel(self):
        """Both writes come to their end at once: of several times, lfad hears of the cancelling's first in one."""
        for number in range(20):
            self.world.stage("rmm", f"3.{number}")
            self.world.sim("reset-counters")
            self.world.sim("hang activate")
            path = self.world.activate("rmm")
            self.world.wait_job_state(path, "activating")
            self.world.sim("wait activate-entered")
            self.world.call(path, JOB, "Cancel", "a{sv}", {})
            self.world.wait_for(lambda: self.world.counters()["cancel-stores"] > 0, what="the driver to be asked")
            self.world.sim("release")
            self.world.wait_job(path)
            if "cancel-answer" in self.world.wait_record("finished", self.world.job_id(path)):
                break

    def provoke_window(self):
        """One that closes during the write. It is configured meanwhile: the configuration at the end counts."""
        self.world.stage("rmm", "3.50")
        self.world.sim("reset-counters")
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        end = int(time.time()) + 2
        start = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(end - 60))
        self.world.configure(f"[Window w]\nOnCalendar={start}\nDuration=60s\n")
        self.world.reload()
        self.world.wait_for(lambda: time.time() > end, what="the window's end")
        self.world.sim("release")
        self.world.wait_job(path)
        self.world.configure("")
        self.world.reload()

    def provoke_settled(self):
        """ECANCELED although the new firmware runs; the next success shows it."""
        self.world.sim("outcome activate change-then-fail --image=scp")
        self.world.stage("scp", "4.0")
        self.assertEqual(self.world.run_job("scp")["Result"], "unknown")
        self.world.stage("rmm", "4.0")
        self.world.run_job("rmm")
        self.world.wait_record("settled")

    def provoke_outside_changes(self):
        self.world.stage("rmm", "5.0")
        self.world.sim("unstage rmm")
        self.world.refresh()
        self.world.wait_record("external")
        self.world.sim("auto rmm 1")
        self.world.refresh()
        self.world.wait_record("setting-applied")
        self.world.sim("vanish scp --now")
        self.world.refresh()
        self.world.wait_record("vanished")

    def provoke_repeat(self):
        """Firmware that offers everything for ever."""
        self.world.close()
        self.world = world.World(firmware="tfa-fvp")
        self.world.__enter__()
        self.world.refresh()
        self.world.run_job("rmm")
        self.collect()

    def provoke_restarts(self):
        """The host restarts during an activation: what lfad does about it is ended by a person, and by itself."""
        self.world.close()
        self.world = world.World()
        self.world.__enter__()
        self.world.disguise(b"agent.service", 1000)
        for version in ("2.0", "3.0"):
            self.world.stage("bl31", version)
            self.world.sim("reset-counters")
            self.world.sim("hang activate")
            self.world.activate("bl31")
            self.world.sim("wait activate-entered")
            self.world.restart_host()
            self.world.stage("bl31", version)
            if version == "2.0":
                self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {"reason": "looked into"})
                self.world.call(self.world.image_path("bl31"), IMAGE, "ClearQuarantine", "a{sv}", {"reason": "likewise"})
        self.world.stage("bl31", "4.0")
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "maintenance",
                        {"images": ["rmm"], "until": dbus.UInt64(int(time.time() + 3600) * 10**6)})
        self.world.call(PATH, MANAGER, "Unhold", "a{sv}", {"images": ["rmm"]})
        self.collect()

    def test_every_record_is_as_documented(self):
        self.world.disguise(b"agent.service", 1000)
        self.provoke_jobs()
        self.provoke_waiting()
        self.provoke_automatic()
        self.provoke_cancel()
        self.provoke_window()
        self.provoke_settled()
        self.provoke_outside_changes()
        self.collect()
        self.provoke_repeat()
        self.provoke_restarts()
        self.assertEqual(list(record_differences(documented_records(), self.seen)), [])

    def test_planted_differences_are_found(self):
        documented = {"queued": {"seq": "t", "job": "u"}}
        for seen in ({}, {"queued": {"seq": "t"}}, {"queued": {"seq": "t", "job": "t"}},
                     {"queued": {"seq": "t", "job": "u", "planted": "s"}},
                     {**documented, "planted": {"seq": "t"}}):
            self.assertTrue(list(record_differences(documented, seen)))
        self.assertEqual(list(record_differences(documented, documented)), [])


world.main()
