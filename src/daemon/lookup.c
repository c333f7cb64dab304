/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which image is meant by what a person types. */

#include "daemon/manager.h"
#include "util/known-guids.h"

#include <strings.h>

typedef enum Match {
        MATCH_NONE,
        MATCH_PREFIX,
        MATCH_WHOLE,
} Match;

static Match match_text(const char *text, const char *candidate) {
        size_t length = strlen(text);

        if (strncasecmp(text, candidate, length) != 0)
                return MATCH_NONE;
        return candidate[length] ? MATCH_PREFIX : MATCH_WHOLE;
}

/* guid: text read as a GUID, or "". */
static Match match_image(const Image *image, const char *text, const char *guid) {
        char efi_guid[GUID_STRING_SIZE];
        Match match;

        guid_swap_form(image->values.guid, efi_guid);
        if (*guid)
                return strcmp(guid, image->values.guid) == 0 || strcmp(guid, efi_guid) == 0 ? MATCH_WHOLE
                                                                                            : MATCH_NONE;
        match = MAX(match_text(text, image->values.guid), match_text(text, efi_guid));
        match = MAX(match, match_text(text, image_display_name(image)));
        if (*image_alias(image))
                match = MAX(match, match_text(text, image_alias(image)));
        return match;
}

int manager_lookup_image(const Manager *manager, const char *text, Image **ret) {
        char guid[GUID_STRING_SIZE] = "";
        Image *found[MATCH_WHOLE + 1] = { NULL };
        unsigned count[MATCH_WHOLE + 1] = { 0 };
        GHashTableIter iterator;
        void *value;

        if (!*text)
                return -ENOENT;
        (void) guid_parse(text, guid);
        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                Image *image = value;
                Match match = image->present ? match_image(image, text, guid) : MATCH_NONE;

                found[match] = image;
                count[match]++;
        }
        for (Match match = MATCH_WHOLE; match > MATCH_NONE; match--) {
                if (count[match] > 1)
                        return -ENOTUNIQ;
                if (count[match] == 1) {
                        *ret = found[match];
                        return 0;
                }
        }
        return -ENOENT;
}
