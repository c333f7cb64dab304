/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The strict reader of the configuration: what it takes, what it refuses and with which words, where a value
 * comes from, and that the shipped file says what the table says. */

#include "core/config-keys.h"
#include "core/config-text.h"
#include "core/profile.h"
#include "unit.h"
#include "util/nearest.h"

#include <stdio.h>

#define RMM "6c0762a6-12f2-4b56-92cb-ba8f633606d9"
#define RMM_EFI "a662076c-f212-564b-92cb-ba8f633606d9"
#define BL31 "47d4086d-4cfe-9846-9b95-2950cbbd5a00"
#define PRIVATE "0509b633-5734-422f-a681-6096e932d93a"
#define OTHER "3ab71f81-32b9-496d-841b-e3d0e9fd1a48"
#define SECOND ((uint64_t) 1000000)

/* What some files come to. */
typedef struct Reading {
        Config *config;
        GPtrArray *problems;
} Reading;

static void release(Reading *reading) {
        config_free(reading->config);
        g_ptr_array_unref(reading->problems);
}

static void free_file(void *data) {
        ConfigFile *file = data;

        g_free(file->path);
        g_free(file->text);
        g_free(file);
}

static ConfigFiles *files_new(void) {
        ConfigFiles *files = g_new(ConfigFiles, 1);

        files->files = g_ptr_array_new_with_free_func(free_file);
        files->failures = g_ptr_array_new();
        return files;
}

static void files_add(ConfigFiles *files, const char *path, const char *text, size_t size) {
        ConfigFile *file = g_new(ConfigFile, 1);

        *file = (ConfigFile){ g_strdup(path), g_memdup2(text, size + 1), size };
        g_ptr_array_add(files->files, file);
}

static Reading read_bytes(const char *text, size_t size) {
        g_autoptr(ConfigFiles) files = files_new();
        Reading reading;

        files_add(files, "main", text, size);
        reading.config = config_read(files, &reading.problems);
        return reading;
}

static Reading read_text(const char *text) {
        return read_bytes(text, strlen(text));
}

/* Two files, "main" and "drop-in". */
static Reading read_two(const char *first, const char *second) {
        g_autoptr(ConfigFiles) files = files_new();
        Reading reading;

        files_add(files, "main", first, strlen(first));
        files_add(files, "drop-in", second, strlen(second));
        reading.config = config_read(files, &reading.problems);
        return reading;
}

static char *list_problems(const GPtrArray *problems) {
        GString *text = g_string_new("");

        for (unsigned i = 0; i < problems->len; i++) {
                g_autofree char *line = config_problem_format(problems->pdata[i]);

                g_string_append_printf(text, "%s\n", line);
        }
        return g_string_free(text, FALSE);
}

static void assert_fine(const Reading *reading) {
        g_autofree char *text = list_problems(reading->problems);

        if (*text)
                fail_msg("%s", text);
}

static const ConfigSetting *find_setting(const Config *config, const char *header, const char *key) {
        const ConfigSection *section = g_hash_table_lookup(config->by_header, header);

        assert_non_null(section);
        for (unsigned i = 0; i < section->n_settings; i++)
                if (strcmp(section->settings[i].key->name, key) == 0)
                        return &section->settings[i];
        fail_msg("no key %s", key);
        return NULL;
}

static void assert_setting(const Reading *reading, const char *header, const char *key, const char *text,
                           const char *file, unsigned line) {
        const ConfigSetting *setting = find_setting(reading->config, header, key);

        assert_string_equal(setting->text, text);
        assert_int_equal(setting->origin.line, line);
        if (file)
                assert_string_equal(setting->origin.file, file);
        else
                assert_null(setting->origin.file);
}

static void without_files_the_defaults_hold(void **state) {
        g_autoptr(Config) config = config_new();

        assert_true(config->poll_usec == 60 * SECOND);
        assert_int_equal(config->history_max_bytes, 8 << 20);
        assert_true(config->settle_usec == SECOND);
        assert_int_equal(config->allowed_profiles, 0);
        assert_int_equal(config->quarantine_after, 3);
        assert_int_equal(config->kernel_auto_activate, KERNEL_AUTO_OFF);
        assert_null(config_find_alias(config, RMM));
}

static void every_key_is_read(void **state) {
        Reading reading = read_text(
                        "# a comment\n; another\n\n[Daemon]\nPollSec=1min 20s\n  SettleSec = 500ms \n"
                        "[Driver]\nAllowProfile=v1  v1nv\nAllowProfile=unknown\n"
                        "KernelAutoActivate=leave\n"
                        "[Image monitor]\nGuid={" BL31 "}\n"
                        "[Image rm]\nEfiGuid=A662076C-F212-564B-92CB-BA8F633606D9\nAlias=realm.x_1-2\n"
                        "[X-Vendor of mine]\nAnything=goes\n[Daemon]\nX-Note=ignored\nX-Note=twice");

        assert_fine(&reading);
        assert_true(reading.config->poll_usec == 80 * SECOND);
        assert_true(reading.config->settle_usec == SECOND / 2);
        assert_int_equal(reading.config->allowed_profiles,
                         1 << PROFILE_V1 | 1 << PROFILE_V1NV | 1 << PROFILE_UNKNOWN);
        assert_int_equal(reading.config->kernel_auto_activate, KERNEL_AUTO_LEAVE);
        assert_string_equal(config_find_alias(reading.config, BL31), "monitor");
        assert_string_equal(config_find_alias(reading.config, RMM), "realm.x_1-2");
        assert_null(config_find_alias(reading.config, RMM_EFI));
        release(&reading);
}

