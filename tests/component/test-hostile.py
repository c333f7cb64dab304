#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile and broken surroundings: callers, sysfs, the worker, uevents, the bus, polkit. Each ends in a named error or a
state that can be read; lfad lives, does not grow, and forgets nothing."""

import os
import signal
import socket
import struct
import time
from unittest import mock

import dbus
import dbus.lowlevel

import world
from world import ACCESS_DENIED, GUIDS, INTERACTIVE, JOB, MANAGER, NAME, PATH, PROPERTIES

UNNAMED = "0509b633-5734-422f-a681-6096e932d93a"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
REAL_WORKER = world.WORKER


def align(data, size):
    return data + b"\0" * (-len(data) % size)


def marshal_string(data):
    return struct.pack("<I", len(data)) + data + b"\0"


NO_OPTIONS = b"\0" * 8  # an empty a{sv} at the beginning of a body: its length, and up to the first entry
NAMED = align(align(marshal_string(b"rmm"), 4) + b"\0" * 4, 8)  # "rmm" and no options


class RawClient:
    """A connection to the bus that obeys nobody: messages are put together by hand. A socket, no more."""

    def __init__(self, a_world):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(a_world.bus_address.removeprefix("unix:path="))
        self.socket.settimeout(20)
        self.serial = 0
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        if not self.socket.recv(200).startswith(b"OK"):
            raise world.WorldError("the bus does not authenticate a raw client")
        self.socket.sendall(b"BEGIN\r\n")
        self.send("Hello", destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
                  interface="org.freedesktop.DBus")
        self.received = b""
        self.receive(1)

    def send(self, member, signature="", body=b"", *, kind=1, flags=0, destination=NAME, path=PATH, interface=MANAGER):
        self.serial += 1
        fields = b""
        for code, sort, value in ((1, b"o", path), (2, b"s", interface), (3, b"s", member), (6, b"s", destination),
                                  (8, b"g", signature)):
            if value:
                fields = align(fields, 8) + struct.pack("<B", code) + b"\x01" + sort + b"\0"
                data = value.encode()
                fields += struct.pack("<B", len(data)) + data + b"\0" if sort == b"g" else marshal_string(data)
        header = struct.pack("<BBBBIII", ord("l"), kind, flags, 1, len(body), self.serial, len(fields)) + fields
        self.socket.sendall(align(header, 8) + body)
        return self.serial

    def receive(self, replies):
        """Waits until so many replies or errors have come in; the set of the serials they answer."""
        answered = set()
        while len(answered) < replies:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError("the bus has hung up")
            self.received += data
            answered |= self._take_messages()
        return answered

    def _take_messages(self):
        answered = set()
        while len(self.received) >= 16:
            length, _, fields = struct.unpack_from("<III", self.received, 4)
            total = 16 + fields + (-fields % 8) + length
            if len(self.received) < total:
                break
            message, self.received = self.received[:total], self.received[total:]
            place = message.find(b"\x05\x01u\0", 16, 16 + fields)
            if message[1] in (2, 3) and place >= 0:
                answered.add(struct.unpack_from("<I", message, place + 4)[0])
        return answered

    def hung_up(self):
        """True when the bus ends the connection."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True

    def close(self):
        self.socket.close()


class HostileTest(world.TestCase):
    def lfad_pid(self):
        return self.world.parts["lfad"].pid

    def rss_kib(self):
        with open(f"/proc/{self.lfad_pid()}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def assertMemoryGrewLessThan(self, before, kib):
        """Address sanitizer keeps what was freed and pads what was not, so that the size says nothing there: the
        run with it finds leaks by itself, the plain one judges the size."""
        with open(f"/proc/{self.lfad_pid()}/maps", encoding="utf-8") as file:
            if "libasan" not in file.read():
                self.assertLess(self.rss_kib() - before, kib)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.lfad_pid()}/fd"))

    def manager_call(self, member, signature="", *args):
        return self.world.call(PATH, MANAGER, member, signature, *args)

    def assertServes(self):
        """lfad is the one it was, and activates."""
        self.assertTrue(self.world.running("lfad"), self.world.log("lfad"))
        self.world.stage("rmm", self.next_version())
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def next_version(self):
        major = int(float(self.world.attribute("rmm", "current_version") or "1"))
        return f"{major + 1}.0"

    def busctl(self, *words):
        return self.world.as_user(None, ["busctl", "call", NAME, PATH, MANAGER, *words])


