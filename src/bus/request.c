/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way of every acting method, from the call to the reply. */

#include "bus/request.h"
#include "bus/bus-errors.h"
#include "bus/polkit.h"
#include "daemon/log-fields.h"
#include "util/macros.h"
#include "util/ratelimit.h"

/* A reading this old is fresh enough to judge a call by; the worker looks once more right before it writes.
 */
#define FRESH_USEC USEC_PER_SEC

static int step_check(Request *request, sd_bus_error *error);

static LogFields *refusal_fields(const Request *request, const sd_bus_error *error) {
        LogFields *fields = NULL;
        Image *image;

        if (request->image && manager_lookup_image(request->service->manager, request->image, &image) >= 0)
                fields = image_fields(image);
        fields = log_add(fields, LFA_FIELD_METHOD, sd_bus_message_get_member(request->message));
        if (request->identified)
                fields = log_add_u64(fields, LFA_FIELD_UID, request->uid);
        if (request->pid > 0)
                fields = log_add_u64(fields, LFA_FIELD_PID, request->pid);
        return log_add(fields, LFA_FIELD_ERROR, error->name);
}

/* A call that is refused leaves a line, never a record: nobody can fill the disk with refusals, nor the
 * journal. */
static void log_refusal(const Request *request, const sd_bus_error *error) {
        RateLimit *limit = &request->service->refusal_limit;
        unsigned suppressed = limit->suppressed;

        if (!ratelimit_pass(limit, clock_monotonic(request->service->manager->clock)))
                return;
        limit->suppressed = 0;
        log_event(request->refusal, refusal_fields(request, error), "Refused %s of uid %d%s%s: %s: %s",
                  sd_bus_message_get_member(request->message), request->identified ? (int) request->uid : -1,
                  request->image ? " for " : "", request->image ? request->image : "", error->name,
                  error->message);
        if (suppressed > 0)
                log_info("%u more refusals were not logged.", suppressed);
}

/* Ends the request with an error reply (nothing is sent when the caller is gone). */
static void request_fail(Request *request, int r, sd_bus_error *error) {
        if (!sd_bus_error_is_set(error))
                (void) sd_bus_error_set_errno(error, r);
        log_refusal(request, error);
        (void) sd_bus_reply_method_error(request->message, error);
        request_free(request);
}

/* Runs a step from a callback: a failure is the reply. */
static void run_step(Request *request, int (*step)(Request *request, sd_bus_error *error)) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = step(request, &error);

        if (r < 0)
                request_fail(request, r, &error);
}

/* The request is over when this succeeds. */
static int step_act(Request *request, sd_bus_error *error) {
        int r;

        request->requester = (Requester){ .uid = request->uid, .pid = request->pid };
        if (!request->type->advisory)
                requester_read_hints(&request->requester);
        r = request->type->act(request, error);

        if (r >= 0)
                request_free(request);
        return r;
}

static char *join_details(const Request *request) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; i < request->details->len; i++)
                g_string_append_printf(text, "%s\n", (const char *) request->details->pdata[i]);
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static int check_afresh(Request *request, sd_bus_error *error) {
        g_ptr_array_set_size(request->details, 0);
        return request->type->check(request, error);
}

/* Authorized: the next one of several, or the deed. */
static int step_allowed(Request *request, sd_bus_error *error) {
        if (!request->type->next || !request->type->next(request))
                return step_act(request, error);
        request->asked_again = false;
        return step_check(request, error);
}

/* What was shown to polkit must be what is there now. */
static int step_authorized(Request *request, sd_bus_error *error) {
        g_autofree char *now = NULL;
        int r = check_afresh(request, error);

        if (r < 0)
                return r;
        now = join_details(request);
        if (strcmp(now, request->shown) == 0)
                return step_allowed(request, error);
        if (request->asked_again)
                return bus_error_set(error, LFA_ERROR_VERSION_CHANGED,
                                     "What is pending changed while authorization was asked for.");
        request->asked_again = true;
        return step_check(request, error);
}

static const char *authorization_name(PolkitAnswer answer) {
        return answer == POLKIT_YES ? "yes" : answer == POLKIT_CHALLENGE ? "challenge" : "no";
}

