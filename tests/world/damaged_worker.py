# SPDX-License-Identifier: LGPL-2.1-or-later
"""A worker that misbehaves as a file says, and is the shipped one otherwise."""

import contextlib
import os
import signal

SCRIPT = """#!/bin/sh
# What a verb does: its name stands before the mode, "scan garbage".
read -r verb mode <"@DIR@/mode"
if [ "$1" != "$verb" ]; then exec @WORKER@ "$@"; fi
case $mode in
garbage) echo 'no JSON'; exit 0 ;;
binary) head -c 5000 /dev/urandom; exit 0 ;;
nothing) exit 0 ;;
exit-1) exit 1 ;;
right-and-exit-1) @WORKER@ "$@"; exit 1 ;;
right-and-garbage) @WORKER@ "$@"; echo '{"type":'; exit 0 ;;
killed) kill -KILL $$ ;;
half-a-line) printf '{"type":"end","error":0}'; exit 0 ;;
long-line) head -c 300000 /dev/zero | tr '\\0' x; echo; exit 0 ;;
gigabyte) exec head -c 1000000000 /dev/zero ;;
endless) i=0; lines='{"type":"writing"}' # many at once: it is to have said too much before it counts as stuck
        while [ $i -lt 8 ]; do
                lines="$lines
$lines"
                i=$((i + 1))
        done
        while echo "$lines" 2>/dev/null; do :; done; exit 0 ;;
many) i=0; echo '{"type":"driver","state":"active","profile":"nvnew","tree":1}'
        while [ $i -lt 6000 ]; do
                printf '{"type":"image","guid":"%08x-0000-4000-8000-000000000000","capable":1}\\n' $i
                i=$((i + 1))
        done
        echo '{"type":"end","error":0}'; exit 0 ;;
liar) echo '{"type":"driver","state":"nonsense","profile":"nvnew","tree":1}'; exit 0 ;;
error) echo '{"type":"end","error":5}'; exit 0 ;;
strange) echo '{"type":"end","error":-5}'; exit 0 ;;
child) (sleep 3) & exit 0 ;;
hang) echo $$ >"@DIR@/hanging"; exec sleep 600 ;;
esac
"""


class DamagedWorker:
    """The program is at path, in the world's folder."""

    def __init__(self, folder, worker):
        self.folder = folder
        self.path = os.path.join(folder, "worker")
        self.mode("none", "none")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(SCRIPT.replace("@DIR@", folder).replace("@WORKER@", worker))
        os.chmod(self.path, 0o755)

    def mode(self, verb, mode):
        """What that verb does from now on; all others do what they should."""
        path = os.path.join(self.folder, "mode")
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(f"{verb} {mode}\n")
        os.rename(path + ".new", path)

    def end_hanging(self):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(os.path.join(self.folder, "hanging"), encoding="utf-8") as file:
            os.kill(int(file.read()), signal.SIGKILL)
