# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the documentation tests share: the manual pages as a tree, the facts of the source, and comparing both.

A page documents a kind of thing (the options of a method, the errors, ...) in definition lists below one heading. Each
term has the name in double backquotes; what follows between asterisks (its detail) is compared, too, where there is a
fact for it.
A table of facts says for each heading what exists; compare() finds what only one side has.
"""

import functools
import os
import re
import subprocess
import tempfile
from typing import NamedTuple

import docutils.core
import docutils.nodes

SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_DIR = os.path.realpath(os.environ.get("LFAD_BUILD_DIR", os.path.join(SOURCE_DIR, "build")))
PAGES = ("lfad.8", "lfactl.1", "lfa-sim.1", "lfad.conf.5", "lfad-drivers.7", "lfad-operations.7",
         "lfad-integration.7", "org.arm.LFA1.5")
GUIDES = {"lfad-operations.7", "lfad-integration.7"}
PROGRAMS = {"lfad": "src/lfad", "lfactl": "src/ctl/lfactl", "lfa-sim": "src/sim/lfa-sim"}


class Entry(NamedTuple):
    """A term of a definition list: its names, its detail ("" without one), and its definition as plain text."""

    names: tuple
    detail: str
    text: str


class Page:
    """sections: heading -> entries of the definition lists right below it, in order. texts: heading -> all its text
    without that of its subsections. literals: (line, text) of all that stands in double backquotes. examples: name ->
    (language, text)."""

    def __init__(self, name, source):
        self.name = name
        self.tree = docutils.core.publish_doctree(
            source, source_path=os.path.join(SOURCE_DIR, "man", name + ".rst"), settings_overrides={"syntax_highlight": "none", "report_level": 5})
        self.sections = {}
        self.texts = {}
        self.literals = [(node.parent.line or 0, node.astext()) for node in self._all(docutils.nodes.literal)]
        self.examples = {}
        for section in self._all(docutils.nodes.section):
            self._read_section(section)
        for block in self._all(docutils.nodes.literal_block):
            if block["names"]:
                language = next(name for name in block["classes"] if name != "code")
                self.examples[block["names"][0]] = (language, block.astext() + "\n")

    def _all(self, kind):
        return list(self.tree.findall(kind))

    def _read_section(self, section):
        heading = section.next_node(docutils.nodes.title).astext()
        own = [child for child in section.children[1:] if not isinstance(child, docutils.nodes.section)]
        self.texts[heading] = "\n".join(child.astext() for child in own)
        entries = []
        for child in own:
            if isinstance(child, docutils.nodes.definition_list):
                entries += [self._read_entry(item) for item in child.children]
        if entries:
            self.sections[heading] = entries

    @staticmethod
    def _read_entry(item):
        term = item.next_node(docutils.nodes.term)
        literals = [node.astext() for node in term.children if isinstance(node, docutils.nodes.literal)]
        if len(literals) > 1 and "," not in term.astext():
            literals = [term.astext()]  # one name with a placeholder in the middle
        last = term.children[-1]
        apart = isinstance(last, docutils.nodes.emphasis) and term.astext().removesuffix(last.astext()).endswith(" ")
        detail = last.astext() if apart else ""
        definition = item.next_node(docutils.nodes.definition)
        return Entry(tuple(literals), detail, " ".join(definition.astext().split()))

    def entries(self, heading):
        return self.sections.get(heading, [])


def read(*path):
    with open(os.path.join(SOURCE_DIR, *path), encoding="utf-8") as file:
        return file.read()


@functools.lru_cache(maxsize=None)
def page(name):
    return Page(name, read("man", name + ".rst"))


def compare(entries, facts, ordered=False):
    """Yields one line for each difference between a list of Entry and facts: name -> detail, or None where the detail
    does not matter. ordered: the order must be the same, too."""
    documented = {}
    for entry in entries:
        if not entry.names:
            yield f"a term without a name in double backquotes: {entry.text[:40]!r}"
        if not entry.text:
            yield f"{entry.names}: nothing is said about it"
        for name in entry.names:
            if name in documented and documented[name] == entry.detail:
                yield f"{name}: documented twice"
            documented[name] = entry.detail
    for name, detail in facts.items():
        if name not in documented:
            yield f"{name}: exists and is not documented"
        elif detail is not None and detail != documented[name]:
            yield f"{name}: documented as {documented[name]!r}, is {detail!r}"
    for name in documented:
        if name not in facts:
            yield f"{name}: documented and does not exist"
    if ordered and [name for name in documented if name in facts] != list(facts):
        yield f"the order is {list(facts)}"


def run_program(name, *args):
    """What a program of the build folder prints."""
    done = subprocess.run([os.path.join(BUILD_DIR, PROGRAMS[name]), *args], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, check=True, timeout=30)
    return done.stdout


def systemd_says(units):
    """What systemd has to say against these units, {name: text}. The programs count as installed."""
    with tempfile.TemporaryDirectory() as place:
        for name, text in units.items():
            with open(os.path.join(place, name), "w", encoding="utf-8") as file:
                file.write(re.sub(r"^(Exec\w+=)(/usr/\S*lf\S+)", r"\1/bin/true", text, flags=re.MULTILINE))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(os.path.join(place, name) for name in units)],
                              text=True, capture_output=True, check=False, timeout=60)
        return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


def source_files(folder, suffix=".c"):
    base = os.path.join(SOURCE_DIR, folder)
    return sorted(os.path.join(folder, name) for name in os.listdir(base) if name.endswith(suffix))


def all_source(folder):
    return "".join(read(path) for path in source_files(folder))


def plants(case, entries, facts, ordered=False):
    """The self-check of a comparison: whatever is taken away, added or changed on one side is found."""
    before = set(compare(entries, facts, ordered))

    def found(planted, what):
        case.assertTrue(set(compare(entries, planted, ordered)) - before, what)

    name = next(name for name in facts if any(name in entry.names for entry in entries))
    found({key: facts[key] for key in facts if key != name}, "one fact less")
    found({**facts, "planted": None}, "one fact more")
    if facts[name] is not None:
        found({**facts, name: "planted"}, "another detail")
    if ordered and len(facts) > 1:
        found(dict(reversed(facts.items())), "another order")
