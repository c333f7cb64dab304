/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether hardware watchdogs outlast an activation. */

#include "core/watchdog.h"
#include "core/profile.h"
#include "util/macros.h"
#include "util/string-table.h"

#include <glib.h>
#include <string.h>

static const char *const states[_WATCHDOG_STATE_MAX] = {
        [WATCHDOG_STATE_UNKNOWN] = "unknown",
        [WATCHDOG_ACTIVE] = "active",
        [WATCHDOG_INACTIVE] = "inactive",
};
DEFINE_STRING_TABLE(watchdog_state, WatchdogState, states)

static const char *const numbers[_WATCHDOG_NUMBER_MAX] = {
        [WATCHDOG_TIMEOUT] = "timeout",         [WATCHDOG_PRETIMEOUT] = "pretimeout",
        [WATCHDOG_TIMELEFT] = "timeleft",       [WATCHDOG_MIN_TIMEOUT] = "min_timeout",
        [WATCHDOG_MAX_TIMEOUT] = "max_timeout", [WATCHDOG_NOWAYOUT] = "nowayout",
};
DEFINE_STRING_TABLE(watchdog_number, WatchdogNumber, numbers)

static const char *const owners[_WATCHDOG_OWNER_MAX] = {
        [WATCHDOG_OWNER_UNKNOWN] = "unknown",
        [WATCHDOG_OWNER_NOBODY] = "nobody",
        [WATCHDOG_OWNER_KERNEL] = "kernel",
        [WATCHDOG_OWNER_SYSTEMD] = "systemd",
};
DEFINE_STRING_TABLE(watchdog_owner, WatchdogOwner, owners)

static const char *const verdicts[_WATCHDOG_VERDICT_MAX] = {
        [WATCHDOG_SUFFICIENT] = "sufficient", [WATCHDOG_TOO_SHORT] = "too-short",
        [WATCHDOG_UNKNOWN] = "unknown",       [WATCHDOG_IGNORED] = "ignored",
        [WATCHDOG_NOT_ARMED] = "inactive",    [WATCHDOG_OUTLASTS_LEARNED] = "learned",
};
DEFINE_STRING_TABLE(watchdog_verdict, WatchdogVerdict, verdicts)

static const char *const remedies[_WATCHDOG_REMEDY_MAX] = {
        [WATCHDOG_REMEDY_NONE] = "none",
        [WATCHDOG_REMEDY_RAISE] = "raise",
        [WATCHDOG_REMEDY_MEASURE] = "measure",
        [WATCHDOG_REMEDY_IMPOSSIBLE] = "impossible",
};
DEFINE_STRING_TABLE(watchdog_remedy, WatchdogRemedy, remedies)

bool watchdog_is_class_device(const char *name) {
        const char *number = name + strlen(WATCHDOG_MISC_DEVICE);

        return g_str_has_prefix(name, WATCHDOG_MISC_DEVICE) && strlen(name) < WATCHDOG_DEVICE_SIZE &&
               *number && !number[strspn(number, G_CSET_DIGITS)];
}

void watchdog_init(Watchdog *watchdog, const char *device) {
        memset(watchdog, 0, sizeof(*watchdog));
        g_strlcpy(watchdog->device, device, sizeof(watchdog->device));
        for (int i = 0; i < _WATCHDOG_NUMBER_MAX; i++)
                watchdog->numbers[i] = WATCHDOG_ABSENT;
}

const char *watchdog_configured_name(const Watchdog *watchdog) {
        return *watchdog->identity ? watchdog->identity : watchdog->device;
}

uint64_t watchdog_need_usec(DriverProfile profile) {
        uint64_t budget = profile_activate_budget_usec(profile);

        /* A driver that fits no description may be one without a limit. */
        return profile == PROFILE_UNKNOWN || budget == 0 ? UINT64_MAX : budget;
}

static bool has(const Watchdog *watchdog, WatchdogNumber number) {
        return watchdog->numbers[number] != WATCHDOG_ABSENT;
}

