#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages have in them what belongs there, and install, upgrade, go and come back cleanly.

They are installed in a layer above the host's root, in which no service manager runs: what starts when, and what an
upgrade does to an activation, is seen in the container suite."""

import contextlib
import glob
import os
import re
import stat
import subprocess
import tarfile
import tempfile
import unittest

import world

OUT = os.path.join(world.BUILD_DIR, "package")
BUILD = os.path.join(world.SOURCE_DIR, "tests/package/build.sh")
PACKAGES = ("lfad", "lfa-sim")
SIMULATOR = {"/usr/bin/lfa-sim", "/usr/share/man/man1/lfa-sim.1.gz"}
# What debhelper adds.
FORMALITIES = {"/usr/share/doc/{}/changelog.gz", "/usr/share/doc/{}/copyright"}
EXTRAS = {"/usr/share/doc/lfad/README.md.gz", "/usr/share/lintian/overrides/lfad"}
PROGRAMS = ("/usr/bin/", "/usr/libexec/")
SCRIPTS = re.compile(r"/usr/share/doc/lfad/examples/[\w-]+\.(py|sh)$")
WANTED = "/etc/systemd/system/multi-user.target.wants/lfad.service"
UNITS = "/lib/systemd/system/"
CONFIG = "/etc/lfad/lfad.conf"
METRICS = "/var/lib/prometheus/node-exporter/lfad.prom"
HALF_WRITTEN = "/var/lib/prometheus/node-exporter/.lfad.prom.0123456789abcdef"
# What changes on a host whatever package comes and goes.
ANYWAY = re.compile(r"/(dev|proc|run|tmp)/|/var/(lib/(dpkg|systemd/catalog)|cache/(man|debconf|ldconfig))/|"
                    r"/var/log/(dpkg|alternatives)\.log$|/etc/ld\.so\.cache$")


def run(*command, timeout=300, **options):
    """Its output; a failure of the command is one of the test, with all that it said."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=timeout, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def deb(package):
    (path,) = glob.glob(f"{OUT}/{package}_*.deb")
    return path


