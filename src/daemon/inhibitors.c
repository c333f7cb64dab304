/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inhibitors that are held: taking one, noticing that it is let go, and what they mean for an image. */

#include "daemon/inhibitors.h"
#include "core/enum-names.h"
#include "daemon/inhibitor-files.h"
#include "util/log.h"
#include "util/macros.h"

#include <sys/epoll.h>

struct Inhibitors {
        sd_event *event;
        const char *runtime_folder;
        const Clock *clock;
        InhibitorsChanged changed;
        void *userdata;
        GPtrArray *held; /* Held, owned; by id */
        uint32_t last_id;
};

typedef struct Held {
        Inhibitors *owner; /* weak */
        Inhibitor inhibitor;
        sd_event_source *source; /* owns the read end */
} Held;

void inhibitor_clear(Inhibitor *inhibitor) {
        g_free(inhibitor->who);
        g_free(inhibitor->why);
        g_strfreev(inhibitor->guids);
        *inhibitor = (Inhibitor){ 0 };
}

static void held_free(void *object) {
        Held *held = object;

        sd_event_source_disable_unref(held->source);
        inhibitor_clear(&held->inhibitor);
        g_free(held);
}

Inhibitors *inhibitors_new(sd_event *event, const char *runtime_folder, const Clock *clock,
                           InhibitorsChanged changed, void *userdata) {
        Inhibitors *inhibitors = g_new0(Inhibitors, 1);

        inhibitors->event = event;
        inhibitors->runtime_folder = runtime_folder;
        inhibitors->clock = clock;
        inhibitors->changed = changed;
        inhibitors->userdata = userdata;
        inhibitors->held = g_ptr_array_new_with_free_func(held_free);
        return inhibitors;
}

void *inhibitors_free(Inhibitors *inhibitors) {
        if (!inhibitors)
                return NULL;
        g_ptr_array_unref(inhibitors->held);
        g_free(inhibitors);
        return NULL;
}

static LogFields *inhibitor_fields(const Inhibitor *inhibitor) {
        LogFields *fields = log_add_u64(NULL, LFA_FIELD_INHIBITOR, inhibitor->id);

        fields = log_add(fields, LFA_FIELD_MODE, inhibit_mode_to_string(inhibitor->mode));
        fields = log_add(fields, LFA_FIELD_WHO, inhibitor->who);
        fields = log_add(fields, LFA_FIELD_REASON, inhibitor->why);
        for (char **guid = inhibitor->guids; guid && *guid; guid++)
                fields = log_add(fields, LFA_FIELD_GUID, *guid);
        fields = log_add_u64(fields, LFA_FIELD_UID, inhibitor->uid);
        return inhibitor->pid > 0 ? log_add_u64(fields, LFA_FIELD_PID, inhibitor->pid) : fields;
}

/* There is one event to come: that the last write end is closed. */
static int on_let_go(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Held *held = userdata;
        Inhibitors *inhibitors = held->owner;

        log_event(LFA_MESSAGE_INHIBITOR_RELEASED, inhibitor_fields(&held->inhibitor),
                  "Inhibitor %u is let go by %s: %s", held->inhibitor.id, held->inhibitor.who,
                  held->inhibitor.why);
        inhibitor_files_remove(inhibitors->runtime_folder, held->inhibitor.id);
        g_ptr_array_remove(inhibitors->held, held);
        inhibitors->changed(inhibitors->userdata);
        return 0;
}

/* Takes inhibitor's contents and, on success, fd. The events asked for are none: that all writers are gone (EPOLLHUP)
 * is always told, and what they write stays unread in the pipe, which holds so much and no more. So nobody can keep
 * this loop busy. */
static int hold(Inhibitors *inhibitors, Inhibitor *inhibitor, int *fd) {
        Held *held = g_new0(Held, 1);
        int r;

        held->owner = inhibitors;
        held->inhibitor = *inhibitor;
        *inhibitor = (Inhibitor){ 0 };
        r = sd_event_add_io(inhibitors->event, &held->source, *fd, 0, on_let_go, held);
        if (r >= 0)
                r = sd_event_source_set_io_fd_own(held->source, true);
        if (r < 0) {
                held_free(held);
                return r;
        }
        (void) steal_fd(fd);
        (void) sd_event_source_set_description(held->source, "inhibitor");
        inhibitors->last_id = MAX(inhibitors->last_id, held->inhibitor.id);
        g_ptr_array_add(inhibitors->held, held);
        return 0;
}

static const char *explain_loss(int r) {
        switch (r) {
        case -EPIPE:
                return "nobody holds it any more";
        case -ESTALE:
                return "it is of an earlier boot";
        case -ENOENT:
                return "one of its two files is missing";
        case -EBADMSG:
                return "its files are not as lfad writes them";
        case -EDQUOT:
                return "there are too many";
        default:
                return g_strerror(-r);
        }
}

