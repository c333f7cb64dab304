/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of advice. */

#include "ctl/advice.h"

#include "ctl/output.h"
#include "lfa/bus-names.h"
#include "lfa/error-names.h"
#include "lfa/firmware-codes.h"

#include <string.h>
#include <systemd/sd-bus-protocol.h>

typedef struct AdviceRow {
        const char *key;
        const char *text;
} AdviceRow;

#define LFA_ERROR_ADVICE(symbol, name, retryable, text) { LFA_ERROR_PREFIX name, text },

static const AdviceRow error_rows[] = {
        LFA_ERROR_TABLE(LFA_ERROR_ADVICE)
        /* the bus's own */
        { SD_BUS_ERROR_SERVICE_UNKNOWN, "lfad does not run; 'systemctl status lfad' tells why." },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, "lfad does not run; 'systemctl status lfad' tells why." },
        { SD_BUS_ERROR_ACCESS_DENIED, "Ask as root, or have polkit allow the action to you." },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
          "polkit wants a password: ask from a terminal without --no-ask-password, or as root." },
        { SD_BUS_ERROR_NO_REPLY,
          "lfad went away before it answered: what was asked for may have begun. See 'lfactl history'." },
        { SD_BUS_ERROR_TIMEOUT,
          "lfad did not answer in time; what was asked for may still happen. See 'lfactl status'." },
        { SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many jobs wait already; ask again when some have ended." },
        { SD_BUS_ERROR_UNKNOWN_OBJECT, "It is not, or no longer, there: look again with 'lfactl list'." },
        { SD_BUS_ERROR_UNKNOWN_METHOD,
          "The lfad that runs does not know this request; is it older than lfactl?" },
        { NULL, NULL },
};

#define FIRMWARE_CODE_ADVICE(symbol, name, number, retry, meaning, advice) { name, meaning " " advice },

static const AdviceRow firmware_code_rows[] = { LFA_FIRMWARE_CODE_TABLE(FIRMWARE_CODE_ADVICE){ NULL,
                                                                                               NULL } };

static const AdviceRow result_rows[] = {
        { "unverified",
          "The driver accepted it, but nothing proves which firmware runs now; check it by other means." },
        { "unknown",
          "The old or the new firmware may run: look at the host before anything else is tried." },
        { NULL, NULL },
};

static const AdviceRow driver_rows[] = {
        { "active", "the driver is there and serves images" },
        { "no-driver", "the kernel has no LFA driver bound: load or bind it, then 'lfactl refresh'" },
        { "no-firmware", "the driver is there, but its firmware offers no image" },
        { "tree-lost", "the driver lost some of its images: bind it again, see lfad(8)" },
        { "unenforceable", "this driver activates by itself: no policy can be enforced" },
        { "unknown", "the driver's tree has not been read, or could not be: see 'journalctl -u lfad'" },
        { NULL, NULL },
};

static const char *find(const AdviceRow *rows, const char *key) {
        for (; rows->key; rows++)
                if (strcmp(rows->key, key) == 0)
                        return rows->text;
        return NULL;
}

const char *advice_for_error(const char *error_name) {
        return find(error_rows, error_name);
}

const char *advice_short_error(const char *error_name) {
        return g_str_has_prefix(error_name, LFA_ERROR_PREFIX) ? error_name + strlen(LFA_ERROR_PREFIX)
                                                              : error_name;
}

const char *advice_for_firmware_code(const char *code) {
        return find(firmware_code_rows, code);
}

char *advice_error_and_code(const char *error_name, const char *firmware_code) {
        const char *error = advice_short_error(error_name);

        if (!*firmware_code)
                return g_strdup(error);
        return g_strdup_printf("%s%s[%s]", error, *error ? " " : "", firmware_code);
}

const char *advice_for_result(const char *result) {
        return find(result_rows, result);
}

const char *advice_for_driver(const char *driver_state) {
        const char *text = find(driver_rows, driver_state);

        return text ? text : "a state that this lfactl does not know";
}

