# SPDX-License-Identifier: LGPL-2.1-or-later
"""journald's socket in a world: takes what lfad sends by the native protocol, and shows it as entries.

journald itself is no part of this tier. What is checked here is what it would be given, each byte of it."""

import contextlib
import os
import re
import select
import socket
import struct
import threading

SOCKET = "/run/systemd/journal/socket"
QUEUE_LENGTH = "/proc/sys/net/unix/max_dgram_qlen"
_SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_LEVELS = ("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")


def events():
    """{name: (id, priority)} of the project's table."""
    with open(os.path.join(_SOURCE_DIR, "include/lfa/message-ids.h"), encoding="utf-8") as file:
        rows = re.findall(r'X\(\w+, "([a-z-]+)", (\w+),[\s\\]*"([0-9a-f]{32})"\)', file.read())
    return {name: (message_id, _LEVELS.index(level)) for name, level, message_id in rows}


EVENTS = events()
NAMES = {message_id: name for name, (message_id, _) in EVENTS.items()}


def parse(data):
    """[(name, value), ...] of one datagram; ValueError for what journald would not understand."""
    fields = []
    while data:
        line, end, rest = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size, = struct.unpack("<Q", rest[:8])
            value, end, rest = rest[8:8 + size], rest[8 + size:9 + size], rest[9 + size:]
        if end != b"\n" or not re.fullmatch(rb"[A-Z][A-Z0-9_]{0,63}", name):
            raise ValueError("no entry")
        fields.append((name.decode(), value.decode()))
        data = rest
    return fields


class Entry:
    """What one entry says: entry[NAME] is its value, None without one; all(NAME) are all of them."""

    def __init__(self, data):
        self.fields = parse(data)
        self.event = NAMES.get(self["MESSAGE_ID"])  # None: a line

    def __getitem__(self, name):
        return next(iter(self.all(name)), None)

    def all(self, name):
        return [value for key, value in self.fields if key == name]

    def names(self):
        return {name for name, _ in self.fields}

    def __repr__(self):
        return f"{self.event or 'line'} {dict(self.fields)}"


class Journal:
    """Takes entries as they come, in a thread: who sends must not have to wait for a test that does something else.
    pause() stops that, as a journald that hangs does, until go_on()."""

    def __init__(self):
        with contextlib.suppress(OSError), open(QUEUE_LENGTH, "w", encoding="ascii") as file:
            file.write("512")  # as systemd has it; of this network namespace
        os.makedirs(os.path.dirname(SOCKET), exist_ok=True)
        self.entries = []
        self.faults = []  # what journald would not understand
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.bind(SOCKET)
        self._wake, self._waker = socket.socketpair()
        self._running = False
        self.go_on()

    def _take(self):
        while True:
            ready, _, _ = select.select([self._socket, self._wake], [], [])
            if self._socket in ready:
                self._add(self._socket.recv(1 << 20))
            elif self._wake in ready:
                self._wake.recv(1)
                return

    def _add(self, data):
        try:
            self.entries.append(Entry(data))
        except (ValueError, struct.error) as error:
            self.faults.append(f"{error}: {data!r}")

    def go_on(self):
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()
        self._running = True

    def pause(self):
        if self._running:
            self._waker.send(b"x")
            self._thread.join()
            self._running = False

    def close(self):
        self.pause()
        for channel in (self._socket, self._wake, self._waker):
            channel.close()

    def events(self, name, **fields):
        """The entries of one kind whose LFA_ fields are these, oldest first."""
        if name not in EVENTS:
            raise ValueError(f"there is no event {name}")
        return [entry for entry in list(self.entries) if entry.event == name
                and all(entry["LFA_" + key.upper()] == str(value) for key, value in fields.items())]
