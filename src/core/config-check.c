/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only shows when all files were read. */

#include "core/config-check.h"
#include "core/config-keys.h"
#include "core/enum-names.h"
#include "core/profile.h"
#include "util/known-guids.h"
#include "util/printable.h"

#include <string.h>

const ConfigSetting *config_find_setting(const ConfigSection *section, const char *name) {
        for (unsigned i = 0; i < section->n_settings; i++)
                if (strcmp(section->settings[i].key->name, name) == 0)
                        return &section->settings[i];
        g_assert_not_reached();
}

static bool is_given(const ConfigSetting *setting) {
        return setting->origin.file != NULL;
}

char *config_check_section_name(const char *type, const char *name) {
        g_autofree char *what = g_strdup_printf("The name in [%s NAME]", type);
        size_t length = strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");

        /* That it looks like a GUID does no harm when there is another alias. */
        if (length == 0 || length > CONFIG_ALIAS_MAX || name[length])
                return config_check_alias(what, name);
        return NULL;
}

char *config_check_watchdog_name(const char *type, const char *name) {
        g_autofree char *bare = g_strstrip(g_strdup(name)), *quoted = config_quote(name);

        if (is_printable(name) && *bare && strcmp(bare, name) == 0 && strlen(name) < WATCHDOG_IDENTITY_SIZE)
                return NULL;
        return g_strdup_printf(
                        "The name in [%s NAME] takes 1 to %d bytes of printable text, without a blank at either "
                        "end, not %s.",
                        type, WATCHDOG_IDENTITY_SIZE - 1, quoted);
}

/* Returns true when the section says which image it is about, and takes back what it says when that is two things. A
 * value that was no GUID was said already. */
static bool check_guid(ConfigSection *section, GPtrArray *problems) {
        const ConfigSetting *guid = config_find_setting(section, "Guid"),
                            *efi = config_find_setting(section, "EfiGuid");

        if (is_given(guid) && is_given(efi)) {
                config_add_problem(problems, false, efi->origin,
                                   "[Image %s] has both Guid= (%s:%u) and EfiGuid=; one is enough.",
                                   section->name, guid->origin.file, guid->origin.line);
                section->image.guid[0] = 0;
        } else if (!is_given(guid) && !is_given(efi))
                config_add_problem(
                                problems, false, section->origin,
                                "[Image %s] does not say which image it is about: it needs Guid= or EfiGuid=.",
                                section->name);
        else
                return section->image.guid[0] != 0;
        return false;
}

/* Returns where the alias stands: a line of its own, or the section's header. */
static ConfigOrigin origin_of_alias(const ConfigSection *section) {
        const ConfigSetting *alias = config_find_setting(section, "Alias");

        return is_given(alias) ? alias->origin : section->origin;
}

/* Fills the alias in. Returns false when there is none that can be used. */
static bool check_alias(ConfigSection *section, GPtrArray *problems) {
        g_autofree char *trouble = NULL;

        if (section->image.alias[0])
                return true;
        if (is_given(config_find_setting(section, "Alias")))
                return false; /* said already */
        trouble = config_check_alias("The name in [Image NAME]", section->name);
        if (trouble) {
                config_add_problem(problems, false, section->origin, "%s Give the image an Alias=.",
                                   trouble);
                return false;
        }
        g_strlcpy(section->image.alias, section->name, sizeof(section->image.alias));
        return true;
}

static void check_alias_is_free(const ConfigSection *section, GHashTable *by_alias, GPtrArray *problems) {
        g_autofree char *folded = g_ascii_strdown(section->image.alias, -1);
        const ConfigSection *other = g_hash_table_lookup(by_alias, folded);
        const KnownGuid *known = known_guid_find_alias(folded);

        if (other)
                config_add_problem(problems, false, origin_of_alias(section),
                                   "'%s' is the short name of [Image %s] already (%s:%u).",
                                   section->image.alias, other->name, origin_of_alias(other).file,
                                   origin_of_alias(other).line);
        else
                g_hash_table_insert(by_alias, g_steal_pointer(&folded), (void *) section);
        if (known && section->image.guid[0] && strcmp(known->guid, section->image.guid) != 0)
                config_add_problem(problems, false, origin_of_alias(section),
                                   "'%s' is the short name of another image, %s (%s).", section->image.alias,
                                   known->guid, known->name);
}

static void check_guid_is_free(Config *config, ConfigSection *section, GPtrArray *problems) {
        const ConfigSection *other = g_hash_table_lookup(config->by_guid, section->image.guid);

        if (other)
                config_add_problem(problems, false, section->origin,
                                   "[Image %s] and [Image %s] (%s:%u) are about the same image, %s.",
                                   section->name, other->name, other->origin.file, other->origin.line,
                                   section->image.guid);
        else
                g_hash_table_insert(config->by_guid, section->image.guid, section);
}

static void check_images(Config *config, GPtrArray *problems) {
        g_autoptr(GHashTable) by_alias = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (unsigned i = 0; i < config->sections->len; i++) {
                ConfigSection *section = config->sections->pdata[i];

                if (section->id != CONFIG_IMAGE)
                        continue;
                if (check_guid(section, problems))
                        check_guid_is_free(config, section, problems);
                if (check_alias(section, problems))
                        check_alias_is_free(section, by_alias, problems);
        }
}

static void check_profiles(const Config *config, GPtrArray *problems) {
        const ConfigSection *driver = config->sections->pdata[CONFIG_DRIVER];

        for (int i = 0; i < _PROFILE_MAX; i++)
                if ((config->allowed_profiles & UINT32_C(1) << i) && profile_is_allowed((DriverProfile) i))
                        config_add_problem(problems, true,
                                           config_find_setting(driver, "AllowProfile")->origin,
                                           "AllowProfile=%s changes nothing: that version is safe to drive.",
                                           driver_profile_to_string((DriverProfile) i));
}

void config_check(Config *config, GPtrArray *problems) {
        check_profiles(config, problems);
        check_images(config, problems);
        config_check_order(config, problems);
        config_check_policy(config, problems);
}
