/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker's answers as JSON: written by lfad-worker, read by lfad. */

#include "worker/answer.h"
#include "core/enum-names.h"
#include "util/printable.h"
#include "util/string-table.h"

static const char *const answer_types[_ANSWER_MAX] = {
        [ANSWER_DRIVER] = "driver",   [ANSWER_IMAGE] = "image", [ANSWER_WRITING] = "writing",
        [ANSWER_RESULT] = "result",   [ANSWER_END] = "end",     [ANSWER_WATCHDOG] = "watchdog",
        [ANSWER_LOCKUPS] = "lockups",
};
DEFINE_STRING_TABLE(answer_type, AnswerType, answer_types)

#define ERRNO_MAX 4095
#define ATTEMPTS_MAX 1000

/* Each flag of the values and its key. */
static const struct {
        const char *key;
        size_t offset;
} flags[] = {
        { "capable", offsetof(ImageValues, capable) },
        { "pending", offsetof(ImageValues, pending) },
        { "may-reset-cpu", offsetof(ImageValues, may_reset_cpu) },
        { "cpu-rendezvous", offsetof(ImageValues, cpu_rendezvous) },
        { "force-cpu-rendezvous", offsetof(ImageValues, force_cpu_rendezvous) },
        { "auto-activate", offsetof(ImageValues, auto_activate) },
};

static int8_t *flag_of(const ImageValues *values, size_t i) {
        return (int8_t *) ((char *) values + flags[i].offset);
}

json_object *answer_new(AnswerType type) {
        json_object *object = json_object_new_object();

        json_add_string(object, "type", answer_type_to_string(type));
        return object;
}

json_object *answer_from_driver(const Tree *tree) {
        json_object *object = answer_new(ANSWER_DRIVER);

        json_add_string(object, "state", driver_state_to_string(tree->driver_state));
        json_add_string(object, "profile", driver_profile_to_string(tree->profile));
        json_add_u64(object, "tree", tree->id);
        return object;
}

static void add_values(json_object *object, const ImageValues *values) {
        json_add_string(object, "guid", values->guid);
        json_add_string(object, "name", values->name);
        for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
                if (*flag_of(values, i) >= 0)
                        json_add_u64(object, flags[i].key, (uint64_t) *flag_of(values, i));
        json_add_string(object, "current-version", values->current_version);
        json_add_string(object, "pending-version", values->pending_version);
}

json_object *answer_from_image(const ImageValues *values) {
        json_object *object = answer_new(ANSWER_IMAGE);

        add_values(object, values);
        return object;
}

json_object *answer_from_error(int error) {
        json_object *object = answer_new(ANSWER_END);

        json_add_u64(object, "error", (uint64_t) error);
        return object;
}

static void add_nested_values(json_object *object, const char *key, const ImageValues *values) {
        json_object *nested = json_object_new_object();

        add_values(nested, values);
        json_object_object_add(object, key, nested);
}

static void add_reason(json_object *object, const FirmwareReason *reason) {
        json_add_string(object, "firmware-call", firmware_call_to_string(reason->call));
        json_add_string(object, "firmware-code", firmware_code_to_string(reason->code));
        json_object_object_add(object, "log-busy", json_object_new_boolean(reason->busy));
        json_object_object_add(object, "log-lost", json_object_new_boolean(reason->lost));
}

static void add_blackout(json_object *object, const Blackout *blackout) {
        if (!blackout->measured)
                return;
        json_add_u64(object, "blackout-usec", blackout->usec);
        json_add_u64(object, "blackout-count", blackout->count);
        json_add_u64(object, "blackout-sum-usec", blackout->sum_usec);
        json_add_u64(object, "blackout-floor-usec", blackout->floor_usec);
}

