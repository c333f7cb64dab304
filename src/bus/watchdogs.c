/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GetWatchdogs: the host's hardware watchdogs, each with a judgement. Changes nothing. */

#include "bus/bus-errors.h"
#include "bus/options.h"
#include "bus/service.h"
#include "core/watchdog-plan.h"

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
                append_string(reply, "kind", "hardware"),
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

static int reply_watchdogs(const Question *question, const WatchdogReading *reading) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Manager *manager = question->service->manager;
        g_autoptr(WatchdogPlan) plan = watchdog_plan_new(reading, watchdog_need_usec(manager->profile), 0,
                                                         false, config_watchdog_settings, manager->config);
        int r = sd_bus_message_new_method_return(question->message, &reply);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (unsigned i = 0; r >= 0 && i < reading->watchdogs->len; i++)
                r = append_watchdog(reply, manager, &g_array_index(reading->watchdogs, Watchdog, i),
                                    &g_array_index(plan->judgements, WatchdogJudgement, i));
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void on_watchdogs(int error, const WatchdogReading *reading, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error bus_error = SD_BUS_ERROR_NULL;
        g_autoptr(Question) question = userdata;
        int r;

        if (error >= 0)
                r = reply_watchdogs(question, reading);
        else
                r = bus_error_set(&bus_error,
                                  error == -ECANCELED ? LFA_ERROR_SHUTTING_DOWN : LFA_ERROR_WORKER_FAILED,
                                  error == -ECANCELED
                                                  ? NULL
                                                  : "The watchdogs could not be read; see lfad's journal.");
        if (r < 0)
                (void) sd_bus_reply_method_errno(question->message, r, &bus_error);
}

int service_call_get_watchdogs(Service *service, sd_bus_message *message, sd_bus_error *error) {
        Question *question;
        int r = options_read(message, NULL, 0, NULL, error);

        if (r < 0)
                return r;
        question = g_new0(Question, 1);
        question->service = service;
        question->message = sd_bus_message_ref(message);
        r = watchdogs_ask(service->manager->watchdogs, on_watchdogs, question);
        if (r >= 0)
                return 1;
        question_free(question);
        return bus_error_standard(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many ask for the watchdogs.");
}
