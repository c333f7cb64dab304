/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the driver's lines. The wording follows what the driver versions were seen to print:
 *
 *   LFA_PRIME failed: -7                                   rfc1, rfc2
 *   Firmware prime failed: LFA_AUTH_ERROR                  v1nv
 *   ACTIVATE for image N failed: LFA_x                     v1nv, once for each CPU
 *   LFA_PRIME for image N failed: LFA_x   ... timed out    v1 and later; LFA_ACTIVATE likewise
 *   Activation not cancelled for image N: LFA_x            every CANCEL that was refused
 *
 * with or without "Arm LFA: " before it. N is the kernel's name for the image, its GUID, nothing, or bytes
 * of a dead buffer, which the log has as \xNN. */

#include "core/firmware-reason.h"
#include "util/guid.h"
#include "util/macros.h"
#include "util/string-table.h"

#include <glib.h>
#include <stdlib.h>

static const char *const firmware_calls[_FIRMWARE_CALL_MAX] = {
        [FIRMWARE_CALL_NONE] = "",
        [FIRMWARE_CALL_PRIME] = "prime",
        [FIRMWARE_CALL_ACTIVATE] = "activate",
};
DEFINE_STRING_TABLE(firmware_call, FirmwareCall, firmware_calls)

#define PREFIX "Arm LFA: "
#define FOR_IMAGE " for image "
#define LEVEL_WARNING 4 /* the driver prints its failures at 3 */
#define UNKNOWN_NAME "(unknown)"

/* The names that driver versions have built in. */
static const struct {
        const char *name, *guid;
} kernel_names[] = {
        { "TF-A BL31 runtime", "47d4086d-4cfe-9846-9b95-2950cbbd5a00" },
        { "BL31 runtime", "47d4086d-4cfe-9846-9b95-2950cbbd5a00" },
        { "BL33 non-secure payload", "d6d0eea7-fcea-d54b-9782-9934f234b6e4" },
        { "TF-RMM", "6c0762a6-12f2-4b56-92cb-ba8f633606d9" },
        { "RMM", "6c0762a6-12f2-4b56-92cb-ba8f633606d9" },
};

/* How a line begins, what stands before its code, and which call it is about. CANCEL's failure is never the
 * reason, but tells that firmware is busy. */
static const struct {
        const char *head, *separator;
        FirmwareCall call;
} heads[] = {
        { "LFA_PRIME", " failed: ", FIRMWARE_CALL_PRIME },
        { "Firmware prime", " failed: ", FIRMWARE_CALL_PRIME },
        { "LFA_ACTIVATE", " failed: ", FIRMWARE_CALL_ACTIVATE },
        { "ACTIVATE", " failed: ", FIRMWARE_CALL_ACTIVATE },
        { "LFA_CANCEL", " failed: ", FIRMWARE_CALL_NONE },
        { "Activation not cancelled", ": ", FIRMWARE_CALL_NONE },
        { "Firmware activation could not be cancelled", ": ", FIRMWARE_CALL_NONE },
};

typedef struct Line {
        FirmwareCall call;
        FirmwareCode code;
        const char *name; /* behind "for image", not terminated; NULL: the line has no place for one */
        size_t name_length;
} Line;

typedef enum Whose {
        WHOSE_OURS,
        WHOSE_UNCLEAR,
        WHOSE_ANOTHERS,
} Whose;

void firmware_reason_begin(FirmwareReasonScan *scan, const char *guid, const char *name) {
        *scan = (FirmwareReasonScan){ .guid = guid, .name = name };
}

void firmware_reason_take_loss(FirmwareReasonScan *scan) {
        scan->lost = true;
}

/* "LFA_x" or a number, and nothing behind it. A code that is not in the catalogue still tells what failed.
 */
static bool parse_code(const char *text, FirmwareCode *ret) {
        char *end;
        long number;

        if (g_str_has_prefix(text, "LFA_")) {
                *ret = firmware_code_from_string(text);
                return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == 0;
        }
        number = strtol(text, &end, 10);
        if (text[0] != '-' || end == text + 1 || *end)
                return false;
        *ret = number >= INT32_MIN ? firmware_code_from_number((int) number) : FIRMWARE_CODE_NONE;
        return true;
}

/* Finds what came of the call at the end of rest, and how much of rest lies before it. A name may be
 * anything, so the last place that fits counts. */
static bool parse_outcome(const char *rest, const char *separator, FirmwareCall call, FirmwareCode *ret_code,
                          size_t *ret_length) {
        const char *found = g_strrstr(rest, separator);

        if (found && parse_code(found + strlen(separator), ret_code)) {
                *ret_length = (size_t) (found - rest);
                return true;
        }
        if (call == FIRMWARE_CALL_NONE || !g_str_has_suffix(rest, " timed out"))
                return false;
        *ret_code = call == FIRMWARE_CALL_PRIME ? FIRMWARE_CODE_PRIME_TIMED_OUT
                                                : FIRMWARE_CODE_ACTIVATE_TIMED_OUT;
        *ret_length = strlen(rest) - strlen(" timed out");
        return true;
}

