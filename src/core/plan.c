/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is ahead: gathered from the calendar, the state and the gates, and put in order. */

#include "core/plan.h"
#include "util/macros.h"
#include "util/string-table.h"

static const char *const plan_event_type_names[_PLAN_EVENT_MAX] = {
        [PLAN_REMARK] = "remark",
        [PLAN_HOLD] = "hold",
        [PLAN_FREEZE] = "freeze",
        [PLAN_WINDOW] = "window",
        [PLAN_MISSING_START] = "missing-start",
        [PLAN_ACTIVATION] = "activation",
        [PLAN_NO_ACTIVATION] = "no-activation",
};
DEFINE_STRING_TABLE(plan_event_type, PlanEventType, plan_event_type_names)

static void event_free(void *pointer) {
        PlanEvent *event = pointer;

        g_free(event->text);
        g_free(event);
}

/* text: taken, NULL = "". */
static PlanEvent *add(GPtrArray *events, PlanEventType type, const char *name, char *text) {
        PlanEvent *event = g_new0(PlanEvent, 1);

        event->type = type;
        event->name = name;
        event->gate = "";
        event->text = text ? text : g_strdup("");
        g_ptr_array_add(events, event);
        return event;
}

static void add_remarks(GPtrArray *events, const PlanRequest *request) {
        const Hold *hold = state_find_hold(request->state, "", request->from_usec);
        bool has_window = request->config->windows->len > 0;

        if (request->config_failed)
                add(events, PLAN_REMARK, "config-invalid",
                    g_strdup("The configuration has errors: none of its windows, freezes and modes hold, and nothing is "
                             "activated. 'lfactl config check' lists them."));
        else if (!config_has_automatic(request->config))
                add(events, PLAN_REMARK, "automatic-off",
                    g_strdup("Automatic mode is off: lfad activates nothing by itself (Mode=manual)."));
        else if (!has_window)
                add(events, PLAN_REMARK, "no-window",
                    g_strdup("No window is configured: automatic mode does nothing."));
        if (hold)
                add(events, PLAN_REMARK, "held",
                    g_strdup("A hold is in force: all activations are paused."));
        if (has_window && !request->host_id)
                add(events, PLAN_REMARK, "no-machine-id",
                    g_strdup("The host has no machine id, and so no moment of its own in a window."));
}

static void add_holds(GPtrArray *events, const PlanRequest *request) {
        for (unsigned i = 0; i < request->state->holds->len; i++) {
                const Hold *hold = &g_array_index(request->state->holds, Hold, i);
                PlanEvent *event;

                if (hold->until_usec > 0 && hold->until_usec <= request->from_usec)
                        continue;
                event = add(events, PLAN_HOLD, "", g_strdup(hold->reason));
                event->start_usec = hold->since_usec;
                event->end_usec = hold->until_usec > 0 ? hold->until_usec : UINT64_MAX;
                memcpy(event->guid, hold->guid, sizeof(event->guid));
        }
}

static void add_freezes(GPtrArray *events, const PlanRequest *request) {
        for (unsigned i = 0; i < request->config->freezes->len; i++) {
                const ConfigSection *section = request->config->freezes->pdata[i];
                const ConfigFreeze *freeze = &section->freeze;
                PlanEvent *event;

                if (freeze->until_usec <= request->from_usec || freeze->from_usec > request->until_usec)
                        continue;
                event = add(events, PLAN_FREEZE, section->name, NULL);
                event->start_usec = freeze->from_usec;
                event->end_usec = freeze->until_usec;
        }
}

static void add_opening(GPtrArray *events, const PlanRequest *request, const Occurrence *occurrence) {
        uint64_t slot_usec = request->host_id
                                             ? occurrence_slot(request->config, occurrence, request->host_id)
                                             : 0;
        uint64_t moment_usec = slot_usec > 0 ? slot_usec : occurrence->start_usec;
        const ConfigSection *freeze = schedule_find_freeze(request->config, moment_usec, 0, NULL);
        PlanEvent *event = add(events, PLAN_WINDOW, occurrence->window->name,
                               freeze ? g_strdup_printf("Freeze '%s' holds then.", freeze->name) : NULL);

        event->start_usec = occurrence->start_usec;
        event->end_usec = occurrence->end_usec;
        event->slot_usec = slot_usec;
}

/* The next opening of each window that has one before the end. */
static GArray *find_first_openings(const PlanRequest *request) {
        GArray *openings = g_array_new(FALSE, FALSE, sizeof(Occurrence));

        for (unsigned i = 0; i < request->config->windows->len; i++) {
                Occurrence occurrence;

                if (window_find_occurrence(request->config, request->config->windows->pdata[i],
                                           request->from_usec, &occurrence) &&
                    occurrence.start_usec <= request->until_usec)
                        g_array_append_val(openings, occurrence);
        }
        return openings;
}

static unsigned find_earliest(const GArray *openings) {
        unsigned earliest = 0;

        for (unsigned i = 1; i < openings->len; i++)
                if (g_array_index(openings, Occurrence, i).start_usec <
                    g_array_index(openings, Occurrence, earliest).start_usec)
                        earliest = i;
        return earliest;
}

