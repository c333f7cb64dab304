#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""lfactl --host: over a real ssh, sshd and systemd-stdio-bridge on the loopback of this world's network namespace."""

import json
import os
import subprocess

import world

PORT = 2222


class RemoteTest(world.TestCase):
    def setUp(self):
        super().setUp()
        self.ssh_dir = os.path.join(self.world.dir, "ssh")
        os.mkdir(self.ssh_dir, 0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.ssh_dir}/{name}"], check=True,
                           timeout=20, stdin=subprocess.DEVNULL)
        with open(f"{self.ssh_dir}/user.pub", encoding="utf-8") as key:
            self.write("authorized_keys", key.read())
        self.write("known_hosts", "")
        self.write("ssh_config", f"IdentityFile {self.ssh_dir}/user\nUserKnownHostsFile {self.ssh_dir}/known_hosts\n"
                                 "StrictHostKeyChecking accept-new\nBatchMode yes\nConnectTimeout 10\n")
        # ssh takes root's home from passwd, so that its configuration for all users is covered
        self.world.cover(f"{self.ssh_dir}/ssh_config", "/etc/ssh/ssh_config")
        self.write("sshd_config", f"Port {PORT}\nListenAddress 127.0.0.1\nHostKey {self.ssh_dir}/host\nUsePAM no\n"
                                  f"AuthorizedKeysFile {self.ssh_dir}/authorized_keys\nStrictModes no\nPidFile none\n"
                                  "PermitRootLogin yes\n")
        self.world.offer_bus()
        os.makedirs("/run/sshd", 0o755)
        log = open(f"{self.ssh_dir}/sshd.log", "wb")
        self.addCleanup(log.close)
        self.sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", f"{self.ssh_dir}/sshd_config"],
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(self.end_sshd)
        self.world.wait_for(lambda: "listening on 127.0.0.1" in self.sshd_log(), what="sshd listens")

    def end_sshd(self):
        self.sshd.terminate()
        self.sshd.wait(timeout=20)

    def write(self, name, text):
        path = os.path.join(self.ssh_dir, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)

    def sshd_log(self):
        with open(f"{self.ssh_dir}/sshd.log", encoding="utf-8") as file:
            return file.read().lower()

    def lfactl(self, *arguments):
        """With no other way to lfad's bus than over ssh."""
        environment = {**self.world.environment, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent"}
        process = subprocess.Popen(["lfactl", *arguments], env=environment, stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.world.wait_for(lambda: process.poll() is not None, timeout=60, what="lfactl's end")
        out, err = process.communicate()
        return process.returncode, out, err

    def test_an_activation_over_ssh(self):
        self.world.configure("[Policy]\nTimeZone=Asia/Kolkata\n")
        self.world.reload()
        self.world.sim("stage rmm 2.0")
        self.world.refresh()
        host = f"root@127.0.0.1:{PORT}"
        code, out, err = self.lfactl("--host", host, "list")
        self.assertEqual(code, 0, err + self.sshd_log())
        self.assertRegex(out, r"(?m)^rmm .* 1\.2 +2\.0 +pending")
        code, out, err = self.lfactl("-H", host, "activate", "rmm")
        self.assertEqual((code, "succeeded" in out), (0, True), err)
        # times are those of the policy there, users are numbers: this host may know others
        out = self.lfactl("-H", host, "history")[1]
        self.assertRegex(out, r"\d\d:\d\d:\d\d IST .* succeeded .* 0\n$")
        code, out, _ = self.lfactl("-H", host, "--json=short", "explain", "rmm")
        self.assertEqual((code, json.loads(out)["exit-code"]), (8, 8))
        code, out, err = self.lfactl("-H", host, "activate", "rmm")
        self.assertEqual((code, "NotPending" in err or "not pending" in err or "Hint: On " in err), (8, True), err)

    def test_an_lfad_that_does_not_run_there(self):
        self.world.stop("lfad")
        code, _, err = self.lfactl("-H", f"127.0.0.1:{PORT}", "list")
        self.assertEqual(code, 1)
        self.assertIn(f"Hint: On 127.0.0.1:{PORT}: lfad does not run", err)

    def test_a_host_that_cannot_be_reached(self):
        for host, destination in (("127.0.0.1:1", "127.0.0.1"), (f"nobody@127.0.0.1:{PORT}", "nobody@127.0.0.1"),
                                  ("[::1]:1", "::1"), ("[::1]", "::1")):
            code, out, err = self.lfactl("--json=short", "--host", host, "list")
            self.assertEqual(code, 1, err)
            self.assertIn(f"'ssh {destination} true' must work", json.loads(out)["errors"][0]["hint"])
            self.assertIn(f"Cannot reach the system bus of '{host}'", err)
        code, _, err = self.lfactl("--host", "", "list")
        self.assertEqual(code, 2, err)
        self.assertIn("[USER@]HOST", err)


world.main()
