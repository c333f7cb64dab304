/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the configuration's words about windows, freezes and versions mean: single values, and then the whole. */

#include "core/config-check.h"
#include "core/config-keys.h"
#include "core/time-zone.h"
#include "util/nearest.h"
#include "util/string-table.h"

#include <string.h>

static const char *const policy_mode_names[_POLICY_MODE_MAX] = {
        [POLICY_INHERITED] = "inherited",
        [POLICY_MANUAL] = "manual",
        [POLICY_AUTOMATIC] = "automatic",
};
DEFINE_STRING_TABLE(policy_mode, PolicyMode, policy_mode_names)

char *config_parse_mode(const ConfigKey *key, const char *value, void *field) {
        PolicyMode *target = field, parsed = policy_mode_from_string(value);

        if (parsed < 0 || parsed == POLICY_INHERITED)
                return config_fail_value(key, value, NULL);
        *target = parsed;
        return NULL;
}

char *config_parse_zone(const ConfigKey *key, const char *value, void *field) {
        GTimeZone **target = field, *zone = time_zone_load(value);

        if (!zone && strcmp(value, "local") == 0)
                return g_strdup_printf("%s=local: /etc/localtime does not describe a time zone.", key->name);
        if (!zone)
                return config_fail_value(key, value, NULL);
        g_clear_pointer(target, g_time_zone_unref);
        *target = zone;
        return NULL;
}

char *config_parse_calendar(const ConfigKey *key, const char *value, void *field) {
        g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
        g_autoptr(Calendar) calendar = NULL;
        g_autofree char *quoted = config_quote(value), *why = NULL;
        Calendar **target = field;

        if (calendar_parse(value, &calendar, &why) < 0)
                return g_strdup_printf("%s= takes %s, not %s. %s", key->name, key->takes, quoted, why);
        if (calendar_next(calendar, utc, 0) == UINT64_MAX)
                return g_strdup_printf("%s= takes an expression that comes to pass; %s never does.",
                                       key->name, quoted);
        calendar_free(*target);
        *target = g_steal_pointer(&calendar);
        return NULL;
}

/* Returns 0, or -EINVAL for what is no version, also for what firmware shows when it gives none. */
static int parse_version(const char *text, char ret[static VERSION_SIZE]) {
        int r = version_parse(text, ret);

        return r < 0 ? r : version_known(ret) ? 0 : -EINVAL;
}

char *config_parse_version(const ConfigKey *key, const char *value, void *field) {
        char version[VERSION_SIZE] = "";

        if (parse_version(value, version) < 0)
                return config_fail_value(key, value, NULL);
        memcpy(field, version, sizeof(version));
        return NULL;
}

/* Only looks: the words are kept, and become versions when all files were read. */
char *config_parse_versions(const ConfigKey *key, const char *value, void *field) {
        g_auto(GStrv) words = g_strsplit_set(value, " \t", -1);
        char version[VERSION_SIZE];

        for (char **word = words; *word; word++)
                if (**word && parse_version(*word, version) < 0)
                        return config_fail_value(key, *word, NULL);
        return NULL;
}

char *config_parse_downgrade(const ConfigKey *key, const char *value, void *field) {
        bool *no_downgrade = field;

        if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
                return config_fail_value(key, value, NULL);
        *no_downgrade = value[0] == 'n';
        return NULL;
}

/* As firmware's are written: "1.04" is 1.4. */
static GPtrArray *list_versions(const ConfigSection *section, const char *key) {
        const GArray *words = config_find_setting(section, key)->words;
        GPtrArray *versions = words ? g_ptr_array_new_with_free_func(g_free) : NULL;
        char version[VERSION_SIZE];

        for (unsigned i = 0; versions && i < words->len; i++)
                if (parse_version(g_array_index(words, ConfigWord, i).text, version) == 0)
                        g_ptr_array_add(versions, g_strdup(version));
        return versions;
}

