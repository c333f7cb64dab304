# SPDX-License-Identifier: LGPL-2.1-or-later
"""The vm tier: lfad as its package installs it on a machine of its own, with a real kernel, systemd, udevd, polkitd
and a hardware watchdog. Only the firmware is simulated, in a kernel module of the tests (module/). A test file is

    import vm

    class DriverTest(vm.TestCase):
        def test_something(self):
            self.box.stage("rmm", "2.0")
            self.box.lfactl("activate", "rmm")

    if __name__ == "__main__":
        vm.main()

and runs by itself. All classes of a process share one machine, which is booted for the first of them; each class
begins with the driver bound, lfad running, and neither configuration nor history. Environment: LFAD_BUILD_DIR and
LFAD_PACKAGES as in container.py; LFAD_KEEP_VM, a directory to which console and disk of the machine go when it ends.
When a test fails the console's and the journal's ends are printed; the whole is kept in the build folder, vm/failed."""

import contextlib
import json
import os
import shlex
import signal
import sys
import time
import unittest

import image
import machine
import records
from machine import MachineError
from world import GUIDS, MANAGER, NAME, PATH, TREE

CONTROL = "/sys/kernel/lfa-test"
DRIVER = "lfa_test"
SECOND = 1000000

_shared = None  # the one machine of this process