static int fail_authorization(Request *request, PolkitAnswer answer, const char *reason,
                              sd_bus_error *error) {
        switch (answer) {
        case POLKIT_CHALLENGE:
                return bus_error_standard(
                                error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                "Action %s needs an authentication, and the call did not allow asking for it.",
                                request->action);
        case POLKIT_FAILED:
                request->refusal = LFA_MESSAGE_POLKIT_UNAVAILABLE;
                return bus_error_standard(error, SD_BUS_ERROR_ACCESS_DENIED,
                                          "polkit could not be asked about action %s: %s", request->action,
                                          reason);
        default:
                return bus_error_standard(error, SD_BUS_ERROR_ACCESS_DENIED,
                                          "polkit denies action %s to uid %u.", request->action,
                                          request->uid);
        }
}

static void on_polkit(PolkitAnswer answer, const char *reason, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Request *request = userdata;
        int r;

        request->gone_slot = sd_bus_slot_unref(request->gone_slot);
        request->polkit = polkit_check_free(request->polkit);
        request->authorized = authorization_name(answer);
        if (answer == POLKIT_YES || request->type->advisory) {
                run_step(request, step_authorized);
                return;
        }
        r = fail_authorization(request, answer, reason, &error);
        request_fail(request, r, &error);
}

/* Nobody waits for the answer any more: a dialog that is open closes. */
static int on_name_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name, *old_owner, *new_owner;

        if (sd_bus_message_read(message, "sss", &name, &old_owner, &new_owner) >= 0 && !*new_owner)
                request_free(userdata);
        return 0;
}

/* Without a callback of ours sd-bus would close the connection when the bus refuses the match. polkit watches its
 * subject too, so that nothing is lost. */
static int on_watched(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const sd_bus_error *failure = sd_bus_message_get_error(message);

        if (failure)
                log_debug("A caller cannot be watched: %s", failure->message);
        return 1;
}

/* Not sd_bus_track: adding a name to one asks the bus whether it exists, and waits for the answer. A caller
 * that is gone already is polkit's to refuse. */
static int watch_caller(Request *request) {
        g_autofree char *match =
                        g_strdup_printf("type='signal',sender='org.freedesktop.DBus',"
                                        "path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',"
                                        "member='NameOwnerChanged',arg0='%s'",
                                        sd_bus_message_get_sender(request->message));

        return sd_bus_add_match_async(request->service->bus, &request->gone_slot, match,
                                      on_name_owner_changed, on_watched, request);
}

/* A prompt that nobody answers holds its place: a caller gets a few of them, and not all callers together
 * all. */
static int check_polkit_caps(const Request *request, sd_bus_error *error) {
        unsigned all = 0, own = 0;

        for (GList *link = request->service->requests.head; link; link = link->next) {
                const Request *other = link->data;

                all += other->polkit != NULL;
                own += other->polkit != NULL && other->uid == request->uid;
        }
        if (all < POLKIT_CHECKS_MAX && own < POLKIT_CHECKS_PER_UID_MAX)
                return 0;
        return bus_error_standard(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                  "Too many authorizations are being asked for.");
}

static int ask_polkit(Request *request, sd_bus_error *error) {
        bool interactive = !request->type->advisory &&
                           sd_bus_message_get_allow_interactive_authorization(request->message) > 0;
        int r = check_polkit_caps(request, error);

        if (r < 0)
                return r;
        g_free(request->shown);
        request->shown = join_details(request);
        r = watch_caller(request);
        if (r < 0)
                return r;
        return polkit_check_start(request->message, request->action, interactive, request->details,
                                  on_polkit, request, &request->polkit);
}

static int step_check(Request *request, sd_bus_error *error) {
        int r = check_afresh(request, error);

        if (r < 0)
                return r;
        if (request->uid == 0 || (request->type->exempt && request->type->exempt(request)))
                return step_allowed(request, error);
        return ask_polkit(request, error);
}

static void on_fresh(int scan_error, void *userdata);

/* Returns 1 when there is a reading that began at that time or later, 0 when on_fresh will be called. */
static int want_reading(Request *request, uint64_t not_before_usec) {
        Scanner *scanner = request->service->manager->scanner;

        /* root could read sysfs itself, as often as it likes */
        if (request->uid == 0)
                return scanner_wait(scanner, not_before_usec, on_fresh, request) ? 1 : 0;
        return scanner_ask(scanner, not_before_usec, on_fresh, request) ? 1 : 0;
}

/* Staged since? Nobody is refused on a reading from before the call: then another one is waited for. */
static int step_judge(Request *request, sd_bus_error *error) {
        int r = check_afresh(request, error);

        if (r >= 0)
                return step_check(request, error);
        if (request->type->freshness == FRESH_ANY || manager_is_activating(request->service->manager) ||
            want_reading(request, request->arrived_usec) > 0)
                return r;
        sd_bus_error_free(error);
        return 0;
}

