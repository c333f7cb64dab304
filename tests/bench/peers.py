# SPDX-License-Identifier: LGPL-2.1-or-later
"""The world of the bench: lfad's, with other services of Debian on the same private bus, each started as its unit
starts it, and nothing of the host that they could change.

hostnamed and boltd are of lfad's kind (C, one purpose), upowerd and fwupd are what manages devices and firmware."""

import collections
import os

import world

Peer = collections.namedtuple("Peer", "name program bus_name path interface")

HOSTNAMED = Peer("hostnamed", "/lib/systemd/systemd-hostnamed", "org.freedesktop.hostname1",
                 "/org/freedesktop/hostname1", "org.freedesktop.hostname1")
UPOWER = Peer("upower", "/usr/libexec/upowerd", "org.freedesktop.UPower", "/org/freedesktop/UPower",
              "org.freedesktop.UPower")
BOLT = Peer("bolt", "/usr/libexec/boltd", "org.freedesktop.bolt", "/org/freedesktop/bolt",
            "org.freedesktop.bolt1.Manager")
FWUPD = Peer("fwupd", "/usr/libexec/fwupd/fwupd", "org.freedesktop.fwupd", "/", "org.freedesktop.fwupd")
PEERS = (HOSTNAMED, UPOWER, BOLT, FWUPD)

# hostnamed ends by itself after so long without a call (systemd 252: not to be switched off).
HOSTNAMED_PATIENCE = 30

_POLICIES = "".join(f"<include>/usr/share/dbus-1/system.d/{name}.conf</include>\n" for name in (
    "org.freedesktop.hostname1", "org.freedesktop.UPower", "org.freedesktop.bolt", "org.freedesktop.fwupd"))
# For a thousand clients of one user.
_LIMITS = """<limit name="max_connections_per_user">4096</limit><limit name="max_completed_connections">4096</limit>
<limit name="max_incomplete_connections">4096</limit>"""
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "fuse", "kmsg")


class BenchWorld(world.World):
    """Bus, polkitd and simulator run; lfad and the peers are started by who needs them. /etc is a copy, /var/lib and
    /var/cache are empty, /dev has no device that firmware could be read from or written to, and no network."""

    def __init__(self):
        super().__init__(parts=(), own_etc=True, bus=_POLICIES + _LIMITS)

    def __enter__(self):
        super().__enter__()
        try:
            self._cover_devices()
            for path in ("/var/lib", "/var/cache"):
                self._mount("tmpfs", path, "tmpfs", "mode=755")
            for path in ("/var/lib/boltd", "/run/boltd", "/var/lib/upower", "/var/lib/fwupd", "/var/cache/fwupd"):
                os.mkdir(path)
            for part in ("dbus", "polkitd", "sim"):
                self.start(part)
        except BaseException:
            self.close(check=False)
            raise
        return self

    def _cover_devices(self):
        real = self._folder("dev")
        self._mount("/dev", real)
        self._mount("tmpfs", "/dev", "tmpfs", "mode=755")
        os.mkdir("/dev/shm")
        for name in _DEVICES:
            if os.path.exists(os.path.join(real, name)):
                with open(os.path.join("/dev", name), "wb"):
                    pass
                self._mount(os.path.join(real, name), os.path.join("/dev", name))

    def start_peer(self, peer):
        self.start_stand_in(peer.name, [peer.program], peer.bus_name)

    def pid(self, part):
        return self.parts[part].pid