/* The first so many. NULL-terminated; the caller unrefs. */
static GPtrArray *name_windows(const Config *config, unsigned max) {
        GPtrArray *names = g_ptr_array_new();

        for (unsigned i = 0; i < MIN(config->windows->len, max); i++)
                g_ptr_array_add(names, (char *) ((const ConfigSection *) config->windows->pdata[i])->name);
        g_ptr_array_add(names, NULL);
        return names;
}

static void fail_unknown_window(const Config *config, const ConfigSetting *setting, const ConfigWord *word,
                                GPtrArray *problems) {
        g_autoptr(GPtrArray) names = name_windows(config, G_MAXUINT);
        g_autoptr(GPtrArray) some = name_windows(config, CONFIG_LISTED_MAX);
        g_autofree char *list = g_strjoinv(", ", (char **) some->pdata);
        g_autofree char *text =
                        config_fail_value(setting->key, word->text,
                                          nearest_word(word->text, (const char *const *) names->pdata));

        config_add_problem(problems, false, word->origin, "%s There are: %s%s", text, *list ? list : "none",
                           names->len > some->len ? ", ..." : ".");
}

static void find_windows(const Config *config, ConfigSection *section, GPtrArray *problems) {
        const ConfigSetting *setting = config_find_setting(section, "Windows");
        const GArray *words = setting->words;

        if (!words)
                return;
        section->image.windows = g_ptr_array_new();
        for (unsigned i = 0; i < words->len; i++) {
                const ConfigWord *word = &g_array_index(words, ConfigWord, i);
                g_autofree char *header = g_strdup_printf("%s %s", config_section_types[CONFIG_WINDOW].name,
                                                          word->text);
                ConfigSection *window = g_hash_table_lookup(config->by_header, header);

                if (!window)
                        fail_unknown_window(config, setting, word, problems);
                else if (!g_ptr_array_find(section->image.windows, window, NULL))
                        g_ptr_array_add(section->image.windows, window);
        }
}

/* Where automatic mode is wanted it waits for a window, and there is none. */
static void check_automatic(const Config *config, GPtrArray *problems) {
        for (unsigned i = 0; i < config->sections->len; i++) {
                const ConfigSection *section = config->sections->pdata[i];
                const ConfigSetting *mode;

                if (section->id != CONFIG_POLICY && section->id != CONFIG_IMAGE)
                        continue;
                mode = config_find_setting(section, "Mode");
                if (config->windows->len == 0 && strcmp(mode->text, "automatic") == 0)
                        config_add_problem(problems, true, mode->origin,
                                           "Mode=automatic activates nothing: there is no [Window NAME].");
        }
}

/* Rules that leave no version at all: whoever wants that has a hold for it. */
static void check_rules(const ConfigSection *section, GPtrArray *problems) {
        const VersionRules *rules = &section->image.rules;

        if (!rules->allowed || rules->allowed->len == 0)
                return;
        for (unsigned i = 0; i < rules->allowed->len; i++) {
                VersionRuling ruling = version_rules_judge(rules, "", rules->allowed->pdata[i]);

                if (ruling != VERSION_LISTED && ruling != VERSION_TOO_LOW)
                        return;
        }
        config_add_problem(
                        problems, true, config_find_setting(section, "AllowVersion")->origin,
                        "[Image %s] may be activated to no version at all: ForbidVersion= and MinimumVersion= "
                        "forbid each that AllowVersion= allows.",
                        section->name);
}

void config_check_policy(Config *config, GPtrArray *problems) {
        config_check_windows_and_freezes(config, problems);
        check_automatic(config, problems);
        for (unsigned i = 0; i < config->sections->len; i++) {
                ConfigSection *section = config->sections->pdata[i];

                if (section->id != CONFIG_IMAGE)
                        continue;
                section->image.rules.allowed = list_versions(section, "AllowVersion");
                section->image.rules.forbidden = list_versions(section, "ForbidVersion");
                check_rules(section, problems);
                find_windows(config, section, problems);
        }
}
