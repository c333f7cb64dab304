#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""All that exists is in its manual page, and nothing is in there that does not exist."""

import re
import unittest

import docs
import facts

API, DAEMON, CLIENT, SIM, CONFIG, DRIVERS, OPERATIONS = (
    "org.arm.LFA1.5", "lfad.8", "lfactl.1", "lfa-sim.1", "lfad.conf.5", "lfad-drivers.7", "lfad-operations.7")

# (page, heading, what exists, whether the order counts)
FACTS = [
    (API, "IMAGES AND THEIR NAMES", facts.known_images, False),
    (API, "Actions", facts.polkit_actions, False),
    (API, "Details", facts.polkit_details, True),
    *[(API, f"{name} methods", lambda name=name: facts.methods(name), True) for name in ("Manager", "Image", "Job")],
    (API, "Manager signals", lambda: facts.signals("Manager"), True),
    (API, "Keys of Statistics", facts.statistics_keys, True),
    *[(API, f"Options of {name}", lambda name=name: facts.options(name), True) for name in facts.OPTION_FILES],
    (API, "PLAN", facts.plan_keys, True),
    (API, "Types of events", lambda: facts.string_table("src/core/plan.c", "plan_event_type_names"), True),
    (API, "Remarks of a plan", facts.plan_remarks, True),
    (API, "INHIBITORS", facts.inhibitor_keys, True),
    (API, "Modes of inhibitors", lambda: facts.enumeration("inhibit_modes"), True),
    (API, "Members of an inhibitor", lambda: facts.describe("inhibitor"), True),
    (API, "WATCHDOGS", facts.watchdog_keys, True),
    (API, "Kinds of watchdogs", lambda: facts.string_table("src/bus/watchdogs.c", "kinds"), True),
    (API, "Detectors of the kernel", lambda: facts.string_table("src/core/lockup.c", "names"), True),
    (API, "Verdicts of watchdogs", lambda: facts.string_table("src/core/watchdog.c", "verdicts"), True),
    (API, "Remedies of watchdogs", lambda: facts.string_table("src/core/watchdog.c", "remedies"), True),
    (API, "Owners of watchdogs", lambda: facts.string_table("src/core/watchdog.c", "owners"), True),
    (API, "GATES", facts.gates, True),
    (API, "FIRMWARE'S CODES", lambda: {name: row[0] for name, row in facts.firmware_catalogue().items()}, True),
    (API, "RESULTS", lambda: facts.enumeration("job_results"), True),
    (API, "Driver states", lambda: facts.enumeration("driver_states"), True),
    (API, "Driver profiles", facts.profiles, True),
    (API, "Uevent monitor states", lambda: facts.string_table("src/kernel/uevents.c", "states"), True),
    (API, "Image states", lambda: facts.enumeration("image_states"), True),
    (API, "Job states", lambda: facts.enumeration("job_states"), True),
    (API, "Record types", facts.record_types, True),
    (API, "Warning codes", facts.warning_codes, True),
    (API, "Keys of records", facts.record_keys, False),
    (API, "Members of the document", lambda: facts.describe("all"), True),
    (API, "Members of an image", lambda: facts.describe("image"), True),
    (API, "Members of a job", lambda: facts.describe("job"), True),
    (API, "Errors of lfad", facts.errors, True),
    (API, "Errors of D-Bus", facts.bus_errors, False),
    (DAEMON, "OPTIONS", facts.lfad_options, False),
    (DAEMON, "RESULTS", lambda: facts.enumeration("job_results"), True),
    (DAEMON, "Events", facts.messages, True),
    (DAEMON, "Fields", facts.message_fields, True),
    (DAEMON, "SIGNALS", facts.handled_signals, False),
    (DAEMON, "ENVIRONMENT", lambda: facts.environment("lfad", ["src/lfad.c", "src/daemon", "src/bus", "src/util"]),
     False),
    (CLIENT, "VERBS", facts.lfactl_verbs, True),
    (CLIENT, "OPTIONS", facts.lfactl_common_options, False),
    (CLIENT, "EXIT STATUS", facts.lfactl_exit_codes, True),
    (CLIENT, "ENVIRONMENT", lambda: facts.environment("lfactl", ["src/ctl"]), False),
    (CLIENT, "METRICS", facts.lfactl_metrics, True),
    (CLIENT, "JSON", facts.lfactl_json_members, False),
    (SIM, "VERBS", facts.sim_verbs, True),
    (SIM, "OPTIONS", facts.sim_options, False),
    (SIM, "COMMANDS", facts.sim_commands, True),
    (SIM, "FIRMWARE'S CODES", facts.firmware_codes, True),
    (SIM, "DRIVER VERSIONS", lambda: facts.sim_profiles("Driver profiles"), True),
    (SIM, "FIRMWARE MODELS", lambda: facts.sim_profiles("Firmware models"), True),
    (SIM, "ENVIRONMENT", lambda: facts.environment("lfa-sim", ["src/sim"]), False),
    (DRIVERS, "HOW THEY ARE TOLD APART",
     lambda: dict.fromkeys(name for name in facts.enumeration("driver_profiles") if name != "unknown"), False),
    (OPERATIONS, "RESULTS", lambda: facts.enumeration("job_results"), True),
    (OPERATIONS, "GATES", facts.gates, True),
    (OPERATIONS, "ERRORS", lambda: dict.fromkeys(sorted(facts.errors())), True),
    (OPERATIONS, "Errors of the bus", lambda: dict.fromkeys(sorted(facts.bus_errors())), True),
    *[(CONFIG, heading, lambda name=name: facts.config_keys(name), True)
      for name, heading in facts.CONFIG_HEADINGS.items()],
]