static void the_last_line_needs_no_newline_and_an_empty_file_is_fine(void **state) {
        static const char *const texts[] = {
                "", "\n", "#", "[Daemon]", "[Daemon]\nPollSec=60", "\n\n\t \n"
        };

        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                Reading reading = read_text(texts[i]);

                assert_fine(&reading);
                assert_true(reading.config->poll_usec == 60 * SECOND);
                release(&reading);
        }
}

static void later_files_win_key_by_key_and_origins_are_kept(void **state) {
        Reading reading = read_two(
                        "[Daemon]\nPollSec=20\nSettleSec=2\n[Driver]\nAllowProfile=v1\n"
                        "[Image a]\nGuid=" PRIVATE "\nAlias=first\n",
                        "[Image a]\nAlias=second\n\n[Daemon]\nPollSec=30\n[Driver]\nAllowProfile=v1nv\n");

        assert_fine(&reading);
        assert_true(reading.config->poll_usec == 30 * SECOND);
        assert_true(reading.config->settle_usec == 2 * SECOND);
        assert_int_equal(reading.config->allowed_profiles, 1 << PROFILE_V1 | 1 << PROFILE_V1NV);
        assert_string_equal(config_find_alias(reading.config, PRIVATE), "second");
        assert_setting(&reading, "Daemon", "PollSec", "30", "drop-in", 5);
        assert_setting(&reading, "Daemon", "SettleSec", "2", "main", 3);
        assert_setting(&reading, "Driver", "AllowProfile", "v1 v1nv", "drop-in", 7);
        assert_setting(&reading, "Driver", "KernelAutoActivate", "off", NULL, 0);
        assert_setting(&reading, "Image a", "Guid", PRIVATE, "main", 7);
        assert_setting(&reading, "Image a", "EfiGuid", "", NULL, 0);
        release(&reading);
}

static void an_empty_assignment_empties_a_list(void **state) {
        Reading reading = read_two("[Driver]\nAllowProfile=v1 rfc1\n", "[Driver]\nAllowProfile=\n");

        assert_fine(&reading);
        assert_int_equal(reading.config->allowed_profiles, 0);
        assert_setting(&reading, "Driver", "AllowProfile", "", "drop-in", 2);
        release(&reading);
        reading = read_two("[Driver]\nAllowProfile=v1\n", "[Driver]\nAllowProfile=\nAllowProfile=rfc2\n");
        assert_fine(&reading);
        assert_int_equal(reading.config->allowed_profiles, 1 << PROFILE_RFC2);
        release(&reading);
}

#define DAEMON "[Daemon]\n"
#define DRIVER "[Driver]\n"
#define POLICY "[Policy]\n"
#define IMAGE "[Image a]\nGuid=" PRIVATE "\n"

typedef struct BadRow {
        const char *text;
        unsigned line;
        const char *words;
} BadRow;

