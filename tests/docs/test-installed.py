#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`meson install` puts everything where a package expects it, the manual pages name those places, and the udev rule and
the module hint do what they say."""

import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import unittest

import docs

INSTALLED = {
    "/etc/lfad/lfad.conf",
    "/usr/bin/lfa-sim",
    "/usr/bin/lfactl",
    "/usr/lib/modules-load.d/lfad.conf",
    "/usr/libexec/lfad",
    "/usr/libexec/lfad-worker",
    "/usr/share/bash-completion/completions/lfactl",
    "/usr/share/zsh/site-functions/_lfactl",
    "/usr/share/dbus-1/interfaces/org.arm.LFA1.xml",
    "/usr/share/dbus-1/system-services/org.arm.LFA1.service",
    "/usr/share/dbus-1/system.d/org.arm.LFA1.conf",
    "/usr/share/doc/lfad/examples/50-lfad-example.rules",
    "/usr/share/doc/lfad/examples/activate.yml",
    "/usr/share/doc/lfad/examples/lfa-agent.c",
    "/usr/share/doc/lfad/examples/lfa-agent.py",
    "/usr/share/doc/lfad/examples/lfa-agent.sh",
    "/usr/share/doc/lfad/examples/quiesce.py",
    "/usr/share/doc/lfad/examples/site-firmware.service",
    "/usr/share/doc/lfad/examples/site-firmware.timer",
    "/usr/share/doc/lfad/examples/lfad-alerts.yml",
    "/usr/share/man/man1/lfa-sim.1",
    "/usr/share/man/man1/lfactl.1",
    "/usr/share/man/man5/lfad.conf.5",
    "/usr/share/man/man5/org.arm.LFA1.5",
    "/usr/share/man/man7/lfad-drivers.7",
    "/usr/share/man/man7/lfad-integration.7",
    "/usr/share/man/man7/lfad-operations.7",
    "/usr/share/man/man8/lfad.8",
    "/usr/share/polkit-1/actions/org.arm.LFA1.policy",
    "/usr/lib/systemd/catalog/lfad.catalog",
    "/usr/lib/systemd/system/lfad-activate.service",
    "/usr/lib/systemd/system/lfad-activate.timer",
    "/usr/lib/systemd/system/lfad-metrics.service",
    "/usr/lib/systemd/system/lfad-metrics.timer",
    "/usr/lib/systemd/system/lfad.service",
    "/usr/lib/udev/rules.d/60-lfad.rules",
}
UNITS = "/usr/lib/systemd/system/"
RULES = "systemd/60-lfad.rules"


def merged(path):
    """/lib is a link to /usr/lib on Debian 12."""
    return re.sub(r"^/lib/", "/usr/lib/", path)


def install(folder):
    subprocess.run(["meson", "install", "-C", docs.BUILD_DIR, "--no-rebuild", "--quiet", f"--destdir={folder}"],
                   check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def installed_files(folder):
    return {merged("/" + os.path.relpath(os.path.join(parent, name), folder)): os.path.join(parent, name)
            for parent, _, names in os.walk(folder) for name in names}


def rules(text):
    """The rules of a udev rules file: [[(key, operator, value), ...], ...]; ValueError for a line that is none."""
    found = []
    token = re.compile(r'\s*([A-Z]+(?:\{[\w$/.-]+\})?)(==|!=|\+=|-=|:=|=)"((?:[^"\\]|\\.)*)"\s*(,|$)')
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        tokens, rest = [], line
        while rest:
            match = token.match(rest)
            if not match:
                raise ValueError(f"line {number}: {rest!r}")
            tokens.append(match.groups()[:3])
            rest = rest[match.end():]
        found.append(tokens)
    return found


def matched_devices(text):
    """(subsystem, pattern of names) of each rule for a device that may want lfad."""
    found = set()
    for tokens in rules(text):
        parts = {(key, operator): value for key, operator, value in tokens}
        if parts.get(("GOTO", "=")) == "lfad_device":
            found.add((parts["SUBSYSTEM", "=="], parts["KERNEL", "=="]))
    return found


def source_devices():
    table = re.search(r"\} devices\[\] = \{(.*?)\n};", docs.read("src/kernel/uevents.c"), re.DOTALL).group(1)
    return {(subsystem, pattern) for subsystem, pattern in re.findall(r'\{ "(\w+)", "\w+", "([^"]+)" \}', table)}


def udevd_says(text, device, action="add"):
    """What udevd makes of an event of a device with this rules file, errors included."""
    script = ("mount -t tmpfs tmpfs /run && mkdir -p /run/udev/rules.d && cat >/run/udev/rules.d/60-lfad.rules && "
              f"exec udevadm test --action={action} {device}")
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script], input=text, text=True,
                          capture_output=True, check=False, timeout=60)
    return done.stdout + done.stderr


def complaints(text):
    return [line for line in text.split("\n") if "60-lfad.rules:" in line]


def modules(text):
    """What systemd-modules-load would load."""
    return [line.strip() for line in text.split("\n") if line.strip() and line.strip()[0] not in "#;"]


class InstallTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        install(place.name)
        self.files = installed_files(place.name)

    def text(self, path):
        with open(self.files[path], encoding="utf-8") as file:
            return file.read()

    def test_everything_is_installed_and_nothing_else(self):
        self.assertEqual(set(self.files), INSTALLED)

    def test_units_name_installed_programs(self):
        for path in ("/usr/lib/systemd/system/lfad.service", "/usr/share/dbus-1/system-services/org.arm.LFA1.service"):
            programs = re.findall(r"^(?:ExecStart|Exec)=(/\S+)", self.text(path), re.MULTILINE)
            self.assertEqual(programs, ["/usr/libexec/lfad"])

    def test_systemd_understands_the_units(self):
        self.assertEqual(docs.systemd_says({name: self.text(UNITS + name) for name in self.units()}), "")

    def units(self):
        return [os.path.basename(path) for path in INSTALLED if path.startswith(UNITS)]

    def test_the_timer_runs_what_the_manual_says_and_a_deferral_is_no_failure(self):
        service = self.text(UNITS + "lfad-activate.service")
        self.assertEqual(re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE),
                         ["/usr/bin/lfactl activate --pending --unattended"])
        self.assertEqual(re.findall(r"^SuccessExitStatus=(.*)$", service, re.MULTILINE), ["3"])
        self.assertNotIn("[Install]", service)
        self.assertEqual(re.findall(r"^WantedBy=(.*)$", self.text(UNITS + "lfad-activate.timer"), re.MULTILINE),
                         ["timers.target"])

    def test_metrics_are_written_where_node_exporter_looks_and_start_nothing(self):
        service = self.text(UNITS + "lfad-metrics.service")
        folder = "/var/lib/prometheus/node-exporter"
        self.assertEqual(re.findall(r"^(ExecStart|ConditionPathIsDirectory|ReadWritePaths|Wants|Requires)=(.*)$", service,
                                    re.MULTILINE),
                         [("ConditionPathIsDirectory", folder),
                          ("ExecStart", f"/usr/bin/lfactl metrics --output={folder}/lfad.prom"),
                          ("ReadWritePaths", "-" + folder)])
        self.assertNotIn("[Install]", service)
        self.assertEqual(re.findall(r"^WantedBy=(.*)$", self.text(UNITS + "lfad-metrics.timer"), re.MULTILINE),
                         ["timers.target"])

    def test_services_that_call_lfactl_may_do_little_else(self):
        for name, most in (("lfad-activate.service", 25), ("lfad-metrics.service", 20)):
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={most}",
                                   self.files[UNITS + name]], text=True, capture_output=True, check=False, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_planted_fault_in_a_unit_is_found(self):
        timer = self.text(UNITS + "lfad-activate.timer")
        for good, bad in (("Persistent=no", "Persistant=no"), ("OnCalendar=*-*-* 03:00", "OnCalendar=*-*-* 33:00"),
                          ("RandomizedDelaySec=1h", "RandomizedDelaySec=1 while")):
            self.assertIn(good, timer)
            self.assertNotEqual(docs.systemd_says({"lfad-activate.timer": timer.replace(good, bad)}), "", bad)

    def test_paths_in_the_pages_are_installed(self):
        """Those in /usr that are ours."""
        for page in docs.PAGES:
            source = docs.read("man", page + ".rst")
            for path in re.findall(r"(?<![\w.])/usr/[\w./-]*lfa[\w./-]*\w", source, re.IGNORECASE):
                if path.startswith("/usr/lib/lfad/"):  # for a distribution's own
                    continue
                self.assertIn(path, INSTALLED | {os.path.dirname(name) for name in INSTALLED}, page)

    def test_the_module_hint_loads_nothing_by_itself(self):
        text = self.text("/usr/lib/modules-load.d/lfad.conf")
        self.assertEqual(modules(text), [])
        self.assertEqual(modules(text.replace("\n#lfa_fw\n", "\nlfa_fw\n")), ["lfa_fw"])

    def test_the_interface_is_the_one_of_the_source(self):
        self.assertEqual(self.text("/usr/share/dbus-1/interfaces/org.arm.LFA1.xml"), docs.read("dbus/org.arm.LFA1.xml"))


class UdevRuleTest(unittest.TestCase):
    DEVICE = "/sys/devices/virtual/mem/null"

    def for_null(self):
        """The rule of each device, made for /dev/null."""
        text = docs.read(RULES)
        for subsystem, name in matched_devices(text):
            yield text.replace(f'SUBSYSTEM=="{subsystem}", KERNEL=="{name}"', 'SUBSYSTEM=="mem", KERNEL=="null"')

    def test_it_has_the_devices_that_lfad_listens_to(self):
        self.assertEqual(matched_devices(docs.read(RULES)), source_devices())

    def test_names_of_devices_match(self):
        patterns = dict(matched_devices(docs.read(RULES)))
        for subsystem, name in (("arm_smccc", "arm-smccc-lfa-0"), ("arm_smccc", "arm-smccc-lfa-12"),
                                ("arm_smccc", "arm-smccc-lfa"), ("faux", "arm-lfa"), ("platform", "ARML0003:00")):
            self.assertTrue(fnmatch.fnmatchcase(name, patterns[subsystem]), name)

    def test_udevd_understands_it(self):
        self.assertEqual(complaints(udevd_says(docs.read(RULES), self.DEVICE)), [])

    def test_udevd_wants_lfad_for_the_device_and_no_other(self):
        self.assertNotIn("lfad.service", udevd_says(docs.read(RULES), self.DEVICE))
        for text in self.for_null():
            said = udevd_says(text, self.DEVICE)
            self.assertRegex(said, r"(?m)^SYSTEMD_WANTS=lfad\.service$")
            self.assertRegex(said, r"(?m)^TAGS=.*:systemd:")

    def test_only_a_device_that_comes_wants_lfad(self):
        """Else what somebody has stopped is started again by the next activation (tests/vm shows it)."""
        for text in self.for_null():
            for action, wanted in (("add", True), ("bind", True), ("change", False), ("unbind", False)):
                said = udevd_says(text, self.DEVICE, action)
                self.assertEqual("lfad.service" in said, wanted, action)
                self.assertRegex(said, r"(?m)^TAGS=.*:systemd:")


class SelfTest(unittest.TestCase):
    """A planted fault is found."""

    def test_by_the_reader_of_rules(self):
        for bad in ('SUBSYSTEM="', 'subsystem=="x"', 'SUBSYSTEM=="x" KERNEL=="y"', "words"):
            with self.assertRaises(ValueError):
                rules(bad)

    def test_by_the_comparison_of_devices(self):
        for good, bad in (("arm_smccc", "arm_smc"), ("arm-lfa", "arm-lfb"), ('"lfad_device"', '"lfad_end"')):
            self.assertNotEqual(matched_devices(docs.read(RULES).replace(good, bad)), source_devices())

    def test_by_udevd(self):
        said = udevd_says(docs.read(RULES) + 'PLANTED=="x"\n', UdevRuleTest.DEVICE)
        self.assertTrue(complaints(said), said)


if os.geteuid() != 0:
    sys.exit("only root can make a mount namespace; run it as root")
unittest.main(verbosity=1)
