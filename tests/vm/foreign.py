# SPDX-License-Identifier: LGPL-2.1-or-later
"""What another processor than the host's takes. Its programs run in a chroot meanwhile, emulated one by one, which is
slow; so the compilers are this host's: lfad's Debian package is cross-built in a small Debian with two architectures,
and the test's kernel modules by what builds those for the host's own kernel."""

import contextlib
import glob
import os
import tempfile

import world

_FORMAT = "/usr/lib/binfmt.d/qemu-aarch64.conf"
# Each is what Build-Depends of debian/control means where that is another one's: libraries for the target, programs
# for the host. {0}: the target.
_BUILD_PACKAGES = ("crossbuild-essential-{0}", "debhelper", "libfuse3-dev:{0}", "libglib2.0-dev:{0}",
                   "libjson-c-dev:{0}", "libsmartcols-dev:{0}", "libsystemd-dev:{0}", "libudev-dev:{0}", "meson",
                   "pkg-config:{0}", "python3-docutils", "systemd", "udev")


@contextlib.contextmanager
def runnable():
    """Has the host's kernel run the target's programs, unless it does so already. What that took is undone at the end,
    for the machine knows of it everywhere and not in this process alone."""
    place = tempfile.mkdtemp(prefix="lfad-binfmt-")
    entry = os.path.join(place, os.path.basename(_FORMAT).removesuffix(".conf"))
    registered = False
    try:
        world.mount("binfmt_misc", place, "binfmt_misc")
        if not os.path.exists(entry):
            with open(_FORMAT, encoding="utf-8") as file:
                _put(os.path.join(place, "register"), file.read().strip())
            registered = True
        yield
    finally:
        if registered:
            _put(entry, "-1")
        with contextlib.suppress(OSError):
            world.umount(place, 0)
        os.rmdir(place)


def _put(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def build_packages(target):
    return sorted(name.format(target.name) for name in _BUILD_PACKAGES)


def release_like(release, target):
    """The target's kernel of the same version as one of the host's."""
    return f"{release.rpartition('-')[0]}-{target.name}"


def module_arguments(headers, release, target):
    """make's, for the target's headers, which lie below a folder. Their links to programs are to the target's, and are
    put right here. What all processors have in common they look for in /usr/src, where the host's are: of the same
    version."""
    folder = os.path.join(headers, "usr/src", f"linux-headers-{release}")
    for path in glob.glob("/usr/lib/linux-kbuild-*/*"):
        name = os.path.join(folder, os.path.basename(path))
        if os.path.islink(name):
            os.unlink(name)
            os.symlink(path, name)
    return ("-C", folder, "DEB_BUILD_ARCH=amd64", f"DEB_HOST_ARCH={target.name}", f"DEB_HOST_GNU_TYPE={target.tools}")