class CallerTest(HostileTest):
    def assertRefused(self, done, text):
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stderr, text)

    def test_an_option_given_twice_is_refused(self):
        self.world.stage("rmm", "2.0")
        self.assertRefused(self.busctl("Activate", "sa{sv}", "rmm", "2", "reason", "s", "a", "reason", "s", "a"), "twice")
        self.assertRefused(self.busctl("GetHistory", "a{sv}", "2", "limit", "u", "1", "limit", "u", "2"), "twice")
        self.assertEqual(self.world.history_file(), [])

    def test_other_signatures_are_refused(self):
        self.world.stage("rmm", "2.0")
        for words in (("Activate", "s", "rmm"), ("Activate",), ("Activate", "a{sv}", "0"), ("Activate", "as", "1", "rmm"),
                      ("Activate", "sa{ss}", "rmm", "1", "reason", "x"), ("Activate", "oa{sv}", "/rmm", "0"),
                      ("GetHistory", "s", "x"), ("Describe",), ("Refresh",), ("Explain", "s", "rmm"),
                      ("ActivatePending", "s", "rmm"), ("GetImage",), ("GetImage", "ss", "a", "b")):
            with self.subTest(words=words):
                self.assertRefused(self.busctl(*words), "(?i)signature|argument|invalid")
        self.assertRefused(self.busctl("NoSuchMethod"), "(?i)unknown method")
        self.assertEqual(self.world.history_file(), [])

    def test_other_types_of_options_are_refused(self):
        self.world.stage("rmm", "2.0")
        for value in (("u", "1"), ("b", "true"), ("as", "1", "x"), ("v", "s", "x"), ("(s)", "x"), ("a{sv}", "0"), ("o", "/x"),
                      ("g", "s"), ("d", "1.5"), ("ay", "1", "65")):
            for option in ("reason", "request-id", "expected-current-version"):
                with self.subTest(option=option, value=value):
                    self.assertRefused(self.busctl("Activate", "sa{sv}", "rmm", "1", option, *value), "type|Invalid")
        self.assertEqual(self.world.history_file(), [])

    def test_unknown_options_are_refused_by_every_method(self):
        path = self.world.image_path("rmm")
        for member in ("Refresh", "GetHistory", "Describe", "ActivatePending"):
            self.assertBusError(INVALID_ARGS, self.manager_call, member, "a{sv}", {"no-such": 1})
        for member in ("Activate", "Explain"):
            self.assertBusError(INVALID_ARGS, self.manager_call, member, "sa{sv}", "rmm", {"no-such": 1})
            self.assertBusError(INVALID_ARGS, self.world.call, path, world.IMAGE, member, "a{sv}", {"no-such": 1})
        self.assertBusError(INVALID_ARGS, self.world.call, path, world.IMAGE, "Cancel", "a{sv}", {"no-such": 1})

    def test_texts_of_a_megabyte_are_refused(self):
        self.world.stage("rmm", "2.0")
        big = "x" * 1000000
        before = self.rss_kib()
        for _ in range(5):
            self.assertBusError(INVALID_ARGS, self.manager_call, "Activate", "sa{sv}", big, {})
            self.assertBusError(INVALID_ARGS, self.manager_call, "Explain", "sa{sv}", big, {})
            self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", reason=big)
            self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", expected_pending_version=big)
            self.assertBusError(INVALID_ARGS, self.manager_call, "Activate", "sa{sv}", "rmm", {big: "x"})
            self.assertBusError(INVALID_ARGS, self.manager_call, "GetHistory", "a{sv}", {"image": big})
        many = {f"option-{number}": "x" for number in range(20000)}
        self.assertBusError(INVALID_ARGS, self.manager_call, "Activate", "sa{sv}", "rmm", many)
        self.assertMemoryGrewLessThan(before, 8192)
        self.assertServes()

    def test_control_characters_are_refused(self):
        self.world.stage("rmm", "2.0")
        for text in ("a\nb", "\x1b]0;x\x07", "\x7f", "\u0085", "\u009b31m", "\r", "\t"):
            self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", reason=text)
            self.assertBusError(INVALID_ARGS, self.manager_call, "Activate", "sa{sv}", text, {})
        self.assertEqual(self.world.history_file(), [])

    def test_any_other_text_is_a_reason(self):
        self.world.stage("rmm", "2.0")
        reason = "\u00fc \U0001f980 \u202e \ufeff \\ \" ' %s {} </x> \u2028"
        job = self.world.run_job("rmm", reason=reason)
        self.assertEqual(job["Reason"], reason)
        self.assertEqual(self.world.history_file("queued")[0]["reason"], reason)
        self.world.restart("lfad")
        self.assertEqual(self.manager_call("GetHistory", "a{sv}", {})[0]["reason"], reason)

    def test_invalid_utf8_ends_its_sender_alone(self):
        for text in (b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"rmm\0x"):
            client = RawClient(self.world)
            client.send("GetImage", "s", marshal_string(text))
            self.assertTrue(client.hung_up(), text)
            client.close()
        self.assertServes()

    def test_a_raw_client_is_served(self):
        client = RawClient(self.world)
        serial = client.send("GetImage", "s", marshal_string(b"rmm"))
        self.assertEqual(client.receive(1), {serial})
        client.close()

    def test_a_truncated_message_harms_nobody(self):
        client = RawClient(self.world)
        client.socket.sendall(b"l\1\0\1" + struct.pack("<III", 1000, 77, 100) + b"\1")
        client.close()
        self.assertServes()

    def test_objects_that_do_not_exist_are_named_so(self):
        for path in (PATH + "/job/0", PATH + "/job/4294967296", PATH + "/job/01", PATH + "/job/x", PATH + "/job",
                     PATH + "/image/x", PATH + "/image", PATH + "/image/" + GUIDS["rmm"].replace("-", "_").upper(),
                     PATH + "/image/" + "f" * 3000, PATH + "/x", "/"):
            with self.subTest(path=path[:60]):
                with self.assertRaises(world.BusError) as caught:
                    self.world.call(path, JOB, "Cancel", "a{sv}", {})
                self.assertRegex(caught.exception.name, "UnknownObject|UnknownMethod|UnknownInterface|NoSuchJob")
        self.assertServes()

    def test_properties_cannot_be_set(self):
        for path, interface, name in ((PATH, MANAGER, "Version"), (self.world.image_path("rmm"), world.IMAGE, "Pending")):
            with self.assertRaises(world.BusError) as caught:
                self.world.call(path, PROPERTIES, "Set", "ssv", interface, name, dbus.String("x"))
            self.assertRegex(caught.exception.name, "ReadOnly|AccessDenied")

    def test_calls_that_want_no_reply_are_done(self):
        self.world.stage("rmm", "2.0")
        client = RawClient(self.world)
        client.send("Activate", "sa{sv}", NAMED, flags=1)
        record = self.world.wait_record("finished")
        self.assertEqual(record["result"], "succeeded")
        client.close()

    def test_calls_while_a_job_runs_are_answered(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        for _ in range(50):
            self.manager_call("Describe", "a{sv}", {})
            self.manager_call("Explain", "sa{sv}", "rmm", {})
            self.manager_call("GetHistory", "a{sv}", {})
            self.world.images()
            self.assertBusError("NotPending", self.world.activate, "bl31")
            self.assertEqual(self.world.job(path)["State"], "activating")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(self.world.stores(), 1)


class LoadTest(HostileTest):
    CALLS = ((PATH, MANAGER, "Describe", "a{sv}", {}), (PATH, MANAGER, "GetHistory", "a{sv}", {}),
             (PATH, MANAGER, "GetImage", "s", "rmm"), (PATH, MANAGER, "GetImage", "s", "nothing"),
             (PATH, MANAGER, "Activate", "sa{sv}", "rmm", {}), (PATH, MANAGER, "Explain", "sa{sv}", "rmm", {}),
             (PATH, MANAGER, "Activate", "sa{sv}", "rmm", {"no-such": "x"}),
             (PATH, PROPERTIES, "GetAll", "s", MANAGER), (PATH + "/job/77", JOB, "Cancel", "a{sv}", {}),
             (PATH, MANAGER, "ActivatePending", "a{sv}", {}))

    def run_calls(self, total):
        """So many calls of every kind, a few under way at any time."""
        done, sent = [], 0
        bus = self.world.bus()
        while len(done) < total:
            while sent < total and sent - len(done) < 20:
                path, interface, member, signature, *args = self.CALLS[sent % len(self.CALLS)]
                bus.call_async(NAME, path, interface, member, signature, args, lambda *_: done.append(1),
                               lambda *_: done.append(1))
                sent += 1
            self.world.wait_for(lambda: sent == total or sent - len(done) < 20, 60, "an answer")
            if sent == total:
                self.world.wait_for(lambda: len(done) == total, 60, "all answers")

    def settle(self):
        self.manager_call("Describe", "a{sv}", {})
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "no worker to run")

    def test_ten_thousand_calls_leave_nothing_behind(self):
        self.run_calls(2000)
        self.settle()
        memory, descriptors = self.rss_kib(), self.descriptors()
        self.run_calls(10000)
        self.settle()
        self.assertMemoryGrewLessThan(memory, 1024)
        self.world.wait_for(lambda: self.descriptors() == descriptors, 10, f"{descriptors} descriptors again")
        self.assertServes()

    def test_200_clients_at_once_are_all_answered(self):
        clients = [RawClient(self.world) for _ in range(200)]
        for client in clients:
            client.send("Explain", "sa{sv}", NAMED)
            client.send("Refresh", "a{sv}", NO_OPTIONS)
            client.send("Describe", "a{sv}", NO_OPTIONS)
        for client in clients:
            self.assertEqual(len(client.receive(3)), 3)
            client.close()
        self.assertServes()

    def test_a_client_that_never_reads_hinders_nobody(self):
        memory = self.rss_kib()
        clients = [RawClient(self.world) for _ in range(3)]
        rule = marshal_string(b"type='signal',path_namespace='/org/arm/LFA1'")
        for client in clients:
            client.send("AddMatch", "s", rule, destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
                        interface="org.freedesktop.DBus")
            client.socket.settimeout(2)
            try:
                for _ in range(2000):
                    client.send("Describe", "a{sv}", NO_OPTIONS)
            except TimeoutError:
                pass  # the bus takes no more of it
        self.assertServes()
        self.assertServes()
        self.assertMemoryGrewLessThan(memory, 16384)
        for client in clients:
            client.close()
        self.assertServes()

    def test_too_many_requests_of_one_caller_are_refused_by_name(self):
        self.world.sim("hang read")
        time_out = []
        errors = []
        for _ in range(60):
            self.world.bus().call_async(NAME, PATH, MANAGER, "Activate", "sa{sv}", ("rmm", {}),
                                        lambda *_: time_out.append(1), lambda error: errors.append(error))
        self.world.wait_for(lambda: len(errors) >= 20, 20, "refusals")
        names = {error.get_dbus_name() for error in errors}
        self.world.sim("release")
        self.world.wait_for(lambda: len(errors) + len(time_out) == 60, 30, "all answers")
        self.assertIn("org.freedesktop.DBus.Error.LimitsExceeded", names)
        self.assertServes()

    def vanish(self, times):
        for number in range(times):
            client = RawClient(self.world)
            member = ("Explain", "Activate", "Refresh", "Describe", "GetHistory", "ActivatePending")[number % 6]
            named = member in ("Explain", "Activate")
            client.send(member, "sa{sv}" if named else "a{sv}", NAMED if named else NO_OPTIONS)
            client.close()
        self.world.refresh()
        self.settle()

    def test_clients_that_vanish_before_the_reply_leave_nothing_behind(self):
        self.vanish(12)
        memory, descriptors = self.rss_kib(), self.descriptors()
        self.vanish(200)
        self.world.wait_for(lambda: self.descriptors() <= descriptors, 10,
                            f"no more than {descriptors} descriptors")
        self.assertMemoryGrewLessThan(memory, 1024)
        self.assertEqual(self.world.history_file(), [])
        self.assertServes()


