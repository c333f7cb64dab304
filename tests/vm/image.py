#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the virtual machine boots: Debian's kernel, and one archive with a small Debian, lfad as its package installs
it, the test's kernel modules and its agent. Run by itself it makes both and says where they are.

Everything comes from where the machine's own apt takes its packages. Three things are kept in vm/ of the build folder
(vm-arm64/ for that processor) for as long as what they are made of stays the same: the small Debian (which takes the
longest by far), the kernel, and the archive."""

import contextlib
import fcntl
import glob
import hashlib
import lzma
import os
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "container"))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "world"))
import foreign  # noqa: E402  # pylint: disable=wrong-import-position
import installed  # noqa: E402  # pylint: disable=wrong-import-position
import world  # noqa: E402  # pylint: disable=wrong-import-position
from target import TARGET  # noqa: E402  # pylint: disable=wrong-import-position

CACHE = os.path.join(world.BUILD_DIR, f"vm-{TARGET.name}" if TARGET.is_foreign else "vm")
FAILED = os.path.join(CACHE, "failed")  # by test, what was said in one that failed
PORT_UNIT = "dev-virtio\\x2dports-lfad\\x2dtest.device"
RETRIES = 5  # of apt: a server may be away for a moment
RUNTIME_WATCHDOG_SEC = 10  # a busy machine may keep PID 1 from feeding it for half of that

# Beside what lfad's package asks for.
PACKAGES = ("systemd", "systemd-sysv", "udev", "dbus", "polkitd", "kmod")
# What the kernel needs for the disk, the line to the agent and the watchdog; udevd finds them by itself.
MODULES = ("ext4", "i6300esb", "virtio_blk", "virtio_console", "virtio_pci")
# Never used there, and all that is there has to be unpacked at each boot.
LEFT_OUT = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "usr/share/perl",
            "usr/lib/*/gconv", "usr/lib/*/perl", "usr/lib/udev/hwdb.*", "usr/share/bash-completion",
            "usr/share/zoneinfo/right", "var/cache", "var/lib/apt/lists", "lfad-packages")
# Nothing to do with lfad, and some seconds of an emulated processor each.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
          "e2scrub_reap.service", "fstrim.timer", "getty@tty1.service", "ldconfig.service", "systemd-binfmt.service",
          "systemd-hwdb-update.service", "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service")


def _release():
    """The kernel that the installed headers are of: the newest."""
    found = [path.split("/")[3] for path in glob.glob("/lib/modules/*/build")]
    if not found:
        raise RuntimeError("no headers of a kernel are installed: install linux-headers-amd64")
    release = max(found, key=_by_number)
    return foreign.release_like(release, TARGET) if TARGET.is_foreign else release


def _by_number(text):
    return [int(word) if word.isdigit() else 0 for word in text.replace("-", ".").split(".")]


def _run(*argv, timeout=900, **options):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=timeout, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"}, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]} exited with {done.returncode}: {done.stdout[-4000:]}")
    return done.stdout


def _digest(*parts):
    key = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        key.update(b"%d:" % len(data) + data)
    return key.hexdigest()[:16]


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _write(root, path, text, mode=0o644):
    target = os.path.join(root, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(target, mode)


def _forget(pattern, keep):
    """Removes what was made of something that has changed since."""
    for path in glob.glob(os.path.join(CACHE, pattern)):
        if path != keep:
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


@contextlib.contextmanager
def _new(path):
    """A name for what will be at path when it is complete."""
    beside = path + ".new"
    if os.path.isdir(beside):
        shutil.rmtree(beside)
    yield beside
    os.rename(beside, path)


def package():
    """lfad's, of this tree, or the one in LFAD_PACKAGES."""
    if TARGET.is_foreign and "LFAD_PACKAGES" not in os.environ:
        folder = os.path.join(CACHE, "package")
        _run("bash", installed.BUILD, folder, _compilers(), TARGET.name)
        found = glob.glob(os.path.join(folder, "*.deb"))
    else:
        found = installed.packages()
    [path] = [path for path in found if os.path.basename(path).startswith("lfad_")]
    return path


def _needed(path):
    """The names of the packages that a package depends on."""
    field = _run("dpkg-deb", "--field", path, "Depends")
    return sorted({relation.split("|")[0].split("(")[0].strip() for relation in field.split(",")})


def _codename():
    return next(line.partition("=")[2].strip() for line in _read("/etc/os-release").decode().splitlines()
                if line.startswith("VERSION_CODENAME="))


