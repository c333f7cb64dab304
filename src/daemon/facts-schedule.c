/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gathering what the gates judge that have to do with time, and what follows from it for the host as a whole. */

#include "core/schedule-facts.h"
#include "daemon/manager.h"
#include "util/log.h"
#include "util/macros.h"

#include <systemd/sd-id128.h>

static const sd_id128_t application_id =
                SD_ID128_MAKE(5a, 9c, 1c, 0f, 63, 0d, 4e, 2b, 8e, 63, 51, 4f, d2, 7a, 90, c4);

void manager_read_host_id(Manager *manager) {
        sd_id128_t id;
        int r = sd_id128_get_machine_app_specific(application_id, &id);

        manager->schedule.has_host_id = r >= 0;
        if (r < 0)
                log_warning_errno(
                                r,
                                "The host has no machine id, so that it has no moment of its own in windows");
        else
                memcpy(manager->schedule.host_id, id.bytes, HOST_ID_SIZE);
}

/* How much of a window an activation that begins now may take. With the guard held most of it lies behind. */
static uint64_t need_usec(const Manager *manager, const Image *image, const Job *job) {
        uint64_t duration =
                        state_learned_duration_usec(manager->state, image->values.guid, manager->profile);
        unsigned more;

        if (duration == 0)
                duration = SCHEDULE_BUDGET_USEC;
        if (job && job->state == JOB_GUARDING)
                return duration;
        duration = MIN(duration, UINT64_MAX / 2) + SCHEDULE_MARGIN_USEC;
        if (inhibitors_find_first(manager->inhibitors, INHIBIT_DELAY, image->values.guid, &more))
                duration += manager->config->inhibit_delay_max_usec;
        return duration;
}

/* A job was given its turn in a window when it was made: it does not stand in its own way. */
static uint64_t tried_usec(const Manager *manager, const Image *image, const Job *job,
                           const GateMoment *moment, const ActivationTerms *terms) {
        if (!terms->automatic || terms->accepted || job)
                return 0;
        return moment->last_attempt_usec > 0
                               ? moment->last_attempt_usec
                               : state_last_automatic_attempt(manager->state, image->values.guid);
}

static uint64_t since_last_usec(const Manager *manager, const GateMoment *moment, uint64_t at_usec) {
        uint64_t now_usec = clock_realtime(manager->clock), since_usec;

        if (moment->last_activation_usec > 0)
                return at_usec > moment->last_activation_usec ? at_usec - moment->last_activation_usec : 0;
        since_usec = state_since_last_activation_usec(
                        manager->state, manager->history ? history_boot_id(manager->history) : "", now_usec,
                        clock_monotonic(manager->clock));
        if (since_usec == UINT64_MAX || at_usec <= now_usec)
                return since_usec;
        return since_usec + (at_usec - now_usec);
}

void gather_schedule(const Manager *manager, const Image *image, const Job *job, const GateMoment *moment,
                     GateFacts *facts) {
        const Config *config = manager->config;
        ScheduleFacts *schedule = &facts->schedule;
        uint64_t at_usec = moment->at_usec > 0 ? moment->at_usec : clock_realtime(manager->clock);

        facts->version_rules = config_find_version_rules(config, image->values.guid);
        *schedule = (ScheduleFacts){
                .at_usec = at_usec,
                .zone = config->zone,
                .need_usec = need_usec(manager, image, job),
                .interval_usec = config->minimum_interval_usec,
                .since_last_usec = since_last_usec(manager, moment, at_usec),
                .clock_synchronized = host_clock_synchronized(manager->host),
        };
        schedule_fill_facts(config, image->values.guid, &facts->terms,
                            manager->schedule.has_host_id ? manager->schedule.host_id : NULL,
                            tried_usec(manager, image, job, moment, &facts->terms), schedule);
}

uint64_t image_next_schedule_change(const Manager *manager, const Image *image, const GateFacts *facts) {
        const ScheduleFacts *schedule = &facts->schedule;
        uint64_t now_usec = schedule->at_usec, last_start_usec;
        uint64_t next_usec = schedule_next_change(manager->config, image->values.guid, now_usec);

        if (schedule->open_until_usec > now_usec &&
            schedule->open_until_usec - now_usec >= schedule->need_usec) {
                last_start_usec = schedule->open_until_usec - schedule->need_usec;
                next_usec = MIN(next_usec, last_start_usec + 1);
        }
        if (schedule->since_last_usec < schedule->interval_usec)
                next_usec = MIN(next_usec, now_usec + schedule->interval_usec - schedule->since_last_usec);
        return next_usec;
}

bool job_outlasted_window(const Job *job) {
        const Manager *manager = job->manager;
        uint64_t start_usec, end_usec;

        return job->started_usec > 0 &&
               schedule_find_opening(manager->config, job->guid, job->started_usec, 0, &start_usec,
                                     &end_usec) &&
               start_usec <= job->started_usec && end_usec <= clock_realtime(manager->clock);
}

uint64_t manager_next_schedule_change(const Manager *manager, uint64_t now_usec) {
        uint64_t next_usec = schedule_next_change(manager->config, NULL, now_usec);
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                const Image *image = value;

                if (image->present && image->next_change_usec > now_usec)
                        next_usec = MIN(next_usec, image->next_change_usec);
        }
        return next_usec;
}

/* What follows what is open, or comes first. */
static HostSchedule look_at_windows(const Manager *manager) {
        HostSchedule schedule = manager->schedule;
        uint64_t now_usec = clock_realtime(manager->clock), start_usec, end_usec;

        schedule.window_open = false;
        schedule.next_start_usec = schedule.next_end_usec = 0;
        if (!schedule_find_opening(manager->config, NULL, now_usec, 0, &start_usec, &end_usec))
                return schedule;
        schedule.next_end_usec = end_usec;
        if (start_usec > now_usec)
                schedule.next_start_usec = start_usec;
        else {
                schedule.window_open = true;
                if (schedule_find_opening(manager->config, NULL, end_usec, 0, &start_usec, &end_usec))
                        schedule.next_start_usec = MAX(start_usec, schedule.next_end_usec);
        }
        return schedule;
}

void manager_update_windows(Manager *manager) {
        const HostSchedule schedule = look_at_windows(manager), *old = &manager->schedule;
        bool changed = schedule.window_open != old->window_open ||
                       schedule.next_start_usec != old->next_start_usec ||
                       schedule.next_end_usec != old->next_end_usec;

        manager->schedule = schedule;
        if (changed)
                manager->observer->manager_changed(MANAGER_PROPERTY_WINDOW, manager->userdata);
}

bool manager_needs_clock(const Manager *manager) {
        GHashTableIter iterator;
        void *value;

        if (config_has_automatic(manager->config))
                return true;
        g_hash_table_iter_init(&iterator, manager->jobs);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                const Job *job = value;

                if (job->terms.unattended && !job_is_done(job))
                        return true;
        }
        return false;
}
