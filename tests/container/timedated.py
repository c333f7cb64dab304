# SPDX-License-Identifier: LGPL-2.1-or-later
"""In a container in place of systemd-timedated, which would tell of the real clock: whether that is synchronised differs
between machines. The file beside says "yes" or "no"."""

import os

import dbus.mainloop.glib
import timedate1
from gi.repository import GLib

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
with open(os.path.join(os.path.dirname(__file__), "synchronized"), encoding="ascii") as file:
    clock = timedate1.Timedate1(dbus.SystemBus(), file.read() == "yes")
GLib.MainLoop().run()
