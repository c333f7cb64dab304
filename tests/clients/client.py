#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A complete client of org.arm.LFA1 on python3-dbus, written from dbus/org.arm.LFA1.xml alone.

  client.py list
  client.py explain IMAGE
  client.py activate IMAGE REQUEST-ID [EXPECTED-PENDING-VERSION]

`activate` asks for the very versions that it has just read, follows the job to its end and prints its records. Exit
status: 0 done or allowed, 1 the job failed or was cancelled, 2 wrong use, 3 refused now and may pass later, 4 accepted
and not verified, 5 what happened is not known, 6 not authorised, 8 refused until something changes.
"""

import sys

import dbus
import dbus.mainloop.glib
from gi.repository import GLib

NAME, PATH = "org.arm.LFA1", "/org/arm/LFA1"
MANAGER, IMAGE, JOB = NAME + ".Manager", NAME + ".Image", NAME + ".Job"
ERROR = NAME + ".Error."
STANDARD = "org.freedesktop.DBus.Error."

DONE, FAILED, USAGE, LATER, UNVERIFIED, UNKNOWN, NOT_AUTHORISED, DENIED = 0, 1, 2, 3, 4, 5, 6, 8
RESULTS = {"succeeded": DONE, "unverified": UNVERIFIED, "failed": FAILED, "cancelled": FAILED}
RETRYABLE = {ERROR + name for name in ("Starting", "ShuttingDown", "KernelBusy", "ImageStale", "DiskFull",
                                       "DaemonRestarted", "WorkerFailed")} | {STANDARD + "LimitsExceeded"}
NO_ANSWER = {STANDARD + name for name in ("NoReply", "Timeout", "TimedOut", "Disconnected")}


def status_of_error(name):
    if name in (STANDARD + "AccessDenied", STANDARD + "InteractiveAuthorizationRequired"):
        return NOT_AUTHORISED
    if name in (STANDARD + "InvalidArgs", ERROR + "NoSuchImage", ERROR + "AmbiguousImage", ERROR + "RequestIdReused"):
        return USAGE
    if name in RETRYABLE:
        return LATER
    if name in NO_ANSWER:
        return UNKNOWN  # the job may run
    return DENIED if name.startswith(ERROR) else FAILED


class Client:
    def __init__(self):
        dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
        self.bus = dbus.SystemBus()
        self.manager = dbus.Interface(self.bus.get_object(NAME, PATH, introspect=False), MANAGER)

    def properties(self, path, interface):
        thing = self.bus.get_object(NAME, path, introspect=False)
        return thing.GetAll(interface, dbus_interface="org.freedesktop.DBus.Properties")

    def list(self):
        root = self.bus.get_object(NAME, PATH, introspect=False)
        for interfaces in root.GetManagedObjects(dbus_interface="org.freedesktop.DBus.ObjectManager").values():
            if IMAGE in interfaces:
                image = interfaces[IMAGE]
                print(image["Guid"], image["Name"], image["CurrentVersion"] or "-", image["PendingVersion"] or "-",
                      image["State"], sep="\t")
        return DONE

    def explain(self, image):
        verdict, gates = self.manager.Explain(image, dbus.Dictionary({"authorize": True}, signature="sv"))
        print("verdict", verdict["answer"], verdict["error"] or "-", verdict["text"], sep="\t")
        for gate in gates:
            print("gate", gate["gate"], gate["answer"], gate["text"], sep="\t")
        if verdict["answer"] == "deny":
            return status_of_error(verdict["error"])
        if verdict["authorized"] != "yes":
            return NOT_AUTHORISED
        return LATER if verdict["answer"] == "wait" else DONE

    def activate(self, image, request_id, expected=None):
        path = self.manager.GetImage(image)
        now = self.properties(path, IMAGE)
        options = {"request-id": request_id, "reason": "a test of clients",
                   "expected-current-version": now["CurrentVersion"],
                   "expected-pending-version": now["PendingVersion"] if expected is None else expected}
        # Listening comes before asking: no end of a job is missed.
        loop, ended, wanted = GLib.MainLoop(), set(), []

        def on_removed(_id, removed, _guid, _result):
            ended.add(removed)
            if removed in wanted:
                loop.quit()

        def on_owner(owner):
            if wanted and not owner:
                loop.quit()

        self.bus.add_signal_receiver(on_removed, "JobRemoved", MANAGER, NAME, PATH)
        self.bus.watch_name_owner(NAME, on_owner)
        job = self.manager.Activate(image, dbus.Dictionary(options, signature="sv"), timeout=600)
        wanted.append(job)
        # The same request-id may stand for a job of long ago, which has ended.
        if job not in ended and self.read_job(job).get("State", "done") != "done":
            loop.run()
        return self.tell(job)

    def read_job(self, path):
        """Its properties; nothing when it ended more than a minute ago, or lfad is gone."""
        try:
            return self.properties(path, JOB)
        except dbus.DBusException:
            return {}

    def tell(self, path):
        job = self.read_job(path)
        number = dbus.UInt32(int(path.rsplit("/", 1)[1]))
        records = self.manager.GetHistory(dbus.Dictionary({"job": number}, signature="sv"))
        if not job:
            job = {"Result": "unknown", "Error": "", "Message": ""}
            for record in records:
                if record["type"] == "finished":
                    job = {"Result": record["result"], "Error": record.get("error", ""),
                           "Message": record.get("message", "")}
        print("job", path, job["Result"], job["Error"] or "-", job["Message"], sep="\t")
        for record in records:
            print("record", record["seq"], record["type"], sep="\t")
        if job["Result"] == "refused":
            return status_of_error(job["Error"])
        return RESULTS.get(job["Result"], UNKNOWN)


def main(arguments):
    verbs = {("list", 0): Client.list, ("explain", 1): Client.explain, ("activate", 2): Client.activate,
             ("activate", 3): Client.activate}
    verb = verbs.get((arguments[0], len(arguments) - 1)) if arguments else None
    if not verb:
        sys.stderr.write(__doc__)
        return USAGE
    try:
        return verb(Client(), *arguments[1:])
    except dbus.DBusException as error:
        print("error", error.get_dbus_name(), error.get_dbus_message(), sep="\t")
        return status_of_error(error.get_dbus_name())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
