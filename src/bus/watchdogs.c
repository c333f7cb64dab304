/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetWatchdogs: whatever may take an activation for a standstill: the host's hardware watchdogs, each with a judgement,
 * then those of the kernel's own detectors and of the watched services that are shorter than what one may take. Changes
 * nothing. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/service.h"
#include "core/watchdog-plan.h"

#define TOO_MANY "Too many ask for the watchdogs."

typedef enum Kind {
        KIND_HARDWARE,
        KIND_KERNEL,
        KIND_UNIT,
        _KIND_MAX,
} Kind;

static const char *const kinds[_KIND_MAX] = {
        [KIND_HARDWARE] = "hardware",
        [KIND_KERNEL] = "kernel",
        [KIND_UNIT] = "unit",
};

typedef struct Question {
        Service *service; /* weak; gone perhaps when the answer is -ECANCELED */
        sd_bus_message *message;
} Question;

static void question_free(Question *question) {
        sd_bus_message_unref(question->message);
        g_free(question);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Question, question_free)

static int append_string(sd_bus_message *reply, const char *key, const char *value) {
        return *value ? sd_bus_message_append(reply, "{sv}", key, "s", value) : 0;
}

static int append_usec(sd_bus_message *reply, const char *key, bool known, uint64_t usec) {
        return known ? sd_bus_message_append(reply, "{sv}", key, "t", usec) : 0;
}

static int append_seconds(sd_bus_message *reply, const char *key, const Watchdog *watchdog,
                          WatchdogNumber number) {
        int64_t seconds = watchdog->numbers[number];

        return append_usec(reply, key, seconds != WATCHDOG_ABSENT, (uint64_t) seconds * USEC_PER_SEC);
}

static int append_flag(sd_bus_message *reply, const char *key, int64_t value) {
        return value != WATCHDOG_ABSENT ? sd_bus_message_append(reply, "{sv}", key, "b", value != 0) : 0;
}

/* What the device and the configuration say. */
static int append_facts(sd_bus_message *reply, const Watchdog *watchdog, const WatchdogSettings *settings,
                        const WatchdogJudgement *judgement) {
        uint64_t stated = settings ? settings->hardware_timeout_usec : 0;
        int r[] = {
                append_string(reply, "kind", kinds[KIND_HARDWARE]),
                append_string(reply, "device", watchdog->device),
                append_string(reply, "identity", watchdog->identity),
                append_string(reply, "owner", watchdog_owner_to_string(judgement->owner)),
                append_string(reply, "state", watchdog_state_to_string(watchdog->state)),
                append_seconds(reply, "timeout-usec", watchdog, WATCHDOG_TIMEOUT),
                append_seconds(reply, "pretimeout-usec", watchdog, WATCHDOG_PRETIMEOUT),
                append_seconds(reply, "timeleft-usec", watchdog, WATCHDOG_TIMELEFT),
                append_seconds(reply, "min-timeout-usec", watchdog, WATCHDOG_MIN_TIMEOUT),
                append_seconds(reply, "max-timeout-usec", watchdog, WATCHDOG_MAX_TIMEOUT),
                append_flag(reply, "nowayout", watchdog->numbers[WATCHDOG_NOWAYOUT]),
                append_usec(reply, "hardware-timeout-usec", stated > 0, stated),
        };

        for (size_t i = 0; i < G_N_ELEMENTS(r); i++)
                if (r[i] < 0)
                        return r[i];
        return 0;
}

static int append_judgement(sd_bus_message *reply, const Watchdog *watchdog,
                            const WatchdogSettings *settings, const WatchdogJudgement *judgement) {
        g_autofree char *text = watchdog_explain(watchdog, settings, judgement);
        int r[] = {
                append_usec(reply, "usable-stall-usec", judgement->usable_usec != UINT64_MAX,
                            judgement->usable_usec),
                append_usec(reply, "need-usec", true, judgement->need_usec),
                append_usec(reply, "raise-to-usec",
                            judgement->remedy == WATCHDOG_REMEDY_RAISE ||
                                            judgement->remedy == WATCHDOG_REMEDY_MEASURE,
                            judgement->raise_to_usec),
                append_string(reply, "verdict", watchdog_verdict_to_string(judgement->verdict)),
                append_string(reply, "remedy", watchdog_remedy_to_string(judgement->remedy)),
                append_string(reply, "text", text),
        };

        for (size_t i = 0; i < G_N_ELEMENTS(r); i++)
                if (r[i] < 0)
                        return r[i];
        return 0;
}