bool advice_image_is_blocked(const Image *image, const char *gate) {
        json_object *blockers = json_object_object_get(image->properties, "Blockers");

        for (size_t i = 0;
             json_object_is_type(blockers, json_type_array) && i < json_object_array_length(blockers); i++)
                if (!gate ||
                    strcmp(json_object_get_string(json_object_array_get_idx(blockers, i)), gate) == 0)
                        return true;
        return false;
}

/* Where nothing is staged, the last job may have left something to do. */
static char *advice_when_idle(const Image *image) {
        if (strcmp(image->last_result, "unverified") == 0)
                return g_strdup("No new firmware is staged, but nothing proves that the last activation made its "
                                "firmware run: check that by other means.");
        if (strcmp(image->last_result, "failed") == 0)
                return g_strdup_printf("No new firmware is staged any more. The last activation failed: "
                                       "'lfactl history --image=%s --long' tells why.",
                                       image->label);
        return g_strdup(image->capable ? "Nothing to do: no new firmware is staged."
                                       : "Firmware cannot activate it live; nothing is staged.");
}

static char *advice_when_in_doubt(const Image *image) {
        return g_strdup_printf(
                        "The last activation ended unknown, the old or the new firmware may run: look at "
                        "the host and at 'lfactl history --image=%s' before anything else is tried. "
                        "See lfad-operations(7).",
                        image->label);
}

static char *advice_when_pending(const Image *image) {
        if (!image->capable)
                return g_strdup("New firmware is staged, but cannot be activated live: restart the host.");
        if (image->may_reset_cpu)
                return g_strdup("Activating it may reset CPUs, which no driver supports: restart the host.");
        if (advice_image_is_blocked(image, "hold"))
                return g_strdup("New firmware is staged, and activations are paused: 'lfactl status' says why and how "
                                "that ends ('lfactl unhold').");
        if (advice_image_is_blocked(image, NULL))
                return g_strdup_printf(
                                "New firmware is staged; 'lfactl explain %s' tells what stands against it.",
                                image->label);
        return g_strdup_printf("New firmware is staged: 'lfactl activate %s' makes it run.", image->label);
}

/* In these states nothing but the doubt about the last job matters; the others say themselves what to look at. */
static bool is_about_last_job(const Image *image) {
        static const char *const states[] = { "idle", "pending", "failed", NULL };

        return g_strv_contains(states, image->state);
}

char *advice_for_image(const Image *image) {
        static const AdviceRow rows[] = {
                { "scheduled",
                  "A job for it waits: 'lfactl monitor' follows it, 'lfactl cancel %s' ends it." },
                { "activating", "It is being activated: wait; 'lfactl monitor' follows it." },
                { "failed",
                  "The last activation did not succeed and it is still pending: read the error and "
                  "'lfactl history' before 'lfactl activate %s' is tried again. See lfad-operations(7)." },
                { "quarantined",
                  "It failed too often, or the host restarted in it: stage another version, or find "
                  "out why and 'lfactl clear-quarantine %s'. See lfad-operations(7)." },
                { "stale", "The driver is dropping it: wait a moment, then 'lfactl refresh'." },
                { NULL, NULL },
        };
        const char *text = find(rows, image->state);
        const char *place = text ? strstr(text, "%s") : NULL;

        if (image->in_doubt && is_about_last_job(image))
                return advice_when_in_doubt(image);
        if (strcmp(image->state, "pending") == 0)
                return advice_when_pending(image);
        if (strcmp(image->state, "idle") == 0)
                return advice_when_idle(image);
        if (!text)
                return g_strdup("A state that this lfactl does not know.");
        if (!place)
                return g_strdup(text);
        return g_strdup_printf("%.*s%s%s", (int) (place - text), text, image->label, place + 2);
}

bool advice_image_needs_attention(const Image *image) {
        return strcmp(image->state, "idle") != 0 || image->in_doubt;
}
