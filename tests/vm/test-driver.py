#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfad on a real kernel's driver: real uevents, a real sysfs with its modes and errnos, a module that comes and goes,
and the real log of the kernel, all of it seen from inside the unit's sandbox."""

import json
import re

import vm
from vm import DRIVER, GUIDS, TREE, wait_for
from world import MANAGER, NAME, PATH

DEVICE_UNIT = "sys-devices-arm\\x2dsmccc\\x2dlfa\\x2d0.device"
OTHER = "3ab71f81-32b9-496d-841b-e3d0e9fd1a48"
UNKNOWN = "0509b633-5734-422f-a681-6096e932d93a"
READ_ONLY = ("name", "activation_capable", "activation_pending", "may_reset_cpu", "cpu_rendezvous", "current_version",
             "pending_version")
MODES = {**dict.fromkeys(READ_ONLY, "444"), "force_cpu_rendezvous": "644", "auto_activate": "644", "activate": "200",
         "cancel": "200"}
CODE_AUTH_ERROR = -3
CODE_ACTIVATION_FAILED = -11
SCHED_FIFO = "1"


class ArrivalTest(vm.TestCase):
    """The driver comes after lfad was stopped: nobody but its uevent can start it."""

    def setUp(self):
        self.box.shell(f"modprobe {DRIVER} && systemctl start lfad")
        wait_for(lambda: self.device() == "active", what="systemd to know the device")

    def device(self):
        return self.box.show(DEVICE_UNIT, "ActiveState")

    def unload(self):
        """Neither the driver nor lfad is there, and nothing is on its way that would start it."""
        self.box.shell(f"systemctl stop lfad; rmmod {DRIVER}; udevadm settle")
        wait_for(lambda: self.device() == "inactive", what="systemd to miss the device")
        self.assertStopped()

    def load(self):
        self.box.shell(f"modprobe {DRIVER} && udevadm settle")

    def assertStopped(self):
        self.assertEqual(self.box.run("systemctl", "list-jobs", "--no-legend").stdout, "")
        self.assertEqual(self.box.show("lfad", "ActiveState"), "inactive")

    def test_the_devices_uevent_starts_lfad(self):
        self.unload()
        self.load()
        wait_for(self.box.is_active, what="lfad to be started")
        self.assertIn("lfad.service", self.box.show(DEVICE_UNIT, "Wants"))
        wait_for(lambda: self.box.property("DriverState") == "active", what="lfad to see the driver")

    def test_lfad_that_was_stopped_is_not_started_by_what_the_device_says_later(self):
        """An activation by somebody else, and the driver's end."""
        self.box.put_stage("rmm", "2.0")
        self.box.shell(f"systemctl stop lfad; cat {TREE}/{GUIDS['rmm']}/activation_pending && "
                       f"echo 1 >{TREE}/{GUIDS['rmm']}/activate && udevadm settle")
        self.assertEqual((self.box.attribute("rmm", "current_version"), self.device()), ("2.0", "active"))
        self.assertStopped()
        self.unload()

    def test_without_the_rule_it_does_not(self):
        self.unload()
        self.box.shell("mkdir -p /run/udev/rules.d && ln -s /dev/null /run/udev/rules.d/$(basename "
                       "$(dpkg --listfiles lfad | grep '/rules.d/.*lfad.*[.]rules$')) && udevadm control --reload")
        self.addCleanup(self.box.shell, "rm -r /run/udev/rules.d && udevadm control --reload; systemctl start lfad")
        self.load()
        self.box.run("test", "-d", f"{TREE}/{GUIDS['rmm']}")
        self.assertEqual(self.box.show(DEVICE_UNIT, "Wants"), "")
        self.assertStopped()


