#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A small fleet agent for lfad, on lfactl and jq: lfactl(1), lfad-integration(7).
#
#   lfa-agent.sh                            list what is pending: GUID, versions (may be empty), name
#   lfa-agent.sh GUID FROM TO REQUEST-ID    activate exactly that, and tell what came of it
#
# The exit status is lfactl's. Waiting, also over a restart of lfad, is what lfactl does by itself.
set -eu

case $# in
0)
        lfactl --json=short list |
                jq -r '.images[] | select(.Pending) | [.Guid, .CurrentVersion, .PendingVersion, .Name] | join("\t")'
        exit
        ;;
4) ;;
*)
        echo 'usage: lfa-agent.sh [GUID FROM TO REQUEST-ID]' >&2
        exit 2
        ;;
esac

status=0
answer=$(lfactl --json=short --no-ask-password activate "$1" --expect-current="$2" --expect-pending="$3" \
        --request-id="$4" --reason='fleet agent') || status=$?

# Without a job (refused before there was one) the reason is in "errors".
printf '%s\n' "$answer" | jq -r '(.jobs[0] | select(.) | [.Result, .Error, .Message]) //
        (.errors[0] | ["refused", .error, .message]) | join("\t")'
exit "$status"