static const BadRow bad_rows[] = {
        /* the shape */
        { "PollSec=60\n", 1, "before any [Section]" },
        { "\n\nnonsense\n", 3, "neither a [Section]" },
        { DAEMON "PollSec\n", 2, "neither a [Section]" },
        { DAEMON "PollSec 60\n", 2, "neither a [Section]" },
        { DAEMON "PollSec: 60\n", 2, "neither a [Section]" },
        { DAEMON "// PollSec: 60\n", 2, "neither a [Section]" },
        { DAEMON "=60\n", 2, "no key before" },
        { DAEMON " = \n", 2, "no key before" },
        { DRIVER "AllowProfile=v1 \\\nv1nv\n", 2, "Continuation lines are not supported" },
        { "[Daemon\n", 1, "ends in ']'" },
        { "[", 1, "ends in ']'" },
        { "[]\n", 1, "needs a name" },
        { "[Daemon] # comment\n", 1, "comments have lines of their own" },
        { "[Daemon]]\n", 1, "comments have lines of their own" },
        { "[Daemon] PollSec=60\n", 1, "comments have lines of their own" },
        { "\xef\xbb\xbf[Daemon]\n", 1, "byte order mark" },
        { "[Daemon]\r\n", 1, "carriage return" },
        { DAEMON "PollSec=60\r\n", 2, "carriage return" },
        { DAEMON "PollSec=6\r0\n", 2, "control character" },
        { DAEMON "# a \x1b[31m comment\n", 2, "control character" },
        { DAEMON "PollSec=60\x7f\n", 2, "control character" },
        { DAEMON "PollSec=\xc2\x85\n", 2, "control character" },
        { DAEMON "# \xff\n", 2, "UTF-8" },
        { DAEMON "PollSec=\xc3\n", 2, "UTF-8" },
        { DAEMON "PollSec=\xed\xa0\x80\n", 2, "UTF-8" },
        { DAEMON "PollSec=\xc0\xaf\n", 2, "UTF-8" },
        /* sections */
        { "[Deamon]\n", 1, "did you mean 'Daemon'?" },
        { "[daemon]\n", 1, "did you mean 'Daemon'?" },
        { "[Images rmm]\n", 1, "did you mean 'Image'?" },
        { "[Window]\n", 1, "[Window] needs a name: [Window NAME]" },
        { "[Weather]\n", 1,
          "There are [Daemon], [Driver], [Policy], [Window NAME], [Freeze NAME], [Image NAME] and [Watchdog NAME]" },
        { "[ Daemon ]\n", 1, "There is no section ' Daemon '" },
        { "[Daemon ]\n", 1, "There is no section 'Daemon '" },
        { "[x-mine]\n", 1, "There is no section" },
        { "[Daemon foo]\n", 1, "[Daemon] takes no name" },
        { "[Image]\nGuid=" PRIVATE "\n", 1, "[Image] needs a name: [Image NAME]" },
        { "[Image  a]\nGuid=" PRIVATE "\n", 1, "takes 1 to 64 of the characters" },
        { "[Image a b]\nGuid=" PRIVATE "\n", 1, "takes 1 to 64 of the characters" },
        { "[Image b\xc3\xb6se]\nGuid=" PRIVATE "\n", 1, "not 'b\xc3\xb6se'" },
        { "[Watchdog]\n", 1, "[Watchdog] needs a name: [Watchdog NAME]" },
        { "[Watchdog  a]\n", 1, "without a blank at either end, not ' a'" },
        { "[Watchdog a ]\n", 1, "without a blank at either end, not 'a '" },
        { "[Watchdog a\tb]\n", 1, "printable text" },
        { "[Watchdog 12345678901234567890123456789012345678901234567890123456789012345]\n", 1,
          "1 to 64 bytes" },
        { "[Watchdog a]b]\n", 1, "Nothing may stand behind a section's header" },
        /* keys */
        { DAEMON "PolSec=60\n", 2, "[Daemon] has no key 'PolSec'; did you mean 'PollSec'?" },
        { DAEMON "pollsec=60\n", 2, "did you mean 'PollSec'?" },
        { DAEMON "Colour=red\n", 2, "It takes PollSec, SettleSec, HistoryMaxBytes." },
        { DAEMON "x-mine=1\n", 2, "has no key 'x-mine'" },
        { POLICY "QuarantineAfter=0\n", 2,
          "QuarantineAfter= takes a number from 1 to 100 (3, 10), not '0'." },
        { POLICY "QuarantineAfter=101\n", 2,
          "QuarantineAfter= takes a number from 1 to 100 (3, 10), not '101'." },
        { POLICY "QuarantineAfter=-1\n", 2, "not '-1'." },
        { POLICY "QuarantineAfter=3x\n", 2, "not '3x'." },
        { POLICY "QuarantineAfter=4294967297\n", 2, "not '4294967297'." },
        { DAEMON "AllowProfile=v1\n", 2, "does not belong to [Daemon] but to [Driver]" },
        { DRIVER "Alias=v1\n", 2, "does not belong to [Driver] but to [Image]" },
        { IMAGE "Colour=red\n", 3, "[Image] has no key 'Colour'" },
        { DAEMON "PollSec=60\nPollSec=60\n", 3, "PollSec= is given twice in this file; line 2 has it" },
        { DAEMON "PollSec=60\n[Driver]\n[Daemon]\nPollSec=61\n", 5, "line 2 has it already" },
        { IMAGE "Alias=x\nAlias=y\n", 4, "Alias= is given twice" },
        { "[Watchdog w]\nAlias=x\n", 2, "does not belong to [Watchdog] but to [Image]" },
        /* values */
        { "[Watchdog w]\nIgnore=true\n", 2, "Ignore= takes 'yes' or 'no', not 'true'" },
        { "[Watchdog w]\nIgnore=\n", 2, "Ignore= needs a value" },
        { "[Watchdog w]\nHardwareTimeoutSec=0\n", 2,
          "HardwareTimeoutSec= takes a time span from 1s to 24h" },
        { "[Watchdog w]\nHardwareTimeoutSec=25h\n", 2, "not '25h'" },
        { DAEMON "PollSec=\n", 2, "PollSec= needs a value" },
        { DAEMON "HistoryMaxBytes=8\n", 2, "takes a size from 64K to 1G (8M, 65536), not '8'" },
        { DAEMON "HistoryMaxBytes=65535\n", 2, "from 64K to 1G" },
        { DAEMON "HistoryMaxBytes=1025M\n", 2, "from 64K to 1G" },
        { DAEMON "HistoryMaxBytes=8 M\n", 2, "from 64K to 1G" },
        { DAEMON "PollSec=9\n", 2, "takes a time span from 10s to 80s (60, 45s, 1min 10s), not '9'" },
        { DAEMON "PollSec=9.999999s\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=81\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=1min 21s\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=-60\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=+60\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=60 # often\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=\"60\"\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=60x\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=1min 5\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=20 20s\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=0x3c\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=60.\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=infinity\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=99999999999999999999\n", 2, "from 10s to 80s" },
        { DAEMON "PollSec=18446744073709551615s\n", 2, "from 10s to 80s" },
        { DAEMON "SettleSec=0\n", 2, "from 100ms to 10s" },
        { DAEMON "SettleSec=99ms\n", 2, "from 100ms to 10s" },
        { DAEMON "SettleSec=10.1\n", 2, "from 100ms to 10s" },
        { DRIVER "AllowProfile=v1m\n", 2, "did you mean 'v1'?" },
        { DRIVER "AllowProfile=v1,v1nv\n", 2, "not 'v1,v1nv'" },
        { DRIVER "AllowProfile=v1 all\n", 2, "names of driver versions (unknown, rfc1," },
        { DRIVER "AllowProfile=V1\n", 2, "did you mean 'v1'?" },
        { DRIVER "KernelAutoActivate=on\n", 2, "takes 'off' or 'leave', not 'on'" },
        { DRIVER "KernelAutoActivate=OFF\n", 2, "takes 'off' or 'leave'" },
        { DRIVER "KernelAutoActivate=\n", 2, "needs a value: 'off' or 'leave'" },
        /* images */
        { "[Image a]\n", 1, "needs Guid= or EfiGuid=" },
        { DAEMON "[Image a]\nAlias=b\n", 2, "[Image a] does not say which image" },
        { "[Image a]\nGuid=rmm\n", 2, "takes a GUID like " RMM ", not 'rmm'" },
        { "[Image a]\nGuid=" PRIVATE "0\n", 2, "takes a GUID like" },
        { "[Image a]\nGuid={" PRIVATE "\n", 2, "takes a GUID like" },
        { "[Image a]\nGuid=\n", 2, "Guid= needs a value" },
        { "[Image a]\nEfiGuid=x\n", 2, "takes a GUID like " RMM_EFI },
        { IMAGE "EfiGuid=33b60905-3457-2f42-a681-6096e932d93a\n", 3, "both Guid= (main:2) and EfiGuid=" },
        { IMAGE "Alias=a b\n", 3, "Alias= takes 1 to 64 of the characters" },
        { IMAGE "Alias=a/b\n", 3, "Alias= takes 1 to 64 of the characters" },
        { IMAGE "Alias=\n", 3, "Alias= needs a value" },
        { IMAGE "Alias=" RMM "\n", 3, "must not look like a GUID" },
        { IMAGE "Alias=6c0762a612f24b5692cbba8f633606d9\n", 3, "must not look like a GUID" },
        { IMAGE "Alias=17\n", 3, "or a job's number" },
        { "[Image " PRIVATE "]\nGuid=" PRIVATE "\n", 1, "Give the image an Alias=" },
        { IMAGE "[Image b]\nGuid=" PRIVATE "\n", 3,
          "[Image b] and [Image a] (main:1) are about the same image" },
        { IMAGE "[Image b]\nEfiGuid=33b60905-3457-2f42-a681-6096e932d93a\n", 3, "the same image" },
        { IMAGE "[Image b]\nGuid=" OTHER "\nAlias=a\n", 5,
          "'a' is the short name of [Image a] already (main:1)" },
        { IMAGE "[Image A]\nGuid=" OTHER "\n", 3, "short name of [Image a] already" },
        { IMAGE "Alias=rmm\n", 3, "'rmm' is the short name of another image, " RMM },
        { "[Image BL31]\nGuid=" RMM "\n", 1, "'BL31' is the short name of another image, " BL31 },
        /* their order */
        { IMAGE "After=bl311\n", 3, "'bl311' is none; did you mean 'bl31'?" },
        { IMAGE "After=nonsense\n", 3,
          "A GUID will do, a short name (a, bl31, bl32, bl33, rmm, sp1, sp2, scp)" },
        { IMAGE "After=bl31\nAfter=rmm rm\nAfter=scp\n", 4, "'rm' is none; did you mean 'rmm'?" },
        { IMAGE "After=bl31,rmm\n", 3, "'bl31,rmm' is none" },
        { IMAGE "After=" RMM "0\n", 3, "is none" },
        { IMAGE "After=a\n", 3, "After=a: [Image a] cannot go after itself." },
        { IMAGE "After=33B60905-3457-2f42-a681-6096e932d93a\n", 3, "cannot go after itself" },
        { "[Image n]\nGuid=" PRIVATE "\nAlias=rm\nAfter=n\n", 4, "[Image n] cannot go after itself" },
        { "[Image bl31]\nGuid=" PRIVATE "\nAlias=x\n[Image b]\nGuid=" OTHER "\nAfter=bl31\n", 6,
          "After=bl31 fits several images" },
        { "[Image x]\nGuid=" PRIVATE "\nAlias=y\n[Image z]\nGuid=" OTHER "\nAlias=x\n[Image rmm]\nGuid=" RMM
          "\nAfter=x\n",
          9, "After=x fits several images" },
        { "[Image bl31]\nGuid=" BL31 "\nAfter=rmm\n[Image rmm]\nGuid=" RMM "\nAfter=sp1\nAfter=" BL31 "\n",
          7, "After= makes a circle, each before the next: rmm -> bl31 -> rmm." },
        { IMAGE "After=b\n[Image b]\nGuid=" OTHER "\nAfter=c\n[Image c]\nEfiGuid=" RMM_EFI
                "\nAlias=realm\nAfter=A bl31\n",
          10, "each before the next: realm -> b -> a -> realm." },
        { DAEMON "After=bl31\n", 2, "does not belong to [Daemon] but to [Image]" },
};

