/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Matching what was typed with the images that lfad knows. Exact matches come before pieces of a GUID;
 * within each all are collected, so that a name which two images bear is never settled by their order. */

#include "ctl/resolve.h"

#include "ctl/advice.h"
#include "lfa/bus-names.h"
#include "util/guid.h"
#include "util/nearest.h"

#include <string.h>
#include <strings.h>

/* Less is a slip of the finger, and activating is not to be had by one. */
#define PREFIX_MIN 4

static bool matches_exactly(const Image *image, const char *text) {
        char guid[GUID_STRING_SIZE], other[GUID_STRING_SIZE];

        if (guid_parse(text, guid) >= 0) {
                guid_swap_form(guid, other);
                return strcmp(image->guid, guid) == 0 || strcmp(image->guid, other) == 0;
        }
        return strcasecmp(image->alias, text) == 0 || strcasecmp(image->name, text) == 0 ||
               strcasecmp(image->guid, text) == 0;
}

static bool matches_in_part(const Image *image, const char *text) {
        char efi[GUID_STRING_SIZE] = "";

        if (strlen(text) < PREFIX_MIN)
                return false;
        if (guid_is_valid(image->guid))
                guid_swap_form(image->guid, efi);
        return strncasecmp(image->guid, text, strlen(text)) == 0 ||
               strncasecmp(efi, text, strlen(text)) == 0;
}

static GPtrArray *collect(const Inventory *inventory, const char *text,
                          bool (*matches)(const Image *image, const char *text)) {
        GPtrArray *found = g_ptr_array_new();

        for (guint i = 0; i < inventory->images->len; i++)
                if (matches(inventory->images->pdata[i], text))
                        g_ptr_array_add(found, inventory->images->pdata[i]);
        return found;
}

/* "rmm (6c0762a6-...), bl31 (...)" */
static char *list_candidates(const GPtrArray *images) {
        GString *list = g_string_new(NULL);

        for (guint i = 0; i < images->len; i++) {
                const Image *image = images->pdata[i];

                g_string_append_printf(list, "%s%s (%s)", i > 0 ? ", " : "", image->guid, image->name);
        }
        return g_string_free(list, FALSE);
}

static char *list_labels(const GPtrArray *images) {
        GString *list = g_string_new(NULL);

        for (guint i = 0; i < images->len; i++) {
                const Image *image = images->pdata[i];

                g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", image->label);
        }
        return g_string_free(list, FALSE);
}

static ExitCode fail_ambiguous(Client *client, const char *text, const GPtrArray *candidates) {
        g_autofree char *list = list_candidates(candidates);
        g_autofree char *hint = g_strdup_printf("Use the GUID of one of: %s.", list);

        return client_fail(client, EXIT_USAGE, LFA_ERROR_PREFIX "AmbiguousImage", hint,
                           "'%s' fits %u images.", text, candidates->len);
}

static ExitCode fail_without_images(Client *client, const Inventory *inventory, const char *text) {
        bool no_driver = strcmp(inventory->driver_state, "no-driver") == 0;
        bool no_firmware = strcmp(inventory->driver_state, "no-firmware") == 0;
        const char *name = no_driver     ? LFA_ERROR_PREFIX "NoDriver"
                           : no_firmware ? LFA_ERROR_PREFIX "NoFirmware"
                                         : LFA_ERROR_PREFIX "NoSuchImage";

        return client_fail(client, exit_code_from_error(name), name, advice_for_error(name),
                           "There is no image '%s', nor any other: %s.", text,
                           advice_for_driver(inventory->driver_state));
}

static const char *nearest_name(const GPtrArray *images, const char *text) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        for (guint i = 0; i < images->len; i++) {
                const Image *image = images->pdata[i];

                g_ptr_array_add(names, (char *) image->label);
                g_ptr_array_add(names, (char *) image->name);
                g_ptr_array_add(names, (char *) image->guid);
        }
        g_ptr_array_add(names, NULL);
        return nearest_word(text, (const char *const *) names->pdata);
}

#define MEANS_ALL_HINT                                                                                      \
        " 'hold' and 'unhold' mean all without names, 'activate' all that is pending with --pending."

static bool means_all(const char *text) {
        return strcasecmp(text, "all") == 0 || strcmp(text, "*") == 0;
}

static ExitCode fail_unknown(Client *client, const Inventory *inventory, const char *text) {
        const char *nearest = nearest_name(inventory->images, text);
        g_autofree char *labels = list_labels(inventory->images);
        g_autofree char *hint =
                        nearest ? g_strdup_printf("Did you mean '%s'? There are: %s.", nearest, labels)
                                : g_strdup_printf("There are: %s.%s", labels,
                                                  means_all(text) ? MEANS_ALL_HINT : "");

        return client_fail(client, EXIT_USAGE, LFA_ERROR_PREFIX "NoSuchImage", hint,
                           "There is no image '%s'.", text);
}

ExitCode resolve_image(Client *client, const Inventory *inventory, const char *text, Image **ret) {
        g_autoptr(GPtrArray) exact = collect(inventory, text, matches_exactly);
        g_autoptr(GPtrArray) partial = collect(inventory, text, matches_in_part);
        GPtrArray *found = exact->len > 0 ? exact : partial;

        if (inventory->images->len == 0)
                return fail_without_images(client, inventory, text);
        if (*text == 0 || found->len == 0)
                return fail_unknown(client, inventory, text);
        if (found->len > 1)
                return fail_ambiguous(client, text, found);
        *ret = found->pdata[0];
        return EXIT_DONE;
}