class SpoofTest(HostileTest):
    def test_signals_of_others_are_not_believed(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        liar = self.world.connect()
        pairs = ((PATH, MANAGER, "JobRemoved", "uoss", (self.world.job_id(path), path, GUIDS["rmm"], "succeeded")),
                 (path, PROPERTIES, "PropertiesChanged", "sa{sv}as", (JOB, {"State": "done"}, [])),
                 ("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss", (NAME, ":1.1", "")),
                 ("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameLost", "s", (NAME,)),
                 ("/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority", "Changed", "", ()))
        for place, interface, member, signature, args in pairs:
            message = dbus.lowlevel.SignalMessage(place, interface, member)
            if signature:
                message.append(*args, signature=signature)
            liar.send_message(message)
        liar.flush()
        self.assertEqual(self.world.job(path)["State"], "activating")
        self.world.sim("release")
        self.world.wait_job_state(path, "done")
        self.assertEnded(self.world.job(path), "succeeded")
        liar.close()

    def test_a_false_end_of_the_connection_is_not_believed(self):
        for destination in (None, NAME):
            client = RawClient(self.world)
            client.send("Disconnected", kind=4, destination=destination, path="/org/freedesktop/DBus/Local",
                        interface="org.freedesktop.DBus.Local")
            client.hung_up()
            client.close()
        self.assertServes()

    def test_lfactl_does_not_believe_a_false_end(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        client = self.world.spawn_as(None, ["lfactl", "activate", "rmm"])
        self.world.sim("wait activate-entered")
        path = self.world.signals("JobNew")[0].args[1] if self.world.signals("JobNew") else PATH + "/job/1"
        liar = self.world.connect()
        message = dbus.lowlevel.SignalMessage(PATH, MANAGER, "JobRemoved")
        message.append(dbus.UInt32(self.world.job_id(path)), dbus.ObjectPath(path), GUIDS["rmm"], "failed", signature="uoss")
        liar.send_message(message)
        liar.flush()
        self.manager_call("Describe", "a{sv}", {})
        self.assertIsNone(client.poll())
        self.world.sim("release")
        self.assertEqual(self.world.finish(client).returncode, 0)
        liar.close()

    def test_nobody_else_owns_the_name(self):
        done = self.world.as_user("nobody", ["busctl", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                             "org.freedesktop.DBus", "RequestName", "su", NAME, "4"])
        self.assertNotEqual(done.returncode, 0, done.stdout)


class SysfsTest(HostileTest):
    READABLE = ("name", "activation_capable", "activation_pending", "may_reset_cpu", "cpu_rendezvous", "current_version",
                "pending_version", "force_cpu_rendezvous", "auto_activate")
    BYTES = ("", "\\n", "\\xff\\xfe\\x00\\x01", "\\0\\0\\0\\0", "-1\\n", "2\\n", "1 1\\n", "1\\n1\\n", "0x1\\n",
             "99999999999999999999.1\\n", "1.2.3\\n", "%s%n\\n", "\\x1b[2J\\n", "1", " 1\\n")

    def refresh(self):
        """Refresh may say that the tree cannot be read; nothing else."""
        try:
            self.world.refresh()
        except world.BusError as error:
            self.assertEqual(error.short_name, "KernelBusy")

    def look(self):
        """Everything can be read as long as lfad lives."""
        self.world.images()
        self.manager_call("Describe", "a{sv}", {})
        state = self.world.manager()["DriverState"]
        self.assertIn(state, ("active", "no-driver", "no-firmware", "unenforceable", "unknown"))

    def refuse(self, what):
        """Without believable flags nothing is activated."""
        try:
            path = self.world.activate("rmm")
        except world.BusError as error:
            self.assertTrue(error.name.startswith(world.ERROR), error)
        else:
            self.assertEqual(self.world.wait_job(path)["Result"], "refused", what)
        self.assertEqual(self.world.stores(), 0, what)

    def test_strange_bytes_in_any_attribute(self):
        self.world.stage("rmm", "2.0")
        for attribute in self.READABLE:
            for text in self.BYTES:
                self.world.sim(["raw", attribute, text, "--image=rmm"])
                self.refresh_at_once()
            self.look()
            self.world.sim(["raw", attribute, "none", "--image=rmm"])
        self.assertServes()

    def refresh_at_once(self):
        """Many readings in a row need not each be waited for; but a caller may have only so many under way."""
        self.under_way = getattr(self, "under_way", 0) + 1

        def answered(*_):
            self.under_way -= 1

        self.world.bus().call_async(NAME, PATH, MANAGER, "Refresh", "a{sv}", ({},), answered, answered)
        self.world.manager()
        self.world.wait_for(lambda: self.under_way < 8, 20, "the readings asked for")

    def test_flags_that_cannot_be_read_allow_nothing(self):
        self.world.stage("rmm", "2.0")
        for attribute in ("activation_capable", "activation_pending", "may_reset_cpu"):
            for text in ("", "\\xff\\n", "2\\n", "yes\\n"):
                with self.subTest(attribute=attribute, text=text):
                    self.world.sim(["raw", attribute, text, "--image=rmm"])
                    self.refresh()
                    self.refuse((attribute, text))
                    self.world.sim(["raw", attribute, "none", "--image=rmm"])
            self.world.sim(["errno", "read", attribute, "EIO"])
            self.refresh()
            self.refuse((attribute, "EIO"))
            self.world.sim(["errno", "read", attribute, "none"])
        self.refresh()
        self.assertServes()

    def test_huge_attributes(self):
        memory = self.rss_kib()
        for attribute in self.READABLE:
            for size in (4095, 4096, 4097, 1000000):
                self.world.sim(["raw", attribute, f"--size={size}"])
                self.refresh_at_once()
            self.refresh()
            self.look()
            self.world.sim(["raw", attribute, "none"])
        self.assertMemoryGrewLessThan(memory, 2048)
        self.assertServes()

    def test_missing_attributes(self):
        for attribute in self.READABLE + ("activate", "cancel"):
            with self.subTest(attribute=attribute):
                self.world.sim(["missing", attribute, "yes"])
                self.refresh()
                self.look()
                self.world.sim(["missing", attribute, "no"])
        self.refresh()
        self.assertServes()

    def test_attributes_that_cannot_be_read(self):
        for attribute in self.READABLE:
            for error in ("EIO", "ENODEV", "EACCES", "ENOENT", "EINTR"):
                self.world.sim(["errno", "read", attribute, error])
                self.refresh_at_once()
            self.look()
            self.world.sim(["errno", "read", attribute, "none"])
        self.assertServes()

    def test_values_that_change_between_readings(self):
        for number in range(8):
            self.world.sim(["raw", "current_version", f"{number + 5}.0\\n", "--image=rmm"])
            self.refresh_at_once()
        self.world.sim("errno read current_version EIO --times=1")
        self.refresh()
        self.world.wait_for(lambda: self.world.image("rmm")["CurrentVersion"] == "12.0", 10, "the last version")
        self.world.sim("raw current_version none --image=rmm")
        self.refresh()
        self.assertServes()

    def test_a_name_that_is_not_clean_text_is_not_shown(self):
        for text in ("\\x1b[31mevil\\n", "\\xff\\xfe\\n", "a\\nb\\n", "\\xe2\\x80\\xae evil\\n"):
            self.world.sim(["raw", "name", text, f"--image={UNNAMED}"])
            self.refresh()
            name = self.world.image(UNNAMED)["Name"]
            self.assertNotRegex(name, "[\x00-\x1f\x7f-\x9f\u202e]", repr(text))

    def test_many_images(self):
        memory = self.rss_kib()
        for number in range(120):
            self.world.sim(f"add {number:08x}-0000-4000-8000-000000000000 1.0")
        self.world.sim("add ffffffff-0000-4000-8000-000000000000 1.0 --now")
        self.refresh()
        self.look()
        self.assertMemoryGrewLessThan(memory, 2048)
        self.assertServes()


class DriverTest(HostileTest):
    def test_unbound_and_bound_again(self):
        for _ in range(3):
            self.world.sim("unbind")
            self.world.refresh()
            self.assertEqual(self.world.manager()["DriverState"], "no-driver")
            self.assertBusError("NoDriver", self.world.activate, "rmm")
            self.world.sim("bind")
            self.world.refresh()
            self.assertEqual(self.world.manager()["DriverState"], "active")
        self.assertServes()

    def test_unbound_during_a_job(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.sim("slow activate 500ms")
        first, second = self.world.activate("rmm"), self.world.activate("scp")
        self.world.sim("wait activate-entered")
        self.world.sim("unbind")
        job, other = self.world.wait_job(first), self.world.wait_job(second)
        self.assertIn(job["Result"], ("succeeded", "unverified", "unknown", "failed"))
        self.assertEqual(other["Result"], "refused", other)
        self.world.sim("bind")
        self.world.sim("slow activate 0")
        self.world.refresh()
        self.assertServes()
        self.assertEqual(len(self.world.history_file("finished")), 3)

    def test_a_driver_without_images(self):
        for image in (*GUIDS.values(), UNNAMED):
            self.world.sim(["vanish", image, "--now"])
        self.world.refresh()
        self.assertIn(self.world.manager()["DriverState"], ("no-firmware", "no-driver"))
        self.assertBusError(("NoFirmware", "NoDriver"), self.world.activate, "rmm")
        self.assertBusError(("NoFirmware", "NoDriver"), self.manager_call, "Explain", "sa{sv}", "rmm", {})

    def test_no_driver_from_the_start(self):
        self.world.sim("unbind")
        self.world.restart("lfad")
        self.assertEqual(self.world.manager()["DriverState"], "no-driver")
        self.assertBusError("NoDriver", self.manager_call, "ActivatePending", "a{sv}", {})
        self.world.sim("bind")
        self.world.refresh()
        self.assertServes()


class WorkerTest(HostileTest):
    """lfad starts a script that misbehaves as a file says, and is the shipped worker otherwise."""

    options = {"parts": ("dbus", "polkitd", "sim")}

    SCRIPT = """#!/bin/sh
# What a verb does: its name stands before the mode, "scan garbage".
read -r verb mode <"@DIR@/mode"
if [ "$1" != "$verb" ]; then exec @WORKER@ "$@"; fi
case $mode in
garbage) echo 'no JSON'; exit 0 ;;
binary) head -c 5000 /dev/urandom; exit 0 ;;
nothing) exit 0 ;;
exit-1) exit 1 ;;
right-and-exit-1) @WORKER@ "$@"; exit 1 ;;
right-and-garbage) @WORKER@ "$@"; echo '{"type":'; exit 0 ;;
killed) kill -KILL $$ ;;
half-a-line) printf '{"type":"end","error":0}'; exit 0 ;;
long-line) head -c 300000 /dev/zero | tr '\\0' x; echo; exit 0 ;;
gigabyte) exec head -c 1000000000 /dev/zero ;;
endless) while echo '{"type":"writing"}' 2>/dev/null; do :; done; exit 0 ;;
many) i=0; echo '{"type":"driver","state":"active","profile":"nvnew","tree":1}'
        while [ $i -lt 6000 ]; do
                printf '{"type":"image","guid":"%08x-0000-4000-8000-000000000000","capable":1}\\n' $i
                i=$((i + 1))
        done
        echo '{"type":"end","error":0}'; exit 0 ;;
liar) echo '{"type":"driver","state":"nonsense","profile":"nvnew","tree":1}'; exit 0 ;;
error) echo '{"type":"end","error":5}'; exit 0 ;;
strange) echo '{"type":"end","error":-5}'; exit 0 ;;
child) (sleep 3) & exit 0 ;;
hang) echo $$ >"@DIR@/hanging"; exec sleep 600 ;;
esac
"""
    BAD = ("garbage", "binary", "nothing", "exit-1", "right-and-exit-1", "right-and-garbage", "killed", "half-a-line",
           "long-line", "gigabyte", "liar", "error", "strange", "child")

    def setUp(self):
        super().setUp()
        self.script = os.path.join(self.world.dir, "worker")
        self.mode("none", "none")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(self.SCRIPT.replace("@DIR@", self.world.dir).replace("@WORKER@", REAL_WORKER))
        os.chmod(self.script, 0o755)
        self.addCleanup(self.end_hanging)
        self.start()

    def start(self):
        with mock.patch.object(world, "WORKER", self.script):
            self.world.start("lfad")

    def end_hanging(self):
        try:
            with open(os.path.join(self.world.dir, "hanging"), encoding="utf-8") as file:
                os.kill(int(file.read()), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass

    def mode(self, verb, mode):
        path = os.path.join(self.world.dir, "mode")
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(f"{verb} {mode}\n")
        os.rename(path + ".new", path)

    def test_a_scan_that_goes_wrong_is_no_reading(self):
        before = self.world.images()
        memory, descriptors = self.rss_kib(), self.descriptors()
        for mode in self.BAD:
            with self.subTest(mode=mode):
                self.mode("scan", mode)
                self.assertBusError("KernelBusy", self.world.refresh)
                self.assertEqual(self.world.images(), before)
        self.mode("none", "none")
        self.world.refresh()
        self.assertMemoryGrewLessThan(memory, 1024)
        self.world.wait_for(lambda: self.descriptors() == descriptors, 10, f"{descriptors} descriptors again")
        self.assertServes()

    def test_what_never_ends_to_speak_is_heard_no_longer(self):
        memory = self.rss_kib()
        self.mode("scan", "endless")
        self.assertBusError("KernelBusy", self.world.refresh)
        self.mode("none", "none")
        self.world.refresh()
        self.assertMemoryGrewLessThan(memory, 1024)
        self.assertServes()

    def test_images_without_number_are_bounded(self):
        memory = self.rss_kib()
        self.mode("scan", "many")
        try:
            self.world.refresh()
        except world.BusError as error:
            self.assertEqual(error.short_name, "KernelBusy")
        self.assertLessEqual(len(self.world.images()), 4096 + 10)
        self.mode("none", "none")
        self.world.refresh()
        self.assertIn(self.world.image_path("rmm"), self.world.images())
        self.assertMemoryGrewLessThan(memory, 32768)

    def test_a_scan_that_hangs_is_waited_for_in_vain_and_told(self):
        self.mode("scan", "hang")
        self.assertBusError("KernelBusy", self.world.refresh)
        self.assertEqual(self.world.manager()["DriverState"], "active")
        self.assertBusError("KernelBusy", self.world.activate, "rmm")
        self.mode("none", "none")
        self.end_hanging()
        self.world.wait_for(self.refreshes, 10, "a reading after the one that hung")
        self.assertServes()

    def refreshes(self):
        try:
            self.world.refresh()
        except world.BusError:
            return False
        return True

    def test_an_activation_whose_worker_goes_wrong_is_unknown(self):
        for mode in ("garbage", "nothing", "exit-1", "killed", "long-line", "gigabyte", "half-a-line", "error", "child"):
            with self.subTest(mode=mode):
                self.mode("activate", mode)
                self.world.stage("rmm", "2.0")
                path = self.world.activate("rmm")
                self.assertEnded(self.world.wait_job(path), "unknown", "NoReport")
                types = [record["type"] for record in self.world.history_file(job=self.world.job_id(path))]
                self.assertEqual(types, ["queued", "started", "finished"])
        self.assertEqual(self.world.stores(), 0)
        self.mode("none", "none")
        self.assertServes()

    def test_a_report_that_was_made_counts_whatever_else_is_said(self):
        for mode, version in (("right-and-exit-1", "2.0"), ("right-and-garbage", "3.0")):
            with self.subTest(mode=mode):
                self.mode("activate", mode)
                self.world.stage("rmm", version)
                self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_a_worker_that_is_missing_or_cannot_run(self):
        def missing():
            os.rename(self.script, self.script + ".away")

        def no_program():
            os.chmod(self.script, 0o644)

        def a_folder():
            missing()
            os.mkdir(self.script)

        def rubbish():
            missing()
            with open(self.script, "wb") as file:
                file.write(b"\x7fELF rubbish")
            os.chmod(self.script, 0o755)

        for damage in (missing, no_program, a_folder, rubbish):
            with self.subTest(damage=damage.__name__):
                self.world.stage("rmm", self.next_version())
                damage()
                path = self.world.activate("rmm")
                job = self.world.wait_job(path)
                self.assertIn((job["Result"], job["Error"].removeprefix(world.ERROR)),
                              [("failed", "WorkerFailed"), ("refused", "KernelBusy")], job["Message"])
                self.assertBusError("KernelBusy", self.world.refresh)
                self.repair()
                self.assertServes()
        self.assertEqual(self.world.stores(), 4)

    def repair(self):
        if os.path.isdir(self.script):
            os.rmdir(self.script)
        if os.path.exists(self.script + ".away"):
            if os.path.exists(self.script):
                os.unlink(self.script)
            os.rename(self.script + ".away", self.script)
        os.chmod(self.script, 0o755)

    def test_a_worker_missing_from_the_start_is_told(self):
        self.world.stop("lfad")
        os.rename(self.script, self.script + ".away")
        self.start()
        self.assertEqual(self.world.manager()["DriverState"], "unknown")
        self.assertBusError(("KernelBusy", "Starting"), self.world.activate, "rmm")
        self.assertBusError(("KernelBusy", "Starting"), self.manager_call, "Explain", "sa{sv}", "rmm", {})
        self.repair()
        self.world.refresh()
        self.assertServes()

    def test_a_queue_that_cannot_read_goes_on_when_it_can(self):
        """A job waits for the tree to settle, and when its turn has come the worker cannot be started."""
        for _ in range(3):
            self.world.stage("rmm", self.next_version())
            self.world.sim("uevent change")
            path = self.world.activate("rmm")
            os.rename(self.script, self.script + ".away")
            job = self.world.wait_job(path, timeout=15)
            self.assertIn(job["Result"], ("refused", "failed"), job)
            self.repair()
            self.assertServes()

    def test_a_cancel_whose_worker_goes_wrong_changes_nothing(self):
        for mode in ("garbage", "exit-1", "killed", "nothing"):
            self.world.stage("rmm", self.next_version())
            self.mode("cancel", mode)
            self.world.sim("hang activate")
            path = self.world.activate("rmm")
            self.world.sim(f"wait activate-entered --count={self.world.stores() + 1}"
                           if self.world.job(path)["State"] != "activating" else "counters")
            self.world.wait_job_state(path, "activating")
            self.world.call(path, JOB, "Cancel", "a{sv}", {})
            self.world.sim("release")
            self.assertEnded(self.world.wait_job(path), "succeeded")


class UeventTest(HostileTest):
    def test_events_that_were_lost_are_told_and_the_tree_is_read(self):
        os.kill(self.lfad_pid(), signal.SIGSTOP)
        try:
            self.world.sim("uevent change --count=20000")
            self.world.sim("stage rmm 2.0")
        finally:
            os.kill(self.lfad_pid(), signal.SIGCONT)
        self.world.wait_for(lambda: "lost" in self.world.log("lfad", 500), 20, "lfad to say that events were lost")
        self.world.wait_for(lambda: self.world.image("rmm")["PendingVersion"] == "2.0", 20, "the tree to be read")
        self.assertEqual(self.world.manager()["UeventMonitor"], "listening")
        self.assertServes()

    def test_a_storm_starves_nobody(self):
        storm = self.world.spawn_as(None, ["lfa-sim", "ctl", "uevent", "change", "--count=50000"])
        longest = 0.0
        for _ in range(100):
            began = time.monotonic()
            self.world.manager()
            longest = max(longest, time.monotonic() - began)
        self.world.finish(storm, 60)
        self.assertLess(longest, 2)
        self.assertServes()


class BusTest(HostileTest):
    def come_back(self):
        """A new bus with everything on it, after the old one ended."""
        self.world.parts.pop("lfad", None)
        if "polkitd" in self.world.parts:
            self.world.kill("polkitd")
        self.world._bus = None  # pylint: disable=protected-access
        self.world.start("dbus")
        self.world.start("polkitd")

    def test_the_bus_ends_while_nothing_runs(self):
        lfad = self.world.parts["lfad"]
        self.world.kill("dbus")
        self.world.wait_for(lambda: lfad.poll() is not None, 10, "lfad to end")
        self.assertEqual(lfad.returncode, 1)
        self.come_back()
        self.world.start("lfad")
        self.assertServes()

    def test_the_bus_ends_during_an_activation(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        job = self.world.job_id(self.world.activate("rmm", request_id="r"))
        self.world.sim("wait activate-entered")
        waiting = self.world.job_id(self.world.activate("scp"))
        lfad = self.world.parts["lfad"]
        self.world.kill("dbus")
        self.world.wait_for(lambda: self.world.history_file("finished", waiting), 10, "the other job to be cancelled")
        self.assertIsNone(lfad.poll(), "the activation is awaited")
        self.assertEqual(self.world.history_file("finished", job), [])
        self.world.sim("release")
        self.world.wait_for(lambda: lfad.poll() is not None, 10, "lfad to end")
        self.assertEqual(lfad.returncode, 1)
        self.assertEqual([record["result"] for record in self.world.history_file("finished", job)], ["succeeded"])
        self.come_back()
        self.world.start("lfad")
        records = self.manager_call("GetHistory", "a{sv}", {"job": dbus.UInt32(job)})
        self.assertEqual([record["type"] for record in records], ["queued", "started", "finished"])
        self.assertEqual(self.world.job_id(self.world.activate("rmm", request_id="r")), job)
        self.assertServes()

    def test_without_a_bus_lfad_does_not_start_and_says_so(self):
        self.world.stop("lfad")
        self.world.kill("dbus")
        self.world.spawn_lfad()
        lfad = self.world.parts["lfad"]
        self.world.wait_for(lambda: lfad.poll() is not None, 10, "lfad to end")
        self.assertEqual(lfad.returncode, 1)
        self.assertIn("bus", self.world.log("lfad"))
        self.come_back()

    def test_the_name_is_taken_from_nobody(self):
        self.world.stop("lfad")
        rival = self.world.connect()
        rival.request_name(NAME, dbus.bus.NAME_FLAG_DO_NOT_QUEUE)
        self.world.spawn_lfad()
        lfad = self.world.parts["lfad"]
        self.world.wait_for(lambda: lfad.poll() is not None, 15, "lfad to end")
        self.assertEqual(lfad.returncode, 1)
        self.world.parts.pop("lfad")
        rival.close()
        self.world.start("lfad")
        self.assertServes()


class DialogTest(HostileTest):
    """What changes while a person thinks."""

    def ask(self, agent, image):
        return self.world.activate_as("nobody", image, agent=agent)

    def test_a_caller_who_vanishes_closes_the_dialog(self):
        self.world.stage("rmm", "2.0")
        with self.world.agent("hang") as agent:
            caller = self.world.spawn_as("nobody", ["lfactl", "activate", "rmm"], agent=agent)
            self.world.wait_for(lambda: agent.prompts, 10, "the prompt")
            caller.kill()
            self.world.finish(caller)
            self.world.wait_for(lambda: agent.cancelled, 10, "the dialog to be closed")
        self.assertEqual(self.world.history_file(), [])
        self.assertServes()

    def test_an_image_that_goes_is_not_activated(self):
        self.world.stage("rmm", "2.0")

        def vanish(_):
            self.world.sim("vanish rmm --now")
            self.world.refresh()

        with self.world.agent("ok", on_prompt=vanish) as agent:
            self.assertBusError(("NoSuchImage", "ImageGone"), self.ask, agent, "rmm")
        self.assertEqual((len(agent.prompts), self.world.history_file("queued"), self.world.stores()), (1, [], 0))

    def test_an_image_that_is_unstaged_is_not_activated(self):
        self.world.stage("rmm", "2.0")

        def unstage(_):
            self.world.sim("unstage rmm")
            self.world.refresh()

        with self.world.agent("ok", on_prompt=unstage) as agent:
            self.assertBusError("NotPending", self.ask, agent, "rmm")
        self.assertEqual(self.world.stores(), 0)

    def test_an_image_with_another_name_is_asked_about_again(self):
        self.world.stage(UNNAMED, "5.0")

        def rename(prompt):
            self.world.sim(["raw", "name", "Another name\\n", f"--image={UNNAMED}"])
            self.world.refresh()

        with self.world.agent("ok", on_prompt=rename) as agent:
            path = self.ask(agent, UNNAMED)
        self.assertEqual(len(agent.prompts), 2)
        self.assertIn("Another name", agent.prompts[1].message)
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(self.world.stores(), 1)

    def test_an_image_staged_anew_once_is_asked_about_again_and_runs_as_shown(self):
        self.world.stage("rmm", "2.0")
        with self.world.agent("ok") as agent:
            agent.on_prompt = lambda _: len(agent.prompts) == 1 and self.world.stage("rmm", "3.0")
            path = self.ask(agent, "rmm")
        self.assertEqual(len(agent.prompts), 2)
        self.assertIn("3.0", agent.prompts[1].message)
        job = self.world.wait_job(path)
        self.assertEnded(job, "succeeded")
        self.assertEqual(job["ToVersion"], "3.0")

    def test_the_driver_going_while_a_person_thinks_is_told(self):
        self.world.stage("rmm", "2.0")

        def unbind(_):
            self.world.sim("unbind")
            self.world.refresh()

        with self.world.agent("ok", on_prompt=unbind) as agent:
            self.assertBusError(("NoDriver", "ImageGone", "NoSuchImage"), self.ask, agent, "rmm")
        self.assertEqual(self.world.history_file("queued"), [])

    def test_lfad_stopping_while_a_person_thinks_starts_nothing(self):
        self.world.stage("rmm", "2.0")
        with self.world.agent("hang") as agent:
            caller = self.world.spawn_as("nobody", ["lfactl", "activate", "rmm"], agent=agent)
            self.world.wait_for(lambda: agent.prompts, 10, "the prompt")
            self.world.restart("lfad")
            agent.answer("ok")
            self.assertNotEqual(self.world.finish(caller).returncode, 0)
        self.assertEqual(self.world.history_file(), [])
        self.assertServes()

    def test_polkitd_restarted_is_asked_again(self):
        self.world.stage("rmm", "2.0")
        self.world.polkit_rule('polkit.addRule(function(action, subject) { return polkit.Result.YES; });')
        self.world.restart("polkitd")
        path = self.world.activate_as("nobody", "rmm")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.world.kill("polkitd")
        self.world.stage("scp", "4.0")
        self.assertBusError((ACCESS_DENIED, INTERACTIVE), self.world.activate_as, "nobody", "scp")
        self.world.start("polkitd")
        self.assertEnded(self.world.wait_job(self.world.activate_as("nobody", "scp")), "succeeded")

    def test_polkitd_that_does_not_answer_keeps_only_its_caller_waiting(self):
        self.world.stage("rmm", "2.0")
        self.world.stage("scp", "4.0")
        os.kill(self.world.parts["polkitd"].pid, signal.SIGSTOP)
        try:
            caller = self.world.spawn_as("nobody", ["lfactl", "activate", "scp"])
            self.assertEnded(self.world.run_job("rmm"), "succeeded")
            self.assertIsNone(caller.poll())
        finally:
            os.kill(self.world.parts["polkitd"].pid, signal.SIGCONT)
        self.assertEqual(self.world.finish(caller).returncode, 6)
        self.assertEqual(self.world.stores(), 1)


class HistoryFileTest(HostileTest):
    """What an earlier crash, or a stranger, left in the file."""

    def damage(self, change):
        """Activates, stops, changes the file, goes on; the records afterwards."""
        self.addCleanup(self.hide)
        self.assertServes()
        self.world.stop("lfad")
        path = os.path.join(self.world.state_dir, "history.jsonl")
        with open(path, "rb") as file:
            lines = file.read()
        with open(path, "wb") as file:
            file.write(change(lines))
        self.world.start("lfad")
        self.world.stage("rmm", self.next_version())
        path = self.world.activate("rmm")
        self.world.wait_job_state(path, "done")
        self.assertEnded(self.world.job(path), "succeeded")
        records = self.manager_call("GetHistory", "a{sv}", {})
        self.assertEqual([record["type"] for record in records][-3:], ["queued", "started", "finished"])
        numbers = [record["seq"] for record in records]
        self.assertEqual(numbers, sorted(set(numbers)))
        ends = [record["job"] for record in records if record["type"] == "finished"]
        self.assertEqual(ends, sorted(set(ends)), "exactly one end a job")
        return records

    def hide(self):
        """The world prints the file when a test fails, and takes it for UTF-8."""
        path = os.path.join(self.world.state_dir, "history.jsonl")
        if os.path.exists(path):
            os.rename(path, path + ".rubbish")

    def test_the_end_of_the_last_line_is_missing(self):
        self.damage(lambda lines: lines[:-1])

    def test_cut_in_the_middle_of_a_line(self):
        records = self.damage(lambda lines: lines[:-10])
        self.assertEqual([record["result"] for record in records if record["type"] == "finished"][1], "succeeded")

    def test_cut_in_the_middle_of_the_first_line(self):
        self.damage(lambda lines: lines[:50])

    def test_rubbish_at_the_end(self):
        for rubbish in (b"\0" * 9000, b"\xff" * 3000 + b"\n", os.urandom(2000)):
            records = self.damage(lambda lines, more=rubbish: lines + more)
            self.assertEqual(records[0]["seq"], 1)

    def test_megabytes_of_rubbish_at_the_end(self):
        """Numbers are never given twice, however far back the last one is."""
        self.damage(lambda lines: lines + b"x" * (2 << 20) + b"\n")

    def test_a_file_of_rubbish_alone(self):
        self.damage(lambda lines: os.urandom(100000))


world.main()
