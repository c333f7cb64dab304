/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GUIDs, versions and the rules about versions. The input, a line each: a GUID, three versions, the versions that are
 * allowed, and those that are forbidden. */

#include "core/version-rules.h"
#include "fuzz.h"
#include "unit/unit.h"
#include "util/guid.h"

#define VERSIONS 3

static void check_guid(const char *text) {
        char guid[GUID_STRING_SIZE], again[GUID_STRING_SIZE];
        g_autofree char *shouted = NULL;

        fill_untouched(guid, sizeof(guid));
        if (guid_parse(text, guid) < 0) {
                MUST(is_untouched(guid, sizeof(guid)) && !guid_is_valid(text));
                return;
        }
        MUST(strlen(guid) == GUID_STRING_LENGTH && guid_is_valid(guid));
        MUST(guid_is_valid(text) == (strcmp(text, guid) == 0));
        guid_swap_form(guid, again);
        MUST(guid_is_valid(again) && strcmp(again + 18, guid + 18) == 0);
        guid_swap_form(again, again);
        MUST(strcmp(again, guid) == 0);
        shouted = g_ascii_strup(text, -1);
        MUST(guid_parse(shouted, again) == 0 && strcmp(again, guid) == 0);
}

/* Another way to read what version_parse reads: false where there is none. "N/A" and 0.0 are 0. */
static bool read_version(const char *text, uint64_t *ret) {
        g_auto(GStrv) parts = g_strsplit(text, ".", -1);
        guint64 major, minor;

        *ret = 0;
        if (strcmp(text, "N/A") == 0)
                return true;
        if (g_strv_length(parts) != 2 || parts[0][strspn(parts[0], G_CSET_DIGITS)] ||
            parts[1][strspn(parts[1], G_CSET_DIGITS)] ||
            !g_ascii_string_to_unsigned(parts[0], 10, 0, UINT32_MAX, &major, NULL) ||
            !g_ascii_string_to_unsigned(parts[1], 10, 0, UINT32_MAX, &minor, NULL))
                return false;
        *ret = major << 32 | minor;
        return true;
}

/* Returns whether it is a version, "" included. */
static bool check_version(const char *text, char ret[static VERSION_SIZE], uint64_t *ret_number) {
        char again[VERSION_SIZE];
        bool is_version = read_version(text, ret_number);

        fill_untouched(ret, VERSION_SIZE);
        if (version_parse(text, ret) < 0) {
                MUST(!is_version && is_untouched(ret, VERSION_SIZE));
                ret[0] = 0;
                return false;
        }
        MUST(is_version && version_known(ret) == (*ret_number != 0));
        if (version_known(ret))
                MUST(version_parse(ret, again) == 0 && strcmp(again, ret) == 0);
        return true;
}

static int sign(int number) {
        return (number > 0) - (number < 0);
}

/* NULL where the line is not there: no rule. */
static GPtrArray *read_list(const char *line) {
        g_auto(GStrv) words = line ? g_strsplit(line, " ", -1) : NULL;
        GPtrArray *list = words ? g_ptr_array_new_with_free_func(g_free) : NULL;
        char version[VERSION_SIZE];

        for (char **word = words; word && *word; word++)
                if (version_parse(*word, version) == 0 && version_known(version))
                        g_ptr_array_add(list, g_strdup(version));
        return list;
}

static bool lists(const GPtrArray *list, const char *version) {
        return g_ptr_array_find_with_equal_func((GPtrArray *) list, version, g_str_equal, NULL);
}

/* What is permitted breaks no rule, and what is not breaks the one that is named. */
static void check_ruling(const VersionRules *rules, const char *from, uint64_t from_number, const char *to,
                         uint64_t to_number) {
        uint64_t minimum = 0;
        VersionRuling ruling = version_rules_judge(rules, from, to);
        bool any = rules->allowed || rules->forbidden || *rules->minimum || rules->no_downgrade;

        (void) read_version(rules->minimum, &minimum);
        if (!any)
                MUST(ruling == VERSION_PERMITTED);
        if (any && ruling == VERSION_PERMITTED) {
                MUST(*to && to_number >= minimum);
                MUST(!rules->allowed || lists(rules->allowed, to));
                MUST(!rules->forbidden || !lists(rules->forbidden, to));
                MUST(!rules->no_downgrade || (*from && to_number >= from_number));
        }
        MUST(ruling != VERSION_LISTED || lists(rules->forbidden, to));
        MUST(ruling != VERSION_NOT_LISTED || !lists(rules->allowed, to));
        MUST(ruling != VERSION_TOO_LOW || to_number < minimum);
        MUST(ruling != VERSION_IS_DOWNGRADE || to_number < from_number);
        MUST(ruling != VERSION_UNKNOWN || !*to || (rules->no_downgrade && !*from));
}

static void check_versions(char **lines, unsigned n) {
        VersionRules rules = { .allowed = read_list(n > 3 ? lines[3] : NULL),
                               .forbidden = read_list(n > 4 ? lines[4] : NULL) };
        char versions[VERSIONS][VERSION_SIZE];
        uint64_t numbers[VERSIONS];

        for (unsigned i = 0; i < VERSIONS; i++)
                if (!check_version(i < n ? lines[i] : "N/A", versions[i], &numbers[i]))
                        numbers[i] = 0;
        for (int i = 0; i < VERSIONS; i++)
                for (int k = 0; k < VERSIONS; k++)
                        if (*versions[i] && *versions[k])
                                MUST(sign(version_compare(versions[i], versions[k])) ==
                                     (numbers[i] > numbers[k]) - (numbers[i] < numbers[k]));
        for (int mask = 0; mask < 4; mask++) {
                rules.no_downgrade = mask & 1;
                g_strlcpy(rules.minimum, mask & 2 ? versions[2] : "", sizeof(rules.minimum));
                check_ruling(&rules, versions[0], numbers[0], versions[1], numbers[1]);
        }
        version_rules_clear(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        g_autofree char *all = g_strndup((const char *) data, size);
        g_auto(GStrv) lines = g_strsplit(all, "\n", 6);
        unsigned n = g_strv_length(lines);

        if (n == 0)
                return 0;
        check_guid(lines[0]);
        check_versions(lines + 1, n - 1);
        return 0;
}
