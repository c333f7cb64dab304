#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command before each activation, and another one after it: a delay inhibitor of lfad's, on python3-gi.

  quiesce.py BEFORE AFTER

Each is run by the shell, with the image's GUID as $1. What BEFORE does must be done within InhibitDelayMaxSec= of
lfad.conf(5): then lfad goes on without it."""

import os
import subprocess
import sys

from gi.repository import Gio, GLib

NAME, PATH, MANAGER = "org.arm.LFA1", "/org/arm/LFA1", "org.arm.LFA1.Manager"


class Quiesce:
    def __init__(self, before, after):
        self.before, self.after = before, after
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
        self.inhibitor = -1
        self.loop = GLib.MainLoop()
        self.bus.signal_subscribe(NAME, MANAGER, "PrepareForActivation", PATH, None, Gio.DBusSignalFlags.NONE,
                                  self.on_prepare)
        # lfad may come later than this program.
        Gio.bus_watch_name_on_connection(self.bus, NAME, Gio.BusNameWatcherFlags.NONE, self.take, None)

    def take(self, *_):
        """Held as long as the descriptor is open; a restart of lfad does not end it."""
        if self.inhibitor >= 0:
            return
        words = GLib.Variant("(sssasa{sv})", ("quiesce", "workloads want to be told", "delay", [], {}))
        try:
            reply, descriptors = self.bus.call_with_unix_fd_list_sync(NAME, PATH, MANAGER, "Inhibit", words, None,
                                                                      Gio.DBusCallFlags.NONE, -1, None)
        except GLib.Error as error:
            print(error.message, file=sys.stderr)
            self.loop.quit()
            return
        self.inhibitor = descriptors.get(reply.unpack()[0])
        print("listening", flush=True)

    def on_prepare(self, _bus, _sender, _path, _interface, _member, parameters):
        start, _job, guid = parameters.unpack()
        subprocess.run(["sh", "-c", self.before if start else self.after, "quiesce", guid], check=False)
        if not start:
            self.take()
        elif self.inhibitor >= 0:
            os.close(self.inhibitor)  # ready: lfad need not wait any longer
            self.inhibitor = -1


if len(sys.argv) != 3:
    sys.exit(__doc__)
Quiesce(*sys.argv[1:]).loop.run()
sys.exit(1)  # it has no end of its own but a refusal
