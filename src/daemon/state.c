/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* state.json: reading, bringing up to date, replacing. */

#include "daemon/state.h"
#include "core/hold-text.h"
#include "daemon/history-visit.h"
#include "daemon/quarantine.h"
#include "util/file-io.h"
#include "util/log.h"

#include <fcntl.h>
#include <stdarg.h>

#define FILE_NAME "state.json"
/* Well above the largest that lfad can write (STATE_*_MAX). */
#define FILE_SIZE_MAX (1024 * 1024)
/* The file is written when there is something new to keep in mind, and at the start when it is so far behind: each start
 * reads that much of the history again. */
#define RECORDS_BEHIND_MAX 1024

/* Says it once. */
static void complain(Manager *manager, ErrorId error, const char *format, ...) _printf_(3, 4);
static void complain(Manager *manager, ErrorId error, const char *format, ...) {
        StateFile *file = &manager->state_file;
        g_autofree char *text = NULL;
        va_list arguments;

        va_start(arguments, format);
        text = g_strdup_vprintf(format, arguments);
        va_end(arguments);
        if (file->error == error && g_strcmp0(file->text, text) == 0)
                return;
        log_event(LFA_MESSAGE_STATE_UNUSABLE, log_add(NULL, LFA_FIELD_ERROR, error_bus_name(error)),
                  "%s Nothing will be activated.", text);
        g_free(file->text);
        file->error = error;
        file->text = g_steal_pointer(&text);
        manager_update_warnings(manager);
        images_evaluate(manager);
}

static void all_is_well(Manager *manager) {
        StateFile *file = &manager->state_file;

        file->refused = file->unsaved = false;
        if (file->error == LFA_ERROR_NONE)
                return;
        log_event(LFA_MESSAGE_STATE_USABLE, NULL, "%s/%s is as it should be again.",
                  manager->settings->state_folder, FILE_NAME);
        file->error = LFA_ERROR_NONE;
        g_clear_pointer(&file->text, g_free);
        manager_update_warnings(manager);
        images_evaluate(manager);
}

static void save(Manager *manager) {
        const char *folder = manager->settings->state_folder;
        g_autofree char *text = NULL;
        _cleanup_close_ int folder_fd = -EBADF;
        int r;

        if (manager->state_file.refused)
                return;
        text = state_to_text(manager->state);
        folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = folder_fd < 0 ? -errno : file_replace(folder_fd, FILE_NAME, text, strlen(text), 0644);
        if (r >= 0) {
                all_is_well(manager);
                return;
        }
        manager->state_file.unsaved = true;
        complain(manager, r == -ENOSPC || r == -EDQUOT ? LFA_ERROR_DISK_FULL : LFA_ERROR_STATE_UNAVAILABLE,
                 "%s/%s cannot be written (%s); it is tried again with each reading of the driver.", folder,
                 FILE_NAME, g_strerror(-r));
}

/* Returns 0, -ENOENT, -EPROTO when a newer lfad wrote it, -EBADMSG, or another negative errno. */
static int read_file(const Manager *manager, State **ret) {
        g_autofree char *path = g_build_filename(manager->settings->state_folder, FILE_NAME, NULL);
        g_autofree char *text = g_malloc(FILE_SIZE_MAX);
        ssize_t size = file_read(AT_FDCWD, path, text, FILE_SIZE_MAX);

        if (size == -EFBIG)
                return -EBADMSG;
        return size < 0 ? (int) size : state_from_text(text, (size_t) size, ret);
}

static void refuse(Manager *manager, int error) {
        const char *folder = manager->settings->state_folder;
        static const char way_out[] = "Move it away: it is then made anew from the history.";

        manager->state_file.refused = true;
        if (error == -EPROTO)
                complain(manager, LFA_ERROR_STATE_NEWER,
                         "%s/%s was written by a newer version of lfad and is kept as it is. Install that version "
                         "again.",
                         folder, FILE_NAME);
        else if (error == -EBADMSG)
                complain(manager, LFA_ERROR_STATE_UNAVAILABLE,
                         "%s/%s is not what lfad writes and is kept as it is. %s", folder, FILE_NAME,
                         way_out);
        else
                complain(manager, LFA_ERROR_STATE_UNAVAILABLE, "%s/%s cannot be read (%s). %s", folder,
                         FILE_NAME, g_strerror(-error), way_out);
}

typedef struct Replay {
        State *state;
        unsigned changed; /* mask of StateChange */
} Replay;

