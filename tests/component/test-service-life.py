#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfad as a service of systemd's: it feeds the service watchdog with its poll, and STATUS= says what it does."""

import world


class ServiceLifeTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.configure("[Daemon]\nPollSec=10\nSettleSec=8\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")

    def test_the_poll_feeds_the_service_watchdog_and_status_tells_what_is_done(self):
        self.world.notified.clear()
        self.world.recognise_nvnew()  # by an event, from which on the tree has to settle
        path = self.world.activate("rmm")
        self.world.wait_for(lambda: any("waits: The driver's tree changed" in line for line in self.world.status), 10,
                            "STATUS= to say what the job waits for")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertIn("4 images, 0 pending, 0 jobs queued", self.world.status[-1])
        self.world.wait_for(lambda: "WATCHDOG=1" in self.world.notified, 10, "WATCHDOG=1")
        # during an activation, too
        self.world.sim("hang activate")
        self.world.stage("rmm", "3.0")
        path = self.world.activate("rmm")
        self.world.wait_job_state(path, "activating", 30)
        self.world.notified.clear()
        self.world.wait_for(lambda: "WATCHDOG=1" in self.world.notified, 10, "WATCHDOG=1 during an activation")
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")


world.main()
