#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfactl(1) documents the metrics that lfactl prints where there is something of everything, and the example of alerting
rules asks for no others."""

import json
import os
import re
import time

import docs
import timedate1
import world
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from world import GUIDS, MANAGER, PATH

ALERTS = "man/examples/lfad-alerts.yml"
WATCHDOG = {f"class/watchdog/watchdog0/{name}": f"{value}\n" for name, value in (
    ("identity", "A watchdog"), ("state", "active"), ("timeout", 30), ("pretimeout", 0), ("timeleft", 29))}


def documented():
    return docs.page("lfactl.1").entries("METRICS")


def printed(text):
    """Name of the samples -> type and labels, as the page has them."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = family.type + (": " + ", ".join(sample.labels) if sample.labels else "")
    return found


def asked_for(rules):
    expressions = re.findall(r"^ +expr: (.*)$", rules, re.MULTILINE)
    return {name for expression in expressions for name in re.findall(r"\blfad_\w+", expression)}


class MetricsTest(world.TestCase):
    options = {"parts": ("dbus", "sim"), "sysfs": WATCHDOG}
    maxDiff = None

    def setUp(self):
        super().setUp()
        start = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 36000))
        self.world.configure(f"[Driver]\nKernelAutoActivate=leave\n[Policy]\nMode=automatic\n"
                             f"[Window w]\nOnCalendar={start} UTC\nDuration=2h\n")
        record = {"seq": 1, "type": "finished", "job": 1, "guid": GUIDS["rmm"], "from": "1.1", "to": "1.2",
                  "result": "succeeded", "verdict-row": 3, "profile": "nvnew", "blackout-usec": 700,
                  "timestamp": int(time.time() * 1e6), "boot-id": "0" * 32}
        with open(os.path.join(self.world.state_dir, "history.jsonl"), "w", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        self.addCleanup(timedate1.Timedate1(self.world.connect()).close)
        self.world.start("lfad")
        self.world.sim("auto scp 1")
        self.world.stage("rmm", "2.0")
        self.world.call(PATH, MANAGER, "Hold", "sa{sv}", "a reason", {"images": ["bl31"]})

    def test_the_page_has_what_is_printed_and_nothing_else(self):
        self.world.wait_for(lambda: self.world.manager()["NextPlannedTimestamp"], 10, "a plan")
        found = printed(self.world.lfactl("metrics").stdout)
        self.assertEqual(list(docs.compare(documented(), found, True)), [])
        docs.plants(self, documented(), found, True)

    def test_the_alerts_ask_for_what_there_is(self):
        names = {entry.names[0] for entry in documented()}
        asked = asked_for(docs.read(ALERTS))
        self.assertTrue(asked)
        self.assertEqual(asked - names, set())
        self.assertEqual(asked_for("      expr: lfad_planted == 0\n") - names, {"lfad_planted"})


world.main()
