# SPDX-License-Identifier: LGPL-2.1-or-later
"""The time of lfad and its workers in a soak: the page that virtual-time.h describes, from its other side."""

import ctypes
import mmap
import os
import struct
import time

SIZE = 4096
# ahead, wall, moved, wall was set, next timer, sleeps, workers, damaged, bus slots: as in virtual-time.h
LAYOUT = struct.Struct("<qqIIqIiIi")
NEVER = 2 ** 63 - 1
SECOND = 1000000


class VirtualTime:
    """environment is what lfad is started with. The time moves when move() or set_wall() is called, and by itself as
    the real one does."""

    def __init__(self, path, library):
        with open(path, "wb") as file:
            file.truncate(SIZE)
        with open(path, "r+b") as file:
            self._page = mmap.mmap(file.fileno(), SIZE)
        self.environment = {"LFAD_SOAK_TIME": path, "LD_PRELOAD": library}
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._page))
        self._move = ctypes.CDLL(library).virtual_time_move
        self._move.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint32]

    def _read(self):
        return LAYOUT.unpack_from(self._page)

    def monotonic(self):
        return time.monotonic_ns() // 1000 + self._read()[0]

    def wall(self):
        values = self._read()
        return time.time_ns() // 1000 + values[0] + values[1]

    def move(self, usec):
        self._move(self._address, usec, 0, 0)

    def set_wall(self, usec):
        """Somebody sets the clock on the wall so far ahead, or back."""
        self._move(self._address, 0, usec, 1)

    def idle(self):
        """lfad waits for events, and no worker runs."""
        values = self._read()
        return values[5] == 1 and values[6] <= 0

    def bus_slots(self):
        return self._read()[8]

    def sleeps(self):
        return self._read()[5] == 1

    def workers(self):
        """Of this lfad, that have not been waited for."""
        return self._read()[6]

    def until_next_timer(self):
        """µs; 0 when it is due, None when there is none."""
        due = self._read()[4]
        return None if due == NEVER else max(0, due - self.monotonic())

    def damage_workers(self, yes):
        struct.pack_into("<I", self._page, 40, int(yes))


def library(build_dir):
    return os.path.join(build_dir, "tests/soak/virtual-time.so")