def members(package):
    """{path: tarfile.TarInfo} of all that is in it."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb(package)], stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            return {member.name.removeprefix("."): member for member in archive}


def files(package):
    return {path for path, member in members(package).items() if not member.isdir()}


def control(package, name):
    return run("dpkg-deb", "--info", deb(package), name)


def setUpModule():
    run("bash", BUILD, OUT, timeout=None)  # whoever runs this ends the compilers, too


class ContentsTest(unittest.TestCase):
    maxDiff = None

    def test_lintian_has_nothing_to_say(self):
        (changes,) = glob.glob(f"{OUT}/lfad_*.changes")
        self.assertEqual(run("lintian", "--allow-root", "--fail-on=error,warning", changes), "")

    def test_each_file_that_meson_installs_is_in_the_package_it_belongs_to(self):
        with tempfile.TemporaryDirectory() as place:
            run("meson", "install", "-C", world.BUILD_DIR, "--no-rebuild", f"--destdir={place}")
            installed = {"/" + os.path.relpath(os.path.join(parent, name), place)
                         for parent, _, names in os.walk(place) for name in names}
        installed = {path + ".gz" if path.startswith("/usr/share/man/") else path for path in installed}
        for package, wanted in (("lfa-sim", SIMULATOR), ("lfad", (installed - SIMULATOR) | EXTRAS)):
            formalities = {path.format(package) for path in FORMALITIES}
            self.assertEqual(files(package), {self.of_debian(path) for path in wanted} | formalities)

    @staticmethod
    def of_debian(path):
        """Debian has a folder of its own for what completes in zsh."""
        return path.replace("/zsh/site-functions/", "/zsh/vendor-completions/")

    def test_modes_are_plain_and_everything_is_roots(self):
        for package in PACKAGES:
            for path, member in members(package).items():
                runs = path.startswith(PROGRAMS) or SCRIPTS.match(path)
                mode = 0o755 if member.isdir() or runs else 0o644
                self.assertEqual((oct(member.mode), member.uid, member.gid), (oct(mode), 0, 0), path)

    def test_only_the_configuration_is_the_administrators(self):
        self.assertEqual(control("lfad", "conffiles").split(), [CONFIG])
        self.assertTrue(members("lfad")["/etc/lfad/lfad.conf.d"].isdir())

    def test_the_version_is_that_of_the_programs(self):
        said = run(world.LFACTL, "--version").split()[1]
        for package in PACKAGES:
            self.assertEqual(run("dpkg-deb", "--field", deb(package), "Version").strip(), said)

    def test_programs_are_hardened(self):
        with tempfile.TemporaryDirectory() as place:
            for package in PACKAGES:
                run("dpkg-deb", "--extract", deb(package), place)
            programs = [path for folder in PROGRAMS for path in glob.glob(place + folder + "*")]
            self.assertEqual(len(programs), 4)
            for program in programs:
                said = run("readelf", "--wide", "--dynamic", "--program-headers", "--dyn-syms", program)
                for wanted in (r"Flags: NOW PIE", "GNU_RELRO", "__stack_chk_fail", r"__\w+_chk@"):
                    self.assertRegex(said, wanted, program)

    def test_whatever_may_call_lfad_is_stopped_before_lfad_on_removal(self):
        ours, debhelpers = control("lfad", "prerm").split("# Automatically added by dh_installsystemd", 1)
        self.assertIn("stop 'lfad.service'", debhelpers)
        for unit in (path.removeprefix(UNITS) for path in files("lfad") if path.startswith(UNITS)):
            if unit != "lfad.service":
                self.assertRegex(ours, rf"\s{re.escape(unit)}\s")

    def test_an_upgrade_restarts_lfad_at_its_end_and_starts_no_timer(self):
        self.assertNotIn("stop 'lfad.service'", control("lfad", "prerm").replace('"$1" = remove', "").split("fi\n")[0])
        postinst = control("lfad", "postinst")
        self.assertRegex(postinst, r"_dh_action=restart\b")
        self.assertEqual(re.findall(r"systemd-invoke \$_dh_action (.*?) >", postinst), ["'lfad.service'"])
        self.assertNotRegex(postinst, r"systemd-invoke (re)?start ")


@contextlib.contextmanager
def layer():
    """(root, upper): a layer above the host's root file system, and the folder with all that changes in it. Gone after
    it, with what was mounted in it."""
    with tempfile.TemporaryDirectory(prefix="lfad-package-") as place:
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
        root, upper = place + "/root", place + "/upper"
        try:
            for folder in (root, upper, place + "/work"):
                os.mkdir(folder)
            run("mount", "-t", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={place}/work", "overlay", root)
            run("mount", "--bind", "/dev", root + "/dev")
            run("mount", "-t", "proc", "proc", root + "/proc")
            for folder in ("/run", "/tmp"):
                run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", root + folder)
            # man-db's own switch: else it goes over all of the host's pages each time that something is installed.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(root + "/var/lib/man-db/auto-update")
            yield root, upper
        finally:
            run("umount", "--recursive", place)


class LifeTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.root, self.upper = stack.enter_context(layer())
        for package in PACKAGES:
            run("cp", deb(package), f"{self.root}/tmp/{package}.deb")
        self.dpkg("--purge", *PACKAGES)  # of the host's own nothing is left in the layer
        os.makedirs(self.root + os.path.dirname(METRICS), exist_ok=True)
        self.before = self.changed()

    def chroot(self, *command):
        return run("chroot", self.root, *command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                                       "DEBIAN_FRONTEND": "noninteractive"})

    def dpkg(self, *arguments):
        return self.chroot("dpkg", "--force-unsafe-io", *arguments)

    def install(self, *packages):
        self.dpkg("--install", *(f"/tmp/{package}.deb" for package in packages or PACKAGES))

    def upgrade(self):
        """To a version that is the same but for its number and a comment in the configuration."""
        place = f"{self.root}/tmp/next"
        run("dpkg-deb", "--raw-extract", deb("lfad"), place)
        for path, change in (("/DEBIAN/control", lambda text: re.sub(r"(?m)^(Version: .*)$", r"\1+next", text)),
                             (CONFIG, lambda text: text + "# next\n")):
            with open(place + path, "r+", encoding="utf-8") as file:
                text = change(file.read())
                file.seek(0)
                file.write(text)
        run("dpkg-deb", "--build", "-Znone", place, f"{self.root}/tmp/next.deb")
        run("rm", "-r", place)
        self.dpkg("--force-confold", "--install", "/tmp/next.deb")

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "a", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        with open(self.root + path, encoding="utf-8") as file:
            return file.read()

    def there(self, path):
        return os.path.lexists(self.root + path)

    def status(self, package):
        return self.chroot("dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Version}", package).strip()

    def changed(self):
        """Every path at which the layer differs from the host, but for what changes anyway."""
        found = set()
        for parent, folders, names in os.walk(self.upper):
            found |= {os.path.join(parent, name)[len(self.upper):] for name in names}
            found |= {os.path.join(parent, name)[len(self.upper):] + "/" for name in folders
                      if not os.path.isdir("/" + os.path.relpath(os.path.join(parent, name), self.upper))}
        return {path for path in found if not ANYWAY.match(path)}

    def enabled(self, unit):
        folder = self.root + "/etc/systemd/system"
        return any(unit in names for parent, _, names in os.walk(folder) if parent.endswith(".wants"))

    def timers(self):
        return [path.removeprefix(UNITS) for path in files("lfad") if path.startswith(UNITS) and path.endswith(".timer")]

    def write_what_lfad_would(self):
        self.write("/var/lib/lfad/history.jsonl", "{}\n")
        self.write("/run/lfad/lock", "")
        self.write(METRICS, "# EOF\n")
        self.write(HALF_WRITTEN, "")
        self.write("/etc/lfad/lfad.conf.d/policy.conf", "[Policy]\nMode=manual\n")

    def test_it_works_once_installed_and_lfad_alone_is_enabled(self):
        self.install()
        for package in PACKAGES:
            self.assertEqual(self.status(package)[:2], "ii")
            self.assertEqual(self.chroot("dpkg", "--verify", package), "")
        self.assertTrue(self.enabled("lfad.service"))
        self.assertGreater(len(self.timers()), 0)
        self.assertEqual([timer for timer in self.timers() if self.enabled(timer)], [])
        self.chroot("lfactl", "config", "check")
        for program in ("lfactl", "lfa-sim", "/usr/libexec/lfad"):
            self.chroot(program, "--version")

    def test_the_journal_knows_the_catalog_for_as_long(self):
        self.install("lfad")
        listed = self.chroot("journalctl", "--no-pager", "--list-catalog")
        messages = re.findall(r"(?m)^-- ([0-9a-f]{32})$", self.read("/usr/lib/systemd/catalog/lfad.catalog"))
        self.assertGreater(len(messages), 0)
        self.assertEqual([message for message in messages if message not in listed], [])
        self.dpkg("--purge", "lfad")
        listed = self.chroot("journalctl", "--no-pager", "--list-catalog")
        self.assertEqual([message for message in messages if message in listed], [])

    def test_a_reinstallation_and_an_upgrade_keep_what_the_administrator_chose(self):
        self.install()
        self.write(CONFIG, "# mine\n")
        self.write_what_lfad_would()
        self.chroot("systemctl", "disable", "lfad.service")
        self.chroot("systemctl", "enable", "lfad-activate.timer")
        for change in (self.install, self.upgrade):
            change()
            self.assertEqual(self.status("lfad")[:2], "ii")
            self.assertTrue(self.read(CONFIG).endswith("# mine\n"))
            self.assertTrue(self.there("/etc/lfad/lfad.conf.d/policy.conf"))
            self.assertTrue(self.there("/var/lib/lfad/history.jsonl"))
            self.assertFalse(self.enabled("lfad.service"))
            self.assertTrue(self.enabled("lfad-activate.timer"))
        self.assertTrue(self.status("lfad").endswith("+next"))

    def test_an_upgrade_brings_new_configuration_that_nobody_has_changed(self):
        self.install("lfad")
        self.upgrade()
        self.assertTrue(self.read(CONFIG).endswith("# next\n"))
        self.assertTrue(self.enabled("lfad.service"))

    def test_a_removal_keeps_configuration_and_history_and_a_return_finds_them(self):
        self.install()
        self.write(CONFIG, "# mine\n")
        self.write_what_lfad_would()
        self.dpkg("--remove", *PACKAGES)
        self.assertEqual(self.status("lfad")[:2], "rc")
        self.assertFalse(self.there("/usr/libexec/lfad"))
        self.assertFalse(self.there(METRICS))  # else they would be told for ever
        self.assertFalse(self.there(HALF_WRITTEN))
        for kept in (CONFIG, "/etc/lfad/lfad.conf.d/policy.conf", "/var/lib/lfad/history.jsonl", "/run/lfad/lock"):
            self.assertTrue(self.there(kept), kept)
        self.install()
        self.assertTrue(self.read(CONFIG).endswith("# mine\n"))
        self.assertTrue(self.enabled("lfad.service"))

    def test_nothing_is_left_after_a_purge(self):
        self.install()
        self.write_what_lfad_would()
        self.chroot("systemctl", "enable", *self.timers())
        self.assertNotEqual(self.changed(), self.before)
        self.dpkg("--purge", *PACKAGES)
        self.assertEqual(self.changed(), self.before)
        self.assertFalse(self.there("/run/lfad"))
        self.assertEqual(glob.glob(f"{self.root}/var/lib/dpkg/info/lfa*"), [])
        self.install()
        self.assertTrue(self.enabled("lfad.service"))

    def test_the_bus_has_read_the_policy_when_lfad_is_started(self):
        """By lfad's package itself: dbus reads its folders again only after all packages are configured."""
        with self.bus(), self.heard("ReloadConfig") as heard:
            self.dpkg("--no-triggers", "--install", "/tmp/lfad.deb")
            self.assertIn("member=ReloadConfig", heard())

    @contextlib.contextmanager
    def bus(self):
        os.makedirs(self.root + "/run/dbus")
        with subprocess.Popen(["chroot", self.root, "dbus-daemon", "--system", "--nofork", "--nopidfile",
                               "--print-address"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            try:
                self.assertIn(b"unix:", process.stdout.readline())
                self.assertTrue(stat.S_ISSOCK(os.stat(self.root + "/run/dbus/system_bus_socket").st_mode))
                yield
            finally:
                process.kill()

    @contextlib.contextmanager
    def heard(self, member):
        """Gives a function that waits for a call of this method and tells what was heard of it."""
        with subprocess.Popen(["chroot", self.root, "timeout", "60", "dbus-monitor", "--system",
                               f"type=method_call,member={member}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              text=True) as process:
            try:
                self.assertIn("NameAcquired", process.stdout.readline() + process.stdout.readline())
                yield lambda: next((line for line in process.stdout if member in line), "")
            finally:
                process.terminate()


world.main()
