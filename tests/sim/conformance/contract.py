# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the published driver versions promise: the versions, the numbered statements with the versions each one is
about, and the values that several tests compare with. Written from the drivers' sources and from watching them
run; nothing here is taken from the simulator."""

from errno import EAGAIN, ECANCELED, EINVAL, EIO

PROFILES = ["rfc1", "rfc2", "nvrfc", "v1", "v1nv", "v2s", "v2", "v2bos", "v3", "nv3", "nvnew"]


def since(first, last="nvnew"):
    return PROFILES[PROFILES.index(first):PROFILES.index(last) + 1]


ALL = PROFILES
RFC = since("rfc1", "nvrfc")
V1 = ["v1", "v1nv"]
FROM_RFC2, FROM_V1, FROM_V2S, FROM_V2, FROM_V3 = (since(name) for name in ("rfc2", "v1", "v2s", "v2", "v3"))
LOCKED = FROM_V2                    # have the inventory lock
UNSERIALISED = since("v2s", "nv3")  # two activations can meet
FALSE_SUCCESS = V1                  # a failed ACTIVATE is reported as success
OOPSING = V1
EVENTFUL = ["v2bos", "nvnew"]       # send `change` when an inventory has settled

BL31 = "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
BL33 = "d6d0eea7-fcea-d54b-9782-9934f234b6e4"
RMM = "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
SP1 = "f07b2a96-1d47-4d17-9ec8-86a64e253e5c"
SCP = "65922703-2f74-e644-8dff-579ac1ff0610"
VERA_A = "0509b633-5734-422f-a681-6096e932d93a"
VERA_B = "3ab71f81-32b9-496d-841b-e3d0e9fd1a48"
UNKNOWN = VERA_A  # no driver version has a name for it

READ_ONLY = ["name", "activation_capable", "activation_pending", "may_reset_cpu", "cpu_rendezvous"]
VERSIONS = ["current_version", "pending_version"]
WRITE_ONLY = ["activate", "cancel"]
MODES = {**dict.fromkeys(READ_ONLY + VERSIONS, 0o444), **dict.fromkeys(WRITE_ONLY, 0o200),
         "force_cpu_rendezvous": 0o644, "auto_activate": 0o644}


def settings(profile):
    return [name for name, profiles in (("force_cpu_rendezvous", FROM_RFC2), ("auto_activate", FROM_V2))
            if profile in profiles]


def files(profile):
    return READ_ONLY + WRITE_ONLY + settings(profile) + (VERSIONS if profile in FROM_V1 else [])


N_FILES = {"rfc1": 7, "rfc2": 8, "nvrfc": 8, "v1": 10, "v1nv": 10, "v2s": 10, "v2": 11, "v2bos": 11, "v3": 11,
           "nv3": 11, "nvnew": 11}

KNOWN_NAMES = {
    profile: {BL31: b"BL31 runtime", BL33: b"BL33 non-secure payload", RMM: b"RMM"} if profile in RFC else
             {RMM: b"TF-RMM"} if profile == "v1nv" else
             {BL31: b"TF-A BL31 runtime", BL33: b"BL33 non-secure payload", RMM: b"TF-RMM"}
    for profile in PROFILES}
UNKNOWN_NAME = {**dict.fromkeys(RFC + ["v1"], b"(unknown)"), **dict.fromkeys(since("v2s", "v3"), b""),
                **dict.fromkeys(["nv3", "nvnew"], UNKNOWN.encode())}  # v1nv: garbage

# What a write to `activate` gets, as negative numbers.
REFUSED = {profile: -EIO if profile == "rfc1" else -ECANCELED for profile in PROFILES}
PRIME_BUSY = {**REFUSED, "nvrfc": -EAGAIN}
MAY_RESET = {profile: -EINVAL if profile in RFC else -ECANCELED for profile in PROFILES}
CANCEL_IDLE = {profile: -EIO if profile == "rfc1" else -EINVAL for profile in PROFILES}

# SUBSYSTEM, DEVPATH's beginning and DRIVER of the device; nothing for the other versions.
DEVICES = {"v1nv": ("platform", "/devices/platform/ARML0003:00", "ARM_LFA"),
           **dict.fromkeys(["v2", "v2bos"], ("faux", "/devices/faux/arm-lfa", None)),
           **dict.fromkeys(FROM_V3, ("arm_smccc", "/devices/arm-smccc-lfa", "lfa_fw"))}

# The statements, and the versions each one is about. The inventory of the RFC drivers never changes, so what is
# said of a refresh is about v1 and later.
STATEMENTS = {
    1: ("no directory without an agent or components", ALL),
    2: ("directories are lower-case GUIDs in raw order", ALL),
    3: ("number of files, no uevent file, no folder", ALL),
    4: ("modes and sizes", ALL),
    5: ("the mode binds root, too", ALL),
    6: ("one line, then nothing; pread is fresh", ALL),
    7: ("poll and inotify tell of no change", ALL),
    8: ("booleans and versions", ALL),
    9: ("current_version 0.0 without versions", FROM_V1),
    10: ("names", ALL),
    11: ("pending is visible at the next read", ALL),
    12: ("other values wait for a success", ALL),
    13: ("pending_version wants a pending read before", FROM_V2S),
    14: ("pending_version without a version", FROM_V1),
    15: ("a failing GET_INVENTORY is silent", ALL),
    16: ("firmware calls a read costs", ALL),
    17: ("any byte activates, none does not", ALL),
    18: ("two writes are two activations", ALL),
    19: ("firmware refuses, not the driver", ALL),
    20: ("an image that may reset CPUs", ALL),
    21: ("PRIME pauses 10 ms and goes on", FROM_V2S),
    22: ("PRIME never ends", ["v1nv", *FROM_V2S]),
    23: ("ACTIVATE never ends", FROM_V2S),
    24: ("ACTIVATE is BUSY", ["v1nv", *FROM_V2S]),
    25: ("PRIME is BUSY", ALL),
    26: ("ACTIVATE refused, CANCEL accepted", ALL),
    27: ("PRIME refused: no CANCEL", ALL),
    28: ("TF-A: a failed PRIME keeps the slot", ALL),
    29: ("TF-A: pending has to be read", ALL),
    30: ("the whole count, never EINTR", ALL),
    31: ("SIGKILL does not abort", ALL),
    32: ("a second activate during a run", ["v1nv", *FROM_V2S]),
    33: ("EBUSY in the cleanup window", ["nvnew"]),
    34: ("cancel with nothing to cancel", ALL),
    35: ("cancel in the middle of a run", ALL),
    36: ("what blocks during an attempt", LOCKED),
    37: ("how settings are spelled", FROM_RFC2),
    38: ("defaults of settings", FROM_RFC2),
    39: ("when rendezvous is skipped", ALL),
    40: ("new directories before the write returns", FROM_V1),
    41: ("stale directories go later, files first", FROM_V1),
    42: ("values of a stale directory", FROM_V1),
    43: ("descriptors of what is gone", FROM_V1),
    44: ("survivors keep, returners start anew", FROM_V1),
    45: ("renumbering is invisible", FROM_V1),
    46: ("success with a failed refresh", FROM_V1),
    47: ("one failing GET_INVENTORY in a refresh", FROM_V1),
    48: ("zeros of healthy images in a refresh", FROM_V1),
    49: ("FVP: pending again after a success", ALL),
    50: ("a notification nobody opted in for", FROM_V2),
    51: ("a notification activates everything", ["v1nv"]),
    52: ("a notification and its round", FROM_V2),
    53: ("opting in waits for a notification", FROM_V2),
    54: ("a new component and a notification", ["v1nv", *FROM_V2]),
    55: ("no event of an image", ALL),
    56: ("the device's add and bind", ALL),
    57: ("one change after probe", ["nvnew"]),
    58: ("one change after a success has settled", EVENTFUL),
    59: ("no change for anything else", ALL),
    60: ("the change names no image", EVENTFUL),
    61: ("the device's name varies", FROM_V3),
    62: ("unbind and bind", ALL),
    63: ("primed firmware survives unbind", ALL),
    64: ("a degraded state no attribute shows", ALL),
    65: ("an endless round, and its end", FROM_V2),
}
