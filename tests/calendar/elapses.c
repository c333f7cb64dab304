/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our side of the comparison with systemd: reads lines "ZONE TAB BASE TAB COUNT TAB EXPRESSION" (BASE in seconds since
 * 1970) and answers each with a line: the next COUNT elapses in µs, "never" where there are no more, or "invalid: WHY". */

#include "core/calendar.h"
#include "core/time-zone.h"
#include "util/macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_elapses(const Calendar *calendar, GTimeZone *zone, uint64_t usec, int count) {
        for (int i = 0; i < count; i++) {
                usec = calendar_next(calendar, zone, usec);
                if (usec == UINT64_MAX) {
                        printf("never ");
                        break;
                }
                printf("%" G_GUINT64_FORMAT " ", usec);
        }
        printf("\n");
}

static void answer(char *line) {
        g_auto(GStrv) parts = g_strsplit(line, "\t", 4);
        g_autoptr(Calendar) calendar = NULL;
        g_autoptr(GTimeZone) zone = NULL;
        g_autofree char *why = NULL;

        if (g_strv_length(parts) != 4)
                exit(EXIT_FAILURE);
        zone = time_zone_load(parts[0]);
        if (!zone)
                printf("unknown zone\n");
        else if (calendar_parse(parts[3], &calendar, &why) < 0)
                printf("invalid: %s\n", why);
        else
                print_elapses(calendar, zone, g_ascii_strtoull(parts[1], NULL, 10) * USEC_PER_SEC,
                              atoi(parts[2]));
}

int main(void) {
        g_autofree char *line = NULL;
        size_t size = 0;
        ssize_t length;

        while ((length = getline(&line, &size, stdin)) > 0) {
                if (line[length - 1] == '\n')
                        line[length - 1] = '\0';
                answer(line);
        }
        return EXIT_SUCCESS;
}
