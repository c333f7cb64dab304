/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After= of [Image NAME]: which images its words mean, and that no image comes to go before itself. */

#include "core/config-check.h"
#include "core/config-keys.h"
#include "util/known-guids.h"
#include "util/nearest.h"

#include <string.h>

typedef struct Check {
        Config *config;
        GPtrArray *problems;
        GHashTable *by_alias; /* folded short name -> ConfigSection, weak */
} Check;

typedef struct Meaning {
        char guid[GUID_STRING_SIZE]; /* "" = none */
        bool ambiguous;
        bool said; /* what is wrong with it was said elsewhere */
} Meaning;

static bool is_image(const ConfigSection *section) {
        return section->id == CONFIG_IMAGE;
}

/* Both forms of a GUID are the same image. */
static bool is_same(const char *guid, const char *other) {
        char swapped[GUID_STRING_SIZE];

        guid_swap_form(guid, swapped);
        return strcmp(guid, other) == 0 || strcmp(swapped, other) == 0;
}

static const ConfigSection *find_section(const Config *config, const char *guid) {
        const ConfigSection *section = g_hash_table_lookup(config->by_guid, guid);
        char swapped[GUID_STRING_SIZE];

        if (section)
                return section;
        guid_swap_form(guid, swapped);
        return g_hash_table_lookup(config->by_guid, swapped);
}

static void add_meaning(Meaning *meaning, const char *guid) {
        if (meaning->guid[0] && !is_same(meaning->guid, guid))
                meaning->ambiguous = true;
        else
                g_strlcpy(meaning->guid, guid, sizeof(meaning->guid));
}

static void add_section_meaning(Meaning *meaning, const ConfigSection *section) {
        if (section && section->image.guid[0])
                add_meaning(meaning, section->image.guid);
        else if (section)
                meaning->said = true; /* that section does not say which image it is about */
}

/* An alias is known in any case, a section's name as it is written. */
static Meaning find_meaning(const Check *check, const char *word) {
        g_autofree char *folded = g_ascii_strdown(word, -1);
        g_autofree char *header = g_strdup_printf("%s %s", config_section_types[CONFIG_IMAGE].name, word);
        const KnownGuid *known = known_guid_find_alias(word);
        Meaning meaning = { 0 };
        char guid[GUID_STRING_SIZE];

        if (guid_parse(word, guid) >= 0) {
                add_meaning(&meaning, guid);
                return meaning;
        }
        add_section_meaning(&meaning, g_hash_table_lookup(check->by_alias, folded));
        add_section_meaning(&meaning, g_hash_table_lookup(check->config->by_header, header));
        if (known)
                add_meaning(&meaning, known->guid);
        return meaning;
}

/* Of the sections, then the built-in ones, which are listed all. NULL-terminated; the array is the caller's, the names
 * are not. */
static GPtrArray *list_names(const Config *config, unsigned sections_max) {
        GPtrArray *names = g_ptr_array_new();

        for (unsigned i = 0; i < config->sections->len && names->len < sections_max; i++) {
                const ConfigSection *section = config->sections->pdata[i];

                if (is_image(section) && section->image.alias[0])
                        g_ptr_array_add(names, (char *) section->image.alias);
        }
        for (size_t i = 0; known_guid_at(i); i++)
                if (!g_ptr_array_find_with_equal_func(names, known_guid_at(i)->alias, g_str_equal, NULL))
                        g_ptr_array_add(names, (char *) known_guid_at(i)->alias);
        g_ptr_array_add(names, NULL);
        return names;
}

static void fail_unknown(const Check *check, const ConfigWord *word) {
        g_autoptr(GPtrArray) all = list_names(check->config, G_MAXUINT);
        g_autoptr(GPtrArray) some = list_names(check->config, CONFIG_LISTED_MAX);
        const char *nearest = nearest_word(word->text, (const char *const *) all->pdata);
        g_autofree char *list = g_strjoinv(", ", (char **) some->pdata);
        g_autofree char *quoted = config_quote(word->text);

        config_add_problem(
                        check->problems, false, word->origin,
                        "After= takes images, and %s is none%s%s%s A GUID will do, a short name (%s), or the "
                        "name of an [Image NAME] section.",
                        quoted, nearest ? "; did you mean '" : ".", nearest ? nearest : "",
                        nearest ? "'?" : "", list);
}

static void add_word(const Check *check, const ConfigSection *section, const ConfigWord *word) {
        Meaning meaning = find_meaning(check, word->text);

        if (meaning.ambiguous)
                config_add_problem(check->problems, false, word->origin,
                                   "After=%s fits several images; use the short name or the GUID.",
                                   word->text);
        else if (!meaning.guid[0] && !meaning.said)
                fail_unknown(check, word);
        else if (meaning.guid[0] && is_same(meaning.guid, section->image.guid))
                config_add_problem(check->problems, false, word->origin,
                                   "After=%s: [Image %s] cannot go after itself.", word->text,
                                   section->name);
        else if (meaning.guid[0])
                order_add(check->config->order, section->image.guid, meaning.guid);
}

static void add_words(const Check *check, const ConfigSection *section) {
        const GArray *words = config_find_setting(section, "After")->words;

        for (unsigned i = 0; words && i < words->len && check->problems->len < CONFIG_PROBLEMS_MAX; i++)
                add_word(check, section, &g_array_index(words, ConfigWord, i));
}

/* Where it says that the section's image goes after that one. */
static ConfigOrigin find_origin(const Check *check, const ConfigSection *section, const char *first) {
        const ConfigSetting *after = config_find_setting(section, "After");

        for (unsigned i = 0; i < after->words->len; i++) {
                const ConfigWord *word = &g_array_index(after->words, ConfigWord, i);
                Meaning meaning = find_meaning(check, word->text);

                if (meaning.guid[0] && is_same(meaning.guid, first))
                        return word->origin;
        }
        return after->origin;
}

/* "bl31 -> rmm -> bl31" */
static char *describe_circle(const Config *config, const char *const *guids, unsigned n) {
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < n; i++) {
                if (i == CONFIG_LISTED_MAX && n > CONFIG_LISTED_MAX + 1) {
                        i = n - 1;
                        g_string_append(text, " -> ...");
                }
                g_string_append_printf(text, "%s%s", i > 0 ? " -> " : "",
                                       find_section(config, guids[i])->image.alias);
        }
        return g_string_free(text, FALSE);
}

/* Only images with a section of their own go after anything, so that each of a circle has one. */
static void on_circle(const char *const *guids, unsigned n, void *userdata) {
        const Check *check = userdata;
        g_autofree char *circle = describe_circle(check->config, guids, n);
        const ConfigSection *last = find_section(check->config, guids[n - 1]);

        config_add_problem(check->problems, false, find_origin(check, last, guids[n - 2]),
                           "After= makes a circle, each before the next: %s.", circle);
}

void config_check_order(Config *config, GPtrArray *problems) {
        g_autoptr(GHashTable) by_alias = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        Check check = { .config = config, .problems = problems, .by_alias = by_alias };

        for (unsigned i = 0; i < config->sections->len; i++) {
                ConfigSection *section = config->sections->pdata[i];

                if (is_image(section) && section->image.alias[0])
                        g_hash_table_insert(by_alias, g_ascii_strdown(section->image.alias, -1), section);
        }
        for (unsigned i = 0; i < config->sections->len; i++) {
                const ConfigSection *section = config->sections->pdata[i];

                if (is_image(section) && section->image.guid[0])
                        add_words(&check, section);
        }
        order_find_circles(config->order, on_circle, &check);
}
