#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lfad finds, and how it tells: staged firmware, images that come and go, a driver that is not there, events
that nobody forwards, versions that moved without lfad."""

import os

import world
from world import GUIDS, IMAGE, MANAGER, PATH


class FindingTest(world.TestCase):
    def wait_driver(self, state):
        self.world.wait_for(lambda: self.world.manager()["DriverState"] == state, 10, f"DriverState {state}")

    def test_staged_firmware_is_found_by_refresh(self):
        self.world.sim("stage rmm 2.0")
        self.world.refresh()
        image = self.world.image("rmm")
        self.assertEqual((image["Pending"], image["PendingVersion"], image["State"]), (True, "2.0", "pending"))

    def test_refresh_answers_after_what_was_found_is_published(self):
        self.world.sim("stage rmm 2.0")
        self.world.refresh()
        self.assertEqual(self.world.changed(self.world.image_path("rmm"), "PendingVersion"), ["2.0"])

    def test_firmware_that_is_no_longer_staged_is_no_longer_pending(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("unstage rmm")
        self.world.refresh()
        image = self.world.image("rmm")
        self.assertEqual((image["Pending"], image["PendingVersion"], image["State"]), (False, "", "idle"))

    def test_a_uevent_is_enough(self):
        self.world.sim("stage rmm 2.0")
        self.world.sim("uevent change")
        path = self.world.image_path("rmm")
        self.world.wait_for(lambda: self.world.changed(path, "PendingVersion") == ["2.0"], 10, "PropertiesChanged")

    def test_one_scan_makes_one_signal_for_each_image(self):
        self.world.stage("rmm", "2.0")
        self.world.wait_for(lambda: self.world.signals("PropertiesChanged"), 10, "PropertiesChanged")
        self.world.refresh()
        changes = self.world.signals("PropertiesChanged", self.world.image_path("rmm"))
        self.assertEqual(len(changes), 1, changes)
        self.assertLessEqual({"Pending", "PendingVersion", "State"}, set(changes[0].args[1]))
        self.assertEqual(self.world.signals("PropertiesChanged", self.world.image_path("scp")), [])

    def test_a_storm_of_events_is_a_few_scans(self):
        before = self.world.counters()
        self.world.sim("uevent change --count=300")
        self.world.refresh()
        self.world.refresh()
        after = self.world.counters()
        # A scan of an image costs two firmware calls; an event each would be 2400.
        self.assertLess(after["smc-inventory"] - before["smc-inventory"], 100)

    def test_an_image_that_vanishes_is_removed(self):
        path = self.world.image_path("rmm")
        self.world.sim("vanish rmm --now")
        self.world.refresh()
        removed = self.world.signals("InterfacesRemoved")
        self.assertEqual([item.args[0] for item in removed], [path])
        self.assertIn(IMAGE, removed[0].args[1])
        self.assertNotIn(path, self.world.images())
        with self.assertRaises(world.BusError):
            self.world.image("rmm")

    def test_an_image_that_a_success_brought_is_added(self):
        self.world.sim("add sp1 1.0")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        path = f"{PATH}/image/f07b2a96_1d47_4d17_9ec8_86a64e253e5c"
        self.world.wait_for(lambda: [item for item in self.world.signals("InterfacesAdded")
                                     if item.args[0] == path], 10, "InterfacesAdded")
        self.assertEqual(self.world.images()[path][IMAGE]["CurrentVersion"], "1.0")

    def test_an_image_that_a_success_dropped_is_removed(self):
        self.world.sim("vanish scp")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        path = self.world.image_path("scp")
        self.world.wait_for(lambda: [item for item in self.world.signals("InterfacesRemoved")
                                     if item.args[0] == path], 10, "InterfacesRemoved")

    def test_a_driver_that_is_unbound_is_no_driver(self):
        self.world.sim("unbind")
        self.world.refresh()
        self.wait_driver("no-driver")
        self.assertEqual([path for path, items in self.world.images().items() if IMAGE in items], [])
        self.assertBusError(["NoDriver", "NoSuchImage"], self.world.activate, "rmm")

    def test_a_driver_that_is_bound_again_is_active(self):
        self.world.sim("unbind")
        self.world.refresh()
        self.world.sim("bind")
        self.wait_driver("active")
        self.world.wait_for(lambda: self.world.image_path("rmm") in self.world.images(), 10, "the images")
        self.world.stage("rmm", "2.0")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")

    def test_the_kernels_own_automatic_activation_is_switched_off(self):
        self.world.sim("auto rmm 1")
        self.assertEqual(self.world.attribute("rmm", "auto_activate"), "1")
        self.world.refresh()
        self.world.wait_record("setting-applied")
        self.assertEqual(self.world.attribute("rmm", "auto_activate"), "0")
        self.world.wait_for(lambda: not self.world.image("rmm")["KernelAutoActivate"], 10, "the bus to say so")

    def test_a_version_that_moved_without_lfad_is_recorded(self):
        self.world.stage("rmm", "2.0")
        with open(os.path.join(world.TREE, GUIDS["rmm"], "activate"), "wb", buffering=0) as file:
            file.write(b"1")
        self.world.refresh()
        record = self.world.wait_record("external")
        self.assertEqual((record["guid"], record["from"], record["to"]), (GUIDS["rmm"], "1.2", "2.0"))
        self.assertEqual(self.world.image("rmm")["CurrentVersion"], "2.0")
        self.assertEqual(self.world.history_file("started"), [])

    def test_the_daemon_answers_while_a_read_blocks(self):
        self.world.sim("hang read")
        self.world.bus().call_async(world.NAME, PATH, MANAGER, "Refresh", "a{sv}", ({},), lambda: None,
                                    lambda error: None)
        self.world.wait_for(self.world.worker_pids, 10, "the scan to begin")
        self.assertEqual(self.world.manager()["DriverState"], "active")
        self.world.sim("release")


class DeafMonitorTest(world.TestCase):
    options = {"udev_control": False}

    def test_a_deaf_monitor_is_said_and_refresh_helps(self):
        self.assertEqual(self.world.manager()["UeventMonitor"], "deaf")
        self.world.stage("rmm", "2.0")
        self.assertEqual(self.world.image("rmm")["PendingVersion"], "2.0")


class LateDriverTest(world.TestCase):
    options = {"sim_args": ["--unbound"]}

    def test_a_host_without_the_driver_is_a_state_and_a_late_driver_is_found(self):
        self.assertEqual(self.world.manager()["DriverState"], "no-driver")
        self.assertBusError(["NoDriver", "NoSuchImage"], self.world.activate, "rmm")
        self.world.sim("bind")
        self.world.wait_for(lambda: self.world.manager()["DriverState"] == "active", 10, "DriverState active")
        added = self.world.wait_for(lambda: self.world.signals("InterfacesAdded"), 10, "InterfacesAdded")
        self.assertIn(IMAGE, added[0].args[1])
        self.world.wait_for(lambda: self.world.changed(PATH, "DriverState")[-1:] == ["active"], 10, "its signal")


class OtherDevicesTest(world.TestCase):
    """Each family of driver versions has its device on another bus of the kernel."""

    def heard_of(self, profile):
        self.world.stop("lfad")
        self.world.stop("sim")
        self.world.profile = profile
        self.world.start("sim")
        self.world.start("lfad")
        self.world.sim("stage rmm 2.0")
        self.world.sim("uevent change")
        self.world.wait_for(lambda: self.world.image("rmm")["Pending"], 5, "the staged image to be found")

    def test_the_faux_device_of_v2_is_heard(self):
        self.heard_of("v2")

    def test_the_platform_device_of_v1nv_is_heard(self):
        self.heard_of("v1nv")


class VersionTest(world.TestCase):
    """Versions whose attributes are the same, told apart by what they do."""

    options = {"profile": "nv3", "parts": ("dbus", "sim")}

    def assertProfile(self, profile):
        self.world.wait_for(lambda: self.world.manager()["DriverProfile"] == profile, what=profile)

    def test_a_driver_that_answers_busy_is_the_one_that_does(self):
        self.world.start("lfad")
        self.assertProfile("nv3")
        self.world.stage("rmm", "2.0")
        self.world.sim("errno write activate EBUSY --times=1")
        self.assertEnded(self.world.run_job("rmm"), "succeeded")
        self.assertProfile("nvnew")
        self.world.restart("lfad")  # which knows it still
        self.assertProfile("nvnew")
        self.world.sim("unbind")  # the next driver may be another one
        self.world.sim("bind")
        self.assertProfile("nv3")


world.main()
