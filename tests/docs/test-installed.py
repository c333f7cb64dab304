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
    "/usr/share/dbus-1/interfaces/org.arm.LFA1.xml",
    "/usr/share/dbus-1/system-services/org.arm.LFA1.service",
    "/usr/share/dbus-1/system.d/org.arm.LFA1.conf",
    "/usr/share/doc/lfad/examples/50-lfad-example.rules",
    "/usr/share/man/man1/lfa-sim.1",
    "/usr/share/man/man1/lfactl.1",
    "/usr/share/man/man5/lfad.conf.5",
    "/usr/share/man/man5/org.arm.LFA1.5",
    "/usr/share/man/man7/lfad-drivers.7",
    "/usr/share/man/man8/lfad.8",
    "/usr/share/polkit-1/actions/org.arm.LFA1.policy",
    "/usr/lib/systemd/system/lfad-activate.service",
    "/usr/lib/systemd/system/lfad-activate.timer",
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
    """(subsystem, pattern of names) of each rule that wants lfad."""
    found = set()
    for tokens in rules(text):
        parts = {(key, operator): value for key, operator, value in tokens}
        if ("TAG", "+=") in parts and parts.get(("ENV{SYSTEMD_WANTS}", "+=")) == "lfad.service":
            found.add((parts["SUBSYSTEM", "=="], parts["KERNEL", "=="]))
    return found


def source_devices():
    table = re.search(r"\} devices\[\] = \{(.*?)\n};", docs.read("src/kernel/uevents.c"), re.DOTALL).group(1)
    return {(subsystem, pattern) for subsystem, pattern in re.findall(r'\{ "(\w+)", "\w+", "([^"]+)" \}', table)}


def udevd_says(text, device):
    """What udevd makes of a device with this rules file, errors included."""
    script = ("mount -t tmpfs tmpfs /run && mkdir -p /run/udev/rules.d && cat >/run/udev/rules.d/60-lfad.rules && "
              "exec udevadm test --action=add " + device)
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", script], input=text, text=True,
                          capture_output=True, check=False, timeout=60)
    return done.stdout + done.stderr


def complaints(text):
    return [line for line in text.split("\n") if "60-lfad.rules:" in line]


def modules(text):
    """What systemd-modules-load would load."""
    return [line.strip() for line in text.split("\n") if line.strip() and line.strip()[0] not in "#;"]


def systemd_says(units):
    """What systemd has to say against these units, {name: text}. The programs count as installed."""
    with tempfile.TemporaryDirectory() as place:
        for name, text in units.items():
            with open(os.path.join(place, name), "w", encoding="utf-8") as file:
                file.write(re.sub(r"^(Exec\w+=)(/usr/\S*lf\S+)", r"\1/bin/true", text, flags=re.MULTILINE))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(os.path.join(place, name) for name in units)],
                              text=True, capture_output=True, check=False, timeout=60)
        return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


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
        self.assertEqual(systemd_says({name: self.text(UNITS + name) for name in self.units()}), "")

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

    def test_a_planted_fault_in_a_unit_is_found(self):
        timer = self.text(UNITS + "lfad-activate.timer")
        for good, bad in (("Persistent=no", "Persistant=no"), ("OnCalendar=*-*-* 03:00", "OnCalendar=*-*-* 33:00"),
                          ("RandomizedDelaySec=1h", "RandomizedDelaySec=1 while")):
            self.assertIn(good, timer)
            self.assertNotEqual(systemd_says({"lfad-activate.timer": timer.replace(good, bad)}), "", bad)

    def test_paths_in_the_pages_are_installed(self):
        """Those in /usr that are ours."""
        for page in docs.PAGES:
            source = docs.read("man", page + ".rst")
            for path in re.findall(r"(?<![\w.])/usr/[\w./-]*lfa[\w./-]*\w", source, re.IGNORECASE):
                if path.startswith("/usr/lib/lfad/"):  # for a distribution's own
                    continue
                self.assertIn(path, INSTALLED, page)

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


class SelfTest(unittest.TestCase):
    """A planted fault is found."""

    def test_by_the_reader_of_rules(self):
        for bad in ('SUBSYSTEM="', 'subsystem=="x"', 'SUBSYSTEM=="x" KERNEL=="y"', "words"):
            with self.assertRaises(ValueError):
                rules(bad)

    def test_by_the_comparison_of_devices(self):
        for good, bad in (("arm_smccc", "arm_smc"), ("arm-lfa", "arm-lfb"), ("lfad.service", "other.service")):
            self.assertNotEqual(matched_devices(docs.read(RULES).replace(good, bad)), source_devices())

    def test_by_udevd(self):
        said = udevd_says(docs.read(RULES) + 'PLANTED=="x"\n', UdevRuleTest.DEVICE)
        self.assertTrue(complaints(said), said)


if os.geteuid() != 0:
    sys.exit("only root can make a mount namespace; run it as root")
unittest.main(verbosity=1)
