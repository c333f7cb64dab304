#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The unit's sandbox is in force: what lfad cannot do, tried by a program in its place; what the kernel says of the
processes that run; and that a forbidden system call is noticed by all tests of this suite."""

import os
import re
import shutil

import container
import world

PROBE = os.path.join(world.BUILD_DIR, "tests/container/probe")
INSIDE = "/usr/libexec/lfad-probe"
ANSWERS = "/run/lfad/probe.answers"
DROP_IN = "/etc/systemd/system/lfad.service.d/lfad-test-probe.conf"
CAP_SYSLOG = 1 << 34

ALLOWED = {"create-tmp", "create-own-state", "create-own-run", "read-kernel-log", "write-activate", "socket-unix",
           "socket-netlink", "end"}
READ_ONLY = {"create-etc", "create-usr", "create-usr-lib", "create-libexec", "create-boot", "create-var", "create-dev", "write-sysctl",
             "write-cgroup"}
OTHERS = {"create-home": {"EACCES", "EROFS"}, "read-root-home": {"EACCES"}, "read-dev-mem": {"ENOENT"},
          "read-memory-of-1": {"EACCES"}, "write-sysrq": {"EROFS", "EACCES", "ENOENT"},
          "execute-shell": {"ENOENT"}, "execute-true": {"ENOENT"},
          "socket-inet": {"EAFNOSUPPORT"}, "socket-inet6": {"EAFNOSUPPORT"}, "socket-packet": {"EAFNOSUPPORT"},
          "socket-vsock": {"EAFNOSUPPORT"}}


def probe(box):
    """What the probe says as lfad's ExecStartPre=, name -> outcome; systemctl's result, too."""
    shutil.copy(PROBE, box.path(INSIDE))
    box.write(DROP_IN, f"[Service]\nExecStartPre={INSIDE} {ANSWERS}\nRestart=no\n")
    box.run("systemctl", "daemon-reload")
    done = box.run("systemctl", "restart", "lfad", check=False)
    answers = dict(line.split() for line in box.read(ANSWERS).splitlines())
    os.unlink(box.path(DROP_IN))
    box.run("systemctl", "daemon-reload")
    return done, answers


class SandboxTest(container.TestCase):
    options = {"strict": False}

    def status(self, pid):
        """Of a process of the container."""
        return dict(re.split(r":\s*", line, maxsplit=1) for line in self.box.read(f"/proc/{pid}/status").splitlines())

    def assertConfined(self, pid):
        status = self.status(pid)
        for name in ("CapPrm", "CapEff", "CapBnd"):
            self.assertEqual(int(status[name], 16), CAP_SYSLOG, name)
        self.assertEqual(int(status["CapAmb"], 16), 0)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_a_program_in_it_can_do_what_lfad_needs_and_no_more(self):
        done, answers = probe(self.box)
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = {**dict.fromkeys(answers, {"EPERM"}), **dict.fromkeys(ALLOWED, {"ok"}),
                    **dict.fromkeys(READ_ONLY, {"EROFS"}), **OTHERS}
        expected["real-time-1"] = {"ok" if self.may_be_real_time() else "EPERM"}
        self.assertEqual({name: outcome for name, outcome in answers.items() if outcome not in expected[name]}, {})
        self.assertEqual(set(expected), set(answers))

    def may_be_real_time(self):
        """Whether this machine let systemd raise the limit at all."""
        [line] = [line for line in self.box.read(f"/proc/{self.box.main_pid()}/limits").splitlines()
                  if line.startswith("Max realtime priority")]
        return line.split()[3] != "0"

    def test_lfad_and_its_worker_are_in_it(self):
        job = self.box.begin_hanging("rmm", "2.0")
        self.assertConfined(self.box.main_pid())
        [worker] = self.box.worker_pids()
        self.assertConfined(self.box.inside(worker))
        self.box.sim("release")
        self.assertEqual(self.box.wait_finished(job)["result"], "succeeded")

    def test_its_view_of_the_files_is_read_only_but_for_its_own_folders(self):
        """/run/host is what systemd-nspawn mounts there."""
        own = re.compile(r"/(run/lfad|var/lib/lfad|sys/firmware|tmp|var/tmp)|/run/host/.*|/proc(/.*)?|/dev/\w+")
        writable = set()
        for line in self.box.read(f"/proc/{self.box.main_pid()}/mountinfo").splitlines():
            fields = line.split()
            if "rw" in fields[5].split(","):
                writable.add(fields[4])
        self.assertLessEqual({"/run/lfad", "/var/lib/lfad", "/sys/firmware", "/tmp", "/var/tmp"}, writable)
        self.assertEqual([path for path in writable if not own.fullmatch(path)], [])

    def test_firmware_beside_lfa_is_read_only(self):
        beside = [name for name in ("efi", "acpi", "dmi", "devicetree")
                  if os.path.isdir(self.box.path("/sys/firmware/" + name))]
        mounts = [line.split() for line in self.box.read(f"/proc/{self.box.main_pid()}/mountinfo").splitlines()]
        for name in beside:
            options = [fields[5] for fields in mounts if fields[4] == f"/sys/firmware/{name}"][-1]
            self.assertIn("ro", options.split(","), name)


class HostTest(container.TestCase):
    """What hosts have in /usr is not everywhere the same. Each test leaves the host as it was."""

    options = {"wants": ()}

    def change(self, script, undo):
        self.addCleanup(self.box.run, "sh", "-ec", undo)
        self.box.run("sh", "-ec", script)

    def test_lfad_starts_and_reloads_where_sbin_is_a_link_to_bin(self):
        self.change("cp -an /usr/sbin/. /usr/bin/ && mv /usr/sbin /usr/sbin.old && ln -s bin /usr/sbin",
                    "rm /usr/sbin && mv /usr/sbin.old /usr/sbin")
        self.box.run("systemctl", "restart", "lfad")
        self.box.run("systemctl", "reload", "lfad")

    def test_lfad_starts_without_busctl(self):
        self.change("mv /usr/bin/busctl /usr/bin/busctl.old", "mv /usr/bin/busctl.old /usr/bin/busctl")
        self.box.run("systemctl", "restart", "lfad")
        self.assertEqual(self.box.show("lfad", "ActiveState", "SubState"), ["active", "running"])
        self.box.lfactl("reload")


class StrictTest(container.TestCase):
    """What makes all other tests of this suite fail when lfad is given a filter too narrow for it."""

    options = {"wants": ()}

    @classmethod
    def tearDownClass(cls):
        pass

    def test_a_forbidden_call_is_noticed(self):
        self.box.check_filter()
        done, answers = probe(self.box)
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("end", answers)
        with self.assertRaisesRegex(container.ContainerError, "forbidden system call.*SYS"):
            self.box.check_filter()

    def test_one_of_the_worker_is_noticed(self):
        self.box.write(DROP_IN, "[Service]\nSystemCallFilter=~sched_setscheduler\n")
        self.box.run("systemctl", "daemon-reload")
        self.box.run("systemctl", "restart", "lfad")
        self.box.run("journalctl", "--rotate", "--vacuum-time=1s")
        self.box.stage("rmm", "2.0")
        self.box.lfactl("activate", "rmm", check=False)
        with self.assertRaisesRegex(container.ContainerError, "forbidden system call.*signal 31"):
            self.box.check_filter()


container.main()
