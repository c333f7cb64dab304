/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TimeZone=local: that somebody gave the host another zone. */

#include "daemon/manager.h"
#include "util/log.h"

#include <inttypes.h>
#include <sys/stat.h>

#define LOCALTIME "/etc/localtime"

/* Of the file behind the link; NULL: there is none. */
static char *describe_file(void) {
        struct stat st;

        if (stat(LOCALTIME, &st) < 0)
                return NULL;
        return g_strdup_printf("%" PRIu64 ":%" PRIu64 ":%" PRIi64 ":%" PRIi64 ".%09" PRIi64,
                               (uint64_t) st.st_dev, (uint64_t) st.st_ino, (int64_t) st.st_size,
                               (int64_t) st.st_mtim.tv_sec, (int64_t) st.st_mtim.tv_nsec);
}

/* Who sets the zone may do it in steps: what is not there, or not whole, is looked at again with the next reading. */
void manager_check_zone(Manager *manager) {
        g_autofree char *file = NULL, *before = NULL;

        if (!config_zone_is_local(manager->config))
                return;
        file = describe_file();
        if (!file || g_strcmp0(file, manager->zone_file) == 0)
                return;
        before = g_strdup(config_zone_name(manager->config));
        if (!config_reload_zone(manager->config)) {
                log_warning(LOCALTIME " does not describe a time zone; that of the host stays %s.", before);
                return;
        }
        g_free(manager->zone_file);
        manager->zone_file = g_steal_pointer(&file);
        if (strcmp(before, config_zone_name(manager->config)) != 0) {
                log_event(LFA_MESSAGE_ZONE_CHANGED, NULL, "The host's time zone is %s now, and was %s.",
                          config_zone_name(manager->config), before);
                manager->observer->manager_changed(MANAGER_PROPERTY_TIME_ZONE, manager->userdata);
        }
        images_evaluate(manager);
}
