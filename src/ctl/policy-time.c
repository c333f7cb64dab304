/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments as text, by the clocks of the policy and by UTC; and back. */

#include "ctl/policy-time.h"
#include "core/moment.h"
#include "core/time-zone.h"
#include "ctl/bus-value.h"
#include "ctl/output.h"
#include "lfa/bus-names.h"

char *policy_zone_name(Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *properties = NULL;
        const char *name = "";

        if (client_get_properties(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, &error, &properties) >= 0)
                name = bus_value_string(properties, "TimeZone");
        return g_strdup(*name ? name : "UTC");
}

GTimeZone *policy_zone_load(const char *name) {
        GTimeZone *zone = time_zone_load(name);

        return zone ? zone : g_time_zone_new_utc();
}

int policy_moment_guess(const char *text, uint64_t *ret_usec) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_local();
        g_autofree char *why = NULL;
        uint64_t usec;
        int r = moment_parse(text, zone, (uint64_t) g_get_real_time(), &usec, &why);

        if (r >= 0 && ret_usec)
                *ret_usec = usec;
        return r;
}

ExitCode policy_moment_read(Client *client, const char *text, uint64_t *ret_usec) {
        g_autofree char *name = NULL, *why = NULL;
        g_autoptr(GTimeZone) zone = NULL;

        *ret_usec = 0;
        if (!text)
                return EXIT_DONE;
        name = policy_zone_name(client);
        zone = policy_zone_load(name);
        if (moment_parse(text, zone, (uint64_t) g_get_real_time(), ret_usec, &why) >= 0)
                return EXIT_DONE;
        return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS, why, "%s makes no sense in %s.",
                           text, name);
}

static char *format(GTimeZone *zone, uint64_t usec, const char *how) {
        g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc((gint64) (usec / USEC_PER_SEC));
        g_autoptr(GDateTime) there = utc ? g_date_time_to_timezone(utc, zone) : NULL;

        return there ? g_date_time_format(there, how) : g_strdup_printf("%" G_GUINT64_FORMAT " us", usec);
}

char *policy_time(GTimeZone *zone, uint64_t usec) {
        if (usec == 0)
                return g_strdup("");
        return usec == UINT64_MAX ? g_strdup("open") : format(zone, usec, "%a %Y-%m-%d %H:%M:%S %Z");
}

char *policy_time_in_both(GTimeZone *zone, uint64_t usec) {
        g_autoptr(GTimeZone) utc_zone = g_time_zone_new_utc();
        g_autofree char *utc = NULL, *utc_day = NULL, *there = NULL, *there_day = NULL, *away = NULL;
        uint64_t now = (uint64_t) g_get_real_time();

        if (usec == 0 || usec == UINT64_MAX)
                return g_strdup("");
        utc = format(utc_zone, usec, "%Y-%m-%d %H:%M:%S UTC");
        utc_day = format(utc_zone, usec, "%Y-%m-%d");
        there_day = format(zone, usec, "%Y-%m-%d");
        there = format(zone, usec, strcmp(utc_day, there_day) == 0 ? "%H:%M:%S %Z" : "%Y-%m-%d %H:%M:%S %Z");
        away = output_span(usec <= now ? now - usec : usec - now);
        return g_strdup_printf(usec <= now ? "%s%s%s (%s ago)" : "%s%s%s (in %s)", utc,
                               g_str_has_suffix(there, " UTC") ? "" : ", ",
                               g_str_has_suffix(there, " UTC") ? "" : there, away);
}
