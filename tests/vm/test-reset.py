#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The watchdog bites: with the envelope switched off the same stall that test-watchdogs.py survives resets the machine
in the middle of an activation. It is booted again with the disk that it had, and lfad says what it knows."""

import image
import vm
from vm import wait_for

IDENTITY = "i6300ESB timer"
STALL_SEC = image.RUNTIME_WATCHDOG_SEC + 2


class ResetTest(vm.TestCase):
    def test_1_without_the_envelope_the_stall_resets_the_machine(self):
        ResetTest.boot_id = self.box.boot_id
        self.box.configure(f"[Watchdog {IDENTITY}]\nIgnore=yes\n")
        self.box.stage("rmm", "2.0")
        self.box.control(f"stall {STALL_SEC * 1000}")
        self.box.shell("lfactl activate rmm >/dev/null 2>&1 & disown")  # nobody awaits an answer when the reset comes
        self.box.await_event("WATCHDOG", 120)

    def test_2_after_the_boot_lfad_knows_that_it_does_not_know(self):
        self.box.boot_again()
        self.box.await_up()
        self.assertNotEqual(self.box.boot_id, self.boot_id)
        [queued] = self.box.history("queued")
        record = self.box.wait_finished(queued["job"])
        self.assertEnded(record, "unknown", "HostRestarted")
        self.assertEqual(len(self.box.history("started", queued["job"])), 1)

    def test_3_the_version_is_quarantined_and_lfad_holds_itself(self):
        self.assertIs(self.box.property("Held"), True)
        self.assertIn("restart", self.box.property("HoldReason").lower())
        self.box.run("modprobe", vm.DRIVER)
        wait_for(lambda: self.box.property("DriverState") == "active", what="the driver to be seen")
        self.box.stage("rmm", "2.0")
        self.assertEqual(self.box.image("rmm", "State"), "quarantined")
        for gate in ("hold", "quarantine"):
            self.assertIn(gate, self.box.lfactl("explain", "rmm", check=False).stdout)
        self.assertNotEqual(self.box.lfactl("activate", "rmm", check=False).returncode, 0)
        self.assertEqual(self.box.stores(), 0)

    def test_4_a_person_may_go_on(self):
        self.box.lfactl("unhold")
        self.box.lfactl("clear-quarantine", "rmm")
        self.assertIn("succeeded", self.box.lfactl("activate", "rmm").stdout)
        wait_for(lambda: self.box.watchdog("timeout") == str(image.RUNTIME_WATCHDOG_SEC),
                 what="the watchdog to be put back")


if __name__ == "__main__":
    vm.main()
