/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The driver's own settings of an image, which the driver forgets whenever it makes the image's directory anew: each
 * reading that finds one to be otherwise than the configuration wants it sets it again, and records that.
 *
 * - auto_activate lets the kernel activate by itself; it knows no policy and has no bound. It is switched off wherever
 *   it is on; KernelAutoActivate=leave leaves it, unless events come in a storm: that is how an endless round of
 *   activations looks, and this ends it.
 * - force_cpu_rendezvous follows CpuRendezvous= of the image, where that is given. */

#include "daemon/device-events.h"
#include "daemon/log-fields.h"
#include "daemon/manager.h"

#define ATTEMPTS_MAX 3

static int want_auto_activate(const Image *image) {
        const Manager *manager = image->manager;

        return manager->config->kernel_auto_activate == KERNEL_AUTO_LEAVE &&
                                               !manager_has_event_storm(manager)
                               ? -1
                               : 0;
}

static int want_cpu_rendezvous(const Image *image) {
        switch (config_find_rendezvous(image->manager->config, image->values.guid)) {
        case RENDEZVOUS_FORCE:
                return 1;
        case RENDEZVOUS_FIRMWARE:
                return 0;
        default:
                return -1;
        }
}

static const struct {
        const char *attribute;
        size_t value;                      /* of ImageValues */
        int (*wanted)(const Image *image); /* 0 or 1; -1: as it is */
        bool may_be_missing;               /* a driver without it does what is wanted */
} settings[_SETTING_MAX] = {
        [SETTING_AUTO_ACTIVATE] = { "auto_activate", offsetof(ImageValues, auto_activate),
                                    want_auto_activate, true },
        [SETTING_FORCE_CPU_RENDEZVOUS] = { "force_cpu_rendezvous",
                                           offsetof(ImageValues, force_cpu_rendezvous), want_cpu_rendezvous,
                                           false },
};

static int8_t value_of(const Image *image, SettingId id) {
        return *((const int8_t *) ((const char *) &image->values + settings[id].value));
}

bool image_setting_differs(const Image *image, SettingId id) {
        int wanted = settings[id].wanted(image);
        int8_t value = value_of(image, id);

        if (wanted < 0 || (value < 0 && settings[id].may_be_missing))
                return false;
        return value != wanted;
}

static LogFields *setting_fields(const Image *image, SettingId id, int wanted) {
        LogFields *fields = log_add(image_fields(image), LFA_FIELD_SETTING, settings[id].attribute);

        return log_add_u64(fields, LFA_FIELD_VALUE, (uint64_t) wanted);
}

static void record_setting(Manager *manager, const Image *image) {
        json_object *record = json_object_new_object();
        int r;

        json_add_string(record, "guid", image->values.guid);
        json_add_string(record, "setting", settings[manager->set_id].attribute);
        json_add_u64(record, "value", (uint64_t) manager->set_value);
        if (!manager->history) {
                json_object_put(record);
                return;
        }
        r = history_append(manager->history, RECORD_SETTING_APPLIED, record, NULL);
        if (r < 0)
                log_event_errno(LFA_MESSAGE_RECORD_FAILED, r, image_fields(image),
                                "Cannot record that %s of %s is set", settings[manager->set_id].attribute,
                                image->values.guid);
}

/* The directory was made anew meanwhile: there is another one to be set, and nothing is wrong with it. */
static bool is_gone(int error) {
        return error == ENOENT || error == ENODEV;
}

static void on_answer(const Answer *answer, void *userdata) {
        Manager *manager = userdata;
        Image *image = images_remember(manager, manager->set_guid);
        const char *attribute = settings[manager->set_id].attribute;

        if (answer->type != ANSWER_END)
                return;
        if (is_gone(answer->error))
                return;
        if (answer->error != 0) {
                ImageSetting *setting = &image->settings[manager->set_id];

                setting->stuck = true;
                if (!setting->told)
                        log_event_errno(LFA_MESSAGE_SETTING_FAILED, -answer->error,
                                        setting_fields(image, manager->set_id, manager->set_value),
                                        "Cannot set %s of %s to %d", attribute, manager->set_guid,
                                        manager->set_value);
                setting->told = true;
                return;
        }
        log_event(manager->set_id == SETTING_AUTO_ACTIVATE ? LFA_MESSAGE_AUTO_ACTIVATE_OFF
                                                           : LFA_MESSAGE_SETTING_APPLIED,
                  setting_fields(image, manager->set_id, manager->set_value), "%s of %s was %d: set to %d.",
                  attribute, manager->set_guid, value_of(image, manager->set_id), manager->set_value);
        record_setting(manager, image);
}