def _apt_options():
    """How this machine's apt reaches its sources, for another one's."""
    lines = _run("apt-config", "dump", "Acquire").splitlines()
    return [f"--aptopt={line}" for line in lines
            if line.startswith(("Acquire::http", "Acquire::Check-", "Acquire::Retries")) and not line.endswith('"";')]


def _sources():
    return [path for path in ("/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*")))
            if path.endswith((".list", ".sources")) and os.path.exists(path) and os.path.getsize(path) > 0]


def _bootstrap(target, names, *options):
    """A Debian with these packages. What is mounted there meanwhile is gone when that is ended, however. In a PID
    namespace: polkitd's package ends all processes whose program is /usr/lib/polkit-1/polkitd by its path alone, which
    are those of other tests' worlds, too."""
    _run("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
         "mmdebstrap", "--quiet", "--mode=root", f"--include={','.join(names)}", *options,
         '--aptopt=APT::Install-Recommends "false"', f'--aptopt=Acquire::Retries "{RETRIES}"',
         "--dpkgopt=force-unsafe-io", *_apt_options(), _codename(), target, *_sources(), timeout=1800)


def _base(names):
    """The small Debian, as a tar file."""
    path = os.path.join(CACHE, f"base-{_digest(_codename(), *names)}.tar")
    if not os.path.exists(path):
        _forget("base-*.tar", path)
        with _new(path) as new:
            _bootstrap(new, names, "--variant=minbase", "--format=tar", f"--architectures={TARGET.name}")
    return path


def _compilers():
    """A folder with this host's Debian that builds packages for the target."""
    names = foreign.build_packages(TARGET)
    path = os.path.join(CACHE, f"compilers-{_digest(_codename(), *names)}")
    if not os.path.exists(path):
        _forget("compilers-*", path)
        with _new(path) as new:
            _bootstrap(new, names, "--variant=minbase", f"--architectures=amd64,{TARGET.name}")
    return path


def _apt_get(*arguments, **options):
    _run("apt-get", "-o", f"Acquire::Retries={RETRIES}", *arguments, **options)


def _download(name, folder):
    """A package's file; what apt knows may be too old for it."""
    try:
        _apt_get("download", name, cwd=folder)
    except RuntimeError:
        _apt_get("update")
        _apt_get("download", name, cwd=folder)
    [path] = glob.glob(os.path.join(folder, "*.deb"))
    return path


def _unpack_kernel(image):
    """The kernel itself out of the one that unpacks itself, which takes an emulated processor seconds each time. Where
    it is, and how long, is said in its head (Documentation/x86/boot.rst)."""
    sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    begin = (sectors + 1) * 512 + offset
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(image[begin:begin + length])


def _fetch_kernel(new, release, place):
    _run("dpkg-deb", "--extract", _download(f"linux-image-{release}", place), new)
    with open(os.path.join(new, "vmlinux"), "wb") as file:
        file.write(_unpack_kernel(_read(os.path.join(new, f"boot/vmlinuz-{release}"))))


def _fetch_foreign_kernel(new, release, place):
    """With its headers, in usr/src. On arm64 it does not unpack itself: whoever boots it does."""
    _bootstrap(place, [f"linux-image-{release}", f"linux-headers-{release}"], "--variant=extract",
               f"--architectures={TARGET.name}")
    for name in ("lib/modules", "usr/src"):
        shutil.copytree(os.path.join(place, name), os.path.join(new, name), symlinks=True)
    shutil.copy(os.path.join(place, f"boot/vmlinuz-{release}"), os.path.join(new, "vmlinux"))


def _kernel(release):
    """A folder with the kernel as `vmlinux`, and its modules in lib/modules."""
    path = os.path.join(CACHE, f"kernel-{release}")
    if not os.path.exists(path):
        _forget("kernel-*", path)
        with _new(path) as new, tempfile.TemporaryDirectory(prefix="lfad-kernel-") as place:
            os.chmod(place, 0o755)
            (_fetch_foreign_kernel if TARGET.is_foreign else _fetch_kernel)(new, release, place)
            _run("depmod", f"--basedir={new}", release)
    return path


def _build_modules(kernel, release, place):
    """The test's own modules; their paths."""
    folder = os.path.join(place, "module")
    shutil.copytree(os.path.join(HERE, "module"), folder)
    options = (foreign.module_arguments(kernel, release, TARGET) if TARGET.is_foreign
               else ("-C", f"/lib/modules/{release}/build"))
    _run("make", "--silent", *options, f"M={folder}", "modules")
    return glob.glob(os.path.join(folder, "*.ko"))


