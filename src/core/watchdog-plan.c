/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must be done so that no hardware watchdog resets the host during an activation. */

#include "core/watchdog-plan.h"
#include "util/macros.h"
#include "util/string-table.h"

#include <string.h>

/* Whole seconds are shown, rounded down, up to a second after the device was fed. */
#define READING_LOSS_USEC (2 * USEC_PER_SEC)

static const char *const actions[_WATCHDOG_ACTION_MAX] = {
        [WATCHDOG_ACTION_NONE] = "none",
        [WATCHDOG_ACTION_RAISE] = "raise",
        [WATCHDOG_ACTION_REFUSE] = "refuse",
};
DEFINE_STRING_TABLE(watchdog_action, WatchdogAction, actions)

static const Watchdog *device_at(const WatchdogReading *reading, unsigned i) {
        return &g_array_index(reading->watchdogs, Watchdog, i);
}

static int find_device(const WatchdogReading *reading, const char *name) {
        for (unsigned i = 0; i < reading->watchdogs->len; i++)
                if (strcmp(device_at(reading, i)->device, name) == 0)
                        return (int) i;
        return -1;
}

/* The one that somebody has opened, or may have; -1 when there are more. */
static int find_only_candidate(const WatchdogReading *reading) {
        int found = -1;

        for (unsigned i = 0; i < reading->watchdogs->len; i++) {
                if (device_at(reading, i)->state == WATCHDOG_INACTIVE)
                        continue;
                if (found >= 0)
                        return -1;
                found = (int) i;
        }
        return found;
}

int watchdog_find_systemd_device(const WatchdogReading *reading) {
        const char *path = reading->systemd.device, *name;
        int found;

        if (!reading->systemd.known || reading->systemd.timeout_usec == 0)
                return -1;
        if (!g_str_has_prefix(path, "/dev/"))
                return find_only_candidate(reading);
        name = path + strlen("/dev/");
        if (watchdog_is_class_device(name))
                return find_device(reading, name);
        if (strcmp(name, WATCHDOG_MISC_DEVICE) != 0)
                return find_only_candidate(reading); /* a link that udev made */
        /* The first class device registers the misc device, unless it belongs to a driver without a class device. */
        found = find_device(reading, WATCHDOG_MISC_DEVICE);
        return found >= 0 ? found : find_device(reading, WATCHDOG_MISC_DEVICE "0");
}

static uint64_t timeout_of(const Watchdog *watchdog) {
        int64_t seconds = watchdog->numbers[WATCHDOG_TIMEOUT];

        return seconds == WATCHDOG_ABSENT ? 0 : (uint64_t) seconds * USEC_PER_SEC;
}

/* systemd rounds up to whole seconds, so that one µs less than the present time-out leaves it as it is: what has changed
 * is set again, and fed. Where time left is shown there must be some room for what is lost in reading it. */
static uint64_t find_value(const Watchdog *watchdog, const WatchdogSettings *settings,
                           const WatchdogJudgement *judgement, const SystemdWatchdog *systemd) {
        uint64_t target = judgement->raise_to_usec, present = timeout_of(watchdog);

        if (watchdog->numbers[WATCHDOG_TIMELEFT] != WATCHDOG_ABSENT &&
            target < UINT64_MAX - READING_LOSS_USEC &&
            watchdog_can_hold(watchdog, settings, target + READING_LOSS_USEC))
                target += READING_LOSS_USEC;
        if (present >= target)
                return present - 1 != systemd->timeout_usec ? present - 1 : present - 2;
        /* The wish is higher than what the hardware took: another one, never a lower one. */
        if (systemd->timeout_usec != UINT64_MAX && systemd->timeout_usec >= target)
                return systemd->timeout_usec < UINT64_MAX - USEC_PER_SEC
                                       ? systemd->timeout_usec + USEC_PER_SEC
                                       : systemd->timeout_usec;
        return target;
}

static uint64_t round_up(uint64_t usec) {
        return usec / USEC_PER_SEC * USEC_PER_SEC + (usec % USEC_PER_SEC > 0 ? USEC_PER_SEC : 0);
}