static void what_is_wrong_is_refused_with_its_line_and_in_words(void **state) {
        for (size_t i = 0; i < G_N_ELEMENTS(bad_rows); i++) {
                const BadRow *row = &bad_rows[i];
                Reading reading = read_text(row->text);
                g_autofree char *all = list_problems(reading.problems);
                const ConfigProblem *error = config_first_error(reading.problems);

                if (!error || reading.problems->len != 1 || error->line != row->line ||
                    !strstr(error->text, row->words))
                        fail_msg("row %zu (%s): wanted line %u, '%s', got:\n%s", i, row->text, row->line,
                                 row->words, all);
                assert_string_equal(error->file, "main");
                assert_true(g_utf8_validate(error->text, -1, NULL));
                release(&reading);
        }
        assert_true(G_N_ELEMENTS(bad_rows) >= 60);
}

static void a_nul_byte_is_named(void **state) {
        static const char text[] = "[Daemon]\nPollSec=60\0\n";
        Reading reading = read_bytes(text, sizeof(text) - 1);
        const ConfigProblem *error = config_first_error(reading.problems);

        assert_non_null(error);
        assert_int_equal(error->line, 2);
        assert_non_null(strstr(error->text, "NUL"));
        assert_int_equal(reading.problems->len, 1);
        release(&reading);
}

