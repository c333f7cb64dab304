#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The component tier: a world in which lfad runs as shipped, with real parts around it and only firmware simulated.

Everything lives in a mount and network namespace of its own, so nothing leaks to the host and worlds run in parallel:
a real dbus-daemon, the real polkitd, lfa-sim mounted on /sys/firmware, lfad with its worker. A test file is

    import world

    class FindingTest(world.TestCase):
        def test_something(self):
            self.world.sim("stage rmm 2.0")
            self.world.refresh()
            self.assertEqual(self.world.image("rmm")["PendingVersion"], "2.0")

    world.main()

and runs by itself. Environment: LFAD_BUILD_DIR, where the programs are built (default: build/ of this tree);
LFAD_KEEP_WORLD, a directory to which every world's logs, history and configuration are copied when it ends;
LFAD_VALGRIND, under which our programs run with memcheck (see memcheck.py).

A World is a context manager. Its parts are "dbus", "polkitd", "sim" and "lfad": start(part), stop(part) (SIGTERM),
kill(part) (SIGKILL), restart(part), only ever by their own Popen. What it raises when something outside does not
behave is WorldError; a refusal that came over the bus is BusError. No method sleeps: each waits for a condition with
a deadline while the main loop runs, and says what it waited for when that did not come.
"""

import collections
import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import dbus
import dbus.bus
import dbus.lowlevel
import dbus.mainloop.glib
from gi.repository import GLib

import memcheck
import records

SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_DIR = os.path.realpath(os.environ.get("LFAD_BUILD_DIR", os.path.join(SOURCE_DIR, "build")))
LFAD = os.path.join(BUILD_DIR, "src/lfad")
WORKER = REAL_WORKER = os.path.join(BUILD_DIR, "src/worker/lfad-worker")
LFACTL = os.path.join(BUILD_DIR, "src/ctl/lfactl")
SIM = os.path.join(BUILD_DIR, "src/sim/lfa-sim")
POLKITD = "/usr/lib/polkit-1/polkitd"

NAME = "org.arm.LFA1"
PATH = "/org/arm/LFA1"
MANAGER = NAME + ".Manager"
IMAGE = NAME + ".Image"
JOB = NAME + ".Job"
ERROR = NAME + ".Error."
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
INTERACTIVE = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"

TREE = "/sys/firmware/lfa"
KERNEL_LOG = "/dev/kmsg"
GUIDS = {
    "rmm": "6c0762a6-12f2-4b56-92cb-ba8f633606d9",
    "bl31": "47d4086d-4cfe-9846-9b95-2950cbbd5a00",
    "scp": "65922703-2f74-e644-8dff-579ac1ff0610",
}

# What a deadline is multiplied by: it ends a test that hangs, on a machine however busy. Four times what is usual here, 10
# to 12 s, is less than the time between two of lfad's polls, which would find what no event told; under memcheck it is not.
PATIENCE = max(4, memcheck.SLOWNESS)
_OUTSIDE = "LFAD_WORLD_OUTSIDE"  # the mount namespace that must not be ours, set by enter() for the inner process
_SANITIZER_REPORT = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|: runtime error: )")
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
MS_BIND = 4096
MNT_FORCE, MNT_DETACH = 1, 2

Signal = collections.namedtuple("Signal", "time sender path interface member args")


class WorldError(Exception):
    """Something in the world is not as it must be: a part died, an answer did not come, a command was refused."""


class BusError(Exception):
    """An error that came over the bus: name is the full D-Bus name, str() its message."""

    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message

    @property
    def short_name(self):
        return self.name.rsplit(".", 1)[1]


def _mount_namespace(pid):
    """None where it cannot be told: in some containers even root may not look at PID 1's."""
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")
    except PermissionError:
        return None


def enter():
    """Makes sure that this process runs in a private mount and network namespace: runs the script again inside one
    and never returns, or returns when it is in there."""
    if _OUTSIDE in os.environ:
        check_private()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that worlds are closed
        return
    if os.geteuid() != 0:
        sys.exit("world: only root can make a mount namespace; run it as root")
    sys.stdout.flush()
    environment = dict(os.environ, **{_OUTSIDE: _mount_namespace("self")})
    os.execvpe("unshare", ["unshare", "--mount", "--net", "--propagation", "private", "--", "/usr/bin/python3",
                           "-B"] + [os.path.abspath(sys.argv[0])] + sys.argv[1:], environment)


def check_private():
    """Raises WorldError unless mounts made here stay here. Called before anything is mounted."""
    own = _mount_namespace("self")
    if own in (os.environ.get(_OUTSIDE), _mount_namespace(1)):
        raise WorldError("not in a mount namespace of its own: call world.enter() first")
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            if "shared:" in line.split(" - ")[0]:
                raise WorldError("a mount here is shared with another namespace: " + line.strip())


def plain(value):
    """A dbus-python value as Python's own types."""
    if isinstance(value, dbus.Boolean):
        return bool(value)
    if isinstance(value, (dbus.String, dbus.ObjectPath)):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _is_worker(pid):
    return os.readlink(f"/proc/{pid}/exe") == WORKER or (memcheck.wanted() and memcheck.runs(pid, WORKER))


