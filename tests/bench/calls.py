# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast lfad answers: everything about its four images at once, beside what the peers' GetAll tells."""

import os

import world
from gi.repository import Gio, GLib
from peers import HOSTNAMED, PEERS
from table import Sample, processor, run_json

ROUNDS = 7
SECONDS = 0.35
CLIENTS = (1, 50)
PROGRAM = os.path.join(world.BUILD_DIR, "tests/bench/bench-clients")


def managed_objects():
    """The call by which clients begin: service, path, interface, method and argument."""
    return world.NAME, world.PATH, world.OBJECT_MANAGER, "GetManagedObjects"


def get_all(peer):
    return peer.bus_name, peer.path, world.PROPERTIES, "GetAll", peer.interface


def answer_size(made, call):
    """The bytes of one answer, header included."""
    flags = Gio.DBusConnectionFlags
    connection = Gio.DBusConnection.new_for_address_sync(
        made.bus_address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
    message = Gio.DBusMessage.new_method_call(*call[:4])
    if len(call) > 4:
        message.set_body(GLib.Variant("(s)", call[4:]))
    answer, _ = connection.send_message_with_reply_sync(message, Gio.DBusSendMessageFlags.NONE, 10000, None)
    if answer.get_message_type() != Gio.DBusMessageType.METHOD_RETURN:
        raise SystemExit(f"{call} was refused")
    size = len(answer.to_blob(Gio.DBusCapabilityFlags.NONE))
    connection.close_sync(None)
    return size


def measure(made, part, call, clients, seconds):
    """One run: calls a second, waits in us, and what a call cost the service's processor, in us."""
    before = processor(made.pid(part))
    result = run_json([PROGRAM, "calls", str(clients), str(seconds), *call], made.environment)
    cost = (processor(made.pid(part)) - before) * 1e6 / result["calls"]
    return {"rate": result["calls"] / result["seconds"], "median": result["median"], "p99": result["p99"],
            "cost": cost}


class Service:
    """A service and all that was measured of it with so many clients."""

    def __init__(self, made, part, call):
        self.part, self.call = part, call
        self.kib = answer_size(made, call) / 1024
        self.runs = []

    def of(self, key, factor=1.0):
        return Sample([run[key] * factor for run in self.runs])


def _rows(table, clients, services):
    """Each figure by KiB answered, since the answers differ in size."""
    lfad, peers = services[0], services[1:]
    hostnamed = next(service for service in peers if service.part == HOSTNAMED.name)
    who = "1 client" if clients == 1 else f"{clients} clients"
    for title, unit, key, more_is_better in (
            (f"{who}: answered", "KiB/s", "rate", True),
            (f"{who}: p99 of an answer, by KiB", "us", "p99", False),
            (f"{who}: the service's processor, by KiB", "us", "cost", False)):
        def figure(service):
            return service.of(key, service.kib if more_is_better else 1 / service.kib)

        ours, theirs = figure(lfad), figure(hostnamed)
        ratio = ours.median / theirs.median
        has_goal = key != "cost"
        table.row(title, ours.text(unit, 0 if more_is_better else 1),
                  [f"{service.part} {figure(service).text(unit, 0 if more_is_better else 1)}" for service in peers],
                  ratio, (">= 1" if more_is_better else "<= 1") if has_goal else "",
                  (ratio >= 1 if more_is_better else ratio <= 1) if has_goal else None,
                  **{service.part: figure(service).figures() for service in services})
    table.row(f"{who}: calls a second", lfad.of("rate").text("/s", 0),
              [f"{service.part} {service.of('rate').text('/s', 0)}" for service in peers],
              lfad.of("rate").median / hostnamed.of("rate").median,
              **{service.part: service.of("rate").figures() for service in services})


def run(made, table):
    for peer in PEERS:
        made.start_peer(peer)
    made.start("lfad")
    calls = [("lfad", managed_objects()), *((peer.name, get_all(peer)) for peer in PEERS)]
    for clients in CLIENTS:
        services = [Service(made, part, call) for part, call in calls]
        for _ in range(ROUNDS):
            for service in services:
                service.runs.append(measure(made, service.part, service.call, clients, SECONDS))
        if clients == CLIENTS[0]:
            sizes = ", ".join(f"{service.part} {service.kib * 1024:.0f} bytes" for service in services)
            table.remark(f"An answer: {sizes}; the ratio is to hostnamed's GetAll.")
        _rows(table, clients, services)
    for part in ("lfad", *(peer.name for peer in PEERS)):
        made.stop(part)