static void long_lines_names_and_sections_have_an_end(void **state) {
        static const struct {
                unsigned length;
                bool fine;
        } rows[] = { { CONFIG_LINE_MAX, true }, { CONFIG_LINE_MAX + 1, false }, { 1000000, false } };

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *comment = g_strnfill(rows[i].length, '#');
                Reading reading = read_text(comment);

                assert_int_equal(reading.problems->len, rows[i].fine ? 0 : 1);
                if (!rows[i].fine)
                        assert_non_null(strstr(config_first_error(reading.problems)->text, "4096"));
                release(&reading);
        }
        for (unsigned length = CONFIG_ALIAS_MAX; length <= CONFIG_ALIAS_MAX + 1; length++) {
                g_autofree char *name = g_strnfill(length, 'n');
                g_autofree char *text = g_strdup_printf("[Image %s]\nGuid=" PRIVATE "\n", name);
                Reading reading = read_text(text);

                assert_int_equal(reading.problems->len, length - CONFIG_ALIAS_MAX);
                release(&reading);
        }
}

static void all_errors_are_listed_and_not_only_the_first(void **state) {
        Reading reading = read_text(
                        "nonsense\n[Deamon]\nWhatever=1\n[Daemon]\nPolSec=1\nPollSec=1\n[Image a]\n");
        static const unsigned lines[] = { 1, 2, 5, 6, 7 };

        assert_int_equal(reading.problems->len, G_N_ELEMENTS(lines));
        for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
                assert_int_equal(((const ConfigProblem *) reading.problems->pdata[i])->line, lines[i]);
        release(&reading);
}

static void no_file_makes_more_problems_than_can_be_held(void **state) {
        g_autoptr(GString) text = g_string_new("[Daemon]\n");
        Reading reading;

        for (unsigned i = 0; i < 3 * CONFIG_PROBLEMS_MAX; i++)
                g_string_append(text, "nonsense\n");
        for (unsigned i = 0; i < CONFIG_SECTIONS_MAX + 5; i++)
                g_string_append_printf(text, "[Image i%u]\n", i);
        reading = read_text(text->str);
        assert_int_equal(reading.problems->len, CONFIG_PROBLEMS_MAX);
        assert_true(reading.config->sections->len <= CONFIG_SECTIONS_MAX);
        release(&reading);
}

static void a_list_has_an_end_too(void **state) {
        g_autoptr(GString) text = g_string_new("[Driver]\n");
        Reading reading;

        while (text->len < CONFIG_FILE_SIZE_MAX - 20)
                g_string_append(text, "AllowProfile=v1\n");
        reading = read_text(text->str);
        assert_int_equal(reading.problems->len, CONFIG_PROBLEMS_MAX);
        assert_non_null(strstr(config_first_error(reading.problems)->text, "more than 4096 bytes"));
        assert_true(strlen(find_setting(reading.config, "Driver", "AllowProfile")->text) <=
                    CONFIG_LINE_MAX + 1);
        release(&reading);
}

