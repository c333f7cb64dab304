/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time zones: names that the tz database has, and the way from local time to moments and back. */

#include "core/time-zone.h"
#include "util/zone-file.h"

#include <string.h>

#define LOCALTIME "/etc/localtime"

#define NAME_MAX_BYTES 128

/* Farther than any clock was from UTC since 1970, so that a local time taken as UTC is at most that wrong. */
#define FARTHEST_OFFSET (16 * 3600)

/* Words of letters, digits, "+", "-" and "_" with single slashes between: nothing that leaves the folder. */
static bool is_zone_name(const char *name) {
        size_t length = strlen(name);

        if (length == 0 || length > NAME_MAX_BYTES || name[0] == '/' || name[length - 1] == '/' ||
            strstr(name, "//"))
                return false;
        for (const char *p = name; *p; p++)
                if (!g_ascii_isalnum(*p) && !strchr("+-_/", *p))
                        return false;
        return true;
}

/* g_time_zone_new_local() keeps the zone it saw first; this one looks at /etc/localtime each time. Without that file it is UTC:
 * localtime(5). */
static GTimeZone *load_local(void) {
        const char *name = g_getenv("TZ");
        bool is_file = !name && zone_file_is_there(LOCALTIME);
        GTimeZone *zone = NULL;

        if (is_file && !zone_file_is_sound(LOCALTIME))
                return NULL;
        if (is_file || (name && *name))
                zone = g_time_zone_new_identifier(name);
        return zone ? zone : g_time_zone_new_utc();
}

GTimeZone *time_zone_load(const char *name) {
        if (g_ascii_strcasecmp(name, "UTC") == 0)
                return g_time_zone_new_utc();
        if (strcmp(name, "local") == 0)
                return load_local();
        if (!is_zone_name(name) || g_str_has_prefix(name, "right/") || !zone_file_exists(name))
                return NULL;
        return g_time_zone_new_identifier(name);
}

GTimeZone *time_zone_cut(char *text) {
        char *space = strrchr(text, ' ');
        GTimeZone *zone;

        if (!space || strcmp(space + 1, "local") == 0)
                return NULL;
        zone = time_zone_load(space + 1);
        if (zone)
                *space = '\0';
        return zone;
}

static int64_t offset_at(GTimeZone *zone, int64_t utc) {
        return g_time_zone_get_offset(zone, g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, utc));
}

int64_t time_zone_to_local(GTimeZone *zone, int64_t utc) {
        return utc + offset_at(zone, utc);
}

/* The moment at which the offset changes, between one before it and one at or after it. */
static int64_t find_change(GTimeZone *zone, int64_t before, int64_t after) {
        int64_t offset = offset_at(zone, before);

        while (after - before > 1) {
                int64_t middle = before + (after - before) / 2;

                if (offset_at(zone, middle) == offset)
                        before = middle;
                else
                        after = middle;
        }
        return after;
}

/* No zone changes twice within the 32 hours looked at, so one of the offsets at their ends holds, or both (clocks were
 * set back over this time), or none (they were set forward over it). */
LocalTime time_zone_from_local(GTimeZone *zone, int64_t local) {
        int64_t first = local - offset_at(zone, local - FARTHEST_OFFSET);
        int64_t second = local - offset_at(zone, local + FARTHEST_OFFSET);
        bool is_first = time_zone_to_local(zone, first) == local;
        bool is_second = time_zone_to_local(zone, second) == local;

        if (is_first || is_second)
                return (LocalTime){
                        .exists = true,
                        .first = is_first ? first : second,
                        .second = is_second ? second : first,
                };
        /* With the offset before the change the time would be after it, and with the one after it before it. */
        return (LocalTime){ .next_local = time_zone_to_local(zone, find_change(zone, second, first)) };
}