def mounted_on(path):
    """The types of the file systems mounted on exactly this path, the uppermost last."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        fields = [line.split() for line in file]
    return [field[field.index("-") + 1] for field in fields if field[4] == path]


def _checked(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind=None, options=None):
    """mount(2), since a world makes several: mount(8) takes more time than all of them. Without kind a bind mount."""
    _checked(_libc.mount(source.encode(), target.encode(), kind and kind.encode(), 0 if kind else MS_BIND,
                         options and options.encode()), f"mount {target}")


def umount(target, flags):
    _checked(_libc.umount2(target.encode(), flags), f"umount {target}")


def end_with_parent():
    """A preexec_fn: the program is killed when whoever started it is gone, however that ended."""
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _drained(channel, received):
    """Takes what a socket that does not block has; True at its end."""
    with contextlib.suppress(BlockingIOError):
        while data := channel.recv(65536):
            received += data
        return True
    return False


class World:
    """profile, firmware: what lfa-sim shows; sim_args: further options of `lfa-sim mount`; udev_control=False: a
    host on which no udevd forwards events (a deaf monitor); parts: which parts are started; lfad_args: further
    options of lfad; sysfs: files elsewhere in sysfs, path -> content, to which put_sysfs() can add; journal=True: lfad's
    stderr counts as the journal's stream, and what it logs is in self.journal (see journal.py); own_etc=True: /etc is a
    copy that commands may write to, without a configuration of lfad, and lfad is configured there; bus: further lines of
    the bus's configuration.

    The simulator's kernel log is bound over /dev/kmsg, so that lfad runs as shipped; in a container without one lfad
    is told where to find it."""

    PARTS = ("dbus", "polkitd", "sim", "lfad")

    def __init__(self, profile="nvnew", firmware="versioned", sim_args=(), udev_control=True, parts=PARTS,
                 lfad_args=(), sysfs=None, journal=False, own_etc=False, bus=""):
        self.profile = profile
        self.firmware = firmware
        self.sim_args = list(sim_args)
        self.udev_control = udev_control
        self.wanted_parts = tuple(parts)
        self.lfad_args = list(lfad_args)
        self.sysfs_files = dict(sysfs or {})
        self.wants_journal = journal
        self.journal = None
        self.own_etc = own_etc
        self.bus_lines = bus
        self.parts = {}
        self.status = []  # lfad's STATUS= lines, oldest first
        self.notified = []  # everything else that lfad told the service manager
        self._bus = None
        self._signals = []
        self._mounts = []
        self._log_count = 0
        self._started = time.monotonic()

    # -- life

    def __enter__(self):
        check_private()
        _libc.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: a worker whose lfad was killed stays ours, and ends with us
        try:
            self._make_place()
            for part in self.PARTS:
                if part in self.wanted_parts:
                    self.start(part)
        except BaseException:
            sys.stderr.write(self.logs())
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        self.close(check=kind is None)

    def _make_place(self):
        self.dir = tempfile.mkdtemp(prefix="lfad-world-")
        self._mount("tmpfs", self.dir, "tmpfs", "mode=755")
        self.runtime_dir = "/run/lfad"
        self.state_dir = self._folder("state")
        self.log_dir = self._folder("log")
        self._lfad_runs = 0
        if memcheck.wanted():
            memcheck.make_folder(self.dir)
            memcheck.wrap_worker(WORKER, self.dir, BUILD_DIR)
        self.config_root = "/" if self.own_etc else self._folder("config")
        self.control = os.path.join(self.dir, "sim.control")
        self.sysfs = os.path.join(self.dir, "sysfs")  # made by lfa-sim
        self.procfs = self._folder("proc")
        self.bus_address = f"unix:path={self.dir}/bus.socket"
        self._mount("tmpfs", "/run", "tmpfs", "mode=755")
        os.mkdir("/run/lfad")
        if self.udev_control:
            os.mkdir("/run/udev")
            with open("/run/udev/control", "wb"):
                pass
        if self.wants_journal:
            import journal  # here, since few need it  # pylint: disable=C0415

            self.journal = journal.Journal()
        if self.own_etc:
            self._cover_etc()
        self._raise_loopback()
        self._write_bus_configuration()
        self._cover_polkit()
        self._open_notify_socket()
        self._make_tools()
        self.environment = {
            "PATH": f"{self.tools_dir}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "DBUS_SYSTEM_BUS_ADDRESS": self.bus_address,
            "LFA_SIM_CONTROL": self.control,
        }
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS") or name.startswith("GCOV") or name == "G_SLICE":
                self.environment[name] = value

    def _make_tools(self):
        """What users of this world run by name. Copies, since the build folder may lie where only root can look."""
        self.tools_dir = self._folder("bin")
        here = os.path.dirname(os.path.abspath(__file__))
        for path in (LFACTL, SIM, os.path.join(here, "caller.py")):
            if os.path.exists(path):
                shutil.copy(path, self.tools_dir)
        if memcheck.wanted():
            memcheck.wrap(os.path.join(self.tools_dir, os.path.basename(LFACTL)), self.dir, BUILD_DIR)

    def _mount(self, source, target, kind=None, options=None):
        mount(source, target, kind, options)
        self._mounts.append(target)

    def offer_bus(self):
        """The bus also where programs look for it that take no address from their environment."""
        os.makedirs("/run/dbus")
        os.symlink(f"{self.dir}/bus.socket", "/run/dbus/system_bus_socket")

    def cover(self, source, target):
        """From now on this world sees the one file where the other one is."""
        self._mount(source, target)

    def disguise(self, unit, login_uid, pid=None):
        """From now on /proc says that this process (or that one) is part of a unit and was begun by a login: what lfad
        takes for hints. unit is bytes."""
        pid = os.getpid() if pid is None else pid
        line = b"/system.slice/" + unit
        for name, content in (("cgroup", b"1:name=systemd:" + line + b"\n0::" + line + b"\n"),
                              ("loginuid", str(login_uid).encode())):
            path = os.path.join(self.dir, f"{name}-{pid}")
            with open(path, "wb") as file:
                file.write(content)
            self._mount(path, f"/proc/{pid}/{name}")

    def _folder(self, name):
        path = os.path.join(self.dir, name)
        os.mkdir(path)
        os.chmod(path, 0o755)
        return path

    @staticmethod
    def _raise_loopback():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sh14x", b"lo", 0)
            flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, 0x8913, request))[1]  # SIOCGIFFLAGS
            fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))  # SIOCSIFFLAGS, IFF_UP

    def _write_bus_configuration(self):
        """A system bus as distributions ship it, with no policy but the project's own and polkit's."""
        policies = self._folder("system.d")
        self.services_dir = self._folder("system-services")  # empty: nothing is started by a call
        shutil.copy(os.path.join(SOURCE_DIR, "dbus/org.arm.LFA1.conf"), policies)
        shutil.copy("/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf", policies)
        with open(os.path.join(self.dir, "bus.conf"), "w", encoding="utf-8") as file:
            file.write(f"""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>{self.bus_address}</listen>
  <servicedir>{self.services_dir}</servicedir>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
  <policy context="default">
    <allow send_destination="org.freedesktop.systemd1"/>
    <allow send_destination="org.freedesktop.login1"/>
    <allow send_destination="org.freedesktop.timedate1"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.systemd1"/>
    <allow own="org.freedesktop.login1"/>
    <allow own="org.freedesktop.timedate1"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Monitoring"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Debug.Stats"/>
  </policy>
  <includedir>{policies}</includedir>
  {self.bus_lines}
