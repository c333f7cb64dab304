#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The guest's end of the test's line into it: runs one command after the other, as root. A request is "LENGTH\n" and a
# command for the shell of so many bytes; the answer is "CODE OUT ERR\n" and so many bytes of its output and its errors.
# Each boot begins with "ready BOOT-ID\n".
set -u
place=/run/lfad-test
mkdir -p "$place"
exec 3<>/dev/virtio-ports/lfad-test
echo "ready $(</proc/sys/kernel/random/boot_id)" >&3
while read -r -u 3 length; do
        IFS= read -r -N "$length" -u 3 command
        bash -c "$command" </dev/null >"$place/out" 2>"$place/err" 3>&-
        echo "$? $(stat --printf='%s ' "$place/out" "$place/err")" >&3
        cat "$place/out" "$place/err" >&3
done
