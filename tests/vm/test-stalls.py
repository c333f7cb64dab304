#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real stalls: stop_machine() holds all CPUs for as long as the test chose, and the module says for how long it was.
What lfad measured from outside is compared with that; lfad or its worker is killed while no CPU does anything else."""

import vm
from vm import wait_for

STEP = 500  # µs; a blackout is measured up to one step too short (src/core/blackout.h)
HOLD_MSEC = 1500
CLOSE = 1.25


class MeasuredTest(vm.TestCase):
    def tearDown(self):
        self.box.control("stall 0")
        self.box.control("again 0")

    def activate(self, version, hold_msec):
        self.box.stage("rmm", version)
        self.box.control(f"stall {hold_msec}")
        return self.box.wait_finished(self.box.begin("rmm"))

    def test_a_stall_is_measured_no_shorter_than_it_was_and_not_much_longer(self):
        """Never less, and no more than the write took. Emulated CPUs may have to wait for real ones before it begins
        and when it is over, which counts for the less the longer it is: of ever longer ones, one is close."""
        ratios = []
        for number in range(1, 6):
            record = self.activate(f"1.{number + 2}", HOLD_MSEC * number)
            self.assertEnded(record, "succeeded")
            count, largest, _ = self.box.held()
            self.assertEqual(count, 1)
            self.assertGreaterEqual(largest, HOLD_MSEC * number * 1000)
            print(f"    held {largest} us, measured {record['blackout-usec']} us, write {record['write-usec']} us, "
                  f"noise floor {record['blackout-floor-usec']} us", flush=True)
            self.assertGreaterEqual(record["blackout-usec"], largest - STEP)
            self.assertLessEqual(record["blackout-usec"], record["write-usec"])
            self.assertEqual(self.box.image("rmm", "BlackoutUSec"), record["blackout-usec"])
            ratios.append(record["blackout-usec"] / largest)
            if ratios[-1] < CLOSE:
                break
        self.assertLess(min(ratios), CLOSE, ratios)

    def test_each_of_several_stalls_counts(self):
        self.box.control("again 4")
        record = self.activate("2.1", 200)
        count, largest, total = self.box.held()
        self.assertEqual(count, 5)
        print(f"    held {count} times, {total} us in all, measured {record['blackout-count']} times, "
              f"{record['blackout-sum-usec']} us", flush=True)
        self.assertGreaterEqual(record["blackout-count"], count)
        self.assertGreaterEqual(record["blackout-usec"], largest - STEP)
        self.assertGreaterEqual(record["blackout-sum-usec"], total - count * STEP)
        self.assertLessEqual(record["blackout-sum-usec"], record["write-usec"])


class KilledTest(vm.TestCase):
    """SIGKILL is sent by the module, at the end of the stall, before any CPU goes on."""

    def begin(self, version):
        """An activation whose write has reached the driver, and waits there. Its job and its worker."""
        self.box.stage("rmm", version)
        self.box.control("hang 1")
        self.box.control("stall 1000")
        before = self.box.stores()
        job = self.box.begin("rmm")
        wait_for(lambda: self.box.stores() > before, what="the write")
        return job, self.box.worker_pid()

    def kill(self, pid):
        self.box.control(f"kill {pid}")
        self.box.control("hang 0")

    def assertDoneOnce(self, job, version):
        record = self.box.wait_finished(job)
        self.assertEnded(record, "succeeded")
        for kind in ("queued", "started", "finished"):
            self.assertEqual(len(self.box.history(kind, job)), 1, kind)
        self.assertEqual(self.box.attribute("rmm", "current_version"), version)
        self.assertEqual(self.box.held()[0], 1)
        return record

    def test_lfad_that_is_killed_in_a_stall_is_started_again_and_settles_it(self):
        job, _ = self.begin("3.0")
        killed, stores = self.box.main_pid(), self.box.stores()
        self.kill(killed)
        wait_for(lambda: self.box.main_pid() not in (0, killed), what="another lfad")
        record = self.assertDoneOnce(job, "3.0")
        self.assertGreaterEqual(record["blackout-usec"], 1000000 - STEP)
        self.assertEqual(self.box.stores(), stores)
        self.assertEqual(int(self.box.show("lfad", "NRestarts")), 1)

    def test_a_worker_that_is_killed_in_a_stall_has_written_all_the_same(self):
        job, worker = self.begin("3.1")
        stores = self.box.stores()
        self.kill(worker)
        self.assertDoneOnce(job, "3.1")
        self.assertEqual(self.box.stores(), stores)
        self.assertIsNone(self.box.worker_pid())


if __name__ == "__main__":
    vm.main()