static void a_key_may_be_given_again_in_another_file_but_an_error_there_counts(void **state) {
        Reading reading = read_two("[Daemon]\nPollSec=5\n", "[Daemon]\nPollSec=50\n");
        const ConfigProblem *error = config_first_error(reading.problems);

        assert_int_equal(reading.problems->len, 1);
        assert_string_equal(error->file, "main");
        release(&reading);
        reading = read_two("[Image a]\nGuid=" PRIVATE "\n", "[Image a]\nEfiGuid=" OTHER "\n");
        assert_int_equal(reading.problems->len, 1);
        assert_string_equal(config_first_error(reading.problems)->file, "drop-in");
        release(&reading);
}

static void a_file_that_could_not_be_read_is_an_error(void **state) {
        static ConfigFileFailure failure = { (char *) "/etc/lfad/lfad.conf",
                                             (char *) "It is not a regular file." };
        g_autoptr(ConfigFiles) files = files_new();
        g_autofree char *text = NULL;
        Reading reading;

        g_ptr_array_add(files->failures, &failure);
        reading.config = config_read(files, &reading.problems);
        text = config_problem_format(config_first_error(reading.problems));
        assert_string_equal(text, "/etc/lfad/lfad.conf: It is not a regular file.");
        release(&reading);
}

static void allowing_what_is_allowed_anyway_is_a_warning(void **state) {
        Reading reading = read_text("[Driver]\nAllowProfile=v3 v1\n");

        assert_null(config_first_error(reading.problems));
        assert_int_equal(reading.problems->len, 1);
        assert_non_null(strstr(((const ConfigProblem *) reading.problems->pdata[0])->text,
                               "AllowProfile=v3"));
        release(&reading);
}

static void the_alias_of_a_known_image_may_be_its_own_or_another(void **state) {
        Reading reading = read_text("[Image rmm]\nGuid=" RMM "\n[Image m]\nGuid=" BL31 "\nAlias=monitor\n");

        assert_fine(&reading);
        assert_string_equal(config_find_alias(reading.config, RMM), "rmm");
        assert_string_equal(config_find_alias(reading.config, BL31), "monitor");
        release(&reading);
}

/* wanted: what goes before, by GUID; "" = nothing. */
static void assert_goes_after(const Config *config, const char *guid, const char *wanted) {
        static const char *const all[] = { BL31, OTHER, PRIVATE, RMM };
        g_autoptr(GPtrArray) candidates = g_ptr_array_new(), first = NULL;
        g_autofree char *got = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
                g_ptr_array_add(candidates, (char *) all[i]);
        first = order_find_first(config->order, guid, candidates);
        g_ptr_array_add(first, NULL);
        got = g_strjoinv(" ", (char **) first->pdata);
        assert_string_equal(got, wanted);
}

static void images_go_after_others_by_whatever_name(void **state) {
        static const char *const names[] = {
                "b",
                "B",
                "second",
                "SECOND",
                OTHER,
                "{811FB73A-B932-6d49-841b-e3d0e9fd1a48}",
                "x bl32 \tb  x",
        };

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                /* a section is named before it is there, by its own name or by its short name */
                g_autofree char *text =
                                g_strdup_printf(IMAGE "After= %s \n[Image x]\nGuid=" RMM
                                                      "\nAlias=realm\n[Image %s]\nGuid=" OTHER "\n%s",
                                                names[i], i < 2 || i > 3 ? "b" : "whatever",
                                                i < 2 || i > 3 ? "" : "Alias=second\n");
                Reading reading = read_text(text);

                assert_fine(&reading);
                assert_goes_after(reading.config, PRIVATE, i < 6 ? OTHER : OTHER " " RMM);
                assert_goes_after(reading.config, OTHER, "");
                release(&reading);
        }
}

static void an_image_without_a_section_may_go_first(void **state) {
        Reading reading = read_text(IMAGE "After=bl31 a662076c-f212-564b-92cb-ba8f633606d9 " OTHER "\n");

        assert_fine(&reading);
        assert_goes_after(reading.config, PRIVATE, OTHER " " BL31 " " RMM);
        release(&reading);
}

static void the_order_adds_up_over_files_and_an_empty_one_begins_anew(void **state) {
        Reading reading = read_two(IMAGE "After=bl31\nAfter=rmm\n", "[Image a]\nAfter=" OTHER "\n");

        assert_fine(&reading);
        assert_goes_after(reading.config, PRIVATE, OTHER " " BL31 " " RMM);
        assert_setting(&reading, "Image a", "After", "bl31 rmm " OTHER, "drop-in", 2);
        release(&reading);
        reading = read_two(IMAGE "After=bl31 nonsense\n", "[Image a]\nAfter=\nAfter=rmm\n");
        assert_fine(&reading);
        assert_goes_after(reading.config, PRIVATE, RMM);
        release(&reading);
        reading = read_two(IMAGE "After=bl31\n", "[Image a]\nAfter=\n");
        assert_fine(&reading);
        assert_goes_after(reading.config, PRIVATE, "");
        release(&reading);
}

