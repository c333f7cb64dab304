/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an administrator must know whatever was asked: conditions that endanger every activation, or that lfad cannot
 * do anything about. */

#include "core/enum-names.h"
#include "core/profile.h"
#include "daemon/device-events.h"
#include "daemon/manager.h"
#include "daemon/state.h"
#include "util/log.h"
#include "util/string-table.h"

static const char *const warning_codes[_WARNING_MAX] = {
        [WARNING_KERNEL_ACTIVATES] = "kernel-activates",
        [WARNING_TREE_LOST] = "tree-lost",
        [WARNING_RECORDS_UNUSABLE] = "records-unusable",
        [WARNING_EVENT_STORM] = "event-storm",
        [WARNING_AUTO_ACTIVATE_LEFT] = "auto-activate-left",
        [WARNING_WATCHDOG_NOT_RESTORED] = "watchdog-not-restored",
        [WARNING_AUTOMATIC_WITHOUT_WINDOW] = "automatic-without-window",
};
DEFINE_STRING_TABLE(warning_code, WarningCode, warning_codes)

static void warning_free(void *data) {
        Warning *warning = data;

        g_free(warning->text);
        g_free(warning);
}

GPtrArray *warnings_new(void) {
        return g_ptr_array_new_with_free_func(warning_free);
}

const char *manager_standing_warning(const Manager *manager) {
        return profile_is_unenforceable(manager->profile)
                               ? "With this kernel driver the kernel may activate pending firmware by itself at any time."
                               : NULL;
}

static void add(GPtrArray *warnings, WarningCode code, char *text) {
        Warning *warning = g_new0(Warning, 1);

        warning->code = code;
        warning->text = text;
        g_ptr_array_add(warnings, warning);
}

static unsigned count_auto_activate(const Manager *manager) {
        GHashTableIter iterator;
        unsigned count = 0;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value))
                count += ((const Image *) value)->present &&
                         ((const Image *) value)->values.auto_activate == 1;
        return count;
}

static GPtrArray *find_warnings(const Manager *manager) {
        GPtrArray *warnings = warnings_new();
        const char *text;

        if (profile_is_unenforceable(manager->profile))
                add(warnings, WARNING_KERNEL_ACTIVATES,
                    g_strdup_printf("The kernel driver (%s) activates whatever is pending by itself, whenever firmware "
                                    "says so; lfad cannot stop it, and no policy can be enforced.",
                                    driver_profile_to_string(manager->profile)));
        if (manager->images_lost > 0)
                add(warnings, WARNING_TREE_LOST,
                    g_strdup_printf("The kernel driver lost %u of its images; nothing is activated until it was "
                                    "bound again, see lfad(8).",
                                    manager->images_lost));
        if (manager_records_error(manager, &text) != LFA_ERROR_NONE)
                add(warnings, WARNING_RECORDS_UNUSABLE,
                    g_strdup_printf("Nothing will be activated: %s", text));
        if (manager_has_event_storm(manager))
                add(warnings, WARNING_EVENT_STORM,
                    g_strdup_printf("The driver sends events without end: the kernel may be activating by itself again "
                                    "and again. auto_activate is set to 0; it is still 1 for %u images.",
                                    count_auto_activate(manager)));
        else if (manager->config->kernel_auto_activate == KERNEL_AUTO_LEAVE &&
                 count_auto_activate(manager) > 0)
                add(warnings, WARNING_AUTO_ACTIVATE_LEFT,
                    g_strdup_printf("The kernel activates %u images by itself (KernelAutoActivate=leave). With firmware "
                                    "that reports one as pending for ever it never ends, and a driver that sends no "
                                    "events does not show that.",
                                    count_auto_activate(manager)));
        if (envelope_trouble(manager->envelope))
                add(warnings, WARNING_WATCHDOG_NOT_RESTORED, g_strdup(envelope_trouble(manager->envelope)));
        if (config_has_automatic(manager->config) && manager->config->windows->len == 0)
                add(warnings, WARNING_AUTOMATIC_WITHOUT_WINDOW,
                    g_strdup("Automatic mode is on (Mode=automatic) and no window is configured: lfad activates "
                             "nothing by itself."));
        return warnings;
}

static bool has(const GPtrArray *warnings, WarningCode code) {
        for (unsigned i = 0; i < warnings->len; i++)
                if (((const Warning *) warnings->pdata[i])->code == code)
                        return true;
        return false;
}

/* The others are told where they are found. */
static const MessageId warning_messages[_WARNING_MAX] = {
        [WARNING_KERNEL_ACTIVATES] = LFA_MESSAGE_KERNEL_ACTIVATES,
        [WARNING_AUTO_ACTIVATE_LEFT] = LFA_MESSAGE_AUTO_ACTIVATE_LEFT,
        [WARNING_AUTOMATIC_WITHOUT_WINDOW] = LFA_MESSAGE_AUTOMATIC_WITHOUT_WINDOW,
};

static void log_new(const GPtrArray *warnings, const GPtrArray *old) {
        for (unsigned i = 0; i < warnings->len; i++) {
                const Warning *warning = warnings->pdata[i];

                MessageId message = warning_messages[warning->code];

                if (message != LFA_MESSAGE_NONE && !has(old, warning->code))
                        log_event(message, NULL, "%s", warning->text);
        }
}

static bool same(const GPtrArray *a, const GPtrArray *b) {
        if (a->len != b->len)
                return false;
        for (unsigned i = 0; i < a->len; i++)
                if (strcmp(((const Warning *) a->pdata[i])->text, ((const Warning *) b->pdata[i])->text) !=
                    0)
                        return false;
        return true;
}

void manager_update_warnings(Manager *manager) {
        GPtrArray *warnings = find_warnings(manager), *old = manager->warnings;

        if (same(warnings, old)) {
                g_ptr_array_unref(warnings);
                return;
        }
        log_new(warnings, old);
        manager->warnings = warnings;
        g_ptr_array_unref(old);
        manager->observer->manager_changed(MANAGER_PROPERTY_WARNINGS, manager->userdata);
}