json_object *answer_from_report(const ActivationReport *report) {
        json_object *object = answer_new(ANSWER_RESULT);

        json_add_u64(object, "job", report->job);
        json_add_string(object, "guid", report->guid);
        json_add_string(object, "boot-id", report->boot_id);
        json_add_string(object, "profile", driver_profile_to_string(report->profile));
        json_add_string(object, "stage", report_stage_to_string(report->stage));
        json_add_u64(object, "error", (uint64_t) report->error);
        json_add_u64(object, "attempts", report->attempts);
        json_add_u64(object, "write-usec", report->write_usec);
        json_add_u64(object, "write-timestamp", report->write_timestamp);
        json_object_object_add(object, "gone", json_object_new_boolean(report->gone));
        json_object_object_add(object, "stale", json_object_new_boolean(report->stale));
        json_object_object_add(object, "cancel-sent", json_object_new_boolean(report->cancel_sent));
        json_add_u64(object, "cancel-error", (uint64_t) report->cancel_error);
        add_reason(object, &report->reason);
        add_blackout(object, &report->blackout);
        add_nested_values(object, "before", &report->before);
        add_nested_values(object, "after", &report->after);
        return object;
}

json_object *answer_from_watchdog(const Watchdog *watchdog) {
        json_object *object = answer_new(ANSWER_WATCHDOG);

        json_add_string(object, "device", watchdog->device);
        json_add_string(object, "identity", watchdog->identity);
        json_add_string(object, "state", watchdog_state_to_string(watchdog->state));
        json_object_object_add(object, "garbled", json_object_new_boolean(watchdog->garbled));
        for (int i = 0; i < _WATCHDOG_NUMBER_MAX; i++)
                if (watchdog->numbers[i] != WATCHDOG_ABSENT)
                        json_add_u64(object, watchdog_number_to_string((WatchdogNumber) i),
                                     (uint64_t) watchdog->numbers[i]);
        return object;
}

json_object *answer_from_lockups(const Lockups *lockups) {
        json_object *object = answer_new(ANSWER_LOCKUPS);

        for (int i = 0; i < _LOCKUP_NUMBER_MAX; i++)
                if (lockups->numbers[i] != LOCKUP_ABSENT)
                        json_add_u64(object, lockup_number_to_string((LockupNumber) i),
                                     (uint64_t) lockups->numbers[i]);
        return object;
}

/* A version as version_parse leaves it, or absent. */
static int get_version(json_object *object, const char *key, char ret[static VERSION_SIZE]) {
        char version[VERSION_SIZE];
        const char *text;
        int r = json_get_string(object, key, &text);

        if (r == -ENOENT)
                return 0;
        if (r < 0 || version_parse(text, version) < 0)
                return -EBADMSG;
        memcpy(ret, version, VERSION_SIZE);
        return 0;
}

/* As clean_text leaves it, or absent: json-c lets control characters and surrogates through, and no bus
 * would take half a character. */
static int get_text(json_object *object, const char *key, char *ret, size_t size) {
        const char *text;
        int r = json_get_string(object, key, &text);

        if (r == -ENOENT)
                return 0;
        if (r < 0 || strlen(text) >= size || !is_printable(text))
                return -EBADMSG;
        g_strlcpy(ret, text, size);
        return 0;
}

static int get_values(json_object *object, ImageValues *ret) {
        ImageValues values;
        const char *text;

        if (json_get_string(object, "guid", &text) < 0 || !guid_is_valid(text))
                return -EBADMSG;
        image_values_init(&values, text);
        for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
                int flag = -1, r = json_get_int(object, flags[i].key, 0, 1, &flag);

                if (r < 0 && r != -ENOENT)
                        return -EBADMSG;
                *flag_of(&values, i) = (int8_t) flag;
        }
        if (get_version(object, "current-version", values.current_version) < 0 ||
            get_version(object, "pending-version", values.pending_version) < 0)
                return -EBADMSG;
        if (get_text(object, "name", values.name, sizeof(values.name)) < 0)
                return -EBADMSG;
        *ret = values;
        return 0;
}

