#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for systemd's PID 1 on a world's bus: what lfad asks org.freedesktop.systemd1 for, and nothing else.

As a program it is that service, in a process of its own, which a test can stop and kill. systemd's behaviour is
imitated where lfad depends on it (systemd 252, src/shared/watchdog.c and src/core/manager.c): RuntimeWatchdogUSec is
what was set last, UINT64_MAX goes back to the configuration; the hardware gets whole seconds, rounded up, only when
they differ from what systemd believes it has, and "the device's own time-out" changes nothing in it. The hardware is a
device of the world's sysfs.

As a module it is the test's handle:

    systemd = systemd1.Systemd1(self.world, runtime=10 * SECOND, hardware="watchdog0")
    systemd.sets          # every value that was set, oldest first
    systemd.switch(refuse="hardware")

Switches: refuse "hardware" (the device keeps its time-out and is not fed; the property echoes the wish), "property"
(Set is an error), "ignore" (Set succeeds and does nothing), "" (nothing); hang (True: no answers; "set": Set is done and not answered); holds (s: what the
hardware really holds, which time left shows); runtime, config (µs), device, state (SystemState), units (name ->
WatchdogUSec). Timeleft is written only when fed, if the device has such a file."""

import json
import os
import sys

SECOND = 1000000
INFINITY = 2 ** 64 - 1
NAME = "org.freedesktop.systemd1"
PATH = "/org/freedesktop/systemd1"
MANAGER = NAME + ".Manager"
SERVICE = NAME + ".Service"
CONTROL = "org.arm.LFA1.Test.Systemd1"
PROPERTIES = "org.freedesktop.DBus.Properties"


class Systemd1:
    """The handle. Options are the first values of the switches. It ends with the world."""

    def __init__(self, world, **switches):
        self.world = world
        self.switches = {"sysfs": world.sysfs_dir(), "runtime": 0, **switches}
        self.start()

    def start(self, **switches):
        self.switches.update(switches)
        self.world.start_stand_in("systemd1", [os.path.abspath(__file__), json.dumps(self.switches)], NAME)

    def stop(self):
        """As if the bus had lost PID 1. What was set is forgotten."""
        self.world.kill("systemd1")

    def switch(self, **switches):
        self.switches.update(switches)
        self._call("Switch", "s", json.dumps(switches))

    @property
    def sets(self):
        return [int(value) for value in json.loads(self._call("Sets"))]

    @property
    def asked(self):
        """How many questions were answered."""
        return int(json.loads(self._call("Asked")))

    @property
    def runtime(self):
        return int(json.loads(self._call("Runtime")))

    def _call(self, member, signature="", *args):
        return str(self.world.bus().call_blocking(NAME, PATH, CONTROL, member, signature, args))


def serve(switches):
    # pylint: disable=import-outside-toplevel
    import dbus
    import dbus.lowlevel
    import dbus.mainloop.glib
    import dbus.service
    from gi.repository import GLib

    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.bus.BusConnection(os.environ["DBUS_SYSTEM_BUS_ADDRESS"])

    class Pid1:
        """State and hardware."""

        def __init__(self):
            self.sysfs = switches.pop("sysfs")
            self.config = switches.get("config", switches["runtime"])
            self.override = None if switches["runtime"] == self.config else switches["runtime"]
            self.device = switches.get("device", "/dev/watchdog0")
            self.hardware = switches.get("hardware", "")
            self.refuse = self.state = ""
            self.hang = False
            self.holds = None
            self.units = {}
            self.sets = []
            self.asked = 0
            self.believed = self.read_timeout()  # what systemd thinks the hardware has
            self.apply({key: value for key, value in switches.items() if key not in ("runtime", "config", "hardware")})

        def apply(self, new):
            if "runtime" in new:
                self.override = new.pop("runtime")
            for key, value in new.items():
                if not hasattr(self, key):
                    raise ValueError(f"no switch {key}")
                setattr(self, key, value)

        @property
        def runtime(self):
            return self.config if self.override is None else self.override

        def set(self, value):
            self.sets.append(value)
            if self.refuse == "property":
                raise dbus.DBusException("Permission denied", name="org.freedesktop.DBus.Error.AccessDenied")
            if self.refuse == "ignore":
                return
            wanted = self.config if value in (0, INFINITY) else value
            if wanted != self.runtime:
                self.program(wanted)
            self.override = None if value in (0, INFINITY) else value

        def program(self, value):
            if value in (0, INFINITY, self.believed) or not self.hardware or self.refuse == "hardware":
                return
            seconds = (value + SECOND - 1) // SECOND
            maximum = self.read("max_timeout")
            if maximum and seconds > maximum:
                return
            self.believed = seconds * SECOND
            self.write("timeout", seconds)
            if self.read("timeleft") is not None:
                self.write("timeleft", max(0, min(seconds, self.holds or seconds) - 1))  # rounded down

        def path(self, attribute):
            return os.path.join(self.sysfs, "class/watchdog", self.hardware, attribute)

        def read(self, attribute):
            try:
                with open(self.path(attribute), encoding="utf-8") as file:
                    return int(file.read())
            except (OSError, ValueError):
                return None

        def read_timeout(self):
            return (self.read("timeout") or 0) * SECOND if self.hardware else 0

        def write(self, attribute, value):
            path = self.path(attribute)
            with open(path + ".new", "w", encoding="utf-8") as file:
                file.write(f"{value}\n")
            os.rename(path + ".new", path)  # an attribute is never half there

    pid1 = Pid1()
    held = []

    def properties_of(interface, path):
        if interface == MANAGER:
            known = {"RuntimeWatchdogUSec": dbus.UInt64(pid1.runtime), "SystemState": dbus.String(pid1.state or "running")}
            if pid1.device is not None:  # older versions do not have it
                known["WatchdogDevice"] = dbus.String(pid1.device)
            return known
        if interface == SERVICE:
            return {"WatchdogUSec": dbus.UInt64(value) for name, value in pid1.units.items() if unit_path(name) == path}
        return {}

    def unit_path(name):
        return PATH + "/unit/" + "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in name)

    def list_units(states, patterns):
        del states, patterns
        return dbus.Array([(name, name, "loaded", "active", "running", "", dbus.ObjectPath(unit_path(name)),
                            dbus.UInt32(0), "", dbus.ObjectPath("/")) for name in sorted(pid1.units)],
                          signature="(ssssssouso)")

    def answer(message):
        pid1.asked += 1
        interface, member, args = message.get_interface(), message.get_member(), message.get_args_list()
        if interface == PROPERTIES and member == "Get":
            known = properties_of(str(args[0]), message.get_path())
            if str(args[1]) not in known:
                raise dbus.DBusException("No such property", name="org.freedesktop.DBus.Error.UnknownProperty")
            value = known[str(args[1])]
            value = value.__class__(value, variant_level=1)
            return ("v", value)
        if interface == PROPERTIES and member == "Set":
            if args[:2] != [MANAGER, "RuntimeWatchdogUSec"]:
                raise dbus.DBusException("Read-only", name="org.freedesktop.DBus.Error.PropertyReadOnly")
            pid1.set(int(args[2]))
            return None
        if interface == MANAGER and member == "ListUnitsByPatterns":
            return ("a(ssssssouso)", list_units(*args))
        raise dbus.DBusException(f"No method {member}", name="org.freedesktop.DBus.Error.UnknownMethod")

    def control(message):
        member, args = message.get_member(), message.get_args_list()
        if member == "Switch":
            pid1.apply(json.loads(args[0]))
            while not pid1.hang and held:
                held.pop(0)()
            return ("s", "")
        return ("s", json.dumps({"Sets": pid1.sets, "Runtime": pid1.runtime, "Asked": pid1.asked}[member]))

    def reply(message, handler):
        bus.send_message(make_reply(message, handler))

    def make_reply(message, handler):
        try:
            result = handler(message)
            outgoing = dbus.lowlevel.MethodReturnMessage(message)
            if result:
                outgoing.append(result[1], signature=result[0])
        except dbus.DBusException as error:
            outgoing = dbus.lowlevel.ErrorMessage(message, error.get_dbus_name(), error.get_dbus_message())
        return outgoing

    def on_message(_, message):
        if not isinstance(message, dbus.lowlevel.MethodCallMessage):
            return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
        if message.get_interface() == CONTROL:
            reply(message, control)
        elif pid1.hang is True:
            held.append(lambda: reply(message, answer))
        elif pid1.hang == "set" and message.get_member() == "Set":
            outgoing = make_reply(message, answer)
            held.append(lambda: bus.send_message(outgoing))
        else:
            reply(message, answer)
        return dbus.lowlevel.HANDLER_RESULT_HANDLED

    bus.add_message_filter(on_message)
    bus.request_name(NAME)
    GLib.MainLoop().run()


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
