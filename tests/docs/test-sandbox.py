#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units are as closed as the manual says, by systemd's own measure, and what is left open says in a comment why."""

import json
import os
import re
import subprocess
import tempfile
import unittest

import docs

# Of 100, as systemd-analyze counts; lfad(8), SECURITY has it of 10.
LIMITS = {"lfad.service": 17, "lfad-activate.service": 5, "lfad-metrics.service": 5}


def unit(name):
    with open(os.path.join(docs.BUILD_DIR, "systemd", name), encoding="utf-8") as file:
        return file.read()


def analyze(name, text, *options):
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", *options, path], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)


def too_open(name, text):
    done = analyze(name, text, f"--threshold={LIMITS[name]}")
    return done.stdout.strip().split("\n")[-1] if done.returncode != 0 else None


def open_directives(name, text):
    """What systemd-analyze names as open: "PrivateNetwork=", or what follows the ~, as "AF_UNIX"."""
    found = []
    for item in json.loads(analyze(name, text, "--json=short").stdout):
        if item["set"] is False and float(item["exposure"] or 0) > 0:
            directive, _, detail = item["name"].partition("=~")
            found.append(detail or re.match(r"\w+=", directive).group())
    return found


def unexplained(name, text):
    comments = "\n".join(line for line in text.split("\n") if line.startswith("#"))
    return [item for item in open_directives(name, text) if item not in comments]


class SandboxTest(unittest.TestCase):
    def test_exposure_is_below_the_limit(self):
        for name in LIMITS:
            self.assertIsNone(too_open(name, unit(name)), name)

    def test_what_is_open_says_why(self):
        for name in LIMITS:
            self.assertEqual(unexplained(name, unit(name)), [], name)

    def test_the_manual_tells_the_figures(self):
        text = docs.Page("lfad.8", docs.read("man/lfad.8.rst")).texts["SECURITY"]
        for name, limit in LIMITS.items():
            self.assertRegex(text, rf"{re.escape(name)}\D*{limit / 10}")


class SelfTest(unittest.TestCase):
    """A planted fault is found."""

    def test_a_unit_that_is_opened(self):
        for name in LIMITS:
            text = unit(name).replace("ProtectSystem=strict", "").replace("NoNewPrivileges=yes", "")
            self.assertIsNotNone(too_open(name, text), name)

    def test_an_opening_without_a_comment(self):
        text = unit("lfad.service").replace("ProtectHostname=yes", "").replace("# PrivateNetwork=:", "#")
        self.assertEqual(sorted(unexplained("lfad.service", text)), ["PrivateNetwork=", "ProtectHostname="])


unittest.main(verbosity=1)
