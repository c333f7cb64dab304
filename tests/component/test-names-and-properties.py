#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The API as clients that nobody here wrote see it: busctl, gdbus and python3-dbus list, watch and activate; names
are resolved, options checked, and introspection says what dbus/org.arm.LFA1.xml says."""

import json
import os
import xml.etree.ElementTree

import dbus

import world
from world import GUIDS, IMAGE, JOB, MANAGER, NAME, OBJECT_MANAGER, PATH, PROPERTIES

UNNAMED = "0509b633-5734-422f-a681-6096e932d93a"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"


def swapped(guid):
    """The EFI form of a GUID."""
    first, second, third, rest = guid.split("-", 3)
    return "-".join(bytes.fromhex(part)[::-1].hex() for part in (first, second, third)) + "-" + rest


class ClientTest(world.TestCase):
    def run_client(self, *argv):
        done = self.world.as_user(None, list(argv))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def watch(self, argv, ready, wanted):
        """A client watches while an image becomes pending, until it has printed what is wanted."""
        watcher = self.world.spawn_as(None, argv)
        try:
            self.world.wait_for(lambda: ready in self.world.said(watcher), 10, f"{argv[0]} to watch")
            self.world.stage("rmm", "2.0")
            self.world.wait_for(lambda: all(text in self.world.said(watcher) for text in wanted), 10,
                                f"{argv[0]} to see {wanted}")
        finally:
            watcher.terminate()
            self.world.finish(watcher)

    def assertActivates(self, output):
        path = next(word for word in output.replace("'", " ").replace('"', " ").replace(",", " ").split()
                    if word.startswith(PATH + "/job/"))
        self.assertEnded(self.world.wait_job(path), "succeeded")

    def test_busctl_lists_the_images(self):
        tree = self.run_client("busctl", "tree", "--list", NAME)
        for guid in GUIDS.values():
            self.assertIn(f"{PATH}/image/{guid.replace('-', '_')}", tree)

    def test_busctl_watches(self):
        self.watch(["busctl", "monitor", NAME], "Monitoring bus message stream", ["PropertiesChanged", '"2.0"'])

    def test_busctl_activates(self):
        self.world.stage("rmm", "2.0")
        self.assertActivates(self.run_client("busctl", "call", NAME, PATH, MANAGER, "Activate", "sa{sv}", "rmm", "0"))

    def test_gdbus_lists_the_images(self):
        output = self.run_client("gdbus", "call", "--system", "--dest", NAME, "--object-path", PATH, "--method",
                                 OBJECT_MANAGER + ".GetManagedObjects")
        for guid in GUIDS.values():
            self.assertIn(guid, output)

    def test_gdbus_watches(self):
        self.watch(["gdbus", "monitor", "--system", "--dest", NAME], "is owned by", ["PropertiesChanged", "'2.0'"])

    def test_gdbus_activates(self):
        self.world.stage("rmm", "2.0")
        self.assertActivates(self.run_client("gdbus", "call", "--system", "--dest", NAME, "--object-path",
                                             self.world.image_path("rmm"), "--method", IMAGE + ".Activate", "{}"))

    def test_python3_dbus_lists_the_images(self):
        manager = dbus.Interface(self.world.bus().get_object(NAME, PATH), OBJECT_MANAGER)
        objects = manager.GetManagedObjects()
        self.assertEqual({str(items[IMAGE]["Guid"]) for items in objects.values() if IMAGE in items},
                         {*GUIDS.values(), UNNAMED})

    def test_python3_dbus_watches(self):
        seen = []
        self.world.bus().add_signal_receiver(lambda interface, changed, gone: seen.append(changed), "PropertiesChanged",
                                             PROPERTIES, path=self.world.image_path("rmm"))
        self.world.stage("rmm", "2.0")
        self.world.wait_for(lambda: any(item.get("PendingVersion") == "2.0" for item in seen), 10,
                            "PropertiesChanged at a python3-dbus proxy")

    def test_python3_dbus_activates(self):
        self.world.stage("rmm", "2.0")
        image = dbus.Interface(self.world.bus().get_object(NAME, self.world.image_path("rmm")), IMAGE)
        self.assertActivates(str(image.Activate(dbus.Dictionary(signature="sv"))))

    def test_anybody_may_read(self):
        image = self.world.call_as("nobody", self.world.image_path("rmm"), PROPERTIES, "GetAll", "s", IMAGE)
        self.assertEqual(image["CurrentVersion"], "1.2")
        self.assertTrue(self.world.call_as("nobody", PATH, OBJECT_MANAGER, "GetManagedObjects"))
        self.world.call_as("nobody", PATH, MANAGER, "GetHistory", "a{sv}", {})


class NamesTest(world.TestCase):
    def get(self, name):
        return self.world.call(PATH, MANAGER, "GetImage", "s", name)

    def test_an_image_has_many_names(self):
        guid = GUIDS["rmm"]
        for name in (guid, guid.upper(), "{" + guid + "}", swapped(guid), "rmm", "RMM"):
            with self.subTest(name=name):
                self.assertEqual(self.get(name), self.world.image_path("rmm"))

    def test_an_image_without_a_name_is_found_by_guid(self):
        self.assertEqual(self.get(UNNAMED), self.world.image_path(UNNAMED))
        self.assertEqual(self.world.image(UNNAMED)["Alias"], "")

    def test_an_unknown_name_is_no_such_image(self):
        for name in ("", "nothing", "bl32", "ffffffff-0000-0000-0000-000000000000", "x" * 5000):
            with self.subTest(name=name):
                self.assertBusError(["NoSuchImage", INVALID_ARGS], self.get, name)

    def test_an_image_says_what_sysfs_says(self):
        image = self.world.image("rmm")
        self.assertEqual(image["Guid"], GUIDS["rmm"])
        self.assertEqual(image["EfiGuid"], swapped(GUIDS["rmm"]))
        self.assertEqual(image["Alias"], "rmm")
        self.assertEqual(image["CurrentVersion"], self.world.attribute("rmm", "current_version"))
        self.assertEqual(image["PendingVersion"], "")
        self.assertEqual((image["Capable"], image["Pending"], image["MayResetCpu"]), (True, False, False))
        self.assertEqual((image["ForceCpuRendezvous"], image["KernelAutoActivate"]), (True, False))
        self.assertEqual(image["State"], "idle")

    def test_the_manager_says_how_things_are(self):
        manager = self.world.manager()
        self.assertEqual(manager["DriverState"], "active")
        self.assertEqual(manager["UeventMonitor"], "listening")
        self.assertEqual((manager["CurrentJob"], manager["Activating"]), ("/", False))
        self.assertLessEqual({"expected-current-version", "expected-pending-version", "reason"},
                             set(manager["SupportedOptions"]))

    def test_unknown_options_are_refused(self):
        self.world.stage("rmm", "2.0")
        self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", no_such_option="x")
        for member in ("Refresh", "GetHistory"):
            self.assertBusError(INVALID_ARGS, self.world.call, PATH, MANAGER, member, "a{sv}", {"no-such": 1})
        self.assertEqual(self.world.stores(), 0)

    def test_options_of_another_type_are_refused(self):
        self.world.stage("rmm", "2.0")
        self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", reason=7)
        self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", expected_pending_version=True)
        self.assertEqual(self.world.history_file("queued"), [])

    def test_texts_with_control_characters_or_without_end_are_refused(self):
        self.world.stage("rmm", "2.0")
        for reason in ("two\nlines", "\x1b[2J", "x" * 257):
            self.assertBusError(INVALID_ARGS, self.world.activate, "rmm", reason=reason)

    def test_a_job_that_does_not_exist_has_no_object(self):
        with self.assertRaises(world.BusError):
            self.world.job(PATH + "/job/4711")

    def test_the_history_on_the_bus_is_the_file(self):
        self.world.stage("rmm", "2.0")
        self.world.run_job("rmm", reason="a test")
        records = self.world.call(PATH, MANAGER, "GetHistory", "a{sv}", {})
        self.assertEqual([record["type"] for record in records],
                         [record["type"] for record in self.world.history_file()])
        self.assertEqual(records[-1]["result"], "succeeded")


class IntrospectionTest(world.TestCase):
    @staticmethod
    def members(interface):
        """What counts of an interface: members with their signatures."""
        found = set()
        for item in interface:
            if item.tag == "property":
                found.add(("property", item.get("name"), item.get("type"), item.get("access")))
            elif item.tag in ("method", "signal"):
                sides = {"in": "", "out": ""}
                for arg in item.iter("arg"):
                    sides[arg.get("direction", "in" if item.tag == "method" else "out")] += arg.get("type")
                found.add((item.tag, item.get("name"), sides["in"], sides["out"]))
        return found

    def test_introspection_says_what_the_project_says(self):
        file = os.path.join(world.SOURCE_DIR, "dbus/org.arm.LFA1.xml")
        wanted = {item.get("name"): self.members(item)
                  for item in xml.etree.ElementTree.parse(file).getroot().iter("interface")}
        self.world.stage("rmm", "2.0")
        job = self.world.activate("rmm")
        for name, path in ((MANAGER, PATH), (IMAGE, self.world.image_path("rmm")), (JOB, job)):
            with self.subTest(interface=name):
                text = self.world.call(path, "org.freedesktop.DBus.Introspectable", "Introspect")
                got = {item.get("name"): self.members(item)
                       for item in xml.etree.ElementTree.fromstring(text).iter("interface")}
                self.assertEqual(got[name], wanted[name])
        self.world.wait_job(job)

    def test_lfactl_lists_the_images(self):
        done = self.world.lfactl("list", user="nobody")
        self.assertEqual(done.returncode, 0, done.stderr)
        for text in ("1.2", "2.10", "3.1", "4.0"):
            self.assertIn(text, done.stdout)

    def test_lfactl_json_is_json(self):
        done = self.world.lfactl("list", "--json=short")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("rmm", json.dumps(json.loads(done.stdout)))


world.main()