class TreeTest(vm.TestCase):
    def path(self, attribute, guid=GUIDS["rmm"]):
        return f"{TREE}/{guid}/{attribute}"

    def test_files_have_the_modes_that_lfad_expects_and_their_errnos_hold_for_root(self):
        lines = self.box.shell(f"cd {TREE}/{GUIDS['rmm']} && stat --format='%n %a %s %U' *").stdout.splitlines()
        self.assertEqual({line.split()[0]: line.split()[1:] for line in lines},
                         {name: [mode, "4096", "root"] for name, mode in MODES.items()})
        self.assertSays("Permission denied", "cat", self.path("activate"))
        self.assertSays("Permission denied", "sh", "-c", f"echo 1 >{self.path('name')}")
        self.assertSays("Operation canceled", "bash", "-c", f"echo 1 >{self.path('activate')}")
        self.assertSays("Invalid argument", "bash", "-c", f"echo 1 >{self.path('cancel')}")
        self.assertSays("Invalid argument", "bash", "-c", f"echo x >{self.path('auto_activate')}")

    def test_lfad_shows_what_the_files_say(self):
        self.assertEqual(self.box.images(), {GUIDS["rmm"], GUIDS["bl31"], UNKNOWN})
        self.assertEqual(self.box.image("rmm", "CurrentVersion"), self.box.attribute("rmm", "current_version"))
        self.assertEqual(self.box.image("rmm", "PendingVersion"), "")
        self.box.run("systemctl", "stop", "lfad")
        self.box.put_stage("rmm", "2.0")
        self.assertEqual(self.box.attribute("rmm", "pending_version"), "N/A")  # until somebody reads the other file
        self.box.run("systemctl", "start", "lfad")
        wait_for(lambda: self.box.property("DriverState") == "active", what="lfad to see the driver")
        self.assertEqual(self.box.attribute("rmm", "pending_version"), "2.0")
        self.assertEqual(self.box.image("rmm", "PendingVersion"), "2.0")

    def test_an_activation_is_proven(self):
        self.box.stage("rmm", "2.1")
        before = self.box.stores()
        self.assertIn("succeeded", self.box.lfactl("activate", "rmm").stdout)
        self.assertEqual((self.box.attribute("rmm", "current_version"), self.box.stores()), ("2.1", before + 1))
        self.assertEqual(self.box.image("rmm", "CurrentVersion"), "2.1")
        # The version before would have had no uevent behind it.
        wait_for(lambda: self.box.property("DriverProfile") == "nvnew", what="lfad to know the driver's version")

    def test_images_that_appear_and_vanish_are_seen_when_the_kernel_says_that_something_has_changed(self):
        """What root does at the driver, past lfad, changes the inventory; the poll comes only every 80 s."""
        self.box.configure("[Daemon]\nPollSec=80s\n")
        before = len(self.box.history("external"))
        for command, version, expected in ((f"add {OTHER} 5.0", "2.2", True), (f"remove {OTHER}", "2.3", False)):
            self.box.control(command)
            self.box.put_stage("bl31", version)
            self.assertEqual(OTHER in self.box.images(), not expected)
            events = self.change_events()
            self.box.shell(f"echo 1 >{self.path('activate', GUIDS['bl31'])}")
            wait_for(lambda expected=expected: (OTHER in self.box.images()) == expected, 60, "the images to be read")
            self.assertGreater(self.change_events(), events)
            self.assertEqual(self.box.image("bl31", "CurrentVersion"), version)
        self.assertEqual(len(self.box.history("external")), before + 2)

    def change_events(self):
        """How many uevents there were of any device, as the kernel numbers them."""
        return int(self.box.read("/sys/kernel/uevent_seqnum"))

    def test_a_directory_that_is_on_its_way_is_no_image(self):
        self.box.control(f"add {OTHER} 5.0")
        self.box.stage("rmm", "2.4")
        self.box.lfactl("activate", "rmm")
        wait_for(lambda: OTHER in self.box.images(), what="the new image")
        self.box.control("cleanup 3000")
        self.addCleanup(self.box.control, "cleanup 0")
        self.box.control(f"remove {OTHER}")
        self.box.stage("rmm", "2.5")
        job = self.box.begin("rmm")
        self.assertEnded(self.box.wait_finished(job), "succeeded")
        wait_for(lambda: OTHER not in self.box.images(), what="the image to be gone")

    def test_a_driver_that_is_busy_with_somebody_else_is_tried_again_and_then_reported(self):
        self.box.stage("bl31", "2.6")
        self.box.control("hang 1")
        before = self.box.stores()
        self.box.shell(f"echo 1 >{self.path('activate', GUIDS['bl31'])} & disown")
        self.addCleanup(self.box.control, "hang 0")
        wait_for(lambda: self.box.stores() > before, what="the write")
        self.box.stage("rmm", "2.6")
        record = self.box.wait_finished(self.box.begin("rmm"))
        self.assertEnded(record, "failed", "KernelBusy")
        self.assertGreater(self.box.stores(), before + 2)


class ModuleTest(vm.TestCase):
    def state(self):
        return self.box.property("DriverState")

    def activate(self, version):
        self.box.stage("rmm", version)
        self.assertIn("succeeded", self.box.lfactl("activate", "rmm").stdout)

    def test_it_is_unloaded_and_loaded_again_and_driven_by_the_lfad_that_ran_before(self):
        pid = self.box.main_pid()
        self.activate("3.0")
        self.box.run("rmmod", DRIVER)
        wait_for(lambda: self.state() == "no-driver", what="the driver to be missed")
        self.box.run("modprobe", DRIVER)
        wait_for(lambda: self.state() == "active", what="the driver to be seen")
        self.assertEqual(self.box.image("rmm", "CurrentVersion"), "1.2")
        self.activate("3.1")
        self.assertEqual(self.box.main_pid(), pid)

    def test_it_is_unbound_and_bound_again(self):
        driver = "/sys/bus/arm_smccc/drivers/lfa_fw"
        self.box.shell(f"echo arm-smccc-lfa-0 >{driver}/unbind")
        wait_for(lambda: self.state() == "no-driver", what="the driver to be missed")
        self.box.shell(f"echo arm-smccc-lfa-0 >{driver}/bind")
        wait_for(lambda: self.state() == "active", what="the driver to be seen")
        self.activate("3.2")


