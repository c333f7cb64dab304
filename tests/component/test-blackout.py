#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The blackout of an activation: a worker that is stopped as a whole cannot tell that from CPUs that stand still, so
what lfad says is compared with how long it really was stopped, as measured here in the same run. Nothing is assumed
about how busy the machine is: both bounds come from clocks and from counting what the sampler did."""

import ctypes
import os
import signal
import time

import memcheck
import world

STEP = 500  # µs; a blackout is measured up to one step too short
RECORD_KEYS = {"blackout-usec", "blackout-count", "blackout-sum-usec", "blackout-floor-usec"}


def now_usec():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) // 1000


def may_be_real_time():
    """Whether the kernel lets root have real-time threads here; in some containers it does not."""
    pid = os.fork()
    if pid == 0:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


class BlackoutTestCase(world.TestCase):
    def setUp(self):
        super().setUp()
        self.world.configure("[Daemon]\nSettleSec=100ms\n")
        self.world.reload()
        self.world.stage("rmm", "2.0")

    def begin(self):
        """A job whose write hangs."""
        self.stops = []  # how long they were at least, in µs
        self.world.sim("hang activate")
        self.path = self.world.activate("rmm")
        self.world.sim("wait activate-entered")
        self.worker, = self.world.worker_pids()
        self.sampler, = [tid for tid in self.threads() if self.task("comm", tid) == "lfad-sampler"]

    def end(self):
        self.world.sim("release")
        return self.world.wait_job(self.path)

    def threads(self):
        return [int(tid) for tid in os.listdir(f"/proc/{self.worker}/task")]

    def task(self, name, tid):
        with open(f"/proc/{self.worker}/task/{tid}/{name}", encoding="utf-8") as file:
            return file.read().strip()

    def status(self, key, tid):
        return next(line.split()[1] for line in self.task("status", tid).splitlines() if line.startswith(key + ":"))

    def await_samples(self, count):
        """Until the sampler has gone to sleep so many times more."""
        target = int(self.status("voluntary_ctxt_switches", self.sampler)) + count
        self.world.wait_for(lambda: int(self.status("voluntary_ctxt_switches", self.sampler)) >= target, 30,
                            f"{count} samples")

    def stop_for(self, usec):
        """Stops the worker with all its threads; between which two times in µs the stop's length lies. The longer one
        is from before a sample that came before the stop to after one that came after it."""
        begin = now_usec()
        self.await_samples(2)  # the first sleep may follow a sample from before
        # To the sampler, which then stops all threads: the writer, which sleeps in the kernel until firmware answers,
        # would be the one that is told, and would never look.
        if ctypes.CDLL(None, use_errno=True).tgkill(self.worker, self.sampler, signal.SIGSTOP) < 0:
            raise OSError(ctypes.get_errno(), "tgkill")
        try:
            self.world.wait_for(lambda: self.status("State", self.sampler) == "T", 30,
                                "the sampler to be stopped")
            stopped = now_usec()
            while now_usec() < stopped + usec:
                time.sleep(usec / 1e6)  # what is measured, not waiting for anything
            shortest = now_usec() - stopped
        finally:
            os.kill(self.worker, signal.SIGCONT)
        self.await_samples(3)  # to be continued may count as one
        self.stops.append(shortest)
        return shortest, now_usec() - begin

    def finished(self):
        return self.world.wait_record("finished", self.world.job_id(self.path))

    def attempts(self):
        """To measure something in a loop: by what to multiply the stops' lengths. What is not above the noise floor
        does not count. Where that is high, on a busy machine without real-time threads, it is measured anew, in
        another world, with longer stops; with them once, should the host itself have stood still."""
        for factor in (1, 2) if may_be_real_time() else (1, 2, 4, 8, 16):
            if factor > 1:
                self.doCleanups()
                self.setUp()
            yield factor
            if self.finished()["blackout-floor-usec"] < min(self.stops) - 2 * STEP:
                break


class MeasuredTest(BlackoutTestCase):
    def assertMeasured(self, usec, shortest, longest, write_usec):
        """All that is not in the stop's own gap lies outside the stop."""
        self.assertGreaterEqual(usec, shortest - 2 * STEP)
        self.assertLessEqual(usec, max(longest, write_usec - shortest))

    def test_a_stop_is_measured_for_as_long_as_it_was(self):
        for factor in self.attempts():
            self.begin()
            shortest, longest = self.stop_for(300000 * factor)
            job = self.end()
        self.assertEnded(job, "succeeded")
        self.assertMeasured(job["BlackoutUSec"], shortest, longest, job["WriteUSec"])
        self.assertGreaterEqual(job["BlackoutCount"], 1)
        self.assertGreaterEqual(job["BlackoutSumUSec"], job["BlackoutUSec"])
        self.assertLessEqual(job["BlackoutSumUSec"], job["WriteUSec"])
        print(f"    stopped for {shortest} to {longest} us, measured {job['BlackoutUSec']} us, "
              f"noise floor {self.finished()['blackout-floor-usec']} us")

    def test_every_stop_counts(self):
        for factor in self.attempts():
            self.begin()
            stops = [self.stop_for(60000 * factor) for _ in range(4)]
            job = self.end()
        shortest = [low for low, _ in stops]
        self.assertGreaterEqual(job["BlackoutCount"], len(stops))
        self.assertGreaterEqual(job["BlackoutSumUSec"], sum(shortest) - len(stops) * 2 * STEP)
        self.assertLessEqual(job["BlackoutSumUSec"], job["WriteUSec"])
        self.assertMeasured(job["BlackoutUSec"], max(shortest), max(high for _, high in stops),
                            job["WriteUSec"] - sum(shortest) + max(shortest))

    def test_the_record_the_job_the_image_and_lfactl_say_the_same(self):
        for factor in self.attempts():
            self.begin()
            self.stop_for(100000 * factor)
            job, record = self.end(), self.finished()
        self.assertEqual((record["blackout-usec"], record["blackout-count"], record["blackout-sum-usec"]),
                         (job["BlackoutUSec"], job["BlackoutCount"], job["BlackoutSumUSec"]))
        self.assertGreaterEqual(record["blackout-floor-usec"], STEP)
        self.assertEqual(self.world.image("rmm")["BlackoutUSec"], job["BlackoutUSec"])
        self.assertEqual(self.world.changed(self.path, "BlackoutUSec"), [job["BlackoutUSec"]])
        self.assertEqual(self.world.changed(self.world.image_path("rmm"), "BlackoutUSec"), [job["BlackoutUSec"]])
        usec = job["BlackoutUSec"]
        text = f"{(usec + 500) // 1000} ms" if usec < 999500 else f"{(usec + 500000) // 1000000} s"
        self.assertIn(f" {text} ", self.world.lfactl("history").stdout)
        self.assertRegex(self.world.lfactl("show", "rmm").stdout, rf"BlackoutUSec: {text}\n")

    def test_the_image_remembers_its_longest_over_jobs_and_restarts(self):
        for factor in self.attempts():
            self.begin()
            shortest, _ = self.stop_for(200000 * factor)
            longest = self.end()["BlackoutUSec"]
        self.assertGreaterEqual(longest, shortest - 2 * STEP)
        self.world.stage("rmm", "3.0")
        job = self.world.run_job("rmm")
        self.assertEnded(job, "succeeded")
        longest = max(longest, job["BlackoutUSec"])
        self.assertEqual(self.world.image("rmm")["BlackoutUSec"], longest)
        self.world.restart("lfad")
        self.world.wait_for(lambda: self.world.image("rmm")["BlackoutUSec"] == longest, 20, "the same blackout")

    def test_what_was_measured_without_lfad_is_not_lost(self):
        for factor in self.attempts():
            self.begin()
            self.world.kill("lfad")
            shortest, longest = self.stop_for(100000 * factor)
            self.world.sim("release")
            self.world.wait_for(lambda: not self.world.worker_pids(), 20, "the worker to end")
            self.world.start("lfad")
            record = self.finished()
        self.assertEqual(record["result"], "succeeded")
        self.assertMeasured(record["blackout-usec"], shortest, longest, record["write-usec"])

    def test_where_nothing_was_written_nothing_is_claimed(self):
        self.world.stage("scp", "4.0")
        self.world.sim("hang activate")
        self.world.activate("scp")
        self.world.sim("wait activate-entered")
        self.path = self.world.activate("rmm")  # by what is known: nothing is read while another one is activated
        self.world.sim("unstage rmm")
        self.world.sim("release")
        job = self.world.wait_job(self.path)
        self.assertEqual(job["Result"], "refused", job)
        self.assertEqual((job["BlackoutUSec"], job["BlackoutCount"], job["BlackoutSumUSec"]), (0, 0, 0))
        self.assertEqual(RECORD_KEYS & self.finished().keys(), set())