/* All windows together, by time, so that the end of a list that is too long is the same moment for each of them. */
static void add_windows(GPtrArray *events, const PlanRequest *request) {
        g_autoptr(GArray) openings = find_first_openings(request);

        for (unsigned n = 0; openings->len > 0; n++) {
                unsigned i = find_earliest(openings);
                Occurrence *next = &g_array_index(openings, Occurrence, i);

                if (n == PLAN_OPENINGS_MAX) {
                        add(events, PLAN_REMARK, "incomplete",
                            g_strdup_printf("There are more openings of windows than the %d that are listed.",
                                            PLAN_OPENINGS_MAX));
                        return;
                }
                add_opening(events, request, next);
                if (!window_find_occurrence(request->config, next->window, next->end_usec, next) ||
                    next->start_usec > request->until_usec)
                        g_array_remove_index(openings, i);
        }
}

/* Where clocks are set forward over the start of a window. */
static void add_missing_starts(GPtrArray *events, const PlanRequest *request, const ConfigSection *window) {
        uint64_t after_usec = request->from_usec;
        int64_t local;

        while (window_find_missing_day(request->config, window, after_usec, request->until_usec, &local,
                                       &after_usec)) {
                g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(local);
                g_autofree char *text = g_date_time_format(time, "%H:%M:%S on %Y-%m-%d");
                PlanEvent *event = add(events, PLAN_MISSING_START, window->name,
                                       g_strdup_printf("It does not open: clocks leave out %s.", text));

                event->start_usec = after_usec;
        }
}

const char *plan_find_window(const Config *config, const State *state, const uint8_t *host_id,
                             const char *guid, uint64_t at_usec) {
        uint64_t tried_usec = state_last_automatic_attempt(state, guid);
        const ConfigSection *window;

        if (!host_id || schedule_find_slot(config, guid, host_id, at_usec, tried_usec, &window) > at_usec)
                return "";
        return window->name;
}

static PlanEvent *add_image(GPtrArray *events, PlanEventType type, const PlanImage *image, const char *name,
                            char *text) {
        PlanEvent *event = add(events, type, name, text);

        memcpy(event->guid, image->guid, sizeof(event->guid));
        memcpy(event->from, image->from, sizeof(event->from));
        memcpy(event->to, image->to, sizeof(event->to));
        return event;
}

static void add_foreseen(GPtrArray *events, const PlanRequest *request, const PlanImage *image,
                         const Foresight *foresight) {
        PlanEvent *event;

        switch (foresight->outcome) {
        case FORESEEN_START:
                event = add_image(events, PLAN_ACTIVATION, image,
                                  plan_find_window(request->config, request->state, request->host_id,
                                                   image->guid, foresight->at_usec),
                                  NULL);
                event->start_usec = foresight->at_usec;
                return;
        case FORESEEN_LATER:
        case FORESEEN_BLOCKED:
        case FORESEEN_DENIED:
                event = add_image(events, PLAN_NO_ACTIVATION, image, "", g_strdup(foresight->verdict.text));
                event->start_usec = foresight->outcome == FORESEEN_LATER ? foresight->at_usec : 0;
                event->gate = gate_to_string(foresight->gate);
                event->error = foresight->verdict.error;
                return;
        default:
                add_image(events, PLAN_NO_ACTIVATION, image, "",
                          g_strdup("There is too much to look at to tell when it may go."));
        }
}

/* Why automatic mode does not look at it; NULL: it does. */
static char *find_exemption(const PlanImage *image) {
        if (image->job > 0)
                return g_strdup_printf("Job %u is about it already.", image->job);
        if (!image->automatic)
                return g_strdup("Automatic mode is off for this image: somebody must ask (Mode=manual).");
        return NULL;
}

static void add_activations(GPtrArray *events, const PlanRequest *request) {
        g_autofree Foresight *foresights = g_new0(Foresight, request->n_images);
        unsigned n = 0, next = 0;

        for (unsigned i = 0; i < request->n_images; i++)
                if (request->images[i].automatic && request->images[i].job == 0)
                        foresights[n++].guid = request->images[i].guid;
        foresight_run(foresights, n, request->from_usec, request->until_usec, request->judge,
                      request->userdata);
        for (unsigned i = 0; i < request->n_images; i++) {
                const PlanImage *image = &request->images[i];
                char *exemption = find_exemption(image);

                if (exemption)
                        add_image(events, PLAN_NO_ACTIVATION, image, "", exemption);
                else
                        add_foreseen(events, request, image, &foresights[next++]);
        }
}

/* Remarks first, then by time, what has none last; at the same moment as the types are numbered. */
static uint64_t sort_key(const PlanEvent *event) {
        if (event->type == PLAN_REMARK)
                return 0;
        return event->start_usec > 0 ? event->start_usec : UINT64_MAX;
}

static int compare_events(const void *a, const void *b) {
        const PlanEvent *left = *(const PlanEvent *const *) a, *right = *(const PlanEvent *const *) b;
        uint64_t left_key = sort_key(left), right_key = sort_key(right);

        if (left_key != right_key)
                return left_key < right_key ? -1 : 1;
        return (int) left->type - (int) right->type;
}

GPtrArray *plan_new(const PlanRequest *request) {
        GPtrArray *events = g_ptr_array_new_with_free_func(event_free);

        add_remarks(events, request);
        add_holds(events, request);
        add_freezes(events, request);
        add_windows(events, request);
        for (unsigned i = 0; i < request->config->windows->len; i++)
                add_missing_starts(events, request, request->config->windows->pdata[i]);
        add_activations(events, request);
        g_ptr_array_sort(events, compare_events); /* stable: images stay in their order */
        return events;
}
