/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows and freezes as a whole: what they lack, when they are, and what of it looks like a mistake at some moment. */

#include "core/config-check.h"
#include "core/config-keys.h"
#include "core/schedule.h"
#include "core/time-zone.h"
#include "util/macros.h"

#include <string.h>

#define YEAR_USEC (365 * 24 * 3600 * USEC_PER_SEC)
/* How many days a warning names. */
#define MISSING_DAYS_MAX 4

static bool is_given(const ConfigSetting *setting) {
        return setting->origin.file != NULL;
}

/* Whether both keys that such a section needs have a value; one that was refused was said already. */
static bool has_both(const ConfigSection *section, const char *first, const char *second,
                     GPtrArray *problems) {
        const char *const keys[] = { first, second };
        bool both = true;

        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
                const ConfigSetting *setting = config_find_setting(section, keys[i]);

                both = both && *setting->text;
                if (!is_given(setting))
                        config_add_problem(problems, false, section->origin, "[%s %s] needs %s=: %s.",
                                           config_section_types[section->id].name, section->name, keys[i],
                                           setting->key->takes);
        }
        return both;
}

/* A date is an expression that comes to pass once. Returns what is wrong, for the caller to free, or NULL. */
static char *read_moment(const ConfigSetting *setting, GTimeZone *zone, uint64_t *ret_usec) {
        g_autoptr(Calendar) calendar = NULL;
        g_autofree char *why = NULL;
        uint64_t usec;

        if (calendar_parse(setting->text, &calendar, &why) < 0)
                return config_fail_value(setting->key, setting->text, NULL);
        usec = calendar_next(calendar, zone, 0);
        if (usec == UINT64_MAX)
                return g_strdup_printf("%s=%s: no clock shows that.", setting->key->name, setting->text);
        if (calendar_next(calendar, zone, usec) != UINT64_MAX)
                return config_fail_value(setting->key, setting->text, NULL);
        *ret_usec = usec;
        return NULL;
}

/* Fills in when the freeze is. Returns false when it is never. problems: NULL = nobody wants to know why. */
static bool place_freeze(const Config *config, ConfigSection *section, GPtrArray *problems) {
        const ConfigSetting *from = config_find_setting(section, "From"),
                            *until = config_find_setting(section, "Until");
        ConfigFreeze freeze = { 0 };
        g_autofree char *bad_from = read_moment(from, config->zone, &freeze.from_usec);
        g_autofree char *bad_until = read_moment(until, config->zone, &freeze.until_usec);

        if (bad_from && problems)
                config_add_problem(problems, false, from->origin, "%s", bad_from);
        if (bad_until && problems)
                config_add_problem(problems, false, until->origin, "%s", bad_until);
        if (bad_from || bad_until)
                return false;
        if (freeze.until_usec <= freeze.from_usec) {
                if (problems)
                        config_add_problem(
                                        problems, false, until->origin,
                                        "[Freeze %s] is over before it begins: Until= must be later than From=%s.",
                                        section->name, from->text);
                return false;
        }
        section->freeze = freeze;
        return true;
}

void config_check_windows_and_freezes(Config *config, GPtrArray *problems) {
        for (unsigned i = 0; i < config->sections->len; i++) {
                ConfigSection *section = config->sections->pdata[i];

                if (section->id == CONFIG_WINDOW && has_both(section, "OnCalendar", "Duration", problems))
                        g_ptr_array_add(config->windows, section);
                if (section->id == CONFIG_FREEZE && has_both(section, "From", "Until", problems) &&
                    place_freeze(config, section, problems))
                        g_ptr_array_add(config->freezes, section);
        }
}

void config_reload_zone(Config *config) {
        const ConfigSection *policy = config->sections->pdata[CONFIG_POLICY];
        GTimeZone *zone = time_zone_load(config_find_setting(policy, "TimeZone")->text);

        if (!zone)
                return;
        g_clear_pointer(&config->zone, g_time_zone_unref);
        config->zone = zone;
        for (unsigned i = 0; i < config->freezes->len; i++)
                (void) place_freeze(config, config->freezes->pdata[i], NULL);
}

const char *config_zone_name(const Config *config) {
        return g_time_zone_get_identifier(config->zone);
}

bool config_zone_is_local(const Config *config) {
        const ConfigSection *policy = config->sections->pdata[CONFIG_POLICY];

        return strcmp(config_find_setting(policy, "TimeZone")->text, "local") == 0;
}

static void check_missing_days(const Config *config, const ConfigSection *section, uint64_t now_usec,
                               GPtrArray *problems) {
        g_autoptr(GString) days = g_string_new(NULL);
        uint64_t until_usec = now_usec + 2 * YEAR_USEC, at_usec = now_usec;
        unsigned n = 0;
        int64_t local;

        for (; window_find_missing_day(config, section, at_usec, until_usec, &local, &at_usec); n++) {
                g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(local);
                g_autofree char *text = g_date_time_format(time, "%Y-%m-%d %H:%M");

                if (n < MISSING_DAYS_MAX)
                        g_string_append_printf(days, "%s%s", n > 0 ? ", " : "", text);
        }
        if (n > MISSING_DAYS_MAX)
                g_string_append_printf(days, " and %u more", n - MISSING_DAYS_MAX);
        if (n > 0)
                config_add_problem(
                                problems, true, config_find_setting(section, "OnCalendar")->origin,
                                "[Window %s] does not open at times that clocks leave out when they are set "
                                "forward: %s.",
                                section->name, days->str);
}

/* It may do for images of which more is known, and beside others that it adjoins. */
static void check_duration(const ConfigSection *section, GPtrArray *problems) {
        uint64_t need_usec = SCHEDULE_BUDGET_USEC + SCHEDULE_MARGIN_USEC;

        if (section->window.duration_usec >= need_usec)
                return;
        config_add_problem(
                        problems, true, config_find_setting(section, "Duration")->origin,
                        "[Window %s] is shorter than the %u s that an activation needs as long as none was "
                        "measured: by itself it lets none begin.",
                        section->name, (unsigned) (need_usec / USEC_PER_SEC));
}

void config_check_times(const Config *config, uint64_t now_usec, GPtrArray *problems) {
        for (unsigned i = 0; i < config->windows->len; i++) {
                const ConfigSection *section = config->windows->pdata[i];
                Occurrence occurrence;

                if (!window_find_occurrence(config, section, now_usec, &occurrence))
                        config_add_problem(problems, true,
                                           config_find_setting(section, "OnCalendar")->origin,
                                           "[Window %s] never opens again.", section->name);
                check_missing_days(config, section, now_usec, problems);
                check_duration(section, problems);
        }
        for (unsigned i = 0; i < config->freezes->len; i++) {
                const ConfigSection *section = config->freezes->pdata[i];

                if (section->freeze.until_usec <= now_usec)
                        config_add_problem(problems, true, config_find_setting(section, "Until")->origin,
                                           "[Freeze %s] is over.", section->name);
        }
}
