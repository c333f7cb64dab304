# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of the mounted simulator: files, events, and the control socket as firmware's side. One Case is one test:
what it starts it ends."""

import ctypes
import errno
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from contract import RMM

FIRMWARE = "/sys/firmware"
LFA = f"{FIRMWARE}/lfa"
# Seconds, for what must happen, on a machine however slow.
DEADLINE = int(os.environ.get("SIM_CONFORMANCE_DEADLINE", "60"))
libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The simulator did not do what it was told."""


def path(guid, name):
    return f"{LFA}/{guid}/{name}"


def result_of(call, *arguments, **options):
    """What the call returns, or its negative errno."""
    try:
        return call(*arguments, **options)
    except OSError as error:
        return -error.errno


def close(fd):
    """Closing flushes, which fails where the file system has ended."""
    result_of(os.close, fd)


def read(guid, name):
    """The file's bytes, or a negative errno."""
    return result_of(read_path, path(guid, name))


def read_path(name):
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 8192)
    finally:
        close(fd)


def text(guid, name):
    """The line without its end."""
    data = read(guid, name)
    expect(isinstance(data, bytes) and data[-1:] == b"\n" and data.count(b"\n") == 1, f"{name} is a line: {data!r}")
    return data[:-1].decode(errors="surrogateescape")


def write(guid, name, data=b"1"):
    """One open, one write(2): its count or a negative errno."""
    fd = result_of(os.open, path(guid, name), os.O_WRONLY | os.O_CLOEXEC)
    if fd < 0:
        return fd
    try:
        return result_of(os.write, fd, data)
    finally:
        close(fd)


def activate(guid):
    return write(guid, "activate")


def open_errno(name, flags=os.O_RDONLY, **options):
    """0 or a negative errno."""
    fd = result_of(os.open, name, flags | os.O_CLOEXEC, **options)
    if fd >= 0:
        close(fd)
    return min(fd, 0)


def directories():
    return set(os.listdir(LFA))


def inode(guid):
    return os.stat(f"{LFA}/{guid}").st_ino


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def same(actual, expected, what):
    expect(actual == expected, f"{what}: {actual!r} instead of {expected!r}")


def until(condition, what):
    """Waits for a condition that another process or thread brings about; returns what it gives."""
    end = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        expect(time.monotonic() < end, f"waited in vain for {what}")
        time.sleep(0.001)


class Call(threading.Thread):
    """A function that may block, in a thread of its own."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self.call, self.value = (function, arguments), None
        self.start()

    def run(self):
        self.value = self.call[0](*self.call[1])

    def result(self):
        self.join(DEADLINE)
        expect(not self.is_alive(), "the call returns")
        return self.value


class Listener:
    """A udev monitor of this network namespace: netlink group 2, libudev's format."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 15)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
        self.socket.bind((0, 2))
        self.seen = []

    def take(self):
        """All events that have come since the last call, as dictionaries."""
        events = []
        while select.select([self.socket], [], [], 0)[0]:
            message = self.socket.recv(65536)
            expect(message.startswith(b"libudev\0") and struct.unpack(">I", message[8:12])[0] == 0xfeedcafe,
                   "an event as libudev reads it")
            offset, length = struct.unpack("II", message[16:24])
            pairs = message[offset:offset + length].decode().rstrip("\0").split("\0")
            events.append(dict(pair.split("=", 1) for pair in pairs))
        self.seen += events
        return events

    def actions(self):
        return [event["ACTION"] for event in self.take()]

    def close(self):
        self.socket.close()


class Watch:
    """inotify on some files and folders."""
    EVERYTHING = 0x2 | 0x4 | 0x8 | 0xc0 | 0x100 | 0x200 | 0x400 | 0x800  # no accesses, no opens

    def __init__(self, *paths):
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        for name in paths:
            expect(libc.inotify_add_watch(self.fd, name.encode(), self.EVERYTHING) >= 0, f"a watch on {name}")

    def events(self):
        try:
            return os.read(self.fd, 65536)
        except BlockingIOError:
            return b""

    def close(self):
        os.close(self.fd)