static void every_circle_is_told(void **state) {
        Reading reading = read_text("[Image bl31]\nGuid=" BL31 "\nAfter=rmm\n[Image rmm]\nGuid=" RMM
                                    "\nAfter=bl31\n[Image a]\nGuid=" PRIVATE
                                    "\nAfter=rmm b\n[Image b]\nGuid=" OTHER "\nAfter=a\n");

        assert_int_equal(reading.problems->len, 2);
        release(&reading);
}

/* It says already that it does not know which image it is about. */
static void a_section_without_an_image_is_told_once(void **state) {
        Reading reading = read_text("[Image a]\n[Image b]\nGuid=" OTHER "\nAfter=a\n");

        assert_int_equal(reading.problems->len, 1);
        assert_int_equal(config_first_error(reading.problems)->line, 1);
        release(&reading);
        reading = read_text(IMAGE "EfiGuid=" RMM_EFI "\nAfter=b\n[Image b]\nGuid=" OTHER "\nAfter=a\n");
        assert_int_equal(reading.problems->len, 1);
        release(&reading);
}

static void the_nearest_word_is_near(void **state) {
        static const char *const words[] = { "PollSec", "SettleSec", "v1", NULL };

        assert_string_equal(nearest_word("polsec", words), "PollSec");
        assert_string_equal(nearest_word("SetleSecs", words), "SettleSec");
        assert_string_equal(nearest_word("v2", words), "v1");
        assert_null(nearest_word("", words));
        assert_null(nearest_word("Colour", words));
        assert_null(nearest_word("ab", words));
}

/* Comment lines of at most 100 columns. */
static void append_comment(GString *text, const char *doc) {
        g_auto(GStrv) words = g_strsplit(doc, " ", -1);
        size_t column = 0;

        for (char **word = words; *word; word++) {
                if (column == 0 || column + 1 + strlen(*word) > 100) {
                        g_string_append(text, column == 0 ? "#" : "\n#");
                        column = 1;
                }
                g_string_append_printf(text, " %s", *word);
                column += 1 + strlen(*word);
        }
        g_string_append_c(text, '\n');
}

static char *make_shipped_file(void) {
        GString *text = g_string_new("");

        for (int id = 0; id < _CONFIG_SECTION_MAX; id++) {
                const ConfigSectionType *type = &config_section_types[id];

                g_string_append_c(text, '\n');
                append_comment(text, type->doc);
                g_string_append_printf(text, type->named ? "#[%s NAME]\n" : "[%s]\n", type->name);
                for (const ConfigKey *key = config_keys; key->name; key++) {
                        if ((int) key->section != id)
                                continue;
                        g_string_append_c(text, '\n');
                        append_comment(text, key->doc);
                        g_string_append_printf(text, "#%s=%s\n", key->name, key->fallback);
                }
        }
        return g_string_free(text, FALSE);
}

static char *read_shipped_file(void) {
        char *text = NULL;

        assert_true(g_file_get_contents(g_getenv("LFAD_SHIPPED_CONFIG"), &text, NULL, NULL));
        return text;
}

static void watchdogs_are_found_by_what_they_call_themselves(void **state) {
        Reading reading = read_text(
                        "[Watchdog SBSA Generic Watchdog]\nHardwareTimeoutSec=8\n"
                        "[Watchdog i6300ESB timer (#2) = \xc3\xa9]\nIgnore=yes\n[Watchdog w]\nIgnore=no\n"
                        "[Watchdog SBSA Generic Watchdog]\nIgnore=yes\n[Image Ignore]\nGuid=" RMM "\n");
        const WatchdogSettings *settings;

        assert_fine(&reading);
        settings = config_find_watchdog(reading.config, "SBSA Generic Watchdog");
        assert_non_null(settings);
        assert_true(settings->hardware_timeout_usec == 8 * SECOND && settings->ignore);
        settings = config_find_watchdog(reading.config, "i6300ESB timer (#2) = \xc3\xa9");
        assert_non_null(settings);
        assert_true(settings->hardware_timeout_usec == 0 && settings->ignore);
        assert_false(config_find_watchdog(reading.config, "w")->ignore);
        assert_null(config_find_watchdog(reading.config, "sbsa generic watchdog"));
        assert_null(config_find_watchdog(reading.config, ""));
        release(&reading);
}

static void the_shipped_file_is_made_of_the_table(void **state) {
        g_autofree char *made = make_shipped_file(), *shipped = read_shipped_file();

        if (g_str_has_suffix(shipped, made))
                return;
        puts(made); /* too long for cmocka's messages */
        fail_msg("behind its head the shipped file must read as above");
}