static int restore_one(Inhibitors *inhibitors, uint32_t id) {
        _cleanup_(inhibitor_clear) Inhibitor inhibitor = { 0 };
        _cleanup_close_ int fd = -EBADF;
        int r = inhibitor_files_load(inhibitors->runtime_folder, id, &inhibitor, &fd);

        if (r >= 0)
                r = inhibitors_check_caps(inhibitors, inhibitor.uid);
        if (r < 0)
                return r;
        log_detail(LOG_INFO, inhibitor_fields(&inhibitor), "Inhibitor %u is still held by %s: %s", id,
                   inhibitor.who, inhibitor.why);
        return hold(inhibitors, &inhibitor, &fd);
}

void inhibitors_restore(Inhibitors *inhibitors) {
        g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        unsigned removed = 0;
        int r = inhibitor_files_list(inhibitors->runtime_folder, ids, &removed);

        if (r < 0) {
                log_error_errno(r, "Cannot read the inhibitors that an earlier lfad left in %s",
                                inhibitors->runtime_folder);
                return;
        }
        if (removed > 0)
                log_warning("Removed %u files from %s/" INHIBITOR_FOLDER " that are none of lfad's.",
                            removed, inhibitors->runtime_folder);
        for (unsigned i = 0; i < ids->len; i++) {
                uint32_t id = g_array_index(ids, uint32_t, i);

                r = restore_one(inhibitors, id);
                if (r >= 0)
                        continue;
                log_event(LFA_MESSAGE_INHIBITOR_RELEASED, log_add_u64(NULL, LFA_FIELD_INHIBITOR, id),
                          "Inhibitor %u of an earlier lfad is dropped: %s.", id, explain_loss(r));
                inhibitor_files_remove(inhibitors->runtime_folder, id);
                inhibitors->last_id = MAX(inhibitors->last_id, id);
        }
}

int inhibitors_check_caps(const Inhibitors *inhibitors, uint32_t uid) {
        unsigned own = 0;

        for (unsigned i = 0; i < inhibitors->held->len; i++)
                own += inhibitors_get(inhibitors, i)->uid == uid;
        return inhibitors->held->len < INHIBITORS_MAX && own < INHIBITORS_PER_UID_MAX ? 0 : -EDQUOT;
}

int inhibitors_take(Inhibitors *inhibitors, const Inhibitor *wanted, int *ret_fd) {
        _cleanup_close_ int read_fd = -EBADF, write_fd = -EBADF;
        _cleanup_(inhibitor_clear) Inhibitor inhibitor = *wanted;
        uint32_t id = inhibitors->last_id + 1;
        int r;

        inhibitor.id = id;
        inhibitor.who = g_strdup(wanted->who);
        inhibitor.why = g_strdup(wanted->why);
        inhibitor.guids = g_strdupv(wanted->guids);
        inhibitor.since_usec = clock_realtime(inhibitors->clock);
        r = inhibitors_check_caps(inhibitors, wanted->uid);
        if (r < 0)
                return r;
        r = inhibitor_files_create(inhibitors->runtime_folder, &inhibitor, &read_fd, &write_fd);
        if (r >= 0)
                r = hold(inhibitors, &inhibitor, &read_fd);
        if (r < 0) {
                inhibitor_files_remove(inhibitors->runtime_folder, id);
                return log_error_errno(r, "Cannot keep an inhibitor of uid %u", wanted->uid);
        }
        log_event(LFA_MESSAGE_INHIBITOR_TAKEN,
                  inhibitor_fields(inhibitors_get(inhibitors, inhibitors->held->len - 1)),
                  "Inhibitor %u (%s) is taken by %s (uid %u, pid %u): %s", id,
                  inhibit_mode_to_string(wanted->mode), wanted->who, wanted->uid, wanted->pid, wanted->why);
        *ret_fd = steal_fd(&write_fd);
        inhibitors->changed(inhibitors->userdata);
        return 0;
}

unsigned inhibitors_count(const Inhibitors *inhibitors) {
        return inhibitors->held->len;
}

const Inhibitor *inhibitors_get(const Inhibitors *inhibitors, unsigned index) {
        const Held *held = inhibitors->held->pdata[index];

        return &held->inhibitor;
}

static bool is_about(const Inhibitor *inhibitor, const char *guid) {
        return !inhibitor->guids || !*inhibitor->guids ||
               g_strv_contains((const char *const *) inhibitor->guids, guid);
}

const Inhibitor *inhibitors_find_first(const Inhibitors *inhibitors, InhibitMode mode, const char *guid,
                                       unsigned *ret_more) {
        const Inhibitor *first = NULL;
        unsigned more = 0;

        for (unsigned i = 0; i < inhibitors->held->len; i++) {
                const Inhibitor *inhibitor = inhibitors_get(inhibitors, i);

                if (inhibitor->mode != mode || !is_about(inhibitor, guid))
                        continue;
                more += first != NULL;
                first = first ? first : inhibitor;
        }
        *ret_more = more;
        return first;
}

char *inhibitors_describe_delays(const Inhibitors *inhibitors, const char *guid) {
        unsigned more;
        const Inhibitor *first = inhibitors_find_first(inhibitors, INHIBIT_DELAY, guid, &more);

        if (!first)
                return NULL;
        if (more == 0)
                return g_strdup_printf("%s (%s)", first->who, first->why);
        return g_strdup_printf("%s (%s), and %u more", first->who, first->why, more);
}
