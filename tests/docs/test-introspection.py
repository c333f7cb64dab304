#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dbus/org.arm.LFA1.xml is what the running daemon introspects, and org.arm.LFA1(5) says of each property whether it is
announced as the daemon says it."""

import copy
import xml.etree.ElementTree

import docs
import facts
import world
from world import NAME, PATH

API = "org.arm.LFA1.5"
INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"
EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
WORDS = {"true": "emits", "const": "const", "false": "silent", "invalidates": "invalidates"}
# Of the bus library, on every object.
STANDARD = {"org.freedesktop.DBus.Peer", INTROSPECTABLE, "org.freedesktop.DBus.Properties"}
LOG_CONTROL = {"LogLevel": ("s", "readwrite"), "LogTarget": ("s", "readwrite"), "SyslogIdentifier": ("s", "read")}


def args(member):
    return tuple((arg.get("name"), arg.get("type"), arg.get("direction") if member.tag == "method" else None)
                 for arg in member.findall("arg"))


def annotation(member):
    found = member.find(f"annotation[@name='{EMITS}']")
    return found.get("value") if found is not None else None


def shape(interface):
    """(kind, name) -> what a client depends on."""
    members = {}
    for member in interface:
        if member.tag in ("method", "signal"):
            members[member.tag, member.get("name")] = args(member)
        elif member.tag == "property":
            members["property", member.get("name")] = (member.get("type"), member.get("access"))
    return members


def differences(written, running):
    """Between two <interface> elements."""
    ours, theirs = shape(written), shape(running)
    for key in ours.keys() | theirs.keys():
        if ours.get(key) != theirs.get(key):
            yield f"{key}: written {ours.get(key)}, running {theirs.get(key)}"
    for member in written.findall("property"):
        said, found = annotation(member), running.find(f"property[@name='{member.get('name')}']")
        if said is not None and found is not None and said != (annotation(found) or "true"):
            yield f"{member.get('name')}: written emits-changed {said}, running {annotation(found)}"


def documented_properties(name):
    return docs.page(API).entries(f"{name} properties")


def announced(running):
    """property -> detail as the page has it."""
    return {item.get("name"): f"{item.get('type')}, {WORDS[annotation(item) or 'true']}"
            for item in running.findall("property")}


class IntrospectionTest(world.TestCase):
    maxDiff = None

    def introspect(self, path):
        text = self.world.call(path, INTROSPECTABLE, "Introspect")
        return {item.get("name"): item for item in xml.etree.ElementTree.fromstring(text).findall("interface")}

    def objects(self):
        """interface name -> its element in introspection, of an object that has it."""
        self.world.stage("rmm", "2.0")
        self.paths = {"Manager": PATH, "Image": self.world.image_path("rmm"), "Job": self.world.activate("rmm")}
        return {name: self.introspect(path)[f"{NAME}.{name}"] for name, path in self.paths.items()}

    def test_the_xml_is_what_runs(self):
        running = self.objects()
        for name, element in running.items():
            self.assertEqual(list(differences(facts.interface(name), element)), [])
        for name, path in self.paths.items():
            others = {"org.freedesktop.DBus.ObjectManager"} if name == "Manager" else set()
            # The object manager interface shows on the manager's path alone.
            self.assertEqual(set(self.introspect(path)) - STANDARD, {f"{NAME}.{name}"} | others)
        root = xml.etree.ElementTree.fromstring(docs.read("dbus/org.arm.LFA1.xml"))
        self.assertEqual({item.get("name") for item in root.findall("interface")},
                         {f"{NAME}.{name}" for name in running})

    def test_the_page_says_what_is_announced(self):
        for name, element in self.objects().items():
            with self.subTest(interface=name):
                self.assertEqual(list(docs.compare(documented_properties(name), announced(element), True)), [])

    def test_the_tree_of_objects_is_the_documented_one(self):
        self.objects()
        documented = {entry.names[0].rstrip("/") for entry in docs.page(API).entries("OBJECTS")}
        found = {PATH if path == PATH else path.rsplit("/", 1)[0] for path in self.paths.values()}
        self.assertEqual(documented, found | {"/org/freedesktop/LogControl1"})
        log_control = self.introspect("/org/freedesktop/LogControl1")["org.freedesktop.LogControl1"]
        self.assertEqual({key[1]: value for key, value in shape(log_control).items()}, LOG_CONTROL)

    def test_planted_differences_are_found(self):
        running = self.objects()
        for name, element in running.items():
            docs.plants(self, documented_properties(name), announced(element), True)
            written = facts.interface(name)
            for change in (lambda item: item.remove(item.find("method")),
                           lambda item: item.find("method/arg").set("name", "planted"),
                           lambda item: item.find("method/arg").set("type", "ay"),
                           lambda item: item.find("method/arg").set("direction", "out"),
                           lambda item: item.find("property").set("type", "x"),
                           lambda item: item.find("property").set("access", "readwrite"),
                           lambda item: item.find("property").set("name", "Planted"),
                           lambda item: xml.etree.ElementTree.SubElement(item, "signal", name="Planted"),
                           lambda item: xml.etree.ElementTree.SubElement(item.find("property"), "annotation",
                                                                         name=EMITS, value="invalidates")):
                planted = copy.deepcopy(written)
                change(planted)
                self.assertTrue(list(differences(planted, element)), xml.etree.ElementTree.tostring(planted)[:300])


world.main()
