/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration files: each mistake is named with its place, and what is taken without one is taken again when it is
 * written down. The input: files, parted by form feeds; the first byte of each says where it stands. */

#include "core/config-keys.h"
#include "fuzz.h"
#include "unit/unit.h"
#include "util/macros.h"

#define FILES_MAX 6
#define PROBLEM_MAX 1500 /* bytes of a sentence */
/* Sat 2026-12-05, so that freezes and windows of this decade are before and behind it. */
#define NOW_USEC (UINT64_C(1796428800) * USEC_PER_SEC)

static const char *const paths[] = { "etc/lfad/lfad.conf",           "run/lfad/lfad.conf",
                                     "usr/lib/lfad/lfad.conf",       "etc/lfad/lfad.conf.d/10.conf",
                                     "run/lfad/lfad.conf.d/10.conf", "usr/lib/lfad/lfad.conf.d/10.conf",
                                     "etc/lfad/lfad.conf.d/20.conf", "usr/lib/lfad/lfad.conf.d/20.conf" };

static TempFolder *root;

static void remove_root(void) {
        root = temp_folder_free(root);
}

static void clear_root(void) {
        if (!root) {
                root = temp_folder_new_in_memory();
                atexit(remove_root);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
                (void) unlinkat(root->fd, paths[i], 0);
}

static const ConfigFile *find_file(const ConfigFiles *files, const char *path) {
        for (unsigned i = 0; i < files->files->len; i++) {
                const ConfigFile *file = files->files->pdata[i];

                if (strcmp(file->path, path) == 0)
                        return file;
        }
        return NULL;
}

static unsigned count_lines(const ConfigFile *file) {
        unsigned n = 1;

        for (size_t i = 0; i + 1 < file->size; i++)
                n += file->text[i] == '\n';
        return n;
}

static void check_problems(const ConfigFiles *files, const GPtrArray *problems) {
        MUST(problems->len <= CONFIG_PROBLEMS_MAX);
        for (unsigned i = 0; i < problems->len; i++) {
                const ConfigProblem *problem = problems->pdata[i];
                const ConfigFile *file = find_file(files, problem->file);

                must_be_text(problem->text, PROBLEM_MAX);
                MUST(file && problem->line >= 1 && problem->line <= count_lines(file));
        }
}

/* All that was given, as a file; sections in their order. */
static char *write_down(const Config *config) {
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < config->sections->len; i++) {
                const ConfigSection *section = config->sections->pdata[i];

                g_string_append_printf(text, "[%s%s%s]\n", config_section_types[section->id].name,
                                       *section->name ? " " : "", section->name);
                for (unsigned k = 0; k < section->n_settings; k++) {
                        const ConfigSetting *setting = &section->settings[k];

                        if (setting->origin.file)
                                g_string_append_printf(text, "%s=%s\n", setting->key->name, setting->text);
                }
        }
        return g_string_free(text, FALSE);
}

static Config *read_text(char *text, GPtrArray **ret_problems) {
        g_autoptr(ConfigFiles) files = g_new0(ConfigFiles, 1);
        ConfigFile file = { .path = (char *) "again", .text = text, .size = strlen(text) };

        files->files = g_ptr_array_new();
        files->failures = g_ptr_array_new();
        g_ptr_array_add(files->files, &file);
        return config_read(files, ret_problems);
}

static void check_again(const Config *config) {
        g_autofree char *once = write_down(config), *twice = NULL;
        g_autoptr(GPtrArray) problems = NULL;
        g_autoptr(Config) again = read_text(once, &problems);

        MUST(!config_first_error(problems));
        twice = write_down(again);
        MUST(strcmp(once, twice) == 0);
        MUST(again->poll_usec == config->poll_usec && again->mode == config->mode &&
             again->allowed_profiles == config->allowed_profiles &&
             again->history_max_bytes == config->history_max_bytes &&
             again->windows->len == config->windows->len && again->freezes->len == config->freezes->len);
}

/* What the rest of lfad relies on. */
static void check_record(const Config *config) {
        MUST(config->poll_usec >= 10 * USEC_PER_SEC && config->poll_usec <= 80 * USEC_PER_SEC);
        MUST(config->quarantine_after >= 1 && config->zone);
        for (unsigned i = 0; i < config->windows->len; i++) {
                const ConfigSection *section = config->windows->pdata[i];

                MUST(section->window.on_calendar && section->window.duration_usec > 0);
        }
        for (unsigned i = 0; i < config->freezes->len; i++) {
                const ConfigSection *section = config->freezes->pdata[i];

                MUST(section->freeze.from_usec < section->freeze.until_usec);
        }
        for (unsigned i = 0; i < config->sections->len; i++) {
                const ConfigSection *section = config->sections->pdata[i];

                if (section->id != CONFIG_IMAGE)
                        continue;
                MUST(guid_is_valid(section->image.guid) && *section->image.alias);
                MUST(strcmp(config_find_alias(config, section->image.guid), section->image.alias) == 0);
        }
}

static void check_files(void) {
        g_autoptr(ConfigFiles) files = config_files_load(root->path);
        g_autoptr(GPtrArray) problems = NULL;
        g_autoptr(Config) config = config_read(files, &problems);
        unsigned found = problems->len;

        MUST(files->failures->len == 0);
        check_problems(files, problems);
        if (config_first_error(problems))
                return;
        check_record(config);
        check_again(config);
        config_check_times(config, NOW_USEC, problems);
        check_problems(files, problems);
        for (unsigned i = found; i < problems->len; i++)
                MUST(((const ConfigProblem *) problems->pdata[i])->warning);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        clear_root();
        for (int i = 0; i < FILES_MAX; i++) {
                size_t length;
                g_autofree char *part = take_part(&data, &size, '\f', &length);

                if (!part)
                        break;
                if (length > 0)
                        temp_write(root, paths[(unsigned char) *part % G_N_ELEMENTS(paths)], part + 1,
                                   length - 1);
        }
        check_files();
        return 0;
}