def wait_for(predicate, timeout=60, what="a condition"):
    """Waits until predicate() is true and returns its value; MachineError names `what` otherwise."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        if time.monotonic() >= deadline:
            raise MachineError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.1)
    return value


class Box(machine.Machine):
    """A booted machine with lfad on it."""

    def __enter__(self):
        super().__enter__()
        try:
            self.await_up()
        except BaseException:
            sys.stderr.write(self.logs())
            self.close()
            raise
        return self

    def await_up(self):
        """Until all that is started at boot is up."""
        done = self.run("systemctl", "is-system-running", "--wait", check=False, timeout=machine.BOOT_SECONDS)
        state = done.stdout.strip()
        if state != "running":
            failed = self.run("systemctl", "--failed", "--no-legend", "--plain").stdout
            raise MachineError(f"booted, and is {state}: {failed}")
        wait_for(lambda: self.watchdog("state") == "active", what="systemd to have opened the watchdog")

    def begin_class(self):
        """A machine as if nothing had been done on it."""
        self.shell(f"systemctl stop lfad; rmmod {DRIVER} 2>/dev/null; rm -rf /var/lib/lfad/* /etc/lfad/lfad.conf.d/*; "
                   f"systemctl reset-failed; modprobe {DRIVER} && systemctl start lfad")
        wait_for(lambda: self.property("DriverState") == "active", what="lfad to see the driver")

    def logs(self, lines=60):
        text = super().logs(lines)
        with contextlib.suppress(MachineError):
            text += "--- journal\n" + self.run("journalctl", "--no-pager", "--lines=100", check=False).stdout
        return text

    def keep_failure(self, test):
        """All that was said, in files that stay until the next failure of that test: console, and journal if it can still
        be had."""
        folder = os.path.join(image.FAILED, test)
        os.makedirs(folder, exist_ok=True)
        self.keep_logs(folder)
        with contextlib.suppress(MachineError), \
                open(os.path.join(folder, "journal"), "w", encoding="utf-8", errors="replace") as file:
            file.write(self.run("journalctl", "--no-pager", check=False).stdout)
        sys.stderr.write(f"vm: console and journal are kept in {folder}\n")

    # -- programs in it

    class Done:
        """What a program left."""

        def __init__(self, returncode, stdout, stderr):
            self.returncode, self.stdout, self.stderr = returncode, stdout, stderr

    def shell(self, script, check=True, timeout=120):
        """Runs a script of the shell as root."""
        done = self.Done(*self.ask(script, timeout))
        if check and done.returncode != 0:
            raise MachineError(f"{script} exited with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def run(self, *argv, user=None, check=True, timeout=120):
        """Runs a program, as that user (None: root). With check it must succeed, else MachineError."""
        if user is not None:
            argv = ("setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups", *argv)
        return self.shell(shlex.join(argv), check, timeout)

    def lfactl(self, *args, user=None, check=True):
        return self.run("lfactl", *args, user=user, check=check)

    def read(self, path):
        return self.run("cat", path).stdout

    def write(self, path, content):
        self.shell(f"mkdir -p $(dirname {path}) && printf %s {shlex.quote(content)} >{path}")

    def show(self, unit, name):
        """A property of a unit as systemd tells it."""
        return self.run("systemctl", "show", unit, f"--property={name}", "--value").stdout.strip()

    def is_active(self):
        return self.run("systemctl", "is-active", "lfad", check=False).stdout.strip() == "active"

    def main_pid(self):
        return int(self.show("lfad", "MainPID"))

    def worker_pid(self):
        """Of lfad's worker that activates, or None: no other one is given the lock."""
        text = self.shell("grep -slz '^--lock-fd=' /proc/[0-9]*/cmdline", check=False).stdout
        pids = [int(path.split("/")[2]) for path in text.split()]
        return pids[0] if pids else None

    def journal(self, *options):
        """The journal's entries of this boot, as dictionaries."""
        self.run("journalctl", "--sync")
        text = self.run("journalctl", "--boot", "--output=json", "--all", "--no-pager", *options).stdout
        return [json.loads(line) for line in text.splitlines()]

    # -- lfad

    def call(self, path, interface, member, *args, user=None):
        """busctl call to lfad; its answer as JSON has it, MachineError when refused."""
        text = self.run("busctl", "--json=short", "call", NAME, path, interface, member, *args, user=user).stdout
        data = json.loads(text)["data"] if text.strip() else []
        return data[0] if len(data) == 1 else data

    def property(self, name, path=PATH, interface=MANAGER):
        text = self.run("busctl", "--json=short", "get-property", NAME, path, interface, name).stdout
        return json.loads(text)["data"]

    def image(self, name, property_name):
        return self.property(property_name, f"{PATH}/image/{GUIDS[name].replace('-', '_')}", f"{NAME}.Image")

    def images(self):
        """The names of the images' directories that lfad knows."""
        objects = self.call(PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        return {path.rsplit("/", 1)[1].replace("_", "-") for path in objects if path.startswith(f"{PATH}/image/")}

    def refresh(self):
        self.call(PATH, MANAGER, "Refresh", "a{sv}", "0")

    def configure(self, text):
        """Has lfad use this configuration and no other."""
        self.write("/etc/lfad/lfad.conf.d/test.conf", text)
        self.run("systemctl", "reload", "lfad")

    def begin(self, name):
        """Asks for an activation and returns the job's number."""
        return int(self.call(PATH, MANAGER, "Activate", "sa{sv}", name, "0").rsplit("/", 1)[1])

    def history(self, record_type=None, job=None):
        """The records on disk, oldest first; of one type and one job if given."""
        names = " ".join(records.FILES)
        text = self.shell(f"cd /var/lib/lfad && cat {names} 2>/dev/null", check=False).stdout
        return records.parse(text, record_type, job)

    def wait_finished(self, job):
        """Waits for the record of a job's end, and returns it."""
        return wait_for(lambda: self.history("finished", job), 120, f"the end of job {job}")[-1]

    # -- firmware and hardware

    def control(self, command):
        """Tells the kernel module something: module/control.c."""
        self.shell(f"echo {command} >{CONTROL}/control")

    def put_stage(self, name, version):
        """New firmware waits, and nobody knows."""
        self.control(f"stage {GUIDS[name]} {version}")

    def stage(self, name, version):
        """New firmware waits, and lfad has found it."""
        self.put_stage(name, version)
        self.refresh()

    def stores(self):
        """How many writes to `activate` the driver has seen."""
        return int(self.read(f"{CONTROL}/stores"))

    def held(self):
        """Since the last `stall`: how often all CPUs were held, for how long at most, and altogether, in µs."""
        count, largest, total = map(int, self.read(f"{CONTROL}/held").split())
        return count, largest // 1000, total // 1000

    def attribute(self, name, attribute):
        return self.read(f"{TREE}/{GUIDS[name]}/{attribute}").strip()

    def watchdog(self, attribute, number=0):
        done = self.run("cat", f"/sys/class/watchdog/watchdog{number}/{attribute}", check=False)
        return done.stdout.strip()


def shared():
    """The machine of this process, which is booted when it is first asked for."""
    global _shared  # pylint: disable=global-statement
    if _shared is None:
        _shared = Box(*image.make()).__enter__()  # pylint: disable=unnecessary-dunder-call
    return _shared


def close():
    """Ends the machine, if there is one."""
    global _shared  # pylint: disable=global-statement
    if _shared is not None:
        _shared.close()
        _shared = None


class TestCase(unittest.TestCase):
    """Tests that share the machine, self.box: all of a class in the order of their names, each finding what those
    before it left. What the machine has to say is printed when one fails."""

    @classmethod
    def setUpClass(cls):
        cls.box = shared()
        cls.box.begin_class()

    def run(self, result=None):
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            sys.stderr.write(f"\n=== {self.id()}\n{self.box.logs()}\n")
            self.box.keep_failure(self.id())
        return result

    def assertSays(self, text, *argv, **options):
        """The program fails, and says this."""
        done = self.box.run(*argv, check=False, **options)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout + done.stderr, text)

    def assertEnded(self, record, result, error=""):
        """A `finished` record."""
        self.assertEqual((record["result"], record.get("error", "").rsplit(".", 1)[-1]), (result, error), record)


def _interrupt(*_):
    raise KeyboardInterrupt  # the one that unittest does not take for a failure of the test


def main(module="__main__", names=None):
    """Runs the tests of a module, or those that are named. Whatever ends it, the machine is closed."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        unittest.main(module=module, defaultTest=names, verbosity=2)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        close()