static int get_driver(json_object *object, Answer *answer) {
        const char *text;

        if (json_get_string(object, "state", &text) < 0)
                return -EBADMSG;
        answer->driver.state = driver_state_from_string(text);
        if (json_get_string(object, "profile", &text) < 0)
                return -EBADMSG;
        answer->driver.profile = driver_profile_from_string(text);
        if (json_get_u64(object, "tree", &answer->driver.tree) < 0)
                return -EBADMSG;
        return (int) answer->driver.state < 0 || (int) answer->driver.profile < 0 ? -EBADMSG : 0;
}

static int get_report_header(json_object *object, ActivationReport *report) {
        const char *text;
        int number;

        if (json_get_int(object, "job", 0, INT32_MAX, &number) < 0)
                return -EBADMSG;
        report->job = (uint32_t) number;
        if (json_get_string(object, "guid", &text) < 0 || !guid_is_valid(text))
                return -EBADMSG;
        memcpy(report->guid, text, GUID_STRING_SIZE);
        if (json_get_string(object, "boot-id", &text) < 0 || strlen(text) != BOOT_ID_SIZE - 1)
                return -EBADMSG;
        memcpy(report->boot_id, text, BOOT_ID_SIZE);
        if (json_get_string(object, "profile", &text) < 0)
                return -EBADMSG;
        report->profile = driver_profile_from_string(text);
        if (json_get_string(object, "stage", &text) < 0)
                return -EBADMSG;
        report->stage = report_stage_from_string(text);
        return (int) report->profile < 0 || (int) report->stage < 0 ? -EBADMSG : 0;
}

/* All of it is optional: a worker of an earlier version knows nothing of it, and a code that only a later one
 * knows must not cost the evidence. */
static int get_reason(json_object *object, FirmwareReason *reason) {
        const char *call = "", *code = "";
        int r[] = {
                json_get_string(object, "firmware-call", &call),
                json_get_string(object, "firmware-code", &code),
                json_get_bool(object, "log-busy", &reason->busy),
                json_get_bool(object, "log-lost", &reason->lost),
        };

        for (size_t i = 0; i < G_N_ELEMENTS(r); i++)
                if (r[i] < 0 && r[i] != -ENOENT)
                        return -EBADMSG;
        reason->call = firmware_call_from_string(call);
        reason->code = firmware_code_from_string(code);
        return (int) reason->call < 0 ? -EBADMSG : 0;
}

/* All of it or nothing: where there was no sampler nothing was measured. */
static int get_blackout(json_object *object, Blackout *ret) {
        Blackout blackout = { .measured = true };
        int count, missing = 0,
                   r[] = {
                           json_get_u64(object, "blackout-usec", &blackout.usec),
                           json_get_int(object, "blackout-count", 0, INT_MAX, &count),
                           json_get_u64(object, "blackout-sum-usec", &blackout.sum_usec),
                           json_get_u64(object, "blackout-floor-usec", &blackout.floor_usec),
                   };

        for (size_t i = 0; i < G_N_ELEMENTS(r); i++)
                if (r[i] == -ENOENT)
                        missing++;
                else if (r[i] < 0)
                        return -EBADMSG;
        if (missing == G_N_ELEMENTS(r))
                return 0;
        if (missing > 0)
                return -EBADMSG;
        blackout.count = (unsigned) count;
        *ret = blackout;
        return 0;
}

