#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The message catalog has each event of lfa/message-ids.h, journalctl takes it as it is, and what it names exists: fields,
verbs, manual pages, error-free commands."""

import os
import re
import subprocess
import tempfile
import unittest

import docs
import facts

CATALOG = "systemd/lfad.catalog"
HEADERS = ("Subject", "Defined-By", "Documentation")
PAGES = {f"{name.rpartition('.')[0]}({name.rpartition('.')[2]})" for name in docs.PAGES} | {"polkit(8)"}
WIDTH = 79  # of a line, after which journalctl would have to break it


def entries(text):
    """[(id, {header: value}, body)]; ValueError for what is none."""
    parts = re.split(r"^-- (.*)\n", text, flags=re.MULTILINE)
    if [line for line in parts[0].split("\n") if line and not line.startswith("#")]:
        raise ValueError("text before the first entry")
    found = []
    for message_id, rest in zip(parts[1::2], parts[2::2]):
        head, _, body = rest.partition("\n\n")
        headers = dict(line.split(": ", 1) for line in head.split("\n"))
        found.append((message_id, headers, body.strip("\n")))
    return found


def complaints(text):
    """Yields what is wrong with a catalog."""
    ids = [detail.split(", ")[1] for detail in facts.messages().values()]
    found = entries(text)
    if [entry[0] for entry in found] != ids:
        yield f"the ids are not those of the table, in its order: {set(ids) ^ {entry[0] for entry in found}}"
    verbs = {verb.split()[0] for verb in facts.lfactl_verbs()}
    for message_id, headers, body in found:
        if tuple(headers) != HEADERS or headers["Defined-By"] != "lfad" or not body:
            yield f"{message_id}: not all of it: {headers}"
            continue
        if headers["Documentation"].removeprefix("man:") not in PAGES:
            yield f"{message_id}: there is no {headers['Documentation']}"
        everything = headers["Subject"] + "\n" + body
        for name in re.findall(r"@(\w+)@", everything):
            if name not in facts.message_fields():
                yield f"{message_id}: there is no field {name}"
        for verb in re.findall(r"'lfactl\s+([a-z-]+)", everything):
            if verb not in verbs:
                yield f"{message_id}: there is no verb {verb}"
        for page in re.findall(r"[\w.-]+\(\d\)", everything):
            if page not in PAGES:
                yield f"{message_id}: there is no {page}"
        for line in body.split("\n"):
            if len(line) > WIDTH:
                yield f"{message_id}: too long: {line}"


def options_of_verbs(text):
    """(verb, option) of each command line between quotes."""
    for command in re.findall(r"'lfactl\s([^']*)'", text):
        words = command.split()
        yield from ((words[0], word.split("=")[0]) for word in words[1:] if word.startswith("--"))


def journalctl(text, *args):
    """What journalctl says with this catalog alone, made into a database first."""
    with tempfile.TemporaryDirectory() as root:
        for folder in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
            os.makedirs(os.path.join(root, folder))
        with open(os.path.join(root, "usr/lib/systemd/catalog/lfad.catalog"), "w", encoding="utf-8") as file:
            file.write(text)
        said = []
        for arguments in (["--update-catalog"], list(args)):
            done = subprocess.run(["journalctl", "--root=" + root, *arguments], stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True, check=False, timeout=60)
            if done.returncode != 0 or done.stderr:
                raise ValueError(f"{done.returncode}: {done.stderr}")
            said.append(done.stdout)
        return said[-1]


class CatalogTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.text = docs.read(CATALOG)

    def test_it_has_each_event_and_names_what_exists(self):
        self.assertEqual(list(complaints(self.text)), [])

    def test_what_went_wrong_leads_to_the_guide(self):
        ids = {name: detail.split(", ")[1] for name, detail in facts.messages().items()}
        documentation = {message_id: headers["Documentation"] for message_id, headers, _ in entries(self.text)}
        for name in ("job-failed", "job-unknown", "self-hold", "quarantine-set"):
            self.assertEqual(documentation[ids[name]], "man:lfad-operations(7)", name)

    def test_options_of_its_commands_exist(self):
        known = facts.lfactl_verb_options()
        common = {option.split("=")[0] for option in facts.lfactl_common_options()}
        found = set(options_of_verbs(self.text))
        self.assertIn(("history", "--job"), found)
        for verb, option in found:
            self.assertIn(option, {name.split("=")[0] for name in known.get(verb, {})} | common, verb)

    def test_journalctl_lists_and_dumps_it(self):
        expected = {message_id: headers["Subject"] for message_id, headers, _ in entries(self.text)}
        listed = dict(line.split(" lfad: ", 1) for line in journalctl(self.text, "--list-catalog").splitlines())
        self.assertEqual(listed, expected)
        dumped = entries(journalctl(self.text, "--dump-catalog"))
        self.assertEqual(sorted(dumped), sorted(entries(self.text)))

    def test_commands_of_the_manual(self):
        """What journalctl would not understand is an error; there is no journal to be found here."""
        text = docs.page("lfad.8").examples["journal-look"][1]
        ids = [detail.split(", ")[1] for name, detail in facts.messages().items() if name in ("job-failed", "job-unknown")]
        self.assertEqual(re.findall(r"MESSAGE_ID=(\w+)", text), ids)
        for name in re.findall(r"\b(LFA_\w+)=", text):
            self.assertIn(name, facts.message_fields())
        with tempfile.TemporaryDirectory() as empty:
            for command in (text, text.replace("--since", "--sinse")):
                script = "journalctl() { command journalctl --no-pager --directory=" + empty + ' "$@"; }\n' + command
                done = subprocess.run(["sh", "-euc", script], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                      check=False, timeout=60)
                self.assertEqual(done.returncode == 0, command == text, done.stderr)


class SelfTest(unittest.TestCase):
    """A planted fault is found."""

    def test_in_the_catalog(self):
        text = docs.read(CATALOG)
        first, second = entries(text)[:2]
        for good, bad in ((f"-- {first[0]}", f"-- {'0' * 32}"), (text[text.index(f"-- {second[0]}"):], ""),
                          ("@LFA_JOB@", "@LFA_JOBS@"), ("'lfactl explain", "'lfactl explane"),
                          ("Defined-By: lfad\n", "Defined-By: systemd\n"), ("man:lfad(8)", "man:lfad(9)"),
                          ("lfad.conf(5)", "lfa.conf(5)"), (f"Subject: {first[1]['Subject']}\n", ""),
                          (first[2].split("\n")[0], "x" * 80)):
            self.assertIn(good, text)
            with self.subTest(planted=bad):
                self.assertNotEqual(list(complaints(text.replace(good, bad, 1))), [])

    def test_by_journalctl(self):
        first = entries(docs.read(CATALOG))[0][0]
        with self.assertRaises(ValueError):
            journalctl(docs.read(CATALOG).replace(f"-- {first}", "x\n-- 1234", 1), "--list-catalog")

    def test_in_options(self):
        self.assertEqual(set(options_of_verbs("'lfactl hold --until=@X@\n--nothing' and --none")),
                         {("hold", "--until"), ("hold", "--nothing")})


unittest.main(verbosity=1)
