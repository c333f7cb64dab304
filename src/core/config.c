/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration as a record: applying the files to the defaults. */

#include "core/config-check.h"
#include "core/config-keys.h"
#include "core/config-text.h"
#include "core/schedule-memo.h"
#include "util/macros.h"
#include "util/nearest.h"

#include <stdarg.h>
#include <string.h>

#define CONFIG_SECTIONS                                                                                     \
        "[Daemon], [Driver], [Policy], [Window NAME], [Freeze NAME], [Image NAME] and [Watchdog NAME]"

/* One file being applied. */
typedef struct Application {
        Config *config;
        GPtrArray *problems;
        const char *file;       /* owned by the config */
        ConfigSection *section; /* that the lines belong to, or NULL ... */
        bool ignoring;          /* ... since they belong to one that is ignored */
} Application;

void config_add_problem(GPtrArray *problems, bool warning, ConfigOrigin origin, const char *format, ...) {
        ConfigProblem *problem;
        va_list arguments;

        if (problems->len >= CONFIG_PROBLEMS_MAX)
                return;
        problem = g_new0(ConfigProblem, 1);
        problem->file = g_strdup(origin.file ? origin.file : "");
        problem->line = origin.line;
        problem->warning = warning;
        va_start(arguments, format);
        problem->text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        g_ptr_array_add(problems, problem);
}

static void free_section(void *data) {
        ConfigSection *section = data;

        for (unsigned i = 0; i < section->n_settings; i++)
                g_clear_pointer(&section->settings[i].words, g_array_unref);
        if (section->id == CONFIG_WINDOW) {
                calendar_free(section->window.on_calendar);
                g_free(section->window.memo);
        }
        if (section->id == CONFIG_IMAGE) {
                version_rules_clear(&section->image.rules);
                g_clear_pointer(&section->image.windows, g_ptr_array_unref);
        }
        g_free(section);
}

static void free_problem(void *data) {
        ConfigProblem *problem = data;

        g_free(problem->file);
        g_free(problem->text);
        g_free(problem);
}

static void *field_of(Config *config, ConfigSection *section, const ConfigKey *key) {
        switch (section->id) {
        case CONFIG_WINDOW:
                return (char *) &section->window + key->offset;
        case CONFIG_FREEZE:
                return (char *) &section->freeze + key->offset;
        case CONFIG_IMAGE:
                return (char *) &section->image + key->offset;
        case CONFIG_WATCHDOG:
                return (char *) &section->watchdog + key->offset;
        default:
                return (char *) config + key->offset;
        }
}

static char *header_of(ConfigSectionId id, const char *name) {
        return g_strdup_printf("%s%s%s", config_section_types[id].name, *name ? " " : "", name);
}

/* A section with the defaults of all its keys. */
static ConfigSection *add_section(Config *config, ConfigSectionId id, const char *name,
                                  ConfigOrigin origin) {
        ConfigSection *section = g_new0(ConfigSection, 1);

        section->id = id;
        section->name = g_string_chunk_insert(config->strings, name);
        section->origin = origin;
        if (id == CONFIG_WINDOW)
                section->window.memo = window_memo_new();
        for (const ConfigKey *key = config_keys; key->name; key++) {
                if (key->section != id)
                        continue;
                g_assert(section->n_settings < CONFIG_SECTION_KEYS_MAX);
                section->settings[section->n_settings++] =
                                (ConfigSetting){ .key = key, .text = key->fallback };
                if (*key->fallback)
                        g_free(key->parse(key, key->fallback, field_of(config, section, key)));
        }
        g_ptr_array_add(config->sections, section);
        g_hash_table_insert(config->by_header, header_of(id, name), section);
        return section;
}

static const char *find_nearest_section(const char *header) {
        const char *names[_CONFIG_SECTION_MAX + 1] = { NULL };
        g_autofree char *word = g_strndup(header, strcspn(header, " \t"));

        for (int i = 0; i < _CONFIG_SECTION_MAX; i++)
                names[i] = config_section_types[i].name;
        return nearest_word(word, names);
}

static void fail_unknown_section(Application *application, ConfigOrigin origin, const char *header) {
        const char *nearest = find_nearest_section(header);
        g_autofree char *quoted = config_quote(header);

        config_add_problem(application->problems, false, origin,
                           "There is no section %s%s%s%s There are " CONFIG_SECTIONS ".", quoted,
                           nearest ? "; did you mean '" : ".", nearest ? nearest : "", nearest ? "'?" : "");
}

/* The first word of the header, which must be a section's name and then a blank or nothing. */
static ConfigSectionId find_section_type(const char *header, const char **ret_name) {
        for (int i = 0; i < _CONFIG_SECTION_MAX; i++) {
                size_t length = strlen(config_section_types[i].name);

                if (strncmp(header, config_section_types[i].name, length) != 0 ||
                    (header[length] && (header[length] != ' ' || !header[length + 1])))
                        continue;
                *ret_name = header[length] ? header + length + 1 : "";
                return (ConfigSectionId) i;
        }
        return _CONFIG_SECTION_INVALID;
}