static void the_shipped_file_with_its_defaults_switched_on_changes_nothing(void **state) {
        g_autofree char *shipped = read_shipped_file();
        g_autoptr(GString) text = g_string_new(shipped);
        Reading reading = read_text(shipped);

        assert_fine(&reading);
        release(&reading);
        for (const ConfigKey *key = config_keys; key->name; key++) {
                g_autofree char *off = g_strdup_printf("\n#%s=", key->name);
                g_autofree char *on = g_strdup_printf("\n%s=", key->name);

                if (!config_section_types[key->section].named)
                        assert_int_equal(g_string_replace(text, off, on, 1), 1); /* named ones come later */
        }
        reading = read_text(text->str);
        assert_fine(&reading);
        assert_true(reading.config->poll_usec == 60 * SECOND && reading.config->settle_usec == SECOND);
        assert_int_equal(reading.config->allowed_profiles, 0);
        assert_int_equal(reading.config->kernel_auto_activate, KERNEL_AUTO_OFF);
        release(&reading);
}

/* Whatever bytes: no crash, no leak, messages that are text. */
static void any_mutation_is_survived(void **state) {
        static const char seed[] =
                        "# c\n[Daemon]\nPollSec=1min 20s\nSettleSec=1\n[Driver]\nAllowProfile=v1 v1nv\n"
                        "KernelAutoActivate=off\n[Policy]\nTimeZone=UTC\n[Window w]\nOnCalendar=Mon 3:00\n"
                        "Duration=2h\n[Freeze f]\nFrom=2026-12-18\nUntil=2026-12-19\n[Image rmm]\nGuid=" RMM
                        "\nWindows=w\nAllowVersion=1.0\nMinimumVersion=1.0\nMode=manual"
                        "\nAlias=r\nAfter=a sp1\n[Watchdog w]\nIgnore=yes\n[Image a]\nGuid=" BL31
                        "\nAfter=scp\n[X-a]\nb=c\n";
        static const unsigned char bytes[] = { 0,    '\n', '[', ']', '=', '#',  ' ',  '\\', '\r',
                                               '\t', 'X',  '-', '9', '.', 0xff, 0xc3, 0x80 };
        g_autoptr(GRand) random = g_rand_new_with_seed(7);

        for (unsigned round = 0; round < 20000; round++) {
                char text[sizeof(seed)];
                size_t size = sizeof(seed) - 1;
                Reading reading;

                memcpy(text, seed, sizeof(seed));
                for (int i = g_rand_int_range(random, 1, 5); i > 0; i--)
                        text[g_rand_int_range(random, 0, (int) size)] =
                                        (char) (g_rand_boolean(random)
                                                                ? bytes[g_rand_int_range(random, 0,
                                                                                         sizeof(bytes))]
                                                                : g_rand_int_range(random, 0, 256));
                size = (size_t) g_rand_int_range(random, 0, (int) size + 1);
                text[size] = 0;
                reading = read_bytes(text, size);
                for (unsigned i = 0; i < reading.problems->len; i++) {
                        const ConfigProblem *problem = reading.problems->pdata[i];

                        assert_true(g_utf8_validate(problem->text, -1, NULL));
                        assert_true(problem->text[0] && problem->line > 0 && problem->line < 45);
                }
                assert_true(reading.config->poll_usec >= 10 * SECOND &&
                            reading.config->poll_usec <= 80 * SECOND);
                release(&reading);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(without_files_the_defaults_hold),
                cmocka_unit_test(every_key_is_read),
                cmocka_unit_test(the_last_line_needs_no_newline_and_an_empty_file_is_fine),
                cmocka_unit_test(later_files_win_key_by_key_and_origins_are_kept),
                cmocka_unit_test(an_empty_assignment_empties_a_list),
                cmocka_unit_test(what_is_wrong_is_refused_with_its_line_and_in_words),
                cmocka_unit_test(a_nul_byte_is_named),
                cmocka_unit_test(long_lines_names_and_sections_have_an_end),
                cmocka_unit_test(all_errors_are_listed_and_not_only_the_first),
                cmocka_unit_test(no_file_makes_more_problems_than_can_be_held),
                cmocka_unit_test(a_list_has_an_end_too),
                cmocka_unit_test(a_key_may_be_given_again_in_another_file_but_an_error_there_counts),
                cmocka_unit_test(a_file_that_could_not_be_read_is_an_error),
                cmocka_unit_test(allowing_what_is_allowed_anyway_is_a_warning),
                cmocka_unit_test(the_alias_of_a_known_image_may_be_its_own_or_another),
                cmocka_unit_test(images_go_after_others_by_whatever_name),
                cmocka_unit_test(an_image_without_a_section_may_go_first),
                cmocka_unit_test(the_order_adds_up_over_files_and_an_empty_one_begins_anew),
                cmocka_unit_test(every_circle_is_told),
                cmocka_unit_test(a_section_without_an_image_is_told_once),
                cmocka_unit_test(the_nearest_word_is_near),
                cmocka_unit_test(watchdogs_are_found_by_what_they_call_themselves),
                cmocka_unit_test(the_shipped_file_is_made_of_the_table),
                cmocka_unit_test(the_shipped_file_with_its_defaults_switched_on_changes_nothing),
                cmocka_unit_test(any_mutation_is_survived),
        };

        return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