static void judge_all(WatchdogPlan *plan, const WatchdogReading *reading, const WatchdogNeed *common,
                      WatchdogFindSettings find_settings, const void *userdata) {
        int fed = watchdog_find_systemd_device(reading);

        for (unsigned i = 0; i < reading->watchdogs->len; i++) {
                const Watchdog *watchdog = device_at(reading, i);
                const WatchdogSettings *settings = find_settings(watchdog, userdata);
                WatchdogNeed need = *common;
                WatchdogJudgement judgement;

                need.fed_by_systemd = (int) i == fed;
                need.pinged = common->pinged && need.fed_by_systemd;
                watchdog_judge(watchdog, settings, &need, &judgement);
                if (judgement.remedy == WATCHDOG_REMEDY_RAISE ||
                    judgement.remedy == WATCHDOG_REMEDY_MEASURE) {
                        plan->value_usec = find_value(watchdog, settings, &judgement, &reading->systemd);
                        judgement.raise_to_usec = round_up(plan->value_usec);
                }
                g_array_append_val(plan->judgements, judgement);
        }
}

static char *name_device(const Watchdog *watchdog) {
        return *watchdog->identity ? g_strdup_printf("%s (%s)", watchdog->device, watchdog->identity)
                                   : g_strdup(watchdog->device);
}

/* Short enough for the text of a gate. */
static char *explain_refusal(const Watchdog *watchdog, const WatchdogJudgement *judgement) {
        g_autofree char *name = name_device(watchdog), *need = watchdog_format_span(judgement->need_usec),
                        *usable = watchdog_format_span(judgement->usable_usec);
        g_autofree char *outlasts = judgement->usable_usec == UINT64_MAX
                                                    ? g_strdup("an unknown time")
                                                    : g_strdup_printf("%s for sure", usable);
        const char *way = judgement->owner == WATCHDOG_OWNER_SYSTEMD
                                          ? "set RuntimeWatchdogSec= of systemd longer"
                                          : "make its time-out longer or disarm it";

        return g_strdup_printf(
                        "Watchdog %s outlasts a stall of %s, and an activation may take %s. %c%s, or tell more of "
                        "it in [Watchdog %s] of lfad.conf: HardwareTimeoutSec=, or Ignore=yes; 'lfactl watchdog' "
                        "tells why.",
                        name, outlasts, need, g_ascii_toupper(*way), way + 1,
                        watchdog_configured_name(watchdog));
}

static char *explain_raise(const Watchdog *watchdog, const WatchdogJudgement *judgement) {
        g_autofree char *name = name_device(watchdog), *need = watchdog_format_span(judgement->need_usec),
                        *usable = watchdog_format_span(judgement->usable_usec),
                        *set = watchdog_format_span(judgement->raise_to_usec);

        return g_strdup_printf(
                        "Watchdog %s outlasts a stall of %s for sure, and an activation may take %s: systemd is told "
                        "to use a time-out of %s meanwhile.",
                        name, usable, need, set);
}

/* One device is raised at most, since systemd feeds one; the first that nothing helps decides. */
static void plan_for(WatchdogPlan *plan, const WatchdogReading *reading, unsigned i,
                     const WatchdogJudgement *judgement) {
        const Watchdog *watchdog = device_at(reading, i);
        bool impossible = judgement->remedy == WATCHDOG_REMEDY_IMPOSSIBLE;

        plan->action = impossible ? WATCHDOG_ACTION_REFUSE : WATCHDOG_ACTION_RAISE;
        g_free(plan->text);
        plan->text = impossible ? g_strdup("") : explain_raise(watchdog, judgement);
        g_free(plan->refusal);
        plan->refusal = explain_refusal(watchdog, judgement);
        plan->set_usec = impossible ? 0 : plan->value_usec;
}

WatchdogPlan *watchdog_plan_new(const WatchdogReading *reading, uint64_t worst_usec, uint64_t learned_usec,
                                bool pinged, WatchdogFindSettings find_settings, const void *userdata) {
        WatchdogNeed need = { .worst_usec = worst_usec, .learned_usec = learned_usec, .pinged = pinged };
        WatchdogPlan *plan = g_new0(WatchdogPlan, 1);

        plan->judgements = g_array_new(FALSE, FALSE, sizeof(WatchdogJudgement));
        plan->text = g_strdup("");
        plan->refusal = g_strdup("");
        judge_all(plan, reading, &need, find_settings, userdata);
        for (unsigned i = 0; i < plan->judgements->len && plan->action != WATCHDOG_ACTION_REFUSE; i++) {
                const WatchdogJudgement *judgement = &g_array_index(plan->judgements, WatchdogJudgement, i);

                if (!watchdog_is_safe(judgement->verdict))
                        plan_for(plan, reading, i, judgement);
        }
        return plan;
}

void *watchdog_plan_free(WatchdogPlan *plan) {
        if (plan) {
                g_array_unref(plan->judgements);
                g_free(plan->text);
                g_free(plan->refusal);
                g_free(plan);
        }
        return NULL;
}
