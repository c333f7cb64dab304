# SPDX-License-Identifier: LGPL-2.1-or-later
"""A world whose lfad lives in virtual time, on a disk that fails on command, with a worker that does."""

import fcntl
import json
import os
import shlex
import shutil
import socket
import subprocess
import time

import damaged_worker
import login1
import systemd1
import timedate1
import virtual_time
import world
from gi.repository import GLib
from virtual_time import SECOND

FAULTFS = os.path.join(world.BUILD_DIR, "tests/faultfs/faultfs")
PATIENCE = 180  # real seconds, whatever a caller thinks: nothing here is judged by how long it takes
WATCHDOG = "class/watchdog/watchdog0"
WATCHDOG_HAS = 10  # seconds: too short for an activation, so that lfad has systemd raise it
HOP = 2 * SECOND  # so much time passes at most before lfad is looked at again
BEGINNING = 1772452800 * SECOND  # a Monday at noon: a seed meets the same windows and freezes whenever it runs
RESTORING_MAX = 10  # questions to systemd: more than lfad ever has until all is as it was


class SoakWorld(world.World):
    """Time passes whenever somebody waits and lfad has nothing to do but wait, too. stuck: firmware hangs because it
    was told to, so that a worker in the driver is no reason for the time to stand still. frozen: it stands."""

    def __init__(self, **options):
        super().__init__(parts=("dbus", "polkitd", "sim"), **options)
        self.time = None
        self._faultfs = None
        self.stuck = self.frozen = False

    def __enter__(self):
        super().__enter__()
        try:
            self._add_parts()
        except BaseException:
            self.close(check=False)
            raise
        return self

    def _add_parts(self):
        self.disk = self._folder("disk")
        # pylint: disable-next=consider-using-with
        self._faultfs = subprocess.Popen([FAULTFS, self.state_dir, self.disk], stdin=subprocess.DEVNULL,
                                         preexec_fn=world.end_with_parent)
        self.wait_for(lambda: world.mounted_on(self.disk), what="faultfs to be mounted")
        self._ping = self.connect()
        for name, value in {"identity": "Soak Watchdog", "state": "active", "timeout": WATCHDOG_HAS, "pretimeout": 0,
                            "min_timeout": 1, "max_timeout": 60, "nowayout": 0}.items():
            self.put_sysfs(f"{WATCHDOG}/{name}", f"{value}\n")
        self.systemd1 = systemd1.Systemd1(self, runtime=WATCHDOG_HAS * SECOND, hardware="watchdog0")
        self.login1 = login1.Login1(self.connect())
        self.timedate1 = timedate1.Timedate1(self.connect())
        self.worker = damaged_worker.DamagedWorker(self.dir, world.WORKER)
        self.time = virtual_time.VirtualTime(os.path.join(self.dir, "time"), virtual_time.library(world.BUILD_DIR))
        self.time.set_wall(BEGINNING - self.time.wall())

    def close(self, check=True):
        try:
            super().close(check)
        finally:
            if self._faultfs:
                self._faultfs.wait(20)

    def stop(self, part, timeout=20):
        if part == "dbus" and self.time:  # lfad has ended by then, and the stand-ins give their names back
            self.login1.close()
            self.timedate1.close()
            self._ping.close()
        super().stop(part, timeout)

    def _end_orphans(self):
        super()._end_orphans()
        if hasattr(self, "disk"):
            subprocess.run(["umount", "--lazy", self.disk], check=False)

    def start_lfad(self):
        self.start("lfad", STATE_DIRECTORY=self.disk, LFAD_SOAK_DAMAGED=self.worker.path, **self.time.environment)

    def restart_host(self, **_):
        if self.running("lfad"):
            self.kill("lfad")
        self.systemd1.stop()  # it and the hardware begin anew, too
        self.put_sysfs(f"{WATCHDOG}/timeout", f"{WATCHDOG_HAS}\n")
        self.systemd1.start()
        super().restart_host(STATE_DIRECTORY=self.disk, LFAD_SOAK_DAMAGED=self.worker.path, **self.time.environment)

    def watchdog_timeout(self):
        """What the hardware has, in seconds."""
        with open(os.path.join(self.sysfs, WATCHDOG, "timeout"), encoding="ascii") as file:
            return int(file.read())

    def raised(self):
        """Whether lfad had systemd raise its watchdog, since that started."""
        return any(value > WATCHDOG_HAS * SECOND for value in self.systemd1.sets)

    def taken(self):
        """What lfad took for an activation and has not given back, in words."""
        found = [f"logind's lock {lock}" for lock in self.login1.locks]
        runtime, timeout = self.systemd1.runtime, self.watchdog_timeout()
        if timeout != WATCHDOG_HAS or runtime != WATCHDOG_HAS * SECOND:
            found.append(f"systemd's watchdog: {runtime} µs, {timeout} s in the hardware")
        if os.path.exists(os.path.join(self.runtime_dir, "watchdog.lease")):
            found.append("the watchdog's lease")
        with open(os.path.join(self.runtime_dir, "activation.lock"), "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append("the activation lock")
        return found

    def kept(self):
        """Like taken(), of what lfad does not give back. It shows a job's end first and tells systemd then: its
        questions are answered before ours, and it has heard the answers before it answers us. No time passes
        meanwhile, so that no poll makes good what was forgotten."""
        self.frozen = True
        try:
            for _ in range(RESTORING_MAX):
                if not self.taken():
                    break
                self.manager()
            return self.taken()
        finally:
            self.frozen = False

    def remove_sysfs(self, path):
        shutil.rmtree(os.path.join(self.sysfs, path))

    def disk_fault(self, *words):
        with open(os.path.join(self.disk, ".control"), "w", encoding="utf-8") as file:
            file.write(" ".join(words) + "\n")

    def damage(self, verb, mode):
        self.worker.mode(verb, mode)
        self.time.damage_workers(verb != "none")

    # -- waiting

    def _may_move(self):
        if self.frozen or self.time is None or not self.running("lfad"):
            return False
        return self.time.idle() or (self.stuck and self.time.sleeps() and self._all_in_driver())

    def _all_in_driver(self):
        """No worker is only late: lfad would lose its patience with one that is well. That of an lfad that was killed
        is in the driver, too, and not among those of the next lfad."""
        calls = sum(image.get("directory", {}).get("calls", 0) for image in self.truth()[0].values())
        return max(self.time.workers(), len(self.worker_pids())) <= calls

    def _bus_is_quiet(self, context):
        """What lfad or we had sent has come where it was sent to, so that nobody is late who only was not heard. And
        systemd, a process of its own, has answered what it was asked before."""
        for _ in range(2):
            self._ping.call_blocking(systemd1.NAME, systemd1.PATH, systemd1.CONTROL, "Runtime", "", (),
                                     timeout=PATIENCE)
            self._ping.call_blocking("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId",
                                     "", (), timeout=PATIENCE)
            if context.pending() or not self._may_move():
                return False
        return True

    @staticmethod
    def _wait_a_moment(context):
        """Until something comes, or a millisecond has passed. Not by a source that stays: where all takes longer than
        that it would be due whenever somebody looks, and nothing would ever be quiet."""
        tick = GLib.timeout_add(1, lambda: False)
        context.iteration(True)
        if context.find_source_by_id(tick):
            GLib.source_remove(tick)

    def _hop(self):
        until = self.time.until_next_timer()
        if until:
            self.time.move(min(until + 1000, HOP))

    def _settled(self, predicate, timeout, event=None, **_):
        context = GLib.MainContext.default()
        deadline = time.monotonic() + max(timeout, PATIENCE)
        noticed = []
        watch = None if event is None else GLib.io_add_watch(event, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP,
                                                             lambda *_: noticed.append(event) or True)
        quiet = 0
        try:
            while True:
                noticed.clear()
                while not noticed and context.pending():
                    context.iteration(False)
                    if context.pending():
                        quiet = 0
                if predicate():
                    return True
                if time.monotonic() >= deadline:
                    return False
                quiet = quiet + 1 if self._may_move() else 0
                if quiet >= 3 and self._bus_is_quiet(context):
                    self._hop()
                    quiet = 0
                self._wait_a_moment(context)
        finally:
            if watch:
                GLib.source_remove(watch)

    def pause(self, seconds):
        """So much virtual time passes in steps, so that lfad does all that it does meanwhile."""
        until = self.time.monotonic() + int(seconds * SECOND)
        if self.running("lfad"):
            self._settled(lambda: self.time.monotonic() >= until, PATIENCE)
        else:
            self.time.move(max(0, until - self.time.monotonic()))

    def call(self, path, interface, member, signature="", *args, timeout=25):
        """Like World.call, while the time passes."""
        outcome = []
        self.bus().call_async(world.NAME, path, interface, member, signature, args,
                              lambda *values: outcome.append(world.plain(values)), outcome.append, timeout=PATIENCE)
        self._settled(lambda: outcome, PATIENCE)
        if not outcome:
            raise world.WorldError(f"{member} was not answered")
        if isinstance(outcome[0], world.dbus.DBusException):
            raise world.BusError(outcome[0].get_dbus_name(), outcome[0].get_dbus_message())
        return outcome[0][0] if len(outcome[0]) == 1 else outcome[0]

    def forget_signals(self):
        self._signals.clear()
        self.status.clear()

    # -- what only the simulator knows

    def sim(self, command):
        """Like World.sim, at once: the simulator needs nothing of us to answer."""
        words = command.split() if isinstance(command, str) else command
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(PATIENCE)
            channel.connect(self.control)
            channel.sendall(shlex.join(words).encode() + b"\n")
            channel.shutdown(socket.SHUT_WR)
            reply = b""
            while data := channel.recv(65536):
                reply += data
        outcome, _, output = reply.decode(errors="replace").partition("\n")
        if not outcome.startswith("ok"):
            raise world.WorldError(f"lfa-sim ctl {command}: {outcome or 'the simulator is gone'}")
        return output.removesuffix("\n")

    def truth(self):
        """alias or GUID -> what firmware has and what the driver shows, {"firmware": ..., "directory": ...}; and the
        counters."""
        shown = json.loads(self.sim("show --json"))
        return {image["guid"]: image for image in shown["images"]}, shown["counters"]