class SamplerTest(BlackoutTestCase):
    def test_the_sampler_alone_is_real_time(self):
        self.begin()
        policies = {tid: os.sched_getscheduler(tid) for tid in self.threads()}
        sampler = policies.pop(self.sampler)
        self.assertEqual(sampler, os.SCHED_FIFO if may_be_real_time() else os.SCHED_OTHER)
        self.assertIn(self.worker, policies)
        self.assertEqual(set(policies.values()), {os.SCHED_OTHER})  # ThreadSanitizer's own thread is one of them
        self.end()

    def test_every_thread_has_every_signal_blocked(self):
        self.begin()
        for tid in self.threads():
            # SIGKILL and SIGSTOP cannot be, and the C library keeps two for itself.
            blocked = int(self.status("SigBlk", tid), 16) | 1 << 8 | 1 << 18 | 3 << 31
            if memcheck.wanted():
                blocked |= 1 << 63  # valgrind keeps the last one
            self.assertEqual(blocked, (1 << 64) - 1, tid)
        self.end()

    def test_its_memory_is_locked(self):
        self.begin()
        if "san.so" not in self.task("maps", self.worker):  # the sanitizers let nobody lock memory
            self.assertGreaterEqual(int(self.status("VmLck", self.worker)), 256)
        self.end()


world.main()