# Definition lists that another test compares, or that explain rather than list.
ELSEWHERE = {
    API: {"OBJECTS", "Manager properties", "Image properties", "Job properties",  # test-introspection.py
          "Verdict of Explain", "Gates of Explain",  # test-answers.py
          "VERDICTS"},  # here, below
    DAEMON: {"EXIT STATUS", "FILES", "TROUBLESHOOTING",
             "WHAT A CRASH LEAVES"},  # tests/component/test-crash.py
    SIM: {"EXIT STATUS", "FILES"},
    CONFIG: {"FILES"},
    DRIVERS: {"TRAPS"},  # tests/component/test-traps.py
}


def entries(page, heading):
    found = docs.page(page).entries(heading)
    if page == SIM and heading == "OPTIONS":  # --control= means another thing for ctl
        found = [entry for i, entry in enumerate(found) if entry.names not in [other.names for other in found[:i]]]
    return found


def unchecked(page, known):
    """Headings with definition lists that no fact speaks about."""
    return set(page.sections) - known


def unknown_literals(page, names):
    for line, text in page.literals:
        bare = re.sub(r"[()]+$", "", text)
        if text.startswith("/") or bare in names or re.fullmatch(r"[a-z]{1,2}(\{\w+\})?", text):
            continue
        yield f"{page.name}:{line}: {text}"