static int take_in_again(json_object *record, uint64_t seq, void *userdata) {
        Replay *replay = userdata;

        replay->changed |= state_apply(replay->state, record);
        return 0;
}

/* An earlier lfad kept no statistics: they are made of all the records that the history still has. Where it cannot be
 * read to its end, a later start tries again. */
static unsigned count_again(const Manager *manager, State *state) {
        g_autoptr(State) counted = state_new();
        Replay replay = { .state = counted };

        if (!manager->history || history_visit(manager->history, 0, take_in_again, &replay) < 0)
                return 0;
        state->statistics = counted->statistics;
        state->counted = true;
        return STATE_CHANGE_STATISTICS;
}

/* Takes the state, or begins with none. */
static void bring_up_to_date(Manager *manager, State *state) {
        Replay replay = { .state = state ? state : state_new() };
        uint64_t seq = replay.state->seq;

        state_free(manager->state);
        manager->state = replay.state;
        if (manager->history) {
                history_continue_behind(manager->history, replay.state->seq);
                (void) history_visit(manager->history, replay.state->seq + 1, take_in_again, &replay);
                /* A record with a number that is too high may lie anywhere; those to come must count. */
                history_continue_behind(manager->history, replay.state->seq);
        }
        if (!replay.state->counted)
                replay.changed |= count_again(manager, replay.state);
        state_has_changed(manager, STATE_CHANGE_HOLDS | STATE_CHANGE_QUARANTINES | STATE_CHANGE_LEARNED |
                                                   STATE_CHANGE_STATISTICS);
        if (replay.changed != 0 || replay.state->seq - seq > RECORDS_BEHIND_MAX)
                save(manager);
}

void manager_load_state(Manager *manager) {
        State *state = NULL;
        const Hold *hold;
        int r = read_file(manager, &state);

        manager->state_file.refused = r < 0 && r != -ENOENT;
        bring_up_to_date(manager, state);
        if (manager->state_file.refused)
                refuse(manager, r);
        hold = manager_find_hold(manager, "");
        if (hold) {
                g_autofree char *text = hold_to_text(hold);

                log_event(LFA_MESSAGE_HOLD_STANDS, log_add(NULL, LFA_FIELD_REASON, hold->reason),
                          "Activations are paused: %s 'lfactl unhold' ends that.", text);
        }
}

void manager_retry_state(Manager *manager) {
        g_autoptr(State) state = NULL;
        int r;

        if (manager->state_file.unsaved)
                save(manager);
        if (!manager->state_file.refused)
                return;
        r = read_file(manager, &state);
        if (r < 0 && r != -ENOENT) {
                refuse(manager, r);
                return;
        }
        all_is_well(manager);
        bring_up_to_date(manager, g_steal_pointer(&state));
}

int manager_record_numbered(Manager *manager, RecordType type, json_object *record, uint64_t *ret_seq) {
        _cleanup_json_ json_object *owned = record;
        unsigned changed;
        int r;

        if (!manager->history)
                return -EIO;
        r = history_append(manager->history, type, json_object_get(owned), ret_seq);
        if (r < 0)
                return r;
        changed = state_apply(manager->state, owned);
        if (changed == 0)
                return 0;
        state_tell(manager, changed, owned);
        save(manager);
        state_has_changed(manager, changed);
        return 0;
}

int manager_record(Manager *manager, RecordType type, json_object *record) {
        return manager_record_numbered(manager, type, record, NULL);
}

ErrorId manager_state_error(const Manager *manager, const char **ret_text) {
        if (!manager->history) {
                *ret_text = error_text(LFA_ERROR_STATE_UNAVAILABLE);
                return LFA_ERROR_STATE_UNAVAILABLE;
        }
        if (history_is_full(manager->history)) {
                *ret_text = "The history's sequence numbers are used up: stop lfad, move history.jsonl and state.json "
                            "away, and start it again.";
                return LFA_ERROR_STATE_UNAVAILABLE;
        }
        *ret_text = manager->state_file.text;
        return manager->state_file.error;
}

ErrorId manager_records_error(const Manager *manager, const char **ret_text) {
        ErrorId error = manager_state_error(manager, ret_text);

        if (error != LFA_ERROR_NONE || manager->unwritten.length == 0)
                return error;
        *ret_text = "The end of an earlier job could not be recorded yet.";
        return manager->unwritten_error == -ENOSPC ? LFA_ERROR_DISK_FULL : LFA_ERROR_STATE_UNAVAILABLE;
}
