/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moments as text, by the clocks of the policy and by UTC; and back. */

#include "ctl/policy-time.h"
#include "core/moment.h"
#include "core/time-span.h"
#include "core/time-zone.h"
#include "core/timestamp.h"
#include "ctl/bus-value.h"
#include "ctl/output.h"
#include "lfa/bus-names.h"

#include <string.h>

const char *policy_zone_name(Client *client) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(json_object_unrefp) json_object *properties = NULL;
        const char *name = "";

        if (client->zone_name)
                return client->zone_name;
        if (client_get_properties(client, LFA_MANAGER_PATH, LFA_MANAGER_INTERFACE, &error, &properties) >= 0)
                name = bus_value_string(properties, "TimeZone");
        client->zone_name = g_strdup(*name ? name : "UTC");
        return client->zone_name;
}

GTimeZone *policy_zone(Client *client) {
        if (!client->zone)
                client->zone = policy_zone_load(policy_zone_name(client));
        return client->zone;
}

GTimeZone *policy_zone_load(const char *name) {
        GTimeZone *zone = time_zone_load(name);

        return zone ? zone : g_time_zone_new_utc();
}

typedef int (*MomentParse)(const char *text, GTimeZone *zone, uint64_t now_usec, uint64_t *ret_usec,
                           char **ret_why);

static int refuse(char **ret_why, const char *why) {
        *ret_why = g_strdup(why);
        return -EINVAL;
}

static int parse_before(const char *text, uint64_t now_usec, uint64_t *ret_usec, char **ret_why) {
        uint64_t span;

        if (time_span_parse(text, &span) < 0)
                return refuse(ret_why, "After '-' a span of time is expected, such as 30min or 2h.");
        *ret_usec = span < now_usec ? now_usec - span : 1;
        return 0;
}

/* time: "" for the beginning of the day, or " 23:59" */
static int parse_day(int days, const char *time, GTimeZone *zone, uint64_t now_usec, uint64_t *ret_usec,
                     char **ret_why) {
        g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc((gint64) (now_usec / USEC_PER_SEC));
        g_autoptr(GDateTime) now = g_date_time_to_timezone(utc, zone);
        g_autoptr(GDateTime) day = g_date_time_add_days(now, days);
        g_autofree char *date = g_date_time_format(day, "%Y-%m-%d");
        g_autofree char *text = g_strconcat(date, time, NULL);

        return timestamp_parse(text, zone, ret_usec, ret_why);
}

static int past_parse(const char *text, GTimeZone *zone, uint64_t now_usec, uint64_t *ret_usec,
                      char **ret_why) {
        g_autofree char *time = g_strconcat(" ", text, NULL);
        size_t digits = strspn(text, "0123456789");

        if (*text == '-')
                return parse_before(text + 1, now_usec, ret_usec, ret_why);
        if (strcmp(text, "today") == 0)
                return parse_day(0, "", zone, now_usec, ret_usec, ret_why);
        if (strcmp(text, "yesterday") == 0)
                return parse_day(-1, "", zone, now_usec, ret_usec, ret_why);
        if (digits > 0 && text[digits] == ':')
                return parse_day(0, time, zone, now_usec, ret_usec, ret_why);
        if (digits > 0)
                return timestamp_parse(text, zone, ret_usec, ret_why);
        if (strcmp(text, "now") == 0 || *text == '+' || *text == '@')
                return moment_parse(text, zone, now_usec, ret_usec, ret_why);
        return refuse(ret_why, "It takes " POLICY_PAST_FORMS ".");
}

static int guess(MomentParse parse, const char *text) {
        g_autoptr(GTimeZone) zone = g_time_zone_new_utc(); /* whose clocks leave no time out */
        g_autofree char *why = NULL;
        uint64_t usec;

        return parse(text, zone, (uint64_t) g_get_real_time(), &usec, &why);
}

int policy_moment_guess(const char *text) {
        return guess(moment_parse, text);
}

int policy_past_guess(const char *text) {
        return guess(past_parse, text);
}

static ExitCode read_with(MomentParse parse, Client *client, const char *text, uint64_t *ret_usec) {
        g_autofree char *why = NULL;

        *ret_usec = 0;
        if (!text || parse(text, policy_zone(client), (uint64_t) g_get_real_time(), ret_usec, &why) >= 0)
                return EXIT_DONE;
        return client_fail(client, EXIT_USAGE, SD_BUS_ERROR_INVALID_ARGS, why, "%s makes no sense in %s.",
                           text, policy_zone_name(client));
}

ExitCode policy_moment_read(Client *client, const char *text, uint64_t *ret_usec) {
        return read_with(moment_parse, client, text, ret_usec);
}

ExitCode policy_past_read(Client *client, const char *text, uint64_t *ret_usec) {
        return read_with(past_parse, client, text, ret_usec);
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

char *policy_time_and_age(GTimeZone *zone, uint64_t usec) {
        g_autofree char *text = NULL, *age = NULL;
        uint64_t now = (uint64_t) g_get_real_time();

        if (usec == 0)
                return g_strdup("-");
        if (usec == UINT64_MAX)
                return g_strdup("never");
        text = format(zone, usec, "%Y-%m-%d %H:%M:%S %Z");
        age = output_span(usec <= now ? now - usec : usec - now);
        return g_strdup_printf(usec <= now ? "%s (%s ago)" : "%s (in %s)", text, age);
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