</busconfig>
""")

    def _cover_etc(self):
        etc = self._folder("etc")
        subprocess.run(["cp", "-a", "/etc/.", etc], check=True, stdin=subprocess.DEVNULL, timeout=60)
        shutil.rmtree(os.path.join(etc, "lfad"), ignore_errors=True)
        with open(os.path.join(etc, "machine-id"), "w", encoding="ascii") as file:
            file.write("4d2f6b1ea5c34f0c9be7d8a09c5e1f37\n")
        self._mount(etc, "/etc")

    def _cover_polkit(self):
        """polkitd has its folders built in: private ones are bound over them, with the project's actions only and
        no rule, so that the host's own rules decide nothing here. Administrators are then root alone."""
        actions = self._folder("actions")
        self.rules_dir = self._folder("rules.d")
        shutil.copy(os.path.join(SOURCE_DIR, "polkit/org.arm.LFA1.policy"), actions)
        self._mount(actions, "/usr/share/polkit-1/actions")
        self._mount(self.rules_dir, "/etc/polkit-1/rules.d")
        if os.path.isdir("/usr/share/polkit-1/rules.d"):
            self._mount(self._folder("no-rules.d"), "/usr/share/polkit-1/rules.d")

    def _open_notify_socket(self):
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._notify.bind(os.path.join(self.dir, "notify.socket"))
        self._notify.setblocking(False)
        self._notify_watch = GLib.io_add_watch(self._notify.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_IN,
                                               self._on_notify)

    def _on_notify(self, *_):
        lines = []
        with contextlib.suppress(BlockingIOError):
            while True:
                lines += self._notify.recv(8192).decode().splitlines()
        for line in lines:
            if line.startswith("STATUS="):
                self.status.append(line.removeprefix("STATUS="))
            else:
                self.notified.append(line)
        return True

    def close(self, check=True):
        """Ends all parts, youngest first, and unmounts what this world mounted. With check, raises WorldError when
        lfad or lfa-sim did not end well or a sanitizer reported something."""
        trouble = []
        if self.running("lfad") and self._worker_is_stuck():
            self.kill("lfad")  # stopping it would wait for a store that firmware never ends
        others = [part for part in self.parts if part not in self.PARTS]  # stand-ins: lfad needs them to the end
        for part in ["lfad", *others, *(part for part in reversed(self.PARTS) if part != "lfad")]:
            try:
                self.stop(part)
            except WorldError as error:
                trouble.append(str(error))
        if self._bus:
            self._bus.close()
            self._bus = None
        self._end_orphans()
        if self.journal:
            self.journal.close()
            trouble += self.journal.faults
        trouble += self._sanitizer_reports()
        if memcheck.wanted() and hasattr(self, "log_dir"):
            trouble += memcheck.reports(self.dir, self._lfad_runs)
        self._keep()
        if hasattr(self, "_notify_watch"):
            GLib.source_remove(self._notify_watch)
            self._notify.close()
        for path in reversed(self._mounts):
            with contextlib.suppress(OSError):
                umount(path, MNT_DETACH)
        self._mounts.clear()
        if hasattr(self, "dir"):
            os.rmdir(self.dir)
        if check and trouble:
            raise WorldError("; ".join(trouble))

    def _worker_is_stuck(self):
        if not self.worker_pids():
            return False
        try:
            self.sim("release")
        except WorldError:
            pass
        return not self._settled(lambda: not self.worker_pids(), 5, patience=memcheck.SLOWNESS)

    def _end_orphans(self):
        """Workers whose lfad was killed are our own children (we are their subreaper)."""
        pids = self.worker_pids()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if pids:
            self._settled(lambda: not self.worker_pids(), 5)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    def _sanitizer_reports(self):
        reports = []
        for name in sorted(os.listdir(self.log_dir)) if hasattr(self, "log_dir") else []:
            with open(os.path.join(self.log_dir, name), encoding="utf-8", errors="replace") as file:
                reports += [f"{name}: {line.strip()}" for line in file if _SANITIZER_REPORT.search(line)]
        return reports

    def _keep(self):
        keep = os.environ.get("LFAD_KEEP_WORLD")
        if keep and hasattr(self, "dir"):
            target = os.path.join(keep, os.path.basename(self.dir))
            shutil.copytree(self.dir, target, ignore=shutil.ignore_patterns("*.socket", "*.control", "bin"))
            if os.path.isdir(self.runtime_dir):
                shutil.copytree(self.runtime_dir, os.path.join(target, "run"),
                                ignore=shutil.ignore_patterns("*.fifo"))
            sys.stderr.write(f"world: kept in {target}\n")

    # -- parts

    def start(self, part, **environment):
        """Starts a part and returns when it serves; environment is added to the part's own."""
        if self.running(part):
            raise WorldError(f"{part} runs already")
        getattr(self, "_start_" + part)(environment)

    def stop(self, part, timeout=20):
        """SIGTERM, and waits for the end. lfad and lfa-sim must then exit with 0."""
        process = self.parts.pop(part, None)
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
        self._await_end(part, process, timeout)
        self._on_notify()  # what it said last
        if part == "sim":
            self._uncover_sysfs()
        if part in ("sim", "lfad") and process.returncode not in (0, -signal.SIGKILL):
            raise WorldError(f"{part} ended with {process.returncode}\n{self.log(part)}")

    def kill(self, part):
        """SIGKILL, and waits for the end."""
        process = self.parts.pop(part)
        process.kill()
        self._await_end(part, process, 20)
        if part == "sim":
            self._uncover_sysfs()

    def restart(self, part):
        self.stop(part)
        self.start(part)

    def restart_host(self, **environment):
        """What lfad finds after the host restarted, perhaps during an activation: its own files are of another boot, and
        its runtime folder is empty. An activation that hangs comes to its end first, as the next boot's firmware has."""
        if self.running("lfad"):
            self.kill("lfad")
        self.sim("release")
        self.wait_for(lambda: not self.worker_pids(), 10, "the worker to end")
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot_id = file.read().strip().replace("-", "")
        for name in ("history.jsonl", "state.json"):
            path = os.path.join(self.state_dir, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text.replace(boot_id, "0" * 32))
        for entry in os.scandir(self.runtime_dir):
            (shutil.rmtree if entry.is_dir(follow_symlinks=False) else os.unlink)(entry.path)
        self.start("lfad", **environment)

    def running(self, part):
        return part in self.parts and self.parts[part].poll() is None

    @staticmethod
    def _leak_check_hangs(process):
        """LeakSanitizer's check at the exit looks at the process by a tracer of its own, which on a machine with much load
        waits now and then for a thread that never stops. Nothing else traces here."""
        with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as file:
            return "detect_leaks=1" in os.environ.get("ASAN_OPTIONS", "") and "\nTracerPid:\t0\n" not in file.read()

    def _await_end(self, part, process, timeout):
        if not self._ended(process, timeout):
            hangs = self._leak_check_hangs(process)
            process.kill()
            if hangs:
                process.wait(10)
                sys.stderr.write(f"{part}: the leak check at its exit hung, and was given up\n")
                return
            if part == "sim":
                self._abort_fuse()
            process.wait(10)
            raise WorldError(f"{part} did not end within {timeout * PATIENCE} s of SIGTERM and was killed\n{self.log(part)}")

    @staticmethod
    def _uncover_sysfs():
        """After lfa-sim was killed its dead mounts are still there. By force: pending requests are aborted."""
        for path in ("/sys/firmware", KERNEL_LOG):
            while any(kind.startswith("fuse") for kind in mounted_on(path)):
                umount(path, MNT_FORCE | MNT_DETACH)

    def _abort_fuse(self):
        """Ends every request to lfa-sim's file system: whoever waits for one cannot even be killed."""
        control = os.path.join(self.dir, "fusectl")
        os.mkdir(control)
        self._mount("none", control, "fusectl")
        with open(os.path.join(control, str(self._fuse_connection), "abort"), "w", encoding="utf-8") as file:
            file.write("1")

    def _spawn_part(self, part, argv, environment, **options):
        if os.path.isabs(argv[0]) and not os.access(argv[0], os.X_OK):
            raise WorldError(f"{argv[0]} is missing: build the project, or name its folder in LFAD_BUILD_DIR")
        self._log_count += 1
        path = os.path.join(self.log_dir, f"{self._log_count:02}-{part}.log")
        with open(path, "wb") as log:
            if part == "lfad" and self.journal:
                place = os.fstat(log.fileno())
                environment = {"JOURNAL_STREAM": f"{place.st_dev}:{place.st_ino}", **environment}
            self.parts[part] = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                env={**self.environment, **environment}, start_new_session=True,
                                                preexec_fn=end_with_parent, **options)
        return self.parts[part]

    def _await_part(self, part, predicate, timeout=20, event=None):
        process = self.parts[part]
        done = self._settled(lambda: predicate() or process.poll() is not None, timeout, event)
        if process.poll() is not None or not done:
            raise WorldError(f"{part} did not come up (exit status {process.poll()})\n{self.log(part)}")

    def _await_byte(self, part, argv, environment):
        """Starts a program that writes to a descriptor, appended to its last argument, when it serves."""
        reader, writer = os.pipe()
        try:
            argv = argv[:-1] + [argv[-1] + str(writer)]
            self._spawn_part(part, argv, environment, pass_fds=(writer,))
            os.close(writer)
            writer = -1
            os.set_blocking(reader, False)

            def readable():
                try:
                    return bool(os.read(reader, 256))
                except BlockingIOError:
                    return False

            self._await_part(part, readable, event=reader)
        finally:
            os.close(reader)
            if writer >= 0:
                os.close(writer)

    def _start_dbus(self, environment):
        self._await_byte("dbus", ["dbus-daemon", f"--config-file={self.dir}/bus.conf", "--nofork", "--nopidfile",
                                  "--nosyslog", "--print-address="], environment)

    def _start_polkitd(self, environment):
        self._spawn_part("polkitd", [POLKITD], environment)
        owners = []
        watch = self.bus().watch_name_owner("org.freedesktop.PolicyKit1", owners.append)
        self._await_part("polkitd", lambda: owners and owners[-1])
        watch.cancel()

    def _start_sim(self, environment):
        self._await_byte("sim", [SIM, "mount", f"--profile={self.profile}", f"--firmware={self.firmware}",
                                 "--mountpoint=/sys/firmware", f"--sysfs={self.sysfs}", f"--control={self.control}",
                                 *([f"--kernel-log={KERNEL_LOG}"] if os.path.exists(KERNEL_LOG) else []),
                                 *self.sim_args,
                                 "--ready-fd="], environment)
        self._fuse_connection = os.minor(os.stat("/sys/firmware").st_dev)
        for path, content in self.sysfs_files.items():
            self.put_sysfs(path, content)

    def _start_lfad(self, environment):
        self.spawn_lfad(**environment)
        self._await_part("lfad", lambda: "READY=1" in self.notified)

    def spawn_lfad(self, **environment):
        """Starts lfad without waiting for READY=1."""
        self.notified.clear()
        self._lfad_runs += 1
        before = memcheck.command(self.dir, BUILD_DIR) if memcheck.wanted() else []
        self._spawn_part("lfad", [*before, *self.lfad_command()], {**self.lfad_environment(), **environment})

    def lfad_command(self):
        """lfad with its arguments, for this world."""
        worker = memcheck.worker(self.dir) if memcheck.wanted() and WORKER == REAL_WORKER else WORKER
        return [LFAD, f"--worker={worker}", f"--config-root={self.config_root}", f"--sysfs={self.sysfs}",
                f"--procfs={self.procfs}",
                *([] if os.path.exists(KERNEL_LOG) else ["--kernel-log=/sys/firmware/.kmsg"]), *self.lfad_args]

    def lfad_environment(self):
        """What the service manager would tell lfad."""
        return {"RUNTIME_DIRECTORY": self.runtime_dir, "STATE_DIRECTORY": self.state_dir,
                "NOTIFY_SOCKET": os.path.join(self.dir, "notify.socket")}

    def start_stand_in(self, part, argv, bus_name):
        """A program that stands in for a service that is not there (see systemd1.py); it ends with the world, after
        lfad."""
        self._spawn_part(part, argv, {})
        self._await_part(part, lambda: self.bus().name_has_owner(bus_name))

    def sysfs_dir(self):
        """What stands in for /sys."""
        return self.sysfs

    def put_sysfs(self, path, content):
        path = os.path.join(self.sysfs, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)

    def put_procfs(self, path, content):
        """A file of what stands in for /proc, which is empty but for these."""
        path = os.path.join(self.procfs, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)

    def configure(self, text, name="etc/lfad/lfad.conf"):
        """Writes a configuration file, by its path below the root; None removes it. lfad is not told."""
        path = os.path.join(self.config_root, name)
        if text is None:
            os.remove(path)
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def reload(self):
        """Has lfad read its configuration again."""
        self.call(PATH, MANAGER, "Reload", "a{sv}", {})

    def worker_pids(self):
        """The lfad-worker processes of this world, found by program and mount namespace."""
        own = _mount_namespace("self")
        pids = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and _is_worker(entry) and _mount_namespace(entry) == own:
                    pids.append(int(entry))
            except OSError:
                continue
        return pids

    def log(self, part, lines=60):
        """The tail of all that a part wrote, over all its lives."""
        text = ""
        for name in sorted(os.listdir(self.log_dir)):
            if name.endswith(f"-{part}.log"):
                with open(os.path.join(self.log_dir, name), encoding="utf-8", errors="replace") as file:
                    text += "".join(f"    {line.rstrip()}\n" for line in file.readlines()[-lines:])
        return text

    def logs(self):
        """All that helps to see what went wrong."""
        if not hasattr(self, "log_dir"):
            return ""
        text = "".join(f"--- {part}\n{self.log(part)}" for part in self.PARTS if self.log(part))
        if self.journal:
            text += "--- journal\n" + "".join(f"    {entry}\n" for entry in self.journal.entries)
        if self.status:
            text += "--- STATUS=\n" + "".join(f"    {line}\n" for line in self.status)
        text += "--- signals\n"
        for item in self._signals[-30:]:
            text += f"    {item.time - self._started:.3f} {item.member} {item.path} {item.args}\n"
        try:
            with open(os.path.join(self.state_dir, "history.jsonl"), encoding="utf-8", errors="replace") as file:
                text += "--- history\n" + "".join("    " + line for line in file)
        except FileNotFoundError:
            pass
        return text

    # -- waiting

    def _settled(self, predicate, timeout, event=None, patience=PATIENCE):
        """Runs the main loop until the predicate holds (True) or the time is over (False). It is asked after every
        event of the loop, when the descriptor `event` becomes readable, and now and then, ever more rarely, for what
        raises no event: files, other processes."""
        context = GLib.MainContext.default()
        deadline = time.monotonic() + timeout * patience
        pause = 5.0 if event is None else 50.0  # milliseconds
        sources, noticed = {}, []

        def tick():  # a source that is added from outside the loop would wake it each time
            nonlocal pause
            pause = max(pause, min(pause * 1.3, 20.0))
            sources["tick"] = GLib.timeout_add(int(pause), tick)
            return False

        tick()
        if event is not None:
            sources["event"] = GLib.io_add_watch(event, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP,
                                                 lambda *_: noticed.append(event) or True)
        try:
            while True:
                noticed.clear()
                while not noticed and context.iteration(False):  # the event lasts until the predicate has seen to it
                    pass
                if predicate():
                    return True
                if time.monotonic() >= deadline:
                    return False
                context.iteration(True)
        finally:
            for source in sources.values():
                GLib.source_remove(source)

    def _ended(self, process, timeout):
        """Waits until a process of ours has ended; False when it has not."""
        if process.poll() is not None:
            return True
        descriptor = os.pidfd_open(process.pid)
        try:
            return self._settled(lambda: process.poll() is not None, timeout, descriptor)
        finally:
            os.close(descriptor)

    def wait_for(self, predicate, timeout=10, what="a condition"):
        """Waits until predicate() is true and returns its value; WorldError names `what` otherwise."""
        found = []

        def check():
            value = predicate()
            if value:
                found.append(value)
            return bool(value)

        if not self._settled(check, timeout):
            raise WorldError(f"waited {timeout * PATIENCE} s in vain for {what}")
        return found[0]

    # -- the simulated firmware

    def sim(self, command):
        """What `lfa-sim ctl COMMAND` does, without a process for each; the output, or WorldError when refused."""
        words = command.split() if isinstance(command, str) else command
        if words[0] == "wait" and "--timeout" not in str(words):
            words = [*words, f"--timeout={10 * PATIENCE}s"]
        line = os.fsencode(shlex.join(words))
        if b"\n" in line:
            raise WorldError(f"a line end in {line} (write \\n)")
        reply = bytearray()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            try:
                channel.connect(self.control)
                channel.sendall(line + b"\n")
                channel.shutdown(socket.SHUT_WR)
                channel.setblocking(False)
                if not self._settled(lambda: _drained(channel, reply), 60, channel.fileno()):
                    raise WorldError(f"lfa-sim did not answer {command}")
            except OSError as error:
                raise WorldError(f"lfa-sim ctl {command}: {error}") from error
        outcome, _, output = reply.decode(errors="replace").partition("\n")
        if not outcome.startswith("ok"):
            raise WorldError(f"lfa-sim ctl {command}: {outcome or 'the simulator is gone'}")
        return output.removesuffix("\n")

    def counters(self):
        """What the simulated driver and firmware counted, by name."""
        return json.loads(self.sim("counters --json"))

    def stores(self):
        """How many writes to `activate` the driver has seen."""
        return self.counters()["activate-stores"]

    def attribute(self, image, name):
        """Straight from the simulated sysfs, as the driver shows it."""
        with open(os.path.join(TREE, GUIDS.get(image, image), name), encoding="utf-8") as file:
            return file.read().strip()

    def recognise_nvnew(self):
        """Lets lfad see the event that tells nvnew from nv3, where images that vanish count as lost."""
        self.sim("uevent change")
        self.wait_for(lambda: self.manager()["DriverProfile"] == "nvnew", what="nvnew to be recognised")

    # -- the bus

    def bus(self):
        """root's own connection, whose signals are recorded."""
        if self._bus is None:
            self._bus = self.connect()
            self._bus.add_message_filter(self._on_message)
            self._bus.add_match_string(f"type='signal',path_namespace='{PATH}'")
        return self._bus

    def forget_bus(self):
        """After the bus has gone: what is called next connects anew."""
        if self._bus:
            self._bus.close()
            self._bus = None

    def connect(self):
        """A further connection of root's; the caller closes it."""
        dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
        connection = dbus.bus.BusConnection(self.bus_address)
        connection.set_exit_on_disconnect(False)
        return connection

    def _on_message(self, _, message):
        if isinstance(message, dbus.lowlevel.SignalMessage) and (message.get_path() or "").startswith(PATH):
            self._signals.append(Signal(time.monotonic(), message.get_sender(), message.get_path(),
                                        message.get_interface(), message.get_member(),
                                        plain(message.get_args_list())))
        return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED

    def signals(self, member=None, path=None):
        """What was recorded so far, oldest first: Signal(time, sender, path, interface, member, args)."""
        return [item for item in self._signals
                if member in (None, item.member) and path in (None, item.path)]

    def changed(self, path, name):
        """All values of a property that PropertiesChanged told, oldest first; None where it was only invalidated."""
        values = []
        for item in self.signals("PropertiesChanged", path):
            if name in item.args[1]:
                values.append(item.args[1][name])
            elif name in item.args[2]:
                values.append(None)
        return values

    def call(self, path, interface, member, signature="", *args, timeout=25):
        """Calls lfad as root. One value, or a list of several; BusError when refused. The reply is taken in its turn
        among the signals, so that what is recorded when this returns came before the reply."""
        outcome = []
        self.bus().call_async(NAME, path, interface, member, signature, args,
                              lambda *values: outcome.append(plain(values)), outcome.append,
                              timeout=timeout * PATIENCE)
        context = GLib.MainContext.default()
        while not outcome:
            context.iteration(True)
        if isinstance(outcome[0], dbus.DBusException):
            raise BusError(outcome[0].get_dbus_name(), outcome[0].get_dbus_message())
        return outcome[0][0] if len(outcome[0]) == 1 else outcome[0]

    def call_as(self, user, path, interface, member, signature="", *args, interactive=True, agent=None, timeout=25):
        """The same, from a process of another user. agent: the polkit agent that speaks for this caller."""
        request = {"path": path, "interface": interface, "member": member, "signature": signature, "args": args,
                   "interactive": interactive, "timeout": timeout * PATIENCE}
        done = self.as_user(user, ["caller.py", json.dumps(request)], agent=agent, timeout=timeout + 10)
        if done.returncode != 0:
            raise WorldError(f"the caller failed: {done.stderr}")
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise BusError(answer["error"], answer["message"])
        return answer["result"][0] if len(answer["result"]) == 1 else answer["result"]

    def as_user(self, user, argv, agent=None, timeout=30):
        """Runs a program as that user (None: root) in this world; CompletedProcess with text."""
        process = self._spawn_client(argv, user, agent is not None)
        if agent:
            agent.register(process.pid)
            process.stdin.write(b"go\n")
            process.stdin.close()
        return self._finish(process, timeout)

    def spawn_as(self, user, argv, agent=None):
        """Like as_user, without waiting; finish(process) collects it."""
        process = self._spawn_client(argv, user, agent is not None)
        if agent:
            agent.register(process.pid)
            process.stdin.write(b"go\n")
            process.stdin.close()
        return process

    def finish(self, process, timeout=30):
        return self._finish(process, timeout)

    @staticmethod
    def said(process):
        """What a program started by spawn_as has written so far, output and errors."""
        return "".join(os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace") for file in process.files)

    def _spawn_client(self, argv, user, gated):
        """Output goes to files, so that nobody ever blocks on a full pipe. A gated program waits for a line on
        standard input before it begins, with its final pid already."""
        if gated:
            argv = ["sh", "-c", 'read -r _; exec "$@" </dev/null', "sh", *argv]
        # The world's PATH decides which program is meant, and Popen would ask this process's own.
        program = shutil.which(argv[0], path=self.environment["PATH"])
        if program is None:
            raise WorldError(f"there is no program {argv[0]}")
        if user is not None:
            program = "/usr/bin/setpriv"
            entry = pwd.getpwnam(user)
            argv = ["/usr/bin/setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", *argv]
        # pylint: disable=consider-using-with
        output, errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        process = subprocess.Popen(argv, executable=program, stdin=subprocess.PIPE if gated else subprocess.DEVNULL,
                                   stdout=output, stderr=errors, env=self.environment, cwd="/",
                                   preexec_fn=end_with_parent)
        process.files = (output, errors)
        return process

    def _finish(self, process, timeout):
        if not self._ended(process, timeout):
            process.kill()
            process.wait(10)
            raise WorldError(f"{process.args} did not end within {timeout * PATIENCE} s")
        texts = []
        for file in process.files:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
            file.close()
        return subprocess.CompletedProcess(process.args, process.returncode, *texts)

    # -- lfad's objects

    def properties(self, path, interface):
        return self.call(path, PROPERTIES, "GetAll", "s", interface)

    def manager(self):
        """The Manager's properties."""
        return self.properties(PATH, MANAGER)

    def image_path(self, image):
        """Of a simulated image by its alias or GUID, made here and not asked for."""
        return f"{PATH}/image/{GUIDS.get(image, image).replace('-', '_')}"

    def image(self, image):
        """An image's properties; BusError when there is no such image."""
        return self.properties(self.image_path(image), IMAGE)

    def images(self):
        """GetManagedObjects: path -> interface -> properties."""
        return self.call(PATH, OBJECT_MANAGER, "GetManagedObjects")

    def refresh(self):
        self.call(PATH, MANAGER, "Refresh", "a{sv}", {})

    def stage(self, image, version):
        """New firmware waits in the simulated machine, and lfad has found it."""
        self.sim(["stage", image, version])
        self.refresh()

    def activate(self, image, **options):
        """Asks for an activation as root and returns the job's path. Options with _ for -."""
        options = {key.replace("_", "-"): value for key, value in options.items()}
        return self.call(PATH, MANAGER, "Activate", "sa{sv}", image, options)

    def activate_as(self, user, image, agent=None, interactive=True, **options):
        options = {key.replace("_", "-"): value for key, value in options.items()}
        return self.call_as(user, PATH, MANAGER, "Activate", "sa{sv}", image, options, agent=agent,
                            interactive=interactive)

    def job(self, path):
        """A job's properties; readable for a minute after its end."""
        return self.properties(path, JOB)

    def wait_job(self, path, timeout=12):
        """Waits until lfad says that the job has ended, and returns its properties."""
        self.wait_for(lambda: any(item.args[1] == path for item in self.signals("JobRemoved")), timeout,
                      f"JobRemoved of {path}")
        return self.job(path)

    def wait_job_state(self, path, state, timeout=10):
        self.wait_for(lambda: self.job(path)["State"] == state, timeout, f"{path} to be {state}")

    def run_job(self, image, **options):
        """Activates and waits for the end: the job's properties."""
        return self.wait_job(self.activate(image, **options))

    @staticmethod
    def job_id(path):
        return int(path.rsplit("/", 1)[1])

    def history_file(self, record_type=None, job=None):
        """The records on disk, oldest first; what is no record is left out. Of one type and one job if given."""
        found = []
        for name in records.FILES:
            with contextlib.suppress(FileNotFoundError), \
                    open(os.path.join(self.state_dir, name), encoding="utf-8", errors="replace") as file:
                found += records.parse(file.read(), record_type, job)
        return found

    def grow_history(self, folder=None):
        """Lines that are no records, so that the newest file has its part of HistoryMaxBytes=64K."""
        with open(os.path.join(folder or self.state_dir, "history.jsonl"), "ab") as file:
            file.write((b"#" * 4095 + b"\n") * 4)

    def wait_record(self, record_type, job=None, timeout=12):
        """Waits for a record of that type (of that job) on disk and returns the newest."""
        return self.wait_for(lambda: self.history_file(record_type, job), timeout,
                             f"a record '{record_type}' of job {job}")[-1]

    def lfactl(self, *args, user=None, agent=None, timeout=60):
        """Runs lfactl as shipped; CompletedProcess."""
        return self.as_user(user, ["lfactl", *args], agent=agent, timeout=timeout)

    # -- polkit

    def polkit_rule(self, text, name="50-test.rules"):
        """Puts a rules file in place and waits until polkitd has it."""
        before = self.log("polkitd", 1000).count("Finished loading")
        path = os.path.join(self.rules_dir, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        if self.running("polkitd"):
            self.wait_for(lambda: self.log("polkitd", 1000).count("Finished loading") > before, 10,
                          "polkitd to load the rules again")

    def agent(self, mode, on_prompt=None):
        """A polkit agent (see agent.py) as a context manager; pass it to call_as, as_user, activate_as, lfactl."""
        import agent  # here, since it needs polkitd's bus only when it is used  # pylint: disable=C0415

        return _Closing(agent.Agent(self.connect(), mode, on_prompt))


class _Closing:
    def __init__(self, thing):
        self.thing = thing

    def __enter__(self):
        return self.thing

    def __exit__(self, *_):
        self.thing.close()


class TestCase(unittest.TestCase):
    """A test with a world of its own in self.world. `options` are World's arguments for the whole class. What all
    parts said is printed when a test fails."""

    options = {}

    def setUp(self):
        self._logs = ""
        self.world = World(**self.options)
        self.world.__enter__()
        self.addCleanup(self._end_world)

    def _end_world(self):
        self._logs = self.world.logs()
        try:
            self.world.close()
        finally:
            self._logs = self._logs or self.world.logs()

    def run(self, result=None):
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before and getattr(self, "_logs", ""):
            sys.stderr.write(f"\n=== {self.id()}\n{self._logs}\n")
        return result

    def assertBusError(self, name, call, *args, **options):
        """The call is refused with this error: a short name of org.arm.LFA1.Error, or a full one. Returns it."""
        names = [item if "." in item else ERROR + item for item in ([name] if isinstance(name, str) else name)]
        try:
            result = call(*args, **options)
        except BusError as error:
            self.assertIn(error.name, names, str(error))
            return error
        self.fail(f"not refused with {' or '.join(names)}, but answered {result!r}")

    def assertNotActivated(self, image, *errors, **options):
        """The call is refused with one of these errors, or the job is: which one depends on how old the last reading is."""
        try:
            job = self.world.run_job(image, **options)
        except BusError as error:
            self.assertIn(error.name.removeprefix(ERROR), errors, str(error))
            return
        self.assertEqual(job["Result"], "refused", job)
        self.assertIn(job["Error"].removeprefix(ERROR), errors, job)

    def assertEnded(self, job, result, error=""):
        """A job's properties say how it ended; error is a short name."""
        got = (job["State"], job["Result"], job["Error"].removeprefix(ERROR))
        self.assertEqual(got, ("done", result, error), job["Message"])


def opens_of(path):
    """A descriptor that becomes readable each time the file, or one in the folder, is opened: inotify(7)."""
    watch = _libc.inotify_init1(os.O_CLOEXEC)
    if watch < 0 or _libc.inotify_add_watch(watch, path.encode(), 0x20) < 0:  # IN_OPEN
        raise OSError(ctypes.get_errno(), "inotify")
    return watch


@contextlib.contextmanager
def opened_in(folder):
    """Gives a function that tells the names of all files that were opened in the folder meanwhile."""
    names = set()
    watch = opens_of(folder)
    os.set_blocking(watch, False)

    def collect():
        with contextlib.suppress(BlockingIOError):
            while True:
                data = os.read(watch, 65536)
                while data:
                    size = struct.unpack_from("iIII", data)[3]
                    names.add(data[16:16 + size].rstrip(b"\0").decode())
                    data = data[16 + size:]
        return names

    try:
        yield collect
    finally:
        os.close(watch)


def main():
    """Runs the tests of the calling script in private namespaces."""
    enter()
    unittest.main(module="__main__", verbosity=2)