/* 0 when absent. */
static uint64_t usec_of(const Watchdog *watchdog, WatchdogNumber number) {
        return has(watchdog, number) ? (uint64_t) watchdog->numbers[number] * USEC_PER_SEC : 0;
}

typedef enum Relevance {
        IRRELEVANT,
        RELEVANT,
        DOUBTFUL,
} Relevance;

/* Who feeds it, and whether it can bite. A device that nobody has opened, yet has time left, was started by firmware,
 * and is fed by the kernel, which an activation stops as well. */
static Relevance find_owner(const Watchdog *watchdog, WatchdogOwner *ret) {
        *ret = WATCHDOG_OWNER_UNKNOWN;
        if (watchdog->state == WATCHDOG_ACTIVE)
                return RELEVANT;
        if (watchdog->state != WATCHDOG_INACTIVE || (watchdog->garbled && !has(watchdog, WATCHDOG_TIMELEFT)))
                return DOUBTFUL;
        *ret = WATCHDOG_OWNER_NOBODY;
        if (usec_of(watchdog, WATCHDOG_TIMELEFT) == 0)
                return IRRELEVANT;
        if (has(watchdog, WATCHDOG_TIMEOUT) &&
            watchdog->numbers[WATCHDOG_TIMELEFT] > watchdog->numbers[WATCHDOG_TIMEOUT])
                return IRRELEVANT;
        *ret = WATCHDOG_OWNER_KERNEL;
        return has(watchdog, WATCHDOG_TIMEOUT) ? RELEVANT : DOUBTFUL;
}

/* Between what limits the hardware bites after its last feeding, in µs. Returns false when nothing is known. */
static bool find_hold(const Watchdog *watchdog, const WatchdogSettings *settings, bool pinged,
                      uint64_t *ret_least, uint64_t *ret_most) {
        uint64_t most = usec_of(watchdog, WATCHDOG_TIMEOUT), least;

        if (watchdog->garbled || most == 0)
                return false;
        if (settings->hardware_timeout_usec > 0)
                most = MIN(most, settings->hardware_timeout_usec);
        least = has(watchdog, WATCHDOG_TIMELEFT) ? MIN(most, usec_of(watchdog, WATCHDOG_TIMELEFT)) : most;
        *ret_least = least;
        *ret_most = pinged ? least : most;
        return true;
}

/* Feeding takes place after a quarter to a half of the time (systemd does so), so that only the second half is left for
 * sure. */
static uint64_t usable(const Watchdog *watchdog, uint64_t hold_usec) {
        uint64_t early = usec_of(watchdog, WATCHDOG_PRETIMEOUT);

        return hold_usec > early ? (hold_usec - early) / 2 : 0;
}

static uint64_t find_target(const Watchdog *watchdog, uint64_t need_usec) {
        uint64_t target;

        if (__builtin_mul_overflow(need_usec, 2, &target) ||
            __builtin_add_overflow(target, usec_of(watchdog, WATCHDOG_PRETIMEOUT) + USEC_PER_SEC - 1,
                                   &target))
                return UINT64_MAX;
        return target / USEC_PER_SEC * USEC_PER_SEC;
}

/* max_timeout 0: the kernel takes any, and feeds the hardware itself in between. Then only timeleft shows what the
 * hardware holds, unless the administrator knows. */
bool watchdog_can_hold(const Watchdog *watchdog, const WatchdogSettings *settings, uint64_t timeout_usec) {
        uint64_t maximum = usec_of(watchdog, WATCHDOG_MAX_TIMEOUT);
        uint64_t stated = settings ? settings->hardware_timeout_usec : 0;

        if (stated > 0 && timeout_usec > stated)
                return false;
        if (maximum > 0)
                return timeout_usec <= maximum;
        return stated > 0 || has(watchdog, WATCHDOG_TIMELEFT);
}

bool watchdog_is_safe(WatchdogVerdict verdict) {
        return verdict != WATCHDOG_TOO_SHORT && verdict != WATCHDOG_UNKNOWN;
}