/* What lies between a line's head and its outcome: nothing, or " for image NAME". */
static bool parse_name(const char *text, size_t length, Line *line) {
        if (length == 0) {
                line->name = NULL;
                return true;
        }
        if (length < strlen(FOR_IMAGE) || memcmp(text, FOR_IMAGE, strlen(FOR_IMAGE)) != 0)
                return false;
        line->name = text + strlen(FOR_IMAGE);
        line->name_length = length - strlen(FOR_IMAGE);
        return true;
}

static bool parse_line(const char *text, Line *ret) {
        if (g_str_has_prefix(text, PREFIX))
                text += strlen(PREFIX);
        for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
                const char *rest = text + strlen(heads[i].head);
                Line line = { .call = heads[i].call };
                size_t length;

                if (!g_str_has_prefix(text, heads[i].head) ||
                    !parse_outcome(rest, heads[i].separator, line.call, &line.code, &length) ||
                    !parse_name(rest, length, &line))
                        continue;
                *ret = line;
                return true;
        }
        return false;
}

static const char *guid_of_kernel_name(const char *name) {
        for (size_t i = 0; i < G_N_ELEMENTS(kernel_names); i++)
                if (strcmp(kernel_names[i].name, name) == 0)
                        return kernel_names[i].guid;
        return NULL;
}

/* Another image's only when that is certain: a GUID that differs, a name that is known to be another's, or
 * one that can be read and is not how the driver calls our image, when it calls it anything. */
static Whose judge_name(const FirmwareReasonScan *scan, const char *name) {
        char guid[GUID_STRING_SIZE];
        const char *known_guid = guid_of_kernel_name(name);

        if (guid_parse(name, guid) >= 0)
                return strcmp(guid, scan->guid) == 0 ? WHOSE_OURS : WHOSE_ANOTHERS;
        if (known_guid)
                return strcmp(known_guid, scan->guid) == 0 ? WHOSE_OURS : WHOSE_ANOTHERS;
        if (*name == 0 || *scan->name == 0 || strchr(name, '\\')) /* '\\': bytes that the log has escaped */
                return WHOSE_UNCLEAR;
        if (strcmp(name, scan->name) != 0)
                return WHOSE_ANOTHERS;
        return strcmp(name, UNKNOWN_NAME) == 0 ? WHOSE_UNCLEAR : WHOSE_OURS;
}

static Whose judge_line(const FirmwareReasonScan *scan, const Line *line) {
        g_autofree char *name = NULL;

        if (!line->name)
                return WHOSE_UNCLEAR;
        name = g_strndup(line->name, line->name_length);
        return judge_name(scan, name);
}

/* A run fails in one call. Should there be lines of both, some are another run's: ACTIVATE is then the call
 * that claims less. Of lines of one call (one a CPU) the last counts. */
static void take(FirmwareReason *reason, const Line *line) {
        reason->busy = reason->busy || line->code == FIRMWARE_CODE_BUSY;
        if (line->call == FIRMWARE_CALL_NONE || line->call < reason->call)
                return;
        reason->call = line->call;
        reason->code = line->code;
}

void firmware_reason_take_line(FirmwareReasonScan *scan, int level, const char *text) {
        Line line;

        if (level > LEVEL_WARNING || !parse_line(text, &line))
                return;
        switch (judge_line(scan, &line)) {
        case WHOSE_OURS:
                take(&scan->named, &line);
                break;
        case WHOSE_UNCLEAR:
                take(&scan->unnamed, &line);
                break;
        default:
                break;
        }
}

/* Lines that name the image beat those that name none. Of those that name none, our own may be the one that
 * is missing. */
static FirmwareReason choose(const FirmwareReasonScan *scan) {
        FirmwareReason reason = scan->named;

        if (reason.call == FIRMWARE_CALL_NONE && !scan->lost)
                reason = scan->unnamed;
        reason.busy = scan->named.busy || scan->unnamed.busy;
        reason.lost = scan->lost;
        return reason;
}

FirmwareReason firmware_reason_end(const FirmwareReasonScan *scan, DriverProfile profile, bool accepted,
                                   uint64_t write_usec) {
        FirmwareReason reason = choose(scan);
        uint64_t budget = profile_activate_budget_usec(profile);

        /* A write that succeeds has failed in no call, but for versions that hide a failed ACTIVATE. */
        if (accepted && (!profile_success_unreliable(profile) || reason.call != FIRMWARE_CALL_ACTIVATE))
                return (FirmwareReason){ .lost = reason.lost };
        if (reason.code == FIRMWARE_CODE_DEVICE_ERROR && reason.call == FIRMWARE_CALL_ACTIVATE &&
            budget > 0 && write_usec >= budget)
                reason.code = FIRMWARE_CODE_ACTIVATE_TIMED_OUT;
        return reason;
}
