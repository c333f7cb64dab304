# SPDX-License-Identifier: LGPL-2.1-or-later
"""The layer above the host's root file system in which the package is installed: made once, and unpacked for each
container."""

import contextlib
import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import tempfile

import world

PACKAGES = os.path.join(world.BUILD_DIR, "package")
BUILD = os.path.join(world.SOURCE_DIR, "tests/package/build.sh")
CACHE = os.path.join(world.BUILD_DIR, "container")
# Whatever the host has in these folders, its own services and rules, is not there in a container.
EMPTIED = ("/etc/systemd/system", "/etc/polkit-1/rules.d", "/etc/lfad", "/var/lib/lfad", "/var/log/journal")


def packages():
    """The files of the packages under test: those in LFAD_PACKAGES, else what this tree gives."""
    folder = os.environ.get("LFAD_PACKAGES", PACKAGES)
    if folder == PACKAGES:
        _run("bash", BUILD, PACKAGES, timeout=900)
    return [path for path in sorted(glob.glob(os.path.join(folder, "*.deb"))) if "-dbgsym_" not in path]


def mount_root(place):
    """Mounts on place/root the host's root file system below place/layer; the place is a tmpfs."""
    for name in ("layer", "work", "root"):
        os.makedirs(os.path.join(place, name), exist_ok=True)
    layer = os.path.join(place, "layer")
    for path in EMPTIED:
        os.makedirs(layer + path, exist_ok=True)
        os.setxattr(layer + path, "trusted.overlay.opaque", b"y")
    world.mount("overlay", os.path.join(place, "root"), "overlay",
                f"lowerdir=/,upperdir={layer},workdir={place}/work")


def _make(target, found):
    """Installs the packages as on a host that is not running: nothing can be started, all is enabled."""
    place = tempfile.mkdtemp(prefix="lfad-layer-")
    world.mount("tmpfs", place, "tmpfs", "mode=755")
    try:
        mount_root(place)
        os.mkdir(f"{place}/root/lfad-packages")
        for path in found:
            shutil.copy(path, f"{place}/root/lfad-packages")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{place}/root/var/lib/man-db/auto-update")  # all pages of the host would be indexed anew
        _run("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--pipe", "--resolv-conf=off", "--link-journal=no", f"--directory={place}/root", "--",
             "dpkg", "--install", *(os.path.join("/lfad-packages", os.path.basename(path)) for path in found))
        _run("tar", "--create", f"--file={target}.new", f"--directory={place}/layer", ".")
    finally:
        for path in (f"{place}/root", place):
            with contextlib.suppress(OSError):
                world.umount(path, world.MNT_DETACH)
        os.rmdir(place)
    os.rename(target + ".new", target)


def _run(*argv, timeout=240):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_NSPAWN_LOCK": "0"}, timeout=timeout,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]} exited with {done.returncode}: {done.stdout}")


def archive():
    """The layer as a tar file. The first who asks makes it; who asks meanwhile waits."""
    key = hashlib.sha256()
    found = packages()
    for path in found:
        with open(path, "rb") as file:
            key.update(file.read())
    path = os.path.join(CACHE, f"{key.hexdigest()[:16]}.tar")
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            for old in glob.glob(os.path.join(CACHE, "*.tar*")):
                os.unlink(old)
            _make(path, found)
    return path


def make_root(place):
    """mount_root(), with the packages installed."""
    layer = os.path.join(place, "layer")
    os.mkdir(layer)
    _run("tar", "--extract", f"--file={archive()}", f"--directory={layer}")
    mount_root(place)
