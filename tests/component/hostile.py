# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests in hostile and broken surroundings share: watching lfad, and a client that obeys nobody."""

import os
import socket
import struct

import world
from world import MANAGER, NAME, PATH

UNNAMED = "0509b633-5734-422f-a681-6096e932d93a"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"


def align(data, size):
    return data + b"\0" * (-len(data) % size)


def marshal_string(data):
    return struct.pack("<I", len(data)) + data + b"\0"


NO_OPTIONS = b"\0" * 8  # an empty a{sv} at the beginning of a body: its length, and up to the first entry
NAMED = align(align(marshal_string(b"rmm"), 4) + b"\0" * 4, 8)  # "rmm" and no options


class RawClient:
    """A connection to the bus that obeys nobody: messages are put together by hand. A socket, no more."""

    def __init__(self, a_world, descriptors=False):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(a_world.bus_address.removeprefix("unix:path="))
        self.socket.settimeout(120)
        self.serial = 0
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.geteuid()).encode().hex().encode() + b"\r\n")
        if not self.socket.recv(200).startswith(b"OK"):
            raise world.WorldError("the bus does not authenticate a raw client")
        if descriptors:
            self.socket.sendall(b"NEGOTIATE_UNIX_FD\r\n")
            if not self.socket.recv(200).startswith(b"AGREE_UNIX_FD"):
                raise world.WorldError("the bus takes no descriptors of a raw client")
        self.socket.sendall(b"BEGIN\r\n")
        self.send("Hello", destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
                  interface="org.freedesktop.DBus")
        self.received = b""
        self.receive(1)

    def send(self, member, signature="", body=b"", *, kind=1, flags=0, destination=NAME, path=PATH, interface=MANAGER,
             descriptors=()):
        self.serial += 1
        fields = b""
        for code, sort, value in ((1, b"o", path), (2, b"s", interface), (3, b"s", member), (6, b"s", destination),
                                  (8, b"g", signature)):
            if value:
                fields = align(fields, 8) + struct.pack("<B", code) + b"\x01" + sort + b"\0"
                data = value.encode()
                fields += struct.pack("<B", len(data)) + data + b"\0" if sort == b"g" else marshal_string(data)
        if descriptors:
            fields = align(fields, 8) + b"\x09\x01u\0" + struct.pack("<I", len(descriptors))
        header = struct.pack("<BBBBIII", ord("l"), kind, flags, 1, len(body), self.serial, len(fields)) + fields
        message = align(header, 8) + body
        if descriptors:
            if socket.send_fds(self.socket, [message], descriptors) != len(message):
                raise world.WorldError("the bus took a part of a message only")
        else:
            self.socket.sendall(message)
        return self.serial

    def receive(self, replies):
        """Waits until so many replies or errors have come in; the set of the serials they answer."""
        answered = set()
        while len(answered) < replies:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError("the bus has hung up")
            self.received += data
            answered |= self._take_messages()
        return answered

    def _take_messages(self):
        answered = set()
        while len(self.received) >= 16:
            length, _, fields = struct.unpack_from("<III", self.received, 4)
            total = 16 + fields + (-fields % 8) + length
            if len(self.received) < total:
                break
            message, self.received = self.received[:total], self.received[total:]
            place = message.find(b"\x05\x01u\0", 16, 16 + fields)
            if message[1] in (2, 3) and place >= 0:
                answered.add(struct.unpack_from("<I", message, place + 4)[0])
        return answered

    def hung_up(self):
        """True when the bus ends the connection."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True

    def close(self):
        self.socket.close()


class HostileTest(world.TestCase):
    def lfad_pid(self):
        return self.world.parts["lfad"].pid

    def rss_kib(self):
        with open(f"/proc/{self.lfad_pid()}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def assertMemoryGrewLessThan(self, before, kib):
        """Sanitizers and memcheck keep what was freed and pad what was not, so that the size says nothing there: the
        runs with them find leaks by themselves, the plain one judges the size."""
        with open(f"/proc/{self.lfad_pid()}/maps", encoding="utf-8") as file:
            maps = file.read()
        if not any(name in maps for name in ("libasan", "libtsan", "vgpreload_memcheck")):
            self.assertLess(self.rss_kib() - before, kib)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.lfad_pid()}/fd"))

    def manager_call(self, member, signature="", *args):
        return self.world.call(PATH, MANAGER, member, signature, *args)

    def assertServes(self):
        """lfad is the one it was, and activates."""
        self.assertTrue(self.world.running("lfad"), self.world.log("lfad"))
        self.world.stage("rmm", self.next_version())
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def next_version(self):
        major = int(float(self.world.attribute("rmm", "current_version") or "1"))
        return f"{major + 1}.0"

    def busctl(self, *words):
        return self.world.as_user(None, ["busctl", "call", NAME, PATH, MANAGER, *words])