static WatchdogRemedy find_remedy(const Watchdog *watchdog, const WatchdogSettings *settings,
                                  const WatchdogJudgement *judgement) {
        uint64_t target = judgement->raise_to_usec;

        if (watchdog_is_safe(judgement->verdict))
                return WATCHDOG_REMEDY_NONE;
        if (target == UINT64_MAX || watchdog->garbled || watchdog->state != WATCHDOG_ACTIVE ||
            judgement->owner != WATCHDOG_OWNER_SYSTEMD || usec_of(watchdog, WATCHDOG_TIMEOUT) == 0)
                return WATCHDOG_REMEDY_IMPOSSIBLE;
        if (usec_of(watchdog, WATCHDOG_TIMEOUT) >= target)
                return judgement->verdict == WATCHDOG_UNKNOWN ? WATCHDOG_REMEDY_MEASURE
                                                              : WATCHDOG_REMEDY_IMPOSSIBLE;
        return watchdog_can_hold(watchdog, settings, target) ? WATCHDOG_REMEDY_RAISE
                                                             : WATCHDOG_REMEDY_IMPOSSIBLE;
}

static WatchdogVerdict find_verdict(const Watchdog *watchdog, const WatchdogNeed *need, uint64_t usable_usec,
                                    uint64_t most) {
        if (need->worst_usec != UINT64_MAX && usable_usec >= need->worst_usec)
                return WATCHDOG_SUFFICIENT;
        return usable(watchdog, most) < need->worst_usec ? WATCHDOG_TOO_SHORT : WATCHDOG_UNKNOWN;
}

void watchdog_judge(const Watchdog *watchdog, const WatchdogSettings *settings, const WatchdogNeed *need,
                    WatchdogJudgement *ret) {
        static const WatchdogSettings defaults = { 0 };
        WatchdogJudgement judgement = { .usable_usec = UINT64_MAX,
                                        .need_usec = need->worst_usec,
                                        .learned_usec = need->learned_usec };
        Relevance relevance = find_owner(watchdog, &judgement.owner);
        uint64_t least = 0, most = 0;
        bool known, counts;

        if (!settings)
                settings = &defaults;
        if (need->fed_by_systemd && judgement.owner == WATCHDOG_OWNER_UNKNOWN)
                judgement.owner = WATCHDOG_OWNER_SYSTEMD;
        known = find_hold(watchdog, settings, need->pinged, &least, &most);
        counts = known && relevance == RELEVANT;
        if (known)
                judgement.usable_usec = usable(watchdog, least);
        judgement.raise_to_usec = find_target(watchdog, need->worst_usec);
        if (settings->ignore)
                judgement.verdict = WATCHDOG_IGNORED;
        else if (relevance == IRRELEVANT)
                judgement.verdict = WATCHDOG_NOT_ARMED;
        else
                judgement.verdict = counts ? find_verdict(watchdog, need, judgement.usable_usec, most)
                                           : WATCHDOG_UNKNOWN;
        judgement.remedy = find_remedy(watchdog, settings, &judgement);
        /* What was learned never stands in for a time-out that can be had. */
        if (judgement.remedy == WATCHDOG_REMEDY_IMPOSSIBLE && counts && need->learned_usec > 0 &&
            judgement.usable_usec >= need->learned_usec) {
                judgement.verdict = WATCHDOG_OUTLASTS_LEARNED;
                judgement.remedy = WATCHDOG_REMEDY_NONE;
        }
        *ret = judgement;
}

char *watchdog_format_span(uint64_t usec) {
        if (usec == UINT64_MAX)
                return g_strdup("an unlimited time");
        if (usec % USEC_PER_SEC == 0)
                return g_strdup_printf("%" G_GUINT64_FORMAT " s", (uint64_t) (usec / USEC_PER_SEC));
        return g_strdup_printf("%.1f s", (double) usec / (double) USEC_PER_SEC);
}

