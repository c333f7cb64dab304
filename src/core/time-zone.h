/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Time zones by name, and what their clocks show. */

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* "UTC", "local" (what the host is set to at this moment) or a name of the tz database, "Europe/Berlin". Returns NULL
 * for anything else: for offsets and POSIX rules, which GLib would take, for zones that count leap seconds ("right/"), and
 * where the file is no whole description of a zone. Reads /etc/localtime and files below /usr/share/zoneinfo. The caller
 * unrefs. */
GTimeZone *time_zone_load(const char *name);

/* Cuts a time zone, by its name but "local", and the space before it off the end of a text. Returns NULL, with the text as
 * it was, when it does not end in one. The caller unrefs. */
GTimeZone *time_zone_cut(char *text);

/* What clocks there show: seconds since 1970 in local time at this moment, in seconds since 1970 UTC. */
int64_t time_zone_to_local(GTimeZone *zone, int64_t utc);

/* How a local time stands to the moments at which clocks show it. */
typedef struct LocalTime {
        bool exists;
        int64_t first;      /* the moment; where clocks show it twice the first one */
        int64_t second;     /* the later one; the same as first where there is but one */
        int64_t next_local; /* where it does not exist: the first local time after it that does */
} LocalTime;

LocalTime time_zone_from_local(GTimeZone *zone, int64_t local);
