#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small fleet agent for lfad, on python3-gi (Gio): org.arm.LFA1(5), lfad-integration(7).

  lfa-agent.py                            list what is pending: GUID, versions (may be empty), name
  lfa-agent.py GUID FROM TO REQUEST-ID    activate exactly that, and tell what came of it

Exit status: 0 it runs, 1 it failed or was cancelled, 2 wrong use, 3 refused now, ask again later, 4 accepted and not
proven, 5 not known, 6 not authorised, 8 refused until something changes."""

import sys

from gi.repository import Gio, GLib

NAME, PATH = "org.arm.LFA1", "/org/arm/LFA1"
MANAGER, IMAGE, JOB, ERROR = NAME + ".Manager", NAME + ".Image", NAME + ".Job", NAME + ".Error."
DBUS, STANDARD = "org.freedesktop.DBus", "org.freedesktop.DBus.Error."
PATIENCE_SEC = 600  # for a reply, for a signal

RUNS, FAILED, USAGE, LATER, UNVERIFIED, UNKNOWN, NOT_AUTHORISED, REFUSED = 0, 1, 2, 3, 4, 5, 6, 8
RESULTS = {"succeeded": RUNS, "unverified": UNVERIFIED, "failed": FAILED, "cancelled": FAILED}
# All errors after which the same request may succeed with nobody changing anything.
RETRYABLE = {STANDARD + "LimitsExceeded"} | {ERROR + name for name in (
    "Starting", "ShuttingDown", "ImageStale", "KernelBusy", "Frozen", "OutsideWindow", "SlotNotReached",
    "TriedInWindow", "IntervalNotOver", "ClockNotSynchronized", "Inhibited", "OrderPending", "SystemStopping",
    "SystemNotReady", "DiskFull", "DaemonRestarted", "DeadlineReached", "WorkerFailed")}


class BusError(Exception):
    """A call's error, by the name that came over the bus ("" when none came)."""

    def __init__(self, error):
        super().__init__(error.message)
        self.name = Gio.DBusError.get_remote_error(error) or ""
        # GDBus puts the name before what lfad said.
        self.message = error.message.removeprefix(f"GDBus.Error:{self.name}: ")


def status_of_error(name):
    if name in RETRYABLE:
        return LATER
    if name in (STANDARD + "AccessDenied", STANDARD + "InteractiveAuthorizationRequired"):
        return NOT_AUTHORISED
    if name in (STANDARD + "InvalidArgs", ERROR + "NoSuchImage"):
        return USAGE
    # What else lfad says is a refusal. What the bus says (no lfad, no reply) leaves it open.
    return REFUSED if name.startswith(ERROR) else UNKNOWN


def status_of_result(result, error):
    if result == "refused":
        return status_of_error(error)
    return RESULTS.get(result, UNKNOWN)  # "unknown", and whatever a later lfad may say


class Agent:
    def __init__(self):
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
        self.loop = GLib.MainLoop()
        self.signalled = False

    def call(self, path, interface, member, signature="()", *arguments):
        try:
            return self.bus.call_sync(NAME, path, interface, member, GLib.Variant(signature, arguments), None,
                                      Gio.DBusCallFlags.NONE, PATIENCE_SEC * 1000).unpack()
        except GLib.Error as error:
            raise BusError(error) from error

    def list(self):
        objects, = self.call(PATH, DBUS + ".ObjectManager", "GetManagedObjects")
        for interfaces in objects.values():
            image = interfaces.get(IMAGE)
            if image and image["Pending"]:
                print(image["Guid"], image["CurrentVersion"], image["PendingVersion"], image["Name"], sep="\t")
        return RUNS

    def listen(self):
        """From now on signals are kept until the loop runs: no end of a job is missed."""

        def on_signal(_bus, _sender, _path, _interface, member, parameters):
            # While nobody has the name there is nobody to ask; the next lfad knows about the job.
            if member == "JobRemoved" or parameters.unpack()[2]:
                self.signalled = True
                self.loop.quit()

        none = Gio.DBusSignalFlags.NONE
        self.bus.signal_subscribe(NAME, MANAGER, "JobRemoved", PATH, None, none, on_signal)
        self.bus.signal_subscribe(DBUS, DBUS, "NameOwnerChanged", "/org/freedesktop/DBus", NAME, none, on_signal)

    def wait_for_signal(self):
        """Returns when it is time to look; False when nothing came for too long."""
        if not self.signalled:
            timer = GLib.timeout_add_seconds(PATIENCE_SEC, self.loop.quit)
            self.loop.run()
            if self.signalled:
                GLib.source_remove(timer)
        signalled, self.signalled = self.signalled, False
        return signalled

    def ask(self, guid, before, after, request_id):
        options = {"expected-current-version": before, "expected-pending-version": after, "request-id": request_id,
                   "reason": "fleet agent"}
        options = {key: GLib.Variant("s", value) for key, value in options.items()}
        while True:
            try:
                return self.call(PATH, MANAGER, "Activate", "(sa{sv})", guid, options)[0]
            except BusError as error:
                # lfad went away with the question. The same again to the next one is the same job.
                if error.name != STANDARD + "NoReply" or not self.wait_for_signal():
                    raise

    def look(self, job):
        """How the job ended: (result, error, message), or None if it has not, or if lfad is away."""
        try:
            found, = self.call(job, DBUS + ".Properties", "GetAll", "(s)", JOB)
        except BusError as error:
            if error.name == STANDARD + "UnknownObject":
                return self.look_into_history(int(job.rsplit("/", 1)[1]))
            if error.name in (STANDARD + "NoReply", STANDARD + "ServiceUnknown"):
                return None
            raise
        return (found["Result"], found["Error"], found["Message"]) if found["State"] == "done" else None

    def look_into_history(self, number):
        """A job's object is there for a minute after its end. The history is there for years."""
        options = {"job": GLib.Variant("u", number), "type": GLib.Variant("s", "finished")}
        records, = self.call(PATH, MANAGER, "GetHistory", "(a{sv})", options)
        if not records:
            return "unknown", "", "somebody has moved the history away"
        return records[0]["result"], records[0].get("error", ""), records[0].get("message", "")

    def activate(self, *words):
        """Listens first, then asks, then looks, since it may be a job of long ago."""
        self.listen()
        try:
            job = self.ask(*words)
            ended = self.look(job)
            while not ended:
                if not self.wait_for_signal():
                    ended = "unknown", "", "no news for too long"
                    break
                ended = self.look(job)
        except BusError as error:
            status = status_of_error(error.name)
            print("unknown" if status == UNKNOWN else "refused", error.name, error.message, sep="\t")
            return status
        print(*ended, sep="\t")
        return status_of_result(*ended[:2])


def main(words):
    if len(words) not in (0, 4):
        sys.stderr.write(__doc__)
        return USAGE
    agent = Agent()
    return agent.activate(*words) if words else agent.list()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
