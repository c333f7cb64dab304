/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration that is in force: reading it, and what changes when it changes. */

#include "daemon/config.h"
#include "util/log.h"

#include <string.h>
#include <systemd/sd-daemon.h>

static void log_problems(const GPtrArray *problems) {
        for (unsigned i = 0; i < problems->len; i++) {
                const ConfigProblem *problem = problems->pdata[i];
                g_autofree char *text = config_problem_format(problem);

                log_line(problem->warning ? LOG_WARNING : LOG_ERR, "%s", text);
        }
}

/* The first error and how many follow, or NULL when there is none. The caller frees it. */
static char *describe_errors(const GPtrArray *problems) {
        const ConfigProblem *first = config_first_error(problems);
        g_autofree char *text = first ? config_problem_format(first) : NULL;
        unsigned errors = 0;

        for (unsigned i = 0; i < problems->len; i++)
                errors += !((const ConfigProblem *) problems->pdata[i])->warning;
        if (errors < 2)
                return g_steal_pointer(&text);
        return g_strdup_printf("%s (and %u more; see 'lfactl config check')", text, errors - 1);
}

/* Returns what the files say, or NULL with ret_error set. */
static Config *read_config(const Manager *manager, char **ret_error) {
        g_autoptr(ConfigFiles) files = config_files_load(manager->settings->config_root);
        g_autoptr(GPtrArray) problems = NULL;
        g_autoptr(Config) config = config_read(files, &problems);
        char *error = describe_errors(problems);

        config_check_times(config, clock_realtime(manager->clock), problems);
        log_problems(problems);
        if (error) {
                *ret_error = error;
                return NULL;
        }
        return g_steal_pointer(&config);
}

/* The aliases are borrowed from the configuration, so that all are set anew before the old one goes. */
static void apply_alias(Manager *manager, Image *image) {
        g_autofree char *alias = g_strdup(image_alias(image));
        g_autofree char *name = g_strdup(image_display_name(image));
        unsigned changed = 0;

        image->configured_alias = config_find_alias(manager->config, image->values.guid);
        if (strcmp(alias, image_alias(image)) != 0)
                changed |= IMAGE_PROPERTY_ALIAS;
        if (strcmp(name, image_display_name(image)) != 0)
                changed |= IMAGE_PROPERTY_NAME;
        image_changed(manager, image, changed);
}

static void apply_to_images(Manager *manager) {
        GHashTableIter iterator;
        void *value;

        g_hash_table_iter_init(&iterator, manager->images);
        while (g_hash_table_iter_next(&iterator, NULL, &value)) {
                Image *image = value;

                apply_alias(manager, image);
                if (image->present) {
                        image_refresh_state(manager, image); /* QuarantineAfter= */
                        image_evaluate(manager, image);
                }
        }
}

/* Takes the configuration. */
static void apply(Manager *manager, Config *config) {
        g_autoptr(Config) old = manager->config;

        manager->config = config;
        if (manager->config_error)
                manager->observer->manager_changed(MANAGER_PROPERTY_CONFIG_ERROR, manager->userdata);
        g_clear_pointer(&manager->config_error, g_free);
        manager_check_zone(manager);
        if (!old || strcmp(config_zone_name(old), config_zone_name(config)) != 0)
                manager->observer->manager_changed(MANAGER_PROPERTY_TIME_ZONE, manager->userdata);
        manager_update_windows(manager);
        apply_to_images(manager);
        scanner_set_poll(manager->scanner, config->poll_usec);
        manager_update_warnings(manager);
}

void manager_load_config(Manager *manager) {
        Config *config = read_config(manager, &manager->config_error);

        if (config)
                apply(manager, config);
        else
                log_event(LFA_MESSAGE_CONFIG_REJECTED,
                          log_add(NULL, LFA_FIELD_REASON, manager->config_error),
                          "The configuration has errors: the defaults hold, and nothing will be activated.");
}

static int reload(Manager *manager, char **ret_text) {
        g_autofree char *error = NULL;
        Config *config = read_config(manager, &error);

        if (!config) {
                log_event(LFA_MESSAGE_CONFIG_REJECTED, log_add(NULL, LFA_FIELD_REASON, error),
                          "The configuration was not loaded; what was in force stays.");
                if (manager->config_error) { /* the gate tells what is wrong now */
                        g_free(manager->config_error);
                        manager->config_error = g_strdup(error);
                        manager->observer->manager_changed(MANAGER_PROPERTY_CONFIG_ERROR, manager->userdata);
                }
                *ret_text = g_steal_pointer(&error);
                return -EINVAL;
        }
        apply(manager, config);
        log_event(LFA_MESSAGE_CONFIG_LOADED, NULL, "The configuration was loaded.");
        manager_ask_host(manager); /* the clock may matter now */
        settings_forget(manager);
        settings_apply(manager);
        manager_ask_host(manager); /* automatic mode may need to know more of it */
        queue_schedule(manager);
        return 0;
}

int manager_reload_config(Manager *manager, char **ret_text) {
        int r;

        (void) sd_notify(false, "RELOADING=1");
        r = reload(manager, ret_text);
        (void) sd_notify(false, "READY=1");
        manager_notify_status(manager);
        return r;
}
