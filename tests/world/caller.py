#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""One method call by the user who runs this, answered as JSON: the world's unprivileged client.

Reads a JSON object {path, interface, member, signature, args, interactive, timeout} from argv[1] and prints
{"result": [...]} or {"error": NAME, "message": TEXT}. GDBus, since it can set the flag that allows polkit to ask.
"""

import json
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402


def options(values):
    """The a{sv} of a plain dictionary: text s, whole numbers u, times t, truth values b, lists as."""
    types = {str: "s", bool: "b", int: "u", list: "as"}
    return {key: GLib.Variant("t" if isinstance(value, int) and value >> 32 else types[type(value)], value)
            for key, value in values.items()}


def main():
    request = json.loads(sys.argv[1])
    args = tuple(options(arg) if isinstance(arg, dict) else arg for arg in request["args"])
    flags = Gio.DBusCallFlags.NONE
    if request["interactive"]:
        flags |= Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
    try:
        reply = bus.call_sync("org.arm.LFA1", request["path"], request["interface"], request["member"],
                              GLib.Variant("(" + request["signature"] + ")", args), None, flags,
                              int(request["timeout"] * 1000))
    except GLib.Error as error:
        name = Gio.DBusError.get_remote_error(error) or error.domain
        Gio.DBusError.strip_remote_error(error)
        print(json.dumps({"error": name, "message": error.message}))
        return
    print(json.dumps({"result": list(reply.unpack()) if reply else []}))


main()
