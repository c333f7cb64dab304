#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The container tier: lfad as a package installs it, under a real systemd, with only the firmware simulated.

A Container is the host's own root file system below a layer of its own, so nothing is downloaded and nothing that is
done in it stays. lfad is installed in it, systemd is its PID 1, and D-Bus, polkit, logind and the journal are those of
the host's packages. Of what else the host would start at boot nothing is. A test file is

    import container

    class ReadinessTest(container.TestCase):
        def test_something(self):
            self.box.sim("stage rmm 2.0")
            self.box.run("systemctl", "start", "lfad")

    container.main()

and runs by itself, in a mount and a network namespace of its own (world.py), which the container shares the latter of:
the simulator's uevents are heard in it. All methods of a class use one container, booted for the first of them, in the
order of their names; what one leaves behind is there for the next. Environment: LFAD_BUILD_DIR as in world.py;
LFAD_KEEP_CONTAINER, a directory to which the journal and the console of a container go when it ends. When a test fails
both are printed.
"""

import contextlib
import ctypes
import json
import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import installed
import records
import world
from world import GUIDS, MANAGER, NAME, PATH  # noqa: F401, for those who import this  # pylint: disable=unused-import

SIM_CONTROL = "/run/lfa-sim.sock"  # where `lfa-sim ctl` looks, in the container as well
TARGET = "lfad-test.target"
STRICT = "/etc/systemd/system/lfad.service.d/lfad-test-strict.conf"
CGROUPS = "/sys/fs/cgroup"
BOOT_SECONDS = 60
_HERE = os.path.dirname(os.path.abspath(__file__))
_libc = ctypes.CDLL(None, use_errno=True)


_open = []  # containers that were entered and not closed yet


class ContainerError(Exception):
    """Something is not as it must be: it did not boot, a command failed, an awaited thing did not come."""


def wait_for(predicate, timeout=60, what="a condition"):
    """Waits until predicate() is true and returns its value; ContainerError names `what` otherwise."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        if time.monotonic() >= deadline:
            raise ContainerError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.02)
    return value