class CoverageTest(unittest.TestCase):
    maxDiff = None

    def test_everything_is_documented_and_nothing_else(self):
        for page, heading, fact, ordered in FACTS:
            with self.subTest(page=page, heading=heading):
                self.assertEqual(list(docs.compare(entries(page, heading), fact(), ordered)), [])

    def test_options_of_verbs(self):
        found = facts.lfactl_verb_options()
        headings = {heading for heading in docs.page(CLIENT).sections if heading.startswith("Options of ")}
        self.assertEqual(headings, {"Options of " + verb for verb in found})
        for verb, options in found.items():
            self.assertEqual(list(docs.compare(docs.page(CLIENT).entries("Options of " + verb), options)), [])

    def test_the_completion_knows_every_type_of_record(self):
        words = re.search(r'"type", 0, "TYPE".*?\.words = (".*?") }', docs.read("src/ctl/option-rows.c"), re.DOTALL)
        self.assertEqual(re.findall(r"[a-z-]+", words.group(1)), list(facts.record_types()))

    def test_exit_codes_of_errors(self):
        texts = {entry.names[0]: entry.text for entry in docs.page(CLIENT).entries("EXIT STATUS")}
        documented = {name: code for code, text in texts.items()
                      for name in re.findall(r"(?<=[ ,])\w+(?=[,.])", " ".join(text.partition("Errors:")[2].split(" ")))}
        self.assertEqual(documented, facts.lfactl_codes_of_errors())

    def test_no_list_goes_unchecked(self):
        for name in docs.PAGES:
            known = {heading for page, heading, *_ in FACTS if page == name} | ELSEWHERE.get(name, set())
            known |= {"Options of " + verb for verb in facts.lfactl_verb_options()} if name == CLIENT else set()
            self.assertEqual(unchecked(docs.page(name), known), set(), name)

    def test_whatever_is_named_exists(self):
        names = facts.known_names()
        for name in docs.PAGES:
            self.assertEqual(list(unknown_literals(docs.page(name), names)), [])

    def test_types_of_properties(self):
        for name in ("Manager", "Image", "Job"):
            types = {entry.names[0]: entry.detail.split(",")[0]
                     for entry in docs.page(API).entries(f"{name} properties")}
            self.assertEqual(types, facts.properties(name))

    def test_sections_of_the_configuration(self):
        self.assertEqual(facts.config_headings(), {name for name in docs.page(CONFIG).sections if name.startswith("[")})

    def test_ranges_of_the_configuration(self):
        texts = {entry.names[0]: entry.text for entries in docs.page(CONFIG).sections.values() for entry in entries}
        for _, key, _, source in facts.config_rows():
            for phrase in re.findall(r"from \d+\w* to \d+\w*", source) + re.findall(r"1 to \d+ of", source):
                self.assertIn(phrase, texts[key + "="])

    def test_verdict_rows(self):
        self.assertEqual(facts.documented_verdict_rows(docs.page(API).entries("VERDICTS")), facts.verdict_rows())

    def test_firmwares_codes_mean_what_lfad_says(self):
        texts = {entry.names[0]: " ".join(entry.text.split()) for entry in docs.page(API).entries("FIRMWARE'S CODES")}
        self.assertEqual(texts, {name: row[1] for name, row in facts.firmware_catalogue().items()})

    def test_every_code_of_firmware_is_in_the_catalogue(self):
        self.assertLessEqual({"LFA_" + name for name in facts.firmware_codes()}, set(facts.firmware_catalogue()))

    def test_limits(self):
        self.assertEqual([int(number) for number in re.findall(r"\d+", docs.page(API).texts["LIMITS"])],
                         facts.limits())

    def test_the_order_of_exit_codes(self):
        self.assertIn(f"in the order {facts.lfactl_exit_order()}.", docs.page(CLIENT).texts["EXIT STATUS"])

    def test_events_of_monitor(self):
        text = docs.page(CLIENT).texts["JSON"]
        for event in facts.lfactl_events():
            self.assertIn(event, text)

    def test_names_of_images_are_as_lfad_has_them(self):
        source = docs.read("src/util/known-guids.c")
        for entry in docs.page(API).entries("IMAGES AND THEIR NAMES"):
            self.assertIn(f'"{entry.names[0]}", "{entry.text}"', source)


class SelfTest(unittest.TestCase):
    """A planted difference is found."""

    def test_in_every_list(self):
        for page, heading, fact, ordered in FACTS:
            with self.subTest(page=page, heading=heading):
                docs.plants(self, entries(page, heading), fact(), ordered)

    PAGE = """
====
page
====

LIST
====

``one`` *s*
    Text with ``three`` in it.

``two``, ``-t``
    More.

OTHER
=====

``four``
    It.

.. code-block:: sh
   :name: example

   true
"""

    def test_in_a_page(self):
        page = docs.Page("page", self.PAGE)
        self.assertEqual(page.entries("LIST"), [docs.Entry(("one",), "s", "Text with three in it."),
                                                docs.Entry(("two", "-t"), "", "More.")])
        self.assertEqual(page.examples, {"example": ("sh", "true\n")})
        self.assertEqual(unchecked(page, {"LIST"}), {"OTHER"})
        self.assertEqual(len(list(unknown_literals(page, {"one", "two", "-t", "four"}))), 1)

    def test_in_verdict_rows(self):
        entry = docs.Entry(("2",), "refused A, or failed B C", "text")
        self.assertEqual(facts.documented_verdict_rows([entry]),
                         {"2": {("refused", "A"), ("failed", "B"), ("failed", "C")}})

    def test_an_empty_source_is_an_error(self):
        with self.assertRaises(facts.FactError):
            facts.expect([], "something")


unittest.main(verbosity=1)
