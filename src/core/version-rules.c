/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration's rules about versions. */

#include "core/version-rules.h"

#include <string.h>

void version_rules_clear(VersionRules *rules) {
        g_clear_pointer(&rules->allowed, g_ptr_array_unref);
        g_clear_pointer(&rules->forbidden, g_ptr_array_unref);
}

static bool lists(const GPtrArray *versions, const char *version) {
        for (unsigned i = 0; i < versions->len; i++)
                if (strcmp(versions->pdata[i], version) == 0)
                        return true;
        return false;
}

VersionRuling version_rules_judge(const VersionRules *rules, const char *from, const char *to) {
        if (!rules->allowed && !rules->forbidden && !*rules->minimum && !rules->no_downgrade)
                return VERSION_PERMITTED;
        if (!version_known(to) || (rules->no_downgrade && !version_known(from)))
                return VERSION_UNKNOWN;
        if (rules->forbidden && lists(rules->forbidden, to))
                return VERSION_LISTED;
        if (rules->allowed && !lists(rules->allowed, to))
                return VERSION_NOT_LISTED;
        if (*rules->minimum && version_compare(to, rules->minimum) < 0)
                return VERSION_TOO_LOW;
        if (rules->no_downgrade && version_compare(to, from) < 0)
                return VERSION_IS_DOWNGRADE;
        return VERSION_PERMITTED;
}
