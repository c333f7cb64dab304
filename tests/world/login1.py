# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for logind, where there is none: block locks and what is being prepared for. Nothing more of it is there.

It lives in the test's own process and answers from its main loop.
"""

import os

import dbus
import dbus.service
from gi.repository import GLib

NAME = "org.freedesktop.login1"
PATH = "/org/freedesktop/login1"
INTERFACE = "org.freedesktop.login1.Manager"


class Login1(dbus.service.Object):
    """locks lists (what, who, why, mode) of those that are held now, taken all that ever were.

    preparing["PreparingForShutdown"] and ["PreparingForSleep"] may be set. mode and, for Inhibit alone, lock_mode: "ok";
    "fail" answers with an error, "enxio" with that one, "masked" with that of a bus whose logind must not be started;
    "lie" with something of another type; "hang" with nothing until release() is called. on_lock is called before a lock
    is given."""

    def __init__(self, bus):
        self.bus_name = dbus.service.BusName(NAME, bus, do_not_queue=True)
        super().__init__(bus, PATH)
        self.bus = bus
        self.mode = self.lock_mode = "ok"
        self.on_lock = lambda: None
        self.preparing = {"PreparingForShutdown": False, "PreparingForSleep": False}
        self.taken = []
        self._held = {}
        self.hanging = []

    @property
    def locks(self):
        return list(self._held.values())

    def release(self):
        """Answers what hangs, and all that comes from now on."""
        self.mode = self.lock_mode = "ok"
        for answer in self.hanging:
            answer()
        self.hanging.clear()

    def close(self):
        if self.bus_name:
            self.bus_name = None  # gives it back
            self.remove_from_connection()
            for source in self._held:
                GLib.source_remove(source)
            self.bus.close()

    def _answer(self, mode, answer, error, lie):
        if mode == "hang":
            self.hanging.append(answer)
        elif mode == "fail":
            error(dbus.DBusException("out of order", name="org.freedesktop.DBus.Error.Failed"))
        elif mode == "enxio":
            error(dbus.DBusException("No such device", name="System.Error.ENXIO"))
        elif mode == "masked":
            error(dbus.DBusException("Unit is masked", name="org.freedesktop.systemd1.UnitMasked"))
        elif mode == "lie":
            lie()
        else:
            answer()

    def _lock(self, lock):
        reader, writer = os.pipe()
        self.on_lock()
        self.taken.append(lock)

        def on_released(_, condition):
            os.close(reader)
            del self._held[source]
            return False

        source = GLib.io_add_watch(reader, GLib.PRIORITY_DEFAULT, GLib.IO_HUP, on_released)
        self._held[source] = lock
        descriptor = dbus.types.UnixFd(writer)
        os.close(writer)
        return descriptor

    @dbus.service.method(INTERFACE, in_signature="ssss", async_callbacks=("reply", "error"))
    def Inhibit(self, what, who, why, mode, reply, error):
        lock = (str(what), str(who), str(why), str(mode))
        self._answer(self.lock_mode if self.mode == "ok" else self.mode, lambda: reply(self._lock(lock)), error,
                     lambda: reply("no lock"))

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v", async_callbacks=("reply", "error"))
    def Get(self, interface, name, reply, error):
        self._answer(self.mode, lambda: reply(dbus.Boolean(self.preparing[str(name)], variant_level=1)), error,
                     lambda: reply(dbus.String("no", variant_level=1)))
