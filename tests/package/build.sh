#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds the Debian packages of this tree: build.sh OUTDIR. There the .deb files, the .changes file and the log of the
# build end up; without a change since the last time nothing is done. The tree and the folder above it stay clean. Who
# comes while somebody else builds waits. The tests of the project are not run (DEB_BUILD_OPTIONS=nocheck).
# build.sh OUTDIR ROOT ARCHITECTURE: those for another processor, by the compilers that are in the Debian in ROOT.
set -euo pipefail

[[ $# -eq 1 || $# -eq 3 ]] || {
        echo "usage: $0 OUTDIR [ROOT ARCHITECTURE]" >&2
        exit 2
}
out=$(realpath -m "$1")
root=${2:+$(realpath "$2")}
architecture=${3:-}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The files that are or are going to be in a commit, as one stream that is always the same for the same tree.
tree() {
        git -c safe.directory="$PWD" ls-files -z --cached --others --exclude-standard |
                while IFS= read -r -d '' file; do
                        [[ ! -e $file ]] || printf '%s\0' "$file"
                done | LC_ALL=C sort -z |
                tar --create --null --no-recursion --files-from=- --mtime=@0 --owner=root:0 --group=root:0 \
                        --mode=u=rwX,go=rX
}

mkdir -p "$out"
exec {lock}>"$out/lock"
flock "$lock"

wanted=$(tree | sha256sum)
[[ $(cat "$out/built" 2>/dev/null) != "$wanted" ]] || exit 0

# In the Debian that is in $root nothing runs but the build, and nothing stays.
run_there() {
        unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" chroot "$root" \
                env --chdir=/build/src HOME=/root LC_ALL=C.UTF-8 "$@"
}

place=$out
build=(dpkg-buildpackage --unsigned-source --unsigned-changes --build=binary)
if [[ -n $root ]]; then
        place=$root/build
        # What is there may be less than what building anything takes, such as a compiler for programs of this host.
        build=(run_there "${build[@]}" "--host-arch=$architecture" "--build-profiles=cross,nocheck" --no-check-builddeps)
fi

rm -rf "$out/built" "$out"/lfa* "$place/src" "$place"/lfa*
mkdir -p "$place/src"
# Of now, which the package's build puts back to the date of debian/changelog.
tree | tar --extract --touch --directory="$place/src"

# debhelper gives the build a home of its own, in which ccache would find nothing.
if [[ -x /usr/bin/ccache ]]; then
        CCACHE_DIR=$(ccache --get-config=cache_dir)
        export CCACHE_DIR
fi
cd "$place/src"
DEB_BUILD_OPTIONS=nocheck "${build[@]}" >"$out/log" 2>&1 </dev/null || {
        tail -n 40 "$out/log" >&2
        echo "the packages could not be built; the whole log is $out/log" >&2
        exit 1
}
if [[ -n $root ]]; then
        mv "$place"/lfa* "$out"
        rm -r "$place"
fi
echo "$wanted" >"$out/built"
