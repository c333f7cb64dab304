#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A write that never ends. A file of its own, since it is a minute before lfad says so: other tests run meanwhile."""

import os
import re

import world


class StuckWorkerTest(world.TestCase):
    options = {"journal": True}

    def test_a_store_that_never_returns_is_told_and_not_fought(self):
        self.world.stage("rmm", "2.0")
        self.world.sim("hang activate")
        path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        with open(os.path.join(self.world.runtime_dir, "activation.lock"), encoding="ascii") as file:
            writer = int(file.read().split()[0])
        self.world.wait_for(lambda: any(int(seconds) >= 60 for line in self.world.status
                                        for seconds in re.findall(r"activating .*?(\d+) s\b", line)),
                            90, "STATUS= to say that it takes too long")
        self.assertEqual(self.world.job(path)["State"], "activating")
        self.assertIn(writer, self.world.worker_pids(), "a worker is never killed as a remedy")
        self.assertTrue(self.world.manager()["Activating"])
        entry = self.world.wait_for(lambda: self.world.journal.events("write-long"), 10, "the journal to be told")[0]
        self.assertEqual(entry["LFA_JOB"], str(self.world.job_id(path)))
        self.world.sim("release")
        self.assertEnded(self.world.wait_job(path), "succeeded")
        self.assertEqual(self.world.stores(), 1)


world.main()