class Case:
    """One test of one driver version. `sim` options that differ from the default are named in start()."""
    program = None  # set by the runner
    directory = None

    def __init__(self, profile):
        self.profile, self.process, self.control, self.owned, self.children = profile, None, None, [], []

    def start(self, firmware="versioned", *options, oops=False):
        """Section 7 is about errnos, hence no oopses unless a test is about them."""
        self.control = tempfile.mktemp(dir=self.directory)
        ready, ready_end = os.pipe()
        self.process = subprocess.Popen(
            [self.program, "mount", f"--profile={self.profile}", f"--firmware={firmware}",
             f"--control={self.control}", f"--ready-fd={ready_end}", *options],
            pass_fds=[ready_end], stdin=subprocess.DEVNULL)
        os.close(ready_end)
        started = os.read(ready, 1)
        os.close(ready)
        expect(started, "lfa-sim starts")
        self.ctl(f"oops {'on' if oops else 'off'}")
        return self

    def stop(self):
        """Ends the simulator in good order; whoever is blocked in a call gets an error."""
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("lfa-sim ends when told to") from None
        finally:
            self.process = None
        same(status, 0, "exit status of lfa-sim")
        expect(not os.path.exists(LFA), "nothing is left behind")

    def kill(self):
        if self.process:
            self.process.kill()

    def end(self):
        try:
            self.stop()
        finally:
            while result_of(os.listdir, FIRMWARE) == -errno.ENOTCONN:  # it was killed: the next test has its own
                libc.umount2(FIRMWARE.encode(), 2)  # MNT_DETACH
            for thing in self.owned:
                thing.close()
            for pid in self.children:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def ctl(self, line):
        """Tells the simulator; returns what it answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.control)
            connection.sendall(line.encode() + b"\n")
            connection.shutdown(socket.SHUT_WR)
            reply = b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="surrogateescape")
        if not reply.startswith("ok\n"):
            raise Refused(f"{line}: {reply.strip()}")
        return reply[3:-1]

    def refused(self, line):
        """Why the simulator does not do it."""
        try:
            self.ctl(line)
        except Refused as error:
            return str(error)
        raise AssertionError(f"{line} is refused")

    def counters(self):
        return json.loads(self.ctl("counters --json"))

    def count(self, *names):
        counters = self.counters()
        return sum(counters[name] for name in names)

    def calls(self):
        """Firmware calls of any kind."""
        return self.count("smc-info", "smc-inventory", "smc-prime", "smc-activate", "smc-cancel")

    def show(self):
        return json.loads(self.ctl("show --json"))

    def image(self, guid):
        return next(image for image in self.show()["images"] if image["guid"] == guid)

    def log(self):
        """(level, text) of each line."""
        return [(int(level), line) for level, line in re.findall(r"^<(\d)>(.*)$", self.ctl("log"), re.MULTILINE)]

    def logged(self, part):
        return [line for _, line in self.log() if part in line]

    def elapsed(self):
        """Of the last write to activate, simulated seconds."""
        times = json.loads(self.ctl("times --json"))
        return (times["activate-return"] - times["activate-entry"]) / 1e6

    def settle(self):
        """Until the driver's own work is done."""
        self.ctl(f"wait idle --timeout={DEADLINE}s")

    def hurry(self):
        """Lets everything that only takes time come to its end."""
        self.ctl("speed 100000")
        self.settle()
        self.ctl("speed 1")

    def after(self, duration):
        """Reads a pending attribute, which takes so long in simulated time: all that was due by then is done when it
        returns, and nothing that is due much later as long as the simulator is slow. Real time decides nothing."""
        self.ctl(f"slow read {duration}")
        expect(isinstance(read(RMM, "activation_pending"), bytes), "a read that takes a while")
        self.ctl("slow read 0")

    def offer(self, guid, version="9.1"):
        """Stages an image and reads pending, as one has to."""
        self.ctl(f"stage {guid} {version}")
        same(text(guid, "activation_pending"), "1", "pending after staging")

    def succeed(self, guid, version="9.1"):
        """One activation that works, and the end of what follows it."""
        self.offer(guid, version)
        same(activate(guid), 1, "a plain activation")
        self.settle()

    def entered(self, n=1):
        """Until the nth write to activate since the counters were reset is in the driver."""
        self.ctl(f"wait activate-entered --count={n} --timeout={DEADLINE}s")

    def begin(self, guid, call="prime"):
        """A write to activate in a thread, once firmware has seen the first such call of it."""
        before = self.count(f"smc-{call}")
        writing = Call(activate, guid)
        until(lambda: self.count(f"smc-{call}") > before, f"the first {call}")
        return writing

    def begin_hanging(self, guid):
        """A write to activate that hangs in its first ACTIVATE: PRIME is over and the locks are taken."""
        self.ctl("hang activate")
        return self.begin(guid)

    def blocked(self, guid, n=1):
        """Until n calls wait in the driver for that image; calls that do not wait are never seen there."""
        until(lambda: self.image(guid)["directory"]["calls"] >= n, f"{n} blocked calls")

    def child(self, guid):
        """A process that writes to activate, and then is gone with status 0 if that worked."""
        pid = os.fork()
        if pid == 0:
            os._exit(0 if activate(guid) == 1 else 1)
        self.children.append(pid)
        return pid

    def reap(self, pid):
        """Its wait status."""
        def gone():
            done, status = os.waitpid(pid, os.WNOHANG)
            return (status,) if done else None
        status = until(gone, "the end of the process")[0]
        self.children.remove(pid)
        return status

    def listen(self):
        """To be called before start() to hear all of it."""
        listener = Listener()
        self.owned.append(listener)
        return listener

    def watch(self, *paths):
        watch = Watch(*paths)
        self.owned.append(watch)
        return watch


def raw_write(fd, data):
    """write(2) that is not begun anew after EINTR."""
    count = libc.write(fd, data, len(data))
    return count if count >= 0 else -ctypes.get_errno()


def errno_name(number):
    return errno.errorcode.get(-number, str(number))