/* Returns what is wrong, or NULL. */
static char *check_section_name(const Config *config, ConfigSectionId id, const char *name) {
        const char *type = config_section_types[id].name;

        if (!config_section_types[id].named)
                return *name ? g_strdup_printf("[%s] takes no name.", type) : NULL;
        if (!*name)
                return g_strdup_printf("[%s] needs a name: [%s NAME].", type, type);
        if (config->sections->len >= CONFIG_SECTIONS_MAX)
                return g_strdup_printf("There are more than %d sections.", CONFIG_SECTIONS_MAX);
        return id == CONFIG_WATCHDOG ? config_check_watchdog_name(type, name)
                                     : config_check_section_name(type, name);
}

static void on_section(unsigned line, const char *header, void *userdata) {
        Application *application = userdata;
        ConfigOrigin origin = { application->file, line };
        g_autofree char *trouble = NULL;
        const char *name = "";
        ConfigSectionId id;

        application->section = NULL;
        application->ignoring = true;
        if (!header || g_str_has_prefix(header, "X-"))
                return;
        id = find_section_type(header, &name);
        if (id < 0) {
                fail_unknown_section(application, origin, header);
                return;
        }
        application->section = g_hash_table_lookup(application->config->by_header, header);
        if (application->section)
                return;
        trouble = check_section_name(application->config, id, name);
        if (trouble)
                config_add_problem(application->problems, false, origin, "%s", trouble);
        else
                application->section = add_section(application->config, id, name, origin);
}

static void fail_unknown_key(Application *application, ConfigOrigin origin, const char *name) {
        const char *section = config_section_types[application->section->id].name, *nearest;
        const char *names[CONFIG_SECTION_KEYS_MAX + 1] = { NULL };
        g_autofree char *quoted = config_quote(name), *list = NULL;

        for (const ConfigKey *key = config_keys; key->name; key++)
                if (strcmp(key->name, name) == 0) {
                        config_add_problem(application->problems, false, origin,
                                           "%s= does not belong to [%s] but to [%s].", name, section,
                                           config_section_types[key->section].name);
                        return;
                }
        for (unsigned i = 0; i < application->section->n_settings; i++)
                names[i] = application->section->settings[i].key->name;
        list = g_strjoinv(", ", (char **) names);
        nearest = nearest_word(name, names);
        config_add_problem(application->problems, false, origin, "[%s] has no key %s%s%s%s It takes %s.",
                           section, quoted, nearest ? "; did you mean '" : ".", nearest ? nearest : "",
                           nearest ? "'?" : "", list);
}

static ConfigSetting *find_setting(ConfigSection *section, const char *name) {
        for (unsigned i = 0; i < section->n_settings; i++)
                if (strcmp(section->settings[i].key->name, name) == 0)
                        return &section->settings[i];
        return NULL;
}

static void add_words(Config *config, ConfigSetting *setting, const char *value, ConfigOrigin origin) {
        g_auto(GStrv) words = g_strsplit_set(value, " \t", -1);

        if (!setting->words)
                setting->words = g_array_new(FALSE, FALSE, sizeof(ConfigWord));
        for (char **text = words; *text; text++) {
                ConfigWord word = { g_string_chunk_insert(config->strings, *text), origin };

                if (**text) /* else there are several blanks */
                        g_array_append_val(setting->words, word);
        }
}

/* Returns what is wrong, or NULL when the value was taken into the record and its text into the setting. */
static char *assign(Application *application, ConfigSetting *setting, const char *value,
                    ConfigOrigin origin) {
        const ConfigKey *key = setting->key;
        void *field = field_of(application->config, application->section, key);
        g_autofree char *joined = NULL;
        char *trouble;

        if (!*value && !key->list)
                return g_strdup_printf("%s= needs a value: %s.%s", key->name, key->takes,
                                       *key->fallback ? " Without the line its default holds." : "");
        if (!*value) {
                memset(field, 0, key->size);
                setting->text = "";
                g_clear_pointer(&setting->words, g_array_unref);
                return NULL;
        }
        if (strlen(setting->text) + strlen(value) > CONFIG_LINE_MAX && key->list)
                return g_strdup_printf("%s= has more than %d bytes in all.", key->name, CONFIG_LINE_MAX);
        trouble = key->parse ? key->parse(key, value, field) : NULL;
        if (trouble)
                return trouble;
        if (key->list)
                add_words(application->config, setting, value, origin);
        if (key->list && *setting->text)
                joined = g_strdup_printf("%s %s", setting->text, value);
        setting->text = g_string_chunk_insert(application->config->strings, joined ? joined : value);
        return NULL;
}