static int append_watchdog(sd_bus_message *reply, const Manager *manager, const Watchdog *watchdog,
                           const WatchdogJudgement *judgement) {
        const WatchdogSettings *settings = config_watchdog_settings(watchdog, manager->config);
        int r = sd_bus_message_open_container(reply, 'a', "{sv}");

        if (r >= 0)
                r = append_facts(reply, watchdog, settings, judgement);
        if (r >= 0)
                r = append_judgement(reply, watchdog, settings, judgement);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* What is no device, and shorter than what an activation may take. */
typedef struct Other {
        Kind kind;
        const char *name, *text;
        uint64_t limit_usec, need_usec;
        int64_t panics; /* 0, 1, or WATCHDOG_ABSENT */
} Other;

static int append_other(sd_bus_message *reply, const Other *other) {
        int r = sd_bus_message_open_container(reply, 'a', "{sv}");

        if (r >= 0)
                r = append_string(reply, "kind", kinds[other->kind]);
        if (r >= 0)
                r = append_string(reply, "name", other->name);
        if (r >= 0)
                r = append_usec(reply, "limit-usec", true, other->limit_usec);
        if (r >= 0)
                r = append_usec(reply, "need-usec", true, other->need_usec);
        if (r >= 0)
                r = append_flag(reply, "panics", other->panics);
        if (r >= 0)
                r = append_string(reply, "text", other->text);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_lockups(sd_bus_message *reply, const Lockups *lockups, uint64_t need_usec) {
        int r = 0;

        for (int i = 0; r >= 0 && i < _LOCKUP_MAX; i++) {
                g_autofree char *text = NULL;
                uint64_t limit_usec;
                bool panics;

                if (!lockup_is_within(lockups, (LockupId) i, need_usec, &limit_usec, &panics))
                        continue;
                text = lockup_explain((LockupId) i, need_usec, limit_usec, panics);
                r = append_other(reply, &(Other){ .kind = KIND_KERNEL,
                                                  .name = lockup_to_string((LockupId) i),
                                                  .text = text,
                                                  .limit_usec = limit_usec,
                                                  .need_usec = need_usec,
                                                  .panics = panics });
        }
        return r;
}

static int append_unit(sd_bus_message *reply, const UnitWatchdog *unit, uint64_t need_usec) {
        g_autofree char *limit = watchdog_format_span(unit->usec), *need = watchdog_format_span(need_usec);
        g_autofree char *text = g_strdup_printf(
                        "systemd may restart %s after an activation, which may take %s: the service "
                        "has to speak up every %s (WatchdogSec=), and does so about twice as "
                        "often.",
                        unit->name, need, limit);

        return append_other(reply, &(Other){ .kind = KIND_UNIT,
                                             .name = unit->name,
                                             .text = text,
                                             .limit_usec = unit->usec,
                                             .need_usec = need_usec,
                                             .panics = WATCHDOG_ABSENT });
}

/* A service says that it is alive about every half of its time (sd_watchdog_enabled(3)): only the other half is left
 * for sure. */
static int append_units(sd_bus_message *reply, const GPtrArray *units, uint64_t need_usec) {
        int r = 0;

        for (unsigned i = 0; r >= 0 && units && i < units->len; i++)
                if (((const UnitWatchdog *) units->pdata[i])->usec / 2 < need_usec)
                        r = append_unit(reply, units->pdata[i], need_usec);
        return r;
}

static int reply_watchdogs(const Question *question, const WatchdogReading *reading) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Manager *manager = question->service->manager;
        uint64_t need_usec = watchdog_need_usec(manager->profile);
        g_autoptr(WatchdogPlan) plan = watchdog_plan_new(reading, need_usec, 0, false,
                                                         config_watchdog_settings, manager->config);
        int r = sd_bus_message_new_method_return(question->message, &reply);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (unsigned i = 0; r >= 0 && i < reading->watchdogs->len; i++)
                r = append_watchdog(reply, manager, &g_array_index(reading->watchdogs, Watchdog, i),
                                    &g_array_index(plan->judgements, WatchdogJudgement, i));
        if (r >= 0)
                r = append_lockups(reply, &reading->lockups, need_usec);
        if (r >= 0)
                r = append_units(reply, unit_watchdogs_last(manager->unit_watchdogs), need_usec);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* Takes the question. */
static void fail(Question *owned, ErrorId id, const char *text) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        g_autoptr(Question) question = owned;
        int r = bus_error_set(&error, id, text);

        (void) sd_bus_reply_method_errno(question->message, r, &error);
}

static void on_watchdogs(int error, const WatchdogReading *reading, void *userdata) {
        g_autoptr(Question) question = userdata;
        int r;

        if (error == -ECANCELED)
                fail(g_steal_pointer(&question), LFA_ERROR_SHUTTING_DOWN, NULL);
        else if (error < 0)
                fail(g_steal_pointer(&question), LFA_ERROR_WORKER_FAILED,
                     "The watchdogs could not be read; see lfad's journal.");
        else if ((r = reply_watchdogs(question, reading)) < 0)
                (void) sd_bus_reply_method_errno(question->message, r, NULL);
}

static void on_units(int error, const GPtrArray *units, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error bus_error = SD_BUS_ERROR_NULL;
        g_autoptr(Question) question = userdata;
        int r;

        if (error < 0)
                fail(g_steal_pointer(&question), LFA_ERROR_SHUTTING_DOWN, NULL);
        else if (watchdogs_ask(question->service->manager->watchdogs, on_watchdogs, question) >= 0)
                (void) g_steal_pointer(&question);
        else {
                r = bus_error_standard(&bus_error, SD_BUS_ERROR_LIMITS_EXCEEDED, TOO_MANY);
                (void) sd_bus_reply_method_errno(question->message, r, &bus_error);
        }
}

int service_call_get_watchdogs(Service *service, sd_bus_message *message, sd_bus_error *error) {
        Question *question;
        int r = options_read(message, NULL, 0, NULL, error);

        if (r < 0)
                return r;
        question = g_new0(Question, 1);
        question->service = service;
        question->message = sd_bus_message_ref(message);
        r = unit_watchdogs_ask(service->manager->unit_watchdogs, on_units, question);
        if (r >= 0)
                return 1;
        question_free(question);
        return bus_error_standard(error, SD_BUS_ERROR_LIMITS_EXCEEDED, TOO_MANY);
}
