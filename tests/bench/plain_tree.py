# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sysfs as plain files in memory, which cost about what the kernel's cost: microseconds. What lfa-sim shows goes
through FUSE, where each access wakes up another process: a bench that takes both tells how much of a figure that is.

In the place of rmm's `activate` stands a pipe that keeps its writer waiting as firmware would."""

import contextlib
import fcntl
import os
import shutil
import threading
import time

import world

PIPE_SIZE = 4096


class PlainTree:
    """A copy of what lfa-sim shows, in the folder `path`, for lfad's --sysfs=; with so many images."""

    def __init__(self, made, images=4):
        self.path = os.path.join(made.dir, f"plain-{images}")
        self.root = os.path.join(self.path, "firmware/lfa")
        self.seconds = 0.0  # what a write of rmm's `activate` takes
        self.entered, self.may_end = threading.Event(), threading.Event()  # `activate` was opened; a write may end
        self.may_end.set()
        shutil.copytree(made.sysfs, self.path, ignore=shutil.ignore_patterns("firmware"))
        for guid in os.listdir(world.TREE):
            self._copy(os.path.join(world.TREE, guid), guid)
        for number in range(images - len(os.listdir(self.root))):
            self._copy(os.path.join(self.root, world.GUIDS["rmm"]), f"00000000-0000-4000-8000-{number:012x}")

    def _copy(self, source, guid):
        target = os.path.join(self.root, guid)
        os.makedirs(target)
        for name in os.listdir(source):
            if name in ("activate", "cancel"):
                os.mkfifo(os.path.join(target, name), 0o200)
            else:
                shutil.copy(os.path.join(source, name), target)
        if guid not in world.GUIDS.values():
            self.set("name", guid, guid)

    def set(self, attribute, value, guid=world.GUIDS["rmm"]):
        """As the driver would show it: the file is replaced, so that nobody reads a part."""
        path = os.path.join(self.root, guid, attribute)
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(f"{value}\n")
        os.rename(path + ".new", path)

    def stage(self, current, pending):
        """rmm runs one version, and another one waits."""
        self.set("current_version", current)
        self.set("pending_version", pending)
        self.set("activation_pending", 1)

    def answer_writes(self, seconds):
        """From now on a write of rmm's `activate` takes so long, counted from its open, and activates. It does not end
        while may_end is clear."""
        self.seconds = seconds
        path = os.path.join(self.root, world.GUIDS["rmm"], "activate")
        pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        os.write(pipe, bytes(PIPE_SIZE))  # a full pipe keeps its writer waiting
        threading.Thread(target=self._answer, args=(pipe, world.opens_of(path)), daemon=True).start()

    def _answer(self, pipe, opens):
        while os.read(opens, 4096):
            self.entered.set()
            time.sleep(self.seconds)
            self.may_end.wait()
            self._activate()
            os.read(pipe, PIPE_SIZE)
            while True:
                with contextlib.suppress(BlockingIOError):
                    os.read(pipe, PIPE_SIZE)
                    break
                time.sleep(0.001)
            os.write(pipe, bytes(PIPE_SIZE))

    def _activate(self):
        with open(os.path.join(self.root, world.GUIDS["rmm"], "pending_version"), encoding="ascii") as file:
            version = file.read().strip()
        self.set("current_version", version)
        self.set("pending_version", "N/A")
        self.set("activation_pending", 0)