static int get_report(json_object *object, ActivationReport *report) {
        json_object *before, *after;
        int attempts;

        if (get_report_header(object, report) < 0 ||
            json_get_int(object, "error", 0, ERRNO_MAX, &report->error) < 0 ||
            json_get_int(object, "attempts", 0, ATTEMPTS_MAX, &attempts) < 0 ||
            json_get_u64(object, "write-usec", &report->write_usec) < 0 ||
            json_get_u64(object, "write-timestamp", &report->write_timestamp) < 0 ||
            json_get_bool(object, "gone", &report->gone) < 0 ||
            json_get_bool(object, "stale", &report->stale) < 0 ||
            json_get_bool(object, "cancel-sent", &report->cancel_sent) < 0 ||
            json_get_int(object, "cancel-error", 0, ERRNO_MAX, &report->cancel_error) < 0 ||
            json_get_object(object, "before", &before) < 0 || json_get_object(object, "after", &after) < 0)
                return -EBADMSG;
        report->attempts = (unsigned) attempts;
        if (get_reason(object, &report->reason) < 0 || get_blackout(object, &report->blackout) < 0)
                return -EBADMSG;
        if (get_values(before, &report->before) < 0 || get_values(after, &report->after) < 0)
                return -EBADMSG;
        return strcmp(report->before.guid, report->guid) == 0 &&
                                               strcmp(report->after.guid, report->guid) == 0
                               ? 0
                               : -EBADMSG;
}

static int get_watchdog(json_object *object, Watchdog *ret) {
        const char *text;

        if (json_get_string(object, "device", &text) < 0 ||
            (!watchdog_is_class_device(text) && strcmp(text, WATCHDOG_MISC_DEVICE) != 0))
                return -EBADMSG;
        watchdog_init(ret, text);
        if (get_text(object, "identity", ret->identity, sizeof(ret->identity)) < 0 ||
            json_get_string(object, "state", &text) < 0 ||
            json_get_bool(object, "garbled", &ret->garbled) < 0)
                return -EBADMSG;
        ret->state = watchdog_state_from_string(text);
        for (int i = 0; i < _WATCHDOG_NUMBER_MAX; i++) {
                uint64_t number = 0;
                int r = json_get_u64(object, watchdog_number_to_string((WatchdogNumber) i), &number);

                if ((r < 0 && r != -ENOENT) || number > WATCHDOG_VALUE_MAXIMUM)
                        return -EBADMSG;
                if (r == 0)
                        ret->numbers[i] = (int64_t) number;
        }
        return (int) ret->state < 0 ? -EBADMSG : 0;
}

static int get_lockups(json_object *object, Lockups *ret) {
        lockups_init(ret);
        for (int i = 0; i < _LOCKUP_NUMBER_MAX; i++) {
                uint64_t number = 0;
                int r = json_get_u64(object, lockup_number_to_string((LockupNumber) i), &number);

                if ((r < 0 && r != -ENOENT) || number > LOCKUP_VALUE_MAXIMUM)
                        return -EBADMSG;
                if (r == 0)
                        ret->numbers[i] = (int64_t) number;
        }
        return 0;
}

int answer_parse(const char *line, size_t length, Answer *ret) {
        _cleanup_json_ json_object *object = NULL;
        Answer answer = { 0 };
        const char *text;
        int r = 0;

        if (length > ANSWER_LINE_MAX)
                return -EBADMSG;
        object = json_parse_line(line, length);
        if (!object || json_get_string(object, "type", &text) < 0)
                return -EBADMSG;
        answer.type = answer_type_from_string(text);
        switch (answer.type) {
        case ANSWER_DRIVER:
                r = get_driver(object, &answer);
                break;
        case ANSWER_IMAGE:
                r = get_values(object, &answer.image);
                break;
        case ANSWER_WRITING:
                break;
        case ANSWER_RESULT:
                r = get_report(object, &answer.report);
                break;
        case ANSWER_WATCHDOG:
                r = get_watchdog(object, &answer.watchdog);
                break;
        case ANSWER_LOCKUPS:
                r = get_lockups(object, &answer.lockups);
                break;
        case ANSWER_END:
                r = json_get_int(object, "error", 0, ERRNO_MAX, &answer.error);
                break;
        default:
                return -EBADMSG;
        }
        if (r < 0)
                return -EBADMSG;
        *ret = answer;
        return 0;
}