static void on_ended(bool clean, void *userdata) {
        Manager *manager = userdata;

        manager->set_worker = worker_process_free(manager->set_worker);
        queue_schedule(manager);
        /* The next reading shows whether it helped, and finds the next setting that needs it. */
        scanner_scan(manager->scanner);
}

static const WorkerCallbacks callbacks = { .answer = on_answer, .ended = on_ended };

static void apply_one(Manager *manager, const Image *image, SettingId id) {
        g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
        int r;

        manager->set_id = id;
        manager->set_value = settings[id].wanted(image);
        memcpy(manager->set_guid, image->values.guid, GUID_STRING_SIZE);
        g_ptr_array_add(arguments, g_strdup("set"));
        g_ptr_array_add(arguments, g_strdup_printf("--guid=%s", image->values.guid));
        g_ptr_array_add(arguments, g_strdup_printf("--attribute=%s", settings[id].attribute));
        g_ptr_array_add(arguments, g_strdup_printf("--value=%d", manager->set_value));
        r = worker_process_start(manager->event, &manager->settings->worker, arguments, -EBADF, &callbacks,
                                 manager, &manager->set_worker);
        if (r < 0)
                log_event_errno(LFA_MESSAGE_WORKER_FAILED, r, image_fields(image), "Cannot start %s",
                                manager->settings->worker.path);
}

/* Returns true when it must be set, and trying may help. */
static bool needs_setting(Image *image, SettingId id) {
        ImageSetting *setting = &image->settings[id];

        if (!image_setting_differs(image, id)) {
                *setting = (ImageSetting){ 0 };
                return false;
        }
        if (!image->present || setting->stuck)
                return false;
        if (++setting->attempts <= ATTEMPTS_MAX)
                return true;
        setting->stuck = true;
        if (!setting->told)
                log_event(LFA_MESSAGE_SETTING_FAILED, setting_fields(image, id, settings[id].wanted(image)),
                          "%s of %s is %d again and again; the image will not be activated.",
                          settings[id].attribute, image->values.guid, value_of(image, id));
        setting->told = true;
        return false;
}

/* While the kernel works nothing is written but what ends an endless round of its own; that store takes no lock. */
static bool may_set(const Manager *manager, SettingId id) {
        if (!manager->current && !manager->foreign_activation)
                return true;
        return id == SETTING_AUTO_ACTIVATE && manager_has_event_storm(manager);
}

void settings_apply(Manager *manager) {
        GHashTableIter iterator;
        void *value;

        if (manager->set_worker || manager->stopping)
                return;
        for (int id = 0; id < _SETTING_MAX; id++) {
                g_hash_table_iter_init(&iterator, manager->images);
                while (may_set(manager, (SettingId) id) && g_hash_table_iter_next(&iterator, NULL, &value)) {
                        if (!needs_setting(value, (SettingId) id))
                                continue;
                        apply_one(manager, value, (SettingId) id);
                        return; /* one at a time; the scan that follows comes back here */
                }
        }
}

void image_forget_settings(Image *image) {
        memset(image->settings, 0, sizeof(image->settings));
}

void settings_forget(Manager *manager) {
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value))
                image_forget_settings(value);
}

void settings_try_again(Manager *manager) {
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value))
                for (int id = 0; id < _SETTING_MAX; id++) {
                        ImageSetting *setting = &((Image *) value)->settings[id];

                        if (setting->stuck)
                                setting->attempts = ATTEMPTS_MAX - 1;
                        setting->stuck = false;
                }
}