static void on_fresh(int scan_error, void *userdata) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Request *request = userdata;

        /* Behind a running activation nothing can be read: the job will be judged anew when its turn comes. */
        if (scan_error >= 0 ||
            (request->type->freshness != FRESH_NEW && manager_is_activating(request->service->manager))) {
                run_step(request, step_judge);
                return;
        }
        request_fail(request,
                     bus_error_set(&error, LFA_ERROR_KERNEL_BUSY,
                                   "The driver's tree could not be read in time."),
                     &error);
}

/* How old a reading may be to judge this request by; UINT64_MAX = it is judged by what is known. */
static uint64_t oldest_reading(const Request *request) {
        const Manager *manager = request->service->manager;
        uint64_t now = clock_monotonic(manager->clock);

        if (request->type->freshness == FRESH_ANY)
                return UINT64_MAX;
        if (request->type->freshness != FRESH_NEW && manager_is_activating(manager))
                return UINT64_MAX;
        if (request->type->freshness == FRESH_RECENT)
                return now > FRESH_USEC ? now - FRESH_USEC : 0;
        return request->arrived_usec;
}

static int step_fresh(Request *request, sd_bus_error *error) {
        uint64_t not_before = oldest_reading(request);

        if (not_before == UINT64_MAX)
                return step_check(request, error);
        return want_reading(request, not_before) > 0 ? step_judge(request, error) : 0;
}

static void on_watchdogs(int error, const WatchdogReading *reading, void *userdata) {
        if (error != -ECANCELED) /* lfad ends, and tells all who wait */
                run_step(userdata, step_fresh);
}

/* Gates judge the host, too. Nobody but root makes lfad ask more than once a second: then what was said within the last
 * one will do. Everything is asked anew with the guard held. */
static uint64_t oldest_answer(const Request *request) {
        const Manager *manager = request->service->manager;
        uint64_t now = clock_monotonic(manager->clock), recent = now > FRESH_USEC ? now - FRESH_USEC : 0;

        if (request->type->looks_ahead) /* what is asked now will do, since whenever */
                return MIN(recent, host_asking_since(manager->host));
        return request->uid == 0 ? request->arrived_usec : recent;
}

/* Where too many ask, the guard finds out. */
static int step_watchdogs(Request *request, sd_bus_error *error) {
        Watchdogs *watchdogs = request->service->manager->watchdogs;

        if (request->type->looks_ahead || watchdogs_last(watchdogs, oldest_answer(request)))
                return step_fresh(request, error);
        if (request->uid == 0)
                watchdogs_ask_since(watchdogs, request->arrived_usec, on_watchdogs, request);
        else if (watchdogs_ask(watchdogs, on_watchdogs, request) < 0)
                return step_fresh(request, error);
        return 0;
}

/* Images and watchdogs are read while the host is asked: each takes a moment. Only for root, who would not have to wait
 * for its turn (want_reading). */
static void prepare_readings(const Request *request) {
        const Manager *manager = request->service->manager;
        uint64_t not_before = oldest_reading(request);

        if (request->uid != 0)
                return;
        if (not_before != UINT64_MAX)
                scanner_prepare(manager->scanner, not_before);
        if (!request->type->looks_ahead)
                watchdogs_prepare(manager->watchdogs, request->arrived_usec);
}

static void on_host(void *userdata) {
        run_step(userdata, step_watchdogs);
}

static int step_host(Request *request, sd_bus_error *error) {
        if (!request->type->judges_host)
                return step_fresh(request, error);
        prepare_readings(request);
        if (!(request->terms.unattended ? host_ask_with_clock : host_ask)(
                            request->service->manager->host, oldest_answer(request), on_host, request))
                return 0;
        return step_watchdogs(request, error);
}

static int read_credentials(sd_bus_message *reply, Request *request) {
        bool uid_known = false;
        const char *key;
        int r = sd_bus_message_enter_container(reply, 'a', "{sv}");

        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read(reply, "s", &key);
                if (r < 0)
                        return r;
                if (strcmp(key, "UnixUserID") == 0) {
                        r = sd_bus_message_read(reply, "v", "u", &request->uid);
                        uid_known = r >= 0;
                } else if (strcmp(key, "ProcessID") == 0)
                        r = sd_bus_message_read(reply, "v", "u", &request->pid);
                else
                        r = sd_bus_message_skip(reply, "v");
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(reply);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : uid_known ? 0 : -ENODATA;
}

