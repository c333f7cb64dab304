# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for systemd-timedated, where there is none: whether the clock is synchronised, and nothing more.

It lives in the test's own process and answers from its main loop.
"""

import dbus
import dbus.service

NAME = "org.freedesktop.timedate1"
PATH = "/org/freedesktop/timedate1"


class Timedate1(dbus.service.Object):
    """synchronized may be set; None: it answers with an error. asked counts the questions."""

    def __init__(self, bus, synchronized=True):
        self.bus_name = dbus.service.BusName(NAME, bus, do_not_queue=True)
        super().__init__(bus, PATH)
        self.bus = bus
        self.synchronized = synchronized
        self.asked = 0

    def close(self):
        if self.bus_name:
            self.bus_name = None  # gives it back
            self.remove_from_connection()
            self.bus.close()

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        self.asked += 1
        if self.synchronized is None or (interface, name) != (NAME, "NTPSynchronized"):
            raise dbus.DBusException("out of order", name="org.freedesktop.DBus.Error.Failed")
        return dbus.Boolean(self.synchronized, variant_level=1)