def _install_modules(root, kernel, release, own):
    target = os.path.join(root, "lib/modules", release)
    listed = _run("modprobe", f"--dirname={kernel}", f"--set-version={release}", "--show-depends", "--all", *MODULES)
    found = {line.split()[1] for line in listed.splitlines() if line.startswith("insmod")}
    for path in found:
        place = os.path.join(root, os.path.relpath(path, kernel))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        shutil.copy(path, place)
    os.makedirs(os.path.join(target, "extra"))
    for path in own:
        stripped = os.path.join(target, "extra", os.path.basename(path))
        _run(f"{TARGET.tools}-strip", "--strip-debug", path, "-o", stripped)
    for path in glob.glob(os.path.join(kernel, "lib/modules", release, "modules.*")):
        shutil.copy(path, target)
    _run("depmod", f"--basedir={root}", release)


def _install_lfad(root, path):
    """As on a host that is not running: nothing can be started, all is enabled."""
    place = os.path.join(root, "lfad-packages")
    os.mkdir(place)
    shutil.copy(path, place)
    _run("chroot", root, "dpkg", "--install", f"/lfad-packages/{os.path.basename(path)}")


def _configure(root):
    _write(root, "etc/fstab", "/dev/vda /var/lib/lfad ext4 defaults 0 0\n")
    _write(root, "etc/hostname", "vm\n")
    _write(root, "etc/machine-id", "5b1d8e6f0c2a4d1f9a7c3e5b7d9f1a3c\n")
    _write(root, "etc/systemd/system.conf.d/lfad-test.conf",
           f"[Manager]\nRuntimeWatchdogSec={RUNTIME_WATCHDOG_SEC}s\n")
    _write(root, "etc/systemd/journald.conf.d/lfad-test.conf", "[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\n")
    _write(root, "usr/local/bin/lfad-test-agent", _read(os.path.join(HERE, "agent.sh")).decode(), 0o755)
    _write(root, "etc/systemd/system/lfad-test-agent.service",
           f"[Unit]\nBindsTo={PORT_UNIT}\nAfter={PORT_UNIT}\n"
           "[Service]\nExecStart=/usr/local/bin/lfad-test-agent\n"
           'Environment=LANG=C.UTF-8 NO_COLOR=1 SYSTEMD_PAGER= SYSTEMD_COLORS=0 HOME=/root\n'
           "[Install]\nWantedBy=multi-user.target\n")
    # Whoever boots it by hand has a shell on the console.
    _write(root, "etc/systemd/system/serial-getty@.service.d/lfad-test.conf",
           "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear %I $TERM\n")
    _run("systemctl", f"--root={root}", "enable", "lfad-test-agent.service")
    _run("systemctl", f"--root={root}", "mask", *MASKED)
    os.symlink("lib/systemd/systemd", os.path.join(root, "init"))


def _make(target, base, kernel, release, path):
    with tempfile.TemporaryDirectory(prefix="lfad-vm-") as place:
        root = os.path.join(place, "root")
        os.mkdir(root)
        _run("tar", "--extract", f"--file={base}", f"--directory={root}")
        _install_lfad(root, path)
        _install_modules(root, kernel, release, _build_modules(kernel, release, place))
        _configure(root)
        for pattern in LEFT_OUT:
            for found in glob.glob(os.path.join(root, pattern)):
                shutil.rmtree(found) if os.path.isdir(found) else os.unlink(found)
        with open(target, "wb") as file:
            names = subprocess.run(["find", ".", "-print0"], cwd=root, capture_output=True, check=True).stdout
            subprocess.run(["cpio", "--null", "--create", "--format=newc", "--quiet"], cwd=root, input=names,
                           stdout=file, check=True)


def _image_key(*parts):
    """Of all that the archive is made of."""
    files = sorted(glob.glob(os.path.join(HERE, "module/*"))) + [os.path.join(HERE, "agent.sh"), __file__]
    return _digest(*parts, *(_read(file) for file in files))


def _make_all():
    path = package()
    release = _release()
    base = _base(sorted({*PACKAGES, *_needed(path)}))
    kernel = _kernel(release)
    image = os.path.join(CACHE, f"image-{_image_key(base, release, _read(path))}.cpio")
    if not os.path.exists(image):
        _forget("image-*.cpio", image)
        with _new(image) as new:
            _make(new, base, kernel, release, path)
    return os.path.join(kernel, "vmlinux"), image


def make():
    """(kernel, archive): two paths. The first who asks makes them; who asks meanwhile waits."""
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with foreign.runnable() if TARGET.is_foreign else contextlib.nullcontext():
            return _make_all()


if __name__ == "__main__":
    print(*make(), sep="\n")