static void on_assignment(unsigned line, const char *name, const char *value, void *userdata) {
        Application *application = userdata;
        ConfigOrigin origin = { application->file, line };
        unsigned number = application->config->n_files;
        g_autofree char *trouble = NULL;
        ConfigSetting *setting;

        if (g_str_has_prefix(name, "X-") || (!application->section && application->ignoring))
                return;
        if (!application->section) {
                config_add_problem(application->problems, false, origin,
                                   "This line stands before any [Section]; there are " CONFIG_SECTIONS ".");
                application->ignoring = true;
                return;
        }
        setting = find_setting(application->section, name);
        if (!setting) {
                fail_unknown_key(application, origin, name);
                return;
        }
        if (setting->file_number == number && !setting->key->list)
                trouble = g_strdup_printf("%s= is given twice in this file; line %u has it already.", name,
                                          setting->origin.line);
        else
                trouble = assign(application, setting, value, origin);
        if (trouble)
                config_add_problem(application->problems, false, origin, "%s", trouble);
        setting->file_number = number;
        setting->origin = origin;
}

static void on_error(unsigned line, const char *text, void *userdata) {
        Application *application = userdata;

        config_add_problem(application->problems, false, (ConfigOrigin){ application->file, line }, "%s",
                           text);
}

static void apply_file(Config *config, const ConfigFile *file, GPtrArray *problems) {
        static const ConfigTextHandler handler = { on_section, on_assignment, on_error };
        Application application = { .config = config, .problems = problems };

        application.file = g_string_chunk_insert(config->strings, file->path);
        config->n_files++;
        config_text_read(file->text, file->size, &handler, &application);
}

Config *config_new(void) {
        Config *config = g_new0(Config, 1);

        config->sections = g_ptr_array_new_with_free_func(free_section);
        config->by_header = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        config->by_guid = g_hash_table_new(g_str_hash, g_str_equal);
        config->windows = g_ptr_array_new();
        config->freezes = g_ptr_array_new();
        config->order = order_new();
        config->strings = g_string_chunk_new(1024);
        for (int id = 0; id < _CONFIG_SECTION_MAX; id++)
                if (!config_section_types[id].named)
                        add_section(config, (ConfigSectionId) id, "", (ConfigOrigin){ NULL, 0 });
        return config;
}

void *config_free(Config *config) {
        if (config) {
                g_hash_table_unref(config->by_header);
                g_hash_table_unref(config->by_guid);
                g_ptr_array_unref(config->windows);
                g_ptr_array_unref(config->freezes);
                g_ptr_array_unref(config->sections);
                g_clear_pointer(&config->zone, g_time_zone_unref);
                order_free(config->order);
                g_string_chunk_free(config->strings);
                g_free(config);
        }
        return NULL;
}

Config *config_read(const ConfigFiles *files, GPtrArray **ret_problems) {
        GPtrArray *problems = g_ptr_array_new_with_free_func(free_problem);
        Config *config = config_new();

        for (unsigned i = 0; i < files->failures->len; i++) {
                const ConfigFileFailure *failure = files->failures->pdata[i];

                config_add_problem(problems, false, (ConfigOrigin){ failure->path, 0 }, "%s", failure->text);
        }
        for (unsigned i = 0; i < files->files->len; i++)
                apply_file(config, files->files->pdata[i], problems);
        config_check(config, problems);
        *ret_problems = problems;
        return config;
}

const ConfigProblem *config_first_error(const GPtrArray *problems) {
        for (unsigned i = 0; i < problems->len; i++)
                if (!((const ConfigProblem *) problems->pdata[i])->warning)
                        return problems->pdata[i];
        return NULL;
}

char *config_problem_format(const ConfigProblem *problem) {
        if (problem->line == 0)
                return g_strdup_printf("%s: %s", problem->file, problem->text);
        return g_strdup_printf("%s:%u: %s", problem->file, problem->line, problem->text);
}

const char *config_find_alias(const Config *config, const char *guid) {
        const ConfigSection *section = g_hash_table_lookup(config->by_guid, guid);

        return section ? section->image.alias : NULL;
}

CpuRendezvous config_find_rendezvous(const Config *config, const char *guid) {
        const ConfigSection *section = g_hash_table_lookup(config->by_guid, guid);

        return section ? section->image.rendezvous : RENDEZVOUS_UNTOUCHED;
}

PolicyMode config_find_mode(const Config *config, const char *guid) {
        const ConfigSection *section = g_hash_table_lookup(config->by_guid, guid);

        return section && section->image.mode != POLICY_INHERITED ? section->image.mode : config->mode;
}

bool config_has_automatic(const Config *config) {
        if (config->mode == POLICY_AUTOMATIC)
                return true;
        for (unsigned i = 0; i < config->sections->len; i++) {
                const ConfigSection *section = config->sections->pdata[i];

                if (section->id == CONFIG_IMAGE && section->image.mode == POLICY_AUTOMATIC)
                        return true;
        }
        return false;
}

const VersionRules *config_find_version_rules(const Config *config, const char *guid) {
        const ConfigSection *section = g_hash_table_lookup(config->by_guid, guid);

        return section ? &section->image.rules : NULL;
}

const WatchdogSettings *config_find_watchdog(const Config *config, const char *name) {
        g_autofree char *header = header_of(CONFIG_WATCHDOG, name);
        const ConfigSection *section = g_hash_table_lookup(config->by_header, header);

        return section ? &section->watchdog : NULL;
}

const WatchdogSettings *config_watchdog_settings(const Watchdog *watchdog, const void *config) {
        return config_find_watchdog(config, watchdog_configured_name(watchdog));
}