def _cgroup_roots():
    """Where systemd groups processes: in one tree, or beside the controllers in a named one, or in both."""
    roots = [path for path in (f"{CGROUPS}/systemd", f"{CGROUPS}/unified") if os.path.exists(f"{path}/cgroup.procs")]
    return roots or [CGROUPS]


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _is_told_to_activate(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return b"\0activate\0" in file.read()
    return False


class Container:
    """profile, firmware, sim_args: what lfa-sim shows. wants: what is started at boot besides the bus and logind.
    files: path in the container -> content, before it boots. options: further ones of systemd-nspawn. clock: what a
    stand-in for systemd-timedated says of the clock, since the host's own may be right or not. strict: a call that the
    unit's filter forbids kills lfad or its worker, which check_filter() sees, where it would fail otherwise. control:
    `lfa-sim ctl` works in it."""

    def __init__(self, profile="nvnew", firmware="versioned", sim_args=(), wants=("lfad.service",), files=None,
                 options=(), clock="yes", strict=True, control=False):
        self.sim_args = [f"--profile={profile}", f"--firmware={firmware}", *sim_args]
        self.wants = tuple(wants)
        self.files = dict(files or {})
        self.options = list(options)
        self.clock = clock
        self.strict = strict
        self.control = control
        self.leader = None  # PID 1, by its number outside
        self._nspawn = self._sim = None
        self._mounts = []
        self._cgroups = []
        self._console_end = ""

    # -- life

    def __enter__(self):
        world.check_private()
        _open.append(self)
        try:
            self._make_place()
            self._make_root()
            self._start_sim()
            self.boot()
        except BaseException:
            sys.stderr.write(self.logs())
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _make_place(self):
        self.dir = tempfile.mkdtemp(prefix="lfad-container-")
        self.name = os.path.basename(self.dir).replace("_", "0")  # a machine cannot have every name
        self._mount("tmpfs", self.dir, "tmpfs", "mode=755")
        for name in ("sys",):
            os.mkdir(os.path.join(self.dir, name))
        for root in _cgroup_roots():
            path = os.path.join(root, self.name)
            os.mkdir(path)
            self._cgroups.append(path)

    def _mount(self, source, target, kind, options):
        world.mount(source, target, kind, options)
        self._mounts.append(target)

    def path(self, path):
        """Where a file of the container is, seen from here. Works until it boots, and after its end; what is mounted in
        it is found while it runs."""
        root = f"/proc/{self.leader}/root" if self.leader else os.path.join(self.dir, "root")
        return root + path

    def _make_root(self):
        installed.make_root(self.dir)
        self._mounts.append(f"{self.dir}/root")
        # The one has systemd take itself for another kind of guest, the other has packages start nothing.
        for path in ("/.dockerenv", "/usr/sbin/policy-rc.d"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path(path))
        self.write("/etc/machine-id", "")  # every container is another machine
        self.write("/etc/fstab", "")
        self.write(f"/etc/systemd/system/{TARGET}", "[Unit]\nRequires=basic.target\nAfter=basic.target\n"
                   f"Wants=dbus.service systemd-logind.service {' '.join(self.wants)}\n"
                   f"After=dbus.service systemd-logind.service {' '.join(self.wants)}\n")
        # What udevd would have made, without which nobody hears uevents.
        self.write("/etc/tmpfiles.d/lfad-test.conf", "f /run/udev/control 0600\n")
        # The simulated kernel log always says that there is something to read.
        self.write("/etc/systemd/journald.conf.d/lfad-test.conf",
                   "[Journal]\nReadKMsg=no\nStorage=persistent\nRateLimitIntervalSec=0\n")
        if self.strict:
            self.write(STRICT, "[Service]\nSystemCallErrorNumber=kill\n")
        self._replace_timedated()
        for path, content in self.files.items():
            self.write(path, content)

    def _replace_timedated(self):
        place = "/usr/local/lib/lfad-test"
        os.makedirs(self.path(place))
        for source in (os.path.join(_HERE, "timedated.py"), os.path.join(world.SOURCE_DIR, "tests/world/timedate1.py")):
            shutil.copy(source, self.path(place))
        self.write(f"{place}/synchronized", self.clock)
        self.write("/etc/systemd/system/systemd-timedated.service.d/lfad-test.conf",
                   f"[Service]\nExecStart=\nExecStart=/usr/bin/python3 -B {place}/timedated.py\nWatchdogSec=0\n")

    def set_clock(self, synchronized):
        """From now on systemd-timedated says "yes" or "no", and at once: lfad does not wait long for its start."""
        self.write("/usr/local/lib/lfad-test/synchronized", synchronized)
        self.run("systemctl", "restart", "systemd-timedated")

    def write(self, path, content, mode=0o644):
        target = self.path(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(target, mode)

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def _start_sim(self):
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as ready, open(os.path.join(self.dir, "sim.log"), "wb") as log:
            self._sim = subprocess.Popen(
                [world.SIM, "mount", *self.sim_args, "--mountpoint=/sys/firmware", f"--sysfs={self.dir}/sys",
                 f"--control={self.dir}/sim.control", f"--ready-fd={writer}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(writer,), start_new_session=True,
                preexec_fn=_end_with_parent)
            os.close(writer)
            if not ready.read(1):
                raise ContainerError("lfa-sim did not come up")
        os.makedirs(os.path.join(self.dir, "sys/bus"), exist_ok=True)

    def boot(self, wait=True):
        """Boots it, again on the same root if it was stopped or killed, and returns when all that it starts is up."""
        place = os.path.join(self.dir, "notify.socket")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(place)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(place)
            self._spawn_nspawn(place)
            self._await_boot(notify)
        if wait:
            state = self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip()
            if state != "running":
                raise ContainerError(f"booted, and is {state}")

    def _spawn_nspawn(self, notify_socket):
        """In a control group of its own, from where systemd makes its own ones below."""
        def prepare():
            _end_with_parent()
            for path in self._cgroups:
                with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as file:
                    file.write("0")

        with open(os.path.join(self.dir, "console.log"), "ab") as console:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--notify-ready=yes",
                 "--console=pipe", "--resolv-conf=off", "--link-journal=no", f"--machine={self.name}",
                 f"--directory={self.dir}/root",
                 *([f"--bind={self.dir}/sim.control:{SIM_CONTROL}"] if self.control else []),
                 "--bind=/sys/firmware", f"--bind-ro={self.dir}/sys/bus:/sys/bus",
                 "--bind=/sys/firmware/.kmsg:/dev/kmsg", "--capability=CAP_NET_ADMIN,CAP_SYSLOG", *self.options,
                 "--", f"systemd.unit={TARGET}"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True, preexec_fn=prepare,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "NOTIFY_SOCKET": notify_socket, "LANG": "C.UTF-8",
                     "SYSTEMD_NSPAWN_LOCK": "0"})

    def _await_boot(self, notify):
        """systemd-nspawn tells first which process is PID 1, then that it is ready."""
        deadline = time.monotonic() + BOOT_SECONDS
        notify.setblocking(False)
        poll = select.poll()
        poll.register(notify, select.POLLIN)
        while True:
            if self._nspawn.poll() is not None or time.monotonic() > deadline:
                raise ContainerError(f"it did not boot (systemd-nspawn: {self._nspawn.returncode})")
            if not poll.poll(200):
                continue
            for line in notify.recv(4096).decode().splitlines():
                if line.startswith("X_NSPAWN_LEADER_PID="):
                    self.leader = int(line.partition("=")[2])
                elif line == "READY=1":
                    return

    def power_off(self, timeout=60):
        """An orderly end of the host."""
        self._nspawn.terminate()
        self.wait_end(timeout)

    def power_cut(self):
        """All its processes are gone from one moment to the next, but what is stuck in a firmware call, which takes its
        end with it: the firmware of the next boot is not in it."""
        lives = self._pids_of("lfad")
        os.kill(self.leader, signal.SIGKILL)
        # Its processes are killed by the kernel, which takes a moment: lfad must not see the firmware call come back.
        wait_for(lambda: not any(_is_alive(pid) for pid in lives), 60, "lfad's end")
        with contextlib.suppress(ContainerError):
            self.sim("release")
        self.wait_end(60)
        self._age_records()

    def _age_records(self):
        """lfad's sandbox has a /proc of its own, in which systemd-nspawn's id of the boot is not: the kernel's is. So
        the records are given another one."""
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot_id = file.read().strip().replace("-", "")
        for path in ("/var/lib/lfad/history.jsonl", "/var/lib/lfad/state.json"):
            if os.path.exists(self.path(path)):
                self.write(path, self.read(path).replace(boot_id, "0" * 32), mode=0o600)

    def wait_end(self, timeout):
        """Waits until the host is down; boot() starts it again."""
        try:
            self._nspawn.wait(timeout)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait(20)
            raise ContainerError(f"it did not end within {timeout} s") from None
        finally:
            self._nspawn = self.leader = None

    def close(self):
        """Ends everything without much ado and takes away what was made."""
        for path in self._cgroups:
            _kill_cgroup(path)
        if self._sim:  # ends whoever is stuck in a firmware call, too
            self._sim.terminate()
        for process in (self._nspawn, self._sim):
            if process:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(20)
        self._nspawn = self._sim = self.leader = None
        self._keep()
        for path in reversed(self._mounts):
            with contextlib.suppress(OSError):
                world.umount(path, world.MNT_DETACH)
        for path in self._cgroups:
            wait_for(lambda path=path: _remove_cgroup(path), 20, f"{path} to be empty")
        if hasattr(self, "dir"):
            os.rmdir(self.dir)
        self._mounts, self._cgroups = [], []
        if self in _open:
            _open.remove(self)

    def _keep(self):
        keep = os.environ.get("LFAD_KEEP_CONTAINER")
        if keep and hasattr(self, "dir"):
            target = os.path.join(keep, self.name)
            os.makedirs(target)
            for name in ("console.log", "sim.log", "root/var/log/journal", "root/var/lib/lfad"):
                path = os.path.join(self.dir, name)
                if os.path.isdir(path):
                    shutil.copytree(path, os.path.join(target, os.path.basename(path)))
                elif os.path.exists(path):
                    shutil.copy(path, target)
            sys.stderr.write(f"container: kept in {target}\n")

    def logs(self):
        """All that helps to see what went wrong."""
        text = ""
        if self.leader:
            with contextlib.suppress(ContainerError):
                text += "--- journal\n" + self.run("journalctl", "--no-pager", "-n", "150", check=False).stdout
        for name in ("console.log", "sim.log"):
            path = os.path.join(getattr(self, "dir", "/"), name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += f"--- {name}\n" + "".join(file.readlines()[-60:])
        return text

    # -- programs in it

    def _command(self, argv, user):
        if user is not None:
            argv = ["runuser", f"--user={user}", "--", *argv]
        return ["nsenter", f"--target={self.leader}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root",
                "--wd=/", "--", *argv]

    _environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "NO_COLOR": "1", "SYSTEMD_PAGER": "",
                    "SYSTEMD_COLORS": "0"}

    def shell_command(self, terminal):
        """What is to be run to have root's shell in the container, with a terminal or without."""
        environment = {"HOME": "/root", "LANG": "C.UTF-8", "PATH": self._environment["PATH"],
                       "TERM": os.environ.get("TERM", "dumb")}
        return self._command(["env", "--ignore-environment", "--chdir=/root",
                              *(f"{name}={value}" for name, value in environment.items()),
                              "bash", *(["--login", "-i"] if terminal else [])], None)

    def spawn(self, *argv, user=None):
        """Starts a program in the container; Popen with its output, errors in it, as text."""
        return subprocess.Popen(self._command(argv, user), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, env=self._environment, preexec_fn=_end_with_parent)

    def run(self, *argv, user=None, check=True, timeout=60):
        """Runs a program in the container, as that user (None: root); CompletedProcess with text. With check it must
        succeed, else ContainerError."""
        try:
            done = subprocess.run(self._command(argv, user), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  env=self._environment, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            raise ContainerError(f"{shlex.join(argv)} did not end within {timeout} s") from None
        if check and done.returncode != 0:
            raise ContainerError(f"{shlex.join(argv)} exited with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def lfactl(self, *args, user=None, check=True):
        return self.run("lfactl", *args, user=user, check=check)

    def show(self, unit, *names):
        """Properties of a unit as systemd tells them: one text, or a list."""
        lines = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout.splitlines()
        values = dict(line.split("=", 1) for line in lines)
        return values[names[0]] if len(names) == 1 else [values[name] for name in names]

    def main_pid(self, unit="lfad.service"):
        """Of a unit that runs, by its number in the container."""
        return int(self.show(unit, "MainPID"))

    @staticmethod
    def inside(pid):
        """The number that a process of the container has in it."""
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[-1]) for line in file if line.startswith("NSpid:"))

    def _is_inside(self, pid):
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink(f"/proc/{self.leader}/ns/pid")

    def worker_pids(self):
        """The lfad-worker processes of this container that activate, by their numbers outside."""
        return [pid for pid in self.all_worker_pids() if _is_told_to_activate(pid)]

    def all_worker_pids(self):
        """Those that only read, too."""
        return self._pids_of("lfad-worker")

    def _pids_of(self, program):
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{entry}/comm", encoding="ascii") as file:
                if file.read() == program + "\n" and self._is_inside(entry):
                    found.append(int(entry))
        return found

    def journal(self, *options):
        """The journal's entries of this boot, as dictionaries."""
        self.run("journalctl", "--sync")
        text = self.run("journalctl", "--boot", "--output=json", "--all", "--no-pager", *options).stdout
        return [json.loads(line) for line in text.splitlines()]

    def messages(self, unit="lfad.service"):
        """What a unit, and systemd about it, has said in this boot."""
        return [entry["MESSAGE"] for entry in self.journal(f"--unit={unit}")]

    def check_filter(self):
        """ContainerError when the system call filter has killed lfad or a program that it started, in any boot."""
        self.run("journalctl", "--sync")
        text = self.run("journalctl", "--unit=lfad.service", "--no-pager").stdout
        killed = [line for line in text.splitlines() if "31/SYS" in line or "signal 31" in line]
        if killed:
            raise ContainerError("a forbidden system call: " + "; ".join(killed))

    # -- lfad and its firmware

    def sim(self, command):
        """What `lfa-sim ctl COMMAND` prints, or ContainerError when it is refused."""
        words = command.split() if isinstance(command, str) else command
        done = subprocess.run([world.SIM, "ctl", f"--control={self.dir}/sim.control", *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise ContainerError(f"lfa-sim ctl {command}: {done.stderr}")
        return done.stdout.removesuffix("\n")

    def stores(self):
        """How many writes to `activate` the driver has seen."""
        return json.loads(self.sim("counters --json"))["activate-stores"]

    def call(self, path, interface, member, *args, user=None):
        """busctl call to lfad; its answer as JSON has it, ContainerError when refused."""
        done = self.run("busctl", "--json=short", "call", NAME, path, interface, member, *args, user=user)
        data = json.loads(done.stdout)["data"] if done.stdout.strip() else []
        return data[0] if len(data) == 1 else data

    def property(self, name, path=PATH, interface=MANAGER):
        return json.loads(self.run("busctl", "--json=short", "get-property", NAME, path, interface, name).stdout)["data"]

    def image(self, image, name):
        return self.property(name, f"{PATH}/image/{GUIDS[image].replace('-', '_')}", f"{NAME}.Image")

    def has_owner(self):
        """Whether lfad is on the bus; asking does not start it."""
        return self.run("busctl", "status", NAME, check=False).returncode == 0

    def refresh(self):
        self.call(PATH, MANAGER, "Refresh", "a{sv}", "0")

    def stage(self, image, version):
        """New firmware waits in the simulated machine, and lfad has found it."""
        self.sim(["stage", image, version])
        self.refresh()

    def begin_hanging(self, image, version):
        """An activation of which the write does not return until sim("release"); the job's number."""
        self.stage(image, version)
        self.sim("hang activate")
        seen = self.stores()
        path = self.call(PATH, MANAGER, "Activate", "sa{sv}", image, "0")
        wait_for(lambda: self.stores() > seen, 60, "the write")
        return int(path.rsplit("/", 1)[1])

    def history(self, record_type=None, job=None):
        """The records on disk, oldest first; of one type and one job if given."""
        return records.parse(self.read("/var/lib/lfad/history.jsonl"), record_type, job)

    def wait_finished(self, job):
        """Waits for the record of a job's end, and returns it."""
        return wait_for(lambda: self.history("finished", job), 60, f"the end of job {job}")[-1]


def _end_with_parent():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _kill_cgroup(path):
    """PID 1 is enough, which takes all others along; but whether it is there already nobody need know."""
    for folder, _, _ in os.walk(path):
        with contextlib.suppress(OSError), open(os.path.join(folder, "cgroup.procs"), encoding="ascii") as file:
            for pid in file.read().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def _remove_cgroup(path):
    """True when it is gone; its last processes may be on their way still."""
    for folder, _, _ in os.walk(path, topdown=False):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            pass
        except OSError:
            return False
    return True


class TestCase(unittest.TestCase):
    """Tests that share one container, self.box. `options` are Container's arguments for the whole class. What it has to
    say is printed when a test fails."""

    options = {}

    @classmethod
    def setUpClass(cls):
        cls.box = cls.enterClassContext(Container(**cls.options))

    @classmethod
    def tearDownClass(cls):
        if cls.box.leader and cls.box.strict:
            cls.box.check_filter()

    def run(self, result=None):
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            sys.stderr.write(f"\n=== {self.id()}\n{self.box.logs()}\n")
        return result

    def assertRefused(self, text, *argv, **options):
        """The program fails, and says this."""
        done = self.box.run(*argv, check=False, **options)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout + done.stderr, text)


def _interrupt(*_):
    raise KeyboardInterrupt  # the one that unittest does not take for a failure of the test


def main():
    """Runs the tests of the calling script in private namespaces. Whatever ends it, its containers are closed."""
    world.enter()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        unittest.main(module="__main__", verbosity=2)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for box in list(_open):
            box.close()
