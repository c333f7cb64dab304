#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfad-activate.timer: what it starts when it elapses, and how the ends of an activation show in that unit's state."""

import container
from container import wait_for

TIMER, SERVICE = "lfad-activate.timer", "lfad-activate.service"


class TimerTest(container.TestCase):
    options = {"files": {f"/etc/systemd/system/{TIMER}.d/now.conf":
                         "[Timer]\nOnCalendar=\nRandomizedDelaySec=0\nAccuracySec=1ms\nOnActiveSec=1ms\n"}}

    def tearDown(self):
        self.box.run("systemctl", "stop", TIMER)
        self.box.run("systemctl", "reset-failed", SERVICE, check=False)

    def elapse(self):
        """Lets the timer elapse once: ActiveState, Result and the exit status of what it started."""
        before = self.box.show(SERVICE, "InvocationID")
        self.box.run("systemctl", "start", TIMER)
        wait_for(lambda: self.box.show(SERVICE, "InvocationID") not in (before, ""), 60, "the timer to elapse")
        wait_for(lambda: self.box.show(SERVICE, "ActiveState") in ("inactive", "failed"), 60, "the end of the attempt")
        return tuple(self.box.show(SERVICE, "ActiveState", "Result", "ExecMainStatus"))

    def test_nothing_pending_is_a_success(self):
        self.assertEqual(self.elapse(), ("inactive", "success", "0"))

    def test_it_activates_what_is_pending_and_the_record_names_its_unit(self):
        self.box.stage("rmm", "2.0")
        self.assertEqual(self.elapse(), ("inactive", "success", "0"))
        self.assertEqual(self.box.image("rmm", "CurrentVersion"), "2.0")
        record = self.box.history("queued")[-1]
        self.assertEqual(self.box.wait_finished(record["job"])["result"], "succeeded")
        self.assertEqual((record["uid"], record["unit"]), (0, SERVICE))

    def test_a_gate_that_defers_is_no_failure(self):
        self.box.stage("bl31", "2.11")
        self.box.lfactl("hold", "--reason=the test")
        self.assertEqual(self.elapse(), ("inactive", "success", "3"))
        self.box.lfactl("unhold")
        self.assertEqual(self.box.image("bl31", "CurrentVersion"), "2.10")
        self.box.sim("unstage bl31")

    def test_a_clock_that_nobody_vouches_for_is_no_failure_either(self):
        self.box.stage("bl31", "2.12")
        self.box.set_clock("no")
        self.assertEqual(self.elapse(), ("inactive", "success", "3"))
        self.box.set_clock("yes")
        self.assertEqual(self.box.image("bl31", "CurrentVersion"), "2.10")
        self.box.sim("unstage bl31")

    def test_a_failure_shows_as_a_failed_unit(self):
        self.box.stage("scp", "3.2")
        self.box.sim("fail activate AUTH_ERROR --times=1")
        state, result, status = self.elapse()
        self.assertEqual((state, result), ("failed", "exit-code"))
        self.assertNotIn(status, ("0", "3"))
        self.assertIn(SERVICE, self.box.run("systemctl", "--failed", "--no-legend", "--plain").stdout)
        self.box.sim("unstage scp")
        self.box.refresh()


container.main()