static void start_waiting(Service *service);

static int on_credentials(sd_bus_message *reply, void *userdata, sd_bus_error *ret_error) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Request *request = userdata;

        request->slot = sd_bus_slot_unref(request->slot);
        request->service->credentials_under_way--;
        start_waiting(request->service);
        if (sd_bus_message_is_method_error(reply, NULL) || read_credentials(reply, request) < 0) {
                (void) bus_error_standard(&error, SD_BUS_ERROR_ACCESS_DENIED,
                                          "The caller cannot be identified.");
                request_fail(request, -EACCES, &error);
                return 1;
        }
        request->identified = true;
        run_step(request, step_host);
        return 1;
}

static int ask_credentials(Request *request) {
        int r = sd_bus_call_method_async(request->service->bus, &request->slot, "org.freedesktop.DBus",
                                         "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                         "GetConnectionCredentials", on_credentials, request, "s",
                                         sd_bus_message_get_sender(request->message));

        if (r < 0)
                return r;
        request->started = true;
        request->service->credentials_under_way++;
        return 0;
}

/* The bus allows a connection only so many questions at once (128 by default, dbus-daemon(1)): the rest
 * queues here. */
static void start_waiting(Service *service) {
        GList *link = service->requests.head;

        while (link && service->credentials_under_way < CREDENTIALS_MAX) {
                Request *request = link->data;

                link = link->next;
                if (!request->started && ask_credentials(request) < 0)
                        request_free(request);
        }
}

static int check_caps(const Request *request, sd_bus_error *error) {
        const char *sender = sd_bus_message_get_sender(request->message);
        unsigned own = 0;

        for (GList *link = request->service->requests.head; link; link = link->next)
                own += g_strcmp0(sd_bus_message_get_sender(((Request *) link->data)->message), sender) == 0;
        if (request->service->requests.length <= REQUESTS_MAX && own <= REQUESTS_PER_SENDER_MAX)
                return 0;
        return bus_error_standard(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many requests are under way.");
}

int request_start(Request *request, sd_bus_error *error) {
        _cleanup_(request_freep) Request *owned = request;
        Manager *manager = request->service->manager;
        int r;

        if (!manager->ready)
                return bus_error_set(error, LFA_ERROR_STARTING, NULL);
        if (manager->stopping)
                return bus_error_set(error, LFA_ERROR_SHUTTING_DOWN, NULL);
        r = check_caps(request, error);
        if (r >= 0 && request->service->credentials_under_way < CREDENTIALS_MAX)
                r = ask_credentials(request);
        if (r < 0)
                return r;
        (void) g_steal_pointer(&owned);
        return 1;
}

Request *request_new(Service *service, const RequestType *type, sd_bus_message *message) {
        Request *request = g_new0(Request, 1);

        request->service = service;
        request->type = type;
        request->action = type->action;
        request->message = sd_bus_message_ref(message);
        request->arrived_usec = clock_monotonic(service->manager->clock);
        request->uid = UINT32_MAX;
        request->refusal = LFA_MESSAGE_CALL_REFUSED;
        request->reason = request->request_id = request->authorized = "";
        request->details = g_ptr_array_new_with_free_func(g_free);
        g_queue_push_tail(&service->requests, request);
        return request;
}

void *request_free(Request *request) {
        if (!request)
                return NULL;
        if (request->slot)
                request->service->credentials_under_way--;
        g_queue_remove(&request->service->requests, request);
        scanner_forget(request->service->manager->scanner, request);
        host_forget(request->service->manager->host, request);
        watchdogs_forget(request->service->manager->watchdogs, request);
        sd_bus_slot_unref(request->slot);
        sd_bus_slot_unref(request->gone_slot);
        polkit_check_free(request->polkit);
        sd_bus_message_unref(request->message);
        g_ptr_array_unref(request->details);
        if (request->targets)
                g_array_unref(request->targets);
        if (request->images)
                g_ptr_array_unref(request->images);
        if (request->override)
                g_ptr_array_unref(request->override);
        g_strfreev(request->guids);
        g_free(request->shown);
        g_free(request->image);
        g_free(request);
        return NULL;
}

void request_add_detail(Request *request, const char *key, const char *value) {
        g_ptr_array_add(request->details, g_strdup(key));
        g_ptr_array_add(request->details, g_strdup(value));
}
