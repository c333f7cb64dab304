#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile and broken clients, bus and polkit. Each ends in a named error or a state that can be read; lfad lives, does
not grow, and forgets nothing."""

import os
import pwd
import resource
import signal
import struct

import dbus
import dbus.lowlevel

import memcheck
import world
from hostile import INVALID_ARGS, NAMED, NO_OPTIONS, UNNAMED, HostileTest, RawClient, align, marshal_string
from world import ACCESS_DENIED, GUIDS, INTERACTIVE, JOB, MANAGER, NAME, PATH, PROPERTIES


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
        for member in ("Refresh", "GetHistory", "GetWatchdogs", "Describe", "ActivatePending"):
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

    def children(self):
        """Also those that have ended and were not waited for: lfad has their pipes until then."""
        pid = self.lfad_pid()
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read()

    def settle(self):
        self.manager_call("Describe", "a{sv}", {})
        self.world.wait_for(lambda: not self.children(), 10, "no worker to run")

    def test_ten_thousand_calls_leave_nothing_behind(self):
        self.run_calls(2000)
        self.settle()
        memory, descriptors = self.rss_kib(), self.descriptors()
        self.run_calls(10000)
        self.settle()
        self.assertMemoryGrewLessThan(memory, 1024)
        self.world.wait_for(lambda: self.descriptors() <= descriptors, 10,
                            f"no more than {descriptors} descriptors")
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
        self.world.call(PATH, MANAGER, "Refresh", "a{sv}", {}, timeout=120)  # its turn comes after all those
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
        self.vanish(200)
        memory, descriptors = self.rss_kib(), self.descriptors()
        self.vanish(200)
        self.world.wait_for(lambda: self.descriptors() <= descriptors, 10,
                            f"no more than {descriptors} descriptors")
        self.assertMemoryGrewLessThan(memory, 1024)
        self.assertEqual(self.world.history_file(), [])
        self.assertServes()


class DescriptorTest(HostileTest):
    """Nobody needs to send descriptors to lfad, yet the bus lets it, and lfad cannot but receive them."""

    MOST = 16  # dbus-daemon's max_message_unix_fds
    INHIBIT = ("Inhibit", "sssasa{sv}", align(align(marshal_string(b"who"), 4) + marshal_string(b"why"), 4) +
               align(marshal_string(b"block"), 4) + b"\0" * 12)
    USUAL_LIMIT = 1024  # what services start with; fewer than the test makes lfad hold

    def setUp(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.USUAL_LIMIT, before[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        super().setUp()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        self.sent = [os.open("/dev/null", os.O_RDONLY)] * self.MOST
        self.addCleanup(os.close, self.sent[0])

    def client(self):
        """nobody's, in this process"""
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            client = RawClient(self.world, descriptors=True)
        finally:
            os.seteuid(0)
        self.addCleanup(client.close)
        return client

    def flood(self, client, calls, *call):
        """The bus lets 64 descriptors be under way to one receiver: lfad has taken each call before the next."""
        for _ in range(calls):
            client.send(*call, descriptors=self.sent)
            mark = client.send("GetImage", "s", marshal_string(b"rmm"))
            while mark not in client.receive(1):
                pass

    def settle(self, before):
        self.world.wait_for(lambda: not self.world.worker_pids(), 20, "no worker to run")
        self.world.wait_for(lambda: self.descriptors() <= before, 20, f"no more than {before} descriptors")

    @memcheck.cannot("descriptors above a limit of its own cannot be closed")
    def test_those_of_all_that_wait_are_borne(self):
        before = self.descriptors()
        self.world.stage("rmm", "2.0")
        self.world.sim("hang read")
        clients = [self.client() for _ in range(9)]
        most = before
        for client in clients:  # nobody waits for a reading for more than 10 s
            self.flood(client, 31, "Refresh", "a{sv}", NO_OPTIONS)
            most = max(most, self.descriptors())
        self.assertGreater(most, self.USUAL_LIMIT)
        self.assertEqual(self.world.manager()["DriverState"], "active")
        self.world.sim("release")
        for client in clients:
            client.close()
        self.settle(before)
        self.assertServes()

    def test_those_of_prompts_and_of_refused_calls_go_with_the_answer(self):
        self.world.stage("rmm", "2.0")
        self.world.refresh()
        self.world.wait_for(lambda: not self.world.worker_pids(), 10, "the workers' ends")
        before = self.descriptors()
        for _ in range(10):  # those of a worker whose end lfad has not seen yet are not its own
            self.world.manager()
            before = min(before, self.descriptors())
        polkitd = self.world.parts["polkitd"].pid
        os.kill(polkitd, signal.SIGSTOP)
        self.addCleanup(os.kill, polkitd, signal.SIGCONT)
        clients = [self.client() for _ in range(4)]
        for client in clients:
            self.flood(client, 10, *self.INHIBIT)
            self.flood(client, 10, "Activate", "sa{sv}", NAMED)
        self.assertGreaterEqual(self.descriptors(), before + 8 * self.MOST)
        for client in clients:
            self.flood(client, 10, "NoSuchMethod")
            self.flood(client, 10, "Describe", "a{sv}", NO_OPTIONS)
            self.flood(client, 10, "GetImage", "s", marshal_string(b"nothing"))
            self.flood(client, 10, "Activate", "s", marshal_string(b"rmm"))
        self.assertEqual(self.world.manager()["DriverState"], "active")
        os.kill(polkitd, signal.SIGCONT)
        for client in clients:
            client.close()
        self.settle(before)
        self.assertServes()

    def test_a_client_that_cannot_be_given_one_holds_nothing(self):
        before = self.descriptors()
        client = RawClient(self.world)
        client.send(*self.INHIBIT)
        self.world.wait_for(lambda: "Inhibitor 1 is let go by who: why" in self.world.log("lfad"), 10, "its end")
        self.assertEqual(self.manager_call("ListInhibitors"), [])
        self.settle(before)
        client.close()
        self.assertServes()

    def test_more_than_the_bus_allows_end_their_sender(self):
        client = self.client()
        client.send("Describe", "a{sv}", NO_OPTIONS, descriptors=self.sent + self.sent[:1])
        self.assertTrue(client.hung_up())
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
        self.world.recognise_nvnew()
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

world.main()