static const char *explain_unknown(const Watchdog *watchdog) {
        if (strcmp(watchdog->device, WATCHDOG_MISC_DEVICE) == 0)
                return "This device shows nothing of itself in sysfs.";
        if (watchdog->garbled)
                return "It shows a pre-time-out or a time left that cannot be understood.";
        if (watchdog->state == WATCHDOG_STATE_UNKNOWN)
                return "It does not show whether it is armed.";
        if (usec_of(watchdog, WATCHDOG_TIMEOUT) == 0)
                return "It shows no time-out.";
        return NULL;
}

static char *explain_verdict(const Watchdog *watchdog, const WatchdogJudgement *judgement) {
        g_autofree char *outlasts = watchdog_format_span(judgement->usable_usec),
                        *need = watchdog_format_span(judgement->need_usec);
        const char *unknown = explain_unknown(watchdog);

        switch (judgement->verdict) {
        case WATCHDOG_SUFFICIENT:
                return g_strdup_printf("It outlasts a stall of %s, and %s is needed.", outlasts, need);
        case WATCHDOG_TOO_SHORT:
                return g_strdup_printf("It may bite after a stall of %s, and must outlast %s.", outlasts,
                                       need);
        case WATCHDOG_IGNORED:
                return g_strdup("The configuration says that it does not count.");
        case WATCHDOG_NOT_ARMED:
                return g_strdup("It is not armed.");
        case WATCHDOG_OUTLASTS_LEARNED: {
                g_autofree char *learned = watchdog_format_span(judgement->learned_usec);

                return g_strdup_printf(
                                "It outlasts a stall of %s; activations were seen to need up to %s of the %s "
                                "that one may take.",
                                outlasts, learned, need);
        }
        default:
                return unknown ? g_strdup(unknown)
                               : g_strdup_printf("It outlasts a stall of %s for sure, perhaps more, and %s is needed.",
                                                 outlasts, need);
        }
}

/* Why its time-out cannot be raised. */
static const char *explain_obstacle(const Watchdog *watchdog, const WatchdogSettings *settings,
                                    const WatchdogJudgement *judgement) {
        uint64_t maximum = usec_of(watchdog, WATCHDOG_MAX_TIMEOUT);

        if (judgement->need_usec == UINT64_MAX)
                return "No time-out is long enough for this version of the driver.";
        if (judgement->owner == WATCHDOG_OWNER_KERNEL)
                return "Firmware started it, so that its time-out cannot be raised.";
        if (explain_unknown(watchdog))
                return "Nothing tells what time-out would do.";
        if (judgement->owner != WATCHDOG_OWNER_SYSTEMD)
                return "It is not fed by systemd, and nobody else can be told to use a longer time-out.";
        if (maximum > 0 && maximum < judgement->raise_to_usec)
                return "Its max_timeout is less than what would do.";
        if (settings && settings->hardware_timeout_usec > 0)
                return "HardwareTimeoutSec= is less than what would do.";
        return "Nothing tells whether its hardware holds a longer time-out than this one.";
}

char *watchdog_explain(const Watchdog *watchdog, const WatchdogSettings *settings,
                       const WatchdogJudgement *judgement) {
        g_autofree char *verdict = explain_verdict(watchdog, judgement);
        g_autofree char *target = watchdog_format_span(judgement->raise_to_usec);

        switch (judgement->remedy) {
        case WATCHDOG_REMEDY_RAISE:
                return g_strdup_printf("%s systemd is told to use a time-out of %s during the activation.",
                                       verdict, target);
        case WATCHDOG_REMEDY_MEASURE:
                return g_strdup_printf(
                                "%s Whether its hardware holds the whole time-out shows right after systemd was told "
                                "to feed it.",
                                verdict);
        case WATCHDOG_REMEDY_IMPOSSIBLE:
                return g_strdup_printf("%s %s", verdict, explain_obstacle(watchdog, settings, judgement));
        default:
                return g_steal_pointer(&verdict);
        }
}
