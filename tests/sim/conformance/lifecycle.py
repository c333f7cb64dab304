# SPDX-License-Identifier: LGPL-2.1-or-later
"""Statements 62 to 64: the driver comes and goes, firmware stays."""

import os
from errno import ECANCELED, ENODEV

from client import LFA, Call, activate, directories, expect, inode, path, read, result_of, same, text, until, write
from contract import ALL, REFUSED, RMM, SP1, WRITE_ONLY, files, settings
from suite import statement


@statement(62, ALL)
def unbind_and_bind(case):
    case.start()
    before, images = inode(RMM), directories()
    for name in settings(case.profile):
        write(RMM, name, b"0" if name == "force_cpu_rendezvous" else b"1")
    fd, writing = os.open(path(RMM, "name"), os.O_RDONLY), os.open(path(RMM, "activate"), os.O_WRONLY)
    case.ctl("unbind")
    expect(not os.path.exists(LFA), "the folder is gone")
    same(result_of(os.read, fd, 64), -ENODEV, "a descriptor")
    same(result_of(os.write, writing, b"1"), -ENODEV, "one for writing")
    case.ctl("bind")
    same(directories(), images, "directories")
    expect(inode(RMM) != before, "a new inode")
    same([text(RMM, name) for name in settings(case.profile)], ["1", "0"][:len(settings(case.profile))], "settings")
    os.close(fd)
    os.close(writing)


@statement(62, ALL)
def unbind_during_a_run(case):
    case.start()
    case.offer(RMM)
    case.ctl("never prime")
    writing = case.begin(RMM)
    unbinding = Call(case.ctl, "unbind")
    if case.profile == "nvnew":
        same(writing.result(), -ECANCELED, "the run is ended")
        same(case.count("smc-cancel"), 1, "calls of CANCEL")
        same(case.image(RMM)["firmware"]["current-version"], "1.2", "firmware")
    else:
        until(lambda: case.show()["driver"] == "removing", "the removal")
        expect(unbinding.is_alive() and writing.is_alive(), "the removal waits for the run")
        case.ctl("call-again prime 0")
        same(writing.result(), 1, "the run succeeds")
        same(case.image(RMM)["firmware"]["current-version"], "9.1", "firmware")
    unbinding.result()
    expect(not os.path.exists(LFA), "the folder is gone")


@statement(63, ALL)
def primed_firmware_survives(case):
    case.start("tfa")
    case.offer(RMM)
    case.ctl("fail prime AUTH_ERROR --times=1")
    same(activate(RMM), REFUSED[case.profile], "a refused PRIME")
    case.ctl("unbind")
    case.ctl("bind")
    same(case.count("smc-cancel"), 0, "calls of CANCEL")
    case.offer(SP1)
    same(activate(SP1), REFUSED[case.profile], "another image: the slot is taken")


@statement(64, ALL)
def a_degraded_state(case):
    shown = []
    for outcome in ("change-then-fail", "degrade"):
        case.start()
        case.offer(RMM)
        case.ctl(f"outcome activate {outcome}")
        same(activate(RMM), REFUSED[case.profile], outcome)
        same(case.image(RMM)["firmware"]["degraded"], outcome == "degrade", "out of order")
        shown.append({name: read(RMM, name) for name in files(case.profile) if name not in WRITE_ONLY})
        case.stop()
    same(shown[0], shown[1], "attributes")
