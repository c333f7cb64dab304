#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for lfad: owns org.arm.LFA1 on the bus of DBUS_SYSTEM_BUS_ADDRESS, answers as a scenario says.

It has no policy and no driver; the real lfad is used in the component suite. The scenario, JSON on standard input:

  manager   properties of org.arm.LFA1.Manager
  images    [properties of org.arm.LFA1.Image]
  jobs      {id: properties of org.arm.LFA1.Job}, there from the start
  history   [records]
  plan      [events]
  activate  {guid: what Activate does}: {"error": [name, message]} or {"job": properties at the end,
            "states": [...], "step-ms": n, "then": "end" | "stay" | "vanish" | "forget" |
            "end-before-reply" | "vanish-before-reply"}
  pending   [guids]: what ActivatePending begins jobs for, as "activate" says, one after the other
  explain   {guid: {"error": [name, message]} or {"verdict": {...}, "gates": [{...}]}}
  cancel    {"error": [name, message]} or {"state": ..., "result": ...}
  errors    {method: [name, message]}

It prints a line on standard output for what a test may wait for. "Emit" on org.arm.StandIn sends a signal.
"""

import json
import os
import sys

import dbus
import dbus.lowlevel
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.arm.LFA1"
MANAGER, IMAGE, JOB = f"{NAME}.Manager", f"{NAME}.Image", f"{NAME}.Job"
ROOT = "/org/arm/LFA1"
PROPERTIES = "org.freedesktop.DBus.Properties"

SIGNATURES = {"Id": "u", "Image": "o", "CurrentJob": "o", "BlackoutCount": "u", "Blockers": "as",
              "Overridden": "as", "SupportedOptions": "as"}
RECORD_SIGNATURES = {"job": "u", "uid": "u", "pid": "u", "login-uid": "u", "cancel-uid": "u"}


def typed(name, value, signatures=SIGNATURES):
    """A Python value as the D-Bus type that lfad gives it."""
    signature = signatures.get(name)
    if isinstance(value, dict):
        return dbus.Dictionary({k: typed(k, v) for k, v in value.items()}, signature="sv", variant_level=1)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return dbus.Array([typed_all(item) for item in value], signature="a{sv}", variant_level=1)
    if isinstance(value, list):
        return dbus.Array(value, signature="s", variant_level=1)
    if isinstance(value, bool):
        return dbus.Boolean(value, variant_level=1)
    if isinstance(value, float):
        return dbus.Double(value, variant_level=1)
    if isinstance(value, int):
        return (dbus.UInt32 if signature == "u" else dbus.UInt64)(value, variant_level=1)
    if signature == "o":
        return dbus.ObjectPath(value, variant_level=1)
    return dbus.String(value, variant_level=1)


def typed_all(properties, signatures=SIGNATURES):
    return dbus.Dictionary({k: typed(k, v, signatures) for k, v in properties.items()}, signature="sv")


def say(*words):
    print(*words, flush=True)


class StandIn:
    """Every object of the tree behind one message filter: dbus.service wants classes, a scenario is data."""

    def __init__(self, bus, scenario):
        self.bus = bus
        self.scenario = scenario
        self.jobs = {int(k): v for k, v in scenario.get("jobs", {}).items()}
        self.next_job = scenario.get("first-job", 12)
        self.steps = {}  # path of a job -> what comes next when the client has seen what is
        bus.add_message_filter(self.filter)

    # --- the tree ---

    def objects(self):
        tree = {}
        for image in self.scenario.get("images", []):
            tree[f"{ROOT}/image/{image['Guid'].replace('-', '_')}"] = (IMAGE, image)
        for job, properties in self.jobs.items():
            tree[f"{ROOT}/job/{job}"] = (JOB, properties)
        return tree

    def properties_of(self, path, interface):
        if path == ROOT and interface == MANAGER:
            return self.scenario.get("manager", {})
        found = self.objects().get(path)
        return found[1] if found and found[0] == interface else None

    # --- messages ---

    def filter(self, _connection, message):
        if message.get_type() != dbus.lowlevel.MESSAGE_TYPE_METHOD_CALL:
            return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
        if not (message.get_path() or "").startswith(ROOT) and message.get_interface() != "org.arm.StandIn":
            return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
        self.dispatch(message)
        return dbus.lowlevel.HANDLER_RESULT_HANDLED

    def dispatch(self, message):
        member, arguments = message.get_member(), message.get_args_list()
        error = self.scenario.get("errors", {}).get(member)
        if error:
            self.fail(message, *error)
            return
        handler = getattr(self, "on_" + member, None)
        if handler:
            handler(message, *arguments)
        else:
            self.fail(message, "org.freedesktop.DBus.Error.UnknownMethod", f"no {member}")

    def reply(self, message, signature="", *values):
        answer = dbus.lowlevel.MethodReturnMessage(message)
        if signature:
            answer.append(*values, signature=signature)
        self.bus.send_message(answer)

    def fail(self, message, name, text):
        self.bus.send_message(dbus.lowlevel.ErrorMessage(message, name, text))

    def signal(self, path, interface, member, signature, *values):
        m = dbus.lowlevel.SignalMessage(path, interface, member)
        m.append(*values, signature=signature)
        self.bus.send_message(m)

    # --- methods ---

    def on_GetAll(self, message, interface):
        properties = self.properties_of(message.get_path(), interface)
        if properties is None:
            self.fail(message, "org.freedesktop.DBus.Error.UnknownObject", "no such object")
        else:
            self.reply(message, "a{sv}", typed_all(properties))
            if message.get_path() in self.steps:
                job, what, states = self.steps.pop(message.get_path())
                GLib.timeout_add(what.get("step-ms", 10), self.next_step, job, what, states)

    def on_GetManagedObjects(self, message):
        tree = {path: {interface: typed_all(properties)} for path, (interface, properties) in
                self.objects().items()}
        self.reply(message, "a{oa{sa{sv}}}", dbus.Dictionary(tree, signature="oa{sa{sv}}"))

    def on_GetHistory(self, message, options):
        say("history", json.dumps(options))
        records = [r for r in self.scenario.get("history", []) if self.record_fits(r, options)]
        records = [typed_all(r, RECORD_SIGNATURES) for r in records[-int(options.get("limit", 256)):]]
        self.reply(message, "aa{sv}", dbus.Array(records, signature="a{sv}"))

    def on_GetPlan(self, message, options):
        say("plan", json.dumps(options))
        events = [typed_all(event) for event in self.scenario.get("plan", [])]
        self.reply(message, "aa{sv}", dbus.Array(events, signature="a{sv}"))

    @staticmethod
    def record_fits(record, options):
        if "before" in options and record.get("seq", 0) >= options["before"]:
            return False
        return all(record.get(key) == options[key] for key in ("job", "type") if key in options)

    def on_Explain(self, message, guid, options):
        say("explain", guid, json.dumps(options))
        what = self.scenario["explain"][guid]
        if "error" in what:
            self.fail(message, *what["error"])
            return
        gates = [typed_all(gate) for gate in what["gates"]]
        self.reply(message, "a{sv}aa{sv}", typed_all(what["verdict"]), dbus.Array(gates, signature="a{sv}"))

    def on_ActivatePending(self, message, options):
        say("activate-pending", json.dumps(options))
        jobs = [(self.new_job(guid), self.scenario["activate"][guid]) for guid in self.scenario.get("pending", [])]
        self.reply(message, "ao", dbus.Array([f"{ROOT}/job/{job}" for job, _ in jobs], signature="o"))
        for job, what in jobs:
            self.step(job, what, list(what.get("states", [])))

    def on_Refresh(self, message, options):
        say("refresh")
        self.reply(message)

    def on_Hold(self, message, reason, options):
        say("hold", reason, json.dumps(options))
        self.reply(message)

    def on_Unhold(self, message, options):
        say("unhold", message.get_path(), json.dumps(options))
        self.reply(message)

    def on_ClearQuarantine(self, message, options):
        say("clear-quarantine", message.get_path(), json.dumps(options))
        self.reply(message)

    def on_Cancel(self, message, options):
        say("cancel", message.get_path())
        what = self.scenario.get("cancel", {})
        if "error" in what:
            self.fail(message, *what["error"])
            return
        if message.get_path() not in self.objects():
            self.fail(message, "org.freedesktop.DBus.Error.UnknownObject", "no such object")
            return
        for job in self.jobs.values():
            job.update(what)
        self.reply(message)

    def on_Activate(self, message, guid, options):
        say("activate", guid, json.dumps(options))
        what = self.scenario["activate"][guid]
        if "error" in what:
            self.fail(message, *what["error"])
            return
        then = what.get("then", "end")
        if then == "vanish-before-reply":
            os._exit(0)
        job = self.new_job(guid)
        path = f"{ROOT}/job/{job}"
        if then == "end-before-reply":
            self.end(job, what)
        self.reply(message, "o", dbus.ObjectPath(path))
        if then != "end-before-reply":
            self.step(job, what, list(what.get("states", [])))

    def new_job(self, guid):
        job = self.next_job
        self.next_job += 1
        self.jobs[job] = {"Id": job, "Guid": str(guid), "State": "queued", "Result": ""}
        self.signal(ROOT, MANAGER, "JobNew", "uos", dbus.UInt32(job), dbus.ObjectPath(f"{ROOT}/job/{job}"), guid)
        return job

    def on_Emit(self, message, path, interface, member, signature, values):
        """values: JSON, with D-Bus types by the signature."""
        self.signal(path, interface, member, signature, *json.loads(values))
        self.reply(message)

    # --- the life of a job ---

    def step(self, job, what, states):
        """One state after the other, then the end: each comes when the client has looked at the one before."""
        self.steps[f"{ROOT}/job/{job}"] = (job, what, states)

    def next_step(self, job, what, states):
        if states:
            state = states.pop(0)
            if isinstance(state, dict):  # with more of its properties
                self.jobs[job].update(state)
                state = state["State"]
            self.jobs[job]["State"] = state
            self.step(job, what, states)
            self.changed(job, {"State": state})
            say("state", job, state)
        else:
            self.finish(job, what)
        return False

    def finish(self, job, what):
        then = what.get("then", "end")
        if then == "vanish":
            self.bus.flush()
            say("vanish", job)
            os._exit(0)
        if then != "stay":
            self.end(job, what)
        if then == "forget":
            del self.jobs[job]

    def end(self, job, what):
        self.jobs[job].update(what["job"], State="done")
        result = what["job"]["Result"]
        guid = self.jobs[job]["Guid"]
        self.signal(ROOT, MANAGER, "JobRemoved", "uoss", dbus.UInt32(job),
                    dbus.ObjectPath(f"{ROOT}/job/{job}"), guid, result)

    def changed(self, job, properties):
        self.signal(f"{ROOT}/job/{job}", PROPERTIES, "PropertiesChanged", "sa{sv}as", JOB,
                    typed_all(properties), dbus.Array([], signature="s"))


def main():
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    stand_in = StandIn(bus, json.load(sys.stdin))
    bus.request_name(NAME, dbus.bus.NAME_FLAG_DO_NOT_QUEUE)
    say("ready")
    GLib.MainLoop().run()
    del stand_in


main()