class KernelLogTest(vm.TestCase):
    """Firmware's reason is nowhere but in the kernel's log, which is closed to who lacks CAP_SYSLOG."""

    def assertTold(self, call, code, name, version):
        self.box.stage("rmm", version)
        self.box.control(f"fail {call} {code} 1")
        record = self.box.wait_finished(self.box.begin("rmm"))
        self.assertEnded(record, "failed", "ActivationFailed")
        self.assertEqual((record["firmware-call"], record["firmware-code"]), (call, name), record)
        self.assertIn(f"Arm LFA: LFA_{call.upper()} for image TF-RMM failed: {name}",
                      self.box.run("dmesg", "--notime").stdout)

    def test_it_is_found_in_the_real_log(self):
        self.box.shell("echo 1 >/proc/sys/kernel/dmesg_restrict")
        self.assertEqual(self.box.run("stat", "--format=%t:%T", f"/proc/{self.box.main_pid()}/root/dev/kmsg").stdout,
                         "1:b\n")
        self.assertTold("prime", CODE_AUTH_ERROR, "LFA_AUTH_ERROR", "4.0")
        self.assertTold("activate", CODE_ACTIVATION_FAILED, "LFA_ACTIVATION_FAILED", "4.1")


class SandboxTest(vm.TestCase):
    """What only a machine shows of the unit's sandbox: in a container systemd makes some of it otherwise."""

    def mounts(self):
        """path -> whether lfad can write there, of all mounts that it sees; of several on one path the last."""
        lines = self.box.read(f"/proc/{self.box.main_pid()}/mountinfo").splitlines()
        return {fields[4]: "rw" in fields[5].split(",") for fields in map(str.split, lines)}

    def test_only_its_own_folders_and_the_firmwares_can_be_written_to(self):
        mounts = self.mounts()
        own = re.compile(r"/(run/lfad|var/lib/lfad|sys/firmware|tmp|var/tmp)|/proc(/.*)?|/dev(/.*)?")
        self.assertEqual([path for path, writable in mounts.items() if writable and not own.fullmatch(path)], [])
        for path in ("/run/lfad", "/var/lib/lfad", "/sys/firmware"):
            self.assertTrue(mounts[path], path)
        self.assertIs(mounts["/run"], False)

    def test_its_sampler_is_a_real_time_thread_and_its_writer_is_not(self):
        self.box.stage("rmm", "5.0")
        self.box.control("hang 1")
        self.addCleanup(self.box.control, "hang 0")
        before = self.box.stores()
        job = self.box.begin("rmm")
        wait_for(lambda: self.box.stores() > before, what="the write")
        worker = self.box.worker_pid()
        wait_for(lambda: "lfad-sampler" in self.threads(worker), what="the sampler")
        threads = self.threads(worker)
        self.assertEqual(threads.pop("lfad-sampler"), SCHED_FIFO)
        self.assertEqual(set(threads.values()), {"0"})
        self.box.control("hang 0")
        self.assertEnded(self.box.wait_finished(job), "succeeded")

    def threads(self, pid):
        """name -> scheduling policy of each thread (proc(5): field 41 of stat)."""
        lines = self.box.shell(f"cat /proc/{pid}/task/*/stat").stdout.splitlines()
        return {line[line.index("(") + 1:line.rindex(")")]: line[line.rindex(")") + 2:].split()[38] for line in lines}


class PolkitTest(vm.TestCase):
    def activate(self):
        return self.box.run("busctl", "call", NAME, PATH, MANAGER, "Activate", "sa{sv}", "rmm", "0", user="nobody",
                            check=False)

    def test_polkit_decides_for_everybody_but_root(self):
        self.box.stage("rmm", "6.0")
        before = self.box.stores()
        done = self.activate()
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "[Aa]uthenti|[Aa]uthoriz|denied")
        self.assertEqual(self.box.stores(), before)
        rules = "/etc/polkit-1/rules.d/10-lfad-test.rules"
        self.box.write(rules, f"""polkit.addRule(function(action, subject) {{
            if (action.id == "org.arm.LFA1.activate" && subject.user == "nobody" &&
                action.lookup("guid") == {json.dumps(GUIDS["rmm"])} && action.lookup("to") == "6.0")
                return polkit.Result.YES;
        }});\n""")
        self.addCleanup(self.box.run, "rm", rules)
        wait_for(lambda: self.activate().returncode == 0, what="polkit to have read its rules")
        wait_for(lambda: self.box.image("rmm", "CurrentVersion") == "6.0", what="the activation")


if __name__ == "__main__":
    vm.main()
